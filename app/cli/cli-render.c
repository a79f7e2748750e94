/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-render.c — tophash-cli render: the stage at one instant, as a picture
 *
 * Without --at the picture shows the end.
 */
#include "app/cli/cli.h"

#include "widgets/tophash-picture.h"

#include <glib/gi18n.h>

int
cli_render (int    argc,
            char **argv) {
  g_autofree char *at = NULL;
  g_autofree char *out = NULL;
  gboolean dark = FALSE;
  int width = 1280, height = 800;
  const GOptionEntry entries[] = {
    { "at", 0, 0, G_OPTION_ARG_STRING, &at,
      N_("After so many events, or at a time such as 2.5s or 40ms"),
      N_("EVENT|TIME") },
    { "out", 0, 0, G_OPTION_ARG_FILENAME, &out,
      N_("The picture; its suffix, .png, .svg or .pdf, says what it is"),
      N_("FILE") },
    { "width", 0, 0, G_OPTION_ARG_INT, &width, N_("Width in pixels"), "1280" },
    { "height", 0, 0, G_OPTION_ARG_INT, &height, N_("Height in pixels"), "800" },
    { "dark", 0, 0, G_OPTION_ARG_NONE, &dark, N_("Light on dark"), NULL },
    { NULL },
  };
  g_autoptr (TraceLog) log = NULL;
  g_autoptr (MapState) state = NULL;
  GError *error = NULL;
  guint64 n_events;

  if (!cli_parse (&argc, &argv, entries, _("FILE"),
                  _("Draws a recorded map as it stood at one instant."), NULL, 1))
    return CLI_BAD_INPUT;
  if (out == NULL) {
    g_printerr (_("tophash-cli: --out: wanted a file name, found none\n"));
    return CLI_BAD_INPUT;
  }
  if (!cli_may_write ("--out", out, argv[1]))
    return CLI_BAD_INPUT;
  log = cli_open (argv[1], NULL);
  if (log == NULL)
    return CLI_BAD_INPUT;
  n_events = tracelog_get_length (log);
  if (!cli_position (log, "--at", at, &n_events))
    return CLI_BAD_INPUT;
  state = cli_fold (log, n_events, FALSE, NULL, NULL);
  if (!paint_stage_to_file (state, tracelog_get_info (log), out, width, height,
                            dark, &error))
    return cli_fail (error);
  return cli_conclude (log);
}
