/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog.c — every event of a run, in one order, addressable by index
 *
 * Idea        The log is a table of full blocks of TRACE_BLOCK_EVENTS events,
 *             packed (trace-block.c), and one open block, the tail, that is
 *             plain and can be read while it is written. An index is a block
 *             number and a place in it by one division, so a seek costs one
 *             block: unpacked, or found among those unpacked lately.
 *
 *               table   [ 0 | 1 | 2 | … | n-1 ]   packed, never changed
 *               recent                    n-1     plain, for who follows closely
 *               tail                          n   plain: [ e e e e w w . . ]
 *                                                         e published  w not yet
 *
 * Departures  The recorder merges the threads' streams when it records, so the
 *             log is one merged stream and not, as a recorder for post-mortem
 *             reading would have it, one block sequence per thread: playback,
 *             seeks and the picture that follows the head need no merge then,
 *             and an index names an event for good.
 *
 * Publishing  Readers may see the events below `published`. The writer raises it
 *             by tracelog_publish() or when the tail fills; a reader that sees a
 *             length finds every event below it.
 *
 * Invariants  L1  every block of the table holds TRACE_BLOCK_EVENTS events, and
 *                 block k begins at index k * TRACE_BLOCK_EVENTS
 *             L2  at_ns never decreases over the whole log and is never negative
 *             L3  published <= n_blocks * TRACE_BLOCK_EVENTS + n_tail
 *             L4  an event below published never changes, nor does its place
 *
 * Threads     field               guarded by
 *             published, finished atomics; the writer releases, readers acquire
 *             tail's events       the writer's; below published: immutable
 *             n_tail, last_ns     the writer's own
 *             all else            lock
 *             The writer packs outside of the lock and readers unpack outside of
 *             it: it is held for a table lookup or a few words of bookkeeping.
 *             A pthread mutex, which race detectors understand.
 */
#include "core/record/tracelog-private.h"

#include <pthread.h>
#include <stdatomic.h>

#define DEFAULT_LIMIT_BYTES ((gsize)1 << 30)
/* Free choice: 5 MiB of plain events, more than a picture and its neighbours. */
#define N_CACHED 32

/* Plain events; shared by log, cache and the TraceBlocks handed out. */
typedef struct {
  _Atomic (guint) ref_count;
  Event           events[TRACE_BLOCK_EVENTS];
} PlainBlock;

typedef struct {
  guint64     number;
  guint64     used; /* of the clock below, when last asked for */
  PlainBlock *block; /* NULL: empty place */
} CachePlace;

struct _TraceLog {
  gatomicrefcount   ref_count;
  TraceInfo        *info;
  gsize             limit_bytes;

  PlainBlock       *tail;    /* replaced under the lock */
  guint             n_tail;  /* writer's */
  gint64            last_ns; /* writer's */
  gboolean          is_full; /* writer's */
  _Atomic (guint64) published;
  _Atomic (int)     finished;

  pthread_mutex_t   lock;
  GArray           *blocks; /* of PackedBlock */
  gsize             bytes;  /* of their data */
  PlainBlock       *recent; /* the last of them, or NULL */
  CachePlace        cache[N_CACHED];
  guint64           cache_clock;
  TraceHonesty      honesty; /* what the writer told: stalls, how it ended */
};

static PlainBlock *
plain_block_new (void) {
  PlainBlock *block = g_malloc (sizeof *block);

  atomic_init (&block->ref_count, 1);
  return block;
}

static PlainBlock *
plain_block_ref (PlainBlock *block) {
  /* Relaxed: who refs already holds a reference, or the lock. */
  atomic_fetch_add_explicit (&block->ref_count, 1, memory_order_relaxed);
  return block;
}

static void
plain_block_unref (PlainBlock *block) {
  /* Acquire and release: all reading ends before the block is freed, or written
   * again (is_unshared_locked()). */
  if (block != NULL
      && atomic_fetch_sub_explicit (&block->ref_count, 1, memory_order_acq_rel)
             == 1)
    g_free (block);
}

/* Whether the log alone refers to @block; the lock is held. */
static gboolean
is_unshared_locked (PlainBlock *block) {
  /* Acquire: pairs with the release of the last reader's unref. */
  return atomic_load_explicit (&block->ref_count, memory_order_acquire) == 1;
}

