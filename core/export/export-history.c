/* SPDX-License-Identifier: GPL-3.0-or-later */

/* export-history.c — what was called and what came back
 *
 * One EDN map a line, in the order of time, as Jepsen's Knossos and Elle read
 * histories:
 *
 *   {:index 0, :time 120, :process 0, :type :invoke, :f :load, :value [17 nil]}
 *   {:index 1, :time 155, :process 0, :type :ok, :f :load, :value [17 42]}
 *
 * :value is [key value], the form of independent keys; a compare-and-swap has
 * [key [old new]], a Range its pairs, Clear nil. Checkers put the value of a return
 * in the place of its call's, so what gives and takes a value tells both: a swap and
 * a load-or-store have [key [given found]], found being nil in the call and where
 * there was none. What changed nothing since it did not compare or find is :fail
 * where the operation is conditional, else :ok with nil. An operation that never
 * returned is :info.
 *
 * Times are bounds, see history.h, so two operations of one thread may touch; and
 * those inside a Range's callback lie within it. A process does one thing at a
 * time: what a thread does meanwhile is told as of further processes, thread +
 * n, thread + 2 n … of n threads. A checker so knows less of their order, never
 * anything untrue.
 */
#include "core/check/history.h"
#include "core/export/export-private.h"

/* A call or a return. */
typedef struct {
  gint64              at_ns;
  const HistoryOp    *op;
  const HistoryRange *range; /* NULL: of one key, or a Clear */
  guint8              is_return;
} Moment;

static int
compare_moments (gconstpointer one,
                 gconstpointer other) {
  const Moment *a = one, *b = other;

  if (a->at_ns != b->at_ns)
    return a->at_ns < b->at_ns ? -1 : 1;
  /* Calls first: what touches overlaps. Then as they came. */
  if (a->is_return != b->is_return)
    return a->is_return ? 1 : -1;
  return a->op->index < b->op->index ? -1 : a->op->index > b->op->index;
}

static void
add_moments (GArray             *moments,
             const HistoryOp    *op,
             const HistoryRange *range) {
  Moment moment = { op->began_ns, op, range, FALSE };

  g_array_append_val (moments, moment);
  moment.at_ns = op->ended_ns;
  moment.is_return = TRUE;
  g_array_append_val (moments, moment);
}

static GArray *
gather (const History *history) {
  GArray *moments = g_array_new (FALSE, FALSE, sizeof (Moment));
  const HistoryRange *ranges;
  const HistoryOp *ops;
  gsize n;

  for (gsize k = 0; k < history_n_keys (history); k++) {
    ops = history_ops (history, k, &n);
    for (gsize i = 0; i < n; i++)
      add_moments (moments, &ops[i], NULL);
  }
  ops = history_clears (history, &n);
  for (gsize i = 0; i < n; i++)
    add_moments (moments, &ops[i], NULL);
  ranges = history_ranges (history, &n);
  for (gsize i = 0; i < n; i++)
    add_moments (moments, &ranges[i].call, &ranges[i]);
  g_array_sort (moments, compare_moments);
  return moments;
}

static gboolean
is_conditional (const HistoryOp *op) {
  return op->op == OP_COMPARE_AND_SWAP || op->op == OP_COMPARE_AND_DELETE;
}

/* ":ok" */
static const char *
type_of (const Moment *moment) {
  if (!moment->is_return)
    return "invoke";
  if (moment->op->ended_ns == HISTORY_NEVER)
    return "info";
  return is_conditional (moment->op) && !moment->op->is_ok ? "fail" : "ok";
}

static void
put_pairs (GString            *line,
           const HistoryRange *range) {
  g_string_append_c (line, '[');
  for (gsize i = 0; i < range->n_pairs; i++)
    g_string_append_printf (line, "%s[%" G_GINT64_FORMAT " %" G_GINT64_FORMAT "]",
                            i > 0 ? " " : "", range->pairs[i].key,
                            range->pairs[i].value);
  g_string_append_c (line, ']');
}

