/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cached-picture.h — a widget's picture, kept between frames
 *
 * For widgets that are one painted picture: it is painted into a render node,
 * shown until it is dropped, and then painted anew. It is dropped when the
 * widget's size or the colours change and when its owner says so.
 */
#pragma once

#include "widgets/tophash-draw.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct {
  /* Borrowed */
  GtkWidget     *widget;

  /* Owned */
  GskRenderNode *node;       /* NULL: must be made */
  TophashDraw   *draw;

  gulong         dark_id;
  gulong         contrast_id;
  guint          refresh_id; /* timeout that drops the picture */
  gint64         refresh_us; /* least time between two pictures */
  gint64         made_at_us;
  double         made_width;
  double         made_height;
} CachedPicture;

typedef void (*CachedPicturePaint) (cairo_t              *cr,
                                    const TophashPalette *palette,
                                    TophashDraw          *draw,
                                    double                width,
                                    double                height,
                                    gpointer              data);

/* @widget: keeps the picture in its own struct. */
void cached_picture_init      (CachedPicture     *self,
                               GtkWidget         *widget,
                               gint64             refresh_us);
/* May run twice; dispose calls it. */
void cached_picture_clear     (CachedPicture     *self);
/* The next frame shows a new one. */
void cached_picture_drop      (CachedPicture     *self);
/* The same, but not before the present one was shown for its time. */
void cached_picture_drop_soon (CachedPicture     *self);
void cached_picture_snapshot  (CachedPicture     *self,
                               GtkSnapshot       *snapshot,
                               double             width,
                               double             height,
                               CachedPicturePaint paint,
                               gpointer           data);

/* As the desktop asks for now. */
const TophashPalette *cached_picture_get_palette (void);
/* For measuring before the first picture. */
TophashDraw          *cached_picture_get_draw    (CachedPicture *self);

G_END_DECLS
