/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-export.c — tophash-cli events, tophash-cli export
 *
 * Both go through the recording once; events --follow goes on while another process
 * makes it. A file given by --out appears under its name only when it is whole;
 * standard output, a pipe or a device gets what there is as it comes.
 */
#include "app/cli/cli.h"

#include "core/export/export.h"
#include "core/model/narrator.h"
#include "core/workload/scenario.h"

#include <glib/gi18n.h>
#include <string.h>

#define HELP_WIDTH 78 /* letters in a line */

/* What both commands may be asked to leave out. */
typedef struct {
  char *from;
  char *to;
  char *query;
} Limits;

static void
limits_clear (Limits *limits) {
  g_free (limits->from);
  g_free (limits->to);
  g_free (limits->query);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Limits, limits_clear)

/* (transfer full): how the recording writes keys. */
static char *
key_text_of (TraceLog *log) {
  const TraceInfo *info = tracelog_get_info (log);
  g_autoptr (Scenario) scenario = NULL;

  if (info->scenario_json != NULL)
    scenario = scenario_new_from_json (info->scenario_json, -1,
                                       info->scenario_name, NULL);
  return g_strdup (scenario != NULL && scenario->key_text != NULL
                       ? scenario->key_text
                       : "k%d");
}

/* FALSE: something was printed. */
static gboolean
apply_limits (TraceLog      *log,
              const Limits  *limits,
              ExportOptions *options) {
  g_autofree char *key_text = key_text_of (log);
  g_autofree char *meant = NULL;
  GError *error = NULL;

  options->to = tracelog_get_length (log);
  if (!cli_span (log, limits->from, limits->to, &options->from, &options->to))
    return FALSE;
  if (limits->query == NULL)
    return TRUE;
  options->query = event_query_new (limits->query, key_text, &error);
  if (options->query == NULL) {
    g_prefix_error (&error, "--where: ");
    cli_fail (error);
    meant = event_query_complete (limits->query, key_text);
    if (meant != NULL)
      g_printerr (_("tophash-cli: --where: did you mean “%s”?\n"), meant);
  }
  return options->query != NULL;
}

