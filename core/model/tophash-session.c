/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-session.c — the one object that views bind to
 *
 * This file: the object, running, the recording, selection and visible span.
 * The cursor, playing and ticks are tophash-session-cursor.c; bookmarks, places
 * and markers tophash-session-places.c; searching tophash-session-search.c.
 *
 * Running     A run's end is told by a thread of the runner. It leaves a note
 *             that is read in the main context; a note of a run that was
 *             replaced meanwhile no longer knows its session.
 */
#include "core/model/tophash-session-private.h"

#include "core/base/give-back.h"
#include "core/engine/engine.h"

#include <string.h>

G_DEFINE_FINAL_TYPE (TophashSession, tophash_session, G_TYPE_OBJECT)

enum {
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

#define DEFAULT_KEY_FORMAT "k%d"
#define DEFAULT_SPEED 20.0

void
session_changed (TophashSession      *self,
                 TophashSessionChange what) {
  if (what != 0)
    g_signal_emit (self, signals[CHANGED], 0, (guint)what);
}

/* Notes -------------------------------------------------------------------- */

static RunNote *
run_note_new (TophashSession *self) {
  RunNote *note = g_new0 (RunNote, 1);

  note->ref_count = 1;
  g_weak_ref_init (&note->session, self);
  note->context = g_main_context_ref_thread_default ();
  return note;
}

static void
run_note_unref (gpointer data) {
  RunNote *note = data;

  if (!g_atomic_int_dec_and_test (&note->ref_count))
    return;
  g_weak_ref_clear (&note->session);
  g_main_context_unref (note->context);
  g_free (note);
}

/* Main context. */
static gboolean
run_ended_cb (gpointer data) {
  RunNote *note = data;
  g_autoptr (TophashSession) self = g_weak_ref_get (&note->session);
  guint what = SESSION_CHANGE_RUN;

  if (self == NULL || self->note != note)
    return G_SOURCE_REMOVE;
  g_clear_pointer (&self->runner, runner_free);
  g_clear_pointer (&self->note, run_note_unref);
  what |= session_look_at_log (self);
  session_changed (self, what);
  return G_SOURCE_REMOVE;
}

/* A thread of the runner. */
static void
runner_done_cb (Runner  *runner,
                gpointer data) {
  RunNote *note = data;
  g_autoptr (GSource) source = g_idle_source_new ();

  g_atomic_int_inc (&note->ref_count);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, run_ended_cb, note, run_note_unref);
  g_source_attach (source, note->context);
}

/* Running ------------------------------------------------------------------ */

/* Stops what runs and waits for it. TRUE: something ran. */
static gboolean
drop_runner (TophashSession *self) {
  if (self->runner == NULL)
    return FALSE;
  g_clear_pointer (&self->runner, runner_free);
  g_clear_pointer (&self->note, run_note_unref);
  return TRUE;
}

/* What the head of the log says before its events do. */
static void
take_head (TophashSession *self) {
  const TraceInfo *info = tracelog_get_info (self->log);
  const EngineClass *klass
      = info->engine == NULL ? NULL : engine_class_find (info->engine);
  g_autoptr (Scenario) scenario = NULL;

  if (info->scenario_json != NULL)
    scenario = scenario_new_from_json (info->scenario_json, -1,
                                       info->scenario_name, NULL);
  g_free (self->key_format);
  self->key_format = g_strdup (scenario != NULL && scenario->key_text != NULL
                                   ? scenario->key_text
                                   : DEFAULT_KEY_FORMAT);
  self->expects_pair = klass != NULL && klass->has_read_and_dirty;
  self->expects_shards = 0;
  if (klass != NULL && klass->has_shards)
    self->expects_shards = scenario != NULL && scenario->shards > 0
                               ? MIN (scenario->shards, ENGINE_SHARDS_MAX)
                               : ENGINE_SHARDS_DEFAULT;
}

