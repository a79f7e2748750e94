/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-gomap-misuse.c — threads that meet in a gomap, for real
 *
 * Four threads do everything to one map that nobody may share. What the detector
 * says is up to the machine; what must hold is not: no memory is broken (the
 * sanitizers watch), the map's invariants hold when all are out, what was
 * recorded folds to the engine's memory, and every misuse was told once.
 */
#include "record-run.h"

#include "core/state/fold.h"

#include <string.h>

/* A generous bound: the first run has all three kinds on any machine met so
 * far. A run's parameters follow from its number. */
#define MAX_RUNS 300

static Fold *
fold_log (TraceLog *log) {
  Fold *fold = fold_new ();
  guint64 length = tracelog_get_length (log);

  while (fold_n_events (fold) < length) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, fold_n_events (fold));

    for (guint i = 0; i < block->n_events; i++)
      fold_apply (fold, &block->events[i]);
  }
  return fold;
}

static void
report_cb (const char *text,
           void       *data) {
  g_test_message ("%s", text);
}

static void
assert_same_memory (const MapState *state,
                    MapEngine      *map) {
  DumpSink folded, real;

  dump_init (&folded);
  dump_init (&real);
  map_state_dump (state, &folded);
  map->klass->dump (map, &real);
  g_assert_cmpstr (folded.text, ==, real.text);
  dump_clear (&folded);
  dump_clear (&real);
}

/* Adds to @sums what the run met; returns the sum of the run. */
static guint64
add_misuses (const RecordedRun *run,
             guint64            sums[3][3]) {
  guint64 n = 0;

  for (guint kind = 0; kind < 3; kind++)
    for (guint place = 0; place < 3; place++) {
      sums[kind][place] += run->n_misuses[kind][place];
      n += run->n_misuses[kind][place];
    }
  return n;
}

static void
assert_told (const MapState *state,
             guint64         n_misuses) {
  const StateMisuse *newest = map_state_misuse (state);

  g_assert_cmpuint (map_state_counters (state)->n_misuses, ==, n_misuses);
  g_assert_cmpuint (newest->at != 0, ==, n_misuses != 0);
  if (n_misuses == 0)
    return;
  g_assert_cmpuint (newest->thread, <, 4);
  g_assert_cmpint (newest->writer, <, 4);
  g_assert_cmpint (newest->writer, !=, newest->thread);
  g_assert_cmpint (newest->op, !=, OP_LEN);
  g_assert_cmpuint (newest->kind == MISUSE_ITERATION_AND_WRITE, ==,
                    newest->op == OP_RANGE);
}

static void
run_once (guint   number,
          guint64 sums[3][3]) {
  static const guint sizes[] = { 20, 4, 300, 2000 };
  const RecordRun run = { .klass = engine_class_find ("gomap"),
                          .seed = number + 1,
                          .n_workers = 4,
                          .n_operations = 8000,
                          .n_keys = sizes[number % 4],
                          .span_period = number % 3,
                          .is_fine = number % 2 == 0,
                          .is_shared = TRUE };
  RecordedRun recorded = record_run (&run);
  g_autoptr (Fold) fold = fold_log (recorded.log);
  g_autoptr (MapState) state = fold_ref_state (fold);
  guint64 n = add_misuses (&recorded, sums);
  EngineStats stats;

  g_assert_cmpuint (recorded.n_ungated, ==, 0);
  g_assert_cmpstr (fold_first_fault (fold), ==, NULL);
  g_assert_cmpuint (run.klass->check (recorded.map, report_cb, NULL), ==, 0);
  assert_same_memory (state, recorded.map);
  assert_told (state, n);
  engine_get_stats (recorded.map, &stats);
  g_assert_cmpuint (stats.n_misuses, ==, n);
  recorded_run_clear (&recorded);
}

static gboolean
has_all_kinds (guint64 sums[3][3]) {
  return sums[MISUSE_CONCURRENT_WRITES][MISUSE_AT_ENTRY] > 0
         && sums[MISUSE_CONCURRENT_READ_AND_WRITE][MISUSE_AT_ENTRY] > 0
         && sums[MISUSE_ITERATION_AND_WRITE][MISUSE_AT_STEP] > 0;
}

