/* SPDX-License-Identifier: GPL-3.0-or-later */

/* hash.c — the hashes that are not for speed
 *
 * Each teaching hash breaks one of the two uses a Go map makes of a hash: the
 * low bits choose the bucket, the top byte is the tophash (whose values below
 * TOPHASH_MIN are codes, so Go adds 5 to them).
 *
 *   kind        low bits     top byte
 *   identity    the key's    the key's: 0, hence tophash 5, for small keys
 *   all-equal   0            one value
 *   top-bits    0            5 to 255: distinct among 251 keys in a row
 *
 * None of these depends on the seed, so that a lesson looks the same each time.
 */
#include "core/base/hash.h"

#include <assert.h>
#include <stddef.h>

/* Free choice: a tophash that is no code and no small number. */
#define ALL_EQUAL_HASH ((uint64_t)0x2a << 56)

uint64_t
hash_slow (const Hash *hash,
           int64_t     key,
           uint64_t    seed) {
  switch (hash->kind) {
  case HASH_GOOD:
    return hash_good (key, seed);
  case HASH_IDENTITY:
    return (uint64_t)key;
  case HASH_ALL_EQUAL:
    return ALL_EQUAL_HASH;
  case HASH_TOP_BITS:
    return ((uint64_t)key % 251 + 5) << 56;
  case HASH_FUNCTION:
    return hash->function (key, seed, hash->data);
  }
  assert (!"a hash kind");
  return 0;
}

const char *
hash_kind_name (HashKind kind) {
  switch (kind) {
  case HASH_GOOD:
    return "good";
  case HASH_IDENTITY:
    return "identity";
  case HASH_ALL_EQUAL:
    return "all-equal";
  case HASH_TOP_BITS:
    return "top-bits";
  case HASH_FUNCTION:
    return NULL;
  }
  return NULL;
}
