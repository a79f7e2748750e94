/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-tracelog-versions.c — files of older versions and of newer ones, and where
 * a warning says that they are damaged */
#include "core/record/crc32c.h"
#include "core/record/tracelog-private.h"
#include "tests/core/recording-file.h"

#include <string.h>

static void
test_newer_minor (Fixture      *fixture,
                  gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (50);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  g_autoptr (GBytes) newer = NULL;
  g_autoptr (GBytes) strict = NULL;
  g_autoptr (TraceLog) back = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *warning = NULL;
  g_autofree char *said = NULL;
  Chunk chunk = { .type = 77, .codec = 9 };

  newer = with_chunk (bytes, second_chunk (bytes), &chunk, "bookmark");
  back = tracelog_open_bytes (newer, "run.tophash", &warning, &error);
  g_assert_no_error (error);
  g_assert_null (warning);
  g_assert_cmpuint (tracelog_get_length (back), ==, 50);
  said = tracelog_dup_newer (back);
  g_assert_nonnull (said);

  chunk.flags = CHUNK_MUST_KNOW;
  strict = with_chunk (bytes, second_chunk (bytes), &chunk, "bookmark");
  g_assert_null (tracelog_open_bytes (strict, "run.tophash", NULL, &error));
  g_assert_error (error, TRACELOG_FILE_ERROR, TRACELOG_FILE_ERROR_CORRUPT);
  g_assert_nonnull (strstr (error->message, "newer version"));
}

/* The same bytes as a file of version 1.@minor with @features. */
static GBytes *
with_version (GBytes *bytes,
              guint   minor,
              guint   features) {
  gsize size = g_bytes_get_size (bytes);
  guint8 *data = g_memdup2 (g_bytes_get_data (bytes, NULL), size);

  bytes_put (data + 10, 2, minor);
  bytes_put (data + 44, 4, bytes_get (data + 44, 4) | features);
  bytes_put (data + 60, 4, crc32c (0, data, 60));
  return g_bytes_new_take (data, size);
}

/* What this version has no words for is neither shown nor copied: that is said, and
 * the file itself stays as it is. */
