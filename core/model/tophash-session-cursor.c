/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-session-cursor.c — where in the log the session stands
 *
 * Seeking     Places at hand are folded at once: near, and without reading a block of
 *             events, which is a tenth of a millisecond or, in fresh memory or from a
 *             slow disk, many. All others in a task: position moves
 *             at once, the state follows. One task at a time: where the cursor has
 *             gone on meanwhile, what it brings is shown, and the next begins. The
 *             newest is never more than one seek away, and a hand that drags the
 *             playhead about sees the map change. The task brings the state before
 *             the last event along, which costs it nothing and the main thread,
 *             later, a seek; and the event itself. Where a time is in the log may take
 *             a block to be read, too: the position is guessed from where blocks
 *             begin, and the task finds the right one.
 *
 * Playing     A fold is continued from tick to tick. At a speed in events the
 *             parts of an event left over are carried on; as recorded, a clock
 *             runs over the log's times. A tick folds for 4 ms at the most; what
 *             it cannot do is dropped, so that playing slows down instead of
 *             holding up the window.
 *
 * Beginning   Before the first table the events do not say which map it is, and
 *             before the last shard's not how many it has; the head of the log
 *             does, so that nothing else is shown meanwhile.
 *
 * Following   The cursor is wherever the timeline's head is. When the log is
 *             complete, following and playing end at its end.
 */
#include "core/model/tophash-session-private.h"
#include "core/model/task-owner.h"

#define TICK_BUDGET_US 4000
/* Events between two looks at the clock. */
#define SLICE_EVENTS 1024u
/* A tick that comes later than this counts as this much: no leaps. */
#define MAX_TICK_US 100000

/* Takes @state; (transfer full): as it is to be shown. */
static MapState *
at_beginning (TophashSession *self,
              MapState       *state) {
  MapState *shown;

  if (self->expects_pair && map_state_n_tables (state) == 0)
    shown = map_state_expecting_pair (state);
  else if (map_state_n_tables (state) < self->expects_shards)
    shown = map_state_expecting_shards (state, self->expects_shards);
  else
    return state;
  map_state_unref (state);
  return shown;
}

guint
session_take_state (TophashSession *self,
                    MapState       *state,
                    MapState       *before) {
  MapState *former = self->state;

  g_clear_pointer (&self->before, map_state_unref);
  /* A step on: what was is what its event met. */
  if (before == NULL && former != NULL
      && map_state_n_events (former) + 1 == map_state_n_events (state))
    before = g_steal_pointer (&former);
  else if (before != NULL
           && map_state_n_events (before) + 1 != map_state_n_events (state))
    g_clear_pointer (&before, map_state_unref);
  self->before = before;
  self->state = at_beginning (self, state);
  self->position = map_state_n_events (self->state);
  self->sought_ns = -1;
  g_clear_pointer (&former, map_state_unref);
  return SESSION_CHANGE_CURSOR | session_track_key (self)
         | session_restore_key (self) | session_keep_in_view (self);
}

static void
cancel_seek (TophashSession *self) {
  if (self->seeking != NULL)
    g_cancellable_cancel (self->seeking);
  g_clear_object (&self->seeking);
  self->sought_ns = -1;
}

static void
drop_fold (TophashSession *self) {
  g_clear_pointer (&self->fold, fold_free);
  g_clear_pointer (&self->ahead, log_ahead_free);
  self->last_tick_us = 0;
  self->credit = 0;
}

void
session_drop_cursor (TophashSession *self) {
  session_stop_going (self);
  cancel_seek (self);
  drop_fold (self);
}

guint64
tophash_session_get_position (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), 0);
  return self->position;
}

const MapState *
tophash_session_get_state (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), NULL);
  return self->state;
}

const MapState *
tophash_session_get_before (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), NULL);
  if (self->before == NULL && self->state != NULL && self->position > 0
      && map_state_n_events (self->state) == self->position
      && timeline_reach (self->timeline, self->position - 1) == REACH_AT_HAND)
    self->before = timeline_seek (self->timeline, self->position - 1, NULL);
  return self->before;
}

/* Seeking ------------------------------------------------------------------ */

typedef struct {
  Timeline *timeline;
  guint64   wanted;   /* the cursor's position when it began */
  gint64    at_ns;    /* the time that this is a guess for; -1: it is none */
  guint64   position; /* the result's, like these: */
  MapState *before;   /* of its last event; NULL: none */
  Event     event;
  gboolean  has_event;
} SeekJob;

static void
seek_job_free (gpointer data) {
  SeekJob *job = data;

  g_clear_pointer (&job->before, map_state_unref);
  timeline_unref (job->timeline);
  g_free (job);
}

