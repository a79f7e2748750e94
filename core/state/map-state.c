/* SPDX-License-Identifier: GPL-3.0-or-later */

/* map-state.c — the map as it stood at one instant
 *
 * A state owns its small parts (headers, locks, threads) and holds references
 * on the chunks of its large ones (buckets, entries, marks). It is written only
 * while it is built; from then on any thread may read and release it.
 */
#include "core/state/map-state-private.h"

#include "core/base/hash.h"

#include <string.h>

static const BucketRecord empty_record;

StateArray *
state_array_new (guint32 n_main) {
  StateArray *array = g_new0 (StateArray, 1);

  array->ref_count = 1;
  array->n_main = n_main;
  array->n_buckets = n_main;
  chunk_vec_init (&array->buckets, sizeof (BucketRecord), BUCKET_LEAF_BITS);
  return array;
}

StateArray *
state_array_ref (const StateArray *array) {
  StateArray *mutable = (StateArray *)array;

  g_atomic_int_inc (&mutable->ref_count);
  return mutable;
}

void
state_array_unref (const StateArray *array) {
  StateArray *mutable = (StateArray *)array;

  if (mutable != NULL && g_atomic_int_dec_and_test (&mutable->ref_count)) {
    chunk_vec_clear (&mutable->buckets);
    g_free (mutable);
  }
}

const BucketRecord *
state_array_record (const StateArray *array,
                    guint32           index) {
  const BucketRecord *record = NULL;

  if (index < array->n_buckets)
    record = chunk_vec_get (&array->buckets, index);
  return record != NULL ? record : &empty_record;
}

guint
state_array_n_main (const StateArray *array) {
  return array->n_main;
}

guint
state_array_n_buckets (const StateArray *array) {
  return array->n_buckets;
}

const StateBucket *
state_array_bucket (const StateArray *array,
                    guint             index) {
  return &state_array_record (array, index)->shown;
}

guint32
state_array_previous (const StateArray *array,
                      guint             index) {
  return state_array_record (array, index)->previous;
}

void
iter_record_clear (IterRecord *record) {
  chunk_vec_clear (&record->marks[0]);
  chunk_vec_clear (&record->marks[1]);
}

MapState *
map_state_new (void) {
  MapState *state = g_new0 (MapState, 1);

  state->ref_count = 1;
  state->phase = -1;
  state->epoch = 1;
  chunk_vec_init (&state->entries, sizeof (EntryRecord), ENTRY_LEAF_BITS);
  chunk_vec_init (&state->versions, sizeof (VersionRecord), ENTRY_LEAF_BITS);
  return state;
}

void
map_state_disown (const MapState *state) {
  for (guint i = 0; i < state->n_tables; i++) {
    if (state->tables[i].buckets != NULL)
      chunk_vec_disown (&state->tables[i].buckets->buckets);
    if (state->tables[i].oldbuckets != NULL)
      chunk_vec_disown (&state->tables[i].oldbuckets->buckets);
  }
  for (guint i = 0; i < state->n_iters; i++)
    for (guint half = 0; half < 2; half++)
      chunk_vec_disown (&state->iters[i].marks[half]);
  chunk_vec_disown (&state->entries);
  chunk_vec_disown (&state->versions);
}

MapState *
map_state_copy (const MapState *state,
                gsize          *bytes) {
  MapState *copy;

  map_state_disown (state);
  /* All but the count, which others may be changing. */
  copy = g_new (MapState, 1);
  copy->ref_count = 1;
  memcpy (&copy->phase, &state->phase,
          sizeof *state - offsetof (MapState, phase));
  copy->tables = g_memdup2 (state->tables, sizeof *state->tables * state->n_tables);
  copy->tables_room = state->n_tables;
  for (guint i = 0; i < copy->n_tables; i++) {
    if (copy->tables[i].buckets != NULL)
      state_array_ref (copy->tables[i].buckets);
    if (copy->tables[i].oldbuckets != NULL)
      state_array_ref (copy->tables[i].oldbuckets);
  }
  copy->frees = g_memdup2 (state->frees, sizeof *state->frees * state->n_frees);
  copy->frees_room = state->n_frees;
  copy->locks = g_memdup2 (state->locks, sizeof *state->locks * state->n_locks);
  copy->locks_room = state->n_locks;
  copy->snapshots = g_memdup2 (state->snapshots,
                               sizeof *state->snapshots * state->n_snapshots);
  copy->snapshots_room = state->n_snapshots;
  copy->threads = g_memdup2 (state->threads,
                             sizeof *state->threads * state->n_threads);
  copy->threads_room = state->n_threads;
  copy->iters = g_memdup2 (state->iters, sizeof *state->iters * state->n_iters);
  copy->iters_room = state->n_iters;
  for (guint i = 0; i < copy->n_iters; i++)
    for (guint half = 0; half < 2; half++)
      chunk_vec_share (&copy->iters[i].marks[half],
                       &state->iters[i].marks[half]);
  chunk_vec_share (&copy->entries, &state->entries);
  chunk_vec_share (&copy->versions, &state->versions);

  if (bytes != NULL)
    *bytes = sizeof *copy + sizeof *copy->tables * copy->n_tables
             + sizeof *copy->locks * copy->n_locks
             + sizeof *copy->snapshots * copy->n_snapshots
             + sizeof *copy->threads * copy->n_threads
             + sizeof *copy->iters * copy->n_iters;
  return copy;
}

