/* SPDX-License-Identifier: GPL-3.0-or-later */

/* export-spans.c — what took time, as spans
 *
 * Spans are operations told one by one, Ranges, waits for locks and holds of
 * them. A thread does one thing of each kind at a time, operations inside a
 * Range's callback excepted, so one place per kind and thread is all the memory
 * needed; a span is written when it ends.
 *
 * Chrome      Trace Event Format, JSON object form: X for spans, i for landmarks
 *             and for operations told in brief, C for misses against len(dirty) and for live keys, M for names. ts
 *             and dur are microseconds with three digits behind the point. Open
 *             in ui.perfetto.dev or chrome://tracing.
 *
 * OTLP        One ExportTraceServiceRequest a line, at most SPANS_A_LINE spans in
 *             each: the form that collectors read from files. Whole numbers of 64
 *             bits are strings, as the protocol's JSON has them. The trace's id
 *             comes from the run's seed and start, a span's from the index of the
 *             event that began it; operations inside a Range are its children.
 */
#include "core/export/export-private.h"

#include "core/model/narrator.h"
#include "core/workload/scenario.h"

#define SPANS_A_LINE 512u
/* Of the run's own process in a trace. */
#define PID 1

/* A span that has ended. */
typedef struct {
  const char  *name;
  const char  *category;
  guint        thread;
  guint64      index; /* event that began it */
  gint64       from_ns;
  gint64       to_ns;
  gboolean     has_key;
  gint64       key;
  const Event *event; /* that ended it */
} Span;

typedef void (*SpanWriter) (ExportJob *job, const Span *span);

/* Finding spans ------------------------------------------------------------ */

static void
begin_op (ExportLane  *lane,
          const Event *event,
          guint64      index) {
  if (event->aux8 == OP_RANGE) {
    lane->range_began_ns = event->at_ns;
    lane->range_index = index;
    return;
  }
  lane->op_began_ns = event->at_ns;
  lane->op_index = index;
  lane->op = event->aux8;
  lane->key = (gint64)event->a;
}

static void
end_op (ExportJob   *job,
        ExportLane  *lane,
        const Event *event,
        SpanWriter   write) {
  Span span = { .name = op_kind_name (event->aux8),
                .category = "operation",
                .thread = event->thread,
                .index = lane->op_index,
                .from_ns = lane->op_began_ns,
                .to_ns = event->at_ns,
                .has_key = export_op_has_key (event->aux8),
                .key = lane->key,
                .event = event };

  if (event->aux8 == OP_RANGE) {
    span.category = "range";
    span.from_ns = lane->range_began_ns;
    span.index = lane->range_index;
    lane->range_began_ns = -1;
  } else {
    if (lane->op != event->aux8)
      span.from_ns = -1; /* it began in a gap */
    lane->op_began_ns = -1;
  }
  if (span.from_ns >= 0 && span.name != NULL)
    write (job, &span);
}

static void
end_lock (ExportJob   *job,
          const Event *event,
          guint64      index,
          gint64      *began_ns,
          const char  *name,
          SpanWriter   write) {
  Span span = { .name = name,
                .category = "lock",
                .thread = event->thread,
                .index = index,
                .from_ns = *began_ns,
                .to_ns = event->at_ns,
                .event = event };

  if (*began_ns >= 0)
    write (job, &span);
  *began_ns = -1;
}

static void
follow_spans (ExportJob   *job,
              const Event *event,
              guint64      index,
              SpanWriter   write) {
  ExportLane *lane = export_lane (job, event->thread);
  EventKind kind = (EventKind)event->kind;

  if (kind == EVENT_OP_BEGAN) {
    begin_op (lane, event, index);
  } else if (kind == EVENT_OP_ENDED) {
    end_op (job, lane, event, write);
  } else if (kind == EVENT_LOCK_WAITED) {
    lane->wait_began_ns = event->at_ns;
  } else if (kind == EVENT_LOCK_ACQUIRED || kind == EVENT_LOCK_READ_ACQUIRED) {
    end_lock (job, event, index, &lane->wait_began_ns, "wait", write);
    lane->hold_began_ns = event->at_ns;
  } else if (kind == EVENT_LOCK_RELEASED || kind == EVENT_LOCK_READ_RELEASED) {
    end_lock (job, event, index, &lane->hold_began_ns, "hold", write);
  } else if (kind == EVENT_DROPPED) {
    /* What ends behind the gap may have begun in it. */
    lane->op_began_ns = lane->range_began_ns = -1;
    lane->wait_began_ns = lane->hold_began_ns = -1;
  }
}

/* Chrome ------------------------------------------------------------------- */

static void
next_item (ExportJob *job) {
  g_string_append (job->text, job->n_items++ == 0 ? "\n" : ",\n");
}

/* Microseconds; exact. */
static void
put_us (ExportJob  *job,
        const char *name,
        gint64      ns) {
  g_string_append_printf (job->text, ",\"%s\":%" G_GINT64_FORMAT ".%03d", name,
                          ns / 1000, (int)(ns % 1000));
}

