/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-stats.h — the cards under the map: a gauge and small plots
 *
 * Pure painting from a state and its timeline; the widget and exports share it.
 */
#pragma once

#include "core/state/timeline.h"
#include "widgets/tophash-draw.h"

G_BEGIN_DECLS

#define STATS_HEIGHT 96.0
#define STATS_HEIGHT_LOW 62.0 /* the bars have no words below them */

typedef struct {
  const MapState       *state;
  Timeline             *timeline; /* nullable: no plots */
  gint64                from_ns;  /* span of the plots */
  gint64                to_ns;
  const TophashPalette *palette;
  TophashDraw          *draw;
} StatsContext;

void  paint_stats      (cairo_t            *cr,
                        const StatsContext *context,
                        double              width,
                        double              height);

/* (transfer full): the same figures as a sentence, for a screen reader. */
char *stats_to_text    (const MapState     *state);

G_END_DECLS
