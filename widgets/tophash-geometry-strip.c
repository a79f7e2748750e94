/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-geometry-strip.c — locks, views, shards at a glance, chains
 *
 * Strips are cards whose parts are items: a lock, an open view, a shard, an
 * entry with a past. They are there whenever the map has such a thing at all, in
 * use or not, and as high as they always are: at full speed locks and views come
 * and go between two frames, and the tables below must not jump.
 *
 *     [ every shard ...................... ]     a map of shards
 *     [ lock of one shard ................ ]
 *
 *     [ lock ............ ][ views ....... ]     every other map
 *
 * Lock        of a map of shards: the selected one's; else the one that most
 *             wait for now.
 * Chains      come and go with the views, so they make no slot smaller. They are
 *             below the tables, while slots are near: entries with more than one
 *             version, at most CHAINS_MOST of them, the selected one first and
 *             there even with one.
 */
#include "widgets/tophash-geometry-private.h"

#include <math.h>

#define STRIP_COMPACT 42
#define STRIP_ROOMY_FROM 520 /* height of a stage */
#define BESIDE_FROM 640      /* width of a stage */
#define LOCK_SHARE 0.66
#define LOCK_SHARE_VIEWS 0.52 /* where views are what it is about */
#define SHARDS_HEAD 44
#define SHARDS_BAR_HEIGHT 62
#define SHARDS_BAR_MOST 96
#define SHARDS_CELLS_HEIGHT 132
#define SHARDS_CELL_MOST 16
#define SHARDS_CELL_LEAST 5
#define CHAINS_HEAD 44
#define CHAIN_HEIGHT 48
#define CHAINS_MOST 6u
#define CHAINS_SCAN_MOST 512u /* buckets: what a near view may show */

static gboolean
has_views (const MapState *state) {
  return map_state_clock (state) > 0
         || map_state_counters (state)->n_snapshots > 0;
}

static int
strip_height (const StageLayout *self) {
  return self->options.fit_height > 0
             && self->options.fit_height < STRIP_ROOMY_FROM
           ? STRIP_COMPACT : STAGE_STRIP_ROOMY;
}

/* As many bars as have room, else rows of cells. */
static void
measure_shards (const StageLayout *self,
                StageCard         *card) {
  int width = (int)self->width - 2 * STAGE_PADDING;
  int n = (int)map_state_n_shards (self->state);

  card->n_items = (guint)n;
  if (width / n >= STAGE_SHARD_BARS) {
    int pitch = MIN (width / n, SHARDS_BAR_MOST);

    card->item_gap = pitch > STAGE_SHARD_BARS + 2 ? 3 : 1;
    card->item_width = pitch - card->item_gap;
    card->item_height = SHARDS_BAR_HEIGHT;
    card->n_columns = (guint)n;
    card->n_rows = 1;
    return;
  }
  card->item_gap = 1;
  for (int pitch = SHARDS_CELL_MOST; ; pitch--) {
    card->n_columns = (guint)MAX (1, width / pitch);
    card->n_rows = ((guint)n + card->n_columns - 1) / card->n_columns;
    card->item_width = card->item_height = pitch - 1;
    if (pitch <= SHARDS_CELL_LEAST
        || (int)card->n_rows * pitch <= SHARDS_CELLS_HEIGHT)
      return;
  }
}

static double
shards_height (const StageLayout *self) {
  StageCard card = { CARD_SHARDS };

  measure_shards (self, &card);
  return SHARDS_HEAD + card.n_rows * (card.item_height + card.item_gap)
         + STAGE_PADDING;
}

static gboolean
is_beside (const StageLayout *self) {
  return self->width >= BESIDE_FROM;
}

/* Shards have locks before the first of them is taken. */
static gboolean
has_lock_strip (const StageLayout *self) {
  return self->kind == STAGE_SHARDS || map_state_n_locks (self->state) > 0;
}

double
stage_strips_height (const StageLayout *self) {
  double height = strip_height (self) + STAGE_CARD_GAP;
  gboolean has_lock = has_lock_strip (self);
  double sum = 0;

  if (self->kind == STAGE_SHARDS)
    sum += shards_height (self) + STAGE_CARD_GAP;
  if (has_lock)
    sum += height;
  if (has_views (self->state) && (!has_lock || !is_beside (self)))
    sum += height;
  return sum;
}

/* The lock that is worth a look, by place; -1: none is. */
static int
choose_lock (const StageLayout *self) {
  guint n = map_state_n_locks (self->state);
  int chosen = -1;
  guint most = 0;

  if (self->kind != STAGE_SHARDS)
    return n > 0 ? 0 : -1;
  for (guint i = 0; i < n; i++) {
    const StateLock *lock = map_state_lock (self->state, i);

    if (self->options.shard > 0 && lock->id == self->options.shard - 1)
      return (int)i;
    if (lock->n_queue > most) {
      most = lock->n_queue;
      chosen = (int)i;
    }
  }
  return self->options.shard > 0 ? -1 : chosen;
}

static void
add_strip (StageLayout *self,
           StageCard    card,
           double       x,
           double       y,
           double       width,
           double       head,
           double       height) {
  card.frame = (StageRect) { x, y, width, height };
  card.body = (StageRect) { x + STAGE_PADDING, y + head,
                            width - 2 * STAGE_PADDING, height - head };
  g_array_append_val (self->cards, card);
}

static void
add_lock (StageLayout *self,
          double       y,
          double       width) {
  StageCard card = { CARD_LOCK };
  int height = strip_height (self);

  card.lock = choose_lock (self);
  card.n_items = card.n_columns = card.n_rows = 1;
  card.item_width = (int)width - 2 * STAGE_PADDING;
  card.item_height = height;
  add_strip (self, card, 0, y, width, 0, height);
}

