/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-seek.c — how fast one gets to any instant of a long recording
 *
 * Usage: bench-seek [MILLIONS [KEYS [ENGINE …]]], by default 10 million events,
 * 1 million slots of state, gomap and syncmap.
 *
 * Prints one JSON object. Each recording is made by real workers on a real map:
 * it is filled, then stored to, deleted from and loaded from at random until the
 * log has its events. Then, in ms unless the name says otherwise:
 *
 *   fold_events_per_ms    events that are decoded, folded one after another
 *   play_events_per_ms    the same from the packed log, which a second thread helps
 *                         to unpack: of the clock, not of one processor
 *   play_full_events_per_ms  the second half of that: the map has long been filled and
 *                         no longer grows, which takes several times as long an event
 *   lines_events_per_ms   what memory allows: as much memory as the state takes, in
 *                         huge pages, of which each event writes two neighbouring
 *                         lines at a random place, asked for ahead, and does nothing
 *                         else
 *   early_seek_*          right after opening, from the states that a recording
 *                         brings every TRACE_KEYFRAME_EVENTS
 *   build_ms              the timeline's pass, frames and sums included
 *   follow_ns_per_event   the same, of the processor, by all threads
 *   unsettled_seek_*      random places, while further frames are made
 *   settle_ms             until they are all there
 *   seek_*, step_*        random places then; single steps back and forward there
 *   memory_mb             what the process grew by, the log itself not counted
 */
#include "core/record/trace-keyframe.h"
#include "core/state/fold.h"
#include "core/state/log-ahead.h"
#include "core/state/map-state-private.h"
#include "core/state/state-frames.h"
#include "core/state/timeline.h"
#include "tests/bench/process-memory.h"
#include "tests/bench/record-map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define N_SEEKS 400
#define N_EARLY 10
#define N_UNSETTLED 20
#define N_STEPS 20 /* each way, at each of N_SEEKS / 8 places */
/* As files have them; whole blocks. */
#define EVENTS_PER_STATE ((guint64)TRACE_KEYFRAME_EVENTS)
#define FOLDED_AT_ONCE (1u << 21)
#define HUGE_PAGE ((gsize)2 << 20)
#define LINES_AHEAD 32u /* as the fold looks ahead */

