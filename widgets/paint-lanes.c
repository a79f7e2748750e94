/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-lanes.c — who did what, and when
 *
 * Lanes       One per worker. Where a lane has few enough spans they are drawn
 *             one by one: an operation in the colour of its kind, with its lock
 *             along the top (waiting hatched, holding solid), a Range as a long
 *             bar with its number. Where there are too many, bins of a pixel or two
 *             show the shares of each kind, so that a busy lane never costs more than a
 *             sparse one.
 * Density     Events per bin below, landmarks above it with short names that
 *             never touch each other.
 * Ruler       1-2-5 steps.
 *
 * A span shorter than MIN_SPAN_PX is widened to it, so that an operation of a
 * microsecond can be seen in a run of seconds; its start stays true.
 */
#include "widgets/paint-lanes.h"

#include "core/model/narrator.h"

#include <glib/gi18n.h>
#include <math.h>

#define MIN_SPAN_PX 4.0
/* Of a lane's height: the operation shows below, and a Range's number. */
#define WAIT_SHARE 0.42
#define HOLD_SHARE 0.22
#define MAX_SPANS 900
#define MAX_SPAN_EVENTS 40000u /* more are not even looked at one by one */
#define BIN_PX 3.0
#define MAX_LANDMARKS 200u
#define LABEL_GAP_PX 76.0
#define LABEL_AIR 8.0
#define UNREAD_VEIL 0.6
#define NAME_OVERLAP 6 /* of a line's height: what is above and below letters */

void
lanes_geometry_init (LanesGeometry *geometry,
                     double         width,
                     guint          n_lanes,
                     gint64         from_ns,
                     gint64         to_ns,
                     double         text_scale,
                     gboolean       is_compact) {
  double step = is_compact ? 18 : 26;

  geometry->width = width;
  geometry->left = 44 * text_scale;
  geometry->right = MAX (width - 16, geometry->left + 1);
  geometry->n_lanes = n_lanes;
  geometry->lane_step = step;
  geometry->lane_height = is_compact ? 13 : 18;
  geometry->lanes_top = 10;
  geometry->density_top = geometry->lanes_top + n_lanes * step + 2;
  geometry->marks_height = 18 * text_scale;
  geometry->density_height = geometry->marks_height + (is_compact ? 22 : 34);
  geometry->ruler_top = geometry->density_top + geometry->density_height + 4;
  geometry->height = geometry->ruler_top + 16 * text_scale;
  geometry->from_ns = from_ns;
  geometry->to_ns = MAX (to_ns, from_ns + 1);
}

double
lanes_x_at (const LanesGeometry *geometry,
            gint64               at_ns) {
  double share = (double)(at_ns - geometry->from_ns)
                 / (double)(geometry->to_ns - geometry->from_ns);

  return geometry->left + share * (geometry->right - geometry->left);
}

gint64
lanes_time_at (const LanesGeometry *geometry,
               double               x) {
  double share = (x - geometry->left) / (geometry->right - geometry->left);

  return geometry->from_ns
         + (gint64)(CLAMP (share, 0, 1)
                    * (double)(geometry->to_ns - geometry->from_ns));
}

static PaletteRole
role_of_op (OpKind op) {
  switch (op) {
  case OP_LOAD:
  case OP_LEN:
    return ROLE_OP_LOAD;
  case OP_STORE:
  case OP_LOAD_OR_STORE:
  case OP_SWAP:
  case OP_COMPARE_AND_SWAP:
    return ROLE_OP_STORE;
  case OP_LOAD_AND_DELETE:
  case OP_DELETE:
  case OP_COMPARE_AND_DELETE:
  case OP_CLEAR:
    return ROLE_OP_DELETE;
  case OP_RANGE:
    return ROLE_OP_RANGE;
  case OP_N_KINDS:
    break;
  }
  return ROLE_OP_LOAD;
}

/* A Range's number on its bar, whose colour is dark on light ground and light on dark:
 * as the ground is, so it can be read on both. Large letters are made to fit. */
static void
paint_range_name (cairo_t              *cr,
                  const char           *name,
                  double                x,
                  double                y,
                  double                width,
                  double                lane_height,
                  const TophashPalette *palette,
                  TophashDraw          *draw) {
  double text_width, height, scale;

  tophash_draw_measure (draw, name, FONT_CAPTION, &text_width, &height);
  scale = MIN (1, lane_height / height);
  cairo_save (cr);
  cairo_translate (cr, x, y + lane_height / 2);
  cairo_scale (cr, scale, scale);
  tophash_palette_set_source (palette, cr, ROLE_CARD);
  tophash_draw_text (draw, cr, name, FONT_CAPTION, 0, 0, 0, 0.5, width / scale);
  cairo_restore (cr);
}

