/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-screen.c — one screen of timeline, from the pyramid or the log
 *
 * Idea        The edges of the bins are times; each leads to a place, a count of
 *             events. Between two places lie whole nodes and parts of two leaves.
 *             Few enough events are read themselves: then each stands in its bin.
 *
 * Parts       A part of a leaf gets its share of what was counted there, cut so
 *             that the parts of a leaf sum to the whole: counts by events, waits
 *             and holds by time.
 *
 * Threads     The lock is held while the open leaf is copied. Sealed leaves are
 *             read without: they are immutable, and do not move.
 */
#include "core/state/timeline-screen-private.h"

#include <string.h>

/* Fewer events than this are read: some blocks, which the log keeps unpacked. */
#define EXACT_EVENTS (6 * TRACE_BLOCK_EVENTS)

void
screen_look (Timeline *self,
      gboolean  asks_lane,
      guint     thread,
      Screen   *screen) {
  const Sums *sums = &self->sums;

  timeline_lock (self);
  screen->sums = sums;
  screen->lane = NULL;
  screen->n = sums->shown.n;
  screen->n_leaves = sums->shown.n_leaves;
  screen->last_ns = sums->shown.last_ns;
  memcpy (screen->times, sums->shown.times, sizeof screen->times);
  screen->open = sums->shown.open;
  if (asks_lane)
    screen->lane = sums_peek_lane (sums, thread);
  if (screen->lane != NULL && !screen->lane->is_shown)
    screen->lane = NULL;
  if (screen->lane != NULL) {
    const LaneOpen *open = &screen->lane->shown;

    screen->lane_open = open->sum;
    if (open->wait_from_ns >= 0)
      screen->lane_open.wait_ns += (float)(screen->last_ns - open->wait_from_ns);
    if (open->hold_from_ns >= 0)
      screen->lane_open.hold_ns += (float)(screen->last_ns - open->hold_from_ns);
  }
  timeline_unlock (self);
}

/* Times and places --------------------------------------------------------- */

/* How many leaves begin with an event, the open one included. */
guint64
screen_n_begun (const Screen *screen) {
  return screen->n_leaves + (screen->n > sums_leaf_first (screen->n_leaves));
}

gint64
screen_leaf_start (const Screen *screen,
            guint64       leaf) {
  const gint64 *start_ns;

  if (leaf >= screen->n_leaves)
    return screen->times[0];
  start_ns = pile_get (&screen->sums->starts, leaf);
  return start_ns != NULL ? *start_ns : 0;
}

/* When the leaf ended: with the next one's first event. */
gint64
screen_leaf_end (const Screen *screen,
          guint64       leaf) {
  return leaf + 1 < screen_n_begun (screen) ? screen_leaf_start (screen, leaf + 1)
                                     : screen->last_ns;
}

guint64
screen_leaf_events (const Screen *screen,
             guint64       leaf) {
  return leaf < screen->n_leaves ? SUMS_LEAF_EVENTS
                                 : screen->n - sums_leaf_first (leaf);
}

/* Time of event @i * 64 of the leaf. */
static gint64
leaf_time (const Screen *screen,
           guint64       leaf,
           guint         i) {
  const LeafTimes *times;

  if (leaf >= screen->n_leaves)
    return screen->times[i];
  times = pile_get (&screen->sums->leaf_times, leaf);
  if (i == 0 || times == NULL)
    return screen_leaf_start (screen, leaf);
  return screen_leaf_start (screen, leaf)
         + ((gint64)times->since[i - 1] << times->shift);
}

/* The last leaf that begins before @at_ns, from @leaf on, which does. It is looked for
 * first @stride leaves on. */
