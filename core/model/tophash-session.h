/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-session.h — the one object that views bind to
 *
 * A session holds a log (live or opened), a cursor in it, and what is selected.
 * Views read it and listen to its signals; no view knows another.
 *
 * Signals     "changed" (TophashSessionChange what): after any change; handlers
 *             look at the bits and do only what concerns them. Emitted at most
 *             once per frame while running or playing.
 *
 * Frames      The window calls tophash_session_tick() from its frame clock
 *             while tophash_session_needs_ticks(); otherwise nothing runs.
 *
 * Threads     main thread only.
 */
#pragma once

#include "core/record/trace-notes.h"
#include "core/state/timeline-search.h"
#include "core/workload/runner.h"

#include <glib-object.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_SESSION (tophash_session_get_type ())
G_DECLARE_FINAL_TYPE (TophashSession, tophash_session, TOPHASH, SESSION, GObject)

typedef enum {
  SESSION_CHANGE_LOG = 1 << 0,       /* another recording */
  SESSION_CHANGE_LENGTH = 1 << 1,    /* the log grew or ended */
  SESSION_CHANGE_CURSOR = 1 << 2,    /* another position, another state */
  SESSION_CHANGE_PLAY = 1 << 3,      /* playing, following, speed */
  SESSION_CHANGE_SELECTION = 1 << 4,
  SESSION_CHANGE_RANGE = 1 << 5,     /* visible span of time */
  SESSION_CHANGE_SCENARIO = 1 << 6,  /* settings for the next run */
  SESSION_CHANGE_RUN = 1 << 7,       /* started or ended */
  SESSION_CHANGE_NOTES = 1 << 8,     /* bookmarks, the text */
  SESSION_CHANGE_SEARCH = 1 << 9,    /* another search, or it found more */
  SESSION_CHANGE_MARKERS = 1 << 10,
  SESSION_CHANGE_PLACES = 1 << 11,   /* where one can go back to */
  SESSION_CHANGE_ZOOM = 1 << 12,     /* how near the map is drawn */
} TophashSessionChange;

typedef enum {
  SELECTION_NONE,
  SELECTION_SLOT,
  SELECTION_LOCK,  /* item: its id */
  SELECTION_VIEW,  /* an open view or snapshot; item: its id */
  SELECTION_SHARD, /* item: its index */
} SelectionKind;

/* A slot by place; the key it held when selected moves with it. */
typedef struct {
  SelectionKind kind;
  guint16       table;
  guint32       table_created_ver;
  gboolean      in_old;
  guint32       bucket;
  guint         slot;
  gboolean      has_key; /* a live or ghost key stands there */
  gint64        key;
  guint32       item;    /* of what is no slot */
} TophashSelection;

TophashSession *tophash_session_new          (void);

/* Scenario: (transfer none) getters; setters copy. */
const Scenario *tophash_session_get_scenario (TophashSession *self);
void      tophash_session_set_scenario       (TophashSession *self,
                                              const Scenario *scenario);

/* Running. run starts the scenario anew (stopping what runs). */
gboolean  tophash_session_run                (TophashSession *self,
                                              GError        **error);
void      tophash_session_stop               (TophashSession *self);
gboolean  tophash_session_is_running         (TophashSession *self);
/* NULL unless running. */
Runner   *tophash_session_get_runner         (TophashSession *self);

/* The recording; NULL before the first run. */
TraceLog *tophash_session_get_log            (TophashSession *self);
Timeline *tophash_session_get_timeline       (TophashSession *self);
/* Takes a reference; stops what runs. */
void      tophash_session_set_log            (TophashSession *self,
                                              TraceLog       *log);
/* TRUE: a recording without a single event, and none will come. */
gboolean  tophash_session_is_empty           (TophashSession *self);
/* TRUE when the log holds something that was never saved. */
gboolean  tophash_session_is_unsaved         (TophashSession *self);
void      tophash_session_mark_saved         (TophashSession *self);
/* TRUE when people's notes are not saved. */
gboolean  tophash_session_has_unsaved_notes  (TophashSession *self);

/* The cursor: position n = after n events. The state is NULL without a log. */
guint64         tophash_session_get_position (TophashSession *self);
const MapState *tophash_session_get_state    (TophashSession *self);
/* The state that the last event before the cursor met. NULL: there is none, or it
 * is not at hand, as while playing fast. */
const MapState *tophash_session_get_before   (TophashSession *self);
/* The last event of the state, which that before met. FALSE: there is none, or it is not
 * at hand; when it is, SESSION_CHANGE_CURSOR tells. */
gboolean        tophash_session_get_event    (TophashSession *self,
                                              Event          *event);
/* Moves the cursor; stops following and playing. Far seeks finish later, one after
 * another; those between the one under way and the newest are left out. */
void      tophash_session_seek               (TophashSession *self,
                                              guint64         position);
/* To after the last event at or before @at_ns: exact in the end; while blocks are read for
 * it, the position is a guess. */
void      tophash_session_seek_time          (TophashSession *self,
                                              gint64          at_ns);
/* +1 or -1 event; exact. */
void      tophash_session_step               (TophashSession *self,
                                              int             n_events);
/* To the next or previous event of @kinds. FALSE: there is none. */
gboolean  tophash_session_step_kind          (TophashSession *self,
                                              gboolean        forward,
                                              EventKinds      kinds);

