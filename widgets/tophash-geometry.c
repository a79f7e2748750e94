/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-geometry.c — cards, rows of buckets, slots
 *
 * Cards stand side by side while each has room for eight slots, else one below
 * the other. In a card, main buckets fill lanes from left to right and then
 * row by row; near, one lane is the rule. A chain runs to the right from its
 * main bucket and wraps under it when the lane ends:
 *
 *     12 [][][][][][][][] → [][]      lane: number, eight slots, overflow
 *        ↳ [][][][][][][][]
 *
 * Shards stand in rows of as many cards as have room, and each that grows has
 * its old array below it. Above the tables is what guards and watches them, below
 * them what walks them: see tophash-geometry-strip.c.
 *
 * Size        Slots have one of a few sides. By itself a stage takes the
 *             largest that fits the height, but never one too small to read
 *             while there are few buckets; zoom steps from there. As long as
 *             they have no room for words, slots then grow by pixels into the
 *             height that is left.
 *
 * Invariants  L1  all coordinates are whole pixels
 *             L2  no two slots of a card overlap, and none leaves its body
 *             L3  hit (centre of slot s) is s
 */
#include "widgets/tophash-geometry-private.h"

#include <math.h>

#define PADDING STAGE_PADDING
#define ARROW_ROOM STAGE_ARROW_ROOM
#define HEAD 66
#define HEAD_LOW 44
#define LOW_FROM 540 /* width of a card for its title and facts in a line */
#define LOW_BELOW 520 /* height of a stage */
#define CARD_GAP STAGE_CARD_GAP
#define GROWTH_GAP 56
#define GROWTH_FOOT 122
#define RANGE_HEIGHT 72
#define RANGE_HEIGHT_NARROW 94
#define RANGE_NARROW 560
#define NIL_BODY 64
#define FAR_HEIGHT 360
#define FAR_LEAST 160
#define CELL_MOST 24
#define CELL_LEAST 3
#define SHARD_LEAST 112
#define SHARDS_MANY 32

static const int slot_sizes[STAGE_N_ZOOMS] = { 0,  4,  8,  12, 24,
                                                32, 38, 44, 54, 66 };

/* Room for the largest bucket number; only a row's first is written when the
 * slots are small. */
static int
index_room (int   slot_px,
            guint n_main) {
  int digits = 1;

  if (slot_px < STAGE_SLOT_MIDDLE)
    return 0;
  for (guint n = n_main > 0 ? n_main - 1 : 0; n >= 10; n /= 10)
    digits++;
  return MAX (20, 8 * digits + 12);
}

static int
card_min_width (int   slot_px,
                guint n_main) {
  if (slot_px == STAGE_SLOT_FAR)
    return 2 * PADDING + 160;
  return 2 * PADDING + index_room (slot_px, n_main) + stage_slots_width (slot_px, 8);
}

/* What a heat map may take of the height that is to be filled. */
static int
far_height (const StageLayout *self,
            const StageCard   *card) {
  double height = self->options.fit_height - card->body.y - PADDING;

  if (self->options.fit_height <= 0)
    return FAR_HEIGHT;
  if (card->in_old)
    height -= GROWTH_FOOT;
  for (guint i = 0; i < map_state_n_iters (self->state); i++)
    if (map_state_iter (self->state, i)->is_open)
      height -= RANGE_HEIGHT + CARD_GAP;
  return (int)MAX (height, FAR_LEAST);
}

/* The largest cells that keep the height, in rows as wide as the card; each for
 * one bucket, or for more when even the smallest would be too many. */
static void
place_cells (const StageLayout *self,
             StageCard         *card) {
  guint n_main = state_array_n_main (card->array);
  guint height = (guint)far_height (self, card);

  card->n_per_cell = 1;
  for (card->cell_px = CELL_MOST; ; card->cell_px--) {
    guint n_cells;

    if (card->cell_px < CELL_LEAST) {
      card->cell_px = CELL_MOST;
      card->n_per_cell *= 2;
    }
    n_cells = (n_main + card->n_per_cell - 1) / card->n_per_cell;
    card->n_columns = CLAMP ((guint)card->body.width / card->cell_px, 1, n_cells);
    card->n_rows = (n_cells + card->n_columns - 1) / card->n_columns;
    if (card->n_rows * card->cell_px <= height)
      break;
  }
  card->body.height = card->n_rows * card->cell_px;
}

