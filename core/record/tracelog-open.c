/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-open.c — opening .tophash files
 *
 * Idea        One walk over the file, chunk by chunk, front to back. Blocks stay
 *             packed in memory but each is unpacked once to prove that it can be:
 *             nothing later has to expect a bad block. The first thing that is
 *             not as it must be ends the walk; what came before it is the log,
 *             and a sentence says where it ended and why. The format is told in
 *             tracelog-file.c.
 *
 * Safety      Files come from anywhere. Before memory is taken for a chunk, its
 *             size is checked against what its type can need (a block: below
 *             172 KiB; facts: 4 MiB); chunks that are skipped are read through a
 *             small buffer whatever they claim. Memory is therefore bounded by
 *             the bytes that are really there. Nothing is recursive; every chunk
 *             moves on by at least its header, so the walk ends.
 *
 * Outcomes    nothing usable: an error. All of it: a log. Less: a log and a
 *             warning. Failing reads and cancelling are errors in any case.
 */
#include "core/record/tracelog-file-private.h"

#include "core/record/crc32c.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <string.h>

#define SKIP_BUFFER_SIZE 65536

typedef struct {
  GInputStream     *in;
  const char       *name;
  guint64           size;   /* of the file; 0 = unknown */
  guint64           offset; /* read so far */
  TraceLogProgress  progress;
  gpointer          data;
  GCancellable     *cancellable;

  TraceLog         *log; /* NULL until INFO was read */
  guint8            kinds[128];
  gboolean          has_our_kinds;
  gint64            last_ns;
  Event            *events; /* TRACE_BLOCK_EVENTS, to prove blocks with */
  TraceHonesty      honesty;
  guint             minor;  /* of the file's version */

  guint64           chunk_at;  /* where the chunk under way begins */
  gboolean          is_ended;  /* END was read */
  char             *problem;   /* else why the walk ended; owned */
  GError           *failure;   /* reading failed; owned */
} Reader;

/* Ends the walk: @problem is a translated phrase. */
static gboolean
stop (Reader     *reader,
      const char *problem) {
  g_free (reader->problem);
  reader->problem = g_strdup (problem);
  return FALSE;
}

/* FALSE: the file ended first, or reading failed. */
static gboolean
read_bytes (Reader  *reader,
            gpointer bytes,
            gsize    size) {
  gsize n_read = 0;

  if (!g_input_stream_read_all (reader->in, bytes, size, &n_read,
                                reader->cancellable, &reader->failure))
    return FALSE;
  reader->offset += n_read;
  return n_read == size;
}

/* What follows a payload: its checksum is compared, its padding is zero. */
static gboolean
finish_payload (Reader      *reader,
                const Chunk *chunk,
                guint32      crc) {
  guint8 padding[CHUNK_ALIGN] = { 0 };
  guint n_padding = -chunk->stored_size & (CHUNK_ALIGN - 1);
  g_autofree char *problem = NULL;

  if (!read_bytes (reader, padding, n_padding))
    return FALSE;
  if (crc != chunk->payload_crc) {
    problem = g_strdup_printf (_("wanted checksum %08x, found %08x"),
                               chunk->payload_crc, crc);
    return stop (reader, problem);
  }
  if (bytes_get (padding, CHUNK_ALIGN) != 0)
    return stop (reader, _("wanted zero bytes behind a part"));
  return TRUE;
}

/* (transfer full): the chunk's payload, checked, and a NUL byte. */
static guint8 *
read_payload (Reader      *reader,
              const Chunk *chunk,
              guint32      max_size) {
  g_autofree guint8 *payload = NULL;

  if (chunk->stored_size > max_size) {
    stop (reader, _("a part is larger than its kind can be"));
    return NULL;
  }
  payload = g_malloc ((gsize)chunk->stored_size + 1);
  payload[chunk->stored_size] = 0;
  if (!read_bytes (reader, payload, chunk->stored_size)
      || !finish_payload (reader, chunk,
                          crc32c (0, payload, chunk->stored_size)))
    return NULL;
  return g_steal_pointer (&payload);
}

static gboolean
skip_payload (Reader      *reader,
              const Chunk *chunk) {
  g_autofree guint8 *buffer = g_malloc (SKIP_BUFFER_SIZE);
  guint32 left = chunk->stored_size, crc = 0;

  while (left > 0) {
    guint32 size = MIN (left, SKIP_BUFFER_SIZE);

    if (!read_bytes (reader, buffer, size))
      return FALSE;
    crc = crc32c (crc, buffer, size);
    left -= size;
  }
  return finish_payload (reader, chunk, crc);
}

/* Chunks ------------------------------------------------------------------- */

