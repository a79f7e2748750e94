/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-planes-private.h — bytes of planes back to numbers
 *
 * Idea        A number's bytes lie in planes far apart. Zipping the bytes of two
 *             planes gives halves of two bytes; zipping those gives four, and
 *             those eight: sixteen numbers of eight bytes take 24 zips, where one
 *             byte after another takes 128 shifts. The compiler has no idea of
 *             that by itself, but knows zips of vectors on every machine.
 *
 * Bounds      Planes are read by whole vectors: up to PLANES_SLACK bytes behind
 *             the last one asked for. As many numbers more are written.
 *
 * Order       Byte 0 is the lowest. The vectors lie in memory as on a machine of
 *             little-endian order; others take the plain way.
 */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

#define PLANES_SLACK 16u

#if G_BYTE_ORDER == G_LITTLE_ENDIAN

typedef guint8 Plane8 __attribute__ ((vector_size (16)));
typedef guint16 Plane16 __attribute__ ((vector_size (16)));
typedef guint32 Plane32 __attribute__ ((vector_size (16)));

static inline Plane8
plane_load (const guint8 *bytes) {
  Plane8 plane;

  memcpy (&plane, bytes, sizeof plane);
  return plane;
}

static inline Plane16
plane_zip_low8 (Plane8 a,
                Plane8 b) {
  return (Plane16)__builtin_shufflevector (a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4,
                                           20, 5, 21, 6, 22, 7, 23);
}

static inline Plane16
plane_zip_high8 (Plane8 a,
                 Plane8 b) {
  return (Plane16)__builtin_shufflevector (a, b, 8, 24, 9, 25, 10, 26, 11, 27,
                                           12, 28, 13, 29, 14, 30, 15, 31);
}

static inline Plane32
plane_zip_low16 (Plane16 a,
                 Plane16 b) {
  return (Plane32)__builtin_shufflevector (a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

static inline Plane32
plane_zip_high16 (Plane16 a,
                  Plane16 b) {
  return (Plane32)__builtin_shufflevector (a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/* Four numbers of which @a has the low halves and @b the high ones. */
static inline void
plane_store32 (guint64 *numbers,
               Plane32  a,
               Plane32  b) {
  Plane32 low = __builtin_shufflevector (a, b, 0, 4, 1, 5);
  Plane32 high = __builtin_shufflevector (a, b, 2, 6, 3, 7);

  memcpy (numbers, &low, sizeof low);
  memcpy (numbers + 2, &high, sizeof high);
}

/* Sixteen numbers of four bytes, of the four planes from @plane on. */
static inline void
plane_join4 (const guint8 *plane,
             gsize         stride,
             Plane32       numbers[4]) {
  Plane8 a = plane_load (plane), b = plane_load (plane + stride);
  Plane8 c = plane_load (plane + 2 * stride);
  Plane8 d = plane_load (plane + 3 * stride);
  Plane16 ab = plane_zip_low8 (a, b), cd = plane_zip_low8 (c, d);

  numbers[0] = plane_zip_low16 (ab, cd);
  numbers[1] = plane_zip_high16 (ab, cd);
  ab = plane_zip_high8 (a, b);
  cd = plane_zip_high8 (c, d);
  numbers[2] = plane_zip_low16 (ab, cd);
  numbers[3] = plane_zip_high16 (ab, cd);
}

/* @n numbers of four bytes from as many planes, @stride apart. */
static inline void
planes_join32 (const guint8 *plane,
               gsize         stride,
               guint         n,
               guint32      *numbers) {
  for (guint i = 0; i < n; i += 16) {
    Plane32 joined[4];

    plane_join4 (plane + i, stride, joined);
    memcpy (numbers + i, joined, sizeof joined);
  }
}

/* @n numbers: the low four bytes from the planes at @low, the others from those at
 * @high. */
static inline void
planes_join64 (const guint8 *low,
               const guint8 *high,
               gsize         stride,
               guint         n,
               guint64      *numbers) {
  for (guint i = 0; i < n; i += 16) {
    Plane32 lows[4], highs[4];

    plane_join4 (low + i, stride, lows);
    plane_join4 (high + i, stride, highs);
    for (guint k = 0; k < 4; k++)
      plane_store32 (numbers + i + 4 * k, lows[k], highs[k]);
  }
}

/* The same, but of the high bytes only the lower two are, one plane each. */
static inline void
planes_join411 (const guint8 *low,
                gsize         stride,
                const guint8 *fifth,
                const guint8 *sixth,
                guint         n,
                guint64      *numbers) {
  const Plane16 none = { 0 };

  for (guint i = 0; i < n; i += 16) {
    Plane8 a = plane_load (fifth + i), b = plane_load (sixth + i);
    Plane16 first = plane_zip_low8 (a, b), second = plane_zip_high8 (a, b);
    Plane32 lows[4];

    plane_join4 (low + i, stride, lows);
    plane_store32 (numbers + i, lows[0], plane_zip_low16 (first, none));
    plane_store32 (numbers + i + 4, lows[1], plane_zip_high16 (first, none));
    plane_store32 (numbers + i + 8, lows[2], plane_zip_low16 (second, none));
    plane_store32 (numbers + i + 12, lows[3], plane_zip_high16 (second, none));
  }
}

#else

static inline guint32
plane_join4 (const guint8 *plane,
             gsize         stride) {
  return plane[0] | (guint32)plane[stride] << 8
         | (guint32)plane[2 * stride] << 16 | (guint32)plane[3 * stride] << 24;
}

static inline void
planes_join32 (const guint8 *plane,
               gsize         stride,
               guint         n,
               guint32      *numbers) {
  for (guint i = 0; i < n; i++)
    numbers[i] = plane_join4 (plane + i, stride);
}

static inline void
planes_join64 (const guint8 *low,
               const guint8 *high,
               gsize         stride,
               guint         n,
               guint64      *numbers) {
  for (guint i = 0; i < n; i++)
    numbers[i] = plane_join4 (low + i, stride)
                 | (guint64)plane_join4 (high + i, stride) << 32;
}

static inline void
planes_join411 (const guint8 *low,
                gsize         stride,
                const guint8 *fifth,
                const guint8 *sixth,
                guint         n,
                guint64      *numbers) {
  for (guint i = 0; i < n; i++)
    numbers[i] = plane_join4 (low + i, stride) | (guint64)fifth[i] << 32
                 | (guint64)sixth[i] << 40;
}

#endif

G_END_DECLS
