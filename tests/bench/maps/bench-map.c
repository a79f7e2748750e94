/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-map.c — the rows of rows.h on an engine of ours
 *
 *   bench-map ENGINE[.class][:RECORDING] --list | ROW [THREADS [OPERATIONS]]
 *
 * RECORDING   off         nobody listens (the default)
 *             structural  each change of state is told; operations are counted
 *             brief       and each operation is told in one event, with its key
 *             spans       and each operation is told with its result and its two
 *                         ends, fenced: a run that can be judged
 *             with a recorder that merges and packs meanwhile, as in the window;
 *             structural-alone, brief-alone and spans-alone: into rings that
 *             nobody reads (bench-alone.c), which shows what telling costs by
 *             itself. A program built without probes answers to "out" only.
 *
 * Calls       to syncmap are compiled into the row, through a lane, as those of
 *             the C and C++ peers are (bench-map-lane.c); "syncmap.class", and any
 *             other engine, is called through its class (bench-map-class.c), as
 *             the window's workers do. What that costs is thus shown.
 */
#include "tests/bench/maps/bench-map.h"

#include "core/engine/syncmap.h"
#include "core/probe/probe.h"
#ifndef TOPHASH_NO_PROBE
#include "core/record/recorder.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum {
  RECORDING_OUT,
  RECORDING_OFF,
  RECORDING_STRUCTURAL,
  RECORDING_BRIEF,
  RECORDING_SPANS,
} Recording;

static const char *const recording_names[] = { "out", "off", "structural", "brief",
                                               "spans" };
#define ALONE_SUFFIX "-alone"
/* Of recorded threads. */
#define MAX_PROBES 16
const EngineClass *bench_class;
static Recording bench_recording;
static bool bench_wants_alone;
char bench_name[64];

#ifndef TOPHASH_NO_PROBE
/* What a thread has told so far. */
typedef struct {
  uint64_t n_units;
  uint64_t stalled_ns;
} Told;
#endif

struct _Peer {
  MapEngine *map;
#ifndef TOPHASH_NO_PROBE
  TraceLog  *log;
  Recorder  *recorder; /* NULL: nobody reads */
  bool       is_recorded;
  unsigned   n_probes;
  Probe      probes[MAX_PROBES];
  Told       before[MAX_PROBES]; /* the row, and … */
  Told       after[MAX_PROBES];
#endif
};

#ifndef TOPHASH_NO_PROBE

static void
start_recorder (Peer *peer) {
  g_autoptr (TraceInfo) info = trace_info_new ();

  peer->log = tracelog_new (info, 0);
  peer->recorder = recorder_new (peer->log);
  for (unsigned i = 0; i < peer->n_probes; i++)
    recorder_add (peer->recorder, &peer->probes[i], (guint16)i);
  recorder_start (peer->recorder);
}

static void
start_recording (Peer    *peer,
                 unsigned n_threads) {
  if (n_threads > MAX_PROBES) {
    fprintf (stderr, "wanted at most %u recorded threads, found %u\n",
             MAX_PROBES, n_threads);
    exit (2);
  }
  peer->is_recorded = true;
  peer->n_probes = n_threads;
  for (unsigned i = 0; i < n_threads; i++) {
    if (!probe_init (&peer->probes[i], recorder_ring_units (n_threads)))
      abort ();
    peer->probes[i].tells_brief = bench_recording == RECORDING_BRIEF;
    probe_set_span_period (&peer->probes[i],
                           bench_recording == RECORDING_SPANS ? 1 : 0);
  }
  if (!bench_wants_alone) {
    start_recorder (peer);
  } else if (!bench_is_alone (&peer->probes[0])) {
    fprintf (stderr, "built by a linker that does not know --wrap\n");
    exit (2);
  }
  /* The map's creation is told by a thread that is recorded. */
  probe_current = &peer->probes[0];
}

static void
stop_recording (Peer *peer) {
  TraceHonesty honesty;

  if (peer->recorder != NULL) {
    recorder_finish (peer->recorder);
    tracelog_get_honesty (peer->log, &honesty);
    fprintf (stderr,
             "# %llu events, %llu bytes, %llu stalls, %.1f ms stalled\n",
             (unsigned long long)honesty.n_events,
             (unsigned long long)honesty.bytes,
             (unsigned long long)honesty.n_stalls,
             (double)honesty.stalled_ns / 1e6);
    recorder_free (peer->recorder);
    tracelog_unref (peer->log);
  }
  for (unsigned i = 0; i < peer->n_probes; i++)
    probe_clear (&peer->probes[i]);
}

#endif

