/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-notice.c — a sentence in a card that comes and goes
 *
 * One widget for the life of the window, whose words change: what is said next
 * takes the place of what was said, in the middle of coming or going too. It wraps,
 * as what cannot be read to its end need not be said. (AdwToastOverlay of libadwaita
 * 1.2 makes a widget for each toast and frees what a toast's coming still uses when
 * it is dismissed or replaced before it has come.)
 *
 * Where the window is narrow the button stands below the words: beside them it left
 * a third of the line to them.
 *
 * One that goes by itself waits while the pointer rests on it. Where the keyboard's
 * focus was in it, that goes on to what comes next.
 */
#include "app/tophash-notice.h"

#include <glib/gi18n.h>

#define MOST_CHARS 60 /* in a line */

struct _TophashNotice {
  GtkWidget parent_instance;

  /* Children */
  GtkWidget *revealer;
  GtkWidget *card;
  GtkLabel  *label;
  GtkWidget *button; /* NULL: there is nothing to be done */

  GtkEventControllerMotion *motion;

  char  *action; /* of the button; NULL: none */
  guint  seconds;
  guint  going_id;
  gboolean is_narrow;
};

G_DEFINE_FINAL_TYPE (TophashNotice, tophash_notice, GTK_TYPE_WIDGET)

static gboolean
has_focus_within (TophashNotice *self) {
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));
  GtkWidget *focus = root == NULL ? NULL : gtk_root_get_focus (root);

  return focus != NULL && gtk_widget_is_ancestor (focus, GTK_WIDGET (self));
}

void
tophash_notice_dismiss (TophashNotice *self) {
  g_return_if_fail (TOPHASH_IS_NOTICE (self));

  g_clear_handle_id (&self->going_id, g_source_remove);
  gtk_widget_set_can_target (GTK_WIDGET (self), FALSE);
  gtk_widget_set_can_focus (GTK_WIDGET (self), FALSE);
  if (has_focus_within (self))
    gtk_widget_child_focus (GTK_WIDGET (gtk_widget_get_root (GTK_WIDGET (self))),
                            GTK_DIR_TAB_FORWARD);
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->revealer), FALSE);
}

/* Not under the pointer: it may be about to press the button. */
static gboolean
going_cb (gpointer data) {
  TophashNotice *self = data;

  if (gtk_event_controller_motion_contains_pointer (self->motion)
      || has_focus_within (self))
    return G_SOURCE_CONTINUE;
  self->going_id = 0;
  tophash_notice_dismiss (self);
  return G_SOURCE_REMOVE;
}

/* It is gone: it takes no room, and nobody finds the words there any more. */
static void
revealed_cb (TophashNotice *self) {
  if (!gtk_revealer_get_child_revealed (GTK_REVEALER (self->revealer))
      && !tophash_notice_is_shown (self)) {
    gtk_label_set_text (self->label, "");
    gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
  }
}

/* Dismissed first: what is done may have something to say itself. */
static void
clicked_cb (TophashNotice *self) {
  g_autofree char *action = g_steal_pointer (&self->action);
  g_autofree char *name = NULL;
  g_autoptr (GVariant) target = NULL;

  tophash_notice_dismiss (self);
  if (action != NULL && g_action_parse_detailed_name (action, &name, &target, NULL))
    gtk_widget_activate_action_variant (GTK_WIDGET (self), name, target);
}

static void
place_button (TophashNotice *self) {
  gtk_widget_set_halign (self->button,
                         self->is_narrow ? GTK_ALIGN_START : GTK_ALIGN_FILL);
  gtk_grid_attach (GTK_GRID (self->card), self->button, self->is_narrow ? 0 : 1,
                   self->is_narrow ? 1 : 0, 1, 1);
}

void
tophash_notice_set_narrow (TophashNotice *self,
                           gboolean       is_narrow) {
  g_return_if_fail (TOPHASH_IS_NOTICE (self));

  if (self->is_narrow == is_narrow)
    return;
  self->is_narrow = is_narrow;
  if (self->button == NULL)
    return;
  g_object_ref (self->button);
  gtk_grid_remove (GTK_GRID (self->card), self->button);
  place_button (self);
  g_object_unref (self->button);
}

static void
set_button (TophashNotice *self,
            const char    *label,
            const char    *action) {
  if (self->button != NULL)
    gtk_grid_remove (GTK_GRID (self->card), self->button);
  self->button = NULL;
  g_free (self->action);
  self->action = g_strdup (action);
  if (label == NULL)
    return;
  self->button = gtk_button_new_with_label (label);
  gtk_widget_set_valign (self->button, GTK_ALIGN_CENTER);
  gtk_widget_set_focus_on_click (self->button, FALSE);
  g_signal_connect_swapped (self->button, "clicked", G_CALLBACK (clicked_cb), self);
  place_button (self);
}

