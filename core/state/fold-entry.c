/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fold-entry.c — entries, and which tables read and dirty are
 *
 * Counting    How many keys are live cannot be read off a header: read keeps
 *             deleted keys, dirty lacks the expunged ones. It is counted as
 *             events go by: n_live, n_nil and n_expunged are the entries in
 *             those states that read or dirty reach. An entry is reached from
 *             the moment a slot is given to it until
 *               - its slot is cleared from dirty (LoadAndDelete of a key that
 *                 read lacks): its epoch becomes 0,
 *               - the map is cleared: the map's epoch moves on, or
 *               - a promotion replaces read by dirty, which never holds an
 *                 expunged entry: expunged_in tells those from later ones.
 *             By sync.Map's invariant dirty holds every entry of read that is
 *             not expunged, so no other way leads out.
 */
#include "core/state/fold-private.h"

static EntryRecord *
edit_entry (Fold   *self,
            guint32 id) {
  EntryRecord *record;

  record = chunk_vec_edit (&self->state->entries, id, &self->budget);
  if (record != NULL && !record->is_known) {
    record->is_known = TRUE;
    record->state = ENTRY_NIL;
  }
  return record;
}

/* Adds @step to the count that the entry is in, if it is in one. */
static void
count_entry (MapState          *state,
             const EntryRecord *record,
             int                step) {
  if (record->epoch != state->epoch)
    return;
  switch ((EntryState)record->state) {
  case ENTRY_VALUE:
    if (record->is_deleted)
      state->n_nil += (guint64)step;
    else
      state->n_live += (guint64)step;
    break;
  case ENTRY_NIL:
    state->n_nil += (guint64)step;
    break;
  case ENTRY_EXPUNGED:
    if (record->expunged_in == (guint32)state->counters.n_promotions)
      state->n_expunged += (guint64)step;
    break;
  }
}

void
fold_entry_placed (Fold   *self,
                   guint32 id,
                   gint64  key) {
  EntryRecord *record = edit_entry (self, id);

  if (record == NULL)
    return;
  record->key = key;
  if (record->epoch != self->state->epoch) {
    record->epoch = self->state->epoch;
    count_entry (self->state, record, 1);
  }
}

void
fold_entry_removed (Fold   *self,
                    guint32 id) {
  EntryRecord *record = edit_entry (self, id);

  if (record == NULL)
    return;
  count_entry (self->state, record, -1);
  record->epoch = 0;
}

/* What the event's thread has told of the version that it puts into an entry. Other
 * threads' facts about the version's next life may have come already: an entry's
 * events wait for those before them, facts about versions for nothing. */
static FoldWritten
find_written (Fold                *self,
              const Event         *event,
              const VersionRecord *version) {
  FoldWritten written = self->written[MIN (event->thread, FOLD_MAX_THREADS)];

  if (written.generation == 0 || written.id != event->a)
    written = (FoldWritten){ (guint32)event->a, version->generation,
                             version->is_deleted };
  return written;
}

/* Puts a version in front of an entry's chain. TRUE: it says deleted. */
static gboolean
put_in_front (Fold        *self,
              const Event *event,
              EntryRecord *record) {
  MapState *state = self->state;
  guint64 before = record->state == ENTRY_VALUE ? (guint64)record->value + 1 : 0;
  VersionRecord *version = NULL;
  FoldWritten written;

  record->value = ENTRY_NO_VERSION;
  if (event->a < FOLD_MAX_VERSIONS)
    version = chunk_vec_edit (&state->versions, (guint32)event->a, &self->budget);
  if (version == NULL) {
    fold_fault (self, event, "there is no version %" G_GUINT64_FORMAT, event->a);
    return FALSE;
  }
  written = find_written (self, event, version);
  record->value = (gint64)(written.id | (guint64)written.generation << 32);
  if (version->generation != written.generation)
    return written.is_deleted;
  if (!version->is_in_chain && !version->is_retired) {
    version->is_in_chain = TRUE;
    state->n_in_chains++;
  }
  version->older = (guint32)before;
  version->older_generation = (guint32)(before >> 32);
  return version->is_deleted;
}

static void
leave_chain (MapState      *state,
             VersionRecord *version) {
  if (version->is_in_chain)
    state->n_in_chains--;
  version->is_in_chain = FALSE;
}

/* Facts about a version come from any thread: a newer generation wins. */
void
fold_version (Fold        *self,
              const Event *event) {
  VersionRecord *version = NULL;

  if (event->res < FOLD_MAX_VERSIONS)
    version = chunk_vec_edit (&self->state->versions, event->res, &self->budget);
  if (version == NULL) {
    fold_fault (self, event, "there is no version %u", event->res);
    return;
  }
  if (event->kind == EVENT_VERSION_WRITTEN)
    self->written[MIN (event->thread, FOLD_MAX_THREADS)]
      = (FoldWritten){ event->res, event->ver, event->aux8 != 0 };
  if (version->generation != event->ver) {
    if ((gint32)(event->ver - version->generation) < 0)
      return;
    leave_chain (self->state, version);
    *version = (VersionRecord){ .generation = event->ver };
  }
  if (event->kind == EVENT_VERSION_STAMPED) {
    version->stamp = event->a;
    self->state->clock = MAX (self->state->clock, event->a);
  } else if (event->kind == EVENT_VERSION_RETIRED) {
    version->is_retired = TRUE;
    leave_chain (self->state, version);
  } else {
    version->is_deleted = event->aux8 != 0;
    version->value = (gint64)event->a;
    version->key = (gint64)event->b;
  }
}

