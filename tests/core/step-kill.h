/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-kill.h — for tests that look for bugs made on purpose
 *
 * Of a program that runs on the stepped build under its plain names. A kill is
 * solid when its schedule fails again on replay, twice and alike, and when
 * neither that schedule nor any other fails without the mutant.
 */
#pragma once

#include "core/base/mutant.h"
#include "core/step/step-explore.h"

#include <glib.h>

static inline void
assert_fails_again (const StepProgram  *program,
                    const StepFindings *findings) {
  StepRun *run = step_run_new (program);

  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (step_run_replay (run, findings->schedule), ==,
                     findings->outcome);
    g_assert_cmpstr (step_run_why (run), ==, findings->why);
    g_assert_cmpstr (step_run_schedule (run), ==, findings->schedule);
  }
  step_run_free (run);
}

/* What is right may take other steps: then the schedule ends where it does not
 * fit, or after its end the run goes on by itself. */
static inline void
assert_right_is_clean (const StepProgram  *program,
                       const StepFindings *findings,
                       guint64             max_runs) {
  StepExplore how = { .search = STEP_SEARCH_REDUCED, .max_runs = max_runs };
  StepRun *run = step_run_new (program);
  StepFindings clean;
  StepOutcome outcome = step_run_replay (run, findings->schedule);

  g_assert_true (outcome == STEP_FINISHED || outcome == STEP_MISFIT);
  step_run_free (run);
  step_explore (program, &how, &clean);
  if (clean.n_failures > 0)
    g_error ("the engine as it is: %s: %s, schedule %s",
             step_outcome_name (clean.outcome), clean.why, clean.schedule);
}

/* FALSE: the mutant survives all that is tried. */
static inline gboolean
kill_mutant (guint              mutant,
             const char        *name,
             const StepProgram *program,
             guint64            max_runs) {
  StepExplore how = { .search = STEP_SEARCH_REDUCED, .max_runs = max_runs };
  StepFindings findings, simplest;

  step_mutant = mutant;
  step_explore (program, &how, &findings);
  if (findings.n_failures == 0) {
    step_mutant = MUTANT_NONE;
    return FALSE;
  }
  assert_fails_again (program, &findings);
  if (step_explore_simplest (program, 2, max_runs, &simplest)) {
    simplest.failed_at = findings.failed_at;
    findings = simplest;
    assert_fails_again (program, &findings);
  }
  g_test_message ("mutant %u: %s, run %" G_GUINT64_FORMAT ": %s: %s", mutant,
                  name, findings.failed_at, step_outcome_name (findings.outcome),
                  findings.why);
  g_test_message ("  schedule %s", findings.schedule);
  step_mutant = MUTANT_NONE;
  assert_right_is_clean (program, &findings, max_runs);
  return TRUE;
}
