/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fold-table.c — tables: their making and end, headers, single slots
 *
 * Bucket indices are those of event.h: main buckets first, then overflow in the
 * order of linking. A link therefore always points to a greater index, chains
 * cannot form circles, and the n-th overflow bucket needs no search. Each
 * overflow bucket also remembers who links to it, for the walk below.
 *
 * Clearing    Go's rule: the slot becomes emptyOne; if what follows it in the
 *             chain is emptyRest (or nothing follows), it and every emptyOne
 *             right before it, across buckets, become emptyRest. Each step of
 *             the walk turns one emptyOne for good, so its cost is paid for by
 *             the delete that made it.
 *
 * Keys        An overwrite tells the key that its slot has got already. Writing it
 *             again would touch a line of memory for nothing, so that is done only
 *             where events are missing.
 */
#include "core/state/fold-private.h"

#include <string.h>

/* Drops an array and returns its bytes to the budget. */
static void
drop_array (Fold              *self,
            const StateArray **array) {
  if (*array == NULL)
    return;
  self->budget.bytes_made -= MIN (self->budget.bytes_made,
                                  (*array)->buckets.bytes);
  state_array_unref (*array);
  *array = NULL;
}

/* The array as ours alone. */
static StateArray *
edit_array (const StateArray **array) {
  StateArray *present = (StateArray *)*array;

  if (g_atomic_int_get (&present->ref_count) != 1) {
    StateArray *copy = state_array_new (present->n_main);

    copy->n_buckets = present->n_buckets;
    chunk_vec_share (&copy->buckets, &present->buckets);
    state_array_unref (present);
    *array = present = copy;
  }
  return present;
}

/* The bucket for writing, marked as touched; NULL: out of bounds or memory. */
BucketRecord *
fold_edit_bucket (Fold              *self,
                  const StateArray **array,
                  guint32            index) {
  StateArray *present;
  BucketRecord *record;

  if (*array == NULL || index >= (*array)->n_buckets)
    return NULL;
  present = edit_array (array);
  record = chunk_vec_edit (&present->buckets, index, &self->budget);
  if (record != NULL)
    record->shown.touched = (guint32)self->state->n_events + 1;
  return record;
}

/* Gives the last bucket of a chain in table->buckets, @index, a next one. */
gboolean
fold_link_bucket (Fold       *self,
                  StateTable *table,
                  guint32     index) {
  BucketRecord *record = fold_edit_bucket (self, &table->buckets, index);
  StateArray *array = (StateArray *)table->buckets;
  BucketRecord *next;
  guint32 next_index;

  if (record == NULL || record->shown.overflow != 0
      || array->n_buckets >= FOLD_MAX_BUCKETS)
    return FALSE;
  next_index = array->n_buckets++;
  next = fold_edit_bucket (self, &table->buckets, next_index);
  if (next == NULL) {
    array->n_buckets--;
    return FALSE;
  }
  next->previous = index;
  record->shown.overflow = next_index;
  /* From B = 16 on Go counts at random and the engine tells the result. */
  if (table->B < 16)
    table->noverflow++;
  return TRUE;
}

void
fold_table_created (Fold        *self,
                    const Event *event) {
  MapState *state = self->state;
  StateTable *table;

  if (state->n_tables >= FOLD_MAX_TABLES || event->aux8 > FOLD_MAX_B) {
    fold_fault (self, event, "wanted B up to %u and %u tables, found B %u",
                FOLD_MAX_B, FOLD_MAX_TABLES, event->aux8);
    return;
  }
  if (state->n_tables == state->tables_room) {
    state->tables_room = MAX (8, state->tables_room * 2);
    state->tables = g_renew (StateTable, state->tables, state->tables_room);
  }
  /* An older table of the same id may still await its TABLE_FREED, which
   * another thread tells: it stays, known by its created_ver. */
  table = &state->tables[state->n_tables++];
  memset (table, 0, sizeof *table);
  self->table_at[event->aux16] = (guint16)state->n_tables;
  table->id = event->aux16;
  table->created_ver = event->ver;
  table->created_at = state->n_events;
  table->flags_table = event->res;
  if (event->res & TABLE_HOLDS_VERSIONS)
    state->has_versions = TRUE;
  table->B = event->aux8;
  table->hash0 = event->a;
  table->domain = (guint32)event->b;
  table->hash_kind = (int)(event->b >> 32 & G_MAXINT);
  if (!(event->res & TABLE_IS_LAZY))
    table->buckets = state_array_new (1u << table->B);
}

