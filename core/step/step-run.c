/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-run.c — one execution of a few workers, step by step
 *
 * Idea        Each worker is a coroutine of this OS thread. At a point it says
 *             what it is about to do and switches back here; when it is chosen
 *             it does that and runs on to its next point. So between two points
 *             nobody else runs, and the choices alone decide everything.
 *
 * Locks       are a number, the owner's. A worker that is about to lock what is
 *             taken cannot be chosen; workers that are left while none can be
 *             chosen are a deadlock. Nothing ever blocks. A semaphore is the
 *             number of its permits: who takes one cannot be chosen at nought.
 *
 * Spinning    A worker that waits for somebody's write cannot be chosen until
 *             another has written something.
 *
 * Notes       A step may touch more than its point names: memory that it frees,
 *             the read section that it opens. It notes these, so that a search
 *             knows every access on which an order can depend.
 *
 * Memory      is looked up at every point: touching what was given back ends the
 *             run there, with the step and the label.
 *
 * Giving up   A run that ends in the middle leaves its coroutines where they
 *             are. Their frames own nothing but memory of the arena, which the
 *             next run resets.
 *
 * Invariants  P1  the same choices give the same records
 *             P2  a record's first access is that of its point
 *
 * Limits      Sequentially consistent: no access is ever delayed or reordered.
 *             What no point announces cannot be interleaved.
 */
#include "core/step/step-run.h"

#include "core/step/step-coroutine.h"
#include "core/step/step-memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOBODY (-1)
#define ALONE STEP_MAX_WORKERS
#define MAX_ACCESSES (STEP_MAX_STEPS * 16)
#define MAX_ALONE_POINTS 200000u /* as STEP_MAX_STEPS, for setting up */

typedef struct {
  StepRun      *run;
  unsigned      index;
  StepCoroutine coroutine;
  StepAccess    pending;
  const char   *label;
  bool          has_ended;
  bool          saw_write; /* by another, since it began to spin */
  uint32_t     *mark;
  void        (*begin) (void *data);
  void         *begin_data;
} Worker;

struct _StepRun {
  const StepProgram *program;
  StepCoroutine thread;
  Worker        workers[STEP_MAX_WORKERS + 1];
  void        (*alone) (void *data);
  int           running;
  int           last;
  unsigned      n_alone_points;
  StepOutcome   outcome;
  char          why[400];
  unsigned      n_records;
  unsigned      n_accesses;
  StepRecord    records[STEP_MAX_STEPS];
  char          schedule[STEP_MAX_STEPS + 1];
  StepAccess    accesses[MAX_ACCESSES];
};

static _Thread_local StepRun *current;

/* Those who are executed --------------------------------------------------- */

static Worker *
running_worker (void) {
  return current == NULL || current->running == NOBODY
             ? NULL
             : &current->workers[current->running];
}

static void
leave (Worker *worker) {
  step_coroutine_switch (&worker->coroutine, &worker->run->thread);
}

void
step_fail (StepOutcome outcome,
           const char *format,
           ...) {
  Worker *worker = running_worker ();
  char text[sizeof current->why];
  va_list args;

  va_start (args, format);
  vsnprintf (text, sizeof text, format, args);
  va_end (args);
  if (worker == NULL) {
    fprintf (stderr, "%s\n", text);
    abort ();
  }
  worker->run->outcome = outcome;
  memcpy (worker->run->why, text, sizeof text);
  leave (worker);
  abort ();
}

/* What assert() calls in this library; see prefix-symbols.sh. */
_Noreturn void step_assert_fail (const char  *expression,
                                 const char  *file,
                                 unsigned int line,
                                 const char  *function);

_Noreturn void
step_assert_fail (const char  *expression,
                  const char  *file,
                  unsigned int line,
                  const char  *function) {
  step_fail (STEP_ASSERTED, "%s:%u: %s: assertion %s failed", file, line,
             function, expression);
}

void
step_note (SyncKind    kind,
           const void *where,
           size_t      size_bytes) {
  StepRun *run = current;

  if (run == NULL || run->running == NOBODY || run->running == ALONE
      || run->n_records == 0)
    return;
  if (run->n_accesses == MAX_ACCESSES)
    step_fail (STEP_HANGS, "%d accesses, and no end", MAX_ACCESSES);
  run->accesses[run->n_accesses++]
      = (StepAccess){ kind, (uint32_t)size_bytes, (uintptr_t)where };
  run->records[run->n_records - 1].n_accesses++;
}

