/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog.h — every event of a run, in one order, addressable by index
 *
 * One writer (the recorder, or a file being opened) appends; any number of
 * threads read what is published. An event's index is its place in the one
 * merged order and never changes.
 *
 * Ownership: reference-counted; blocks are references of their own and outlive
 * the log. Threads: everything here may be called from any thread, except the
 * functions marked Writer.
 */
#pragma once

#include "core/probe/event.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _TraceLog TraceLog;

#define TRACE_BLOCK_EVENTS 4096u

/* Up to TRACE_BLOCK_EVENTS decoded events, immutable once published. */
typedef struct {
  guint64      first;    /* index of events[0] */
  guint        n_events; /* those published when the block was taken */
  const Event *events;
  gpointer     owner;    /* private */
} TraceBlock;

/* Facts about a run that are not events. All strings are owned by the info. */
typedef struct {
  char   *engine;         /* "syncmap" */
  char   *engine_title;   /* "sync.Map ≤ Go 1.23" */
  char   *scenario_name;  /* "first-promotion" */
  char   *scenario_title; /* "First promotion" */
  char   *scenario_json;  /* the scenario as it was run */
  guint64 seed;
  gint64  started_at_us;  /* wall clock, microseconds since 1970 */
  guint   n_threads;
  char  **thread_roles;   /* NULL-terminated, n_threads of them */
  char  **phase_names;    /* NULL-terminated */
  char   *machine;        /* "2 cores, x86_64, Linux 6.1" */
  char   *version;        /* of Tophash */
} TraceInfo;

TraceInfo *trace_info_new  (void);
TraceInfo *trace_info_copy (const TraceInfo *info);
void       trace_info_free (TraceInfo       *info);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TraceInfo, trace_info_free)

/* What recording cost the run. */
typedef struct {
  guint64 n_events;
  guint64 n_dropped;     /* always 0 unless the run asked for dropping */
  guint64 n_stalls;      /* times a worker waited for the recorder */
  gint64  stalled_ns;
  guint64 bytes;         /* packed, in memory or in a file */
  gint64  duration_ns;   /* time of the last event */
  gboolean is_complete;  /* the run ended and all its events are here */
  gboolean was_limited;  /* ended because the log reached its limit */
  double   blind_ns;     /* an operation of this workload without recording … */
  double   recorded_ns;  /* … and with it; 0: not measured */
  gboolean lacks_raises; /* from an old file: operations do not tell by how much
                          * their times were raised */
} TraceHonesty;

/* What one worker waited for the recorder. */
typedef struct {
  guint   thread; /* as in events: EVENT_THREAD_MAIN is none of the workers */
  guint64 n_stalls;
  gint64  stalled_ns;
} TraceWait;

/* @info: copied. @limit_bytes: of compressed blocks in memory; 0 = 256 MiB. What
 * is beyond it goes to a temporary file. */
TraceLog  *tracelog_new            (const TraceInfo *info,
                                    gsize            limit_bytes);
TraceLog  *tracelog_ref            (TraceLog        *self);
void       tracelog_unref          (TraceLog        *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TraceLog, tracelog_unref)

/* Before the first event: what the log may take on disk beside its memory. 0: no
 * temporary file. G_MAXUINT64, the default: a temporary file of up to 16 GiB and
 * half of what is free, a file that was asked for without a bound. */
void       tracelog_set_disk_bound (TraceLog        *self,
                                    guint64          bytes);
/* Before the first event: the log is written into @file while it is recorded.
 * The file takes its name at once and is whole at least once a second: whatever
 * happens to this program, it holds what was written. tracelog_finish() ends it.
 * Packed with LZ4; tracelog_save() over it afterwards makes it smaller. Errors: also
 * G_IO_ERROR_BUSY: another log is being recorded into the file of this name. */
gboolean   tracelog_record_to      (TraceLog        *self,
                                    GFile           *file,
                                    GError         **error);
/* (transfer full, nullable): why the limit was reached: a bound, or what went
 * wrong with the disk; NULL: it was not. */
