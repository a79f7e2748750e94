/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-range.c — the operations that concern all keys: Range, Clear, len
 *
 * Range       A walk under the lock would stop everybody; so the walk is over
 *             read, which never changes. If dirty has keys that read lacks it is
 *             promoted first, whatever the misses: one pointer moves, though the
 *             next new key then pays for a copy. The callback runs without a
 *             lock and may use the map as it likes; the section stays open, so
 *             the table stays. No key comes twice; a value is one that the key
 *             had at some moment of the walk; keys that come meanwhile are not
 *             seen. The walk is no snapshot. Unless it tells what it walks
 *             (probe_tells_walk()), or read was promoted in the middle of a
 *             growth, it goes by batches (gomap-walk.c, syncmap-range-private.h).
 *
 * Clear       publishes an empty read and empties dirty in place. dirty stays,
 *             so the next new key need not copy. An empty read that is amended is
 *             published again as it is, not amended (Go makes a new one). The entries
 *             of the old read go with it; those in dirty alone become orphans. A
 *             store that found its entry before the Clear may still change it after:
 *             it is then ordered before.
 *
 * Source      Go 1.23 sync/map.go: Range, Clear. len is Tophash's own.
 */
#include "core/base/mutant.h"
#include "core/engine/syncmap-private.h"
#include "core/engine/syncmap-range-private.h"

/* Entries that Clears may leave waiting for the next table that is superseded.
 * Free choice: a batch of the reclaimer. */
#define CLEAR_ORPHANS 64

/* Range -------------------------------------------------------------------- */

SyncTable *
syncmap_whole_table (SyncCall *call) {
  SyncMap *self = call->self;
  SyncRead read = syncmap_read (self);

  if (!read.amended)
    return read.table;
  call->path |= OP_PATH_AMENDED;
  syncmap_lock (call);
  if (syncmap_read (self).amended)
    syncmap_promote_locked (call);
  read = syncmap_read (self);
  syncmap_unlock (call);
  return read.table;
}

bool
syncmap_range_told (SyncCall    *call,
                    SyncTable   *table,
                    EngineVisit  visit,
                    void        *data,
                    uint64_t    *n_visited) {
  bool tells = probe_tells_walk (), goes_on = true;
  uint32_t id = 0;
  GoIter iter;

  if (tells)
    id = gomap_number_iterator (&call->self->next_iterator);
  gomap_iter_begin (&iter, &table->map, prng_next (&call->thread->prng),
                    tells ? GOMAP_ITER_TELLS : 0, id, table->published_ver);
  probe_event_more (EVENT_RANGE_BEGAN, (uint32_t)iter.start_bucket, id,
                    iter.offset, table->map.config.id,
                    (uint64_t)table->map.count, table->published_ver);

  while (goes_on && gomap_iter_next (&iter)) {
    uint64_t word = entry_peek (syncmap_entry_of (iter.elem));

    sync_read_point (table, SYNC_LABEL ("walk on in read"));
    if (!entry_word_has_value (word)) {
      gomap_iter_skip (&iter, entry_word_is_expunged (word));
      continue;
    }
    ++*n_visited;
    probe_range_yield (id, iter.key, entry_word_value (word));
    goes_on = visit (iter.key, entry_word_value (word), data);
  }

  gomap_iter_flush (&iter);
  probe_event (EVENT_RANGE_ENDED, (uint32_t)*n_visited, id, !goes_on, 0);
  return goes_on;
}

void
syncmap_tell_range (const SyncTable *table,
                    const GoWalk    *walk) {
  probe_event_more (EVENT_RANGE_BEGAN, (uint32_t)(walk->main & walk->mask), 0,
                    (uint8_t)walk->offset, table->map.config.id,
                    (uint64_t)table->map.count, table->published_ver);
}

void
syncmap_tell_range_over (uint64_t n_visited,
                         bool     is_stopped) {
  probe_event (EVENT_RANGE_ENDED, (uint32_t)n_visited, 0, is_stopped, 0);
}

bool
syncmap_range (MapEngine    *map,
               EngineThread *thread,
               EngineVisit   visit,
               void         *data) {
  return syncmap_range_with (map, thread, false, visit, data);
}

/* Clear -------------------------------------------------------------------- */

typedef struct {
  SyncMap         *self;
  const SyncTable *read;
} Orphaning;

