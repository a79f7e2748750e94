/* SPDX-License-Identifier: GPL-3.0-or-later */

/* task-owner.c — whoever started a task ends in the thread that it lives in
 *
 * A task holds its source and its data until nobody holds the task. The last to do so
 * may be the thread that did the work, a moment after the callback ran: a session, or a
 * window, that was given up in the callback would be disposed of there, beside the main
 * thread. So a reference more is kept with the task, which goes after all others of it;
 * in another thread it is sent back instead of being dropped.
 */
#include "core/model/task-owner.h"

typedef struct {
  GObject      *owner;
  GThread      *thread;
  GMainContext *context;
  gint          is_sent; /* race detectors do not see how GLib sends it */
} Kept;

static void
drop (gpointer data) {
  Kept *kept = data;

  /* Pairs with let_go_cb(). */
  g_atomic_int_get (&kept->is_sent);
  g_object_unref (kept->owner);
  g_main_context_unref (kept->context);
  g_free (kept);
}

static gboolean
arrived_cb (gpointer data) {
  return G_SOURCE_REMOVE;
}

/* GObject lets go of this after the task has let go of its source and data. */
static void
let_go_cb (gpointer data) {
  Kept *kept = data;
  GMainContext *context = kept->context;
  GSource *source;

  if (kept->thread == g_thread_self ()) {
    drop (kept);
    return;
  }
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, arrived_cb, kept, drop);
  g_atomic_int_set (&kept->is_sent, TRUE);
  g_source_attach (source, context);
  g_source_unref (source);
}

void
task_keep_owner (GTask    *task,
                 gpointer  owner) {
  Kept *kept = g_new (Kept, 1);

  *kept = (Kept){ g_object_ref (owner), g_thread_self (),
                  g_main_context_ref (g_task_get_context (task)) };
  g_object_set_data_full (G_OBJECT (task), "tophash-owner", kept, let_go_cb);
}
