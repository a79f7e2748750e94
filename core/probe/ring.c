/* SPDX-License-Identifier: GPL-3.0-or-later */

/* ring.c — one thread's outgoing mail
 *
 * An engine thread must never take a lock to tell its story. Each thread owns
 * a ring that it alone writes and the recorder alone reads. No event is lost: a
 * full ring makes its owner wait, and the wait is counted and shown to the user.
 *
 * Layout      mask + 1 units of 16 bytes, a power of two. head, tail, copied and
 *             written run free and are masked on use. What the owner writes with
 *             each event, what it publishes and what the recorder writes lie on
 *             cache lines of their own.
 *
 *                  head          tail    copied          written
 *             [ . | e | e | e | e | c | c | . | . ]  [ s | s | . ]   . free
 *               ring: e shown, c on its way            stage
 *
 * Stage       The ring's lines were last in the recorder's cache. To get one back
 *             takes as long as twenty events, and what the owner does next (a
 *             CAS, above all) waits for it. So units are written to a stage that
 *             never leaves the owner's cache, and go to the ring together, by
 *             stores that pass the caches by and wait for nobody: measured 1.3 ns
 *             an event (bare stores of as many bytes: 1.15) against 4 to 18,
 *             depending on where the two processors lie. They are shown with the next
 *             batch, when they have long arrived, or at once when the owner is about
 *             to wait.
 *
 * Waiting     The owner remembers the last head it saw and looks again only when
 *             the ring seems full by it, so the recorder's cache line is fetched
 *             once a lap, not once an event. When the ring is full it shows all
 *             that is in it, then spins, yields and naps, longer each time: the
 *             wait ends with the recorder's next turn, whatever that takes. What
 *             is still on the stage then comes after all in the ring, so the
 *             recorder is not waiting for it.
 *
 * Dropping    A ring whose owner may not wait drops when it is full: first the
 *             events on the stage that change nothing, their time added to the
 *             next one's; if that is not enough, all of the stage. Every event
 *             that is gone is counted, and the full time that the owner tells next
 *             says how many, so that the place of the gap is known. The recorder
 *             looks at the count each round too; until it has seen one, an event
 *             that nothing but a dropped one would let pass waits, so that no gap
 *             goes unseen.
 *
 * Invariants  R1  head <= tail <= copied <= written, as unsigned differences
 *             R2  copied - head <= mask + 1, written - copied <= RING_STAGE
 *             R3  every unit in [head, tail) is whole, and an event and its
 *                 payload are copied together and shown by the same store of tail
 *
 * Threads     field             written by  order    read by
 *             tail              the owner   release  ring_peek(), acquire
 *             head              recorder    release  wait_room(), acquire
 *             units in R3       the owner   plain    the recorder, plain: ordered
 *                                                    by tail, given back by head
 *             n_stalls,         the owner   relaxed  anyone; statistics only
 *             stalled_ns
 *             n_dropped         the owner   release  the recorder, acquire
 *             written, copied, seen_head, stage: the owner's own
 *
 * Source      L. Lamport, Specifying Concurrent Program Modules, 1983.
 */
#include "core/probe/ring.h"

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/base/sanitized.h"
#include "core/base/sync.h"

#include <assert.h>
#include <sched.h>
#include <string.h>
/* The thread sanitizer does not see stores that pass the caches by. */
#if defined(__SSE2__) && !HAS_TSAN
#define CAN_STREAM 1
#else
#define CAN_STREAM 0
#endif
#if CAN_STREAM
#include <immintrin.h>
#endif

/* Free choices: a short spin covers a recorder that is just taking, the yields
 * one that waits for this core, the naps one that writes to a disk. */
#define N_SPINS 128
#define N_YIELDS 32
#define FIRST_NAP_NS 20000
#define LONGEST_NAP_NS 1000000
#define PAGE_BYTES 4096
#define LINE_BYTES 64u
#define LINE_UNITS (LINE_BYTES / sizeof (RingUnit))
/* Fewer are not worth going past the cache. */
#define MANY_UNITS 32u

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

