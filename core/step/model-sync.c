/* SPDX-License-Identifier: GPL-3.0-or-later */

/* model-sync.c — the mutex of the stepped build
 *
 * A lock is the number of its owner. The run does not choose a worker that is
 * about to lock what has an owner, so the lock is free when it is taken here. A
 * try waits too: sync.h tells why.
 */
#include "core/base/sync.h"

#include "core/step/step-run.h"

void
sync_mutex_init (SyncMutex *mutex) {
  mutex->owner = 0;
}

void
sync_mutex_clear (SyncMutex *mutex) {
  if (mutex->owner != 0)
    step_fail (STEP_DEADLOCKED, "a lock is destroyed while it has an owner");
}

void
sync_mutex_lock (SyncMutex  *mutex,
                 const char *label) {
  step_point (SYNC_LOCK, mutex, label);
  /* Alone there is nobody to give it back; a worker is not chosen then. */
  if (mutex->owner != 0)
    step_fail (STEP_DEADLOCKED, "“%s”: the owner %u is gone", label,
               mutex->owner - 1);
  mutex->owner = step_self ();
}

bool
sync_mutex_trylock (SyncMutex  *mutex,
                    const char *label) {
  sync_mutex_lock (mutex, label);
  return true;
}

void
sync_mutex_unlock (SyncMutex  *mutex,
                   const char *label) {
  step_point (SYNC_UNLOCK, mutex, label);
  if (mutex->owner != step_self ())
    step_fail (STEP_ASSERTED, "“%s” by somebody who does not own it", label);
  mutex->owner = 0;
}
