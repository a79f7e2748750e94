/* SPDX-License-Identifier: GPL-3.0-or-later */

/* rwmap.c — a built-in map behind a lock that readers share
 *
 * Idea        Look-ups change nothing in a built-in map, so any number of them may
 *             go on at a time; a write goes alone. What Go programmers call a map
 *             with an RWMutex, and what sync.Map is measured against.
 *
 * The lock    is Go's sync.RWMutex (base/sync-rwlock.c): a writer that waits
 *             keeps new readers out, and after a writer the readers that wait go
 *             first. Load, len and the walk of a Range share it, everything else
 *             holds it alone. Sharing is not free: each look-up changes the
 *             lock's word twice, and on many cores that word is what they wait
 *             for.
 *
 * Range       copies the list of keys while it shares the lock, then loads each
 *             of them under the lock anew and calls back without it. A key that
 *             is deleted before its turn is left out, a value is that of its own
 *             load: no snapshot. The callback may use the map. The list costs
 *             eight bytes a key; without memory for it Range is an error.
 *
 * Events      LOCK_ACQUIRED and LOCK_RELEASED count in the domain's version, as
 *             in mutexmap. Readers cannot count there, for they go side by side:
 *             LOCK_READ_ACQUIRED tells the version that they find, which puts
 *             them behind the last writer; LOCK_ACQUIRED tells how many read
 *             sections had ended, which puts it behind all of them. Both numbers
 *             are part of the step that takes the lock. LOCK_WAITED is told
 *             before a thread blocks, with what it waits for; a writer that gets
 *             its turn while readers are inside tells a second one.
 *
 * Invariants  W1 … W3 of the lock, G1 … of the table.
 *
 * Threads     rwlock guards table, domain, prng; see gomap-engine.h.
 *             n_lock_waits and n_hits are counted by anyone.
 *
 * Departures  Go's walk sets the iterator flags in the table even under RLock, by
 *             an atomic or. Here it sets none: it ends before any write begins.
 *
 * Source      Go 1.23 sync/map_reference_test.go, RWMutexMap.
 */

#include "core/base/alloc.h"
#include "core/engine/engine-costs.h"
#include "core/engine/engine-private.h"
#include "core/engine/gomap-engine.h"
#include "core/engine/gomap-find-private.h"
#include "core/engine/snapshot-private.h"
#include "core/probe/probe.h"

/* The lock ----------------------------------------------------------------- */

static void
init (GoShard *shard) {
  sync_rwlock_init (&shard->rwlock);
}

static void
clear (GoShard *shard) {
  sync_rwlock_clear (&shard->rwlock);
}

/* What was told before is shown first: those who hold the lock may wait for a
 * recorder that waits for it. */
static void
tell_wait (GoShard *shard,
           LockWait what) {
  probe_restamp ();
  probe_event (EVENT_LOCK_WAITED, shard->domain.id, 0, (uint8_t)what, 0);
  probe_flush (probe_current);
}

static unsigned
lock_shared (GoShard      *shard,
             EngineThread *thread) {
  unsigned path = OP_PATH_LOCKED;
  uint64_t waited_ns = 0;

  if (!sync_rwlock_arrive (&shard->rwlock, SYNC_LABEL ("mu.RLock"))) {
    uint64_t began_ns = engine_now_ns (thread);

    path |= OP_PATH_WAITED;
    tell_wait (shard, LOCK_WAIT_READ);
    sync_rwlock_await_turn (&shard->rwlock);
    probe_restamp ();
    sync_word_count (&shard->n_lock_waits, 1, SYNC_LABEL ("count the wait"));
    waited_ns = engine_end_wait (thread, began_ns);
  }
  engine_begin_hold (thread);
  probe_event_more (EVENT_LOCK_READ_ACQUIRED, shard->domain.id, 0, 0, 0,
                    waited_ns, shard->domain.version);
  return path;
}

static unsigned
lock_alone (GoShard      *shard,
            EngineThread *thread) {
  unsigned path = OP_PATH_LOCKED;
  uint64_t waited_ns = 0;

  if (!sync_rwlock_try_lock (&shard->rwlock, SYNC_LABEL ("try mu.Lock"))) {
    uint64_t began_ns = engine_now_ns (thread);

    path |= OP_PATH_WAITED;
    tell_wait (shard, LOCK_WAIT_ALONE);
    if (!sync_rwlock_claim (&shard->rwlock, SYNC_LABEL ("mu.Lock"))) {
      tell_wait (shard, LOCK_WAIT_DRAIN);
      sync_rwlock_drain (&shard->rwlock);
    }
    probe_restamp ();
    sync_word_count (&shard->n_lock_waits, 1, SYNC_LABEL ("count the wait"));
    waited_ns = engine_end_wait (thread, began_ns);
  }
  engine_begin_hold (thread);
  if (probe_current != NULL)
    probe_event_more (EVENT_LOCK_ACQUIRED, shard->domain.id,
                      shard->domain.version + 1, 0, 0,
                      sync_rwlock_n_reads (&shard->rwlock), waited_ns);
  shard->domain.version++;
  return path;
}

static unsigned
lock (GoShard      *shard,
      EngineThread *thread,
      bool          is_shared) {
  return is_shared ? lock_shared (shard, thread) : lock_alone (shard, thread);
}