static void
check_memory (const void *where,
              const char *label) {
  StepMemory state = step_memory_look (where);

  if (state == STEP_MEMORY_FREED || state == STEP_MEMORY_DISUSED)
    step_fail (STEP_USED_FREED, "“%s” touches memory at +%#llx that was %s",
               label, (unsigned long long)step_memory_offset (where),
               state == STEP_MEMORY_FREED ? "freed" : "given back to its pool");
}

void
step_point (SyncKind    kind,
            const void *where,
            const char *label) {
  Worker *worker = running_worker ();

  if (worker == NULL)
    return;
  if (worker->index != ALONE) {
    worker->pending = (StepAccess){ kind, 1, (uintptr_t)where };
    worker->label = label;
    worker->saw_write = false;
    leave (worker);
    step_note (kind, where, 1);
  } else if (++worker->run->n_alone_points > MAX_ALONE_POINTS) {
    step_fail (STEP_HANGS, "no end of what is done alone");
  }
  if (worker->mark != NULL) {
    *worker->mark = step_count () - 1;
    worker->mark = NULL;
  }
  check_memory (where, label);
  if (worker->begin != NULL) {
    void (*begin) (void *data) = worker->begin;

    worker->begin = NULL;
    begin (worker->begin_data);
  }
}

/* Called by sync_word_cas() when it has failed: it could not have mattered to
 * those who only read. */
void
step_only_read (void) {
  StepRun *run = current;

  if (run != NULL && run->running != NOBODY && run->running != ALONE)
    run->accesses[run->records[run->n_records - 1].first_access].kind = SYNC_READ;
}

/* The two below are called by sync_disuse() and sync_reuse(). */
void
step_disused (const void *where,
              size_t      size_bytes) {
  step_memory_mark (where, size_bytes, STEP_MEMORY_DISUSED);
  step_note (SYNC_FREE, where, size_bytes);
}

void
step_reused (const void *where,
             size_t      size_bytes) {
  step_memory_mark (where, size_bytes, STEP_MEMORY_LIVE);
  step_note (SYNC_FREE, where, size_bytes);
}

unsigned
step_self (void) {
  return current == NULL || current->running == NOBODY
             ? STEP_MAX_WORKERS + 2
             : (unsigned)current->running + 1;
}

unsigned
step_count (void) {
  return current == NULL ? 0 : current->n_records;
}

void
step_mark_next (uint32_t *mark) {
  Worker *worker = running_worker ();

  if (worker != NULL)
    worker->mark = mark;
}

bool
step_defer (void (*begin) (void *data),
            void  *data) {
  Worker *worker = running_worker ();
  bool was_deferred;

  if (worker == NULL) {
    if (begin != NULL)
      begin (data);
    return false;
  }
  was_deferred = worker->begin != NULL;
  worker->begin = begin;
  worker->begin_data = data;
  return was_deferred;
}

/* Executing ---------------------------------------------------------------- */

static void
work_body (void *data) {
  Worker *worker = data;
  StepRun *run = worker->run;

  if (worker->index == ALONE)
    run->alone (run->program->data);
  else
    run->program->work (run->program->data, worker->index);
  worker->has_ended = true;
  leave (worker);
}

static void
start (Worker *worker) {
  worker->has_ended = false;
  worker->mark = NULL;
  worker->begin = NULL;
  step_coroutine_start (&worker->coroutine, work_body, worker);
}

static void
go_on (StepRun *run,
       unsigned index) {
  run->running = (int)index;
  step_coroutine_switch (&run->thread, &run->workers[index].coroutine);
  run->running = NOBODY;
}

static bool
execute_alone (StepRun *run,
               void   (*body) (void *data)) {
  if (body == NULL)
    return true;
  run->alone = body;
  run->n_alone_points = 0;
  start (&run->workers[ALONE]);
  go_on (run, ALONE);
  return run->outcome == STEP_FINISHED;
}

