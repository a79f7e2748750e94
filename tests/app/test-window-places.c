/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-window-places.c — finding, bookmarks, markers, saving, exports
 *
 * Part of test-window: what people leave in a recording comes back from its file,
 * and what they did not save is not lost without a word.
 */
#include "tests/app/test-window.h"

#include "app/compat.h"
#include "app/tophash-honesty-card.h"
#include "core/record/tracelog-file.h"

#include "widgets/tophash-key-life.h"

#include <glib/gstdio.h>
#include <string.h>

static GFile *
new_file (const char *name) {
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), name, NULL);

  g_remove (path);
  return g_file_new_for_path (path);
}

static void
remove_file (GFile *file) {
  g_assert_true (g_file_delete (file, NULL, NULL));
  g_object_unref (file);
}

static goffset
size_of (GFile *file) {
  g_autoptr (GFileInfo) info = g_file_query_info (
      file, G_FILE_ATTRIBUTE_STANDARD_SIZE, G_FILE_QUERY_INFO_NONE, NULL, NULL);

  g_assert_nonnull (info);
  return g_file_info_get_size (info);
}

/* A name without its ending gets that of the type that is chosen. */
static void
test_completes_names (void) {
  const char *const pictures[] = { ".png", ".svg", ".pdf", NULL };
  const struct {
    const char *typed;
    guint       chosen;
    const char *meant;
  } cases[] = { { "map", 0, "map.png" },     { "map", 1, "map.svg" },
                { "map.png", 0, "map.png" }, { "map.png", 2, "map.pdf" },
                { "map.svg", 0, "map.svg" }, { "map.svg", 2, "map.svg" },
                { "map.v2", 1, "map.v2" },   { ".map", 0, ".map.png" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *meant
        = compat_complete_name (cases[i].typed, pictures, cases[i].chosen);

    g_assert_cmpstr (meant, ==, cases[i].meant);
  }
}

/* Selects a key that stands in read at the cursor; which one. */
static gint64
select_a_key (TophashSession *session) {
  const MapState *state = tophash_session_get_state (session);
  const StateTable *table = map_state_table_for (state, TABLE_ROLE_READ);
  StateSlot slot;

  for (gint64 key = 0; key < 16; key++)
    if (map_state_find_key (state, table, key, &slot)) {
      TophashSelection selection = { .kind = SELECTION_SLOT,
                                     .table = table->id,
                                     .table_created_ver = table->created_ver,
                                     .in_old = slot.in_old,
                                     .bucket = slot.bucket,
                                     .slot = slot.slot,
                                     .has_key = TRUE,
                                     .key = key };

      tophash_session_select (session, &selection);
      return key;
    }
  g_assert_not_reached ();
}

static void
test_keeps_what_is_noted (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  GFile *file = new_file ("tophash-window-notes.tophash");
  const TraceNotes *notes;
  TraceLog *log;
  guint64 length;
  gint64 key, from_ns, to_ns, duration_ns;
  SessionDifference difference;
  goffset size;
  int zoom;

  run_small (session);
  length = tracelog_get_length (tophash_session_get_log (session));
  duration_ns
      = timeline_get_duration_ns (tophash_session_get_timeline (session));
  settle_at (session, length / 2);
  tophash_session_add_bookmark (session, "the middle", "");
  tophash_window_save_to (window, file);
  TURN_UNTIL (!tophash_session_is_unsaved (session));
  size = size_of (file);

  tophash_session_set_text (session, "Look at the middle.");
  activate (window, "win.marker-a");
  settle_at (session, length / 2 + 40);
  activate (window, "win.marker-b");
  settle_at (session, length / 2);
  tophash_session_set_range (session, duration_ns / 4, duration_ns / 2);
  tophash_session_get_range (session, &from_ns, &to_ns);
  key = select_a_key (session);
  activate (window, "win.zoom-in");
  zoom = tophash_session_get_zoom (session);
  g_assert_cmpint (zoom, ==, 1);
  g_assert_true (tophash_session_has_unsaved_notes (session));
  activate (window, "win.save");
  TURN_UNTIL (!tophash_session_is_unsaved (session));
  /* Only the notes were written. */
  g_assert_cmpint (size_of (file), >, size);
  g_assert_cmpint (size_of (file), <, size + 16384);

  activate (window, "win.zoom-fit");
  g_assert_cmpint (tophash_session_get_zoom (session), ==, 0);
  log = tracelog_ref (tophash_session_get_log (session));
  tophash_window_open (window, file);
  TURN_UNTIL (tophash_session_get_log (session) != log);
  tracelog_unref (log);
  TURN_UNTIL (map_state_n_events (tophash_session_get_state (session))
              == length / 2);
  notes = tophash_session_get_notes (session);
  g_assert_cmpuint (notes->bookmarks->len, ==, 1);
  g_assert_cmpstr (((TraceBookmark *)notes->bookmarks->pdata[0])->title, ==,
                   "the middle");
  g_assert_cmpstr (notes->text, ==, "Look at the middle.");
  tophash_session_get_range (session, &duration_ns, &to_ns);
  g_assert_cmpint (duration_ns, ==, from_ns);
  g_assert_cmpint (tophash_session_get_selection (session)->key, ==, key);
  g_assert_cmpint (tophash_session_get_zoom (session), ==, zoom);
  TURN_UNTIL (tophash_session_get_difference (session, &difference));
  g_assert_cmpuint (difference.n_events, ==, 40);

  /* What is opened is saved where it stands, too. */
  tophash_session_add_bookmark (session, "again", "");
  activate (window, "win.save");
  TURN_UNTIL (!tophash_session_is_unsaved (session));
  remove_file (file);
  close_window (window);
}

static void
test_asks_before_notes_are_lost (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);

  run_small (session);
  activate (window, "win.add-bookmark");
  g_object_ref (window);
  close_window (window);
  g_assert_true (gtk_widget_get_visible (GTK_WIDGET (window)));
  answer ("cancel");
  g_assert_true (gtk_widget_get_visible (GTK_WIDGET (window)));
  close_window (window);
  answer ("discard");
  TURN_UNTIL (!gtk_widget_get_visible (GTK_WIDGET (window)));
  g_object_unref (window);
}

