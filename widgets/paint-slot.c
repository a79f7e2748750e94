/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-slot.c — one slot: fill, outline, hatch, letters, badges
 *
 * A colour never says anything alone:
 *
 *     value      filled, tophash and key        nil       dashed outline
 *     x, y       two fills, and the letter      expunged  hatch, key on a plate
 *     unused     quiet fill, nothing on it      freed     quiet fill, a dot
 *     moved      quiet fill with x or y         (empty)   quiet outline
 *
 * Small slots keep fill, outline and hatch and drop the writing. They come by
 * the thousand, so each look is one path filled once.
 */
#include "widgets/paint-slot.h"

#include "core/base/hash.h"

#include <math.h>
#include <string.h>

#define LETTERS_GROW_MOST 1.25
#define SHRINK_MIN 0.72
#define ROUNDED_MAX 1024 /* small slots with round corners in a frame */

static gboolean
moves_up (const StateTable *table,
          gint64            key) {
  Hash hash = { .kind = (HashKind)table->hash_kind };
  guint n_old = state_array_n_main (table->oldbuckets);

  return table->hash_kind >= 0 && table->hash_kind < HASH_FUNCTION
         && table->buckets != NULL
         && state_array_n_main (table->buckets) > n_old
         && (hash_key (&hash, key, table->hash0) & n_old) != 0;
}

static SlotLook
look_of_value (const StageCard   *card,
               const StateBucket *bucket,
               guint32            chain,
               guint              slot) {
  const StateTable *table = card->table;

  if (table->oldbuckets == NULL)
    return LOOK_VALUE;
  if (card->in_old)
    return moves_up (table, bucket->keys[slot]) ? LOOK_MOVES_UP : LOOK_STAYS;
  return chain >= state_array_n_main (table->oldbuckets) ? LOOK_MOVES_UP
                                                         : LOOK_STAYS;
}

SlotLook
paint_slot_look (const MapState    *state,
                 const StageCard   *card,
                 const StateBucket *bucket,
                 guint32            chain,
                 guint              slot) {
  StateEntry entry;

  switch (bucket->tophash[slot]) {
  case TOPHASH_EMPTY_REST:
    return LOOK_UNUSED;
  case TOPHASH_EMPTY_ONE:
    return LOOK_FREED;
  case TOPHASH_EVACUATED_X:
    return LOOK_MOVED_X;
  case TOPHASH_EVACUATED_Y:
    return LOOK_MOVED_Y;
  case TOPHASH_EVACUATED_EMPTY:
    return LOOK_MOVED_EMPTY;
  default:
    break;
  }
  if ((card->table->flags_table & TABLE_HOLDS_ENTRIES) == 0)
    return look_of_value (card, bucket, chain, slot);
  entry = map_state_entry (state, (guint32)bucket->elems[slot]);
  switch (entry.state) {
  case ENTRY_NIL:
    return LOOK_NIL;
  case ENTRY_EXPUNGED:
    return LOOK_EXPUNGED;
  case ENTRY_VALUE:
    break;
  }
  return LOOK_VALUE;
}

void
paint_format_key (const char *format,
                  gint64      key,
                  char       *text,
                  gsize       size) {
  const char *place = format != NULL ? strstr (format, "%d") : NULL;

  if (place == NULL)
    g_snprintf (text, size, "%" G_GINT64_FORMAT, key);
  else
    g_snprintf (text, size, "%.*s%" G_GINT64_FORMAT "%s",
                (int)(place - format), format, key, place + 2);
}

void
paint_text_in (cairo_t            *cr,
               const PaintContext *context,
               const char         *text,
               DrawFont            font,
               double              x,
               double              y,
               double              max_width) {
  double width;
  double height;
  double scale;

  tophash_draw_measure (context->draw, text, font, &width, &height);
  if (width <= max_width) {
    tophash_draw_text (context->draw, cr, text, font, x, y, 0.5, 0.5, 0);
    return;
  }
  scale = MAX (SHRINK_MIN, max_width / width);
  cairo_save (cr);
  cairo_translate (cr, x, y);
  cairo_scale (cr, scale, scale);
  tophash_draw_text (context->draw, cr, text, font, 0, 0, 0.5, 0.5,
                     max_width / scale);
  cairo_restore (cr);
}

static PaletteRole
fill_role (SlotLook look) {
  switch (look) {
  case LOOK_UNUSED:
  case LOOK_FREED:
  case LOOK_MOVED_X:
  case LOOK_MOVED_Y:
    return ROLE_QUIET;
  case LOOK_MOVED_EMPTY:
  case LOOK_NIL:
  case LOOK_EXPUNGED:
  case LOOK_N:
    return ROLE_CARD;
  case LOOK_VALUE:
    return ROLE_LIVE;
  case LOOK_STAYS:
    return ROLE_STAYS;
  case LOOK_MOVES_UP:
    return ROLE_MOVES_UP;
  }
  return ROLE_CARD;
}

