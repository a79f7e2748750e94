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
 *             A bucket that goes along as a whole and has no hole is copied as a
 *             whole. Most do: whoever has the elements' states in the order of
 *             memory says beforehand which of them there is any doubt about
 *             (GoDoubts), and only those are asked. To ask each where its bucket
 *             comes is a miss per element: of the copy of a million it was
 *             5.6 ms of 14.7, and what was done slot by slot most of the rest.
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

/* Buckets between the one that is fetched, or its elements, and the one being copied.
 * Measured: for elements 4 to 16 are alike. */
#define FETCH_ELEMS_AHEAD 8
#define FETCH_BUCKETS_AHEAD 24

/* Where the next kept element goes. */
typedef struct {
  GoBucket *bucket;
  uint32_t  index;
  unsigned  slot;
} Tail;

typedef struct {
  GoMap          *map;
  const GoMap    *source;
  const GoDoubts *doubts;
  bool          (*keep) (uint64_t elem, void *data);
  void           *data;
} Packing;

/* Makes room behind what @to has. */
static void
extend (GoMap *map,
        Tail  *to,
        bool  *is_recounted) {
  to->index = gomap_link_overflow (map, to->index, is_recounted);
  to->bucket = goarray_at (map->buckets, to->index);
  to->slot = 0;
}

static void
append (GoMap          *map,
        const GoBucket *from,
        unsigned        slot,
        Tail           *to,
        bool           *is_recounted) {
  if (to->slot == BUCKET_SLOTS)
    extend (map, to, is_recounted);
  gobucket_copy_slot (to->bucket, to->slot++, from, slot);
  map->count++;
}

/* The same for all of @live at once, which are not none. false: they would not lie
 * as they do; nothing done. */
static inline bool
append_bucket (GoMap          *map,
               const GoBucket *from,
               unsigned        live,
               Tail           *to,
               bool           *is_recounted) {
  unsigned n = (unsigned)__builtin_popcount (live);

  if ((live & (live + 1)) != 0 || to->slot % BUCKET_SLOTS != 0
      || tophash_match (from->tophash, TOPHASH_EMPTY_REST) != (live ^ 0xffu))
    return false;
  if (to->slot == BUCKET_SLOTS)
    extend (map, to, is_recounted);
  *to->bucket = *from;
  to->bucket->overflow = 0;
  to->slot = n;
  map->count += n;
  return true;
}

/* Those of @live whose elements have to be asked. */
static inline unsigned
in_doubt (const GoDoubts *doubts,
          const GoBucket *bucket,
          unsigned        live) {
  unsigned doubtful = 0;

  if (doubts == NULL)
    return live;
  if (doubts->words == NULL)
    return 0;
  /* All slots, live or not: a branch that goes wrong costs more. */
  for (unsigned slot = 0; slot < BUCKET_SLOTS; slot++)
    doubtful |= (unsigned)godoubts_has (doubts, bucket->elems_low[slot]) << slot;
  return doubtful & live;
}

static void
copy_chain (const Packing *packing,
            uint64_t       main) {
  GoMap *map = packing->map;
  const GoMap *source = packing->source;
  Tail to = { goarray_at (map->buckets, main), (uint32_t)main, 0 };
  uint32_t index = (uint32_t)main;

  for (;;) {
    const GoBucket *from = goarray_at (source->buckets, index);
    unsigned live = tophash_live (from->tophash);
    unsigned asked = in_doubt (packing->doubts, from, live);
    unsigned kept = live & ~asked;
    bool is_recounted = false;

    for (; asked != 0; asked &= asked - 1) {
      unsigned slot = (unsigned)__builtin_ctz (asked);

      kept |= (unsigned)packing->keep (gobucket_elem (from, slot), packing->data)
              << slot;
    }
    if (kept != live || kept == 0
        || !append_bucket (map, from, kept, &to, &is_recounted))
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

/* Asks for what the copy will wait for. If the elements are asked, that is their
 * memory, which lies all over: without it each is a miss of its own. If not, the
 * source itself: the processor does so too, but late (0.5 ms of a million's 8.8). */
static inline void
fetch_ahead (const Packing *packing,
             uint64_t       main) {
  const GoArray *source = packing->source->buckets;
  const GoBucket *bucket;

  if (packing->doubts != NULL) {
    if (main + FETCH_BUCKETS_AHEAD < source->n_main) {
      bucket = &source->block[main + FETCH_BUCKETS_AHEAD];
      __builtin_prefetch (bucket->keys);
      __builtin_prefetch (bucket->tophash);
    }
  } else if (main + FETCH_ELEMS_AHEAD < source->n_main) {
    bucket = &source->block[main + FETCH_ELEMS_AHEAD];
    for (unsigned slot = 0; slot < BUCKET_SLOTS; slot++)
      __builtin_prefetch (
        (const void *)(uintptr_t)gobucket_elem (bucket, slot), 0, 1);
  }
}

bool
gomap_copy_packed (GoMap          *map,
                   const GoMap    *source,
                   const GoDoubts *doubts,
                   bool          (*keep) (uint64_t elem, void *data),
                   void           *data) {
  const Packing packing = { map, source, doubts, keep, data };

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
    fetch_ahead (&packing, main);
    copy_chain (&packing, main);
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
