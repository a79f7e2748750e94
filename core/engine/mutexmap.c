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
 *             thread that finds the lock taken; what it told before is published
 *             before it blocks, since the holder's later events are merged
 *             behind them.
 *
 * Range       holds the lock for the whole walk, callback included, as Go users
 *             write it: mu.Lock(); for k, v := range m { … }; mu.Unlock(). The
 *             callback must not call the map: the mutex is not recursive.
 *
 * Threads     mutex guards table, domain and every counter.
 */

#include "core/engine/engine-private.h"
#include "core/engine/gomap-engine.h"
#include "core/probe/probe.h"

/* Lock and domain id of the one lock. */
#define LOCK_ID 0u

static unsigned
lock (GoMapEngine *self) {
  unsigned path = OP_PATH_LOCKED;

  if (!sync_mutex_trylock (&self->mutex, SYNC_LABEL ("try mu.Lock"))) {
    path |= OP_PATH_WAITED;
    probe_event (EVENT_LOCK_WAITED, LOCK_ID, 0, 0, 0);
    probe_flush (probe_current);
    sync_mutex_lock (&self->mutex, SYNC_LABEL ("mu.Lock"));
    probe_restamp ();
    self->n_lock_waits++;
  }
  probe_event (EVENT_LOCK_ACQUIRED, LOCK_ID, ++self->domain.version, 0, 0);
  return path;
}

static void
unlock (GoMapEngine *self) {
  probe_restamp_fine ();
  probe_event (EVENT_LOCK_RELEASED, LOCK_ID, ++self->domain.version, 0, 0);
  sync_mutex_unlock (&self->mutex, SYNC_LABEL ("mu.Unlock"));
}

static MapEngine *
create (const EngineClass  *klass,
        const EngineConfig *config) {
  return (MapEngine *)gomap_engine_new (klass, config, lock, unlock);
}

const EngineClass mutexmap_class = {
  .name = "mutexmap",
  .title = "Go map ≤ 1.23 + mutex",
  .is_thread_safe = true,
  .create = create,
  GOMAP_ENGINE_OPERATIONS,
};
