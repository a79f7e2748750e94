/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-bars.c — a few counts side by side */
#include "widgets/paint-bars.h"

#include <math.h>
#include <string.h>

#define LABEL_GAP 6.0

void
bars_clear (Bars *bars) {
  for (guint i = 0; i < G_N_ELEMENTS (bars->labels); i++)
    g_free (bars->labels[i]);
  memset (bars, 0, sizeof *bars);
  bars->ticks[0] = bars->ticks[1] = -1;
}

static void
paint_labels (cairo_t              *cr,
              const Bars           *bars,
              const TophashPalette *palette,
              TophashDraw          *draw,
              double                step,
              double                width,
              double                y) {
  double free_from = -LABEL_GAP;

  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  for (guint i = 0; i < bars->n; i++) {
    double middle = (i + 0.5) * step;
    double label_width, height, x;

    if (bars->labels[i] == NULL)
      continue;
    tophash_draw_measure (draw, bars->labels[i], FONT_CAPTION, &label_width,
                          &height);
    x = CLAMP (middle - label_width / 2, 0, MAX (0, width - label_width));
    if (x < free_from + LABEL_GAP)
      continue;
    tophash_draw_text (draw, cr, bars->labels[i], FONT_CAPTION, x, y, 0, 0, 0);
    free_from = x + label_width;
  }
}

void
paint_bars (cairo_t              *cr,
            const Bars           *bars,
            const TophashPalette *palette,
            TophashDraw          *draw,
            double                width,
            double                height) {
  double step = bars->n > 0 ? width / bars->n : width;
  double label_width, label_height, foot;
  guint64 most = 1;

  tophash_draw_measure (draw, "0", FONT_CAPTION, &label_width, &label_height);
  foot = floor (height - label_height - 3) + 0.5;
  for (guint i = 0; i < bars->n; i++)
    most = MAX (most, bars->values[i]);

  tophash_palette_set_source (palette, cr, ROLE_LIVE);
  for (guint i = 0; i < bars->n; i++) {
    double tall = bars->values[i] == 0
                      ? 0
                      : MAX (1.5, (foot - 1) * sqrt ((double)bars->values[i]
                                                     / (double)most));

    if (tall > 0)
      cairo_rectangle (cr, i * step + 1, foot - tall, MAX (1, step - 2), tall);
  }
  cairo_fill (cr);

  tophash_palette_set_source (palette, cr, ROLE_CARD_EDGE);
  cairo_set_line_width (cr, 1);
  cairo_move_to (cr, 0, foot);
  cairo_line_to (cr, width, foot);
  cairo_stroke (cr);
  tophash_palette_set_source (palette, cr, ROLE_CURSOR);
  cairo_set_dash (cr, (const double[]){ 2, 2 }, 2, 0);
  for (guint i = 0; i < G_N_ELEMENTS (bars->ticks); i++)
    if (bars->ticks[i] >= 0) {
      cairo_move_to (cr, floor (bars->ticks[i] * step) + 0.5, 0);
      cairo_line_to (cr, floor (bars->ticks[i] * step) + 0.5, foot);
    }
  cairo_stroke (cr);
  cairo_set_dash (cr, NULL, 0, 0);
  paint_labels (cr, bars, palette, draw, step, width, foot + 3);
}
