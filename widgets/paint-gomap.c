/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-gomap.c — buckets, and oldbuckets beside them while the map grows
 *
 * A growth is told by position: the old array stands at the left, each of its
 * keys in the colour of where its hash bit will send it (x stays at its index,
 * y moves up by the old number of buckets), a cursor at nevacuate, and two
 * arrows from there to the two buckets that it fills. Below: the rule in
 * words and how much has moved.
 *
 * A map of shards has such a table many times, each with a lock of its own.
 */
#include "widgets/paint-gomap.h"

#include "widgets/paint-table.h"

#include <glib/gi18n.h>
#include <math.h>

#define PADDING 16
#define FOOT 122
#define WAITING_ROOM 56

static char *
say_buckets (const StateTable *table) {
  g_autofree char *n = NULL;
  g_autofree char *keys = NULL;
  guint n_main;

  /* Before its first event a map is there, and as empty. */
  if (table == NULL || table->buckets == NULL)
    return g_strdup (_("no buckets yet: they come with the first key"));
  keys = tophash_draw_format_count (table->count);
  n_main = state_array_n_main (table->buckets);
  n = tophash_draw_format_count (n_main);
  if (table->oldbuckets != NULL
      && state_array_n_main (table->oldbuckets) == n_main)
    return g_strdup_printf (
      ngettext ("%s bucket · B stays %u · %s keys · same-size growth",
                "%s buckets · B stays %u · %s keys · same-size growth", n_main),
      n, table->B, keys);
  if (table->oldbuckets != NULL)
    return g_strdup_printf (
      ngettext ("%s bucket · B %u → %u · %s keys · load %.1f of 6.5",
                "%s buckets · B %u → %u · %s keys · load %.1f of 6.5", n_main),
      n, table->B - 1u, table->B, keys, (double)table->count / n_main);
  return g_strdup_printf (
    ngettext ("%s bucket · B %u · %s keys · load %.1f of %g",
              "%s buckets · B %u · %s keys · load %.1f of %g", n_main),
    n, table->B, keys, (double)table->count / n_main, state_table_load_limit (table));
}

static gboolean
is_evacuated (const StateArray *old,
              guint32           index) {
  guint8 first = state_array_bucket (old, index)->tophash[0];

  return first > TOPHASH_EMPTY_ONE && first < TOPHASH_MIN;
}

/* Beside new buckets whose old one has not moved yet. */
static void
paint_waiting (cairo_t            *cr,
               const PaintContext *context,
               const StageCard    *card) {
  const StateArray *old = card->table->oldbuckets;
  double right = card->body.x + card->body.width;
  guint n_old = state_array_n_main (old);

  if (card->buckets == NULL || card->slot_px < STAGE_SLOT_KEY)
    return;
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  for (guint i = 0; i < card->buckets->len; i++) {
    const StageBucket *place = &g_array_index (card->buckets, StageBucket, i);
    double end = place->x + 8 * (card->slot_px + card->gap_px);

    if (place->is_indexed && end + WAITING_ROOM <= right
        && place->chain < state_array_n_main (card->array)
        && state_array_bucket (card->array, place->chain)->overflow == 0
        && !is_evacuated (old, place->chain & (n_old - 1)))
      tophash_draw_text (context->draw, cr, _("waiting"), FONT_CAPTION, end + 8,
                         place->y + card->slot_px / 2.0, 0, 0.5,
                         right - end - 8);
  }
}

static void
paint_cursor (cairo_t            *cr,
              const PaintContext *context,
              const StageCard    *card) {
  StageRect row;
  double y;

  if (card->table->nevacuate >= state_array_n_main (card->array)
      || !stage_card_slot (card, (guint32)card->table->nevacuate, 0, &row))
    return;
  y = round (row.y + row.height / 2);
  tophash_palette_set_source (context->palette, cr, ROLE_LOCK);
  cairo_move_to (cr, card->frame.x + 7, y - 5);
  cairo_line_to (cr, card->frame.x + 16, y);
  cairo_line_to (cr, card->frame.x + 7, y + 5);
  cairo_close_path (cr);
  cairo_fill (cr);
}

static void
paint_foot_line (cairo_t            *cr,
                 const PaintContext *context,
                 const StageCard    *card,
                 const char         *text,
                 PaletteRole         role,
                 double              y) {
  tophash_palette_set_source (context->palette, cr, role);
  tophash_draw_facts (context->draw, cr, text, FONT_CAPTION,
                      card->frame.x + PADDING, y, 0, 0.5,
                      card->frame.width - 2 * PADDING);
}

