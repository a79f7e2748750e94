/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cached-picture.c — a widget's picture, painted beside the main thread
 *
 * Painting a timeline takes milliseconds: thousands of strokes, events read from
 * blocks that must be unpacked first, and waits for the thread that folds. None of
 * it may hold up the window. One thread paints all pictures, one after another,
 * into images; the main thread shows the newest one there is. An image is drawn in
 * a tenth of the time of the strokes that it holds (in software, 1240 by 190 pixels:
 * 0.1 ms against 2 to 4). Pictures that a hand waits for have a second such thread.
 *
 * Requests    A picture has one job under way at the most. What is dropped
 *             meanwhile is asked for when that is done, with what is true then: so
 *             the newest wins, and one that is dropped without end is still seen to
 *             move.
 *
 * Rest        While a run is live, facts change with every frame. A picture is
 *             shown for at least refresh_us: whoever asks for a new one sooner gets
 *             a timeout, one at most, that drops it when its time is up.
 *
 * Parts       Of a widget in a viewport MARGIN pixels around what is seen are painted
 *             too, and another picture is asked for when fewer than SPARE are left:
 *             a wheel's step shows nothing that is not painted.
 *
 * Text        Pango's font maps belong to one thread each. A job tells the widget's
 *             font and how it is drawn; the thread has a context of its own, made
 *             anew when they change.
 *
 * Invariants  P1  refresh_id is not 0 only while there is a picture to drop
 *             P2  the node is a picture of made
 *             P3  a job keeps its widget alive; one whose widget was disposed is no
 *                 longer the picture's
 */
#include "widgets/cached-picture.h"

#include "widgets/painting-thread.h"

#include <adwaita.h>

#define MARGIN 96
#define SPARE 48

/* How a widget writes. */
typedef struct {
  PangoFontDescription *font;
  PangoLanguage        *language;
  PangoDirection        direction;
  cairo_font_options_t *options; /* NULL: as the surface has it */
  double                resolution;
  gboolean              rounds;  /* glyph positions */
} Writing;

struct _PictureJob {
  CachedPicture           *picture; /* within @widget */
  GtkWidget               *widget;  /* a reference */
  const CachedPictureKind *kind;
  gpointer                 brief;
  const TophashPalette    *palette;
  Writing                  writing;
  GdkRectangle             part;
  int                      scale;
  double                   text_scale; /* of all the picture; 1: only letters
                                        * are as large as the widget's */
  GskRenderNode           *node;    /* the result */
  gint64                   took_us;
};

/* A painting thread's own: for pictures of usual letters that are made larger, and
 * for the others: two of these. */
typedef struct {
  TophashDraw *draw;
  Writing      writing;
} Painter;

static void
writing_read (Writing   *self,
              GtkWidget *widget) {
  PangoContext *context = gtk_widget_get_pango_context (widget);
  const cairo_font_options_t *options
    = pango_cairo_context_get_font_options (context);

  self->font = pango_font_description_copy (
    pango_context_get_font_description (context));
  self->language = pango_context_get_language (context);
  self->direction = pango_context_get_base_dir (context);
  self->options = options != NULL ? cairo_font_options_copy (options) : NULL;
  self->resolution = pango_cairo_context_get_resolution (context);
  self->rounds = pango_context_get_round_glyph_positions (context);
}

static void
writing_clear (Writing *self) {
  g_clear_pointer (&self->font, pango_font_description_free);
  g_clear_pointer (&self->options, cairo_font_options_destroy);
}

static gboolean
writing_equal (const Writing *a,
               const Writing *b) {
  return a->language == b->language && a->direction == b->direction
         && a->resolution == b->resolution && a->rounds == b->rounds
         && pango_font_description_equal (a->font, b->font)
         && (a->options == b->options
             || (a->options != NULL && b->options != NULL
                 && cairo_font_options_equal (a->options, b->options)));
}

static void
picture_job_free (PictureJob *self) {
  writing_clear (&self->writing);
  g_clear_pointer (&self->node, gsk_render_node_unref);
  g_object_unref (self->widget);
  g_free (self);
}

/* The painting thread ------------------------------------------------------ */

static TophashDraw *
new_draw (const Writing *writing,
          double         text_scale) {
  PangoContext *context
    = pango_font_map_create_context (pango_cairo_font_map_get_default ());
  TophashDraw *draw;

  pango_context_set_font_description (context, writing->font);
  pango_context_set_language (context, writing->language);
  pango_context_set_base_dir (context, writing->direction);
  pango_context_set_round_glyph_positions (context, writing->rounds);
  pango_cairo_context_set_resolution (context, writing->resolution);
  pango_cairo_context_set_font_options (context, writing->options);
  draw = tophash_draw_new (context, 1 / text_scale);
  g_object_unref (context);
  return draw;
}

