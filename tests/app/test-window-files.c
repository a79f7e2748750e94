/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-window-files.c — files that are slow, refused, dropped or called oddly
 *
 * Part of test-window. A pipe without a writer is the file that never comes: with
 * it a job lasts as long as a test needs, and no clock decides.
 */
#include "tests/app/test-window.h"

#include "app/tophash-fit-bin.h"
#include "app/tophash-notice.h"
#include "widgets/tophash-map-view.h"
#include "widgets/tophash-picture.h"
#include "widgets/tophash-timeline-view.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

GFile *
file_in (const char *folder,
         const char *name) {
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return g_file_new_for_path (path);
}

char *
new_folder (void) {
  char *folder = g_dir_make_tmp ("tophash-window-XXXXXX", NULL);

  g_assert_nonnull (folder);
  return folder;
}

/* What stands in @folder is removed with it; how many files that were. */
guint
remove_folder (char *folder) {
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  guint n = 0;

  g_assert_nonnull (dir);
  for (; (name = g_dir_read_name (dir)) != NULL; n++) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_free (folder);
  return n;
}

/* The label in and below @widget whose text begins so, or NULL. */
static GtkWidget *
find_label (GtkWidget  *widget,
            const char *beginning) {
  if (GTK_IS_LABEL (widget)
      && g_str_has_prefix (gtk_label_get_text (GTK_LABEL (widget)), beginning))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child)) {
    GtkWidget *found = find_label (child, beginning);

    if (found != NULL)
      return found;
  }
  return NULL;
}

const char *
subtitle_of (TophashWindow *window) {
  return adw_window_title_get_subtitle (ADW_WINDOW_TITLE (
      find_widget (GTK_WIDGET (window), ADW_TYPE_WINDOW_TITLE)));
}

void
save_small (TophashWindow *window,
            GFile         *file) {
  TophashSession *session = tophash_window_get_session (window);

  run_small (session);
  tophash_window_save_to (window, file);
  TURN_UNTIL (!tophash_session_is_unsaved (session));
}

/* Whoever reads from the pipe @path is let go. */
void
end_pipe (const char *path) {
  int fd = open (path, O_WRONLY | O_NONBLOCK);

  g_assert_cmpint (fd, >=, 0);
  close (fd);
}

static void
test_progress_moves_nothing (void) {
  TophashWindow *window = open_window ();
  GtkWidget *map = find_widget (GTK_WIDGET (window), TOPHASH_TYPE_MAP_VIEW);
  GtkWidget *bar = find_widget (GTK_WIDGET (window), GTK_TYPE_PROGRESS_BAR);
  char *folder = new_folder ();
  g_autoptr (GFile) pipe = file_in (folder, "pipe.tophash");
  graphene_rect_t before, during;

  g_assert_cmpint (mkfifo (g_file_peek_path (pipe), 0600), ==, 0);
  run_small (tophash_window_get_session (window));
  TURN_UNTIL (gtk_widget_get_height (map) > 0);
  g_assert_true (
      gtk_widget_compute_bounds (map, GTK_WIDGET (window), &before));
  tophash_window_open (window, pipe);
  TURN_UNTIL (gtk_widget_get_mapped (bar) && gtk_widget_get_width (bar) > 0);
  g_assert_true (
      gtk_widget_compute_bounds (map, GTK_WIDGET (window), &during));
  g_assert_true (graphene_point_equal (&before.origin, &during.origin));

  /* A file that never comes is given up at once. */
  activate (window, "win.cancel");
  TURN_UNTIL (!gtk_widget_get_mapped (bar));
  end_pipe (g_file_peek_path (pipe));
  g_assert_cmpuint (remove_folder (folder), ==, 1);
  close_window (window);
}

