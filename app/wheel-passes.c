/* SPDX-License-Identifier: GPL-3.0-or-later */

/* wheel-passes.c — the wheel scrolls what lies over it, and sets nothing
 *
 * Whoever scrolls through settings has each of them pass below the pointer. A scale
 * or a number takes the turns of the wheel that come then: the pace of a run changed,
 * unseen, and the pane stood still. Their controllers for it are switched off; arrow
 * keys, dragging and their buttons set them as before.
 */
#include "app/wheel-passes.h"

static void
pass (GtkWidget *widget) {
  g_autoptr (GListModel) controllers = gtk_widget_observe_controllers (widget);

  for (guint i = 0; i < g_list_model_get_n_items (controllers); i++) {
    g_autoptr (GtkEventController) controller
        = g_list_model_get_item (controllers, i);

    if (GTK_IS_EVENT_CONTROLLER_SCROLL (controller))
      gtk_event_controller_set_propagation_phase (controller, GTK_PHASE_NONE);
  }
}

void
wheel_passes (GtkWidget *within) {
  if (GTK_IS_SCALE (within) || GTK_IS_SPIN_BUTTON (within))
    pass (within);
  for (GtkWidget *child = gtk_widget_get_first_child (within); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    wheel_passes (child);
}
