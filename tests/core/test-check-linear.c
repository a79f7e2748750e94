/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-check-linear.c — the checker accepts what can be, and nothing else
 *
 * Each case is one operation alone on a known state; then operations at once,
 * in which both orders, one order or none explains the results.
 */
#include "core/check/linear.h"

#define ABSENT LINEAR_ABSENT, 0
#define HOLDS_1 LINEAR_PRESENT, 1

typedef struct {
  LinearPresence presence;
  uint64_t       value;
  LinearOp       op;
  LinearVerdict  wanted;
} Case;

#define OP(k, v, o, r, ok)                                                    \
  { .kind = k, .value = v, .old = o, .result = r, .is_ok = ok,                \
    .has_result = true }

static const Case cases[] = {
  { ABSENT, OP (OP_LOAD, 0, 0, 0, false), LINEAR_OK },
  { ABSENT, OP (OP_LOAD, 0, 0, 1, true), LINEAR_VIOLATED },
  { HOLDS_1, OP (OP_LOAD, 0, 0, 1, true), LINEAR_OK },
  { HOLDS_1, OP (OP_LOAD, 0, 0, 2, true), LINEAR_VIOLATED },
  { HOLDS_1, OP (OP_LOAD, 0, 0, 0, false), LINEAR_VIOLATED },
  { HOLDS_1, OP (OP_LOAD_OR_STORE, 2, 0, 1, true), LINEAR_OK },
  { HOLDS_1, OP (OP_LOAD_OR_STORE, 2, 0, 2, false), LINEAR_VIOLATED },
  { ABSENT, OP (OP_LOAD_OR_STORE, 2, 0, 2, false), LINEAR_OK },
  { ABSENT, OP (OP_LOAD_OR_STORE, 2, 0, 3, false), LINEAR_VIOLATED },
  { HOLDS_1, OP (OP_LOAD_AND_DELETE, 0, 0, 1, true), LINEAR_OK },
  { ABSENT, OP (OP_LOAD_AND_DELETE, 0, 0, 1, true), LINEAR_VIOLATED },
  { ABSENT, OP (OP_SWAP, 2, 0, 0, false), LINEAR_OK },
  { HOLDS_1, OP (OP_SWAP, 2, 0, 2, true), LINEAR_VIOLATED },
  { HOLDS_1, OP (OP_COMPARE_AND_SWAP, 2, 1, 0, true), LINEAR_OK },
  { HOLDS_1, OP (OP_COMPARE_AND_SWAP, 2, 1, 0, false), LINEAR_VIOLATED },
  { ABSENT, OP (OP_COMPARE_AND_SWAP, 2, 1, 0, true), LINEAR_VIOLATED },
  { HOLDS_1, OP (OP_COMPARE_AND_DELETE, 0, 1, 0, true), LINEAR_OK },
  { HOLDS_1, OP (OP_COMPARE_AND_DELETE, 0, 3, 0, true), LINEAR_VIOLATED },
  { ABSENT, OP (OP_DELETE, 0, 0, 0, false), LINEAR_OK },
  { ABSENT, OP (OP_DELETE, 0, 0, 0, true), LINEAR_VIOLATED },
  { HOLDS_1, OP (OP_DELETE, 0, 0, 0, true), LINEAR_OK },
  { HOLDS_1, OP (OP_DELETE, 0, 0, 0, false), LINEAR_VIOLATED },
  { LINEAR_ANY, 0, OP (OP_LOAD, 0, 0, 7, true), LINEAR_OK },
  { LINEAR_ANY, 0, OP (OP_DELETE, 0, 0, 0, false), LINEAR_OK },
};

static void
test_judges_each_operation (void) {
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (Linear) linear
        = linear_new (cases[i].presence, cases[i].value);
    LinearVerdict found
        = linear_return (linear, linear_call (linear, &cases[i].op));

    if (found != cases[i].wanted)
      g_error ("case %zu: wanted %d, found %d", i, cases[i].wanted, found);
  }
}

/* A Load during a Store may see either value; once one Load has seen the new
 * one, no later Load may see the old. */
