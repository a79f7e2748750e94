/* SPDX-License-Identifier: GPL-3.0-or-later */

/* damaged-blocks.h — for tests of what blocks are packed as
 *
 * A block with some bits turned, too short, or of another size than it says, is
 * refused, or read as something valid within its bounds.
 */
#pragma once

#include "core/base/prng.h"
#include "core/record/trace-block-private.h"

#include <glib.h>

#define DAMAGED_ROUNDS 20000

/* Half of the bits are turned in the first @n_head bytes. */
static inline void
assert_damage_is_found (const PackedBlock *block,
                        guint              n_head,
                        Prng              *prng) {
  g_autofree Event *back = g_new0 (Event, TRACE_BLOCK_EVENTS);
  BlockLimits limits = { NULL, 4 };

  for (guint round = 0; round < DAMAGED_ROUNDS; round++) {
    PackedBlock bad = *block;

    /* A copy of the exact size, so that an address sanitizer sees the end. */
    bad.data = g_memdup2 (block->data, block->stored_size);
    for (guint64 flips = 1 + prng_below (prng, 4); flips > 0; flips--)
      bad.data[prng_below (prng, prng_below (prng, 2) == 0 ? n_head
                                                           : bad.stored_size)]
          ^= (guint8)(1u << prng_below (prng, 8));
    if (prng_below (prng, 4) == 0)
      bad.raw_size += (guint32)prng_below (prng, 64) - 32;
    if (prng_below (prng, 4) == 0)
      bad.stored_size = (guint32)prng_below (prng, bad.stored_size);
    if (trace_block_unpack (&bad, &limits, back) == NULL)
      for (guint i = 0; i < bad.n_events; i++)
        g_assert_cmpuint (back[i].kind, <, EVENT_TIME);
    g_free (bad.data);
  }
}
