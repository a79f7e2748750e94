/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-lane-told.c — a lane's operations while each change is told
 *
 * Idea        An operation that is told takes twice the instructions of one that
 *             is not, and on the processors measured it is their number that
 *             counts, not the writing: a stage never leaves the cache, and a CAS
 *             does not wait for the stores before it. So the common case is one
 *             straight line of its own, a function for each kind of operation:
 *             nothing is saved on the stack, nothing is handed over in memory,
 *             and no call is made. That there is room for what will be told, and
 *             a stamp that holds, is looked up once, before the change.
 *
 * Otherwise   What is not common goes on elsewhere, as the last thing that the
 *             function does, by the ways that can do all (syncmap_lane_go_on()):
 *             the probe must open first, the value is large, the entry has
 *             none or somebody else was faster.
 *
 * Invariants  LT1 an operation that ends here met no other thread: it has no
 *                 retries to tell
 *             LT2 its events are whole before the probe counts them as written
 *
 * Lanes: syncmap-lane-inline.h. Which word a step goes from and to:
 * syncmap-entry-private.h.
 */
#include "core/engine/syncmap-lane-inline.h"

/* The change of an entry, and the operation in brief. */
#define MOST_UNITS 2u

typedef SyncLaneResult Result;

/* Elsewhere ------------------------------------------------------------------ */

static __attribute__ ((noinline)) Result
go_on (SyncLane *lane,
       OpKind    op,
       int64_t   key,
       int64_t   value,
       int64_t   old,
       Entry    *entry) {
  Result result = { 0, false };

  result.is_ok = syncmap_lane_go_on (lane, op, key, value, old, &result.found,
                                     entry);
  return result;
}

/* What there is to decide ---------------------------------------------------- */

/* Whether @op, in its plain way, changes an entry's @word. */
LANE_INLINE bool
changes (OpKind   op,
         uint64_t word,
         int64_t  old) {
  if (op == OP_LOAD_OR_STORE)
    return entry_word_is_nil (word);
  if (op == OP_COMPARE_AND_SWAP || op == OP_COMPARE_AND_DELETE)
    return entry_word_is (word, old);
  return entry_word_has_value (word);
}

LANE_INLINE bool
stores (OpKind op) {
  return op == OP_STORE || op == OP_SWAP || op == OP_LOAD_OR_STORE
         || op == OP_COMPARE_AND_SWAP;
}

/* The CAS of a change was lost. What is there now decides whether it is tried
 * again, after a moment. */
static __attribute__ ((noinline)) Result
go_on_after_loss (SyncLane *lane,
                  OpKind    op,
                  int64_t   key,
                  int64_t   value,
                  int64_t   old,
                  Entry    *entry) {
  uint64_t word = entry_peek (entry);

  if (changes (op, word, old))
    entry_back_off (entry, lane->thread, word);
  return go_on (lane, op, key, value, old, entry);
}

/* The operations ------------------------------------------------------------- */

/* The end of one that has changed its entry. @at: the next unit to be written. */
LANE_INLINE Result
end (SyncLane *lane,
     Probe    *probe,
     uint64_t  at,
     OpKind    op,
     unsigned  path,
     int64_t   key,
     int64_t   found) {
  if (__builtin_expect (lane->brief != NULL, 0))
    probe_write (ring_place (&probe->ring, at++), 0, (uint32_t)key,
                 (uint32_t)((uint64_t)key >> 32), EVENT_OP_TOLD, (uint8_t)op,
                 (uint16_t)path);
  probe->ring.written = at;
  lane_count (lane, op, path);
  return (Result){ found, (path & OP_PATH_OK) != 0 };
}

LANE_INLINE Result
change (SyncLane *lane,
        OpKind    op,
        Entry    *entry,
        int64_t   key,
        int64_t   value,
        int64_t   old) {
  Probe *probe = lane->probe;
  uint64_t at = probe->ring.written, word, wanted;
  RingUnit *unit = ring_place (&probe->ring, at);

  if (__builtin_expect (at + MOST_UNITS > probe->open_until, 0)
      || (stores (op) && __builtin_expect (!ring_value_fits (value), 0)))
    return go_on (lane, op, key, value, old, entry);
  word = entry_peek (entry);
  if (__builtin_expect (!changes (op, word, old), 0))
    return go_on (lane, op, key, value, old, entry);
  wanted = stores (op) ? entry_word_with_value (word, value)
                       : entry_word_with_nil (word);
  if (__builtin_expect (!sync_word_cas (&entry->word, &word, wanted,
                                        SYNC_LABEL ("CAS entry.p")), 0))
    return go_on_after_loss (lane, op, key, value, old, entry);
  if (stores (op))
    entry_write_stored (entry, unit, wanted);
  else
    probe_write (unit, 0, entry->id, entry_word_version (wanted),
                 EVENT_ENTRY_DELETED, 0, 0);
  if (op == OP_LOAD_OR_STORE)
    return end (lane, probe, at + 1, op, OP_PATH_IN_READ, key, value);
  return end (lane, probe, at + 1, op, OP_PATH_IN_READ | OP_PATH_OK, key,
              entry_word_value (word));
}

SyncLaneResult
syncmap_lane_store_told (SyncLane *lane,
                         Entry    *entry,
                         int64_t   key,
                         int64_t   value) {
  return change (lane, OP_STORE, entry, key, value, 0);
}

SyncLaneResult
syncmap_lane_swap_told (SyncLane *lane,
                        Entry    *entry,
                        int64_t   key,
                        int64_t   value) {
  return change (lane, OP_SWAP, entry, key, value, 0);
}

SyncLaneResult
syncmap_lane_load_or_store_told (SyncLane *lane,
                                 Entry    *entry,
                                 int64_t   key,
                                 int64_t   value) {
  return change (lane, OP_LOAD_OR_STORE, entry, key, value, 0);
}

SyncLaneResult
syncmap_lane_load_and_delete_told (SyncLane *lane,
                                   Entry    *entry,
                                   int64_t   key) {
  return change (lane, OP_LOAD_AND_DELETE, entry, key, 0, 0);
}

SyncLaneResult
syncmap_lane_delete_told (SyncLane *lane,
                          Entry    *entry,
                          int64_t   key) {
  return change (lane, OP_DELETE, entry, key, 0, 0);
}

SyncLaneResult
syncmap_lane_compare_and_swap_told (SyncLane *lane,
                                    Entry    *entry,
                                    int64_t   key,
                                    int64_t   old,
                                    int64_t   value) {
  return change (lane, OP_COMPARE_AND_SWAP, entry, key, value, old);
}

SyncLaneResult
syncmap_lane_compare_and_delete_told (SyncLane *lane,
                                      Entry    *entry,
                                      int64_t   key,
                                      int64_t   old) {
  return change (lane, OP_COMPARE_AND_DELETE, entry, key, 0, old);
}
