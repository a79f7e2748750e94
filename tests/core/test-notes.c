/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-notes.c — bookmarks and notes, and their JSON */
#include "core/record/trace-notes.h"

#include <string.h>

static TraceNotes *
some_notes (void) {
  TraceNotes *notes = trace_notes_new ();

  trace_notes_add (notes, 500, 5000, "later \"quoted\"", "two\nlines");
  trace_notes_add (notes, 20, 200, "früher", "");
  trace_notes_add (notes, 500, 5000, "", "");
  g_free (notes->text);
  notes->text = g_strdup ("About it.");
  g_free (notes->view);
  notes->view = g_strdup ("{\"position\":7,\"new\":[1,2]}");
  return notes;
}

static void
test_are_sorted_and_found (void) {
  g_autoptr (TraceNotes) notes = some_notes ();
  const TraceBookmark *first = notes->bookmarks->pdata[0];

  g_assert_cmpuint (notes->bookmarks->len, ==, 3);
  g_assert_cmpstr (first->title, ==, "früher");
  g_assert_cmpuint (first->id, ==, 2);
  g_assert_cmpuint (((TraceBookmark *)notes->bookmarks->pdata[1])->id, ==, 1);
  g_assert_cmpuint (((TraceBookmark *)notes->bookmarks->pdata[2])->id, ==, 3);
  g_assert_true (trace_notes_remove (notes, 1));
  g_assert_false (trace_notes_remove (notes, 1));
  g_assert_null (trace_notes_find (notes, 1));
  /* An id is never used twice. */
  g_assert_cmpuint (trace_notes_add (notes, 1, 1, "", "")->id, ==, 4);
}

static void
test_json_round_trip (void) {
  g_autoptr (TraceNotes) notes = some_notes ();
  g_autofree char *json = trace_notes_to_json (notes);
  g_autoptr (GError) error = NULL;
  g_autoptr (TraceNotes) read
      = trace_notes_from_json (json, strlen (json), &error);
  g_autoptr (TraceNotes) copy = NULL;

  g_assert_no_error (error);
  g_assert_true (trace_notes_equal (notes, read));
  g_assert_cmpuint (read->next_id, ==, 4);
  copy = trace_notes_copy (read);
  g_assert_true (trace_notes_equal (copy, notes));
  trace_notes_remove (copy, 3);
  g_assert_false (trace_notes_equal (copy, notes));
}

static void
test_bad_json_is_refused (void) {
  static const struct {
    const char *json;
    const char *names;
  } cases[] = {
    { "", "notes" },
    { "[]", "object" },
    { "{\"bookmarks\":7}", "bookmarks" },
    { "{\"bookmarks\":[7]}", "bookmarks[0]" },
    { "{\"bookmarks\":[{\"position\":1,\"at_ns\":1}]}", "bookmarks[0].id" },
    { "{\"bookmarks\":[{\"id\":1,\"position\":-1,\"at_ns\":1}]}", "position" },
    { "{\"bookmarks\":[{\"id\":0,\"position\":1,\"at_ns\":1}]}", "id" },
    { "{\"bookmarks\":[{\"id\":1,\"position\":1,\"at_ns\":1},"
      "{\"id\":1,\"position\":1,\"at_ns\":1}]}", "bookmarks[1].id" },
    { "{\"bookmarks\":[{\"id\":1,\"position\":1,\"at_ns\":1,\"title\":2}]}",
      "title" },
    { "{\"text\":[]}", "text" },
    { "{\"next-id\":\"x\"}", "next-id" },
    { "{\"text\":\"\xff\"}", "UTF-8" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (TraceNotes) notes
        = trace_notes_from_json (cases[i].json, strlen (cases[i].json), &error);

    /* Some of it is no text that a test may print. */
    g_test_message ("case %u: %s", i, error != NULL ? error->message : "read");
    g_assert_null (notes);
    g_assert_nonnull (strstr (error->message, cases[i].names));
  }
}

static void
test_are_bounded (void) {
  g_autoptr (TraceNotes) notes = trace_notes_new ();
  g_autofree char *text = g_malloc (2 * TRACE_NOTES_MAX_TEXT + 2);
  const TraceBookmark *bookmark;

  /* An odd number of bytes before the two-byte letters: the cut would fall into
   * the middle of one. */
  text[0] = 'x';
  for (gsize i = 1; i < 2 * TRACE_NOTES_MAX_TEXT; i += 2)
    memcpy (text + i, "ü", 2);
  text[2 * TRACE_NOTES_MAX_TEXT + 1] = '\0';
  bookmark = trace_notes_add (notes, 1, 1, text, "");
  g_assert_cmpuint (strlen (bookmark->title), ==, TRACE_NOTES_MAX_TEXT - 1);
  g_assert_true (g_utf8_validate (bookmark->title, -1, NULL));
  while (notes->bookmarks->len < TRACE_NOTES_MAX_BOOKMARKS)
    g_assert_nonnull (trace_notes_add (notes, notes->bookmarks->len, 1, "", ""));
  g_assert_null (trace_notes_add (notes, 1, 1, "", ""));
}

static void
test_a_log_carries_them (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (TraceNotes) none = tracelog_dup_notes (log);
  g_autoptr (TraceNotes) notes = some_notes ();
  g_autoptr (TraceNotes) kept = NULL;

  g_assert_cmpuint (none->bookmarks->len, ==, 0);
  tracelog_set_notes (log, notes);
  kept = tracelog_dup_notes (log);
  g_assert_true (trace_notes_equal (kept, notes));
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/record/notes-are-sorted-and-found",
                   test_are_sorted_and_found);
  g_test_add_func ("/core/record/notes-json-round-trip", test_json_round_trip);
  g_test_add_func ("/core/record/notes-bad-json-is-refused",
                   test_bad_json_is_refused);
  g_test_add_func ("/core/record/notes-are-bounded", test_are_bounded);
  g_test_add_func ("/core/record/notes-a-log-carries-them",
                   test_a_log_carries_them);
  return g_test_run ();
}
