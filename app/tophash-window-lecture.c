/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-lecture.c — for a room: big letters, no chrome, the whole screen
 *
 * A screen that is large enough has larger letters too, "large-lecture" in style.css.
 * They are given to each part of the window by itself, and to what is hidden only when
 * it is shown: with letters of another size each label is styled, shaped and measured
 * anew, and those of the settings and the inspector, which a lecture hides, are nine
 * tenths of all there are: 40 ms in one turn, for nothing.
 *
 * Nor do they come in the frame in which the panes go: all of the window is drawn in
 * that, and in those of the letters, 4 to 5 of the 8 ms that a turn of the main loop
 * may take. First the chrome, then the stage's letters, then the timeline's: it is
 * over in a twentieth of a second. What has room for all is decided when it is over.
 */
#include "app/tophash-window-private.h"

#include "widgets/event-words.h"

#include <glib/gi18n.h>

/* Steps nearer than what fits, for the last row of a room. */
#define LECTURE_ZOOM 1
/* A screen from this width on has room for larger letters. */
#define LARGE_SCREEN_PX 1600

gboolean
tophash_window_has_large_screen (TophashWindow *self) {
  GtkWidget *widget = GTK_WIDGET (self);
  GdkSurface *surface = gtk_native_get_surface (GTK_NATIVE (widget));
  GdkMonitor *monitor
      = surface == NULL ? NULL
                        : gdk_display_get_monitor_at_surface (
                              gtk_widget_get_display (widget), surface);
  GdkRectangle area = { 0 };

  if (monitor != NULL)
    gdk_monitor_get_geometry (monitor, &area);
  return area.width >= LARGE_SCREEN_PX;
}

static void
make_large (GtkWidget *part,
            gboolean   is_large) {
  /* Both do nothing where it is so. */
  if (is_large)
    gtk_widget_add_css_class (part, "large-lecture");
  else
    gtk_widget_remove_css_class (part, "large-lecture");
}

/* Hidden again while the lecture goes on, it keeps what it has got. */
static void
fit_hidden (TophashWindow *self,
            GtkWidget     *part,
            gboolean       is_shown) {
  if (is_shown || !self->has_large_letters)
    make_large (part, self->has_large_letters);
}

static void
fit_what_hides (TophashWindow *self) {
  fit_hidden (self, adw_flap_get_flap (self->pane_flap),
              adw_flap_get_reveal_flap (self->pane_flap));
  fit_hidden (self, adw_flap_get_flap (self->inspector_flap),
              adw_flap_get_reveal_flap (self->inspector_flap));
  fit_hidden (self, GTK_WIDGET (self->search_bar),
              tophash_search_bar_is_open (self->search_bar));
  fit_hidden (self, GTK_WIDGET (self->busy),
              gtk_revealer_get_reveal_child (self->busy));
}

/* The frame in which the chrome goes or comes is the first one here. */
static gboolean
letters_cb (GtkWidget     *widget,
            GdkFrameClock *clock,
            gpointer       data) {
  TophashWindow *self = TOPHASH_WINDOW (widget);

  switch (self->n_letter_frames++) {
  case 0:
    return G_SOURCE_CONTINUE;
  case 1:
    make_large (self->stage_box, self->has_large_letters);
    make_large (self->notices, self->has_large_letters);
    tophash_fit_bin_count_lines_of (self->fit, self->stage_box);
    return G_SOURCE_CONTINUE;
  default:
    make_large (self->timeline_card, self->has_large_letters);
    fit_what_hides (self);
    tophash_fit_bin_hold (self->fit, FALSE);
    self->letters_id = 0;
    return G_SOURCE_REMOVE;
  }
}

static void
set_large_letters (TophashWindow *self,
                   gboolean       is_large) {
  if (self->has_large_letters == is_large)
    return;
  self->has_large_letters = is_large;
  self->n_letter_frames = 0;
  tophash_fit_bin_hold (self->fit, TRUE);
  if (self->letters_id == 0)
    self->letters_id = gtk_widget_add_tick_callback (GTK_WIDGET (self), letters_cb,
                                                     NULL, NULL);
}

/* While letters are on their way, it has them with the others. */
static void
shown_cb (TophashWindow *self) {
  if (self->letters_id == 0)
    fit_what_hides (self);
}

void
tophash_window_watch_panes (TophashWindow *self) {
  g_signal_connect_object (self->pane_flap, "notify::reveal-flap",
                           G_CALLBACK (shown_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->inspector_flap, "notify::reveal-flap",
                           G_CALLBACK (shown_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->search_bar, "notify::open", G_CALLBACK (shown_cb),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->busy, "notify::reveal-child",
                           G_CALLBACK (shown_cb), self, G_CONNECT_SWAPPED);
}

void
tophash_window_set_lecture (TophashWindow *self,
                            gboolean       is_lecture) {
  if (self->is_lecture == is_lecture)
    return;
  self->is_lecture = is_lecture;
  gtk_revealer_set_reveal_child (self->header_revealer, !is_lecture);
  if (is_lecture) {
    self->pane_was_shown = adw_flap_get_reveal_flap (self->pane_flap);
    self->inspector_was_shown = adw_flap_get_reveal_flap (self->inspector_flap);
    adw_flap_set_reveal_flap (self->pane_flap, FALSE);
    adw_flap_set_reveal_flap (self->inspector_flap, FALSE);
    set_large_letters (self, tophash_window_has_large_screen (self));
    /* Of a heat map, which shows all of a large table, slots would show a part. */
    if (!tophash_map_view_is_far (self->map_view))
      tophash_map_view_zoom (self->map_view, LECTURE_ZOOM);
    gtk_window_fullscreen (GTK_WINDOW (self));
  } else {
    set_large_letters (self, FALSE);
    adw_flap_set_reveal_flap (self->pane_flap, self->pane_was_shown);
    adw_flap_set_reveal_flap (self->inspector_flap, self->inspector_was_shown);
    tophash_map_view_zoom (self->map_view, 0);
    gtk_window_unfullscreen (GTK_WINDOW (self));
  }
  tophash_window_fit (self);
  tophash_window_update_caption (self);
}

/* The sentence of the last event, in large type, for a room. */
void
tophash_window_update_caption (TophashWindow *self) {
  g_autofree char *text = NULL;

  gtk_widget_set_visible (GTK_WIDGET (self->caption), self->is_lecture);
  if (!self->is_lecture)
    return;
  text = event_words_new (self->session);
  if (text == NULL && tophash_session_get_position (self->session) == 0)
    text = g_strdup (tophash_session_is_empty (self->session)
                         ? _ ("Nothing happened: the recording has no events.")
                         : _ ("The beginning: nothing happened yet."));
  if (text != NULL)
    gtk_label_set_text (self->caption, text);
}
