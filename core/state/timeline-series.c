/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-series.c — the counters of one screen: rates, levels, their extremes
 *
 * Rates       Differences of the counts at a bin's two edges. Of few events a rate
 *             says nothing: such a bin has that of the events around it. Where the
 *             events themselves are folded, a bin has the rate of the operations
 *             up to its end, EXACT_OPS of them or more.
 *
 * Levels      In a bin, those of its last leaf, and the lowest and highest of all
 *             leaves that it touches. Where that takes a third of a millisecond at
 *             the most, the events themselves are folded, one by one.
 *
 * Threads     As timeline-screen.c.
 */
#include "core/state/map-state-private.h"
#include "core/state/timeline-screen-private.h"

#include <math.h>

/* Levels are folded for so many events at the most, and at this cost. */
#define EXACT_FOLDS 6144u
#define EXACT_COST_NS 350000u
/* So many operations make a rate that is looked at one by one; free choice: few
 * enough to see a change at teaching pace, more than one hit or miss. */
#define EXACT_OPS 8.0
/* A rate is over so many events at least. */
#define RATE_EVENTS 256.0

static gboolean
is_rate (SeriesKind kind) {
  return kind == SERIES_HIT_RATE || kind == SERIES_LOCK_WAIT
         || kind == SERIES_OPS;
}

static const SeriesLeaf *
series_leaf (const Screen *screen,
             guint64       leaf) {
  return leaf < screen->n_leaves ? pile_get (&screen->sums->series, leaf)
                                 : &screen->open;
}

/* What was counted up to a place. */
typedef struct {
  double n_ops;
  double n_in_read;
  double lock_wait_ns;
  double at_ns;
} Counts;

static Counts
counts_at (const Screen *screen,
           double        place) {
  guint64 leaf = MIN ((guint64)place >> SUMS_LEAF_BITS, screen_n_begun (screen) - 1);
  static const SeriesLeaf zero;
  const SeriesLeaf *before = leaf > 0 ? series_leaf (screen, leaf - 1) : &zero;
  const SeriesLeaf *after = series_leaf (screen, leaf);
  gint64 start_ns = screen_leaf_start (screen, leaf);
  double f = (place - (double)sums_leaf_first (leaf))
             / (double)screen_leaf_events (screen, leaf);

  if (before == NULL || after == NULL)
    return (Counts){ 0 };
  return (Counts){
    (double)before->n_ops + f * (double)(after->n_ops - before->n_ops),
    (double)before->n_in_read
        + f * (double)(after->n_in_read - before->n_in_read),
    (double)before->lock_wait_ns
        + f * (double)(after->lock_wait_ns - before->lock_wait_ns),
    (double)start_ns + f * (double)(screen_leaf_end (screen, leaf) - start_ns),
  };
}

/* A bin with few events has the rate of those around it. */
static double
rate_between (const Screen *screen,
              SeriesKind    kind,
              double        from,
              double        to) {
  Counts low, high;
  double n_ops;

  if (to - from < RATE_EVENTS) {
    from = floor (from / RATE_EVENTS) * RATE_EVENTS;
    to = MAX (ceil (to / RATE_EVENTS) * RATE_EVENTS, from + RATE_EVENTS);
    to = MIN (to, (double)screen->n);
    from = MAX (0, MIN (from, to - RATE_EVENTS));
  }
  low = counts_at (screen, from);
  high = counts_at (screen, to);
  n_ops = high.n_ops - low.n_ops;
  if (kind == SERIES_OPS)
    return high.at_ns > low.at_ns ? n_ops * 1e9 / (high.at_ns - low.at_ns) : NAN;
  if (n_ops <= 0)
    return NAN;
  return kind == SERIES_HIT_RATE ? (high.n_in_read - low.n_in_read) / n_ops
                                 : (high.lock_wait_ns - low.lock_wait_ns) / n_ops;
}

typedef struct {
  double value;
  double low;
  double high;
} SeriesBin;

static void
widen (SeriesBin *bin,
       double     low,
       double     high) {
  if (low < bin->low)
    bin->low = low;
  if (high > bin->high)
    bin->high = high;
}

static void
widen_by_leaf (const Screen *screen,
               SeriesKind    kind,
               guint64       leaf,
               SeriesBin    *bin) {
  const SeriesLeaf *sums = series_leaf (screen, leaf);
  double rate;

  if (sums == NULL)
    return;
  if (!is_rate (kind)) {
    widen (bin, sums->low[kind - SUMS_FIRST_LEVEL],
           sums->high[kind - SUMS_FIRST_LEVEL]);
    return;
  }
  /* Of few events it says nothing. */
  if (screen_leaf_events (screen, leaf) < RATE_EVENTS)
    return;
  rate = series_leaf_rate (screen->sums, kind, leaf, sums,
                           screen_leaf_end (screen, leaf));
  widen (bin, rate, rate);
}

