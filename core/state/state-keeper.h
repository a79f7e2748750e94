/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-keeper.h — states left beside a recording while it is made
 *
 * A recording that is written straight into a file, and perhaps never ended, has
 * states to seek from all the same. Who saves a log leaves them when it is saved
 * (map_state_keep(), timeline_put_keyframes()).
 */
#pragma once

#include "core/record/tracelog.h"

G_BEGIN_DECLS

typedef struct _StateKeeper StateKeeper;

/* A thread of the lowest priority folds @log, which is referenced, and leaves a
 * state every @step events. NULL: there is no thread. */
StateKeeper *state_keeper_new  (TraceLog    *log,
                                guint64      step);
/* Ends it where it is. NULL is allowed. */
void         state_keeper_free (StateKeeper *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StateKeeper, state_keeper_free)

G_END_DECLS
