/* SPDX-License-Identifier: GPL-3.0-or-later */

/* helper.c — a second thread for work that is wanted at once
 *
 * A call that nobody has begun when it is dismissed is void; one that has begun
 * is waited for. So the caller's data need only live until then, and a helper
 * that is busy elsewhere delays nobody.
 */
#include "core/state/helper.h"

#include <pthread.h>

struct _Helper {
  void    (*work) (gpointer data); /* NULL once dismissed */
  gpointer  data;
  gboolean  is_working;
  gboolean  is_queued; /* the pool holds it */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards every Helper */
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;

static void
help_cb (gpointer item,
         gpointer unused) {
  Helper *helper = item;
  void (*work) (gpointer data);
  gboolean is_void;

  pthread_mutex_lock (&lock);
  work = helper->work;
  is_void = work == NULL;
  helper->is_working = !is_void;
  helper->is_queued = FALSE;
  pthread_mutex_unlock (&lock);
  if (is_void) {
    g_free (helper);
    return;
  }
  work (helper->data);
  pthread_mutex_lock (&lock);
  helper->is_working = FALSE;
  pthread_cond_broadcast (&ended);
  pthread_mutex_unlock (&lock);
}

Helper *
helper_call (void   (*work) (gpointer data),
             gpointer data) {
  static gsize pool;
  Helper *helper = g_new0 (Helper, 1);

  if (g_once_init_enter (&pool))
    g_once_init_leave (&pool,
                       (gsize)g_thread_pool_new (help_cb, NULL, 1, FALSE, NULL));
  helper->work = work;
  helper->data = data;
  helper->is_queued = TRUE;
  g_thread_pool_push ((GThreadPool *)pool, helper, NULL);
  return helper;
}

void
helper_dismiss (Helper *helper) {
  gboolean is_queued;

  if (helper == NULL)
    return;
  pthread_mutex_lock (&lock);
  helper->work = NULL;
  while (helper->is_working)
    pthread_cond_wait (&ended, &lock);
  is_queued = helper->is_queued;
  pthread_mutex_unlock (&lock);
  if (!is_queued)
    g_free (helper);
}
