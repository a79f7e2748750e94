/* SPDX-License-Identifier: GPL-3.0-or-later */

/* export-spans.c — what took time, as spans
 *
 * Spans are operations told one by one, Ranges, waits for locks and holds of
 * them. A thread does one thing of each kind at a time, operations inside a
 * Range's callback excepted, so one place per kind and thread is all the memory
 * needed.
 *
 * Chrome      Trace Event Format, JSON object form: B and E for spans, i for landmarks
 *             and for operations told in brief, C for misses against len(dirty) and
 *             for live keys, M for names. ts is microseconds with three digits
 *             behind the point. Many events share a time, as recorders' stamps do;
 *             so a thread's begins and ends come in the order of its events, from
 *             which viewers know what is inside what. Of spans as one X each they
 *             would have to reckon the end, and be wrong by the last digit now and
 *             then. An operation's B waits for its end, to say how it ended; its
 *             E says the same, as some viewers find what ends by name and args.
 *             What ended in a gap is ended there, and said to be not recorded.
 *             Open in ui.perfetto.dev, chrome://tracing or speedscope.
 *
 * OTLP        One ExportTraceServiceRequest a line, at most SPANS_A_LINE spans in
 *             each, written when they end: the form that collectors read from
 *             files. Whole numbers of 64 bits are strings, as the protocol's JSON
 *             has them. The trace's id comes from the run's seed and start, a
 *             span's from the index of the event that began it; operations inside a
 *             Range are its children, locks those of what took them.
 */
#include "core/export/export-private.h"

#include "core/model/narrator.h"
#include "core/workload/scenario.h"

#define SPANS_A_LINE 512u
/* Of the run's own process in a trace. */
#define PID 1

/* What a thread does for a while. */
typedef struct {
  const char  *name;
  const char  *category;
  guint        thread;
  ExportBegin  began;
  gint64       to_ns;
  gboolean     is_op; /* no Range */
  gboolean     has_key;
  gint64       key;
  const Event *end; /* NULL: it is under way, or lost */
  gboolean     is_lost; /* its end is not told */
} Span;

typedef struct {
  void (*began) (ExportJob *job, const Span *span); /* nullable */
  void (*ended) (ExportJob *job, const Span *span);
  void (*lost)  (ExportJob *job, const Span *span); /* nullable; its end */
} SpanWriter;

/* Finding spans ------------------------------------------------------------ */

/* @kind: OpKind. */
static Span
op_span (const ExportLane *lane,
         guint             thread,
         guint             kind) {
  gboolean is_range = kind == OP_RANGE;

  return (Span){ .name = op_kind_name (kind),
                 .category = is_range ? "range" : "operation",
                 .thread = thread,
                 .began = is_range ? lane->range : lane->op,
                 .is_op = !is_range,
                 .has_key = export_op_has_key (kind),
                 .key = lane->key };
}

/* @name: "wait" or "hold". */
static Span
lock_span (const char *name,
           ExportBegin began,
           guint       thread) {
  return (Span){
    .name = name, .category = "lock", .thread = thread, .began = began
  };
}

static void
begin_span (ExportJob        *job,
            const SpanWriter *writer,
            Span              span) {
  if (writer->began != NULL)
    writer->began (job, &span);
}

/* @began: where @span did; nothing is done of one of which that is not known. */
static void
end_span (ExportJob        *job,
          const SpanWriter *writer,
          ExportBegin      *began,
          Span              span,
          const Event      *event) {
  span.to_ns = event->at_ns;
  span.end = event;
  if (began->at_ns >= 0)
    writer->ended (job, &span);
  began->at_ns = -1;
}

/* No later than @event, nobody knows when. */
static void
lose_span (ExportJob        *job,
           const SpanWriter *writer,
           ExportBegin      *began,
           Span              span,
           const Event      *event) {
  span.to_ns = event->at_ns;
  span.is_lost = TRUE;
  if (began->at_ns >= 0 && writer->lost != NULL)
    writer->lost (job, &span);
  began->at_ns = -1;
}

static void
lose_op (ExportJob        *job,
         const SpanWriter *writer,
         ExportLane       *lane,
         const Event      *event) {
  lose_span (job, writer, &lane->op, op_span (lane, event->thread, lane->op_kind),
             event);
}

static void
lose_range (ExportJob        *job,
            const SpanWriter *writer,
            ExportLane       *lane,
            const Event      *event) {
  lose_span (job, writer, &lane->range, op_span (lane, event->thread, OP_RANGE),
             event);
}

static void
lose_lock (ExportJob        *job,
           const SpanWriter *writer,
           const char       *name,
           ExportBegin      *began,
           const Event      *event) {
  lose_span (job, writer, began, lock_span (name, *began, event->thread), event);
}

static void
begin_op (ExportJob        *job,
          const SpanWriter *writer,
          ExportLane       *lane,
          const Event      *event,
          guint64           index) {
  ExportBegin began = { event->at_ns, index };

  if (op_kind_name (event->aux8) == NULL)
    return;
  lose_op (job, writer, lane, event);
  if (event->aux8 == OP_RANGE) {
    lose_range (job, writer, lane, event);
    lane->range = began;
  } else {
    lane->op = began;
    lane->op_kind = event->aux8;
    lane->key = (gint64)event->a;
  }
  begin_span (job, writer, op_span (lane, event->thread, event->aux8));
}

