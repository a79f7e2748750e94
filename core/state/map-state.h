/* SPDX-License-Identifier: GPL-3.0-or-later */

/* map-state.h — the map as it stood at one instant, folded from events
 *
 * An immutable, reference-counted picture. Large parts (buckets, entries) live
 * in chunks shared between states, so that taking one costs little and keeping
 * many costs only what changed between them.
 *
 * Threads: a MapState may be read and released by any thread.
 */
#pragma once

#include "core/probe/dump.h"
#include "core/probe/event.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct _MapState MapState;
typedef struct _StateArray StateArray; /* main buckets, then overflow */

typedef struct {
  guint8  tophash[BUCKET_SLOTS];
  guint32 overflow;            /* index of the next bucket; 0 = none */
  guint32 touched;             /* low 32 bits of the index + 1 of the last
                                * event that changed it; 0 = never */
  /* Beside what each change of a slot writes too: mostly in the same line. */
  guint64 elems[BUCKET_SLOTS]; /* value, or entry id in tables of entries */
  gint64  keys[BUCKET_SLOTS];
} StateBucket;

guint              state_array_n_main    (const StateArray *array);
guint              state_array_n_buckets (const StateArray *array);
const StateBucket *state_array_bucket    (const StateArray *array,
                                          guint             index);
/* Of an overflow bucket: the one that links to it. */
guint32            state_array_previous  (const StateArray *array,
                                          guint             index);

typedef enum {
  TABLE_ROLE_NONE,       /* created, not yet pointed to */
  TABLE_ROLE_ONLY,       /* the one table of a gomap */
  TABLE_ROLE_READ,
  TABLE_ROLE_DIRTY,
  TABLE_ROLE_SUPERSEDED, /* was read or dirty; readers may still hold it */
  TABLE_ROLE_SHARD,      /* one of a sharded map's: see StateTable.shard */
} TableRole;

typedef struct {
  guint16           id;
  guint32           created_ver; /* tells two users of one id apart */
  guint64           created_at;  /* index of its TABLE_CREATED */
  guint64           superseded_at; /* event index; 0 = never */
  guint32           promotion;   /* number of the promotion that made it read */
  TableRole         role;
  guint32           flags_table; /* TableFlag */
  guint8            flags;       /* GOMAP_FLAG_* */
  guint8            B;
  guint64           count;
  guint32           noverflow;
  guint64           nevacuate;
  guint64           hash0;
  int               hash_kind;   /* HashKind */
  guint32           domain;
  guint32           shard;       /* index, with TABLE_ROLE_SHARD */
  const StateArray *buckets;     /* NULL: none yet */
  const StateArray *oldbuckets;  /* NULL: not growing */
  guint             n_evacuated; /* old main buckets moved so far */
} StateTable;

/* Keys per bucket past which it grows: 6.5, but a single bucket is filled. */
static inline double
state_table_load_limit (const StateTable *table) {
  return table->B == 0 ? 8 : 6.5;
}

typedef enum {
  ENTRY_VALUE,
  ENTRY_NIL,
  ENTRY_EXPUNGED,
} EntryState;

/* One value that a key had: an entry of viewmap has a chain of them. */
typedef struct {
  guint32  id;
  guint32  generation;
  guint64  stamp;      /* 0 = not yet */
  gint64   value;
  gint64   key;
  gboolean is_deleted; /* it says that the key was absent */
} StateVersion;

typedef struct {
  gint64     value;   /* meaningful in ENTRY_VALUE */
  gint64     key;     /* of the last slot that was given this entry */
  guint32    version;
  EntryState state;
  gboolean   is_known; /* FALSE: no event has named it yet */
  guint64    newest;   /* its newest version, for map_state_next_version();
                        * the low half is id + 1, 0 = it has none */
} StateEntry;

#define STATE_LOCK_QUEUE 16

typedef struct {
  guint32 id;
  int     owner;         /* thread, EVENT_THREAD_MAIN, or -1 = free */
  gint64  since_ns;      /* of the present hold */
  guint64 last_hold_ns;  /* the last that was measured; 0 = none was yet */
  guint64 n_acquired;
  guint64 n_waited;
  guint64 waiters;       /* bit per worker below 64 */
  /* Of a lock that lets readers share it: */
  guint64 readers;       /* who holds it for reading: bit per worker below 64 */
  guint   n_readers;     /* how many do */
  guint64 n_read_acquired;
  guint64 read_waiters;  /* those of waiters that want to read */
  int     claimed_by;    /* writer waiting for the readers to leave; -1 = none */
  guint8  n_queue;       /* threads in queue; more may wait than fit */
  guint16 queue[STATE_LOCK_QUEUE]; /* waiting threads as they came */
} StateLock;

