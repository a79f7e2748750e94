/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-range.c — the progress of a Range, in a bar and in words
 *
 * The bar's whole is what the table held when the Range began, and beyond it,
 * hatched, what has come since and stands in another table: a Range over read
 * never sees those. They are counted key by key, for tables of up to
 * NEVER_MAX keys; above that the bar leaves them out rather than guess.
 */
#include "widgets/paint-range.h"

#include "widgets/paint-table.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#define PADDING 16
#define NEVER_MAX 2048
#define BAR_HEIGHT 10
#define BAR_MIN 96
#define NARROW_FROM 80 /* a card this high has its words below the bar */

typedef struct {
  guint64 seen;
  guint64 skipped;
  guint64 to_come;
  guint64 never;
} RangeParts;

/* Keys with a value in the newest table that the Range's table lacks. */
static guint64
count_never (const MapState   *state,
             const StateTable *walked) {
  const StateTable *newest = map_state_table_for (state, TABLE_ROLE_DIRTY);
  guint64 n = 0;

  if (newest == NULL)
    newest = map_state_table_for (state, TABLE_ROLE_READ);
  if (newest == NULL || walked == NULL || newest == walked
      || newest->buckets == NULL || newest->count > NEVER_MAX)
    return 0;
  for (int part = 0; part < 2; part++) {
    const StateArray *array = part == 0 ? newest->buckets : newest->oldbuckets;

    for (guint i = 0; array != NULL && i < state_array_n_buckets (array); i++) {
      const StateBucket *bucket = state_array_bucket (array, i);
      StateSlot slot;

      for (guint s = 0; s < BUCKET_SLOTS; s++)
        n += bucket->tophash[s] >= TOPHASH_MIN
             && map_state_entry (state, (guint32)bucket->elems[s]).state
                  == ENTRY_VALUE
             && !map_state_find_key (state, walked, bucket->keys[s], &slot);
    }
  }
  return n;
}

static void
append_part (GString    *words,
             guint64     n,
             const char *format) {
  g_autofree char *count = tophash_draw_format_count (n);
  const char *place = strstr (format, "%s");

  if (n == 0 || place == NULL)
    return;
  if (words->len > 0)
    g_string_append (words, " · ");
  g_string_append_len (words, format, place - format);
  g_string_append (words, count);
  g_string_append (words, place + 2);
}

static char *
say_parts (const RangeParts *parts,
           const StateIter  *iter) {
  GString *words = g_string_new (NULL);

  append_part (words, parts->seen, _("%s seen"));
  append_part (words, iter->n_skipped_nil, _("%s skipped: deleted"));
  append_part (words, iter->n_skipped_expunged, _("%s skipped: expunged"));
  append_part (words, parts->to_come, _("%s to come"));
  append_part (words, parts->never, _("%s it will never see"));
  if (words->len == 0)
    g_string_append (words, _("the table is empty"));
  return g_string_free (words, FALSE);
}

static void
paint_bar (cairo_t            *cr,
           const PaintContext *context,
           const RangeParts   *parts,
           const StageRect    *bar) {
  const guint64 counts[] = { parts->seen, parts->skipped, parts->to_come,
                             parts->never };
  guint64 total = 0;
  guint64 sum = 0;

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    total += counts[i];
  cairo_save (cr);
  tophash_draw_rounded (cr, bar->x, bar->y, bar->width, bar->height,
                        bar->height / 2);
  tophash_palette_set_source (context->palette, cr, ROLE_QUIET);
  cairo_fill_preserve (cr);
  cairo_clip (cr);
  for (guint i = 0; total > 0 && i < G_N_ELEMENTS (counts); i++) {
    double from = round (bar->width * (double)sum / (double)total);
    double to;

    sum += counts[i];
    to = round (bar->width * (double)sum / (double)total);
    cairo_rectangle (cr, bar->x + from, bar->y, to - from, bar->height);
    if (i == 2 || counts[i] == 0) {
      cairo_new_path (cr);
    } else if (i == 3) {
      tophash_palette_set_source (context->palette, cr, ROLE_NIL_EDGE);
      tophash_draw_hatch (cr, 5);
    } else {
      tophash_palette_set_source (context->palette, cr,
                                  i == 0 ? ROLE_SEEN : ROLE_LOCK);
      cairo_fill (cr);
    }
  }
  cairo_restore (cr);
}

static char *
say_what (const PaintContext *context,
          const StageCard    *card) {
  g_autofree char *who = card->iter->thread == EVENT_THREAD_MAIN
                           ? g_strdup (_("main"))
                           : g_strdup_printf ("W%u", card->iter->thread + 1u);

  if (context->layout->kind != STAGE_SYNCMAP)
    return g_strdup_printf (_("by %s · walks the buckets from %u on"), who,
                            card->iter->start_bucket);
  if (card->table != NULL && card->table->promotion > 0)
    return g_strdup_printf (
      _("by %s · walks the read table of promotion %u · keys fixed, values live"),
      who, card->table->promotion);
  return g_strdup_printf (
    _("by %s · walks the first read table · keys fixed, values live"), who);
}

void
paint_range (cairo_t            *cr,
             const PaintContext *context,
             const StageCard    *card) {
  const StateIter *iter = card->iter;
  RangeParts parts = {
    .seen = iter->n_seen,
    .skipped = iter->n_skipped_nil + iter->n_skipped_expunged,
  };
  g_autofree char *title = g_strdup_printf (_("Range #%u"), iter->id);
  g_autofree char *what = say_what (context, card);
  g_autofree char *words = NULL;
  double left = card->frame.x + PADDING;
  double room = card->frame.width - 2 * PADDING;
  double width;
  double height;
  StageRect bar = { left, card->frame.y + 45, 0, BAR_HEIGHT };

  if (iter->n_keys > parts.seen + parts.skipped)
    parts.to_come = iter->n_keys - parts.seen - parts.skipped;
  if (context->layout->kind == STAGE_SYNCMAP)
    parts.never = count_never (context->layout->state, card->table);
  words = say_parts (&parts, iter);

  paint_card_frame (cr, context, &card->frame, FALSE);
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT);
  tophash_draw_text (context->draw, cr, title, FONT_HEADING, left,
                     card->frame.y + 24, 0, 0.5, room);
  tophash_draw_measure (context->draw, title, FONT_HEADING, &width, &height);
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  if (room - width > 40)
    tophash_draw_text (context->draw, cr, what, FONT_CAPTION, left + width + 12,
                       card->frame.y + 24, 0, 0.5, room - width - 12);

  tophash_draw_measure (context->draw, words, FONT_CAPTION, &width, &height);
  if (card->frame.height > NARROW_FROM) {
    bar.width = room;
    tophash_draw_text (context->draw, cr, words, FONT_CAPTION, left,
                       card->frame.y + 72, 0, 0.5, room);
  } else {
    bar.width = round (MAX (BAR_MIN, room - width - 16));
    tophash_draw_text (context->draw, cr, words, FONT_CAPTION,
                       left + bar.width + 16, card->frame.y + 50, 0, 0.5,
                       room - bar.width - 16);
  }
  paint_bar (cr, context, &parts, &bar);
}
