/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-runner.c — whole runs: real threads, a real map, a recording */
#include "core/check/history.h"
#include "core/state/fold.h"
#include "core/workload/runner.h"

#include <string.h>

static void
count_report (const char *text,
              void       *data) {
  g_test_message ("broken: %s", text);
}

/* One phase, one group. */
static Scenario *
make_scenario (const char *engine,
               guint       n_threads,
               double      target,
               double      duration) {
  g_autofree char *json = g_strdup_printf (
      "{\"title\":\"t\",\"summary\":\"s\",\"watch-for\":\"w\",\"learn\":\"l\","
      "\"engine\":\"%s\",\"seed\":4,\"recordcount\":100,\"preload\":true,"
      "\"phases\":[{\"name\":\"p\",\"duration\":%g,\"threads\":[{\"role\":\"r\","
      "\"count\":%u,\"target\":%g,\"mix\":{\"load\":30,\"store\":20,"
      "\"insert\":1,\"load-or-store\":8,\"load-and-delete\":8,\"delete\":8,"
      "\"swap\":8,\"compare-and-swap\":8,\"compare-and-delete\":4,\"range\":0.2,"
      "\"clear\":0.05}}]}]}",
      engine, duration, n_threads, target);
  g_autoptr (GError) error = NULL;
  Scenario *scenario = scenario_new_from_json (json, -1, "t", &error);

  g_assert_no_error (error);
  return scenario;
}

/* What the log tells folds to what the map holds. */
static void
assert_whole (Runner *runner) {
  TraceLog *log = runner_get_log (runner);
  MapEngine *map = runner_get_map (runner);
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;
  DumpSink folded, real;

  g_assert_cmpuint (runner_get_n_ungated (runner), ==, 0);
  g_assert_cmpuint (runner_get_n_errors (runner), ==, 0);
  g_assert_true (tracelog_is_finished (log));
  g_assert_cmpuint (map->klass->check (map, count_report, NULL), ==, 0);
  for (guint64 i = 0; i < tracelog_get_length (log);) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, i);

    for (guint n = (guint)(i - block->first); n < block->n_events; n++, i++)
      fold_apply (fold, &block->events[n]);
  }
  g_assert_cmpstr (fold_first_fault (fold), ==, NULL);
  state = fold_ref_state (fold);
  dump_init (&folded);
  dump_init (&real);
  map_state_dump (state, &folded);
  map->klass->dump (map, &real);
  g_assert_cmpstr (folded.text, ==, real.text);
  dump_clear (&folded);
  dump_clear (&real);
}

static void
test_every_engine (void) {
  for (guint i = 0; engine_classes ()[i] != NULL; i++) {
    const EngineClass *klass = engine_classes ()[i];
    g_autoptr (Scenario) scenario
        = make_scenario (klass->name, klass->is_thread_safe ? 4 : 1, 0, 0.2);
    g_autoptr (GError) error = NULL;
    g_autoptr (Runner) runner = runner_new (scenario, NULL, NULL, &error);

    g_assert_no_error (error);
    g_assert_true (runner_start (runner, &error));
    runner_join (runner);
    g_assert_false (runner_is_running (runner));
    g_test_message ("%s: %" G_GUINT64_FORMAT " operations, %" G_GUINT64_FORMAT
                    " events", klass->name, runner_get_n_operations (runner),
                    tracelog_get_length (runner_get_log (runner)));
    g_assert_cmpuint (runner_get_n_operations (runner), >, 100);
    assert_whole (runner);
  }
}

/* At full speed and as asked for: every operation, the preload's too; or a
 * refusal that says what to ask for. */
