/* SPDX-License-Identifier: GPL-3.0-or-later */

/* session-link.h — a widget's hold on the session that it shows */
#pragma once

#include "core/model/tophash-session.h"

G_BEGIN_DECLS

/**
 * session_link:
 * @held: the widget's reference; NULL: none
 * @changed_id: of its handler
 * @session: (nullable): to hold from now on
 * @changed_cb: of "changed"; gets @widget
 *
 * What every …_set_session () does first, and dispose with NULL.
 *
 * Returns: FALSE: it is the one that was held, nothing changed
 */
gboolean session_link (TophashSession **held,
                       gulong          *changed_id,
                       TophashSession  *session,
                       GCallback        changed_cb,
                       gpointer         widget);

G_END_DECLS
