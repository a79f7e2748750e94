/* SPDX-License-Identifier: GPL-3.0-or-later */

/* judge-stream.c — one key's operations, Ranges and Clears, in the order of time
 *
 * Idea        Four sorted sources are merged: the key's operations, what Ranges
 *             gave of it, Clears, and Ranges that went to the end without it.
 *             Calls go to the checker as they come, returns by their time, calls
 *             before returns at the same time: what may overlap, does.
 *
 * Quiet       Ranges and Clears concern every key, so keys times Ranges would be
 *             the cost. But while a key is absent for sure and none of its own
 *             operations is under way, Clears change nothing, and Ranges without
 *             it are right: both are passed over. When the next operation
 *             comes, those that are under way by then are looked up and called;
 *             no order can tell that they were called late, for all that they
 *             could have done meanwhile is nothing. While the key is there, each
 *             Range that went to the end gave it (and paid for it), and the
 *             first Clear makes it absent.
 *
 * Threads     The times in a log are bounds, moved out for safety, so that one
 *             thread's operations may overlap by them. The checker is told their
 *             order. A Range is not put before what follows: that may be its
 *             callback's.
 *
 * Window      Whenever nothing is under way and one state is left, what came
 *             before does not matter any more. The window is what came since: of
 *             a violation it is all that a reader must look at, and a witness is
 *             put together from windows.
 *
 * Invariants  S1  pending is by ended_ns; a return at the end of time stands for
 *                 a Range that was cut off after it gave the key
 *             S2  while quiet, next_clear and next_range stay behind
 *             S3  n_own counts the operations of the key under way, those that
 *                 never returned for ever
 */
#include "core/check/judge-private.h"

void
judge_stream_init (JudgeStream      *self,
                   const JudgeIndex *index) {
  *self = (JudgeStream){ .index = index };
  self->linear = linear_new (LINEAR_ANY, 0);
  self->pending = g_array_new (FALSE, FALSE, sizeof (JudgePending));
  self->window = g_array_new (FALSE, FALSE, sizeof (JudgeRef));
}

void
judge_stream_clear (JudgeStream *self) {
  linear_free (self->linear);
  g_array_unref (self->pending);
  g_array_unref (self->window);
  g_clear_pointer (&self->items, g_array_unref);
  g_clear_pointer (&self->order, g_array_unref);
}

/* What things are judged as ------------------------------------------------ */

static LinearOp
make_linear_op (const HistoryOp *op) {
  LinearOp result = {
    .value = (uint64_t)op->value,
    .old = (uint64_t)op->old,
    .result = (uint64_t)(op->is_ok ? op->result : op->value),
    .kind = op->op,
    .is_ok = op->is_ok,
    .has_result = op->ended_ns != HISTORY_NEVER,
  };

  return result;
}

static JudgeItem
make_item (const HistoryOp *call,
           LinearOp         op,
           JudgeSource      source) {
  return (JudgeItem){ op, call->began_ns, call->ended_ns, call->index,
                      call->thread, source };
}

JudgeItem
judge_stream_item (const JudgeStream *self,
                   JudgeRef           ref) {
  const LinearOp clear = { .kind = OP_DELETE };
  const LinearOp lacked = { .kind = OP_LOAD, .has_result = true };

  switch ((JudgeSource)ref.source) {
  case JUDGE_OPERATION:
    return make_item (&self->ops[ref.place], make_linear_op (&self->ops[ref.place]),
                      JUDGE_OPERATION);
  case JUDGE_CLEAR:
    return make_item (&self->index->clears[ref.place], clear, JUDGE_CLEAR);
  case JUDGE_RANGE_LACKED:
    return make_item (&self->index->ranges[ref.place].call, lacked,
                      JUDGE_RANGE_LACKED);
  case JUDGE_RANGE_GAVE: {
    const JudgeGiven *given = &self->given[ref.place];
    const HistoryRange *range = &self->index->ranges[given->range];
    const LinearOp gave = {
      .kind = OP_LOAD,
      .result = (uint64_t)range->pairs[given->pair].value,
      .is_ok = true,
      .has_result = true,
    };

    return make_item (&range->call, gave, JUDGE_RANGE_GAVE);
  }
  }
  g_assert_not_reached ();
}

/* Operations of its own thread that are under way by their times, but were over
 * when @item began: all but Ranges, which may hold it. */
