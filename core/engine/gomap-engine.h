/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-engine.h — the operations of the engines that are bucket tables
 *
 * `gomap` has nothing around its one table; `mutexmap` and `rwmap` put a lock
 * around it; `shardmap` has many, each with its lock. An engine gives the lock
 * and the number of tables and shares everything else.
 */
#pragma once

#include "core/base/mutant.h"
#include "core/base/sync.h"
#include "core/engine/gomap-detector.h"
#include "core/engine/gomap.h"

typedef struct _GoMapEngine GoMapEngine;

/* One table and what is around it. On cache lines of its own: threads that work
 * on different shards do not meet. */
typedef struct {
  _Alignas (64) GoMap table; /* guarded by the lock, when there is one */
  GoDomain domain;           /* likewise; its id is the lock's */
  Prng     prng;             /* likewise */
  SyncWord n_lock_waits;
  SyncWord n_hits;           /* look-ups that found their key; under locks */
  union {
    SyncMutex  mutex;
    SyncRwLock rwlock;
  };
} GoShard;

/* A kind of lock. With @is_shared the caller only reads. lock() returns
 * OP_PATH_LOCKED, OP_PATH_WAITED. The hidden pair is for looks from outside: it
 * tells nothing, and holds the lock alone. */
typedef struct {
  void     (*init)          (GoShard *shard);
  void     (*clear)         (GoShard *shard);
  unsigned (*lock)          (GoShard *shard, EngineThread *thread,
                             bool is_shared);
  void     (*unlock)        (GoShard *shard, EngineThread *thread,
                             bool is_shared);
  void     (*lock_hidden)   (GoShard *shard);
  void     (*unlock_hidden) (GoShard *shard);
} GoLocking;

struct _GoMapEngine {
  MapEngine        base;
  const GoLocking *locking; /* NULL: no lock, one thread at a time */
  SyncWord         n_iterators;
  uint64_t         shard_seed;
  uint32_t         n_shards;
  bool             is_shared; /* `gomap` under several threads: the detector's */
  GoDetector       detector;
  GoShard          shards[];
};

/* Makes the map and tells its creation. NULL when there is no memory. */
GoMapEngine *gomap_engine_new (const EngineClass  *klass,
                               const EngineConfig *config,
                               const GoLocking    *locking,
                               uint32_t            n_shards);

/* rwmap.c */
extern const GoLocking rwmap_locking;
bool rwmap_range (MapEngine    *map,
                  EngineThread *thread,
                  EngineVisit   visit,
                  void         *data);

/* Where @key belongs. */
static inline GoShard *
gomap_engine_shard (GoMapEngine *self,
                    int64_t      key) {
  uint64_t hash;

  if (__builtin_expect (self->n_shards == 1, 1))
    return &self->shards[0];
  /* Mixed anew: a table takes its bucket from the low bits of the same hash. */
  hash = hash_good ((int64_t)hash_key (&self->base.config.hash, key,
                                       self->shard_seed),
                    MUTANT (DEAL_CHANGES) ? self->shards[0].table.hash0
                                          : self->shard_seed);
  return &self->shards[((unsigned __int128)hash * self->n_shards) >> 64];
}

void     gomap_engine_destroy            (MapEngine *map);
bool     gomap_engine_load               (MapEngine *map, EngineThread *thread,
                                          int64_t key, int64_t *value);
bool     gomap_engine_store              (MapEngine *map, EngineThread *thread,
                                          int64_t key, int64_t value);
bool     gomap_engine_load_or_store      (MapEngine *map, EngineThread *thread,
                                          int64_t key, int64_t value,
                                          int64_t *actual);
bool     gomap_engine_load_and_delete    (MapEngine *map, EngineThread *thread,
                                          int64_t key, int64_t *value);
bool     gomap_engine_delete             (MapEngine *map, EngineThread *thread,
                                          int64_t key);
bool     gomap_engine_swap               (MapEngine *map, EngineThread *thread,
                                          int64_t key, int64_t value,
                                          int64_t *previous);
bool     gomap_engine_compare_and_swap   (MapEngine *map, EngineThread *thread,
                                          int64_t key, int64_t old,
                                          int64_t value);
bool     gomap_engine_compare_and_delete (MapEngine *map, EngineThread *thread,
                                          int64_t key, int64_t old);
bool     gomap_engine_range              (MapEngine *map, EngineThread *thread,
                                          EngineVisit visit, void *data);
bool     gomap_engine_clear              (MapEngine *map, EngineThread *thread);
uint64_t gomap_engine_len                (MapEngine *map, EngineThread *thread);
size_t   gomap_engine_check              (MapEngine *map, EngineReport report,
                                          void *data);
void     gomap_engine_get_stats          (MapEngine *map, EngineStats *stats);
void     gomap_engine_get_memory         (MapEngine *map, EngineMemory *memory);
void     gomap_engine_dump               (MapEngine *map, DumpSink *sink);

/* For an EngineClass: everything but names and create. The range is that of one
 * table whose lock, if any, is held for the whole walk. */
#define GOMAP_ENGINE_OPERATIONS                                               \
  .destroy = gomap_engine_destroy,                                            \
  .load = gomap_engine_load,                                                  \
  .store = gomap_engine_store,                                                \
  .load_or_store = gomap_engine_load_or_store,                                \
  .load_and_delete = gomap_engine_load_and_delete,                            \
  .delete_key = gomap_engine_delete,                                          \
  .swap = gomap_engine_swap,                                                  \
  .compare_and_swap = gomap_engine_compare_and_swap,                          \
  .compare_and_delete = gomap_engine_compare_and_delete,                      \
  .clear = gomap_engine_clear,                                                \
  .len = gomap_engine_len,                                                    \
  .check = gomap_engine_check,                                                \
  .get_stats = gomap_engine_get_stats,                                        \
  .get_memory = gomap_engine_get_memory,                                      \
  .dump = gomap_engine_dump
