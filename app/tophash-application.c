/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-application.c — one instance, its shortcuts, its options
 *
 *   tophash [--scenario NAME] [--run] [FILE]
 *
 * The window comes first; the scenario is chosen, or the file opened, from an
 * idle after its first frame, so that nothing stands before the picture.
 */
#include "app/tophash-application.h"

#include "app/compat.h"
#include "app/tophash-window.h"

#include <glib/gi18n.h>

struct _TophashApplication {
  AdwApplication parent_instance;

  char    *scenario; /* of --scenario; NULL: the first */
  gboolean run;
};

G_DEFINE_FINAL_TYPE (TophashApplication, tophash_application, ADW_TYPE_APPLICATION)

static void
about_action (GSimpleAction *action,
              GVariant      *parameter,
              gpointer       data) {
  compat_about (gtk_application_get_active_window (data));
}

static void
quit_action (GSimpleAction *action,
             GVariant      *parameter,
             gpointer       data) {
  GtkWindow *window = gtk_application_get_active_window (data);

  if (window != NULL)
    gtk_window_close (window);
}

static const GActionEntry app_actions[] = {
  { .name = "about", .activate = about_action },
  { .name = "quit", .activate = quit_action },
};

static void
set_accels (GtkApplication *application) {
  static const struct {
    const char *action;
    const char *accels[3];
  } table[] = {
    { "app.quit", { "<Control>q" } },
    { "window.close", { "<Control>w" } },
    { "win.run", { "<Control>r", "F5" } },
    { "win.open", { "<Control>o" } },
    { "win.save", { "<Control>s" } },
    { "win.save-as", { "<Control><Shift>s" } },
    { "win.export-picture", { "<Control>e" } },
    { "win.lecture", { "F11" } },
    { "win.toggle-pane", { "F9" } },
    { "win.toggle-inspector", { "<Control>F9" } },
    { "win.statistics", { "<Control>i" } },
    { "win.notes", { "<Control>b" } },
    { "win.search", { "<Control>f" } },
    { "win.next-hit", { "F3", "<Control>g" } },
    { "win.previous-hit", { "<Shift>F3", "<Control><Shift>g" } },
    { "win.go-back", { "<Alt>Left" } },
    { "win.go-forward", { "<Alt>Right" } },
    { "win.add-bookmark", { "<Control>d" } },
    { "win.previous-bookmark", { "<Control>Up" } },
    { "win.next-bookmark", { "<Control>Down" } },
    { "win.undo", { "<Control>z" } },
    { "win.marker-a", { "<Control>1" } },
    { "win.marker-b", { "<Control>2" } },
    { "win.clear-markers", { "<Control>3" } },
    { "win.previous-landmark", { "<Control>Left" } },
    { "win.next-landmark", { "<Control>Right" } },
    { "win.zoom-in", { "<Control>plus", "<Control>equal" } },
    { "win.zoom-out", { "<Control>minus" } },
    { "win.zoom-fit", { "<Control>0" } },
    { "win.show-help-overlay", { "<Control>question" } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    gtk_application_set_accels_for_action (application, table[i].action,
                                           table[i].accels);
}

static TophashWindow *
get_window (TophashApplication *self,
            gboolean           *is_new) {
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (self));

  *is_new = window == NULL;
  return window != NULL ? TOPHASH_WINDOW (window)
                        : tophash_window_new (ADW_APPLICATION (self));
}

static gboolean
begin_cb (gpointer data) {
  TophashWindow *window = data;
  TophashApplication *self
      = TOPHASH_APPLICATION (gtk_window_get_application (GTK_WINDOW (window)));

  /* The first picture of a map does not wait for its letters. */
  if (self != NULL && !tophash_window_is_warm (window))
    return G_SOURCE_CONTINUE;
  if (self != NULL
      && tophash_session_get_scenario (tophash_window_get_session (window)) == NULL)
    tophash_window_set_scenario (
        window,
        self->scenario != NULL ? self->scenario
                               : tophash_window_get_last_scenario (window),
        self->run);
  return G_SOURCE_REMOVE;
}

static void
present (TophashWindow *window,
         gboolean       is_new) {
  gtk_window_present (GTK_WINDOW (window));
  if (is_new)
    g_idle_add_full (G_PRIORITY_LOW, begin_cb, g_object_ref (window),
                     g_object_unref);
}

static void
tophash_application_activate (GApplication *application) {
  gboolean is_new;
  TophashWindow *window = get_window (TOPHASH_APPLICATION (application), &is_new);

  present (window, is_new);
}

static void
tophash_application_open (GApplication  *application,
                          GFile        **files,
                          int            n_files,
                          const char    *hint) {
  gboolean is_new;
  TophashWindow *window = get_window (TOPHASH_APPLICATION (application), &is_new);

  present (window, is_new);
  tophash_window_open (window, files[0]);
}

/* libadwaita begins with transitions off and lets them on 250 ms later, for which
 * GTK looks for the style of every widget anew: 6 to 8 ms in one turn, just when a
 * recording appears. With no widget there yet it costs nothing, so let it be now. */
static void
let_transitions_on (void) {
  AdwStyleManager *manager
      = adw_style_manager_get_for_display (gdk_display_get_default ());
  GSource *source = g_main_context_find_source_by_user_data (NULL, manager);

  if (source != NULL)
    g_source_set_ready_time (source, 0);
}

static void
tophash_application_startup (GApplication *application) {
  G_APPLICATION_CLASS (tophash_application_parent_class)->startup (application);
  let_transitions_on ();
  g_action_map_add_action_entries (G_ACTION_MAP (application), app_actions,
                                   G_N_ELEMENTS (app_actions), application);
  set_accels (GTK_APPLICATION (application));
}

static int
tophash_application_handle_local_options (GApplication *application,
                                          GVariantDict *options) {
  TophashApplication *self = TOPHASH_APPLICATION (application);

  if (g_variant_dict_contains (options, "version")) {
    g_print ("tophash %s\n", APP_VERSION);
    return 0;
  }
  g_variant_dict_lookup (options, "scenario", "s", &self->scenario);
  self->run = g_variant_dict_contains (options, "run");
  return -1;
}

static void
tophash_application_finalize (GObject *object) {
  g_free (TOPHASH_APPLICATION (object)->scenario);
  G_OBJECT_CLASS (tophash_application_parent_class)->finalize (object);
}

static void
tophash_application_class_init (TophashApplicationClass *klass) {
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = tophash_application_finalize;
  application_class->activate = tophash_application_activate;
  application_class->open = tophash_application_open;
  application_class->startup = tophash_application_startup;
  application_class->handle_local_options
      = tophash_application_handle_local_options;
}

static void
tophash_application_init (TophashApplication *self) {
  static const GOptionEntry options[] = {
    { "scenario", 's', 0, G_OPTION_ARG_STRING, NULL,
      N_ ("Choose a scenario by name or file"), N_ ("NAME") },
    { "run", 'r', 0, G_OPTION_ARG_NONE, NULL, N_ ("Run it at once"), NULL },
    { "version", 'v', 0, G_OPTION_ARG_NONE, NULL, N_ ("Print the version"), NULL },
    { NULL }
  };

  g_application_add_main_option_entries (G_APPLICATION (self), options);
  g_application_set_option_context_parameter_string (G_APPLICATION (self),
                                                     _ ("[FILE]"));
}

TophashApplication *
tophash_application_new (void) {
  return g_object_new (TOPHASH_TYPE_APPLICATION, "application-id", APP_ID, "flags",
                       G_APPLICATION_HANDLES_OPEN, "resource-base-path",
                       "/io/github/tophash/Tophash", NULL);
}
