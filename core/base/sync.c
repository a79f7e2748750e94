/* SPDX-License-Identifier: GPL-3.0-or-later */

/* sync.c — the mutex and the semaphore behind sync.h
 *
 * Mutex       Engines hold a lock for a hundred nanoseconds or so; to put a
 *             waiter to sleep and to wake it takes the owner and it several
 *             thousand. So a waiter tries for a while first, longer and longer
 *             apart, and sleeps only when the owner is at something long, or not
 *             running. The pauses are long on purpose. A waiter that asks often
 *             drags the lock's cache line away from its owner, and when it gets
 *             the lock drags everything that lies behind it; one that asks seldom
 *             lets the owner take the lock a few times in a row with all of it at
 *             hand. Measured on two cores, stores of new keys: 8 and up to 512
 *             pauses, 2,000 in all, take 0.65 of the time that glibc's adaptive
 *             mutex takes, at most 32 pauses 0.8, and 200 in all 0.75.
 *             Where the process has one processor nobody spins: the owner could
 *             not give the lock back meanwhile.
 *             The mutex itself is one word, taken and given back in line. A
 *             sleeper writes into it that it is awaited, whoever holds it, and
 *             sleeps in a dormitory: a condition variable that many mutexes
 *             share, which is safe as all who wake look again. It writes while it
 *             holds the dormitory's mutex; who gives back and finds the word
 *             awaited takes that mutex before it wakes, so the sleeper is asleep
 *             by then. A sleeper that gets the mutex leaves it awaited: there may
 *             be others.
 *
 * Semaphore   A count of permits. Who finds one takes it by CAS; who does not
 *             looks again for a while, as above but oftener, since nobody else
 *             will take the permit that is meant for it. Then it sleeps on a
 *             condition variable, and who gives permits wakes sleepers. Neither
 *             may miss the other: a sleeper enters itself in n_sleepers, then
 *             looks for a permit; a giver adds the permit, then looks for
 *             sleepers. Both are sequentially consistent, so one of the two looks
 *             finds something. What remains, between a sleeper's look and its
 *             sleep, is guarded by the mutex.
 *
 * Below its spinning each is made of what pthreads have rather than of a futex:
 * race detectors follow these.
 */
#include "core/base/sync.h"

#include <assert.h>
#ifdef __linux__
#include <sched.h>
#endif
#include <unistd.h>

/* Pauses before the second try, doubled before each later one up to the longest.
 * Measured, see above. Together 2,040: 20 to 90 µs, as long as a processor's
 * pause takes. */
#define SPIN_FIRST 8u
#define SPIN_LONGEST 512u
#define SPIN_TRIES 9u

/* Free choice: few mutexes are slept for at a time. */
#define N_DORMITORIES 16u

/* Of a semaphore, 2,008 together. Free choice. */
#define TAKE_LONGEST 32u
#define TAKE_TRIES 64u

static long
count_processors (void) {
#ifdef __linux__
  cpu_set_t set;

  /* The process's, not that of a thread which is bound to one. */
  return sched_getaffinity (getpid (), sizeof set, &set) == 0 ? CPU_COUNT (&set)
                                                              : 2;
#else
  return sysconf (_SC_NPROCESSORS_ONLN);
#endif
}

/* Whether somebody else can run while this thread spins; looked up once. */
static bool
has_company (void) {
  static _Atomic (int) known; /* 0: not yet, else processors, 2 for more */
  /* Relaxed: whoever looks it up finds the same. */
  int n = atomic_load_explicit (&known, memory_order_relaxed);

  if (__builtin_expect (n == 0, 0)) {
    n = count_processors () > 1 ? 2 : 1;
    atomic_store_explicit (&known, n, memory_order_relaxed);
  }
  return n > 1;
}

/* Those who sleep for mutexes whose addresses fall together. */
typedef struct {
  _Alignas (64) pthread_mutex_t mutex;
  pthread_cond_t changed;
} Dormitory;

