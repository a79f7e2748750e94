/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-keeper.c — states left beside a recording while it is made
 *
 * Idea        Folding is far cheaper than what is recorded, but the recorder has
 *             no time for it and the workers must not feel it. So a thread of its
 *             own follows the log, at the lowest priority: on a machine that is
 *             busy it falls behind and catches up later, from blocks that stand
 *             in the file by then. Nobody waits for it, and a state that comes
 *             late is as good: it may stand anywhere behind its events.
 *
 * Threads     is_stopping: the lock. The fold is the thread's own.
 */
#include "core/state/state-keeper.h"

#include "core/state/fold.h"
#include "core/state/state-frames.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

/* Free choices: states are some seconds apart. */
#define POLL_NS (50 * 1000 * 1000)
#define NICE_LOWEST 19

struct _StateKeeper {
  TraceLog       *log;
  guint64         step;
  pthread_mutex_t lock;
  pthread_cond_t  wake;
  gboolean        is_stopping;
  pthread_t       thread;
};

/* Waits if @naps; FALSE: it is to end. */
static gboolean
goes_on (StateKeeper *self,
         gboolean     naps) {
  struct timespec until;
  gboolean result;

  clock_gettime (CLOCK_MONOTONIC, &until);
  until.tv_nsec += POLL_NS;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  pthread_mutex_lock (&self->lock);
  if (naps && !self->is_stopping)
    pthread_cond_timedwait (&self->wake, &self->lock, &until);
  result = !self->is_stopping;
  pthread_mutex_unlock (&self->lock);
  return result;
}

/* Folds on in the block at hand, to @due at most; FALSE: it is damaged. */
static gboolean
fold_block (StateKeeper *self,
            Fold        *fold,
            guint64      due) {
  guint64 position = fold_n_events (fold);
  g_autoptr (TraceBlock) block = tracelog_ref_block (self->log, position);

  if (block == NULL)
    return FALSE;
  due = MIN (due, block->first + block->n_events);
  fold_apply_many (fold, block->events + (position - block->first),
                   (guint)(due - position));
  return TRUE;
}

static void *
keep_thread (void *data) {
  StateKeeper *self = data;
  g_autoptr (Fold) fold = fold_new ();
  guint64 due = self->step;
  gboolean naps = FALSE;

  /* This thread's alone, on Linux. */
  (void)!nice (NICE_LOWEST);
  while (goes_on (self, naps)) {
    /* Finished first: a length read after it is the last one. */
    gboolean is_finished = tracelog_is_finished (self->log);

    naps = fold_n_events (fold) == tracelog_get_length (self->log);
    if (naps ? is_finished : !fold_block (self, fold, due))
      break;
    if (fold_n_events (fold) == due) {
      map_state_keep (fold_peek_state (fold), self->log);
      due += self->step;
    }
  }
  return NULL;
}

StateKeeper *
state_keeper_new (TraceLog *log,
                  guint64   step) {
  StateKeeper *self = g_new0 (StateKeeper, 1);
  pthread_condattr_t attributes;

  self->log = tracelog_ref (log);
  self->step = step;
  pthread_mutex_init (&self->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->wake, &attributes);
  pthread_condattr_destroy (&attributes);
  if (pthread_create (&self->thread, NULL, keep_thread, self) == 0)
    return self;
  /* Only seeks are slower without. */
  self->step = 0;
  state_keeper_free (self);
  return NULL;
}

void
state_keeper_free (StateKeeper *self) {
  if (self == NULL)
    return;
  if (self->step != 0) {
    pthread_mutex_lock (&self->lock);
    self->is_stopping = TRUE;
    pthread_cond_signal (&self->wake);
    pthread_mutex_unlock (&self->lock);
    pthread_join (self->thread, NULL);
  }
  pthread_cond_destroy (&self->wake);
  pthread_mutex_destroy (&self->lock);
  tracelog_unref (self->log);
  g_free (self);
}