void
tophash_notice_show (TophashNotice *self,
                     const char    *text,
                     const char    *label,
                     const char    *action) {
  g_return_if_fail (TOPHASH_IS_NOTICE (self));

  gtk_label_set_text (self->label, text);
  set_button (self, label, action);
  g_clear_handle_id (&self->going_id, g_source_remove);
  if (self->seconds > 0)
    self->going_id = g_timeout_add_seconds (self->seconds, going_cb, self);
  gtk_widget_set_visible (GTK_WIDGET (self), TRUE);
  gtk_widget_set_can_target (GTK_WIDGET (self), TRUE);
  gtk_widget_set_can_focus (GTK_WIDGET (self), TRUE);
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->revealer), TRUE);
}

gboolean
tophash_notice_is_shown (TophashNotice *self) {
  g_return_val_if_fail (TOPHASH_IS_NOTICE (self), FALSE);

  return gtk_revealer_get_reveal_child (GTK_REVEALER (self->revealer));
}

/* Building ------------------------------------------------------------------- */

static GtkWidget *
make_label (TophashNotice *self) {
  GtkWidget *label = gtk_label_new (NULL);

  self->label = GTK_LABEL (label);
  gtk_label_set_wrap (self->label, TRUE);
  gtk_label_set_wrap_mode (self->label, PANGO_WRAP_WORD_CHAR);
  gtk_label_set_natural_wrap_mode (self->label, GTK_NATURAL_WRAP_WORD);
  gtk_label_set_max_width_chars (self->label, MOST_CHARS);
  gtk_label_set_xalign (self->label, 0);
  gtk_widget_set_hexpand (label, TRUE);
  return label;
}

static GtkWidget *
make_close_button (TophashNotice *self) {
  GtkWidget *button = gtk_button_new_from_icon_name ("window-close-symbolic");

  gtk_widget_set_tooltip_text (button, _ ("Dismiss"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (button),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Dismiss"), -1);
  gtk_widget_add_css_class (button, "circular");
  gtk_widget_add_css_class (button, "flat");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_widget_set_focus_on_click (button, FALSE);
  g_signal_connect_swapped (button, "clicked", G_CALLBACK (tophash_notice_dismiss),
                            self);
  return button;
}

static GtkWidget *
make_card (TophashNotice *self) {
  self->card = gtk_grid_new ();
  gtk_grid_set_column_spacing (GTK_GRID (self->card), 6);
  gtk_grid_set_row_spacing (GTK_GRID (self->card), 4);
  gtk_widget_add_css_class (self->card, "notice-card");
  gtk_grid_attach (GTK_GRID (self->card), make_label (self), 0, 0, 1, 1);
  gtk_grid_attach (GTK_GRID (self->card), make_close_button (self), 2, 0, 1, 1);
  return self->card;
}

static void
tophash_notice_dispose (GObject *object) {
  TophashNotice *self = TOPHASH_NOTICE (object);

  g_clear_handle_id (&self->going_id, g_source_remove);
  if (self->revealer != NULL)
    g_signal_handlers_disconnect_by_data (self->revealer, self);
  g_clear_pointer (&self->revealer, gtk_widget_unparent);
  G_OBJECT_CLASS (tophash_notice_parent_class)->dispose (object);
}

static void
tophash_notice_finalize (GObject *object) {
  g_free (TOPHASH_NOTICE (object)->action);
  G_OBJECT_CLASS (tophash_notice_parent_class)->finalize (object);
}

static void
tophash_notice_class_init (TophashNoticeClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tophash_notice_dispose;
  G_OBJECT_CLASS (klass)->finalize = tophash_notice_finalize;
  gtk_widget_class_set_layout_manager_type (widget_class, GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_css_name (widget_class, "notice");
}

static void
tophash_notice_init (TophashNotice *self) {
  self->revealer = gtk_revealer_new ();
  gtk_revealer_set_transition_type (GTK_REVEALER (self->revealer),
                                    GTK_REVEALER_TRANSITION_TYPE_CROSSFADE);
  gtk_revealer_set_child (GTK_REVEALER (self->revealer), make_card (self));
  g_signal_connect_swapped (self->revealer, "notify::child-revealed",
                            G_CALLBACK (revealed_cb), self);
  gtk_widget_set_parent (self->revealer, GTK_WIDGET (self));
  self->motion = GTK_EVENT_CONTROLLER_MOTION (gtk_event_controller_motion_new ());
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (self->motion));
}

GtkWidget *
tophash_notice_new (guint seconds) {
  TophashNotice *self = g_object_new (
      TOPHASH_TYPE_NOTICE, "visible", FALSE, "halign", GTK_ALIGN_CENTER,
      "accessible-role",
      seconds == 0 ? GTK_ACCESSIBLE_ROLE_ALERT : GTK_ACCESSIBLE_ROLE_STATUS, NULL);

  self->seconds = seconds;
  return GTK_WIDGET (self);
}
