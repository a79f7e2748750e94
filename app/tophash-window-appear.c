/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-appear.c — what comes at once, one pane a frame
 *
 * When the window opens, and when its first recording or run fills it, everything in
 * it is new: all of it in one frame is laid out, drawn, and put on the screen in
 * memory that nobody touched before, which takes longer than a turn of the main loop
 * may (NUMBERS: 8 ms). So all panes have their places at once, and nothing moves, but
 * each is drawn from a frame of its own on, the map first: the last one of them a
 * tenth of a second later. What is not yet drawn can be used and is told to screen
 * readers all the same.
 */
#include "app/tophash-window-private.h"

/* Of the panes so many, the first ones, show a recording alone. */
#define N_OF_RECORDING 4

/* The buttons below the timeline come after it: their icons are read when they are
 * drawn for the first time. The settings' and the inspector's pages stand in an image
 * of their own; the settings are so many that they come in two parts. */
void
tophash_window_get_panes (TophashWindow *self,
                          GtkWidget     *panes[TOPHASH_WINDOW_N_PANES]) {
  panes[0] = GTK_WIDGET (self->stack);
  panes[1] = self->timeline_card;
  panes[2] = GTK_WIDGET (self->transport);
  panes[3] = GTK_WIDGET (self->stats);
  panes[4] = adw_flap_get_flap (self->inspector_flap);
  panes[5] = adw_flap_get_flap (self->pane_flap);
  panes[6] = tophash_settings_pane_get_lower (self->settings);
}

static gboolean
appear_cb (GtkWidget     *widget,
           GdkFrameClock *clock,
           gpointer       data) {
  TophashWindow *self = TOPHASH_WINDOW (widget);
  GtkWidget *panes[TOPHASH_WINDOW_N_PANES];

  tophash_window_get_panes (self, panes);
  /* The first frame is the ground's. */
  if (self->n_appeared > 0)
    gtk_widget_set_opacity (panes[self->n_appeared - 1], 1);
  if (self->n_appeared++ < TOPHASH_WINDOW_N_PANES)
    return G_SOURCE_CONTINUE;
  self->appear_id = 0;
  return G_SOURCE_REMOVE;
}

void
tophash_window_appear (TophashWindow *self) {
  gboolean is_drawn = self->n_appeared > TOPHASH_WINDOW_N_PANES;
  guint n = is_drawn ? N_OF_RECORDING : TOPHASH_WINDOW_N_PANES;
  GtkWidget *panes[TOPHASH_WINDOW_N_PANES];

  tophash_window_get_panes (self, panes);
  for (guint i = 0; i < n; i++)
    gtk_widget_set_opacity (panes[i], 0);
  self->n_appeared = 0;
  if (self->appear_id == 0)
    self->appear_id = gtk_widget_add_tick_callback (GTK_WIDGET (self), appear_cb,
                                                    NULL, NULL);
}
