/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline.c — a log, addressable by event and by time
 *
 * Follower    One thread folds each published event once, in slices of a few
 *             thousand, and after each slice brings the sums up to date under
 *             the lock. While the log grows it looks for more every few
 *             milliseconds; when the log is finished and folded, it goes through
 *             the log once more to leave key-frames as near as seeks want them,
 *             gives way to all others meanwhile, and ends.
 *
 * Seek        From a recent state, when that is near, else from the key-frame
 *             before the place, restored by two threads; then forward over the
 *             log, whose blocks the second thread unpacks ahead.
 *
 * Steps       The steps back that often follow a far seek would each be a far seek
 *             again. So after one, when it is over, a thread leaves states at a
 *             few places before its end (crumbs), from which a step is short.
 *
 * Threads     lock guards what the follower and the callers share; it is held
 *             for the sums of one slice, or one query, at the longest. The fold
 *             belongs to the follower alone. States are immutable.
 */
#include "core/state/timeline-private.h"

#include "core/record/trace-keyframe.h"
#include "core/state/fold-private.h"
#include "core/state/helper.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define POLL_NS (4 * 1000 * 1000)
#define PUBLISH_US (8 * 1000)
/* Folding on after a state was shown copies what it touches. So that this stays
 * the lesser part, large states are shown less often: a megabyte, 2 ms. */
#define PUBLISH_BYTES_PER_US 512
/* Events between two looks at the clock and at the stop flag. */
#define SLICE_EVENTS 2048u
/* Where a far seek leaves states, in events before its end. A thousand folds on
 * shared chunks are a third of a millisecond. */
static const guint crumbs[] = { 4096, 3072, 2048, 1024, 256 };
/* A seek that costs less needs none. */
#define CRUMB_COST_NS 500000
/* Blocks unpacked ahead of a fold; the log keeps some more. */
#define BLOCKS_AHEAD 16u
#define NICE_LATER 10

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

/* A slice on its way through sums, landmarks and fold. */
typedef struct {
  Timeline  *timeline;
  guint64    index;
  EventKinds kinds;
} SliceVisit;

static void
visit_of_slice (const Event    *event,
                const MapState *before,
                gpointer        data) {
  SliceVisit *slice = data;

  slice->kinds |= EVENT_KIND_BIT (event->kind & 63);
  sums_add (&slice->timeline->sums, event, before);
  if (event_kind_is_structural (event->kind))
    landmarks_add (&slice->timeline->landmarks, slice->index, event, before);
  slice->index++;
}

/* Folds the events [@from, @to) of @block. */
static void
fold_slice (Timeline         *self,
            const TraceBlock *block,
            guint             from,
            guint             to) {
  SliceVisit slice = { .timeline = self, .index = block->first + from };

  pthread_mutex_lock (&self->lock);
  fold_visit_many (self->fold, block->events + from, to - from, visit_of_slice,
                   &slice);
  note_block_kinds (self, block->first, slice.kinds);
  pthread_mutex_unlock (&self->lock);
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
         guint64   length) {
  gint64 published_us = g_get_monotonic_time ();
  guint64 position;

  while ((position = fold_n_events (self->fold)) < length
         && !is_stopping (self)) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (self->log, position);
    guint64 due = keyframes_next (&self->keyframes);
    guint64 end;

    if (block == NULL)
      return;
    end = MIN (length, block->first + block->n_events);
    end = MIN (end, position + SLICE_EVENTS);
    if (due > position)
      end = MIN (end, due);
    fold_slice (self, block, (guint)(position - block->first),
                (guint)(end - block->first));
    if (end >= due)
      keyframes_add (&self->keyframes, fold_peek_state (self->fold), FALSE,
                     &self->lock);
    if (g_get_monotonic_time () - published_us
        >= PUBLISH_US + (gint64)(map_state_bytes (fold_peek_state (self->fold))
                                 / PUBLISH_BYTES_PER_US)) {
      publish (self, FALSE);
      published_us = g_get_monotonic_time ();
    }
  }
}

/* Folds on from a key-frame to leave more of them, @step events apart, before
 * @end; FALSE: there is no room, or the timeline is given up. */
