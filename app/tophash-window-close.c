/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-close.c — what a window does before it closes
 *
 * A save under way is let finish; whoever has written notes that are not saved is
 * asked; the size, the speed and the scenario are kept for the next time.
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

static gboolean
close_cb (gpointer data) {
  gtk_window_close (GTK_WINDOW (data));
  return G_SOURCE_REMOVE;
}

/* The dialog goes away with its window, so it is let finish first. */
static void
close_answered_cb (AdwMessageDialog *dialog,
                   const char       *response,
                   TophashWindow    *self) {
  if (g_str_equal (response, "discard")) {
    self->closes_unsaved = TRUE;
    g_idle_add_full (G_PRIORITY_DEFAULT, close_cb, g_object_ref (self),
                     g_object_unref);
  } else if (g_str_equal (response, "save")) {
    self->closes_when_saved = TRUE;
    tophash_window_save (self);
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
  g_signal_connect_object (dialog, "response", G_CALLBACK (close_answered_cb),
                           self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

gboolean
tophash_window_may_close (TophashWindow *self) {
  if (self->job != NULL && self->job_is_save) {
    self->closes_when_saved = TRUE;
    tophash_window_toast (self, _ ("Saving the recording first…"));
    return FALSE;
  }
  tophash_inspector_take_notes (self->inspector);
  if (tophash_session_has_unsaved_notes (self->session)
      && !self->closes_unsaved) {
    ask_to_save (self);
    return FALSE;
  }
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
