/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cached-picture.c — a widget's picture, painted beside the main thread
 *
 * Painting a timeline takes milliseconds: thousands of strokes, events read from
 * blocks that must be unpacked first, and waits for the thread that folds. None of
 * it may hold up the window. One thread paints all pictures, one after another,
 * into images; the main thread shows the newest one there is. An image is drawn in
 * a tenth of the time of the strokes that it holds (in software, 1240 by 190 pixels:
 * 0.1 ms against 2 to 4).
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
 * Text        Pango's font maps belong to one thread each. A job tells the widget's
 *             font and how it is drawn; the thread has a context of its own, made
 *             anew when they change.
 *
 * Invariants  P1  refresh_id is not 0 only while there is a picture to drop
 *             P2  the node was painted for made_width by made_height
 *             P3  a job keeps its widget alive; one whose widget was disposed is no
 *                 longer the picture's
 */
#include "widgets/cached-picture.h"

#include "core/base/rank.h"

#include <adwaita.h>

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
  int                      width;
  int                      height;
  int                      scale;
  double                   text_scale; /* of all the picture; 1: only letters
                                        * are as large as the widget's */
  GskRenderNode           *node;    /* the result */
};

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

/* For @writing, which it takes over when it is another. The statics are the
 * thread's: one for pictures that are scaled as a whole, one for the others. */
static TophashDraw *
ensure_draw (Writing *writing,
             double   text_scale) {
  static struct {
    TophashDraw *draw;
    Writing      writing;
  } both[2], *kept;

  kept = &both[text_scale > 1];
  if (kept->draw != NULL && writing_equal (&kept->writing, writing))
    return kept->draw;
  g_clear_pointer (&kept->draw, tophash_draw_free);
  writing_clear (&kept->writing);
  kept->writing = *writing;
  *writing = (Writing) { 0 };
  kept->draw = new_draw (&kept->writing, text_scale);
  return kept->draw;
}

/* The image as a node; its drawing refers to the image and copies nothing. */
static GskRenderNode *
node_new (cairo_surface_t *image,
          int              width,
          int              height) {
  GskRenderNode *node = gsk_cairo_node_new (
    &GRAPHENE_RECT_INIT (0, 0, (float)width, (float)height));
  cairo_t *cr = gsk_cairo_node_get_draw_context (node);

  cairo_set_source_surface (cr, image, 0, 0);
  cairo_paint (cr);
  cairo_destroy (cr);
  return node;
}

static void picture_done (PictureJob *job);

/* Main context. */
static gboolean
done_cb (gpointer data) {
  picture_done (data);
  return G_SOURCE_REMOVE;
}

static void
paint_thread (gpointer data,
              gpointer unused) {
  static gboolean has_stepped_back; /* this thread, the only one */
  PictureJob *job = data;
  g_autoptr (GSource) source = g_idle_source_new ();
  cairo_surface_t *surface
    = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, job->width * job->scale,
                                  job->height * job->scale);
  cairo_t *cr;

  if (!has_stepped_back)
    rank_step_back (0);
  has_stepped_back = TRUE;
  cairo_surface_set_device_scale (surface, job->scale, job->scale);
  cr = cairo_create (surface);
  cairo_scale (cr, job->text_scale, job->text_scale);
  job->kind->paint (cr, job->palette,
                    ensure_draw (&job->writing, job->text_scale),
                    job->width / job->text_scale, job->height / job->text_scale,
                    job->brief);
  job->kind->brief_free (g_steal_pointer (&job->brief));
  cairo_destroy (cr);
  if (cairo_surface_status (surface) == CAIRO_STATUS_SUCCESS)
    job->node = node_new (surface, job->width, job->height);
  cairo_surface_destroy (surface);
  /* Before the frame that is due. */
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, done_cb, job, NULL);
  g_source_attach (source, NULL);
}

/* Its one thread ends with the program. */
static GThreadPool *
get_painter (void) {
  static GThreadPool *pool;

  if (pool == NULL)
    pool = g_thread_pool_new (paint_thread, NULL, 1, TRUE, NULL);
  return pool;
}

/* The main thread ---------------------------------------------------------- */

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
    manager, "notify::dark", G_CALLBACK (cached_picture_drop), self);
  self->contrast_id = g_signal_connect_swapped (
    manager, "notify::high-contrast", G_CALLBACK (cached_picture_drop), self);
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

/* Asks for the picture as it should be now. */
static void
ask (CachedPicture *self) {
  gpointer brief = self->kind->brief_new (self->widget);
  PictureJob *job;

  self->is_dropped = FALSE;
  self->made_at_us = g_get_monotonic_time ();
  if (brief == NULL) {
    g_clear_pointer (&self->node, gsk_render_node_unref);
    return;
  }
  job = g_new0 (PictureJob, 1);
  job->picture = self;
  job->widget = g_object_ref (self->widget);
  job->kind = self->kind;
  job->brief = brief;
  job->palette = cached_picture_get_palette ();
  job->width = self->width;
  job->height = self->height;
  job->scale = gtk_widget_get_scale_factor (self->widget);
  job->text_scale = self->kind->is_scaled
                      ? tophash_draw_text_scale (
                          gtk_widget_get_pango_context (self->widget))
                      : 1;
  writing_read (&job->writing, self->widget);
  self->job = job;
  g_thread_pool_push (get_painter (), job, NULL);
}

/* Takes the picture over, unless its widget is disposed (P3). */
static void
picture_done (PictureJob *job) {
  CachedPicture *self = job->picture;

  if (self->job == job) {
    self->job = NULL;
    if (job->node != NULL) {
      g_clear_pointer (&self->node, gsk_render_node_unref);
      self->node = g_steal_pointer (&job->node);
      self->made_width = job->width;
      self->made_height = job->height;
    }
    if (self->is_dropped && self->width > 0 && self->height > 0)
      ask (self);
    gtk_widget_queue_draw (self->widget);
  }
  picture_job_free (job);
}

void
cached_picture_snapshot (CachedPicture *self,
                         GtkSnapshot   *snapshot,
                         int            width,
                         int            height) {
  if (width <= 0 || height <= 0)
    return;
  if (self->width != width || self->height != height)
    self->is_dropped = TRUE;
  self->width = width;
  self->height = height;
  if (self->is_dropped && self->job == NULL)
    ask (self);
  if (self->node != NULL)
    gtk_snapshot_append_node (snapshot, self->node);
}
