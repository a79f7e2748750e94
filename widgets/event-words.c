/* SPDX-License-Identifier: GPL-3.0-or-later */

/* event-words.c — see event-words.h */
#include "widgets/event-words.h"

#include "core/model/narrator.h"

char *
event_words_new (TophashSession *session) {
  TraceLog *log = tophash_session_get_log (session);
  guint64 position = tophash_session_get_position (session);
  Event event;

  if (log == NULL || position == 0
      || !tracelog_get_event (log, position - 1, &event))
    return NULL;
  return narrator_event (&event, tophash_session_get_before (session),
                         tophash_session_get_key_format (session),
                         NARRATION_PLAIN);
}
