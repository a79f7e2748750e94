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
 * Size        Slots have one of a few sides. By itself a stage takes the
 *             largest that fits the height, but never one too small to read
 *             while there are few buckets; zoom steps from there.
 *
 * Invariants  L1  all coordinates are whole pixels
 *             L2  no two slots of a card overlap, and none leaves its body
 *             L3  hit (centre of slot s) is s
 */
#include "widgets/tophash-geometry.h"

#include <math.h>

#define PADDING 18
#define HEAD 66
#define CARD_GAP 16
#define GROWTH_GAP 56
#define GROWTH_FOOT 122
#define RANGE_HEIGHT 72
#define RANGE_HEIGHT_NARROW 94
#define RANGE_NARROW 560
#define ARROW_ROOM 28
#define NIL_BODY 96
#define FAR_HEIGHT 360
#define CELL_MOST 12
#define MAX_LANES 64

static const int slot_sizes[STAGE_N_ZOOMS] = { 0, 4, 8, 12, 24, 32, 44 };

static int
gap_for (int slot_px) {
  return slot_px >= STAGE_SLOT_KEY ? 4 : slot_px > STAGE_SLOT_SMALL ? 2 : 1;
}

static int
row_gap_for (int slot_px) {
  return slot_px >= STAGE_SLOT_KEY ? 8 : slot_px > STAGE_SLOT_SMALL ? 6 : 4;
}

static int
slots_width (int slot_px,
             int n) {
  return n * slot_px + (n - 1) * gap_for (slot_px);
}

static int
lane_gap_for (int slot_px) {
  return slot_px >= STAGE_SLOT_MIDDLE ? 20 : 12;
}

static int
arrow_room (int slot_px) {
  return slot_px >= STAGE_SLOT_KEY ? ARROW_ROOM : slot_px + 4;
}

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
  return 2 * PADDING + index_room (slot_px, n_main) + slots_width (slot_px, 8);
}

static guint
last_used (const StateBucket *bucket) {
  guint n = BUCKET_SLOTS;

  while (n > 1
         && (bucket->tophash[n - 1] == TOPHASH_EMPTY_REST
             || bucket->tophash[n - 1] == TOPHASH_EVACUATED_EMPTY))
    n--;
  return n;
}