static gboolean
read_info (Reader      *reader,
           const Chunk *chunk) {
  g_autofree guint8 *json = NULL;
  g_autoptr (TraceInfo) info = NULL;
  g_autoptr (GError) error = NULL;

  if (reader->log != NULL)
    return stop (reader, _("the facts of the run are there twice"));
  if (chunk->codec != TRACE_CODEC_PLAIN)
    return stop (reader, _("a part is packed in an unknown way"));
  json = read_payload (reader, chunk, INFO_MAX_SIZE);
  if (json == NULL)
    return FALSE;
  info = trace_info_from_json ((const char *)json, chunk->stored_size,
                               reader->kinds, &error);
  if (info == NULL)
    return stop (reader, error->message);

  reader->has_our_kinds = TRUE;
  for (guint kind = 0; kind < G_N_ELEMENTS (reader->kinds); kind++)
    reader->has_our_kinds
        &= reader->kinds[kind] == kind || reader->kinds[kind] == EVENT_NONE;
  reader->log = tracelog_new (info, G_MAXSIZE);
  return TRUE;
}

/* Whether the header of a block fits what was read before. */
static gboolean
check_block (Reader            *reader,
             const PackedBlock *block) {
  guint64 length = tracelog_get_length (reader->log);
  g_autofree char *problem = NULL;

  if (block->first != length || length % TRACE_BLOCK_EVENTS != 0)
    problem = g_strdup_printf (_("wanted event %" PRIu64
                                 ", found event %" PRIu64),
                               length, block->first);
  else if (block->t0_ns < reader->last_ns || block->t1_ns < block->t0_ns)
    problem = g_strdup_printf (
        _("wanted a time from %" PRId64 " ns on, found %" PRId64
          " ns"),
        reader->last_ns, MIN (block->t0_ns, block->t1_ns));
  else if (block->codec != TRACE_CODEC_PLAIN && block->codec != TRACE_CODEC_LZ4)
    problem = g_strdup (_("a part is packed in an unknown way"));
  return problem == NULL || stop (reader, problem);
}

/* Takes a proven block into the log; its data, if it stays packed. */
static void
take_block (Reader      *reader,
            PackedBlock *block) {
  if (reader->has_our_kinds && block->n_events == TRACE_BLOCK_EVENTS) {
    tracelog_add_packed (reader->log, block);
    block->data = NULL;
  } else {
    for (guint i = 0; i < block->n_events; i++)
      tracelog_append (reader->log, &reader->events[i]);
  }
  tracelog_publish (reader->log);
  reader->last_ns = block->t1_ns;
}

static gboolean
read_events (Reader      *reader,
             const Chunk *chunk) {
  BlockLimits limits = { reader->kinds,
                         tracelog_get_info (reader->log)->n_threads };
  PackedBlock block = {
    .first = chunk->first,
    .t0_ns = chunk->t0_ns,
    .t1_ns = chunk->t1_ns,
    .n_events = chunk->n_events,
    .raw_size = chunk->raw_size,
    .stored_size = chunk->stored_size,
    .codec = (TraceCodec)chunk->codec,
  };
  const char *problem;
  g_autofree char *phrase = NULL;

  if (!check_block (reader, &block))
    return FALSE;
  block.data = read_payload (reader, chunk, TRACE_RAW_MAX (TRACE_BLOCK_EVENTS));
  if (block.data == NULL)
    return FALSE;
  problem = trace_block_unpack (&block, &limits, reader->events);
  if (problem == NULL)
    take_block (reader, &block);
  g_free (block.data);
  if (problem == NULL)
    return TRUE;
  phrase = g_strdup_printf (_("a block of events has %s"), _(problem));
  return stop (reader, phrase);
}

static gboolean
read_honesty (Reader      *reader,
              const Chunk *chunk) {
  guint64 length = tracelog_get_length (reader->log);
  g_autofree guint8 *payload = NULL;
  g_autofree char *problem = NULL;
  guint64 flags;

  payload = read_payload (reader, chunk, HONESTY_MAX_SIZE);
  if (payload == NULL)
    return FALSE;
  if (chunk->codec != TRACE_CODEC_PLAIN || chunk->stored_size < HONESTY_SIZE)
    return stop (reader, _("the account of the recording is too short"));
  if (bytes_get (payload, 8) != length) {
    problem = g_strdup_printf (_("wanted %" PRIu64
                                 " events, found %" PRIu64),
                               bytes_get (payload, 8), length);
    return stop (reader, problem);
  }
  flags = bytes_get (payload + 40, 4);
  reader->honesty = (TraceHonesty){
    .n_dropped = bytes_get (payload + 8, 8),
    .n_stalls = bytes_get (payload + 16, 8),
    .stalled_ns = (gint64)(bytes_get (payload + 24, 8) & G_MAXINT64),
    .is_complete = (flags & HONESTY_IS_COMPLETE) != 0,
    .was_limited = (flags & HONESTY_WAS_LIMITED) != 0,
  };
  return TRUE;
}

