/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-private.h — the parts of a timeline */
#pragma once

#include "core/state/cache-file.h"
#include "core/state/fold.h"
#include "core/state/pile.h"
#include "core/state/state-delta.h"
#include "core/state/state-frames.h"
#include "core/state/timeline.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

G_BEGIN_DECLS

/* Kept states: timeline-keyframes.c, timeline-recent.c. The timeline's lock guards
 * them, but for what the follower alone uses. */
typedef struct _PackedState PackedState; /* a state as frames */

/* (transfer full): restored, and nobody else's; NULL: its bytes are damaged or
 * cannot be read. No lock is needed. */
MapState *packed_state_restore (PackedState       *self,
                                gboolean           has_help);
/* It will not be found any more. Any thread. */
void      packed_state_lose    (PackedState       *self);
/* (transfer full): its frames, of GBytes; NULL: they cannot be read. */
GPtrArray *packed_state_dup_frames (PackedState   *self);
/* What has to be read of it. */
gsize     packed_state_size    (const PackedState *self);
PackedState *packed_state_ref  (PackedState       *self);
void      packed_state_unref   (PackedState       *self);

typedef struct {
  guint64      position;
  PackedState *packed;
} Keyframe;

#define KEYFRAMES_N_RECENT 20
/* Recent states beyond this are kept for the last seeks only. */
#define KEYFRAMES_LARGE_BYTES ((gsize)4 << 20)
/* What all of them may take. A free choice: an eighth of the memory of an open recording
 * (NUMBERS T4), which is two states of 100,000 buckets; until it is folded, when there
 * are few key-frames to start from, and nobody packs states yet, twice that. The result
 * and the crumbs of the last far seek are kept even if they are larger. */
#define KEYFRAMES_RECENT_BYTES ((gsize)48 << 20)
#define KEYFRAMES_EARLY_BYTES (2 * KEYFRAMES_RECENT_BYTES)

typedef enum {
  RECENT_RESULT,
  RECENT_STEP,  /* the same, a few events from another one */
  RECENT_CRUMB, /* left for steps */
} RecentKind;

typedef struct {
  guint64   position;
  MapState *state;
  gsize     bytes;  /* what it does not share with the one that it lies */
  const MapState *beside; /* behind; NULL: all it has */
  RecentKind kind;
  guint     family; /* counts far seeks from packed states */
  guint     trail;  /* and all far seeks */
  guint64   used;
} RecentState;

typedef struct {
  GArray     *frames;      /* of Keyframe, by position */
  GArray     *handed;      /* of Keyframe, likewise: those of the recording */
  guint64     spacing;     /* events between two of frames, at the least */
  gsize       memory_used;
  CacheFile  *file;        /* the follower's, with the four below */
  gboolean    has_no_file;
  guint64     file_limit;
  StateFrames scratch;
  StateDelta  delta;       /* likewise scratch */
  guint64     file_used;
  guint64     whole_used;  /* by those between, */
  guint64     changed_used; /* and by the changed ones */
  gsize       most_bytes;  /* of the largest state seen, if it is large */
  gsize       lasting_bytes; /* likewise, of those that were not growing: most are so */
  RecentState recent[KEYFRAMES_N_RECENT]; /* results of seeks */
  gsize       most_recent; /* what those may take */
  guint       family;
  guint       trail;
  guint64     clock;
} Keyframes;

/* Free choice: a fiftieth of the memory of an open recording (NUMBERS T4), as a frame
 * comes from the file nearly as fast. */
#define KEYFRAMES_MEMORY_BYTES ((gsize)8 << 20)
/* What stays ready for states at the most, when it was freed: three and a half, as one
 * far seek takes while the one before has yet to give, with what is left for steps.
 * With less, every seek from a small state to a large one asks the kernel again, and a
 * step may have to wait for that. Never more than half of the memory of an open
 * recording (NUMBERS T4): beyond, seeks are slow anyway. */
