/* SPDX-License-Identifier: GPL-3.0-or-later */

/* linear.h — whether one key's operations can be put into an order */
#pragma once

#include "core/probe/event.h"

#include <glib.h>
#include <stdbool.h>

#define LINEAR_MAX_PENDING 64
#define LINEAR_MAX_CONFIGS 65536

typedef enum {
  LINEAR_OK,
  LINEAR_VIOLATED, /* no order explains the results */
  LINEAR_UNKNOWN,  /* too many orders, or too many at once, to say */
} LinearVerdict;

typedef enum {
  LINEAR_ABSENT,
  LINEAR_PRESENT,
  LINEAR_ANY, /* nothing is known of the key yet */
} LinearPresence;

/* What one key holds. */
typedef struct {
  uint64_t       value; /* 0 unless present, so that equal is equal */
  LinearPresence presence;
} LinearState;

/* One operation with its result. */
typedef struct {
  uint64_t value;       /* what it stores; the new value of a swap */
  uint64_t old;         /* what a compare-and-… was given */
  uint64_t result;      /* the value it gave back, when is_ok */
  OpKind   kind;        /* one of a single key, not Range, Clear or Len */
  bool     is_ok;       /* loaded, swapped, deleted: its second result */
  bool     has_result;  /* false: it never returned, or returns nothing */
} LinearOp;

/* Lets @op take effect on @state; false when its result forbids it, and then
 * @state means nothing. */
bool linear_apply   (const LinearOp *op,
                     LinearState    *state);
/* Whether @op, by its result, changed nothing wherever it took effect. */
bool linear_is_read (const LinearOp *op);

typedef struct _Linear Linear;

Linear *linear_new   (LinearPresence presence,
                      uint64_t       value);
void    linear_free  (Linear        *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Linear, linear_free)
/* As new, for another key: keeps what was allocated. */
void    linear_reset (Linear        *self,
                      LinearPresence presence,
                      uint64_t       value);

/**
 * linear_call:
 * @op: copied
 *
 * Returns: the operation's place, for linear_return(); -1 when
 *   LINEAR_MAX_PENDING are under way, and the verdict is unknown from then on
 */
int           linear_call    (Linear         *self,
                              const LinearOp *op);
/* The same, and it takes effect after those at the places that are set in
 * @after, which are under way: earlier operations of the same thread, whose ends
 * are not known exactly. */
int           linear_call_after (Linear         *self,
                                 const LinearOp *op,
                                 uint64_t        after);
/* The operation at @place is over. The verdict stays once it is not OK.
 *
 * Cost: exponential, at worst, in the operations under way that change the key;
 * LINEAR_MAX_CONFIGS bounds it. Those that change nothing cost one look each. */
LinearVerdict linear_return  (Linear         *self,
                              int             place);
LinearVerdict linear_verdict (const Linear   *self);

/* Whether, as far as is known before anything under way is over, the key is
 * absent for sure. */
bool          linear_is_absent (const Linear *self);
/* Whether nothing is under way and there is one state; then it is in @state. */
bool          linear_is_settled (const Linear *self,
                                 LinearState  *state);
/* Configurations kept: what one thinks possible. */
guint         linear_n_configs (const Linear *self);
