/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-cached-picture-threads.c — what passes between a widget's picture and the
 * threads that paint it
 *
 * cached-picture.c as it is, with the few calls of GTK that it makes stood in for
 * here: race detectors see nothing of what GTK does, as it is not built with them,
 * and this program has none of it. The stand-ins say what belongs to whom:
 *
 *   A1  widgets, snapshots and the style manager are asked by the main thread alone
 *   A2  a node is made by the painting thread, and from then on the main thread's;
 *       each use of it writes to it, so two uses without order are a race
 *   A3  a brief is taken by the main thread, read and freed by one painting thread
 *
 * A hand drives some pictures at random, all calls of the header among them, and
 * widgets that go away while they are painted. In the end each shows the newest. Not
 * proved: what GSK and pango do inside.
 */
#include "widgets/cached-picture.h"

#include "core/base/prng.h"

#include <adwaita.h>

#define N_PICTURES 4
#ifdef __SANITIZE_THREAD__
#define N_ROUNDS 4000
#else
#define N_ROUNDS 12000
#endif
#define MAX_SIDE 60

static GThread *main_thread;
static GObject *manager;
static gboolean is_dark;
static int scale_factor = 1;
static PangoContext *writing;
static guint n_queued;
static guint n_nodes; /* that were shown, and are there yet */

static gboolean
is_main (void) {
  return g_thread_self () == main_thread;
}

/* The toolkit -------------------------------------------------------------- */

struct _GskRenderNode {
  graphene_rect_t  bounds;
  cairo_surface_t *image;
  guint            n_uses;
  gboolean         is_counted; /* in n_nodes */
};

static GskRenderNode *shown; /* by the last snapshot */

GskRenderNode *
gsk_cairo_node_new (const graphene_rect_t *bounds) {
  GskRenderNode *node = g_new0 (GskRenderNode, 1);

  g_assert_false (is_main ());
  node->bounds = *bounds;
  node->image = cairo_image_surface_create (CAIRO_FORMAT_ARGB32,
                                            (int)bounds->size.width,
                                            (int)bounds->size.height);
  return node;
}

cairo_t *
gsk_cairo_node_get_draw_context (GskRenderNode *node) {
  cairo_t *cr = cairo_create (node->image);

  node->n_uses++;
  cairo_translate (cr, -node->bounds.origin.x, -node->bounds.origin.y);
  return cr;
}

void
gsk_render_node_unref (GskRenderNode *node) {
  g_assert_true (is_main ());
  node->n_uses++;
  n_nodes -= node->is_counted;
  if (shown == node)
    shown = NULL;
  cairo_surface_destroy (node->image);
  g_free (node);
}

void
gtk_snapshot_append_node (GtkSnapshot   *snapshot,
                          GskRenderNode *node) {
  g_assert_true (is_main ());
  node->n_uses++;
  n_nodes += !node->is_counted;
  node->is_counted = TRUE;
  shown = node;
}

PangoContext *
gtk_widget_get_pango_context (GtkWidget *widget) {
  g_assert_true (is_main ());
  return writing;
}

gboolean
gtk_widget_get_mapped (GtkWidget *widget) {
  g_assert_true (is_main ());
  return TRUE;
}

int
gtk_widget_get_scale_factor (GtkWidget *widget) {
  g_assert_true (is_main ());
  return scale_factor;
}

void
gtk_widget_queue_draw (GtkWidget *widget) {
  g_assert_true (is_main ());
  g_assert_true (G_IS_OBJECT (widget));
  n_queued++;
}

AdwStyleManager *
adw_style_manager_get_default (void) {
  g_assert_true (is_main ());
  return (AdwStyleManager *)manager;
}

gboolean
adw_style_manager_get_dark (AdwStyleManager *self) {
  g_assert_true (is_main ());
  return is_dark;
}

gboolean
adw_style_manager_get_high_contrast (AdwStyleManager *self) {
  g_assert_true (is_main ());
  return FALSE;
}

gboolean
gdk_rectangle_equal (const GdkRectangle *a,
                     const GdkRectangle *b) {
  return a->x == b->x && a->y == b->y && a->width == b->width
         && a->height == b->height;
}

static GdkRectangle
between (int left,
         int top,
         int right,
         int bottom) {
  return (GdkRectangle){ left, top, MAX (0, right - left), MAX (0, bottom - top) };
}

gboolean
gdk_rectangle_intersect (const GdkRectangle *a,
                         const GdkRectangle *b,
                         GdkRectangle       *both) {
  *both = between (MAX (a->x, b->x), MAX (a->y, b->y),
                   MIN (a->x + a->width, b->x + b->width),
                   MIN (a->y + a->height, b->y + b->height));
  return both->width > 0 && both->height > 0;
}

