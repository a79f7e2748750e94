/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-frames.c — a map state as bytes, and back
 *
 * Idea        The small parts of a state (headers, locks, threads) go into one
 *             stream, the head. The large ones (buckets, entries, marks) go into
 *             runs of records (state-pack.c) that stand beside each other in
 *             frames. The head lists the runs of each frame, so that a reader
 *             makes all chunks first and can then fill any frame at any time, by
 *             as many threads as there are.
 *
 * Format      All numbers little-endian. First the head, cut into frames of
 *             STATE_FRAME_MAX bytes, the last one shorter:
 *
 *             bytes     what
 *             4         version of this format, 1
 *             4         length of the head
 *             4         number of frames, those of the head included
 *             …         the state's own fields, state_fields below
 *             …         counters, counter_fields; misuse, misuse_fields
 *             7 × 4     numbers of tables, locks, threads, iterations, early frees,
 *                       snapshots, runs
 *             …         those, field by field in the order of their lists below;
 *                       a table is followed by has buckets (4), n_main (4),
 *                       n_buckets (4), and the same of oldbuckets
 *             16 each   runs: kind (2), owner (2), first record (4), number of
 *                       records (4), frame (4); in the order of their frames
 *
 *             Then the frames of the runs: their columns, without gaps.
 *
 * Trust       Counts are bounded by the bytes that are there and by the fold's
 *             own bounds before memory is taken; each field that something else
 *             is found by is in bounds; no record is given twice, none is left
 *             out. What a fold could not have left is refused.
 *             Memory is bounded by the bytes that are there.
 */
#include "core/state/state-frames.h"

#include "core/record/trace-keyframe.h"
#include "core/state/fold-private.h"
#include "core/state/helper.h"
#include "core/state/state-pack.h"

#include <string.h>

/* What a state may take for so many bytes: twenty times, from the least width of
 * columns, and leaves that are not full. */
#define TIMES_BYTES 32u
#define MORE_BYTES (64u << 10)

/* Fields ------------------------------------------------------------------- */

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
static const Field run_fields[] = {
  ONE (Run, kind), ONE (Run, owner), ONE (Run, first), ONE (Run, n),
  ONE (Run, frame),
};

/* Writing ------------------------------------------------------------------ */

static void
put (GByteArray *bytes,
     guint64     value,
     guint       size) {
  guint64 stored = GUINT64_TO_LE (value);

  g_byte_array_append (bytes, (const guint8 *)&stored, size);
}

static guint64
get_native (const guint8 *place,
            guint         size) {
  guint64 value64;
  guint32 value32;
  guint16 value16;

  switch (size) {
  case 1: return *place;
  case 2: memcpy (&value16, place, 2); return value16;
  case 4: memcpy (&value32, place, 4); return value32;
  case 8: memcpy (&value64, place, 8); return value64;
  }
  g_assert_not_reached ();
}

static void
put_fields (GByteArray   *bytes,
            const Field  *fields,
            guint         n_fields,
            gconstpointer record) {
  for (guint i = 0; i < n_fields; i++)
    for (guint k = 0; k < fields[i].n; k++)
      put (bytes, get_native ((const guint8 *)record + fields[i].offset
                              + k * fields[i].size, fields[i].size),
           fields[i].size);
}
#define PUT(bytes, fields, record)                                           \
  put_fields (bytes, fields, G_N_ELEMENTS (fields), record)

static void
put_array (GByteArray       *bytes,
           const StateArray *array) {
  put (bytes, array != NULL, 4);
  put (bytes, array != NULL ? array->n_main : 0, 4);
  put (bytes, array != NULL ? array->n_buckets : 0, 4);
}

/* The state's data, in frames of runs. */
typedef struct {
  GByteArray *bytes; /* of all frames so far */
  GArray     *spans; /* of StateSpan */
  GArray     *runs;
  gsize       begin; /* of the frame under way */
} Writer;