#define KEYFRAMES_READY_STATES(bytes) \
  MIN ((bytes) / 2u * 7u, (gsize)200 << 20)
/* For tests, before there is a timeline: what of frames stays in memory. */
void      keyframes_set_memory (gsize            bytes);

void      keyframes_init       (Keyframes       *self);
void      keyframes_clear      (Keyframes       *self);
/* The follower's: there will be no more frames. */
void      keyframes_settle     (Keyframes       *self);
/* Likewise: the next one will not be added soon. */
void      keyframes_drop_scratch (Keyframes     *self);
/* The follower's, without the lock, like the two that follow. Where the next
 * frame is due. */
guint64   keyframes_next       (const Keyframes *self);
/* Frames to be put between those there are: the first gap at or after @from, up to
 * @end, with one each @step events, and in each step @n_changed states, the frame
 * itself among them; FALSE: there is none, or no room. */
gboolean  keyframes_find_gap   (const Keyframes *self,
                                guint64          length,
                                guint64         *from,
                                guint64         *step,
                                guint           *n_changed,
                                guint64         *end);
/* Takes the lock for a moment. @is_between: no other frames have to go for it, and
 * the result says whether there was room. */
gboolean  keyframes_add        (Keyframes       *self,
                                const MapState  *state,
                                gboolean         is_between,
                                pthread_mutex_t *lock);
/* Likewise between, told by what it differs in from @base, whose frames are
 * @packed. */
typedef enum {
  CHANGED_FITS,
  CHANGED_TOO_MUCH,
  CHANGED_GREW, /* has tables, or much of them, that the other has not */
  CHANGED_NO_ROOM,
} ChangedFit;
/* What more may be kept, in bytes. */
guint64   keyframes_room_left  (const Keyframes *self);
ChangedFit keyframes_add_changed (Keyframes      *self,
                                const MapState  *state,
                                const MapState  *base,
                                PackedState     *packed,
                                pthread_mutex_t *lock);
/* Takes a reference on @frames, of GBytes. */
void      keyframes_hand_in    (Keyframes       *self,
                                guint64          position,
                                GPtrArray       *frames);
/* The states that the recording has brought along. */
void      keyframes_take_recorded (Keyframes    *self,
                                   TraceLog     *log);
/* (transfer full): the latest frame at or before @n_events that is not lost. There
 * is one: the first of all is in memory. */
PackedState *keyframes_ref_packed (Keyframes    *self,
                                guint64          n_events,
                                guint64         *position);
/* The positions of the packed states before and after @position; G_MAXUINT64: none. */
void      keyframes_find_around (const Keyframes *self,
                                 guint64          position,
                                 guint64         *before,
                                 guint64         *after);
/* What is added from now on shares nothing with what was. */
void      keyframes_begin_family (Keyframes     *self);
/* What was left for steps so far is of no use any more. */
void      keyframes_begin_trail (Keyframes      *self);
/* Has large states that the family under way will have no place for go to @dropped, to
 * be let go of without the lock. */
void      keyframes_drop_far    (Keyframes      *self,
                                GPtrArray       *dropped);
/* Takes over @state. States that are kept no longer go to @dropped likewise. A step
 * takes the place of another one, when there are some. */
void      keyframes_add_recent (Keyframes       *self,
                                MapState        *state,
                                RecentKind       kind,
                                GPtrArray       *dropped);
/* The log is folded, and memory wanted for other things: what recent states may take no
 * more goes to @dropped likewise. */
void      keyframes_end_early  (Keyframes       *self,
                                GPtrArray       *dropped);
/* @state was seen. */
void      keyframes_note_state (Keyframes       *self,
                                const MapState  *state);
/* How many there are from @first to @last. */
guint     keyframes_count_recent (const Keyframes *self,
                                  guint64          first,
                                  guint64          last);
/* (transfer none): the latest one at or before @position; NULL: none. */
MapState *keyframes_find_recent (Keyframes      *self,
                                guint64          position);

