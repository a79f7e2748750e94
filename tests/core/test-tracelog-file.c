/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-tracelog-file.c — files come back whole, or as far as they are whole */
#include "core/record/crc32c.h"
#include "core/record/tracelog-private.h"
#include "core/state/timeline.h"
#include "tests/core/recording-file.h"

#include <string.h>
#include <unistd.h>

/* Cuts between two inner bytes of a block. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define INNER_STEP 7
#else
#define INNER_STEP 1
#endif

static void
count_progress_cb (double   fraction,
                   gpointer data) {
  double *last = data;

  g_assert_cmpfloat (fraction, >=, *last);
  g_assert_cmpfloat (fraction, <=, 1);
  *last = fraction;
}

/* As make_log() told them. */
static void
assert_waits (TraceLog *log) {
  g_autoptr (GArray) waits = tracelog_dup_waits (log);
  const TraceWait *wait = (const TraceWait *)(void *)waits->data;

  g_assert_cmpuint (waits->len, ==, 2);
  g_assert_cmpuint (wait[0].thread, ==, 0);
  g_assert_cmpuint (wait[0].n_stalls, ==, 1);
  g_assert_cmpint (wait[0].stalled_ns, ==, 456);
  g_assert_cmpuint (wait[1].thread, ==, 1);
  g_assert_cmpuint (wait[1].n_stalls, ==, 11);
  g_assert_cmpint (wait[1].stalled_ns, ==, 3000);
}

/* As files before 1.4 had it: who waited is not known, and stays so. */
static void
test_unknown_waits (Fixture      *fixture,
                    gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (50);
  g_autoptr (TraceLog) back = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  TraceHonesty honesty;

  g_clear_pointer (&log->waits, g_array_unref);
  bytes = log_to_bytes (log, fixture->file);
  back = tracelog_open_bytes (bytes, "run.tophash", NULL, &error);
  g_assert_no_error (error);
  g_assert_null (tracelog_dup_waits (back));
  tracelog_get_honesty (back, &honesty);
  g_assert_cmpuint (honesty.n_stalls, ==, 12);
}

static void
test_round_trip (Fixture      *fixture,
                 gconstpointer data) {
  guint64 n = GPOINTER_TO_UINT (data);
  g_autoptr (TraceLog) log = make_log (n);
  g_autoptr (TraceLog) back = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *warning = NULL;
  double saved = 0, opened = 0;
  const TraceInfo *info, *wanted;
  TraceHonesty honesty;

  tracelog_save (log, fixture->file, count_progress_cb, &saved, NULL, &error);
  g_assert_no_error (error);
  back = tracelog_open (fixture->file, count_progress_cb, &opened, NULL,
                        &warning, &error);
  g_assert_no_error (error);
  g_assert_null (warning);
  g_assert_cmpfloat (saved, ==, 1);
  g_assert_cmpfloat (opened, ==, 1);

  g_assert_cmpuint (tracelog_get_length (back), ==, n);
  g_assert_true (tracelog_is_finished (back));
  assert_same_events (log, back, n);
  tracelog_get_honesty (back, &honesty);
  g_assert_cmpuint (honesty.n_stalls, ==, 12);
  g_assert_cmpint (honesty.stalled_ns, ==, 3456);
  g_assert_true (honesty.is_complete && honesty.was_limited);
  assert_waits (back);

  info = tracelog_get_info (back);
  wanted = tracelog_get_info (log);
  g_assert_cmpstr (info->engine_title, ==, wanted->engine_title);
  g_assert_cmpstr (info->scenario_title, ==, wanted->scenario_title);
  g_assert_cmpstr (info->scenario_json, ==, wanted->scenario_json);
  g_assert_cmpuint (info->seed, ==, wanted->seed);
  g_assert_cmpint (info->started_at_us, ==, wanted->started_at_us);
  g_assert_cmpuint (info->n_threads, ==, 2);
  g_assert_cmpstrv (info->thread_roles, wanted->thread_roles);
  g_assert_cmpstrv (info->phase_names, wanted->phase_names);
  g_assert_null (info->machine);
}