char      *tracelog_dup_limit_reason (TraceLog      *self);

const TraceInfo *tracelog_get_info (TraceLog        *self);
void       tracelog_get_honesty    (TraceLog        *self,
                                    TraceHonesty    *honesty);
/* The honesty's figure, and whether a log that is finished is neither complete nor was
 * ended at its limit. No lock: a window asks with every change. */
guint64    tracelog_get_n_dropped  (TraceLog        *self);
gboolean   tracelog_is_part        (TraceLog        *self);
/* (transfer full, nullable): of TraceWait, by thread: those that waited. NULL:
 * not known, in a recording from before they were told by worker. */
GArray    *tracelog_dup_waits      (TraceLog        *self);

/* Writer. Events get their place; at_ns is raised to the previous event's if it
 * is earlier (or to 0); an operation's begin and end keep by how much. They are
 * published by tracelog_publish() or when a block fills. Returns FALSE when the limit
 * is reached, in memory and on disk: the event was still taken. */
gboolean   tracelog_append         (TraceLog        *self,
                                    const Event     *event);
void       tracelog_publish        (TraceLog        *self);
/* Writer: a worker waited so often and so long, since this was last told. The
 * sums in TraceHonesty grow with it. */
void       tracelog_add_waits      (TraceLog        *self,
                                    guint            thread,
                                    guint64          n_stalls,
                                    gint64           stalled_ns);
/* Writer: events that were told and are not here: see EVENT_DROPPED. */
void       tracelog_set_dropped    (TraceLog        *self,
                                    guint64          n_dropped);
/* Any thread: what an operation of this workload costs, per operation and thread,
 * as honesty_measure() found. */
void       tracelog_set_cost       (TraceLog        *self,
                                    double           blind_ns,
                                    double           recorded_ns);
/* Writer: nothing will be appended any more. */
void       tracelog_finish         (TraceLog        *self,
                                    gboolean         was_limited);

/* Published events; grows while a run is recorded. It shrinks once at most for
 * each damaged block that is met: the log then ends before it (L5). */
guint64    tracelog_get_length     (TraceLog        *self);
gboolean   tracelog_is_finished    (TraceLog        *self);

/* (transfer full, nullable): the sentence on the block that proved damaged when
 * it was read: file, offset, what was wanted and found. NULL: none did. */
char      *tracelog_dup_damage     (TraceLog        *self);

/* (transfer full): the block with the event @index, decoded; NULL when @index
 * is not published, or its block proves damaged: then it is no longer. Decoded
 * blocks are cached. */
TraceBlock *tracelog_ref_block     (TraceLog        *self,
                                    guint64          index);
void       trace_block_unref       (TraceBlock      *block);
/* (transfer full): the same by a reader that goes on and will not come back: its
 * memory, still near, serves the next block, and those that others come back to stay
 * cached. */
void       tracelog_pass_block     (TraceLog        *self,
                                    TraceBlock      *block);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TraceBlock, trace_block_unref)

/* FALSE when @index is not published. */
gboolean   tracelog_get_event      (TraceLog        *self,
                                    guint64          index,
                                    Event           *event);
/* The same without unpacking a block: FALSE when that one is not in memory unpacked, or
 * @index is not published. */
gboolean   tracelog_peek_event     (TraceLog        *self,
                                    guint64          index,
                                    Event           *event);
/* Whether the events from @first on, before @end, are in memory unpacked. */
gboolean   tracelog_is_at_hand     (TraceLog        *self,
                                    guint64          first,
                                    guint64          end);
/* Time of the event @index, clamped to the log; 0 for an empty log. */
gint64     tracelog_time_at        (TraceLog        *self,
                                    guint64          index);
/* How many events have at_ns <= @at_ns. O(log n). */
guint64    tracelog_index_at       (TraceLog        *self,
                                    gint64           at_ns);
/* The same without unpacking a block; FALSE: *@index is a guess, at most a block away. */
gboolean   tracelog_guess_index_at (TraceLog        *self,
                                    gint64           at_ns,
                                    guint64         *index);

G_END_DECLS
