/* SPDX-License-Identifier: GPL-3.0-or-later */

/* linear.c — whether one key's operations can be put into an order
 *
 * Idea        Calls and returns come in the order of time. A configuration is
 *             one way in which things may stand: the key's state, and which of
 *             the operations under way have taken effect. A call changes none.
 *             A return keeps what can be reached, by letting operations under
 *             way take effect in any order, with the returning one among them.
 *             When nothing is left, no order explains the results: the return
 *             at which that happens ends the shortest bad prefix.
 *             Operations on different keys commute, so each key has its own.
 *
 * Reads       An operation whose result says that it changed nothing (a Load, a
 *             failed compare, a Delete of nothing …) takes effect as soon as the
 *             state fits it: whatever could follow without it can follow with
 *             it. So reads, and the long ones of a Range above all, never
 *             multiply configurations; only writes at once do.
 *
 * Threads     know the order of their own operations better than any clock: one
 *             may have to wait for others that are still under way by the times.
 *
 * No return   An operation that never returned may have taken effect or not. It
 *             stays under way for good, and fits any result.
 *
 * Unknown     LINEAR_ANY stands for every state at once. What an operation saw
 *             fixes it; a failed compare leaves it, although it says what the
 *             value is not. So it may accept too much, never too little. A read
 *             is not taken early there: it would choose the state.
 *
 * Speed       One thing under way and one configuration is nearly all there is
 *             in a history whose keys are many: that return touches no memory
 *             but its own. Arrays are kept between returns and keys; a few
 *             configurations are compared one by one, many through a table of
 *             indices that grows with them.
 *
 * Invariants  L1  configs are distinct
 *             L2  a configuration's done is a subset of pending
 *             L3  verdict is OK while configs is not empty, and changes once
 *             L4  reads, waiting and every after are subsets of pending
 * Source      G. Lowe, Testing for linearizability, 2017 (just in time).
 */
#include "core/check/linear.h"

#include <string.h>

/* Up to so many are compared one by one. Measured: more is slower. */
#define FEW_CONFIGS 12
#define FIRST_SLOTS 64

typedef struct {
  LinearState state;
  uint64_t    done; /* places that took effect */
} Config;

typedef struct {
  Config *at;
  guint   n;
  guint   room;
} Configs;

struct _Linear {
  LinearOp      ops[LINEAR_MAX_PENDING];
  uint64_t      pending; /* places in use */
  uint64_t      reads;   /* of pending, those that change nothing */
  uint64_t      waiting; /* of pending, those whose after is not empty */
  uint64_t      after[LINEAR_MAX_PENDING]; /* of those in waiting */
  Configs       configs;
  Configs       reached; /* while a return is worked out */
  guint32      *slots;   /* index in reached + 1, by hash; 0 = free */
  guint         n_slots; /* in use: a power of two */
  guint         slots_room;
  LinearVerdict verdict;
};

Linear *
linear_new (LinearPresence presence,
            uint64_t       value) {
  Linear *self = g_new0 (Linear, 1);

  linear_reset (self, presence, value);
  return self;
}

void
linear_free (Linear *self) {
  g_free (self->configs.at);
  g_free (self->reached.at);
  g_free (self->slots);
  g_free (self);
}

static void
append (Configs      *configs,
        const Config *config) {
  if (G_UNLIKELY (configs->n == configs->room)) {
    configs->room = MAX (16, 2 * configs->room);
    configs->at = g_renew (Config, configs->at, configs->room);
  }
  configs->at[configs->n++] = *config;
}

void
linear_reset (Linear        *self,
              LinearPresence presence,
              uint64_t       value) {
  Config first = { .state = { presence == LINEAR_PRESENT ? value : 0,
                              presence } };

  self->pending = 0;
  self->reads = 0;
  self->waiting = 0;
  self->verdict = LINEAR_OK;
  self->configs.n = 0;
  append (&self->configs, &first);
}

/* What operations do ------------------------------------------------------- */

static void
set_present (LinearState *state,
             uint64_t     value) {
  state->presence = LINEAR_PRESENT;
  state->value = value;
}

static void
set_absent (LinearState *state) {
  state->presence = LINEAR_ABSENT;
  state->value = 0;
}

/* Whether @op can have seen @state; what was unknown becomes what it saw. */
static bool
saw (const LinearOp *op,
     LinearState    *state) {
  if (!op->has_result)
    return true;
  if (state->presence == LINEAR_ANY) {
    if (op->is_ok)
      set_present (state, op->result);
    else
      set_absent (state);
    return true;
  }
  if (!op->is_ok)
    return state->presence == LINEAR_ABSENT;
  return state->presence == LINEAR_PRESENT && state->value == op->result;
}

