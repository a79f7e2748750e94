/* SPDX-License-Identifier: GPL-3.0-or-later */

/* clock.c — what a stamp is worth
 *
 * The time-stamp counter of x86-64 runs at a constant rate that nothing tells
 * reliably to a program, so it is measured once: two readings of counter and
 * CLOCK_MONOTONIC side by side, MEASURE_NS apart. A reading is bracketed by two
 * looks at the counter and the tightest of several brackets is kept, so that an
 * interrupt between the two clocks does not count. The error left is some tens
 * of nanoseconds in two milliseconds; whoever times long runs measures again
 * over the run itself.
 *
 * Threads     pthread_once() orders the measurement before every use.
 */
#include "core/base/clock.h"

#include <pthread.h>

#define MEASURE_NS 2000000 /* free choice: long against a reading's error */
#define N_TRIES 16

int64_t
clock_now_ns (void) {
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#if defined(__x86_64__)

static double stamps_per_ns;
static pthread_once_t measured = PTHREAD_ONCE_INIT;

static void
read_both (int64_t  *now_ns,
           uint64_t *stamp) {
  uint64_t tightest = UINT64_MAX;

  for (int i = 0; i < N_TRIES; i++) {
    uint64_t before = clock_stamp ();
    int64_t between_ns = clock_now_ns ();
    uint64_t width = clock_stamp () - before;

    if (width < tightest) {
      tightest = width;
      *now_ns = between_ns;
      *stamp = before + width / 2;
    }
  }
}

static void
measure (void) {
  int64_t start_ns = 0, end_ns = 0;
  uint64_t start = 0, end = 0;

  read_both (&start_ns, &start);
  while (clock_now_ns () - start_ns < MEASURE_NS) {
    struct timespec rest = { 0, MEASURE_NS / 2 };

    nanosleep (&rest, NULL);
  }
  read_both (&end_ns, &end);
  stamps_per_ns = (double)(end - start) / (double)(end_ns - start_ns);
}

double
clock_stamps_per_ns (void) {
  pthread_once (&measured, measure);
  return stamps_per_ns;
}

#else

double
clock_stamps_per_ns (void) {
  return 1.0;
}

#endif
