/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-history.c — a history has what was added, key by key, in order */
#include "core/base/prng.h"
#include "core/check/history.h"

/* Built by hand ------------------------------------------------------------ */

static HistoryOp
make_op (OpKind op,
         gint64 key,
         gint64 began_ns,
         gint64 ended_ns) {
  return (HistoryOp){
    .op = (guint8)op, .key = key, .began_ns = began_ns, .ended_ns = ended_ns,
  };
}

static void
test_empty (void) {
  g_autoptr (History) history = history_new (TRUE);
  gsize n;

  history_seal (history);
  g_assert_cmpuint (history_n_keys (history), ==, 0);
  history_clears (history, &n);
  g_assert_cmpuint (n, ==, 0);
  history_ranges (history, &n);
  g_assert_cmpuint (n, ==, 0);
  g_assert_true (history_begins_empty (history));
  g_assert_cmpuint (history_n_left_out (history), ==, 0);
}

static void
test_sorts_by_key_then_begin (void) {
  static const gint64 keys[] = { 3, G_MININT64, -1, 3, G_MAXINT64, 0, 3, -1 };
  g_autoptr (History) history = history_new (FALSE);
  const HistoryOp *ops;
  gsize n;

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    HistoryOp op = make_op (OP_STORE, keys[i], 100 - i, 200);

    op.index = i;
    history_add (history, &op);
  }
  history_seal (history);
  g_assert_cmpuint (history_n_keys (history), ==, 5);
  g_assert_cmpint (history_key (history, 0), ==, G_MININT64);
  g_assert_cmpint (history_key (history, 1), ==, -1);
  g_assert_cmpint (history_key (history, 4), ==, G_MAXINT64);
  ops = history_ops (history, 3, &n);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpuint (ops[0].index, ==, 6);
  g_assert_cmpuint (ops[1].index, ==, 3);
  g_assert_cmpuint (ops[2].index, ==, 0);
  g_assert_false (history_begins_empty (history));
}

/* Many operations against what each one says of itself. */
static void
test_sorts_many (void) {
  g_autoptr (History) history = history_new (TRUE);
  guint n_seen = 0;
  Prng prng;

  prng_init (&prng, 7);
  for (guint i = 0; i < 100000; i++) {
    gint64 key = (gint64)prng_below (&prng, 3000) * 1000003 - 77;
    HistoryOp op = make_op (OP_LOAD, key, (gint64)prng_below (&prng, 50), 99);

    op.index = i;
    op.value = key ^ i;
    history_add (history, &op);
  }
  history_seal (history);
  for (gsize k = 0; k < history_n_keys (history); k++) {
    gsize n;
    const HistoryOp *ops = history_ops (history, k, &n);

    g_assert_true (k == 0 || history_key (history, k - 1)
                                 < history_key (history, k));
    for (gsize i = 0; i < n; i++, n_seen++) {
      g_assert_cmpint (ops[i].key, ==, history_key (history, k));
      g_assert_cmpint (ops[i].value, ==, ops[i].key ^ (gint64)ops[i].index);
      if (i > 0 && ops[i - 1].began_ns == ops[i].began_ns)
        g_assert_cmpuint (ops[i - 1].index, <, ops[i].index);
      else if (i > 0)
        g_assert_cmpint (ops[i - 1].began_ns, <, ops[i].began_ns);
    }
  }
  g_assert_cmpuint (n_seen, ==, 100000);
}

static void
test_ranges_name_keys (void) {
  static const HistoryPair first[] = { { 9, 90 }, { 1, 10 } };
  static const HistoryPair second[] = { { 5, 50 } };
  g_autoptr (History) history = history_new (TRUE);
  HistoryOp late = make_op (OP_RANGE, 0, 20, 30);
  HistoryOp early = make_op (OP_RANGE, 0, 10, 40);
  HistoryOp load = make_op (OP_LOAD, 5, 1, 2);
  HistoryOp clear = make_op (OP_CLEAR, 0, 3, 4);
  const HistoryRange *ranges;
  gsize n;

  history_add_range (history, &late, TRUE, first, 2);
  history_add_range (history, &early, FALSE, second, 1);
  history_add_range (history, &late, TRUE, NULL, 0);
  history_add (history, &load);
  history_add (history, &clear);
  history_seal (history);

  g_assert_cmpuint (history_n_keys (history), ==, 3);
  g_assert_cmpint (history_key (history, 0), ==, 1);
  g_assert_null (history_ops (history, 0, &n));
  g_assert_cmpuint (n, ==, 0);
  g_assert_cmpint (history_ops (history, 1, &n)->began_ns, ==, 1);
  g_assert_cmpuint (n, ==, 1);
  history_ops (history, 2, &n);
  g_assert_cmpuint (n, ==, 0);
  ranges = history_ranges (history, &n);
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpint (ranges[0].call.began_ns, ==, 10);
  g_assert_false (ranges[0].is_whole);
  g_assert_cmpint (ranges[0].pairs[0].value, ==, 50);
  g_assert_cmpuint (ranges[1].n_pairs, ==, 2);
  g_assert_cmpint (ranges[1].pairs[1].key, ==, 1);
  g_assert_cmpuint (ranges[2].n_pairs, ==, 0);
  g_assert_cmpint (history_clears (history, &n)->ended_ns, ==, 4);
  g_assert_cmpuint (n, ==, 1);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/check/history/empty", test_empty);
  g_test_add_func ("/core/check/history/sorts-by-key-then-begin",
                   test_sorts_by_key_then_begin);
  g_test_add_func ("/core/check/history/sorts-many", test_sorts_many);
  g_test_add_func ("/core/check/history/ranges-name-keys",
                   test_ranges_name_keys);
  return g_test_run ();
}
