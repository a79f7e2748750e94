/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-pool.c — where a syncmap's entries and tables come from and go back
 *
 * Entries     lie in slabs, each twice the size of the one before, so that the
 *             slab of an id is found by counting bits and no array of slabs ever
 *             moves. Ids are dense: 0, 1, 2 … in the order of first use. A slab
 *             lives as long as the map. Dead entries are handed out again; their
 *             words go on counting.
 *
 * Way back    A dead entry rides on the table that was superseded when it died
 *             (see syncmap-promote.c). One retirement, one grace period for the
 *             table and all its dead: when no reader holds the table, none can
 *             find those entries. The reclaimer then calls free_superseded_cb()
 *             in the thread that retired, which puts them on the pool's list.
 *             mu's holder takes that whole list when its own is empty, so the
 *             pool's mutex is met once a batch, not once an entry.
 *
 * Tables      A map whose keys come and go makes and frees small tables all the
 *             time. A freed one goes to the pool, up to SYNCMAP_POOL_TABLES of
 *             them; its arrays are given back, but for the one of one bucket
 *             that lies within it (gomap-array.c, Home). So a table of one
 *             bucket is made and freed without asking for memory; id, table and
 *             dead go back in one turn of the pool's mutex.
 *
 * Table ids   are 16 bits wide in events. One is handed out again only after its
 *             TABLE_FREED was told, and as late as can be: the search goes round.
 *             With all of them in use there is no table to be had, which is told
 *             as lack of memory.
 */
#include "core/base/alloc.h"
#include "core/engine/syncmap-private.h"

/* Slabs -------------------------------------------------------------------- */

static unsigned
slab_of (uint32_t id) {
  return 31u - (unsigned)__builtin_clz (id / SYNCMAP_SLAB_ENTRIES + 1);
}

static uint32_t
slab_first (unsigned slab) {
  return ((1u << slab) - 1) * SYNCMAP_SLAB_ENTRIES;
}

static size_t
slab_bytes (unsigned slab) {
  return ((size_t)SYNCMAP_SLAB_ENTRIES << slab) * sizeof (Entry);
}

Entry *
syncmap_entry_at (const SyncMap *self,
                  uint32_t       id) {
  unsigned slab = slab_of (id);

  return &self->slabs[slab][id - slab_first (slab)];
}

/* Buckets keep GOMAP_ELEM_BITS of an entry's address (K2 of gomap-bucket.h). No
 * system gives more unless it is asked to; if one does, there is no memory. */
static Entry *
new_slab (unsigned slab) {
  size_t size_bytes = slab_bytes (slab);
  Entry *entries = alloc_zeroed (size_bytes);

  if (entries == NULL
      || (((uintptr_t)entries + size_bytes - 1) & ~GOMAP_ELEM_MASK) == 0)
    return entries;
  alloc_free (entries, size_bytes);
  return NULL;
}

static Entry *
new_entry_locked (SyncMap *self) {
  uint32_t id = self->n_entries;
  unsigned slab = slab_of (id);
  Entry *entry;

  if (slab >= SYNCMAP_N_SLABS)
    return NULL;
  if (self->slabs[slab] == NULL)
    self->slabs[slab] = new_slab (slab);
  if (self->slabs[slab] == NULL)
    return NULL;
  self->n_entries++;
  entry = syncmap_entry_at (self, id);
  entry->id = id;
  return entry;
}

static uint32_t
take_returned (SyncPool *pool) {
  uint32_t list;

  sync_mutex_lock (&pool->mutex, SYNC_LABEL ("lock pool"));
  list = pool->returned;
  pool->returned = 0;
  sync_mutex_unlock (&pool->mutex, SYNC_LABEL ("unlock pool"));
  return list;
}