void
fold_entry_changed (Fold        *self,
                    const Event *event,
                    EntryState   now) {
  EntryRecord *record = edit_entry (self, event->res);

  if (record == NULL) {
    fold_fault (self, event, "no room for entry %u", event->res);
    return;
  }
  count_entry (self->state, record, -1);
  record->is_deleted = FALSE;
  if (now == ENTRY_VALUE && self->state->has_versions)
    record->is_deleted = put_in_front (self, event, record);
  else if (now == ENTRY_VALUE)
    record->value = (gint64)event->a;
  record->state = (guint8)now;
  record->version = event->ver & ENTRY_VERSION_MASK;
  if (now == ENTRY_EXPUNGED) {
    record->expunged_in = (guint32)self->state->counters.n_promotions;
    self->state->counters.n_expunged++;
  }
  count_entry (self->state, record, 1);
}

static void
supersede (Fold     *self,
           TableRole role) {
  MapState *state = self->state;

  for (guint i = state->n_tables; i > 0; i--) {
    StateTable *table = &state->tables[i - 1];

    if (table->role != role)
      continue;
    table->role = TABLE_ROLE_SUPERSEDED;
    table->superseded_at = state->n_events;
    fold_drop_if_freed (self, i - 1);
  }
}

/* Gives the event's table a role; NULL after a fault. */
static StateTable *
take_role (Fold        *self,
           const Event *event,
           TableRole    role) {
  StateTable *table = fold_find_table (self, event->aux16);

  if (table != NULL && table->role == role)
    return table;
  if (table != NULL) {
    /* Out of the way of supersede(), which may also move it. */
    table->role = TABLE_ROLE_NONE;
    supersede (self, role);
    table = fold_find_table (self, event->aux16);
  }
  if (table == NULL) {
    fold_fault (self, event, "there is no table %u", event->aux16);
    return NULL;
  }
  table->role = role;
  return table;
}

void
fold_table_named (Fold        *self,
                  const Event *event) {
  StateTable *table;

  if (event->aux8 == 0) {
    take_role (self, event, TABLE_ROLE_ONLY);
    return;
  }
  table = fold_find_table (self, event->aux16);
  if (table == NULL || event->res >= FOLD_MAX_LOCKS) {
    fold_fault (self, event, "there is no table %u for shard %u", event->aux16,
                event->res);
    return;
  }
  /* The shards of a map stand side by side: none takes another's place. */
  table->role = TABLE_ROLE_SHARD;
  table->shard = event->res;
}

/* A map's first read, or the empty one of a Clear: what read and dirty held is
 * out of reach. */
void
fold_read_published (Fold        *self,
                     const Event *event) {
  MapState *state = self->state;

  if (state->has_read_and_dirty)
    state->counters.n_cleared++;
  state->has_read_and_dirty = TRUE;
  if (take_role (self, event, TABLE_ROLE_READ) == NULL)
    return;
  state->is_amended = FALSE;
  state->epoch++;
  state->n_live = 0;
  state->n_nil = 0;
  state->n_expunged = 0;
}

void
fold_dirty_created (Fold        *self,
                    const Event *event) {
  if (take_role (self, event, TABLE_ROLE_DIRTY) == NULL)
    return;
  self->state->has_read_and_dirty = TRUE;
  self->state->counters.n_copies++;
}

void
fold_dirty_copied (Fold        *self,
                   const Event *event) {
  StateCounters *counters = &self->state->counters;

  counters->n_copied += event->res;
  counters->copy_ns += event->b;
  if (event->b != 0)
    counters->last_copy_ns = event->b;
}

void
fold_dirty_dropped (Fold        *self,
                    const Event *event) {
  StateTable *table = fold_find_table (self, event->aux16);

  if (table == NULL || table->role != TABLE_ROLE_DIRTY)
    fold_fault (self, event, "wanted dirty, found table %u", event->aux16);
  else
    supersede (self, TABLE_ROLE_DIRTY);
}

void
fold_dirty_promoted (Fold        *self,
                     const Event *event) {
  MapState *state = self->state;
  StateTable *table = take_role (self, event, TABLE_ROLE_READ);

  if (table == NULL)
    return;
  table->promotion = (guint32)++state->counters.n_promotions;
  state->counters.promotion_ns += event->b;
  if (event->b != 0)
    state->counters.last_promotion_ns = event->b;
  state->is_amended = FALSE;
  state->misses = 0;
  state->n_expunged = 0;
}
