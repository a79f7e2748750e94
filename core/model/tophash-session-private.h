/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-session-private.h — what the session's two files share */
#pragma once

#include "core/model/tophash-session.h"
#include "core/state/fold.h"

G_BEGIN_DECLS

/* Handed to a runner's thread, which may outlive our interest in it. */
typedef struct {
  gatomicrefcount ref_count;
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
  gboolean  is_unsaved;
  guint64   known_length;
  char     *key_format;

  MapState *state;    /* NULL without a log */
  guint64   position; /* where the cursor is; the state follows a far seek */
  GCancellable *seeking; /* NULL unless a far seek is under way */

  Fold     *fold;     /* playing: continued from tick to tick; else NULL */
  gboolean  is_playing;
  gboolean  is_following;
  double    speed;    /* events per second; 0 = as recorded */
  double    credit;   /* part of an event not played yet */
  double    play_ns;  /* real time: where in the log the clock stands */
  gint64    last_tick_us; /* 0: no tick since playing began */

  TophashSelection selection;
  gboolean  shows_all;
  gint64    from_ns;
  gint64    to_ns;
};

void     session_changed      (TophashSession       *self,
                               TophashSessionChange  what);
/* Takes over @state as the one at the cursor; returns what changed. */
guint    session_take_state   (TophashSession       *self,
                               MapState             *state);
/* Ends far seeks and what playing keeps. */
void     session_drop_cursor  (TophashSession       *self);
/* Moves the selection to where its key stands now; what changed. */
guint    session_track_key    (TophashSession       *self);
/* Brings length and the visible span up to date; what changed. */
guint    session_look_at_log  (TophashSession       *self);

G_END_DECLS
