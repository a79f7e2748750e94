/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-shards.c — which shard is full, which is hot, which is waited for
 *
 * Bars        one column a shard. Up: keys per bucket against Go's limit of 6.5
 *             (of 8 in a single bucket). Down: how often its lock was taken, reads
 *             and writes, against the shard that is used most. Below: how often it
 *             was waited for, by shade; and its lock now, square when one has it
 *             alone, round when readers share it, hatched while somebody waits.
 * Cells       too many shards for that: one cell each, shaded by use, its foot
 *             by waits, a frame in place of the lock's mark.
 * Hot         shards used at least twice as much as the mean, at most HOT_MOST of
 *             them, have a mark above (in it, where they are cells) and are named
 *             in the head with how many times the mean it is.
 */
#include "widgets/paint-shards.h"

#include "widgets/paint-table.h"
#include "widgets/strip-words.h"

#include <glib/gi18n.h>
#include <math.h>

#define PADDING 16
#define SHARDS_MOST 1024
#define HOT_MOST 3
#define HOT_FROM 2.0
#define HOT_USES 32 /* fewer say nothing */
#define MARK_HEIGHT 9
#define LOAD_HEIGHT 24
#define USE_HEIGHT 14
#define WAIT_HEIGHT 4

typedef struct {
  const StateLock *locks[SHARDS_MOST]; /* NULL: never named */
  guint            n;
  guint64          n_uses;
  guint64          most_uses;
  guint64          most_waits;
  guint            hot[HOT_MOST]; /* hottest first */
  guint            n_hot;
} ShardUse;

static guint64
uses_of (const StateLock *lock) {
  return lock != NULL ? lock->n_acquired + lock->n_read_acquired : 0;
}

static void
note_hot (ShardUse *use,
          guint     shard) {
  guint at = use->n_hot;

  while (at > 0 && uses_of (use->locks[shard])
                     > uses_of (use->locks[use->hot[at - 1]]))
    at--;
  if (at >= HOT_MOST)
    return;
  use->n_hot = MIN (use->n_hot + 1, HOT_MOST);
  for (guint i = use->n_hot - 1; i > at; i--)
    use->hot[i] = use->hot[i - 1];
  use->hot[at] = shard;
}

static void
measure_use (const MapState *state,
             ShardUse       *use) {
  *use = (ShardUse) { .n = MIN (map_state_n_shards (state), SHARDS_MOST) };
  for (guint i = 0; i < map_state_n_locks (state); i++) {
    const StateLock *lock = map_state_lock (state, i);

    if (lock->id >= use->n)
      continue;
    use->locks[lock->id] = lock;
    use->n_uses += uses_of (lock);
    use->most_uses = MAX (use->most_uses, uses_of (lock));
    use->most_waits = MAX (use->most_waits, lock->n_waited);
  }
  for (guint i = 0; i < use->n; i++)
    if (uses_of (use->locks[i]) >= HOT_USES
        && (double)uses_of (use->locks[i]) * use->n
             >= HOT_FROM * (double)use->n_uses)
      note_hot (use, i);
}

static void
fill (cairo_t            *cr,
      const PaintContext *context,
      PaletteRole         role,
      double              x,
      double              y,
      double              width,
      double              height) {
  tophash_palette_set_source (context->palette, cr, role);
  cairo_rectangle (cr, x, y, width, height);
  cairo_fill (cr);
}

/* The lock as it is now. */
static void
paint_lock_mark (cairo_t            *cr,
                 const PaintContext *context,
                 const StateLock    *lock,
                 const StageRect    *box) {
  double side = MIN (box->width, box->height);
  double x = box->x + floor ((box->width - side) / 2);

  if (lock->n_queue > 0) {
    cairo_rectangle (cr, box->x, box->y, box->width, box->height);
    tophash_palette_set_source (context->palette, cr, ROLE_WAIT);
    tophash_draw_hatch (cr, 4);
  }
  if (lock->owner >= 0) {
    fill (cr, context, ROLE_LOCK, x, box->y, side, side);
  } else if (lock->n_readers > 0) {
    tophash_palette_set_source (context->palette, cr, ROLE_LOCK);
    cairo_arc (cr, x + side / 2, box->y + side / 2, side / 2, 0, 2 * G_PI);
    cairo_fill (cr);
  }
}