static void
end_op (ExportJob        *job,
        const SpanWriter *writer,
        ExportLane       *lane,
        const Event      *event) {
  gboolean is_range = event->aux8 == OP_RANGE;

  /* What ends began in a gap, or what began ended there. */
  if (is_range || lane->op_kind != event->aux8)
    lose_op (job, writer, lane, event);
  end_span (job, writer, is_range ? &lane->range : &lane->op,
            op_span (lane, event->thread, event->aux8), event);
}

static void
begin_lock (ExportJob        *job,
            const SpanWriter *writer,
            const char       *name,
            ExportBegin      *began,
            const Event      *event,
            guint64           index) {
  *began = (ExportBegin){ event->at_ns, index };
  begin_span (job, writer, lock_span (name, *began, event->thread));
}

static void
end_lock (ExportJob        *job,
          const SpanWriter *writer,
          const char       *name,
          ExportBegin      *began,
          const Event      *event) {
  end_span (job, writer, began, lock_span (name, *began, event->thread), event);
}

static void
follow_spans (ExportJob        *job,
              const SpanWriter *writer,
              const Event      *event,
              guint64           index) {
  ExportLane *lane = export_lane (job, event->thread);
  EventKind kind = (EventKind)event->kind;

  if (kind == EVENT_OP_BEGAN) {
    begin_op (job, writer, lane, event, index);
  } else if (kind == EVENT_OP_ENDED) {
    end_op (job, writer, lane, event);
  } else if (kind == EVENT_LOCK_WAITED) {
    /* A writer that has waited for its turn may wait for readers after that. */
    if (lane->wait.at_ns < 0)
      begin_lock (job, writer, "wait", &lane->wait, event, index);
  } else if (kind == EVENT_LOCK_ACQUIRED || kind == EVENT_LOCK_READ_ACQUIRED) {
    end_lock (job, writer, "wait", &lane->wait, event);
    lose_lock (job, writer, "hold", &lane->hold, event);
    begin_lock (job, writer, "hold", &lane->hold, event, index);
  } else if (kind == EVENT_LOCK_RELEASED || kind == EVENT_LOCK_READ_RELEASED) {
    end_lock (job, writer, "hold", &lane->hold, event);
  } else if (kind == EVENT_DROPPED) {
    /* What ends behind the gap may have begun in it. */
    lose_lock (job, writer, "wait", &lane->wait, event);
    lose_lock (job, writer, "hold", &lane->hold, event);
    lose_op (job, writer, lane, event);
    lose_range (job, writer, lane, event);
  }
}

/* Chrome ------------------------------------------------------------------- */

static void
next_item (ExportJob *job) {
  g_string_append (job->text, job->n_items++ == 0 ? "\n" : ",\n");
}

