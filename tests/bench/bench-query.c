/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-query.c — what a long recording is asked, and how long the answers take
 *
 * Usage: bench-query [MILLIONS [KEYS]], by default 10 million events and a
 * million keys.
 *
 * Prints one JSON object. The recording is made by eight real workers on a
 * sync.Map. Then
 *
 *   follow_ns, fold_ns      per event: the timeline's pass; the folds alone
 *   sums_ns                 what the sums add to them
 *   pyramid_mb, keys_mb     what the sums take, and the keys' filters
 *   unsettled_us            the slowest screen of each kind while seeks' states
 *                           are still made, which take the processors too
 *   screen_*_us             a screen of 1,920 bins of a settled timeline, the
 *                           slowest of ten places at each zoom: of the whole, a
 *                           quarter, a 16th …
 *   search_*                millions of events a second
 *   latencies_ms            a histogram over a random range; the slowest of ten
 *   key_life_*              the last 200 events of a key, all of another's, and
 *                           those of one that is never there
 */
#include "core/base/clock.h"
#include "core/engine/syncmap.h"
#include "core/state/timeline-histogram.h"
#include "core/state/timeline-private.h"
#include "core/state/timeline-search.h"
#include "tests/bench/record-map.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define N_WORKERS 8
#define N_BINS 1920
#define N_PLACES 10

static uint64_t
now_ns (void) {
  return (uint64_t)clock_now_ns ();
}

static double
now_ms (void) {
  return (double)clock_now_ns () / 1e6;
}

/* Two loads to a store, some deletes; a third of the keys at a time, so that a
 * key has times in which nothing happens to it. */
static void
work (RecordMapWorker *worker,
      EngineThread    *thread) {
  const EngineClass *klass = worker->wanted.klass;
  guint64 n_events = worker->wanted.n_events;
  guint64 span = MAX (1, worker->wanted.n_keys / 3);
  gint64 found;
  Prng prng;

  prng_init (&prng, prng_split (9, worker->index));
  for (guint64 i = 0;
       i % 64 != 0 || tracelog_get_length (worker->log) < n_events; i++) {
    guint64 done = tracelog_get_length (worker->log) * 3 / n_events;
    gint64 key = (gint64)(prng_below (&prng, span) + done * span);
    guint64 choice = prng_below (&prng, 100);

    if (choice < 60)
      klass->load (worker->map, thread, key, &found);
    else if (choice < 92)
      klass->store (worker->map, thread, key, (gint64)i);
    else
      klass->delete_key (worker->map, thread, key);
  }
}

static TraceLog *
record (guint64 n_events,
        guint64 n_keys) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log = tracelog_new (info, (gsize)8 << 30);

  record_map (log, (RecordMap){ .klass = &syncmap_class,
                                .n_events = n_events,
                                .n_keys = n_keys,
                                .n_workers = N_WORKERS,
                                .span_period = 1,
                                .now_ns = now_ns,
                                .work = work });
  return log;
}

static double
fold_ns (TraceLog *log) {
  g_autoptr (Fold) fold = fold_new ();
  guint64 length = tracelog_get_length (log);
  double start_ms = now_ms ();

  for (guint64 at = 0; at < length;) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, at);

    for (guint i = 0; i < block->n_events; i++)
      fold_apply (fold, &block->events[i]);
    at += block->n_events;
  }
  return (now_ms () - start_ms) * 1e6 / (double)length;
}

/* With the sums. */
static double
sums_ns (TraceLog *log,
         double   *megabytes) {
  g_autoptr (Fold) fold = fold_new ();
  const MapState *state = fold_peek_state (fold);
  Sums *sums = g_new (Sums, 1);
  guint64 length = tracelog_get_length (log);
  double start_ms = now_ms ();
  double ms;

  sums_init (sums);
  for (guint64 at = 0; at < length;) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, at);

    for (guint i = 0; i < block->n_events; i++) {
      sums_add (sums, &block->events[i], state);
      fold_apply (fold, &block->events[i]);
    }
    at += block->n_events;
  }
  ms = now_ms () - start_ms;
  megabytes[0] = (double)sums_bytes (sums) / 1e6;
  megabytes[1] = (double)sums_key_bytes (sums) / 1e6;
  megabytes[2] = (double)sums_latency_bytes (sums) / 1e6;
  sums_clear (sums);
  g_free (sums);
  return ms * 1e6 / (double)length;
}

