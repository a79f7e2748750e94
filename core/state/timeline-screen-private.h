/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-screen-private.h — where the bins of a screen lie among the leaves */
#pragma once

#include "core/state/timeline-private.h"

G_BEGIN_DECLS

/* The sums at one moment. */
typedef struct {
  const Sums *sums;
  const Lane *lane; /* NULL: none is asked */
  guint64     n;
  guint64     n_leaves;
  gint64      last_ns;
  gint64      times[SUMS_LEAF_TIMES];
  SeriesLeaf  open;
  LaneSum     lane_open;
} Screen;

/* Where a time lies. */
typedef struct {
  gint64 at_ns;
  double place; /* events before it */
} Edge;

/* Bins that are filled event by event. */
typedef struct {
  gint64 from_ns;
  gint64 to_ns;
  guint  n_bins;
  guint  last; /* the bin found last, which the next event mostly lies in too: … */
  gint64 last_from_ns;
  gint64 last_to_ns; /* … before this; 0 at first, as the former: none was found */
} Bins;

/* Takes the lock for a moment; @thread is the lane that is asked. */
void     screen_look        (Timeline     *self,
                             gboolean      asks_lane,
                             guint         thread,
                             Screen       *screen);
guint64  screen_n_begun     (const Screen *screen);
gint64   screen_leaf_start  (const Screen *screen,
                             guint64       leaf);
gint64   screen_leaf_end    (const Screen *screen,
                             guint64       leaf);
guint64  screen_leaf_events (const Screen *screen,
                             guint64       leaf);
Edge    *screen_find_edges  (const Screen *screen,
                             gint64        from_ns,
                             gint64        to_ns,
                             guint         n_bins);
/* Whether the events between are no more than @limit, and which they are. */
gboolean screen_should_read (Timeline     *self,
                             const Edge   *edges,
                             guint         n_bins,
                             guint         limit,
                             guint64      *first,
                             guint64      *end);
guint    bins_find          (Bins         *bins,
                             gint64        at_ns);

static inline guint64
sums_leaf_first (guint64 leaf) {
  return leaf << SUMS_LEAF_BITS;
}

G_END_DECLS
