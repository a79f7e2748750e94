/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-keyframe.c — full states that stand beside the events, as bytes
 *
 * A keyframe is kept as the payload that a file holds (FORMAT.md): a head of 16
 * bytes, a table, then the frames, LZ4 where that is smaller. One in a file
 * stays there; of it only head and table are read to give a frame. One that was
 * written to the file of a run is let go, or memory would grow with the run.
 *
 * Saving packs frames anew, with zstd. Measured of a map of a million slots: a sixth
 * smaller, and 7 ms of processor time to read a state in place of 3.7, of a seek that
 * takes 30 in a recording that was just opened and none later on. Planes of their
 * columns would take another twentieth off: not worth a codec.
 *
 * Safety      Counts and sizes are held against their bounds and the chunk's
 *             size before memory is taken; each frame against its own CRC.
 */
#include "core/record/trace-keyframe-private.h"

#include "core/record/crc32c.h"
#include "core/record/tracelog-private.h"
#include "core/record/trace-zstd-private.h"

#include <lz4.h>
#include <string.h>

#define HEAD_SIZE 16u
#define ROW_SIZE 16u
/* Free choice: zstd is unpacked in thrice the time of LZ4, so that it must save more
 * than this part of a frame. */
#define LEAST_SAVED 16u

/* One row of the table, and where its frame begins in the payload. */
typedef struct {
  guint32 stored_size;
  guint32 raw_size;
  guint32 crc;
  guint32 codec;
  guint64 offset;
} FrameRow;

static void
parse_row (FrameRow     *row,
           const guint8 *bytes,
           guint64       offset) {
  *row = (FrameRow){
    .stored_size = (guint32)bytes_get (bytes, 4),
    .raw_size = (guint32)bytes_get (bytes + 4, 4),
    .crc = (guint32)bytes_get (bytes + 8, 4),
    .codec = (guint32)bytes_get (bytes + 12, 4),
    .offset = offset,
  };
}

static void
write_row (guint8         *bytes,
           const FrameRow *row) {
  bytes_put (bytes, 4, row->stored_size);
  bytes_put (bytes + 4, 4, row->raw_size);
  bytes_put (bytes + 8, 4, row->crc);
  bytes_put (bytes + 12, 4, row->codec);
}

/* Making ------------------------------------------------------------------- */

/* Appends @frame, packed where that is smaller, and its row. */
static void
append_frame (GByteArray *table,
              GByteArray *frames,
              GBytes     *frame) {
  gsize raw_size;
  const char *raw = g_bytes_get_data (frame, &raw_size);
  g_autofree char *packed = g_malloc (raw_size);
  int size = LZ4_compress_default (raw, packed, (int)raw_size,
                                   (int)raw_size - 1);
  const char *stored = size > 0 ? packed : raw;
  FrameRow row = { .stored_size = (guint32)(size > 0 ? (gsize)size : raw_size),
                   .raw_size = (guint32)raw_size,
                   .codec = size > 0 ? TRACE_CODEC_LZ4 : TRACE_CODEC_PLAIN };
  guint8 written[ROW_SIZE];

  row.crc = crc32c (0, stored, row.stored_size);
  write_row (written, &row);
  g_byte_array_append (table, written, sizeof written);
  g_byte_array_append (frames, (const guint8 *)stored, row.stored_size);
}

/* (transfer full): the payload. */
static GBytes *
pack (const TraceKeyframe *facts,
      GPtrArray           *frames) {
  g_autoptr (GByteArray) table = g_byte_array_new ();
  g_autoptr (GByteArray) packed = g_byte_array_new ();
  GByteArray *payload = g_byte_array_new ();
  guint8 head[HEAD_SIZE] = { 0 };

  for (guint i = 0; i < frames->len; i++)
    append_frame (table, packed, g_ptr_array_index (frames, i));
  bytes_put (head, 4, frames->len);
  bytes_put (head + 4, 4, facts->version);
  bytes_put (head + 8, 4, crc32c (0, table->data, table->len));
  g_byte_array_append (payload, head, sizeof head);
  g_byte_array_append (payload, table->data, table->len);
  g_byte_array_append (payload, packed->data, packed->len);
  return g_byte_array_free_to_bytes (payload);
}

static gboolean
fits (GPtrArray *frames) {
  if (frames->len == 0 || frames->len > TRACE_KEYFRAME_MAX_FRAMES)
    return FALSE;
  for (guint i = 0; i < frames->len; i++) {
    gsize size = g_bytes_get_size (g_ptr_array_index (frames, i));

    if (size == 0 || size > TRACE_FRAME_MAX)
      return FALSE;
  }
  return TRUE;
}