static double
foot_height (const StageLayout *self,
             const StageCard   *card) {
  if (self->kind == STAGE_SHARDS && card->frame.width < STAGE_SHARD_ROOMY)
    return 0;
  return card->kind == CARD_OLDBUCKETS ? GROWTH_FOOT : 0;
}

/* On a low stage, and on the narrow cards of shards, which have few words. */
static gboolean
is_low (const StageLayout *self,
        const StageCard   *card) {
  if (self->kind == STAGE_SHARDS && card->frame.width < STAGE_SHARD_ROOMY)
    return TRUE;
  return card->kind == CARD_BUCKETS && card->frame.width >= LOW_FROM
         && self->options.fit_height > 0 && self->options.fit_height < LOW_BELOW;
}

static int
head_of (const StageCard *card) {
  return card->is_low ? HEAD_LOW : HEAD;
}

static void
add_card (StageLayout      *self,
          StageCardKind     kind,
          const StateTable *table,
          int               slot_px,
          double            x,
          double            y,
          double            width) {
  StageCard card = { .kind = kind, .table = table };

  card.in_old = kind == CARD_OLDBUCKETS;
  if (table != NULL)
    card.array = card.in_old ? table->oldbuckets : table->buckets;
  card.slot_px = slot_px;
  card.gap_px = stage_gap (slot_px);
  card.frame = (StageRect) { x, y, width, 0 };
  card.is_low = is_low (self, &card);
  card.body = (StageRect) { x + PADDING, y + head_of (&card),
                            width - 2 * PADDING, 0 };
  if (card.array == NULL) {
    card.body.height = NIL_BODY;
  } else if (slot_px == STAGE_SLOT_FAR) {
    place_cells (self, &card);
  } else {
    card.index_px = index_room (slot_px, state_array_n_main (card.array));
    stage_place_buckets (self, &card);
  }
  card.frame.height = head_of (&card) + card.body.height
                      + foot_height (self, &card) + PADDING;
  g_array_append_val (self->cards, card);
}

/* Cards of one row are equally high, but nil is not as high as a heat map. */
static double
level_cards (StageLayout *self,
             guint        first,
             guint        n) {
  double height = 0;

  for (guint i = first; i < first + n; i++)
    height = MAX (height, stage_layout_card (self, i)->frame.height);
  for (guint i = first; i < first + n; i++) {
    StageCard *card = &g_array_index (self->cards, StageCard, i);

    if (card->array != NULL || card->slot_px != STAGE_SLOT_FAR)
      card->frame.height = height;
  }
  return height;
}

/* One more bucket of a chain needs this much to stay on its line. */
static double
overflow_need (const StateArray *array,
               int               slot_px) {
  double need = 0;
  guint n_main = array != NULL ? state_array_n_main (array) : 0;
  guint n_buckets = array != NULL ? state_array_n_buckets (array) : 0;

  if (slot_px < STAGE_SLOT_KEY || n_buckets == n_main)
    return 0;
  for (guint i = n_main; i < MIN (n_buckets, n_main + 64); i++)
    need = MAX (need, ARROW_ROOM
                + stage_slots_width (slot_px,
                               (int)stage_last_used (state_array_bucket (array, i))));
  return need;
}

/* Two cards: side by side when both have their eight slots, the room beyond
 * that going where overflow needs it. */
