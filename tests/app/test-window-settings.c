/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-window-settings.c — how a run is recorded, set and seen in the window
 *
 * Part of test-window: a control reaches the scenario that is run, Reset takes
 * it back, and what dropping cost cannot be overlooked.
 */
#include "tests/app/test-window.h"

#include "app/tophash-fit-bin.h"
#include "app/tophash-honesty-card.h"
#include "app/tophash-room-label.h"
#include "app/tophash-settings-pane.h"
#include "widgets/tophash-search-bar.h"

#include <string.h>

/* The row with @title, in and below @widget. */
static GtkWidget *
find_row (GtkWidget  *widget,
          const char *title) {
  if (ADW_IS_PREFERENCES_ROW (widget)
      && g_strcmp0 (adw_preferences_row_get_title (ADW_PREFERENCES_ROW (widget)),
                    title)
             == 0)
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child)) {
    GtkWidget *found = find_row (child, title);

    if (found != NULL)
      return found;
  }
  return NULL;
}

static void
test_sets_how_a_run_is_recorded (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  GtkWidget *pane
      = find_widget (GTK_WIDGET (window), TOPHASH_TYPE_SETTINGS_PANE);
  AdwComboRow *telling = ADW_COMBO_ROW (find_row (pane, "At full speed"));
  GtkSwitch *drops
      = GTK_SWITCH (find_widget (find_row (pane, "Drop events"), GTK_TYPE_SWITCH));
  g_autoptr (GError) error = NULL;
  g_autoptr (Scenario) recorded = NULL;

  run_small (session);
  /* The pane shows a part of a scenario in a frame. */
  TURN_UNTIL (adw_combo_row_get_selected (telling) == TELLING_COUNTS);
  g_assert_false (gtk_switch_get_active (drops));

  adw_combo_row_set_selected (telling, TELLING_WHOLE);
  gtk_switch_set_active (drops, TRUE);
  g_assert_cmpint (tophash_session_get_scenario (session)->telling, ==,
                   TELLING_WHOLE);
  g_assert_true (tophash_session_get_scenario (session)->drops);
  /* Other edits keep both. */
  adw_combo_row_set_selected (ADW_COMBO_ROW (find_row (pane, "Hash")), 1);
  g_assert_cmpint (tophash_session_get_scenario (session)->telling, ==,
                   TELLING_WHOLE);

  g_assert_true (tophash_session_run (session, &error));
  g_assert_no_error (error);
  settle (session);
  recorded = scenario_new_from_json (
      tracelog_get_info (tophash_session_get_log (session))->scenario_json, -1,
      "recording", &error);
  g_assert_no_error (error);
  g_assert_cmpint (recorded->telling, ==, TELLING_WHOLE);
  g_assert_true (recorded->drops);

  g_signal_emit_by_name (find_button (pane, "Reset to the Scenario’s Settings"),
                         "clicked");
  TURN_UNTIL (adw_combo_row_get_selected (telling) == TELLING_COUNTS);
  g_assert_false (gtk_switch_get_active (drops));
  g_assert_false (tophash_session_get_scenario (session)->drops);
  close_window (window);
}

/* A recording in which a worker found no room for three events. */
static TraceLog *
lossy_log (void) {
  static const Event events[] = {
    { .at_ns = 10, .kind = EVENT_THREAD_STARTED, .thread = 0 },
    { .at_ns = 20, .kind = EVENT_DROPPED, .thread = 0, .res = 3 },
    { .at_ns = 30, .kind = EVENT_THREAD_ENDED, .thread = 0 },
  };
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log;

  info->engine = g_strdup ("syncmap");
  info->engine_title = g_strdup ("sync.Map");
  info->n_threads = 1;
  log = tracelog_new (info, 0);
  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    tracelog_append (log, &events[i]);
  tracelog_set_dropped (log, 3);
  tracelog_finish (log, FALSE);
  return log;
}

