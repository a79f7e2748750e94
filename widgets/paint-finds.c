/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-finds.c — what people look for on the timeline: hits, bookmarks, markers
 *
 * Hits        A tick at the foot of the density for each two pixels that hold
 *             one or more, so that a million hits cost what a hundred do.
 * Bookmarks   A flag on a staff from the lanes' top; flags of neighbours may
 *             cover each other, staffs never vanish.
 * Markers     A line with its letter; between both a veil, and over it in words
 *             how far apart they are.
 */
#include "widgets/paint-finds.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>

#define NEAR_PX 24 /* between markers whose letters would meet */
#define LETTER_GAP 4 /* between a letter and words */
#define HIT_BIN_PX 2.0
#define HIT_HEIGHT 6.0
#define FLAG_WIDTH 7.0
#define FLAG_HEIGHT 6.0
#define FLAG_TOP 1.0

void
paint_hits (cairo_t              *cr,
            TimelineSearch       *search,
            const LanesGeometry  *geometry,
            const TophashPalette *palette) {
  double span_px = geometry->right - geometry->left;
  guint n_bins = (guint)MAX (1, span_px / HIT_BIN_PX);
  g_autofree guint32 *counts = g_new0 (guint32, n_bins);
  double foot = geometry->density_top + geometry->density_height;

  if (search == NULL)
    return;
  timeline_search_get_density (search, geometry->from_ns, geometry->to_ns,
                               n_bins, counts);
  for (guint i = 0; i < n_bins; i++)
    if (counts[i] > 0)
      cairo_rectangle (cr,
                       floor (geometry->left + i * span_px / n_bins),
                       foot - HIT_HEIGHT, HIT_BIN_PX, HIT_HEIGHT + 3);
  tophash_palette_set_source (palette, cr, ROLE_MARK_COPY);
  cairo_fill (cr);
}

void
paint_bookmarks (cairo_t              *cr,
                 const TraceNotes     *notes,
                 const LanesGeometry  *geometry,
                 const TophashPalette *palette) {
  if (notes == NULL)
    return;
  tophash_palette_set_source (palette, cr, ROLE_MARK_GROWTH);
  cairo_set_line_width (cr, 1);
  for (guint i = 0; i < notes->bookmarks->len; i++) {
    const TraceBookmark *bookmark = notes->bookmarks->pdata[i];
    double x = floor (lanes_x_at (geometry, bookmark->at_ns)) + 0.5;

    if (x < geometry->left - 1 || x > geometry->right + 1)
      continue;
    cairo_move_to (cr, x, FLAG_TOP);
    cairo_line_to (cr, x, geometry->density_top);
    cairo_stroke (cr);
    cairo_move_to (cr, x - 0.5, FLAG_TOP);
    cairo_line_to (cr, x + FLAG_WIDTH, FLAG_TOP + FLAG_HEIGHT / 2);
    cairo_line_to (cr, x - 0.5, FLAG_TOP + FLAG_HEIGHT);
    cairo_fill (cr);
  }
}

guint64
bookmark_at (const TraceNotes    *notes,
             const LanesGeometry *geometry,
             double               x,
             double               y) {
  guint64 id = 0;

  if (notes == NULL || y > FLAG_TOP + FLAG_HEIGHT + 3)
    return 0;
  /* The last one drawn is the one that is seen. */
  for (guint i = 0; i < notes->bookmarks->len; i++) {
    const TraceBookmark *bookmark = notes->bookmarks->pdata[i];
    double at = lanes_x_at (geometry, bookmark->at_ns);

    if (x >= at - 3 && x <= at + FLAG_WIDTH + 2)
      id = bookmark->id;
  }
  return id;
}

char *
describe_difference (TophashSession *session) {
  SessionDifference difference;
  g_autofree char *time = NULL;
  g_autofree char *events = NULL;
  g_autofree char *ops = NULL;

  if (!tophash_session_get_difference (session, &difference))
    return NULL;
  time = tophash_draw_format_time (difference.ns);
  events = tophash_draw_format_count (difference.n_events);
  ops = tophash_draw_format_count (difference.n_ops);
  return g_strdup_printf (_ ("%s · %s events · %s operations"), time, events, ops);
}

/* The letter stands beside its line, where the playhead that lies on it leaves it
 * to be read; the second of two near ones stands a row lower. */
