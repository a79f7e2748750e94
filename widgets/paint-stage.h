/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-stage.h — the whole stage: tables, Ranges, what is selected */
#pragma once

#include "widgets/paint-context.h"

G_BEGIN_DECLS

/* Paints what the clip shows; the background is the caller's. */
void paint_stage (cairo_t            *cr,
                  const PaintContext *context);

/* Where a selection stands in a strip; NULL: in none. */
const StageCard *paint_find_item (const StageLayout      *layout,
                                  const TophashSelection *selection,
                                  guint                  *item);

G_END_DECLS
