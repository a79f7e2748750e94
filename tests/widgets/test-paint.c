/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-paint.c — painters against golden pictures
 *
 * Text is drawn as bars, so that a picture is the same with any fonts. Edges
 * may differ a little between releases of cairo: a few pixels by a little are
 * let pass. TOPHASH_UPDATE_GOLDEN=1 writes the pictures anew; a failure leaves
 * NAME.out.png and NAME.diff.png in the working directory.
 */
#include "tests/widgets/scenes.h"
#include "widgets/paint-costs.h"
#include "widgets/paint-finds.h"
#include "widgets/paint-stage.h"
#include "widgets/tophash-picture.h"

#include <glib/gstdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN 18
#define CHANNEL_OFF 24   /* less is no difference */
#define PIXELS_OFF 0.001 /* share that may differ */

typedef struct {
  MapState *state;
  MapState *previous; /* nullable: a transition */
  double    progress;
  int       width, height;
  int       zoom;
  gboolean  is_dark;
  gboolean  is_high_contrast;
  gint64    selected; /* key in read; 0: none */
} Shot;

static gboolean
select_key (const StageLayout *layout,
            gint64             key,
            TophashSelection  *selection) {
  const StateTable *read = map_state_table_for (layout->state, TABLE_ROLE_READ);
  StateSlot slot;

  if (read == NULL || !map_state_find_key (layout->state, read, key, &slot))
    return FALSE;
  *selection = (TophashSelection) { SELECTION_SLOT, read->id, read->created_ver,
                                    slot.in_old, slot.bucket, slot.slot, TRUE,
                                    key };
  return TRUE;
}

static cairo_surface_t *
paint_shot (const Shot *shot) {
  StageOptions options = { .width = shot->width - 2 * MARGIN,
                           .zoom = shot->zoom, .text_scale = 1 };
  g_autoptr (StageLayout) layout = stage_layout_new (shot->state, &options);
  g_autoptr (StageLayout) previous = NULL;
  g_autoptr (TophashDraw) draw = tophash_draw_new (NULL, 1);
  TophashSelection selection = { SELECTION_NONE };
  PaintContext context = {
    .palette = tophash_palette_get (shot->is_dark, shot->is_high_contrast),
    .draw = draw,
    .key_format = "k%d",
    .layout = layout,
    .progress = shot->previous != NULL ? shot->progress : 1,
    .selection = &selection,
  };
  cairo_surface_t *surface = cairo_image_surface_create (
    CAIRO_FORMAT_RGB24, shot->width, shot->height);
  cairo_t *cr = cairo_create (surface);

  if (shot->previous != NULL)
    context.previous = previous = stage_layout_new (shot->previous, &options);
  if (shot->selected != 0)
    g_assert_true (select_key (layout, shot->selected, &selection));
  tophash_draw_set_plain (draw, TRUE);
  tophash_palette_set_source (context.palette, cr, ROLE_WINDOW);
  cairo_paint (cr);
  cairo_translate (cr, MARGIN, MARGIN);
  paint_stage (cr, &context);
  g_assert_cmpint (cairo_status (cr), ==, CAIRO_STATUS_SUCCESS);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  return surface;
}

/* Pixels that differ; they are marked in @diff. */
static guint
compare (cairo_surface_t *golden,
         cairo_surface_t *surface,
         cairo_surface_t *diff) {
  int width = cairo_image_surface_get_width (surface);
  int height = cairo_image_surface_get_height (surface);
  guint n = 0;

  if (cairo_image_surface_get_width (golden) != width
      || cairo_image_surface_get_height (golden) != height)
    return (guint)(width * height);
  cairo_surface_flush (diff);
  for (int y = 0; y < height; y++) {
    const guchar *a = cairo_image_surface_get_data (golden)
                      + y * cairo_image_surface_get_stride (golden);
    const guchar *b = cairo_image_surface_get_data (surface)
                      + y * cairo_image_surface_get_stride (surface);
    guchar *c = cairo_image_surface_get_data (diff)
                + y * cairo_image_surface_get_stride (diff);

    for (int x = 0; x < width; x++) {
      gboolean is_off = FALSE;

      for (int channel = 0; channel < 3; channel++)
        is_off |= abs (a[4 * x + channel] - b[4 * x + channel]) > CHANNEL_OFF;
      n += is_off;
      memset (c + 4 * x, is_off ? 0xff : 0, 4);
    }
  }
  cairo_surface_mark_dirty (diff);
  return n;
}