/* By the leaves [@leaf, @end), and nodes as large as possible. */
static void
widen_by_leaves (const Screen *screen,
                 SeriesKind    kind,
                 guint64       leaf,
                 guint64       end,
                 SeriesBin    *bin) {
  while (leaf < end) {
    guint height = 0;
    guint64 width = 1;

    while (height + 1 < SUMS_N_HEIGHTS
           && (leaf & ((width << SUMS_FAN_BITS) - 1)) == 0
           && leaf + (width << SUMS_FAN_BITS) <= MIN (end, screen->n_leaves)) {
      height++;
      width <<= SUMS_FAN_BITS;
    }
    if (height == 0) {
      widen_by_leaf (screen, kind, leaf, bin);
    } else {
      const SeriesNode *node = pile_get (&screen->sums->nodes[height],
                                         leaf >> (SUMS_FAN_BITS * height));

      if (node != NULL)
        widen (bin, node->low[kind], node->high[kind]);
    }
    leaf += width;
  }
}

/* The bin between two edges; events are before its end. */
static void
sum_bin (const Screen *screen,
         SeriesKind    kind,
         const Edge   *from,
         const Edge   *to,
         SeriesBin    *bin) {
  guint64 first = (guint64)from->place >> SUMS_LEAF_BITS;
  guint64 last = (guint64)MAX (0, ceil (to->place) - 1) >> SUMS_LEAF_BITS;

  first = MIN (first, last);
  if (is_rate (kind)) {
    bin->value = rate_between (screen, kind, from->place, to->place);
    /* Whole leaves alone: a part has no rate of its own. */
    if (to->place - from->place >= 2 * SUMS_LEAF_EVENTS)
      widen_by_leaves (screen, kind, first + 1, last, bin);
  } else {
    const SeriesLeaf *leaf = series_leaf (screen, last);

    bin->value = leaf != NULL ? leaf->last[kind - SUMS_FIRST_LEVEL] : NAN;
    widen_by_leaves (screen, kind, first, last + 1, bin);
  }
}

static double
level_of (const MapState *state,
          SeriesKind      kind) {
  float levels[SUMS_N_LEVELS];

  if (kind == SERIES_MISSES)
    return (double)state->misses;
  if (kind == SERIES_LIVE)
    return (double)map_state_n_live (state);
  sums_table_levels (state, levels);
  return (double)levels[kind - SUMS_FIRST_LEVEL];
}

/* A level event by event. */
typedef struct {
  Bins       bins;
  SeriesKind kind;
  SeriesBin *out;
  guint      at;         /* bin */
  double     level;      /* now */
  gboolean   is_changed; /* maybe, by the last event */
} LevelWalk;

static void
move_to_bin (LevelWalk *walk,
             guint      bin) {
  while (walk->at < bin) {
    walk->out[walk->at].value = walk->level;
    walk->at++;
    widen (&walk->out[walk->at], walk->level, walk->level);
  }
}

/* The level that the last event left. */
static void
note_level (LevelWalk      *walk,
            const MapState *state) {
  if (!walk->is_changed)
    return;
  walk->level = level_of (state, walk->kind);
  widen (&walk->out[walk->at], walk->level, walk->level);
}

static void
walk_level (const Event    *event,
            const MapState *before,
            gpointer        data) {
  LevelWalk *walk = data;

  note_level (walk, before);
  move_to_bin (walk, bins_find (&walk->bins, event->at_ns));
  walk->is_changed = (sums_work[event->kind] & SUMS_LEVELS) != 0;
}

/* FALSE: that would take too long. */
static gboolean
fold_levels (Timeline   *self,
             SeriesKind  kind,
             const Edge *edges,
             guint       n_bins,
             SeriesBin  *out) {
  LevelWalk walk = { .bins = { .from_ns = edges[0].at_ns,
                               .to_ns = edges[n_bins].at_ns,
                               .n_bins = n_bins },
                     .kind = kind,
                     .out = out };
  g_autoptr (MapState) state = NULL;
  g_autoptr (Fold) fold = NULL;
  guint64 first, end;

  if (!screen_should_read (self, edges, n_bins, EXACT_FOLDS, &first, &end)
      || timeline_fold_cost_ns (self, first, end) > EXACT_COST_NS)
    return FALSE;
  state = timeline_seek (self, first, NULL);
  fold = fold_new_from_state (state);
  walk.level = first > 0 ? level_of (state, kind) : NAN;
  widen (&out[0], walk.level, walk.level);
  timeline_fold_on (self, fold, end, walk_level, &walk);
  note_level (&walk, fold_peek_state (fold));
  move_to_bin (&walk, n_bins - 1);
  out[n_bins - 1].value = walk.level;
  return TRUE;
}

/* Counts at the ends of the bins. */
typedef struct {
  Bins    bins;
  Counts *ends;
  guint   at; /* bin */
} RateWalk;

static Counts
counts_of (const MapState *state) {
  const StateCounters *counters = map_state_counters (state);
  Counts counts = { .n_in_read = (double)counters->n_in_read,
                    .lock_wait_ns = (double)counters->lock_wait_ns };

  for (guint op = 0; op < OP_N_KINDS; op++)
    counts.n_ops += (double)counters->n_ops[op];
  return counts;
}

