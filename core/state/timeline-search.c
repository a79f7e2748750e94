/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-search.c — all the places of a recording where a query matches
 *
 * Idea        One thread goes over the log block by block and holds the query
 *             against each event; when it asks of the state, a fold of its own
 *             goes along. A query of events alone passes over the blocks that
 *             the timeline knows to hold nothing for it.
 *
 * Following   It goes no further than the timeline has folded, so that each hit
 *             can be sought at once, and looks again every few milliseconds while
 *             the log grows. It ends by itself behind the last event.
 *
 * Life        The users share one reference to the search, its thread has the
 *             other: whoever lets go last frees it. So nobody waits for a thread
 *             that is in the middle of a block.
 *
 * Threads     lock guards what is found and how far; the thread takes it once a
 *             block. users is an atomic count; stop is set under the lock and
 *             looked at once a block.
 */
#include "core/state/timeline-search.h"

#include "core/state/fold.h"
#include "core/state/timeline-private.h"

#include <string.h>

#define POLL_US (4 * 1000)

struct _TimelineSearch {
  gint            users;
  gint            ref_count; /* the users', and the thread's */
  Timeline       *timeline;
  EventQuery     *query;

  pthread_mutex_t lock; /* guards all below */
  pthread_cond_t  woken;
  gboolean        is_stopping;
  gboolean        is_complete;
  guint64         progress;
  guint64         n;
  GArray         *hits; /* of SearchHit */
};

/* The thread's own. */
typedef struct {
  TimelineSearch *search;
  QueryWalk      *walk;
  Fold           *fold; /* NULL: the state is not asked */
  const MapState *state;
  guint64         kinds;
  guint64         position;
  GArray         *found; /* of SearchHit: in this block */
  const Event    *former; /* folded, and not looked at yet */
} Pass;

static void
search_unref_inner (TimelineSearch *self) {
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  timeline_unref (self->timeline);
  event_query_unref (self->query);
  g_array_unref (self->hits);
  pthread_cond_destroy (&self->woken);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

/* @event is that at the position, and folded, if any are. */
static void
look_at (Pass        *pass,
         const Event *event) {
  guint64 index = pass->position++;
  SearchHit hit = { .position = index + 1,
                    .at_ns = event->at_ns,
                    .thread = event->thread,
                    .kind = event->kind };

  if ((pass->kinds >> (event->kind & 63) & 1 || index == 0)
      && query_walk_matches (pass->walk, event, pass->state))
    g_array_append_val (pass->found, hit);
}

/* The state that @event meets is the one that the event before it left. */
static void
look_at_former (const Event    *event,
                const MapState *before,
                gpointer        data) {
  Pass *pass = data;

  if (pass->former != NULL)
    look_at (pass, pass->former);
  pass->former = event;
}

static void
look_at_block (Pass             *pass,
               const TraceBlock *block,
               guint64           end) {
  const Event *events = block->events + (pass->position - block->first);
  guint n = (guint)(end - pass->position);

  if (pass->fold == NULL) {
    for (guint i = 0; i < n; i++)
      look_at (pass, &events[i]);
    return;
  }
  pass->former = NULL;
  fold_visit_many (pass->fold, events, n, look_at_former, pass);
  if (pass->former != NULL)
    look_at (pass, pass->former);
}

/* Shows what was found; FALSE: nobody wants more. */
static gboolean
tell (Pass *pass) {
  TimelineSearch *self = pass->search;
  gboolean goes_on;
  guint n_kept;

  pthread_mutex_lock (&self->lock);
  n_kept = MIN (pass->found->len, TIMELINE_SEARCH_MAX - self->hits->len);
  if (n_kept > 0)
    g_array_append_vals (self->hits, pass->found->data, n_kept);
  self->n += pass->found->len;
  self->progress = pass->position;
  goes_on = !self->is_stopping;
  pthread_mutex_unlock (&self->lock);
  g_array_set_size (pass->found, 0);
  return goes_on;
}

/* FALSE: the search is to end. */
static gboolean
search_to (Pass   *pass,
           guint64 length) {
  TimelineSearch *self = pass->search;
  TraceLog *log = timeline_get_log (self->timeline);

  while (pass->position < length) {
    guint64 end = MIN (length, (pass->position / TRACE_BLOCK_EVENTS + 1)
                                   * TRACE_BLOCK_EVENTS);

    if (pass->fold == NULL && pass->position != 0
        && !timeline_block_may_hold (self->timeline, pass->position,
                                     pass->kinds)) {
      pass->position = end;
    } else {
      g_autoptr (TraceBlock) block = tracelog_ref_block (log, pass->position);

      if (block == NULL)
        return FALSE;
      look_at_block (pass, block, end);
    }
    if (!tell (pass))
      return FALSE;
  }
  return TRUE;
}

/* FALSE: the search is to end. */
static gboolean
wait_a_while (TimelineSearch *self) {
  struct timespec until;
  gboolean goes_on;

  clock_gettime (CLOCK_MONOTONIC, &until);
  until.tv_nsec += POLL_US * 1000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_nsec -= 1000000000;
    until.tv_sec++;
  }
  pthread_mutex_lock (&self->lock);
  if (!self->is_stopping)
    pthread_cond_timedwait (&self->woken, &self->lock, &until);
  goes_on = !self->is_stopping;
  pthread_mutex_unlock (&self->lock);
  return goes_on;
}

