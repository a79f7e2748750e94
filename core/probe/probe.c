/* SPDX-License-Identifier: GPL-3.0-or-later */

/* probe.c — how an engine tells its story
 *
 * Idea        Telling an event is filling 16 bytes in the thread's own ring. All
 *             that is dear is shared: one reading of the clock by the events of
 *             an operation, one publishing store by PROBE_PUBLISH_BATCH units,
 *             one OPS_COUNTED by PROBE_COUNT_WINDOW operations that changed
 *             nothing worth a span.
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
 *             A Range's callback may use the map: operations then nest, and
 *             outer_spans remembers which of those around are spans.
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

static void
publish (Probe *probe) {
  ring_publish (&probe->ring);
  probe->published = probe->ring.written;
}

/* Puts one event, and @payload when there is one, behind the others. */
static inline void
put (Probe             *probe,
     const RingEvent   *event,
     const RingPayload *payload) {
  Ring *ring = &probe->ring;
  size_t n_units = payload != NULL ? 2 : 1;

  if (__builtin_expect (
        ring->written + n_units - ring->seen_head > ring->mask + 1, 0))
    ring_wait_room (ring, n_units);
  ring->units[ring->written & ring->mask].event = *event;
  if (payload != NULL)
    ring->units[(ring->written + 1) & ring->mask].payload = *payload;
  ring->written += n_units;
  if (__builtin_expect (
        ring->written - probe->published >= PROBE_PUBLISH_BATCH, 0))
    publish (probe);
}

/* Tells the stamp in full. */
static void
put_time (Probe    *probe,
          uint64_t  stamp) {
  RingEvent event = { .kind = EVENT_TIME | EVENT_HAS_PAYLOAD };
  RingPayload payload = { .a = stamp };

  put (probe, &event, &payload);
  probe->last_stamp = stamp;
}

/* The dt of an event told now; reads the clock when the operation has not. */
static inline uint32_t
step_time (Probe *probe) {
  uint64_t elapsed;

  if (probe->op_stamp == 0)
    probe->op_stamp = clock_stamp ();
  if (probe->op_stamp <= probe->last_stamp)
    return 0;
  elapsed = probe->op_stamp - probe->last_stamp;
  if (__builtin_expect (probe->last_stamp == 0 || elapsed > UINT32_MAX, 0)) {
    put_time (probe, probe->op_stamp);
    return 0;
  }
  probe->last_stamp = probe->op_stamp;
  return (uint32_t)elapsed;
}

void
probe_tell (Probe    *probe,
            EventKind kind,
            uint32_t  res,
            uint32_t  ver,
            uint8_t   aux8,
            uint16_t  aux16) {
  RingEvent event = {
    .dt = step_time (probe),
    .res = res,
    .ver = ver,
    .kind = (uint8_t)kind,
    .aux8 = aux8,
    .aux16 = aux16,
  };

  put (probe, &event, NULL);
}

void
probe_tell_more (Probe    *probe,
                 EventKind kind,
                 uint32_t  res,
                 uint32_t  ver,
                 uint8_t   aux8,
                 uint16_t  aux16,
                 uint64_t  a,
                 uint64_t  b) {
  RingEvent event = {
    .dt = step_time (probe),
    .res = res,
    .ver = ver,
    .kind = (uint8_t)(kind | EVENT_HAS_PAYLOAD),
    .aux8 = aux8,
    .aux16 = aux16,
  };
  RingPayload payload = { a, b };

  put (probe, &event, &payload);
}

void
probe_begin_span (Probe    *probe,
                  OpKind    op,
                  uint64_t  key,
                  uint64_t  value) {
  probe->is_span = true;
  probe_set_span_period (probe, probe->span_period);
  probe_tell_more (probe, EVENT_OP_BEGAN, 0, 0, (uint8_t)op, 0, key, value);
}

void
probe_end_span (Probe    *probe,
                OpKind    op,
                unsigned  path,
                uint64_t  value,
                uint64_t  old) {
  probe->op_stamp = clock_stamp ();
  probe_tell_more (probe, EVENT_OP_ENDED, 0, 0, (uint8_t)op, (uint16_t)path,
                   value, old);
  /* At teaching pace somebody watches each operation end. */
  if (probe->span_period == 1)
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
                     0, count.n_in_read, 0);
  }
  probe->n_uncounted = 0;
}

void
probe_flush (Probe *probe) {
  if (probe == NULL)
    return;
  if (probe->n_uncounted != 0)
    tell_counts (probe);
  if (probe->span_countdown == 0
      || probe->span_countdown - 1 >= probe->span_period)
    probe_set_span_period (probe, probe->span_period);
  publish (probe);
}
