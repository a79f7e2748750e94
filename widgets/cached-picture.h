/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cached-picture.h — a widget's picture, painted beside the main thread
 *
 * For widgets that are one painted picture: it is painted by a thread of its own,
 * shown until another is there, and made anew when it is dropped, when the
 * widget's size or the colours change. What is to be painted is told in a brief,
 * taken in the main thread, which refers to nothing that changes meanwhile.
 */
#pragma once

#include "widgets/tophash-draw.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct _PictureJob PictureJob;

typedef struct {
  /* Main thread: (transfer full), NULL: there is nothing to paint. */
  gpointer (*brief_new)  (GtkWidget            *widget);
  /* The painting thread, both. */
  void     (*paint)      (cairo_t              *cr,
                          const TophashPalette *palette,
                          TophashDraw          *draw,
                          double                width,
                          double                height,
                          gpointer              brief);
  void     (*brief_free) (gpointer              brief);
  /* Large text makes all of the picture larger, not its letters alone: it is
   * painted as for usual text, on so much less room. */
  gboolean   is_scaled;
} CachedPictureKind;

typedef struct {
  /* Borrowed */
  GtkWidget               *widget;
  const CachedPictureKind *kind;

  /* Owned */
  GskRenderNode *node;       /* NULL: there is none yet */
  PictureJob    *job;        /* under way; NULL: none */
  TophashDraw   *draw;       /* the main thread's, for measuring */

  gboolean       is_dropped; /* another is wanted, or was never made */
  gulong         dark_id;
  gulong         contrast_id;
  guint          refresh_id; /* timeout that drops the picture */
  gint64         refresh_us; /* least time between two pictures */
  gint64         made_at_us;
  int            width;      /* of the newest picture asked for */
  int            height;
  int            made_width; /* of the one that is there */
  int            made_height;
} CachedPicture;

/* @widget: keeps the picture in its own struct. */
void cached_picture_init      (CachedPicture           *self,
                               GtkWidget               *widget,
                               const CachedPictureKind *kind,
                               gint64                   refresh_us);
/* May run twice; dispose calls it. */
void cached_picture_clear     (CachedPicture     *self);
/* The next frame asks for a new one. */
void cached_picture_drop      (CachedPicture     *self);
/* The same, but not before the present one was shown for its time. */
void cached_picture_drop_soon (CachedPicture     *self);
/* Shows the newest one there is. */
void cached_picture_snapshot  (CachedPicture     *self,
                               GtkSnapshot       *snapshot,
                               int                width,
                               int                height);
/* FALSE: the picture shown is not the newest one asked for. */
gboolean cached_picture_is_settled (const CachedPicture *self);

/* As the desktop asks for now. */
const TophashPalette *cached_picture_get_palette (void);
/* For measuring; the main thread's. */
TophashDraw          *cached_picture_get_draw    (CachedPicture *self);

G_END_DECLS
