/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-syncmap.c — the two tables of a sync.Map
 *
 * read and dirty stand side by side as the tables they are; the lock that dirty
 * needs stands above them, read has the amended lamp. A nil dirty is an empty dashed
 * card.
 *
 * Promotion   No entry is copied: a pointer moves. So the dirty card as it was
 *             glides to the place of read, its title changing half way, while
 *             the old read fades behind it. The card that glides is painted
 *             from the new state, in which its table already is read.
 * Ghosts      A superseded read that an open Range still walks keeps a dashed
 *             card of its own until the Range ends.
 */
#include "widgets/paint-syncmap.h"

#include "widgets/paint-gomap.h"
#include "widgets/paint-table.h"

#include <glib/gi18n.h>

static char *
say_table (const StateTable *table,
           const char       *guarded) {
  guint n_main = table->buckets != NULL ? state_array_n_main (table->buckets) : 0;
  g_autofree char *n = tophash_draw_format_count (n_main);
  g_autofree char *n_entries = tophash_draw_format_count (table->count);
  g_autofree char *buckets
    = g_strdup_printf (ngettext ("%s bucket", "%s buckets", n_main), n);
  g_autofree char *entries
    = g_strdup_printf (ngettext ("%s entry", "%s entries", table->count),
                       n_entries);

  /* Translators: buckets · entries · what guards the table */
  return g_strdup_printf (_("%s · %s · %s"), buckets, entries, guarded);
}

static void
paint_read (cairo_t            *cr,
            const PaintContext *context,
            const StageCard    *card,
            const char         *title) {
  g_autofree char *facts = card->table != NULL
    ? say_table (card->table, _("atomic pointer, no lock"))
    : g_strdup (_("atomic pointer, no lock"));
  gboolean is_lit = map_state_is_amended (context->layout->state);
  TableHead head = {
    .title = title,
    .facts = facts,
    .lamp = is_lit ? _("amended") : _("not amended"),
    .is_lit = is_lit,
  };

  paint_card_frame (cr, context, &card->frame, card->array == NULL);
  paint_table_head (cr, context, card, &head);
  if (card->array != NULL)
    paint_table_body (cr, context, card);
  else
    paint_table_nil (cr, context, card, _("empty: no key yet"));
}

static void
paint_dirty (cairo_t            *cr,
             const PaintContext *context,
             const StageCard    *card) {
  g_autofree char *facts = card->table != NULL
    ? say_table (card->table, _("owned by mu"))
    : g_strdup (_("owned by mu"));
  TableHead head = { .title = _("dirty"), .facts = facts };

  paint_card_frame (cr, context, &card->frame, card->table == NULL);
  paint_table_head (cr, context, card, &head);
  if (card->array != NULL)
    paint_table_body (cr, context, card);
  else
    paint_table_nil (cr, context, card,
                     card->table == NULL ? _("nil: no copy yet")
                                         : _("empty: no key yet"));
}

static void
paint_ghost (cairo_t            *cr,
             const PaintContext *context,
             const StageCard    *card) {
  g_autofree char *title = card->table->promotion > 0
    ? g_strdup_printf (_("read of promotion %u"), card->table->promotion)
    : g_strdup (_("the first read"));
  g_autofree char *kept = g_strdup_printf (_("kept by Range #%u until it ends"),
                                           card->iter->id);
  g_autofree char *facts = say_table (card->table, kept);
  TableHead head = { .title = title, .facts = facts };

  paint_card_frame (cr, context, &card->frame, TRUE);
  paint_table_head (cr, context, card, &head);
  cairo_push_group (cr);
  paint_table_body (cr, context, card);
  cairo_pop_group_to_source (cr);
  cairo_paint_with_alpha (cr, 0.75);
}

static void
paint_card (cairo_t            *cr,
            const PaintContext *context,
            const StageCard    *card,
            const char         *read_title) {
  switch (card->kind) {
  case CARD_READ:
    paint_read (cr, context, card, read_title);
    break;
  case CARD_DIRTY:
    paint_dirty (cr, context, card);
    break;
  case CARD_GHOST:
    paint_ghost (cr, context, card);
    break;
  case CARD_OLDBUCKETS:
    paint_gomap_old (cr, context, card,
                     card->table->role == TABLE_ROLE_DIRTY
                       ? _("oldbuckets of dirty") : _("oldbuckets of read"));
    break;
  case CARD_BUCKETS:
  case CARD_RANGE:
  case CARD_LOCK:
  case CARD_VIEWS:
  case CARD_SHARDS:
  case CARD_CHAINS:
    break;
  }
}

gboolean
paint_syncmap_promoted (const StageLayout *before,
                        const StageLayout *after) {
  const StateTable *dirty;
  const StateTable *read;

  if (before->kind != STAGE_SYNCMAP || after->kind != STAGE_SYNCMAP)
    return FALSE;
  dirty = map_state_table_for (before->state, TABLE_ROLE_DIRTY);
  read = map_state_table_for (after->state, TABLE_ROLE_READ);
  return dirty != NULL && read != NULL && dirty->id == read->id
         && dirty->created_ver == read->created_ver;
}

static void
paint_faded (cairo_t            *cr,
             const PaintContext *context,
             const StageCard    *card,
             double              alpha) {
  if (card == NULL || alpha <= 0)
    return;
  cairo_push_group (cr);
  paint_card (cr, context, card, _("read"));
  cairo_pop_group_to_source (cr);
  cairo_paint_with_alpha (cr, alpha);
}

static void
paint_promotion (cairo_t            *cr,
                 const PaintContext *context) {
  PaintContext before = *context;
  const StageCard *from = stage_layout_find_card (context->previous, CARD_DIRTY);
  const StageCard *to = stage_layout_find_card (context->layout, CARD_READ);
  double left = 1 - context->progress;

  before.layout = context->previous;
  before.previous = NULL;
  before.selection = NULL;
  before.hover = NULL;
  paint_faded (cr, &before,
               stage_layout_find_card (context->previous, CARD_READ),
               0.55 * left);
  paint_faded (cr, context,
               stage_layout_find_card (context->layout, CARD_DIRTY),
               context->progress);
  if (from == NULL || to == NULL)
    return;
  cairo_save (cr);
  cairo_translate (cr, (int)((from->frame.x - to->frame.x) * left),
                   (int)((from->frame.y - to->frame.y) * left));
  paint_card (cr, context, to, left > 0.5 ? _("dirty") : _("read"));
  cairo_restore (cr);
}

void
paint_syncmap (cairo_t            *cr,
               const PaintContext *context) {
  gboolean is_moving = context->previous != NULL && context->progress < 1
                       && paint_syncmap_promoted (context->previous,
                                                  context->layout);

  for (guint i = 0; i < context->layout->cards->len; i++) {
    const StageCard *card = stage_layout_card (context->layout, i);

    if (!is_moving || (card->kind != CARD_READ && card->kind != CARD_DIRTY))
      paint_card (cr, context, card, _("read"));
  }
  if (is_moving)
    paint_promotion (cr, context);
}
