/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-copy.c — a table packed into another of the same shape; slot by slot; and
 * as text
 *
 * Copy        With B, hash and seed alike, a key's chain and tophash in the copy
 *             are what they are in the source: nothing is hashed and nothing is
 *             compared. Chain by chain the kept elements are appended, densely,
 *             as evacuation does. A chain of c buckets needs at most c buckets,
 *             so the source's overflow count is room enough and is taken first:
 *             past that point the copy cannot fail.
 *
 * Departure   Go inserts the entries one by one, in the order of a random walk.
 *             Here a chain keeps the source's order: the same B, and the same
 *             keys per chain, sooner.
 *
 * Dump        Header, buckets, oldbuckets; chain by chain, main bucket first.
 *             A bucket with eight zero tophash bytes and no next one is left out.
 *
 * Source      Go 1.23 sync/map.go, dirtyLocked (what is copied).
 */

#include "core/engine/gomap-private.h"

/* Buckets between the one whose elements are fetched and the one being copied.
 * Measured: 4 to 16 are alike. */
#define FETCH_AHEAD 8

/* Where the next kept element goes. */
typedef struct {
  GoBucket *bucket;
  uint32_t  index;
  unsigned  slot;
} Tail;

static void
append (GoMap          *map,
        const GoBucket *from,
        unsigned        slot,
        Tail           *to,
        bool           *is_recounted) {
  if (to->slot == BUCKET_SLOTS) {
    to->index = gomap_link_overflow (map, to->index, is_recounted);
    to->bucket = goarray_at (map->buckets, to->index);
    to->slot = 0;
  }
  gobucket_copy_slot (to->bucket, to->slot++, from, slot);
  map->count++;
}

static void
copy_chain (GoMap       *map,
            const GoMap *source,
            uint64_t     main,
            bool       (*keep) (uint64_t elem, void *data),
            void        *data) {
  Tail to = { goarray_at (map->buckets, main), (uint32_t)main, 0 };
  uint32_t index = (uint32_t)main;

  for (;;) {
    const GoBucket *from = goarray_at (source->buckets, index);
    unsigned live = tophash_live (from->tophash);
    unsigned kept = 0;
    bool is_recounted = false;

    for (unsigned left = live; left != 0; left &= left - 1) {
      unsigned slot = (unsigned)__builtin_ctz (left);

      kept |= (unsigned)keep (gobucket_elem (from, slot), data) << slot;
    }
    for (unsigned left = kept; left != 0; left &= left - 1)
      append (map, from, (unsigned)__builtin_ctz (left), &to, &is_recounted);
    if (live != 0)
      probe_event_more (EVENT_BUCKET_COPIED, index, gomap_next_version (map),
                        (uint8_t)kept, map->config.id, main, source->config.id);
    if (is_recounted)
      gomap_tell_overflow (map);
    if (from->overflow == 0)
      return;
    index = from->overflow;
  }
}

/* Asks for the memory of the bucket's elements, which lie all over: without it
 * each is a miss of its own, and the copy mostly waits. */
static inline void
fetch_elems (const GoBucket *bucket) {
  for (unsigned slot = 0; slot < BUCKET_SLOTS; slot++)
    __builtin_prefetch ((const void *)(uintptr_t)gobucket_elem (bucket, slot), 0,
                        1);
}

bool
gomap_copy_packed (GoMap       *map,
                   const GoMap *source,
                   bool       (*keep) (uint64_t elem, void *data),
                   void        *data) {
  assert (map->count == 0 && map->oldbuckets == NULL && map->noverflow == 0);
  assert (source->oldbuckets == NULL);
  assert (map->B == source->B && map->hash0 == source->hash0);

  if (source->count == 0)
    return true;
  if (map->buckets == NULL && !gomap_allocate_first (map))
    return false;
  if (!goarray_reserve (map->buckets, source->buckets->n_buckets
                                          - source->buckets->n_main))
    return false;
  for (uint64_t main = 0; main < source->buckets->n_main; main++) {
    if (main + FETCH_AHEAD < source->buckets->n_main)
      fetch_elems (goarray_at (source->buckets, main + FETCH_AHEAD));
    copy_chain (map, source, main, keep, data);
  }
  return true;
}

void
gomap_visit (const GoMap *map,
             void       (*visit) (int64_t key, uint64_t elem, void *data),
             void        *data) {
  gomap_visit_inline (map, visit, data);
}

static void
dump_chain (const GoArray *array,
            uint64_t       main,
            DumpSink      *sink,
            void         (*dump_elem) (DumpSink *sink, unsigned slot,
                                       int64_t key, uint64_t elem)) {
  uint64_t index = main;

  for (;;) {
    const GoBucket *bucket = goarray_at (array, index);
    unsigned live = tophash_live (bucket->tophash);

    if (bucket->overflow != 0
        || tophash_match (bucket->tophash, TOPHASH_EMPTY_REST) != 0xffu)
      dump_bucket (sink, main, index, bucket->tophash);
    for (; live != 0; live &= live - 1) {
      unsigned slot = (unsigned)__builtin_ctz (live);

      dump_elem (sink, slot, bucket->keys[slot], gobucket_elem (bucket, slot));
    }
    if (bucket->overflow == 0)
      return;
    index = bucket->overflow;
  }
}

void
gomap_dump (const GoMap *map,
            const char  *role,
            DumpSink    *sink,
            void       (*dump_elem) (DumpSink *sink, unsigned slot,
                                     int64_t key, uint64_t elem)) {
  const GoArray *arrays[2] = { map->buckets, map->oldbuckets };
  const char *names[2] = { "buckets", "oldbuckets" };

  dump_table (sink, role, map->B, (uint64_t)map->count,
              map->flags & ~GOMAP_FLAG_HASH_WRITING, map->noverflow,
              map->nevacuate, map->hash0);
  for (unsigned i = 0; i < 2; i++) {
    uint64_t n_main = arrays[i] == NULL ? 0 : arrays[i]->n_main;

    dump_array (sink, names[i], n_main);
    for (uint64_t main = 0; main < n_main; main++)
      dump_chain (arrays[i], main, sink, dump_elem);
  }
}
