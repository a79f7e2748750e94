/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-sink.c — a log under recording that is larger than memory
 *
 * Idea        Packed blocks go to a file behind the recorder's back: a thread
 *             takes them in order, writes them a batch at a time and then frees
 *             the oldest in memory. Who reads them finds them in the file, like
 *             those of a recording that was opened. The file is either a
 *             temporary one without a name, made when half of the memory bound
 *             is used, or the recording itself (tracelog_record_to()), which
 *             then ends a generation (FORMAT.md) every 256 blocks or second:
 *             whatever kills the program, the file is good up to there.
 *
 * States      that somebody left with the log meanwhile (trace-keyframe.h) go into
 *             the next generation, and leave memory when that is ended.
 *
 * Waiting     The recorder waits for the thread only when the memory bound is
 *             reached, not for single writes.
 *
 * Ends        A write that fails, the bound on disk, or a file that another program
 *             has cut ends the run as a full log does, with a sentence. Blocks that
 *             were not written stay in memory, whatever the bound: nothing that was
 *             recorded is lost.
 *
 * Invariants  S1  blocks below n_stored are in the file, whole
 *             S2  blocks below n_freed are in the file only
 *             S3  n_freed <= n_stored <= blocks->len
 *             S4  data with pins is not freed
 *
 * Threads     field                        guarded by
 *             n_stored, n_freed, flags     the log's lock
 *             writer, what was told        the sink's own
 */
#include "core/base/rank.h"
#include "core/record/file-place.h"
#include "core/record/trace-temp.h"
#include "core/record/trace-writer-private.h"
#include "core/record/tracelog-private.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixoutputstream.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Free choices. */
#define BATCH 64u
#define GENERATION_BLOCKS 256u
#define GENERATION_US G_USEC_PER_SEC
#define LARGEST_SPILL ((guint64)16 << 30)

struct _TraceSink {
  TraceLog      *log; /* borrowed: it joins the thread before it goes */
  int            fd;  /* the log's store owns it */
  char          *place; /* of the file; the folder of one without a name */
  gboolean       is_file;  /* the recording itself */
  gboolean       is_stopping;
  pthread_t      thread;
  pthread_cond_t wake;
  guint          n_stored;
  guint          n_freed;

  TraceWriter    writer;
  guint          n_blocks_told; /* of the last generation */
  guint64        n_told;        /* its events */
  gint64         told_us;
  guint          n_keyframes; /* in the file */
};

/* Bytes on disk that blocks may take at all; those that were asked for. */
static gboolean
may_grow (TraceSink *self,
          gsize      more) {
  guint64 bound = self->log->disk_bound;
  guint64 size = self->writer.offset + more;

  if (bound != G_MAXUINT64)
    return size <= bound;
  /* What a user asked for may fill the disk. */
  return self->is_file
         || (size <= LARGEST_SPILL && size <= trace_temp_free_bytes (self->fd));
}

/* The run is to end: @problem is translated, (transfer full). */
static void
fail (TraceSink *self,
      char      *problem) {
  TraceLog *log = self->log;

  pthread_mutex_lock (&log->lock);
  if (log->limit_reason == NULL)
    log->limit_reason = problem;
  else
    g_free (problem);
  pthread_cond_broadcast (&log->room);
  pthread_mutex_unlock (&log->lock);
}

/* (transfer full): why there is no room for @size bytes. */
static char *
describe_bound (TraceSink *self,
                guint64    size) {
  if (self->log->disk_bound == G_MAXUINT64 && size <= LARGEST_SPILL)
    return g_strdup_printf (_("There is too little room left in %s for the recording."),
                            self->place);
  return g_strdup_printf (_("The recording takes %" PRIu64
                            " MB in %s: that is as much as it may."),
                          self->writer.offset >> 20, self->place);
}

static void
fail_write (TraceSink    *self,
            const GError *error) {
  fail (self, g_strdup_printf (_("The recording could not be written to %s: %s."),
                               self->place, file_plain_reason (error)));
}

/* Whether all that was written is in the file still. Behind a hole nobody would find
 * what comes; FALSE: the run ends. */
static gboolean
is_uncut (TraceSink *self) {
  struct stat facts;

  if (fstat (self->fd, &facts) != 0
      || (guint64)facts.st_size >= self->writer.offset - self->writer.buffer->len)
    return TRUE;
  fail (self, g_strdup_printf (_("The recording in %s was cut off by another program."),
                               self->place));
  return FALSE;
}

