/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-step-rwlock.c — every order of a few readers and writers on one lock
 *
 * Program     Under the lock lie two words that a writer makes equal again before
 *             it leaves: first one, then the other. A reader that finds them
 *             different was inside together with a writer (W2). A worker that
 *             nobody lets in is a deadlock (W3). Each worker is a word: R reads,
 *             W writes, as rwmap does it (in two parts, and a try before it
 *             writes); r and w lock at once.
 * Clean       No order of any of the words breaks anything.
 * Mutants     Every bug that mutant.h has for the lock is found.
 */
#include "tests/core/step-kill.h"

#include "core/base/sync.h"

#include <string.h>

typedef struct {
  const char *workers[STEP_MAX_WORKERS]; /* NULL after the last */
  SyncRwLock  lock;
  SyncPlain   one;
  SyncPlain   other;
  guint64     n_written;
} Program;

static void
begin (void *data) {
  Program *self = data;

  sync_rwlock_init (&self->lock);
  self->one = self->other = (SyncPlain){ 0 };
  self->n_written = 0;
}

static void
read_inside (Program *self) {
  guint64 one = sync_plain_read (&self->one, SYNC_LABEL ("read one"));
  guint64 other = sync_plain_read (&self->other, SYNC_LABEL ("read the other"));

  if (one != other)
    step_fail (STEP_WRONG, "a reader finds %u and %u: a writer is inside",
               (unsigned)one, (unsigned)other);
  sync_rwlock_read_unlock (&self->lock, SYNC_LABEL ("RUnlock"));
}

static void
write_inside (Program *self) {
  guint64 before = sync_plain_read (&self->one, SYNC_LABEL ("read one"));

  sync_plain_write (&self->one, before + 1, SYNC_LABEL ("write one"));
  sync_plain_write (&self->other, before + 1, SYNC_LABEL ("write the other"));
  self->n_written++;
  sync_rwlock_unlock (&self->lock, SYNC_LABEL ("Unlock"));
}

static void
work (void    *data,
      unsigned worker) {
  Program *self = data;

  for (const char *act = self->workers[worker]; *act != '\0'; act++)
    switch (*act) {
    case 'R':
      if (!sync_rwlock_arrive (&self->lock, SYNC_LABEL ("RLock")))
        sync_rwlock_await_turn (&self->lock);
      read_inside (self);
      break;
    case 'r':
      sync_rwlock_read_lock (&self->lock, SYNC_LABEL ("RLock"));
      read_inside (self);
      break;
    case 'W':
      if (!sync_rwlock_try_lock (&self->lock, SYNC_LABEL ("try Lock")))
        sync_rwlock_lock (&self->lock, SYNC_LABEL ("Lock"));
      write_inside (self);
      break;
    default:
      sync_rwlock_lock (&self->lock, SYNC_LABEL ("Lock"));
      write_inside (self);
      break;
    }
}

/* No permit is left over. */
static void
end (void *data) {
  sync_rwlock_clear (&((Program *)data)->lock);
}

static bool
judge (void  *data,
       char  *why,
       size_t why_bytes) {
  Program *self = data;

  if (self->one.hidden == self->n_written
      && self->other.hidden == self->n_written)
    return true;
  g_snprintf (why, (gulong)why_bytes, "%u writes were lost",
              (unsigned)(self->n_written - self->one.hidden));
  return false;
}

static void
program_init (Program     *self,
              StepProgram *program,
              const char  *words) {
  g_auto (GStrv) workers = g_strsplit (words, " ", -1);

  memset (self, 0, sizeof *self);
  *program = (StepProgram){
    .n_workers = g_strv_length (workers),
    .begin = begin,
    .work = work,
    .end = end,
    .judge = judge,
    .data = self,
  };
  for (guint i = 0; i < program->n_workers; i++)
    self->workers[i] = g_intern_string (workers[i]);
}

static const char *const words[] = {
  "R W", "r w", "RR W", "R WR", "W W", "WW R", "R R W", "r r w", "r w w", "R W W",
  "rr ww",
};

#define MAX_RUNS 60000

static void
test_all_orders_are_clean (void) {
  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    StepExplore how = { .search = STEP_SEARCH_REDUCED, .max_runs = MAX_RUNS };
    StepProgram program;
    StepFindings findings;
    Program self;

    program_init (&self, &program, words[i]);
    step_explore (&program, &how, &findings);
    g_test_message ("%s: %" G_GUINT64_FORMAT " runs, at most %u steps%s",
                    words[i], findings.n_runs, findings.max_steps,
                    findings.is_complete ? "" : ", stopped");
    if (findings.n_failures > 0)
      g_error ("%s: %s: %s, schedule %s", words[i],
               step_outcome_name (findings.outcome), findings.why,
               findings.schedule);
  }
}

static void
test_mutants_are_killed (void) {
  for (guint mutant = MUTANT_READER_BARGES_IN;
       mutant <= MUTANT_LEAVERS_FORGOTTEN; mutant++) {
    gboolean is_killed = FALSE;

    for (guint i = 0; i < G_N_ELEMENTS (words) && !is_killed; i++) {
      StepProgram program;
      Program self;

      program_init (&self, &program, words[i]);
      is_killed = kill_mutant (mutant, words[i], &program, MAX_RUNS);
    }
    if (!is_killed)
      g_error ("mutant %u survives", mutant);
  }
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/step/rwlock/all-orders-are-clean",
                   test_all_orders_are_clean);
  g_test_add_func ("/core/step/rwlock/mutants-are-killed",
                   test_mutants_are_killed);
  return g_test_run ();
}
