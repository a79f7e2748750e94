/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-range-private.h — Range, in line
 *
 * For callers whose callback is known when they are compiled: it becomes part of
 * the loop. syncmap_range() is the same with one that is not. The ways that are
 * rare, or told, are syncmap-range.c's.
 *
 * Freshness   Go's Range may give any value that a key had during the call. The
 *             class's reads each just before it is given, as Go's does. In line
 *             the words of a batch are read before the first of them is given:
 *             what the callback itself does to the map may come too late for the
 *             keys of its batch.
 */
#pragma once

#include "core/engine/gomap-walk-private.h"
#include "core/engine/syncmap-private.h"

#define RANGE_INLINE static inline __attribute__ ((always_inline))

/* Range over @table that tells its walk, or while the table is growing; counts in
 * *@n_visited. false: stopped. */
bool syncmap_range_told      (SyncCall        *call,
                              SyncTable       *table,
                              EngineVisit      visit,
                              void            *data,
                              uint64_t        *n_visited);
/* The two ends of one whose walk is not told. */
void syncmap_tell_range      (const SyncTable *table,
                              const GoWalk    *walk);
void syncmap_tell_range_over (uint64_t         n_visited,
                              bool             is_stopped);

/* The values of @n pairs. Those that have none are taken out of the batch, which
 * asks for a second look: the first is for the others, by far the most. Returns
 * how many there are. */
RANGE_INLINE unsigned
range_read (GoBatch *batch,
            unsigned n,
            int64_t *values) {
  uint64_t all = ENTRY_HAS_VALUE;
  unsigned n_live = 0;

#pragma GCC unroll 8
  for (unsigned i = 0; i < n; i++) {
    uint64_t word = entry_peek (syncmap_entry_of (batch->elems[i]));

    all &= word;
    values[i] = entry_word_value (word);
  }
  if (__builtin_expect (all != 0, 1))
    return n;
  for (unsigned i = 0; i < n; i++) {
    uint64_t word = entry_peek (syncmap_entry_of (batch->elems[i]));

    batch->keys[n_live] = batch->keys[i];
    values[n_live] = entry_word_value (word);
    n_live += entry_word_has_value (word);
  }
  return n_live;
}

/* The loops of a Range whose walk nobody listens to, over a settled table. A first
 * batch of one bucket is for callbacks that stop at once. */
RANGE_INLINE bool
range_ahead (GoWalk      *walk,
             EngineVisit  visit,
             void        *data,
             uint64_t    *n_visited) {
  int64_t values[GOMAP_BATCH + BUCKET_SLOTS];
  unsigned wanted = 1, n;
  GoBatch batch;

  while ((n = gomap_walk_take (walk, wanted, &batch)) > 0) {
    n = range_read (&batch, n, values);
    for (unsigned i = 0; i < n; i++)
      if (!visit (batch.keys[i], values[i], data)) {
        *n_visited += i + 1;
        return false;
      }
    *n_visited += n;
    wanted = GOMAP_BATCH;
  }
  return true;
}

RANGE_INLINE bool
range_fresh (GoWalk      *walk,
             EngineVisit  visit,
             void        *data,
             uint64_t    *n_visited) {
  unsigned wanted = 1, n;
  GoBatch batch;

  while ((n = gomap_walk_take (walk, wanted, &batch)) > 0) {
    for (unsigned i = 0; i < n; i++) {
      uint64_t word = entry_peek (syncmap_entry_of (batch.elems[i]));

      if (!entry_word_has_value (word))
        continue;
      ++*n_visited;
      if (!visit (batch.keys[i], entry_word_value (word), data))
        return false;
    }
    wanted = GOMAP_BATCH;
  }
  return true;
}

RANGE_INLINE bool
syncmap_range_with (MapEngine    *map,
                    EngineThread *thread,
                    bool          reads_ahead,
                    EngineVisit   visit,
                    void         *data) {
  SyncCall call;
  SyncTable *table;
  uint64_t n_visited = 0;
  bool goes_on;
  GoWalk walk;

  syncmap_begin (&call, map, thread, OP_RANGE, 0, 0);
  table = syncmap_whole_table (&call);
  if (__builtin_expect (SYNC_IS_FREE && !probe_tells_walk ()
                        && gomap_is_settled (&table->map), 1)) {
    gomap_walk_begin (&walk, &table->map, prng_next (&thread->prng));
    if (__builtin_expect (probe_current != NULL, 0))
      syncmap_tell_range (table, &walk);
    goes_on = reads_ahead ? range_ahead (&walk, visit, data, &n_visited)
                          : range_fresh (&walk, visit, data, &n_visited);
    if (__builtin_expect (probe_current != NULL, 0))
      syncmap_tell_range_over (n_visited, !goes_on);
  } else {
    goes_on = syncmap_range_told (&call, table, visit, data, &n_visited);
  }
  return syncmap_end (&call, goes_on, (int64_t)n_visited, 0);
}

/* syncmap_range() with @visit compiled into it; see Freshness. @map: a syncmap. */
RANGE_INLINE bool
syncmap_range_inline (MapEngine    *map,
                      EngineThread *thread,
                      EngineVisit   visit,
                      void         *data) {
  return syncmap_range_with (map, thread, true, visit, data);
}
