/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-stats.c — what an engine says of its costs, and what its recording says
 *
 * After random runs the engine's own counters, histograms and bytes must equal
 * those that are folded from the log. The times come from a clock of the test,
 * which moves on by itself, so that every duration is known to be counted. What
 * one user does alone is known exactly: what hooks are told, and each Clear.
 */
#include "record-run.h"

#include "core/engine/viewmap.h"
#include "core/state/fold.h"

#include <stdatomic.h>
#include <stdlib.h>

#define N_RUNS 30

static atomic_uint_fast64_t test_ns = 1;

/* Any thread: relaxed, since only the differences count. */
static uint64_t
test_now_ns (void) {
  return atomic_fetch_add_explicit (&test_ns, 37, memory_order_relaxed);
}

static MapState *
fold_log (TraceLog *log) {
  Fold *fold = fold_new ();
  guint64 length = tracelog_get_length (log);
  MapState *state;

  while (fold_n_events (fold) < length) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, fold_n_events (fold));

    for (guint i = 0; i < block->n_events; i++)
      fold_apply (fold, &block->events[i]);
  }
  g_assert_cmpstr (fold_first_fault (fold), ==, NULL);
  state = fold_ref_state (fold);
  fold_free (fold);
  return state;
}

static void
compare_histograms (const guint64        *wanted,
                    const StateHistogram *found) {
  guint64 total = 0;

  for (guint i = 0; i < STATE_HISTOGRAM_N; i++) {
    g_assert_cmpuint (found->counts[i], ==, wanted[i]);
    total += wanted[i];
  }
  g_assert_cmpuint (state_histogram_total (found), ==, total);
}

/* A Clear that finds no key does nothing that could be told; viewmap's, which
 * goes from key to key, is known by the operation. */
static void
compare_clears (const EngineClass   *klass,
                const StateCounters *counters,
                const EngineStats   *stats) {
  g_assert_cmpuint (counters->n_cleared, <=, stats->n_ok[OP_CLEAR]);
  if (g_str_equal (klass->name, "viewmap"))
    g_assert_cmpuint (counters->n_cleared, ==, stats->n_ok[OP_CLEAR]);
}

static void
compare_stats (MapEngine      *map,
               const MapState *state) {
  const StateCounters *counters = map_state_counters (state);
  EngineStats stats;

  engine_get_stats (map, &stats);
  for (guint op = 0; op < OP_N_KINDS; op++) {
    g_assert_cmpuint (counters->n_ops[op], ==, stats.n_ops[op]);
    g_assert_cmpuint (counters->n_ok[op], ==, stats.n_ok[op]);
  }
  compare_clears (map->klass, counters, &stats);
  g_assert_cmpuint (counters->n_in_read, ==, stats.n_in_read);
  g_assert_cmpuint (counters->n_promotions, ==, stats.n_promotions);
  g_assert_cmpuint (counters->n_copies, ==, stats.n_copies);
  g_assert_cmpuint (counters->n_copied, ==, stats.n_copied_entries);
  g_assert_cmpuint (counters->n_expunged, ==, stats.n_expunged);
  g_assert_cmpuint (counters->n_lock_waits, ==, stats.n_lock_waits);
  g_assert_cmpuint (counters->n_cas_retries, ==, stats.n_cas_retries);
  g_assert_cmpuint (counters->promotion_ns, ==, stats.promotion_ns);
  g_assert_cmpuint (counters->copy_ns, ==, stats.copy_ns);
  compare_histograms (stats.lock_waits, &counters->lock_waits);
  compare_histograms (stats.lock_holds, &counters->lock_holds);
  g_assert_cmpuint (state_histogram_total (&counters->lock_waits), ==,
                    stats.n_lock_waits);
  if (stats.n_promotions > 0)
    g_assert_cmpuint (counters->last_promotion_ns, >, 0);
  if (stats.n_copies > 0)
    g_assert_cmpuint (counters->last_copy_ns, >, 0);
}

static gsize
sum_of (const EngineMemory *memory) {
  return memory->read + memory->dirty + memory->entries + memory->deleted
         + memory->versions;
}

