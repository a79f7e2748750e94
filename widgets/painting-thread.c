/* SPDX-License-Identifier: GPL-3.0-or-later */

/* painting-thread.c — work that a picture takes, beside the main thread
 *
 * Idea        A job goes from a lane's list, past its thread, to the list of those
 *             that are done, and from there back to the main context.
 *
 * No lock     A painting thread is stopped at once when the main thread wakes (rank.h),
 *             wherever it is, and goes on only when nobody else wants a processor. Had
 *             it a lock then that the main thread asks for, be it the main context's
 *             own while a source is attached, the window would stand still for so
 *             long: 100 to 370 ms were measured while a recording was being read. So
 *             both lists are changed by one atomic operation, a lane's thread sleeps
 *             on a semaphore, and the main loop is woken by a byte in a pipe.
 *
 * Order       A list is pushed newest first and always taken whole, then turned round.
 *             Who pushes releases what was written before; who takes acquires it. Race
 *             detectors see these, as they would not see GLib's own locks.
 *
 * Rank        Painting goes before a run and after the main thread (rank.h).
 *
 * Invariants  T1  a job is in one list at the most, and in none while it is worked on
 *             T2  while done_jobs is not empty a byte is in the pipe, about to be
 *                 written by who made it not empty, or read by deliver_cb, which
 *                 takes the list after
 */
#include "widgets/painting-thread.h"

#include "core/base/rank.h"

#include <errno.h>
#include <glib-unix.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

typedef struct _PaintingJob PaintingJob;

struct _PaintingJob {
  PaintingJob *next;
  PaintingCall work;
  PaintingCall done;
  gpointer     data;
};

/* Newest first. */
typedef _Atomic (PaintingJob *) PaintingList;

typedef struct {
  PaintingList given;
  sem_t        n_given;
  gboolean     has_thread; /* under making */
} PaintingLane;

/* Held while threads and the pipe are made; painting threads never take it. */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
static PaintingLane lanes[2];
static PaintingList done_jobs;
static int pipe_ends[2] = { -1, -1 }; /* written under making, before any job */

/* TRUE: the list was empty. */
static gboolean
push (PaintingList *list,
      PaintingJob  *job) {
  /* Relaxed: nothing is read through it; the exchange below looks again. */
  PaintingJob *first = atomic_load_explicit (list, memory_order_relaxed);

  do
    job->next = first;
  /* Release: the job, and what its data refers to, are whole. Pairs with the
   * acquire in take_all(). */
  while (!atomic_compare_exchange_weak_explicit (list, &first, job,
                                                 memory_order_release,
                                                 memory_order_relaxed));
  return first == NULL;
}

/* Oldest first; NULL: there are none. */
static PaintingJob *
take_all (PaintingList *list) {
  /* Acquire: pairs with the release in push(), of the newest and, as those extend
   * each other's, of all before it. */
  PaintingJob *newest
      = atomic_exchange_explicit (list, NULL, memory_order_acquire);
  PaintingJob *oldest = NULL;

  while (newest != NULL) {
    PaintingJob *next = newest->next;

    newest->next = oldest;
    oldest = newest;
    newest = next;
  }
  return oldest;
}

/* Main context. The pipe first: what is pushed after the list was taken writes
 * another byte. */
static gboolean
deliver_cb (int          file,
            GIOCondition condition,
            gpointer     data) {
  char bytes[16];
  PaintingJob *job, *next;

  while (read (file, bytes, sizeof bytes) == (ssize_t)sizeof bytes)
    ;
  for (job = take_all (&done_jobs); job != NULL; job = next) {
    next = job->next;
    job->done (job->data);
    g_free (job);
  }
  return G_SOURCE_CONTINUE;
}

/* A full pipe has bytes enough. */
static void
tell (PaintingJob *job) {
  if (push (&done_jobs, job))
    while (write (pipe_ends[1], "", 1) < 0 && errno == EINTR)
      ;
}

static void *
paint_thread (void *data) {
  PaintingLane *lane = data;

  rank_go_behind_window (true);
  for (;;) {
    PaintingJob *job, *next;

    while (sem_wait (&lane->n_given) != 0)
      ;
    for (job = take_all (&lane->given); job != NULL; job = next) {
      next = job->next;
      job->work (job->data);
      tell (job);
    }
  }
  return NULL;
}

/* Before the frame that is due: as it is for events. */
static void
make_pipe_locked (void) {
  g_autoptr (GError) error = NULL;

  if (pipe_ends[0] >= 0)
    return;
  if (!g_unix_open_pipe (pipe_ends, FD_CLOEXEC, &error)
      || !g_unix_set_fd_nonblocking (pipe_ends[0], TRUE, &error)
      || !g_unix_set_fd_nonblocking (pipe_ends[1], TRUE, &error))
    g_error ("no pipe: %s", error->message); /* as GLib does without its own */
  g_unix_fd_add (pipe_ends[0], G_IO_IN, deliver_cb, NULL);
}

static gboolean
has_thread (PaintingLane *lane) {
  pthread_t thread;
  gboolean has;

  pthread_mutex_lock (&making);
  make_pipe_locked ();
  if (!lane->has_thread && sem_init (&lane->n_given, 0, 0) == 0
      && pthread_create (&thread, NULL, paint_thread, lane) == 0) {
    pthread_detach (thread);
    lane->has_thread = TRUE;
  }
  has = lane->has_thread;
  pthread_mutex_unlock (&making);
  return has;
}

void
painting_thread_do (gboolean     is_prompt,
                    PaintingCall work,
                    PaintingCall done,
                    gpointer     data) {
  PaintingLane *lane = &lanes[is_prompt ? 1 : 0];
  PaintingJob *job = g_new (PaintingJob, 1);

  *job = (PaintingJob){ .work = work, .done = done, .data = data };
  if (has_thread (lane)) {
    push (&lane->given, job);
    sem_post (&lane->n_given);
  } else {
    work (data);
    tell (job);
  }
}
