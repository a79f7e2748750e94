/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-grow.c — a growth, from its start to the last chain moved
 *
 * Start       A new array is made, twice as large when the load is the reason,
 *             of the same size when overflow buckets are. The present one
 *             becomes oldbuckets, the flag iterator becomes oldIterator, and
 *             noverflow starts again at 0; nothing moves yet.
 *
 * Work        Every write during a growth first evacuates the old chain that
 *             its key belongs to, if that has not moved, then one more: the one
 *             at nevacuate. So a write moves at most two chains, and 2^B_old
 *             writes end the growth. The next doubling needs about 6.5 * 2^B_old
 *             new keys, so it finds this one at its end; in any case no growth
 *             starts while one runs. Look-ups and iterations move nothing.
 *
 * Evacuation  Old chain i goes to new chain i (x) and, when the array doubles,
 *             i + old size (y), by the hash bit that the mask gained. Keys land
 *             one behind the other: the new chains are dense. The old tophash
 *             bytes stay as the record of where each key went. When elements
 *             hold pointers (TABLE_WIPES_OLD) and no iterator walks the old
 *             array (oldIterator), the main bucket's keys, elements and link are
 *             wiped.
 *
 * nevacuate   Old chains below it are all evacuated. It moves when the chain it
 *             names is evacuated, over those already moved, at most 1024 in one
 *             go (Go's number: bounds the work of one write). At the end of the
 *             old array the growth is over; the number stays until the next
 *             growth or clear.
 *
 * Invariants  Between writes of a growth; G6, G7, G11 check them:
 *             E1  an old chain has moved as a whole or not at all
 *             E2  a key is live in one of both arrays: in its old chain i as long
 *                 as that has not moved, else in new chain i or i + old size
 *             E3  every old chain below nevacuate has moved
 *             E4  n_promised is the number of overflow buckets in old chains that
 *                 have not moved: no evacuation can lack memory
 *                 (gomap-array.c, Promised)
 *
 * Source      Go 1.23 runtime/map.go: hashGrow, growWork, evacuate,
 *             advanceEvacuationMark.
 */

#include "core/base/mutant.h"
#include "core/engine/gomap-private.h"

/* Evacuated chains nevacuate may skip in one go. */
#define ADVANCE_LIMIT 1024u

/* Chains between the one that is fetched and the one being moved. Free choice. */
#define FETCH_AHEAD 4u

/* The end of a chain that is being filled. */
typedef struct {
  GoBucket *bucket;
  uint32_t  index;
  unsigned  slot;
} Destination;

bool
gomap_start_growth (GoMap *map) {
  bool is_same_size
      = !gomap_is_over_load ((uint64_t)map->count + 1, map->B);
  unsigned B = map->B + (is_same_size ? 0u : 1u);
  uint64_t n_promised = map->buckets->n_buckets - map->buckets->n_main;

  if (B > GOMAP_MAX_B)
    return false;

  GoArray *buckets
      = goarray_new (B, goarray_is_lazy (B) && !is_same_size ? 2 * n_promised
                                                             : n_promised);

  if (buckets == NULL)
    return false;
  buckets->n_promised = n_promised;

  unsigned flags = map->flags
                   & ~(GOMAP_FLAG_ITERATOR | GOMAP_FLAG_OLD_ITERATOR);

  if ((map->flags & GOMAP_FLAG_ITERATOR) != 0)
    flags |= GOMAP_FLAG_OLD_ITERATOR;
  if (is_same_size)
    flags |= GOMAP_FLAG_SAME_SIZE_GROW;

  map->flags = (uint8_t)flags;
  map->B = (uint8_t)B;
  map->oldbuckets = map->buckets;
  map->buckets = buckets;
  map->nevacuate = 0;
  map->noverflow = 0;
  map->n_growths += !is_same_size;
  map->n_same_size_growths += is_same_size;
  probe_event (EVENT_GROWTH_STARTED, is_same_size, gomap_next_version (map),
               map->B, map->config.id);
  if (map->config.hooks != NULL && map->config.hooks->grow != NULL)
    map->config.hooks->grow (map->config.hooks->data, map->config.id, map->B,
                             is_same_size);
  return true;
}

/* Moves slot @slot of @from behind what @to has. */
static void
move_slot (GoMap          *map,
           const GoBucket *from,
           unsigned        slot,
           Destination    *to,
           bool           *is_recounted) {
  if (to->slot == BUCKET_SLOTS) {
    to->index = gomap_link_overflow (map, to->index, is_recounted);
    to->bucket = goarray_at (map->buckets, to->index);
    to->slot = 0;
  }
  gobucket_copy_slot (to->bucket, to->slot++, from, slot);
}

/* Moves the live slots of one bucket; returns the mask of those that went to
 * y. @newbit: the hash bit that decides; 0 when all go to x. */
static unsigned
evacuate_bucket (GoMap       *map,
                 GoBucket    *bucket,
                 uint64_t     newbit,
                 Destination  ends[2],
                 bool        *is_recounted) {
  unsigned empty = tophash_empty (bucket->tophash);
  unsigned went_to_y = 0;

  for (unsigned left = ~empty & 0xffu; left != 0; left &= left - 1) {
    unsigned slot = (unsigned)__builtin_ctz (left);
    unsigned y
        = newbit != 0 && !MUTANT (GROWTH_IGNORES_HALF)
          && (gomap_hash (map, bucket->keys[slot]) & newbit) != 0;

    assert (bucket->tophash[slot] >= TOPHASH_MIN);
    move_slot (map, bucket, slot, &ends[y], is_recounted);
    bucket->tophash[slot] = (uint8_t)(TOPHASH_EVACUATED_X + y);
    went_to_y |= y << slot;
  }
  for (; empty != 0; empty &= empty - 1)
    bucket->tophash[__builtin_ctz (empty)] = TOPHASH_EVACUATED_EMPTY;
  return went_to_y;
}

/* Wipes what a moved chain no longer needs, so that nothing is kept alive. */
static void
wipe_old_chain (GoMap    *map,
                GoBucket *head,
                uint64_t  main) {
  memset (head->keys, 0, sizeof head->keys);
  memset (head->elems_low, 0, sizeof head->elems_low);
  memset (head->elems_high, 0, sizeof head->elems_high);
  head->overflow = 0;
  probe_event (EVENT_CHAIN_WIPED, (uint32_t)main, gomap_next_version (map), 0,
               map->config.id);
}

static void
evacuate_chain (GoMap   *map,
                uint64_t main) {
  GoArray *old = map->oldbuckets;
  GoArray *array = map->buckets;
  bool is_same_size = (map->flags & GOMAP_FLAG_SAME_SIZE_GROW) != 0;
  uint64_t newbit = is_same_size ? 0 : old->n_main;
  Destination ends[2] = {
    { goarray_at (array, main), (uint32_t)main, 0 },
    { goarray_at (array, main + newbit), (uint32_t)(main + newbit), 0 },
  };
  uint32_t index = (uint32_t)main;
  unsigned n_buckets = 0;

  for (;;) {
    GoBucket *bucket = goarray_at (old, index);
    bool is_recounted = false;

    /* The promise that was made for this bucket is used, or void. */
    array->n_promised -= index != main;
    n_buckets++;

    unsigned mask
        = evacuate_bucket (map, bucket, newbit, ends, &is_recounted);

    probe_event_more (EVENT_BUCKET_EVACUATED, index, gomap_next_version (map),
                      (uint8_t)mask, map->config.id, main, 0);
    if (is_recounted)
      gomap_tell_overflow (map);
    if (bucket->overflow == 0)
      break;
    index = bucket->overflow;
  }
  map->n_evacuated++;
  if (map->config.hooks != NULL && map->config.hooks->evacuate != NULL)
    map->config.hooks->evacuate (map->config.hooks->data, map->config.id, main,
                                 n_buckets);
  if ((map->config.flags & TABLE_WIPES_OLD) != 0
      && (map->flags & GOMAP_FLAG_OLD_ITERATOR) == 0)
    wipe_old_chain (map, goarray_at (old, main), main);
}

static void
advance (GoMap *map) {
  const GoArray *old = map->oldbuckets;
  uint64_t stop = map->nevacuate + 1 + ADVANCE_LIMIT;

  if (stop > old->n_main)
    stop = old->n_main;
  map->nevacuate += MUTANT (GROWTH_SKIPS) && stop > map->nevacuate + 1 ? 2 : 1;
  while (map->nevacuate < stop
         && gobucket_is_evacuated (goarray_at (old, map->nevacuate)))
    map->nevacuate++;
  probe_event (EVENT_EVACUATION_ADVANCED, (uint32_t)map->nevacuate,
               gomap_next_version (map), 0, map->config.id);

  if (map->nevacuate == old->n_main) {
    goarray_unref (map->oldbuckets);
    map->oldbuckets = NULL;
    map->flags &= (uint8_t)~GOMAP_FLAG_SAME_SIZE_GROW;
    assert (map->buckets->n_promised == 0);
    probe_event (EVENT_GROWTH_ENDED, 0, gomap_next_version (map), 0,
                 map->config.id);
  }
}

static void
evacuate (GoMap   *map,
          uint64_t main) {
  if (!gobucket_is_evacuated (goarray_at (map->oldbuckets, main)))
    evacuate_chain (map, main);
  if (main == map->nevacuate)
    advance (map);
}

/* Asks for where the keys of old chain @main will go; for the chain behind the one
 * at nevacuate that is as far ahead; and for the second bucket of one half as far,
 * whose first has come by now. */
static void
fetch_ahead (const GoMap *map,
             uint64_t     main) {
  const GoArray *old = map->oldbuckets;
  uint64_t block = (uintptr_t)map->buckets->block;
  uint64_t ahead = map->nevacuate + FETCH_AHEAD;
  uint64_t newbit = map->buckets->n_main - old->n_main;
  const GoBucket *second;

  gobucket_fetch (block, main);
  gobucket_fetch (block, main + newbit);
  if (ahead >= old->n_main)
    return;
  gobucket_fetch ((uintptr_t)old->block, ahead);
  gobucket_fetch (block, ahead);
  gobucket_fetch (block, ahead + newbit);
  second = goarray_next (old, &old->block[ahead - FETCH_AHEAD / 2]);
  if (second != NULL)
    gobucket_fetch ((uintptr_t)second, 0);
}

void
gomap_grow_work (GoMap   *map,
                 uint64_t bucket) {
  fetch_ahead (map, bucket & (map->oldbuckets->n_main - 1));
  evacuate (map, bucket & (map->oldbuckets->n_main - 1));
  if (map->oldbuckets != NULL)
    evacuate (map, map->nevacuate);
}