Entry *
syncmap_take_entry_locked (SyncMap *self) {
  Entry *entry;

  if (self->free_entries == 0)
    self->free_entries = take_returned (&self->pool);
  if (self->free_entries == 0)
    return new_entry_locked (self);
  entry = syncmap_entry_at (self, self->free_entries - 1);
  self->free_entries = entry->link;
  entry->link = 0;
  sync_reuse (entry, sizeof *entry);
  return entry;
}

void
syncmap_give_entry_locked (SyncMap *self,
                           Entry   *entry) {
  sync_disuse (entry, sizeof *entry);
  entry->link = self->free_entries;
  self->free_entries = entry->id + 1;
}

/* Tables ------------------------------------------------------------------- */

/* A free id, from next_table_id on; the pool's mutex is held. */
static bool
take_table_id_locked (SyncPool *pool,
                      uint16_t *id) {
  for (uint32_t i = 0; i < SYNCMAP_N_TABLE_IDS; i++) {
    uint32_t candidate = (pool->next_table_id + i) % SYNCMAP_N_TABLE_IDS;
    uint64_t bit = (uint64_t)1 << candidate % 64;

    if (pool->used_table_ids[candidate / 64] & bit)
      continue;
    pool->used_table_ids[candidate / 64] |= bit;
    pool->next_table_id = candidate + 1;
    *id = (uint16_t)candidate;
    return true;
  }
  return false;
}

/* An id, and a table if one lies ready, else NULL. false: no id. */
static bool
take_from_pool (SyncPool   *pool,
                uint16_t   *id,
                SyncTable **table) {
  bool has_id;

  *table = NULL;
  sync_mutex_lock (&pool->mutex, SYNC_LABEL ("lock pool"));
  has_id = take_table_id_locked (pool, id);
  if (has_id && pool->tables != NULL) {
    *table = pool->tables;
    pool->tables = (*table)->next;
    pool->n_tables--;
  }
  sync_mutex_unlock (&pool->mutex, SYNC_LABEL ("unlock pool"));
  if (*table != NULL)
    sync_reuse (*table, sizeof **table);
  return has_id;
}

/* The id, which may be handed out from now on. */
static void
give_table_id (SyncPool *pool,
               uint16_t  id) {
  sync_mutex_lock (&pool->mutex, SYNC_LABEL ("lock pool"));
  pool->used_table_ids[id / 64] &= ~((uint64_t)1 << id % 64);
  sync_mutex_unlock (&pool->mutex, SYNC_LABEL ("unlock pool"));
}

/* Takes a table without arrays back, with its dead up to @last, if there are
 * any. @bytes: of a superseded table and its dead, else 0. */
static void
give_to_pool (SyncPool  *pool,
              SyncTable *table,
              Entry     *last,
              size_t     bytes) {
  uint16_t id = table->map.config.id;
  bool is_kept;

  sync_disuse (table, sizeof *table);
  sync_mutex_lock (&pool->mutex, SYNC_LABEL ("lock pool"));
  if (last != NULL) {
    last->link = pool->returned;
    pool->returned = table->dead;
    pool->n_returned += table->n_dead;
  }
  pool->used_table_ids[id / 64] &= ~((uint64_t)1 << id % 64);
  pool->bytes_returned += bytes;
  is_kept = pool->n_tables < SYNCMAP_POOL_TABLES;
  if (is_kept) {
    table->next = pool->tables;
    pool->tables = table;
    pool->n_tables++;
  }
  sync_mutex_unlock (&pool->mutex, SYNC_LABEL ("unlock pool"));
  if (!is_kept)
    alloc_free (table, sizeof *table);
}

static uint64_t
elem_id (uint64_t elem) {
  return syncmap_entry_of (elem)->id;
}

