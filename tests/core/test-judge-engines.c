/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-judge-engines.c — full-speed runs of every engine are judged right
 *
 * Four workers do all kinds of operations, Ranges and Clears too, on few keys,
 * where they meet, and on many. TOPHASH_JUDGE_OPS sets how many operations each
 * worker does in each run (10000; 180000 makes 11 millions in all).
 */
#include "core/check/judge.h"
#include "core/workload/runner.h"
#include "core/workload/scenario-private.h"

#define N_WORKERS 4

typedef struct {
  guint  n_keys;
  double range;
  double clear;
} Shape;

static const Shape shapes[] = {
  { 8, 0.002, 0.0005 },
  { 300, 0.004, 0.001 },
  { 20000, 0.0002, 0.00005 },
};

static guint64
n_operations (void) {
  const char *text = g_getenv ("TOPHASH_JUDGE_OPS");

  return text != NULL ? g_ascii_strtoull (text, NULL, 10) : 10000;
}

/* (transfer full) */
static Scenario *
make_scenario (const char  *engine,
               const Shape *shape) {
  const OperationMix mix = {
    .load = 0.4,       .store = 0.2,          .load_or_store = 0.08,
    .delete_key = 0.08, .load_and_delete = 0.06, .swap = 0.08,
    .compare_and_swap = 0.05, .compare_and_delete = 0.03,
    .range = shape->range, .clear = shape->clear,
  };
  Scenario *scenario = scenario_new_empty ("judged");
  ScenarioPhase *phase = scenario_phase_new ("all");
  ThreadGroup *group = thread_group_new ("worker");

  group->count = N_WORKERS;
  group->mix = mix;
  phase->operationcount = n_operations ();
  g_ptr_array_add (phase->threads, group);
  scenario->title = g_strdup ("Judged");
  scenario->summary = g_strdup ("A run that is judged");
  scenario->engine = g_strdup (engine);
  scenario->seed = 7;
  scenario->recordcount = shape->n_keys;
  scenario->telling = TELLING_WHOLE;
  g_ptr_array_add (scenario->phases, phase);
  return scenario;
}

static void
judge_run (const char  *engine,
           const Shape *shape) {
  g_autoptr (Scenario) scenario = make_scenario (engine, shape);
  g_autoptr (Runner) runner = NULL;
  g_autoptr (JudgeReport) report = NULL;
  g_autoptr (GError) error = NULL;

  runner = runner_new (scenario, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (runner_start (runner, &error));
  runner_join (runner);
  g_assert_cmpuint (runner_get_n_errors (runner), ==, 0);
  report = judge_log (runner_get_log (runner), NULL, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < report->violations->len; i++) {
    const JudgeCase *found = g_ptr_array_index (report->violations, i);
    g_autofree char *text = judge_case_text (found);

    g_test_message ("key %" G_GINT64_FORMAT ": %s", found->key, text);
  }
  g_test_message ("%s, %u keys: %" G_GUINT64_FORMAT " operations, %"
                  G_GUINT64_FORMAT " Ranges, %" G_GUINT64_FORMAT " Clears",
                  engine, shape->n_keys, report->n_operations,
                  report->n_ranges, report->n_clears);
  g_assert_cmpint (report->verdict, ==, LINEAR_OK);
  g_assert_cmpuint (report->n_operations, >=, N_WORKERS * n_operations () * 9
                                                  / 10);
  g_assert_cmpuint (report->n_untold, ==, 0);
}

static void
test_judged_right (gconstpointer data) {
  const EngineClass *klass = data;

  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    judge_run (klass->name, &shapes[i]);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  for (const EngineClass *const *at = engine_classes (); *at != NULL; at++) {
    g_autofree char *path
        = g_strdup_printf ("/core/check/judge-engines/%s", (*at)->name);

    if ((*at)->is_thread_safe)
      g_test_add_data_func (path, *at, test_judged_right);
  }
  return g_test_run ();
}
