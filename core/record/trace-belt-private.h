/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-belt-private.h — the blocks of a log on their way to a file
 *
 * Told in trace-belt.c.
 */
#pragma once

#include "core/record/crew.h"
#include "core/record/trace-writer-private.h"

G_BEGIN_DECLS

/* Called by the thread that waits, with the blocks written so far. */
typedef void (*TraceBeltProgress) (guint64  n_blocks,
                                   gpointer data);

/* Writes the first @length events of @log, packed anew. The writer's cancellable is
 * heeded after each few dozen blocks. */
gboolean trace_belt_run (TraceLog         *log,
                         guint64           length,
                         Crew             *crew,
                         TraceWriter      *writer,
                         TraceBeltProgress progress,
                         gpointer          data,
                         GError          **error);

G_END_DECLS
