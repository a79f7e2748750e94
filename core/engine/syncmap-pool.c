/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-pool.c — where a syncmap's entries and tables come from and go back
 *
 * Entries     lie in slabs, each as large as all before it, so that the slab of
 *             an id is found by counting bits and no array of slabs ever moves.
 *             A full table of 2^B buckets has 6.5 * 2^B keys: from B = 18 on that
 *             many entries end with a huge page of their slab, and none is begun
 *             for the last few (it was: 1.2 bytes a key). Ids are dense: 0, 1, 2 … in
 *             the order of first use. A slab lives as long as the map. Dead entries
 *             are handed out again; their words go on counting.
 *
 * Way back    A dead entry rides on the table that was superseded when it died
 *             (see syncmap-promote.c). One retirement, one grace period for the
 *             table and all its dead: when no reader holds the table, none can
 *             find those entries. The reclaimer then calls free_superseded_cb()
 *             in the thread that retired, which puts them on the pool's list.
 *             mu's holder takes that whole list when its own is empty, so it
 *             meets the pool's mutex once a batch, not once an entry; and not at
 *             all while a look without it says that nothing came back, as in a map
 *             that only gets keys. Who looks too early makes an entry more.
 *
 * Tables      A map whose keys come and go makes and frees small tables all the
 *             time. A freed one goes to the pool, up to SYNCMAP_POOL_TABLES of
 *             them; its arrays are given back, but for the one of one bucket
 *             that lies within it (gomap-array.c, Home). So a table of one
 *             bucket is made and freed without asking for memory; id, table and
 *             dead go back in one turn of the pool's mutex.
 *
 * Table ids   are 16 bits wide in events. One is handed out again only after its
 *             TABLE_FREED was told, and late: the search goes round. mu's holder
 *             sets 64 of them aside at a time.
 *             With all of them in use there is no table to be had, which is told
 *             as lack of memory.
 */
#include "core/base/alloc.h"
#include "core/engine/syncmap-private.h"

#define N_ID_WORDS (SYNCMAP_N_TABLE_IDS / 64)

/* Slabs -------------------------------------------------------------------- */

static size_t
slab_entries (unsigned slab) {
  return (size_t)SYNCMAP_SLAB_ENTRIES << (slab > 0 ? slab - 1 : 0);
}

