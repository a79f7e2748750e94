/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-step.c — the stepped build: does the search see everything?
 *
 * Controls    Programs whose schedules can be counted by hand: two workers with
 *             n steps each on one word have (2n)! / (n!)² schedules, and as many
 *             that can be told apart; on words of their own, or only reading,
 *             one. These counts are a sharp test of the whole machine.
 * Sets        On the engines the reduced search must meet every outcome that the
 *             full search meets, and no other: the sets are compared, not their
 *             sizes.
 * Clean       Named and random scenarios find nothing in the engines as they are.
 * Mutants     Every bug of core/engine/mutant.h is found, and the schedule that
 *             is printed fails again, alike, on replay, and not on the engine as
 *             it is.
 */
#include "core/engine/mutant.h"
#include "core/step/step-coroutine.h"
#include "core/step/step-explore.h"
#include "core/step/step-trial.h"

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

/* Scenarios ---------------------------------------------------------------- */

#define LOAD(k) { .op = OP_LOAD, .key = k }
#define STORE(k, v) { .op = OP_STORE, .key = k, .value = v }
#define DELETE(k) { .op = OP_DELETE, .key = k }
#define TAKE(k) { .op = OP_LOAD_AND_DELETE, .key = k }
#define RANGE { .op = OP_RANGE }
#define CLEAR { .op = OP_CLEAR }

typedef struct {
  const char  *name;
  gboolean     is_small; /* the full search ends in a moment */
  StepScenario scenario;
} Named;

#define ONE_KEY_IN_READ                                                       \
  .engine = "syncmap", .is_promoted = true, .n_preload = 1,                   \
  .preload = { { 0, 10 } }

static const Named named[] = {
  { "load | delete | store", FALSE,
    { ONE_KEY_IN_READ, .n_workers = 3, .n_ops = { 1, 1, 1 },
      .ops = { { LOAD (0) }, { DELETE (0) }, { STORE (0, 20) } } } },
  { "delete, store | store new, load", FALSE,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 2, 2 },
      .ops = { { DELETE (0), STORE (0, 20) }, { STORE (1, 30), LOAD (1) } } } },
  { "load | store", TRUE,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 1, 1 },
      .ops = { { LOAD (0) }, { STORE (0, 20) } } } },
  { "delete | store", TRUE,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 1, 1 },
      .ops = { { DELETE (0) }, { STORE (0, 20) } } } },
  { "delete, load | load", TRUE,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 2, 1 },
      .ops = { { DELETE (0), LOAD (0) }, { LOAD (0) } } } },
  { "load | store new", TRUE,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 1, 1 },
      .ops = { { LOAD (1) }, { STORE (1, 20) } } } },
  { "delete | store new", TRUE,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 1, 1 },
      .ops = { { DELETE (0) }, { STORE (1, 20) } } } },
  { "range | store", TRUE,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 1, 1 },
      .ops = { { RANGE }, { STORE (0, 20) } } } },
  { "store new, load | load, load", FALSE,
    { .engine = "syncmap", .n_workers = 2, .n_ops = { 2, 2 },
      .ops = { { STORE (1, 30), LOAD (1) }, { LOAD (1), LOAD (1) } } } },
  { "loads | delete, store new | store", FALSE,
    { ONE_KEY_IN_READ, .n_workers = 3, .n_ops = { 2, 2, 1 },
      .ops = { { LOAD (0), LOAD (1) }, { DELETE (0), STORE (1, 30) },
               { STORE (0, 20) } } } },
  { "delete | delete, store new, store", FALSE,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 1, 3 },
      .ops = { { DELETE (0) }, { DELETE (0), STORE (1, 30), STORE (0, 20) } } } },
  { "two deletes out of dirty", FALSE,
    { .engine = "syncmap", .n_preload = 2, .preload = { { 0, 10 }, { 1, 11 } },
      .n_workers = 2, .n_ops = { 2, 2 },
      .ops = { { TAKE (0), STORE (2, 30) }, { TAKE (0), LOAD (1) } } } },
  { "range | delete | store new", FALSE,
    { ONE_KEY_IN_READ, .n_workers = 3, .n_ops = { 1, 1, 1 },
      .ops = { { RANGE }, { DELETE (0) }, { STORE (1, 30) } } } },
  { "clear | store, load", FALSE,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 1, 2 },
      .ops = { { CLEAR }, { STORE (1, 30), LOAD (0) } } } },
  { "mutexmap: load | delete | store", TRUE,
    { .engine = "mutexmap", .n_preload = 1, .preload = { { 0, 10 } },
      .n_workers = 3, .n_ops = { 1, 1, 1 },
      .ops = { { LOAD (0) }, { DELETE (0) }, { STORE (0, 20) } } } },
  { "mutexmap: range | store, delete", TRUE,
    { .engine = "mutexmap", .n_preload = 1, .preload = { { 0, 10 } },
      .n_workers = 2, .n_ops = { 1, 2 },
      .ops = { { RANGE }, { STORE (1, 20), DELETE (0) } } } },
};

