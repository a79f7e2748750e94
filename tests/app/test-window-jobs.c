/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-window-jobs.c — jobs given up, files that others change, nothing at all
 *
 * Part of test-window. What was open stays open whatever becomes of a job, and what
 * cannot be written says so with the whole place it was meant for.
 */
#include "tests/app/test-window.h"

#include "app/tophash-window-private.h"
#include "widgets/tophash-histograms.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Escape does what the card's button does, and nothing while there is no card. */
static void
test_escape_cancels (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  GtkWidget *bar = find_widget (GTK_WIDGET (window), GTK_TYPE_PROGRESS_BAR);
  char *folder = new_folder ();
  g_autoptr (GFile) pipe = file_in (folder, "pipe.tophash");
  TraceLog *log;
  guint64 position;

  g_assert_cmpint (mkfifo (g_file_peek_path (pipe), 0600), ==, 0);
  run_small (session);
  settle_at (session, 7);
  log = tophash_session_get_log (session);
  position = tophash_session_get_position (session);
  gtk_widget_grab_focus (find_widget (GTK_WIDGET (window), TOPHASH_TYPE_MAP_VIEW));
  g_assert_false (tophash_window_key (window, GDK_KEY_Escape, 0));
  tophash_window_open (window, pipe);
  TURN_UNTIL (gtk_widget_get_mapped (bar) && gtk_widget_get_width (bar) > 0);
  g_assert_true (tophash_window_key (window, GDK_KEY_Escape, 0));
  TURN_UNTIL (!gtk_widget_get_mapped (bar));
  g_assert_true (tophash_session_get_log (session) == log);
  g_assert_cmpuint (tophash_session_get_position (session), ==, position);
  end_pipe (g_file_peek_path (pipe));
  g_assert_cmpuint (remove_folder (folder), ==, 1);
  close_window (window);
}

/* A save that the window waits for before it closes: given up, the window stays, and
 * does not say any more that it saves. */
static void
test_stays_when_its_save_is_cancelled (void) {
  TophashWindow *window = open_window ();
  char *folder = new_folder ();
  g_autoptr (GFile) file = file_in (folder, "run.tophash");

  run_small (tophash_window_get_session (window));
  tophash_window_save_to (window, file);
  gtk_window_close (GTK_WINDOW (window));
  g_assert_true (has_shown (window, "Saving the recording first"));
  activate (window, "win.cancel");
  TURN_UNTIL (window->job == NULL);
  g_assert_true (gtk_widget_get_visible (GTK_WIDGET (window)));
  g_assert_false (tophash_notice_is_shown (window->toast));
  g_assert_false (tophash_notice_is_shown (window->warning));
  remove_folder (folder);
  close_window (window);
}

/* A file that was removed while it was open is written anew; where its folder is
 * gone too, that is said. */
static void
test_saves_anew_what_is_gone (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  char *folder = new_folder ();
  g_autofree char *within = g_build_filename (folder, "within", NULL);
  g_autoptr (GFile) file = file_in (folder, "run.tophash");
  g_autoptr (GFile) inner = file_in (within, "run.tophash");
  g_autofree char *said
      = g_strdup_printf ("“%s” could not be saved: its folder does not exist",
                         g_file_peek_path (inner));

  save_small (window, file);
  tophash_window_open (window, file);
  TURN_UNTIL (!find_dialog () && window->job == NULL);
  tophash_session_add_bookmark (session, "here", "");
  g_assert_cmpint (g_remove (g_file_peek_path (file)), ==, 0);
  activate (window, "win.save");
  TURN_UNTIL (!tophash_session_is_unsaved (session) && window->job == NULL);
  g_assert_true (g_file_query_exists (file, NULL));

  g_assert_cmpint (g_mkdir (within, 0700), ==, 0);
  tophash_window_save_to (window, inner);
  TURN_UNTIL (window->job == NULL);
  tophash_session_add_bookmark (session, "there", "");
  g_assert_cmpint (g_remove (g_file_peek_path (inner)), ==, 0);
  g_assert_cmpint (g_rmdir (within), ==, 0);
  activate (window, "win.save");
  TURN_UNTIL (has_toast (window, said));
  /* What was saved before is not said any more. */
  g_assert_false (tophash_notice_is_shown (window->toast));
  g_assert_true (tophash_session_is_unsaved (session));
  tophash_window_save_to (window, file);
  TURN_UNTIL (!tophash_session_is_unsaved (session));
  g_assert_cmpuint (remove_folder (folder), ==, 1);
  close_window (window);
}

