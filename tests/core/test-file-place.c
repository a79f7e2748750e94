/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-file-place.c — a file is written whole or not at all, and nothing beside it
 * stays, with and without a name of its own on the way
 */
#include "core/record/file-place.h"
#include "tests/core/recording-file.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static gboolean
write_text_cb (GOutputStream *out,
               gpointer       text,
               GError       **error) {
  return g_output_stream_write_all (out, text, strlen (text), NULL, NULL, error);
}

static gboolean
fail_cb (GOutputStream *out,
         gpointer       unused,
         GError       **error) {
  g_output_stream_write_all (out, "half", 4, NULL, NULL, NULL);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "full");
  return FALSE;
}

static void
assert_text (const Fixture *fixture,
             const char    *wanted) {
  g_autofree char *text = NULL;

  g_assert_true (g_file_load_contents (fixture->file, NULL, &text, NULL, NULL, NULL));
  g_assert_cmpstr (text, ==, wanted);
  g_assert_cmpuint (count_files (fixture->folder), ==, 1);
}

static mode_t
mode_of (const Fixture *fixture) {
  struct stat facts;

  g_assert_cmpint (stat (g_file_peek_path (fixture->file), &facts), ==, 0);
  return facts.st_mode & 0777;
}

static void
test_takes_the_name (Fixture      *fixture,
                     gconstpointer data) {
  const char *path = g_file_peek_path (fixture->file);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  mode_t mask = umask (027);
  g_autoptr (GError) error = NULL;

  file_set_unnamed (GPOINTER_TO_INT (data));
  g_assert_true (file_write_whole (fixture->file, write_text_cb, "one", NULL, NULL));
  assert_text (fixture, "one");
  g_assert_cmpuint (mode_of (fixture), ==, 0640);
  g_assert_cmpint (chmod (path, 0604), ==, 0);
  g_assert_true (file_write_whole (fixture->file, write_text_cb, "two", NULL, NULL));
  assert_text (fixture, "two");
  g_assert_cmpuint (mode_of (fixture), ==, 0604);

  g_assert_false (file_write_whole (fixture->file, fail_cb, NULL, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  assert_text (fixture, "two");
  g_cancellable_cancel (cancelled);
  g_assert_false (file_write_whole (fixture->file, write_text_cb, "three", cancelled,
                                    NULL));
  assert_text (fixture, "two");
  file_set_unnamed (TRUE);
  umask (mask);
}

/* By a link, to what is not there yet. */
static void
test_takes_the_place_behind_a_link (Fixture      *fixture,
                                    gconstpointer data) {
  g_autofree char *link = g_build_filename (fixture->folder, "link", NULL);
  g_autoptr (GFile) by_link = g_file_new_for_path (link);

  file_set_unnamed (GPOINTER_TO_INT (data));
  g_assert_cmpint (symlink ("run.tophash", link), ==, 0);
  g_assert_true (file_write_whole (by_link, write_text_cb, "one", NULL, NULL));
  g_assert_true (file_write_whole (by_link, write_text_cb, "two", NULL, NULL));
  g_assert_true (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
  g_assert_cmpint (unlink (link), ==, 0);
  assert_text (fixture, "two");
  file_set_unnamed (TRUE);
}

static gboolean
write_for_ever_cb (GOutputStream *out,
                   gpointer       pipe_end,
                   GError       **error) {
  g_output_stream_write_all (out, "half", 4, NULL, NULL, NULL);
  if (write (GPOINTER_TO_INT (pipe_end), "", 1) != 1)
    _exit (1);
  for (;;)
    pause ();
  return FALSE;
}

/* FALSE: here a file has a name as soon as it is made. */
static gboolean
has_unnamed (const Fixture *fixture) {
  FilePart part;
  int fd = file_part_open (&part, g_file_peek_path (fixture->file), NULL);
  gboolean is_unnamed = part.name == NULL;

  g_assert_cmpint (fd, >=, 0);
  close (fd);
  file_part_clear (&part);
  return is_unnamed;
}

/* A process in the middle of writing over the file. */
static pid_t
fork_writer (const Fixture *fixture) {
  int ends[2];
  pid_t child;
  char byte;

  g_assert_cmpint (pipe (ends), ==, 0);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0) {
    file_write_whole (fixture->file, write_for_ever_cb, GINT_TO_POINTER (ends[1]),
                      NULL, NULL);
    _exit (1);
  }
  close (ends[1]);
  g_assert_cmpint (read (ends[0], &byte, 1), ==, 1);
  close (ends[0]);
  return child;
}

static void
kill_writer (pid_t child) {
  kill (child, SIGKILL);
  g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
}

/* What the killed leave is removed by who writes there next; what the living write,
 * and what is only called much like it, is left. */
static void
test_removes_what_the_killed_left (Fixture      *fixture,
                                   gconstpointer unused) {
  static const char *const others[]
      = { ".run.tophash.0123abcd.part", ".run.tophash.0123abcx.tophash.part",
          "run.tophash.0123abcd.tophash.part", ".0123abcd.tophash.part",
          ".tophash.part" };
  g_autofree char *folder = g_build_filename (
      fixture->folder, ".a-folder.0123abcd.tophash.part", NULL);
  pid_t living, killed;

  file_set_unnamed (FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree char *path = g_build_filename (fixture->folder, others[i], NULL);

    g_assert_true (g_file_set_contents (path, "mine", -1, NULL));
  }
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  living = fork_writer (fixture);
  killed = fork_writer (fixture);
  kill_writer (killed);
  g_assert_cmpuint (count_files (fixture->folder), ==, G_N_ELEMENTS (others) + 3);
  g_assert_true (file_write_whole (fixture->file, write_text_cb, "one", NULL, NULL));
  /* The file took the place of a part. */
  g_assert_cmpuint (count_files (fixture->folder), ==, G_N_ELEMENTS (others) + 3);
  kill_writer (living);
  file_set_unnamed (TRUE);
  g_assert_true (file_write_whole (fixture->file, write_text_cb, "two", NULL, NULL));
  g_assert_cmpuint (count_files (fixture->folder), ==, G_N_ELEMENTS (others) + 2);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree char *path = g_build_filename (fixture->folder, others[i], NULL);

    g_assert_cmpint (g_unlink (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  assert_text (fixture, "two");
}

static void
test_killed_leaves_nothing (Fixture      *fixture,
                            gconstpointer unused) {
  if (!has_unnamed (fixture)) {
    g_test_skip ("the file system knows no files without a name");
    return;
  }
  g_assert_true (file_write_whole (fixture->file, write_text_cb, "one", NULL, NULL));
  kill_writer (fork_writer (fixture));
  assert_text (fixture, "one");
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
#define ADD(name, data, test)                                                \
  g_test_add ("/core/file-place/" name, Fixture, GINT_TO_POINTER (data), set_up,  \
              test, tear_down)
  /* First: the child has no other thread's locks then. */
  ADD ("killed-leaves-nothing", TRUE, test_killed_leaves_nothing);
  ADD ("removes-what-the-killed-left", FALSE, test_removes_what_the_killed_left);
  ADD ("takes-the-name", TRUE, test_takes_the_name);
  ADD ("takes-the-name/by-a-part", FALSE, test_takes_the_name);
  ADD ("takes-the-place-behind-a-link", TRUE, test_takes_the_place_behind_a_link);
  ADD ("takes-the-place-behind-a-link/by-a-part", FALSE,
       test_takes_the_place_behind_a_link);
  return g_test_run ();
}
