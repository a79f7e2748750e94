/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-window-keys.c — the window by keyboard, by name and in little room
 *
 * Part of test-window. What a key does stands in the shortcuts window; what has
 * only an icon says its name to those who hover and to those who listen; and a
 * window as narrow as a telephone holds all of its contents.
 */
#include "tests/app/test-window.h"

#include "app/tophash-application.h"
#include "app/tophash-fit-bin.h"
#include "app/tophash-settings-pane.h"
#include "app/tophash-window-private.h"
#include "widgets/tophash-inspector.h"
#include "widgets/tophash-map-view.h"
#include "widgets/tophash-timeline-view.h"

#include <string.h>

#define NARROW_PX 360

typedef void (*Visit) (GtkWidget *widget,
                       gpointer   data);

static void
visit_all (GtkWidget *widget,
           Visit      visit,
           gpointer   data) {
  visit (widget, data);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    visit_all (child, visit, data);
}

/* Shortcuts ---------------------------------------------------------------- */

static char *
accel_name (const char *accel) {
  guint key;
  GdkModifierType modifiers;

  g_assert_true (gtk_accelerator_parse (accel, &key, &modifiers));
  return gtk_accelerator_name (key, modifiers);
}

/* All accelerators that @widget's shortcuts list, into the set @data. */
static void
list_accels (GtkWidget *widget,
             gpointer   data) {
  g_autofree char *text = NULL;
  g_auto (GStrv) words = NULL;

  if (!GTK_IS_SHORTCUTS_SHORTCUT (widget))
    return;
  g_object_get (widget, "accelerator", &text, NULL);
  words = g_strsplit (text, " ", -1);
  for (guint i = 0; words[i] != NULL; i++)
    g_hash_table_add (data, accel_name (words[i]));
}

static void
test_lists_its_shortcuts (void) {
  TophashWindow *window = open_window ();
  GtkApplication *application = gtk_window_get_application (GTK_WINDOW (window));
  GtkShortcutsWindow *help
      = gtk_application_window_get_help_overlay (GTK_APPLICATION_WINDOW (window));
  g_auto (GStrv) actions = gtk_application_list_action_descriptions (application);
  g_autoptr (GHashTable) listed
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  g_assert_nonnull (help);
  visit_all (GTK_WIDGET (help), list_accels, listed);
  g_assert_cmpuint (g_strv_length (actions), >, 20);
  for (guint i = 0; actions[i] != NULL; i++) {
    g_auto (GStrv) accels
        = gtk_application_get_accels_for_action (application, actions[i]);

    for (guint j = 0; accels[j] != NULL; j++) {
      g_autofree char *name = accel_name (accels[j]);

      if (!g_hash_table_contains (listed, name)) {
        g_test_message ("%s of %s is not in the shortcuts window", name,
                        actions[i]);
        g_test_fail ();
      }
    }
  }
  close_window (window);
}

/* Names -------------------------------------------------------------------- */

static gboolean
has_words (GtkWidget *widget) {
  if (GTK_IS_LABEL (widget) && *gtk_label_get_text (GTK_LABEL (widget)) != '\0')
    return TRUE;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (gtk_widget_get_visible (child) && !GTK_IS_POPOVER (child)
        && has_words (child))
      return TRUE;
  return FALSE;
}

/* Whether GTK or libadwaita made it and names it: the window's own buttons, the
 * steps of a number, the parts of a list's row. */
static gboolean
is_made_for_us (GtkWidget *widget) {
  static const char *const makers[]
      = { "GtkWindowControls", "GtkSpinButton", "GtkSearchBar",
          "GtkDropDown", "AdwExpanderRow", "AdwComboRow", "GtkMenuButton",
          "GtkShortcutsWindow", "GtkPopoverMenu", "GtkScrollbar" };
  GtkWidget *parent = gtk_widget_get_parent (widget);

  /* A search bar's own button has no name of ours; ours have ids. */
  for (guint i = 0; parent != NULL && i < G_N_ELEMENTS (makers); i++)
    if (gtk_widget_get_ancestor (parent, g_type_from_name (makers[i])) != NULL
        && (strcmp (makers[i], "GtkSearchBar") != 0
            || gtk_widget_has_css_class (widget, "close")))
      return TRUE;
  return FALSE;
}