/* The outline that a look has besides its fill. */
static void
stroke_look (cairo_t            *cr,
             const PaintContext *context,
             SlotLook            look,
             const StageRect    *rect,
             double              radius) {
  static const double dash[] = { 3, 2 };

  if (look != LOOK_NIL && look != LOOK_EXPUNGED && look != LOOK_MOVED_EMPTY)
    return;
  tophash_draw_rounded (cr, rect->x + 0.5, rect->y + 0.5, rect->width - 1,
                        rect->height - 1, radius);
  cairo_set_line_width (cr, 1);
  if (look == LOOK_NIL && rect->width >= STAGE_SLOT_KEY)
    cairo_set_dash (cr, dash, 2, 0);
  tophash_palette_set_source (context->palette, cr,
                              look == LOOK_NIL        ? ROLE_NIL_EDGE
                              : look == LOOK_EXPUNGED ? ROLE_EXPUNGED
                                                      : ROLE_CARD_EDGE);
  cairo_stroke (cr);
  cairo_set_dash (cr, NULL, 0, 0);
}

static void
paint_plate (cairo_t            *cr,
             const PaintContext *context,
             const StageRect    *rect,
             double              y,
             const char         *text) {
  double width;
  double height;
  double plate;

  tophash_draw_measure (context->draw, text, FONT_SLOT, &width, &height);
  plate = MIN (round (width) + 6, rect->width - 4);
  tophash_palette_set_source (context->palette, cr, ROLE_CARD);
  tophash_draw_rounded (cr, round (rect->x + (rect->width - plate) / 2),
                        round (y - 7), plate, 14, 3);
  cairo_fill (cr);
}

static void
paint_letters (cairo_t            *cr,
               const PaintContext *context,
               const StageRect    *rect,
               SlotLook            look,
               const StateBucket  *bucket,
               guint               slot) {
  PaletteRole role = look == LOOK_EXPUNGED ? ROLE_EXPUNGED
                     : look == LOOK_NIL    ? ROLE_TEXT_DIM
                                           : ROLE_ON_LIVE;
  gboolean has_hex = rect->width >= STAGE_SLOT_HEX && look != LOOK_EXPUNGED;
  double grow = CLAMP (rect->width / STAGE_SLOT_HEX, 1, LETTERS_GROW_MOST);
  double width = rect->width / grow;
  double height = rect->height / grow;
  StageRect around = { -width / 2, -height / 2, width, height };
  double below = has_hex ? round (height * 0.2) : 0;
  char text[64];

  paint_format_key (context->key_format, bucket->keys[slot], text, sizeof text);
  cairo_save (cr);
  cairo_translate (cr, rect->x + rect->width / 2, rect->y + rect->height / 2);
  cairo_scale (cr, grow, grow);
  if (look == LOOK_EXPUNGED)
    paint_plate (cr, context, &around, below, text);
  tophash_palette_set_source (context->palette, cr, role);
  paint_text_in (cr, context, text, FONT_SLOT, 0, below, width - 4);
  if (has_hex) {
    g_snprintf (text, sizeof text, "%02x", bucket->tophash[slot]);
    paint_text_in (cr, context, text, FONT_MONO, 0, -round (height * 0.22),
                   width - 6);
  }
  cairo_restore (cr);
}

void
paint_slot (cairo_t            *cr,
            const PaintContext *context,
            const StageRect    *rect,
            SlotLook            look,
            const StateBucket  *bucket,
            guint               slot) {
  double radius = round (rect->width / 5);
  double x = rect->x + rect->width / 2;
  double y = rect->y + rect->height / 2;

  tophash_palette_set_source (context->palette, cr, fill_role (look));
  tophash_draw_rounded (cr, rect->x, rect->y, rect->width, rect->height, radius);
  cairo_fill_preserve (cr);
  if (look == LOOK_EXPUNGED) {
    paint_set_role (context, cr, ROLE_EXPUNGED, 0.75);
    tophash_draw_hatch (cr, 6);
  }
  cairo_new_path (cr);
  stroke_look (cr, context, look, rect, radius);

  if (slot_look_has_key (look)) {
    paint_letters (cr, context, rect, look, bucket, slot);
  } else if (look == LOOK_MOVED_X || look == LOOK_MOVED_Y) {
    tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
    paint_text_in (cr, context, look == LOOK_MOVED_X ? "x" : "y", FONT_MONO, x,
                   y, rect->width);
  } else if (look == LOOK_FREED) {
    paint_set_role (context, cr, ROLE_TEXT_DIM, 0.6);
    cairo_arc (cr, x, y, 2, 0, 2 * G_PI);
    cairo_fill (cr);
  }
}

static void
add_small (cairo_t         *cr,
           const StageRect *rect,
           gboolean         is_round) {
  if (is_round)
    tophash_draw_rounded (cr, rect->x, rect->y, rect->width, rect->height, 3);
  else
    cairo_rectangle (cr, rect->x, rect->y, rect->width, rect->height);
}

static StageRect
small_rect (const StageCard   *card,
            const StageBucket *place,
            guint              slot) {
  return (StageRect) { place->x + (int)slot * (card->slot_px + card->gap_px),
                       place->y, card->slot_px, card->slot_px };
}

