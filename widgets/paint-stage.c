/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-stage.c — which painter, and what lies over the tables
 *
 * Over the tables come the rings of the hovered and the selected slot and, for
 * a key that read and dirty both hold, its one entry: a pill between the two
 * with an arrow from each, because both slots point to the same word. An item of
 * a strip has such a ring, too, and with a shard the cards of its tables.
 */
#include "widgets/paint-stage.h"

#include "widgets/paint-gomap.h"
#include "widgets/paint-lock.h"
#include "widgets/paint-range.h"
#include "widgets/paint-shards.h"
#include "widgets/paint-slot.h"
#include "widgets/paint-syncmap.h"
#include "widgets/paint-views.h"

#include <glib/gi18n.h>
#include <math.h>

#define PILL_HEIGHT 28
#define FRAME_RADIUS 13

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

/* From below a slot through the gap between rows, so that no other slot is
 * crossed, to the pill's side at @x, @y. */
static void
paint_entry_arrow (cairo_t         *cr,
                   const StageRect *slot,
                   double           x,
                   double           y,
                   double           out) {
  double ax = floor (slot->x + slot->width / 2) + 0.5;
  double ay = slot->y + slot->height + 4;
  double turn = x - out * 14;

  cairo_move_to (cr, ax, slot->y + slot->height + 2);
  cairo_line_to (cr, ax, ay);
  cairo_line_to (cr, turn, ay);
  cairo_line_to (cr, turn, y);
  cairo_line_to (cr, x - out * 6, y);
  cairo_stroke (cr);
  cairo_move_to (cr, x, y);
  cairo_line_to (cr, x - out * 7, y - 4);
  cairo_line_to (cr, x - out * 7, y + 4);
  cairo_close_path (cr);
  cairo_fill (cr);
}