/* A log that is still written is saved up to where it is. */
static void
test_running_log (Fixture      *fixture,
                  gconstpointer unused) {
  g_autoptr (TraceInfo) info = make_info ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (TraceLog) back = NULL;
  g_autoptr (GBytes) bytes = NULL;
  Event event = { .kind = EVENT_MISS_COUNTED };
  TraceHonesty honesty;

  for (guint i = 0; i < TRACE_BLOCK_EVENTS + 10; i++)
    tracelog_append (log, &event);
  tracelog_publish (log);
  tracelog_append (log, &event);
  bytes = log_to_bytes (log, fixture->file);
  back = tracelog_open_bytes (bytes, "run.tophash", NULL, NULL);
  g_assert_cmpuint (tracelog_get_length (back), ==, TRACE_BLOCK_EVENTS + 10);
  tracelog_get_honesty (back, &honesty);
  g_assert_false (honesty.is_complete);
}

/* Cut at every byte of the last two blocks and of what is behind them, then here
 * and there: what is whole before the cut opens, and says so. */
static void
test_cut_anywhere (Fixture      *fixture,
                   gconstpointer unused) {
  guint64 n = 2 * TRACE_BLOCK_EVENTS + 40;
  g_autoptr (TraceLog) log = make_log (n);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  gsize size = g_bytes_get_size (bytes);
  guint64 last = n;
  gsize step = 1;

  for (gsize cut = 1; cut <= size; cut += cut < 3000 ? 1 : step) {
    g_autoptr (GBytes) part = g_bytes_new_from_bytes (bytes, 0, size - cut);
    g_autoptr (TraceLog) back = NULL;
    g_autoptr (GError) error = NULL;
    g_autofree char *warning = NULL;

    back = tracelog_open_bytes (part, "run.tophash", &warning, &error);
    g_assert_true ((back == NULL) == (error != NULL));
    if (back == NULL) {
      g_assert_cmpuint (last, ==, last == n ? n : TRACE_BLOCK_EVENTS);
      g_assert_nonnull (strstr (error->message, "run.tophash"));
      step = 97;
      continue;
    }
    g_assert_nonnull (warning);
    g_assert_nonnull (strstr (warning, "cut off"));
    g_assert_cmpuint (tracelog_get_length (back), <=, last);
    if (tracelog_get_length (back) != last || cut % 97 == 0)
      assert_same_events (log, back, tracelog_get_length (back));
    last = tracelog_get_length (back);
    g_assert_true (last == n || last == 2 * TRACE_BLOCK_EVENTS
                   || last == TRACE_BLOCK_EVENTS);
    step = INNER_STEP;
  }
  g_assert_cmpuint (last, ==, TRACE_BLOCK_EVENTS);
}

/* Every byte of a small file changed: never silently another log. */
static void
test_flip_anywhere (Fixture      *fixture,
                    gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (50);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  gsize size = g_bytes_get_size (bytes);

  for (gsize i = 0; i < size; i++) {
    g_autofree guint8 *copy = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
    g_autoptr (GBytes) bad = NULL;
    g_autoptr (TraceLog) back = NULL;
    g_autoptr (GError) error = NULL;
    g_autofree char *warning = NULL;

    copy[i] ^= (guint8)(1u << (i % 8));
    bad = g_bytes_new (copy, size);
    back = tracelog_open_bytes (bad, "run.tophash", &warning, &error);
    g_assert_true ((back == NULL) == (error != NULL));
    if (back != NULL)
      assert_same_events (log, back, tracelog_get_length (back));
    /* Tables alone are made anew without a word. */
    if (back != NULL && warning == NULL)
      g_assert_cmpuint (tracelog_get_length (back), ==, 50);
  }
}

/* Reads all there is; returns how many events that were. */
static guint64
read_as_far_as_good (TraceLog *log,
                     TraceLog *wanted) {
  guint64 at = 0;

  while (at < tracelog_get_length (log)) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, at);

    if (block == NULL)
      break;
    at = block->first + block->n_events;
  }
  assert_same_events (wanted, log, tracelog_get_length (log));
  return at;
}

/* Blocks are proved when they are read: whatever byte of a large file is
 * changed, all events are right, or the log ends and says why. */
