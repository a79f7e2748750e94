/* SPDX-License-Identifier: GPL-3.0-or-later */

/* honesty-measure.c — what recording costs this workload on this machine
 *
 * Turns alternate, blind and recorded, so that a machine that slows down or is
 * busy for a while does so for both; the medians of each way are compared. The
 * scenario's last phase that has a mix is what runs, after its preload: scripts,
 * targets and pauses would measure waiting.
 *
 * A turn's time is the phase's: threads begin together and end at the deadline,
 * each after its operation, which is short against a turn.
 */
#include "core/workload/honesty-measure.h"

#include <math.h>
#include <string.h>

#define N_TURNS 5u

static double
mix_sum (const ThreadGroup *group) {
  OperationMix mix = group->mix;
  double sum = 0;

  for (guint i = 0; i < OPERATION_MIX_N; i++)
    sum += *operation_mix_share (&mix, i);
  return sum;
}

static gboolean
phase_has_mix (const ScenarioPhase *phase) {
  for (guint i = 0; i < phase->threads->len; i++)
    if (mix_sum (g_ptr_array_index (phase->threads, i)) > 0)
      return TRUE;
  return FALSE;
}

/* (transfer full): @scenario as one turn of @seconds. */
static Scenario *
make_turn (const Scenario *scenario,
           double          seconds) {
  Scenario *turn = scenario_copy (scenario);
  guint chosen = turn->phases->len - 1;
  ScenarioPhase *phase;

  while (chosen > 0 && !phase_has_mix (g_ptr_array_index (turn->phases, chosen)))
    chosen--;
  for (guint i = turn->phases->len; i-- > 0;)
    if (i != chosen)
      g_ptr_array_remove_index (turn->phases, i);
  phase = g_ptr_array_index (turn->phases, 0);
  phase->duration = seconds;
  phase->operationcount = 0;
  g_array_set_size (phase->script, 0);
  for (guint i = 0; i < phase->threads->len; i++) {
    ThreadGroup *group = g_ptr_array_index (phase->threads, i);

    group->target = 0;
    group->rangepause = 0;
  }
  turn->stops_on_misuse = FALSE;
  return turn;
}

/* ns per operation and thread; NAN: nothing was done, or it failed. */
static double
run_turn (const Scenario *turn,
          gboolean        is_blind,
          guint64        *n_operations,
          GError        **error) {
  const ScenarioPhase *phase = g_ptr_array_index (turn->phases, 0);
  g_autoptr (Runner) runner = runner_new (turn, NULL, NULL, error);
  guint64 n;

  if (runner == NULL)
    return NAN;
  if (is_blind)
    runner_set_blind (runner);
  if (!runner_start (runner, error))
    return NAN;
  runner_join (runner);
  n = runner_get_n_operations (runner);
  *n_operations += n;
  return n == 0 ? NAN
                : phase->duration * 1e9 * scenario_get_n_threads (turn)
                      / (double)n;
}

static int
compare_doubles (gconstpointer one,
                 gconstpointer other) {
  double a = *(const double *)one, b = *(const double *)other;

  return a < b ? -1 : a > b;
}

/* The median of @values, which are sorted; *spread is raised to how far the
 * farthest lies from it. */
static double
take_median (double *values,
             double *spread) {
  double median;

  qsort (values, N_TURNS, sizeof *values, compare_doubles);
  median = values[N_TURNS / 2];
  *spread = MAX (*spread, (median - values[0]) / median);
  *spread = MAX (*spread, (values[N_TURNS - 1] - median) / median);
  return median;
}

gboolean
honesty_measure (const Scenario *scenario,
                 double          seconds,
                 GCancellable   *cancellable,
                 HonestyFigures *figures,
                 GError        **error) {
  g_autoptr (Scenario) turn = make_turn (scenario, seconds / (2 * N_TURNS));
  double ns[2][N_TURNS];

  memset (figures, 0, sizeof *figures);
  for (guint i = 0; i < 2 * N_TURNS; i++) {
    GError *problem = NULL;

    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    ns[i % 2][i / 2]
        = run_turn (turn, i % 2 == 0, &figures->n_operations, &problem);
    if (problem == NULL && isnan (ns[i % 2][i / 2]))
      g_set_error_literal (&problem, G_IO_ERROR, G_IO_ERROR_FAILED,
                           "no operation was done in a turn");
    if (problem != NULL) {
      g_propagate_error (error, problem);
      return FALSE;
    }
  }
  figures->blind_ns = take_median (ns[0], &figures->spread);
  figures->recorded_ns = take_median (ns[1], &figures->spread);
  figures->n_turns = N_TURNS;
  return TRUE;
}
