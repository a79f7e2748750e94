/* SPDX-License-Identifier: GPL-3.0-or-later */

/* main.c — tophash-cli: the same core without a window
 *
 * One command a run. Every command has its own --help; exit codes are 0 (good),
 * 1 (a check failed, or a part of a recording proved damaged or cut off) and 2 (bad
 * input or usage, or what was asked for could not be written).
 */
#include "app/cli/cli.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <string.h>

static const struct {
  const char *name;
  int       (*run) (int argc, char **argv);
  const char *what;
} commands[] = {
  { "list", cli_list, N_("List the scenarios that come with Tophash") },
  { "run", cli_run, N_("Run a scenario and say what happened") },
  { "info", cli_info, N_("Say what a recording holds") },
  { "events", cli_events, N_("Print the events of a recording, in words") },
  { "stats", cli_stats, N_("Say how long operations took, and chains are") },
  { "export", cli_export, N_("Write a recording in a form for other programs") },
  { "step", cli_step, N_("Step through a few operations on a map") },
  { "verify", cli_verify, N_("Decode and fold a whole recording") },
  { "check", cli_check, N_("Judge whether a correct map can have done this") },
  { "render", cli_render, N_("Draw a recorded map as it stood at one instant") },
};

/* (transfer full) */
static char *
list_commands (void) {
  g_autoptr (GString) text = g_string_new (_("Commands:"));

  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    g_string_append_printf (text, "\n  %-8s %s", commands[i].name,
                            _(commands[i].what));
  g_string_append_printf (text, "\n\n%s",
                          _("“tophash-cli COMMAND --help” tells more."));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static int
run_general (int    argc,
             char **argv) {
  gboolean wants_version = FALSE;
  const GOptionEntry entries[] = {
    { "version", 0, 0, G_OPTION_ARG_NONE, &wants_version,
      N_("Print the version"), NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (_("COMMAND …"));
  g_autofree char *description = list_commands ();
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  g_option_context_set_summary (
      context, _("Runs and examines recordings of concurrent maps."));
  g_option_context_set_description (context, description);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return cli_fail (g_steal_pointer (&error));
  if (wants_version) {
    g_print ("tophash-cli %s\n", APP_VERSION);
    return CLI_GOOD;
  }
  if (argc > 1)
    g_printerr (_("tophash-cli: there is no command “%s”\n"), argv[1]);
  g_printerr ("%s\n", description);
  return CLI_BAD_INPUT;
}

int
main (int    argc,
      char **argv) {
  const char *localedir = g_getenv ("TOPHASH_LOCALEDIR");

  cli_begin_output ();
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, localedir != NULL ? localedir : LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  for (guint i = 0; argc > 1 && i < G_N_ELEMENTS (commands); i++)
    if (strcmp (argv[1], commands[i].name) == 0)
      return commands[i].run (argc - 1, argv + 1);
  return run_general (argc, argv);
}
