/* SPDX-License-Identifier: GPL-3.0-or-later */

/* event-words.c — see event-words.h */
#include "widgets/event-words.h"

#include "core/model/narrator.h"

char *
event_words_new (TophashSession *session) {
  Event event;

  if (!tophash_session_get_event (session, &event))
    return NULL;
  return narrator_event (&event, tophash_session_get_before (session),
                         tophash_session_get_key_format (session),
                         NARRATION_PLAIN);
}