static void
seek_in_thread (GTask        *task,
                gpointer      source,
                gpointer      data,
                GCancellable *cancellable) {
  SeekJob *job = data;
  TraceLog *log = timeline_get_log (job->timeline);

  if (job->at_ns >= 0)
    job->position
        = timeline_clamp (job->timeline, tracelog_index_at (log, job->at_ns));
  if (job->position > 0)
    job->before = timeline_seek (job->timeline, job->position - 1, cancellable);
  job->has_event = tracelog_get_event (log, MAX (job->position, 1) - 1, &job->event);
  g_task_return_pointer (task,
                         timeline_seek (job->timeline, job->position, cancellable),
                         (GDestroyNotify)map_state_unref);
}

static guint go_to    (TophashSession *self,
                       guint64         position);
static guint seek_far (TophashSession *self,
                       guint64         position,
                       gint64          at_ns);

static void
seek_done_cb (GObject      *source,
              GAsyncResult *result,
              gpointer      data) {
  TophashSession *self = TOPHASH_SESSION (source);
  MapState *state = g_task_propagate_pointer (G_TASK (result), NULL);
  SeekJob *job = g_task_get_task_data (G_TASK (result));
  guint64 wanted = self->position;
  gint64 sought_ns = self->sought_ns;
  guint what;

  /* Cancelled: a near seek or another log took its place. */
  if (state == NULL)
    return;
  g_clear_object (&self->seeking);
  if (job->has_event) {
    self->event = job->event;
    self->event_at = MAX (job->position, 1);
    self->asked_event_at = G_MAXUINT64;
  }
  what = session_take_state (self, state, g_steal_pointer (&job->before));
  if (sought_ns >= 0 && (wanted != job->wanted || sought_ns != job->at_ns))
    what |= seek_far (self, wanted, sought_ns);
  else if (sought_ns < 0 && (wanted != job->wanted || job->at_ns >= 0))
    what |= go_to (self, wanted);
  session_changed (self, what);
}

/* To where @at_ns is, @position being a guess, or to @position: @at_ns is -1 then. */
static guint
seek_far (TophashSession *self,
          guint64         position,
          gint64          at_ns) {
  SeekJob *job;
  g_autoptr (GTask) task = NULL;

  self->position = position;
  self->sought_ns = at_ns;
  if (self->seeking != NULL)
    return SESSION_CHANGE_CURSOR; /* seek_done_cb() goes on to there */
  job = g_new0 (SeekJob, 1);
  job->timeline = timeline_ref (self->timeline);
  job->wanted = job->position = position;
  job->at_ns = at_ns;
  self->seeking = g_cancellable_new ();
  task = g_task_new (self, self->seeking, seek_done_cb, NULL);
  task_keep_owner (task, self);
  g_task_set_task_data (task, job, seek_job_free);
  g_task_run_in_thread (task, seek_in_thread);
  return SESSION_CHANGE_CURSOR;
}

/* The event before @position, or the first, is known already or at once. */
static gboolean
has_event (TophashSession *self,
           guint64         position) {
  Event event;

  position = MAX (position, 1);
  if (self->event_at == position)
    return TRUE;
  if (!tracelog_peek_event (self->log, position - 1, &event))
    return FALSE;
  self->event = event;
  self->event_at = position;
  return TRUE;
}

/* Whether all that is shown there can be had without a task. */
static gboolean
is_at_hand (TophashSession *self,
            guint64         position) {
  return timeline_reach (self->timeline, position) == REACH_AT_HAND
         && (position == 0
             || timeline_reach (self->timeline, position - 1) != REACH_NEAR)
         && has_event (self, position);
}

/* Goes there; returns what changed. */
static guint
go_to (TophashSession *self,
       guint64         position) {
  drop_fold (self);
  position = timeline_clamp (self->timeline, position);
  if (!is_at_hand (self, position))
    return seek_far (self, position, -1);
  cancel_seek (self);
  return session_take_state (self,
                             timeline_seek (self->timeline, position, NULL), NULL);
}

gboolean
session_get_event (TophashSession *self,
                   Event          *event) {
  if (self->log == NULL || tracelog_get_length (self->log) == 0)
    return FALSE;
  /* Where none was asked for, as after playing, it comes with a seek to where the
   * cursor is anyway; once. */
  if (!has_event (self, self->position) && self->seeking == NULL
      && !self->is_playing && !self->is_following
      && self->asked_event_at != self->position) {
    self->asked_event_at = self->position;
    seek_far (self, self->position, -1);
  }
  *event = self->event;
  return self->event_at > 0;
}

gboolean
tophash_session_get_event (TophashSession *self,
                           Event          *event) {
  guint64 shown;

  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  shown = self->state == NULL ? 0 : map_state_n_events (self->state);
  if (shown == 0)
    return FALSE;
  if (self->event_at == shown)
    *event = self->event;
  else if (shown != self->position || !session_get_event (self, event))
    return FALSE;
  return self->event_at == shown;
}