static gpointer
drop_timeline (gpointer timeline) {
  timeline_unref (timeline);
  return NULL;
}

static gpointer
drop_for_good (gpointer timeline) {
  timeline_unref (timeline);
  give_memory_back ();
  return NULL;
}

/* Letting go of a recording waits for the thread that folds it, and frees hundreds
 * of megabytes: not on the main thread. A run that begins (@next) takes as much at
 * once, and its workers would wait while it is given to the system. */
static void
drop_recording (Timeline *timeline,
                TraceLog *log,
                TraceLog *next) {
  if (timeline != NULL)
    g_thread_unref (g_thread_new (
        "drop", tracelog_is_finished (next) ? drop_for_good : drop_timeline,
        timeline));
  g_clear_pointer (&log, tracelog_unref); /* the timeline has another */
}

/* Shows @log from its beginning, following it to its end. */
static guint
show_log (TophashSession *self,
          TraceLog       *log) {
  TraceLog *former_log = self->log;
  Timeline *former = self->timeline;

  session_drop_cursor (self);
  session_drop_places (self);
  session_drop_search (self);
  self->log = tracelog_ref (log);
  self->event_at = 0;
  self->asked_event_at = G_MAXUINT64;
  session_take_notes (self);
  self->timeline = timeline_new (log);
  drop_recording (former, former_log, log);
  take_head (self);
  g_clear_pointer (&self->state, map_state_unref); /* of another log */
  session_take_state (self, timeline_ref_head (self->timeline), NULL);
  memset (&self->selection, 0, sizeof self->selection);
  self->known_length = 0;
  self->last_ns
      = tracelog_is_finished (log) ? tracelog_time_at (log, G_MAXUINT64) : 0;
  self->is_following = TRUE;
  self->is_playing = FALSE;
  self->shows_all = TRUE;
  self->from_ns = 0;
  self->to_ns = tophash_session_get_end_ns (self);
  session_look_at_log (self);
  return SESSION_CHANGE_LOG | SESSION_CHANGE_LENGTH | SESSION_CHANGE_CURSOR
         | SESSION_CHANGE_PLAY | SESSION_CHANGE_SELECTION | SESSION_CHANGE_RANGE
         | SESSION_CHANGE_NOTES | SESSION_CHANGE_SEARCH | SESSION_CHANGE_MARKERS
         | SESSION_CHANGE_PLACES;
}

gboolean
tophash_session_run (TophashSession *self,
                     GError        **error) {
  g_autoptr (Runner) runner = NULL;
  RunNote *note;
  guint what;

  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  g_return_val_if_fail (self->scenario != NULL, FALSE);
  drop_runner (self);
  note = run_note_new (self);
  runner = runner_new (self->scenario, runner_done_cb, note, error);
  if (runner == NULL || !runner_start (runner, error)) {
    g_clear_pointer (&runner, runner_free);
    run_note_unref (note);
    session_changed (self, SESSION_CHANGE_RUN);
    return FALSE;
  }
  self->note = note;
  self->runner = g_steal_pointer (&runner);
  what = show_log (self, runner_get_log (self->runner)) | SESSION_CHANGE_RUN;
  self->is_playing = TRUE;
  self->is_unsaved = TRUE;
  session_changed (self, what);
  return TRUE;
}

void
tophash_session_stop (TophashSession *self) {
  g_return_if_fail (TOPHASH_IS_SESSION (self));
  if (self->runner != NULL)
    runner_stop (self->runner);
}

gboolean
tophash_session_is_running (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  return self->runner != NULL;
}

Runner *
tophash_session_get_runner (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), NULL);
  return self->runner;
}

const Scenario *
tophash_session_get_scenario (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), NULL);
  return self->scenario;
}

