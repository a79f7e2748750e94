/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-room-label.c — a line that says less where there is less room
 *
 * The line is drawn by the widget itself: a GtkLabel has the window laid out for each
 * new text, as it might be wider, and what changes here most is digits of one width.
 */
#include "app/tophash-room-label.h"

struct _TophashRoomLabel {
  GtkWidget parent_instance;

  /* Owned */
  char       **wordings;
  PangoLayout *layout; /* NULL: letters have changed; holds any of the wordings */

  int natural; /* px; of the first wording; -1: to be measured */
};

G_DEFINE_FINAL_TYPE (TophashRoomLabel, tophash_room_label, GTK_TYPE_WIDGET)

/* (transfer none) */
static PangoLayout *
get_layout (TophashRoomLabel *self) {
  if (self->layout == NULL) {
    g_autoptr (PangoAttrList) attributes = pango_attr_list_new ();

    pango_attr_list_insert (attributes, pango_attr_font_features_new ("tnum=1"));
    self->layout = gtk_widget_create_pango_layout (GTK_WIDGET (self), NULL);
    pango_layout_set_attributes (self->layout, attributes);
    pango_layout_set_single_paragraph_mode (self->layout, TRUE);
    pango_layout_set_ellipsize (self->layout, PANGO_ELLIPSIZE_END);
  }
  return self->layout;
}

static int
measure_text (TophashRoomLabel *self,
              const char       *text) {
  PangoLayout *layout = get_layout (self);
  int width;

  pango_layout_set_width (layout, -1);
  pango_layout_set_text (layout, text, -1);
  pango_layout_get_pixel_size (layout, &width, NULL);
  return width;
}

static int
get_natural (TophashRoomLabel *self) {
  if (self->natural < 0)
    self->natural
        = self->wordings == NULL ? 0 : measure_text (self, self->wordings[0]);
  return self->natural;
}

/* The layout holds it then. (transfer none); NULL: there are no words. */
static const char *
choose_wording (TophashRoomLabel *self) {
  int width = gtk_widget_get_width (GTK_WIDGET (self));

  if (self->wordings == NULL)
    return NULL;
  for (char **wording = self->wordings;; wording++)
    if (measure_text (self, *wording) <= width || wording[1] == NULL) {
      pango_layout_set_width (self->layout, width * PANGO_SCALE);
      return *wording;
    }
}

static void
tophash_room_label_measure (GtkWidget      *widget,
                            GtkOrientation  orientation,
                            int             for_size,
                            int            *minimum,
                            int            *natural,
                            int            *minimum_baseline,
                            int            *natural_baseline) {
  TophashRoomLabel *self = TOPHASH_ROOM_LABEL (widget);

  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *natural = get_natural (self);
    *minimum = MIN (measure_text (self, "…"), *natural);
  } else {
    pango_layout_get_pixel_size (get_layout (self), NULL, minimum);
    *natural = *minimum;
  }
}

static void
tophash_room_label_snapshot (GtkWidget   *widget,
                             GtkSnapshot *snapshot) {
  TophashRoomLabel *self = TOPHASH_ROOM_LABEL (widget);
  gboolean is_mirrored = gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL;
  GdkRGBA colour;
  int width, height;

  if (choose_wording (self) == NULL)
    return;
  pango_layout_get_pixel_size (self->layout, &width, &height);
  gtk_style_context_get_color (gtk_widget_get_style_context (widget), &colour);
  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (
      snapshot,
      &GRAPHENE_POINT_INIT (is_mirrored ? gtk_widget_get_width (widget) - width : 0,
                            (gtk_widget_get_height (widget) - height) / 2));
  gtk_snapshot_append_layout (snapshot, self->layout, &colour);
  gtk_snapshot_restore (snapshot);
}

static void
forget_letters (TophashRoomLabel *self) {
  g_clear_object (&self->layout);
  self->natural = -1;
  gtk_widget_queue_resize (GTK_WIDGET (self));
}

static void
tophash_room_label_css_changed (GtkWidget         *widget,
                                GtkCssStyleChange *change) {
  GTK_WIDGET_CLASS (tophash_room_label_parent_class)->css_changed (widget, change);
  forget_letters (TOPHASH_ROOM_LABEL (widget));
}

static void
tophash_room_label_system_setting_changed (GtkWidget        *widget,
                                           GtkSystemSetting  setting) {
  GTK_WIDGET_CLASS (tophash_room_label_parent_class)
      ->system_setting_changed (widget, setting);
  forget_letters (TOPHASH_ROOM_LABEL (widget));
}

static void
tophash_room_label_finalize (GObject *object) {
  TophashRoomLabel *self = TOPHASH_ROOM_LABEL (object);

  g_clear_object (&self->layout);
  g_strfreev (self->wordings);
  G_OBJECT_CLASS (tophash_room_label_parent_class)->finalize (object);
}

static void
tophash_room_label_class_init (TophashRoomLabelClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = tophash_room_label_finalize;
  widget_class->measure = tophash_room_label_measure;
  widget_class->snapshot = tophash_room_label_snapshot;
  widget_class->css_changed = tophash_room_label_css_changed;
  widget_class->system_setting_changed = tophash_room_label_system_setting_changed;
  gtk_widget_class_set_css_name (widget_class, "label");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_LABEL);
}

static void
tophash_room_label_init (TophashRoomLabel *self) {
  self->natural = -1;
}

void
tophash_room_label_set_wordings (TophashRoomLabel  *self,
                                 const char *const *wordings) {
  int natural;

  g_return_if_fail (TOPHASH_IS_ROOM_LABEL (self));
  g_return_if_fail (wordings != NULL && wordings[0] != NULL);

  if (self->wordings != NULL
      && g_strv_equal ((const char *const *)self->wordings, wordings))
    return;
  natural = self->natural;
  g_strfreev (self->wordings);
  self->wordings = g_strdupv ((char **)wordings);
  self->natural = -1;
  if (get_natural (self) != natural)
    gtk_widget_queue_resize (GTK_WIDGET (self));
  gtk_widget_queue_draw (GTK_WIDGET (self));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL, wordings[0], -1);
}

const char *
tophash_room_label_get_shown (TophashRoomLabel *self) {
  g_return_val_if_fail (TOPHASH_IS_ROOM_LABEL (self), NULL);

  return choose_wording (self);
}

gboolean
tophash_room_label_is_cut (TophashRoomLabel *self) {
  g_return_val_if_fail (TOPHASH_IS_ROOM_LABEL (self), FALSE);

  return choose_wording (self) != NULL
         && pango_layout_is_ellipsized (self->layout);
}
