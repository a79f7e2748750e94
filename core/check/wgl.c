/* SPDX-License-Identifier: GPL-3.0-or-later */

/* wgl.c — an order that explains one key's operations, or how far one goes
 *
 * Idea        Calls and returns stand in a list by time. Next may take effect
 *             any operation whose call comes before the first return that is
 *             left: whoever returned first was not after it. Taking one removes
 *             its call and its return from the list; when every return is gone,
 *             the operations in the order in which they were taken are a
 *             witness. Where nothing fits, the last choice is taken back and
 *             the next one tried. A configuration (which operations were taken,
 *             what the key holds) that was left without success is not entered
 *             again.
 *
 * Lanes       Operations are dealt to lanes in which each ended before the next
 *             began, as those of one thread do. Within a lane they take effect
 *             in turn, so which ones did is one counter a lane, not one bit an
 *             operation: 4 bytes times the lanes, however long the history.
 *
 * Reads       An operation that changed nothing is taken as soon as it fits, and
 *             no other choice is tried in its place: whatever follows without
 *             it can follow with it (as in linear.c).
 *
 * How far     Of all orders tried, the one that was blocked by the latest
 *             return is kept, the longest of these: that return is where the
 *             shortest bad prefix ends, and what the key held then says why
 *             none of the operations under way fits.
 *
 * Invariants  W1  the list is as it was when the stack is empty
 *             W2  taken[lane] is the number of the lane's operations on the stack
 *             W3  best[0, common) equals stack[0, common)
 * Source      J. Wing, C. Gong, Testing and verifying concurrent objects, 1993;
 *             G. Lowe, Testing for linearizability, 2017 (the cache).
 */
#include "core/check/wgl.h"

#include <string.h>

#define NONE G_MAXUINT32

/* A call or a return; the list's head is events[n_events]. */
typedef struct {
  guint32  op;
  guint32  prev;
  guint32  next;
  gboolean is_return;
} WglEvent;

typedef struct {
  guint32     op;
  gboolean    is_forced; /* a read: nothing else is tried in its place */
  LinearState before;
} Choice;

typedef struct {
  const WglOp *ops;
  gsize        n_ops;
  WglEvent    *events;
  guint32      head;
  guint32     *call_of;   /* by operation: its event */
  guint32     *return_of; /* NONE: it never returned */
  guint32     *rank_of;   /* of its return, among the returns */
  guint8      *lane_of;
  guint8      *is_taken;
  guint        n_lanes;
  gsize        n_returns; /* left in the list */
  LinearState  state;
  guint32      taken[WGL_MAX_LANES];

  Choice  *stack;
  gsize    depth;
  guint32 *best;
  gsize    n_best;
  gsize    common;
  guint32  best_rank; /* + 1; 0: nothing was blocked yet */
  gssize   failed;
  LinearState best_state;

  /* Configurations seen: the counters, then the state, n_words a piece. */
  guint32 *seen;
  gsize    n_words;
  gsize    n_seen;
  gsize    seen_room;
  guint    max_nodes;
  guint32 *slots; /* index in seen + 1; 0 = free */
  gsize    n_slots;
} Wgl;

/* The list ----------------------------------------------------------------- */

/* Deals the operations to lanes; FALSE when there are too few. */
static gboolean
deal_lanes (Wgl *self) {
  gint64 ends[WGL_MAX_LANES];

  for (gsize i = 0; i < self->n_ops; i++) {
    guint lane = 0;

    while (lane < self->n_lanes && ends[lane] >= self->ops[i].began_ns)
      lane++;
    if (lane == WGL_MAX_LANES)
      return FALSE;
    self->n_lanes = MAX (self->n_lanes, lane + 1);
    ends[lane] = self->ops[i].ended_ns;
    self->lane_of[i] = (guint8)lane;
  }
  return TRUE;
}

/* (transfer full): the operations that returned, by ended_ns. They come by
 * began_ns, so each moves back past those alone that it overlaps. */
static guint32 *
sort_returns (const Wgl *self,
              gsize     *n_returns) {
  guint32 *returns = g_new (guint32, self->n_ops + 1);
  gsize n = 0;

  for (gsize i = 0; i < self->n_ops; i++) {
    gsize at = n;

    if (self->ops[i].ended_ns == WGL_NEVER)
      continue;
    while (at > 0 && self->ops[returns[at - 1]].ended_ns > self->ops[i].ended_ns) {
      returns[at] = returns[at - 1];
      at--;
    }
    returns[at] = (guint32)i;
    n++;
  }
  *n_returns = n;
  return returns;
}

/* Calls and returns by time; at the same time calls come first, so that what
 * may overlap does. */