void
tophash_session_set_scenario (TophashSession *self,
                              const Scenario *scenario) {
  Scenario *copy;

  g_return_if_fail (TOPHASH_IS_SESSION (self));
  copy = scenario != NULL ? scenario_copy (scenario) : NULL;
  g_clear_pointer (&self->scenario, scenario_free);
  self->scenario = copy;
  session_changed (self, SESSION_CHANGE_SCENARIO);
}

/* The recording ------------------------------------------------------------ */

TraceLog *
tophash_session_get_log (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), NULL);
  return self->log;
}

Timeline *
tophash_session_get_timeline (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), NULL);
  return self->timeline;
}

void
tophash_session_set_log (TophashSession *self,
                         TraceLog       *log) {
  guint what = 0;

  g_return_if_fail (TOPHASH_IS_SESSION (self));
  g_return_if_fail (log != NULL);
  if (drop_runner (self))
    what |= SESSION_CHANGE_RUN;
  what |= show_log (self, log);
  self->is_unsaved = FALSE;
  session_changed (self, what);
}

gboolean
tophash_session_is_empty (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  return self->log != NULL && tracelog_is_finished (self->log)
         && tracelog_get_length (self->log) == 0;
}

gboolean
tophash_session_is_unsaved (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  return self->log != NULL
         && (self->is_unsaved || session_notes_differ (self));
}

gboolean
tophash_session_has_unsaved_notes (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  return self->log != NULL && session_notes_differ (self);
}

void
tophash_session_mark_saved (TophashSession *self) {
  g_return_if_fail (TOPHASH_IS_SESSION (self));
  self->is_unsaved = FALSE;
  session_notes_saved (self);
  session_changed (self, SESSION_CHANGE_RUN);
}

guint
session_look_at_log (TophashSession *self) {
  guint what = 0;
  guint64 length;
  gint64 end_ns;

  if (self->timeline == NULL)
    return 0;
  length = timeline_get_length (self->timeline);
  if (length == self->known_length)
    return 0;
  self->known_length = length;
  what |= SESSION_CHANGE_LENGTH;
  end_ns = tophash_session_get_end_ns (self);
  if (self->shows_all && end_ns != self->to_ns) {
    self->to_ns = end_ns;
    what |= SESSION_CHANGE_RANGE;
  }
  return what;
}

/* Selection ---------------------------------------------------------------- */

const TophashSelection *
tophash_session_get_selection (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), NULL);
  return &self->selection;
}

void
tophash_session_select (TophashSession         *self,
                        const TophashSelection *selection) {
  static const TophashSelection none;

  g_return_if_fail (TOPHASH_IS_SESSION (self));
  self->selection = selection != NULL ? *selection : none;
  session_changed (self, SESSION_CHANGE_SELECTION);
}

/* Whether the selected place still holds the selected key, live or as a ghost. */
static gboolean
holds_key (const TophashSelection *selection,
           const StateTable       *table) {
  const StateArray *array;
  const StateBucket *bucket;
  guint8 tophash;

  if (table == NULL)
    return FALSE;
  array = selection->in_old ? table->oldbuckets : table->buckets;
  if (array == NULL || selection->bucket >= state_array_n_buckets (array))
    return FALSE;
  bucket = state_array_bucket (array, selection->bucket);
  tophash = bucket->tophash[selection->slot];
  return bucket->keys[selection->slot] == selection->key
         && tophash != TOPHASH_EVACUATED_X && tophash != TOPHASH_EVACUATED_Y
         && tophash != TOPHASH_EVACUATED_EMPTY;
}

/* Whether a map that was superseded is still shown: a Range walks it. */
static gboolean
is_walked (const MapState   *state,
           const StateTable *table) {
  for (guint i = 0; i < map_state_n_iters (state); i++) {
    const StateIter *iter = map_state_iter (state, i);

    if (iter->is_open && iter->table == table->id
        && iter->table_created_ver == table->created_ver)
      return TRUE;
  }
  return FALSE;
}

