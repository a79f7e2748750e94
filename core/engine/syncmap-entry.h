/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-entry.h — one sync.Map entry: a word that changes by CAS
 *
 * Idea        Go's entry is a pointer to a boxed value, or nil, or a pointer to
 *             a marker called expunged. Here the value lies in the word itself,
 *             so a store on an existing key allocates nothing, and the rest of
 *             the word counts its changes. State, value and count change in one
 *             CAS: the count is the version that the change's event carries, so
 *             the order of an entry's events is exact by construction.
 *
 * Layout      bit    0         1 = has a value (V)
 *             bits   1 … 17    version, modulo 2^ENTRY_VERSION_BITS
 *             bits  18 … 63    V: the value, signed
 *                              else: 1 = expunged (X), 0 = nil (N)
 *
 * Machine     V -> V  store, swap, compare-and-swap      anyone
 *             V -> N  delete                             anyone
 *             N -> V  store, load-or-store               anyone
 *             N -> X  the dirty copy leaves it out       mu held
 *             X -> N  a store brings it back             mu held
 *             There is no step from X to V: the dirty table has to get the
 *             entry first. So while mu is held an X stays an X.
 *
 * Reuse       A recycled entry goes on counting from where it was. Versions
 *             wrap; a CAS that is fooled by a whole turn finds the same state
 *             and value that it expected, so it is right all the same.
 *
 * Retries     A CAS that failed and is tried again is counted for the thread: the
 *             measure of how much writers of one key get in each other's way.
 *
 * Orders      All changes are sequentially consistent CASes and all looks are
 *             sequentially consistent loads, as Go's: stores and loads of
 *             different keys must fit one order.
 */
#pragma once

#include "core/base/sync.h"
#include "core/engine/engine.h"
#include "core/probe/probe.h"

typedef struct {
  SyncWord word;
  uint32_t id;   /* never changes once the slab is made */
  uint32_t link; /* id + 1 of the next in the list it is on; 0 = last */
} Entry;
_Static_assert (sizeof (Entry) == ENTRY_BYTES, "four entries a cache line");

#define ENTRY_HAS_VALUE ((uint64_t)1)
#define ENTRY_VERSION_SHIFT 1
#define ENTRY_VALUE_SHIFT (ENTRY_VERSION_SHIFT + ENTRY_VERSION_BITS)
#define ENTRY_EXPUNGED ((uint64_t)1 << ENTRY_VALUE_SHIFT)
_Static_assert (64 - ENTRY_VALUE_SHIFT == ENGINE_VALUE_BITS,
                "state, version and value fill the word");

static inline bool
entry_word_has_value (uint64_t word) {
  return (word & ENTRY_HAS_VALUE) != 0;
}

static inline bool
entry_word_is_expunged (uint64_t word) {
  return (word & (ENTRY_HAS_VALUE | ENTRY_EXPUNGED)) == ENTRY_EXPUNGED;
}

static inline bool
entry_word_is_nil (uint64_t word) {
  return (word & (ENTRY_HAS_VALUE | ENTRY_EXPUNGED)) == 0;
}

static inline uint32_t
entry_word_version (uint64_t word) {
  return (uint32_t)(word >> ENTRY_VERSION_SHIFT) & ENTRY_VERSION_MASK;
}

/* Only when the word has a value. */
static inline int64_t
entry_word_value (uint64_t word) {
  return (int64_t)word >> ENTRY_VALUE_SHIFT;
}

/* The version that the next change of @word makes, in place. */
static inline uint64_t
entry_next_version (uint64_t word) {
  return (uint64_t)((entry_word_version (word) + 1) & ENTRY_VERSION_MASK)
         << ENTRY_VERSION_SHIFT;
}

static inline uint64_t
entry_word_with_value (uint64_t word,
                       int64_t  value) {
  return (uint64_t)value << ENTRY_VALUE_SHIFT | entry_next_version (word)
         | ENTRY_HAS_VALUE;
}

static inline uint64_t
entry_word_with_nil (uint64_t word) {
  return entry_next_version (word);
}

static inline uint64_t
entry_word_with_expunged (uint64_t word) {
  return entry_next_version (word) | ENTRY_EXPUNGED;
}

static inline uint64_t
entry_peek (const Entry *entry) {
  return sync_word_load (&entry->word, SYNC_LABEL ("load entry.p"));
}

/* Tells the change that made @word. */
static inline void
entry_tell (const Entry *entry,
            Probe       *probe,
            EventKind    kind,
            uint64_t     word) {
  if (kind == EVENT_ENTRY_STORED)
    probe_tell_stored (probe, entry->id, entry_word_version (word),
                       entry_word_value (word));
  else
    probe_tell (probe, kind, entry->id, entry_word_version (word), 0, 0);
}

/* Tells that @entry's word is @word now, with a value that fits: what a word has
 * above its state is what an event has below its kind. */
static inline void
entry_write_stored (const Entry *entry,
                    RingUnit    *unit,
                    uint64_t     word) {
  probe_write_halves (unit, entry->id,
                      (word >> ENTRY_VERSION_SHIFT & RING_STORED_MASK)
                          | (uint64_t)EVENT_ENTRY_STORED << RING_KIND_SHIFT);
}

/* The value. false: nil or expunged. */
static inline bool
entry_load (const Entry *entry,
            int64_t     *value) {
  uint64_t word = entry_peek (entry);

  if (!entry_word_has_value (word))
    return false;
  *value = entry_word_value (word);
  return true;
}

/* Gives an entry that only this thread can reach its first value. */
void entry_begin (Entry   *entry,
                  int64_t  value);

/* Stores @value; false: expunged, nothing done. *has_previous and *previous
 * tell what was there. Never false while mu is held and the entry is not
 * expunged. */
bool entry_try_swap (Entry        *entry,
                     EngineThread *thread,
                     int64_t       value,
                     bool         *has_previous,
                     int64_t      *previous);

typedef enum {
  ENTRY_LOADED,   /* *actual is the value found */
  ENTRY_STORED,   /* it was nil */
  ENTRY_GAVE_UP,  /* expunged */
} EntryOutcome;

EntryOutcome entry_try_load_or_store (Entry        *entry,
                                      EngineThread *thread,
                                      int64_t       value,
                                      int64_t      *actual);

/* false: no value, or another one. */
bool entry_try_compare_and_swap   (Entry        *entry,
                                   EngineThread *thread,
                                   int64_t       old,
                                   int64_t       value);
bool entry_try_compare_and_delete (Entry        *entry,
                                   EngineThread *thread,
                                   int64_t       old);
/* Value to nil; false: there was none. */
bool entry_delete                 (Entry        *entry,
                                   EngineThread *thread,
                                   int64_t      *value);

/* mu held. Nil becomes expunged; true: it is expunged now. */
bool entry_try_expunge_locked (Entry *entry);
/* mu held. Expunged becomes nil; false: it was not expunged. */
bool entry_unexpunge_locked   (Entry *entry);