/* Life --------------------------------------------------------------------- */

TraceLog *
tracelog_new (const TraceInfo *info,
              gsize            limit_bytes) {
  TraceLog *self = g_new0 (TraceLog, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->info = trace_info_copy (info);
  self->limit_bytes = limit_bytes != 0 ? limit_bytes : DEFAULT_LIMIT_BYTES;
  self->tail = plain_block_new ();
  self->blocks = g_array_new (FALSE, FALSE, sizeof (PackedBlock));
  pthread_mutex_init (&self->lock, NULL);
  return self;
}

TraceLog *
tracelog_ref (TraceLog *self) {
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
tracelog_unref (TraceLog *self) {
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  for (guint i = 0; i < N_CACHED; i++)
    plain_block_unref (self->cache[i].block);
  for (guint i = 0; i < self->blocks->len; i++)
    g_free (g_array_index (self->blocks, PackedBlock, i).data);
  g_array_unref (self->blocks);
  plain_block_unref (self->recent);
  plain_block_unref (self->tail);
  pthread_mutex_destroy (&self->lock);
  trace_info_free (self->info);
  g_free (self);
}

const TraceInfo *
tracelog_get_info (TraceLog *self) {
  return self->info;
}

void
tracelog_get_honesty (TraceLog     *self,
                      TraceHonesty *honesty) {
  guint64 length = tracelog_get_length (self);

  pthread_mutex_lock (&self->lock);
  *honesty = self->honesty;
  honesty->bytes = self->bytes + self->blocks->len * sizeof (PackedBlock)
                   + sizeof (PlainBlock);
  pthread_mutex_unlock (&self->lock);
  honesty->n_events = length;
  honesty->duration_ns = tracelog_time_at (self, G_MAXUINT64);
}

/* Writing ------------------------------------------------------------------ */

static guint64
written_length (TraceLog *self) {
  /* The table is changed by the writer alone, who is the caller. */
  return (guint64)self->blocks->len * TRACE_BLOCK_EVENTS + self->n_tail;
}

/* Release: the events come first. Pairs with tracelog_get_length(). */
void
tracelog_publish (TraceLog *self) {
  atomic_store_explicit (&self->published, written_length (self),
                         memory_order_release);
}

static void
add_packed_locked (TraceLog          *self,
                   const PackedBlock *packed) {
  g_array_append_val (self->blocks, *packed);
  self->bytes += packed->stored_size;
  self->is_full = self->bytes >= self->limit_bytes;
}

/* Packs the full tail and opens the next one. The tail stays at hand as the
 * recent block; the one before becomes the new tail if nobody reads it. */
static void
seal_tail (TraceLog *self) {
  PackedBlock packed;
  PlainBlock *old;

  trace_block_pack (&packed, written_length (self) - TRACE_BLOCK_EVENTS,
                    self->tail->events, TRACE_BLOCK_EVENTS);
  pthread_mutex_lock (&self->lock);
  add_packed_locked (self, &packed);
  old = self->recent;
  self->recent = self->tail;
  if (old == NULL || !is_unshared_locked (old)) {
    plain_block_unref (old);
    old = plain_block_new ();
  }
  self->tail = old;
  self->n_tail = 0;
  pthread_mutex_unlock (&self->lock);
  tracelog_publish (self);
}

/* When an operation began and ended is known all the same: event.h, OP_BEGAN and
 * OP_ENDED. */
static void
raise_time (Event  *event,
            gint64  to_ns) {
  guint64 raised_ns = (guint64)to_ns - (guint64)event->at_ns;

  event->at_ns = to_ns;
  if (event->kind == EVENT_OP_BEGAN)
    event->res += (guint32)MIN (raised_ns, G_MAXUINT32 - event->res);
  else if (event->kind == EVENT_OP_ENDED)
    event->ver += (guint32)MIN (raised_ns, G_MAXUINT32 - event->ver);
}

gboolean
tracelog_append (TraceLog    *self,
                 const Event *event) {
  Event *place = &self->tail->events[self->n_tail];

  *place = *event;
  if (place->at_ns < self->last_ns)
    raise_time (place, self->last_ns);
  self->last_ns = place->at_ns;
  if (++self->n_tail == TRACE_BLOCK_EVENTS)
    seal_tail (self);
  return !self->is_full;
}

void
tracelog_add_packed (TraceLog          *self,
                     const PackedBlock *block) {
  g_assert (self->n_tail == 0 && block->n_events == TRACE_BLOCK_EVENTS
            && block->first == written_length (self)
            && block->t0_ns >= self->last_ns);
  pthread_mutex_lock (&self->lock);
  add_packed_locked (self, block);
  pthread_mutex_unlock (&self->lock);
  self->last_ns = block->t1_ns;
}

void
tracelog_set_stalls (TraceLog *self,
                     guint64   n_stalls,
                     gint64    stalled_ns) {
  pthread_mutex_lock (&self->lock);
  self->honesty.n_stalls = n_stalls;
  self->honesty.stalled_ns = stalled_ns;
  pthread_mutex_unlock (&self->lock);
}

void
tracelog_restore (TraceLog           *self,
                  const TraceHonesty *honesty) {
  tracelog_publish (self);
  pthread_mutex_lock (&self->lock);
  self->honesty = *honesty;
  pthread_mutex_unlock (&self->lock);
  /* Release: length and honesty come first. Pairs with is_finished(). */
  atomic_store_explicit (&self->finished, TRUE, memory_order_release);
}

void
tracelog_finish (TraceLog *self,
                 gboolean  was_limited) {
  TraceHonesty honesty;

  pthread_mutex_lock (&self->lock);
  honesty = self->honesty;
  pthread_mutex_unlock (&self->lock);
  honesty.is_complete = TRUE;
  honesty.was_limited = was_limited;
  tracelog_restore (self, &honesty);
}

/* Reading ------------------------------------------------------------------ */

guint64
tracelog_get_length (TraceLog *self) {
  /* Acquire: pairs with the release store in tracelog_publish(). */
  return atomic_load_explicit (&self->published, memory_order_acquire);
}

gboolean
tracelog_is_finished (TraceLog *self) {
  /* Acquire: pairs with the release store in tracelog_restore(). */
  return atomic_load_explicit (&self->finished, memory_order_acquire);
}

gboolean
tracelog_get_packed (TraceLog    *self,
                     guint64      number,
                     PackedBlock *block) {
  gboolean is_full;

  pthread_mutex_lock (&self->lock);
  is_full = number < self->blocks->len;
  if (is_full)
    *block = g_array_index (self->blocks, PackedBlock, (guint)number);
  pthread_mutex_unlock (&self->lock);
  return is_full;
}

/* (transfer full): block @number when it is in memory as plain events, else
 * NULL and the block packed. */
static PlainBlock *
find_plain_locked (TraceLog    *self,
                   guint64      number,
                   PackedBlock *packed) {
  if (number >= self->blocks->len)
    return plain_block_ref (self->tail);
  if (self->recent != NULL && number + 1 == self->blocks->len)
    return plain_block_ref (self->recent);
  for (guint i = 0; i < N_CACHED; i++) {
    CachePlace *place = &self->cache[i];

    if (place->block != NULL && place->number == number) {
      place->used = ++self->cache_clock;
      return plain_block_ref (place->block);
    }
  }
  *packed = g_array_index (self->blocks, PackedBlock, (guint)number);
  return NULL;
}

/* Keeps @block in place of the one longest unused, which is returned. */
static PlainBlock *
remember_locked (TraceLog   *self,
                 guint64     number,
                 PlainBlock *block) {
  CachePlace *oldest = &self->cache[0];
  PlainBlock *evicted;

  for (guint i = 0; i < N_CACHED; i++) {
    CachePlace *place = &self->cache[i];

    if (place->block != NULL && place->number == number)
      return NULL; /* another reader was faster */
    if (oldest->block != NULL
        && (place->block == NULL || place->used < oldest->used))
      oldest = place;
  }
  evicted = oldest->block;
  *oldest = (CachePlace){
    .number = number,
    .used = ++self->cache_clock,
    .block = plain_block_ref (block),
  };
  return evicted;
}

/* (transfer full): block @number, of which events are published. */
static PlainBlock *
ref_plain (TraceLog *self,
           guint64   number) {
  BlockLimits any = { NULL, 0 };
  PlainBlock *block, *evicted;
  const char *problem;
  PackedBlock packed;

  pthread_mutex_lock (&self->lock);
  block = find_plain_locked (self, number, &packed);
  pthread_mutex_unlock (&self->lock);
  if (block != NULL)
    return block;

  /* Packed data is immutable and lives as long as the log. */
  block = plain_block_new ();
  problem = trace_block_unpack (&packed, &any, block->events);
  if (problem != NULL)
    g_error ("block %" G_GUINT64_FORMAT " of the log has %s", number, problem);
  pthread_mutex_lock (&self->lock);
  evicted = remember_locked (self, number, block);
  pthread_mutex_unlock (&self->lock);
  plain_block_unref (evicted);
  return block;
}

TraceBlock *
tracelog_ref_block (TraceLog *self,
                    guint64   index) {
  guint64 length = tracelog_get_length (self);
  guint64 first = index - index % TRACE_BLOCK_EVENTS;
  PlainBlock *plain;
  TraceBlock *block;

  if (index >= length)
    return NULL;
  plain = ref_plain (self, index / TRACE_BLOCK_EVENTS);
  block = g_new (TraceBlock, 1);
  *block = (TraceBlock){
    .first = first,
    .n_events = (guint)MIN (length - first, TRACE_BLOCK_EVENTS),
    .events = plain->events,
    .owner = plain,
  };
  return block;
}

void
trace_block_unref (TraceBlock *block) {
  if (block == NULL)
    return;
  plain_block_unref (block->owner);
  g_free (block);
}

gboolean
tracelog_get_event (TraceLog *self,
                    guint64   index,
                    Event    *event) {
  PlainBlock *plain;

  if (index >= tracelog_get_length (self))
    return FALSE;
  plain = ref_plain (self, index / TRACE_BLOCK_EVENTS);
  *event = plain->events[index % TRACE_BLOCK_EVENTS];
  plain_block_unref (plain);
  return TRUE;
}

gint64
tracelog_time_at (TraceLog *self,
                  guint64   index) {
  guint64 length = tracelog_get_length (self);
  PackedBlock packed;
  Event event;

  if (length == 0)
    return 0;
  index = MIN (index, length - 1);
  /* The ends of a full block are known without unpacking it. */
  if (tracelog_get_packed (self, index / TRACE_BLOCK_EVENTS, &packed)) {
    if (index % TRACE_BLOCK_EVENTS == 0)
      return packed.t0_ns;
    if (index % TRACE_BLOCK_EVENTS == TRACE_BLOCK_EVENTS - 1)
      return packed.t1_ns;
  }
  tracelog_get_event (self, index, &event);
  return event.at_ns;
}

/* How many of the @n blocks of the table end at or before @at_ns. */
static guint64
count_blocks_until (TraceLog *self,
                    guint64   n,
                    gint64    at_ns) {
  guint64 low = 0, high = n;

  pthread_mutex_lock (&self->lock);
  while (low < high) {
    guint64 middle = low + (high - low) / 2;

    if (g_array_index (self->blocks, PackedBlock, (guint)middle).t1_ns <= at_ns)
      low = middle + 1;
    else
      high = middle;
  }
  pthread_mutex_unlock (&self->lock);
  return low;
}

guint64
tracelog_index_at (TraceLog *self,
                   gint64    at_ns) {
  guint64 length = tracelog_get_length (self);
  guint64 number = count_blocks_until (self, length / TRACE_BLOCK_EVENTS, at_ns);
  guint64 first = number * TRACE_BLOCK_EVENTS;
  guint low = 0, high = (guint)MIN (length - first, TRACE_BLOCK_EVENTS);
  PlainBlock *plain;

  if (high == 0)
    return first;
  plain = ref_plain (self, number);
  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (plain->events[middle].at_ns <= at_ns)
      low = middle + 1;
    else
      high = middle;
  }
  plain_block_unref (plain);
  return first + low;
}