/* Screens ------------------------------------------------------------------ */

typedef void (*Ask) (Timeline *timeline,
                     gint64    from_ns,
                     gint64    to_ns);

static void
ask_density (Timeline *timeline,
             gint64    from_ns,
             gint64    to_ns) {
  guint32 counts[N_BINS];

  timeline_get_density (timeline, from_ns, to_ns, N_BINS, counts);
}

static void
ask_lane (Timeline *timeline,
          gint64    from_ns,
          gint64    to_ns) {
  static LaneBin bins[N_BINS];

  timeline_get_lane (timeline, 3, from_ns, to_ns, N_BINS, bins);
}

static void
ask_level (Timeline *timeline,
           gint64    from_ns,
           gint64    to_ns) {
  double values[N_BINS], mins[N_BINS], maxs[N_BINS];

  timeline_get_series_range (timeline, SERIES_LIVE, from_ns, to_ns, N_BINS, values,
                             mins, maxs);
}

static void
ask_rate (Timeline *timeline,
          gint64    from_ns,
          gint64    to_ns) {
  double values[N_BINS], mins[N_BINS], maxs[N_BINS];

  timeline_get_series_range (timeline, SERIES_HIT_RATE, from_ns, to_ns, N_BINS,
                             values, mins, maxs);
}

typedef struct {
  const char *name;
  Ask         ask;
} Screen;

static const Screen screens[] = {
  { "density", ask_density },
  { "lane", ask_lane },
  { "level", ask_level },
  { "rate", ask_rate },
};

/* In ms: the slowest of ten places. */
static double
ask_places (Timeline *timeline,
            Ask       ask,
            gint64    span_ns,
            Prng     *prng) {
  gint64 all_ns = timeline_get_duration_ns (timeline) + 1;
  double slowest = 0;

  for (guint i = 0; i < N_PLACES; i++) {
    gint64 from_ns = (gint64)prng_below (prng,
                                         (guint64)(all_ns - span_ns) + 1);
    double start_ms = now_ms ();
    double ms;

    ask (timeline, from_ns, from_ns + span_ns);
    ms = now_ms () - start_ms;
    slowest = MAX (slowest, ms);
  }
  return slowest;
}

static double
bench_screen (Timeline     *timeline,
              const Screen *screen,
              gboolean      is_told) {
  gint64 all_ns = timeline_get_duration_ns (timeline) + 1;
  Prng prng = { 2 };
  double worst = 0;

  if (is_told)
    printf ("  \"screen_%s_us\": [", screen->name);
  for (gint64 span_ns = all_ns; span_ns > 2000; span_ns /= 4) {
    double slowest = ask_places (timeline, screen->ask, span_ns, &prng);

    if (is_told)
      printf ("%s%.0f", span_ns == all_ns ? "" : ", ", slowest * 1e3);
    worst = MAX (worst, slowest);
  }
  if (is_told)
    printf ("],\n");
  return worst;
}

static void
bench_screens (Timeline *timeline) {
  double worst = 0;

  printf ("  \"unsettled_us\": [");
  for (guint i = 0; i < G_N_ELEMENTS (screens); i++)
    printf ("%s%.0f", i > 0 ? ", " : "",
            bench_screen (timeline, &screens[i], FALSE) * 1e3);
  printf ("],\n");
  timeline_wait_settled (timeline);
  for (guint i = 0; i < G_N_ELEMENTS (screens); i++) {
    double ms = bench_screen (timeline, &screens[i], TRUE);

    worst = MAX (worst, ms);
  }
  printf ("  \"screen_worst_us\": %.0f,\n", worst * 1e3);
}

/* Searches ----------------------------------------------------------------- */

