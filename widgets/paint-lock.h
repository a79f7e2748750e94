/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-lock.h — a lock as a thing: who is inside, who waits */
#pragma once

#include "widgets/paint-context.h"

G_BEGIN_DECLS

/* Who a chip stands for: corners say alone, round ends say shared; solid says
 * inside, hatched says waiting. */
typedef enum {
  CHIP_ALONE,
  CHIP_SHARED,
  CHIP_WAITS_ALONE,
  CHIP_WAITS_SHARED,
  CHIP_NEXT,  /* waits alone, and nobody gets in before it */
  CHIP_VIEW,  /* looks at the map as it was */
} ChipLook;

/* From @x on, about @middle; returns its width, or 0 and paints nothing when it
 * would be wider than @max_width. @fixed_width: 0 = as its text. */
double paint_chip (cairo_t            *cr,
                   const PaintContext *context,
                   const char         *text,
                   ChipLook            look,
                   double              x,
                   double              middle,
                   double              fixed_width,
                   double              max_width);
/* A padlock, 14 pixels wide, open or shut. */
void   paint_padlock (cairo_t            *cr,
                      const PaintContext *context,
                      const StateLock    *lock,
                      double              x,
                      double              middle);
void   paint_lock    (cairo_t            *cr,
                      const PaintContext *context,
                      const StageCard    *card);

G_END_DECLS
