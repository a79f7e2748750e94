/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-history-runs.c — recorded runs, read back as histories
 *
 * Of one thread: a plain table says what each operation must have given. Of
 * several: each key's operations must fit into an order within the intervals
 * told. The latter holds every stamp to account, for an interval too narrow by
 * one memory access breaks it.
 */
#include "core/check/history.h"
#include "core/check/linear.h"
#include "tests/core/record-run.h"

#include <string.h>

/* One thread, against a plain table ---------------------------------------- */

typedef struct {
  gboolean is_present;
  gint64   value;
} Held;

#define MAX_KEYS 64

/* All operations and Ranges in the order in which they began. */
typedef struct {
  const HistoryOp    *op;
  const HistoryRange *range;
} Step;

static gint
compare_steps (gconstpointer a,
               gconstpointer b) {
  const Step *x = a, *y = b;

  return (x->op->index > y->op->index) - (x->op->index < y->op->index);
}

static GArray *
list_steps (const History *history) {
  GArray *steps = g_array_new (FALSE, FALSE, sizeof (Step));
  const HistoryOp *ops;
  const HistoryRange *ranges;
  gsize n;

  for (gsize k = 0; k < history_n_keys (history); k++) {
    ops = history_ops (history, k, &n);
    for (gsize i = 0; i < n; i++)
      g_array_append_vals (steps, &(Step){ &ops[i], NULL }, 1);
  }
  ops = history_clears (history, &n);
  for (gsize i = 0; i < n; i++)
    g_array_append_vals (steps, &(Step){ &ops[i], NULL }, 1);
  ranges = history_ranges (history, &n);
  for (gsize i = 0; i < n; i++)
    g_array_append_vals (steps, &(Step){ &ranges[i].call, &ranges[i] }, 1);
  g_array_sort (steps, compare_steps);
  return steps;
}

static void
do_range (const HistoryRange *range,
          const Held         *held) {
  guint n_present = 0;

  for (guint i = 0; i < MAX_KEYS; i++)
    n_present += held[i].is_present;
  if (range->is_whole)
    g_assert_cmpuint (range->n_pairs, ==, n_present);
  for (gsize i = 0; i < range->n_pairs; i++) {
    g_assert_true (held[range->pairs[i].key].is_present);
    g_assert_cmpint (held[range->pairs[i].key].value, ==,
                     range->pairs[i].value);
  }
}

/* What @step gave is what the table gives. */
static void
do_step (const Step *step,
         Held       *held) {
  const HistoryOp *op = step->op;
  Held *place = &held[op->key];
  gboolean matches = place->is_present && place->value == op->old;

  switch ((OpKind)op->op) {
  case OP_LOAD:
  case OP_LOAD_OR_STORE:
  case OP_LOAD_AND_DELETE:
  case OP_SWAP:
    g_assert_cmpint (op->is_ok, ==, place->is_present);
    if (op->is_ok)
      g_assert_cmpint (op->result, ==, place->value);
    else if (op->op == OP_LOAD_OR_STORE)
      g_assert_cmpint (op->result, ==, op->value);
    if (op->op == OP_SWAP || (op->op == OP_LOAD_OR_STORE && !op->is_ok))
      *place = (Held){ TRUE, op->value };
    else if (op->op == OP_LOAD_AND_DELETE)
      place->is_present = FALSE;
    break;
  case OP_STORE:
    g_assert_cmpint (op->is_ok, ==, place->is_present);
    *place = (Held){ TRUE, op->value };
    break;
  case OP_DELETE:
    g_assert_cmpint (op->is_ok, ==, place->is_present);
    place->is_present = FALSE;
    break;
  case OP_COMPARE_AND_SWAP:
  case OP_COMPARE_AND_DELETE:
    g_assert_cmpint (op->is_ok, ==, matches);
    if (matches)
      *place = (Held){ op->op == OP_COMPARE_AND_SWAP, op->value };
    break;
  case OP_RANGE:
    do_range (step->range, held);
    break;
  case OP_CLEAR:
    g_assert_true (op->is_ok);
    memset (held, 0, MAX_KEYS * sizeof *held);
    break;
  case OP_LEN:
  case OP_N_KINDS:
    g_assert_not_reached ();
  }
}

