/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-step.c — the machine that steps: does the search see everything?
 *
 * Programs whose schedules can be counted by hand: two workers with n steps each
 * on one word have (2n)! / (n!)² schedules, and as many that can be told apart; on
 * words of their own, or only reading, one. These counts are a sharp test of the
 * whole machine. Then programs that must fail, and one that waits.
 */
#include "core/step/step-coroutine.h"
#include "core/step/step-explore.h"

#include <glib.h>
#include <string.h>

/* Coroutines --------------------------------------------------------------- */

typedef struct {
  StepCoroutine thread;
  StepCoroutine coroutine;
  guint         n_turns;
  double        sum;
} PingPong;

static void
pong_body (void *data) {
  PingPong *game = data;
  double step = 0.5;

  for (;;) {
    game->n_turns++;
    game->sum += step;
    step_coroutine_switch (&game->coroutine, &game->thread);
  }
}

static void
test_coroutine_switches (void) {
  PingPong game = { .n_turns = 0 };

  step_coroutine_init_thread (&game.thread);
  g_assert_true (step_coroutine_init (&game.coroutine));
  for (guint start = 0; start < 3; start++) {
    step_coroutine_start (&game.coroutine, pong_body, &game);
    for (guint i = 0; i < 1000; i++)
      step_coroutine_switch (&game.thread, &game.coroutine);
    g_assert_cmpuint (game.n_turns, ==, (start + 1) * 1000);
  }
  g_assert_cmpfloat (game.sum, ==, 1500.0);
  step_coroutine_clear (&game.coroutine);
  step_coroutine_clear (&game.thread);
}

/* Controls ----------------------------------------------------------------- */

typedef enum {
  CONTROL_ONE_WORD,
  CONTROL_OWN_WORDS,
  CONTROL_READS,
} ControlKind;

typedef struct {
  ControlKind kind;
  guint       n_steps; /* of each worker */
  guint64     words[STEP_MAX_WORKERS];
} Control;

static void
control_work (void    *data,
              unsigned worker) {
  Control *control = data;
  guint word = control->kind == CONTROL_OWN_WORDS ? worker : 0;

  for (guint i = 0; i < control->n_steps; i++)
    step_point (control->kind == CONTROL_READS ? SYNC_READ : SYNC_WRITE,
                &control->words[word], "touch a word");
}

static void
count_schedules (ControlKind   kind,
                 guint         n_workers,
                 guint         n_steps,
                 StepSearch    search,
                 StepFindings *findings) {
  Control control = { .kind = kind, .n_steps = n_steps };
  StepProgram program = {
    .n_workers = n_workers,
    .work = control_work,
    .data = &control,
  };
  StepExplore how = { .search = search };

  step_explore (&program, &how, findings);
  g_assert_true (findings->is_complete);
  g_assert_cmpuint (findings->n_failures, ==, 0);
}

