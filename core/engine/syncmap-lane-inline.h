/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-lane-inline.h — a syncmap for one thread's many operations, in line
 *
 * Idea        Called through its class, an operation that ends in read spends
 *             most of its time around the look-up: the call, a section opened
 *             and closed, pointers followed to the same places as just before.
 *             A lane does that once for many operations: it holds one section
 *             open, knows the table that read names, and is compiled into its
 *             caller. What then is left of a Load is one look whether read still
 *             names that table, the look-up, and one count.
 *
 * Use         SyncLane lane;
 *
 *             syncmap_lane_open (&lane, map, thread);
 *             while (…)
 *               syncmap_lane_load (&lane, key, &value);
 *             syncmap_lane_close (&lane);
 *
 *             An open lane holds memory back that others retire: close it before
 *             the thread waits for anything. While it is open the thread's probe
 *             stays as it is, and the thread uses the map through it alone. One
 *             that is closed serves too, as the class does.
 *
 * Plain ways  The key is in read, and the entry has a value or is nil; or read
 *             is not amended and the key is nowhere. What that look has not decided
 *             (an expunged entry, a key to be sought in dirty) goes on where the
 *             class's function does after its first look, in the same section.
 *             Then the section is renewed, as the class's would end: so that what
 *             was retired can be freed, and as read may have changed. Where the
 *             look itself cannot be made (read has changed, or is growing), the
 *             class's function does it all, between two sections.
 *
 * Turns       A lane is good for LANE_OPS operations; the next goes to the class,
 *             between two sections. So no grace period waits for longer than that
 *             many operations, and nothing else needs to be done for it. Nor for
 *             spans: a lane is good for as many operations as there are before
 *             the next span is due, and that one is the class's.
 *
 * Telling     What the class would tell is told here too: a change of an entry by
 *             the steps that make it, an operation told in brief where it ends.
 *
 * Counts      What is done here is counted here, and goes to the thread's tally and
 *             its probe when the lane is shut. The map's statistics are behind by
 *             that much meanwhile.
 *
 * Invariants  L1  lane.bits is 0, or the section is open since before read was
 *                 loaded as lane.bits: that table is not freed, and as long as
 *                 read equals lane.bits it is the table that read names
 *             L2  the class's functions are called outside the lane's section,
 *                 and with all counted for the probe, if there is one
 *             L3  of the operations done here none was to be a span
 *             L4  bits is 0: n_left is 1, and n_done all 0
 *
 * A map of another class can be used through a lane too: it is never open then,
 * and all goes to the class.
 */
#pragma once

#include "core/engine/syncmap-entry-private.h"
#include "core/engine/syncmap-private.h"
#include "core/engine/syncmap-range-private.h"

/* Free choice: what opening costs is spread over enough, and a section stays
 * open for about a microsecond. */
#define LANE_OPS 256u

/* Kinds of operations that have a plain way; the others come after them. */
#define LANE_N_OPS (OP_COMPARE_AND_DELETE + 1)

#define LANE_INLINE static inline __attribute__ ((always_inline))

typedef struct {
  MapEngine      *map;
  EngineThread   *thread;
  Probe          *probe;
  Probe          *brief; /* the probe, if it tells each operation; or NULL */
  uintptr_t       bits;  /* read's word; 0: the lane is shut */
  const GoBucket *block; /* the table's main buckets, */
  uint64_t        mask;  /* their number, less 1, */
  uint64_t        factor; /* and its hash's (hash_good_by()) */
  uint32_t        n_left; /* operations, and one: at 1 it is the class's turn */
  bool            is_closed; /* to stay shut */
  /* Those done here since the lane was opened, by ENGINE_OUTCOME(). */
  uint32_t        n_done[LANE_N_OPS][ENGINE_OUTCOMES];
} SyncLane;

/* Out of line: a lane that is handed to them is a copy. ---------------------- */

void     syncmap_lane_start  (SyncLane     *lane,
                              MapEngine    *map,
                              EngineThread *thread);
void     syncmap_lane_reopen (SyncLane     *lane);
void     syncmap_lane_shut   (SyncLane     *lane);
Entry   *syncmap_lane_find_further (uintptr_t bits,
                                    int64_t   key,
                                    uint64_t  hash);

