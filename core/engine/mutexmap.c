/* SPDX-License-Identifier: GPL-3.0-or-later */

/* mutexmap.c — a built-in map behind one mutex
 *
 * Idea        What most Go programs do before they know better: every operation,
 *             look-ups too, holds the one lock. Everything else is the table's
 *             (gomap-engine.c).
 *
 * Events      LOCK_ACQUIRED and LOCK_RELEASED count in the domain's version:
 *             they are told inside the lock, which makes their order, and that
 *             of all changes between them, exact. LOCK_WAITED is told by a
 *             thread that finds the lock taken, whether it then gets it by
 *             trying again or has to sleep: the wait's length says which. What it
 *             told before is published before it sleeps, since the holder's later
 *             events are merged behind them.
 *
 * Range       holds the lock for the whole walk, callback included, as Go users
 *             write it: mu.Lock(); for k, v := range m { … }; mu.Unlock(). The
 *             callback must not call the map: the mutex is not recursive.
 *
 * Invariants  M1  with the mutex free, G1 … of the table hold: no operation is
 *                 half done
 *             M2  the domain's version moves with the mutex held alone: once for
 *                 the acquiring, once a change, once for the release
 *
 * Threads     mutex guards table, domain and every counter.
 * Source      The Go idiom: struct { mu sync.Mutex; m map[K]V }.
 */

#include "core/engine/engine-costs.h"
#include "core/engine/engine-private.h"
#include "core/engine/gomap-engine.h"
#include "core/engine/snapshot-private.h"
#include "core/probe/probe.h"

static void
init (GoShard *shard) {
  sync_mutex_init (&shard->mutex);
}

static void
clear (GoShard *shard) {
  sync_mutex_clear (&shard->mutex);
}

static unsigned
lock (GoShard      *shard,
      EngineThread *thread,
      bool          is_shared) {
  unsigned path = OP_PATH_LOCKED;
  uint64_t waited_ns = 0;

  (void)is_shared;
  if (!sync_mutex_trylock (&shard->mutex, SYNC_LABEL ("try mu.Lock"))) {
    uint64_t began_ns = engine_now_ns (thread);

    path |= OP_PATH_WAITED;
    probe_event (EVENT_LOCK_WAITED, shard->domain.id, 0, LOCK_WAIT_ALONE, 0);
    if (!sync_mutex_spin (&shard->mutex, SYNC_LABEL ("try mu.Lock again"))) {
      probe_flush (probe_current);
      sync_mutex_await (&shard->mutex, SYNC_LABEL ("mu.Lock"));
    }
    probe_restamp ();
    sync_word_count (&shard->n_lock_waits, 1, SYNC_LABEL ("count the wait"));
    waited_ns = engine_end_wait (thread, began_ns);
  }
  engine_begin_hold (thread);
  probe_event_when (EVENT_LOCK_ACQUIRED, shard->domain.id,
                    ++shard->domain.version, 0, 0, 0, waited_ns);
  return path;
}

static void
unlock (GoShard      *shard,
        EngineThread *thread,
        bool          is_shared) {
  uint64_t held_ns = engine_end_hold (thread);

  (void)is_shared;
  probe_restamp_fine ();
  probe_event_when (EVENT_LOCK_RELEASED, shard->domain.id,
                    ++shard->domain.version, 0, 0, held_ns, 0);
  sync_mutex_unlock (&shard->mutex, SYNC_LABEL ("mu.Unlock"));
}

static void
lock_hidden (GoShard *shard) {
  probe_flush (probe_current);
  sync_mutex_lock (&shard->mutex, SYNC_LABEL ("mu.Lock for a look"));
}

static void
unlock_hidden (GoShard *shard) {
  sync_mutex_unlock (&shard->mutex, SYNC_LABEL ("mu.Unlock after a look"));
}

static const GoLocking locking = {
  init, clear, lock, unlock, lock_hidden, unlock_hidden,
};

static MapEngine *
create (const EngineClass  *klass,
        const EngineConfig *config) {
  return (MapEngine *)gomap_engine_new (klass, config, &locking, 1);
}

const EngineClass mutexmap_class = {
  .name = "mutexmap",
  .title = "Go map ≤ 1.23 + mutex",
  .is_thread_safe = true,
  .snapshot = &gomap_snapshot_class,
  .create = create,
  .range = gomap_engine_range,
  GOMAP_ENGINE_OPERATIONS,
};