static KeyframeEntry *
keyframe_at (TraceLog *log,
             guint     i) {
  return &g_array_index (log->keyframes, KeyframeEntry, i);
}

/* The place of the first keyframe behind @position. */
static guint
find_behind_locked (TraceLog *log,
                    guint64   position) {
  guint low = 0, high = log->keyframes->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (keyframe_at (log, middle)->facts.position <= position)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* FALSE: there is one at that position. */
static gboolean
insert (TraceLog            *log,
        const KeyframeEntry *entry) {
  gboolean is_new;
  guint i;

  pthread_mutex_lock (&log->lock);
  i = find_behind_locked (log, entry->facts.position);
  is_new = i == 0
           || keyframe_at (log, i - 1)->facts.position < entry->facts.position;
  if (is_new)
    g_array_insert_val (log->keyframes, i, *entry);
  pthread_mutex_unlock (&log->lock);
  return is_new;
}

gboolean
tracelog_put_keyframe (TraceLog            *log,
                       const TraceKeyframe *facts,
                       GPtrArray           *frames) {
  KeyframeEntry entry = { .facts = *facts };

  if (!fits (frames))
    return FALSE;
  entry.facts.n_frames = frames->len;
  entry.payload = pack (facts, frames);
  if (insert (log, &entry))
    return TRUE;
  g_bytes_unref (entry.payload);
  return FALSE;
}

/* A log that is not finished may have a thread that counts them (tracelog-sink.c). */
void
tracelog_drop_keyframes (TraceLog *log) {
  g_autoptr (GPtrArray) payloads
      = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  guint n_kept = 0;

  if (!tracelog_is_finished (log))
    return;
  pthread_mutex_lock (&log->lock);
  for (guint i = 0; i < log->keyframes->len; i++) {
    KeyframeEntry *entry = keyframe_at (log, i);

    if (entry->payload != NULL)
      g_ptr_array_add (payloads, entry->payload);
    else
      *keyframe_at (log, n_kept++) = *entry;
  }
  g_array_set_size (log->keyframes, n_kept);
  pthread_mutex_unlock (&log->lock);
}

/* Reading ------------------------------------------------------------------ */

/* @size bytes at @at of the payload. */
static gboolean
read_part (TraceLog            *log,
           const KeyframeEntry *entry,
           guint64              at,
           gpointer             bytes,
           gsize                size) {
  const char *failure;

  if (entry->payload == NULL)
    return trace_store_read (log->store,
                             entry->offset + CHUNK_HEADER_SIZE + at, bytes,
                             size, &failure)
           == size;
  if (at + size > g_bytes_get_size (entry->payload))
    return FALSE;
  memcpy (bytes,
          (const guint8 *)g_bytes_get_data (entry->payload, NULL) + at, size);
  return TRUE;
}

/* Row @frame of the table, which is proved. */
static gboolean
read_row (TraceLog            *log,
          const KeyframeEntry *entry,
          guint                frame,
          FrameRow            *row) {
  guint n = entry->facts.n_frames;
  g_autofree guint8 *table = g_malloc ((gsize)n * ROW_SIZE);
  guint64 offset = HEAD_SIZE + (guint64)n * ROW_SIZE;
  guint8 head[HEAD_SIZE];

  if (!read_part (log, entry, 0, head, sizeof head)
      || bytes_get (head, 4) != n
      || !read_part (log, entry, HEAD_SIZE, table, (gsize)n * ROW_SIZE)
      || bytes_get (head + 8, 4) != crc32c (0, table, (gsize)n * ROW_SIZE))
    return FALSE;
  for (guint i = 0; i < frame; i++)
    offset += bytes_get (table + i * ROW_SIZE, 4);
  parse_row (row, table + frame * ROW_SIZE, offset);
  return row->raw_size >= 1 && row->raw_size <= TRACE_FRAME_MAX
         && row->stored_size <= row->raw_size;
}

static gboolean
unpack_frame (const FrameRow *row,
              const guint8   *stored,
              guint8         *raw) {
  switch ((TraceCodec)row->codec) {
  case TRACE_CODEC_PLAIN:
    if (row->stored_size == row->raw_size)
      memcpy (raw, stored, row->raw_size);
    return row->stored_size == row->raw_size;
  case TRACE_CODEC_LZ4:
    return LZ4_decompress_safe ((const char *)stored, (char *)raw,
                                (int)row->stored_size, (int)row->raw_size)
           == (int)row->raw_size;
  case TRACE_CODEC_ZSTD:
    return trace_zstd_unpack (stored, row->stored_size, raw, row->raw_size);
  case TRACE_CODEC_APART: /* of events only */
    return FALSE;
  }
  return FALSE;
}

/* Packing anew ------------------------------------------------------------- */

/* The frames of a payload. */
typedef struct {
  const guint8 *bytes;
  FrameRow     *rows;
  guint8      **anew; /* NULL: it stays as it is */
} Repacking;

static void
repack_frame_cb (gpointer data,
                 guint    i) {
  Repacking *self = data;
  FrameRow *row = &self->rows[i];
  const guint8 *stored = self->bytes + row->offset;
  guint room = row->stored_size - row->stored_size / LEAST_SAVED;
  g_autofree guint8 *raw = NULL;
  g_autofree guint8 *packed = NULL;
  guint size;

  /* What is damaged stays as it is: whoever reads it says so. */
  if (row->raw_size > TRACE_FRAME_MAX || row->stored_size > row->raw_size
      || row->codec == TRACE_CODEC_ZSTD
      || crc32c (0, stored, row->stored_size) != row->crc)
    return;
  raw = g_malloc (row->raw_size);
  if (!unpack_frame (row, stored, raw))
    return;
  packed = g_malloc (room);
  size = trace_zstd_pack (packed, room, raw, row->raw_size);
  if (size == 0)
    return;
  row->stored_size = size;
  row->crc = crc32c (0, packed, size);
  row->codec = TRACE_CODEC_ZSTD;
  self->anew[i] = g_steal_pointer (&packed);
}

/* FALSE: the payload ends before its frames do, or its table is damaged. */
static gboolean
read_rows (FrameRow     *rows,
           guint         n,
           const guint8 *bytes,
           gsize         size) {
  guint64 offset = HEAD_SIZE + (guint64)n * ROW_SIZE;

  if (offset > size
      || bytes_get (bytes + 8, 4) != crc32c (0, bytes + HEAD_SIZE, n * ROW_SIZE))
    return FALSE;
  for (guint i = 0; i < n; i++) {
    parse_row (&rows[i], bytes + HEAD_SIZE + i * ROW_SIZE, offset);
    offset += rows[i].stored_size;
  }
  return offset <= size;
}

/* (transfer full): @payload with other frames. */
static GBytes *
join_anew (const Repacking *self,
           guint            n,
           guint64          most) {
  g_autofree guint8 *bytes = g_malloc (most);
  guint64 at = HEAD_SIZE + (guint64)n * ROW_SIZE;

  memcpy (bytes, self->bytes, HEAD_SIZE);
  for (guint i = 0; i < n; i++) {
    const FrameRow *row = &self->rows[i];
    const guint8 *stored = self->anew[i] != NULL ? self->anew[i]
                                                 : self->bytes + row->offset;

    write_row (bytes + HEAD_SIZE + i * ROW_SIZE, row);
    memcpy (bytes + at, stored, row->stored_size);
    at += row->stored_size;
  }
  bytes_put (bytes + 8, 4, crc32c (0, bytes + HEAD_SIZE, n * ROW_SIZE));
  return g_bytes_new (bytes, at);
}

GBytes *
trace_keyframe_repack (GBytes *payload,
                       Crew   *crew) {
  gsize size;
  Repacking self = { .bytes = g_bytes_get_data (payload, &size) };
  guint n = size >= HEAD_SIZE ? (guint)bytes_get (self.bytes, 4) : 0;
  g_autofree FrameRow *rows = NULL;
  g_autofree guint8 **anew = NULL;
  GBytes *packed;

  if (n < 1 || n > TRACE_KEYFRAME_MAX_FRAMES)
    return g_bytes_ref (payload);
  self.rows = rows = g_new (FrameRow, n);
  if (!read_rows (rows, n, self.bytes, size))
    return g_bytes_ref (payload);
  self.anew = anew = g_new0 (guint8 *, n);
  crew_work (crew, n, repack_frame_cb, &self);
  packed = join_anew (&self, n, size);
  for (guint i = 0; i < n; i++)
    g_free (anew[i]);
  return packed;
}

/* Frames ------------------------------------------------------------------- */

/* *payload (transfer full, nullable): keeps the one of the entry, which may be
 * settled meanwhile. */
static KeyframeEntry
take_entry_locked (TraceLog *log,
                   guint     i,
                   GBytes  **payload) {
  KeyframeEntry entry = *keyframe_at (log, i);

  *payload = entry.payload != NULL ? g_bytes_ref (entry.payload) : NULL;
  return entry;
}

GBytes *
tracelog_read_frame (TraceLog *log,
                     guint64   position,
                     guint     frame) {
  g_autofree guint8 *stored = NULL;
  g_autofree guint8 *raw = NULL;
  g_autoptr (GBytes) payload = NULL;
  KeyframeEntry entry;
  FrameRow row;
  gboolean is_there;
  guint i;

  pthread_mutex_lock (&log->lock);
  i = find_behind_locked (log, position);
  is_there = i > 0 && keyframe_at (log, i - 1)->facts.position == position;
  if (is_there)
    entry = take_entry_locked (log, i - 1, &payload);
  pthread_mutex_unlock (&log->lock);
  if (!is_there || frame >= entry.facts.n_frames
      || !read_row (log, &entry, frame, &row))
    return NULL;
  stored = g_malloc (row.stored_size);
  raw = g_malloc (row.raw_size);
  if (!read_part (log, &entry, row.offset, stored, row.stored_size)
      || crc32c (0, stored, row.stored_size) != row.crc
      || !unpack_frame (&row, stored, raw))
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&raw), row.raw_size);
}

