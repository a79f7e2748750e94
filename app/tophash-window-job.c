/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-job.c — one file being read or written, with progress and Cancel
 *
 * The progress lies over the top of the map, in a card of its own: nothing below
 * moves when it comes or goes, and a job that is over at once shows none.
 */
#include "app/tophash-window-job-private.h"
#include "core/model/task-owner.h"

#include <glib/gi18n.h>

#define SCENARIO_NAME_CHARS 60 /* of a suggested name; a file's name is short */

static void
file_job_free (FileJob *job) {
  g_object_unref (job->window);
  g_object_unref (job->file);
  g_clear_pointer (&job->log, tracelog_unref);
  g_clear_pointer (&job->timeline, timeline_unref);
  g_clear_pointer (&job->notes, trace_notes_free);
  g_free (job->warning);
  g_free (job);
}

void
file_job_progress (double   fraction,
                   gpointer data) {
  FileJob *job = data;

  g_atomic_int_set (&job->window->progress, (gint)(fraction * 1000));
}

/* A pipe does not tell how much will come, and a save looks for its key-frames
 * first: until something is known the bar goes to and fro. */
static gboolean
show_progress_cb (gpointer data) {
  TophashWindow *self = data;
  gint progress = g_atomic_int_get (&self->progress);

  if (progress > 0)
    gtk_progress_bar_set_fraction (self->busy_bar, progress / 1000.0);
  else
    gtk_progress_bar_pulse (self->busy_bar);
  gtk_revealer_set_reveal_child (self->busy, TRUE);
  return G_SOURCE_CONTINUE;
}

/* (transfer full) */
static char *
describe_job (JobKind     kind,
              const char *name) {
  switch (kind) {
  case JOB_OPEN:
    return g_strdup_printf (_ ("Opening %s"), name);
  case JOB_SAVE:
  case JOB_SAVE_NOTES:
    return g_strdup_printf (_ ("Saving %s"), name);
  case JOB_EXPORT:
    break;
  }
  return g_strdup_printf (_ ("Exporting %s"), name);
}

char *
tophash_window_name_of (GFile *file) {
  g_autofree char *name = g_file_get_basename (file);

  return name != NULL ? g_filename_display_name (name)
                      : g_file_get_parse_name (file);
}

/* The name first: a long place is cut at its end. */
void
tophash_window_toast_saved (TophashWindow *self,
                            GFile         *file) {
  g_autoptr (GFile) folder = g_file_get_parent (file);
  g_autofree char *name = tophash_window_name_of (file);
  g_autofree char *place
      = folder == NULL ? NULL : g_file_get_parse_name (folder);
  g_autofree char *text = NULL;

  if (place == NULL || g_file_test ("/.flatpak-info", G_FILE_TEST_EXISTS))
    text = g_strdup_printf (_ ("Saved %s"), name);
  else
    text = g_strdup_printf (_ ("Saved %s in %s"), name, place);
  tophash_window_toast (self, text);
}

FileJob *
file_job_begin (TophashWindow *self,
                GFile         *file,
                JobKind        kind) {
  FileJob *job = g_new0 (FileJob, 1);
  g_autofree char *name = tophash_window_name_of (file);
  g_autofree char *text = describe_job (kind, name);

  job->window = g_object_ref (self);
  job->file = g_object_ref (file);
  job->kind = kind;
  tophash_window_forget_notices (self);
  self->job = g_cancellable_new ();
  self->job_is_save = kind == JOB_SAVE || kind == JOB_SAVE_NOTES;
  g_atomic_int_set (&self->progress, 0);
  gtk_label_set_text (self->busy_label, text);
  gtk_progress_bar_set_fraction (self->busy_bar, 0);
  gtk_progress_bar_set_pulse_step (self->busy_bar, .09);
  self->progress_id = g_timeout_add (150, show_progress_cb, self);
  tophash_window_update_actions (self);
  return job;
}

static void
job_done_cb (GObject      *source,
             GAsyncResult *result,
             gpointer      data) {
  FileJob *job = g_task_get_task_data (G_TASK (result));
  TophashWindow *self = job->window;
  g_autoptr (GError) error = NULL;

  g_clear_handle_id (&self->progress_id, g_source_remove);
  g_clear_object (&self->job);
  gtk_revealer_set_reveal_child (self->busy, FALSE);
  if (self->session == NULL)
    return;
  tophash_window_update_actions (self);
  g_task_propagate_boolean (G_TASK (result), &error);
  job->done (job, error);
  tophash_window_save_soon (self);
}

void
file_job_start (FileJob         *job,
                GTaskThreadFunc  work,
                FileJobDone      done) {
  g_autoptr (GTask) task
      = g_task_new (NULL, job->window->job, job_done_cb, NULL);

  task_keep_owner (task, job->window);
  job->done = done;
  g_task_set_task_data (task, job, (GDestroyNotify)file_job_free);
  /* Whatever the file is, even a pipe without an end. */
  if (job->kind == JOB_OPEN)
    g_task_set_return_on_cancel (task, TRUE);
  g_task_run_in_thread (task, work);
}

/* (transfer full): the scenario and the time; no folder, whatever it is called. */
static char *
suggest_name (TophashWindow *self,
              const char    *suffix) {
  const TraceInfo *info
      = tracelog_get_info (tophash_session_get_log (self->session));
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *date = g_date_time_format (now, "%Y-%m-%d %H-%M");
  g_autofree char *scenario = g_utf8_substring (
      info->scenario_name == NULL ? "recording" : info->scenario_name, 0,
      SCENARIO_NAME_CHARS);

  g_strdelimit (scenario, "/\\", '-');
  return g_strdup_printf ("%s %s.%s", scenario, date, suffix);
}

void
tophash_window_choose_name (TophashWindow     *self,
                            const char        *title,
                            const char        *suffix,
                            const char *const *filters,
                            CompatFileChosen   chosen) {
  g_autofree char *name = suggest_name (self, suffix);
  g_autoptr (GFile) folder
      = self->home == NULL ? NULL : g_file_get_parent (self->home);

  compat_file_save (GTK_WINDOW (self), title, folder, name, filters, chosen, self);
}
