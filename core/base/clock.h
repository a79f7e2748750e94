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

/* The bounds of an operation's interval: the first is taken before any memory
 * access that follows it, the second after any that went before. clock_stamp()
 * may float: the processor may have loaded what follows already, or not yet what
 * went before, and an interval that is too narrow would accuse a correct map.
 *
 * Measured: the two fences add 22 ns to the 19 ns of telling an operation.
 *
 * x86-64      lfence waits for the instructions before it, and none after it
 *             begins until it is done. A store may still be on its way out then;
 *             but what an operation stores is a locked instruction, or is
 *             followed by the one that unlocks, and those wait until all stores
 *             before them can be seen.
 * aarch64     the system's clock reads the counter behind a barrier; isb keeps
 *             what follows from starting early, dsb waits for what went before.
 * others      as clock_stamp(), between compiler barriers: a system call, or a
 *             library function with barriers of its own. */
static inline uint64_t
clock_stamp_before (void) {
  uint64_t stamp = clock_stamp ();

#if defined(__x86_64__)
  _mm_lfence ();
#elif defined(__aarch64__)
  __asm__ volatile ("isb" ::: "memory");
#else
  __asm__ volatile ("" ::: "memory");
#endif
  return stamp;
}

static inline uint64_t
clock_stamp_after (void) {
#if defined(__x86_64__)
  _mm_lfence ();
#elif defined(__aarch64__)
  __asm__ volatile ("dsb ish\n\tisb" ::: "memory");
#else
  __asm__ volatile ("" ::: "memory");
#endif
  return clock_stamp ();
}

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t clock_now_ns (void);

/* Stamps per nanosecond, measured once per process against CLOCK_MONOTONIC
 * (the first call takes about 2 ms). Thread-safe. */
double  clock_stamps_per_ns (void);
