/* SPDX-License-Identifier: GPL-3.0-or-later */

/* sync-rwlock.c — many readers or one writer, and a writer who waits goes first
 *
 * Idea        Readers count themselves in and out on one word. A writer first
 *             takes the writers' mutex, then claims the lock: one addition sets
 *             a bit in that word and tells how many readers are inside. From
 *             then on no reader gets in; those inside leave one by one, and the
 *             last of them wakes the writer. When the writer is done, one more
 *             addition takes the bit away and tells how many readers came
 *             meanwhile: all of them get in before the next writer, who needs
 *             the mutex that is given back last. So neither side starves.
 *
 * Layout      state, bits   0 … 29   readers, inside or waiting for a writer
 *                           30       claimed by a writer
 *                           32 … 63  read sections ended, modulo 2^32
 *             leaving       readers that the claiming writer still waits for;
 *                           below zero (it wraps) while some leave before the
 *                           writer has told how many they are
 *
 *             The count of ended sections rides in the addition that ends one.
 *             A writer who holds the lock finds there how many there were, which
 *             puts its own story behind theirs whatever the clocks say.
 *
 * Steps       RLock    state + 1; was the bit set: take a permit of reader_turn
 *             RUnlock  state - 1, and one section more has ended; was the bit
 *                      set: leaving - 1, and who brings it to 0 gives the
 *                      permit of writer_turn
 *             Lock     take the mutex; state + bit, which tells n readers inside;
 *                      n > 0: leaving + n; is it not 0: take writer_turn's permit
 *             Unlock   state - bit, which tells n readers that wait; n permits of
 *                      reader_turn; give the mutex back
 *             A writer that tries sets the bit by CAS, when no reader is inside.
 *
 * Semaphores  A reader that meets the bit, and a writer that meets readers, wait
 *             for a permit: sync.c. Permits are not addressed: a reader that
 *             comes late may take the one meant for another. As many get in as
 *             were let in, and whoever leaves counts for any of them, so the
 *             writer still waits for the right number.
 *
 * Invariants  W1  the bit is set only by the holder of the writers' mutex
 *             W2  while a writer holds the lock no reader is inside
 *             W3  a reader that arrives while the bit is set waits for exactly
 *                 one permit, which that writer's unlock gives
 *
 * Threads     state and leaving are changed by sequentially consistent
 *             read-modify-writes alone. What a reader did before it left is seen
 *             by the writer, who reads state or leaving after it; what a writer
 *             did before its unlock is seen by every reader whose addition
 *             comes later, and by those woken through the permit's mutex.
 *
 * Source      Go 1.23 sync/rwmutex.go: RLock, RUnlock, Lock, Unlock, TryLock.
 *             There readerCount goes below zero instead of setting a bit.
 */
#include "core/base/sync.h"

#include "core/base/mutant.h"

#include <assert.h>

#define READERS (SYNC_RWLOCK_CLAIMED - 1)
#define SECTION_ENDED ((uint64_t)1 << 32)
_Static_assert (SYNC_RWLOCK_CLAIMED < SECTION_ENDED, "the parts do not meet");

void
sync_rwlock_init (SyncRwLock *lock) {
  sync_mutex_init (&lock->writers);
  sync_semaphore_init (&lock->reader_turn);
  sync_semaphore_init (&lock->writer_turn);
  lock->state = (SyncWord){ 0 };
  lock->leaving = (SyncWord){ 0 };
}

void
sync_rwlock_clear (SyncRwLock *lock) {
  assert ((sync_word_load (&lock->state, SYNC_LABEL ("clear rwlock"))
           & (READERS | SYNC_RWLOCK_CLAIMED))
          == 0);
  sync_mutex_clear (&lock->writers);
  sync_semaphore_clear (&lock->reader_turn);
  sync_semaphore_clear (&lock->writer_turn);
}

bool
sync_rwlock_arrive (SyncRwLock *lock,
                    const char *label) {
  return !(sync_word_add (&lock->state, 1, label) & SYNC_RWLOCK_CLAIMED)
         || MUTANT (READER_BARGES_IN);
}

void
sync_rwlock_await_turn (SyncRwLock *lock) {
  sync_semaphore_take (&lock->reader_turn, SYNC_LABEL ("wait for the writer"));
}

void
sync_rwlock_read_lock (SyncRwLock *lock,
                       const char *label) {
  if (!sync_rwlock_arrive (lock, label))
    sync_rwlock_await_turn (lock);
}

void
sync_rwlock_read_unlock (SyncRwLock *lock,
                         const char *label) {
  uint64_t before = sync_word_add (&lock->state, SECTION_ENDED - 1, label);

  assert ((before & READERS) != 0);
  /* A writer waits; whoever brings leaving to nought was the last inside. */
  if ((before & SYNC_RWLOCK_CLAIMED) != 0
      && sync_word_add (&lock->leaving, (uint64_t)-1,
                        SYNC_LABEL ("one reader fewer"))
             == 1)
    sync_semaphore_give (&lock->writer_turn, 1, SYNC_LABEL ("let the writer in"));
}

bool
sync_rwlock_try_lock (SyncRwLock *lock,
                      const char *label) {
  uint64_t state;

  if (!sync_mutex_trylock (&lock->writers, label))
    return false;
  state = sync_word_load (&lock->state, label);
  do {
    if ((state & READERS) && !MUTANT (WRITER_BARGES_IN)) {
      sync_mutex_unlock (&lock->writers, label);
      return false;
    }
    if (MUTANT (WRITER_LOOKS_FIRST)) {
      sync_word_or (&lock->state, SYNC_RWLOCK_CLAIMED, label);
      return true;
    }
  } while (!sync_word_cas (&lock->state, &state, state | SYNC_RWLOCK_CLAIMED,
                           label));
  return true;
}

bool
sync_rwlock_claim (SyncRwLock *lock,
                   const char *label) {
  uint64_t n_readers;

  sync_mutex_lock (&lock->writers, label);
  n_readers = sync_word_add (&lock->state, SYNC_RWLOCK_CLAIMED, label) & READERS;
  /* Some of them may have left in the meantime, and counted below zero. */
  if (MUTANT (LEAVERS_FORGOTTEN) && n_readers > 0) {
    sync_word_store (&lock->leaving, n_readers, label);
    return false;
  }
  return n_readers == 0
         || sync_word_add (&lock->leaving, n_readers,
                           SYNC_LABEL ("count the readers inside"))
                    + n_readers
                == 0;
}

void
sync_rwlock_drain (SyncRwLock *lock) {
  sync_semaphore_take (&lock->writer_turn,
                       SYNC_LABEL ("wait for the readers inside"));
}

void
sync_rwlock_lock (SyncRwLock *lock,
                  const char *label) {
  if (!sync_rwlock_claim (lock, label))
    sync_rwlock_drain (lock);
}

void
sync_rwlock_unlock (SyncRwLock *lock,
                    const char *label) {
  uint64_t before = sync_word_add (&lock->state,
                                   (uint64_t)-(int64_t)SYNC_RWLOCK_CLAIMED,
                                   label);

  assert ((before & SYNC_RWLOCK_CLAIMED) != 0);
  if (before & READERS)
    sync_semaphore_give (&lock->reader_turn,
                         (before & READERS) - MUTANT (READER_FORGOTTEN),
                         SYNC_LABEL ("let the readers in"));
  sync_mutex_unlock (&lock->writers, label);
}

uint32_t
sync_rwlock_n_reads (const SyncRwLock *lock) {
  return (uint32_t)(sync_word_load (&lock->state,
                                    SYNC_LABEL ("count ended reads"))
                    >> 32);
}
