/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-geometry-private.h — what the parts of the layout share
 *
 * tophash-geometry.c places the tables, tophash-geometry-buckets.c the buckets in
 * them, tophash-geometry-strip.c what is above and below them and has items in place
 * of slots.
 */
#pragma once

#include "widgets/tophash-geometry.h"

G_BEGIN_DECLS

#define STAGE_PADDING 16
#define STAGE_CARD_GAP 12
/* Before an overflow bucket, where slots have room for words. */
#define STAGE_ARROW_ROOM 28

/* Between two slots. */
static inline int
stage_gap (int slot_px) {
  return slot_px >= STAGE_SLOT_KEY ? 4 : slot_px > STAGE_SLOT_DENSE ? 2 : 1;
}

static inline int
stage_slots_width (int slot_px,
                   int n) {
  return n * slot_px + (n - 1) * stage_gap (slot_px);
}

/* Slots up to the last one in use; one at least. */
static inline guint
stage_last_used (const StateBucket *bucket) {
  guint n = BUCKET_SLOTS;

  while (n > 1
         && (bucket->tophash[n - 1] == TOPHASH_EMPTY_REST
             || bucket->tophash[n - 1] == TOPHASH_EVACUATED_EMPTY))
    n--;
  return n;
}

/* In card->body, whose height it tells. */
void   stage_place_buckets (const StageLayout *self,
                            StageCard         *card);

/* What stage_place_strips() takes above the tables, the gap included. */
double stage_strips_height (const StageLayout *self);
void   stage_place_strips  (StageLayout       *self);
/* From @y on; returns where they end. */
double stage_place_chains  (StageLayout       *self,
                            int                slot_px,
                            double             y);

G_END_DECLS