static void
test_tells_its_file (void) {
  TophashWindow *window = open_window ();
  char *folder = new_folder ();
  g_autoptr (GFile) file = file_in (folder, "caf\xe9 one.tophash");

  /* Whatever the bytes of its name are. */
  save_small (window, file);
  g_assert_true (g_str_has_suffix (subtitle_of (window), " one.tophash"));
  g_assert_true (g_utf8_validate (subtitle_of (window), -1, NULL));
  g_assert_nonnull (find_label (GTK_WIDGET (window), "Saved caf"));
  run_small (tophash_window_get_session (window));
  g_assert_true (g_str_has_suffix (subtitle_of (window), " recorded"));
  g_assert_cmpuint (remove_folder (folder), ==, 1);
  close_window (window);
}

static void
test_saves_under_a_long_name (void) {
  TophashWindow *window = open_window ();
  char *folder = new_folder ();
  g_autofree char *name = g_strnfill (240, 'x');
  g_autofree char *whole = g_strconcat (name, ".tophash", NULL);
  g_autoptr (GFile) file = file_in (folder, whole);

  save_small (window, file);
  g_assert_true (g_file_query_exists (file, NULL));
  g_assert_cmpuint (remove_folder (folder), ==, 1);
  close_window (window);
}

/* A new run or another file would take the place of notes that stand nowhere. */
static void
test_asks_before_notes_are_replaced (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  char *folder = new_folder ();
  g_autoptr (GFile) one = file_in (folder, "one.tophash");
  g_autoptr (GFile) other = file_in (folder, "other.tophash");
  TraceLog *log;

  save_small (window, one);
  save_small (window, other);
  tophash_session_add_bookmark (session, "here", "");
  log = tophash_session_get_log (session);
  activate (window, "win.run");
  g_assert_true (tophash_session_get_log (session) == log);
  answer ("cancel");
  tophash_window_open (window, one);
  answer ("save");
  TURN_UNTIL (g_str_has_suffix (subtitle_of (window), " one.tophash"));
  tophash_window_open (window, other);
  g_assert_null (find_dialog ());
  TURN_UNTIL (g_str_has_suffix (subtitle_of (window), " other.tophash"));
  g_assert_cmpuint (tophash_session_get_notes (session)->bookmarks->len, ==, 1);

  tophash_session_add_bookmark (session, "there", "");
  log = tophash_session_get_log (session);
  activate (window, "win.run");
  answer ("discard");
  TURN_UNTIL (tophash_session_get_log (session) != log);
  settle (session);
  g_assert_cmpuint (remove_folder (folder), ==, 2);
  close_window (window);
}

gboolean
has_toast (TophashWindow *window,
           const char    *text) {
  return find_label (GTK_WIDGET (window), text) != NULL;
}

gboolean
has_shown (TophashWindow *window,
           const char    *text) {
  GtkWidget *label = find_label (GTK_WIDGET (window), text);

  return label != NULL && gtk_widget_is_visible (label);
}

/* A failed save says where, keeps the run, and leads on to another place. */
static void
test_leads_on_from_a_failed_save (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  g_autoptr (GFile) nowhere = g_file_new_for_path ("/nowhere/run.tophash");
  g_autoptr (GFile) table = g_file_new_for_path ("/nowhere/events.csv");

  run_small (session);
  tophash_window_save_to (window, nowhere);
  TURN_UNTIL (has_toast (window, "“/nowhere/run.tophash” could not be saved: its "
                                 "folder does not exist"));
  g_assert_true (tophash_session_is_unsaved (session));
  g_assert_nonnull (find_button (GTK_WIDGET (window), "Save As…"));
  tophash_window_export_to (window, EXPORT_EVENTS_CSV, table);
  TURN_UNTIL (has_toast (window, "“/nowhere/events.csv” could not be saved"));
  close_window (window);
}