/* A rule with the swatch of its colour before it. */
static void
paint_rule (cairo_t            *cr,
            const PaintContext *context,
            const StageCard    *card,
            const char         *letter,
            const char         *text,
            PaletteRole         role,
            double              y) {
  double x = card->frame.x + PADDING;

  tophash_palette_set_source (context->palette, cr, role);
  tophash_draw_rounded (cr, x, y - 8, 16, 16, 4);
  cairo_fill (cr);
  tophash_palette_set_source (context->palette, cr, ROLE_ON_LIVE);
  tophash_draw_text (context->draw, cr, letter, FONT_SLOT, x + 8, y, 0.5, 0.5,
                     0);
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT);
  tophash_draw_text (context->draw, cr, text, FONT_CAPTION, x + 24, y, 0, 0.5,
                     card->frame.width - 2 * PADDING - 24);
}

static void
paint_progress (cairo_t            *cr,
                const PaintContext *context,
                const StageCard    *card,
                double              y) {
  double x = card->frame.x + PADDING;
  double width = card->frame.width - 2 * PADDING;
  guint n_old = state_array_n_main (card->array);
  double share = (double)card->table->n_evacuated / n_old;

  tophash_draw_rounded (cr, x, y, width, 10, 5);
  tophash_palette_set_source (context->palette, cr, ROLE_QUIET);
  cairo_fill_preserve (cr);
  cairo_save (cr);
  cairo_clip (cr);
  tophash_draw_rounded (cr, x, y, round (width * MIN (share, 1)), 10, 5);
  tophash_palette_set_source (context->palette, cr, ROLE_SEEN);
  cairo_fill (cr);
  cairo_restore (cr);
}

void
paint_gomap_old (cairo_t            *cr,
                 const PaintContext *context,
                 const StageCard    *card,
                 const char         *title) {
  const StateTable *table = card->table;
  guint n_old = state_array_n_main (card->array);
  gboolean is_same_size = table->buckets != NULL
                          && state_array_n_main (table->buckets) == n_old;
  g_autofree char *n = tophash_draw_format_count (n_old);
  g_autofree char *moved = tophash_draw_format_count (table->n_evacuated);
  g_autofree char *at = tophash_draw_format_count (table->nevacuate);
  g_autofree char *facts = g_strdup_printf (
    ngettext ("%s bucket · nevacuate %s · %s evacuated",
              "%s buckets · nevacuate %s · %s evacuated", n_old),
    n, at, moved);
  g_autofree char *stays = is_same_size
    ? g_strdup (_("every key stays at its index"))
    : g_strdup_printf (_("hash bit %d is 0: stays at its index"),
                       (int)table->B - 1);
  g_autofree char *up = g_strdup_printf (_("hash bit %d is 1: moves up by %u"),
                                         (int)table->B - 1, n_old);
  g_autofree char *progress = g_strdup_printf (
    _("%s of %s evacuated · only writes move buckets"), moved, n);
  TableHead head = { .title = title, .facts = facts };
  double y = card->frame.y + card->frame.height - PADDING - FOOT + 18;

  paint_card_frame (cr, context, &card->frame, FALSE);
  paint_table_head (cr, context, card, &head);
  paint_table_body (cr, context, card);
  paint_cursor (cr, context, card);
  paint_rule (cr, context, card, "x", stays, ROLE_STAYS, y + 8);
  if (is_same_size)
    paint_foot_line (cr, context, card,
                     _("the free slots between them are left behind"),
                     ROLE_TEXT_DIM, y + 32);
  else
    paint_rule (cr, context, card, "y", up, ROLE_MOVES_UP, y + 32);
  paint_progress (cr, context, card, y + 58);
  paint_foot_line (cr, context, card, progress, ROLE_TEXT_DIM, y + 86);
}

static void
paint_split (cairo_t            *cr,
             const PaintContext *context,
             const StageCard    *old,
             const StageCard    *new,
             guint32             to,
             PaletteRole         role) {
  StageRect from;
  StageRect target;
  double ax = old->frame.x + old->frame.width + 4;
  double bx = new->frame.x - 4;
  double ay;
  double by;

  if (!stage_card_slot (old, (guint32)old->table->nevacuate, 0, &from)
      || !stage_card_slot (new, to, 0, &target))
    return;
  ay = round (from.y + from.height / 2);
  by = round (target.y + target.height / 2);
  tophash_palette_set_source (context->palette, cr, role);
  cairo_set_line_width (cr, 2);
  cairo_move_to (cr, ax, ay);
  cairo_curve_to (cr, (ax + bx) / 2, ay, (ax + bx) / 2, by, bx - 8, by);
  cairo_stroke (cr);
  cairo_move_to (cr, bx, by);
  cairo_line_to (cr, bx - 9, by - 5);
  cairo_line_to (cr, bx - 9, by + 5);
  cairo_close_path (cr);
  cairo_fill (cr);
}

/* The card of a table's present array, and of its shard's lock, if it is one's
 * own: a single lock stands above the tables. */