/* Takes @surface. */
static void
check_surface (const char      *name,
               cairo_surface_t *surface) {
  int width = cairo_image_surface_get_width (surface);
  int height = cairo_image_surface_get_height (surface);
  g_autofree char *file = g_strconcat (name, ".png", NULL);
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "golden",
                                                 "pictures", file, NULL);
  cairo_surface_t *golden;
  cairo_surface_t *diff;
  guint n;

  if (g_getenv ("TOPHASH_UPDATE_GOLDEN") != NULL) {
    g_assert_cmpint (cairo_surface_write_to_png (surface, path), ==,
                     CAIRO_STATUS_SUCCESS);
    cairo_surface_destroy (surface);
    return;
  }
  golden = cairo_image_surface_create_from_png (path);
  g_assert_cmpint (cairo_surface_status (golden), ==, CAIRO_STATUS_SUCCESS);
  diff = cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  n = compare (golden, surface, diff);
  if (n > PIXELS_OFF * width * height) {
    g_autofree char *out = g_strconcat (name, ".out.png", NULL);
    g_autofree char *marked = g_strconcat (name, ".diff.png", NULL);

    cairo_surface_write_to_png (surface, out);
    cairo_surface_write_to_png (diff, marked);
    g_test_message ("%s: %u pixels differ: see %s and %s", name, n, out, marked);
    g_test_fail ();
  }
  cairo_surface_destroy (diff);
  cairo_surface_destroy (golden);
  cairo_surface_destroy (surface);
}

static void
check_shot (const char *name,
            const Shot *shot) {
  check_surface (name, paint_shot (shot));
}

static void
test_syncmap (void) {
  g_autoptr (MapState) state = scene_syncmap ();

  check_shot ("syncmap-light", &(Shot) { state, .width = 800, .height = 380 });
  check_shot ("syncmap-dark", &(Shot) { state, .width = 800, .height = 380,
                                        .is_dark = TRUE });
  check_shot ("syncmap-contrast", &(Shot) { state, .width = 800, .height = 380,
                                            .is_high_contrast = TRUE });
  check_shot ("syncmap-narrow", &(Shot) { state, .width = 420, .height = 680 });
  check_shot ("syncmap-selected", &(Shot) { state, .width = 800, .height = 380,
                                            .selected = 5 });
  check_shot ("syncmap-middle", &(Shot) { state, .width = 800, .height = 320,
                                          .zoom = -2 });
}

static void
test_promotion (void) {
  g_autoptr (MapState) before = scene_syncmap ();
  g_autoptr (MapState) after = scene_promoted ();

  check_shot ("promotion-begun", &(Shot) { after, before, 0.3, 800, 480 });
  check_shot ("promotion-over", &(Shot) { after, NULL, 1, 800, 480 });
}

static void
test_growth (void) {
  g_autoptr (MapState) state = scene_growing ();

  check_shot ("growth-light", &(Shot) { state, .width = 800, .height = 440 });
  check_shot ("growth-dark", &(Shot) { state, .width = 800, .height = 440,
                                       .is_dark = TRUE });
  check_shot ("growth-narrow", &(Shot) { state, .width = 420, .height = 900 });
}

#define FAR_SIDE 700

/* A heat map in a room of @height. */
static cairo_surface_t *
paint_far (const MapState *state,
           int             height,
           PaintCache     *cache) {
  StageOptions options = { .width = FAR_SIDE / 2, .fit_height = height, .zoom = -6,
                           .text_scale = 1 };
  g_autoptr (StageLayout) layout = stage_layout_new ((MapState *)state, &options);
  g_autoptr (TophashDraw) draw = tophash_draw_new (NULL, 1);
  PaintContext context = { .palette = tophash_palette_get (FALSE, FALSE),
                           .draw = draw,
                           .key_format = "k%d",
                           .layout = layout,
                           .progress = 1,
                           .cache = cache };
  cairo_surface_t *surface
    = cairo_image_surface_create (CAIRO_FORMAT_RGB24, FAR_SIDE, FAR_SIDE);
  cairo_t *cr = cairo_create (surface);

  tophash_draw_set_plain (draw, TRUE);
  paint_stage (cr, &context);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  return surface;
}

