/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-keeper.c — what a long recording and its states cost while it is made
 *
 * Usage: bench-keeper [MILLIONS [KEYS]], by default 64 million events of a gomap of
 * 768 k keys, which has a million slots. Prints one JSON object; the recordings go
 * into $TMPDIR.
 *
 *   events_per_us_alone, _kept   of the clock, into a file, without a state-keeper
 *                        and with one: medians of N_PAIRS that take turns
 *   kept_to_alone        the second by the first
 *   resident_mb_file, _spilled   of the process: before a run, at the end of one of a
 *                        quarter of the events and of one of all: into a file with a
 *                        state-keeper, and into a log that may hold LIMIT_MB in
 *                        memory and spills the rest
 *   bytes_per_event      of the saved file, with a state every
 *                        TRACE_KEYFRAME_EVENTS as the window saves it, and how much
 *                        of that the states are
 */
#include "core/record/trace-keyframe.h"
#include "core/record/tracelog-file.h"
#include "core/state/state-keeper.h"
#include "core/state/timeline.h"
#include "tests/bench/process-memory.h"
#include "tests/bench/record-map.h"

#include <malloc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_PAIRS 3
#define LIMIT_MB 64u

static guint64 n_keys = 786432;

/* @file: NULL for a log that spills. *events_per_us, *mb: of the run, and of the
 * process when it ended; nullable. */
static TraceLog *
run (GFile   *file,
     guint64  n_events,
     gboolean is_kept,
     double  *events_per_us,
     double  *mb) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log = tracelog_new (info, (gsize)LIMIT_MB << 20);
  g_autoptr (StateKeeper) keeper = NULL;
  gint64 began_ns;

  if (file != NULL && !tracelog_record_to (log, file, NULL))
    g_error ("no file for a recording");
  if (is_kept)
    keeper = state_keeper_new (log, TRACE_KEYFRAME_EVENTS);
  began_ns = clock_now_ns ();
  record_map (log, (RecordMap){ .klass = engine_class_find ("gomap"),
                                .n_events = n_events,
                                .n_keys = n_keys,
                                .n_workers = 2,
                                .work = record_map_fill_and_change });
  if (events_per_us != NULL)
    *events_per_us = (double)tracelog_get_length (log) * 1e3
                     / (double)(clock_now_ns () - began_ns);
  if (mb != NULL)
    *mb = process_mb ();
  return log;
}

static int
compare_doubles (const void *a,
                 const void *b) {
  double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static double
median (double *numbers) {
  qsort (numbers, N_PAIRS, sizeof *numbers, compare_doubles);
  return numbers[N_PAIRS / 2];
}

static void
bench_keeper (GFile   *file,
              guint64  n_events) {
  double alone[N_PAIRS], kept[N_PAIRS];

  for (guint i = 0; i < N_PAIRS; i++) {
    tracelog_unref (run (file, n_events, FALSE, &alone[i], NULL));
    tracelog_unref (run (file, n_events, TRUE, &kept[i], NULL));
  }
  printf ("  \"events_per_us_alone\": %.2f,\n"
          "  \"events_per_us_kept\": %.2f,\n"
          "  \"kept_to_alone\": %.2f,\n",
          median (alone), median (kept), median (kept) / median (alone));
}

/* (transfer full): the log of the long run. */
static TraceLog *
bench_memory (GFile      *file,
              const char *name,
              guint64     n_events) {
  double before_mb = process_mb (), short_mb, long_mb;
  TraceLog *log;

  tracelog_unref (run (file, n_events / 4, file != NULL, NULL, &short_mb));
  /* What malloc keeps of that run is none of the next one's. */
  malloc_trim (0);
  log = run (file, n_events, file != NULL, NULL, &long_mb);
  printf ("  \"resident_mb_%s\": [%.1f, %.1f, %.1f],\n", name, before_mb, short_mb,
          long_mb);
  return log;
}

static double
saved_bytes (TraceLog *log,
             GFile    *file) {
  g_autoptr (GFileInfo) info = NULL;

  if (!tracelog_save (log, file, NULL, NULL, NULL, NULL))
    g_error ("a recording could not be saved");
  info = g_file_query_info (file, G_FILE_ATTRIBUTE_STANDARD_SIZE,
                            G_FILE_QUERY_INFO_NONE, NULL, NULL);
  return (double)g_file_info_get_size (info);
}

static void
bench_bytes (TraceLog *log,
             GFile    *file) {
  double n = (double)tracelog_get_length (log);
  double bare = saved_bytes (log, file), with_states;
  g_autoptr (Timeline) timeline = timeline_new (log);

  timeline_wait (timeline);
  timeline_put_keyframes (timeline, TRACE_KEYFRAME_EVENTS, NULL);
  with_states = saved_bytes (log, file);
  printf ("  \"bytes_per_event\": %.2f,\n"
          "  \"state_bytes_per_event\": %.2f,\n",
          with_states / n, (with_states - bare) / n);
}

int
main (int    argc,
      char **argv) {
  guint64 n = (argc > 1 ? g_ascii_strtoull (argv[1], NULL, 10) : 64) * 1000000;
  g_autofree char *path
      = g_build_filename (g_get_tmp_dir (), "bench-keeper.tophash", NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (TraceLog) log = NULL;

  if (argc > 2)
    n_keys = g_ascii_strtoull (argv[2], NULL, 10);
  printf ("{\n");
  bench_keeper (file, n / 4);
  tracelog_unref (bench_memory (file, "file", n));
  log = bench_memory (NULL, "spilled", n);
  bench_bytes (log, file);
  printf ("  \"events\": %" G_GUINT64_FORMAT "\n}\n", tracelog_get_length (log));
  unlink (path);
  return 0;
}
