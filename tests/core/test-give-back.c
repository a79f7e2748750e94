/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-give-back.c — what is freed can be had by others
 *
 * The sanitizers keep freed memory on purpose and are not asked.
 */
#include "core/base/give-back.h"
#include "core/state/chunk-pool.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEEPS_FREED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KEEPS_FREED 1
#endif
#endif
#ifndef KEEPS_FREED
#define KEEPS_FREED 0
#endif

#define N_BLOCKS 4096u
#define BLOCK_BYTES 16384u
#define SLAB_BYTES ((gsize)2 << 20)
#define CHUNK_BYTES 1024u
/* Of more slabs than are ever kept. */
#define N_CHUNKS (200u * (guint)(SLAB_BYTES / CHUNK_BYTES))

static gsize
resident_bytes (void) {
  g_autofree char *text = NULL;
  gulong size, resident;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  g_assert_cmpint (sscanf (text, "%lu %lu", &size, &resident), ==, 2);
  return (gsize)resident * (gsize)sysconf (_SC_PAGESIZE);
}

/* In an arena that is not the main thread's. */
static gpointer
take_and_free (gpointer data) {
  gpointer *blocks = data;

  for (guint i = 0; i < N_BLOCKS; i++) {
    blocks[i] = g_malloc (BLOCK_BYTES);
    memset (blocks[i], 1, BLOCK_BYTES);
  }
  /* The last one lives on. */
  for (guint i = 0; i + 1 < N_BLOCKS; i++)
    g_free (blocks[i]);
  return blocks[N_BLOCKS - 1];
}

static void
test_gives_freed_memory_back (void) {
  g_autofree gpointer *blocks = g_new (gpointer, N_BLOCKS);
  gsize before;
  gpointer last;

#ifndef __GLIBC__
  g_test_skip ("another library's business");
  return;
#endif
  if (KEEPS_FREED) {
    g_test_skip ("a sanitizer keeps freed memory");
    return;
  }
  last = g_thread_join (g_thread_new ("frees", take_and_free, blocks));
  before = resident_bytes ();
  give_memory_back ();
  g_assert_cmpuint (resident_bytes () + N_BLOCKS / 2 * (gsize)BLOCK_BYTES, <,
                    before);
  g_free (last);
}

/* Slabs that a pointer in @chunks lies in and that are mapped. */
static guint
count_mapped (gpointer *chunks) {
  g_autoptr (GHashTable) slabs = g_hash_table_new (NULL, NULL);
  GHashTableIter iter;
  gpointer slab;
  guint n = 0;

  for (guint i = 0; i < N_CHUNKS; i++)
    g_hash_table_add (slabs, (gpointer)((guintptr)chunks[i] & ~(SLAB_BYTES - 1)));
  g_hash_table_iter_init (&iter, slabs);
  while (g_hash_table_iter_next (&iter, &slab, NULL)) {
    guchar is_in[1];

    n += mincore (slab, 4096, is_in) == 0;
  }
  return n;
}

static void
test_pool_gives_slabs_back (void) {
  g_autofree gpointer *chunks = g_new (gpointer, N_CHUNKS);
  g_autoptr (GPtrArray) others = g_ptr_array_new_with_free_func (g_free);
  guint n_slabs;

  if (KEEPS_FREED) {
    g_test_skip ("a sanitizer has no pool");
    return;
  }
  /* Twice: what was freed once teaches malloc() to keep the like, whatever lies
   * between. */
  for (guint i = 0; i < 2; i++) {
    for (guint k = 0; k < N_CHUNKS; k++) {
      chunks[k] = chunk_pool_take (CHUNK_BYTES);
      if (k % (N_CHUNKS / 200) == 0)
        g_ptr_array_add (others, g_malloc (BLOCK_BYTES));
    }
    n_slabs = count_mapped (chunks);
    g_assert_cmpuint (n_slabs, >=, 200);
    for (guint k = 0; k < N_CHUNKS; k++)
      chunk_pool_give (chunks[k], CHUNK_BYTES);
  }
  g_assert_cmpuint (count_mapped (chunks), <, n_slabs / 2);
  chunk_pool_trim (10 * SLAB_BYTES);
  g_assert_cmpuint (count_mapped (chunks), ==, 10);
  chunk_pool_trim (0);
  g_assert_cmpuint (count_mapped (chunks), ==, 0);
}

