/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline.c — a log, addressable by event and by time
 *
 * Follower    One thread folds each published event once, in slices of a few
 *             thousand, and brings the sums up to date; after each slice it
 *             shows them under the lock. While the log grows it looks for more
 *             every few milliseconds; when the log is finished and folded, it goes
 *             through the log once more to leave key-frames as near as seeks want them,
 *             gives way to all others meanwhile, and ends.
 *
 * Seek        is in timeline-seek.c. While one is under way, which takes two
 *             processors, the follower of a finished log waits; but not for ever:
 *             a playhead that is dragged must not keep the log from being folded.
 *
 * Threads     lock guards what the follower and the callers share; it is held
 *             for some copies, or one query, at the longest. The fold and the
 *             sums under way belong to the follower alone. States are immutable.
 *             Lock order: gate, lock; see timeline_lock(). What a window asks in
 *             every frame takes no lock: it would have to be woken first when it had
 *             to wait.
 *
 * Rest        The follower sleeps on a semaphore, which nobody waits for who posts it.
 *             A condition variable is not so: who signals it again waits until those
 *             that were woken before have gone on, and a follower behind the window
 *             (rank.h) does that when nothing else wants the processor. 244 ms were
 *             seen, in a step of one event.
 */
#include "core/state/helper.h"
#include "core/state/timeline-private.h"

#include "core/base/rank.h"
#include "core/state/chunk-pool.h"
#include "core/state/fold-private.h"
#include "core/state/log-ahead.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define POLL_NS (4 * 1000 * 1000)
#define PUBLISH_US (8 * 1000)
/* Folding on after a state was shown copies what it touches. So that this stays
 * the lesser part, large states are shown less often: a megabyte, 2 ms; of a log
 * that was opened, where nobody waits for the newest, 8 ms. */
#define PUBLISH_BYTES_PER_US 512
#define PUBLISH_OPENED_BYTES_PER_US 128
/* Events between two looks at the clock and at the stop flag. */
#define SLICE_EVENTS 2048u
#define NICE_FOLLOWING 5
#define NICE_LATER 10
/* How long it gives way in one go, longer than a seek should take, and how long it
 * works then. Free choices: a fifth is left when there is always a seek. */
#define GIVE_WAY_NS (200 * 1000 * 1000)
#define WORK_US (50 * 1000)
/* What lies ready when all is settled: what one seek after another takes and gives. */
#define SEEK_STATES 3u

void
timeline_lock (Timeline *self) {
  pthread_mutex_lock (&self->gate);
  pthread_mutex_lock (&self->lock);
  pthread_mutex_unlock (&self->gate);
}

void
timeline_unlock (Timeline *self) {
  pthread_mutex_unlock (&self->lock);
}

static gboolean
is_stopping (Timeline *self) {
  return atomic_load_explicit (&self->is_stopping, memory_order_relaxed);
}

static struct timespec
time_in (gint64 ns) {
  struct timespec until;

  clock_gettime (CLOCK_MONOTONIC, &until);
  until.tv_nsec += ns;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  return until;
}

/* The follower: until timeline_wake_follower(), once for each of them; FALSE: it became
 * @until before. */
static gboolean
rest_until (Timeline              *self,
            const struct timespec *until) {
  int result;

  while ((result = sem_clockwait (&self->rest, CLOCK_MONOTONIC, until)) != 0
         && errno == EINTR)
    ;
  return result == 0;
}

void
timeline_wake_follower (Timeline *self) {
  sem_post (&self->rest);
}

static void
wait_a_while (Timeline *self) {
  struct timespec until = time_in (POLL_NS);

  if (!is_stopping (self))
    rest_until (self, &until);
}

/* Waits for seeks, up to GIVE_WAY_NS; then WORK_US are the follower's own. */
static void
give_way (Timeline *self) {
  struct timespec until;
  gboolean is_patient = TRUE;

  if (atomic_load_explicit (&self->n_seeks, memory_order_relaxed) == 0
      || g_get_monotonic_time () < self->works_until_us)
    return;
  until = time_in (GIVE_WAY_NS);
  atomic_store (&self->is_giving_way, TRUE);
  while (is_patient && !is_stopping (self) && atomic_load (&self->n_seeks) > 0)
    is_patient = rest_until (self, &until);
  atomic_store (&self->is_giving_way, FALSE);
  if (!is_patient)
    self->works_until_us = g_get_monotonic_time () + WORK_US;
}

