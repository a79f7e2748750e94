/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-screen.c — screens of timeline against every event of a long recording */
#include "record-run.h"

#include "core/base/prng.h"
#include "core/engine/syncmap.h"
#include "core/state/fold.h"
#include "core/state/timeline-histogram.h"

#include <math.h>
#include <string.h>

#ifdef __SANITIZE_THREAD__ /* twenty times as slow */
#define N_SCREENS 24
#define N_SHARD_OPERATIONS 16000
#else
#define N_SCREENS 120
#define N_SHARD_OPERATIONS 40000
#endif
#define MAX_BINS 700
#define N_THREADS 3
/* Between two times kept lie as many events. */
#define TIME_EVENTS 64
#define LEAF_EVENTS 1024

static const SeriesKind levels[] = { SERIES_MISSES, SERIES_DIRTY_LEN, SERIES_LIVE,
                                     SERIES_HELD, SERIES_LOAD_FACTOR,
                                     SERIES_EVACUATED };
#define N_LEVELS G_N_ELEMENTS (levels)

/* A recording, and what was after each event. */
typedef struct {
  RecordedRun run;
  Timeline   *timeline;
  guint64     length;
  gint64     *at_ns;
  LaneBin    *lanes[N_THREADS]; /* counts up to the event, and with it */
  float      *after[N_LEVELS];
} Told;

static Told of_syncmap;
static Told of_shards;
static Told of_rarely_told; /* operations are counted */

static double
level_after (const MapState *state,
             SeriesKind      kind) {
  TableRole held = map_state_has_read_and_dirty (state) ? TABLE_ROLE_READ
                                                        : TABLE_ROLE_SHARD;
  const StateTable *dirty = map_state_table_for (state, TABLE_ROLE_DIRTY);
  guint64 count = 0, n_main = 0, n_done = 0, n_old = 0;
  gboolean is_there = FALSE;

  if (kind == SERIES_MISSES)
    return (double)map_state_misses (state);
  if (kind == SERIES_LIVE)
    return (double)map_state_n_live (state);
  if (kind == SERIES_DIRTY_LEN)
    return dirty != NULL ? (double)dirty->count : NAN;
  if (kind != SERIES_HELD && dirty != NULL)
    held = TABLE_ROLE_DIRTY;
  for (guint i = 0; i < map_state_n_tables (state); i++) {
    const StateTable *table = map_state_table (state, i);

    if (table->role != held)
      continue;
    is_there = TRUE;
    count += table->count;
    n_main += table->buckets != NULL ? state_array_n_main (table->buckets) : 0;
    if (table->oldbuckets == NULL)
      continue;
    n_done += table->n_evacuated;
    n_old += state_array_n_main (table->oldbuckets);
  }
  if (kind == SERIES_HELD)
    return is_there ? (double)count : NAN;
  if (kind == SERIES_LOAD_FACTOR)
    return n_main > 0 ? (double)((float)count / (float)n_main) : NAN;
  return n_old > 0 ? (double)((float)n_done / (float)n_old) : NAN;
}

static void
count_op (LaneBin     *bin,
          const Event *event) {
  guint n = event->kind == EVENT_OPS_COUNTED ? event->res : 1;

  if (event->kind == EVENT_RANGE_WALKED)
    bin->n_ranges++;
  else if (event->kind == EVENT_RANGE_ENDED)
    bin->n_ranges += event->ver == 0 ? (event->res + 7) / 8 : 0;
  else if (event->kind != EVENT_OP_ENDED && event->kind != EVENT_OP_TOLD
           && event->kind != EVENT_OPS_COUNTED)
    return;
  else if (event->aux8 == OP_LOAD || event->aux8 == OP_LEN)
    bin->n_loads += n;
  else if (event->aux8 == OP_STORE || event->aux8 == OP_LOAD_OR_STORE
           || event->aux8 == OP_SWAP || event->aux8 == OP_COMPARE_AND_SWAP)
    bin->n_stores += n;
  else if (event->aux8 != OP_RANGE)
    bin->n_deletes += n;
}

