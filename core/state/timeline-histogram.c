/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-histogram.c — how long operations took, how long chains are
 *
 * Idea        Each 32 blocks are a group. Of a whole group it is kept how many
 *             operations of each thread and kind fell into each bin: a short list,
 *             as most bins are empty. Also kept is what was under way at its end,
 *             so that the events after it can be read without those before. A
 *             range is some whole groups, whose lists are added, and two ends,
 *             which are read: it is exact.
 *
 * Duration    True begin to true end: what the merge raised the times by is taken
 *             off (event.h, OP_BEGAN). A Range goes on while its thread does
 *             other operations inside, so it has a place of its own. Where a
 *             thread's events were dropped, nobody knows how long what was under
 *             way took: it is not counted.
 *
 * Threads     Groups are sealed by the follower, immutable then, and shown with the
 *             sums (timeline-sums.c).
 */
#include "core/state/timeline-histogram.h"

#include "core/base/histogram.h"
#include "core/state/map-state-private.h"
#include "core/state/timeline-private.h"

#include <string.h>

_Static_assert (STATE_HISTOGRAM_N == HISTOGRAM_N, "one scale for all");

#define GROUP_EVENTS ((guint64)32 * TRACE_BLOCK_EVENTS)

/* What an operation that ended comes to; FALSE: its begin is not known. */
static gboolean
end_op (LaneOps     *ops,
        const Event *event,
        guint       *bin) {
  guint slot = event->aux8 == OP_RANGE;
  gint64 ns = event->at_ns - (gint64)event->ver - ops->began_ns[slot];

  if (!ops->is_in[slot] || event->aux8 >= OP_N_KINDS)
    return FALSE;
  ops->is_in[slot] = FALSE;
  *bin = histogram_place ((guint64)MAX (0, ns));
  return TRUE;
}

static void
begin_op (LaneOps     *ops,
          const Event *event) {
  guint slot = event->aux8 == OP_RANGE;

  ops->is_in[slot] = TRUE;
  ops->began_ns[slot] = event->at_ns - (gint64)event->res;
}

/* What ends behind a gap may have begun in it. */
static void
forget_ops (LaneOps *ops) {
  ops->is_in[0] = ops->is_in[1] = FALSE;
}

/* How many were not told one by one. */
static guint64
counted_in (const Event *event) {
  if (event->aux8 >= OP_N_KINDS)
    return 0;
  if (event->kind == EVENT_OPS_COUNTED)
    return event->res;
  return event->kind == EVENT_OP_TOLD ? 1 : 0;
}

/* The follower's side ------------------------------------------------------ */

void
lane_ops_add (LaneOps     *ops,
              const Event *event) {
  guint bin;

  if (event->kind == EVENT_OP_BEGAN) {
    begin_op (ops, event);
    return;
  }
  if (event->kind == EVENT_DROPPED) {
    forget_ops (ops);
    return;
  }
  if (ops->counts == NULL)
    ops->counts = g_new0 (guint32, OP_N_KINDS * STATE_HISTOGRAM_N);
  if (event->kind != EVENT_OP_ENDED)
    ops->n_counted[event->aux8 % OP_N_KINDS] += counted_in (event);
  else if (end_op (ops, event, &bin))
    ops->counts[event->aux8 * STATE_HISTOGRAM_N + bin]++;
}

static void
add_count (GArray *list,
           guint16 lane,
           guint   op,
           guint   bin,
           guint64 n) {
  LatencyCount count = { n, lane, (guint8)op, (guint8)bin };

  if (n > 0)
    g_array_append_val (list, count);
}

/* Takes the lane's counts of the group that ends. */
static void
seal_lane (LaneOps *ops,
           guint16  lane,
           GArray  *list,
           GArray  *open) {
  LatencyOpen under_way = { .lane = lane, .ops = *ops };

  if (ops->is_in[0] || ops->is_in[1]) {
    under_way.ops.counts = NULL;
    g_array_append_val (open, under_way);
  }
  if (ops->counts == NULL)
    return;
  for (guint op = 0; op < OP_N_KINDS; op++) {
    guint32 *counts = &ops->counts[op * STATE_HISTOGRAM_N];

    for (guint bin = 0; bin < STATE_HISTOGRAM_N; bin++)
      add_count (list, lane, op, bin, counts[bin]);
    add_count (list, lane, op, STATE_HISTOGRAM_N, ops->n_counted[op]);
    ops->n_counted[op] = 0;
  }
  memset (ops->counts, 0,
          sizeof *ops->counts * OP_N_KINDS * STATE_HISTOGRAM_N);
}

