/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-sums.c — what a screen of timeline needs, summed once
 *
 * Idea        A fixed number of bins cover the log from its start. When an event
 *             lies behind the last bin, pairs of bins merge and the width
 *             doubles: any log fits, each query costs the bins that it touches,
 *             and all doublings together cost one pass over the bins each.
 *
 * Rates       A series bin keeps running sums as they stood at its last event.
 *             A rate between two times is a difference of sums over a difference
 *             of times, whatever the bins' width; levels are carried on.
 *
 * Zoom        A query with bins narrower than ours spreads a bin's count evenly
 *             over the time it covers. timeline-find.c reads the log itself
 *             where that is near enough to be quick.
 */
#include "core/state/timeline-private.h"

#include <math.h>
#include <string.h>

#define FIRST_WIDTH_BITS 10

void
sums_init (Sums *self) {
  memset (self, 0, sizeof *self);
  self->width_bits = FIRST_WIDTH_BITS;
  self->width_ns = 1 << FIRST_WIDTH_BITS;
  self->density = g_new0 (guint32, SUMS_BINS);
  self->series = g_new0 (SeriesBin, SUMS_LANE_BINS);
  for (guint i = 0; i < SUMS_LANE_BINS; i++)
    self->series[i].at_ns = -1;
  for (guint i = 0; i <= SUMS_MAX_LANES; i++)
    self->lanes[i].wait_began_ns = self->lanes[i].hold_began_ns = -1;
}

void
sums_clear (Sums *self) {
  g_clear_pointer (&self->density, g_free);
  g_clear_pointer (&self->series, g_free);
  for (guint i = 0; i <= SUMS_MAX_LANES; i++)
    g_clear_pointer (&self->lanes[i].bins, g_free);
}

static void
add_lane_bin (LaneBin       *to,
              const LaneBin *from) {
  to->n_loads += from->n_loads;
  to->n_stores += from->n_stores;
  to->n_deletes += from->n_deletes;
  to->n_ranges += from->n_ranges;
  to->wait_ns += from->wait_ns;
  to->hold_ns += from->hold_ns;
}

static void
double_width (Sums *self) {
  self->width_bits++;
  self->width_ns *= 2;
  for (guint i = 0; i < SUMS_BINS / 2; i++)
    self->density[i] = self->density[2 * i] + self->density[2 * i + 1];
  memset (self->density + SUMS_BINS / 2, 0,
          sizeof *self->density * SUMS_BINS / 2);

  for (guint i = 0; i < SUMS_LANE_BINS / 2; i++)
    self->series[i] = self->series[2 * i + 1].at_ns >= 0
                          ? self->series[2 * i + 1]
                          : self->series[2 * i];
  for (guint i = SUMS_LANE_BINS / 2; i < SUMS_LANE_BINS; i++)
    self->series[i].at_ns = -1;
  self->series_bin /= 2;

  for (guint k = 0; k <= SUMS_MAX_LANES; k++) {
    LaneBin *bins = self->lanes[k].bins;

    if (bins == NULL)
      continue;
    for (guint i = 0; i < SUMS_LANE_BINS / 2; i++) {
      LaneBin sum = bins[2 * i];

      add_lane_bin (&sum, &bins[2 * i + 1]);
      bins[i] = sum;
    }
    memset (bins + SUMS_LANE_BINS / 2, 0, sizeof *bins * SUMS_LANE_BINS / 2);
  }
}

static inline gint64
lane_width (const Sums *self) {
  return self->width_ns << SUMS_LANE_SHIFT;
}

static Lane *
find_lane (Sums   *self,
           guint   thread) {
  Lane *lane;

  if (thread == EVENT_THREAD_MAIN)
    thread = SUMS_MAX_LANES;
  else if (thread >= SUMS_MAX_LANES)
    return NULL;
  lane = &self->lanes[thread];
  if (lane->bins == NULL)
    lane->bins = g_new0 (LaneBin, SUMS_LANE_BINS);
  return lane;
}

void
lane_bin_count (LaneBin *bin,
                guint    op,
                guint32  n) {
  if (op >= OP_N_KINDS)
    return;
  switch ((OpKind)op) {
  case OP_LOAD:
  case OP_LEN:
    bin->n_loads += n;
    return;
  case OP_STORE:
  case OP_LOAD_OR_STORE:
  case OP_SWAP:
  case OP_COMPARE_AND_SWAP:
    bin->n_stores += n;
    return;
  case OP_LOAD_AND_DELETE:
  case OP_DELETE:
  case OP_COMPARE_AND_DELETE:
  case OP_CLEAR:
    bin->n_deletes += n;
    return;
  case OP_RANGE:
  case OP_N_KINDS:
    return;
  }
}