static double
place_pair (StageLayout      *self,
            StageCardKind     kinds[2],
            const StateTable *tables[2],
            double            gap,
            int               slot_px,
            double            y) {
  double min[2];
  double need[2];
  double width[2];
  guint first = self->cards->len;

  for (int i = 0; i < 2; i++) {
    const StateTable *table = tables[i];
    gboolean in_old = kinds[i] == CARD_OLDBUCKETS;
    const StateArray *array = table == NULL ? NULL
                              : in_old      ? table->oldbuckets
                                            : table->buckets;

    min[i] = card_min_width (slot_px,
                             array != NULL ? state_array_n_main (array) : 1);
    need[i] = min[i] + overflow_need (array, slot_px);
  }
  if (min[0] + min[1] + gap > self->width) {
    add_card (self, kinds[0], tables[0], slot_px, 0, y, self->width);
    y += stage_layout_card (self, first)->frame.height + CARD_GAP;
    add_card (self, kinds[1], tables[1], slot_px, 0, y, self->width);
    return y + stage_layout_card (self, first + 1)->frame.height;
  }
  width[0] = floor ((self->width - gap) / 2);
  if (need[1] > width[0] && need[0] < width[0])
    width[0] = MAX (need[0], self->width - gap - need[1]);
  else if (need[0] > width[0] && need[1] < width[0])
    width[0] = MIN (need[0], self->width - gap - need[1]);
  width[0] = floor (MAX (width[0], min[0]));
  width[1] = self->width - gap - width[0];
  add_card (self, kinds[0], tables[0], slot_px, 0, y, width[0]);
  add_card (self, kinds[1], tables[1], slot_px, width[0] + gap, y, width[1]);
  return y + level_cards (self, first, 2);
}

/* A read or dirty that is growing, or was promoted in the midst of it, has its
 * old array below, in its own column. */
static double
place_old (StageLayout *self,
           int          slot_px,
           double       y) {
  guint n = self->cards->len;
  double bottom = y;

  for (guint i = 0; i < n; i++) {
    StageCard card = *stage_layout_card (self, i);

    if (card.table == NULL || card.table->oldbuckets == NULL)
      continue;
    add_card (self, CARD_OLDBUCKETS, card.table, slot_px, card.frame.x,
              card.frame.width < self->width ? y + CARD_GAP : bottom + CARD_GAP,
              card.frame.width);
    card = *stage_layout_card (self, self->cards->len - 1);
    bottom = MAX (bottom, card.frame.y + card.frame.height);
  }
  return bottom;
}

static guint
largest_table (const MapState *state) {
  guint n_main = 1;

  for (guint i = 0; i < map_state_n_tables (state); i++) {
    const StateTable *table = map_state_table (state, i);

    if (table->buckets != NULL && table->role != TABLE_ROLE_NONE)
      n_main = MAX (n_main, state_array_n_main (table->buckets));
  }
  return n_main;
}

/* Rows of equally wide cards, in the order of the shards; in each column the
 * old array of a shard that grows hangs below it. */
static double
place_shards (StageLayout *self,
              int          slot_px) {
  guint n = map_state_n_shards (self->state);
  int least = MAX (SHARD_LEAST,
                   card_min_width (slot_px, largest_table (self->state)));
  guint n_columns = CLAMP ((guint)((self->width + CARD_GAP) / (least + CARD_GAP)),
                           1, n);
  double width = floor ((self->width - (n_columns - 1) * CARD_GAP) / n_columns);
  double y = self->top;

  for (guint row = 0; row < n; row += n_columns) {
    guint first = self->cards->len;
    guint n_tables = MIN (n_columns, n - row);
    double bottom;

    for (guint i = 0; i < n_tables; i++)
      add_card (self, CARD_BUCKETS, map_state_shard (self->state, row + i),
                slot_px, i * (width + CARD_GAP), y, width);
    bottom = y + level_cards (self, first, n_tables);
    y = bottom;
    for (guint i = first; i < first + n_tables; i++) {
      StageCard card = *stage_layout_card (self, i);

      if (card.table == NULL || card.table->oldbuckets == NULL)
        continue;
      add_card (self, CARD_OLDBUCKETS, card.table, slot_px, card.frame.x,
                bottom + CARD_GAP, width);
      card = *stage_layout_card (self, self->cards->len - 1);
      y = MAX (y, card.frame.y + card.frame.height);
    }
    y += CARD_GAP;
  }
  return y - CARD_GAP;
}

static double
bottom_of (const StageLayout *self,
           guint              index) {
  const StageCard *card = stage_layout_card (self, index);

  return card->frame.y + card->frame.height;
}