static guint
tid_of (guint thread) {
  return thread == EVENT_THREAD_MAIN ? 0 : thread + 1;
}

static void
put_thread_name (ExportJob  *job,
                 guint       thread,
                 const char *role) {
  g_autofree char *name
      = role != NULL
            ? g_strdup_printf ("%s %s", export_thread_name (thread), role)
            : g_strdup (export_thread_name (thread));

  next_item (job);
  g_string_append_printf (job->text,
                          "{\"ph\":\"M\",\"pid\":%d,\"tid\":%u,"
                          "\"name\":\"thread_name\",\"args\":{\"name\":",
                          PID, tid_of (thread));
  export_put_string (job->text, name);
  g_string_append (job->text, "}}");
}

static void
begin_chrome (ExportJob *job) {
  g_string_append (job->text, "{\"displayTimeUnit\":\"ns\",\"otherData\":{"
                              "\"engine\":");
  export_put_string (job->text, job->info->engine);
  g_string_append (job->text, ",\"scenario\":");
  export_put_string (job->text, job->info->scenario_name);
  g_string_append (job->text,
                   ",\"times\":\"corrected to the order of versions\"},"
                   "\"traceEvents\":[");
  next_item (job);
  g_string_append_printf (job->text,
                          "{\"ph\":\"M\",\"pid\":%d,\"name\":\"process_name\","
                          "\"args\":{\"name\":",
                          PID);
  export_put_string (job->text, job->info->engine_title);
  g_string_append (job->text, "}}");
  put_thread_name (job, EVENT_THREAD_MAIN, NULL);
  for (guint i = 0; i < job->info->n_threads; i++)
    put_thread_name (job, i,
                     job->info->thread_roles != NULL ? job->info->thread_roles[i]
                                                     : NULL);
}

static void
put_chrome_span (ExportJob  *job,
                 const Span *span) {
  next_item (job);
  g_string_append_printf (
      job->text, "{\"ph\":\"X\",\"pid\":%d,\"tid\":%u,\"cat\":\"%s\",\"name\":\"%s\"",
      PID, tid_of (span->thread), span->category, span->name);
  put_us (job, "ts", span->from_ns);
  put_us (job, "dur", span->to_ns - span->from_ns);
  g_string_append_printf (job->text, ",\"args\":{\"event\":%" G_GUINT64_FORMAT,
                          span->index);
  if (span->has_key) {
    g_string_append (job->text, ",\"key\":");
    export_put_key (job, span->key);
  }
  if (span->event->kind == EVENT_OP_ENDED)
    g_string_append_printf (job->text, ",\"ok\":%s,\"path\":%u",
                            (span->event->aux16 & OP_PATH_OK) != 0 ? "true"
                                                                   : "false",
                            span->event->aux16);
  g_string_append (job->text, "}}");
}

static void
put_instant (ExportJob   *job,
             const Event *event,
             guint64      index) {
  next_item (job);
  g_string_append_printf (
      job->text,
      "{\"ph\":\"i\",\"s\":\"p\",\"pid\":%d,\"tid\":%u,\"name\":\"%s\"", PID,
      tid_of (event->thread), event_kind_name (event->kind));
  put_us (job, "ts", event->at_ns);
  g_string_append_printf (job->text, ",\"args\":{\"event\":%" G_GUINT64_FORMAT
                                     "}}",
                          index);
}

/* An operation that is over, and of which nobody knows when it began. */
static void
put_told (ExportJob   *job,
          const Event *event,
          guint64      index) {
  next_item (job);
  g_string_append_printf (
      job->text,
      "{\"ph\":\"i\",\"s\":\"t\",\"pid\":%d,\"tid\":%u,\"cat\":\"operation\","
      "\"name\":\"%s\"",
      PID, tid_of (event->thread), op_kind_name (event->aux8));
  put_us (job, "ts", event->at_ns);
  g_string_append_printf (job->text, ",\"args\":{\"event\":%" G_GUINT64_FORMAT,
                          index);
  if (export_op_has_key (event->aux8)) {
    g_string_append (job->text, ",\"key\":");
    export_put_key (job, event_told_key (event));
  }
  g_string_append_printf (job->text, ",\"ok\":%s,\"path\":%u}}",
                          (event->aux16 & OP_PATH_OK) != 0 ? "true" : "false",
                          event->aux16);
}

static void
put_counters (ExportJob   *job,
              const Event *event) {
  const StateTable *dirty = map_state_table_for (job->state, TABLE_ROLE_DIRTY);

  next_item (job);
  g_string_append_printf (
      job->text, "{\"ph\":\"C\",\"pid\":%d,\"name\":\"misses\"", PID);
  put_us (job, "ts", event->at_ns);
  g_string_append_printf (job->text,
                          ",\"args\":{\"misses\":%" G_GUINT64_FORMAT
                          ",\"len(dirty)\":%" G_GUINT64_FORMAT "}}",
                          map_state_misses (job->state),
                          dirty != NULL ? dirty->count : 0);
  next_item (job);
  g_string_append_printf (
      job->text, "{\"ph\":\"C\",\"pid\":%d,\"name\":\"live keys\"", PID);
  put_us (job, "ts", event->at_ns);
  g_string_append_printf (job->text, ",\"args\":{\"live\":%" G_GUINT64_FORMAT "}}",
                          map_state_n_live (job->state));
}

