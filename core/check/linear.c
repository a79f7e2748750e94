/* SPDX-License-Identifier: GPL-3.0-or-later */

/* linear.c — whether one key's operations can be put into an order
 *
 * Idea        Calls and returns come in the order of time. A configuration is
 *             one way in which things may stand: the key's value, and which of
 *             the operations under way have taken effect. A call changes none.
 *             A return keeps what can be reached, by letting operations under
 *             way take effect in any order, with the returning one among them.
 *             When nothing is left, no order explains the results: the return
 *             at which that happens ends the shortest bad prefix.
 *             Operations on different keys commute, so each key has its own.
 *
 * No return   An operation that never returned may have taken effect or not. It
 *             stays under way for good, and fits any result.
 *
 * Unknown     LINEAR_ANY stands for every state at once. What an operation saw
 *             fixes it; a failed compare leaves it, although it says what the
 *             value is not. So it may accept too much, never too little.
 *
 * Invariants  L1  configs are distinct
 *             L2  a configuration's done is a subset of pending
 *             L3  verdict is OK while configs is not empty, and changes once
 * Source      G. Lowe, Testing for linearizability, 2017 (just in time).
 */
#include "core/check/linear.h"

typedef struct {
  uint64_t       value; /* 0 unless present, so that equal is equal */
  uint64_t       done;  /* places that took effect */
  LinearPresence presence;
} Config;

struct _Linear {
  LinearOp      ops[LINEAR_MAX_PENDING];
  uint64_t      pending; /* places in use */
  GArray       *configs; /* of Config */
  LinearVerdict verdict;
};

static guint
config_hash (gconstpointer data) {
  const Config *config = data;
  uint64_t mixed = (config->value ^ (config->done * 0x9e3779b97f4a7c15u)
                    ^ config->presence)
                   * 0xff51afd7ed558ccdu;

  return (guint)(mixed >> 32);
}

static gboolean
config_equal (gconstpointer a,
              gconstpointer b) {
  const Config *x = a, *y = b;

  return x->value == y->value && x->done == y->done
         && x->presence == y->presence;
}

Linear *
linear_new (LinearPresence presence,
            uint64_t       value) {
  Linear *self = g_new0 (Linear, 1);
  Config first = { .presence = presence,
                   .value = presence == LINEAR_PRESENT ? value : 0 };

  self->configs = g_array_new (FALSE, FALSE, sizeof (Config));
  g_array_append_val (self->configs, first);
  return self;
}

void
linear_free (Linear *self) {
  g_array_unref (self->configs);
  g_free (self);
}

static void
set_present (Config   *config,
             uint64_t  value) {
  config->presence = LINEAR_PRESENT;
  config->value = value;
}

static void
set_absent (Config *config) {
  config->presence = LINEAR_ABSENT;
  config->value = 0;
}

/* Whether @op can have seen @config; what was unknown becomes what it saw. */
static bool
saw (const LinearOp *op,
     Config         *config) {
  if (!op->has_result)
    return true;
  if (config->presence == LINEAR_ANY) {
    if (op->is_ok)
      set_present (config, op->result);
    else
      set_absent (config);
    return true;
  }
  if (!op->is_ok)
    return config->presence == LINEAR_ABSENT;
  return config->presence == LINEAR_PRESENT && config->value == op->result;
}

/* A compare-and-… takes effect; false when its result says otherwise. */
static bool
compare (const LinearOp *op,
         Config         *config) {
  bool matches = config->presence == LINEAR_PRESENT && config->value == op->old;

  if (config->presence == LINEAR_ANY) {
    if (!op->has_result || !op->is_ok)
      return true;
    matches = true;
  }
  if (op->has_result && op->is_ok != matches)
    return false;
  if (!matches)
    return true;
  if (op->kind == OP_COMPARE_AND_SWAP)
    set_present (config, op->value);
  else
    set_absent (config);
  return true;
}

