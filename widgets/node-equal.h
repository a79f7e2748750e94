/* SPDX-License-Identifier: GPL-3.0-or-later */

/* node-equal.h — do two render nodes draw the same? */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* TRUE is certain. What is not looked into is the same only when it is one node. */
gboolean node_equal (GskRenderNode *a,
                     GskRenderNode *b);

G_END_DECLS
