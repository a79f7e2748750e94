/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-session-private.h — what the session's files share */
#pragma once

#include "core/model/tophash-session-along.h"
#include "core/model/tophash-session.h"
#include "core/state/fold.h"
#include "core/state/log-ahead.h"

G_BEGIN_DECLS

/* Handed to a runner's thread, which may outlive our interest in it. */
typedef struct {
  gint            ref_count;
  GWeakRef        session;
  GMainContext   *context;
} RunNote;

struct _TophashSession {
  GObject parent;

  Scenario *scenario; /* for the next run; NULL: none yet */
  Runner   *runner;   /* NULL unless running */
  RunNote  *note;     /* of that runner */

  TraceLog *log;
  Timeline *timeline;
  gboolean  is_unsaved; /* the events; notes: see session_notes_differ () */
  guint64   known_length;
  gint64    last_ns;  /* of the log's last event; 0 when more may come */
  char     *key_format;
  gboolean  expects_pair; /* as the log's head names its map */
  guint     expects_shards;

  MapState *state;    /* NULL without a log */
  MapState *before;   /* the last event's, as far as it is known; else NULL */
  guint64   position; /* where the cursor is; the state follows a far seek */
  gint64    sought_ns; /* the time that the position is a guess for; -1: it is none */
  Event     event;    /* the last one known of those before the cursor … */
  guint64   event_at; /* … and the position after it; 0: none is */
  guint64   asked_event_at; /* where a seek was begun for it alone */
  GCancellable *seeking; /* NULL unless a far seek is under way */

  Fold     *fold;     /* playing: continued from tick to tick; else NULL */
  LogAhead *ahead;    /* what it will fold; NULL as it is */
  gboolean  is_playing;
  gboolean  is_following;
  double    speed;    /* events per second; 0 = as recorded */
  double    credit;   /* part of an event not played yet */
  double    play_ns;  /* real time: where in the log the clock stands */
  gint64    last_tick_us; /* 0: no tick since playing began */

  TophashSelection selection;
  int       zoom;      /* of the map */
  gboolean  shows_all;
  gint64    from_ns;
  gint64    to_ns;
  gboolean  was_in_view; /* the cursor, when it or the span last changed */
  gboolean  wants_view;  /* wherever it was: somebody sent it where it goes */

  TraceNotes *notes;      /* the log's, as it has them; NULL without a log */
  TraceNotes *saved_notes; /* as they were when read or last saved */
  GPtrArray  *notes_done; /* of TraceNotes: as they were before each change */
  GArray     *places;     /* of guint64: where jumps began, oldest first */
  guint       place;      /* how many of them lie behind the cursor */
  guint64     restore_to; /* the cursor's, once it is folded; G_MAXUINT64: none */
  gboolean    restores_key; /* the one to select, once the state is there */
  gint64      restore_key;
  guint64     marked[2];  /* where the markers stand; G_MAXUINT64: not set */
  MapState   *markers[2]; /* states there; NULL: not set, or not there yet */
  GCancellable *marking[2]; /* NULL unless a far marker's state is fetched */

  TimelineSearch *search; /* NULL: none */
  guint64     known_hits; /* of it, as last told */
  gboolean    search_done;

  GCancellable *going;       /* NULL unless an event to go to is looked for */
  SessionAlong  going_along;
  gboolean      going_forward;
};

void     session_changed      (TophashSession       *self,
                               TophashSessionChange  what);
/* The event that the cursor stands after, at the beginning the first; or, while that one
 * is not there yet, the last one that was known. FALSE: none was. */
gboolean session_get_event    (TophashSession       *self,
                               Event                *event);
/* Takes over @state as the one at the cursor, and @before (nullable), that its last
 * event met; returns what changed. */
guint    session_take_state   (TophashSession       *self,
                               MapState             *state,
                               MapState             *before);
/* Ends far seeks and what playing keeps. */
void     session_drop_cursor  (TophashSession       *self);
/* Moves the selection to where its key stands now; what changed. */
guint    session_track_key    (TophashSession       *self);
/* The notes of the log that is shown now; nothing else of the former one. */
void     session_take_notes   (TophashSession       *self);
/* They are as the file has them from now on. */
void     session_notes_saved  (TophashSession       *self);
gboolean session_notes_differ (TophashSession       *self);
void     session_drop_places  (TophashSession       *self);
/* The cursor is about to leave for @position by a jump; what changed. */
guint    session_note_jump    (TophashSession       *self,
                               guint64               position);
/* Goes where the view was and sets its markers, as soon as that is folded. */
void     session_restore_place (TophashSession      *self);
/* Selects the key that was, as soon as its state is there; what changed. */
guint    session_restore_key  (TophashSession       *self);
/* Ends the search, and whether it found more; what changed. */
guint    session_drop_search  (TophashSession       *self);
guint    session_look_at_search (TophashSession     *self);
/* The span shown turns to the cursor, if that was in it or was sent where it is now:
 * who looks elsewhere while it plays goes on to. What changed. */
guint    session_keep_in_view (TophashSession       *self);
/* Gives up what is looked for to go along. */
void     session_stop_going   (TophashSession       *self);
/* Moves the cursor there without noting a place. */
void     session_move_cursor  (TophashSession       *self,
                               guint64               position,
                               guint                 what);
/* Brings length and the visible span up to date; what changed. */
guint    session_look_at_log  (TophashSession       *self);

G_END_DECLS
