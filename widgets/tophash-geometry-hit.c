/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-geometry-hit.c — what lies at a point, and which slot is next
 *
 * Buckets of a card are ordered by y, so a point is found by halving; where a
 * slot is drawn and which slot is drawn there are each other's inverse (L3 of
 * tophash-geometry.c). Steps go from slot to slot in reading order, up and down
 * to the nearest slot of the neighbouring line, and from card to card in the
 * order in which one reads the stage. Items of strips are stops as slots are.
 *
 * Cost        counted, not measured: the same stage always costs the same.
 */
#include "widgets/tophash-geometry.h"

#include <math.h>

/* What takes as long as a slot with letters does, about. */
#define COST_CARD 10  /* frame, head and facts */
#define COST_ITEM 2
#define SMALL_SLOTS 24
#define HEAT_CELLS 32

const StageCard *
stage_layout_find_card (const StageLayout *self,
                        StageCardKind      kind) {
  for (guint i = 0; i < self->cards->len; i++)
    if (stage_layout_card (self, i)->kind == kind)
      return stage_layout_card (self, i);
  return NULL;
}

const StageCard *
stage_layout_find_table (const StageLayout *self,
                         guint16            id,
                         guint32            created_ver,
                         gboolean           in_old) {
  for (guint i = 0; i < self->cards->len; i++) {
    const StageCard *card = stage_layout_card (self, i);

    if (card->kind != CARD_RANGE && card->table != NULL
        && card->table->id == id && card->table->created_ver == created_ver
        && !card->in_old == !in_old)
      return card;
  }
  return NULL;
}

