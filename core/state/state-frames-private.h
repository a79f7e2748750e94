/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-frames-private.h — the fields of a state as they stand in a head
 *
 * Writer and reader go through the same lists, so neither can know a field that
 * the other does not.
 */
#pragma once

#include "core/state/fold-private.h"
#include "core/state/state-frames.h"
#include "core/state/state-pack.h"

G_BEGIN_DECLS

typedef struct {
  guint16 offset;
  guint8  size; /* 1, 2, 4 or 8 */
  guint8  n;    /* how many of them, one after another */
} Field;

#define ONE(type, field) { offsetof (type, field), sizeof (((type *)0)->field), 1 }
#define MANY(type, field)                                                    \
  { offsetof (type, field), sizeof (((type *)0)->field[0]),                  \
    G_N_ELEMENTS (((type *)0)->field) }

static const Field state_fields[] = {
#define S(field) ONE (MapState, field)
  S (phase), S (n_events), S (at_ns), S (misses), S (has_read_and_dirty),
  S (is_amended), S (n_live), S (n_nil), S (n_expunged), S (epoch),
  S (has_versions), S (clock), S (n_in_chains),
};
static const Field counter_fields[] = {
#define C(field) ONE (StateCounters, field)
  MANY (StateCounters, n_ops), MANY (StateCounters, n_ok), C (n_in_read),
  C (n_misses), C (n_promotions), C (n_copies), C (n_copied), C (n_expunged),
  C (n_growths), C (n_same_size), C (n_evacuated), C (n_lock_waits),
  C (n_ranges), C (n_cleared), C (n_misuses), C (n_dropped),
  C (n_snapshots),
  C (n_cas_retries), C (lock_wait_ns), C (lock_hold_ns), C (promotion_ns),
  C (copy_ns), C (last_promotion_ns), C (last_copy_ns),
  MANY (StateCounters, lock_waits.counts),
  MANY (StateCounters, lock_holds.counts),
};
static const Field misuse_fields[] = {
#define U(field) ONE (StateMisuse, field)
  U (at), U (at_ns), U (thread), U (kind), U (place), U (op), U (key),
  U (writer),
};
static const Field table_fields[] = {
#define T(field) ONE (StateTable, field)
  T (id), T (created_ver), T (created_at), T (superseded_at), T (promotion),
  T (role), T (flags_table), T (flags), T (B), T (count), T (noverflow),
  T (nevacuate), T (hash0), T (hash_kind), T (domain), T (shard),
  T (n_evacuated),
};
static const Field lock_fields[] = {
#define L(field) ONE (StateLock, field)
  L (id), L (owner), L (since_ns), L (last_hold_ns), L (n_acquired),
  L (n_waited), L (waiters), L (readers), L (n_readers), L (n_read_acquired),
  L (read_waiters), L (claimed_by), L (n_queue), MANY (StateLock, queue),
};
static const Field thread_fields[] = {
#define H(field) ONE (ThreadRecord, field)
  H (shown.thread), H (shown.role), H (shown.is_running), H (shown.in_op),
  H (shown.op), H (shown.key), H (shown.value), H (shown.path),
  H (shown.op_began_ns), H (shown.op_ended_ns), H (shown.waits_for),
  H (shown.n_ops), H (wait_began_ns), H (last_lock), H (is_clear_counted),
};
static const Field iter_fields[] = {
#define I(field) ONE (IterRecord, shown.field)
  I (id), I (thread), I (table), I (table_created_ver), I (began_at),
  I (began_ns), I (ended_ns), I (is_open), I (was_stopped), I (start_bucket),
  I (offset), I (n_keys), I (n_seen), I (n_skipped_nil),
  I (n_skipped_expunged), I (last_bucket), I (last_seen), I (n_yielded),
  I (yielded_key), I (yielded_value),
};
static const Field free_fields[] = {
  ONE (EarlyFree, id), ONE (EarlyFree, created_ver),
};
static const Field snapshot_fields[] = {
#define N(field) ONE (StateSnapshot, field)
  N (id), N (thread), N (version), N (n_keys), N (n_given), N (given_key),
  N (given_value), N (began_at), N (began_ns),
};

/* The arrays of records in a head, in their order. */
enum { TABLES, LOCKS, THREADS, ITERS, FREES, SNAPSHOTS, RUNS, N_COUNTS };

typedef struct {
  guint16 kind; /* PackKind */
  guint16 owner; /* place of the table or iteration */
  guint32 first;
  guint32 n;
  guint32 frame;
} Run;
/* Runs stand in the order of this, those of one vector together. */
static inline guint64
state_frames_rank (PackKind kind,
                   guint    owner) {
  guint64 group = 0;

  switch (kind) {
  case PACK_BUCKETS:
  case PACK_OLD_BUCKETS: break;
  case PACK_ENTRIES: group = 1; break;
  case PACK_VERSIONS: group = 2; break;
  case PACK_MARKS:
  case PACK_OLD_MARKS: group = 3; break;
  case PACK_N_KINDS: break;
  }
  return group << 32 | (guint64)owner << 16 | kind;
}

/* The vector of a run, and what bounds its records; NULL: there is none. */
ChunkVec *state_frames_find_vec   (MapState       *state,
                                   PackKind        kind,
                                   guint           owner,
                                   PackLimits     *limits);
/* Appends a head without runs, what precedes the fields left out. */
void      state_frames_write_head (GByteArray     *head,
                                   const MapState *state);

static const Field run_fields[] = {
  ONE (Run, kind), ONE (Run, owner), ONE (Run, first), ONE (Run, n),
  ONE (Run, frame),
};

G_END_DECLS