static Dormitory dormitories[N_DORMITORIES] = {
  [0 ... N_DORMITORIES - 1]
  = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER },
};

static Dormitory *
dormitory_of (const SyncMutex *mutex) {
  return &dormitories[((uintptr_t)mutex / 64) % N_DORMITORIES];
}

bool
sync_mutex_spin (SyncMutex  *mutex,
                 const char *label) {
  unsigned n_pauses = SPIN_FIRST;

  if (!has_company ())
    return false;
  for (unsigned i = 0; i < SPIN_TRIES; i++) {
    sync_pause (n_pauses);
    if (sync_mutex_trylock (mutex, label))
      return true;
    if (n_pauses < SPIN_LONGEST)
      n_pauses *= 2;
  }
  return false;
}

void
sync_mutex_await (SyncMutex  *mutex,
                  const char *label) {
  Dormitory *dormitory = dormitory_of (mutex);

  (void)label;
  pthread_mutex_lock (&dormitory->mutex);
  while (atomic_exchange_explicit (&mutex->hidden, SYNC_MUTEX_AWAITED,
                                   memory_order_acquire)
         != SYNC_MUTEX_FREE)
    pthread_cond_wait (&dormitory->changed, &dormitory->mutex);
  pthread_mutex_unlock (&dormitory->mutex);
}

/* @mutex was given back, and may be gone: only its address counts. */
void
sync_mutex_wake (SyncMutex *mutex) {
  Dormitory *dormitory = dormitory_of (mutex);

  pthread_mutex_lock (&dormitory->mutex);
  pthread_cond_broadcast (&dormitory->changed);
  pthread_mutex_unlock (&dormitory->mutex);
}

void
sync_semaphore_init (SyncSemaphore *semaphore) {
  int error = pthread_mutex_init (&semaphore->hidden, NULL);

  if (error == 0)
    error = pthread_cond_init (&semaphore->changed, NULL);
  assert (error == 0);
  (void)error;
  atomic_init (&semaphore->n_permits, 0);
  atomic_init (&semaphore->n_sleepers, 0);
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
  /* Sequentially consistent, both: see above. The addition pairs with the CAS of
   * whoever takes a permit, and hands over what was done before. */
  atomic_fetch_add_explicit (&semaphore->n_permits, n, memory_order_seq_cst);
  if (atomic_load_explicit (&semaphore->n_sleepers, memory_order_seq_cst) == 0)
    return;
  pthread_mutex_lock (&semaphore->hidden);
  if (n == 1)
    pthread_cond_signal (&semaphore->changed);
  else
    pthread_cond_broadcast (&semaphore->changed);
  pthread_mutex_unlock (&semaphore->hidden);
}

static bool
take_permit (SyncSemaphore *semaphore) {
  uint64_t n
      = atomic_load_explicit (&semaphore->n_permits, memory_order_seq_cst);

  while (n > 0)
    if (atomic_compare_exchange_weak_explicit (&semaphore->n_permits, &n, n - 1,
                                               memory_order_seq_cst,
                                               memory_order_seq_cst))
      return true;
  return false;
}

void
sync_semaphore_take (SyncSemaphore *semaphore,
                     const char    *label) {
  unsigned n_pauses = 1;

  (void)label;
  for (unsigned i = 0; i < TAKE_TRIES && has_company (); i++) {
    if (take_permit (semaphore))
      return;
    sync_pause (n_pauses);
    if (n_pauses < TAKE_LONGEST)
      n_pauses *= 2;
  }
  pthread_mutex_lock (&semaphore->hidden);
  atomic_fetch_add_explicit (&semaphore->n_sleepers, 1, memory_order_seq_cst);
  while (!take_permit (semaphore))
    pthread_cond_wait (&semaphore->changed, &semaphore->hidden);
  /* Relaxed: too many sleepers only cost a needless wake-up. */
  atomic_fetch_sub_explicit (&semaphore->n_sleepers, 1, memory_order_relaxed);
  pthread_mutex_unlock (&semaphore->hidden);
}