static void
paint_span (cairo_t              *cr,
            const LaneSpan       *span,
            const LanesGeometry  *geometry,
            double                y,
            const TophashPalette *palette,
            TophashDraw          *draw) {
  double held = round (geometry->lane_height * HOLD_SHARE);
  double height = span->kind == SPAN_HOLD ? held
                  : span->kind == SPAN_WAIT
                    ? geometry->lane_height * WAIT_SHARE
                    : geometry->lane_height;
  double x0 = MAX (lanes_x_at (geometry, span->from_ns), geometry->left);
  double x1 = span->to_ns == G_MAXINT64 ? geometry->right
                                        : lanes_x_at (geometry, span->to_ns);
  double width;

  x1 = MIN (MAX (x1, x0 + MIN_SPAN_PX), geometry->right);
  x0 = MIN (x0, geometry->right - MIN_SPAN_PX);
  width = x1 - x0;
  tophash_draw_rounded (cr, x0, y, width, height, MIN (3, width / 2));
  switch (span->kind) {
  case SPAN_OP:
    tophash_palette_set_source (palette, cr, role_of_op (span->op));
    cairo_fill (cr);
    break;
  case SPAN_HOLD:
    tophash_palette_set_source (palette, cr, ROLE_LOCK);
    cairo_fill (cr);
    break;
  case SPAN_WAIT:
    /* On the lane's own ground: through the hatching an operation's colour
     * would make a third one. */
    tophash_palette_set_source (palette, cr, ROLE_QUIET);
    cairo_fill_preserve (cr);
    tophash_palette_set_source (palette, cr, ROLE_WAIT);
    cairo_set_line_width (cr, 1);
    cairo_stroke_preserve (cr);
    tophash_draw_hatch (cr, 4);
    break;
  case SPAN_RANGE:
  case SPAN_SNAPSHOT:
    tophash_palette_set_source (palette, cr, ROLE_OP_RANGE);
    cairo_fill (cr);
    if (width > 70) {
      g_autofree char *name = g_strdup_printf (
        span->kind == SPAN_RANGE ? "Range #%u" : _("snapshot #%u"), span->id);

      paint_range_name (cr, name, x0 + 8, y, width - 12, geometry->lane_height,
                        palette, draw);
    }
    break;
  }
}

/* Snapshots and Ranges lie below the operations inside them, holds below waits. */
static void
paint_spans (cairo_t              *cr,
             GArray               *spans,
             const LanesGeometry  *geometry,
             double                y,
             const TophashPalette *palette,
             TophashDraw          *draw) {
  static const SpanKind order[] = { SPAN_SNAPSHOT, SPAN_RANGE, SPAN_OP, SPAN_HOLD,
                                    SPAN_WAIT };

  for (guint pass = 0; pass < G_N_ELEMENTS (order); pass++)
    for (guint i = 0; i < spans->len; i++) {
      const LaneSpan *span = &g_array_index (spans, LaneSpan, i);

      if (span->kind != order[pass]
          || (span->kind == SPAN_OP && span->op == OP_RANGE))
        continue;
      paint_span (cr, span, geometry, y, palette, draw);
    }
}

/* Shares of a bin, stacked from the lane's floor; a lock held or waited for is
 * a band along its top. */
static void
paint_bin (cairo_t              *cr,
           const LaneBin        *bin,
           double                x,
           double                y,
           double                width,
           double                height,
           double                bin_ns,
           double                busiest,
           const TophashPalette *palette) {
  const double parts[] = { bin->n_loads, bin->n_stores, bin->n_deletes,
                           bin->n_ranges };
  static const PaletteRole roles[]
      = { ROLE_OP_LOAD, ROLE_OP_STORE, ROLE_OP_DELETE, ROLE_OP_RANGE };
  double total = parts[0] + parts[1] + parts[2] + parts[3];
  double floor = y + height;
  double full = total > 0 ? height * (0.35 + 0.65 * total / busiest) : 0;

  for (guint i = 0; i < G_N_ELEMENTS (parts) && total > 0; i++) {
    double part = full * parts[i] / total;

    if (part <= 0)
      continue;
    tophash_palette_set_source (palette, cr, roles[i]);
    cairo_rectangle (cr, x, floor - part, width, part);
    cairo_fill (cr);
    floor -= part;
  }
  if (bin->hold_ns > 0) {
    double share = MIN (1, (double)bin->hold_ns / bin_ns);

    tophash_palette_set_source (palette, cr, ROLE_LOCK);
    cairo_rectangle (cr, x, y, width, MAX (1, 4 * share));
    cairo_fill (cr);
  }
  if (bin->wait_ns > 0) {
    double share = MIN (1, (double)bin->wait_ns / bin_ns);

    tophash_palette_set_source (palette, cr, ROLE_WAIT);
    cairo_rectangle (cr, x, y + 4, width, MAX (1, 4 * share));
    cairo_fill (cr);
  }
}

