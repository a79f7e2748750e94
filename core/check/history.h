/* SPDX-License-Identifier: GPL-3.0-or-later */

/* history.h — what the threads of a run called and what they got
 *
 * The operations of a recording as intervals: an operation happened at one
 * instant between began_ns and ended_ns. Both are bounds: a merge may have
 * raised the times in a log; the reader undoes that or widens, never narrows.
 *
 * Threads     A history is built once and then only read.
 */
#pragma once

#include "core/record/tracelog.h"

G_BEGIN_DECLS

#define HISTORY_ERROR (history_error_quark ())
GQuark history_error_quark (void);

typedef enum {
  HISTORY_ERROR_SAMPLED,    /* writes were counted, not told: no verdict */
  HISTORY_ERROR_INCOMPLETE, /* the log has not all events of the run */
  HISTORY_ERROR_MALFORMED,  /* events that no recorder writes */
} HistoryError;

/* It never returned. */
#define HISTORY_NEVER G_MAXINT64

/* One operation on one key; or a Clear, or the call of a Range, without one. */
typedef struct {
  gint64  began_ns;
  gint64  ended_ns; /* HISTORY_NEVER: the run ended first */
  guint64 index;    /* of its OP_BEGAN in the log */
  gint64  key;
  gint64  value;    /* what it stores; the new value of a compare-and-swap */
  gint64  old;      /* what a compare-and-… was given */
  gint64  result;   /* the value it gave back, when is_ok */
  guint16 thread;
  guint8  op;       /* OpKind */
  guint8  is_ok;
} HistoryOp;

/* What a Range gave, in its order. */
typedef struct {
  gint64 key;
  gint64 value;
} HistoryPair;

typedef struct {
  HistoryOp          call;
  gboolean           is_whole; /* it was neither stopped nor cut off */
  gsize              n_pairs;
  const HistoryPair *pairs;
} HistoryRange;

typedef struct _History History;

/* Reads all of @log, which must be finished. Of the operations on single keys
 * only those are kept whose key falls to @part of @n_parts (0 of 1: all), so that
 * a long log can be judged in bounded memory; Ranges and Clears are kept whole,
 * but of a Range only the pairs of these keys. What is only counted (left out,
 * untold) adds up over the parts.
 *
 * A compare-and-… that never returned, whose old value is not known then, is
 * given as the store or delete that it may have been.
 *
 * Returns: (transfer full): NULL with @error set, also when cancelled */
History *history_new_from_log (TraceLog      *log,
                               guint          part,
                               guint          n_parts,
                               GCancellable  *cancellable,
                               GError       **error);
/* Empty, to be filled and sealed. */
History *history_new          (gboolean       begins_empty);
void     history_free         (History       *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (History, history_free)

/* A Clear too. */
void     history_add          (History           *self,
                               const HistoryOp   *op);
/* @pairs: copied. */
void     history_add_range    (History           *self,
                               const HistoryOp   *call,
                               gboolean           is_whole,
                               const HistoryPair *pairs,
                               gsize              n_pairs);
/* Sorts; nothing is added after it, nothing asked before it. */
void     history_seal         (History           *self);

/* Keys that any operation or pair names, ascending. */
gsize               history_n_keys     (const History *self);
gint64              history_key        (const History *self,
                                        gsize          index);
/* The operations on the key of place @index, by began_ns. */
const HistoryOp    *history_ops        (const History *self,
                                        gsize          index,
                                        gsize         *n_ops);
/* All of them, by began_ns. */
const HistoryOp    *history_clears     (const History *self,
                                        gsize         *n_clears);
const HistoryRange *history_ranges     (const History *self,
                                        gsize         *n_ranges);
/* Operations left out: Len, those of views, and those that failed (they changed
 * nothing). */
guint64             history_n_left_out (const History *self);
/* Loads that were counted and not told. */
guint64             history_n_untold   (const History *self);
/* TRUE: the map was empty before the first operation. FALSE: nothing is known. */
gboolean            history_begins_empty (const History *self);

G_END_DECLS
