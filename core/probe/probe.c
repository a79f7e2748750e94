/* SPDX-License-Identifier: GPL-3.0-or-later */

/* probe.c — how an engine tells its story
 *
 * Idea        Telling an event is filling 16 bytes in the thread's own ring. All
 *             that is dear is shared: one reading of the clock by a run of
 *             events, one publishing store by PROBE_PUBLISH_BATCH units, one
 *             OPS_COUNTED by PROBE_COUNT_WINDOW operations that changed nothing
 *             worth a span. All of it happens in probe_open(); what is in line
 *             in probe.h only compares and stores.
 *
 * Time        An event carries the stamps since the thread's previous event, in
 *             32 bits. The first event of a probe, and one that comes after a
 *             longer silence, is preceded by EVENT_TIME with the full stamp. A
 *             clock that seems to step back (a thread that moved to another
 *             core) gives 0: time stands still until the clock catches up, so
 *             that the sum of all dt is always the last event's stamp.
 *
 * Spans       span_countdown is set to span_period when a span begins, and each
 *             operation takes one off: the one that finds 1 is the next span.
 *             With span_period 0 it stays near UINT32_MAX: every flush, which
 *             comes at the latest after PROBE_COUNT_WINDOW counted operations,
 *             winds it up again. A flush also takes up a period that was
 *             changed without probe_set_span_period().
 *             The stamps of a span's two ends are fenced (clock.h): whoever
 *             judges a run needs to know that the operation happened between
 *             them. Those of other events are for display.
 *             A Range's callback may use the map, and is the only way in which
 *             operations nest: Ranges keep their spans on a stack of bits, so
 *             that the others, which are all the traffic, need none.
 *
 * Invariants  P1  an event and its payload are published together
 *             P2  last_stamp never decreases, and equals what a reader computes
 *                 from EVENT_TIME and dt
 *             P3  n_uncounted is the sum of n over counts
 *             P4  after probe_flush() everything told can be seen by the
 *                 recorder and P3's sum is 0
 *
 * Threads     A probe belongs to one thread. Only its ring is shared, with the
 *             recorder: see ring.c.
 */
#include "core/probe/probe.h"

#include <string.h>

_Thread_local Probe *probe_current;

bool
probe_init (Probe  *probe,
            size_t  ring_units) {
  memset (probe, 0, sizeof *probe);
  probe->span_countdown = UINT32_MAX;
  return ring_init (&probe->ring, ring_units);
}

void
probe_clear (Probe *probe) {
  ring_clear (&probe->ring);
}

/* Tells the next event's stamp in full. */
static void
tell_time (Probe *probe) {
  Ring *ring = &probe->ring;

  ring_wait_room (ring, 2);
  ring_place (ring, ring->written)->event
      = (RingEvent){ .kind = EVENT_TIME | EVENT_HAS_PAYLOAD };
  ring_place (ring, ring->written + 1)->payload
      = (RingPayload){ .a = probe->op_stamp,
                       /* Relaxed: the owner's own. */
                       .b = atomic_load_explicit (&ring->n_dropped,
                                                  memory_order_relaxed) };
  probe->last_stamp = probe->op_stamp;
  ring->written += 2;
}

/* The dt of an event told now; reads the clock when no stamp was set. */
static uint32_t
step_time (Probe *probe) {
  uint64_t elapsed;

  if (probe->op_stamp == 0)
    probe->op_stamp = clock_stamp ();
  if (probe->op_stamp <= probe->last_stamp)
    return 0;
  elapsed = probe->op_stamp - probe->last_stamp;
  if (__builtin_expect (probe->last_stamp == 0 || elapsed > UINT32_MAX, 0)) {
    tell_time (probe);
    return 0;
  }
  probe->last_stamp = probe->op_stamp;
  return (uint32_t)elapsed;
}

