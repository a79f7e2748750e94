/* SPDX-License-Identifier: GPL-3.0-or-later */

/* viewmap.c — sync.Map whose past can be looked at
 *
 * Idea        Keep the tables, the lock and the machine of syncmap, but let an
 *             entry's word hold the number of a version instead of a value. A
 *             version is a value, a stamp, and a link to the version before. A
 *             write puts a new version in front of the chain by the CAS that
 *             syncmap would have stored the value with. Whoever wants the past
 *             walks the chain to the first version that is old enough.
 *
 * Terms       clock     the version that writes are stamped with, from 1
 *             barrier   moves the clock on: later writes are of a later version
 *             view      a version; opening one takes the clock's and is a barrier
 *             stamp     the clock as it was some time after the version entered
 *                       its chain and before anybody acted on its value
 *             newest    the first of a chain; its value is the key's
 *             deleted   a version that says that the key was absent
 *             kept      versions that are not newest, and newest deleted ones
 *
 * Why frozen  A writer cannot read the clock and swing the entry in one step: a
 *             view might begin between the two. So a version enters its chain
 *             without a stamp and gets it afterwards, from whoever meets it
 *             first. Let a view of version T begin, which moves the clock to
 *             T + 1. A version that enters a chain after that is stamped with
 *             T + 1 or more: the view passes over it. One that was in the chain
 *             already is stamped T or less, or, if nobody had got to it, perhaps
 *             T + 1; but nobody had seen it then, for who sees stamps. Once
 *             stamped it stays so. Every look of the view thus finds the same,
 *             and a value that was seen before the view began is in the view.
 *
 * Absent      Deleting puts a version in front, too: views want to see what was
 *             before. When all of them can see the deletion the entry becomes nil
 *             and syncmap's course of things takes over: the next dirty copy
 *             expunges it. With no view open that is at once.
 *
 * Letting go  viewmap-version.c, Trimming; viewmap-view.c, Closing. A writer trims
 *             the chain it wrote to, the closer of the oldest view all chains.
 *             With no view open a chain has one version.
 *
 * Clear       deletes the keys that it finds, one by one, while no view can begin:
 *             a view sees all of it or nothing. Versions for all of them are
 *             taken first, so it cannot fail half-way. Others may see it half
 *             done; keys that come meanwhile stay.
 *
 * Invariants  S1 … S10 of syncmap, and with nobody inside:
 *             V1  every version in a chain is stamped, none older than the one
 *                 behind it, none newer than the clock
 *             V2  a version is in one chain, or free, or retired
 *             V3  no view is open: every chain has one version, not deleted
 *             V4  n_kept counts the kept versions
 *             V5  oldest is the version of the oldest open view
 *
 * Threads     clock, oldest, n_kept, stamp, older: words, any thread. value,
 *             is_deleted, generation: written before the version enters a chain.
 *             views_mutex: the list of views, and moves of the clock. Order of
 *             locks: views_mutex, mu, versions_mutex. Only mu is a lock in the
 *             recording: waits for the other two, and for syncmap's pool, are
 *             neither told nor timed, nor are they in the engine's counts, which
 *             equal the recording's. They guard no table, so nothing would be
 *             drawn of them; who waits for them is held up by views that open
 *             and close, by a Clear, or by somebody who takes a record.
 *
 * Events      VERSION_WRITTEN before the ENTRY_STORED that puts it in front, by
 *             the same thread. VERSION_STAMPED by whoever stamps. VERSION_RETIRED
 *             when it is cut off. Number and generation say which is meant, so
 *             their order among threads does not matter. WRITE_BARRIER,
 *             SNAPSHOT_BEGAN and SNAPSHOT_ENDED for clock and views.
 *
 * Departures  Every store allocates a version; one that meets no memory is an
 *             error, deletes included.
 *
 * Source      Y. Wei and others, Constant-Time Snapshots with Applications to
 *             Concurrent Data Structures, PPoPP 2021 (versioned CAS). Tables and
 *             promotion: Go 1.23 sync/map.go, by way of syncmap.
 */
