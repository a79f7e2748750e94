/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-context.h — what a painter is told besides the state
 *
 * Painters are pure: a state laid out, a context, a target; nothing is kept.
 * What they may reuse between frames is lent to them as a cache.
 */
#pragma once

#include "core/model/tophash-session.h"
#include "widgets/tophash-draw.h"
#include "widgets/tophash-geometry.h"

G_BEGIN_DECLS

/* The heat maps of the last frame, per card. Zero-initialized; clear at end. */
#define PAINT_CACHE_CARDS 4
typedef struct {
  struct {
    cairo_surface_t      *surface; /* owned */
    const MapState       *state;   /* owned reference: says what was drawn */
    const StateArray     *array;
    const TophashPalette *palette;
    guint                 n_columns;
    guint                 n_per_cell;
    guint                 cell_px;
  } maps[PAINT_CACHE_CARDS];
} PaintCache;

void paint_cache_clear (PaintCache *cache);
/* Of cards that a frame of these states had not: they would hold the states of frames
 * before. @previous: nullable. */
void paint_cache_trim  (PaintCache        *cache,
                        const StageLayout *layout,
                        const StageLayout *previous);

typedef struct {
  const TophashPalette   *palette;
  TophashDraw            *draw;
  const char             *key_format; /* "k%d" */
  const StageLayout      *layout;
  const StageLayout      *previous; /* nullable: what a transition comes from */
  double                  progress; /* of the transition, eased; 1 = over */
  const TophashSelection *selection; /* nullable */
  const StageHit         *hover;     /* nullable */
  gboolean                has_focus; /* keyboard: the selected slot says so */
  PaintCache             *cache;     /* nullable */
} PaintContext;

static inline void
paint_set_role (const PaintContext *context,
                cairo_t            *cr,
                PaletteRole         role,
                double              alpha) {
  const PaletteColor *color = &context->palette->colors[role];

  cairo_set_source_rgba (cr, color->red, color->green, color->blue,
                         color->alpha * alpha);
}

G_END_DECLS