static gboolean
read_end (Reader      *reader,
          const Chunk *chunk) {
  guint8 more;

  if (!skip_payload (reader, chunk))
    return FALSE;
  if (chunk->first != tracelog_get_length (reader->log))
    return stop (reader, _("events are missing before its end"));
  reader->is_ended = TRUE;
  if (read_bytes (reader, &more, 1))
    return stop (reader, _("there are more bytes behind its end"));
  return FALSE;
}

static gboolean
read_chunk_of_type (Reader      *reader,
                    const Chunk *chunk) {
  if (chunk->type == CHUNK_INFO)
    return read_info (reader, chunk);
  if (reader->log == NULL)
    return stop (reader, _("it does not begin with the facts of the run"));
  if (chunk->type == CHUNK_EVENTS)
    return read_events (reader, chunk);
  if (chunk->type == CHUNK_HONESTY)
    return read_honesty (reader, chunk);
  if (chunk->type == CHUNK_END)
    return read_end (reader, chunk);
  if (chunk->type != CHUNK_INDEX && (chunk->flags & CHUNK_MUST_KNOW))
    return stop (reader, _("what follows needs a newer version of Tophash"));
  return skip_payload (reader, chunk);
}

/* One chunk; FALSE ends the walk. */
static gboolean
read_chunk (Reader *reader) {
  guint8 header[CHUNK_HEADER_SIZE];
  Chunk chunk;

  reader->chunk_at = reader->offset;
  if (reader->progress != NULL && reader->size > 0)
    reader->progress (MIN ((double)reader->offset / (double)reader->size, 1),
                      reader->data);
  if (!read_bytes (reader, header, sizeof header))
    return FALSE;
  if (!chunk_read (&chunk, header))
    return stop (reader, _("the head of a part is damaged"));
  return read_chunk_of_type (reader, &chunk);
}

/* The file's header -------------------------------------------------------- */

static gboolean
refuse (Reader          *reader,
        GError         **error,
        TraceLogFileError code,
        const char      *reason) {
  g_set_error (error, TRACELOG_FILE_ERROR, code, _("“%s” cannot be opened: %s"),
               reader->name, reason);
  return FALSE;
}

/* Whether @header is ours after a transfer that took it for a text. */
static gboolean
was_sent_as_text (const guint8 *header) {
  return memcmp (header + 1, &FILE_MAGIC[1], 3) == 0
         && (header[0] == (0x89 & 0x7f) || header[0] == 0x89);
}

static gboolean
check_version (Reader       *reader,
               const guint8 *header,
               GError      **error) {
  guint major = (guint)bytes_get (header + 8, 2);
  guint minor = (guint)bytes_get (header + 10, 2);
  g_autofree char *reason = NULL;

  if (major != FILE_MAJOR || bytes_get (header + 44, 4) != 0) {
    reason = g_strdup_printf (
        _("byte 8: its format is %u.%u; this version of Tophash reads %d.x"),
        major, minor, FILE_MAJOR);
    return refuse (reader, error, TRACELOG_FILE_ERROR_NEWER, reason);
  }
  reader->minor = minor;
  if (bytes_get (header + 12, 4) != FILE_ENDIAN_MARK
      || bytes_get (header + 40, 4) != TRACE_BLOCK_EVENTS)
    return refuse (reader, error, TRACELOG_FILE_ERROR_CORRUPT,
                   _("byte 12: wanted little-endian blocks of 4096 events"));
  return TRUE;
}

static gboolean
read_header (Reader  *reader,
             GError **error) {
  guint8 header[FILE_HEADER_SIZE] = { 0 };
  gboolean is_whole = read_bytes (reader, header, sizeof header);
  g_autofree char *reason = NULL;

  if (reader->failure != NULL)
    return FALSE;
  if (reader->offset == 0)
    return refuse (reader, error, TRACELOG_FILE_ERROR_EMPTY,
                   _("byte 0: the file is empty"));
  if (memcmp (header, FILE_MAGIC, FILE_MAGIC_SIZE) != 0)
    return was_sent_as_text (header)
               ? refuse (reader, error, TRACELOG_FILE_ERROR_CORRUPT,
                         _("byte 0: the file was sent as a text, which changed "
                           "its bytes"))
               : refuse (reader, error, TRACELOG_FILE_ERROR_NOT_A_RECORDING,
                         _("byte 0: the file is not a recording of Tophash"));
  if (!is_whole)
    return refuse (reader, error, TRACELOG_FILE_ERROR_EMPTY,
                   _("the file ends in its header"));
  if (bytes_get (header + 60, 4) != crc32c (0, header, 60)) {
    reason = g_strdup_printf (
        _("byte 60: wanted checksum %08x, found %08x: its header is damaged"),
        (guint)bytes_get (header + 60, 4), crc32c (0, header, 60));
    return refuse (reader, error, TRACELOG_FILE_ERROR_CORRUPT, reason);
  }
  return check_version (reader, header, error);
}

