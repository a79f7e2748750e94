/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-search.h — all the places of a recording where a query matches
 *
 * A search has a thread of its own that goes through the log once, from its
 * start, and follows it while it grows. What was found so far can be read at
 * any time. A query of events alone passes over blocks without such kinds.
 *
 * Threads: any, for all functions. Results: positions as in timeline.h (just
 * after the event that matches), ascending.
 */
#pragma once

#include "core/state/event-query.h"
#include "core/state/timeline.h"

G_BEGIN_DECLS

/* Places kept; further ones are only counted. */
#define TIMELINE_SEARCH_MAX 1000000u

/* As timeline_find(), for a query: next and previous of a key, a bucket
 * ("bucket=5 table=2"), a thread, a condition. Backward, a condition on the state
 * is folded block by block, a millisecond each: cancellable, and better answered
 * by a search when matches are rare. */
guint64 timeline_find_match (Timeline     *self,
                             guint64       from,
                             gboolean      forward,
                             EventQuery   *query,
                             GCancellable *cancellable);

typedef struct _TimelineSearch TimelineSearch;

typedef struct {
  guint64  position;
  gint64   at_ns;
  guint16  thread;
  guint8   kind; /* EventKind */
} SearchHit;

TimelineSearch *timeline_search_new    (Timeline       *timeline,
                                        EventQuery     *query);
TimelineSearch *timeline_search_ref    (TimelineSearch *self);
/* The last one cancels; its thread ends soon and is not waited for. */
void            timeline_search_unref  (TimelineSearch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TimelineSearch, timeline_search_unref)

/* Blocks until timeline_search_is_complete(): command line and tests. */
void            timeline_search_wait   (TimelineSearch *self);

EventQuery *timeline_search_get_query  (TimelineSearch *self);
/* Events looked at. */
guint64  timeline_search_get_progress  (TimelineSearch *self);
/* The log is finished and all of it was looked at. */
gboolean timeline_search_is_complete   (TimelineSearch *self);
/* All matches so far, those not kept included. */
guint64  timeline_search_get_n         (TimelineSearch *self);
/* The match @index; FALSE: there is none so far, or it was not kept. */
gboolean timeline_search_get           (TimelineSearch *self,
                                        guint64         index,
                                        SearchHit      *hit);
/* How many kept matches lie at positions <= @position: the next match is the
 * one with that index, the previous one the one before it. */
guint64  timeline_search_count_to      (TimelineSearch *self,
                                        guint64         position);
/* Matches per bin between two times: the ticks. */
void     timeline_search_get_density   (TimelineSearch *self,
                                        gint64          from_ns,
                                        gint64          to_ns,
                                        guint           n_bins,
                                        guint32        *counts);

G_END_DECLS
