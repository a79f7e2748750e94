/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-cache-file.c — what was put into a cache's file is read back, and is gone when
 * it is dropped */
#include "core/state/cache-file.h"
#include "tests/core/unnamed-file.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define N_PIECES 40u

static guint8
byte_of (guint piece,
         gsize at) {
  return (guint8)(piece * 37 + at * 11 + (at >> 8) + 1);
}

/* From a few bytes to some blocks of a file system. */
static gsize
size_of (guint piece) {
  return piece % 3 == 0 ? 9000 + 517 * (gsize)piece : 100 + 41 * (gsize)piece;
}

static gboolean
is_whole (CacheFile *file,
          guint      piece,
          guint64    at) {
  gsize size = size_of (piece);
  g_autofree guint8 *bytes = g_malloc (size);

  g_assert_true (cache_file_read (file, at, size, bytes));
  for (gsize i = 0; i < size; i++)
    if (bytes[i] != byte_of (piece, i))
      return FALSE;
  return TRUE;
}

static void
append (CacheFile *file,
        guint      piece,
        guint64   *at) {
  gsize size = size_of (piece);
  g_autofree guint8 *bytes = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    bytes[i] = byte_of (piece, i);
  g_assert_true (cache_file_append (file, bytes, size, at));
}

static void
test_pieces_come_back (void) {
  g_autoptr (CacheFile) file = cache_file_new (8);
  guint64 at[N_PIECES];

  g_assert_nonnull (file);
  for (guint i = 0; i < N_PIECES; i++)
    append (file, i, &at[i]);
  for (guint i = N_PIECES; i > 0; i--)
    g_assert_true (is_whole (file, i - 1, at[i - 1]));
}

static void
test_dropped_takes_no_other (void) {
  g_autoptr (CacheFile) file = cache_file_new (CACHE_FILE_BLOCK);
  guint64 at[N_PIECES];

  g_assert_nonnull (file);
  for (guint i = 0; i < N_PIECES; i++)
    append (file, i, &at[i]);
  for (guint i = 0; i < N_PIECES; i++)
    g_assert_cmpuint (at[i] % CACHE_FILE_BLOCK, ==, 0);
  for (guint i = 0; i < N_PIECES; i += 2)
    cache_file_drop (file, at[i], size_of (i));
  for (guint i = 1; i < N_PIECES; i += 2)
    g_assert_true (is_whole (file, i, at[i]));
}

static void
test_mapped_is_what_was_put (void) {
  g_autoptr (CacheFile) file = cache_file_new (CACHE_FILE_BLOCK);
  CacheMapping mapped[N_PIECES];
  guint64 at;

  g_assert_nonnull (file);
  for (guint i = 0; i < N_PIECES; i++) {
    append (file, i, &at);
    cache_file_map (file, at, size_of (i), &mapped[i]);
  }
  for (guint i = 0; i < N_PIECES; i++) {
    const guint8 *bytes = mapped[i].bytes;

    /* There are machines with larger pages. */
    if (bytes == NULL)
      continue;
    for (gsize k = 0; k < size_of (i); k++)
      g_assert_cmpuint (bytes[k], ==, byte_of (i, k));
    g_assert_true (cache_mapping_is_whole (&mapped[i]));
    g_assert_true (cache_file_unmap (file, &mapped[i]));
  }
  g_assert_false (cache_file_has_failed (file));
}

/* As a disk's error does to it: what is mapped cannot be had any more. */
static void
test_cut_under_a_mapping (void) {
  g_autoptr (CacheFile) file = cache_file_new (CACHE_FILE_BLOCK);
  CacheMapping whole, cut, again;
  guint64 first, second;
  const guint8 *bytes;
  guint8 byte;

  g_assert_nonnull (file);
  append (file, 3, &first);
  append (file, 6, &second);
  if (!cache_file_map (file, first, size_of (3), &whole)
      || !cache_file_map (file, second, size_of (6), &cut)) {
    g_test_skip ("pages are larger than a block");
    return;
  }
  unnamed_file_cut ((off_t)second + CACHE_FILE_BLOCK);
  bytes = cut.bytes;
  for (gsize k = 0; k < CACHE_FILE_BLOCK; k++)
    g_assert_cmpuint (bytes[k], ==, byte_of (6, k));
  g_assert_true (cache_mapping_is_whole (&cut));
  for (gsize k = CACHE_FILE_BLOCK; k < size_of (6); k++)
    g_assert_cmpuint (bytes[k], ==, 0);
  g_assert_false (cache_mapping_is_whole (&cut));
  g_assert_false (cache_file_unmap (file, &cut));

  g_assert_true (cache_mapping_is_whole (&whole));
  g_assert_true (cache_file_unmap (file, &whole));
  g_assert_true (cache_file_has_failed (file));
  g_assert_false (cache_file_append (file, &byte, 1, &second));
  /* Another mapping begins anew. */
  g_assert_true (cache_file_map (file, first, size_of (3), &again));
  g_assert_cmpuint (((const guint8 *)again.bytes)[7], ==, byte_of (3, 7));
  g_assert_true (cache_file_unmap (file, &again));
}

static void
test_cut_is_told (void) {
  g_autoptr (CacheFile) file = cache_file_new (CACHE_FILE_BLOCK);
  guint8 bytes[200];
  guint64 at;

  g_assert_nonnull (file);
  append (file, 3, &at);
  unnamed_file_cut (100);
  g_assert_true (cache_file_read (file, at, 100, bytes));
  g_assert_false (cache_file_has_failed (file));
  g_assert_false (cache_file_read (file, at, 101, bytes));
  g_assert_true (cache_file_has_failed (file));
}

/* What is mapped by others, and is cut, ends the process as ever. */
static void
test_other_mappings_are_not_guarded (void) {
  if (g_test_subprocess ()) {
    g_autoptr (CacheFile) file = cache_file_new (CACHE_FILE_BLOCK);
    struct rlimit none = { 0, 0 };
    CacheMapping guarded;
    const guint8 *bytes;
    guint64 at;
    int fd;

    setrlimit (RLIMIT_CORE, &none);
    append (file, 3, &at);
    g_assert_true (cache_file_map (file, at, size_of (3), &guarded));
    fd = unnamed_file_open ();
    bytes = mmap (NULL, CACHE_FILE_BLOCK, PROT_READ, MAP_SHARED, fd, 0);
    g_assert_true (bytes != MAP_FAILED);
    unnamed_file_cut (0);
    exit (*(volatile const guint8 *)bytes * 0);
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
}

static void
test_end_is_told (void) {
  g_autoptr (CacheFile) file = cache_file_new (8);
  guint64 at;
  guint8 byte = 0;

  g_assert_nonnull (file);
  append (file, 1, &at);
  g_assert_false (cache_file_read (file, at + size_of (1), 1, &byte));
  g_assert_cmpuint (cache_file_get_limit (file), <=, cache_file_most_bytes ());
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/cache-file/pieces-come-back", test_pieces_come_back);
  g_test_add_func ("/core/cache-file/dropped-takes-no-other",
                   test_dropped_takes_no_other);
  g_test_add_func ("/core/cache-file/mapped-is-what-was-put",
                   test_mapped_is_what_was_put);
  g_test_add_func ("/core/cache-file/cut-under-a-mapping",
                   test_cut_under_a_mapping);
  g_test_add_func ("/core/cache-file/cut-is-told", test_cut_is_told);
  g_test_add_func ("/core/cache-file/other-mappings-are-not-guarded",
                   test_other_mappings_are_not_guarded);
  g_test_add_func ("/core/cache-file/end-is-told", test_end_is_told);
  return g_test_run ();
}