#include "core/base/alloc.h"
#include "core/base/mutant.h"
#include "core/engine/engine-costs.h"
#include "core/engine/engine-private.h"
#include "core/engine/snapshot-private.h"
#include "core/engine/viewmap-private.h"

/* Writing ------------------------------------------------------------------ */

typedef enum {
  WANT_ANY,     /* whatever is there */
  WANT_ABSENT,
  WANT_PRESENT,
  WANT_EQUAL,   /* present, and old */
} Wanted;

/* One write, and what it met. */
typedef struct {
  SyncCall  call;
  int64_t   key;
  Wanted    wanted;
  bool      is_delete;
  int64_t   value;
  int64_t   old;
  uint32_t *spare;     /* list to take versions from; NULL: the pool */
  bool      was_there; /* the key, and with it: */
  int64_t   was;
} Write;

static bool
fits (const Write *write) {
  switch (write->wanted) {
  case WANT_ANY:
    return true;
  case WANT_ABSENT:
    return !write->was_there;
  case WANT_PRESENT:
    return write->was_there;
  case WANT_EQUAL:
    return write->was_there && write->was == write->old;
  }
  return false;
}

/* The newest version of the key, stamped; NULL: the entry is nil, or nowhere. */
static Version *
look (Write  *write,
      Entry **entry) {
  ViewMap *self = (ViewMap *)write->call.self;
  Version *newest = NULL;
  uint64_t word;

  *entry = syncmap_find_entry (&write->call, write->key);
  word = *entry != NULL ? entry_peek (*entry) : 0;
  if (entry_word_has_value (word)) {
    newest = viewmap_version_at (self, (uint32_t)entry_word_value (word));
    if (!MUTANT (SEEN_BEFORE_STAMPED))
      viewmap_stamp (self, newest);
  }
  write->was_there = newest != NULL && !newest->is_deleted;
  write->was = write->was_there ? newest->value : 0;
  return newest;
}

static Version *
make_version (Write *write) {
  ViewMap *self = (ViewMap *)write->call.self;
  Version *version = write->spare != NULL
                         ? viewmap_take_listed (self, write->spare)
                         : viewmap_take (self);

  if (version == NULL)
    return NULL;
  version->value = write->value;
  version->is_deleted = write->is_delete;
  sync_word_store (&version->stamp, 0, SYNC_LABEL ("fill new version"));
  sync_word_store (&version->older, 0, SYNC_LABEL ("fill new version"));
  if (MUTANT (STAMPED_BEFORE_SEEN))
    viewmap_stamp (self, version);
  probe_event_more (EVENT_VERSION_WRITTEN, version->id, version->generation,
                    write->is_delete, 0, (uint64_t)write->value,
                    (uint64_t)write->key);
  return version;
}

/* Puts @version in front of @newest. false: somebody else was faster. */
static bool
put_in_front (ViewMap      *self,
              EngineThread *thread,
              Entry        *entry,
              Version      *newest,
              Version      *version) {
  /* Counted before it can be seen: see viewmap-view.c, Closing. */
  uint64_t n_kept = (uint64_t)!newest->is_deleted + version->is_deleted;

  sync_word_store (&version->older, (uint64_t)newest->id + 1,
                   SYNC_LABEL ("link the version before"));
  sync_word_count (&self->n_kept, n_kept, SYNC_LABEL ("count what is kept"));
  if (entry_try_compare_and_swap (entry, thread, newest->id, version->id))
    return true;
  sync_word_count (&self->n_kept, -n_kept, SYNC_LABEL ("count it no more"));
  sync_word_store (&version->older, 0, SYNC_LABEL ("unlink"));
  return false;
}

typedef enum {
  TRY_DONE,
  TRY_AGAIN,
  TRY_NO_MEMORY,
} Try;

