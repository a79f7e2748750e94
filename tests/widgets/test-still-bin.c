/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-still-bin.c — a child at rest is shown as one image, and as it is */
#include "widgets/tophash-still-bin.h"

typedef struct {
  GtkWidget       *window;
  GtkWidget       *label;
  TophashStillBin *bin;
} Bench;

static void
bench_init (Bench *bench) {
  bench->label = gtk_label_new ("at rest");
  gtk_widget_set_size_request (bench->label, 120, 40);
  bench->bin = g_object_new (TOPHASH_TYPE_STILL_BIN, "child", bench->label, NULL);
  bench->window = gtk_window_new ();
  gtk_window_set_child (GTK_WINDOW (bench->window), GTK_WIDGET (bench->bin));
  gtk_window_present (GTK_WINDOW (bench->window));
}

static void
settle (Bench *bench) {
  while (!tophash_still_bin_is_still (bench->bin))
    g_main_context_iteration (NULL, TRUE);
}

/* As a frame shows it. */
static cairo_surface_t *
picture (Bench *bench) {
  GtkWidget *widget = GTK_WIDGET (bench->bin);
  int width = gtk_widget_get_width (widget);
  int height = gtk_widget_get_height (widget);
  cairo_surface_t *surface
      = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, width, height);
  GtkSnapshot *snapshot = gtk_snapshot_new ();
  GskRenderNode *node;
  cairo_t *cr = cairo_create (surface);

  GTK_WIDGET_GET_CLASS (widget)->snapshot (widget, snapshot);
  node = gtk_snapshot_free_to_node (snapshot);
  g_assert_nonnull (node);
  gsk_render_node_draw (node, cr);
  gsk_render_node_unref (node);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  return surface;
}

static gboolean
pictures_equal (cairo_surface_t *a,
                cairo_surface_t *b) {
  int size = cairo_image_surface_get_stride (a)
             * cairo_image_surface_get_height (a);

  g_assert_cmpint (cairo_image_surface_get_width (a), ==,
                   cairo_image_surface_get_width (b));
  g_assert_cmpint (cairo_image_surface_get_height (a), ==,
                   cairo_image_surface_get_height (b));
  return memcmp (cairo_image_surface_get_data (a),
                 cairo_image_surface_get_data (b), (gsize)size) == 0;
}

static void
wait_until_drawn (Bench *bench) {
  while (gtk_widget_get_width (bench->label) == 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_the_image_is_the_child (void) {
  Bench bench;
  cairo_surface_t *live, *still;

  bench_init (&bench);
  wait_until_drawn (&bench);
  g_assert_false (tophash_still_bin_is_still (bench.bin));
  live = picture (&bench);
  settle (&bench);
  still = picture (&bench);
  g_assert_true (tophash_still_bin_is_still (bench.bin));
  g_assert_true (pictures_equal (live, still));
  cairo_surface_destroy (live);
  cairo_surface_destroy (still);
  gtk_window_destroy (GTK_WINDOW (bench.window));
}

/* The move to its place is no change, though a new node each time. */
static void
test_a_child_in_its_place_rests (void) {
  Bench bench;
  cairo_surface_t *surface;

  bench_init (&bench);
  gtk_widget_set_margin_start (bench.label, 7);
  settle (&bench);
  surface = picture (&bench);
  g_assert_true (tophash_still_bin_is_still (bench.bin));
  cairo_surface_destroy (surface);
  gtk_window_destroy (GTK_WINDOW (bench.window));
}

/* A change is never shown late. */
static void
test_a_change_shows_at_once (void) {
  Bench bench;
  cairo_surface_t *before, *after;

  bench_init (&bench);
  settle (&bench);
  before = picture (&bench);
  gtk_widget_set_opacity (bench.label, 0.5);
  after = picture (&bench);
  g_assert_false (tophash_still_bin_is_still (bench.bin));
  g_assert_false (pictures_equal (before, after));
  settle (&bench);
  cairo_surface_destroy (before);
  cairo_surface_destroy (after);
  gtk_window_destroy (GTK_WINDOW (bench.window));
}

static void
test_ends_with_its_window (void) {
  Bench bench;
  gpointer bin;

  bench_init (&bench);
  bin = bench.bin;
  g_object_add_weak_pointer (G_OBJECT (bench.bin), &bin);
  wait_until_drawn (&bench);
  gtk_window_destroy (GTK_WINDOW (bench.window));
  g_assert_null (bin);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

int
main (int    argc,
      char **argv) {
  gtk_test_init (&argc, &argv);
  g_test_add_func ("/widgets/still-bin/the-image-is-the-child",
                   test_the_image_is_the_child);
  g_test_add_func ("/widgets/still-bin/a-child-in-its-place-rests",
                   test_a_child_in_its_place_rests);
  g_test_add_func ("/widgets/still-bin/a-change-shows-at-once",
                   test_a_change_shows_at_once);
  g_test_add_func ("/widgets/still-bin/ends-with-its-window",
                   test_ends_with_its_window);
  return g_test_run ();
}
