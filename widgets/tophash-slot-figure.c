/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-slot-figure.c — a slot's hash bits and its entry's states
 *
 * Bits        Only the bits that decide something are drawn: the top byte, which
 *             is the tophash, and the low B, which pick the bucket. While a
 *             table doubles the highest of those is the one that sends a key up
 *             or lets it stay.
 * Entry       value, nil, expunged as three stations in the order in which an
 *             entry can pass them; the present one is filled.
 */
#include "widgets/tophash-slot-figure.h"

#include "widgets/tophash-draw.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#define BIT_W 13.0
#define BIT_H 18.0
#define MAX_LOW_BITS 6
#define HASH_HEIGHT 58.0
#define ENTRY_HEIGHT 56.0

struct _TophashSlotFigure {
  GtkWidget parent_instance;

  guint64      hash;
  int          B;
  int          old_B;
  int          entry;
  TophashDraw *draw; /* owned */
};

G_DEFINE_FINAL_TYPE (TophashSlotFigure, tophash_slot_figure, GTK_TYPE_WIDGET)

static void
paint_bit (TophashSlotFigure    *self,
           cairo_t              *cr,
           const TophashPalette *palette,
           double                x,
           double                y,
           guint                 bit,
           PaletteRole           role) {
  const PaletteColor *color = &palette->colors[role];

  cairo_set_source_rgba (cr, color->red, color->green, color->blue, 0.25);
  tophash_draw_rounded (cr, x, y, BIT_W - 1.5, BIT_H, 3);
  cairo_fill (cr);
  tophash_palette_set_source (palette, cr, ROLE_TEXT);
  tophash_draw_text (self->draw, cr, (self->hash >> bit) & 1 ? "1" : "0",
                     FONT_MONO, x + (BIT_W - 1.5) / 2, y + BIT_H / 2, 0.5, 0.5, 0);
}

static void
paint_bits (TophashSlotFigure    *self,
            cairo_t              *cr,
            const TophashPalette *palette,
            double                width) {
  int n_low = CLAMP (self->B, 1, MAX_LOW_BITS);
  double x = 0, y = 18;
  double low_x = MIN (width - n_low * BIT_W, 8 * BIT_W + 34);
  guint tophash = (guint)(self->hash >> 56);
  g_autofree char *top_text = NULL;

  if (tophash < TOPHASH_MIN)
    tophash += TOPHASH_MIN;
  top_text = g_strdup_printf (_ ("tophash %02x"), tophash);

  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (self->draw, cr, _ ("hash"), FONT_CAPTION, 0, 0, 0, 0, 0);
  for (guint i = 0; i < 8; i++, x += BIT_W)
    paint_bit (self, cr, palette, x, y, 63 - i, ROLE_LIVE);
  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (self->draw, cr, "…", FONT_BODY,
                     (8 * BIT_W + low_x) / 2, y + BIT_H / 2, 0.5, 0.5, 0);
  for (int i = 0; i < n_low; i++) {
    int bit = n_low - 1 - i;
    PaletteRole role = bit >= self->B ? ROLE_QUIET : ROLE_SEEN;

    if (self->old_B >= 0 && bit == self->old_B && self->B > self->old_B)
      role = ROLE_MOVES_UP;
    paint_bit (self, cr, palette, low_x + i * BIT_W, y, (guint)bit, role);
  }
  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (self->draw, cr, top_text, FONT_CAPTION, 0, y + BIT_H + 4, 0,
                     0, 0);
  tophash_draw_text (self->draw, cr,
                     self->old_B >= 0 && self->B > self->old_B ? _ ("bucket, x/y")
                                                               : _ ("bucket"),
                     FONT_CAPTION, low_x + n_low * BIT_W, y + BIT_H + 4, 1, 0, 0);
}

static void
paint_station (TophashSlotFigure    *self,
               cairo_t              *cr,
               const TophashPalette *palette,
               double                x,
               double                y,
               double                width,
               const char           *name,
               gboolean              is_here,
               PaletteRole           role) {
  tophash_draw_rounded (cr, x + 0.5, y + 0.5, width - 1, 23, 12);
  tophash_palette_set_source (palette, cr, role);
  if (is_here)
    cairo_fill_preserve (cr);
  cairo_set_line_width (cr, is_here ? 2 : 1);
  cairo_stroke (cr);
  tophash_palette_set_source (palette, cr, is_here ? ROLE_ON_LIVE : ROLE_TEXT_DIM);
  tophash_draw_text (self->draw, cr, name, FONT_CAPTION, x + width / 2, y + 12, 0.5,
                     0.5, width - 8);
}

