/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-judge.c — the judge finds what is wrong, and nothing else
 *
 * First one small history for each rule. Then histories of a simulated map,
 * right ones and ones that are wrong in a known place. Last, small random ones
 * are judged again with every Range and every Clear spelled out at every key.
 */
#include "core/check/judge.h"
#include "core/check/wgl.h"

#include "history-sim.h"

/* Rules -------------------------------------------------------------------- */

#define KEY 5

static void
add (History *history,
     OpKind   op,
     gint64   began_ns,
     gint64   ended_ns,
     gint64   value,
     gboolean is_ok,
     gint64   result) {
  const HistoryOp made = { began_ns, ended_ns,    (guint64)began_ns,
                           KEY,      value,       0,
                           result,   (guint16)began_ns, (guint8)op,
                           (guint8)is_ok };

  history_add (history, &made);
}

static void
add_store (History *history,
           gint64   began_ns,
           gint64   ended_ns,
           gint64   value) {
  add (history, OP_STORE, began_ns, ended_ns, value, TRUE, 0);
}

/* @value: 0 = of nothing. */
static void
add_load (History *history,
          gint64   began_ns,
          gint64   ended_ns,
          gint64   value) {
  add (history, OP_LOAD, began_ns, ended_ns, 0, value != 0, value);
}

/* @first, @second: 0 = not given. */
static void
add_range (History *history,
           gint64   began_ns,
           gint64   ended_ns,
           gboolean is_whole,
           gint64   first,
           gint64   second) {
  const HistoryOp call = { .began_ns = began_ns,
                           .ended_ns = ended_ns,
                           .index = (guint64)began_ns,
                           .thread = 3,
                           .op = OP_RANGE };
  const HistoryPair pairs[] = { { KEY, first }, { KEY, second } };

  history_add_range (history, &call, is_whole, pairs,
                     (first != 0) + (second != 0));
}

