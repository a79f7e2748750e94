/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window.h — the one window: template, panes, binding the session */
#pragma once

#include "core/export/export.h"
#include "core/model/tophash-session.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_WINDOW (tophash_window_get_type ())
G_DECLARE_FINAL_TYPE (TophashWindow, tophash_window, TOPHASH, WINDOW, AdwApplicationWindow)

TophashWindow  *tophash_window_new          (AdwApplication *application);
/* (transfer none) */
TophashSession *tophash_window_get_session  (TophashWindow  *self);
/* Fonts are loaded; a little after the first frame. */
gboolean        tophash_window_is_warm      (TophashWindow  *self);
/* The shipped scenario shown last time, or the first. Static. */
const char     *tophash_window_get_last_scenario (TophashWindow *self);
/* A recording or a scenario (.json), told apart by the name. Reports errors in
 * the window. */
void            tophash_window_open         (TophashWindow  *self,
                                             GFile          *file);
/* Without asking for a name; in a task, with the window's progress and toasts. */
void            tophash_window_save_to      (TophashWindow  *self,
                                             GFile          *file);
void            tophash_window_export_to    (TophashWindow  *self,
                                             ExportFormat    format,
                                             GFile          *file);
/* @name: a shipped scenario or a path. @run: start at once. */
void            tophash_window_set_scenario (TophashWindow  *self,
                                             const char     *name,
                                             gboolean        run);

G_END_DECLS
