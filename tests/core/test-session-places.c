/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-session-places.c — bookmarks, back and forward, markers, searches */
#include "core/model/tophash-session.h"

#define N_EVENTS 20000

/* A log of misses counted, one a microsecond, shown to its end. */
static TophashSession *
session_on_a_log (void) {
  TophashSession *session = tophash_session_new ();
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  Event event = { .kind = EVENT_MISS_COUNTED };

  for (guint i = 0; i < N_EVENTS; i++) {
    event.at_ns = i * 1000;
    event.res = i % 1000;
    event.ver = i + 1;
    tracelog_append (log, &event);
  }
  tracelog_publish (log);
  tracelog_finish (log, FALSE);
  tophash_session_set_log (session, log);
  while (tophash_session_needs_ticks (session))
    tophash_session_tick (session, g_get_monotonic_time ());
  return session;
}

static void
test_jumps_can_be_taken_back (void) {
  g_autoptr (TophashSession) session = session_on_a_log ();

  g_assert_false (tophash_session_can_go_back (session));
  tophash_session_seek (session, 100);
  tophash_session_seek (session, 9000);
  tophash_session_step (session, 1);
  tophash_session_seek (session, 300);
  g_assert_false (tophash_session_can_go_forward (session));

  tophash_session_go_back (session);
  g_assert_cmpuint (tophash_session_get_position (session), ==, 9001);
  tophash_session_go_back (session);
  g_assert_cmpuint (tophash_session_get_position (session), ==, 100);
  tophash_session_go_forward (session);
  tophash_session_go_forward (session);
  g_assert_cmpuint (tophash_session_get_position (session), ==, 300);
  g_assert_false (tophash_session_can_go_forward (session));

  /* A new jump forgets what lay ahead; a step is none. */
  tophash_session_go_back (session);
  tophash_session_step (session, 1);
  g_assert_true (tophash_session_can_go_forward (session));
  tophash_session_seek (session, 0);
  g_assert_false (tophash_session_can_go_forward (session));
  for (guint i = 0; i < 1000; i++)
    tophash_session_seek (session, i % 2 == 0 ? N_EVENTS : 0);
  for (guint i = 0; i < 1000; i++)
    tophash_session_go_back (session);
  g_assert_false (tophash_session_can_go_back (session));
}

static void
test_bookmarks_are_set_and_undone (void) {
  g_autoptr (TophashSession) session = session_on_a_log ();
  const TraceNotes *notes;
  guint64 late, early;

  g_assert_false (tophash_session_undo_notes (session));
  tophash_session_seek (session, 5000);
  late = tophash_session_add_bookmark (session, "late", "");
  tophash_session_seek (session, 70);
  early = tophash_session_add_bookmark (session, "early", "why");
  g_assert_cmpuint (early, !=, 0);
  g_assert_cmpuint (early, !=, late);
  g_assert_true (tophash_session_is_unsaved (session));
  notes = tophash_session_get_notes (session);
  g_assert_cmpuint (notes->bookmarks->len, ==, 2);
  g_assert_cmpuint (((TraceBookmark *)notes->bookmarks->pdata[0])->id, ==, early);
  g_assert_cmpint (((TraceBookmark *)notes->bookmarks->pdata[0])->at_ns, ==,
                   69000);

  g_assert_true (tophash_session_step_bookmark (session, TRUE));
  g_assert_cmpuint (tophash_session_get_position (session), ==, 5000);
  g_assert_false (tophash_session_step_bookmark (session, TRUE));
  g_assert_true (tophash_session_step_bookmark (session, FALSE));
  g_assert_cmpuint (tophash_session_get_position (session), ==, 70);

  tophash_session_edit_bookmark (session, late, "last", "");
  tophash_session_remove_bookmark (session, early);
  tophash_session_set_text (session, "a lesson");
  notes = tophash_session_get_notes (session);
  g_assert_cmpuint (notes->bookmarks->len, ==, 1);
  g_assert_cmpstr (notes->text, ==, "a lesson");
  g_assert_true (tophash_session_undo_notes (session));
  g_assert_true (tophash_session_undo_notes (session));
  notes = tophash_session_get_notes (session);
  g_assert_cmpuint (notes->bookmarks->len, ==, 2);
  g_assert_cmpstr (((TraceBookmark *)notes->bookmarks->pdata[1])->title, ==,
                   "last");
  g_assert_true (tophash_session_undo_notes (session));
  notes = tophash_session_get_notes (session);
  g_assert_cmpstr (((TraceBookmark *)notes->bookmarks->pdata[1])->title, ==,
                   "late");
  /* The log has them too: what is saved is what is seen. */
  {
    g_autoptr (TraceNotes) saved
        = tracelog_dup_notes (tophash_session_get_log (session));

    g_assert_true (trace_notes_equal (saved, notes));
  }
}