static size_t
slab_bytes (unsigned slab) {
  return slab_entries (slab) * sizeof (Entry);
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

/* Makes the slab of the next id the one that new entries are taken from. false: no
 * memory, no id. */
static bool
begin_slab_locked (SyncMap *self) {
  unsigned slab = syncmap_slab_of (self->n_entries);

  if (slab >= SYNCMAP_N_SLABS)
    return false;
  if (self->slabs[slab] == NULL)
    self->slabs[slab] = new_slab (slab);
  if (self->slabs[slab] == NULL)
    return false;
  self->fresh = self->slabs[slab];
  self->fresh_end = self->fresh + slab_entries (slab);
  return true;
}

static inline Entry *
new_entry_locked (SyncMap *self) {
  Entry *entry = self->fresh;

  if (__builtin_expect (entry == self->fresh_end, 0)) {
    if (!begin_slab_locked (self))
      return NULL;
    entry = self->fresh;
  }
  self->fresh = entry + 1;
  entry->id = self->n_entries++;
  return entry;
}

/* Takes over what came back: the tables, a word of ids, the entries, each if mu's
 * holder has none. */
static void
take_over_locked (SyncMap *self) {
  SyncPool *pool = &self->pool;

  sync_mutex_lock (&pool->mutex, SYNC_LABEL ("lock pool"));
  if (self->free_entries == 0) {
    self->free_entries = (uint32_t)sync_word_load (&pool->returned,
                                                   SYNC_LABEL ("take returned"));
    sync_word_store (&pool->returned, 0, SYNC_LABEL ("take returned"));
  }
  if (self->free_tables == NULL) {
    self->free_tables = pool->tables;
    self->n_free_tables = pool->n_tables;
    pool->tables = NULL;
    pool->n_tables = 0;
  }
  for (uint32_t i = 0; i < N_ID_WORDS && self->free_ids == 0; i++) {
    self->id_word = pool->next_id_word;
    self->free_ids = ~pool->used_table_ids[self->id_word];
    pool->used_table_ids[self->id_word] = UINT64_MAX;
    pool->next_id_word = (self->id_word + 1) % N_ID_WORDS;
  }
  sync_mutex_unlock (&pool->mutex, SYNC_LABEL ("unlock pool"));
}

Entry *
syncmap_get_entry_locked (SyncMap *self) {
  /* A look without the mutex: a map that only gets keys would take it for each. */
  if (sync_word_load (&self->pool.returned, SYNC_LABEL ("look for returned")) != 0)
    take_over_locked (self);
  return self->free_entries != 0 ? syncmap_take_entry_locked (self)
                                 : new_entry_locked (self);
}

void
syncmap_give_entry_locked (SyncMap *self,
                           Entry   *entry) {
  sync_disuse (entry, sizeof *entry);
  entry->link = self->free_entries;
  self->free_entries = entry->id + 1;
}

/* Tables ------------------------------------------------------------------- */

static uint64_t
elem_id (uint64_t elem) {
  return syncmap_entry_of (elem)->id;
}

static SyncTable *
allocate_table (SyncMap *self) {
  SyncTable *table = alloc_zeroed (sizeof *table);

  if (table != NULL)
    table->map.config = (GoMapConfig){
      .hash = &self->engine.config.hash,
      .domain = &self->domain,
      .prng = &self->prng,
      .flags = TABLE_HOLDS_ENTRIES | TABLE_WIPES_OLD | self->table_flags,
      .elem_id = elem_id,
      .hooks = self->engine.config.hooks,
      .home = &table->home,
    };
  return table;
}

/* A table with an id and what else stays as it is from one use to the next;
 * NULL: no memory, no id. */
static SyncTable *
take_table_locked (SyncMap *self) {
  SyncTable *table;

  if (self->free_ids == 0 || self->free_tables == NULL)
    take_over_locked (self);
  if (self->free_ids == 0)
    return NULL;
  table = self->free_tables;
  if (table == NULL) {
    table = allocate_table (self);
    if (table == NULL)
      return NULL;
  } else {
    self->free_tables = table->next;
    self->n_free_tables--;
    sync_reuse (table, sizeof *table);
  }
  table->map.config.id
      = (uint16_t)(self->id_word * 64
                   + (unsigned)__builtin_ctzll (self->free_ids));
  self->free_ids &= self->free_ids - 1;
  return table;
}

/* Takes a table without arrays back, with its dead up to @last, if there are
 * any. */
static void
give_to_pool (SyncPool  *pool,
              SyncTable *table,
              Entry     *last) {
  uint16_t id = table->map.config.id;
  bool is_kept;

  sync_disuse (table, sizeof *table);
  sync_mutex_lock (&pool->mutex, SYNC_LABEL ("lock pool"));
  if (last != NULL) {
    last->link = (uint32_t)sync_word_load (&pool->returned,
                                           SYNC_LABEL ("return entries"));
    sync_word_store (&pool->returned, table->dead, SYNC_LABEL ("return entries"));
    pool->n_returned += table->n_dead;
  }
  pool->used_table_ids[id / 64] &= ~((uint64_t)1 << id % 64);
  pool->bytes_returned += table->retired_bytes;
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

SyncTable *
syncmap_table_new_locked (SyncMap *self,
                          uint64_t hint,
                          uint64_t seed) {
  SyncTable *table = take_table_locked (self);

  if (table == NULL)
    return NULL;
  table->dead = 0;
  table->n_dead = 0;
  table->owns_all = false;
  table->retired_bytes = 0;
  if (gomap_renew (&table->map, hint, seed))
    return table;
  give_to_pool (&self->pool, table, NULL);
  return NULL;
}

void
syncmap_table_free (SyncMap   *self,
                    SyncTable *table) {
  gomap_finish (&table->map);
  /* Told before the id can be handed out again. */
  probe_event (EVENT_TABLE_FREED, table->map.created_ver, 0, 0,
               table->map.config.id);
  give_to_pool (&self->pool, table, NULL);
}

/* Reclamation -------------------------------------------------------------- */

/* Adds the entry in a slot of a table to its dead. */
static void
bury_cb (int64_t  key,
         uint64_t elem,
         void    *data) {
  SyncTable *table = data;
  Entry *entry = syncmap_entry_of (elem);

  entry->link = table->dead;
  table->dead = entry->id + 1;
  table->n_dead++;
}

/* No reader can reach the table or its dead any more: every section that began
 * before read moved on from the table has ended. */
static void
free_superseded_cb (void *memory,
                    void *data) {
  SyncTable *table = memory;
  SyncMap *self = data;
  Entry *last = NULL;

  if (table->owns_all)
    gomap_visit (&table->map, bury_cb, table);
  for (uint32_t link = table->dead; link != 0; link = last->link) {
    last = syncmap_entry_at (self, link - 1);
    sync_disuse (last, sizeof *last);
  }
  gomap_finish (&table->map);
  /* Told before the id can be handed out again. */
  probe_event (EVENT_TABLE_FREED, table->map.created_ver, 0, 0,
               table->map.config.id);
  give_to_pool (&self->pool, table, last);
}

void
syncmap_retire (SyncMap       *self,
                ReclaimThread *thread,
                SyncTable     *table) {
  reclaim_retire (thread, table, table->retired_bytes, free_superseded_cb,
                  self);
}

static void
free_tables (SyncTable *tables) {
  SyncTable *next;

  for (SyncTable *table = tables; table != NULL; table = next) {
    next = table->next;
    alloc_free (table, sizeof *table);
  }
}

void
syncmap_pool_clear (SyncMap *self) {
  free_tables (self->free_tables);
  free_tables (self->pool.tables);
  for (unsigned slab = 0; slab < SYNCMAP_N_SLABS; slab++)
    if (self->slabs[slab] != NULL)
      alloc_free (self->slabs[slab], slab_bytes (slab));
  sync_mutex_clear (&self->pool.mutex);
}

size_t
syncmap_pool_bytes_locked (SyncMap *self) {
  size_t bytes = self->n_free_tables * sizeof (SyncTable);

  sync_mutex_lock (&self->pool.mutex, SYNC_LABEL ("lock pool"));
  bytes += self->pool.n_tables * sizeof (SyncTable);
  sync_mutex_unlock (&self->pool.mutex, SYNC_LABEL ("unlock pool"));
  for (unsigned slab = 0; slab < SYNCMAP_N_SLABS; slab++)
    if (self->slabs[slab] != NULL)
      bytes += slab_bytes (slab);
  return bytes;
}
