/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-ring.c — a thread's outgoing mail arrives whole, in order, all of it */
#include "core/probe/ring.h"

#include <glib.h>
#include <pthread.h>
#include <sched.h>

static void
write_units (Ring     *ring,
             uint32_t *next,
             unsigned  n) {
  for (unsigned i = 0; i < n; i++) {
    ring_wait_room (ring, 1);
    ring_place (ring, ring->written)->event.res = (*next)++;
    ring->written++;
  }
}

/* Takes all that is shown and checks that it goes on from *next. */
static size_t
take_units (Ring     *ring,
            uint32_t *next) {
  const RingUnit *first;
  size_t n_second;
  size_t n_first = ring_peek (ring, &first, &n_second);

  for (size_t i = 0; i < n_first; i++)
    g_assert_cmpuint (first[i].event.res, ==, (*next)++);
  for (size_t i = 0; i < n_second; i++)
    g_assert_cmpuint (ring->units[i].event.res, ==, (*next)++);
  ring_take (ring, n_first + n_second);
  return n_first + n_second;
}

static void
test_shows_only_what_is_published (void) {
  Ring ring;
  uint32_t written = 0, read = 0;

  g_assert_true (ring_init (&ring, 8));
  g_assert_cmpuint (take_units (&ring, &read), ==, 0);
  write_units (&ring, &written, 3);
  g_assert_cmpuint (take_units (&ring, &read), ==, 0);
  ring_publish (&ring);
  g_assert_cmpuint (take_units (&ring, &read), ==, 3);
  ring_clear (&ring);
}

static void
test_wraps (void) {
  Ring ring;
  const RingUnit *first;
  size_t n_second;
  uint32_t written = 0, read = 0;

  g_assert_true (ring_init (&ring, 8));
  write_units (&ring, &written, 5);
  ring_publish (&ring);
  g_assert_cmpuint (take_units (&ring, &read), ==, 5);
  write_units (&ring, &written, 8);
  g_assert_cmpuint (ring_peek (&ring, &first, &n_second), ==, 0);
  ring_publish (&ring);
  g_assert_cmpuint (ring_peek (&ring, &first, &n_second), ==, 3);
  g_assert_cmpuint (n_second, ==, 5);
  g_assert_true (first == &ring.units[5]);
  g_assert_cmpuint (take_units (&ring, &read), ==, 8);
  g_assert_cmpuint (atomic_load (&ring.n_stalls), ==, 0);
  ring_clear (&ring);
}

typedef struct {
  Ring     ring;
  uint32_t n_events;
} Transfer;

/* Each event has its number, every third a payload made from it. */
static void *
write_events_cb (void *data) {
  Transfer *transfer = data;
  Ring *ring = &transfer->ring;

  for (uint32_t i = 0; i < transfer->n_events; i++) {
    bool is_long = i % 3 == 0;

    ring_wait_room (ring, is_long ? 2 : 1);
    ring_place (ring, ring->written)->event = (RingEvent){
      .res = i,
      .ver = ~i,
      .kind = is_long ? EVENT_HAS_PAYLOAD : 0,
    };
    if (is_long)
      ring_place (ring, ring->written + 1)->payload
          = (RingPayload){ i * 3ull, ~(uint64_t)i };
    ring->written += is_long ? 2 : 1;
    if (i % 50 == 0)
      ring_publish (ring);
  }
  ring_publish (ring);
  return NULL;
}

/* Reads the events in the @n shown units from the ring's @at-th on. */
static uint32_t
read_events (Transfer *transfer,
             uint64_t  at,
             size_t    n,
             uint32_t  next) {
  const Ring *ring = &transfer->ring;

  for (size_t i = 0; i < n; i++) {
    const RingEvent *event = &ring->units[(at + i) & ring->mask].event;

    g_assert_cmpuint (event->res, ==, next);
    g_assert_cmpuint (event->ver, ==, ~next);
    if (event->kind & EVENT_HAS_PAYLOAD) {
      const RingPayload *payload;

      i++;
      g_assert_cmpuint (i, <, n);
      payload = &ring->units[(at + i) & ring->mask].payload;
      g_assert_cmpuint (payload->a, ==, next * 3ull);
      g_assert_cmpuint (payload->b, ==, ~(uint64_t)next);
    }
    next++;
  }
  return next;
}

static void
test_two_threads_lose_nothing (void) {
  Transfer transfer = { .n_events = 1000000 };
  pthread_t writer;
  uint64_t at = 0;
  uint32_t next = 0;

  g_assert_true (ring_init (&transfer.ring, 1024));
  g_assert_cmpint (pthread_create (&writer, NULL, write_events_cb, &transfer),
                   ==, 0);
  while (next < transfer.n_events) {
    const RingUnit *first;
    size_t n_second;
    size_t n = ring_peek (&transfer.ring, &first, &n_second) + n_second;

    if (n == 0)
      sched_yield ();
    next = read_events (&transfer, at, n, next);
    ring_take (&transfer.ring, n);
    at += n;
  }
  pthread_join (writer, NULL);
  ring_clear (&transfer.ring);
}

static void *
fill_cb (void *data) {
  Transfer *transfer = data;
  uint32_t written = 0;

  write_units (&transfer->ring, &written, transfer->n_events);
  ring_publish (&transfer->ring);
  return NULL;
}

static void
test_full_ring_waits_and_counts (void) {
  Transfer transfer = { .n_events = 17 };
  pthread_t writer;
  const RingUnit *first;
  size_t n_second;
  uint32_t read = 0;

  g_assert_true (ring_init (&transfer.ring, 16));
  g_assert_cmpint (pthread_create (&writer, NULL, fill_cb, &transfer), ==, 0);
  /* The writer shows what fits when it finds the ring full. */
  while (ring_peek (&transfer.ring, &first, &n_second) + n_second == 0)
    sched_yield ();
  g_assert_cmpuint (take_units (&transfer.ring, &read), ==, 16);
  pthread_join (writer, NULL);
  g_assert_cmpuint (take_units (&transfer.ring, &read), ==, 1);
  g_assert_cmpuint (atomic_load (&transfer.ring.n_stalls), ==, 1);
  g_assert_cmpuint (atomic_load (&transfer.ring.stalled_ns), >, 0);
  ring_clear (&transfer.ring);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/ring/shows-only-what-is-published",
                   test_shows_only_what_is_published);
  g_test_add_func ("/core/ring/wraps", test_wraps);
  g_test_add_func ("/core/ring/full-ring-waits-and-counts",
                   test_full_ring_waits_and_counts);
  g_test_add_func ("/core/ring/two-threads-lose-nothing",
                   test_two_threads_lose_nothing);
  return g_test_run ();
}