static void
build_list (Wgl *self) {
  gsize n_returns, n_events, call = 0, ret = 0;
  g_autofree guint32 *returns = sort_returns (self, &n_returns);

  n_events = self->n_ops + n_returns;
  self->n_returns = n_returns;
  self->head = (guint32)n_events;
  self->events = g_new (WglEvent, n_events + 1);
  for (gsize i = 0; i < n_events; i++) {
    gboolean is_return
        = call == self->n_ops
          || (ret < n_returns
              && self->ops[returns[ret]].ended_ns < self->ops[call].began_ns);
    guint32 op = is_return ? returns[ret] : (guint32)call;

    self->events[i] = (WglEvent){ op, (guint32)i - 1, (guint32)i + 1,
                                  is_return };
    if (is_return) {
      self->return_of[op] = (guint32)i;
      self->rank_of[op] = (guint32)ret++;
    } else {
      self->call_of[call++] = (guint32)i;
    }
  }
  self->events[0].prev = self->head;
  self->events[self->head]
      = (WglEvent){ NONE, (guint32)n_events - 1, 0, TRUE };
}

static inline void
unlink_event (Wgl    *self,
              guint32 i) {
  WglEvent *event = &self->events[i];

  self->events[event->prev].next = event->next;
  self->events[event->next].prev = event->prev;
}

static inline void
relink_event (Wgl    *self,
              guint32 i) {
  WglEvent *event = &self->events[i];

  self->events[event->prev].next = i;
  self->events[event->next].prev = i;
}

/* Taking and taking back --------------------------------------------------- */

static void
take (Wgl               *self,
      guint32            op,
      const LinearState *after,
      gboolean           is_forced) {
  self->stack[self->depth++] = (Choice){ op, is_forced, self->state };
  self->state = *after;
  self->taken[self->lane_of[op]]++;
  self->is_taken[op] = TRUE;
  unlink_event (self, self->call_of[op]);
  if (self->return_of[op] != NONE) {
    unlink_event (self, self->return_of[op]);
    self->n_returns--;
  }
}

static guint32
take_back (Wgl *self) {
  const Choice *last = &self->stack[--self->depth];
  guint32 op = last->op;

  if (self->return_of[op] != NONE) {
    relink_event (self, self->return_of[op]);
    self->n_returns++;
  }
  relink_event (self, self->call_of[op]);
  self->taken[self->lane_of[op]]--;
  self->is_taken[op] = FALSE;
  self->state = last->before;
  self->common = MIN (self->common, self->depth);
  return op;
}

/* Keeps the stack as the best, which is blocked by the return of @failed. */
static void
keep_best (Wgl    *self,
           guint32 failed) {
  guint32 rank = self->rank_of[failed] + 1;

  if (rank < self->best_rank
      || (rank == self->best_rank && self->depth <= self->n_best))
    return;
  for (gsize i = self->common; i < self->depth; i++)
    self->best[i] = self->stack[i].op;
  self->n_best = self->common = self->depth;
  self->best_rank = rank;
  self->best_state = self->state;
  self->failed = failed;
}

/* Lets @op take effect on @state; FALSE: not yet, or not there. */
static inline gboolean
try (const Wgl   *self,
     guint32      op,
     LinearState *state) {
  guint32 after = self->ops[op].after;

  return (after == 0 || self->is_taken[after - 1])
         && linear_apply (&self->ops[op].op, state);
}

/* The reads that fit now. */
static void
take_reads (Wgl *self) {
  guint32 i = self->events[self->head].next;

  if (self->state.presence == LINEAR_ANY)
    return;
  while (!self->events[i].is_return) {
    guint32 op = self->events[i].op;
    LinearState state = self->state;

    if (linear_is_read (&self->ops[op].op) && try (self, op, &state)) {
      /* Without its return more calls may have come into reach, all behind. */
      take (self, op, &state, TRUE);
      i = self->events[i].prev;
    }
    i = self->events[i].next;
  }
}

/* Configurations seen ------------------------------------------------------ */

static guint64
hash_words (const guint32 *words,
            gsize          n_words) {
  guint64 hash = 0x9e3779b97f4a7c15u;

  for (gsize i = 0; i < n_words; i++) {
    hash = (hash ^ words[i]) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
  }
  return hash;
}

static guint32 *
find_slot (Wgl           *self,
           const guint32 *words) {
  gsize i = hash_words (words, self->n_words) & (self->n_slots - 1);

  while (self->slots[i] != 0
         && memcmp (self->seen + (self->slots[i] - 1) * self->n_words, words,
                    self->n_words * sizeof *words) != 0)
    i = (i + 1) & (self->n_slots - 1);
  return &self->slots[i];
}

static void
grow_slots (Wgl *self) {
  self->n_slots = MAX (1024, 2 * self->n_slots);
  g_free (self->slots);
  self->slots = g_new0 (guint32, self->n_slots);
  for (gsize i = 0; i < self->n_seen; i++)
    *find_slot (self, self->seen + i * self->n_words) = (guint32)i + 1;
}