/* Room in slabs that are in use is ready, too. */
static void
test_pool_counts_room (void) {
  guint n_in_slab = (guint)(SLAB_BYTES / CHUNK_BYTES) - 1;
  guint n = 64 * n_in_slab;
  g_autofree gpointer *chunks = g_new (gpointer, n);

  if (KEEPS_FREED) {
    g_test_skip ("a sanitizer has no pool");
    return;
  }
  for (guint i = 0; i < n; i++)
    chunks[i] = chunk_pool_take (CHUNK_BYTES);
  chunk_pool_trim (0);
  g_assert_false (chunk_pool_has_ready (SLAB_BYTES * 4));
  /* Every second one: no slab is empty. */
  for (guint i = 0; i < n; i += 2)
    chunk_pool_give (chunks[i], CHUNK_BYTES);
  g_assert_true (chunk_pool_has_ready (SLAB_BYTES * 31));
  chunk_pool_prepare (SLAB_BYTES * 20);
  /* The others: half of the slabs are empty while that was enough, and go. */
  for (guint i = 1; i < n; i += 2)
    chunk_pool_give (chunks[i], CHUNK_BYTES);
  chunk_pool_trim (0);
  g_assert_false (chunk_pool_has_ready (SLAB_BYTES));
}

/* Who knows what will be wanted again has it kept. */
static void
test_pool_keeps_what_it_is_told (void) {
  g_autofree gpointer *chunks = g_new (gpointer, N_CHUNKS);
  guint n_slabs;

  if (KEEPS_FREED) {
    g_test_skip ("a sanitizer has no pool");
    return;
  }
  chunk_pool_keep (120 * SLAB_BYTES);
  for (guint i = 0; i < 2; i++) {
    for (guint k = 0; k < N_CHUNKS; k++)
      chunks[k] = chunk_pool_take (CHUNK_BYTES);
    for (guint k = 0; k < N_CHUNKS; k++)
      chunk_pool_give (chunks[k], CHUNK_BYTES);
    n_slabs = count_mapped (chunks);
    if (i == 0)
      g_assert_cmpuint (n_slabs, ==, 120);
    else
      g_assert_cmpuint (n_slabs, <, 60);
    chunk_pool_keep (0);
  }
  chunk_pool_trim (0);
}

/* The first slabs of a size are moved to huge pages while chunks of theirs are in use. */
static void
test_pool_keeps_what_chunks_hold (void) {
  guint n = 4 * (guint)(SLAB_BYTES / CHUNK_BYTES);
  g_autofree guint **chunks = g_new (guint *, n);

  for (guint i = 0; i < n; i++) {
    chunks[i] = chunk_pool_take (CHUNK_BYTES);
    for (guint k = 0; k < CHUNK_BYTES / sizeof (guint); k++)
      chunks[i][k] = i + k;
    for (guint before = i % 64; before <= i; before += 64)
      g_assert_cmpuint (chunks[before][i % 256], ==, before + i % 256);
  }
  for (guint i = 0; i < n; i++) {
    for (guint k = 0; k < CHUNK_BYTES / sizeof (guint); k++)
      g_assert_cmpuint (chunks[i][k], ==, i + k);
    chunk_pool_give (chunks[i], CHUNK_BYTES);
  }
  chunk_pool_trim (0);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/base/gives-freed-memory-back",
                   test_gives_freed_memory_back);
  /* First: it wants slabs that are new. */
  g_test_add_func ("/core/state/pool-keeps-what-chunks-hold",
                   test_pool_keeps_what_chunks_hold);
  g_test_add_func ("/core/state/pool-counts-room", test_pool_counts_room);
  g_test_add_func ("/core/state/pool-keeps-what-it-is-told",
                   test_pool_keeps_what_it_is_told);
  g_test_add_func ("/core/state/pool-gives-slabs-back",
                   test_pool_gives_slabs_back);
  return g_test_run ();
}
