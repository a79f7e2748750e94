/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-drain.h — a thread that empties rings and keeps nothing
 *
 * What recording costs the threads that are recorded is one question, how fast
 * one thread can merge and pack what they tell is another: a recorder that is
 * slower than they are makes them wait, and then only its own speed is measured.
 * This drain reads every unit, so that it crosses from core to core as it must,
 * and gives the room back, little by little: given back all at once, a full ring
 * would be full until the last unit was read (measured: bare stores 1.6 to 1.8 ns a
 * unit with waits, 1.2 to 1.3 so). While it takes something it does not sleep: at full
 * speed a ring lasts 40 us, and a nap of 20 with what waking takes was often longer
 * (measured, of a thread that tells: 0.08 ns an event of waits, none so).
 */
#pragma once

#include "core/base/sync.h"
#include "core/probe/probe.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <time.h>

#define DRAIN_MAX_PROBES 16
/* As short as the recorder's shortest. */
#define DRAIN_NAP_NS 20000
/* Looks that find nothing before it sleeps, and pauses between looks that find little:
 * some 2 us, since whoever looks takes the line that is written. */
#define DRAIN_IDLE_LOOKS 50
#define DRAIN_PAUSES 200
/* As many as the recorder takes before it gives their room back. */
#define DRAIN_TAKE_UNITS 1024u

typedef struct {
  Probe       *probes; /* borrowed */
  unsigned     n_probes;
  pthread_t    thread;
  _Atomic (int) is_ending;
  uint64_t     n_units;
  uint64_t     sum; /* of all they hold, so that they must be read */
} Drain;

static inline void
drain_take (Drain          *self,
            Ring           *ring,
            const RingUnit *units,
            size_t          n) {
  uint64_t sum = 0;

  for (size_t i = 0, n_taken = 0; i < n; n_taken = i) {
    size_t until = n - i > DRAIN_TAKE_UNITS ? i + DRAIN_TAKE_UNITS : n;

    for (; i < until; i++)
      sum += units[i].payload.a ^ units[i].payload.b;
    ring_take (ring, until - n_taken);
  }
  self->sum += sum;
  self->n_units += n;
}

/* Returns the largest share of a ring that was taken. */
static inline double
drain_once (Drain *self) {
  double fill = 0;

  for (unsigned i = 0; i < self->n_probes; i++) {
    Ring *ring = &self->probes[i].ring;
    const RingUnit *first;
    size_t n_second;
    size_t n_first = ring_peek (ring, &first, &n_second);
    double share = (double)(n_first + n_second) / (double)(ring->mask + 1);

    drain_take (self, ring, first, n_first);
    drain_take (self, ring, ring->units, n_second);
    fill = share > fill ? share : fill;
  }
  return fill;
}

static inline void *
drain_cb (void *data) {
  const struct timespec nap = { 0, DRAIN_NAP_NS };
  Drain *self = data;
  unsigned n_idle = 0;
  double fill;
  int is_ending;

  prctl (PR_SET_TIMERSLACK, 1, 0, 0, 0);
  do {
    /* Acquire: after it, one more look finds all that was told. */
    is_ending = atomic_load_explicit (&self->is_ending, memory_order_acquire);
    fill = drain_once (self);
    n_idle = fill > 0 ? 0 : n_idle + 1;
    if (n_idle >= DRAIN_IDLE_LOOKS)
      nanosleep (&nap, NULL);
    else if (fill < 0.03)
      for (unsigned i = 0; i < DRAIN_PAUSES; i++)
        sync_spin_hint ();
  } while (!is_ending);
  return NULL;
}

static inline void
drain_start (Drain    *self,
             Probe    *probes,
             unsigned  n_probes) {
  *self = (Drain){ .probes = probes, .n_probes = n_probes };
  if (pthread_create (&self->thread, NULL, drain_cb, self) != 0)
    __builtin_abort ();
}

/* The probes are flushed and silent. */
static inline void
drain_stop (Drain *self) {
  atomic_store_explicit (&self->is_ending, 1, memory_order_release);
  pthread_join (self->thread, NULL);
}
