/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-recorder.c — whether the merge gives the one true order */
#include "core/record/recorder.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define N_ENTRIES 16
#define MAX_WORKERS 8

/* What the workers share: entries that count their changes, and a lock with its
 * domain. */
typedef struct {
  _Atomic (guint32) entries[N_ENTRIES];
  pthread_mutex_t   lock;
  guint32           domain_version; /* guarded by lock */
  pthread_barrier_t start;
  guint             n_changes; /* by each worker */
} World;

typedef struct {
  World *world;
  Probe  probe;
  guint  index;
} Worker;

/* What a worker stores as its @i-th value: small and large, of both signs. */
static gint64
value_of (guint64 i) {
  gint64 value = (gint64)(i + 1) << i % 4 * 10;

  return i % 3 == 0 ? -value : value;
}

/* Changes entries, and now and then takes the lock, telling as engines do. */
static void *
work_cb (void *data) {
  Worker *worker = data;
  World *world = worker->world;
  guint32 random = worker->index * 7919 + 1;

  probe_current = &worker->probe;
  pthread_barrier_wait (&world->start);
  for (guint i = 0; i < world->n_changes; i++) {
    guint32 entry, ver;

    random = random * 1664525 + 1013904223;
    entry = (random >> 16) % N_ENTRIES;
    probe_op_begin (OP_STORE, entry, i);
    ver = atomic_fetch_add (&world->entries[entry], 1) + 1;
    probe_tell_stored (probe_current, entry, ver & ENTRY_VERSION_MASK,
                       value_of (i));
    if (i % 32 == 0) {
      if (pthread_mutex_trylock (&world->lock) != 0) {
        probe_flush (&worker->probe);
        pthread_mutex_lock (&world->lock);
      }
      probe_event (EVENT_LOCK_ACQUIRED, 5, ++world->domain_version, 0, 0);
      probe_event (EVENT_LOCK_RELEASED, 5, ++world->domain_version, 0, 0);
      pthread_mutex_unlock (&world->lock);
    }
    probe_op_end (OP_STORE, OP_PATH_OK, 0, 0);
  }
  probe_event (EVENT_THREAD_ENDED, 0, 0, 0, 0);
  probe_flush (&worker->probe);
  probe_current = NULL;
  return NULL;
}

/* Every event once, every version in sequence, time never going back. */
static void
check_order (TraceLog *log,
             World    *world,
             guint     n_workers) {
  guint64 length = tracelog_get_length (log), n_stores = 0, n_ended = 0;
  guint32 seen[N_ENTRIES] = { 0 }, domain = 0;
  guint64 n_by_worker[MAX_WORKERS] = { 0 };
  gint64 last_ns = 0;

  for (guint64 i = 0; i < length; i++) {
    Event event;

    g_assert_true (tracelog_get_event (log, i, &event));
    g_assert_cmpint (event.at_ns, >=, last_ns);
    g_assert_cmpuint (event.thread, <, n_workers);
    last_ns = event.at_ns;
    if (event.kind == EVENT_ENTRY_STORED) {
      seen[event.res]++;
      g_assert_cmpuint (event.ver, ==, seen[event.res] & ENTRY_VERSION_MASK);
      g_assert_cmpint ((gint64)event.a, ==,
                       value_of (n_by_worker[event.thread]++));
      n_stores++;
    } else if (event.kind == EVENT_THREAD_ENDED) {
      n_ended++;
    } else if (event.kind == EVENT_LOCK_ACQUIRED
               || event.kind == EVENT_LOCK_RELEASED) {
      g_assert_cmpuint (event.ver, ==, ++domain);
    }
  }
  g_assert_cmpuint (n_stores, ==, (guint64)n_workers * world->n_changes);
  g_assert_cmpuint (n_ended, ==, n_workers);
  g_assert_cmpuint (domain, ==, world->domain_version);
}