/* Chips of one width; those beyond the card's are left to a number. */
static void
add_views (StageLayout *self,
           double       x,
           double       y,
           double       width) {
  StageCard card = { CARD_VIEWS };
  int height = strip_height (self);
  int head = stage_views_head (self);
  int room = (int)width - 2 * STAGE_PADDING - head - STAGE_VIEWS_MORE;

  card.item_gap = 6;
  card.item_width = STAGE_VIEW_CHIP;
  card.item_height = 24;
  card.n_columns = (guint)MAX (1, (room + card.item_gap)
                                    / (card.item_width + card.item_gap));
  card.n_rows = 1;
  card.n_items = MIN (map_state_n_snapshots (self->state), card.n_columns);
  add_strip (self, card, x, y, width,
             height < STAGE_STRIP_ROOMY ? (height - 24) / 2 : 8, height);
  g_array_index (self->cards, StageCard, self->cards->len - 1).body.x
    += head;
}

void
stage_place_strips (StageLayout *self) {
  gboolean has_lock = has_lock_strip (self);
  int height = strip_height (self);
  double width = self->width;
  double y = 0;

  if (self->kind == STAGE_SHARDS) {
    StageCard card = { CARD_SHARDS };
    double shards = shards_height (self);

    measure_shards (self, &card);
    add_strip (self, card, 0, 0, width, SHARDS_HEAD, shards);
    y = shards + STAGE_CARD_GAP;
  }
  if (!has_views (self->state)) {
    if (has_lock)
      add_lock (self, y, width);
  } else if (has_lock && is_beside (self)) {
    double left = floor ((width - STAGE_CARD_GAP)
                         * (map_state_clock (self->state) > 0 ? LOCK_SHARE_VIEWS
                                                              : LOCK_SHARE));

    add_lock (self, y, left);
    add_views (self, left + STAGE_CARD_GAP, y, width - left - STAGE_CARD_GAP);
  } else {
    if (has_lock)
      add_lock (self, y, width);
    add_views (self, 0, has_lock ? y + height + STAGE_CARD_GAP : y, width);
  }
}

gboolean
stage_card_item (const StageCard *card,
                 guint            item,
                 StageRect       *rect) {
  if (item >= card->n_items)
    return FALSE;
  *rect = (StageRect) {
    card->body.x
      + (int)(item % card->n_columns) * (card->item_width + card->item_gap),
    card->body.y
      + (int)(item / card->n_columns) * (card->item_height + card->item_gap),
    card->item_width, card->item_height
  };
  return TRUE;
}

gboolean
stage_state_has_past (const MapState *state,
                      guint32         entry) {
  guint64 link = map_state_entry (state, entry).newest;
  StateVersion version;

  return map_state_next_version (state, &link, &version)
         && (version.is_deleted
             || map_state_next_version (state, &link, &version));
}

static void
collect_chains (StageLayout      *self,
                const StateTable *table,
                gboolean          in_old) {
  const StateArray *array = in_old ? table->oldbuckets : table->buckets;
  const StateTable *read = map_state_table_for (self->state, TABLE_ROLE_READ);
  StateSlot found;

  for (guint i = 0; array != NULL
                    && i < MIN (state_array_n_buckets (array), CHAINS_SCAN_MOST);
       i++) {
    const StateBucket *bucket = state_array_bucket (array, i);

    for (guint slot = 0; slot < BUCKET_SLOTS; slot++) {
      StageChain chain = { table, i, slot, bucket->keys[slot],
                           (guint32)bucket->elems[slot], in_old };
      gboolean is_chosen = self->options.has_key
                           && self->options.key == chain.key;

      if (bucket->tophash[slot] < TOPHASH_MIN
          || (!is_chosen && !stage_state_has_past (self->state, chain.entry))
          || (table != read && read != NULL
              && map_state_find_key (self->state, read, chain.key, &found)))
        continue;
      if (is_chosen)
        g_array_prepend_val (self->chains, chain);
      else
        g_array_append_val (self->chains, chain);
    }
  }
}

double
stage_place_chains (StageLayout *self,
                    int          slot_px,
                    double       y) {
  static const TableRole roles[] = { TABLE_ROLE_READ, TABLE_ROLE_DIRTY };
  StageCard card = { CARD_CHAINS };
  double height;

  g_array_set_size (self->chains, 0);
  self->n_more_chains = 0;
  if (map_state_clock (self->state) == 0 || slot_px < STAGE_SLOT_KEY)
    return y;
  for (guint i = 0; i < G_N_ELEMENTS (roles); i++) {
    const StateTable *table = map_state_table_for (self->state, roles[i]);

    if (table == NULL || (table->flags_table & TABLE_HOLDS_VERSIONS) == 0)
      continue;
    collect_chains (self, table, FALSE);
    collect_chains (self, table, TRUE);
  }
  if (self->chains->len == 0)
    return y;
  if (self->chains->len > CHAINS_MOST) {
    self->n_more_chains = self->chains->len - CHAINS_MOST;
    g_array_set_size (self->chains, CHAINS_MOST);
  }
  card.n_items = card.n_rows = self->chains->len;
  card.n_columns = 1;
  card.item_width = (int)self->width - 2 * STAGE_PADDING;
  card.item_height = CHAIN_HEIGHT;
  height = CHAINS_HEAD + card.n_items * CHAIN_HEIGHT + STAGE_PADDING / 2;
  add_strip (self, card, 0, y + STAGE_CARD_GAP, self->width, CHAINS_HEAD, height);
  return y + STAGE_CARD_GAP + height;
}
