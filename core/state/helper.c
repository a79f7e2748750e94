/* SPDX-License-Identifier: GPL-3.0-or-later */

/* helper.c — threads for work that is wanted at once, beside other work, and later
 *
 * A call that nobody has begun when it is dismissed is void; one that has begun
 * is waited for. So the caller's data need only live until then, and a helper
 * that is busy elsewhere delays nobody.
 *
 * The threads are made when they are first wanted, or prepared, and wait until the
 * process ends. A thread has its maker's rank, which it cannot better: made by one that
 * works behind the window, it would keep a hand waiting for what it helps with. Plain
 * pthreads, which race detectors understand.
 *
 * Tidying     What frees memory or mappings behind somebody who hurries would take a
 *             processor that he needs or interrupt him on it, so it is held back: not
 *             put into the lane before nobody hurries any more. Whoever scrubs hurries
 *             all the time, so no more than MOST_HELD are: 29 mappings, 150 MB, were
 *             seen to wait.
 *
 * Elsewhere   A kernel that sees no cache shared between processors (many virtual
 *             machines) wakes a thread on the one it slept on. Is it the caller's,
 *             then one of both waits for a tick of 4 ms, mostly longer than all
 *             the work: no help at all. So the thread is kept off the processor
 *             that calls, for as long as that may have others.
 *
 * Locks       One a lane, held for a few words: a caller that works behind the window
 *             may be stopped while it has it, and the window's thread, which calls
 *             at once and in turn, must not wait for who calls behind.
 */
#include "core/state/helper.h"

#include "core/base/rank.h"
#include "core/base/sync.h"

#include <pthread.h>
#include <sched.h>

/* As the timeline's follower has it at its latest work. */
#define NICE_BEHIND 10
/* What was begun is mostly nearly over when it is dismissed: its caller has done the
 * rest. To sleep and be woken takes 30 us in a virtual machine, now and then many times
 * as long. So many pauses take about as long as that. */
#define PAUSES 1000u

#define MOST_HELD 3u

typedef struct _Lane Lane;

struct _Helper {
  Helper    *next;
  Lane      *lane;
  HelperWork work; /* NULL once dismissed */
  gpointer   data;
  gboolean   is_kept; /* its caller will dismiss it */
  gint       is_working; /* atomic: who dismisses it has a look before */
  gboolean   is_over;
};

struct _Lane {
  pthread_mutex_t lock; /* guards all below, and the lane's calls */
  pthread_cond_t  wanted;
  pthread_cond_t  over;
  Helper         *first; /* waiting, oldest first */
  Helper        **last;  /* NULL: there is no thread yet */
  guint           n_holds;
  Helper         *held;  /* not to be begun while anyone holds; newest first */
  guint           n_held;
  pthread_t       thread; /* never changed once it is there */
  int             niceness; /* 0: nobody's before it */
};

#define LANE_INIT(rank)                                                              \
  { .lock = PTHREAD_MUTEX_INITIALIZER, .wanted = PTHREAD_COND_INITIALIZER,           \
    .over = PTHREAD_COND_INITIALIZER, .niceness = (rank) }

static Lane at_once = LANE_INIT (0);
static Lane behind = LANE_INIT (NICE_BEHIND);
static Lane in_turn = LANE_INIT (0);

/* Does the oldest call; the lock is held but while it works. */
static void
do_first_locked (Lane *lane) {
  Helper *helper = lane->first;
  HelperWork work = helper->work;

  lane->first = helper->next;
  if (lane->first == NULL)
    lane->last = &lane->first;
  if (work != NULL) {
    g_atomic_int_set (&helper->is_working, TRUE);
    pthread_mutex_unlock (&lane->lock);
    /* Not helper->work: from here on it may be dismissed, and waited for. */
    work (helper->data);
    pthread_mutex_lock (&lane->lock);
    g_atomic_int_set (&helper->is_working, FALSE);
  }
  helper->is_over = TRUE;
  if (helper->is_kept) {
    pthread_cond_broadcast (&lane->over);
  } else {
    pthread_mutex_unlock (&lane->lock);
    g_free (helper);
    pthread_mutex_lock (&lane->lock);
  }
}

static void *
serve_cb (void *data) {
  Lane *lane = data;

  if (lane->niceness > 0)
    rank_step_back (lane->niceness);
  pthread_mutex_lock (&lane->lock);
  for (;;) {
    while (lane->first == NULL)
      pthread_cond_wait (&lane->wanted, &lane->lock);
    do_first_locked (lane);
  }
  return NULL;
}