/* Lets @op take effect; false when its result forbids it. */
static bool
apply (const LinearOp *op,
       Config         *config) {
  switch (op->kind) {
  case OP_LOAD:
    return saw (op, config);
  case OP_STORE:
    set_present (config, op->value);
    return true;
  case OP_LOAD_OR_STORE:
    if (op->has_result && !op->is_ok && op->result != op->value)
      return false;
    if (!saw (op, config))
      return false;
    if (config->presence == LINEAR_ABSENT)
      set_present (config, op->value);
    return true;
  case OP_LOAD_AND_DELETE:
    if (!saw (op, config))
      return false;
    set_absent (config);
    return true;
  case OP_DELETE:
    set_absent (config);
    return true;
  case OP_SWAP:
    if (!saw (op, config))
      return false;
    set_present (config, op->value);
    return true;
  case OP_COMPARE_AND_SWAP:
  case OP_COMPARE_AND_DELETE:
    return compare (op, config);
  case OP_RANGE:
  case OP_CLEAR:
  case OP_LEN:
  case OP_N_KINDS:
    break;
  }
  g_assert_not_reached ();
}

int
linear_call (Linear         *self,
             const LinearOp *op) {
  int place;

  if (self->verdict != LINEAR_OK)
    return -1;
  if (self->pending == UINT64_MAX) {
    self->verdict = LINEAR_UNKNOWN;
    return -1;
  }
  place = __builtin_ctzll (~self->pending);
  self->ops[place] = *op;
  self->pending |= UINT64_C (1) << place;
  return place;
}

/* Appends @config to @reached unless it is there; false past the cap. */
static bool
reach (GArray       *reached,
       GHashTable   *seen,
       const Config *config) {
  if (g_hash_table_contains (seen, config))
    return true;
  if (reached->len >= LINEAR_MAX_CONFIGS)
    return false;
  g_hash_table_add (seen, g_memdup2 (config, sizeof *config));
  g_array_append_val (reached, *config);
  return true;
}

/* Everything reachable from configs; those in which @bit is done go no
 * further, for what comes after the return can wait for its own. */
static bool
close_over (Linear     *self,
            GArray     *reached,
            GHashTable *seen,
            uint64_t    bit) {
  for (guint i = 0; i < self->configs->len; i++)
    if (!reach (reached, seen, &g_array_index (self->configs, Config, i)))
      return false;

  for (guint i = 0; i < reached->len; i++) {
    Config from = g_array_index (reached, Config, i);
    uint64_t left = from.done & bit ? 0 : self->pending & ~from.done;

    for (; left != 0; left &= left - 1) {
      Config to = from;

      if (!apply (&self->ops[__builtin_ctzll (left)], &to))
        continue;
      to.done |= left & -left;
      if (!reach (reached, seen, &to))
        return false;
    }
  }
  return true;
}

LinearVerdict
linear_return (Linear *self,
               int     place) {
  g_autoptr (GArray) reached = g_array_new (FALSE, FALSE, sizeof (Config));
  g_autoptr (GHashTable) seen
      = g_hash_table_new_full (config_hash, config_equal, g_free, NULL);
  uint64_t bit;

  if (self->verdict != LINEAR_OK || place < 0)
    return self->verdict;
  bit = UINT64_C (1) << place;
  g_return_val_if_fail ((self->pending & bit) != 0, self->verdict);

  if (!close_over (self, reached, seen, bit))
    return self->verdict = LINEAR_UNKNOWN;
  g_array_set_size (self->configs, 0);
  for (guint i = 0; i < reached->len; i++) {
    Config config = g_array_index (reached, Config, i);

    if ((config.done & bit) == 0)
      continue;
    config.done &= ~bit;
    g_array_append_val (self->configs, config);
  }
  self->pending &= ~bit;
  if (self->configs->len == 0)
    self->verdict = LINEAR_VIOLATED;
  return self->verdict;
}

LinearVerdict
linear_verdict (const Linear *self) {
  return self->verdict;
}
