/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-tracelog-grow.c — recordings that are read while they are written
 *
 * By another process, which may be killed; and files made to measure, which a
 * lock of the test's own makes look like one that is being recorded.
 */
#include "core/record/tracelog-private.h"
#include "tests/core/numbered-events.h"
#include "tests/core/recording-file.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__ /* ten times as slow */
#define N_KILLS 5
#else
#define N_KILLS 20
#endif
#define BURST 1000000
#define PATIENCE_US (40 * G_USEC_PER_SEC)

static TraceLog *
open_growing (Fixture *fixture) {
  g_autoptr (GError) error = NULL;
  TraceLog *log = tracelog_open_growing (fixture->file, NULL, NULL, NULL, NULL,
                                         &error);

  g_assert_no_error (error);
  return log;
}

/* Until @log has @n events, or is finished. */
static void
refresh_to (TraceLog *log,
            guint64   n) {
  gint64 until_us = g_get_monotonic_time () + PATIENCE_US;

  while (tracelog_get_length (log) < n && tracelog_refresh (log)) {
    g_assert_cmpint (g_get_monotonic_time (), <, until_us);
    g_usleep (1000);
  }
}

/* Processes ---------------------------------------------------------------- */

/* A burst, then little by little: what is there can be read in the end. */
static void
record_for_ever (GFile  *file,
                 guint64 n,
                 int     pipe_end) {
  g_autoptr (TraceInfo) info = make_info ();
  TraceLog *log = tracelog_new (info, 1 << 20);

  if (!tracelog_record_to (log, file, NULL))
    _exit (1);
  append (log, 0, n);
  if (write (pipe_end, "", 1) != 1)
    _exit (1);
  for (guint64 i = n; i < n + BURST; i += 1000)
    append (log, i, i + 1000);
  for (guint64 i = n + BURST;; i++) {
    append (log, i, i + 1);
    g_usleep (1000);
  }
}

/* A child that records until it is killed; it has appended @n events. */
static pid_t
start_recording (GFile  *file,
                 guint64 n) {
  int ends[2];
  pid_t child;
  char byte;

  g_assert_cmpint (pipe (ends), ==, 0);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    record_for_ever (file, n, ends[1]);
  close (ends[1]);
  g_assert_cmpint (read (ends[0], &byte, 1), ==, 1);
  close (ends[0]);
  return child;
}

static void
end_recording (pid_t child) {
  kill (child, SIGKILL);
  g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
}

/* Killed at any moment: what is read is right, and ends. */
static void
test_kill (Fixture      *fixture,
           gconstpointer unused) {
  Prng prng = { 12 };
  guint64 most = 0;

  for (guint i = 0; i < N_KILLS; i++) {
    guint64 n = 1 + prng_below (&prng, 300 * TRACE_BLOCK_EVENTS);
    pid_t child = start_recording (fixture->file, n);
    g_autoptr (TraceLog) log = open_growing (fixture);
    g_autoptr (TraceLog) back = NULL;
    g_autofree char *damage = NULL;
    TraceHonesty honesty;

    g_assert_false (tracelog_is_finished (log));
    for (guint64 k = prng_below (&prng, 4); k > 0; k--)
      g_assert_true (tracelog_refresh (log));
    end_recording (child);
    refresh_to (log, G_MAXUINT64);
    g_assert_true (tracelog_is_finished (log));
    g_assert_false (tracelog_refresh (log));
    assert_events (log, tracelog_get_length (log));
    damage = tracelog_dup_damage (log);
    g_assert_null (damage);
    tracelog_get_honesty (log, &honesty);
    g_assert_false (honesty.is_complete);
    back = tracelog_open (fixture->file, NULL, NULL, NULL, NULL, NULL);
    g_assert_cmpuint (back != NULL ? tracelog_get_length (back) : 0, ==,
                      tracelog_get_length (log));
    most = MAX (most, tracelog_get_length (log));
  }
  g_assert_cmpuint (most, >, TRACE_BLOCK_EVENTS);
}

/* The log follows by itself, read by two threads meanwhile. */
static void
test_follow (Fixture      *fixture,
             gconstpointer unused) {
  gint64 until_us = g_get_monotonic_time () + PATIENCE_US;
  pid_t child = start_recording (fixture->file, 10);
  g_autoptr (TraceLog) log = open_growing (fixture);
  guint64 length = tracelog_get_length (log);
  GThread *readers[2];

  tracelog_follow (log);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    readers[i] = g_thread_new ("reader", read_along, log);
  for (guint n = 0; n < 3; n++) {
    while (tracelog_get_length (log) == length) {
      g_assert_cmpint (g_get_monotonic_time (), <, until_us);
      g_usleep (1000);
    }
    length = tracelog_get_length (log);
  }
  end_recording (child);
  for (guint i = 0; i < G_N_ELEMENTS (readers); i++)
    g_thread_join (readers[i]);
  assert_events (log, tracelog_get_length (log));
  g_assert_cmpuint (tracelog_get_length (log), >=, length);
}

/* Given up while it follows: its thread ends. */
static void
test_unref (Fixture      *fixture,
            gconstpointer unused) {
  pid_t child = start_recording (fixture->file, 10);
  TraceLog *log = open_growing (fixture);

  tracelog_follow (log);
  tracelog_unref (log);
  end_recording (child);
}

/* One process ------------------------------------------------------------- */

