/* SPDX-License-Identifier: GPL-3.0-or-later */

/* snapshot.h — walking a map at one's own pace, while others change it
 *
 * A snapshot is an iterator that is asked for the next pair, instead of a Range
 * that calls back. Between two steps its thread may use the map as it likes, and
 * open more snapshots. What it promises differs from engine to engine, and so
 * does what it costs: engine_snapshot_guarantee() says the first in words,
 * engine_snapshot_get_info() the second in numbers. The name is Tophash's own;
 * Go has nothing like it.
 *
 *   engine      keys                  values               costs
 *   mutexmap    of one instant        of that instant      a copy, made under
 *   rwmap       likewise              likewise             the lock
 *   shardmap    of one instant in     likewise             a copy, shard by
 *               each shard                                 shard
 *   syncmap     of one instant        as they are when     the read table and
 *                                     their turn comes     what died since
 *   viewmap     of one instant        of that instant      replaced values
 *
 * Threads     A snapshot belongs to the EngineThread that began it, which must
 *             end it before it leaves the map. engine_snapshot_cancel() and
 *             engine_snapshot_get_info() may be called by any thread meanwhile.
 */
#pragma once

#include "core/engine/engine.h"

typedef struct _EngineSnapshot EngineSnapshot;

typedef enum {
  SNAPSHOT_OPEN,      /* there may be more */
  SNAPSHOT_WHOLE,     /* all pairs were given */
  SNAPSHOT_CANCELLED,
  SNAPSHOT_LEFT,      /* ended before all pairs were given */
} SnapshotState;

typedef struct {
  uint32_t      id;
  SnapshotState state;
  uint64_t      version;        /* of what it shows; grows with each change of
                                 * structure, or view */
  uint64_t      n_keys;         /* that it will look at, in all */
  uint64_t      n_given;
  uint64_t      n_skipped;      /* deleted when their turn came */
  size_t        bytes_held;     /* taken for it, or kept from being freed by it */
  uint64_t      n_entries_held; /* deleted from the map, kept alive for it and
                                 * for other readers that are as old */
} SnapshotInfo;

/* What @klass promises, in a sentence; NULL: it has no snapshots. */
const char     *engine_snapshot_guarantee (const EngineClass *klass);

/* NULL: no memory, thread->error says so; or the engine has no snapshots. */
EngineSnapshot *engine_snapshot_begin     (MapEngine         *map,
                                           EngineThread      *thread);
/* false: the end, or cancelled; the state says which. */
bool            engine_snapshot_next      (EngineSnapshot    *self);
/* Of the present pair, after next returned true. */
int64_t         engine_snapshot_key       (const EngineSnapshot *self);
int64_t         engine_snapshot_value     (const EngineSnapshot *self);
void            engine_snapshot_end       (EngineSnapshot    *self);

/* Any thread, until it is ended: the next step returns false. */
void            engine_snapshot_cancel    (EngineSnapshot    *self);
void            engine_snapshot_get_info  (EngineSnapshot    *self,
                                           SnapshotInfo      *info);