static void
record_workers (guint  n_workers,
                guint  n_changes,
                gsize  ring_units,
                gsize  limit_bytes,
                void (*check) (TraceLog *log, Recorder *recorder)) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, limit_bytes);
  g_autoptr (Recorder) recorder = recorder_new (log);
  World world = { .lock = PTHREAD_MUTEX_INITIALIZER, .n_changes = n_changes };
  Worker workers[MAX_WORKERS];
  pthread_t threads[MAX_WORKERS];

  pthread_barrier_init (&world.start, NULL, n_workers);
  for (guint i = 0; i < n_workers; i++) {
    workers[i].world = &world;
    workers[i].index = i;
    g_assert_true (probe_init (&workers[i].probe, ring_units));
    recorder_add (recorder, &workers[i].probe, (guint16)i);
  }
  recorder_start (recorder);
  for (guint i = 0; i < n_workers; i++)
    g_assert_cmpint (pthread_create (&threads[i], NULL, work_cb, &workers[i]),
                     ==, 0);
  for (guint i = 0; i < n_workers; i++)
    pthread_join (threads[i], NULL);

  g_assert_cmpuint (recorder_finish (recorder), ==, 0);
  g_assert_true (tracelog_is_finished (log));
  check_order (log, &world, n_workers);
  if (check != NULL)
    check (log, recorder);
  for (guint i = 0; i < n_workers; i++)
    probe_clear (&workers[i].probe);
  pthread_barrier_destroy (&world.start);
}

static void
check_complete (TraceLog *log,
                Recorder *recorder) {
  TraceHonesty honesty;

  tracelog_get_honesty (log, &honesty);
  g_assert_true (honesty.is_complete);
  g_assert_false (honesty.was_limited);
  g_assert_false (recorder_is_full (recorder));
}

static void
test_two_threads (void) {
  record_workers (2, 100000, recorder_ring_units (2), 0, check_complete);
}

static void
test_many_threads (void) {
  record_workers (8, 10000, recorder_ring_units (8), 0, check_complete);
}

static void
check_stalled (TraceLog *log,
               Recorder *recorder) {
  TraceHonesty honesty;

  tracelog_get_honesty (log, &honesty);
  g_assert_cmpuint (honesty.n_stalls, >, 0);
  g_assert_cmpint (honesty.stalled_ns, >, 0);
}

/* Rings far smaller than what is told: owners wait, nothing is lost. */
static void
test_full_ring (void) {
  record_workers (2, 20000, 64, 0, check_stalled);
}

static void
check_limited (TraceLog *log,
               Recorder *recorder) {
  TraceHonesty honesty;

  tracelog_get_honesty (log, &honesty);
  g_assert_true (recorder_is_full (recorder));
  g_assert_true (honesty.was_limited);
}

/* A limit says that it is reached; the events are there all the same. */
static void
test_limit (void) {
  record_workers (2, 20000, 4096, 10000, check_limited);
}

static Event
make_event (EventKind kind,
            guint32   res,
            guint32   ver,
            guint16   table,
            guint64   b) {
  return (Event){ .kind = (guint8)kind,
                  .res = res,
                  .ver = ver,
                  .aux16 = table,
                  .b = b };
}

static void
assert_gate (MergeGate *gate,
             Event      event,
             gboolean   is_admitted) {
  g_assert_cmpint (merge_gate_admits (gate, &event), ==, is_admitted);
  if (is_admitted)
    merge_gate_pass (gate, &event);
}

