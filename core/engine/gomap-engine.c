/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-engine.c — Go's built-in map as an engine, alone or under locks
 *
 * Idea        Each operation is what a Go programmer writes with a built-in map:
 *             load_or_store is a look-up and, when it fails, an assignment;
 *             compare_and_swap a look-up, a comparison, an assignment. Nothing
 *             joins the two steps but the lock that an engine may have around
 *             its operations (mutexmap.c), or that there is one user (`gomap`).
 *
 * Operation   begin: tell OP_BEGAN, find the key's shard, take its lock. end:
 *             give the lock back, turn what went wrong into thread->error, tell
 *             OP_ENDED with the path. Operations on the whole map go from shard
 *             to shard and hold one lock at a time.
 *
 * Misuse      A `gomap` that several threads share (EngineConfig.is_shared) goes
 *             through gomap-detector.c. With one user the table reports writes
 *             that meet a write, and its iterators; look-ups are checked here
 *             (Go: mapaccess1, fatal "concurrent map read and map write"), after
 *             the look-up in an empty map, which returns unchecked.
 *
 * Range       Walks with the iterator flags set, as a `for range` does. The
 *             callback of `gomap` may write to the map: the iterator's rules in
 *             gomap-iter.c say what it then sees.
 *
 * Threads     `gomap`: one thread at a time, or the detector's guard. Otherwise
 *             a shard is guarded by its lock; what a shared lock allows changes
 *             nothing in it.
 */

#include "core/engine/gomap-engine.h"

#include "core/base/alloc.h"
#include "core/base/mutant.h"
#include "core/engine/engine-private.h"
#include "core/engine/gomap-find-private.h"
#include "core/probe/probe.h"

#include <stdio.h>

/* One operation under way. */
typedef struct {
  GoMapEngine  *self;
  GoShard      *shard; /* locked; NULL between two of them */
  EngineThread *thread;
  OpKind        op;
  unsigned      path;
  bool          is_shared;
} Call;

static void
lock (Call    *call,
      GoShard *shard,
      bool     is_shared) {
  call->shard = shard;
  call->is_shared = is_shared;
  if (call->self->locking != NULL)
    call->path |= call->self->locking->lock (shard, call->thread, is_shared);
}

static bool
is_watched (const Call *call) {
  return __builtin_expect (call->self->is_shared, 0);
}

static GoWatched
watched (Call *call) {
  return (GoWatched){ &call->self->detector, &call->shard->table, call->thread,
                      call->op, &call->path };
}

static void
set_misuse (Call       *call,
            MisuseKind  kind,
            MisusePlace place) {
  sync_count_add (&call->thread->tally->n_misuses, 1);
  call->thread->error = ENGINE_ERROR_MISUSE;
  call->thread->misuse = kind;
  call->thread->misuse_place = place;
  call->path |= OP_PATH_ERROR;
}

static void
unlock (Call *call) {
  GoMap *table = &call->shard->table;

  /* Never set in a table that is watched, so that nobody writes it then. */
  if (table->is_misused) {
    table->is_misused = false;
    set_misuse (call, table->misuse, table->misuse_place);
  }
  if (call->self->locking != NULL)
    call->self->locking->unlock (call->shard, call->thread, call->is_shared);
}

/* An operation on the whole map. */
static Call
begin_all (MapEngine    *map,
           EngineThread *thread,
           OpKind        op) {
  Call call = { (GoMapEngine *)map, NULL, thread, op, 0, false };

  probe_op_begin (op, 0, 0);
  return call;
}

static void
end_all (Call   *call,
         int64_t value) {
  engine_count_op (call->thread, call->op, call->path);
  probe_op_end (call->op, call->path, (uint64_t)value, 0);
}

static Call
begin (MapEngine    *map,
       EngineThread *thread,
       OpKind        op,
       int64_t       key,
       int64_t       value) {
  Call call = { (GoMapEngine *)map, NULL, thread, op, 0, false };

  probe_op_begin (op, (uint64_t)key, (uint64_t)value);
  lock (&call, gomap_engine_shard (call.self, key), op == OP_LOAD);
  return call;
}

/* @value: found or result; @old: what a compare-and-… was given. */
static void
end (Call   *call,
     int64_t value,
     int64_t old) {
  unlock (call);
  engine_count_op (call->thread, call->op, call->path);
  probe_op_end (call->op, call->path, (uint64_t)value, (uint64_t)old);
}

/* Out of the way of the maps that are not shared. */
__attribute__ ((cold, noinline)) static uint64_t
look_up_watched (Call   *call,
                 int64_t key) {
  GoWatched w = watched (call);

  return gomap_watched_find (&w, key);
}