static void
test_history (gconstpointer data) {
  const gboolean is_told = GPOINTER_TO_INT (data);
  g_autoptr (Scenario) scenario = make_scenario ("syncmap", 4, 0, 0.1);
  g_autoptr (GError) error = NULL;
  g_autoptr (Runner) runner = NULL;
  g_autoptr (History) history = NULL;
  guint64 n_told = 0;
  const HistoryOp *first;
  gsize n;

  scenario->telling = is_told ? TELLING_WHOLE : TELLING_COUNTS;
  runner = runner_new (scenario, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (runner_start (runner, &error));
  runner_join (runner);
  assert_whole (runner);
  history = history_new_from_log (runner_get_log (runner), 0, 1, NULL, &error);
  if (!is_told) {
    g_assert_null (history);
    g_assert_error (error, HISTORY_ERROR, HISTORY_ERROR_SAMPLED);
    return;
  }
  g_assert_no_error (error);
  g_assert_true (history_begins_empty (history));
  g_assert_cmpuint (history_n_untold (history), ==, 0);
  g_assert_cmpuint (history_n_left_out (history), ==, 0);
  for (gsize k = 0; k < history_n_keys (history); k++) {
    history_ops (history, k, &n);
    n_told += n;
  }
  history_ranges (history, &n);
  n_told += n;
  history_clears (history, &n);
  n_told += n;
  g_assert_cmpuint (n_told, ==,
                    runner_get_n_operations (runner) + scenario->recordcount);
  g_assert_cmpint (history_key (history, 5), ==, 5);
  first = history_ops (history, 5, &n);
  g_assert_cmpuint (first->thread, ==, EVENT_THREAD_MAIN);
  g_assert_cmpuint (first->op, ==, OP_STORE);
  g_assert_cmpint (first->value, ==, 600);
}

static void
test_misfit (void) {
  g_autoptr (Scenario) scenario = make_scenario ("gomap", 4, 0, 1);
  g_autoptr (GError) error = NULL;

  g_free (scenario->engine);
  scenario->engine = g_strdup ("nomap");
  g_assert_null (runner_new (scenario, NULL, NULL, &error));
  g_assert_error (error, SCENARIO_ERROR, SCENARIO_ERROR_INVALID);
  g_assert_cmpstr (error->message, ==,
                   "t.json: engine: wanted the name of an engine, found “nomap”");
}

/* How many misuses the log tells; the run lasted at most until its end. */
static guint64
run_misused (gboolean stops,
             double   duration,
             gint64  *took_ns) {
  g_autoptr (Scenario) scenario = make_scenario ("gomap", 4, 0, duration);
  g_autoptr (Runner) runner = NULL;
  g_autoptr (Fold) fold = fold_new ();
  TraceHonesty honesty;
  TraceLog *log;

  scenario->stops_on_misuse = stops;
  runner = runner_new (scenario, NULL, NULL, NULL);
  g_assert_true (runner_start (runner, NULL));
  runner_join (runner);
  assert_whole (runner);
  log = runner_get_log (runner);
  tracelog_get_honesty (log, &honesty);
  g_assert_true (honesty.is_complete);
  *took_ns = honesty.duration_ns;
  while (fold_n_events (fold) < tracelog_get_length (log)) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, fold_n_events (fold));

    for (guint i = 0; i < block->n_events; i++)
      fold_apply (fold, &block->events[i]);
  }
  return map_state_counters (fold_peek_state (fold))->n_misuses;
}

static void
test_misuse_stops_the_run (void) {
  gint64 took_ns;
  guint64 n = run_misused (TRUE, 60, &took_ns);

  /* Each of the four may be in an operation when the first is found. */
  g_assert_cmpuint (n, >=, 1);
  g_assert_cmpint (took_ns, <, 50 * (gint64)1000000000);
}

static void
test_misuse_is_counted (void) {
  gint64 took_ns;
  guint64 n = run_misused (FALSE, 0.5, &took_ns);

  g_assert_cmpuint (n, >=, 1);
  g_assert_cmpint (took_ns, >, 450000000);
}

static void
count_done (Runner  *runner,
            gpointer data) {
  g_assert_false (runner_is_running (runner));
  g_assert_true (tracelog_is_finished (runner_get_log (runner)));
  g_atomic_int_inc ((gint *)data);
}