/* What has to be read can be read in a window as narrow as a telephone. */
static void
test_warns_in_a_narrow_window (void) {
  TophashWindow *window = open_window ();
  GtkWidget *fit = find_widget (GTK_WIDGET (window), TOPHASH_TYPE_FIT_BIN);
  g_autoptr (GFile) nowhere = g_file_new_for_path (
      "/nowhere/with/a/long/way/to/go/a_recording_of_many_words.tophash");
  GtkWidget *label, *toast;
  graphene_rect_t bounds;

  gtk_window_set_default_size (GTK_WINDOW (window), 360, 720);
  run_small (tophash_window_get_session (window));
  TURN_UNTIL (tophash_fit_bin_get_level (TOPHASH_FIT_BIN (fit)) == FIT_NARROW);
  tophash_window_save_to (window, nowhere);
  TURN_UNTIL (has_toast (window, "“/nowhere/"));
  label = find_label (GTK_WIDGET (window), "“/nowhere/");
  TURN_UNTIL (gtk_widget_get_width (label) > 0);
  for (toast = label; !GTK_IS_OVERLAY (toast); toast = gtk_widget_get_parent (toast)) {
    g_assert_true (
        gtk_widget_compute_bounds (toast, GTK_WIDGET (window), &bounds));
    g_assert_cmpfloat (bounds.origin.x + bounds.size.width, <=,
                       gtk_widget_get_width (GTK_WIDGET (window)));
  }
  /* The next window is as large as this one was. */
  gtk_window_set_default_size (GTK_WINDOW (window), 1280, 800);
  TURN_UNTIL (tophash_fit_bin_get_level (TOPHASH_FIT_BIN (fit)) == FIT_WIDE);
  close_window (window);
}

/* One failure after another, faster than the words about them come and go. */
static void
test_warns_again_and_again (void) {
  TophashWindow *window = open_window ();
  char *folder = new_folder ();
  g_autoptr (GFile) bad = file_in (folder, "bad.tophash");
  gint64 end_us;

  g_assert_true (g_file_replace_contents (bad, "?", 1, NULL, FALSE, 0, NULL, NULL,
                                          NULL));
  run_small (tophash_window_get_session (window));
  for (guint i = 0; i < 6; i++) {
    activate (window, "win.undo");
    tophash_window_set_scenario (window, "/nowhere/one.json", FALSE);
    tophash_window_set_scenario (window, "/nowhere/other.json", FALSE);
    tophash_window_open (window, bad);
    TURN_UNTIL (has_toast (window, "“bad.tophash” cannot be opened"));
  }
  /* Until the last has slid in and the others are gone. */
  end_us = g_get_monotonic_time () + G_USEC_PER_SEC;
  TURN_UNTIL (g_get_monotonic_time () > end_us);
  g_assert_true (has_toast (window, "“bad.tophash” cannot be opened"));
  g_assert_cmpuint (remove_folder (folder), ==, 1);
  close_window (window);
}

