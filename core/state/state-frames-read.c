/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-frames-read.c — bytes back into a map state
 *
 * Format and what is trusted are told in state-frames.c. The head is read whole
 * and held against the fold's bounds; then all chunks are made, and the frames
 * fill them, two threads at a time where another is free.
 */
#include "core/state/state-frames-private.h"

#include "core/state/helper.h"
#include "core/state/state-delta.h"

#include <string.h>

/* What a state may take for so many bytes: twenty times, from the least width of
 * columns, and leaves that are not full. */
#define TIMES_BYTES 32u
#define MORE_BYTES (64u << 10)

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

ChunkVec *
state_frames_find_vec (MapState   *state,
                       PackKind    kind,
                       guint       owner,
                       PackLimits *limits) {
  StateArray *array = NULL;

  *limits = (PackLimits){ 0, G_MAXUINT32 };
  switch (kind) {
  case PACK_BUCKETS:
  case PACK_OLD_BUCKETS:
    if (owner < state->n_tables)
      array = (StateArray *)(kind == PACK_BUCKETS
                                 ? state->tables[owner].buckets
                                 : state->tables[owner].oldbuckets);
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
    return owner < state->n_iters
               ? &state->iters[owner].marks[kind == PACK_OLD_MARKS]
               : NULL;
  case PACK_N_KINDS: break;
  }
  return NULL;
}

static ChunkVec *
find_vec (MapState   *state,
          const Run  *run,
          PackLimits *limits) {
  return state_frames_find_vec (state, (PackKind)run->kind, run->owner, limits);
}

static guint64
run_rank (const Run *run) {
  return state_frames_rank ((PackKind)run->kind, run->owner);
}

/* Whether the runs are in bounds, in their order and that of their frames, those
 * of one vector ascending and apart; then their vectors reach as far. */
static gboolean
check_runs (MapState *state,
            GArray   *runs,
            guint     n_frames) {
  const Run *before = NULL;
  ChunkVec *vec_before = NULL;

  for (guint i = 0; i < runs->len; i++) {
    const Run *run = &g_array_index (runs, Run, i);
    PackLimits limits;
    ChunkVec *vec = run->kind < PACK_N_KINDS ? find_vec (state, run, &limits)
                                             : NULL;

    if (vec == NULL || run->frame >= n_frames
        || (before != NULL
            && (run->frame < before->frame || run_rank (run) < run_rank (before)
                || (vec == vec_before && run->first < before->first + before->n)))
        || run->n == 0 || run->n > state_pack_max_records ((PackKind)run->kind)
        || run->first % (1u << vec->leaf_bits) != 0
        || run->first > limits.n_buckets || run->n > limits.n_buckets - run->first)
      return FALSE;
    chunk_vec_reach (vec, run->first, run->n);
    before = run;
    vec_before = vec;
  }
  return TRUE;
}

