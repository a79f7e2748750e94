/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-private.h — the parts of a timeline */
#pragma once

#include "core/state/fold.h"
#include "core/state/state-frames.h"
#include "core/state/timeline.h"

#include <pthread.h>

G_BEGIN_DECLS

/* Kept states: timeline-keyframes.c. The timeline's lock guards them, but for what
 * the follower alone uses. */
typedef struct _PackedState PackedState; /* a state as frames */
typedef struct _CacheFile CacheFile;

/* (transfer full): restored, and nobody else's; NULL: its bytes are damaged or
 * cannot be read. No lock is needed. */
MapState *packed_state_restore (PackedState       *self,
                                gboolean           has_help);
gsize     packed_state_size    (const PackedState *self);
void      packed_state_unref   (PackedState       *self);

typedef struct {
  guint64      position;
  PackedState *packed;
} Keyframe;

#define KEYFRAMES_N_RECENT 16

typedef struct {
  guint64   position;
  MapState *state;
  guint     family; /* counts far seeks */
  guint64   used;
} RecentState;

typedef struct {
  GArray     *frames;      /* of Keyframe, by position */
  GArray     *handed;      /* of Keyframe, likewise: those of the recording */
  guint64     spacing;     /* events between two of frames, at the least */
  gsize       memory_used;
  CacheFile  *file;        /* the follower's, with the four below */
  gboolean    has_no_file;
  guint64     file_end;
  guint64     file_limit;
  StateFrames scratch;
  guint64     file_used;
  RecentState recent[KEYFRAMES_N_RECENT]; /* results of seeks */
  guint       family;
  guint64     clock;
} Keyframes;

void      keyframes_init       (Keyframes       *self);
void      keyframes_clear      (Keyframes       *self);
/* The follower's, without the lock. Where the next frame is due; @length: of the
 * log, G_MAXUINT64 while that grows. */
guint64   keyframes_next       (Keyframes       *self,
                                guint64          length);
/* The follower's, without the lock, which it takes for a moment. */
void      keyframes_add        (Keyframes       *self,
                                const MapState  *state,
                                pthread_mutex_t *lock);
/* Takes a reference on @frames, of GBytes. */
void      keyframes_hand_in    (Keyframes       *self,
                                guint64          position,
                                GPtrArray       *frames);
/* (transfer full): the latest frame at or before @n_events; NULL: none. */
PackedState *keyframes_ref_packed (Keyframes    *self,
                                guint64          n_events,
                                guint64         *position);
/* What is added from now on shares nothing with what was. */
void      keyframes_begin_family (Keyframes     *self);
/* Takes over @state. States that are kept no longer go to @dropped, to be let go
 * of without the lock. */
void      keyframes_add_recent (Keyframes       *self,
                                MapState        *state,
                                GPtrArray       *dropped);
/* (transfer none): the latest one at or before @position; NULL: none. */
MapState *keyframes_find_recent (Keyframes      *self,
                                guint64          position);

/* What the views draw: timeline-sums.c. Guarded by the timeline's lock. */
#define SUMS_BINS 16384u
#define SUMS_LANE_SHIFT 2 /* lanes and series have bins four times as wide */
#define SUMS_LANE_BINS (SUMS_BINS >> SUMS_LANE_SHIFT)
#define SUMS_MAX_LANES 1024u /* and the main thread's */

/* The state at the last event of a bin. Sums run from the log's start. */
typedef struct {
  gint64  at_ns; /* -1: no event fell into the bin */
  double  n_ops;
  double  n_in_read;
  double  lock_wait_ns;
  float   misses;
  float   dirty_len;
  float   live;
  float   held;
  float   load_factor;
  float   evacuated;
} SeriesBin;

typedef struct {
  LaneBin *bins;          /* SUMS_LANE_BINS; NULL: nothing happened */
  gint64   wait_began_ns; /* -1: not waiting */
  gint64   hold_began_ns; /* -1: holds no lock */
} Lane;

typedef struct {
  gint64    width_ns; /* of a density bin; 1 << width_bits */
  guint     width_bits;
  gint64    last_ns;  /* of the newest event */
  guint32  *density;
  SeriesBin *series;
  guint     series_bin; /* the one under way */
  Lane      lanes[SUMS_MAX_LANES + 1];
} Sums;

void sums_init       (Sums           *self);
void sums_clear      (Sums           *self);
/* Before the fold takes @event; @before: the state it meets. */
void sums_add        (Sums           *self,
                      const Event    *event,
                      const MapState *before);
/* Takes the levels of @state for the bin under way. */
void sums_sample     (Sums           *self,
                      const MapState *state);
void sums_get_density (Sums          *self,
                       gint64         from_ns,
                       gint64         to_ns,
                       guint          n_bins,
                       guint32       *counts);
void sums_get_lane   (Sums           *self,
                      guint           thread,
                      gint64          from_ns,
                      gint64          to_ns,
                      guint           n_bins,
                      LaneBin        *bins);
void sums_get_series (Sums           *self,
                      SeriesKind      kind,
                      gint64          from_ns,
                      gint64          to_ns,
                      guint           n_bins,
                      double         *values);
/* Adds an operation of @op to a bin; @n of them. */
void lane_bin_count  (LaneBin        *bin,
                      guint           op,
                      guint32         n);

/* Landmarks: timeline-landmarks.c. Guarded by the timeline's lock. */
typedef struct {
  GArray *marks; /* of Landmark, by time */
  guint64 n_of_kind[EVENT_N_KINDS];
} Landmarks;

void landmarks_init  (Landmarks      *self);
void landmarks_clear (Landmarks      *self);
void landmarks_add   (Landmarks      *self,
                      guint64         index,
                      const Event    *event,
                      const MapState *before);
void landmarks_get   (Landmarks      *self,
                      gint64          from_ns,
                      gint64          to_ns,
                      gint64          apart_ns,
                      guint           max,
                      GArray         *landmarks);

/* FALSE: the block of event @index is known to hold none of @kinds. */
gboolean timeline_block_may_hold (Timeline   *self,
                                  guint64     index,
                                  EventKinds  kinds);

struct _Timeline {
  gatomicrefcount ref_count;
  TraceLog       *log;
  GThread        *follower;
  Fold           *fold; /* the follower's */

  pthread_mutex_t lock; /* guards all below */
  pthread_cond_t  woken; /* stop, or complete */
  gboolean        is_stopping;
  gboolean        is_complete;
  guint64         length;
  gint64          duration_ns;
  MapState       *head;
  guint64         n_faults;
  char           *first_fault;
  Keyframes       keyframes;
  guint           n_seeks;   /* far ones; tells a newer from an older */
  Sums            sums;
  Landmarks       landmarks;
  GArray         *block_kinds; /* of EventKinds: which kinds a block holds */
};

G_END_DECLS