static void
nothing_more_to_do (void) {
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* What is said comes, changes and goes in the middle of coming and going, and is
 * there when its window closes. */
static void
test_says_much_at_once (void) {
  TophashWindow *window = open_window ();
  GtkWidget *notice = find_widget (GTK_WIDGET (window), TOPHASH_TYPE_NOTICE);
  GtkWidget *warning = gtk_widget_get_next_sibling (notice);
  g_autoptr (GFile) nowhere = g_file_new_for_path ("/nowhere/run.tophash");

  run_small (tophash_window_get_session (window));
  for (guint i = 0; i < 60; i++) {
    if (i % 2 == 0)
      activate (window, "win.undo");
    if (i % 3 == 0)
      tophash_window_set_scenario (window, "/nowhere/one.json", FALSE);
    if (i % 5 == 0)
      tophash_window_save_to (window, nowhere);
    if (i % 4 == 3)
      tophash_notice_dismiss (TOPHASH_NOTICE (i % 8 == 3 ? notice : warning));
    if (i % 7 == 0)
      nothing_more_to_do ();
    else
      g_main_context_iteration (NULL, TRUE);
  }
  activate (window, "win.undo");
  tophash_window_set_scenario (window, "/nowhere/one.json", FALSE);
  nothing_more_to_do ();
  close_window (window);
}

/* What was said stands clear of what plays and steps, and nobody finds it when it
 * is gone. */
static void
test_dismisses_what_it_said (void) {
  TophashWindow *window = open_window ();
  GtkWidget *notice = find_widget (GTK_WIDGET (window), TOPHASH_TYPE_NOTICE);
  graphene_rect_t said, card;

  run_small (tophash_window_get_session (window));
  activate (window, "win.undo");
  TURN_UNTIL (has_toast (window, "Nothing to undo")
              && gtk_widget_get_height (notice) > 0);
  /* Above all that plays and steps. */
  TURN_UNTIL (gtk_widget_compute_bounds (notice, GTK_WIDGET (window), &said)
              && gtk_widget_compute_bounds (
                  find_widget (GTK_WIDGET (window), TOPHASH_TYPE_TIMELINE_VIEW),
                  GTK_WIDGET (window), &card)
              && said.origin.y + said.size.height <= card.origin.y);
  tophash_notice_dismiss (TOPHASH_NOTICE (notice));
  g_assert_false (tophash_notice_is_shown (TOPHASH_NOTICE (notice)));
  TURN_UNTIL (!has_toast (window, "Nothing to undo"));
  close_window (window);
}

/* TRUE: that is all that stands in it. */
static gboolean
holds (GFile      *file,
       const char *wanted) {
  g_autofree char *found = NULL;

  return g_file_load_contents (file, NULL, &found, NULL, NULL, NULL)
         && g_str_equal (found, wanted);
}

static void
put (GFile      *file,
     const char *text) {
  g_assert_true (g_file_replace_contents (file, text, strlen (text), NULL, FALSE, 0,
                                          NULL, NULL, NULL));
}

/* Nothing larger than some bytes can be written, as where no room is left: what is
 * called @old stays as it was, and of @new there is no piece. */
static void
fail_everything (TophashWindow *window,
                 GFile         *old,
                 GFile         *new) {
  TophashSession *session = tophash_window_get_session (window);
  GtkWidget *warning = gtk_widget_get_next_sibling (
      find_widget (GTK_WIDGET (window), TOPHASH_TYPE_NOTICE));
  GFile *const files[] = { old, new };

  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autoptr (GError) error = NULL;

    for (guint format = 0; format < EXPORT_N_FORMATS; format++) {
      tophash_window_export_to (window, format, files[i]);
      TURN_UNTIL (tophash_notice_is_shown (TOPHASH_NOTICE (warning)));
    }
    tophash_window_save_to (window, files[i]);
    TURN_UNTIL (tophash_notice_is_shown (TOPHASH_NOTICE (warning)));
    tophash_notice_dismiss (TOPHASH_NOTICE (warning));
    g_assert_false (paint_stage_to_file (
        tophash_session_get_state (session),
        tracelog_get_info (tophash_session_get_log (session)),
        g_file_peek_path (files[i]), 800, 600, FALSE, &error));
    g_assert_nonnull (strstr (error->message, "could not be saved: "));
  }
}

static void
test_keeps_what_stood_there (void) {
  const struct rlimit small = { 64, RLIM_INFINITY };
  struct rlimit former;
  TophashWindow *window = open_window ();
  char *folder = new_folder ();
  g_autoptr (GFile) old = file_in (folder, "old.png");
  g_autoptr (GFile) new = file_in (folder, "new.png");

  run_small (tophash_window_get_session (window));
  put (old, "as it was");
  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &former);
  setrlimit (RLIMIT_FSIZE, &small);
  fail_everything (window, old, new);
  setrlimit (RLIMIT_FSIZE, &former);
  g_assert_true (tophash_session_is_unsaved (tophash_window_get_session (window)));
  g_assert_true (holds (old, "as it was"));
  g_assert_cmpuint (remove_folder (folder), ==, 1);
  close_window (window);
}

/* A link goes on leading where it led, and what it leads to is the new file, for
 * those alone who could read the old one. */