gsize
map_state_bytes (const MapState *state) {
  gsize bytes = state->entries.bytes + state->versions.bytes;

  for (guint i = 0; i < state->n_tables; i++) {
    if (state->tables[i].buckets != NULL)
      bytes += state->tables[i].buckets->buckets.bytes;
    if (state->tables[i].oldbuckets != NULL)
      bytes += state->tables[i].oldbuckets->buckets.bytes;
  }
  for (guint i = 0; i < state->n_iters; i++)
    bytes += state->iters[i].marks[0].bytes + state->iters[i].marks[1].bytes;
  return bytes;
}

static gsize
array_bytes_beside (const StateArray *array,
                    const StateArray *other) {
  return array == NULL || array == other
             ? 0
             : chunk_vec_bytes_beside (&array->buckets,
                                       other != NULL ? &other->buckets : NULL);
}

gsize
map_state_bytes_beside (const MapState *state,
                        const MapState *other) {
  gsize bytes;

  if (other == NULL)
    return map_state_bytes (state);
  bytes = chunk_vec_bytes_beside (&state->entries, &other->entries)
          + chunk_vec_bytes_beside (&state->versions, &other->versions);
  for (guint i = 0; i < state->n_tables; i++) {
    const StateTable *table = &state->tables[i];
    const StateTable *same = i < other->n_tables ? &other->tables[i] : NULL;

    bytes += array_bytes_beside (table->buckets,
                                 same != NULL ? same->buckets : NULL);
    /* Growth has made it of the other one. */
    bytes += array_bytes_beside (table->oldbuckets,
                                 same == NULL               ? NULL
                                 : same->oldbuckets != NULL ? same->oldbuckets
                                                            : same->buckets);
  }
  for (guint i = 0; i < state->n_iters; i++)
    for (guint half = 0; half < 2; half++)
      bytes += chunk_vec_bytes_beside (
          &state->iters[i].marks[half],
          i < other->n_iters ? &other->iters[i].marks[half] : NULL);
  return bytes;
}

MapState *
map_state_ref (const MapState *self) {
  MapState *mutable = (MapState *)self;

  g_atomic_int_inc (&mutable->ref_count);
  return mutable;
}

void
map_state_unref (const MapState *self) {
  MapState *mutable = (MapState *)self;

  if (!g_atomic_int_dec_and_test (&mutable->ref_count))
    return;
  for (guint i = 0; i < mutable->n_tables; i++) {
    state_array_unref (mutable->tables[i].buckets);
    state_array_unref (mutable->tables[i].oldbuckets);
  }
  for (guint i = 0; i < mutable->n_iters; i++)
    iter_record_clear (&mutable->iters[i]);
  chunk_vec_clear (&mutable->entries);
  chunk_vec_clear (&mutable->versions);
  g_free (mutable->tables);
  g_free (mutable->frees);
  g_free (mutable->locks);
  g_free (mutable->snapshots);
  g_free (mutable->threads);
  g_free (mutable->iters);
  g_free (mutable);
}

guint64
map_state_n_events (const MapState *self) {
  return self->n_events;
}

gint64
map_state_at_ns (const MapState *self) {
  return self->at_ns;
}

int
map_state_phase (const MapState *self) {
  return self->phase;
}

const StateCounters *
map_state_counters (const MapState *self) {
  return &self->counters;
}

guint
map_state_n_tables (const MapState *self) {
  return self->n_tables;
}

const StateTable *
map_state_table (const MapState *self,
                 guint           index) {
  g_return_val_if_fail (index < self->n_tables, NULL);
  return &self->tables[index];
}

const StateTable *
map_state_table_for (const MapState *self,
                     TableRole       role) {
  /* Newest first: the present read and dirty are the last of their kind. */
  for (guint i = self->n_tables; i > 0; i--)
    if (self->tables[i - 1].role == role)
      return &self->tables[i - 1];
  return NULL;
}

guint
map_state_n_shards (const MapState *self) {
  guint n = self->expects_shards;

  for (guint i = 0; i < self->n_tables; i++)
    if (self->tables[i].role == TABLE_ROLE_SHARD)
      n = MAX (n, self->tables[i].shard + 1);
  return n;
}