static void
paint_column (cairo_t            *cr,
              const PaintContext *context,
              const ShardUse     *use,
              guint               shard,
              const StageRect    *item) {
  const StateTable *table = map_state_shard (context->layout->state, shard);
  const StateLock *lock = use->locks[shard];
  double y = item->y + MARK_HEIGHT + 1;

  fill (cr, context, ROLE_QUIET, item->x, y, item->width, LOAD_HEIGHT);
  if (table != NULL && table->buckets != NULL && table->count > 0) {
    double load = (double)table->count / state_array_n_main (table->buckets);
    double height = CLAMP (round (LOAD_HEIGHT * load / state_table_load_limit (table)), 1,
                           LOAD_HEIGHT);

    fill (cr, context, ROLE_LIVE, item->x, y + LOAD_HEIGHT - height, item->width,
          height);
  }
  y += LOAD_HEIGHT + 1;
  fill (cr, context, ROLE_QUIET, item->x, y, item->width, USE_HEIGHT);
  if (lock == NULL)
    return;
  if (use->most_uses > 0) {
    double unit = (double)USE_HEIGHT / (double)use->most_uses;
    double all = ceil (unit * (double)uses_of (lock));
    double writes = round (unit * (double)lock->n_acquired);

    fill (cr, context, ROLE_OP_LOAD, item->x, y, item->width, all);
    fill (cr, context, ROLE_MOVES_UP, item->x, y, item->width, writes);
  }
  y += USE_HEIGHT + 1;
  if (lock->n_waited > 0) {
    paint_set_role (context, cr, ROLE_WAIT,
                    0.25 + 0.75 * (double)lock->n_waited
                             / (double)use->most_waits);
    cairo_rectangle (cr, item->x, y, item->width, WAIT_HEIGHT);
    cairo_fill (cr);
  }
  y += WAIT_HEIGHT + 1;
  paint_lock_mark (cr, context, lock,
                   &(StageRect) { item->x, y, item->width,
                                  item->y + item->height - y });
}

static void
paint_cell (cairo_t            *cr,
            const PaintContext *context,
            const ShardUse     *use,
            guint               shard,
            const StageRect    *item) {
  const StateLock *lock = use->locks[shard];
  double share = use->most_uses > 0
                   ? (double)uses_of (lock) / (double)use->most_uses : 0;

  fill (cr, context, ROLE_QUIET, item->x, item->y, item->width, item->height);
  if (share > 0) {
    paint_set_role (context, cr, ROLE_LIVE, 0.15 + 0.85 * share);
    cairo_rectangle (cr, item->x, item->y, item->width, item->height);
    cairo_fill (cr);
  }
  if (lock != NULL && lock->n_waited > 0) {
    double foot = MAX (2, round (item->height / 4));

    paint_set_role (context, cr, ROLE_WAIT,
                    0.3 + 0.7 * (double)lock->n_waited
                            / (double)use->most_waits);
    cairo_rectangle (cr, item->x, item->y + item->height - foot, item->width,
                     foot);
    cairo_fill (cr);
  }
  if (lock == NULL
      || (lock->owner < 0 && lock->n_readers == 0 && lock->n_queue == 0))
    return;
  tophash_palette_set_source (context->palette, cr,
                              lock->n_queue > 0 ? ROLE_WAIT : ROLE_LOCK);
  cairo_set_line_width (cr, 2);
  cairo_rectangle (cr, item->x, item->y, item->width, item->height);
  cairo_stroke (cr);
}

static void
paint_hot (cairo_t            *cr,
           const PaintContext *context,
           const StageRect    *item,
           gboolean            is_bar) {
  double x = item->x + item->width / 2;
  double y = item->y + (is_bar ? MARK_HEIGHT : item->height / 2 + 3);

  tophash_palette_set_source (context->palette, cr,
                              is_bar ? ROLE_WAIT : ROLE_CARD);
  cairo_move_to (cr, x - 4, y - 6);
  cairo_line_to (cr, x + 4, y - 6);
  cairo_line_to (cr, x, y);
  cairo_close_path (cr);
  cairo_fill (cr);
}

