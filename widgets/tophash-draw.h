/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-draw.h — strokes and labels that every painter shares
 *
 * Sizes are in pixels of the target. Text is laid out by pango; a TophashDraw
 * keeps the layouts of one target so that a label costs a map look-up the
 * second time it is drawn.
 */
#pragma once

#include "widgets/tophash-palette.h"

#include <pango/pangocairo.h>

G_BEGIN_DECLS

typedef enum {
  FONT_BODY,    /* the interface font */
  FONT_CAPTION, /* smaller */
  FONT_HEADING, /* bold, a little larger */
  FONT_FIGURE,  /* bold, large, tabular digits */
  FONT_MONO,    /* tophash bytes, indices */
  FONT_SLOT,    /* bold, small: keys in slots */
  FONT_N
} DrawFont;

typedef struct _TophashDraw TophashDraw;

/* Of the interface font against the usual 11 points at 96 dpi; never below 1. */
double       tophash_draw_text_scale (PangoContext      *context);
/* @context (nullable): a widget's pango context, for its font and scale;
 * NULL: the default font map (pictures, tests). @text_scale: 1 normally. */
TophashDraw *tophash_draw_new       (PangoContext         *context,
                                     double                text_scale);
void         tophash_draw_free      (TophashDraw          *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TophashDraw, tophash_draw_free)

/* Golden pictures: bars in place of letters, whatever fonts there are. */
void         tophash_draw_set_plain (TophashDraw          *self,
                                     gboolean              is_plain);

/* Size of @text in @font. */
void tophash_draw_measure      (TophashDraw          *self,
                                const char           *text,
                                DrawFont              font,
                                double               *width,
                                double               *height);
/* @x_align, @y_align: 0 = (x, y) is the start, 0.5 = centre, 1 = end. Text
 * wider than @max_width (0 = any) is ellipsized. Uses the current source. */
void tophash_draw_text         (TophashDraw          *self,
                                cairo_t              *cr,
                                const char           *text,
                                DrawFont              font,
                                double                x,
                                double                y,
                                double                x_align,
                                double                y_align,
                                double                max_width);
/* The same of facts, one behind another with DRAW_FACTS_DIVIDER: of those that have no
 * room the last ones are left out whole, as half a number is a wrong one; the first is
 * ellipsized. */
#define DRAW_FACTS_DIVIDER " · "
void tophash_draw_facts        (TophashDraw          *self,
                                cairo_t              *cr,
                                const char           *facts,
                                DrawFont              font,
                                double                x,
                                double                y,
                                double                x_align,
                                double                y_align,
                                double                max_width);
/* A path. */
void tophash_draw_rounded      (cairo_t              *cr,
                                double                x,
                                double                y,
                                double                width,
                                double                height,
                                double                radius);
/* Fills the current path with 45° stripes of the current source; clears it. */
void tophash_draw_hatch        (cairo_t              *cr,
                                double                spacing);
/* A stroke from a to b with a head at b, in the current source. */
void tophash_draw_arrow        (cairo_t              *cr,
                                double                ax,
                                double                ay,
                                double                bx,
                                double                by,
                                double                head);
/* A figure with thin spaces in thousands: "1 377". (transfer full) */
char *tophash_draw_format_count (guint64              count);
/* "38 µs", "4.03 s", "1.2 ms". (transfer full) */
char *tophash_draw_format_time  (gint64               ns);
/* @text as a label that wraps may not break it. (transfer full) */
char *tophash_draw_keep_together (const char          *text);

G_END_DECLS
