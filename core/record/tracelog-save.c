/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-save.c — logs into .tophash files
 *
 * Written beside the target under another name, synced, renamed: the target is
 * the old file or the whole new one, never in between; and so is what a link of
 * that name leads to, with the rights that it had. A log that reads its
 * blocks from the very file goes on reading them from the old one. Blocks are
 * packed anew on the way (trace-apart.c), in as many threads as there are
 * processors; those of a file that was saved before stay as they are.
 *
 * Changed notes alone are appended to a file that holds the events already: NOTES
 * and an END, some KiB whatever the file's size. Until that END is whole the old
 * one is, and what follows it is cut off again when writing fails.
 */
#include "core/record/file-place.h"
#include "core/record/trace-apart-private.h"
#include "core/record/trace-writer-private.h"
#include "core/record/trace-zstd-private.h"
#include "core/record/tracelog-open-private.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixoutputstream.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

/* Blocks packed at a time: some MiB, enough for every processor. */
#define BATCH 64u
#define MAX_THREADS 8

/* A block that was there when saving began proved bad. */
static gboolean
fail_damaged (TraceLog *log,
              GError  **error) {
  g_autofree char *damage = tracelog_dup_damage (log);

  g_set_error_literal (error, TRACELOG_FILE_ERROR, TRACELOG_FILE_ERROR_CORRUPT,
                       damage);
  return FALSE;
}

/* A block to be packed anew. */
typedef struct {
  TraceLog   *log;
  guint64     first;
  guint64     length; /* of the log */
  PackedBlock packed;
  guint8     *raw;    /* NULL: it stays as it is packed */
  TraceSlots  slots;  /* of raw */
  gboolean    is_good;
} Job;

/* What the threads of a batch share: each takes the next job that is left. */
typedef struct {
  Job            *jobs;
  guint           n;
  void          (*work) (Job *job);
  _Atomic (guint) n_taken;
} Batch;

/* Gets one block; the open one as far as it is below the length. */
static void
fetch (Job *job) {
  guint64 left = job->length - job->first;

  job->is_good = TRUE;
  if (left < TRACE_BLOCK_EVENTS
      || !tracelog_dup_packed (job->log, job->first / TRACE_BLOCK_EVENTS,
                               &job->packed)) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (job->log, job->first);

    job->is_good = block != NULL && block->n_events >= MIN (left, 4096);
    if (job->is_good)
      trace_block_pack (&job->packed, job->first, block->events,
                        (guint)MIN (left, TRACE_BLOCK_EVENTS));
  }
  if (job->is_good)
    job->raw = trace_block_dup_raw (&job->packed);
}

static void
repack (Job *job) {
  if (job->raw == NULL)
    return;
  if (job->packed.n_events == TRACE_BLOCK_EVENTS)
    trace_apart_repack (&job->packed, &job->slots, job->raw);
  else
    trace_zstd_repack (&job->packed, job->raw);
}

static void *
work_thread (void *data) {
  Batch *batch = data;
  guint i;

  /* Relaxed: a job is its taker's alone; creating and joining the thread order
   * everything else. */
  while ((i = atomic_fetch_add_explicit (&batch->n_taken, 1,
                                         memory_order_relaxed))
         < batch->n)
    batch->work (&batch->jobs[i]);
  return NULL;
}

/* Side by side: this thread and as many more as there are processors for. */
static void
work_batch (Job   *jobs,
            guint  n,
            void (*work) (Job *job)) {
  guint n_more = CLAMP (g_get_num_processors (), 1, MAX_THREADS) - 1;
  Batch batch = { .jobs = jobs, .n = n, .work = work };
  pthread_t threads[MAX_THREADS];
  guint n_started = 0;

  while (n_started < n_more
         && pthread_create (&threads[n_started], NULL, work_thread, &batch) == 0)
    n_started++;
  work_thread (&batch);
  for (guint i = 0; i < n_started; i++)
    pthread_join (threads[i], NULL);
}

/* Up to BATCH blocks from @first on, packed side by side, seen and written in
 * order. */
static gboolean
put_batch (TraceWriter *writer,
           TraceLog    *log,
           TraceTables *tables,
           guint64      first,
           guint64      length,
           GError     **error) {
  g_autofree Job *jobs = g_new0 (Job, BATCH);
  gboolean is_good = TRUE;
  guint n = 0;

  for (; n < BATCH && first < length; n++, first += TRACE_BLOCK_EVENTS)
    jobs[n] = (Job){ .log = log, .first = first, .length = length };
  work_batch (jobs, n, fetch);
  for (guint i = 0; i < n; i++)
    if (jobs[i].raw != NULL)
      trace_tables_see (tables, jobs[i].raw, jobs[i].packed.n_events,
                        &jobs[i].slots);
  work_batch (jobs, n, repack);
  for (guint i = 0; i < n; i++) {
    if (is_good && !jobs[i].is_good)
      is_good = fail_damaged (log, error);
    is_good = is_good && trace_writer_put_block (writer, &jobs[i].packed, error);
    if (jobs[i].is_good)
      g_free (jobs[i].packed.data);
    g_free (jobs[i].raw);
  }
  return is_good;
}

static gboolean
put_keyframes (TraceWriter *writer,
               TraceLog    *log,
               guint64      length,
               GError     **error) {
  guint n = tracelog_n_keyframes (log);

  for (guint i = 0; i < n; i++) {
    TraceKeyframe facts;
    g_autoptr (GBytes) payload = tracelog_dup_keyframe (log, i, &facts);

    /* A damaged one is left out: the events are the truth. */
    if (payload != NULL && facts.position <= length
        && !trace_writer_put_keyframe (writer, &facts, payload, error))
      return FALSE;
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
  g_autoptr (TraceTables) tables = trace_tables_new ();
  guint features = FILE_FEATURE_ZSTD;
  TraceHonesty honesty;
  guint64 length;

  /* Honesty first: what it calls complete is complete below this length. */
  tracelog_get_honesty (log, &honesty);
  length = honesty.is_complete ? honesty.n_events : tracelog_get_length (log);
  if (length >= TRACE_BLOCK_EVENTS)
    features |= FILE_FEATURE_APART;
  if (!trace_writer_put_head (writer, tracelog_get_info (log), features, uuid,
                              error))
    return FALSE;
  for (guint64 first = 0; first < length; first += BATCH * TRACE_BLOCK_EVENTS) {
    if (!put_batch (writer, log, tables, first, length, error)
        || g_cancellable_set_error_if_cancelled (writer->cancellable, error))
      return FALSE;
    if (progress != NULL)
      progress ((double)first / (double)length, data);
  }
  return put_keyframes (writer, log, length, error)
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
  guint8 uuid[16], own[16];
  const char *failure;

  pthread_mutex_lock (&self->lock);
  memcpy (own, self->uuid, sizeof own);
  pthread_mutex_unlock (&self->lock);
  if (trace_store_read (opener->store, FILE_UUID_AT, uuid, sizeof uuid,
                        &failure) == sizeof uuid
      && memcmp (uuid, own, sizeof own) == 0
      && !trace_store_is_locked (opener->store) && opener_read_info (opener)
      && opener_read_tables (opener)
      && opener_length (opener) == tracelog_get_length (self))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               _("“%s” is not the file of this recording, or is not whole"),
               trace_store_get_name (opener->store));
  return FALSE;
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
