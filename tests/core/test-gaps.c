/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-gaps.c — what began before a gap does not end behind it
 *
 * A log told by hand: of each kind of pair the begin stands before what the thread
 * dropped, an end of the same kind behind it. Whoever makes one thing of two events
 * is asked, and must have made none; the same log without the gap shows that it
 * would.
 */
#include "core/check/history.h"
#include "core/export/export.h"
#include "core/record/tracelog-private.h"
#include "core/state/timeline-histogram.h"

#include <string.h>

#define END_NS 1000

static void
tell (TraceLog *log,
      gint64    at_ns,
      EventKind kind,
      guint8    aux8,
      guint32   res,
      guint32   ver) {
  Event event = { .at_ns = at_ns,
                  .kind = (guint8)kind,
                  .aux8 = aux8,
                  .a = 7,
                  .res = res,
                  .ver = ver };

  g_assert_true (tracelog_append (log, &event));
}

/* Domain 3 is a lock; another thread's operation is whole. */
static TraceLog *
make_log (gboolean has_gap) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log = tracelog_new (info, 0);
  Event other = { .at_ns = 20, .kind = EVENT_OP_BEGAN, .thread = 1 };

  tell (log, 0, EVENT_THREAD_STARTED, 0, 0, 0);
  tell (log, 10, EVENT_OP_BEGAN, OP_RANGE, 0, 0);
  tell (log, 11, EVENT_OP_BEGAN, OP_LOAD, 0, 0);
  tell (log, 12, EVENT_LOCK_ACQUIRED, 0, 4, 1);
  tell (log, 13, EVENT_LOCK_WAITED, LOCK_WAIT_ALONE, 3, 0);
  tracelog_append (log, &other);
  if (has_gap)
    tell (log, 50, EVENT_DROPPED, 0, 5, 0);
  tell (log, 100, EVENT_LOCK_ACQUIRED, 0, 3, 1);
  tell (log, 101, EVENT_LOCK_RELEASED, 0, 4, 2);
  tell (log, 102, EVENT_OP_ENDED, OP_LOAD, 0, 0);
  tell (log, 103, EVENT_OP_ENDED, OP_RANGE, 0, 0);
  other.at_ns = 104;
  other.kind = EVENT_OP_ENDED;
  tracelog_append (log, &other);
  tracelog_set_dropped (log, has_gap ? 5 : 0);
  tracelog_finish (log, FALSE);
  return log;
}

static void
check_latencies (Timeline *timeline,
                 guint64   length,
                 gboolean  has_gap) {
  LatencyHistogram found;

  g_assert_true (timeline_get_latencies (timeline, 0, length, OP_N_KINDS, 0, NULL,
                                         &found));
  g_assert_cmpuint (found.n_told, ==, has_gap ? 0 : 2);
  g_assert_true (timeline_get_latencies (timeline, 0, length, OP_N_KINDS, 1, NULL,
                                         &found));
  g_assert_cmpuint (found.n_told, ==, 1);
}

/* From before the gap and from behind it, where what was under way comes from the
 * state. */
static void
check_spans (Timeline *timeline,
             gboolean  has_gap) {
  const gint64 from_ns[] = { 0, 60 };

  for (guint i = 0; i < G_N_ELEMENTS (from_ns); i++) {
    g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (LaneSpan));
    guint n_whole = 0;

    g_assert_true (timeline_get_spans (timeline, 0, from_ns[i], END_NS, 100,
                                       spans));
    for (guint k = 0; k < spans->len; k++) {
      const LaneSpan *span = &g_array_index (spans, LaneSpan, k);

      n_whole += span->from_ns < 50 && span->to_ns > 50;
    }
    g_assert_cmpuint (n_whole > 0, ==, !has_gap);
  }
}

static void
check_lanes (Timeline *timeline,
             gboolean  has_gap) {
  LaneBin bins[2];

  timeline_get_lane (timeline, 0, 0, 100, 2, bins);
  g_assert_cmpint (bins[0].wait_ns, ==, 50 - 13);
  g_assert_cmpint (bins[1].wait_ns, ==, has_gap ? 0 : 50);
  g_assert_cmpint (bins[1].hold_ns, ==, has_gap ? 0 : 50);
}

