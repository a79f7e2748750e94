/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli.c — options, errors, recordings: what every command does alike */
#include "app/cli/cli.h"

#include "core/record/trace-keyframe.h"
#include "core/record/tracelog-file.h"
#include "core/state/log-ahead.h"
#include "core/state/state-frames.h"

#include <glib/gi18n.h>
#include <string.h>

/* Free choice: between two looks whether a recording has grown. */
#define LOOK_US 100000

int
cli_fail (GError *error) {
  g_printerr ("tophash-cli: %s\n", error->message);
  g_error_free (error);
  return CLI_BAD_INPUT;
}

gboolean
cli_parse (int                *argc,
           char             ***argv,
           const GOptionEntry *entries,
           const char         *parameters,
           const char         *summary,
           const char         *description,
           int                 n_wanted) {
  g_autofree char *usage = g_strconcat ((*argv)[0], " ", parameters, NULL);
  g_autoptr (GOptionContext) context = g_option_context_new (parameters);
  g_autofree char *name = g_strconcat ("tophash-cli ", (*argv)[0], NULL);
  GError *error = NULL;

  g_set_prgname (name);
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  g_option_context_set_summary (context, summary);
  g_option_context_set_description (context, description);
  if (!g_option_context_parse (context, argc, argv, &error)) {
    cli_fail (error);
    return FALSE;
  }
  /* GOption leaves it before an argument that looks like an option. */
  for (int i = 1; i < *argc; i++)
    if (strcmp ((*argv)[i], "--") == 0) {
      memmove (*argv + i, *argv + i + 1, sizeof **argv * (size_t)(*argc - i));
      (*argc)--;
      break;
    }
  if (*argc != n_wanted + 1) {
    g_printerr (_("tophash-cli: wanted: tophash-cli %s\n"), usage);
    return FALSE;
  }
  return TRUE;
}

/* Whether a file that is whole ends before its run: what recorded it was ended, or
 * it was saved while the run went on. One that ended at its limit says so. */
static gboolean
is_part (TraceLog *log) {
  TraceHonesty honesty;

  tracelog_get_honesty (log, &honesty);
  return !honesty.is_complete && !honesty.was_limited;
}

static TraceLog *
open_log (const char *path,
          gboolean    may_grow,
          gboolean   *is_whole) {
  g_autoptr (GFile) file
      = cli_file (strcmp (path, "-") == 0 ? "/dev/stdin" : path);
  g_autofree char *warning = NULL;
  g_autofree char *newer = NULL;
  GError *error = NULL;
  TraceLog *log
      = may_grow
            ? tracelog_open_growing (file, NULL, NULL, NULL, &warning, &error)
            : tracelog_open (file, NULL, NULL, NULL, &warning, &error);

  if (log != NULL && (newer = tracelog_dup_newer (log)) != NULL && warning == NULL)
    g_printerr ("tophash-cli: %s\n", newer);
  if (log == NULL)
    cli_fail (error);
  else if (warning != NULL)
    g_printerr ("tophash-cli: %s\n", warning);
  else if (is_part (log))
    g_printerr (_("tophash-cli: “%s” does not reach the end of its run\n"), path);
  if (is_whole != NULL)
    *is_whole = log != NULL && warning == NULL;
  return log;
}

TraceLog *
cli_open (const char *path,
          gboolean   *is_whole) {
  return open_log (path, FALSE, is_whole);
}

TraceLog *
cli_open_growing (const char *path) {
  return open_log (path, TRUE, NULL);
}

gboolean
cli_wait_for_more (TraceLog *log,
                   guint64   length) {
  while (tracelog_get_length (log) <= length && cli_flush_output ()
         && tracelog_refresh (log))
    g_usleep (LOOK_US);
  return tracelog_get_length (log) > length;
}

int
cli_conclude (TraceLog *log) {
  g_autofree char *damage = tracelog_dup_damage (log);

  if (damage != NULL)
    g_printerr ("tophash-cli: %s\n", damage);
  /* What was missing at once was said at once. */
  return damage != NULL || tracelog_lacks_parts (log) ? CLI_CHECK_FAILED : CLI_GOOD;
}

gboolean
cli_position (TraceLog   *log,
              const char *option,
              const char *text,
              guint64    *position) {
  static const struct {
    const char *name;
    double      ns;
  } units[] = { { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 }, { "ns", 1 } };
  double number;
  char *end;

  if (text == NULL)
    return TRUE;
  if (g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, position, NULL)) {
    *position = MIN (*position, tracelog_get_length (log));
    return TRUE;
  }
  number = g_ascii_strtod (text, &end);
  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    if (end != text && strcmp (end, units[i].name) == 0 && number >= 0
        && number * units[i].ns < 9e18) {
      *position = tracelog_index_at (log, (gint64)(number * units[i].ns));
      return TRUE;
    }
  g_printerr (_("tophash-cli: %s: wanted a count of events or a time with its "
                "unit (2.5s, 40ms), found “%s”\n"),
              option, text);
  return FALSE;
}

gboolean
cli_span (TraceLog   *log,
          const char *from,
          const char *to,
          guint64    *begin,
          guint64    *end) {
  if (!cli_position (log, "--from", from, begin)
      || !cli_position (log, "--to", to, end))
    return FALSE;
  if (*begin <= *end)
    return TRUE;
  g_printerr (_("tophash-cli: --to: wanted a place after “%s”, found “%s”\n"), from,
              to);
  return FALSE;
}

MapState *
cli_fold (TraceLog *log,
          guint64   n_events,
          gboolean  keeps_states,
          guint64  *faults,
          char    **first_fault) {
  g_autoptr (LogAhead) ahead = log_ahead_new (log, 0, n_events,
                                              LOG_AHEAD_AT_ONCE);
  g_autoptr (Fold) fold = fold_new ();

  for (guint64 i = 0; i < n_events;) {
    const TraceBlock *block = log_ahead_get (ahead, i);
    guint64 end;

    if (block == NULL)
      break;
    end = MIN (n_events, block->first + block->n_events);
    fold_apply_many (fold, block->events + (i - block->first), (guint)(end - i));
    i = end;
    if (i % TRACE_KEYFRAME_EVENTS == 0 && keeps_states)
      map_state_keep (fold_peek_state (fold), log);
  }
  if (faults != NULL)
    *faults = fold_n_faults (fold);
  if (first_fault != NULL)
    *first_fault = g_strdup (fold_first_fault (fold));
  return fold_ref_state (fold);
}
