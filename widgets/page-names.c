/* SPDX-License-Identifier: GPL-3.0-or-later */

/* page-names.c — the names of pages above them, or their icons
 *
 * Three words stand beside each other in the inspector as long as the letters are
 * of usual size. With large ones each would be cut after three letters, which names
 * nothing; a wider inspector would take its room from the map. So where the words
 * do not fit, all pages are shown by their icons; their names are tooltips then.
 *
 * An icon is called as its page is, tophash-NAME-symbolic.
 */
#include "widgets/page-names.h"

static void
set_icons (GtkStack *pages,
           gboolean  has_icons) {
  g_autoptr (GtkSelectionModel) model = gtk_stack_get_pages (pages);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (model));

  for (guint i = 0; i < n; i++) {
    g_autoptr (GObject) item = g_list_model_get_item (G_LIST_MODEL (model), i);
    GtkStackPage *page = GTK_STACK_PAGE (item);
    g_autofree char *icon
      = g_strdup_printf ("tophash-%s-symbolic", gtk_stack_page_get_name (page));

    gtk_stack_page_set_icon_name (page, has_icons ? icon : NULL);
  }
}

/* So that what a word needs is not what the switcher needs. */
static void
let_shrink (GtkWidget *switcher) {
  for (GtkWidget *button = gtk_widget_get_first_child (switcher); button != NULL;
       button = gtk_widget_get_next_sibling (button)) {
    GtkWidget *label = gtk_button_get_child (GTK_BUTTON (button));

    if (GTK_IS_LABEL (label))
      gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  }
}

void
page_names_fit (GtkStackSwitcher *switcher,
                int               room_px) {
  GtkStack *pages = gtk_stack_switcher_get_stack (switcher);
  int need_px;

  set_icons (pages, FALSE);
  let_shrink (GTK_WIDGET (switcher));
  gtk_widget_measure (GTK_WIDGET (switcher), GTK_ORIENTATION_HORIZONTAL, -1, NULL,
                      &need_px, NULL, NULL);
  if (need_px > room_px)
    set_icons (pages, TRUE);
}
