/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-timeline-view.h — lanes, landmarks, density and the playhead */
#pragma once

#include "core/model/tophash-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_TIMELINE_VIEW (tophash_timeline_view_get_type ())
G_DECLARE_FINAL_TYPE (TophashTimelineView, tophash_timeline_view, TOPHASH, TIMELINE_VIEW, GtkWidget)

GtkWidget *tophash_timeline_view_new         (void);
/* @session (nullable): a reference is taken. */
/* Lower lanes, as where they are many. */
void       tophash_timeline_view_set_low     (TophashTimelineView *self,
                                              gboolean             is_low);
void       tophash_timeline_view_set_session (TophashTimelineView *self,
                                              TophashSession      *session);

G_END_DECLS
