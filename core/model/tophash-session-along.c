/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-session-along.c — to the next and previous event of one thing
 *
 * What is gone along is put into a job that knows nothing of the session, and
 * looked for in a task: blocks that cannot hold it are passed over, others are read.
 * Where the cursor stands by then decides: if it moved meanwhile, whoever moved it
 * wants to be there.
 *
 * Key         The life of a key is known backward, a page at a time. Forward it is
 *             asked for in windows, each twice as long as the one before, so that a
 *             near event costs little and a far one no more than reading to it.
 */
#include "core/model/tophash-session-along.h"

#include "core/model/narrator.h"
#include "core/model/task-owner.h"
#include "core/model/tophash-session-private.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>

#define FIRST_WINDOW 4096u
#define LAST_WINDOW (1u << 22)

typedef struct {
  Timeline     *timeline;
  guint64       position; /* the cursor's when it was asked for */
  gboolean      forward;
  SessionAlong  along;
  gint64        key;
  guint16       thread;
  EventQuery   *query;    /* of a bucket, a kind; else NULL */
  guint64       found;    /* the result: a position; G_MAXUINT64: none */
} AlongJob;

static void
along_job_free (gpointer data) {
  AlongJob *job = data;

  g_clear_pointer (&job->query, event_query_unref);
  timeline_unref (job->timeline);
  g_free (job);
}

/* What there is ------------------------------------------------------------ */

static gboolean
is_of_op (const Event *event) {
  return event->kind == EVENT_OP_BEGAN || event->kind == EVENT_OP_ENDED
         || event->kind == EVENT_OP_TOLD;
}

/* (transfer full) */
static char *
kind_name (const Event *event) {
  const char *op = op_kind_name (event->aux8);

  if (is_of_op (event) && op != NULL) {
    if (event->kind == EVENT_OP_BEGAN)
      return g_strdup_printf (_ ("%s began"), op);
    if (event->kind == EVENT_OP_ENDED)
      return g_strdup_printf (_ ("%s ended"), op);
    return g_strdup (op);
  }
  return g_strdup (event_kind_name (event->kind));
}

char *
tophash_session_along_name (TophashSession *self,
                            SessionAlong    along) {
  const TophashSelection *selection;
  Event event;

  g_return_val_if_fail (TOPHASH_IS_SESSION (self), NULL);
  if (self->log == NULL)
    return NULL;
  selection = &self->selection;
  switch (along) {
  case ALONG_KEY:
    return selection->kind == SELECTION_SLOT && selection->has_key
             ? tophash_session_key_text (self, selection->key)
             : NULL;
  case ALONG_BUCKET:
    return selection->kind == SELECTION_SLOT
             ? g_strdup_printf (_ ("bucket %u"), selection->bucket)
             : NULL;
  case ALONG_THREAD:
    return session_get_event (self, &event) ? narrator_thread (event.thread) : NULL;
  case ALONG_KIND:
    return session_get_event (self, &event) ? kind_name (&event) : NULL;
  case ALONG_N_KINDS:
    break;
  }
  return NULL;
}

/* (transfer full) */
static EventQuery *
query_new (TophashSession *self,
           SessionAlong    along,
           const Event    *event) {
  const char *op = op_kind_name (event->aux8);
  g_autofree char *text = NULL;

  if (along == ALONG_BUCKET)
    text = g_strdup_printf ("bucket = %u and table = %u", self->selection.bucket,
                            self->selection.table);
  else if (is_of_op (event) && op != NULL)
    text = g_strdup_printf ("kind = %s and op = %s", event_kind_name (event->kind),
                            op);
  else
    text = g_strdup_printf ("kind = %s", event_kind_name (event->kind));
  return event_query_new (text, NULL, NULL);
}

/* NULL: there is no such thing to go along. */
static AlongJob *
along_job_new (TophashSession *self,
               SessionAlong    along,
               gboolean        forward) {
  g_autofree char *name = tophash_session_along_name (self, along);
  Event event = { 0 };
  AlongJob *job;

  if (name == NULL || self->timeline == NULL)
    return NULL;
  session_get_event (self, &event);
  job = g_new0 (AlongJob, 1);
  job->timeline = timeline_ref (self->timeline);
  job->position = self->position;
  job->forward = forward;
  job->along = along;
  job->key = self->selection.key;
  job->thread = event.thread;
  if (along == ALONG_BUCKET || along == ALONG_KIND)
    job->query = query_new (self, along, &event);
  return job;
}

/* Looking ------------------------------------------------------------------ */

