/* SPDX-License-Identifier: GPL-3.0-or-later */

/* hash.h — the hashes a map can be told to use
 *
 * Go's maps take the bucket from the low bits and the tophash from the top
 * byte. One good seeded hash is for real runs; the others are for teaching and
 * for tests: each breaks one of those two in a way that can be seen.
 */
#pragma once

#include <stdint.h>

typedef enum {
  HASH_GOOD,      /* every bit depends on every bit of key and seed */
  HASH_IDENTITY,  /* the key itself; the tophash is 0 for small keys */
  HASH_ALL_EQUAL, /* one constant: one chain, one tophash */
  HASH_TOP_BITS,  /* only the top byte varies: bucket 0, distinct tophashes */
  HASH_FUNCTION,  /* a function given by the caller (tests) */
} HashKind;
#define HASH_N_KINDS 5

typedef uint64_t (*HashFunction) (int64_t  key,
                                  uint64_t seed,
                                  void    *data);

typedef struct {
  HashKind     kind;
  HashFunction function; /* HASH_FUNCTION only */
  void        *data;     /* handed to function */
} Hash;

/* Strong mixing of 64 bits under a seed: two multiplications folded high and
 * low, in the manner of W. Yi's wyhash (2019). The seed's part is the same for all
 * keys of a table: who hashes many does it once. The order of the exclusive ors is
 * the one that compilers do without a register more. */
static inline uint64_t
hash_good_factor (uint64_t seed) {
  return seed ^ 0xe7037ed1a0b428dbu;
}

static inline uint64_t
hash_good_by (int64_t  key,
              uint64_t factor) {
  unsigned __int128 product;
  uint64_t low, high;

  product = (unsigned __int128)((uint64_t)key ^ 0x9e3779b97f4a7c15u) * factor;
  low = (uint64_t)product;
  high = (uint64_t)(product >> 64);
  low ^= (uint64_t)key;
  product = (unsigned __int128)(low ^ high) * 0xa0761d6478bd642fu;
  low = (uint64_t)product;
  high = (uint64_t)(product >> 64);
  return low ^ high;
}

static inline uint64_t
hash_good (int64_t  key,
           uint64_t seed) {
  return hash_good_by (key, hash_good_factor (seed));
}

uint64_t hash_slow (const Hash *hash,
                    int64_t     key,
                    uint64_t    seed);

/* The hash of @key under @seed. */
static inline uint64_t
hash_key (const Hash *hash,
          int64_t     key,
          uint64_t    seed) {
  if (__builtin_expect (hash->kind == HASH_GOOD, 1))
    return hash_good (key, seed);
  return hash_slow (hash, key, seed);
}

/* The stable name used in scenarios ("good", "identity", "all-equal",
 * "top-bits"); NULL for HASH_FUNCTION. */
const char *hash_kind_name (HashKind kind);
