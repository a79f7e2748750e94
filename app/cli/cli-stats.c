/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-stats.c — tophash-cli stats: how long operations took, how long chains are,
 * who waited for the recorder
 *
 * Operations are those that ended between two positions; chains are those of the
 * tables at the later one. Quantiles are upper ends: an operation is known to have
 * taken less, by at most a half.
 */
#include "app/cli/cli.h"

#include "core/state/timeline-histogram.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>

/* What is looked at. */
typedef struct {
  Timeline       *timeline;
  const MapState *state; /* at @to */
  guint64         from;
  guint64         to;
  int             thread;
} Span;

/* ns that the share @q took less than; 0: none was told. */
static guint64
quantile_ns (const LatencyHistogram *histogram,
             double                  q) {
  double sum = 0;

  for (guint i = 0; i < STATE_HISTOGRAM_N; i++) {
    sum += (double)histogram->counts[i];
    if (histogram->counts[i] > 0 && sum >= q * (double)histogram->n_told)
      return (guint64)ldexp (1, (int)i + 1);
  }
  return 0;
}

static const char *
role_name (TableRole role) {
  switch (role) {
  case TABLE_ROLE_NONE:
    return "none";
  case TABLE_ROLE_ONLY:
    return "only";
  case TABLE_ROLE_READ:
    return "read";
  case TABLE_ROLE_DIRTY:
    return "dirty";
  case TABLE_ROLE_SUPERSEDED:
    return "superseded";
  case TABLE_ROLE_SHARD:
    return "shard";
  }
  g_return_val_if_reached (NULL);
}

/* As text ------------------------------------------------------------------ */

static void
print_latencies (const Span *span) {
  g_print ("%-19s %12s %12s %12s %12s %12s\n", _("operation"), _("told"),
           _("counted"), "p50 ns <", "p99 ns <", "max ns <");
  for (guint op = 0; op <= OP_N_KINDS; op++) {
    LatencyHistogram histogram;

    timeline_get_latencies (span->timeline, span->from, span->to, op,
                            span->thread, NULL, &histogram);
    if (histogram.n_told + histogram.n_counted == 0)
      continue;
    g_print ("%-19s %12" PRIu64 " %12" PRIu64 " %12" PRIu64 " %12" PRIu64
             " %12" PRIu64 "\n",
             op < OP_N_KINDS ? op_kind_name (op) : _("all"), histogram.n_told,
             histogram.n_counted, quantile_ns (&histogram, 0.5),
             quantile_ns (&histogram, 0.99), quantile_ns (&histogram, 1));
  }
}

static void
print_chains (const Span *span) {
  for (guint i = 0; i < map_state_n_tables (span->state); i++) {
    const StateTable *table = map_state_table (span->state, i);
    ChainHistogram chains;

    if (table->buckets == NULL)
      continue;
    state_table_get_chains (table, &chains);
    g_print (_("table %u (%s): %" PRIu64 " keys in %" PRIu64
               " chains, a key is found after %.2f buckets\n"),
             table->id, role_name (table->role), chains.n_keys, chains.n_chains,
             chains.mean_probes);
    for (guint n = 1; n < CHAIN_HISTOGRAM_N; n++)
      if (chains.chains[n] > 0)
        g_print (_("  chains of %u buckets: %" PRIu64 "\n"), n, chains.chains[n]);
  }
}

/* As JSON ------------------------------------------------------------------ */

static void
put_whole (JsonBuilder *builder,
           const char  *name,
           guint64      value) {
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64)value);
}

static void
put_counts (JsonBuilder   *builder,
            const char    *name,
            const guint64 *counts,
            guint          n) {
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (guint i = 0; i < n; i++)
    json_builder_add_int_value (builder, (gint64)counts[i]);
  json_builder_end_array (builder);
}

static void
put_latencies (JsonBuilder *builder,
               const Span  *span) {
  json_builder_set_member_name (builder, "operations");
  json_builder_begin_object (builder);
  for (guint op = 0; op <= OP_N_KINDS; op++) {
    LatencyHistogram histogram;

    timeline_get_latencies (span->timeline, span->from, span->to, op,
                            span->thread, NULL, &histogram);
    if (op < OP_N_KINDS && histogram.n_told + histogram.n_counted == 0)
      continue;
    json_builder_set_member_name (builder,
                                  op < OP_N_KINDS ? op_kind_name (op) : "all");
    json_builder_begin_object (builder);
    put_whole (builder, "told", histogram.n_told);
    put_whole (builder, "counted", histogram.n_counted);
    put_whole (builder, "p50-ns", quantile_ns (&histogram, 0.5));
    put_whole (builder, "p99-ns", quantile_ns (&histogram, 0.99));
    put_whole (builder, "max-ns", quantile_ns (&histogram, 1));
    put_counts (builder, "counts", histogram.counts, STATE_HISTOGRAM_N);
    json_builder_end_object (builder);
  }
  json_builder_end_object (builder);
}

