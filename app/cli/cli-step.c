/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-step.c — tophash-cli step: one order of a few operations, or all
 *
 * Without --explore one run is executed, as --schedule says, and told step by
 * step: who went, what it did, and which operation that began or ended. With it
 * every order that can be told apart is tried; what is found is told as the run
 * with the fewest switches that still fails, and its schedule; then, with a
 * schedule of its own, what is left when all is left out that the failure does
 * not need. A failure, found or replayed, is exit code 1.
 */
#include "app/cli/cli-step.h"
#include "app/cli/cli.h"
#include "core/step/step-explore.h"
#include "core/step/step-minimise.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

/* Free choice: a few seconds. */
#define DEFAULT_RUNS 200000
#define SIMPLEST_BOUND 3

typedef struct {
  char    *schedule;
  gboolean explores;
  char    *search;
  int      bound;
  gint64   max_runs;
  int      mutant;
} Options;

/* One run ------------------------------------------------------------------ */

/* What of @worker begins or ends with step @n. */
static void
print_operations (const StepTrial *trial,
                  guint            worker,
                  guint            n) {
  const StepScenario *scenario = step_trial_scenario (trial);

  for (guint i = 0; i < scenario->n_ops[worker]; i++) {
    const StepResult *result = step_trial_result (trial, worker, i);
    char text[1000];

    if (!result->is_whole || (result->call != n && result->ret != n))
      continue;
    step_op_text (&scenario->ops[worker][i], result, text, sizeof text);
    if (result->call == n && result->ret == n)
      g_print ("   %s", text);
    else if (result->call == n)
      g_print (_("   begins %.*s"), (int)(strchr (text, ')') - text + 1), text);
    else
      g_print (_("   ends %s"), text);
  }
}

static void
print_steps (StepRun         *run,
             const StepTrial *trial) {
  const StepRecord *records = step_run_records (run);

  for (guint i = 0; i < step_run_n_steps (run); i++) {
    g_print ("%4u  %*s%u  %s", i, records[i].worker * 2, "", records[i].worker,
             records[i].label);
    if (records[i].offset != 0)
      g_print (" +%#" PRIx64, records[i].offset);
    print_operations (trial, records[i].worker, i);
    g_print ("\n");
  }
}

static void
print_end (StepRun         *run,
           const StepTrial *trial) {
  StepOutcome outcome = step_run_outcome (run);

  for (guint i = 0; outcome == STEP_FINISHED && i < step_trial_n_keys (trial);
       i++) {
    const StepResult *final = step_trial_final (trial, i);

    if (final->is_ok)
      g_print (_("at the end %" PRId64 " = %" PRId64 "\n"),
               step_trial_key (trial, i), final->value);
    else
      g_print (_("at the end %" PRId64 " is absent\n"),
               step_trial_key (trial, i));
  }
  g_print (_("schedule %s\n"), step_run_schedule (run));
  if (outcome == STEP_FINISHED)
    g_print (_("good\n"));
  else
    g_print ("%s: %s\n", step_outcome_name (outcome), step_run_why (run));
}

static int
replay (StepTrial  *trial,
        const char *schedule) {
  StepRun *run = step_run_new (step_trial_program (trial));
  int code = CLI_CHECK_FAILED;

  if (run == NULL) {
    g_printerr (_("tophash-cli: out of memory\n"));
    return CLI_BAD_INPUT;
  }
  switch (step_run_replay (run, schedule)) {
  case STEP_FINISHED:
    code = CLI_GOOD;
    break;
  case STEP_MISFIT:
    code = CLI_BAD_INPUT;
    break;
  case STEP_GIVEN_UP:
  case STEP_DEADLOCKED:
  case STEP_HANGS:
  case STEP_USED_FREED:
  case STEP_ASSERTED:
  case STEP_WRONG:
    break;
  }
  if (code == CLI_BAD_INPUT) {
    g_printerr ("tophash-cli: %s\n", step_run_why (run));
  } else {
    print_steps (run, trial);
    print_end (run, trial);
  }
  step_run_free (run);
  return code;
}

/* All runs ----------------------------------------------------------------- */

static gboolean
parse_search (const char *name,
              StepSearch *search) {
  static const char *const names[] = { "full", "sleep", "reduced", "bounded" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (name, names[i]) == 0) {
      *search = (StepSearch)i;
      return TRUE;
    }
  g_printerr (_("tophash-cli: --search: wanted full, sleep, reduced or bounded, "
                "found “%s”\n"),
              name);
  return FALSE;
}

static void
add_outcome (GHashTable      *outcomes,
             const StepTrial *trial) {
  gsize n_bytes = step_trial_outcome (trial, NULL, 0) + 1;
  char *text = g_malloc (n_bytes);

  step_trial_outcome (trial, text, n_bytes);
  g_hash_table_add (outcomes, text);
}

typedef struct {
  const StepTrial *trial;
  GHashTable      *outcomes;
} Visit;

static void
visit_cb (StepRun *run,
          void    *data) {
  Visit *visit = data;

  if (step_run_outcome (run) == STEP_FINISHED)
    add_outcome (visit->outcomes, visit->trial);
}

static guint
n_parts (const StepScenario *scenario) {
  guint n = scenario->n_preload;

  for (guint i = 0; i < scenario->n_workers; i++)
    n += scenario->n_ops[i];
  return n;
}

