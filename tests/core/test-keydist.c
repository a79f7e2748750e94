/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-keydist.c — drawn keys against the shares they should have
 *
 * Fixed seeds. Chi-square over n cells has mean n - 1 and deviation
 * sqrt (2 (n - 1)); five deviations are allowed.
 */
#include "core/workload/keydist.h"

#include <math.h>

#define N_DRAWS 200000

static void
draw (const KeyChoice *choice,
      guint            n_keys,
      guint64          seed,
      guint           *counts) {
  _Atomic (gint64) fresh = n_keys;
  KeyDist dist;
  Prng prng;

  prng_init (&prng, seed);
  keydist_init (&dist, choice, n_keys);
  for (guint i = 0; i < N_DRAWS; i++) {
    gint64 key = keydist_next (&dist, &prng, &fresh);

    g_assert_cmpint (key, >=, 0);
    g_assert_cmpint (key, <, n_keys);
    counts[key]++;
  }
  g_assert_cmpint (fresh, ==, n_keys);
}

static void
assert_shares (const guint  *counts,
               const double *shares,
               guint         n) {
  double chi = 0;

  for (guint i = 0; i < n; i++) {
    double wanted = shares[i] * N_DRAWS;

    chi += (counts[i] - wanted) * (counts[i] - wanted) / wanted;
  }
  g_test_message ("chi-square %.1f over %u cells", chi, n);
  g_assert_cmpfloat (chi, <, n - 1 + 5 * sqrt (2.0 * (n - 1)));
}

static void
test_uniform (void) {
  KeyChoice choice = { .distribution = KEYS_UNIFORM };
  guint counts[100] = { 0 };
  double shares[100];

  for (guint i = 0; i < 100; i++)
    shares[i] = 0.01;
  draw (&choice, 100, 1, counts);
  assert_shares (counts, shares, 100);
}

static void
test_zipfian (void) {
  static const double constants[] = { 0.5, 0.99, 1, 1.5 };

  for (guint c = 0; c < G_N_ELEMENTS (constants); c++) {
    KeyChoice choice = { KEYS_ZIPFIAN, .zipfianconstant = constants[c] };
    guint counts[100] = { 0 };
    double shares[100], sum = 0;

    for (guint i = 0; i < 100; i++)
      sum += shares[i] = pow (i + 1, -constants[c]);
    for (guint i = 0; i < 100; i++)
      shares[i] /= sum;
    draw (&choice, 100, 2 + c, counts);
    assert_shares (counts, shares, 100);
  }
}

static void
test_zipfian_edges (void) {
  KeyChoice choice = { KEYS_ZIPFIAN, .zipfianconstant = 0.99 };
  guint one[1] = { 0 };
  KeyDist dist;
  Prng prng = { 9 };

  draw (&choice, 1, 3, one);
  g_assert_cmpuint (one[0], ==, N_DRAWS);
  keydist_init (&dist, &choice, SCENARIO_MAX_RECORDS);
  for (guint i = 0; i < 1000; i++)
    g_assert_cmpint (keydist_next (&dist, &prng, NULL), <, SCENARIO_MAX_RECORDS);
  choice.zipfianconstant = 10;
  keydist_init (&dist, &choice, SCENARIO_MAX_RECORDS);
  for (guint i = 0; i < 1000; i++)
    g_assert_cmpint (keydist_next (&dist, &prng, NULL), <, 16);
}

static void
test_hotspot (void) {
  KeyChoice choice = { KEYS_HOTSPOT, .hotspotdatafraction = 0.1,
                       .hotspotopnfraction = 0.7 };
  guint counts[100] = { 0 };
  double shares[100];

  for (guint i = 0; i < 100; i++)
    shares[i] = i < 10 ? 0.07 : 0.3 / 90;
  draw (&choice, 100, 4, counts);
  assert_shares (counts, shares, 100);
}

static void
test_sequential (void) {
  KeyChoice choice = { .distribution = KEYS_SEQUENTIAL };
  _Atomic (gint64) fresh = 50;
  KeyDist dist;
  Prng prng = { 5 };

  keydist_init (&dist, &choice, 50);
  for (gint64 i = 0; i < 100; i++)
    g_assert_cmpint (keydist_next (&dist, &prng, &fresh), ==, 50 + i);
}

static void
test_repeats (void) {
  static const KeyDistribution kinds[] = { KEYS_UNIFORM, KEYS_ZIPFIAN,
                                           KEYS_HOTSPOT };

  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++) {
    KeyChoice choice = { kinds[k], 0.99, 0.2, 0.8 };
    Prng first = { 77 }, second = { 77 };
    KeyDist dist;

    keydist_init (&dist, &choice, 1000);
    for (guint i = 0; i < 1000; i++)
      g_assert_cmpint (keydist_next (&dist, &first, NULL), ==,
                       keydist_next (&dist, &second, NULL));
  }
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/keydist/uniform-is-even", test_uniform);
  g_test_add_func ("/core/keydist/zipfian-follows-its-law", test_zipfian);
  g_test_add_func ("/core/keydist/zipfian-keeps-to-its-keys", test_zipfian_edges);
  g_test_add_func ("/core/keydist/hotspot-shares", test_hotspot);
  g_test_add_func ("/core/keydist/sequential-never-repeats", test_sequential);
  g_test_add_func ("/core/keydist/one-seed-one-stream", test_repeats);
  return g_test_run ();
}
