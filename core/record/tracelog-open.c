/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-open.c — opening .tophash files
 *
 * Idea        A recording may be larger than memory and is opened to be looked
 *             at somewhere: so its END tells where its INDEX and its other parts
 *             stand (FORMAT.md), and its blocks stay in the file until somebody
 *             asks (trace-store.c, tracelog-read.c). What the tables say is held
 *             against the headers of chunks before it is believed. Where END is
 *             missing, wrong or not the last thing in the file, all headers are
 *             walked, front to back: the first that is not as it must be ends
 *             the walk, and what came before it is the log.
 *
 *             The first block is read at once, and the last if it is not full;
 *             all others are proved when they are read: a log may turn out to
 *             be shorter than it seemed (tracelog.c, L5).
 *
 *             Files that have no path are copied to a temporary one first.
 *
 * Safety      Files come from anywhere. Before memory is taken for a part, its
 *             size is checked against what its type can need and what the file
 *             has; tables hold at most as many entries as there is room for
 *             chunks in the file. Nothing is recursive; every step of a walk
 *             moves on by a header at least, every step back along the INDEX
 *             chunks moves back by one, so both end.
 *
 * Outcomes    nothing usable: an error. All of it: a log. Less: a log and a
 *             warning. Cancelling is an error in any case.
 */
#include "core/record/file-place.h"
#include "core/record/crc32c.h"
#include "core/record/tracelog-open-private.h"
#include "core/record/trace-temp.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixoutputstream.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BUFFER_SIZE (1u << 18)

/* The file's header -------------------------------------------------------- */

static gboolean
refuse (Opener           *self,
        GError          **error,
        TraceLogFileError code,
        const char       *reason) {
  g_set_error (error, TRACELOG_FILE_ERROR, (gint)code,
               _("“%s” cannot be opened: %s"),
               trace_store_get_name (self->store), reason);
  return FALSE;
}

/* Whether @header is ours after a transfer that took it for a text. */
static gboolean
was_sent_as_text (const guint8 *header) {
  return memcmp (header + 1, &FILE_MAGIC[1], 3) == 0
         && (header[0] == (0x89 & 0x7f) || header[0] == 0x89);
}

static gboolean
check_version (Opener       *self,
               const guint8 *header,
               GError      **error) {
  guint major = (guint)bytes_get (header + 8, 2);
  guint minor = (guint)bytes_get (header + 10, 2);
  guint features = (guint)bytes_get (header + 44, 4);
  g_autofree char *reason = NULL;

  if (major == FILE_MAJOR && (features & ~FILE_FEATURES) != 0) {
    reason = g_strdup_printf (
        _("byte 44: it needs a newer version of Tophash (features %08x are not "
          "known)"),
        features & ~FILE_FEATURES);
    return refuse (self, error, TRACELOG_FILE_ERROR_NEWER, reason);
  }
  if (major != FILE_MAJOR) {
    reason = g_strdup_printf (
        major > FILE_MAJOR
            ? _("byte 8: wanted format %d.x, found %u.%u: it needs a newer version "
                "of Tophash")
            : _("byte 8: wanted format %d.x, found %u.%u"),
        FILE_MAJOR, major, minor);
    return refuse (self, error, TRACELOG_FILE_ERROR_NEWER, reason);
  }
  self->minor = minor;
  self->is_newer = minor > FILE_MINOR;
  if (bytes_get (header + 12, 4) != FILE_ENDIAN_MARK
      || bytes_get (header + 40, 4) != TRACE_BLOCK_EVENTS)
    return refuse (self, error, TRACELOG_FILE_ERROR_CORRUPT,
                   _("byte 12: wanted little-endian blocks of 4096 events"));
  return TRUE;
}

static gboolean
read_header (Opener  *self,
             GError **error) {
  guint8 header[FILE_HEADER_SIZE] = { 0 };
  const char *failure;
  gsize n_read
      = trace_store_read (self->store, 0, header, sizeof header, &failure);
  g_autofree char *reason = NULL;

  if (failure != NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                 _("“%s” cannot be opened: %s"),
                 trace_store_get_name (self->store), failure);
    return FALSE;
  }
  if (n_read == 0)
    return refuse (self, error, TRACELOG_FILE_ERROR_EMPTY,
                   _("byte 0: the file is empty"));
  if (memcmp (header, FILE_MAGIC, FILE_MAGIC_SIZE) != 0)
    return was_sent_as_text (header)
               ? refuse (self, error, TRACELOG_FILE_ERROR_CORRUPT,
                         _("byte 0: the file was sent as a text, which changed "
                           "its bytes"))
               : refuse (self, error, TRACELOG_FILE_ERROR_NOT_A_RECORDING,
                         _("byte 0: the file is not a recording of Tophash"));
  if (n_read < sizeof header)
    return refuse (self, error, TRACELOG_FILE_ERROR_EMPTY,
                   _("the file ends in its header"));
  if ((guint32)bytes_get (header + 60, 4) != crc32c (0, header, 60)) {
    reason = g_strdup_printf (
        _("byte 60: wanted checksum %08x, found %08x: its header is damaged"),
        (guint)bytes_get (header + 60, 4), crc32c (0, header, 60));
    return refuse (self, error, TRACELOG_FILE_ERROR_CORRUPT, reason);
  }
  memcpy (self->uuid, header + FILE_UUID_AT, sizeof self->uuid);
  return check_version (self, header, error);
}

