/* SPDX-License-Identifier: GPL-3.0-or-later */

/* crew.c — threads that do the parts of one task side by side
 *
 * Threads     lock guards all fields but n_taken. A task is set under it before
 *             turn goes up, and the caller waits until n_busy is 0: so work, data
 *             and n_parts may be read without it by those who take part, and what
 *             one did to a part is seen by whoever does the next task.
 */
#include "core/record/crew.h"

#include <pthread.h>
#include <stdatomic.h>

#define MAX_THREADS 8

struct _Crew {
  pthread_mutex_t lock;
  pthread_cond_t  wake, done;
  guint64         turn;   /* tasks so far */
  guint           n_busy; /* threads that may be at the task of this turn */
  gboolean        is_ending;
  void          (*work) (gpointer data,
                         guint    part);
  gpointer        data;
  guint           n_parts;
  _Atomic (guint) n_taken;
  pthread_t       threads[MAX_THREADS - 1];
  guint           n_threads;
};

/* Relaxed: a part is its taker's alone, the lock orders the rest. */
static void
take_parts (Crew *self) {
  guint part;

  while ((part = atomic_fetch_add_explicit (&self->n_taken, 1,
                                            memory_order_relaxed))
         < self->n_parts)
    self->work (self->data, part);
}

static void *
crew_thread (void *data) {
  Crew *self = data;
  guint64 seen = 0;

  pthread_mutex_lock (&self->lock);
  for (;;) {
    while (self->turn == seen && !self->is_ending)
      pthread_cond_wait (&self->wake, &self->lock);
    if (self->is_ending)
      break;
    seen = self->turn;
    pthread_mutex_unlock (&self->lock);
    take_parts (self);
    pthread_mutex_lock (&self->lock);
    if (--self->n_busy == 0)
      pthread_cond_signal (&self->done);
  }
  pthread_mutex_unlock (&self->lock);
  return NULL;
}

Crew *
crew_new (void) {
  guint n_more = CLAMP (g_get_num_processors (), 1, MAX_THREADS) - 1;
  Crew *self = g_new0 (Crew, 1);

  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->wake, NULL);
  pthread_cond_init (&self->done, NULL);
  while (self->n_threads < n_more
         && pthread_create (&self->threads[self->n_threads], NULL, crew_thread,
                            self)
                == 0)
    self->n_threads++;
  return self;
}

void
crew_free (Crew *self) {
  if (self == NULL)
    return;
  pthread_mutex_lock (&self->lock);
  self->is_ending = TRUE;
  pthread_cond_broadcast (&self->wake);
  pthread_mutex_unlock (&self->lock);
  for (guint i = 0; i < self->n_threads; i++)
    pthread_join (self->threads[i], NULL);
  pthread_cond_destroy (&self->done);
  pthread_cond_destroy (&self->wake);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

void
crew_work (Crew   *self,
           guint   n_parts,
           void  (*work) (gpointer data,
                          guint    part),
           gpointer data) {
  pthread_mutex_lock (&self->lock);
  self->work = work;
  self->data = data;
  self->n_parts = n_parts;
  atomic_store_explicit (&self->n_taken, 0, memory_order_relaxed);
  self->n_busy = self->n_threads;
  self->turn++;
  pthread_cond_broadcast (&self->wake);
  pthread_mutex_unlock (&self->lock);
  take_parts (self);
  pthread_mutex_lock (&self->lock);
  while (self->n_busy > 0)
    pthread_cond_wait (&self->done, &self->lock);
  pthread_mutex_unlock (&self->lock);
}