/* Whether @n units fit behind what was copied, by the last head seen. */
static bool
has_room (const Ring *ring,
          size_t      n) {
  return ring->copied + n - ring->seen_head <= ring->mask + 1;
}

/* Waits until @n units have room behind what was copied, all of it being shown. */
static void __attribute__ ((noinline))
wait_room (Ring   *ring,
           size_t  n) {
  int64_t start_ns;

  /* Acquire: the recorder is done with the units it gave back. Pairs with the
   * release store of head in ring_take(). */
  ring->seen_head = atomic_load_explicit (&ring->head, memory_order_acquire);
  if (has_room (ring, n))
    return;

  start_ns = clock_now_ns ();
  for (unsigned turn = 0; !has_room (ring, n); turn++) {
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

#if CAN_STREAM
/* A few units, up to where a line begins or from there on. */
static void
stream_units (RingUnit       *units,
              const RingUnit *stage,
              size_t          n) {
  __m128i *to = (__m128i *)(void *)units;
  const __m128i *from = (const __m128i *)(const void *)stage;

  for (size_t i = 0; i < n; i++)
    _mm_stream_si128 (to + i, _mm_load_si128 (from + i));
}

static void
stream_lines (RingUnit       *units,
              const RingUnit *stage,
              size_t          n_lines) {
  for (size_t i = 0; i < n_lines * LINE_UNITS; i += LINE_UNITS)
    stream_units (units + i, stage + i, LINE_UNITS);
}

/* The same in half as many stores, which is a tenth of what telling costs. */
__attribute__ ((target ("avx"))) static void
stream_lines_avx (RingUnit       *units,
                  const RingUnit *stage,
                  size_t          n_lines) {
  __m256i *to = (__m256i *)(void *)units;
  const __m256i *from = (const __m256i *)(const void *)stage;

  for (size_t i = 0; i < 2 * n_lines; i += 2) {
    __m256i low = _mm256_loadu_si256 (from + i);
    __m256i high = _mm256_loadu_si256 (from + i + 1);

    _mm256_stream_si256 (to + i, low);
    _mm256_stream_si256 (to + i + 1, high);
  }
}

/* Whole lines where there are, so that each goes on its way in one piece. Lines
 * of the stage begin where those of the ring do. */
static void
stream (RingUnit       *units,
        const RingUnit *stage,
        size_t          n) {
  size_t n_before = (LINE_BYTES - (uintptr_t)units % LINE_BYTES) % LINE_BYTES
                    / sizeof (RingUnit);
  size_t n_lines;

  n_before = n_before < n ? n_before : n;
  stream_units (units, stage, n_before);
  n_lines = (n - n_before) / LINE_UNITS;
  if (__builtin_cpu_supports ("avx"))
    stream_lines_avx (units + n_before, stage + n_before, n_lines);
  else
    stream_lines (units + n_before, stage + n_before, n_lines);
  n_before += n_lines * LINE_UNITS;
  stream_units (units + n_before, stage + n_before, n - n_before);
}
#endif

/* Units [@from, @to) to the ring, where there is room for them: in runs that end
 * where the ring or the stage does. */
static void
copy_units (Ring     *ring,
            uint64_t  from,
            uint64_t  to) {
  while (from != to) {
    size_t at = (size_t)(from & ring->mask), on_stage = from % RING_STAGE;
    size_t n = (size_t)(to - from);

    n = n < ring->mask + 1 - at ? n : (size_t)ring->mask + 1 - at;
    n = n < RING_STAGE - on_stage ? n : RING_STAGE - on_stage;
#if CAN_STREAM
    if (n >= MANY_UNITS)
      stream (&ring->units[at], &ring->stage[on_stage], n);
    else
#endif
      memcpy (&ring->units[at], &ring->stage[on_stage], n * sizeof (RingUnit));
    from += n;
  }
}

/* Hands over what was copied. */
static void
show_copied (Ring *ring) {
#if CAN_STREAM
  /* The stores of copy_units() are in no order with the next one without this. */
  _mm_sfence ();
#endif
  /* Release: the units' bytes become visible first. Pairs with the acquire load
   * of tail in ring_peek(). */
  atomic_store_explicit (&ring->tail, ring->copied, memory_order_release);
}

/* The units of the event on the stage that begins at @at. */
static size_t
event_units (Ring     *ring,
             uint64_t  at) {
  return ring_place (ring, at)->event.kind & EVENT_HAS_PAYLOAD ? 2 : 1;
}

/* Takes from the stage the events that change nothing, or all. Times told in full
 * are no events, and stay with the others. */
static void
drop_from_stage (Ring *ring,
                 bool  drops_all) {
  uint64_t to = ring->copied, n_dropped = 0, dt = 0;
  size_t n_units;

  for (uint64_t at = ring->copied; at != ring->written; at += n_units) {
    RingEvent event = ring_place (ring, at)->event;
    unsigned kind = event.kind & ~EVENT_HAS_PAYLOAD;

    n_units = event_units (ring, at);
    dt = kind == EVENT_TIME ? 0 : dt + event.dt;
    if (drops_all || event_kind_changes_nothing (kind)) {
      n_dropped += kind != EVENT_TIME;
      continue;
    }
    event.dt = dt < UINT32_MAX ? (uint32_t)dt : UINT32_MAX;
    dt = 0;
    if (n_units == 2)
      ring_place (ring, to + 1)->payload = ring_place (ring, at + 1)->payload;
    ring_place (ring, to)->event = event;
    to += n_units;
  }
  ring->written = to;
  ring->has_dropped = true;
  /* Release: whoever sees what comes after sees this. Pairs with see_drops(),
   * recorder.c. */
  atomic_store_explicit (
      &ring->n_dropped,
      atomic_load_explicit (&ring->n_dropped, memory_order_relaxed) + n_dropped,
      memory_order_release);
}

/* Makes what is on the stage fit into the ring. */
static void
drop_some (Ring *ring) {
  /* Acquire: as in wait_room(). */
  ring->seen_head = atomic_load_explicit (&ring->head, memory_order_acquire);
  if (has_room (ring, (size_t)(ring->written - ring->copied)))
    return;
  show_copied (ring);
  drop_from_stage (ring, false);
  if (!has_room (ring, (size_t)(ring->written - ring->copied)))
    drop_from_stage (ring, true);
}

/* Copies the whole events on the stage that there is room for; at least one. */
static void
copy_some (Ring *ring) {
  uint64_t until;

  if (ring->drops && !has_room (ring, (size_t)(ring->written - ring->copied)))
    drop_some (ring);
  until = ring->written;
  if (!has_room (ring, (size_t)(until - ring->copied))) {
    /* The recorder takes only what it sees. */
    show_copied (ring);
    wait_room (ring, event_units (ring, ring->copied));
    until = ring->copied;
    while (until != ring->written
           && has_room (ring, (size_t)(until - ring->copied)
                                  + event_units (ring, until)))
      until += event_units (ring, until);
  }
  copy_units (ring, ring->copied, until);
  ring->copied = until;
}

void
ring_advance (Ring *ring) {
  if (atomic_load_explicit (&ring->tail, memory_order_relaxed) != ring->copied)
    show_copied (ring);
  while (ring->copied != ring->written)
    copy_some (ring);
}

void
ring_publish (Ring *ring) {
  while (ring->copied != ring->written)
    copy_some (ring);
  show_copied (ring);
}

void
ring_wait_room (Ring   *ring,
                size_t  n_units) {
  if (ring->written - ring->copied + n_units > RING_STAGE)
    ring_advance (ring);
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
   * with the acquire load of head in wait_room(). */
  atomic_store_explicit (&ring->head, head + n_units, memory_order_release);
}