/* The shared entry of two slots. */
static void
paint_entry (cairo_t            *cr,
             const PaintContext *context,
             const StageRect    *one,
             const StageRect    *other,
             double              middle,
             const StateEntry   *entry) {
  const StageRect *left = one->x <= other->x ? one : other;
  const StageRect *right = left == one ? other : one;
  g_autofree char *text = say_entry (entry);
  gboolean is_beside = right->x >= middle && left->x + left->width <= middle;
  double x = round (middle);
  double y = round ((left->y + right->y) / 2 + left->height + 4);
  double width;
  double height;

  tophash_draw_measure (context->draw, text, FONT_SLOT, &width, &height);
  width = ceil (width) + 20;
  tophash_palette_set_source (context->palette, cr, ROLE_CURSOR);
  cairo_set_line_width (cr, 1.5);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  if (is_beside) {
    paint_entry_arrow (cr, left, x - round (width / 2) - 1, y, 1);
    paint_entry_arrow (cr, right, x + round (width / 2) + 1, y, -1);
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
  double middle;

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
  middle = card->frame.x < other->frame.x
             ? (card->frame.x + card->frame.width + other->frame.x) / 2
             : (other->frame.x + other->frame.width + card->frame.x) / 2;
  if (card->frame.x == other->frame.x) /* one below the other */
    middle = card->frame.x + card->frame.width - 48;
  paint_entry (cr, context, rect, &there, middle, &entry);
}

/* Of what is no slot: corners as round as a card's, or less. */
static void
paint_frame (cairo_t            *cr,
             const PaintContext *context,
             const StageRect    *rect,
             PaletteRole         role,
             double              width) {
  double least = MIN (rect->width, rect->height);

  tophash_draw_rounded (cr, rect->x, rect->y, rect->width, rect->height,
                        least > 60 ? FRAME_RADIUS : least / 4);
  tophash_palette_set_source (context->palette, cr, role);
  cairo_set_line_width (cr, width);
  cairo_stroke (cr);
}

static StageRect
grow (const StageRect *rect,
      double           by) {
  return (StageRect) { rect->x - by, rect->y - by, rect->width + 2 * by,
                       rect->height + 2 * by };
}

static void
paint_slot_ring (cairo_t            *cr,
                 const PaintContext *context,
                 const StageRect    *slot) {
  StageRect rect = slot->width < 10 ? grow (slot, 4) : *slot;

  paint_rings (cr, context, &rect, ROLE_CURSOR, 2);
  if (!context->has_focus)
    return;
  rect = grow (&rect, 3);
  paint_rings (cr, context, &rect, ROLE_LIVE, 1);
}

static void
paint_item_ring (cairo_t            *cr,
                 const PaintContext *context,
                 const StageRect    *item) {
  StageRect rect = item->width < 10 ? grow (item, 3) : *item;

  paint_frame (cr, context, &rect, ROLE_CURSOR, 2);
  if (!context->has_focus)
    return;
  rect = grow (&rect, 2);
  paint_frame (cr, context, &rect, ROLE_LIVE, 2);
}

static void
paint_selected_slot (cairo_t                *cr,
                     const PaintContext     *context,
                     const TophashSelection *selection) {
  const StageCard *card;
  StageRect rect;

  card = stage_layout_find_table (context->layout, selection->table,
                                  selection->table_created_ver,
                                  selection->in_old);
  if (card == NULL
      || !stage_card_slot (card, selection->bucket, selection->slot, &rect))
    return;
  paint_link (cr, context, card, selection->bucket, selection->slot, &rect);
  paint_slot_ring (cr, context, &rect);
}

/* Of a lock the strip itself: its one item is all of it. */
static StageRect
item_ring (const StageCard *card,
           guint            item) {
  StageRect rect = { 0 };

  stage_card_item (card, item, &rect);
  if (card->kind == CARD_LOCK)
    return grow (&card->frame, -3);
  if (card->kind == CARD_CHAINS)
    return (StageRect) { rect.x - 6, rect.y - 3, rect.width + 12,
                         rect.height - 1 };
  return rect;
}

static void
paint_shard_rings (cairo_t            *cr,
                   const PaintContext *context,
                   guint               shard,
                   PaletteRole         role) {
  for (guint i = 0; i < context->layout->cards->len; i++) {
    const StageCard *card = stage_layout_card (context->layout, i);
    StageRect frame = grow (&card->frame, -1);

    if (card->table != NULL && card->table->role == TABLE_ROLE_SHARD
        && card->table->shard == shard && card->kind != CARD_RANGE)
      paint_frame (cr, context, &frame, role, 2);
  }
}

static void
paint_selected (cairo_t            *cr,
                const PaintContext *context) {
  const TophashSelection *selection = context->selection;
  const StageCard *card;
  guint item;

  if (selection == NULL)
    return;
  if (selection->kind == SELECTION_SLOT)
    paint_selected_slot (cr, context, selection);
  if (selection->kind == SELECTION_SHARD)
    paint_shard_rings (cr, context, selection->item, ROLE_CURSOR);
  card = paint_find_item (context->layout, selection, &item);
  if (card != NULL) {
    StageRect rect = item_ring (card, item);

    paint_item_ring (cr, context, &rect);
  }
}

static void
paint_hovered (cairo_t            *cr,
               const PaintContext *context) {
  const StageHit *hover = context->hover;
  StageRect rect;

  if (hover == NULL || hover->card == NULL)
    return;
  if (hover->has_item && hover->item < hover->card->n_items) {
    rect = item_ring (hover->card, hover->item);
    if (hover->card->kind == CARD_SHARDS)
      paint_shard_rings (cr, context, hover->item, ROLE_TEXT_DIM);
    paint_frame (cr, context, &rect, ROLE_TEXT_DIM, 2);
  }
  if (!hover->has_slot
      || !stage_card_slot (hover->card, hover->bucket, hover->slot, &rect))
    return;
  if (context->selection == NULL || context->selection->kind == SELECTION_NONE)
    paint_link (cr, context, hover->card, hover->bucket, hover->slot, &rect);
  paint_rings (cr, context, &rect, ROLE_TEXT_DIM, 1);
}

const StageCard *
paint_find_item (const StageLayout      *layout,
                 const TophashSelection *selection,
                 guint                  *item) {
  static const StageCardKind kinds[] = {
    [SELECTION_SLOT] = CARD_CHAINS, [SELECTION_LOCK] = CARD_LOCK,
    [SELECTION_VIEW] = CARD_VIEWS, [SELECTION_SHARD] = CARD_SHARDS,
  };
  const StageCard *card = selection->kind == SELECTION_NONE
    ? NULL : stage_layout_find_card (layout, kinds[selection->kind]);

  for (*item = 0; card != NULL && *item < card->n_items; ++*item) {
    const StageChain *chain;

    switch (selection->kind) {
    case SELECTION_LOCK:
      if (card->lock >= 0
          && map_state_lock (layout->state, (guint)card->lock)->id
               == selection->item)
        return card;
      break;
    case SELECTION_VIEW:
      if (map_state_snapshot (layout->state, *item)->id == selection->item)
        return card;
      break;
    case SELECTION_SHARD:
      if (*item == selection->item)
        return card;
      break;
    case SELECTION_SLOT:
      chain = &g_array_index (layout->chains, StageChain, *item);
      if (selection->has_key && chain->key == selection->key)
        return card;
      break;
    case SELECTION_NONE:
      break;
    }
  }
  return NULL;
}

static void
paint_strip (cairo_t            *cr,
             const PaintContext *context,
             const StageCard    *card) {
  switch (card->kind) {
  case CARD_RANGE:
    paint_range (cr, context, card);
    break;
  case CARD_LOCK:
    paint_lock (cr, context, card);
    break;
  case CARD_VIEWS:
    paint_views (cr, context, card);
    break;
  case CARD_SHARDS:
    paint_shard_strip (cr, context, card);
    break;
  case CARD_CHAINS:
    paint_chains (cr, context, card);
    break;
  case CARD_BUCKETS:
  case CARD_OLDBUCKETS:
  case CARD_READ:
  case CARD_DIRTY:
  case CARD_GHOST:
    break;
  }
}

void
paint_stage (cairo_t            *cr,
             const PaintContext *context) {
  const StageLayout *layout = context->layout;

  cairo_save (cr);
  if (layout->kind == STAGE_SYNCMAP)
    paint_syncmap (cr, context);
  else if (layout->kind == STAGE_SHARDS)
    paint_shards (cr, context);
  else
    paint_gomap (cr, context);
  for (guint i = 0; i < layout->cards->len; i++)
    paint_strip (cr, context, stage_layout_card (layout, i));
  if (context->previous == NULL || context->progress >= 1) {
    paint_hovered (cr, context);
    paint_selected (cr, context);
  }
  cairo_restore (cr);
}
