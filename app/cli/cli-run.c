/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-run.c — tophash-cli run, tophash-cli list
 *
 * A run ends by itself, after --duration seconds, or with an interrupt (Ctrl+C);
 * in each case what was recorded is whole, is checked and can be saved.
 */
#include "app/cli/cli.h"

#include "core/record/trace-keyframe.h"
#include "core/record/tracelog-file.h"
#include "core/state/state-keeper.h"
#include "core/workload/honesty-measure.h"
#include "core/workload/runner.h"
#include "widgets/tophash-picture.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <inttypes.h>
#include <signal.h>

#define PICTURE_WIDTH 1280
#define PICTURE_HEIGHT 800
#define MEASURE_S 2.0

int
cli_list (int    argc,
          char **argv) {
  const GOptionEntry entries[] = { { NULL } };
  const char *const *names = scenario_builtin_names ();

  if (!cli_parse (&argc, &argv, entries, "",
                  _("Lists the scenarios that come with Tophash."), NULL, 0))
    return CLI_BAD_INPUT;
  for (guint i = 0; names[i] != NULL; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (Scenario) scenario = scenario_new_builtin (names[i], &error);

    if (scenario == NULL)
      return cli_fail (g_steal_pointer (&error));
    g_print ("%-16s %s\n", names[i], scenario_translate (scenario->summary));
  }
  return CLI_GOOD;
}

/* A shipped name, or else a path. */
static Scenario *
load_scenario (const char *name,
               GError    **error) {
  g_autoptr (GFile) file = NULL;
  g_autoptr (Scenario) scenario = NULL;
  GError *failure = NULL;

  if (g_strv_contains (scenario_builtin_names (), name))
    return scenario_new_builtin (name, error);
  file = cli_file (name);
  scenario = scenario_new_from_file (file, &failure);
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) {
    g_set_error (error, failure->domain, failure->code,
                 _("wanted a file or a name that “tophash-cli list” tells, found “%s”"),
                 name);
    g_error_free (failure);
  } else if (failure != NULL) {
    g_propagate_error (error, failure);
  }
  return g_steal_pointer (&scenario);
}

typedef struct {
  GMainLoop *loop;
  Runner    *runner;
} Run;

static gboolean
quit_cb (gpointer data) {
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

static gboolean
stop_cb (gpointer data) {
  runner_stop (((Run *)data)->runner);
  return G_SOURCE_CONTINUE;
}

/* In the runner's thread. */
static void
done_cb (Runner  *runner,
         gpointer data) {
  g_main_context_invoke (NULL, quit_cb, data);
}

static void
report_cb (const char *text,
           void       *data) {
  g_printerr (_("tophash-cli: the map is broken: %s\n"), text);
}

/* The file grows while the run goes on, so that nothing is lost if it is killed.
 * Where there is no path the recording is saved in the end. */
static gboolean
record_into (Runner     *runner,
             const char *record,
             GError    **error) {
  g_autoptr (GFile) file = NULL;
  g_autofree char *path = NULL;

  if (record == NULL)
    return TRUE;
  file = cli_file (record);
  path = g_file_get_path (file);
  return path == NULL
         || tracelog_record_to (runner_get_log (runner), file, error);
}

/* Runs to the end, and is stopped by an interrupt from before the file is there. */
static gboolean
run_whole (Runner     *runner,
           GMainLoop  *loop,
           const char *record,
           double      duration,
           GError    **error) {
  Run run = { loop, runner };
  guint interrupt = g_unix_signal_add (SIGINT, stop_cb, &run);
  guint terminate = g_unix_signal_add (SIGTERM, stop_cb, &run);
  gboolean has_run = record_into (runner, record, error);
  StateKeeper *keeper = NULL;

  if (has_run && record != NULL)
    keeper = state_keeper_new (runner_get_log (runner), TRACE_KEYFRAME_EVENTS);
  has_run = has_run && runner_start (runner, error);
  if (has_run) {
    guint timer = duration > 0
                      ? g_timeout_add ((guint)(duration * 1000), stop_cb, &run)
                      : 0;

    g_main_loop_run (loop);
    runner_join (runner);
    if (timer != 0)
      g_source_remove (timer);
  }
  g_clear_pointer (&keeper, state_keeper_free);
  g_source_remove (interrupt);
  g_source_remove (terminate);
  return has_run;
}

/* The folded log against the map itself, where nothing was dropped. */
static gboolean
check_run (Runner         *runner,
           const MapState *state,
           guint64         n_faults,
           const char     *first_fault) {
  MapEngine *map = runner_get_map (runner);
  size_t n_broken = map->klass->check (map, report_cb, NULL);
  DumpSink folded, real;
  gboolean is_same;

  dump_init (&folded);
  dump_init (&real);
  map_state_dump (state, &folded);
  map->klass->dump (map, &real);
  is_same = !folded.failed && !real.failed
            && g_strcmp0 (folded.text, real.text) == 0;
  dump_clear (&folded);
  dump_clear (&real);
  if (!is_same && map_state_counters (state)->n_dropped == 0)
    g_printerr (_("tophash-cli: the recording does not give the map’s memory\n"));
  if (n_faults > 0)
    g_printerr (_("tophash-cli: %" PRIu64
                  " events did not fit, the first: %s\n"),
                n_faults, first_fault);
  if (map_state_counters (state)->n_dropped > 0)
    return n_broken == 0;
  return is_same && n_broken == 0 && n_faults == 0
         && runner_get_n_ungated (runner) == 0;
}

/* What recording costs an operation of the scenario, kept in the recording. */
static gboolean
measure_cost (Runner         *runner,
              const Scenario *scenario,
              GError        **error) {
  HonestyFigures figures;

  if (!honesty_measure (scenario, MEASURE_S, NULL, &figures, error))
    return FALSE;
  tracelog_set_cost (runner_get_log (runner), figures.blind_ns,
                     figures.recorded_ns);
  return TRUE;
}

/* Whether the file holds the whole recording, as large as it was recorded, and the
 * disk has only no room for a smaller one beside it. @reason: why the run was ended. */
static gboolean
stays_as_it_is (GFile        *file,
                const char   *reason,
                const GError *failure) {
  g_autofree char *path = g_file_get_path (file);

  if (path == NULL || reason != NULL
      || !g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NO_SPACE))
    return FALSE;
  g_printerr (_("tophash-cli: “%s” is whole, but larger than it need be: there is no "
                "room left on the disk\n"),
              path);
  return TRUE;
}