static void
check_name (GtkWidget *widget,
            gpointer   data) {
  guint *n_checked = data;
  const char *tooltip = gtk_widget_get_tooltip_text (widget);

  if (!(GTK_IS_BUTTON (widget) || GTK_IS_MENU_BUTTON (widget))
      || has_words (widget) || is_made_for_us (widget))
    return;
  (*n_checked)++;
  if (tooltip == NULL || *tooltip == '\0') {
    g_test_message ("a %s %s has no tooltip", G_OBJECT_TYPE_NAME (widget),
                    gtk_buildable_get_buildable_id (GTK_BUILDABLE (widget)));
    g_test_fail ();
  }
  if (!gtk_test_accessible_has_property (GTK_ACCESSIBLE (widget),
                                         GTK_ACCESSIBLE_PROPERTY_LABEL)) {
    g_test_message ("a %s “%s” has no accessible label",
                    G_OBJECT_TYPE_NAME (widget), tooltip);
    g_test_fail ();
  }
}

static void
test_names_its_icons (void) {
  TophashWindow *window = open_window ();
  guint n_checked = 0;

  run_small (tophash_window_get_session (window));
  activate (window, "win.search");
  activate (window, "win.add-bookmark");
  visit_all (GTK_WIDGET (window), check_name, &n_checked);
  g_assert_cmpuint (n_checked, >=, 14);
  /* Nothing that the window would ask about. */
  g_assert_true (tophash_session_undo_notes (tophash_window_get_session (window)));
  close_window (window);
}

/* What is typed after Ctrl+F is in the entry, also before the next frame. */
static void
test_search_takes_keys_at_once (void) {
  TophashWindow *window = open_window ();
  GtkWidget *focus;
  GtkWidget *bar;
  int height;

  run_small (tophash_window_get_session (window));
  activate (window, "win.search");
  focus = gtk_window_get_focus (GTK_WINDOW (window));
  g_assert_nonnull (focus);
  g_assert_true (gtk_widget_get_mapped (focus));
  bar = gtk_widget_get_ancestor (focus, GTK_TYPE_SEARCH_BAR);
  g_assert_nonnull (bar);
  gtk_widget_measure (bar, GTK_ORIENTATION_VERTICAL, -1, NULL, &height, NULL, NULL);
  g_assert_cmpint (height, >, 0);

  /* And a closed one leaves its room to the map. */
  gtk_search_bar_set_search_mode (GTK_SEARCH_BAR (bar), FALSE);
  gtk_widget_measure (bar, GTK_ORIENTATION_VERTICAL, -1, NULL, &height, NULL, NULL);
  g_assert_cmpint (height, ==, 0);
  close_window (window);
}

static void
find_menu_button (GtkWidget *widget,
                  gpointer   data) {
  GtkMenuButton **found = data;

  if (GTK_IS_MENU_BUTTON (widget)
      && gtk_menu_button_get_primary (GTK_MENU_BUTTON (widget)))
    *found = GTK_MENU_BUTTON (widget);
}

/* Space plays on after the menu, and what is typed after Find in it is searched. */
static void
test_menu_gives_the_focus_back (void) {
  TophashWindow *window = open_window ();
  GtkMenuButton *button = NULL;
  GtkWidget *before;

  run_small (tophash_window_get_session (window));
  visit_all (GTK_WIDGET (window), find_menu_button, &button);
  g_assert_nonnull (button);
  before = gtk_window_get_focus (GTK_WINDOW (window));
  g_assert_nonnull (before);

  gtk_menu_button_popup (button);
  gtk_menu_button_popdown (button);
  g_assert_true (gtk_window_get_focus (GTK_WINDOW (window)) == before);

  gtk_menu_button_popup (button);
  activate (window, "win.search");
  gtk_menu_button_popdown (button);
  g_assert_nonnull (gtk_widget_get_ancestor (
      gtk_window_get_focus (GTK_WINDOW (window)), GTK_TYPE_SEARCH_BAR));
  close_window (window);
}

/* Escape ends a search, and the next key is for what it was for before: not for an
 * expander or a list beside the bar. */
static void
test_search_gives_the_focus_back (void) {
  TophashWindow *window = open_window ();
  GtkWidget *before, *entry;

  run_small (tophash_window_get_session (window));
  before = gtk_window_get_focus (GTK_WINDOW (window));
  g_assert_nonnull (before);
  for (int i = 0; i < 2; i++) {
    activate (window, "win.search");
    entry = gtk_widget_get_ancestor (gtk_window_get_focus (GTK_WINDOW (window)),
                                     GTK_TYPE_SEARCH_ENTRY);
    g_assert_nonnull (entry);
    g_signal_emit_by_name (entry, "stop-search");
    g_assert_true (gtk_window_get_focus (GTK_WINDOW (window)) == before);
  }
  close_window (window);
}

