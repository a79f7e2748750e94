/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-views.c — who looks at the past, and what is kept for them
 *
 * Views       a chip for each open view or snapshot, oldest first: its number
 *             and the version it shows; it fills from the left with the share of
 *             its keys that were given, where that is told. Behind the chips, or
 *             below them, the one that is selected in words, else the oldest, for
 *             which most is kept.
 * Chains      a row for each entry with a past: its versions from the newest on,
 *             each with the version of its write below it, and there the views
 *             that see it: of every view exactly one version in each row, or
 *             none where the key was absent then.
 *
 *             They are few enough to be listed where slots are near. At any size
 *             such an entry's slot has an edge of another one behind it.
 *
 *             k17   [ 2500 ] → [ 1700 ] → [deleted]
 *                    v 18       v 15       v 3
 *                               view 3
 */
#include "widgets/paint-views.h"

#include "widgets/paint-lock.h"
#include "widgets/paint-slot.h"
#include "widgets/paint-table.h"
#include "widgets/strip-words.h"

#include <glib/gi18n.h>
#include <math.h>

#define PADDING 16
#define WORDS_LEAST 90
#define WORD_LEAST 60 /* for nothing but "none open" */
#define CHIP_AIR 9
#define KEY_ROOM 72
#define NODE_LEAST 58
#define NODE_HEIGHT 22
#define NODE_TOP 3   /* in its row: the ring of those who see it is around it */
#define WORDS_MIDDLE 37
#define NODE_GAP 26
#define MORE_ROOM 30

static guint
chosen_view (const PaintContext *context,
             const StageCard    *card) {
  if (context->selection != NULL
      && context->selection->kind == SELECTION_VIEW)
    for (guint i = 0; i < map_state_n_snapshots (context->layout->state); i++)
      if (map_state_snapshot (context->layout->state, i)->id
          == context->selection->item)
        return i;
  if (context->hover != NULL && context->hover->card == card
      && context->hover->has_item)
    return context->hover->item;
  return 0;
}

/* The share of @view's keys that were given so far, as a part of its chip. */
static void
paint_given (cairo_t             *cr,
             const PaintContext  *context,
             const StateSnapshot *view,
             const StageRect     *chip) {
  double share;

  if (view->n_given == 0 || view->n_keys == 0)
    return;
  share = MIN ((double)view->n_given / (double)view->n_keys, 1);
  cairo_save (cr);
  tophash_draw_rounded (cr, chip->x + 0.5, chip->y + 0.5, chip->width - 1,
                        chip->height - 1, 5);
  cairo_clip (cr);
  cairo_rectangle (cr, chip->x, chip->y, round (chip->width * share),
                   chip->height);
  paint_set_role (context, cr, ROLE_SEEN, 0.34);
  cairo_fill (cr);
  cairo_restore (cr);
}

/* Returns where the last chip ends. */
static double
paint_view_chips (cairo_t            *cr,
                  const PaintContext *context,
                  const StageCard    *card) {
  const MapState *state = context->layout->state;
  guint n = map_state_n_snapshots (state);
  double end = card->body.x;

  for (guint i = 0; i < card->n_items; i++) {
    const StateSnapshot *view = map_state_snapshot (state, i);
    g_autofree char *version = tophash_draw_format_count (view->version);
    g_autofree char *text = g_strdup_printf ("%u · v %s", view->id, version);
    StageRect rect;
    double width, height;

    stage_card_item (card, i, &rect);
    tophash_draw_measure (context->draw, text, FONT_CAPTION, &width, &height);
    /* A part of a version is none; the words say it where they stand. */
    if (width > rect.width - 2 * CHIP_AIR) {
      g_free (text);
      text = g_strdup_printf ("%u", view->id);
    }
    paint_given (cr, context, view, &rect);
    paint_chip (cr, context, text, CHIP_VIEW, rect.x,
                rect.y + rect.height / 2, rect.width, rect.width);
    end = rect.x + rect.width;
  }
  if (n > card->n_items) {
    g_autofree char *more = g_strdup_printf ("+%u", n - card->n_items);

    tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
    tophash_draw_text (context->draw, cr, more, FONT_CAPTION, end + 6,
                       card->body.y + card->item_height / 2.0, 0, 0.5, 0);
    end += MORE_ROOM;
  }
  return end;
}

