/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cached-picture.c — a widget's picture, kept between frames
 *
 * While a run is live, facts change with every frame and painting them each
 * time would take a share of the main thread that grows with the frame rate. A
 * picture is therefore shown for at least refresh_us: whoever asks for a new
 * one sooner gets a timeout, one at most, that drops it when its time is up.
 *
 * Invariants  P1  refresh_id is not 0 only while there is a picture to drop
 *             P2  the picture was painted for made_width by made_height
 */
#include "widgets/cached-picture.h"

#include <adwaita.h>

void
cached_picture_init (CachedPicture *self,
                     GtkWidget     *widget,
                     gint64         refresh_us) {
  AdwStyleManager *manager = adw_style_manager_get_default ();

  self->widget = widget;
  self->refresh_us = refresh_us;
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
}

void
cached_picture_drop (CachedPicture *self) {
  g_clear_handle_id (&self->refresh_id, g_source_remove);
  g_clear_pointer (&self->node, gsk_render_node_unref);
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

void
cached_picture_snapshot (CachedPicture     *self,
                         GtkSnapshot       *snapshot,
                         double             width,
                         double             height,
                         CachedPicturePaint paint,
                         gpointer           data) {
  if (self->made_width != width || self->made_height != height)
    g_clear_pointer (&self->node, gsk_render_node_unref);
  if (self->node == NULL) {
    graphene_rect_t bounds
      = GRAPHENE_RECT_INIT (0, 0, (float)width, (float)height);
    GtkSnapshot *own = gtk_snapshot_new ();
    cairo_t *cr = gtk_snapshot_append_cairo (own, &bounds);

    paint (cr, cached_picture_get_palette (), cached_picture_get_draw (self),
           width, height, data);
    cairo_destroy (cr);
    self->node = gtk_snapshot_free_to_node (own);
    self->made_at_us = g_get_monotonic_time ();
    self->made_width = width;
    self->made_height = height;
  }
  if (self->node != NULL)
    gtk_snapshot_append_node (snapshot, self->node);
}