typedef struct {
  guint16 thread;
  guint16 role;          /* index in the scenario's roles */
  gboolean is_running;
  gboolean in_op;        /* between OP_BEGAN and OP_ENDED */
  OpKind  op;            /* present or last spanned operation */
  gint64  key;
  gint64  value;         /* result, once ended */
  guint   path;          /* OpPath, once ended */
  gint64  op_began_ns;   /* -1: unknown, and so is its key: it began in a gap */
  gint64  op_ended_ns;
  int     waits_for;     /* lock id; -1 = none */
  guint64 n_ops;         /* told and counted */
} StateThread;

/* How a Range sees one bucket of its table: a bit per slot. */
typedef struct {
  guint8 seen;
  guint8 skipped_nil;
  guint8 skipped_expunged;
  guint8 other_half;
} IterMarks;

typedef struct {
  guint32  id;
  guint16  thread;
  guint16  table;        /* id, with table_created_ver */
  guint32  table_created_ver;
  guint64  began_at;     /* event index */
  gint64   began_ns;
  gint64   ended_ns;     /* 0 while it runs */
  gboolean is_open;
  gboolean was_stopped;
  guint32  start_bucket;
  guint8   offset;
  guint64  n_keys;       /* keys its table held when it began */
  guint64  n_seen;
  guint64  n_skipped_nil;
  guint64  n_skipped_expunged;
  guint32  last_bucket;  /* RANGE_WALKED's res; G_MAXUINT32 = none yet */
  guint8   last_seen;    /* slots of the last RANGE_WALKED */
  guint64  n_yielded;    /* pairs told one by one, and the last of them */
  gint64   yielded_key;
  gint64   yielded_value;
} StateIter;

/* A misuse that was detected: the newest one is kept. */
typedef struct {
  guint64     at;     /* event index + 1; 0 = there was none */
  gint64      at_ns;
  guint16     thread;
  MisuseKind  kind;
  MisusePlace place;
  OpKind      op;     /* that the thread was in */
  gint64      key;    /* where the operation has one */
  int         writer; /* who was writing then; -1 = not known */
} StateMisuse;

/* A snapshot or a view that is open. */
typedef struct {
  guint32 id;
  guint16 thread;
  guint64 version;   /* that it shows; of viewmap: as in StateVersion */
  guint64 n_keys;    /* that it will look at; 0: not known, or a view */
  guint64 n_given;   /* pairs so far; 0 too where they are not told */
  gint64  given_key; /* of the last one; 0: none was */
  gint64  given_value;
  guint64 began_at;  /* event index */
  gint64  began_ns;
} StateSnapshot;

/* How often something took [2^i, 2^(i+1)) ns, as in engine.h. */
#define STATE_HISTOGRAM_N 40
typedef struct {
  guint32 counts[STATE_HISTOGRAM_N];
} StateHistogram;

guint64 state_histogram_total    (const StateHistogram *histogram);
/* The time, in ns, that the share @q of them (0 … 1) did not exceed: an upper
 * bound, at most twice the true one. 0: it is empty. */
guint64 state_histogram_quantile (const StateHistogram *histogram,
                                  double                q);

/* What the map's bytes are for; see EngineMemory, which it equals. */
typedef struct {
  guint64 n_live;
  guint64 n_deleted;
  gsize   read;
  gsize   dirty;
  gsize   entries;
  gsize   deleted;
  gsize   versions;
} StateMemory;

/* Sums since the log's start. */
typedef struct {
  guint64 n_ops[OP_N_KINDS];
  guint64 n_ok[OP_N_KINDS];
  guint64 n_in_read;      /* operations that found their key in read */
  guint64 n_misses;
  guint64 n_promotions;
  guint64 n_copies;
  guint64 n_copied;       /* entries */
  guint64 n_expunged;
  guint64 n_growths;
  guint64 n_same_size;
  guint64 n_evacuated;
  guint64 n_lock_waits;
  guint64 n_ranges;
  guint64 n_cleared;      /* Clears that found a key; of viewmap, all */
  guint64 n_misuses;
  guint64 n_dropped;      /* events; not 0: the state is a guess from here on */
  guint64 n_snapshots;
  guint64 n_cas_retries;
  gint64  lock_wait_ns;
  gint64  lock_hold_ns;
  guint64 promotion_ns;   /* as measured; of promotions that were */
  guint64 copy_ns;
  guint64 last_promotion_ns;
  guint64 last_copy_ns;
  StateHistogram lock_waits; /* each that waited and was measured */
  StateHistogram lock_holds; /* those that were measured */
} StateCounters;

