/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fold-private.h — what the parts of the fold share */
#pragma once

#include "core/base/histogram.h"
#include "core/state/fold.h"
#include "core/state/map-state-private.h"

G_BEGIN_DECLS

/* Bounds against hostile recordings; real ones stay far below. */
#define FOLD_MAX_THREADS 1024u        /* scenarios: 64 */
#define FOLD_MAX_LOCKS 4096u          /* sharded maps: 1024 */
#define FOLD_MAX_TABLES 8192u         /* alive at once, ghosts included */
#define FOLD_MAX_FREES 4096u          /* that came early */
#define FOLD_MAX_OPEN_ITERS 64u       /* Ranges and snapshots of one thread */
#define FOLD_MAX_SNAPSHOTS 65536u     /* open at once, of all threads */
#define FOLD_MAX_B 28u                /* as the engine's GOMAP_MAX_B */
#define FOLD_MAX_VERSIONS (1u << 28)
#define FOLD_MAX_BUCKETS (1u << 30)
#define FOLD_MAX_BYTES ((gsize)2 << 30) /* of buckets, entries and marks */

/* Where the next moved slot of a chain goes. */
typedef struct {
  guint32 bucket;
  guint   slot; /* BUCKET_SLOTS: the bucket is full */
} ChainEnd;

/* The version that a thread has told at last: the one that it will put into an
 * entry, if any. */
typedef struct {
  guint32  id;
  guint32  generation; /* 0: it has told none */
  gboolean is_deleted;
} FoldWritten;

struct _Fold {
  MapState   *state; /* ours alone */
  MapState   *last;  /* handed out at last; NULL once an event came after */
  ChunkBudget budget;
  gsize       bytes_copied; /* by taking states, chunks not counted */
  guint64     n_faults;
  char       *first_fault;

  /* index + 1 of the newest table of an id, of a lock, of a thread */
  guint16 table_at[G_MAXUINT16 + 1];
  guint16 lock_at[FOLD_MAX_LOCKS];
  guint16 thread_at[FOLD_MAX_THREADS + 1];
  FoldWritten written[FOLD_MAX_THREADS + 1]; /* by thread; main's is the last */

  /* The ends of the chains last appended to, so that a chain of n buckets is
   * moved in n steps: valid for events about the same table and chain. */
  gboolean has_ends;
  guint16  ends_table;
  guint32  ends_created_ver;
  guint64  ends_chain;
  ChainEnd ends[2]; /* x, y */
};

/* Continues on @state itself, which is taken over and nobody else holds. */
Fold *fold_new_taking (MapState *state);

void fold_fault (Fold        *self,
                 const Event *event,
                 const char  *format,
                 ...) G_GNUC_PRINTF (3, 4);

static inline StateTable *
fold_find_table (Fold   *self,
                 guint16 id) {
  guint place = self->table_at[id];

  return place != 0 ? &self->state->tables[place - 1] : NULL;
}

/* Of a worker; others have none. */
static inline guint64
fold_thread_bit (guint16 thread) {
  return thread < 64 ? G_GUINT64_CONSTANT (1) << thread : 0;
}

/* A measured duration; 0: it was not measured. */
static inline void
fold_count_duration (StateHistogram *histogram,
                     guint64         ns) {
  if (ns != 0)
    histogram->counts[histogram_place (ns)]++;
}

static inline void
fold_count_hold (Fold      *self,
                 StateLock *lock,
                 guint64    held_ns) {
  fold_count_duration (&self->state->counters.lock_holds, held_ns);
  if (held_ns != 0)
    lock->last_hold_ns = held_ns;
}

/* For fold-many.c. One event, its count and time apart. */
void fold_dispatch       (Fold *self, const Event *event);
/* An event comes: the state handed out at last is no longer the present one. */
void fold_forget_last    (Fold *self);

/* Tables: fold-table.c, fold-grow.c */
void fold_table_created  (Fold *self, const Event *event);
void fold_table_allocated (Fold *self, const Event *event);
void fold_table_freed    (Fold *self, const Event *event);
void fold_table_cleared  (Fold *self, const Event *event);
void fold_table_header   (Fold *self, const Event *event);
void fold_slot_written   (Fold *self, const Event *event);
void fold_slot_updated   (Fold *self, const Event *event);
void fold_slot_cleared   (Fold *self, const Event *event);
void fold_overflow_linked (Fold *self, const Event *event);
void fold_growth_started (Fold *self, const Event *event);
void fold_bucket_evacuated (Fold *self, const Event *event);
void fold_chain_wiped    (Fold *self, const Event *event);
void fold_growth_ended   (Fold *self, const Event *event);
void fold_bucket_copied  (Fold *self, const Event *event);

/* For fold-entry.c: the table at @place was superseded; drops it if it is known
 * to be freed. TRUE: dropped, later tables moved up by one. */
gboolean      fold_drop_if_freed (Fold             *self,
                                  guint             place);
/* For fold-grow.c. */
BucketRecord *fold_edit_bucket (Fold              *self,
                                const StateArray **array,
                                guint32            index);
gboolean      fold_link_bucket (Fold              *self,
                                StateTable        *table,
                                guint32            index);

/* Entries, read and dirty: fold-entry.c */
void fold_entry_placed   (Fold *self, guint32 id, gint64 key);
void fold_entry_removed  (Fold *self, guint32 id);
void fold_entry_changed  (Fold *self, const Event *event, EntryState now);
void fold_version        (Fold *self, const Event *event);
void fold_table_named    (Fold *self, const Event *event);
void fold_read_published (Fold *self, const Event *event);
void fold_dirty_created  (Fold *self, const Event *event);
void fold_dirty_copied   (Fold *self, const Event *event);
void fold_dirty_dropped  (Fold *self, const Event *event);
void fold_dirty_promoted (Fold *self, const Event *event);

/* Threads, locks, iterations, counters: fold-run.c */
ThreadRecord *fold_find_thread (Fold *self, const Event *event);
void fold_op_began       (Fold *self, const Event *event);
void fold_op_ended       (Fold *self, const Event *event);
void fold_ops_counted    (Fold *self, const Event *event);
void fold_dropped        (Fold *self, const Event *event);
void fold_op_told        (Fold *self, const Event *event);
void fold_lock_waited    (Fold *self, const Event *event);
void fold_lock_acquired  (Fold *self, const Event *event);
void fold_lock_released  (Fold *self, const Event *event);
void fold_lock_read_acquired (Fold *self, const Event *event);
void fold_lock_read_released (Fold *self, const Event *event);
void fold_snapshot_began (Fold *self, const Event *event);
void fold_snapshot_ended (Fold *self, const Event *event);
void fold_range_began    (Fold *self, const Event *event);
void fold_range_walked   (Fold *self, const Event *event);
void fold_range_ended    (Fold *self, const Event *event);
void fold_range_yielded  (Fold *self, const Event *event);
void fold_snapshot_gave  (Fold *self, const Event *event);
void fold_misuse_detected (Fold *self, const Event *event);
/* For fold-table.c: a shard was cleared. */
void fold_count_clear    (Fold *self, const Event *event);

G_END_DECLS
