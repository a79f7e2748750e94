/* SPDX-License-Identifier: GPL-3.0-or-later */

/* slot-words.h — a place on the stage in words, for tooltips and readers */
#pragma once

#include "widgets/tophash-geometry.h"

G_BEGIN_DECLS

/* "k5: deleted (nil), its entry still held\nbucket 1, slot 0, tophash 6d\n
 * Range #7 skipped it: deleted". (transfer full); NULL without a slot. */
char *slot_words_new  (const MapState *state,
                       const StageHit *hit,
                       const char     *key_format);
/* "read: 22 entries; dirty: 30 entries, amended". (transfer full) */
char *stage_words_new (const MapState *state);

G_END_DECLS
