/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-files.c — opening and saving
 *
 * Reading and writing happen in a job (tophash-window-job-private.h). A failed save
 * loses nothing: the recording stays in memory and the file that stood there stays
 * as it was.
 *
 * Home        The file that the recording was opened from or saved to. Saving goes
 *             there without asking: when the recording is as long as it was, only
 *             its notes are appended; when it grew since it was saved, all of it
 *             is written anew. A file that takes no notes (of an older or a newer form,
 *             cut short, or one that another process still records into) is left
 *             alone, and a name is asked for. One that is gone is written anew.
 */
#include "app/tophash-window-job-private.h"
#include "core/base/give-back.h"
#include "core/record/trace-keyframe.h"
#include "core/record/tracelog-file.h"

#include <glib/gi18n.h>

/* From a recording's being there: its map, and the pictures that threads paint. */
#define FRAMES_BEFORE_SCENARIO 2

/* The recording stands in @file, which only we wrote if @is_ours. */
static void
settle_in (TophashWindow *self,
           GFile         *file,
           guint64        length,
           gboolean       is_ours) {
  g_set_object (&self->home, file);
  self->home_length = length;
  self->home_is_ours = is_ours;
  tophash_window_update_title (self);
}

static void
open_thread (GTask        *task,
             gpointer      source,
             gpointer      data,
             GCancellable *cancellable) {
  FileJob *job = data;
  GError *error = NULL;

  job->log = tracelog_open_growing (job->file, file_job_progress, job, cancellable,
                                    &job->warning, &error);
  if (job->log == NULL) {
    g_task_return_error (task, error);
    return;
  }
  /* What another process still records is shown as a run of our own is. */
  tracelog_follow (job->log);
  g_task_return_boolean (task, TRUE);
}

/* A recording carries its scenario: it can be read and run again. One that this
 * version does not understand changes nothing. */
static void
show_scenario_of (TophashWindow *self,
                  TraceLog      *log) {
  const TraceInfo *info = tracelog_get_info (log);
  g_autoptr (Scenario) scenario = NULL;

  if (info->scenario_json != NULL)
    scenario = scenario_new_from_json (
        info->scenario_json, -1,
        info->scenario_name == NULL ? "recording" : info->scenario_name, NULL);
  if (scenario != NULL)
    tophash_session_set_scenario (self->session, scenario);
}

typedef struct {
  TophashWindow *window; /* a reference */
  TraceLog      *log;    /* the same */
} Opened;

static void
opened_free (gpointer data) {
  Opened *opened = data;

  g_object_unref (opened->window);
  tracelog_unref (opened->log);
  g_free (opened);
}

static gboolean
show_scenario_cb (gpointer data) {
  const Opened *opened = data;
  TophashWindow *self = opened->window;

  if (self->session != NULL
      && tophash_session_get_log (self->session) == opened->log)
    show_scenario_of (self, opened->log);
  return G_SOURCE_REMOVE;
}

/* After the first pictures, in a turn of its own: the pane that tells the scenario
 * takes as long to be filled, measured and drawn as all the rest. */
static gboolean
opened_cb (GtkWidget     *widget,
           GdkFrameClock *clock,
           gpointer       data) {
  TophashWindow *self = TOPHASH_WINDOW (widget);
  Opened *opened;

  if (tophash_session_get_log (self->session) != data)
    return G_SOURCE_REMOVE;
  if (self->n_opened_frames++ < FRAMES_BEFORE_SCENARIO)
    return G_SOURCE_CONTINUE;
  opened = g_new (Opened, 1);
  opened->window = g_object_ref (self);
  opened->log = tracelog_ref (data);
  g_idle_add_full (GDK_PRIORITY_REDRAW + 1, show_scenario_cb, opened, opened_free);
  return G_SOURCE_REMOVE;
}

/* Shows @log, read from @file. */
static void
show_opened (TophashWindow *self,
             TraceLog      *log,
             GFile         *file) {
  gboolean is_seen = gtk_widget_get_mapped (GTK_WIDGET (self));

  if (!is_seen)
    show_scenario_of (self, log);
  tophash_session_set_log (self->session, log);
  self->n_opened_frames = 0;
  if (is_seen)
    gtk_widget_add_tick_callback (GTK_WIDGET (self), opened_cb, tracelog_ref (log),
                                  (GDestroyNotify)tracelog_unref);
  tophash_session_mark_saved (self->session);
  tophash_session_restore_view (self->session);
  settle_in (self, file, tracelog_get_length (log), FALSE);
  self->was_growing = !tracelog_is_finished (log);
  tophash_window_update_actions (self);
}

static void
open_done (FileJob      *job,
           const GError *error) {
  TophashWindow *self = job->window;
  g_autofree char *newer = NULL;

  if (error != NULL) {
    if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
      tophash_window_warn (self, error->message);
    return;
  }
  newer = tracelog_dup_newer (job->log);
  show_opened (self, job->log, job->file);
  /* That it grows is no trouble, and over some time. */
  if (job->warning != NULL && self->was_growing)
    tophash_window_toast (self, job->warning);
  else if (job->warning != NULL)
    tophash_window_warn (self, job->warning);
  else if (newer != NULL)
    tophash_window_warn (self, newer);
  else
    tophash_window_tell_part (self);
}

void
tophash_window_open (TophashWindow *self,
                     GFile         *file) {
  g_autofree char *name = NULL;

  g_return_if_fail (TOPHASH_IS_WINDOW (self));

  name = g_file_get_parse_name (file);
  if (g_str_has_suffix (name, ".json")) {
    tophash_window_set_scenario (self, name, FALSE);
    return;
  }
  if (self->job != NULL) {
    tophash_window_toast (self, _ ("Another file is still being read or written"));
    return;
  }
  if (!tophash_window_may_leave (self, AFTER_SAVE_OPEN, file))
    return;
  file_job_start (file_job_begin (self, file, JOB_OPEN), open_thread, open_done);
}

