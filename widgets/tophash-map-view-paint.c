/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-map-view-paint.c — the stage's picture, beside the main thread or not
 *
 * A stage of a dozen slots is painted when a frame needs it: that takes less
 * than a millisecond or two, and shows what is true in the very frame. A dear one,
 * of hundreds of slots with letters or as many more as their size allows, would
 * hold up the window: strokes are recorded and then drawn by the renderer, 8 to
 * 25 ms of a turn. It is a cached picture, which comes a frame later and is an
 * image to the renderer. What is hit is always asked of the newest layout.
 *
 * Dear        is what counts for more than DEAR slots with letters among what is
 *             seen (stage_layout_cost()): a count, not a time, so that the same
 *             stage is painted the same way each time.
 *
 * Change      A picture painted here is handed to the cached picture: where a stage
 *             becomes dear it is seen until the first of the thread's is there. The
 *             other way round the one under way is no longer waited for.
 *
 * Invariants  S1  a brief owns, or counts references to, all that it leads to; what
 *                 is behind the references never changes
 *             S2  one brief is one picture: layout, glide, hover and selection are
 *                 of one instant
 *             S3  the cache of heat maps is used by the painting thread alone
 */
#include "widgets/tophash-map-view-private.h"

#include "widgets/paint-stage.h"

#include <math.h>

#define DEAR 12
#define PAINT_MOST_US 8000        /* in the main thread, strokes alone */
#define PAINT_BESIDE_MOST_US 25000

typedef struct {
  StageLayout     *layout;
  StageLayout     *previous; /* NULL: no transition */
  double           progress;
  TophashSelection selection;
  StageHit         hover;    /* in layout */
  gboolean         has_focus;
  char            *key_format;
  PaintCache      *cache;
  int              top;
  double           scale;
} Brief;

static gpointer
brief_new (GtkWidget *widget) {
  TophashMapView *self = TOPHASH_MAP_VIEW (widget);
  Brief *brief;

  if (tophash_map_view_get_layout (self) == NULL)
    return NULL;
  brief = g_new0 (Brief, 1);
  brief->layout = stage_layout_ref (self->layout);
  if (self->previous != NULL)
    brief->previous = stage_layout_ref (self->previous);
  brief->progress = self->progress;
  brief->selection = *tophash_session_get_selection (self->session);
  brief->hover = self->hover;
  brief->has_focus = gtk_widget_has_visible_focus (widget);
  brief->key_format = g_strdup (self->key_format);
  brief->cache = g_atomic_rc_box_acquire (self->cache);
  brief->top = tophash_map_view_get_top (self);
  brief->scale = tophash_map_view_get_scale (self);
  return brief;
}

static void
clear_cache_cb (gpointer data) {
  paint_cache_clear (data);
}

static void
brief_free (gpointer data) {
  Brief *brief = data;

  stage_layout_unref (brief->layout);
  g_clear_pointer (&brief->previous, stage_layout_unref);
  g_atomic_rc_box_release_full (brief->cache, clear_cache_cb);
  g_free (brief->key_format);
  g_free (brief);
}

static void
paint_brief (cairo_t              *cr,
             const TophashPalette *palette,
             TophashDraw          *draw,
             PaintCache           *cache,
             const Brief          *brief) {
  PaintContext context = {
    .palette = palette,
    .draw = draw,
    .key_format = brief->key_format,
    .layout = brief->layout,
    .previous = brief->previous,
    .progress = brief->progress,
    .selection = &brief->selection,
    .hover = &brief->hover,
    .has_focus = brief->has_focus,
    .cache = cache,
  };

  cairo_translate (cr, MAP_VIEW_MARGIN, brief->top);
  cairo_scale (cr, brief->scale, brief->scale);
  paint_stage (cr, &context);
}

static void
paint_cb (cairo_t              *cr,
          const TophashPalette *palette,
          TophashDraw          *draw,
          double                width,
          double                height,
          gpointer              data) {
  const Brief *brief = data;

  paint_brief (cr, palette, draw, brief->cache, brief);
  paint_cache_trim (brief->cache, brief->layout, brief->previous);
}

static const CachedPictureKind picture_kind = {
  .brief_new = brief_new,
  .paint = paint_cb,
  .brief_free = brief_free,
  .scales_itself = TRUE,
  .is_prompt = TRUE,
};

