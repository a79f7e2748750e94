/* SPDX-License-Identifier: GPL-3.0-or-later */

/* each-engine.h — a test for every engine; states folded to a place, and the same */
#pragma once

#include "core/engine/engine.h"
#include "core/state/fold.h"
#include "core/state/state-frames.h"

/* Adds @test, which is given the class, as "BEFORE name AFTER". */
static inline void
add_for_each_engine (const char    *before,
                     const char    *after,
                     GTestDataFunc  test) {
  for (guint i = 0; engine_classes ()[i] != NULL; i++) {
    const EngineClass *klass = engine_classes ()[i];
    g_autofree char *path = g_strconcat (before, klass->name, after, NULL);

    g_test_add_data_func (path, klass, test);
  }
}

/* Bytes tell everything: a state that came back gives the same ones. */
static inline void
assert_same_frames (GPtrArray      *frames,
                    const MapState *state) {
  g_autoptr (GPtrArray) again = map_state_serialise (state);

  g_assert_cmpuint (again->len, ==, frames->len);
  for (guint i = 0; i < frames->len; i++) {
    g_assert_cmpuint (g_bytes_get_size (frames->pdata[i]), <=, STATE_FRAME_MAX);
    g_assert_true (g_bytes_equal (again->pdata[i], frames->pdata[i]));
  }
}

/* On to @position of @log. */
static inline void
fold_to (Fold     *fold,
         TraceLog *log,
         guint64   position) {
  while (fold_n_events (fold) < position) {
    guint64 at = fold_n_events (fold);
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, at);
    guint64 end = MIN (position, block->first + block->n_events);

    fold_apply_many (fold, block->events + (at - block->first),
                     (guint)(end - at));
  }
}
