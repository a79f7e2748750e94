/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-still-bin.c — a child is shown as one image, and as it is
 *
 * The image is painted by and by, and only where something has changed: whatever
 * changed in whatever order, it is what the child would have drawn, pixel by pixel.
 */
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

/* How far apart two pictures are where they are farthest: a group that is drawn
 * through another clip is rounded another way, and so is a shadow. */
static int
difference (cairo_surface_t *a,
            cairo_surface_t *b) {
  int size = cairo_image_surface_get_stride (a)
             * cairo_image_surface_get_height (a);
  int most = 0;

  g_assert_cmpint (cairo_image_surface_get_width (a), ==,
                   cairo_image_surface_get_width (b));
  g_assert_cmpint (cairo_image_surface_get_height (a), ==,
                   cairo_image_surface_get_height (b));
  for (int i = 0; i < size; i++)
    most = MAX (most, ABS (cairo_image_surface_get_data (a)[i]
                           - cairo_image_surface_get_data (b)[i]));
  return most;
}

/* What the child draws by itself. */
static cairo_surface_t *
truth (Bench *bench) {
  GtkWidget *widget = GTK_WIDGET (bench->bin);
  cairo_surface_t *surface = cairo_image_surface_create (
      CAIRO_FORMAT_ARGB32, gtk_widget_get_width (widget),
      gtk_widget_get_height (widget));
  GtkSnapshot *snapshot = gtk_snapshot_new ();
  GskRenderNode *node;
  cairo_t *cr = cairo_create (surface);

  gtk_widget_snapshot_child (widget, gtk_widget_get_first_child (widget), snapshot);
  node = gtk_snapshot_free_to_node (snapshot);
  gsk_render_node_draw (node, cr);
  gsk_render_node_unref (node);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  return surface;
}

static void
assert_shows_the_child (Bench *bench) {
  cairo_surface_t *shown = picture (bench);
  cairo_surface_t *wanted = truth (bench);

  g_assert_cmpint (difference (shown, wanted), <=, 8);
  cairo_surface_destroy (shown);
  cairo_surface_destroy (wanted);
}

/* Until what was asked for is laid out, drawn and painted. */
static void
wait_for_frame (Bench *bench) {
  GdkFrameClock *clock
      = gtk_widget_get_frame_clock (GTK_WIDGET (bench->bin));
  gint64 frame = gdk_frame_clock_get_frame_counter (clock);

  gtk_widget_queue_draw (bench->window);
  while (gdk_frame_clock_get_frame_counter (clock) < frame + 2
         || gtk_widget_get_width (bench->label) == 0) {
    gdk_frame_clock_request_phase (clock, GDK_FRAME_CLOCK_PHASE_PAINT);
    g_main_context_iteration (NULL, TRUE);
  }
  settle (bench);
}

static void
test_the_image_is_the_child (void) {
  Bench bench;

  bench_init (&bench);
  wait_for_frame (&bench);
  assert_shows_the_child (&bench);
  gtk_window_destroy (GTK_WINDOW (bench.window));
}

/* The move to its place is no change, though a new node each time. */
static void
test_a_child_in_its_place_rests (void) {
  Bench bench;
  cairo_surface_t *surface;

  bench_init (&bench);
  gtk_widget_set_margin_start (bench.label, 7);
  wait_for_frame (&bench);
  surface = picture (&bench);
  g_assert_true (tophash_still_bin_is_still (bench.bin));
  cairo_surface_destroy (surface);
  gtk_window_destroy (GTK_WINDOW (bench.window));
}

static void
test_a_change_shows (void) {
  Bench bench;
  cairo_surface_t *before, *after;

  bench_init (&bench);
  wait_for_frame (&bench);
  before = picture (&bench);
  gtk_widget_set_opacity (bench.label, 0.5);
  wait_for_frame (&bench);
  after = picture (&bench);
  g_assert_cmpint (difference (before, after), >, 20);
  assert_shows_the_child (&bench);
  cairo_surface_destroy (before);
  cairo_surface_destroy (after);
  gtk_window_destroy (GTK_WINDOW (bench.window));
}

/* The frame that moves and resizes all waits for no picture of it. */
static void
test_another_size_comes_later (void) {
  Bench bench;

  bench_init (&bench);
  wait_for_frame (&bench);
  gtk_widget_set_size_request (bench.label, 300, 80);
  while (gtk_widget_get_width (bench.label) < 300)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (tophash_still_bin_is_still (bench.bin));
  wait_for_frame (&bench);
  assert_shows_the_child (&bench);
  gtk_window_destroy (GTK_WINDOW (bench.window));
}

static void
change_something (GtkWidget *row,
                  GRand     *random) {
  GtkWidget *label = gtk_widget_get_first_child (row);
  g_autofree char *text = g_strdup_printf ("%u", g_rand_int (random));

  switch (g_rand_int_range (random, 0, 5)) {
  case 0:
    gtk_label_set_text (GTK_LABEL (label), text);
    break;
  case 1:
    gtk_widget_set_visible (row, !gtk_widget_get_visible (row));
    break;
  case 2:
    gtk_widget_set_opacity (label, g_rand_double (random));
    break;
  case 3:
    if (gtk_widget_has_css_class (row, "card"))
      gtk_widget_remove_css_class (row, "card");
    else
      gtk_widget_add_css_class (row, "card");
    break;
  case 4:
    gtk_widget_set_margin_start (label, g_rand_int_range (random, 0, 20));
    break;
  }
}

/* Rows that come, go, move and change while the picture may still be behind. */
static void
test_what_changed_is_painted_anew (void) {
  Bench bench;
  GtkWidget *rows[12];
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
  g_autoptr (GRand) random = g_rand_new_with_seed (5);

  bench_init (&bench);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    rows[i] = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
    gtk_box_append (GTK_BOX (rows[i]), gtk_label_new ("row"));
    gtk_box_append (GTK_BOX (rows[i]), gtk_switch_new ());
    gtk_widget_add_css_class (rows[i], "card");
    gtk_box_append (GTK_BOX (box), rows[i]);
  }
  bench.label = box;
  g_object_set (bench.bin, "child", box, NULL);
  for (guint i = 0; i < 60; i++) {
    for (int n = g_rand_int_range (random, 1, 4); n > 0; n--)
      change_something (rows[g_rand_int_range (random, 0, G_N_ELEMENTS (rows))],
                        random);
    if (i % 3 != 0)
      g_main_context_iteration (NULL, FALSE);
    else {
      wait_for_frame (&bench);
      assert_shows_the_child (&bench);
    }
  }
  gtk_window_destroy (GTK_WINDOW (bench.window));
}

static void
test_ends_with_its_window (void) {
  Bench bench;
  gpointer bin;

  bench_init (&bench);
  bin = bench.bin;
  g_object_add_weak_pointer (G_OBJECT (bench.bin), &bin);
  settle (&bench);
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
  g_test_add_func ("/widgets/still-bin/a-change-shows", test_a_change_shows);
  g_test_add_func ("/widgets/still-bin/another-size-comes-later",
                   test_another_size_comes_later);
  g_test_add_func ("/widgets/still-bin/what-changed-is-painted-anew",
                   test_what_changed_is_painted_anew);
  g_test_add_func ("/widgets/still-bin/ends-with-its-window",
                   test_ends_with_its_window);
  return g_test_run ();
}
