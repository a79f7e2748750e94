/* SPDX-License-Identifier: GPL-3.0-or-later */

/* reclaim.h — when may memory that readers might still hold be freed
 *
 * Go leans on its collector; here epochs stand in. The contract is below, the
 * algorithm and its argument are in reclaim.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct _Reclaim Reclaim;             /* one per map */
typedef struct _ReclaimThread ReclaimThread; /* one per thread and map */

/* Called in the retiring thread, outside every read section. */
typedef void (*ReclaimFree) (void *memory,
                             void *data);

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

/* Opens a read section: pointers loaded from now on stay valid until
 * reclaim_leave(). Sections nest. Only the owner of @thread calls these. */
void           reclaim_enter      (ReclaimThread *thread);
void           reclaim_leave      (ReclaimThread *thread);

/* Hands over memory that no new reader can reach any more. Never blocks inside
 * a section; the free runs later, in this thread. Cannot fail: when no memory
 * is left for the note, the call waits for a grace period (outside sections)
 * or keeps the item on an emergency list embedded in the thread. */
void           reclaim_retire     (ReclaimThread *thread,
                                   void          *memory,
                                   size_t         size_bytes,
                                   ReclaimFree    free_function,
                                   void          *data);

/* Frees what can be freed now; called by the engine at operation ends. Cheap
 * when there is nothing to do. Outside sections only. */
void           reclaim_poll       (ReclaimThread *thread);

/* Any thread; a statistic. */
void           reclaim_get_stats  (Reclaim       *self,
                                   ReclaimStats  *stats);