static char *
say_clock (const MapState *state) {
  g_autofree char *clock = tophash_draw_format_count (map_state_clock (state));

  return map_state_clock (state) > 0
           ? g_strdup_printf (_("writes make version %s"), clock) : NULL;
}

/* The chosen one; less of it where its chip stands beside the words. */
static char *
say_view (const PaintContext *context,
          const StageCard    *card,
          gboolean            is_roomy,
          const char         *clock) {
  const MapState *state = context->layout->state;
  const StateSnapshot *view;

  if (map_state_n_snapshots (state) == 0)
    return is_roomy || clock == NULL
             ? g_strdup (_("none open"))
             : g_strdup_printf (_("none open · %s"), clock);
  view = map_state_snapshot (state, chosen_view (context, card));
  return is_roomy || map_state_n_snapshots (state) > 1
           ? view_words_new (state, view) : view_rest_new (state, view);
}

void
paint_views (cairo_t            *cr,
             const PaintContext *context,
             const StageCard    *card) {
  const MapState *state = context->layout->state;
  gboolean is_roomy = card->frame.height >= STAGE_STRIP_ROOMY;
  double middle = card->frame.y + (is_roomy ? 22 : card->frame.height / 2);
  double x = card->frame.x + PADDING;
  double end = card->frame.x + card->frame.width - PADDING;
  g_autofree char *clock = say_clock (state);
  g_autofree char *words = say_view (context, card, is_roomy, clock);
  double chips;

  paint_card_frame (cr, context, &card->frame, FALSE);
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT);
  tophash_draw_text (context->draw, cr, clock != NULL ? _("views") : _("snapshots"),
                     FONT_HEADING, x, middle, 0, 0.5,
                     stage_views_head (context->layout) - 8);
  chips = paint_view_chips (cr, context, card) + 8;
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  if (clock != NULL && is_roomy) {
    double width;
    double height;

    tophash_draw_measure (context->draw, clock, FONT_CAPTION, &width, &height);
    tophash_draw_text (context->draw, cr, clock, FONT_CAPTION, end,
                       card->frame.y + 48, 1, 0.5, end - x);
    end -= width + 12;
  }
  if (is_roomy)
    tophash_draw_text (context->draw, cr, words, FONT_CAPTION, x,
                       card->frame.y + 48, 0, 0.5, end - x);
  else if (end - chips >= (map_state_n_snapshots (state) > 0 ? WORDS_LEAST
                                                             : WORD_LEAST))
    tophash_draw_text (context->draw, cr, words, FONT_CAPTION, chips, middle, 0,
                       0.5, end - chips);
}

/* Chains ------------------------------------------------------------------- */

static char *
say_viewers (const MapState     *state,
             const StateVersion *version,
             const StateVersion *newer) {
  GString *words = g_string_new (NULL);

  for (guint i = 0; i < map_state_n_snapshots (state); i++) {
    const StateSnapshot *view = map_state_snapshot (state, i);

    if (!view_sees (view, version, newer))
      continue;
    if (words->len == 0)
      g_string_append_printf (words, _("view %u"), view->id);
    else
      g_string_append_printf (words, ", %u", view->id);
  }
  return g_string_free (words, words->len == 0);
}

