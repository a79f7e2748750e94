/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-writer.c — chunks to a stream, with the tables that find them
 *
 * The format is told in FORMAT.md. A writer remembers where the blocks and the
 * other parts stand that it wrote; INDEX and END are made from that, as often
 * as wanted: what is written up to an END is a whole file.
 */
#include "core/record/trace-writer-private.h"

#include "core/record/crc32c.h"
#include "core/record/tracelog-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/* Free choice: large enough that a disk writes it in one go. */
#define FLUSH_BYTES (1u << 20)

void
trace_writer_init (TraceWriter   *self,
                   GOutputStream *out,
                   guint64        offset,
                   GCancellable  *cancellable) {
  *self = (TraceWriter){
    .out = g_object_ref (out),
    .cancellable = cancellable,
    .buffer = g_byte_array_new (),
    .offset = offset,
    .index = g_byte_array_new (),
    .keyframes = g_array_new (FALSE, FALSE, sizeof (KeyframePlace)),
  };
}

void
trace_writer_clear (TraceWriter *self) {
  g_clear_object (&self->out);
  g_clear_pointer (&self->buffer, g_byte_array_unref);
  g_clear_pointer (&self->index, g_byte_array_unref);
  g_clear_pointer (&self->keyframes, g_array_unref);
}

gboolean
trace_writer_flush (TraceWriter *self,
                    GError     **error) {
  gboolean is_written = g_output_stream_write_all (
      self->out, self->buffer->data, self->buffer->len, NULL,
      self->cancellable, error);

  g_byte_array_set_size (self->buffer, 0);
  return is_written;
}

void
trace_writer_rewind (TraceWriter *self,
                     guint64      offset) {
  guint n = self->index->len / INDEX_ENTRY_SIZE;

  while (n > 0
         && bytes_get (self->index->data + (n - 1) * INDEX_ENTRY_SIZE, 8)
                >= offset)
    n--;
  g_byte_array_set_size (self->index, n * INDEX_ENTRY_SIZE);
  g_byte_array_set_size (self->buffer, 0);
  while (self->keyframes->len > 0
         && g_array_index (self->keyframes, KeyframePlace,
                           self->keyframes->len - 1).offset >= offset)
    g_array_set_size (self->keyframes, self->keyframes->len - 1);
  /* What is behind it is told anew. */
  self->n_indexed = 0;
  if (self->index_at >= offset)
    self->index_at = 0;
  if (self->honesty_at >= offset)
    self->honesty_at = 0;
  if (self->notes_at >= offset)
    self->notes_at = 0;
  self->offset = offset;
}

static gboolean
put_bytes (TraceWriter  *self,
           gconstpointer bytes,
           gsize         size,
           GError      **error) {
  if (size > 0)
    g_byte_array_append (self->buffer, bytes, (guint)size);
  self->offset += size;
  return self->buffer->len < FLUSH_BYTES || trace_writer_flush (self, error);
}

/* Writes one chunk; its sizes without codec and its CRC are filled in here. */
static gboolean
put_chunk (TraceWriter  *self,
           Chunk        *chunk,
           gconstpointer payload,
           gsize         size,
           GError      **error) {
  static const guint8 zeros[CHUNK_ALIGN];
  guint8 header[CHUNK_HEADER_SIZE];

  if (size > G_MAXUINT32) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                 _("a part of %zu bytes does not fit"), size);
    return FALSE;
  }
  chunk->stored_size = (guint32)size;
  if (chunk->codec == TRACE_CODEC_PLAIN)
    chunk->raw_size = chunk->stored_size;
  chunk->payload_crc = crc32c (0, payload, size);
  chunk_write (header, chunk);
  return put_bytes (self, header, sizeof header, error)
         && put_bytes (self, payload, size, error)
         && put_bytes (self, zeros, -size & (CHUNK_ALIGN - 1), error);
}

gboolean
trace_writer_put_head (TraceWriter     *self,
                       const TraceInfo *info,
                       guint            features,
                       guint8           uuid[16],
                       GError         **error) {
  g_autofree char *json = trace_info_to_json (info);
  guint8 header[FILE_HEADER_SIZE];
  Chunk chunk = { .type = CHUNK_INFO };

  if (strlen (json) > INFO_MAX_SIZE) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                 _("the facts of the run take %zu bytes, at most %u fit"),
                 strlen (json), INFO_MAX_SIZE);
    return FALSE;
  }
  file_header_write (header, FILE_MINOR, features, g_get_real_time ());
  if (uuid != NULL)
    memcpy (uuid, header + FILE_UUID_AT, 16);
  return put_bytes (self, header, sizeof header, error)
         && put_chunk (self, &chunk, json, strlen (json), error);
}

gboolean
trace_writer_put_block (TraceWriter       *self,
                        const PackedBlock *block,
                        GError           **error) {
  guint number = (guint)(block->first / TRACE_BLOCK_EVENTS);
  guint8 entry[INDEX_ENTRY_SIZE];
  Chunk chunk = {
    .type = CHUNK_EVENTS,
    .codec = (guint8)block->codec,
    .flags = CHUNK_MUST_KNOW,
    .raw_size = block->raw_size,
    .n_events = block->n_events,
    .first = block->first,
    .t0_ns = block->t0_ns,
    .t1_ns = block->t1_ns,
  };

  bytes_put (entry, 8, self->offset);
  bytes_put (entry + 8, 8, block->first);
  bytes_put (entry + 16, 8, (guint64)block->t0_ns);
  g_byte_array_set_size (self->index, number * INDEX_ENTRY_SIZE);
  g_byte_array_append (self->index, entry, sizeof entry);
  self->n_indexed = MIN (self->n_indexed, number);
  return put_chunk (self, &chunk, block->data, block->stored_size, error);
}

