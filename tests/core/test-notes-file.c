/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-notes-file.c — what people add comes back, and nothing is lost for it */
#include "core/record/crc32c.h"
#include "core/record/trace-notes.h"
#include "core/record/trace-store-private.h"
#include "tests/core/recording-file.h"

#include <string.h>
#include <unistd.h>

static TraceNotes *
make_notes (guint n) {
  TraceNotes *notes = trace_notes_new ();

  for (guint i = 0; i < n; i++) {
    g_autofree char *title = g_strdup_printf ("„%u“ \\ \"\n", i);

    trace_notes_add (notes, G_MAXINT64 - i / 2, i, title, i % 2 ? "" : "note");
  }
  g_free (notes->text);
  notes->text = g_strdup ("about 🙂 it");
  g_free (notes->view);
  notes->view = g_strdup ("{\"zoom\":2}");
  return notes;
}

/* With the recording, and then alone, some KiB behind it. */
static void
test_in_file (Fixture      *fixture,
              gconstpointer unused) {
  guint64 n = 3 * TRACE_BLOCK_EVENTS + 5;
  g_autoptr (TraceLog) log = make_log (n);
  g_autoptr (TraceNotes) none = trace_notes_new ();
  g_autoptr (GError) error = NULL;
  gint64 size = 0;

  for (guint round = 0; round < 4; round++) {
    g_autoptr (TraceNotes) notes = make_notes (3 * round);
    g_autoptr (TraceNotes) found = NULL;
    g_autoptr (TraceLog) back = NULL;
    g_autofree char *warning = NULL;

    tracelog_set_notes (log, notes);
    if (round == 0)
      tracelog_save (log, fixture->file, NULL, NULL, NULL, &error);
    else
      tracelog_save_notes (log, fixture->file, &error);
    g_assert_no_error (error);
    back = tracelog_open (fixture->file, NULL, NULL, NULL, &warning, &error);
    g_assert_no_error (error);
    g_assert_null (warning);
    found = tracelog_dup_notes (back);
    g_assert_true (trace_notes_equal (notes, found));
    assert_same_events (log, back, n);
    /* Who opened the file may change its notes too. */
    tracelog_set_notes (back, none);
    if (round == 2)
      g_assert_true (tracelog_save_notes (back, fixture->file, &error));
    {
      g_autoptr (GBytes) bytes
          = g_file_load_bytes (fixture->file, NULL, NULL, NULL);

      g_assert_true (round == 0
                     || (gint64)g_bytes_get_size (bytes) < size + 4096);
      size = (gint64)g_bytes_get_size (bytes);
    }
  }
}

/* What recording costs was measured after the file was made: it goes with the notes,
 * beside what it says of the run, and once. */
static void
test_with_its_cost (Fixture      *fixture,
                    gconstpointer unused) {
  guint64 n = TRACE_BLOCK_EVENTS + 5;
  g_autoptr (TraceLog) log = make_log (n);
  g_autoptr (GBytes) before = log_to_bytes (log, fixture->file);
  gsize sizes[3] = { g_bytes_get_size (before) };
  TraceHonesty told, honesty;

  tracelog_get_honesty (log, &told);
  tracelog_set_cost (log, 228.1236, 1700.5);
  for (guint i = 1; i < 3; i++) {
    g_autoptr (TraceLog) back = NULL;
    g_autoptr (GBytes) bytes = NULL;
    g_autoptr (GArray) waits = NULL;
    g_autofree char *warning = NULL;

    g_assert_true (tracelog_save_notes (log, fixture->file, NULL));
    back = tracelog_open (fixture->file, NULL, NULL, NULL, &warning, NULL);
    g_assert_null (warning);
    tracelog_get_honesty (back, &honesty);
    g_assert_cmpfloat_with_epsilon (honesty.blind_ns, 228.1236, 0.001);
    g_assert_cmpfloat_with_epsilon (honesty.recorded_ns, 1700.5, 0.001);
    g_assert_cmpuint (honesty.n_stalls, ==, told.n_stalls);
    g_assert_cmpuint (honesty.n_events, ==, n);
    g_assert_true (honesty.is_complete);
    waits = tracelog_dup_waits (back);
    g_assert_cmpuint (waits->len, ==, 2);
    bytes = g_file_load_bytes (fixture->file, NULL, NULL, NULL);
    sizes[i] = g_bytes_get_size (bytes);
  }
  /* The second time there were notes and an END alone. */
  g_assert_cmpuint (sizes[2] - sizes[1] + CHUNK_HEADER_SIZE, <=, sizes[1] - sizes[0]);
}