/* A compare-and-… takes effect; false when its result says otherwise. */
static bool
compare (const LinearOp *op,
         LinearState    *state) {
  bool matches = state->presence == LINEAR_PRESENT && state->value == op->old;

  if (state->presence == LINEAR_ANY) {
    if (!op->has_result || !op->is_ok)
      return true;
    matches = true;
  }
  if (op->has_result && op->is_ok != matches)
    return false;
  if (!matches)
    return true;
  if (op->kind == OP_COMPARE_AND_SWAP)
    set_present (state, op->value);
  else
    set_absent (state);
  return true;
}

bool
linear_apply (const LinearOp *op,
              LinearState    *state) {
  switch (op->kind) {
  case OP_LOAD:
    return saw (op, state);
  case OP_STORE:
    set_present (state, op->value);
    return true;
  case OP_LOAD_OR_STORE:
    if (op->has_result && !op->is_ok && op->result != op->value)
      return false;
    if (!saw (op, state))
      return false;
    if (state->presence == LINEAR_ABSENT)
      set_present (state, op->value);
    return true;
  case OP_LOAD_AND_DELETE:
    if (!saw (op, state))
      return false;
    set_absent (state);
    return true;
  case OP_DELETE:
    if (op->has_result && state->presence != LINEAR_ANY
        && op->is_ok != (state->presence == LINEAR_PRESENT))
      return false;
    set_absent (state);
    return true;
  case OP_SWAP:
    if (!saw (op, state))
      return false;
    set_present (state, op->value);
    return true;
  case OP_COMPARE_AND_SWAP:
  case OP_COMPARE_AND_DELETE:
    return compare (op, state);
  case OP_RANGE:
  case OP_CLEAR:
  case OP_LEN:
  case OP_N_KINDS:
    break;
  }
  g_assert_not_reached ();
}

bool
linear_is_read (const LinearOp *op) {
  switch (op->kind) {
  case OP_LOAD:
    return true;
  case OP_LOAD_OR_STORE:
    return op->has_result && op->is_ok;
  case OP_LOAD_AND_DELETE:
  case OP_DELETE:
  case OP_COMPARE_AND_SWAP:
  case OP_COMPARE_AND_DELETE:
    return op->has_result && !op->is_ok;
  case OP_STORE:
  case OP_SWAP:
    return false;
  case OP_RANGE:
  case OP_CLEAR:
  case OP_LEN:
  case OP_N_KINDS:
    break;
  }
  g_assert_not_reached ();
}

/* Calls and returns -------------------------------------------------------- */

int
linear_call (Linear         *self,
             const LinearOp *op) {
  return linear_call_after (self, op, 0);
}

int
linear_call_after (Linear         *self,
                   const LinearOp *op,
                   uint64_t        after) {
  uint64_t bit;
  int place;

  if (self->verdict != LINEAR_OK)
    return -1;
  if (self->pending == UINT64_MAX) {
    self->verdict = LINEAR_UNKNOWN;
    return -1;
  }
  place = __builtin_ctzll (~self->pending);
  bit = UINT64_C (1) << place;
  self->ops[place] = *op;
  self->pending |= bit;
  if (linear_is_read (op))
    self->reads |= bit;
  if (after != 0) {
    self->waiting |= bit;
    self->after[place] = after;
  }
  return place;
}

static inline guint
config_hash (const Config *config) {
  uint64_t mixed = (config->state.value ^ (config->done * 0x9e3779b97f4a7c15u)
                    ^ config->state.presence)
                   * 0xff51afd7ed558ccdu;

  return (guint)(mixed >> 32);
}

static inline bool
config_equal (const Config *a,
              const Config *b) {
  return a->state.value == b->state.value && a->done == b->done
         && a->state.presence == b->state.presence;
}

/* The slot of @config in the table, or the free one where it would be. */
static guint32 *
find_slot (Linear       *self,
           const Config *config) {
  guint i = config_hash (config) & (self->n_slots - 1);

  while (self->slots[i] != 0
         && !config_equal (&self->reached.at[self->slots[i] - 1], config))
    i = (i + 1) & (self->n_slots - 1);
  return &self->slots[i];
}

/* An empty table of @n_slots, then all that is reached. */
static void
rebuild_slots (Linear *self,
               guint   n_slots) {
  if (n_slots > self->slots_room) {
    g_free (self->slots);
    self->slots = g_new (guint32, n_slots);
    self->slots_room = n_slots;
  }
  self->n_slots = n_slots;
  memset (self->slots, 0, n_slots * sizeof *self->slots);
  for (guint i = 0; i < self->reached.n; i++)
    *find_slot (self, &self->reached.at[i]) = i + 1;
}