/* @old: for operations that compare. @found: what the class's function hands out;
 * as it was when that hands out nothing. */

/* The whole operation, by the class's function. */
bool     syncmap_lane_turn   (SyncLane     *lane,
                              OpKind        op,
                              int64_t       key,
                              int64_t       value,
                              int64_t       old,
                              int64_t      *found);
/* The rest of it, after a look in read that found @entry, or NULL; all of it but
 * that look where changes are told. */
bool     syncmap_lane_go_on  (SyncLane     *lane,
                              OpKind        op,
                              int64_t       key,
                              int64_t       value,
                              int64_t       old,
                              int64_t      *found,
                              Entry        *entry);
bool     syncmap_lane_clear  (SyncLane     *lane);

/* The operations that may change an entry, where changes are told: from a look in
 * read on that found @entry with something to change. So none of the telling is in
 * line. */
typedef struct {
  int64_t  found; /* what the class's function hands out, */
  uint64_t is_ok; /* and returns: each a register */
} SyncLaneResult;

SyncLaneResult syncmap_lane_store_told              (SyncLane *lane,
                                                     Entry    *entry,
                                                     int64_t   key,
                                                     int64_t   value);
SyncLaneResult syncmap_lane_swap_told               (SyncLane *lane,
                                                     Entry    *entry,
                                                     int64_t   key,
                                                     int64_t   value);
SyncLaneResult syncmap_lane_load_or_store_told      (SyncLane *lane,
                                                     Entry    *entry,
                                                     int64_t   key,
                                                     int64_t   value);
SyncLaneResult syncmap_lane_load_and_delete_told    (SyncLane *lane,
                                                     Entry    *entry,
                                                     int64_t   key);
SyncLaneResult syncmap_lane_delete_told             (SyncLane *lane,
                                                     Entry    *entry,
                                                     int64_t   key);
SyncLaneResult syncmap_lane_compare_and_swap_told   (SyncLane *lane,
                                                     Entry    *entry,
                                                     int64_t   key,
                                                     int64_t   old,
                                                     int64_t   value);
SyncLaneResult syncmap_lane_compare_and_delete_told (SyncLane *lane,
                                                     Entry    *entry,
                                                     int64_t   key,
                                                     int64_t   old);

/* Where each operation is told in brief: this one. */
void     syncmap_lane_tell_brief (const SyncLane *lane,
                                  OpKind          op,
                                  unsigned        path,
                                  int64_t         key);

/* Opening and closing ------------------------------------------------------- */

LANE_INLINE void
syncmap_lane_open (SyncLane     *lane,
                   MapEngine    *map,
                   EngineThread *thread) {
  syncmap_lane_start (lane, map, thread);
}

LANE_INLINE void
syncmap_lane_close (SyncLane *lane) {
  syncmap_lane_shut (lane);
  lane->is_closed = true;
}

/* *@found is a copy there, so that its callers may keep theirs in a register. */
LANE_INLINE bool
lane_turn (SyncLane *lane,
           OpKind    op,
           int64_t   key,
           int64_t   value,
           int64_t   old,
           int64_t  *found) {
  int64_t found_there = *found;
  bool is_ok = syncmap_lane_turn (lane, op, key, value, old, &found_there);

  *found = found_there;
  return is_ok;
}

LANE_INLINE bool
lane_go_on (SyncLane *lane,
            OpKind    op,
            int64_t   key,
            int64_t   value,
            int64_t   old,
            int64_t  *found,
            Entry    *entry) {
  int64_t found_there = *found;
  bool is_ok
      = syncmap_lane_go_on (lane, op, key, value, old, &found_there, entry);

  *found = found_there;
  return is_ok;
}

/* What the plain ways are made of ------------------------------------------- */

LANE_INLINE uintptr_t
lane_read_bits (const SyncLane *lane) {
  return (uintptr_t)sync_ptr_load (&((SyncMap *)lane->map)->read,
                                   SYNC_LABEL ("load read"));
}

/* true: what *entry says is so; NULL: the key is not in read. false: the class
 * must look. */
