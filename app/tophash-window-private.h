/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-private.h — the window's fields, for its topics
 *
 * tophash-window.c binds, tophash-window-actions.c acts, tophash-window-files.c
 * opens and saves and tophash-window-export.c writes the rest, as jobs
 * (tophash-window-job-private.h), tophash-window-tell.c says what happened,
 * tophash-window-fit.c makes room, tophash-window-warm.c loads fonts,
 * tophash-window-appear.c draws one pane after another, tophash-window-close.c ends
 * it and asks before work is lost.
 */
#pragma once

#include "app/tophash-fit-bin.h"
#include "app/tophash-notice.h"
#include "app/tophash-pair-box.h"
#include "app/tophash-room-label.h"
#include "app/tophash-settings-pane.h"
#include "app/tophash-window.h"
#include "core/export/export.h"
#include "core/model/tophash-session-along.h"
#include "widgets/tophash-inspector.h"
#include "widgets/tophash-map-view.h"
#include "widgets/tophash-misuse-banner.h"
#include "widgets/tophash-search-bar.h"
#include "widgets/tophash-stat-strip.h"
#include "widgets/tophash-still-bin.h"
#include "widgets/tophash-timeline-view.h"

G_BEGIN_DECLS

/* What would lose work that is not saved waits for an answer, and perhaps for a
 * save. */
typedef enum {
  AFTER_SAVE_STAY,
  AFTER_SAVE_CLOSE,
  AFTER_SAVE_OPEN,
  AFTER_SAVE_RUN,
} AfterSave;

struct _TophashWindow {
  AdwApplicationWindow parent_instance;

  /* Template */
  TophashFitBin       *fit;
  GtkOverlay          *over;
  GtkRevealer         *header_revealer;
  AdwHeaderBar        *header;
  GtkLabel            *narrow_title;
  AdwWindowTitle      *title;
  GtkToggleButton     *pane_button;
  GtkToggleButton     *inspector_button;
  GtkToggleButton     *search_button;
  GtkWidget           *lecture_button;
  GtkMenuButton       *menu_button;
  TophashSearchBar    *search_bar;
  AdwButtonContent    *run_content;
  GtkWidget           *run_button;
  GtkDropDown         *scenario_drop;
  GtkRevealer         *busy;
  GtkLabel            *busy_label;
  GtkProgressBar      *busy_bar;
  GtkWidget           *busy_cancel;
  GtkWidget           *main_box;
  GtkWidget           *stage_box;
  AdwFlap             *pane_flap;
  AdwFlap             *inspector_flap;
  TophashSettingsPane *settings;
  TophashInspector    *inspector;
  TophashMisuseBanner *misuse;
  GtkStack            *stack;
  AdwStatusPage       *empty_page;
  TophashMapView      *map_view;
  GtkLabel            *caption;
  TophashStatStrip    *stats;
  GtkWidget           *timeline_card;
  TophashTimelineView *timeline;
  GtkCenterBox        *transport;
  TophashPairBox      *narrow_transport;
  GtkBox              *transport_buttons;
  GtkBox              *transport_end;
  TophashRoomLabel    *position;
  GtkButton           *play_button;
  GtkWidget           *follow_button;
  GtkDropDown         *speed_drop;

  /* Owned */
  TophashSession *session;
  GSettings      *settings_store; /* NULL when the schema is not installed */
  GCancellable   *job;            /* opening or saving; NULL: none */
  GFile          *home;           /* of the recording; NULL: not saved yet */
  GPtrArray      *titles;         /* of the scenarios in the list, as written */
  GFile          *next_file;      /* of AFTER_SAVE_OPEN */

  /* Borrowed */
  GtkWidget     *notices;           /* both of: */
  TophashNotice *toast;
  TophashNotice *warning;
  GtkWidget     *focus_before_menu; /* NULL: it is closed */

  guint64  home_length;           /* of the recording, as it stands there */
  gboolean home_is_ours;          /* we wrote it */
  gboolean has_told_damage;       /* of the recording */
  gboolean was_growing;           /* the same, in a file of another process */
  gboolean has_told_lost;         /* the same */

  guint    n_opened_frames;       /* since a recording is there; counts a few */
  gboolean is_warm;               /* fonts are loaded */
  guint    tick_id;
  guint    appear_id;             /* 0: all is drawn */
  guint    n_appeared;            /* frames since then */
  guint    letters_id;            /* 0: all have the lecture's letters, or none */
  guint    n_letter_frames;
  guint    progress_id;
  guint    wait_id;             /* of what is gone to along a key or another */
  SessionAlong wait_along;
  gboolean wait_forward;
  gboolean is_waiting;          /* and the window says so */
  gint     progress;            /* thousandths; atomic */
  ExportFormat export_format;   /* a name is being chosen for */
  gboolean job_is_save;
  AfterSave after_save;         /* what waits for the recording to be saved */
  gboolean gives_up;            /* what is not saved: it was asked about */
  gboolean saves_soon;          /* when nothing runs and no job is under way */
  gint64   asks_from_ns;        /* a run as long as this is not lost unasked */
  gboolean is_lecture;
  gboolean has_large_letters;   /* for the lecture */
  gboolean has_run_button; /* it shows what follows */
  gboolean run_button_stops;
  gboolean run_button_is_short;
  gboolean pane_was_shown;      /* before lecture mode */
  gboolean inspector_was_shown;
  gboolean is_choosing;         /* the drop-down follows the session */
  gint64   position_at_us;      /* when the position label was last set */
  gboolean position_is_late;    /* a frame to come will set it */
  gboolean ended_by_misuse;     /* the recording, as far as is known */
  gboolean knows_end;           /* and more will not be */
};

