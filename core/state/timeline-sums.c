/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-sums.c — a pyramid over the events, from which a screen is drawn
 *
 * Idea        Each 1,024 events are a leaf, each eight leaves a node, each eight
 *             nodes one above. A leaf keeps what was counted in it, and of each
 *             level its lowest, highest and last value; a node sums up. Any bin
 *             is then some whole nodes and two parts of leaves, however long the
 *             log. Places are counts of events, so nothing is ever moved or
 *             merged when the log grows.
 *
 *               height 2  [               n               |
 *               height 1  [ n | n | n | n | n | n | n | n |
 *               leaves    [llllllll|llllllll|lll            o    o: open
 *
 * Times       Of every 64th event the time is kept, so that a time leads to a
 *             place with little error: 4 bytes each, in the unit that the leaf
 *             needs.
 *
 * Levels      A level is looked at after each event of a kind that can change it,
 *             when the next one comes: what lies between is known to be the
 *             same, so the lowest and highest values are true ones. Two things
 *             are cheaper for a map of many shards: a key more or less is added,
 *             and the share of a growth that is done is looked at now and then.
 *
 * Rates       are differences of counts that run from the log's start.
 *
 * Waiting     What a thread waits or holds is cut at the end of each leaf, so a
 *             leaf has its part of it, and remembers whether it went on.
 *
 * Memory      390 bytes a leaf with eight threads: 38 MB for 100 M events.
 *
 * Threads     The follower alone writes, without a lock. After each slice it shows,
 *             under the timeline's lock, how far it has come and the open leaf;
 *             leaves and nodes below the n_leaves shown are immutable, and read
 *             without.
 */
#include "core/state/timeline-private.h"
#include "core/state/map-state-private.h"

#include <math.h>
#include <string.h>

#define LEVEL(NAME) (SERIES_##NAME - SUMS_FIRST_LEVEL)

_Static_assert (sizeof (LaneSum) == 24 && sizeof (SeriesLeaf) == 96
                    && sizeof (LeafTimes) == 64,
                "what a leaf takes");

const guint8 sums_work[256] = {
  [EVENT_MISS_COUNTED] = SUMS_MISSES,
  [EVENT_MISSES_RESET] = SUMS_MISSES,
  [EVENT_DIRTY_PROMOTED] = SUMS_LEVELS,
  [EVENT_TABLE_CREATED] = SUMS_TABLES,
  [EVENT_TABLE_ALLOCATED] = SUMS_TABLES,
  [EVENT_TABLE_CLEARED] = SUMS_TABLES | SUMS_LIVE,
  [EVENT_TABLE_NAMED] = SUMS_TABLES | SUMS_LIVE,
  [EVENT_SLOT_WRITTEN] = SUMS_TABLES | SUMS_LIVE | SUMS_KEYS,
  [EVENT_SLOT_UPDATED] = SUMS_LIVE | SUMS_KEYS,
  [EVENT_SLOT_CLEARED] = SUMS_TABLES | SUMS_LIVE | SUMS_KEYS,
  [EVENT_GROWTH_STARTED] = SUMS_TABLES,
  [EVENT_GROWTH_ENDED] = SUMS_TABLES,
  [EVENT_BUCKET_EVACUATED] = SUMS_TABLES | SUMS_KEYS,
  [EVENT_BUCKET_COPIED] = SUMS_TABLES | SUMS_KEYS,
  [EVENT_ENTRY_STORED] = SUMS_LIVE | SUMS_KEYS,
  [EVENT_ENTRY_DELETED] = SUMS_LIVE | SUMS_KEYS,
  [EVENT_ENTRY_EXPUNGED] = SUMS_LIVE | SUMS_KEYS,
  [EVENT_ENTRY_UNEXPUNGED] = SUMS_LIVE | SUMS_KEYS,
  [EVENT_READ_PUBLISHED] = SUMS_TABLES | SUMS_LIVE,
  [EVENT_DIRTY_CREATED] = SUMS_TABLES,
  [EVENT_DIRTY_DROPPED] = SUMS_TABLES,
  [EVENT_OP_BEGAN] = SUMS_OPS | SUMS_KEYS,
  [EVENT_OP_ENDED] = SUMS_LANE | SUMS_OPS,
  [EVENT_OP_TOLD] = SUMS_LANE | SUMS_OPS | SUMS_KEYS,
  [EVENT_OPS_COUNTED] = SUMS_LANE | SUMS_OPS,
  [EVENT_RANGE_WALKED] = SUMS_LANE,
  [EVENT_RANGE_ENDED] = SUMS_LANE,
  [EVENT_LOCK_WAITED] = SUMS_LANE,
  [EVENT_LOCK_ACQUIRED] = SUMS_LANE,
  [EVENT_LOCK_RELEASED] = SUMS_LANE,
  [EVENT_LOCK_READ_ACQUIRED] = SUMS_LANE,
  [EVENT_LOCK_READ_RELEASED] = SUMS_LANE,
  [EVENT_DROPPED] = SUMS_LANE | SUMS_OPS,
};

void
sums_init (Sums *self) {
  memset (self, 0, sizeof *self);
  pile_init (&self->starts, sizeof (gint64));
  pile_init (&self->leaf_times, sizeof (LeafTimes));
  pile_init (&self->latencies, sizeof (LatencyGroup));
  pile_init (&self->filters, sizeof (KeyFilter));
  pile_init (&self->series, sizeof (SeriesLeaf));
  for (guint h = 0; h < SUMS_N_HEIGHTS; h++)
    pile_init (&self->nodes[h], sizeof (SeriesNode));
  for (guint i = 0; i < SUMS_N_LEVELS; i++) {
    self->front.open.last[i] = NAN;
    self->front.open.low[i] = INFINITY;
    self->front.open.high[i] = -INFINITY;
  }
  for (guint i = 0; i <= SUMS_MAX_LANES; i++) {
    self->lanes[i].open.wait_from_ns = self->lanes[i].open.hold_from_ns = -1;
    for (guint h = 0; h < SUMS_N_HEIGHTS; h++)
      pile_init (&self->lanes[i].heights[h], sizeof (LaneSum));
  }
}

void
sums_clear (Sums *self) {
  sums_clear_latencies (self);
  sums_clear_keys (self);
  pile_clear (&self->starts);
  pile_clear (&self->leaf_times);
  pile_clear (&self->series);
  for (guint h = 0; h < SUMS_N_HEIGHTS; h++)
    pile_clear (&self->nodes[h]);
  for (guint i = 0; i <= SUMS_MAX_LANES; i++)
    for (guint h = 0; h < SUMS_N_HEIGHTS; h++)
      pile_clear (&self->lanes[i].heights[h]);
}

void
sums_show (Sums *self) {
  self->shown = self->front;
  for (guint i = 0; i < self->n_active; i++) {
    Lane *lane = &self->lanes[self->active[i]];

    lane->shown = lane->open;
    lane->is_shown = TRUE;
  }
}

gsize
sums_bytes (const Sums *self) {
  gsize bytes = sizeof *self + sums_latency_bytes (self)
                + pile_bytes (&self->starts)
                + pile_bytes (&self->leaf_times) + pile_bytes (&self->series);

  for (guint h = 0; h < SUMS_N_HEIGHTS; h++) {
    bytes += pile_bytes (&self->nodes[h]);
    for (guint i = 0; i < self->n_active; i++)
      bytes += pile_bytes (&self->lanes[self->active[i]].heights[h]);
  }
  return bytes;
}

/* Levels ------------------------------------------------------------------- */

static void
take_level (Sums *self,
            guint i,
            float value) {
  self->front.open.last[i] = value;
  /* Both are false of NAN. */
  if (value < self->front.open.low[i])
    self->front.open.low[i] = value;
  if (value > self->front.open.high[i])
    self->front.open.high[i] = value;
}

/* What one figure says of several tables. */
typedef struct {
  guint64 count;
  guint64 n_main;
  guint64 n_evacuated;
  guint64 n_old; /* buckets to evacuate, of growths under way */
} TableSum;

static void
add_table (TableSum         *sum,
           const StateTable *table) {
  if (table == NULL)
    return;
  sum->count += table->count;
  if (table->buckets != NULL)
    sum->n_main += table->buckets->n_main;
  if (table->oldbuckets == NULL)
    return;
  sum->n_evacuated += table->n_evacuated;
  sum->n_old += table->oldbuckets->n_main;
}

/* Held are the keys of read, of the one table, or of all shards. Load and
 * growth are those of the table that gets the new keys: dirty, if there is one. */
void
sums_table_levels (const MapState *state,
                   float          *levels) {
  const StateTable *dirty = NULL;
  gboolean has_held = FALSE;
  TableSum sum = { 0 };

  for (guint i = 0; i < state->n_tables; i++) {
    const StateTable *table = &state->tables[i];

    if (table->role == TABLE_ROLE_DIRTY) {
      dirty = table;
    } else if (table->role == TABLE_ROLE_READ || table->role == TABLE_ROLE_ONLY
               || table->role == TABLE_ROLE_SHARD) {
      add_table (&sum, table);
      has_held = TRUE;
    }
  }
  levels[LEVEL (HELD)] = has_held ? (float)sum.count : NAN;
  levels[LEVEL (DIRTY_LEN)] = dirty != NULL ? (float)dirty->count : NAN;
  if (dirty != NULL) {
    sum = (TableSum){ 0 };
    add_table (&sum, dirty);
  }
  levels[LEVEL (LOAD_FACTOR)]
      = sum.n_main > 0 ? (float)sum.count / (float)sum.n_main : NAN;
  levels[LEVEL (EVACUATED)]
      = sum.n_old > 0 ? (float)sum.n_evacuated / (float)sum.n_old : NAN;
}

/* More tables than are summed up after each event. */
#define MANY_TABLES 6

static void
take_levels (Sums           *self,
             const MapState *state,
             guint           work) {
  float levels[SUMS_N_LEVELS];

  if (work & SUMS_MISSES)
    take_level (self, LEVEL (MISSES), (float)state->misses);
  if (work & SUMS_LIVE)
    take_level (self, LEVEL (LIVE), (float)map_state_n_live (state));
  if (!(work & SUMS_TABLES))
    return;
  sums_table_levels (state, levels);
  take_level (self, LEVEL (HELD), levels[LEVEL (HELD)]);
  take_level (self, LEVEL (DIRTY_LEN), levels[LEVEL (DIRTY_LEN)]);
  take_level (self, LEVEL (LOAD_FACTOR), levels[LEVEL (LOAD_FACTOR)]);
  take_level (self, LEVEL (EVACUATED), levels[LEVEL (EVACUATED)]);
}

void
sums_sample (Sums           *self,
             const MapState *state) {
  const StateCounters *counters = &state->counters;

  if (state->n_events == 0)
    return;
  self->front.open.n_ops = 0;
  for (guint op = 0; op < OP_N_KINDS; op++)
    self->front.open.n_ops += counters->n_ops[op];
  self->front.open.n_in_read = counters->n_in_read;
  self->front.open.lock_wait_ns = counters->lock_wait_ns;
  take_levels (self, state, SUMS_LEVELS);
}

/* The step of the state's count of keys, where all tables are not summed up. */
static void
take_step (Sums    *self,
           gboolean is_more) {
  float step = is_more ? 1 : -1;

  take_level (self, LEVEL (LIVE), self->front.open.last[LEVEL (LIVE)] + step);
  take_level (self, LEVEL (HELD), self->front.open.last[LEVEL (HELD)] + step);
}

/* Lanes -------------------------------------------------------------------- */

const Lane *
sums_peek_lane (const Sums *self,
                guint       thread) {
  guint place = sums_lane_place (thread);

  return place <= SUMS_MAX_LANES ? &self->lanes[place] : NULL;
}

static Lane *
find_lane (Sums *self,
           guint thread) {
  guint place = sums_lane_place (thread);
  Lane *lane;

  if (place > SUMS_MAX_LANES)
    return NULL;
  lane = &self->lanes[place];
  if (!lane->is_active)
    self->active[self->n_active++] = (guint16)place;
  lane->is_active = TRUE;
  return lane;
}

void
lane_sum_count (LaneSum *sum,
                guint    op,
                guint32  n) {
  if (op >= OP_N_KINDS)
    return;
  switch ((OpKind)op) {
  case OP_LOAD:
  case OP_LEN:
    sum->n_loads += n;
    return;
  case OP_STORE:
  case OP_LOAD_OR_STORE:
  case OP_SWAP:
  case OP_COMPARE_AND_SWAP:
    sum->n_stores += n;
    return;
  case OP_LOAD_AND_DELETE:
  case OP_DELETE:
  case OP_COMPARE_AND_DELETE:
  case OP_CLEAR:
    sum->n_deletes += n;
    return;
  case OP_RANGE:
  case OP_N_KINDS:
    return;
  }
}

/* Adds what was waited and held up to a time. */
static void
cut_wait (Lane  *lane,
          gint64 at_ns) {
  if (lane->open.wait_from_ns >= 0)
    lane->open.sum.wait_ns += (float)MAX (0, at_ns - lane->open.wait_from_ns);
}

static void
cut_hold (Lane  *lane,
          gint64 at_ns) {
  if (lane->open.hold_from_ns >= 0)
    lane->open.sum.hold_ns += (float)MAX (0, at_ns - lane->open.hold_from_ns);
}

/* The event's part in its thread's lane. */
static void
add_to_lane (Sums        *self,
             const Event *event) {
  Lane *lane = find_lane (self, event->thread);

  if (lane == NULL)
    return;
  if (sums_work[event->kind] & SUMS_OPS)
    lane_ops_add (&lane->ops, event);
  if ((event->kind == EVENT_OP_ENDED && event->aux8 != OP_RANGE)
      || event->kind == EVENT_DROPPED)
    lane->has_key = FALSE;
  if (event->kind == EVENT_OP_BEGAN) {
    if (event->aux8 != OP_RANGE)
      lane->has_key = event->aux8 < OP_RANGE;
    lane->key = (gint64)event->a;
    return;
  }
  if (event->kind == EVENT_OP_ENDED || event->kind == EVENT_OP_TOLD) {
    lane_sum_count (&lane->open.sum, event->aux8, 1);
  } else if (event->kind == EVENT_OPS_COUNTED) {
    lane_sum_count (&lane->open.sum, event->aux8, event->res);
  } else if (event->kind == EVENT_RANGE_WALKED
             || event->kind == EVENT_RANGE_ENDED) {
    lane->open.sum.n_ranges += lane_buckets_walked (event);
  } else if (event->kind == EVENT_LOCK_WAITED) {
    if (event->aux8 != LOCK_WAIT_DRAIN && lane->open.wait_from_ns < 0)
      lane->open.wait_from_ns = event->at_ns;
  } else if (event->kind == EVENT_LOCK_ACQUIRED
             || event->kind == EVENT_LOCK_READ_ACQUIRED) {
    cut_wait (lane, event->at_ns);
    lane->open.wait_from_ns = -1;
    cut_hold (lane, event->at_ns);
    lane->open.hold_from_ns = event->at_ns;
  } else {
    /* Released; or dropped: what follows of the wait and the hold is not known. */
    cut_hold (lane, event->at_ns);
    lane->open.hold_from_ns = -1;
    if (event->kind == EVENT_DROPPED) {
      cut_wait (lane, event->at_ns);
      lane->open.wait_from_ns = -1;
    }
  }
}

/* Sealing ------------------------------------------------------------------ */

static void
add_lane_sum (LaneSum       *to,
              const LaneSum *from) {
  to->n_loads += from->n_loads;
  to->n_stores += from->n_stores;
  to->n_deletes += from->n_deletes;
  to->n_ranges += from->n_ranges;
  to->wait_ns += from->wait_ns;
  to->hold_ns += from->hold_ns;
}

static void
seal_lane (Lane   *lane,
           guint64 number,
           gint64  end_ns) {
  LaneSum *leaf = pile_make (&lane->heights[0], number);

  cut_wait (lane, end_ns);
  cut_hold (lane, end_ns);
  lane->open.sum.waits = lane->open.wait_from_ns >= 0;
  lane->open.sum.holds = lane->open.hold_from_ns >= 0;
  if (lane->open.sum.waits)
    lane->open.wait_from_ns = end_ns;
  if (lane->open.sum.holds)
    lane->open.hold_from_ns = end_ns;
  if (leaf != NULL)
    *leaf = lane->open.sum;
  memset (&lane->open.sum, 0, sizeof lane->open.sum);
}

/* The node of @height that ends with its last child. */
static void
raise_lane (Lane   *lane,
            guint   height,
            guint64 number) {
  LaneSum *node = pile_make (&lane->heights[height], number);

  for (guint i = 0; node != NULL && i < 1u << SUMS_FAN_BITS; i++) {
    const LaneSum *child = pile_get (&lane->heights[height - 1],
                                     (number << SUMS_FAN_BITS) + i);

    if (child != NULL)
      add_lane_sum (node, child);
  }
}

/* A rate in the leaf @number, whose counts are @leaf's. */
float
series_leaf_rate (const Sums       *self,
                  SeriesKind        kind,
                  guint64           number,
                  const SeriesLeaf *leaf,
                  gint64            end_ns) {
  static const SeriesLeaf zero;
  const SeriesLeaf *former = number > 0 ? pile_get (&self->series, number - 1)
                                        : &zero;
  const gint64 *start_ns = pile_get (&self->starts, number);
  double n_ops;

  if (former == NULL)
    return NAN;
  n_ops = (double)(leaf->n_ops - former->n_ops);
  if (kind == SERIES_OPS)
    return start_ns != NULL && end_ns > *start_ns
               ? (float)(n_ops * 1e9 / (double)(end_ns - *start_ns))
               : NAN;
  if (n_ops <= 0)
    return NAN;
  return kind == SERIES_HIT_RATE
             ? (float)((double)(leaf->n_in_read - former->n_in_read) / n_ops)
             : (float)((double)(leaf->lock_wait_ns - former->lock_wait_ns)
                       / n_ops);
}

static void
widen (SeriesNode *node,
       SeriesKind  kind,
       float       low,
       float       high) {
  if (low < node->low[kind])
    node->low[kind] = low;
  if (high > node->high[kind])
    node->high[kind] = high;
}

static void
widen_by_leaf (Sums       *self,
               SeriesNode *node,
               guint64     number) {
  const SeriesLeaf *leaf = pile_get (&self->series, number);
  const gint64 *end_ns = pile_get (&self->starts, number + 1);

  for (guint kind = 0; leaf != NULL && kind < SERIES_N; kind++) {
    if (kind - SUMS_FIRST_LEVEL < SUMS_N_LEVELS) {
      widen (node, kind, leaf->low[kind - SUMS_FIRST_LEVEL],
             leaf->high[kind - SUMS_FIRST_LEVEL]);
    } else {
      float rate = series_leaf_rate (self, kind, number, leaf,
                                     number + 1 < self->front.n_leaves && end_ns != NULL
                                         ? *end_ns
                                         : self->front.last_ns);

      widen (node, kind, rate, rate);
    }
  }
}

static void
raise_series (Sums   *self,
              guint   height,
              guint64 number) {
  SeriesNode *node = pile_make (&self->nodes[height], number);

  if (node == NULL)
    return;
  for (guint kind = 0; kind < SERIES_N; kind++) {
    node->low[kind] = INFINITY;
    node->high[kind] = -INFINITY;
  }
  for (guint i = 0; i < 1u << SUMS_FAN_BITS; i++) {
    guint64 child = (number << SUMS_FAN_BITS) + i;
    const SeriesNode *below = height > 1
                                  ? pile_get (&self->nodes[height - 1], child)
                                  : NULL;

    if (height == 1)
      widen_by_leaf (self, node, child);
    for (guint kind = 0; below != NULL && kind < SERIES_N; kind++)
      widen (node, kind, below->low[kind], below->high[kind]);
  }
}

static void
seal_times (Sums   *self,
            guint64 number) {
  gint64 *start_ns = pile_make (&self->starts, number);
  LeafTimes *times = pile_make (&self->leaf_times, number);
  gint64 span_ns = self->front.times[SUMS_LEAF_TIMES - 1] - self->front.times[0];

  if (start_ns == NULL || times == NULL)
    return;
  *start_ns = self->front.times[0];
  times->shift = 0;
  while (span_ns >> times->shift > G_MAXUINT32)
    times->shift++;
  for (guint i = 1; i < SUMS_LEAF_TIMES; i++)
    times->since[i - 1] = (guint32)((self->front.times[i] - self->front.times[0])
                                    >> times->shift);
}

/* The open leaf is full; @state is the one at its end. */
static void
seal_leaf (Sums           *self,
           const MapState *state) {
  guint64 number = self->front.n_leaves++;
  SeriesLeaf *leaf = pile_make (&self->series, number);

  sums_sample (self, state);
  sums_seal_latencies (self);
  sums_seal_keys (self);
  seal_times (self, number);
  if (leaf != NULL)
    *leaf = self->front.open;
  for (guint i = 0; i < self->n_active; i++)
    seal_lane (&self->lanes[self->active[i]], number, self->front.last_ns);
  for (guint height = 1; height < SUMS_N_HEIGHTS; height++) {
    guint64 above = self->front.n_leaves >> (SUMS_FAN_BITS * height);

    if (above << (SUMS_FAN_BITS * height) != self->front.n_leaves)
      break;
    raise_series (self, height, above - 1);
    for (guint i = 0; i < self->n_active; i++)
      raise_lane (&self->lanes[self->active[i]], height, above - 1);
  }
  /* Levels go on as they are. */
  for (guint i = 0; i < SUMS_N_LEVELS; i++) {
    self->front.open.low[i] = isnan (self->front.open.last[i]) ? INFINITY : self->front.open.last[i];
    self->front.open.high[i] = isnan (self->front.open.last[i]) ? -INFINITY
                                                    : self->front.open.last[i];
  }
}

void
sums_add_slowly (Sums           *self,
                 const Event    *event,
                 const MapState *before,
                 guint           work) {
  gboolean has_many = before->n_tables > MANY_TABLES
                      && !before->has_read_and_dirty;

  if ((self->front.n & (SUMS_LEAF_EVENTS - 1)) == 0 && self->front.n > 0)
    seal_leaf (self, before);
  else if (has_many && (work & SUMS_TIME))
    take_levels (self, before, SUMS_LEVELS);
  else if (!has_many && self->pending != 0)
    take_levels (self, before, self->pending);
  self->pending = sums_work[event->kind] & SUMS_LEVELS;
  /* Only where slots hold entries may an overwrite bring a key back. */
  if (event->kind == EVENT_SLOT_UPDATED && !before->has_read_and_dirty)
    self->pending = 0;
  if (has_many && (event->kind == EVENT_SLOT_WRITTEN
                   || event->kind == EVENT_SLOT_CLEARED))
    take_step (self, event->kind == EVENT_SLOT_WRITTEN);
  if (work & SUMS_TIME)
    self->front.times[(self->front.n & (SUMS_LEAF_EVENTS - 1)) >> SUMS_TIME_BITS]
        = event->at_ns;
  if (sums_work[event->kind] & (SUMS_LANE | SUMS_OPS))
    add_to_lane (self, event);
  if (sums_work[event->kind] & SUMS_KEYS)
    sums_add_keys (self, event, before);
}
