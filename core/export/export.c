/* SPDX-License-Identifier: GPL-3.0-or-later */

/* export.c — the walk over the events, and what all forms share
 *
 * A form that needs the map's state gets it folded along, from the log's start
 * whatever span is asked for. Text is gathered and handed to the stream in pieces
 * of 64 KiB; between them cancelling and progress are looked at.
 */
#include "core/export/export-private.h"

#include "core/record/file-place.h"
#include "core/workload/scenario.h"

#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>

#define PIECE_BYTES 65536u

static const struct {
  const char      *name;
  const char      *title;
  const char      *suffix;
  const ExportWay *way; /* NULL: the history */
} formats[EXPORT_N_FORMATS] = {
  [EXPORT_EVENTS_CSV]
  = { "events-csv", N_("Events as CSV"), "csv", &export_events_csv },
  [EXPORT_EVENTS_JSON]
  = { "events-json", N_("Events as JSON lines"), "ndjson", &export_events_json },
  [EXPORT_COUNTERS_CSV]
  = { "counters-csv", N_("Counters as CSV"), "csv", &export_counters_csv },
  [EXPORT_COUNTERS_JSON] = { "counters-json", N_("Counters as JSON lines"),
                             "ndjson", &export_counters_json },
  [EXPORT_CHANGES]
  = { "changes", N_("Changes of keys as JSON lines"), "ndjson", &export_changes },
  [EXPORT_HISTORY]
  = { "history", N_("Calls and returns for Jepsen’s checkers"), "edn", NULL },
  [EXPORT_CHROME]
  = { "chrome", N_("Trace for Perfetto and Chrome"), "json", &export_chrome },
  [EXPORT_OTLP]
  = { "otlp", N_("OpenTelemetry spans"), "jsonl", &export_otlp },
  [EXPORT_PROMETHEUS]
  = { "prometheus", N_("Counters for Prometheus"), "prom", &export_prometheus },
};

const char *
export_format_name (ExportFormat format) {
  g_return_val_if_fail (format < EXPORT_N_FORMATS, NULL);
  return formats[format].name;
}

const char *
export_format_title (ExportFormat format) {
  g_return_val_if_fail (format < EXPORT_N_FORMATS, NULL);
  return _ (formats[format].title);
}

const char *
export_format_suffix (ExportFormat format) {
  g_return_val_if_fail (format < EXPORT_N_FORMATS, NULL);
  return formats[format].suffix;
}

ExportFormat
export_format_find (const char *name) {
  guint format = 0;

  while (format < EXPORT_N_FORMATS && g_strcmp0 (formats[format].name, name) != 0)
    format++;
  return (ExportFormat)format;
}

/* Text --------------------------------------------------------------------- */

void
export_put_string (GString    *line,
                   const char *text) {
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_VALUE);
  g_autofree char *quoted = NULL;

  json_node_set_string (node, text != NULL ? text : "");
  quoted = json_to_string (node, FALSE);
  g_string_append (line, quoted);
}

void
export_put_key (ExportJob *job,
                GString   *line,
                gint64     key) {
  g_autofree char *text = scenario_key_text (job->key_json, key);

  g_string_append (line, text);
}

void
export_flush (ExportJob *job,
              gboolean   must) {
  if (job->is_failed) {
    g_string_truncate (job->text, 0);
    return;
  }
  if (job->text->len < PIECE_BYTES && !must)
    return;
  job->is_failed = !g_output_stream_write_all (job->out, job->text->str,
                                               job->text->len, NULL,
                                               job->cancellable, job->error);
  g_string_truncate (job->text, 0);
}

static void
free_lane (gpointer data) {
  ExportLane *lane = data;

  g_string_free (lane->inside, TRUE);
  g_free (lane);
}

ExportLane *
export_lane (ExportJob *job,
             guint      thread) {
  ExportLane *lane = g_hash_table_lookup (job->lanes, GUINT_TO_POINTER (thread));

  if (lane == NULL) {
    lane = g_new0 (ExportLane, 1);
    lane->op.at_ns = lane->range.at_ns = -1;
    lane->wait.at_ns = lane->hold.at_ns = -1;
    lane->inside = g_string_new (NULL);
    g_hash_table_insert (job->lanes, GUINT_TO_POINTER (thread), lane);
  }
  return lane;
}

const char *
export_thread_name (guint thread) {
  static _Thread_local char name[16];

  if (thread == EVENT_THREAD_MAIN)
    return "main";
  g_snprintf (name, sizeof name, "W%u", thread + 1);
  return name;
}

/* The walk ----------------------------------------------------------------- */

/* Events on their way through a job. */
typedef struct {
  ExportJob       *job;
  const ExportWay *way;
  guint64          index;  /* of the next event */
  const Event     *former; /* asked for, folded, and not told of since */
} ExportVisit;

static void
end_former (ExportVisit *visit) {
  if (visit->former == NULL || visit->job->is_failed)
    return;
  if (visit->way->after != NULL)
    visit->way->after (visit->job, visit->former, visit->index - 1);
  export_flush (visit->job, FALSE);
}

