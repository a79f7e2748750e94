/* SPDX-License-Identifier: GPL-3.0-or-later */

/* narrator.h — what an event means, in a sentence for a person
 *
 * Plain and expert registers; both translated, both true to the engine: every
 * figure in a sentence comes from the event or from the state before it.
 */
#pragma once

#include "core/state/map-state.h"

G_BEGIN_DECLS

typedef enum {
  NARRATION_PLAIN,
  NARRATION_EXPERT,
} NarrationRegister;

/* @before (nullable): the state the event met. @key_text: "k%d".
 * Returns: (transfer full): "W3 misses k54 in read: misses 9 of 29" */
char *narrator_event (const Event       *event,
                      const MapState    *before,
                      const char        *key_text,
                      NarrationRegister  wording);
/* Which check found it, in which operation, who was writing if that is known.
 * Returns: (transfer full): "W2 began Store(k17) while W1 was writing." */
char *narrator_misuse (const StateMisuse *misuse,
                       const char        *key_text,
                       NarrationRegister  wording);
/* "promotion 3", "copy 22", "growth ×2", "growth =": for timeline marks. */
char *narrator_landmark (EventKind kind,
                         guint64   number,
                         gboolean  flag);
/* "W1" for the first worker, "main". (transfer full) */
char *narrator_thread   (guint     thread);

G_END_DECLS
