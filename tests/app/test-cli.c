/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-cli.c — tophash-cli from outside: exit codes, output, files
 *
 * argv[1] is the program.
 */
#include "test-cli.h"

#include <glib/gstdio.h>
#include <string.h>

static const char *program;
static char *folder;

const char *
test_folder (void) {
  return folder;
}

int
run_cli (char      **out,
         char      **err,
         const char *first,
         ...) {
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  va_list more;

  g_ptr_array_add (argv, (char *)program);
  va_start (more, first);
  for (const char *at = first; at != NULL; at = va_arg (more, const char *))
    g_ptr_array_add (argv, (char *)at);
  va_end (more);
  g_ptr_array_add (argv, NULL);
  process = g_subprocess_newv ((const char *const *)argv->pdata,
                               G_SUBPROCESS_FLAGS_STDOUT_PIPE
                                   | G_SUBPROCESS_FLAGS_STDERR_PIPE,
                               &error);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, NULL, NULL, out, err, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_if_exited (process));
  return g_subprocess_get_exit_status (process);
}

static void
test_bad_usage (void) {
  static const char *const wrong[][3] = {
    { NULL },
    { "dance" },
    { "run" },
    { "run", "no-such-scenario" },
    { "info", "no-such-file" },
    { "verify", "no-such-file" },
    { "check", "no-such-file" },
    { "check", "--max-memory=0", "no-such-file" },
    { "check", "--key=one", "no-such-file" },
    { "render", "no-such-file" },
    { "run", "growth", "--duration=-1" },
    { "list", "too-much" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;

    g_assert_cmpint (run_cli (&out, &err, wrong[i][0], wrong[i][1], wrong[i][2],
                              NULL),
                     ==, 2);
    g_assert_cmpstr (out, ==, "");
    g_assert_cmpstr (err, !=, "");
  }
}

static void
test_help (void) {
  g_autofree char *version = NULL;
  g_autofree char *list = NULL;
  g_autofree char *err = NULL;

  g_assert_cmpint (run_cli (&version, &err, "--version", NULL), ==, 0);
  g_assert_true (g_str_has_prefix (version, "tophash-cli "));
  g_clear_pointer (&err, g_free);
  g_assert_cmpint (run_cli (&list, &err, "list", NULL), ==, 0);
  g_assert_nonnull (strstr (list, "first-promotion"));
  g_assert_cmpstr (err, ==, "");
}

static void
test_record_and_look (void) {
  g_autofree char *file = g_build_filename (folder, "run.tophash", NULL);
  g_autofree char *picture = g_build_filename (folder, "run.png", NULL);
  g_autofree char *drawing = g_build_filename (folder, "run.svg", NULL);
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;

  g_assert_cmpint (run_cli (&out, &err, "run", "first-promotion", "--duration=1",
                            "--measure", "--record", file, "--picture", picture,
                            NULL),
                   ==, 0);
  g_assert_cmpstr (err, ==, "");
  g_assert_nonnull (strstr (out, "store"));
  g_assert_true (g_file_test (picture, G_FILE_TEST_EXISTS));
  g_clear_pointer (&out, g_free);
  g_clear_pointer (&err, g_free);
  g_assert_cmpint (run_cli (&out, &err, "info", file, "--json", NULL), ==, 0);
  g_assert_nonnull (strstr (out, "\"engine\" : \"syncmap\""));
  g_assert_nonnull (strstr (out, "\"recorded-ns-per-operation\" : "));
  g_clear_pointer (&out, g_free);
  g_clear_pointer (&err, g_free);
  g_assert_cmpint (run_cli (&out, &err, "verify", file, NULL), ==, 0);
  g_clear_pointer (&out, g_free);
  g_clear_pointer (&err, g_free);
  g_assert_cmpint (run_cli (&out, &err, "render", file, "--at", "500ms", "--out",
                            drawing, NULL),
                   ==, 0);
  g_assert_true (g_file_test (drawing, G_FILE_TEST_EXISTS));
  g_remove (file);
  g_remove (picture);
  g_remove (drawing);
}

/* (transfer full): a link in the folder to @name, which may be there or not. */
static char *
make_link (const char *name) {
  g_autofree char *file = g_strdup_printf ("to-%s", name);
  g_autoptr (GFile) link = g_file_new_build_filename (folder, file, NULL);
  GError *error = NULL;

  g_file_make_symbolic_link (link, name, NULL, &error);
  g_assert_no_error (error);
  return g_file_get_path (link);
}

/* The link is one still, and leads to a file that was written. */
static void
check_link (const char *link) {
  GStatBuf found;

  g_assert_true (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
  g_assert_cmpint (g_stat (link, &found), ==, 0);
  g_assert_cmpint (found.st_size, >, 0);
}

/* Twice: what a link leads to is not there at first. */
static void
test_writes_through_links (void) {
  const char *const names[] = { "link.tophash", "link.png", "link.svg", "link.csv" };
  char *links[G_N_ELEMENTS (names)];

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    links[i] = make_link (names[i]);
  for (guint n = 0; n < 2; n++) {
    const char *const calls[][7]
        = { { "run", "first-promotion", "--duration=0.1", "--record", links[0],
              "--picture", links[1] },
            { "render", links[0], "--out", links[2] },
            { "export", "events-csv", links[0], "--out", links[3] } };

    for (guint i = 0; i < G_N_ELEMENTS (calls); i++) {
      g_autofree char *out = NULL;
      g_autofree char *err = NULL;

      g_assert_cmpint (run_cli (&out, &err, calls[i][0], calls[i][1], calls[i][2],
                                calls[i][3], calls[i][4], calls[i][5],
                                calls[i][6], NULL),
                       ==, 0);
      g_assert_cmpstr (err, ==, "");
    }
    for (guint i = 0; i < G_N_ELEMENTS (names); i++)
      check_link (links[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *file = g_build_filename (folder, names[i], NULL);

    g_remove (links[i]);
    g_remove (file);
    g_free (links[i]);
  }
}

static const char delete_delete[]
    = "{\"engine\": \"syncmap\", \"promoted\": true, \"preload\": [[0, 10]],"
      " \"workers\": [[{\"op\": \"delete\", \"key\": 0}],"
      " [{\"op\": \"delete\", \"key\": 0},"
      "  {\"op\": \"store\", \"key\": 1, \"value\": 30},"
      "  {\"op\": \"store\", \"key\": 0, \"value\": 20}]]}";

/* (transfer full): the digits of "schedule …" */
static char *
find_schedule (const char *out) {
  const char *at = strstr (out, "schedule ");

  g_assert_nonnull (at);
  at += strlen ("schedule ");
  return g_strndup (at, strspn (at, "0123456789"));
}

static void
test_step (void) {
  g_autofree char *file = g_build_filename (folder, "dd.step.json", NULL);
  g_autofree char *bad = g_build_filename (folder, "bad.step.json", NULL);
  g_autofree char *good_out = NULL;
  g_autofree char *mutant_out = NULL;
  g_autofree char *replay_out = NULL;
  g_autofree char *bad_out = NULL;
  g_autofree char *misfit_out = NULL;
  g_autofree char *schedule = NULL;
  const char *replayed;
  g_autofree char *option = NULL;
  char *err = NULL;
  GError *error = NULL;

  g_file_set_contents (file, delete_delete, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpint (run_cli (&good_out, &err, "step", "--explore", file, NULL), ==,
                   0);
  g_assert_nonnull (strstr (good_out, "3 outcomes"));
  g_assert_nonnull (strstr (good_out, "complete"));
  g_clear_pointer (&err, g_free);

  /* The bug that four scenarios written by hand did not find. */
  g_assert_cmpint (run_cli (&mutant_out, &err, "step", "--explore",
                            "--mutant=3", file, NULL),
                   ==, 1);
  g_clear_pointer (&err, g_free);
  schedule = find_schedule (mutant_out);
  option = g_strconcat ("--schedule=", schedule, NULL);
  g_assert_cmpint (run_cli (&replay_out, &err, "step", "--mutant=3", option,
                            file, NULL),
                   ==, 1);
  /* The run as it replays, and behind it what is needed of the scenario. */
  replayed = strstr (mutant_out, replay_out);
  g_assert_nonnull (replayed);
  g_assert_true (g_str_has_prefix (replayed + strlen (replay_out),
                                   "what is needed of it to fail:\n"));
  g_clear_pointer (&err, g_free);

  g_assert_cmpint (run_cli (&misfit_out, &err, "step", "--schedule=07", file,
                            NULL),
                   ==, 2);
  g_assert_nonnull (strstr (err, "worker 7"));
  g_clear_pointer (&err, g_free);
  g_file_set_contents (bad, "{\"engine\": \"syncmap\", \"workres\": []}", -1,
                       &error);
  g_assert_no_error (error);
  g_assert_cmpint (run_cli (&bad_out, &err, "step", bad, NULL), ==, 2);
  g_assert_nonnull (strstr (err, "workres"));
  g_clear_pointer (&err, g_free);
  g_unlink (file);
  g_unlink (bad);
}

int
main (int    argc,
      char **argv) {
  int result;

  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  program = argv[1];
  folder = g_dir_make_tmp ("tophash-cli-XXXXXX", NULL);
  g_test_add_func ("/app/cli/refuses-bad-usage", test_bad_usage);
  g_test_add_func ("/app/cli/says-what-there-is", test_help);
  g_test_add_func ("/app/cli/records-and-looks", test_record_and_look);
  g_test_add_func ("/app/cli/writes-through-links", test_writes_through_links);
  g_test_add_func ("/app/cli/steps", test_step);
  add_check_tests ();
  result = g_test_run ();
  g_rmdir (folder);
  g_free (folder);
  return result;
}