static void
print_scenario (const StepScenario *scenario) {
  const StepResult nothing = { .is_whole = false };
  char text[120];

  g_print ("  {");
  for (guint i = 0; i < scenario->n_preload; i++)
    g_print ("%s %" PRId64 ": %" PRId64, i == 0 ? "" : ",",
             scenario->preload[i].key, scenario->preload[i].value);
  g_print (" }\n");
  for (guint i = 0; i < scenario->n_workers; i++) {
    g_print ("  %u:", i);
    for (guint j = 0; j < scenario->n_ops[i]; j++) {
      step_op_text (&scenario->ops[i][j], &nothing, text, sizeof text);
      g_print ("%s %s", j == 0 ? "" : ",", text);
    }
    g_print ("\n");
  }
}

/* Nothing when the scenario is that already. */
static void
print_least (const StepScenario *scenario,
             guint64             max_runs) {
  g_autofree StepScenario *least = g_memdup2 (scenario, sizeof *scenario);
  g_autofree StepFindings *findings = g_new0 (StepFindings, 1);

  if (!step_minimise (least, SIMPLEST_BOUND, max_runs, findings)
      || n_parts (least) == n_parts (scenario))
    return;
  g_print (_("what is needed of it to fail:\n"));
  print_scenario (least);
  g_print (_("schedule %s\n"), findings->schedule);
  g_print ("%s: %s\n", step_outcome_name (findings->outcome), findings->why);
}

static int
explore (StepTrial     *trial,
         const Options *options) {
  g_autoptr (GHashTable) outcomes
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree StepFindings *findings = g_new0 (StepFindings, 1);
  Visit visit = { trial, outcomes };
  StepExplore how = {
    .bound = (unsigned)options->bound,
    .max_runs = (guint64)options->max_runs,
    .visit = visit_cb,
    .data = &visit,
  };
  g_autofree char *schedule = NULL;
  int code;

  if (!parse_search (options->search, &how.search))
    return CLI_BAD_INPUT;
  step_explore (step_trial_program (trial), &how, findings);
  if (findings->is_no_memory) {
    g_printerr (_("tophash-cli: out of memory\n"));
    return CLI_BAD_INPUT;
  }
  g_print (_("%" PRIu64 " runs and %" PRIu64
             " cut short, at most %u steps, %u outcomes\n"),
           findings->n_runs, findings->n_cut, findings->max_steps,
           g_hash_table_size (outcomes));
  if (findings->n_failures == 0) {
    g_print (findings->is_complete ? _("complete: nothing is wrong\n")
                                   : _("stopped: nothing is wrong so far\n"));
    return CLI_GOOD;
  }

  g_print (_("run %" PRIu64 " fails: %s\n"), findings->failed_at,
           step_outcome_name (findings->outcome));
  schedule = g_strdup (findings->schedule);
  /* Fewest switches first: easier to read. */
  if (step_explore_simplest (step_trial_program (trial), SIMPLEST_BOUND,
                             (guint64)options->max_runs, findings)) {
    g_free (schedule);
    schedule = g_strdup (findings->schedule);
  }
  code = replay (trial, schedule);
  print_least (step_trial_scenario (trial), (guint64)options->max_runs);
  return code;
}

/* The command -------------------------------------------------------------- */

static int
step_scenario (const char    *path,
               const Options *options) {
  g_autofree StepScenario *scenario = g_new0 (StepScenario, 1);
  GError *error = NULL;
  StepTrial *trial;
  int code;

  if (!cli_step_load (path, scenario, &error))
    return cli_fail (error);
  if (options->mutant >= 0)
    scenario->mutant = (unsigned)options->mutant;
  trial = step_trial_new (scenario);
  if (trial == NULL) {
    g_printerr (_("tophash-cli: %s: at most %d keys\n"), path, STEP_MAX_KEYS);
    return CLI_BAD_INPUT;
  }
  code = options->explores
             ? explore (trial, options)
             : replay (trial, options->schedule != NULL ? options->schedule : "");
  step_trial_free (trial);
  return code;
}

int
cli_step (int    argc,
          char **argv) {
  Options options = { .bound = 2, .max_runs = DEFAULT_RUNS, .mutant = -1 };
  const GOptionEntry entries[] = {
    { "schedule", 's', 0, G_OPTION_ARG_STRING, &options.schedule,
      N_("Who goes, a digit a step"), N_("DIGITS") },
    { "explore", 'e', 0, G_OPTION_ARG_NONE, &options.explores,
      N_("Try every order"), NULL },
    { "search", 0, 0, G_OPTION_ARG_STRING, &options.search,
      N_("full, sleep, reduced (default) or bounded"), N_("KIND") },
    { "bound", 0, 0, G_OPTION_ARG_INT, &options.bound,
      N_("Preemptions of a bounded search (default 2)"), N_("N") },
    { "max-runs", 0, 0, G_OPTION_ARG_INT64, &options.max_runs,
      N_("Stop after that many runs; 0: never (default 200000)"), N_("N") },
    { "mutant", 0, 0, G_OPTION_ARG_INT, &options.mutant,
      N_("Put a seeded bug into the engine"), N_("N") },
    { NULL },
  };
  int code = CLI_BAD_INPUT;

  if (cli_parse (&argc, &argv, entries, _("FILE"),
                 _("Steps through a few operations on a map, in one order or in "
                   "all. Accesses are never reordered: what weak memory may do "
                   "is not seen here."),
                 NULL, 1)) {
    if (options.bound < 0 || options.max_runs < 0)
      g_printerr (_("tophash-cli: a limit is less than 0\n"));
    else if (options.explores && options.schedule != NULL)
      g_printerr (_("tophash-cli: --schedule and --explore exclude each other\n"));
    else {
      if (options.search == NULL)
        options.search = g_strdup ("reduced");
      code = step_scenario (argv[1], &options);
    }
  }
  g_free (options.schedule);
  g_free (options.search);
  return code;
}
