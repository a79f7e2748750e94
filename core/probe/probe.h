/* SPDX-License-Identifier: GPL-3.0-or-later */

/* probe.h — how an engine tells its story
 *
 * An engine calls the functions below at each change of state. They cost one
 * predicted branch when nobody listens: probe_current is a thread-local pointer
 * (initial-exec), NULL when the thread is not recorded.
 *
 * Clock       A stamp costs more than all the rest, so it is read once per
 *             operation and shared by the operation's events; an operation told
 *             as a span reads it again at its end. A span's two stamps never
 *             narrow it: see clock_stamp_before().
 * Sampling    Changes of state are always told. Operations are told as spans
 *             (OP_BEGAN … OP_ENDED) when their turn comes: every one at
 *             teaching pace (span_period 1), one in span_period otherwise; the
 *             others are counted exactly in OPS_COUNTED.
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
  uint64_t  last_stamp;     /* of the previous event */
  uint64_t  op_stamp;       /* of the operation under way; 0 = not read yet */
  uint32_t  span_period;    /* 1 = every operation is a span; 0 = none is */
  uint32_t  span_countdown;
  bool      is_span;        /* the operation under way (no Range) is a span */
  uint64_t  range_spans;    /* the same for the Ranges under way, the innermost
                             * in bit 0: their callbacks may use the map */
  bool      is_fine;        /* iterations tell each slot, not each bucket */
  bool      tells_yields;   /* a Range that is a span tells each pair it gives,
                             * and every snapshot does */
  uint32_t  n_uncounted;    /* operations in counts, not yet told */
  uint32_t  n_cas_retries;  /* of the operation under way */
  uint64_t  published;      /* ring.written at the last publish */
  ProbeCount counts[OP_N_KINDS];
} Probe;

/* Operations counted before OPS_COUNTED is told, at the latest. */
#define PROBE_COUNT_WINDOW 4096u
/* Units written before they are published, at the latest. */
#define PROBE_PUBLISH_BATCH 128u

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

/* The next event reads the clock: for events outside operations. */
static inline void
probe_new_stamp (Probe *probe) {
  probe->op_stamp = 0;
}

/* The slow parts of the functions below. */
void probe_tell       (Probe    *probe,
                       EventKind kind,
                       uint32_t  res,
                       uint32_t  ver,
                       uint8_t   aux8,
                       uint16_t  aux16);
void probe_tell_more  (Probe    *probe,
                       EventKind kind,
                       uint32_t  res,
                       uint32_t  ver,
                       uint8_t   aux8,
                       uint16_t  aux16,
                       uint64_t  a,
                       uint64_t  b);
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
    probe->op_stamp = 0;
}

/* The same, but only at teaching pace, where a clock more costs nothing. */
static inline void
probe_restamp_fine (void) {
  Probe *probe = probe_current;

  if (__builtin_expect (probe != NULL, 0) && probe->is_fine)
    probe->op_stamp = 0;
}

/* An operation starts. Engines call this first, probe_op_end() last. Only a
 * Range may have other operations inside it. */
static inline void
probe_op_begin (OpKind   op,
                uint64_t key,
                uint64_t value) {
  Probe *probe = probe_current;

  if (__builtin_expect (probe != NULL, 0)) {
    probe->op_stamp = 0;
    if (op == OP_RANGE)
      probe->range_spans <<= 1;
    if (probe->span_countdown-- == 1)
      probe_begin_span (probe, op, key, value);
  }
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

/* A CAS of the operation under way failed and is tried again. */
static inline void
probe_count_retry (void) {
  Probe *probe = probe_current;

  if (probe != NULL)
    probe->n_cas_retries++;
}

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
  if (__builtin_expect (++probe->n_uncounted >= PROBE_COUNT_WINDOW, 0))
    probe_flush (probe);
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
    else
      probe_count (probe, op, path);
    if (op == OP_RANGE)
      probe->range_spans >>= 1;
  }
}
