/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-private.h — what the file needs of the log beyond its contract */
#pragma once

#include "core/record/trace-block-private.h"

G_BEGIN_DECLS

/* A full block as it is stored; FALSE when block @number is not full yet. The
 * data stays the log's and valid while the log is referenced. */
gboolean tracelog_get_packed  (TraceLog            *self,
                               guint64              number,
                               PackedBlock         *block);
/* Writer, between whole blocks: takes a full, checked block and its data. Not
 * published yet. */
void     tracelog_add_packed  (TraceLog            *self,
                               const PackedBlock   *block);
/* Writer: finishes a log that was opened; n_events, bytes and duration stay
 * the log's own. */
void     tracelog_restore     (TraceLog            *self,
                               const TraceHonesty  *honesty);

/* Facts of a run as JSON, and back. @kinds: 128, filled with this program's
 * kind for each kind number of the file, 0 for unknown ones. */
char      *trace_info_to_json   (const TraceInfo *info);
TraceInfo *trace_info_from_json (const char      *json,
                                 gsize            length,
                                 guint8          *kinds,
                                 GError         **error);

G_END_DECLS