/* "12", or nil. */
static void
put_found (GString      *line,
           const Moment *moment) {
  if (moment->is_return && moment->op->is_ok)
    g_string_append_printf (line, "%" G_GINT64_FORMAT, moment->op->result);
  else
    g_string_append (line, "nil");
}

static void
put_value (GString      *line,
           const Moment *moment) {
  const HistoryOp *op = moment->op;

  if (moment->range != NULL && moment->is_return) {
    put_pairs (line, moment->range);
    return;
  }
  if (moment->range != NULL || op->op == OP_CLEAR) {
    g_string_append (line, "nil");
    return;
  }
  g_string_append_printf (line, "[%" G_GINT64_FORMAT " ", op->key);
  if (op->op == OP_COMPARE_AND_SWAP) {
    g_string_append_printf (line, "[%" G_GINT64_FORMAT " %" G_GINT64_FORMAT "]",
                            op->old, op->value);
  } else if (op->op == OP_COMPARE_AND_DELETE) {
    g_string_append_printf (line, "%" G_GINT64_FORMAT, op->old);
  } else if (op->op == OP_STORE) {
    g_string_append_printf (line, "%" G_GINT64_FORMAT, op->value);
  } else if (op->op == OP_SWAP || op->op == OP_LOAD_OR_STORE) {
    g_string_append_printf (line, "[%" G_GINT64_FORMAT " ", op->value);
    put_found (line, moment);
    g_string_append_c (line, ']');
  } else if (op->op == OP_DELETE) {
    g_string_append (line, "nil");
  } else {
    put_found (line, moment);
  }
  g_string_append_c (line, ']');
}

/* The number of the process that does @op: its thread's, or the next that is
 * free. @open: of GPtrArray, by thread. */
static int
process_of (ExportJob       *job,
            GHashTable      *open,
            const HistoryOp *op,
            gboolean         is_return) {
  int n = (int)job->info->n_threads + 1;
  int thread = op->thread == EVENT_THREAD_MAIN ? n - 1 : op->thread;
  GPtrArray *ops = g_hash_table_lookup (open, GINT_TO_POINTER (thread));
  const HistoryOp *wanted = is_return ? op : NULL;
  guint depth = 0;

  if (ops == NULL) {
    ops = g_ptr_array_new ();
    g_hash_table_insert (open, GINT_TO_POINTER (thread), ops);
  }
  while (depth < ops->len && ops->pdata[depth] != wanted)
    depth++;
  if (depth == ops->len)
    g_ptr_array_add (ops, NULL);
  ops->pdata[depth] = is_return ? NULL : (gpointer)op;
  return thread + (int)depth * n;
}

gboolean
export_history (ExportJob *job) {
  g_autoptr (History) history
      = history_new_from_log (job->log, 0, 1, job->cancellable, job->error);
  g_autoptr (GArray) moments = NULL;
  g_autoptr (GHashTable) open = g_hash_table_new_full (
      NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);

  if (history == NULL)
    return FALSE;
  moments = gather (history);
  for (guint i = 0; i < moments->len && !job->is_failed; i++) {
    const Moment *moment = &g_array_index (moments, Moment, i);
    const char *op = moment->range != NULL ? "range"
                                           : op_kind_name (moment->op->op);
    gboolean is_open = moment->at_ns == HISTORY_NEVER;

    g_string_append_printf (job->text, "{:index %u, :time ", i);
    if (is_open)
      g_string_append (job->text, "nil");
    else
      g_string_append_printf (job->text, "%" G_GINT64_FORMAT, moment->at_ns);
    g_string_append_printf (
        job->text, ", :process %d, :type :%s, :f :%s, :value ",
        process_of (job, open, moment->op, moment->is_return), type_of (moment), op);
    put_value (job->text, moment);
    g_string_append (job->text, "}\n");
    export_flush (job, FALSE);
  }
  return !job->is_failed;
}
