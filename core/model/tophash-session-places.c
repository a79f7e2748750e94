/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-session-places.c — places in a recording: bookmarks, back, markers
 *
 * Bookmarks   belong to the recording and are saved with it. Each change is made
 *             on a copy, handed to the log whole; the former notes are kept, so
 *             that undo is to hand them back. Unsaved they are while they say
 *             something else than what was saved: a change that was undone is
 *             none.
 *
 * Back        A jump leaves the place it began at. Going back leaves the present
 *             place in its stead, so that forward leads there again; a new jump
 *             forgets what lay ahead.
 *
 *               places   [ p0 p1 p2 | p3 p4 ]     | = place: back goes to p2,
 *                                                 forward to p3
 *
 * Markers     keep the states they were set at, which share nearly all memory
 *             with their neighbours: differences need no seek. A file keeps where
 *             they stand; their states are fetched when it is opened.
 */
#include "core/model/tophash-session-private.h"
#include "core/model/task-owner.h"

#include <json-glib/json-glib.h>

#define MAX_PLACES 200u
#define MAX_UNDO 100u
#define NOWHERE G_MAXUINT64

/* Members of the view. */
static const char *const MARKER_NAMES[] = { "marker_a", "marker_b" };

/* Bookmarks and notes ------------------------------------------------------ */

void
session_take_notes (TophashSession *self) {
  g_clear_pointer (&self->notes, trace_notes_free);
  self->notes = tracelog_dup_notes (self->log);
  session_notes_saved (self);
  g_ptr_array_set_size (self->notes_done, 0);
}

/* Takes @notes over as the recording's. */
static void
set_notes (TophashSession *self,
           TraceNotes     *notes) {
  g_clear_pointer (&self->notes, trace_notes_free);
  self->notes = notes;
  tracelog_set_notes (self->log, notes);
}

void
session_notes_saved (TophashSession *self) {
  g_clear_pointer (&self->saved_notes, trace_notes_free);
  if (self->notes != NULL)
    self->saved_notes = trace_notes_copy (self->notes);
}

/* What people wrote; where the window stood is no word of theirs. */
gboolean
session_notes_differ (TophashSession *self) {
  const TraceNotes *saved = self->saved_notes;
  const TraceNotes *notes = self->notes;

  if (saved == NULL || notes == NULL)
    return FALSE;
  if (g_strcmp0 (saved->text, notes->text) != 0
      || saved->bookmarks->len != notes->bookmarks->len)
    return TRUE;
  for (guint i = 0; i < notes->bookmarks->len; i++) {
    const TraceBookmark *one = saved->bookmarks->pdata[i];
    const TraceBookmark *other = notes->bookmarks->pdata[i];

    if (one->position != other->position
        || g_strcmp0 (one->title, other->title) != 0
        || g_strcmp0 (one->note, other->note) != 0)
      return TRUE;
  }
  return FALSE;
}

/* @notes replace the present ones, which undo brings back. */
static void
change_notes (TophashSession *self,
              TraceNotes     *notes) {
  if (self->notes_done->len == MAX_UNDO)
    g_ptr_array_remove_index (self->notes_done, 0);
  g_ptr_array_add (self->notes_done, trace_notes_copy (self->notes));
  set_notes (self, notes);
  session_changed (self, SESSION_CHANGE_NOTES);
}

const TraceNotes *
tophash_session_get_notes (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), NULL);
  return self->notes;
}

guint64
tophash_session_add_bookmark (TophashSession *self,
                              const char     *title,
                              const char     *note) {
  TraceNotes *notes;
  TraceBookmark *bookmark;

  g_return_val_if_fail (TOPHASH_IS_SESSION (self), 0);
  if (self->notes == NULL || self->state == NULL)
    return 0;
  notes = trace_notes_copy (self->notes);
  bookmark = trace_notes_add (notes, map_state_n_events (self->state),
                              map_state_at_ns (self->state), title, note);
  if (bookmark == NULL) {
    trace_notes_free (notes);
    return 0;
  }
  change_notes (self, notes);
  return bookmark->id;
}