/* The recording, smaller now, and the picture of its end; either may be
 * unwanted. */
static gboolean
save_files (TraceLog       *log,
            const MapState *state,
            const char     *record,
            const char     *picture,
            GError        **error) {
  g_autofree char *reason = tracelog_dup_limit_reason (log);

  if (record != NULL) {
    g_autoptr (GFile) file = cli_file (record);
    g_autoptr (GError) failure = NULL;

    if (reason != NULL)
      g_printerr ("tophash-cli: %s\n", reason);
    if (!tracelog_save (log, file, NULL, NULL, cli_cancel_on_interrupt (),
                        &failure)
        && !stays_as_it_is (file, reason, failure)) {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  }
  return picture == NULL
         || paint_stage_to_file (state, tracelog_get_info (log), picture,
                                 PICTURE_WIDTH, PICTURE_HEIGHT, FALSE, error);
}

int
cli_run (int    argc,
         char **argv) {
  g_autofree char *record = NULL;
  g_autofree char *picture = NULL;
  double duration = 0;
  gboolean as_json = FALSE, is_measured = FALSE;
  const GOptionEntry entries[] = {
    { "record", 0, 0, G_OPTION_ARG_FILENAME, &record,
      N_("Save the recording"), N_("FILE") },
    { "picture", 0, 0, G_OPTION_ARG_FILENAME, &picture,
      N_("Draw the map as it stood in the end (.png, .svg or .pdf)"),
      N_("FILE") },
    { "duration", 0, 0, G_OPTION_ARG_DOUBLE, &duration,
      N_("End the run after this many seconds"), N_("SECONDS") },
    { "measure", 0, 0, G_OPTION_ARG_NONE, &is_measured,
      N_("First measure what recording costs, for two seconds"), NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_("Print JSON"), NULL },
    { NULL },
  };
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (Scenario) scenario = NULL;
  g_autoptr (Runner) runner = NULL;
  g_autoptr (MapState) state = NULL;
  g_autofree char *first_fault = NULL;
  GError *error = NULL;
  CliRunFacts facts;
  guint64 n_faults;
  TraceLog *log;

  if (!cli_parse (&argc, &argv, entries, _("SCENARIO"),
                  _("Runs a scenario, a shipped one by name or a file."), NULL, 1))
    return CLI_BAD_INPUT;
  if (!(duration >= 0 && duration <= 86400)) {
    g_printerr (_("tophash-cli: --duration: wanted 0 to 86400, found %g\n"),
                duration);
    return CLI_BAD_INPUT;
  }
  scenario = load_scenario (argv[1], &error);
  if (scenario == NULL)
    return cli_fail (error);
  runner = runner_new (scenario, done_cb, loop, &error);
  if (runner == NULL
      || (is_measured && !measure_cost (runner, scenario, &error))
      || !run_whole (runner, loop, record, duration, &error))
    return cli_fail (error);
  log = runner_get_log (runner);
  state = cli_fold (log, tracelog_get_length (log), record != NULL, &n_faults,
                    &first_fault);
  facts = (CliRunFacts){ runner_get_n_errors (runner),
                         runner_get_n_ungated (runner) };
  cli_print_summary (log, state, &facts, as_json);
  if (!save_files (log, state, record, picture, &error))
    return cli_fail_write (error);
  return check_run (runner, state, n_faults, first_fault) ? CLI_GOOD
                                                          : CLI_CHECK_FAILED;
}
