/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-zstd-private.h — codec 2: one zstd frame of declared size */
#pragma once

#include "core/record/trace-block-private.h"

G_BEGIN_DECLS

/* Unpacks into exactly @raw_size bytes; FALSE: it is no such frame. */
gboolean trace_zstd_unpack (const guint8 *packed,
                            guint32       stored_size,
                            guint8       *raw,
                            guint32       raw_size);
/* One frame of all of @raw in at most @room bytes; 0: it does not fit, or there is
 * no memory. */
guint    trace_zstd_pack   (guint8       *packed,
                            guint         room,
                            const guint8 *raw,
                            guint         raw_size);
/* The same, of what only repeats make smaller: in a fraction of the time. */
guint    trace_zstd_pack_repeats (guint8       *packed,
                                  guint         room,
                                  const guint8 *raw,
                                  guint         raw_size);
/* Makes a good block's data zstd; left as it is where that is not smaller.
 * @raw: the block unpacked. */
void     trace_zstd_repack (PackedBlock  *block,
                            const guint8 *raw);

G_END_DECLS
