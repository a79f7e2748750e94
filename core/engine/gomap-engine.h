/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-engine.h — the operations of the engines that are one bucket table
 *
 * `gomap` has nothing around its table; an engine that puts a lock around it
 * gives the two functions and shares everything else.
 */
#pragma once

#include "core/base/sync.h"
#include "core/engine/gomap.h"

typedef struct _GoMapEngine GoMapEngine;

struct _GoMapEngine {
  MapEngine base;
  GoMap     table;  /* guarded by mutex when there is lock() */
  GoDomain  domain; /* likewise */
  Prng      prng;   /* likewise */
  uint32_t  n_iterators; /* likewise */
  uint64_t  n_lock_waits; /* likewise */
  SyncMutex mutex;
  /* NULL: no lock. lock() returns OP_PATH_LOCKED, OP_PATH_WAITED. */
  unsigned (*lock)   (GoMapEngine *self);
  void     (*unlock) (GoMapEngine *self);
};

/* Makes the map and tells its creation. NULL when there is no memory. */
GoMapEngine *gomap_engine_new (const EngineClass  *klass,
                               const EngineConfig *config,
                               unsigned          (*lock) (GoMapEngine *self),
                               void              (*unlock) (GoMapEngine *self));

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
void     gomap_engine_dump               (MapEngine *map, DumpSink *sink);

/* For an EngineClass: everything but names and create. */
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
  .range = gomap_engine_range,                                                \
  .clear = gomap_engine_clear,                                                \
  .len = gomap_engine_len,                                                    \
  .check = gomap_engine_check,                                                \
  .get_stats = gomap_engine_get_stats,                                        \
  .dump = gomap_engine_dump
