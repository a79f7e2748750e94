/* SPDX-License-Identifier: GPL-3.0-or-later */

/* reclaim.h — when may memory that readers might still hold be freed
 *
 * Go leans on its collector; here epochs stand in. The contract is below, the
 * algorithm and its argument are in reclaim.c.
 */
#pragma once

#include "core/base/mutant.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct _Reclaim Reclaim;             /* one per map */
typedef struct _ReclaimThread ReclaimThread; /* one per thread and map */

/* Called in the retiring thread, outside every read section. */
typedef void (*ReclaimFree) (void *memory,
                             void *data);

#define RECLAIM_WAIT_NS 50000000 /* free choice: slow, and yet it moves */

typedef struct {
  size_t   bytes_held;    /* retired and not yet freed */
  size_t   n_held;
  uint64_t n_freed;
  uint64_t n_waits;       /* times a retiring thread had to wait */
  int32_t  oldest_holder; /* index of the thread whose section is oldest; -1 */
} ReclaimStats;

/* NULL when there is no memory. @limit_bytes: past it a retiring thread helps,
 * then waits, so that a parked reader bounds memory instead of growing it. */
Reclaim       *reclaim_new        (size_t         limit_bytes);
/* No thread may be registered any more; frees everything that is held. */
void           reclaim_free       (Reclaim       *self);

/* Any thread; NULL when there is no memory. */
ReclaimThread *reclaim_register   (Reclaim       *self,
                                   int32_t        index);
/* Outside a section. What the thread had retired passes to the others. */
void           reclaim_unregister (ReclaimThread *thread);

/* What the two functions below need of a thread; nobody else's business. */
typedef struct {
  _Atomic (uint64_t) entered;      /* the epoch seen on entering; 0 = outside */
  const _Atomic (uint64_t) *epoch; /* of the reclaimer */
  uint32_t nest;
  bool     is_asymmetric;
} ReclaimSection;

#ifdef TOPHASH_STEP

/* Modelled, as all of the reclaimer is: core/step/model-reclaim.c. */
void reclaim_enter (ReclaimThread *thread);
void reclaim_leave (ReclaimThread *thread);

#else

/* Opens a read section: pointers loaded from now on stay valid until
 * reclaim_leave(). Sections nest. Only the owner of @thread calls these. */
static inline void
reclaim_enter (ReclaimThread *thread) {
  ReclaimSection *section = (ReclaimSection *)thread;
  uint64_t epoch;

  /* Constants are stored, so that no section waits for the count of the one
   * before it. */
  if (__builtin_expect (section->nest != 0, 0)) {
    section->nest++;
    return;
  }
  section->nest = 1;
  /* Acquire: pairs with the increment in seal(); see R3 in reclaim.c. */
  epoch = atomic_load_explicit (section->epoch, memory_order_acquire);
  if (__builtin_expect (section->is_asymmetric, 1)) {
    atomic_store_explicit (&section->entered, epoch, memory_order_release);
    /* For the compiler alone: the processor is held to this order by the
     * membarrier in cover(). */
    atomic_signal_fence (memory_order_seq_cst);
  } else {
    atomic_store_explicit (&section->entered, epoch, memory_order_seq_cst);
    /* Whoever overlooks that store is seen by this load: R4 in reclaim.c. */
    (void)atomic_load_explicit (section->epoch, memory_order_seq_cst);
  }
}

static inline void
reclaim_leave (ReclaimThread *thread) {
  ReclaimSection *section = (ReclaimSection *)thread;

  /* Release: what the section read was read before. Pairs with the load in
   * oldest_section(). */
  if (__builtin_expect (section->nest != 1, 0)) {
    section->nest--;
    if (MUTANT (INNER_LEAVE_ENDS))
      atomic_store_explicit (&section->entered, 0, memory_order_release);
    return;
  }
  section->nest = 0;
  atomic_store_explicit (&section->entered, 0, memory_order_release);
}

#endif

/* Whether a section of @thread is open. Only the owner calls this. */
static inline bool
reclaim_is_inside (const ReclaimThread *thread) {
  return ((const ReclaimSection *)thread)->nest != 0;
}

/* Hands over memory that no new reader can reach any more. Never blocks inside
 * a section; the free runs later, in this thread. Cannot fail: when no memory
 * is left for the note, the item goes on an emergency list embedded in the
 * thread, and each later call asks for memory again; with the list full and
 * still none, the call waits for a grace period (outside sections) or gives the
 * item up: it stays held, and counted, for good. */
void           reclaim_retire     (ReclaimThread *thread,
                                   void          *memory,
                                   size_t         size_bytes,
                                   ReclaimFree    free_function,
                                   void          *data);

/* Frees what can be freed now; called by the engine at operation ends. Cheap
 * when there is nothing to do. Outside sections only. Past the limit it waits
 * for readers, RECLAIM_WAIT_NS at the most, whoever is parked. */
void           reclaim_poll       (ReclaimThread *thread);
/* Whether that is more than nothing just now. */
bool           reclaim_may_poll   (const ReclaimThread *thread);

/* Any thread; a statistic. */
void           reclaim_get_stats  (Reclaim       *self,
                                   ReclaimStats  *stats);