static void
test_flip_in_blocks (Fixture      *fixture,
                     gconstpointer unused) {
  guint64 n = 5 * TRACE_BLOCK_EVENTS + 40;
  g_autoptr (TraceLog) log = make_log (n);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  gsize size = g_bytes_get_size (bytes);
  guint n_damaged = 0;

  for (gsize i = 1; i < size; i += 1 + size / 300) {
    g_autofree guint8 *copy = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
    g_autoptr (GBytes) bad = NULL;
    g_autoptr (TraceLog) back = NULL;
    g_autofree char *warning = NULL;
    g_autofree char *damage = NULL;
    guint64 n_good;

    copy[i] ^= 0x10;
    bad = g_bytes_new (copy, size);
    back = tracelog_open_bytes (bad, "run.tophash", &warning, NULL);
    if (back == NULL)
      continue;
    n_good = read_as_far_as_good (back, log);
    damage = tracelog_dup_damage (back);
    g_assert_cmpuint (n_good, ==, tracelog_get_length (back));
    g_assert_true (n_good == n || warning != NULL || damage != NULL);
    if (damage != NULL) {
      TraceHonesty honesty;

      n_damaged++;
      g_assert_nonnull (strstr (damage, "“run.tophash”"));
      g_assert_cmpuint (n_good % TRACE_BLOCK_EVENTS, ==, 0);
      tracelog_get_honesty (back, &honesty);
      g_assert_false (honesty.is_complete);
    }
  }
  g_assert_cmpuint (n_damaged, >, 100);
}

/* Another program cuts the file while it is open. */
static void
test_cut_while_open (Fixture      *fixture,
                     gconstpointer unused) {
  guint64 n = 20 * TRACE_BLOCK_EVENTS;
  g_autoptr (TraceLog) log = make_log (n);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  g_autoptr (TraceLog) back = NULL;
  g_autofree char *damage = NULL;
  g_autofree char *warning = NULL;

  back = tracelog_open (fixture->file, NULL, NULL, NULL, &warning, NULL);
  g_assert_null (warning);
  g_assert_cmpuint (tracelog_get_length (back), ==, n);
  g_assert_null (tracelog_dup_damage (back));
  g_assert_cmpint (truncate (g_file_peek_path (fixture->file),
                             (off_t)g_bytes_get_size (bytes) / 2), ==, 0);
  g_assert_cmpuint (read_as_far_as_good (back, log), <, n / 2 + 1);
  g_assert_cmpuint (tracelog_get_length (back), >, n / 3);
  damage = tracelog_dup_damage (back);
  g_assert_nonnull (strstr (damage, "wanted"));
  /* What was cut off is not found by time either. */
  g_assert_cmpuint (tracelog_index_at (back, G_MAXINT64), ==,
                    tracelog_get_length (back));
}

/* Who follows a log comes to its end when a block proves bad. */
static void
test_timeline_ends (Fixture      *fixture,
                    gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (6 * TRACE_BLOCK_EVENTS);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  gsize size = g_bytes_get_size (bytes);
  g_autofree guint8 *copy = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
  g_autoptr (GBytes) bad = NULL;
  g_autoptr (TraceLog) back = NULL;
  g_autoptr (Timeline) timeline = NULL;
  g_autoptr (MapState) state = NULL;
  g_autofree char *damage = NULL;

  copy[size / 2] ^= 1;
  bad = g_bytes_new (copy, size);
  back = tracelog_open_bytes (bad, "run.tophash", NULL, NULL);
  g_assert_cmpuint (tracelog_get_length (back), ==, 6 * TRACE_BLOCK_EVENTS);
  timeline = timeline_new (back);
  timeline_wait (timeline);
  damage = tracelog_dup_damage (back);
  g_assert_nonnull (damage);
  g_assert_cmpuint (timeline_get_length (timeline), ==,
                    tracelog_get_length (back));
  g_assert_cmpuint (timeline_get_length (timeline) % TRACE_BLOCK_EVENTS, ==, 0);
  g_assert_cmpuint (timeline_get_length (timeline), <, 6 * TRACE_BLOCK_EVENTS);
  state = timeline_seek (timeline, G_MAXUINT64, NULL);
  g_assert_cmpuint (map_state_n_events (state), ==,
                    timeline_get_length (timeline));
}

/* A log goes on reading from a file that another one took the name of. */
static void
test_saved_over_itself (Fixture      *fixture,
                        gconstpointer unused) {
  guint64 n = 20 * TRACE_BLOCK_EVENTS + 7;
  g_autoptr (TraceLog) log = make_log (n);
  g_autoptr (TraceLog) back = NULL;
  g_autoptr (TraceLog) again = NULL;
  g_autoptr (GError) error = NULL;

  g_bytes_unref (log_to_bytes (log, fixture->file));
  back = tracelog_open (fixture->file, NULL, NULL, NULL, NULL, NULL);
  g_assert_true (tracelog_save (back, fixture->file, NULL, NULL, NULL, &error));
  again = tracelog_open (fixture->file, NULL, NULL, NULL, NULL, NULL);
  assert_same_events (log, back, n);
  assert_same_events (log, again, n);
}