void
sums_seal_latencies (Sums *self) {
  LatencyGroup *group;
  GArray *list, *open;

  if (self->front.n % GROUP_EVENTS != 0 || self->front.n == 0)
    return;
  group = pile_make (&self->latencies, self->front.n_latencies++);
  list = g_array_new (FALSE, FALSE, sizeof (LatencyCount));
  open = g_array_new (FALSE, FALSE, sizeof (LatencyOpen));
  for (guint i = 0; i < self->n_active; i++)
    seal_lane (&self->lanes[self->active[i]].ops, self->active[i], list, open);
  if (group != NULL) {
    group->n_counts = list->len;
    group->counts = g_memdup2 (list->data, list->len * sizeof (LatencyCount));
    group->n_open = open->len;
    group->open = g_memdup2 (open->data, open->len * sizeof (LatencyOpen));
  }
  g_array_unref (list);
  g_array_unref (open);
}

void
sums_clear_latencies (Sums *self) {
  for (guint64 i = 0; i < self->front.n_latencies; i++) {
    const LatencyGroup *group = pile_get (&self->latencies, i);

    if (group == NULL)
      continue;
    g_free (group->counts);
    g_free (group->open);
  }
  pile_clear (&self->latencies);
  for (guint i = 0; i <= SUMS_MAX_LANES; i++)
    g_clear_pointer (&self->lanes[i].ops.counts, g_free);
}

gsize
sums_latency_bytes (const Sums *self) {
  gsize bytes = pile_bytes (&self->latencies);

  for (guint64 i = 0; i < self->front.n_latencies; i++) {
    const LatencyGroup *group = pile_get (&self->latencies, i);

    if (group != NULL)
      bytes += group->n_counts * sizeof (LatencyCount)
               + group->n_open * sizeof (LatencyOpen);
  }
  return bytes;
}

/* Asking ------------------------------------------------------------------- */

typedef struct {
  LatencyHistogram *histogram;
  guint             op;
  int               lane; /* -1: all */
  guint64           from; /* earlier events are only followed */
  LaneOps           lanes[SUMS_MAX_LANES + 1];
} LatencyWalk;

static void
count_bin (LatencyWalk *walk,
           guint        bin,
           guint64      n) {
  if (bin == STATE_HISTOGRAM_N) {
    walk->histogram->n_counted += n;
    return;
  }
  walk->histogram->counts[bin] += n;
  walk->histogram->n_told += n;
}

static gboolean
is_asked (const LatencyWalk *walk,
          guint              lane,
          guint              op) {
  return (walk->lane < 0 || (guint)walk->lane == lane)
         && (walk->op == OP_N_KINDS || walk->op == op);
}

static void
walk_op (const Event *event,
         guint64      index,
         gpointer     data) {
  LatencyWalk *walk = data;
  guint lane;
  guint bin;

  if (event->kind != EVENT_OP_BEGAN && event->kind != EVENT_OP_ENDED
      && event->kind != EVENT_OP_TOLD && event->kind != EVENT_OPS_COUNTED
      && event->kind != EVENT_DROPPED)
    return;
  lane = sums_lane_place (event->thread);
  if (lane > SUMS_MAX_LANES)
    return;
  if (event->kind == EVENT_OP_BEGAN) {
    begin_op (&walk->lanes[lane], event);
  } else if (event->kind == EVENT_DROPPED) {
    forget_ops (&walk->lanes[lane]);
  } else if (event->kind != EVENT_OP_ENDED) {
    if (index >= walk->from && is_asked (walk, lane, event->aux8))
      count_bin (walk, STATE_HISTOGRAM_N, counted_in (event));
  } else if (end_op (&walk->lanes[lane], event, &bin) && index >= walk->from
             && is_asked (walk, lane, event->aux8)) {
    count_bin (walk, bin, 1);
  }
}

