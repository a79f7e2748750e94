/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-warm.c — letters at hand before they are wanted
 *
 * Each font that is met for the first time is found, loaded and measured: a
 * millisecond, and most of what is written in the window, in twenty fonts, is first
 * seen with the first picture of a map, which would come a frame and a half later
 * for that. So after the window's first frame, while nobody waits, all its labels
 * are set once, those of pages that are not shown too, and the painters' fonts, as
 * digits and a few letters. Little at a time: a turn of the main loop does one
 * label, or as many as take less than TURN_US.
 *
 * On a large screen the letters of a lecture come after those.
 */
#include "app/tophash-window-private.h"

#include "widgets/tophash-draw.h"

#define TURN_US 1000
#define SAMPLE "0123456789 kµ… bucket"
#define SAMPLE_WIDTH 320
#define SAMPLE_HEIGHT 64
/* As style.css has them in .large-lecture. */
#define LARGE_LETTERS 1.3
#define LARGE_CAPTION (1.3 * 1.4 / 1.7)

typedef struct {
  GtkWidget   *window;
  GPtrArray   *labels; /* references; those that are left */
  TophashDraw *draw;
  guint        font;   /* the painters' next one */
  cairo_t     *cr;     /* of a picture that nobody sees */
  gboolean     is_large; /* labels are those of a lecture */
} Warming;

static void
warming_free (gpointer data) {
  Warming *self = data;

  g_ptr_array_unref (self->labels);
  tophash_draw_free (self->draw);
  cairo_destroy (self->cr);
  g_object_unref (self->window);
  g_free (self);
}

static void
collect_labels (GtkWidget *widget,
                GPtrArray *labels) {
  if (GTK_IS_LABEL (widget))
    g_ptr_array_add (labels, g_object_ref (widget));
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    collect_labels (child, labels);
}

static void
enlarge (PangoLayout *layout,
         double       scale) {
  PangoFontDescription *font
      = pango_font_description_copy (pango_context_get_font_description (
          pango_layout_get_context (layout)));

  pango_font_description_set_absolute_size (
      font, pango_font_description_get_size (font) * scale);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
}

/* Without a text of its own a label would show none of its font's letters. */
static void
warm_label (cairo_t  *cr,
            GtkLabel *label,
            double    scale) {
  g_autoptr (PangoLayout) digits
      = gtk_widget_create_pango_layout (GTK_WIDGET (label), SAMPLE);

  if (scale == 1)
    pango_layout_get_size (gtk_label_get_layout (label), NULL, NULL);
  else
    enlarge (digits, scale);
  pango_layout_set_attributes (digits, gtk_label_get_attributes (label));
  cairo_move_to (cr, 0, 0);
  pango_cairo_show_layout (cr, digits);
}

static double
get_scale (const Warming *self,
           GtkWidget     *label) {
  if (!self->is_large)
    return 1;
  return gtk_widget_has_css_class (label, "lecture-caption") ? LARGE_CAPTION
                                                             : LARGE_LETTERS;
}

static gboolean
warm_cb (gpointer data) {
  Warming *self = data;
  TophashWindow *window = TOPHASH_WINDOW (self->window);
  gint64 until_us = g_get_monotonic_time () + TURN_US;

  do {
    if (self->font < FONT_N) {
      tophash_draw_text (self->draw, self->cr, SAMPLE, (DrawFont)self->font++, 0, 0,
                         0, 0, 0);
    } else if (self->labels->len > 0) {
      g_autoptr (GtkWidget) label = g_ptr_array_steal_index_fast (
          self->labels, self->labels->len - 1);

      if (gtk_widget_get_root (label) != NULL)
        warm_label (self->cr, GTK_LABEL (label), get_scale (self, label));
    } else if (!self->is_large && tophash_window_has_large_screen (window)) {
      self->is_large = TRUE;
      collect_labels (window->stage_box, self->labels);
      collect_labels (window->timeline_card, self->labels);
    } else {
      window->is_warm = TRUE;
      return G_SOURCE_REMOVE;
    }
  } while (g_get_monotonic_time () < until_us);
  return G_SOURCE_CONTINUE;
}

void
tophash_window_warm (TophashWindow *self) {
  Warming *warming;
  cairo_surface_t *nowhere = cairo_image_surface_create (
      CAIRO_FORMAT_ARGB32, SAMPLE_WIDTH, SAMPLE_HEIGHT);

  g_signal_handlers_disconnect_by_func (self, tophash_window_warm, NULL);
  warming = g_new0 (Warming, 1);
  warming->window = g_object_ref (GTK_WIDGET (self));
  warming->labels = g_ptr_array_new_with_free_func (g_object_unref);
  collect_labels (warming->window, warming->labels);
  warming->draw
      = tophash_draw_new (gtk_widget_get_pango_context (warming->window), 1.0);
  warming->cr = cairo_create (nowhere);
  cairo_surface_destroy (nowhere);
  g_idle_add_full (G_PRIORITY_LOW, warm_cb, warming, warming_free);
}

gboolean
tophash_window_is_warm (TophashWindow *self) {
  g_return_val_if_fail (TOPHASH_IS_WINDOW (self), TRUE);

  return self->is_warm;
}