static bool
can_go (const Worker *worker) {
  if (worker->has_ended)
    return false;
  if (worker->pending.kind == SYNC_LOCK)
    return ((const SyncMutex *)worker->pending.start)->owner == 0;
  if (worker->pending.kind == SYNC_TAKE)
    return ((const SyncSemaphore *)worker->pending.start)->n_permits > 0;
  return worker->pending.kind != SYNC_SPIN || worker->saw_write;
}

unsigned
step_run_enabled (const StepRun *run) {
  unsigned enabled = 0;

  for (unsigned i = 0; i < run->program->n_workers; i++)
    enabled |= (unsigned)can_go (&run->workers[i]) << i;
  return enabled;
}

/* Nobody can go though some have not ended. */
static void
tell_stuck (StepRun *run) {
  size_t n = 0;

  run->outcome = STEP_HANGS;
  for (unsigned i = 0; i < run->program->n_workers; i++) {
    const Worker *worker = &run->workers[i];

    if (worker->has_ended)
      continue;
    if (worker->pending.kind == SYNC_LOCK || worker->pending.kind == SYNC_TAKE)
      run->outcome = STEP_DEADLOCKED;
    if (n < sizeof run->why)
      n += (size_t)snprintf (run->why + n, sizeof run->why - n,
                             "%sworker %u waits to “%s”", n == 0 ? "" : ", ", i,
                             worker->label);
  }
}

static bool
has_written (const StepRun    *run,
             const StepRecord *record) {
  for (unsigned i = 0; i < record->n_accesses; i++)
    if (run->accesses[record->first_access + i].kind != SYNC_READ
        && run->accesses[record->first_access + i].kind != SYNC_SPIN)
      return true;
  return false;
}

static void
take_step (StepRun *run,
           unsigned index) {
  Worker *worker = &run->workers[index];
  StepRecord *record = &run->records[run->n_records];

  *record = (StepRecord){
    .worker = (uint8_t)index,
    .kind = (uint8_t)worker->pending.kind,
    .first_access = run->n_accesses,
    .offset = step_memory_offset ((const void *)worker->pending.start),
    .label = worker->label,
  };
  run->schedule[run->n_records++] = (char)('0' + index);
  run->last = (int)index;
  go_on (run, index);
  if (has_written (run, record))
    for (unsigned i = 0; i < run->program->n_workers; i++)
      run->workers[i].saw_write |= i != index;
}

static void
execute_workers (StepRun           *run,
                 const StepChooser *chooser) {
  unsigned n_workers = run->program->n_workers;

  for (unsigned i = 0; i < n_workers; i++)
    start (&run->workers[i]);
  /* Up to the first point of each: nothing shared is touched. */
  for (unsigned i = 0; i < n_workers && run->outcome == STEP_FINISHED; i++)
    go_on (run, i);

  while (run->outcome == STEP_FINISHED) {
    unsigned n_ended = 0;
    int choice;

    for (unsigned i = 0; i < n_workers; i++)
      n_ended += run->workers[i].has_ended;
    if (n_ended == n_workers)
      return;
    if (step_run_enabled (run) == 0) {
      tell_stuck (run);
      return;
    }
    if (run->n_records == STEP_MAX_STEPS) {
      run->outcome = STEP_HANGS;
      snprintf (run->why, sizeof run->why, "%d steps, and no end",
                STEP_MAX_STEPS);
      return;
    }
    choice = chooser->choose (run, chooser->data);
    if (choice < 0) {
      if (run->outcome == STEP_FINISHED)
        run->outcome = STEP_GIVEN_UP;
      return;
    }
    assert (step_run_enabled (run) & 1u << choice);
    take_step (run, (unsigned)choice);
    if (chooser->stepped != NULL)
      chooser->stepped (run, chooser->data);
  }
}

StepOutcome
step_run_execute (StepRun           *run,
                  const StepChooser *chooser) {
  const StepProgram *program = run->program;
  StepRun *before = current;

  step_memory_reset ();
  current = run;
  run->running = NOBODY;
  run->last = NOBODY;
  run->outcome = STEP_FINISHED;
  run->why[0] = '\0';
  run->n_records = 0;
  run->n_accesses = 0;
  if (execute_alone (run, program->begin)) {
    execute_workers (run, chooser);
    if (run->outcome == STEP_FINISHED && execute_alone (run, program->end)
        && program->judge != NULL
        && !program->judge (program->data, run->why, sizeof run->why))
      run->outcome = STEP_WRONG;
  }
  run->schedule[run->n_records] = '\0';
  current = before;
  return run->outcome;
}

