/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap.c — Go's built-in map up to 1.23: find, assign, delete, clear
 *
 * Idea        An array of 2^B buckets of eight slots. A key's hash chooses the
 *             bucket with its low B bits; its top byte, the tophash, is kept
 *             beside the keys so that a look-up compares eight bytes before it
 *             compares any key. A bucket that is full gets an overflow bucket
 *             linked behind it: a chain. When the map gets too full a second
 *             array is made and the chains move over a few at a time, on the
 *             back of later writes, so that no single write pays for a growth.
 *
 * tophash     0     emptyRest       this slot and all after it in the chain,
 *                                   later overflow buckets included, are empty
 *             1     emptyOne        this slot is empty
 *             2, 3  evacuatedX, Y   moved to the low, the high half
 *             4     evacuatedEmpty  was empty when its chain moved
 *             5 …   live            the top byte of the hash, + 5 if below 5
 *             Slot 0 of a chain's main bucket says for the whole chain whether
 *             it was evacuated.
 *
 * Layout      A bucket holds eight tophash bytes, eight keys, eight elements and
 *             the index of the next bucket of its chain (gomap-bucket.h). Main
 *             buckets have the indices 0 … 2^B - 1, overflow buckets follow in
 *             the order of linking; so no link is 0, and 0 ends the chain. The
 *             buckets lie in gomap-array.c's array.
 *
 * Size        A hint gives the least B at which so many keys are no overload.
 *             At B = 0 the one bucket is made by the first assignment. Overload:
 *             more than 8 keys, and more than 6.5 a bucket.
 *
 * Look-up     While a growth runs, the key's chain is the one in oldbuckets as
 *             long as that has not moved, else the one in buckets. A search
 *             ends at emptyRest.
 *
 * Assign      First the work of a running growth (gomap-grow.c), so that the
 *             key's chain lies in buckets; then a search that remembers the
 *             first empty slot. A key that is not there may start a growth
 *             (when none runs), after which all of this is done again: when
 *             count + 1 keys are an overload, the array doubles; with about as
 *             many overflow buckets as buckets, an array of the same size is
 *             made, into which the chains move packed. Else the key takes the
 *             first empty slot of its chain; without one an overflow bucket is
 *             linked, and the key takes its slot 0.
 *
 * Delete      The slot becomes emptyOne. When what follows it is emptyRest, the
 *             run of emptyOne that ends there becomes emptyRest backwards. When
 *             the last key goes the seed is drawn anew. Deletes move chains of
 *             a running growth but start none, and nothing shrinks.
 *
 * Clear       All slots of both arrays become empty, the growth is over, B, the
 *             array and the iterator flags stay, the seed is drawn anew. A map
 *             without keys is left alone, even in the middle of a growth.
 *
 * noverflow   counts linked overflow buckets, exactly while B < 16, from there
 *             on one in 2^(B-15) at random; 0 again at growth and clear.
 *
 * Misuse      The flag hashWriting is set during a write. Go stops the program
 *             when a write, a clear or an iteration's step finds it set, or when
 *             a write finds it gone at its end. Here that is told, remembered
 *             in is_misused, and the operation that was entered is not done.
 *             A write that is one step, in which nobody can ask (a clear, or an
 *             insertion that moves and links nothing), spares the flag.
 *             Look-ups are checked by the engines, which can report it:
 *             a table that is read by many threads must not be written for it.
 *             With one user that takes a hash that calls the map. Threads that
 *             meet in a table are gomap-detector.c's, which has a bit of its own
 *             and comes here one thread at a time.
 *
 * Departures  Overflow buckets are found by index, not by pointer, and are
 *             numbered in the order of linking: an index means the same in the
 *             recording. Clear keeps the memory of overflow buckets, so it
 *             cannot fail; a bucket array that a marking iterator still walks
 *             is kept alive by a reference where Go leans on its collector; a
 *             growth sets aside the overflow buckets that its moves can need, so
 *             that only the start of a growth and an insertion can run out of
 *             memory. The element is stored inside the write. The seed has 64
 *             bits instead of 32.
 *
 * Invariants  G1 … G11, in gomap-check.c; they hold between operations.
 * Threads     See gomap.h. Every access here is one writer's, or reads a table
 *             that nobody writes to any more.
 * Source      Go 1.23 runtime/map.go: makemap, mapaccess1, mapassign, mapdelete,
 *             mapclear.
 */