guint
stage_card_first_below (const StageCard *card,
                        double           y) {
  guint low = 0;
  guint high = card->buckets != NULL ? card->buckets->len : 0;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (g_array_index (card->buckets, StageBucket, middle).y + card->slot_px <= y)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static guint
card_cost (const StageCard *card,
           double           top,
           double           bottom) {
  guint n;

  if (card->frame.y > bottom || card->frame.y + card->frame.height < top)
    return 0;
  n = COST_CARD + COST_ITEM * card->n_items;
  if (card->array == NULL || card->kind == CARD_RANGE)
    return n;
  if (card->buckets == NULL)
    return n + card->n_columns * card->n_rows / HEAT_CELLS;
  return n
         + (stage_card_first_below (card, bottom)
            - stage_card_first_below (card, top))
             * BUCKET_SLOTS / (card->slot_px >= STAGE_SLOT_KEY ? 1 : SMALL_SLOTS);
}

guint
stage_layout_cost (const StageLayout *self,
                   double             top,
                   double             bottom) {
  guint n = 0;

  for (guint i = 0; i < self->cards->len; i++)
    n += card_cost (stage_layout_card (self, i), top, bottom);
  return n;
}

static gboolean
hit_cell (const StageCard *card,
          double           x,
          double           y,
          StageHit        *hit) {
  guint column = (guint)((x - card->body.x) / card->cell_px);
  guint row = (guint)((y - card->body.y) / card->cell_px);
  guint bucket = (row * card->n_columns + column) * card->n_per_cell;

  if (column >= card->n_columns || bucket >= state_array_n_main (card->array))
    return FALSE;
  hit->has_slot = TRUE;
  hit->chain = hit->bucket = bucket;
  hit->slot = 0;
  return TRUE;
}

static gboolean
hit_item (const StageCard *card,
          double           x,
          double           y,
          StageHit        *hit) {
  int column = (int)floor ((x - card->body.x)
                           / (card->item_width + card->item_gap));
  int row = (int)floor ((y - card->body.y)
                        / (card->item_height + card->item_gap));
  guint item;
  StageRect rect;

  if (column < 0 || row < 0 || column >= (int)card->n_columns)
    return FALSE;
  item = (guint)row * card->n_columns + (guint)column;
  if (!stage_card_item (card, item, &rect) || !stage_rect_contains (&rect, x, y))
    return FALSE;
  hit->has_item = TRUE;
  hit->item = item;
  return TRUE;
}

static gboolean
hit_slot (const StageCard *card,
          double           x,
          double           y,
          StageHit        *hit) {
  int pitch = card->slot_px + card->gap_px;

  for (guint i = stage_card_first_below (card, y); i < card->buckets->len; i++) {
    const StageBucket *place = &g_array_index (card->buckets, StageBucket, i);
    int slot = (int)floor ((x - place->x) / pitch);

    if (place->y > y)
      return FALSE;
    if (x < place->x || slot >= place->n_shown
        || x - place->x - slot * pitch >= card->slot_px)
      continue;
    hit->has_slot = TRUE;
    hit->chain = place->chain;
    hit->bucket = place->bucket;
    hit->slot = (guint)slot;
    return TRUE;
  }
  return FALSE;
}

gboolean
stage_layout_hit (const StageLayout *self,
                  double             x,
                  double             y,
                  StageHit          *hit) {
  *hit = (StageHit) { 0 };
  for (guint i = 0; i < self->cards->len; i++) {
    const StageCard *card = stage_layout_card (self, i);

    if (!stage_rect_contains (&card->frame, x, y))
      continue;
    hit->card = card;
    if (card->n_items > 0)
      return hit_item (card, x, y, hit);
    if (card->array == NULL || !stage_rect_contains (&card->body, x, y))
      return FALSE;
    return card->buckets != NULL ? hit_slot (card, x, y, hit)
                                 : hit_cell (card, x, y, hit);
  }
  return FALSE;
}

static const StageBucket *
find_bucket (const StageCard *card,
             guint32          bucket,
             guint           *index) {
  for (guint i = 0; card->buckets != NULL && i < card->buckets->len; i++) {
    const StageBucket *place = &g_array_index (card->buckets, StageBucket, i);

    if (place->bucket == bucket) {
      if (index != NULL)
        *index = i;
      return place;
    }
  }
  return NULL;
}

gboolean
stage_card_slot (const StageCard *card,
                 guint32          bucket,
                 guint            slot,
                 StageRect       *rect) {
  const StageBucket *place;

  if (card->array == NULL)
    return FALSE;
  if (card->buckets == NULL) {
    guint cell = bucket / card->n_per_cell;

    if (bucket >= state_array_n_main (card->array))
      return FALSE;
    *rect = (StageRect) { card->body.x + cell % card->n_columns * card->cell_px,
                          card->body.y + cell / card->n_columns * card->cell_px,
                          card->cell_px, card->cell_px };
    return TRUE;
  }
  place = find_bucket (card, bucket, NULL);
  if (place == NULL || slot >= place->n_shown)
    return FALSE;
  *rect = (StageRect) { place->x + (int)slot * (card->slot_px + card->gap_px),
                        place->y, card->slot_px, card->slot_px };
  return TRUE;
}

static gboolean
take_slot (const StageCard *card,
           guint            index,
           guint            slot,
           StageHit        *to) {
  const StageBucket *place = &g_array_index (card->buckets, StageBucket, index);

  *to = (StageHit) { card, TRUE, place->chain, place->bucket,
                     MIN (slot, place->n_shown - 1u) };
  return TRUE;
}

static gboolean
is_stop (const StageCard *card) {
  return card->n_items > 0 || (card->buckets != NULL && card->buckets->len > 0);
}

/* In the order in which one reads. */
static gboolean
is_before (const StageCard *one,
           const StageCard *other) {
  return one->frame.y != other->frame.y ? one->frame.y < other->frame.y
                                        : one->frame.x < other->frame.x;
}

/* The nearest card before or after @from (NULL: the last or the first of all)
 * that has something to stop at. */
static const StageCard *
next_card (const StageLayout *self,
           const StageCard   *from,
           gboolean           is_back,
           gboolean           slots_only) {
  const StageCard *best = NULL;

  for (guint i = 0; i < self->cards->len; i++) {
    const StageCard *card = stage_layout_card (self, i);

    if (!is_stop (card) || (slots_only && card->n_items > 0)
        || (from != NULL
            && !(is_back ? is_before (card, from) : is_before (from, card))))
      continue;
    if (best == NULL
        || (is_back ? is_before (best, card) : is_before (card, best)))
      best = card;
  }
  return best;
}

static gboolean
take_item (const StageCard *card,
           guint            item,
           StageHit        *to) {
  *to = (StageHit) { .card = card, .has_item = TRUE, .item = item };
  return TRUE;
}

/* One end of a card; NULL: FALSE. */
static gboolean
take_card (const StageCard *card,
           gboolean         at_end,
           StageHit        *to) {
  if (card == NULL)
    return FALSE;
  if (card->n_items > 0)
    return take_item (card, at_end ? card->n_items - 1 : 0, to);
  return take_slot (card, at_end ? card->buckets->len - 1 : 0,
                    at_end ? BUCKET_SLOTS - 1 : 0, to);
}

/* Up and down leave the slots of a card only for a strip. */
static gboolean
take_strip (const StageCard *card,
            StageHit        *to) {
  return card != NULL && card->n_items > 0 && take_item (card, 0, to);
}

static gboolean
step_item (const StageLayout *self,
           const StageHit    *from,
           StageStep          step,
           StageHit          *to) {
  const StageCard *card = from->card;
  gboolean is_back = step == STAGE_LEFT || step == STAGE_UP;
  guint by = step == STAGE_UP || step == STAGE_DOWN ? card->n_columns : 1;

  if (is_back && from->item >= by)
    return take_item (card, from->item - by, to);
  if (!is_back && from->item + by < card->n_items)
    return take_item (card, from->item + by, to);
  return take_card (next_card (self, card, is_back, FALSE),
                    step == STAGE_LEFT, to);
}

/* The slot of the next line that stands nearest to @x. */
static gboolean
step_line (const StageCard   *card,
           const StageBucket *place,
           guint              index,
           int                x,
           int                by,
           StageHit          *to) {
  const StageBucket *best = NULL;
  guint best_index = 0;
  int pitch = card->slot_px + card->gap_px;
  int best_x = 0;

  for (int i = (int)index + by; i >= 0 && i < (int)card->buckets->len; i += by) {
    const StageBucket *other
      = &g_array_index (card->buckets, StageBucket, (guint)i);
    int near_x = CLAMP (x, other->x, other->x + (other->n_shown - 1) * pitch);

    if (other->y == place->y)
      continue;
    if (best != NULL && other->y != best->y)
      break;
    if (best == NULL || ABS (near_x - x) < ABS (best_x - x)) {
      best = other;
      best_index = (guint)i;
      best_x = near_x;
    }
  }
  return best != NULL
         && take_slot (card, best_index,
                       (guint)((best_x - best->x + pitch / 2) / pitch), to);
}

gboolean
stage_layout_step (const StageLayout *self,
                   const StageHit    *from,
                   StageStep          step,
                   StageHit          *to) {
  const StageCard *card = from->card;
  const StageBucket *place = NULL;
  guint index = 0;

  if (step == STAGE_FIRST || step == STAGE_LAST)
    return take_card (next_card (self, NULL, step == STAGE_LAST, FALSE),
                      step == STAGE_LAST, to);
  if (card != NULL && from->has_item && from->item < card->n_items)
    return step_item (self, from, step, to);
  if (card != NULL && from->has_slot)
    place = find_bucket (card, from->bucket, &index);
  if (place == NULL)
    return take_card (next_card (self, NULL, FALSE, TRUE), FALSE, to);

  switch (step) {
  case STAGE_LEFT:
    if (from->slot > 0)
      return take_slot (card, index, from->slot - 1, to);
    return index > 0
             ? take_slot (card, index - 1, BUCKET_SLOTS - 1, to)
             : take_card (next_card (self, card, TRUE, FALSE), TRUE, to);
  case STAGE_RIGHT:
    if (from->slot + 1 < place->n_shown)
      return take_slot (card, index, from->slot + 1, to);
    return index + 1 < card->buckets->len
             ? take_slot (card, index + 1, 0, to)
             : take_card (next_card (self, card, FALSE, FALSE), FALSE, to);
  case STAGE_UP:
  case STAGE_DOWN:
    return step_line (card, place, index,
                      place->x + (int)from->slot * (card->slot_px + card->gap_px),
                      step == STAGE_UP ? -1 : 1, to)
           || take_strip (next_card (self, card, step == STAGE_UP, FALSE), to);
  case STAGE_FIRST:
  case STAGE_LAST:
    break;
  }
  return FALSE;
}