static gboolean
close_gap (Timeline *self,
           guint64   from,
           guint64   step,
           guint64   end) {
  g_autoptr (Fold) fold = NULL;
  guint64 position = from, due = from + step;
  PackedState *packed;
  MapState *state;

  pthread_mutex_lock (&self->lock);
  packed = keyframes_ref_packed (&self->keyframes, from, &position);
  pthread_mutex_unlock (&self->lock);
  state = packed_state_restore (packed, FALSE);
  packed_state_unref (packed);
  if (state != NULL && position == from)
    fold = fold_new_taking (state);
  else
    g_clear_pointer (&state, map_state_unref);
  while (fold != NULL && position < end && !is_stopping (self)) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (self->log, position);
    guint64 to;

    if (block == NULL)
      return FALSE;
    to = MIN (MIN (due, end), block->first + block->n_events);
    fold_apply_many (fold, block->events + (position - block->first),
                     (guint)(to - position));
    position = to;
    if (position == due && position < end) {
      if (!keyframes_add (&self->keyframes, fold_peek_state (fold), TRUE,
                          &self->lock))
        return FALSE;
      due += step;
    }
  }
  return position >= end;
}

static void
close_gaps (Timeline *self) {
  guint64 from = 0, step, end;

  /* This thread's alone, on Linux: others have the processor before. */
  (void)!nice (NICE_LATER);
  while (keyframes_find_gap (&self->keyframes, self->length, &from, &step, &end)
         && close_gap (self, from, step, end))
    from = end;
  pthread_mutex_lock (&self->lock);
  self->is_settled = TRUE;
  pthread_cond_broadcast (&self->woken);
  pthread_mutex_unlock (&self->lock);
}

