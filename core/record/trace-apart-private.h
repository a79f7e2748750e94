/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-apart-private.h — codec 3: planes stored as suits each
 *
 * Told in trace-apart.c.
 */
#pragma once

#include "core/record/trace-block-private.h"
#include "core/record/trace-slots-private.h"

G_BEGIN_DECLS

/* Makes a good block's data of this codec; left as it is where that is not smaller.
 * @raw: the block unpacked, which is used up. */
void     trace_apart_repack (PackedBlock       *block,
                             const TraceSlots  *slots,
                             guint8            *raw);
/* Unpacks into exactly block->raw_size bytes, what @slots foretell missing; FALSE:
 * it is no such block. */
gboolean trace_apart_unpack (const PackedBlock *block,
                             TraceSlots        *slots,
                             guint8            *raw);

G_END_DECLS