/* Takes @history. */
static JudgeReport *
judge (History *history) {
  g_autoptr (GError) error = NULL;
  JudgeReport *report;

  history_seal (history);
  report = judge_history (history, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (report);
  history_free (history);
  return report;
}

/* Takes @history; @text: what is said of the violation, NULL: there is none. */
static void
assert_judged (History    *history,
               const char *text) {
  g_autoptr (JudgeReport) report = judge (history);
  g_autofree char *found = NULL;

  if (report->violations->len > 0)
    found = judge_case_text (g_ptr_array_index (report->violations, 0));
  g_assert_cmpstr (found, ==, text);
  g_assert_cmpint (report->verdict, ==,
                   text != NULL ? LINEAR_VIOLATED : LINEAR_OK);
}

static void
test_order (void) {
  History *history = history_new (TRUE);

  add_store (history, 10, 20, 1);
  add_load (history, 15, 25, 0); /* the Store came later */
  add_load (history, 20, 30, 1);
  assert_judged (history, NULL);

  history = history_new (TRUE);
  add_store (history, 10, 20, 1);
  add_load (history, 21, 25, 0);
  assert_judged (history, "no order explains Load → nothing: it found nothing,"
                          " but the key held 1");

  history = history_new (TRUE);
  add (history, OP_DELETE, 10, 20, 0, TRUE, 0);
  assert_judged (history, "no order explains Delete → deleted: it deleted"
                          " something, but the key was absent");

  /* Nothing is known of the first state: any one read is right, two are not. */
  history = history_new (FALSE);
  add_load (history, 10, 20, 7);
  add_load (history, 21, 25, 7);
  assert_judged (history, NULL);
  history = history_new (FALSE);
  add_load (history, 10, 20, 7);
  add_load (history, 21, 25, 8);
  assert_judged (history, "no order explains Load → 8: it read 8, but the key"
                          " held 7");
}

static void
test_range_gives (void) {
  /* Any value of the whole call is right … */
  History *history = history_new (TRUE);

  add_store (history, 10, 20, 1);
  add_range (history, 15, 60, TRUE, 2, 0);
  add_range (history, 15, 60, TRUE, 1, 0);
  add_store (history, 30, 40, 2);
  add_store (history, 50, 55, 3);
  assert_judged (history, NULL);

  /* … but not one from before it, nor from after. */
  history = history_new (TRUE);
  add_store (history, 10, 20, 1);
  add_store (history, 30, 40, 2);
  add_range (history, 41, 60, TRUE, 1, 0);
  assert_judged (history, "no order explains Range, gave 1: the Range gave 1,"
                          " but the key held 2");
  history = history_new (TRUE);
  add_range (history, 5, 8, TRUE, 1, 0);
  add_store (history, 10, 20, 1);
  assert_judged (history, "no order explains Range, gave 1: the Range gave 1,"
                          " but the key was absent");

  /* A Range that never returned gave what it gave before the end. */
  history = history_new (TRUE);
  add_store (history, 10, 20, 1);
  add_range (history, 15, HISTORY_NEVER, FALSE, 1, 0);
  assert_judged (history, NULL);
  history = history_new (TRUE);
  add_store (history, 10, 20, 1);
  add_range (history, 15, HISTORY_NEVER, FALSE, 2, 0);
  assert_judged (history, "no order explains Range, gave 2: the Range gave 2,"
                          " but the key went through absent, 1");
}

static void
test_range_lacks (void) {
  History *history = history_new (TRUE);

  add_range (history, 5, 8, TRUE, 0, 0);
  add_store (history, 10, 20, 1);
  add_range (history, 15, 30, TRUE, 0, 0);
  add_range (history, 25, 30, FALSE, 0, 0); /* was stopped before it */
  assert_judged (history, NULL);

  history = history_new (TRUE);
  add_store (history, 10, 20, 1);
  add_range (history, 21, 30, TRUE, 0, 0);
  assert_judged (history, "no order explains Range, did not give it: the Range"
                          " did not give the key, but the key held 1");

  /* It saw the key absent between two, or saw nothing at all. */
  history = history_new (TRUE);
  add_store (history, 10, 20, 1);
  add_range (history, 21, 70, TRUE, 0, 0);
  add (history, OP_DELETE, 30, 40, 0, TRUE, 0);
  add_store (history, 50, 60, 2);
  assert_judged (history, NULL);
}

static void
test_range_gives_twice (void) {
  History *history = history_new (TRUE);

  add_store (history, 10, 20, 1);
  add_range (history, 15, 60, TRUE, 1, 2);
  add_store (history, 30, 40, 2);
  assert_judged (history, "one Range gave the key twice: 1, then 2");
}

static void
test_clear (void) {
  History *history = history_new (TRUE);

  add_store (history, 10, 20, 1);
  add (history, OP_CLEAR, 15, 40, 0, TRUE, 0);
  add_load (history, 25, 30, 1);
  add_load (history, 31, 35, 0);
  assert_judged (history, NULL);

  history = history_new (TRUE);
  add_store (history, 10, 20, 1);
  add (history, OP_CLEAR, 25, 40, 0, TRUE, 0);
  add_load (history, 41, 45, 1);
  assert_judged (history, "no order explains Load → 1: it read 1, but the key"
                          " was absent");

  /* One that never returned may have emptied the key, or not. */
  history = history_new (TRUE);
  add_store (history, 10, 20, 1);
  add (history, OP_CLEAR, 25, HISTORY_NEVER, 0, FALSE, 0);
  add_load (history, 31, 35, 1);
  add_load (history, 41, 45, 0);
  assert_judged (history, NULL);

  /* Clears while the key is absent, and one under way when it is stored. */
  history = history_new (TRUE);
  add (history, OP_CLEAR, 1, 2, 0, TRUE, 0);
  add (history, OP_CLEAR, 3, 30, 0, TRUE, 0);
  add (history, OP_CLEAR, 4, 5, 0, TRUE, 0);
  add_store (history, 10, 20, 1);
  add_load (history, 21, 25, 1);
  add_load (history, 26, 28, 0);
  assert_judged (history, NULL);
}

static void
test_never_returned (void) {
  History *history = history_new (TRUE);

  add_store (history, 10, HISTORY_NEVER, 1);
  add (history, OP_LOAD, 11, HISTORY_NEVER, 0, FALSE, 0);
  add_load (history, 20, 30, 0);
  add_load (history, 31, 40, 1);
  assert_judged (history, NULL);

  history = history_new (TRUE);
  add_store (history, 10, HISTORY_NEVER, 1);
  add_load (history, 20, 30, 1);
  add_load (history, 31, 40, 0);
  assert_judged (history, "no order explains Load → nothing: it found nothing,"
                          " but the key held 1");
}

/* A delete that was done and gave no result, for misuse at its end, and a Clear:
 * the key is gone from some time on, by them once and not again. */
static void
test_deletes_without_a_result (void) {
  static const OpKind kinds[] = { OP_DELETE, OP_LOAD_AND_DELETE, OP_CLEAR };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (kinds); i++) {
    gboolean comes_back = i % 2 != 0;
    History *history = history_new (TRUE);

    add_store (history, 10, 20, 1);
    add (history, kinds[i / 2], 25, HISTORY_NEVER, 0, FALSE, 0);
    add_load (history, 31, 35, 0);
    add_store (history, 36, 40, 2);
    add_load (history, 41, 45, 2);
    add_load (history, 46, 50, comes_back ? 1 : 2);
    assert_judged (history, comes_back ? "no order explains Load → 1: it read 1,"
                                         " but the key held 2" : NULL);

    history = history_new (TRUE);
    add_store (history, 10, 20, 1);
    add (history, kinds[i / 2], 25, HISTORY_NEVER, 0, FALSE, 0);
    add_load (history, 31, 35, 0);
    add_store (history, 36, 40, 2);
    add_load (history, 41, 45, comes_back ? 0 : 2);
    assert_judged (history, comes_back ? "no order explains Load → nothing: it"
                                         " found nothing, but the key held 2"
                                       : NULL);
  }
}