static void
paint_bins (cairo_t              *cr,
            Timeline             *timeline,
            guint                 lane,
            const LanesGeometry  *geometry,
            double                y,
            const TophashPalette *palette) {
  double span_px = geometry->right - geometry->left;
  guint n_bins = (guint)MAX (1, span_px / BIN_PX);
  g_autofree LaneBin *bins = g_new0 (LaneBin, n_bins);
  double width = span_px / n_bins;
  double bin_ns = (double)(geometry->to_ns - geometry->from_ns) / n_bins;
  double busiest = 1;

  timeline_get_lane (timeline, lane, geometry->from_ns, geometry->to_ns, n_bins,
                     bins);
  for (guint i = 0; i < n_bins; i++)
    busiest = MAX (busiest, (double)bins[i].n_loads + bins[i].n_stores
                                + bins[i].n_deletes + bins[i].n_ranges);
  for (guint i = 0; i < n_bins; i++)
    paint_bin (cr, &bins[i], geometry->left + i * width, y, width,
               geometry->lane_height, bin_ns, busiest, palette);
}

/* Large letters in low lanes would run into each other. */
static DrawFont
name_font (TophashDraw         *draw,
           const LanesGeometry *geometry) {
  g_autofree char *name = narrator_thread (0);
  double width, height;

  tophash_draw_measure (draw, name, FONT_BODY, &width, &height);
  return height > geometry->lane_step + NAME_OVERLAP ? FONT_CAPTION : FONT_BODY;
}

void
paint_lanes (cairo_t              *cr,
             Timeline             *timeline,
             const LanesGeometry  *geometry,
             const TophashPalette *palette,
             TophashDraw          *draw) {
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (LaneSpan));
  TraceLog *log = timeline_get_log (timeline);
  DrawFont font = name_font (draw, geometry);
  gboolean is_crowded = tracelog_index_at (log, geometry->to_ns)
                            - tracelog_index_at (log, geometry->from_ns)
                        > MAX_SPAN_EVENTS;

  for (guint lane = 0; lane < geometry->n_lanes; lane++) {
    double y = geometry->lanes_top + lane * geometry->lane_step;
    g_autofree char *name = narrator_thread (lane);

    tophash_palette_set_source (palette, cr, ROLE_TEXT);
    tophash_draw_text (draw, cr, name, font, 14,
                       y + geometry->lane_height / 2, 0, 0.5,
                       geometry->left - 18);
    tophash_palette_set_source (palette, cr, ROLE_QUIET);
    tophash_draw_rounded (cr, geometry->left, y,
                          geometry->right - geometry->left,
                          geometry->lane_height, 4);
    cairo_fill (cr);

    g_array_set_size (spans, 0);
    cairo_save (cr);
    cairo_rectangle (cr, geometry->left, y - 1,
                     geometry->right - geometry->left,
                     geometry->lane_height + 2);
    cairo_clip (cr);
    if (!is_crowded
        && timeline_get_spans (timeline, lane, geometry->from_ns, geometry->to_ns,
                               MAX_SPANS, spans))
      paint_spans (cr, spans, geometry, y, palette, draw);
    else
      paint_bins (cr, timeline, lane, geometry, y, palette);
    cairo_restore (cr);
  }
}

/* A triangle for promotions, a diamond for copies, a square for growths, a
 * triangle on its head for lost events, a cross for misuse, a dot for the rest:
 * the shape repeats the colour. */
