/* SPDX-License-Identifier: GPL-3.0-or-later */

/* key-filter-private.h — the bits of a Bloom filter of keys
 *
 * A filter is a power of two of words. Each key has some bits, a step apart that
 * is its own. A filter that is halved keeps the lower bits of a place, so that a
 * key is sought in it as in a large one.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

static inline guint64
key_filter_spread (gint64 key) {
  guint64 hash = (guint64)key * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

  hash ^= hash >> 32;
  return hash * G_GUINT64_CONSTANT (0xd6e8feb86659fd93) >> 16;
}

static inline void
key_filter_add (guint64 *words,
                guint    n_words,
                guint    n_bits,
                gint64   key) {
  guint64 hash = key_filter_spread (key);
  guint64 step = hash >> 24 | 1;

  for (guint i = 0; i < n_bits; i++, hash += step)
    words[hash / 64 & (n_words - 1)] |= (guint64)1 << hash % 64;
}

static inline gboolean
key_filter_may_hold (const guint64 *words,
                     guint          n_words,
                     guint          n_bits,
                     gint64         key) {
  guint64 hash = key_filter_spread (key);
  guint64 step = hash >> 24 | 1;

  if (n_words == 0)
    return FALSE;
  for (guint i = 0; i < n_bits; i++, hash += step)
    if (!(words[hash / 64 & (n_words - 1)] >> hash % 64 & 1))
      return FALSE;
  return TRUE;
}

/* Bits of both halves together; how many words of @n are left, 0 for none. */
static inline guint
key_filter_shrink (guint64 *words,
                   guint    n) {
  guint n_set = 0;

  for (guint i = 0; i < n; i++)
    n_set += (guint)__builtin_popcountll (words[i]);
  if (n_set == 0)
    return 0;
  while (n > 1) {
    n_set = 0;
    for (guint i = 0; i < n / 2; i++)
      n_set += (guint)__builtin_popcountll (words[i] | words[i + n / 2]);
    if (n_set > n / 2 * 64 / 5)
      break;
    for (guint i = 0; i < n / 2; i++)
      words[i] |= words[i + n / 2];
    n /= 2;
  }
  return n;
}

G_END_DECLS