/* Makes the entry of a slot of dirty an orphan if read lacks it; mu held. */
static void
orphan_cb (int64_t  key,
           uint64_t elem,
           void    *data) {
  const Orphaning *orphaning = data;

  if (orphaning->read->map.count == 0
      || syncmap_find (orphaning->read, key) == NULL)
    syncmap_orphan_locked (orphaning->self, syncmap_entry_of (elem));
}

/* Whether Clear makes a new empty table. One that is empty may stay; but orphans
 * wait until some table is superseded (P4), so it goes when they are many. */
static bool
needs_new_read_locked (const SyncMap *self,
                       SyncRead       read) {
  uint64_t n_dirty = self->dirty != NULL ? (uint64_t)self->dirty->map.count : 0;

  return read.table->map.count > 0
         || (read.amended && self->n_orphans + n_dirty > CLEAR_ORPHANS);
}

static void
replace_read_locked (SyncCall  *call,
                     SyncTable *old,
                     SyncTable *empty) {
  SyncMap *self = call->self;
  uint32_t version = syncmap_next_version_locked (self);

  /* A table that readers may walk is not written to: it was published before. */
  if (empty != old)
    empty->published_ver = version;
  syncmap_publish (self, empty, false);
  probe_event (EVENT_READ_PUBLISHED, 0, version, 0, empty->map.config.id);
  if (empty != old)
    syncmap_supersede_locked (call, old, true);
}

/* false: no memory, nothing changed. */
static bool
clear_locked (SyncCall *call) {
  SyncMap *self = call->self;
  SyncRead read = syncmap_read (self);
  SyncTable *empty = read.table;
  uint32_t orphans = self->orphans;
  uint32_t n_orphans = self->n_orphans;
  Orphaning orphaning = { self, read.table };

  if (needs_new_read_locked (self, read)) {
    empty = syncmap_table_new_locked (self, 0, 0);
    if (empty == NULL)
      return false;
  }

  if (self->dirty != NULL)
    gomap_visit_inline (&self->dirty->map, orphan_cb, &orphaning);
  /* Go replaces read first. This might fail, so it comes first here. */
  if (self->dirty != NULL && !MUTANT (CLEAR_KEEPS_DIRTY)
      && !gomap_clear (&self->dirty->map)) {
    self->orphans = orphans;
    self->n_orphans = n_orphans;
    if (empty != read.table)
      syncmap_table_free (self, empty);
    return false;
  }
  if (empty != read.table || read.amended)
    replace_read_locked (call, read.table, empty);

  if (sync_plain_read (&self->misses, SYNC_LABEL ("read misses")) != 0) {
    sync_plain_write (&self->misses, 0, SYNC_LABEL ("set misses to 0"));
    probe_event (EVENT_MISSES_RESET, 0, syncmap_next_version_locked (self), 0,
                 syncmap_read (self).table->map.config.id);
  }
  return true;
}

bool
syncmap_clear (MapEngine    *map,
               EngineThread *thread) {
  SyncCall call;
  SyncRead read;
  bool is_ok = true;

  syncmap_begin (&call, map, thread, OP_CLEAR, 0, 0);
  read = syncmap_read (call.self);
  /* Nothing to clear: no lock, no allocation. */
  if (read.table->map.count > 0 || read.amended) {
    syncmap_lock (&call);
    is_ok = clear_locked (&call);
    syncmap_unlock (&call);
  }
  if (!is_ok)
    syncmap_fail (&call);
  return syncmap_end (&call, is_ok, 0, 0);
}

/* len ---------------------------------------------------------------------- */

uint64_t
syncmap_len (MapEngine    *map,
             EngineThread *thread) {
  SyncCall call;
  SyncTable *table;
  GoIter iter;
  uint64_t n_live = 0;

  syncmap_begin (&call, map, thread, OP_LEN, 0, 0);
  syncmap_lock (&call);
  /* dirty, if there is one, holds all that read holds alive (S2). */
  table = call.self->dirty != NULL ? call.self->dirty
                                   : syncmap_read (call.self).table;
  gomap_iter_begin (&iter, &table->map, 0, 0, 0, 0);
  while (gomap_iter_next (&iter))
    n_live += entry_word_has_value (entry_peek (syncmap_entry_of (iter.elem)));
  syncmap_unlock (&call);
  syncmap_end (&call, true, (int64_t)n_live, 0);
  return n_live;
}