static void
tell (Told            *told,
      const RecordRun *run) {
  g_autoptr (Fold) fold = fold_new ();

  told->run = record_run (run);
  told->length = tracelog_get_length (told->run.log);
  told->timeline = timeline_new (told->run.log);
  told->at_ns = g_new (gint64, told->length);
  for (guint i = 0; i < N_LEVELS; i++)
    told->after[i] = g_new (float, told->length);
  for (guint t = 0; t < N_THREADS; t++)
    told->lanes[t] = g_new0 (LaneBin, told->length + 1);
  for (guint64 i = 0; i < told->length; i++) {
    Event event;

    tracelog_get_event (told->run.log, i, &event);
    fold_apply (fold, &event);
    told->at_ns[i] = event.at_ns;
    for (guint t = 0; t < N_THREADS; t++) {
      told->lanes[t][i + 1] = told->lanes[t][i];
      if (event.thread == t)
        count_op (&told->lanes[t][i + 1], &event);
    }
    for (guint k = 0; k < N_LEVELS; k++)
      told->after[k][i] = (float)level_after (fold_peek_state (fold), levels[k]);
  }
  timeline_wait (told->timeline);
}

static void
forget (Told *told) {
  timeline_unref (told->timeline);
  recorded_run_clear (&told->run);
  g_free (told->at_ns);
  for (guint i = 0; i < N_LEVELS; i++)
    g_free (told->after[i]);
  for (guint t = 0; t < N_THREADS; t++)
    g_free (told->lanes[t]);
}

