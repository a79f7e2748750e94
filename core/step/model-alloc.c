/* SPDX-License-Identifier: GPL-3.0-or-later */

/* model-alloc.c — alloc.h over the arena of the stepped build
 *
 * The same contract as core/base/alloc.c, so that engines do not notice: zero
 * bytes, lines of their own from 64 bytes up, a countdown to a failure. What is
 * freed is poisoned and remembered (step-memory.c); giving it back is an access
 * of the step that does it.
 */
#include "core/base/alloc.h"

#include "core/step/step-memory.h"
#include "core/step/step-run.h"

static _Thread_local int64_t countdown = -1;

void *
alloc_zeroed (size_t size_bytes) {
  if (countdown >= 0 && countdown-- == 0)
    return NULL;
  return step_memory_take (size_bytes);
}

void
alloc_free (void  *memory,
            size_t size_bytes) {
  if (memory == NULL)
    return;
  if (step_memory_look (memory) != STEP_MEMORY_LIVE
      && step_memory_look (memory) != STEP_MEMORY_DISUSED)
    step_fail (STEP_USED_FREED, "memory at +%#llx is freed a second time",
               (unsigned long long)step_memory_offset (memory));
  step_memory_give (memory, size_bytes);
  step_note (SYNC_FREE, memory, size_bytes);
}

void
alloc_fail_after (int64_t n) {
  countdown = n;
}

size_t
alloc_bytes_held (void) {
  return step_memory_held ();
}