static char *
say_hot (const ShardUse *use) {
  GString *words;

  if (use->n_hot == 0)
    return g_strdup (use->n_uses < (guint64)HOT_USES * use->n ? ""
                                                     : _("used evenly"));
  words = g_string_new (_("hot:"));
  for (guint i = 0; i < use->n_hot; i++)
    g_string_append_printf (words, i == 0 ? " #%u %.1f×" : ", #%u %.1f×",
                            use->hot[i],
                            (double)uses_of (use->locks[use->hot[i]]) * use->n
                              / (double)use->n_uses);
  return g_string_free (words, FALSE);
}

/* Returns where it begins: legends are set from the right. */
static double
paint_legend (cairo_t            *cr,
              const PaintContext *context,
              const char         *text,
              PaletteRole         role,
              double              right,
              double              middle) {
  double width;
  double height;

  tophash_draw_measure (context->draw, text, FONT_CAPTION, &width, &height);
  tophash_palette_set_source (context->palette, cr, ROLE_TEXT_DIM);
  tophash_draw_text (context->draw, cr, text, FONT_CAPTION, right, middle, 1, 0.5,
                     0);
  fill (cr, context, role, right - ceil (width) - 14, middle - 5, 10, 10);
  return right - ceil (width) - 26;
}

static void
paint_head (cairo_t            *cr,
            const PaintContext *context,
            const StageCard    *card,
            const ShardUse     *use) {
  double x = card->frame.x + PADDING;
  double middle = card->frame.y + 22;
  double end = card->frame.x + card->frame.width - PADDING;
  g_autofree char *title
    = g_strdup_printf (ngettext ("%u shard", "%u shards", use->n), use->n);
  g_autofree char *hot = say_hot (use);
  double width;
  double height;

  tophash_palette_set_source (context->palette, cr, ROLE_TEXT);
  tophash_draw_text (context->draw, cr, title, FONT_HEADING, x, middle, 0, 0.5,
                     end - x);
  tophash_draw_measure (context->draw, title, FONT_HEADING, &width, &height);
  x += width + 14;
  tophash_draw_text (context->draw, cr, hot, FONT_CAPTION, x, middle, 0, 0.5,
                     MAX (end - x, 20));
  tophash_draw_measure (context->draw, hot, FONT_CAPTION, &width, &height);
  x += width + 24;
  if (card->item_height == card->item_width) {
    if (end - x < 160)
      return;
    end = paint_legend (cr, context, _("waits"), ROLE_WAIT, end, middle);
    paint_legend (cr, context, _("use"), ROLE_LIVE, end, middle);
    return;
  }
  if (end - x < 300)
    return;
  end = paint_legend (cr, context, _("waits"), ROLE_WAIT, end, middle);
  end = paint_legend (cr, context, _("writes"), ROLE_MOVES_UP, end, middle);
  end = paint_legend (cr, context, _("reads"), ROLE_OP_LOAD, end, middle);
  paint_legend (cr, context, _("load"), ROLE_LIVE, end, middle);
}

void
paint_shard_strip (cairo_t            *cr,
                   const PaintContext *context,
                   const StageCard    *card) {
  gboolean is_bar = card->item_height != card->item_width;
  StageRect item;
  ShardUse use;

  measure_use (context->layout->state, &use);
  paint_card_frame (cr, context, &card->frame, FALSE);
  paint_head (cr, context, card, &use);
  for (guint i = 0; i < use.n && stage_card_item (card, i, &item); i++)
    if (is_bar)
      paint_column (cr, context, &use, i, &item);
    else
      paint_cell (cr, context, &use, i, &item);
  for (guint i = 0; i < use.n_hot; i++)
    if (stage_card_item (card, use.hot[i], &item))
      paint_hot (cr, context, &item, is_bar);
}