void tophash_window_update_run_button (TophashWindow *self);
/* Of the recording's name, when it has got one. */
void tophash_window_update_title  (TophashWindow      *self);
void tophash_window_run           (TophashWindow      *self);

/* lecture */
void tophash_window_set_lecture   (TophashWindow      *self,
                                   gboolean            is_lecture);
void tophash_window_update_caption (TophashWindow     *self);
/* Its lectures have larger letters. */
gboolean tophash_window_has_large_screen (TophashWindow *self);
/* What is shown in a lecture that was hidden gets its letters then. */
void tophash_window_watch_panes   (TophashWindow      *self);

/* tell */
void tophash_window_toast         (TophashWindow      *self,
                                   const char         *text);
/* The same for what must be read to its end: it stays until it is dismissed. */
void tophash_window_warn          (TophashWindow      *self,
                                   const char         *text);
/* The same, with a button for what can be done about it: "win.save-as". */
void tophash_window_warn_with     (TophashWindow      *self,
                                   const char         *text,
                                   const char         *label,
                                   const char         *action);
/* What was said is done with: something is tried anew. */
void tophash_window_forget_notices (TophashWindow     *self);
/* One at a time. FALSE: nothing is said. */
gboolean tophash_window_dismiss   (TophashWindow      *self);
/* A run's: why it was ended, if that was for want of room. */
void tophash_window_tell_limit    (TophashWindow      *self);
/* Another recording is shown. */
void tophash_window_tell_anew     (TophashWindow      *self);
/* What happened to it since: events lost, damage, another process's end. */
void tophash_window_tell_recording (TophashWindow     *self);
/* In passing, when a file that was opened ends before its run does. */
void tophash_window_tell_part     (TophashWindow      *self);
/* What another process recorded has come to its end. */
void tophash_window_tell_grown    (TophashWindow      *self);
/* (transfer full, nullable): what the recording lacks, for the title: events, or
 * the end of its run. */
char *tophash_window_dup_lacks    (TophashWindow      *self);
/* TRUE: there is a recording, and more of it to come. */
gboolean tophash_window_is_growing (TophashWindow     *self);
/* Once, before anything is said. */
void tophash_window_make_notices  (TophashWindow      *self);

/* fit */
/* Shows as much as there is room for; on "level" of the bin. */
void tophash_window_fit           (TophashWindow      *self);
/* The counters come with a recording, and go where the map has no room. */
void tophash_window_fit_stats     (TophashWindow      *self);
/* Lets @flap slide where it lies over the map. */
void tophash_window_fit_flap      (AdwFlap            *flap);
/* Of a drop-down's button: rather an ellipsis than a wide window. */
void tophash_window_let_shrink    (GtkDropDown        *drop,
                                   int                 width_chars);

/* close */
#define TOPHASH_WINDOW_ASKS_FROM_NS (60 * G_GINT64_CONSTANT (1000000000))
/* FALSE: not now; what has to be done first is under way, or was asked. */
gboolean tophash_window_may_close (TophashWindow      *self);
/* FALSE: there is work to be lost; it is asked, and @next done after the answer.
 * @file: to open then, else NULL. */
gboolean tophash_window_may_leave (TophashWindow      *self,
                                   AfterSave           next,
                                   GFile              *file);
/* The recording is saved, or need not be: does what waited for that. */
void     tophash_window_go_on     (TophashWindow      *self);
/* Something came to its end: what was to be saved after it is saved now. */
void     tophash_window_save_soon (TophashWindow      *self);

/* warm */
/* At the first "map": little by little. */
void tophash_window_warm          (TophashWindow      *self);

/* appear */
#define TOPHASH_WINDOW_N_PANES 7
/* In the order in which they appear. */
void tophash_window_get_panes     (TophashWindow      *self,
                                   GtkWidget          *panes[TOPHASH_WINDOW_N_PANES]);
/* All panes are new: they are drawn from the next frames on. */
void tophash_window_appear        (TophashWindow      *self);

/* actions */
void tophash_window_add_actions   (TophashWindowClass *klass);
void tophash_window_update_actions (TophashWindow     *self);
void tophash_window_update_places  (TophashWindow     *self);
gboolean tophash_window_key       (TophashWindow      *self,
                                   guint               keyval,
                                   GdkModifierType     modifiers);
/* along */
void tophash_window_along_action  (GtkWidget          *widget,
                                   const char         *name,
                                   GVariant           *parameter);
/* TRUE: it was told that something is looked for; it is no more. */
gboolean tophash_window_stop_waiting (TophashWindow   *self);
/* TRUE: the letter goes along something. */
gboolean tophash_window_key_along (TophashWindow      *self,
                                   guint               keyval,
                                   GdkModifierType     modifiers);
/* Gives the focus back to where it was when the menu closes. */
void tophash_window_watch_menu    (TophashWindow      *self);
/* Positions of the speed drop-down. */
guint  tophash_window_n_speeds    (void);
double tophash_window_speed       (guint               index);
char  *tophash_window_speed_text  (guint               index);

/* files */
/* Opens what is dropped on it. */
void tophash_window_take_drops     (TophashWindow     *self);
void tophash_window_choose_open    (TophashWindow     *self);
void tophash_window_choose_save    (TophashWindow     *self);
/* Where it stands, if it stands somewhere; else a name is asked for. */
void tophash_window_save           (TophashWindow     *self);
void tophash_window_choose_picture (TophashWindow     *self);
void tophash_window_choose_export  (TophashWindow     *self,
                                    ExportFormat       format);

G_END_DECLS
