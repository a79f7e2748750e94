/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-file.c — logs as .tophash files: the format, and saving
 *
 * Idea        A header, then chunks, each with a header of its own that says what
 *             it is, how long it is and which checksums it has. Chunks are only
 *             ever appended. A reader walks from chunk to chunk, skips what it
 *             does not know, and what it has read stays good however the file
 *             ends. Reading is in tracelog-open.c.
 *
 * Format      Version 1.2. All numbers are little-endian; times are nanoseconds
 *             since the first event; CRC is CRC-32C (crc32c.c).
 *
 *             The file's header, 64 bytes
 *              off size
 *                0    8  magic: 89 54 50 48 0D 0A 1A 0A. The high bit, CR LF
 *                        and LF show a transfer that took it for a text
 *                8    2  major version, 1. A reader refuses newer ones
 *               10    2  minor version, 2; see Versions. A reader skips what
 *                        newer ones add
 *               12    4  01020304 hexadecimal: the byte order
 *               16   16  a UUID of this file (random, version 4)
 *               32    8  when it was written: microseconds since 1970, UTC
 *               40    4  events in a full block: 4096
 *               44    4  features that a reader must know: none, 0
 *               48   12  0
 *               60    4  CRC of bytes 0 to 59
 *
 *             A chunk's header, 64 bytes, at a multiple of 8
 *              off size
 *                0    4  magic: AB 43 4E 4B
 *                4    2  type, see below
 *                6    1  codec of the payload: 0 plain, 1 one LZ4 block
 *                7    1  flags: 1 = a reader that does not know the type must
 *                        not go on (it keeps what it has)
 *                8    4  stored size of the payload, without padding
 *               12    4  raw size, after unpacking
 *               16    4  EVENTS: number of events
 *               20    4  0
 *               24    8  EVENTS: index of the first; END: events in the file
 *               32    8  EVENTS: time of the first event
 *               40    8  EVENTS: time of the last event
 *               48    4  0
 *               52    4  CRC of the payload as stored, without padding
 *               56    4  0
 *               60    4  CRC of bytes 0 to 59
 *             The payload follows, then zero bytes to a multiple of 8.
 *
 *             type          payload
 *             1 INFO        JSON, plain: facts of the run, names of event kinds
 *                           (trace-info.c). The first chunk, and the only INFO
 *             2 EVENTS      a block of events (trace-block.c). All hold 4096
 *                           but the last one; indices follow on each other
 *             3 HONESTY     plain, 48 bytes: events recorded (8), dropped (8),
 *                           stalls (8), ns stalled (8), ns of the last event
 *                           (8), flags (4): 1 = the run ended and all is here,
 *                           2 = it ended at the log's limit; 0 (4)
 *             4 INDEX       plain, 24 bytes for each EVENTS chunk: its offset
 *                           (8), its first index (8), its first time (8). For
 *                           seeks without a walk; rebuilt by one, so never the
 *                           truth
 *             5 END         nothing. The last chunk: the file is whole
 *
 * Versions    Minor goes up for new chunk types, new JSON members, bytes behind
 *             known ones in HONESTY and new kinds of event (INFO names them).
 *             Major goes up when a reader of today would misread a file.
 *             1.1: op-began says in res, op-ended in ver, by how many ns the
 *             merge raised its time. Older files cannot tell when an operation
 *             truly was under way, so histories are not read from them; saved
 *             again they stay what they are, 1.0.
 *             1.2: op-told, an operation in one event. A reader of 1.1 opens
 *             such a file up to the first block that holds one, since INFO
 *             names a kind that it does not know.
 *
 * Saving      Written beside the target under another name, synced, renamed: the
 *             target is the old file or the whole new one, never in between.
 */
#include "core/record/tracelog-file-private.h"

#include "core/record/crc32c.h"

#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

G_DEFINE_QUARK (tophash-tracelog-file-error, tracelog_file_error)

/* A file being written. */
typedef struct {
  GOutputStream *out;
  GCancellable  *cancellable;
  guint64        offset;
  GByteArray    *index; /* payload of INDEX */
} Writer;

/* Numbers and headers ------------------------------------------------------ */

void
bytes_put (guint8 *bytes,
           guint   size,
           guint64 value) {
  for (guint i = 0; i < size; i++)
    bytes[i] = (guint8)(value >> (8 * i));
}

guint64
bytes_get (const guint8 *bytes,
           guint         size) {
  guint64 value = 0;

  for (guint i = 0; i < size; i++)
    value |= (guint64)bytes[i] << (8 * i);
  return value;
}