typedef struct {
  StepTrial  *trial;
  GHashTable *texts; /* every outcome met */
} Outcomes;

static void
add_outcome_cb (StepRun *run,
                void    *data) {
  Outcomes *outcomes = data;
  char text[1000];

  g_assert_cmpuint (step_trial_outcome (outcomes->trial, text, sizeof text), <,
                    sizeof text);
  if (!g_hash_table_contains (outcomes->texts, text))
    g_hash_table_add (outcomes->texts, g_strdup (text));
}

/* (transfer full): the outcomes of a search that found nothing wrong */
static GHashTable *
search_outcomes (const StepScenario *scenario,
                 StepSearch          search,
                 StepFindings       *findings) {
  Outcomes outcomes = {
    .trial = step_trial_new (scenario),
    .texts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
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

static void
assert_same_set (GHashTable *one,
                 GHashTable *other) {
  GHashTableIter iter;
  gpointer key;

  g_assert_cmpuint (g_hash_table_size (one), ==, g_hash_table_size (other));
  g_hash_table_iter_init (&iter, one);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_assert_true (g_hash_table_contains (other, key));
}

static void
test_reduction_loses_no_outcome (void) {
  for (guint i = 0; i < G_N_ELEMENTS (named); i++) {
    StepFindings full, sleep, reduced;

    if (!named[i].is_small)
      continue;
    g_autoptr (GHashTable) all
        = search_outcomes (&named[i].scenario, STEP_SEARCH_FULL, &full);
    g_autoptr (GHashTable) awake
        = search_outcomes (&named[i].scenario, STEP_SEARCH_SLEEP, &sleep);
    g_autoptr (GHashTable) some
        = search_outcomes (&named[i].scenario, STEP_SEARCH_REDUCED, &reduced);

    g_test_message ("%s: %u steps, full %" G_GUINT64_FORMAT
                    ", sleep %" G_GUINT64_FORMAT " (+%" G_GUINT64_FORMAT
                    "), reduced %" G_GUINT64_FORMAT " (+%" G_GUINT64_FORMAT
                    "), %u outcomes", named[i].name, full.max_steps, full.n_runs,
                    sleep.n_runs, sleep.n_cut, reduced.n_runs, reduced.n_cut,
                    g_hash_table_size (all));
    assert_same_set (all, awake);
    assert_same_set (all, some);
  }
}

static void
test_named_scenarios_are_clean (void) {
  for (guint i = 0; i < G_N_ELEMENTS (named); i++) {
    StepFindings findings;
    gint64 start_us = g_get_monotonic_time ();
    g_autoptr (GHashTable) outcomes
        = search_outcomes (&named[i].scenario, STEP_SEARCH_REDUCED, &findings);

    g_test_message ("%s: %u steps, %" G_GUINT64_FORMAT " runs (+%"
                    G_GUINT64_FORMAT " cut), %u outcomes, %.1f ms",
                    named[i].name, findings.max_steps, findings.n_runs,
                    findings.n_cut, g_hash_table_size (outcomes),
                    (double)(g_get_monotonic_time () - start_us) / 1000);
  }
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/step/coroutine/switches", test_coroutine_switches);
  g_test_add_func ("/core/step/explore/counts-schedules", test_counts_schedules);
  g_test_add_func ("/core/step/explore/reduction-loses-no-outcome",
                   test_reduction_loses_no_outcome);
  g_test_add_func ("/core/step/explore/named-scenarios-are-clean",
                   test_named_scenarios_are_clean);
  return g_test_run ();
}
