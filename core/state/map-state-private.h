/* SPDX-License-Identifier: GPL-3.0-or-later */

/* map-state-private.h — what a map state is made of, for the fold and its tests
 *
 * The fold edits a MapState of its own that nobody else sees; the states that
 * it hands out are copies sharing its chunks.
 */
#pragma once

#include "core/state/map-state.h"
#include "core/state/state-chunks.h"

G_BEGIN_DECLS

/* Leaves of 8 buckets, 32 entries, 256 marks: about 1 KiB each, which is where
 * copying a leaf costs about as much as copying the nodes above it. */
#define BUCKET_LEAF_BITS 3
#define ENTRY_LEAF_BITS 5
#define MARKS_LEAF_BITS 8

typedef struct {
  StateBucket shown;
  guint32     previous; /* overflow buckets: the one that links here */
  guint32     unused;
} BucketRecord;

struct _StateArray {
  gint     ref_count; /* more than 1: shared, not to be edited */
  guint32  n_main;
  guint32  n_buckets; /* overflow included */
  ChunkVec buckets;   /* of BucketRecord */
};

/* Whether an entry counts among the live, nil or expunged ones is decided by
 * its epoch: see fold-table.c, Counting. */
typedef struct {
  gint64  value;        /* of a viewmap: id of its newest version, and that one's
                         * generation << 32; 0 there: it is not known */
  gint64  key;
  guint32 version;
  guint32 epoch;        /* that of the map when it got its slot; 0 = none */
  guint32 expunged_in;  /* promotions there had been when it was expunged */
  guint8  state;        /* EntryState */
  guint8  is_known;
  guint8  is_deleted;   /* its newest version says so */
  guint8  unused;
} EntryRecord;

/* As the value of a viewmap's entry. */
#define ENTRY_NO_VERSION ((gint64)G_MAXUINT32)

/* A version of viewmap; kept when it is retired, as a mark for late events. */
typedef struct {
  guint64 stamp;
  gint64  value;
  gint64  key;
  guint32 generation;
  guint32 older;            /* id + 1 */
  guint32 older_generation;
  guint8  is_deleted;
  guint8  is_retired;
  guint8  is_in_chain;
  guint8  unused;
} VersionRecord;

typedef struct {
  StateThread shown;
  gint64      wait_began_ns;
  gint64      last_lock;        /* acquired alone; -1 = none */
  gboolean    is_clear_counted; /* see fold_lock_acquired() */
} ThreadRecord;

typedef struct {
  StateIter shown;
  ChunkVec  marks[2]; /* of IterMarks: buckets, oldbuckets */
} IterRecord;

/* A table whose TABLE_FREED came before the event that supersedes it. */
typedef struct {
  guint16 id;
  guint32 created_ver;
} EarlyFree;

struct _MapState {
  gint          ref_count; /* first: a copy takes all that follows */
  int           phase;
  guint64       n_events;
  gint64        at_ns;
  StateCounters counters;
  StateMisuse   misuse;
  guint64       misses;
  gboolean      has_read_and_dirty;
  gboolean      expects_pair; /* only to be shown: no event told it yet */
  guint         expects_shards; /* likewise */
  gboolean      is_amended;
  guint64       n_live;
  guint64       n_nil;
  guint64       n_expunged;
  guint32       epoch; /* counts Clears, from 1 */

  StateTable   *tables;
  guint         n_tables;
  guint         tables_room;
  StateLock    *locks;
  guint         n_locks;
  guint         locks_room;
  ThreadRecord *threads;
  guint         n_threads;
  guint         threads_room;
  IterRecord   *iters;
  guint         n_iters;
  guint         iters_room;
  EarlyFree    *frees;
  guint         n_frees;
  guint         frees_room;
  StateSnapshot *snapshots;
  guint         n_snapshots;
  guint         snapshots_room;
  ChunkVec      entries; /* of EntryRecord */
  gboolean      has_versions;
  guint64       clock;
  ChunkVec      versions; /* of VersionRecord */
  guint64       n_in_chains; /* versions in chains and not retired */
};

MapState   *map_state_new        (void);
/* A copy for its own use that shares the chunks; @bytes (nullable) is told what
 * the copy itself takes. */
MapState   *map_state_copy       (const MapState   *state,
                                  gsize            *bytes);

/* The state is about to be shown to others: its vectors forget their editor. */
void        map_state_disown     (const MapState   *state);

/* What the chunks of @state take, shared ones included. */
gsize       map_state_bytes      (const MapState   *state);
/* Of these, what those of @other, which may be NULL, are not: a pass over the nodes
 * that differ, of two large states that share nothing 0.1 ms. */
gsize       map_state_bytes_beside (const MapState *state,
                                    const MapState *other);

StateArray *state_array_new      (guint32           n_main);
StateArray *state_array_ref      (const StateArray *array);
void        state_array_unref    (const StateArray *array);

/* The zero record when there is none. */
const BucketRecord *state_array_record (const StateArray *array,
                                        guint32           index);
void        iter_record_clear    (IterRecord       *record);

G_END_DECLS
