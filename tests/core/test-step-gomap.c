/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-step-gomap.c — every order in which Go's misuse detector can be met
 *
 * Two workers meet in a `gomap`. The detector is a race itself: in some orders it
 * speaks at the entry of a write, in some at its end, in some not at all, though
 * the two overlap in every one of them that says so. All outcomes are listed
 * here; the full search and the reduced one must meet these and no other. After
 * each run the judge has looked at the map: all invariants hold, and the bit is
 * off again, whoever came between a load and its store.
 */
#include "core/step/step-explore.h"
#include "core/step/step-trial.h"
#include "tests/core/step-outcomes.h"

#include <glib.h>
#include <string.h>

#define LOAD(k) { .op = OP_LOAD, .key = k }
#define STORE(k, v) { .op = OP_STORE, .key = k, .value = v }
#define DELETE(k) { .op = OP_DELETE, .key = k }
#define RANGE { .op = OP_RANGE }
#define CLEAR { .op = OP_CLEAR }
#define LEN { .op = OP_LEN }

#define ONE_KEY .engine = "gomap", .n_preload = 1, .preload = { { 0, 10 } }
#define PAIR(one, other)                                                      \
  .n_workers = 2, .n_ops = { 1, 1 }, .ops = { { one }, { other } }

typedef struct {
  const char  *name;
  StepScenario scenario;
  const char  *outcomes[9]; /* all there are, sorted */
} Meeting;

#define WW "! concurrent map writes "
#define RW "! concurrent map read and map write "
#define IW "! concurrent map iteration and map write "

static const Meeting meetings[] = {
  { "store | store", { ONE_KEY, PAIR (STORE (0, 20), STORE (0, 30)) },
    { "0: Store(0, 20) " WW "(entry) | 1: Store(0, 30) | 0 = 30",
      /* Both flips came out as off: each finds it gone. */
      "0: Store(0, 20) " WW "(exit) | 1: Store(0, 30) " WW "(exit) | 0 = 10",
      "0: Store(0, 20) " WW "(exit) | 1: Store(0, 30) | 0 = 30",
      "0: Store(0, 20) | 1: Store(0, 30) " WW "(entry) | 0 = 20",
      "0: Store(0, 20) | 1: Store(0, 30) " WW "(exit) | 0 = 20",
      "0: Store(0, 20) | 1: Store(0, 30) | 0 = 20",
      "0: Store(0, 20) | 1: Store(0, 30) | 0 = 30" } },
  { "store new | store new",
    { .engine = "gomap", PAIR (STORE (1, 20), STORE (2, 30)) },
    { "0: Store(1, 20) " WW "(entry) | 1: Store(2, 30) | 1 = absent, 2 = 30",
      /* Found at the end: the keys are in, their elements were never stored. */
      "0: Store(1, 20) " WW "(exit) | 1: Store(2, 30) " WW
      "(exit) | 1 = 0, 2 = 0",
      "0: Store(1, 20) " WW "(exit) | 1: Store(2, 30) | 1 = 0, 2 = 30",
      "0: Store(1, 20) | 1: Store(2, 30) " WW "(entry) | 1 = 20, 2 = absent",
      "0: Store(1, 20) | 1: Store(2, 30) " WW "(exit) | 1 = 20, 2 = 0",
      "0: Store(1, 20) | 1: Store(2, 30) | 1 = 20, 2 = 30" } },
  { "load | store", { ONE_KEY, PAIR (LOAD (0), STORE (0, 20)) },
    { "0: Load(0) " RW "(entry) | 1: Store(0, 20) | 0 = 20",
      "0: Load(0) = 10 | 1: Store(0, 20) | 0 = 20",
      "0: Load(0) = 20 | 1: Store(0, 20) | 0 = 20" } },
  /* The element of a new key comes after the bit is off: 0 can be seen. */
  { "load | store new", { .engine = "gomap", PAIR (LOAD (0), STORE (0, 20)) },
    { "0: Load(0) " RW "(entry) | 1: Store(0, 20) | 0 = 20",
      "0: Load(0) = 0 | 1: Store(0, 20) | 0 = 20",
      "0: Load(0) = 20 | 1: Store(0, 20) | 0 = 20",
      "0: Load(0) = absent | 1: Store(0, 20) | 0 = 20" } },
  { "range | store", { ONE_KEY, PAIR (RANGE, STORE (0, 20)) },
    { "0: Range() " IW "(step) | 1: Store(0, 20) | 0 = 20",
      "0: Range() = {0: 10} | 1: Store(0, 20) | 0 = 20",
      "0: Range() = {0: 20} | 1: Store(0, 20) | 0 = 20" } },
  { "range | delete", { ONE_KEY, PAIR (RANGE, DELETE (0)) },
    { "0: Range() " IW "(step) | 1: Delete(0) = true | 0 = absent",
      "0: Range() = {0: 10} | 1: Delete(0) = true | 0 = absent",
      "0: Range() = {} | 1: Delete(0) = true | 0 = absent" } },
  { "delete | clear", { ONE_KEY, PAIR (DELETE (0), CLEAR) },
    { "0: Delete(0) " WW "(entry) | 1: Clear() | 0 = absent",
      "0: Delete(0) " WW "(exit) | 1: Clear() " WW "(exit) | 0 = absent",
      "0: Delete(0) " WW "(exit) | 1: Clear() | 0 = absent",
      "0: Delete(0) = false | 1: Clear() " WW "(exit) | 0 = absent",
      "0: Delete(0) = false | 1: Clear() | 0 = absent",
      "0: Delete(0) = true | 1: Clear() " WW "(entry) | 0 = absent",
      "0: Delete(0) = true | 1: Clear() " WW "(exit) | 0 = absent",
      "0: Delete(0) = true | 1: Clear() | 0 = absent" } },
  /* Never a word: len is unchecked, and readers may meet. */
  { "len | store new", { ONE_KEY, PAIR (LEN, STORE (1, 20)) },
    { "0: Len() = 1 | 1: Store(1, 20) | 0 = 10, 1 = 20",
      "0: Len() = 2 | 1: Store(1, 20) | 0 = 10, 1 = 20" } },
  { "load | range", { ONE_KEY, PAIR (LOAD (0), RANGE) },
    { "0: Load(0) = 10 | 1: Range() = {0: 10} | 0 = 10" } },
};

