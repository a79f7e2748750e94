/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-private.h — the log from inside, for its own files and their tests */
#pragma once

#include "core/record/trace-block-private.h"
#include "core/record/trace-keyframe.h"
#include "core/record/trace-notes.h"
#include "core/record/trace-store-private.h"

#include <pthread.h>
#include <stdatomic.h>

G_BEGIN_DECLS

/* Free choice: 5 MiB of plain events, more than a picture and its neighbours. */
#define N_CACHED 32

/* Plain events; shared by log, cache and the TraceBlocks handed out. */
typedef struct {
  _Atomic (guint) ref_count;
  Event           events[TRACE_BLOCK_EVENTS];
} PlainBlock;

/* A full block: its data, or where it stands in the store. */
typedef struct {
  guint8 *data;   /* NULL: in the store */
  guint64 offset; /* of its chunk there; 0: it is in memory alone */
  gint64  t0_ns;
  gint64  t1_ns;  /* -1: not known before it is read */
  guint32 raw_size;
  guint32 stored_size;
  guint16 n_pins; /* readers of data outside of the lock */
  guint8  codec;  /* TraceCodec */
} BlockEntry;

/* A full state, packed: a KEYFRAME's payload, or where it stands. */
typedef struct {
  TraceKeyframe facts;
  GBytes       *payload; /* NULL: in the store */
  guint64       offset;  /* of its chunk there */
} KeyframeEntry;

typedef struct {
  guint64     number;
  guint64     used; /* of the clock below, when last asked for */
  PlainBlock *block; /* NULL: empty place */
} CachePlace;

/* Writes blocks behind the recorder's back: tracelog-sink.c. */
typedef struct _TraceSink TraceSink;
/* Reads on in a file that somebody else writes: tracelog-grow.c. */
typedef struct _TraceGrowth TraceGrowth;

struct _TraceLog {
  gint              ref_count; /* by atomics in line, which sanitizers see */
  TraceInfo        *info;
  gsize             limit_bytes;

  PlainBlock       *tail;    /* replaced under the lock */
  guint             n_tail;  /* writer's */
  gint64            last_ns; /* writer's */
  gboolean          is_full; /* writer's */
  _Atomic (guint64) published;
  _Atomic (guint64) cut; /* the log ends here at the latest */
  _Atomic (int)     finished;

  pthread_mutex_t   lock;
  GArray           *blocks; /* of BlockEntry */
  gsize             bytes;  /* of their data */
  TraceStore       *store;  /* of the blocks that are not in memory; or NULL */
  guint64           stored_bytes; /* of those */
  char             *damage; /* why the log is cut; or NULL */
  gboolean          lacks_parts; /* told when it was opened: constant then */
  char             *newer;  /* the same: what a newer version put there; or NULL */
  _Atomic (gboolean) is_damaged; /* relaxed: it is not NULL, to be looked at */
  TraceSink        *sink;   /* writes to the store; or NULL */
  TraceGrowth      *growth; /* writer's: the file is being recorded; or NULL */
  guint64           disk_bound;   /* writer's; G_MAXUINT64: as told in tracelog.h */
  gboolean          spill_failed; /* writer's */
  char             *limit_reason; /* why the run must end; or NULL */
  pthread_cond_t    room;         /* told when bytes went down, or never will */
  PlainBlock       *recent; /* the last of them, or NULL */
  CachePlace        cache[N_CACHED];
  guint64           cache_clock;
  TraceHonesty      honesty; /* what the writer told: stalls, how it ended */
  /* Honesty's once more, to be shown without the lock. Relaxed: nothing hangs on
   * them. */
  _Atomic (guint64)  n_dropped;
  _Atomic (gboolean) is_part;
  GArray           *waits;   /* of TraceWait, by thread; NULL: not known */
  TraceNotes       *notes;   /* never changed in place */
  GArray           *keyframes; /* of KeyframeEntry, by position */
  guint8            uuid[16]; /* of the file it was opened from or saved to */
};

static inline BlockEntry *
entry_at (TraceLog *self,
          guint64   number) {
  return &g_array_index (self->blocks, BlockEntry, (guint)number);
}