static void
test_one_thread (gconstpointer data) {
  const RecordRun run = { .klass = data, .seed = 3, .n_workers = 1,
                          .n_operations = 20000, .n_keys = MAX_KEYS / 2,
                          .span_period = 1, .tells_yields = TRUE };
  RecordedRun recorded = record_run (&run);
  g_autoptr (GError) error = NULL;
  g_autoptr (History) history
      = history_new_from_log (recorded.log, 0, 1, NULL, &error);
  g_autoptr (GArray) steps = NULL;
  Held held[MAX_KEYS] = { 0 };

  g_assert_no_error (error);
  g_assert_true (history_begins_empty (history));
  g_assert_cmpuint (history_n_untold (history), ==, 0);
  steps = list_steps (history);
  g_assert_cmpuint (steps->len + history_n_left_out (history), ==,
                    run.n_operations);
  for (guint i = 0; i < steps->len; i++) {
    const Step *step = &g_array_index (steps, Step, i);

    g_assert_cmpint (step->op->began_ns, <, step->op->ended_ns);
    do_step (step, held);
  }
  recorded_run_clear (&recorded);
}

/* Several threads, against the judge of one key ---------------------------- */

/* A call or a return; of an operation that never returned, a call alone. */
typedef struct {
  gint64   at_ns;
  gboolean is_return;
  guint    op; /* place in ops */
} Moment;

static gint
compare_moments (gconstpointer a,
                 gconstpointer b) {
  const Moment *x = a, *y = b;

  if (x->at_ns != y->at_ns)
    return x->at_ns < y->at_ns ? -1 : 1;
  return x->is_return - y->is_return; /* at once: they overlap */
}

static void
add_moments (GArray          *moments,
             GArray          *linear_ops,
             const HistoryOp *op,
             OpKind           kind,
             gboolean         has_result) {
  LinearOp linear_op = {
    .kind = kind, .value = (guint64)op->value, .old = (guint64)op->old,
    .result = (guint64)op->result, .is_ok = op->is_ok,
    .has_result = has_result && op->ended_ns != HISTORY_NEVER,
  };
  Moment call = { op->began_ns, FALSE, linear_ops->len };
  Moment ret = { op->ended_ns, TRUE, linear_ops->len };

  g_array_append_val (linear_ops, linear_op);
  g_array_append_val (moments, call);
  if (op->ended_ns != HISTORY_NEVER)
    g_array_append_val (moments, ret);
}

/* A pair of a Range is a load within its call. */
static void
add_pairs (GArray        *moments,
           GArray        *linear_ops,
           const History *history,
           gint64         key) {
  gsize n;
  const HistoryRange *ranges = history_ranges (history, &n);

  for (gsize i = 0; i < n; i++)
    for (gsize k = 0; k < ranges[i].n_pairs; k++)
      if (ranges[i].pairs[k].key == key) {
        HistoryOp load = ranges[i].call;

        load.is_ok = TRUE;
        load.result = ranges[i].pairs[k].value;
        add_moments (moments, linear_ops, &load, OP_LOAD, TRUE);
      }
}

static void
judge_key (const History *history,
           gsize          index) {
  g_autoptr (GArray) moments = g_array_new (FALSE, FALSE, sizeof (Moment));
  g_autoptr (GArray) linear_ops = g_array_new (FALSE, FALSE, sizeof (LinearOp));
  g_autoptr (Linear) linear = linear_new (LINEAR_ABSENT, 0);
  g_autofree int *places = NULL;
  const HistoryOp *ops;
  gsize n;

  ops = history_ops (history, index, &n);
  for (gsize i = 0; i < n; i++)
    add_moments (moments, linear_ops, &ops[i], ops[i].op, TRUE);
  ops = history_clears (history, &n);
  for (gsize i = 0; i < n; i++)
    add_moments (moments, linear_ops, &ops[i], OP_DELETE, FALSE);
  add_pairs (moments, linear_ops, history, history_key (history, index));
  g_array_sort (moments, compare_moments);
  places = g_new (int, MAX (linear_ops->len, 1));
  for (guint i = 0; i < moments->len; i++) {
    const Moment *moment = &g_array_index (moments, Moment, i);

    if (moment->is_return)
      linear_return (linear, places[moment->op]);
    else
      places[moment->op] = linear_call (
          linear, &g_array_index (linear_ops, LinearOp, moment->op));
  }
  g_assert_cmpint (linear_verdict (linear), ==, LINEAR_OK);
}

