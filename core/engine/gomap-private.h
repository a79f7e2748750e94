/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-private.h — what the files of the bucket table share
 *
 * The array behind a table, the eight-at-once comparison of tophash bytes, and
 * the steps of growth. The algorithm is told in gomap.c.
 */
#pragma once

#include "core/engine/gomap.h"
#include "core/probe/probe.h"

#include <assert.h>
#include <string.h>

#if defined(__SSE2__) && defined(__x86_64__)
#include <emmintrin.h>
#endif

/* Chunk k holds GOARRAY_CHUNK << k overflow buckets: 28 of them are more than
 * an index can name. Free choice. */
#define GOARRAY_CHUNK 8u
#define GOARRAY_MAX_CHUNKS 28

struct _GoArray {
  GoBucket *block;      /* main buckets, then the first overflow buckets */
  uint64_t  n_main;
  uint64_t  n_block;    /* buckets in block */
  uint64_t  n_buckets;  /* main buckets and linked overflow buckets */
  uint64_t  n_room;     /* buckets that have memory */
  uint64_t  n_promised; /* overflow buckets kept for evacuations to come */
  uint32_t  n_refs;     /* the table and its marking iterators */
  uint16_t  n_chunks;
  bool      is_home;    /* in its owner's memory, as is its one bucket */
  GoBucket **chunks;    /* GOARRAY_MAX_CHUNKS, from the first one on; or NULL */
};

/* An array of one bucket within its owner: see gomap-array.c, Home. */
struct _GoHome {
  GoArray  array;
  GoBucket bucket;
};

/* Whether a block of 2^B main buckets is memory that costs nothing before it is
 * touched (alloc.h: mapped by itself). */
static inline bool
goarray_is_lazy (unsigned B) {
  return sizeof (GoBucket) << B >= (size_t)1 << 20;
}

/* 2^B main buckets and room for at least @n_overflow more; NULL when there is
 * no memory. One reference. */
GoArray  *goarray_new      (unsigned  B,
                            uint64_t  n_overflow);
/* The same for B = 0, in @home; cannot fail. */
GoArray  *goarray_at_home  (GoHome   *home);
void      goarray_unref    (GoArray  *array);
/* Makes sure that @n overflow buckets can be linked beside the promised. */
bool      goarray_reserve  (GoArray  *array,
                            uint64_t  n);
/* Empties every bucket in place and unlinks the overflow. */
void      goarray_wipe     (GoArray  *array);
GoBucket *goarray_in_chunk (const GoArray *array,
                            uint64_t       index);
/* Without a home, which is its owner's. */
size_t    goarray_bytes    (const GoArray *array);

static inline GoBucket *
goarray_at (const GoArray *array,
            uint64_t       index) {
  if (__builtin_expect (index < array->n_block, 1))
    return &array->block[index];
  return goarray_in_chunk (array, index);
}

/* The bucket after @bucket in its chain; NULL at the end. */
static inline GoBucket *
goarray_next (const GoArray  *array,
              const GoBucket *bucket) {
  return bucket->overflow == 0 ? NULL : goarray_at (array, bucket->overflow);
}

/* Bit i is set when tophash[i] == @wanted: one comparison for all eight. */
static inline unsigned
tophash_match (const uint8_t tophash[BUCKET_SLOTS],
               unsigned      wanted) {
#if defined(__SSE2__) && defined(__x86_64__)
  __m128i bytes = _mm_loadl_epi64 ((const __m128i *)(const void *)tophash);
  /* One multiplication spreads the byte in less code than SSE2's shuffles. */
  __m128i spread = _mm_cvtsi64_si128 ((long long)(0x0101010101010101u * wanted));
  __m128i same = _mm_cmpeq_epi8 (bytes, spread);

  return (unsigned)_mm_movemask_epi8 (same) & 0xffu;
#else
  const uint64_t low7 = 0x7f7f7f7f7f7f7f7fu;
  uint64_t bytes, zeros;

  memcpy (&bytes, tophash, sizeof bytes);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  bytes = __builtin_bswap64 (bytes);
#endif
  bytes ^= 0x0101010101010101u * wanted;
  /* The top bit of each byte that is zero; no carry leaves a byte. */
  zeros = ~(((bytes & low7) + low7) | bytes | low7);
  /* Gather the eight bits into the top byte. */
  return (unsigned)(((zeros >> 7) * 0x0102040810204080u) >> 56);
#endif
}

/* Live slots: tophash >= TOPHASH_MIN. */
static inline unsigned
tophash_live (const uint8_t tophash[BUCKET_SLOTS]) {
#if defined(__SSE2__) && defined(__x86_64__)
  __m128i bytes = _mm_loadl_epi64 ((const __m128i *)(const void *)tophash);
  __m128i raised = _mm_max_epu8 (bytes, _mm_set1_epi8 (TOPHASH_MIN));

  return (unsigned)_mm_movemask_epi8 (_mm_cmpeq_epi8 (bytes, raised)) & 0xffu;
#else
  unsigned live = 0;

  for (unsigned slot = 0; slot < BUCKET_SLOTS; slot++)
    live |= (unsigned)(tophash[slot] >= TOPHASH_MIN) << slot;
  return live;
#endif
}

