/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-cache-file.c — what was put into a cache's file is read back, and is gone when
 * it is dropped */
#include "core/state/cache-file.h"

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
is_whole (const CacheFile *file,
          guint            piece,
          guint64          at) {
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

/* Longer than the file is open, too. */
static void
test_mapped_is_what_was_put (void) {
  CacheFile *file = cache_file_new (CACHE_FILE_BLOCK);
  const guint8 *mapped[N_PIECES];
  guint64 at;

  g_assert_nonnull (file);
  for (guint i = 0; i < N_PIECES; i++) {
    append (file, i, &at);
    mapped[i] = cache_file_map (file, at, size_of (i));
  }
  cache_file_unref (file);
  for (guint i = 0; i < N_PIECES; i++) {
    /* There are machines with larger pages. */
    if (mapped[i] == NULL)
      continue;
    for (gsize k = 0; k < size_of (i); k++)
      g_assert_cmpuint (mapped[i][k], ==, byte_of (i, k));
    cache_file_unmap (mapped[i], size_of (i));
  }
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
  g_test_add_func ("/core/cache-file/end-is-told", test_end_is_told);
  return g_test_run ();
}