const StateTable *
map_state_shard (const MapState *self,
                 guint           shard) {
  /* Shards are made in order and stay: mostly the first look finds it. */
  for (guint i = 0; i < self->n_tables; i++) {
    const StateTable *table = &self->tables[(shard + i) % self->n_tables];

    if (table->role == TABLE_ROLE_SHARD && table->shard == shard)
      return table;
  }
  return NULL;
}

const StateTable *
map_state_find_table (const MapState *self,
                      guint16         id,
                      guint32         created_ver) {
  for (guint i = self->n_tables; i > 0; i--)
    if (self->tables[i - 1].id == id
        && self->tables[i - 1].created_ver == created_ver)
      return &self->tables[i - 1];
  return NULL;
}

gboolean
map_state_has_read_and_dirty (const MapState *self) {
  return self->has_read_and_dirty || self->expects_pair;
}

MapState *
map_state_expecting_pair (const MapState *self) {
  MapState *copy = map_state_copy (self, NULL);

  copy->expects_pair = TRUE;
  return copy;
}

MapState *
map_state_expecting_shards (const MapState *self,
                            guint           n_shards) {
  MapState *copy = map_state_copy (self, NULL);

  copy->expects_shards = n_shards;
  return copy;
}

gboolean
map_state_is_amended (const MapState *self) {
  return self->is_amended;
}

guint64
map_state_misses (const MapState *self) {
  return self->misses;
}

guint64
map_state_n_live (const MapState *self) {
  guint64 n = 0;

  if (self->has_read_and_dirty)
    return self->n_live;
  for (guint i = 0; i < self->n_tables; i++)
    if (self->tables[i].role == TABLE_ROLE_ONLY
        || self->tables[i].role == TABLE_ROLE_SHARD)
      n += self->tables[i].count;
  return n;
}

guint64
map_state_n_nil (const MapState *self) {
  return self->n_nil;
}

guint64
map_state_n_expunged (const MapState *self) {
  return self->n_expunged;
}

static guint64
count_in_array (const MapState   *self,
                const StateArray *array,
                EntryState        wanted) {
  guint64 n = 0;

  for (guint32 index = chunk_vec_next (&array->buckets, 0);
       index < array->n_buckets;
       index = chunk_vec_next (&array->buckets, index + 1)) {
    const StateBucket *bucket = state_array_bucket (array, index);

    for (guint slot = 0; slot < BUCKET_SLOTS; slot++)
      if (bucket->tophash[slot] >= TOPHASH_MIN)
        n += map_state_entry (self, (guint32)bucket->elems[slot]).state == wanted;
  }
  return n;
}

guint64
map_state_count_entries (const MapState   *self,
                         const StateTable *table,
                         EntryState        state) {
  guint64 n = 0;

  if (!(table->flags_table & TABLE_HOLDS_ENTRIES))
    return state == ENTRY_VALUE ? table->count : 0;
  if (table->buckets != NULL)
    n += count_in_array (self, table->buckets, state);
  if (table->oldbuckets != NULL)
    n += count_in_array (self, table->oldbuckets, state);
  return n;
}

StateEntry
map_state_entry (const MapState *self,
                 guint32         id) {
  const EntryRecord *record = chunk_vec_get (&self->entries, id);
  StateEntry entry = { .state = ENTRY_NIL };

  if (record != NULL && record->is_known) {
    entry.value = record->value;
    entry.key = record->key;
    entry.version = record->version;
    entry.state = (EntryState)record->state;
    entry.is_known = TRUE;
  }
  if (self->has_versions && entry.state == ENTRY_VALUE) {
    const VersionRecord *newest
        = chunk_vec_get (&self->versions, (guint32)record->value);
    guint32 generation = (guint32)((guint64)record->value >> 32);

    entry.newest = (guint64)record->value + 1;
    entry.value = newest != NULL
                  && (generation == 0 || newest->generation == generation)
                    ? newest->value : 0;
    if (record->is_deleted)
      entry.state = ENTRY_NIL;
  }
  return entry;
}

guint64
map_state_clock (const MapState *self) {
  return self->clock;
}

gboolean
map_state_next_version (const MapState *self,
                        guint64        *link,
                        StateVersion   *version) {
  guint32 id = (guint32)*link - 1, generation = (guint32)(*link >> 32);
  const VersionRecord *record;

  if ((guint32)*link == 0)
    return FALSE;
  record = chunk_vec_get (&self->versions, id);
  if (record == NULL || record->is_retired
      || (generation != 0 && record->generation != generation))
    return FALSE;
  *version = (StateVersion){
    .id = id,
    .generation = record->generation,
    .stamp = record->stamp,
    .value = record->value,
    .key = record->key,
    .is_deleted = record->is_deleted,
  };
  *link = record->older | (guint64)record->older_generation << 32;
  return TRUE;
}

