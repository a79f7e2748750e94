/* SPDX-License-Identifier: GPL-3.0-or-later */

/* judge-index.c — what Ranges and Clears mean for each key, ready to be asked
 *
 * Idea        Of a key, the judge wants the Ranges that gave it, and at any time
 *             the Ranges and Clears that are under way. The former are laid out
 *             key by key; for the latter a tree of the latest ends over spans
 *             by their begins finds one span after the other in O(log n).
 */
#include "core/check/judge-private.h"

/* Spans -------------------------------------------------------------------- */

static void
init_spans (JudgeSpans *self,
            gsize       n) {
  self->n = n;
  self->n_leaves = 1;
  while (self->n_leaves < n)
    self->n_leaves *= 2;
  self->begins = g_new (gint64, n + 1);
  self->ends = g_new (gint64, 2 * self->n_leaves);
  for (gsize i = 0; i < 2 * self->n_leaves; i++)
    self->ends[i] = G_MININT64;
}

static void
set_span (JudgeSpans *self,
          gsize       i,
          gint64      began_ns,
          gint64      ended_ns) {
  self->begins[i] = began_ns;
  self->ends[self->n_leaves + i] = ended_ns;
}

static void
finish_spans (JudgeSpans *self) {
  for (gsize i = self->n_leaves; i-- > 1;)
    self->ends[i] = MAX (self->ends[2 * i], self->ends[2 * i + 1]);
}

static void
clear_spans (JudgeSpans *self) {
  g_free (self->begins);
  g_free (self->ends);
}

gsize
judge_spans_next (const JudgeSpans *self,
                  gsize             from,
                  gint64            at_ns) {
  gsize node = self->n_leaves + from;

  if (from >= self->n)
    return self->n;
  /* Up to the first subtree, here or to the right, that has one … */
  while (self->ends[node] < at_ns) {
    while (node & 1)
      node /= 2;
    if (node == 0)
      return self->n;
    node++;
  }
  /* … and down to its first. */
  while (node < self->n_leaves)
    node = self->ends[2 * node] >= at_ns ? 2 * node : 2 * node + 1;
  return MIN (node - self->n_leaves, self->n);
}

gsize
judge_spans_after (const JudgeSpans *self,
                   gsize             from,
                   gint64            at_ns) {
  gsize step = 1, low = from, high;

  /* Most often it is near: steps double from @from, then halve. */
  while (low < self->n && self->begins[low] <= at_ns) {
    from = low + 1;
    low += step;
    step *= 2;
  }
  high = MIN (low, self->n);
  low = from;
  while (low < high) {
    gsize middle = low + (high - low) / 2;

    if (self->begins[middle] <= at_ns)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Pairs by key ------------------------------------------------------------- */

/* The place of @key, which is there. @guess: where it may be. */
static gsize
find_key (const JudgeIndex *self,
          gint64            key,
          gsize             guess) {
  gsize low = 0, high = self->n_keys;

  if (guess < self->n_keys && history_key (self->history, guess) == key)
    return guess;
  while (low < high) {
    gsize middle = low + (high - low) / 2;

    if (history_key (self->history, middle) < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Places of the keys of all pairs, Range by Range. Keys are mostly numbers one
 * after the other, so that the place follows from the first. */
static guint32 *
find_keys (const JudgeIndex *self,
           gsize             n_ranges,
           gsize             n_pairs) {
  guint32 *places = g_new (guint32, n_pairs + 1);
  gint64 first = self->n_keys > 0 ? history_key (self->history, 0) : 0;
  gsize at = 0;

  for (gsize r = 0; r < n_ranges; r++)
    for (gsize p = 0; p < self->ranges[r].n_pairs; p++) {
      gint64 key = self->ranges[r].pairs[p].key;

      places[at++] = (guint32)find_key (self, key, (gsize)(key - first));
    }
  return places;
}

static void
lay_out_pairs (JudgeIndex *self,
               gsize       n_ranges) {
  g_autofree guint32 *places = NULL;
  g_autofree gsize *next = g_new0 (gsize, self->n_keys + 1);
  gsize n_pairs = 0, at = 0;

  for (gsize r = 0; r < n_ranges; r++)
    n_pairs += self->ranges[r].n_pairs;
  places = find_keys (self, n_ranges, n_pairs);
  self->given = g_new (JudgeGiven, n_pairs + 1);
  self->first_given = g_new0 (gsize, self->n_keys + 1);
  for (gsize i = 0; i < n_pairs; i++)
    self->first_given[places[i] + 1]++;
  for (gsize k = 0; k < self->n_keys; k++) {
    self->first_given[k + 1] += self->first_given[k];
    next[k] = self->first_given[k];
  }
  for (gsize r = 0; r < n_ranges; r++)
    for (gsize p = 0; p < self->ranges[r].n_pairs; p++)
      self->given[next[places[at++]]++]
          = (JudgeGiven){ (guint32)r, (guint32)p };
}

void
judge_index_init (JudgeIndex    *self,
                  const History *history) {
  gsize n_clears, n_ranges;

  self->history = history;
  self->n_keys = history_n_keys (history);
  self->clears = history_clears (history, &n_clears);
  self->ranges = history_ranges (history, &n_ranges);
  init_spans (&self->clear_spans, n_clears);
  for (gsize i = 0; i < n_clears; i++)
    set_span (&self->clear_spans, i, self->clears[i].began_ns,
              self->clears[i].ended_ns);
  finish_spans (&self->clear_spans);
  init_spans (&self->range_spans, n_ranges);
  for (gsize i = 0; i < n_ranges; i++)
    set_span (&self->range_spans, i, self->ranges[i].call.began_ns,
              self->ranges[i].is_whole ? self->ranges[i].call.ended_ns
                                       : G_MININT64);
  finish_spans (&self->range_spans);
  lay_out_pairs (self, n_ranges);
}

void
judge_index_clear (JudgeIndex *self) {
  clear_spans (&self->clear_spans);
  clear_spans (&self->range_spans);
  g_free (self->first_given);
  g_free (self->given);
}