guint
session_track_key (TophashSession *self) {
  static const TableRole roles[] = { TABLE_ROLE_READ, TABLE_ROLE_DIRTY,
                                     TABLE_ROLE_ONLY };
  TophashSelection *selection = &self->selection;
  const StateTable *table;
  StateSlot slot;
  gboolean is_found;

  if (selection->kind == SELECTION_NONE || !selection->has_key
      || self->state == NULL)
    return 0;
  table = map_state_find_table (self->state, selection->table,
                                selection->table_created_ver);
  /* What a promotion left behind is nowhere to be seen: its key is in read. */
  if (table != NULL && table->role == TABLE_ROLE_SUPERSEDED
      && !is_walked (self->state, table))
    table = NULL;
  if (holds_key (selection, table))
    return 0;
  is_found = table != NULL
             && map_state_find_key (self->state, table, selection->key, &slot);
  for (guint i = 0; !is_found && i < G_N_ELEMENTS (roles); i++) {
    table = map_state_table_for (self->state, roles[i]);
    is_found = table != NULL
               && map_state_find_key (self->state, table, selection->key, &slot);
  }
  if (!is_found)
    return 0;
  selection->table = slot.table->id;
  selection->table_created_ver = slot.table->created_ver;
  selection->in_old = slot.in_old;
  selection->bucket = slot.bucket;
  selection->slot = slot.slot;
  return SESSION_CHANGE_SELECTION;
}

/* Visible span ------------------------------------------------------------- */

void
tophash_session_get_range (TophashSession *self,
                           gint64         *from_ns,
                           gint64         *to_ns) {
  g_return_if_fail (TOPHASH_IS_SESSION (self));
  *from_ns = self->from_ns;
  *to_ns = self->to_ns;
}

static gboolean
is_cursor_in_view (TophashSession *self) {
  gint64 at_ns = self->state == NULL ? -1 : map_state_at_ns (self->state);

  return at_ns >= self->from_ns && at_ns <= self->to_ns;
}

/* A step over the edge turns a page, so that what comes next is seen too; a jump puts
 * the cursor into the middle. */
static void
turn_to_cursor (TophashSession *self) {
  gint64 at_ns = map_state_at_ns (self->state);
  gint64 span_ns = self->to_ns - self->from_ns;
  gint64 last_ns = tophash_session_get_end_ns (self) - span_ns;
  gint64 from_ns = at_ns - span_ns / 2;

  if (at_ns > self->to_ns && at_ns - self->to_ns < span_ns)
    from_ns = at_ns - span_ns / 8;
  else if (at_ns < self->from_ns && self->from_ns - at_ns < span_ns)
    from_ns = at_ns - span_ns / 8 * 7;
  /* What a live run has not come to yet is room for it. */
  if (!self->is_following)
    from_ns = MIN (from_ns, last_ns);
  self->from_ns = MAX (0, from_ns);
  self->to_ns = self->from_ns + span_ns;
}

guint
session_keep_in_view (TophashSession *self) {
  gboolean is_wanted = self->wants_view || self->was_in_view;

  self->wants_view = FALSE;
  self->was_in_view = self->shows_all || is_cursor_in_view (self);
  if (self->was_in_view || !is_wanted || self->timeline == NULL)
    return 0;
  turn_to_cursor (self);
  self->was_in_view = TRUE;
  return SESSION_CHANGE_RANGE;
}

gint64
tophash_session_get_end_ns (TophashSession *self) {
  gboolean is_complete;
  gint64 folded_ns;

  g_return_val_if_fail (TOPHASH_IS_SESSION (self), 1);
  if (self->timeline == NULL)
    return 1;
  /* Asked first: the end comes before it is told to be complete. */
  is_complete = timeline_is_complete (self->timeline);
  folded_ns = MAX (1, timeline_get_duration_ns (self->timeline));
  /* Complete, it may have turned out to be shorter: damage ends a log. */
  return is_complete ? folded_ns : MAX (folded_ns, self->last_ns);
}

