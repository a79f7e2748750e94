/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-iter.c — walking a table that may change under the walk
 *
 * Idea        An iterator remembers the array it began with and walks all its
 *             chains once around from a random bucket, the slots of each bucket
 *             from a random offset. Every key that was there and was not deleted
 *             comes exactly once, with its present element; a key deleted before
 *             its turn never; a key inserted meanwhile once or not at all.
 *
 * Start       One random number: its low B bits are the start bucket, the next
 *             three the offset of the slots. An empty map has nothing to walk.
 *
 * Growths     Begun before a growth, the iterator keeps walking the remembered
 *             array: slots that were evacuated still hold the key, which is
 *             looked up in the table as it is now. Begun inside a growth (or
 *             met by a same-size one), a chain of the remembered array may not
 *             be filled yet: then the old chain is walked in its place, and when
 *             the array doubles, keys that will go to the other half are left
 *             for that half's turn. A chain once entered is walked to its end
 *             in the array where it was entered, even if it moves meanwhile.
 *
 * Marks       The flags iterator and oldIterator forbid a growth to wipe what an
 *             iterator may still want. They are never taken back but by a new
 *             growth. Setting them is a write: walks over a table that nobody
 *             writes to any more go without (and need neither flag).
 *
 * Invariants  Of a walk, as long as no clear and no last deletion draws a seed:
 *             I1  the remembered array and B stay; each of its 2^B main buckets
 *                 has one turn, from the start bucket up and round
 *             I2  a key is given in the turn that its hash has in B bits, and in
 *                 no other: with I1, not twice
 *             I3  in that turn a key that stays has a slot in the chain walked:
 *                 live, and then its element is there, or evacuated, and then
 *                 the slot is only a name that is looked up
 *             I4  a walk with marks keeps the names: nothing that it may still
 *                 come to is wiped or freed by a growth
 *             I5  a walk without marks writes nothing in the table
 *
 * Lifetime    Go's collector keeps an array that an iterator walks. Here a
 *             marking iterator holds a reference to the array it began with and
 *             to the old array whose chain it is in.
 *
 * Events      RANGE_WALKED at the end of each bucket, or, when the probe is_fine,
 *             before each step; each at its own time. A walk of an array that
 *             the table no longer has is not told: there is nothing to show it
 *             on.
 *
 * Source      Go 1.23 runtime/map.go: mapiterinit, mapiternext.
 */

#include "core/base/mutant.h"
#include "core/engine/gomap-find-private.h"
#include "core/engine/gomap-private.h"

/* check_bucket of a chain whose keys all count. */
#define NO_CHECK UINT64_MAX

static void
hold (const GoArray *array) {
  ((GoArray *)array)->n_refs++;
}

static void
let_go (const GoArray *array) {
  goarray_unref ((GoArray *)array);
}

void
gomap_iter_begin (GoIter  *iter,
                  GoMap   *map,
                  uint64_t random,
                  unsigned options,
                  uint32_t id,
                  uint32_t domain_version) {
  const unsigned marks = GOMAP_FLAG_ITERATOR | GOMAP_FLAG_OLD_ITERATOR;

  *iter = (GoIter){
    .map = map,
    .id = id,
    .B = map->B,
    .is_done = map->count == 0,
    .options = options,
    .domain_version = domain_version,
  };
  if (iter->is_done)
    return;

  iter->buckets = map->buckets;
  iter->start_bucket = random & (((uint64_t)1 << map->B) - 1);
  iter->bucket = iter->start_bucket;
  iter->offset = (uint8_t)((random >> map->B) & (BUCKET_SLOTS - 1));
  if ((options & GOMAP_ITER_MARKS) == 0)
    return;

  hold (iter->buckets);
  if ((map->flags & marks) != marks) {
    map->flags |= marks;
    probe_event (EVENT_TABLE_FLAGS_CHANGED, 0, gomap_next_version (map),
                 (uint8_t)(map->flags & ~GOMAP_FLAG_HASH_WRITING),
                 map->config.id);
  }
}

static void
enter_bucket (GoIter  *iter,
              uint32_t index) {
  iter->current = index;
  iter->i = 0;
  iter->is_untold = true;
}

/* false: the walk is back at its start. */
static bool
enter_chain (GoIter *iter) {
  const GoMap *map = iter->map;
  const GoArray *old = map->oldbuckets;
  uint64_t bucket = iter->bucket;

  if (iter->wrapped && bucket == iter->start_bucket)
    return false;

  iter->walks_old = old != NULL && !MUTANT (RANGE_LOOKS_AHEAD) && iter->B == map->B
                    && !gobucket_is_evacuated (
                        goarray_at (old, bucket & (old->n_main - 1)));
  if (iter->walks_old) {
    iter->walked = old;
    iter->check_bucket = bucket;
    enter_bucket (iter, (uint32_t)(bucket & (old->n_main - 1)));
  } else {
    iter->walked = iter->buckets;
    iter->check_bucket = NO_CHECK;
    enter_bucket (iter, (uint32_t)bucket);
  }
  if ((iter->options & GOMAP_ITER_MARKS) != 0)
    hold (iter->walked);

  if (++iter->bucket == (uint64_t)1 << iter->B) {
    iter->bucket = 0;
    iter->wrapped = true;
  }
  return true;
}