static void
assert_set (const Meeting *meeting,
            GHashTable    *found) {
  guint n = 0;

  for (; n < G_N_ELEMENTS (meeting->outcomes) && meeting->outcomes[n] != NULL;
       n++)
    if (!g_hash_table_contains (found, meeting->outcomes[n]))
      g_error ("%s: never \"%s\"", meeting->name, meeting->outcomes[n]);
  g_assert_cmpuint (g_hash_table_size (found), ==, n);
}

static void
test_outcomes_are_these (void) {
  for (guint i = 0; i < G_N_ELEMENTS (meetings); i++) {
    StepFindings full, reduced;
    g_autoptr (GHashTable) all
        = search_outcomes (&meetings[i].scenario, STEP_SEARCH_FULL, &full);
    g_autoptr (GHashTable) some
        = search_outcomes (&meetings[i].scenario, STEP_SEARCH_REDUCED, &reduced);

    g_test_message ("%s: %u steps, full %" G_GUINT64_FORMAT
                    ", reduced %" G_GUINT64_FORMAT " (+%" G_GUINT64_FORMAT
                    "), %u outcomes", meetings[i].name, full.max_steps,
                    full.n_runs, reduced.n_runs, reduced.n_cut,
                    g_hash_table_size (all));
    for (guint j = 0; j < G_N_ELEMENTS (meetings[i].outcomes)
                      && meetings[i].outcomes[j] != NULL; j++)
      g_test_message ("  %s", meetings[i].outcomes[j]);
    assert_set (&meetings[i], all);
    assert_set (&meetings[i], some);
  }
}

