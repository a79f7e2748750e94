/* SPDX-License-Identifier: GPL-3.0-or-later */

/* prng.h — repeatable random numbers
 *
 * SplitMix64 (G. Steele, D. Lea, C. Flood, Fast Splittable Pseudorandom Number
 * Generators, 2014): one addition and a mixing function; streams from distinct
 * seeds are independent enough for workloads and table seeds. Not for secrets.
 */
#pragma once

#include <stdint.h>

typedef struct {
  uint64_t state;
} Prng;

static inline void
prng_init (Prng    *prng,
           uint64_t seed) {
  prng->state = seed;
}

static inline uint64_t
prng_next (Prng *prng) {
  uint64_t z = (prng->state += 0x9e3779b97f4a7c15u);

  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/* Uniform in [0, bound), bound > 0: D. Lemire's multiply-shift; its bias is
 * below 2^-32 for the bounds used here. */
static inline uint64_t
prng_below (Prng    *prng,
            uint64_t bound) {
  return (uint64_t)(((unsigned __int128)prng_next (prng) * bound) >> 64);
}

/* Uniform in [0, 1). */
static inline double
prng_unit (Prng *prng) {
  return (double)(prng_next (prng) >> 11) * 0x1.0p-53;
}

/* A stream of its own for the @index-th user of one seed. */
static inline uint64_t
prng_split (uint64_t seed,
            uint64_t index) {
  Prng prng = { seed ^ (index * 0xd1342543de82ef95u) };

  prng_next (&prng);
  return prng_next (&prng);
}
