/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-window.c — the real window, in this process
 *
 * Actions are activated as the buttons and keys activate them; what the session
 * then holds is compared with the log. Runs are small and go at full speed, so
 * that nothing waits for a clock.
 */
#include "tests/app/test-window.h"

#include "app/tophash-application.h"
#include "app/tophash-window-private.h"
#include "core/record/tracelog-file.h"
#include "widgets/tophash-inspector.h"
#include "widgets/tophash-misuse-banner.h"
#include "widgets/tophash-statistics.h"

#include <glib/gstdio.h>
#include <string.h>

static TophashApplication *application;

static const char small_scenario[]
    = "{\"title\": \"Small\", \"summary\": \"A few operations.\","
      " \"watch-for\": \"Nothing.\", \"learn\": \"Nothing.\","
      " \"engine\": \"syncmap\", \"seed\": 7, \"recordcount\": 16,"
      " \"phases\": [{\"name\": \"mix\", \"operationcount\": 400,"
      "  \"threads\": [{\"role\": \"worker\", \"count\": 2,"
      "   \"mix\": {\"load\": 4, \"store\": 2, \"insert\": 1, \"delete\": 1},"
      "   \"requestdistribution\": \"uniform\", \"target\": 0}]}]}";

TophashWindow *
open_window (void) {
  TophashWindow *window = tophash_window_new (ADW_APPLICATION (application));

  gtk_window_present (GTK_WINDOW (window));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  return window;
}

void
close_window (TophashWindow *window) {
  gtk_window_close (GTK_WINDOW (window));
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static gboolean
is_settled (TophashSession *session) {
  TraceLog *log = tophash_session_get_log (session);

  /* Complete between two ticks, it is told as live until the next. */
  return !tophash_session_is_running (session) && log != NULL
         && !tophash_session_is_following (session)
         && timeline_is_complete (tophash_session_get_timeline (session))
         && tophash_session_get_position (session) == tracelog_get_length (log);
}

gboolean
wake_cb (gpointer data) {
  return G_SOURCE_CONTINUE;
}

/* Lets the main loop turn until the run is over and shown. */
void
settle (TophashSession *session) {
  TURN_UNTIL (is_settled (session));
}

/* Puts the cursor there when all of the log is folded. */
void
settle_at (TophashSession *session,
           guint64         position) {
  timeline_wait (tophash_session_get_timeline (session));
  tophash_session_seek (session, position);
  TURN_UNTIL (tophash_session_get_position (session) == position
              && map_state_n_events (tophash_session_get_state (session)) == position);
}

GtkWidget *
find_dialog (void) {
  g_autoptr (GList) windows = gtk_window_list_toplevels ();

  for (GList *at = windows; at != NULL; at = at->next)
    if (ADW_IS_MESSAGE_DIALOG (at->data))
      return at->data;
  return NULL;
}

void
answer (const char *response) {
  GtkWidget *dialog = find_dialog ();

  g_assert_nonnull (dialog);
  adw_message_dialog_response (ADW_MESSAGE_DIALOG (dialog), response);
  gtk_window_destroy (GTK_WINDOW (dialog));
  g_assert_null (find_dialog ());
}

void
run_small (TophashSession *session) {
  g_autoptr (GError) error = NULL;
  g_autoptr (Scenario) scenario
      = scenario_new_from_json (small_scenario, -1, "small", &error);

  g_assert_no_error (error);
  tophash_session_set_scenario (session, scenario);
  g_assert_true (tophash_session_run (session, &error));
  g_assert_no_error (error);
  settle (session);
}

static char *
dump_state (const MapState *state) {
  DumpSink sink;
  char *text;

  dump_init (&sink);
  map_state_dump (state, &sink);
  text = g_strdup (sink.text);
  dump_clear (&sink);
  return text;
}

static void
assert_shows (TophashSession *session,
              guint64         position) {
  g_autoptr (MapState) wanted = timeline_seek (
      tophash_session_get_timeline (session), position, NULL);
  g_autofree char *wanted_text = dump_state (wanted);
  g_autofree char *found = dump_state (tophash_session_get_state (session));

  g_assert_cmpuint (tophash_session_get_position (session), ==, position);
  g_assert_cmpstr (found, ==, wanted_text);
}

void
activate (TophashWindow *window,
          const char    *action) {
  gtk_widget_activate_action (GTK_WIDGET (window), action, NULL);
}

GtkWidget *
find_widget (GtkWidget *widget,
             GType      type) {
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child)) {
    GtkWidget *found = find_widget (child, type);

    if (found != NULL)
      return found;
  }
  return NULL;
}

