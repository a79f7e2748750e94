/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-minimise.c — the least that still fails
 *
 * Idea        A failure of eight operations has a reader ask which of them
 *             matter. So leave something out and search again: if some order
 *             still fails in the same way, it was not needed. Workers first, for
 *             with them goes most; then single operations, then preloaded keys.
 *             When nothing more can go, each operation that is left is needed.
 *             The order comes last: with the fewest preemptions, which reads as a
 *             story with the fewest turns.
 *
 * Limits      The way that it fails is its StepOutcome: a wrong result may become
 *             another wrong result of the same bug. A search that was stopped
 *             counts as one that found nothing, so a rare failure may keep more
 *             than it needs.
 *
 * Source      A. Zeller, R. Hildebrandt, Simplifying and isolating failure-
 *             inducing input, 2002; there in halves, here one by one: scenarios
 *             are small.
 */
#include "core/step/step-minimise.h"

#include <string.h>

typedef struct {
  StepScenario *scenario;
  uint64_t      max_runs;
  StepFindings *findings; /* of the least so far */
} Minimiser;

static bool
fails (const StepScenario *scenario,
       uint64_t            max_runs,
       StepFindings       *findings) {
  StepExplore how = { .search = STEP_SEARCH_REDUCED, .max_runs = max_runs };
  StepTrial *trial = step_trial_new (scenario);

  if (trial == NULL)
    return false;
  step_explore (step_trial_program (trial), &how, findings);
  step_trial_free (trial);
  return findings->n_failures > 0;
}

/* Takes @smaller if it fails like the one so far. */
static bool
take (Minimiser          *self,
      const StepScenario *smaller) {
  StepFindings findings;

  if (!fails (smaller, self->max_runs, &findings)
      || findings.outcome != self->findings->outcome)
    return false;
  *self->scenario = *smaller;
  *self->findings = findings;
  return true;
}

static void
drop_worker (StepScenario *scenario,
             unsigned      worker) {
  unsigned n_behind = --scenario->n_workers - worker;

  memmove (&scenario->n_ops[worker], &scenario->n_ops[worker + 1],
           n_behind * sizeof scenario->n_ops[0]);
  memmove (&scenario->ops[worker], &scenario->ops[worker + 1],
           n_behind * sizeof scenario->ops[0]);
}

static void
drop_op (StepScenario *scenario,
         unsigned      worker,
         unsigned      op) {
  unsigned n_behind = --scenario->n_ops[worker] - op;

  memmove (&scenario->ops[worker][op], &scenario->ops[worker][op + 1],
           n_behind * sizeof scenario->ops[0][0]);
  if (scenario->n_ops[worker] == 0)
    drop_worker (scenario, worker);
}

static void
drop_pair (StepScenario *scenario,
           unsigned      nth) {
  unsigned n_behind = --scenario->n_preload - nth;

  memmove (&scenario->preload[nth], &scenario->preload[nth + 1],
           n_behind * sizeof scenario->preload[0]);
}

/* From the last to the first: what is dropped moves only what was tried. */
static bool
try_workers (Minimiser *self) {
  bool has_dropped = false;

  for (unsigned i = self->scenario->n_workers; i-- > 0;) {
    StepScenario smaller = *self->scenario;

    drop_worker (&smaller, i);
    has_dropped |= smaller.n_workers > 0 && take (self, &smaller);
  }
  return has_dropped;
}

static bool
try_ops (Minimiser *self) {
  bool has_dropped = false;

  for (unsigned i = self->scenario->n_workers; i-- > 0;)
    for (unsigned j = self->scenario->n_ops[i]; j-- > 0;) {
      StepScenario smaller = *self->scenario;

      drop_op (&smaller, i, j);
      has_dropped |= smaller.n_workers > 0 && take (self, &smaller);
    }
  return has_dropped;
}

static bool
try_pairs (Minimiser *self) {
  bool has_dropped = false;

  for (unsigned i = self->scenario->n_preload; i-- > 0;) {
    StepScenario smaller = *self->scenario;

    drop_pair (&smaller, i);
    has_dropped |= take (self, &smaller);
  }
  return has_dropped;
}

static void
find_simplest (const StepScenario *scenario,
               unsigned            max_bound,
               uint64_t            max_runs,
               StepFindings       *findings) {
  StepTrial *trial = step_trial_new (scenario);
  StepFindings simplest;

  if (trial == NULL)
    return;
  if (step_explore_simplest (step_trial_program (trial), max_bound, max_runs,
                             &simplest)
      && simplest.outcome == findings->outcome)
    *findings = simplest;
  step_trial_free (trial);
}

bool
step_minimise (StepScenario *scenario,
               unsigned      max_bound,
               uint64_t      max_runs,
               StepFindings *findings) {
  Minimiser self = { scenario, max_runs, findings };
  bool has_dropped;

  if (!fails (scenario, max_runs, findings))
    return false;
  do {
    has_dropped = try_workers (&self);
    has_dropped |= try_ops (&self);
    has_dropped |= try_pairs (&self);
  } while (has_dropped);
  find_simplest (scenario, max_bound, max_runs, findings);
  return true;
}
