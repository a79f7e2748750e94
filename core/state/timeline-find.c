/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-find.c — questions that read the log itself
 *
 * Events of a kind are sought block by block; a note of the kinds in each
 * folded block lets whole blocks be passed over. Spans need what stood before the
 * first event looked at: they begin from a state. So does a query that asks of the
 * state; backward it is held against one block after another.
 */
#include "core/state/map-state-private.h"
#include "core/state/timeline-private.h"
#include "core/state/timeline-search.h"

#include <string.h>

/* How far spans are followed beyond the times asked for. */
#define SPAN_SLACK_EVENTS 4096u
#define SPAN_MAX_EVENTS 200000u

_Static_assert (EVENT_N_KINDS <= 64, "kinds fit one word");

EventKinds
event_kinds_structural (void) {
  EventKinds kinds = 0;

  for (guint kind = 1; kind < EVENT_TIME; kind++)
    if (event_kind_is_structural ((EventKind)kind))
      kinds |= EVENT_KIND_BIT (kind);
  return kinds;
}

EventKinds
event_kinds_of_key (void) {
  return EVENT_KIND_BIT (EVENT_OP_BEGAN) | EVENT_KIND_BIT (EVENT_OP_ENDED)
         | EVENT_KIND_BIT (EVENT_OP_TOLD)
         | EVENT_KIND_BIT (EVENT_SLOT_WRITTEN)
         | EVENT_KIND_BIT (EVENT_SLOT_UPDATED)
         | EVENT_KIND_BIT (EVENT_SLOT_CLEARED)
         | EVENT_KIND_BIT (EVENT_ENTRY_STORED)
         | EVENT_KIND_BIT (EVENT_ENTRY_DELETED)
         | EVENT_KIND_BIT (EVENT_ENTRY_EXPUNGED)
         | EVENT_KIND_BIT (EVENT_ENTRY_UNEXPUNGED);
}

/* A block is noted in whole once a later event is folded. @length: what
 * timeline_get_length() told, after which the kinds of blocks below it stand. */
static gboolean
may_hold (const Timeline *self,
          guint64         length,
          guint64         number,
          EventKinds      kinds) {
  const EventKinds *held;

  if ((number + 1) * TRACE_BLOCK_EVENTS > length)
    return TRUE;
  held = pile_get (&self->block_kinds, number);
  return held == NULL || (*held & kinds) != 0;
}

gboolean
timeline_block_may_hold (Timeline  *self,
                         guint64    index,
                         EventKinds kinds) {
  return may_hold (self, timeline_get_length (self), index / TRACE_BLOCK_EVENTS,
                   kinds);
}

/* The first index from @index on whose block may hold @kinds. */
static guint64
pass_forward (Timeline  *self,
              guint64    index,
              EventKinds kinds) {
  guint64 length = timeline_get_length (self);

  while (!may_hold (self, length, index / TRACE_BLOCK_EVENTS, kinds))
    index = (index / TRACE_BLOCK_EVENTS + 1) * TRACE_BLOCK_EVENTS;
  return index;
}

/* The last index up to @index such that the block before it may; 0: none does. */
static guint64
pass_backward (Timeline  *self,
               guint64    index,
               EventKinds kinds) {
  guint64 length = timeline_get_length (self);

  while (index > 0
         && !may_hold (self, length, (index - 1) / TRACE_BLOCK_EVENTS, kinds))
    index = (index - 1) / TRACE_BLOCK_EVENTS * TRACE_BLOCK_EVENTS;
  return index;
}

static gboolean
is_wanted (const Event *event,
           EventKinds   kinds,
           int          thread) {
  return (kinds & EVENT_KIND_BIT (event->kind & 63)) != 0
         && (thread < 0 || event->thread == thread);
}

guint64
timeline_find_before (Timeline     *self,
                      guint64       index,
                      guint64       length,
                      EventKinds    kinds,
                      int           thread,
                      GCancellable *cancellable) {
  while ((index = pass_forward (self, index, kinds)) < length
         && !g_cancellable_is_cancelled (cancellable)) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (self->log, index);
    guint64 end;

    if (block == NULL)
      break;
    end = MIN (length, block->first + block->n_events);
    for (; index < end; index++)
      if (is_wanted (&block->events[index - block->first], kinds, thread))
        return index + 1;
    index = block->first + TRACE_BLOCK_EVENTS;
  }
  return G_MAXUINT64;
}

/* Below @index. */
static guint64
find_backward (Timeline     *self,
               guint64       index,
               EventKinds    kinds,
               int           thread,
               GCancellable *cancellable) {
  while ((index = pass_backward (self, index, kinds)) > 0
         && !g_cancellable_is_cancelled (cancellable)) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (self->log, index - 1);

    if (block == NULL)
      break;
    index = MIN (index, block->first + block->n_events);
    for (; index > block->first; index--)
      if (is_wanted (&block->events[index - 1 - block->first], kinds, thread))
        return index;
  }
  return G_MAXUINT64;
}