SyncTable *
syncmap_table_new_locked (SyncMap *self,
                          uint64_t hint,
                          uint64_t seed) {
  SyncTable *table;
  GoMapConfig config = {
    .hash = &self->engine.config.hash,
    .domain = &self->domain,
    .prng = &self->prng,
    .flags = TABLE_HOLDS_ENTRIES | TABLE_WIPES_OLD | self->table_flags,
    .elem_id = elem_id,
    .hooks = self->engine.config.hooks,
  };

  if (!take_from_pool (&self->pool, &config.id, &table))
    return NULL;
  if (table == NULL)
    table = alloc_zeroed (sizeof *table);
  if (table != NULL) {
    config.home = &table->home;
    table->dead = 0;
    table->n_dead = 0;
    table->owns_all = false;
    if (gomap_init (&table->map, &config, hint, seed))
      return table;
    alloc_free (table, sizeof *table);
  }
  give_table_id (&self->pool, config.id);
  return NULL;
}

void
syncmap_table_free (SyncMap   *self,
                    SyncTable *table) {
  gomap_finish (&table->map);
  /* Told before the id can be handed out again. */
  probe_event (EVENT_TABLE_FREED, table->map.created_ver, 0, 0,
               table->map.config.id);
  give_to_pool (&self->pool, table, NULL, 0);
}

/* Reclamation -------------------------------------------------------------- */

/* Adds the entries in the slots of @table to its dead. */
static void
bury_slots (SyncTable *table) {
  GoIter iter;

  gomap_iter_begin (&iter, &table->map, 0, 0, 0, 0);
  while (gomap_iter_next (&iter)) {
    Entry *entry = syncmap_entry_of (iter.elem);

    entry->link = table->dead;
    table->dead = entry->id + 1;
    table->n_dead++;
  }
}

/* No reader can reach the table or its dead any more: every section that began
 * before read moved on from the table has ended. */
static void
free_superseded_cb (void *memory,
                    void *data) {
  SyncTable *table = memory;
  SyncMap *self = data;
  size_t bytes = syncmap_retired_bytes (table);
  Entry *last = NULL;

  if (table->owns_all)
    bury_slots (table);
  for (uint32_t link = table->dead; link != 0; link = last->link) {
    last = syncmap_entry_at (self, link - 1);
    sync_disuse (last, sizeof *last);
  }
  gomap_finish (&table->map);
  /* Told before the id can be handed out again. */
  probe_event (EVENT_TABLE_FREED, table->map.created_ver, 0, 0,
               table->map.config.id);
  give_to_pool (&self->pool, table, last, bytes);
}

size_t
syncmap_retired_bytes (const SyncTable *table) {
  size_t n_dead = table->n_dead
                  + (table->owns_all ? (size_t)table->map.count : 0);

  return sizeof *table + gomap_bytes (&table->map) + n_dead * sizeof (Entry);
}

void
syncmap_retire (SyncMap       *self,
                ReclaimThread *thread,
                SyncTable     *table) {
  reclaim_retire (thread, table, syncmap_retired_bytes (table),
                  free_superseded_cb, self);
}

void
syncmap_pool_clear (SyncMap *self) {
  SyncTable *next;

  for (SyncTable *table = self->pool.tables; table != NULL; table = next) {
    next = table->next;
    alloc_free (table, sizeof *table);
  }
  for (unsigned slab = 0; slab < SYNCMAP_N_SLABS; slab++)
    if (self->slabs[slab] != NULL)
      alloc_free (self->slabs[slab], slab_bytes (slab));
  sync_mutex_clear (&self->pool.mutex);
}

size_t
syncmap_pool_bytes (SyncMap *self) {
  size_t bytes;

  sync_mutex_lock (&self->pool.mutex, SYNC_LABEL ("lock pool"));
  bytes = self->pool.n_tables * sizeof (SyncTable);
  sync_mutex_unlock (&self->pool.mutex, SYNC_LABEL ("unlock pool"));
  for (unsigned slab = 0; slab < SYNCMAP_N_SLABS; slab++)
    if (self->slabs[slab] != NULL)
      bytes += slab_bytes (slab);
  return bytes;
}
