/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-wgl.c — three judges of one key say the same
 *
 * Small random histories, right and wrong, go to the search, to the streaming
 * checker and to a third judge that knows nothing of either: it tries every order
 * on a register of its own.
 */
#include "core/base/prng.h"
#include "core/check/wgl.h"

#define MAX_OPS 7
#define N_ROUNDS 60000

/* The third judge ---------------------------------------------------------- */

/* Whether @op done on (*is_there, *value) gives what it gave. */
static gboolean
explains (const LinearOp *op,
          gboolean       *is_there,
          guint64        *value) {
  gboolean was_there = *is_there;
  gboolean matches = was_there && *value == op->old;
  gboolean saw = !op->has_result
                 || (op->is_ok ? was_there && *value == op->result : !was_there);

  if (op->kind == OP_COMPARE_AND_SWAP || op->kind == OP_COMPARE_AND_DELETE) {
    if (matches && op->kind == OP_COMPARE_AND_SWAP)
      *value = op->value;
    if (matches && op->kind == OP_COMPARE_AND_DELETE)
      *is_there = FALSE;
    return !op->has_result || op->is_ok == matches;
  }
  if (op->kind == OP_STORE || op->kind == OP_SWAP
      || (op->kind == OP_LOAD_OR_STORE && !was_there)) {
    *is_there = TRUE;
    *value = op->value;
  }
  if (op->kind == OP_DELETE || op->kind == OP_LOAD_AND_DELETE)
    *is_there = FALSE;
  if (op->kind == OP_STORE)
    return TRUE;
  if (op->kind == OP_DELETE)
    return !op->has_result || op->is_ok == was_there;
  return saw;
}

static gboolean
can_be_ordered (const WglOp *ops,
                guint        n_ops,
                guint        done,
                gboolean     is_there,
                guint64      value) {
  gboolean is_over = TRUE;

  for (guint i = 0; i < n_ops; i++)
    is_over = is_over && (done >> i & 1 || ops[i].ended_ns == WGL_NEVER);
  if (is_over)
    return TRUE;
  for (guint i = 0; i < n_ops; i++) {
    gboolean after_is_there = is_there, is_next = !(done >> i & 1);
    guint64 after_value = value;

    for (guint j = 0; j < n_ops && is_next; j++)
      is_next = done >> j & 1
                || (ops[j].ended_ns >= ops[i].began_ns
                    && ops[i].after != j + 1);
    if (is_next && explains (&ops[i].op, &after_is_there, &after_value)
        && can_be_ordered (ops, n_ops, done | 1u << i, after_is_there,
                           after_value))
      return TRUE;
  }
  return FALSE;
}

/* The streaming one -------------------------------------------------------- */

static LinearVerdict
judge_by_stream (const WglOp *ops,
                 guint        n_ops,
                 gssize      *failed) {
  g_autoptr (Linear) linear = linear_new (LINEAR_ABSENT, 0);
  int places[64];
  guint64 called = 0, returned = 0;

  for (;;) {
    gint next = -1;
    gboolean is_return = FALSE;
    gint64 at_ns = WGL_NEVER;

    for (guint i = 0; i < n_ops; i++) {
      if (!(called >> i & 1) && ops[i].began_ns < at_ns) {
        next = (gint)i;
        at_ns = ops[i].began_ns;
        is_return = FALSE;
      }
    }
    for (guint i = 0; i < n_ops; i++) {
      if ((called >> i & 1) && !(returned >> i & 1)
          && ops[i].ended_ns < at_ns) {
        next = (gint)i;
        at_ns = ops[i].ended_ns;
        is_return = TRUE;
      }
    }
    if (next < 0)
      return linear_verdict (linear);
    if (!is_return) {
      guint after = ops[next].after;

      places[next] = linear_call_after (
          linear, &ops[next].op,
          after == 0 || (returned >> (after - 1) & 1)
              ? 0
              : G_GUINT64_CONSTANT (1) << places[after - 1]);
      called |= G_GUINT64_CONSTANT (1) << next;
      continue;
    }
    returned |= G_GUINT64_CONSTANT (1) << next;
    if (linear_return (linear, places[next]) != LINEAR_OK) {
      *failed = next;
      return linear_verdict (linear);
    }
  }
}