/* Whatever stands in INDEX and END, the log is right or says what is wrong. */
static void
test_wrong_tables (Fixture      *fixture,
                   gconstpointer unused) {
  guint64 n = 3 * TRACE_BLOCK_EVENTS + 40;
  g_autoptr (TraceLog) log = make_log (n);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  gsize size = g_bytes_get_size (bytes);
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  gsize end_at = bytes_get (data + size - 8, 8);
  gsize index_at = bytes_get (data + end_at + CHUNK_HEADER_SIZE + 8, 8);
  const gsize chunks[] = { index_at, end_at };

  for (guint c = 0; c < G_N_ELEMENTS (chunks); c++) {
    gsize at = chunks[c];
    Chunk chunk;

    g_assert_true (chunk_read (&chunk, data + at));
    for (gsize i = 0; i < chunk.stored_size; i++) {
      g_autofree guint8 *copy = g_memdup2 (data, size);
      g_autoptr (GBytes) bad = NULL;
      g_autoptr (TraceLog) back = NULL;
      g_autofree char *damage = NULL;
      guint64 n_good;

      copy[at + CHUNK_HEADER_SIZE + i] += 0x40;
      chunk.payload_crc = crc32c (0, copy + at + CHUNK_HEADER_SIZE,
                                  chunk.stored_size);
      chunk_write (copy + at, &chunk);
      bad = g_bytes_new (copy, size);
      back = tracelog_open_bytes (bad, "run.tophash", NULL, NULL);
      g_assert_nonnull (back);
      n_good = read_as_far_as_good (back, log);
      damage = tracelog_dup_damage (back);
      g_assert_true (n_good == n || damage != NULL);
    }
  }
}

static void
assert_refused (const guint8     *header,
                gsize             size,
                TraceLogFileError code) {
  g_autoptr (GBytes) bytes = g_bytes_new (header, size);
  g_autoptr (GError) error = NULL;

  g_assert_null (tracelog_open_bytes (bytes, "run.tophash", NULL, &error));
  g_assert_error (error, TRACELOG_FILE_ERROR, (int)code);
  g_assert_nonnull (strstr (error->message, "run.tophash"));
}

static void
test_refused_headers (Fixture      *fixture,
                      gconstpointer unused) {
  guint8 header[FILE_HEADER_SIZE];

  file_header_write (header, FILE_MINOR, 0, 0);
  assert_refused (header, sizeof header, TRACELOG_FILE_ERROR_EMPTY);
  assert_refused (header, 0, TRACELOG_FILE_ERROR_EMPTY);
  assert_refused (header, 20, TRACELOG_FILE_ERROR_EMPTY);
  bytes_put (header + 8, 2, FILE_MAJOR + 1);
  assert_refused (header, sizeof header, TRACELOG_FILE_ERROR_CORRUPT);
  bytes_put (header + 60, 4, crc32c (0, header, 60));
  assert_refused (header, sizeof header, TRACELOG_FILE_ERROR_NEWER);
  memmove (header + 4, header + 5, 20);
  assert_refused (header, sizeof header, TRACELOG_FILE_ERROR_CORRUPT);
  memcpy (header, "PK\3\4", 4);
  assert_refused (header, sizeof header, TRACELOG_FILE_ERROR_NOT_A_RECORDING);
}

/* Saved blocks are packed with zstd, full ones plane by plane, and told so to readers
 * who cannot. */
static void
test_packed_anew (Fixture      *fixture,
                  gconstpointer unused) {
  guint64 n = 3 * TRACE_BLOCK_EVENTS + 5;
  g_autoptr (TraceLog) log = make_log (n);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  gsize at = second_chunk (bytes);
  PackedBlock packed;
  Chunk chunk;

  g_assert_cmpuint (bytes_get (data + 44, 4), ==,
                    FILE_FEATURE_ZSTD | FILE_FEATURE_APART);
  for (guint64 first = 0; first < n; first += TRACE_BLOCK_EVENTS) {
    g_assert_true (chunk_read (&chunk, data + at));
    g_assert_cmpuint (chunk.type, ==, CHUNK_EVENTS);
    g_assert_cmpuint (chunk.codec, ==,
                      chunk.n_events == TRACE_BLOCK_EVENTS ? TRACE_CODEC_APART
                                                           : TRACE_CODEC_ZSTD);
    if (tracelog_dup_packed (log, first / TRACE_BLOCK_EVENTS, &packed)) {
      g_assert_cmpuint (chunk.stored_size, <, packed.stored_size);
      g_free (packed.data);
    }
    at += chunk_room (&chunk);
  }
}

