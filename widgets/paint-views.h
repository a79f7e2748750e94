/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-views.h — open views, and the versions that they keep */
#pragma once

#include "widgets/paint-context.h"

G_BEGIN_DECLS

void paint_views  (cairo_t            *cr,
                   const PaintContext *context,
                   const StageCard    *card);
void paint_chains (cairo_t            *cr,
                   const PaintContext *context,
                   const StageCard    *card);

/* The edges of older versions, behind the slots of some of a card's places. */
void paint_layers (cairo_t            *cr,
                   const PaintContext *context,
                   const StageCard    *card,
                   guint               first,
                   guint               end);

G_END_DECLS