void
tophash_session_edit_bookmark (TophashSession *self,
                               guint64         id,
                               const char     *title,
                               const char     *note) {
  TraceNotes *notes;
  TraceBookmark *bookmark;

  g_return_if_fail (TOPHASH_IS_SESSION (self));
  if (self->notes == NULL)
    return;
  notes = trace_notes_copy (self->notes);
  bookmark = trace_notes_find (notes, id);
  if (bookmark != NULL) {
    g_free (bookmark->title);
    bookmark->title = g_strdup (title);
    g_free (bookmark->note);
    bookmark->note = g_strdup (note);
  }
  if (bookmark == NULL || trace_notes_equal (notes, self->notes))
    trace_notes_free (notes);
  else
    change_notes (self, notes);
}

void
tophash_session_remove_bookmark (TophashSession *self,
                                 guint64         id) {
  TraceNotes *notes;

  g_return_if_fail (TOPHASH_IS_SESSION (self));
  if (self->notes == NULL)
    return;
  notes = trace_notes_copy (self->notes);
  if (trace_notes_remove (notes, id))
    change_notes (self, notes);
  else
    trace_notes_free (notes);
}

void
tophash_session_set_text (TophashSession *self,
                          const char     *text) {
  TraceNotes *notes;

  g_return_if_fail (TOPHASH_IS_SESSION (self));
  if (self->notes == NULL || g_strcmp0 (self->notes->text, text) == 0)
    return;
  notes = trace_notes_copy (self->notes);
  g_free (notes->text);
  notes->text = g_strdup (text);
  change_notes (self, notes);
}

gboolean
tophash_session_undo_notes (TophashSession *self) {
  GPtrArray *done;

  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  done = self->notes_done;
  if (done->len == 0)
    return FALSE;
  set_notes (self, g_ptr_array_steal_index (done, done->len - 1));
  session_changed (self, SESSION_CHANGE_NOTES);
  return TRUE;
}

gboolean
tophash_session_step_bookmark (TophashSession *self,
                               gboolean        forward) {
  guint64 to = G_MAXUINT64;

  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  for (guint i = 0; self->notes != NULL && i < self->notes->bookmarks->len; i++) {
    const TraceBookmark *bookmark = self->notes->bookmarks->pdata[i];

    if (forward && bookmark->position > self->position) {
      to = bookmark->position;
      break;
    }
    if (!forward && bookmark->position < self->position)
      to = bookmark->position;
  }
  if (to == G_MAXUINT64)
    return FALSE;
  tophash_session_seek (self, to);
  return TRUE;
}

/* States of markers -------------------------------------------------------- */

static void
drop_marker (TophashSession *self,
             guint           which) {
  if (self->marking[which] != NULL)
    g_cancellable_cancel (self->marking[which]);
  g_clear_object (&self->marking[which]);
  g_clear_pointer (&self->markers[which], map_state_unref);
  self->marked[which] = NOWHERE;
}

typedef struct {
  Timeline *timeline;
  guint64   position;
  guint     which;
} MarkJob;

static void
mark_job_free (gpointer data) {
  MarkJob *job = data;

  timeline_unref (job->timeline);
  g_free (job);
}

static void
mark_in_thread (GTask        *task,
                gpointer      source,
                gpointer      data,
                GCancellable *cancellable) {
  MarkJob *job = data;

  g_task_return_pointer (task,
                         timeline_seek (job->timeline, job->position, cancellable),
                         (GDestroyNotify)map_state_unref);
}

static void
mark_done_cb (GObject      *source,
              GAsyncResult *result,
              gpointer      data) {
  TophashSession *self = TOPHASH_SESSION (source);
  MapState *state = g_task_propagate_pointer (G_TASK (result), NULL);
  MarkJob *job = g_task_get_task_data (G_TASK (result));

  /* Cancelled: the marker was set elsewhere, or cleared. */
  if (state == NULL)
    return;
  drop_marker (self, job->which);
  self->markers[job->which] = state;
  self->marked[job->which] = map_state_n_events (state);
  session_changed (self, SESSION_CHANGE_MARKERS);
}

/* Fetches the state where the marker stands: the cursor's picture is not there yet,
 * or a file told the place. */
static void
mark_far (TophashSession *self,
          guint           which) {
  MarkJob *job = g_new0 (MarkJob, 1);
  g_autoptr (GTask) task = NULL;

  job->timeline = timeline_ref (self->timeline);
  job->position = self->marked[which];
  job->which = which;
  self->marking[which] = g_cancellable_new ();
  task = g_task_new (self, self->marking[which], mark_done_cb, NULL);
  task_keep_owner (task, self);
  g_task_set_task_data (task, job, mark_job_free);
  g_task_run_in_thread (task, mark_in_thread);
}

