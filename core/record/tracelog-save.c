/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-save.c — logs into .tophash files
 *
 * Written beside the target under another name, synced, renamed: the target is
 * the old file or the whole new one, never in between; and so is what a link of
 * that name leads to, with the rights that it had. A log that reads its
 * blocks from the very file goes on reading them from the old one. Blocks
 * (trace-belt.c) and states are packed anew on the way, in as many threads as there
 * are processors; those of a file that was saved before stay as they are.
 *
 * Changed notes alone are appended to a file that holds the events already: NOTES,
 * HONESTY if what recording costs was measured since, and an END, some KiB whatever the
 * file's size. Until that END is whole the old one is, and what follows it is cut off
 * again when writing fails. A file of a newer version is left alone: notes may have
 * members there that would be lost.
 */
#include "core/record/file-place.h"
#include "core/record/trace-belt-private.h"
#include "core/record/trace-keyframe-private.h"
#include "core/record/tracelog-open-private.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixoutputstream.h>
#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* Measured: packing a frame of a state anew takes as long as so many blocks. */
#define BLOCKS_PER_FRAME 4u

/* Less is lost in a file, which counts picoseconds. */
#define LEAST_COST_NS 0.002

/* How much of a save is done: in blocks. */
typedef struct {
  guint64          n_done;
  guint64          n_blocks; /* and all the frames of states, as many as these take */
  TraceLogProgress progress; /* nullable */
  gpointer         data;
} Share;

static void
tell_share (guint64  n_blocks,
            gpointer data) {
  Share *share = data;

  share->n_done = n_blocks;
  if (share->progress != NULL)
    share->progress (MIN ((double)n_blocks / (double)share->n_blocks, 1),
                     share->data);
}

static guint64
count_frames (TraceLog *log,
              guint64   length) {
  TraceKeyframe facts;
  guint64 n = 0;

  for (guint64 at = length; tracelog_find_keyframe (log, at, &facts);
       at = facts.position - 1) {
    n += facts.n_frames;
    if (facts.position == 0)
      break;
  }
  return n;
}

static gboolean
put_keyframes (TraceWriter *writer,
               TraceLog    *log,
               guint64      length,
               Crew        *crew,
               Share       *share,
               GError     **error) {
  guint n = tracelog_n_keyframes (log);

  for (guint i = 0; i < n; i++) {
    TraceKeyframe facts;
    g_autoptr (GBytes) payload = tracelog_dup_keyframe (log, i, &facts);
    g_autoptr (GBytes) packed = NULL;

    /* A damaged one is left out: the events are the truth. */
    if (payload == NULL || facts.position > length)
      continue;
    packed = trace_keyframe_repack (payload, crew);
    if (!trace_writer_put_keyframe (writer, &facts, packed, error)
        || g_cancellable_set_error_if_cancelled (writer->cancellable, error))
      return FALSE;
    tell_share (share->n_done + (guint64)facts.n_frames * BLOCKS_PER_FRAME, share);
  }
  return TRUE;
}

static gboolean
put_log (TraceWriter      *writer,
         TraceLog         *log,
         guint8            uuid[16],
         TraceLogProgress  progress,
         gpointer          data,
         GError          **error) {
  g_autoptr (TraceNotes) notes = tracelog_dup_notes (log);
  g_autoptr (GArray) waits = tracelog_dup_waits (log);
  g_autoptr (Crew) crew = crew_new ();
  Share share = { .progress = progress, .data = data };
  guint features = FILE_FEATURE_ZSTD;
  TraceHonesty honesty;
  guint64 length;

  /* Honesty first: what it calls complete is complete below this length. */
  tracelog_get_honesty (log, &honesty);
  length = honesty.is_complete ? honesty.n_events : tracelog_get_length (log);
  share.n_blocks = length / TRACE_BLOCK_EVENTS + 1
                   + count_frames (log, length) * BLOCKS_PER_FRAME;
  if (length >= TRACE_BLOCK_EVENTS)
    features |= FILE_FEATURE_APART;
  return trace_writer_put_head (writer, tracelog_get_info (log), features, uuid,
                                error)
         && trace_belt_run (log, length, crew, writer, tell_share, &share, error)
         && put_keyframes (writer, log, length, crew, &share, error)
         && trace_writer_put_notes (writer, notes, length, error)
         && trace_writer_put_honesty (writer, &honesty, waits, length, error)
         && trace_writer_put_end (writer, TRUE, length, error);
}

/* What is to be saved, and as what. */
typedef struct {
  TraceLog        *log;
  guint8           uuid[16]; /* set: of the file */
  TraceLogProgress progress;
  gpointer         data;
  GCancellable    *cancellable;
} SaveJob;

static gboolean
save_cb (GOutputStream *out,
         gpointer       data,
         GError       **error) {
  SaveJob *job = data;
  TraceWriter writer;
  gboolean is_written;

  trace_writer_init (&writer, out, 0, job->cancellable);
  is_written = put_log (&writer, job->log, job->uuid, job->progress, job->data,
                        error);
  trace_writer_clear (&writer);
  return is_written;
}

