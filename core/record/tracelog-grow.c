/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-grow.c — a recording that is read while another process writes it
 *
 * Idea        The file only grows, by whole generations (FORMAT.md), and its
 *             writer holds a lock. So an open recording goes on where the last
 *             look ended: the headers behind it are walked, and what a new END
 *             has made whole becomes the log's, as blocks that stand in the file
 *             and a tail that is read at once. Once the lock is gone nothing more
 *             will come: the rest counts up to its last whole chunk, as when it
 *             is opened, and the log is finished.
 *
 * Generations What stands behind the last END may be taken back: a writer that
 *             finds the disk full cuts its file there. So a look goes on from
 *             that END every time, and takes nothing behind it.
 *
 * Trust       As in opening (tracelog-open.c). A short block that comes anew must
 *             begin with the events that were published (tracelog.c, L4); if not,
 *             or if anything else is wrong, the log ends as it is, with the
 *             sentence on the damage.
 *
 * Threads     The growth is its caller's: one at a time, the log's writer. Or else
 *             tracelog_follow()'s thread, which the log joins before it goes.
 */
#include "core/record/tracelog-open-private.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

/* Free choice: a generation comes once a second at least. */
#define FOLLOW_NS (200 * 1000 * 1000)

struct _TraceGrowth {
  Opener         opener;
  guint          n_keyframes; /* that the log has got */

  gboolean       is_followed;
  gboolean       is_stopping; /* guarded by the log's lock, as is the next */
  pthread_cond_t wake;
  pthread_t      thread;
};

TraceGrowth *
trace_growth_new (Opener *opener) {
  TraceGrowth *self = g_new0 (TraceGrowth, 1);
  pthread_condattr_t attributes;

  self->opener = *opener;
  *opener = (Opener){ .progress = opener->progress, .data = opener->data };
  self->opener.progress = NULL;
  self->opener.cancellable = NULL;
  self->n_keyframes = self->opener.keyframes->len;
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->wake, &attributes);
  pthread_condattr_destroy (&attributes);
  return self;
}

/* As far as a file tells; their padding may differ. */
static gboolean
are_same (const Event *a,
          const Event *b,
          guint        n) {
  for (; n > 0; n--, a++, b++)
    if (a->at_ns != b->at_ns || a->a != b->a || a->b != b->b || a->res != b->res
        || a->ver != b->ver || a->thread != b->thread || a->aux16 != b->aux16
        || a->kind != b->kind || a->aux8 != b->aux8)
      return FALSE;
  return TRUE;
}

/* Blocks ------------------------------------------------------------------- */

/* (transfer full): block @number as the walk found it, with @n events; NULL and
 * *problem: it is damaged. */
static PlainBlock *
read_found (Opener *opener,
            guint   number,
            guint   n,
            char  **problem) {
  const BlockPlace *place = &g_array_index (opener->places, BlockPlace, number);
  PackedBlock packed, wanted = {
    .first = number * (guint64)TRACE_BLOCK_EVENTS,
    .n_events = n,
    .t0_ns = place->t0_ns,
    .t1_ns = G_MAXINT64,
  };
  PlainBlock *block;
  const char *flaw;

  opener->chunk_at = place->offset;
  *problem
      = trace_store_read_block (opener->store, place->offset, &wanted, &packed);
  if (*problem != NULL)
    return NULL;
  block = plain_block_new ();
  flaw = trace_block_unpack (&packed, trace_store_get_limits (opener->store),
                             block->events);
  g_free (packed.data);
  if (flaw == NULL)
    return block;
  *problem = g_strdup_printf (_("a block of events has %s"), _(flaw));
  plain_block_unref (block);
  return NULL;
}

/* The first @n blocks stand in the store; @tail (transfer full) is what comes
 * behind them. */
static void
take_blocks (TraceLog   *log,
             guint       n,
             PlainBlock *tail) {
  Opener *opener = &log->growth->opener;

  pthread_mutex_lock (&log->lock);
  for (guint i = log->blocks->len; i < n; i++) {
    const BlockPlace *place = &g_array_index (opener->places, BlockPlace, i);
    BlockEntry entry = { .offset = place->offset,
                         .t0_ns = place->t0_ns,
                         .t1_ns = -1 };

    g_array_append_val (log->blocks, entry);
  }
  log->stored_bytes = opener->size;
  /* The last full block is another one now. */
  g_clear_pointer (&log->recent, plain_block_unref);
  plain_block_unref (log->tail);
  log->tail = tail;
  pthread_mutex_unlock (&log->lock);
}

/* Makes the log as long as what the walk found. (transfer full): NULL, or what is
 * wrong; then it stays as it was. */
