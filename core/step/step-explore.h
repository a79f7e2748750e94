/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-explore.h — all the orders in which a few workers can go */
#pragma once

#include "core/step/step-run.h"

typedef enum {
  STEP_SEARCH_FULL,    /* every schedule */
  STEP_SEARCH_SLEEP,   /* sleep sets alone */
  STEP_SEARCH_REDUCED, /* one schedule of each class that order can tell apart */
  STEP_SEARCH_BOUNDED, /* every schedule with at most so many preemptions */
} StepSearch;

typedef struct {
  StepSearch search;
  unsigned   bound;     /* STEP_SEARCH_BOUNDED */
  uint64_t   max_runs;  /* 0: no limit */
  bool       goes_on;   /* past the first failure */
  /* After every whole run, good or bad; nullable. */
  void     (*visit) (StepRun *run, void *data);
  void      *data;
} StepExplore;

typedef struct {
  uint64_t    n_runs;     /* to an end, good or bad */
  uint64_t    n_cut;      /* given up: all that follows is known */
  uint64_t    n_steps;    /* of all runs, those cut included */
  unsigned    max_steps;  /* of the longest run */
  uint64_t    n_failures;
  bool        is_complete; /* nothing is left to try */
  bool        is_no_memory;
  /* Of the first failure. */
  StepOutcome outcome;
  uint64_t    failed_at;  /* runs until then, it included */
  char        why[400];
  char        schedule[STEP_MAX_STEPS + 1];
} StepFindings;

/* Runs @program until there is nothing left to try, the limit, or a failure. */
void step_explore (const StepProgram *program,
                   const StepExplore *how,
                   StepFindings      *findings);

/* The fewest preemptions with which @program fails, at most @max_bound: replaces
 * what @findings say of the failure. false: none of them fails within
 * @max_runs. */
bool step_explore_simplest (const StepProgram *program,
                            unsigned           max_bound,
                            uint64_t           max_runs,
                            StepFindings      *findings);
