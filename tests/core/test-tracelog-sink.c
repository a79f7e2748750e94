/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-tracelog-sink.c — logs larger than memory, and files that grow
 *
 * The run that is killed is a child of its own; what it wrote is opened after.
 */
#include "core/record/file-place.h"
#include "core/record/tracelog-private.h"
#include "tests/core/numbered-events.h"
#include "tests/core/recording-file.h"
#include "tests/core/unnamed-file.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__ /* ten times as slow */
#define N_KILLS 10
#else
#define N_KILLS 200
#endif

/* Far beyond the bound: memory stays below it, and all is read while it is
 * written. */
static void
test_spill (void) {
  guint64 n = 600 * TRACE_BLOCK_EVENTS + 100;
  g_autoptr (TraceInfo) info = make_info ();
  g_autoptr (TraceLog) log = tracelog_new (info, 2 << 20);
  GThread *reader = g_thread_new ("reader", read_along, log);
  TraceHonesty honesty;

  for (guint64 i = 0; i < n; i += 5000) {
    g_assert_true (append (log, i, MIN (i + 5000, n)));
    pthread_mutex_lock (&log->lock);
    g_assert_cmpuint (log->bytes, <=, log->limit_bytes);
    pthread_mutex_unlock (&log->lock);
  }
  tracelog_finish (log, FALSE);
  g_thread_join (reader);
  assert_events (log, n);
  g_assert_null (tracelog_dup_limit_reason (log));
  tracelog_get_honesty (log, &honesty);
  g_assert_cmpuint (honesty.bytes, >, 2 * log->limit_bytes);
  g_assert_true (honesty.is_complete);
}

/* The bound on disk ends the run; nothing is lost. */
static void
test_disk_bound (void) {
  guint64 n = 0;
  g_autoptr (TraceInfo) info = make_info ();
  g_autoptr (TraceLog) log = tracelog_new (info, 1 << 20);
  g_autofree char *reason = NULL;

  tracelog_set_disk_bound (log, 4 << 20);
  while (append (log, n, n + 1000))
    n += 1000;
  n += 1000;
  tracelog_finish (log, TRUE);
  assert_events (log, n);
  reason = tracelog_dup_limit_reason (log);
  g_assert_nonnull (strstr (reason, " MB in /"));
}

static void
test_record_to (Fixture      *fixture,
                gconstpointer unused) {
  guint64 n = 300 * TRACE_BLOCK_EVENTS + 77;
  g_autoptr (TraceInfo) info = make_info ();
  g_autoptr (TraceLog) log = tracelog_new (info, 1 << 20);
  g_autoptr (TraceLog) back = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *warning = NULL;
  gint64 deadline_us = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  guint64 length = 0;
  TraceHonesty honesty;

  g_assert_true (tracelog_record_to (log, fixture->file, &error));
  append (log, 0, n / 2);
  /* Another program sees what is there, and that more may come. */
  while (length < n / 2 && g_get_monotonic_time () < deadline_us) {
    g_clear_pointer (&back, tracelog_unref);
    g_clear_pointer (&warning, g_free);
    back = tracelog_open (fixture->file, NULL, NULL, NULL, &warning, NULL);
    length = back != NULL ? tracelog_get_length (back) : 0;
    g_usleep (1000);
  }
  assert_events (back, n / 2);
  g_assert_nonnull (strstr (warning, "still being recorded"));
  append (log, n / 2, n);
  tracelog_finish (log, FALSE);
  assert_events (log, n);
  g_clear_pointer (&back, tracelog_unref);
  g_clear_pointer (&warning, g_free);
  back = tracelog_open (fixture->file, NULL, NULL, NULL, &warning, &error);
  g_assert_no_error (error);
  g_assert_null (warning);
  assert_events (back, n);
  tracelog_get_honesty (back, &honesty);
  g_assert_true (honesty.is_complete);
  /* Made smaller afterwards, over itself. */
  g_assert_true (tracelog_save (log, fixture->file, NULL, NULL, NULL, &error));
  assert_events (log, n);
}