static void
end_frame (Writer *writer) {
  StateSpan span = { writer->begin,
                     (guint32)(writer->bytes->len - writer->begin) };

  if (span.size == 0)
    return;
  g_array_append_val (writer->spans, span);
  writer->begin = writer->bytes->len;
}

static void
write_run (Writer         *writer,
           PackKind        kind,
           guint           owner,
           const ChunkVec *vec,
           guint32         first,
           guint           n) {
  gsize most = state_pack_max_bytes (kind, n), at = writer->bytes->len;
  Run run = { (guint16)kind, (guint16)owner, first, n, 0 };

  if (at - writer->begin + most > STATE_FRAME_MAX)
    end_frame (writer);
  run.frame = writer->spans->len;
  /* A value is written in 8 bytes, whatever its width. */
  g_byte_array_set_size (writer->bytes, (guint)(at + most + 8));
  at += state_pack (kind, vec, first, n, writer->bytes->data + at);
  g_byte_array_set_size (writer->bytes, (guint)at);
  g_array_append_val (writer->runs, run);
}

/* Every leaf of @vec below @length. */
static void
write_vec (Writer         *writer,
           PackKind        kind,
           guint           owner,
           const ChunkVec *vec,
           guint64         length) {
  guint64 per_leaf = G_GUINT64_CONSTANT (1) << vec->leaf_bits;
  guint64 first = chunk_vec_next (vec, 0);

  while (first < length) {
    guint64 most = MIN (length, first + state_pack_max_records (kind));
    guint64 end = first + per_leaf;

    while (end < most && chunk_vec_get (vec, (guint32)end) != NULL)
      end += per_leaf;
    write_run (writer, kind, owner, vec, (guint32)first,
               (guint)(MIN (end, most) - first));
    if (end > G_MAXUINT32)
      return;
    first = chunk_vec_next (vec, (guint32)end);
    if (first == G_MAXUINT32)
      return;
  }
}

static void
write_runs (Writer         *writer,
            const MapState *state) {
  for (guint i = 0; i < state->n_tables; i++) {
    const StateArray *buckets = state->tables[i].buckets;
    const StateArray *old = state->tables[i].oldbuckets;

    if (buckets != NULL)
      write_vec (writer, PACK_BUCKETS, i, &buckets->buckets, buckets->n_buckets);
    if (old != NULL)
      write_vec (writer, PACK_OLD_BUCKETS, i, &old->buckets, old->n_buckets);
  }
  write_vec (writer, PACK_ENTRIES, 0, &state->entries, G_MAXUINT32);
  write_vec (writer, PACK_VERSIONS, 0, &state->versions, G_MAXUINT32);
  for (guint i = 0; i < state->n_iters; i++)
    for (guint half = 0; half < 2; half++)
      write_vec (writer, half == 0 ? PACK_MARKS : PACK_OLD_MARKS, i,
                 &state->iters[i].marks[half], FOLD_MAX_BUCKETS);
  end_frame (writer);
}

static void
write_head (GByteArray     *head,
            const MapState *state,
            const Writer   *writer) {
  PUT (head, state_fields, state);
  PUT (head, counter_fields, &state->counters);
  PUT (head, misuse_fields, &state->misuse);
  put (head, state->n_tables, 4);
  put (head, state->n_locks, 4);
  put (head, state->n_threads, 4);
  put (head, state->n_iters, 4);
  put (head, state->n_frees, 4);
  put (head, state->n_snapshots, 4);
  put (head, writer->runs->len, 4);
  for (guint i = 0; i < state->n_tables; i++) {
    PUT (head, table_fields, &state->tables[i]);
    put_array (head, state->tables[i].buckets);
    put_array (head, state->tables[i].oldbuckets);
  }
  for (guint i = 0; i < state->n_locks; i++)
    PUT (head, lock_fields, &state->locks[i]);
  for (guint i = 0; i < state->n_threads; i++)
    PUT (head, thread_fields, &state->threads[i]);
  for (guint i = 0; i < state->n_iters; i++)
    PUT (head, iter_fields, &state->iters[i]);
  for (guint i = 0; i < state->n_frees; i++)
    PUT (head, free_fields, &state->frees[i]);
  for (guint i = 0; i < state->n_snapshots; i++)
    PUT (head, snapshot_fields, &state->snapshots[i]);
  for (guint i = 0; i < writer->runs->len; i++)
    PUT (head, run_fields, &g_array_index (writer->runs, Run, i));
}

