/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-histogram.h — how long operations took, how long chains are
 *
 * Exact over any range of positions: sums kept along the log give the whole
 * groups of blocks, the two ends are read. A bin holds what took [2^i, 2^(i+1)) ns.
 *
 * Latencies are those of operations told one by one, begin and end; how many
 * more there were, told in brief or as counts, is said beside.
 *
 * Threads: any. Cost: up to 64 blocks read, some milliseconds; no further than
 * the timeline's length.
 */
#pragma once

#include "core/state/timeline.h"

G_BEGIN_DECLS

typedef struct {
  guint64 counts[STATE_HISTOGRAM_N]; /* of those told */
  guint64 n_told;
  guint64 n_counted; /* not told one by one */
  gint64  max_ns;    /* of the bin ends: at most twice the true one */
} LatencyHistogram;

/* Operations of kind @op (OP_N_KINDS: all) of @thread (-1: all) that ended at
 * positions in (from, to]. FALSE: cancelled. */
gboolean timeline_get_latencies (Timeline         *self,
                                 guint64           from,
                                 guint64           to,
                                 guint             op,
                                 int               thread,
                                 GCancellable     *cancellable,
                                 LatencyHistogram *histogram);

#define CHAIN_HISTOGRAM_N 16 /* the last bin: as many or more */

typedef struct {
  guint64 chains[CHAIN_HISTOGRAM_N]; /* by buckets in the chain; 0 is unused */
  guint64 keys[9];                   /* buckets by live slots, 0 to 8 */
  guint64 n_chains;
  guint64 n_keys;
  double  mean_probes;               /* buckets looked at to find a key */
} ChainHistogram;

/* Of @table's present buckets; any thread. */
void state_table_get_chains (const StateTable *table,
                             ChainHistogram   *histogram);

G_END_DECLS