/* Histories ---------------------------------------------------------------- */

static void
draw_history (Prng  *prng,
              WglOp *ops,
              guint  n_ops) {
  gint64 at_ns = 0;

  for (guint i = 0; i < n_ops; i++) {
    WglOp *op = &ops[i];

    at_ns += (gint64)prng_below (prng, 4);
    op->began_ns = at_ns;
    op->ended_ns = prng_below (prng, 12) == 0
                       ? WGL_NEVER
                       : at_ns + (gint64)prng_below (prng, 8);
    op->after = prng_below (prng, 3) == 0
                    ? (guint32)prng_below (prng, i + 1)
                    : 0;
    op->op = (LinearOp){ .kind = (OpKind)prng_below (prng, OP_RANGE),
                         .value = prng_below (prng, 3),
                         .old = prng_below (prng, 3),
                         .result = prng_below (prng, 3),
                         .is_ok = prng_below (prng, 2) == 0,
                         .has_result = op->ended_ns != WGL_NEVER };
    if (op->op.kind == OP_LOAD_OR_STORE && !op->op.is_ok)
      op->op.result = op->op.value;
  }
}

/* The order holds every operation once, explains each, and breaks no time. */
static void
check_order (const WglOp     *ops,
             guint            n_ops,
             const WglResult *result) {
  gboolean is_there = FALSE;
  guint64 value = 0;
  guint done = 0;

  for (gsize i = 0; i < result->n_order; i++) {
    guint32 op = result->order[i];

    g_assert_cmpuint (op, <, n_ops);
    g_assert_false (done >> op & 1);
    for (guint j = 0; j < n_ops; j++)
      g_assert_true (done >> j & 1 || ops[j].ended_ns >= ops[op].began_ns);
    g_assert_true (ops[op].after == 0 || done >> (ops[op].after - 1) & 1);
    g_assert_true (explains (&ops[op].op, &is_there, &value));
    done |= 1u << op;
  }
  g_assert_true (is_there == (result->state.presence == LINEAR_PRESENT));
  if (is_there)
    g_assert_cmpuint (value, ==, result->state.value);
  for (guint i = 0; i < n_ops && result->verdict == LINEAR_OK; i++)
    g_assert_true (done >> i & 1 || ops[i].ended_ns == WGL_NEVER);
}

/* What ended before the failed return was in the order that goes furthest. */
static void
check_furthest (const WglOp     *ops,
                guint            n_ops,
                const WglResult *result,
                gssize           failed) {
  guint done = 0;

  g_assert_cmpint (ops[result->failed].ended_ns, ==, ops[failed].ended_ns);
  for (gsize i = 0; i < result->n_order; i++)
    done |= 1u << result->order[i];
  g_assert_false (done >> result->failed & 1);
  for (guint i = 0; i < n_ops; i++)
    g_assert_true (done >> i & 1
                   || ops[i].ended_ns >= ops[result->failed].ended_ns);
}

static void
test_agrees (void) {
  guint n_good = 0;

  for (guint64 seed = 1; seed <= N_ROUNDS; seed++) {
    WglOp ops[MAX_OPS] = { 0 };
    Prng prng;
    guint n_ops;
    gssize failed = -1;
    g_autoptr (WglResult) result = NULL;
    LinearVerdict wanted, streamed;

    prng_init (&prng, seed);
    n_ops = 1 + (guint)prng_below (&prng, MAX_OPS);
    draw_history (&prng, ops, n_ops);
    wanted = can_be_ordered (ops, n_ops, 0, FALSE, 0) ? LINEAR_OK
                                                      : LINEAR_VIOLATED;
    result = wgl_search (ops, n_ops, (LinearState){ 0, LINEAR_ABSENT }, 0);
    streamed = judge_by_stream (ops, n_ops, &failed);
    if (result->verdict != wanted || streamed != wanted)
      g_error ("seed %" G_GUINT64_FORMAT ": wanted %d, search %d, stream %d",
               seed, wanted, result->verdict, streamed);
    check_order (ops, n_ops, result);
    if (wanted == LINEAR_VIOLATED)
      check_furthest (ops, n_ops, result, failed);
    n_good += wanted == LINEAR_OK;
  }
  g_test_message ("%u of %u histories are right", n_good, N_ROUNDS);
  g_assert_cmpuint (n_good, >, N_ROUNDS / 20);
  g_assert_cmpuint (n_good, <, N_ROUNDS - N_ROUNDS / 20);
}

