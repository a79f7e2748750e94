/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-along.c — a row that goes to the previous and next event of one thing
 *
 * The name of the thing, and an arrow each way. What the arrows do is the window's
 * action, which tells when there is no other event; the same keys do it.
 */
#include "widgets/tophash-along.h"

#include <glib/gi18n.h>

struct _TophashAlong {
  GtkWidget parent_instance;

  SessionAlong along;
  char        *name; /* as told last; NULL: none */

  /* Children */
  GtkWidget *label;
  GtkWidget *arrows;
};

G_DEFINE_FINAL_TYPE (TophashAlong, tophash_along, GTK_TYPE_WIDGET)

static const struct {
  const char *target;   /* of the actions */
  const char *previous; /* what its arrows do */
  const char *next;
  const char *letter;
} kinds[ALONG_N_KINDS] = {
  [ALONG_KEY] = { "key", N_ ("Previous Event of the Chosen Key"),
                  N_ ("Next Event of the Chosen Key"), "K" },
  [ALONG_BUCKET] = { "bucket", N_ ("Previous Event of the Chosen Bucket"),
                     N_ ("Next Event of the Chosen Bucket"), "B" },
  [ALONG_THREAD] = { "thread", N_ ("Previous Event of This Worker"),
                     N_ ("Next Event of This Worker"), "W" },
  [ALONG_KIND] = { "kind", N_ ("Previous Event of This Kind"),
                   N_ ("Next Event of This Kind"), "E" },
};

static void
add_arrow (TophashAlong *self,
           gboolean      forward) {
  GtkWidget *button = gtk_button_new_from_icon_name (
    forward ? "go-next-symbolic" : "go-previous-symbolic");
  const char *words
    = forward ? _ (kinds[self->along].next) : _ (kinds[self->along].previous);
  g_autofree char *tip = g_strdup_printf (forward ? "%s (%s)" : "%s (Shift+%s)",
                                          words, kinds[self->along].letter);

  gtk_actionable_set_action_name (GTK_ACTIONABLE (button),
                                  forward ? "win.next-of" : "win.previous-of");
  gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "s",
                                    kinds[self->along].target);
  gtk_widget_set_focus_on_click (button, FALSE);
  gtk_widget_add_css_class (button, "along-arrow");
  gtk_widget_set_tooltip_text (button, tip);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL, words, -1);
  gtk_box_append (GTK_BOX (self->arrows), button);
}

static void
tophash_along_dispose (GObject *object) {
  TophashAlong *self = TOPHASH_ALONG (object);

  g_clear_pointer (&self->label, gtk_widget_unparent);
  g_clear_pointer (&self->arrows, gtk_widget_unparent);
  g_clear_pointer (&self->name, g_free);
  G_OBJECT_CLASS (tophash_along_parent_class)->dispose (object);
}

static void
tophash_along_class_init (TophashAlongClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tophash_along_dispose;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BOX_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "along");
}

static void
tophash_along_init (TophashAlong *self) {
  GtkWidget *widget = GTK_WIDGET (self);

  self->label = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (self->label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (self->label), PANGO_ELLIPSIZE_END);
  gtk_widget_set_hexpand (self->label, TRUE);
  gtk_widget_add_css_class (self->label, "caption");
  gtk_widget_set_parent (self->label, widget);
  self->arrows = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  gtk_widget_add_css_class (self->arrows, "linked");
  gtk_widget_set_parent (self->arrows, widget);
  gtk_widget_set_visible (widget, FALSE);
}

GtkWidget *
tophash_along_new (SessionAlong along) {
  TophashAlong *self = g_object_new (TOPHASH_TYPE_ALONG, NULL);

  self->along = along;
  add_arrow (self, FALSE);
  add_arrow (self, TRUE);
  return GTK_WIDGET (self);
}

void
tophash_along_tell (TophashAlong   *self,
                    TophashSession *session) {
  g_autofree char *name = NULL;
  g_autofree char *text = NULL;

  g_return_if_fail (TOPHASH_IS_ALONG (self));

  if (session != NULL)
    name = tophash_session_along_name (session, self->along);
  if (g_strcmp0 (name, self->name) == 0)
    return;
  g_free (self->name);
  self->name = g_steal_pointer (&name);
  gtk_widget_set_visible (GTK_WIDGET (self), self->name != NULL);
  if (self->name == NULL)
    return;
  text = self->along == ALONG_KIND
           ? g_strdup_printf (_ ("events “%s”"), self->name)
           : g_strdup_printf (_ ("events of %s"), self->name);
  gtk_label_set_text (GTK_LABEL (self->label), text);
}
