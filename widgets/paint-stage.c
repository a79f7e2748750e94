/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-stage.c — which painter, and what lies over the tables
 *
 * Over the tables come the rings of the hovered and the selected slot and, for
 * a key that read and dirty both hold, its one entry: a pill between the two
 * with an arrow from each, because both slots point to the same word.
 */
#include "widgets/paint-stage.h"

#include "widgets/paint-gomap.h"
#include "widgets/paint-range.h"
#include "widgets/paint-slot.h"
#include "widgets/paint-syncmap.h"

#include <glib/gi18n.h>
#include <math.h>

#define PILL_HEIGHT 28

static char *
say_entry (const StateEntry *entry) {
  char number[24];

  switch (entry->state) {
  case ENTRY_VALUE:
    g_snprintf (number, sizeof number, "%" G_GINT64_FORMAT, entry->value);
    return g_strdup_printf (_("value %s"), number);
  case ENTRY_NIL:
    return g_strdup (_("nil"));
  case ENTRY_EXPUNGED:
    return g_strdup (_("expunged"));
  }
  return g_strdup ("");
}

static void
paint_entry_arrow (cairo_t         *cr,
                   const StageRect *slot,
                   double           x,
                   double           y) {
  gboolean from_left = slot->x + slot->width <= x;
  double ax = from_left ? slot->x + slot->width + 4 : slot->x - 4;
  double ay = slot->y + slot->height / 2;
  double out = from_left ? 1 : -1;

  cairo_move_to (cr, ax, ay);
  cairo_curve_to (cr, ax + out * 20, ay, x - out * 28, y, x - out * 8, y);
  cairo_stroke (cr);
  cairo_move_to (cr, x, y);
  cairo_line_to (cr, x - out * 8, y - 4);
  cairo_line_to (cr, x - out * 8, y + 4);
  cairo_close_path (cr);
  cairo_fill (cr);
}

/* The shared entry of two slots. */
static void
paint_entry (cairo_t            *cr,
             const PaintContext *context,
             const StageRect    *one,
             const StageRect    *other,
             const StateEntry   *entry) {
  const StageRect *left = one->x <= other->x ? one : other;
  const StageRect *right = left == one ? other : one;
  g_autofree char *text = say_entry (entry);
  double x = round ((left->x + left->width + right->x) / 2);
  double y = round ((left->y + right->y + left->height) / 2);
  double width;
  double height;

  tophash_draw_measure (context->draw, text, FONT_SLOT, &width, &height);
  width = ceil (width) + 24;
  tophash_palette_set_source (context->palette, cr, ROLE_CURSOR);
  cairo_set_line_width (cr, 1.5);
  if (right->x - left->x - left->width > width + 40) {
    paint_entry_arrow (cr, left, x - width / 2 - 2, y);
    paint_entry_arrow (cr, right, x + width / 2 + 2, y);
  }
  tophash_draw_rounded (cr, round (x - width / 2), y - PILL_HEIGHT / 2, width,
                        PILL_HEIGHT, PILL_HEIGHT / 2.0);
  tophash_palette_set_source (context->palette, cr, ROLE_CARD);
  cairo_fill_preserve (cr);
  tophash_palette_set_source (context->palette, cr, ROLE_CURSOR);
  cairo_stroke (cr);
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT);
  tophash_draw_text (context->draw, cr, text, FONT_SLOT, x, y, 0.5, 0.5, 0);
}

static void
paint_link (cairo_t            *cr,
            const PaintContext *context,
            const StageCard    *card,
            guint32             bucket_index,
            guint               slot,
            const StageRect    *rect) {
  const MapState *state = context->layout->state;
  const StageCard *other = NULL;
  const StateBucket *bucket;
  StateEntry entry;
  StateSlot place;
  StageRect there;

  if (bucket_index >= state_array_n_buckets (card->array)
      || (card->table->flags_table & TABLE_HOLDS_ENTRIES) == 0
      || card->slot_px < STAGE_SLOT_MIDDLE)
    return;
  bucket = state_array_bucket (card->array, bucket_index);
  if (bucket->tophash[slot] < TOPHASH_MIN)
    return;
  if (card->table->role == TABLE_ROLE_READ)
    other = stage_layout_find_card (context->layout, CARD_DIRTY);
  else if (card->table->role == TABLE_ROLE_DIRTY)
    other = stage_layout_find_card (context->layout, CARD_READ);
  if (other == NULL || other->table == NULL
      || !map_state_find_key (state, other->table, bucket->keys[slot], &place))
    return;
  if (place.in_old)
    other = stage_layout_find_table (context->layout, other->table->id,
                                     other->table->created_ver, TRUE);
  if (other == NULL || !stage_card_slot (other, place.bucket, place.slot, &there))
    return;
  entry = map_state_entry (state, (guint32)bucket->elems[slot]);
  paint_rings (cr, context, &there, ROLE_CURSOR, 1);
  paint_entry (cr, context, rect, &there, &entry);
}

static void
paint_selected (cairo_t            *cr,
                const PaintContext *context) {
  const TophashSelection *selection = context->selection;
  const StageCard *card;
  StageRect rect;

  if (selection == NULL || selection->kind != SELECTION_SLOT)
    return;
  card = stage_layout_find_table (context->layout, selection->table,
                                  selection->table_created_ver,
                                  selection->in_old);
  if (card == NULL
      || !stage_card_slot (card, selection->bucket, selection->slot, &rect))
    return;
  if (rect.width < 10)
    rect = (StageRect) { rect.x - 4, rect.y - 4, rect.width + 8,
                         rect.height + 8 };
  paint_link (cr, context, card, selection->bucket, selection->slot, &rect);
  paint_rings (cr, context, &rect, ROLE_CURSOR, 2);
  if (context->has_focus) {
    rect = (StageRect) { rect.x - 3, rect.y - 3, rect.width + 6,
                         rect.height + 6 };
    paint_rings (cr, context, &rect, ROLE_LIVE, 1);
  }
}

static void
paint_hovered (cairo_t            *cr,
               const PaintContext *context) {
  const StageHit *hover = context->hover;
  StageRect rect;

  if (hover == NULL || hover->card == NULL || !hover->has_slot
      || !stage_card_slot (hover->card, hover->bucket, hover->slot, &rect))
    return;
  if (context->selection == NULL || context->selection->kind == SELECTION_NONE)
    paint_link (cr, context, hover->card, hover->bucket, hover->slot, &rect);
  paint_rings (cr, context, &rect, ROLE_TEXT_DIM, 1);
}

void
paint_stage (cairo_t            *cr,
             const PaintContext *context) {
  const StageLayout *layout = context->layout;

  cairo_save (cr);
  if (layout->kind == STAGE_SYNCMAP)
    paint_syncmap (cr, context);
  else
    paint_gomap (cr, context);
  for (guint i = 0; i < layout->cards->len; i++)
    if (stage_layout_card (layout, i)->kind == CARD_RANGE)
      paint_range (cr, context, stage_layout_card (layout, i));
  if (context->previous == NULL || context->progress >= 1) {
    paint_hovered (cr, context);
    paint_selected (cr, context);
  }
  cairo_restore (cr);
}