static void
test_stop_mid_pace (void) {
  g_autoptr (Scenario) scenario = make_scenario ("syncmap", 4, 0.01, 3600);
  g_autoptr (Runner) runner = NULL;
  gint64 began;
  gint n_done = 0;

  runner = runner_new (scenario, count_done, &n_done, NULL);
  g_assert_true (runner_start (runner, NULL));
  /* Worker 0's first operation is due at once, the next in 100 s. */
  while (runner_get_n_operations (runner) == 0)
    g_thread_yield ();
  began = g_get_monotonic_time ();
  runner_stop (runner);
  runner_join (runner);
  g_assert_cmpint (g_get_monotonic_time () - began, <, G_USEC_PER_SEC);
  g_assert_cmpint (g_atomic_int_get (&n_done), ==, 1);
  assert_whole (runner);
}

static void
test_stop_mid_range (void) {
  g_autoptr (Scenario) scenario = make_scenario ("syncmap", 1, 0.01, 3600);
  ScenarioPhase *phase = g_ptr_array_index (scenario->phases, 0);
  ThreadGroup *group = g_ptr_array_index (phase->threads, 0);
  g_autoptr (Runner) runner = NULL;
  TraceLog *log;
  gboolean has_range = FALSE;
  gint64 began;

  group->mix = (OperationMix){ .range = 1 };
  group->rangepause = 1000;
  runner = runner_new (scenario, NULL, NULL, NULL);
  log = runner_get_log (runner);
  g_assert_true (runner_start (runner, NULL));
  while (!has_range) {
    guint64 length = tracelog_get_length (log);
    Event event;

    for (guint64 i = 0; i < length && !has_range; i++)
      has_range = tracelog_get_event (log, i, &event)
                  && event.kind == EVENT_RANGE_BEGAN;
    g_thread_yield ();
  }
  began = g_get_monotonic_time ();
  runner_stop (runner);
  runner_join (runner);
  g_assert_cmpint (g_get_monotonic_time () - began, <, G_USEC_PER_SEC / 2);
  assert_whole (runner);
}

/* A snapshot is begun, walked and ended: a view, or a copy that is made as a Range
 * is; an engine without any does a Range. What it gives is told where iterations
 * are told in full, and is no operation. */
/* At full speed, every operation of a worker in one event or as a span. */
static void
test_brief (void) {
  g_autoptr (Scenario) scenario = make_scenario ("syncmap", 3, 0, 0.1);
  g_autoptr (Runner) runner = NULL;
  guint64 n_told = 0, n_brief = 0, n_counted = 0;
  Event event;

  scenario->telling = TELLING_BRIEF;
  runner = runner_new (scenario, NULL, NULL, NULL);
  g_assert_true (runner_start (runner, NULL));
  runner_join (runner);
  assert_whole (runner);
  for (guint64 i = 0; tracelog_get_event (runner_get_log (runner), i, &event);
       i++) {
    n_told += event.kind == EVENT_OP_ENDED || event.kind == EVENT_OP_TOLD;
    n_brief += event.kind == EVENT_OP_TOLD;
    if (event.kind == EVENT_OPS_COUNTED) {
      g_assert_cmpuint (event.thread, ==, EVENT_THREAD_MAIN);
      n_counted += event.res;
    }
  }
  g_assert_cmpuint (n_told, ==, runner_get_n_operations (runner));
  g_assert_cmpuint (n_brief, >, n_told / 2);
  g_assert_cmpuint (n_counted, ==, scenario->recordcount);
}

