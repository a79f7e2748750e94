/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-engine.c — Go's built-in map as an engine
 *
 * Idea        Each operation is what a Go programmer writes with a built-in map:
 *             load_or_store is a look-up and, when it fails, an assignment;
 *             compare_and_swap a look-up, a comparison, an assignment. Nothing
 *             joins the two steps but the lock that an engine may have around
 *             its operations (mutexmap.c), or that there is one user (`gomap`).
 *
 * Operation   begin: tell OP_BEGAN, take the lock. end: give the lock back, turn
 *             what went wrong into thread->error, tell OP_ENDED with the path.
 *
 * Misuse      The table reports writes that meet a write, and its iterators;
 *             look-ups are checked here (Go: mapaccess1, fatal "concurrent map
 *             read and map write"), after the look-up in an empty map, which
 *             returns unchecked.
 *
 * Range       Walks with the iterator flags set, as a `for range` does. The
 *             callback of `gomap` may write to the map: the iterator's rules in
 *             gomap-iter.c say what it then sees.
 *
 * Threads     `gomap`: one thread at a time. Otherwise everything but mutex is
 *             guarded by the mutex.
 */

#include "core/engine/gomap-engine.h"

#include "core/base/alloc.h"
#include "core/engine/engine-private.h"
#include "core/probe/probe.h"

/* One operation under way. */
typedef struct {
  GoMapEngine  *self;
  EngineThread *thread;
  OpKind        op;
  unsigned      path;
} Call;

static Call
begin (MapEngine    *map,
       EngineThread *thread,
       OpKind        op,
       int64_t       key,
       int64_t       value) {
  Call call = { (GoMapEngine *)map, thread, op, 0 };

  probe_op_begin (op, (uint64_t)key, (uint64_t)value);
  if (call.self->lock != NULL)
    call.path = call.self->lock (call.self);
  return call;
}

static void
set_misuse (Call      *call,
            MisuseKind kind) {
  call->thread->error = ENGINE_ERROR_MISUSE;
  call->thread->misuse = kind;
  call->path |= OP_PATH_ERROR;
}

/* @value: found or result; @old: what a compare-and-… was given. */
static void
end (Call   *call,
     int64_t value,
     int64_t old) {
  GoMap *table = &call->self->table;

  if (table->is_misused) {
    table->is_misused = false;
    set_misuse (call, table->misuse);
  }
  if (call->self->unlock != NULL)
    call->self->unlock (call->self);
  probe_op_end (call->op, call->path, (uint64_t)value, (uint64_t)old);
}

/* Go's mapaccess: NULL when absent, or when a write is under way. */
static const uint64_t *
look_up (Call   *call,
         int64_t key) {
  const GoMap *table = &call->self->table;

  if (table->count != 0 && (table->flags & GOMAP_FLAG_HASH_WRITING) != 0) {
    probe_event (EVENT_MISUSE_DETECTED, 0, 0, MISUSE_CONCURRENT_READ_AND_WRITE,
                 table->config.id);
    set_misuse (call, MISUSE_CONCURRENT_READ_AND_WRITE);
    return NULL;
  }
  return gomap_find (table, key);
}

/* false when the assignment was not done. @found (nullable) as gomap_assign. */
static bool
assign (Call     *call,
        int64_t   key,
        int64_t   value,
        uint64_t *found,
        bool     *is_found) {
  GoMapOutcome outcome = gomap_assign (&call->self->table, key, (uint64_t)value,
                                       false, found, &call->path);

  *is_found = outcome == GOMAP_FOUND;
  if (*is_found)
    call->path |= OP_PATH_OK;
  if (outcome == GOMAP_NO_MEMORY) {
    call->thread->error = ENGINE_ERROR_NO_MEMORY;
    call->path |= OP_PATH_ERROR;
  }
  return outcome == GOMAP_FOUND || outcome == GOMAP_INSERTED;
}

GoMapEngine *
gomap_engine_new (const EngineClass  *klass,
                  const EngineConfig *config,
                  unsigned          (*lock) (GoMapEngine *self),
                  void              (*unlock) (GoMapEngine *self)) {
  GoMapEngine *self = alloc_zeroed (sizeof *self);

  if (self == NULL)
    return NULL;
  self->base.klass = klass;
  self->base.config = *config;
  self->lock = lock;
  self->unlock = unlock;
  prng_init (&self->prng, config->seed);

  GoMapConfig table_config = {
    .hash = &self->base.config.hash,
    .domain = &self->domain,
    .prng = &self->prng,
  };

  if (!gomap_init (&self->table, &table_config, config->hint, 0)) {
    alloc_free (self, sizeof *self);
    return NULL;
  }
  probe_event (EVENT_TABLE_NAMED, 0, ++self->domain.version, 0, 0);
  sync_mutex_init (&self->mutex);
  return self;
}

void
gomap_engine_destroy (MapEngine *map) {
  GoMapEngine *self = (GoMapEngine *)map;

  gomap_finish (&self->table);
  sync_mutex_clear (&self->mutex);
  alloc_free (self, sizeof *self);
}

bool
gomap_engine_load (MapEngine    *map,
                   EngineThread *thread,
                   int64_t       key,
                   int64_t      *value) {
  Call call = begin (map, thread, OP_LOAD, key, 0);
  const uint64_t *found = look_up (&call, key);
  int64_t loaded = 0;

  if (found != NULL) {
    loaded = *value = (int64_t)*found;
    call.path |= OP_PATH_OK;
  }
  end (&call, loaded, 0);
  return found != NULL;
}

bool
gomap_engine_store (MapEngine    *map,
                    EngineThread *thread,
                    int64_t       key,
                    int64_t       value) {
  Call call = begin (map, thread, OP_STORE, key, value);
  bool is_found;
  bool is_stored = assign (&call, key, value, NULL, &is_found);

  end (&call, value, 0);
  return is_stored;
}

bool
gomap_engine_load_or_store (MapEngine    *map,
                            EngineThread *thread,
                            int64_t       key,
                            int64_t       value,
                            int64_t      *actual) {
  Call call = begin (map, thread, OP_LOAD_OR_STORE, key, value);
  const uint64_t *found = look_up (&call, key);
  bool is_loaded = found != NULL;

  if (is_loaded) {
    *actual = (int64_t)*found;
    call.path |= OP_PATH_OK;
  } else if ((call.path & OP_PATH_ERROR) == 0) {
    bool is_found;

    assign (&call, key, value, NULL, &is_found);
    *actual = value;
  }
  end (&call, is_loaded ? *actual : value, 0);
  return is_loaded;
}

/* Deletes under the operation's name; true: there was something. */
static bool
delete_one (Call    *call,
            int64_t  key,
            int64_t *value) {
  uint64_t elem = 0;
  bool is_deleted
      = gomap_delete (&call->self->table, key, &elem, &call->path);

  if (is_deleted) {
    *value = (int64_t)elem;
    call->path |= OP_PATH_OK;
  }
  return is_deleted;
}

bool
gomap_engine_load_and_delete (MapEngine    *map,
                              EngineThread *thread,
                              int64_t       key,
                              int64_t      *value) {
  Call call = begin (map, thread, OP_LOAD_AND_DELETE, key, 0);
  int64_t deleted = 0;
  bool is_deleted = delete_one (&call, key, &deleted);

  if (is_deleted)
    *value = deleted;
  end (&call, deleted, 0);
  return is_deleted;
}

bool
gomap_engine_delete (MapEngine    *map,
                     EngineThread *thread,
                     int64_t       key) {
  Call call = begin (map, thread, OP_DELETE, key, 0);
  int64_t deleted = 0;
  bool is_deleted = delete_one (&call, key, &deleted);

  end (&call, deleted, 0);
  return is_deleted;
}

bool
gomap_engine_swap (MapEngine    *map,
                   EngineThread *thread,
                   int64_t       key,
                   int64_t       value,
                   int64_t      *previous) {
  Call call = begin (map, thread, OP_SWAP, key, value);
  uint64_t found = 0;
  bool is_found;

  assign (&call, key, value, &found, &is_found);
  if (is_found)
    *previous = (int64_t)found;
  end (&call, (int64_t)found, 0);
  return is_found;
}

bool
gomap_engine_compare_and_swap (MapEngine    *map,
                               EngineThread *thread,
                               int64_t       key,
                               int64_t       old,
                               int64_t       value) {
  Call call = begin (map, thread, OP_COMPARE_AND_SWAP, key, value);
  const uint64_t *found = look_up (&call, key);
  bool is_swapped = found != NULL && (int64_t)*found == old;

  if (is_swapped) {
    bool is_found;

    is_swapped = assign (&call, key, value, NULL, &is_found);
  }
  end (&call, is_swapped, old);
  return is_swapped;
}

bool
gomap_engine_compare_and_delete (MapEngine    *map,
                                 EngineThread *thread,
                                 int64_t       key,
                                 int64_t       old) {
  Call call = begin (map, thread, OP_COMPARE_AND_DELETE, key, 0);
  const uint64_t *found = look_up (&call, key);
  bool is_deleted = found != NULL && (int64_t)*found == old;
  int64_t deleted;

  if (is_deleted)
    is_deleted = delete_one (&call, key, &deleted);
  end (&call, is_deleted, old);
  return is_deleted;
}

bool
gomap_engine_range (MapEngine    *map,
                    EngineThread *thread,
                    EngineVisit   visit,
                    void         *data) {
  Call call = begin (map, thread, OP_RANGE, 0, 0);
  GoMapEngine *self = call.self;
  uint32_t id = ++self->n_iterators;
  bool goes_on = true;
  GoIter iter;

  gomap_iter_begin (&iter, &self->table, prng_next (&thread->prng),
                    GOMAP_ITER_MARKS | GOMAP_ITER_TELLS, id,
                    self->domain.version);
  probe_event_more (EVENT_RANGE_BEGAN, (uint32_t)iter.start_bucket, id,
                    iter.offset, self->table.config.id,
                    (uint64_t)self->table.count, self->domain.version);
  while (goes_on && gomap_iter_next (&iter))
    goes_on = visit (iter.key, (int64_t)iter.elem, data);
  if (iter.is_misused)
    set_misuse (&call, MISUSE_ITERATION_AND_WRITE);
  if (!goes_on)
    gomap_iter_flush (&iter);
  gomap_iter_end (&iter);
  probe_restamp ();
  probe_event (EVENT_RANGE_ENDED, (uint32_t)iter.n_visited, id, !goes_on,
               self->table.config.id);

  bool is_whole = goes_on && !iter.is_misused;

  if (is_whole)
    call.path |= OP_PATH_OK;
  end (&call, (int64_t)iter.n_visited, 0);
  return is_whole;
}

bool
gomap_engine_clear (MapEngine    *map,
                    EngineThread *thread) {
  Call call = begin (map, thread, OP_CLEAR, 0, 0);
  bool is_cleared = gomap_clear (&call.self->table);

  if (is_cleared)
    call.path |= OP_PATH_OK;
  end (&call, 0, 0);
  return is_cleared;
}

uint64_t
gomap_engine_len (MapEngine    *map,
                  EngineThread *thread) {
  Call call = begin (map, thread, OP_LEN, 0, 0);
  int64_t count = call.self->table.count;

  call.path |= OP_PATH_OK;
  end (&call, count, 0);
  return (uint64_t)count;
}

size_t
gomap_engine_check (MapEngine   *map,
                    EngineReport report,
                    void        *data) {
  return gomap_check (&((GoMapEngine *)map)->table, report, data);
}

/* A look from outside: the lock is taken untold. */
void
gomap_engine_get_stats (MapEngine   *map,
                        EngineStats *stats) {
  GoMapEngine *self = (GoMapEngine *)map;
  const GoMap *table = &self->table;

  if (self->lock != NULL)
    sync_mutex_lock (&self->mutex, SYNC_LABEL ("lock to read counters"));
  *stats = (EngineStats){
    .n_growths = table->n_growths,
    .n_same_size_growths = table->n_same_size_growths,
    .n_evacuated = table->n_evacuated,
    .n_lock_waits = self->n_lock_waits,
    .bytes = gomap_bytes (table),
  };
  if (self->lock != NULL)
    sync_mutex_unlock (&self->mutex, SYNC_LABEL ("unlock"));
}

static void
dump_elem (DumpSink *sink,
           unsigned  slot,
           int64_t   key,
           uint64_t  elem) {
  dump_value (sink, slot, key, (int64_t)elem);
}

void
gomap_engine_dump (MapEngine *map,
                   DumpSink  *sink) {
  gomap_dump (&((GoMapEngine *)map)->table, "table", sink, dump_elem);
}

static MapEngine *
create (const EngineClass  *klass,
        const EngineConfig *config) {
  return (MapEngine *)gomap_engine_new (klass, config, NULL, NULL);
}

const EngineClass gomap_class = {
  .name = "gomap",
  .title = "Go map ≤ 1.23",
  .create = create,
  GOMAP_ENGINE_OPERATIONS,
};
