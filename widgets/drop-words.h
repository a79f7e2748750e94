/* SPDX-License-Identifier: GPL-3.0-or-later */

/* drop-words.h — a drop-down for those who hear it
 *
 * The focus goes to a button inside, which has no name of its own: it is given the
 * drop-down's and what is chosen.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* @drop: of a GtkStringList. @name: what it chooses, translated; copied. */
void drop_words_follow (GtkDropDown *drop,
                        const char  *name);

G_END_DECLS
