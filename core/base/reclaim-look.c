/* SPDX-License-Identifier: GPL-3.0-or-later */

/* reclaim-look.c — whether a reader may still hold what was retired
 *
 * The looks at the readers' slots, the barrier that makes them tell, and the
 * waits for readers that stay. Idea, argument (R1 to R5 below) and who may touch
 * what: reclaim.c.
 */
#include "core/base/reclaim-thread-private.h"

#include "core/base/clock.h"
#include "core/base/mutant.h"
#include "core/base/sanitized.h"

#include <sched.h>

#if !HAS_TSAN && defined(__linux__)
#if __has_include(<linux/membarrier.h>)
#define HAS_MEMBARRIER 1
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif
#ifndef HAS_MEMBARRIER
#define HAS_MEMBARRIER 0
#endif

/* Free choices: a batch that a reader may hold is looked at again after so many
 * idle polls; and after the last of those looks, while he is inside. */
#define POLLS_BETWEEN_LOOKS 4
#define POLLS_BETWEEN_WAITS 32
#define N_YIELDS 64
#define FIRST_NAP_NS 20000
#define LONGEST_NAP_NS 1000000

/* The barrier -------------------------------------------------------------- */

#if HAS_MEMBARRIER

static bool has_membarrier;
static pthread_once_t asked_for_membarrier = PTHREAD_ONCE_INIT;

static void
ask_for_membarrier (void) {
  has_membarrier = syscall (SYS_membarrier,
                            MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0)
                   == 0;
}

bool
reclaim_can_run_barriers (void) {
  pthread_once (&asked_for_membarrier, ask_for_membarrier);
  return has_membarrier;
}