/* @entry, @newest: what look() found. */
static Try
try_to_write (Write   *write,
              Entry   *entry,
              Version *newest,
              Version *version) {
  ViewMap *self = (ViewMap *)write->call.self;
  int64_t found;

  if (newest != NULL) {
    if (!put_in_front (self, write->call.thread, entry, newest, version))
      return TRY_AGAIN;
    viewmap_stamp (self, version);
    viewmap_trim (self, write->call.thread, entry, version);
    return TRY_DONE;
  }
  switch (syncmap_load_or_store_entry (&write->call, write->key, version->id,
                                       &found)) {
  case ENTRY_LOADED:
    return TRY_AGAIN;
  case ENTRY_STORED:
    viewmap_stamp (self, version);
    return TRY_DONE;
  case ENTRY_GAVE_UP:
    break;
  }
  return TRY_NO_MEMORY;
}

/* false: it was not as wanted, or there is no memory. */
static bool
do_write (Write *write) {
  ViewMap *self = (ViewMap *)write->call.self;
  Version *version = NULL;
  Try outcome = TRY_AGAIN;
  bool is_retry = false;

  do {
    Entry *entry;
    Version *newest = look (write, &entry);

    if (!fits (write))
      break;
    if (version == NULL)
      version = make_version (write);
    if (version == NULL) {
      syncmap_fail (&write->call);
      return false;
    }
    if (is_retry)
      engine_count_retry (write->call.thread);
    is_retry = true;
    outcome = try_to_write (write, entry, newest, version);
  } while (outcome == TRY_AGAIN);

  if (outcome != TRY_DONE && version != NULL) {
    probe_event (EVENT_VERSION_RETIRED, version->id, version->generation, 0, 0);
    viewmap_give (self, version);
  }
  return outcome == TRY_DONE;
}

static bool
write_key (Write        *write,
           MapEngine    *map,
           EngineThread *thread,
           OpKind        op) {
  syncmap_begin (&write->call, map, thread, op, write->key, write->value);
  return do_write (write);
}

/* The end of an operation that took no lock may have retired something. */
static bool
end_write (Write  *write,
           bool    is_ok,
           int64_t value) {
  ReclaimThread *reclaim = write->call.thread->reclaim;

  syncmap_end (&write->call, is_ok, value, write->old);
  if (!(write->call.path & OP_PATH_LOCKED) && !reclaim_is_inside (reclaim))
    reclaim_poll (reclaim);
  return is_ok;
}

static bool
viewmap_store (MapEngine    *map,
               EngineThread *thread,
               int64_t       key,
               int64_t       value) {
  Write write = { .key = key, .value = value };
  bool is_stored = write_key (&write, map, thread, OP_STORE);

  end_write (&write, is_stored && write.was_there, write.was);
  return is_stored;
}

static bool
viewmap_load_or_store (MapEngine    *map,
                       EngineThread *thread,
                       int64_t       key,
                       int64_t       value,
                       int64_t      *actual) {
  Write write = { .key = key, .wanted = WANT_ABSENT, .value = value };
  bool is_stored = write_key (&write, map, thread, OP_LOAD_OR_STORE);

  if (is_stored || write.was_there)
    *actual = is_stored ? value : write.was;
  return end_write (&write, write.was_there, is_stored ? value : write.was);
}

static bool
viewmap_load_and_delete (MapEngine    *map,
                         EngineThread *thread,
                         int64_t       key,
                         int64_t      *value) {
  Write write = { .key = key, .wanted = WANT_PRESENT, .is_delete = true };
  bool is_deleted = write_key (&write, map, thread, OP_LOAD_AND_DELETE);

  if (is_deleted)
    *value = write.was;
  return end_write (&write, is_deleted, is_deleted ? write.was : 0);
}

static bool
viewmap_delete (MapEngine    *map,
                EngineThread *thread,
                int64_t       key) {
  Write write = { .key = key, .wanted = WANT_PRESENT, .is_delete = true };
  bool is_deleted = write_key (&write, map, thread, OP_DELETE);

  return end_write (&write, is_deleted, is_deleted ? write.was : 0);
}

static bool
viewmap_swap (MapEngine    *map,
              EngineThread *thread,
              int64_t       key,
              int64_t       value,
              int64_t      *previous) {
  Write write = { .key = key, .value = value };
  bool is_loaded = write_key (&write, map, thread, OP_SWAP) && write.was_there;

  if (is_loaded)
    *previous = write.was;
  return end_write (&write, is_loaded, is_loaded ? write.was : 0);
}

