/* SPDX-License-Identifier: GPL-3.0-or-later */

/* judge-text.c — what the judge found, in words
 *
 * Go's names stay; a value that an operation gave back follows an arrow. A
 * reason says what was got and what the key held instead.
 */
#include "core/check/judge.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>

char *
judge_state_text (LinearState state) {
  switch (state.presence) {
  case LINEAR_ABSENT:
    return g_strdup (_("absent"));
  case LINEAR_PRESENT:
    return g_strdup_printf ("%" PRId64, (gint64)state.value);
  case LINEAR_ANY:
    return g_strdup (_("not known"));
  }
  g_return_val_if_reached (NULL);
}

/* "Swap 5", "CompareAndSwap 1, 5" */
static char *
call_text (const LinearOp *op) {
  gint64 value = (gint64)op->value, old = (gint64)op->old;

  switch (op->kind) {
  case OP_LOAD:
    return g_strdup ("Load");
  case OP_STORE:
    return g_strdup_printf ("Store %" PRId64, value);
  case OP_LOAD_OR_STORE:
    return g_strdup_printf ("LoadOrStore %" PRId64, value);
  case OP_LOAD_AND_DELETE:
    return g_strdup ("LoadAndDelete");
  case OP_DELETE:
    return g_strdup ("Delete");
  case OP_SWAP:
    return g_strdup_printf ("Swap %" PRId64, value);
  case OP_COMPARE_AND_SWAP:
    return g_strdup_printf ("CompareAndSwap %" PRId64 ", %" PRId64, old, value);
  case OP_COMPARE_AND_DELETE:
    return g_strdup_printf ("CompareAndDelete %" PRId64, old);
  case OP_RANGE:
  case OP_CLEAR:
  case OP_LEN:
  case OP_N_KINDS:
    break;
  }
  g_return_val_if_reached (NULL);
}

/* What it gave back; NULL: it gives nothing back. */
static char *
result_text (const LinearOp *op) {
  switch (op->kind) {
  case OP_LOAD:
  case OP_LOAD_AND_DELETE:
  case OP_SWAP:
    return op->is_ok ? g_strdup_printf ("%" PRId64, (gint64)op->result)
                     : g_strdup (_("nothing"));
  case OP_LOAD_OR_STORE:
    return op->is_ok
               ? g_strdup_printf (_("loaded %" PRId64), (gint64)op->result)
               : g_strdup (_("stored"));
  case OP_DELETE:
    return g_strdup (op->is_ok ? _("deleted") : _("nothing to delete"));
  case OP_COMPARE_AND_SWAP:
    return g_strdup (op->is_ok ? _("swapped") : _("not swapped"));
  case OP_COMPARE_AND_DELETE:
    return g_strdup (op->is_ok ? _("deleted") : _("not deleted"));
  case OP_STORE:
  case OP_RANGE:
  case OP_CLEAR:
  case OP_LEN:
  case OP_N_KINDS:
    break;
  }
  return NULL;
}

char *
judge_item_text (const JudgeItem *item) {
  g_autofree char *call = NULL;
  g_autofree char *result = NULL;

  switch (item->source) {
  case JUDGE_CLEAR:
    return g_strdup ("Clear");
  case JUDGE_RANGE_GAVE:
    return g_strdup_printf (_("Range, gave %" PRId64), (gint64)item->op.result);
  case JUDGE_RANGE_LACKED:
    return g_strdup (_("Range, did not give it"));
  case JUDGE_OPERATION:
    break;
  }
  call = call_text (&item->op);
  if (!item->op.has_result)
    return g_strdup_printf (_("%s, never returned"), call);
  result = result_text (&item->op);
  return result != NULL ? g_strdup_printf ("%s → %s", call, result)
                        : g_steal_pointer (&call);
}

