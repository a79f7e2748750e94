/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-slot.h — what one slot is, and how it looks at each size */
#pragma once

#include "widgets/paint-context.h"

G_BEGIN_DECLS

typedef enum {
  LOOK_UNUSED,      /* never used, or all after it are free: emptyRest */
  LOOK_FREED,       /* emptyOne: a key was here, others follow */
  LOOK_MOVED_X,     /* evacuated to the same index */
  LOOK_MOVED_Y,     /* evacuated to the upper half */
  LOOK_MOVED_EMPTY, /* was empty when its bucket was evacuated */
  LOOK_VALUE,
  LOOK_STAYS,       /* a value whose hash bit is 0 */
  LOOK_MOVES_UP,    /* a value whose hash bit is 1 */
  LOOK_NIL,         /* deleted, still held */
  LOOK_EXPUNGED,
  LOOK_N
} SlotLook;

SlotLook paint_slot_look (const MapState    *state,
                          const StageCard   *card,
                          const StateBucket *bucket,
                          guint32            chain,
                          guint              slot);
static inline gboolean
slot_look_has_key (SlotLook look) {
  return look >= LOOK_VALUE;
}

/* A key as the recording writes it: @format has at most one %d. */
void paint_format_key   (const char         *format,
                         gint64              key,
                         char               *text,
                         gsize               size);
/* A slot with its writing, for sides of STAGE_SLOT_KEY and more. */
void paint_slot         (cairo_t            *cr,
                         const PaintContext *context,
                         const StageRect    *rect,
                         SlotLook            look,
                         const StateBucket  *bucket,
                         guint               slot);
/* All slots of @places in one look at a time, for smaller sides. */
void paint_small_slots  (cairo_t            *cr,
                         const PaintContext *context,
                         const StageCard    *card,
                         guint               first,
                         guint               end);
/* Text in the middle of a box: shrunk a little, then ellipsized. */
void paint_text_in      (cairo_t            *cr,
                         const PaintContext *context,
                         const char         *text,
                         DrawFont            font,
                         double              x,
                         double              y,
                         double              max_width);

/* Marks of a Range on a slot. */
typedef enum {
  BADGE_SEEN,
  BADGE_SKIPPED,
} SlotBadge;

void paint_badge        (cairo_t            *cr,
                         const PaintContext *context,
                         const StageRect    *slot,
                         SlotBadge           badge);
/* @n_rings: 1 = cursor, 2 = selected. */
void paint_rings        (cairo_t            *cr,
                         const PaintContext *context,
                         const StageRect    *slot,
                         PaletteRole         role,
                         int                 n_rings);

G_END_DECLS