static bool
viewmap_compare_and_swap (MapEngine    *map,
                          EngineThread *thread,
                          int64_t       key,
                          int64_t       old,
                          int64_t       value) {
  Write write
      = { .key = key, .wanted = WANT_EQUAL, .value = value, .old = old };
  bool is_swapped = write_key (&write, map, thread, OP_COMPARE_AND_SWAP);

  return end_write (&write, is_swapped, is_swapped);
}

static bool
viewmap_compare_and_delete (MapEngine    *map,
                            EngineThread *thread,
                            int64_t       key,
                            int64_t       old) {
  Write write
      = { .key = key, .wanted = WANT_EQUAL, .is_delete = true, .old = old };
  bool is_deleted = write_key (&write, map, thread, OP_COMPARE_AND_DELETE);

  return end_write (&write, is_deleted, is_deleted);
}

/* Looking ------------------------------------------------------------------ */

static bool
viewmap_load (MapEngine    *map,
              EngineThread *thread,
              int64_t       key,
              int64_t      *value) {
  Write write = { .key = key };
  Entry *entry;

  syncmap_begin (&write.call, map, thread, OP_LOAD, key, 0);
  look (&write, &entry);
  if (write.was_there)
    *value = write.was;
  return syncmap_end (&write.call, write.was_there, write.was, 0);
}

/* The value that @entry has now; false: none. */
static bool
value_now (ViewMap *self,
           Entry   *entry,
           int64_t *value) {
  uint64_t word = entry_peek (entry);
  Version *newest;

  if (!entry_word_has_value (word))
    return false;
  newest = viewmap_version_at (self, (uint32_t)entry_word_value (word));
  viewmap_stamp (self, newest);
  *value = newest->value;
  return !newest->is_deleted;
}

static bool
viewmap_range (MapEngine    *map,
               EngineThread *thread,
               EngineVisit   visit,
               void         *data) {
  SyncCall call;
  SyncTable *table;
  bool tells, goes_on = true;
  uint32_t id = 0;
  GoIter iter;

  syncmap_begin (&call, map, thread, OP_RANGE, 0, 0);
  table = syncmap_whole_table (&call);
  tells = probe_tells_walk ();
  if (tells)
    id = gomap_number_iterator (&call.self->next_iterator);
  gomap_iter_begin (&iter, &table->map, prng_next (&thread->prng),
                    tells ? GOMAP_ITER_TELLS : 0, id, table->published_ver);
  probe_event_more (EVENT_RANGE_BEGAN, (uint32_t)iter.start_bucket, id,
                    iter.offset, table->map.config.id,
                    (uint64_t)table->map.count, table->published_ver);
  while (goes_on && gomap_iter_next (&iter)) {
    Entry *entry = syncmap_entry_of (iter.elem);
    int64_t value;

    if (value_now ((ViewMap *)map, entry, &value)) {
      probe_range_yield (id, iter.key, value);
      goes_on = visit (iter.key, value, data);
    } else {
      gomap_iter_skip (&iter, entry_word_is_expunged (entry_peek (entry)));
    }
  }
  gomap_iter_flush (&iter);
  probe_event (EVENT_RANGE_ENDED, (uint32_t)iter.n_visited, id, !goes_on, 0);
  return syncmap_end (&call, goes_on, (int64_t)iter.n_visited, 0);
}

static uint64_t
viewmap_len (MapEngine    *map,
             EngineThread *thread) {
  SyncCall call;
  SyncTable *table;
  GoIter iter;
  uint64_t n_live = 0;
  int64_t value;

  syncmap_begin (&call, map, thread, OP_LEN, 0, 0);
  syncmap_lock (&call);
  /* dirty, if there is one, holds all that read holds alive (S2). */
  table = call.self->dirty != NULL ? call.self->dirty
                                   : syncmap_read (call.self).table;
  gomap_iter_begin (&iter, &table->map, 0, 0, 0, 0);
  while (gomap_iter_next (&iter))
    n_live += value_now ((ViewMap *)map, syncmap_entry_of (iter.elem), &value);
  syncmap_unlock (&call);
  syncmap_end (&call, true, (int64_t)n_live, 0);
  return n_live;
}

