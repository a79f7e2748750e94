/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-map-view-words.c — the stage for those who hear it
 *
 * The label is the map as a whole, the description what the last event did and what
 * is selected. Both are kept still while the cursor moves by itself.
 */
#include "widgets/tophash-map-view-private.h"

#include "widgets/event-words.h"
#include "widgets/slot-words.h"
#include "widgets/strip-words.h"

#include <glib/gi18n.h>

static StageCardKind
kind_of_role (const StateTable *table) {
  switch (table->role) {
  case TABLE_ROLE_READ:
    return CARD_READ;
  case TABLE_ROLE_DIRTY:
    return CARD_DIRTY;
  case TABLE_ROLE_SUPERSEDED:
    return CARD_GHOST;
  case TABLE_ROLE_ONLY:
  case TABLE_ROLE_SHARD:
  case TABLE_ROLE_NONE:
    break;
  }
  return CARD_BUCKETS;
}

/* The selection in words; NULL when it is not on stage. */
static char *
describe_selection (TophashMapView *self) {
  const TophashSelection *selection
    = tophash_session_get_selection (self->session);
  const MapState *state = tophash_session_get_state (self->session);
  const StateTable *table;
  StageHit hit = { 0 };
  StageCard card = { 0 };
  g_autofree char *words = NULL;

  if (selection == NULL || state == NULL)
    return NULL;
  if (selection->kind != SELECTION_SLOT)
    return item_words_new (state, selection);
  table = map_state_find_table (state, selection->table,
                                selection->table_created_ver);
  if (table == NULL || selection->slot >= BUCKET_SLOTS)
    return NULL;
  card.kind = selection->in_old ? CARD_OLDBUCKETS : kind_of_role (table);
  card.table = table;
  card.in_old = selection->in_old;
  card.array = selection->in_old ? table->oldbuckets : table->buckets;
  card.buckets = g_array_new (FALSE, FALSE, sizeof (StageBucket));
  hit = (StageHit) { &card, TRUE, selection->bucket, selection->bucket,
                     selection->slot };
  words = slot_words_new (state, &hit, self->key_format);
  g_array_unref (card.buckets);
  return g_steal_pointer (&words);
}

/* The tables, the one lock there is, and who looks at the past. */
static char *
describe_stage (const MapState *state) {
  g_autofree char *tables = stage_words_new (state);
  guint n_views = map_state_n_snapshots (state);
  GString *words = g_string_new (tables);

  if (map_state_n_shards (state) == 0 && map_state_n_locks (state) > 0) {
    g_autofree char *lock = lock_words_new (state, map_state_lock (state, 0));

    g_string_append_printf (words, "; mu: %s", lock);
  }
  if (n_views > 0)
    g_string_append_printf (words, ngettext ("; %u view open", "; %u views open",
                                             n_views), n_views);
  return g_string_free (words, FALSE);
}

void
tophash_map_view_update_accessible (TophashMapView *self) {
  const MapState *state
    = self->session != NULL ? tophash_session_get_state (self->session) : NULL;
  g_autofree char *label = state != NULL ? describe_stage (state)
                                         : g_strdup (_("no recording yet"));
  g_autofree char *selected = self->session != NULL ? describe_selection (self)
                                                    : NULL;
  g_autofree char *event
    = state != NULL ? event_words_new (self->session) : NULL;
  g_autofree char *words = NULL;

  if (selected == NULL)
    selected = g_strdup (_("Shift and the arrow keys select a slot, a lock, a view "
                           "or a shard."));
  words = event != NULL ? g_strjoin ("\n", event, selected, NULL)
                        : g_strdup (selected);
  gtk_accessible_update_property (
    GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
    GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, words, -1);
}