static guint64
find_leaf (const Screen *screen,
           guint64       leaf,
           guint64       stride,
           gint64        at_ns) {
  guint64 end = screen_n_begun (screen);
  guint64 low = MIN (leaf + stride, end - 1), high = low, step = 1;

  if (screen_leaf_start (screen, low) < at_ns) {
    while (low + step < end && screen_leaf_start (screen, low + step) < at_ns) {
      low += step;
      step *= 2;
    }
    high = MIN (end, low + step);
  } else {
    while (high > leaf + step && screen_leaf_start (screen, high - step) >= at_ns) {
      high -= step;
      step *= 2;
    }
    low = high > leaf + step ? high - step : leaf;
  }
  while (low + 1 < high) {
    guint64 middle = low + (high - low) / 2;

    if (screen_leaf_start (screen, middle) < at_ns)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* How many of the times 1 to @n_times - 1 of the leaf, which begins before @at_ns, are
 * before it. */
static guint
count_times (const Screen *screen,
             guint64       leaf,
             guint         n_times,
             gint64        at_ns) {
  guint64 since_ns = (guint64)(at_ns - screen_leaf_start (screen, leaf)), since;
  const LeafTimes *times;
  guint n = 0;

  if (leaf >= screen->n_leaves) {
    while (n + 1 < n_times && screen->times[n + 1] < at_ns)
      n++;
    return n;
  }
  times = pile_get (&screen->sums->leaf_times, leaf);
  if (times == NULL)
    return n_times - 1;
  since = (since_ns + ((guint64)1 << times->shift) - 1) >> times->shift;
  for (guint i = 0; i < SUMS_LEAF_TIMES - 1; i++)
    n += times->since[i] < since;
  return n;
}

static double
place_in_leaf (const Screen *screen,
               guint64       leaf,
               gint64        at_ns) {
  guint64 n = screen_leaf_events (screen, leaf);
  guint n_times = (guint)((n + (1u << SUMS_TIME_BITS) - 1) >> SUMS_TIME_BITS);
  guint i = count_times (screen, leaf, n_times, at_ns);
  gint64 from_ns, to_ns;
  double first, count, share;

  first = (double)(i << SUMS_TIME_BITS);
  count = MIN ((double)(1u << SUMS_TIME_BITS), (double)n - first);
  from_ns = leaf_time (screen, leaf, i);
  to_ns = i + 1 < n_times ? leaf_time (screen, leaf, i + 1)
                          : screen_leaf_end (screen, leaf);
  share = to_ns > from_ns ? (double)(at_ns - from_ns) / (double)(to_ns - from_ns)
                          : 1;
  return (double)sums_leaf_first (leaf) + first + count * CLAMP (share, 0, 1);
}

/* Where bin @i of @n_bins between two times begins. */
static gint64
bin_start (gint64 from_ns,
           gint64 to_ns,
           guint  n_bins,
           guint  i) {
  return from_ns + (gint64)((double)(to_ns - from_ns) * i / n_bins);
}

/* The leaves of @edges, of times that do not fall, each found from the one before, that
 * of an earlier time, @leaf. What lies in them is asked for: nobody looked at it for
 * long, and each has a line of the cache of its own. */
static void
find_leaves (const Screen *screen,
             const Edge   *edges,
             guint         n,
             guint64       leaf,
             guint64      *leaves) {
  guint64 stride = 1;

  for (guint i = 0; i < n; i++) {
    guint64 found = leaf;

    if (edges[i].at_ns > screen_leaf_start (screen, leaf))
      found = find_leaf (screen, leaf, stride, edges[i].at_ns);
    stride = found - leaf;
    leaf = leaves[i] = found;
    if (leaf < screen->n_leaves)
      __builtin_prefetch (pile_get (&screen->sums->leaf_times, leaf));
  }
}

/* How many places are looked for together. */
#define EDGES_AT_ONCE 64u

/* (transfer full): @n_bins + 1 of them. */
Edge *
screen_find_edges (const Screen *screen,
                   gint64        from_ns,
                   gint64        to_ns,
                   guint         n_bins) {
  Edge *edges = g_new (Edge, n_bins + 1);
  guint64 leaves[EDGES_AT_ONCE] = { 0 };

  for (guint i = 0; i <= n_bins; i++)
    edges[i].at_ns = bin_start (from_ns, to_ns, n_bins, i);
  for (guint first = 0; first <= n_bins; first += EDGES_AT_ONCE) {
    guint n = MIN (n_bins + 1 - first, EDGES_AT_ONCE);

    if (screen->n > 0)
      find_leaves (screen, edges + first, n,
                   first > 0 ? leaves[EDGES_AT_ONCE - 1] : 0, leaves);
    for (guint i = 0; i < n; i++) {
      Edge *edge = &edges[first + i];

      if (edge->at_ns > screen->last_ns)
        edge->place = (double)screen->n;
      else if (screen->n == 0 || screen_leaf_start (screen, 0) >= edge->at_ns)
        edge->place = 0;
      else
        edge->place = place_in_leaf (screen, leaves[i], edge->at_ns);
    }
  }
  return edges;
}

/* Whether the events between are few enough to be read, and which they are. */
gboolean
screen_should_read (Timeline   *self,
             const Edge *edges,
             guint       n_bins,
             guint       limit,
             guint64    *first,
             guint64    *end) {
  if (edges[n_bins].place - edges[0].place > limit)
    return FALSE;
  timeline_find_times (self, edges[0].at_ns, edges[n_bins].at_ns, first, end);
  return *end - *first <= limit;
}

guint
bins_find (Bins  *bins,
           gint64 at_ns) {
  double share;
  guint i;

  if (at_ns >= bins->last_from_ns && at_ns < bins->last_to_ns)
    return bins->last;
  share = (double)(at_ns - bins->from_ns) / (double)(bins->to_ns - bins->from_ns);
  i = (guint)MIN (share * bins->n_bins, (double)(bins->n_bins - 1));
  /* The edges are whole nanoseconds. */
  while (i + 1 < bins->n_bins
         && bin_start (bins->from_ns, bins->to_ns, bins->n_bins, i + 1) <= at_ns)
    i++;
  while (i > 0
         && bin_start (bins->from_ns, bins->to_ns, bins->n_bins, i) > at_ns)
    i--;
  bins->last = i;
  bins->last_from_ns = bin_start (bins->from_ns, bins->to_ns, bins->n_bins, i);
  bins->last_to_ns = bin_start (bins->from_ns, bins->to_ns, bins->n_bins, i + 1);
  return i;
}

/* Density ------------------------------------------------------------------ */

typedef struct {
  Bins     bins;
  guint32 *counts;
} CountBins;

static void
count_event (const Event *event,
             guint64      index,
             gpointer     data) {
  CountBins *count = data;

  count->counts[bins_find (&count->bins, event->at_ns)]++;
}

void
timeline_get_density (Timeline *self,
                      gint64    from_ns,
                      gint64    to_ns,
                      guint     n_bins,
                      guint32  *counts) {
  CountBins count = { { .from_ns = from_ns, .to_ns = to_ns, .n_bins = n_bins },
                      counts };
  g_autofree Edge *edges = NULL;
  Screen screen;
  guint64 first, end;

  memset (counts, 0, sizeof *counts * n_bins);
  if (n_bins == 0 || to_ns <= from_ns)
    return;
  screen_look (self, FALSE, 0, &screen);
  edges = screen_find_edges (&screen, from_ns, to_ns, n_bins);
  if (screen_should_read (self, edges, n_bins, EXACT_EVENTS, &first, &end))
    timeline_visit (self, first, end, count_event, &count);
  else
    for (guint i = 0; i < n_bins; i++)
      counts[i] = (guint32)((guint64)edges[i + 1].place
                            - (guint64)edges[i].place);
}

/* Lanes -------------------------------------------------------------------- */

/* The share of a leaf's events, and of its time, before an edge. */
typedef struct {
  guint64 leaf;
  double  of_events;
  double  of_time;
} Cut;

static Cut
cut_at (const Screen *screen,
        const Edge   *edge) {
  guint64 leaf = (guint64)edge->place >> SUMS_LEAF_BITS;
  gint64 start_ns, end_ns;
  Cut cut = { leaf, 0, 0 };

  if (leaf >= screen_n_begun (screen))
    return cut;
  start_ns = screen_leaf_start (screen, leaf);
  end_ns = screen_leaf_end (screen, leaf);
  cut.of_events = (edge->place - (double)sums_leaf_first (leaf))
                  / (double)screen_leaf_events (screen, leaf);
  if (end_ns > start_ns)
    cut.of_time = CLAMP ((double)(edge->at_ns - start_ns)
                             / (double)(end_ns - start_ns), 0, 1);
  return cut;
}

static const LaneSum *
lane_leaf (const Screen *screen,
           guint64       leaf) {
  return leaf < screen->n_leaves ? pile_get (&screen->lane->heights[0], leaf)
                                 : &screen->lane_open;
}

/* The part of @n that lies between two shares, so that parts sum to @n. */
static guint32
part_of (guint32 n,
         double  before,
         double  after) {
  return (guint32)((guint64)(n * after) - (guint64)(n * before));
}

static void
add_part (const Screen *screen,
          guint64       leaf,
          const Cut    *from,
          const Cut    *to,
          LaneBin      *bin) {
  const LaneSum *sum = leaf < screen_n_begun (screen) ? lane_leaf (screen, leaf) : NULL;
  double e0 = from != NULL ? from->of_events : 0;
  double e1 = to != NULL ? to->of_events : 1;
  double t = (to != NULL ? to->of_time : 1) - (from != NULL ? from->of_time : 0);

  if (sum == NULL)
    return;
  bin->n_loads += part_of (sum->n_loads, e0, e1);
  bin->n_stores += part_of (sum->n_stores, e0, e1);
  bin->n_deletes += part_of (sum->n_deletes, e0, e1);
  bin->n_ranges += part_of (sum->n_ranges, e0, e1);
  bin->wait_ns += (gint64)((double)sum->wait_ns * t);
  bin->hold_ns += (gint64)((double)sum->hold_ns * t);
}

/* The whole leaves [@leaf, @end), by nodes as large as possible. */
static void
add_whole (const Screen *screen,
           guint64       leaf,
           guint64       end,
           LaneBin      *bin) {
  while (leaf < end) {
    guint height = 0;
    guint64 width = 1;
    const LaneSum *sum;

    while (height + 1 < SUMS_N_HEIGHTS
           && (leaf & ((width << SUMS_FAN_BITS) - 1)) == 0
           && leaf + (width << SUMS_FAN_BITS) <= MIN (end, screen->n_leaves)) {
      height++;
      width <<= SUMS_FAN_BITS;
    }
    sum = height == 0 ? lane_leaf (screen, leaf)
                      : pile_get (&screen->lane->heights[height],
                                  leaf >> (SUMS_FAN_BITS * height));
    leaf += width;
    if (sum == NULL)
      continue;
    bin->n_loads += sum->n_loads;
    bin->n_stores += sum->n_stores;
    bin->n_deletes += sum->n_deletes;
    bin->n_ranges += sum->n_ranges;
    bin->wait_ns += (gint64)sum->wait_ns;
    bin->hold_ns += (gint64)sum->hold_ns;
  }
}

/* A lane event by event. */
typedef struct {
  Bins     bins;
  LaneBin *out;
  guint    thread;
  gint64   wait_from_ns; /* -1: not waiting */
  gint64   hold_from_ns; /* -1: holds no lock */
} LaneWalk;

/* Adds a span of waiting or holding to the bins that it covers. */
static void
add_span (LaneWalk *walk,
          gint64    from_ns,
          gint64    to_ns,
          gboolean  is_hold) {
  Bins *bins = &walk->bins;
  guint i;

  if (from_ns < 0)
    return;
  from_ns = MAX (from_ns, bins->from_ns);
  to_ns = MIN (to_ns, bins->to_ns);
  if (from_ns >= to_ns)
    return;
  for (i = bins_find (bins, from_ns); from_ns < to_ns && i < bins->n_bins; i++) {
    gint64 end = i + 1 < bins->n_bins
                     ? bin_start (bins->from_ns, bins->to_ns, bins->n_bins, i + 1)
                     : bins->to_ns;

    end = MIN (end, to_ns);
    if (is_hold)
      walk->out[i].hold_ns += end - from_ns;
    else
      walk->out[i].wait_ns += end - from_ns;
    from_ns = end;
  }
}

static void
count_in_lane (LaneWalk    *walk,
               const Event *event) {
  LaneBin *bin;
  LaneSum sum = { 0 };

  if (event->at_ns < walk->bins.from_ns || event->at_ns >= walk->bins.to_ns)
    return;
  bin = &walk->out[bins_find (&walk->bins, event->at_ns)];
  if (event->kind == EVENT_RANGE_WALKED || event->kind == EVENT_RANGE_ENDED)
    sum.n_ranges = lane_buckets_walked (event);
  else
    lane_sum_count (&sum, event->aux8,
                    event->kind == EVENT_OPS_COUNTED ? event->res : 1);
  bin->n_loads += sum.n_loads;
  bin->n_stores += sum.n_stores;
  bin->n_deletes += sum.n_deletes;
  bin->n_ranges += sum.n_ranges;
}

static void
walk_lane (const Event *event,
           guint64      index,
           gpointer     data) {
  LaneWalk *walk = data;

  if (event->thread != walk->thread || !(sums_work[event->kind] & SUMS_LANE))
    return;
  if (event->kind == EVENT_LOCK_WAITED) {
    if (event->aux8 != LOCK_WAIT_DRAIN && walk->wait_from_ns < 0)
      walk->wait_from_ns = event->at_ns;
  } else if (event->kind == EVENT_LOCK_ACQUIRED
             || event->kind == EVENT_LOCK_READ_ACQUIRED) {
    add_span (walk, walk->wait_from_ns, event->at_ns, FALSE);
    add_span (walk, walk->hold_from_ns, event->at_ns, TRUE);
    walk->wait_from_ns = -1;
    walk->hold_from_ns = event->at_ns;
  } else if (event->kind == EVENT_LOCK_RELEASED
             || event->kind == EVENT_LOCK_READ_RELEASED) {
    add_span (walk, walk->hold_from_ns, event->at_ns, TRUE);
    walk->hold_from_ns = -1;
  } else if (event->kind == EVENT_DROPPED) {
    add_span (walk, walk->wait_from_ns, event->at_ns, FALSE);
    add_span (walk, walk->hold_from_ns, event->at_ns, TRUE);
    walk->wait_from_ns = walk->hold_from_ns = -1;
  } else {
    count_in_lane (walk, event);
  }
}

/* From the leaf's beginning on: it is known who waited and held then. */
static void
read_lane (Timeline     *self,
           const Screen *screen,
           LaneWalk     *walk,
           guint64       first,
           guint64       end) {
  guint64 leaf = MIN (first >> SUMS_LEAF_BITS, screen->n_leaves);
  const LaneSum *before = leaf > 0 ? pile_get (&screen->lane->heights[0], leaf - 1)
                                   : NULL;

  walk->wait_from_ns = walk->hold_from_ns = -1;
  if (before != NULL && before->waits)
    walk->wait_from_ns = screen_leaf_start (screen, leaf);
  if (before != NULL && before->holds)
    walk->hold_from_ns = screen_leaf_start (screen, leaf);
  timeline_visit (self, sums_leaf_first (leaf), end, walk_lane, walk);
  add_span (walk, walk->wait_from_ns, screen->last_ns, FALSE);
  add_span (walk, walk->hold_from_ns, screen->last_ns, TRUE);
}

void
timeline_get_lane (Timeline *self,
                   guint     thread,
                   gint64    from_ns,
                   gint64    to_ns,
                   guint     n_bins,
                   LaneBin  *bins) {
  LaneWalk walk = { .bins = { .from_ns = from_ns, .to_ns = to_ns, .n_bins = n_bins },
                    .out = bins,
                    .thread = thread };
  g_autofree Edge *edges = NULL;
  Screen screen;
  guint64 first, end;
  Cut from;

  memset (bins, 0, sizeof *bins * n_bins);
  if (n_bins == 0 || to_ns <= from_ns)
    return;
  screen_look (self, TRUE, thread, &screen);
  if (screen.lane == NULL)
    return;
  edges = screen_find_edges (&screen, from_ns, to_ns, n_bins);
  if (screen_should_read (self, edges, n_bins, EXACT_EVENTS, &first, &end)) {
    read_lane (self, &screen, &walk, first, end);
    return;
  }
  from = cut_at (&screen, &edges[0]);
  for (guint i = 0; i < n_bins; i++) {
    Cut to = cut_at (&screen, &edges[i + 1]);

    if (from.leaf == to.leaf) {
      add_part (&screen, from.leaf, &from, &to, &bins[i]);
    } else {
      add_part (&screen, from.leaf, &from, NULL, &bins[i]);
      add_whole (&screen, from.leaf + 1, to.leaf, &bins[i]);
      add_part (&screen, to.leaf, NULL, &to, &bins[i]);
    }
    from = to;
  }
}