#include "core/engine/gomap-private.h"

#define SPREAD_1(top)                                                         \
  0x0101010101010101u * (uint64_t)((top) < TOPHASH_MIN ? (top) + TOPHASH_MIN  \
                                                       : (top))
#define SPREAD_4(top)                                                         \
  SPREAD_1 (top), SPREAD_1 (top + 1), SPREAD_1 (top + 2), SPREAD_1 (top + 3)
#define SPREAD_16(top)                                                        \
  SPREAD_4 (top), SPREAD_4 (top + 4), SPREAD_4 (top + 8), SPREAD_4 (top + 12)
#define SPREAD_64(top)                                                        \
  SPREAD_16 (top), SPREAD_16 (top + 16), SPREAD_16 (top + 32),                \
    SPREAD_16 (top + 48)

const uint64_t tophash_spread[256] = {
  SPREAD_64 (0), SPREAD_64 (64), SPREAD_64 (128), SPREAD_64 (192),
};

/* Where a search ended. */
typedef struct {
  GoBucket *bucket; /* of the key, or of the first empty slot; NULL: full */
  uint32_t  index;  /* of bucket, or of the chain's last bucket when full */
  unsigned  slot;
} Place;

unsigned
gomap_hint_B (uint64_t hint) {
  unsigned B = 0;

  if (hint <= BUCKET_SLOTS || gomap_is_over_load (hint, GOMAP_MAX_B))
    return 0;
  while (gomap_is_over_load (hint, B))
    B++;
  return B;
}

bool
gomap_init (GoMap             *map,
            const GoMapConfig *config,
            uint64_t           hint,
            uint64_t           seed) {
  map->config = *config;
  return gomap_renew (map, hint, seed);
}

/* What the tellers below need of registers, their callers need not save: they are
 * out of line, and called last where they can be. */
#define TELLER static __attribute__ ((noinline, cold))

TELLER bool
tell_created (const GoMap *map) {
  const GoMapConfig *config = &map->config;

  probe_event_more (EVENT_TABLE_CREATED,
                    config->flags | (map->buckets == NULL ? TABLE_IS_LAZY : 0u),
                    map->created_ver, map->B, config->id, map->hash0,
                    config->domain->id | (uint64_t)config->hash->kind << 32);
  return true;
}

TELLER bool
tell_allocated (const GoMap *map,
                uint32_t     version) {
  probe_event (EVENT_TABLE_ALLOCATED, 0, version, map->B, map->config.id);
  return true;
}

bool
gomap_renew (GoMap   *map,
             uint64_t hint,
             uint64_t seed) {
  const GoMapConfig *config = &map->config;

  map->count = 0;
  map->flags = 0;
  map->B = (uint8_t)gomap_hint_B (hint);
  map->noverflow = 0;
  map->buckets = NULL;
  map->oldbuckets = NULL;
  map->nevacuate = 0;
  map->n_growths = 0;
  map->n_same_size_growths = 0;
  map->n_evacuated = 0;
  map->is_misused = false;
  if (map->B > 0) {
    map->buckets = goarray_new (map->B, 0);
    if (map->buckets == NULL)
      return false;
  }
  map->hash0 = seed != 0 ? seed : prng_next (config->prng);
  map->created_ver = gomap_next_version (map);
  return __builtin_expect (probe_current != NULL, 0) ? tell_created (map) : true;
}

void
gomap_finish (GoMap *map) {
  goarray_unref (map->buckets);
  goarray_unref (map->oldbuckets);
  map->buckets = NULL;
  map->oldbuckets = NULL;
}

