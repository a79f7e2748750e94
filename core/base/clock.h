/* SPDX-License-Identifier: GPL-3.0-or-later */

/* clock.h — the only room that reads the time
 *
 * A stamp is a raw count of the processor's time-stamp counter (nanoseconds of
 * CLOCK_MONOTONIC where there is none). Stamps are cheap to take and are turned
 * into nanoseconds when read, never when written.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
static inline uint64_t
clock_stamp (void) {
  return __rdtsc ();
}
#else
static inline uint64_t
clock_stamp (void) {
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
#endif

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t clock_now_ns (void);

/* Stamps per nanosecond, measured once per process against CLOCK_MONOTONIC
 * (the first call takes about 2 ms). Thread-safe. */
double  clock_stamps_per_ns (void);