static void
test_gates (void) {
  MergeGate *gate = merge_gate_new ();

  /* Nothing of a table before it is created, and that in its turn. */
  assert_gate (gate, make_event (EVENT_SLOT_WRITTEN, 0, 1, 3, 0), FALSE);
  assert_gate (gate, make_event (EVENT_TABLE_CREATED, 0, 2, 3, 9), FALSE);
  assert_gate (gate, make_event (EVENT_TABLE_CREATED, 0, 1, 3, 9), TRUE);
  assert_gate (gate, make_event (EVENT_SLOT_WRITTEN, 0, 3, 3, 0), FALSE);
  assert_gate (gate, make_event (EVENT_LOCK_ACQUIRED, 9, 2, 0, 0), TRUE);
  assert_gate (gate, make_event (EVENT_SLOT_WRITTEN, 0, 3, 3, 0), TRUE);

  /* A walk waits for the version it saw, not for a newer one. */
  assert_gate (gate, make_event (EVENT_RANGE_WALKED, 0, 1, 3, 4), FALSE);
  assert_gate (gate, make_event (EVENT_RANGE_WALKED, 0, 1, 3, 2), TRUE);
  assert_gate (gate, make_event (EVENT_MISS_COUNTED, 0, 4, 3, 0), TRUE);
  assert_gate (gate, make_event (EVENT_RANGE_WALKED, 0, 1, 3, 4), TRUE);

  /* Entries wrap; the first one seen is taken as it is. */
  assert_gate (gate, make_event (EVENT_ENTRY_STORED, 5000, 131070, 0, 0), TRUE);
  assert_gate (gate, make_event (EVENT_ENTRY_DELETED, 5000, 0, 0, 0), FALSE);
  assert_gate (gate, make_event (EVENT_ENTRY_DELETED, 5000, 131071, 0, 0), TRUE);
  assert_gate (gate, make_event (EVENT_ENTRY_STORED, 5000, 0, 0, 0), TRUE);

  /* What is overdue waits for nothing, and nothing waits for it. */
  assert_gate (gate, make_event (EVENT_ENTRY_STORED, 7, 2, 0, 0), TRUE);
  assert_gate (gate, make_event (EVENT_ENTRY_STORED, 7, 1, 0, 0), TRUE);
  assert_gate (gate, make_event (EVENT_ENTRY_STORED, 7, 4, 0, 0), FALSE);
  assert_gate (gate, make_event (EVENT_ENTRY_STORED, 7, 3, 0, 0), TRUE);
  merge_gate_free (gate);
}

/* An engine that skips a version must not make the run hang or lose events. */
static void
test_forced (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (Recorder) recorder = recorder_new (log);
  Probe probe;

  g_assert_true (probe_init (&probe, 256));
  recorder_add (recorder, &probe, 0);
  recorder_start (recorder);
  probe_current = &probe;
  probe_event (EVENT_LOCK_ACQUIRED, 1, 1, 0, 0);
  probe_event (EVENT_LOCK_RELEASED, 1, 3, 0, 0);
  probe_event (EVENT_LOCK_ACQUIRED, 1, 4, 0, 0);
  probe_flush (&probe);
  probe_current = NULL;
  g_assert_cmpuint (recorder_finish (recorder), ==, 1);
  g_assert_cmpuint (tracelog_get_length (log), ==, 3);
  probe_clear (&probe);
}

static void
test_ring_units (void) {
  for (guint n = 1; n <= 65; n++) {
    gsize n_units = recorder_ring_units (n);

    g_assert_cmpuint (n_units & (n_units - 1), ==, 0);
    g_assert_cmpuint (n_units, >=, PROBE_PUBLISH_BATCH * 2);
    g_assert_cmpuint ((n_units + RING_STAGE) * n, <, 1u << (ENTRY_VERSION_BITS - 1));
  }
}

/* One thread's event at @stamp, as if the clock had said so. */
static void
tell_at (Probe    *probe,
         guint64   stamp,
         EventKind kind,
         guint32   res,
         guint32   ver) {
  probe_set_stamp (probe, stamp);
  probe_tell_more (probe, kind, res, ver, 0, 0, 0, 0);
}

/* Lane 0 has a change of version 2, then operations; lane 1 the change before it,
 * @lead stamps later. What began in lane 0 is raised over it. */
