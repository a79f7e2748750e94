/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-shards.h — every shard at a glance */
#pragma once

#include "widgets/paint-context.h"

G_BEGIN_DECLS

void paint_shard_strip (cairo_t            *cr,
                        const PaintContext *context,
                        const StageCard    *card);

G_END_DECLS