static void
paint_entry (TophashSlotFigure    *self,
             cairo_t              *cr,
             const TophashPalette *palette,
             double                width) {
  const char *names[] = { _ ("value"), _ ("nil"), _ ("expunged") };
  static const PaletteRole roles[] = { ROLE_LIVE, ROLE_NIL_EDGE, ROLE_EXPUNGED };
  double gap = 18, y = HASH_HEIGHT + 20;
  double station = MIN (72, (width - 2 * gap) / 3);

  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (self->draw, cr, _ ("entry"), FONT_CAPTION, 0,
                     HASH_HEIGHT + 2, 0, 0, 0);
  for (int i = 0; i < 3; i++) {
    double x = i * (station + gap);

    paint_station (self, cr, palette, x, y, station, names[i], self->entry == i,
                   roles[i]);
    if (i < 2) {
      tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
      cairo_set_line_width (cr, 1);
      tophash_draw_arrow (cr, x + station + 2, y + 9, x + station + gap - 2, y + 9,
                          4);
      tophash_draw_arrow (cr, x + station + gap - 2, y + 15, x + station + 2,
                          y + 15, 4);
    }
  }
}

static void
tophash_slot_figure_snapshot (GtkWidget   *widget,
                              GtkSnapshot *snapshot) {
  TophashSlotFigure *self = TOPHASH_SLOT_FIGURE (widget);
  AdwStyleManager *manager = adw_style_manager_get_default ();
  const TophashPalette *palette
      = tophash_palette_get (adw_style_manager_get_dark (manager),
                             adw_style_manager_get_high_contrast (manager));
  int width = gtk_widget_get_width (widget);
  cairo_t *cr = gtk_snapshot_append_cairo (
      snapshot, &GRAPHENE_RECT_INIT (0, 0, (float)width,
                                     (float)gtk_widget_get_height (widget)));

  if (self->draw == NULL)
    self->draw = tophash_draw_new (gtk_widget_get_pango_context (widget), 1.0);
  paint_bits (self, cr, palette, width);
  if (self->entry >= 0)
    paint_entry (self, cr, palette, width);
  cairo_destroy (cr);
}

static void
tophash_slot_figure_measure (GtkWidget      *widget,
                             GtkOrientation  orientation,
                             int             for_size,
                             int            *minimum,
                             int            *natural,
                             int            *minimum_baseline,
                             int            *natural_baseline) {
  TophashSlotFigure *self = TOPHASH_SLOT_FIGURE (widget);

  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    *minimum = *natural = 200;
  else
    *minimum = *natural
        = (int)(HASH_HEIGHT + (self->entry >= 0 ? ENTRY_HEIGHT : 0));
}

static void
tophash_slot_figure_dispose (GObject *object) {
  TophashSlotFigure *self = TOPHASH_SLOT_FIGURE (object);

  g_clear_pointer (&self->draw, tophash_draw_free);
  G_OBJECT_CLASS (tophash_slot_figure_parent_class)->dispose (object);
}

static void
tophash_slot_figure_class_init (TophashSlotFigureClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tophash_slot_figure_dispose;
  widget_class->snapshot = tophash_slot_figure_snapshot;
  widget_class->measure = tophash_slot_figure_measure;
  gtk_widget_class_set_css_name (widget_class, "slotfigure");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
tophash_slot_figure_init (TophashSlotFigure *self) {
  self->entry = -1;
  self->old_B = -1;
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Hash bits and entry state"), -1);
}

void
tophash_slot_figure_set (TophashSlotFigure *self,
                         guint64            hash,
                         int                B,
                         int                old_B,
                         int                entry) {
  g_return_if_fail (TOPHASH_IS_SLOT_FIGURE (self));

  if (self->hash == hash && self->B == B && self->old_B == old_B
      && self->entry == entry)
    return;
  if ((self->entry >= 0) != (entry >= 0))
    gtk_widget_queue_resize (GTK_WIDGET (self));
  self->hash = hash;
  self->B = B;
  self->old_B = old_B;
  self->entry = entry;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}