/* A chunk that claims 4 GiB costs no more than the bytes that are there. */
static void
test_huge_claims (Fixture      *fixture,
                  gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (50);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  gsize at = second_chunk (bytes);

  for (guint type = CHUNK_INFO; type <= CHUNK_END + 1; type++) {
    g_autofree guint8 *copy = g_memdup2 (data, g_bytes_get_size (bytes));
    Chunk chunk;

    g_assert_true (chunk_read (&chunk, copy + at));
    chunk.type = type;
    chunk.flags = 0;
    chunk.stored_size = chunk.raw_size = G_MAXUINT32;
    chunk.n_events = G_MAXUINT32;
    chunk_write (copy + at, &chunk);
    assert_refused (copy, g_bytes_get_size (bytes),
                    type <= CHUNK_HONESTY || type == CHUNK_END
                        ? TRACELOG_FILE_ERROR_CORRUPT
                        : TRACELOG_FILE_ERROR_EMPTY);
  }
}

/* Kinds are told by name: a file whose numbers differ from ours is translated,
 * one with kinds that we lack opens up to the first of those. */
static void
test_other_kind_numbers (Fixture      *fixture,
                         gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (2 * TRACE_BLOCK_EVENTS);
  g_autoptr (GBytes) bytes = log_to_bytes (log, fixture->file);
  gsize size = g_bytes_get_size (bytes);
  g_autofree guint8 *copy = g_memdup2 (g_bytes_get_data (bytes, NULL), size);
  g_autoptr (GBytes) other = NULL;
  g_autoptr (TraceLog) back = NULL;
  g_autoptr (GError) error = NULL;
  guint8 *json = copy + FILE_HEADER_SIZE + CHUNK_HEADER_SIZE;
  char *a, *b;
  Chunk info;

  g_assert_true (chunk_read (&info, copy + FILE_HEADER_SIZE));
  a = g_strstr_len ((char *)json, info.stored_size, "\"table-created\"");
  b = g_strstr_len ((char *)json, info.stored_size, "\"table-cleared\"");
  g_assert_true (a != NULL && b != NULL);
  memcpy (a, "\"table-cleared\"", 15);
  memcpy (b, "\"table-created\"", 15);
  info.payload_crc = crc32c (0, json, info.stored_size);
  chunk_write (copy + FILE_HEADER_SIZE, &info);
  other = g_bytes_new (copy, size);
  back = tracelog_open_bytes (other, "run.tophash", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (tracelog_get_length (back), ==, 2 * TRACE_BLOCK_EVENTS);
  for (guint64 i = 0; i < tracelog_get_length (back); i++) {
    Event x, y;

    tracelog_get_event (log, i, &x);
    tracelog_get_event (back, i, &y);
    if (x.kind == EVENT_TABLE_CREATED)
      g_assert_cmpuint (y.kind, ==, EVENT_TABLE_CLEARED);
    else if (x.kind == EVENT_TABLE_CLEARED)
      g_assert_cmpuint (y.kind, ==, EVENT_TABLE_CREATED);
    else
      g_assert_cmpuint (y.kind, ==, x.kind);
  }

  memcpy (a, "\"table-unheard\"", 15);
  info.payload_crc = crc32c (0, json, info.stored_size);
  chunk_write (copy + FILE_HEADER_SIZE, &info);
  assert_refused (copy, size, TRACELOG_FILE_ERROR_CORRUPT);
}

static void
cancel_cb (double   fraction,
           gpointer data) {
  if (fraction > 0.3)
    g_cancellable_cancel (data);
}

static void
cancel_at_once_cb (double   fraction,
                   gpointer data) {
  g_cancellable_cancel (data);
}

/* Cancelled or failed, a save leaves what stood there and nothing beside it. */
static void
test_failed_save (Fixture      *fixture,
                  gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (200 * TRACE_BLOCK_EVENTS);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GFile) nowhere = g_file_get_child (fixture->file, "deeper");
  g_autoptr (GError) error = NULL;
  g_autofree char *contents = NULL;

  g_file_replace_contents (fixture->file, "old", 3, NULL, FALSE, 0, NULL, NULL,
                           &error);
  g_assert_no_error (error);
  g_assert_false (tracelog_save (log, fixture->file, cancel_cb, cancellable,
                                 cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (g_file_load_contents (fixture->file, NULL, &contents, NULL,
                                       NULL, NULL));
  g_assert_cmpstr (contents, ==, "old");
  g_assert_cmpuint (count_files (fixture->folder), ==, 1);

  g_clear_error (&error);
  g_assert_false (tracelog_save (log, nowhere, NULL, NULL, NULL, &error));
  g_assert_nonnull (strstr (error->message, "/deeper”"));
}

/* Cancelling ends the walk over a cut file, and the opening of a whole one. */
static void
test_cancelled_open (Fixture      *fixture,
                     gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (20 * TRACE_BLOCK_EVENTS);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_bytes_unref (log_to_bytes (log, fixture->file));
  g_cancellable_cancel (cancellable);
  g_assert_null (tracelog_open (fixture->file, NULL, NULL, cancellable, NULL,
                                &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_cancellable_reset (cancellable);
  g_assert_cmpint (truncate (g_file_peek_path (fixture->file), 100000), ==, 0);
  g_assert_null (tracelog_open (fixture->file, cancel_at_once_cb, cancellable,
                                cancellable, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* The check value that the polynomial is published with. */
static void
test_crc32c (void) {
  g_assert_cmphex (crc32c (0, "123456789", 9), ==, 0xe3069283u);
  g_assert_cmphex (crc32c (crc32c (0, "1234", 4), "56789", 5), ==, 0xe3069283u);
}

/* Any length at any place, and of parts. */
static void
test_crc32c_by_tables (void) {
  guint8 bytes[200];

  for (guint i = 0; i < sizeof bytes; i++)
    bytes[i] = (guint8)g_test_rand_int ();
  for (guint from = 0; from < 16; from++)
    for (guint n = 0; n <= sizeof bytes - from; n++) {
      guint32 whole = crc32c (0, bytes + from, n);

      g_assert_cmphex (crc32c_by_tables (0, bytes + from, n), ==, whole);
      g_assert_cmphex (crc32c (crc32c_by_tables (0, bytes + from, n / 3),
                               bytes + from + n / 3, n - n / 3), ==, whole);
    }
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
#define ADD(name, data, test)                                               \
  g_test_add ("/core/tracelog-file/" name, Fixture, data, set_up, test,     \
              tear_down)
  g_test_add_func ("/core/tracelog-file/crc32c", test_crc32c);
  g_test_add_func ("/core/tracelog-file/crc32c-by-tables", test_crc32c_by_tables);
  ADD ("round-trip/empty", GUINT_TO_POINTER (0), test_round_trip);
  ADD ("round-trip/one", GUINT_TO_POINTER (1), test_round_trip);
  ADD ("round-trip/full-block", GUINT_TO_POINTER (4096), test_round_trip);
  ADD ("round-trip/many", GUINT_TO_POINTER (50000), test_round_trip);
  ADD ("running-log", NULL, test_running_log);
  ADD ("cut-anywhere", NULL, test_cut_anywhere);
  ADD ("flip-anywhere", NULL, test_flip_anywhere);
  ADD ("flip-in-blocks", NULL, test_flip_in_blocks);
  ADD ("cut-while-open", NULL, test_cut_while_open);
  ADD ("timeline-ends", NULL, test_timeline_ends);
  ADD ("saved-over-itself", NULL, test_saved_over_itself);
  ADD ("wrong-tables", NULL, test_wrong_tables);
  ADD ("unknown-waits", NULL, test_unknown_waits);
  ADD ("refused-headers", NULL, test_refused_headers);
  ADD ("huge-claims", NULL, test_huge_claims);
  ADD ("packed-anew", NULL, test_packed_anew);
  ADD ("other-kind-numbers", NULL, test_other_kind_numbers);
  ADD ("failed-save", NULL, test_failed_save);
  ADD ("cancelled-open", NULL, test_cancelled_open);
  return g_test_run ();
}