static void
bench_search (Timeline   *timeline,
              const char *name,
              const char *text) {
  g_autoptr (EventQuery) query = event_query_new (text, "k%d", NULL);
  double start_ms = now_ms ();
  g_autoptr (TimelineSearch) search = timeline_search_new (timeline, query);
  double ms;

  timeline_search_wait (search);
  ms = now_ms () - start_ms;
  printf ("  \"search_%s\": { \"query\": \"%s\", \"hits\": %" G_GUINT64_FORMAT
          ", \"ms\": %.0f, \"million_per_s\": %.1f },\n",
          name, text, timeline_search_get_n (search), ms,
          (double)timeline_get_length (timeline) / ms / 1e3);
}

/* Histograms and lives ----------------------------------------------------- */

static void
bench_latencies (Timeline *timeline) {
  guint64 length = timeline_get_length (timeline);
  Prng prng = { 4 };
  double slowest = 0;
  guint64 n_told = 0;

  for (guint i = 0; i < N_PLACES; i++) {
    guint64 from = prng_below (&prng, length);
    guint64 to = from + prng_below (&prng, length - from + 1);
    double start_ms = now_ms ();
    LatencyHistogram histogram;

    timeline_get_latencies (timeline, from, to, OP_N_KINDS, -1, NULL, &histogram);
    slowest = MAX (slowest, now_ms () - start_ms);
    n_told += histogram.n_told;
  }
  printf ("  \"latencies_ms\": %.2f,\n  \"latencies_told\": %" G_GUINT64_FORMAT
          ",\n",
          slowest, n_told);
}

static void
bench_life (Timeline   *timeline,
            const char *name,
            gint64      key,
            guint       max) {
  g_autoptr (GArray) life = g_array_new (FALSE, FALSE, sizeof (guint64));
  double start_ms = now_ms ();

  timeline_get_key_page (timeline, key, G_MAXUINT64, max, NULL, life);
  printf ("  \"key_life_%s\": { \"events\": %u, \"ms\": %.1f },\n", name,
          life->len, now_ms () - start_ms);
}

int
main (int    argc,
      char **argv) {
  double millions = argc > 1 ? g_ascii_strtod (argv[1], NULL) : 10;
  guint64 n_keys = argc > 2 ? g_ascii_strtoull (argv[2], NULL, 10) : 1000000;
  g_autoptr (TraceLog) log = record ((guint64)(millions * 1e6), n_keys);
  guint64 length = tracelog_get_length (log);
  double megabytes[3];
  double alone_ns = fold_ns (log);
  double with_ns = sums_ns (log, megabytes);
  double start_ms = now_ms ();
  g_autoptr (Timeline) timeline = timeline_new (log);

  timeline_wait (timeline);
  printf ("{\n  \"events\": %" G_GUINT64_FORMAT ",\n  \"threads\": %d,\n"
          "  \"duration_s\": %.1f,\n  \"fold_ns\": %.2f,\n"
          "  \"sums_ns\": %.2f,\n  \"follow_ns\": %.2f,\n"
          "  \"pyramid_mb\": %.1f,\n  \"keys_mb\": %.1f,\n"
          "  \"latencies_mb\": %.1f,\n",
          length, N_WORKERS, (double)timeline_get_duration_ns (timeline) / 1e9,
          alone_ns, with_ns - alone_ns,
          (now_ms () - start_ms) * 1e6 / (double)length, megabytes[0],
          megabytes[1], megabytes[2]);
  bench_screens (timeline);
  bench_search (timeline, "rare", "promotion");
  bench_search (timeline, "events", "op=store thread=2 ns > 100000");
  bench_search (timeline, "state", "misses = len(dirty) - 1");
  bench_search (timeline, "key", "key = k17 and op=store");
  bench_latencies (timeline);
  bench_life (timeline, "page", (gint64)(n_keys / 2), 200);
  bench_life (timeline, "whole", (gint64)(n_keys / 2 + 1), G_MAXUINT);
  bench_life (timeline, "of_none", (gint64)(2 * n_keys), 200);
  printf ("  \"million_keys\": %.1f\n}\n", (double)n_keys / 1e6);
  return 0;
}
