/* SPDX-License-Identifier: GPL-3.0-or-later */

/* histogram.h — durations sorted by their size
 *
 * Place i counts what took [2^i, 2^(i+1)) ns. The first place holds 0 too, the
 * last is open to the right: 2^39 ns are nine minutes. A duration is thus known
 * to a factor of two, which is what tells a lock that is passed on (hundreds of
 * nanoseconds) from one whose holder sleeps (tens of microseconds).
 */
#pragma once

#include <stdint.h>

#define HISTOGRAM_N 40

static inline unsigned
histogram_place (uint64_t ns) {
  unsigned place = 63u - (unsigned)__builtin_clzll (ns | 1);

  return place < HISTOGRAM_N ? place : HISTOGRAM_N - 1;
}
