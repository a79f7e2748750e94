/* SPDX-License-Identifier: GPL-3.0-or-later */

/* model-reclaim.c — the reclaimer of the stepped build: frees at once
 *
 * Idea        The promise of reclaim.h is that memory is freed only after every
 *             section has ended that was open when it was retired. The worst
 *             that a reclaimer may do under that promise is to free at the very
 *             first chance. This one does: when the last of those sections ends,
 *             or, if there was none, at the retiring thread's next poll. An
 *             engine that retires too early, or uses what it loaded after its
 *             section, meets freed memory, which a run makes an exact failure.
 *
 * Sections    A section opens together with the first access of its operation,
 *             not before: an open section that has loaded nothing can only make
 *             frees later.
 *
 * Order       What a search must try is told by notes. Opening and ending a
 *             section write it; retiring reads every section, and who ends one
 *             reads those that an item waits for besides. So who frees, and when,
 *             is the same in all runs that a search takes for one.
 *
 * Invariants  M1  an item waits for the sections open when it was retired, its
 *                 own thread's included, and for no other
 *             M2  free functions run outside of the calling thread's sections
 *
 * Departure   A free function may run in another thread than the retiring one,
 *             at the end of its section; engines hold no lock there.
 * Not here    Epochs, barriers, batches, back-pressure: core/base/reclaim.c is
 *             tested by itself.
 */
#include "core/base/reclaim.h"

#include "core/base/sync.h"
#include "core/step/step-memory.h"
#include "core/step/step-run.h"

#include <assert.h>

#define MAX_THREADS (2 * STEP_MAX_WORKERS)

typedef struct _Item Item;

struct _Item {
  Item       *next;
  void       *memory;
  size_t      size_bytes;
  ReclaimFree free_function;
  void       *data;
  const ReclaimThread *thread; /* who retired it */
  uint64_t    waits_for[MAX_THREADS]; /* a section's serial; 0: none */
};

struct _ReclaimThread {
  ReclaimSection section; /* first: reclaim_is_inside() */
  Reclaim *reclaim;
  uint64_t serial; /* of the section under way or the last one */
  int32_t  index;
  bool     is_registered;
  bool     is_open;
};

struct _Reclaim {
  ReclaimThread threads[MAX_THREADS];
  Item    *items; /* retired, in no order */
  size_t   bytes_held;
  size_t   n_held;
  uint64_t n_freed;
};

/* Items -------------------------------------------------------------------- */

/* Whether @thread is to free @item now: when its section has just ended, and
 * nobody else that the item waits for is inside; outside, when it has retired it
 * itself and it waits for nobody. */
static bool
is_to_free (const ReclaimThread *thread,
            const Item          *item,
            bool                 has_left) {
  const ReclaimThread *threads = thread->reclaim->threads;
  bool waits = false;

  for (unsigned i = 0; i < MAX_THREADS; i++)
    waits |= item->waits_for[i] != 0;
  if (!has_left || !waits)
    return !has_left && !waits && item->thread == thread;
  if (item->waits_for[thread - threads] != thread->serial)
    return false;
  for (unsigned i = 0; i < MAX_THREADS; i++) {
    if (item->waits_for[i] == 0 || &threads[i] == thread)
      continue;
    step_note (SYNC_READ, &threads[i].serial, 1);
    if (threads[i].is_open && threads[i].serial == item->waits_for[i])
      return false;
  }
  return true;
}

static void
free_item (Reclaim *self,
           Item    *item) {
  self->bytes_held -= item->size_bytes;
  self->n_held--;
  self->n_freed++;
  item->free_function (item->memory, item->data);
  step_memory_give (item, sizeof *item);
}

/* All are taken off the list in this step; a free function may stand at points,
 * where others come here. */
static void
free_what_may_go (ReclaimThread *thread,
                  bool           has_left) {
  Item **link = &thread->reclaim->items;
  Item *ours = NULL;

  while (*link != NULL) {
    Item *item = *link;

    if (!is_to_free (thread, item, has_left)) {
      link = &item->next;
      continue;
    }
    *link = item->next;
    item->next = ours;
    ours = item;
  }
  while (ours != NULL) {
    Item *item = ours;

    ours = item->next;
    free_item (thread->reclaim, item);
  }
}

void
reclaim_retire (ReclaimThread *thread,
                void          *memory,
                size_t         size_bytes,
                ReclaimFree    free_function,
                void          *data) {
  Reclaim *self = thread->reclaim;
  Item *item = step_memory_take (sizeof *item);

  assert (item != NULL);
  *item = (Item){
    .next = self->items,
    .memory = memory,
    .size_bytes = size_bytes,
    .free_function = free_function,
    .data = data,
    .thread = thread,
  };
  for (unsigned i = 0; i < MAX_THREADS; i++) {
    const ReclaimThread *other = &self->threads[i];

    if (!other->is_registered)
      continue;
    step_note (SYNC_READ, &other->serial, 1);
    if (other->is_open)
      item->waits_for[i] = other->serial;
  }
  self->items = item;
  self->bytes_held += size_bytes;
  self->n_held++;
}

bool
reclaim_may_poll (const ReclaimThread *thread) {
  (void)thread;
  return true;
}

void
reclaim_poll (ReclaimThread *thread) {
  assert (thread->section.nest == 0);
  free_what_may_go (thread, false);
}

/* Sections ----------------------------------------------------------------- */

static void
open_section (void *data) {
  ReclaimThread *thread = data;

  thread->is_open = true;
  thread->serial++;
  step_note (SYNC_WRITE, &thread->serial, 1);
}

void
reclaim_enter (ReclaimThread *thread) {
  if (thread->section.nest++ == 0)
    step_defer (open_section, thread);
}

void
reclaim_leave (ReclaimThread *thread) {
  if (--thread->section.nest != 0)
    return;
  /* Nothing was touched in it: it never opened. */
  if (step_defer (NULL, NULL))
    return;
  thread->is_open = false;
  step_note (SYNC_WRITE, &thread->serial, 1);
  free_what_may_go (thread, true);
}

/* Life --------------------------------------------------------------------- */

Reclaim *
reclaim_new (size_t limit_bytes) {
  (void)limit_bytes;
  return step_memory_take (sizeof (Reclaim));
}

void
reclaim_free (Reclaim *self) {
  if (self == NULL)
    return;
  while (self->items != NULL) {
    Item *item = self->items;

    self->items = item->next;
    free_item (self, item);
  }
  step_memory_give (self, sizeof *self);
}

ReclaimThread *
reclaim_register (Reclaim *self,
                  int32_t  index) {
  for (unsigned i = 0; i < MAX_THREADS; i++) {
    ReclaimThread *thread = &self->threads[i];

    if (thread->is_registered)
      continue;
    thread->reclaim = self;
    thread->index = index;
    thread->is_registered = true;
    return thread;
  }
  return NULL;
}

void
reclaim_unregister (ReclaimThread *thread) {
  assert (thread->section.nest == 0);
  free_what_may_go (thread, false);
  thread->is_registered = false;
}

void
reclaim_get_stats (Reclaim      *self,
                   ReclaimStats *stats) {
  *stats = (ReclaimStats){
    .bytes_held = self->bytes_held,
    .n_held = self->n_held,
    .n_freed = self->n_freed,
    .oldest_holder = -1,
  };
  for (unsigned i = 0; i < MAX_THREADS; i++)
    if (self->threads[i].is_open)
      stats->oldest_holder = self->threads[i].index;
}
