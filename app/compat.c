/* SPDX-License-Identifier: GPL-3.0-or-later */

/* compat.c — the few calls whose modern form is newer than our floor
 *
 * The floor is GTK 4.8 and libadwaita 1.2. A native chooser goes through the
 * portal in a sandbox, so that the app needs no permission on files.
 */
#include "app/compat.h"

#include <adwaita.h>
#include <glib/gi18n.h>

typedef struct {
  CompatFileChosen chosen;
  gpointer         data;
} Choice;

static void
response_cb (GtkNativeDialog *dialog,
             int              response,
             gpointer         data) {
  Choice *choice = data;
  g_autoptr (GFile) file = NULL;

  if (response == GTK_RESPONSE_ACCEPT)
    file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  choice->chosen (file, choice->data);
  g_free (choice);
  g_object_unref (dialog);
}

static void
choose (GtkWindow            *parent,
        const char           *title,
        GtkFileChooserAction  action,
        const char           *accept,
        const char           *initial_name,
        const char *const    *filters,
        CompatFileChosen      chosen,
        gpointer              data) {
  GtkFileChooserNative *dialog
      = gtk_file_chooser_native_new (title, parent, action, accept, _ ("_Cancel"));
  Choice *choice = g_new (Choice, 1);

  choice->chosen = chosen;
  choice->data = data;
  if (initial_name != NULL)
    gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), initial_name);
  for (guint i = 0; filters[i] != NULL; i += 2) {
    g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();

    gtk_file_filter_set_name (filter, filters[i]);
    gtk_file_filter_add_pattern (filter, filters[i + 1]);
    gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (dialog), filter);
  }
  g_signal_connect (dialog, "response", G_CALLBACK (response_cb), choice);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

void
compat_file_open (GtkWindow         *parent,
                  const char        *title,
                  const char *const *filters,
                  CompatFileChosen   chosen,
                  gpointer           data) {
  choose (parent, title, GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Open"), NULL, filters,
          chosen, data);
}

void
compat_file_save (GtkWindow         *parent,
                  const char        *title,
                  const char        *initial_name,
                  const char *const *filters,
                  CompatFileChosen   chosen,
                  gpointer           data) {
  choose (parent, title, GTK_FILE_CHOOSER_ACTION_SAVE, _ ("_Save"), initial_name,
          filters, chosen, data);
}

void
compat_about (GtkWindow *parent) {
  adw_show_about_window (
      parent, "application-name", _ ("Tophash"), "application-icon", APP_ID,
      "version", APP_VERSION, "developer-name", _ ("The Tophash authors"),
      "license-type", GTK_LICENSE_GPL_3_0, "comments",
      _ ("See inside a concurrent map while threads are working on it."),
      "website", "https://github.com/tophash/tophash", NULL);
}