/* Adds a span of waiting or holding to the bins that it covers. */
static void
add_span (Sums    *self,
          Lane    *lane,
          gint64   from_ns,
          gint64   to_ns,
          gboolean is_hold) {
  gint64 width = lane_width (self);

  while (from_ns < to_ns) {
    gint64 number = MIN (from_ns / width, SUMS_LANE_BINS - 1);
    gint64 end = MIN (to_ns, (number + 1) * width);
    LaneBin *bin = &lane->bins[number];

    if (end <= from_ns)
      return;
    if (is_hold)
      bin->hold_ns += end - from_ns;
    else
      bin->wait_ns += end - from_ns;
    from_ns = end;
  }
}

/* The event's part in its thread's lane. */
static void
add_to_lane (Sums        *self,
             const Event *event) {
  gboolean counts = event->kind == EVENT_OP_ENDED
                    || event->kind == EVENT_OP_TOLD
                    || event->kind == EVENT_OPS_COUNTED
                    || event->kind == EVENT_RANGE_WALKED;
  gboolean locks = event->kind == EVENT_LOCK_WAITED
                   || event->kind == EVENT_LOCK_ACQUIRED
                   || event->kind == EVENT_LOCK_RELEASED
                   || event->kind == EVENT_LOCK_READ_ACQUIRED
                   || event->kind == EVENT_LOCK_READ_RELEASED;
  Lane *lane;
  LaneBin *bin;

  if (!counts && !locks)
    return;
  lane = find_lane (self, event->thread);
  if (lane == NULL)
    return;
  bin = &lane->bins[self->last_ns >> (self->width_bits + SUMS_LANE_SHIFT)];
  if (event->kind == EVENT_OP_ENDED || event->kind == EVENT_OP_TOLD) {
    lane_bin_count (bin, event->aux8, 1);
  } else if (event->kind == EVENT_OPS_COUNTED) {
    lane_bin_count (bin, event->aux8, event->res);
  } else if (event->kind == EVENT_RANGE_WALKED) {
    bin->n_ranges++;
  } else if (event->kind == EVENT_LOCK_WAITED) {
    if (event->aux8 != LOCK_WAIT_DRAIN)
      lane->wait_began_ns = event->at_ns;
  } else if (event->kind == EVENT_LOCK_ACQUIRED
             || event->kind == EVENT_LOCK_READ_ACQUIRED) {
    if (lane->wait_began_ns >= 0)
      add_span (self, lane, lane->wait_began_ns, event->at_ns, FALSE);
    lane->wait_began_ns = -1;
    lane->hold_began_ns = event->at_ns;
  } else {
    if (lane->hold_began_ns >= 0)
      add_span (self, lane, lane->hold_began_ns, event->at_ns, TRUE);
    lane->hold_began_ns = -1;
  }
}

void
sums_add (Sums           *self,
          const Event    *event,
          const MapState *before) {
  gint64 at_ns = MAX (0, event->at_ns);
  guint series_bin;

  while (G_UNLIKELY (at_ns >> self->width_bits >= SUMS_BINS))
    double_width (self);
  self->density[at_ns >> self->width_bits]++;
  self->last_ns = at_ns;
  series_bin = (guint)(at_ns >> (self->width_bits + SUMS_LANE_SHIFT));
  if (series_bin != self->series_bin) {
    sums_sample (self, before);
    self->series_bin = series_bin;
  }
  add_to_lane (self, event);
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
    sum->n_main += state_array_n_main (table->buckets);
  if (table->oldbuckets == NULL)
    return;
  sum->n_evacuated += table->n_evacuated;
  sum->n_old += state_array_n_main (table->oldbuckets);
}

/* Held are the keys of read, of the one table, or of all shards. Load and
 * growth are those of the table that gets the new keys: dirty, if there is one. */