/* Cut at every byte of notes that were appended: the recording is whole, the
 * former notes are there. */
static void
test_cut (Fixture      *fixture,
          gconstpointer unused) {
  guint64 n = TRACE_BLOCK_EVENTS + 5;
  g_autoptr (TraceLog) log = make_log (n);
  g_autoptr (TraceNotes) former = make_notes (2);
  g_autoptr (TraceNotes) latter = make_notes (3);
  g_autoptr (GBytes) before = NULL;
  g_autoptr (GBytes) after = NULL;

  tracelog_set_notes (log, former);
  before = log_to_bytes (log, fixture->file);
  tracelog_set_notes (log, latter);
  g_assert_true (tracelog_save_notes (log, fixture->file, NULL));
  after = g_file_load_bytes (fixture->file, NULL, NULL, NULL);
  for (gsize size = g_bytes_get_size (before); size <= g_bytes_get_size (after);
       size++) {
    g_autoptr (GBytes) part = g_bytes_new_from_bytes (after, 0, size);
    g_autofree char *warning = NULL;
    g_autoptr (TraceLog) back
        = tracelog_open_bytes (part, "run.tophash", &warning, NULL);
    g_autoptr (TraceNotes) found = tracelog_dup_notes (back);

    g_assert_cmpuint (tracelog_get_length (back), ==, n);
    g_assert_true (trace_notes_equal (found, former)
                   || trace_notes_equal (found, latter));
    g_assert_true ((warning == NULL)
                   == (size == g_bytes_get_size (before)
                       || size == g_bytes_get_size (after)));
  }
}

/* Not into another recording, an older file, or half of one. */
static void
test_refused (Fixture      *fixture,
              gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (50);
  g_autoptr (TraceLog) other = make_log (50);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  g_autoptr (GError) error = NULL;

  g_assert_false (tracelog_save_notes (other, fixture->file, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  g_assert_true (tracelog_save_notes (log, fixture->file, &error));
  g_assert_cmpint (truncate (g_file_peek_path (fixture->file),
                             (off_t)g_bytes_get_size (bytes) - 1), ==, 0);
  g_assert_false (tracelog_save_notes (log, fixture->file, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
}

/* Bad notes cost a sentence, no event. */
static void
test_damaged (Fixture      *fixture,
              gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (50);
  g_autoptr (TraceNotes) notes = make_notes (2);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) bad = NULL;
  g_autoptr (TraceLog) back = NULL;
  g_autofree char *warning = NULL;
  g_autofree guint8 *copy = NULL;
  TraceHonesty honesty;
  gsize size;
  char *place;

  tracelog_set_notes (log, notes);
  bytes = log_to_bytes (log, fixture->file);
  size = g_bytes_get_size (bytes);
  copy = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
  place = memmem (copy, size, "about", 5);
  g_assert_nonnull (place);
  *place = 'A';
  bad = g_bytes_new (copy, size);
  back = tracelog_open_bytes (bad, "run.tophash", &warning, NULL);
  g_assert_nonnull (strstr (warning, "notes"));
  g_assert_cmpuint (tracelog_get_length (back), ==, 50);
  tracelog_get_honesty (back, &honesty);
  g_assert_true (honesty.is_complete);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test)                                                \
  g_test_add ("/core/notes-file/" name, Fixture, NULL, set_up, test,   \
              tear_down)
  ADD ("in-file", test_in_file);
  ADD ("with-its-cost", test_with_its_cost);
  ADD ("cut", test_cut);
  ADD ("refused", test_refused);
  ADD ("damaged", test_damaged);
  return g_test_run ();
}
