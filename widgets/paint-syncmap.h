/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-syncmap.h — read and dirty, and what a promotion does to them */
#pragma once

#include "widgets/paint-context.h"

G_BEGIN_DECLS

void paint_syncmap              (cairo_t            *cr,
                                 const PaintContext *context);
/* Whether dirty of @before is read of @after: worth a transition. */
gboolean paint_syncmap_promoted (const StageLayout  *before,
                                 const StageLayout  *after);

G_END_DECLS