static void
paint_node (cairo_t            *cr,
            const PaintContext *context,
            const StageRect    *rect,
            const char         *text,
            gboolean            is_newest,
            gboolean            is_deleted) {
  static const double dash[] = { 4, 3 };
  gboolean is_filled = is_newest && !is_deleted;

  tophash_draw_rounded (cr, rect->x + 0.5, rect->y + 0.5, rect->width - 1,
                        rect->height - 1, 6);
  if (is_filled) {
    tophash_palette_set_source (context->palette, cr, ROLE_LIVE);
    cairo_fill_preserve (cr);
  }
  tophash_palette_set_source (context->palette, cr,
                              is_deleted ? ROLE_NIL_EDGE : ROLE_LIVE);
  cairo_set_line_width (cr, 1);
  if (is_deleted)
    cairo_set_dash (cr, dash, 2, 0);
  cairo_stroke (cr);
  cairo_set_dash (cr, NULL, 0, 0);
  tophash_palette_set_source (context->palette, cr,
                              is_filled    ? ROLE_ON_LIVE
                              : is_deleted ? ROLE_TEXT_DIM
                                           : ROLE_TEXT);
  tophash_draw_text (context->draw, cr, text, FONT_SLOT,
                     rect->x + rect->width / 2, rect->y + rect->height / 2, 0.5,
                     0.5, rect->width - 8);
}

/* One version from @x on; returns where it ends, or 0: there was no room. */
static double
paint_version (cairo_t            *cr,
               const PaintContext *context,
               const StateVersion *version,
               const StateVersion *newer,
               double              x,
               double              y,
               double              end) {
  g_autofree char *viewers = say_viewers (context->layout->state, version, newer);
  g_autofree char *stamp = tophash_draw_format_count (version->stamp);
  g_autofree char *below = version->stamp == 0
    ? g_strdup (_("no version yet"))
    : viewers != NULL ? g_strdup_printf ("v %s · %s", stamp, viewers)
                      : g_strdup_printf ("v %s", stamp);
  double node;
  double words;
  double height;
  char value[24];

  g_snprintf (value, sizeof value, "%" G_GINT64_FORMAT, version->value);
  tophash_draw_measure (context->draw, version->is_deleted ? _("deleted") : value,
                        FONT_SLOT, &node, &height);
  tophash_draw_measure (context->draw, below, FONT_CAPTION, &words, &height);
  node = MAX (MAX (NODE_LEAST, ceil (node) + 18), ceil (words) + 4);
  if (x + node > end)
    return 0;
  paint_node (cr, context, &(StageRect) { x, y + NODE_TOP, node, NODE_HEIGHT },
              version->is_deleted ? _("deleted") : value, newer == NULL,
              version->is_deleted);
  tophash_palette_set_source (context->palette, cr,
                              viewers != NULL ? ROLE_TEXT : ROLE_TEXT_DIM);
  tophash_draw_text (context->draw, cr, below, FONT_CAPTION, x + node / 2,
                     y + WORDS_MIDDLE, 0.5, 0.5, node);
  if (viewers != NULL) {
    tophash_palette_set_source (context->palette, cr, ROLE_SEEN);
    cairo_set_line_width (cr, 2);
    tophash_draw_rounded (cr, x - 2, y + NODE_TOP - 2, node + 4, NODE_HEIGHT + 4,
                          8);
    cairo_stroke (cr);
  }
  return x + node;
}

static void
paint_chain (cairo_t            *cr,
             const PaintContext *context,
             const StageChain   *chain,
             const StageRect    *row) {
  const MapState *state = context->layout->state;
  guint64 link = map_state_entry (state, chain->entry).newest;
  double end = row->x + row->width;
  double x = row->x + KEY_ROOM;
  double middle = row->y + NODE_TOP + NODE_HEIGHT / 2.0;
  StateVersion version;
  StateVersion newer;
  guint n = 0;
  char key[64];

  paint_format_key (context->key_format, chain->key, key, sizeof key);
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT);
  tophash_draw_text (context->draw, cr, key, FONT_SLOT, row->x,
                     middle, 0, 0.5, KEY_ROOM - 8);
  for (; map_state_next_version (state, &link, &version); n++) {
    double from = x;

    if (n > 0)
      x += NODE_GAP;
    x = paint_version (cr, context, &version, n > 0 ? &newer : NULL, x, row->y,
                       end - MORE_ROOM);
    tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
    if (x == 0) {
      tophash_draw_text (context->draw, cr, "→ …", FONT_CAPTION, from + 4,
                         middle, 0, 0.5, 0);
      return;
    }
    cairo_set_line_width (cr, 1);
    if (n > 0)
      tophash_draw_arrow (cr, from + 4, middle + 0.5, from + NODE_GAP - 4,
                          middle + 0.5, 6);
    newer = version;
  }
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  if (n == 0)
    tophash_draw_text (context->draw, cr, _("nil"), FONT_CAPTION, x,
                       middle, 0, 0.5, 0);
}

