/* SPDX-License-Identifier: GPL-3.0-or-later */

/* keep-state.c — a recording with everything that a file can hold
 *
 *   keep-state FILE POSITION OUT
 *
 * For read-recording.py: copies FILE to OUT, with the state after POSITION events
 * as a keyframe, two bookmarks, a text and a view. Runs have keyframes only from
 * millions of events on, and bookmarks come from people.
 */
#include "core/record/tracelog-file.h"
#include "core/record/trace-notes.h"
#include "core/state/fold.h"
#include "core/state/state-frames.h"

static void
put_state (TraceLog *log,
           guint64   position) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;
  Event event;

  for (guint64 i = 0; i < position; i++) {
    g_assert_true (tracelog_get_event (log, i, &event));
    fold_apply (fold, &event);
  }
  state = fold_ref_state (fold);
  g_assert_true (map_state_keep (state, log));
}

static void
put_notes (TraceLog *log) {
  g_autoptr (TraceNotes) notes = trace_notes_new ();

  trace_notes_add (notes, 100, 5000, "here", "“what”\n");
  trace_notes_add (notes, 7, 300, "", "");
  g_free (notes->text);
  notes->text = g_strdup ("all");
  g_free (notes->view);
  notes->view = g_strdup ("{\"zoom\": 2}");
  tracelog_set_notes (log, notes);
}

int
main (int    argc,
      char **argv) {
  g_autoptr (GFile) file = NULL;
  g_autoptr (GFile) out = NULL;
  g_autoptr (TraceLog) log = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (argc, ==, 4);
  file = g_file_new_for_path (argv[1]);
  out = g_file_new_for_path (argv[3]);
  log = tracelog_open (file, NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  put_state (log, g_ascii_strtoull (argv[2], NULL, 10));
  put_notes (log);
  tracelog_save (log, out, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  return 0;
}
