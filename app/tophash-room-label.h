/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-room-label.h — a line that says less where there is less room */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_ROOM_LABEL (tophash_room_label_get_type ())
G_DECLARE_FINAL_TYPE (TophashRoomLabel, tophash_room_label, TOPHASH, ROOM_LABEL,
                      GtkWidget)

/**
 * tophash_room_label_set_wordings:
 * @wordings: (array zero-terminated=1): the same thing said in ever fewer letters, one
 *     at least; copied
 *
 * Shows the first of @wordings that has room, the last one cut short where none has.
 * Screen readers are told the first. The label asks for the width of the first; digits
 * are as wide as each other, so a count that changes asks for no other.
 *
 * Cost:    one line shaped; a layout of the window where the width changed.
 * Threads: main thread.
 */
void        tophash_room_label_set_wordings (TophashRoomLabel  *self,
                                             const char *const *wordings);
/* What is shown at the present width; NULL: nothing yet. Whether it is cut short. */
const char *tophash_room_label_get_shown    (TophashRoomLabel  *self);
gboolean    tophash_room_label_is_cut       (TophashRoomLabel  *self);

G_END_DECLS
