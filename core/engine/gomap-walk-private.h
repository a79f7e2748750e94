/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-walk-private.h — the walk of a settled table, a batch at a time
 *
 * The design is told in gomap-walk.c.
 */
#pragma once

#include "core/engine/gomap-private.h"

typedef struct {
  const GoArray  *array;
  const GoBucket *block;
  const GoBucket *bucket; /* taken next; NULL: the first of chain main */
  uint64_t        mask;
  uint64_t        main;   /* modulo the number of chains */
  uint64_t        n_left; /* chains to begin */
  unsigned        offset;
} GoWalk;

/* A batch is full from GOMAP_BATCH pairs on; one bucket more may be in it. A Range
 * of 1024 entries has 48 KiB of its own in the first cache, and what a batch takes
 * there is missed. Measured, ns an entry: 32 pairs 1.27, 64 1.16, 128 1.27, 256
 * 1.36. */
#define GOMAP_BATCH 64u
typedef struct {
  int64_t  keys[GOMAP_BATCH + BUCKET_SLOTS];
  uint64_t elems[GOMAP_BATCH + BUCKET_SLOTS];
} GoBatch;

static inline bool
gomap_is_settled (const GoMap *map) {
  return map->oldbuckets == NULL;
}

/* @map: settled, and not written to before the walk's end. @random: as in
 * gomap_iter_begin(). */
void     gomap_walk_begin         (GoWalk      *walk,
                                   const GoMap *map,
                                   uint64_t     random);
/* Whole buckets until there are @n_wanted pairs, which is GOMAP_BATCH at the
 * most; returns how many there are. Fewer: these are the last. */
unsigned gomap_walk_take          (GoWalk      *walk,
                                   unsigned     n_wanted,
                                   GoBatch     *batch);
/* The same on any machine; for tests. */
unsigned gomap_walk_take_portably (GoWalk      *walk,
                                   unsigned     n_wanted,
                                   GoBatch     *batch);
