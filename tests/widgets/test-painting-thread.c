/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-painting-thread.c — stages painted beside the thread that folds on
 *
 * Without GTK, so that it runs under the thread sanitizer too: the painters, what
 * they read of states that share chunks with newer ones, and how jobs are handed
 * over and back. What cairo itself writes is left out there: it keeps freed patterns
 * and paths in pools of lock-free slots, whose order the sanitizer does not see, as
 * cairo is not built with it. What is ours is all looked at.
 */
#include "tests/widgets/scenes.h"
#include "widgets/paint-stage.h"
#include "widgets/painting-thread.h"

#include <string.h>

#define N_ROUNDS 40
#define WIDTH 700
#define HEIGHT 420

typedef struct {
  MapState        *state;
  StageLayout     *layout;
  TophashDraw     *draw; /* the painting thread's, of its own */
  cairo_surface_t *image;
  GThread         *painter;
  guint            number;
} Job;

/* In the order in which they were done. */
static guint done_numbers[2 * N_ROUNDS];
static guint n_done;

static cairo_surface_t *
paint (const StageLayout *layout,
       TophashDraw       *draw) {
  TophashSelection selection = { SELECTION_NONE };
  PaintContext context = {
    .palette = tophash_palette_get (FALSE, FALSE),
    .draw = draw,
    .key_format = "k%d",
    .layout = layout,
    .progress = 1,
    .selection = &selection,
  };
  cairo_surface_t *surface
    = cairo_image_surface_create (CAIRO_FORMAT_RGB24, WIDTH, HEIGHT);
  cairo_t *cr = cairo_create (surface);

  tophash_palette_set_source (context.palette, cr, ROLE_WINDOW);
  cairo_paint (cr);
  paint_stage (cr, &context);
  g_assert_cmpint (cairo_status (cr), ==, CAIRO_STATUS_SUCCESS);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  return surface;
}

static void
work (gpointer data) {
  Job *job = data;

  job->image = paint (job->layout, job->draw);
  job->painter = g_thread_self ();
}

static void
done (gpointer data) {
  Job *job = data;

  done_numbers[n_done++] = job->number;
}

static gboolean
images_equal (cairo_surface_t *a,
              cairo_surface_t *b) {
  gsize size = (gsize)cairo_image_surface_get_stride (a)
               * (gsize)cairo_image_surface_get_height (a);

  return memcmp (cairo_image_surface_get_data (a),
                 cairo_image_surface_get_data (b), size) == 0;
}

static void
job_init (Job         *job,
          Scene       *scene,
          TophashDraw *draw,
          guint        number) {
  StageOptions options = { .width = WIDTH, .text_scale = 1 };

  job->state = fold_ref_state (scene->fold);
  job->layout = stage_layout_new (job->state, &options);
  job->draw = draw;
  job->number = number;
}

/* The same picture as the main thread paints of the same state. */
static void
job_check (Job         *job,
           TophashDraw *draw) {
  cairo_surface_t *own = paint (job->layout, draw);

  g_assert_true (job->painter != g_thread_self ());
  g_assert_true (images_equal (own, job->image));
  cairo_surface_destroy (own);
  cairo_surface_destroy (job->image);
  stage_layout_unref (job->layout);
  map_state_unref (job->state);
}

static void
settle (guint n) {
  while (n_done < n)
    g_main_context_iteration (NULL, TRUE);
}

static TophashDraw *
draw_new (void) {
  TophashDraw *draw = tophash_draw_new (NULL, 1);

  tophash_draw_set_plain (draw, TRUE);
  return draw;
}

/* The fold goes on while two threads paint what it was. */
static void
test_paints_while_the_fold_goes_on (void) {
  g_autoptr (TophashDraw) own = draw_new ();
  g_autoptr (TophashDraw) first = draw_new ();
  g_autoptr (TophashDraw) second = draw_new ();
  Job jobs[2 * N_ROUNDS] = { 0 };
  Scene scene = { 0 };

  n_done = 0;
  scene_first_promotion (&scene);
  scene_copy (&scene);
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++) {
    job_init (&jobs[i], &scene, i % 2 == 0 ? first : second, i);
    painting_thread_do (i % 2 == 1, work, done, &jobs[i]);
    scene_store_new (&scene, 2, 50 + i);
  }
  settle (G_N_ELEMENTS (jobs));
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++)
    job_check (&jobs[i], own);
  g_assert_cmpstr (fold_first_fault (scene.fold), ==, NULL);
  fold_free (scene.fold);
}

/* Each thread does what it was given in order. */
static void
test_keeps_the_order (void) {
  g_autoptr (TophashDraw) draw = draw_new ();
  Job jobs[N_ROUNDS] = { 0 };
  Scene scene = { 0 };

  n_done = 0;
  scene_first_promotion (&scene);
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++) {
    job_init (&jobs[i], &scene, draw, i);
    painting_thread_do (FALSE, work, done, &jobs[i]);
  }
  settle (G_N_ELEMENTS (jobs));
  for (guint i = 0; i < G_N_ELEMENTS (jobs); i++) {
    g_assert_cmpuint (done_numbers[i], ==, i);
    g_assert_true (jobs[i].painter == jobs[0].painter);
    job_check (&jobs[i], draw);
  }
  fold_free (scene.fold);
}

/* Asked by the thread sanitizer alone. */
const char *__tsan_default_suppressions (void);

const char *
__tsan_default_suppressions (void) {
  return "called_from_lib:libcairo.so\n";
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  /* As GTK does, before there are threads: else whoever comes first makes it, which
   * the sanitizer sees without what orders it. */
  g_main_context_default ();
  g_test_add_func ("/widgets/painting-thread/paints-while-the-fold-goes-on",
                   test_paints_while_the_fold_goes_on);
  g_test_add_func ("/widgets/painting-thread/keeps-the-order",
                   test_keeps_the_order);
  return g_test_run ();
}
