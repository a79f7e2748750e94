/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-outcomes.h — what a search over a scenario's orders met, for tests */
#pragma once

#include "core/step/step-explore.h"
#include "core/step/step-trial.h"

#include <glib.h>

typedef struct {
  StepTrial  *trial;
  GHashTable *texts; /* every outcome met, with its first schedule */
} Outcomes;

static inline void
add_outcome_cb (StepRun *run,
                void    *data) {
  Outcomes *outcomes = data;
  char text[1000];

  g_assert_cmpuint (step_trial_outcome (outcomes->trial, text, sizeof text), <,
                    sizeof text);
  if (!g_hash_table_contains (outcomes->texts, text))
    g_hash_table_insert (outcomes->texts, g_strdup (text),
                         g_strdup (step_run_schedule (run)));
}

/* (transfer full): the outcomes, as text, of a search that found nothing wrong, each
 * with the schedule that met it first */
static inline GHashTable *
search_outcomes (const StepScenario *scenario,
                 StepSearch          search,
                 StepFindings       *findings) {
  Outcomes outcomes = {
    .trial = step_trial_new (scenario),
    .texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
  };
  StepExplore how = {
    .search = search,
    .visit = add_outcome_cb,
    .data = &outcomes,
  };

  g_assert_nonnull (outcomes.trial);
  step_explore (step_trial_program (outcomes.trial), &how, findings);
  if (findings->n_failures > 0)
    g_error ("%s: %s, schedule %s", step_outcome_name (findings->outcome),
             findings->why, findings->schedule);
  g_assert_true (findings->is_complete);
  step_trial_free (outcomes.trial);
  return outcomes.texts;
}
