/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-files.c — opening, saving, exporting
 *
 * Reading and writing happen in a task, with progress and Cancel under the
 * header; one job at a time. A failed save loses nothing: the recording stays in
 * memory and the file that stood there stays as it was.
 *
 * Home        The file that the recording was opened from or saved to. Saving goes
 *             there without asking: when the recording is as long as it was, only
 *             its notes are appended; when it grew since it was saved, all of it
 *             is written anew. A file that takes no notes (of an older form, cut
 *             short, or one that another process is still recording into) is left
 *             alone, and a name is asked for.
 */
#include "app/compat.h"
#include "app/tophash-window-private.h"
#include "core/export/export.h"
#include "core/record/trace-keyframe.h"
#include "core/record/tracelog-file.h"
#include "widgets/tophash-picture.h"

#include <glib/gi18n.h>

typedef enum {
  JOB_OPEN,
  JOB_SAVE,
  JOB_SAVE_NOTES,
  JOB_EXPORT,
} JobKind;

typedef struct {
  TophashWindow *window; /* a reference: the task outlives a closed window */
  GFile         *file;
  TraceLog      *log;     /* to save, or the result of opening */
  Timeline      *timeline; /* over the log to save */
  TraceNotes    *notes;   /* as they were when saving began */
  guint64        length;  /* the same: of the log */
  JobKind        kind;
  char          *warning; /* of opening */
  ExportFormat   format;  /* of exporting */
  guint64        to;      /* the same: what stands at one instant, at this */
} FileJob;

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

/* In the task's thread. */
static void
progress_cb (double   fraction,
             gpointer data) {
  FileJob *job = data;

  g_atomic_int_set (&job->window->progress, (gint)(fraction * 1000));
}