/* The events [@from, @to), read from the beginning of their group on. */
static gboolean
read_events (Timeline     *self,
             LatencyWalk  *walk,
             guint64       from,
             guint64       to,
             guint64       n_groups,
             GCancellable *cancellable) {
  guint64 group = MIN (from / GROUP_EVENTS, n_groups);
  guint64 at = group * GROUP_EVENTS;
  const LatencyGroup *before = group > 0
                                   ? pile_get (&self->sums.latencies, group - 1)
                                   : NULL;

  if (from >= to)
    return TRUE;
  walk->from = from;
  memset (walk->lanes, 0, sizeof walk->lanes);
  for (guint i = 0; before != NULL && i < before->n_open; i++)
    walk->lanes[before->open[i].lane] = before->open[i].ops;
  while (at < to) {
    guint64 end = MIN (to, at + TRACE_BLOCK_EVENTS);

    if (g_cancellable_is_cancelled (cancellable))
      return FALSE;
    timeline_visit (self, at, end, walk_op, walk);
    at = end;
  }
  return TRUE;
}

static void
add_groups (Timeline    *self,
            LatencyWalk *walk,
            guint64      from,
            guint64      to) {
  for (guint64 i = from; i < to; i++) {
    const LatencyGroup *group = pile_get (&self->sums.latencies, i);

    for (guint k = 0; group != NULL && k < group->n_counts; k++)
      if (is_asked (walk, group->counts[k].lane, group->counts[k].op))
        count_bin (walk, group->counts[k].bin, group->counts[k].n);
  }
}

gboolean
timeline_get_latencies (Timeline         *self,
                        guint64           from,
                        guint64           to,
                        guint             op,
                        int               thread,
                        GCancellable     *cancellable,
                        LatencyHistogram *histogram) {
  g_autofree LatencyWalk *walk = g_new0 (LatencyWalk, 1);
  guint64 n_groups, first, end;
  gboolean is_whole;

  memset (histogram, 0, sizeof *histogram);
  walk->histogram = histogram;
  walk->op = op;
  walk->lane = thread < 0 ? -1 : (int)sums_lane_place ((guint)thread);
  timeline_lock (self);
  n_groups = self->sums.shown.n_latencies;
  to = MIN (to, self->length);
  timeline_unlock (self);
  from = MIN (from, to);
  first = (from + GROUP_EVENTS - 1) / GROUP_EVENTS;
  end = MIN (to / GROUP_EVENTS, n_groups);
  if (first < end) {
    add_groups (self, walk, first, end);
    is_whole = read_events (self, walk, from, first * GROUP_EVENTS, n_groups,
                            cancellable)
               && read_events (self, walk, end * GROUP_EVENTS, to, n_groups,
                               cancellable);
  } else {
    is_whole = read_events (self, walk, from, to, n_groups, cancellable);
  }
  for (guint i = 0; i < STATE_HISTOGRAM_N; i++)
    if (histogram->counts[i] > 0)
      histogram->max_ns = G_GINT64_CONSTANT (1) << (i + 1);
  return is_whole;
}

/* Chains ------------------------------------------------------------------- */

static guint
count_slots (const StateBucket *bucket) {
  guint n = 0;

  for (guint i = 0; i < BUCKET_SLOTS; i++)
    n += bucket->tophash[i] >= TOPHASH_MIN;
  return n;
}

void
state_table_get_chains (const StateTable *table,
                        ChainHistogram   *histogram) {
  guint64 n_probes = 0;

  memset (histogram, 0, sizeof *histogram);
  for (guint i = 0; table->buckets != NULL && i < table->buckets->n_main; i++) {
    guint32 index = i;
    guint length = 0;

    do {
      const StateBucket *bucket = state_array_bucket (table->buckets, index);
      guint n = count_slots (bucket);

      length++;
      histogram->keys[n]++;
      histogram->n_keys += n;
      n_probes += (guint64)n * length;
      index = bucket->overflow;
    } while (index != 0);
    histogram->chains[MIN (length, CHAIN_HISTOGRAM_N - 1)]++;
    histogram->n_chains++;
  }
  if (histogram->n_keys > 0)
    histogram->mean_probes = (double)n_probes / (double)histogram->n_keys;
}
