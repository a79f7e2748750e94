/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap.c — Go's sync.Map up to 1.23: two tables and a lock between them
 *
 * Idea        A map that is read far more than it gets new keys needs no lock on
 *             most of its operations. Let `read` be a table that never changes:
 *             anybody may look in it. Only the entries that its slots point to
 *             change, each by itself, by CAS. New keys go to a second table,
 *             `dirty`, under a lock; it holds everything that read holds, so
 *             that it can take read's place as it is.
 *
 * Terms       read      the published table and a flag, amended: dirty has keys
 *                       that read lacks. One pointer, amended in its bit 0
 *             dirty     nil, or a table that only mu's holder touches
 *             misses    looks into dirty since it was last promoted
 *             entry     value, nil (deleted) or expunged (deleted, and dirty
 *                       lacks it): see syncmap-entry.h for its machine
 *             live      an entry with a value; keys whose entry has none are
 *                       still in the tables, but absent for the caller
 *
 * Look        Find the key in read: done, no lock. Not there and not amended:
 *             absent, no lock. Else lock and look in read again, since a
 *             promotion may have come between; then in dirty, and count a miss.
 * Store       In read and not expunged: CAS, no lock. Else lock; expunged: bring
 *             the entry back to nil and put it in dirty, then store; in dirty:
 *             store; nowhere: a new entry goes into dirty. If read was not
 *             amended yet it is now, after dirty was made as a copy of read.
 * Delete      In read: CAS to nil, no lock. Else take the key out of dirty, count
 *             a miss, unlock, CAS to nil.
 * Miss        When misses reach len(dirty), the locks cost as much as a copy
 *             would: dirty becomes read (syncmap-promote.c).
 * Range       Promotes dirty if read is amended, then walks read without a lock
 *             (syncmap-range.c). Clear is there too.
 *
 * Invariants  With mu free and nobody inside (checked by syncmap-check.c):
 *             S1  amended: dirty is not nil
 *             S2  dirty not nil: every entry of read that is not expunged is in
 *                 dirty under the same key, the same object
 *             S3  an entry is expunged: dirty is not nil and lacks the key
 *             S4  dirty holds no expunged entry
 *             S5  misses < len(dirty) when dirty holds keys; misses are 0 when
 *                 read is not amended
 *             S6  not amended and dirty not nil: both tables are empty (only
 *                 Clear leaves that); they are never one table
 *             S7  an entry is in the slots of one key only, or on one list
 *             S8  every entry handed out is in a table, on a list, or retired
 *             And always:
 *             S9  a table that was published is written to no more
 *             S10 read is stored with mu held only
 *
 * Threads     what          written by            order     read by
 *             read          mu's holder           seq_cst   anyone, seq_cst
 *             entry.word    anyone (machine)      seq_cst   anyone, seq_cst
 *             read's slots  nobody (S9)           —         anyone, after read
 *             dirty's slots, misses, domain, lists, prng: plain, guarded by mu
 *             slabs         mu's holder           —         who got an id or an
 *                                                 entry by mu, read or retiring
 *             Order of locks: mu, then the pool's mutex.
 *             seq_cst is Go's order, and needed: two threads that each store
 *             one key and then load the other's must not both miss.
 *
 * Reclaiming  Go's collector keeps superseded tables and dead entries as long
 *             as anybody looks at them. Here every operation is a section of
 *             the reclaimer; what was superseded is retired at its end. Why no
 *             reader can hold it when it is freed: syncmap-promote.c, -pool.c.
 *
 * Events      The domain is 0, as is mu's lock id. A change guarded by mu takes
 *             the domain's next version, a change of an entry the entry's: both
 *             in the same step as the change. RANGE_BEGAN tells the version at
 *             which its table was published. A thread that finds mu taken tells
 *             LOCK_WAITED, however soon it then gets it; before it sleeps it
 *             shows all its events. Trying again for a moment needs no showing:
 *             it ends whatever others do.
 *
 * Departures  amended is a bit of the pointer; in Go a new pair is allocated.
 *             An expunged entry is put into dirty before it is made nil, Go does
 *             it after: here putting can fail for lack of memory. Likewise Clear
 *             empties dirty before it replaces read. mu is held over both steps,
 *             so no thread can tell. Clear leaves a read that is empty in place
 *             and publishes it as not amended. The second look is spared when
 *             read is the table of the first. A dirty copy with as many buckets
 *             as read shares its seed. Values lie in the entries; a store
 *             allocates nothing. New keys: the entry is taken before the dirty
 *             copy.
 *
 * Source      Go 1.23 sync/map.go.
 */