static gboolean
show_progress_cb (gpointer data) {
  TophashWindow *self = data;

  gtk_progress_bar_set_fraction (self->busy_bar,
                                 g_atomic_int_get (&self->progress) / 1000.0);
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

/* The name first: a long place is cut at its end. */
static void
toast_saved (TophashWindow *self,
             GFile         *file) {
  g_autoptr (GFile) folder = g_file_get_parent (file);
  g_autofree char *name = g_file_get_basename (file);
  g_autofree char *place
      = folder == NULL ? NULL : g_file_get_parse_name (folder);
  g_autofree char *text = NULL;

  if (place == NULL || g_file_test ("/.flatpak-info", G_FILE_TEST_EXISTS))
    text = g_strdup_printf (_ ("Saved %s"), name);
  else
    text = g_strdup_printf (_ ("Saved %s in %s"), name, place);
  tophash_window_toast (self, text);
}

static FileJob *
begin_job (TophashWindow *self,
           GFile         *file,
           JobKind        kind) {
  FileJob *job = g_new0 (FileJob, 1);
  g_autofree char *name = g_file_get_basename (file);
  g_autofree char *text = describe_job (kind, name);

  job->window = g_object_ref (self);
  job->file = g_object_ref (file);
  job->kind = kind;
  tophash_window_forget_warning (self);
  self->job = g_cancellable_new ();
  self->job_is_save = kind == JOB_SAVE || kind == JOB_SAVE_NOTES;
  g_atomic_int_set (&self->progress, 0);
  gtk_label_set_text (self->busy_label, text);
  gtk_progress_bar_set_fraction (self->busy_bar, 0);
  self->progress_id = g_timeout_add (150, show_progress_cb, self);
  tophash_window_update_actions (self);
  return job;
}

/* Takes @job over: @work in a thread, then @done in the main one. */
static void
start_job (FileJob            *job,
           GTaskThreadFunc     work,
           GAsyncReadyCallback done) {
  g_autoptr (GTask) task = g_task_new (NULL, job->window->job, done, NULL);

  g_task_set_task_data (task, job, (GDestroyNotify)file_job_free);
  g_task_run_in_thread (task, work);
}

static void
end_job (TophashWindow *self) {
  g_clear_handle_id (&self->progress_id, g_source_remove);
  g_clear_object (&self->job);
  gtk_revealer_set_reveal_child (self->busy, FALSE);
  if (self->session != NULL)
    tophash_window_update_actions (self);
}

/* The recording stands in @file, which only we wrote if @is_ours. */
static void
settle_in (TophashWindow *self,
           GFile         *file,
           guint64        length,
           gboolean       is_ours) {
  g_set_object (&self->home, file);
  self->home_length = length;
  self->home_is_ours = is_ours;
}

static void
open_thread (GTask        *task,
             gpointer      source,
             gpointer      data,
             GCancellable *cancellable) {
  FileJob *job = data;
  GError *error = NULL;

  job->log = tracelog_open_growing (job->file, progress_cb, job, cancellable,
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

/* A frame after the first picture: the pane that tells the scenario takes as long to
 * be measured and drawn as all the rest. */
static gboolean
opened_cb (GtkWidget     *widget,
           GdkFrameClock *clock,
           gpointer       data) {
  TophashWindow *self = TOPHASH_WINDOW (widget);

  if (tophash_session_get_log (self->session) != data)
    return G_SOURCE_REMOVE;
  if (self->n_opened_frames++ == 0)
    return G_SOURCE_CONTINUE;
  show_scenario_of (self, data);
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
}

static void
open_done_cb (GObject      *source,
              GAsyncResult *result,
              gpointer      data) {
  FileJob *job = g_task_get_task_data (G_TASK (result));
  TophashWindow *self = job->window;
  g_autoptr (GError) error = NULL;

  end_job (self);
  if (self->session == NULL)
    return;
  if (!g_task_propagate_boolean (G_TASK (result), &error)) {
    if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
      tophash_window_warn (self, error->message);
    return;
  }
  show_opened (self, job->log, job->file);
  if (job->warning != NULL)
    tophash_window_warn (self, job->warning);
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
  if (self->job != NULL)
    return;
  start_job (begin_job (self, file, JOB_OPEN), open_thread, open_done_cb);
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
    is_saved = tracelog_save (job->log, job->file, progress_cb, job, cancellable,
                              &error);
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

static void
save_failed (TophashWindow *self,
             const FileJob *job,
             const GError  *error) {
  if (job->kind == JOB_SAVE_NOTES
      && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED)) {
    tophash_window_choose_save (self);
    return;
  }
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    tophash_window_warn (self, error->message);
  self->closes_when_saved = FALSE;
}

static void
save_done_cb (GObject      *source,
              GAsyncResult *result,
              gpointer      data) {
  FileJob *job = g_task_get_task_data (G_TASK (result));
  TophashWindow *self = job->window;
  g_autoptr (GError) error = NULL;

  end_job (self);
  if (self->session == NULL)
    return;
  if (!g_task_propagate_boolean (G_TASK (result), &error)) {
    save_failed (self, job, error);
    return;
  }
  note_saved (self, job);
  toast_saved (self, job->file);
  if (self->closes_when_saved)
    gtk_window_close (GTK_WINDOW (self));
}

static void
begin_save (TophashWindow *self,
            GFile         *file,
            JobKind        kind) {
  FileJob *job = begin_job (self, file, kind);

  tophash_inspector_take_notes (self->inspector);
  tophash_session_store_view (self->session);
  job->log = tracelog_ref (tophash_session_get_log (self->session));
  job->timeline = timeline_ref (tophash_session_get_timeline (self->session));
  job->notes = trace_notes_copy (tophash_session_get_notes (self->session));
  job->length = tracelog_get_length (job->log);
  start_job (job, save_thread, save_done_cb);
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

  if (file == NULL)
    self->closes_when_saved = FALSE;
  else if (self->session != NULL)
    tophash_window_save_to (self, file);
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

/* Exporting ---------------------------------------------------------------- */

/* What stood under the name is replaced only by a whole file; where nothing stood,
 * nothing is left. */
static void
export_thread (GTask        *task,
               gpointer      source,
               gpointer      data,
               GCancellable *cancellable) {
  FileJob *job = data;
  ExportOptions options = { .format = job->format, .to = job->to };
  g_autoptr (GFileOutputStream) out = NULL;
  g_autoptr (GCancellable) drop = g_cancellable_new ();
  gboolean is_new = !g_file_query_exists (job->file, NULL);
  GError *error = NULL;

  out = g_file_replace (job->file, NULL, FALSE, G_FILE_CREATE_NONE, cancellable,
                        &error);
  if (out != NULL
      && export_log (job->log, &options, G_OUTPUT_STREAM (out), progress_cb, job,
                     cancellable, &error)
      && g_output_stream_close (G_OUTPUT_STREAM (out), cancellable, &error)) {
    g_task_return_boolean (task, TRUE);
    return;
  }
  if (out != NULL) {
    g_cancellable_cancel (drop);
    g_output_stream_close (G_OUTPUT_STREAM (out), drop, NULL);
    if (is_new)
      g_file_delete (job->file, NULL, NULL);
  }
  g_task_return_error (task, error);
}

static void
export_done_cb (GObject      *source,
                GAsyncResult *result,
                gpointer      data) {
  FileJob *job = g_task_get_task_data (G_TASK (result));
  TophashWindow *self = job->window;
  g_autoptr (GError) error = NULL;

  end_job (self);
  if (self->session == NULL)
    return;
  if (g_task_propagate_boolean (G_TASK (result), &error))
    toast_saved (self, job->file);
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    tophash_window_warn (self, error->message);
}

void
tophash_window_export_to (TophashWindow *self,
                          ExportFormat   format,
                          GFile         *file) {
  FileJob *job;

  if (self->job != NULL || tophash_session_get_log (self->session) == NULL)
    return;
  job = begin_job (self, file, JOB_EXPORT);
  job->log = tracelog_ref (tophash_session_get_log (self->session));
  job->format = format;
  job->to = job->format == EXPORT_PROMETHEUS
                ? tophash_session_get_position (self->session)
                : G_MAXUINT64;
  start_job (job, export_thread, export_done_cb);
}

static void
export_chosen_cb (GFile    *file,
                  gpointer  data) {
  TophashWindow *self = data;

  if (file != NULL && self->session != NULL)
    tophash_window_export_to (self, self->export_format, file);
}

static void
open_chosen_cb (GFile    *file,
                gpointer  data) {
  if (file != NULL)
    tophash_window_open (TOPHASH_WINDOW (data), file);
}

static void
picture_chosen_cb (GFile    *file,
                   gpointer  data) {
  TophashWindow *self = data;
  const MapState *state;
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  if (file == NULL || self->session == NULL
      || (state = tophash_session_get_state (self->session)) == NULL)
    return;
  tophash_window_forget_warning (self);
  path = g_file_get_path (file);
  if (path == NULL) {
    tophash_window_toast (self, _ ("A picture can only be saved to a local file"));
    return;
  }
  if (!paint_stage_to_file (
          state, tracelog_get_info (tophash_session_get_log (self->session)), path,
          MAX (640, gtk_widget_get_width (GTK_WIDGET (self->stack))),
          MAX (400, gtk_widget_get_height (GTK_WIDGET (self->stack))),
          adw_style_manager_get_dark (adw_style_manager_get_default ()), &error))
    tophash_window_warn (self, error->message);
  else
    toast_saved (self, file);
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

static char *
suggest_name (TophashWindow *self,
              const char    *suffix) {
  const TraceInfo *info
      = tracelog_get_info (tophash_session_get_log (self->session));
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *date = g_date_time_format (now, "%Y-%m-%d %H-%M");

  return g_strdup_printf (
      "%s %s.%s",
      info->scenario_name == NULL ? "recording" : info->scenario_name, date,
      suffix);
}

void
tophash_window_choose_save (TophashWindow *self) {
  const char *const filters[] = { _ ("Recordings"), "*.tophash", NULL };
  g_autofree char *name = suggest_name (self, "tophash");

  compat_file_save (GTK_WINDOW (self), _ ("Save Recording"), name, filters,
                    save_chosen_cb, self);
}

void
tophash_window_choose_picture (TophashWindow *self) {
  const char *const filters[] = { _ ("PNG images"), "*.png", _ ("SVG drawings"),
                                  "*.svg", _ ("PDF documents"), "*.pdf", NULL };
  g_autofree char *name = suggest_name (self, "png");

  compat_file_save (GTK_WINDOW (self), _ ("Save Picture"), name, filters,
                    picture_chosen_cb, self);
}

void
tophash_window_choose_export (TophashWindow *self,
                              ExportFormat   format) {
  g_autofree char *pattern
      = g_strconcat ("*.", export_format_suffix (format), NULL);
  const char *const filters[] = { export_format_title (format), pattern, NULL };
  g_autofree char *name = suggest_name (self, export_format_suffix (format));

  self->export_format = format;
  compat_file_save (GTK_WINDOW (self), export_format_title (format), name, filters,
                    export_chosen_cb, self);
}