/* The event's table; NULL after a fault. */
static StateTable *
find_table (Fold        *self,
            const Event *event) {
  StateTable *table = fold_find_table (self, event->aux16);

  if (G_UNLIKELY (table == NULL))
    fold_fault (self, event, "there is no table %u", event->aux16);
  return table;
}

void
fold_table_allocated (Fold        *self,
                      const Event *event) {
  StateTable *table = find_table (self, event);

  if (table == NULL)
    return;
  if (table->buckets != NULL)
    fold_fault (self, event, "table %u has buckets already", table->id);
  else
    table->buckets = state_array_new (1u << table->B);
}

static void
drop_table (Fold *self,
            guint place) {
  MapState *state = self->state;
  guint16 id = state->tables[place].id;

  drop_array (self, &state->tables[place].buckets);
  drop_array (self, &state->tables[place].oldbuckets);
  if (self->table_at[id] == place + 1)
    self->table_at[id] = 0;
  state->n_tables--;
  memmove (&state->tables[place], &state->tables[place + 1],
           (state->n_tables - place) * sizeof (StateTable));
  for (guint i = place; i < state->n_tables; i++)
    if (self->table_at[state->tables[i].id] == i + 2)
      self->table_at[state->tables[i].id] = (guint16)(i + 1);
}

gboolean
fold_drop_if_freed (Fold *self,
                    guint place) {
  MapState *state = self->state;
  const StateTable *table = &state->tables[place];

  for (guint i = 0; i < state->n_frees; i++)
    if (state->frees[i].id == table->id
        && state->frees[i].created_ver == table->created_ver) {
      state->frees[i] = state->frees[--state->n_frees];
      drop_table (self, place);
      return TRUE;
    }
  return FALSE;
}

/* Freeing is told by whoever does it, under no lock and with the stamp of an
 * operation that may have begun long before: the event can stand before those
 * that superseded or even made the table. It is then put off. */
void
fold_table_freed (Fold        *self,
                  const Event *event) {
  MapState *state = self->state;
  guint place = state->n_tables;

  while (place > 0
         && (state->tables[place - 1].id != event->aux16
             || state->tables[place - 1].created_ver != event->res))
    place--;
  if (place > 0 && state->tables[place - 1].role == TABLE_ROLE_SUPERSEDED) {
    drop_table (self, place - 1);
    return;
  }
  if (state->n_frees >= FOLD_MAX_FREES) {
    fold_fault (self, event, "there is no table %u of version %u",
                event->aux16, event->res);
    return;
  }
  if (state->n_frees == state->frees_room) {
    state->frees_room = MAX (8, state->frees_room * 2);
    state->frees = g_renew (EarlyFree, state->frees, state->frees_room);
  }
  state->frees[state->n_frees].id = event->aux16;
  state->frees[state->n_frees++].created_ver = event->res;
}

void
fold_table_cleared (Fold        *self,
                    const Event *event) {
  StateTable *table = find_table (self, event);

  if (table == NULL)
    return;
  if (table->buckets != NULL) {
    guint32 n_main = table->buckets->n_main;

    drop_array (self, &table->buckets);
    table->buckets = state_array_new (n_main);
  }
  drop_array (self, &table->oldbuckets);
  table->count = 0;
  table->noverflow = 0;
  table->nevacuate = 0;
  table->n_evacuated = 0;
  table->flags &= (guint8)~GOMAP_FLAG_SAME_SIZE_GROW;
  table->hash0 = event->a;
  self->has_ends = FALSE;
  if (table->role == TABLE_ROLE_ONLY)
    self->state->counters.n_cleared++;
  else if (table->role == TABLE_ROLE_SHARD)
    fold_count_clear (self, event);
}

/* One field of the header, by kind. */
void
fold_table_header (Fold        *self,
                   const Event *event) {
  StateTable *table = find_table (self, event);

  if (table == NULL)
    return;
  if (event->kind == EVENT_TABLE_RESEEDED)
    table->hash0 = event->a;
  else if (event->kind == EVENT_TABLE_FLAGS_CHANGED)
    table->flags = event->aux8;
  else if (event->kind == EVENT_EVACUATION_ADVANCED)
    table->nevacuate = event->res;
  else
    table->noverflow = event->res;
}

/* The bucket of the event's slot address; NULL after a fault. */
static BucketRecord *
find_slot (Fold        *self,
           const Event *event,
           StateTable  *table) {
  BucketRecord *record;

  record = fold_edit_bucket (self, &table->buckets, event->res / BUCKET_SLOTS);
  if (G_UNLIKELY (record == NULL))
    fold_fault (self, event, "wanted a bucket below %u of table %u, found %u",
                table->buckets != NULL ? table->buckets->n_buckets : 0,
                table->id, event->res / BUCKET_SLOTS);
  return record;
}