static uint64_t
find_earlier (const JudgeStream *self,
              const JudgeItem   *item) {
  uint64_t earlier = 0;

  for (guint i = 0; i < self->pending->len; i++) {
    const JudgePending *pending
        = &g_array_index (self->pending, JudgePending, i);
    const HistoryOp *op;

    if (pending->ref.source == JUDGE_OPERATION)
      op = &self->ops[pending->ref.place];
    else if (pending->ref.source == JUDGE_CLEAR)
      op = &self->index->clears[pending->ref.place];
    else
      continue;
    if (op->thread == item->thread && op->index < item->index
        && pending->place >= 0)
      earlier |= UINT64_C (1) << pending->place;
  }
  return earlier;
}

/* Calls and returns -------------------------------------------------------- */

static void
add_pending (JudgeStream *self,
             gint64       ended_ns,
             JudgeRef     ref,
             int          place) {
  const JudgePending pending = { ended_ns, ref, place };
  guint at = self->pending->len;
  JudgePending *all;

  g_array_set_size (self->pending, at + 1);
  all = &g_array_index (self->pending, JudgePending, 0);
  /* The last one returns first: it is taken off without a move. */
  while (at > 0 && all[at - 1].ended_ns < ended_ns) {
    all[at] = all[at - 1];
    at--;
  }
  all[at] = pending;
}

static void
call (JudgeStream *self,
      JudgeSource  source,
      gsize        place) {
  const JudgeRef ref = { source, (guint32)place };
  const JudgeItem item = judge_stream_item (self, ref);
  int linear_place;

  /* What never returned and changes nothing says nothing. */
  if (item.ended_ns == HISTORY_NEVER && source == JUDGE_OPERATION
      && item.op.kind == OP_LOAD)
    return;
  g_array_append_val (self->window, ref);
  linear_place = linear_call_after (self->linear, &item.op,
                                    find_earlier (self, &item));
  self->n_own += source == JUDGE_OPERATION;
  if (item.ended_ns != HISTORY_NEVER || source == JUDGE_RANGE_GAVE)
    add_pending (self, item.ended_ns, ref, linear_place);
}

/* Nothing is under way: the window so far is explained and starts anew. */
static LinearVerdict
settle (JudgeStream *self,
        LinearState  state) {
  if (self->items != NULL && !judge_stream_explain (self))
    return LINEAR_UNKNOWN;
  self->before = state;
  g_array_set_size (self->window, 0);
  return LINEAR_OK;
}

static LinearVerdict
return_one (JudgeStream *self) {
  const JudgePending first
      = g_array_index (self->pending, JudgePending, self->pending->len - 1);
  LinearVerdict verdict = linear_return (self->linear, first.place);
  LinearState state;

  g_array_set_size (self->pending, self->pending->len - 1);
  self->n_own -= first.ref.source == JUDGE_OPERATION;
  if (verdict != LINEAR_OK)
    self->failed = first.ref;
  else if (self->pending->len == 0
           && linear_is_settled (self->linear, &state))
    verdict = settle (self, state);
  return verdict;
}

/* Ranges without the key --------------------------------------------------- */

/* The first Range from place @from on that went to the end. */
static gsize
next_whole (const JudgeStream *self,
            gsize              from) {
  return judge_spans_next (&self->index->range_spans, from, G_MININT64 + 1);
}

/* Whether the Range of place @range, which went to the end and is not before
 * the last one asked for, did so without the key. */
static gboolean
lacks (JudgeStream *self,
       gsize        range) {
  while (self->listed < self->n_given
         && self->given[self->listed].range < range)
    self->listed++;
  return self->listed == self->n_given
         || self->given[self->listed].range != range;
}

/* The merge ---------------------------------------------------------------- */

typedef struct {
  gint64      began_ns;
  guint64     index;
  JudgeSource source;
  gboolean    is_there;
} NextCall;

/* Whether it comes before @next: at the same time, as the log has it. */
static inline gboolean
comes_before (const NextCall  *next,
              const HistoryOp *call) {
  return call->began_ns < next->began_ns
         || (call->began_ns == next->began_ns && call->index < next->index);
}

static inline void
consider (NextCall        *next,
          const HistoryOp *call,
          JudgeSource      source) {
  if (!next->is_there || comes_before (next, call))
    *next = (NextCall){ call->began_ns, call->index, source, TRUE };
}