static gboolean
has_thread (Lane *lane) {
  gboolean has;

  pthread_mutex_lock (&lane->lock);
  if (lane->last == NULL
      && pthread_create (&lane->thread, NULL, serve_cb, lane) == 0) {
    pthread_detach (lane->thread);
    lane->last = &lane->first;
  }
  has = lane->last != NULL;
  pthread_mutex_unlock (&lane->lock);
  return has;
}

/* Has the thread of @lane, which ends with the process, run elsewhere. */
static void
send_elsewhere (const Lane *lane) {
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

static void
append_locked (Lane   *lane,
               Helper *helper) {
  helper->next = NULL;
  *lane->last = helper;
  lane->last = &helper->next;
}

/* NULL: there is no thread. */
static Helper *
helper_new (Lane      *lane,
            HelperWork work,
            gpointer   data,
            gboolean   is_kept) {
  Helper *helper;

  if (!has_thread (lane))
    return NULL;
  helper = g_new0 (Helper, 1);
  helper->lane = lane;
  helper->work = work;
  helper->data = data;
  helper->is_kept = is_kept;
  return helper;
}

static Helper *
call (Lane      *lane,
      HelperWork work,
      gpointer   data,
      gboolean   is_kept) {
  Helper *helper = helper_new (lane, work, data, is_kept);

  if (helper == NULL)
    return NULL;
  send_elsewhere (lane);
  pthread_mutex_lock (&lane->lock);
  append_locked (lane, helper);
  pthread_mutex_unlock (&lane->lock);
  pthread_cond_signal (&lane->wanted);
  return helper;
}

void
helper_prepare (void) {
  has_thread (&at_once);
  has_thread (&behind);
  has_thread (&in_turn);
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

/* There is one. */
static Helper *
take_oldest_held_locked (Lane *lane) {
  Helper **place = &lane->held;

  while ((*place)->next != NULL)
    place = &(*place)->next;
  lane->n_held--;
  return g_steal_pointer (place);
}

gboolean
helper_tidy (HelperWork work,
             gpointer   data) {
  Lane *lane = &in_turn;
  Helper *helper = helper_new (lane, work, data, FALSE);
  gboolean is_held;

  if (helper == NULL)
    return FALSE;
  pthread_mutex_lock (&lane->lock);
  is_held = lane->n_holds > 0;
  if (is_held) {
    helper->next = lane->held;
    lane->held = helper;
    lane->n_held++;
  } else {
    append_locked (lane, helper);
  }
  if (lane->n_held > MOST_HELD) {
    append_locked (lane, take_oldest_held_locked (lane));
    is_held = FALSE;
  }
  pthread_mutex_unlock (&lane->lock);
  if (!is_held) {
    send_elsewhere (lane);
    pthread_cond_signal (&lane->wanted);
  }
  return TRUE;
}

void
helper_hold (void) {
  pthread_mutex_lock (&in_turn.lock);
  in_turn.n_holds++;
  pthread_mutex_unlock (&in_turn.lock);
}

void
helper_release (void) {
  Lane *lane = &in_turn;
  Helper *held = NULL, *next, *oldest = NULL;

  pthread_mutex_lock (&lane->lock);
  if (--lane->n_holds == 0) {
    held = g_steal_pointer (&lane->held);
    lane->n_held = 0;
  }
  for (; held != NULL; held = next) {
    next = held->next;
    held->next = oldest;
    oldest = held;
  }
  for (held = oldest; held != NULL; held = next) {
    next = held->next;
    append_locked (lane, held);
  }
  pthread_mutex_unlock (&lane->lock);
  if (oldest == NULL)
    return;
  send_elsewhere (lane);
  pthread_cond_signal (&lane->wanted);
}

void
helper_dismiss (Helper *helper) {
  gboolean is_over;
  Lane *lane;

  if (helper == NULL)
    return;
  lane = helper->lane;
  for (guint i = 0; i < PAUSES && g_atomic_int_get (&helper->is_working); i++)
    sync_pause (1);
  pthread_mutex_lock (&lane->lock);
  helper->work = NULL;
  while (helper->is_working)
    pthread_cond_wait (&lane->over, &lane->lock);
  is_over = helper->is_over;
  /* Still waiting: the thread frees it when it comes to it. */
  helper->is_kept = FALSE;
  pthread_mutex_unlock (&lane->lock);
  if (is_over)
    g_free (helper);
}
