/* SPDX-License-Identifier: GPL-3.0-or-later */

/* ring.h — one thread's outgoing mail
 *
 * The owner writes, the recorder reads; see ring.c for layout and order.
 * n_units below are 16-byte units: an event is one, or two with its payload.
 * "Waiting" below is dropping in a ring that drops.
 */
#pragma once

#include "core/probe/event.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* A unit as one number of a type that nothing else has: a compiler that sees
 * one being written knows that no counter of the probe changes. */
__extension__ typedef unsigned __int128 RingBits;
/* The same on its way there: by one store, where two would be a tenth of what
 * telling an event costs. */
typedef uint64_t RingHalves __attribute__ ((vector_size (16)));

typedef union {
  RingEvent   event;
  RingPayload payload;
  RingBits    bits;
} RingUnit;

/* Units that their owner writes before they go to the ring together. */
#define RING_STAGE 256u

typedef struct {
  RingUnit *units;     /* mask + 1 of them, prefaulted */
  uint64_t  mask;
  uint64_t  written;   /* owner: units written, not all published */
  uint64_t  copied;    /* owner: units in the ring, not all published */
  uint64_t  seen_head; /* owner: the last head it loaded */
  bool      drops;     /* owner: a full ring drops instead of waiting */
  bool      has_dropped; /* owner: set by a drop; the dt of the next event may
                          * refer to one that is gone, and the gap is not told */
  _Alignas (64) RingUnit stage[RING_STAGE]; /* owner: of unit i at i modulo their
                                             * number, until it is published */
  _Alignas (64) _Atomic (uint64_t) tail; /* published by the owner */
  _Atomic (uint64_t) n_stalls; /* owner: times it waited for room; anyone may
                                * read it and the next, as statistics */
  _Atomic (uint64_t) stalled_ns;
  _Atomic (uint64_t) n_dropped; /* events; release, so that whoever sees what
                                 * came after knows of the gap */
  _Alignas (64) _Atomic (uint64_t) head; /* taken by the recorder */
} Ring;

/* @n_units: a power of two. false when there is no memory. */
bool   ring_init       (Ring   *ring,
                        size_t  n_units);
void   ring_clear      (Ring   *ring);

/* Owner: where it writes unit @i, from written on. */
static inline RingUnit *
ring_place (Ring     *ring,
            uint64_t  i) {
  return &ring->stage[i % RING_STAGE];
}

/* Owner: makes sure that @n_units (1 or 2) fit on the stage, publishing what is
 * on it when they do not. */
void   ring_wait_room  (Ring   *ring,
                        size_t  n_units);
/* Owner: shows everything written to the recorder, waiting until it has taken
 * enough to make room. */
void   ring_publish    (Ring   *ring);
/* Owner: the same, but what is on the stage now may be shown only by the next
 * call of either: by then it has arrived, and nobody waits for that. */
void   ring_advance    (Ring   *ring);

/* Recorder: the units published and not yet taken, as at most two runs; the
 * count of the first run is returned, the second starts at units[0]. */
size_t ring_peek       (Ring            *ring,
                        const RingUnit **first,
                        size_t          *n_second);
/* Recorder: gives @n_units back to the owner. */
void   ring_take       (Ring   *ring,
                        size_t  n_units);