/* One chain from @left, @top; returns how many lines it took. */
static int
place_chain (StageCard *card,
             guint32    chain,
             int        left,
             int        top,
             int        right) {
  int pitch = card->slot_px + row_gap_for (card->slot_px);
  int x = left;
  int n_lines = 1;
  guint n_buckets = state_array_n_buckets (card->array);
  guint32 index = chain;

  for (guint n = 0; n < n_buckets; n++) {
    const StateBucket *bucket = state_array_bucket (card->array, index);
    StageBucket place = { .bucket = index, .chain = chain };

    place.is_indexed = n == 0;
    place.n_shown = n == 0 ? BUCKET_SLOTS : last_used (bucket);
    if (n > 0) {
      x += arrow_room (card->slot_px);
      if (x + slots_width (card->slot_px, place.n_shown) > right) {
        place.is_wrapped = TRUE;
        x = left;
        n_lines++;
      }
    }
    place.x = x;
    place.y = top + (n_lines - 1) * pitch;
    g_array_append_val (card->buckets, place);
    x += slots_width (card->slot_px, place.n_shown);
    if (bucket->overflow == 0 || bucket->overflow >= n_buckets)
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

static void
place_buckets (StageCard *card) {
  guint n_main = state_array_n_main (card->array);
  int width = (int)card->body.width;
  int lane = card->index_px + slots_width (card->slot_px, BUCKET_SLOTS);
  int pitch = card->slot_px + row_gap_for (card->slot_px);
  int lane_gap = lane_gap_for (card->slot_px);
  int n_lanes = (width + lane_gap) / (lane + lane_gap);
  int y = (int)card->body.y;
  gboolean has_wrapped = FALSE;

  n_lanes = card->slot_px >= STAGE_SLOT_KEY && n_main < 16 ? 1 : n_lanes;
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

  for (guint chain = 0; chain < n_main; chain += n_lanes) {
    int n_lines = 1;

    for (int i = 0; i < n_lanes && chain + i < n_main; i++) {
      int x = (int)card->body.x + i * (lane + lane_gap);
      int lines = place_chain (card, chain + i, x + card->index_px, y, x + lane);

      has_wrapped |= lines > 1 && n_lanes > 1;
      n_lines = MAX (n_lines, lines);
    }
    y += n_lines * pitch;
  }
  if (has_wrapped)
    g_array_sort (card->buckets, compare_places);
  card->body.height = MAX (0, y - row_gap_for (card->slot_px) - card->body.y);
}

/* The largest cells, a power of two of them across, that keep the height. */
static void
place_cells (StageCard *card) {
  guint n_main = state_array_n_main (card->array);
  guint width = (guint)card->body.width;

  card->n_per_cell = 1;
  for (card->cell_px = CELL_MOST; ; card->cell_px--) {
    guint n_columns = 1;
    guint n_cells;

    if (card->cell_px == 0) {
      card->cell_px = 1;
      card->n_per_cell *= 2;
    }
    while (n_columns * 2 * card->cell_px <= width)
      n_columns *= 2;
    n_cells = (n_main + card->n_per_cell - 1) / card->n_per_cell;
    card->n_columns = MIN (n_columns, MAX (1, n_cells));
    card->n_rows = (n_cells + card->n_columns - 1) / card->n_columns;
    if (card->n_rows * card->cell_px <= FAR_HEIGHT)
      break;
  }
  card->body.height = card->n_rows * card->cell_px;
}

static double
foot_height (const StageCard *card) {
  return card->kind == CARD_OLDBUCKETS ? GROWTH_FOOT : 0;
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
  card.gap_px = gap_for (slot_px);
  card.frame = (StageRect) { x, y, width, 0 };
  card.body = (StageRect) { x + PADDING, y + HEAD, width - 2 * PADDING, 0 };
  if (card.array == NULL) {
    card.body.height = NIL_BODY;
  } else if (slot_px == STAGE_SLOT_FAR) {
    place_cells (&card);
  } else {
    card.index_px = index_room (slot_px, state_array_n_main (card.array));
    place_buckets (&card);
  }
  card.frame.height = HEAD + card.body.height + foot_height (&card) + PADDING;
  g_array_append_val (self->cards, card);
}

/* Cards of one row are equally high. */
static double
level_cards (StageLayout *self,
             guint        first,
             guint        n) {
  double height = 0;

  for (guint i = first; i < first + n; i++)
    height = MAX (height, stage_layout_card (self, i)->frame.height);
  for (guint i = first; i < first + n; i++)
    g_array_index (self->cards, StageCard, i).frame.height = height;
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
                + slots_width (slot_px,
                               (int)last_used (state_array_bucket (array, i))));
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

static double
place_tables (StageLayout *self,
              int          slot_px) {
  const StateTable *only;

  if (self->kind == STAGE_SYNCMAP) {
    StageCardKind kinds[2] = { CARD_READ, CARD_DIRTY };
    const StateTable *tables[2] = {
      map_state_table_for (self->state, TABLE_ROLE_READ),
      map_state_table_for (self->state, TABLE_ROLE_DIRTY),
    };

    return place_old (self, slot_px,
                      place_pair (self, kinds, tables, CARD_GAP, slot_px, 0));
  }
  only = map_state_table_for (self->state, TABLE_ROLE_ONLY);
  if (only == NULL && map_state_n_tables (self->state) > 0)
    only = map_state_table (self->state, 0);
  if (only != NULL && only->oldbuckets != NULL) {
    StageCardKind kinds[2] = { CARD_OLDBUCKETS, CARD_BUCKETS };
    const StateTable *tables[2] = { only, only };

    return place_pair (self, kinds, tables, GROWTH_GAP, slot_px, 0);
  }
  add_card (self, CARD_BUCKETS, only, slot_px, 0, 0, self->width);
  return stage_layout_card (self, 0)->frame.height;
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

static void
place_all (StageLayout *self,
           int          slot_px) {
  clear_cards (self);
  self->height = place_ranges (self, slot_px, place_tables (self, slot_px));
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

/* Sizes below the first stay readable for so few buckets; those above the
 * second would make a stage of many screens. */
static void
bounds_for (guint n_main,
            int  *least,
            int  *most) {
  *least = n_main <= 16 ? 4 : n_main <= 64 ? 3 : n_main <= 256 ? 1 : 0;
  *most = n_main <= 64 ? 5 : n_main <= 512 ? 3 : n_main <= 1024 ? 2
          : n_main < 4096 ? 1 : 0;
}

StageLayout *
stage_layout_new (const MapState     *state,
                  const StageOptions *options) {
  StageLayout *self = g_new0 (StageLayout, 1);
  guint n_main = largest_table (state);
  int least;
  int most;
  int index;

  self->state = map_state_ref (state);
  self->kind = map_state_has_read_and_dirty (state) ? STAGE_SYNCMAP
                                                    : STAGE_GOMAP;
  self->width = floor (MAX (options->width, card_min_width (STAGE_SLOT_KEY, 8)));
  self->cards = g_array_new (FALSE, FALSE, sizeof (StageCard));
  bounds_for (n_main, &least, &most);

  for (index = most; index > least; index--) {
    if (card_min_width (slot_sizes[index], n_main) > self->width)
      continue;
    if (options->fit_height <= 0)
      break;
    place_all (self, slot_sizes[index]);
    if (self->height <= options->fit_height)
      break;
  }
  index = CLAMP (index + options->zoom, 0, STAGE_N_ZOOMS - 1);
  self->min_width = card_min_width (slot_sizes[index], n_main);
  self->width = MAX (self->width, self->min_width);
  self->zoom_index = index;
  place_all (self, slot_sizes[index]);
  return self;
}

void
stage_layout_free (StageLayout *self) {
  clear_cards (self);
  g_array_unref (self->cards);
  map_state_unref (self->state);
  g_free (self);
}

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

/* The end of the nearest card with buckets, searching from @index by @by. */
static gboolean
take_card (const StageLayout *self,
           int                index,
           int                by,
           gboolean           at_end,
           StageHit          *to) {
  for (; index >= 0 && index < (int)self->cards->len; index += by) {
    const StageCard *card = stage_layout_card (self, (guint)index);

    if (card->buckets != NULL && card->buckets->len > 0)
      return take_slot (card, at_end ? card->buckets->len - 1 : 0,
                        at_end ? BUCKET_SLOTS - 1 : 0, to);
  }
  return FALSE;
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
  int card_index = 0;
  guint index = 0;

  if (step == STAGE_FIRST || step == STAGE_LAST)
    return take_card (self, step == STAGE_FIRST ? 0 : (int)self->cards->len - 1,
                      step == STAGE_FIRST ? 1 : -1, step == STAGE_LAST, to);
  if (card != NULL && from->has_slot)
    place = find_bucket (card, from->bucket, &index);
  if (place == NULL)
    return take_card (self, 0, 1, FALSE, to);
  card_index = (int)(card - stage_layout_card (self, 0));

  switch (step) {
  case STAGE_LEFT:
    if (from->slot > 0)
      return take_slot (card, index, from->slot - 1, to);
    return index > 0 ? take_slot (card, index - 1, BUCKET_SLOTS - 1, to)
                     : take_card (self, card_index - 1, -1, TRUE, to);
  case STAGE_RIGHT:
    if (from->slot + 1 < place->n_shown)
      return take_slot (card, index, from->slot + 1, to);
    return index + 1 < card->buckets->len
             ? take_slot (card, index + 1, 0, to)
             : take_card (self, card_index + 1, 1, FALSE, to);
  case STAGE_UP:
  case STAGE_DOWN:
    return step_line (card, place, index,
                      place->x + (int)from->slot * (card->slot_px + card->gap_px),
                      step == STAGE_UP ? -1 : 1, to);
  case STAGE_FIRST:
  case STAGE_LAST:
    break;
  }
  return FALSE;
}