guint64
timeline_find (Timeline     *self,
               guint64       from,
               gboolean      forward,
               EventKinds    kinds,
               int           thread,
               GCancellable *cancellable) {
  guint64 length = timeline_get_length (self);

  if (forward)
    return timeline_find_before (self, from, length, kinds, thread, cancellable);
  return find_backward (self, MIN (from, length), kinds, thread, cancellable);
}

void
timeline_find_times (Timeline *self,
                     gint64    from_ns,
                     gint64    to_ns,
                     guint64  *first,
                     guint64  *end) {
  guint64 length = timeline_get_length (self);

  *first = from_ns > 0 ? tracelog_index_at (self->log, from_ns - 1) : 0;
  *end = to_ns > 0 ? tracelog_index_at (self->log, to_ns - 1) : 0;
  *first = MIN (*first, length);
  *end = MAX (*first, MIN (*end, length));
}

void
timeline_visit (Timeline  *self,
                guint64    first,
                guint64    end,
                VisitEvent visit,
                gpointer   data) {
  while (first < end) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (self->log, first);

    if (block == NULL)
      return;
    for (; first < end && first - block->first < block->n_events; first++)
      visit (&block->events[first - block->first], first, data);
  }
}

void
timeline_fold_on (Timeline *self,
                  Fold     *fold,
                  guint64   end,
                  FoldVisit visit,
                  gpointer  data) {
  guint64 at;

  while ((at = fold_n_events (fold)) < end) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (self->log, at);
    guint64 to;

    if (block == NULL)
      return;
    to = MIN (end, block->first + block->n_events);
    fold_visit_many (fold, block->events + (at - block->first), (guint)(to - at),
                     visit, data);
  }
}

/* Spans -------------------------------------------------------------------- */

typedef struct {
  GArray *spans;
  guint   thread;
  guint   n_before; /* spans that the array held already */
  guint   max;
  gint64  to_ns;
  gboolean is_full;
} SpanWalk;

static void
open_span (SpanWalk    *walk,
           SpanKind     kind,
           const Event *event,
           guint64      index) {
  LaneSpan span = { .kind = kind,
                    .thread = (guint16)walk->thread,
                    .from_ns = event->at_ns,
                    .to_ns = G_MAXINT64,
                    .index = index };

  /* Beyond the times only ends are of interest. */
  if (event->at_ns >= walk->to_ns)
    return;
  if (kind == SPAN_OP) {
    span.op = (OpKind)event->aux8;
    span.key = (gint64)event->a;
  } else {
    span.id = kind == SPAN_RANGE || kind == SPAN_SNAPSHOT ? event->ver : event->res;
  }
  if (walk->spans->len - walk->n_before >= walk->max)
    walk->is_full = TRUE;
  else
    g_array_append_val (walk->spans, span);
}

static void
close_span (SpanWalk    *walk,
            SpanKind     kind,
            const Event *event) {
  for (guint i = walk->spans->len; i > walk->n_before; i--) {
    LaneSpan *span = &g_array_index (walk->spans, LaneSpan, i - 1);

    if (span->kind != kind || span->to_ns != G_MAXINT64
        || (kind == SPAN_SNAPSHOT && span->id != event->ver))
      continue;
    span->to_ns = event->at_ns;
    if (kind == SPAN_OP)
      span->path = event->aux16;
    return;
  }
}

/* What ends behind a gap may have begun in it: of what was under way only a
 * snapshot, which its id tells apart, is known to be the same. */
static void
forget_open (SpanWalk *walk) {
  for (guint i = walk->spans->len; i > walk->n_before; i--) {
    const LaneSpan *span = &g_array_index (walk->spans, LaneSpan, i - 1);

    if (span->to_ns == G_MAXINT64 && span->kind != SPAN_SNAPSHOT)
      g_array_remove_index (walk->spans, i - 1);
  }
}

/* An operation told in brief is a span without length: a tick. */
static void
add_tick (SpanWalk    *walk,
          const Event *event,
          guint64      index) {
  LaneSpan tick = { .kind = SPAN_OP,
                    .op = (OpKind)event->aux8,
                    .thread = (guint16)walk->thread,
                    .key = event_told_key (event),
                    .path = event->aux16,
                    .from_ns = event->at_ns,
                    .to_ns = event->at_ns,
                    .index = index };

  if (event->at_ns >= walk->to_ns)
    return;
  if (walk->spans->len - walk->n_before >= walk->max)
    walk->is_full = TRUE;
  else
    g_array_append_val (walk->spans, tick);
}