static void
test_many (void) {
  Scene scene = { 0 };
  g_autoptr (MapState) state = NULL;

  scene_fill (&scene, 6, 300);
  state = scene_take (&scene);
  check_shot ("gomap-middle", &(Shot) { state, .width = 800, .height = 400,
                                        .zoom = -2 });
  check_shot ("gomap-far", &(Shot) { state, .width = 800, .height = 240,
                                     .zoom = -6 });
}

static void
check_keeps_no_other_room (const MapState *state,
                           int             before,
                           int             now) {
  PaintCache cache = { 0 };
  cairo_surface_t *fresh = paint_far (state, now, NULL);
  cairo_surface_t *diff
    = cairo_image_surface_create (CAIRO_FORMAT_RGB24, FAR_SIDE, FAR_SIDE);
  cairo_surface_t *kept;

  cairo_surface_destroy (paint_far (state, before, &cache));
  kept = paint_far (state, now, &cache);
  g_assert_cmpuint (compare (fresh, kept, diff), ==, 0);
  cairo_surface_destroy (kept);
  cairo_surface_destroy (diff);
  cairo_surface_destroy (fresh);
  paint_cache_clear (&cache);
}

/* Of the same state in another room, what is kept for the next frame shows nothing
 * that a fresh picture would not. */
static void
test_keeps_no_other_room (void) {
  Scene scene = { 0 };
  g_autoptr (MapState) state = NULL;

  scene_fill (&scene, 13, 0);
  /* In the chains that a scene knows of. */
  for (gint64 key = 1; key <= 20000; key++)
    if ((hash_good (key, SCENE_SEED) & ((1u << 13) - 1)) < 1024)
      scene_write (&scene, 1, key, (guint64)key);
  state = scene_take (&scene);
  for (int before = 200; before < 600; before += 50)
    for (int now = 200; now < 600; now += 50)
      check_keeps_no_other_room (state, before, now);
}

/* A state that is no longer shown is not held by the picture of a card that it had
 * alone. */
static void
test_holds_no_former_state (void) {
  const StageOptions options = { .width = FAR_SIDE, .text_scale = 1 };
  Scene scene = { 0 };
  PaintCache cache = { 0 };
  g_autoptr (MapState) before = NULL, now = NULL;
  g_autoptr (StageLayout) former = NULL, shown = NULL;
  guint n_held = 0;

  scene_fill (&scene, 10, 300);
  before = scene_take (&scene);
  scene = (Scene){ 0 };
  scene_fill (&scene, 10, 301);
  now = scene_take (&scene);
  former = stage_layout_new (before, &options);
  shown = stage_layout_new (now, &options);
  cairo_surface_destroy (paint_far (before, 400, &cache));
  paint_cache_trim (&cache, shown, former);
  for (guint i = 0; i < PAINT_CACHE_CARDS; i++)
    n_held += cache.maps[i].state == before && cache.maps[i].surface != NULL;
  g_assert_cmpuint (n_held, >, 0);
  paint_cache_trim (&cache, shown, NULL);
  for (guint i = 0; i < PAINT_CACHE_CARDS; i++) {
    g_assert_null (cache.maps[i].state);
    g_assert_null (cache.maps[i].surface);
  }
  paint_cache_clear (&cache);
}

/* Two readers inside, a writer in the door, others behind it. */
static void
test_lock (void) {
  g_autoptr (MapState) state = scene_lock_queue ();

  check_shot ("lock-light", &(Shot) { state, .width = 800, .height = 300 });
  check_shot ("lock-dark", &(Shot) { state, .width = 800, .height = 300,
                                     .is_dark = TRUE });
  check_shot ("lock-narrow", &(Shot) { state, .width = 420, .height = 320 });
}