void
gdk_rectangle_union (const GdkRectangle *a,
                     const GdkRectangle *b,
                     GdkRectangle       *all) {
  *all = between (MIN (a->x, b->x), MIN (a->y, b->y),
                  MAX (a->x + a->width, b->x + b->width),
                  MAX (a->y + a->height, b->y + b->height));
}

/* Pictures ----------------------------------------------------------------- */

/* What a widget's picture is of; 0: of nothing. */
typedef struct {
  GtkWidget    *widget; /* an object of no type of GTK's */
  CachedPicture picture;
  guint         number;
} Bench;

typedef struct {
  guint number;
  guint n_uses;
} Brief;

static GQuark bench_quark;

static gpointer
brief_new (GtkWidget *widget) {
  const Bench *bench = g_object_get_qdata ((GObject *)widget, bench_quark);
  Brief *brief;

  g_assert_true (is_main ());
  if (bench->number == 0)
    return NULL;
  brief = g_new0 (Brief, 1);
  brief->number = bench->number;
  return brief;
}

static void
paint (cairo_t              *cr,
       const TophashPalette *palette,
       TophashDraw          *draw,
       double                width,
       double                height,
       gpointer              data) {
  Brief *brief = data;

  g_assert_false (is_main ());
  g_assert_nonnull (draw);
  brief->n_uses++;
  cairo_set_source_rgb (cr, (brief->number & 255) / 255.0,
                        (brief->number >> 8 & 255) / 255.0, 1);
  cairo_paint (cr);
}

static void
brief_free (gpointer data) {
  const Brief *brief = data;

  g_assert_false (is_main ());
  g_assert_cmpuint (brief->n_uses, ==, 1);
  g_free (data);
}

static const CachedPictureKind kinds[] = {
  { brief_new, paint, brief_free, .is_prompt = TRUE },
  { brief_new, paint, brief_free, .is_prompt = FALSE },
  { brief_new, paint, brief_free, .is_scaled = TRUE },
  { brief_new, paint, brief_free, .is_prompt = TRUE, .scales_itself = TRUE },
};

static void
bench_init (Bench *bench,
            guint  i) {
  bench->widget = g_object_new (G_TYPE_OBJECT, NULL);
  g_object_set_qdata ((GObject *)bench->widget, bench_quark, bench);
  cached_picture_init (&bench->picture, bench->widget,
                       &kinds[i % G_N_ELEMENTS (kinds)], i % 2 * 20000);
}

/* As dispose does it. What is under way keeps the object. */
static void
bench_clear (Bench *bench) {
  cached_picture_clear (&bench->picture);
  cached_picture_clear (&bench->picture);
  g_object_unref (bench->widget);
}

/* The number that the last snapshot shows. */
static guint
number_shown (void) {
  const guint8 *pixel = cairo_image_surface_get_data (shown->image);

  return (guint)pixel[2] | (guint)pixel[1] << 8;
}

/* P1 and P2 of cached-picture.c. */
static void
bench_check (const Bench *bench) {
  const CachedPicture *picture = &bench->picture;

  g_assert_true (picture->refresh_id == 0 || picture->node != NULL);
  if (picture->node == NULL)
    return;
  g_assert_cmpfloat (picture->node->bounds.origin.x, ==, picture->made.x);
  g_assert_cmpfloat (picture->node->bounds.size.width, ==, picture->made.width);
}

static void
test_hands_over (void) {
  Bench bench = { .number = 7 };

  bench_init (&bench, 0);
  shown = NULL;
  cached_picture_snapshot (&bench.picture, NULL, 20, 10);
  g_assert_null (shown);
  while (!cached_picture_is_settled (&bench.picture))
    g_main_context_iteration (NULL, TRUE);
  cached_picture_snapshot (&bench.picture, NULL, 20, 10);
  g_assert_nonnull (shown);
  g_assert_cmpuint (number_shown (), ==, 7);
  bench_clear (&bench);
  g_assert_cmpuint (n_nodes, ==, 0);
}

/* At random ---------------------------------------------------------------- */

static int
side (Prng *prng) {
  return (int)prng_below (prng, MAX_SIDE) + 1;
}

static void
snapshot_part (Bench *bench,
               Prng  *prng) {
  GdkRectangle all = { 0, 0, 10 * MAX_SIDE, MAX_SIDE };
  GdkRectangle visible = { 4 * side (prng), 0, side (prng), side (prng) };

  cached_picture_snapshot_part (&bench->picture, NULL, &visible, &all);
}

/* A picture that the caller has painted, or that there is none: the one of @from, as
 * nodes are made by painting threads here. */
static void
take (Bench *bench,
      Bench *from) {
  GskRenderNode *node = g_steal_pointer (&from->picture.node);
  GdkRectangle part = from->picture.made;

  cached_picture_take (&from->picture, NULL, &part);
  cached_picture_take (&bench->picture, node, &part);
}