static void
walk_span (const Event *event,
           guint64      index,
           gpointer     data) {
  SpanWalk *walk = data;

  if (event->thread != walk->thread)
    return;
  if (event->kind == EVENT_OP_BEGAN && event->aux8 < OP_N_KINDS) {
    open_span (walk, SPAN_OP, event, index);
  } else if (event->kind == EVENT_OP_ENDED) {
    close_span (walk, SPAN_OP, event);
  } else if (event->kind == EVENT_OP_TOLD && event->aux8 < OP_N_KINDS) {
    add_tick (walk, event, index);
  } else if (event->kind == EVENT_LOCK_WAITED
             && event->aux8 != LOCK_WAIT_DRAIN) {
    open_span (walk, SPAN_WAIT, event, index);
  } else if (event->kind == EVENT_LOCK_ACQUIRED
             || event->kind == EVENT_LOCK_READ_ACQUIRED) {
    close_span (walk, SPAN_WAIT, event);
    open_span (walk, SPAN_HOLD, event, index);
  } else if (event->kind == EVENT_LOCK_RELEASED
             || event->kind == EVENT_LOCK_READ_RELEASED) {
    close_span (walk, SPAN_HOLD, event);
  } else if (event->kind == EVENT_RANGE_BEGAN) {
    open_span (walk, SPAN_RANGE, event, index);
  } else if (event->kind == EVENT_RANGE_ENDED) {
    close_span (walk, SPAN_RANGE, event);
  } else if (event->kind == EVENT_SNAPSHOT_BEGAN) {
    open_span (walk, SPAN_SNAPSHOT, event, index);
  } else if (event->kind == EVENT_SNAPSHOT_ENDED) {
    close_span (walk, SPAN_SNAPSHOT, event);
  } else if (event->kind == EVENT_DROPPED) {
    forget_open (walk);
  }
}

/* Opens the span of @kind that began at @at_ns, before the walk. */
static void
open_earlier (Timeline  *self,
              SpanWalk  *walk,
              SpanKind   kind,
              EventKind  began,
              gint64     at_ns) {
  guint64 index = tracelog_index_at (self->log, at_ns);
  Event event;

  while (index > 0 && tracelog_get_event (self->log, index - 1, &event)
         && event.at_ns == at_ns) {
    index--;
    if (event.kind == began && event.thread == walk->thread) {
      open_span (walk, kind, &event, index);
      return;
    }
  }
}

/* What was under way at the start of the walk, oldest first. */
static void
open_under_way (Timeline       *self,
                SpanWalk       *walk,
                const MapState *state) {
  gboolean has_gaps = map_state_counters (state)->n_dropped > 0;

  for (guint i = 0; i < state->n_threads; i++) {
    const ThreadRecord *record = &state->threads[i];

    if (record->shown.thread != walk->thread)
      continue;
    if (record->shown.in_op)
      open_earlier (self, walk, SPAN_OP, EVENT_OP_BEGAN,
                    record->shown.op_began_ns);
    if (record->shown.waits_for >= 0)
      open_earlier (self, walk, SPAN_WAIT, EVENT_LOCK_WAITED,
                    record->wait_began_ns);
  }
  /* In a gap a lock may have been released, an iteration ended. */
  for (guint i = 0; !has_gaps && i < state->n_locks; i++)
    if (state->locks[i].owner == (int)walk->thread)
      open_earlier (self, walk, SPAN_HOLD, EVENT_LOCK_ACQUIRED,
                    state->locks[i].since_ns);
  for (guint i = 0; !has_gaps && i < state->n_iters; i++)
    if (state->iters[i].shown.is_open
        && state->iters[i].shown.thread == walk->thread)
      open_earlier (self, walk, SPAN_RANGE, EVENT_RANGE_BEGAN,
                    state->iters[i].shown.began_ns);
  for (guint i = 0; i < state->n_snapshots; i++)
    if (state->snapshots[i].thread == walk->thread)
      open_earlier (self, walk, SPAN_SNAPSHOT, EVENT_SNAPSHOT_BEGAN,
                    state->snapshots[i].began_ns);
}

gboolean
timeline_get_spans (Timeline *self,
                    guint     thread,
                    gint64    from_ns,
                    gint64    to_ns,
                    guint     max,
                    GArray   *spans) {
  SpanWalk walk = { .spans = spans,
                    .thread = thread,
                    .n_before = spans->len,
                    .max = max,
                    .to_ns = to_ns };
  g_autoptr (MapState) state = NULL;
  guint64 first;
  guint64 end;

  timeline_find_times (self, from_ns, to_ns, &first, &end);
  if (end - first > SPAN_MAX_EVENTS)
    return FALSE;
  state = timeline_seek (self, first, NULL);
  open_under_way (self, &walk, state);
  end = MIN (end + SPAN_SLACK_EVENTS, timeline_get_length (self));
  timeline_visit (self, first, end, walk_span, &walk);
  return !walk.is_full;
}