void
fold_slot_written (Fold        *self,
                   const Event *event) {
  StateTable *table = find_table (self, event);
  guint slot = event->res % BUCKET_SLOTS;
  BucketRecord *record;

  if (table == NULL || (record = find_slot (self, event, table)) == NULL)
    return;
  if (event->aux8 < TOPHASH_MIN
      || record->shown.tophash[slot] > TOPHASH_EMPTY_ONE) {
    fold_fault (self, event, "wanted an empty slot and a tophash from %d, "
                             "found %u and %u",
                TOPHASH_MIN, record->shown.tophash[slot], event->aux8);
    return;
  }
  record->shown.tophash[slot] = event->aux8;
  record->shown.keys[slot] = (gint64)event->a;
  record->shown.elems[slot] = event->b;
  table->count++;
  self->has_ends = FALSE;
  if (table->flags_table & TABLE_HOLDS_ENTRIES)
    fold_entry_placed (self, (guint32)event->b, (gint64)event->a);
}

void
fold_slot_updated (Fold        *self,
                   const Event *event) {
  StateTable *table = find_table (self, event);
  guint slot = event->res % BUCKET_SLOTS;
  BucketRecord *record;

  if (table == NULL || (record = find_slot (self, event, table)) == NULL)
    return;
  if (record->shown.tophash[slot] < TOPHASH_MIN) {
    fold_fault (self, event, "slot %u holds no key", event->res);
    return;
  }
  if (self->state->counters.n_dropped > 0)
    record->shown.keys[slot] = (gint64)event->a;
  record->shown.elems[slot] = event->b;
  if (table->flags_table & TABLE_HOLDS_ENTRIES)
    fold_entry_placed (self, (guint32)event->b, (gint64)event->a);
}

/* What follows slot @slot of @record in its chain. */
static guint8
tophash_after (const StateTable   *table,
               const BucketRecord *record,
               guint               slot) {
  if (slot + 1 < BUCKET_SLOTS)
    return record->shown.tophash[slot + 1];
  if (record->shown.overflow == 0)
    return TOPHASH_EMPTY_REST;
  return state_array_bucket (table->buckets, record->shown.overflow)->tophash[0];
}

/* Turns emptyOne into emptyRest backwards from a slot that nothing follows. */
static void
run_back (Fold         *self,
          StateTable   *table,
          BucketRecord *record,
          guint32       index,
          guint         slot) {
  while (record->shown.tophash[slot] == TOPHASH_EMPTY_ONE) {
    record->shown.tophash[slot] = TOPHASH_EMPTY_REST;
    if (slot > 0) {
      slot--;
      continue;
    }
    if (index < table->buckets->n_main)
      return;
    index = record->previous;
    if (state_array_bucket (table->buckets, index)->tophash[BUCKET_SLOTS - 1]
        != TOPHASH_EMPTY_ONE)
      return;
    record = fold_edit_bucket (self, &table->buckets, index);
    if (record == NULL)
      return;
    slot = BUCKET_SLOTS - 1;
  }
}

void
fold_slot_cleared (Fold        *self,
                   const Event *event) {
  StateTable *table = find_table (self, event);
  guint slot = event->res % BUCKET_SLOTS;
  BucketRecord *record;
  guint64 elem;

  if (table == NULL || (record = find_slot (self, event, table)) == NULL)
    return;
  if (record->shown.tophash[slot] < TOPHASH_MIN || table->count == 0) {
    fold_fault (self, event, "slot %u holds no key", event->res);
    return;
  }
  elem = record->shown.elems[slot];
  record->shown.elems[slot] = 0;
  record->shown.tophash[slot] = TOPHASH_EMPTY_ONE;
  table->count--;
  self->has_ends = FALSE;
  if (tophash_after (table, record, slot) == TOPHASH_EMPTY_REST)
    run_back (self, table, record, event->res / BUCKET_SLOTS, slot);
  if ((table->flags_table & TABLE_HOLDS_ENTRIES)
      && table->role == TABLE_ROLE_DIRTY)
    fold_entry_removed (self, (guint32)elem);
}

void
fold_overflow_linked (Fold        *self,
                      const Event *event) {
  StateTable *table = find_table (self, event);

  if (table == NULL)
    return;
  self->has_ends = FALSE;
  if (!fold_link_bucket (self, table, event->res))
    fold_fault (self, event, "wanted the last bucket of a chain, found %u",
                event->res);
}
