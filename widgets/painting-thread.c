/* SPDX-License-Identifier: GPL-3.0-or-later */

/* painting-thread.c — work that a picture takes, beside the main thread
 *
 * Idea        A job goes from a lane's list, past its thread, to the list of those
 *             that are done, and from there back to the main context. Both lists are
 *             under one lock: held for a few instructions, never while somebody
 *             works.
 *
 * Order       GLib's own locks and contexts would do as well, but race detectors see
 *             nothing of them. A plain mutex they see: the giver releases it after
 *             the job is whole, the thread acquires it before it works and releases
 *             it after, and who takes what is done acquires it again. The source that
 *             tells of it is made and attached under the lock too, so that even its
 *             memory passes from thread to thread in that order.
 *
 * Rank        Painting goes before a run and after the main thread (rank.h).
 *
 * Invariants  T1  a job is in one list at the most, and in none while it is worked on
 *             T2  there is one source for each job that is done
 */
#include "widgets/painting-thread.h"

#include "core/base/rank.h"

#include <pthread.h>

typedef struct _PaintingJob PaintingJob;

struct _PaintingJob {
  PaintingJob *next;
  PaintingCall work;
  PaintingCall done;
  gpointer     data;
};

typedef struct {
  PaintingJob *first; /* oldest */
  PaintingJob *last;  /* while there is a first */
} PaintingList;

typedef struct {
  PaintingList   jobs;
  pthread_cond_t wanted;
  gboolean       has_thread;
} PaintingLane;

/* Guards all that is below. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static PaintingLane lanes[2] = { { .wanted = PTHREAD_COND_INITIALIZER },
                                 { .wanted = PTHREAD_COND_INITIALIZER } };
static PaintingList done_jobs;

static void
push (PaintingList *list,
      PaintingJob  *job) {
  job->next = NULL;
  if (list->first == NULL)
    list->first = job;
  else
    list->last->next = job;
  list->last = job;
}

/* @list: not empty */
static PaintingJob *
pop (PaintingList *list) {
  PaintingJob *job = list->first;

  list->first = job->next;
  return job;
}

/* Main context. */
static gboolean
done_cb (gpointer data) {
  PaintingJob *job;

  pthread_mutex_lock (&lock);
  job = pop (&done_jobs);
  pthread_mutex_unlock (&lock);
  job->done (job->data);
  g_free (job);
  return G_SOURCE_REMOVE;
}

static void
tell_locked (PaintingJob *job) {
  GSource *source = g_idle_source_new ();

  push (&done_jobs, job);
  /* Before the frame that is due. */
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, done_cb, NULL, NULL);
  g_source_attach (source, NULL);
  g_source_unref (source);
}

static void *
paint_thread (void *data) {
  PaintingLane *lane = data;

  rank_go_behind_window (true);
  pthread_mutex_lock (&lock);
  for (;;) {
    PaintingJob *job;

    while (lane->jobs.first == NULL)
      pthread_cond_wait (&lane->wanted, &lock);
    job = pop (&lane->jobs);
    pthread_mutex_unlock (&lock);
    job->work (job->data);
    pthread_mutex_lock (&lock);
    tell_locked (job);
  }
  return NULL;
}

static gboolean
has_thread_locked (PaintingLane *lane) {
  pthread_t thread;

  if (lane->has_thread)
    return TRUE;
  if (pthread_create (&thread, NULL, paint_thread, lane) != 0)
    return FALSE;
  pthread_detach (thread);
  lane->has_thread = TRUE;
  return TRUE;
}

void
painting_thread_do (gboolean     is_prompt,
                    PaintingCall work,
                    PaintingCall done,
                    gpointer     data) {
  PaintingLane *lane = &lanes[is_prompt ? 1 : 0];
  PaintingJob *job = g_new (PaintingJob, 1);

  *job = (PaintingJob){ .work = work, .done = done, .data = data };
  pthread_mutex_lock (&lock);
  if (has_thread_locked (lane)) {
    push (&lane->jobs, job);
    pthread_cond_signal (&lane->wanted);
  } else {
    pthread_mutex_unlock (&lock);
    work (data);
    pthread_mutex_lock (&lock);
    tell_locked (job);
  }
  pthread_mutex_unlock (&lock);
}
