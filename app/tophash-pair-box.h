/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-pair-box.h — two widgets in a line, or in two where a line is too short */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TOPHASH_TYPE_PAIR_BOX (tophash_pair_box_get_type ())
G_DECLARE_FINAL_TYPE (TophashPairBox, tophash_pair_box, TOPHASH, PAIR_BOX, GtkWidget)

/* It has no child yet, or lets go of what it had first. */
void tophash_pair_box_take (TophashPairBox *self,
                            GtkWidget      *first,
                            GtkWidget      *second);
void tophash_pair_box_drop (TophashPairBox *self);

G_END_DECLS
