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
#include <math.h>

#define MAX_LOW_BITS 6
#define STATION_AIR 12 /* beside its word */
#define ENTRY_GAP 8

/* Sizes that follow the text's. */
typedef struct {
  double line;   /* of a caption */
  double bit_w, bit_h;
  double hash;   /* height of the bits with what is written to them */
  double entry;  /* height of the stations, likewise */
  double station;
} FigureSizes;

struct _TophashSlotFigure {
  GtkWidget parent_instance;

  guint64      hash;
  int          B;
  int          old_B;
  int          entry;
  TophashDraw *draw; /* owned */
};

G_DEFINE_FINAL_TYPE (TophashSlotFigure, tophash_slot_figure, GTK_TYPE_WIDGET)

static FigureSizes
measure_figure (TophashSlotFigure *self) {
  FigureSizes sizes;
  double width, height, unused;

  if (self->draw == NULL)
    self->draw = tophash_draw_new (
      gtk_widget_get_pango_context (GTK_WIDGET (self)), 1.0);
  tophash_draw_measure (self->draw, "0", FONT_MONO, &width, &height);
  tophash_draw_measure (self->draw, "x", FONT_CAPTION, &unused, &sizes.line);
  sizes.line = ceil (sizes.line);
  sizes.bit_w = MAX (13, ceil (width) + 5);
  sizes.bit_h = MAX (18, ceil (height) + 2);
  sizes.station = MAX (23, sizes.line + 7);
  sizes.hash = 2 * sizes.line + sizes.bit_h + 8;
  sizes.entry = sizes.line + sizes.station + ENTRY_GAP + 6;
  return sizes;
}

static void
paint_bit (TophashSlotFigure    *self,
           cairo_t              *cr,
           const TophashPalette *palette,
           const FigureSizes    *sizes,
           double                x,
           double                y,
           guint                 bit,
           PaletteRole           role) {
  const PaletteColor *color = &palette->colors[role];

  cairo_set_source_rgba (cr, color->red, color->green, color->blue, 0.25);
  tophash_draw_rounded (cr, x, y, sizes->bit_w - 1.5, sizes->bit_h, 3);
  cairo_fill (cr);
  tophash_palette_set_source (palette, cr, ROLE_TEXT);
  tophash_draw_text (self->draw, cr, (self->hash >> bit) & 1 ? "1" : "0",
                     FONT_MONO, x + (sizes->bit_w - 1.5) / 2, y + sizes->bit_h / 2,
                     0.5, 0.5, 0);
}

/* (transfer full) */
static char *
dup_tophash (TophashSlotFigure *self) {
  guint tophash = (guint)(self->hash >> 56);

  return g_strdup_printf (_ ("tophash %02x"), tophash < TOPHASH_MIN
                                                  ? tophash + TOPHASH_MIN
                                                  : tophash);
}

static void
paint_bits (TophashSlotFigure    *self,
            cairo_t              *cr,
            const TophashPalette *palette,
            const FigureSizes    *sizes,
            double                width) {
  double bit_w = sizes->bit_w;
  double bit_h = sizes->bit_h;
  int n_low = CLAMP (self->B, 1, MAX_LOW_BITS);
  double x = 0, y = sizes->line + 2;
  double low_x = MIN (width - n_low * bit_w, 8 * bit_w + 34);
  g_autofree char *top_text = dup_tophash (self);

  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (self->draw, cr, _ ("hash"), FONT_CAPTION, 0, 0, 0, 0, 0);
  for (guint i = 0; i < 8; i++, x += bit_w)
    paint_bit (self, cr, palette, sizes, x, y, 63 - i, ROLE_LIVE);
  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (self->draw, cr, "…", FONT_BODY,
                     (8 * bit_w + low_x) / 2, y + bit_h / 2, 0.5, 0.5, 0);
  for (int i = 0; i < n_low; i++) {
    int bit = n_low - 1 - i;
    PaletteRole role = bit >= self->B ? ROLE_QUIET : ROLE_SEEN;

    if (self->old_B >= 0 && bit == self->old_B && self->B > self->old_B)
      role = ROLE_MOVES_UP;
    paint_bit (self, cr, palette, sizes, low_x + i * bit_w, y, (guint)bit, role);
  }
  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (self->draw, cr, top_text, FONT_CAPTION, 0, y + bit_h + 4, 0,
                     0, 0);
  tophash_draw_text (self->draw, cr,
                     self->old_B >= 0 && self->B > self->old_B ? _ ("bucket, x/y")
                                                               : _ ("bucket"),
                     FONT_CAPTION, low_x + n_low * bit_w, y + bit_h + 4, 1, 0, 0);
}