bool
gomap_allocate_first (GoMap *map) {
  uint32_t version;

  map->buckets = map->B == 0 && map->config.home != NULL
                     ? goarray_at_home (map->config.home)
                     : goarray_new (map->B, 0);
  if (map->buckets == NULL)
    return false;
  version = gomap_next_version (map);
  return __builtin_expect (probe_current != NULL, 0)
             ? tell_allocated (map, version)
             : true;
}

const GoBucket *
gomap_find_slot (const GoMap *map,
                 int64_t      key,
                 uint64_t     hash,
                 unsigned    *slot) {
  const GoArray *array = map->buckets;
  const GoBucket *bucket = goarray_at (array, hash & (array->n_main - 1));

  if (map->oldbuckets != NULL) {
    const GoArray *old = map->oldbuckets;
    const GoBucket *home = goarray_at (old, hash & (old->n_main - 1));

    if (!gobucket_is_evacuated (home)) {
      array = old;
      bucket = home;
    }
  }

  uint8_t top = tophash_of (hash);

  for (; bucket != NULL; bucket = goarray_next (array, bucket)) {
    unsigned same = tophash_match (bucket->tophash, top);

    for (; same != 0; same &= same - 1) {
      *slot = (unsigned)__builtin_ctz (same);
      if (bucket->keys[*slot] == key)
        return bucket;
    }
    if (tophash_match (bucket->tophash, TOPHASH_EMPTY_REST) != 0)
      return NULL;
  }
  return NULL;
}

uint64_t
gomap_find_further (const GoMap *map,
                    int64_t      key,
                    uint64_t     hash) {
  unsigned slot;
  const GoBucket *bucket = gomap_find_slot (map, key, hash, &slot);

  return bucket == NULL ? GOMAP_ABSENT : gobucket_elem (bucket, slot);
}

/* Walks the chain of @main in buckets. true: the key is at *place; false:
 * *place is where it would go. */
static bool
search (const GoMap *map,
        uint64_t     main,
        uint8_t      top,
        int64_t      key,
        Place       *place) {
  uint32_t index = (uint32_t)main;

  place->bucket = NULL;
  for (;;) {
    GoBucket *bucket = goarray_at (map->buckets, index);
    unsigned same = tophash_match (bucket->tophash, top);
    unsigned rest = tophash_match (bucket->tophash, TOPHASH_EMPTY_REST);

    for (; same != 0; same &= same - 1) {
      unsigned slot = (unsigned)__builtin_ctz (same);

      if (bucket->keys[slot] == key) {
        *place = (Place){ bucket, index, slot };
        return true;
      }
    }
    if (place->bucket == NULL) {
      unsigned empty = tophash_empty (bucket->tophash);

      if (empty != 0)
        *place = (Place){ bucket, index, (unsigned)__builtin_ctz (empty) };
    }
    if (rest != 0 || bucket->overflow == 0)
      break;
    index = bucket->overflow;
  }
  if (place->bucket == NULL)
    place->index = index;
  return false;
}

uint32_t
gomap_link_overflow (GoMap    *map,
                     uint32_t  tail,
                     bool     *is_recounted) {
  GoArray *array = map->buckets;
  uint32_t index = (uint32_t)array->n_buckets++;

  assert (array->n_buckets <= array->n_room);
  goarray_at (array, tail)->overflow = index;
  if (map->B < 16) {
    map->noverflow++;
  } else {
    uint64_t mask = ((uint64_t)1 << (map->B - 15)) - 1;

    if ((prng_next (map->config.prng) & mask) == 0) {
      map->noverflow++;
      *is_recounted = true;
    }
  }
  return index;
}

void
gomap_tell_overflow (GoMap *map) {
  probe_event (EVENT_OVERFLOW_COUNTED, map->noverflow, gomap_next_version (map),
               0, map->config.id);
}

/* Gives a full chain, whose last bucket is @place->index, a new empty bucket.
 * false when there is no memory. */