static void
test_begins_empty (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);

  g_assert_null (tophash_session_get_log (session));
  activate (window, "win.step-forward");
  activate (window, "win.save");
  g_assert_null (tophash_session_get_log (session));
  close_window (window);
}

static void
test_steps_both_ways (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  guint64 length;

  run_small (session);
  length = tracelog_get_length (tophash_session_get_log (session));
  g_assert_cmpuint (length, >, 100);
  for (guint i = 1; i <= 60; i++) {
    activate (window, "win.step-back");
    assert_shows (session, length - i);
  }
  for (guint i = 1; i <= 60; i++) {
    activate (window, "win.step-forward");
    assert_shows (session, length - 60 + i);
  }
  activate (window, "win.start");
  assert_shows (session, 0);
  activate (window, "win.end");
  assert_shows (session, length);
  close_window (window);
}

static void
test_finds_landmarks (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  TraceLog *log;
  Event event;

  run_small (session);
  log = tophash_session_get_log (session);
  activate (window, "win.previous-landmark");
  g_assert_cmpuint (tophash_session_get_position (session), >, 0);
  g_assert_true (tracelog_get_event (
      log, tophash_session_get_position (session) - 1, &event));
  g_assert_true (event_kind_is_structural (event.kind));
  assert_shows (session, tophash_session_get_position (session));
  close_window (window);
}

static void
test_opens_what_it_saved (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "tophash-window-test.tophash", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) error = NULL;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  TraceLog *log;

  run_small (session);
  before = dump_state (tophash_session_get_state (session));
  tracelog_save (tophash_session_get_log (session), file, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  log = tracelog_ref (tophash_session_get_log (session));
  tophash_window_open (window, file);
  while (tophash_session_get_log (session) == log)
    g_main_context_iteration (NULL, TRUE);
  tracelog_unref (log);
  timeline_wait (tophash_session_get_timeline (session));
  activate (window, "win.end");
  while (tophash_session_get_position (session)
         != tracelog_get_length (tophash_session_get_log (session)))
    g_main_context_iteration (NULL, TRUE);
  after = dump_state (tophash_session_get_state (session));
  g_assert_cmpstr (after, ==, before);
  g_remove (path);
  close_window (window);
}

static void
test_keeps_its_log_when_a_file_is_bad (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "tophash-window-bad.tophash", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  TraceLog *log;
  guint turns = 0;
  guint wake;

  g_assert_true (g_file_set_contents (path, "no recording at all", -1, NULL));
  run_small (session);
  log = tophash_session_get_log (session);
  tophash_window_open (window, file);
  wake = g_timeout_add (10, wake_cb, NULL);
  while (turns++ < 60)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (wake);
  g_assert_true (tophash_session_get_log (session) == log);
  g_remove (path);
  close_window (window);
}

