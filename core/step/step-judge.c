/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-judge.c — can these results come from operations done at once, in order?
 *
 * Idea        Linearizability, key by key: operations on different keys do not
 *             know of each other, so each key is a register that holds a value or
 *             nothing. Its operations must have an order that explains every
 *             result and in which an operation that ended before another began
 *             comes before it. With a handful of operations a plain search is
 *             enough: try each operation that may come next, go on, take back.
 *
 * Range       visits no key twice. For each key it counts as a load that may have
 *             happened at any moment of the Range: of the value visited, or of
 *             nothing. No common moment is asked for, as Go promises none.
 * Clear       empties each key at some moment of the call; not all at once.
 * Len         is not judged: it counts all keys, at no common moment.
 *
 * Misuse      Workers that meet in `gomap` are promised nothing, and Go's detector
 *             may or may not say so. What is asked for is what the guard of
 *             gomap-detector.c gives: no Range visits a key twice, no value is
 *             found that nobody stored (a new key may show 0 before its own), and
 *             in the end the map is whole.
 *
 * Settling    comes after everything: its readings are the last operations.
 *
 * Source      J. Wing, C. Gong, Testing and verifying concurrent objects, 1993;
 *             Go 1.23 sync/map.go, the comment of Range.
 */
#include "core/step/step-trial-private.h"

#include <inttypes.h>
#include <stdio.h>

/* The most that concern one key: all operations of all workers. */
#define MAX_CALLS 64

typedef struct {
  bool    is_present;
  int64_t value;
} Register;

typedef struct {
  const StepOp     *op;
  const StepResult *result;
  uint32_t call;
  uint32_t ret;
  Register seen; /* Range: what it saw of the key */
} Call;

typedef struct {
  unsigned n;
  Call     calls[MAX_CALLS];
  uint64_t n_tried;
} History;

/* One key's register ------------------------------------------------------- */

static bool
holds (Register at,
       int64_t  value) {
  return at.is_present && at.value == value;
}

/* Whether @call done now gives what it gave; *at becomes what it leaves. */
static bool
explains (const Call *call,
          Register   *at) {
  const StepOp *op = call->op;
  bool is_ok = call->result->is_ok;
  Register before = *at;

  switch (op->op) {
  case OP_LOAD:
    return is_ok ? holds (before, call->result->value) : !before.is_present;
  case OP_STORE:
    *at = (Register){ true, op->value };
    return is_ok;
  case OP_LOAD_OR_STORE:
    if (is_ok)
      return holds (before, call->result->value);
    *at = (Register){ true, op->value };
    return !before.is_present;
  case OP_LOAD_AND_DELETE:
    *at = (Register){ false, 0 };
    return is_ok ? holds (before, call->result->value) : !before.is_present;
  case OP_DELETE:
    *at = (Register){ false, 0 };
    return is_ok == before.is_present;
  case OP_SWAP:
    *at = (Register){ true, op->value };
    return is_ok ? holds (before, call->result->value) : !before.is_present;
  case OP_COMPARE_AND_SWAP:
    if (is_ok)
      *at = (Register){ true, op->value };
    return is_ok == holds (before, op->old);
  case OP_COMPARE_AND_DELETE:
    if (is_ok)
      *at = (Register){ false, 0 };
    return is_ok == holds (before, op->old);
  case OP_RANGE:
    return call->seen.is_present ? holds (before, call->seen.value)
                                 : !before.is_present;
  case OP_CLEAR:
    *at = (Register){ false, 0 };
    return true;
  case OP_LEN:
  case OP_N_KINDS:
    return true;
  }
  return false;
}

/* Whether the calls not in @done can be ordered from @at on, to end as @final. */
static bool
can_be_ordered (History        *history,
                uint64_t        done,
                Register        at,
                const Register *final) {
  uint32_t first_return = UINT32_MAX;

  if (done == (history->n == 64 ? UINT64_MAX : ((uint64_t)1 << history->n) - 1))
    return final->is_present ? holds (at, final->value) : !at.is_present;
  history->n_tried++;
  for (unsigned i = 0; i < history->n; i++)
    if (!(done >> i & 1) && history->calls[i].ret < first_return)
      first_return = history->calls[i].ret;
  for (unsigned i = 0; i < history->n; i++) {
    Register after = at;

    /* A step is one operation's: one that ends with it ended before. */
    if ((done >> i & 1) || history->calls[i].call > first_return
        || !explains (&history->calls[i], &after))
      continue;
    if (can_be_ordered (history, done | (uint64_t)1 << i, after, final))
      return true;
  }
  return false;
}

/* Collecting --------------------------------------------------------------- */

/* false: the Range came to the key more than once. */
static bool
see_key (const StepResult *result,
         int64_t           key,
         Register         *seen) {
  unsigned n = 0;

  *seen = (Register){ false, 0 };
  for (unsigned i = 0; i < result->n_visited; i++)
    if (result->visited[i].key == key) {
      *seen = (Register){ true, result->visited[i].value };
      n++;
    }
  return n <= 1;
}

