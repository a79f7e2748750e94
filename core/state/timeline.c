/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline.c — a log, addressable by event and by time
 *
 * Follower    One thread folds each published event once, in slices of a few
 *             thousand, and after each slice brings the sums up to date under
 *             the lock. While the log grows it looks for more every few
 *             milliseconds; when the log is finished and folded, it ends.
 *
 * Seek        From the nearest kept state at or before the place, forward over
 *             decoded blocks. A long way leaves a state shortly before its end,
 *             so that the steps back which often follow are short.
 *
 * Threads     lock guards what the follower and the callers share; it is held
 *             for the sums of one slice, or one query, at the longest. The fold
 *             belongs to the follower alone. States are immutable.
 */
#include "core/state/timeline-private.h"
#include "core/state/map-state-private.h"

#include <errno.h>
#include <time.h>

#define POLL_NS (4 * 1000 * 1000)
#define PUBLISH_US (8 * 1000)
/* Events between two looks at the clock and at the stop flag. */
#define SLICE_EVENTS 2048u
/* A seek longer than this leaves a state so far before its end. */
#define CRUMB_DISTANCE 4096u

static void
wait_a_while (Timeline *self) {
  struct timespec until;

  clock_gettime (CLOCK_MONOTONIC, &until);
  until.tv_nsec += POLL_NS;
  if (until.tv_nsec >= 1000000000) {
    until.tv_nsec -= 1000000000;
    until.tv_sec++;
  }
  pthread_mutex_lock (&self->lock);
  if (!self->is_stopping)
    pthread_cond_timedwait (&self->woken, &self->lock, &until);
  pthread_mutex_unlock (&self->lock);
}

/* Shows the folded state to the callers. */
static void
publish (Timeline *self,
         gboolean  is_complete) {
  MapState *head = fold_ref_state (self->fold);
  MapState *former;

  pthread_mutex_lock (&self->lock);
  former = self->head;
  self->head = head;
  self->length = map_state_n_events (head);
  self->duration_ns = map_state_at_ns (head);
  self->n_faults = fold_n_faults (self->fold);
  if (self->first_fault == NULL)
    self->first_fault = g_strdup (fold_first_fault (self->fold));
  sums_sample (&self->sums, head);
  self->is_complete = is_complete;
  if (is_complete)
    pthread_cond_broadcast (&self->woken);
  pthread_mutex_unlock (&self->lock);
  map_state_unref (former);
}

static void
note_block_kinds (Timeline   *self,
                  guint64     index,
                  EventKinds  kinds) {
  guint number = (guint)(index / TRACE_BLOCK_EVENTS);

  if (number >= self->block_kinds->len)
    g_array_set_size (self->block_kinds, number + 1);
  g_array_index (self->block_kinds, EventKinds, number) |= kinds;
}

/* Folds the events [@from, @to) of @block. */
static void
fold_slice (Timeline         *self,
            const TraceBlock *block,
            guint             from,
            guint             to) {
  const MapState *state = fold_peek_state (self->fold);
  EventKinds kinds = 0;

  pthread_mutex_lock (&self->lock);
  for (guint i = from; i < to; i++) {
    const Event *event = &block->events[i];

    kinds |= EVENT_KIND_BIT (event->kind & 63);
    sums_add (&self->sums, event, state);
    if (event_kind_is_structural (event->kind))
      landmarks_add (&self->landmarks, block->first + i, event, state);
    fold_apply (self->fold, event);
  }
  note_block_kinds (self, block->first, kinds);
  pthread_mutex_unlock (&self->lock);
}

static void
keep_frame (Timeline *self,
            gsize    *bytes_before) {
  gsize bytes = fold_bytes_copied (self->fold);
  MapState *state = fold_ref_state (self->fold);

  pthread_mutex_lock (&self->lock);
  keyframes_add (&self->keyframes, state, bytes - *bytes_before,
                 map_state_bytes (state));
  pthread_mutex_unlock (&self->lock);
  *bytes_before = bytes;
}

static gboolean
is_stopping (Timeline *self) {
  gboolean result;

  pthread_mutex_lock (&self->lock);
  result = self->is_stopping;
  pthread_mutex_unlock (&self->lock);
  return result;
}

/* Folds on to @length, publishing now and then. */
static void
fold_to (Timeline *self,
         guint64   length,
         gsize    *bytes_before) {
  gint64 published_us = g_get_monotonic_time ();
  guint64 position;

  while ((position = fold_n_events (self->fold)) < length
         && !is_stopping (self)) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (self->log, position);
    guint64 end;

    if (block == NULL)
      return;
    end = MIN (MIN (length, block->first + block->n_events),
               keyframes_next (&self->keyframes, position));
    end = MIN (end, position + SLICE_EVENTS);
    fold_slice (self, block, (guint)(position - block->first),
                (guint)(end - block->first));
    if (keyframes_next (&self->keyframes, position) == end)
      keep_frame (self, bytes_before);
    if (g_get_monotonic_time () - published_us >= PUBLISH_US) {
      publish (self, FALSE);
      published_us = g_get_monotonic_time ();
    }
  }
}

static gpointer
follow (gpointer data) {
  Timeline *self = data;
  gsize bytes_before = 0;

  while (!is_stopping (self)) {
    /* Finished first: a length read after it is the last one. */
    gboolean is_finished = tracelog_is_finished (self->log);
    guint64 length = tracelog_get_length (self->log);

    if (fold_n_events (self->fold) < length) {
      fold_to (self, length, &bytes_before);
      publish (self, FALSE);
    } else if (is_finished) {
      publish (self, TRUE);
      break;
    } else {
      wait_a_while (self);
    }
  }
  return NULL;
}