static gpointer
follow (gpointer data) {
  Timeline *self = data;

  while (!is_stopping (self)) {
    /* Finished first: a length read after it is the last one. */
    gboolean is_finished = tracelog_is_finished (self->log);
    guint64 length = tracelog_get_length (self->log);

    if (fold_n_events (self->fold) < length) {
      fold_to (self, length);
      publish (self, FALSE);
    } else if (is_finished) {
      publish (self, TRUE);
      close_gaps (self);
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
  keyframes_add (&self->keyframes, self->head, FALSE, &self->lock);
  keyframes_take_recorded (&self->keyframes, log);
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

void
timeline_wait_settled (Timeline *self) {
  pthread_mutex_lock (&self->lock);
  while (!self->is_settled)
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

/* Seeking ------------------------------------------------------------------ */

void
timeline_add_keyframe (Timeline  *self,
                       guint64    n_events,
                       GPtrArray *frames) {
  pthread_mutex_lock (&self->lock);
  keyframes_hand_in (&self->keyframes, n_events, frames);
  pthread_mutex_unlock (&self->lock);
}

/* Puts the kept state before @place into the log. */
static void
put_keyframe (Timeline *self,
              guint64   place) {
  g_autoptr (GPtrArray) frames = NULL;
  TraceKeyframe facts = { .version = STATE_FRAMES_VERSION };
  PackedState *packed;
  Event event;

  pthread_mutex_lock (&self->lock);
  packed = keyframes_ref_packed (&self->keyframes, place, &facts.position);
  pthread_mutex_unlock (&self->lock);
  if (packed == NULL)
    return;
  if (facts.position > 0
      && tracelog_get_event (self->log, facts.position - 1, &event)
      && (frames = packed_state_dup_frames (packed)) != NULL) {
    facts.at_ns = event.at_ns;
    tracelog_put_keyframe (self->log, &facts, frames);
  }
  packed_state_unref (packed);
}

void
timeline_put_keyframes (Timeline     *self,
                        guint64       every,
                        GCancellable *cancellable) {
  guint64 length = timeline_get_length (self);
  TraceKeyframe found;

  for (guint64 place = every;
       place < length && !g_cancellable_is_cancelled (cancellable);
       place += every)
    if (!tracelog_find_keyframe (self->log, place, &found)
        || found.position + every / 2 < place)
      put_keyframe (self, place);
}

/* Where a seek starts: from a state, or else from a packed one. */
typedef struct {
  guint64      from;
  guint64      to;
  MapState    *state;
  PackedState *packed;
  guint64      cost_ns;
} SeekStart;

static void
seek_start_clear (SeekStart *start) {
  g_clear_pointer (&start->state, map_state_unref);
  g_clear_pointer (&start->packed, packed_state_unref);
}

/* Estimates, measured on states of a million slots: an event from the log on a
 * state that is ours alone; what it costs more while its chunks are shared, until
 * all are copied; a byte of a frame, and its thread called. */
#define OWN_EVENT_NS 16
#define SHARED_EVENT_NS 250
#define COPIED_BYTES_PER_NS 8
#define FRAME_BYTES_PER_NS 6
#define RESTORE_NS 30000

static guint64
cost_from_state (const MapState *state,
                 guint64         distance) {
  return OWN_EVENT_NS * distance
         + MIN (SHARED_EVENT_NS * distance,
                map_state_bytes (state) / COPIED_BYTES_PER_NS);
}

static guint64
cost_from_packed (const PackedState *packed,
                  guint64            distance) {
  return OWN_EVENT_NS * distance + RESTORE_NS
         + packed_state_size (packed) / FRAME_BYTES_PER_NS;
}

static guint64
clamp_locked (Timeline *self,
              guint64   n_events) {
  return MIN (n_events, self->keyframes.handed->len > 0
                            ? tracelog_get_length (self->log)
                            : self->length);
}

guint64
timeline_clamp (Timeline *self,
                guint64   n_events) {
  pthread_mutex_lock (&self->lock);
  n_events = clamp_locked (self, n_events);
  pthread_mutex_unlock (&self->lock);
  return n_events;
}

/* The cheaper start; start->to is @n_events, clamped. */
static void
find_start (Timeline  *self,
            guint64    n_events,
            SeekStart *start) {
  MapState *state;

  memset (start, 0, sizeof *start);
  pthread_mutex_lock (&self->lock);
  start->to = clamp_locked (self, n_events);
  state = keyframes_find_recent (&self->keyframes, start->to);
  if (map_state_n_events (self->head) <= start->to
      && (state == NULL
          || map_state_n_events (self->head) > map_state_n_events (state)))
    state = self->head;
  start->packed = keyframes_ref_packed (&self->keyframes, start->to, &start->from);
  if (start->packed != NULL)
    start->cost_ns = cost_from_packed (start->packed, start->to - start->from);
  if (state != NULL
      && (start->packed == NULL
          || cost_from_state (state, start->to - map_state_n_events (state))
                 <= start->cost_ns)) {
    start->from = map_state_n_events (state);
    start->cost_ns = cost_from_state (state, start->to - start->from);
    start->state = map_state_ref (state);
    g_clear_pointer (&start->packed, packed_state_unref);
  }
  pthread_mutex_unlock (&self->lock);
}

guint64
timeline_fold_cost_ns (Timeline *self,
                       guint64   first,
                       guint64   end) {
  guint64 cost_ns, bytes;
  SeekStart start;

  find_start (self, first, &start);
  /* Frames have about half the bytes of their state. */
  bytes = start.state != NULL ? map_state_bytes (start.state)
                              : 2 * packed_state_size (start.packed);
  cost_ns = start.cost_ns + OWN_EVENT_NS * (end - first)
            + MIN (SHARED_EVENT_NS * (end - first), bytes / COPIED_BYTES_PER_NS);
  seek_start_clear (&start);
  return cost_ns;
}

guint64
timeline_seek_distance (Timeline *self,
                        guint64   n_events) {
  SeekStart start;

  find_start (self, n_events, &start);
  seek_start_clear (&start);
  return start.cost_ns / 100;
}

static void
keep_recent (Timeline *self,
             Fold     *fold) {
  g_autoptr (GPtrArray) dropped
      = g_ptr_array_new_with_free_func ((GDestroyNotify)map_state_unref);
  MapState *state = fold_ref_state (fold);

  pthread_mutex_lock (&self->lock);
  keyframes_add_recent (&self->keyframes, state, dropped);
  pthread_mutex_unlock (&self->lock);
}

/* Blocks that a second thread unpacks, into the log's cache, while the first one
 * folds them. */
typedef struct {
  TraceLog       *log;
  guint64         next; /* index in the block to be unpacked next; the helper's */
  guint64         end;
  pthread_mutex_t lock; /* guards the two below */
  pthread_cond_t  moved;
  guint64         at;   /* where the fold stands; G_MAXUINT64: it is over */
} Ahead;

/* Waits until the fold is near; FALSE: it is over. */
static gboolean
wait_for_fold (Ahead *ahead) {
  gboolean is_over;

  pthread_mutex_lock (&ahead->lock);
  while (ahead->at != G_MAXUINT64
         && ahead->at + BLOCKS_AHEAD * TRACE_BLOCK_EVENTS < ahead->next)
    pthread_cond_wait (&ahead->moved, &ahead->lock);
  is_over = ahead->at == G_MAXUINT64;
  pthread_mutex_unlock (&ahead->lock);
  return !is_over;
}

static void
tell_ahead (Ahead  *ahead,
            guint64 at) {
  pthread_mutex_lock (&ahead->lock);
  ahead->at = at;
  pthread_cond_signal (&ahead->moved);
  pthread_mutex_unlock (&ahead->lock);
}

static void
unpack_ahead_cb (gpointer data) {
  Ahead *ahead = data;

  while (ahead->next < ahead->end && wait_for_fold (ahead)) {
    TraceBlock *block = tracelog_ref_block (ahead->log, ahead->next);

    if (block == NULL)
      return;
    ahead->next = block->first + block->n_events;
    trace_block_unref (block);
  }
}

/* Folds on to position @n_events; FALSE: cancelled, or the log ends before. */
static gboolean
advance (Timeline     *self,
         Fold         *fold,
         guint64       n_events,
         gboolean      has_help,
         GCancellable *cancellable) {
  guint64 position = fold_n_events (fold);
  Ahead ahead = { .log = self->log, .next = position + TRACE_BLOCK_EVENTS,
                  .end = n_events, .lock = PTHREAD_MUTEX_INITIALIZER,
                  .moved = PTHREAD_COND_INITIALIZER, .at = position };
  Helper *helper = NULL;
  gboolean is_whole = TRUE;

  if (has_help && n_events - position > 2 * TRACE_BLOCK_EVENTS)
    helper = helper_call (unpack_ahead_cb, &ahead);
  while (is_whole && (position = fold_n_events (fold)) < n_events) {
    g_autoptr (TraceBlock) block = NULL;
    guint64 end;

    if (!g_cancellable_is_cancelled (cancellable))
      block = tracelog_ref_block (self->log, position);
    is_whole = block != NULL;
    if (!is_whole)
      break;
    end = MIN (n_events, block->first + block->n_events);
    fold_apply_many (fold, block->events + (position - block->first),
                     (guint)(end - position));
    if (helper != NULL)
      tell_ahead (&ahead, end);
  }
  tell_ahead (&ahead, G_MAXUINT64);
  helper_dismiss (helper);
  pthread_cond_destroy (&ahead.moved);
  pthread_mutex_destroy (&ahead.lock);
  return is_whole;
}

/* (transfer full): a fold at the start; from the log's beginning when the bytes
 * of a packed state are no good. */
static Fold *
begin_seek (const SeekStart *start,
            gboolean         has_help) {
  MapState *state;

  if (start->state != NULL)
    return fold_new_from_state (start->state);
  state = start->packed != NULL ? packed_state_restore (start->packed, has_help)
                                : NULL;
  if (state != NULL && map_state_n_events (state) == start->from)
    return fold_new_taking (state);
  g_clear_pointer (&state, map_state_unref);
  return fold_new ();
}

/* Crumbs of a far seek. */
typedef struct {
  Timeline *timeline;
  guint64   position;
  guint     number; /* n_seeks then */
} CrumbJob;

static gboolean
is_newest_seek (const CrumbJob *job) {
  gboolean is_newest;

  pthread_mutex_lock (&job->timeline->lock);
  is_newest = job->timeline->n_seeks == job->number
              && !job->timeline->is_stopping;
  pthread_mutex_unlock (&job->timeline->lock);
  return is_newest;
}

static void
leave_crumbs_cb (gpointer data) {
  CrumbJob *job = data;
  guint64 first = job->position - MIN (job->position, crumbs[0]);
  g_autoptr (Fold) fold = NULL;
  SeekStart start;

  if (is_newest_seek (job)) {
    find_start (job->timeline, first, &start);
    fold = begin_seek (&start, FALSE);
    seek_start_clear (&start);
  }
  for (guint i = 0; fold != NULL && i < G_N_ELEMENTS (crumbs); i++) {
    guint64 place = job->position - MIN (job->position, crumbs[i]);

    if (!is_newest_seek (job)
        || !advance (job->timeline, fold, place, FALSE, NULL))
      break;
    keep_recent (job->timeline, fold);
  }
  timeline_unref (job->timeline);
  g_free (job);
}

static void
leave_crumbs (Timeline *self,
              guint64   position,
              guint     number) {
  CrumbJob *job = g_new0 (CrumbJob, 1);

  job->timeline = timeline_ref (self);
  job->position = position;
  job->number = number;
  if (!helper_later (leave_crumbs_cb, job)) {
    timeline_unref (self);
    g_free (job);
  }
}

MapState *
timeline_seek (Timeline     *self,
               guint64       n_events,
               GCancellable *cancellable) {
  g_autoptr (Fold) fold = NULL;
  SeekStart start;
  gboolean is_far;
  guint number = 0;

  find_start (self, n_events, &start);
  if (start.state != NULL && start.from == start.to) {
    MapState *state = g_steal_pointer (&start.state);

    seek_start_clear (&start);
    return state;
  }
  is_far = start.packed != NULL && start.cost_ns > CRUMB_COST_NS;
  if (is_far) {
    pthread_mutex_lock (&self->lock);
    number = ++self->n_seeks;
    keyframes_begin_family (&self->keyframes);
    pthread_mutex_unlock (&self->lock);
  }
  fold = begin_seek (&start, TRUE);
  seek_start_clear (&start);
  if (advance (self, fold, start.to, TRUE, cancellable)) {
    keep_recent (self, fold);
    if (is_far)
      leave_crumbs (self, start.to, number);
  }
  return fold_ref_state (fold);
}