/* Workers never wait; whatever was lost is counted, and what is left folds. */
static void
test_drops (void) {
  g_autoptr (Scenario) scenario = make_scenario ("syncmap", 4, 0, 0.3);
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;
  g_autoptr (Runner) runner = NULL;
  TraceHonesty honesty;
  guint64 n_dropped = 0;
  Event event;

  scenario->drops = TRUE;
  scenario->telling = TELLING_WHOLE;
  runner = runner_new (scenario, NULL, NULL, NULL);
  g_assert_true (runner_start (runner, NULL));
  runner_join (runner);
  for (guint64 i = 0; tracelog_get_event (runner_get_log (runner), i, &event);
       i++) {
    n_dropped += event.kind == EVENT_DROPPED ? event.res : 0;
    fold_apply (fold, &event);
  }
  state = fold_ref_state (fold);
  tracelog_get_honesty (runner_get_log (runner), &honesty);
  g_test_message ("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " dropped",
                  n_dropped, honesty.n_events + n_dropped);
  g_assert_cmpuint (honesty.n_dropped, ==, n_dropped);
  g_assert_cmpuint (map_state_counters (state)->n_dropped, ==, n_dropped);
  g_assert_cmpstr (fold_first_fault (fold), ==, NULL);
  g_assert_cmpuint (runner_get_n_ungated (runner), ==, 0);
  g_assert_cmpuint (runner_get_map (runner)->klass->check (
                        runner_get_map (runner), count_report, NULL),
                    ==, 0);
}

static void
test_snapshots (void) {
  static const char *const engines[] = { "viewmap", "rwmap", "gomap" };

  for (guint i = 0; i < G_N_ELEMENTS (engines); i++) {
    g_autoptr (Scenario) scenario = make_scenario (engines[i], 1, 0, 1);
    ScenarioPhase *phase = g_ptr_array_index (scenario->phases, 0);
    ThreadGroup *group = g_ptr_array_index (phase->threads, 0);
    g_autoptr (Runner) runner = NULL;
    guint n[EVENT_N_KINDS] = { 0 };
    guint n_given = 0;
    TraceLog *log;
    Event event;

    group->mix = (OperationMix){ .snapshot = 1 };
    phase->duration = 0;
    phase->operationcount = 5;
    scenario->telling = i == 0 ? TELLING_WHOLE : TELLING_COUNTS;
    runner = runner_new (scenario, NULL, NULL, NULL);
    log = runner_get_log (runner);
    g_assert_true (runner_start (runner, NULL));
    runner_join (runner);
    for (guint64 j = 0; tracelog_get_event (log, j, &event); j++) {
      n[event.kind]++;
      n_given += event.kind == EVENT_SNAPSHOT_ENDED ? event.res : 0;
    }
    g_assert_cmpuint (runner_get_n_operations (runner), ==, 5);
    g_assert_true (i == 2 || n_given > 0);
    g_assert_cmpuint (n[EVENT_SNAPSHOT_GAVE], ==, i == 0 ? n_given : 0);
    g_assert_cmpuint (n[EVENT_SNAPSHOT_BEGAN], ==, (guint)(i < 2 ? 5 : 0));
    g_assert_cmpuint (n[EVENT_SNAPSHOT_ENDED], ==, (guint)(i < 2 ? 5 : 0));
    g_assert_cmpuint (n[EVENT_RANGE_ENDED], ==, (guint)(i == 0 ? 0 : 5));
    assert_whole (runner);
  }
}

static void
test_changes (void) {
  g_autoptr (Scenario) scenario = make_scenario ("syncmap", 4, 0.01, 3600);
  OperationMix loads = { .load = 1 };
  g_autoptr (Runner) runner = NULL;
  guint64 n_before;

  runner = runner_new (scenario, NULL, NULL, NULL);
  g_assert_true (runner_start (runner, NULL));
  /* Would take hours at the old target. */
  runner_set_target (runner, G_MAXUINT, 2000);
  while (runner_get_n_operations (runner) < 200)
    g_thread_yield ();
  runner_set_mix (runner, 0, &loads);
  runner_set_active (runner, 0, 1);
  runner_set_target (runner, 0, 0);
  n_before = runner_get_n_operations (runner);
  while (runner_get_n_operations (runner) < n_before + 5000)
    g_thread_yield ();
  runner_set_active (runner, 0, 4);
  runner_stop (runner);
  runner_join (runner);
  assert_whole (runner);
}