static void
test_closes_when_notes_were_undone (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);

  run_small (session);
  activate (window, "win.add-bookmark");
  g_assert_true (tophash_session_has_unsaved_notes (session));
  g_assert_true (tophash_session_undo_notes (session));
  g_assert_false (tophash_session_has_unsaved_notes (session));
  g_object_ref (window);
  close_window (window);
  g_assert_null (find_dialog ());
  g_assert_false (gtk_widget_get_visible (GTK_WIDGET (window)));
  g_object_unref (window);
}

static void
test_finds_and_goes_round (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  TimelineSearch *search;
  SearchHit first;
  g_autoptr (GError) error = NULL;

  run_small (session);
  activate (window, "win.search");
  g_assert_true (tophash_session_search (session, "op = store", &error));
  g_assert_no_error (error);
  search = tophash_session_get_search (session);
  TURN_UNTIL (timeline_search_is_complete (search));
  g_assert_cmpuint (timeline_search_get_n (search), >, 1);
  g_assert_true (timeline_search_get (search, 0, &first));
  /* From the end round to the first, and back to the last. */
  activate (window, "win.next-hit");
  TURN_UNTIL (tophash_session_get_position (session) == first.position);
  activate (window, "win.previous-hit");
  TURN_UNTIL (tophash_session_get_position (session) > first.position);
  activate (window, "win.next-hit");
  TURN_UNTIL (tophash_session_get_position (session) == first.position);
  close_window (window);
}

static void
test_measures_between_markers (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  SessionDifference difference;
  guint64 length;

  run_small (session);
  length = tracelog_get_length (tophash_session_get_log (session));
  g_assert_cmpuint (length, >, SESSION_JUMP_EVENTS + 10);
  settle_at (session, length);
  activate (window, "win.marker-b");
  g_assert_false (tophash_session_get_difference (session, &difference));
  settle_at (session, 10);
  activate (window, "win.marker-a");
  g_assert_true (tophash_session_get_difference (session, &difference));
  g_assert_cmpuint (difference.n_events, ==, length - 10);
  g_assert_cmpuint (difference.n_ops, >, 300);
  activate (window, "win.go-back");
  TURN_UNTIL (tophash_session_get_position (session) == length);
  activate (window, "win.go-forward");
  TURN_UNTIL (tophash_session_get_position (session) == 10);
  activate (window, "win.clear-markers");
  g_assert_false (tophash_session_get_difference (session, &difference));
  close_window (window);
}