static void
paint_buckets (cairo_t            *cr,
               const PaintContext *context,
               const StageCard    *card,
               const char         *title,
               int                 lock_index) {
  TableHead head = { .title = title };
  g_autofree char *facts = say_buckets (card->table);
  g_autofree char *lock
    = lock_index >= 0 ? paint_lock_text (context->layout->state,
                                         (guint)lock_index, "mu",
                                         &head.is_locked) : NULL;

  head.facts = facts;
  head.pill = lock;
  paint_card_frame (cr, context, &card->frame, card->array == NULL);
  paint_table_head (cr, context, card, &head);
  if (card->array != NULL)
    paint_table_body (cr, context, card);
  else
    paint_table_nil (cr, context, card, _("nil: no key was ever stored"));
}

void
paint_gomap (cairo_t            *cr,
             const PaintContext *context) {
  const StageLayout *layout = context->layout;
  const StageCard *old = stage_layout_find_card (layout, CARD_OLDBUCKETS);
  const StageCard *new = stage_layout_find_card (layout, CARD_BUCKETS);
  guint32 at;

  if (old != NULL)
    paint_gomap_old (cr, context, old, _("oldbuckets"));
  paint_buckets (cr, context, new, _("buckets"), -1);
  if (new->array == NULL || old == NULL)
    return;
  paint_waiting (cr, context, new);
  at = (guint32)old->table->nevacuate;
  if (old->frame.x + old->frame.width > new->frame.x
      || old->table->nevacuate >= state_array_n_main (old->array))
    return;
  paint_split (cr, context, old, new, at, ROLE_STAYS);
  if (state_array_n_main (new->array) > state_array_n_main (old->array))
    paint_split (cr, context, old, new, at + state_array_n_main (old->array),
                 ROLE_MOVES_UP);
}

/* Where the lock of @shard stands among the locks, which have its number. */
static guint
find_lock (const MapState *state,
           guint           shard) {
  guint i = 0;

  while (i < map_state_n_locks (state) && map_state_lock (state, i)->id != shard)
    i++;
  return i;
}

/* Who has the lock, where there is no room for more; NULL: nobody. */
static char *
say_holder (const MapState *state,
            guint           index) {
  const StateLock *lock;

  if (index >= map_state_n_locks (state))
    return NULL;
  lock = map_state_lock (state, index);
  if (lock->owner >= 0 && lock->owner != EVENT_THREAD_MAIN)
    return g_strdup_printf ("W%d", lock->owner + 1);
  return lock->owner >= 0 ? g_strdup (_("main")) : NULL;
}

static void
paint_small_shard (cairo_t            *cr,
                   const PaintContext *context,
                   const StageCard    *card,
                   guint               shard) {
  const StateTable *table = card->table;
  guint index = find_lock (context->layout->state, shard);
  guint64 n = table == NULL  ? 0
              : card->in_old ? table->n_evacuated : table->count;
  g_autofree char *number = tophash_draw_format_count (n);
  g_autofree char *title = g_strdup_printf ("#%u", shard);
  g_autofree char *holder
    = card->in_old ? NULL : say_holder (context->layout->state, index);
  g_autofree char *facts = g_strdup_printf (
    card->in_old ? ngettext ("%s moved", "%s moved", n)
                 : ngettext ("%s key", "%s keys", n), number);
  TableHead head = { .title = title, .facts = facts, .pill = holder };

  head.is_locked = holder != NULL;
  paint_card_frame (cr, context, &card->frame, card->array == NULL);
  paint_table_head (cr, context, card, &head);
  if (card->array != NULL)
    paint_table_body (cr, context, card);
  else
    paint_table_nil (cr, context, card, _("nil"));
}

void
paint_shards (cairo_t            *cr,
              const PaintContext *context) {
  const StageLayout *layout = context->layout;
  double left;
  double top;
  double right;
  double bottom;
  guint n_before = 0;

  /* A thousand cards are many screens: most of them are not in sight. */
  cairo_clip_extents (cr, &left, &top, &right, &bottom);
  for (guint i = 0; i < layout->cards->len; i++) {
    const StageCard *card = stage_layout_card (layout, i);
    g_autofree char *title = NULL;
    guint shard;

    if (card->kind != CARD_BUCKETS && card->kind != CARD_OLDBUCKETS)
      continue;
    /* In their order; one without a table does not tell which it is. */
    shard = card->in_old ? card->table->shard : n_before++;
    if (card->frame.y > bottom || card->frame.y + card->frame.height < top)
      continue;
    if (card->frame.width < STAGE_SHARD_ROOMY) {
      paint_small_shard (cr, context, card, shard);
      continue;
    }
    title = g_strdup_printf (card->in_old ? _("shard %u, oldbuckets")
                                          : _("shard %u"), shard);
    if (card->in_old)
      paint_gomap_old (cr, context, card, title);
    else
      paint_buckets (cr, context, card, title,
                     (int)find_lock (layout->state, shard));
  }
}