/* Saving ------------------------------------------------------------------- */

static void
save_thread (GTask        *task,
             gpointer      source,
             gpointer      data,
             GCancellable *cancellable) {
  FileJob *job = data;
  GError *error = NULL;
  gboolean is_saved;

  if (job->kind == JOB_SAVE_NOTES) {
    is_saved = tracelog_save_notes (job->log, job->file, &error);
  } else {
    timeline_put_keyframes (job->timeline, TRACE_KEYFRAME_EVENTS, cancellable);
    is_saved = tracelog_save (job->log, job->file, file_job_progress, job, cancellable,
                              &error);
    /* A state each few million events, tens of megabytes each, and they were the
     * file's: saved, failed or cancelled. */
    tracelog_drop_keyframes (job->log);
    give_memory_back ();
  }

  if (is_saved)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* What was written meanwhile is not in the file. */
static void
note_saved (TophashWindow *self,
            const FileJob *job) {
  if (tophash_session_get_log (self->session) != job->log)
    return;
  if (job->kind == JOB_SAVE)
    settle_in (self, job->file, job->length, TRUE);
  if (trace_notes_equal (job->notes, tophash_session_get_notes (self->session)))
    tophash_session_mark_saved (self->session);
}

static void begin_save (TophashWindow *self,
                        GFile         *file,
                        JobKind        kind);

static void
save_failed (TophashWindow *self,
             const FileJob *job,
             const GError  *error) {
  if (job->kind == JOB_SAVE_NOTES
      && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED)) {
    tophash_window_choose_save (self);
    return;
  }
  /* Removed since it was opened, its blocks can be read all the same. */
  if (job->kind == JOB_SAVE_NOTES
      && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
    begin_save (self, job->file, JOB_SAVE);
    return;
  }
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    tophash_window_forget_notices (self); /* that it is saved first, and then closed */
  else
    tophash_window_warn_with (self, error->message, _ ("Save As…"), "win.save-as");
  self->after_save = AFTER_SAVE_STAY;
  g_clear_object (&self->next_file);
}

static void
save_done (FileJob      *job,
           const GError *error) {
  TophashWindow *self = job->window;

  if (error != NULL) {
    save_failed (self, job, error);
    return;
  }
  note_saved (self, job);
  tophash_window_toast_saved (self, job->file);
  tophash_window_go_on (self);
}

static void
begin_save (TophashWindow *self,
            GFile         *file,
            JobKind        kind) {
  FileJob *job = file_job_begin (self, file, kind);

  tophash_inspector_take_notes (self->inspector);
  tophash_session_store_view (self->session);
  job->log = tracelog_ref (tophash_session_get_log (self->session));
  job->timeline = timeline_ref (tophash_session_get_timeline (self->session));
  job->notes = trace_notes_copy (tophash_session_get_notes (self->session));
  job->length = tracelog_get_length (job->log);
  file_job_start (job, save_thread, save_done);
}

void
tophash_window_save_to (TophashWindow *self,
                        GFile         *file) {
  if (self->job == NULL && tophash_session_get_log (self->session) != NULL)
    begin_save (self, file, JOB_SAVE);
}

static void
save_chosen_cb (GFile    *file,
                gpointer  data) {
  TophashWindow *self = data;

  if (file != NULL && self->session != NULL) {
    tophash_window_save_to (self, file);
    return;
  }
  self->after_save = AFTER_SAVE_STAY;
  g_clear_object (&self->next_file);
}

void
tophash_window_save (TophashWindow *self) {
  TraceLog *log = tophash_session_get_log (self->session);

  if (log == NULL || self->job != NULL)
    return;
  if (self->home != NULL && tracelog_get_length (log) == self->home_length)
    begin_save (self, self->home, JOB_SAVE_NOTES);
  else if (self->home != NULL && self->home_is_ours)
    begin_save (self, self->home, JOB_SAVE);
  else
    tophash_window_choose_save (self);
}

static void
open_chosen_cb (GFile    *file,
                gpointer  data) {
  if (file != NULL)
    tophash_window_open (TOPHASH_WINDOW (data), file);
}

void
tophash_window_choose_open (TophashWindow *self) {
  const char *const filters[]
      = { _ ("Recordings and scenarios"),
          "*.tophash;*.json",
          _ ("Recordings"),
          "*.tophash",
          _ ("Scenarios"),
          "*.json",
          _ ("All files"),
          "*",
          NULL };

  compat_file_open (GTK_WINDOW (self), _ ("Open a Recording or Scenario"), filters,
                    open_chosen_cb, self);
}

void
tophash_window_choose_save (TophashWindow *self) {
  const char *const filters[] = { _ ("Recordings"), "*.tophash", NULL };

  tophash_window_choose_name (self, _ ("Save Recording"), "tophash", filters,
                              save_chosen_cb);
}

/* Dropping ------------------------------------------------------------------ */

/* The first of several: there is one recording in a window. */
static gboolean
drop_cb (GtkDropTarget *target,
         const GValue  *value,
         double         x,
         double         y,
         TophashWindow *self) {
  g_autoptr (GSList) files = gdk_file_list_get_files (g_value_get_boxed (value));

  if (files == NULL)
    return FALSE;
  tophash_window_open (self, files->data);
  return TRUE;
}

void
tophash_window_take_drops (TophashWindow *self) {
  GtkDropTarget *target
      = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

  g_signal_connect (target, "drop", G_CALLBACK (drop_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self->fit),
                             GTK_EVENT_CONTROLLER (target));
}
