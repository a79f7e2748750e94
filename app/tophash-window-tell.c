/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-tell.c — what the window says in passing, and what must be read
 *
 * Both are notices at the lower edge of the map: what plays and steps stays free.
 * A toast goes by itself. A warning is a sentence that says what failed, where and
 * why: it stays until it is dismissed or what it was about is tried again, and may
 * carry a button for what can be done about it. There is one of each, and new words
 * take the place of the old ones in it.
 *
 * They lie over a pane that lies over the map, so they are no children of the map;
 * the overlay that holds them asks where that is.
 */
#include "app/tophash-window-job-private.h"

#include "widgets/tophash-draw.h"

#include <glib/gi18n.h>

#define TOAST_SECONDS 5
#define EDGE_PX 12
#define LEAST_PX 280 /* a map less wide than this lends no width */

void
tophash_window_toast (TophashWindow *self,
                      const char    *text) {
  tophash_notice_show (self->toast, text, NULL, NULL);
}

void
tophash_window_warn (TophashWindow *self,
                     const char    *text) {
  tophash_window_warn_with (self, text, NULL, NULL);
}

void
tophash_window_warn_with (TophashWindow *self,
                          const char    *text,
                          const char    *label,
                          const char    *action) {
  tophash_notice_show (self->warning, text, label, action);
}

void
tophash_window_forget_notices (TophashWindow *self) {
  tophash_notice_dismiss (self->toast);
  tophash_notice_dismiss (self->warning);
}

gboolean
tophash_window_dismiss (TophashWindow *self) {
  TophashNotice *shown
      = tophash_notice_is_shown (self->toast) ? self->toast : self->warning;

  if (!tophash_notice_is_shown (shown))
    return FALSE;
  tophash_notice_dismiss (shown);
  return TRUE;
}

/* The notices stand on the lower edge of the map, in its middle; upwards they take
 * what they need. */
static gboolean
place_cb (GtkOverlay    *overlay,
          GtkWidget     *notices,
          GdkRectangle  *place,
          TophashWindow *self) {
  graphene_rect_t map;
  int width;

  if (notices != self->notices
      || !gtk_widget_compute_bounds (GTK_WIDGET (self->stack), GTK_WIDGET (overlay),
                                     &map))
    return FALSE;
  if (map.size.width < LEAST_PX) {
    map.origin.x = 0;
    map.size.width = gtk_widget_get_width (GTK_WIDGET (overlay));
  }
  gtk_widget_measure (notices, GTK_ORIENTATION_HORIZONTAL, -1, NULL, &width, NULL,
                      NULL);
  place->width = MIN (width, (int)map.size.width - 2 * EDGE_PX);
  gtk_widget_measure (notices, GTK_ORIENTATION_VERTICAL, place->width, &place->height,
                      NULL, NULL, NULL);
  place->x = (int)(map.origin.x + (map.size.width - place->width) / 2);
  place->y = MAX (0, (int)(map.origin.y + map.size.height) - EDGE_PX - place->height);
  return TRUE;
}

/* A pane slides by allocating its flap alone. */
static void
slides_cb (TophashWindow *self) {
  if (tophash_notice_is_shown (self->toast) || tophash_notice_is_shown (self->warning))
    gtk_widget_queue_allocate (GTK_WIDGET (self->over));
}

void
tophash_window_make_notices (TophashWindow *self) {
  self->notices = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  self->toast = TOPHASH_NOTICE (tophash_notice_new (TOAST_SECONDS));
  self->warning = TOPHASH_NOTICE (tophash_notice_new (0));
  gtk_box_append (GTK_BOX (self->notices), GTK_WIDGET (self->toast));
  gtk_box_append (GTK_BOX (self->notices), GTK_WIDGET (self->warning));
  g_signal_connect_object (self->over, "get-child-position", G_CALLBACK (place_cb),
                           self, 0);
  gtk_overlay_add_overlay (self->over, self->notices);
  g_signal_connect_object (self->pane_flap, "notify::reveal-progress",
                           G_CALLBACK (slides_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->inspector_flap, "notify::reveal-progress",
                           G_CALLBACK (slides_cb), self, G_CONNECT_SWAPPED);
}

/* The recording -------------------------------------------------------------- */

gboolean
tophash_window_is_growing (TophashWindow *self) {
  TraceLog *log = tophash_session_get_log (self->session);

  return tophash_session_is_running (self->session)
         || (log != NULL && !tracelog_is_finished (log));
}

/* The number is the title's when it is the last one: it would not stand still. */
static char *
dup_lost (guint64  n_dropped,
          gboolean is_growing) {
  g_autofree char *count = NULL;

  if (is_growing)
    return g_strdup (_ ("events lost"));
  count = tophash_draw_format_count (n_dropped);
  return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s event lost",
                                       "%s events lost", n_dropped),
                          count);
}