gboolean
tracelog_find_keyframe (TraceLog      *log,
                        guint64        position,
                        TraceKeyframe *found) {
  guint i;

  pthread_mutex_lock (&log->lock);
  i = find_behind_locked (log, MIN (position, tracelog_get_length (log)));
  if (i > 0)
    *found = keyframe_at (log, i - 1)->facts;
  pthread_mutex_unlock (&log->lock);
  return i > 0;
}

/* Files -------------------------------------------------------------------- */

gboolean
tracelog_attach_keyframe (TraceLog            *log,
                          const KeyframePlace *place) {
  KeyframeEntry entry = { .offset = place->offset };
  g_autofree char *problem = NULL;
  guint8 head[HEAD_SIZE];
  Chunk chunk;

  problem = trace_store_read_header (log->store, place->offset, &chunk);
  if (problem != NULL || chunk.type != CHUNK_KEYFRAME
      || chunk.first != place->position || chunk.codec != TRACE_CODEC_PLAIN
      || chunk.stored_size < HEAD_SIZE
      || !read_part (log, &entry, 0, head, sizeof head))
    return FALSE;
  entry.facts = (TraceKeyframe){
    .position = place->position,
    .at_ns = chunk.t0_ns,
    .version = (guint32)bytes_get (head + 4, 4),
    .n_frames = (guint)bytes_get (head, 4),
  };
  return entry.facts.n_frames >= 1
         && entry.facts.n_frames <= TRACE_KEYFRAME_MAX_FRAMES
         && chunk.stored_size
                >= HEAD_SIZE + (guint64)entry.facts.n_frames * ROW_SIZE
         && insert (log, &entry);
}

