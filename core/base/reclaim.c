/* SPDX-License-Identifier: GPL-3.0-or-later */

/* reclaim.c — freeing memory that readers might still hold
 *
 * Here        threads, batches, what is public. Looking at the readers, and
 *             waiting for them: reclaim-look.c (have_moved_on(), and with the
 *             prefix reclaim_ oldest_section()).
 *
 * Idea        A reader says that it is inside by writing the epoch, a counter,
 *             into a slot of its own, and takes it out again on leaving. Who
 *             unlinks memory collects it in a batch. Sealing the batch stamps
 *             it with the epoch and moves the epoch on, in one step. When every
 *             slot is empty or holds a newer epoch than the stamp, no reader is
 *             left that could have seen the batch linked, and it is freed.
 *
 * Terms       section    between reclaim_enter() and reclaim_leave()
 *             slot       `entered` of one thread: 0, or the epoch it saw
 *             seal       close a batch: tag = epoch, epoch = epoch + 1
 *             cover      make sure that later looks at the slots miss no reader
 *                        that could hold an item of the sealed batches
 *             orphan     a sealed batch whose thread has unregistered
 *
 * Two ways    Asymmetric: entering is a plain store; the thread that frees pays
 *             for all with one membarrier system call a batch, which runs a full
 *             barrier on every running thread of the process. Symmetric, where
 *             the kernel lacks it and under the thread sanitizer, which cannot
 *             see it: entering is a sequentially consistent store followed by a
 *             load of the epoch. Neither uses a stand-alone fence.
 *
 * Argument    Let S seal a batch with tag t, cover it, look at reader R's slot
 *             and free an item. S unlinked the item, or learnt of it from who
 *             did, before the seal. Could R hold it still? By what S saw:
 *       R1    S saw the epoch e of R's section, e <= t: S does not free.
 *       R2    S saw 0 or a later section of R. What R read before, it read
 *             before a release store of the slot that S's acquiring load saw or
 *             that lies before the one it saw; so R is done with the item.
 *       R3    S saw e > t. R's load on entering got a value written by an
 *             increment after S's seal. Increments are read-modify-writes, so
 *             they all belong to the release sequence of S's seal, and R's
 *             acquiring load makes the unlinking happen before all that R
 *             loads in the section: it cannot find the item. With R2 the same
 *             holds for R's later sections, whatever S saw.
 *       R4    S looked before R's store arrived. Asymmetric: R met S's barrier
 *             before its store (else S had seen it), hence before its loads,
 *             and S's unlinking came before the barrier: R finds the item no
 *             more. Symmetric: seal, look, R's store and R's second load are
 *             sequentially consistent; the look precedes the store in their
 *             one order, so the seal precedes R's second load, which thus gets
 *             an epoch > t and, as in R3, sees the unlinking.
 *             A slot that is put on the list after S looked is one whose store
 *             has not arrived: R4, with the store of the list's head.
 *       R5    No barrier was run, but S saw an epoch > t in R's slot after the
 *             seal: R3 holds, which needs none. Or S saw that R is not
 *             registered: registering ends with a look at the epoch. That flag,
 *             the seal and both looks are sequentially consistent; the look at
 *             the flag precedes R's setting it, so the seal precedes R's look at
 *             the epoch, which makes the unlinking happen before all of R's
 *             sections to come. What R read when it was registered before, it
 *             read before it took the flag back.
 *
 * Looking     A barrier costs half a microsecond, and twenty when a reader runs
 *             on another processor, which it interrupts. So a fresh batch is
 *             first looked at in the hope of R5: readers at work enter all the
 *             time. Only when LOOKS looks, some polls apart, were in vain, a
 *             barrier is run. An empty slot says nothing: a store may be on its
 *             way to it. Nor is one run for a batch that somebody is seen inside
 *             with: he may hold it, whoever meets a barrier. A thread that waits
 *             for a lock is such a reader, and at work on another processor.
 *             Large items are worth a barrier at once. Who is alone needs no
 *             hope, and seals small batches, so that what is freed is
 *             still near.
 *
 * Invariants  C1  a batch's tag is less than the epoch, and no two are equal
 *             C2  a batch is on one list: its thread's sealed or the orphans
 *             C3  no free function runs inside a section of the calling thread
 *
 * Pressure    Past limit_bytes of sealed memory reclaim_poll() helps (takes
 *             orphans), then yields and naps until readers have left, at most
 *             RECLAIM_WAIT_NS for each batch it seals: a parked reader slows
 *             the growth of memory to a trickle but never stops anyone.
 *
 * Threads     field            written by          order     read by
 *             epoch            seal()              seq_cst   reclaim_enter()
 *             entered          its owner           see R1-4  oldest_section()
 *             threads (head)   reclaim_register()  seq_cst   oldest_section()
 *             is_registered    under lock          seq_cst   have_moved_on()
 *             n_registered     under lock          relaxed   reclaim_retire(): a
 *                                                            hint
 *             has_orphans      under lock          relaxed   reclaim_poll(): a
 *                                                            hint, lock decides
 *             sealed_bytes, n_sealed, open_bytes, n_open, n_freed, n_waits,
 *             index: relaxed, statistics and the limit; nothing leans on them
 *             lock guards orphans, registering and the list's growth. It is
 *             innermost: nothing is called while it is held.
 *
 * Source      K. Fraser, Practical lock-freedom, 2004 (epochs); M. Desnoyers et
 *             al., User-level implementations of read-copy update, 2012 (the
 *             barrier run for others). The sealing in one step is our own.
 */
