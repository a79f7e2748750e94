/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-tab-stops.c — Tab through lists of settings, one stop a setting
 *
 * A GtkListBox leaves its rows to Tab in two ways that hinder here. A row that
 * holds a number stops Tab twice, for itself and for the number; and going back,
 * a list is passed by whole when its last row cannot have the focus, as a row
 * with a figure cannot. So the stops are listed, in the order in which they
 * stand, and the focus goes from one to the next.
 *
 * Stops       What is on screen, sensitive and can have the focus; but not what
 *             only holds others: lists, scrollers, and rows that do nothing of
 *             their own.
 */
#include "app/tophash-tab-stops.h"

#include <adwaita.h>

static gboolean
does_nothing (GtkWidget *widget) {
  if (GTK_IS_SCROLLED_WINDOW (widget) || GTK_IS_LIST_BOX (widget))
    return TRUE;
  if (!GTK_IS_LIST_BOX_ROW (widget) || ADW_IS_COMBO_ROW (widget))
    return FALSE;
  return !gtk_list_box_row_get_activatable (GTK_LIST_BOX_ROW (widget))
         || (ADW_IS_ACTION_ROW (widget)
             && adw_action_row_get_activatable_widget (ADW_ACTION_ROW (widget))
                    != NULL);
}

static void
list_stops (GtkWidget *widget,
            GPtrArray *stops) {
  if (!gtk_widget_get_mapped (widget) || !gtk_widget_is_sensitive (widget)
      || !gtk_widget_get_can_focus (widget) || GTK_IS_NATIVE (widget))
    return;
  if (gtk_widget_get_focusable (widget) && !does_nothing (widget))
    g_ptr_array_add (stops, widget);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    list_stops (child, stops);
}

/* The innermost stop that @focus is or is in; -1: none. */
static int
find_stop (GPtrArray *stops,
           GtkWidget *focus) {
  for (guint i = stops->len; i-- > 0;)
    if (focus != NULL
        && (focus == stops->pdata[i]
            || gtk_widget_is_ancestor (focus, stops->pdata[i])))
      return (int)i;
  return -1;
}

gboolean
tophash_tab_stops_move (GtkWidget        *part,
                        GtkDirectionType  direction) {
  g_autoptr (GPtrArray) stops = g_ptr_array_new ();
  GtkRoot *root = gtk_widget_get_root (part);
  int step = direction == GTK_DIR_TAB_FORWARD ? 1 : -1;
  int at;

  list_stops (part, stops);
  at = find_stop (stops, root == NULL ? NULL : gtk_root_get_focus (root));
  if (at < 0)
    at = step > 0 ? -1 : (int)stops->len;
  for (at += step; at >= 0 && at < (int)stops->len; at += step)
    if (gtk_widget_grab_focus (stops->pdata[at]))
      return TRUE;
  return FALSE;
}
