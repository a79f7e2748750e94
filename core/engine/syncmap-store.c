/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-store.c — the operations that may bring a value or a key
 *
 * All begin on the fast way: the key is in read and its entry is not expunged,
 * so one CAS does it. The slow way holds mu and finds the key in one of four
 * places: in read after all, in read but expunged, in dirty alone, or nowhere.
 * Storing over a key that is in dirty alone counts no miss; loading it by
 * LoadOrStore, or comparing it, does, as in Go.
 *
 * Memory      is taken before anything is changed. An operation that fails has
 *             at most made dirty a copy of read, which no caller can tell.
 *
 * Source      Go 1.23 sync/map.go: Swap, LoadOrStore, CompareAndSwap.
 */
#include "core/base/mutant.h"
#include "core/engine/syncmap-private.h"

/* Puts @entry, expunged from dirty, back; mu held. false: no memory. */
static bool
bring_back_locked (SyncCall *call,
                   int64_t   key,
                   Entry    *entry) {
  /* While mu is held an expunged entry stays so. Go makes it nil first and then
   * puts it into dirty; here putting can fail, so it comes first. */
  if (!entry_word_is_expunged (entry_peek (entry)))
    return true;
  sync_write_point (call->self->dirty, SYNC_LABEL ("put entry into dirty"));
  if (!MUTANT (STORE_FORGETS_DIRTY)
      && gomap_assign (&call->self->dirty->map, key, syncmap_elem_of (entry),
                       false, NULL, &call->path)
             != GOMAP_INSERTED)
    return false;
  entry_unexpunge_locked (entry);
  return true;
}

/* A key that is nowhere: a new entry into dirty; mu held. @hash: from the look in
 * dirty, if there is one. false: no memory. */
static inline __attribute__ ((always_inline)) bool
insert_locked (SyncCall *call,
               SyncRead  read,
               int64_t   key,
               uint64_t  hash,
               int64_t   value) {
  SyncMap *self = call->self;
  Entry *entry = syncmap_take_entry_locked (self);
  bool is_hashed = self->dirty != NULL;

  if (entry == NULL)
    return false;
  if (read.amended || syncmap_amend_locked (call)) {
    if (!is_hashed)
      hash = gomap_hash (&self->dirty->map, key);
    entry_begin (entry, value);
    sync_write_point (self->dirty, SYNC_LABEL ("put new key into dirty"));
    if (gomap_insert (&self->dirty->map, key, hash, syncmap_elem_of (entry),
                      &call->path)
        == GOMAP_INSERTED) {
      if ((call->path & (OP_PATH_MOVED | OP_PATH_GREW | OP_PATH_COPIED)) != 0)
        syncmap_leave_hint_locked (self);
      return true;
    }
  }
  syncmap_give_entry_locked (self, entry);
  return false;
}

/* Swap --------------------------------------------------------------------- */

__attribute__ ((noinline)) bool
syncmap_swap_slowly (SyncCall *call,
                     SyncLook  first,
                     int64_t   key,
                     int64_t   value,
                     bool     *has_previous,
                     int64_t  *previous) {
  SyncMap *self = call->self;
  SyncRead read;
  Entry *entry;
  uint64_t hash;
  bool is_stored = true;

  syncmap_fetch_dirty (self, key);
  syncmap_lock (call);
  read = syncmap_read (self);
  entry = syncmap_find_again (read.table, first, key);
  if (entry != NULL) {
    call->path |= OP_PATH_IN_READ;
    is_stored = bring_back_locked (call, key, entry);
  } else {
    if (read.amended)
      call->path |= OP_PATH_AMENDED;
    entry = syncmap_seek_dirty_locked (self, key, &hash);
    if (entry != NULL)
      call->path |= OP_PATH_IN_DIRTY;
    else
      is_stored = insert_locked (call, read, key, hash, value);
  }
  /* Not expunged now, and mu is held: this cannot give up. */
  if (is_stored && entry != NULL)
    entry_try_swap (entry, call->thread, value, has_previous, previous);
  syncmap_unlock (call);
  if (!is_stored)
    syncmap_fail (call);
  return is_stored;
}

static inline bool
swap_value (SyncCall *call,
            int64_t   key,
            int64_t   value,
            bool     *has_previous,
            int64_t  *previous) {
  const SyncTable *read = syncmap_read (call->self).table;
  Entry *entry = syncmap_find (read, key);
  bool is_stored;

  if (entry != NULL
      && entry_try_swap (entry, call->thread, value, has_previous, previous)) {
    call->path |= OP_PATH_IN_READ;
    return true;
  }

  SyncCall slow = syncmap_go_slow (call);

  is_stored = syncmap_swap_slowly (&slow, (SyncLook){ read, entry }, key, value,
                                   has_previous, previous);
  syncmap_come_back (call, &slow);
  return is_stored;
}

bool
syncmap_store (MapEngine    *map,
               EngineThread *thread,
               int64_t       key,
               int64_t       value) {
  SyncCall call;
  bool has_previous = false;
  int64_t previous = 0;
  bool is_stored;

  syncmap_begin (&call, map, thread, OP_STORE, key, value);
  is_stored = swap_value (&call, key, value, &has_previous, &previous);
  syncmap_end (&call, has_previous, previous, 0);
  return is_stored;
}

bool
syncmap_swap (MapEngine    *map,
              EngineThread *thread,
              int64_t       key,
              int64_t       value,
              int64_t      *previous) {
  SyncCall call;
  bool has_previous = false;
  int64_t found = 0;

  syncmap_begin (&call, map, thread, OP_SWAP, key, value);
  swap_value (&call, key, value, &has_previous, &found);
  if (has_previous)
    *previous = found;
  return syncmap_end (&call, has_previous, found, 0);
}