void
paint_chains (cairo_t            *cr,
              const PaintContext *context,
              const StageCard    *card) {
  double x = card->frame.x + PADDING;
  double room = card->frame.width - 2 * PADDING;
  guint n_more = context->layout->n_more_chains;
  g_autofree char *count = tophash_draw_format_count (n_more);
  g_autofree char *facts = n_more > 0
    ? g_strdup_printf (ngettext ("newest first, kept for open views · %s key more",
                                 "newest first, kept for open views · %s keys more",
                                 n_more), count)
    : g_strdup (_("newest first, kept for open views"));
  double width;
  double height;

  paint_card_frame (cr, context, &card->frame, FALSE);
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT);
  tophash_draw_text (context->draw, cr, _("versions"), FONT_HEADING, x,
                     card->frame.y + 22, 0, 0.5, room);
  tophash_draw_measure (context->draw, _("versions"), FONT_HEADING, &width,
                        &height);
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  if (room - width > 60)
    tophash_draw_text (context->draw, cr, facts, FONT_CAPTION, x + width + 12,
                       card->frame.y + 23, 0, 0.5, room - width - 12);
  for (guint i = 0; i < card->n_items; i++) {
    StageRect row;

    stage_card_item (card, i, &row);
    paint_chain (cr, context,
                 &g_array_index (context->layout->chains, StageChain, i), &row);
  }
}

/* Right of the slot and below it, in the gap. */
static void
add_layer (cairo_t         *cr,
           const StageRect *slot) {
  double out = slot->width >= STAGE_SLOT_KEY ? 2 : 1;
  double x = slot->x + slot->width + out - 0.5;
  double y = slot->y + slot->height + out - 0.5;
  double r = slot->width / 5 + out;

  cairo_move_to (cr, x, slot->y + r);
  cairo_line_to (cr, x, y - r);
  cairo_arc (cr, x - r, y - r, r, 0, G_PI_2);
  cairo_line_to (cr, slot->x + r, y);
}

void
paint_layers (cairo_t            *cr,
              const PaintContext *context,
              const StageCard    *card,
              guint               first,
              guint               end) {
  const MapState *state = context->layout->state;

  if ((card->table->flags_table & TABLE_HOLDS_VERSIONS) == 0
      || map_state_n_snapshots (state) == 0
      || card->slot_px <= STAGE_SLOT_SMALL)
    return;
  for (guint i = first; i < end; i++) {
    const StageBucket *place = &g_array_index (card->buckets, StageBucket, i);
    const StateBucket *bucket = state_array_bucket (card->array, place->bucket);

    for (guint slot = 0; slot < place->n_shown; slot++)
      if (bucket->tophash[slot] >= TOPHASH_MIN
          && stage_state_has_past (state, (guint32)bucket->elems[slot]))
        add_layer (cr, &(StageRect) {
                         place->x + (int)slot * (card->slot_px + card->gap_px),
                         place->y, card->slot_px, card->slot_px });
  }
  tophash_palette_set_source (context->palette, cr, ROLE_SEEN);
  cairo_set_line_width (cr, card->slot_px >= STAGE_SLOT_KEY ? 1.5 : 1);
  cairo_stroke (cr);
}