static bool
extend_chain (GoMap *map,
              Place *place) {
  uint32_t tail = place->index;
  bool is_recounted = false;

  if (!goarray_reserve (map->buckets, 1))
    return false;
  place->index = gomap_link_overflow (map, tail, &is_recounted);
  place->bucket = goarray_at (map->buckets, place->index);
  place->slot = 0;
  probe_event (EVENT_OVERFLOW_LINKED, tail, gomap_next_version (map), 0,
               map->config.id);
  if (is_recounted)
    gomap_tell_overflow (map);
  return true;
}

static uint32_t
slot_address (const Place *place) {
  return place->index * BUCKET_SLOTS + place->slot;
}

static inline void
update_slot (GoMap       *map,
             const Place *place,
             int64_t      key,
             uint64_t     elem) {
  gobucket_set_elem (place->bucket, place->slot, elem);
  probe_event_more (EVENT_SLOT_UPDATED, slot_address (place),
                    gomap_next_version (map), 0, map->config.id, (uint64_t)key,
                    gomap_elem_id (map, elem));
}

/* Whether the next new key starts a growth, when none runs. */
static inline bool
is_full (const GoMap *map) {
  return gomap_is_over_load ((uint64_t)map->count + 1, map->B)
         || gomap_has_many_overflow (map->noverflow, map->B);
}

TELLER GoMapOutcome
tell_written (const GoMap    *map,
              const GoBucket *bucket,
              uint32_t        address,
              uint32_t        version) {
  unsigned slot = address % BUCKET_SLOTS;

  probe_event_more (EVENT_SLOT_WRITTEN, address, version, bucket->tophash[slot],
                    map->config.id, (uint64_t)bucket->keys[slot],
                    gomap_elem_id (map, gobucket_elem (bucket, slot)));
  return GOMAP_INSERTED;
}

static inline GoMapOutcome
fill_slot (GoMap       *map,
           const Place *place,
           int64_t      key,
           uint64_t     hash,
           uint64_t     elem,
           unsigned    *path) {
  uint32_t version;

  gobucket_set (place->bucket, place->slot, tophash_of (hash), key, elem);
  map->count++;
  *path |= OP_PATH_NEW_KEY;
  version = gomap_next_version (map);
  return __builtin_expect (probe_current != NULL, 0)
             ? tell_written (map, place->bucket, slot_address (place), version)
             : GOMAP_INSERTED;
}

/* The part of an assignment that hashWriting covers. */
static GoMapOutcome
assign_hashed (GoMap    *map,
               int64_t   key,
               uint64_t  hash,
               uint64_t  elem,
               bool      keep_found,
               uint64_t *found,
               unsigned *path) {
  uint8_t top = tophash_of (hash);
  Place place;

  if (map->buckets == NULL && !gomap_allocate_first (map))
    return GOMAP_NO_MEMORY;

  for (;;) {
    uint64_t main = hash & (map->buckets->n_main - 1);

    if (map->oldbuckets != NULL) {
      gomap_grow_work (map, main);
      *path |= OP_PATH_MOVED;
    }
    if (search (map, main, top, key, &place)) {
      if (found != NULL)
        *found = gobucket_elem (place.bucket, place.slot);
      if (!keep_found)
        update_slot (map, &place, key, elem);
      return GOMAP_FOUND;
    }
    if (map->oldbuckets != NULL || !is_full (map))
      break;
    if (!gomap_start_growth (map))
      return GOMAP_NO_MEMORY;
    *path |= OP_PATH_GREW;
  }

  if (place.bucket == NULL && !extend_chain (map, &place))
    return GOMAP_NO_MEMORY;
  return fill_slot (map, &place, key, hash, elem, path);
}

static void
report_misuse (GoMap      *map,
               MisuseKind  kind,
               MisusePlace place) {
  map->is_misused = true;
  map->misuse = kind;
  map->misuse_place = place;
  probe_event (EVENT_MISUSE_DETECTED, place, 0, (uint8_t)kind, map->config.id);
}

/* false: another write is under way. */
static bool
check_no_writer (GoMap *map) {
  if ((map->flags & GOMAP_FLAG_HASH_WRITING) == 0)
    return true;
  report_misuse (map, MISUSE_CONCURRENT_WRITES, MISUSE_AT_ENTRY);
  return false;
}

