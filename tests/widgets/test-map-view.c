/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-map-view.c — the stage as a widget in a window */
#include "tests/widgets/scenes.h"
#include "widgets/paint-stage.h"
#include "widgets/tophash-map-view-private.h"

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

/* A state comes when it is folded, and is drawn by the frame after; fails by the
 * test's time limit. */
static void
wait_painted (Stage *stage) {
  while (!is_painted (stage))
    wait_frames (stage, 1);
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
  wait_painted (&stage);
  g_assert_nonnull (tophash_session_get_state (stage.session));
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
  g_assert_true (tophash_map_view_is_far (stage.view));
  tophash_map_view_zoom (stage.view, 0);
  g_assert_false (tophash_map_view_is_far (stage.view));
  wait_painted (&stage);
  close_stage (&stage);
}

#define N_KEYS 400
#define BIG_B 6

/* A table of 64 buckets, most of them full, as a finished recording. */
static TraceLog *
new_big_log (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log = tracelog_new (info, 0);
  Event created = { .kind = EVENT_TABLE_CREATED, .at_ns = 100, .ver = 1,
                    .aux16 = 1, .aux8 = BIG_B, .a = SCENE_SEED };
  Event named = { .kind = EVENT_TABLE_NAMED, .at_ns = 200, .ver = 2, .aux16 = 1 };

  tracelog_append (log, &created);
  tracelog_append (log, &named);
  for (guint i = 0; i < N_KEYS; i++) {
    Event written = { .kind = EVENT_SLOT_WRITTEN, .at_ns = 300 + i, .ver = 3 + i,
                      .aux16 = 1, .aux8 = (guint8)(TOPHASH_MIN + i % 200),
                      .res = i, .a = i, .b = i };

    tracelog_append (log, &written);
  }
  tracelog_finish (log, FALSE);
  return log;
}

/* Its slots with letters. */
static void
open_big_stage (Stage *stage) {
  g_autoptr (TraceLog) log = new_big_log ();

  open_stage (stage);
  tophash_map_view_set_session (stage->view, stage->session);
  tophash_session_set_log (stage->session, log);
  timeline_wait (tophash_session_get_timeline (stage->session));
  tophash_session_seek (stage->session, 2 + N_KEYS);
  tophash_map_view_zoom (stage->view, 5);
  wait_frames (stage, 3);
}

static void
settle (Stage *stage) {
  wait_frames (stage, 2);
  while (!cached_picture_is_settled (&stage->view->picture))
    g_main_context_iteration (NULL, TRUE);
  wait_frames (stage, 2);
}

static cairo_surface_t *
new_image (Stage   *stage,
           cairo_t **cr) {
  const GdkRectangle *made = &stage->view->picture.made;
  cairo_surface_t *image = cairo_image_surface_create (
    CAIRO_FORMAT_ARGB32, made->width, made->height);

  *cr = cairo_create (image);
  cairo_translate (*cr, -made->x, -made->y);
  return image;
}

/* The picture that is shown is what painting in this thread gives. */
static void
check_picture (Stage *stage) {
  TophashMapView *view = stage->view;
  PangoContext *font = gtk_widget_get_pango_context (GTK_WIDGET (view));
  double scale = tophash_map_view_get_scale (view);
  g_autoptr (TophashDraw) draw
    = tophash_draw_new (font, 1 / tophash_draw_text_scale (font));
  PaintContext context = {
    .palette = cached_picture_get_palette (),
    .draw = draw,
    .key_format = view->key_format,
    .layout = tophash_map_view_get_layout (view),
    .progress = 1,
    .selection = tophash_session_get_selection (stage->session),
    .hover = &view->hover,
    .has_focus = gtk_widget_has_visible_focus (GTK_WIDGET (view)),
  };
  cairo_t *cr;
  cairo_surface_t *shown = new_image (stage, &cr);
  cairo_surface_t *painted;
  gsize size;

  gsk_render_node_draw (view->picture.node, cr);
  cairo_destroy (cr);
  painted = new_image (stage, &cr);
  cairo_translate (cr, MAP_VIEW_MARGIN, tophash_map_view_get_top (view));
  cairo_scale (cr, scale, scale);
  paint_stage (cr, &context);
  cairo_destroy (cr);
  size = (gsize)cairo_image_surface_get_stride (shown)
         * (gsize)cairo_image_surface_get_height (shown);
  g_assert_cmpmem (cairo_image_surface_get_data (shown), size,
                   cairo_image_surface_get_data (painted), size);
  cairo_surface_destroy (shown);
  cairo_surface_destroy (painted);
}

