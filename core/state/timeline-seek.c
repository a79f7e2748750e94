/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-seek.c — the state at any position of a log
 *
 * Seek        From a recent state, when that is near, else from the key-frame
 *             before the place, restored by two threads; then forward over the
 *             log, whose blocks the second thread unpacks ahead.
 *
 * Steps       The steps back that often follow a far seek would each be a far seek
 *             again. So after one, when its place has stood for a moment, a thread
 *             leaves states at a few places before it (crumbs), from which a step
 *             is short. The next far seek calls that off: who drags the playhead
 *             needs no crumbs, and needs both processors. A very far seek, which
 *             would keep the thread for as long again, leaves the first itself.
 *
 * Threads     any; lock is held for a look at the key-frames, not for a fold.
 *             What a seek has no use for any more is freed by the crumbs' thread.
 */
#include "core/state/timeline-private.h"

#include "core/record/trace-keyframe.h"
#include "core/state/chunk-pool.h"
#include "core/state/fold-private.h"
#include "core/state/helper.h"
#include "core/state/log-ahead.h"

#include <string.h>
#include <time.h>

/* Where a far seek has states left, in events before its end. A thousand folds on
 * shared chunks are a third of a millisecond, and a step may come when there is only
 * the first. */
static const guint crumbs[] = { 2560, 1792, 1024, 512, 256, 64 };
/* One of so many events leaves them on its way: it takes longer than they do, by far,
 * and to come there once more would take as long again. */
#define VERY_FAR_EVENTS 131072u
/* Where a far seek leaves one at once, for the steps that come before those: the first
 * few folds on shared chunks are a microsecond each. */
#define FIRST_CRUMB 8u
/* Where a step back leaves one, when there is none so near. */
#define STEP_CRUMB 64u
/* What is left to step back before more states are made. */
#define TRAIL_EVENTS 256u
/* From a state no further away it is a step. */
#define STEP_EVENTS 4096u
/* A seek that costs less needs none. */
#define CRUMB_COST_NS 500000
/* A free choice: a frame. */
#define CRUMB_WAIT_NS (16 * 1000 * 1000)
/* Blocks unpacked while a state is restored. */
#define BLOCKS_AHEAD 8u

