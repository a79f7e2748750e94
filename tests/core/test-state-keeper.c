/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-state-keeper.c — a recording has states in its file while it is made */
#include "core/record/tracelog-private.h"
#include "core/state/state-frames.h"
#include "core/state/state-keeper.h"
#include "tests/core/recording-file.h"

#define STEP 10000u
#define PATIENCE_US (40 * G_USEC_PER_SEC)

static void
append (TraceLog *log,
        guint     n) {
  const Event event = { .kind = EVENT_MISS_COUNTED };

  while (n-- > 0)
    tracelog_append (log, &event);
  tracelog_publish (log);
}

/* Whether @log has the state after @position events, and it is right. */
static gboolean
has_state (TraceLog *log,
           guint64   position) {
  g_autoptr (GPtrArray) frames
      = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_autoptr (MapState) state = NULL;
  TraceKeyframe found;

  if (!tracelog_find_keyframe (log, position, &found)
      || found.position != position)
    return FALSE;
  for (guint i = 0; i < found.n_frames; i++)
    g_ptr_array_add (frames, tracelog_read_frame (log, position, i));
  state = map_state_deserialise (frames, NULL);
  g_assert_nonnull (state);
  g_assert_cmpuint (map_state_n_events (state), ==, position);
  g_assert_cmpuint (map_state_counters (state)->n_misses, ==, position);
  return TRUE;
}

/* As whoever looks at the file of a run that was killed would see it. */
static gboolean
file_has_state (GFile   *file,
                guint64  position) {
  g_autoptr (TraceLog) log = tracelog_open (file, NULL, NULL, NULL, NULL, NULL);

  return log != NULL && has_state (log, position);
}

static void
test_while_recording (Fixture      *fixture,
                      gconstpointer unused) {
  g_autoptr (TraceInfo) info = make_info ();
  g_autoptr (TraceLog) log = tracelog_new (info, 1 << 20);
  g_autoptr (StateKeeper) keeper = NULL;
  g_autoptr (TraceLog) back = NULL;
  gint64 until_us = g_get_monotonic_time () + PATIENCE_US;

  g_assert_true (tracelog_record_to (log, fixture->file, NULL));
  keeper = state_keeper_new (log, STEP);
  g_assert_nonnull (keeper);
  append (log, 3 * STEP + 500);
  /* A generation is written when there is something new. */
  while (!file_has_state (fixture->file, 3 * STEP)) {
    g_assert_cmpint (g_get_monotonic_time (), <, until_us);
    g_usleep (10000);
    append (log, 1);
  }
  g_assert_true (file_has_state (fixture->file, STEP));
  g_assert_false (file_has_state (fixture->file, STEP + 1));
  tracelog_finish (log, FALSE);
  /* What stands in the file is not in memory as well, and is read from there. */
  for (guint i = 0; i < 3; i++)
    g_assert_null (g_array_index (log->keyframes, KeyframeEntry, i).payload);
  for (guint i = 1; i <= 3; i++)
    g_assert_true (has_state (log, i * STEP));
  back = tracelog_open (fixture->file, NULL, NULL, NULL, NULL, NULL);
  for (guint i = 1; i <= 3; i++)
    g_assert_true (has_state (back, i * STEP));
}

/* Given up at any moment, and where there is nothing to do. */
static void
test_ends (void) {
  g_autoptr (TraceInfo) info = make_info ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  StateKeeper *keeper = state_keeper_new (log, STEP);

  state_keeper_free (keeper);
  keeper = state_keeper_new (log, STEP);
  append (log, 2 * STEP);
  state_keeper_free (keeper);
  tracelog_finish (log, FALSE);
  keeper = state_keeper_new (log, STEP);
  state_keeper_free (keeper);
  state_keeper_free (NULL);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/core/state-keeper/while-recording", Fixture, NULL, set_up,
              test_while_recording, tear_down);
  g_test_add_func ("/core/state-keeper/ends", test_ends);
  return g_test_run ();
}