static void
test_says_unknown (void) {
  History *history = history_new (TRUE);
  g_autoptr (JudgeReport) report = NULL;

  for (gint64 i = 0; i < 30; i++)
    add_store (history, i, 1000, i);
  add_load (history, 500, 600, 7);
  report = judge (history);
  g_assert_cmpint (report->verdict, ==, LINEAR_UNKNOWN);
  g_assert_cmpuint (report->n_unknown, ==, 1);
  g_assert_cmpint (report->unknown_key, ==, KEY);
  g_assert_cmpuint (report->violations->len, ==, 0);
}

/* Simulated runs ----------------------------------------------------------- */

static const Sim shapes[] = {
  { .n_threads = 4, .n_keys = 8, .n_ops = 4000, .range_share = 20,
    .clear_share = 5 },
  { .n_threads = 4, .n_keys = 200, .n_ops = 6000, .range_share = 5,
    .clear_share = 2 },
  { .n_threads = 8, .n_keys = 1, .n_ops = 1500 },
  { .n_threads = 8, .n_keys = 4, .n_ops = 3000, .hot_share = 50,
    .range_share = 50, .clear_share = 20 },
  { .n_threads = 3, .n_keys = 3, .n_ops = 500, .range_share = 200,
    .clear_share = 100, .is_cut = TRUE },
  { .n_threads = 1, .n_keys = 20, .n_ops = 1000, .range_share = 30,
    .clear_share = 10 },
};

/* Every key's order explains all, so the search finds the same as the stream. */
static void
assert_explained (const History *history,
                  guint64        seed) {
  for (gsize i = 0; i < history_n_keys (history); i++) {
    g_autoptr (JudgeCase) found = judge_key (history, history_key (history, i));
    LinearState state = found->before;
    g_autofree guint8 *done = g_new0 (guint8, found->n_items + 1);

    if (found->verdict != LINEAR_OK)
      g_error ("seed %" G_GUINT64_FORMAT ", key %" G_GINT64_FORMAT ": %d", seed,
               found->key, found->verdict);
    for (gsize n = 0; n < found->n_order; n++) {
      g_assert_false (done[found->order[n]]);
      done[found->order[n]] = TRUE;
      g_assert_true (linear_apply (&found->items[found->order[n]].op, &state));
    }
    for (gsize n = 0; n < found->n_items; n++)
      g_assert_true (done[n] || found->items[n].ended_ns == HISTORY_NEVER);
    /* No time goes back: what is put earlier did not begin after the end. */
    for (gint64 n = (gint64)found->n_order - 1, ended_ns = HISTORY_NEVER; n >= 0;
         n--) {
      const JudgeItem *item = &found->items[found->order[n]];

      g_assert_cmpint (item->began_ns, <=, ended_ns);
      ended_ns = MIN (ended_ns, item->ended_ns);
    }
  }
}

