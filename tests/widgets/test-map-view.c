/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-map-view.c — the stage as a widget in a window */
#include "tests/widgets/scenes.h"
#include "widgets/tophash-map-view.h"

#include <adwaita.h>

typedef struct {
  GtkWidget      *window;
  TophashMapView *view;
  TophashSession *session;
} Stage;

static gboolean
count_cb (GtkWidget     *widget,
          GdkFrameClock *clock,
          gpointer       data) {
  guint *n_left = data;

  return --*n_left > 0 ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
wait_frames (Stage *stage,
             guint  n) {
  gtk_widget_add_tick_callback (stage->window, count_cb, &n, NULL);
  while (n > 0)
    g_main_context_iteration (NULL, TRUE);
}

/* A table of four buckets with one key, as a finished recording. */
static TraceLog *
new_log (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log = tracelog_new (info, 0);
  const Event events[] = {
    { .kind = EVENT_TABLE_CREATED, .at_ns = 100, .ver = 1, .aux16 = 1,
      .aux8 = 2, .a = SCENE_SEED },
    { .kind = EVENT_TABLE_NAMED, .at_ns = 200, .ver = 2, .aux16 = 1 },
    { .kind = EVENT_SLOT_WRITTEN, .at_ns = 300, .ver = 3, .aux16 = 1,
      .aux8 = 99, .a = 17, .b = 5 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (events); i++)
    tracelog_append (log, &events[i]);
  tracelog_finish (log, FALSE);
  return log;
}

static void
open_stage (Stage *stage) {
  GtkWidget *scroller = gtk_scrolled_window_new ();

  stage->window = gtk_window_new ();
  stage->view = TOPHASH_MAP_VIEW (tophash_map_view_new ());
  stage->session = tophash_session_new ();
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller),
                                 GTK_WIDGET (stage->view));
  gtk_window_set_child (GTK_WINDOW (stage->window), scroller);
  gtk_window_set_default_size (GTK_WINDOW (stage->window), 800, 500);
  gtk_window_present (GTK_WINDOW (stage->window));
  wait_frames (stage, 3);
}

static void
close_stage (Stage *stage) {
  gtk_window_destroy (GTK_WINDOW (stage->window));
  g_object_unref (stage->session);
}

static gboolean
is_painted (Stage *stage) {
  g_autoptr (GdkPaintable) paintable
    = gtk_widget_paintable_new (GTK_WIDGET (stage->view));
  g_autoptr (GtkSnapshot) snapshot = gtk_snapshot_new ();
  GskRenderNode *node;

  gdk_paintable_snapshot (paintable, snapshot, 400, 300);
  node = gtk_snapshot_to_node (snapshot);
  if (node == NULL)
    return FALSE;
  gsk_render_node_unref (node);
  return TRUE;
}

/* Without session, without recording, with one, and without again. */
static void
test_comes_and_goes (void) {
  g_autoptr (TraceLog) log = new_log ();
  Stage stage;

  open_stage (&stage);
  g_assert_false (is_painted (&stage));
  tophash_map_view_zoom (stage.view, 1);
  tophash_map_view_set_session (stage.view, stage.session);
  wait_frames (&stage, 2);
  g_assert_false (is_painted (&stage));
  tophash_session_set_log (stage.session, log);
  timeline_wait (tophash_session_get_timeline (stage.session));
  tophash_session_seek (stage.session, 3);
  wait_frames (&stage, 3);
  g_assert_nonnull (tophash_session_get_state (stage.session));
  g_assert_true (is_painted (&stage));
  tophash_map_view_set_session (stage.view, NULL);
  wait_frames (&stage, 2);
  g_assert_false (is_painted (&stage));
  close_stage (&stage);
}

static void
test_zooms (void) {
  g_autoptr (TraceLog) log = new_log ();
  Stage stage;

  open_stage (&stage);
  tophash_map_view_set_session (stage.view, stage.session);
  tophash_session_set_log (stage.session, log);
  timeline_wait (tophash_session_get_timeline (stage.session));
  tophash_session_seek (stage.session, 3);
  for (int i = 0; i < 9; i++) {
    tophash_map_view_zoom (stage.view, 1);
    wait_frames (&stage, 1);
  }
  for (int i = 0; i < 9; i++) {
    tophash_map_view_zoom (stage.view, -1);
    wait_frames (&stage, 1);
  }
  tophash_map_view_zoom (stage.view, 0);
  wait_frames (&stage, 2);
  g_assert_true (is_painted (&stage));
  close_stage (&stage);
}

int
main (int    argc,
      char **argv) {
  gtk_test_init (&argc, &argv, NULL);
  adw_init ();
  g_test_add_func ("/widgets/map-view/comes-and-goes", test_comes_and_goes);
  g_test_add_func ("/widgets/map-view/zooms", test_zooms);
  return g_test_run ();
}
