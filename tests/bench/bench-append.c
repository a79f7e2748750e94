/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-append.c — what telling one event costs the thread that tells it
 *
 * Prints one JSON object. One thread tells events of 16 bytes as fast as it can,
 * sharing stamps as engines do; wall time of that thread, best of N_REPEATS:
 *
 *   alone     nobody else runs: the teller gives its own room back, every 512
 *             events
 *   drained   another thread reads all that is told and throws it away
 *   stamped   drained, and every event reads the clock
 *   recorded  the recorder merges and packs it: its speed, when that is less
 */
#include "core/record/recorder.h"
#include "tests/bench/bench-drain.h"

#include <stdio.h>

#define N_EVENTS 20000000u
#define N_RECORDED 4000000u
#define N_REPEATS 5

/* The thread's pointer is looked up once, as in a lane of operations. */
static void
tell_events (unsigned n) {
  Probe *probe = probe_current;

  for (unsigned i = 0; i < n; i++)
    probe_tell_brief (probe, OP_LOAD, OP_PATH_OK, i);
  probe_flush (probe);
}

static void
take_all (Probe *probe) {
  const RingUnit *first;
  size_t n_second;
  size_t n_first = ring_peek (&probe->ring, &first, &n_second);

  ring_take (&probe->ring, n_first + n_second);
}

static void
tell_alone (unsigned n) {
  Probe *probe = probe_current;

  for (unsigned i = 0; i < n; i++) {
    probe_tell_brief (probe, OP_LOAD, OP_PATH_OK, i);
    if (i % 512 == 0)
      take_all (probe);
  }
  probe_flush (probe);
}

static void
tell_stamped (unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    probe_restamp ();
    probe_event (EVENT_OP_TOLD, i, 0, OP_LOAD, OP_PATH_OK);
  }
  probe_flush (probe_current);
}

/* ns per event; *stalled_ns: of one event, waits for room. */
static double
time_once (void   (*tell) (unsigned n),
           unsigned n,
           bool     is_drained,
           double  *stalled_ns) {
  int64_t began_ns, told_ns;
  Probe probe;
  Drain drain;

  if (!probe_init (&probe, recorder_ring_units (1)))
    g_error ("no memory for a ring");
  if (is_drained)
    drain_start (&drain, &probe, 1);
  probe_current = &probe;
  began_ns = clock_now_ns ();
  tell (n);
  told_ns = clock_now_ns () - began_ns;
  probe_current = NULL;
  if (is_drained)
    drain_stop (&drain);
  *stalled_ns = (double)atomic_load (&probe.ring.stalled_ns) / n;
  probe_clear (&probe);
  return (double)told_ns / n;
}

static void
bench_telling (const char *name,
               void      (*tell) (unsigned n),
               unsigned    n,
               bool        is_drained) {
  double best = 1e9, stalled = 0;

  for (unsigned i = 0; i < N_REPEATS; i++) {
    double stalled_ns;
    double ns = time_once (tell, n, is_drained, &stalled_ns);

    if (ns < best) {
      best = ns;
      stalled = stalled_ns;
    }
  }
  printf ("  \"%s_ns_per_event\": %.2f,\n"
          "  \"%s_stalled_ns_per_event\": %.2f,\n",
          name, best, name, stalled);
}

static void
bench_recorded (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (Recorder) recorder = recorder_new (log);
  TraceHonesty honesty;
  int64_t began_ns, told_ns;
  Probe probe;

  if (!probe_init (&probe, recorder_ring_units (1)))
    g_error ("no memory for a ring");
  recorder_add (recorder, &probe, 0);
  recorder_start (recorder);
  probe_current = &probe;
  began_ns = clock_now_ns ();
  tell_events (N_RECORDED);
  told_ns = clock_now_ns () - began_ns;
  probe_current = NULL;
  recorder_finish (recorder);
  tracelog_get_honesty (log, &honesty);
  printf ("  \"recorded_ns_per_event\": %.2f,\n"
          "  \"recorded_stalled_ns_per_event\": %.2f,\n"
          "  \"recorded_lost\": %lld,\n",
          (double)told_ns / N_RECORDED, (double)honesty.stalled_ns / N_RECORDED,
          (long long)N_RECORDED - (long long)honesty.n_events);
  probe_clear (&probe);
}

int
main (void) {
  printf ("{\n");
  bench_telling ("alone", tell_alone, N_EVENTS, false);
  bench_telling ("drained", tell_events, N_EVENTS, true);
  bench_telling ("stamped", tell_stamped, N_EVENTS / 4, true);
  bench_recorded ();
  printf ("  \"events\": %u\n}\n", N_EVENTS);
  return 0;
}