static void
test_accepts_what_is_right (void) {
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    for (guint64 seed = 1; seed <= 12; seed++) {
      Sim sim = shapes[i];
      g_autoptr (History) history = NULL;
      g_autoptr (JudgeReport) report = NULL;

      sim.seed = seed;
      history = sim_history (&sim, NULL);
      report = judge_history (history, NULL, NULL, NULL);
      if (report->verdict != LINEAR_OK)
        g_error ("shape %u, seed %" G_GUINT64_FORMAT ": %d", i, seed,
                 report->verdict);
      g_assert_cmpuint (report->n_violations, ==, 0);
      g_assert_cmpuint (report->n_keys, <=, sim.n_keys);
      assert_explained (history, seed);
    }
}

static void
test_finds_faults (void) {
  static const JudgeSource sources[SIM_N_FAULTS] = {
    [SIM_TWICE] = JUDGE_RANGE_GAVE, [SIM_STALE_RANGE] = JUDGE_RANGE_GAVE,
  };

  for (guint fault = SIM_GOOD + 1; fault < SIM_N_FAULTS; fault++) {
    guint n_faults = 0;

    for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
      for (guint64 seed = 1; seed <= 10; seed++) {
        Sim sim = shapes[i];
        g_autoptr (History) history = NULL;
        g_autoptr (JudgeReport) report = NULL;
        g_autoptr (JudgeCase) again = NULL;
        gboolean has_fault;
        JudgeCase *found;

        sim.seed = seed;
        sim.fault = fault;
        history = sim_history (&sim, &has_fault);
        if (!has_fault)
          continue;
        n_faults++;
        report = judge_history (history, NULL, NULL, NULL);
        if (report->verdict != LINEAR_VIOLATED || report->n_violations != 1)
          g_error ("fault %u, shape %u, seed %" G_GUINT64_FORMAT
                   ": %" G_GUINT64_FORMAT " violations",
                   fault, i, seed, report->n_violations);
        found = g_ptr_array_index (report->violations, 0);
        g_assert_cmpint (found->items[found->failed].source, ==, sources[fault]);
        g_assert_cmpint (found->rule, ==, fault == SIM_TWICE ? JUDGE_RULE_TWICE
                                                             : JUDGE_RULE_ORDER);
        g_assert_cmpuint (found->n_order, <, found->n_items);
        again = judge_key (history, found->key);
        g_assert_cmpint (again->verdict, ==, LINEAR_VIOLATED);
        g_assert_cmpuint (again->failed, ==, found->failed);
      }
    g_assert_cmpuint (n_faults, >=, 20);
  }
}

/* Every Range and Clear at every key --------------------------------------- */

static LinearOp
op_of (const HistoryOp *op) {
  return (LinearOp){ (uint64_t)op->value,  (uint64_t)op->old,
                     (uint64_t)op->result, op->op,
                     op->is_ok,            op->ended_ns != HISTORY_NEVER };
}

typedef struct {
  WglOp    op;
  guint64  index;
  guint16  thread;
  gboolean is_range;
} Spelled;

static gint
compare_begins (gconstpointer a,
                gconstpointer b) {
  const Spelled *x = a, *y = b;

  if (x->op.began_ns != y->op.began_ns)
    return x->op.began_ns < y->op.began_ns ? -1 : 1;
  return (x->index > y->index) - (x->index < y->index);
}

static void
spell (GArray          *all,
       const HistoryOp *call,
       LinearOp         op,
       gboolean         is_range) {
  gint64 ended_ns = is_range ? MIN (call->ended_ns, WGL_NEVER - 1)
                             : call->ended_ns;
  Spelled spelled = { { op, call->began_ns, ended_ns, 0 }, call->index,
                      call->thread, is_range };

  g_array_append_val (all, spelled);
}

