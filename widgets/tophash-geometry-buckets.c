/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-geometry-buckets.c — the buckets of a card, row by row
 *
 * A large map has 100,000 of them and more, and is laid out anew after each jump, on
 * the main thread. Of most rows no chain has overflow: their places are told by
 * counting, and no bucket is looked at.
 */
#include "widgets/tophash-geometry-private.h"

#define MAX_LANES 64

static int
row_gap_for (int slot_px) {
  return slot_px >= STAGE_SLOT_KEY ? 8 : slot_px > STAGE_SLOT_DENSE ? 6 : 4;
}

static int
lane_gap_for (int slot_px) {
  return slot_px >= STAGE_SLOT_MIDDLE ? 20 : 12;
}

static int
arrow_room (int slot_px) {
  return slot_px >= STAGE_SLOT_KEY ? STAGE_ARROW_ROOM : slot_px + 4;
}

/* Each chain's overflow bucket, 0 where it has none: those buckets need no look. */
static guint32 *
find_overflow (const StateArray *array) {
  guint n_main = state_array_n_main (array);
  guint n_buckets = state_array_n_buckets (array);
  guint32 *overflow = g_new0 (guint32, n_main);

  for (guint i = n_main; i < n_buckets; i++) {
    guint32 chain = state_array_previous (array, i);

    if (chain < n_main)
      overflow[chain] = i;
  }
  return overflow;
}

/* Asks for what place_chain() looks at in @n chains: lines of the cache that nobody
 * had for long. */
static void
fetch_row (const StateArray *array,
           const guint32    *overflow,
           guint32           chain,
           guint             n) {
  for (guint i = 0; i < n; i++) {
    const StateBucket *bucket;

    if (overflow[chain + i] == 0)
      continue;
    __builtin_prefetch (&state_array_bucket (array, chain + i)->overflow);
    bucket = state_array_bucket (array, overflow[chain + i]);
    __builtin_prefetch (bucket->tophash);
    __builtin_prefetch (&bucket->overflow);
  }
}

/* Where the chains of a row begin. */
typedef struct {
  guint n;
  int   left; /* of the first one's first slot */
  int   step; /* from lane to lane */
  int   room; /* for slots in each */

  GArray *below; /* Owned: of StageBucket, what stands below the row's first line */
} Lanes;

/* How many chains from @chain on, of @n, have no overflow. */
static guint
count_plain (const guint32 *overflow,
             guint32        chain,
             guint          n) {
  guint i = 0;

  while (i < n && overflow[chain + i] == 0)
    i++;
  return i;
}

/* @n chains of one bucket each, the first in lane @lane. */
static void
place_plain (StageCard   *card,
             const Lanes *lanes,
             guint        lane,
             guint32      chain,
             guint        n,
             int          top) {
  guint at = card->buckets->len;
  StageBucket *places;

  g_array_set_size (card->buckets, at + n);
  places = &g_array_index (card->buckets, StageBucket, at);
  for (guint i = 0; i < n; i++)
    places[i] = (StageBucket){ .bucket = chain + i,
                               .chain = chain + i,
                               .x = lanes->left + (int)(lane + i) * lanes->step,
                               .y = top,
                               .n_shown = BUCKET_SLOTS,
                               .is_indexed = TRUE };
}

/* One chain, the first line of it at @left, @top; returns how many lines it took. */
static int
place_chain (StageCard   *card,
             const Lanes *lanes,
             guint32      chain,
             int          left,
             int          top) {
  int pitch = card->slot_px + row_gap_for (card->slot_px);
  int x = left;
  int n_lines = 1;
  guint n_buckets = state_array_n_buckets (card->array);
  guint32 index = chain;

  for (guint n = 0; n < n_buckets; n++) {
    const StateBucket *bucket = state_array_bucket (card->array, index);
    StageBucket place = { .bucket = index, .chain = chain };

    place.is_indexed = n == 0;
    place.n_shown = n == 0 ? BUCKET_SLOTS : stage_last_used (bucket);
    if (n > 0) {
      x += arrow_room (card->slot_px);
      if (x + stage_slots_width (card->slot_px, place.n_shown)
          > left + lanes->room) {
        place.is_wrapped = TRUE;
        x = left;
        n_lines++;
      }
    }
    place.x = x;
    place.y = top + (n_lines - 1) * pitch;
    g_array_append_val (n_lines == 1 ? card->buckets : lanes->below, place);
    x += stage_slots_width (card->slot_px, place.n_shown);
    if (bucket == NULL || bucket->overflow == 0 || bucket->overflow >= n_buckets)
      break;
    index = bucket->overflow;
  }
  return n_lines;
}