/* Makes room for the chunks of all runs. */
static gboolean
reserve_chunks (MapState *state,
                GArray   *runs,
                gsize     most_bytes) {
  ChunkBudget budget = { .limit = MIN (most_bytes, FOLD_MAX_BYTES) };

  for (guint i = 0; i < runs->len; i++) {
    const Run *run = &g_array_index (runs, Run, i);
    PackLimits limits;

    if (!chunk_vec_reserve (find_vec (state, run, &limits), run->first, run->n,
                            &budget))
      return FALSE;
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
  OpenDelta     *delta;    /* NULL: the state itself */
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

/* The end of the last leaf of @run: of its records some may be new. */
static guint64
leaf_end (const ChunkVec *vec,
          const Run      *run) {
  guint64 last = (1u << vec->leaf_bits) - 1;

  return ((guint64)run->first + run->n + last) & ~last;
}

/* Gets what changes the runs from @first on that are in the same frame. */
static gboolean
get_changes (const Restore *restore,
             guint          first,
             DeltaPart     *changes) {
  const Run *run = &g_array_index (restore->runs, Run, first), *last = run;
  const Run *end = &g_array_index (restore->runs, Run, restore->runs->len);
  PackLimits limits;

  while (last + 1 < end && last[1].frame == run->frame)
    last++;
  return open_delta_get (restore->delta, changes, run_rank (run), run->first,
                         run_rank (last),
                         leaf_end (find_vec (restore->state, last, &limits), last));
}

typedef struct {
  DeltaCursor cursor;
  guint       per_leaf;
} LeafChange;

static gboolean
change_leaf (gpointer data,
             guint32  first,
             guint8  *records) {
  LeafChange *change = data;

  return delta_cursor_change (&change->cursor, records, first, change->per_leaf);
}

/* Fills the leaves of @run from @bytes; the bytes used, 0: they are no good. */
static gsize
fill_run (const Restore   *restore,
          const Run       *run,
          const guint8    *bytes,
          gsize            size,
          const DeltaPart *changes) {
  PackLimits limits;
  ChunkVec *vec = find_vec (restore->state, run, &limits);
  LeafChange change;

  chunk_vec_fill (vec, run->first, run->n);
  if (restore->delta != NULL) {
    delta_cursor_begin (&change.cursor, restore->delta, changes, run_rank (run),
                        run->first);
    change.per_leaf = 1u << vec->leaf_bits;
  }
  return state_unpack ((PackKind)run->kind, vec, &limits, run->first, run->n,
                       bytes, size, restore->delta != NULL ? change_leaf : NULL,
                       &change);
}

static gboolean
fill_frame (const Restore *restore,
            guint          frame,
            guint8        *scratch,
            DeltaPart     *changes) {
  guint first = find_first_run (restore, frame);
  gsize size, at = 0;
  const guint8 *bytes = restore->read (restore->data, restore->n_head + frame,
                                       scratch, &size);

  if (bytes == NULL || size > STATE_FRAME_MAX)
    return FALSE;
  if (restore->delta != NULL && first < restore->runs->len
      && !get_changes (restore, first, changes))
    return FALSE;
  for (guint i = first; i < restore->runs->len; i++) {
    const Run *run = &g_array_index (restore->runs, Run, i);
    gsize used;

    if (run->frame != frame)
      break;
    used = fill_run (restore, run, bytes + at, size - at, changes);
    if (used == 0)
      return FALSE;
    at += used;
  }
  /* With a delta the runs of marks are left out. */
  return at == size || restore->delta != NULL;
}

static void
fill_frames_cb (gpointer data) {
  Restore *restore = data;
  g_autofree guint8 *scratch = g_malloc (STATE_FRAME_MAX);
  g_autoptr (GByteArray) more = g_byte_array_new ();
  DeltaPart changes = { .scratch = more };

  for (;;) {
    guint frame = (guint)g_atomic_int_add (&restore->next, 1);

    if (frame >= restore->n_frames || g_atomic_int_get (&restore->is_bad))
      return;
    if (!fill_frame (restore, frame, scratch, &changes))
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

/* Fills all chunks of restore->state; FALSE: the bytes are no good. */
static gboolean
fill_state (Restore *restore,
            gsize    n_bytes,
            gboolean has_help) {
  Helper *helper = NULL;

  if (!check_runs (restore->state, restore->runs, restore->n_frames)
      || !reserve_chunks (restore->state, restore->runs,
                          MORE_BYTES + n_bytes * TIMES_BYTES))
    return FALSE;
  if (has_help && restore->n_frames > 1)
    helper = helper_call (fill_frames_cb, restore);
  fill_frames_cb (restore);
  helper_dismiss (helper);
  return !g_atomic_int_get (&restore->is_bad);
}

/* The head of the delta takes the place of that of the frames, of which only the
 * runs are wanted: all but those of marks. */
static gboolean
take_changed_head (Restore *restore) {
  g_autoptr (GArray) none = g_array_new (FALSE, FALSE, sizeof (Run));
  Reader reader = { 0 };
  gsize size;

  reader.at = open_delta_head (restore->delta, &size);
  reader.end = reader.at + size;
  for (guint i = restore->runs->len;
       i > 0 && g_array_index (restore->runs, Run, i - 1).kind >= PACK_MARKS; i--)
    g_array_set_size (restore->runs, i - 1);
  return take_head (&reader, restore->state, none);
}

static MapState *
restore_changed (StateFrameRead read,
                 gpointer       data,
                 guint          n_frames,
                 gsize          n_bytes,
                 OpenDelta     *delta,
                 gboolean       has_help) {
  g_autoptr (GByteArray) head = read_head (read, data, n_frames);
  g_autoptr (GArray) runs = g_array_new (FALSE, FALSE, sizeof (Run));
  g_autoptr (MapState) base = map_state_new ();
  g_autoptr (MapState) state = NULL;
  Restore restore = { .runs = runs, .read = read, .data = data, .delta = delta };
  Reader reader;

  if (head == NULL)
    return NULL;
  reader = (Reader){ head->data + 12, head->data + head->len, FALSE };
  restore.n_head = (head->len + STATE_FRAME_MAX - 1) / STATE_FRAME_MAX;
  restore.n_frames = n_frames - restore.n_head;
  if (!take_head (&reader, base, runs))
    return NULL;
  state = delta == NULL ? g_steal_pointer (&base) : map_state_new ();
  restore.state = state;
  if ((delta != NULL && !take_changed_head (&restore))
      || !fill_state (&restore, n_bytes, has_help)
      || (delta != NULL && !open_delta_add (delta, state)))
    return NULL;
  return g_steal_pointer (&state);
}

MapState *
map_state_restore_changed (StateFrameRead          read,
                           gpointer                data,
                           guint                   n_frames,
                           gsize                   n_bytes,
                           const StateDeltaSource *delta,
                           gboolean                has_help) {
  g_autoptr (OpenDelta) open = open_delta_new (delta);

  return open != NULL ? restore_changed (read, data, n_frames, n_bytes, open,
                                         has_help)
                      : NULL;
}

MapState *
map_state_restore (StateFrameRead read,
                   gpointer       data,
                   guint          n_frames,
                   gsize          n_bytes,
                   gboolean       has_help,
                   GError       **error) {
  MapState *state = restore_changed (read, data, n_frames, n_bytes, NULL,
                                     has_help);

  if (state == NULL)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                         "the bytes do not make a state of a map");
  return state;
}
