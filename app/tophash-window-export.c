/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-export.c — pictures, and the log in other formats
 *
 * What stood under a name is replaced only by a whole file; where nothing stood,
 * a failure leaves nothing.
 */
#include "app/tophash-window-job-private.h"
#include "core/check/history.h"
#include "widgets/tophash-picture.h"

#include <glib/gi18n.h>

static void
export_thread (GTask        *task,
               gpointer      source,
               gpointer      data,
               GCancellable *cancellable) {
  FileJob *job = data;
  ExportOptions options = { .format = job->format, .to = job->to };
  GError *error = NULL;

  if (export_log_to_file (job->log, &options, job->file, file_job_progress, job,
                          cancellable, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* In the words of the settings, as they stand in the pane. */
static void
warn_failed (TophashWindow *self,
             const FileJob *job,
             const GError  *error) {
  g_autofree char *again
      = g_strconcat ("win.export::", export_format_name (job->format), NULL);
  g_autofree char *name = tophash_window_name_of (job->file);
  g_autofree char *text = NULL;

  if (!g_error_matches (error, HISTORY_ERROR, HISTORY_ERROR_SAMPLED)) {
    tophash_window_warn_with (self, error->message, _ ("Save As…"), again);
    return;
  }
  text = g_strdup_printf (
      _ ("“%s” could not be saved: not every operation of this run was recorded "
         "whole. In the settings, under Recording, set “At full speed” to “whole” "
         "and run again"),
      name);
  tophash_window_warn (self, text);
}

static void
export_done (FileJob      *job,
             const GError *error) {
  if (error == NULL)
    tophash_window_toast_saved (job->window, job->file);
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    warn_failed (job->window, job, error);
}

void
tophash_window_export_to (TophashWindow *self,
                          ExportFormat   format,
                          GFile         *file) {
  FileJob *job;

  if (self->job != NULL || tophash_session_get_log (self->session) == NULL)
    return;
  job = file_job_begin (self, file, JOB_EXPORT);
  job->log = tracelog_ref (tophash_session_get_log (self->session));
  job->format = format;
  job->to = job->format == EXPORT_PROMETHEUS
                ? tophash_session_get_position (self->session)
                : G_MAXUINT64;
  file_job_start (job, export_thread, export_done);
}

static void
export_chosen_cb (GFile    *file,
                  gpointer  data) {
  TophashWindow *self = data;

  if (file != NULL && self->session != NULL)
    tophash_window_export_to (self, self->export_format, file);
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
  tophash_window_forget_notices (self);
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
    tophash_window_warn_with (self, error->message, _ ("Save As…"),
                              "win.export-picture");
  else
    tophash_window_toast_saved (self, file);
}

void
tophash_window_choose_picture (TophashWindow *self) {
  const char *const filters[] = { _ ("PNG images"), "*.png", _ ("SVG drawings"),
                                  "*.svg", _ ("PDF documents"), "*.pdf", NULL };

  tophash_window_choose_name (self, _ ("Save Picture"), "png", filters,
                              picture_chosen_cb);
}

void
tophash_window_choose_export (TophashWindow *self,
                              ExportFormat   format) {
  const char *suffix = export_format_suffix (format);
  g_autofree char *pattern = g_strconcat ("*.", suffix, NULL);
  const char *const filters[] = { export_format_title (format), pattern, NULL };

  self->export_format = format;
  tophash_window_choose_name (self, export_format_title (format), suffix, filters,
                              export_chosen_cb);
}