/* The view ----------------------------------------------------------------- */

static void
put_member (JsonBuilder *builder,
            const char  *name,
            gint64       value) {
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

void
tophash_session_store_view (TophashSession *self) {
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  TraceNotes *notes;

  g_return_if_fail (TOPHASH_IS_SESSION (self));
  if (self->notes == NULL)
    return;
  json_builder_begin_object (builder);
  put_member (builder, "position", (gint64)self->position);
  put_member (builder, "zoom", self->zoom);
  if (!self->shows_all) {
    put_member (builder, "from_ns", self->from_ns);
    put_member (builder, "to_ns", self->to_ns);
  }
  if (self->selection.kind == SELECTION_SLOT && self->selection.has_key)
    put_member (builder, "key", self->selection.key);
  for (guint i = 0; i < G_N_ELEMENTS (self->markers); i++)
    if (self->marked[i] != NOWHERE)
      put_member (builder, MARKER_NAMES[i], (gint64)self->marked[i]);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  notes = trace_notes_copy (self->notes);
  g_free (notes->view);
  notes->view = json_to_string (root, FALSE);
  /* No change of what people wrote: neither unsaved nor undone. */
  g_clear_pointer (&self->notes, trace_notes_free);
  self->notes = notes;
  tracelog_set_notes (self->log, notes);
}

/* Selects the slot of @key at the cursor, if it has one. */
static void
select_key (TophashSession *self,
            gint64          key) {
  TophashSelection selection = { .kind = SELECTION_SLOT,
                                 .table = G_MAXUINT16,
                                 .has_key = TRUE,
                                 .key = key };

  self->selection = selection;
  if (session_track_key (self) == 0)
    self->selection = (TophashSelection){ .kind = SELECTION_NONE };
}

guint
session_restore_key (TophashSession *self) {
  if (!self->restores_key || self->restore_to != NOWHERE)
    return 0;
  self->restores_key = FALSE;
  select_key (self, self->restore_key);
  return SESSION_CHANGE_SELECTION;
}

/* Whether a place that a file told is there to go to. */
static gboolean
is_within_reach (TophashSession *self,
                 guint64         position) {
  return position != NOWHERE
         && (timeline_clamp (self->timeline, position) >= position
             || timeline_is_complete (self->timeline));
}

void
session_restore_place (TophashSession *self) {
  guint64 position = self->restore_to;

  for (guint i = 0; i < G_N_ELEMENTS (self->markers); i++)
    if (self->markers[i] == NULL && self->marking[i] == NULL
        && is_within_reach (self, self->marked[i]))
      mark_far (self, i);
  if (!is_within_reach (self, position))
    return;
  self->restore_to = NOWHERE;
  self->was_in_view = FALSE; /* the span was left as it is */
  session_move_cursor (self, position, 0);
}

/* Whoever wrote the file may have put anything there. */
static gboolean
get_member (JsonObject *view,
            const char *name,
            gint64     *value) {
  JsonNode *node = json_object_get_member (view, name);

  if (node == NULL || json_node_get_value_type (node) != G_TYPE_INT64)
    return FALSE;
  *value = json_node_get_int (node);
  return TRUE;
}

/* NOWHERE: the view does not say where. */
static guint64
get_position (JsonObject *view,
              const char *name) {
  gint64 position;

  return get_member (view, name, &position) && position >= 0 ? (guint64)position
                                                             : NOWHERE;
}

void
tophash_session_restore_view (TophashSession *self) {
  g_autoptr (JsonNode) root = NULL;
  gint64 from_ns, to_ns, zoom;
  JsonObject *view;

  g_return_if_fail (TOPHASH_IS_SESSION (self));
  if (self->notes == NULL || self->notes->view == NULL)
    return;
  root = json_from_string (self->notes->view, NULL);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return;
  view = json_node_get_object (root);
  if (get_member (view, "from_ns", &from_ns) && get_member (view, "to_ns", &to_ns))
    tophash_session_set_range (self, from_ns, to_ns);
  if (get_member (view, "zoom", &zoom))
    tophash_session_set_zoom (self, (int)CLAMP (zoom, -SESSION_ZOOM_MOST,
                                                SESSION_ZOOM_MOST));
  self->restore_to = get_position (view, "position");
  if (self->restore_to == NOWHERE)
    self->restore_to = 0;
  for (guint i = 0; i < G_N_ELEMENTS (self->markers); i++)
    self->marked[i] = get_position (view, MARKER_NAMES[i]);
  self->restores_key = get_member (view, "key", &self->restore_key);
  session_restore_place (self);
}

/* Back and forward --------------------------------------------------------- */

void
session_drop_places (TophashSession *self) {
  self->restore_to = NOWHERE;
  self->restores_key = FALSE;
  g_array_set_size (self->places, 0);
  self->place = 0;
  for (guint i = 0; i < G_N_ELEMENTS (self->markers); i++)
    drop_marker (self, i);
}

guint
session_note_jump (TophashSession *self,
                   guint64         position) {
  guint64 here = self->position;

  if (MAX (here, position) - MIN (here, position) < SESSION_JUMP_EVENTS)
    return 0;
  if (self->place == MAX_PLACES) {
    g_array_remove_index (self->places, 0);
    self->place--;
  }
  g_array_set_size (self->places, self->place);
  g_array_append_val (self->places, here);
  self->place++;
  return SESSION_CHANGE_PLACES;
}

gboolean
tophash_session_can_go_back (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  return self->place > 0;
}

gboolean
tophash_session_can_go_forward (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  return self->place < self->places->len;
}

/* Goes to the place @index and leaves the present one in its stead. */
static void
trade_places (TophashSession *self,
              guint           index) {
  guint64 *place = &g_array_index (self->places, guint64, index);
  guint64 to = *place;

  *place = self->position;
  self->wants_view = TRUE;
  session_move_cursor (self, to, SESSION_CHANGE_PLACES);
}

void
tophash_session_go_back (TophashSession *self) {
  g_return_if_fail (TOPHASH_IS_SESSION (self));
  if (tophash_session_can_go_back (self))
    trade_places (self, --self->place);
}

void
tophash_session_go_forward (TophashSession *self) {
  g_return_if_fail (TOPHASH_IS_SESSION (self));
  if (tophash_session_can_go_forward (self))
    trade_places (self, self->place++);
}

/* Markers ------------------------------------------------------------------ */

void
tophash_session_set_marker (TophashSession *self,
                            guint           which) {
  g_return_if_fail (TOPHASH_IS_SESSION (self));
  g_return_if_fail (which < G_N_ELEMENTS (self->markers));
  if (self->state == NULL)
    return;
  drop_marker (self, which);
  self->marked[which] = self->position;
  if (map_state_n_events (self->state) == self->position)
    self->markers[which] = map_state_ref (self->state);
  else
    mark_far (self, which);
  session_changed (self, SESSION_CHANGE_MARKERS);
}

void
tophash_session_clear_markers (TophashSession *self) {
  g_return_if_fail (TOPHASH_IS_SESSION (self));
  for (guint i = 0; i < G_N_ELEMENTS (self->markers); i++)
    drop_marker (self, i);
  session_changed (self, SESSION_CHANGE_MARKERS);
}

gboolean
tophash_session_get_marker (TophashSession *self,
                            guint           which,
                            SessionMarker  *marker) {
  const MapState *state;

  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  g_return_val_if_fail (which < G_N_ELEMENTS (self->markers), FALSE);
  state = self->markers[which];
  if (state == NULL)
    return FALSE;
  marker->position = map_state_n_events (state);
  marker->at_ns = map_state_at_ns (state);
  return TRUE;
}

static guint64
count_ops (const StateCounters *counters) {
  guint64 n = 0;

  for (guint i = 0; i < OP_N_KINDS; i++)
    n += counters->n_ops[i];
  return n;
}

gboolean
tophash_session_get_difference (TophashSession    *self,
                                SessionDifference *difference) {
  const MapState *first, *last;
  const StateCounters *before, *after;

  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  first = self->markers[0];
  last = self->markers[1];
  if (first == NULL || last == NULL)
    return FALSE;
  if (map_state_n_events (first) > map_state_n_events (last)) {
    const MapState *later = first;

    first = last;
    last = later;
  }
  before = map_state_counters (first);
  after = map_state_counters (last);
  *difference = (SessionDifference){
    .ns = map_state_at_ns (last) - map_state_at_ns (first),
    .n_events = map_state_n_events (last) - map_state_n_events (first),
    .n_ops = count_ops (after) - count_ops (before),
    .n_promotions = after->n_promotions - before->n_promotions,
    .n_misses = after->n_misses - before->n_misses,
    .lock_wait_ns = after->lock_wait_ns - before->lock_wait_ns,
  };
  return TRUE;
}