static void
test_shards (void) {
  g_autoptr (MapState) few = scene_shards (64);
  g_autoptr (MapState) many = scene_shards (1024);

  check_shot ("shards-light", &(Shot) { few, .width = 800, .height = 420 });
  check_shot ("shards-dark", &(Shot) { few, .width = 800, .height = 420,
                                       .is_dark = TRUE });
  check_shot ("shards-1024-light", &(Shot) { many, .width = 800, .height = 380 });
  check_shot ("shards-1024-dark", &(Shot) { many, .width = 800, .height = 380,
                                            .is_dark = TRUE });
}

static void
test_views (void) {
  g_autoptr (MapState) state = scene_views ();
  g_autoptr (MapState) given = scene_views_given (5);

  check_shot ("views-light", &(Shot) { state, .width = 860, .height = 520 });
  check_shot ("views-dark", &(Shot) { state, .width = 860, .height = 520,
                                      .is_dark = TRUE });
  check_shot ("views-selected", &(Shot) { state, .width = 860, .height = 560,
                                          .selected = 4 });
  check_shot ("views-middle", &(Shot) { state, .width = 860, .height = 300,
                                        .zoom = -4 });
  check_shot ("views-given", &(Shot) { given, .width = 860, .height = 300,
                                       .zoom = -4 });
}

/* As it would be after a while of work. */
static void
fill_costs (CostsContext *costs) {
  static const guint32 waits[] = { 2, 9, 31, 64, 40, 12, 3, 0, 1 };

  for (guint i = 0; i < G_N_ELEMENTS (waits); i++) {
    costs->counters.lock_waits.counts[8 + i] = waits[i];
    costs->counters.lock_holds.counts[6 + i % 4] += 3 * waits[i];
  }
  costs->counters.n_lock_waits = 162;
  costs->counters.n_promotions = 4;
  costs->counters.promotion_ns = 5200;
  costs->counters.last_promotion_ns = 900;
  costs->counters.n_copies = 3;
  costs->counters.n_copied = 66;
  costs->counters.n_expunged = 5;
  costs->counters.copy_ns = 30200;
  costs->counters.last_copy_ns = 12100;
  costs->counters.n_cas_retries = 17;
  costs->memory = (StateMemory){ .n_live = 22, .n_deleted = 4, .read = 640,
                                 .dirty = 848, .entries = 704, .deleted = 128 };
  costs->has_locks = costs->has_read_and_dirty = TRUE;
}

static void
check_costs (const char   *name,
             CostsContext *costs,
             int           width,
             gboolean      is_dark) {
  g_autoptr (TophashDraw) draw = tophash_draw_new (NULL, 1);
  cairo_surface_t *surface;
  cairo_t *cr;
  int height;

  tophash_draw_set_plain (draw, TRUE);
  costs->draw = draw;
  costs->palette = tophash_palette_get (is_dark, FALSE);
  height = (int)paint_costs (NULL, costs, width) + 2 * MARGIN;
  surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, width + 2 * MARGIN,
                                        height);
  cr = cairo_create (surface);
  tophash_palette_set_source (costs->palette, cr, ROLE_CARD);
  cairo_paint (cr);
  cairo_translate (cr, MARGIN, MARGIN);
  g_assert_cmpfloat (paint_costs (cr, costs, width), ==, height - 2 * MARGIN);
  g_assert_cmpint (cairo_status (cr), ==, CAIRO_STATUS_SUCCESS);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  check_surface (name, surface);
}