/* Go's mapaccess, to the element. */
static inline uint64_t
find_elem (Call   *call,
           int64_t key) {
  const GoMap *table = &call->shard->table;

  if (is_watched (call))
    return look_up_watched (call, key);
  if (table->count != 0 && (table->flags & GOMAP_FLAG_HASH_WRITING) != 0) {
    probe_event_more (EVENT_MISUSE_DETECTED, MISUSE_AT_ENTRY, call->op + 1u,
                      MISUSE_CONCURRENT_READ_AND_WRITE, table->config.id,
                      (uint64_t)key, 0);
    set_misuse (call, MISUSE_CONCURRENT_READ_AND_WRITE, MISUSE_AT_ENTRY);
    return GOMAP_ABSENT;
  }
  return gomap_find (table, key);
}

/* false when the key is absent, or when a write is under way. */
static inline bool
look_up (Call    *call,
         int64_t  key,
         int64_t *value) {
  uint64_t elem = find_elem (call, key);

  if (elem == GOMAP_ABSENT)
    return false;
  *value = gomap_elem_value (elem);
  return true;
}

__attribute__ ((cold, noinline)) static GoMapOutcome
assign_watched (Call     *call,
                int64_t   key,
                int64_t   value,
                uint64_t *found) {
  GoWatched w = watched (call);

  return gomap_watched_assign (&w, key, (uint64_t)value, found);
}

/* false when the assignment was not done. @found (nullable) as gomap_assign. */
static bool
assign (Call     *call,
        int64_t   key,
        int64_t   value,
        uint64_t *found,
        bool     *is_found) {
  GoMapOutcome outcome;

  if (is_watched (call))
    outcome = assign_watched (call, key, value, found);
  else
    outcome = gomap_assign (&call->shard->table, key, (uint64_t)value, false,
                            found, &call->path);
  *is_found = outcome == GOMAP_FOUND;
  if (*is_found)
    call->path |= OP_PATH_OK;
  if (outcome == GOMAP_NO_MEMORY) {
    call->thread->error = ENGINE_ERROR_NO_MEMORY;
    call->path |= OP_PATH_ERROR;
  }
  return outcome == GOMAP_FOUND || outcome == GOMAP_INSERTED;
}

static size_t
engine_bytes (uint32_t n_shards) {
  return sizeof (GoMapEngine) + n_shards * sizeof (GoShard);
}

/* false: no memory, nothing to clear. */
static bool
init_shard (GoMapEngine *self,
            uint32_t     index,
            uint64_t     hint) {
  GoShard *shard = &self->shards[index];
  GoMapConfig config = {
    .hash = &self->base.config.hash,
    .domain = &shard->domain,
    .prng = &shard->prng,
    .id = (uint16_t)index,
    .hooks = self->base.config.hooks,
  };

  shard->domain.id = index;
  prng_init (&shard->prng, index == 0
                               ? self->base.config.seed
                               : prng_split (self->base.config.seed, index));
  if (!gomap_init (&shard->table, &config, hint, 0))
    return false;
  probe_event (EVENT_TABLE_NAMED, self->n_shards > 1 ? index : 0,
               ++shard->domain.version, self->n_shards > 1, config.id);
  if (self->locking != NULL)
    self->locking->init (shard);
  return true;
}

static void
clear_shard (GoMapEngine *self,
             GoShard     *shard) {
  gomap_finish (&shard->table);
  if (self->locking != NULL)
    self->locking->clear (shard);
}

GoMapEngine *
gomap_engine_new (const EngineClass  *klass,
                  const EngineConfig *config,
                  const GoLocking    *locking,
                  uint32_t            n_shards) {
  GoMapEngine *self = alloc_zeroed (engine_bytes (n_shards));

  if (self == NULL)
    return NULL;
  self->base.klass = klass;
  self->base.config = *config;
  self->locking = locking;
  self->shard_seed = prng_split (config->seed, UINT16_MAX);
  self->n_shards = n_shards;
  for (uint32_t i = 0; i < n_shards; i++) {
    if (init_shard (self, i, config->hint / n_shards))
      continue;
    while (i-- > 0)
      clear_shard (self, &self->shards[i]);
    alloc_free (self, engine_bytes (n_shards));
    return NULL;
  }
  return self;
}

void
gomap_engine_destroy (MapEngine *map) {
  GoMapEngine *self = (GoMapEngine *)map;

  for (uint32_t i = 0; i < self->n_shards; i++)
    clear_shard (self, &self->shards[i]);
  if (self->is_shared)
    gomap_detector_clear (&self->detector);
  alloc_free (self, engine_bytes (self->n_shards));
}