#include "core/engine/syncmap.h"

#include "core/base/alloc.h"
#include "core/base/mutant.h"
#include "core/engine/engine-costs.h"
#include "core/engine/snapshot-private.h"
#include "core/engine/syncmap-private.h"

#include <stddef.h>

/* Bytes that parked readers may keep from being freed before writers are slowed
 * down. Free choice: three tables of a million keys with their entries. */
#define LIMIT_BYTES ((size_t)256 << 20)

/* The frame of an operation ------------------------------------------------ */

void
syncmap_clean_up (SyncMap      *self,
                  EngineThread *thread,
                  SyncTable    *superseded) {
  if (superseded != NULL && MUTANT (FREED_AT_ONCE))
    syncmap_table_free (self, superseded);
  else if (superseded != NULL)
    syncmap_retire (self, thread->reclaim, superseded);
  /* Inside a Range's callback the section is still open. */
  if (!reclaim_is_inside (thread->reclaim))
    reclaim_poll (thread->reclaim);
}

void
syncmap_fail (SyncCall *call) {
  call->thread->error = ENGINE_ERROR_NO_MEMORY;
  call->path |= OP_PATH_ERROR;
}

/* Tables below this many main buckets (128 KiB) are near anyway; to hash their
 * keys once more is not worth it. */
#define HINT_BUCKETS 1024u

void
syncmap_leave_hint_locked (SyncMap *self) {
  const GoMap *map = self->dirty != NULL ? &self->dirty->map : NULL;
  const GoArray *array = map != NULL ? map->buckets : NULL;
  const GoArray *old = map != NULL ? map->oldbuckets : NULL;

  if (array == NULL || array->n_main < HINT_BUCKETS) {
    sync_count_set (&self->hint.block, 0);
    return;
  }
  sync_count_set (&self->hint.seed, map->hash0);
  sync_count_set (&self->hint.mask, array->n_main - 1);
  sync_count_set (&self->hint.block, (uintptr_t)array->block);
  sync_count_set (&self->hint.old_mask, old != NULL ? old->n_main - 1 : 0);
  sync_count_set (&self->hint.old_block,
                  old != NULL ? (uintptr_t)old->block : 0);
}

/* mu is taken. Out of line, so that who gets it at once saves no registers. */
static __attribute__ ((noinline)) uint64_t
wait_for_mu (SyncCall *call) {
  SyncMap *self = call->self;
  uint64_t began_ns = engine_now_ns (call->thread);
  uint64_t waited_ns;

  call->path |= OP_PATH_WAITED;
  probe_restamp ();
  probe_event (EVENT_LOCK_WAITED, SYNCMAP_LOCK, 0, 0, 0);
  if (!sync_mutex_spin (&self->mu, SYNC_LABEL ("try again to lock mu"))) {
    /* The holder may wait for a recorder that waits for what we told. */
    probe_flush (probe_current);
    sync_mutex_await (&self->mu, SYNC_LABEL ("lock mu"));
  }
  self->stats.n_lock_waits++;
  waited_ns = engine_end_wait (call->thread, began_ns);
  probe_restamp ();
  return waited_ns;
}

/* viewmap may lock more than once in a call, and each time supersede. */
static __attribute__ ((noinline)) void
retire_early (SyncCall *call) {
  syncmap_retire (call->self, call->thread->reclaim, call->superseded);
  call->superseded = NULL;
}

/* @is_taken: it was when the thread tried. */
void
syncmap_lock_slowly (SyncCall *call,
                     bool      is_taken) {
  SyncMap *self = call->self;
  uint64_t waited_ns = 0;

  if (__builtin_expect (call->superseded != NULL, 0))
    retire_early (call);
  if (is_taken
      || !sync_mutex_trylock (&self->mu, SYNC_LABEL ("try to lock mu")))
    waited_ns = wait_for_mu (call);
  engine_begin_hold (call->thread);
  /* Nobody was kept waiting: a stamp more would say nothing that is worth it. */
  probe_restamp_fine ();
  probe_event_when (EVENT_LOCK_ACQUIRED, SYNCMAP_LOCK,
                    syncmap_next_version_locked (self), 0, 0, 0, waited_ns);
}