static void
unlock (GoShard      *shard,
        EngineThread *thread,
        bool          is_shared) {
  uint64_t held_ns = engine_end_hold (thread);

  probe_restamp_fine ();
  if (is_shared) {
    probe_event_when (EVENT_LOCK_READ_RELEASED, shard->domain.id, 0, 0, 0,
                      held_ns, 0);
    sync_rwlock_read_unlock (&shard->rwlock, SYNC_LABEL ("mu.RUnlock"));
  } else {
    probe_event_when (EVENT_LOCK_RELEASED, shard->domain.id,
                      ++shard->domain.version, 0, 0, held_ns, 0);
    sync_rwlock_unlock (&shard->rwlock, SYNC_LABEL ("mu.Unlock"));
  }
}

/* Alone: an untold reader would be counted among the read sections. */
static void
lock_hidden (GoShard *shard) {
  probe_flush (probe_current);
  sync_rwlock_lock (&shard->rwlock, SYNC_LABEL ("mu.Lock for a look"));
}

static void
unlock_hidden (GoShard *shard) {
  sync_rwlock_unlock (&shard->rwlock, SYNC_LABEL ("mu.Unlock after a look"));
}

const GoLocking rwmap_locking = {
  init, clear, lock, unlock, lock_hidden, unlock_hidden,
};

/* Range -------------------------------------------------------------------- */

/* One Range over one shard. */
typedef struct {
  GoMapEngine  *self;
  GoShard      *shard;
  EngineThread *thread;
  unsigned     *path;
  uint32_t      id;        /* of the iterator; 0: its walk is not told */
  int64_t      *keys;      /* NULL: none */
  size_t        n_keys;
  uint64_t      n_visited; /* calls of the callback */
} Walk;

/* Copies the keys, telling the walk. false: no memory. */
static bool
copy_keys (Walk *walk) {
  GoShard *shard = walk->shard;
  GoMap *table = &shard->table;
  bool is_copied = true;
  size_t n = 0;
  GoIter iter;

  *walk->path |= lock (shard, walk->thread, true);
  walk->n_keys = (size_t)table->count;
  if (walk->n_keys > 0) {
    walk->keys = alloc_zeroed (walk->n_keys * sizeof *walk->keys);
    is_copied = walk->keys != NULL;
  }
  if (is_copied) {
    gomap_iter_begin (&iter, table, prng_next (&walk->thread->prng),
                      walk->id != 0 ? GOMAP_ITER_TELLS : 0, walk->id,
                      shard->domain.version);
    probe_event_more (EVENT_RANGE_BEGAN, (uint32_t)iter.start_bucket, walk->id,
                      iter.offset, table->config.id, (uint64_t)table->count,
                      shard->domain.version);
    while (gomap_iter_next (&iter))
      walk->keys[n++] = iter.key;
    gomap_iter_end (&iter);
  }
  unlock (shard, walk->thread, true);
  return is_copied;
}

/* Go's Load, as the reference calls it for each key. */
static bool
load_again (Walk    *walk,
            int64_t  key,
            int64_t *value) {
  uint64_t found;

  *walk->path |= lock (walk->shard, walk->thread, true);
  found = gomap_find (&walk->shard->table, key);
  if (found != GOMAP_ABSENT)
    *value = gomap_elem_value (found);
  unlock (walk->shard, walk->thread, true);
  return found != GOMAP_ABSENT;
}

/* false: stopped, or no memory. */
static bool
walk_shard (Walk       *walk,
            EngineVisit visit,
            void       *data) {
  bool goes_on = true;

  if (!copy_keys (walk)) {
    walk->thread->error = ENGINE_ERROR_NO_MEMORY;
    *walk->path |= OP_PATH_ERROR;
    return false;
  }
  for (size_t i = 0; i < walk->n_keys && goes_on; i++) {
    int64_t value;

    if (load_again (walk, walk->keys[i], &value)) {
      walk->n_visited++;
      probe_range_yield (walk->id, walk->keys[i], value);
      goes_on = visit (walk->keys[i], value, data);
    }
  }
  alloc_free (walk->keys, walk->n_keys * sizeof *walk->keys);
  probe_restamp ();
  probe_event (EVENT_RANGE_ENDED, (uint32_t)walk->n_visited, walk->id, !goes_on,
               walk->shard->table.config.id);
  return goes_on;
}

bool
rwmap_range (MapEngine    *map,
             EngineThread *thread,
             EngineVisit   visit,
             void         *data) {
  GoMapEngine *self = (GoMapEngine *)map;
  uint64_t n_visited = 0;
  unsigned path = 0;
  bool goes_on = true;

  probe_op_begin (OP_RANGE, 0, 0);
  for (uint32_t i = 0; i < self->n_shards && goes_on; i++) {
    Walk walk = {
      .self = self,
      .shard = &self->shards[i],
      .thread = thread,
      .path = &path,
      .id = probe_tells_walk () ? gomap_number_iterator (&self->n_iterators) : 0,
    };

    goes_on = walk_shard (&walk, visit, data);
    n_visited += walk.n_visited;
  }
  path |= goes_on ? OP_PATH_OK : 0u;
  engine_count_op (thread, OP_RANGE, path);
  probe_op_end (OP_RANGE, path, n_visited, 0);
  return goes_on;
}

static MapEngine *
create (const EngineClass  *klass,
        const EngineConfig *config) {
  return (MapEngine *)gomap_engine_new (klass, config, &rwmap_locking, 1);
}

const EngineClass rwmap_class = {
  .name = "rwmap",
  .title = "Go map ≤ 1.23 + RWMutex",
  .is_thread_safe = true,
  .snapshot = &gomap_snapshot_class,
  .create = create,
  .range = rwmap_range,
  GOMAP_ENGINE_OPERATIONS,
};
