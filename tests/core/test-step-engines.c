/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-step-engines.c — every order of a few operations on the engines
 *
 * Sets        The reduced search must meet every outcome that the full search
 *             meets, and no other: the sets are compared, not their sizes.
 * Classes     Sleep sets alone meet each class of schedules, once; so must the
 *             reduced search. Classes are compared, not their numbers.
 * Clean       Named and random scenarios find nothing in the engines as they are.
 * Replays     Each run, replayed twice, gives the same trace.
 * Mutants     Every bug of core/base/mutant.h is found, and the schedule that
 *             is printed fails again, alike, on replay, and not on the engine as
 *             it is; so does what is left of its scenario when all is left out
 *             that the failure does not need.
 */
#include "core/base/mutant.h"
#include "core/step/step-explore.h"
#include "core/step/step-minimise.h"
#include "core/step/step-trial.h"
#include "tests/core/step-outcomes.h"

#include <glib.h>
#include <string.h>

/* The thread sanitizer's switches take a hundred times as long, and find nothing
 * in one thread: a sample is enough. */
#if defined(__SANITIZE_THREAD__)
#define SHARE 20
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SHARE 20
#endif
#endif
#ifndef SHARE
#define SHARE 1
#endif

/* Scenarios ---------------------------------------------------------------- */

#define LOAD(k) { .op = OP_LOAD, .key = k }
#define STORE(k, v) { .op = OP_STORE, .key = k, .value = v }
#define DELETE(k) { .op = OP_DELETE, .key = k }
#define TAKE(k) { .op = OP_LOAD_AND_DELETE, .key = k }
#define RANGE { .op = OP_RANGE }
#define CLEAR { .op = OP_CLEAR }

typedef struct {
  const char  *name;
  gboolean     is_small;   /* the full search ends in a moment */
  guint        n_outcomes; /* of reference/correctness.md; 0: not told there */
  StepScenario scenario;
} Named;

#define ONE_KEY_IN_READ                                                       \
  .engine = "syncmap", .is_promoted = true, .n_preload = 1,                   \
  .preload = { { 0, 10 } }

static const Named named[] = {
  { "load | delete | store", TRUE, 6,
    { ONE_KEY_IN_READ, .n_workers = 3, .n_ops = { 1, 1, 1 },
      .ops = { { LOAD (0) }, { DELETE (0) }, { STORE (0, 20) } } } },
  { "delete, store | store new, load", FALSE, 1,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 2, 2 },
      .ops = { { DELETE (0), STORE (0, 20) }, { STORE (1, 30), LOAD (1) } } } },
  { "load | store", TRUE, 0,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 1, 1 },
      .ops = { { LOAD (0) }, { STORE (0, 20) } } } },
  { "delete | store", TRUE, 0,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 1, 1 },
      .ops = { { DELETE (0) }, { STORE (0, 20) } } } },
  { "delete, load | load", TRUE, 0,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 2, 1 },
      .ops = { { DELETE (0), LOAD (0) }, { LOAD (0) } } } },
  { "load | store new", TRUE, 0,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 1, 1 },
      .ops = { { LOAD (1) }, { STORE (1, 20) } } } },
  { "delete | store new", TRUE, 0,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 1, 1 },
      .ops = { { DELETE (0) }, { STORE (1, 20) } } } },
  { "range | store", TRUE, 0,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 1, 1 },
      .ops = { { RANGE }, { STORE (0, 20) } } } },
  { "store new, load | load, load", FALSE, 3,
    { .engine = "syncmap", .n_workers = 2, .n_ops = { 2, 2 },
      .ops = { { STORE (1, 30), LOAD (1) }, { LOAD (1), LOAD (1) } } } },
  { "loads | delete, store new | store", FALSE, 12,
    { ONE_KEY_IN_READ, .n_workers = 3, .n_ops = { 2, 2, 1 },
      .ops = { { LOAD (0), LOAD (1) }, { DELETE (0), STORE (1, 30) },
               { STORE (0, 20) } } } },
  { "delete | delete, store new, store", FALSE, 0,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 1, 3 },
      .ops = { { DELETE (0) }, { DELETE (0), STORE (1, 30), STORE (0, 20) } } } },
  { "two deletes out of dirty", FALSE, 0,
    { .engine = "syncmap", .n_preload = 2, .preload = { { 0, 10 }, { 1, 11 } },
      .n_workers = 2, .n_ops = { 2, 2 },
      .ops = { { TAKE (0), STORE (2, 30) }, { TAKE (0), LOAD (1) } } } },
  { "range | delete | store new", FALSE, 0,
    { ONE_KEY_IN_READ, .n_workers = 3, .n_ops = { 1, 1, 1 },
      .ops = { { RANGE }, { DELETE (0) }, { STORE (1, 30) } } } },
  { "clear | store, load", FALSE, 0,
    { ONE_KEY_IN_READ, .n_workers = 2, .n_ops = { 1, 2 },
      .ops = { { CLEAR }, { STORE (1, 30), LOAD (0) } } } },
  { "mutexmap: load | delete | store", TRUE, 0,
    { .engine = "mutexmap", .n_preload = 1, .preload = { { 0, 10 } },
      .n_workers = 3, .n_ops = { 1, 1, 1 },
      .ops = { { LOAD (0) }, { DELETE (0) }, { STORE (0, 20) } } } },
  { "mutexmap: range | store, delete", TRUE, 0,
    { .engine = "mutexmap", .n_preload = 1, .preload = { { 0, 10 } },
      .n_workers = 2, .n_ops = { 1, 2 },
      .ops = { { RANGE }, { STORE (1, 20), DELETE (0) } } } },
};

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
    if (named[i].n_outcomes > 0)
      g_assert_cmpuint (g_hash_table_size (outcomes), ==, named[i].n_outcomes);
  }
}