/* Shows the folded state to the callers. */
static void
publish (Timeline *self,
         gboolean  is_complete) {
  MapState *head = fold_ref_state (self->fold);
  MapState *former;

  sums_sample (&self->sums, head);
  timeline_lock (self);
  former = self->head;
  self->head = head;
  self->length = map_state_n_events (head);
  self->duration_ns = map_state_at_ns (head);
  self->n_faults = fold_n_faults (self->fold);
  if (self->first_fault == NULL)
    self->first_fault = g_strdup (fold_first_fault (self->fold));
  sums_show (&self->sums);
  self->is_complete = is_complete;
  atomic_store_explicit (&self->duration_ns_now, self->duration_ns,
                         memory_order_release);
  atomic_store_explicit (&self->length_now, self->length, memory_order_release);
  atomic_store_explicit (&self->is_complete_now, is_complete,
                         memory_order_release);
  if (is_complete)
    pthread_cond_broadcast (&self->woken);
  timeline_unlock (self);
  map_state_unref (former);
}

static void
note_block_kinds (Timeline   *self,
                  guint64     index,
                  EventKinds  kinds) {
  EventKinds *place = pile_make (&self->block_kinds, index / TRACE_BLOCK_EVENTS);

  if (place != NULL)
    *place |= kinds;
}

/* A slice on its way through sums, landmarks and fold. */
typedef struct {
  Timeline  *timeline;
  guint64    index;
  EventKinds kinds;
  EventKinds structural;
} SliceVisit;

static void
visit_of_slice (const Event    *event,
                const MapState *before,
                gpointer        data) {
  SliceVisit *slice = data;
  EventKinds kind = EVENT_KIND_BIT (event->kind & 63);

  slice->kinds |= kind;
  sums_add (&slice->timeline->sums, event, before);
  if ((kind & slice->structural) != 0)
    landmarks_add (&slice->timeline->landmarks, slice->index, event, before);
  slice->index++;
}

/* Folds the events [@from, @to) of @block. */
static void
fold_slice (Timeline         *self,
            const TraceBlock *block,
            guint             from,
            guint             to) {
  SliceVisit slice = { .timeline = self,
                       .index = block->first + from,
                       .structural = event_kinds_structural () };

  fold_visit_many (self->fold, block->events + from, to - from, visit_of_slice,
                   &slice);
  note_block_kinds (self, block->first, slice.kinds);
  if ((slice.kinds & slice.structural) != 0)
    landmarks_show (&self->landmarks, self);
  timeline_lock (self);
  sums_show (&self->sums);
  timeline_unlock (self);
}

/* How long a state that was shown stands, at the least. */
static gint64
publish_period_us (Timeline *self,
                   gboolean  is_finished) {
  gsize bytes = map_state_bytes (fold_peek_state (self->fold));

  return PUBLISH_US + (gint64)(bytes / (is_finished ? PUBLISH_OPENED_BYTES_PER_US
                                                    : PUBLISH_BYTES_PER_US));
}

/* Folds on to @length, publishing now and then. */
static void
fold_to (Timeline *self,
         guint64   length,
         gboolean  is_finished) {
  gint64 published_us = g_get_monotonic_time ();
  guint64 position = fold_n_events (self->fold);
  /* While a log grows others need the processors. */
  g_autoptr (LogAhead) ahead
      = log_ahead_new (self->log, position, length,
                       is_finished ? LOG_AHEAD_BEHIND : LOG_AHEAD_ALONE);

  while ((position = fold_n_events (self->fold)) < length
         && !is_stopping (self)) {
    const TraceBlock *block = log_ahead_get (ahead, position);
    guint64 due = keyframes_next (&self->keyframes);
    guint64 end;

    if (block == NULL)
      return;
    end = MIN (length, block->first + block->n_events);
    end = MIN (end, position + SLICE_EVENTS);
    if (due > position)
      end = MIN (end, due);
    if (is_finished)
      give_way (self);
    fold_slice (self, block, (guint)(position - block->first),
                (guint)(end - block->first));
    if (end >= due)
      keyframes_add (&self->keyframes, fold_peek_state (self->fold), FALSE,
                     &self->lock);
    if (g_get_monotonic_time () - published_us
        >= publish_period_us (self, is_finished)) {
      publish (self, FALSE);
      published_us = g_get_monotonic_time ();
    }
  }
}

/* A gap being closed. */
typedef struct {
  guint64      step;      /* between key-frames */
  guint64      part;      /* between states that are kept */
  guint64      end;
  guint64      base_at;
  MapState    *base;      /* the last key-frame, unpacked */
  PackedState *packed;    /* and packed */
  gboolean     is_beyond; /* states differ too much from it */
  guint64      early_bytes; /* for key-frames while tables grow, of all gaps */
} Gap;

static void
gap_clear (Gap *gap) {
  g_clear_pointer (&gap->base, map_state_unref);
  g_clear_pointer (&gap->packed, packed_state_unref);
}