static void
paint_landmark_sign (cairo_t              *cr,
                     const Landmark       *mark,
                     double                x,
                     double                y,
                     const TophashPalette *palette) {
  double r = 4.5;

  cairo_new_path (cr);
  if (mark->kind == EVENT_DIRTY_PROMOTED) {
    tophash_palette_set_source (palette, cr, ROLE_MARK_PROMOTION);
    cairo_move_to (cr, x, y - r);
    cairo_line_to (cr, x + r, y + r);
    cairo_line_to (cr, x - r, y + r);
    cairo_close_path (cr);
  } else if (mark->kind == EVENT_DIRTY_COPIED) {
    tophash_palette_set_source (palette, cr, ROLE_MARK_COPY);
    cairo_move_to (cr, x, y - r);
    cairo_line_to (cr, x + r, y);
    cairo_line_to (cr, x, y + r);
    cairo_line_to (cr, x - r, y);
    cairo_close_path (cr);
  } else if (mark->kind == EVENT_GROWTH_STARTED
             || mark->kind == EVENT_GROWTH_ENDED) {
    tophash_palette_set_source (palette, cr, ROLE_MARK_GROWTH);
    cairo_rectangle (cr, x - r + 0.5, y - r + 0.5, 2 * r - 1, 2 * r - 1);
  } else if (mark->kind == EVENT_DROPPED) {
    tophash_palette_set_source (palette, cr, ROLE_WARNING);
    cairo_move_to (cr, x, y + r);
    cairo_line_to (cr, x + r + 1, y - r);
    cairo_line_to (cr, x - r - 1, y - r);
    cairo_close_path (cr);
  } else if (mark->kind == EVENT_MISUSE_DETECTED) {
    tophash_palette_set_source (palette, cr, ROLE_WARNING);
    cairo_set_line_width (cr, 2.5);
    cairo_move_to (cr, x - r + 1, y - r + 1);
    cairo_line_to (cr, x + r - 1, y + r - 1);
    cairo_move_to (cr, x + r - 1, y - r + 1);
    cairo_line_to (cr, x - r + 1, y + r - 1);
    cairo_stroke (cr);
  } else {
    tophash_palette_set_source (palette, cr, ROLE_MARK_OTHER);
    cairo_arc (cr, x, y, r - 1, 0, 2 * G_PI);
  }
  cairo_fill (cr);
}

/* A name that stands beside its sign. */
typedef struct {
  double from, to;
} Label;

/* Whether [from, to] is free of the labels placed so far and of other signs. */
static gboolean
is_free (GArray              *labels,
         GArray              *marks,
         guint                own,
         const LanesGeometry *geometry,
         double               from,
         double               to) {
  if (to > geometry->right)
    return FALSE;
  for (guint i = 0; i < labels->len; i++) {
    const Label *label = &g_array_index (labels, Label, i);

    if (from < label->to + 6 && label->from < to + 6)
      return FALSE;
  }
  for (guint i = 0; i < marks->len; i++) {
    double x = lanes_x_at (geometry, g_array_index (marks, Landmark, i).at_ns);

    if (i != own && x + 6 > from && x - 6 < to)
      return FALSE;
  }
  return TRUE;
}

/* Promotions, copies and growths are what a run is looked at for, and what is
 * wrong must be seen: they get their names first, what is left of the room goes to
 * the others. */
static gboolean
is_first_named (EventKind kind) {
  return kind == EVENT_DIRTY_PROMOTED || kind == EVENT_DIRTY_COPIED
         || kind == EVENT_GROWTH_STARTED || kind == EVENT_MISUSE_DETECTED
         || kind == EVENT_DROPPED;
}

/* @labels: what stands there already. */
static void
paint_landmark_names (cairo_t              *cr,
                      GArray               *marks,
                      GArray               *labels,
                      const LanesGeometry  *geometry,
                      double                y,
                      const TophashPalette *palette,
                      TophashDraw          *draw) {
  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  for (int pass = 0; pass < 2; pass++)
    for (guint i = 0; i < marks->len; i++) {
      const Landmark *mark = &g_array_index (marks, Landmark, i);
      g_autofree char *name = NULL;
      Label label;
      double width, height;

      if (is_first_named (mark->kind) != (pass == 0))
        continue;
      name = narrator_landmark (mark->kind, mark->number, mark->flag);
      if (name == NULL)
        continue;
      tophash_draw_measure (draw, name, FONT_CAPTION, &width, &height);
      label.from = lanes_x_at (geometry, mark->at_ns) + 8;
      label.to = label.from + width;
      if (!is_free (labels, marks, i, geometry, label.from, label.to)) {
        /* The other side of the sign will do as well. */
        label.to = label.from - 16;
        label.from = label.to - width;
        if (label.from < geometry->left
            || !is_free (labels, marks, i, geometry, label.from, label.to))
          continue;
      }
      tophash_draw_text (draw, cr, name, FONT_CAPTION, label.from, y, 0, 0.5, 0);
      g_array_append_val (labels, label);
    }
}

