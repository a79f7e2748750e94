/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-lanes.h — the picture under the playhead: who did what, and when
 *
 * Painters over a timeline and a span of time; they keep nothing and may run on
 * any cairo target. Geometry is shared with the widget's hit tests.
 */
#pragma once

#include "core/state/timeline.h"
#include "widgets/tophash-draw.h"

G_BEGIN_DECLS

typedef struct {
  double  width;       /* of the whole picture */
  double  left;        /* where time begins: lane names stand before it */
  double  right;       /* where it ends */
  double  lane_height;
  double  lane_step;
  guint   n_lanes;
  double  lanes_top;
  double  density_top;
  double  density_height;
  double  marks_height; /* landmarks, inside the density's top */
  double  ruler_top;
  double  height;      /* all of it */
  gint64  from_ns;     /* visible span */
  gint64  to_ns;
} LanesGeometry;

/* @text_scale: of the interface font; @is_compact halves the lanes. */
void   lanes_geometry_init  (LanesGeometry *geometry,
                             double         width,
                             guint          n_lanes,
                             gint64         from_ns,
                             gint64         to_ns,
                             double         text_scale,
                             gboolean       is_compact);
double lanes_x_at           (const LanesGeometry *geometry,
                             gint64               at_ns);
gint64 lanes_time_at        (const LanesGeometry *geometry,
                             double               x);

void   paint_lanes          (cairo_t              *cr,
                             Timeline             *timeline,
                             const LanesGeometry  *geometry,
                             const TophashPalette *palette,
                             TophashDraw          *draw);
/* After the lanes: what of a whole recording is still being read is veiled in both,
 * for it is not empty. */
void   paint_density        (cairo_t              *cr,
                             Timeline             *timeline,
                             const LanesGeometry  *geometry,
                             const TophashPalette *palette,
                             TophashDraw          *draw);
void   paint_ruler          (cairo_t              *cr,
                             const LanesGeometry  *geometry,
                             const TophashPalette *palette,
                             TophashDraw          *draw);
void   paint_playhead       (cairo_t              *cr,
                             const LanesGeometry  *geometry,
                             gint64                at_ns,
                             const TophashPalette *palette);

/* Distance between two labels of a ruler: 1, 2 or 5 times a power of ten, so
 * that labels stand at least @min_px apart. */
gint64 ruler_step_ns        (gint64 span_ns,
                             double span_px,
                             double min_px);

G_END_DECLS