static void
end_write (GoMap *map) {
  if ((map->flags & GOMAP_FLAG_HASH_WRITING) == 0)
    report_misuse (map, MISUSE_CONCURRENT_WRITES, MISUSE_AT_EXIT);
  map->flags &= (uint8_t)~GOMAP_FLAG_HASH_WRITING;
}

GoMapOutcome
gomap_assign (GoMap    *map,
              int64_t   key,
              uint64_t  elem,
              bool      keep_found,
              uint64_t *found,
              unsigned *path) {
  unsigned unused = 0;

  if (!check_no_writer (map))
    return GOMAP_MISUSED;

  uint64_t hash = gomap_hash (map, key);

  map->flags ^= GOMAP_FLAG_HASH_WRITING;
  GoMapOutcome outcome = assign_hashed (map, key, hash, elem, keep_found, found,
                                        path != NULL ? path : &unused);
  end_write (map);
  return outcome;
}

/* gomap_insert() where a bucket more is looked at than the first. */
static __attribute__ ((noinline)) GoMapOutcome
insert_slowly (GoMap    *map,
               int64_t   key,
               uint64_t  hash,
               uint64_t  elem,
               unsigned *path) {
  GoMapOutcome outcome;

  map->flags ^= GOMAP_FLAG_HASH_WRITING;
  outcome = assign_hashed (map, key, hash, elem, false, NULL, path);
  end_write (map);
  return outcome;
}

GoMapOutcome
gomap_insert (GoMap    *map,
              int64_t   key,
              uint64_t  hash,
              uint64_t  elem,
              unsigned *path) {
  Place place;
  unsigned empty = 0;

  if (!check_no_writer (map))
    return GOMAP_MISUSED;

  if (map->buckets != NULL && map->oldbuckets == NULL && !is_full (map)) {
    place.index = (uint32_t)(hash & (map->buckets->n_main - 1));
    place.bucket = &map->buckets->block[place.index];
    empty = tophash_empty (place.bucket->tophash);
  }
  /* In one step, in which nobody can ask: hashWriting is not needed for it. */
  if (__builtin_expect (empty != 0, 1)) {
    place.slot = (unsigned)__builtin_ctz (empty);
    return fill_slot (map, &place, key, hash, elem, path);
  }
  return insert_slowly (map, key, hash, elem, path);
}

bool
gomap_set_elem (GoMap    *map,
                int64_t   key,
                uint64_t  elem) {
  const GoArray *old = map->oldbuckets;
  uint64_t hash = gomap_hash (map, key);
  uint64_t main = hash & (map->buckets->n_main - 1);
  Place place;

  if (old != NULL
      && !gobucket_is_evacuated (goarray_at (old, main & (old->n_main - 1))))
    gomap_grow_work (map, main);
  if (!search (map, main, tophash_of (hash), key, &place))
    return false;
  update_slot (map, &place, key, elem);
  return true;
}

/* Whether everything behind @slot of @bucket in its chain is empty. */
static bool
is_last (const GoMap    *map,
         const GoBucket *bucket,
         unsigned        slot) {
  if (slot + 1 < BUCKET_SLOTS)
    return bucket->tophash[slot + 1] == TOPHASH_EMPTY_REST;

  const GoBucket *next = goarray_next (map->buckets, bucket);

  return next == NULL || next->tophash[0] == TOPHASH_EMPTY_REST;
}

/* Makes the emptyOne at @place, and the run of them before it, emptyRest when
 * nothing follows. @head is the chain's main bucket. */
static void
trim_chain (const GoMap *map,
            GoBucket    *head,
            Place        place) {
  GoBucket *bucket = place.bucket;
  unsigned slot = place.slot;

  if (!is_last (map, bucket, slot))
    return;
  do {
    bucket->tophash[slot] = TOPHASH_EMPTY_REST;
    if (slot > 0) {
      slot--;
    } else if (bucket == head) {
      return;
    } else {
      GoBucket *after = bucket;

      bucket = head;
      while (goarray_next (map->buckets, bucket) != after)
        bucket = goarray_next (map->buckets, bucket);
      slot = BUCKET_SLOTS - 1;
    }
  } while (bucket->tophash[slot] == TOPHASH_EMPTY_ONE);
}

