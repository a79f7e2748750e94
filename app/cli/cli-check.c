/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-check.c — tophash-cli check
 *
 * Reads a recording as a history of operations and judges whether its results
 * can come from a correct map. No saying is no good either: it ends with 1.
 */
#include "app/cli/cli-check.h"
#include "app/cli/cli.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <unistd.h>

#define MAX_MEMORY_MB 1048576

typedef struct {
  gint64   last_us;
  gboolean is_shown;
} Ticker;

/* Twice a second at most, on a terminal. */
static void
progress_cb (double   done,
             gpointer data) {
  Ticker *ticker = data;
  gint64 now_us = g_get_monotonic_time ();

  if (now_us - ticker->last_us < G_USEC_PER_SEC / 2)
    return;
  ticker->last_us = now_us;
  ticker->is_shown = TRUE;
  g_printerr ("\r%3.0f %%", 100 * done);
}

static void
end_progress (const Ticker *ticker) {
  if (ticker->is_shown)
    g_printerr ("\r     \r");
}

static int
exit_of (LinearVerdict verdict) {
  return verdict == LINEAR_OK ? CLI_GOOD : CLI_CHECK_FAILED;
}

static int
check_all (TraceLog           *log,
           const JudgeOptions *options,
           gboolean            as_json) {
  GError *error = NULL;
  g_autoptr (JudgeReport) report = judge_log (log, options, NULL, &error);

  end_progress (options->data);
  if (report == NULL)
    return cli_fail (error);
  cli_check_print_report (log, report, as_json);
  return exit_of (report->verdict);
}

static int
check_key (TraceLog           *log,
           gint64              key,
           const JudgeOptions *options,
           gboolean            as_json) {
  GError *error = NULL;
  g_autoptr (JudgeCase) found
      = judge_log_key (log, key, options, NULL, &error);

  end_progress (options->data);
  if (found == NULL && error != NULL)
    return cli_fail (error);
  if (found == NULL) {
    g_printerr (_("tophash-cli: --key: the recording has nothing of key %" PRId64
                  "\n"), key);
    return CLI_BAD_INPUT;
  }
  cli_check_print_key (log, found, as_json);
  return exit_of (found->verdict);
}

int
cli_check (int    argc,
           char **argv) {
  g_autofree char *key_text = NULL;
  gboolean as_json = FALSE;
  int max_memory = 1024;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_("Print JSON"), NULL },
    { "key", 0, 0, G_OPTION_ARG_STRING, &key_text,
      N_("Print the order that explains one key, given as a number"),
      N_("KEY") },
    { "max-memory", 0, 0, G_OPTION_ARG_INT, &max_memory,
      N_("Read the recording as often as this bound asks for (1024)"),
      N_("MB") },
    { NULL },
  };
  g_autoptr (TraceLog) log = NULL;
  g_autoptr (GError) error = NULL;
  Ticker ticker = { 0 };
  JudgeOptions options = { .data = &ticker };
  gint64 key = 0;

  if (!cli_parse (&argc, &argv, entries, _("FILE"),
                  _("Judges whether what the operations of a recording gave can "
                    "come from a correct map.\nExit codes: 0 all of it can; 1 "
                    "some cannot, or there is no saying; 2 the recording cannot "
                    "be judged."),
                  NULL, 1))
    return CLI_BAD_INPUT;
  if (max_memory < 1 || max_memory > MAX_MEMORY_MB) {
    g_printerr (_("tophash-cli: --max-memory: wanted 1 to %d, found %d\n"),
                MAX_MEMORY_MB, max_memory);
    return CLI_BAD_INPUT;
  }
  if (key_text != NULL
      && !g_ascii_string_to_signed (key_text, 10, G_MININT64, G_MAXINT64, &key,
                                    &error)) {
    g_printerr (_("tophash-cli: --key: wanted a number, found “%s”\n"), key_text);
    return CLI_BAD_INPUT;
  }
  log = cli_open (argv[1], NULL);
  if (log == NULL)
    return CLI_BAD_INPUT;
  options.max_bytes = (gsize)max_memory << 20;
  if (isatty (STDERR_FILENO))
    options.progress = progress_cb;
  return key_text != NULL ? check_key (log, key, &options, as_json)
                          : check_all (log, &options, as_json);
}