/* What the views draw: timeline-sums.c builds it, timeline-screen.c and
 * timeline-series.c read it.
 * The follower writes; others may read what is sealed (below the counts shown). */
#define SUMS_LEAF_BITS 10 /* events of a leaf */
#define SUMS_LEAF_EVENTS (1u << SUMS_LEAF_BITS)
#define SUMS_TIME_BITS 6 /* events between two times kept */
#define SUMS_LEAF_TIMES (SUMS_LEAF_EVENTS >> SUMS_TIME_BITS)
#define SUMS_FAN_BITS 3 /* children of a node */
#define SUMS_N_HEIGHTS 6 /* leaves included: of 34 M leaves one node */
#define SUMS_MAX_LANES 1024u /* and the main thread's */

/* Times within a leaf: since its first event, in units of 1 << shift ns. */
typedef struct {
  guint32 shift; /* in place of the first one's, which is 0 */
  guint32 since[SUMS_LEAF_TIMES - 1];
} LeafTimes;

/* Levels are SERIES_MISSES to SERIES_EVACUATED. */
#define SUMS_FIRST_LEVEL SERIES_MISSES
#define SUMS_N_LEVELS (SERIES_EVACUATED - SERIES_MISSES + 1)

/* Counts run from the log's start to the leaf's end. */
typedef struct {
  guint64 n_ops;
  guint64 n_in_read;
  gint64  lock_wait_ns;
  float   last[SUMS_N_LEVELS]; /* at its end; NAN: there is none */
  float   low[SUMS_N_LEVELS];  /* of all moments of it; INFINITY: none */
  float   high[SUMS_N_LEVELS]; /* -INFINITY: none */
} SeriesLeaf;

typedef struct {
  float low[SERIES_N];
  float high[SERIES_N];
} SeriesNode;

/* A leaf of a lane, or a node: sums. */
typedef struct {
  guint32 n_loads;
  guint32 n_stores;
  guint32 n_deletes;
  guint32 n_ranges : 30;
  guint32 waits : 1; /* at its end */
  guint32 holds : 1;
  float   wait_ns;
  float   hold_ns;
} LaneSum;

/* The operations of a lane under way; a Range lasts while others are done inside
 * and has the second place. */
typedef struct {
  gboolean is_in[2];
  gint64   began_ns[2]; /* truly: before the merge raised it */
  guint32 *counts;      /* of the group under way, by kind and bin; NULL: none */
  guint64  n_counted[OP_N_KINDS];
} LaneOps;

typedef struct {
  guint64 n;
  guint16 lane;
  guint8  op;
  guint8  bin; /* STATE_HISTOGRAM_N: not told one by one */
} LatencyCount;

typedef struct {
  guint16 lane;
  LaneOps ops;
} LatencyOpen;

/* What ended in a group of blocks, and what was under way at its end. */
typedef struct {
  LatencyCount *counts;
  guint         n_counts;
  guint         n_open;
  LatencyOpen  *open;
} LatencyGroup;

/* A lane's part of the open leaf. */
typedef struct {
  LaneSum  sum;
  gint64   wait_from_ns; /* not summed yet; -1: not waiting */
  gint64   hold_from_ns; /* -1: holds no lock */
} LaneOpen;

typedef struct {
  Pile     heights[SUMS_N_HEIGHTS]; /* of LaneSum */
  LaneOpen open;
  gboolean is_active;
  LaneOpen shown;
  gboolean is_shown;
  LaneOps  ops;
  gboolean has_key; /* the operation under way has */
  gint64   key;
} Lane;

/* Which keys a block may know: timeline-keys.c. */
#define KEY_DIRECT_WORDS 128u
#define KEY_INDIRECT_WORDS 512u
#define KEY_FILTER_WORDS (KEY_DIRECT_WORDS + KEY_INDIRECT_WORDS)
/* Of a key. */
#define KEY_DIRECT_BITS 3u
#define KEY_INDIRECT_BITS 6u
/* Chains that were copied, one after another, from tables of one hash. */
#define KEY_RANGES 4u
typedef struct {
  guint64 hash0;
  int     hash_kind;
  guint32 n_main;
  guint32 low;
  guint32 high;
} KeyRange;