/* Microseconds; exact. */
static void
put_us (GString *text,
        gint64   ns) {
  g_string_append_printf (text, ",\"ts\":%" G_GINT64_FORMAT ".%03d", ns / 1000,
                          (int)(ns % 1000));
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

/* A line, behind others; @phase: B or E. */
static void
put_edge (ExportJob  *job,
          GString    *text,
          const Span *span,
          char        phase) {
  job->n_items++;
  g_string_append_printf (text,
                          ",\n{\"ph\":\"%c\",\"pid\":%d,\"tid\":%u,\"cat\":\"%s\","
                          "\"name\":\"%s\"",
                          phase, PID, tid_of (span->thread), span->category,
                          span->name);
  put_us (text, phase == 'B' ? span->began.at_ns : span->to_ns);
  g_string_append_printf (text, ",\"args\":{\"event\":%" G_GUINT64_FORMAT,
                          span->began.index);
  if (span->has_key) {
    g_string_append (text, ",\"key\":");
    export_put_key (job, text, span->key);
  }
  if (span->is_op && span->end != NULL)
    g_string_append_printf (text, ",\"ok\":%s,\"path\":%u",
                            (span->end->aux16 & OP_PATH_OK) != 0 ? "true"
                                                                 : "false",
                            span->end->aux16);
  if (span->is_lost)
    g_string_append (text, ",\"end\":\"not recorded\"");
  g_string_append (text, "}}");
}

/* Where a thread's next line goes: an operation's B is to come before. */
static GString *
text_of (ExportJob *job,
         guint      thread) {
  ExportLane *lane = export_lane (job, thread);

  return lane->op.at_ns >= 0 ? lane->inside : job->text;
}

static void
begin_chrome_span (ExportJob  *job,
                   const Span *span) {
  if (!span->is_op)
    put_edge (job, text_of (job, span->thread), span, 'B');
}

/* An operation's B, and what it did. */
static void
put_operation (ExportJob  *job,
               const Span *span) {
  GString *inside = export_lane (job, span->thread)->inside;

  put_edge (job, job->text, span, 'B');
  g_string_append_len (job->text, inside->str, (gssize)inside->len);
  g_string_truncate (inside, 0);
}

/* Or lost. */
static void
end_chrome_span (ExportJob  *job,
                 const Span *span) {
  if (span->is_op) {
    put_operation (job, span);
    put_edge (job, job->text, span, 'E');
  } else {
    put_edge (job, text_of (job, span->thread), span, 'E');
  }
}

static const SpanWriter chrome_spans
    = { begin_chrome_span, end_chrome_span, end_chrome_span };

static void
put_instant (ExportJob   *job,
             const Event *event,
             guint64      index) {
  next_item (job);
  g_string_append_printf (
      job->text,
      "{\"ph\":\"i\",\"s\":\"p\",\"pid\":%d,\"tid\":%u,\"name\":\"%s\"", PID,
      tid_of (event->thread), event_kind_name (event->kind));
  put_us (job->text, event->at_ns);
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
  put_us (job->text, event->at_ns);
  g_string_append_printf (job->text, ",\"args\":{\"event\":%" G_GUINT64_FORMAT,
                          index);
  if (export_op_has_key (event->aux8)) {
    g_string_append (job->text, ",\"key\":");
    export_put_key (job, job->text, event_told_key (event));
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
  put_us (job->text, event->at_ns);
  g_string_append_printf (job->text,
                          ",\"args\":{\"misses\":%" G_GUINT64_FORMAT
                          ",\"len(dirty)\":%" G_GUINT64_FORMAT "}}",
                          map_state_misses (job->state),
                          dirty != NULL ? dirty->count : 0);
  next_item (job);
  g_string_append_printf (
      job->text, "{\"ph\":\"C\",\"pid\":%d,\"name\":\"live keys\"", PID);
  put_us (job->text, event->at_ns);
  g_string_append_printf (job->text, ",\"args\":{\"live\":%" G_GUINT64_FORMAT "}}",
                          map_state_n_live (job->state));
}

/* Counters at landmarks and, between them, at even steps of time. */
static void
chrome_after (ExportJob   *job,
              const Event *event,
              guint64      index) {
  gboolean is_landmark = event_kind_is_structural ((EventKind)event->kind);

  follow_spans (job, &chrome_spans, event, index);
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

/* Operations under way. */
static void
end_chrome (ExportJob *job) {
  GHashTableIter iter;
  gpointer thread, lane;

  g_hash_table_iter_init (&iter, job->lanes);
  while (g_hash_table_iter_next (&iter, &thread, &lane))
    if (((ExportLane *)lane)->op.at_ns >= 0) {
      Span span = op_span (lane, GPOINTER_TO_UINT (thread),
                           ((ExportLane *)lane)->op_kind);

      put_operation (job, &span);
    }
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

/* What the thread was doing when @span began, the innermost; NULL: nothing. */
static const ExportBegin *
parent_of (const ExportLane *lane,
           const Span       *span) {
  if (lane->op.at_ns >= 0 && lane->op.index < span->began.index)
    return &lane->op;
  if (lane->range.at_ns >= 0 && lane->range.index < span->began.index)
    return &lane->range;
  return NULL;
}

static void
put_otlp_span (ExportJob  *job,
               const Span *span) {
  gint64 epoch_ns = job->info->started_at_us * 1000;
  const ExportBegin *parent = parent_of (export_lane (job, span->thread), span);
  gboolean is_lock = span->end->kind != EVENT_OP_ENDED;

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
      span_id (span->began.index, is_lock));
  if (parent != NULL)
    g_string_append_printf (job->text,
                            ",\"parentSpanId\":\"%016" G_GINT64_MODIFIER "x\"",
                            span_id (parent->index, 0));
  g_string_append_printf (job->text,
                          ",\"name\":\"%s\",\"kind\":1,\"startTimeUnixNano\":\"%"
                          G_GINT64_FORMAT "\",\"endTimeUnixNano\":\"%"
                          G_GINT64_FORMAT "\",\"attributes\":[",
                          span->name, epoch_ns + span->began.at_ns,
                          epoch_ns + span->to_ns);
  put_attribute (job->text, "tophash.thread", export_thread_name (span->thread));
  put_number (job->text, "tophash.event", (gint64)span->began.index);
  if (span->has_key) {
    g_autofree char *key = scenario_key_text (job->key_text, span->key);

    g_string_append_c (job->text, ',');
    put_attribute (job->text, "tophash.key", key);
  }
  if (!is_lock)
    put_number (job->text, "tophash.path", span->end->aux16);
  g_string_append (job->text, "],\"status\":{}}");
  if (job->n_items % SPANS_A_LINE == 0)
    g_string_append (job->text, "]}]}]}\n");
}

static const SpanWriter otlp_spans = { .ended = put_otlp_span };

static void
otlp_after (ExportJob   *job,
            const Event *event,
            guint64      index) {
  follow_spans (job, &otlp_spans, event, index);
}

const ExportWay export_otlp = {
  .after = otlp_after,
  .end = close_line,
};