/* A sentence of the examples is no query, but it is clear which one it means. */
static void
test_offers_the_query_meant (void) {
  TophashWindow *window = open_window ();
  GtkWidget *entry, *button;

  run_small (tophash_window_get_session (window));
  activate (window, "win.search");
  entry = gtk_widget_get_ancestor (gtk_window_get_focus (GTK_WINDOW (window)),
                                   GTK_TYPE_SEARCH_ENTRY);
  gtk_editable_set_text (GTK_EDITABLE (entry), "nonsense");
  g_signal_emit_by_name (entry, "search-changed");
  g_assert_null (find_button (GTK_WIDGET (window), "Find: overflow >= 2"));
  gtk_editable_set_text (GTK_EDITABLE (entry), " A bucket with 2");
  g_signal_emit_by_name (entry, "search-changed");
  button = find_button (GTK_WIDGET (window), "Find: overflow >= 2");
  g_assert_nonnull (button);
  g_assert_true (gtk_widget_get_mapped (button));
  g_signal_emit_by_name (entry, "activate");
  g_assert_cmpstr (gtk_editable_get_text (GTK_EDITABLE (entry)), ==,
                   "overflow >= 2");
  g_assert_false (gtk_widget_get_visible (button));

  /* Its own stores, not those of an example that begins with the word. */
  gtk_editable_set_text (GTK_EDITABLE (entry), "Store");
  g_signal_emit_by_name (entry, "search-changed");
  g_assert_nonnull (find_button (GTK_WIDGET (window), "Find: op = store"));
  gtk_editable_set_text (GTK_EDITABLE (entry), "every promotion");
  g_signal_emit_by_name (entry, "search-changed");
  g_signal_emit_by_name (button, "clicked");
  g_assert_cmpstr (gtk_editable_get_text (GTK_EDITABLE (entry)), ==,
                   "dirty-promoted");
  close_window (window);
}

/* Tab ---------------------------------------------------------------------- */

#define MANY_STOPS 120

/* (transfer container): where Tab stops, from the first until it comes round. */
static GPtrArray *
go_round (GtkWindow        *window,
          GtkDirectionType  direction) {
  GPtrArray *stops = g_ptr_array_new ();
  GtkWidget *focus;

  gtk_window_set_focus (window, NULL);
  while (gtk_widget_child_focus (GTK_WIDGET (window), direction)
         && (focus = gtk_window_get_focus (window)) != NULL
         && !g_ptr_array_find (stops, focus, NULL)) {
    g_assert_true (gtk_widget_get_mapped (focus));
    g_ptr_array_add (stops, focus);
    g_assert_cmpuint (stops->len, <, MANY_STOPS);
  }
  return stops;
}

static guint
first_stop_in (GPtrArray *stops,
               GtkWidget *part) {
  for (guint i = 0; i < stops->len; i++)
    if (stops->pdata[i] == part || gtk_widget_is_ancestor (stops->pdata[i], part))
      return i;
  g_test_message ("Tab does not come to %s", G_OBJECT_TYPE_NAME (part));
  g_test_fail ();
  return 0;
}

/* As it is read: header, search, settings, map, inspector, timeline, and no row of
 * settings twice, for itself and for what it holds. */
static void
test_tab_goes_round (void) {
  const GType parts[]
      = { ADW_TYPE_HEADER_BAR,   GTK_TYPE_SEARCH_BAR,    TOPHASH_TYPE_SETTINGS_PANE,
          TOPHASH_TYPE_MAP_VIEW, TOPHASH_TYPE_INSPECTOR, TOPHASH_TYPE_TIMELINE_VIEW };
  TophashWindow *window = open_window ();
  GtkWidget *root = GTK_WIDGET (window);
  g_autoptr (GPtrArray) there = NULL;
  g_autoptr (GPtrArray) back = NULL;
  guint last = 0;

  run_small (tophash_window_get_session (window));
  activate (window, "win.search");
  there = go_round (GTK_WINDOW (window), GTK_DIR_TAB_FORWARD);
  back = go_round (GTK_WINDOW (window), GTK_DIR_TAB_BACKWARD);
  for (guint i = 0; i < there->len; i++)
    g_assert_true (g_ptr_array_find (back, there->pdata[i], NULL));

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    guint first = first_stop_in (there, find_widget (root, parts[i]));

    g_assert_true (i == 0 || first > last);
    last = first;
  }
  for (guint i = 1; i < there->len; i++)
    g_assert_false (
        gtk_widget_is_ancestor (there->pdata[i], there->pdata[i - 1]));
  close_window (window);
}

/* Room --------------------------------------------------------------------- */