/* Clear -------------------------------------------------------------------- */

/* views_mutex held. false: no memory, nothing deleted. */
static bool
clear_locked (Write *write) {
  ViewMap *self = (ViewMap *)write->call.self;
  SyncTable *table = syncmap_whole_table (&write->call);
  uint32_t spare;
  GoIter iter;

  if (!viewmap_take_many (self, (uint64_t)table->map.count, &spare))
    return false;
  write->spare = &spare;
  gomap_iter_begin (&iter, &table->map, 0, 0, 0, 0);
  while (gomap_iter_next (&iter)) {
    write->key = iter.key;
    do_write (write);
  }
  viewmap_give_listed (self, spare);
  return true;
}

static bool
viewmap_clear (MapEngine    *map,
               EngineThread *thread) {
  ViewMap *self = (ViewMap *)map;
  Write write = { .wanted = WANT_PRESENT, .is_delete = true };
  bool is_ok;

  syncmap_begin (&write.call, map, thread, OP_CLEAR, 0, 0);
  viewmap_lock_views (self);
  is_ok = clear_locked (&write);
  sync_mutex_unlock (&self->views_mutex, SYNC_LABEL ("unlock views"));
  if (!is_ok)
    syncmap_fail (&write.call);
  return end_write (&write, is_ok, 0);
}

/* Life and class ----------------------------------------------------------- */

static void
viewmap_destroy (MapEngine *map) {
  ViewMap *self = (ViewMap *)map;

  /* What is held goes back to the pool first. */
  syncmap_finish (&self->sync);
  viewmap_free_slabs (self);
  sync_mutex_clear (&self->views_mutex);
  sync_mutex_clear (&self->versions_mutex);
  alloc_free (self, sizeof *self);
}

static MapEngine *
viewmap_create (const EngineClass  *klass,
                const EngineConfig *config) {
  ViewMap *self = alloc_zeroed (sizeof *self);

  if (self == NULL)
    return NULL;
  sync_mutex_init (&self->views_mutex);
  sync_mutex_init (&self->versions_mutex);
  sync_word_store (&self->clock, 1, SYNC_LABEL ("start the clock"));
  sync_word_store (&self->oldest, VIEWMAP_NO_VIEW, SYNC_LABEL ("no view yet"));
  self->sync.table_flags = TABLE_HOLDS_VERSIONS;
  if (!syncmap_init (&self->sync, klass, config)) {
    viewmap_destroy (&self->sync.engine);
    return NULL;
  }
  return &self->sync.engine;
}

static void
viewmap_get_stats (MapEngine   *map,
                   EngineStats *stats) {
  ViewMap *self = (ViewMap *)map;

  syncmap_get_stats (map, stats);
  sync_mutex_lock (&self->versions_mutex, SYNC_LABEL ("lock versions"));
  stats->bytes += sizeof *self - sizeof self->sync + viewmap_pool_bytes (self);
  sync_mutex_unlock (&self->versions_mutex, SYNC_LABEL ("unlock versions"));
}

const EngineClass viewmap_class = {
  .name = "viewmap",
  .title = "sync.Map ≤ Go 1.23 + versions",
  .is_thread_safe = true,
  .has_read_and_dirty = true,
  .snapshot = &viewmap_snapshot_class,
  .create = viewmap_create,
  .destroy = viewmap_destroy,
  .load = viewmap_load,
  .store = viewmap_store,
  .load_or_store = viewmap_load_or_store,
  .load_and_delete = viewmap_load_and_delete,
  .delete_key = viewmap_delete,
  .swap = viewmap_swap,
  .compare_and_swap = viewmap_compare_and_swap,
  .compare_and_delete = viewmap_compare_and_delete,
  .range = viewmap_range,
  .clear = viewmap_clear,
  .len = viewmap_len,
  .check = viewmap_check,
  .get_stats = viewmap_get_stats,
  .get_memory = viewmap_get_memory,
  .dump = viewmap_dump,
};