static void
paint_marker (cairo_t              *cr,
              const LanesGeometry  *geometry,
              double                x,
              double                row,
              const char           *letter,
              const TophashPalette *palette,
              TophashDraw          *draw) {
  double width, height, left, top;

  x = floor (x) + 0.5;
  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  cairo_set_line_width (cr, 1);
  cairo_set_dash (cr, (const double[]){ 4, 3 }, 2, 0);
  cairo_move_to (cr, x, geometry->lanes_top);
  cairo_line_to (cr, x, geometry->ruler_top - 2);
  cairo_stroke (cr);
  cairo_set_dash (cr, NULL, 0, 0);
  tophash_draw_measure (draw, letter, FONT_CAPTION, &width, &height);
  left = x + 3 + width + 8 <= geometry->right ? x + 3 : x - 3 - width - 8;
  top = geometry->lanes_top - 2 + row * (height + 2);
  tophash_palette_set_source (palette, cr, ROLE_CARD);
  tophash_draw_rounded (cr, left, top, width + 8, height, height / 2);
  cairo_fill_preserve (cr);
  tophash_palette_set_source (palette, cr, ROLE_TEXT_DIM);
  cairo_stroke (cr);
  tophash_palette_set_source (palette, cr, ROLE_TEXT);
  tophash_draw_text (draw, cr, letter, FONT_CAPTION, left + width / 2 + 4, top,
                     0.5, 0, 0);
}

void
marker_facts_read (MarkerFacts    *self,
                   TophashSession *session) {
  for (guint i = 0; i < G_N_ELEMENTS (self->markers); i++)
    self->is_set[i]
        = tophash_session_get_marker (session, i, &self->markers[i]);
  self->difference = describe_difference (session);
}

void
marker_facts_clear (MarkerFacts *self) {
  g_clear_pointer (&self->difference, g_free);
}

/* Where the words of @width between two markers begin: in the middle of what is seen
 * between both, behind the first one's letter; where that has no room for them, behind
 * the second one's, or before the first. There they cover no letter, and the playhead,
 * which stands on the marker that was set last, does not go through them. */
static double
place_difference (const LanesGeometry *geometry,
                  double               from,
                  double               to,
                  double               letter,
                  double               width) {
  double first = MAX (from + letter, geometry->left);
  double last = MIN (to, geometry->right);

  if (last - first >= width)
    return (first + last - width) / 2;
  if (to + letter + width <= geometry->right)
    return to + letter;
  if (from - LETTER_GAP - width >= geometry->left)
    return from - LETTER_GAP - width;
  /* Names of lanes are not covered. */
  return MAX (geometry->left, MIN ((first + last - width) / 2,
                                   geometry->right - width));
}

static void
paint_difference (cairo_t              *cr,
                  const MarkerFacts    *facts,
                  const LanesGeometry  *geometry,
                  double                from,
                  double                to,
                  const TophashPalette *palette,
                  TophashDraw          *draw) {
  double width, height, letter, left, y;

  if (to < geometry->left || from > geometry->right)
    return;
  tophash_draw_measure (draw, "B", FONT_CAPTION, &letter, &height);
  tophash_draw_measure (draw, facts->difference, FONT_CAPTION, &width, &height);
  width = MIN (width + 16, geometry->right - geometry->left);
  left = place_difference (geometry, from, to, letter + 11 + LETTER_GAP, width);
  y = geometry->density_top - 1 - height;
  tophash_palette_set_source (palette, cr, ROLE_CARD);
  tophash_draw_rounded (cr, left, y - 1, width, height + 2, (height + 2) / 2);
  cairo_fill (cr);
  tophash_palette_set_source (palette, cr, ROLE_TEXT);
  tophash_draw_text (draw, cr, facts->difference, FONT_CAPTION, left + width / 2, y,
                     0.5, 0, width - 8);
}

void
paint_markers (cairo_t              *cr,
               const MarkerFacts    *facts,
               const LanesGeometry  *geometry,
               const TophashPalette *palette,
               TophashDraw          *draw) {
  static const char *const letters[] = { "A", "B" };
  const gboolean *is_set = facts->is_set;
  double x[2] = { 0 };

  for (guint i = 0; i < 2; i++)
    if (is_set[i])
      x[i] = lanes_x_at (geometry, facts->markers[i].at_ns);
  if (is_set[0] && is_set[1]) {
    double from = MAX (MIN (x[0], x[1]), geometry->left);
    double to = MIN (MAX (x[0], x[1]), geometry->right);
    const PaletteColor *veil = &palette->colors[ROLE_CURSOR];

    if (to > from) {
      cairo_set_source_rgba (cr, veil->red, veil->green, veil->blue, 0.07);
      cairo_rectangle (cr, from, geometry->lanes_top, to - from,
                       geometry->ruler_top - 4 - geometry->lanes_top);
      cairo_fill (cr);
    }
  }
  for (guint i = 0; i < 2; i++)
    if (is_set[i] && x[i] >= geometry->left - 1 && x[i] <= geometry->right + 1)
      paint_marker (cr, geometry, x[i],
                    i == 1 && is_set[0] && fabs (x[1] - x[0]) < NEAR_PX, letters[i],
                    palette, draw);
  if (is_set[0] && is_set[1])
    paint_difference (cr, facts, geometry, MIN (x[0], x[1]), MAX (x[0], x[1]),
                      palette, draw);
}
