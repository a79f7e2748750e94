/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-range.h — an open Range as a card: what it saw, skips, will never see */
#pragma once

#include "widgets/paint-context.h"

G_BEGIN_DECLS

void paint_range (cairo_t            *cr,
                  const PaintContext *context,
                  const StageCard    *card);

G_END_DECLS