void
syncmap_unlock_told (SyncCall *call) {
  SyncMap *self = call->self;
  uint64_t held_ns = engine_end_hold (call->thread);

  probe_restamp_fine ();
  probe_event_when (EVENT_LOCK_RELEASED, SYNCMAP_LOCK,
                    syncmap_next_version_locked (self), 0, 0, held_ns, 0);
  sync_mutex_unlock (&self->mu, SYNC_LABEL ("unlock mu"));
}

/* Looking ------------------------------------------------------------------ */

__attribute__ ((noinline)) Entry *
syncmap_find_slowly (SyncCall *call,
                     SyncLook  first,
                     int64_t   key,
                     bool      is_delete) {
  SyncMap *self = call->self;
  SyncRead read;
  Entry *entry;

  call->path |= OP_PATH_AMENDED;
  syncmap_fetch_dirty (self, key);
  syncmap_lock (call);
  /* read may have been replaced while we waited: no spurious miss then. */
  read = syncmap_read (self);
  entry = MUTANT (LOAD_LOOKS_ONCE) && !is_delete
              ? NULL
              : syncmap_find_again (read.table, first, key);
  if (entry != NULL) {
    call->path |= OP_PATH_IN_READ;
  } else if (read.amended) {
    entry = syncmap_find_dirty_locked (self, key);
    if (entry != NULL)
      call->path |= OP_PATH_IN_DIRTY;
    if (entry != NULL && is_delete) {
      sync_write_point (self->dirty, SYNC_LABEL ("take key out of dirty"));
      gomap_delete (&self->dirty->map, key, NULL, &call->path);
      if (MUTANT (ENTRY_REUSED_AT_ONCE))
        syncmap_give_entry_locked (self, entry);
      else
        syncmap_orphan_locked (self, entry);
    }
    /* Found or not: this key takes the slow way until the promotion. The
     * threshold is what dirty holds now, the deleted key not counted. */
    syncmap_miss_locked (call);
  }
  syncmap_unlock (call);
  return entry;
}

static inline Entry *
find_entry (SyncCall *call,
            int64_t   key,
            bool      is_delete) {
  SyncRead read = syncmap_read (call->self);
  Entry *entry = syncmap_find (read.table, key);

  if (__builtin_expect (entry != NULL, 1)) {
    call->path |= OP_PATH_IN_READ;
    return entry;
  }
  if (read.amended && MUTANT (DIRTY_UNLOCKED) && !is_delete)
    return syncmap_find_dirty_locked (call->self, key);
  if (read.amended) {
    SyncCall slow = syncmap_go_slow (call);

    entry = syncmap_find_slowly (&slow, (SyncLook){ read.table, NULL }, key,
                                 is_delete);
    syncmap_come_back (call, &slow);
  }
  return entry;
}

Entry *
syncmap_find_entry (SyncCall *call,
                    int64_t   key) {
  return find_entry (call, key, false);
}

static bool
syncmap_load (MapEngine    *map,
              EngineThread *thread,
              int64_t       key,
              int64_t      *value) {
  SyncCall call;
  Entry *entry;
  int64_t found = 0;
  bool is_ok;

  syncmap_begin (&call, map, thread, OP_LOAD, key, 0);
  entry = find_entry (&call, key, false);
  is_ok = entry != NULL && entry_load (entry, &found);
  if (is_ok)
    *value = found;
  return syncmap_end (&call, is_ok, found, 0);
}

/* Deleting ----------------------------------------------------------------- */

static bool
delete_entry (MapEngine    *map,
              EngineThread *thread,
              OpKind        op,
              int64_t       key,
              int64_t      *value) {
  SyncCall call;
  Entry *entry;
  int64_t found = 0;
  bool is_ok;

  syncmap_begin (&call, map, thread, op, key, 0);
  entry = find_entry (&call, key, true);
  /* Outside the lock, even for an entry that was in dirty alone: whoever else
   * holds it from its own look may still store to it, and that store then comes
   * before this delete. */
  is_ok = entry != NULL && entry_delete (entry, thread, &found);
  if (is_ok)
    *value = found;
  return syncmap_end (&call, is_ok, found, 0);
}