MapState *map_state_ref   (const MapState *self);
void      map_state_unref (const MapState *self);
static inline void
map_state_autounref (const MapState *self) {
  if (self != NULL)
    map_state_unref (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MapState, map_state_autounref)

/* Events folded into this state: it stands after event n - 1. */
guint64              map_state_n_events  (const MapState *self);
/* Time of the last folded event; 0 for none. */
gint64               map_state_at_ns     (const MapState *self);
int                  map_state_phase     (const MapState *self); /* -1: none */
const StateCounters *map_state_counters  (const MapState *self);

/* Live tables by age; superseded ones stay until they are freed. */
guint             map_state_n_tables     (const MapState *self);
const StateTable *map_state_table        (const MapState *self,
                                          guint           index);
/* By role; NULL: nil. TABLE_ROLE_READ, _DIRTY or _ONLY; of several shards the
 * newest table. */
const StateTable *map_state_table_for    (const MapState *self,
                                          TableRole       role);
/* How many shards were named or are expected; map_state_shard() of each may yet be
 * NULL. */
guint             map_state_n_shards     (const MapState *self);
const StateTable *map_state_shard        (const MapState *self,
                                          guint           shard);
/* NULL when it was freed. */
const StateTable *map_state_find_table   (const MapState *self,
                                          guint16         id,
                                          guint32         created_ver);

gboolean map_state_has_read_and_dirty    (const MapState *self);
/* (transfer full): @self, without a table yet, as the beginning of a map that will
 * have read and dirty. */
MapState *map_state_expecting_pair       (const MapState *self);
/* (transfer full): @self, of whose shards not all have a table yet, as the beginning
 * of a map that will have so many. */
MapState *map_state_expecting_shards     (const MapState *self,
                                          guint           n_shards);
gboolean map_state_is_amended            (const MapState *self);
guint64  map_state_misses                (const MapState *self);
/* Keys now in the map: the counts of a map's only table or shards, or the entries that
 * hold a value and are reached from read or dirty. Kept as events go by. */
guint64  map_state_n_live                (const MapState *self);
/* Entries reached from read or dirty that are deleted (nil) or expunged. */
guint64  map_state_n_nil                 (const MapState *self);
guint64  map_state_n_expunged            (const MapState *self);
/* Slots of @table with a live tophash whose entry is in @state; O(slots) for
 * tables of entries, so for counters and tests, not for frames. */
guint64  map_state_count_entries         (const MapState   *self,
                                          const StateTable *table,
                                          EntryState        state);

/* Kept as events go by: O(tables). */
void              map_state_get_memory   (const MapState *self,
                                          StateMemory    *memory);

/* is_known is FALSE for an id never named. */
StateEntry        map_state_entry        (const MapState *self,
                                          guint32         id);
/* viewmap: the version of writes to come; 0 for other maps. */
guint64           map_state_clock        (const MapState *self);
/* The chain of an entry, newest first: FALSE at its end. *link: the entry's
 * newest to begin with. */
gboolean          map_state_next_version (const MapState *self,
                                          guint64        *link,
                                          StateVersion   *version);
guint             map_state_n_locks      (const MapState *self);
const StateLock  *map_state_lock         (const MapState *self,
                                          guint           index);
guint             map_state_n_threads    (const MapState *self);
const StateThread *map_state_thread      (const MapState *self,
                                          guint           index);
/* Open iterations and the last ended one of each thread, newest last. */
guint             map_state_n_iters      (const MapState *self);
const StateIter  *map_state_iter         (const MapState *self,
                                          guint           index);
/* What iterator @iter has done in the bucket @index (bit 31: of oldbuckets). */
IterMarks         map_state_iter_marks   (const MapState  *self,
                                          const StateIter *iter,
                                          guint32          index);

/* Open ones, oldest first. */
guint             map_state_n_snapshots  (const MapState *self);
const StateSnapshot *map_state_snapshot  (const MapState *self,
                                          guint           index);

/* Never NULL; its at is 0 when there was none. */
const StateMisuse *map_state_misuse      (const MapState *self);

/* Where a key stands. */
typedef struct {
  const StateTable *table;
  gboolean          in_old;
  guint32           chain;  /* main bucket */
  guint32           bucket; /* its index, overflow included */
  guint             slot;
} StateSlot;

/* The live slot of @key in @table; FALSE when absent. Walks like a look-up. */
gboolean map_state_find_key (const MapState   *self,
                             const StateTable *table,
                             gint64            key,
                             StateSlot        *slot);

/* The same text as the engine's dump of its own memory. */
void     map_state_dump     (const MapState *self,
                             DumpSink       *sink);

G_END_DECLS