/* What of the widget its viewport shows, in whole pixels. */
static void
get_visible (TophashMapView     *self,
             const GdkRectangle *all,
             GdkRectangle       *visible) {
  graphene_rect_t shown;

  *visible = *all;
  if (self->viewport == NULL
      || !gtk_widget_compute_bounds (self->viewport, GTK_WIDGET (self), &shown))
    return;
  graphene_rect_round_extents (&shown, &shown);
  gdk_rectangle_intersect (all,
                           &(GdkRectangle) { (int)shown.origin.x,
                                             (int)shown.origin.y,
                                             (int)shown.size.width,
                                             (int)shown.size.height },
                           visible);
}

static gboolean
is_dear (TophashMapView     *self,
         const GdkRectangle *visible) {
  double scale = tophash_map_view_get_scale (self);
  double top = (visible->y - tophash_map_view_get_top (self)) / scale;
  double bottom = top + visible->height / scale;
  guint cost = stage_layout_cost (self->layout, top, bottom);

  if (self->previous != NULL)
    cost += stage_layout_cost (self->previous, top, bottom);
  return cost > DEAR;
}

static void
paint_here (TophashMapView     *self,
            GtkSnapshot        *snapshot,
            const GdkRectangle *visible) {
  GtkWidget *widget = GTK_WIDGET (self);
  PangoContext *context = gtk_widget_get_pango_context (widget);
  GskRenderNode *node = gsk_cairo_node_new (
    &GRAPHENE_RECT_INIT ((float)visible->x, (float)visible->y,
                         (float)visible->width, (float)visible->height));
  cairo_t *cr = gsk_cairo_node_get_draw_context (node);
  Brief *brief = brief_new (widget);
  gint64 began_us = g_get_monotonic_time ();

  if (self->draw == NULL)
    self->draw
      = tophash_draw_new (context, 1 / tophash_draw_text_scale (context));
  paint_brief (cr, cached_picture_get_palette (), self->draw, NULL, brief);
  brief_free (brief);
  cairo_destroy (cr);
  gtk_snapshot_append_node (snapshot, node);
  cached_picture_take (&self->picture, node, visible);
  self->picture.painted_us = g_get_monotonic_time () - began_us;
  if (self->picture.painted_us > PAINT_MOST_US)
    g_debug ("painting the stage took %d µs", (int)self->picture.painted_us);
}

void
tophash_map_view_snapshot (GtkWidget   *widget,
                           GtkSnapshot *snapshot) {
  TophashMapView *self = TOPHASH_MAP_VIEW (widget);
  GdkRectangle all = { 0, 0, gtk_widget_get_width (widget),
                       gtk_widget_get_height (widget) };
  GdkRectangle visible;

  if (tophash_map_view_get_layout (self) == NULL) {
    cached_picture_take (&self->picture, NULL, &(GdkRectangle) { 0 });
    return;
  }
  get_visible (self, &all, &visible);
  if (visible.width < 1 || visible.height < 1)
    return;
  self->is_dear = is_dear (self, &visible);
  if (self->is_dear)
    cached_picture_snapshot_part (&self->picture, snapshot, &visible, &all);
  else
    paint_here (self, snapshot, &visible);
  gtk_widget_snapshot_child (widget, self->tables, snapshot);
}

gboolean
tophash_map_view_is_late (TophashMapView *self) {
  return self->picture.painted_us
         > (self->is_dear ? PAINT_BESIDE_MOST_US : PAINT_MOST_US);
}

void
tophash_map_view_redraw (TophashMapView *self) {
  cached_picture_drop (&self->picture);
}

void
tophash_map_view_drop_draw (TophashMapView *self) {
  g_clear_pointer (&self->draw, tophash_draw_free);
  tophash_map_view_redraw (self);
}

void
tophash_map_view_add_picture (TophashMapView *self) {
  self->cache = g_atomic_rc_box_new0 (PaintCache);
  cached_picture_init (&self->picture, GTK_WIDGET (self), &picture_kind, 0);
}

void
tophash_map_view_clear_picture (TophashMapView *self) {
  cached_picture_clear (&self->picture);
  g_clear_pointer (&self->draw, tophash_draw_free);
  if (self->cache != NULL)
    g_atomic_rc_box_release_full (self->cache, clear_cache_cb);
  self->cache = NULL;
}
