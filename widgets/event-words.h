/* SPDX-License-Identifier: GPL-3.0-or-later */

/* event-words.h — what the event under the playhead did, said */
#pragma once

#include "core/model/tophash-session.h"

G_BEGIN_DECLS

/* (transfer full) (nullable): NULL: there is no event before the cursor, or it
 * is not there yet. */
char *event_words_new (TophashSession *session);

G_END_DECLS
