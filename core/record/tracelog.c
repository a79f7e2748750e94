/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog.c — every event of a run, in one order, addressable by index
 *
 * Idea        The log is a table of full blocks of TRACE_BLOCK_EVENTS events,
 *             packed (trace-block.c), and one open block, the tail, that is
 *             plain and can be read while it is written. An index is a block
 *             number and a place in it by one division, so a seek costs one
 *             block: unpacked, or found among those unpacked lately. Packed
 *             blocks stand in memory or in a file (trace-store.c), where they
 *             are read and proved when somebody asks: a log of any length
 *             opens at once and takes a few bytes a block.
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
 *             L5  a block of a file that proves bad when it is read ends the
 *                 log before it: `cut` falls to its first index, for good, the
 *                 length with it, and a sentence says why. Who reads finds NULL
 *                 where the log now ends, and the log no longer is complete
 *
 * Threads     field               guarded by
 *             published, finished atomics; the writer releases, readers acquire
 *             cut                 atomic; written under the lock
 *             tail's events       the writer's; below published: immutable
 *             n_tail, last_ns     the writer's own
 *             all else            lock
 *             The writer packs outside of the lock and readers unpack outside of
 *             it: it is held for a table lookup or a few words of bookkeeping.
 *             A pthread mutex, which race detectors understand.
 */
#include "core/record/tracelog-private.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>

#define DEFAULT_LIMIT_BYTES ((gsize)256 << 20)

/* Life --------------------------------------------------------------------- */

TraceLog *
tracelog_new (const TraceInfo *info,
              gsize            limit_bytes) {
  TraceLog *self = g_new0 (TraceLog, 1);

  self->ref_count = 1;
  self->info = trace_info_copy (info);
  self->limit_bytes = limit_bytes != 0 ? limit_bytes : DEFAULT_LIMIT_BYTES;
  self->tail = plain_block_new ();
  self->blocks = g_array_new (FALSE, FALSE, sizeof (BlockEntry));
  self->waits = trace_waits_new ();
  self->notes = trace_notes_new ();
  self->keyframes = g_array_new (FALSE, FALSE, sizeof (KeyframeEntry));
  atomic_init (&self->cut, G_MAXUINT64);
  self->disk_bound = G_MAXUINT64;
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->room, NULL);
  return self;
}