/* After each change of the honesty. */
static inline void
tracelog_show_honesty_locked (TraceLog *self) {
  atomic_store_explicit (&self->n_dropped, self->honesty.n_dropped,
                         memory_order_relaxed);
  atomic_store_explicit (&self->is_part,
                         !self->honesty.is_complete && !self->honesty.was_limited,
                         memory_order_relaxed);
}

/* Writer: where the next event is put together … */
static inline Event *
tracelog_place (TraceLog *self) {
  return &self->tail->events[self->n_tail];
}

/* … and kept. @at_ns: the event's. FALSE: the log is full. */
gboolean tracelog_keep_place  (TraceLog *self,
                               Event    *place,
                               gint64    at_ns);

/* Their memory: plain-block.c. Any thread. */
PlainBlock *plain_block_new   (void);
PlainBlock *plain_block_ref   (PlainBlock *block);
void        plain_block_unref (PlainBlock *block);
/* Whether there is one reference: the log's, whose lock is held, so that nobody can
 * take another from it. */
gboolean    plain_block_is_unshared (PlainBlock *block);

/* Where a full block is that stands in a file. */
typedef struct {
  guint64 offset; /* of its chunk */
  gint64  t0_ns;  /* of its first event */
} BlockPlace;

/* (transfer full): a full block as it is packed, with this program's kinds;
 * g_free() its data. FALSE when block @number is not full yet, or is damaged. */
gboolean tracelog_dup_packed  (TraceLog            *self,
                               guint64              number,
                               PackedBlock         *block);
/* Writer, on an empty log: its first @n blocks stand in @store and are read and
 * proved when they are asked for. Not published yet. */
void     tracelog_attach      (TraceLog            *self,
                               TraceStore          *store,
                               const BlockPlace    *places,
                               guint                n);
/* The lock is held: there is one more block. */
void     trace_sink_wake_locked   (TraceSink           *self);
/* Writer: makes a sink to a temporary file, if there may be one. */
void     trace_sink_start_spill   (TraceLog            *self);
/* Writer, or nobody else: the last blocks are written, the thread ends. */
void     trace_sink_finish        (TraceLog            *self);

/* Nobody else uses the log any more. */
void     trace_growth_end         (TraceLog            *self);

/* A keyframe that stands in the log's store; FALSE: it is no good. */
gboolean tracelog_attach_keyframe (TraceLog            *self,
                                   const KeyframePlace *place);
guint    tracelog_n_keyframes     (TraceLog            *self);
/* A keyframe stands at @place in the log's store now: memory lets it go. */
void     tracelog_settle_keyframe (TraceLog            *self,
                                   const KeyframePlace *place);
/* (transfer full): the payload of keyframe @i as it stands in a file; NULL: it
 * is damaged. */
GBytes  *tracelog_dup_keyframe    (TraceLog            *self,
                                   guint                i,
                                   TraceKeyframe       *facts);
/* Writer: finishes a log that was opened; n_events, bytes and duration stay
 * the log's own. */
void     tracelog_restore     (TraceLog            *self,
                               const TraceHonesty  *honesty);

/* Waits by worker as bytes behind HONESTY's, and back; NULL: they cannot be
 * right. */
GArray  *trace_waits_new      (void);
void     trace_waits_write    (const GArray        *waits,
                               GByteArray          *payload);
GArray  *trace_waits_read     (const guint8        *bytes,
                               gsize                size,
                               guint                n_threads);

/* Facts of a run as JSON, and back. @kinds: 128, filled with this program's
 * kind for each kind number of the file, 0 for unknown ones. */
/* Whether brackets outside of texts nest so little that a recursive parser may
 * see them. */
gboolean   trace_json_is_shallow (const char *json,
                                  gsize       length,
                                  int         max_depth);
char      *trace_info_to_json   (const TraceInfo *info);
TraceInfo *trace_info_from_json (const char      *json,
                                 gsize            length,
                                 guint8          *kinds,
                                 GError         **error);

G_END_DECLS