static void
check_state (Timeline *timeline,
             guint64   length,
             gboolean  has_gap) {
  g_autoptr (MapState) state = timeline_seek (timeline, length, NULL);
  const StateCounters *counters = map_state_counters (state);

  g_assert_cmpint (counters->lock_wait_ns, ==, has_gap ? 0 : 100 - 13);
  g_assert_cmpint (map_state_thread (state, 0)->waits_for, ==, -1);
}

static guint
count_text (const char *text,
            const char *part) {
  guint n = 0;

  for (; (text = strstr (text, part)) != NULL; text += strlen (part))
    n++;
  return n;
}

/* How often @part is in the log's export. */
static guint
count_in_export (TraceLog    *log,
                 ExportFormat format,
                 const char  *part) {
  g_autoptr (GOutputStream) out = g_memory_output_stream_new_resizable ();
  const ExportOptions options = { .format = format, .to = G_MAXUINT64 };
  g_autofree char *text = NULL;

  g_assert_true (export_log (log, &options, out, NULL, NULL, NULL, NULL));
  g_output_stream_write (out, "", 1, NULL, NULL);
  g_output_stream_close (out, NULL, NULL);
  text = g_memory_output_stream_steal_data (G_MEMORY_OUTPUT_STREAM (out));
  return count_text (text, part);
}

static void
check_exports (TraceLog *log,
               gboolean  has_gap) {
  guint n_spans = has_gap ? 2 : 5; /* with one hold behind the gap */

  /* Each ends, at the gap if its end is not told: two holds, a wait, a Range and two
   * loads, of which one is known to be over behind a gap. */
  g_assert_cmpuint (count_in_export (log, EXPORT_CHROME, "\"ph\":\"B\""), ==, 6);
  g_assert_cmpuint (count_in_export (log, EXPORT_CHROME, "\"ph\":\"E\""), ==, 6);
  g_assert_cmpuint (count_in_export (log, EXPORT_CHROME, "\"ok\":"), ==,
                    has_gap ? 2 : 4);
  /* Without a gap that of the first hold, as one at a time is followed; a load's is
   * told where it begins as well. */
  g_assert_cmpuint (count_in_export (log, EXPORT_CHROME, "\"end\":\"not recorded\""),
                    ==, has_gap ? 5 : 1);
  g_assert_cmpuint (count_in_export (log, EXPORT_OTLP, "\"spanId\""), ==, n_spans);
  g_assert_cmpuint (count_in_export (log, EXPORT_EVENTS_CSV,
                                     "op-ended,load,\"k7\""),
                    ==, has_gap ? 0 : 1);
}

static void
check_history (TraceLog *log,
               gboolean  has_gap) {
  g_autoptr (GError) error = NULL;
  g_autoptr (History) history = history_new_from_log (log, 0, 1, NULL, &error);

  g_assert_true ((history == NULL) == (error != NULL));
  if (has_gap)
    g_assert_error (error, HISTORY_ERROR, HISTORY_ERROR_INCOMPLETE);
  else
    g_assert_false (g_error_matches (error, HISTORY_ERROR,
                                     HISTORY_ERROR_INCOMPLETE));
}

static void
check (gconstpointer data) {
  gboolean has_gap = GPOINTER_TO_INT (data);
  g_autoptr (TraceLog) log = make_log (has_gap);
  g_autoptr (Timeline) timeline = timeline_new (log);
  guint64 length = tracelog_get_length (log);

  timeline_wait (timeline);
  check_latencies (timeline, length, has_gap);
  check_spans (timeline, has_gap);
  check_lanes (timeline, has_gap);
  check_state (timeline, length, has_gap);
  check_exports (log, has_gap);
  check_history (log, has_gap);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/core/gaps/nothing-spans-one", GINT_TO_POINTER (TRUE),
                        check);
  g_test_add_data_func ("/core/gaps/without-one-all-are-paired",
                        GINT_TO_POINTER (FALSE), check);
  return g_test_run ();
}
