/* SPDX-License-Identifier: GPL-3.0-or-later */

/* engine-costs.h — what waiting, holding, promoting, copying, retrying cost
 *
 * Measured with the map's own clock, EngineConfig.now_ns, and only where what is
 * measured is dear against two readings of it: each wait that was one, each
 * promotion and copy, and one hold of a lock in ENGINE_HOLD_PERIOD. So a way that
 * takes no lock never comes here, and one that takes a free lock pays for a
 * countdown. The thread counts in its tally; the event that tells the end of the
 * wait or hold carries the same number, so that a recording counts alike.
 *
 * CAS that are tried again are counted beside, clock or not; the probe's count
 * goes out with the end of the operation.
 *
 * A measured duration is at least 1 ns: 0 means that it was not measured.
 */
#pragma once

#include "core/base/histogram.h"
#include "core/engine/engine.h"
#include "core/probe/probe.h"

_Static_assert (ENGINE_HISTOGRAM_N == HISTOGRAM_N, "one scale for all");

/* A CAS failed, since another thread was faster, and is tried again. In line, and
 * without a call: it stands in loops whose first turn is nearly always the last,
 * and which then need to save no registers. */
static inline void
engine_count_retry (EngineThread *thread) {
  sync_count_add (&thread->tally->n_cas_retries, 1);
  probe_count_retry ();
}

/* 0: the map has no clock. */
static inline uint64_t
engine_now_ns (const EngineThread *thread) {
  uint64_t (*now_ns) (void) = thread->map->config.now_ns;

  return now_ns != NULL ? now_ns () : 0;
}

/* What has passed since @began_ns, an engine_now_ns(). */
static inline uint64_t
engine_elapsed_ns (const EngineThread *thread,
                   uint64_t            began_ns) {
  uint64_t now = began_ns != 0 ? engine_now_ns (thread) : 0;

  if (began_ns == 0)
    return 0;
  return now > began_ns ? now - began_ns : 1;
}

/* The thread has the lock it waited for since @began_ns. */
static inline uint64_t
engine_end_wait (EngineThread *thread,
                 uint64_t      began_ns) {
  uint64_t waited_ns = engine_elapsed_ns (thread, began_ns);

  if (waited_ns != 0)
    sync_count_add (&thread->tally->lock_waits[histogram_place (waited_ns)], 1);
  return waited_ns;
}

/* The thread has a lock; it holds one at a time. */
static inline void
engine_begin_hold (EngineThread *thread) {
  EngineTally *tally = thread->tally;

  if (__builtin_expect (tally->hold_countdown != 0, 1)) {
    tally->hold_countdown--;
    return;
  }
  tally->hold_countdown = ENGINE_HOLD_PERIOD - 1;
  tally->hold_began_ns = engine_now_ns (thread);
}

/* It is about to give the lock back. */
static inline uint64_t
engine_end_hold (EngineThread *thread) {
  EngineTally *tally = thread->tally;
  uint64_t held_ns;

  if (__builtin_expect (tally->hold_began_ns == 0, 1))
    return 0;
  held_ns = engine_elapsed_ns (thread, tally->hold_began_ns);
  tally->hold_began_ns = 0;
  sync_count_add (&tally->lock_holds[histogram_place (held_ns)], 1);
  return held_ns;
}
