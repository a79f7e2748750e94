/* SPDX-License-Identifier: GPL-3.0-or-later */

/* drop-words.c — see drop-words.h */
#include "widgets/drop-words.h"

static void
tell_cb (GtkDropDown *drop,
         GParamSpec  *property,
         gpointer     name) {
  GtkWidget *button = gtk_widget_get_first_child (GTK_WIDGET (drop));
  gpointer chosen = gtk_drop_down_get_selected_item (drop);
  g_autofree char *words = NULL;

  words = !GTK_IS_STRING_OBJECT (chosen)
            ? g_strdup (name)
            : g_strdup_printf ("%s: %s", (const char *)name,
                               gtk_string_object_get_string (chosen));
  gtk_accessible_update_property (GTK_ACCESSIBLE (button),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL, words, -1);
}

static void
free_name (gpointer  name,
           GClosure *closure) {
  g_free (name);
}

void
drop_words_follow (GtkDropDown *drop,
                   const char  *name) {
  g_signal_connect_data (drop, "notify::selected-item", G_CALLBACK (tell_cb),
                         g_strdup (name), free_name, 0);
  tell_cb (drop, NULL, (gpointer)name);
}
