/* SPDX-License-Identifier: GPL-3.0-or-later */

/* log-ahead.h — a log read onwards, its blocks unpacked by two threads
 *
 * For whoever folds far. How the work is shared is told in log-ahead.c.
 *
 * Threads: one at a time.
 */
#pragma once

#include "core/record/tracelog.h"

G_BEGIN_DECLS

typedef struct _LogAhead LogAhead;

typedef enum {
  LOG_AHEAD_ALONE,   /* no other thread */
  LOG_AHEAD_AT_ONCE, /* somebody waits for what is read */
  LOG_AHEAD_BEHIND,  /* nobody does: helped where nothing else wants a processor */
} LogAheadHelp;

/* Reads the events [@from, @end) of @log, which is referenced. */
LogAhead         *log_ahead_new   (TraceLog    *log,
                                   guint64      from,
                                   guint64      end,
                                   LogAheadHelp help);
/* Nothing is unpacked any more. NULL is allowed. */
void              log_ahead_free  (LogAhead    *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LogAhead, log_ahead_free)

/* Has the first blocks unpacked; log_ahead_get() also does. */
void              log_ahead_begin (LogAhead    *self);
/* (transfer none): the block with the event @index, which is not before any that
 * was asked for; NULL as of tracelog_ref_block(). Valid until the next call. */
const TraceBlock *log_ahead_get   (LogAhead    *self,
                                   guint64      index);

G_END_DECLS
