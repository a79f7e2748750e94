/* SPDX-License-Identifier: GPL-3.0-or-later */

/* keydist.c — which key comes next
 *
 * uniform     every key alike
 * sequential  a key never used before: one counter, shared by all threads
 * hotspot     hotspotopnfraction of the draws fall on the first
 *             hotspotdatafraction of the keys, evenly; the rest on the others
 * zipfian     key k has weight 1 / (k + 1)^c
 *
 * Departures  YCSB scrambles its zipfian ranks so that popular keys lie apart;
 *             here key = rank, so that the hot keys are the low ones and can be
 *             recognised on screen. The map's hash scatters them anyway.
 *             YCSB's method (Gray et al.) needs c < 1 and a sum over all keys;
 *             rejection-inversion needs neither, and is exact.
 *
 * Zipfian     Ranks count from 1. h(x) = x^-c is integrated in closed form:
 *               H(x) = (x^(1-c) - 1) / (1 - c), or log x for c = 1.
 *             A uniform u between H(1.5) - h(1) and H(n + 0.5) is taken back
 *             through H to x; k, the rank nearest to x, is accepted when x is
 *             near enough to k (by `sure`, no further test needed) or when
 *             u >= H(k + 0.5) - h(k). More than nine in ten are accepted.
 *
 * Invariants  K1  0 <= key < n_keys for all but sequential
 *             K2  one Prng state gives one key: runs repeat
 *
 * Source      W. Hörmann, G. Derflinger, Rejection-inversion to generate
 *             variates from monotone discrete distributions, 1996. Names of the
 *             choices: YCSB core workloads (B. Cooper et al., 2010).
 */
#include "core/workload/keydist.h"

#include <math.h>

/* (exp x - 1) / x and log (1 + x) / x, whole at 0. */
static double
expm1_over (double x) {
  return fabs (x) > 1e-8 ? expm1 (x) / x : 1 + x / 2;
}

static double
log1p_over (double x) {
  return fabs (x) > 1e-8 ? log1p (x) / x : 1 - x / 2;
}

static double
weight (double exponent,
        double x) {
  return exp (-exponent * log (x));
}

static double
integral (double exponent,
          double x) {
  double log_x = log (x);

  return expm1_over ((1 - exponent) * log_x) * log_x;
}

static double
integral_inverse (double exponent,
                  double y) {
  double t = y * (1 - exponent);

  /* Rounding may pass the pole. */
  if (t < -1)
    t = -1;
  return exp (log1p_over (t) * y);
}

void
keydist_init (KeyDist         *self,
              const KeyChoice *choice,
              guint64          n_keys) {
  double c = choice->zipfianconstant;

  *self = (KeyDist){ .distribution = choice->distribution, .n_keys = n_keys };
  if (choice->distribution == KEYS_ZIPFIAN) {
    self->exponent = c;
    self->h_first = integral (c, 1.5) - 1;
    self->h_last = integral (c, (double)n_keys + 0.5);
    self->sure = 2 - integral_inverse (c, integral (c, 2.5) - weight (c, 2));
  } else if (choice->distribution == KEYS_HOTSPOT) {
    self->n_hot = (guint64)((double)n_keys * choice->hotspotdatafraction + 0.5);
    self->n_hot = CLAMP (self->n_hot, MIN (n_keys, 1), n_keys);
    self->hot_share = choice->hotspotopnfraction;
  }
}

static gint64
next_zipfian (const KeyDist *self,
              Prng          *prng) {
  double c = self->exponent;

  for (;;) {
    double u = self->h_last + prng_unit (prng) * (self->h_first - self->h_last);
    double x = integral_inverse (c, u);
    double k = CLAMP (floor (x + 0.5), 1, (double)self->n_keys);

    if (k - x <= self->sure || u >= integral (c, k + 0.5) - weight (c, k))
      return (gint64)k - 1;
  }
}

static gint64
next_hotspot (const KeyDist *self,
              Prng          *prng) {
  guint64 n_cold = self->n_keys - self->n_hot;

  if (n_cold == 0 || prng_unit (prng) < self->hot_share)
    return (gint64)prng_below (prng, self->n_hot);
  return (gint64)(self->n_hot + prng_below (prng, n_cold));
}

gint64
keydist_next (const KeyDist    *self,
              Prng             *prng,
              _Atomic (gint64) *fresh) {
  switch (self->distribution) {
  case KEYS_UNIFORM:
    return (gint64)prng_below (prng, self->n_keys);
  case KEYS_SEQUENTIAL:
    /* Relaxed: only the numbers must differ. */
    return atomic_fetch_add_explicit (fresh, 1, memory_order_relaxed);
  case KEYS_ZIPFIAN:
    return next_zipfian (self, prng);
  case KEYS_HOTSPOT:
    return next_hotspot (self, prng);
  }
  g_return_val_if_reached (0);
}