/* The fold stands where a key-frame was left; FALSE: it is lost already. */
static gboolean
gap_begin_base (Timeline *self,
                Gap      *gap,
                Fold     *fold) {
  guint64 position;

  gap_clear (gap);
  timeline_lock (self);
  gap->packed = keyframes_ref_packed (&self->keyframes, fold_n_events (fold),
                                      &position);
  timeline_unlock (self);
  gap->base_at = position;
  gap->is_beyond = FALSE;
  if (gap->part < gap->step)
    gap->base = fold_ref_state (fold);
  return position == fold_n_events (fold);
}

/* How much of the room may go for whole states where changed ones would do but for
 * growth: a free choice. Maps that grow all the time must not have it all. */
#define EARLY_SHARE 4u

/* Whether a state that grew may be kept whole before its time. */
static gboolean
may_be_early (Gap *gap) {
  guint64 size = packed_state_size (gap->packed);

  if (gap->early_bytes < size)
    return FALSE;
  gap->early_bytes -= size;
  return TRUE;
}

/* Leaves the state of the fold: as a key-frame where one is due, or where it
 * differs too much from the last; FALSE: there is no room. */
static gboolean
gap_leave (Timeline *self,
           Gap      *gap,
           Fold     *fold) {
  const MapState *state = fold_peek_state (fold);
  guint64 since = fold_n_events (fold) - gap->base_at;

  if (since < gap->step) {
    ChangedFit fit = gap->is_beyond
                         ? CHANGED_TOO_MUCH
                         : keyframes_add_changed (&self->keyframes, state,
                                                  gap->base, gap->packed,
                                                  &self->lock);

    if (fit == CHANGED_FITS || fit == CHANGED_NO_ROOM)
      return fit == CHANGED_FITS;
    if (fit == CHANGED_TOO_MUCH || !may_be_early (gap)) {
      gap->is_beyond = TRUE;
      g_clear_pointer (&gap->base, map_state_unref);
      if (since < gap->step / 2)
        return TRUE;
    }
  }
  if (!keyframes_add (&self->keyframes, state, TRUE, &self->lock))
    return FALSE;
  return gap_begin_base (self, gap, fold);
}

/* (transfer full): a fold at the key-frame @from; NULL: it is damaged. */
static Fold *
begin_gap (Timeline *self,
           guint64   from) {
  guint64 position = from;
  PackedState *packed;
  MapState *state;

  timeline_lock (self);
  packed = keyframes_ref_packed (&self->keyframes, from, &position);
  timeline_unlock (self);
  state = packed_state_restore (packed, FALSE);
  packed_state_unref (packed);
  if (state != NULL && position == from)
    return fold_new_taking (state);
  g_clear_pointer (&state, map_state_unref);
  return NULL;
}

static gsize
most_bytes (Timeline *self) {
  gsize bytes;

  timeline_lock (self);
  bytes = self->keyframes.most_bytes;
  timeline_unlock (self);
  return bytes;
}

static gsize
lasting_bytes (Timeline *self) {
  gsize bytes;

  timeline_lock (self);
  bytes = self->keyframes.lasting_bytes;
  timeline_unlock (self);
  return bytes;
}

/* Has memory ready for the state of a far seek: after it seeks live on what they
 * leave. */
static void
prepare_seeks (Timeline *self) {
  gsize bytes = most_bytes (self);

  if (bytes > 0)
    chunk_pool_prepare (bytes);
}

/* Folds on from a key-frame to leave more states before the gap's end; FALSE:
 * there is no room, or the timeline is given up. */
static gboolean
close_gap (Timeline *self,
           guint64   from,
           Gap      *gap) {
  g_autoptr (Fold) fold = begin_gap (self, from);
  g_autoptr (LogAhead) ahead
      = log_ahead_new (self->log, from, gap->end, LOG_AHEAD_BEHIND);
  guint64 position = from, due = from + gap->part;

  if (fold != NULL && !gap_begin_base (self, gap, fold))
    return FALSE;
  while (fold != NULL && position < gap->end && !is_stopping (self)) {
    const TraceBlock *block = log_ahead_get (ahead, position);
    guint64 to;

    if (block == NULL)
      return FALSE;
    give_way (self);
    to = MIN (MIN (due, gap->end), block->first + block->n_events);
    fold_apply_many (fold, block->events + (position - block->first),
                     (guint)(to - position));
    position = to;
    if (position == due && position < gap->end) {
      if (!gap_leave (self, gap, fold))
        return FALSE;
      /* What seeks have taken meanwhile. */
      prepare_seeks (self);
      due += gap->part;
    }
  }
  return position >= gap->end;
}

static void
close_gaps (Timeline *self) {
  guint64 from = 0;
  gboolean goes_on = TRUE;
  guint n_changed;
  Gap gap = { .early_bytes = keyframes_room_left (&self->keyframes)
                             / EARLY_SHARE };

  /* This thread's alone, on Linux: others have the processor before. */
  (void)!nice (NICE_LATER);
  while (goes_on && keyframes_find_gap (&self->keyframes, self->length, &from,
                                        &gap.step, &n_changed, &gap.end)) {
    gap.part = (gap.step + n_changed - 1) / n_changed;
    goes_on = close_gap (self, from, &gap);
    gap_clear (&gap);
    from = gap.end;
  }
}