/* Writes the blocks; nothing half-written stays. */
static gboolean
write_blocks (TraceSink   *self,
              PackedBlock *blocks,
              guint64     *offsets,
              guint        n) {
  guint64 before = self->writer.offset;
  g_autoptr (GError) error = NULL;
  gboolean is_written = TRUE;
  gsize size = 0;

  if (!is_uncut (self))
    return FALSE;
  for (guint i = 0; i < n; i++)
    size += blocks[i].stored_size + CHUNK_HEADER_SIZE + CHUNK_ALIGN;
  if (!may_grow (self, size)) {
    fail (self, describe_bound (self, before + size));
    return FALSE;
  }
  for (guint i = 0; i < n && is_written; i++) {
    offsets[i] = self->writer.offset;
    is_written = trace_writer_put_block (&self->writer, &blocks[i], &error);
  }
  is_written = is_written && trace_writer_flush (&self->writer, &error);
  if (is_written)
    return TRUE;
  fail_write (self, error);
  trace_writer_rewind (&self->writer, before);
  if (ftruncate (self->fd, (off_t)before) != 0
      || lseek (self->fd, (off_t)before, SEEK_SET) < 0)
    g_debug ("a half-written block stays: %s", g_strerror (errno));
  return FALSE;
}

/* The oldest blocks leave memory while it holds too much; they go to @freed, to be let
 * go of without the lock. */
static void
forget_oldest_locked (TraceSink *self,
                      GPtrArray *freed) {
  TraceLog *log = self->log;

  while (self->n_freed < self->n_stored && log->bytes > log->limit_bytes / 2) {
    BlockEntry *entry = entry_at (log, self->n_freed);

    if (entry->n_pins > 0)
      return;
    log->bytes -= entry->stored_size;
    log->stored_bytes += entry->stored_size;
    g_ptr_array_add (freed, g_steal_pointer (&entry->data));
    self->n_freed++;
  }
}

/* Up to BATCH full blocks. FALSE: there were none, or writing failed. */
static gboolean
store_batch (TraceSink *self) {
  g_autoptr (GPtrArray) freed = g_ptr_array_new_with_free_func (g_free);
  TraceLog *log = self->log;
  PackedBlock blocks[BATCH];
  guint64 offsets[BATCH];
  guint n = 0;

  pthread_mutex_lock (&log->lock);
  for (; n < BATCH && self->n_stored + n < log->blocks->len; n++) {
    const BlockEntry *entry = entry_at (log, self->n_stored + n);

    /* The sink alone frees data, so it stays. */
    blocks[n] = (PackedBlock){
      .first = (guint64)(self->n_stored + n) * TRACE_BLOCK_EVENTS,
      .t0_ns = entry->t0_ns,
      .t1_ns = entry->t1_ns,
      .n_events = TRACE_BLOCK_EVENTS,
      .raw_size = entry->raw_size,
      .stored_size = entry->stored_size,
      .codec = (TraceCodec)entry->codec,
      .data = entry->data,
    };
  }
  pthread_mutex_unlock (&log->lock);
  if (n == 0 || !write_blocks (self, blocks, offsets, n))
    return FALSE;
  pthread_mutex_lock (&log->lock);
  for (guint i = 0; i < n; i++)
    entry_at (log, self->n_stored + i)->offset = offsets[i];
  self->n_stored += n;
  forget_oldest_locked (self, freed);
  pthread_cond_broadcast (&log->room);
  pthread_mutex_unlock (&log->lock);
  return TRUE;
}

/* Generations -------------------------------------------------------------- */

/* Writes the open block as far as it is published, when all full ones are
 * written; *length: events in the file then. When they cannot be, the open block of
 * the generation before is the last one still. */
static gboolean
put_open_block (TraceSink *self,
                guint64   *length,
                GError   **error) {
  TraceLog *log = self->log;
  PlainBlock *tail = NULL;
  PackedBlock packed;
  gboolean is_put;
  guint n = 0;

  pthread_mutex_lock (&log->lock);
  *length = (guint64)self->n_stored * TRACE_BLOCK_EVENTS;
  if (self->n_stored == log->blocks->len
      && tracelog_get_length (log) > *length) {
    n = (guint)(tracelog_get_length (log) - *length);
    tail = plain_block_ref (log->tail);
  }
  pthread_mutex_unlock (&log->lock);
  if (n == 0) {
    plain_block_unref (tail);
    *length = MAX (*length, self->n_told);
    return TRUE;
  }
  trace_block_pack (&packed, *length, tail->events, n);
  plain_block_unref (tail);
  is_put = trace_writer_put_block (&self->writer, &packed, error);
  g_free (packed.data);
  *length += n;
  return is_put;
}