static char *
take_events (TraceLog *log) {
  Opener *opener = &log->growth->opener;
  guint n_blocks = opener->places->len;
  guint n_open = n_blocks > 0 ? opener->n_last % TRACE_BLOCK_EVENTS : 0;
  guint n_full = n_open > 0 ? n_blocks - 1 : n_blocks;
  guint former = log->blocks->len;
  g_autofree char *problem = NULL;
  PlainBlock *block = NULL, *tail = NULL;

  if (n_full == former && n_open == log->n_tail)
    return NULL;
  if (n_blocks <= former)
    return g_strdup (_("events that were there have changed"));
  /* What was the tail: it must go on as it began. */
  block = read_found (opener, former,
                      former < n_full ? TRACE_BLOCK_EVENTS : n_open, &problem);
  if (block == NULL)
    return g_steal_pointer (&problem);
  if (!are_same (block->events, log->tail->events, log->n_tail)
      || (n_full == former && n_open < log->n_tail)) {
    plain_block_unref (block);
    return g_strdup (_("events that were there have changed"));
  }
  if (n_full == former) {
    /* In place: nobody reads behind what is published. */
    memcpy (log->tail->events + log->n_tail, block->events + log->n_tail,
            (n_open - log->n_tail) * sizeof (Event));
    plain_block_unref (block);
  } else {
    plain_block_unref (block);
    tail = n_open > 0 ? read_found (opener, n_full, n_open, &problem)
                      : plain_block_new ();
    if (tail == NULL)
      return g_steal_pointer (&problem);
    take_blocks (log, n_full, tail);
  }
  log->n_tail = n_open;
  log->last_ns = opener->last_ns;
  tracelog_publish (log);
  return NULL;
}

/* All else: states, honesty. */
static void
take_facts (TraceLog *log) {
  TraceGrowth *self = log->growth;
  Opener *opener = &self->opener;

  for (; self->n_keyframes < opener->keyframes->len; self->n_keyframes++)
    tracelog_attach_keyframe (log, &g_array_index (opener->keyframes,
                                                   KeyframePlace,
                                                   self->n_keyframes));
  opener->honesty.lacks_raises |= opener->minor < FILE_MINOR_RAISES;
  pthread_mutex_lock (&log->lock);
  log->honesty = opener->honesty;
  log->honesty.is_complete = FALSE;
  tracelog_show_honesty_locked (log);
  g_clear_pointer (&log->waits, g_array_unref);
  if (opener->waits != NULL)
    log->waits = g_array_copy (opener->waits);
  pthread_mutex_unlock (&log->lock);
}

/* The log ends where it is; @problem: translated, or NULL. */
static void
end_log (TraceLog   *log,
         const char *problem) {
  Opener *opener = &log->growth->opener;
  TraceHonesty honesty;

  pthread_mutex_lock (&log->lock);
  if (problem != NULL && log->damage == NULL)
    log->damage = g_strdup_printf (
        _("“%s” is damaged at byte %" PRIu64
          ": %s. Its first %'" PRIu64 " events can be read."),
        trace_store_get_name (opener->store), opener->chunk_at, problem,
        tracelog_get_length (log));
  atomic_store_explicit (&log->is_damaged, log->damage != NULL,
                         memory_order_relaxed);
  honesty = log->honesty;
  honesty.is_complete
      = problem == NULL && log->damage == NULL && opener->is_ended
        && opener->has_honesty && opener->honesty.is_complete;
  pthread_mutex_unlock (&log->lock);
  tracelog_restore (log, &honesty);
}

gboolean
tracelog_refresh (TraceLog *self) {
  Opener *opener;
  g_autofree char *problem = NULL;
  gboolean is_recorded;

  if (self->growth == NULL || tracelog_is_finished (self))
    return FALSE;
  opener = &self->growth->opener;
  /* The lock first: when it is gone, the size is the last one. */
  is_recorded = trace_store_is_locked (opener->store);
  opener_walk_on (opener, is_recorded);
  if (!is_recorded || opener->is_ended) {
    problem = take_events (self);
    if (problem == NULL)
      take_facts (self);
  }
  if (problem == NULL && is_recorded)
    return TRUE;
  end_log (self, problem != NULL ? problem : opener->problem);
  return FALSE;
}

/* Following ---------------------------------------------------------------- */

static gboolean
nap (TraceLog *log) {
  TraceGrowth *self = log->growth;
  struct timespec until;
  gboolean goes_on;

  clock_gettime (CLOCK_MONOTONIC, &until);
  until.tv_nsec += FOLLOW_NS;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  pthread_mutex_lock (&log->lock);
  if (!self->is_stopping)
    pthread_cond_timedwait (&self->wake, &log->lock, &until);
  goes_on = !self->is_stopping;
  pthread_mutex_unlock (&log->lock);
  return goes_on;
}

static void *
follow_thread (void *data) {
  TraceLog *log = data;

  while (tracelog_refresh (log) && nap (log))
    continue;
  return NULL;
}

void
tracelog_follow (TraceLog *self) {
  TraceGrowth *growth = self->growth;

  if (growth == NULL || growth->is_followed)
    return;
  growth->is_followed
      = pthread_create (&growth->thread, NULL, follow_thread, self) == 0;
  if (!growth->is_followed)
    end_log (self, NULL);
}

void
trace_growth_end (TraceLog *log) {
  TraceGrowth *self = log->growth;

  if (self == NULL)
    return;
  if (self->is_followed) {
    pthread_mutex_lock (&log->lock);
    self->is_stopping = TRUE;
    pthread_cond_signal (&self->wake);
    pthread_mutex_unlock (&log->lock);
    pthread_join (self->thread, NULL);
  }
  opener_clear (&self->opener);
  pthread_cond_destroy (&self->wake);
  g_clear_pointer (&log->growth, g_free);
}