static void
end_bins (RateWalk       *walk,
          const MapState *state,
          guint           bin) {
  Counts counts;

  if (walk->at >= bin)
    return;
  counts = counts_of (state);
  while (walk->at < bin)
    walk->ends[walk->at++] = counts;
}

static void
walk_rate (const Event    *event,
           const MapState *before,
           gpointer        data) {
  RateWalk *walk = data;

  end_bins (walk, before, bins_find (&walk->bins, event->at_ns));
}

/* Of the counts at the bins' ends; @begin: those before the first. */
static void
rate_bins (SeriesKind    kind,
           const Counts *ends,
           const Counts *begin,
           const Edge   *edges,
           guint         n_bins,
           SeriesBin    *out) {
  guint back = 0; /* bins before it are not looked at */

  for (guint i = 0; i < n_bins; i++) {
    const Counts *low;
    double n_ops;

    while (back < i && ends[i].n_ops - ends[back].n_ops >= EXACT_OPS)
      back++;
    low = back > 0 ? &ends[back - 1] : begin;
    n_ops = ends[i].n_ops - low->n_ops;
    if (kind == SERIES_OPS)
      out[i].value = n_ops * 1e9 / (double)(edges[i + 1].at_ns - edges[back].at_ns);
    else if (n_ops > 0)
      out[i].value = kind == SERIES_HIT_RATE
                         ? (ends[i].n_in_read - low->n_in_read) / n_ops
                         : (ends[i].lock_wait_ns - low->lock_wait_ns) / n_ops;
  }
}

/* FALSE: that would take too long. */
static gboolean
fold_rates (Timeline   *self,
            SeriesKind  kind,
            const Edge *edges,
            guint       n_bins,
            SeriesBin  *out) {
  g_autofree Counts *ends = NULL;
  g_autoptr (MapState) state = NULL;
  g_autoptr (Fold) fold = NULL;
  RateWalk walk = { .bins = { .from_ns = edges[0].at_ns,
                              .to_ns = edges[n_bins].at_ns,
                              .n_bins = n_bins } };
  guint64 first, end;
  Counts begin;

  if (!screen_should_read (self, edges, n_bins, EXACT_FOLDS, &first, &end)
      || timeline_fold_cost_ns (self, first, end) > EXACT_COST_NS)
    return FALSE;
  ends = walk.ends = g_new (Counts, n_bins);
  state = timeline_seek (self, first, NULL);
  fold = fold_new_from_state (state);
  begin = counts_of (state);
  timeline_fold_on (self, fold, end, walk_rate, &walk);
  end_bins (&walk, fold_peek_state (fold), n_bins);
  rate_bins (kind, ends, &begin, edges, n_bins, out);
  return TRUE;
}

static void
tell_bin (const SeriesBin *bin,
          gboolean         is_there,
          double          *value,
          double          *low,
          double          *high) {
  double least = bin->low;
  double most = bin->high;

  if (!is_there || (isnan (bin->value) && least > most)) {
    *value = *low = *high = NAN;
    return;
  }
  *value = bin->value;
  *low = least > most ? bin->value : fmin (least, bin->value);
  *high = least > most ? bin->value : fmax (most, bin->value);
}

void
timeline_get_series_range (Timeline  *self,
                           SeriesKind kind,
                           gint64     from_ns,
                           gint64     to_ns,
                           guint      n_bins,
                           double    *values,
                           double    *mins,
                           double    *maxs) {
  g_autofree SeriesBin *bins = g_new (SeriesBin, n_bins);
  g_autofree Edge *edges = NULL;
  gboolean is_folded;
  Screen screen;

  if (n_bins == 0)
    return;
  for (guint i = 0; i < n_bins; i++)
    bins[i] = (SeriesBin){ NAN, INFINITY, -INFINITY };
  screen_look (self, FALSE, 0, &screen);
  edges = screen_find_edges (&screen, from_ns, MAX (to_ns, from_ns + 1), n_bins);
  is_folded = is_rate (kind) ? fold_rates (self, kind, edges, n_bins, bins)
                             : fold_levels (self, kind, edges, n_bins, bins);
  for (guint i = 0; i < n_bins; i++) {
    gboolean is_there = edges[i].at_ns <= screen.last_ns
                        && edges[i + 1].place > 0;
    double value;

    if (is_there && !is_folded)
      sum_bin (&screen, kind, &edges[i], &edges[i + 1], &bins[i]);
    tell_bin (&bins[i], is_there, values != NULL ? &values[i] : &value,
              mins != NULL ? &mins[i] : &value, maxs != NULL ? &maxs[i] : &value);
  }
}

void
timeline_get_series (Timeline  *self,
                     SeriesKind kind,
                     gint64     from_ns,
                     gint64     to_ns,
                     guint      n_bins,
                     double    *values) {
  timeline_get_series_range (self, kind, from_ns, to_ns, n_bins, values, NULL,
                             NULL);
}