gboolean
trace_writer_put_honesty (TraceWriter        *self,
                          const TraceHonesty *honesty,
                          const GArray       *waits,
                          guint64             length,
                          GError            **error) {
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 payload[HONESTY_SIZE] = { 0 };
  Chunk chunk = { .type = CHUNK_HONESTY };

  bytes_put (payload, 8, length);
  bytes_put (payload + 8, 8, honesty->n_dropped);
  bytes_put (payload + 16, 8, honesty->n_stalls);
  bytes_put (payload + 24, 8, (guint64)honesty->stalled_ns);
  bytes_put (payload + 32, 8, (guint64)honesty->duration_ns);
  bytes_put (payload + 40, 4,
             (honesty->is_complete ? HONESTY_IS_COMPLETE : 0)
                 | (honesty->was_limited ? HONESTY_WAS_LIMITED : 0)
                 | (honesty->lacks_raises ? HONESTY_LACKS_RAISES : 0));
  bytes_put (payload + 48, 8, (guint64)(honesty->blind_ns * 1000));
  bytes_put (payload + 56, 8, (guint64)(honesty->recorded_ns * 1000));
  g_byte_array_append (bytes, payload, sizeof payload);
  if (waits != NULL)
    trace_waits_write (waits, bytes);
  self->honesty_at = self->offset;
  return put_chunk (self, &chunk, bytes->data, bytes->len, error);
}

gboolean
trace_writer_put_notes (TraceWriter      *self,
                        const TraceNotes *notes,
                        guint64           length,
                        GError          **error) {
  g_autofree char *json = trace_notes_to_json (notes);
  Chunk chunk = { .type = CHUNK_NOTES, .first = length };

  if (strlen (json) > NOTES_MAX_SIZE) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                 _("the notes take %zu bytes, at most %u fit"), strlen (json),
                 NOTES_MAX_SIZE);
    return FALSE;
  }
  self->notes_at = self->offset;
  return put_chunk (self, &chunk, json, strlen (json), error);
}

gboolean
trace_writer_put_keyframe (TraceWriter         *self,
                           const TraceKeyframe *facts,
                           GBytes              *payload,
                           GError             **error) {
  KeyframePlace place = { self->offset, facts->position };
  Chunk chunk = {
    .type = CHUNK_KEYFRAME,
    .first = facts->position,
    .t0_ns = facts->at_ns,
  };

  if (self->keyframes->len >= MAX_KEYFRAMES)
    return TRUE; /* they are never the truth */
  g_array_append_val (self->keyframes, place);
  return put_chunk (self, &chunk, g_bytes_get_data (payload, NULL),
                    g_bytes_get_size (payload), error);
}

/* Tables ------------------------------------------------------------------- */

static gboolean
put_index (TraceWriter *self,
           gboolean     is_whole,
           GError     **error) {
  guint n = self->index->len / INDEX_ENTRY_SIZE;
  guint from = is_whole ? 0 : self->n_indexed;
  Chunk chunk = {
    .type = CHUNK_INDEX,
    .first = (guint64)from * TRACE_BLOCK_EVENTS,
    /* The INDEX before; 0 when this one tells all. */
    .t0_ns = from == 0 ? 0 : (gint64)self->index_at,
  };

  self->index_at = self->offset;
  self->n_indexed = n;
  return put_chunk (self, &chunk, self->index->data + from * INDEX_ENTRY_SIZE,
                    (gsize)(n - from) * INDEX_ENTRY_SIZE, error);
}

static void
add_place (GByteArray *contents,
           ChunkType   type,
           guint64     offset,
           guint64     position) {
  guint8 place[PLACE_SIZE] = { 0 };

  if (offset == 0)
    return;
  bytes_put (place, 4, type);
  bytes_put (place + 8, 8, offset);
  bytes_put (place + 16, 8, position);
  g_byte_array_append (contents, place, sizeof place);
}

gboolean
trace_writer_put_end (TraceWriter *self,
                      gboolean     is_whole,
                      guint64      length,
                      GError     **error) {
  g_autoptr (GByteArray) contents = g_byte_array_new ();
  Chunk chunk = { .type = CHUNK_END, .first = length };
  guint8 own[8];

  if ((is_whole || self->n_indexed * INDEX_ENTRY_SIZE < self->index->len
       || self->index_at == 0)
      && !put_index (self, is_whole, error))
    return FALSE;
  add_place (contents, CHUNK_INDEX, self->index_at, length);
  add_place (contents, CHUNK_HONESTY, self->honesty_at, length);
  add_place (contents, CHUNK_NOTES, self->notes_at, length);
  for (guint i = 0; i < self->keyframes->len; i++) {
    KeyframePlace *place = &g_array_index (self->keyframes, KeyframePlace, i);

    add_place (contents, CHUNK_KEYFRAME, place->offset, place->position);
  }
  bytes_put (own, 8, self->offset);
  g_byte_array_append (contents, own, sizeof own);
  return put_chunk (self, &chunk, contents->data, contents->len, error)
         && trace_writer_flush (self, error);
}
