/* SPDX-License-Identifier: GPL-3.0-or-later */

/* engine.h — one face for every map
 *
 * Keys are 64-bit integers. Values are integers of ENGINE_VALUE_BITS bits,
 * signed (an entry keeps its state and version in the rest of its word). Texts
 * are interned outside.
 *
 * Threads     Each thread that uses a map first gets an EngineThread from
 *             engine_enter_thread() and passes it to every call; it is never
 *             shared. Whether calls from several threads may overlap is the
 *             engine's is_thread_safe.
 * Errors      An operation that cannot be carried out (no memory, misuse) sets
 *             thread->error, leaves the map as it was and returns false. The
 *             caller clears the field. One exception: a write that finds at its
 *             end that it was misused has made its change.
 */
#pragma once

#include "core/base/hash.h"
#include "core/base/prng.h"
#include "core/base/reclaim.h"
#include "core/base/sync.h"
#include "core/probe/event.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENGINE_VALUE_BITS 46
#define ENGINE_VALUE_MAX (((int64_t)1 << (ENGINE_VALUE_BITS - 1)) - 1)
#define ENGINE_VALUE_MIN (-ENGINE_VALUE_MAX - 1)

#define ENGINE_SHARDS_DEFAULT 64u
#define ENGINE_SHARDS_MAX 1024u

typedef struct _MapEngine MapEngine;
typedef struct _EngineClass EngineClass;
struct _DumpSink;
struct _SnapshotClass;

typedef enum {
  ENGINE_ERROR_NONE,
  ENGINE_ERROR_NO_MEMORY,
  ENGINE_ERROR_MISUSE,
} EngineError;

/* How often something took [2^i, 2^(i+1)) ns; the last is open to the right,
 * the first holds 0 too. */
#define ENGINE_HISTOGRAM_N 40

/* One in so many holds of a lock is timed: two readings of the clock each would
 * cost more than a short hold. Waits, promotions and copies are rare and dear,
 * so all of them are. */
#define ENGINE_HOLD_PERIOD 64u

/* How an operation ended, as far as it is counted: one count goes up, whatever
 * is asked about it later. */
#define ENGINE_OUTCOMES 4u
#define ENGINE_OUTCOME(path) ((path) & (OP_PATH_OK | OP_PATH_IN_READ))
_Static_assert (ENGINE_OUTCOME (~0u) == ENGINE_OUTCOMES - 1,
                "the bits of an outcome are the lowest");

/* What one thread did, counted as it goes; summed up in EngineStats. */
typedef struct _EngineTally EngineTally;
struct _EngineTally {
  SyncCount    n_ops[OP_N_KINDS][ENGINE_OUTCOMES]; /* by ENGINE_OUTCOME() */
  SyncCount    n_cas_retries; /* a CAS failed and was tried again */
  SyncCount    n_misuses;
  SyncCount    lock_waits[ENGINE_HISTOGRAM_N]; /* each that waited */
  SyncCount    lock_holds[ENGINE_HISTOGRAM_N]; /* one in ENGINE_HOLD_PERIOD */
  uint32_t     hold_countdown;
  uint64_t     hold_began_ns; /* of the hold being timed; 0 = none is */
  EngineTally *next; /* guarded by the map's tallies_mutex */
};

typedef struct {
  MapEngine     *map;
  EngineTally   *tally;
  ReclaimThread *reclaim; /* NULL for engines that need none */
  EngineError    error;
  MisuseKind     misuse;  /* meaningful with ENGINE_ERROR_MISUSE */
  MisusePlace    misuse_place; /* likewise */
  uint16_t       index;   /* worker index, or EVENT_THREAD_MAIN */
  Prng           prng;    /* where this thread's iterations start */
} EngineThread;

/* Called by the thread that does it, in the middle of its operation and with the
 * lock held, if there is one: they must be short and not use the map. Any may be
 * NULL. @table_id: as in events. */
