/* SPDX-License-Identifier: GPL-3.0-or-later */

/* export-counters.c — what a map counts: as series, and at one instant
 *
 * Series      A row stands for the last event at or before its time. Names are
 *             those of the counters in map-state.h; "ops_load" and the like run
 *             from the log's start, so that a difference of two rows is exact.
 *
 * Prometheus  Text format 0.0.4, names with the prefix tophash_, seconds and
 *             bytes as base units, counters ending in _total. Histograms of lock
 *             waits and holds have one bucket for each power of two of
 *             nanoseconds; holds are those that were measured.
 *
 * Drops       Where a run dropped events, all but their own count is a guess from
 *             the first loss on: a row or an instant tells how many it was.
 */
#include "core/export/export-private.h"

#include <math.h>
#include <string.h>

#define N_ROWS 1000

/* One column of a series. */
typedef struct {
  const char *name;
  guint64   (*get) (const MapState *state);
} Column;

#define COUNTER(field)                                                       \
  static guint64 get_##field (const MapState *state) {                       \
    return (guint64)map_state_counters (state)->field;                       \
  }
COUNTER (n_in_read)
COUNTER (n_misses)
COUNTER (n_promotions)
COUNTER (n_copies)
COUNTER (n_copied)
COUNTER (n_expunged)
COUNTER (n_growths)
COUNTER (n_same_size)
COUNTER (n_evacuated)
COUNTER (n_lock_waits)
COUNTER (lock_wait_ns)
COUNTER (n_ranges)
COUNTER (n_cas_retries)
COUNTER (n_misuses)
COUNTER (n_snapshots)
COUNTER (n_dropped)

static guint64
get_dirty_len (const MapState *state) {
  const StateTable *dirty = map_state_table_for (state, TABLE_ROLE_DIRTY);

  return dirty != NULL ? dirty->count : 0;
}

static guint64
get_bytes (const MapState *state) {
  StateMemory memory;

  map_state_get_memory (state, &memory);
  return memory.read + memory.dirty + memory.entries + memory.deleted
         + memory.versions;
}

static const Column columns[] = {
  { "in_read", get_n_in_read },
  { "misses_now", map_state_misses },
  { "dirty_len", get_dirty_len },
  { "live", map_state_n_live },
  { "deleted", map_state_n_nil },
  { "expunged_now", map_state_n_expunged },
  { "bytes", get_bytes },
  { "misses", get_n_misses },
  { "promotions", get_n_promotions },
  { "copies", get_n_copies },
  { "copied", get_n_copied },
  { "expunged", get_n_expunged },
  { "growths", get_n_growths },
  { "same_size_growths", get_n_same_size },
  { "evacuated", get_n_evacuated },
  { "lock_waits", get_n_lock_waits },
  { "lock_wait_ns", get_lock_wait_ns },
  { "ranges", get_n_ranges },
  { "snapshots", get_n_snapshots },
  { "cas_retries", get_n_cas_retries },
  { "misuses", get_n_misuses },
  { "dropped", get_n_dropped },
};

/* "ops_load_or_store" */
static const char *
op_column (guint op) {
  static _Thread_local char name[40];

  g_snprintf (name, sizeof name, "ops_%s", op_kind_name (op));
  return g_strdelimit (name, "-", '_');
}

/* Series ------------------------------------------------------------------- */

static void
begin_series (ExportJob *job) {
  gint64 from_ns = tracelog_time_at (job->log, job->from);
  gint64 to_ns = tracelog_time_at (job->log, job->to);

  job->step_ns = job->options->step_ns > 0
                     ? job->options->step_ns
                     : MAX (1, (to_ns - from_ns) / N_ROWS);
  job->next_ns = from_ns;
}

static void
begin_csv (ExportJob *job) {
  begin_series (job);
  g_string_append (job->text, "at_ns,position");
  for (guint op = 0; op < OP_N_KINDS; op++)
    g_string_append_printf (job->text, ",%s", op_column (op));
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    g_string_append_printf (job->text, ",%s", columns[i].name);
  g_string_append (job->text, "\r\n");
}

static void
put_csv_row (ExportJob *job,
             gint64     at_ns,
             guint64    position) {
  const StateCounters *counters = map_state_counters (job->state);

  g_string_append_printf (job->text, "%" G_GINT64_FORMAT ",%" G_GUINT64_FORMAT,
                          at_ns, position);
  for (guint op = 0; op < OP_N_KINDS; op++)
    g_string_append_printf (job->text, ",%" G_GUINT64_FORMAT,
                            counters->n_ops[op]);
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    g_string_append_printf (job->text, ",%" G_GUINT64_FORMAT,
                            columns[i].get (job->state));
  g_string_append (job->text, "\r\n");
}

