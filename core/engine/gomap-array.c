/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-array.c — the buckets behind a table, found by index
 *
 * Layout      One block holds the 2^B main buckets and behind them, from B = 4
 *             on, 2^(B-4) overflow buckets, as Go allocates them. Overflow that
 *             does not fit goes into chunks of 8, 16, 32 … buckets, made when
 *             they are needed and never moved, so that a bucket's address stays.
 *
 *             index   0 … n_main-1   n_main … n_block-1   n_block …
 *             place   block          block                chunks
 *
 *             When a table filled up and doubles, it will have about twice the
 *             overflow once it is full again. A large block has room for that from
 *             the start: memory that nobody touches costs nothing, whereas a
 *             chunk is half empty on average (0.4 bytes a key of a full table), and
 *             what lies in one is found later.
 *
 *             Overflow buckets are handed out in the order of their indices;
 *             which of them a chain uses is in the buckets' overflow fields, and
 *             none is given back before the whole array is wiped.
 *
 * Home        Most tables of a busy small map have one bucket and do not live long.
 *             Who makes tables in numbers keeps a GoHome beside each: the array
 *             with its bucket, which costs no memory of its own. It is used once,
 *             and left when the table grows.
 *
 * Promised    A growth will evacuate every old chain and may need as many
 *             overflow buckets as the old array had linked, never more: a chain
 *             of c buckets holds at most 8c keys, which in two dense chains
 *             need at most c + 1 buckets, two of them main buckets. They are set
 *             aside when the array is made and given free chain by chain.
 *
 * Threads     References are counted plainly: they change under the lock that
 *             guards the table.
 * Source      Go 1.23 runtime/map.go: makeBucketArray, newoverflow.
 */

#include "core/engine/gomap-private.h"

#include "core/base/alloc.h"

#define CHUNKS_BYTES (GOARRAY_MAX_CHUNKS * sizeof (GoBucket *))

GoArray *
goarray_new (unsigned B,
             uint64_t n_overflow) {
  uint64_t n_main = (uint64_t)1 << B;
  uint64_t n_spare = B >= 4 ? n_main >> 4 : 0;
  uint64_t n_block = n_main + (n_overflow > n_spare ? n_overflow : n_spare);
  GoArray *array = alloc_zeroed (sizeof *array);

  if (array == NULL)
    return NULL;
  array->block = alloc_zeroed (n_block * sizeof (GoBucket));
  if (array->block == NULL) {
    alloc_free (array, sizeof *array);
    return NULL;
  }
  array->n_main = n_main;
  array->n_block = n_block;
  array->n_buckets = n_main;
  array->n_room = n_block;
  array->n_refs = 1;
  return array;
}

static size_t
chunk_bytes (unsigned chunk) {
  return ((size_t)GOARRAY_CHUNK << chunk) * sizeof (GoBucket);
}

GoArray *
goarray_at_home (GoHome *home) {
  home->array = (GoArray){
    .block = &home->bucket,
    .n_main = 1,
    .n_block = 1,
    .n_buckets = 1,
    .n_room = 1,
    .n_refs = 1,
    .is_home = true,
  };
  memset (&home->bucket, 0, sizeof home->bucket);
  return &home->array;
}

void
goarray_unref (GoArray *array) {
  if (array == NULL || --array->n_refs > 0)
    return;
  for (unsigned i = 0; i < array->n_chunks; i++)
    alloc_free (array->chunks[i], chunk_bytes (i));
  alloc_free (array->chunks, CHUNKS_BYTES);
  if (array->is_home)
    return;
  alloc_free (array->block, array->n_block * sizeof (GoBucket));
  alloc_free (array, sizeof *array);
}

bool
goarray_reserve (GoArray *array,
                 uint64_t n) {
  while (array->n_room < array->n_buckets + array->n_promised + n) {
    unsigned chunk = array->n_chunks;

    if (chunk == GOARRAY_MAX_CHUNKS)
      return false;
    if (array->chunks == NULL)
      array->chunks = alloc_zeroed (CHUNKS_BYTES);
    if (array->chunks == NULL)
      return false;
    array->chunks[chunk] = alloc_zeroed (chunk_bytes (chunk));
    if (array->chunks[chunk] == NULL)
      return false;
    array->n_chunks++;
    array->n_room += (uint64_t)GOARRAY_CHUNK << chunk;
  }
  return true;
}

/* Chunk k begins with the GOARRAY_CHUNK * (2^k - 1)-th bucket after the block. */
GoBucket *
goarray_in_chunk (const GoArray *array,
                  uint64_t       index) {
  unsigned long long nth = index - array->n_block + GOARRAY_CHUNK;
  unsigned chunk = 63u - (unsigned)__builtin_clzll (nth / GOARRAY_CHUNK);

  assert (chunk < array->n_chunks);
  return &array->chunks[chunk][nth - ((uint64_t)GOARRAY_CHUNK << chunk)];
}

void
goarray_wipe (GoArray *array) {
  uint64_t n_left = array->n_buckets;
  uint64_t n = n_left < array->n_block ? n_left : array->n_block;

  memset (array->block, 0, n * sizeof (GoBucket));
  for (unsigned i = 0; (n_left -= n) > 0; i++) {
    n = (uint64_t)GOARRAY_CHUNK << i;
    if (n > n_left)
      n = n_left;
    memset (array->chunks[i], 0, n * sizeof (GoBucket));
  }
  array->n_buckets = array->n_main;
  array->n_promised = 0;
}

size_t
goarray_bytes (const GoArray *array) {
  size_t bytes;

  if (array == NULL)
    return 0;
  bytes = array->n_room * sizeof (GoBucket)
          + (array->chunks != NULL ? CHUNKS_BYTES : 0);
  return array->is_home ? bytes - sizeof (GoBucket) : bytes + sizeof *array;
}

uint64_t
goarray_n_main (const GoArray *array) {
  return array->n_main;
}

uint64_t
goarray_n_buckets (const GoArray *array) {
  return array->n_buckets;
}

const GoBucket *
goarray_bucket (const GoArray *array,
                uint32_t       index) {
  return goarray_at (array, index);
}