static double
place_tables (StageLayout *self,
              int          slot_px) {
  const StateTable *only;

  if (self->kind == STAGE_SHARDS)
    return place_shards (self, slot_px);
  if (self->kind == STAGE_SYNCMAP) {
    StageCardKind kinds[2] = { CARD_READ, CARD_DIRTY };
    const StateTable *tables[2] = {
      map_state_table_for (self->state, TABLE_ROLE_READ),
      map_state_table_for (self->state, TABLE_ROLE_DIRTY),
    };

    if (self->options.shown != STAGE_BOTH) {
      int i = self->options.shown == STAGE_DIRTY;

      add_card (self, kinds[i], tables[i], slot_px, 0, self->top, self->width);
      return place_old (self, slot_px, bottom_of (self, 0));
    }
    return place_old (self, slot_px,
                      place_pair (self, kinds, tables, CARD_GAP, slot_px,
                                  self->top));
  }
  only = map_state_table_for (self->state, TABLE_ROLE_ONLY);
  if (only == NULL && map_state_n_tables (self->state) > 0)
    only = map_state_table (self->state, 0);
  if (only != NULL && only->oldbuckets != NULL) {
    StageCardKind kinds[2] = { CARD_OLDBUCKETS, CARD_BUCKETS };
    const StateTable *tables[2] = { only, only };

    return place_pair (self, kinds, tables, GROWTH_GAP, slot_px, self->top);
  }
  add_card (self, CARD_BUCKETS, only, slot_px, 0, self->top, self->width);
  return bottom_of (self, 0);
}

/* Below the tables: tables kept for a Range alone, then the open Ranges. */
static double
place_ranges (StageLayout *self,
              int          slot_px,
              double       y) {
  guint n = map_state_n_iters (self->state);

  for (guint i = 0; i < n; i++) {
    const StateIter *iter = map_state_iter (self->state, i);
    const StateTable *table;

    if (!iter->is_open)
      continue;
    table = map_state_find_table (self->state, iter->table,
                                  iter->table_created_ver);
    if (table != NULL && table->role == TABLE_ROLE_SUPERSEDED
        && stage_layout_find_table (self, table->id, table->created_ver,
                                    FALSE) == NULL) {
      add_card (self, CARD_GHOST, table, MIN (slot_px, STAGE_SLOT_MIDDLE), 0,
                y + CARD_GAP, self->width);
      g_array_index (self->cards, StageCard, self->cards->len - 1).iter = iter;
      y += CARD_GAP
           + stage_layout_card (self, self->cards->len - 1)->frame.height;
    }
  }
  for (guint i = 0; i < n; i++) {
    StageCard card = { .kind = CARD_RANGE };
    double height = self->width < RANGE_NARROW ? RANGE_HEIGHT_NARROW
                                               : RANGE_HEIGHT;

    card.iter = map_state_iter (self->state, i);
    if (!card.iter->is_open)
      continue;
    card.frame = (StageRect) { 0, y + CARD_GAP, self->width, height };
    card.table = map_state_find_table (self->state, card.iter->table,
                                       card.iter->table_created_ver);
    y += CARD_GAP + height;
    g_array_append_val (self->cards, card);
  }
  return y;
}

static void
clear_cards (StageLayout *self) {
  for (guint i = 0; i < self->cards->len; i++)
    g_clear_pointer (&g_array_index (self->cards, StageCard, i).buckets,
                     g_array_unref);
  g_array_set_size (self->cards, 0);
}

/* The strips above come last among the cards, and first on the stage. */
static void
place_all (StageLayout *self,
           int          slot_px) {
  double y;

  clear_cards (self);
  self->top = stage_strips_height (self);
  y = place_tables (self, slot_px);
  self->chains_height = stage_place_chains (self, slot_px, y) - y;
  y += self->chains_height;
  self->height = place_ranges (self, slot_px, y);
  stage_place_strips (self);
}

/* All main buckets of a map of shards, or those of its largest table. */
static guint
n_shown_buckets (const StageLayout *self) {
  guint n_main = 0;

  if (self->kind != STAGE_SHARDS)
    return largest_table (self->state);
  for (guint i = 0; i < map_state_n_shards (self->state); i++) {
    const StateTable *table = map_state_shard (self->state, i);

    if (table != NULL && table->buckets != NULL)
      n_main += state_array_n_main (table->buckets);
  }
  return MAX (n_main, 1);
}