static void
test_exports (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  GFile *file = new_file ("tophash-window-events.csv");
  g_autofree char *path = g_file_get_path (file);
  g_autofree char *text = NULL;
  guint64 n_lines = 0;

  run_small (session);
  /* What stands there already is replaced as a whole: never half of it is read. */
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  tophash_window_export_to (window, EXPORT_EVENTS_CSV, file);
  TURN_UNTIL (g_file_test (path, G_FILE_TEST_EXISTS)
              && g_file_get_contents (path, &text, NULL, NULL)
              && *text != '\0');
  for (const char *at = text; *at != '\0'; at++)
    n_lines += *at == '\n';
  g_assert_cmpuint (n_lines, ==,
                    tracelog_get_length (tophash_session_get_log (session)) + 1);
  remove_file (file);
  close_window (window);
}

GtkWidget *
find_button (GtkWidget  *widget,
             const char *label) {
  if (GTK_IS_BUTTON (widget)
      && g_strcmp0 (gtk_button_get_label (GTK_BUTTON (widget)), label) == 0)
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child)) {
    GtkWidget *found = find_button (child, label);

    if (found != NULL)
      return found;
  }
  return NULL;
}

static void
test_measures_honesty (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  GtkWidget *card
      = find_widget (GTK_WIDGET (window), TOPHASH_TYPE_HONESTY_CARD);
  GtkWidget *bar = find_widget (card, GTK_TYPE_LEVEL_BAR);
  GtkWidget *measure, *cancel;

  run_small (session);
  measure = find_button (card, "Compare with a Blind Run");
  cancel = find_button (card, "_Cancel");
  g_assert_true (gtk_widget_get_sensitive (measure));
  g_signal_emit_by_name (measure, "clicked");
  g_assert_false (gtk_widget_get_visible (measure));
  g_signal_emit_by_name (cancel, "clicked");
  TURN_UNTIL (gtk_widget_get_visible (measure));
  g_assert_cmpfloat (gtk_level_bar_get_value (GTK_LEVEL_BAR (bar)), ==, 0);
  g_signal_emit_by_name (measure, "clicked");
  TURN_UNTIL (gtk_widget_get_visible (measure));
  g_assert_cmpfloat (gtk_level_bar_get_value (GTK_LEVEL_BAR (bar)), >, 0);
  close_window (window);
}

/* Page by page back to the first event of the key, each in its place. */
static void
test_shows_a_whole_life (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  TophashKeyLife *life = TOPHASH_KEY_LIFE (
      find_widget (GTK_WIDGET (window), TOPHASH_TYPE_KEY_LIFE));
  g_autoptr (GArray) wanted = g_array_new (FALSE, FALSE, sizeof (guint64));
  const TophashSelection nothing = { .kind = SELECTION_NONE };
  gint64 key;

  run_small (session);
  key = select_a_key (session);
  timeline_get_key_page (tophash_session_get_timeline (session), key, G_MAXUINT64,
                         G_MAXUINT, NULL, wanted);
  g_assert_cmpuint (wanted->len, >, 8);
  TURN_UNTIL (tophash_key_life_get_n_rows (life) > 0);
  g_assert_false (tophash_key_life_is_whole (life));
  while (!tophash_key_life_is_whole (life)) {
    guint n = tophash_key_life_get_n_rows (life);

    tophash_key_life_show_earlier (life);
    TURN_UNTIL (tophash_key_life_is_whole (life)
                || tophash_key_life_get_n_rows (life) > n);
  }
  g_assert_cmpuint (tophash_key_life_get_n_rows (life), ==, wanted->len);
  /* Before its first event the key is named still, and has no life yet. */
  settle_at (session, 0);
  TURN_UNTIL (tophash_key_life_get_n_rows (life) == 0
              && has_shown (window, "Nothing happened to it"));
  g_assert_true (has_shown (window, "This key is not in the map"));
  tophash_session_select (session, &nothing);
  g_assert_false (has_shown (window, "Nothing happened to it"));
  close_window (window);
}

void
add_places_tests (void) {
  g_test_add_func ("/app/window/keeps-what-is-noted", test_keeps_what_is_noted);
  g_test_add_func ("/app/window/asks-before-notes-are-lost",
                   test_asks_before_notes_are_lost);
  g_test_add_func ("/app/window/closes-when-notes-were-undone",
                   test_closes_when_notes_were_undone);
  g_test_add_func ("/app/window/finds-and-goes-round", test_finds_and_goes_round);
  g_test_add_func ("/app/window/measures-between-markers",
                   test_measures_between_markers);
  g_test_add_func ("/app/window/shows-a-whole-life", test_shows_a_whole_life);
  g_test_add_func ("/app/window/completes-names", test_completes_names);
  g_test_add_func ("/app/window/exports", test_exports);
  g_test_add_func ("/app/window/measures-honesty", test_measures_honesty);
}
