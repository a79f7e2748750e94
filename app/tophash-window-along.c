/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-along.c — win.next-of and win.previous-of, and their letters
 *
 * To the next and previous event of a key, a bucket, a worker, a kind: the session
 * looks for it, and here is told when there is none. The inspector's rows have the
 * same actions.
 */
#include "app/tophash-window-private.h"

#include "core/model/tophash-session-along.h"

#include <glib/gi18n.h>

/* As the keys' actions and the inspector's rows name them. */
static const char *const along_names[ALONG_N_KINDS]
  = { "key", "bucket", "thread", "kind" };

typedef struct {
  TophashWindow *window; /* a reference */
  SessionAlong   along;
  gboolean       forward;
} AlongNote;

/* (transfer full) */
static char *
why_not (TophashSession  *session,
         const AlongNote *note) {
  g_autofree char *name = tophash_session_along_name (session, note->along);

  if (name == NULL)
    return g_strdup (note->along == ALONG_KEY ? _ ("Choose a key on the map first")
                                              : _ ("Choose a slot on the map first"));
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

  /* Closed meanwhile: nobody is there to be told. */
  if (!is_there && gtk_widget_get_realized (GTK_WIDGET (note->window))
      && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_autofree char *text = why_not (session, note);

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