void
state_frames_init (StateFrames *self) {
  self->bytes = g_byte_array_new ();
  self->spans = g_array_new (FALSE, FALSE, sizeof (StateSpan));
}

void
state_frames_clear (StateFrames *self) {
  g_clear_pointer (&self->bytes, g_byte_array_unref);
  g_clear_pointer (&self->spans, g_array_unref);
}

/* The head lists the runs, so it is written after them; it is told first. */
void
state_frames_write (StateFrames    *self,
                    const MapState *state) {
  Writer writer = { self->bytes, g_array_new (FALSE, FALSE, sizeof (StateSpan)),
                    g_array_new (FALSE, FALSE, sizeof (Run)), 0 };
  guint32 words[3];
  guint n_head;
  gsize begin, length;

  g_byte_array_set_size (self->bytes, 0);
  write_runs (&writer, state);
  begin = self->bytes->len;
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    put (self->bytes, 0, 4);
  write_head (self->bytes, state, &writer);
  length = self->bytes->len - begin;
  n_head = (guint)((length + STATE_FRAME_MAX - 1) / STATE_FRAME_MAX);
  words[0] = GUINT32_TO_LE (STATE_FRAMES_VERSION);
  words[1] = GUINT32_TO_LE ((guint32)length);
  words[2] = GUINT32_TO_LE (n_head + writer.spans->len);
  memcpy (self->bytes->data + begin, words, sizeof words);

  g_array_set_size (self->spans, 0);
  for (guint i = 0; i < n_head; i++) {
    gsize at = (gsize)i * STATE_FRAME_MAX;
    StateSpan span = { begin + at,
                       (guint32)MIN (length - at, STATE_FRAME_MAX) };

    g_array_append_val (self->spans, span);
  }
  g_array_append_vals (self->spans, writer.spans->data, writer.spans->len);
  g_array_unref (writer.spans);
  g_array_unref (writer.runs);
}

/* Reading ------------------------------------------------------------------ */

typedef struct {
  const guint8 *at;
  const guint8 *end;
  gboolean      is_short; /* more was wanted than there is */
} Reader;

static guint64
take (Reader *reader,
      guint   size) {
  guint64 value = 0;

  if ((gsize)(reader->end - reader->at) < size) {
    reader->is_short = TRUE;
    reader->at = reader->end;
    return 0;
  }
  memcpy (&value, reader->at, size);
  reader->at += size;
  return GUINT64_FROM_LE (value);
}

static void
put_native (guint8 *place,
            guint   size,
            guint64 value) {
  guint32 value32 = (guint32)value;
  guint16 value16 = (guint16)value;

  if (size == 8)
    memcpy (place, &value, 8);
  else if (size == 4)
    memcpy (place, &value32, 4);
  else if (size == 2)
    memcpy (place, &value16, 2);
  else
    *place = (guint8)value;
}

static void
take_fields (Reader      *reader,
             const Field *fields,
             guint        n_fields,
             gpointer     record) {
  for (guint i = 0; i < n_fields; i++)
    for (guint k = 0; k < fields[i].n; k++)
      put_native ((guint8 *)record + fields[i].offset + k * fields[i].size,
                  fields[i].size, take (reader, fields[i].size));
}
#define TAKE(reader, fields, record)                                         \
  take_fields (reader, fields, G_N_ELEMENTS (fields), record)

static gsize
fields_bytes (const Field *fields,
              guint        n_fields) {
  gsize bytes = 0;

  for (guint i = 0; i < n_fields; i++)
    bytes += (gsize)fields[i].size * fields[i].n;
  return bytes;
}
#define FIELDS_BYTES(fields) fields_bytes (fields, G_N_ELEMENTS (fields))