static void
test_the_view_is_kept (void) {
  g_autoptr (TophashSession) session = session_on_a_log ();
  g_autoptr (TophashSession) other = tophash_session_new ();
  gint64 from_ns, to_ns;

  tophash_session_seek (session, 1234);
  tophash_session_set_range (session, 2000, 900000);
  tophash_session_store_view (session);
  g_assert_false (tophash_session_is_unsaved (session));

  tophash_session_set_log (other, tophash_session_get_log (session));
  tophash_session_restore_view (other);
  while (tophash_session_needs_ticks (other))
    tophash_session_tick (other, g_get_monotonic_time ());
  g_assert_cmpuint (tophash_session_get_position (other), ==, 1234);
  g_assert_false (tophash_session_can_go_back (other));
  tophash_session_get_range (other, &from_ns, &to_ns);
  g_assert_cmpint (from_ns, ==, 2000);
  g_assert_cmpint (to_ns, ==, 900000);
}

/* Opens @log anew, as after a save, until its view stands. */
static TophashSession *
open_again (TraceLog *log) {
  TophashSession *session = tophash_session_new ();

  tophash_session_set_log (session, log);
  tophash_session_restore_view (session);
  while (tophash_session_needs_ticks (session))
    tophash_session_tick (session, g_get_monotonic_time ());
  return session;
}

static void
test_markers_are_kept (void) {
  g_autoptr (TophashSession) session = session_on_a_log ();
  TraceLog *log = tophash_session_get_log (session);
  g_autoptr (TophashSession) one = NULL;
  g_autoptr (TophashSession) both = NULL;
  g_autoptr (TophashSession) none = NULL;
  SessionDifference difference;
  SessionMarker marker;

  tophash_session_seek (session, 700);
  tophash_session_set_marker (session, 1);
  tophash_session_store_view (session);
  g_assert_false (tophash_session_is_unsaved (session));
  one = open_again (log);
  while (!tophash_session_get_marker (one, 1, &marker))
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (marker.position, ==, 700);
  g_assert_false (tophash_session_get_marker (one, 0, &marker));

  /* Saved again before the other state is there. */
  tophash_session_seek (session, 15000);
  tophash_session_set_marker (session, 0);
  tophash_session_store_view (session);
  tophash_session_set_log (one, log);
  tophash_session_restore_view (one);
  tophash_session_store_view (one);
  both = open_again (log);
  while (!tophash_session_get_difference (both, &difference))
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (difference.n_events, ==, 15000 - 700);
  g_assert_cmpuint (difference.n_misses, ==, 15000 - 700);

  tophash_session_clear_markers (both);
  tophash_session_store_view (both);
  none = open_again (log);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_false (tophash_session_get_marker (none, 0, &marker));
  g_assert_false (tophash_session_get_marker (none, 1, &marker));
}

/* Views that nobody stored: none of their markers is set where nothing is. */
static void
test_markers_of_strange_views (void) {
  const char *const views[] = {
    "{\"marker_a\":-1,\"marker_b\":\"9\"}",
    "{\"marker_a\":{\"position\":5},\"marker_b\":[1]}",
    "{\"marker_a\":null,\"marker_b\":9223372036854775807}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (views); i++) {
    g_autoptr (TophashSession) session = session_on_a_log ();
    TraceLog *log = tophash_session_get_log (session);
    g_autoptr (TraceNotes) notes = tracelog_dup_notes (log);
    g_autoptr (TophashSession) other = NULL;
    SessionMarker marker;

    g_free (notes->view);
    notes->view = g_strdup (views[i]);
    tracelog_set_notes (log, notes);
    other = open_again (log);
    while (g_main_context_iteration (NULL, FALSE))
      ;
    g_assert_false (tophash_session_get_marker (other, 0, &marker));
    if (tophash_session_get_marker (other, 1, &marker))
      g_assert_cmpuint (marker.position, <=, N_EVENTS);
  }
}

