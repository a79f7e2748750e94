/* SPDX-License-Identifier: GPL-3.0-or-later */

/* sync.c — the mutex and the semaphore behind sync.h
 *
 * Engines hold a lock for tens of nanoseconds, so a waiter that spins a little
 * mostly gets it without a system call: glibc's adaptive mutex does that. The
 * thread sanitizer follows pthread mutexes of the normal kind best and is slow
 * enough for spinning not to matter.
 *
 * A semaphore is a count under a mutex with a condition variable rather than a
 * futex: race detectors follow these.
 */
#include "core/base/sync.h"

#include <assert.h>
#include <errno.h>

#if defined(__SANITIZE_THREAD__)
#define MUTEX_IS_PLAIN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MUTEX_IS_PLAIN 1
#endif
#endif

void
sync_mutex_init (SyncMutex *mutex) {
  pthread_mutexattr_t attributes;
  int error;

  error = pthread_mutexattr_init (&attributes);
#if defined(__GLIBC__) && !defined(MUTEX_IS_PLAIN)
  if (error == 0)
    error = pthread_mutexattr_settype (&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
#endif
  if (error == 0)
    error = pthread_mutex_init (&mutex->hidden, &attributes);
  assert (error == 0);
  pthread_mutexattr_destroy (&attributes);
}

void
sync_mutex_clear (SyncMutex *mutex) {
  int error = pthread_mutex_destroy (&mutex->hidden);

  assert (error == 0);
  (void)error;
}

void
sync_mutex_lock (SyncMutex  *mutex,
                 const char *label) {
  int error = pthread_mutex_lock (&mutex->hidden);

  assert (error == 0);
  (void)error;
  (void)label;
}

bool
sync_mutex_trylock (SyncMutex  *mutex,
                    const char *label) {
  int error = pthread_mutex_trylock (&mutex->hidden);

  assert (error == 0 || error == EBUSY);
  (void)label;
  return error == 0;
}

void
sync_mutex_unlock (SyncMutex  *mutex,
                   const char *label) {
  int error = pthread_mutex_unlock (&mutex->hidden);

  assert (error == 0);
  (void)error;
  (void)label;
}

void
sync_semaphore_init (SyncSemaphore *semaphore) {
  int error = pthread_mutex_init (&semaphore->hidden, NULL);

  if (error == 0)
    error = pthread_cond_init (&semaphore->changed, NULL);
  assert (error == 0);
  (void)error;
  semaphore->n_permits = 0;
}

void
sync_semaphore_clear (SyncSemaphore *semaphore) {
  pthread_cond_destroy (&semaphore->changed);
  pthread_mutex_destroy (&semaphore->hidden);
}

void
sync_semaphore_give (SyncSemaphore *semaphore,
                     uint64_t       n,
                     const char    *label) {
  (void)label;
  pthread_mutex_lock (&semaphore->hidden);
  semaphore->n_permits += n;
  if (n == 1)
    pthread_cond_signal (&semaphore->changed);
  else
    pthread_cond_broadcast (&semaphore->changed);
  pthread_mutex_unlock (&semaphore->hidden);
}

void
sync_semaphore_take (SyncSemaphore *semaphore,
                     const char    *label) {
  (void)label;
  pthread_mutex_lock (&semaphore->hidden);
  while (semaphore->n_permits == 0)
    pthread_cond_wait (&semaphore->changed, &semaphore->hidden);
  semaphore->n_permits--;
  pthread_mutex_unlock (&semaphore->hidden);
}