static void
put_uuid (guint8 uuid[16]) {
  for (guint i = 0; i < 16; i += 4)
    bytes_put (uuid + i, 4, g_random_int ());
  uuid[6] = (uuid[6] & 0x0f) | 0x40;
  uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

void
file_header_write (guint8 header[FILE_HEADER_SIZE],
                   guint  minor,
                   gint64 created_at_us) {
  memset (header, 0, FILE_HEADER_SIZE);
  memcpy (header, FILE_MAGIC, FILE_MAGIC_SIZE);
  bytes_put (header + 8, 2, FILE_MAJOR);
  bytes_put (header + 10, 2, minor);
  bytes_put (header + 12, 4, FILE_ENDIAN_MARK);
  put_uuid (header + 16);
  bytes_put (header + 32, 8, (guint64)created_at_us);
  bytes_put (header + 40, 4, TRACE_BLOCK_EVENTS);
  bytes_put (header + 60, 4, crc32c (0, header, 60));
}

void
chunk_write (guint8       header[CHUNK_HEADER_SIZE],
             const Chunk *chunk) {
  memset (header, 0, CHUNK_HEADER_SIZE);
  bytes_put (header, 4, CHUNK_MAGIC);
  bytes_put (header + 4, 2, chunk->type);
  header[6] = chunk->codec;
  header[7] = chunk->flags;
  bytes_put (header + 8, 4, chunk->stored_size);
  bytes_put (header + 12, 4, chunk->raw_size);
  bytes_put (header + 16, 4, chunk->n_events);
  bytes_put (header + 24, 8, chunk->first);
  bytes_put (header + 32, 8, (guint64)chunk->t0_ns);
  bytes_put (header + 40, 8, (guint64)chunk->t1_ns);
  bytes_put (header + 52, 4, chunk->payload_crc);
  bytes_put (header + 60, 4, crc32c (0, header, 60));
}

gboolean
chunk_read (Chunk        *chunk,
            const guint8  header[CHUNK_HEADER_SIZE]) {
  *chunk = (Chunk){
    .type = (guint)bytes_get (header + 4, 2),
    .codec = header[6],
    .flags = header[7],
    .stored_size = (guint32)bytes_get (header + 8, 4),
    .raw_size = (guint32)bytes_get (header + 12, 4),
    .n_events = (guint32)bytes_get (header + 16, 4),
    .first = bytes_get (header + 24, 8),
    .t0_ns = (gint64)bytes_get (header + 32, 8),
    .t1_ns = (gint64)bytes_get (header + 40, 8),
    .payload_crc = (guint32)bytes_get (header + 52, 4),
  };
  return bytes_get (header, 4) == CHUNK_MAGIC
         && bytes_get (header + 60, 4) == crc32c (0, header, 60);
}

char *
file_display_name (GFile *file) {
  g_autofree char *name = g_file_get_basename (file);

  return name != NULL ? g_filename_display_name (name)
                      : g_file_get_parse_name (file);
}

/* Saving ------------------------------------------------------------------- */

static gboolean
put_bytes (Writer       *writer,
           gconstpointer bytes,
           gsize         size,
           GError      **error) {
  writer->offset += size;
  return g_output_stream_write_all (writer->out, bytes, size, NULL,
                                    writer->cancellable, error);
}

/* Writes one chunk; its sizes without codec and its CRC are filled in here. */
static gboolean
put_chunk (Writer       *writer,
           Chunk        *chunk,
           gconstpointer payload,
           guint32       size,
           GError      **error) {
  static const guint8 zeros[CHUNK_ALIGN];
  guint8 header[CHUNK_HEADER_SIZE];

  chunk->stored_size = size;
  if (chunk->codec == TRACE_CODEC_PLAIN)
    chunk->raw_size = size;
  chunk->payload_crc = crc32c (0, payload, size);
  chunk_write (header, chunk);
  return put_bytes (writer, header, sizeof header, error)
         && put_bytes (writer, payload, size, error)
         && put_bytes (writer, zeros, -size & (CHUNK_ALIGN - 1), error);
}

static gboolean
put_info (Writer          *writer,
          const TraceInfo *info,
          GError         **error) {
  g_autofree char *json = trace_info_to_json (info);
  gsize size = strlen (json);
  Chunk chunk = { .type = CHUNK_INFO };

  if (size > INFO_MAX_SIZE) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                 _("the facts of the run take %zu bytes, at most %u fit"), size,
                 INFO_MAX_SIZE);
    return FALSE;
  }
  return put_chunk (writer, &chunk, json, (guint32)size, error);
}

static gboolean
put_events (Writer            *writer,
            const PackedBlock *block,
            GError           **error) {
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

  bytes_put (entry, 8, writer->offset);
  bytes_put (entry + 8, 8, block->first);
  bytes_put (entry + 16, 8, (guint64)block->t0_ns);
  g_byte_array_append (writer->index, entry, sizeof entry);
  return put_chunk (writer, &chunk, block->data, block->stored_size, error);
}

/* The block that begins at @first of a log of @length events; the open one is
 * packed as far as it is below @length. */
static gboolean
put_block (Writer   *writer,
           TraceLog *log,
           guint64   first,
           guint64   length,
           GError  **error) {
  g_autoptr (TraceBlock) block = NULL;
  PackedBlock packed;
  gboolean is_put;

  if (length - first >= TRACE_BLOCK_EVENTS
      && tracelog_get_packed (log, first / TRACE_BLOCK_EVENTS, &packed))
    return put_events (writer, &packed, error);
  block = tracelog_ref_block (log, first);
  trace_block_pack (&packed, first, block->events,
                    (guint)MIN (length - first, TRACE_BLOCK_EVENTS));
  is_put = put_events (writer, &packed, error);
  g_free (packed.data);
  return is_put;
}

