/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-check.c — how fast a history is judged, and a wrong one found
 *
 * Prints one JSON object. The shapes are those of the table by which the judge
 * was designed; histories are simulated (history-sim.h), so that threads overlap
 * as they are told to, whatever the machine. "stream" is the judge's own path,
 * index and all; "search" looks for the witness order of every key.
 */
#include "core/check/judge.h"

#include "tests/core/history-sim.h"

#include <stdio.h>
#include <time.h>

typedef struct {
  const char *name;
  Sim         sim;
} Shape;

static const Shape shapes[] = {
  { "4_threads_100k_64_keys", { .n_threads = 4, .n_keys = 64,
                                .n_ops = 100000 } },
  { "4_threads_1m_64_keys", { .n_threads = 4, .n_keys = 64,
                              .n_ops = 1000000 } },
  { "4_threads_1m_1024_keys", { .n_threads = 4, .n_keys = 1024,
                                .n_ops = 1000000 } },
  { "4_threads_1m_half_on_one", { .n_threads = 4, .n_keys = 1024,
                                  .n_ops = 1000000, .hot_share = 50 } },
  { "4_threads_100k_one_key", { .n_threads = 4, .n_keys = 1,
                                .n_ops = 100000 } },
  { "8_threads_100k_4_keys", { .n_threads = 8, .n_keys = 4,
                               .n_ops = 100000 } },
  { "8_threads_100k_one_key", { .n_threads = 8, .n_keys = 1,
                                .n_ops = 100000 } },
  { "4_threads_1m_ranges_clears", { .n_threads = 4, .n_keys = 64,
                                    .n_ops = 1000000, .range_share = 5,
                                    .clear_share = 1 } },
};

/* Processor time of this thread: other programs on the machine do not count. */
static gint64
cpu_ns (void) {
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double
mops (guint64 n_operations,
      gint64  spent_ns) {
  return (double)n_operations * 1e3 / (double)MAX (spent_ns, 1);
}

static void
bench_shape (const Shape *shape) {
  Sim good = shape->sim, wrong = shape->sim;
  g_autoptr (History) history = NULL;
  g_autoptr (History) bad_history = NULL;
  g_autoptr (JudgeReport) report = NULL;
  g_autoptr (JudgeReport) bad_report = NULL;
  gint64 start_ns, stream_ns, search_ns, bad_ns;
  guint n_explained = 0;

  good.seed = wrong.seed = 1;
  wrong.fault = SIM_STALE_READ;
  history = sim_history (&good, NULL);
  bad_history = sim_history (&wrong, NULL);

  start_ns = cpu_ns ();
  report = judge_history (history, NULL, NULL, NULL);
  stream_ns = cpu_ns () - start_ns;
  start_ns = cpu_ns ();
  for (gsize i = 0; i < history_n_keys (history); i++) {
    g_autoptr (JudgeCase) found = judge_key (history, history_key (history, i));

    n_explained += found->verdict == LINEAR_OK;
  }
  search_ns = cpu_ns () - start_ns;
  start_ns = cpu_ns ();
  bad_report = judge_history (bad_history, NULL, NULL, NULL);
  bad_ns = cpu_ns () - start_ns;

  printf ("  \"%s\": { \"operations\": %" G_GUINT64_FORMAT
          ", \"right\": %s, \"stream_mops\": %.2f, \"search_mops\": %.2f,"
          " \"explained_keys\": %u, \"wrong_found\": %s, \"wrong_ms\": %.1f },\n",
          shape->name, report->n_operations,
          report->verdict == LINEAR_OK ? "true" : "false",
          mops (report->n_operations, stream_ns),
          mops (report->n_operations, search_ns), n_explained,
          bad_report->n_violations == 1 ? "true" : "false",
          (double)bad_ns / 1e6);
}

int
main (void) {
  printf ("{\n");
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++)
    bench_shape (&shapes[i]);
  printf ("  \"shapes\": %u\n}\n", (guint)G_N_ELEMENTS (shapes));
  return 0;
}