/* Outcomes ----------------------------------------------------------------- */

/* (transfer full): the sentence on why not all was opened; NULL when it was. */
static char *
describe (Opener  *self,
          guint64  length) {
  const char *name = trace_store_get_name (self->store);

  if (self->problem == NULL && self->is_ended && self->honesty.is_complete)
    return NULL;
  if (self->may_grow)
    return g_strdup_printf (_("“%s” is still being recorded: it is shown as it "
                              "grows."),
                            name);
  if (trace_store_is_locked (self->store))
    return g_strdup_printf (_("“%s” is still being recorded. Its first %" PRIu64
                              " events were opened."),
                            name, length);
  if (self->needs_newer)
    return g_strdup_printf (_("“%s” goes on at byte %" PRIu64
                              " with what needs a newer version of Tophash. Its "
                              "first %" PRIu64 " events were opened."),
                            name, self->chunk_at, length);
  if (self->problem != NULL)
    return g_strdup_printf (_("“%s” is damaged at byte %" PRIu64
                              ": %s. Its first %" PRIu64
                              " events were opened."),
                            name, self->chunk_at, self->problem, length);
  if (!self->is_ended)
    return g_strdup_printf (_("“%s” is cut off at byte %" PRIu64
                              ", in the part from byte %" PRIu64
                              " on. Its first %" PRIu64
                              " events were opened."),
                            name, self->offset, self->chunk_at, length);
  return NULL;
}

/* (transfer full): the sentence for tracelog_dup_newer(). */
static char *
describe_newer (Opener *self) {
  if (!self->is_newer)
    return NULL;
  return g_strdup_printf (_("“%s” was made by a newer version of Tophash. What only that "
                            "one knows is not shown, and a copy saved here lacks it."),
                          trace_store_get_name (self->store));
}

/* Refuses a file of which nothing could be opened. */
static void
refuse_empty (Opener  *self,
              GError **error) {
  g_autofree char *reason
      = self->problem != NULL
            ? g_strdup_printf (_("byte %" PRIu64 ": %s"), self->chunk_at,
                               self->problem)
            : g_strdup_printf (_("it is cut off at byte %" PRIu64
                                 ", before its first whole block of events"),
                               self->offset);

  refuse (self, error,
          self->problem != NULL ? TRACELOG_FILE_ERROR_CORRUPT
                                : TRACELOG_FILE_ERROR_EMPTY,
          reason);
}

/* Appends the last block, which is not full; it was in the table. */
static gboolean
append_last (Opener           *self,
             TraceLog         *log,
             const BlockPlace *place) {
  g_autofree Event *events = g_new (Event, TRACE_BLOCK_EVENTS);
  PackedBlock wanted = {
    .first = (self->places->len - 1) * (guint64)TRACE_BLOCK_EVENTS,
    .n_events = self->n_last,
    .t0_ns = place->t0_ns,
    .t1_ns = G_MAXINT64,
  };
  const char *flaw = NULL;
  PackedBlock block;
  char *problem
      = trace_store_read_block (self->store, place->offset, &wanted, &block);

  if (problem == NULL) {
    flaw = trace_block_unpack (&block, trace_store_get_limits (self->store),
                               events);
    g_free (block.data);
  }
  if (flaw != NULL)
    problem = g_strdup_printf (_("a block of events has %s"), _(flaw));
  if (problem != NULL) {
    self->chunk_at = place->offset;
    return opener_stop (self, problem);
  }
  for (guint i = 0; i < block.n_events; i++)
    tracelog_append (log, &events[i]);
  return TRUE;
}

/* (transfer full): the log of the places found. */
static TraceLog *
make_log (Opener *self) {
  TraceLog *log = tracelog_new (self->info, G_MAXSIZE);
  guint n = self->places->len;
  const BlockPlace *places = (const BlockPlace *)(void *)self->places->data;

  if (n > 0 && self->n_last < TRACE_BLOCK_EVENTS)
    n--;
  tracelog_attach (log, self->store, places, n);
  if (n < self->places->len)
    append_last (self, log, &places[n]);
  tracelog_publish (log);
  return log;
}