static void
test_tells_what_was_lost (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  GtkWidget *card
      = find_widget (GTK_WIDGET (window), TOPHASH_TYPE_HONESTY_CARD);
  GtkWidget *badge = gtk_widget_get_parent (find_widget (card, GTK_TYPE_IMAGE));
  GtkWidget *title = find_widget (GTK_WIDGET (window), ADW_TYPE_WINDOW_TITLE);
  g_autoptr (TraceLog) log = lossy_log ();

  run_small (session);
  g_assert_false (gtk_widget_get_visible (badge));
  tophash_session_set_log (session, log);
  settle_at (session, 3);
  g_assert_true (gtk_widget_get_visible (badge));
  g_assert_nonnull (strstr (
      gtk_label_get_text (GTK_LABEL (find_widget (badge, GTK_TYPE_LABEL))),
      "3 events lost"));
  g_assert_nonnull (
      strstr (adw_window_title_get_subtitle (ADW_WINDOW_TITLE (title)),
              "events lost"));
  close_window (window);
}

/* The label of lecture mode says at once what happened last. */
static void
test_lectures_where_it_stands (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  GtkWidget *caption = GTK_WIDGET (gtk_widget_get_template_child (
      GTK_WIDGET (window), TOPHASH_TYPE_WINDOW, "caption"));

  run_small (session);
  g_assert_false (gtk_widget_get_visible (caption));
  activate (window, "win.lecture");
  g_assert_true (gtk_widget_get_visible (caption));
  g_assert_cmpstr (gtk_label_get_text (GTK_LABEL (caption)), !=, "");
  /* Nor does it keep what happened last when nothing has. */
  settle_at (session, 0);
  TURN_UNTIL (g_str_has_prefix (gtk_label_get_text (GTK_LABEL (caption)),
                                "The beginning"));
  activate (window, "win.lecture");
  g_assert_false (gtk_widget_get_visible (caption));
  close_window (window);
}

static int
letters_of (GtkWidget *widget) {
  return pango_font_description_get_size (pango_context_get_font_description (
      gtk_widget_get_pango_context (widget)));
}

/* On a large screen. What nobody sees is not measured anew for it. */
static void
test_lectures_in_large_letters (void) {
  TophashWindow *window = open_window ();
  GtkWidget *position = GTK_WIDGET (gtk_widget_get_template_child (
      GTK_WIDGET (window), TOPHASH_TYPE_WINDOW, "position"));
  GtkWidget *caption = GTK_WIDGET (gtk_widget_get_template_child (
      GTK_WIDGET (window), TOPHASH_TYPE_WINDOW, "caption"));
  GtkWidget *pane
      = find_widget (GTK_WIDGET (window), TOPHASH_TYPE_SETTINGS_PANE);
  GtkWidget *row = find_row (pane, "Hash");
  int usual, caption_usual, row_usual;

  run_small (tophash_window_get_session (window));
  usual = letters_of (position);
  caption_usual = letters_of (caption);
  row_usual = letters_of (row);
  activate (window, "win.lecture");
  if (!gtk_widget_has_css_class (gtk_widget_get_ancestor (caption, GTK_TYPE_BOX),
                                 "large-lecture")) {
    g_test_skip ("the screen is too small");
    close_window (window);
    return;
  }
  TURN_UNTIL (letters_of (position) > usual && letters_of (caption) > caption_usual);
  g_assert_cmpint (letters_of (row), ==, row_usual);
  activate (window, "win.toggle-pane");
  TURN_UNTIL (letters_of (row) > row_usual);
  activate (window, "win.lecture");
  TURN_UNTIL (letters_of (position) == usual && letters_of (row) == row_usual);
  close_window (window);
}

/* Makes the window so wide and lets the main loop turn until it has @level. */
static void
resize_until (TophashWindow *window,
              int            width,
              FitLevel       level) {
  TophashFitBin *fit
      = TOPHASH_FIT_BIN (find_widget (GTK_WIDGET (window), TOPHASH_TYPE_FIT_BIN));

  gtk_window_set_default_size (GTK_WINDOW (window), width, 720);
  TURN_UNTIL (tophash_fit_bin_get_level (fit) == level);
}