/* Whether the configuration is new; it is not any more. */
static gboolean
enter (Wgl *self) {
  guint32 *words;
  guint32 *slot;

  if (2 * self->n_seen >= self->n_slots)
    grow_slots (self);
  if (self->n_seen == self->seen_room) {
    self->seen_room = MAX (256, 2 * self->seen_room);
    self->seen = g_renew (guint32, self->seen, self->seen_room * self->n_words);
  }
  words = self->seen + self->n_seen * self->n_words;
  memcpy (words, self->taken, self->n_lanes * sizeof *words);
  words[self->n_lanes] = self->state.presence;
  words[self->n_lanes + 1] = (guint32)self->state.value;
  words[self->n_lanes + 2] = (guint32)(self->state.value >> 32);
  slot = find_slot (self, words);
  if (*slot != 0)
    return FALSE;
  *slot = (guint32)++self->n_seen;
  return TRUE;
}

/* The search --------------------------------------------------------------- */

/* Takes the first operation from event @i on that fits; FALSE at a return. */
static gboolean
take_next (Wgl    *self,
           guint32 i) {
  for (; !self->events[i].is_return; i = self->events[i].next) {
    LinearState state = self->state;

    if (!try (self, self->events[i].op, &state))
      continue;
    take (self, self->events[i].op, &state, FALSE);
    return TRUE;
  }
  if (i != self->head)
    keep_best (self, self->events[i].op);
  return FALSE;
}

/* Takes back up to the last choice that had others; @next: where they begin. */
static gboolean
back_up (Wgl     *self,
         guint32 *next) {
  gboolean is_forced = TRUE;
  guint32 op = NONE;

  while (self->depth > 0 && is_forced) {
    is_forced = self->stack[self->depth - 1].is_forced;
    op = take_back (self);
  }
  if (is_forced)
    return FALSE;
  *next = self->events[self->call_of[op]].next;
  return TRUE;
}

static LinearVerdict
search (Wgl *self) {
  gboolean is_fresh = TRUE;
  guint32 next = 0;

  for (;;) {
    gboolean is_dead = FALSE;

    if (is_fresh) {
      take_reads (self);
      if (self->n_returns == 0)
        return LINEAR_OK;
      is_dead = !enter (self);
      if (self->n_seen > self->max_nodes)
        return LINEAR_UNKNOWN;
      next = self->events[self->head].next;
    }
    is_fresh = !is_dead && take_next (self, next);
    if (!is_fresh && !back_up (self, &next))
      return LINEAR_VIOLATED;
  }
}

static void
clear (Wgl *self) {
  g_free (self->events);
  g_free (self->call_of);
  g_free (self->return_of);
  g_free (self->rank_of);
  g_free (self->lane_of);
  g_free (self->is_taken);
  g_free (self->stack);
  g_free (self->best);
  g_free (self->seen);
  g_free (self->slots);
}

WglResult *
wgl_search (const WglOp *ops,
            gsize        n_ops,
            LinearState  first,
            guint        max_nodes) {
  WglResult *result = g_new0 (WglResult, 1);
  Wgl self = {
    .ops = ops,
    .n_ops = n_ops,
    .state = first,
    .call_of = g_new (guint32, n_ops + 1),
    .return_of = g_new (guint32, n_ops + 1),
    .rank_of = g_new0 (guint32, n_ops + 1),
    .lane_of = g_new (guint8, n_ops + 1),
    .is_taken = g_new0 (guint8, n_ops + 1),
    .stack = g_new (Choice, n_ops + 1),
    .best = g_new (guint32, n_ops + 1),
    .max_nodes = max_nodes != 0 ? max_nodes : WGL_MAX_NODES,
    .failed = -1,
  };

  result->verdict = LINEAR_UNKNOWN;
  result->failed = -1;
  result->state = first;
  if (n_ops == 0) {
    result->verdict = LINEAR_OK;
  } else if (n_ops < NONE / 2 && deal_lanes (&self)) {
    memset (self.return_of, 0xff, n_ops * sizeof *self.return_of);
    self.n_words = self.n_lanes + 3;
    build_list (&self);
    result->verdict = search (&self);
  }
  result->n_nodes = (guint)self.n_seen;
  switch (result->verdict) {
  case LINEAR_OK:
    for (gsize i = 0; i < self.depth; i++)
      self.best[i] = self.stack[i].op;
    result->n_order = self.depth;
    result->state = self.state;
    break;
  case LINEAR_VIOLATED:
    result->n_order = self.n_best;
    result->failed = self.failed;
    result->state = self.best_state;
    break;
  case LINEAR_UNKNOWN:
    break;
  }
  result->order = g_steal_pointer (&self.best);
  clear (&self);
  return result;
}

void
wgl_result_free (WglResult *result) {
  g_free (result->order);
  g_free (result);
}