static void
compare_memory (MapEngine      *map,
                const MapState *state) {
  EngineMemory wanted;
  EngineStats stats;
  StateMemory found;

  map->klass->get_memory (map, &wanted);
  map_state_get_memory (state, &found);
  g_assert_cmpuint (found.n_live, ==, wanted.n_live);
  g_assert_cmpuint (found.n_deleted, ==, wanted.n_deleted);
  g_assert_cmpuint (found.read, ==, wanted.read);
  g_assert_cmpuint (found.dirty, ==, wanted.dirty);
  g_assert_cmpuint (found.entries, ==, wanted.entries);
  g_assert_cmpuint (found.deleted, ==, wanted.deleted);
  g_assert_cmpuint (found.versions, ==, wanted.versions);
  engine_get_stats (map, &stats);
  g_assert_cmpuint (sum_of (&wanted), <, stats.bytes);
}

static void
check_run (const EngineClass *klass,
           guint              number) {
  static const guint sizes[] = { 2, 20, 100, 700, 5000 };
  RecordRun run = { .klass = klass,
                    .seed = number + 1,
                    .n_workers = klass->is_thread_safe ? 1 + number % 4 : 1,
                    .n_operations = 400 + number % 7 * 300,
                    .n_keys = sizes[number / 2 % G_N_ELEMENTS (sizes)],
                    .span_period = number % 3,
                    .is_fine = number % 2 == 0,
                    .now_ns = test_now_ns };
  RecordedRun recorded = record_run (&run);
  g_autoptr (MapState) state = fold_log (recorded.log);

  compare_stats (recorded.map, state);
  compare_memory (recorded.map, state);
  recorded_run_clear (&recorded);
}

static void
test_recording_tells_the_same (gconstpointer data) {
  for (guint i = 0; i < N_RUNS; i++)
    check_run (data, i);
}

/* One user, no recording --------------------------------------------------- */

typedef struct {
  const EngineClass *klass;
  MapEngine         *map;
  EngineThread       thread;
  EngineMemory       memory;
} Alone;

static void
begin_alone (Alone             *alone,
             const EngineClass *klass) {
  EngineConfig config = { .seed = 4, .shards = 3, .now_ns = test_now_ns };

  alone->klass = klass;
  alone->map = engine_new (klass, &config);
  g_assert_true (engine_enter_thread (alone->map, &alone->thread, 0));
}

static void
end_alone (Alone *alone) {
  engine_leave_thread (&alone->thread);
  engine_free (alone->map);
}

static void
store_keys (Alone  *alone,
            int64_t from,
            int64_t to) {
  for (int64_t key = from; key < to; key++)
    alone->klass->store (alone->map, &alone->thread, key, key);
}

static bool
visit_cb (int64_t key,
          int64_t value,
          void   *data) {
  return true;
}

static void
promote (Alone *alone) {
  alone->klass->range (alone->map, &alone->thread, visit_cb, NULL);
}

/* Also that what is said fits into what there is. */
static void
weigh (Alone *alone) {
  EngineStats stats;

  alone->klass->get_memory (alone->map, &alone->memory);
  engine_get_stats (alone->map, &stats);
  g_assert_cmpuint (sum_of (&alone->memory) + stats.bytes_held, <=,
                    stats.bytes);
  g_assert_cmpuint (alone->memory.n_live, ==,
                    alone->klass->len (alone->map, &alone->thread));
}

static void
test_bytes_follow_the_keys (gconstpointer data) {
  const EngineClass *klass = data;
  gsize entry = klass->has_read_and_dirty ? ENTRY_BYTES : 0;
  Alone alone;
  gsize grown;

  if (g_str_equal (klass->name, "viewmap"))
    entry += VERSION_BYTES;
  begin_alone (&alone, klass);
  weigh (&alone);
  g_assert_cmpuint (alone.memory.entries, ==, 0);
  store_keys (&alone, 0, 3000);
  weigh (&alone);
  g_assert_cmpuint (alone.memory.n_live, ==, 3000);
  g_assert_cmpuint (alone.memory.entries, ==, 3000 * entry);
  grown = alone.memory.read + alone.memory.dirty;
  g_assert_cmpuint (grown, >=, 3000 * BUCKET_BYTES / BUCKET_SLOTS);

  promote (&alone);
  for (int64_t key = 0; key < 1000; key++)
    klass->delete_key (alone.map, &alone.thread, key);
  weigh (&alone);
  g_assert_cmpuint (alone.memory.n_live, ==, 2000);
  g_assert_cmpuint (alone.memory.n_deleted, ==, klass->has_read_and_dirty
                                                    ? 1000 : 0);
  g_assert_cmpuint (alone.memory.deleted, ==, alone.memory.n_deleted
                                                  * ENTRY_BYTES);
  /* A copy expunges the deleted, which read goes on to hold. */
  store_keys (&alone, 5000, 5001);
  weigh (&alone);
  g_assert_cmpuint (alone.memory.n_live, ==, 2001);
  g_assert_cmpuint (alone.memory.n_deleted, ==, klass->has_read_and_dirty
                                                    ? 1000 : 0);
  g_assert_cmpuint (alone.memory.dirty > 0, ==, klass->has_read_and_dirty);
  promote (&alone);
  weigh (&alone);
  g_assert_cmpuint (alone.memory.n_deleted, ==, 0);
  g_assert_cmpuint (alone.memory.dirty, ==, 0);

  klass->clear (alone.map, &alone.thread);
  weigh (&alone);
  g_assert_cmpuint (alone.memory.n_live, ==, 0);
  g_assert_cmpuint (alone.memory.entries, ==, 0);
  end_alone (&alone);
}

