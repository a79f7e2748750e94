/* SPDX-License-Identifier: GPL-3.0-or-later */

/* paint-costs.h — what the map's work has cost: a column of figures
 *
 * Bytes per live key and what they are for, waits for locks and holds of them
 * as histograms, promotions and copies (or growths), compare-and-swaps that
 * were tried again.
 *
 * Pure painting from what a state counts; the widget and tests share it.
 */
#pragma once

#include "core/state/map-state.h"
#include "widgets/tophash-draw.h"

G_BEGIN_DECLS

typedef struct {
  StateCounters         counters;
  StateMemory           memory;
  gboolean              has_read_and_dirty;
  gboolean              has_versions;
  gboolean              has_locks; /* one was taken or waited for */
  gboolean              is_lockless; /* keys came, and no lock was taken */
  const TophashPalette *palette;   /* not needed to measure or to say */
  TophashDraw          *draw;      /* likewise, to say */
} CostsContext;

/* Sets what comes from @state; palette and draw stay. */
void   costs_context_read (CostsContext       *context,
                           const MapState     *state);

/* A lock is taken before the first key brings the buckets: keys have come, and
 * none was taken. */
gboolean costs_is_lockless (const MapState    *state);

/* @cr (nullable): NULL only measures. Returns the height. */
double paint_costs        (cairo_t            *cr,
                           const CostsContext *context,
                           double              width);
/* Two contexts of one shape have one height at the same width. */
guint  costs_shape        (const CostsContext *context);

/* (transfer full): the same figures in sentences, for a screen reader. */
char  *costs_to_text      (const CostsContext *context);

G_END_DECLS
