/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-gomap.h — one bucket table, and its two arrays while it grows */
#pragma once

#include "widgets/paint-context.h"

G_BEGIN_DECLS

void paint_gomap         (cairo_t            *cr,
                          const PaintContext *context);
/* Every table of a map of shards, each with its own lock. */
void paint_shards        (cairo_t            *cr,
                          const PaintContext *context);
/* The old array of any growing table, with cursor, legend and progress. */
void paint_gomap_old     (cairo_t            *cr,
                          const PaintContext *context,
                          const StageCard    *card,
                          const char         *title);

G_END_DECLS
