/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-trial.h — a few operations on a map, as a program to step through
 *
 * A StepScenario says what is in the map and what each worker does. A trial makes
 * a program of it that ends with a settling: every key is read, misses are forced
 * until dirty is promoted, and every key is read again. Then the results are
 * judged (step-judge.c).
 */
#pragma once

#include "core/base/hash.h"
#include "core/base/prng.h"
#include "core/probe/event.h"
#include "core/step/step-run.h"

#define STEP_MAX_OPS 16  /* of a worker */
#define STEP_MAX_KEYS 64 /* of a scenario */

typedef struct {
  OpKind  op;
  int64_t key;
  int64_t value; /* to store */
  int64_t old;   /* to compare with */
} StepOp;

typedef struct {
  int64_t key;
  int64_t value;
} StepPair;

typedef struct {
  const char *engine; /* its name */
  Hash        hash;
  uint64_t    seed;
  unsigned    mutant; /* StepMutant; 0: the engine as it is */
  /* A Range after the preload, which brings all keys into read. */
  bool        is_promoted;
  unsigned    n_preload;
  StepPair    preload[STEP_MAX_KEYS];
  unsigned    n_workers;
  unsigned    n_ops[STEP_MAX_WORKERS];
  StepOp      ops[STEP_MAX_WORKERS][STEP_MAX_OPS];
} StepScenario;

typedef struct {
  bool     is_ok;   /* what the operation returned */
  bool     is_misused; /* the map was, and said so: `gomap` alone */
  MisuseKind  misuse;
  MisusePlace misuse_place;
  bool     is_whole; /* it returned */
  int64_t  value;   /* found, actual, previous */
  uint32_t call;    /* number of its first step */
  uint32_t ret;     /* of its last */
  unsigned n_visited;              /* Range */
  StepPair visited[STEP_MAX_KEYS]; /* likewise */
} StepResult;

typedef struct _StepTrial StepTrial;

/* NULL: no memory, no such engine, more than STEP_MAX_KEYS keys. */
StepTrial          *step_trial_new      (const StepScenario *scenario);
void                step_trial_free     (StepTrial          *self);
const StepProgram  *step_trial_program  (StepTrial          *self);
const StepScenario *step_trial_scenario (const StepTrial    *self);
/* Of the last run. */
const StepResult   *step_trial_result   (const StepTrial    *self,
                                         unsigned            worker,
                                         unsigned            op);
/* The keys that the scenario names, and what the settling read last of each:
 * is_ok, value. */
unsigned            step_trial_n_keys   (const StepTrial    *self);
int64_t             step_trial_key      (const StepTrial    *self,
                                         unsigned            nth);
const StepResult   *step_trial_final    (const StepTrial    *self,
                                         unsigned            nth);

/* All results of the last run as one line: two runs that nobody could tell apart
 * by what operations returned give the same text. Returns the length that it
 * has, or would have. */
size_t step_trial_outcome (const StepTrial *self,
                           char            *text,
                           size_t           text_bytes);
/* "Load(1) = 10" of one operation; likewise. */
size_t step_op_text       (const StepOp     *op,
                           const StepResult *result,
                           char             *text,
                           size_t            text_bytes);

/* The names of the engines of the stepped build; NULL after the last. */
const char *step_engine_name (unsigned nth);

/* Any @n_workers workers with @n_ops operations each on keys 0 … @n_keys - 1;
 * every value that is stored is another one. */
void step_generate (StepScenario *scenario,
                    const char   *engine,
                    Prng         *prng,
                    unsigned      n_workers,
                    unsigned      n_ops,
                    unsigned      n_keys);
