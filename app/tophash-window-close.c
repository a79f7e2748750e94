/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-close.c — what a window does before it closes
 *
 * A save under way is let finish; whoever has written notes that are not saved is
 * asked; the size, the speed and the scenario are kept for the next time.
 *
 * The same question comes before another recording takes this one's place. What
 * waits for the answer is done when the notes are saved or given up, and forgotten
 * when the question or the save is cancelled, or the save fails.
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

  self->gives_notes_up = TRUE;
  tophash_window_go_on (self);
  self->gives_notes_up = FALSE;
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
    tophash_window_save (self);
  } else {
    self->after_save = AFTER_SAVE_STAY;
    g_clear_object (&self->next_file);
  }
}

/* A run can be run again; what somebody wrote about it cannot. */
static void
ask_to_save (TophashWindow *self) {
  GtkWidget *dialog = adw_message_dialog_new (
      GTK_WINDOW (self), _ ("Save the Recording?"),
      _ ("It has bookmarks or notes that are not saved yet."));

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
  if (self->gives_notes_up || !tophash_session_has_unsaved_notes (self->session))
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
