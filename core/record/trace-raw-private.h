/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-raw-private.h — where the planes of a raw block lie
 *
 * The layout is told in trace-block.c. Whoever packs a block in another way than
 * as a heap of bytes finds its planes by this.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Where the planes of a raw block begin. */
typedef struct {
  guint8 *kind, *aux8, *thread, *aux16, *res, *ver, *step, *longs, *a, *b;
} TracePlanes;

/* Returns the raw size. */
guint trace_planes_lay (TracePlanes *planes,
                        guint8      *raw,
                        guint        n,
                        guint        n_longs,
                        guint        n_payloads);

/* A number of @size bytes that lie @stride apart. */
static inline guint64
trace_get_spread (const guint8 *plane,
                  guint         stride,
                  guint         size) {
  guint64 value = 0;

  for (guint i = 0; i < size; i++)
    value |= (guint64)plane[(gsize)i * stride] << (8 * i);
  return value;
}

static inline void
trace_put_spread (guint8  *plane,
                  guint    stride,
                  guint    size,
                  guint64  value) {
  for (guint i = 0; i < size; i++)
    plane[(gsize)i * stride] = (guint8)(value >> (8 * i));
}

G_END_DECLS