static void
paint_landmarks (cairo_t              *cr,
                 Timeline             *timeline,
                 GArray               *labels,
                 const LanesGeometry  *geometry,
                 const TophashPalette *palette,
                 TophashDraw          *draw) {
  g_autoptr (GArray) marks = g_array_new (FALSE, FALSE, sizeof (Landmark));
  double span_px = geometry->right - geometry->left;
  double ns_per_px = (double)(geometry->to_ns - geometry->from_ns) / span_px;
  double y = geometry->density_top + geometry->marks_height / 2 + 1;

  timeline_get_landmarks (timeline, geometry->from_ns, geometry->to_ns,
                          (gint64)(ns_per_px * 14), MAX_LANDMARKS, marks);
  for (guint i = 0; i < marks->len; i++) {
    const Landmark *mark = &g_array_index (marks, Landmark, i);
    double x = lanes_x_at (geometry, mark->at_ns);

    tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
    cairo_set_line_width (cr, 1);
    cairo_set_dash (cr, (const double[]){ 1, 2 }, 2, 0);
    cairo_move_to (cr, floor (x) + 0.5, y + 6);
    cairo_line_to (cr, floor (x) + 0.5,
                   geometry->density_top + geometry->density_height);
    cairo_stroke (cr);
    cairo_set_dash (cr, NULL, 0, 0);
    paint_landmark_sign (cr, mark, x, y, palette);
  }
  paint_landmark_names (cr, marks, labels, geometry, y, palette, draw);
}

/* The words take their place in @labels: those of a landmark do not run into them. */
static void
paint_unread (cairo_t              *cr,
              Timeline             *timeline,
              GArray               *labels,
              const LanesGeometry  *geometry,
              const TophashPalette *palette,
              TophashDraw          *draw) {
  const char *words = _ ("being read");
  double width, height, left;
  Label label;

  if (timeline_is_complete (timeline)
      || !tracelog_is_finished (timeline_get_log (timeline)))
    return;
  left = MAX (geometry->left,
              ceil (lanes_x_at (geometry, timeline_get_duration_ns (timeline))));
  if (left >= geometry->right)
    return;
  cairo_save (cr);
  cairo_rectangle (cr, left, geometry->lanes_top - 1, geometry->right - left,
                   geometry->density_top + geometry->density_height
                       - geometry->lanes_top + 2);
  cairo_clip (cr);
  tophash_palette_set_source (palette, cr, ROLE_CARD);
  cairo_paint_with_alpha (cr, UNREAD_VEIL);
  cairo_restore (cr);
  tophash_draw_measure (draw, words, FONT_CAPTION, &width, &height);
  if (width + 2 * LABEL_AIR > geometry->right - left)
    return;
  label.from = (left + geometry->right - width) / 2;
  label.to = label.from + width;
  g_array_append_val (labels, label);
  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (draw, cr, words, FONT_CAPTION, (left + geometry->right) / 2,
                     geometry->density_top + geometry->density_height / 2, 0.5,
                     0.5, 0);
}

void
paint_density (cairo_t              *cr,
               Timeline             *timeline,
               const LanesGeometry  *geometry,
               const TophashPalette *palette,
               TophashDraw          *draw) {
  double span_px = geometry->right - geometry->left;
  guint n_bins = (guint)MAX (1, span_px / 4);
  g_autofree guint32 *counts = g_new0 (guint32, n_bins);
  double width = span_px / n_bins;
  double floor_y = geometry->density_top + geometry->density_height;
  double room = geometry->density_height - geometry->marks_height - 2;
  guint32 most = 1;
  g_autoptr (GArray) labels = g_array_new (FALSE, FALSE, sizeof (Label));

  tophash_palette_set_source (palette, cr, ROLE_QUIET);
  tophash_draw_rounded (cr, geometry->left, geometry->density_top, span_px,
                        geometry->density_height, 6);
  cairo_fill (cr);

  timeline_get_density (timeline, geometry->from_ns, geometry->to_ns, n_bins,
                        counts);
  for (guint i = 0; i < n_bins; i++)
    most = MAX (most, counts[i]);
  tophash_palette_set_source (palette, cr, ROLE_OP_LOAD);
  for (guint i = 0; i < n_bins; i++) {
    /* A square root keeps single events visible beside bursts. */
    double height = counts[i] == 0 ? 0 : room * sqrt ((double)counts[i] / most);

    if (height > 0)
      cairo_rectangle (cr, geometry->left + i * width,
                       floor_y - MAX (1, height), MAX (1, width - 1),
                       MAX (1, height));
  }
  cairo_fill (cr);
  paint_unread (cr, timeline, labels, geometry, palette, draw);
  paint_landmarks (cr, timeline, labels, geometry, palette, draw);
}