static void
check_raise (guint64 lead) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (Recorder) recorder = recorder_new (log);
  const guint64 start = (guint64)1 << 40;
  double ns_per_stamp = 1.0 / clock_stamps_per_ns ();
  gint64 true_ns;
  Probe probes[2];
  Event event;

  for (guint i = 0; i < 2; i++) {
    g_assert_true (probe_init (&probes[i], 256));
    recorder_add (recorder, &probes[i], (guint16)i);
  }
  tell_at (&probes[0], start, EVENT_LOCK_ACQUIRED, 5, 2);
  tell_at (&probes[0], start + 10, EVENT_OP_BEGAN, 0, 0);
  tell_at (&probes[0], start + 20, EVENT_OP_ENDED, 0, 0);
  tell_at (&probes[1], start + lead, EVENT_LOCK_RELEASED, 5, 1);
  tell_at (&probes[1], start + lead + 50, EVENT_OP_BEGAN, 0, 0);
  for (guint i = 0; i < 2; i++)
    probe_flush (&probes[i]);
  recorder_start (recorder);
  g_assert_cmpuint (recorder_finish (recorder), ==, 0);

  g_assert_cmpuint (tracelog_get_length (log), ==, 5);
  g_assert_true (tracelog_get_event (log, 2, &event));
  g_assert_cmpint (event.kind, ==, EVENT_OP_BEGAN);
  g_assert_cmpint (event.at_ns, ==, 0);
  true_ns = (gint64)floor (((double)10 - (double)lead) * ns_per_stamp);
  g_assert_cmpint (event.res, ==, MIN (-true_ns, G_MAXUINT32));
  g_assert_true (tracelog_get_event (log, 3, &event));
  g_assert_cmpint (event.kind, ==, EVENT_OP_ENDED);
  g_assert_cmpint (event.res, ==, 0);
  true_ns = (gint64)floor (((double)20 - (double)lead) * ns_per_stamp);
  g_assert_cmpint (event.ver, ==, MIN (-true_ns, G_MAXUINT32));
  g_assert_true (tracelog_get_event (log, 4, &event));
  g_assert_cmpint (event.at_ns, >, 0);
  g_assert_cmpint (event.res, ==, 0);
  for (guint i = 0; i < 2; i++)
    probe_clear (&probes[i]);
}

static void
test_keeps_when_operations_were (void) {
  check_raise (1000000);
  check_raise ((guint64)1 << 38); /* longer than res can say */
}

/* What a lane tells when nobody takes anything is more than its ring holds: all
 * that is missing is counted, and nobody waits for it. */
