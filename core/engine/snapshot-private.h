/* SPDX-License-Identifier: GPL-3.0-or-later */

/* snapshot-private.h — what an engine gives for its snapshots */
#pragma once

#include "core/base/sync.h"
#include "core/engine/snapshot.h"

/* The common head; engines embed it first. Numbers that any thread may read are
 * words; only the owner changes them. */
struct _EngineSnapshot {
  MapEngine    *map;
  EngineThread *thread;
  uint32_t      id;
  uint64_t      version;
  uint64_t      n_keys;
  int64_t       key;
  int64_t       value;
  SyncWord      state; /* SnapshotState; also set by who cancels */
  SyncWord      n_given;
  SyncWord      n_skipped;
};

struct _SnapshotClass {
  const char *guarantee;
  /* Fills id, version, n_keys. NULL: no memory, nothing changed. */
  EngineSnapshot *(*begin)    (MapEngine *map, EngineThread *thread);
  /* Fills key and value. false: the end. */
  bool            (*next)     (EngineSnapshot *self);
  void            (*end)      (EngineSnapshot *self);
  /* Any thread: bytes_held and n_entries_held. */
  void            (*get_cost) (EngineSnapshot *self, SnapshotInfo *info);
};

/* Counts a key that was gone; for next(). */
static inline void
snapshot_skip (EngineSnapshot *self) {
  sync_word_add (&self->n_skipped, 1, SYNC_LABEL ("count a skipped key"));
}

extern const struct _SnapshotClass gomap_snapshot_class;
extern const struct _SnapshotClass gomap_shards_snapshot_class;
extern const struct _SnapshotClass syncmap_snapshot_class;
extern const struct _SnapshotClass viewmap_snapshot_class;
