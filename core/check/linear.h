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

/* One operation with its result. */
typedef struct {
  uint64_t value;       /* what it stores; the new value of a swap */
  uint64_t old;         /* what a compare-and-… was given */
  uint64_t result;      /* the value it gave back, when is_ok */
  OpKind   kind;        /* one of a single key, not Range, Clear or Len */
  bool     is_ok;       /* loaded, swapped, deleted: its second result */
  bool     has_result;  /* false: it never returned, or returns nothing */
} LinearOp;

typedef struct _Linear Linear;

Linear *linear_new  (LinearPresence presence,
                     uint64_t       value);
void    linear_free (Linear        *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Linear, linear_free)

/**
 * linear_call:
 * @op: copied
 *
 * Returns: the operation's place, for linear_return(); -1 when
 *   LINEAR_MAX_PENDING are under way, and the verdict is unknown from then on
 */
int           linear_call    (Linear         *self,
                              const LinearOp *op);
/* The operation at @place is over. The verdict stays once it is not OK.
 *
 * Cost: exponential, at worst, in the operations under way; LINEAR_MAX_CONFIGS
 * bounds it. */
LinearVerdict linear_return  (Linear         *self,
                              int             place);
LinearVerdict linear_verdict (const Linear   *self);