static void
paint_station (TophashSlotFigure    *self,
               cairo_t              *cr,
               const TophashPalette *palette,
               const FigureSizes    *sizes,
               double                x,
               double                y,
               double                width,
               const char           *name,
               gboolean              is_here,
               PaletteRole           role) {
  double height = sizes->station;

  tophash_draw_rounded (cr, x + 0.5, y + 0.5, width - 1, height, height / 2);
  tophash_palette_set_source (palette, cr, role);
  if (is_here)
    cairo_fill_preserve (cr);
  cairo_set_line_width (cr, is_here ? 2 : 1);
  cairo_stroke (cr);
  tophash_palette_set_source (palette, cr, is_here ? ROLE_ON_LIVE : ROLE_TEXT_DIM);
  tophash_draw_text (self->draw, cr, name, FONT_CAPTION, x + width / 2,
                     y + height / 2 + 0.5, 0.5, 0.5, width - 8);
}

static const char *
entry_name (int entry) {
  return entry == 0 ? _ ("value") : entry == 1 ? _ ("nil") : _ ("expunged");
}

/* As wide as their words, and equally wider where there is room. */
static void
measure_stations (TophashSlotFigure *self,
                  const FigureSizes *sizes,
                  double             room,
                  double             stations[3]) {
  double need = 0, height;

  for (int i = 0; i < 3; i++) {
    tophash_draw_measure (self->draw, entry_name (i), FONT_CAPTION, &stations[i],
                          &height);
    stations[i] = ceil (stations[i]) + STATION_AIR;
    need += stations[i];
  }
  room = MIN (room, MAX (need, 3 * 4.6 * sizes->line));
  for (int i = 0; i < 3; i++)
    stations[i] = need > room ? floor (stations[i] * room / need)
                              : stations[i] + floor ((room - need) / 3);
}

static void
paint_entry (TophashSlotFigure    *self,
             cairo_t              *cr,
             const TophashPalette *palette,
             const FigureSizes    *sizes,
             double                width) {
  static const PaletteRole roles[] = { ROLE_LIVE, ROLE_NIL_EDGE, ROLE_EXPUNGED };
  double gap = 18, y = sizes->hash + ENTRY_GAP + sizes->line + 4;
  double middle = y + sizes->station / 2;
  double stations[3], x = 0;

  measure_stations (self, sizes, width - 2 * gap, stations);
  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (self->draw, cr, _ ("entry"), FONT_CAPTION, 0,
                     sizes->hash + ENTRY_GAP, 0, 0, 0);
  for (int i = 0; i < 3; i++) {
    double station = stations[i];

    paint_station (self, cr, palette, sizes, x, y, station, entry_name (i),
                   self->entry == i, roles[i]);
    if (i < 2) {
      tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
      cairo_set_line_width (cr, 1);
      tophash_draw_arrow (cr, x + station + 2, middle - 3, x + station + gap - 2,
                          middle - 3, 4);
      tophash_draw_arrow (cr, x + station + gap - 2, middle + 3, x + station + 2,
                          middle + 3, 4);
    }
    x += station + gap;
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
  FigureSizes sizes = measure_figure (self);
  int width = gtk_widget_get_width (widget);
  cairo_t *cr = gtk_snapshot_append_cairo (
      snapshot, &GRAPHENE_RECT_INIT (0, 0, (float)width,
                                     (float)gtk_widget_get_height (widget)));

  paint_bits (self, cr, palette, &sizes, width);
  if (self->entry >= 0)
    paint_entry (self, cr, palette, &sizes, width);
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
  FigureSizes sizes = measure_figure (self);

  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    *minimum = *natural = 200;
  else
    *minimum = *natural
        = (int)(sizes.hash + (self->entry >= 0 ? sizes.entry : 0));
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
  g_autofree char *tophash = NULL;
  g_autofree char *words = NULL;

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
  tophash = dup_tophash (self);
  words = g_strjoin (", ", tophash, entry < 0 ? NULL : entry_name (entry), NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, words, -1);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}