static gboolean
is_bool (gboolean value) {
  return value == FALSE || value == TRUE;
}

static gboolean
is_thread (int value) {
  return value >= -1 && value <= G_MAXUINT16;
}

static gboolean
state_fits (const MapState *state) {
  const StateMisuse *misuse = &state->misuse;

  return state->phase >= -1 && state->at_ns >= 0
         && is_bool (state->has_read_and_dirty) && is_bool (state->is_amended)
         && is_bool (state->has_versions)
         && misuse->kind <= MISUSE_ITERATION_AND_WRITE
         && misuse->place <= MISUSE_AT_STEP && misuse->op < OP_N_KINDS
         && is_thread (misuse->writer);
}

static gboolean
lock_fits (const StateLock *lock) {
  return lock->id < FOLD_MAX_LOCKS && is_thread (lock->owner)
         && is_thread (lock->claimed_by) && lock->n_queue <= STATE_LOCK_QUEUE;
}

static gboolean
thread_fits (const ThreadRecord *threads,
             guint               i) {
  const StateThread *thread = &threads[i].shown;

  return (thread->thread < FOLD_MAX_THREADS
          || thread->thread == EVENT_THREAD_MAIN)
         && (i == 0 || threads[i - 1].shown.thread < thread->thread)
         && is_bool (thread->is_running) && is_bool (thread->in_op)
         && thread->op < OP_N_KINDS && thread->waits_for >= -1
         && thread->waits_for < (int)FOLD_MAX_LOCKS
         && is_bool (threads[i].is_clear_counted);
}

/* A table's array; FALSE: there can be none like that. */
static gboolean
take_array (Reader            *reader,
            const StateTable  *table,
            gboolean           is_old,
            const StateArray **array) {
  guint64 has = take (reader, 4);
  guint32 n_main = (guint32)take (reader, 4);
  guint32 n_buckets = (guint32)take (reader, 4);
  StateArray *made;

  if (has == 0)
    return n_main == 0 && n_buckets == 0;
  if (has != 1 || n_buckets < n_main || n_buckets > FOLD_MAX_BUCKETS
      || (n_main != 1u << table->B
          && (!is_old || table->B == 0 || n_main != 1u << (table->B - 1))))
    return FALSE;
  made = state_array_new (n_main);
  made->n_buckets = n_buckets;
  *array = made;
  return TRUE;
}

static gboolean
take_table (Reader     *reader,
            StateTable *table) {
  TAKE (reader, table_fields, table);
  if (table->B > FOLD_MAX_B || table->role > TABLE_ROLE_SHARD
      || table->shard >= FOLD_MAX_LOCKS)
    return FALSE;
  return take_array (reader, table, FALSE, &table->buckets)
         && take_array (reader, table, TRUE, &table->oldbuckets)
         && (table->oldbuckets == NULL
             || (table->buckets != NULL
                 && table->n_evacuated <= table->oldbuckets->n_main));
}

static gboolean
take_iter (Reader     *reader,
           IterRecord *iter) {
  TAKE (reader, iter_fields, iter);
  chunk_vec_init (&iter->marks[0], sizeof (IterMarks), MARKS_LEAF_BITS);
  chunk_vec_init (&iter->marks[1], sizeof (IterMarks), MARKS_LEAF_BITS);
  return is_bool (iter->shown.is_open) && is_bool (iter->shown.was_stopped);
}

static gboolean
snapshot_fits (const StateSnapshot *snapshot) {
  return snapshot->began_ns >= 0;
}