static void
test_drops (void) {
  enum { N = 3000, N_LATER = 20 };
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (Recorder) recorder = recorder_new (log);
  guint64 n_dropped = 0, n_kept = 0, n_spans = 0, n_told = 0;
  gint64 last_ns = 0;
  TraceHonesty honesty;
  Probe probes[2];
  Event event;

  for (guint i = 0; i < 2; i++) {
    g_assert_true (probe_init (&probes[i], 256));
    recorder_add (recorder, &probes[i], (guint16)i);
  }
  probes[0].ring.drops = TRUE;
  probe_set_span_period (&probes[0], 1);
  probe_current = &probes[0];
  for (guint i = 0; i < N; i++) {
    probe_op_begin (OP_STORE, 1, i);
    probe_tell_stored (probe_current, 3, (i + 1) & ENTRY_VERSION_MASK, i);
    probe_op_end (OP_STORE, OP_PATH_OK, i, 0);
    n_told += 3;
    /* Then the stage is full when the ring has some room. */
    if (i == 30)
      probe_flush (&probes[0]);
  }
  probe_flush (&probes[0]);
  g_assert_cmpuint (probes[0].ring.n_stalls, ==, 0);
  probe_current = &probes[1];
  for (guint i = 0; i < N_LATER; i++, n_told++)
    probe_tell_stored (probe_current, 3, N + 1 + i, 7);
  probe_flush (&probes[1]);
  probe_current = NULL;
  recorder_start (recorder);
  g_assert_cmpuint (recorder_finish (recorder), ==, 0);

  for (guint64 i = 0; tracelog_get_event (log, i, &event); i++) {
    g_assert_cmpint (event.at_ns, >=, last_ns);
    last_ns = event.at_ns;
    if (event.kind == EVENT_DROPPED) {
      g_assert_cmpuint (event.thread, ==, 0);
      g_assert_cmpuint (event.a, <=, event.b);
      /* It was all dropped before the recorder's first round. */
      if (i == 0)
        g_assert_cmpuint (event.a, ==, 0);
      n_dropped += event.res;
      continue;
    }
    g_assert_cmpuint (n_dropped, >, 0);
    n_spans += event.kind != EVENT_ENTRY_STORED;
    n_kept++;
  }
  tracelog_get_honesty (log, &honesty);
  g_assert_cmpuint (n_dropped, >, 0);
  g_assert_cmpuint (honesty.n_dropped, ==, n_dropped);
  g_assert_cmpuint (n_kept + n_dropped, ==, n_told);
  /* What changes nothing went first. */
  g_assert_cmpuint (n_spans, <, (n_kept - N_LATER) * 2 / 3);
  for (guint i = 0; i < 2; i++)
    probe_clear (&probes[i]);
}

/* Stamps that were shared with what is gone are told anew: times stay true. */
static void
test_drops_keep_time (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (Recorder) recorder = recorder_new (log);
  guint64 stamp = clock_stamp (), n_dropped = 0, n_kept = 0;
  Probe probe;
  Event event;

  g_assert_true (probe_init (&probe, 256));
  probe.ring.drops = TRUE;
  recorder_add (recorder, &probe, 0);
  probe_current = &probe;
  /* Event i at 1000 i stamps; nine in ten change nothing. */
  for (guint i = 0; i < 2000; i++) {
    probe_set_stamp (&probe, stamp + i * 1000);
    probe_event (i % 10 == 0 ? EVENT_PHASE_BEGAN : EVENT_OP_TOLD, i, 0, 0, 0);
    if (i == 100)
      probe_flush (&probe);
  }
  probe_flush (&probe);
  probe_current = NULL;
  recorder_start (recorder);
  g_assert_cmpuint (recorder_finish (recorder), ==, 0);
  for (guint64 i = 0; tracelog_get_event (log, i, &event); i++) {
    if (event.kind == EVENT_DROPPED) {
      n_dropped += event.res;
      continue;
    }
    g_assert_cmpfloat (
        fabs ((double)event.at_ns - event.res * 1000 / clock_stamps_per_ns ()), <,
        4);
    n_kept++;
  }
  g_assert_cmpuint (n_dropped, >, 0);
  g_assert_cmpuint (n_kept, >, 100);
  g_assert_cmpuint (n_kept + n_dropped, ==, 2000);
  probe_clear (&probe);
}

/* A Load begins; its end and the begin of the next are dropped: the log says so
 * between what is left of the two, and counts every event that is gone once. */
