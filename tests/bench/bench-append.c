/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-append.c — what telling one event costs the thread that tells it
 *
 * Prints one JSON object. One thread tells events of 16 bytes as fast as it can,
 * sharing stamps as engines do; time of that thread without and with its waits
 * for room, best of N_REPEATS that take turns, so that a machine that is slow for
 * a while is so for all:
 *
 *   floor     no probe: bare stores of 16 bytes that pass the caches by, into the
 *             same ring, shown in the same batches to a thread that reads all of
 *             it: what the machine asks for bytes that another core reads
 *   staged    the same, by way of a stage of 4 KB: what is left to a probe that
 *             may be in the middle of a CAS when it tells
 *   alone     nobody else runs: the teller gives its own room back, every 512
 *             events
 *   drained   another thread reads all that is told and throws it away
 *   stamped   drained, and every event reads the clock
 *   recorded  the recorder merges and packs it: its speed, when that is less
 */
#include "core/record/recorder.h"
#include "tests/bench/bench-drain.h"

#include <stdio.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define N_EVENTS 20000000u
#define N_RECORDED 4000000u
#define N_REPEATS 5

typedef struct {
  const char *name;
  void      (*tell) (unsigned n);
  unsigned    n;
  bool        is_drained;
  double      best_told, best; /* ns an event: without waits, with them */
} Way;

/* Bare stores ---------------------------------------------------------------- */

static inline void
put_bare (RingUnit *unit,
          uint64_t  low,
          uint64_t  high) {
#ifdef __SSE2__
  _mm_stream_si128 ((__m128i *)(void *)unit,
                    _mm_set_epi64x ((long long)high, (long long)low));
#else
  unit->payload = (RingPayload){ low, high };
#endif
}

/* What was stored is shown one batch later, as the ring does. */
static void
show_bare (Ring    *ring,
           uint64_t until) {
#ifdef __SSE2__
  _mm_sfence ();
#endif
  atomic_store_explicit (&ring->tail, until, memory_order_release);
}

/* Acquire: as in wait_room(), ring.c. */
static bool
has_room_bare (Ring     *ring,
               uint64_t  at) {
  ring->seen_head = atomic_load_explicit (&ring->head, memory_order_acquire);
  return at + RING_STAGE - ring->seen_head <= ring->mask + 1;
}

static void
wait_bare (Ring     *ring,
           uint64_t  at) {
  int64_t began_ns;

  if (at + RING_STAGE - ring->seen_head <= ring->mask + 1
      || has_room_bare (ring, at))
    return;
  began_ns = clock_now_ns ();
  while (!has_room_bare (ring, at))
    continue;
  atomic_fetch_add_explicit (&ring->stalled_ns,
                             (uint64_t)(clock_now_ns () - began_ns),
                             memory_order_relaxed);
}

static void
store_bare (unsigned n) {
  Ring *ring = &probe_current->ring;

  for (uint64_t at = 0; at < n; at += RING_STAGE) {
    RingUnit *units = &ring->units[at & ring->mask];

    show_bare (ring, at);
    wait_bare (ring, at);
    for (unsigned i = 0; i < RING_STAGE; i++)
      put_bare (&units[i], at + i, (uint64_t)EVENT_OP_TOLD << RING_KIND_SHIFT);
  }
  show_bare (ring, (n + RING_STAGE - 1) / RING_STAGE * RING_STAGE);
}

static void
store_staged (unsigned n) {
  Ring *ring = &probe_current->ring;

  for (uint64_t at = 0; at < n; at += RING_STAGE) {
    RingUnit *units = &ring->units[at & ring->mask];

    for (unsigned i = 0; i < RING_STAGE; i++)
      probe_write_halves (ring_place (ring, i), at + i,
                          (uint64_t)EVENT_OP_TOLD << RING_KIND_SHIFT);
    show_bare (ring, at);
    wait_bare (ring, at);
    for (unsigned i = 0; i < RING_STAGE; i++)
      put_bare (&units[i], ring_place (ring, i)->payload.a,
                ring_place (ring, i)->payload.b);
  }
  show_bare (ring, (n + RING_STAGE - 1) / RING_STAGE * RING_STAGE);
}

/* Probes --------------------------------------------------------------------- */

/* A key that the compiler cannot foresee, as an operation's. */
static inline uint64_t
key_of (uint64_t i) {
  __asm__ ("" : "+r" (i));
  return i;
}

/* The thread's pointer is looked up once, as in a lane of operations. */
static void
tell_events (unsigned n) {
  Probe *probe = probe_current;

  for (unsigned i = 0; i < n; i++)
    probe_tell_brief (probe, OP_LOAD, OP_PATH_OK, key_of (i));
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
    probe_tell_brief (probe, OP_LOAD, OP_PATH_OK, key_of (i));
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
bench_way (Way *way) {
  double stalled_ns;
  double ns = time_once (way->tell, way->n, way->is_drained, &stalled_ns);

  if (way->best == 0 || ns < way->best)
    way->best = ns;
  if (way->best_told == 0 || ns - stalled_ns < way->best_told)
    way->best_told = ns - stalled_ns;
}

static void
bench_telling (void) {
  Way ways[] = {
    { "floor", store_bare, N_EVENTS, true, 0, 0 },
    { "staged", store_staged, N_EVENTS, true, 0, 0 },
    { "alone", tell_alone, N_EVENTS, false, 0, 0 },
    { "drained", tell_events, N_EVENTS, true, 0, 0 },
    { "stamped", tell_stamped, N_EVENTS / 4, true, 0, 0 },
  };

  for (unsigned i = 0; i < N_REPEATS; i++)
    for (unsigned k = 0; k < G_N_ELEMENTS (ways); k++)
      bench_way (&ways[k]);
  for (unsigned k = 0; k < G_N_ELEMENTS (ways); k++)
    printf ("  \"%s_told_ns_per_event\": %.2f,\n"
            "  \"%s_ns_per_event\": %.2f,\n",
            ways[k].name, ways[k].best_told, ways[k].name, ways[k].best);
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
  bench_telling ();
  bench_recorded ();
  printf ("  \"events\": %u\n}\n", N_EVENTS);
  return 0;
}