static void
sample_tables (SeriesBin      *bin,
               const MapState *state) {
  const StateTable *read = map_state_table_for (state, TABLE_ROLE_READ);
  const StateTable *only = map_state_table_for (state, TABLE_ROLE_ONLY);
  const StateTable *dirty = map_state_table_for (state, TABLE_ROLE_DIRTY);
  guint n_shards = map_state_n_shards (state);
  TableSum sum = { 0 };

  add_table (&sum, read != NULL ? read : only);
  for (guint i = 0; i < n_shards; i++)
    add_table (&sum, map_state_shard (state, i));
  bin->held = read != NULL || only != NULL || n_shards > 0 ? (float)sum.count
                                                           : NAN;
  bin->dirty_len = dirty != NULL ? (float)dirty->count : NAN;
  if (dirty != NULL) {
    sum = (TableSum){ 0 };
    add_table (&sum, dirty);
  }
  bin->load_factor = sum.n_main > 0 ? (float)sum.count / (float)sum.n_main : NAN;
  bin->evacuated = sum.n_old > 0 ? (float)sum.n_evacuated / (float)sum.n_old
                                 : NAN;
}

void
sums_sample (Sums           *self,
             const MapState *state) {
  SeriesBin *bin = &self->series[self->series_bin];
  const StateCounters *counters = map_state_counters (state);

  if (map_state_n_events (state) == 0)
    return;
  bin->at_ns = map_state_at_ns (state);
  bin->n_ops = 0;
  for (guint op = 0; op < OP_N_KINDS; op++)
    bin->n_ops += (double)counters->n_ops[op];
  bin->n_in_read = (double)counters->n_in_read;
  bin->lock_wait_ns = (double)counters->lock_wait_ns;
  bin->misses = (float)map_state_misses (state);
  bin->live = (float)map_state_n_live (state);
  sample_tables (bin, state);
}

/* Where bin @i of @n_bins between two times begins. */
static gint64
edge (gint64 from_ns,
      gint64 to_ns,
      guint  n_bins,
      guint  i) {
  return from_ns + (gint64)((double)(to_ns - from_ns) * i / n_bins);
}

/* Calls @add for each of our bins that the query touches with the share of it
 * that lies in the query's bin; shares of one of our bins add up to 1. The
 * newest bin ends with the newest event. */
typedef void (*AddShare) (gconstpointer ours,
                          guint         number,
                          double        before,
                          double        after,
                          gpointer      result,
                          guint         place);

static void
resample (gconstpointer ours,
          gint64        width,
          gint64        last_ns,
          gint64        from_ns,
          gint64        to_ns,
          guint         n_bins,
          AddShare      add,
          gpointer      result) {
  for (guint i = 0; i < n_bins; i++) {
    gint64 begin = MAX (0, edge (from_ns, to_ns, n_bins, i));
    gint64 end = MIN (edge (from_ns, to_ns, n_bins, i + 1), last_ns + 1);

    while (begin < end) {
      gint64 number = begin / width;
      gint64 start = number * width;
      gint64 stop = MIN (start + width, last_ns + 1);
      gint64 part_end = MIN (end, stop);

      add (ours, (guint)number, (double)(begin - start) / (double)(stop - start),
           (double)(part_end - start) / (double)(stop - start), result, i);
      begin = part_end;
    }
  }
}

/* The part of @n that lies between two shares, so that parts sum to @n. */
static guint32
part_of (guint32 n,
         double  before,
         double  after) {
  return (guint32)((guint64)(n * after) - (guint64)(n * before));
}

static void
add_density (gconstpointer ours,
             guint         number,
             double        before,
             double        after,
             gpointer      result,
             guint         place) {
  const guint32 *density = ours;
  guint32 *counts = result;

  counts[place] += part_of (density[number], before, after);
}

void
sums_get_density (Sums    *self,
                  gint64   from_ns,
                  gint64   to_ns,
                  guint    n_bins,
                  guint32 *counts) {
  memset (counts, 0, sizeof *counts * n_bins);
  resample (self->density, self->width_ns, self->last_ns, from_ns, to_ns, n_bins,
            add_density, counts);
}

static void
add_lane (gconstpointer ours,
          guint         number,
          double        before,
          double        after,
          gpointer      result,
          guint         place) {
  const LaneBin *bin = &((const LaneBin *)ours)[number];
  LaneBin *to = &((LaneBin *)result)[place];

  to->n_loads += part_of (bin->n_loads, before, after);
  to->n_stores += part_of (bin->n_stores, before, after);
  to->n_deletes += part_of (bin->n_deletes, before, after);
  to->n_ranges += part_of (bin->n_ranges, before, after);
  to->wait_ns += (gint64)((double)bin->wait_ns * (after - before));
  to->hold_ns += (gint64)((double)bin->hold_ns * (after - before));
}