/* The first event at or after a time. */
static guint64
first_at (const Told *told,
          gint64      at_ns) {
  guint64 low = 0;
  guint64 high = told->length;

  while (low < high) {
    guint64 middle = (low + high) / 2;

    if (told->at_ns[middle] < at_ns)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

typedef struct {
  gint64  from_ns;
  gint64  to_ns;
  guint   n_bins;
  guint64 edges[MAX_BINS + 1]; /* events before */
} Range;

/* From single events to more than all. */
static void
choose (const Told *told,
        Prng       *prng,
        guint       number,
        Range      *range) {
  gint64 all_ns = told->at_ns[told->length - 1] + 1;
  gint64 span_ns = MAX (2, all_ns >> (number % 16));

  if (number == 0) {
    range->from_ns = 0;
    range->to_ns = all_ns;
  } else {
    range->from_ns = (gint64)prng_below (prng, (guint64)all_ns) - span_ns / 4;
    range->to_ns = range->from_ns + span_ns;
  }
  range->n_bins = 1 + (guint)prng_below (prng, MAX_BINS);
  for (guint i = 0; i <= range->n_bins; i++)
    range->edges[i] = first_at (
        told, range->from_ns
                  + (gint64)((double)(range->to_ns - range->from_ns) * i
                             / range->n_bins));
}

static void
check_density (const Told  *told,
               const Range *range) {
  guint32 counts[MAX_BINS];
  guint64 sum = 0;

  timeline_get_density (told->timeline, range->from_ns, range->to_ns,
                        range->n_bins, counts);
  for (guint i = 0; i < range->n_bins; i++) {
    gint64 wanted = (gint64)(range->edges[i + 1] - range->edges[i]);

    g_assert_cmpint (ABS ((gint64)counts[i] - wanted), <=, 2 * TIME_EVENTS);
    sum += counts[i];
  }
  g_assert_cmpint (ABS ((gint64)(sum + range->edges[0]
                                 - range->edges[range->n_bins])),
                   <=, 2 * TIME_EVENTS);
}

static void
test_density_is_that_of_the_events (void) {
  Told *all[] = { &of_syncmap, &of_shards };
  Prng prng = { 3 };
  Range range;

  for (guint k = 0; k < G_N_ELEMENTS (all); k++)
    for (guint i = 0; i < N_SCREENS; i++) {
      choose (all[k], &prng, i, &range);
      check_density (all[k], &range);
    }
}

static void
check_lane (const Told  *told,
            const Range *range,
            guint        thread,
            guint        slack) {
  const LaneBin *from = &told->lanes[thread][range->edges[0]];
  const LaneBin *to = &told->lanes[thread][range->edges[range->n_bins]];
  LaneBin bins[MAX_BINS];
  LaneBin sum = { 0 };
  gint64 span_ns = range->to_ns - range->from_ns;

  timeline_get_lane (told->timeline, thread, range->from_ns, range->to_ns,
                     range->n_bins, bins);
  for (guint i = 0; i < range->n_bins; i++) {
    sum.n_loads += bins[i].n_loads;
    sum.n_stores += bins[i].n_stores;
    sum.n_deletes += bins[i].n_deletes;
    sum.n_ranges += bins[i].n_ranges;
    sum.hold_ns += bins[i].hold_ns;
    g_assert_cmpint (bins[i].hold_ns, >=, 0);
  }
  g_assert_cmpint (ABS ((gint)(sum.n_loads - (to->n_loads - from->n_loads))), <=,
                   slack);
  g_assert_cmpint (ABS ((gint)(sum.n_stores - (to->n_stores - from->n_stores))),
                   <=, slack);
  g_assert_cmpint (
      ABS ((gint)(sum.n_deletes - (to->n_deletes - from->n_deletes))), <=, slack);
  g_assert_cmpint (ABS ((gint)(sum.n_ranges - (to->n_ranges - from->n_ranges))),
                   <=, slack);
  g_assert_cmpint (sum.hold_ns, <=, span_ns + span_ns / 100 + 1000);
}

static void
test_lanes_are_those_of_the_events (void) {
  Told *all[] = { &of_syncmap, &of_shards };
  Prng prng = { 4 };
  Range range;

  for (guint k = 0; k < G_N_ELEMENTS (all); k++)
    for (guint i = 0; i < N_SCREENS; i++) {
      choose (all[k], &prng, i, &range);
      for (guint t = 0; t < N_THREADS; t++)
        check_lane (all[k], &range, t, i == 0 ? 0 : LEAF_EVENTS);
    }
}

/* All that was is between the lowest and the highest value; of the whole log
 * those are it. */
static void
check_level (const Told  *told,
             const Range *range,
             guint        k,
             gboolean     is_exact) {
  double values[MAX_BINS], lows[MAX_BINS], highs[MAX_BINS];

  timeline_get_series_range (told->timeline, levels[k], range->from_ns,
                             range->to_ns, range->n_bins, values, lows, highs);
  for (guint i = 0; i < range->n_bins; i++) {
    double low = INFINITY;
    double high = -INFINITY;

    for (guint64 e = range->edges[i]; e < range->edges[i + 1]; e++) {
      if (told->after[k][e] < low)
        low = (double)told->after[k][e];
      if (told->after[k][e] > high)
        high = (double)told->after[k][e];
    }
    if (low > high)
      continue;
    /* An edge lies up to as many events beside its time. */
    if (is_exact) {
      g_assert_cmpfloat (lows[i], ==, low);
      g_assert_cmpfloat (highs[i], ==, high);
    } else if (range->edges[i + 1] - range->edges[i] > 2 * LEAF_EVENTS) {
      g_assert_cmpfloat (lows[i], <=, high);
      g_assert_cmpfloat (highs[i], >=, low);
    }
    g_assert_true (isnan (values[i])
                   || (lows[i] <= values[i] && values[i] <= highs[i]));
  }
}

static void
test_levels_keep_their_extremes (void) {
  Told *all[] = { &of_syncmap, &of_shards };
  Prng prng = { 5 };
  Range range;

  for (guint k = 0; k < G_N_ELEMENTS (all); k++) {
    choose (all[k], &prng, 0, &range);
    range.n_bins = 1;
    range.edges[1] = all[k]->length;
    for (guint i = 0; i < N_LEVELS; i++)
      if (k == 0 || levels[i] < SERIES_LOAD_FACTOR)
        check_level (all[k], &range, i, TRUE);
    for (guint i = 0; i < N_SCREENS; i++) {
      choose (all[k], &prng, i, &range);
      /* Of many shards growths are looked at now and then. */
      if (k == 0 || levels[i % N_LEVELS] != SERIES_EVACUATED)
        check_level (all[k], &range, i % N_LEVELS, FALSE);
    }
  }
}

/* Few enough events to be folded. */
static void
test_levels_are_exact_from_near (void) {
  Prng prng = { 6 };

  for (guint i = 0; i < 40; i++) {
    guint64 first = prng_below (&prng, of_syncmap.length - 3000);
    Range range = { .from_ns = of_syncmap.at_ns[first],
                    .to_ns = of_syncmap.at_ns[first + 2000] + 1,
                    .n_bins = 97 };
    guint kind = i % N_LEVELS;
    double value, low, high;

    value = low = high = NAN;
    timeline_get_series_range (of_syncmap.timeline, levels[kind], range.from_ns,
                               range.to_ns, 1, &value, &low, &high);
    for (guint64 e = first_at (&of_syncmap, range.from_ns);
         e < first_at (&of_syncmap, range.to_ns); e++)
      g_assert_false ((double)of_syncmap.after[kind][e] < low
                      || (double)of_syncmap.after[kind][e] > high);
    range.edges[1] = first_at (&of_syncmap, range.to_ns);
    if (!isnan (value))
      g_assert_cmpfloat (value, ==,
                         (double)of_syncmap.after[kind][range.edges[1] - 1]);
  }
}

static void
test_rates_are_differences (void) {
  const MapState *head = timeline_ref_head (of_syncmap.timeline);
  const StateCounters *counters = map_state_counters (head);
  gint64 all_ns = of_syncmap.at_ns[of_syncmap.length - 1];
  double n_ops = 0;
  double value, low, high;
  double values[MAX_BINS];

  for (guint op = 0; op < OP_N_KINDS; op++)
    n_ops += (double)counters->n_ops[op];
  timeline_get_series_range (of_syncmap.timeline, SERIES_OPS, 0, all_ns + 1, 1,
                             &value, &low, &high);
  g_assert_cmpfloat_with_epsilon (value / (n_ops * 1e9 / (double)all_ns), 1, 0.01);
  g_assert_cmpfloat (low, <=, value);
  g_assert_cmpfloat (value, <=, high);
  timeline_get_series_range (of_syncmap.timeline, SERIES_HIT_RATE, 0, all_ns + 1,
                             1, &value, &low, &high);
  g_assert_cmpfloat_with_epsilon (value, (double)counters->n_in_read / n_ops,
                                  1e-6);
  g_assert_cmpfloat (low, >=, 0);
  g_assert_cmpfloat (high, <=, 1);
  timeline_get_series (of_syncmap.timeline, SERIES_HIT_RATE, 0, all_ns + 1,
                       MAX_BINS, values);
  for (guint i = 0; i < MAX_BINS; i++)
    g_assert_true (isnan (values[i]) || (values[i] >= 0 && values[i] <= 1));
  map_state_unref (head);
}

static double
ops_of (const MapState *state) {
  double n_ops = 0;

  for (guint op = 0; op < OP_N_KINDS; op++)
    n_ops += (double)map_state_counters (state)->n_ops[op];
  return n_ops;
}

/* Zoomed in so far that the events themselves are folded. */
static void
test_rates_of_few_events_are_exact (void) {
  for (guint64 first = 5000; first + 2000 < of_syncmap.length; first += 17777) {
    gint64 from_ns = of_syncmap.at_ns[first];
    gint64 to_ns = of_syncmap.at_ns[first + 600] + 1;
    TraceLog *log = timeline_get_log (of_syncmap.timeline);
    g_autoptr (MapState) before = timeline_seek (
        of_syncmap.timeline, tracelog_index_at (log, from_ns - 1), NULL);
    g_autoptr (MapState) after = timeline_seek (
        of_syncmap.timeline, tracelog_index_at (log, to_ns - 1), NULL);
    double n_ops = ops_of (after) - ops_of (before);
    double n_in_read = (double)map_state_counters (after)->n_in_read
                       - (double)map_state_counters (before)->n_in_read;
    double rate, per_second;

    timeline_get_series (of_syncmap.timeline, SERIES_HIT_RATE, from_ns, to_ns, 1,
                         &rate);
    timeline_get_series (of_syncmap.timeline, SERIES_OPS, from_ns, to_ns, 1,
                         &per_second);
    if (n_ops == 0) {
      g_assert_true (isnan (rate));
      continue;
    }
    g_assert_cmpfloat_with_epsilon (rate, n_in_read / n_ops, 1e-9);
    g_assert_cmpfloat_with_epsilon (per_second
                                        / (n_ops * 1e9 / (double)(to_ns - from_ns)),
                                    1, 1e-9);
  }
}

/* Histograms --------------------------------------------------------------- */

typedef struct {
  guint64 from;
  guint64 to;
  guint   op;
  int     thread;
} Asked;

static void
plain_latencies (TraceLog         *log,
                 const Asked      *asked,
                 LatencyHistogram *wanted) {
  g_autofree gint64 *began = g_new0 (gint64, 2 * (G_MAXUINT16 + 1));

  memset (wanted, 0, sizeof *wanted);
  for (guint64 i = 0; i < asked->to; i++) {
    gint64 *place;
    gboolean is_asked;
    guint bin = 0;
    Event event;

    tracelog_get_event (log, i, &event);
    place = &began[2 * event.thread + (event.aux8 == OP_RANGE)];
    is_asked = i >= asked->from
               && (asked->op == OP_N_KINDS || asked->op == event.aux8)
               && (asked->thread < 0 || asked->thread == event.thread);
    if (event.kind == EVENT_OP_BEGAN)
      *place = event.at_ns - (gint64)event.res + 1;
    if (is_asked && (event.kind == EVENT_OPS_COUNTED || event.kind == EVENT_OP_TOLD))
      wanted->n_counted += event.kind == EVENT_OP_TOLD ? 1 : event.res;
    if (event.kind != EVENT_OP_ENDED)
      continue;
    for (gint64 ns = event.at_ns - (gint64)event.ver - (*place - 1);
         ns > 1 && bin < STATE_HISTOGRAM_N - 1; ns /= 2)
      bin++;
    if (is_asked && *place != 0) {
      wanted->counts[bin]++;
      wanted->n_told++;
    }
    *place = 0;
  }
}

static void
test_latencies_are_those_of_a_pass (void) {
  Told *all[] = { &of_syncmap, &of_shards };
  Prng prng = { 7 };
  guint64 n_told = 0;

  for (guint i = 0; i < 60; i++) {
    const Told *told = all[i % 2];
    Asked asked = { .op = OP_N_KINDS, .thread = -1, .to = told->length };
    LatencyHistogram wanted, found;

    if (i >= 2) {
      asked.from = prng_below (&prng, told->length);
      asked.to = asked.from + prng_below (&prng, told->length - asked.from + 1);
      asked.op = (guint)prng_below (&prng, OP_N_KINDS + 1);
      asked.thread = (int)prng_below (&prng, N_THREADS + 2) - 1;
    }
    plain_latencies (told->run.log, &asked, &wanted);
    g_assert_true (timeline_get_latencies (told->timeline, asked.from, asked.to,
                                           asked.op, asked.thread, NULL, &found));
    for (guint bin = 0; bin < STATE_HISTOGRAM_N; bin++)
      g_assert_cmpuint (found.counts[bin], ==, wanted.counts[bin]);
    g_assert_cmpuint (found.n_told, ==, wanted.n_told);
    g_assert_cmpuint (found.n_counted, ==, wanted.n_counted);
    n_told += found.n_told;
  }
  g_assert_cmpuint (n_told, >, 100000);
}

static void
test_chains_hold_all_keys (void) {
  const MapState *head = timeline_ref_head (of_shards.timeline);
  guint n_tables = 0;

  for (guint i = 0; i < map_state_n_tables (head); i++) {
    const StateTable *table = map_state_table (head, i);
    guint64 n_buckets = 0, n_slots = 0, n_chains = 0;
    ChainHistogram histogram;

    if (table->buckets == NULL || table->oldbuckets != NULL)
      continue;
    n_tables++;
    state_table_get_chains (table, &histogram);
    g_assert_cmpuint (histogram.n_keys, ==, table->count);
    g_assert_cmpuint (histogram.n_chains, ==, state_array_n_main (table->buckets));
    for (guint k = 0; k < CHAIN_HISTOGRAM_N; k++) {
      n_chains += histogram.chains[k];
      n_buckets += histogram.chains[k] * k;
    }
    g_assert_cmpuint (n_chains, ==, histogram.n_chains);
    g_assert_cmpuint (n_buckets, ==, state_array_n_buckets (table->buckets));
    for (guint k = 0; k <= BUCKET_SLOTS; k++)
      n_slots += histogram.keys[k] * k;
    g_assert_cmpuint (n_slots, ==, table->count);
    g_assert_true (table->count == 0 || histogram.mean_probes >= 1);
  }
  g_assert_cmpuint (n_tables, >, 0);
  map_state_unref (head);
}

int
main (int    argc,
      char **argv) {
  RecordRun run = { .klass = &syncmap_class,
                    .hash = HASH_GOOD,
                    .seed = 21,
                    .n_workers = N_THREADS,
                    .n_operations = 15000,
                    .n_keys = 300,
                    .span_period = 1 };
  int result;

  g_test_init (&argc, &argv, NULL);
  tell (&of_syncmap, &run);
  run.klass = engine_class_find ("shardmap");
  run.n_keys = 5000;
  run.n_operations = N_SHARD_OPERATIONS;
  tell (&of_shards, &run);
  run.klass = &syncmap_class;
  run.n_keys = 3000;
  run.n_operations = 40000;
  run.span_period = 50;
  tell (&of_rarely_told, &run);
  g_assert_cmpuint (of_syncmap.length, >, 100 * LEAF_EVENTS);
  g_assert_cmpuint (of_shards.length, >, 280 * LEAF_EVENTS);
  g_test_add_func ("/core/screen/density-is-that-of-the-events",
                   test_density_is_that_of_the_events);
  g_test_add_func ("/core/screen/lanes-are-those-of-the-events",
                   test_lanes_are_those_of_the_events);
  g_test_add_func ("/core/screen/levels-keep-their-extremes",
                   test_levels_keep_their_extremes);
  g_test_add_func ("/core/screen/levels-are-exact-from-near",
                   test_levels_are_exact_from_near);
  g_test_add_func ("/core/screen/rates-are-differences",
                   test_rates_are_differences);
  g_test_add_func ("/core/screen/rates-of-few-events-are-exact",
                   test_rates_of_few_events_are_exact);
  g_test_add_func ("/core/screen/latencies-are-those-of-a-pass",
                   test_latencies_are_those_of_a_pass);
  g_test_add_func ("/core/screen/chains-hold-all-keys",
                   test_chains_hold_all_keys);
  result = g_test_run ();
  forget (&of_rarely_told);
  forget (&of_syncmap);
  forget (&of_shards);
  return result;
}