static void
test_counts (void) {
  g_autoptr (Scenario) scenario = make_scenario ("mutexmap", 3, 0, 1);
  ScenarioPhase *phase = g_ptr_array_index (scenario->phases, 0);
  ThreadGroup *group = g_ptr_array_index (phase->threads, 0);
  ScriptedOp op = { OP_DELETE, 0, 0, 5, 2 };
  g_autoptr (Runner) runner = NULL;
  TraceLog *log;
  guint64 n_ended = 0;
  Event event;

  phase->duration = 0;
  phase->operationcount = 40;
  group->target = 5000;
  group->mix = (OperationMix){ .load = 1 };
  g_array_append_val (phase->script, op);
  runner = runner_new (scenario, NULL, NULL, NULL);
  g_assert_true (runner_start (runner, NULL));
  runner_join (runner);
  g_assert_cmpuint (runner_get_n_operations (runner), ==, 3 * 40 + 5);
  log = runner_get_log (runner);
  for (guint64 i = 0; tracelog_get_event (log, i, &event); i++)
    n_ended += event.kind == EVENT_OP_ENDED;
  g_assert_cmpuint (n_ended, ==, 3 * 40 + 5);
  assert_whole (runner);
}

/* At full speed too: who watches one that pauses sees where it is. */
static void
test_pausing_ranges_are_told (void) {
  g_autoptr (Scenario) scenario = make_scenario ("syncmap", 1, 0, 1);
  ScenarioPhase *phase = g_ptr_array_index (scenario->phases, 0);
  ThreadGroup *group = g_ptr_array_index (phase->threads, 0);
  g_autoptr (Runner) runner = NULL;
  guint n_began = 0;
  TraceLog *log;
  Event event;

  phase->duration = 0;
  phase->operationcount = 100;
  group->mix = (OperationMix){ .load = 9, .range = 1 };
  group->rangepause = 0.001;
  runner = runner_new (scenario, NULL, NULL, NULL);
  g_assert_true (runner_start (runner, NULL));
  runner_join (runner);
  log = runner_get_log (runner);
  for (guint64 i = 0; tracelog_get_event (log, i, &event); i++) {
    if (event.kind != EVENT_RANGE_BEGAN)
      continue;
    n_began++;
    g_assert_cmpuint (event.ver, !=, 0);
  }
  g_assert_cmpuint (n_began, >, 0);
  assert_whole (runner);
}

static void
test_never_started (void) {
  g_autoptr (Scenario) scenario = make_scenario ("syncmap", 2, 0, 1);
  g_autoptr (Runner) runner = runner_new (scenario, NULL, NULL, NULL);

  g_assert_nonnull (runner);
  g_assert_false (runner_is_running (runner));
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/runner/runs-every-engine", test_every_engine);
  g_test_add_data_func ("/core/runner/tells-the-history",
                        GINT_TO_POINTER (TRUE), test_history);
  g_test_add_data_func ("/core/runner/full-speed-is-sampled",
                        GINT_TO_POINTER (FALSE), test_history);
  g_test_add_func ("/core/runner/refuses-unknown-engines", test_misfit);
  g_test_add_func ("/core/runner/misuse-stops-the-run",
                   test_misuse_stops_the_run);
  g_test_add_func ("/core/runner/misuse-is-counted", test_misuse_is_counted);
  g_test_add_func ("/core/runner/stops-mid-pace", test_stop_mid_pace);
  g_test_add_func ("/core/runner/stops-mid-range", test_stop_mid_range);
  g_test_add_func ("/core/runner/tells-in-brief", test_brief);
  g_test_add_func ("/core/runner/drops-if-asked", test_drops);
  g_test_add_func ("/core/runner/walks-snapshots", test_snapshots);
  g_test_add_func ("/core/runner/obeys-while-running", test_changes);
  g_test_add_func ("/core/runner/counts-operations", test_counts);
  g_test_add_func ("/core/runner/pausing-ranges-are-told",
                   test_pausing_ranges_are_told);
  g_test_add_func ("/core/runner/may-never-start", test_never_started);
  return g_test_run ();
}