/* Counts that the rest of the head has bytes for. */
static gboolean
take_counts (Reader  *reader,
             guint32 *counts) {
  const guint32 bounds[N_COUNTS] = {
    [TABLES] = FOLD_MAX_TABLES,
    [LOCKS] = FOLD_MAX_LOCKS,
    [THREADS] = FOLD_MAX_THREADS + 1,
    [ITERS] = (FOLD_MAX_THREADS + 1) * (FOLD_MAX_OPEN_ITERS + 1),
    [FREES] = FOLD_MAX_FREES,
    [SNAPSHOTS] = FOLD_MAX_SNAPSHOTS,
    [RUNS] = G_MAXUINT32,
  };
  const gsize bytes[N_COUNTS] = {
    [TABLES] = FIELDS_BYTES (table_fields) + 24,
    [LOCKS] = FIELDS_BYTES (lock_fields),
    [THREADS] = FIELDS_BYTES (thread_fields),
    [ITERS] = FIELDS_BYTES (iter_fields),
    [FREES] = FIELDS_BYTES (free_fields),
    [SNAPSHOTS] = FIELDS_BYTES (snapshot_fields),
    [RUNS] = FIELDS_BYTES (run_fields),
  };
  gsize wanted = 0;

  for (guint i = 0; i < N_COUNTS; i++) {
    counts[i] = (guint32)take (reader, 4);
    if (counts[i] > bounds[i])
      return FALSE;
    wanted += counts[i] * bytes[i];
  }
  return wanted == (gsize)(reader->end - reader->at);
}