/* Outcomes ----------------------------------------------------------------- */

/* (transfer full): the sentence on what ended the walk; NULL when all is well. */
static char *
describe (Reader *reader) {
  guint64 length = reader->log != NULL ? tracelog_get_length (reader->log) : 0;

  if (reader->problem != NULL)
    return g_strdup_printf (
        _("“%s” is damaged at byte %" PRIu64
          ": %s. Its first %" PRIu64 " events were opened."),
        reader->name, reader->chunk_at, reader->problem, length);
  if (!reader->is_ended)
    return g_strdup_printf (
        _("“%s” is cut off at byte %" PRIu64
          ", in the part from byte %" PRIu64
          " on. Its first %" PRIu64 " events were opened."),
        reader->name, reader->offset, reader->chunk_at, length);
  return NULL;
}

/* Makes the result of a walk that has ended. */
static TraceLog *
conclude (Reader  *reader,
          char   **warning,
          GError **error) {
  g_autofree char *sentence = describe (reader);
  gboolean has_events
      = reader->log != NULL && tracelog_get_length (reader->log) > 0;

  if (sentence != NULL && !has_events) {
    g_autofree char *reason
        = reader->problem != NULL
              ? g_strdup_printf (_("byte %" PRIu64 ": %s"),
                                 reader->chunk_at, reader->problem)
              : g_strdup_printf (_("it is cut off at byte %" PRIu64
                                   ", before its first whole block of events"),
                                 reader->offset);

    refuse (reader, error,
            reader->problem != NULL ? TRACELOG_FILE_ERROR_CORRUPT
                                    : TRACELOG_FILE_ERROR_EMPTY,
            reason);
    return NULL;
  }
  if (sentence != NULL)
    reader->honesty.is_complete = FALSE;
  reader->honesty.lacks_raises = reader->minor < FILE_MINOR_RAISES;
  tracelog_restore (reader->log, &reader->honesty);
  if (warning != NULL)
    *warning = g_steal_pointer (&sentence);
  return tracelog_ref (reader->log);
}

static TraceLog *
open_stream (Reader  *reader,
             char   **warning,
             GError **error) {
  TraceLog *log = NULL;

  if (warning != NULL)
    *warning = NULL;
  reader->events = g_new (Event, TRACE_BLOCK_EVENTS);
  if (read_header (reader, error)) {
    while (read_chunk (reader))
      continue;
    if (reader->failure == NULL)
      log = conclude (reader, warning, error);
  }
  if (reader->failure != NULL) {
    g_propagate_prefixed_error (error, g_steal_pointer (&reader->failure),
                                _("“%s” cannot be read at byte %" PRIu64
                                  ": "),
                                reader->name, reader->offset);
  } else if (log != NULL && reader->progress != NULL) {
    reader->progress (1, reader->data);
  }
  g_clear_pointer (&reader->log, tracelog_unref);
  g_free (reader->events);
  g_free (reader->problem);
  return log;
}

TraceLog *
tracelog_open (GFile            *file,
               TraceLogProgress  progress,
               gpointer          data,
               GCancellable     *cancellable,
               char            **warning,
               GError          **error) {
  g_autofree char *name = file_display_name (file);
  g_autoptr (GFileInputStream) in = g_file_read (file, cancellable, error);
  g_autoptr (GInputStream) buffered = NULL;
  g_autoptr (GFileInfo) info = NULL;
  Reader reader = { .name = name,
                    .progress = progress,
                    .data = data,
                    .cancellable = cancellable };

  if (warning != NULL)
    *warning = NULL;
  if (in == NULL) {
    g_prefix_error (error, _("“%s” cannot be opened: "), name);
    return NULL;
  }
  /* Not knowing the size costs the progress only. */
  info = g_file_input_stream_query_info (in, G_FILE_ATTRIBUTE_STANDARD_SIZE,
                                         cancellable, NULL);
  if (info != NULL)
    reader.size = (guint64)g_file_info_get_size (info);
  buffered = g_buffered_input_stream_new_sized (G_INPUT_STREAM (in), 1 << 18);
  reader.in = buffered;
  return open_stream (&reader, warning, error);
}

TraceLog *
tracelog_open_bytes (GBytes     *bytes,
                     const char *name,
                     char      **warning,
                     GError    **error) {
  g_autoptr (GInputStream) in = g_memory_input_stream_new_from_bytes (bytes);
  Reader reader = { .in = in, .name = name, .size = g_bytes_get_size (bytes) };

  return open_stream (&reader, warning, error);
}