static void
test_orders_what_overlaps (void) {
  const LinearOp store = OP (OP_STORE, 2, 0, 0, true);
  const LinearOp sees_1 = OP (OP_LOAD, 0, 0, 1, true);
  const LinearOp sees_2 = OP (OP_LOAD, 0, 0, 2, true);
  g_autoptr (Linear) linear = linear_new (LINEAR_PRESENT, 1);

  linear_call (linear, &store);
  g_assert_cmpint (linear_return (linear, linear_call (linear, &sees_1)), ==,
                   LINEAR_OK);
  g_assert_cmpint (linear_return (linear, linear_call (linear, &sees_2)), ==,
                   LINEAR_OK);
  g_assert_cmpint (linear_return (linear, linear_call (linear, &sees_1)), ==,
                   LINEAR_VIOLATED);
}

static void
test_gives_up_past_its_places (void) {
  const LinearOp load = OP (OP_LOAD, 0, 0, 1, true);
  g_autoptr (Linear) linear = linear_new (LINEAR_PRESENT, 1);

  for (int i = 0; i < LINEAR_MAX_PENDING; i++)
    g_assert_cmpint (linear_call (linear, &load), ==, i);
  g_assert_cmpint (linear_call (linear, &load), ==, -1);
  g_assert_cmpint (linear_verdict (linear), ==, LINEAR_UNKNOWN);
}

/* 20 Stores at once can have taken effect in 20 * 2^19 ways: past the cap. */
static void
test_gives_up_past_its_cap (void) {
  g_autoptr (Linear) linear = linear_new (LINEAR_PRESENT, 1);

  for (uint64_t i = 0; i < 20; i++) {
    const LinearOp store = OP (OP_STORE, i, 0, 0, true);

    linear_call (linear, &store);
  }
  g_assert_cmpint (linear_return (linear, 0), ==, LINEAR_UNKNOWN);
}

/* Reads never multiply what is possible: 60 Loads that wait for either of two
 * values, as the Ranges of a crowd would, are one configuration each. */
static void
test_takes_reads_at_once (void) {
  const LinearOp store = OP (OP_STORE, 2, 0, 0, true);
  const LinearOp sees_1 = OP (OP_LOAD, 0, 0, 1, true);
  const LinearOp sees_2 = OP (OP_LOAD, 0, 0, 2, true);
  g_autoptr (Linear) linear = linear_new (LINEAR_PRESENT, 1);
  int stored;

  for (int i = 0; i < 60; i++)
    linear_call (linear, i % 2 == 0 ? &sees_1 : &sees_2);
  stored = linear_call (linear, &store);
  g_assert_cmpint (linear_return (linear, stored), ==, LINEAR_OK);
  g_assert_cmpuint (linear_n_configs (linear), ==, 1);
  for (int i = 0; i < 60; i++)
    g_assert_cmpint (linear_return (linear, i), ==, LINEAR_OK);
  g_assert_cmpint (linear_return (linear, linear_call (linear, &sees_1)), ==,
                   LINEAR_VIOLATED);
}

/* Nothing of one key is left for the next. */
static void
test_starts_anew (void) {
  const LinearOp store = OP (OP_STORE, 2, 0, 0, true);
  const LinearOp sees_1 = OP (OP_LOAD, 0, 0, 1, true);
  g_autoptr (Linear) linear = linear_new (LINEAR_ABSENT, 0);
  LinearState state;

  linear_call (linear, &store);
  linear_return (linear, linear_call (linear, &sees_1));
  g_assert_cmpint (linear_verdict (linear), ==, LINEAR_VIOLATED);
  g_assert_false (linear_is_absent (linear));
  linear_reset (linear, LINEAR_ABSENT, 0);
  g_assert_true (linear_is_absent (linear));
  g_assert_cmpint (linear_return (linear, linear_call (linear, &store)), ==,
                   LINEAR_OK);
  g_assert_true (linear_is_settled (linear, &state));
  g_assert_cmpuint (state.value, ==, 2);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/check/linear/judges-each-operation",
                   test_judges_each_operation);
  g_test_add_func ("/core/check/linear/orders-what-overlaps",
                   test_orders_what_overlaps);
  g_test_add_func ("/core/check/linear/gives-up-past-its-places",
                   test_gives_up_past_its_places);
  g_test_add_func ("/core/check/linear/gives-up-past-its-cap",
                   test_gives_up_past_its_cap);
  g_test_add_func ("/core/check/linear/takes-reads-at-once",
                   test_takes_reads_at_once);
  g_test_add_func ("/core/check/linear/starts-anew", test_starts_anew);
  return g_test_run ();
}