/* The class of a run: for each step, in the order of its worker, how many steps of
 * each worker come before it for sure. Equal in all runs that only the order of
 * independent steps tells apart. */
static char *
class_of (StepRun *run) {
  const StepRecord *records = step_run_records (run);
  guint n = step_run_n_steps (run);
  g_autofree guint (*clocks)[STEP_MAX_WORKERS] = g_malloc0_n (n, sizeof *clocks);
  g_autofree guint *numbers = g_new0 (guint, n);
  guint n_of[STEP_MAX_WORKERS] = { 0 };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++) {
    const StepAccess *ours = step_run_accesses (run, &records[i]);

    numbers[i] = ++n_of[records[i].worker];
    for (guint j = 0; j < i; j++) {
      const StepAccess *theirs = step_run_accesses (run, &records[j]);
      gboolean is_before = records[j].worker == records[i].worker;

      for (guint a = 0; a < records[i].n_accesses && !is_before; a++)
        for (guint b = 0; b < records[j].n_accesses && !is_before; b++)
          is_before = step_access_is_dependent (&ours[a], &theirs[b]);
      for (guint q = 0; q < STEP_MAX_WORKERS && is_before; q++)
        clocks[i][q] = MAX (clocks[i][q], clocks[j][q]);
    }
    clocks[i][records[i].worker] = numbers[i];
  }
  for (guint worker = 0; worker < STEP_MAX_WORKERS; worker++)
    for (guint i = 0; i < n; i++)
      if (records[i].worker == worker)
        for (guint q = 0; q < STEP_MAX_WORKERS; q++)
          g_string_append_printf (text, clocks[i][q] == 0 ? "," : "%u,",
                                  clocks[i][q]);
  return g_string_free (text, FALSE);
}

static void
add_class_cb (StepRun *run,
              void    *data) {
  GHashTable *classes = data;
  char *class = class_of (run);
  gpointer n_met = g_hash_table_lookup (classes, class);

  g_hash_table_replace (classes, class,
                        GUINT_TO_POINTER (GPOINTER_TO_UINT (n_met) + 1));
}

static GHashTable *
search_classes (const StepScenario *scenario,
                StepSearch          search,
                guint64             max_runs,
                StepFindings       *findings) {
  GHashTable *classes
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  StepTrial *trial = step_trial_new (scenario);
  StepExplore how = {
    .search = search,
    .max_runs = max_runs,
    .visit = add_class_cb,
    .data = classes,
  };

  step_explore (step_trial_program (trial), &how, findings);
  g_assert_cmpuint (findings->n_failures, ==, 0);
  step_trial_free (trial);
  return classes;
}

