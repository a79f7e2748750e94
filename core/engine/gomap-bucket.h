/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-bucket.h — one bucket: eight slots on two cache lines
 *
 * Layout      byte   0 …  63   keys x 8
 *                   64 …  95   the low 32 bits of the elements
 *                   96 … 111   the high 16
 *                  112 … 119   tophash x 8
 *                  120 … 123   overflow, the index of the next bucket
 *
 *             Once the tophashes have come the element is at hand, so the miss
 *             of the entry that it points to starts together with that of the
 *             keys; the comparison of the key only confirms what was guessed. A
 *             key that is absent, and the way along a chain, cost one line
 *             alone. In Go's order, keys before elements, the element is the
 *             third miss in a row. Measured on tables beyond the caches: 5 to
 *             15 % of a Load; four slots to a line, with all that is theirs, lost
 *             more to the arithmetic than it won. What is shown and told is Go's
 *             bucket: slots 0 to 7 and a next one.
 *
 * Elements    An element is a value or an entry's address. The low 48 bits are
 *             kept and read back with zeros above; so a value, which has
 *             ENGINE_VALUE_BITS, gets its sign from gomap_elem_value(), and an
 *             entry whose address needs more bits is refused where entries get
 *             their memory (syncmap-pool.c).
 *
 * Invariants  K1  a bucket starts on a cache line and is two of them
 *             K2  an element that was read has no bit above the low 48
 *             K3  unused is 0, and with tophash and overflow it is the 16 bytes
 *                 that gobucket_guess() compares at once
 *
 * Source      Go 1.23 runtime/map.go: bmap; the order and widths are our own.
 */
#pragma once

#include "core/engine/engine.h"

#include <stddef.h>

#define GOMAP_ELEM_BITS 48
#define GOMAP_ELEM_MASK (((uint64_t)1 << GOMAP_ELEM_BITS) - 1)
#define GOMAP_ABSENT UINT64_MAX /* no element at all */
_Static_assert (ENGINE_VALUE_BITS <= GOMAP_ELEM_BITS, "an element holds a value");

typedef struct {
  _Alignas (64) int64_t keys[BUCKET_SLOTS];
  uint32_t elems_low[BUCKET_SLOTS];
  uint16_t elems_high[BUCKET_SLOTS];
  uint8_t  tophash[BUCKET_SLOTS];
  uint32_t overflow; /* index of the next bucket; 0 = none */
  uint32_t unused;   /* 0 (K3) */
} GoBucket;
_Static_assert (offsetof (GoBucket, elems_low) == 64, "keys have a line");
_Static_assert (offsetof (GoBucket, tophash) % 16 == 0
                  && offsetof (GoBucket, unused) == offsetof (GoBucket, tophash) + 12,
                "K3");
_Static_assert (sizeof (GoBucket) == BUCKET_BYTES, "as it is told and shown");

static inline uint64_t
gobucket_elem (const GoBucket *bucket,
               unsigned        slot) {
  return bucket->elems_low[slot] | (uint64_t)bucket->elems_high[slot] << 32;
}

static inline void
gobucket_set_elem (GoBucket *bucket,
                   unsigned  slot,
                   uint64_t  elem) {
  bucket->elems_low[slot] = (uint32_t)elem;
  bucket->elems_high[slot] = (uint16_t)(elem >> 32);
}

static inline void
gobucket_set (GoBucket *bucket,
              unsigned  slot,
              uint8_t   tophash,
              int64_t   key,
              uint64_t  elem) {
  bucket->tophash[slot] = tophash;
  bucket->keys[slot] = key;
  gobucket_set_elem (bucket, slot, elem);
}

static inline void
gobucket_copy_slot (GoBucket       *to,
                    unsigned        to_slot,
                    const GoBucket *from,
                    unsigned        slot) {
  to->tophash[to_slot] = from->tophash[slot];
  to->keys[to_slot] = from->keys[slot];
  to->elems_low[to_slot] = from->elems_low[slot];
  to->elems_high[to_slot] = from->elems_high[slot];
}

/* Asks for both lines of the @index-th bucket at address @block, to write there. */
static inline void
gobucket_fetch (uint64_t block,
                uint64_t index) {
  const GoBucket *bucket = (const GoBucket *)(uintptr_t)block + index;

  __builtin_prefetch (bucket->tophash, 1);
  __builtin_prefetch (bucket->keys, 1);
}

/* The value that @elem is. */
static inline int64_t
gomap_elem_value (uint64_t elem) {
  return (int64_t)(elem << (64 - GOMAP_ELEM_BITS)) >> (64 - GOMAP_ELEM_BITS);
}