/* Files cannot grow beyond 3 MB: the run ends, and everything is there. */
static void
test_disk_full (Fixture      *fixture,
                gconstpointer unused) {
  const struct rlimit small = { 3 << 20, RLIM_INFINITY };
  struct rlimit former;
  g_autoptr (TraceInfo) info = make_info ();
  g_autoptr (TraceLog) log = tracelog_new (info, 1 << 20);
  g_autoptr (TraceLog) back = NULL;
  g_autofree char *reason = NULL;
  g_autofree char *warning = NULL;
  guint64 n = 0;

  g_assert_true (tracelog_record_to (log, fixture->file, NULL));
  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &former);
  setrlimit (RLIMIT_FSIZE, &small);
  while (append (log, n, n + 1000))
    n += 1000;
  n += 1000;
  tracelog_finish (log, TRUE);
  setrlimit (RLIMIT_FSIZE, &former);
  reason = tracelog_dup_limit_reason (log);
  g_assert_nonnull (strstr (reason, "could not be written to /"));
  assert_events (log, n);
  back = tracelog_open (fixture->file, NULL, NULL, NULL, &warning, NULL);
  g_assert_cmpuint (tracelog_get_length (back), >, n / 4);
  assert_events (back, tracelog_get_length (back));
  /* There is room again. */
  g_assert_true (tracelog_save (log, fixture->file, NULL, NULL, NULL, NULL));
  g_clear_pointer (&back, tracelog_unref);
  back = tracelog_open (fixture->file, NULL, NULL, NULL, NULL, NULL);
  assert_events (back, n);
}

/* What stood in the file when the disk was full stands there in the end, the events of
 * a block that was not full yet too. */
static void
test_disk_full_keeps_all (Fixture      *fixture,
                          gconstpointer unused) {
  guint64 n = 30 * TRACE_BLOCK_EVENTS + 1000, length = 0;
  gint64 deadline_us = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  g_autoptr (TraceInfo) info = make_info ();
  g_autoptr (TraceLog) log = tracelog_new (info, 1 << 20);
  g_autoptr (TraceLog) back = NULL;
  struct rlimit former, small;
  struct stat facts;

  g_assert_true (tracelog_record_to (log, fixture->file, NULL));
  g_assert_true (append (log, 0, n));
  while (length < n && g_get_monotonic_time () < deadline_us) {
    g_clear_pointer (&back, tracelog_unref);
    back = tracelog_open (fixture->file, NULL, NULL, NULL, NULL, NULL);
    length = back != NULL ? tracelog_get_length (back) : 0;
    g_usleep (1000);
  }
  g_assert_cmpuint (length, ==, n);
  g_assert_cmpint (stat (g_file_peek_path (fixture->file), &facts), ==, 0);
  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &former);
  /* For an END, not for a block. */
  small = (struct rlimit){ (rlim_t)facts.st_size + 4096, former.rlim_max };
  setrlimit (RLIMIT_FSIZE, &small);
  while (append (log, length, length + 1000))
    length += 1000;
  tracelog_finish (log, TRUE);
  setrlimit (RLIMIT_FSIZE, &former);
  g_clear_pointer (&back, tracelog_unref);
  back = tracelog_open (fixture->file, NULL, NULL, NULL, NULL, NULL);
  assert_events (back, n);
}

/* Another program cuts the file that is written to: the run ends and says so, and
 * what is read is what was recorded, as far as it goes. @file: NULL, one without a
 * name; @size: what is left of it. */
static void
cut_under_way (TraceLog *log,
               GFile    *file,
               off_t     size) {
  g_autofree char *reason = NULL;
  g_autofree char *damage = NULL;
  guint64 n = 120 * TRACE_BLOCK_EVENTS;
  int fd;

  g_assert_true (append (log, 0, n));
  fd = file != NULL ? open (g_file_peek_path (file), O_WRONLY | O_CLOEXEC)
                    : unnamed_file_open ();
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, size), ==, 0);
  close (fd);
  while (append (log, n, n + 1000))
    n += 1000;
  tracelog_finish (log, TRUE);
  reason = tracelog_dup_limit_reason (log);
  g_assert_nonnull (strstr (reason, "cut off by another program"));
  for (n = 0; n < tracelog_get_length (log);) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, n);

    if (block == NULL)
      break;
    n = block->first + block->n_events;
  }
  damage = tracelog_dup_damage (log);
  g_assert_nonnull (damage);
  assert_events (log, n);
}