/* Notes find no room behind a recording: it stays as it was, and says where. */
static void
test_notes_without_room (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  char *folder = new_folder ();
  g_autoptr (GFile) file = file_in (folder, "run.tophash");
  g_autofree char *said = g_strdup_printf ("“%s” could not be saved: ",
                                           g_file_peek_path (file));
  g_autofree char *before = NULL, *after = NULL;
  gsize n_before, n_after;
  struct rlimit former, small;

  save_small (window, file);
  g_assert_true (g_file_load_contents (file, NULL, &before, &n_before, NULL, NULL));
  tophash_session_add_bookmark (session, "here", "");
  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &former);
  small = (struct rlimit){ n_before + 16, former.rlim_max };
  setrlimit (RLIMIT_FSIZE, &small);
  activate (window, "win.save");
  TURN_UNTIL (has_toast (window, said));
  setrlimit (RLIMIT_FSIZE, &former);
  g_assert_true (tophash_session_has_unsaved_notes (session));
  g_assert_true (g_file_load_contents (file, NULL, &after, &n_after, NULL, NULL));
  g_assert_cmpmem (before, n_before, after, n_after);
  g_assert_nonnull (find_button (GTK_WIDGET (window), "Save As…"));
  activate (window, "win.save");
  TURN_UNTIL (!tophash_session_has_unsaved_notes (session));
  g_assert_cmpuint (remove_folder (folder), ==, 1);
  close_window (window);
}

/* Events [@from, @to) of @log, as its recorder told them. */
static void
record_again (TraceLog *log,
              TraceLog *into,
              guint64   from,
              guint64   to) {
  Event event;

  for (guint64 i = from; i < to; i++) {
    g_assert_true (tracelog_get_event (log, i, &event));
    tracelog_append (into, &event);
  }
  tracelog_publish (into);
}

/* While another recorder writes the file: one can leave its end and come back, and
 * is told when there will be no more. */
static void
test_follows_another_recorder (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  char *folder = new_folder ();
  g_autoptr (GFile) file = file_in (folder, "run.tophash");
  g_autoptr (TraceLog) log = NULL;
  g_autoptr (TraceLog) grows = NULL;
  guint64 n;

  run_small (session);
  log = tracelog_ref (tophash_session_get_log (session));
  n = tracelog_get_length (log);
  grows = tracelog_new (tracelog_get_info (log), 0);
  g_assert_true (tracelog_record_to (grows, file, NULL));
  record_again (log, grows, 0, n / 2);
  tophash_window_open (window, file);
  TURN_UNTIL (has_toast (window, "“run.tophash” is still being recorded"));
  TURN_UNTIL (g_str_has_suffix (subtitle_of (window), " run.tophash · live"));
  TURN_UNTIL (tophash_session_get_position (session) == n / 2);
  g_assert_false (gtk_widget_get_visible (window->follow_button));
  tophash_session_seek (session, 3);
  g_assert_true (gtk_widget_get_visible (window->follow_button));
  g_assert_true (gtk_widget_is_sensitive (window->follow_button));
  activate (window, "win.follow");
  g_assert_true (tophash_session_is_following (session));
  tophash_session_seek (session, 5);

  record_again (log, grows, n / 2, n);
  tracelog_finish (grows, FALSE);
  TURN_UNTIL (has_toast (window, "“run.tophash” is recorded to its end"));
  g_assert_true (g_str_has_suffix (subtitle_of (window), " run.tophash"));
  g_assert_false (gtk_widget_get_visible (window->follow_button));
  g_assert_cmpuint (tophash_session_get_position (session), ==, 5);
  /* Notes find the file as it is now. */
  tophash_session_add_bookmark (session, "here", "");
  activate (window, "win.save");
  TURN_UNTIL (!tophash_session_has_unsaved_notes (session));
  g_assert_cmpuint (remove_folder (folder), ==, 1);
  close_window (window);
}