static int
compare_places (gconstpointer one,
                gconstpointer other) {
  const StageBucket *a = one;
  const StageBucket *b = other;

  return a->y != b->y ? (a->y < b->y ? -1 : 1) : (a->x > b->x) - (a->x < b->x);
}

/* After the first line, whose places were told from left to right, line by line. */
static void
add_below (StageCard   *card,
           const Lanes *lanes) {
  if (lanes->n > 1)
    g_array_sort (lanes->below, compare_places);
  g_array_append_vals (card->buckets, lanes->below->data, lanes->below->len);
  g_array_set_size (lanes->below, 0);
}

/* The @n chains from @chain on; returns how many lines they took. */
static int
place_row (StageCard     *card,
           const Lanes   *lanes,
           const guint32 *overflow,
           guint32        chain,
           guint          n,
           int            top) {
  int n_lines = 1;

  for (guint i = 0; i < n; i++) {
    guint n_plain = count_plain (overflow, chain + i, n - i);

    place_plain (card, lanes, i, chain + i, n_plain, top);
    i += n_plain;
    if (i < n) {
      int left = lanes->left + (int)i * lanes->step;
      int n_own = place_chain (card, lanes, chain + i, left, top);

      n_lines = MAX (n_lines, n_own);
    }
  }
  if (lanes->below->len > 0)
    add_below (card, lanes);
  return n_lines;
}

void
stage_place_buckets (const StageLayout *self,
                     StageCard         *card) {
  guint n_main = state_array_n_main (card->array);
  int width = (int)card->body.width;
  int lane = card->index_px + stage_slots_width (card->slot_px, BUCKET_SLOTS);
  int pitch = card->slot_px + row_gap_for (card->slot_px);
  int lane_gap = lane_gap_for (card->slot_px);
  int n_lanes = (width + lane_gap) / (lane + lane_gap);
  int y = (int)card->body.y;
  g_autofree guint32 *overflow = find_overflow (card->array);
  Lanes lanes;

  /* Few and near: lanes only for want of height, and where each has room for
   * some overflow too. */
  if (card->slot_px >= STAGE_SLOT_KEY && n_main < 16)
    n_lanes = n_main < 4 || y + (int)n_main * pitch + STAGE_PADDING
                              <= self->options.fit_height
                ? 1
              : (width + lane_gap)
                  / (lane + STAGE_ARROW_ROOM + stage_slots_width (card->slot_px, 4)
                     + lane_gap);
  n_lanes = CLAMP (n_lanes, 1, MAX_LANES);
  if (n_lanes > 1) {
    /* Powers of two: growth keeps the columns. */
    while (card->slot_px >= STAGE_SLOT_MIDDLE && (n_lanes & (n_lanes - 1)))
      n_lanes &= n_lanes - 1;
    lane = (width - (n_lanes - 1) * lane_gap) / n_lanes;
  } else {
    lane = width;
  }
  card->buckets = g_array_sized_new (FALSE, FALSE, sizeof (StageBucket),
                                     state_array_n_buckets (card->array));

  lanes = (Lanes){ (guint)n_lanes, (int)card->body.x + card->index_px,
                   lane + lane_gap, lane - card->index_px,
                   g_array_new (FALSE, FALSE, sizeof (StageBucket)) };
  for (guint chain = 0; chain < n_main; chain += lanes.n) {
    guint n = MIN (lanes.n, n_main - chain);

    fetch_row (card->array, overflow, chain + n, MIN (lanes.n, n_main - chain - n));
    y += pitch * place_row (card, &lanes, overflow, chain, n, y);
  }
  g_array_unref (lanes.below);
  card->body.height = MAX (0, y - row_gap_for (card->slot_px) - card->body.y);
}