/* The string that is printed brings the same words again. */
static void
test_schedules_bring_them_again (void) {
  for (guint i = 0; i < G_N_ELEMENTS (meetings); i++) {
    StepTrial *trial = step_trial_new (&meetings[i].scenario);
    StepRun *run = step_run_new (step_trial_program (trial));
    StepFindings findings;
    g_autoptr (GHashTable) outcomes = search_outcomes (
        &meetings[i].scenario, STEP_SEARCH_REDUCED, &findings);
    GHashTableIter iter;
    gpointer text, schedule;
    char again[400];

    g_hash_table_iter_init (&iter, outcomes);
    while (g_hash_table_iter_next (&iter, &text, &schedule)) {
      g_test_message ("%s %s", (char *)schedule, (char *)text);
      g_assert_cmpint (step_run_replay (run, schedule), ==, STEP_FINISHED);
      step_trial_outcome (trial, again, sizeof again);
      g_assert_cmpstr (again, ==, text);
    }
    step_run_free (run);
    step_trial_free (trial);
  }
}

/* What @schedule of the first meeting, two stores, ends with. */
static void
assert_ends (const char *schedule,
             const char *outcome) {
  StepTrial *trial = step_trial_new (&meetings[0].scenario);
  StepRun *run = step_run_new (step_trial_program (trial));
  char text[400];

  g_assert_cmpint (step_run_replay (run, schedule), ==, STEP_FINISHED);
  step_trial_outcome (trial, text, sizeof text);
  g_assert_cmpstr (text, ==, outcome);
  step_run_free (run);
  step_trial_free (trial);
}

/* Ten steps a store: check; load and store of the flip; the guard, taken and
 * given back; check; load and store of the clearing; the guard again. */
static void
test_two_writers_step_by_step (void) {
  /* The second comes when the bit is on. */
  assert_ends ("0001", meetings[0].outcomes[3]);
  /* It has looked before: its flip turns the bit off under both of them. */
  assert_ends ("01" "00" "00" "11" "0", meetings[0].outcomes[1]);
  /* Both flips load off and store on; who ends first turns it off. */
  assert_ends ("01" "01" "01" "11111", meetings[0].outcomes[2]);
  /* Side by side through every step: both flips load off, both store on, both
   * find it on at their end. Nobody says a word. */
  assert_ends ("01" "01" "01" "0011" "01" "01" "01" "0011",
               meetings[0].outcomes[6]);
}

/* Nine keys: the ninth starts a growth under the Range; and three at once. */
static void
test_larger_meetings_are_whole (void) {
  StepScenario growing = { .engine = "gomap",
                           .n_preload = 8,
                           .n_workers = 2,
                           .n_ops = { 1, 2 },
                           .ops = { { RANGE },
                                    { STORE (8, 30), DELETE (0) } } };
  const StepScenario three = { ONE_KEY, .n_workers = 3, .n_ops = { 1, 1, 1 },
                               .ops = { { STORE (0, 20) }, { STORE (1, 30) },
                                        { LOAD (0) } } };
  StepFindings findings;
  g_autoptr (GHashTable) some = NULL;
  g_autoptr (GHashTable) others = NULL;

  for (guint i = 0; i < 8; i++)
    growing.preload[i] = (StepPair){ i, 10 + i };
  some = search_outcomes (&growing, STEP_SEARCH_REDUCED, &findings);
  g_test_message ("growth: %" G_GUINT64_FORMAT " runs, %u outcomes",
                  findings.n_runs, g_hash_table_size (some));
  others = search_outcomes (&three, STEP_SEARCH_REDUCED, &findings);
  g_test_message ("three: %" G_GUINT64_FORMAT " runs, %u outcomes",
                  findings.n_runs, g_hash_table_size (others));
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/step/gomap/outcomes-are-these",
                   test_outcomes_are_these);
  g_test_add_func ("/core/step/gomap/schedules-bring-them-again",
                   test_schedules_bring_them_again);
  g_test_add_func ("/core/step/gomap/two-writers-step-by-step",
                   test_two_writers_step_by_step);
  g_test_add_func ("/core/step/gomap/larger-meetings-are-whole",
                   test_larger_meetings_are_whole);
  return g_test_run ();
}