static void
test_costs (void) {
  CostsContext costs = { 0 };
  CostsContext versions;
  CostsContext table = { 0 };
  CostsContext fresh = { .has_read_and_dirty = TRUE };
  g_autofree char *words = NULL;

  fill_costs (&costs);
  check_costs ("costs-light", &costs, 232, FALSE);
  check_costs ("costs-dark", &costs, 232, TRUE);
  versions = costs;
  versions.has_versions = TRUE;
  versions.memory.versions = 192;
  check_costs ("costs-versions", &versions, 180, FALSE);
  table.counters.n_growths = 3;
  table.counters.n_evacuated = 14;
  table.memory = (StateMemory){ .n_live = 40, .read = 1248 };
  check_costs ("costs-table", &table, 232, FALSE);
  check_costs ("costs-empty", &fresh, 232, FALSE);

  g_assert_cmpuint (costs_shape (&costs), !=, costs_shape (&fresh));
  words = costs_to_text (&costs);
  g_assert_nonnull (strstr (words, "bytes per live key: 105 B"));
  g_assert_nonnull (strstr (words, "waits for a lock: 162; half took less than "
                                   "4.1 µs"));
}

/* The counters of a state are the ones that are painted. */
static void
test_costs_of_a_state (void) {
  g_autoptr (MapState) state = scene_syncmap ();
  CostsContext costs = { 0 };

  costs_context_read (&costs, state);
  g_assert_true (costs.has_read_and_dirty);
  g_assert_true (costs.has_locks);
  g_assert_false (costs.has_versions);
  g_assert_cmpuint (costs.counters.n_promotions, ==, 1);
  g_assert_cmpuint (costs.memory.n_live, ==, map_state_n_live (state));
  g_assert_cmpuint (costs.memory.read, >, 0);
}

static void
test_empty (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = fold_ref_state (fold);

  check_shot ("empty", &(Shot) { state, .width = 600, .height = 240 });
}

static double
luminance (const PaletteColor *color) {
  const double channels[] = { color->red, color->green, color->blue };
  const double weights[] = { 0.2126, 0.7152, 0.0722 };
  double sum = 0;

  for (int i = 0; i < 3; i++)
    sum += weights[i] * (channels[i] <= 0.04045
                           ? channels[i] / 12.92
                           : pow ((channels[i] + 0.055) / 1.055, 2.4));
  return sum;
}

static void
check_contrast (const TophashPalette *palette,
                PaletteRole           one,
                PaletteRole           other,
                double                least) {
  double a = luminance (&palette->colors[one]);
  double b = luminance (&palette->colors[other]);
  double ratio = (MAX (a, b) + 0.05) / (MIN (a, b) + 0.05);

  if (ratio < least)
    g_test_message ("dark %d, roles %d on %d", palette->is_dark, one, other);
  g_assert_cmpfloat (ratio, >=, least);
}

static void
test_contrast (void) {
  static const PaletteRole filled[] = { ROLE_LIVE, ROLE_MOVES_UP, ROLE_STAYS };
  static const PaletteRole shapes[] = { ROLE_LIVE, ROLE_NIL_EDGE, ROLE_EXPUNGED,
                                        ROLE_SEEN, ROLE_SKIPPED, ROLE_CURSOR };

  for (int i = 0; i < 4; i++) {
    const TophashPalette *palette = tophash_palette_get (i & 1, i >> 1);
    double least = palette->is_high_contrast ? 7 : 4.5;

    check_contrast (palette, ROLE_TEXT, ROLE_CARD, least);
    check_contrast (palette, ROLE_TEXT_DIM, ROLE_CARD, least);
    for (guint j = 0; j < G_N_ELEMENTS (filled); j++)
      check_contrast (palette, ROLE_ON_LIVE, filled[j],
                      least);
    for (guint j = 0; j < G_N_ELEMENTS (shapes); j++)
      check_contrast (palette, shapes[j], ROLE_CARD, 3);
    /* A Range's number on its bar. */
    check_contrast (palette, ROLE_CARD, ROLE_OP_RANGE, 3);
  }
}