static GtkAdjustment *
get_adjustment (Stage *stage) {
  return gtk_scrollable_get_vadjustment (
    GTK_SCROLLABLE (stage->view->viewport));
}

/* After each change the picture is that of the stage as it is then. */
static void
test_is_painted_beside (void) {
  TophashSelection selection = { .kind = SELECTION_SLOT, .table = 1,
                                 .bucket = 2, .slot = 3, .has_key = TRUE,
                                 .key = 19 };
  Stage stage;

  open_big_stage (&stage);
  settle (&stage);
  g_assert_true (stage.view->is_dear);
  check_picture (&stage);
  selection.table_created_ver
    = map_state_table (tophash_session_get_state (stage.session), 0)->created_ver;
  tophash_session_select (stage.session, &selection);
  settle (&stage);
  check_picture (&stage);
  tophash_session_seek (stage.session, 2 + N_KEYS / 2);
  settle (&stage);
  check_picture (&stage);
  gtk_window_set_default_size (GTK_WINDOW (stage.window), 620, 420);
  settle (&stage);
  check_picture (&stage);
  close_stage (&stage);
}

/* What is seen lies within the picture, which need not be another for a little. */
static void
test_follows_scrolling (void) {
  Stage stage;
  GtkAdjustment *adjustment;
  GskRenderNode *before;

  open_big_stage (&stage);
  settle (&stage);
  adjustment = get_adjustment (&stage);
  before = gsk_render_node_ref (stage.view->picture.node);
  gtk_adjustment_set_value (adjustment, 10);
  settle (&stage);
  g_assert_true (stage.view->picture.node == before);
  gtk_adjustment_set_value (adjustment, 300);
  settle (&stage);
  g_assert_true (stage.view->picture.node != before);
  g_assert_cmpint (stage.view->picture.made.y, <=, 300);
  g_assert_cmpint (stage.view->picture.made.y, >, 0);
  g_assert_cmpint (stage.view->picture.made.y + stage.view->picture.made.height,
                   >=, 300 + (int)gtk_adjustment_get_page_size (adjustment));
  check_picture (&stage);
  gsk_render_node_unref (before);
  close_stage (&stage);
}

/* A stage that becomes dear, or no longer is: something is always shown. */
static void
test_changes_who_paints (void) {
  Stage stage;

  open_big_stage (&stage);
  for (guint n = 2; n <= 2 + N_KEYS; n += 20) {
    tophash_session_seek (stage.session, n % 40 == 2 ? 2 + N_KEYS - n : 0);
    tophash_map_view_zoom (stage.view, n % 60 == 2 ? -9 : 5);
    wait_frames (&stage, 2);
    g_assert_true (is_painted (&stage));
    g_assert_nonnull (stage.view->picture.node);
  }
  settle (&stage);
  check_picture (&stage);
  close_stage (&stage);
}

int
main (int    argc,
      char **argv) {
  gtk_test_init (&argc, &argv, NULL);
  adw_init ();
  g_test_add_func ("/widgets/map-view/comes-and-goes", test_comes_and_goes);
  g_test_add_func ("/widgets/map-view/zooms", test_zooms);
  g_test_add_func ("/widgets/map-view/is-painted-beside", test_is_painted_beside);
  g_test_add_func ("/widgets/map-view/follows-scrolling", test_follows_scrolling);
  g_test_add_func ("/widgets/map-view/changes-who-paints",
                   test_changes_who_paints);
  return g_test_run ();
}