/* For @writing, which it takes over when it is another. */
static TophashDraw *
ensure_draw (Painter *self,
             Writing *writing,
             double   text_scale) {
  TophashDraw **draw = &self[text_scale > 1].draw;
  Writing *kept = &self[text_scale > 1].writing;

  if (*draw != NULL && writing_equal (kept, writing))
    return *draw;
  g_clear_pointer (draw, tophash_draw_free);
  writing_clear (kept);
  *kept = *writing;
  *writing = (Writing) { 0 };
  *draw = new_draw (kept, text_scale);
  return *draw;
}

/* The image as a node; its drawing refers to the image and copies nothing. */
static GskRenderNode *
node_new (cairo_surface_t    *image,
          const GdkRectangle *part) {
  GskRenderNode *node = gsk_cairo_node_new (
    &GRAPHENE_RECT_INIT ((float)part->x, (float)part->y, (float)part->width,
                         (float)part->height));
  cairo_t *cr = gsk_cairo_node_get_draw_context (node);

  cairo_set_source_surface (cr, image, part->x, part->y);
  cairo_paint (cr);
  cairo_destroy (cr);
  return node;
}

/* The job's image. (transfer full) */
static cairo_surface_t *
paint_image (Painter    *self,
             PictureJob *job) {
  const GdkRectangle *part = &job->part;
  double scale = job->kind->is_scaled ? job->text_scale : 1;
  cairo_surface_t *surface
    = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, part->width * job->scale,
                                  part->height * job->scale);
  cairo_t *cr;

  cairo_surface_set_device_scale (surface, job->scale, job->scale);
  cr = cairo_create (surface);
  cairo_translate (cr, -part->x, -part->y);
  cairo_scale (cr, scale, scale);
  job->kind->paint (cr, job->palette,
                    ensure_draw (self, &job->writing, job->text_scale),
                    part->width / scale, part->height / scale, job->brief);
  cairo_destroy (cr);
  return surface;
}

static void
work (gpointer data) {
  /* Of each painting thread: its own. */
  static Painter painters[2][2];
  PictureJob *job = data;
  gint64 began_us = g_get_monotonic_time ();
  cairo_surface_t *surface
    = paint_image (painters[job->kind->is_prompt ? 1 : 0], job);

  job->kind->brief_free (g_steal_pointer (&job->brief));
  if (cairo_surface_status (surface) == CAIRO_STATUS_SUCCESS)
    job->node = node_new (surface, &job->part);
  cairo_surface_destroy (surface);
  job->took_us = g_get_monotonic_time () - began_us;
}

/* The main thread ---------------------------------------------------------- */

/* What nobody sees now must not come back in the colours of before. */
static void
colors_changed_cb (CachedPicture *self) {
  if (!gtk_widget_get_mapped (self->widget))
    g_clear_pointer (&self->node, gsk_render_node_unref);
  cached_picture_drop (self);
}

void
cached_picture_init (CachedPicture           *self,
                     GtkWidget               *widget,
                     const CachedPictureKind *kind,
                     gint64                   refresh_us) {
  AdwStyleManager *manager = adw_style_manager_get_default ();

  self->widget = widget;
  self->kind = kind;
  self->refresh_us = refresh_us;
  self->is_dropped = TRUE;
  self->dark_id = g_signal_connect_swapped (
    manager, "notify::dark", G_CALLBACK (colors_changed_cb), self);
  self->contrast_id = g_signal_connect_swapped (
    manager, "notify::high-contrast", G_CALLBACK (colors_changed_cb), self);
}

void
cached_picture_clear (CachedPicture *self) {
  AdwStyleManager *manager = adw_style_manager_get_default ();

  g_clear_signal_handler (&self->dark_id, manager);
  g_clear_signal_handler (&self->contrast_id, manager);
  g_clear_handle_id (&self->refresh_id, g_source_remove);
  g_clear_pointer (&self->node, gsk_render_node_unref);
  g_clear_pointer (&self->draw, tophash_draw_free);
  self->job = NULL;
}

void
cached_picture_drop (CachedPicture *self) {
  g_clear_handle_id (&self->refresh_id, g_source_remove);
  self->is_dropped = TRUE;
  gtk_widget_queue_draw (self->widget);
}

void
cached_picture_outdate (CachedPicture *self) {
  self->is_dropped = TRUE;
}

static gboolean
refresh_cb (gpointer data) {
  CachedPicture *self = data;

  self->refresh_id = 0;
  cached_picture_drop (self);
  return G_SOURCE_REMOVE;
}

void
cached_picture_drop_soon (CachedPicture *self) {
  gint64 due_us = self->made_at_us + self->refresh_us - g_get_monotonic_time ();

  if (self->node == NULL || due_us <= 0)
    cached_picture_drop (self);
  else if (self->refresh_id == 0)
    self->refresh_id
      = g_timeout_add ((guint)(due_us / 1000 + 1), refresh_cb, self);
}