static void
tell_wide (GtkWidget *widget,
           gpointer   data) {
  int least;

  if (!gtk_widget_get_mapped (widget) || GTK_IS_NATIVE (widget))
    return;
  gtk_widget_measure (widget, GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL,
                      NULL);
  if (least > NARROW_PX)
    g_test_message ("%s %s needs %d px", G_OBJECT_TYPE_NAME (widget),
                    gtk_buildable_get_buildable_id (GTK_BUILDABLE (widget)),
                    least);
}

static gboolean
late_cb (gpointer data) {
  *(gboolean *)data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Turns the main loop until the contents fit, or for ten seconds. */
static gboolean
comes_to_fit (GtkWidget *child) {
  gboolean is_late = FALSE;
  int least = G_MAXINT;
  guint late = g_timeout_add_seconds (10, late_cb, &is_late);

  while (!is_late && least > NARROW_PX) {
    g_main_context_iteration (NULL, TRUE);
    gtk_widget_measure (child, GTK_ORIENTATION_HORIZONTAL, -1, &least, NULL, NULL,
                        NULL);
  }
  if (!is_late)
    g_source_remove (late);
  return least <= NARROW_PX;
}

static void
check_fits_a_telephone (const char *font) {
  static const char *const pages[]
      = { "win.zoom-fit", "win.notes", "win.statistics", "win.search" };
  g_autoptr (GFile) file = g_file_new_for_path (
      "/nowhere/a recording with a name that says all there is to say.tophash");
  TophashWindow *window = open_window ();
  GtkWidget *bin = find_widget (GTK_WIDGET (window), TOPHASH_TYPE_FIT_BIN);

  g_object_set (gtk_settings_get_default (), "gtk-font-name", font, NULL);
  run_small (tophash_window_get_session (window));
  tophash_window_set_scenario (window, "first-promotion", FALSE);
  tophash_window_open (window, file);
  gtk_window_set_default_size (GTK_WINDOW (window), NARROW_PX, 700);
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++) {
    activate (window, pages[i]);
    if (!comes_to_fit (gtk_widget_get_first_child (bin))) {
      g_test_message ("after %s in %s", pages[i], font);
      visit_all (gtk_widget_get_first_child (bin), tell_wide, NULL);
      g_test_fail ();
    }
  }
  close_window (window);
  gtk_settings_reset_property (gtk_settings_get_default (), "gtk-font-name");
}

/* With the letters that the desktop comes with, and for eyes that need large ones. */
static void
test_fits_a_telephone (void) {
  check_fits_a_telephone ("Cantarell 11");
  check_fits_a_telephone ("Cantarell 18");
}

/* A letter goes to the next event of the same worker, with Shift to the one before;
 * one that has nothing to go along leaves the cursor where it is. */
static void
test_letters_go_along (void) {
  TophashWindow *window = open_window ();
  TophashSession *session = tophash_window_get_session (window);
  TraceLog *log;
  Event event, other;
  guint64 there;

  run_small (session);
  log = tophash_session_get_log (session);
  settle_at (session, 100);
  g_assert_true (tracelog_get_event (log, 99, &event));
  g_assert_true (tophash_window_key (window, GDK_KEY_k, 0));
  g_assert_true (tophash_window_key (window, GDK_KEY_w, 0));
  while (tophash_session_get_position (session) == 100)
    g_main_context_iteration (NULL, TRUE);
  there = tophash_session_get_position (session);
  g_assert_cmpuint (there, >, 100);
  for (guint64 i = 100; i < there; i++) {
    g_assert_true (tracelog_get_event (log, i, &other));
    g_assert_true ((other.thread == event.thread) == (i == there - 1));
  }
  g_assert_true (tophash_window_key (window, GDK_KEY_W, GDK_SHIFT_MASK));
  while (tophash_session_get_position (session) == there)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (tophash_session_get_position (session), ==, 100);
  close_window (window);
}

void
add_keys_tests (void) {
  g_test_add_func ("/app/window/lists-its-shortcuts", test_lists_its_shortcuts);
  g_test_add_func ("/app/window/names-its-icons", test_names_its_icons);
  g_test_add_func ("/app/window/search-takes-keys-at-once",
                   test_search_takes_keys_at_once);
  g_test_add_func ("/app/window/menu-gives-the-focus-back",
                   test_menu_gives_the_focus_back);
  g_test_add_func ("/app/window/search-gives-the-focus-back",
                   test_search_gives_the_focus_back);
  g_test_add_func ("/app/window/offers-the-query-meant",
                   test_offers_the_query_meant);
  g_test_add_func ("/app/window/letters-go-along", test_letters_go_along);
  g_test_add_func ("/app/window/tab-goes-round", test_tab_goes_round);
  g_test_add_func ("/app/window/fits-a-telephone", test_fits_a_telephone);
}
