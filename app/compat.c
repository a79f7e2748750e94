/* SPDX-License-Identifier: GPL-3.0-or-later */

/* compat.c — the few calls whose modern form is newer than our floor
 *
 * The floor is GTK 4.8 and libadwaita 1.2. A native chooser goes through the
 * portal in a sandbox, so that the app needs no permission on files.
 *
 * Names       Who types a name without its ending, or chooses another type and
 *             leaves the ending, means the type that is chosen. The name that
 *             comes of it may stand for a file already, which nobody was asked
 *             about: then the chooser opens again with that name. In a sandbox
 *             only the name as typed may be written.
 */
#include "app/compat.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <string.h>

typedef struct {
  CompatFileChosen chosen;
  gpointer         data;
  char           **suffixes; /* one a filter; NULL when opening */
} Choice;

static guint
find_suffix (const char        *name,
             const char *const *suffixes) {
  guint i = 0;

  while (suffixes[i] != NULL && !g_str_has_suffix (name, suffixes[i]))
    i++;
  return i;
}

char *
compat_complete_name (const char        *name,
                      const char *const *suffixes,
                      guint              chosen) {
  guint found = find_suffix (name, suffixes);
  const char *dot = strrchr (name, '.');

  if (suffixes[found] == NULL)
    return dot == NULL || dot == name ? g_strconcat (name, suffixes[chosen], NULL)
                                      : g_strdup (name);
  /* The first is the one that was suggested: not typed, only left. */
  if (found == 0 && chosen != 0) {
    g_autofree char *stem
        = g_strndup (name, strlen (name) - strlen (suffixes[0]));

    return g_strconcat (stem, suffixes[chosen], NULL);
  }
  return g_strdup (name);
}

static guint
chosen_filter (GtkFileChooser *chooser) {
  g_autoptr (GListModel) filters = gtk_file_chooser_get_filters (chooser);
  GtkFileFilter *chosen = gtk_file_chooser_get_filter (chooser);

  for (guint i = 0; i < g_list_model_get_n_items (filters); i++) {
    g_autoptr (GtkFileFilter) filter = g_list_model_get_item (filters, i);

    if (filter == chosen)
      return i;
  }
  return 0;
}

/* (transfer full) (nullable): what to write; NULL when it has to be asked for
 * again. */
static GFile *
complete_file (GtkFileChooser *chooser,
               const Choice   *choice,
               GFile          *file) {
  g_autofree char *name = g_file_get_basename (file);
  g_autofree char *whole = compat_complete_name (
      name, (const char *const *)choice->suffixes, chosen_filter (chooser));
  g_autoptr (GFile) folder = g_file_get_parent (file);
  g_autoptr (GFile) meant = NULL;

  if (g_str_equal (name, whole) || folder == NULL
      || g_file_test ("/.flatpak-info", G_FILE_TEST_EXISTS))
    return g_object_ref (file);
  meant = g_file_get_child (folder, whole);
  if (!g_file_query_exists (meant, NULL))
    return g_steal_pointer (&meant);
  gtk_file_chooser_set_current_folder (chooser, folder, NULL);
  gtk_file_chooser_set_current_name (chooser, whole);
  return NULL;
}

static void
response_cb (GtkNativeDialog *dialog,
             int              response,
             gpointer         data) {
  GtkFileChooser *chooser = GTK_FILE_CHOOSER (dialog);
  Choice *choice = data;
  g_autoptr (GFile) file = NULL;

  if (response == GTK_RESPONSE_ACCEPT)
    file = gtk_file_chooser_get_file (chooser);
  if (file != NULL && choice->suffixes != NULL) {
    g_autoptr (GFile) typed = g_steal_pointer (&file);

    file = complete_file (chooser, choice, typed);
    if (file == NULL) {
      gtk_native_dialog_show (dialog);
      return;
    }
  }
  choice->chosen (file, choice->data);
  g_strfreev (choice->suffixes);
  g_free (choice);
  g_object_unref (dialog);
}

static void
add_filter (GtkFileChooser *chooser,
            const char     *name,
            const char     *globs) {
  g_autoptr (GtkFileFilter) filter = gtk_file_filter_new ();
  g_auto (GStrv) patterns = g_strsplit (globs, ";", -1);

  gtk_file_filter_set_name (filter, name);
  for (guint i = 0; patterns[i] != NULL; i++)
    gtk_file_filter_add_pattern (filter, patterns[i]);
  gtk_file_chooser_add_filter (chooser, filter);
}

/* (transfer full): what the files of each filter end in. */
static char **
list_suffixes (const char *const *filters) {
  g_autoptr (GStrvBuilder) suffixes = g_strv_builder_new ();

  for (guint i = 0; filters[i] != NULL; i += 2)
    g_strv_builder_add (suffixes, filters[i + 1] + strlen ("*"));
  return g_strv_builder_end (suffixes);
}

static void
choose (GtkWindow            *parent,
        const char           *title,
        GtkFileChooserAction  action,
        const char           *accept,
        GFile                *folder,
        const char           *initial_name,
        const char *const    *filters,
        CompatFileChosen      chosen,
        gpointer              data) {
  GtkFileChooserNative *dialog
      = gtk_file_chooser_native_new (title, parent, action, accept, _ ("_Cancel"));
  Choice *choice = g_new0 (Choice, 1);

  choice->chosen = chosen;
  choice->data = data;
  if (folder != NULL)
    gtk_file_chooser_set_current_folder (GTK_FILE_CHOOSER (dialog), folder, NULL);
  if (initial_name != NULL) {
    gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (dialog), initial_name);
    choice->suffixes = list_suffixes (filters);
  }
  for (guint i = 0; filters[i] != NULL; i += 2)
    add_filter (GTK_FILE_CHOOSER (dialog), filters[i], filters[i + 1]);
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
  choose (parent, title, GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Open"), NULL, NULL,
          filters, chosen, data);
}

void
compat_file_save (GtkWindow         *parent,
                  const char        *title,
                  GFile             *folder,
                  const char        *initial_name,
                  const char *const *filters,
                  CompatFileChosen   chosen,
                  gpointer           data) {
  choose (parent, title, GTK_FILE_CHOOSER_ACTION_SAVE, _ ("_Save"), folder,
          initial_name, filters, chosen, data);
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
