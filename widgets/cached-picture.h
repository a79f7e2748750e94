/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cached-picture.h — a widget's picture, painted beside the main thread
 *
 * For widgets that are one painted picture: it is painted by a thread of its own,
 * shown until another is there, and made anew when it is dropped, when the
 * widget's size or the colours change. What is to be painted is told in a brief,
 * taken in the main thread, which refers to nothing that changes meanwhile. Of a
 * widget that is seen through a viewport only what is seen is painted, and some
 * more around it.
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
  /* Its letters are as for usual text, and paint() makes all of it larger. */
  gboolean   scales_itself;
  /* A hand waits for it: it does not wait for those that are not. */
  gboolean   is_prompt;
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
  gint64         painted_us; /* how long the last one took by the wall */
  GdkRectangle   part;       /* of the widget, in the newest one asked for */
  GdkRectangle   made;       /* in the one that is there */
  int            scale;      /* of the newest: pixels of the screen for one */
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
/* The same, of a widget that is due to be drawn. */
void cached_picture_outdate   (CachedPicture     *self);
/* The same as drop, but not before the present one was shown for its time. */
void cached_picture_drop_soon (CachedPicture     *self);
/* Shows the newest one there is. */
void cached_picture_snapshot  (CachedPicture     *self,
                               GtkSnapshot       *snapshot,
                               int                width,
                               int                height);
/* The same of @all the widget, of which @visible is seen. What was painted stays at
 * its place in the widget: it moves as that is scrolled. */
void cached_picture_snapshot_part (CachedPicture      *self,
                                   GtkSnapshot        *snapshot,
                                   const GdkRectangle *visible,
                                   const GdkRectangle *all);
/* @node (transfer full): the picture as it is now, painted by the caller; what is
 * under way is not waited for. NULL: there is none. */
void cached_picture_take      (CachedPicture      *self,
                               GskRenderNode      *node,
                               const GdkRectangle *part);
/* FALSE: the picture shown is not the newest one asked for. */
gboolean cached_picture_is_settled (const CachedPicture *self);

/* As the desktop asks for now. */
const TophashPalette *cached_picture_get_palette (void);
/* For measuring; the main thread's. */
TophashDraw          *cached_picture_get_draw    (CachedPicture *self);

G_END_DECLS