/* As narrow as a telephone nothing is cut, and what went comes back. */
static void
test_fits_a_narrow_window (void) {
  TophashWindow *window = open_window ();
  GtkWidget *title = find_widget (GTK_WIDGET (window), ADW_TYPE_WINDOW_TITLE);
  GtkWidget *fit = find_widget (GTK_WIDGET (window), TOPHASH_TYPE_FIT_BIN);
  int least;

  run_small (tophash_window_get_session (window));
  resize_until (window, 1280, FIT_WIDE);
  g_assert_true (gtk_widget_get_visible (title));
  resize_until (window, 360, FIT_NARROW);
  g_assert_false (gtk_widget_get_visible (title));
  gtk_widget_measure (gtk_widget_get_first_child (fit),
                      GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL, NULL);
  g_assert_cmpint (least, <=, 360);
  resize_until (window, 1280, FIT_WIDE);
  g_assert_true (gtk_widget_get_visible (title));
  close_window (window);
}

static gboolean
late_cb (gpointer data) {
  *(gboolean *)data = TRUE;
  return G_SOURCE_REMOVE;
}

/* How high the map is when it has its part of the window, or after five seconds. */
static int
map_height (TophashWindow *window,
            int            wanted) {
  GtkWidget *map = GTK_WIDGET (gtk_widget_get_template_child (
      GTK_WIDGET (window), TOPHASH_TYPE_WINDOW, "stack"));
  gboolean is_late = FALSE;
  guint late = g_timeout_add_seconds (5, late_cb, &is_late);

  while (!is_late && gtk_widget_get_height (map) < wanted)
    g_main_context_iteration (NULL, TRUE);
  if (!is_late)
    g_source_remove (late);
  return gtk_widget_get_height (map);
}

/* With large letters, and in a window of few lines, the map is what all is about. */
static void
test_map_keeps_a_third (void) {
  static const struct {
    const char *font;
    int         width, height;
  } cases[] = {
    { "Cantarell 11", 370, 480 },
    { "Cantarell 18", 1280, 800 },
    { "Cantarell 18", 370, 700 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    TophashWindow *window = open_window ();

    g_object_set (gtk_settings_get_default (), "gtk-font-name", cases[i].font,
                  NULL);
    run_small (tophash_window_get_session (window));
    activate (window, "win.search");
    gtk_window_set_default_size (GTK_WINDOW (window), cases[i].width,
                                 cases[i].height);
    g_assert_cmpint (map_height (window, cases[i].height / 3 - 4), >=,
                     cases[i].height / 3 - 4);
    close_window (window);
    gtk_settings_reset_property (gtk_settings_get_default (), "gtk-font-name");
  }
}

/* Names of pages are whole, or they are icons. */
static void
test_cuts_no_names_of_pages (void) {
  TophashWindow *window = open_window ();
  GtkWidget *switcher
      = find_widget (GTK_WIDGET (window), GTK_TYPE_STACK_SWITCHER);

  g_object_set (gtk_settings_get_default (), "gtk-font-name", "Sans 18", NULL);
  TURN_UNTIL (GTK_IS_IMAGE (
      gtk_button_get_child (GTK_BUTTON (gtk_widget_get_first_child (switcher)))));
  g_object_set (gtk_settings_get_default (), "gtk-font-name", "Sans 8", NULL);
  TURN_UNTIL (GTK_IS_LABEL (
      gtk_button_get_child (GTK_BUTTON (gtk_widget_get_first_child (switcher)))));
  gtk_settings_reset_property (gtk_settings_get_default (), "gtk-font-name");
  close_window (window);
}

/* Where a line is too short for the position and the speed, each has its own. */
static void
test_cuts_no_position (void) {
  TophashWindow *window = open_window ();
  TophashRoomLabel *position
      = TOPHASH_ROOM_LABEL (gtk_widget_get_template_child (
          GTK_WIDGET (window), TOPHASH_TYPE_WINDOW, "position"));

  g_object_set (gtk_settings_get_default (), "gtk-font-name", "Cantarell 18", NULL);
  run_small (tophash_window_get_session (window));
  resize_until (window, 370, FIT_NARROW);
  TURN_UNTIL (gtk_widget_get_width (GTK_WIDGET (position)) > 0
              && !tophash_room_label_is_cut (position));
  g_assert_true (g_str_has_prefix (tophash_room_label_get_shown (position), "event "));
  resize_until (window, 1280, FIT_WIDE);
  close_window (window);
  gtk_settings_reset_property (gtk_settings_get_default (), "gtk-font-name");
}

/* How many were found is read in a narrow window, too. */
static void
test_cuts_no_count_of_places (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  GtkWidget *bar = find_widget (GTK_WIDGET (window), TOPHASH_TYPE_SEARCH_BAR);
  GtkWidget *entry = find_widget (bar, GTK_TYPE_SEARCH_ENTRY);
  GtkLabel *found = GTK_LABEL (
      gtk_widget_get_template_child (bar, TOPHASH_TYPE_SEARCH_BAR, "found"));

  run_small (session);
  resize_until (window, 360, FIT_NARROW);
  activate (window, "win.search");
  gtk_editable_set_text (GTK_EDITABLE (entry), "op = store");
  TURN_UNTIL (g_str_has_suffix (gtk_label_get_text (found), " places")
              && gtk_widget_get_width (GTK_WIDGET (found)) > 0);
  g_assert_false (pango_layout_is_ellipsized (gtk_label_get_layout (found)));
  gtk_editable_set_text (GTK_EDITABLE (entry), "");
  TURN_UNTIL (!gtk_widget_get_visible (GTK_WIDGET (found)));
  resize_until (window, 1280, FIT_WIDE);
  g_assert_true (gtk_widget_get_parent (GTK_WIDGET (found))
                 == gtk_widget_get_parent (entry));
  close_window (window);
}

static guint
count_wheels (GtkWidget *widget) {
  g_autoptr (GListModel) controllers = gtk_widget_observe_controllers (widget);
  guint n = 0;

  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++) {
    g_autoptr (GtkEventController) controller
        = g_list_model_get_item (controllers, i);

    if (GTK_IS_EVENT_CONTROLLER_SCROLL (controller)
        && gtk_event_controller_get_propagation_phase (controller) != GTK_PHASE_NONE)
      n++;
  }
  return n;
}

