/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-detector.c — what Go says when threads meet in a map, and when not
 *
 * Idea        Go's built-in map has no lock. It has one bit, hashWriting, that a
 *             write turns on and off and that others look at. When two of them
 *             disagree the program is stopped: “fatal error: concurrent map
 *             writes”. It is a detector: nobody waits for the bit, and it misses
 *             what happens between two looks. Here it speaks at the same places
 *             and in the same order, with threads that truly run side by side.
 *
 * The bit     is neither locked nor atomic in Go: h.flags ^= hashWriting loads,
 *             flips and stores. So here too: a load and a store, two steps, and
 *             another thread may come between. Both are relaxed atomics, that is
 *             plain machine instructions, because C gives a torn race no meaning.
 *             The bit has a word of its own; Go's other flags stay in the table.
 *
 * Checks      look-up   count 0: absent, unchecked. Then the bit must be off:
 *                       else "concurrent map read and map write".
 *             assign    the bit must be off; flip it; the body; it must be on;
 *                       turn it off. Else "concurrent map writes". Then, outside
 *                       of the detector, the caller stores the element.
 *             delete,   count 0: nothing to do, unchecked. Then as assign.
 *             clear
 *             next      at every step the bit must be off: else "concurrent map
 *                       iteration and map write".
 *             len       unchecked.
 *
 * Guard       What the detector lets through would, in Go, break the map: lost
 *             and doubled keys, wild pointers, an endless loop. That damage is
 *             not imitated: each body, walk, step and late element store runs
 *             under a mutex that Go does not have and that no event tells of. It
 *             keeps memory whole and the order of the events exact. It is never
 *             held at a check or at a change of the bit, so it hides no misuse;
 *             nor in the callback of a Range.
 *
 * Element     The address that Go's caller stores through may be stale by then.
 *             Here the key is looked for again: if it has moved the store finds
 *             it, if somebody took it out the store is lost. Until the store a
 *             new key holds 0.
 *
 * After it    Go's program is dead. Here the operation fails with
 *             ENGINE_ERROR_MISUSE and the caller says what is next. Found at the
 *             entry or at a step: nothing was done. Found at the end of a write:
 *             the change was made, but for the store of the element.
 *
 * Invariants  D1  When no operation is under way the bit is off. Each write that
 *                 flips it stores it off later. The last store of all is nobody's
 *                 flip, as that thread's own later store comes after it: it is a
 *                 store that turns off.
 *             D2  When no operation is under way, count is the table's.
 *
 * Threads     field         written by          order    read by
 *             hash_writing  any writer          relaxed  anyone, to check
 *             count         the guard's holder  relaxed  anyone, to check; len
 *             writer        any writer          relaxed  who reports a misuse
 *             table         the guard's holder  mutex    the guard's holder
 *
 * Source      Go 1.23 runtime/map.go: mapaccess2, mapassign, mapdelete, mapclear,
 *             mapiternext.
 */
#include "core/engine/gomap-detector.h"
#include "core/engine/gomap-find-private.h"

#include "core/probe/probe.h"

void
gomap_detector_init (GoDetector  *detector,
                     const GoMap *table) {
  *detector = (GoDetector){ 0 };
  sync_mutex_init (&detector->guard);
  sync_word_poke (&detector->count, (uint64_t)table->count,
                  SYNC_LABEL ("store count"));
}

void
gomap_detector_clear (GoDetector *detector) {
  sync_mutex_clear (&detector->guard);
}

void
gomap_guard_lock (GoDetector *detector) {
  if (sync_mutex_trylock (&detector->guard, SYNC_LABEL ("(guard) lock")))
    return;
  probe_flush (probe_current);
  sync_mutex_lock (&detector->guard, SYNC_LABEL ("(guard) lock"));
  probe_restamp ();
}

void
gomap_guard_unlock (GoDetector *detector) {
  sync_mutex_unlock (&detector->guard, SYNC_LABEL ("(guard) unlock"));
}

/* The end of a body that may have changed count. */
static void
leave_body (const GoWatched *watched,
            int64_t          count_before) {
  if (watched->table->count != count_before)
    sync_word_poke (&watched->detector->count, (uint64_t)watched->table->count,
                    SYNC_LABEL ("store count"));
  gomap_guard_unlock (watched->detector);
}

static bool
is_writing (const GoWatched *watched) {
  return sync_word_peek (&watched->detector->hash_writing,
                         SYNC_LABEL ("check hashWriting"))
         != 0;
}

static bool
is_empty (const GoWatched *watched) {
  return sync_word_peek (&watched->detector->count, SYNC_LABEL ("load count"))
         == 0;
}

/* The writer's name is a hint: it may have left since, or another have come. */
static void
tell_misuse (const GoWatched *watched,
             MisuseKind       kind,
             MisusePlace      place,
             int64_t          key) {
  EngineThread *thread = watched->thread;
  uint64_t writer = sync_count_get (&watched->detector->writer);

  if (writer == thread->index + 1u)
    writer = 0;
  probe_restamp ();
  probe_event_more (EVENT_MISUSE_DETECTED, place, watched->op + 1u,
                    (uint8_t)kind, watched->table->config.id, (uint64_t)key,
                    writer);
  sync_count_add (&thread->tally->n_misuses, 1);
  thread->error = ENGINE_ERROR_MISUSE;
  thread->misuse = kind;
  thread->misuse_place = place;
  *watched->path |= OP_PATH_ERROR;
}