static void
test_several_threads (gconstpointer data) {
  const RecordRun run = { .klass = data, .seed = 5, .n_workers = 4,
                          .n_operations = 20000, .n_keys = 24,
                          .span_period = 1, .tells_yields = TRUE };
  RecordedRun recorded = record_run (&run);
  g_autoptr (GError) error = NULL;
  g_autoptr (History) history
      = history_new_from_log (recorded.log, 0, 1, NULL, &error);
  g_autoptr (GArray) steps = NULL;

  g_assert_no_error (error);
  g_assert_true (history_begins_empty (history));
  steps = list_steps (history);
  g_assert_cmpuint (steps->len + history_n_left_out (history), ==,
                    (guint64)run.n_workers * run.n_operations);
  for (gsize i = 0; i < history_n_keys (history); i++)
    judge_key (history, i);
  recorded_run_clear (&recorded);
}

/* Parts -------------------------------------------------------------------- */

#define N_PARTS 3

/* Each key is in one part, with all of its operations; what has no key is in
 * all of them, what is only counted in one. */
static void
test_parts_make_the_whole (void) {
  const RecordRun run = { .klass = engine_class_find ("syncmap"), .seed = 9,
                          .n_workers = 2, .n_operations = 20000, .n_keys = 50,
                          .span_period = 1, .tells_yields = TRUE };
  RecordedRun recorded = record_run (&run);
  g_autoptr (History) whole
      = history_new_from_log (recorded.log, 0, 1, NULL, NULL);
  guint64 n_left_out = 0;
  gsize n_keys = 0, n, n_whole, n_pairs[2] = { 0, 0 };

  for (guint part = 0; part < N_PARTS; part++) {
    g_autoptr (History) history
        = history_new_from_log (recorded.log, part, N_PARTS, NULL, NULL);
    const HistoryRange *ranges = history_ranges (history, &n);

    history_ranges (whole, &n_whole);
    g_assert_cmpuint (n, ==, n_whole);
    for (gsize i = 0; i < n; i++)
      n_pairs[0] += ranges[i].n_pairs;
    history_clears (whole, &n_whole);
    history_clears (history, &n);
    g_assert_cmpuint (n, ==, n_whole);
    n_left_out += history_n_left_out (history);
    n_keys += history_n_keys (history);
    g_assert_cmpuint (history_n_keys (history), >, 0);
    for (gsize k = 0, w = 0; k < history_n_keys (history); k++) {
      while (history_key (whole, w) != history_key (history, k))
        w++;
      history_ops (whole, w, &n_whole);
      history_ops (history, k, &n);
      g_assert_cmpuint (n, ==, n_whole);
    }
  }
  for (gsize i = 0; i < (history_ranges (whole, &n), n); i++)
    n_pairs[1] += history_ranges (whole, &n)[i].n_pairs;
  g_assert_cmpuint (n_pairs[0], ==, n_pairs[1]);
  g_assert_cmpuint (n_keys, ==, history_n_keys (whole));
  g_assert_cmpuint (n_left_out, ==, history_n_left_out (whole));
  recorded_run_clear (&recorded);
}

static void
add_runs (void) {
  const EngineClass *const *classes = engine_classes ();

  for (guint i = 0; classes[i] != NULL; i++) {
    g_autofree char *one
        = g_strconcat ("/core/check/history/one-thread/", classes[i]->name, NULL);
    g_autofree char *several = g_strconcat ("/core/check/history/several-threads/",
                                            classes[i]->name, NULL);

    g_test_add_data_func (one, classes[i], test_one_thread);
    if (classes[i]->is_thread_safe)
      g_test_add_data_func (several, classes[i], test_several_threads);
  }
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  add_runs ();
  g_test_add_func ("/core/check/history/parts-make-the-whole",
                   test_parts_make_the_whole);
  return g_test_run ();
}
