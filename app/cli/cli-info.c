/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-info.c — tophash-cli info, tophash-cli verify
 *
 * info --follow tells of a recording while another process makes it, until it ends.
 * verify reads every event of a recording and folds it: a file that opens whole
 * and whose events all fit is good.
 */
#include "app/cli/cli.h"

#include <glib/gi18n.h>
#include <inttypes.h>

/* A line whenever there is more. */
static void
follow (TraceLog *log) {
  guint64 length = 0;

  while (cli_wait_for_more (log, length)) {
    TraceHonesty honesty;

    tracelog_get_honesty (log, &honesty);
    length = honesty.n_events;
    g_printerr (_("%" PRIu64 " events in %.3f s, %" PRIu64 " waits\n"), length,
                (double)honesty.duration_ns / 1e9, honesty.n_stalls);
  }
}

int
cli_info (int    argc,
          char **argv) {
  gboolean as_json = FALSE, follows = FALSE;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_("Print JSON"), NULL },
    { "follow", 'f', 0, G_OPTION_ARG_NONE, &follows,
      N_("While it is being recorded, wait for more"), NULL },
    { NULL },
  };
  g_autoptr (TraceLog) log = NULL;
  g_autoptr (MapState) state = NULL;

  if (!cli_parse (&argc, &argv, entries, _("FILE"),
                  _("Says what a recording holds."), NULL, 1))
    return CLI_BAD_INPUT;
  log = follows ? cli_open_growing (argv[1]) : cli_open (argv[1], NULL);
  if (log == NULL)
    return CLI_BAD_INPUT;
  if (follows)
    follow (log);
  state = cli_fold (log, tracelog_get_length (log), FALSE, NULL, NULL);
  cli_print_summary (log, state, NULL, as_json);
  return cli_conclude (log);
}

/* Events that can be read, from the first one on; times must not go back. */
static guint64
count_readable (TraceLog *log,
                gboolean *is_ordered) {
  gint64 last_ns = 0;
  guint64 i = 0;

  *is_ordered = TRUE;
  while (i < tracelog_get_length (log)) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, i);

    if (block == NULL)
      break;
    for (guint n = (guint)(i - block->first); n < block->n_events; n++, i++) {
      *is_ordered = *is_ordered && block->events[n].at_ns >= last_ns;
      last_ns = block->events[n].at_ns;
    }
  }
  return i;
}

int
cli_verify (int    argc,
            char **argv) {
  const GOptionEntry entries[] = { { NULL } };
  g_autoptr (TraceLog) log = NULL;
  g_autoptr (MapState) state = NULL;
  g_autofree char *first_fault = NULL;
  guint64 n_faults, n_readable, n_events;
  gboolean is_whole, is_ordered;

  if (!cli_parse (&argc, &argv, entries, _("FILE"),
                  _("Decodes and folds a whole recording."), NULL, 1))
    return CLI_BAD_INPUT;
  log = cli_open (argv[1], &is_whole);
  if (log == NULL)
    return CLI_BAD_INPUT;
  n_events = tracelog_get_length (log);
  n_readable = count_readable (log, &is_ordered);
  state = cli_fold (log, n_readable, FALSE, &n_faults, &first_fault);
  g_print (_("%s: %" PRIu64 " of %" PRIu64
             " events read and folded\n"),
           argv[1], n_readable, n_events);
  if (map_state_counters (state)->n_dropped > 0)
    g_print (_("%" PRIu64 " events were dropped when it was recorded: what came "
               "after could not be checked\n"),
             map_state_counters (state)->n_dropped);
  if (n_faults > 0)
    g_printerr (_("tophash-cli: %" PRIu64
                  " events did not fit, the first: %s\n"),
                n_faults, first_fault);
  if (!is_ordered)
    g_printerr (_("tophash-cli: times go back\n"));
  return cli_conclude (log) == CLI_GOOD && is_whole && is_ordered && n_faults == 0
                 && n_readable == n_events
             ? CLI_GOOD
             : CLI_CHECK_FAILED;
}