/* Appends @config to reached unless it is there; false past the cap. */
static bool
reach (Linear       *self,
       const Config *config) {
  Configs *reached = &self->reached;
  guint32 *slot;

  if (reached->n < FEW_CONFIGS) {
    for (guint i = 0; i < reached->n; i++)
      if (config_equal (&reached->at[i], config))
        return true;
    append (reached, config);
    return true;
  }
  if (reached->n == FEW_CONFIGS)
    rebuild_slots (self, FIRST_SLOTS);
  else if (2 * reached->n >= self->n_slots)
    rebuild_slots (self, 2 * self->n_slots);
  slot = find_slot (self, config);
  if (*slot != 0)
    return true;
  if (reached->n >= LINEAR_MAX_CONFIGS)
    return false;
  append (reached, config);
  *slot = reached->n;
  return true;
}

/* Whether the operation at @place need not wait for any that is not in @done. */
static inline bool
may_be_next (const Linear *self,
             int           place,
             uint64_t      done) {
  return !(self->waiting >> place & 1) || (self->after[place] & ~done) == 0;
}

/* The reads that fit take effect. */
static inline void
take_reads (const Linear *self,
            Config       *config) {
  uint64_t before, left;

  if (config->state.presence == LINEAR_ANY)
    return;
  do {
    before = config->done;
    for (left = self->reads & ~before; left != 0; left &= left - 1) {
      int place = __builtin_ctzll (left);
      LinearState state = config->state;

      if (may_be_next (self, place, config->done)
          && linear_apply (&self->ops[place], &state))
        config->done |= left & -left;
    }
  } while (self->waiting != 0 && config->done != before);
}

/* Everything reachable from configs; those in which @bit is done go no
 * further, for what comes after the return can wait for its own. */
static bool
close_over (Linear   *self,
            uint64_t  bit) {
  Configs *reached = &self->reached;

  reached->n = 0;
  for (guint i = 0; i < self->configs.n; i++) {
    Config from = self->configs.at[i];

    take_reads (self, &from);
    if (!reach (self, &from))
      return false;
  }
  for (guint i = 0; i < reached->n; i++) {
    Config from = reached->at[i];
    uint64_t left = from.done & bit ? 0 : self->pending & ~from.done;

    for (; left != 0; left &= left - 1) {
      int place = __builtin_ctzll (left);
      Config to = from;

      if (!may_be_next (self, place, from.done)
          || !linear_apply (&self->ops[place], &to.state))
        continue;
      to.done |= left & -left;
      take_reads (self, &to);
      if (!reach (self, &to))
        return false;
    }
  }
  return true;
}

/* The operation at @bit is under way no more. */
static void
forget (Linear   *self,
        uint64_t  bit) {
  self->pending &= ~bit;
  self->reads &= ~bit;
  self->waiting &= ~bit;
  for (uint64_t left = self->waiting; left != 0; left &= left - 1) {
    int place = __builtin_ctzll (left);

    self->after[place] &= ~bit;
    if (self->after[place] == 0)
      self->waiting &= ~(left & -left);
  }
}

LinearVerdict
linear_return (Linear *self,
               int     place) {
  Configs *configs = &self->configs;
  uint64_t bit;

  if (self->verdict != LINEAR_OK || place < 0)
    return self->verdict;
  bit = UINT64_C (1) << place;
  g_return_val_if_fail ((self->pending & bit) != 0, self->verdict);

  if (configs->n == 1 && self->pending == bit) {
    Config *only = &configs->at[0];

    self->pending = 0;
    self->reads = 0;
    if ((only->done & bit) == 0
        && !linear_apply (&self->ops[place], &only->state)) {
      configs->n = 0;
      self->verdict = LINEAR_VIOLATED;
    }
    only->done = 0;
    return self->verdict;
  }

  if (!close_over (self, bit))
    return self->verdict = LINEAR_UNKNOWN;
  configs->n = 0;
  for (guint i = 0; i < self->reached.n; i++) {
    Config config = self->reached.at[i];

    if ((config.done & bit) == 0)
      continue;
    config.done &= ~bit;
    append (configs, &config);
  }
  forget (self, bit);
  if (configs->n == 0)
    self->verdict = LINEAR_VIOLATED;
  return self->verdict;
}

LinearVerdict
linear_verdict (const Linear *self) {
  return self->verdict;
}

bool
linear_is_absent (const Linear *self) {
  if (self->verdict != LINEAR_OK || self->configs.n > FEW_CONFIGS)
    return false;
  for (guint i = 0; i < self->configs.n; i++)
    if (self->configs.at[i].state.presence != LINEAR_ABSENT)
      return false;
  return true;
}

bool
linear_is_settled (const Linear *self,
                   LinearState  *state) {
  if (self->verdict != LINEAR_OK || self->pending != 0 || self->configs.n != 1)
    return false;
  *state = self->configs.at[0].state;
  return true;
}

guint
linear_n_configs (const Linear *self) {
  return self->configs.n;
}
