/* SPDX-License-Identifier: GPL-3.0-or-later */

/* keydist.h — which key comes next
 *
 * A KeyDist is the arithmetic of one KeyChoice over n keys; it is constant once
 * made, so that threads share it. Chance comes from the caller's own Prng.
 */
#pragma once

#include "core/workload/scenario.h"

#include <stdatomic.h>

G_BEGIN_DECLS

typedef struct {
  KeyDistribution distribution;
  guint64         n_keys;
  double          exponent; /* zipfian */
  double          h_first;  /* zipfian: see keydist.c */
  double          h_last;
  double          sure;
  guint64         n_hot;    /* hotspot */
  double          hot_share;
} KeyDist;

/* @n_keys: keys 0 to n_keys - 1; 0 is allowed when nothing is drawn. */
void   keydist_init (KeyDist         *self,
                     const KeyChoice *choice,
                     guint64          n_keys);

/* @fresh: the next key nobody used yet; only sequential takes from it. */
gint64 keydist_next (const KeyDist   *self,
                     Prng            *prng,
                     _Atomic (gint64) *fresh);

G_END_DECLS