/* Places. A jump is a seek over JUMP_EVENTS or more that was asked for at once:
 * a landmark, a bookmark, a hit, a click into the timeline; steps and playing
 * are none. Back goes to where the cursor stood before the last jump. */
#define SESSION_JUMP_EVENTS 256u
gboolean  tophash_session_can_go_back        (TophashSession *self);
gboolean  tophash_session_can_go_forward     (TophashSession *self);
void      tophash_session_go_back            (TophashSession *self);
void      tophash_session_go_forward         (TophashSession *self);

/* Notes: (transfer none), NULL without a log. Every change can be undone, newest
 * first, until another recording is shown. */
const TraceNotes *tophash_session_get_notes  (TophashSession *self);
/* At the cursor; its id, 0: there are too many. */
guint64   tophash_session_add_bookmark       (TophashSession *self,
                                              const char     *title,
                                              const char     *note);
void      tophash_session_edit_bookmark      (TophashSession *self,
                                              guint64         id,
                                              const char     *title,
                                              const char     *note);
void      tophash_session_remove_bookmark    (TophashSession *self,
                                              guint64         id);
void      tophash_session_set_text           (TophashSession *self,
                                              const char     *text);
gboolean  tophash_session_undo_notes         (TophashSession *self);
/* To the next or previous bookmark. FALSE: there is none. */
gboolean  tophash_session_step_bookmark      (TophashSession *self,
                                              gboolean        forward);
/* Puts cursor, visible span, zoom, selected key and markers into the notes, for a
 * file; and takes them from there, as far as they are given. */
void      tophash_session_store_view         (TophashSession *self);
void      tophash_session_restore_view       (TophashSession *self);

/* Two markers, 0 and 1, each set at the cursor. */
typedef struct {
  guint64 position;
  gint64  at_ns;
} SessionMarker;
void      tophash_session_set_marker         (TophashSession *self,
                                              guint           which);
void      tophash_session_clear_markers      (TophashSession *self);
/* FALSE: not set. */
gboolean  tophash_session_get_marker         (TophashSession *self,
                                              guint           which,
                                              SessionMarker  *marker);
/* What lies between both, the earlier first. FALSE: one is not set. */
typedef struct {
  gint64  ns;
  guint64 n_events;
  guint64 n_ops;
  guint64 n_promotions;
  guint64 n_misses;
  gint64  lock_wait_ns;
} SessionDifference;
gboolean  tophash_session_get_difference     (TophashSession    *self,
                                              SessionDifference *difference);

/* Searching: NULL or "" ends it. Errors: EVENT_QUERY_ERROR; the former search
 * stays then. The search is (transfer none), NULL: none. */
gboolean  tophash_session_search             (TophashSession *self,
                                              const char     *text,
                                              GError        **error);
TimelineSearch *tophash_session_get_search   (TophashSession *self);
/* To the next or previous hit. FALSE: there is none so far. */
gboolean  tophash_session_step_hit           (TophashSession *self,
                                              gboolean        forward);

/* Playing: pause freezes the cursor, whatever the run does. While a run is
 * live and followed, play means: follow the head. */
gboolean  tophash_session_is_playing         (TophashSession *self);
gboolean  tophash_session_is_following       (TophashSession *self);
void      tophash_session_play               (TophashSession *self);
void      tophash_session_pause              (TophashSession *self);
void      tophash_session_follow             (TophashSession *self);
/* Events per second; 0 = as recorded (real time). */
double    tophash_session_get_speed          (TophashSession *self);
void      tophash_session_set_speed          (TophashSession *self,
                                              double          events_per_s);

gboolean  tophash_session_needs_ticks        (TophashSession *self);
/* @frame_time_us: of the frame clock. Folds within a budget of 4 ms. */
void      tophash_session_tick               (TophashSession *self,
                                              gint64          frame_time_us);

/* Selection. */
const TophashSelection *tophash_session_get_selection (TophashSession *self);
void      tophash_session_select             (TophashSession         *self,
                                              const TophashSelection *selection);

/* How much time there is to show: all of a whole recording's, though it may not be
 * folded yet; of one that grows, what is folded. At least 1. */
gint64    tophash_session_get_end_ns         (TophashSession *self);
/* TRUE: there is more of the recording than what is folded. */
gboolean  tophash_session_needs_reading      (TophashSession *self);
/* Visible span of time; follows the log's end while it shows all of it. A part of it
 * turns with the cursor that leaves it, unless it was moved away from the cursor. */
void      tophash_session_get_range          (TophashSession *self,
                                              gint64         *from_ns,
                                              gint64         *to_ns);
void      tophash_session_set_range          (TophashSession *self,
                                              gint64          from_ns,
                                              gint64          to_ns);
void      tophash_session_show_all           (TophashSession *self);

/* How much nearer (+) or farther (-) than it fits the map is drawn, in steps of at
 * most SESSION_ZOOM_MOST. Another recording keeps it, unless its file says other. */
#define SESSION_ZOOM_MOST 9
int       tophash_session_get_zoom           (TophashSession *self);
void      tophash_session_set_zoom           (TophashSession *self,
                                              int             steps);

/* (transfer full): a key as this recording writes it. */
char     *tophash_session_key_text           (TophashSession *self,
                                              gint64          key);
const char *tophash_session_get_key_format   (TophashSession *self);

G_END_DECLS
