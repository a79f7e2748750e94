/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-trace-keyframe.c — states come back byte by byte, or not at all */
#include "core/record/trace-keyframe-private.h"
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

/* Numbers below 16 at random: only codes for single bytes make that smaller. */
static GBytes *
make_even (void) {
  guint8 *bytes = g_malloc (TRACE_FRAME_MAX);
  Prng prng = { 1 };

  for (gsize i = 0; i < TRACE_FRAME_MAX; i++)
    bytes[i] = (guint8)(prng_next (&prng) % 16);
  return g_bytes_new_take (bytes, TRACE_FRAME_MAX);
}

/* The payload of the file's only state. */
static const guint8 *
find_payload (const guint8 *data,
              Chunk        *chunk) {
  const guint8 *at = data + FILE_HEADER_SIZE;

  for (; chunk_read (chunk, at) && chunk->type != CHUNK_KEYFRAME;
       at += chunk_room (chunk))
    continue;
  g_assert_cmpuint (chunk->type, ==, CHUNK_KEYFRAME);
  return at + CHUNK_HEADER_SIZE;
}

/* Packed smaller when it is saved, and left alone when it is saved again. */
static void
test_packed_anew (Fixture      *fixture,
                  gconstpointer unused) {
  g_autoptr (GPtrArray) frames
      = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_autoptr (TraceLog) log = make_log (TRACE_BLOCK_EVENTS);
  TraceKeyframe facts = { SMALL, 7, 3, 0 };

  for (guint i = 0; i < 3; i++)
    g_ptr_array_add (frames, make_even ());
  g_assert_true (tracelog_put_keyframe (log, &facts, frames));
  for (guint turn = 0; turn < 2; turn++) {
    g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
    Chunk chunk;
    const guint8 *payload
        = find_payload (g_bytes_get_data (bytes, NULL), &chunk);

    tracelog_unref (log);
    log = tracelog_open (fixture->file, NULL, NULL, NULL, NULL, NULL);
    for (guint i = 0; i < 3; i++) {
      const guint8 *row = payload + 16 + 16 * i;
      g_autoptr (GBytes) got = tracelog_read_frame (log, SMALL, i);

      g_assert_cmpuint (bytes_get (row + 12, 4), ==, TRACE_CODEC_ZSTD);
      g_assert_cmpuint (bytes_get (row, 4), <, TRACE_FRAME_MAX * 11 / 20);
      g_assert_true (g_bytes_equal (got, frames->pdata[i]));
    }
  }
}

/* One that was kept with LZ4 or plain and then damaged stays so. */
static void
test_damaged_before (Fixture      *fixture,
                     gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (TRACE_BLOCK_EVENTS);
  g_autoptr (GPtrArray) frames
      = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_autoptr (GBytes) payload = NULL;
  g_autoptr (GBytes) bad = NULL;
  g_autoptr (GBytes) packed = NULL;
  g_autoptr (Crew) crew = crew_new ();
  TraceKeyframe facts = { SMALL, 7, 3, 0 };
  const guint8 *anew;
  guint8 *data;
  gsize size;

  for (guint i = 0; i < 3; i++)
    g_ptr_array_add (frames, make_even ());
  g_assert_true (tracelog_put_keyframe (log, &facts, frames));
  payload = tracelog_dup_keyframe (log, 0, &facts);
  data = g_memdup2 (g_bytes_get_data (payload, &size),
                    g_bytes_get_size (payload));
  data[size - 1] ^= 1;
  bad = g_bytes_new (data, size);
  packed = trace_keyframe_repack (bad, crew);
  anew = g_bytes_get_data (packed, NULL);
  g_assert_cmpuint (bytes_get (anew + 16 + 12, 4), ==, TRACE_CODEC_ZSTD);
  g_assert_cmpmem (anew + 16 + 32, 16, data + 16 + 32, 16);
  g_clear_pointer (&packed, g_bytes_unref);
  g_clear_pointer (&bad, g_bytes_unref);
  /* A table that does not fit its checksum, and ends before the frames do. */
  data[20] ^= 1;
  for (gsize n = size; n > 0; n /= 2) {
    g_autoptr (GBytes) part = g_bytes_new (data, n);
    g_autoptr (GBytes) kept = trace_keyframe_repack (part, crew);

    g_assert_true (kept == part);
  }
  g_free (data);
}

/* Each part once, however many there are; what a part did is seen by the next task. */
typedef struct {
  guint counts[100];
  guint sum;
} Parts;

static void
count_part_cb (gpointer data,
               guint    part) {
  ((Parts *)data)->counts[part]++;
}

static void
sum_parts_cb (gpointer data,
              guint    part) {
  Parts *parts = data;

  for (guint i = 0; i < G_N_ELEMENTS (parts->counts); i++)
    parts->sum += parts->counts[i];
}

static void
test_crew (void) {
  g_autoptr (Crew) crew = crew_new ();
  Parts parts = { { 0 } };

  for (guint n = 0; n <= G_N_ELEMENTS (parts.counts); n++) {
    crew_work (crew, n, count_part_cb, &parts);
    crew_work (crew, 1, sum_parts_cb, &parts);
    g_assert_cmpuint (parts.sum, ==, n * (n + 1) / 2);
    parts.sum = 0;
  }
  for (guint i = 0; i < G_N_ELEMENTS (parts.counts); i++)
    g_assert_cmpuint (parts.counts[i], ==, G_N_ELEMENTS (parts.counts) - i);
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
  ADD ("packed-anew", test_packed_anew);
  ADD ("damaged-before", test_damaged_before);
  g_test_add_func ("/core/trace-keyframe/crew", test_crew);
  return g_test_run ();
}
