/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-notes.h — bookmarks, markers and the text about a recording */
#pragma once

#include "core/model/tophash-session.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_NOTES (tophash_notes_get_type ())
G_DECLARE_FINAL_TYPE (TophashNotes, tophash_notes, TOPHASH, NOTES, GtkWidget)

GtkWidget *tophash_notes_new         (void);
/* @session (nullable): a reference is taken. */
void       tophash_notes_set_session (TophashNotes   *self,
                                      TophashSession *session);
/* Takes over what is being typed, without waiting for its end. */
void       tophash_notes_take        (TophashNotes   *self);
/* Gives the focus to the name of bookmark @id. */
void       tophash_notes_edit        (TophashNotes   *self,
                                      guint64         id);

G_END_DECLS