/* There are key-frames all over now, and memory is wanted to put more between them. */
static void
end_early (Timeline *self) {
  g_autoptr (GPtrArray) dropped
      = g_ptr_array_new_with_free_func ((GDestroyNotify)map_state_unref);

  keyframes_drop_scratch (&self->keyframes);
  timeline_lock (self);
  keyframes_end_early (&self->keyframes, dropped);
  timeline_unlock (self);
}

/* Memory that was ready for another recording's states is nobody's now. What malloc()
 * keeps of folding and packing is left to it: a twentieth, and it would be locked for
 * milliseconds, by a thread that may be stopped meanwhile. */
static void
settle (Timeline *self) {
  keyframes_settle (&self->keyframes);
  chunk_pool_keep (KEYFRAMES_READY_STATES (lasting_bytes (self)));
  chunk_pool_trim (SEEK_STATES * most_bytes (self));
  prepare_seeks (self);
  timeline_lock (self);
  self->is_settled = TRUE;
  pthread_cond_broadcast (&self->woken);
  timeline_unlock (self);
}

static gpointer
follow (gpointer data) {
  Timeline *self = data;

  rank_step_back (NICE_FOLLOWING);
  rank_go_behind_window (false);
  while (!is_stopping (self)) {
    /* Finished first: a length read after it is the last one. */
    gboolean is_finished = tracelog_is_finished (self->log);
    guint64 length = tracelog_get_length (self->log);

    if (fold_n_events (self->fold) < length) {
      fold_to (self, length, is_finished);
      publish (self, FALSE);
    } else if (is_finished) {
      sums_close_keys (&self->sums);
      publish (self, TRUE);
      end_early (self);
      prepare_seeks (self);
      close_gaps (self);
      settle (self);
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

  self->ref_count = 1;
  self->log = tracelog_ref (log);
  self->fold = fold_new ();
  self->head = fold_ref_state (self->fold);
  self->crumbs_at = G_MAXUINT64;
  self->left = g_ptr_array_new_with_free_func ((GDestroyNotify)map_state_unref);
  pthread_mutex_init (&self->gate, NULL);
  pthread_mutex_init (&self->lock, NULL);
  sem_init (&self->rest, 0, 0);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->woken, &attributes);
  pthread_condattr_destroy (&attributes);
  keyframes_init (&self->keyframes);
  sums_init (&self->sums);
  landmarks_init (&self->landmarks);
  pile_init (&self->block_kinds, sizeof (EventKinds));
  keyframes_add (&self->keyframes, self->head, FALSE, &self->lock);
  keyframes_take_recorded (&self->keyframes, log);
  self->has_handed = self->keyframes.handed->len > 0;
  helper_prepare (); /* the follower works behind the window, and would make them so */
  self->follower = g_thread_new ("timeline", follow, self);
  return self;
}

Timeline *
timeline_ref (Timeline *self) {
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
timeline_unref (Timeline *self) {
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  atomic_store_explicit (&self->is_stopping, TRUE, memory_order_relaxed);
  timeline_wake_follower (self);
  g_thread_join (self->follower);

  fold_free (self->fold);
  map_state_unref (self->head);
  keyframes_clear (&self->keyframes);
  g_ptr_array_unref (self->left);
  g_clear_object (&self->crumbs);
  sums_clear (&self->sums);
  landmarks_clear (&self->landmarks);
  pile_clear (&self->block_kinds);
  g_free (self->first_fault);
  sem_destroy (&self->rest);
  pthread_cond_destroy (&self->woken);
  pthread_mutex_destroy (&self->lock);
  pthread_mutex_destroy (&self->gate);
  tracelog_unref (self->log);
  g_free (self);
}

TraceLog *
timeline_get_log (Timeline *self) {
  return self->log;
}

guint64
timeline_get_length (Timeline *self) {
  return atomic_load_explicit (&self->length_now, memory_order_acquire);
}

gint64
timeline_get_duration_ns (Timeline *self) {
  return atomic_load_explicit (&self->duration_ns_now, memory_order_acquire);
}

gboolean
timeline_is_complete (Timeline *self) {
  return atomic_load_explicit (&self->is_complete_now, memory_order_acquire);
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

  timeline_lock (self);
  head = map_state_ref (self->head);
  timeline_unlock (self);
  return head;
}

guint64
timeline_get_n_faults (Timeline *self,
                       char    **first) {
  guint64 n_faults;

  timeline_lock (self);
  n_faults = self->n_faults;
  if (first != NULL)
    *first = g_strdup (self->first_fault);
  timeline_unlock (self);
  return n_faults;
}