/* Counters at landmarks and, between them, at even steps of time. */
static void
chrome_after (ExportJob   *job,
              const Event *event,
              guint64      index) {
  gboolean is_landmark = event_kind_is_structural ((EventKind)event->kind);

  follow_spans (job, event, index, put_chrome_span);
  if (is_landmark)
    put_instant (job, event, index);
  else if (event->kind == EVENT_OP_TOLD && op_kind_name (event->aux8) != NULL)
    put_told (job, event, index);
  if (is_landmark || event->at_ns >= job->next_ns) {
    put_counters (job, event);
    job->next_ns = event->at_ns + MAX (1000, tracelog_time_at (job->log, job->to)
                                                 / 2000);
  }
}

static void
end_chrome (ExportJob *job) {
  g_string_append (job->text, "\n]}\n");
}

const ExportWay export_chrome = {
  .needs_state = TRUE,
  .begin = begin_chrome,
  .after = chrome_after,
  .end = end_chrome,
};

/* OTLP --------------------------------------------------------------------- */

static void
put_attribute (GString    *line,
               const char *name,
               const char *value) {
  g_string_append_printf (line, "{\"key\":\"%s\",\"value\":{\"stringValue\":",
                          name);
  export_put_string (line, value);
  g_string_append (line, "}}");
}

static void
put_number (GString    *line,
            const char *name,
            gint64      value) {
  g_string_append_printf (
      line, ",{\"key\":\"%s\",\"value\":{\"intValue\":\"%" G_GINT64_FORMAT "\"}}",
      name, value);
}

static void
open_line (ExportJob *job) {
  g_string_append (job->text, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
  put_attribute (job->text, "service.name", "tophash");
  g_string_append_c (job->text, ',');
  put_attribute (job->text, "tophash.engine", job->info->engine);
  g_string_append_c (job->text, ',');
  put_attribute (job->text, "tophash.scenario", job->info->scenario_name);
  g_string_append (job->text,
                   "]},\"scopeSpans\":[{\"scope\":{\"name\":\"tophash\","
                   "\"version\":");
  export_put_string (job->text, job->info->version);
  g_string_append (job->text, "},\"spans\":[");
}

static void
close_line (ExportJob *job) {
  if (job->n_items % SPANS_A_LINE != 0)
    g_string_append (job->text, "]}]}]}\n");
}

/* A span's id: the event that began it, counted from one, and what it is. */
static guint64
span_id (guint64 index,
         guint   what) {
  return (index + 1) << 2 | what;
}

static void
put_otlp_span (ExportJob  *job,
               const Span *span) {
  gint64 epoch_ns = job->info->started_at_us * 1000;
  const ExportLane *lane = export_lane (job, span->thread);
  gboolean is_lock = span->event->kind != EVENT_OP_ENDED;

  if (job->n_items % SPANS_A_LINE == 0)
    open_line (job);
  else
    g_string_append_c (job->text, ',');
  job->n_items++;
  g_string_append_printf (
      job->text,
      "{\"traceId\":\"%016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER
      "x\",\"spanId\":\"%016" G_GINT64_MODIFIER "x\"",
      job->info->seed, (guint64)job->info->started_at_us | 1,
      span_id (span->index, is_lock ? 1 : 0));
  if (lane->range_began_ns >= 0)
    g_string_append_printf (job->text,
                            ",\"parentSpanId\":\"%016" G_GINT64_MODIFIER "x\"",
                            span_id (lane->range_index, 0));
  g_string_append_printf (job->text,
                          ",\"name\":\"%s\",\"kind\":1,\"startTimeUnixNano\":\"%"
                          G_GINT64_FORMAT "\",\"endTimeUnixNano\":\"%"
                          G_GINT64_FORMAT "\",\"attributes\":[",
                          span->name, epoch_ns + span->from_ns,
                          epoch_ns + span->to_ns);
  put_attribute (job->text, "tophash.thread", export_thread_name (span->thread));
  put_number (job->text, "tophash.event", (gint64)span->index);
  if (span->has_key) {
    g_autofree char *key = scenario_key_text (job->key_text, span->key);

    g_string_append_c (job->text, ',');
    put_attribute (job->text, "tophash.key", key);
  }
  if (!is_lock)
    put_number (job->text, "tophash.path", span->event->aux16);
  g_string_append (job->text, "],\"status\":{}}");
  if (job->n_items % SPANS_A_LINE == 0)
    g_string_append (job->text, "]}]}]}\n");
}

static void
otlp_after (ExportJob   *job,
            const Event *event,
            guint64      index) {
  follow_spans (job, event, index, put_otlp_span);
}

const ExportWay export_otlp = {
  .after = otlp_after,
  .end = close_line,
};
