/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-honesty.c — runs that nobody listens to, and what they are compared with */
#include "core/workload/honesty-measure.h"

#include <string.h>

/* The pace would make a turn of one operation. */
static Scenario *
make_scenario (void) {
  static const char json[]
      = "{\"title\":\"t\",\"summary\":\"s\",\"watch-for\":\"w\",\"learn\":\"l\","
        "\"engine\":\"syncmap\",\"seed\":4,\"recordcount\":100,\"preload\":true,"
        "\"phases\":[{\"name\":\"script\",\"duration\":30,\"threads\":[{\"role\":"
        "\"r\",\"count\":2,\"target\":1,\"mix\":{\"load\":8,\"store\":1}}]},"
        "{\"name\":\"mix\",\"duration\":30,\"threads\":[{\"role\":\"r\","
        "\"count\":2,\"target\":1,\"mix\":{\"load\":8,\"store\":1}}]}]}";
  g_autoptr (GError) error = NULL;
  Scenario *scenario = scenario_new_from_json (json, -1, "t", &error);

  g_assert_no_error (error);
  return scenario;
}

static void
test_a_blind_run_tells_nothing (void) {
  g_autoptr (Scenario) scenario = make_scenario ();
  ScenarioPhase *phase = g_ptr_array_index (scenario->phases, 0);
  g_autoptr (GError) error = NULL;
  g_autoptr (Runner) runner = NULL;

  g_ptr_array_set_size (scenario->phases, 1);
  phase->duration = 0;
  phase->operationcount = 5000;
  ((ThreadGroup *)g_ptr_array_index (phase->threads, 0))->target = 0;
  runner = runner_new (scenario, NULL, NULL, &error);
  g_assert_no_error (error);
  runner_set_blind (runner);
  g_assert_true (runner_start (runner, &error));
  runner_join (runner);
  g_assert_cmpuint (runner_get_n_operations (runner), ==, 10000);
  g_assert_cmpuint (runner_get_n_errors (runner), ==, 0);
  g_assert_cmpuint (tracelog_get_length (runner_get_log (runner)), ==, 0);
  g_assert_true (tracelog_is_finished (runner_get_log (runner)));
  g_assert_cmpuint (runner_get_map (runner)->klass->check (runner_get_map (runner),
                                                           NULL, NULL),
                    ==, 0);
}

static void
test_both_ways_are_measured (void) {
  g_autoptr (Scenario) scenario = make_scenario ();
  g_autoptr (GError) error = NULL;
  HonestyFigures figures;

  g_assert_true (honesty_measure (scenario, 0.4, NULL, &figures, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (figures.n_turns, ==, 5);
  /* At the scenario's pace there would be one operation a second. */
  g_assert_cmpuint (figures.n_operations, >, 1000);
  g_assert_cmpfloat (figures.blind_ns, >, 0);
  g_assert_cmpfloat (figures.recorded_ns, >, 0);
  g_assert_cmpfloat (figures.spread, >=, 0);
  /* The scenario is the caller's, and as it was. */
  g_assert_cmpuint (scenario->phases->len, ==, 2);
}

static void
test_can_be_cancelled (void) {
  g_autoptr (Scenario) scenario = make_scenario ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  HonestyFigures figures;

  g_cancellable_cancel (cancellable);
  g_assert_false (honesty_measure (scenario, 60, cancellable, &figures, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/workload/a-blind-run-tells-nothing",
                   test_a_blind_run_tells_nothing);
  g_test_add_func ("/core/workload/both-ways-are-measured",
                   test_both_ways_are_measured);
  g_test_add_func ("/core/workload/can-be-cancelled", test_can_be_cancelled);
  return g_test_run ();
}