gint64
ruler_step_ns (gint64 span_ns,
               double span_px,
               double min_px) {
  static const int ladder[] = { 1, 2, 5 };
  gint64 power = 1;

  while (power < G_MAXINT64 / 100) {
    for (guint i = 0; i < G_N_ELEMENTS (ladder); i++) {
      gint64 step = power * ladder[i];

      if ((double)step / (double)MAX (span_ns, 1) * span_px >= min_px)
        return step;
    }
    power *= 10;
  }
  return power;
}

/* A time with as many decimals as tell two neighbours of the ruler apart, in the
 * unit of the later end. (transfer full) */
static char *
ruler_label (gint64 at_ns,
             gint64 step_ns,
             gint64 to_ns) {
  static const struct {
    gint64      ns;
    const char *name;
  } units[] = {
    { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "µs" }, { 1, "ns" }
  };
  guint unit = 0;
  int decimals = 0;

  while (unit + 1 < G_N_ELEMENTS (units) && to_ns < units[unit].ns)
    unit++;
  for (gint64 part = units[unit].ns; part > step_ns && decimals < 9; part /= 10)
    decimals++;
  return g_strdup_printf ("%.*f\u00a0%s", decimals,
                          (double)at_ns / (double)units[unit].ns,
                          units[unit].name);
}

/* So that labels stand apart: of a short span late in a long run they are long. */
static gint64
ruler_label_step (const LanesGeometry *geometry,
                  TophashDraw         *draw) {
  gint64 span_ns = geometry->to_ns - geometry->from_ns;
  double span_px = geometry->right - geometry->left;
  gint64 step = ruler_step_ns (span_ns, span_px, LABEL_GAP_PX);
  g_autofree char *label = ruler_label (geometry->to_ns, step, geometry->to_ns);
  double width, height;

  tophash_draw_measure (draw, label, FONT_CAPTION, &width, &height);
  return ruler_step_ns (span_ns, span_px, MAX (LABEL_GAP_PX, width + 2 * LABEL_AIR));
}

void
paint_ruler (cairo_t              *cr,
             const LanesGeometry  *geometry,
             const TophashPalette *palette,
             TophashDraw          *draw) {
  gint64 step = ruler_label_step (geometry, draw);
  gint64 at_ns = (geometry->from_ns + step - 1) / step * step;
  double free_from = 0;

  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  for (; at_ns <= geometry->to_ns; at_ns += step) {
    double x = lanes_x_at (geometry, at_ns);
    g_autofree char *label = at_ns == 0 ? g_strdup ("0")
                                        : ruler_label (at_ns, step, geometry->to_ns);
    double width, height, align;

    tophash_draw_measure (draw, label, FONT_CAPTION, &width, &height);
    /* Below the names of the lanes is room for half of the first one. */
    align = x - width / 2 < 2 ? 0 : x > geometry->right - 14 ? 1 : 0.5;
    /* The last one gives way at the edge, and to the one before. */
    if (x - align * width < free_from)
      continue;
    free_from = x + (1 - align) * width + LABEL_AIR;
    tophash_draw_text (draw, cr, label, FONT_CAPTION, x, geometry->ruler_top,
                       align, 0, 0);
  }
}

void
paint_playhead (cairo_t              *cr,
                const LanesGeometry  *geometry,
                gint64                at_ns,
                const TophashPalette *palette) {
  double x = floor (lanes_x_at (geometry, at_ns)) + 0.5;

  if (x < geometry->left - 1 || x > geometry->right + 1)
    return;
  tophash_palette_set_source (palette, cr, ROLE_CURSOR);
  cairo_set_line_width (cr, 1.5);
  cairo_move_to (cr, x, geometry->lanes_top - 2);
  cairo_line_to (cr, x, geometry->density_top + geometry->density_height);
  cairo_stroke (cr);
  cairo_arc (cr, x, geometry->lanes_top - 3, 4.5, 0, 2 * G_PI);
  cairo_fill (cr);
}
