/* SPDX-License-Identifier: GPL-3.0-or-later */

/* export.h — a recording in the forms that other programs read
 *
 * Each form is a stream of text, written from the first event to the last, so
 * that a recording of any length needs little memory (the history alone is
 * gathered first). Times are those of the log: corrected, never decreasing.
 * Every form says so where it has a place for it.
 *
 * Threads     export_log() blocks; call it from a worker. The log may be in use.
 */
#pragma once

#include "core/record/tracelog-file.h"
#include "core/state/event-query.h"

G_BEGIN_DECLS

typedef enum {
  EXPORT_EVENTS_CSV,    /* every event, one a line; RFC 4180 */
  EXPORT_EVENTS_JSON,   /* the same, one JSON object a line */
  EXPORT_COUNTERS_CSV,  /* what the map counts, at even steps of time */
  EXPORT_COUNTERS_JSON,
  EXPORT_CHANGES,       /* one JSON object for each change of a key, with its
                         * version: a change stream */
  EXPORT_HISTORY,       /* calls and returns, one EDN map a line, as Jepsen's
                         * checkers read them */
  EXPORT_CHROME,        /* Trace Event Format: Perfetto, chrome://tracing */
  EXPORT_OTLP,          /* OpenTelemetry spans, OTLP as JSON lines */
  EXPORT_PROMETHEUS,    /* the counters at one instant, text format 0.0.4 */
  EXPORT_N_FORMATS
} ExportFormat;

/* "events-csv"; stable. */
const char  *export_format_name   (ExportFormat format);
/* Translated: "Events as CSV". */
const char  *export_format_title  (ExportFormat format);
/* "csv": of the file's name, without the dot. */
const char  *export_format_suffix (ExportFormat format);
/* EXPORT_N_FORMATS: there is no such format. */
ExportFormat export_format_find   (const char  *name);

typedef struct {
  ExportFormat format;
  guint64      from;     /* positions as in timeline.h: events from … */
  guint64      to;       /* … to before this one; G_MAXUINT64: all */
  EventQuery  *query;    /* nullable, borrowed: only events that match; events
                          * and changes alone look at it */
  gint64       step_ns;  /* counters: between two rows; 0: a thousand rows */
  gboolean     narrates; /* events: a sentence for each */
} ExportOptions;

/* Errors: of @out; HISTORY_ERROR for a history that was not recorded; cancelled.
 * What was written until then stays in @out. */
gboolean export_log (TraceLog            *log,
                     const ExportOptions *options,
                     GOutputStream       *out,
                     TraceLogProgress     progress,
                     gpointer             data,
                     GCancellable        *cancellable,
                     GError             **error);

/* The same into a file, as file_write_whole() does it. */
gboolean export_log_to_file (TraceLog            *log,
                             const ExportOptions *options,
                             GFile               *file,
                             TraceLogProgress     progress,
                             gpointer             data,
                             GCancellable        *cancellable,
                             GError             **error);

G_END_DECLS