/* Ends playing and following; returns what changed. */
static guint
come_to_rest (TophashSession *self) {
  guint what = self->is_playing || self->is_following ? SESSION_CHANGE_PLAY : 0;

  self->is_playing = FALSE;
  self->is_following = FALSE;
  self->restore_to = G_MAXUINT64;
  drop_fold (self);
  return what;
}

void
session_move_cursor (TophashSession *self,
                     guint64         position,
                     guint           what) {
  what |= come_to_rest (self);
  session_changed (self, what | go_to (self, position));
}

void
tophash_session_seek (TophashSession *self,
                      guint64         position) {
  g_return_if_fail (TOPHASH_IS_SESSION (self));
  if (self->timeline == NULL)
    return;
  self->wants_view = TRUE;
  session_move_cursor (self, position, session_note_jump (self, position));
}

void
tophash_session_seek_time (TophashSession *self,
                           gint64          at_ns) {
  guint64 position;
  guint what;

  g_return_if_fail (TOPHASH_IS_SESSION (self));
  if (self->timeline == NULL)
    return;
  at_ns = MAX (0, at_ns);
  if (tracelog_guess_index_at (self->log, at_ns, &position)) {
    tophash_session_seek (self, position);
    return;
  }
  position = timeline_clamp (self->timeline, position);
  self->wants_view = TRUE;
  what = session_note_jump (self, position);
  what |= come_to_rest (self);
  session_changed (self, what | seek_far (self, position, at_ns));
}

void
tophash_session_step (TophashSession *self,
                      int             n_events) {
  guint64 back = n_events < 0 ? (guint64)-(gint64)n_events : 0;

  g_return_if_fail (TOPHASH_IS_SESSION (self));
  if (n_events >= 0)
    tophash_session_seek (self, self->position + (guint64)n_events);
  else
    tophash_session_seek (self, self->position - MIN (back, self->position));
}

/* Landmarks are known by heart: no block of events is unpacked for them. */
static guint64
find_kind (TophashSession *self,
           gboolean        forward,
           EventKinds      kinds) {
  guint64 from = forward ? self->position : self->position - 1;
  guint64 position;

  if (kinds == event_kinds_structural ()
      && timeline_find_landmark (self->timeline, from, forward, &position))
    return position;
  return timeline_find (self->timeline, from, forward, kinds, -1, NULL);
}

gboolean
tophash_session_step_kind (TophashSession *self,
                           gboolean        forward,
                           EventKinds      kinds) {
  guint64 position;

  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  if (self->timeline == NULL || (!forward && self->position == 0))
    return FALSE;
  /* Ahead of what is read, the one known before that need not be the last. */
  if (!timeline_is_complete (self->timeline)
      && self->position > timeline_get_length (self->timeline))
    return FALSE;
  position = find_kind (self, forward, kinds);
  if (position == G_MAXUINT64)
    return FALSE;
  tophash_session_seek (self, position);
  return TRUE;
}

/* Playing ------------------------------------------------------------------ */

gboolean
tophash_session_is_playing (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  return self->is_playing;
}

gboolean
tophash_session_is_following (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  return self->is_following;
}

void
tophash_session_play (TophashSession *self) {
  guint what = SESSION_CHANGE_PLAY;

  g_return_if_fail (TOPHASH_IS_SESSION (self));
  if (self->timeline == NULL || self->is_playing)
    return;
  drop_fold (self);
  /* At the end of a whole log: once more from the start. */
  if (!self->is_following && timeline_is_complete (self->timeline)
      && self->position >= timeline_get_length (self->timeline))
    what |= go_to (self, 0);
  self->is_playing = TRUE;
  session_changed (self, what);
}

void
tophash_session_pause (TophashSession *self) {
  g_return_if_fail (TOPHASH_IS_SESSION (self));
  session_changed (self, come_to_rest (self));
}

void
tophash_session_follow (TophashSession *self) {
  guint what = SESSION_CHANGE_PLAY;

  g_return_if_fail (TOPHASH_IS_SESSION (self));
  if (self->timeline == NULL)
    return;
  session_drop_cursor (self);
  self->is_following = !timeline_is_complete (self->timeline);
  self->is_playing = self->is_following;
  what |= session_take_state (self, timeline_ref_head (self->timeline), NULL);
  session_changed (self, what | session_look_at_log (self));
}

double
tophash_session_get_speed (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), 0);
  return self->speed;
}

