/* SPDX-License-Identifier: GPL-3.0-or-later */

/* reclaim-thread-private.h — the reclaimer from inside, for its two rooms
 *
 * reclaim.c collects, seals and frees batches; reclaim-look.c finds out whether a
 * reader may still hold them. The design is told in reclaim.c.
 */
#pragma once

#include "core/base/reclaim-private.h"
#include "core/base/sync.h"

#include <stddef.h>

typedef struct {
  void       *memory;
  size_t      size_bytes;
  ReclaimFree free_function;
  void       *data;
} Item;

typedef struct _Batch Batch;

struct _Batch {
  Batch   *next;
  uint64_t tag;         /* once sealed */
  size_t   bytes;
  uint32_t n;
  bool     is_covered;  /* a barrier or R5 was had since it was sealed */
  bool     is_embedded; /* some thread's emergency batch */
  _Atomic (bool) is_busy; /* embedded only: on a list or being filled */
  Item     items[RECLAIM_BATCH_ITEMS];
};

struct _ReclaimThread {
  ReclaimSection section; /* first: reclaim_enter() relies on it */
  ReclaimThread *next;    /* never changes once on the list */
  _Atomic (int32_t) index;
  _Atomic (bool) is_registered; /* changes under the reclaimer's lock */

  /* The owner's alone. */
  _Alignas (64) Reclaim *reclaim;
  Batch   *open;   /* being filled, or NULL */
  Batch   *sealed; /* waiting for readers, in no order */
  Batch   *spare;  /* kept so that a section can retire without allocating */
  uint32_t polls_to_try;
  uint32_t looks_left; /* before a barrier is run */
  bool     is_freeing;
  bool     may_wait; /* a batch was sealed since the last wait */
  _Atomic (size_t) open_bytes;
  _Atomic (size_t) n_open;
  Batch    emergency;
};
_Static_assert (offsetof (ReclaimThread, section) == 0, "a thread is a section");

struct _Reclaim {
  /* Read by every section, written once a batch. */
  _Atomic (uint64_t) epoch;
  _Atomic (bool) has_orphans;
  _Atomic (uint32_t) n_registered;
  size_t limit_bytes;
  size_t seal_bytes;
  bool   is_asymmetric;

  _Alignas (64) _Atomic (ReclaimThread *) threads;
  SyncMutex lock;
  Batch    *orphans;
  _Atomic (size_t) sealed_bytes;
  _Atomic (size_t) n_sealed;
  _Atomic (uint64_t) n_freed;
  _Atomic (uint64_t) n_waits;
};

/* reclaim.c: runs the free functions of @batches and gives the batches back.
 * @thread: NULL: nobody's. */
void     reclaim_free_batches     (Reclaim       *self,
                                   ReclaimThread *thread,
                                   Batch         *batches);

/* reclaim-look.c. */
bool     reclaim_can_run_barriers (void);
/* Moves the epoch on and returns what it was. */
uint64_t reclaim_advance_epoch    (Reclaim       *self);
/* The oldest epoch that a section was entered at; UINT64_MAX when nobody is
 * inside. @holder (nullable): that thread's index, or -1. */
uint64_t reclaim_oldest_section   (Reclaim       *self,
                                   int32_t       *holder);
/* Frees the sealed batches that no reader can hold. */
void     reclaim_try_to_free      (ReclaimThread *thread);
/* After a batch was sealed: waits while more is held than should be. */
void     reclaim_wait_for_readers (ReclaimThread *thread);
/* Retiring without a note: waits until no reader can hold what was unlinked
 * before. false when a reader is parked, or when called inside a section. */
bool     reclaim_wait_for_grace   (ReclaimThread *thread);