/* What it found, to be followed by what there was. */
static char *
finding_text (const JudgeItem *item) {
  const LinearOp *op = &item->op;
  gint64 result = (gint64)op->result, old = (gint64)op->old;

  if (item->source == JUDGE_RANGE_GAVE)
    return g_strdup_printf (_("the Range gave %" PRId64), result);
  if (item->source == JUDGE_RANGE_LACKED)
    return g_strdup (_("the Range did not give the key"));
  if (op->kind == OP_COMPARE_AND_SWAP || op->kind == OP_COMPARE_AND_DELETE)
    return op->is_ok
               ? g_strdup_printf (_("it found %" PRId64), old)
               : g_strdup_printf (_("it did not find %" PRId64), old);
  if (op->kind == OP_DELETE)
    return g_strdup (op->is_ok ? _("it deleted something")
                               : _("it found nothing to delete"));
  if (!op->is_ok)
    return g_strdup (_("it found nothing"));
  return g_strdup_printf (_("it read %" PRId64), result);
}

char *
judge_item_reason (const JudgeItem *item,
                   LinearState      state) {
  LinearState after = state;
  g_autofree char *finding = NULL;

  if (linear_apply (&item->op, &after))
    return NULL;
  finding = finding_text (item);
  if (state.presence == LINEAR_ABSENT)
    return g_strdup_printf (_("%s, but the key was absent"), finding);
  return g_strdup_printf (_("%s, but the key held %" PRId64), finding,
                          (gint64)state.value);
}

/* What the key went through: more than so many, and only how it began and ended. */
#define MAX_STATES 6

/* (transfer full): "101", "absent, 101, 102": the states in the order that goes
 * furthest, while @item could have taken effect. */
static char *
states_text (const JudgeCase *self,
             const JudgeItem *item,
             guint           *n_states) {
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  LinearState state = self->before;
  gsize first = 0;

  for (gsize i = 0; i < self->n_order; i++)
    if (self->items[self->order[i]].ended_ns < item->began_ns)
      first = i + 1;
  for (gsize i = 0; i <= self->n_order; i++) {
    g_autofree char *text = judge_state_text (state);

    if (i >= first
        && (texts->len == 0
            || g_strcmp0 (text, g_ptr_array_index (texts, texts->len - 1))
                   != 0))
      g_ptr_array_add (texts, g_steal_pointer (&text));
    if (i < self->n_order)
      linear_apply (&self->items[self->order[i]].op, &state);
  }
  *n_states = texts->len;
  if (texts->len > MAX_STATES) {
    g_ptr_array_remove_range (texts, MAX_STATES / 2, texts->len - MAX_STATES);
    g_ptr_array_insert (texts, MAX_STATES / 2, g_strdup ("…"));
  }
  g_ptr_array_add (texts, NULL);
  return g_strjoinv (", ", (char **)texts->pdata);
}

char *
judge_case_reason (const JudgeCase *self) {
  const JudgeItem *failed = &self->items[self->failed];
  g_autofree char *reason = judge_item_reason (failed, self->after);
  g_autofree char *finding = NULL;
  g_autofree char *states = NULL;
  guint n_states;

  if (reason == NULL)
    return NULL;
  states = states_text (self, failed, &n_states);
  if (n_states <= 1)
    return g_steal_pointer (&reason);
  finding = finding_text (failed);
  return g_strdup_printf (_("%s, but the key went through %s"), finding, states);
}

char *
judge_case_text (const JudgeCase *self) {
  const JudgeItem *failed = &self->items[self->failed];
  g_autofree char *item = judge_item_text (failed);
  g_autofree char *reason = NULL;

  switch (self->verdict) {
  case LINEAR_OK:
    return g_strdup (_("an order explains all results"));
  case LINEAR_UNKNOWN:
    return g_strdup (_("too many operations at once to say"));
  case LINEAR_VIOLATED:
    break;
  }
  if (self->rule == JUDGE_RULE_TWICE)
    return g_strdup_printf (
        _("one Range gave the key twice: %" PRId64 ", then %" PRId64),
        (gint64)self->items[0].op.result, (gint64)failed->op.result);
  reason = judge_case_reason (self);
  return reason != NULL
             ? g_strdup_printf (_("no order explains %s: %s"), item, reason)
             : g_strdup_printf (_("no order explains %s"), item);
}