static void
test_counts_schedules (void) {
  static const struct {
    ControlKind kind;
    guint       n_workers;
    guint       n_steps;
    StepSearch  search;
    guint64     n_runs;
  } cases[] = {
    { CONTROL_ONE_WORD, 2, 6, STEP_SEARCH_FULL, 924 },
    { CONTROL_ONE_WORD, 2, 7, STEP_SEARCH_FULL, 3432 },
    { CONTROL_ONE_WORD, 2, 6, STEP_SEARCH_SLEEP, 924 },
    { CONTROL_ONE_WORD, 2, 6, STEP_SEARCH_REDUCED, 924 },
    { CONTROL_ONE_WORD, 2, 7, STEP_SEARCH_REDUCED, 3432 },
    { CONTROL_ONE_WORD, 3, 2, STEP_SEARCH_REDUCED, 90 },
    { CONTROL_READS, 2, 6, STEP_SEARCH_FULL, 924 },
    { CONTROL_READS, 2, 6, STEP_SEARCH_REDUCED, 1 },
    { CONTROL_READS, 3, 6, STEP_SEARCH_REDUCED, 1 },
    { CONTROL_OWN_WORDS, 3, 6, STEP_SEARCH_REDUCED, 1 },
    { CONTROL_READS, 2, 6, STEP_SEARCH_SLEEP, 1 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    StepFindings findings;

    count_schedules (cases[i].kind, cases[i].n_workers, cases[i].n_steps,
                     cases[i].search, &findings);
    g_test_message ("case %u: %" G_GUINT64_FORMAT " runs, %" G_GUINT64_FORMAT
                    " cut", i, findings.n_runs, findings.n_cut);
    g_assert_cmpuint (findings.n_runs, ==, cases[i].n_runs);
  }
}

/* Exact failures ----------------------------------------------------------- */

/* A lock of the stepped build begins with its owner. */
static void
lock_both (void    *data,
           unsigned worker) {
  guint32 *owners = data;

  for (guint i = 0; i < 2; i++) {
    guint lock = worker == 0 ? i : 1 - i;

    step_point (SYNC_LOCK, &owners[lock], lock == 0 ? "lock a" : "lock b");
    owners[lock] = step_self ();
  }
  for (guint i = 0; i < 2; i++) {
    step_point (SYNC_UNLOCK, &owners[i], "unlock");
    owners[i] = 0;
  }
}

static void
clear_owners (void *data) {
  memset (data, 0, 2 * sizeof (guint32));
}

static void
test_finds_deadlock (void) {
  guint32 owners[2] = { 0, 0 };
  StepProgram program = {
    .n_workers = 2,
    .begin = clear_owners,
    .work = lock_both,
    .data = owners,
  };
  StepExplore how = { .search = STEP_SEARCH_REDUCED, .goes_on = true };
  StepExplore all = { .search = STEP_SEARCH_FULL, .goes_on = true };
  StepFindings findings, complete;

  step_explore (&program, &how, &findings);
  step_explore (&program, &all, &complete);
  g_test_message ("%" G_GUINT64_FORMAT " runs reduced, %" G_GUINT64_FORMAT
                  " full: %s", findings.n_runs, complete.n_runs, findings.why);
  g_assert_cmpint (findings.outcome, ==, STEP_DEADLOCKED);
  g_assert_cmpuint (findings.n_failures, ==, 1);
  g_assert_nonnull (strstr (findings.why, "worker 0 waits to “lock b”"));
  g_assert_cmpuint (complete.n_failures, >, 0);
}

typedef struct {
  guint64 flag;
} Signal;

static void
wait_for_flag (void    *data,
               unsigned worker) {
  Signal *signal = data;

  if (worker == 0) {
    for (;;) {
      step_point (SYNC_READ, &signal->flag, "load flag");
      if (signal->flag != 0)
        return;
      step_point (SYNC_SPIN, NULL, "wait");
    }
  }
  step_point (SYNC_WRITE, &signal->flag, "store flag");
  signal->flag = 1;
}

static void
clear_flag (void *data) {
  ((Signal *)data)->flag = 0;
}

static void
test_spinning_ends (void) {
  Signal signal = { 0 };
  StepProgram program = {
    .n_workers = 2,
    .begin = clear_flag,
    .work = wait_for_flag,
    .data = &signal,
  };
  StepExplore how = { .search = STEP_SEARCH_FULL };
  StepFindings findings;

  step_explore (&program, &how, &findings);
  g_assert_true (findings.is_complete);
  g_assert_cmpuint (findings.n_failures, ==, 0);
  g_assert_cmpuint (findings.n_runs, ==, 2);
  how.search = STEP_SEARCH_REDUCED;
  step_explore (&program, &how, &findings);
  g_assert_cmpuint (findings.n_runs, ==, 2);
  g_assert_cmpuint (findings.n_failures, ==, 0);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/step/coroutine/switches", test_coroutine_switches);
  g_test_add_func ("/core/step/explore/counts-schedules", test_counts_schedules);
  g_test_add_func ("/core/step/run/finds-deadlock", test_finds_deadlock);
  g_test_add_func ("/core/step/run/spinning-ends", test_spinning_ends);
  return g_test_run ();
}