static double
clock_ms (clockid_t clock) {
  struct timespec now;

  clock_gettime (clock, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Of the processor, on this thread: others do not count. */
static double
cpu_ms (void) {
  return clock_ms (CLOCK_THREAD_CPUTIME_ID);
}

static double
process_cpu_ms (void) {
  return clock_ms (CLOCK_PROCESS_CPUTIME_ID);
}

static double
now_ms (void) {
  return (double)clock_now_ns () / 1e6;
}

/* A state that a recording would bring. */
static void
keep_state (Fold      *fold,
            GPtrArray *states) {
  g_autoptr (MapState) state = fold_ref_state (fold);

  g_ptr_array_add (states, map_state_serialise (state));
}

/* See above; @bytes: what the state takes. */
static void
bench_lines (gsize bytes) {
  guint n = FOLDED_AT_ONCE, n_places = (guint)MAX (bytes / 128, 1);
  gsize size = (n_places * (gsize)128 + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  g_autofree guint32 *places = g_new (guint32, n + LINES_AHEAD);
  guint64 *words = aligned_alloc (HUGE_PAGE, size);
  double start_ms;
  Prng prng;

  g_assert_nonnull (words);
  madvise (words, size, MADV_HUGEPAGE);
  memset (words, 1, size);
  prng_init (&prng, 9);
  for (guint i = 0; i < n + LINES_AHEAD; i++)
    places[i] = (guint32)prng_below (&prng, n_places) * 16;
  start_ms = cpu_ms ();
  for (guint i = 0; i < n; i++) {
    __builtin_prefetch (&words[places[i + LINES_AHEAD]], 1);
    __builtin_prefetch (&words[places[i + LINES_AHEAD] + 8], 1);
    words[places[i]] = i;
    words[places[i] + 8] = i;
  }
  printf ("    \"lines_events_per_ms\": %.0f,\n",
          (double)n / (cpu_ms () - start_ms));
  free (words);
}

/* The last events of the log, folded on the state before them. @states: one for
 * each EVENTS_PER_STATE. */
static void
bench_fold (TraceLog  *log,
            GPtrArray *states) {
  guint64 length = tracelog_get_length (log);
  guint64 n = MIN (length / 2, FOLDED_AT_ONCE), at, from = length - n;
  g_autofree Event *events = g_new (Event, n);
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (LogAhead) ahead = log_ahead_new (log, 0, from, LOG_AHEAD_AT_ONCE);
  double start_ms = now_ms (), half_ms = start_ms;

  for (at = 0; at < from;) {
    const TraceBlock *block = log_ahead_get (ahead, at);
    guint64 end = MIN (from, block->first + block->n_events);

    fold_apply_many (fold, block->events + (at - block->first),
                     (guint)(end - at));
    at = end;
    if (at / EVENTS_PER_STATE > states->len) {
      double paused_ms = now_ms ();

      keep_state (fold, states);
      start_ms += now_ms () - paused_ms;
      half_ms += now_ms () - paused_ms;
    }
    if (at <= from / 2)
      half_ms = now_ms ();
  }
  printf ("    \"play_events_per_ms\": %.0f,\n"
          "    \"play_full_events_per_ms\": %.0f,\n",
          (double)from / (now_ms () - start_ms),
          (double)(from - from / 2) / (now_ms () - half_ms));
  for (guint64 i = 0; i < n;) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, from + i);
    guint skip = (guint)(from + i - block->first);
    guint count = (guint)MIN (n - i, block->n_events - skip);

    memcpy (events + i, block->events + skip, count * sizeof *events);
    i += count;
  }
  start_ms = cpu_ms ();
  fold_apply_many (fold, events, (guint)n);
  printf ("    \"fold_events_per_ms\": %.0f,\n",
          (double)n / (cpu_ms () - start_ms));
  bench_lines (map_state_bytes (fold_peek_state (fold)));
  if (fold_n_faults (fold) > 0)
    g_error ("%s", fold_first_fault (fold));
}

static int
compare_doubles (const void *a,
                 const void *b) {
  return (*(const double *)a > *(const double *)b)
         - (*(const double *)a < *(const double *)b);
}

static void
print_times (const char *name,
             double     *ms,
             guint       n) {
  qsort (ms, n, sizeof *ms, compare_doubles);
  printf ("    \"%s_median_ms\": %.3f,\n    \"%s_p99_ms\": %.3f,\n"
          "    \"%s_worst_ms\": %.3f,\n",
          name, ms[n / 2], name, ms[n - 1 - n / 100], name, ms[n - 1]);
}

static void
bench_seeks (Timeline   *timeline,
             const char *name,
             guint       n) {
  guint64 length = timeline_get_length (timeline);
  static double ms[N_SEEKS];
  MapState *shown = NULL;
  Prng prng;

  prng_init (&prng, 3);
  for (guint i = 0; i < n; i++) {
    guint64 place = prng_below (&prng, length + 1);
    double start_ms = now_ms ();
    MapState *state = timeline_seek (timeline, place, NULL);

    ms[i] = now_ms () - start_ms;
    g_assert_cmpuint (map_state_n_events (state), ==, place);
    g_clear_pointer (&shown, map_state_unref);
    shown = state;
    /* As long as a picture stands, at the least. */
    g_usleep (8000);
  }
  print_times (name, ms, n);
  map_state_unref (shown);
}

/* Right after a log was opened, its recording's own states at hand. */
static void
bench_early_seeks (TraceLog  *log,
                   GPtrArray *states) {
  g_autoptr (Timeline) timeline = timeline_new (log);
  double ms[N_EARLY];
  Prng prng;

  prng_init (&prng, 6);
  for (guint i = 0; i < states->len; i++)
    timeline_add_keyframe (timeline, (i + 1) * EVENTS_PER_STATE,
                           states->pdata[i]);
  for (guint i = 0; i < N_EARLY; i++) {
    guint64 place = prng_below (&prng, tracelog_get_length (log));
    double start_ms = now_ms ();

    map_state_unref (timeline_seek (timeline, place, NULL));
    ms[i] = now_ms () - start_ms;
  }
  print_times ("early_seek", ms, N_EARLY);
}

static void
bench_steps (Timeline *timeline) {
  guint64 length = timeline_get_length (timeline);
  static double ms[N_SEEKS / 8 * N_STEPS * 2];
  guint n = 0;
  Prng prng;

  prng_init (&prng, 4);
  for (guint i = 0; i < N_SEEKS / 8; i++) {
    guint64 place = N_STEPS + prng_below (&prng, length - N_STEPS);
    MapState *shown = timeline_seek (timeline, place, NULL);

    g_usleep (30000);
    for (int k = 0; k < 2 * N_STEPS; k++) {
      double start_ms = now_ms ();
      g_autoptr (MapState) state = NULL;

      place += k < N_STEPS ? -1 : 1;
      state = timeline_seek (timeline, place, NULL);
      ms[n++] = now_ms () - start_ms;
    }
    map_state_unref (shown);
  }
  print_times ("step", ms, n);
}

static void
bench_engine (const EngineClass *klass,
              guint64            n_events,
              guint64            n_slots) {
  /* A table of 2^B buckets is 6/8 full; syncmap has two of half the size. */
  guint64 n_keys = klass->has_read_and_dirty ? n_slots * 3 / 8 : n_slots * 3 / 4;
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, (gsize)4 << 30);
  g_autoptr (Timeline) timeline = NULL;
  g_autoptr (GPtrArray) states
      = g_ptr_array_new_with_free_func ((GDestroyNotify)g_ptr_array_unref);
  double memory_mb, start_ms, start_cpu_ms;

  record_map (log, (RecordMap){ .klass = klass,
                                .n_events = n_events,
                                .n_keys = n_keys,
                                .n_workers = 2,
                                .work = record_map_fill_and_change });
  printf ("  \"%s\": {\n    \"events\": %" G_GUINT64_FORMAT ",\n", klass->name,
          tracelog_get_length (log));
  bench_fold (log, states);
  if (states->len > 0)
    bench_early_seeks (log, states);
  g_ptr_array_set_size (states, 0);
  memory_mb = process_mb ();
  start_ms = now_ms ();
  start_cpu_ms = process_cpu_ms ();
  timeline = timeline_new (log);
  timeline_wait (timeline);
  printf ("    \"build_ms\": %.0f,\n    \"follow_ns_per_event\": %.1f,\n",
          now_ms () - start_ms,
          (process_cpu_ms () - start_cpu_ms) * 1e6
              / (double)tracelog_get_length (log));
  start_ms = now_ms ();
  bench_seeks (timeline, "unsettled_seek", N_UNSETTLED);
  timeline_wait_settled (timeline);
  printf ("    \"settle_ms\": %.0f,\n", now_ms () - start_ms);
  bench_seeks (timeline, "seek", N_SEEKS);
  bench_steps (timeline);
  printf ("    \"memory_mb\": %.0f\n  }", process_mb () - memory_mb);
}

int
main (int    argc,
      char **argv) {
  guint64 n_events = (guint64)(argc > 1 ? atof (argv[1]) * 1e6 : 1e7);
  guint64 n_slots = argc > 2 ? (guint64)atoll (argv[2]) : 1u << 20;
  const char *both[] = { "gomap", "syncmap" };

  setvbuf (stdout, NULL, _IOLBF, 0);
  printf ("{\n");
  for (int i = 0; i < MAX (argc - 3, argc > 3 ? 0 : 2); i++) {
    const char *name = argc > 3 ? argv[3 + i] : both[i];

    if (i > 0)
      printf (",\n");
    bench_engine (engine_class_find (name), n_events, n_slots);
    fflush (stdout);
  }
  printf ("\n}\n");
  return 0;
}
