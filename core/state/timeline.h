/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline.h — a log, addressable by event and by time
 *
 * A timeline follows a log with a thread of its own: it folds every published
 * event once, keeps states along the way (key-frames), and sums what the views
 * draw: density, lanes, landmarks, counter series. For a finished log the
 * thread ends by itself: a paused window costs nothing.
 *
 * Threads: functions marked Any may be called from any thread and never block
 * for long; results are copies or references. States are addressed by a count
 * of events: position n is the state after the first n events, 0 is the start.
 */
#pragma once

#include "core/record/tracelog.h"
#include "core/state/map-state.h"

G_BEGIN_DECLS

typedef struct _Timeline Timeline;

/* @log: a reference is taken. Starts following at once. */
Timeline *timeline_new         (TraceLog *log);
Timeline *timeline_ref         (Timeline *self);
void      timeline_unref       (Timeline *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Timeline, timeline_unref)

TraceLog *timeline_get_log     (Timeline *self);
/* Any. Events folded so far; the log's length once it has caught up. */
guint64   timeline_get_length  (Timeline *self);
gint64    timeline_get_duration_ns (Timeline *self);
/* Any. TRUE when the log is finished and all of it is folded. */
gboolean  timeline_is_complete (Timeline *self);
/* Blocks until timeline_is_complete(): command line and tests. */
void      timeline_wait        (Timeline *self);
/* Blocks until the key-frames also are as near as seeks want them: benchmarks. */
void      timeline_wait_settled (Timeline *self);
/* Any. (transfer full): the newest folded state. */
MapState *timeline_ref_head    (Timeline *self);
/* Any. Faults met while folding; @first (nullable, transfer full). */
guint64   timeline_get_n_faults (Timeline *self,
                                 char    **first);

/* Any. A state that the recording brings: @frames, of GBytes, are those of
 * map_state_serialise() after @n_events events. A seek may start from it, and go
 * beyond what is folded so far, to anywhere in the log. Frames that are damaged
 * do no harm but for the time it takes to find out. */
void      timeline_add_keyframe (Timeline     *self,
                                 guint64       n_events,
                                 GPtrArray    *frames);
/* Any. (transfer full): the state after @n_events (clamped to the length, or to
 * the log's where the recording brought states).
 * Cost: restoring a key-frame and folding on from it, some milliseconds. */
MapState *timeline_seek        (Timeline     *self,
                                guint64       n_events,
                                GCancellable *cancellable);
/* Any. The position that a seek to @n_events goes to: see above. */
guint64   timeline_clamp       (Timeline     *self,
                                guint64       n_events);
/* Any. Puts states into the log, one about every @every events (see
 * TRACE_KEYFRAME_EVENTS), where it has none near: they are saved with it, and a
 * timeline over the opened file starts from them.
 * Cost: packing them; in a worker. */
void      timeline_put_keyframes (Timeline     *self,
                                  guint64       every,
                                  GCancellable *cancellable);
/* What timeline_seek (@n_events) takes. */
typedef enum {
  REACH_FAR,
  REACH_NEAR,    /* about a millisecond: a state is in memory near there, or nearly
                  * nothing happened before; but blocks are to be read and unpacked,
                  * in memory that may be new */
  REACH_AT_HAND, /* near, and no block is to be unpacked */
} TimelineReach;

/* Any. The window seeks at once what is at hand, and in a task otherwise. */
TimelineReach timeline_reach   (Timeline     *self,
                                guint64       n_events);
gboolean  timeline_is_near     (Timeline     *self,
                                guint64       n_events);

/* A set of event kinds, bit per EventKind. */
typedef guint64 EventKinds;
#define EVENT_KIND_BIT(kind) ((EventKinds)1 << (kind))
EventKinds event_kinds_structural (void);
EventKinds event_kinds_of_key     (void); /* those that name a key or entry */

/* Any. The position just after the first event of @kinds at or after index
 * @from (forward), or the last one before index @from (backward), so that a
 * cursor placed there shows that event as done. @thread: -1 = every thread.
 * G_MAXUINT64: none. Reads the log; may be slow for rare kinds: cancellable. */
guint64   timeline_find        (Timeline     *self,
                                guint64       from,
                                gboolean      forward,
                                EventKinds    kinds,
                                int           thread,
                                GCancellable *cancellable);

/* Any. Events per bin between two times. */
void      timeline_get_density (Timeline *self,
                                gint64    from_ns,
                                gint64    to_ns,
                                guint     n_bins,
                                guint32  *counts);

/* What a lane shows in one bin: how much of each. */
typedef struct {
  guint32 n_loads;   /* load, len */
  guint32 n_stores;  /* store, swap, load-or-store, compare-and-swap */
  guint32 n_deletes; /* delete, load-and-delete, compare-and-delete, clear */
  guint32 n_ranges;  /* buckets walked; of a Range whose walk is not told, as
                      * many as its keys would fill, at its end */
  gint64  wait_ns;   /* for locks */
  gint64  hold_ns;   /* of locks */
} LaneBin;

