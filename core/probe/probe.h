/* SPDX-License-Identifier: GPL-3.0-or-later */

/* probe.h — how an engine tells its story
 *
 * An engine calls the functions below at each change of state. They cost one
 * predicted branch when nobody listens: probe_current is a thread-local pointer
 * (initial-exec), NULL when the thread is not recorded.
 *
 * Clock       Reading it costs nine times what an event does, so it is read once
 *             for a run of events, which share the stamp: those of up to
 *             PROBE_STAMP_UNITS units, as long as the thread does not flush, has
 *             counted fewer than PROBE_STAMP_OPS operations meanwhile, and
 *             nothing asks for a stamp of its own (probe_restamp()). An event's
 *             stamp is therefore never late, and early by at most the time in
 *             which the thread did that much; what orders events is versions
 *             (event.h), so order stays exact. At teaching pace nothing is
 *             shared beyond an operation. The two ends of a span have stamps of
 *             their own that never narrow it: see clock_stamp_before().
 * Sampling    Changes of state are always told. Operations are told as spans
 *             (OP_BEGAN … OP_ENDED) when their turn comes: every one at
 *             teaching pace (span_period 1), one in span_period otherwise; the
 *             others are counted exactly in OPS_COUNTED or, when tells_brief is
 *             set, told by one event each, OP_TOLD, without result and end.
 *             A Range tells what it walks, bucket by bucket, as a span or where
 *             iterations are told in full; any other tells that it began and
 *             ended, which is known without looking at each pair.
 * Window      What an event has to look at before it is written (is there room,
 *             is a batch full, does the stamp still hold) is put together into
 *             one bound, open_until: a unit below it is simply written. In line,
 *             that is a compare, a store of 16 bytes and an addition.
 * Waiting     A thread publishes before it waits for anything (a lock, room in
 *             the ring, its next turn): see probe_flush(). Otherwise the
 *             recorder could wait for an event that its writer cannot show.
 */
#pragma once

#include "core/base/clock.h"
#include "core/probe/event.h"
#include "core/probe/ring.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint32_t n;
  uint32_t n_ok;
  uint32_t n_in_read;
  uint32_t n_cas_retries;
} ProbeCount;

typedef struct {
  Ring      ring;
  uint64_t  open_until;     /* units below it may be written without a look:
                             * see probe_open(); 0 = the next event looks */
  uint64_t  stamp_until;    /* units below it share the last stamp */
  uint64_t  last_stamp;     /* of the previous event */
  uint64_t  op_stamp;       /* of the next event that looks; 0 = to be read */
  uint64_t  op_key;         /* of the operation under way */
  uint32_t  span_period;    /* 1 = every operation is a span; 0 = none is */
  uint32_t  span_countdown;
  bool      is_span;        /* the operation under way (no Range) is a span */
  uint64_t  range_spans;    /* the same for the Ranges under way, the innermost
                             * in bit 0: their callbacks may use the map */
  bool      is_fine;        /* iterations tell each slot, not each bucket */
  bool      tells_yields;   /* a Range that is a span tells each pair it gives,
                             * and every snapshot does */
  bool      tells_brief;    /* an operation that is no span is told by OP_TOLD
                             * instead of being counted */
  uint32_t  n_uncounted;    /* operations in counts, not yet told */
  uint32_t  n_cas_retries;  /* of the operation under way */
  ProbeCount counts[OP_N_KINDS];
} Probe;

/* Operations counted before OPS_COUNTED is told, at the latest. */
#define PROBE_COUNT_WINDOW 4096u
/* Units written before they are published, at the latest. */
#define PROBE_PUBLISH_BATCH RING_STAGE
/* Units, and operations counted, that may share a stamp. Measured: reading the clock
 * for every 64 units is a tenth of what telling an event costs. */
#define PROBE_STAMP_UNITS 128u
#define PROBE_STAMP_OPS 256u

#ifdef TOPHASH_NO_PROBE
/* For measuring what a listener that is not there costs: nothing is told. */
#define probe_current ((Probe *)NULL)
#else
extern _Thread_local Probe *probe_current
    __attribute__ ((tls_model ("initial-exec")));
#endif

/* @ring_units: a power of two. false when there is no memory. */
bool probe_init  (Probe  *probe,
                  size_t  ring_units);
void probe_clear (Probe  *probe);

/* Tells what was counted, then publishes everything. NULL is allowed. */
void probe_flush (Probe  *probe);

/* The owner, between operations: how many operations to one span from now on. */
static inline void
probe_set_span_period (Probe    *probe,
                       uint32_t  span_period) {
  probe->span_period = span_period;
  probe->span_countdown = span_period != 0 ? span_period : UINT32_MAX;
}

/* The owner, between operations: the next one is a span, out of its turn. */
static inline void
probe_make_span (Probe *probe) {
  if (probe->span_period != 0)
    probe->span_countdown = 1;
}

/* The next event's stamp is @stamp; 0: it reads the clock. */
static inline void
probe_set_stamp (Probe    *probe,
                 uint64_t  stamp) {
  probe->op_stamp = stamp;
  probe->stamp_until = 0;
  probe->open_until = 0;
}