/* (transfer full): with the order of each thread's own operations. */
static WglOp *
order (GArray *all) {
  WglOp *ops = g_new0 (WglOp, all->len + 1);

  g_array_sort (all, compare_begins);
  for (guint i = 0; i < all->len; i++) {
    const Spelled *spelled = &g_array_index (all, Spelled, i);

    ops[i] = spelled->op;
    for (guint j = 0; j < i; j++) {
      const Spelled *earlier = &g_array_index (all, Spelled, j);

      if (!earlier->is_range && earlier->thread == spelled->thread)
        ops[i].after = j + 1;
    }
  }
  return ops;
}

/* The verdict on the key of place @at, nothing passed over. */
static gboolean
is_right (const History *history,
          gsize          at) {
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (Spelled));
  g_autoptr (WglResult) result = NULL;
  g_autofree WglOp *spelled = NULL;
  gsize n_ops, n_clears, n_ranges;
  const HistoryOp *ops = history_ops (history, at, &n_ops);
  const HistoryOp *clears = history_clears (history, &n_clears);
  const HistoryRange *ranges = history_ranges (history, &n_ranges);
  LinearOp clear = { .kind = OP_DELETE };

  for (gsize i = 0; i < n_ops; i++)
    spell (all, &ops[i], op_of (&ops[i]), FALSE);
  for (gsize i = 0; i < n_clears; i++)
    spell (all, &clears[i], clear, FALSE);
  for (gsize i = 0; i < n_ranges; i++) {
    LinearOp load = { .kind = OP_LOAD, .has_result = true };
    guint n_given = 0;

    for (gsize n = 0; n < ranges[i].n_pairs; n++)
      if (ranges[i].pairs[n].key == history_key (history, at)) {
        load.is_ok = true;
        load.result = (uint64_t)ranges[i].pairs[n].value;
        spell (all, &ranges[i].call, load, TRUE);
        n_given++;
      }
    if (n_given > 1)
      return FALSE;
    if (n_given == 0 && ranges[i].is_whole)
      spell (all, &ranges[i].call, load, TRUE);
  }
  spelled = order (all);
  result = wgl_search (
      spelled, all->len,
      (LinearState){ 0, history_begins_empty (history) ? LINEAR_ABSENT
                                                       : LINEAR_ANY },
      0);
  g_assert_cmpint (result->verdict, !=, LINEAR_UNKNOWN);
  return result->verdict == LINEAR_OK;
}

static HistoryOp
draw_op (Prng   *prng,
         gint64 *at_ns,
         guint   index,
         guint   n_keys) {
  HistoryOp op = { .began_ns = *at_ns, .index = index,
                   .thread = (guint16)prng_below (prng, 4) };

  *at_ns += (gint64)prng_below (prng, 6);
  op.ended_ns = prng_below (prng, 30) == 0
                    ? HISTORY_NEVER
                    : op.began_ns + (gint64)prng_below (prng, 10);
  op.key = (gint64)prng_below (prng, n_keys);
  op.value = 1 + (gint64)prng_below (prng, 2);
  op.old = 1 + (gint64)prng_below (prng, 2);
  op.result = 1 + (gint64)prng_below (prng, 2);
  op.is_ok = prng_below (prng, 2) == 0;
  op.op = (guint8)prng_below (prng, 3) == 0
              ? OP_STORE
              : (guint8)prng_below (prng, OP_RANGE);
  if (op.op == OP_LOAD_OR_STORE && !op.is_ok)
    op.result = op.value;
  return op;
}