static void
test_views_keep_versions (void) {
  const EngineClass *klass = engine_class_find ("viewmap");
  Alone alone;
  MapView *view;

  begin_alone (&alone, klass);
  store_keys (&alone, 0, 100);
  view = viewmap_open_view (alone.map, &alone.thread);
  store_keys (&alone, 0, 10);
  for (int64_t key = 50; key < 53; key++)
    klass->delete_key (alone.map, &alone.thread, key);
  weigh (&alone);
  /* Ten replaced ones, and three pairs of a value and its deletion. */
  g_assert_cmpuint (alone.memory.versions, ==, 16 * VERSION_BYTES);
  g_assert_cmpuint (alone.memory.n_live, ==, 97);
  g_assert_cmpuint (alone.memory.n_deleted, ==, 3);
  viewmap_close_view (view, &alone.thread);
  weigh (&alone);
  g_assert_cmpuint (alone.memory.versions, ==, 0);
  end_alone (&alone);
}

/* As many keys as fit without a growth, all of them in read. At 6.5 keys a
 * bucket about one chain in five is longer than a bucket. */
static void
test_full_load_is_light (gconstpointer data) {
  const EngineClass *klass = data;
  EngineConfig config = { .seed = 4, .shards = 1 };
  const int64_t n_keys = 13 << 15; /* 6.5 a bucket at B = 16 */
  Alone alone = { .klass = klass };
  double per_key;

  alone.map = engine_new (klass, &config);
  g_assert_true (engine_enter_thread (alone.map, &alone.thread, 0));
  store_keys (&alone, 0, n_keys);
  promote (&alone);
  weigh (&alone);
  per_key = (double)sum_of (&alone.memory) / (double)n_keys;
  g_test_message ("%s: %.2f bytes a key: buckets %.2f, entries %.2f",
                  klass->name, per_key,
                  (double)alone.memory.read / (double)n_keys,
                  (double)alone.memory.entries / (double)n_keys);
  g_assert_cmpuint (alone.memory.dirty, ==, 0);
  g_assert_cmpfloat (per_key - (double)alone.memory.entries / (double)n_keys, <,
                     1.25 * BUCKET_BYTES / 6.5);
  end_alone (&alone);
}

/* Exactly ------------------------------------------------------------------ */

/* A clock that ticks when it is read, by one more each time, so that no two
 * durations are alike; only one thread reads it. */
typedef struct {
  guint64 n_readings;
  guint64 before;
  guint64 last;
} TestClock;

static TestClock test_clock;

static uint64_t
tick_now_ns (void) {
  test_clock.before = test_clock.last;
  test_clock.last += ++test_clock.n_readings;
  return test_clock.last;
}

typedef struct {
  guint64 n_promotions;
  guint64 n_copies;
  guint64 promotion_ns;
  guint64 copy_ns;
} Costs;

static void
promoted_cb (void    *data,
             unsigned table_id,
             uint64_t n_keys,
             uint64_t n_misses,
             uint64_t cost_ns) {
  Costs *costs = data;

  g_assert_cmpuint (cost_ns, ==, test_clock.last - test_clock.before);
  costs->n_promotions++;
  costs->promotion_ns += cost_ns;
}

static void
copied_cb (void    *data,
           unsigned table_id,
           uint64_t n_copied,
           uint64_t n_expunged,
           uint64_t cost_ns) {
  Costs *costs = data;

  g_assert_cmpuint (cost_ns, ==, test_clock.last - test_clock.before);
  costs->n_copies++;
  costs->copy_ns += cost_ns;
}