void
tracelog_settle_keyframe (TraceLog            *log,
                          const KeyframePlace *place) {
  g_autoptr (GBytes) payload = NULL;
  KeyframeEntry *entry;
  guint i;

  pthread_mutex_lock (&log->lock);
  i = find_behind_locked (log, place->position);
  entry = i > 0 ? keyframe_at (log, i - 1) : NULL;
  if (entry != NULL && entry->facts.position == place->position) {
    entry->offset = place->offset;
    payload = g_steal_pointer (&entry->payload);
  }
  pthread_mutex_unlock (&log->lock);
}

guint
tracelog_n_keyframes (TraceLog *log) {
  guint n;

  pthread_mutex_lock (&log->lock);
  n = log->keyframes->len;
  pthread_mutex_unlock (&log->lock);
  return n;
}

GBytes *
tracelog_dup_keyframe (TraceLog      *log,
                       guint          i,
                       TraceKeyframe *facts) {
  guint8 *payload = NULL;
  g_autofree char *problem = NULL;
  KeyframeEntry entry = { .facts.position = G_MAXUINT64 };
  GBytes *at_hand = NULL;
  gboolean is_there;
  Chunk chunk;

  pthread_mutex_lock (&log->lock);
  /* Another save may have let go of some. */
  is_there = i < log->keyframes->len;
  if (is_there)
    entry = take_entry_locked (log, i, &at_hand);
  pthread_mutex_unlock (&log->lock);
  *facts = entry.facts;
  if (!is_there || at_hand != NULL)
    return at_hand;
  problem = trace_store_read_header (log->store, entry.offset, &chunk);
  if (problem == NULL)
    problem = trace_store_read_payload (log->store, entry.offset, &chunk,
                                        G_MAXUINT32, &payload);
  return problem == NULL ? g_bytes_new_take (payload, chunk.stored_size) : NULL;
}