static void
put_json_row (ExportJob *job,
              gint64     at_ns,
              guint64    position) {
  const StateCounters *counters = map_state_counters (job->state);

  g_string_append_printf (job->text,
                          "{\"at_ns\":%" G_GINT64_FORMAT
                          ",\"position\":%" G_GUINT64_FORMAT,
                          at_ns, position);
  for (guint op = 0; op < OP_N_KINDS; op++)
    g_string_append_printf (job->text, ",\"%s\":%" G_GUINT64_FORMAT,
                            op_column (op), counters->n_ops[op]);
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    g_string_append_printf (job->text, ",\"%s\":%" G_GUINT64_FORMAT,
                            columns[i].name, columns[i].get (job->state));
  g_string_append (job->text, "}\n");
}

/* The rows that are due before @event, whose state is that of the event before
 * it. A long gap is one row at its end, not a thousand equal ones. */
static void
put_due_row (ExportJob   *job,
             const Event *event,
             guint64      index,
             void       (*put) (ExportJob *, gint64, guint64)) {
  if (event->at_ns <= job->next_ns)
    return;
  put (job, job->next_ns, index);
  job->next_ns += job->step_ns
                  * MAX (1, (event->at_ns - job->next_ns) / job->step_ns);
}

static void
csv_event (ExportJob   *job,
           const Event *event,
           guint64      index) {
  put_due_row (job, event, index, put_csv_row);
}

static void
json_event (ExportJob   *job,
            const Event *event,
            guint64      index) {
  put_due_row (job, event, index, put_json_row);
}

static void
end_csv (ExportJob *job) {
  put_csv_row (job, map_state_at_ns (job->state),
               map_state_n_events (job->state));
}

static void
end_json (ExportJob *job) {
  put_json_row (job, map_state_at_ns (job->state),
                map_state_n_events (job->state));
}

const ExportWay export_counters_csv = {
  .needs_state = TRUE,
  .begin = begin_csv,
  .event = csv_event,
  .end = end_csv,
};

const ExportWay export_counters_json = {
  .needs_state = TRUE,
  .begin = begin_series,
  .event = json_event,
  .end = end_json,
};

/* Prometheus --------------------------------------------------------------- */

static void
put_family (ExportJob  *job,
            const char *name,
            const char *type,
            const char *help) {
  g_string_append_printf (job->text,
                          "# HELP tophash_%s %s\n# TYPE tophash_%s %s\n", name,
                          help, name, type);
}

static void
put_sample (ExportJob  *job,
            const char *name,
            const char *type,
            const char *help,
            guint64     value) {
  put_family (job, name, type, help);
  g_string_append_printf (job->text, "tophash_%s %" G_GUINT64_FORMAT "\n", name,
                          value);
}