/* The states up to @length that are not in the file yet. */
static gboolean
put_keyframes (TraceSink *self,
               guint64    length,
               GError   **error) {
  guint n = tracelog_n_keyframes (self->log);

  for (; self->n_keyframes < n; self->n_keyframes++) {
    TraceKeyframe facts;
    g_autoptr (GBytes) payload
        = tracelog_dup_keyframe (self->log, self->n_keyframes, &facts);

    if (facts.position > length)
      return TRUE;
    if (payload != NULL
        && !trace_writer_put_keyframe (&self->writer, &facts, payload, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
put_generation (TraceSink *self,
                gboolean   is_last,
                GError   **error) {
  g_autoptr (TraceNotes) notes = tracelog_dup_notes (self->log);
  g_autoptr (GArray) waits = tracelog_dup_waits (self->log);
  TraceHonesty honesty;
  guint64 length;

  if (!put_open_block (self, &length, error)
      || !put_keyframes (self, length, error))
    return FALSE;
  tracelog_get_honesty (self->log, &honesty);
  honesty.is_complete &= length == tracelog_get_length (self->log);
  if ((is_last && !trace_writer_put_notes (&self->writer, notes, length, error))
      || !trace_writer_put_honesty (&self->writer, &honesty, waits, length,
                                    error)
      || !trace_writer_put_end (&self->writer, is_last, length, error))
    return FALSE;
  self->n_told = length;
  self->n_blocks_told = self->n_stored;
  self->told_us = g_get_monotonic_time ();
  return TRUE;
}

/* What stands before it in the file stays good if it fails. */
static gboolean
end_generation (TraceSink *self,
                gboolean   is_last) {
  guint64 before = self->writer.offset;
  guint n_places = self->writer.keyframes->len;
  guint n_keyframes = self->n_keyframes;
  g_autoptr (GError) error = NULL;

  if (!is_uncut (self))
    return FALSE;
  if (put_generation (self, is_last, &error)) {
    for (guint i = n_places; i < self->writer.keyframes->len; i++)
      tracelog_settle_keyframe (
          self->log, &g_array_index (self->writer.keyframes, KeyframePlace, i));
    return TRUE;
  }
  fail_write (self, error);
  self->n_keyframes = n_keyframes;
  trace_writer_rewind (&self->writer, before);
  if (ftruncate (self->fd, (off_t)before) != 0
      || lseek (self->fd, (off_t)before, SEEK_SET) < 0)
    g_debug ("a half-written generation stays: %s", g_strerror (errno));
  return FALSE;
}

static gboolean
is_generation_due (TraceSink *self) {
  return self->is_file && self->n_told < tracelog_get_length (self->log)
         && (self->n_stored - self->n_blocks_told >= GENERATION_BLOCKS
             || g_get_monotonic_time () - self->told_us >= GENERATION_US);
}

/* The thread --------------------------------------------------------------- */

/* Waits for a batch, or for a quarter of a second; FALSE: it is to end. */
static gboolean
wait_for_blocks (TraceSink *self) {
  TraceLog *log = self->log;
  struct timespec until;
  gboolean goes_on;

  clock_gettime (CLOCK_MONOTONIC, &until);
  until.tv_nsec += 250 * 1000 * 1000;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  pthread_mutex_lock (&log->lock);
  if (!self->is_stopping && log->blocks->len - self->n_stored < BATCH)
    pthread_cond_timedwait (&self->wake, &log->lock, &until);
  goes_on = !self->is_stopping && log->limit_reason == NULL;
  pthread_mutex_unlock (&log->lock);
  return goes_on;
}

static void *
sink_thread (void *data) {
  TraceSink *self = data;

  rank_go_behind_window (false);
  while (wait_for_blocks (self)) {
    while (store_batch (self))
      if (is_generation_due (self) && !end_generation (self, FALSE))
        return NULL;
    if (is_generation_due (self) && !end_generation (self, FALSE))
      return NULL;
  }
  return NULL;
}

/* Life --------------------------------------------------------------------- */

/* @place: (transfer full). */
static TraceSink *
sink_new (TraceLog   *log,
          int         fd,
          const char *name,
          char       *place,
          gboolean    is_file) {
  TraceSink *self = g_new0 (TraceSink, 1);
  g_autoptr (GOutputStream) out = g_unix_output_stream_new (fd, FALSE);
  pthread_condattr_t attributes;

  self->log = log;
  self->fd = fd;
  self->place = place;
  self->is_file = is_file;
  self->told_us = g_get_monotonic_time ();
  trace_writer_init (&self->writer, out, 0, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->wake, &attributes);
  pthread_condattr_destroy (&attributes);
  log->store = trace_store_new_for_fd (fd, name);
  return self;
}

/* Writer: the thread begins; readers may find blocks in the store from now on. */
static gboolean
sink_start (TraceSink *self,
            GError   **error) {
  TraceLog *log = self->log;
  int problem = pthread_create (&self->thread, NULL, sink_thread, self);

  if (problem != 0) {
    g_set_error (error, G_IO_ERROR, (gint)g_io_error_from_errno (problem),
                 _("no thread to write with: %s"), g_strerror (problem));
    return FALSE;
  }
  pthread_mutex_lock (&log->lock);
  log->sink = self;
  pthread_mutex_unlock (&log->lock);
  return TRUE;
}

static void
sink_free (TraceSink *self) {
  trace_writer_clear (&self->writer);
  pthread_cond_destroy (&self->wake);
  g_free (self->place);
  g_free (self);
}

void
trace_sink_wake_locked (TraceSink *self) {
  if (self->log->blocks->len - self->n_stored >= BATCH)
    pthread_cond_signal (&self->wake);
}

void
trace_sink_start_spill (TraceLog *log) {
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = NULL;
  TraceSink *self;
  int fd;

  if (log->disk_bound == 0 || log->store != NULL || log->spill_failed)
    return;
  fd = trace_temp_open (&folder, &error);
  if (fd >= 0) {
    self = sink_new (log, fd, _("temporary file"),
                     g_filename_display_name (folder), FALSE);
    if (trace_writer_put_head (&self->writer, log->info, 0, NULL, &error)
        && sink_start (self, &error))
      return;
    sink_free (self);
  }
  g_debug ("blocks stay in memory: %s", error->message);
  log->spill_failed = TRUE;
}

void
trace_sink_finish (TraceLog *log) {
  TraceSink *self = log->sink;

  if (self == NULL)
    return;
  pthread_mutex_lock (&log->lock);
  self->is_stopping = TRUE;
  pthread_cond_signal (&self->wake);
  pthread_mutex_unlock (&log->lock);
  pthread_join (self->thread, NULL);
  if (self->is_file) {
    struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

    while (store_batch (self))
      continue;
    end_generation (self, TRUE);
    fsync (self->fd);
#ifdef F_OFD_SETLK
    fcntl (self->fd, F_OFD_SETLK, &lock);
#endif
  }
  pthread_mutex_lock (&log->lock);
  log->sink = NULL;
  pthread_mutex_unlock (&log->lock);
  sink_free (self);
}

/* Files -------------------------------------------------------------------- */

/* Puts a whole recording of no events into the file, and gives it the name. */
static gboolean
begin_file (TraceSink *self,
            FilePart  *part,
            GError   **error) {
  TraceHonesty none = { 0 };
#ifdef F_OFD_SETLK
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

  /* Not everywhere; it only tells readers that more will come. */
  fcntl (self->fd, F_OFD_SETLK, &lock);
#endif
  return trace_writer_put_head (&self->writer, self->log->info, 0,
                                self->log->uuid, error)
         && trace_writer_put_honesty (&self->writer, &none, NULL, 0, error)
         && trace_writer_put_end (&self->writer, TRUE, 0, error)
         && file_part_give_name (part, self->fd, error);
}

/* FALSE: another recorder, of this process or another, is writing into the file of
 * this name, whose recording would have no name any more. */
static gboolean
is_free (const char *path,
         GError    **error) {
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  TraceStore *store;
  gboolean is_locked;

  if (fd < 0)
    return TRUE;
  store = trace_store_new_for_fd (fd, path);
  is_locked = trace_store_is_locked (store);
  trace_store_unref (store);
  if (is_locked)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY,
                         _("another run is being recorded into it"));
  return !is_locked;
}

gboolean
tracelog_record_to (TraceLog *log,
                    GFile    *file,
                    GError  **error) {
  g_autoptr (GFile) target = file_behind_links (file);
  g_autofree char *path = g_file_get_path (target);
  g_autofree char *name = file_display_name (file);
  GError *failure = NULL;
  gboolean is_begun;
  TraceSink *self;
  FilePart part;
  int fd;

  g_return_val_if_fail (log->store == NULL && log->blocks->len == 0, FALSE);
  if (path == NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                 _("“%s” has no path: record first, then save"), name);
    return FALSE;
  }
  fd = file_may_replace (target, &failure) && is_free (path, &failure)
           ? file_part_open (&part, path, &failure)
           : -1;
  if (fd < 0) {
    file_fail_save (file, failure, error);
    return FALSE;
  }
  self = sink_new (log, fd, name, g_filename_display_name (path), TRUE);
  is_begun = begin_file (self, &part, &failure) && sink_start (self, &failure);
  file_part_clear (&part);
  if (is_begun)
    return TRUE;
  sink_free (self);
  g_clear_pointer (&log->store, trace_store_unref);
  file_fail_save (file, failure, error);
  return FALSE;
}

char *
tracelog_dup_limit_reason (TraceLog *log) {
  char *reason;

  pthread_mutex_lock (&log->lock);
  reason = g_strdup (log->limit_reason);
  pthread_mutex_unlock (&log->lock);
  return reason;
}

void
tracelog_set_disk_bound (TraceLog *log,
                         guint64   bytes) {
  log->disk_bound = bytes;
}