guint
map_state_n_snapshots (const MapState *self) {
  return self->n_snapshots;
}

const StateSnapshot *
map_state_snapshot (const MapState *self,
                    guint           index) {
  g_return_val_if_fail (index < self->n_snapshots, NULL);
  return &self->snapshots[index];
}

const StateMisuse *
map_state_misuse (const MapState *self) {
  return &self->misuse;
}

guint
map_state_n_locks (const MapState *self) {
  return self->n_locks;
}

const StateLock *
map_state_lock (const MapState *self,
                guint           index) {
  g_return_val_if_fail (index < self->n_locks, NULL);
  return &self->locks[index];
}

guint
map_state_n_threads (const MapState *self) {
  return self->n_threads;
}

const StateThread *
map_state_thread (const MapState *self,
                  guint           index) {
  g_return_val_if_fail (index < self->n_threads, NULL);
  return &self->threads[index].shown;
}

guint
map_state_n_iters (const MapState *self) {
  return self->n_iters;
}

const StateIter *
map_state_iter (const MapState *self,
                guint           index) {
  g_return_val_if_fail (index < self->n_iters, NULL);
  return &self->iters[index].shown;
}

IterMarks
map_state_iter_marks (const MapState  *self,
                      const StateIter *iter,
                      guint32          index) {
  /* StateIter is the first member of IterRecord. */
  const IterRecord *record = (const IterRecord *)(gconstpointer)iter;
  guint half = (index & RANGE_OLD_BUCKET) != 0;
  const IterMarks *marks;
  IterMarks none = { 0 };

  marks = chunk_vec_get (&record->marks[half], index & ~RANGE_OLD_BUCKET);
  return marks != NULL ? *marks : none;
}

/* Looks for @key in one chain; Go's rules for where to stop. */
static gboolean
find_in_chain (const StateArray *array,
               guint32           chain,
               int               tophash,
               gint64            key,
               StateSlot        *slot) {
  guint32 index = chain;

  do {
    const StateBucket *bucket = state_array_bucket (array, index);

    for (guint i = 0; i < BUCKET_SLOTS; i++) {
      if (bucket->tophash[i] == TOPHASH_EMPTY_REST)
        return FALSE;
      if (bucket->tophash[i] < TOPHASH_MIN
          || (tophash >= 0 && bucket->tophash[i] != tophash)
          || bucket->keys[i] != key)
        continue;
      slot->chain = chain;
      slot->bucket = index;
      slot->slot = i;
      return TRUE;
    }
    index = bucket->overflow;
  } while (index != 0);
  return FALSE;
}

/* Without the hash (a function that the recording cannot name): every chain. */
static gboolean
find_anywhere (const StateArray *array,
               gint64            key,
               StateSlot        *slot) {
  for (guint32 chain = chunk_vec_next (&array->buckets, 0);
       chain < array->n_main;
       chain = chunk_vec_next (&array->buckets, chain + 1))
    if (find_in_chain (array, chain, -1, key, slot))
      return TRUE;
  return FALSE;
}

gboolean
map_state_find_key (const MapState   *self,
                    const StateTable *table,
                    gint64            key,
                    StateSlot        *slot) {
  Hash hash = { .kind = (HashKind)table->hash_kind };
  guint64 bits;
  int tophash;

  memset (slot, 0, sizeof *slot);
  slot->table = table;
  if (table->buckets == NULL || table->count == 0)
    return FALSE;
  if (table->hash_kind < 0 || table->hash_kind >= HASH_FUNCTION) {
    if (find_anywhere (table->buckets, key, slot))
      return TRUE;
    slot->in_old = TRUE;
    return table->oldbuckets != NULL
           && find_anywhere (table->oldbuckets, key, slot);
  }

  bits = hash_key (&hash, key, table->hash0);
  tophash = (int)(bits >> 56);
  if (tophash < TOPHASH_MIN)
    tophash += TOPHASH_MIN;
  if (table->oldbuckets != NULL) {
    guint32 chain = (guint32)bits & (table->oldbuckets->n_main - 1);
    guint8 first = state_array_bucket (table->oldbuckets, chain)->tophash[0];

    slot->in_old = first < TOPHASH_EVACUATED_X
                   || first > TOPHASH_EVACUATED_EMPTY;
    if (slot->in_old)
      return find_in_chain (table->oldbuckets, chain, tophash, key, slot);
  }
  return find_in_chain (table->buckets,
                        (guint32)bits & (table->buckets->n_main - 1), tophash,
                        key, slot);
}