/* The next event reads the clock: for events outside operations. */
static inline void
probe_new_stamp (Probe *probe) {
  probe_set_stamp (probe, 0);
}

/* Telling ------------------------------------------------------------------ */

/* The look before an event of @n_units that does not lie below open_until: reads
 * the clock, publishes and waits for room, each if it must. Returns the dt of
 * the event. */
uint32_t probe_open (Probe  *probe,
                     size_t  n_units);

/* Fills a unit at once: an event put together in smaller parts elsewhere and
 * copied would stall the processor. @low, @high: its halves as numbers. */
static inline void
probe_write_halves (RingUnit *unit,
                    uint64_t  low,
                    uint64_t  high) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  unit->bits = (RingBits)(RingHalves){ low, high };
#else
  unit->event = (RingEvent){ (uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high,
                             (uint16_t)(high >> 32), (uint8_t)(high >> 48),
                             (uint8_t)(high >> RING_KIND_SHIFT) };
#endif
}

static inline void
probe_write (RingUnit *unit,
             uint32_t  dt,
             uint32_t  res,
             uint32_t  ver,
             unsigned  kind,
             uint8_t   aux8,
             uint16_t  aux16) {
  probe_write_halves (unit, res | (uint64_t)dt << 32,
                      ver | (uint64_t)aux16 << 32 | (uint64_t)aux8 << 48
                          | (uint64_t)kind << RING_KIND_SHIFT);
}

/* An event without payload, of a thread that is recorded. */
static inline void
probe_tell (Probe    *probe,
            EventKind kind,
            uint32_t  res,
            uint32_t  ver,
            uint8_t   aux8,
            uint16_t  aux16) {
  Ring *ring = &probe->ring;
  uint32_t dt = 0;

  if (__builtin_expect (ring->written >= probe->open_until, 0))
    dt = probe_open (probe, 1);
  probe_write (ring_place (ring, ring->written), dt, res, ver, kind, aux8, aux16);
  ring->written++;
}

/* An event with payload. */
static inline void
probe_tell_more (Probe    *probe,
                 EventKind kind,
                 uint32_t  res,
                 uint32_t  ver,
                 uint8_t   aux8,
                 uint16_t  aux16,
                 uint64_t  a,
                 uint64_t  b) {
  Ring *ring = &probe->ring;
  uint32_t dt = 0;

  if (__builtin_expect (ring->written + 1 >= probe->open_until, 0))
    dt = probe_open (probe, 2);
  probe_write (ring_place (ring, ring->written), dt, res, ver,
               kind | EVENT_HAS_PAYLOAD, aux8, aux16);
  ring_place (ring, ring->written + 1)->bits = (RingBits)(RingHalves){ a, b };
  ring->written += 2;
}

/* The same where a look is due: at what is left of the window, or at retries. */
void probe_open_brief (Probe    *probe,
                       OpKind    op,
                       unsigned  path,
                       uint64_t  key);

/* An operation that is over, in one event. With tells_brief, whatever ends an
 * operation that is no span calls this instead of counting it. */
static inline void
probe_tell_brief (Probe   *probe,
                  OpKind   op,
                  unsigned path,
                  uint64_t key) {
  Ring *ring = &probe->ring;

  if (__builtin_expect (ring->written >= probe->open_until, 0)) {
    probe_open_brief (probe, op, path, key);
    return;
  }
  probe_write (ring_place (ring, ring->written), 0, (uint32_t)key,
               (uint32_t)(key >> 32), EVENT_OP_TOLD, (uint8_t)op,
               (uint16_t)path);
  ring->written++;
}

/* The slow parts of the functions below. */
void probe_begin_span (Probe    *probe,
                       OpKind    op,
                       uint64_t  key,
                       uint64_t  value);
void probe_end_span   (Probe    *probe,
                       OpKind    op,
                       unsigned  path,
                       uint64_t  value,
                       uint64_t  old);

/* An event without payload. */
static inline void
probe_event (EventKind kind,
             uint32_t  res,
             uint32_t  ver,
             uint8_t   aux8,
             uint16_t  aux16) {
  Probe *probe = probe_current;

  if (__builtin_expect (probe != NULL, 0))
    probe_tell (probe, kind, res, ver, aux8, aux16);
}

/* An event with payload. */
static inline void
probe_event_more (EventKind kind,
                  uint32_t  res,
                  uint32_t  ver,
                  uint8_t   aux8,
                  uint16_t  aux16,
                  uint64_t  a,
                  uint64_t  b) {
  Probe *probe = probe_current;

  if (__builtin_expect (probe != NULL, 0))
    probe_tell_more (probe, kind, res, ver, aux8, aux16, a, b);
}

/* A value stored in an entry; of a small one without payload, as event.h says. */
static inline void
probe_tell_stored (Probe    *probe,
                   uint32_t  entry,
                   uint32_t  ver,
                   int64_t   value) {
  if (__builtin_expect (ring_value_fits (value), 1))
    probe_tell (probe, EVENT_ENTRY_STORED, entry,
                ver | (uint32_t)value << ENTRY_VERSION_BITS,
                (uint8_t)(value >> (RING_VALUE_VER_BITS + 16)),
                (uint16_t)(value >> RING_VALUE_VER_BITS));
  else
    probe_tell_more (probe, EVENT_ENTRY_STORED, entry, ver, 0, 0,
                     (uint64_t)value, 0);
}