static void
change_writing (Prng *prng) {
  PangoFontDescription *font
    = pango_font_description_from_string (prng_below (prng, 2) != 0 ? "Sans 11"
                                                                    : "Mono 22");

  pango_context_set_font_description (writing, font);
  pango_font_description_free (font);
  scale_factor = 1 + (int)prng_below (prng, 2);
  is_dark = !is_dark;
  g_signal_emit_by_name (manager, "notify::dark", NULL);
}

static void
move (Bench *benches,
      guint  i,
      Prng  *prng) {
  Bench *bench = &benches[i];

  switch (prng_below (prng, 16)) {
  case 0:
    bench_clear (bench);
    bench_init (bench, i);
    return;
  case 1:
    change_writing (prng);
    return;
  case 2:
    take (bench, &benches[prng_below (prng, N_PICTURES)]);
    return;
  case 3:
    bench->number = 0;
    cached_picture_drop_soon (&bench->picture);
    return;
  case 4:
    cached_picture_outdate (&bench->picture);
    return;
  case 5:
  case 6:
  case 7:
    bench->number = (guint)prng_below (prng, 65535) + 1;
    cached_picture_drop (&bench->picture);
    return;
  case 8:
    cached_picture_drop_soon (&bench->picture);
    return;
  case 9:
  case 10:
    snapshot_part (bench, prng);
    return;
  default:
    cached_picture_snapshot (&bench->picture, NULL, side (prng), side (prng));
    return;
  }
}

/* Nothing is under way any more. */
static void
wait_for (const Bench *bench) {
  while (bench->picture.job != NULL)
    g_main_context_iteration (NULL, TRUE);
}

/* What is asked for last is shown, whatever was under way. */
static void
bench_settle (Bench *bench,
              guint  number) {
  bench->number = number;
  cached_picture_drop (&bench->picture);
  do {
    cached_picture_snapshot (&bench->picture, NULL, MAX_SIDE, MAX_SIDE);
    g_main_context_iteration (NULL, FALSE);
  } while (!cached_picture_is_settled (&bench->picture));
  shown = NULL;
  cached_picture_snapshot (&bench->picture, NULL, MAX_SIDE, MAX_SIDE);
  g_assert_nonnull (shown);
  g_assert_cmpuint (number_shown (), ==, number);
}

static void
test_whatever_is_done (void) {
  Bench benches[N_PICTURES] = { 0 };
  Prng prng;

  prng_init (&prng, 20);
  for (guint i = 0; i < N_PICTURES; i++)
    bench_init (&benches[i], i);
  for (guint round = 0; round < N_ROUNDS; round++) {
    guint i = (guint)prng_below (&prng, N_PICTURES);

    move (benches, i, &prng);
    if (prng_below (&prng, 3) == 0)
      g_main_context_iteration (NULL, FALSE);
    if (prng_below (&prng, 4) == 0)
      wait_for (&benches[i]);
    for (guint k = 0; k < N_PICTURES; k++)
      bench_check (&benches[k]);
  }
  for (guint i = 0; i < N_PICTURES; i++)
    bench_settle (&benches[i], 1000 + i);
  for (guint i = 0; i < N_PICTURES; i++)
    bench_clear (&benches[i]);
  g_assert_cmpuint (n_nodes, ==, 0);
  g_assert_cmpuint (n_queued, >, 0);
}

/* Asked by the thread sanitizer alone: of libraries that are not built with it only
 * the calls of malloc and its kind are seen, without what orders them; and
 * of GLib's locks for readers not always who lets go of them. */
const char *__tsan_default_suppressions (void);

const char *
__tsan_default_suppressions (void) {
  return "called_from_lib:libcairo.so\ncalled_from_lib:libpango-1\n"
         "called_from_lib:libpangocairo\ncalled_from_lib:libfontconfig.so\n"
         "mutex:libglib-2.0.so\n";
}

int
main (int    argc,
      char **argv) {
  int status;

  g_test_init (&argc, &argv, NULL);
  main_thread = g_thread_self ();
  /* As GTK does, before there are threads: else whoever comes first makes it. */
  g_main_context_default ();
  bench_quark = g_quark_from_static_string ("bench");
  manager = g_object_new (G_TYPE_OBJECT, NULL);
  writing = pango_font_map_create_context (pango_cairo_font_map_get_default ());
  g_test_add_func ("/widgets/cached-picture/hands-over", test_hands_over);
  g_test_add_func ("/widgets/cached-picture/whatever-is-done",
                   test_whatever_is_done);
  status = g_test_run ();
  g_object_unref (writing);
  g_object_unref (manager);
  return status;
}