/* FALSE: sleep sets alone do not come to an end soon. */
static gboolean
compare_classes (const StepScenario *scenario,
                 const char         *name) {
  const guint64 max_runs = 2000;
  StepFindings sleep, reduced;
  g_autoptr (GHashTable) all
      = search_classes (scenario, STEP_SEARCH_SLEEP, max_runs, &sleep);

  if (!sleep.is_complete)
    return FALSE;
  g_autoptr (GHashTable) met
      = search_classes (scenario, STEP_SEARCH_REDUCED, max_runs, &reduced);

  if (name != NULL)
    g_test_message ("%s: %u classes, +%" G_GUINT64_FORMAT " runs cut, +%"
                    G_GUINT64_FORMAT " by sleep sets alone", name,
                    g_hash_table_size (met), reduced.n_cut, sleep.n_cut);
  g_assert_true (reduced.is_complete);
  assert_same_set (all, met);
  g_assert_cmpuint (reduced.n_runs, ==, g_hash_table_size (met));
  g_assert_cmpuint (sleep.n_runs, ==, g_hash_table_size (all));
  g_assert_cmpuint (reduced.n_cut, <=, sleep.n_cut);
  return TRUE;
}

static void
test_reduction_misses_no_class (void) {
  guint n_compared = 0, n_tried = 0;
  Prng prng;

  for (guint i = 0; i < G_N_ELEMENTS (named); i++)
    g_assert_true (compare_classes (&named[i].scenario, named[i].name));
  prng_init (&prng, 31);
  for (guint i = 0; step_engine_name (i) != NULL; i++)
    for (guint j = 0; j < 40 / SHARE; j++, n_tried++) {
      StepScenario scenario;

      step_generate (&scenario, step_engine_name (i), &prng, 2 + j % 2,
                     2 - j % 2, 2);
      n_compared += compare_classes (&scenario, NULL);
    }
  g_test_message ("%u of %u random scenarios compared", n_compared, n_tried);
  g_assert_cmpuint (n_compared, >, 0);
}

/* Random scenarios --------------------------------------------------------- */

typedef struct {
  guint64 n_runs;
  guint64 most_runs;
  guint   n_scenarios;
  guint   n_complete; /* nothing left to try */
} Tally;

static void
explore_random (const char *engine,
                guint       n_scenarios,
                guint       n_workers,
                guint       n_ops,
                StepExplore how,
                Tally      *tally) {
  Prng prng;

  how.max_runs /= SHARE;
  prng_init (&prng, 20240 + n_workers * 100 + n_ops);
  for (guint i = 0; i < n_scenarios / SHARE; i++) {
    StepScenario scenario;
    StepFindings findings;
    StepTrial *trial;

    step_generate (&scenario, engine, &prng, n_workers, n_ops, 2);
    trial = step_trial_new (&scenario);
    step_explore (step_trial_program (trial), &how, &findings);
    if (findings.n_failures > 0)
      g_error ("%s %ux%u, scenario %u: %s: %s, schedule %s", engine, n_workers,
               n_ops, i, step_outcome_name (findings.outcome), findings.why,
               findings.schedule);
    if (how.max_runs == 0)
      g_assert_true (findings.is_complete);
    tally->n_scenarios++;
    tally->n_complete += findings.is_complete;
    tally->n_runs += findings.n_runs + findings.n_cut;
    tally->most_runs = MAX (tally->most_runs, findings.n_runs + findings.n_cut);
    step_trial_free (trial);
  }
}

