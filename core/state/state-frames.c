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
 *             4         version of this format, 2
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
 *             Writing is here, reading in state-frames-read.c. FORMAT-states.md
 *             tells it, field by field, to who has not this program; the test
 *             read-recording reads with what it says.
 *
 * Trust       Counts are bounded by the bytes that are there and by the fold's
 *             own bounds before memory is taken; each field that something else
 *             is found by is in bounds; no record is given twice, none is left
 *             out. What a fold could not have left is refused.
 *             Memory is bounded by the bytes that are there.
 */
#include "core/state/state-frames-private.h"

#include "core/record/trace-keyframe.h"

#include <string.h>
#include <sys/mman.h>

/* What small states need: a free choice. */
#define LEAST_ROOM ((gsize)64 << 10)

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

/* From malloc() it would be had by doubling, and an arena would keep each half: three
 * times what the frames take, which are 12 MB of a map of a million slots. */
static guint8 *
map_memory (gsize size) {
  gpointer memory = mmap (NULL, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  if (memory == MAP_FAILED)
    g_error ("no memory for the frames of a state");
  return memory;
}

/* So that there is room for @room bytes; what is written stays. */
static void
make_room (StateFrames *self,
           gsize        room) {
  guint8 *former = self->bytes;

  if (room <= self->room)
    return;
  self->bytes = map_memory (room);
  if (self->n_bytes > 0)
    memcpy (self->bytes, former, self->n_bytes);
  if (former != NULL)
    munmap (former, self->room);
  self->room = room;
}

/* Room for @n bytes more. */
static guint8 *
make_place (StateFrames *self,
            gsize        n) {
  if (self->room - self->n_bytes < n)
    make_room (self, MAX (self->n_bytes + n, 2 * self->room));
  return self->bytes + self->n_bytes;
}

/* The state's data, in frames of runs. */
typedef struct {
  StateFrames *frames; /* all so far */
  GArray *spans; /* of StateSpan */
  GArray *runs;
  gsize   begin; /* of the frame under way */
} Writer;

static void
end_frame (Writer *writer) {
  StateSpan span = { writer->begin,
                     (guint32)(writer->frames->n_bytes - writer->begin) };

  if (span.size == 0)
    return;
  g_array_append_val (writer->spans, span);
  writer->begin = writer->frames->n_bytes;
}

static void
write_run (Writer         *writer,
           PackKind        kind,
           guint           owner,
           const ChunkVec *vec,
           guint32         first,
           guint           n) {
  gsize most = state_pack_max_bytes (kind, n);
  Run run = { (guint16)kind, (guint16)owner, first, n, 0 };

  if (writer->frames->n_bytes - writer->begin + most > STATE_FRAME_MAX)
    end_frame (writer);
  run.frame = writer->spans->len;
  /* A value is written in 8 bytes, whatever its width. */
  writer->frames->n_bytes
      += state_pack (kind, vec, first, n, make_place (writer->frames, most + 8));
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
state_frames_write_head (GByteArray     *head,
                         const MapState *state) {
  g_autoptr (GArray) runs = g_array_new (FALSE, FALSE, sizeof (Run));
  Writer none = { .runs = runs };

  write_head (head, state, &none);
}

void
state_frames_init (StateFrames *self) {
  *self = (StateFrames){
    .spans = g_array_new (FALSE, FALSE, sizeof (StateSpan)),
  };
}

void
state_frames_clear (StateFrames *self) {
  if (self->bytes != NULL)
    munmap (self->bytes, self->room);
  g_clear_pointer (&self->spans, g_array_unref);
  *self = (StateFrames){ 0 };
}

/* The head lists the runs, so it is written after them; it is told first. */
void
state_frames_write (StateFrames    *self,
                    const MapState *state) {
  Writer writer = { self, g_array_new (FALSE, FALSE, sizeof (StateSpan)),
                    g_array_new (FALSE, FALSE, sizeof (Run)), 0 };
  g_autoptr (GByteArray) head = g_byte_array_new ();
  guint32 words[3] = { 0 };
  guint n_head;
  gsize begin, length;

  self->n_bytes = 0;
  make_room (self, MAX (LEAST_ROOM, map_state_bytes (state)));
  write_runs (&writer, state);
  begin = self->n_bytes;
  g_byte_array_append (head, (const guint8 *)words, sizeof words);
  write_head (head, state, &writer);
  length = head->len;
  n_head = (guint)((length + STATE_FRAME_MAX - 1) / STATE_FRAME_MAX);
  words[0] = GUINT32_TO_LE (STATE_FRAMES_VERSION);
  words[1] = GUINT32_TO_LE ((guint32)length);
  words[2] = GUINT32_TO_LE (n_head + writer.spans->len);
  memcpy (head->data, words, sizeof words);
  memcpy (make_place (self, length), head->data, length);
  self->n_bytes += length;

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

/* With GBytes -------------------------------------------------------------- */

static void
unmap_cb (gpointer data) {
  StateFrames *frames = data;

  munmap (frames->bytes, frames->room);
  g_free (frames);
}

GPtrArray *
map_state_serialise (const MapState *state) {
  GPtrArray *frames
      = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_autoptr (GBytes) all = NULL;
  StateFrames written;

  state_frames_init (&written);
  state_frames_write (&written, state);
  all = g_bytes_new_with_free_func (written.bytes, written.n_bytes, unmap_cb,
                                    g_memdup2 (&written, sizeof written));
  written.bytes = NULL;
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