LANE_INLINE bool
lane_find (SyncLane *lane,
           int64_t   key,
           Entry   **entry) {
  uintptr_t bits = lane_read_bits (lane);
  const GoBucket *bucket;
  uint64_t hash;
  unsigned slot;

  *entry = NULL;
  /* One less in any case: syncmap_lane_turn() gives it back. */
  if (__builtin_expect (--lane->n_left == 0, 0))
    return false;
  if (__builtin_expect (bits != lane->bits, 0))
    return false;
  sync_read_point ((void *)(bits & ~(uintptr_t)1),
                   SYNC_LABEL ("look in the table"));
  hash = hash_good_by (key, lane->factor);
  bucket = &lane->block[hash & lane->mask];
  slot = gobucket_guess (bucket, hash);
  if (__builtin_expect (slot < BUCKET_SLOTS, 1)) {
    if (__builtin_expect (bucket->keys[slot] == key, 1)) {
      uint64_t elem = gobucket_elem (bucket, slot);

      /* Spares its callers a look. */
      if (elem == 0)
        __builtin_unreachable ();
      *entry = syncmap_entry_of (elem);
      return true;
    }
  } else if (tophash_match (bucket->tophash, TOPHASH_EMPTY_REST) != 0) {
    return true;
  }
  *entry = syncmap_lane_find_further (lane->bits, key, hash);
  return true;
}

/* The key is not in read, and nowhere else. */
LANE_INLINE bool
lane_has_all (const SyncLane *lane) {
  return (lane->bits & 1) == 0;
}

LANE_INLINE void
lane_count (SyncLane *lane,
            OpKind    op,
            unsigned  path) {
  lane->n_done[op][ENGINE_OUTCOME (path)]++;
}

LANE_INLINE bool
lane_end (SyncLane *lane,
          OpKind    op,
          unsigned  path) {
  lane_count (lane, op, path);
  return (path & OP_PATH_OK) != 0;
}

/* The end of one that changes nothing, whoever listens. */
LANE_INLINE bool
lane_end_look (SyncLane *lane,
               OpKind    op,
               unsigned  path,
               int64_t   key) {
#ifndef TOPHASH_NO_PROBE
  if (__builtin_expect (lane->brief != NULL, 0))
    syncmap_lane_tell_brief (lane, op, path, key);
#endif
  return lane_end (lane, op, path);
}

/* Whether changes are told. */
LANE_INLINE bool
lane_tells (const SyncLane *lane) {
#ifdef TOPHASH_NO_PROBE
  return false;
#else
  return __builtin_expect (lane->probe != NULL, 0);
#endif
}

/* The operations, as in EngineClass ----------------------------------------- */

LANE_INLINE bool
syncmap_lane_load (SyncLane *lane,
                   int64_t   key,
                   int64_t  *value) {
  Entry *entry;
  int64_t found = 0;

  if (__builtin_expect (lane_find (lane, key, &entry), 1)) {
    if (__builtin_expect (entry != NULL, 1)) {
      uint64_t word = entry_peek (entry);

      if (__builtin_expect (!entry_word_has_value (word), 0))
        return lane_end_look (lane, OP_LOAD, OP_PATH_IN_READ, key);
      *value = entry_word_value (word);
      lane_count (lane, OP_LOAD, OP_PATH_IN_READ | OP_PATH_OK);
#ifndef TOPHASH_NO_PROBE
      /* In line: of all operations, most are this one. */
      if (__builtin_expect (lane->brief != NULL, 0))
        probe_tell_brief (lane->brief, OP_LOAD, OP_PATH_IN_READ | OP_PATH_OK,
                          (uint64_t)key);
#endif
      return true;
    }
    if (lane_has_all (lane))
      return lane_end_look (lane, OP_LOAD, 0, key);
    if (!lane_go_on (lane, OP_LOAD, key, 0, 0, &found, NULL))
      return false;
  } else if (!lane_turn (lane, OP_LOAD, key, 0, 0, &found)) {
    return false;
  }
  *value = found;
  return true;
}

