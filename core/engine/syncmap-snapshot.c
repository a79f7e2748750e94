/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-snapshot.c — a Range of syncmap that is asked instead of calling back
 *
 * Idea        What Range does: promote dirty if read is amended, then walk read,
 *             which never changes. The keys are those of one instant, and taking
 *             it copies nothing. The values are read when their turn comes: a key
 *             deleted by then is skipped, a new value is given. A promotion or a
 *             Clear meanwhile replaces read, not the table under the walk.
 *
 * Cost        A section of the reclaimer stays open as long as the snapshot: no
 *             table or entry that was retired since is freed, by any thread.
 *             So what is told as held is all that was retired since. Sections nest,
 *             so any number of snapshots may be open and end in any order.
 *
 * Threads     As Range. mu guards the sums of what was retired.
 */
#include "core/base/alloc.h"
#include "core/engine/snapshot-private.h"
#include "core/engine/syncmap-private.h"

typedef struct {
  EngineSnapshot base;
  SyncTable     *table;
  GoIter         iter;
  uint64_t       n_sent;     /* of the map, when it began */
  uint64_t       bytes_sent;
} TableWalk;

/* Untold, but whoever holds mu may wait for a recorder that waits for what we
 * told before. */
static void
lock_for_look (SyncMap *map) {
  if (sync_mutex_trylock (&map->mu, SYNC_LABEL ("try to lock mu for a look")))
    return;
  probe_flush (probe_current);
  sync_mutex_lock (&map->mu, SYNC_LABEL ("lock mu for a look"));
}

static EngineSnapshot *
begin (MapEngine    *map,
       EngineThread *thread) {
  TableWalk *self = alloc_zeroed (sizeof *self);
  SyncCall call = { .self = (SyncMap *)map, .thread = thread, .op = OP_RANGE };
  const GoMap *table;

  if (self == NULL)
    return NULL;
  reclaim_enter (thread->reclaim);
  lock_for_look (call.self);
  self->n_sent = call.self->n_sent;
  self->bytes_sent = call.self->bytes_sent;
  sync_mutex_unlock (&call.self->mu, SYNC_LABEL ("unlock mu after a look"));
  self->table = syncmap_whole_table (&call);
  if (call.superseded != NULL)
    syncmap_retire (call.self, thread->reclaim, call.superseded);
  table = &self->table->map;
  self->base.id = gomap_number_iterator (&call.self->next_iterator);
  self->base.version = self->table->published_ver;
  self->base.n_keys = (uint64_t)table->count;
  gomap_iter_begin (&self->iter, &self->table->map, prng_next (&thread->prng),
                    GOMAP_ITER_TELLS, self->base.id, self->table->published_ver);
  probe_event_more (EVENT_RANGE_BEGAN, (uint32_t)self->iter.start_bucket,
                    self->base.id, self->iter.offset, table->config.id,
                    (uint64_t)table->count, self->table->published_ver);
  return &self->base;
}

static bool
next (EngineSnapshot *base) {
  TableWalk *self = (TableWalk *)base;

  while (gomap_iter_next (&self->iter)) {
    uint64_t word = entry_peek (syncmap_entry_of (self->iter.elem));

    if (entry_word_has_value (word)) {
      base->key = self->iter.key;
      base->value = entry_word_value (word);
      return true;
    }
    gomap_iter_skip (&self->iter, entry_word_is_expunged (word));
    snapshot_skip (base);
  }
  return false;
}

static void
end (EngineSnapshot *base) {
  TableWalk *self = (TableWalk *)base;
  ReclaimThread *reclaim = base->thread->reclaim;

  gomap_iter_flush (&self->iter);
  probe_event (EVENT_RANGE_ENDED, (uint32_t)self->iter.n_visited, base->id,
               !self->iter.is_done, 0);
  reclaim_leave (reclaim);
  if (!reclaim_is_inside (reclaim))
    reclaim_poll (reclaim);
  alloc_free (self, sizeof *self);
}

static void
get_cost (EngineSnapshot *base,
          SnapshotInfo   *info) {
  TableWalk *self = (TableWalk *)base;
  SyncMap *map = (SyncMap *)base->map;

  info->bytes_held = sizeof *self;
  lock_for_look (map);
  info->n_entries_held = map->n_sent - self->n_sent;
  info->bytes_held += map->bytes_sent - self->bytes_sent;
  sync_mutex_unlock (&map->mu, SYNC_LABEL ("unlock mu after a look"));
}

const struct _SnapshotClass syncmap_snapshot_class = {
  "The keys that the map had at one instant, without those deleted before their "
  "turn; each value as it is when its turn comes.",
  begin, next, end, get_cost,
};