gboolean
tophash_session_needs_reading (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  return self->timeline != NULL
         && timeline_get_length (self->timeline) < tracelog_get_length (self->log);
}

void
tophash_session_set_range (TophashSession *self,
                           gint64          from_ns,
                           gint64          to_ns) {
  g_return_if_fail (TOPHASH_IS_SESSION (self));
  from_ns = MAX (0, from_ns);
  to_ns = MAX (from_ns + 1, to_ns);
  if (self->from_ns == from_ns && self->to_ns == to_ns && !self->shows_all)
    return;
  self->shows_all = FALSE;
  self->from_ns = from_ns;
  self->to_ns = to_ns;
  self->was_in_view = is_cursor_in_view (self);
  session_changed (self, SESSION_CHANGE_RANGE);
}

void
tophash_session_show_all (TophashSession *self) {
  g_return_if_fail (TOPHASH_IS_SESSION (self));
  self->shows_all = TRUE;
  self->from_ns = 0;
  self->to_ns = tophash_session_get_end_ns (self);
  self->was_in_view = TRUE;
  session_changed (self, SESSION_CHANGE_RANGE);
}

int
tophash_session_get_zoom (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), 0);
  return self->zoom;
}

void
tophash_session_set_zoom (TophashSession *self,
                          int             steps) {
  g_return_if_fail (TOPHASH_IS_SESSION (self));
  steps = CLAMP (steps, -SESSION_ZOOM_MOST, SESSION_ZOOM_MOST);
  if (self->zoom == steps)
    return;
  self->zoom = steps;
  session_changed (self, SESSION_CHANGE_ZOOM);
}

/* Keys --------------------------------------------------------------------- */

const char *
tophash_session_get_key_format (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), NULL);
  return self->key_format;
}

char *
tophash_session_key_text (TophashSession *self,
                          gint64          key) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), NULL);
  return scenario_key_text (self->key_format, key);
}

/* The object --------------------------------------------------------------- */

static void
tophash_session_dispose (GObject *object) {
  TophashSession *self = TOPHASH_SESSION (object);

  drop_runner (self);
  session_drop_cursor (self);
  session_drop_search (self);
  G_OBJECT_CLASS (tophash_session_parent_class)->dispose (object);
}

static void
tophash_session_finalize (GObject *object) {
  TophashSession *self = TOPHASH_SESSION (object);

  session_drop_places (self);
  g_array_unref (self->places);
  g_ptr_array_unref (self->notes_done);
  g_clear_pointer (&self->notes, trace_notes_free);
  g_clear_pointer (&self->saved_notes, trace_notes_free);
  g_clear_pointer (&self->before, map_state_unref);
  g_clear_pointer (&self->state, map_state_unref);
  g_clear_pointer (&self->timeline, timeline_unref);
  g_clear_pointer (&self->log, tracelog_unref);
  g_clear_pointer (&self->scenario, scenario_free);
  g_free (self->key_format);
  G_OBJECT_CLASS (tophash_session_parent_class)->finalize (object);
}

static void
tophash_session_class_init (TophashSessionClass *klass) {
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = tophash_session_dispose;
  object_class->finalize = tophash_session_finalize;

  /**
   * TophashSession::changed:
   * @self: the session
   * @what: TophashSessionChange bits
   */
  signals[CHANGED] =
      g_signal_new ("changed", TOPHASH_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL,
                    NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
tophash_session_init (TophashSession *self) {
  self->key_format = g_strdup (DEFAULT_KEY_FORMAT);
  self->places = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->notes_done
      = g_ptr_array_new_with_free_func ((GDestroyNotify)trace_notes_free);
  self->sought_ns = -1;
  self->speed = DEFAULT_SPEED;
  self->shows_all = TRUE;
  self->to_ns = 1;
}

TophashSession *
tophash_session_new (void) {
  return g_object_new (TOPHASH_TYPE_SESSION, NULL);
}
