/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-map-view.h — the stage of a session as a widget */
#pragma once

#include "core/model/tophash-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_MAP_VIEW (tophash_map_view_get_type ())
G_DECLARE_FINAL_TYPE (TophashMapView, tophash_map_view, TOPHASH, MAP_VIEW,
                      GtkWidget)

GtkWidget *tophash_map_view_new         (void);
/* @session: nullable. A reference is kept. */
void       tophash_map_view_set_session (TophashMapView *self,
                                         TophashSession *session);
/* TRUE: tables are heat maps, without slots. */
gboolean   tophash_map_view_is_far      (TophashMapView *self);
/* Nearer (+) or farther (-) by steps; 0: back to the size that fits. */
void       tophash_map_view_zoom        (TophashMapView *self,
                                         int             steps);

G_END_DECLS