void
tophash_session_set_speed (TophashSession *self,
                           double          events_per_s) {
  g_return_if_fail (TOPHASH_IS_SESSION (self));
  g_return_if_fail (events_per_s >= 0);
  if (self->speed == events_per_s)
    return;
  self->speed = events_per_s;
  self->credit = 0;
  if (self->state != NULL)
    self->play_ns = (double)map_state_at_ns (self->state);
  session_changed (self, SESSION_CHANGE_PLAY);
}

/* How many of @events, in order, are not after @until_ns. */
static guint
n_until (const Event *events,
         guint        n_events,
         gint64       until_ns) {
  guint low = 0, high = n_events;

  while (low < high) {
    guint middle = (low + high) / 2;

    if (events[middle].at_ns <= until_ns)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Folds on, at most to @position and to the time @until_ns, within the budget.
 * TRUE: came as far as was asked. */
static gboolean
fold_on (TophashSession *self,
         guint64         position,
         gint64          until_ns) {
  gint64 deadline_us = g_get_monotonic_time () + TICK_BUDGET_US;
  guint64 at;

  while ((at = fold_n_events (self->fold)) < position) {
    const TraceBlock *block = log_ahead_get (self->ahead, at);
    guint64 end;
    guint n;

    if (block == NULL)
      return TRUE;
    end = MIN (MIN (position, block->first + block->n_events),
               at + SLICE_EVENTS);
    n = n_until (block->events + (at - block->first), (guint)(end - at),
                 until_ns);
    fold_apply_many (self->fold, block->events + (at - block->first), n);
    if (at + n < end)
      return TRUE;
    if (g_get_monotonic_time () >= deadline_us)
      return fold_n_events (self->fold) >= position;
  }
  return TRUE;
}

/* Plays the time since the last tick. */
static guint
play_on (TophashSession *self,
         gint64          frame_time_us) {
  /* Of a whole recording also what is not folded yet can be played. */
  guint64 length = tracelog_is_finished (self->log) ? tracelog_get_length (self->log)
                                                    : self->known_length;
  guint64 position;
  double elapsed_us = 0;
  gboolean is_done;

  if (self->seeking != NULL)
    return 0;
  if (self->fold == NULL) {
    self->fold = fold_new_from_state (self->state);
    self->ahead = log_ahead_new (self->log, fold_n_events (self->fold), length,
                                 LOG_AHEAD_AT_ONCE);
    self->play_ns = (double)map_state_at_ns (self->state);
  } else if (self->last_tick_us != 0) {
    elapsed_us = (double)CLAMP (frame_time_us - self->last_tick_us, 0,
                                MAX_TICK_US);
  }
  self->last_tick_us = frame_time_us;

  position = fold_n_events (self->fold);
  if (self->speed > 0) {
    double n;

    self->credit += elapsed_us * self->speed / 1e6;
    n = (double)(guint64)MIN (self->credit, 1e15);
    self->credit -= n;
    is_done = fold_on (self, MIN (length, position + (guint64)n), G_MAXINT64);
  } else {
    self->play_ns += elapsed_us * 1000;
    is_done = fold_on (self, length, (gint64)self->play_ns);
  }
  if (fold_n_events (self->fold) == position)
    return 0;
  /* What the budget did not allow is not made up for. */
  if (!is_done)
    self->play_ns = (double)map_state_at_ns (fold_peek_state (self->fold));
  return session_take_state (self, fold_ref_state (self->fold), NULL);
}

/* Moves the cursor to the head. */
static guint
follow_head (TophashSession *self) {
  g_autoptr (MapState) head = timeline_ref_head (self->timeline);

  if (map_state_n_events (head) == self->position && self->state != NULL
      && map_state_n_events (self->state) == self->position)
    return 0;
  return session_take_state (self, g_steal_pointer (&head), NULL);
}

gboolean
tophash_session_needs_ticks (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  return self->timeline != NULL
         && (self->is_playing || self->is_following
             || !timeline_is_complete (self->timeline)
             || (self->search != NULL && !self->search_done)
             || self->known_length != timeline_get_length (self->timeline));
}

void
tophash_session_tick (TophashSession *self,
                      gint64          frame_time_us) {
  gboolean is_complete;
  guint what;

  g_return_if_fail (TOPHASH_IS_SESSION (self));
  if (self->timeline == NULL)
    return;
  /* Complete first: a length read after it is the last one. */
  is_complete = timeline_is_complete (self->timeline);
  what = session_look_at_log (self) | session_look_at_search (self);
  /* After the length was told: at the last one there is no tick after this. */
  session_restore_place (self);
  if (self->is_following)
    what |= follow_head (self);
  else if (self->is_playing)
    what |= play_on (self, frame_time_us);
  if ((self->is_following || self->is_playing) && is_complete
      && self->position >= self->known_length && self->seeking == NULL)
    what |= come_to_rest (self);
  session_changed (self, what);
}
