/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-alone.c — rings that nobody reads
 *
 * What recording costs the threads that are recorded is one question, how fast
 * another thread merges and packs what they tell is a second one. On a machine of
 * as many processors as workers they cannot be told apart: any reader takes a
 * processor from a worker. So here there is none. A worker does all that it does
 * when it is recorded, the copy to its ring included, and then takes the units back
 * itself, before the ring is full: the ring goes round over what nobody reads, as a
 * flight recorder's does. Its line of head, which a reader would write, stays
 * where it is.
 *
 * Hook        The linker puts the functions below in the place of those that
 *             probe.c calls for each RING_STAGE units (--wrap): the program has
 *             no option for this, and no cost. A linker that does not is found
 *             out by bench_is_alone(), as a ring that is full would wait for ever.
 */
#include "tests/bench/maps/bench-map.h"

bool bench_tells_alone;
static atomic_bool has_taken;

void __real_ring_advance (Ring *ring);
void __real_ring_publish (Ring *ring);
void __wrap_ring_advance (Ring *ring);
void __wrap_ring_publish (Ring *ring);

/* Takes all that is shown: what is on the stage then has room. */
static void
take_back (Ring *ring) {
  const RingUnit *first;
  size_t n_second, n_first;

  if (!bench_tells_alone)
    return;
  /* Relaxed: asked by the thread that sets it, before there are others. */
  if (!atomic_load_explicit (&has_taken, memory_order_relaxed))
    atomic_store_explicit (&has_taken, true, memory_order_relaxed);
  n_first = ring_peek (ring, &first, &n_second);
  if (n_first + n_second > ring->mask / 2)
    ring_take (ring, n_first + n_second);
}

void
__wrap_ring_advance (Ring *ring) {
  take_back (ring);
  __real_ring_advance (ring);
}

void
__wrap_ring_publish (Ring *ring) {
  take_back (ring);
  __real_ring_publish (ring);
}

bool
bench_is_alone (Probe *probe) {
  bench_tells_alone = true;
  probe_flush (probe);
  return atomic_load_explicit (&has_taken, memory_order_relaxed);
}