static void
go_there (TophashSession *session,
          guint64         position) {
  tophash_session_seek (session, position);
  while (map_state_n_events (tophash_session_get_state (session)) != position)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_markers_tell_the_difference (void) {
  g_autoptr (TophashSession) session = session_on_a_log ();
  SessionDifference difference;
  SessionMarker marker;

  go_there (session, 500);
  g_assert_false (tophash_session_get_marker (session, 1, &marker));
  tophash_session_set_marker (session, 1);
  g_assert_false (tophash_session_get_difference (session, &difference));
  go_there (session, 100);
  tophash_session_set_marker (session, 0);
  g_assert_true (tophash_session_get_marker (session, 1, &marker));
  g_assert_cmpuint (marker.position, ==, 500);
  g_assert_true (tophash_session_get_difference (session, &difference));
  g_assert_cmpuint (difference.n_events, ==, 400);
  g_assert_cmpint (difference.ns, ==, 400000);
  g_assert_cmpuint (difference.n_misses, ==, 400);
  /* The other way round it is the same. */
  go_there (session, 900);
  tophash_session_set_marker (session, 0);
  g_assert_true (tophash_session_get_difference (session, &difference));
  g_assert_cmpuint (difference.n_events, ==, 400);
  tophash_session_clear_markers (session);
  g_assert_false (tophash_session_get_marker (session, 0, &marker));
}

static void
test_hits_are_stepped_through (void) {
  g_autoptr (TophashSession) session = session_on_a_log ();
  g_autoptr (GError) error = NULL;

  g_assert_false (tophash_session_search (session, "misses =", &error));
  g_assert_error (error, EVENT_QUERY_ERROR, error->code);
  g_assert_null (tophash_session_get_search (session));
  g_clear_error (&error);

  g_assert_true (tophash_session_search (session, "misses = 500", &error));
  g_assert_no_error (error);
  while (tophash_session_needs_ticks (session))
    tophash_session_tick (session, g_get_monotonic_time ());
  g_assert_cmpuint (timeline_search_get_n (tophash_session_get_search (session)),
                    ==, N_EVENTS / 1000);
  tophash_session_seek (session, 0);
  g_assert_false (tophash_session_step_hit (session, FALSE));
  g_assert_true (tophash_session_step_hit (session, TRUE));
  g_assert_cmpuint (tophash_session_get_position (session), ==, 501);
  g_assert_true (tophash_session_step_hit (session, TRUE));
  g_assert_cmpuint (tophash_session_get_position (session), ==, 1501);
  g_assert_true (tophash_session_step_hit (session, FALSE));
  g_assert_cmpuint (tophash_session_get_position (session), ==, 501);
  tophash_session_seek (session, N_EVENTS);
  g_assert_false (tophash_session_step_hit (session, TRUE));

  g_assert_true (tophash_session_search (session, "", &error));
  g_assert_null (tophash_session_get_search (session));
  g_assert_false (tophash_session_step_hit (session, TRUE));
}

static void
assert_in_view (TophashSession *session,
                gint64          span_ns) {
  gint64 from_ns, to_ns;
  gint64 at_ns = map_state_at_ns (tophash_session_get_state (session));

  tophash_session_get_range (session, &from_ns, &to_ns);
  g_assert_cmpint (from_ns, >=, 0);
  g_assert_cmpint (to_ns, <=, (N_EVENTS - 1) * 1000);
  g_assert_cmpint (to_ns - from_ns, ==, span_ns);
  g_assert_cmpint (at_ns, >=, from_ns);
  g_assert_cmpint (at_ns, <=, to_ns);
}

static void
wait_there (TophashSession *session) {
  while (map_state_n_events (tophash_session_get_state (session))
         != tophash_session_get_position (session))
    g_main_context_iteration (NULL, TRUE);
}

static void
test_the_cursor_stays_in_view (void) {
  g_autoptr (TophashSession) session = session_on_a_log ();
  static const guint64 places[] = { 1500, 2002, 2003, 995, 15000, N_EVENTS, 0 };
  gint64 from_ns, to_ns;

  tophash_session_seek (session, 1600);
  tophash_session_set_range (session, 1000000, 2000000);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    tophash_session_seek (session, places[i]);
    wait_there (session);
    assert_in_view (session, 1000000);
  }
  tophash_session_go_back (session);
  wait_there (session);
  assert_in_view (session, 1000000);

  /* Who looks elsewhere while it plays goes on to; who steps is taken along. */
  tophash_session_seek (session, 100);
  tophash_session_play (session);
  tophash_session_set_range (session, 5000000, 6000000);
  for (guint i = 0; i < 5; i++)
    tophash_session_tick (session, g_get_monotonic_time () + i * 100000);
  g_assert_cmpuint (tophash_session_get_position (session), >, 100);
  tophash_session_get_range (session, &from_ns, &to_ns);
  g_assert_cmpint (from_ns, ==, 5000000);
  tophash_session_step (session, 1);
  assert_in_view (session, 1000000);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/session/jumps-can-be-taken-back",
                   test_jumps_can_be_taken_back);
  g_test_add_func ("/core/session/bookmarks-are-set-and-undone",
                   test_bookmarks_are_set_and_undone);
  g_test_add_func ("/core/session/the-cursor-stays-in-view",
                   test_the_cursor_stays_in_view);
  g_test_add_func ("/core/session/the-view-is-kept", test_the_view_is_kept);
  g_test_add_func ("/core/session/markers-are-kept", test_markers_are_kept);
  g_test_add_func ("/core/session/markers-of-strange-views",
                   test_markers_of_strange_views);
  g_test_add_func ("/core/session/markers-tell-the-difference",
                   test_markers_tell_the_difference);
  g_test_add_func ("/core/session/hits-are-stepped-through",
                   test_hits_are_stepped_through);
  return g_test_run ();
}