static bool
syncmap_load_and_delete (MapEngine    *map,
                         EngineThread *thread,
                         int64_t       key,
                         int64_t      *value) {
  return delete_entry (map, thread, OP_LOAD_AND_DELETE, key, value);
}

static bool
syncmap_delete (MapEngine    *map,
                EngineThread *thread,
                int64_t       key) {
  int64_t ignored;

  return delete_entry (map, thread, OP_DELETE, key, &ignored);
}

static bool
syncmap_compare_and_delete (MapEngine    *map,
                            EngineThread *thread,
                            int64_t       key,
                            int64_t       old) {
  SyncCall call;
  Entry *entry;
  bool is_ok;

  syncmap_begin (&call, map, thread, OP_COMPARE_AND_DELETE, key, 0);
  /* The key stays in dirty: it is not known yet whether the value compares. */
  entry = find_entry (&call, key, false);
  is_ok = entry != NULL && entry_try_compare_and_delete (entry, thread, old);
  return syncmap_end (&call, is_ok, is_ok, old);
}

/* Life and class ----------------------------------------------------------- */

static bool
publish_first_table (SyncMap *self) {
  SyncTable *table = syncmap_table_new_locked (self, 0, 0);

  if (table == NULL)
    return false;
  table->published_ver = syncmap_next_version_locked (self);
  syncmap_publish (self, table, false);
  probe_event (EVENT_READ_PUBLISHED, 0, table->published_ver, 0,
               table->map.config.id);
  return true;
}

static void
free_table_silently (SyncTable *table) {
  gomap_finish (&table->map);
  alloc_free (table, sizeof *table);
}

void
syncmap_finish (SyncMap *self) {
  /* Nobody is inside: what is still held is freed now. */
  reclaim_free (self->engine.reclaim);
  if (syncmap_read (self).table != NULL)
    free_table_silently (syncmap_read (self).table);
  if (self->dirty != NULL)
    free_table_silently (self->dirty);
  syncmap_pool_clear (self);
  sync_mutex_clear (&self->mu);
}

static void
syncmap_destroy (MapEngine *map) {
  syncmap_finish ((SyncMap *)map);
  alloc_free (map, sizeof (SyncMap));
}

bool
syncmap_init (SyncMap            *self,
              const EngineClass  *klass,
              const EngineConfig *config) {
  self->engine.klass = klass;
  self->engine.config = *config;
  sync_mutex_init (&self->mu);
  sync_mutex_init (&self->pool.mutex);
  self->domain.id = SYNCMAP_LOCK;
  prng_init (&self->prng, config->seed);
  self->engine.reclaim = reclaim_new (LIMIT_BYTES);
  return self->engine.reclaim != NULL && publish_first_table (self);
}

static MapEngine *
syncmap_create (const EngineClass  *klass,
                const EngineConfig *config) {
  SyncMap *self = alloc_zeroed (sizeof *self);

  if (self == NULL)
    return NULL;
  if (!syncmap_init (self, klass, config)) {
    syncmap_destroy (&self->engine);
    return NULL;
  }
  return &self->engine;
}

const EngineClass syncmap_class = {
  .name = "syncmap",
  .title = "sync.Map ≤ Go 1.23",
  .is_thread_safe = true,
  .snapshot = &syncmap_snapshot_class,
  .has_read_and_dirty = true,
  .create = syncmap_create,
  .destroy = syncmap_destroy,
  .load = syncmap_load,
  .store = syncmap_store,
  .load_or_store = syncmap_load_or_store,
  .load_and_delete = syncmap_load_and_delete,
  .delete_key = syncmap_delete,
  .swap = syncmap_swap,
  .compare_and_swap = syncmap_compare_and_swap,
  .compare_and_delete = syncmap_compare_and_delete,
  .range = syncmap_range,
  .clear = syncmap_clear,
  .len = syncmap_len,
  .check = syncmap_check,
  .get_stats = syncmap_get_stats,
  .get_memory = syncmap_get_memory,
  .dump = syncmap_dump,
};
