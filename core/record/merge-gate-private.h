/* SPDX-License-Identifier: GPL-3.0-or-later */

/* merge-gate-private.h — what only the recorder asks the gate */
#pragma once

#include "core/record/recorder.h"

G_BEGIN_DECLS

/* Whether the event is the first one seen of its entry though it cannot be the
 * entry's first change: it is admitted, but an earlier one may still come. */
gboolean merge_gate_is_late (MergeGate   *gate,
                             const Event *event);

/* From now on versions may have gaps: whatever comes passes. One that is newer
 * than what passed before becomes the present version. */
void     merge_gate_relax (MergeGate   *gate);

/* Lets the event pass if it may now; all of the recorder's questions at once.
 * @waits_for_none: late ones too. *n_overdue: one more if a later change of its
 * entry has passed already. */
gboolean merge_gate_try (MergeGate   *gate,
                         const Event *event,
                         gboolean     waits_for_none,
                         guint64     *n_overdue);

/* Lets the change of @entry to @ver pass if the one before it did, as nearly all
 * may. FALSE: merge_gate_try() knows. @ver: with whatever stands above the
 * version in a ring. */
gboolean merge_gate_try_known (MergeGate *gate,
                               guint32    entry,
                               guint32    ver);

/* Whether a later change of the event's entry has passed already. */
gboolean merge_gate_is_overdue (MergeGate   *gate,
                                const Event *event);

G_END_DECLS