static void
test_newer_is_told (Fixture      *fixture,
                    gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (50);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  g_autoptr (GBytes) newer = with_version (bytes, FILE_MINOR + 1, 0);
  g_autoptr (GBytes) after = NULL;
  g_autoptr (TraceLog) back = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *warning = NULL;
  g_autofree char *said = tracelog_dup_newer (log);

  g_assert_null (said);
  g_assert_true (g_file_replace_contents (
      fixture->file, g_bytes_get_data (newer, NULL), g_bytes_get_size (newer), NULL,
      FALSE, 0, NULL, NULL, NULL));
  back = tracelog_open (fixture->file, NULL, NULL, NULL, &warning, &error);
  g_assert_no_error (error);
  g_assert_null (warning);
  g_assert_false (tracelog_lacks_parts (back));
  said = tracelog_dup_newer (back);
  g_assert_nonnull (said);
  g_assert_nonnull (strstr (said, "“run.tophash” was made by a newer version"));
  g_assert_false (tracelog_save_notes (back, fixture->file, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  after = g_file_load_bytes (fixture->file, NULL, NULL, NULL);
  g_assert_true (g_bytes_equal (newer, after));

  /* A copy is a file of this version, and takes notes. */
  g_assert_true (tracelog_save (back, fixture->file, NULL, NULL, NULL, &error));
  g_assert_true (tracelog_save_notes (back, fixture->file, &error));
  g_assert_no_error (error);
}

/* Refused, with the bits that are not known, and with no others. */
static void
test_newer_features (Fixture      *fixture,
                     gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (50);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  g_autoptr (GBytes) newer = with_version (bytes, FILE_MINOR + 1, 0x40000000);
  g_autoptr (GError) error = NULL;

  g_assert_null (tracelog_open_bytes (newer, "run.tophash", NULL, &error));
  g_assert_error (error, TRACELOG_FILE_ERROR, TRACELOG_FILE_ERROR_NEWER);
  g_assert_nonnull (strstr (error->message, "byte 44"));
  g_assert_nonnull (strstr (error->message, "features 40000000"));
}

/* A whole file with a chunk that must be known before @at, which its END names. */
static GBytes *
with_named_chunk (GBytes *bytes,
                  gsize   at) {
  Chunk chunk = { .type = 77, .flags = CHUNK_MUST_KNOW };
  g_autoptr (GBytes) more = with_chunk (bytes, at, &chunk, "bookmark");
  gsize size = g_bytes_get_size (more);
  g_autofree guint8 *data = g_malloc0 (size + PLACE_SIZE);
  gsize end_at = at + CHUNK_HEADER_SIZE + strlen ("bookmark");
  guint8 *contents = data + end_at + CHUNK_HEADER_SIZE;

  memcpy (data, g_bytes_get_data (more, NULL), size);
  g_assert_true (chunk_read (&chunk, data + end_at));
  g_assert_cmpuint (chunk.type, ==, CHUNK_END);
  /* In front of the places: what END says of itself is the last. */
  memmove (contents + PLACE_SIZE, contents, chunk.stored_size);
  bytes_put (contents, 8, 77);
  bytes_put (contents + 8, 8, at);
  bytes_put (contents + 16, 8, chunk.first);
  chunk.stored_size = chunk.raw_size = chunk.stored_size + PLACE_SIZE;
  bytes_put (contents + chunk.stored_size - 8, 8, end_at);
  chunk.payload_crc = crc32c (0, contents, chunk.stored_size);
  chunk_write (data + end_at, &chunk);
  return g_bytes_new (data, size + PLACE_SIZE);
}

/* Who goes by END must not pass over what a newer version says must be known. */
static void
test_newer_named (Fixture      *fixture,
                  gconstpointer unused) {
  guint64 n = TRACE_BLOCK_EVENTS + 40;
  g_autoptr (TraceLog) log = make_log (n);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  gsize end_at = bytes_get (data + g_bytes_get_size (bytes) - 8, 8);
  g_autoptr (GBytes) newer = with_named_chunk (bytes, end_at);
  g_autoptr (TraceLog) back = NULL;
  g_autofree char *warning = NULL;

  back = tracelog_open_bytes (newer, "run.tophash", &warning, NULL);
  g_assert_nonnull (back);
  assert_same_events (log, back, n);
  g_assert_nonnull (warning);
  g_assert_nonnull (strstr (warning, "newer version"));
  g_assert_null (strstr (warning, "damaged"));
}

/* A warning names the byte of what is damaged, not of the last block. */
static void
test_warned_place (Fixture      *fixture,
                   gconstpointer unused) {
  guint64 n = TRACE_BLOCK_EVENTS + 40;
  g_autoptr (TraceLog) log = make_log (n);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  gsize size = g_bytes_get_size (bytes);
  g_autofree guint8 *data = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
  gsize end_at = bytes_get (data + size - 8, 8);
  g_autofree char *place = g_strdup_printf ("byte %" G_GSIZE_FORMAT ":", end_at);
  g_autoptr (GBytes) bad = NULL;
  g_autoptr (TraceLog) back = NULL;
  g_autofree char *warning = NULL;

  data[end_at + CHUNK_HEADER_SIZE] ^= 1;
  bad = g_bytes_new (data, size);
  back = tracelog_open_bytes (bad, "run.tophash", &warning, NULL);
  assert_same_events (log, back, n);
  g_assert_nonnull (warning);
  g_assert_nonnull (strstr (warning, place));
}

/* It is opened, says what it lacks, and still does when it is saved. */
static void
test_older_minor (Fixture      *fixture,
                  gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (50);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  gsize size = g_bytes_get_size (bytes);
  g_autofree guint8 *data = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
  g_autoptr (GBytes) older = NULL;
  g_autoptr (GBytes) again = NULL;
  g_autoptr (TraceLog) back = NULL;
  g_autoptr (GError) error = NULL;
  TraceHonesty honesty;

  tracelog_get_honesty (log, &honesty);
  g_assert_false (honesty.lacks_raises);
  g_assert_cmpuint (bytes_get (data + 10, 2), ==, FILE_MINOR);
  bytes_put (data + 10, 2, FILE_MINOR_RAISES - 1);
  bytes_put (data + 60, 4, crc32c (0, data, 60));
  older = g_bytes_new (data, size);
  back = tracelog_open_bytes (older, "run.tophash", NULL, &error);
  g_assert_no_error (error);
  tracelog_get_honesty (back, &honesty);
  g_assert_true (honesty.lacks_raises && honesty.is_complete);
  assert_same_events (log, back, 50);
  again = log_to_bytes (back, fixture->file);
  g_assert_cmpuint (bytes_get ((const guint8 *)g_bytes_get_data (again, NULL)
                                   + 10, 2), ==, FILE_MINOR);
  g_clear_pointer (&back, tracelog_unref);
  back = tracelog_open_bytes (again, "run.tophash", NULL, &error);
  tracelog_get_honesty (back, &honesty);
  g_assert_true (honesty.lacks_raises && honesty.is_complete);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) \
  g_test_add ("/core/record/versions/" name, Fixture, NULL, set_up, function, \
              tear_down)
  ADD ("newer-minor", test_newer_minor);
  ADD ("newer-features", test_newer_features);
  ADD ("newer-is-told", test_newer_is_told);
  ADD ("newer-named-by-the-end", test_newer_named);
  ADD ("older-minor", test_older_minor);
  ADD ("warning-names-the-place", test_warned_place);
#undef ADD
  return g_test_run ();
}