/* Every format is written, and what cannot be written is said. */
static void
test_files (void) {
  static const char *const suffixes[] = { "png", "svg", "pdf" };
  g_autoptr (MapState) state = scene_syncmap ();
  g_autofree char *folder = g_dir_make_tmp ("tophash-paint-XXXXXX", NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++) {
    g_autofree char *name = g_strdup_printf ("stage.%s", suffixes[i]);
    g_autofree char *path = g_build_filename (folder, name, NULL);
    GStatBuf facts;

    paint_stage_to_file (state, NULL, path, 800, 480, i == 1, &error);
    g_assert_no_error (error);
    g_assert_cmpint (g_stat (path, &facts), ==, 0);
    g_assert_cmpint (facts.st_size, >, 1000);
    g_unlink (path);
  }
  g_assert_false (paint_stage_to_file (state, NULL, "stage.bmp", 8, 8, FALSE,
                                       &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_false (paint_stage_to_file (state, NULL, "/nowhere/stage.png", 80, 80,
                                       FALSE, &error));
  g_assert_nonnull (error);
  g_rmdir (folder);
}

/* A run of two workers, told by hand: ten loads, turn by turn, and a loss. */
static TraceLog *
small_log (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log;

  info->engine = g_strdup ("syncmap");
  info->engine_title = g_strdup ("sync.Map");
  info->n_threads = 2;
  log = tracelog_new (info, 0);
  for (guint i = 0; i < 10; i++) {
    Event began = { .at_ns = 1000 * i, .kind = EVENT_OP_BEGAN,
                    .thread = (guint16)(i % 2), .aux8 = OP_LOAD, .a = i };
    Event ended = { .at_ns = 1000 * i + 600, .kind = EVENT_OP_ENDED,
                    .thread = (guint16)(i % 2), .aux8 = OP_LOAD };

    tracelog_append (log, &began);
    tracelog_append (log, &ended);
  }
  tracelog_append (log, &(Event) { .at_ns = 10000, .kind = EVENT_DROPPED,
                                   .res = 3 });
  tracelog_append (log, &(Event) { .at_ns = 11000, .kind = EVENT_THREAD_ENDED });
  tracelog_finish (log, FALSE);
  return log;
}

static void
go_to (TophashSession *session,
       guint64         position) {
  tophash_session_seek (session, position);
  while (map_state_n_events (tophash_session_get_state (session)) != position)
    g_main_context_iteration (NULL, TRUE);
}

static cairo_surface_t *
paint_timeline (TophashSession *session,
                gboolean        is_dark) {
  const TophashPalette *palette = tophash_palette_get (is_dark, FALSE);
  g_autoptr (TophashDraw) draw = tophash_draw_new (NULL, 1);
  Timeline *timeline = tophash_session_get_timeline (session);
  MarkerFacts markers;
  LanesGeometry geometry;
  cairo_surface_t *surface;
  cairo_t *cr;

  lanes_geometry_init (&geometry, 640, 2, 0, timeline_get_duration_ns (timeline),
                       1, FALSE);
  surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 640,
                                        (int)geometry.height);
  cr = cairo_create (surface);
  tophash_draw_set_plain (draw, TRUE);
  tophash_palette_set_source (palette, cr, ROLE_CARD);
  cairo_paint (cr);
  paint_lanes (cr, timeline, &geometry, palette, draw);
  paint_density (cr, timeline, &geometry, palette, draw);
  paint_ruler (cr, &geometry, palette, draw);
  paint_hits (cr, tophash_session_get_search (session), &geometry, palette);
  paint_bookmarks (cr, tophash_session_get_notes (session), &geometry, palette);
  marker_facts_read (&markers, session);
  paint_markers (cr, &markers, &geometry, palette, draw);
  marker_facts_clear (&markers);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  return surface;
}

/* What people look for stands over lanes and density: a tick for each place with
 * hits, a flag for each bookmark, A and B and what lies between them. */
static void
test_finds (void) {
  g_autoptr (TophashSession) session = tophash_session_new ();
  g_autoptr (TraceLog) log = small_log ();
  g_autoptr (GError) error = NULL;

  tophash_session_set_log (session, log);
  timeline_wait (tophash_session_get_timeline (session));
  check_surface ("finds-none", paint_timeline (session, FALSE));
  g_assert_true (tophash_session_search (session, "op = load and thread = 1",
                                         &error));
  g_assert_no_error (error);
  timeline_search_wait (tophash_session_get_search (session));
  g_assert_cmpuint (timeline_search_get_n (tophash_session_get_search (session)),
                    >, 0);
  check_surface ("finds-hits", paint_timeline (session, FALSE));
  go_to (session, 5);
  tophash_session_add_bookmark (session, "the third", "");
  go_to (session, 15);
  tophash_session_add_bookmark (session, "the eighth", "");
  check_surface ("finds-bookmarks", paint_timeline (session, FALSE));
  go_to (session, 3);
  tophash_session_set_marker (session, 0);
  check_surface ("finds-marker", paint_timeline (session, FALSE));
  go_to (session, 17);
  tophash_session_set_marker (session, 1);
  check_surface ("finds-markers", paint_timeline (session, FALSE));
  check_surface ("finds-dark", paint_timeline (session, TRUE));
  /* Too near for the words to stand between them. */
  go_to (session, 4);
  tophash_session_set_marker (session, 1);
  check_surface ("finds-markers-near", paint_timeline (session, FALSE));
}

static cairo_surface_t *
draw_line (TophashDraw *draw,
           const char  *words,
           double       room,
           void (*how) (TophashDraw *, cairo_t *, const char *, DrawFont, double,
                        double, double, double, double)) {
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_A8, 600, 40);
  cairo_t *cr = cairo_create (surface);

  how (draw, cr, words, FONT_CAPTION, 4, 4, 0, 0, room);
  cairo_destroy (cr);
  return surface;
}