/* The state @event meets is the one that the event before it left. */
static void
visit_event (const Event    *event,
             const MapState *before,
             gpointer        data) {
  ExportVisit *visit = data;
  ExportJob *job = visit->job;

  end_former (visit);
  visit->former = visit->index >= job->from ? event : NULL;
  if (visit->former != NULL && !job->is_failed && visit->way->event != NULL)
    visit->way->event (job, event, visit->index);
  visit->index++;
}

/* Goes through the events of @block from @index on; returns the next index. */
static guint64
walk_block (ExportJob        *job,
            const ExportWay  *way,
            const TraceBlock *block,
            guint64           index) {
  const Event *events = block->events + (index - block->first);
  guint n = (guint)(MIN (job->to, block->first + block->n_events) - index);
  ExportVisit visit = { .job = job, .way = way, .index = index };

  if (job->fold != NULL)
    fold_visit_many (job->fold, events, n, visit_event, &visit);
  for (guint i = 0; job->fold == NULL && i < n && !job->is_failed; i++)
    visit_event (&events[i], NULL, &visit);
  end_former (&visit);
  return visit.index;
}

static void
walk (ExportJob       *job,
      const ExportWay *way,
      TraceLogProgress progress,
      gpointer         data) {
  guint64 index = job->fold != NULL ? 0 : job->from;

  while (index < job->to && !job->is_failed) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (job->log, index);

    if (block == NULL)
      break;
    if (g_cancellable_set_error_if_cancelled (job->cancellable, job->error)) {
      job->is_failed = TRUE;
      break;
    }
    index = walk_block (job, way, block, index);
    if (progress != NULL)
      progress ((double)index / (double)job->to, data);
  }
}

static void
take_key_text (ExportJob *job) {
  g_autoptr (Scenario) scenario = NULL;
  g_autoptr (GString) quoted = g_string_new (NULL);

  if (job->info->scenario_json != NULL)
    scenario = scenario_new_from_json (job->info->scenario_json, -1,
                                       job->info->scenario_name, NULL);
  job->key_text = g_strdup (scenario != NULL && scenario->key_text != NULL
                                ? scenario->key_text
                                : "k%d");
  export_put_string (quoted, job->key_text);
  job->key_json = g_string_free (g_steal_pointer (&quoted), FALSE);
}

static void
job_clear (ExportJob *job) {
  g_free (job->key_text);
  g_free (job->key_json);
  g_clear_pointer (&job->fold, fold_free);
  g_string_free (job->text, TRUE);
  g_hash_table_unref (job->lanes);
  g_hash_table_unref (job->unplaced);
  g_array_unref (job->cleared_keys);
  g_free (job->sentence);
  g_clear_pointer (&job->query, query_walk_free);
}

gboolean
export_log (TraceLog            *log,
            const ExportOptions *options,
            GOutputStream       *out,
            TraceLogProgress     progress,
            gpointer             data,
            GCancellable        *cancellable,
            GError             **error) {
  guint64 length = tracelog_get_length (log);
  ExportJob job = { .log = log,
                    .info = tracelog_get_info (log),
                    .options = options,
                    .from = MIN (options->from, length),
                    .to = MIN (options->to, length),
                    .text = g_string_new (NULL),
                    .lanes = g_hash_table_new_full (NULL, NULL, NULL, free_lane),
                    .unplaced = g_hash_table_new (NULL, NULL),
                    .cleared_keys = g_array_new (FALSE, FALSE, sizeof (gint64)),
                    .out = out,
                    .cancellable = cancellable,
                    .error = error };
  const ExportWay *way;

  g_return_val_if_fail (options->format < EXPORT_N_FORMATS, FALSE);
  way = formats[options->format].way;
  take_key_text (&job);
  if (way == NULL) {
    job.is_failed = !export_history (&job);
  } else {
    if (way->needs_state || options->narrates || options->query != NULL) {
      job.fold = fold_new ();
      job.state = fold_peek_state (job.fold);
    }
    if (options->query != NULL)
      job.query = query_walk_new (options->query);
    if (way->begin != NULL)
      way->begin (&job);
    walk (&job, way, progress, data);
    if (way->end != NULL && !job.is_failed)
      way->end (&job);
  }
  export_flush (&job, TRUE);
  job_clear (&job);
  return !job.is_failed;
}

/* What export_log() is to be given. */
typedef struct {
  TraceLog            *log;
  const ExportOptions *options;
  TraceLogProgress     progress;
  gpointer             data;
  GCancellable        *cancellable;
} FileExport;

static gboolean
export_cb (GOutputStream *out,
           gpointer       data,
           GError       **error) {
  const FileExport *job = data;

  return export_log (job->log, job->options, out, job->progress, job->data,
                     job->cancellable, error);
}

gboolean
export_log_to_file (TraceLog            *log,
                    const ExportOptions *options,
                    GFile               *file,
                    TraceLogProgress     progress,
                    gpointer             data,
                    GCancellable        *cancellable,
                    GError             **error) {
  FileExport job = { log, options, progress, data, cancellable };

  return file_write_whole (file, export_cb, &job, cancellable, error);
}