/* Sizes below the first stay readable for so few buckets; those above the
 * second would make a stage of many screens. */
static void
bounds_for (guint n_main,
            int  *least,
            int  *most) {
  *least = n_main <= 16 ? 4 : n_main <= 64 ? 3 : n_main <= 256 ? 1 : 0;
  *most = n_main <= 64 ? STAGE_N_ZOOMS - 1 : n_main <= 512 ? 3 : n_main <= 1024 ? 2
          : n_main < 4096 ? 1 : 0;
}

/* Two tables one below the other, for want of width. */
static gboolean
is_stacked (const StageLayout *self) {
  return self->cards->len > 1
         && (stage_layout_card (self, 1)->array != NULL
             || stage_layout_card (self, 1)->kind == CARD_DIRTY)
         && stage_layout_card (self, 1)->frame.x == 0;
}

/* Where Ranges have been more will come: slots keep their size meanwhile. */
static double
spare_for_range (const StageLayout *self) {
  guint n = map_state_n_iters (self->state);

  for (guint i = 0; i < n; i++)
    if (map_state_iter (self->state, i)->is_open)
      return 0;
  return n == 0 || self->kind == STAGE_SHARDS ? 0 : CARD_GAP + RANGE_HEIGHT;
}

static gboolean
fits (const StageLayout *self) {
  return self->height - self->chains_height + spare_for_range (self)
           <= self->options.fit_height;
}

/* The stage as it fits with slots of @slot_px, or larger ones as far as those fit,
 * too. */
static void
place_all_filling (StageLayout *self,
                   int          slot_px,
                   int          next_px) {
  guint n_main = largest_table (self->state);

  while (next_px > slot_px
         && card_min_width (next_px, n_main) > self->width)
    next_px--;
  for (; next_px > slot_px; next_px--) {
    place_all (self, next_px);
    if (fits (self))
      return;
  }
  place_all (self, slot_px);
}

StageLayout *
stage_layout_new (const MapState     *state,
                  const StageOptions *options) {
  StageLayout *self = g_new0 (StageLayout, 1);
  guint n_main = largest_table (state);
  int least, most, index;

  self->ref_count = 1;
  self->state = map_state_ref (state);
  self->options = *options;
  self->kind = map_state_has_read_and_dirty (state) ? STAGE_SYNCMAP
               : map_state_n_shards (state) > 0     ? STAGE_SHARDS
                                                    : STAGE_GOMAP;
  self->width = floor (MAX (options->width, card_min_width (STAGE_SLOT_KEY, 8)));
  self->cards = g_array_new (FALSE, FALSE, sizeof (StageCard));
  self->chains = g_array_new (FALSE, FALSE, sizeof (StageChain));
  bounds_for (n_shown_buckets (self), &least, &most);

  for (index = most; index > least; index--) {
    if (card_min_width (slot_sizes[index], n_main) > self->width)
      continue;
    if (options->fit_height <= 0 && slot_sizes[index] <= STAGE_SLOT_HEX)
      break;
    /* No size makes them fit: do not try each with all of them. */
    if (map_state_n_shards (state) > SHARDS_MANY
        && slot_sizes[index] <= STAGE_SLOT_MIDDLE)
      break;
    place_all (self, slot_sizes[index]);
    if (fits (self) && (slot_sizes[index] <= STAGE_SLOT_HEX || !is_stacked (self)))
      break;
  }
  self->fit_index = index;
  index = CLAMP (index + options->zoom, 0, STAGE_N_ZOOMS - 1);
  self->min_width = card_min_width (slot_sizes[index], n_main);
  self->width = MAX (self->width, self->min_width);
  self->zoom_index = index;
  if (options->zoom == 0 && options->fit_height > 0 && index > 0
      && slot_sizes[index] < STAGE_SLOT_MIDDLE)
    place_all_filling (self, slot_sizes[index], slot_sizes[index + 1] - 1);
  else
    place_all (self, slot_sizes[index]);
  return self;
}

StageLayout *
stage_layout_ref (StageLayout *self) {
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
stage_layout_unref (StageLayout *self) {
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  clear_cards (self);
  g_array_unref (self->cards);
  g_array_unref (self->chains);
  map_state_unref (self->state);
  g_free (self);
}