static void
test_random_scenarios_are_clean (void) {
  static const struct {
    const char *engine;
    guint       n_scenarios, n_workers, n_ops;
    StepExplore how;
  } cases[] = {
    { "syncmap", 300, 2, 2, { .search = STEP_SEARCH_REDUCED } },
    { "syncmap", 300, 2, 3, { .search = STEP_SEARCH_REDUCED } },
    { "syncmap", 100, 3, 2,
      { .search = STEP_SEARCH_REDUCED, .max_runs = 20000 } },
    { "syncmap", 40, 3, 3,
      { .search = STEP_SEARCH_BOUNDED, .bound = 2, .max_runs = 5000 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Tally tally = { 0 };
    gint64 start_us = g_get_monotonic_time ();

    explore_random (cases[i].engine, cases[i].n_scenarios, cases[i].n_workers,
                    cases[i].n_ops, cases[i].how, &tally);
    g_test_message ("%s, %u of %ux%u, %u to their end: %" G_GUINT64_FORMAT
                    " runs, at most %" G_GUINT64_FORMAT ", %.2f s",
                    cases[i].engine, tally.n_scenarios, cases[i].n_workers,
                    cases[i].n_ops, tally.n_complete, tally.n_runs,
                    tally.most_runs,
                    (double)(g_get_monotonic_time () - start_us) / 1e6);
  }
}

/* Engines that are made of one lock, or none, have few schedules; those whose
 * readers share a lock have many, and get a share of them. */
static void
test_every_engine_is_clean (void) {
  StepExplore how = { .search = STEP_SEARCH_REDUCED, .max_runs = 2000 };

  for (guint i = 0; step_engine_name (i) != NULL; i++) {
    Tally tally = { 0 };

    explore_random (step_engine_name (i), 100, 2, 3, how, &tally);
    explore_random (step_engine_name (i), 40, 3, 2, how, &tally);
    g_test_message ("%s: %u of %u scenarios to their end, %" G_GUINT64_FORMAT
                    " runs", step_engine_name (i), tally.n_complete,
                    tally.n_scenarios, tally.n_runs);
  }
}

/* Where the full search ends soon, any two operations. */
static void
test_reduction_loses_no_random_outcome (void) {
  guint n_compared = 0;
  Prng prng;

  prng_init (&prng, 99);
  for (guint i = 0; i < 200 / SHARE; i++) {
    StepScenario scenario;
    StepFindings full, reduced;

    step_generate (&scenario, "syncmap", &prng, 2, 1, 2);
    g_autoptr (GHashTable) some
        = search_outcomes (&scenario, STEP_SEARCH_REDUCED, &reduced);

    /* C(24, 12) is 2.7 million. */
    if (reduced.max_steps > 20)
      continue;
    g_autoptr (GHashTable) all
        = search_outcomes (&scenario, STEP_SEARCH_FULL, &full);

    assert_same_set (all, some);
    n_compared++;
  }
  g_test_message ("%u pairs of operations compared", n_compared);
  g_assert_cmpuint (n_compared, >, 0);
}

/* Replaying ---------------------------------------------------------------- */

typedef struct {
  StepRun    *again;
  StepTrial  *trial;
  guint       n_runs;
} Replays;

static void
replay_twice_cb (StepRun *run,
                 void    *data) {
  Replays *replays = data;
  g_autofree char *schedule = g_strdup (step_run_schedule (run));
  guint n_steps = step_run_n_steps (run);
  char first[1000], again[1000];

  step_trial_outcome (replays->trial, first, sizeof first);
  for (guint i = 0; i < 2; i++) {
    const StepRecord *one = step_run_records (run);
    const StepRecord *other = step_run_records (replays->again);

    g_assert_cmpint (step_run_replay (replays->again, schedule), ==,
                     STEP_FINISHED);
    g_assert_cmpuint (step_run_n_steps (replays->again), ==, n_steps);
    for (guint j = 0; j < n_steps; j++) {
      g_assert_cmpuint (one[j].worker, ==, other[j].worker);
      g_assert_cmpuint (one[j].kind, ==, other[j].kind);
      g_assert_cmpuint (one[j].offset, ==, other[j].offset);
      g_assert_cmpuint (one[j].n_accesses, ==, other[j].n_accesses);
      g_assert_cmpstr (one[j].label, ==, other[j].label);
    }
    step_trial_outcome (replays->trial, again, sizeof again);
    g_assert_cmpstr (first, ==, again);
  }
  replays->n_runs++;
}

static void
test_runs_replay_identically (void) {
  for (guint i = 0; i < G_N_ELEMENTS (named); i++) {
    StepTrial *trial = step_trial_new (&named[i].scenario);
    Replays replays = { step_run_new (step_trial_program (trial)), trial, 0 };
    StepExplore how = {
      .search = STEP_SEARCH_REDUCED,
      .visit = replay_twice_cb,
      .data = &replays,
    };
    StepFindings findings;

    step_explore (step_trial_program (trial), &how, &findings);
    g_assert_cmpuint (replays.n_runs, ==, findings.n_runs);
    step_run_free (replays.again);
    step_trial_free (trial);
  }
}

static void
test_schedule_that_does_not_fit (void) {
  StepTrial *trial = step_trial_new (&named[0].scenario);
  StepRun *run = step_run_new (step_trial_program (trial));

  g_assert_cmpint (step_run_replay (run, "0003"), ==, STEP_MISFIT);
  g_assert_nonnull (strstr (step_run_why (run), "step 3"));
  /* What is not said is decided: the worker under way goes on. */
  g_assert_cmpint (step_run_replay (run, "2"), ==, STEP_FINISHED);
  g_assert_true (g_str_has_prefix (step_run_schedule (run), "2222"));
  step_run_free (run);
  step_trial_free (trial);
}

/* Mutants ------------------------------------------------------------------ */

/* 26 keys fill eight buckets' worth of load at B = 2: the 27th starts a growth
 * of four chains, of which one write moves two. */
static void
growing_scenario (StepScenario *scenario) {
  *scenario = (StepScenario){
    .engine = "mutexmap",
    .n_preload = 26,
    .n_workers = 2,
    .n_ops = { 3, 2 },
    .ops = { { STORE (26, 126), RANGE, STORE (27, 127) },
             { RANGE, LOAD (5) } },
  };
  for (guint i = 0; i < 26; i++)
    scenario->preload[i] = (StepPair){ i, 10 + i };
}

static const StepScenario two_that_compare = {
  .engine = "rwmap", .n_preload = 1, .preload = { { 0, 10 } }, .n_workers = 2,
  .n_ops = { 1, 1 },
  .ops = { { { .op = OP_COMPARE_AND_SWAP, .key = 0, .value = 20, .old = 10 } },
           { { .op = OP_COMPARE_AND_SWAP, .key = 0, .value = 30, .old = 10 } } },
};

/* So many keys that there are some in most shards. */
static void
dealing_scenario (StepScenario *scenario) {
  *scenario = (StepScenario){
    .engine = "shardmap",
    .n_preload = 60,
    .n_workers = 2,
    .n_ops = { 1, 2 },
    .ops = { { CLEAR }, { STORE (1, 30), LOAD (1) } },
  };
  for (guint i = 0; i < 60; i++)
    scenario->preload[i] = (StepPair){ i, 100 + i };
}

/* The nth scenario that is tried on @mutant: those named, then random ones. */
static void
nth_scenario (guint         nth,
              Mutant        mutant,
              Prng         *prng,
              StepScenario *scenario) {
  if (mutant == MUTANT_LETS_GO_BETWEEN) {
    *scenario = two_that_compare;
  } else if (mutant == MUTANT_DEAL_CHANGES) {
    dealing_scenario (scenario);
    scenario->seed = nth;
  } else if (mutant >= MUTANT_GROWTH_IGNORES_HALF) {
    growing_scenario (scenario);
    scenario->seed = nth;
  } else if (nth < G_N_ELEMENTS (named)) {
    *scenario = named[nth].scenario;
  } else {
    step_generate (scenario, "syncmap", prng, 2, 3, 2);
  }
}

static guint
count_ops (const StepScenario *scenario) {
  guint n = 0;

  for (guint i = 0; i < scenario->n_workers; i++)
    n += scenario->n_ops[i];
  return n;
}

/* The failure fails again, alike; the engine as it is has none. */
static void
check_kill (const StepScenario *mutated,
            const StepFindings *findings) {
  StepScenario right = *mutated;
  StepTrial *trial = step_trial_new (mutated);
  StepRun *run = step_run_new (step_trial_program (trial));
  StepExplore how = { .search = STEP_SEARCH_REDUCED };
  StepFindings clean;

  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (step_run_replay (run, findings->schedule), ==,
                     findings->outcome);
    g_assert_cmpstr (step_run_why (run), ==, findings->why);
    g_assert_cmpstr (step_run_schedule (run), ==, findings->schedule);
  }
  step_run_free (run);
  step_trial_free (trial);

  right.mutant = MUTANT_NONE;
  trial = step_trial_new (&right);
  step_explore (step_trial_program (trial), &how, &clean);
  g_assert_true (clean.is_complete);
  g_assert_cmpuint (clean.n_failures, ==, 0);
  step_trial_free (trial);
}

/* What is left when all is left out that the failure does not need fails as
 * solidly. */
static void
tell_least (StepScenario *scenario) {
  g_autoptr (GString) text = g_string_new (NULL);
  const StepResult nothing = { .is_whole = false };
  guint n_before = count_ops (scenario);
  StepFindings findings;
  char op[120];

  g_assert_true (step_minimise (scenario, 2, 20000, &findings));
  check_kill (scenario, &findings);
  g_assert_cmpuint (count_ops (scenario), <=, n_before);
  for (guint i = 0; i < scenario->n_workers; i++)
    for (guint j = 0; j < scenario->n_ops[i]; j++) {
      step_op_text (&scenario->ops[i][j], &nothing, op, sizeof op);
      g_string_append_printf (text, "%s%s", j > 0 ? ", " : i > 0 ? " | " : "",
                              op);
    }
  g_test_message ("  needs %u keys and %s: %s", scenario->n_preload, text->str,
                  findings.schedule);
}

static gboolean
kill_mutant (Mutant   mutant,
             gboolean wants_named) {
  const guint n_tries = 4000;
  guint64 n_runs = 0;
  Prng prng;

  prng_init (&prng, 7);
  for (guint i = wants_named ? 0 : G_N_ELEMENTS (named); i < n_tries; i++) {
    StepExplore how = { .search = STEP_SEARCH_REDUCED, .max_runs = 20000 };
    StepScenario scenario;
    StepFindings findings;
    StepTrial *trial;

    nth_scenario (i, mutant, &prng, &scenario);
    scenario.mutant = mutant;
    trial = step_trial_new (&scenario);
    step_explore (step_trial_program (trial), &how, &findings);
    n_runs += findings.n_runs + findings.n_cut;
    if (findings.n_failures > 0) {
      g_test_message ("mutant %u: scenario %u, run %" G_GUINT64_FORMAT
                      " (%" G_GUINT64_FORMAT " in all): %s: %s",
                      mutant, i, findings.failed_at, n_runs,
                      step_outcome_name (findings.outcome), findings.why);
      check_kill (&scenario, &findings);
      step_trial_free (trial);
      tell_least (&scenario);
      return TRUE;
    }
    step_trial_free (trial);
  }
  g_test_message ("mutant %u survives %" G_GUINT64_FORMAT " runs", mutant,
                  n_runs);
  return FALSE;
}

static void
test_every_mutant_is_killed (void) {
  guint n_survivors = 0;

  for (guint mutant = 1; mutant <= MUTANT_DEAL_CHANGES; mutant++)
    n_survivors += !kill_mutant ((Mutant)mutant, TRUE);
  g_assert_cmpuint (n_survivors, ==, 0);
}

/* Nobody had to think of the scenario. */
static void
test_random_scenarios_kill_mutants (void) {
  guint n_survivors = 0;

  for (guint mutant = 1; mutant < MUTANT_GROWTH_IGNORES_HALF; mutant++)
    n_survivors += !kill_mutant ((Mutant)mutant, FALSE);
  g_assert_cmpuint (n_survivors, ==, 0);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/step/explore/reduction-loses-no-outcome",
                   test_reduction_loses_no_outcome);
  g_test_add_func ("/core/step/explore/reduction-misses-no-class",
                   test_reduction_misses_no_class);
  g_test_add_func ("/core/step/explore/named-scenarios-are-clean",
                   test_named_scenarios_are_clean);
  g_test_add_func ("/core/step/explore/random-scenarios-are-clean",
                   test_random_scenarios_are_clean);
  g_test_add_func ("/core/step/explore/every-engine-is-clean",
                   test_every_engine_is_clean);
  g_test_add_func ("/core/step/explore/reduction-loses-no-random-outcome",
                   test_reduction_loses_no_random_outcome);
  g_test_add_func ("/core/step/run/runs-replay-identically",
                   test_runs_replay_identically);
  g_test_add_func ("/core/step/run/schedule-that-does-not-fit",
                   test_schedule_that_does_not_fit);
  g_test_add_func ("/core/step/mutants/every-one-is-killed",
                   test_every_mutant_is_killed);
  g_test_add_func ("/core/step/mutants/random-scenarios-kill-them",
                   test_random_scenarios_kill_mutants);
  return g_test_run ();
}