void
timeline_add_keyframe (Timeline  *self,
                       guint64    n_events,
                       GPtrArray *frames) {
  pthread_mutex_lock (&self->lock);
  keyframes_hand_in (&self->keyframes, n_events, frames);
  pthread_mutex_unlock (&self->lock);
  atomic_store_explicit (&self->has_handed, TRUE, memory_order_relaxed);
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
  guint64      packed_ns;  /* what it costs from a packed one */
  gboolean     is_awaited; /* crumbs will soon be there */
  gboolean     is_back;    /* there was a seek to shortly behind */
  gboolean     is_last;    /* who steps back will soon have no state before */
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
/* What is near: a block to be unpacked or two, and little to copy. A packed state
 * is far, unless it is as good as empty: memory that nobody had yet, and a helper
 * that has to be woken, made milliseconds of what is restored in microseconds. */
#define NEAR_EVENTS TRACE_BLOCK_EVENTS
#define NEAR_COST_NS 500000
#define NEAR_BYTES 16384u

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

guint64
timeline_clamp (Timeline *self,
                guint64   n_events) {
  gboolean has_handed
      = atomic_load_explicit (&self->has_handed, memory_order_relaxed);

  return MIN (n_events, has_handed ? tracelog_get_length (self->log)
                                   : timeline_get_length (self));
}

/* The cheaper start; start->to is @n_events, clamped. */
static void
find_start (Timeline  *self,
            guint64    n_events,
            SeekStart *start) {
  MapState *state;

  memset (start, 0, sizeof *start);
  start->to = timeline_clamp (self, n_events);
  timeline_lock (self);
  state = keyframes_find_recent (&self->keyframes, start->to);
  if (map_state_n_events (self->head) <= start->to
      && (state == NULL
          || map_state_n_events (self->head) > map_state_n_events (state)))
    state = self->head;
  start->packed = keyframes_ref_packed (&self->keyframes, start->to, &start->from);
  if (start->packed != NULL)
    start->cost_ns = start->packed_ns
        = cost_from_packed (start->packed, start->to - start->from);
  start->is_awaited = self->crumbs_at != G_MAXUINT64 && start->to <= self->crumbs_at
                      && self->crumbs_at - start->to < crumbs[0];
  start->is_back = keyframes_count_recent (&self->keyframes, start->to + 1,
                                           start->to + STEP_CRUMB) > 0;
  start->is_last
      = keyframes_count_recent (&self->keyframes,
                                start->to - MIN (start->to, crumbs[0]),
                                start->to - MIN (start->to, TRAIL_EVENTS)) == 0;
  if (state != NULL
      && (start->packed == NULL
          || cost_from_state (state, start->to - map_state_n_events (state))
                 <= start->cost_ns)) {
    start->from = map_state_n_events (state);
    start->cost_ns = cost_from_state (state, start->to - start->from);
    start->state = map_state_ref (state);
    g_clear_pointer (&start->packed, packed_state_unref);
  }
  timeline_unlock (self);
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

TimelineReach
timeline_reach (Timeline *self,
                guint64   n_events) {
  TimelineReach reach = REACH_FAR;
  SeekStart start;

  find_start (self, n_events, &start);
  if (start.to - start.from <= NEAR_EVENTS
      && (start.state != NULL
              ? start.cost_ns <= NEAR_COST_NS
              : start.packed != NULL
                    && packed_state_size (start.packed) <= NEAR_BYTES))
    reach = tracelog_is_at_hand (self->log, start.from, start.to) ? REACH_AT_HAND
                                                                  : REACH_NEAR;
  seek_start_clear (&start);
  return reach;
}

gboolean
timeline_is_near (Timeline *self,
                  guint64   n_events) {
  return timeline_reach (self, n_events) != REACH_FAR;
}

/* Frees what seeks have dropped, without the lock. */
static void
free_left (Timeline *self) {
  GPtrArray *empty
      = g_ptr_array_new_with_free_func ((GDestroyNotify)map_state_unref);
  GPtrArray *left;

  timeline_lock (self);
  left = self->left;
  self->left = empty;
  timeline_unlock (self);
  g_ptr_array_unref (left);
}

static void
free_left_cb (gpointer data) {
  free_left (data);
  timeline_unref (data);
}

static void
keep_recent (Timeline  *self,
             Fold      *fold,
             RecentKind kind) {
  MapState *state = fold_ref_state (fold);
  gboolean is_any_left;

  timeline_lock (self);
  keyframes_add_recent (&self->keyframes, state, kind, self->left);
  is_any_left = self->left->len > 0;
  timeline_unlock (self);
  if (is_any_left && !helper_tidy (free_left_cb, timeline_ref (self)))
    free_left_cb (self);
}

/* Folds on to position @n_events; FALSE: cancelled, or the log ends before. */
static gboolean
advance (Timeline     *self,
         Fold         *fold,
         guint64       n_events,
         gboolean      has_help,
         GCancellable *cancellable) {
  guint64 position = fold_n_events (fold);
  g_autoptr (LogAhead) ahead
      = log_ahead_new (self->log, position, n_events,
                       has_help ? LOG_AHEAD_AT_ONCE : LOG_AHEAD_ALONE);

  while ((position = fold_n_events (fold)) < n_events) {
    const TraceBlock *block = NULL;
    guint64 end;

    if (!g_cancellable_is_cancelled (cancellable))
      block = log_ahead_get (ahead, position);
    if (block == NULL)
      return FALSE;
    end = MIN (n_events, block->first + block->n_events);
    fold_apply_many (fold, block->events + (position - block->first),
                     (guint)(end - position));
  }
  return TRUE;
}

/* Restores, while the helper unpacks the first blocks that will be folded, before
 * it takes its part in that. The log keeps them. */
static MapState *
restore_start (Timeline        *self,
               const SeekStart *start,
               gboolean         has_help) {
  guint64 end = MIN (start->to,
                     start->from + BLOCKS_AHEAD * TRACE_BLOCK_EVENTS);
  gboolean is_worth_it = has_help
                         && packed_state_size (start->packed) > NEAR_BYTES;
  g_autoptr (LogAhead) ahead
      = log_ahead_new (self->log, start->from, end,
                       is_worth_it ? LOG_AHEAD_AT_ONCE : LOG_AHEAD_ALONE);

  log_ahead_begin (ahead);
  return packed_state_restore (start->packed, has_help);
}

/* (transfer full): a fold at the start. Where the bytes of a packed state are no
 * good, at another one, which is the start then. */
static Fold *
begin_seek (Timeline  *self,
            SeekStart *start,
            gboolean   has_help) {
  while (start->state == NULL && start->packed != NULL) {
    MapState *state = restore_start (self, start, has_help);
    guint64 to = start->to;

    if (state != NULL && map_state_n_events (state) == start->from)
      return fold_new_taking (state);
    g_clear_pointer (&state, map_state_unref);
    packed_state_lose (start->packed);
    seek_start_clear (start);
    find_start (self, to, start);
  }
  return start->state != NULL ? fold_new_from_state (start->state) : fold_new ();
}

/* Crumbs of a far seek. */
typedef struct {
  Timeline     *timeline;
  guint64       position;
  GCancellable *cancellable; /* cancelled: there was another seek */
} CrumbJob;

/* Until the place has stood for long enough; FALSE: it does not. */
static gboolean
wait_for_rest (const CrumbJob *job) {
  Timeline *timeline = job->timeline;
  struct timespec until;
  int error = 0;

  clock_gettime (CLOCK_MONOTONIC, &until);
  until.tv_nsec += CRUMB_WAIT_NS;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  pthread_mutex_lock (&timeline->lock);
  while (error == 0 && !g_cancellable_is_cancelled (job->cancellable))
    error = pthread_cond_timedwait (&timeline->woken, &timeline->lock, &until);
  pthread_mutex_unlock (&timeline->lock);
  return !g_cancellable_is_cancelled (job->cancellable);
}

/* Leaves those before @position. */
static void
fold_crumbs (Timeline     *self,
             Fold         *fold,
             guint64       position,
             gboolean      has_help,
             GCancellable *cancellable) {
  for (guint i = 0; i < G_N_ELEMENTS (crumbs); i++) {
    if (!advance (self, fold, position - MIN (position, crumbs[i]), has_help,
                  cancellable))
      return;
    keep_recent (self, fold, RECENT_CRUMB);
  }
}

static void
end_crumbs (CrumbJob *job) {
  timeline_lock (job->timeline);
  if (job->timeline->crumbs == job->cancellable)
    job->timeline->crumbs_at = G_MAXUINT64;
  timeline_unlock (job->timeline);
  timeline_unref (job->timeline);
  g_object_unref (job->cancellable);
  g_free (job);
}

static void
leave_crumbs_cb (gpointer data) {
  CrumbJob *job = data;
  guint64 first = job->position - MIN (job->position, crumbs[0]);
  g_autoptr (Fold) fold = NULL;
  SeekStart start;

  if (wait_for_rest (job)) {
    find_start (job->timeline, first, &start);
    fold = begin_seek (job->timeline, &start, FALSE);
    seek_start_clear (&start);
  }
  if (fold != NULL)
    fold_crumbs (job->timeline, fold, job->position, FALSE, job->cancellable);
  end_crumbs (job);
}

/* Takes over @cancellable. */
static void
leave_crumbs (Timeline     *self,
              guint64       position,
              GCancellable *cancellable) {
  CrumbJob *job = g_new0 (CrumbJob, 1);

  job->timeline = timeline_ref (self);
  job->position = position;
  job->cancellable = cancellable;
  timeline_lock (self);
  if (self->crumbs == cancellable)
    self->crumbs_at = position;
  timeline_unlock (self);
  if (!helper_tidy (leave_crumbs_cb, job))
    end_crumbs (job);
}

/* (transfer full): what will call off the crumbs to come. Those under way are. */
static GCancellable *
renew_crumbs_locked (Timeline *self) {
  g_cancellable_cancel (self->crumbs);
  g_clear_object (&self->crumbs);
  self->crumbs = g_cancellable_new ();
  self->crumbs_at = G_MAXUINT64;
  pthread_cond_broadcast (&self->woken);
  return g_object_ref (self->crumbs);
}

/* Likewise, for a far seek. From a packed state it begins a family of states; from
 * another one it belongs to that one's, which stays as something to start from. */
static GCancellable *
begin_far_seek (Timeline *self,
                gboolean  is_from_packed) {
  GCancellable *cancellable;
  gsize wanted;

  timeline_lock (self);
  cancellable = renew_crumbs_locked (self);
  keyframes_begin_trail (&self->keyframes);
  if (is_from_packed)
    keyframes_begin_family (&self->keyframes);
  wanted = self->keyframes.most_bytes;
  timeline_unlock (self);
  /* The kernel would take far longer to give as much. */
  if (!chunk_pool_has_ready (wanted)) {
    timeline_lock (self);
    keyframes_drop_far (&self->keyframes, self->left);
    timeline_unlock (self);
    free_left (self);
  }
  return cancellable;
}

/* Between these the follower gives way, and what frees and unmaps what seeks leave
 * behind waits: it would take a processor or interrupt it, and memory. They count a
 * reference: whoever frees the timeline, having waited for this thread or not, then
 * comes after it for race detectors too, which do not see how GTasks wait. */
static void
begin_hurry (Timeline *self) {
  atomic_fetch_add (&timeline_ref (self)->n_seeks, 1);
  helper_hold ();
}

/* In one order with give_way(): it sees that there is no seek, or is seen here. */
static void
end_hurry (Timeline *self) {
  helper_release ();
  if (atomic_fetch_sub (&self->n_seeks, 1) == 1
      && atomic_load (&self->is_giving_way))
    timeline_wake_follower (self);
  timeline_unref (self);
}

gboolean
timeline_advance_fold (Timeline     *self,
                       Fold         *fold,
                       guint64       n_events,
                       GCancellable *cancellable) {
  gboolean is_whole;

  begin_hurry (self);
  is_whole = advance (self, fold, n_events, TRUE, cancellable);
  end_hurry (self);
  return is_whole;
}

Fold *
timeline_begin_fold (Timeline     *self,
                     guint64       n_events,
                     GCancellable *cancellable) {
  SeekStart start;
  Fold *fold;

  begin_hurry (self);
  find_start (self, n_events, &start);
  fold = begin_seek (self, &start, TRUE);
  seek_start_clear (&start);
  advance (self, fold, n_events, TRUE, cancellable);
  end_hurry (self);
  return fold;
}

/* Steps back have come to the last state there is: more are left before it. */
static void
renew_trail (Timeline *self,
             guint64   position) {
  GCancellable *cancellable;

  timeline_lock (self);
  cancellable = renew_crumbs_locked (self);
  timeline_unlock (self);
  leave_crumbs (self, position, cancellable);
}

/* Folds on to the end of a seek, and leaves what steps start from: on the way or,
 * with @crumbs_cancellable (transfer full), later. */
static void
finish_seek (Timeline        *self,
             Fold            *fold,
             const SeekStart *start,
             RecentKind       kind,
             GCancellable    *crumbs_cancellable,
             GCancellable    *cancellable) {
  guint64 distance = start->to - start->from;
  gboolean is_very_far = crumbs_cancellable != NULL && distance > VERY_FAR_EVENTS;

  if (is_very_far)
    fold_crumbs (self, fold, start->to, TRUE, cancellable);
  else if (crumbs_cancellable != NULL && distance > FIRST_CRUMB
           && advance (self, fold, start->to - FIRST_CRUMB, TRUE, cancellable))
    keep_recent (self, fold, RECENT_CRUMB);
  else if (crumbs_cancellable == NULL && start->is_back && distance > 2 * STEP_CRUMB
           && advance (self, fold, start->to - STEP_CRUMB, TRUE, cancellable))
    keep_recent (self, fold, RECENT_STEP);
  if (advance (self, fold, start->to, TRUE, cancellable)) {
    keep_recent (self, fold, kind);
    if (crumbs_cancellable != NULL && !is_very_far)
      leave_crumbs (self, start->to, g_steal_pointer (&crumbs_cancellable));
    else if (start->is_back && start->is_last && !start->is_awaited
             && start->packed_ns > CRUMB_COST_NS)
      renew_trail (self, start->to);
  }
  g_clear_object (&crumbs_cancellable);
}

static MapState *
seek (Timeline     *self,
      guint64       n_events,
      GCancellable *cancellable) {
  GCancellable *crumbs_cancellable = NULL;
  RecentKind kind = RECENT_RESULT;
  g_autoptr (Fold) fold = NULL;
  SeekStart start;

  find_start (self, n_events, &start);
  if (start.state != NULL && start.from == start.to)
    return start.state;
  if (start.is_awaited
      || (start.state != NULL && start.to - start.from <= STEP_EVENTS))
    kind = RECENT_STEP;
  else if (start.cost_ns > CRUMB_COST_NS)
    crumbs_cancellable = begin_far_seek (self, start.state == NULL);
  fold = begin_seek (self, &start, TRUE);
  seek_start_clear (&start);
  finish_seek (self, fold, &start, kind, crumbs_cancellable, cancellable);
  return fold_ref_state (fold);
}

MapState *
timeline_seek (Timeline     *self,
               guint64       n_events,
               GCancellable *cancellable) {
  MapState *state;

  begin_hurry (self);
  state = seek (self, n_events, cancellable);
  end_hurry (self);
  return state;
}
