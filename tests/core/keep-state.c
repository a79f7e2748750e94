/* SPDX-License-Identifier: GPL-3.0-or-later */

/* keep-state.c — a recording with everything that a file can hold
 *
 *   keep-state FILE POSITION OUT
 *   keep-state --without-memory OUT
 *
 * For read-recording.py: copies FILE to OUT, with the state after POSITION events
 * as a keyframe, two bookmarks, a text and a view. Runs have keyframes only from
 * millions of events on, and bookmarks come from people. Or records a sync.Map for
 * which there is no memory now and then.
 */
#include "core/base/alloc.h"
#include "core/record/tracelog-file.h"
#include "core/record/trace-notes.h"
#include "core/state/fold.h"
#include "core/state/state-frames.h"
#include "tests/core/record-run.h"

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

static void
store_without_memory_cb (MapEngine    *map,
                         EngineThread *thread,
                         Prng         *prng,
                         guint         n_keys) {
  alloc_fail_after ((int64_t)prng_below (prng, 4));
  map->klass->store (map, thread, (int64_t)prng_below (prng, n_keys), 7);
  alloc_fail_after (-1);
  thread->error = ENGINE_ERROR_NONE;
}

static void
record_without_memory (GFile *out) {
  RecordRun run = { .klass = engine_class_find ("syncmap"),
                    .seed = 5,
                    .n_workers = 1,
                    .n_operations = 3000,
                    .n_keys = 200,
                    .span_period = 1,
                    .run_some = store_without_memory_cb };
  RecordedRun result = record_run (&run);
  g_autoptr (GError) error = NULL;

  tracelog_save (result.log, out, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  recorded_run_clear (&result);
}

int
main (int    argc,
      char **argv) {
  g_autoptr (GFile) file = NULL;
  g_autoptr (GFile) out = NULL;
  g_autoptr (TraceLog) log = NULL;
  g_autoptr (GError) error = NULL;

  if (argc == 3 && strcmp (argv[1], "--without-memory") == 0) {
    out = g_file_new_for_path (argv[2]);
    record_without_memory (out);
    return 0;
  }
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
