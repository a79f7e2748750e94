/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-along.c — win.next-of and win.previous-of, and their letters
 *
 * To the next and previous event of a key, a bucket, a worker, a kind: the session
 * looks for it, and here is told when there is none. The inspector's rows have the
 * same actions.
 *
 * Of a key that is rare in a long recording this takes seconds. Then the card over
 * the map that files being read have says so, with a way out; a file that is read
 * or written meanwhile has the card for itself.
 */
#include "app/tophash-window-private.h"

#include <glib/gi18n.h>

#define PATIENCE_MS 200 /* before a wait is told: shorter ones are none */
#define PULSE_MS 100

/* As the keys' actions and the inspector's rows name them. */
static const char *const along_names[ALONG_N_KINDS]
  = { "key", "bucket", "thread", "kind" };

typedef struct {
  TophashWindow *window; /* a reference */
  SessionAlong   along;
  gboolean       forward;
} AlongNote;

/* Waiting ------------------------------------------------------------------ */

/* (transfer full) */
static char *
describe_wait (TophashWindow *self) {
  g_autofree char *name
      = tophash_session_along_name (self->session, self->wait_along);

  if (name == NULL)
    name = g_strdup ("…");
  if (self->wait_along == ALONG_KIND)
    return g_strdup_printf (self->wait_forward ? _ ("Looking for the next “%s”")
                                               : _ ("Looking for the previous “%s”"),
                            name);
  return g_strdup_printf (self->wait_forward
                              ? _ ("Looking for the next event of %s")
                              : _ ("Looking for the previous event of %s"),
                          name);
}

static void
end_wait (TophashWindow *self) {
  g_clear_handle_id (&self->wait_id, g_source_remove);
  if (!self->is_waiting)
    return;
  self->is_waiting = FALSE;
  if (self->job == NULL)
    gtk_revealer_set_reveal_child (self->busy, FALSE);
  tophash_window_update_actions (self);
}

static gboolean
pulse_cb (gpointer data) {
  TophashWindow *self = data;

  if (!tophash_session_is_going (self->session)) {
    self->wait_id = 0;
    end_wait (self);
    return G_SOURCE_REMOVE;
  }
  if (self->job == NULL)
    gtk_progress_bar_pulse (self->busy_bar);
  return G_SOURCE_CONTINUE;
}

static gboolean
show_wait_cb (gpointer data) {
  TophashWindow *self = data;
  g_autofree char *text = NULL;

  self->wait_id = 0;
  if (!tophash_session_is_going (self->session) || self->job != NULL)
    return G_SOURCE_REMOVE;
  text = describe_wait (self);
  gtk_label_set_text (self->busy_label, text);
  gtk_progress_bar_set_pulse_step (self->busy_bar, .06);
  gtk_progress_bar_pulse (self->busy_bar);
  gtk_revealer_set_reveal_child (self->busy, TRUE);
  self->is_waiting = TRUE;
  self->wait_id = g_timeout_add (PULSE_MS, pulse_cb, self);
  tophash_window_update_actions (self);
  return G_SOURCE_REMOVE;
}

static void
begin_wait (TophashWindow   *self,
            const AlongNote *note) {
  if (!tophash_session_is_going (self->session))
    return;
  /* One that asks for the same again waits for the same. */
  if ((self->wait_id != 0) && self->wait_along == note->along
      && self->wait_forward == note->forward)
    return;
  end_wait (self);
  self->wait_along = note->along;
  self->wait_forward = note->forward;
  self->wait_id = g_timeout_add (PATIENCE_MS, show_wait_cb, self);
}

gboolean
tophash_window_stop_waiting (TophashWindow *self) {
  gboolean was_waiting = self->is_waiting;

  if (was_waiting)
    tophash_session_stop_going (self->session);
  end_wait (self);
  return was_waiting;
}

/* Going -------------------------------------------------------------------- */

/* (transfer full) */
static char *
why_not (TophashSession  *session,
         const AlongNote *note,
         gboolean         is_so_far) {
  g_autofree char *name = tophash_session_along_name (session, note->along);

  if (name == NULL)
    return g_strdup (note->along == ALONG_KEY ? _ ("Choose a key on the map first")
                                              : _ ("Choose a slot on the map first"));
  if (is_so_far && note->along == ALONG_KIND)
    return g_strdup_printf (_ ("No later “%s” so far"), name);
  if (is_so_far)
    return g_strdup_printf (_ ("No later event of %s so far"), name);
  if (note->along == ALONG_KIND)
    return g_strdup_printf (note->forward ? _ ("No later “%s”")
                                          : _ ("No earlier “%s”"),
                            name);
  return g_strdup_printf (note->forward ? _ ("No later event of %s")
                                        : _ ("No earlier event of %s"),
                          name);
}

static void
along_done_cb (GObject      *source,
               GAsyncResult *result,
               gpointer      data) {
  TophashSession *session = TOPHASH_SESSION (source);
  AlongNote *note = data;
  g_autoptr (GError) error = NULL;
  gboolean is_there = tophash_session_along_finish (session, result, &error);

  if (note->window->session != NULL && !tophash_session_is_going (session))
    end_wait (note->window);
  /* Closed meanwhile: nobody is there to be told. */
  if (!is_there && gtk_widget_get_realized (GTK_WIDGET (note->window))
      && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_autofree char *text = why_not (
      session, note,
      g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT));

    tophash_window_toast (note->window, text);
  }
  g_object_unref (note->window);
  g_free (note);
}

void
tophash_window_along_action (GtkWidget  *widget,
                             const char *name,
                             GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);
  const char *wanted = g_variant_get_string (parameter, NULL);
  guint along = 0;
  AlongNote *note;

  while (along < ALONG_N_KINDS && !g_str_equal (along_names[along], wanted))
    along++;
  if (along == ALONG_N_KINDS)
    return;
  note = g_new0 (AlongNote, 1);
  note->window = g_object_ref (self);
  note->along = along;
  note->forward = g_str_equal (name, "win.next-of");
  tophash_session_along_async (self->session, along, note->forward, along_done_cb,
                               note);
  begin_wait (self, note);
}

/* Letters: one goes on, with Shift back, along the one thing. */
gboolean
tophash_window_key_along (TophashWindow   *self,
                          guint            keyval,
                          GdkModifierType  modifiers) {
  static const guint letters[ALONG_N_KINDS]
    = { GDK_KEY_k, GDK_KEY_b, GDK_KEY_w, GDK_KEY_e };

  if ((modifiers & ~GDK_SHIFT_MASK) != 0)
    return FALSE;
  for (guint i = 0; i < ALONG_N_KINDS; i++)
    if (gdk_keyval_to_lower (keyval) == letters[i]) {
      gtk_widget_activate_action (
        GTK_WIDGET (self),
        modifiers & GDK_SHIFT_MASK ? "win.previous-of" : "win.next-of", "s",
        along_names[i]);
      return TRUE;
    }
  return FALSE;
}
