/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-export-file.c — what remains on disk of an export that was cancelled
 *
 * Cancelled between two blocks of events, by the progress it tells itself: what
 * stood under the name is as it was, byte for byte, and nothing stands beside it.
 */
#include "core/export/export.h"

#include <glib/gstdio.h>

#define N_EVENTS (4 * TRACE_BLOCK_EVENTS)

static TraceLog *
new_log (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log = tracelog_new (info, 0);

  for (guint i = 0; i < N_EVENTS; i++) {
    Event event = { .kind = EVENT_THREAD_STARTED, .at_ns = i, .ver = i + 1 };

    tracelog_append (log, &event);
  }
  tracelog_finish (log, FALSE);
  return log;
}

static void
cancel_cb (double   fraction,
           gpointer data) {
  g_assert_cmpfloat (fraction, <, 1);
  g_cancellable_cancel (data);
}

/* How many files stand in @folder; they go with it. */
static guint
remove_folder (const char *folder) {
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  guint n = 0;

  for (; (name = g_dir_read_name (dir)) != NULL; n++) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  return n;
}

static void
check_cancelled (ExportFormat format,
                 gboolean     is_there) {
  const ExportOptions options = { .format = format, .to = G_MAXUINT64 };
  g_autofree char *folder = g_dir_make_tmp ("tophash-export-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "events", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (TraceLog) log = new_log ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  if (is_there)
    g_assert_true (g_file_set_contents (path, "of old\n", -1, NULL));
  g_assert_false (export_log_to_file (log, &options, file, cancel_cb, cancellable,
                                      cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  if (is_there) {
    g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
    g_assert_cmpstr (text, ==, "of old\n");
  }
  g_assert_cmpuint (remove_folder (folder), ==, is_there ? 1 : 0);
}

static void
test_cancelled_leaves_what_was (void) {
  static const ExportFormat formats[]
      = { EXPORT_EVENTS_CSV, EXPORT_EVENTS_JSON, EXPORT_CHANGES, EXPORT_CHROME,
          EXPORT_OTLP };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    check_cancelled (formats[i], TRUE);
    check_cancelled (formats[i], FALSE);
  }
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/export-file/cancelled-leaves-what-was",
                   test_cancelled_leaves_what_was);
  return g_test_run ();
}