typedef struct {
  union {
    guint64 *words;     /* first the direct ones */
    guint64  at;        /* where they stand in the file */
  };
  guint16   n_direct;   /* 0 or a power of two */
  guint16   n_indirect;
  guint16   n_ranges;
  gboolean  is_in_file : 1;
  KeyRange *ranges;
} KeyFilter;

/* How far the sums have come, and the open leaf. */
typedef struct {
  guint64    n;        /* events added */
  guint64    n_leaves; /* sealed */
  gint64     last_ns;  /* of the newest event */
  gint64     times[SUMS_LEAF_TIMES]; /* of the open leaf */
  SeriesLeaf open;
  guint64    n_filters;
  guint64    n_latencies;
} SumsFront;

/* The follower's, but for what is sealed, and shown. */
typedef struct {
  SumsFront  front;
  SumsFront  shown;    /* as the last slice left it; under the timeline's lock */
  guint      pending;  /* what the last event may have changed */
  Pile       starts;   /* of gint64: a leaf's first event */
  Pile       leaf_times; /* of LeafTimes */
  Pile       series;   /* of SeriesLeaf */
  Pile       nodes[SUMS_N_HEIGHTS]; /* of SeriesNode; 0 is not used */
  Pile       filters; /* of KeyFilter: of whole blocks, and a log's last */
  gsize      filter_bytes; /* of their words, in memory */
  CacheFile *filter_file; /* of the others'; set before those are shown */
  gboolean   has_no_filter_file;
  guint64    direct[KEY_DIRECT_WORDS]; /* of the block under way */
  guint64    indirect[KEY_INDIRECT_WORDS];
  KeyRange   ranges[KEY_RANGES];
  guint      n_ranges;
  Pile       latencies; /* of LatencyGroup */
  guint      n_active;
  guint16    active[SUMS_MAX_LANES + 1];
  Lane       lanes[SUMS_MAX_LANES + 1];
} Sums;

/* What an event of a kind may be for the sums. */
enum {
  SUMS_MISSES = 1 << 0, /* changes it */
  SUMS_LIVE = 1 << 1,
  SUMS_TABLES = 1 << 2,
  SUMS_LANE = 1 << 3,
  SUMS_TIME = 1 << 4,   /* its place is one whose time is kept */
  SUMS_OPS = 1 << 5,    /* begins or ends an operation */
  SUMS_KEYS = 1 << 6,   /* is about a key */
};
#define SUMS_LEVELS (SUMS_MISSES | SUMS_LIVE | SUMS_TABLES)
extern const guint8 sums_work[256]; /* by kind */

void sums_init       (Sums           *self);
void sums_clear      (Sums           *self);
void sums_add_slowly (Sums           *self,
                      const Event    *event,
                      const MapState *before,
                      guint           work);
/* Shows to others how far it has come: with the timeline's lock. */
void sums_show       (Sums           *self);
/* What it takes in memory. */
gsize sums_bytes     (const Sums     *self);
/* Takes the levels of @state for the leaf under way. */
void sums_sample     (Sums           *self,
                      const MapState *state);
/* Adds an operation of @op; @n of them. */
void lane_sum_count  (LaneSum        *sum,
                      guint           op,
                      guint32         n);
/* Of a RANGE_WALKED or RANGE_ENDED: see LaneBin. */
static inline guint32
lane_buckets_walked (const Event *event) {
  if (event->kind == EVENT_RANGE_WALKED)
    return 1;
  return event->ver == 0
             ? event->res / BUCKET_SLOTS + (event->res % BUCKET_SLOTS != 0)
             : 0;
}
/* Those of @levels that are read off tables: held, dirty, load, evacuated. */
void sums_table_levels (const MapState *state,
                        float          *levels);