/* An event whose payload says how long something took: without it when nothing
 * was measured. */
static inline void
probe_event_when (EventKind kind,
                  uint32_t  res,
                  uint32_t  ver,
                  uint8_t   aux8,
                  uint16_t  aux16,
                  uint64_t  a,
                  uint64_t  b) {
  if (__builtin_expect ((a | b) != 0, 0))
    probe_event_more (kind, res, ver, aux8, aux16, a, b);
  else
    probe_event (kind, res, ver, aux8, aux16);
}

/* The next event reads the clock: in a long operation, before a wait is told
 * and after it. */
static inline void
probe_restamp (void) {
  Probe *probe = probe_current;

  if (__builtin_expect (probe != NULL, 0))
    probe_new_stamp (probe);
}

/* The same, but only at teaching pace, where a clock more costs nothing. */
static inline void
probe_restamp_fine (void) {
  Probe *probe = probe_current;

  if (__builtin_expect (probe != NULL, 0) && probe->is_fine)
    probe_new_stamp (probe);
}

/* An operation starts. Engines call this first, probe_op_end() last. Only a
 * Range may have other operations inside it. */
static inline void
probe_op_begin (OpKind   op,
                uint64_t key,
                uint64_t value) {
  Probe *probe = probe_current;

  if (__builtin_expect (probe != NULL, 0)) {
    probe->op_key = key;
    if (op == OP_RANGE)
      probe->range_spans <<= 1;
    if (probe->span_countdown-- == 1)
      probe_begin_span (probe, op, key, value);
  }
}

/* Whether the Range that has begun tells what it walks. One that does not tells
 * RANGE_BEGAN and RANGE_ENDED with ver 0, and may go as if nobody listened. */
static inline bool
probe_tells_walk (void) {
  const Probe *probe = probe_current;

  return __builtin_expect (probe != NULL, 0)
         && (probe->is_fine || probe->tells_yields || (probe->range_spans & 1));
}

/* What the Range under way is about to give to its callback: engines call this
 * before each call of it. @iterator: as in RANGE_BEGAN. */
static inline void
probe_range_yield (uint32_t iterator,
                   int64_t  key,
                   int64_t  value) {
  Probe *probe = probe_current;

  if (__builtin_expect (
        probe != NULL && probe->tells_yields && (probe->range_spans & 1), 0))
    probe_tell_more (probe, EVENT_RANGE_YIELDED, 0, iterator, 0, 0,
                     (uint64_t)key, (uint64_t)value);
}

/* What a snapshot is about to give to its owner; it is no operation, so that
 * whether one is a span does not matter. @snapshot: as in SNAPSHOT_BEGAN. */
static inline void
probe_snapshot_give (uint32_t snapshot,
                     int64_t  key,
                     int64_t  value) {
  Probe *probe = probe_current;

  if (__builtin_expect (probe != NULL && probe->tells_yields, 0))
    probe_tell_more (probe, EVENT_SNAPSHOT_GAVE, 0, snapshot, 0, 0,
                     (uint64_t)key, (uint64_t)value);
}

/* A CAS of the operation under way failed and is tried again. Its events look
 * from now on: the last of them has the retries to tell. */
static inline void
probe_count_retry (void) {
  Probe *probe = probe_current;

  if (probe != NULL) {
    probe->n_cas_retries++;
    probe->open_until = 0;
  }
}

/* The rest of probe_count(), once in PROBE_STAMP_OPS operations. */
void probe_end_count (Probe *probe);

/* Counts an operation that is no span. */
static inline void
probe_count (Probe   *probe,
             OpKind   op,
             unsigned path) {
  ProbeCount *count = &probe->counts[op];

  count->n++;
  count->n_ok += (path & OP_PATH_OK) != 0;
  count->n_in_read += (path & OP_PATH_IN_READ) != 0;
  if (__builtin_expect (probe->n_cas_retries != 0, 0)) {
    count->n_cas_retries += probe->n_cas_retries;
    probe->n_cas_retries = 0;
  }
  if (__builtin_expect (++probe->n_uncounted % PROBE_STAMP_OPS == 0, 0))
    probe_end_count (probe);
}

static inline void
probe_op_end (OpKind   op,
              unsigned path,
              uint64_t value,
              uint64_t old) {
  Probe *probe = probe_current;

  if (__builtin_expect (probe != NULL, 0)) {
    if (op == OP_RANGE ? probe->range_spans & 1 : probe->is_span)
      probe_end_span (probe, op, path, value, old);
    else if (probe->tells_brief)
      probe_tell_brief (probe, op, path, op == OP_RANGE ? 0 : probe->op_key);
    else
      probe_count (probe, op, path);
    if (op == OP_RANGE)
      probe->range_spans >>= 1;
  }
}