gboolean
tracelog_save (TraceLog         *self,
               GFile            *file,
               TraceLogProgress  progress,
               gpointer          data,
               GCancellable     *cancellable,
               GError          **error) {
  SaveJob job = { .log = self,
                  .progress = progress,
                  .data = data,
                  .cancellable = cancellable };

  if (!file_write_whole (file, save_cb, &job, cancellable, error))
    return FALSE;
  pthread_mutex_lock (&self->lock);
  memcpy (self->uuid, job.uuid, sizeof self->uuid);
  pthread_mutex_unlock (&self->lock);
  if (progress != NULL)
    progress (1, data);
  return TRUE;
}

/* Notes -------------------------------------------------------------------- */

static gboolean
fail_errno (GError **error) {
  int problem = errno;

  g_set_error_literal (error, G_IO_ERROR, (gint)g_io_error_from_errno (problem),
                       g_strerror (problem));
  return FALSE;
}

/* Finds out where everything stands in a file that must be this log's. */
static gboolean
read_places (TraceLog *self,
             Opener   *opener,
             GError  **error) {
  guint8 uuid[16], own[16], minor[2];
  const char *failure;

  pthread_mutex_lock (&self->lock);
  memcpy (own, self->uuid, sizeof own);
  pthread_mutex_unlock (&self->lock);
  if (trace_store_read (opener->store, FILE_UUID_AT, uuid, sizeof uuid,
                        &failure) == sizeof uuid
      && memcmp (uuid, own, sizeof own) == 0
      && trace_store_read (opener->store, 10, minor, sizeof minor, &failure)
             == sizeof minor
      && bytes_get (minor, sizeof minor) <= FILE_MINOR
      && !trace_store_is_locked (opener->store) && opener_read_info (opener)
      && opener_read_tables (opener)
      && opener_length (opener) == tracelog_get_length (self))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               _("“%s” is not the file of this recording, or is not whole"),
               trace_store_get_name (opener->store));
  return FALSE;
}

/* What recording costs may have been measured since the file was written. */
static gboolean
put_cost (TraceWriter  *writer,
          TraceLog     *log,
          const Opener *opener,
          guint64       length,
          GError      **error) {
  g_autoptr (GArray) waits = NULL;
  TraceHonesty honesty;

  tracelog_get_honesty (log, &honesty);
  if (fabs (honesty.blind_ns - opener->honesty.blind_ns) < LEAST_COST_NS
      && fabs (honesty.recorded_ns - opener->honesty.recorded_ns) < LEAST_COST_NS)
    return TRUE;
  waits = tracelog_dup_waits (log);
  return trace_writer_put_honesty (writer, &honesty, waits, length, error);
}

static gboolean
append_notes (TraceLog *self,
              Opener   *opener,
              int       fd,
              GError  **error) {
  g_autoptr (TraceNotes) notes = tracelog_dup_notes (self);
  g_autoptr (GOutputStream) out = g_unix_output_stream_new (fd, FALSE);
  guint64 length = opener_length (opener);
  gboolean is_written;
  TraceWriter writer;

  if (lseek (fd, (off_t)opener->size, SEEK_SET) < 0)
    return fail_errno (error);
  trace_writer_init (&writer, out, opener->size, NULL);
  writer.index_at = opener->index_at;
  writer.honesty_at = opener->honesty_at;
  g_array_append_vals (writer.keyframes, opener->keyframes->data,
                       opener->keyframes->len);
  is_written = trace_writer_put_notes (&writer, notes, length, error)
               && put_cost (&writer, self, opener, length, error)
               && trace_writer_put_end (&writer, FALSE, length, error);
  trace_writer_clear (&writer);
  if (is_written && fsync (fd) != 0)
    is_written = fail_errno (error);
  /* Nothing to be done where even this fails: the old END is found by a walk. */
  if (!is_written && ftruncate (fd, (off_t)opener->size) != 0)
    g_debug ("a half-written note stays: %s", g_strerror (errno));
  return is_written;
}

gboolean
tracelog_save_notes (TraceLog *self,
                     GFile    *file,
                     GError  **error) {
  g_autofree char *path = g_file_get_path (file);
  g_autofree char *name = file_display_name (file);
  int fd = path != NULL ? open (path, O_RDWR | O_CLOEXEC) : -1;
  GError *failure = NULL;
  gboolean is_saved;
  Opener opener = { .minor = 0 };

  if (fd < 0) {
    errno = path != NULL ? errno : ENOTSUP;
    fail_errno (&failure);
    file_fail_save (file, failure, error);
    return FALSE;
  }
  opener.store = trace_store_new_for_fd (fd, name);
  opener.size = trace_store_get_size (opener.store);
  opener.places = g_array_new (FALSE, FALSE, sizeof (BlockPlace));
  opener.keyframes = g_array_new (FALSE, FALSE, sizeof (KeyframePlace));
  is_saved = read_places (self, &opener, error)
             && append_notes (self, &opener, fd, &failure);
  opener_clear (&opener);
  if (failure != NULL)
    file_fail_save (file, failure, error);
  return is_saved;
}