static guint64
find_key_before (const AlongJob *job,
                 guint64         end,
                 GCancellable   *cancellable) {
  g_autoptr (GArray) indices = g_array_new (FALSE, FALSE, sizeof (guint64));

  while (end > 0 && indices->len == 0 && !g_cancellable_is_cancelled (cancellable))
    end = timeline_get_key_page (job->timeline, job->key, end, 1, cancellable,
                                 indices);
  return indices->len > 0 ? g_array_index (indices, guint64, indices->len - 1) + 1
                          : G_MAXUINT64;
}

static guint64
find_key_after (const AlongJob *job,
                guint64         from,
                GCancellable   *cancellable) {
  g_autoptr (GArray) indices = g_array_new (FALSE, FALSE, sizeof (guint64));
  guint64 length = timeline_get_length (job->timeline);
  guint window = FIRST_WINDOW;

  while (from < length && indices->len == 0
         && !g_cancellable_is_cancelled (cancellable)) {
    guint64 n = MIN (window, length - from);

    timeline_get_key_life (job->timeline, job->key, from + n, n, (guint)n,
                           cancellable, indices);
    from += n;
    window = MIN (window * 2, LAST_WINDOW);
  }
  return indices->len > 0 ? g_array_index (indices, guint64, 0) + 1 : G_MAXUINT64;
}

static void
look (GTask        *task,
      gpointer      source,
      gpointer      data,
      GCancellable *cancellable) {
  AlongJob *job = data;
  guint64 from = job->forward ? job->position : MAX (job->position, 1) - 1;
  gboolean is_whole = timeline_is_complete (job->timeline);
  gboolean is_ahead = !is_whole && from > timeline_get_length (job->timeline);

  if (job->along == ALONG_KEY)
    job->found = job->forward ? find_key_after (job, from, cancellable)
                              : find_key_before (job, from, cancellable);
  else if (job->query != NULL)
    job->found = timeline_find_match (job->timeline, from, job->forward, job->query,
                                      cancellable);
  else
    job->found = timeline_find (job->timeline, from, job->forward, G_MAXUINT64,
                                job->thread, cancellable);
  /* Ahead of what is read, the one found before that need not be the last. */
  if (is_ahead || (job->found == G_MAXUINT64 && job->forward && !is_whole))
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                             "there may be one where nobody has read yet");
  else
    g_task_return_boolean (task, job->found != G_MAXUINT64);
}

void
tophash_session_along_async (TophashSession      *self,
                             SessionAlong         along,
                             gboolean             forward,
                             GAsyncReadyCallback  callback,
                             gpointer             user_data) {
  g_autoptr (GTask) task = NULL;
  AlongJob *job;

  g_return_if_fail (TOPHASH_IS_SESSION (self));
  /* A key that is held down asks faster than a far event is found. */
  if (self->going != NULL && self->going_along == along
      && self->going_forward == forward) {
    g_task_report_new_error (self, callback, user_data, NULL, G_IO_ERROR,
                             G_IO_ERROR_CANCELLED, "being looked for");
    return;
  }
  session_stop_going (self);
  if (tophash_session_is_playing (self) || tophash_session_is_following (self))
    tophash_session_pause (self);
  job = along_job_new (self, along, forward);
  if (job == NULL) {
    g_task_report_new_error (self, callback, user_data, NULL, G_IO_ERROR,
                             G_IO_ERROR_NOT_FOUND, "nothing to go along");
    return;
  }
  self->going = g_cancellable_new ();
  self->going_along = along;
  self->going_forward = forward;
  task = g_task_new (self, self->going, callback, user_data);
  task_keep_owner (task, self);
  g_task_set_source_tag (task, tophash_session_along_async);
  g_task_set_task_data (task, job, along_job_free);
  g_task_run_in_thread (task, look);
}

gboolean
tophash_session_along_finish (TophashSession *self,
                              GAsyncResult   *result,
                              GError        **error) {
  GTask *task = G_TASK (result);
  AlongJob *job = g_task_get_task_data (task);
  GError *problem = NULL;
  gboolean is_found;

  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  if (self->going != NULL && self->going == g_task_get_cancellable (task))
    g_clear_object (&self->going);
  is_found = g_task_propagate_boolean (task, &problem);
  if (problem == NULL
      && (self->timeline != job->timeline || self->position != job->position))
    problem = g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "the cursor moved");
  if (problem != NULL) {
    g_propagate_error (error, problem);
    return FALSE;
  }
  if (is_found)
    tophash_session_seek (self, job->found);
  return is_found;
}

void
session_stop_going (TophashSession *self) {
  if (self->going != NULL)
    g_cancellable_cancel (self->going);
  g_clear_object (&self->going);
}

gboolean
tophash_session_is_going (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);

  return self->going != NULL;
}

void
tophash_session_stop_going (TophashSession *self) {
  g_return_if_fail (TOPHASH_IS_SESSION (self));

  session_stop_going (self);
}