#define STORE(v) { .kind = OP_STORE, .value = v, .has_result = true }
#define SEES(v)                                                               \
  { .kind = OP_LOAD, .result = v, .is_ok = true, .has_result = true }

/* The order must go as far as it can, and end where nothing goes on. */
static void
test_goes_as_far_as_it_can (void) {
  const WglOp ops[] = {
    { STORE (1), 0, 10, 0 },  { STORE (2), 5, 15, 0 },
    { SEES (2), 20, 30, 0 },  { STORE (3), 25, 60, 0 },
    { SEES (1), 40, 50, 0 },  { SEES (3), 70, 80, 0 },
  };
  g_autoptr (WglResult) result = wgl_search (
      ops, G_N_ELEMENTS (ops), (LinearState){ 0, LINEAR_ABSENT }, 0);

  g_assert_cmpint (result->verdict, ==, LINEAR_VIOLATED);
  g_assert_cmpint (result->failed, ==, 4);
  g_assert_cmpuint (result->n_order, >=, 3);
  g_assert_cmpuint (result->order[0], ==, 0);
  g_assert_cmpuint (result->order[1], ==, 1);
  g_assert_cmpuint (result->order[2], ==, 2);
}

/* A Store that never returned explains a Load, or is left out. */
static void
test_uses_what_never_returned (void) {
  const WglOp ops[] = {
    { { .kind = OP_STORE, .value = 1 }, 0, WGL_NEVER, 0 },
    { { .kind = OP_STORE, .value = 2 }, 0, WGL_NEVER, 0 },
    { SEES (2), 20, 30, 0 },
  };
  g_autoptr (WglResult) result = wgl_search (
      ops, G_N_ELEMENTS (ops), (LinearState){ 0, LINEAR_ABSENT }, 0);

  g_assert_cmpint (result->verdict, ==, LINEAR_OK);
  g_assert_cmpuint (result->order[result->n_order - 1], ==, 2);
  g_assert_cmpuint (result->order[result->n_order - 2], ==, 1);
}

/* 24 Stores at once and a Load of what nobody stored: all 2^24 sets of them, too
 * many for the bound. */
static void
test_gives_up (void) {
  WglOp ops[25];
  g_autoptr (WglResult) result = NULL;

  for (guint i = 0; i < 24; i++)
    ops[i] = (WglOp){ STORE (i), 0, 100, 0 };
  ops[24] = (WglOp){ SEES (77), 0, 100, 0 };
  result = wgl_search (ops, G_N_ELEMENTS (ops),
                       (LinearState){ 0, LINEAR_ABSENT }, 1000);
  g_assert_cmpint (result->verdict, ==, LINEAR_UNKNOWN);
  g_assert_cmpuint (result->n_order, ==, 0);
  g_assert_cmpuint (result->n_nodes, <=, 1001);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/check/wgl/agrees-with-every-order", test_agrees);
  g_test_add_func ("/core/check/wgl/goes-as-far-as-it-can",
                   test_goes_as_far_as_it_can);
  g_test_add_func ("/core/check/wgl/uses-what-never-returned",
                   test_uses_what_never_returned);
  g_test_add_func ("/core/check/wgl/gives-up-past-its-bound", test_gives_up);
  return g_test_run ();
}