static void
test_writes_through_links (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  char *folder = new_folder ();
  g_autoptr (GFile) file = file_in (folder, "file.tophash");
  g_autoptr (GFile) link = file_in (folder, "link.tophash");
  g_autoptr (GFile) picture = file_in (folder, "link.png");
  GStatBuf found;

  put (file, "old");
  g_assert_cmpint (g_chmod (g_file_peek_path (file), 0600), ==, 0);
  g_assert_cmpint (symlink ("file.tophash", g_file_peek_path (link)), ==, 0);
  g_assert_cmpint (symlink ("file.png", g_file_peek_path (picture)), ==, 0);
  save_small (window, link);
  g_assert_true (g_file_test (g_file_peek_path (link), G_FILE_TEST_IS_SYMLINK));
  g_assert_false (holds (file, "old"));
  g_assert_cmpint (g_stat (g_file_peek_path (file), &found), ==, 0);
  g_assert_cmpuint (found.st_mode & 0777, ==, 0600);
  /* Notes go the same way, over the file that is open. */
  tophash_session_add_bookmark (session, "here", "");
  activate (window, "win.save");
  TURN_UNTIL (!tophash_session_is_unsaved (session));
  tophash_window_open (window, file);
  TURN_UNTIL (g_str_has_suffix (subtitle_of (window), " file.tophash"));
  g_assert_cmpuint (tophash_session_get_notes (session)->bookmarks->len, ==, 1);
  g_assert_true (paint_stage_to_file (
      tophash_session_get_state (session),
      tracelog_get_info (tophash_session_get_log (session)),
      g_file_peek_path (picture), 800, 600, FALSE, NULL));
  g_assert_true (g_file_test (g_file_peek_path (picture), G_FILE_TEST_IS_SYMLINK));
  g_assert_cmpuint (remove_folder (folder), ==, 4);
  close_window (window);
}

static void
test_opens_what_is_dropped (void) {
  TophashWindow *window = open_window ();
  GtkWidget *fit
      = find_widget (GTK_WIDGET (window), TOPHASH_TYPE_FIT_BIN);
  g_autoptr (GListModel) controllers = gtk_widget_observe_controllers (fit);
  char *folder = new_folder ();
  g_autoptr (GFile) file = file_in (folder, "dropped.tophash");
  GValue value = G_VALUE_INIT;
  gboolean is_taken = FALSE;
  TraceLog *log;

  save_small (window, file);
  log = tracelog_ref (tophash_session_get_log (tophash_window_get_session (window)));
  g_value_init (&value, GDK_TYPE_FILE_LIST);
  g_value_take_boxed (&value, gdk_file_list_new_from_array (&file, 1));
  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++) {
    g_autoptr (GObject) controller = g_list_model_get_item (controllers, i);

    if (GTK_IS_DROP_TARGET (controller))
      g_signal_emit_by_name (controller, "drop", &value, 10.0, 10.0, &is_taken);
  }
  g_assert_true (is_taken);
  TURN_UNTIL (tophash_session_get_log (tophash_window_get_session (window)) != log);
  tracelog_unref (log);
  g_value_unset (&value);
  g_assert_cmpuint (remove_folder (folder), ==, 1);
  close_window (window);
}

/* Whether the process has @file open. */
static gboolean
is_file_open (GFile *file) {
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename ("/proc/self/fd", name, NULL);
    g_autofree char *target = g_file_read_link (path, NULL);

    if (g_strcmp0 (target, g_file_peek_path (file)) == 0)
      return TRUE;
  }
  return FALSE;
}

static void
open_and_show (TophashWindow *window,
               GFile         *file) {
  TophashSession *session = tophash_window_get_session (window);
  g_autoptr (TraceLog) former = tracelog_ref (tophash_session_get_log (session));

  tophash_window_open (window, file);
  TURN_UNTIL (tophash_session_get_log (session) != former);
  settle (session);
}

