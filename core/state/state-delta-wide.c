/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-delta-wide.c — the changed words of a group, sixteen places at once
 *
 * Idea        How many words of a bucket changed is anybody's guess, and to put them
 *             one by one a wrong guess each, at every bucket of a large map. AVX-512
 *             spreads packed words by a mask, however many they are.
 *
 * Machine     Which way is taken is asked of the processor. The portable way is in
 *             state-delta.c; both leave the same bytes.
 */
#include "core/state/state-delta-private.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

gboolean
state_delta_is_wide (void) {
  return __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("popcnt");
}

__attribute__ ((target ("avx512f,popcnt"))) const guint8 *
state_delta_put_wide (guint8       *words,
                      guint         n_words,
                      guint64       mask,
                      const guint8 *at,
                      const guint8 *until) {
  if ((gsize)(until - at) < (gsize)__builtin_popcountll (mask) * 4)
    return NULL;
  for (guint i = 0; i < n_words; i += 16, words += 64, mask >>= 16) {
    __mmask16 here = (__mmask16)mask;
    guint n = (guint)__builtin_popcount (here);
    /* What is not there is not read. */
    __m512i packed = _mm512_maskz_loadu_epi32 ((__mmask16)((1u << n) - 1), at);

    _mm512_mask_storeu_epi32 (words, here, _mm512_maskz_expand_epi32 (here, packed));
    at += n * 4;
  }
  return at;
}

#else

gboolean
state_delta_is_wide (void) {
  return FALSE;
}

const guint8 *
state_delta_put_wide (guint8       *words,
                      guint         n_words,
                      guint64       mask,
                      const guint8 *at,
                      const guint8 *until) {
  g_assert_not_reached ();
}

#endif