#include "core/base/reclaim-thread-private.h"

#include "core/base/alloc.h"
#include "core/base/mutant.h"

#include <assert.h>

/* Free choices: one large table is worth a barrier. */
#define SEAL_BYTES ((size_t)1 << 20)
#define POLLS_BETWEEN_TRIES 256
#define LOOKS 8
#define ALONE_ITEMS 16 /* measured: 8 to 32 are alike */

/* Batches ------------------------------------------------------------------ */

static void
give_back_batch (ReclaimThread *thread,
                 Batch         *batch) {
  if (batch->is_embedded) {
    batch->n = 0;
    /* Release: its owner may fill it again. Pairs with take_batch(). */
    atomic_store_explicit (&batch->is_busy, false, memory_order_release);
  } else if (thread != NULL && thread->spare == NULL) {
    thread->spare = batch;
  } else {
    alloc_free (batch, sizeof *batch);
  }
}

/* An empty batch, or NULL. */
static Batch *
take_batch (ReclaimThread *thread) {
  Batch *batch = thread->spare;

  thread->spare = NULL;
  if (batch == NULL)
    batch = alloc_zeroed (sizeof *batch);
  if (batch == NULL
      && !atomic_load_explicit (&thread->emergency.is_busy,
                                memory_order_acquire)) {
    batch = &thread->emergency;
    atomic_store_explicit (&batch->is_busy, true, memory_order_relaxed);
  }
  if (batch != NULL) {
    batch->next = NULL;
    batch->bytes = 0;
    batch->n = 0;
    batch->is_covered = false;
  }
  return batch;
}

/* While the emergency batch is in use, each item looks for memory for the next
 * batch: something is given up only when that failed for a whole batch. */
static void
seek_spare (ReclaimThread *thread) {
  if (__builtin_expect (thread->spare == NULL
                            && atomic_load_explicit (&thread->emergency.is_busy,
                                                     memory_order_relaxed),
                        0))
    thread->spare = alloc_zeroed (sizeof *thread->spare);
}

/* Runs the free functions of @batches and gives the batches back. */
void
reclaim_free_batches (Reclaim       *self,
              ReclaimThread *thread,
              Batch         *batches) {
  Batch *next;

  for (Batch *batch = batches; batch != NULL; batch = next) {
    next = batch->next;
    for (uint32_t i = 0; i < batch->n; i++)
      batch->items[i].free_function (batch->items[i].memory,
                                     batch->items[i].data);
    atomic_fetch_sub_explicit (&self->sealed_bytes, batch->bytes,
                               memory_order_relaxed);
    atomic_fetch_sub_explicit (&self->n_sealed, batch->n, memory_order_relaxed);
    atomic_fetch_add_explicit (&self->n_freed, batch->n, memory_order_relaxed);
    give_back_batch (thread, batch);
  }
}

