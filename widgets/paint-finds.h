/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-finds.h — what people look for on the timeline: hits, bookmarks, markers
 *
 * Drawn over lanes and density, below the playhead.
 */
#pragma once

#include "core/model/tophash-session.h"
#include "widgets/paint-lanes.h"

G_BEGIN_DECLS

/* Ticks at the foot of the density: one for each place that has hits. */
void paint_hits      (cairo_t              *cr,
                      TimelineSearch       *search,
                      const LanesGeometry  *geometry,
                      const TophashPalette *palette);
/* Flags above the lanes. */
void paint_bookmarks (cairo_t              *cr,
                      const TraceNotes     *notes,
                      const LanesGeometry  *geometry,
                      const TophashPalette *palette);
/* A and B, and what lies between them in words. */
typedef struct {
  SessionMarker markers[2];
  gboolean      is_set[2];
  char         *difference; /* owned; NULL: one is not set */
} MarkerFacts;
void marker_facts_read  (MarkerFacts       *self,
                         TophashSession    *session);
void marker_facts_clear (MarkerFacts       *self);
void paint_markers   (cairo_t              *cr,
                      const MarkerFacts    *facts,
                      const LanesGeometry  *geometry,
                      const TophashPalette *palette,
                      TophashDraw          *draw);
/* "1.2 ms · 3 211 events · 400 operations"; NULL: a marker is missing.
 * (transfer full) */
char *describe_difference (TophashSession *session);
/* The bookmark whose flag is at @x, @y; 0: none. */
guint64 bookmark_at  (const TraceNotes    *notes,
                      const LanesGeometry *geometry,
                      double               x,
                      double               y);

G_END_DECLS