/* Gives the log its notes; (transfer full): a sentence when they are bad, which
 * costs nothing else. */
static char *
take_notes (Opener   *self,
            TraceLog *log) {
  g_autofree guint8 *json = NULL;
  g_autoptr (TraceNotes) notes = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *problem = NULL;
  Chunk chunk;

  if (self->notes_at == 0)
    return NULL;
  problem = trace_store_read_header (self->store, self->notes_at, &chunk);
  if (problem == NULL
      && (chunk.type != CHUNK_NOTES || chunk.codec != TRACE_CODEC_PLAIN))
    problem = g_strdup (_("a part is packed in an unknown way"));
  if (problem == NULL)
    problem = trace_store_read_payload (self->store, self->notes_at, &chunk,
                                        NOTES_MAX_SIZE, &json);
  if (problem == NULL) {
    notes = trace_notes_from_json ((const char *)json, chunk.stored_size,
                                   &error);
    if (notes != NULL) {
      tracelog_set_notes (log, notes);
      return NULL;
    }
    problem = g_strdup (error->message);
  }
  return g_strdup_printf (_("The notes in “%s”, at byte %" PRIu64
                            ", cannot be read: %s. All events were opened."),
                          trace_store_get_name (self->store), self->notes_at,
                          problem);
}

/* Makes the result of tables or walk. */
static TraceLog *
conclude (Opener  *self,
          char   **warning,
          GError **error) {
  g_autoptr (TraceLog) log = NULL;
  g_autoptr (TraceBlock) first = NULL;
  g_autofree char *sentence = NULL;
  guint64 length;

  if (self->info == NULL) {
    refuse_empty (self, error);
    return NULL;
  }
  log = make_log (self);
  first = tracelog_ref_block (log, 0);
  length = tracelog_get_length (log);
  if (first == NULL && opener_length (self) > 0 && self->problem == NULL) {
    g_autofree char *damage = tracelog_dup_damage (log);

    g_set_error_literal (error, TRACELOG_FILE_ERROR,
                         TRACELOG_FILE_ERROR_CORRUPT, damage);
    return NULL;
  }
  if (self->problem != NULL || !self->is_ended || !self->has_honesty)
    self->honesty.is_complete = FALSE;
  sentence = describe (self, length);
  if (sentence != NULL && length == 0 && !self->may_grow) {
    refuse_empty (self, error);
    return NULL;
  }
  if (sentence == NULL)
    sentence = take_notes (self, log);
  else
    g_free (take_notes (self, log));
  log->lacks_parts = sentence != NULL && !self->may_grow
                     && !trace_store_is_locked (self->store);
  log->newer = describe_newer (self);
  for (guint i = 0; i < self->keyframes->len; i++)
    tracelog_attach_keyframe (
        log, &g_array_index (self->keyframes, KeyframePlace, i));
  memcpy (log->uuid, self->uuid, sizeof log->uuid);
  self->honesty.lacks_raises |= self->minor < FILE_MINOR_RAISES;
  g_clear_pointer (&log->waits, g_array_unref);
  log->waits = g_steal_pointer (&self->waits);
  if (self->may_grow) {
    tracelog_publish (log);
    log->honesty = self->honesty;
    tracelog_show_honesty_locked (log);
    log->growth = trace_growth_new (self);
  } else {
    tracelog_restore (log, &self->honesty);
  }
  if (warning != NULL)
    *warning = g_steal_pointer (&sentence);
  return g_steal_pointer (&log);
}

static TraceLog *
open_store (Opener  *self,
            char   **warning,
            GError **error) {
  if (!read_header (self, error)
      || g_cancellable_set_error_if_cancelled (self->cancellable, error))
    return NULL;
  if (!(opener_read_info (self) && opener_read_tables (self))
      && !opener_walk (self, error))
    return NULL;
  self->may_grow &= self->mark.offset != 0;
  if (self->may_grow)
    opener_return_to_mark (self);
  return conclude (self, warning, error);
}

void
opener_clear (Opener *self) {
  g_clear_pointer (&self->places, g_array_unref);
  g_clear_pointer (&self->keyframes, g_array_unref);
  g_clear_pointer (&self->waits, g_array_unref);
  trace_info_free (self->info);
  g_free (self->problem);
  trace_store_unref (self->store);
}

static TraceLog *
open_and_clear (Opener  *self,
                char   **warning,
                GError **error) {
  TraceLog *log;

  if (warning != NULL)
    *warning = NULL;
  /* The lock first: when it is gone, the size is the last one. */
  self->may_grow = self->may_grow && trace_store_is_locked (self->store);
  self->size = trace_store_get_size (self->store);
  self->places = g_array_new (FALSE, FALSE, sizeof (BlockPlace));
  self->keyframes = g_array_new (FALSE, FALSE, sizeof (KeyframePlace));
  log = open_store (self, warning, error);
  if (log != NULL && self->progress != NULL)
    self->progress (1, self->data);
  opener_clear (self);
  return log;
}

