/* SPDX-License-Identifier: GPL-3.0-or-later */

/* ring.c — one thread's outgoing mail
 *
 * An engine thread must never take a lock to tell its story. Each thread owns
 * a ring that it alone writes and the recorder alone reads. No event is lost: a
 * full ring makes its owner wait, and the wait is counted and shown to the user.
 *
 * Layout      mask + 1 units of 16 bytes, a power of two. head, tail and written
 *             run free and are masked on use; head and tail sit on cache lines
 *             of their own, tail with the statistics that the recorder reads
 *             too: what the owner writes with each event is its alone. Units between tail and written are written but not
 *             yet shown: one release store shows a batch of them.
 *
 *                  head          tail    written
 *             [ . | e | e | e | e | w | w | . | . ]    e shown   . free
 *
 * Waiting     The owner remembers the last head it saw and looks again only when
 *             the ring seems full by it, so the recorder's cache line is fetched
 *             once a lap, not once an event. When the ring is full it shows all
 *             it has, then spins, yields and naps, longer each time: the wait
 *             ends with the recorder's next turn, whatever that takes.
 *
 * Invariants  R1  head <= tail <= written, as unsigned differences
 *             R2  written - head <= mask + 1
 *             R3  every unit in [head, tail) is whole, and an event and its
 *                 payload are shown by the same store of tail
 *
 * Threads     field             written by  order    read by
 *             tail              the owner   release  ring_peek(), acquire
 *             head              recorder    release  ring_wait_room(), acquire
 *             units in R3       the owner   plain    the recorder, plain: ordered
 *                                                    by tail, given back by head
 *             n_stalls,         the owner   relaxed  anyone; statistics only
 *             stalled_ns
 *             written, seen_head: the owner's own
 *
 * Source      L. Lamport, Specifying Concurrent Program Modules, 1983.
 */
#include "core/probe/ring.h"

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/base/sync.h"

#include <assert.h>
#include <sched.h>

/* Free choices: a short spin covers a recorder that is just taking, the yields
 * one that waits for this core, the naps one that writes to a disk. */
#define N_SPINS 128
#define N_YIELDS 32
#define FIRST_NAP_NS 20000
#define LONGEST_NAP_NS 1000000
#define PAGE_BYTES 4096

bool
ring_init (Ring   *ring,
           size_t  n_units) {
  size_t size_bytes = n_units * sizeof (RingUnit);
  volatile char *bytes;

  assert (n_units >= 2 && (n_units & (n_units - 1)) == 0);
  *ring = (Ring){ .mask = n_units - 1 };
  ring->units = alloc_zeroed (size_bytes);
  if (ring->units == NULL)
    return false;

  /* Touch every page now: a worker's first lap must not be slower. */
  bytes = (volatile char *)ring->units;
  for (size_t i = 0; i < size_bytes; i += PAGE_BYTES)
    bytes[i] = 0;
  return true;
}

void
ring_clear (Ring *ring) {
  alloc_free (ring->units, (ring->mask + 1) * sizeof (RingUnit));
  ring->units = NULL;
}

/* Whether @n_units fit behind the last head seen. */
static bool
has_room (const Ring *ring,
          size_t      n_units) {
  return ring->written + n_units - ring->seen_head <= ring->mask + 1;
}

/* One turn of a wait that grows gentler with @turn. */
static void
back_off (unsigned turn) {
  struct timespec nap = { 0, FIRST_NAP_NS };

  if (turn < N_SPINS) {
    sync_spin_hint ();
  } else if (turn < N_SPINS + N_YIELDS) {
    sched_yield ();
  } else {
    unsigned doublings = turn - N_SPINS - N_YIELDS;

    nap.tv_nsec = doublings < 6 ? FIRST_NAP_NS << doublings : LONGEST_NAP_NS;
    nanosleep (&nap, NULL);
  }
}

void
ring_wait_room (Ring   *ring,
                size_t  n_units) {
  int64_t start_ns;

  assert (n_units <= ring->mask + 1);
  if (has_room (ring, n_units))
    return;
  /* Acquire: the recorder is done with the units it gave back. Pairs with the
   * release store of head in ring_take(). */
  ring->seen_head = atomic_load_explicit (&ring->head, memory_order_acquire);
  if (has_room (ring, n_units))
    return;

  ring_publish (ring);
  start_ns = clock_now_ns ();
  for (unsigned turn = 0; !has_room (ring, n_units); turn++) {
    back_off (turn);
    ring->seen_head = atomic_load_explicit (&ring->head, memory_order_acquire);
  }
  /* Relaxed: only this thread writes, and readers want no more than a number. */
  atomic_store_explicit (
      &ring->n_stalls,
      atomic_load_explicit (&ring->n_stalls, memory_order_relaxed) + 1,
      memory_order_relaxed);
  atomic_store_explicit (
      &ring->stalled_ns,
      atomic_load_explicit (&ring->stalled_ns, memory_order_relaxed)
          + (uint64_t)(clock_now_ns () - start_ns),
      memory_order_relaxed);
}

void
ring_publish (Ring *ring) {
  /* Hand the units over. Release: their bytes become visible first. Pairs with
   * the acquire load of tail in ring_peek(). */
  atomic_store_explicit (&ring->tail, ring->written, memory_order_release);
}

size_t
ring_peek (Ring            *ring,
           const RingUnit **first,
           size_t          *n_second) {
  /* Relaxed: head is this thread's own. */
  uint64_t head = atomic_load_explicit (&ring->head, memory_order_relaxed);
  uint64_t tail = atomic_load_explicit (&ring->tail, memory_order_acquire);
  size_t n = (size_t)(tail - head);
  size_t to_end = (size_t)(ring->mask + 1 - (head & ring->mask));
  size_t n_first = n < to_end ? n : to_end;

  *first = &ring->units[head & ring->mask];
  *n_second = n - n_first;
  return n_first;
}

void
ring_take (Ring   *ring,
           size_t  n_units) {
  uint64_t head = atomic_load_explicit (&ring->head, memory_order_relaxed);

  /* Release: the units have been read before they can be written again. Pairs
   * with the acquire load of head in ring_wait_room(). */
  atomic_store_explicit (&ring->head, head + n_units, memory_order_release);
}