/* (transfer full): what --where takes, for --help. */
static char *
describe_queries (void) {
  g_autoptr (GString) text = g_string_new (_("A QUERY, for example:"));
  const char *const *words = event_query_words ();
  gsize width = 0;

  for (const EventQueryExample *example = event_query_examples ();
       example->query != NULL; example++)
    g_string_append_printf (text, "\n  %-38s %s", example->query,
                            _(example->meaning));
  g_string_append_printf (text, "\n\n%s", _("The words that it is made of:"));
  for (; *words != NULL; words++) {
    gsize length = strlen (*words) + 1;
    gboolean begins_line = width == 0 || width + length > HELP_WIDTH;

    g_string_append (text, begins_line ? "\n  " : " ");
    g_string_append (text, *words);
    width = begins_line ? length + 1 : width + length;
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* tophash-cli export ------------------------------------------------------- */

/* (transfer full): the names of all forms, one a line. */
static char *
list_formats (void) {
  g_autoptr (GString) text = g_string_new (_("Forms:"));

  for (guint i = 0; i < EXPORT_N_FORMATS; i++)
    g_string_append_printf (text, "\n  %-14s %s", export_format_name (i),
                            export_format_title (i));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* The name of an option that was given and that the form cannot heed; NULL: none. */
static const char *
find_idle_option (ExportFormat  format,
                  const Limits *limits,
                  const char   *step) {
  gboolean is_events = format == EXPORT_EVENTS_CSV || format == EXPORT_EVENTS_JSON
                       || format == EXPORT_CHANGES;
  gboolean is_series
      = format == EXPORT_COUNTERS_CSV || format == EXPORT_COUNTERS_JSON;

  if (limits->from != NULL
      && (format == EXPORT_HISTORY || format == EXPORT_PROMETHEUS))
    return "--from";
  if (limits->to != NULL && format == EXPORT_HISTORY)
    return "--to";
  if (limits->query != NULL && !is_events)
    return "--where";
  return step != NULL && !is_series ? "--every" : NULL;
}

/* Into a file, or as it comes to standard output, a pipe or a device. */
static gboolean
export_to (TraceLog            *log,
           const ExportOptions *options,
           const char          *path,
           GError             **error) {
  GError *failure = NULL;
  g_autoptr (GOutputStream) out = cli_open_stream (path, &failure);
  g_autoptr (GFile) file = NULL;

  if (out != NULL)
    return export_log (log, options, out, NULL, NULL, NULL, error);
  if (failure != NULL) {
    g_propagate_error (error, failure);
    return FALSE;
  }
  file = cli_file (path);
  return export_log_to_file (log, options, file, NULL, NULL,
                             cli_cancel_on_interrupt (), error);
}

int
cli_export (int    argc,
            char **argv) {
  g_auto (Limits) limits = { NULL };
  g_autofree char *path = NULL;
  g_autofree char *step = NULL;
  g_autofree char *forms = list_formats ();
  g_autofree char *queries = describe_queries ();
  g_autofree char *summary = g_strdup_printf (
      "%s\n\n%s", _("Writes a recording in a form for other programs."), forms);
  const GOptionEntry entries[] = {
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &path,
      N_("Write to this file and not to standard output"), N_("FILE") },
    { "from", 0, 0, G_OPTION_ARG_STRING, &limits.from,
      N_("Begin after so many events, or at a time"), N_("EVENT|TIME") },
    { "to", 0, 0, G_OPTION_ARG_STRING, &limits.to,
      N_("End after so many events, or at a time"), N_("EVENT|TIME") },
    { "where", 0, 0, G_OPTION_ARG_STRING, &limits.query,
      N_("Only events that match, such as “key=k17 and op=store”"),
      N_("QUERY") },
    { "every", 0, 0, G_OPTION_ARG_STRING, &step,
      N_("Counters: the time from row to row"), N_("MILLISECONDS") },
    { NULL },
  };
  ExportOptions options = { 0 };
  g_autoptr (TraceLog) log = NULL;
  const char *idle;
  GError *error = NULL;
  gboolean is_good;

  if (!cli_parse (&argc, &argv, entries, _("FORM FILE"), summary, queries, 2))
    return CLI_BAD_INPUT;
  options.format = export_format_find (argv[1]);
  if (options.format == EXPORT_N_FORMATS) {
    g_printerr (_("tophash-cli: wanted a form, found “%s”\n%s\n"), argv[1], forms);
    return CLI_BAD_INPUT;
  }
  idle = find_idle_option (options.format, &limits, step);
  if (idle != NULL) {
    g_printerr (_("tophash-cli: %s: the form “%s” cannot heed it\n"), idle, argv[1]);
    return CLI_BAD_INPUT;
  }
  if (path != NULL && !cli_may_write ("--out", path, argv[2]))
    return CLI_BAD_INPUT;
  if (step != NULL) {
    char *end;
    double ms = g_ascii_strtod (step, &end);

    if (end == step || *end != '\0' || !(ms > 0 && ms < 1e9)) {
      g_printerr (_("tophash-cli: --every: wanted milliseconds, found “%s”\n"),
                  step);
      return CLI_BAD_INPUT;
    }
    options.step_ns = MAX (1, (gint64)(ms * 1e6));
  }
  log = cli_open (argv[2], NULL);
  if (log == NULL || !apply_limits (log, &limits, &options))
    return CLI_BAD_INPUT;
  is_good = export_to (log, &options, path, &error);
  g_clear_pointer (&options.query, event_query_unref);
  return is_good ? cli_conclude (log) : cli_fail_write (error);
}

/* tophash-cli events ------------------------------------------------------- */

/* "#1204    0.004183021 s  W2    LOADS k17" */
static void
print_event (const Event    *event,
             guint64         index,
             const MapState *before,
             const char     *key_text) {
  g_autofree char *text
      = narrator_event (event, before, key_text, NARRATION_EXPERT);
  g_autofree char *thread = narrator_thread (event->thread);

  g_print ("#%-9" G_GUINT64_FORMAT " %" G_GINT64_FORMAT ".%09d s  %-5s %s\n",
           index + 1, event->at_ns / 1000000000, (int)(event->at_ns % 1000000000),
           thread, text != NULL ? text : event_kind_name (event->kind));
}

/* @follows: at the end waits for more. */
static void
print_events (TraceLog            *log,
              const ExportOptions *options,
              guint64              max,
              gboolean             follows) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (QueryWalk) walk
      = options->query != NULL ? query_walk_new (options->query) : NULL;
  g_autofree char *key_text = key_text_of (log);
  guint64 n_printed = 0;

  for (guint64 i = 0; i < options->to && n_printed < max && cli_is_heard ();) {
    gboolean is_there = !follows || cli_wait_for_more (log, i);
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, i);

    if (!is_there || block == NULL)
      return;
    for (guint n = (guint)(i - block->first);
         n < block->n_events && i < options->to && n_printed < max; n++, i++) {
      const Event *event = &block->events[n];
      /* The sentence tells of the state that the event met, the query may ask of
       * the one it leaves: only then are both kept. */
      gboolean asks = walk != NULL && event_query_asks_state (options->query);
      g_autoptr (MapState) before
          = i >= options->from && asks ? fold_ref_state (fold) : NULL;

      if (i < options->from) {
        fold_apply (fold, event);
      } else if (asks) {
        fold_apply (fold, event);
        if (query_walk_matches (walk, event, fold_peek_state (fold))) {
          print_event (event, i, before, key_text);
          n_printed++;
        }
      } else {
        if (walk == NULL || query_walk_matches (walk, event, NULL)) {
          print_event (event, i, fold_peek_state (fold), key_text);
          n_printed++;
        }
        fold_apply (fold, event);
      }
    }
  }
}