/* Seconds with all their digits, and a point whatever the locale. */
static void
put_seconds (ExportJob *job,
             double     ns) {
  char digits[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (job->text, g_ascii_dtostr (digits, sizeof digits, ns / 1e9));
}

static void
put_seconds_total (ExportJob  *job,
                   const char *name,
                   const char *help,
                   double      ns) {
  put_family (job, name, "counter", help);
  g_string_append_printf (job->text, "tophash_%s ", name);
  put_seconds (job, ns);
  g_string_append_c (job->text, '\n');
}

static void
put_ops (ExportJob           *job,
         const StateCounters *counters) {
  put_family (job, "operations_total", "counter", "Operations by kind and result.");
  for (guint op = 0; op < OP_N_KINDS; op++) {
    g_string_append_printf (
        job->text,
        "tophash_operations_total{op=\"%s\",result=\"ok\"} %" G_GUINT64_FORMAT
        "\n",
        op_kind_name (op), counters->n_ok[op]);
    g_string_append_printf (
        job->text,
        "tophash_operations_total{op=\"%s\",result=\"none\"} %" G_GUINT64_FORMAT
        "\n",
        op_kind_name (op), counters->n_ops[op] - counters->n_ok[op]);
  }
}

static void
put_histogram (ExportJob            *job,
               const char           *name,
               const char           *help,
               const StateHistogram *histogram,
               double                sum_ns) {
  guint64 n = 0;

  put_family (job, name, "histogram", help);
  for (guint i = 0; i < STATE_HISTOGRAM_N - 1; i++) {
    n += histogram->counts[i];
    g_string_append_printf (job->text, "tophash_%s_bucket{le=\"", name);
    put_seconds (job, ldexp (1, (int)i + 1));
    g_string_append_printf (job->text, "\"} %" G_GUINT64_FORMAT "\n", n);
  }
  n += histogram->counts[STATE_HISTOGRAM_N - 1];
  g_string_append_printf (job->text,
                          "tophash_%s_bucket{le=\"+Inf\"} %" G_GUINT64_FORMAT
                          "\ntophash_%s_sum ",
                          name, n, name);
  put_seconds (job, sum_ns);
  g_string_append_printf (job->text, "\ntophash_%s_count %" G_GUINT64_FORMAT "\n",
                          name, n);
}

/* A label's value: backslash, quote and line feed are escaped. */
static void
put_label (ExportJob  *job,
           const char *name,
           const char *value) {
  g_string_append_printf (job->text, "%s=\"", name);
  for (; value != NULL && *value != '\0'; value++) {
    if (*value == '\n')
      g_string_append (job->text, "\\n");
    else if (*value == '"' || *value == '\\')
      g_string_append_printf (job->text, "\\%c", *value);
    else
      g_string_append_c (job->text, *value);
  }
  g_string_append_c (job->text, '"');
}

static void
put_run_info (ExportJob *job) {
  put_family (job, "run_info", "gauge", "The recording these counters are from.");
  g_string_append (job->text, "tophash_run_info{");
  put_label (job, "engine", job->info->engine);
  g_string_append_c (job->text, ',');
  put_label (job, "scenario", job->info->scenario_name);
  g_string_append_c (job->text, ',');
  put_label (job, "version", job->info->version);
  g_string_append (job->text, "} 1\n");
}

/* Sums of what was measured, from bins: each at its middle. */
static double
histogram_sum (const StateHistogram *histogram) {
  double sum = 0;

  for (guint i = 0; i < STATE_HISTOGRAM_N; i++)
    sum += histogram->counts[i] * ldexp (1.5, (int)i);
  return sum;
}

static void
end_prometheus (ExportJob *job) {
  const MapState *state = job->state;
  const StateCounters *counters = map_state_counters (state);

  put_run_info (job);
  put_family (job, "position_seconds", "gauge",
              "Time since the recording began, of the instant shown.");
  g_string_append (job->text, "tophash_position_seconds ");
  put_seconds (job, (double)map_state_at_ns (state));
  g_string_append_c (job->text, '\n');
  put_ops (job, counters);
  put_sample (job, "read_hits_total", "counter",
              "Operations that found their key in read.", counters->n_in_read);
  put_sample (job, "misses_total", "counter", "Looks into dirty.",
              counters->n_misses);
  put_sample (job, "misses", "gauge", "Looks into dirty since the last promotion.",
              map_state_misses (state));
  put_sample (job, "dirty_keys", "gauge",
              "Keys in dirty: the threshold of misses.", get_dirty_len (state));
  put_sample (job, "live_keys", "gauge", "Keys in the map.",
              map_state_n_live (state));
  put_sample (job, "bytes", "gauge", "Bytes of tables and entries.",
              get_bytes (state));
  put_sample (job, "promotions_total", "counter", "Times dirty became read.",
              counters->n_promotions);
  put_sample (job, "copies_total", "counter", "Dirty copies.",
              counters->n_copies);
  put_sample (job, "copied_entries_total", "counter",
              "Entries copied into dirty.", counters->n_copied);
  put_sample (job, "expunged_entries_total", "counter",
              "Entries that a copy left out.", counters->n_expunged);
  put_sample (job, "growths_total", "counter", "Bucket arrays doubled.",
              counters->n_growths);
  put_sample (job, "evacuated_buckets_total", "counter", "Buckets moved.",
              counters->n_evacuated);
  put_sample (job, "ranges_total", "counter", "Iterations begun.",
              counters->n_ranges);
  put_sample (job, "cas_retries_total", "counter",
              "Compare-and-swaps tried again.", counters->n_cas_retries);
  put_sample (job, "dropped_events_total", "counter",
              "Events that were not recorded: not 0, all else is a guess.",
              counters->n_dropped);
  put_seconds_total (job, "promotion_seconds_total",
                     "Time spent in promotions.", (double)counters->promotion_ns);
  put_seconds_total (job, "copy_seconds_total", "Time spent in dirty copies.",
                     (double)counters->copy_ns);
  put_histogram (job, "lock_wait_seconds", "Waits for locks.",
                 &counters->lock_waits, (double)counters->lock_wait_ns);
  put_histogram (job, "lock_hold_seconds", "Holds of locks that were measured.",
                 &counters->lock_holds, histogram_sum (&counters->lock_holds));
}

const ExportWay export_prometheus = {
  .needs_state = TRUE,
  .end = end_prometheus,
};
