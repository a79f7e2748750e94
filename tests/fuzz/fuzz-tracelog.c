/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fuzz-tracelog.c — hostile .tophash files
 *
 * The bytes are opened twice: as they are, and with all checksums made right,
 * since a fuzzer cannot guess those and would never get behind them. What opens
 * must be a log in order: readable to its last event, times rising, every kind
 * a kind. Then it is read as a history, as if it were whole.
 */
#include "core/check/history.h"
#include "core/record/tracelog-private.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/repair.h"

#include <string.h>

/* Whatever the events say: refused, or intervals that end after they begin. */
static void
read_history (TraceLog *log) {
  const TraceHonesty whole = { .is_complete = TRUE };
  g_autoptr (GError) error = NULL;
  g_autoptr (History) history = NULL;

  tracelog_restore (log, &whole);
  history = history_new_from_log (log, 0, 1, NULL, &error);
  g_assert ((history == NULL) == (error != NULL));
  for (gsize k = 0; history != NULL && k < history_n_keys (history); k++) {
    gsize n;
    const HistoryOp *ops = history_ops (history, k, &n);

    for (gsize i = 0; i < n; i++)
      g_assert (ops[i].began_ns <= ops[i].ended_ns);
  }
}

/* Notes and states come back in their bounds, or do not. */
static void
read_parts (TraceLog *log) {
  g_autoptr (TraceNotes) notes = tracelog_dup_notes (log);
  guint64 position = tracelog_get_length (log);
  TraceKeyframe keyframe;

  g_assert (notes->bookmarks->len <= TRACE_NOTES_MAX_BOOKMARKS);
  while (tracelog_find_keyframe (log, position, &keyframe)) {
    g_assert (keyframe.n_frames <= TRACE_KEYFRAME_MAX_FRAMES);
    for (guint i = 0; i < MIN (keyframe.n_frames, 4); i++) {
      g_autoptr (GBytes) frame
          = tracelog_read_frame (log, keyframe.position, i);

      g_assert (frame == NULL || g_bytes_get_size (frame) <= TRACE_FRAME_MAX);
    }
    if (keyframe.position == 0)
      break;
    position = keyframe.position - 1;
  }
}

static void
open_and_read (const uint8_t *data,
               size_t         size) {
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autofree char *warning = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (TraceLog) log
      = tracelog_open_bytes (bytes, "fuzz.tophash", &warning, &error);
  gint64 last_ns = 0;

  g_assert ((log == NULL) == (error != NULL));
  if (log == NULL)
    return;
  for (guint64 i = 0; i < tracelog_get_length (log);) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, i);

    if (block == NULL) {
      g_autofree char *damage = tracelog_dup_damage (log);

      g_assert (damage != NULL);
      g_assert (tracelog_get_length (log) == i);
      break;
    }
    for (guint k = 0; k < block->n_events; k++) {
      g_assert (block->events[k].at_ns >= last_ns);
      g_assert (block->events[k].kind != EVENT_NONE);
      g_assert (block->events[k].kind < EVENT_TIME);
      last_ns = block->events[k].at_ns;
    }
    i = block->first + block->n_events;
  }
  g_assert (tracelog_index_at (log, last_ns) == tracelog_get_length (log));
  read_parts (log);
  read_history (log);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size) {
  g_autofree uint8_t *copy = g_memdup2 (data, size);

  open_and_read (data, size);
  repair_checksums (copy, size);
  open_and_read (copy, size);
  return 0;
}
