/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-trace-keyframe.c — states come back byte by byte, or not at all */
#include "core/record/trace-keyframe.h"
#include "core/record/tracelog-private.h"
#include "tests/core/recording-file.h"

#include <string.h>

#define N_EVENTS (4 * TRACE_BLOCK_EVENTS)

/* Small ones, where many are made. */
#define SMALL 4000u

/* Frame @frame of the state at @position: random or all alike. */
static GBytes *
make_frame (guint64 position,
            guint   frame) {
  gsize size = frame == 0          ? 1
               : position == SMALL ? frame * 2000
                                   : TRACE_FRAME_MAX - frame * 1000;
  guint8 *bytes = g_malloc (size);
  Prng prng = { position + frame };

  for (gsize i = 0; i < size; i++)
    bytes[i] = frame % 2 ? (guint8)prng_next (&prng) : (guint8)position;
  return g_bytes_new_take (bytes, size);
}

static gboolean
put (TraceLog *log,
     guint64   position,
     guint     n_frames) {
  g_autoptr (GPtrArray) frames
      = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  TraceKeyframe facts = { position, (gint64)position * 7, 3, 0 };

  for (guint i = 0; i < n_frames; i++)
    g_ptr_array_add (frames, make_frame (position, i));
  return tracelog_put_keyframe (log, &facts, frames);
}

static void
assert_kept (TraceLog *log,
             guint64   position,
             guint     n_frames) {
  TraceKeyframe found;

  g_assert_true (tracelog_find_keyframe (log, position + 5, &found));
  g_assert_cmpuint (found.position, ==, position);
  g_assert_cmpint (found.at_ns, ==, (gint64)position * 7);
  g_assert_cmpuint (found.version, ==, 3);
  g_assert_cmpuint (found.n_frames, ==, n_frames);
  for (guint i = 0; i < n_frames; i++) {
    g_autoptr (GBytes) wanted = make_frame (position, i);
    g_autoptr (GBytes) frame = tracelog_read_frame (log, position, i);

    g_assert_nonnull (frame);
    g_assert_true (g_bytes_equal (frame, wanted));
  }
  g_assert_null (tracelog_read_frame (log, position, n_frames));
}

static void
test_round_trip (Fixture      *fixture,
                 gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (N_EVENTS);
  g_autoptr (TraceLog) back = NULL;
  g_autoptr (TraceLog) again = NULL;
  TraceKeyframe found;

  g_assert_false (tracelog_find_keyframe (log, N_EVENTS, &found));
  g_assert_true (put (log, 9000, 5));
  g_assert_true (put (log, 1000, 1));
  g_assert_false (put (log, 9000, 5));
  g_assert_false (put (log, 100, 0));
  g_assert_false (tracelog_find_keyframe (log, 999, &found));
  assert_kept (log, 1000, 1);
  assert_kept (log, 9000, 5);
  g_bytes_unref (log_to_bytes (log, fixture->file));
  back = tracelog_open (fixture->file, NULL, NULL, NULL, NULL, NULL);
  assert_kept (back, 1000, 1);
  assert_kept (back, 9000, 5);
  assert_same_events (log, back, N_EVENTS);
  g_assert_true (put (back, 12000, 2));
  g_assert_true (tracelog_save_notes (back, fixture->file, NULL));
  g_bytes_unref (log_to_bytes (back, fixture->file));
  again = tracelog_open (fixture->file, NULL, NULL, NULL, NULL, NULL);
  assert_kept (again, 1000, 1);
  assert_kept (again, 9000, 5);
  assert_kept (again, 12000, 2);
}

/* Whatever byte is changed: the right state, another one's place, or none. */
static void
test_damaged (Fixture      *fixture,
              gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (TRACE_BLOCK_EVENTS);
  g_autoptr (GBytes) bytes = NULL;
  const guint8 *data;
  guint64 at = 0;
  guint n_lost = 0;
  gsize size;
  Chunk chunk;

  g_assert_true (put (log, SMALL, 3));
  bytes = log_to_bytes (log, fixture->file);
  data = g_bytes_get_data (bytes, &size);
  for (at = FILE_HEADER_SIZE;
       chunk_read (&chunk, data + at) && chunk.type != CHUNK_KEYFRAME;
       at += chunk_room (&chunk))
    continue;
  g_assert_cmpuint (chunk.type, ==, CHUNK_KEYFRAME);
  for (gsize i = 0; i < CHUNK_HEADER_SIZE + chunk.stored_size;
       i += i < 200 ? 1 : 97) {
    g_autofree guint8 *copy = g_memdup2 (data, size);
    g_autoptr (GBytes) bad = NULL;
    g_autoptr (TraceLog) back = NULL;
    TraceKeyframe found;

    copy[at + i] ^= 0x04;
    bad = g_bytes_new (copy, size);
    back = tracelog_open_bytes (bad, "run.tophash", NULL, NULL);
    g_assert_cmpuint (tracelog_get_length (back), ==, TRACE_BLOCK_EVENTS);
    if (!tracelog_find_keyframe (back, N_EVENTS, &found)) {
      n_lost++;
      continue;
    }
    for (guint frame = 0; frame < found.n_frames; frame++) {
      g_autoptr (GBytes) wanted = make_frame (SMALL, frame);
      g_autoptr (GBytes) got = tracelog_read_frame (back, SMALL, frame);

      g_assert_true (got == NULL || g_bytes_equal (got, wanted));
      n_lost += got == NULL;
    }
  }
  g_assert_cmpuint (n_lost, >, 60);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test)                                                   \
  g_test_add ("/core/trace-keyframe/" name, Fixture, NULL, set_up, test,  \
              tear_down)
  ADD ("round-trip", test_round_trip);
  ADD ("damaged", test_damaged);
  return g_test_run ();
}