/* Empty slots: tophash <= TOPHASH_EMPTY_ONE. */
static inline unsigned
tophash_empty (const uint8_t tophash[BUCKET_SLOTS]) {
#if defined(__SSE2__) && defined(__x86_64__)
  __m128i bytes = _mm_loadl_epi64 ((const __m128i *)(const void *)tophash);
  __m128i capped = _mm_min_epu8 (bytes, _mm_set1_epi8 (TOPHASH_EMPTY_ONE));

  return (unsigned)_mm_movemask_epi8 (_mm_cmpeq_epi8 (bytes, capped)) & 0xffu;
#else
  return tophash_match (tophash, TOPHASH_EMPTY_REST)
         | tophash_match (tophash, TOPHASH_EMPTY_ONE);
#endif
}

static inline uint8_t
tophash_of (uint64_t hash) {
  uint8_t top = (uint8_t)(hash >> 56);

  return top < TOPHASH_MIN ? (uint8_t)(top + TOPHASH_MIN) : top;
}

/* For each top byte of a hash its tophash, eight times. One load in the place of
 * five instructions, in a look-up of forty: a hit in a table that is near costs
 * what its instructions cost (measured: 0.06 ns each). */
extern const uint64_t tophash_spread[256];

/* The first slot whose tophash is that of @hash; BUCKET_SLOTS or more: none. */
static inline unsigned
gobucket_guess (const GoBucket *bucket,
                uint64_t        hash) {
#if defined(__SSE2__) && defined(__x86_64__)
  /* The line's last 16 bytes. Those behind the tophashes are compared with 0, and
   * `unused` is 0: some bit is always set, and nothing needs to be masked. */
  __m128i bytes = *(const __m128i *)(const void *)bucket->tophash;
  __m128i spread = _mm_loadl_epi64 (
    (const __m128i *)(const void *)&tophash_spread[hash >> 56]);
  unsigned same = (unsigned)_mm_movemask_epi8 (_mm_cmpeq_epi8 (bytes, spread));

  if (same == 0)
    __builtin_unreachable ();
  return (unsigned)__builtin_ctz (same);
#else
  unsigned same = tophash_match (bucket->tophash, tophash_of (hash));

  return same != 0 ? (unsigned)__builtin_ctz (same) : BUCKET_SLOTS;
#endif
}

static inline bool
tophash_is_empty (uint8_t tophash) {
  return tophash <= TOPHASH_EMPTY_ONE;
}

/* Told from slot 0 of a chain's main bucket alone. */
static inline bool
gobucket_is_evacuated (const GoBucket *main_bucket) {
  uint8_t first = main_bucket->tophash[0];

  return first > TOPHASH_EMPTY_ONE && first < TOPHASH_MIN;
}

/* gomap_visit(), in line. A slot of a chain that has moved is not live in the old
 * array, and one that has not come yet is empty in the new. */
static inline __attribute__ ((always_inline)) void
gomap_visit_inline (const GoMap *map,
                    void       (*visit) (int64_t key, uint64_t elem, void *data),
                    void        *data) {
  const GoArray *array = map->buckets;

  for (; array != NULL;
       array = array == map->buckets ? map->oldbuckets : NULL)
    for (uint64_t index = 0; index < array->n_buckets; index++) {
      const GoBucket *bucket = goarray_at (array, index);
      unsigned live = tophash_live (bucket->tophash);

      for (; live != 0; live &= live - 1) {
        unsigned slot = (unsigned)__builtin_ctz (live);

        visit (bucket->keys[slot], gobucket_elem (bucket, slot), data);
      }
    }
}

static inline uint64_t
gomap_hash (const GoMap *map,
            int64_t      key) {
  return hash_key (map->config.hash, key, map->hash0);
}

static inline uint64_t
gomap_elem_id (const GoMap *map,
               uint64_t     elem) {
  return map->config.elem_id == NULL ? (uint64_t)gomap_elem_value (elem)
                                     : map->config.elem_id (elem);
}

/* One more change of the domain: the ver of the event that tells it. */
static inline uint32_t
gomap_next_version (GoMap *map) {
  return ++map->config.domain->version;
}

/* The whole look-up, of a table that has keys; see gomap-find-private.h. */
uint64_t gomap_find_further (const GoMap *map,
                             int64_t      key,
                             uint64_t     hash);
/* The bucket and the slot that it ends at; NULL: absent. */
const GoBucket *gomap_find_slot (const GoMap *map,
                                 int64_t      key,
                                 uint64_t     hash,
                                 unsigned    *slot);

/* Limits: more than 8 keys and more than 6.5 a bucket. */
static inline bool
gomap_is_over_load (uint64_t count,
                    unsigned B) {
  return count > BUCKET_SLOTS && count > 13 * (((uint64_t)1 << B) / 2);
}

/* About as many overflow buckets as buckets. */
static inline bool
gomap_has_many_overflow (uint64_t noverflow,
                         unsigned B) {
  return noverflow >= (uint64_t)1 << (B > 15 ? 15 : B);
}

/* The smallest B that takes @hint keys; 0 for hints no machine could hold. */
unsigned gomap_hint_B             (uint64_t hint);

/* Links the next overflow bucket of buckets, which has room, behind bucket
 * @tail. @is_recounted is set when noverflow changed at random. Tells nothing. */
uint32_t gomap_link_overflow      (GoMap    *map,
                                   uint32_t  tail,
                                   bool     *is_recounted);
void     gomap_tell_overflow      (GoMap    *map);

/* The first bucket array of a table that had none; false: no memory. */
bool     gomap_allocate_first     (GoMap    *map);

/* Go's hashGrow; false when there is no memory: nothing changed. */
bool     gomap_start_growth       (GoMap    *map);
/* Go's growWork for a write that goes to main bucket @bucket. */
void     gomap_grow_work          (GoMap    *map,
                                   uint64_t  bucket);
