/* SPDX-License-Identifier: GPL-3.0-or-later */

/* session-link.c — a widget's hold on the session that it shows
 *
 * A reference and a handler, which come and go together.
 */
#include "widgets/session-link.h"

gboolean
session_link (TophashSession **held,
              gulong          *changed_id,
              TophashSession  *session,
              GCallback        changed_cb,
              gpointer         widget) {
  if (*held == session)
    return FALSE;
  if (*held != NULL)
    g_clear_signal_handler (changed_id, *held);
  g_set_object (held, session);
  if (session != NULL)
    *changed_id = g_signal_connect (session, "changed", changed_cb, widget);
  return TRUE;
}
