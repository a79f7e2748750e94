/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-detector.h — one bucket table under several threads, and Go's detector
 *
 * The operations of a `gomap` that was made is_shared. What they do, and what is
 * Go's in it, is told in gomap-detector.c.
 */
#pragma once

#include "core/base/sync.h"
#include "core/engine/gomap.h"

/* What the threads touch without a lock keeps to a cache line of its own. */
typedef struct {
  _Alignas (64) SyncWord hash_writing; /* GOMAP_FLAG_HASH_WRITING or 0 */
  SyncWord  count;  /* the table's; stored under the guard */
  SyncCount writer; /* index + 1 of the last to set the bit; for reports only */
  _Alignas (64) SyncMutex guard; /* of the table; no part of Go */
} GoDetector;

/* One operation under way. Misuse goes to thread->error, n_misuses and *path. */
typedef struct {
  GoDetector   *detector;
  GoMap        *table;
  EngineThread *thread;
  OpKind        op;
  unsigned     *path; /* OpPath bits are or-ed in */
} GoWatched;

/* @table: whose count is taken over. */
void     gomap_detector_init  (GoDetector  *detector,
                               const GoMap *table);
void     gomap_detector_clear (GoDetector  *detector);

/* D1 and D2 of gomap-detector.c: how many are broken. No other thread may be
 * inside. */
size_t   gomap_detector_check (const GoDetector *detector,
                               const GoMap      *table,
                               EngineReport      report,
                               void             *data);

/* The guard: a thread publishes before it waits for it. */
void     gomap_guard_lock     (GoDetector  *detector);
void     gomap_guard_unlock   (GoDetector  *detector);

/* Go's mapaccess2: GOMAP_ABSENT: absent, or misuse. */
uint64_t gomap_watched_find   (const GoWatched *watched,
                               int64_t          key);
/* Go's mapassign, then the store of @elem. @found (nullable) as gomap_assign().
 * GOMAP_MISUSED: found at its end, the key is there all the same. */
GoMapOutcome gomap_watched_assign (const GoWatched *watched,
                                   int64_t          key,
                                   uint64_t         elem,
                                   uint64_t        *found);
/* Go's mapdelete: true: the key was there, *elem is what it held. */
bool     gomap_watched_delete (const GoWatched *watched,
                               int64_t          key,
                               uint64_t        *elem);
/* Go's mapclear. false: misuse. */
bool     gomap_watched_clear  (const GoWatched *watched);
/* Go's mapiternext: false: the end, or misuse, which is_misused tells. */
bool     gomap_watched_next   (const GoWatched *watched,
                               GoIter          *iter);
/* Go's len: no check. */
uint64_t gomap_watched_len    (const GoDetector *detector);