static void
put_chains (JsonBuilder *builder,
            const Span  *span) {
  json_builder_set_member_name (builder, "tables");
  json_builder_begin_array (builder);
  for (guint i = 0; i < map_state_n_tables (span->state); i++) {
    const StateTable *table = map_state_table (span->state, i);
    ChainHistogram chains;

    if (table->buckets == NULL)
      continue;
    state_table_get_chains (table, &chains);
    json_builder_begin_object (builder);
    put_whole (builder, "id", table->id);
    json_builder_set_member_name (builder, "role");
    json_builder_add_string_value (builder, role_name (table->role));
    put_whole (builder, "keys", chains.n_keys);
    put_whole (builder, "chains", chains.n_chains);
    json_builder_set_member_name (builder, "mean-probes");
    json_builder_add_double_value (builder, chains.mean_probes);
    put_counts (builder, "chains-by-buckets", chains.chains, CHAIN_HISTOGRAM_N);
    put_counts (builder, "buckets-by-keys", chains.keys,
                G_N_ELEMENTS (chains.keys));
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
print_json (const Span *span) {
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  put_whole (builder, "from", span->from);
  put_whole (builder, "to", span->to);
  put_latencies (builder, span);
  put_chains (builder, span);
  put_whole (builder, "dropped", map_state_counters (span->state)->n_dropped);
  cli_put_waits (builder, timeline_get_log (span->timeline));
  json_builder_end_object (builder);
  cli_print_json (builder);
}

/* Whether there is such a worker, or none was asked for; else it is said. */
static gboolean
is_worker (TraceLog *log,
           int       thread) {
  guint n_threads = tracelog_get_info (log)->n_threads;

  if (thread >= 0 && (guint)thread <= n_threads)
    return TRUE;
  g_printerr (_("tophash-cli: --thread: wanted 1 to %u, found %d\n"), n_threads,
              thread);
  return FALSE;
}

int
cli_stats (int    argc,
           char **argv) {
  g_autofree char *from = NULL;
  g_autofree char *to = NULL;
  gboolean as_json = FALSE;
  int thread = 0;
  const GOptionEntry entries[] = {
    { "from", 0, 0, G_OPTION_ARG_STRING, &from,
      N_("Begin after so many events, or at a time"), N_("EVENT|TIME") },
    { "to", 0, 0, G_OPTION_ARG_STRING, &to,
      N_("End after so many events, or at a time"), N_("EVENT|TIME") },
    { "thread", 0, 0, G_OPTION_ARG_INT, &thread,
      N_("Only operations of this worker, counted from 1"), N_("NUMBER") },
    { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_("Print JSON"), NULL },
    { NULL },
  };
  g_autoptr (TraceLog) log = NULL;
  g_autoptr (Timeline) timeline = NULL;
  g_autoptr (MapState) state = NULL;
  Span span = { 0 };

  if (!cli_parse (&argc, &argv, entries, _("FILE"),
                  _("Says how long operations took and how long chains are."), NULL, 1))
    return CLI_BAD_INPUT;
  log = cli_open (argv[1], NULL);
  if (log == NULL)
    return CLI_BAD_INPUT;
  if (!is_worker (log, thread))
    return CLI_BAD_INPUT;
  span.to = tracelog_get_length (log);
  if (!cli_span (log, from, to, &span.from, &span.to))
    return CLI_BAD_INPUT;
  timeline = timeline_new (log);
  timeline_wait (timeline);
  state = timeline_seek (timeline, span.to, NULL);
  span.timeline = timeline;
  span.state = state;
  span.thread = thread - 1;
  if (as_json) {
    print_json (&span);
  } else {
    print_latencies (&span);
    print_chains (&span);
    cli_print_waits (log);
    cli_print_dropped (map_state_counters (state)->n_dropped);
  }
  return cli_conclude (log);
}