/* Statistics come up by their action and give way to what is chosen. */
static void
test_shows_statistics (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  TophashInspector *inspector = TOPHASH_INSPECTOR (
      find_widget (GTK_WIDGET (window), TOPHASH_TYPE_INSPECTOR));
  GtkWidget *statistics
      = find_widget (GTK_WIDGET (window), TOPHASH_TYPE_STATISTICS);
  TophashSelection selection = { SELECTION_LOCK };
  int least, empty, height;

  g_assert_cmpint (tophash_inspector_get_page (inspector), ==,
                   INSPECTOR_SELECTION);
  activate (window, "win.statistics");
  g_assert_cmpint (tophash_inspector_get_page (inspector), ==,
                   INSPECTOR_STATISTICS);
  gtk_widget_measure (statistics, GTK_ORIENTATION_VERTICAL, 220, &least, &empty,
                      NULL, NULL);
  run_small (session);
  gtk_widget_measure (statistics, GTK_ORIENTATION_VERTICAL, 220, &least, &height,
                      NULL, NULL);
  g_assert_cmpint (height, >, empty + 200);
  tophash_session_select (session, &selection);
  g_assert_cmpint (tophash_inspector_get_page (inspector), ==,
                   INSPECTOR_SELECTION);
  activate (window, "win.statistics");
  activate (window, "win.statistics");
  g_assert_cmpint (tophash_inspector_get_page (inspector), ==,
                   INSPECTOR_SELECTION);
  close_window (window);
}

static const char misused_scenario[]
    = "{\"title\": \"Misused\", \"summary\": \"Two write at once.\","
      " \"watch-for\": \"Nothing.\", \"learn\": \"Nothing.\","
      " \"engine\": \"gomap\", \"seed\": 7, \"recordcount\": 16,"
      " \"phases\": [{\"name\": \"mix\", \"operationcount\": 400,"
      "  \"threads\": [{\"role\": \"worker\", \"count\": 2,"
      "   \"mix\": {\"store\": 1},"
      "   \"requestdistribution\": \"uniform\", \"target\": 0}]}]}";

/* Four events, of which the third is a misuse: told by hand, for threads meet
 * when they like. */
static TraceLog *
misused_log (void) {
  static const Event events[] = {
    { .at_ns = 10, .kind = EVENT_THREAD_STARTED, .thread = 0 },
    { .at_ns = 20, .kind = EVENT_THREAD_STARTED, .thread = 1 },
    { .at_ns = 30, .kind = EVENT_MISUSE_DETECTED, .thread = 1,
      .aux8 = MISUSE_CONCURRENT_WRITES, .res = MISUSE_AT_ENTRY,
      .ver = OP_STORE + 1, .a = 17, .b = 1 },
    { .at_ns = 40, .kind = EVENT_THREAD_ENDED, .thread = 1 },
  };
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log;

  info->engine = g_strdup ("gomap");
  info->engine_title = g_strdup ("map");
  info->scenario_json = g_strdup (misused_scenario);
  info->n_threads = 2;
  log = tracelog_new (info, 0);
  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    tracelog_append (log, &events[i]);
  tracelog_finish (log, FALSE);
  return log;
}

/* The banner follows the timeline, and a finished recording says its end. */
static void
test_tells_a_misuse (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  GtkWidget *banner
      = find_widget (GTK_WIDGET (window), TOPHASH_TYPE_MISUSE_BANNER);
  GtkWidget *title = find_widget (GTK_WIDGET (window), ADW_TYPE_WINDOW_TITLE);
  g_autoptr (TraceLog) log = misused_log ();

  tophash_session_set_log (session, log);
  settle_at (session, 2);
  g_assert_false (
      tophash_misuse_banner_is_shown (TOPHASH_MISUSE_BANNER (banner)));
  activate (window, "win.step-forward");
  g_assert_true (
      tophash_misuse_banner_is_shown (TOPHASH_MISUSE_BANNER (banner)));
  activate (window, "win.step-forward");
  g_assert_true (
      tophash_misuse_banner_is_shown (TOPHASH_MISUSE_BANNER (banner)));
  g_signal_emit_by_name (find_widget (banner, GTK_TYPE_BUTTON), "clicked");
  while (tophash_session_get_position (session) != 3)
    g_main_context_iteration (NULL, TRUE);
  activate (window, "win.start");
  g_assert_false (
      tophash_misuse_banner_is_shown (TOPHASH_MISUSE_BANNER (banner)));
  while (strstr (adw_window_title_get_subtitle (ADW_WINDOW_TITLE (title)),
                 "ended by misuse") == NULL)
    g_main_context_iteration (NULL, TRUE);
  close_window (window);
}

