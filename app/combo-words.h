/* SPDX-License-Identifier: GPL-3.0-or-later */

/* combo-words.h — a combo row for those who hear it
 *
 * The row has its title for a name; what is chosen in it becomes its description.
 */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* @row: of a GtkStringList, as it is now or will be. */
void combo_words_follow (AdwComboRow *row);

G_END_DECLS