/* What a hook is told took exactly from the clock's last reading but one to its
 * last; without a clock it is 0. */
static void
test_hooks_tell_what_it_cost (gconstpointer data) {
  const EngineClass *klass = data;
  Costs costs = { 0 };
  EngineHooks hooks = { .promote = promoted_cb, .copy = copied_cb,
                        .data = &costs };
  EngineConfig config = { .seed = 4, .hooks = &hooks };

  for (guint has_clock = 0; has_clock < 2; has_clock++) {
    Alone alone = { .klass = klass };
    EngineStats stats;

    costs = (Costs){ 0 };
    test_clock = (TestClock){ 0 };
    config.now_ns = has_clock ? tick_now_ns : NULL;
    alone.map = engine_new (klass, &config);
    g_assert_true (engine_enter_thread (alone.map, &alone.thread, 0));
    for (int64_t i = 0; i < 20; i++) {
      store_keys (&alone, i * 10, i * 10 + 10);
      promote (&alone);
    }
    engine_get_stats (alone.map, &stats);
    g_assert_cmpuint (costs.n_promotions, ==, stats.n_promotions);
    g_assert_cmpuint (costs.n_promotions, >=, 20);
    g_assert_cmpuint (costs.n_copies, ==, stats.n_copies);
    g_assert_cmpuint (costs.n_copies, >=, 19);
    g_assert_cmpuint (costs.promotion_ns, ==, stats.promotion_ns);
    g_assert_cmpuint (costs.copy_ns, ==, stats.copy_ns);
    g_assert_true ((costs.copy_ns > 0) == has_clock);
    end_alone (&alone);
  }
}

/* What @work does to a map, told. */
static MapState *
record_alone (const EngineClass *klass,
              void             (*work) (Alone *alone)) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (Recorder) recorder = recorder_new (log);
  Alone alone;
  Probe probe;

  g_assert_true (probe_init (&probe, 4096));
  recorder_add (recorder, &probe, EVENT_THREAD_MAIN);
  recorder_start (recorder);
  probe_set_span_period (&probe, 1);
  probe_current = &probe;
  begin_alone (&alone, klass);
  work (&alone);
  end_alone (&alone);
  probe_flush (&probe);
  probe_current = NULL;
  g_assert_cmpuint (recorder_finish (recorder), ==, 0);
  probe_clear (&probe);
  return fold_log (log);
}

/* Two that find something, and one between them that does not. */
static void
clear_thrice (Alone *alone) {
  store_keys (alone, 0, 40);
  alone->klass->clear (alone->map, &alone->thread);
  g_assert_cmpuint (alone->klass->len (alone->map, &alone->thread), ==, 0);
  alone->klass->clear (alone->map, &alone->thread);
  store_keys (alone, 20, 21);
  promote (alone);
  alone->klass->clear (alone->map, &alone->thread);
  g_assert_cmpuint (alone->klass->len (alone->map, &alone->thread), ==, 0);
}

static void
test_clears_are_counted (gconstpointer data) {
  const EngineClass *klass = data;
  g_autoptr (MapState) state = record_alone (klass, clear_thrice);
  const StateCounters *counters = map_state_counters (state);
  gboolean has_versions = g_str_equal (klass->name, "viewmap");

  g_assert_cmpuint (counters->n_ops[OP_CLEAR], ==, 3);
  g_assert_cmpuint (counters->n_ok[OP_CLEAR], ==, 3);
  g_assert_cmpuint (counters->n_cleared, ==, has_versions ? 3 : 2);
  g_assert_cmpuint (map_state_n_live (state), ==, 0);
}

/* Contention --------------------------------------------------------------- */

#define N_RIVALS 4
#define N_TURNS 20000

typedef struct {
  MapEngine         *map;
  pthread_barrier_t *start;
  guint              index;
} Rival;

static void *
fight_cb (void *data) {
  Rival *rival = data;
  EngineThread thread;

  g_assert_true (engine_enter_thread (rival->map, &thread,
                                      (uint16_t)rival->index));
  pthread_barrier_wait (rival->start);
  for (int64_t i = 0; i < N_TURNS; i++)
    rival->map->klass->store (rival->map, &thread, i % 3, i);
  engine_leave_thread (&thread);
  return NULL;
}

