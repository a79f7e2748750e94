/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-check.c — what must hold of a table between operations
 *
 * Terms       moved   the chain's main bucket says that it was evacuated
 *             home    the chain whose main index is hash & mask, in oldbuckets
 *                     while that chain has not moved, else in buckets
 *
 * Invariants  G1   count is the number of live slots of buckets and of the
 *                  chains of oldbuckets that have not moved
 *             G2   a look-up of every live key ends at the very slot
 *             G3   every live key is in its home
 *             G4   a live tophash is the one its hash gives
 *             G5   in a chain nothing but emptyRest follows emptyRest, and the
 *                  last slot before the emptyRest run is not emptyOne
 *             G6   codes 2 to 4 appear only in oldbuckets, and there in all
 *                  slots of a chain or in none
 *             G7   oldbuckets has chains at and after nevacuate to move, and all
 *                  chains below it have moved
 *             G8   buckets has 2^B chains; oldbuckets as many in a same-size
 *                  growth, else half; no oldbuckets, no sameSizeGrow
 *             G9   noverflow is the number of linked buckets while B < 16
 *             G10  hashWriting is not set
 *             G11  every linked bucket is in one chain of buckets, once, and
 *                  room is left for what the growth was promised
 *
 * Source      Go 1.23 runtime/map.go, its comments; runtime/map_test.go,
 *             TestMapTombstones, for G5.
 */

#include "core/engine/gomap-find-private.h"
#include "core/engine/gomap-private.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct {
  const GoMap *map;
  EngineReport report;
  void        *data;
  size_t       n_broken;
  uint64_t     n_live;
  uint64_t     n_linked; /* overflow buckets reached in buckets */
} Check;

__attribute__ ((format (printf, 2, 3))) static void
broken (Check      *check,
        const char *format,
        ...) {
  char text[160];
  va_list args;

  check->n_broken++;
  if (check->report == NULL)
    return;
  va_start (args, format);
  vsnprintf (text, sizeof text, format, args);
  va_end (args);
  check->report (text, check->data);
}

static void
check_live (Check          *check,
            const GoArray  *array,
            uint64_t        main,
            const GoBucket *bucket,
            unsigned        slot) {
  const GoMap *map = check->map;
  const char *where = array == map->buckets ? "buckets" : "oldbuckets";
  long long key = bucket->keys[slot];
  uint64_t hash = gomap_hash (map, key);
  unsigned found = BUCKET_SLOTS;

  check->n_live++;
  if (gomap_find_slot (map, key, hash, &found) != bucket || found != slot
      || gomap_find (map, key) != gobucket_elem (bucket, slot))
    broken (check, "G2: key %lld of %s[%llu] is not found", key, where,
            (unsigned long long)main);
  if ((hash & (array->n_main - 1)) != main)
    broken (check, "G3: key %lld is in %s[%llu]", key, where,
            (unsigned long long)main);
  if (bucket->tophash[slot] != tophash_of (hash))
    broken (check, "G4: key %lld of %s[%llu] has tophash %u", key, where,
            (unsigned long long)main, (unsigned)bucket->tophash[slot]);
}

/* A chain that has not moved: its slots in order. */
static void
check_chain (Check         *check,
             const GoArray *array,
             uint64_t       main) {
  const char *where = array == check->map->buckets ? "buckets" : "oldbuckets";
  const GoBucket *bucket = goarray_at (array, main);
  uint64_t n_walked = 0;
  uint8_t last = TOPHASH_MIN; /* before the first: nothing to trim */

  for (; bucket != NULL; bucket = goarray_next (array, bucket)) {
    for (unsigned slot = 0; slot < BUCKET_SLOTS; slot++) {
      uint8_t tophash = bucket->tophash[slot];

      if (tophash >= TOPHASH_MIN)
        check_live (check, array, main, bucket, slot);
      else if (!tophash_is_empty (tophash))
        broken (check, "G6: %s[%llu] has tophash %u in a chain not moved", where,
                (unsigned long long)main, (unsigned)tophash);
      if (last == TOPHASH_EMPTY_REST && tophash != TOPHASH_EMPTY_REST)
        broken (check, "G5: %s[%llu] goes on after emptyRest", where,
                (unsigned long long)main);
      if (last == TOPHASH_EMPTY_ONE && tophash == TOPHASH_EMPTY_REST)
        broken (check, "G5: %s[%llu] has emptyOne before emptyRest", where,
                (unsigned long long)main);
      last = tophash;
    }
    if (bucket->overflow != 0
        && (bucket->overflow < array->n_main
            || bucket->overflow >= array->n_buckets
            || ++n_walked > array->n_buckets)) {
      broken (check, "G11: %s[%llu] links to bucket %u", where,
              (unsigned long long)main, bucket->overflow);
      return;
    }
  }
  if (last == TOPHASH_EMPTY_ONE)
    broken (check, "G5: %s[%llu] ends with emptyOne", where,
            (unsigned long long)main);
  if (array == check->map->buckets)
    check->n_linked += n_walked;
}