typedef struct {
  /* The array is replaced by one of 2^B buckets; as large as before when
   * @is_same_size, else twice as large. Nothing has moved yet. */
  void (*grow)     (void *data, unsigned table_id, unsigned B, bool is_same_size);
  /* The chain of @old_bucket, @n_buckets long, has moved. */
  void (*evacuate) (void *data, unsigned table_id, uint64_t old_bucket,
                    unsigned n_buckets);
  /* dirty, with @n_keys, has become read after @n_misses. @cost_ns, here and
   * below: what it took; 0 without a clock. */
  void (*promote)  (void *data, unsigned table_id, uint64_t n_keys,
                    uint64_t n_misses, uint64_t cost_ns);
  /* dirty was made of the @n_copied live entries of read; the others expunged. */
  void (*copy)     (void *data, unsigned table_id, uint64_t n_copied,
                    uint64_t n_expunged, uint64_t cost_ns);
  void *data;
} EngineHooks;

typedef struct {
  Hash     hash;
  uint64_t seed; /* of table seeds and iteration starts */
  uint64_t hint; /* keys expected; as Go's make(map, hint) */
  uint32_t shards; /* `shardmap`: 1 … ENGINE_SHARDS_MAX; 0 = the default */
  const EngineHooks *hooks; /* NULL: none; must outlive the map */
  /* Nanoseconds from anywhere, for the costs in EngineStats; any thread. NULL:
   * nothing is timed, as in stepped runs, where time means nothing. */
  uint64_t (*now_ns) (void);
  /* `gomap`: several threads may be inside at once. Go's detector then speaks as
   * it would there, and what it lets through cannot break memory. */
  bool     is_shared;
} EngineConfig;

/* Called for each key of a Range, without any lock held in thread-safe
 * engines but `mutexmap`, whose callback must not call the map. Returns false
 * to stop. */
typedef bool (*EngineVisit) (int64_t  key,
                             int64_t  value,
                             void    *data);

/* Called by a check for each broken invariant; @text names it and the place. */
typedef void (*EngineReport) (const char *text,
                              void       *data);

/* Counters that an engine keeps whether or not it is recorded. */
typedef struct {
  uint64_t n_promotions;
  uint64_t n_copies;
  uint64_t n_copied_entries;
  uint64_t n_expunged;
  uint64_t n_growths;
  uint64_t n_same_size_growths;
  uint64_t n_evacuated;
  uint64_t n_lock_waits;
  uint64_t promotion_ns; /* all of them together; 0 without a clock */
  uint64_t copy_ns;
  size_t   bytes;      /* tables and entries, held ones included */
  size_t   bytes_held; /* retired, waiting for readers */
  /* By engine_get_stats() alone: all threads, those that have left included.
   * n_ops[OP_LOAD] are the loads, n_ok[OP_LOAD] the hits. */
  uint64_t n_ops[OP_N_KINDS];
  uint64_t n_ok[OP_N_KINDS];
  uint64_t n_in_read;
  uint64_t n_cas_retries;
  uint64_t n_misuses;
  uint64_t lock_waits[ENGINE_HISTOGRAM_N];
  uint64_t lock_holds[ENGINE_HISTOGRAM_N]; /* one in ENGINE_HOLD_PERIOD */
} EngineStats;

/* What the bytes are for, without the map's fixed head and without what lies
 * ready unused or waits for readers. */
typedef struct {
  uint64_t n_live;    /* keys in the map */
  uint64_t n_deleted; /* entries that read or dirty still reach: nil, expunged */
  size_t   read;      /* buckets of read; of the one table or the shards, in
                       * engines that have neither read nor dirty */
  size_t   dirty;     /* buckets of dirty */
  size_t   entries;   /* of live keys */
  size_t   deleted;   /* entries as counted by n_deleted */
  size_t   versions;  /* viewmap's older values that a view may ask for */
} EngineMemory;

struct _EngineClass {
  const char *name;        /* "syncmap": scenarios and recordings */
  const char *title;       /* "sync.Map ≤ Go 1.23": windows and reports */
  bool        is_thread_safe;
  bool        has_read_and_dirty;
  bool        has_shards;

