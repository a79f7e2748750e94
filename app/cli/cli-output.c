/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-output.c — what leaves the program: text, JSON, files
 *
 * Text        in the character set of the terminal. JSON is UTF-8 whatever the
 *             locale, as its standard demands.
 *
 * Nobody hears  A disk that is full, a reader that went away: known at the latest
 *             when the last bytes go out, so the exit code is settled there.
 *
 * Interrupts  Ctrl+C takes back a file that is being written and then ends the
 *             program as it does others. A second one does not wait for that.
 *             Signals that were ignored from the beginning (nohup) stay so.
 */
#include "app/cli/cli.h"

#include "core/record/file-place.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixoutputstream.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Standard output ---------------------------------------------------------- */

/* Why the first write failed; 0: none did. */
static int problem;

static void
put (const char *text) {
  if (fputs (text, stdout) == EOF && problem == 0)
    problem = errno;
}

static void
print_cb (const char *text) {
  g_autofree char *local = NULL;
  const char *charset;

  if (!g_get_console_charset (&charset))
    local = g_convert_with_fallback (text, -1, charset, "UTF-8", "?", NULL, NULL,
                                     NULL);
  put (local != NULL ? local : text);
}

/* At the program's end, whoever calls exit(). */
static void
close_output (void) {
  if (fclose (stdout) == EOF && problem == 0)
    problem = errno;
  if (problem == 0)
    return;
  g_printerr (_("tophash-cli: standard output could not be written: %s\n"),
              g_strerror (problem));
  _exit (CLI_BAD_INPUT);
}

void
cli_begin_output (void) {
  /* A file that took the number of a stream that is closed would get its text. */
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl (fd, F_GETFD) < 0 && open ("/dev/null", O_RDONLY) < 0)
      _exit (CLI_BAD_INPUT);
  g_set_print_handler (print_cb);
  atexit (close_output);
}

gboolean
cli_flush_output (void) {
  if (problem == 0 && fflush (stdout) == EOF)
    problem = errno;
  return problem == 0;
}

gboolean
cli_is_heard (void) {
  return problem == 0;
}

void
cli_print_json (JsonBuilder *builder) {
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, TRUE);

  put (text);
  put ("\n");
}

/* Interrupts --------------------------------------------------------------- */

static const int interrupts[] = { SIGINT, SIGTERM, SIGHUP };

/* Of one process: signals are its own too. */
static GCancellable *cancellable;
static gint caught; /* atomic */

static void *
wait_thread (void *data) {
  const sigset_t *signals = data;
  int number;

  if (sigwait (signals, &number) != 0)
    return NULL;
  g_atomic_int_set (&caught, number);
  g_cancellable_cancel (cancellable);
  pthread_sigmask (SIG_UNBLOCK, signals, NULL);
  for (;;)
    pause ();
}

GCancellable *
cli_cancel_on_interrupt (void) {
  static sigset_t signals;
  pthread_t thread;

  if (cancellable != NULL)
    return cancellable;
  cancellable = g_cancellable_new ();
  sigemptyset (&signals);
  for (guint i = 0; i < G_N_ELEMENTS (interrupts); i++) {
    struct sigaction action;

    if (sigaction (interrupts[i], NULL, &action) == 0
        && action.sa_handler != SIG_IGN)
      sigaddset (&signals, interrupts[i]);
  }
  /* Every thread that is begun from now on leaves them to the one that waits. */
  pthread_sigmask (SIG_BLOCK, &signals, NULL);
  if (pthread_create (&thread, NULL, wait_thread, &signals) == 0)
    pthread_detach (thread);
  else
    pthread_sigmask (SIG_UNBLOCK, &signals, NULL);
  return cancellable;
}

int
cli_fail_write (GError *error) {
  int number = g_atomic_int_get (&caught);
  sigset_t signals;

  if (number == 0 || !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return cli_fail (error);
  g_error_free (error);
  /* The shell is to know that it was a signal. */
  sigemptyset (&signals);
  sigaddset (&signals, number);
  pthread_sigmask (SIG_UNBLOCK, &signals, NULL);
  raise (number);
  return CLI_BAD_INPUT;
}

/* Files -------------------------------------------------------------------- */

GFile *
cli_file (const char *path) {
  return g_file_test (path, G_FILE_TEST_EXISTS)
             ? g_file_new_for_path (path)
             : g_file_new_for_commandline_arg (path);
}

gboolean
cli_may_write (const char *option,
               const char *path,
               const char *recording) {
  GStatBuf ours, theirs;

  if (g_stat (path, &ours) != 0 || g_stat (recording, &theirs) != 0
      || !S_ISREG (ours.st_mode) || ours.st_dev != theirs.st_dev
      || ours.st_ino != theirs.st_ino)
    return TRUE;
  g_printerr (_("tophash-cli: %s: wanted another file than the recording, found "
                "“%s”\n"),
              option, path);
  return FALSE;
}

GOutputStream *
cli_open_stream (const char *path,
                 GError    **error) {
  GStatBuf facts;
  int fd;

  if (path == NULL || strcmp (path, "-") == 0)
    return g_unix_output_stream_new (STDOUT_FILENO, FALSE);
  if (g_stat (path, &facts) != 0 || S_ISREG (facts.st_mode)
      || S_ISDIR (facts.st_mode))
    return NULL;
  fd = open (path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    g_autoptr (GFile) file = cli_file (path);
    int number = errno;

    file_fail_save (file,
                    g_error_new_literal (G_IO_ERROR,
                                         (gint)g_io_error_from_errno (number),
                                         g_strerror (number)),
                    error);
    return NULL;
  }
  return g_unix_output_stream_new (fd, TRUE);
}