/* *stored: as the class's store says it. Returns whether there was a value. */
LANE_INLINE bool
lane_swap (SyncLane *lane,
           OpKind    op,
           int64_t   key,
           int64_t   value,
           int64_t  *previous,
           bool     *is_stored) {
  bool has_previous = false;
  Entry *entry;

  *is_stored = true;
  if (__builtin_expect (!lane_find (lane, key, &entry), 0))
    return *is_stored = lane_turn (lane, op, key, value, 0, previous);
  if (__builtin_expect (entry == NULL, 0))
    return *is_stored = lane_go_on (lane, op, key, value, 0, previous, NULL);
  if (lane_tells (lane)) {
    SyncLaneResult told
        = op == OP_STORE ? syncmap_lane_store_told (lane, entry, key, value)
                         : syncmap_lane_swap_told (lane, entry, key, value);

    *previous = told.found;
    return *is_stored = told.is_ok != 0;
  }
  if (__builtin_expect (!entry_swap_steps (entry, lane->thread, NULL, value,
                                           &has_previous, previous), 0))
    return *is_stored = lane_go_on (lane, op, key, value, 0, previous, entry);
  if (__builtin_expect (has_previous, 1))
    return lane_end (lane, op, OP_PATH_IN_READ | OP_PATH_OK);
  return lane_end (lane, op, OP_PATH_IN_READ);
}

LANE_INLINE bool
syncmap_lane_store (SyncLane *lane,
                    int64_t   key,
                    int64_t   value) {
  int64_t previous = 0;
  bool is_stored;

  lane_swap (lane, OP_STORE, key, value, &previous, &is_stored);
  return is_stored;
}

LANE_INLINE bool
syncmap_lane_swap (SyncLane *lane,
                   int64_t   key,
                   int64_t   value,
                   int64_t  *previous) {
  int64_t found = 0;
  bool is_stored;

  if (!lane_swap (lane, OP_SWAP, key, value, &found, &is_stored))
    return false;
  *previous = found;
  return true;
}

LANE_INLINE bool
syncmap_lane_load_or_store (SyncLane *lane,
                            int64_t   key,
                            int64_t   value,
                            int64_t  *actual) {
  EntryOutcome outcome = ENTRY_GAVE_UP;
  Entry *entry;
  int64_t found = 0; /* and it stays so after an error */
  bool is_loaded;

  if (__builtin_expect (lane_find (lane, key, &entry), 1)) {
    int64_t present;

    if (__builtin_expect (entry != NULL, 1) && lane_tells (lane)) {
      uint64_t word = entry_peek (entry);
      SyncLaneResult told;

      if (entry_word_has_value (word)) {
        *actual = entry_word_value (word);
        return lane_end_look (lane, OP_LOAD_OR_STORE,
                              OP_PATH_IN_READ | OP_PATH_OK, key);
      }
      told = syncmap_lane_load_or_store_told (lane, entry, key, value);
      *actual = told.found;
      return told.is_ok != 0;
    }
    if (__builtin_expect (entry != NULL, 1))
      outcome = entry_load_or_store_steps (entry, lane->thread, NULL, value,
                                           &present);
    if (__builtin_expect (outcome == ENTRY_LOADED, 1)) {
      *actual = present;
      return lane_end (lane, OP_LOAD_OR_STORE, OP_PATH_IN_READ | OP_PATH_OK);
    }
    if (outcome == ENTRY_STORED) {
      *actual = value;
      return lane_end (lane, OP_LOAD_OR_STORE, OP_PATH_IN_READ);
    }
    is_loaded = lane_go_on (lane, OP_LOAD_OR_STORE, key, value, 0, &found,
                            entry);
  } else {
    is_loaded = lane_turn (lane, OP_LOAD_OR_STORE, key, value, 0, &found);
  }
  *actual = found;
  return is_loaded;
}

LANE_INLINE bool
lane_delete (SyncLane *lane,
             OpKind    op,
             int64_t   key,
             int64_t  *value) {
  Entry *entry;
  int64_t found = 0;

  if (__builtin_expect (lane_find (lane, key, &entry), 1)) {
    if (entry != NULL && lane_tells (lane)) {
      SyncLaneResult told;

      if (!entry_word_has_value (entry_peek (entry)) && !MUTANT (DELETE_SWAPS))
        return lane_end_look (lane, op, OP_PATH_IN_READ, key);
      told = op == OP_DELETE ? syncmap_lane_delete_told (lane, entry, key)
                             : syncmap_lane_load_and_delete_told (lane, entry,
                                                                  key);
      if (told.is_ok != 0)
        *value = told.found;
      return told.is_ok != 0;
    }
    if (entry != NULL) {
      if (!entry_delete_steps (entry, lane->thread, NULL, &found))
        return lane_end (lane, op, OP_PATH_IN_READ);
      *value = found;
      return lane_end (lane, op, OP_PATH_IN_READ | OP_PATH_OK);
    }
    if (entry == NULL && lane_has_all (lane))
      return lane_end_look (lane, op, 0, key);
    if (!lane_go_on (lane, op, key, 0, 0, &found, NULL))
      return false;
  } else if (!lane_turn (lane, op, key, 0, 0, &found)) {
    return false;
  }
  *value = found;
  return true;
}

