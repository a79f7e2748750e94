/* SPDX-License-Identifier: GPL-3.0-or-later */

/* strip-words.h — locks, views, shards and chains in words */
#pragma once

#include "core/model/tophash-session.h"
#include "widgets/tophash-geometry.h"

G_BEGIN_DECLS

/* "W2"; the thread that prepares the map is "main". All are (transfer full). */
char *worker_words_new  (int                  thread);
/* One sentence: who is inside, and what it means for the others. */
char *lock_words_new    (const MapState      *state,
                         const StateLock     *lock);
/* How often it was taken and waited for. */
char *lock_counts_new   (const StateLock     *lock);
/* The sentence, a line for each that waits, and how often it was taken. */
char *lock_life_new     (const MapState      *state,
                         const StateLock     *lock);
/* "view 3 · version 17 · W2 · 120 keys · open for 1.2 s" */
char *view_words_new    (const MapState      *state,
                         const StateSnapshot *view);
/* The same without what its chip says: "W2 · 120 keys · 1.2 s". */
char *view_rest_new     (const MapState      *state,
                         const StateSnapshot *view);
/* Load, use and lock of a shard, line by line. */
char *shard_words_new   (const MapState      *state,
                         guint                shard);
/* The versions of an entry, newest first, with those who see them, line by
 * line; NULL: it has none. */
char *chain_words_new   (const MapState      *state,
                         guint32              entry);
/* The item that was hit; NULL without one. */
char *strip_words_new   (const StageLayout   *layout,
                         const StageHit      *hit,
                         const char          *key_format);

/* "mu", "shard 17", "view 3". */
char *item_title_new    (const MapState         *state,
                         const TophashSelection *selection);
/* What is selected and no slot; NULL: nothing is known of it. */
char *item_words_new    (const MapState         *state,
                         const TophashSelection *selection);

/* The lock of @shard, which has its number; NULL: no event has named it. */
const StateLock *shard_lock (const MapState  *state,
                             guint            shard);
/* Whether @view sees @version of a chain: the newest that is old enough.
 * @newer: what stands before it; NULL: it is the first. */
gboolean view_sees          (const StateSnapshot *view,
                             const StateVersion  *version,
                             const StateVersion  *newer);
/* What thread waits for, of those in the lock's queue. */
LockWait lock_wait_of       (const StateLock *lock,
                             guint            thread);

G_END_DECLS