#define MAKE_ROOM(state, name, count)                                        \
  (state->name = g_malloc0_n (MAX (count, 1), sizeof *state->name),          \
   state->name##_room = MAX (count, 1))

/* The head's fields and records to @state; runs to @runs. */
static gboolean
take_head (Reader   *reader,
           MapState *state,
           GArray   *runs) {
  guint32 counts[N_COUNTS];
  gboolean fits;

  TAKE (reader, state_fields, state);
  TAKE (reader, counter_fields, &state->counters);
  TAKE (reader, misuse_fields, &state->misuse);
  if (!take_counts (reader, counts) || reader->is_short || !state_fits (state))
    return FALSE;
  MAKE_ROOM (state, tables, counts[TABLES]);
  MAKE_ROOM (state, locks, counts[LOCKS]);
  MAKE_ROOM (state, threads, counts[THREADS]);
  MAKE_ROOM (state, iters, counts[ITERS]);
  MAKE_ROOM (state, frees, counts[FREES]);
  MAKE_ROOM (state, snapshots, counts[SNAPSHOTS]);
  fits = TRUE;
  for (; fits && state->n_tables < counts[TABLES]; state->n_tables++)
    fits = take_table (reader, &state->tables[state->n_tables]);
  for (; fits && state->n_locks < counts[LOCKS]; state->n_locks++) {
    TAKE (reader, lock_fields, &state->locks[state->n_locks]);
    fits = lock_fits (&state->locks[state->n_locks]);
  }
  for (; fits && state->n_threads < counts[THREADS]; state->n_threads++) {
    TAKE (reader, thread_fields, &state->threads[state->n_threads]);
    fits = thread_fits (state->threads, state->n_threads);
  }
  for (; fits && state->n_iters < counts[ITERS]; state->n_iters++)
    fits = take_iter (reader, &state->iters[state->n_iters]);
  for (; fits && state->n_frees < counts[FREES]; state->n_frees++)
    TAKE (reader, free_fields, &state->frees[state->n_frees]);
  for (; fits && state->n_snapshots < counts[SNAPSHOTS]; state->n_snapshots++) {
    TAKE (reader, snapshot_fields, &state->snapshots[state->n_snapshots]);
    fits = snapshot_fits (&state->snapshots[state->n_snapshots]);
  }
  for (guint i = 0; fits && i < counts[RUNS]; i++) {
    Run run;

    TAKE (reader, run_fields, &run);
    g_array_append_val (runs, run);
  }
  return fits && !reader->is_short && reader->at == reader->end;
}

/* The vector of a run, and what bounds its records; NULL: there is none. */
static ChunkVec *
find_vec (MapState   *state,
          const Run  *run,
          PackLimits *limits) {
  StateArray *array = NULL;

  *limits = (PackLimits){ 0, G_MAXUINT32 };
  switch ((PackKind)run->kind) {
  case PACK_BUCKETS:
  case PACK_OLD_BUCKETS:
    if (run->owner < state->n_tables)
      array = (StateArray *)(run->kind == PACK_BUCKETS
                                 ? state->tables[run->owner].buckets
                                 : state->tables[run->owner].oldbuckets);
    if (array == NULL)
      return NULL;
    *limits = (PackLimits){ array->n_main, array->n_buckets };
    return &array->buckets;
  case PACK_ENTRIES: return &state->entries;
  case PACK_VERSIONS:
    limits->n_buckets = FOLD_MAX_VERSIONS;
    return &state->versions;
  case PACK_MARKS:
  case PACK_OLD_MARKS:
    limits->n_buckets = FOLD_MAX_BUCKETS;
    return run->owner < state->n_iters
               ? &state->iters[run->owner].marks[run->kind == PACK_OLD_MARKS]
               : NULL;
  case PACK_N_KINDS: break;
  }
  return NULL;
}

/* Makes the chunks of all runs. */
static gboolean
make_chunks (MapState *state,
             GArray   *runs,
             guint     n_frames,
             gsize     most_bytes) {
  ChunkBudget budget = { .limit = MIN (most_bytes, FOLD_MAX_BYTES) };
  guint32 frame = 0;

  for (guint i = 0; i < runs->len; i++) {
    const Run *run = &g_array_index (runs, Run, i);
    PackLimits limits;
    ChunkVec *vec = run->kind < PACK_N_KINDS ? find_vec (state, run, &limits)
                                             : NULL;

    if (vec == NULL || run->frame < frame || run->frame >= n_frames
        || run->n == 0 || run->n > state_pack_max_records ((PackKind)run->kind)
        || run->first % (1u << vec->leaf_bits) != 0
        || run->first > limits.n_buckets || run->n > limits.n_buckets - run->first
        || !chunk_vec_fill (vec, run->first, run->n, &budget))
      return FALSE;
    frame = run->frame;
  }
  return TRUE;
}

/* A restore under way, by one or two threads. */
typedef struct {
  MapState      *state;
  GArray        *runs;
  guint          n_head;   /* frames of the head */
  guint          n_frames; /* those behind it */
  StateFrameRead read;
  gpointer       data;
  gint           next;     /* frame that nobody has taken; atomic */
  gint           is_bad;   /* atomic */
} Restore;

static guint
find_first_run (const Restore *restore,
                guint          frame) {
  guint low = 0, high = restore->runs->len;

  while (low < high) {
    guint middle = (low + high) / 2;

    if (g_array_index (restore->runs, Run, middle).frame < frame)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static gboolean
fill_frame (const Restore *restore,
            guint          frame,
            guint8        *scratch) {
  gsize size, at = 0;
  const guint8 *bytes = restore->read (restore->data, restore->n_head + frame,
                                       scratch, &size);

  if (bytes == NULL || size > STATE_FRAME_MAX)
    return FALSE;
  for (guint i = find_first_run (restore, frame); i < restore->runs->len; i++) {
    const Run *run = &g_array_index (restore->runs, Run, i);
    PackLimits limits;
    ChunkVec *vec;
    gsize used;

    if (run->frame != frame)
      break;
    vec = find_vec (restore->state, run, &limits);
    used = state_unpack ((PackKind)run->kind, vec, &limits, run->first, run->n,
                         bytes + at, size - at);
    if (used == 0)
      return FALSE;
    at += used;
  }
  return at == size;
}

static void
fill_frames_cb (gpointer data) {
  Restore *restore = data;
  g_autofree guint8 *scratch = g_malloc (STATE_FRAME_MAX);

  for (;;) {
    guint frame = (guint)g_atomic_int_add (&restore->next, 1);

    if (frame >= restore->n_frames || g_atomic_int_get (&restore->is_bad))
      return;
    if (!fill_frame (restore, frame, scratch))
      g_atomic_int_set (&restore->is_bad, TRUE);
  }
}

/* The whole head, cut from its frames; NULL: there is none. */
static GByteArray *
read_head (StateFrameRead read,
           gpointer       data,
           guint          n_frames) {
  g_autofree guint8 *scratch = g_malloc (STATE_FRAME_MAX);
  GByteArray *head = g_byte_array_new ();
  guint32 words[3] = { 0 };
  guint i = 0;

  do {
    gsize size;
    const guint8 *bytes = i < n_frames ? read (data, i, scratch, &size) : NULL;

    if (bytes == NULL || size > STATE_FRAME_MAX)
      break;
    g_byte_array_append (head, bytes, (guint)size);
    if (head->len >= sizeof words)
      memcpy (words, head->data, sizeof words);
    i++;
  } while (head->len == i * STATE_FRAME_MAX
           && head->len < GUINT32_FROM_LE (words[1]));
  if (head->len >= sizeof words && GUINT32_FROM_LE (words[0]) == STATE_FRAMES_VERSION
      && GUINT32_FROM_LE (words[1]) == head->len
      && GUINT32_FROM_LE (words[2]) == n_frames)
    return head;
  g_byte_array_unref (head);
  return NULL;
}

MapState *
map_state_restore (StateFrameRead read,
                   gpointer       data,
                   guint          n_frames,
                   gsize          n_bytes,
                   gboolean       has_help,
                   GError       **error) {
  g_autoptr (GByteArray) head = read_head (read, data, n_frames);
  g_autoptr (GArray) runs = g_array_new (FALSE, FALSE, sizeof (Run));
  g_autoptr (MapState) state = map_state_new ();
  Restore restore = { state, runs, 0, 0, read, data, 0, FALSE };
  gboolean fits = FALSE;

  if (head != NULL) {
    Reader reader = { head->data + 12, head->data + head->len, FALSE };

    restore.n_head = (head->len + STATE_FRAME_MAX - 1) / STATE_FRAME_MAX;
    restore.n_frames = n_frames - restore.n_head;
    fits = take_head (&reader, state, runs)
           && make_chunks (state, runs, restore.n_frames,
                           MORE_BYTES + n_bytes * TIMES_BYTES);
  }
  if (fits) {
    Helper *helper = has_help && restore.n_frames > 1
                         ? helper_call (fill_frames_cb, &restore) : NULL;

    fill_frames_cb (&restore);
    helper_dismiss (helper);
    fits = !g_atomic_int_get (&restore.is_bad);
  }
  if (!fits) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                         "the bytes do not make a state of a map");
    return NULL;
  }
  return g_steal_pointer (&state);
}

/* With GBytes -------------------------------------------------------------- */

GPtrArray *
map_state_serialise (const MapState *state) {
  GPtrArray *frames
      = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_autoptr (GBytes) all = NULL;
  StateFrames written;

  state_frames_init (&written);
  state_frames_write (&written, state);
  all = g_byte_array_free_to_bytes (g_steal_pointer (&written.bytes));
  for (guint i = 0; i < written.spans->len; i++) {
    const StateSpan *span = &g_array_index (written.spans, StateSpan, i);

    g_ptr_array_add (frames, g_bytes_new_from_bytes (all, span->at, span->size));
  }
  state_frames_clear (&written);
  return frames;
}

static const guint8 *
read_bytes (gpointer data,
            guint    index,
            guint8  *scratch,
            gsize   *size) {
  const GPtrArray *frames = data;

  return g_bytes_get_data (frames->pdata[index], size);
}

MapState *
map_state_deserialise (GPtrArray *frames,
                       GError   **error) {
  MapState *state;
  gsize n_bytes = 0;

  for (guint i = 0; i < frames->len; i++)
    n_bytes += g_bytes_get_size (frames->pdata[i]);
  state = map_state_restore (read_bytes, frames, frames->len, n_bytes, TRUE,
                             error);
  if (state != NULL)
    map_state_disown (state);
  return state;
}

gboolean
map_state_keep (const MapState *state,
                TraceLog       *log) {
  g_autoptr (GPtrArray) frames = map_state_serialise (state);
  TraceKeyframe facts = { .position = state->n_events,
                          .at_ns = state->at_ns,
                          .version = STATE_FRAMES_VERSION };

  return tracelog_put_keyframe (log, &facts, frames);
}
