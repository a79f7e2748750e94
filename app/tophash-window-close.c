/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-close.c — what a window does before it closes
 *
 * A save under way is let finish; whoever would lose work is asked; the size, the
 * speed and the scenario are kept for the next time.
 *
 * Work        What somebody wrote that is not saved, and a run that took a minute or
 *             longer of which something is not saved. A shorter one is soon had
 *             again: no scenario that is shipped takes a minute, and nobody is asked
 *             between one look at a demo and the next.
 *
 * The same question comes before another recording takes this one's place. What
 * waits for the answer is done when the recording is saved or given up, and forgotten
 * when the question or the save is cancelled, or the save fails. A run that still
 * goes on is stopped before it is saved, so that all of it is.
 */
#include "app/tophash-window-private.h"

#include <glib/gi18n.h>

/* Only of a shipped scenario: a file may be gone the next time. */
static void
save_scenario_name (TophashWindow *self) {
  const Scenario *scenario = tophash_session_get_scenario (self->session);

  if (scenario != NULL
      && g_strv_contains (scenario_builtin_names (), scenario->name))
    g_settings_set_string (self->settings_store, "last-scenario", scenario->name);
}

void
tophash_window_go_on (TophashWindow *self) {
  g_autoptr (GFile) file = g_steal_pointer (&self->next_file);
  AfterSave next = self->after_save;

  self->after_save = AFTER_SAVE_STAY;
  switch (next) {
  case AFTER_SAVE_STAY:
    break;
  case AFTER_SAVE_CLOSE:
    gtk_window_close (GTK_WINDOW (self));
    break;
  case AFTER_SAVE_OPEN:
    tophash_window_open (self, file);
    break;
  case AFTER_SAVE_RUN:
    tophash_window_run (self);
    break;
  }
}

static gboolean
go_on_cb (gpointer data) {
  TophashWindow *self = data;

  self->gives_up = TRUE;
  tophash_window_go_on (self);
  self->gives_up = FALSE;
  return G_SOURCE_REMOVE;
}

/* The dialog goes away with its window, so it is let finish first. */
static void
answered_cb (AdwMessageDialog *dialog,
             const char       *response,
             TophashWindow    *self) {
  if (g_str_equal (response, "discard")) {
    g_idle_add_full (G_PRIORITY_DEFAULT, go_on_cb, g_object_ref (self),
                     g_object_unref);
  } else if (g_str_equal (response, "save")) {
    self->saves_soon = TRUE;
    tophash_window_save_soon (self);
  } else {
    self->after_save = AFTER_SAVE_STAY;
    g_clear_object (&self->next_file);
  }
}

void
tophash_window_save_soon (TophashWindow *self) {
  if (!self->saves_soon)
    return;
  if (self->job != NULL) {
    g_cancellable_cancel (self->job);
  } else if (tophash_session_is_running (self->session)) {
    tophash_session_stop (self->session);
  } else {
    self->saves_soon = FALSE;
    tophash_window_save (self);
  }
}

/* Work --------------------------------------------------------------------- */

/* What was opened stands in its file; what was recorded here may have gone on since
 * it was saved. */
static gboolean
has_unsaved_run (TophashWindow *self) {
  TraceLog *log = tophash_session_get_log (self->session);

  if (log == NULL || tophash_session_get_end_ns (self->session) < self->asks_from_ns)
    return FALSE;
  if (self->home != NULL)
    return self->home_is_ours && tracelog_get_length (log) > self->home_length;
  return tophash_session_is_unsaved (self->session)
         && tracelog_get_length (log) > 0;
}

/* (transfer full) */
static char *
tell_unsaved_run (TophashWindow *self) {
  gint64 seconds = tophash_session_get_end_ns (self->session) / 1000000000;
  g_autofree char *took = g_strdup_printf (_ ("%d min %d s"), (int)(seconds / 60),
                                           (int)(seconds % 60));

  if (tophash_session_is_running (self->session))
    return g_strdup_printf (_ ("This run has gone on for %s and is not saved yet. "
                               "Saving stops it."),
                            took);
  if (tophash_session_has_unsaved_notes (self->session))
    return g_strdup_printf (_ ("This run took %s. Neither it nor its bookmarks and "
                               "notes are saved yet."),
                            took);
  return g_strdup_printf (_ ("This run took %s and is not saved yet."), took);
}

static void
ask_to_save (TophashWindow *self) {
  g_autofree char *body
      = has_unsaved_run (self)
            ? tell_unsaved_run (self)
            : g_strdup (_ ("It has bookmarks or notes that are not saved yet."));
  GtkWidget *dialog = adw_message_dialog_new (
      GTK_WINDOW (self), _ ("Save the Recording?"), body);

  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel",
                                    _ ("_Cancel"), "discard", _ ("_Discard"),
                                    "save", _ ("_Save"), NULL);
  adw_message_dialog_set_response_appearance (
      ADW_MESSAGE_DIALOG (dialog), "discard", ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "save",
                                              ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "save");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_signal_connect_object (dialog, "response", G_CALLBACK (answered_cb), self,
                           0);
  gtk_window_present (GTK_WINDOW (dialog));
}

gboolean
tophash_window_may_leave (TophashWindow *self,
                          AfterSave      next,
                          GFile         *file) {
  tophash_inspector_take_notes (self->inspector);
  if (self->gives_up || (!tophash_session_has_unsaved_notes (self->session)
                         && !has_unsaved_run (self)))
    return TRUE;
  self->after_save = next;
  g_set_object (&self->next_file, file);
  ask_to_save (self);
  return FALSE;
}

gboolean
tophash_window_may_close (TophashWindow *self) {
  if (self->job != NULL && self->job_is_save) {
    self->after_save = AFTER_SAVE_CLOSE;
    tophash_window_toast (self, _ ("Saving the recording first…"));
    return FALSE;
  }
  if (!tophash_window_may_leave (self, AFTER_SAVE_CLOSE, NULL))
    return FALSE;
  if (self->settings_store != NULL && !self->is_lecture) {
    int width, height;

    gtk_window_get_default_size (GTK_WINDOW (self), &width, &height);
    g_settings_set_int (self->settings_store, "window-width", width);
    g_settings_set_int (self->settings_store, "window-height", height);
    g_settings_set_boolean (self->settings_store, "window-maximized",
                            gtk_window_is_maximized (GTK_WINDOW (self)));
    g_settings_set_double (self->settings_store, "events-per-second",
                           tophash_session_get_speed (self->session));
    save_scenario_name (self);
  }
  tophash_session_stop (self->session);
  return TRUE;
}
