/* SPDX-License-Identifier: GPL-3.0-or-later */

/* honesty-measure.h — what recording costs this workload on this machine
 *
 * Runs the same scenario for a short while blind (nobody listens) and recorded,
 * in turns, and says how many ns an operation took each way. The threads, the
 * engine and the mix are the real ones; only the recorder is absent.
 *
 * Threads: honesty_measure() blocks for about @seconds; call it from a worker.
 */
#pragma once

#include "core/workload/runner.h"

G_BEGIN_DECLS

typedef struct {
  double  blind_ns;     /* per operation and thread; medians of the turns */
  double  recorded_ns;
  guint   n_turns;      /* of each way */
  double  spread;       /* largest relative deviation from a median */
  guint64 n_operations; /* of both ways together */
} HonestyFigures;

/* At full speed, whatever targets, pauses and durations @scenario asks for.
 * Errors: as runner_new(), and G_IO_ERROR_CANCELLED. */
gboolean honesty_measure (const Scenario    *scenario,
                          double             seconds,
                          GCancellable      *cancellable,
                          HonestyFigures    *figures,
                          GError           **error);

G_END_DECLS
