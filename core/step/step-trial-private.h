/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-trial-private.h — a trial's insides, for the judge */
#pragma once

#include "core/engine/engine.h"
#include "core/step/step-trial.h"

struct _StepTrial {
  StepScenario       scenario;
  StepProgram        program;
  const EngineClass *klass;
  MapEngine         *map;
  EngineThread       alone;
  EngineThread       threads[STEP_MAX_WORKERS];
  StepResult         results[STEP_MAX_WORKERS][STEP_MAX_OPS];
  unsigned           n_keys;
  int64_t            keys[STEP_MAX_KEYS];
  StepResult         first[STEP_MAX_KEYS]; /* read before the settling */
  StepResult         final[STEP_MAX_KEYS]; /* and after it */
  size_t             n_broken;             /* invariants */
  char               broken[200];          /* the first of them */
};

/* false: no order of the operations explains the results. */
bool step_judge (const StepTrial *self,
                 char            *why,
                 size_t           why_bytes);
