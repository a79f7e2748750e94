/* SPDX-License-Identifier: GPL-3.0-or-later */

/* helper.c — threads for work that is wanted at once, beside other work, and later
 *
 * A call that nobody has begun when it is dismissed is void; one that has begun
 * is waited for. So the caller's data need only live until then, and a helper
 * that is busy elsewhere delays nobody.
 *
 * The threads are made when they are first wanted, or prepared, and wait until the
 * process ends. A thread has its maker's rank, which it cannot better: made by one that
 * works behind the window, it would keep a hand waiting for what it helps with. Plain pthreads, which race detectors understand.
 *
 * Elsewhere   A kernel that sees no cache shared between processors (many virtual
 *             machines) wakes a thread on the one it slept on. Is it the caller's,
 *             then one of both waits for a tick of 4 ms, mostly longer than all
 *             the work: no help at all. So the thread is kept off the processor
 *             that calls, for as long as that may have others.
 */
#include "core/state/helper.h"

#include "core/base/rank.h"

#include <pthread.h>
#include <sched.h>

/* As the timeline's follower has it at its latest work. */
#define NICE_BEHIND 10

struct _Helper {
  Helper    *next;
  HelperWork work; /* NULL once dismissed */
  gpointer   data;
  gboolean   is_kept; /* its caller will dismiss it */
  gboolean   is_working;
  gboolean   is_over;
};

typedef struct {
  pthread_cond_t wanted;
  Helper        *first; /* waiting, oldest first */
  Helper       **last;  /* NULL: there is no thread yet */
  pthread_t      thread;
  int            niceness; /* 0: nobody's before it */
} Lane;

/* Guards the lanes and every Helper. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t over = PTHREAD_COND_INITIALIZER;
static Lane at_once = { .wanted = PTHREAD_COND_INITIALIZER };
static Lane behind = { .wanted = PTHREAD_COND_INITIALIZER, .niceness = NICE_BEHIND };
static Lane in_turn = { .wanted = PTHREAD_COND_INITIALIZER };

/* Does the oldest call; the lock is held but while it works. */
static void
do_first_locked (Lane *lane) {
  Helper *helper = lane->first;
  HelperWork work = helper->work;

  lane->first = helper->next;
  if (lane->first == NULL)
    lane->last = &lane->first;
  if (work != NULL) {
    helper->is_working = TRUE;
    pthread_mutex_unlock (&lock);
    /* Not helper->work: from here on it may be dismissed, and waited for. */
    work (helper->data);
    pthread_mutex_lock (&lock);
    helper->is_working = FALSE;
  }
  helper->is_over = TRUE;
  if (helper->is_kept)
    pthread_cond_broadcast (&over);
  else
    g_free (helper);
}

static void *
serve_cb (void *data) {
  Lane *lane = data;

  if (lane->niceness > 0)
    rank_step_back (lane->niceness);
  pthread_mutex_lock (&lock);
  for (;;) {
    while (lane->first == NULL)
      pthread_cond_wait (&lane->wanted, &lock);
    do_first_locked (lane);
  }
  return NULL;
}

static gboolean
has_thread_locked (Lane *lane) {
  if (lane->last != NULL)
    return TRUE;
  if (pthread_create (&lane->thread, NULL, serve_cb, lane) != 0)
    return FALSE;
  pthread_detach (lane->thread);
  lane->last = &lane->first;
  return TRUE;
}

/* Has the thread of @lane, which ends with the process, run elsewhere. */
static void
send_elsewhere_locked (const Lane *lane) {
#ifdef __linux__
  int here = sched_getcpu ();
  cpu_set_t others;

  if (here < 0 || pthread_getaffinity_np (pthread_self (), sizeof others, &others))
    return;
  CPU_CLR ((guint)here, &others);
  if (CPU_COUNT (&others) > 0)
    pthread_setaffinity_np (lane->thread, sizeof others, &others);
#endif
}

static Helper *
call (Lane      *lane,
      HelperWork work,
      gpointer   data,
      gboolean   is_kept) {
  Helper *helper = NULL;

  pthread_mutex_lock (&lock);
  if (has_thread_locked (lane)) {
    helper = g_new0 (Helper, 1);
    helper->work = work;
    helper->data = data;
    helper->is_kept = is_kept;
    *lane->last = helper;
    lane->last = &helper->next;
    send_elsewhere_locked (lane);
    pthread_cond_signal (&lane->wanted);
  }
  pthread_mutex_unlock (&lock);
  return helper;
}

void
helper_prepare (void) {
  pthread_mutex_lock (&lock);
  has_thread_locked (&at_once);
  has_thread_locked (&behind);
  has_thread_locked (&in_turn);
  pthread_mutex_unlock (&lock);
}

Helper *
helper_call (HelperWork work,
             gpointer   data) {
  return call (&at_once, work, data, TRUE);
}

Helper *
helper_call_behind (HelperWork work,
                    gpointer   data) {
  return call (&behind, work, data, TRUE);
}

gboolean
helper_later (HelperWork work,
              gpointer   data) {
  return call (&in_turn, work, data, FALSE) != NULL;
}

void
helper_dismiss (Helper *helper) {
  gboolean is_over;

  if (helper == NULL)
    return;
  pthread_mutex_lock (&lock);
  helper->work = NULL;
  while (helper->is_working)
    pthread_cond_wait (&over, &lock);
  is_over = helper->is_over;
  /* Still waiting: the thread frees it when it comes to it. */
  helper->is_kept = FALSE;
  pthread_mutex_unlock (&lock);
  if (is_over)
    g_free (helper);
}