bool
gomap_engine_load (MapEngine    *map,
                   EngineThread *thread,
                   int64_t       key,
                   int64_t      *value) {
  Call call = begin (map, thread, OP_LOAD, key, 0);
  int64_t loaded = 0;
  bool is_found = look_up (&call, key, &loaded);

  if (is_found) {
    *value = loaded;
    call.path |= OP_PATH_OK;
    if (call.self->n_shards > 1)
      sync_word_count (&call.shard->n_hits, 1, SYNC_LABEL ("count the hit"));
  }
  end (&call, loaded, 0);
  return is_found;
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
  bool is_loaded = look_up (&call, key, actual);

  if (is_loaded) {
    call.path |= OP_PATH_OK;
  } else if ((call.path & OP_PATH_ERROR) == 0) {
    bool is_found;

    assign (&call, key, value, NULL, &is_found);
    *actual = value;
  }
  end (&call, is_loaded ? *actual : value, 0);
  return is_loaded;
}

__attribute__ ((cold, noinline)) static bool
delete_watched (Call     *call,
                int64_t   key,
                uint64_t *elem) {
  GoWatched w = watched (call);

  return gomap_watched_delete (&w, key, elem);
}

/* Deletes under the operation's name; true: there was something. */
static bool
delete_one (Call    *call,
            int64_t  key,
            int64_t *value) {
  uint64_t elem = 0;
  bool is_deleted
      = is_watched (call)
            ? delete_watched (call, key, &elem)
            : gomap_delete (&call->shard->table, key, &elem, &call->path);

  if (is_deleted) {
    *value = gomap_elem_value (elem);
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
    *previous = gomap_elem_value (found);
  end (&call, gomap_elem_value (found), 0);
  return is_found;
}

bool
gomap_engine_compare_and_swap (MapEngine    *map,
                               EngineThread *thread,
                               int64_t       key,
                               int64_t       old,
                               int64_t       value) {
  Call call = begin (map, thread, OP_COMPARE_AND_SWAP, key, value);
  int64_t found;
  bool is_swapped = look_up (&call, key, &found) && found == old;

  if (MUTANT (LETS_GO_BETWEEN)) {
    unlock (&call);
    lock (&call, call.shard, false);
  }
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
  int64_t found;
  bool is_deleted = look_up (&call, key, &found) && found == old;
  int64_t deleted;

  if (is_deleted)
    is_deleted = delete_one (&call, key, &deleted);
  end (&call, is_deleted, old);
  return is_deleted;
}

/* Around the steps of a Range that use the table. */
static void
enter_table (Call *call) {
  if (is_watched (call))
    gomap_guard_lock (&call->self->detector);
}

static void
leave_table (Call *call) {
  if (is_watched (call))
    gomap_guard_unlock (&call->self->detector);
}

/* Go's mapiternext. */
static bool
step (Call   *call,
      GoIter *iter) {
  GoWatched w;

  if (!is_watched (call))
    return gomap_iter_next (iter);
  w = watched (call);
  return gomap_watched_next (&w, iter);
}

bool
gomap_engine_range (MapEngine    *map,
                    EngineThread *thread,
                    EngineVisit   visit,
                    void         *data) {
  Call call = begin (map, thread, OP_RANGE, 0, 0);
  GoMap *table = &call.shard->table;
  bool tells = probe_tells_walk (), goes_on = true;
  uint32_t id = 0;
  GoIter iter;

  if (tells)
    id = gomap_number_iterator (&call.self->n_iterators);
  enter_table (&call);
  gomap_iter_begin (&iter, table, prng_next (&thread->prng),
                    GOMAP_ITER_MARKS | (tells ? GOMAP_ITER_TELLS : 0), id,
                    call.shard->domain.version);
  probe_event_more (EVENT_RANGE_BEGAN, (uint32_t)iter.start_bucket, id,
                    iter.offset, table->config.id, (uint64_t)table->count,
                    call.shard->domain.version);
  leave_table (&call);
  while (goes_on && step (&call, &iter)) {
    int64_t value = gomap_elem_value (iter.elem);

    probe_range_yield (id, iter.key, value);
    goes_on = visit (iter.key, value, data);
  }
  if (iter.is_misused && !is_watched (&call))
    set_misuse (&call, MISUSE_ITERATION_AND_WRITE, MISUSE_AT_STEP);
  enter_table (&call);
  if (!goes_on)
    gomap_iter_flush (&iter);
  gomap_iter_end (&iter);
  leave_table (&call);
  probe_restamp ();
  probe_event (EVENT_RANGE_ENDED, (uint32_t)iter.n_visited, id, !goes_on,
               table->config.id);

  bool is_whole = goes_on && !iter.is_misused;

  if (is_whole)
    call.path |= OP_PATH_OK;
  end (&call, (int64_t)iter.n_visited, 0);
  return is_whole;
}

bool
gomap_engine_clear (MapEngine    *map,
                    EngineThread *thread) {
  Call call = begin_all (map, thread, OP_CLEAR);
  bool is_cleared = true;

  for (uint32_t i = 0; i < call.self->n_shards; i++) {
    lock (&call, &call.self->shards[i], false);
    if (is_watched (&call)) {
      GoWatched w = watched (&call);

      is_cleared &= gomap_watched_clear (&w);
    } else {
      is_cleared &= gomap_clear (&call.shard->table);
    }
    unlock (&call);
  }
  if (is_cleared)
    call.path |= OP_PATH_OK;
  end_all (&call, 0);
  return is_cleared;
}

uint64_t
gomap_engine_len (MapEngine    *map,
                  EngineThread *thread) {
  Call call = begin_all (map, thread, OP_LEN);
  int64_t count = 0;

  for (uint32_t i = 0; i < call.self->n_shards; i++) {
    lock (&call, &call.self->shards[i], true);
    count += is_watched (&call)
                 ? (int64_t)gomap_watched_len (&call.self->detector)
                 : call.shard->table.count;
    unlock (&call);
  }
  call.path |= OP_PATH_OK;
  end_all (&call, count);
  return (uint64_t)count;
}

/* A key in a shard that is not its own. */
static size_t
check_homes (GoMapEngine *self,
             GoShard     *shard,
             EngineReport report,
             void        *data) {
  size_t n_broken = 0;
  GoIter iter;

  gomap_iter_begin (&iter, &shard->table, 0, 0, 0, 0);
  while (gomap_iter_next (&iter))
    if (gomap_engine_shard (self, iter.key) != shard) {
      n_broken++;
      if (report != NULL)
        report ("H1: a key lies in another shard than its hash says", data);
    }
  return n_broken;
}

size_t
gomap_engine_check (MapEngine   *map,
                    EngineReport report,
                    void        *data) {
  GoMapEngine *self = (GoMapEngine *)map;
  size_t n_broken = 0;

  for (uint32_t i = 0; i < self->n_shards; i++) {
    n_broken += gomap_check (&self->shards[i].table, report, data);
    if (self->n_shards > 1)
      n_broken += check_homes (self, &self->shards[i], report, data);
  }
  if (self->is_shared)
    n_broken += gomap_detector_check (&self->detector, &self->shards[0].table,
                                      report, data);
  return n_broken;
}

static uint64_t
count (const SyncWord *word) {
  return sync_word_load (word, SYNC_LABEL ("read a counter"));
}

/* A look from outside: locks are taken untold, one at a time. */
void
gomap_engine_get_stats (MapEngine   *map,
                        EngineStats *stats) {
  GoMapEngine *self = (GoMapEngine *)map;

  *stats = (EngineStats){ .bytes = engine_bytes (self->n_shards) };
  for (uint32_t i = 0; i < self->n_shards; i++) {
    GoShard *shard = &self->shards[i];
    const GoMap *table = &shard->table;

    if (self->locking != NULL)
      self->locking->lock_hidden (shard);
    if (self->is_shared)
      gomap_guard_lock (&self->detector);
    stats->n_growths += table->n_growths;
    stats->n_same_size_growths += table->n_same_size_growths;
    stats->n_evacuated += table->n_evacuated;
    stats->n_lock_waits += count (&shard->n_lock_waits);
    stats->bytes += gomap_bytes (table);
    if (self->is_shared)
      gomap_guard_unlock (&self->detector);
    if (self->locking != NULL)
      self->locking->unlock_hidden (shard);
  }
}

void
gomap_engine_get_memory (MapEngine    *map,
                         EngineMemory *memory) {
  GoMapEngine *self = (GoMapEngine *)map;

  *memory = (EngineMemory){ 0 };
  for (uint32_t i = 0; i < self->n_shards; i++) {
    memory->n_live += (uint64_t)self->shards[i].table.count;
    memory->read += gomap_linked_bytes (&self->shards[i].table);
  }
}

static void
dump_elem (DumpSink *sink,
           unsigned  slot,
           int64_t   key,
           uint64_t  elem) {
  dump_value (sink, slot, key, gomap_elem_value (elem));
}

void
gomap_engine_dump (MapEngine *map,
                   DumpSink  *sink) {
  GoMapEngine *self = (GoMapEngine *)map;
  char role[24] = "table";

  for (uint32_t i = 0; i < self->n_shards; i++) {
    if (self->n_shards > 1)
      snprintf (role, sizeof role, "shard %u", i);
    gomap_dump (&self->shards[i].table, role, sink, dump_elem);
  }
}

static MapEngine *
create (const EngineClass  *klass,
        const EngineConfig *config) {
  GoMapEngine *self = gomap_engine_new (klass, config, NULL, 1);

  if (self != NULL && config->is_shared) {
    self->is_shared = true;
    gomap_detector_init (&self->detector, &self->shards[0].table);
  }
  return (MapEngine *)self;
}

const EngineClass gomap_class = {
  .name = "gomap",
  .title = "Go map ≤ 1.23",
  .create = create,
  .range = gomap_engine_range,
  GOMAP_ENGINE_OPERATIONS,
};