TraceLog *
tracelog_ref (TraceLog *self) {
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
tracelog_unref (TraceLog *self) {
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  trace_sink_finish (self);
  trace_growth_end (self);
  for (guint i = 0; i < N_CACHED; i++)
    plain_block_unref (self->cache[i].block);
  for (guint i = 0; i < self->blocks->len; i++)
    g_free (entry_at (self, i)->data);
  g_array_unref (self->blocks);
  trace_store_unref (self->store);
  g_free (self->damage);
  g_free (self->newer);
  g_free (self->limit_reason);
  pthread_cond_destroy (&self->room);
  g_clear_pointer (&self->waits, g_array_unref);
  trace_notes_free (self->notes);
  for (guint i = 0; i < self->keyframes->len; i++)
    g_bytes_unref (g_array_index (self->keyframes, KeyframeEntry, i).payload);
  g_array_unref (self->keyframes);
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
  honesty->bytes = self->bytes + self->stored_bytes
                   + self->blocks->len * sizeof (BlockEntry)
                   + sizeof (PlainBlock);
  pthread_mutex_unlock (&self->lock);
  honesty->n_events = length;
  honesty->duration_ns = tracelog_time_at (self, G_MAXUINT64);
}

guint64
tracelog_get_n_dropped (TraceLog *self) {
  return atomic_load_explicit (&self->n_dropped, memory_order_relaxed);
}

gboolean
tracelog_is_part (TraceLog *self) {
  return atomic_load_explicit (&self->is_part, memory_order_relaxed);
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
  BlockEntry entry = {
    .data = packed->data,
    .t0_ns = packed->t0_ns,
    .t1_ns = packed->t1_ns,
    .raw_size = packed->raw_size,
    .stored_size = packed->stored_size,
    .codec = (guint8)packed->codec,
  };

  g_array_append_val (self->blocks, entry);
  self->bytes += packed->stored_size;
}

/* Sees to the bounds after a block was added: waits for the sink, or tells that
 * the log is full. */
static void
keep_bounds_locked (TraceLog *self) {
  if (self->sink != NULL) {
    trace_sink_wake_locked (self->sink);
    while (self->bytes > self->limit_bytes && self->limit_reason == NULL)
      pthread_cond_wait (&self->room, &self->lock);
  } else if (self->bytes >= self->limit_bytes && self->limit_reason == NULL) {
    self->limit_reason
        = g_strdup_printf (_("The recording takes %" PRIu64
                             " MB in memory: that is as much as it may."),
                           (guint64)self->bytes >> 20);
  }
  self->is_full = self->limit_reason != NULL;
}

/* The next tail: the recent block, if nobody reads it. Memory is asked for without the
 * lock. */
static PlainBlock *
take_next (TraceLog *self) {
  PlainBlock *block = NULL;

  pthread_mutex_lock (&self->lock);
  if (self->recent != NULL && plain_block_is_unshared (self->recent))
    block = g_steal_pointer (&self->recent);
  pthread_mutex_unlock (&self->lock);
  return block != NULL ? block : plain_block_new ();
}

/* Packs the full tail and opens the next one. The tail stays at hand as the
 * recent block; the one before becomes the new tail if nobody reads it. */
static void
seal_tail (TraceLog *self) {
  PlainBlock *old, *next;
  PackedBlock packed;

  if (self->sink == NULL && self->bytes >= self->limit_bytes / 2)
    trace_sink_start_spill (self);
  trace_block_pack (&packed, written_length (self) - TRACE_BLOCK_EVENTS,
                    self->tail->events, TRACE_BLOCK_EVENTS);
  next = take_next (self);
  pthread_mutex_lock (&self->lock);
  add_packed_locked (self, &packed);
  old = self->recent;
  self->recent = self->tail;
  self->tail = next;
  self->n_tail = 0;
  keep_bounds_locked (self);
  pthread_mutex_unlock (&self->lock);
  plain_block_unref (old);
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
tracelog_keep_place (TraceLog *self,
                     Event    *place,
                     gint64    at_ns) {
  if (G_UNLIKELY (at_ns < self->last_ns))
    raise_time (place, self->last_ns);
  else
    self->last_ns = at_ns;
  if (G_UNLIKELY (++self->n_tail == TRACE_BLOCK_EVENTS))
    seal_tail (self);
  return !self->is_full;
}

gboolean
tracelog_append (TraceLog    *self,
                 const Event *event) {
  Event *place = tracelog_place (self);

  *place = *event;
  return tracelog_keep_place (self, place, event->at_ns);
}

void
tracelog_attach (TraceLog         *self,
                 TraceStore       *store,
                 const BlockPlace *places,
                 guint             n) {
  g_assert (self->n_tail == 0 && self->blocks->len == 0);
  pthread_mutex_lock (&self->lock);
  self->store = trace_store_ref (store);
  self->stored_bytes = trace_store_get_size (store);
  for (guint i = 0; i < n; i++) {
    BlockEntry entry = {
      .offset = places[i].offset,
      .t0_ns = places[i].t0_ns,
      .t1_ns = -1,
    };

    g_array_append_val (self->blocks, entry);
    self->last_ns = entry.t0_ns;
  }
  pthread_mutex_unlock (&self->lock);
}

void
tracelog_set_dropped (TraceLog *self,
                      guint64   n_dropped) {
  pthread_mutex_lock (&self->lock);
  self->honesty.n_dropped = n_dropped;
  tracelog_show_honesty_locked (self);
  pthread_mutex_unlock (&self->lock);
}

void
tracelog_set_cost (TraceLog *self,
                   double    blind_ns,
                   double    recorded_ns) {
  pthread_mutex_lock (&self->lock);
  self->honesty.blind_ns = blind_ns;
  self->honesty.recorded_ns = recorded_ns;
  pthread_mutex_unlock (&self->lock);
}

void
tracelog_restore (TraceLog           *self,
                  const TraceHonesty *honesty) {
  tracelog_publish (self);
  pthread_mutex_lock (&self->lock);
  self->honesty = *honesty;
  tracelog_show_honesty_locked (self);
  pthread_mutex_unlock (&self->lock);
  /* Release: length and honesty come first. Pairs with is_finished(). */
  atomic_store_explicit (&self->finished, TRUE, memory_order_release);
}

void
tracelog_finish (TraceLog *self,
                 gboolean  was_limited) {
  TraceHonesty honesty;

  tracelog_publish (self);
  pthread_mutex_lock (&self->lock);
  self->honesty.is_complete = TRUE;
  self->honesty.was_limited = was_limited;
  pthread_mutex_unlock (&self->lock);
  trace_sink_finish (self);
  pthread_mutex_lock (&self->lock);
  honesty = self->honesty;
  pthread_mutex_unlock (&self->lock);
  tracelog_restore (self, &honesty);
}

/* Notes -------------------------------------------------------------------- */

TraceNotes *
tracelog_dup_notes (TraceLog *log) {
  TraceNotes *notes;

  pthread_mutex_lock (&log->lock);
  notes = trace_notes_copy (log->notes);
  pthread_mutex_unlock (&log->lock);
  return notes;
}

void
tracelog_set_notes (TraceLog         *log,
                    const TraceNotes *notes) {
  TraceNotes *copy = trace_notes_copy (notes);
  TraceNotes *former;

  pthread_mutex_lock (&log->lock);
  former = log->notes;
  log->notes = copy;
  pthread_mutex_unlock (&log->lock);
  trace_notes_free (former);
}