/* Its log is the last to go: views, painters and threads have let go of it. */
static void
test_lets_go_of_what_was_open (void) {
  TophashWindow *window = open_window ();
  char *folder = new_folder ();
  g_autoptr (GFile) first = file_in (folder, "first.tophash");
  g_autoptr (GFile) second = file_in (folder, "second.tophash");

  save_small (window, first);
  save_small (window, second);
  for (guint i = 0; i < 2; i++) {
    open_and_show (window, first);
    g_assert_true (is_file_open (first));
    open_and_show (window, second);
    g_assert_true (is_file_open (second));
    TURN_UNTIL (!is_file_open (first));
  }
  g_assert_cmpuint (remove_folder (folder), ==, 2);
  close_window (window);
}

static const char endless_scenario[]
    = "{ \"title\": \"Endless\", \"summary\": \"-\", \"watch-for\": \"-\","
      "  \"learn\": \"-\", \"engine\": \"syncmap\", \"seed\": 3,"
      "  \"recordcount\": 20, \"phases\": [ { \"name\": \"mix\","
      "  \"duration\": 3600, \"threads\": [ { \"role\": \"worker\","
      "  \"count\": 1, \"target\": 500, \"mix\": { \"store\": 1 } } ] } ] }";

/* A file can be whole and not hold all of its run. */
static void
test_tells_an_end_before_the_run_s (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  char *folder = new_folder ();
  g_autoptr (GFile) file = file_in (folder, "part.tophash");
  g_autoptr (Scenario) scenario
      = scenario_new_from_json (endless_scenario, -1, "endless", NULL);

  g_assert_nonnull (scenario);
  tophash_session_set_scenario (session, scenario);
  g_assert_true (tophash_session_run (session, NULL));
  TURN_UNTIL (tophash_session_get_position (session) > 40);
  tophash_window_save_to (window, file);
  TURN_UNTIL (has_toast (window, "Saved part"));
  g_assert_null (strstr (subtitle_of (window), "ends before its run"));
  tophash_session_stop (session);
  settle (session);
  g_assert_null (strstr (subtitle_of (window), "ends before its run"));

  tophash_session_mark_saved (session);
  tophash_window_open (window, file);
  TURN_UNTIL (g_str_has_suffix (subtitle_of (window), "ends before its run"));
  g_assert_true (has_toast (window, "“part.tophash” does not reach the end"));
  g_assert_cmpuint (remove_folder (folder), ==, 1);
  close_window (window);
}

void
add_files_tests (void) {
  g_test_add_func ("/app/window/progress-moves-nothing",
                   test_progress_moves_nothing);
  g_test_add_func ("/app/window/tells-its-file", test_tells_its_file);
  g_test_add_func ("/app/window/saves-under-a-long-name",
                   test_saves_under_a_long_name);
  g_test_add_func ("/app/window/asks-before-notes-are-replaced",
                   test_asks_before_notes_are_replaced);
  g_test_add_func ("/app/window/leads-on-from-a-failed-save",
                   test_leads_on_from_a_failed_save);
  g_test_add_func ("/app/window/warns-in-a-narrow-window",
                   test_warns_in_a_narrow_window);
  g_test_add_func ("/app/window/warns-again-and-again",
                   test_warns_again_and_again);
  g_test_add_func ("/app/window/says-much-at-once", test_says_much_at_once);
  g_test_add_func ("/app/window/dismisses-what-it-said",
                   test_dismisses_what_it_said);
  g_test_add_func ("/app/window/keeps-what-stood-there",
                   test_keeps_what_stood_there);
  g_test_add_func ("/app/window/writes-through-links", test_writes_through_links);
  g_test_add_func ("/app/window/lets-go-of-what-was-open",
                   test_lets_go_of_what_was_open);
  g_test_add_func ("/app/window/opens-what-is-dropped", test_opens_what_is_dropped);
  g_test_add_func ("/app/window/tells-an-end-before-the-run-s",
                   test_tells_an_end_before_the_run_s);
}