/* Where a thread's lane is; above SUMS_MAX_LANES: it has none. */
static inline guint
sums_lane_place (guint thread) {
  return thread == EVENT_THREAD_MAIN ? SUMS_MAX_LANES
         : thread < SUMS_MAX_LANES   ? thread
                                     : SUMS_MAX_LANES + 1;
}
/* timeline-histogram.c */
void  lane_ops_add         (LaneOps     *ops,
                            const Event *event);
void  sums_seal_latencies  (Sums        *self);
void  sums_clear_latencies (Sums        *self);
gsize sums_latency_bytes   (const Sums  *self);
/* timeline-keys.c */
void  sums_add_keys        (Sums           *self,
                            const Event    *event,
                            const MapState *before);
/* timeline-key-filters.c */
void  sums_seal_keys       (Sums        *self);
/* There will be no more events. */
void  sums_close_keys      (Sums        *self);
void  sums_clear_keys      (Sums        *self);
/* How many bytes of filters stay in memory, of timelines made from now on; tests alone
 * want another number. Free choice: those of a million events at the least, so that
 * short logs make no file. */
#define KEY_MEMORY_BYTES ((gsize)1 << 20)
void  sums_set_key_memory  (gsize        bytes);
/* Filters read from the file together: a walk goes back over them. */
#define KEY_WINDOW_WORDS 8192u
typedef struct {
  guint64 at; /* in the file */
  guint   n_words;
  guint64 words[KEY_WINDOW_WORDS];
} KeyWindow;
/* The words of a filter that was shown, maybe in @window, which is zeroed at first;
 * NULL: they cannot be read. */
const guint64 *sums_peek_key_words (const Sums      *self,
                                    const KeyFilter *filter,
                                    KeyWindow       *window);
/* In memory. */
gsize sums_key_bytes       (const Sums  *self);
/* A rate in the leaf @number, whose counts are those of @leaf; NAN: none. */
float series_leaf_rate (const Sums       *self,
                        SeriesKind        kind,
                        guint64           number,
                        const SeriesLeaf *leaf,
                        gint64            end_ns);
/* The lane of a thread; NULL: it has none. */
const Lane *sums_peek_lane (const Sums *self,
                            guint       thread);

/* Before the fold takes @event; @before: the state it meets. */
static inline void
sums_add (Sums           *self,
          const Event    *event,
          const MapState *before) {
  guint work = sums_work[event->kind] | self->pending;

  if ((self->front.n & ((1u << SUMS_TIME_BITS) - 1)) == 0)
    work |= SUMS_TIME;
  if (work != 0)
    sums_add_slowly (self, event, before, work);
  self->front.last_ns = event->at_ns;
  self->front.n++;
}

/* Landmarks: timeline-landmarks.c. */
typedef struct _LandmarkStore LandmarkStore; /* grows at its end alone */

/* What is shown; by time. */
typedef struct {
  LandmarkStore *store; /* a reference */
  guint          n;
  gboolean       is_thinned; /* some are missing */
  guint64        n_of_kind[EVENT_N_KINDS];
} LandmarkList;

typedef struct {
  LandmarkList own;   /* the follower's */
  LandmarkList shown; /* under the timeline's lock */
} Landmarks;

void landmarks_init  (Landmarks       *self);
void landmarks_clear (Landmarks       *self);
/* The follower's, without the lock: nobody sees it before landmarks_show(), which takes
 * it for a moment. */
void landmarks_add   (Landmarks       *self,
                      guint64          index,
                      const Event     *event,
                      const MapState  *before);
void landmarks_show  (Landmarks       *self,
                      Timeline        *timeline);

/* FALSE: the block of event @index is known to hold none of @kinds. */
gboolean timeline_block_may_hold (Timeline   *self,
                                  guint64     index,
                                  EventKinds  kinds);