static void
test_gap_stands_where_it_is (void) {
  enum { N = 1000 };
  const guint kinds[] = { EVENT_DROPPED, EVENT_OP_BEGAN, EVENT_OP_TOLD,
                          EVENT_DROPPED, EVENT_OP_ENDED };
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (Recorder) recorder = recorder_new (log);
  guint64 n_dropped = 0, n_kept = 0;
  guint at = 0;
  Probe probe;
  Event event;

  g_assert_true (probe_init (&probe, 256));
  probe.ring.drops = TRUE;
  probe_set_span_period (&probe, 1);
  recorder_add (recorder, &probe, 0);
  probe_current = &probe;
  probe_op_begin (OP_LOAD, 1, 0);
  for (guint i = 0; i < N; i++)
    probe_tell (&probe, EVENT_OP_TOLD, i, 0, OP_STORE, 0);
  probe_op_end (OP_LOAD, OP_PATH_OK, 1, 0);
  probe_op_begin (OP_LOAD, 2, 0);
  probe_flush (&probe);
  recorder_start (recorder);
  while (atomic_load (&probe.ring.head) != atomic_load (&probe.ring.tail))
    g_thread_yield ();
  probe_op_end (OP_LOAD, OP_PATH_OK, 2, 0);
  probe_flush (&probe);
  probe_current = NULL;
  g_assert_cmpuint (recorder_finish (recorder), ==, 0);
  for (guint64 i = 0; tracelog_get_event (log, i, &event); i++) {
    if (at == 0 || event.kind != kinds[at - 1])
      g_assert_cmpuint (event.kind, ==, kinds[at++]);
    if (event.kind != EVENT_DROPPED) {
      n_kept++;
      continue;
    }
    g_assert_cmpuint (event.a, <=, event.b);
    n_dropped += event.res;
  }
  g_assert_cmpuint (at, ==, G_N_ELEMENTS (kinds));
  g_assert_cmpuint (n_kept + n_dropped, ==, N + 4);
  probe_clear (&probe);
}

/* A thread that tells nothing, or has told something long ago, holds nobody up:
 * the recorder needs no sign of life from it. */
static void
test_idle_threads_delay_nobody (void) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = tracelog_new (info, 0);
  g_autoptr (Recorder) recorder = recorder_new (log);
  const gint64 deadline_us = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  Probe probes[3];

  for (guint i = 0; i < 3; i++) {
    g_assert_true (probe_init (&probes[i], 256));
    recorder_add (recorder, &probes[i], (guint16)i);
  }
  recorder_start (recorder);
  probe_current = &probes[1];
  probe_event (EVENT_PHASE_BEGAN, 0, 0, 0, 0);
  probe_flush (&probes[1]);
  probe_event (EVENT_PHASE_BEGAN, 0, 0, 0, 0); /* told, and never shown */
  probe_current = &probes[2];
  for (guint i = 0; i < 10; i++)
    probe_tell_stored (probe_current, 1, i + 1, i);
  probe_flush (&probes[2]);
  probe_current = NULL;
  while (tracelog_get_length (log) < 11
         && g_get_monotonic_time () < deadline_us)
    g_thread_yield ();
  g_assert_cmpuint (tracelog_get_length (log), ==, 11);
  g_assert_false (tracelog_is_finished (log));
  probe_flush (&probes[1]);
  g_assert_cmpuint (recorder_finish (recorder), ==, 0);
  g_assert_cmpuint (tracelog_get_length (log), ==, 12);
  for (guint i = 0; i < 3; i++)
    probe_clear (&probes[i]);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/recorder/gates", test_gates);
  g_test_add_func ("/core/recorder/ring-units", test_ring_units);
  g_test_add_func ("/core/recorder/two-threads", test_two_threads);
  g_test_add_func ("/core/recorder/many-threads", test_many_threads);
  g_test_add_func ("/core/recorder/full-ring", test_full_ring);
  g_test_add_func ("/core/recorder/drops-and-counts", test_drops);
  g_test_add_func ("/core/recorder/drops-keep-time", test_drops_keep_time);
  g_test_add_func ("/core/recorder/gap-stands-where-it-is",
                   test_gap_stands_where_it_is);
  g_test_add_func ("/core/recorder/idle-threads-delay-nobody",
                   test_idle_threads_delay_nobody);
  g_test_add_func ("/core/recorder/limit", test_limit);
  g_test_add_func ("/core/recorder/forced", test_forced);
  g_test_add_func ("/core/recorder/keeps-when-operations-were",
                   test_keeps_when_operations_were);
  return g_test_run ();
}
