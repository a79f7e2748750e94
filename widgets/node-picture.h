/* SPDX-License-Identifier: GPL-3.0-or-later */

/* node-picture.h — what a widget shows as an image, brought up to date by and by */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef struct _NodePicture NodePicture;

NodePicture *node_picture_new  (void);
void         node_picture_free (NodePicture *self);

/**
 * node_picture_show:
 * @node: (nullable): what there is to be seen from now on
 * @scale: pixels of the device to one of the widget
 *
 * Nothing is painted yet. While what was told before is not painted whole, the
 * newest is remembered and follows it.
 *
 * Returns: FALSE when @node is too large for an image, and nothing was changed
 */
gboolean node_picture_show (NodePicture   *self,
                            GskRenderNode *node,
                            int            scale);

/**
 * node_picture_work:
 * @until_us: monotonic time
 *
 * Paints what has changed, until that time or the end, a node at the least.
 *
 * Returns: TRUE when nothing is left to do
 */
gboolean node_picture_work (NodePicture *self,
                            gint64       until_us);

/* TRUE: nothing is left to do. */
gboolean node_picture_is_current (NodePicture *self);

/* TRUE: what is to be seen has another size than the image, or there is none: all of
 * it is to be painted. */
gboolean node_picture_is_other (NodePicture *self);

/* (nullable): the newest that was painted whole. */
GskRenderNode *node_picture_get_image (NodePicture *self);

G_END_DECLS