void
sums_get_lane (Sums    *self,
               guint    thread,
               gint64   from_ns,
               gint64   to_ns,
               guint    n_bins,
               LaneBin *bins) {
  const Lane *lane = NULL;

  memset (bins, 0, sizeof *bins * n_bins);
  if (thread == EVENT_THREAD_MAIN)
    lane = &self->lanes[SUMS_MAX_LANES];
  else if (thread < SUMS_MAX_LANES)
    lane = &self->lanes[thread];
  if (lane != NULL && lane->bins != NULL)
    resample (lane->bins, lane_width (self), self->last_ns, from_ns, to_ns,
              n_bins, add_lane, bins);
}

/* The last filled bin at or before @number; NULL: none. */
static const SeriesBin *
last_filled (const Sums *self,
             gint64      number) {
  number = MIN (number, (gint64)SUMS_LANE_BINS - 1);
  while (number >= 0 && self->series[number].at_ns < 0)
    number--;
  return number >= 0 ? &self->series[number] : NULL;
}

static double
rate_between (SeriesKind       kind,
              const SeriesBin *low,
              const SeriesBin *high) {
  static const SeriesBin start;
  double n_ops;

  if (low == NULL)
    low = &start;
  n_ops = high->n_ops - low->n_ops;
  if (kind == SERIES_OPS)
    return high->at_ns > low->at_ns
               ? n_ops * 1e9 / (double)(high->at_ns - low->at_ns)
               : NAN;
  if (n_ops <= 0)
    return NAN;
  if (kind == SERIES_HIT_RATE)
    return (high->n_in_read - low->n_in_read) / n_ops;
  return (high->lock_wait_ns - low->lock_wait_ns) / n_ops;
}

static double
level_of (SeriesKind       kind,
          const SeriesBin *bin) {
  switch (kind) {
  case SERIES_MISSES:
    return bin->misses;
  case SERIES_DIRTY_LEN:
    return bin->dirty_len;
  case SERIES_LIVE:
    return bin->live;
  case SERIES_HELD:
    return bin->held;
  case SERIES_LOAD_FACTOR:
    return bin->load_factor;
  case SERIES_EVACUATED:
    return bin->evacuated;
  case SERIES_HIT_RATE:
  case SERIES_LOCK_WAIT:
  case SERIES_OPS:
  case SERIES_N:
    break;
  }
  return NAN;
}

/* The last two filled bins up to a place that only moves on. */
typedef struct {
  gint64           number;
  const SeriesBin *last;
  const SeriesBin *before;
} SeriesCursor;

static void
cursor_init (SeriesCursor *cursor,
             const Sums   *self,
             gint64        number) {
  cursor->number = MIN (number, (gint64)SUMS_LANE_BINS - 1);
  cursor->last = last_filled (self, number);
  cursor->before = cursor->last != NULL
                       ? last_filled (self, cursor->last - self->series - 1)
                       : NULL;
}

static void
cursor_advance (SeriesCursor *cursor,
                const Sums   *self,
                gint64        number) {
  number = MIN (number, (gint64)SUMS_LANE_BINS - 1);
  while (cursor->number < number) {
    cursor->number++;
    if (cursor->number < 0 || self->series[cursor->number].at_ns < 0)
      continue;
    cursor->before = cursor->last;
    cursor->last = &self->series[cursor->number];
  }
}

void
sums_get_series (Sums      *self,
                 SeriesKind kind,
                 gint64     from_ns,
                 gint64     to_ns,
                 guint      n_bins,
                 double    *values) {
  gboolean is_rate = kind == SERIES_HIT_RATE || kind == SERIES_LOCK_WAIT
                     || kind == SERIES_OPS;
  gint64 width = lane_width (self);
  const SeriesBin *newest = last_filled (self, SUMS_LANE_BINS - 1);
  SeriesCursor cursor;

  cursor_init (&cursor, self, from_ns > 0 ? (from_ns - 1) / width : -1);
  for (guint i = 0; i < n_bins; i++) {
    gint64 begin = edge (from_ns, to_ns, n_bins, i);
    gint64 end = MAX (begin + 1, edge (from_ns, to_ns, n_bins, i + 1));
    const SeriesBin *former = cursor.last;

    values[i] = NAN;
    if (end > 0)
      cursor_advance (&cursor, self, (end - 1) / width);
    if (cursor.last == NULL || begin > newest->at_ns)
      continue;
    /* Bins narrower than ours show the rate of the one of ours they are in. */
    values[i] = is_rate ? rate_between (kind,
                                        former != cursor.last ? former
                                                              : cursor.before,
                                        cursor.last)
                        : level_of (kind, cursor.last);
  }
}