/* The events with from_ns <= at_ns < to_ns, among those folded. */
void     timeline_find_times     (Timeline   *self,
                                  gint64      from_ns,
                                  gint64      to_ns,
                                  guint64    *first,
                                  guint64    *end);
/* As timeline_find() forward, of events before @length. */
guint64  timeline_find_before    (Timeline     *self,
                                  guint64       index,
                                  guint64       length,
                                  EventKinds    kinds,
                                  int           thread,
                                  GCancellable *cancellable);
/* Calls @visit for the events [@first, @end). */
typedef void (*VisitEvent)       (const Event *event,
                                  guint64      index,
                                  gpointer     data);
void     timeline_visit          (Timeline   *self,
                                  guint64     first,
                                  guint64     end,
                                  VisitEvent  visit,
                                  gpointer    data);

/* (transfer full): a fold at @n_events; of what it goes through nothing is kept for
 * seeks. Cancelled: it stands before. */
Fold    *timeline_begin_fold     (Timeline     *self,
                                  guint64       n_events,
                                  GCancellable *cancellable);
/* FALSE: cancelled, or the log ends before. */
gboolean timeline_advance_fold   (Timeline     *self,
                                  Fold         *fold,
                                  guint64       n_events,
                                  GCancellable *cancellable);
/* Folds on to @end; @visit sees each event and the state that it meets. */
void     timeline_fold_on        (Timeline   *self,
                                  Fold       *fold,
                                  guint64     end,
                                  FoldVisit   visit,
                                  gpointer    data);
/* About what it takes to seek to @first and to fold on to @end. */
guint64  timeline_fold_cost_ns   (Timeline   *self,
                                  guint64     first,
                                  guint64     end);

/* Takes the lock in turn. The follower lets go of it only to take it again, and
 * would be faster than anyone who has to be woken first. */
void     timeline_lock           (Timeline   *self);
void     timeline_unlock         (Timeline   *self);

/* Ends the follower's rest, or the next one; never waits. */
void     timeline_wake_follower  (Timeline   *self);

struct _Timeline {
  gint            ref_count;
  TraceLog       *log;
  GThread        *follower;
  Fold           *fold; /* the follower's */
  gint64          works_until_us; /* likewise: it does not give way before */

  /* For timeline_lock(): who holds it is the next to have the lock. */
  pthread_mutex_t gate;
  /* The three below once more, to be read without the lock. Written by publish(),
   * release, in this order; read by the functions of that name, acquire: a length
   * read after is_complete_now is the last one. */
  _Atomic gint64  duration_ns_now;
  _Atomic guint64 length_now;
  _Atomic gboolean is_complete_now;
  /* Relaxed: the recording has brought states along, so that it can be gone to where
   * nothing is folded yet. */
  _Atomic gboolean has_handed;
  /* Relaxed: nothing is read because of it. Then timeline_wake_follower(). */
  _Atomic gboolean is_stopping;
  sem_t           rest; /* the follower's */
  /* Which kinds a block holds, of EventKinds: the follower's, but for those of whole
   * blocks below length_now, which never change. */
  Pile            block_kinds;
  /* Seeks under way, and whether the follower waits for them: see give_way(). */
  _Atomic guint    n_seeks;
  _Atomic gboolean is_giving_way;

  pthread_mutex_t lock; /* guards all below */
  pthread_cond_t  woken; /* complete, settled, a far seek */
  gboolean        is_complete;
  gboolean        is_settled; /* all key-frames are there */
  guint64         length;
  gint64          duration_ns;
  MapState       *head;
  guint64         n_faults;
  char           *first_fault;
  Keyframes       keyframes;
  GCancellable   *crumbs; /* of the last far seek, or step that renewed them */
  guint64         crumbs_at; /* they will be before this place; G_MAXUINT64: no more */
  GPtrArray      *left;   /* of MapState: what seeks dropped and somebody will free */
  Sums            sums;
  Landmarks       landmarks;
};

G_END_DECLS
