/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-search-bar.h — asking a recording where something was so
 *
 * Property    "open": whether the bar is shown.
 */
#pragma once

#include "core/model/tophash-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_SEARCH_BAR (tophash_search_bar_get_type ())
G_DECLARE_FINAL_TYPE (TophashSearchBar, tophash_search_bar, TOPHASH, SEARCH_BAR, GtkWidget)

GtkWidget *tophash_search_bar_new         (void);
/* @session (nullable): a reference is taken. */
void       tophash_search_bar_set_session (TophashSearchBar *self,
                                           TophashSession   *session);
/* Shows the entry and gives it the focus, or ends the search. */
void       tophash_search_bar_open        (TophashSearchBar *self,
                                           gboolean          is_open);
gboolean   tophash_search_bar_is_open     (TophashSearchBar *self);
/* To the next or previous hit, round the ends with a word. */
void       tophash_search_bar_step        (TophashSearchBar *self,
                                           gboolean          forward);
/* Takes as little room as can be written in. */
void       tophash_search_bar_set_narrow  (TophashSearchBar *self,
                                           gboolean          is_narrow);

G_END_DECLS
