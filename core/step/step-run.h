/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-run.h — one execution of a few workers, step by step
 *
 * A program is a handful of workers that share memory through core/base/sync.h
 * as it is compiled with TOPHASH_STEP. A run executes it from its beginning,
 * asking a chooser before each step which worker goes next.
 *
 * Terms       point     where a worker says what it is about to do, and stops
 *             step      from one point of a worker to its next
 *             pending   what a worker that stands at a point is about to do
 *             alone     before the workers begin and after all have ended: not
 *                       interleaved, no choices
 *             schedule  the choices of a run: a digit a step
 *
 * Threads: a run belongs to the OS thread that made it. One at a time per thread
 * is executing.
 */
#pragma once

#include "core/base/sync.h"

#define STEP_MAX_WORKERS 8
#define STEP_MAX_STEPS 4000 /* free choice: a run that is longer hangs */

typedef struct _StepRun StepRun;

typedef enum {
  STEP_FINISHED,
  STEP_GIVEN_UP,   /* by the chooser */
  STEP_MISFIT,     /* a schedule names a worker that cannot go */
  STEP_DEADLOCKED,
  STEP_HANGS,      /* STEP_MAX_STEPS, or all wait for each other's writes */
  STEP_USED_FREED, /* memory that was given back */
  STEP_ASSERTED,   /* an assertion of the engine */
  STEP_WRONG,      /* the program's own judgement */
} StepOutcome;

typedef struct {
  unsigned n_workers;
  void   (*begin) (void *data); /* alone */
  void   (*work)  (void *data, unsigned worker);
  void   (*end)   (void *data); /* alone */
  /* After a finished run, outside of it. false: *why says what is wrong. */
  bool   (*judge) (void *data, char *why, size_t why_bytes);
  void    *data;
} StepProgram;

typedef struct {
  /* A bit of step_run_enabled(), or -1: gives the run up. */
  int  (*choose)  (StepRun *run, void *data);
  void (*stepped) (StepRun *run, void *data); /* nullable */
  void  *data;
} StepChooser;

/* What a step touched. Points have one byte; ranges are freed memory. */
typedef struct {
  SyncKind  kind;
  uint32_t  size_bytes;
  uintptr_t start;
} StepAccess;

typedef struct {
  uint8_t     worker;
  uint8_t     kind;           /* SyncKind of the point */
  uint16_t    n_accesses;     /* the point's first */
  uint32_t    first_access;
  uint64_t    offset;         /* step_memory_offset() of the point */
  const char *label;
} StepRecord;

/* NULL: no memory. The program must outlive the run. */
StepRun    *step_run_new      (const StepProgram *program);
void        step_run_free     (StepRun           *run);

/* Executes once, from the beginning. */
StepOutcome step_run_execute  (StepRun           *run,
                               const StepChooser *chooser);
/* As @schedule says; after its end the worker under way goes on as long as it
 * can, then the lowest that can. */
StepOutcome step_run_replay   (StepRun           *run,
                               const char        *schedule);

/* What the last, or the present, execution did. */
StepOutcome       step_run_outcome  (const StepRun    *run);
/* "" when nothing is wrong. */
const char       *step_run_why      (const StepRun    *run);
unsigned          step_run_n_steps  (const StepRun    *run);
const StepRecord *step_run_records  (const StepRun    *run);
const StepAccess *step_run_accesses (const StepRun    *run,
                                     const StepRecord *record);
/* The digits so far, NUL-terminated; valid until the next step. */
const char       *step_run_schedule (StepRun          *run);

/* Before a choice: bit i is set when worker i can go; the worker that went
 * last, or -1. */
unsigned          step_run_enabled  (const StepRun    *run);
int               step_run_last     (const StepRun    *run);
/* NULL: the worker has ended. */
const StepAccess *step_run_pending  (const StepRun    *run,
                                     unsigned          worker,
                                     const char      **label);

/* "finished", "deadlock" … */
const char       *step_outcome_name (StepOutcome       outcome);

/* Whether the order of the two can matter. */
bool step_access_is_dependent (const StepAccess *one,
                               const StepAccess *other);

/* For those who are executed ----------------------------------------------- */

/* step_point() is in core/base/sync.h's stepped half. */
void step_point (SyncKind    kind,
                 const void *where,
                 const char *label);

/* One more access of the step under way, without a point of its own. */
void step_note  (SyncKind    kind,
                 const void *where,
                 size_t      size_bytes);

/* The run ends here, as @outcome; does not return. */
__attribute__ ((noreturn, nonnull, format (printf, 2, 3))) void
step_fail (StepOutcome outcome,
           const char *format,
           ...);

/* A number for whoever is running, more than 0. */
unsigned step_self (void);
/* Steps taken so far: the number of the step under way is one less. */
unsigned step_count (void);
/* *mark gets the number of this worker's next step once it is taken. */
void step_mark_next (uint32_t *mark);
/* Calls @begin right after this worker's next choice, in the same step; NULL
 * takes that back. true: there was something to take back. */
bool step_defer (void (*begin) (void *data),
                 void  *data);