gboolean
cached_picture_is_settled (const CachedPicture *self) {
  return self->job == NULL && !self->is_dropped;
}

const TophashPalette *
cached_picture_get_palette (void) {
  AdwStyleManager *manager = adw_style_manager_get_default ();

  return tophash_palette_get (adw_style_manager_get_dark (manager),
                              adw_style_manager_get_high_contrast (manager));
}

TophashDraw *
cached_picture_get_draw (CachedPicture *self) {
  if (self->draw == NULL)
    self->draw
      = tophash_draw_new (gtk_widget_get_pango_context (self->widget), 1.0);
  return self->draw;
}

static void picture_done (gpointer data);

/* There is nothing to show, so nothing to drop when its time is up (P1). */
static void
clear_node (CachedPicture *self) {
  g_clear_handle_id (&self->refresh_id, g_source_remove);
  g_clear_pointer (&self->node, gsk_render_node_unref);
}

/* Asks for the picture as it should be now. */
static void
ask (CachedPicture *self) {
  gpointer brief = self->kind->brief_new (self->widget);
  PictureJob *job;

  self->is_dropped = FALSE;
  self->made_at_us = g_get_monotonic_time ();
  if (brief == NULL) {
    clear_node (self);
    return;
  }
  job = g_new0 (PictureJob, 1);
  job->picture = self;
  job->widget = g_object_ref (self->widget);
  job->kind = self->kind;
  job->brief = brief;
  job->palette = cached_picture_get_palette ();
  job->part = self->part;
  job->scale = self->scale = gtk_widget_get_scale_factor (self->widget);
  job->text_scale = self->kind->is_scaled || self->kind->scales_itself
                      ? tophash_draw_text_scale (
                          gtk_widget_get_pango_context (self->widget))
                      : 1;
  writing_read (&job->writing, self->widget);
  self->job = job;
  painting_thread_do (job->kind->is_prompt, work, picture_done, job);
}

/* Takes the picture over, unless its widget is disposed (P3). */
static void
picture_done (gpointer data) {
  PictureJob *job = data;
  CachedPicture *self = job->picture;

  if (self->job == job) {
    self->job = NULL;
    self->painted_us = job->took_us;
    if (job->node != NULL) {
      g_clear_pointer (&self->node, gsk_render_node_unref);
      self->node = g_steal_pointer (&job->node);
      self->made = job->part;
    }
    if (self->is_dropped && self->part.width > 0 && self->part.height > 0)
      ask (self);
    gtk_widget_queue_draw (self->widget);
  }
  picture_job_free (job);
}

static void
show (CachedPicture *self,
      GtkSnapshot   *snapshot) {
  if (self->scale != gtk_widget_get_scale_factor (self->widget))
    self->is_dropped = TRUE;
  if (self->is_dropped && self->job == NULL)
    ask (self);
  if (self->node != NULL)
    gtk_snapshot_append_node (snapshot, self->node);
}

void
cached_picture_snapshot (CachedPicture *self,
                         GtkSnapshot   *snapshot,
                         int            width,
                         int            height) {
  GdkRectangle all = { 0, 0, width, height };

  if (width <= 0 || height <= 0)
    return;
  if (!gdk_rectangle_equal (&self->part, &all))
    self->is_dropped = TRUE;
  self->part = all;
  show (self, snapshot);
}

/* @rect with @by pixels around it, as far as @all goes. */
static GdkRectangle
grow_within (const GdkRectangle *rect,
             int                 by,
             const GdkRectangle *all) {
  GdkRectangle grown = { rect->x - by, rect->y - by, rect->width + 2 * by,
                         rect->height + 2 * by };

  gdk_rectangle_intersect (&grown, all, &grown);
  return grown;
}

void
cached_picture_snapshot_part (CachedPicture      *self,
                              GtkSnapshot        *snapshot,
                              const GdkRectangle *visible,
                              const GdkRectangle *all) {
  GdkRectangle needed = grow_within (visible, SPARE, all);
  GdkRectangle both;

  if (needed.width <= 0 || needed.height <= 0)
    return;
  gdk_rectangle_union (&self->part, &needed, &both);
  if (!gdk_rectangle_equal (&self->part, &both))
    self->is_dropped = TRUE;
  if (self->is_dropped)
    self->part = grow_within (visible, MARGIN, all);
  show (self, snapshot);
}

void
cached_picture_take (CachedPicture      *self,
                     GskRenderNode      *node,
                     const GdkRectangle *part) {
  clear_node (self);
  self->node = node;
  self->part = self->made = *part;
  self->scale = gtk_widget_get_scale_factor (self->widget);
  self->job = NULL;
  self->is_dropped = FALSE;
}