/* Queries ------------------------------------------------------------------ */

typedef struct {
  QueryWalk      *walk;
  Fold           *fold; /* NULL: the state is not asked */
  const MapState *state;
  guint64         kinds;
  guint64         from;  /* matches before are none of ours */
  gboolean        is_first;
  gboolean        takes_first;
  guint64         found; /* position; G_MAXUINT64: none */
  guint64         index; /* of the next event to fold */
  gboolean        has_former;
  Event           former; /* folded by now, to be looked at */
} MatchWalk;

static gboolean
looks_at (const MatchWalk *match,
          const Event     *event) {
  return match->is_first || (match->kinds >> (event->kind & 63) & 1) != 0;
}

/* @event was folded, if the state is asked. */
static void
judge (MatchWalk   *match,
       const Event *event,
       guint64      index) {
  if (match->takes_first && match->found != G_MAXUINT64)
    return;
  match->is_first = FALSE;
  if (query_walk_matches (match->walk, event, match->state)
      && index >= match->from)
    match->found = index + 1;
}

static void
walk_match (const Event *event,
            guint64      index,
            gpointer     data) {
  MatchWalk *match = data;

  if (looks_at (match, event))
    judge (match, event, index);
}

static void
judge_former (MatchWalk *match) {
  if (match->has_former)
    judge (match, &match->former, match->index - 1);
  match->has_former = FALSE;
}

/* The state @event meets is the one that the event before it left. */
static void
visit_match (const Event    *event,
             const MapState *before,
             gpointer        data) {
  MatchWalk *match = data;

  judge_former (match);
  match->has_former = looks_at (match, event);
  if (match->has_former)
    match->former = *event;
  match->index++;
}

static void
walk_note (const Event *event,
           guint64      index,
           gpointer     data) {
  query_walk_note (data, event);
}

/* Begins at @from, where the state is @state. Operations that began long before take
 * what their time was raised by as theirs: little beside how long they take. */
static void
begin_between (Timeline       *self,
               QueryWalk      *walk,
               guint64         from,
               const MapState *state) {
  query_walk_begin (walk, state);
  timeline_visit (self, from - MIN (from, SPAN_SLACK_EVENTS), from, walk_note, walk);
}

/* Holds the query against the events from @from to @end: the first match, or
 * the last one. */
static guint64
match_between (Timeline     *self,
               EventQuery   *query,
               guint64       from,
               guint64       end,
               gboolean      takes_first,
               GCancellable *cancellable) {
  g_autoptr (QueryWalk) walk = query_walk_new (query);
  g_autoptr (MapState) state = timeline_seek (self, from, cancellable);
  MatchWalk match = { .walk = walk,
                      .kinds = event_query_kinds_told (query),
                      .from = from,
                      .is_first = from == 0,
                      .index = from,
                      .takes_first = takes_first,
                      .found = G_MAXUINT64 };

  if (from > 0)
    begin_between (self, walk, from, state);
  if (event_query_asks_state (query)) {
    match.fold = fold_new_from_state (state);
    match.state = fold_peek_state (match.fold);
  }
  while (from < end && !g_cancellable_is_cancelled (cancellable)) {
    guint64 next = MIN (end, (from / TRACE_BLOCK_EVENTS + 1)
                                 * TRACE_BLOCK_EVENTS);

    if (match.fold != NULL) {
      timeline_fold_on (self, match.fold, next, visit_match, &match);
      judge_former (&match);
    } else if (from == 0
               || timeline_block_may_hold (self, from, match.kinds))
      timeline_visit (self, from, next, walk_match, &match);
    from = next;
    if (takes_first && match.found != G_MAXUINT64)
      break;
  }
  fold_free (match.fold);
  return match.found;
}

guint64
timeline_find_match (Timeline     *self,
                     guint64       from,
                     gboolean      forward,
                     EventQuery   *query,
                     GCancellable *cancellable) {
  guint64 length = timeline_get_length (self);
  guint64 end = MIN (from, length);

  if (forward)
    return from < length ? match_between (self, query, from, length, TRUE,
                                          cancellable)
                         : G_MAXUINT64;
  while (end > 0 && !g_cancellable_is_cancelled (cancellable)) {
    guint64 begin = (end - 1) / TRACE_BLOCK_EVENTS * TRACE_BLOCK_EVENTS;
    guint64 found = G_MAXUINT64;

    if (begin == 0
        || timeline_block_may_hold (self, begin, event_query_kinds (query)))
      found = match_between (self, query, begin, end, FALSE, cancellable);
    if (found != G_MAXUINT64)
      return found;
    end = begin;
  }
  return G_MAXUINT64;
}