static void
wind_up (Probe *probe) {
  if (probe->span_countdown == 0
      || probe->span_countdown - 1 >= probe->span_period)
    probe_set_span_period (probe, probe->span_period);
}

uint32_t
probe_open (Probe  *probe,
            size_t  n_units) {
  Ring *ring = &probe->ring;
  uint32_t dt = 0;
  uint64_t until;

  if (ring->written + n_units > probe->stamp_until) {
    dt = step_time (probe);
    probe->op_stamp = 0;
    probe->stamp_until = ring->written + PROBE_STAMP_UNITS;
  }
  until = ring->copied + RING_STAGE;
  if (ring->written + n_units > until) {
    wind_up (probe);
    ring_advance (ring);
    until = ring->copied + RING_STAGE;
  }
  if (__builtin_expect (ring->has_dropped, 0)) {
    /* The stage is empty but for what a full time takes. */
    ring->has_dropped = false;
    probe->op_stamp = probe->last_stamp;
    tell_time (probe);
    probe->op_stamp = 0;
    dt = 0;
  }
  until = until < probe->stamp_until ? until : probe->stamp_until;
  probe->open_until = probe->n_cas_retries == 0 ? until : 0;
  return dt;
}

void
probe_open_brief (Probe    *probe,
                  OpKind    op,
                  unsigned  path,
                  uint64_t  key) {
  uint32_t n_retries = probe->n_cas_retries;

  probe->n_cas_retries = 0;
  if (n_retries == 0)
    probe_tell (probe, EVENT_OP_TOLD, (uint32_t)key, (uint32_t)(key >> 32),
                (uint8_t)op, (uint16_t)path);
  else
    probe_tell_more (probe, EVENT_OP_TOLD, (uint32_t)key, (uint32_t)(key >> 32),
                     (uint8_t)op, (uint16_t)path, n_retries, 0);
}

void
probe_begin_span (Probe    *probe,
                  OpKind    op,
                  uint64_t  key,
                  uint64_t  value) {
  if (op == OP_RANGE)
    probe->range_spans |= 1;
  else
    probe->is_span = true;
  probe_set_span_period (probe, probe->span_period);
  probe_set_stamp (probe, clock_stamp_before ());
  probe_tell_more (probe, EVENT_OP_BEGAN, 0, 0, (uint8_t)op, 0, key, value);
}

void
probe_end_span (Probe    *probe,
                OpKind    op,
                unsigned  path,
                uint64_t  value,
                uint64_t  old) {
  if (op != OP_RANGE)
    probe->is_span = false;
  probe_set_stamp (probe, clock_stamp_after ());
  probe_tell_more (probe, EVENT_OP_ENDED, probe->n_cas_retries, 0, (uint8_t)op,
                   (uint16_t)path, value, old);
  probe->n_cas_retries = 0;
  /* At teaching pace somebody watches each operation end. */
  if (probe->span_period == 1 && probe->is_fine)
    probe_flush (probe);
}

/* OPS_COUNTED for each operation kind that has a count. */
static void
tell_counts (Probe *probe) {
  for (unsigned op = 0; op < OP_N_KINDS; op++) {
    ProbeCount count = probe->counts[op];

    if (count.n == 0)
      continue;
    probe->counts[op] = (ProbeCount){ 0 };
    probe_tell_more (probe, EVENT_OPS_COUNTED, count.n, count.n_ok, (uint8_t)op,
                     0, count.n_in_read, count.n_cas_retries);
  }
  probe->n_uncounted = 0;
}

void
probe_end_count (Probe *probe) {
  probe_new_stamp (probe);
  if (probe->n_uncounted >= PROBE_COUNT_WINDOW)
    probe_flush (probe);
}

void
probe_flush (Probe *probe) {
  if (probe == NULL)
    return;
  if (probe->n_uncounted != 0)
    tell_counts (probe);
  wind_up (probe);
  ring_publish (&probe->ring);
  probe_new_stamp (probe);
}