/* (transfer full) */
static History *
draw_history (guint64 seed) {
  const guint n_keys = 2;
  Prng prng;
  History *history;
  gint64 at_ns = 0;
  guint gone = 0;
  guint n;

  prng_init (&prng, seed);
  history = history_new (prng_below (&prng, 4) != 0);
  n = 2 + (guint)prng_below (&prng, 10);
  for (guint i = 0; i < n; i++) {
    HistoryOp op = draw_op (&prng, &at_ns, i, n_keys);
    guint64 kind = prng_below (&prng, 8);

    /* Who never came back calls nothing more. */
    if (gone >> op.thread & 1)
      continue;
    gone |= (op.ended_ns == HISTORY_NEVER ? 1u : 0u) << op.thread;
    if (kind < 2) {
      HistoryPair pairs[2];
      gsize n_pairs = 0;

      for (guint key = 0; key < n_keys; key++)
        if (prng_below (&prng, 3) == 0)
          pairs[n_pairs++]
              = (HistoryPair){ key, 1 + (gint64)prng_below (&prng, 2) };
      op.op = OP_RANGE;
      history_add_range (history, &op,
                         op.ended_ns != HISTORY_NEVER
                             && prng_below (&prng, 4) != 0,
                         pairs, n_pairs);
      continue;
    }
    if (kind == 2)
      op.op = OP_CLEAR;
    history_add (history, &op);
  }
  history_seal (history);
  return history;
}

static void
test_passes_over_nothing (void) {
  guint n_good = 0, n_rounds = 40000;

  for (guint64 seed = 1; seed <= n_rounds; seed++) {
    g_autoptr (History) history = draw_history (seed);
    g_autoptr (JudgeReport) report = judge_history (history, NULL, NULL, NULL);
    guint n_wrong = 0;

    for (gsize i = 0; i < history_n_keys (history); i++)
      n_wrong += !is_right (history, i);
    if (report->n_violations != n_wrong)
      g_error ("seed %" G_GUINT64_FORMAT ": wanted %u violations, found %"
               G_GUINT64_FORMAT, seed, n_wrong, report->n_violations);
    n_good += n_wrong == 0;
  }
  g_test_message ("%u of %u histories are right", n_good, n_rounds);
  g_assert_cmpuint (n_good, >, n_rounds / 20);
  g_assert_cmpuint (n_good, <, n_rounds - n_rounds / 20);
}

/* The rest ----------------------------------------------------------------- */

static void
progress_cb (double   done,
             gpointer data) {
  double *last = data;

  g_assert_cmpfloat (done, >=, *last);
  g_assert_cmpfloat (done, <=, 1.0 + 1e-9);
  *last = done;
}

static void
test_is_cancelled_and_bounded (void) {
  g_autoptr (History) history = history_new (TRUE);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (JudgeReport) report = NULL;
  g_autoptr (GError) error = NULL;
  double last = 0;
  const JudgeOptions options = { .max_violations = 3, .progress = progress_cb,
                                 .data = &last };

  for (gint64 key = 0; key < 10; key++) {
    const HistoryOp load = { .began_ns = 1, .ended_ns = 2, .key = key,
                             .result = 4, .op = OP_LOAD, .is_ok = TRUE };

    history_add (history, &load);
  }
  history_seal (history);
  report = judge_history (history, &options, cancellable, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (report->n_violations, ==, 10);
  g_assert_cmpuint (report->violations->len, ==, 3);
  g_assert_cmpuint (report->n_operations, ==, 10);
  g_assert_cmpfloat (last, >, 0.99);

  g_cancellable_cancel (cancellable);
  g_assert_null (judge_history (history, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_null (judge_key (history, 77));
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/check/judge/order", test_order);
  g_test_add_func ("/core/check/judge/range-gives", test_range_gives);
  g_test_add_func ("/core/check/judge/range-lacks", test_range_lacks);
  g_test_add_func ("/core/check/judge/range-gives-twice",
                   test_range_gives_twice);
  g_test_add_func ("/core/check/judge/clear", test_clear);
  g_test_add_func ("/core/check/judge/never-returned", test_never_returned);
  g_test_add_func ("/core/check/judge/deletes-without-a-result",
                   test_deletes_without_a_result);
  g_test_add_func ("/core/check/judge/says-unknown", test_says_unknown);
  g_test_add_func ("/core/check/judge/accepts-what-is-right",
                   test_accepts_what_is_right);
  g_test_add_func ("/core/check/judge/finds-faults", test_finds_faults);
  g_test_add_func ("/core/check/judge/passes-over-nothing",
                   test_passes_over_nothing);
  g_test_add_func ("/core/check/judge/is-cancelled-and-bounded",
                   test_is_cancelled_and_bounded);
  return g_test_run ();
}