static gboolean
put_honesty (Writer             *writer,
             const TraceHonesty *honesty,
             guint64             length,
             GError            **error) {
  guint8 payload[HONESTY_SIZE] = { 0 };
  Chunk chunk = { .type = CHUNK_HONESTY };

  bytes_put (payload, 8, length);
  bytes_put (payload + 8, 8, honesty->n_dropped);
  bytes_put (payload + 16, 8, honesty->n_stalls);
  bytes_put (payload + 24, 8, (guint64)honesty->stalled_ns);
  bytes_put (payload + 32, 8, (guint64)honesty->duration_ns);
  bytes_put (payload + 40, 4,
             (honesty->is_complete ? HONESTY_IS_COMPLETE : 0)
                 | (honesty->was_limited ? HONESTY_WAS_LIMITED : 0));
  return put_chunk (writer, &chunk, payload, sizeof payload, error);
}

static gboolean
put_log (Writer           *writer,
         TraceLog         *log,
         TraceLogProgress  progress,
         gpointer          data,
         GError          **error) {
  guint8 header[FILE_HEADER_SIZE];
  Chunk index = { .type = CHUNK_INDEX }, end = { .type = CHUNK_END };
  TraceHonesty honesty;
  guint64 length;

  /* Honesty first: what it calls complete is complete below this length. */
  tracelog_get_honesty (log, &honesty);
  length = honesty.is_complete ? honesty.n_events : tracelog_get_length (log);
  file_header_write (header, honesty.lacks_raises ? FILE_MINOR_RAISES - 1
                                                  : FILE_MINOR,
                     g_get_real_time ());
  if (!put_bytes (writer, header, sizeof header, error)
      || !put_info (writer, tracelog_get_info (log), error))
    return FALSE;
  for (guint64 first = 0; first < length; first += TRACE_BLOCK_EVENTS) {
    if (!put_block (writer, log, first, length, error))
      return FALSE;
    if (progress != NULL)
      progress ((double)first / (double)length, data);
  }
  end.first = length;
  return put_honesty (writer, &honesty, length, error)
         && put_chunk (writer, &index, writer->index->data, writer->index->len,
                       error)
         && put_chunk (writer, &end, NULL, 0, error);
}

/* Asks the system to bring the file's bytes to the disk before it is renamed
 * over another one; where there is no path, the file system keeps the order. */
static void
sync_file (GFile *file) {
  const char *path = g_file_peek_path (file);
  int fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC) : -1;

  if (fd >= 0) {
    fsync (fd);
    close (fd);
  }
}

/* A name beside @file that nobody uses. */
static GFile *
file_beside (GFile *file) {
  g_autoptr (GFile) folder = g_file_get_parent (file);
  g_autofree char *name = g_file_get_basename (file);
  g_autofree char *beside
      = g_strdup_printf (".%s.%08x.part", name, g_random_int ());

  return folder != NULL ? g_file_get_child (folder, beside)
                        : g_object_ref (file);
}

static gboolean
save_as (TraceLog         *self,
         GFile            *part,
         TraceLogProgress  progress,
         gpointer          data,
         GCancellable     *cancellable,
         GError          **error) {
  g_autoptr (GFileOutputStream) out
      = g_file_create (part, G_FILE_CREATE_NONE, cancellable, error);
  g_autoptr (GByteArray) index = g_byte_array_new ();
  Writer writer = { .out = G_OUTPUT_STREAM (out),
                    .cancellable = cancellable,
                    .index = index };

  if (out == NULL)
    return FALSE;
  if (!put_log (&writer, self, progress, data, error)) {
    g_output_stream_close (writer.out, NULL, NULL);
    return FALSE;
  }
  if (!g_output_stream_close (writer.out, cancellable, error))
    return FALSE;
  sync_file (part);
  return TRUE;
}

gboolean
tracelog_save (TraceLog         *self,
               GFile            *file,
               TraceLogProgress  progress,
               gpointer          data,
               GCancellable     *cancellable,
               GError          **error) {
  g_autoptr (GFile) part = file_beside (file);
  g_autofree char *name = file_display_name (file);

  if (!save_as (self, part, progress, data, cancellable, error)
      || !g_file_move (part, file,
                       G_FILE_COPY_OVERWRITE | G_FILE_COPY_NO_FALLBACK_FOR_MOVE,
                       cancellable, NULL, NULL, error)) {
    /* Not with the cancellable: what was cancelled is tidied up all the same. */
    g_file_delete (part, NULL, NULL);
    g_prefix_error (error, _("“%s” could not be saved: "), name);
    return FALSE;
  }
  if (progress != NULL)
    progress (1, data);
  return TRUE;
}