/* Each hold that was timed and each wait is in the histogram once. */
static void
test_rivals_are_counted (gconstpointer data) {
  const EngineClass *klass = data;
  EngineConfig config = { .seed = 4, .shards = 3, .now_ns = test_now_ns };
  MapEngine *map = engine_new (klass, &config);
  Rival rivals[N_RIVALS];
  pthread_t threads[N_RIVALS];
  pthread_barrier_t start;
  guint64 n_waits = 0, n_holds = 0;
  EngineStats stats;

  pthread_barrier_init (&start, NULL, N_RIVALS);
  for (guint i = 0; i < N_RIVALS; i++) {
    rivals[i] = (Rival){ map, &start, i };
    g_assert_cmpint (pthread_create (&threads[i], NULL, fight_cb, &rivals[i]),
                     ==, 0);
  }
  for (guint i = 0; i < N_RIVALS; i++)
    pthread_join (threads[i], NULL);
  pthread_barrier_destroy (&start);
  engine_get_stats (map, &stats);
  for (guint i = 0; i < ENGINE_HISTOGRAM_N; i++) {
    n_waits += stats.lock_waits[i];
    n_holds += stats.lock_holds[i];
  }
  g_test_message ("%s: %" G_GUINT64_FORMAT " waits, %" G_GUINT64_FORMAT
                  " holds timed, %" G_GUINT64_FORMAT " CAS tried again",
                  klass->name, n_waits, n_holds, stats.n_cas_retries);
  g_assert_cmpuint (n_waits, ==, stats.n_lock_waits);
  if (!klass->has_read_and_dirty)
    g_assert_cmpuint (n_holds, ==, N_RIVALS * ((N_TURNS + ENGINE_HOLD_PERIOD - 1)
                                               / ENGINE_HOLD_PERIOD));
  engine_free (map);
}

/* Histograms --------------------------------------------------------------- */

static void
test_quantiles_bound_from_above (void) {
  StateHistogram histogram = { { 0 } };

  g_assert_cmpuint (state_histogram_quantile (&histogram, 0.5), ==, 0);
  histogram.counts[4] = 98;
  histogram.counts[10] = 1;
  histogram.counts[20] = 1;
  g_assert_cmpuint (state_histogram_total (&histogram), ==, 100);
  g_assert_cmpuint (state_histogram_quantile (&histogram, 0), ==, 1 << 5);
  g_assert_cmpuint (state_histogram_quantile (&histogram, 0.5), ==, 1 << 5);
  g_assert_cmpuint (state_histogram_quantile (&histogram, 0.98), ==, 1 << 5);
  g_assert_cmpuint (state_histogram_quantile (&histogram, 0.99), ==, 1 << 11);
  g_assert_cmpuint (state_histogram_quantile (&histogram, 1), ==, 1 << 21);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; engine_classes ()[i] != NULL; i++) {
    const EngineClass *klass = engine_classes ()[i];
    g_autofree char *same = g_strdup_printf (
        "/core/stats/%s/recording-tells-the-same", klass->name);
    g_autofree char *bytes = g_strdup_printf (
        "/core/stats/%s/bytes-follow-the-keys", klass->name);
    g_autofree char *full = g_strdup_printf (
        "/core/stats/%s/full-load-is-light", klass->name);
    g_autofree char *rivals = g_strdup_printf (
        "/core/stats/%s/rivals-are-counted", klass->name);
    g_autofree char *clears = g_strdup_printf (
        "/core/stats/%s/clears-are-counted", klass->name);
    g_autofree char *hooks = g_strdup_printf (
        "/core/stats/%s/hooks-tell-what-it-cost", klass->name);

    g_test_add_data_func (same, klass, test_recording_tells_the_same);
    g_test_add_data_func (bytes, klass, test_bytes_follow_the_keys);
    g_test_add_data_func (full, klass, test_full_load_is_light);
    g_test_add_data_func (clears, klass, test_clears_are_counted);
    if (klass->has_read_and_dirty)
      g_test_add_data_func (hooks, klass, test_hooks_tell_what_it_cost);
    if (klass->is_thread_safe)
      g_test_add_data_func (rivals, klass, test_rivals_are_counted);
  }
  g_test_add_func ("/core/stats/viewmap/views-keep-versions",
                   test_views_keep_versions);
  g_test_add_func ("/core/stats/quantiles-bound-from-above",
                   test_quantiles_bound_from_above);
  return g_test_run ();
}