static void
test_threads_meet (void) {
  guint64 sums[3][3] = { { 0 } };
  guint n_runs = 0;

  while (n_runs < MAX_RUNS && (n_runs < 8 || !has_all_kinds (sums)))
    run_once (n_runs++, sums);
  g_test_message ("%u runs: writes %" G_GUINT64_FORMAT " at entry, %"
                  G_GUINT64_FORMAT " at exit; reads %" G_GUINT64_FORMAT
                  "; iterations %" G_GUINT64_FORMAT, n_runs,
                  sums[MISUSE_CONCURRENT_WRITES][MISUSE_AT_ENTRY],
                  sums[MISUSE_CONCURRENT_WRITES][MISUSE_AT_EXIT],
                  sums[MISUSE_CONCURRENT_READ_AND_WRITE][MISUSE_AT_ENTRY],
                  sums[MISUSE_ITERATION_AND_WRITE][MISUSE_AT_STEP]);
  g_assert_true (has_all_kinds (sums));
}

/* Readers may meet: nobody writes, nobody is told off. */
static void *
read_cb (void *data) {
  MapEngine *map = data;
  EngineThread thread;
  int64_t value = 0;
  guint n_left = 0;

  g_assert_true (engine_enter_thread (map, &thread, 1));
  for (guint i = 0; i < 20000; i++) {
    g_assert_true (map->klass->load (map, &thread, i % 50, &value));
    g_assert_cmpint (value, ==, 100 + i % 50);
    if (i % 100 == 0) {
      n_left = 1000;
      g_assert_true (map->klass->range (map, &thread, record_visit_cb, &n_left));
      g_assert_cmpuint (n_left, ==, 950);
    }
    g_assert_cmpuint (map->klass->len (map, &thread), ==, 50);
  }
  g_assert_cmpint (thread.error, ==, ENGINE_ERROR_NONE);
  engine_leave_thread (&thread);
  return NULL;
}

static void
test_readers_may_meet (void) {
  const EngineConfig config = { .seed = 5, .is_shared = true };
  MapEngine *map = engine_new (engine_class_find ("gomap"), &config);
  EngineThread thread;
  pthread_t readers[3];

  g_assert_true (engine_enter_thread (map, &thread, 0));
  for (gint64 key = 0; key < 50; key++)
    g_assert_true (map->klass->store (map, &thread, key, 100 + key));
  engine_leave_thread (&thread);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    g_assert_cmpint (pthread_create (&readers[i], NULL, read_cb, map), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    pthread_join (readers[i], NULL);
  g_assert_cmpuint (map->klass->check (map, report_cb, NULL), ==, 0);
  engine_free (map);
}

/* Without company a shared map gives what an unshared one gives, and the same
 * memory in the end. */
static void
test_alone_it_is_the_same_map (void) {
  RecordRun run = { .klass = engine_class_find ("gomap"),
                    .seed = 9,
                    .n_workers = 1,
                    .n_operations = 20000,
                    .n_keys = 700,
                    .span_period = 1 };
  RecordedRun unshared = record_run (&run);
  DumpSink one, other;

  run.is_shared = TRUE;
  RecordedRun shared = record_run (&run);

  dump_init (&one);
  dump_init (&other);
  run.klass->dump (unshared.map, &one);
  run.klass->dump (shared.map, &other);
  g_assert_cmpstr (one.text, ==, other.text);
  dump_clear (&one);
  dump_clear (&other);
  recorded_run_clear (&unshared);
  recorded_run_clear (&shared);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/gomap/misuse/threads-meet", test_threads_meet);
  g_test_add_func ("/core/gomap/misuse/readers-may-meet", test_readers_may_meet);
  g_test_add_func ("/core/gomap/misuse/alone-it-is-the-same-map",
                   test_alone_it_is_the_same_map);
  return g_test_run ();
}