/* false: a Range came to the key more than once. */
static bool
collect (const StepTrial *self,
         int64_t          key,
         History         *history) {
  const StepScenario *scenario = &self->scenario;

  history->n = 0;
  history->n_tried = 0;
  for (unsigned i = 0; i < scenario->n_workers; i++)
    for (unsigned j = 0; j < scenario->n_ops[i]; j++) {
      const StepOp *op = &scenario->ops[i][j];
      const StepResult *result = &self->results[i][j];
      Call call = { op, result, result->call, result->ret, { false, 0 } };

      if (op->op == OP_LEN
          || (op->op != OP_RANGE && op->op != OP_CLEAR && op->key != key))
        continue;
      if (op->op == OP_RANGE && !see_key (result, key, &call.seen))
        return false;
      if (history->n < MAX_CALLS)
        history->calls[history->n++] = call;
    }
  return true;
}

static Register
preloaded (const StepTrial *self,
           int64_t          key) {
  Register at = { false, 0 };

  for (unsigned i = 0; i < self->scenario.n_preload; i++)
    if (self->scenario.preload[i].key == key)
      at = (Register){ true, self->scenario.preload[i].value };
  return at;
}

/* What was seen of the key, for a person. */
static void
tell (const History *history,
      int64_t        key,
      Register       final,
      char          *why,
      size_t         why_bytes) {
  size_t n = (size_t)snprintf (why, why_bytes,
                               "key %" PRId64 ": no order explains", key);

  for (unsigned i = 0; i < history->n && n < why_bytes; i++) {
    char text[120];

    step_op_text (history->calls[i].op, history->calls[i].result, text,
                  sizeof text);
    n += (size_t)snprintf (why + n, why_bytes - n, "%s %s [steps %" PRIu32
                           "–%" PRIu32 "]", i == 0 ? "" : ",", text,
                           history->calls[i].call, history->calls[i].ret);
  }
  if (n < why_bytes && final.is_present)
    snprintf (why + n, why_bytes - n, ", and %" PRId64 " at the end",
              final.value);
  else if (n < why_bytes)
    snprintf (why + n, why_bytes - n, ", and nothing at the end");
}

/* A value that the key may show at some moment. */
static bool
can_hold (const StepTrial *self,
          int64_t          key,
          int64_t          value) {
  const StepScenario *scenario = &self->scenario;
  Register before = preloaded (self, key);

  if (value == 0 || holds (before, value))
    return true;
  for (unsigned i = 0; i < scenario->n_workers; i++)
    for (unsigned j = 0; j < scenario->n_ops[i]; j++)
      if (scenario->ops[i][j].key == key && scenario->ops[i][j].value == value)
        return true;
  return false;
}

/* Whether what a call of the history found was ever in the key. */
static bool
is_possible (const StepTrial *self,
             const Call      *call,
             int64_t          key) {
  const StepResult *result = call->result;

  switch (call->op->op) {
  case OP_LOAD:
  case OP_LOAD_OR_STORE:
  case OP_LOAD_AND_DELETE:
  case OP_SWAP:
    return !result->is_ok || can_hold (self, key, result->value);
  case OP_RANGE:
    return !call->seen.is_present || can_hold (self, key, call->seen.value);
  case OP_STORE:
  case OP_DELETE:
  case OP_COMPARE_AND_SWAP:
  case OP_COMPARE_AND_DELETE:
  case OP_CLEAR:
  case OP_LEN:
  case OP_N_KINDS:
    return true;
  }
  return true;
}

/* See Misuse. */
static bool
are_possible (const StepTrial *self,
              const History   *history,
              int64_t          key,
              Register         final) {
  for (unsigned i = 0; i < history->n; i++)
    if (!is_possible (self, &history->calls[i], key))
      return false;
  return !final.is_present || can_hold (self, key, final.value);
}

bool
step_judge (const StepTrial *self,
            char            *why,
            size_t           why_bytes) {
  History history;

  for (unsigned i = 0; i < self->n_keys; i++) {
    const StepResult *first = &self->first[i];
    Register final = { self->final[i].is_ok, self->final[i].value };
    int64_t key = self->keys[i];

    if (!collect (self, key, &history)) {
      snprintf (why, why_bytes, "key %" PRId64 ": a Range visits it twice", key);
      return false;
    }
    if (first->is_ok != final.is_present
        || (first->is_ok && first->value != final.value)) {
      snprintf (why, why_bytes,
                "key %" PRId64 ": at the end it is %s, and after a promotion %s",
                key, first->is_ok ? "there" : "absent",
                final.is_present ? "there" : "absent");
      return false;
    }
    if (self->klass->is_thread_safe || self->scenario.n_workers == 1
            ? !can_be_ordered (&history, 0, preloaded (self, key), &final)
            : !are_possible (self, &history, key, final)) {
      tell (&history, key, final, why, why_bytes);
      return false;
    }
  }
  return true;
}