static void
leave_chain (GoIter *iter) {
  if ((iter->options & GOMAP_ITER_MARKS) != 0 && iter->walked != NULL)
    let_go (iter->walked);
  iter->walked = NULL;
}

/* Whether slot @slot of @bucket gives a pair, which is then in @iter. */
static bool
take_slot (GoIter         *iter,
           const GoBucket *bucket,
           unsigned        slot) {
  const GoMap *map = iter->map;
  uint8_t tophash = bucket->tophash[slot];
  uint8_t bit = (uint8_t)(1u << slot);

  if (tophash_is_empty (tophash) || tophash == TOPHASH_EVACUATED_EMPTY)
    return false;

  int64_t key = bucket->keys[slot];

  if (iter->check_bucket != NO_CHECK && !MUTANT (RANGE_TAKES_BOTH_HALVES)
      && (map->flags & GOMAP_FLAG_SAME_SIZE_GROW) == 0) {
    uint64_t mask = ((uint64_t)1 << iter->B) - 1;

    if ((gomap_hash (map, key) & mask) != iter->check_bucket) {
      iter->other_half |= bit;
      return false;
    }
  }
  if (tophash >= TOPHASH_MIN) {
    iter->elem = gobucket_elem (bucket, slot);
  } else {
    uint64_t elem = gomap_find (map, key);

    if (elem == GOMAP_ABSENT) {
      iter->deleted |= bit;
      return false;
    }
    iter->elem = elem;
  }
  iter->key = key;
  iter->seen |= bit;
  iter->n_visited++;
  return true;
}

/* Fills todo with the slots after the present place that give pairs, when no rule
 * but being live decides: nobody writes, and nothing is left to another half. Told
 * slot by slot, it stays empty: somebody watches each step. */
static void
look_ahead (GoIter         *iter,
            const GoBucket *bucket) {
  unsigned live;

  if ((iter->options & GOMAP_ITER_MARKS) != 0 || iter->check_bucket != NO_CHECK
      || (probe_current != NULL && probe_current->is_fine))
    return;
  live = tophash_live (bucket->tophash);
  live = (live >> iter->offset | live << (BUCKET_SLOTS - iter->offset)) & 0xffu;
  iter->todo = (uint8_t)(live >> iter->i << iter->i);
  iter->bucket_now = bucket;
}

bool
gomap_iter_search (GoIter *iter) {
  if (iter->is_done)
    return false;
  if ((iter->map->flags & GOMAP_FLAG_HASH_WRITING) != 0) {
    iter->is_misused = true;
    probe_event (EVENT_MISUSE_DETECTED, MISUSE_AT_STEP, OP_RANGE + 1,
                 MISUSE_ITERATION_AND_WRITE, iter->map->config.id);
    gomap_iter_end (iter);
    return false;
  }
  if (probe_current != NULL && probe_current->is_fine)
    gomap_iter_flush (iter);

  for (;;) {
    if (iter->walked == NULL && !enter_chain (iter)) {
      gomap_iter_end (iter);
      return false;
    }

    const GoBucket *bucket = goarray_at (iter->walked, iter->current);

    while (iter->i < BUCKET_SLOTS)
      if (take_slot (iter, bucket, (iter->i++ + iter->offset) % BUCKET_SLOTS)) {
        look_ahead (iter, bucket);
        return true;
      }

    gomap_iter_flush (iter);
    if (bucket->overflow != 0)
      enter_bucket (iter, bucket->overflow);
    else
      leave_chain (iter);
  }
}

void
gomap_iter_skip (GoIter *iter,
                 bool    is_expunged) {
  unsigned slot = (iter->i + iter->offset + BUCKET_SLOTS - 1u) % BUCKET_SLOTS;
  uint8_t bit = (uint8_t)(1u << slot);

  iter->seen &= (uint8_t)~bit;
  if (is_expunged)
    iter->expunged |= bit;
  else
    iter->deleted |= bit;
  iter->n_visited--;
}

void
gomap_iter_flush (GoIter *iter) {
  const GoMap *map = iter->map;
  unsigned met = iter->seen | iter->deleted | iter->expunged | iter->other_half;
  bool is_old = iter->walked == map->oldbuckets;

  if (probe_current != NULL && (iter->options & GOMAP_ITER_TELLS) != 0
      && iter->walked != NULL && (iter->is_untold || met != 0)
      && (is_old || iter->walked == map->buckets)) {
    bool is_owner = (iter->options & GOMAP_ITER_MARKS) != 0;
    uint64_t skipped = iter->deleted | (uint64_t)iter->expunged << 8
                       | (uint64_t)iter->other_half << 16;

    probe_restamp ();
    probe_event_more (EVENT_RANGE_WALKED,
                      iter->current | (is_old ? RANGE_OLD_BUCKET : 0u), iter->id,
                      iter->seen, map->config.id, skipped,
                      is_owner ? map->config.domain->version
                               : iter->domain_version);
  }
  iter->is_untold = false;
  iter->seen = 0;
  iter->deleted = 0;
  iter->expunged = 0;
  iter->other_half = 0;
}

void
gomap_iter_end (GoIter *iter) {
  leave_chain (iter);
  if ((iter->options & GOMAP_ITER_MARKS) != 0 && iter->buckets != NULL)
    let_go (iter->buckets);
  iter->buckets = NULL;
  iter->todo = 0;
  iter->is_done = true;
}
