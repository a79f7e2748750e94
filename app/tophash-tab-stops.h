/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-tab-stops.h — Tab through lists of settings, one stop a setting
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * tophash_tab_stops_move:
 * @part: a part of the window that holds rows of settings
 * @direction: GTK_DIR_TAB_FORWARD or GTK_DIR_TAB_BACKWARD
 *
 * Moves the focus to the next stop in @part; from outside, to its first or last.
 *
 * Cost:    a walk through @part.
 * Threads: main thread.
 * Returns: FALSE behind the last stop, where the focus stays
 */
gboolean tophash_tab_stops_move (GtkWidget        *part,
                                 GtkDirectionType  direction);

G_END_DECLS