/* LoadOrStore -------------------------------------------------------------- */

__attribute__ ((noinline)) EntryOutcome
syncmap_load_or_store_slowly (SyncCall *call,
                              SyncLook  first,
                              int64_t   key,
                              int64_t   value,
                              int64_t  *actual) {
  SyncMap *self = call->self;
  EntryOutcome outcome = ENTRY_GAVE_UP;
  SyncRead read;
  Entry *entry;
  uint64_t hash;

  syncmap_fetch_dirty (self, key);
  syncmap_lock (call);
  read = syncmap_read (self);
  entry = syncmap_find_again (read.table, first, key);
  if (entry != NULL) {
    call->path |= OP_PATH_IN_READ;
    if (bring_back_locked (call, key, entry))
      outcome = entry_try_load_or_store (entry, call->thread, value, actual);
  } else {
    if (read.amended)
      call->path |= OP_PATH_AMENDED;
    entry = syncmap_seek_dirty_locked (self, key, &hash);
    if (entry != NULL) {
      call->path |= OP_PATH_IN_DIRTY;
      outcome = entry_try_load_or_store (entry, call->thread, value, actual);
      syncmap_miss_locked (call);
    } else if (insert_locked (call, read, key, hash, value)) {
      *actual = value;
      outcome = ENTRY_STORED;
    }
  }
  syncmap_unlock (call);
  if (outcome == ENTRY_GAVE_UP)
    syncmap_fail (call);
  return outcome;
}

EntryOutcome
syncmap_load_or_store_entry (SyncCall *call,
                             int64_t   key,
                             int64_t   value,
                             int64_t  *actual) {
  const SyncTable *read = syncmap_read (call->self).table;
  Entry *entry = syncmap_find (read, key);
  EntryOutcome outcome = ENTRY_GAVE_UP;

  if (entry != NULL)
    outcome = entry_try_load_or_store (entry, call->thread, value, actual);
  if (outcome == ENTRY_GAVE_UP)
    return syncmap_load_or_store_slowly (call, (SyncLook){ read, entry }, key,
                                         value, actual);
  call->path |= OP_PATH_IN_READ;
  return outcome;
}

bool
syncmap_load_or_store (MapEngine    *map,
                       EngineThread *thread,
                       int64_t       key,
                       int64_t       value,
                       int64_t      *actual) {
  SyncCall call;
  EntryOutcome outcome = ENTRY_GAVE_UP;
  int64_t found = 0;
  const SyncTable *read;
  Entry *entry;

  syncmap_begin (&call, map, thread, OP_LOAD_OR_STORE, key, value);
  read = syncmap_read (call.self).table;
  entry = syncmap_find (read, key);
  if (entry != NULL)
    outcome = entry_try_load_or_store (entry, thread, value, &found);
  if (outcome != ENTRY_GAVE_UP) {
    call.path |= OP_PATH_IN_READ;
  } else {
    SyncCall slow = syncmap_go_slow (&call);

    outcome = syncmap_load_or_store_slowly (&slow, (SyncLook){ read, entry },
                                            key, value, &found);
    syncmap_come_back (&call, &slow);
  }
  if (outcome != ENTRY_GAVE_UP)
    *actual = found;
  return syncmap_end (&call, outcome == ENTRY_LOADED, found, 0);
}

/* CompareAndSwap ----------------------------------------------------------- */

__attribute__ ((noinline)) bool
syncmap_compare_and_swap_slowly (SyncCall *call,
                                 SyncLook  first,
                                 int64_t   key,
                                 int64_t   old,
                                 int64_t   value) {
  bool is_swapped = false;
  Entry *entry;

  call->path |= OP_PATH_AMENDED;
  syncmap_fetch_dirty (call->self, key);
  syncmap_lock (call);
  entry = syncmap_find_again (syncmap_read (call->self).table, first, key);
  if (entry != NULL) {
    call->path |= OP_PATH_IN_READ;
    is_swapped = entry_try_compare_and_swap (entry, call->thread, old, value);
  } else {
    entry = syncmap_find_dirty_locked (call->self, key);
    if (entry != NULL) {
      call->path |= OP_PATH_IN_DIRTY;
      is_swapped = entry_try_compare_and_swap (entry, call->thread, old, value);
      syncmap_miss_locked (call);
    }
  }
  syncmap_unlock (call);
  return is_swapped;
}

bool
syncmap_compare_and_swap (MapEngine    *map,
                          EngineThread *thread,
                          int64_t       key,
                          int64_t       old,
                          int64_t       value) {
  SyncCall call;
  SyncRead read;
  Entry *entry;
  bool is_swapped = false;

  syncmap_begin (&call, map, thread, OP_COMPARE_AND_SWAP, key, value);
  read = syncmap_read (call.self);
  entry = syncmap_find (read.table, key);
  if (entry != NULL) {
    call.path |= OP_PATH_IN_READ;
    is_swapped = entry_try_compare_and_swap (entry, thread, old, value);
  } else if (read.amended) {
    SyncCall slow = syncmap_go_slow (&call);

    is_swapped = syncmap_compare_and_swap_slowly (
      &slow, (SyncLook){ read.table, NULL }, key, old, value);
    syncmap_come_back (&call, &slow);
  }
  return syncmap_end (&call, is_swapped, is_swapped, old);
}