/* false: the kernel had no memory for it; nothing can be concluded. */
static bool
run_barrier (void) {
  return syscall (SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

#else

bool
reclaim_can_run_barriers (void) {
  return false;
}

static bool
run_barrier (void) {
  return false;
}

#endif

/* Moves the epoch on and returns what it was. Sequentially consistent, for R4;
 * its release side is what R3 stands on. */
uint64_t
reclaim_advance_epoch (Reclaim *self) {
  return atomic_fetch_add_explicit (&self->epoch, 1, memory_order_seq_cst);
}

/* Looking at readers ------------------------------------------------------- */

/* The oldest epoch that a section was entered at; UINT64_MAX when nobody is
 * inside. @holder (nullable): that thread's index, or -1. */
uint64_t
reclaim_oldest_section (Reclaim *self,
                int32_t *holder) {
  uint64_t oldest = UINT64_MAX;

  if (holder != NULL)
    *holder = -1;
  /* Sequentially consistent, both: see R4. */
  for (ReclaimThread *thread
       = atomic_load_explicit (&self->threads, memory_order_seq_cst);
       thread != NULL; thread = thread->next) {
    uint64_t entered = atomic_load_explicit (&thread->section.entered,
                                             memory_order_seq_cst);

    if (entered != 0 && entered < oldest) {
      oldest = entered;
      if (holder != NULL)
        *holder = atomic_load_explicit (&thread->index, memory_order_relaxed);
    }
  }
  return oldest;
}

static void
adopt_orphans (ReclaimThread *thread) {
  Reclaim *self = thread->reclaim;
  Batch *orphans, *last;

  if (!atomic_load_explicit (&self->has_orphans, memory_order_relaxed))
    return;
  sync_mutex_lock (&self->lock, SYNC_LABEL ("lock orphans"));
  orphans = self->orphans;
  self->orphans = NULL;
  atomic_store_explicit (&self->has_orphans, false, memory_order_relaxed);
  sync_mutex_unlock (&self->lock, SYNC_LABEL ("unlock orphans"));
  if (orphans == NULL)
    return;
  thread->looks_left = 0; /* they have waited enough */
  for (Batch *batch = orphans; batch != NULL && MUTANT (ORPHANS_FREED);
       batch = batch->next)
    batch->tag = 0;

  for (last = orphans; last->next != NULL; last = last->next)
    ;
  last->next = thread->sealed;
  thread->sealed = orphans;
}

/* What one look at every thread but the own showed. */
typedef struct {
  uint64_t oldest;      /* epoch of those inside; UINT64_MAX: nobody is */
  bool     some_unseen; /* a slot is empty, or so it seems */
} Look;

static Look
look_at_others (const ReclaimThread *self) {
  Look look = { UINT64_MAX, false };

  for (ReclaimThread *thread
       = atomic_load_explicit (&self->reclaim->threads, memory_order_seq_cst);
       thread != NULL; thread = thread->next) {
    uint64_t entered;

    if (thread == self
        || !atomic_load_explicit (&thread->is_registered, memory_order_seq_cst))
      continue;
    entered = atomic_load_explicit (&thread->section.entered,
                                    memory_order_seq_cst);
    if (entered == 0)
      look.some_unseen = !MUTANT (EMPTY_SLOT_TRUSTED);
    else if (entered < look.oldest)
      look.oldest = entered;
  }
  return look;
}

/* Covers what one look shows to be out of reach (R5). true: a barrier would cover
 * more that could be freed. What somebody inside may hold waits for him, covered
 * or not: a barrier would only interrupt him. */
static bool
cover_seen (ReclaimThread *thread,
            bool          *has_waiting) {
  Look look = look_at_others (thread);
  bool has_unseen = false;

  *has_waiting = false;
  for (Batch *batch = thread->sealed; batch != NULL; batch = batch->next) {
    if (batch->is_covered)
      continue;
    if (batch->tag >= look.oldest)
      *has_waiting = true;
    else if (look.some_unseen)
      has_unseen = true;
    else
      batch->is_covered = true;
  }
  return has_unseen;
}

/* Covers what can be freed. Symmetric readers need no help. */
static void
cover (ReclaimThread *thread) {
  bool has_waiting;

  if (!thread->reclaim->is_asymmetric)
    return;
  if (!MUTANT (NOT_COVERED)) {
    bool has_unseen = cover_seen (thread, &has_waiting);

    if (has_unseen || has_waiting) {
      bool is_fresh = thread->looks_left > 0;

      thread->polls_to_try
          = is_fresh ? POLLS_BETWEEN_LOOKS : POLLS_BETWEEN_WAITS;
      thread->looks_left -= is_fresh;
      if (is_fresh || !has_unseen || !run_barrier ())
        return;
    }
  }
  for (Batch *batch = thread->sealed; batch != NULL; batch = batch->next)
    batch->is_covered = true;
}

/* Frees the sealed batches that no reader can hold. */
void
reclaim_try_to_free (ReclaimThread *thread) {
  Batch *ready = NULL;
  Batch **link = &thread->sealed;
  uint64_t oldest;

  oldest = MUTANT (LOOKED_BEFORE_ADOPTED)
               ? reclaim_oldest_section (thread->reclaim, NULL) : 0;
  adopt_orphans (thread);
  if (thread->sealed == NULL)
    return;
  cover (thread);

  if (!MUTANT (LOOKED_BEFORE_ADOPTED))
    oldest = reclaim_oldest_section (thread->reclaim, NULL);
  while (*link != NULL) {
    Batch *batch = *link;

    if ((batch->tag < oldest
         && (batch->is_covered || !thread->reclaim->is_asymmetric))
        || (MUTANT (EPOCH_FREED_EARLY) && batch->tag == oldest)) {
      *link = batch->next;
      batch->next = ready;
      ready = batch;
    } else {
      link = &batch->next;
    }
  }
  thread->is_freeing = true;
  reclaim_free_batches (thread->reclaim, thread, ready);
  thread->is_freeing = false;
}

/* One turn of a wait for readers, gentler with each. */
static void
back_off (unsigned turn) {
  struct timespec nap = { 0, LONGEST_NAP_NS };

  if (turn < N_YIELDS) {
    sched_yield ();
    return;
  }
  if (turn - N_YIELDS < 6)
    nap.tv_nsec = FIRST_NAP_NS << (turn - N_YIELDS);
  nanosleep (&nap, NULL);
}

/* Whether more is held than should be, and this thread could free some. */
static bool
is_pressed (const ReclaimThread *thread) {
  const Reclaim *self = thread->reclaim;

  return thread->sealed != NULL
         && atomic_load_explicit (&self->sealed_bytes, memory_order_relaxed)
                > self->limit_bytes;
}

void
reclaim_wait_for_readers (ReclaimThread *thread) {
  int64_t start_ns;

  thread->may_wait = false;
  if (!is_pressed (thread))
    return;
  atomic_fetch_add_explicit (&thread->reclaim->n_waits, 1,
                             memory_order_relaxed);
  start_ns = clock_now_ns ();
  for (unsigned turn = 0;
       is_pressed (thread) && clock_now_ns () - start_ns < RECLAIM_WAIT_NS;
       turn++) {
    back_off (turn);
    reclaim_try_to_free (thread);
  }
}

/* Retiring without a note: waits until no reader can hold what was unlinked
 * before. false when a reader is parked, or when called inside a section. */
bool
reclaim_wait_for_grace (ReclaimThread *thread) {
  Reclaim *self = thread->reclaim;
  int64_t start_ns = clock_now_ns ();
  bool is_covered = !self->is_asymmetric;
  uint64_t tag;

  if (thread->section.nest != 0)
    return false;
  tag = reclaim_advance_epoch (self);
  atomic_fetch_add_explicit (&self->n_waits, 1, memory_order_relaxed);
  for (unsigned turn = 0; clock_now_ns () - start_ns < RECLAIM_WAIT_NS; turn++) {
    is_covered = is_covered || run_barrier ();
    if (is_covered && reclaim_oldest_section (self, NULL) > tag)
      return true;
    back_off (turn);
  }
  return false;
}
