/* SPDX-License-Identifier: GPL-3.0-or-later */

/* reclaim-private.h — what tests need of the reclaimer */
#pragma once

#include "core/base/reclaim.h"

/* Items in a batch: a thread's retired items are sealed at this many. */
#define RECLAIM_BATCH_ITEMS 64

/* As reclaim_new(); @may_be_asymmetric false takes the way for kernels without
 * membarrier. */
Reclaim *reclaim_new_kind      (size_t         limit_bytes,
                                bool           may_be_asymmetric);
bool     reclaim_is_asymmetric (const Reclaim *self);