Timeline *
timeline_new (TraceLog *log) {
  Timeline *self = g_new0 (Timeline, 1);
  pthread_condattr_t attributes;

  g_atomic_ref_count_init (&self->ref_count);
  self->log = tracelog_ref (log);
  self->fold = fold_new ();
  self->head = fold_ref_state (self->fold);
  pthread_mutex_init (&self->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->woken, &attributes);
  pthread_condattr_destroy (&attributes);
  keyframes_init (&self->keyframes);
  sums_init (&self->sums);
  landmarks_init (&self->landmarks);
  self->block_kinds = g_array_new (FALSE, TRUE, sizeof (EventKinds));
  keyframes_add (&self->keyframes, fold_ref_state (self->fold), 0, 0);
  self->follower = g_thread_new ("timeline", follow, self);
  return self;
}

Timeline *
timeline_ref (Timeline *self) {
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
timeline_unref (Timeline *self) {
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  pthread_mutex_lock (&self->lock);
  self->is_stopping = TRUE;
  pthread_cond_broadcast (&self->woken);
  pthread_mutex_unlock (&self->lock);
  g_thread_join (self->follower);

  fold_free (self->fold);
  map_state_unref (self->head);
  keyframes_clear (&self->keyframes);
  sums_clear (&self->sums);
  landmarks_clear (&self->landmarks);
  g_array_unref (self->block_kinds);
  g_free (self->first_fault);
  pthread_cond_destroy (&self->woken);
  pthread_mutex_destroy (&self->lock);
  tracelog_unref (self->log);
  g_free (self);
}

TraceLog *
timeline_get_log (Timeline *self) {
  return self->log;
}

guint64
timeline_get_length (Timeline *self) {
  guint64 length;

  pthread_mutex_lock (&self->lock);
  length = self->length;
  pthread_mutex_unlock (&self->lock);
  return length;
}

gint64
timeline_get_duration_ns (Timeline *self) {
  gint64 duration_ns;

  pthread_mutex_lock (&self->lock);
  duration_ns = self->duration_ns;
  pthread_mutex_unlock (&self->lock);
  return duration_ns;
}

gboolean
timeline_is_complete (Timeline *self) {
  gboolean is_complete;

  pthread_mutex_lock (&self->lock);
  is_complete = self->is_complete;
  pthread_mutex_unlock (&self->lock);
  return is_complete;
}

void
timeline_wait (Timeline *self) {
  pthread_mutex_lock (&self->lock);
  while (!self->is_complete)
    pthread_cond_wait (&self->woken, &self->lock);
  pthread_mutex_unlock (&self->lock);
}

MapState *
timeline_ref_head (Timeline *self) {
  MapState *head;

  pthread_mutex_lock (&self->lock);
  head = map_state_ref (self->head);
  pthread_mutex_unlock (&self->lock);
  return head;
}

guint64
timeline_get_n_faults (Timeline *self,
                       char    **first) {
  guint64 n_faults;

  pthread_mutex_lock (&self->lock);
  n_faults = self->n_faults;
  if (first != NULL)
    *first = g_strdup (self->first_fault);
  pthread_mutex_unlock (&self->lock);
  return n_faults;
}

/* (transfer full): the kept state to start from; *n_events is clamped. */
static MapState *
ref_nearest (Timeline *self,
             guint64  *n_events) {
  MapState *nearest;

  pthread_mutex_lock (&self->lock);
  *n_events = MIN (*n_events, self->length);
  nearest = keyframes_find (&self->keyframes, *n_events);
  if (map_state_n_events (self->head) <= *n_events)
    nearest = self->head;
  map_state_ref (nearest);
  pthread_mutex_unlock (&self->lock);
  return nearest;
}

guint64
timeline_seek_distance (Timeline *self,
                        guint64   n_events) {
  g_autoptr (MapState) nearest = ref_nearest (self, &n_events);

  return n_events - map_state_n_events (nearest);
}

static void
keep_recent (Timeline *self,
             Fold     *fold) {
  MapState *state = fold_ref_state (fold);

  pthread_mutex_lock (&self->lock);
  keyframes_add_recent (&self->keyframes, state);
  pthread_mutex_unlock (&self->lock);
}

/* Folds on to position @n_events; FALSE: cancelled. */
static gboolean
advance (Timeline     *self,
         Fold         *fold,
         guint64       n_events,
         GCancellable *cancellable) {
  guint64 position;

  while ((position = fold_n_events (fold)) < n_events) {
    g_autoptr (TraceBlock) block = NULL;
    guint64 end;

    if (g_cancellable_is_cancelled (cancellable))
      return FALSE;
    block = tracelog_ref_block (self->log, position);
    if (block == NULL)
      return FALSE;
    end = MIN (n_events, block->first + block->n_events);
    for (; position < end; position++)
      fold_apply (fold, &block->events[position - block->first]);
  }
  return TRUE;
}

MapState *
timeline_seek (Timeline     *self,
               guint64       n_events,
               GCancellable *cancellable) {
  g_autoptr (MapState) nearest = ref_nearest (self, &n_events);
  g_autoptr (Fold) fold = NULL;
  guint64 distance = n_events - map_state_n_events (nearest);

  if (distance == 0)
    return g_steal_pointer (&nearest);
  fold = fold_new_from_state (nearest);
  if (distance > 2 * CRUMB_DISTANCE
      && advance (self, fold, n_events - CRUMB_DISTANCE, cancellable))
    keep_recent (self, fold);
  if (advance (self, fold, n_events, cancellable))
    keep_recent (self, fold);
  return fold_ref_state (fold);
}