/* What is beyond a fill: a hollow middle for nil, a diagonal for expunged. */
static void
finish_small (cairo_t            *cr,
              const PaintContext *context,
              SlotLook            look,
              const StageRect    *rect) {
  if (rect->width >= STAGE_SLOT_MIDDLE) {
    if (look == LOOK_EXPUNGED) {
      paint_set_role (context, cr, ROLE_EXPUNGED, 1);
      cairo_rectangle (cr, rect->x, rect->y, rect->width, rect->height);
      tophash_draw_hatch (cr, 4);
    }
    stroke_look (cr, context, look, rect, 3);
    return;
  }
  tophash_palette_set_source (context->palette, cr,
                              look == LOOK_NIL        ? ROLE_NIL_EDGE
                              : look == LOOK_EXPUNGED ? ROLE_EXPUNGED
                                                      : ROLE_CARD_EDGE);
  cairo_rectangle (cr, rect->x, rect->y, rect->width, rect->height);
  if (look != LOOK_EXPUNGED)
    cairo_rectangle (cr, rect->x + rect->width - 1, rect->y + 1,
                     -(rect->width - 2), rect->height - 2);
  cairo_fill (cr);
}

void
paint_small_slots (cairo_t            *cr,
                   const PaintContext *context,
                   const StageCard    *card,
                   guint               first,
                   guint               end) {
  const MapState *state = context->layout->state;
  guint n = end - first;
  g_autofree guint8 *looks = g_malloc (MAX (1, n * BUCKET_SLOTS));
  gboolean is_round = card->slot_px >= STAGE_SLOT_MIDDLE
                      && n * BUCKET_SLOTS <= ROUNDED_MAX;
  gboolean is_there[LOOK_N] = { FALSE };

  for (guint i = 0; i < n; i++) {
    const StageBucket *place
      = &g_array_index (card->buckets, StageBucket, first + i);
    const StateBucket *bucket = state_array_bucket (card->array, place->bucket);

    for (guint slot = 0; slot < BUCKET_SLOTS; slot++) {
      SlotLook look = slot < place->n_shown
                        ? paint_slot_look (state, card, bucket, place->chain, slot)
                        : LOOK_N;

      looks[i * BUCKET_SLOTS + slot] = (guint8)look;
      if (look < LOOK_N)
        is_there[look] = TRUE;
    }
  }
  for (int look = 0; look < LOOK_N; look++) {
    gboolean has_outline = fill_role (look) == ROLE_CARD;

    for (guint i = 0; is_there[look] && i < n * BUCKET_SLOTS; i++) {
      const StageBucket *place = &g_array_index (card->buckets, StageBucket,
                                                 first + i / BUCKET_SLOTS);
      StageRect rect;

      if (looks[i] != look)
        continue;
      rect = small_rect (card, place, i % BUCKET_SLOTS);
      if (has_outline)
        finish_small (cr, context, look, &rect);
      else
        add_small (cr, &rect, is_round);
    }
    if (is_there[look] && !has_outline) {
      tophash_palette_set_source (context->palette, cr, fill_role (look));
      cairo_fill (cr);
    }
  }
}

void
paint_badge (cairo_t            *cr,
             const PaintContext *context,
             const StageRect    *slot,
             SlotBadge           badge) {
  double r = slot->width >= STAGE_SLOT_KEY ? 6 : 3;
  double x = slot->x + slot->width - r / 3;
  double y = slot->y + r / 3;

  tophash_palette_set_source (context->palette, cr, ROLE_CARD);
  cairo_arc (cr, x, y, r + 1.5, 0, 2 * G_PI);
  cairo_fill (cr);
  tophash_palette_set_source (context->palette, cr,
                              badge == BADGE_SEEN ? ROLE_SEEN : ROLE_SKIPPED);
  cairo_arc (cr, x, y, r, 0, 2 * G_PI);
  cairo_fill (cr);
  if (r < 6)
    return;
  tophash_palette_set_source (context->palette, cr, ROLE_CARD);
  cairo_set_line_width (cr, 1.5);
  if (badge == BADGE_SEEN) {
    cairo_move_to (cr, x - 2.6, y + 0.2);
    cairo_line_to (cr, x - 0.8, y + 2);
    cairo_line_to (cr, x + 2.8, y - 2);
  } else {
    cairo_move_to (cr, x - 2.5, y + 2.5);
    cairo_line_to (cr, x + 2.5, y - 2.5);
  }
  cairo_stroke (cr);
}

void
paint_rings (cairo_t            *cr,
             const PaintContext *context,
             const StageRect    *slot,
             PaletteRole         role,
             int                 n_rings) {
  double radius = round (slot->width / 5);

  /* First the gap, then the ring: both stand outside of the slot. */
  for (int i = 0; i < n_rings; i++) {
    double out = 1 + 2 * i;

    tophash_draw_rounded (cr, slot->x - out, slot->y - out,
                          slot->width + 2 * out, slot->height + 2 * out,
                          radius + out);
    tophash_palette_set_source (context->palette, cr,
                                n_rings == 2 && i == 0 ? ROLE_CARD : role);
    cairo_set_line_width (cr, 2);
    cairo_stroke (cr);
  }
}
