/* SPDX-License-Identifier: GPL-3.0-or-later */

/* judge-case.c — a key's window, put before a reader
 *
 * The stream says at which return no order is left; the search says how far the
 * best of them goes. Its state there and what each operation got are the
 * reasons.
 */
#include "core/check/judge-private.h"
#include "core/check/wgl.h"

static gint
compare_begins (gconstpointer a,
                gconstpointer b) {
  const JudgeItem *x = a, *y = b;

  if (x->began_ns != y->began_ns)
    return x->began_ns < y->began_ns ? -1 : 1;
  return (x->index > y->index) - (x->index < y->index);
}

/* (transfer full): the window's items, by began_ns. */
static JudgeItem *
collect_items (const JudgeStream *self) {
  guint n = self->window->len;
  JudgeItem *items = g_new (JudgeItem, n + 1);

  for (guint i = 0; i < n; i++)
    items[i] = judge_stream_item (self,
                                  g_array_index (self->window, JudgeRef, i));
  qsort (items, n, sizeof *items, compare_begins);
  return items;
}

/* A Range that was cut off gave what it gave before the end of time. */
static gint64
end_of (const JudgeItem *item) {
  return item->ended_ns == HISTORY_NEVER && item->source == JUDGE_RANGE_GAVE
             ? HISTORY_NEVER - 1
             : item->ended_ns;
}

/* An operation alone, which holds no others of its thread. */
static gboolean
is_single (const JudgeItem *item) {
  return item->source == JUDGE_OPERATION || item->source == JUDGE_CLEAR;
}

/* Sets after, the order that each thread itself knows. */
static void
order_threads (const JudgeItem *items,
               WglOp           *ops,
               gsize            n_items) {
  g_autoptr (GArray) last = g_array_new (FALSE, FALSE, sizeof (guint32));

  for (guint32 i = 0; i < n_items; i++) {
    guint at = 0;

    while (at < last->len
           && items[g_array_index (last, guint32, at)].thread
                  != items[i].thread)
      at++;
    if (at < last->len)
      ops[i].after = g_array_index (last, guint32, at) + 1;
    if (at < last->len && is_single (&items[i]))
      g_array_index (last, guint32, at) = i;
    else if (is_single (&items[i]))
      g_array_append_val (last, i);
  }
}

/* What is still under way at @until_ns is searched as if it never returned. */
static WglResult *
search (const JudgeItem *items,
        gsize            n_items,
        LinearState      before,
        gint64           until_ns) {
  g_autofree WglOp *ops = g_new (WglOp, n_items + 1);

  for (gsize i = 0; i < n_items; i++)
    ops[i] = (WglOp){ items[i].op, items[i].began_ns,
                      end_of (&items[i]) > until_ns ? WGL_NEVER
                                                    : end_of (&items[i]),
                      0 };
  order_threads (items, ops, n_items);
  return wgl_search (ops, n_items, before, 0);
}

/* The same thing, by where it comes from. */
static gboolean
is_same (const JudgeItem *a,
         const JudgeItem *b) {
  return a->index == b->index && a->source == b->source
         && a->op.result == b->op.result;
}

static gboolean
has_stored (const HistoryOp *op,
            gint64           value) {
  if (op->value != value)
    return FALSE;
  switch ((OpKind)op->op) {
  case OP_STORE:
  case OP_SWAP:
    return TRUE;
  case OP_LOAD_OR_STORE:
    return !op->is_ok;
  case OP_COMPARE_AND_SWAP:
    return op->is_ok;
  case OP_LOAD:
  case OP_LOAD_AND_DELETE:
  case OP_DELETE:
  case OP_COMPARE_AND_DELETE:
  case OP_RANGE:
  case OP_CLEAR:
  case OP_LEN:
  case OP_N_KINDS:
    break;
  }
  return FALSE;
}

/* The last operation before the window that stored what the key held then. */
static void
find_writer (const JudgeStream *self,
             JudgeCase         *made) {
  gint64 from_ns = made->items[0].began_ns;

  for (gsize i = self->next_op; i-- > 0 && !made->has_writer;) {
    const HistoryOp *op = &self->ops[i];

    if (made->before.presence != LINEAR_PRESENT || op->ended_ns >= from_ns
        || !has_stored (op, (gint64)made->before.value))
      continue;
    made->has_writer = TRUE;
    made->writer = judge_stream_item (
        self, (JudgeRef){ JUDGE_OPERATION, (guint32)i });
  }
}

JudgeCase *
judge_case_new_violated (const JudgeStream *self) {
  JudgeCase *made = g_new0 (JudgeCase, 1);
  const JudgeItem failed = judge_stream_item (self, self->failed);
  WglResult *result;

  made->key = history_key (self->index->history, self->key);
  made->verdict = LINEAR_VIOLATED;
  made->rule = JUDGE_RULE_ORDER;
  made->before = self->before;
  made->n_items = self->window->len;
  made->items = collect_items (self);
  find_writer (self, made);
  while (made->failed + 1 < made->n_items
         && !is_same (&made->items[made->failed], &failed))
    made->failed++;
  result = search (made->items, made->n_items, made->before, end_of (&failed));
  made->n_order = result->n_order;
  made->order = g_steal_pointer (&result->order);
  made->after = result->state;
  if (result->failed >= 0)
    made->failed = (gsize)result->failed;
  wgl_result_free (result);
  return made;
}

JudgeCase *
judge_case_new_twice (const JudgeIndex *index,
                      gsize             key,
                      const JudgeGiven *first,
                      const JudgeGiven *second) {
  const JudgeGiven *const both[] = { first, second };
  JudgeCase *made = g_new0 (JudgeCase, 1);

  made->key = history_key (index->history, key);
  made->verdict = LINEAR_VIOLATED;
  made->rule = JUDGE_RULE_TWICE;
  made->before = made->after = (LinearState){ 0, LINEAR_ANY };
  made->n_items = G_N_ELEMENTS (both);
  made->items = g_new0 (JudgeItem, made->n_items);
  made->order = g_new0 (guint32, 1);
  made->failed = 1;
  for (gsize i = 0; i < made->n_items; i++) {
    const HistoryRange *range = &index->ranges[both[i]->range];

    made->items[i] = (JudgeItem){
      .op = { .kind = OP_LOAD,
              .result = (uint64_t)range->pairs[both[i]->pair].value,
              .is_ok = true,
              .has_result = true },
      .began_ns = range->call.began_ns,
      .ended_ns = range->call.ended_ns,
      .index = range->call.index,
      .thread = range->call.thread,
      .source = JUDGE_RANGE_GAVE,
    };
  }
  return made;
}

gboolean
judge_stream_explain (JudgeStream *self) {
  g_autofree JudgeItem *items = collect_items (self);
  gsize n_items = self->window->len;
  g_autoptr (WglResult) result = NULL;
  guint first = self->items->len;

  /* Most windows are one operation that met no other: there is one order. */
  if (n_items == 1 && items[0].ended_ns != HISTORY_NEVER) {
    g_array_append_val (self->items, items[0]);
    g_array_append_val (self->order, first);
    return TRUE;
  }
  result = search (items, n_items, self->before, HISTORY_NEVER);
  if (result->verdict != LINEAR_OK)
    return FALSE;
  g_array_append_vals (self->items, items, (guint)n_items);
  for (gsize i = 0; i < result->n_order; i++) {
    guint32 place = first + result->order[i];

    g_array_append_val (self->order, place);
  }
  return TRUE;
}

void
judge_case_free (JudgeCase *self) {
  if (self == NULL)
    return;
  g_free (self->items);
  g_free (self->order);
  g_free (self);
}
