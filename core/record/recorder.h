/* SPDX-License-Identifier: GPL-3.0-or-later */

/* recorder.h — from the threads' rings to one ordered log
 *
 * A recorder owns a thread that drains the rings of the probes added to it,
 * merges their events by time gated by version (event.h, Order) and appends
 * them to a log. The merge and its argument are told in recorder.c.
 */
#pragma once

#include "core/probe/probe.h"
#include "core/record/tracelog.h"

G_BEGIN_DECLS

typedef struct _Recorder Recorder;

/* The ring size that keeps entry versions unambiguous for @n_threads: all
 * rings and their stages together hold fewer than half of 2^ENTRY_VERSION_BITS
 * events. */
gsize     recorder_ring_units (guint n_threads);

/* @log: a reference is taken. */
Recorder *recorder_new    (TraceLog *log);
/* Before recorder_start(). The probe stays the caller's and must stay valid
 * until recorder_finish() returned. @thread: index in events. */
void      recorder_add    (Recorder *self,
                           Probe    *probe,
                           guint16   thread);
void      recorder_start  (Recorder *self);
/* All probes are flushed and silent: merges what is left, finishes the log and
 * joins the recorder's thread. Returns how many events never met their gate
 * (0 unless an engine has a bug; they are appended in time order all the same
 * and counted). */
guint64   recorder_finish (Recorder *self);
/* TRUE once the log has reached its limit: whoever runs the workload stops it.
 * Any thread. */
gboolean  recorder_is_full (Recorder *self);
void      recorder_free   (Recorder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Recorder, recorder_free)

/* The gate alone, for the recorder and for tests: knows the present version of
 * every domain and entry. */
typedef struct _MergeGate MergeGate;
MergeGate *merge_gate_new    (void);
void       merge_gate_free   (MergeGate   *gate);
gboolean   merge_gate_admits (MergeGate   *gate,
                              const Event *event);
void       merge_gate_pass   (MergeGate   *gate,
                              const Event *event);

G_END_DECLS