static void
test_closes_while_running (void) {
  TophashWindow *window = open_window ();

  tophash_window_set_scenario (window, "first-promotion", TRUE);
  g_assert_true (
      tophash_session_is_running (tophash_window_get_session (window)));
  g_object_ref (window);
  close_window (window);
  g_assert_false (gtk_widget_get_visible (GTK_WIDGET (window)));
  g_object_unref (window);
}

static guint
n_drawn_panes (TophashWindow *window) {
  GtkWidget *panes[TOPHASH_WINDOW_N_PANES];
  guint n = 0;

  tophash_window_get_panes (window, panes);
  for (guint i = 0; i < G_N_ELEMENTS (panes); i++)
    n += gtk_widget_get_opacity (panes[i]) == 1 ? 1 : 0;
  return n;
}

typedef struct {
  guint n;        /* that are drawn */
  guint n_clears; /* frames before which some were no longer */
} PanesWatch;

/* No frame adds more than one. */
static gboolean
watch_panes_cb (GtkWidget     *widget,
                GdkFrameClock *clock,
                gpointer       data) {
  PanesWatch *watch = data;
  guint n = n_drawn_panes (TOPHASH_WINDOW (widget));

  g_assert_cmpuint (n, <=, watch->n + 1);
  if (n < watch->n)
    watch->n_clears++;
  watch->n = n;
  return G_SOURCE_CONTINUE;
}

static void
test_draws_a_pane_a_frame (void) {
  TophashWindow *window = tophash_window_new (ADW_APPLICATION (application));
  PanesWatch watch = { 0 };
  guint id = gtk_widget_add_tick_callback (GTK_WIDGET (window), watch_panes_cb,
                                           &watch, NULL);

  g_assert_cmpuint (n_drawn_panes (window), ==, 0);
  gtk_window_present (GTK_WINDOW (window));
  TURN_UNTIL (watch.n == TOPHASH_WINDOW_N_PANES);
  g_assert_cmpuint (watch.n_clears, ==, 0);
  /* With a run come the map, its timeline and its counters, one by one again. */
  run_small (tophash_window_get_session (window));
  TURN_UNTIL (watch.n_clears > 0 && watch.n == TOPHASH_WINDOW_N_PANES);
  gtk_widget_remove_tick_callback (GTK_WIDGET (window), id);
  close_window (window);
}

int
main (int    argc,
      char **argv) {
  g_autoptr (GError) error = NULL;

  /* Keeps what the window would say, for the tests to read. */
  g_setenv ("GTK_A11Y", "test", TRUE);
  gtk_test_init (&argc, &argv, NULL);
  adw_init ();
  application = tophash_application_new ();
  g_application_set_flags (G_APPLICATION (application),
                           G_APPLICATION_NON_UNIQUE | G_APPLICATION_HANDLES_OPEN);
  g_application_register (G_APPLICATION (application), NULL, &error);
  g_assert_no_error (error);
  g_test_add_func ("/app/window/begins-empty", test_begins_empty);
  g_test_add_func ("/app/window/draws-a-pane-a-frame", test_draws_a_pane_a_frame);
  g_test_add_func ("/app/window/steps-both-ways", test_steps_both_ways);
  g_test_add_func ("/app/window/finds-landmarks", test_finds_landmarks);
  g_test_add_func ("/app/window/opens-what-it-saved", test_opens_what_it_saved);
  g_test_add_func ("/app/window/keeps-its-log-when-a-file-is-bad",
                   test_keeps_its_log_when_a_file_is_bad);
  g_test_add_func ("/app/window/shows-statistics", test_shows_statistics);
  g_test_add_func ("/app/window/tells-a-misuse", test_tells_a_misuse);
  g_test_add_func ("/app/window/closes-while-running", test_closes_while_running);
  add_files_tests ();
  add_jobs_tests ();
  add_keys_tests ();
  add_places_tests ();
  add_settings_tests ();
  return g_test_run ();
}
