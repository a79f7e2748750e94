/* SPDX-License-Identifier: GPL-3.0-or-later */

/* log-ahead.c — a log read onwards, its blocks unpacked by two threads
 *
 * Idea        Unpacking a block takes about as long as folding it, from a saved
 *             file longer. So while one thread folds, a helper unpacks the blocks
 *             that follow, a few ahead.
 *
 * Sharing     Blocks are claimed in the log's order, by whoever is free. The reader
 *             claims one itself when the block that it wants is not there yet: while
 *             the helper is at that one, the reader does the next. So both work
 *             all the time whichever of unpacking and folding is the slower, and
 *             where no helper comes, or there is one processor, the reader does
 *             everything, in order.
 *
 * Turns       The helper leaves when it is a window ahead, and is called again when
 *             half of that is used up: it never waits, so that one thread can help
 *             several readers, and each call is over soon.
 *
 * Invariants  A1  first <= next <= first + WINDOW; blocks before first are gone,
 *                 from next on nobody has claimed them
 *             A2  a block in between is in blocks, or in the hands of a thread
 *                 that puts it there, or drops it when first has passed it
 *
 * Threads     lock guards all that changes.
 */
#include "core/state/log-ahead.h"

#include "core/state/helper.h"

#include <pthread.h>

/* A choice: half of them are longer on their way than a thread takes to wake, and
 * they are less than the log keeps unpacked. */
#define WINDOW 16u
/* What is worth a second thread when the reader has nothing else to do. */
#define MIN_BLOCKS 3u

struct _LogAhead {
  TraceLog       *log;
  guint64         end; /* block number */
  LogAheadHelp    help;
  Helper         *helper; /* the reader's */
  pthread_mutex_t lock;
  pthread_cond_t  moved; /* a block was put, or the helper has left */
  guint64         first; /* block number that the reader is at */
  guint64         next;  /* to be claimed */
  guint64         damaged; /* no block from here on */
  gboolean        is_called;
  gboolean        is_over;
  TraceBlock     *blocks[WINDOW]; /* by number */
};

LogAhead *
log_ahead_new (TraceLog    *log,
               guint64      from,
               guint64      end,
               LogAheadHelp help) {
  LogAhead *self = g_new0 (LogAhead, 1);

  self->log = tracelog_ref (log);
  self->first = self->next = from / TRACE_BLOCK_EVENTS;
  self->end = from < end ? (end - 1) / TRACE_BLOCK_EVENTS + 1 : self->first;
  self->damaged = G_MAXUINT64;
  self->help = g_get_num_processors () > 1 ? help : LOG_AHEAD_ALONE;
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->moved, NULL);
  return self;
}

void
log_ahead_free (LogAhead *self) {
  if (self == NULL)
    return;
  pthread_mutex_lock (&self->lock);
  self->is_over = TRUE;
  pthread_mutex_unlock (&self->lock);
  helper_dismiss (self->helper);
  for (guint i = 0; i < WINDOW; i++)
    trace_block_unref (self->blocks[i]);
  pthread_cond_destroy (&self->moved);
  pthread_mutex_destroy (&self->lock);
  tracelog_unref (self->log);
  g_free (self);
}

/* FALSE: there is none to be unpacked now. */
static gboolean
has_unclaimed_locked (const LogAhead *self) {
  return !self->is_over && self->next < self->first + WINDOW
         && self->next < MIN (self->end, self->damaged);
}

/* Unpacks the next block; the lock is held but while that lasts. */
static void
do_next_locked (LogAhead *self) {
  guint64 number = self->next++;
  TraceBlock *block;

  pthread_mutex_unlock (&self->lock);
  block = tracelog_ref_block (self->log, number * TRACE_BLOCK_EVENTS);
  pthread_mutex_lock (&self->lock);
  if (block == NULL)
    self->damaged = MIN (self->damaged, number);
  else if (number >= self->first)
    self->blocks[number % WINDOW] = g_steal_pointer (&block);
  pthread_cond_signal (&self->moved);
  /* Of the past: the reader has jumped. */
  if (block != NULL)
    trace_block_unref (block);
}

static void
help_cb (gpointer data) {
  LogAhead *self = data;

  pthread_mutex_lock (&self->lock);
  for (guint i = 0; i < WINDOW && has_unclaimed_locked (self); i++)
    do_next_locked (self);
  self->is_called = FALSE;
  pthread_mutex_unlock (&self->lock);
}

/* Calls the helper when there is enough to do, at least @n_blocks at the beginning;
 * the lock is not held. */
static void
call_helper (LogAhead *self,
             guint     n_blocks) {
  gboolean is_wanted;

  if (self->help == LOG_AHEAD_ALONE)
    return;
  pthread_mutex_lock (&self->lock);
  is_wanted = !self->is_called && has_unclaimed_locked (self)
              && self->next <= self->first + WINDOW / 2
              && (self->next > self->first
                  || self->end - self->first >= n_blocks);
  self->is_called |= is_wanted;
  pthread_mutex_unlock (&self->lock);
  if (!is_wanted)
    return;
  helper_dismiss (self->helper);
  self->helper = self->help == LOG_AHEAD_AT_ONCE
                     ? helper_call (help_cb, self)
                     : helper_call_behind (help_cb, self);
  if (self->helper == NULL)
    self->help = LOG_AHEAD_ALONE;
}

void
log_ahead_begin (LogAhead *self) {
  call_helper (self, 1);
}

/* The reader is at block @number now. */
static void
go_on_locked (LogAhead *self,
              guint64   number) {
  for (; self->first < number && self->first < self->next; self->first++) {
    TraceBlock *block = g_steal_pointer (&self->blocks[self->first % WINDOW]);

    if (block != NULL)
      tracelog_pass_block (self->log, block);
  }
  self->first = MAX (self->first, number);
  self->next = MAX (self->next, self->first);
}

static const TraceBlock *
wait_for_first_locked (LogAhead *self) {
  TraceBlock **place = &self->blocks[self->first % WINDOW];

  while (*place == NULL && self->first < self->damaged) {
    if (has_unclaimed_locked (self))
      do_next_locked (self);
    else
      pthread_cond_wait (&self->moved, &self->lock);
  }
  return *place;
}

const TraceBlock *
log_ahead_get (LogAhead *self,
               guint64   index) {
  guint64 number = index / TRACE_BLOCK_EVENTS;
  TraceBlock **place = &self->blocks[number % WINDOW];
  const TraceBlock *block;

  pthread_mutex_lock (&self->lock);
  g_assert (number >= self->first);
  self->end = MAX (self->end, number + 1);
  go_on_locked (self, number);
  pthread_mutex_unlock (&self->lock);
  call_helper (self, MIN_BLOCKS);
  pthread_mutex_lock (&self->lock);
  block = wait_for_first_locked (self);
  pthread_mutex_unlock (&self->lock);
  /* The last one may have grown since. Nobody else is at its place (A2). */
  if (block != NULL && index >= block->first + block->n_events) {
    trace_block_unref (*place);
    *place = tracelog_ref_block (self->log, index);
    block = *place;
  }
  return block;
}