static void
check_moved_chain (Check    *check,
                   uint64_t  main) {
  const GoArray *old = check->map->oldbuckets;
  const GoBucket *bucket = goarray_at (old, main);

  for (; bucket != NULL; bucket = goarray_next (old, bucket))
    for (unsigned slot = 0; slot < BUCKET_SLOTS; slot++)
      if (tophash_is_empty (bucket->tophash[slot])
          || bucket->tophash[slot] >= TOPHASH_MIN)
        broken (check, "G6: oldbuckets[%llu] has tophash %u in a moved chain",
                (unsigned long long)main, (unsigned)bucket->tophash[slot]);
}

static void
check_old (Check *check) {
  const GoMap *map = check->map;
  const GoArray *old = map->oldbuckets;
  bool is_same_size = (map->flags & GOMAP_FLAG_SAME_SIZE_GROW) != 0;

  if (old == NULL) {
    if (is_same_size)
      broken (check, "G8: sameSizeGrow is set, oldbuckets is nil");
    return;
  }
  if (old->n_main != (uint64_t)1 << map->B >> (is_same_size ? 0 : 1))
    broken (check, "G8: oldbuckets has %llu chains, B is %u",
            (unsigned long long)old->n_main, (unsigned)map->B);
  if (map->nevacuate >= old->n_main)
    broken (check, "G7: nevacuate is %llu, the growth is not over",
            (unsigned long long)map->nevacuate);
  for (uint64_t main = 0; main < old->n_main; main++) {
    if (gobucket_is_evacuated (goarray_at (old, main))) {
      check_moved_chain (check, main);
    } else {
      if (main < map->nevacuate)
        broken (check, "G7: oldbuckets[%llu] has not moved, nevacuate is %llu",
                (unsigned long long)main, (unsigned long long)map->nevacuate);
      check_chain (check, old, main);
    }
  }
}

static void
check_buckets (Check *check) {
  const GoMap *map = check->map;
  const GoArray *array = map->buckets;

  if (array == NULL) {
    if (map->B != 0 || map->oldbuckets != NULL)
      broken (check, "G8: no buckets, B is %u", (unsigned)map->B);
    return;
  }
  if (array->n_main != (uint64_t)1 << map->B)
    broken (check, "G8: buckets has %llu chains, B is %u",
            (unsigned long long)array->n_main, (unsigned)map->B);
  for (uint64_t main = 0; main < array->n_main; main++)
    check_chain (check, array, main);

  uint64_t n_overflow = array->n_buckets - array->n_main;

  if (check->n_linked != n_overflow)
    broken (check, "G11: %llu of %llu overflow buckets are in chains",
            (unsigned long long)check->n_linked, (unsigned long long)n_overflow);
  if (array->n_buckets + array->n_promised > array->n_room)
    broken (check, "G11: no room for %llu promised buckets",
            (unsigned long long)array->n_promised);
  if (map->B < 16 && map->noverflow != n_overflow)
    broken (check, "G9: noverflow is %u, %llu are linked", map->noverflow,
            (unsigned long long)n_overflow);
}

size_t
gomap_check (const GoMap *map,
             EngineReport report,
             void        *data) {
  Check check = { .map = map, .report = report, .data = data };

  if ((map->flags & GOMAP_FLAG_HASH_WRITING) != 0)
    broken (&check, "G10: hashWriting is set");
  check_buckets (&check);
  check_old (&check);
  if (check.n_live != (uint64_t)map->count)
    broken (&check, "G1: count is %lld, %llu slots are live",
            (long long)map->count, (unsigned long long)check.n_live);
  return check.n_broken;
}
