/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-find-private.h — the look-up, in line
 *
 * Most look-ups end in the first bucket of a chain of a table that is not growing:
 * they find their key where the first equal tophash is, or an emptyRest that says
 * that nothing follows. That much is here, so that an engine's fast way is one
 * straight piece of code; whatever else there may be (a growth, a second slot of
 * the same tophash, an overflow bucket) is gomap_find_further()'s.
 */
#pragma once

#include "core/engine/gomap-private.h"

/* The element; GOMAP_ABSENT: none. @hash: of @key, under the map's seed. */
static inline uint64_t
gomap_find_hashed (const GoMap *map,
                   int64_t      key,
                   uint64_t     hash) {
  const GoArray *array = map->buckets;
  const GoBucket *bucket;
  unsigned slot;

  if (map->count == 0)
    return GOMAP_ABSENT;
  if (__builtin_expect (map->oldbuckets != NULL, 0))
    return gomap_find_further (map, key, hash);

  bucket = &array->block[hash & (array->n_main - 1)];
  slot = gobucket_guess (bucket, hash);
  if (slot < BUCKET_SLOTS) {
    if (__builtin_expect (bucket->keys[slot] == key, 1))
      return gobucket_elem (bucket, slot);
  } else if (tophash_match (bucket->tophash, TOPHASH_EMPTY_REST) != 0) {
    return GOMAP_ABSENT;
  }
  return gomap_find_further (map, key, hash);
}

static inline uint64_t
gomap_find (const GoMap *map,
            int64_t      key) {
  if (map->count == 0)
    return GOMAP_ABSENT;
  return gomap_find_hashed (map, key, gomap_hash (map, key));
}
