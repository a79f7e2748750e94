/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-belt.c — the blocks of a log on their way to a file
 *
 * Idea        Blocks are packed anew (trace-apart.c), which may be done side by
 *             side; what each does to tables must be seen in order, and so they
 *             must be written. So they go along a belt, BATCH of them together, a
 *             place further each turn, and what there is to do at all its places in
 *             one turn is shared by all threads:
 *
 *               place   what happens there
 *               0       each block is fetched and unpacked
 *               1       all are seen, in order (trace-slots.c), by one thread
 *               2       each is packed
 *               3       all are written, in order, by one thread
 *
 *             Those of a file that was saved before stay as they are packed.
 *
 * Measured    Two threads on two processors take 0.54 of one's time.
 */
#include "core/record/trace-belt-private.h"

#include "core/record/trace-apart-private.h"
#include "core/record/trace-zstd-private.h"
#include "core/record/tracelog-open-private.h"

/* Free choice: some MiB on the belt, and few turns in which one thread waits. */
#define BATCH 32u

typedef struct {
  guint64     first;
  PackedBlock packed;
  guint8     *raw;    /* NULL: it stays as it is packed */
  TraceSlots  slots;  /* of raw */
  gboolean    is_good;
} Job;

enum { PLACE_FETCH, PLACE_SEE, PLACE_REPACK, PLACE_PUT, N_PLACES };

typedef struct {
  TraceLog    *log;
  guint64      length;
  guint64      n_batches;
  guint64      turn;
  TraceTables *tables;
  TraceWriter *writer;
  GError      *error; /* of writing */
  Job          jobs[N_PLACES][BATCH]; /* of batch i at i modulo their number */
} Belt;

/* The batch at a place, and its number of jobs. */
static Job *
find_batch (Belt  *self,
            guint  place,
            guint *n) {
  guint64 number = self->turn - place; /* far too many before the first */
  guint64 n_blocks = (self->length + TRACE_BLOCK_EVENTS - 1) / TRACE_BLOCK_EVENTS;

  *n = number < self->n_batches ? (guint)MIN (n_blocks - number * BATCH, BATCH)
                                : 0;
  return self->jobs[number % N_PLACES];
}

/* Gets one block; the open one as far as it is below the length. */
static void
fetch (Belt *self,
       Job  *job) {
  guint64 left = self->length - job->first;

  job->is_good = TRUE;
  if (left < TRACE_BLOCK_EVENTS
      || !tracelog_dup_packed (self->log, job->first / TRACE_BLOCK_EVENTS,
                               &job->packed)) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (self->log, job->first);

    job->is_good = block != NULL
                   && block->n_events >= MIN (left, TRACE_BLOCK_EVENTS);
    if (job->is_good)
      trace_block_pack (&job->packed, job->first, block->events,
                        (guint)MIN (left, TRACE_BLOCK_EVENTS));
  }
  if (job->is_good)
    job->raw = trace_block_dup_raw (&job->packed);
}

static void
see_all (Belt *self) {
  guint n;
  Job *jobs = find_batch (self, PLACE_SEE, &n);

  for (guint i = 0; i < n; i++)
    if (jobs[i].raw != NULL)
      trace_tables_see (self->tables, jobs[i].raw, jobs[i].packed.n_events,
                        &jobs[i].slots);
}

static void
repack (Job *job) {
  if (job->raw == NULL)
    return;
  if (job->packed.n_events == TRACE_BLOCK_EVENTS)
    trace_apart_repack (&job->packed, &job->slots, job->raw);
  else
    trace_zstd_repack (&job->packed, job->raw);
  g_clear_pointer (&job->raw, g_free);
}

static void
job_clear (Job *job) {
  if (job->is_good)
    g_free (job->packed.data);
  g_free (job->raw);
  *job = (Job){ .is_good = FALSE };
}

/* A block that was there when saving began proved bad. */
static void
fail_damaged (Belt *self) {
  g_autofree char *damage = tracelog_dup_damage (self->log);

  g_set_error_literal (&self->error, TRACELOG_FILE_ERROR,
                       TRACELOG_FILE_ERROR_CORRUPT, damage);
}

static void
put_all (Belt *self) {
  guint n;
  Job *jobs = find_batch (self, PLACE_PUT, &n);

  for (guint i = 0; i < n && self->error == NULL; i++) {
    if (!jobs[i].is_good)
      fail_damaged (self);
    else
      trace_writer_put_block (self->writer, &jobs[i].packed, &self->error);
    job_clear (&jobs[i]);
  }
}

/* What is done by one thread comes first: the others need not wait for it. */
static void
work_cb (gpointer data,
         guint    part) {
  Belt *self = data;
  guint place = part < 2 + BATCH ? PLACE_REPACK : PLACE_FETCH;
  guint i = (part - 2) % BATCH, n;
  Job *jobs;

  if (part == 0) {
    put_all (self);
    return;
  }
  if (part == 1) {
    see_all (self);
    return;
  }
  jobs = find_batch (self, place, &n);
  if (i >= n)
    return;
  if (place == PLACE_REPACK)
    repack (&jobs[i]);
  else
    fetch (self, &jobs[i]);
}

/* Puts the blocks of this turn's batch, still to be fetched, onto the belt. */
static void
load (Belt *self) {
  guint n;
  Job *jobs = find_batch (self, PLACE_FETCH, &n);

  for (guint i = 0; i < n; i++)
    jobs[i].first = (self->turn * BATCH + i) * TRACE_BLOCK_EVENTS;
}

gboolean
trace_belt_run (TraceLog         *log,
                guint64           length,
                Crew             *crew,
                TraceWriter      *writer,
                TraceBeltProgress progress,
                gpointer          data,
                GError          **error) {
  g_autoptr (TraceTables) tables = trace_tables_new ();
  g_autofree Belt *self = g_new0 (Belt, 1);
  guint64 per_batch = (guint64)BATCH * TRACE_BLOCK_EVENTS;

  self->log = log;
  self->length = length;
  self->n_batches = (length + per_batch - 1) / per_batch;
  self->tables = tables;
  self->writer = writer;
  for (; self->turn < self->n_batches + PLACE_PUT && self->error == NULL;
       self->turn++) {
    load (self);
    crew_work (crew, 2 + 2 * BATCH, work_cb, self);
    if (self->error == NULL
        && !g_cancellable_set_error_if_cancelled (writer->cancellable,
                                                  &self->error)
        && self->turn >= PLACE_PUT)
      progress ((self->turn - PLACE_PUT + 1) * BATCH, data);
  }
  for (guint i = 0; i < N_PLACES; i++)
    for (guint k = 0; k < BATCH; k++)
      job_clear (&self->jobs[i][k]);
  if (self->error == NULL)
    return TRUE;
  g_propagate_error (error, self->error);
  return FALSE;
}