/* Files -------------------------------------------------------------------- */

/* A descriptor of a file that can be read at any place; -1: it has none. */
static int
open_path (GFile *file) {
  g_autofree char *path = g_file_get_path (file);
  struct stat facts;
  int fd;

  /* Not waiting for the other end of a pipe; regular files do not mind. */
  fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
  if (fd >= 0 && (fstat (fd, &facts) != 0 || !S_ISREG (facts.st_mode))) {
    close (fd);
    return -1;
  }
  return fd;
}

/* Copies what @in gives; @size: expected, 0 = unknown. What is no recording may have
 * no end either: its first bytes show it as well as all would. */
static gboolean
copy_stream (Opener        *self,
             GInputStream  *in,
             GOutputStream *out,
             guint64        size,
             GError       **error) {
  g_autofree guint8 *buffer = g_malloc (COPY_BUFFER_SIZE);
  guint64 n_copied = FILE_HEADER_SIZE;
  gsize n_first;
  gssize n;

  if (!g_input_stream_read_all (in, buffer, FILE_HEADER_SIZE, &n_first,
                                self->cancellable, error)
      || !g_output_stream_write_all (out, buffer, n_first, NULL, self->cancellable,
                                     error))
    return FALSE;
  if (n_first < FILE_HEADER_SIZE || memcmp (buffer, FILE_MAGIC, FILE_MAGIC_SIZE) != 0)
    return TRUE;
  while ((n = g_input_stream_read (in, buffer, COPY_BUFFER_SIZE,
                                   self->cancellable, error))
         > 0) {
    if (!g_output_stream_write_all (out, buffer, (gsize)n, NULL,
                                    self->cancellable, error))
      return FALSE;
    n_copied += (guint64)n;
    if (self->progress != NULL && size > 0)
      self->progress (MIN ((double)n_copied / (double)size, 1), self->data);
  }
  return n == 0;
}

/* A descriptor of a temporary copy of @file; -1: it failed. */
static int
copy_file (Opener  *self,
           GFile   *file,
           GError **error) {
  g_autoptr (GFileInputStream) in = g_file_read (file, self->cancellable, error);
  g_autoptr (GOutputStream) out = NULL;
  g_autoptr (GFileInfo) info = NULL;
  int fd;

  if (in == NULL)
    return -1;
  fd = trace_temp_open (NULL, error);
  if (fd < 0)
    return -1;
  out = g_unix_output_stream_new (fd, FALSE);
  /* Not knowing the size costs the progress only. */
  info = g_file_input_stream_query_info (in, G_FILE_ATTRIBUTE_STANDARD_SIZE,
                                         self->cancellable, NULL);
  if (copy_stream (self, G_INPUT_STREAM (in), out,
                   info != NULL ? (guint64)g_file_info_get_size (info) : 0,
                   error))
    return fd;
  close (fd);
  return -1;
}

/* @self: progress and what else is asked for. */
static TraceLog *
open_file (Opener  *self,
           GFile   *file,
           char   **warning,
           GError **error) {
  g_autofree char *name = file_display_name (file);
  g_autoptr (GError) failure = NULL;
  int fd = open_path (file);

  if (warning != NULL)
    *warning = NULL;
  if (fd < 0)
    fd = copy_file (self, file, &failure);
  if (fd < 0) {
    g_set_error (error, failure->domain, failure->code,
                 _("“%s” cannot be opened: %s"), name,
                 file_plain_open_reason (failure));
    return NULL;
  }
  self->store = trace_store_new_for_fd (fd, name);
  return open_and_clear (self, warning, error);
}

TraceLog *
tracelog_open (GFile            *file,
               TraceLogProgress  progress,
               gpointer          data,
               GCancellable     *cancellable,
               char            **warning,
               GError          **error) {
  Opener self = { .progress = progress,
                  .data = data,
                  .cancellable = cancellable };

  return open_file (&self, file, warning, error);
}

TraceLog *
tracelog_open_growing (GFile            *file,
                       TraceLogProgress  progress,
                       gpointer          data,
                       GCancellable     *cancellable,
                       char            **warning,
                       GError          **error) {
  Opener self = { .progress = progress,
                  .data = data,
                  .cancellable = cancellable,
                  .may_grow = TRUE };

  return open_file (&self, file, warning, error);
}

TraceLog *
tracelog_open_bytes (GBytes     *bytes,
                     const char *name,
                     char      **warning,
                     GError    **error) {
  Opener self = { .store = trace_store_new_for_bytes (bytes, name) };

  return open_and_clear (&self, warning, error);
}