int
cli_events (int    argc,
            char **argv) {
  g_auto (Limits) limits = { NULL };
  gint64 max = G_MAXINT64;
  gboolean follows = FALSE;
  g_autofree char *queries = describe_queries ();
  const GOptionEntry entries[] = {
    { "from", 0, 0, G_OPTION_ARG_STRING, &limits.from,
      N_("Begin after so many events, or at a time"), N_("EVENT|TIME") },
    { "to", 0, 0, G_OPTION_ARG_STRING, &limits.to,
      N_("End after so many events, or at a time"), N_("EVENT|TIME") },
    { "where", 0, 0, G_OPTION_ARG_STRING, &limits.query,
      N_("Only events that match, such as “key=k17 and op=store”"),
      N_("QUERY") },
    { "max", 0, 0, G_OPTION_ARG_INT64, &max, N_("Print no more than so many"),
      N_("NUMBER") },
    { "follow", 'f', 0, G_OPTION_ARG_NONE, &follows,
      N_("While it is being recorded, wait for more"), NULL },
    { NULL },
  };
  ExportOptions options = { 0 };
  g_autoptr (TraceLog) log = NULL;

  if (!cli_parse (&argc, &argv, entries, _("FILE"),
                  _("Prints the events of a recording, in words."), queries, 1))
    return CLI_BAD_INPUT;
  if (max < 0) {
    g_printerr (_("tophash-cli: --max: wanted 0 or more\n"));
    return CLI_BAD_INPUT;
  }
  log = follows ? cli_open_growing (argv[1]) : cli_open (argv[1], NULL);
  if (log == NULL || !apply_limits (log, &limits, &options))
    return CLI_BAD_INPUT;
  if (follows && limits.to == NULL)
    options.to = G_MAXUINT64;
  print_events (log, &options, (guint64)max, follows);
  g_clear_pointer (&options.query, event_query_unref);
  return cli_conclude (log);
}