static gpointer
search (gpointer data) {
  TimelineSearch *self = data;
  Pass pass = { .search = self,
                .walk = query_walk_new (self->query),
                .kinds = event_query_kinds_told (self->query),
                .found = g_array_new (FALSE, FALSE, sizeof (SearchHit)) };
  gboolean goes_on = TRUE;

  if (event_query_asks_state (self->query)) {
    pass.fold = fold_new ();
    pass.state = fold_peek_state (pass.fold);
  }
  while (goes_on) {
    /* Complete first: a length read after it is the last one. */
    gboolean is_complete = timeline_is_complete (self->timeline);

    goes_on = search_to (&pass, timeline_get_length (self->timeline));
    if (goes_on && is_complete)
      break;
    goes_on = goes_on && wait_a_while (self);
  }
  if (goes_on) {
    pthread_mutex_lock (&self->lock);
    self->is_complete = TRUE;
    pthread_cond_broadcast (&self->woken);
    pthread_mutex_unlock (&self->lock);
  }
  query_walk_free (pass.walk);
  fold_free (pass.fold);
  g_array_unref (pass.found);
  search_unref_inner (self);
  return NULL;
}

TimelineSearch *
timeline_search_new (Timeline   *timeline,
                     EventQuery *query) {
  TimelineSearch *self = g_new0 (TimelineSearch, 1);
  pthread_condattr_t attributes;

  self->users = 1;
  self->ref_count = 2;
  self->timeline = timeline_ref (timeline);
  self->query = event_query_ref (query);
  self->hits = g_array_new (FALSE, FALSE, sizeof (SearchHit));
  pthread_mutex_init (&self->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->woken, &attributes);
  pthread_condattr_destroy (&attributes);
  g_thread_unref (g_thread_new ("search", search, self));
  return self;
}

TimelineSearch *
timeline_search_ref (TimelineSearch *self) {
  g_atomic_int_inc (&self->users);
  return self;
}

void
timeline_search_unref (TimelineSearch *self) {
  if (!g_atomic_int_dec_and_test (&self->users))
    return;
  pthread_mutex_lock (&self->lock);
  self->is_stopping = TRUE;
  pthread_cond_broadcast (&self->woken);
  pthread_mutex_unlock (&self->lock);
  search_unref_inner (self);
}

void
timeline_search_wait (TimelineSearch *self) {
  pthread_mutex_lock (&self->lock);
  while (!self->is_complete)
    pthread_cond_wait (&self->woken, &self->lock);
  pthread_mutex_unlock (&self->lock);
}

EventQuery *
timeline_search_get_query (TimelineSearch *self) {
  return self->query;
}

guint64
timeline_search_get_progress (TimelineSearch *self) {
  guint64 progress;

  pthread_mutex_lock (&self->lock);
  progress = self->progress;
  pthread_mutex_unlock (&self->lock);
  return progress;
}

gboolean
timeline_search_is_complete (TimelineSearch *self) {
  gboolean is_complete;

  pthread_mutex_lock (&self->lock);
  is_complete = self->is_complete;
  pthread_mutex_unlock (&self->lock);
  return is_complete;
}

guint64
timeline_search_get_n (TimelineSearch *self) {
  guint64 n;

  pthread_mutex_lock (&self->lock);
  n = self->n;
  pthread_mutex_unlock (&self->lock);
  return n;
}

gboolean
timeline_search_get (TimelineSearch *self,
                     guint64         index,
                     SearchHit      *hit) {
  gboolean is_kept;

  pthread_mutex_lock (&self->lock);
  is_kept = index < self->hits->len;
  if (is_kept)
    *hit = g_array_index (self->hits, SearchHit, (guint)index);
  pthread_mutex_unlock (&self->lock);
  return is_kept;
}

/* Hits from @low on that lie at or before @position, or, when @by_time, before
 * @at_ns; the lock is held. */
static guint
count_locked (TimelineSearch *self,
              guint           low,
              gboolean        by_time,
              guint64         position,
              gint64          at_ns) {
  guint high = self->hits->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;
    const SearchHit *hit = &g_array_index (self->hits, SearchHit, middle);

    if (by_time ? hit->at_ns < at_ns : hit->position <= position)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

guint64
timeline_search_count_to (TimelineSearch *self,
                          guint64         position) {
  guint count;

  pthread_mutex_lock (&self->lock);
  count = count_locked (self, 0, FALSE, position, 0);
  pthread_mutex_unlock (&self->lock);
  return count;
}

void
timeline_search_get_density (TimelineSearch *self,
                             gint64          from_ns,
                             gint64          to_ns,
                             guint           n_bins,
                             guint32        *counts) {
  guint before;

  memset (counts, 0, sizeof *counts * n_bins);
  if (to_ns <= from_ns)
    return;
  pthread_mutex_lock (&self->lock);
  before = count_locked (self, 0, TRUE, 0, from_ns);
  for (guint i = 0; i < n_bins; i++) {
    double share = (double)(i + 1) / n_bins;
    gint64 end = from_ns + (gint64)((double)(to_ns - from_ns) * share);
    guint after = count_locked (self, before, TRUE, 0, end);

    counts[i] = after - before;
    before = after;
  }
  pthread_mutex_unlock (&self->lock);
}