static void
test_cut_while_recorded (Fixture      *fixture,
                         gconstpointer data) {
  int size = GPOINTER_TO_INT (data);
  g_autoptr (TraceInfo) info = make_info ();
  g_autoptr (TraceLog) log = tracelog_new (info, 1 << 18);
  g_autoptr (TraceLog) back = NULL;

  g_assert_true (tracelog_record_to (log, fixture->file, NULL));
  cut_under_way (log, fixture->file, size);
  back = tracelog_open (fixture->file, NULL, NULL, NULL, NULL, NULL);
  g_assert_true ((back != NULL) == (size > 0));
  if (back != NULL)
    assert_events (back, tracelog_get_length (back));
}

static void
test_cut_while_spilled (void) {
  g_autoptr (TraceInfo) info = make_info ();
  g_autoptr (TraceLog) log = tracelog_new (info, 1 << 18);

  cut_under_way (log, NULL, 0);
}

/* Records until it is killed; a byte in the pipe tells that @n events were
 * appended. */
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
  for (guint64 i = n;; i += 1000)
    append (log, i, i + 1000);
}

/* Killed at any moment, a recording is good up to its last batch. */
static void
test_kill (Fixture      *fixture,
           gconstpointer unused) {
  Prng prng = { 11 };
  guint64 most = 0;

  for (guint i = 0; i < N_KILLS; i++) {
    guint64 n = 1 + prng_below (&prng, 160 * TRACE_BLOCK_EVENTS);
    g_autoptr (GError) error = NULL;
    g_autoptr (TraceLog) back = NULL;
    g_autofree char *damage = NULL;
    int ends[2];
    pid_t child;
    char byte;

    g_assert_cmpint (pipe (ends), ==, 0);
    child = fork ();
    g_assert_cmpint (child, >=, 0);
    if (child == 0)
      record_for_ever (fixture->file, n, ends[1]);
    close (ends[1]);
    g_assert_cmpint (read (ends[0], &byte, 1), ==, 1);
    close (ends[0]);
    kill (child, SIGKILL);
    g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
    back = tracelog_open (fixture->file, NULL, NULL, NULL, NULL, &error);
    /* Nothing was written yet. */
    if (back == NULL) {
      g_assert_error (error, TRACELOG_FILE_ERROR, TRACELOG_FILE_ERROR_EMPTY);
      continue;
    }
    assert_events (back, tracelog_get_length (back));
    damage = tracelog_dup_damage (back);
    g_assert_null (damage);
    most = MAX (most, tracelog_get_length (back));
  }
  g_assert_cmpuint (most, >, TRACE_BLOCK_EVENTS);
}

/* What could not begin says where, and plainly why. */
static void
test_says_where_it_cannot_begin (Fixture      *fixture,
                                 gconstpointer data) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (GFile) missing = g_file_get_child (fixture->file, "no such folder");
  g_autoptr (GFile) file = g_file_get_child (missing, "run.tophash");
  g_autofree char *place = g_file_get_parse_name (file);
  g_autoptr (GError) error = NULL;

  g_file_delete (fixture->file, NULL, NULL);
  g_assert_false (tracelog_record_to (log, file, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, place));
  g_assert_nonnull (strstr (error->message, file_plain_reason (error)));
  tracelog_finish (log, FALSE);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test)                                                  \
  g_test_add ("/core/tracelog-sink/" name, Fixture, NULL, set_up, test,  \
              tear_down_parts)
  /* First: the child has no other thread's locks then. */
  ADD ("kill", test_kill);
  g_test_add_func ("/core/tracelog-sink/spill", test_spill);
  g_test_add_func ("/core/tracelog-sink/disk-bound", test_disk_bound);
  ADD ("record-to", test_record_to);
  ADD ("says-where-it-cannot-begin", test_says_where_it_cannot_begin);
  ADD ("disk-full", test_disk_full);
  ADD ("disk-full-keeps-all", test_disk_full_keeps_all);
  ADD ("cut-while-recorded", test_cut_while_recorded);
  g_test_add ("/core/tracelog-sink/half-cut-while-recorded", Fixture,
              GINT_TO_POINTER (300000), set_up, test_cut_while_recorded,
              tear_down_parts);
  g_test_add_func ("/core/tracelog-sink/cut-while-spilled",
                   test_cut_while_spilled);
  return g_test_run ();
}
