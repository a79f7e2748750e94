/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-geometry-private.h — what the two halves of the layout share
 *
 * tophash-geometry.c places the tables, tophash-geometry-strip.c what is above
 * and below them and has items in place of slots.
 */
#pragma once

#include "widgets/tophash-geometry.h"

G_BEGIN_DECLS

#define STAGE_PADDING 16
#define STAGE_CARD_GAP 12

/* What stage_place_strips() takes above the tables, the gap included. */
double stage_strips_height (const StageLayout *self);
void   stage_place_strips  (StageLayout       *self);
/* From @y on; returns where they end. */
double stage_place_chains  (StageLayout       *self,
                            int                slot_px,
                            double             y);

G_END_DECLS
