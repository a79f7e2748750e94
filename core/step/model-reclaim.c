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
 * Order       What a search must try is told by notes. Whether a section opens
 *             before or after a retirement decides if the memory waits for it:
 *             both are noted as accesses to the section. When a section ends
 *             need not be: whoever is last, frees, and the freeing is an access
 *             to the memory itself, which every other access to it races with.
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

static bool
is_free_to_go (const Reclaim *self,
               const Item    *item) {
  for (unsigned i = 0; i < MAX_THREADS; i++)
    if (item->waits_for[i] != 0 && self->threads[i].is_open
        && self->threads[i].serial == item->waits_for[i])
      return false;
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

static void
free_what_may_go (Reclaim *self) {
  Item **link = &self->items;

  while (*link != NULL) {
    Item *item = *link;

    if (!is_free_to_go (self, item)) {
      link = &item->next;
      continue;
    }
    *link = item->next;
    free_item (self, item);
    /* Others may have come here while the free function stood at a point. */
    link = &self->items;
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

void
reclaim_poll (ReclaimThread *thread) {
  assert (thread->section.nest == 0);
  free_what_may_go (thread->reclaim);
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
  free_what_may_go (thread->reclaim);
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
  free_what_may_go (thread->reclaim);
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