/* Replaying ---------------------------------------------------------------- */

static int
choose_by_schedule (StepRun *run,
                    void    *data) {
  const char **next = data;
  unsigned enabled = step_run_enabled (run);
  unsigned wanted;

  if (**next == '\0')
    return run->last >= 0 && (enabled & 1u << run->last)
               ? run->last
               : __builtin_ctz (enabled);
  wanted = (unsigned)(unsigned char)*(*next)++ - '0';
  if (wanted < run->program->n_workers && (enabled & 1u << wanted))
    return (int)wanted;
  run->outcome = STEP_MISFIT;
  snprintf (run->why, sizeof run->why,
            "the schedule's step %u wants worker %c, which cannot go",
            run->n_records, (*next)[-1]);
  return -1;
}

StepOutcome
step_run_replay (StepRun    *run,
                 const char *schedule) {
  StepChooser chooser = { .choose = choose_by_schedule, .data = &schedule };

  return step_run_execute (run, &chooser);
}

/* Looking ------------------------------------------------------------------ */

StepOutcome
step_run_outcome (const StepRun *run) {
  return run->outcome;
}

const char *
step_run_why (const StepRun *run) {
  return run->why;
}

unsigned
step_run_n_steps (const StepRun *run) {
  return run->n_records;
}

const StepRecord *
step_run_records (const StepRun *run) {
  return run->records;
}

const StepAccess *
step_run_accesses (const StepRun    *run,
                   const StepRecord *record) {
  return &run->accesses[record->first_access];
}

const char *
step_run_schedule (StepRun *run) {
  run->schedule[run->n_records] = '\0';
  return run->schedule;
}

int
step_run_last (const StepRun *run) {
  return run->last;
}

const StepAccess *
step_run_pending (const StepRun *run,
                  unsigned       worker,
                  const char   **label) {
  if (run->workers[worker].has_ended)
    return NULL;
  if (label != NULL)
    *label = run->workers[worker].label;
  return &run->workers[worker].pending;
}

const char *
step_outcome_name (StepOutcome outcome) {
  switch (outcome) {
  case STEP_FINISHED:
    return "finished";
  case STEP_GIVEN_UP:
    return "given up";
  case STEP_MISFIT:
    return "the schedule does not fit";
  case STEP_DEADLOCKED:
    return "deadlock";
  case STEP_HANGS:
    return "no end";
  case STEP_USED_FREED:
    return "use after free";
  case STEP_ASSERTED:
    return "assertion failed";
  case STEP_WRONG:
    return "wrong result";
  }
  return "";
}

static bool
is_write (const StepAccess *access) {
  return access->kind != SYNC_READ && access->kind != SYNC_SPIN;
}

bool
step_access_is_dependent (const StepAccess *one,
                          const StepAccess *other) {
  if (!is_write (one) && !is_write (other))
    return false;
  if (one->kind == SYNC_ADD && other->kind == SYNC_ADD)
    return false;
  /* Who spins waits for any write at all. */
  if (one->kind == SYNC_SPIN || other->kind == SYNC_SPIN)
    return true;
  return one->start < other->start + other->size_bytes
         && other->start < one->start + one->size_bytes;
}

/* Life --------------------------------------------------------------------- */

StepRun *
step_run_new (const StepProgram *program) {
  StepRun *run = calloc (1, sizeof *run);
  bool is_ok = true;

  if (run == NULL)
    return NULL;
  run->program = program;
  run->running = NOBODY;
  step_coroutine_init_thread (&run->thread);
  for (unsigned i = 0; i <= ALONE; i++) {
    run->workers[i].run = run;
    run->workers[i].index = i;
    is_ok = is_ok && step_coroutine_init (&run->workers[i].coroutine);
  }
  if (!is_ok) {
    step_run_free (run);
    return NULL;
  }
  return run;
}

void
step_run_free (StepRun *run) {
  if (run == NULL)
    return;
  step_coroutine_clear (&run->thread);
  for (unsigned i = 0; i <= ALONE; i++)
    step_coroutine_clear (&run->workers[i].coroutine);
  free (run);
}
