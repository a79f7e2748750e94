/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-save.c — logs into .tophash files
 *
 * Written beside the target under another name, synced, renamed: the target is
 * the old file or the whole new one, never in between. A log that reads its
 * blocks from the very file goes on reading them from the old one.
 */
#include "core/record/trace-writer-private.h"
#include "core/record/tracelog-private.h"

#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

/* A block that was there when saving began proved bad. */
static gboolean
fail_damaged (TraceLog *log,
              GError  **error) {
  g_autofree char *damage = tracelog_dup_damage (log);

  g_set_error_literal (error, TRACELOG_FILE_ERROR, TRACELOG_FILE_ERROR_CORRUPT,
                       damage);
  return FALSE;
}

/* The block that begins at @first of a log of @length events; the open one is
 * packed as far as it is below @length. */
static gboolean
put_block (TraceWriter *writer,
           TraceLog    *log,
           guint64      first,
           guint64      length,
           GError     **error) {
  g_autoptr (TraceBlock) block = NULL;
  PackedBlock packed;
  gboolean is_put;

  if (length - first < TRACE_BLOCK_EVENTS
      || !tracelog_dup_packed (log, first / TRACE_BLOCK_EVENTS, &packed)) {
    block = tracelog_ref_block (log, first);
    if (block == NULL)
      return fail_damaged (log, error);
    trace_block_pack (&packed, first, block->events,
                      (guint)MIN (length - first, TRACE_BLOCK_EVENTS));
  }
  is_put = trace_writer_put_block (writer, &packed, error);
  g_free (packed.data);
  return is_put;
}

static gboolean
put_log (TraceWriter      *writer,
         TraceLog         *log,
         TraceLogProgress  progress,
         gpointer          data,
         GError          **error) {
  TraceHonesty honesty;
  guint64 length;

  /* Honesty first: what it calls complete is complete below this length. */
  tracelog_get_honesty (log, &honesty);
  length = honesty.is_complete ? honesty.n_events : tracelog_get_length (log);
  if (!trace_writer_put_head (writer, tracelog_get_info (log), 0, NULL, error))
    return FALSE;
  for (guint64 first = 0; first < length; first += TRACE_BLOCK_EVENTS) {
    if (!put_block (writer, log, first, length, error))
      return FALSE;
    if (progress != NULL)
      progress ((double)first / (double)length, data);
  }
  return trace_writer_put_honesty (writer, &honesty, length, error)
         && trace_writer_put_end (writer, TRUE, length, error);
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
  TraceWriter writer;
  gboolean is_written;

  if (out == NULL)
    return FALSE;
  trace_writer_init (&writer, G_OUTPUT_STREAM (out), 0, cancellable);
  is_written = put_log (&writer, self, progress, data, error);
  trace_writer_clear (&writer);
  if (!is_written) {
    g_output_stream_close (G_OUTPUT_STREAM (out), NULL, NULL);
    return FALSE;
  }
  if (!g_output_stream_close (G_OUTPUT_STREAM (out), cancellable, error))
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