LANE_INLINE bool
syncmap_lane_load_and_delete (SyncLane *lane,
                              int64_t   key,
                              int64_t  *value) {
  return lane_delete (lane, OP_LOAD_AND_DELETE, key, value);
}

LANE_INLINE bool
syncmap_lane_delete (SyncLane *lane,
                     int64_t   key) {
  int64_t ignored = 0;

  return lane_delete (lane, OP_DELETE, key, &ignored);
}

LANE_INLINE bool
syncmap_lane_compare_and_swap (SyncLane *lane,
                               int64_t   key,
                               int64_t   old,
                               int64_t   value) {
  Entry *entry;
  int64_t ignored = 0;

  if (__builtin_expect (lane_find (lane, key, &entry), 1)) {
    if (entry != NULL && lane_tells (lane)) {
      if (!entry_word_is (entry_peek (entry), old))
        return lane_end_look (lane, OP_COMPARE_AND_SWAP, OP_PATH_IN_READ, key);
      return syncmap_lane_compare_and_swap_told (lane, entry, key, old, value)
                 .is_ok != 0;
    }
    if (entry != NULL) {
      if (entry_compare_and_swap_steps (entry, lane->thread, NULL, old, value))
        return lane_end (lane, OP_COMPARE_AND_SWAP,
                         OP_PATH_IN_READ | OP_PATH_OK);
      return lane_end (lane, OP_COMPARE_AND_SWAP, OP_PATH_IN_READ);
    }
    if (entry == NULL && lane_has_all (lane))
      return lane_end_look (lane, OP_COMPARE_AND_SWAP, 0, key);
    return lane_go_on (lane, OP_COMPARE_AND_SWAP, key, value, old, &ignored,
                       NULL);
  }
  return lane_turn (lane, OP_COMPARE_AND_SWAP, key, value, old, &ignored);
}

LANE_INLINE bool
syncmap_lane_compare_and_delete (SyncLane *lane,
                                 int64_t   key,
                                 int64_t   old) {
  Entry *entry;
  int64_t ignored = 0;

  if (__builtin_expect (lane_find (lane, key, &entry), 1)) {
    if (entry != NULL && lane_tells (lane)) {
      if (!entry_word_is (entry_peek (entry), old))
        return lane_end_look (lane, OP_COMPARE_AND_DELETE, OP_PATH_IN_READ, key);
      return syncmap_lane_compare_and_delete_told (lane, entry, key, old).is_ok
             != 0;
    }
    if (entry != NULL) {
      if (entry_compare_and_delete_steps (entry, lane->thread, NULL, old))
        return lane_end (lane, OP_COMPARE_AND_DELETE,
                         OP_PATH_IN_READ | OP_PATH_OK);
      return lane_end (lane, OP_COMPARE_AND_DELETE, OP_PATH_IN_READ);
    }
    if (entry == NULL && lane_has_all (lane))
      return lane_end_look (lane, OP_COMPARE_AND_DELETE, 0, key);
    return lane_go_on (lane, OP_COMPARE_AND_DELETE, key, 0, old, &ignored,
                       NULL);
  }
  return lane_turn (lane, OP_COMPARE_AND_DELETE, key, 0, old, &ignored);
}

/* With the lane shut meanwhile: a callback may use it. */
LANE_INLINE bool
syncmap_lane_range (SyncLane   *lane,
                    EngineVisit visit,
                    void       *data) {
  bool goes_on;

  syncmap_lane_close (lane);
  if (__builtin_expect (lane->map->klass->range == syncmap_range, 1))
    goes_on = syncmap_range_inline (lane->map, lane->thread, visit, data);
  else
    goes_on = lane->map->klass->range (lane->map, lane->thread, visit, data);
  lane->is_closed = false;
  syncmap_lane_reopen (lane);
  return goes_on;
}
