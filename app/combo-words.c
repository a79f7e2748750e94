/* SPDX-License-Identifier: GPL-3.0-or-later */

/* combo-words.c — see combo-words.h */
#include "app/combo-words.h"

static void
tell_cb (AdwComboRow *row) {
  gpointer chosen = adw_combo_row_get_selected_item (row);

  if (GTK_IS_STRING_OBJECT (chosen))
    gtk_accessible_update_property (
        GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
        gtk_string_object_get_string (chosen), -1);
}

void
combo_words_follow (AdwComboRow *row) {
  g_signal_connect (row, "notify::selected-item", G_CALLBACK (tell_cb), NULL);
  tell_cb (row);
}
