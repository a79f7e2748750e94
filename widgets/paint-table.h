/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-table.h — a table as a card: head, buckets, heat map */
#pragma once

#include "widgets/paint-context.h"

G_BEGIN_DECLS

/* The words at the head of a card. */
typedef struct {
  const char *title;
  const char *facts;     /* as tophash_draw_facts() has them */
  const char *pill;      /* what guards it; NULL: none */
  gboolean    is_locked; /* the pill: held, or free */
  const char *lamp;      /* NULL: none */
  gboolean    is_lit;
} TableHead;

void paint_card_frame (cairo_t            *cr,
                       const PaintContext *context,
                       const StageRect    *frame,
                       gboolean            is_dashed);
void paint_table_head (cairo_t            *cr,
                       const PaintContext *context,
                       const StageCard    *card,
                       const TableHead    *head);
/* Buckets, or the heat map, with badges and what was touched of late. */
void paint_table_body (cairo_t            *cr,
                       const PaintContext *context,
                       const StageCard    *card);
/* The words in place of an array that is not there. */
void paint_table_nil  (cairo_t            *cr,
                       const PaintContext *context,
                       const StageCard    *card,
                       const char         *words);
/* The lock's pill: "mu W2 · 38 µs", "mu · free". (transfer full); NULL when
 * the state has no lock. */
char *paint_lock_text (const MapState     *state,
                       guint               index,
                       const char         *name,
                       gboolean           *is_locked);

G_END_DECLS