/* Before the first run nothing can be written that would be lost, and the pages
 * say why they are empty. */
static void
test_empty_pages (void) {
  TophashWindow *window = open_window ();
  GtkWidget *page = GTK_WIDGET (window->inspector);
  GtkWidget *text = find_widget (page, GTK_TYPE_TEXT_VIEW);
  GtkWidget *histograms = find_widget (page, TOPHASH_TYPE_HISTOGRAMS);

  g_assert_false (gtk_widget_is_sensitive (text));
  g_assert_false (gtk_widget_get_visible (histograms));
  run_small (tophash_window_get_session (window));
  TURN_UNTIL (gtk_widget_get_visible (histograms));
  g_assert_true (gtk_widget_get_sensitive (text));
  close_window (window);
}

/* A recording without a single event is one: it says so, and leads nowhere. */
static void
test_opens_what_is_empty (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  char *folder = new_folder ();
  g_autoptr (GFile) file = file_in (folder, "empty.tophash");
  g_autoptr (GFile) table = file_in (folder, "events.csv");
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *path = g_file_get_path (table);

  tracelog_finish (log, FALSE);
  tracelog_save (log, file, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  tophash_window_open (window, file);
  TURN_UNTIL (tophash_session_get_log (session) != NULL);
  g_assert_true (tophash_session_is_empty (session));
  /* An unknown engine leaves no gap where its name would stand. */
  g_assert_true (g_str_has_prefix (subtitle_of (window), "0 workers · "));
  g_assert_cmpstr (tophash_room_label_get_shown (window->position), ==, "no events");
  g_assert_true (has_toast (window, "Nothing happened"));
  for (GtkWidget *button
       = gtk_widget_get_first_child (GTK_WIDGET (window->transport_buttons));
       button != NULL; button = gtk_widget_get_next_sibling (button))
    g_assert_false (gtk_widget_is_sensitive (button));
  activate (window, "win.marker-a");
  activate (window, "win.add-bookmark");
  g_assert_true (tophash_session_search (session, "op = store", &error));
  TURN_UNTIL (timeline_search_is_complete (tophash_session_get_search (session)));
  g_assert_cmpuint (timeline_search_get_n (tophash_session_get_search (session)), ==,
                    0);
  tophash_window_export_to (window, EXPORT_EVENTS_CSV, table);
  TURN_UNTIL (g_file_get_contents (path, &text, NULL, NULL) && *text != '\0');
  g_assert_nonnull (strchr (text, '\n'));
  g_assert_cmpstr (strchr (text, '\n') + 1, ==, "");
  g_assert_true (tophash_session_undo_notes (session));
  g_assert_cmpuint (remove_folder (folder), ==, 2);
  close_window (window);
}

/* What takes long to be had again is not lost unasked; what is soon had again is. */
static void
test_asks_before_a_long_run_is_lost (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  char *folder = new_folder ();
  g_autoptr (GFile) one = file_in (folder, "one.tophash");
  TraceLog *log;

  save_small (window, one);
  run_small (session);
  tophash_window_open (window, one);
  g_assert_null (find_dialog ());
  TURN_UNTIL (g_str_has_suffix (subtitle_of (window), " one.tophash"));

  window->asks_from_ns = 0;
  run_small (session);
  log = tophash_session_get_log (session);
  tophash_window_open (window, one);
  answer ("cancel");
  activate (window, "win.run");
  answer ("cancel");
  close_window (window);
  answer ("cancel");
  g_assert_true (gtk_widget_get_visible (GTK_WIDGET (window)));
  g_assert_true (tophash_session_get_log (session) == log);
  tophash_window_open (window, one);
  answer ("discard");
  TURN_UNTIL (g_str_has_suffix (subtitle_of (window), " one.tophash"));
  /* What was opened, and what is saved, can be had again. */
  save_small (window, one);
  activate (window, "win.run");
  g_assert_null (find_dialog ());
  settle (session);
  tophash_window_save_to (window, one);
  TURN_UNTIL (!tophash_session_is_unsaved (session));
  g_assert_cmpuint (remove_folder (folder), ==, 1);
  close_window (window);
  g_assert_null (find_dialog ());
}

static const char endless_scenario[]
    = "{\"title\": \"Endless\", \"summary\": \"Until it is stopped.\","
      " \"watch-for\": \"Nothing.\", \"learn\": \"Nothing.\","
      " \"engine\": \"syncmap\", \"seed\": 7, \"recordcount\": 16,"
      " \"phases\": [{\"name\": \"mix\", \"duration\": 3600,"
      "  \"threads\": [{\"role\": \"worker\", \"count\": 1,"
      "   \"mix\": {\"store\": 1}, \"requestdistribution\": \"uniform\","
      "   \"target\": 200}]}]}";

static guint64
length_of (TophashSession *session) {
  return tracelog_get_length (tophash_session_get_log (session));
}

/* A run that goes on is stopped before it is saved: what came after the last save,
 * and until the answer, is in the file. */
static void
test_saves_all_of_a_run (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  char *folder = new_folder ();
  g_autoptr (GFile) other = file_in (folder, "other.tophash");
  g_autoptr (GFile) file = file_in (folder, "run.tophash");
  g_autoptr (GError) error = NULL;
  g_autoptr (Scenario) scenario
      = scenario_new_from_json (endless_scenario, -1, "endless", &error);
  g_autoptr (TraceLog) log = NULL;
  guint64 saved;

  save_small (window, other);
  g_assert_no_error (error);
  tophash_session_set_scenario (session, scenario);
  g_assert_true (tophash_session_run (session, NULL));
  TURN_UNTIL (length_of (session) > 0);
  tophash_window_save_to (window, file);
  TURN_UNTIL (window->job == NULL);
  saved = window->home_length;
  TURN_UNTIL (length_of (session) > saved);
  window->asks_from_ns = 0;
  log = tracelog_ref (tophash_session_get_log (session));
  tophash_window_open (window, other);
  g_assert_true (tophash_session_is_running (session));
  answer ("save");
  TURN_UNTIL (g_str_has_suffix (subtitle_of (window), " other.tophash"));
  g_assert_true (tracelog_is_finished (log));
  tophash_window_open (window, file);
  TURN_UNTIL (g_str_has_suffix (subtitle_of (window), " run.tophash"));
  g_assert_cmpuint (length_of (session), ==, tracelog_get_length (log));
  g_assert_cmpuint (remove_folder (folder), ==, 2);
  close_window (window);
}

void
add_jobs_tests (void) {
  g_test_add_func ("/app/window/escape-cancels", test_escape_cancels);
  g_test_add_func ("/app/window/stays-when-its-save-is-cancelled",
                   test_stays_when_its_save_is_cancelled);
  g_test_add_func ("/app/window/saves-anew-what-is-gone",
                   test_saves_anew_what_is_gone);
  g_test_add_func ("/app/window/notes-without-room", test_notes_without_room);
  g_test_add_func ("/app/window/follows-another-recorder",
                   test_follows_another_recorder);
  g_test_add_func ("/app/window/asks-before-a-long-run-is-lost",
                   test_asks_before_a_long_run_is_lost);
  g_test_add_func ("/app/window/saves-all-of-a-run", test_saves_all_of_a_run);
  g_test_add_func ("/app/window/empty-pages", test_empty_pages);
  g_test_add_func ("/app/window/opens-what-is-empty", test_opens_what_is_empty);
}
