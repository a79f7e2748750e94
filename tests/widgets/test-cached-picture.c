/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-cached-picture.c — pictures painted beside the main thread */
#include "widgets/cached-picture.h"

#include <adwaita.h>

/* What the picture is of: the main thread changes it, briefs are copies. */
static guint wanted;

/* Written by the painting thread, read when nothing is under way. */
static guint    painted;
static guint    n_painted;
static GThread *painter;

/* Holds the painting thread up until the main thread lets it go on. */
static GMutex gate;

static gpointer
brief_new (GtkWidget *widget) {
  return wanted == 0 ? NULL : g_memdup2 (&wanted, sizeof wanted);
}

static void
paint (cairo_t              *cr,
       const TophashPalette *palette,
       TophashDraw          *draw,
       double                width,
       double                height,
       gpointer              brief) {
  g_mutex_lock (&gate);
  g_mutex_unlock (&gate);
  painted = *(guint *)brief;
  n_painted++;
  painter = g_thread_self ();
  tophash_draw_text (draw, cr, "text", FONT_BODY, 4, 4, 0, 0, 0);
}

static const CachedPictureKind kind = { brief_new, paint, g_free };

typedef struct {
  GtkWidget    *widget;
  CachedPicture picture;
} Bench;

static void
bench_init (Bench *bench) {
  bench->widget = g_object_ref_sink (gtk_drawing_area_new ());
  cached_picture_init (&bench->picture, bench->widget, &kind, 0);
  n_painted = 0;
  painted = 0;
}

static void
bench_clear (Bench *bench) {
  cached_picture_clear (&bench->picture);
  g_object_unref (bench->widget);
}

/* As a frame does. (transfer full), NULL: there is nothing to show yet. */
static GskRenderNode *
show (Bench *bench,
      int    width) {
  GtkSnapshot *snapshot = gtk_snapshot_new ();

  cached_picture_snapshot (&bench->picture, snapshot, width, 40);
  return gtk_snapshot_free_to_node (snapshot);
}

static void
settle (Bench *bench) {
  while (!cached_picture_is_settled (&bench->picture))
    g_main_context_iteration (NULL, TRUE);
}

static void
test_paints_in_a_thread (void) {
  Bench bench = { 0 };
  GskRenderNode *node;
  graphene_rect_t bounds;

  bench_init (&bench);
  wanted = 7;
  g_assert_null (show (&bench, 100));
  settle (&bench);
  g_assert_cmpuint (painted, ==, 7);
  g_assert_true (painter != g_thread_self ());
  node = show (&bench, 100);
  g_assert_nonnull (node);
  gsk_render_node_get_bounds (node, &bounds);
  g_assert_cmpfloat (bounds.size.width, ==, 100);
  gsk_render_node_unref (node);
  g_assert_cmpuint (n_painted, ==, 1);
  bench_clear (&bench);
}

/* However often it is dropped meanwhile, one more is painted, of what is true
 * then. */
static void
test_the_newest_wins (void) {
  Bench bench = { 0 };

  bench_init (&bench);
  g_mutex_lock (&gate);
  for (wanted = 1; wanted < 50; wanted++) {
    cached_picture_drop (&bench.picture);
    g_assert_null (show (&bench, 100));
  }
  g_mutex_unlock (&gate);
  settle (&bench);
  g_assert_cmpuint (painted, ==, 50);
  g_assert_cmpuint (n_painted, ==, 2);
  bench_clear (&bench);
}

/* The last picture stays until one of the new size is there; none is shown where
 * there is nothing to paint. */
static void
test_shows_the_last_one_meanwhile (void) {
  Bench bench = { 0 };
  GskRenderNode *node;

  bench_init (&bench);
  wanted = 1;
  g_assert_null (show (&bench, 100));
  settle (&bench);
  g_mutex_lock (&gate);
  node = show (&bench, 120);
  g_assert_nonnull (node);
  gsk_render_node_unref (node);
  g_mutex_unlock (&gate);
  settle (&bench);
  g_assert_cmpint (bench.picture.made.width, ==, 120);
  wanted = 0;
  cached_picture_drop (&bench.picture);
  g_assert_null (show (&bench, 120));
  bench_clear (&bench);
}

/* What was hidden while the colours changed comes back without the old picture. */
static void
test_forgets_other_colours (void) {
  AdwStyleManager *manager = adw_style_manager_get_default ();
  Bench bench = { 0 };

  bench_init (&bench);
  wanted = 1;
  g_assert_null (show (&bench, 100));
  settle (&bench);
  g_assert_nonnull (bench.picture.node);
  adw_style_manager_set_color_scheme (manager,
                                      adw_style_manager_get_dark (manager)
                                          ? ADW_COLOR_SCHEME_FORCE_LIGHT
                                          : ADW_COLOR_SCHEME_FORCE_DARK);
  g_assert_null (show (&bench, 100));
  settle (&bench);
  g_assert_nonnull (bench.picture.node);
  adw_style_manager_set_color_scheme (manager, ADW_COLOR_SCHEME_DEFAULT);
  bench_clear (&bench);
}

/* A widget that goes away while its picture is painted. */
static void
test_outlives_its_widget (void) {
  Bench *bench = g_new0 (Bench, 1);
  gpointer widget;

  bench_init (bench);
  widget = bench->widget;
  g_object_add_weak_pointer (widget, &widget);
  wanted = 3;
  g_mutex_lock (&gate);
  g_assert_null (show (bench, 100));
  bench_clear (bench);
  g_mutex_unlock (&gate);
  while (widget != NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (painted, ==, 3);
  g_free (bench);
}

int
main (int    argc,
      char **argv) {
  gtk_test_init (&argc, &argv, NULL);
  adw_init ();
  g_test_add_func ("/widgets/cached-picture/paints-in-a-thread",
                   test_paints_in_a_thread);
  g_test_add_func ("/widgets/cached-picture/the-newest-wins",
                   test_the_newest_wins);
  g_test_add_func ("/widgets/cached-picture/shows-the-last-one-meanwhile",
                   test_shows_the_last_one_meanwhile);
  g_test_add_func ("/widgets/cached-picture/forgets-other-colours",
                   test_forgets_other_colours);
  g_test_add_func ("/widgets/cached-picture/outlives-its-widget",
                   test_outlives_its_widget);
  return g_test_run ();
}