/* Up to the body of a write; false: another write is under way. */
static bool
begin_write (const GoWatched *watched,
             int64_t          key) {
  GoDetector *detector = watched->detector;
  uint64_t flags;

  if (is_writing (watched)) {
    tell_misuse (watched, MISUSE_CONCURRENT_WRITES, MISUSE_AT_ENTRY, key);
    return false;
  }
  flags = sync_word_peek (&detector->hash_writing,
                          SYNC_LABEL ("flip hashWriting: load"));
  sync_count_set (&detector->writer, watched->thread->index + 1u);
  sync_word_poke (&detector->hash_writing, flags ^ GOMAP_FLAG_HASH_WRITING,
                  SYNC_LABEL ("flip hashWriting: store"));
  return true;
}

/* After the body; false: the bit was gone. Turned off in any case: see D1. */
static bool
end_write (const GoWatched *watched,
           int64_t          key) {
  GoDetector *detector = watched->detector;
  bool is_on = is_writing (watched);
  uint64_t flags;

  if (!is_on)
    tell_misuse (watched, MISUSE_CONCURRENT_WRITES, MISUSE_AT_EXIT, key);
  flags = sync_word_peek (&detector->hash_writing,
                          SYNC_LABEL ("clear hashWriting: load"));
  sync_word_poke (&detector->hash_writing, flags & ~GOMAP_FLAG_HASH_WRITING,
                  SYNC_LABEL ("clear hashWriting: store"));
  return is_on;
}

uint64_t
gomap_watched_find (const GoWatched *watched,
                    int64_t          key) {
  uint64_t found;

  if (is_empty (watched))
    return GOMAP_ABSENT;
  if (is_writing (watched)) {
    tell_misuse (watched, MISUSE_CONCURRENT_READ_AND_WRITE, MISUSE_AT_ENTRY,
                 key);
    return GOMAP_ABSENT;
  }
  gomap_guard_lock (watched->detector);
  found = gomap_find (watched->table, key);
  gomap_guard_unlock (watched->detector);
  return found;
}

GoMapOutcome
gomap_watched_assign (const GoWatched *watched,
                      int64_t          key,
                      uint64_t         elem,
                      uint64_t        *found) {
  GoMapOutcome outcome;
  int64_t count;

  if (!begin_write (watched, key))
    return GOMAP_MISUSED;
  gomap_guard_lock (watched->detector);
  count = watched->table->count;
  outcome = gomap_assign (watched->table, key, 0, true, found, watched->path);
  leave_body (watched, count);
  if (!end_write (watched, key))
    return GOMAP_MISUSED;
  if (outcome == GOMAP_FOUND || outcome == GOMAP_INSERTED) {
    gomap_guard_lock (watched->detector);
    gomap_set_elem (watched->table, key, elem);
    gomap_guard_unlock (watched->detector);
  }
  return outcome;
}

bool
gomap_watched_delete (const GoWatched *watched,
                      int64_t          key,
                      uint64_t        *elem) {
  bool is_found;
  int64_t count;

  if (is_empty (watched) || !begin_write (watched, key))
    return false;
  gomap_guard_lock (watched->detector);
  count = watched->table->count;
  is_found = gomap_delete (watched->table, key, elem, watched->path);
  leave_body (watched, count);
  return end_write (watched, key) && is_found;
}

bool
gomap_watched_clear (const GoWatched *watched) {
  int64_t count;

  if (is_empty (watched))
    return true;
  if (!begin_write (watched, 0))
    return false;
  gomap_guard_lock (watched->detector);
  count = watched->table->count;
  gomap_clear (watched->table);
  leave_body (watched, count);
  return end_write (watched, 0);
}

bool
gomap_watched_next (const GoWatched *watched,
                    GoIter          *iter) {
  bool is_misused;
  bool goes_on = false;

  if (iter->is_done)
    return false;
  is_misused = is_writing (watched);
  if (is_misused)
    tell_misuse (watched, MISUSE_ITERATION_AND_WRITE, MISUSE_AT_STEP, 0);
  gomap_guard_lock (watched->detector);
  if (is_misused)
    gomap_iter_end (iter);
  else
    goes_on = gomap_iter_next (iter);
  gomap_guard_unlock (watched->detector);
  iter->is_misused = is_misused;
  return goes_on;
}

uint64_t
gomap_watched_len (const GoDetector *detector) {
  return sync_word_peek (&detector->count, SYNC_LABEL ("len: load count"));
}

size_t
gomap_detector_check (const GoDetector *detector,
                      const GoMap      *table,
                      EngineReport      report,
                      void             *data) {
  size_t n_broken = 0;

  if (sync_word_peek (&detector->hash_writing, SYNC_LABEL ("look at the bit"))
      != 0) {
    n_broken++;
    if (report != NULL)
      report ("D1: hashWriting is on and nobody writes", data);
  }
  if (gomap_watched_len (detector) != (uint64_t)table->count) {
    n_broken++;
    if (report != NULL)
      report ("D2: the count that is checked is not the table's", data);
  }
  return n_broken;
}
