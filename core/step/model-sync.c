/* SPDX-License-Identifier: GPL-3.0-or-later */

/* model-sync.c — the mutex and the semaphore of the stepped build
 *
 * A lock is the number of its owner. The run does not choose a worker that is
 * about to lock what has an owner, so the lock is free when it is taken here. A
 * try waits too: sync.h tells why.
 *
 * A semaphore is the number of its permits. In the same way, a worker that is
 * about to take one is not chosen while there is none.
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

/* This and the next are never called: a try succeeds. */
bool
sync_mutex_spin (SyncMutex  *mutex,
                 const char *label) {
  return sync_mutex_trylock (mutex, label);
}

void
sync_mutex_await (SyncMutex  *mutex,
                  const char *label) {
  sync_mutex_lock (mutex, label);
}

void
sync_mutex_unlock (SyncMutex  *mutex,
                   const char *label) {
  step_point (SYNC_UNLOCK, mutex, label);
  if (mutex->owner != step_self ())
    step_fail (STEP_ASSERTED, "“%s” by somebody who does not own it", label);
  mutex->owner = 0;
}

void
sync_semaphore_init (SyncSemaphore *semaphore) {
  semaphore->n_permits = 0;
}

void
sync_semaphore_clear (SyncSemaphore *semaphore) {
  if (semaphore->n_permits != 0)
    step_fail (STEP_ASSERTED, "a semaphore is destroyed that still has permits");
}

void
sync_semaphore_give (SyncSemaphore *semaphore,
                     uint64_t       n,
                     const char    *label) {
  step_point (SYNC_GIVE, semaphore, label);
  semaphore->n_permits += n;
}

void
sync_semaphore_take (SyncSemaphore *semaphore,
                     const char    *label) {
  step_point (SYNC_TAKE, semaphore, label);
  /* Alone there is nobody to give one; a worker is not chosen then. */
  if (semaphore->n_permits == 0)
    step_fail (STEP_DEADLOCKED, "“%s”: nobody is left to give a permit", label);
  semaphore->n_permits--;
}