static void
seal (ReclaimThread *thread) {
  Reclaim *self = thread->reclaim;
  Batch *batch = thread->open;

  thread->open = NULL;
  batch->tag = MUTANT (EPOCH_NOT_MOVED)
                   ? atomic_load_explicit (&self->epoch, memory_order_seq_cst)
                   : reclaim_advance_epoch (self);
  batch->next = thread->sealed;
  thread->sealed = batch;
  thread->polls_to_try = 0;
  thread->looks_left = batch->bytes < self->seal_bytes ? LOOKS : 0;
  thread->may_wait = true;
  atomic_fetch_add_explicit (&self->sealed_bytes, batch->bytes,
                             memory_order_relaxed);
  atomic_fetch_add_explicit (&self->n_sealed, batch->n, memory_order_relaxed);
  atomic_store_explicit (&thread->open_bytes, 0, memory_order_relaxed);
  atomic_store_explicit (&thread->n_open, 0, memory_order_relaxed);
}

/* Public ------------------------------------------------------------------- */

Reclaim *
reclaim_new (size_t limit_bytes) {
  return reclaim_new_kind (limit_bytes, true);
}

Reclaim *
reclaim_new_kind (size_t limit_bytes,
                  bool   may_be_asymmetric) {
  Reclaim *self = alloc_zeroed (sizeof *self);

  if (self == NULL)
    return NULL;
  atomic_init (&self->epoch, 1); /* 0 means outside */
  self->limit_bytes = limit_bytes;
  /* Several batches fit under the limit, whatever it is. */
  self->seal_bytes = limit_bytes / 4 < SEAL_BYTES ? limit_bytes / 4 : SEAL_BYTES;
  self->is_asymmetric = may_be_asymmetric && reclaim_can_run_barriers ();
  sync_mutex_init (&self->lock);
  return self;
}

bool
reclaim_is_asymmetric (const Reclaim *self) {
  return self->is_asymmetric;
}

void
reclaim_free (Reclaim *self) {
  ReclaimThread *thread, *next;

  if (self == NULL)
    return;
  reclaim_free_batches (self, NULL, self->orphans);
  thread = atomic_load_explicit (&self->threads, memory_order_relaxed);
  for (; thread != NULL; thread = next) {
    assert (!atomic_load_explicit (&thread->is_registered,
                                   memory_order_relaxed));
    next = thread->next;
    alloc_free (thread, sizeof *thread);
  }
  sync_mutex_clear (&self->lock);
  alloc_free (self, sizeof *self);
}

/* A thread record that nobody uses, or a new one; the lock is held. */
static ReclaimThread *
take_thread_locked (Reclaim *self) {
  ReclaimThread *first
      = atomic_load_explicit (&self->threads, memory_order_relaxed);
  ReclaimThread *thread = first;

  while (thread != NULL
         && atomic_load_explicit (&thread->is_registered,
                                  memory_order_relaxed))
    thread = thread->next;
  if (thread != NULL)
    return thread;

  thread = alloc_zeroed (sizeof *thread);
  if (thread == NULL)
    return NULL;
  thread->section.epoch = &self->epoch;
  thread->section.is_asymmetric = self->is_asymmetric;
  thread->reclaim = self;
  thread->emergency.is_embedded = true;
  thread->next = first;
  /* Sequentially consistent: R4's last line. */
  atomic_store_explicit (&self->threads, thread, memory_order_seq_cst);
  return thread;
}

ReclaimThread *
reclaim_register (Reclaim *self,
                  int32_t  index) {
  ReclaimThread *thread;

  sync_mutex_lock (&self->lock, SYNC_LABEL ("lock threads"));
  thread = take_thread_locked (self);
  if (thread != NULL) {
    atomic_store_explicit (&thread->index, index, memory_order_relaxed);
    /* The flag, then a look at the epoch, sequentially consistent both: R5. */
    atomic_store_explicit (&thread->is_registered, true, memory_order_seq_cst);
    (void)atomic_load_explicit (&self->epoch, memory_order_seq_cst);
    atomic_fetch_add_explicit (&self->n_registered, 1, memory_order_relaxed);
  }
  sync_mutex_unlock (&self->lock, SYNC_LABEL ("unlock threads"));
  return thread;
}