/* The last key draws a seed. */
TELLER void
tell_deleted (const GoMap *map,
              uint32_t     address,
              uint32_t     version) {
  probe_event (EVENT_SLOT_CLEARED, address, version, 0, map->config.id);
  if (map->count == 0)
    probe_event_more (EVENT_TABLE_RESEEDED, 0, version + 1, 0, map->config.id,
                      map->hash0, 0);
}

bool
gomap_delete (GoMap    *map,
              int64_t   key,
              uint64_t *elem,
              unsigned *path) {
  uint32_t version;
  Place place;

  if (map->count == 0 || !check_no_writer (map))
    return false;

  uint64_t hash = gomap_hash (map, key);
  uint64_t main = hash & (map->buckets->n_main - 1);

  map->flags ^= GOMAP_FLAG_HASH_WRITING;
  if (map->oldbuckets != NULL) {
    gomap_grow_work (map, main);
    if (path != NULL)
      *path |= OP_PATH_MOVED;
  }

  bool is_found = search (map, main, tophash_of (hash), key, &place);

  if (is_found) {
    if (elem != NULL)
      *elem = gobucket_elem (place.bucket, place.slot);
    gobucket_set_elem (place.bucket, place.slot, 0);
    place.bucket->tophash[place.slot] = TOPHASH_EMPTY_ONE;
    trim_chain (map, goarray_at (map->buckets, main), place);
    map->count--;
    version = gomap_next_version (map);
    if (map->count == 0) {
      map->hash0 = prng_next (map->config.prng);
      gomap_next_version (map);
    }
    if (__builtin_expect (probe_current != NULL, 0))
      tell_deleted (map, slot_address (&place), version);
  }
  end_write (map);
  return is_found;
}

static __attribute__ ((noinline)) void
drop_old (GoMap *map) {
  /* An iterator that still walks it must find it empty. */
  if (map->oldbuckets->n_refs > 1)
    goarray_wipe (map->oldbuckets);
  goarray_unref (map->oldbuckets);
  map->oldbuckets = NULL;
}

TELLER bool
tell_cleared (const GoMap *map,
              uint32_t     version) {
  probe_event_more (EVENT_TABLE_CLEARED, 0, version, 0, map->config.id, map->hash0,
                    0);
  return true;
}

/* In one step, in which nobody can ask: hashWriting is not needed for it. */
bool
gomap_clear (GoMap *map) {
  GoArray *array = map->buckets;
  uint32_t version;

  if (map->count == 0)
    return true;
  if (!check_no_writer (map))
    return false;

  if (__builtin_expect (map->oldbuckets != NULL, 0))
    drop_old (map);
  if (array->n_buckets == 1) {
    /* What goarray_wipe() would do, without calls: Clear of a small map is this. */
    *array->block = (GoBucket){ 0 };
    array->n_promised = 0;
  } else {
    goarray_wipe (array);
  }
  map->flags &= (uint8_t)~GOMAP_FLAG_SAME_SIZE_GROW;
  map->nevacuate = 0;
  map->noverflow = 0;
  map->count = 0;
  map->hash0 = prng_next (map->config.prng);
  version = gomap_next_version (map);
  return __builtin_expect (probe_current != NULL, 0) ? tell_cleared (map, version)
                                                     : true;
}

size_t
gomap_bytes (const GoMap *map) {
  return goarray_bytes (map->buckets) + goarray_bytes (map->oldbuckets);
}

size_t
gomap_linked_bytes (const GoMap *map) {
  uint64_t n = 0;

  if (map->buckets != NULL)
    n += map->buckets->n_buckets;
  if (map->oldbuckets != NULL)
    n += map->oldbuckets->n_buckets;
  return n * sizeof (GoBucket);
}