/* From no events to the end, with steps inside a block and over its border. */
static void
test_to_the_end (Fixture      *fixture,
                 gconstpointer unused) {
  static const guint64 steps[] = { 1, 100, TRACE_BLOCK_EVENTS,
                                   TRACE_BLOCK_EVENTS + 5,
                                   270 * TRACE_BLOCK_EVENTS + 77 };
  g_autoptr (TraceInfo) info = make_info ();
  g_autoptr (TraceLog) log = tracelog_new (info, 1 << 20);
  g_autoptr (TraceLog) back = NULL;
  g_autoptr (GArray) waits = NULL;
  guint64 n = 0;
  TraceHonesty honesty;

  g_assert_true (tracelog_record_to (log, fixture->file, NULL));
  back = open_growing (fixture);
  g_assert_cmpuint (tracelog_get_length (back), ==, 0);
  g_assert_false (tracelog_is_finished (back));
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    append (log, n, steps[i]);
    n = steps[i];
    refresh_to (back, n);
    assert_events (back, n);
    g_assert_false (tracelog_is_finished (back));
  }
  tracelog_add_waits (log, 1, 3, 700);
  append (log, n, n + 9);
  tracelog_finish (log, FALSE);
  refresh_to (back, G_MAXUINT64);
  assert_events (back, n + 9);
  tracelog_get_honesty (back, &honesty);
  g_assert_true (honesty.is_complete);
  g_assert_cmpuint (honesty.n_stalls, ==, 3);
  waits = tracelog_dup_waits (back);
  g_assert_cmpuint (waits->len, ==, 1);
  g_assert_cmpuint (g_array_index (waits, TraceWait, 0).thread, ==, 1);
}

/* A file that nobody records into is what tracelog_open() gives. */
static void
test_whole (Fixture      *fixture,
            gconstpointer unused) {
  g_autoptr (TraceLog) log = make_log (50);
  g_autoptr (TraceLog) back = NULL;

  g_assert_true (tracelog_save (log, fixture->file, NULL, NULL, NULL, NULL));
  back = open_growing (fixture);
  g_assert_true (tracelog_is_finished (back));
  tracelog_follow (back);
  g_assert_false (tracelog_refresh (back));
  assert_same_events (log, back, 50);
}

/* Files made to measure ---------------------------------------------------- */

/* (transfer full): a saved log of the events from @from to @to. */
static GBytes *
save_range (Fixture *fixture,
            guint64  from,
            guint64  to) {
  g_autoptr (TraceInfo) info = make_info ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autofree char *path = g_file_get_path (fixture->file);
  char *data;
  gsize size;

  append (log, from, to);
  tracelog_finish (log, FALSE);
  g_assert_true (tracelog_save (log, fixture->file, NULL, NULL, NULL, NULL));
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  return g_bytes_new_take (data, size);
}

/* Appends all chunks of @bytes but its INFO. */
static void
append_chunks (int     fd,
               GBytes *bytes) {
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  gsize at = FILE_HEADER_SIZE + CHUNK_HEADER_SIZE
             + ((bytes_get (data + FILE_HEADER_SIZE + 8, 4) + 7) & ~(guint64)7);

  g_assert_cmpint (write (fd, data + at, size - at), ==, (gssize)(size - at));
}

/* (transfer full): opened while it holds 100 events; then @more is behind it. */
static TraceLog *
open_then_append (Fixture *fixture,
                  GBytes  *more) {
  GBytes *begin = save_range (fixture, 0, 100);
  g_autofree char *path = g_file_get_path (fixture->file);
  int fd = open (path, O_RDWR | O_APPEND | O_CLOEXEC);
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  TraceLog *log;

  g_bytes_unref (begin);
  g_assert_cmpint (fcntl (fd, F_OFD_SETLK, &lock), ==, 0);
  log = open_growing (fixture);
  assert_events (log, 100);
  append_chunks (fd, more);
  g_assert_true (tracelog_refresh (log) || tracelog_is_finished (log));
  close (fd);
  return log;
}

static void
test_longer_block (Fixture      *fixture,
                   gconstpointer unused) {
  g_autoptr (GBytes) more = save_range (fixture, 0, 3 * TRACE_BLOCK_EVENTS + 1);
  g_autoptr (TraceLog) log = open_then_append (fixture, more);

  g_assert_false (tracelog_refresh (log));
  g_assert_true (tracelog_is_finished (log));
  assert_events (log, 3 * TRACE_BLOCK_EVENTS + 1);
  g_assert_null (tracelog_dup_damage (log));
}

/* What was published stays: a file that says otherwise is damaged. */
static void
test_changed_events (Fixture      *fixture,
                     gconstpointer unused) {
  g_autoptr (GBytes) more = save_range (fixture, 7, 300);
  g_autoptr (TraceLog) log = open_then_append (fixture, more);
  g_autofree char *damage = tracelog_dup_damage (log);

  g_assert_true (tracelog_is_finished (log));
  g_assert_nonnull (strstr (damage, "have changed"));
  assert_events (log, 100);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test)                                                  \
  g_test_add ("/core/tracelog-grow/" name, Fixture, NULL, set_up, test,  \
              tear_down_parts)
  /* First: the child has no other thread's locks then. */
  ADD ("kill", test_kill);
  ADD ("follow", test_follow);
  ADD ("unref", test_unref);
  ADD ("to-the-end", test_to_the_end);
  ADD ("whole", test_whole);
  ADD ("longer-block", test_longer_block);
  ADD ("changed-events", test_changed_events);
  return g_test_run ();
}