  const struct _SnapshotClass *snapshot; /* NULL: none; see snapshot.h */

  MapEngine *(*create)  (const EngineClass *klass, const EngineConfig *config);
  void       (*destroy) (MapEngine *map);

  /* false: absent. */
  bool (*load)               (MapEngine *map, EngineThread *thread,
                              int64_t key, int64_t *value);
  bool (*store)              (MapEngine *map, EngineThread *thread,
                              int64_t key, int64_t value); /* true: stored */
  /* true: loaded, *actual is the value found; false: stored, or an error. */
  bool (*load_or_store)      (MapEngine *map, EngineThread *thread,
                              int64_t key, int64_t value, int64_t *actual);
  bool (*load_and_delete)    (MapEngine *map, EngineThread *thread,
                              int64_t key, int64_t *value);
  /* true: there was something to delete. */
  bool (*delete_key)         (MapEngine *map, EngineThread *thread,
                              int64_t key);
  /* true: loaded, *previous is the value replaced. */
  bool (*swap)               (MapEngine *map, EngineThread *thread,
                              int64_t key, int64_t value, int64_t *previous);
  bool (*compare_and_swap)   (MapEngine *map, EngineThread *thread,
                              int64_t key, int64_t old, int64_t value);
  bool (*compare_and_delete) (MapEngine *map, EngineThread *thread,
                              int64_t key, int64_t old);
  /* Visits until the callback returns false; true: went to the end. */
  bool (*range)              (MapEngine *map, EngineThread *thread,
                              EngineVisit visit, void *data);
  bool (*clear)              (MapEngine *map, EngineThread *thread);
  /* Live keys. Exact when no other thread is inside. */
  uint64_t (*len)            (MapEngine *map, EngineThread *thread);

  /* No other thread may be inside. Returns how many invariants are broken. */
  size_t (*check)            (MapEngine *map, EngineReport report, void *data);
  void   (*get_stats)        (MapEngine *map, EngineStats *stats);
  /* No other thread may be inside. O(keys). */
  void   (*get_memory)       (MapEngine *map, EngineMemory *memory);
  /* Writes the map's memory, header by header and slot by slot, as text that
   * map_state_dump() of the folded state equals to the byte (see dump.h).
   * No other thread may be inside. */
  void   (*dump)             (MapEngine *map, struct _DumpSink *sink);
};

/* The common head of every engine; engines embed it first. Aligned as the
 * engines are, some of whose fields have cache lines of their own. */
struct _MapEngine {
  _Alignas (64) const EngineClass *klass;
  Reclaim           *reclaim; /* NULL for engines that need none */
  EngineConfig       config;
  SyncMutex          tallies_mutex;
  EngineTally       *tallies; /* of entered threads; guarded by it */
  EngineTally        left;    /* of those that left; likewise */
};

/* NULL-terminated, in the order in which they are offered. */
const EngineClass *const *engine_classes (void);
const EngineClass *engine_class_find (const char *name);

/* NULL when there is no memory. The creating thread's probe, if any, tells the
 * map's creation. */
MapEngine *engine_new  (const EngineClass  *klass,
                        const EngineConfig *config);
/* No thread may be inside or entered. NULL is allowed. */
void       engine_free (MapEngine          *map);

/* false when there is no memory. */
bool engine_enter_thread (MapEngine    *map,
                          EngineThread *thread,
                          uint16_t      index);
void engine_leave_thread (EngineThread *thread);

/* The engine's get_stats() and the threads' tallies. Any thread, any time. An
 * operation that is under way may be counted in part. */
void engine_get_stats (MapEngine   *map,
                       EngineStats *stats);

/* An operation is over: engines call it beside probe_op_end(). */
static inline void
engine_count_op (EngineThread *thread,
                 OpKind        op,
                 unsigned      path) {
  sync_count_add (&thread->tally->n_ops[op][ENGINE_OUTCOME (path)], 1);
}

/* "out of memory" or Go's text of the misuse. */
const char *engine_error_text (const EngineThread *thread);
