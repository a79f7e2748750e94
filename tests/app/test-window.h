/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-window.h — the window under test, for its tests' files */
#pragma once

#include "app/tophash-window.h"

G_BEGIN_DECLS

/* Lets the main loop turn until @condition. */
#define TURN_UNTIL(condition)                                                 \
  G_STMT_START {                                                              \
    guint wake_id = g_timeout_add (5, wake_cb, NULL);                         \
                                                                              \
    while (!(condition))                                                      \
      g_main_context_iteration (NULL, TRUE);                                  \
    g_source_remove (wake_id);                                                \
  }                                                                           \
  G_STMT_END

gboolean       wake_cb      (gpointer        data);
TophashWindow *open_window  (void);
void           close_window (TophashWindow  *window);
void           activate     (TophashWindow  *window,
                             const char     *action);
/* The first of @type in and below @widget, or NULL. */
GtkWidget     *find_widget  (GtkWidget      *widget,
                             GType           type);
/* The button with @label in and below @widget, or NULL. */
GtkWidget     *find_button  (GtkWidget      *widget,
                             const char     *label);
/* The question that is asked, or NULL. */
GtkWidget     *find_dialog  (void);
/* Answers the question that is asked, as its button does. */
void           answer       (const char     *response);
/* Runs 400 operations of two workers and waits until all of it is shown. */
void           run_small    (TophashSession *session);
/* Lets the main loop turn until the run is over and shown. */
void           settle       (TophashSession *session);
/* Puts the cursor there when all of the log is folded. */
void           settle_at    (TophashSession *session,
                             guint64         position);

/* test-window-files.c */
void add_files_tests (void);
/* Removes what stands in @folder with it; how many files that were. */
char          *new_folder    (void);
guint          remove_folder (char           *folder);
GFile         *file_in       (const char     *folder,
                              const char     *name);
/* Runs, saves and waits for both. */
void           save_small    (TophashWindow  *window,
                              GFile          *file);
/* Whoever reads from the pipe @path is let go. */
void           end_pipe      (const char     *path);
const char    *subtitle_of   (TophashWindow  *window);
/* Something in the window begins with @text. */
gboolean       has_toast     (TophashWindow  *window,
                              const char     *text);

/* The same, and it is to be seen. */
gboolean       has_shown     (TophashWindow  *window,
                              const char     *text);

/* test-window-jobs.c */
void add_jobs_tests (void);

/* test-window-keys.c */
void add_keys_tests (void);

/* test-window-places.c */
void add_places_tests (void);

/* test-window-settings.c */
void add_settings_tests (void);

G_END_DECLS