void
reclaim_unregister (ReclaimThread *thread) {
  Reclaim *self = thread->reclaim;

  assert (thread->section.nest == 0);
  if (thread->open != NULL)
    seal (thread);
  thread->looks_left = 0; /* this is its last try */
  reclaim_try_to_free (thread);
  /* A free function may have retired something in its turn. */
  if (thread->open != NULL)
    seal (thread);
  alloc_free (thread->spare, sizeof (Batch));
  thread->spare = NULL;

  sync_mutex_lock (&self->lock, SYNC_LABEL ("lock threads"));
  while (thread->sealed != NULL) {
    Batch *batch = thread->sealed;

    thread->sealed = batch->next;
    batch->next = self->orphans;
    self->orphans = batch;
  }
  atomic_store_explicit (&self->has_orphans, self->orphans != NULL,
                         memory_order_relaxed);
  atomic_fetch_sub_explicit (&self->n_registered, 1, memory_order_relaxed);
  /* Sequentially consistent, as its setting: R5. */
  atomic_store_explicit (&thread->is_registered, false, memory_order_seq_cst);
  sync_mutex_unlock (&self->lock, SYNC_LABEL ("unlock threads"));
}

/* Whether the open batch is to be sealed, for whoever is about to poll. */
static bool
is_full (const ReclaimThread *thread) {
  const Batch *batch = thread->open;

  if (batch->n == RECLAIM_BATCH_ITEMS
      || batch->bytes >= thread->reclaim->seal_bytes)
    return true;
  return batch->n >= ALONE_ITEMS && thread->section.nest == 0
         && atomic_load_explicit (&thread->reclaim->n_registered,
                                  memory_order_relaxed)
                == 1;
}

void
reclaim_retire (ReclaimThread *thread,
                void          *memory,
                size_t         size_bytes,
                ReclaimFree    free_function,
                void          *data) {
  Reclaim *self = thread->reclaim;
  Batch *batch = thread->open;

  if (batch == NULL)
    batch = thread->open = take_batch (thread);
  else
    seek_spare (thread);
  if (batch == NULL) {
    if (reclaim_wait_for_grace (thread)) {
      free_function (memory, data);
      atomic_fetch_add_explicit (&self->n_freed, 1, memory_order_relaxed);
    } else {
      /* Given up, as the contract says: held and counted for good. */
      atomic_fetch_add_explicit (&self->sealed_bytes, size_bytes,
                                 memory_order_relaxed);
      atomic_fetch_add_explicit (&self->n_sealed, 1, memory_order_relaxed);
    }
    return;
  }

  batch->items[batch->n++] = (Item){ memory, size_bytes, free_function, data };
  batch->bytes += size_bytes;
  atomic_store_explicit (&thread->open_bytes, batch->bytes,
                         memory_order_relaxed);
  atomic_store_explicit (&thread->n_open, batch->n, memory_order_relaxed);
  if (is_full (thread))
    seal (thread);
}

bool
reclaim_may_poll (const ReclaimThread *thread) {
  return thread->sealed != NULL
         || atomic_load_explicit (&thread->reclaim->has_orphans,
                                  memory_order_relaxed);
}

void
reclaim_poll (ReclaimThread *thread) {
  assert (thread->section.nest == 0);
  if (__builtin_expect (!reclaim_may_poll (thread), 1))
    return;
  if (thread->polls_to_try != 0) {
    thread->polls_to_try--;
    return;
  }
  if (thread->is_freeing)
    return;

  thread->polls_to_try = POLLS_BETWEEN_TRIES;
  reclaim_try_to_free (thread);
  if (thread->may_wait)
    reclaim_wait_for_readers (thread);
  if (thread->spare == NULL)
    thread->spare = alloc_zeroed (sizeof (Batch));
}

void
reclaim_get_stats (Reclaim      *self,
                   ReclaimStats *stats) {
  ReclaimThread *thread
      = atomic_load_explicit (&self->threads, memory_order_seq_cst);

  stats->bytes_held
      = atomic_load_explicit (&self->sealed_bytes, memory_order_relaxed);
  stats->n_held = atomic_load_explicit (&self->n_sealed, memory_order_relaxed);
  for (; thread != NULL; thread = thread->next) {
    stats->bytes_held
        += atomic_load_explicit (&thread->open_bytes, memory_order_relaxed);
    stats->n_held
        += atomic_load_explicit (&thread->n_open, memory_order_relaxed);
  }
  stats->n_freed = atomic_load_explicit (&self->n_freed, memory_order_relaxed);
  stats->n_waits = atomic_load_explicit (&self->n_waits, memory_order_relaxed);
  reclaim_oldest_section (self, &stats->oldest_holder);
}