/* What recorded it was ended, or it was saved while the run went on. One that ended
 * at its limit is all there is. */
static gboolean
is_part (TophashWindow *self,
         TraceLog      *log) {
  return !tophash_window_is_growing (self) && tracelog_is_part (log);
}

char *
tophash_window_dup_lacks (TophashWindow *self) {
  TraceLog *log = tophash_session_get_log (self->session);
  g_autofree char *lost = NULL;
  guint64 n_dropped;

  if (log == NULL)
    return NULL;
  n_dropped = tracelog_get_n_dropped (log);
  if (n_dropped > 0)
    lost = dup_lost (n_dropped, tophash_window_is_growing (self));
  if (!is_part (self, log))
    return g_steal_pointer (&lost);
  return lost == NULL ? g_strdup (_ ("ends before its run"))
                      : g_strjoin (" · ", lost, _ ("ends before its run"), NULL);
}

void
tophash_window_tell_part (TophashWindow *self) {
  TraceLog *log = tophash_session_get_log (self->session);
  g_autofree char *name = tophash_window_name_of (self->home);
  g_autofree char *text = NULL;

  if (!is_part (self, log))
    return;
  text = g_strdup_printf (_ ("“%s” does not reach the end of its run"), name);
  tophash_window_toast (self, text);
}

/* A run that filled its recording was ended for that: not without a word, which is
 * still there when somebody comes back to it. */
void
tophash_window_tell_limit (TophashWindow *self) {
  TraceLog *log = tophash_session_get_log (self->session);
  g_autofree char *reason = NULL;
  g_autofree char *text = NULL;

  if (log == NULL || tophash_window_is_growing (self))
    return;
  reason = tracelog_dup_limit_reason (log);
  if (reason == NULL)
    return;
  text = g_strdup_printf (_ ("%s The run was ended for that; nothing of it is lost."),
                          reason);
  tophash_window_warn_with (self, text, _ ("Save As…"), "win.save-as");
}

void
tophash_window_tell_anew (TophashWindow *self) {
  self->was_growing = FALSE;
  self->has_told_damage = FALSE;
  self->has_told_lost = FALSE;
}

/* A block that proves damaged when it is read ends the recording before it. */
static void
tell_damage (TophashWindow *self,
             TraceLog      *log) {
  g_autofree char *damage = NULL;

  if (self->has_told_damage)
    return;
  damage = tracelog_dup_damage (log);
  self->has_told_damage = damage != NULL;
  if (damage != NULL)
    tophash_window_warn (self, damage);
}

/* The first one lost comes in the middle of a run, or of a file that grows. */
static void
tell_lost (TophashWindow *self,
           TraceLog      *log) {
  if (self->has_told_lost)
    return;
  self->has_told_lost = tracelog_get_n_dropped (log) > 0;
  if (self->has_told_lost)
    tophash_window_update_title (self);
}

void
tophash_window_tell_recording (TophashWindow *self) {
  TraceLog *log = tophash_session_get_log (self->session);

  if (log == NULL)
    return;
  tell_damage (self, log);
  tell_lost (self, log);
}

/* Its recorder ended it, or came to an end itself. */
void
tophash_window_tell_grown (TophashWindow *self) {
  TraceLog *log = tophash_session_get_log (self->session);
  g_autofree char *name = tophash_window_name_of (self->home);
  g_autofree char *count = tophash_draw_format_count (tracelog_get_length (log));
  g_autofree char *text = NULL;
  TraceHonesty honesty;

  tracelog_get_honesty (log, &honesty);
  if (honesty.is_complete) {
    text = g_strdup_printf (_ ("“%s” is recorded to its end"), name);
    tophash_window_toast (self, text);
  } else if (!self->has_told_damage) {
    text = g_strdup_printf (_ ("The recording of “%s” broke off. Its first %s events "
                               "are here."),
                            name, count);
    tophash_window_warn (self, text);
  }
}