static NextCall
find_next_call (JudgeStream *self,
                gboolean     is_quiet) {
  const JudgeIndex *index = self->index;
  NextCall next = { .is_there = FALSE };

  if (self->next_op < self->n_ops)
    consider (&next, &self->ops[self->next_op], JUDGE_OPERATION);
  if (self->next_given < self->n_given)
    consider (&next,
              &index->ranges[self->given[self->next_given].range].call,
              JUDGE_RANGE_GAVE);
  if (is_quiet)
    return next;
  if (self->next_clear < index->clear_spans.n)
    consider (&next, &index->clears[self->next_clear], JUDGE_CLEAR);
  self->next_range = next_whole (self, self->next_range);
  while (self->next_range < index->range_spans.n
         && !lacks (self, self->next_range))
    self->next_range = next_whole (self, self->next_range + 1);
  if (self->next_range < index->range_spans.n)
    consider (&next, &index->ranges[self->next_range].call,
              JUDGE_RANGE_LACKED);
  return next;
}

/* What was passed over while quiet and is under way when @next begins. */
static void
catch_up (JudgeStream    *self,
          const NextCall *next) {
  const JudgeIndex *index = self->index;
  const JudgeSpans *clears = &index->clear_spans;
  const JudgeSpans *ranges = &index->range_spans;
  gint64 at_ns = next->began_ns;
  gsize end = judge_spans_after (clears, self->next_clear, at_ns);

  while (end > self->next_clear
         && !comes_before (next, &index->clears[end - 1]))
    end--;
  for (gsize i = judge_spans_next (clears, self->next_clear, at_ns); i < end;
       i = judge_spans_next (clears, i + 1, at_ns))
    call (self, JUDGE_CLEAR, i);
  self->next_clear = end;
  end = judge_spans_after (ranges, self->next_range, at_ns);
  while (end > self->next_range
         && !comes_before (next, &index->ranges[end - 1].call))
    end--;
  for (gsize i = judge_spans_next (ranges, self->next_range, at_ns); i < end;
       i = judge_spans_next (ranges, i + 1, at_ns))
    if (lacks (self, i))
      call (self, JUDGE_RANGE_LACKED, i);
  self->next_range = end;
}

static void
take_call (JudgeStream    *self,
           const NextCall *next,
           gboolean        is_quiet) {
  if (is_quiet)
    catch_up (self, next);
  switch (next->source) {
  case JUDGE_OPERATION:
    call (self, next->source, self->next_op++);
    return;
  case JUDGE_CLEAR:
    call (self, next->source, self->next_clear++);
    return;
  case JUDGE_RANGE_GAVE:
    call (self, next->source, self->next_given++);
    return;
  case JUDGE_RANGE_LACKED:
    call (self, next->source, self->next_range++);
    return;
  }
}

static void
start_key (JudgeStream *self,
           gsize        key) {
  const JudgeIndex *index = self->index;
  gboolean is_empty = history_begins_empty (index->history);

  self->key = key;
  self->ops = history_ops (index->history, key, &self->n_ops);
  self->given = index->given + index->first_given[key];
  self->n_given = index->first_given[key + 1] - index->first_given[key];
  self->next_op = self->next_given = self->next_clear = self->next_range = 0;
  self->listed = 0;
  self->n_own = 0;
  g_array_set_size (self->pending, 0);
  g_array_set_size (self->window, 0);
  self->before = (LinearState){ 0, is_empty ? LINEAR_ABSENT : LINEAR_ANY };
  linear_reset (self->linear, self->before.presence, 0);
}

LinearVerdict
judge_stream_run (JudgeStream *self,
                  gsize        key) {
  LinearVerdict verdict = LINEAR_OK;

  start_key (self, key);
  while (verdict == LINEAR_OK) {
    gboolean is_quiet = self->n_own == 0 && linear_is_absent (self->linear);
    NextCall next = find_next_call (self, is_quiet);
    guint n_pending = self->pending->len;

    if (n_pending > 0
        && (!next.is_there
            || g_array_index (self->pending, JudgePending, n_pending - 1)
                       .ended_ns
                   < next.began_ns)) {
      verdict = return_one (self);
    } else if (next.is_there) {
      take_call (self, &next, is_quiet);
      verdict = linear_verdict (self->linear);
    } else {
      break;
    }
  }
  if (verdict == LINEAR_OK && self->items != NULL && self->window->len > 0
      && !judge_stream_explain (self))
    verdict = LINEAR_UNKNOWN;
  return verdict;
}