/* Any. */
void      timeline_get_lane    (Timeline *self,
                                guint     thread,
                                gint64    from_ns,
                                gint64    to_ns,
                                guint     n_bins,
                                LaneBin  *bins);

typedef enum {
  SPAN_OP,
  SPAN_WAIT,
  SPAN_HOLD,
  SPAN_RANGE,
  SPAN_SNAPSHOT, /* open, whatever its thread does meanwhile */
} SpanKind;

typedef struct {
  SpanKind kind;
  OpKind   op;
  guint16  thread;
  guint32  id;        /* iterator, lock */
  gint64   key;
  guint    path;
  gint64   from_ns;
  gint64   to_ns;     /* G_MAXINT64: still open */
  guint64  index;     /* event that began it */
} LaneSpan; /* an operation told in brief: from_ns == to_ns */

/* Any. Spans of @thread that touch the times, in order, at most @max of them;
 * FALSE when there are more (draw the bins instead). Append to @spans. */
gboolean  timeline_get_spans   (Timeline *self,
                                guint     thread,
                                gint64    from_ns,
                                gint64    to_ns,
                                guint     max,
                                GArray   *spans);

/* A structural event. */
typedef struct {
  guint64   index;
  gint64    at_ns;
  EventKind kind;
  guint16   thread;
  guint64   number; /* promotion 3; copy of 22; growth to 2^number; … */
  gboolean  flag;   /* growth: same size */
} Landmark;

/* Any. Landmarks in [from_ns, to_ns), at least @apart_ns from each other (a
 * rarer kind wins over a more common one), at most @max. Appends. */
void      timeline_get_landmarks (Timeline *self,
                                  gint64    from_ns,
                                  gint64    to_ns,
                                  gint64    apart_ns,
                                  guint     max,
                                  GArray   *landmarks);
/* Any. The position just after the first landmark at or after index @from (forward)
 * or the last one before it; G_MAXUINT64: none. FALSE: not known, since there are too
 * many or they are not folded yet; timeline_find() reads the log for it. */
gboolean  timeline_find_landmark (Timeline *self,
                                  guint64   from,
                                  gboolean  forward,
                                  guint64  *position);

typedef enum {
  SERIES_HIT_RATE,     /* 0 to 1: read hits of loads in the bin */
  SERIES_MISSES,       /* misses counter */
  SERIES_DIRTY_LEN,    /* its threshold */
  SERIES_LIVE,         /* live keys */
  SERIES_HELD,         /* keys held in read (deleted ones included), in the one
                        * table, or in all shards */
  SERIES_LOAD_FACTOR,  /* keys per bucket, of all shards together */
  SERIES_EVACUATED,    /* 0 to 1 of the growth under way */
  SERIES_LOCK_WAIT,    /* ns waited per operation in the bin */
  SERIES_OPS,          /* operations per second */
  SERIES_N
} SeriesKind;

/* Any. One value per bin, NAN where there is none; the last known value is
 * carried on for levels (misses, lengths). */
void      timeline_get_series  (Timeline  *self,
                                SeriesKind kind,
                                gint64     from_ns,
                                gint64     to_ns,
                                guint      n_bins,
                                double    *values);
/* Any. The lowest and the highest value in each bin, NAN where there is none;
 * @values (nullable): as above, never outside of them. */
void      timeline_get_series_range (Timeline  *self,
                                     SeriesKind kind,
                                     gint64     from_ns,
                                     gint64     to_ns,
                                     guint      n_bins,
                                     double    *values,
                                     double    *mins,
                                     double    *maxs);

/* Kinds that may be part of a key's life: those above, moves of the bucket that it
 * is in, promotions and Clears. */
EventKinds event_kinds_of_life (void);

/* Any; in a worker. The life of @key across all structures: operations on it that
 * are told, its slot written, moved by an evacuation, copied to dirty, cleared,
 * its entry stored, deleted, expunged, promotions and Clears that found it in the
 * map; no locks. Appends the last @max such events before position @n_events, of
 * the whole log, oldest first. Returns where to go on for earlier ones, which is
 * the next call's @n_events; 0: there are none. Cost: blocks that may know the
 * key are read, those that do are folded. */
guint64   timeline_get_key_page (Timeline     *self,
                                 gint64        key,
                                 guint64       n_events,
                                 guint         max,
                                 GCancellable *cancellable,
                                 GArray       *indices); /* of guint64 */
/* The same, looking back no further than @window events. */
void      timeline_get_key_life (Timeline     *self,
                                 gint64        key,
                                 guint64       n_events,
                                 guint64       window,
                                 guint         max,
                                 GCancellable *cancellable,
                                 GArray       *indices);

G_END_DECLS
