/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-bars.h — a few counts side by side
 *
 * Heights follow the square root of the counts, so that one of a kind is seen
 * beside a million; the words beside a chart say the numbers.
 */
#pragma once

#include "widgets/tophash-draw.h"

G_BEGIN_DECLS

#define BARS_MAX 48u

typedef struct {
  guint   n;
  guint64 values[BARS_MAX];
  char   *labels[BARS_MAX]; /* under a bar; NULL: none. Owned */
  double  ticks[2];         /* marked places, in bars from the left; < 0: none */
} Bars;

void   bars_clear  (Bars *bars);

/* Into @width × @height; too many labels give way. */
void   paint_bars  (cairo_t              *cr,
                    const Bars           *bars,
                    const TophashPalette *palette,
                    TophashDraw          *draw,
                    double                width,
                    double                height);

G_END_DECLS