/* How many scales and numbers are in @widget, none of which takes the wheel. */
static guint
count_still (GtkWidget *widget) {
  guint n = 0;

  if (GTK_IS_SCALE (widget) || GTK_IS_SPIN_BUTTON (widget)) {
    g_assert_cmpuint (count_wheels (widget), ==, 0);
    n++;
  }
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    n += count_still (child);
  return n;
}

/* Scrolling through the settings sets none of those that pass below the pointer. */
static void
test_the_wheel_sets_nothing (void) {
  TophashWindow *window = open_window ();

  g_assert_cmpuint (count_still (find_widget (GTK_WIDGET (window),
                                              TOPHASH_TYPE_SETTINGS_PANE)),
                    >=, 4 + OPERATION_MIX_N);
  close_window (window);
}

void
add_settings_tests (void) {
  g_test_add_func ("/app/window/the-wheel-sets-nothing", test_the_wheel_sets_nothing);
  g_test_add_func ("/app/window/sets-how-a-run-is-recorded",
                   test_sets_how_a_run_is_recorded);
  g_test_add_func ("/app/window/tells-what-was-lost", test_tells_what_was_lost);
  g_test_add_func ("/app/window/lectures-where-it-stands",
                   test_lectures_where_it_stands);
  g_test_add_func ("/app/window/lectures-in-large-letters",
                   test_lectures_in_large_letters);
  g_test_add_func ("/app/window/fits-a-narrow-window", test_fits_a_narrow_window);
  g_test_add_func ("/app/window/map-keeps-a-third", test_map_keeps_a_third);
  g_test_add_func ("/app/window/cuts-no-names-of-pages",
                   test_cuts_no_names_of_pages);
  g_test_add_func ("/app/window/cuts-no-position", test_cuts_no_position);
  g_test_add_func ("/app/window/cuts-no-count-of-places",
                   test_cuts_no_count_of_places);
}