Peer *
bench_peer_new (unsigned n_threads,
          uint64_t n_keys) {
  EngineConfig config = { .hash = { .kind = HASH_GOOD }, .seed = 1 };
  Peer *peer = calloc (1, sizeof *peer);

  if (peer == NULL)
    return NULL;
#ifndef TOPHASH_NO_PROBE
  if (bench_recording >= RECORDING_STRUCTURAL)
    start_recording (peer, n_threads);
#endif
  peer->map = engine_new (bench_class, &config);
#ifndef TOPHASH_NO_PROBE
  probe_flush (probe_current);
  probe_current = NULL;
#endif
  return peer->map != NULL ? peer : NULL;
}

void
bench_peer_free (Peer *peer) {
#ifndef TOPHASH_NO_PROBE
  if (peer->is_recorded)
    stop_recording (peer);
#endif
  engine_free (peer->map);
  free (peer);
}

void
bench_peer_enter (Peer       *peer,
            PeerThread *thread,
            unsigned    index) {
  thread->peer = peer;
  thread->index = index;
  thread->map = peer->map;
#ifndef TOPHASH_NO_PROBE
  if (peer->is_recorded)
    probe_current = &peer->probes[index];
#endif
  if (!engine_enter_thread (peer->map, &thread->engine, (uint16_t)index))
    abort ();
}

void
bench_peer_leave (PeerThread *thread) {
  engine_leave_thread (&thread->engine);
#ifndef TOPHASH_NO_PROBE
  probe_flush (probe_current);
  probe_current = NULL;
#endif
}

void
bench_peer_wait (PeerThread *thread) {
#ifndef TOPHASH_NO_PROBE
  Peer *peer = thread->peer;
  const Ring *ring = &peer->probes[thread->index].ring;
  Told *told = thread->is_prepared ? peer->after : peer->before;

  if (!peer->is_recorded)
    return;
  /* A recorder may need what a thread has told but not shown. */
  probe_flush (probe_current);
  told[thread->index] = (Told){
    .n_units = ring->written,
    /* Relaxed: this thread writes it. */
    .stalled_ns = atomic_load_explicit (&ring->stalled_ns, memory_order_relaxed),
  };
  thread->is_prepared = true;
#else
  (void)thread;
#endif
}

void
bench_peer_print (const Peer *peer) {
#ifndef TOPHASH_NO_PROBE
  Told sum = { 0 };

  if (!peer->is_recorded)
    return;
  for (unsigned i = 0; i < peer->n_probes; i++) {
    sum.n_units += peer->after[i].n_units - peer->before[i].n_units;
    sum.stalled_ns += peer->after[i].stalled_ns - peer->before[i].stalled_ns;
  }
  printf (", \"units\": %llu, \"stalled_ns\": %llu",
          (unsigned long long)sum.n_units, (unsigned long long)sum.stalled_ns);
#else
  (void)peer;
#endif
}

static bool
parse_recording (const char *name) {
#ifdef TOPHASH_NO_PROBE
  bench_recording = RECORDING_OUT;
  return name == NULL || strcmp (name, recording_names[RECORDING_OUT]) == 0;
#else
  bench_recording = RECORDING_OFF;
  if (name == NULL)
    return true;
  for (int i = RECORDING_OFF; i <= RECORDING_SPANS; i++) {
    size_t length = strlen (recording_names[i]);

    if (strncmp (name, recording_names[i], length) != 0)
      continue;
    bench_recording = (Recording)i;
    bench_wants_alone = i > RECORDING_OFF
                        && strcmp (name + length, ALONE_SUFFIX) == 0;
    return name[length] == '\0' || bench_wants_alone;
  }
  return false;
#endif
}

int
main (int    argc,
      char **argv) {
  char *colon, *dot;

  if (argc < 3) {
    fprintf (stderr, "usage: %s ENGINE[.class][:off|structural|brief|spans[-alone]] "
                     "--list | ROW [THREADS [OPERATIONS]]\n", argv[0]);
    return 2;
  }
  colon = strchr (argv[1], ':');
  if (colon != NULL)
    *colon++ = '\0';
  dot = strchr (argv[1], '.');
  if (dot != NULL)
    *dot++ = '\0';
  bench_class = engine_class_find (argv[1]);
  if (bench_class == NULL || !parse_recording (colon)
      || (dot != NULL && strcmp (dot, "class") != 0)) {
    fprintf (stderr, "%s: no such engine or recording: %s%s%s\n", argv[0],
             argv[1], colon != NULL ? ":" : "", colon != NULL ? colon : "");
    return 2;
  }
  snprintf (bench_name, sizeof bench_name, "%s%s:%s%s", bench_class->name,
            dot != NULL ? ".class" : "", recording_names[bench_recording],
            bench_wants_alone ? ALONE_SUFFIX : "");
  if (bench_class == &syncmap_class && dot == NULL)
    return bench_by_lane (argc - 1, argv + 1);
  return bench_by_class (argc - 1, argv + 1);
}
