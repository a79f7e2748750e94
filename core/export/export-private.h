/* SPDX-License-Identifier: GPL-3.0-or-later */

/* export-private.h — one export under way, and the ways to write */
#pragma once

#include "core/export/export.h"
#include "core/state/fold.h"

G_BEGIN_DECLS

typedef struct _ExportJob ExportJob;

/* What a format does with the events of the span asked for. */
typedef struct {
  gboolean needs_state; /* event is called with the folded state beside it */
  void (*begin) (ExportJob *job);
  /* The event @index; job->state is what it met, nullable without
   * needs_state. */
  void (*event) (ExportJob *job, const Event *event, guint64 index);
  /* After the event was folded. */
  void (*after) (ExportJob *job, const Event *event, guint64 index);
  void (*end)   (ExportJob *job);
} ExportWay;

/* Where something began. */
typedef struct {
  gint64  at_ns; /* -1: it is not under way, or nobody knows */
  guint64 index; /* of the event */
} ExportBegin;

/* What a thread is doing, for those who write spans. */
typedef struct {
  ExportBegin op, range, wait, hold; /* of the four it can be in at once */
  guint8      op_kind;
  gint64      key;    /* of op */
  GString    *inside; /* chrome: what the operation under way did so far */
} ExportLane;

struct _ExportJob {
  TraceLog            *log;
  const TraceInfo     *info;
  const ExportOptions *options;
  guint64              from, to;
  char                *key_text;
  char                *key_json; /* the same, escaped for a JSON string */
  Fold                *fold;     /* NULL without needs_state */
  const MapState      *state;    /* the fold's, as it stands */
  GString             *text;     /* not written yet */
  char                *sentence; /* events: of the one under way; nullable */
  QueryWalk           *query;    /* NULL: everything matches */
  gboolean             has_cleared_key; /* changes: of the event under way */
  gint64               cleared_key;
  guint32              cleared_ver;
  GHashTable          *unplaced; /* changes: entries with a value and no slot */
  GArray              *cleared_keys; /* changes: of a shard, under way */
  gint64               step_ns;  /* counters */
  gint64               next_ns;
  GHashTable          *lanes;    /* thread: ExportLane */
  guint64              n_items;  /* written so far */
  gboolean             is_failed;
  GOutputStream       *out;
  GCancellable        *cancellable;
  GError             **error;
};

extern const ExportWay export_events_csv, export_events_json, export_changes,
    export_counters_csv, export_counters_json, export_prometheus, export_chrome,
    export_otlp;

/* Gathers the calls and writes them; FALSE: job->error is set. */
gboolean export_history (ExportJob  *job);

/* Appends @text as a JSON string, quotes included. */
void     export_put_string (GString    *line,
                            const char *text);
/* Appends @key as this recording writes it, as a JSON string. */
void     export_put_key    (ExportJob  *job,
                            GString    *line,
                            gint64      key);
/* Hands what was gathered to the stream, when it is worth it or @must. */
void     export_flush      (ExportJob  *job,
                            gboolean    must);
ExportLane *export_lane    (ExportJob  *job,
                            guint       thread);
static inline gboolean
export_op_has_key (guint op) {
  return op != OP_RANGE && op != OP_CLEAR && op != OP_LEN;
}
/* "W1", "main"; static. */
const char *export_thread_name (guint   thread);

G_END_DECLS
