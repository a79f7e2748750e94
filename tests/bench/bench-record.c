/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-record.c — what recording costs behind the engines
 *
 * Prints one JSON object: an operation told by its thread, the log alone (append and
 * pack, unpack), and whole recordings by the recorder of threads that tell as fast as
 * their rings are drained, so the events per second are the recorder's.
 */
#include "core/base/prng.h"
#include "core/record/recorder.h"
#include "core/record/tracelog-private.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define N_EVENTS 8000000u
#define N_ENTRIES 65536u
#define MAX_WORKERS 4

/* Processor time of this thread: other programs on the machine do not count. */
static gint64
cpu_ns (void) {
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Stores on entries, a few slots and walks: what a busy sync.Map tells. */
static void
make_events (Event *events,
             guint  n) {
  guint32 *versions = g_new0 (guint32, N_ENTRIES);
  Prng prng = { 1 };
  gint64 at_ns = 0;

  for (guint i = 0; i < n; i++) {
    guint64 random = prng_next (&prng);
    guint32 entry = (guint32)(random % N_ENTRIES) >> (random >> 60);

    at_ns += 20 + (gint64)(random >> 32 & 63);
    events[i] = (Event){
      .at_ns = at_ns,
      .a = random % 8 < 5 ? random >> 44 : 0,
      .res = entry,
      .ver = ++versions[entry],
      .thread = (guint16)(i / 16 % 4),
      .kind = random % 8 < 5 ? EVENT_ENTRY_STORED : EVENT_ENTRY_DELETED,
    };
  }
  g_free (versions);
}

static void
bench_log (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autofree Event *events = g_new (Event, N_EVENTS);
  TraceHonesty honesty;
  gint64 start_ns, append_ns, read_ns;
  guint64 sum = 0;

  make_events (events, N_EVENTS);
  start_ns = cpu_ns ();
  for (guint i = 0; i < N_EVENTS; i++)
    tracelog_append (log, &events[i]);
  append_ns = cpu_ns () - start_ns;
  tracelog_finish (log, FALSE);

  start_ns = cpu_ns ();
  for (guint64 i = 0; i < N_EVENTS; i += TRACE_BLOCK_EVENTS) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, i);

    sum += block->events[0].a;
  }
  read_ns = cpu_ns () - start_ns;
  tracelog_get_honesty (log, &honesty);
  printf ("  \"append_ns_per_event\": %.2f,\n"
          "  \"read_ns_per_event\": %.2f,\n"
          "  \"bytes_per_event\": %.2f,\n"
          "  \"checksum\": %" G_GUINT64_FORMAT ",\n",
          (double)append_ns / N_EVENTS, (double)read_ns / N_EVENTS,
          (double)honesty.bytes / N_EVENTS, sum);
}

typedef struct {
  Probe    probe;
  guint    n_events;
  guint32  entry; /* its own: what is measured is the merge, not contention */
} Worker;

static void *
tell_cb (void *data) {
  Worker *worker = data;

  probe_current = &worker->probe;
  for (guint i = 0; i < worker->n_events; i++) {
    if (i % 16 == 0)
      probe_new_stamp (&worker->probe);
    probe_event (EVENT_ENTRY_STORED, worker->entry, (i + 1) & ENTRY_VERSION_MASK,
                 0, 0);
  }
  probe_flush (&worker->probe);
  probe_current = NULL;
  return NULL;
}

static void
bench_recorder (guint n_workers) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (Recorder) recorder = recorder_new (log);
  Worker workers[MAX_WORKERS];
  pthread_t threads[MAX_WORKERS];
  gint64 start_ns, run_ns;
  guint64 n_forced;

  for (guint i = 0; i < n_workers; i++) {
    workers[i].n_events = N_EVENTS / n_workers;
    workers[i].entry = i * 64;
    probe_init (&workers[i].probe, recorder_ring_units (n_workers));
    recorder_add (recorder, &workers[i].probe, (guint16)i);
  }
  recorder_start (recorder);
  start_ns = clock_now_ns ();
  for (guint i = 0; i < n_workers; i++)
    pthread_create (&threads[i], NULL, tell_cb, &workers[i]);
  for (guint i = 0; i < n_workers; i++)
    pthread_join (threads[i], NULL);
  n_forced = recorder_finish (recorder);
  run_ns = clock_now_ns () - start_ns;
  printf ("  \"record_%u_threads_events_per_us\": %.2f,\n"
          "  \"record_%u_threads_ungated\": %" G_GUINT64_FORMAT ",\n",
          n_workers, (double)tracelog_get_length (log) * 1e3 / (double)run_ns,
          n_workers, n_forced);
  for (guint i = 0; i < n_workers; i++)
    probe_clear (&workers[i].probe);
}

/* What it costs an operation to be told, its two fenced stamps above all: the
 * price of a run that can be judged. */
static void
bench_spans (void) {
  const RingUnit *first;
  gsize n_second, n_first;
  gint64 start_ns, told_ns;
  Probe probe;

  probe_init (&probe, 4096);
  probe_set_span_period (&probe, 1);
  probe_current = &probe;
  start_ns = cpu_ns ();
  for (guint i = 0; i < N_EVENTS; i++) {
    probe_op_begin (OP_STORE, i, i);
    probe_op_end (OP_STORE, OP_PATH_OK, i, 0);
    if (i % 512 == 0) {
      probe_flush (&probe);
      n_first = ring_peek (&probe.ring, &first, &n_second);
      ring_take (&probe.ring, n_first + n_second);
    }
  }
  told_ns = cpu_ns () - start_ns;
  probe_current = NULL;
  printf ("  \"span_ns\": %.2f,\n", (double)told_ns / N_EVENTS);
  probe_clear (&probe);
}

int
main (void) {
  printf ("{\n");
  bench_spans ();
  bench_log ();
  bench_recorder (1);
  bench_recorder (2);
  bench_recorder (4);
  printf ("  \"events\": %u\n}\n", N_EVENTS);
  return 0;
}