/* @facts in @room are drawn as @words are. */
static void
assert_drawn_as (TophashDraw *draw,
                 const char  *facts,
                 double       room,
                 const char  *words) {
  cairo_surface_t *drawn = draw_line (draw, facts, room, tophash_draw_facts);
  cairo_surface_t *wanted = draw_line (draw, words, room, tophash_draw_text);

  g_assert_cmpmem (cairo_image_surface_get_data (drawn), 600 * 40,
                   cairo_image_surface_get_data (wanted), 600 * 40);
  cairo_surface_destroy (drawn);
  cairo_surface_destroy (wanted);
}

/* A fact that has no room is left out whole: half its number would be another one. */
static void
test_cuts_no_number (void) {
  const char *facts = "65 536 buckets · nevacuate 18 023 · 21 343 evacuated";
  const char *two = "65 536 buckets · nevacuate 18 023", *one = "65 536 buckets";
  TophashDraw *draw = tophash_draw_new (NULL, 1);
  double all_px, two_px, one_px, height;

  tophash_draw_measure (draw, facts, FONT_CAPTION, &all_px, &height);
  tophash_draw_measure (draw, two, FONT_CAPTION, &two_px, &height);
  tophash_draw_measure (draw, one, FONT_CAPTION, &one_px, &height);
  assert_drawn_as (draw, facts, all_px, facts);
  assert_drawn_as (draw, facts, all_px - 8, two);
  assert_drawn_as (draw, facts, two_px, two);
  assert_drawn_as (draw, facts, two_px - 8, one);
  assert_drawn_as (draw, facts, one_px - 8, one);
  tophash_draw_free (draw);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/widgets/paint/syncmap", test_syncmap);
  g_test_add_func ("/widgets/paint/promotion", test_promotion);
  g_test_add_func ("/widgets/paint/growth", test_growth);
  g_test_add_func ("/widgets/paint/many", test_many);
  g_test_add_func ("/widgets/paint/keeps-no-other-room", test_keeps_no_other_room);
  g_test_add_func ("/widgets/paint/holds-no-former-state",
                   test_holds_no_former_state);
  g_test_add_func ("/widgets/paint/lock", test_lock);
  g_test_add_func ("/widgets/paint/shards", test_shards);
  g_test_add_func ("/widgets/paint/views", test_views);
  g_test_add_func ("/widgets/paint/costs", test_costs);
  g_test_add_func ("/widgets/paint/costs-of-a-state", test_costs_of_a_state);
  g_test_add_func ("/widgets/paint/empty", test_empty);
  g_test_add_func ("/widgets/paint/contrast", test_contrast);
  g_test_add_func ("/widgets/paint/files", test_files);
  g_test_add_func ("/widgets/paint/finds", test_finds);
  g_test_add_func ("/widgets/paint/cuts-no-number", test_cuts_no_number);
  return g_test_run ();
}
