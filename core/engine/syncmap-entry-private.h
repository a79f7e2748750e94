/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-entry-private.h — the steps of an entry's word, in line
 *
 * Each function is one of Go's loops around CompareAndSwap: look, decide, try,
 * and decide again by what was found when somebody else was faster. Where that
 * says to try once more, the thread first leaves the entry alone for a moment,
 * which Go does not (sync_word_back_off()). The machine: syncmap-entry.h.
 *
 * They are written once and compiled twice: as the functions of syncmap-entry.c,
 * and into lanes. @teller is told each change; NULL: nobody is.
 *
 * Source      Go 1.23 sync/map.go: the methods of entry.
 */
#pragma once

#include "core/base/mutant.h"
#include "core/engine/engine-costs.h"
#include "core/engine/syncmap-entry.h"

#define ENTRY_STEPS static inline __attribute__ ((always_inline))

/* Somebody else was faster, and @word, which the CAS found, can be changed all
 * the same: after a moment, what is there then. */
uint64_t entry_back_off (const Entry  *entry,
                         EngineThread *thread,
                         uint64_t      word);

ENTRY_STEPS bool
entry_word_is (uint64_t word,
               int64_t  value) {
  return entry_word_has_value (word) && entry_word_value (word) == value;
}

/* One attempt to go from *@word to @wanted. On failure *@word is what is there
 * now. */
ENTRY_STEPS bool
entry_change (Entry      *entry,
              Probe      *teller,
              uint64_t   *word,
              uint64_t    wanted,
              EventKind   kind,
              const char *label) {
  if (!sync_word_cas (&entry->word, word, wanted, label))
    return false;
  if (__builtin_expect (teller != NULL, 0))
    entry_tell (entry, teller, kind, wanted);
  return true;
}

ENTRY_STEPS bool
entry_swap_steps (Entry        *entry,
                  EngineThread *thread,
                  Probe        *teller,
                  int64_t       value,
                  bool         *has_previous,
                  int64_t      *previous) {
  uint64_t word = entry_peek (entry);

  while (!entry_word_is_expunged (word)) {
    if (entry_change (entry, teller, &word, entry_word_with_value (word, value),
                      EVENT_ENTRY_STORED,
                      SYNC_LABEL ("CAS entry.p to the new value"))) {
      *has_previous = entry_word_has_value (word);
      *previous = *has_previous ? entry_word_value (word) : 0;
      return true;
    }
    if (!entry_word_is_expunged (word))
      word = entry_back_off (entry, thread, word);
  }
  return false;
}

ENTRY_STEPS EntryOutcome
entry_load_or_store_steps (Entry        *entry,
                           EngineThread *thread,
                           Probe        *teller,
                           int64_t       value,
                           int64_t      *actual) {
  uint64_t word = entry_peek (entry);

  while (entry_word_is_nil (word)) {
    if (entry_change (entry, teller, &word, entry_word_with_value (word, value),
                      EVENT_ENTRY_STORED,
                      SYNC_LABEL ("CAS entry.p from nil to the value"))) {
      *actual = value;
      return ENTRY_STORED;
    }
    if (entry_word_is_nil (word))
      word = entry_back_off (entry, thread, word);
  }
  if (entry_word_is_expunged (word))
    return ENTRY_GAVE_UP;
  *actual = entry_word_value (word);
  return ENTRY_LOADED;
}

ENTRY_STEPS bool
entry_compare_and_swap_steps (Entry        *entry,
                              EngineThread *thread,
                              Probe        *teller,
                              int64_t       old,
                              int64_t       value) {
  uint64_t word = entry_peek (entry);

  while (entry_word_is (word, old)) {
    if (entry_change (entry, teller, &word, entry_word_with_value (word, value),
                      EVENT_ENTRY_STORED,
                      SYNC_LABEL ("CAS entry.p from old to new")))
      return true;
    if (entry_word_is (word, old))
      word = entry_back_off (entry, thread, word);
  }
  return false;
}

ENTRY_STEPS bool
entry_compare_and_delete_steps (Entry        *entry,
                                EngineThread *thread,
                                Probe        *teller,
                                int64_t       old) {
  uint64_t word = entry_peek (entry);

  while (entry_word_is (word, old)) {
    if (entry_change (entry, teller, &word, entry_word_with_nil (word),
                      EVENT_ENTRY_DELETED,
                      SYNC_LABEL ("CAS entry.p from old to nil")))
      return true;
    if (entry_word_is (word, old))
      word = entry_back_off (entry, thread, word);
  }
  return false;
}

ENTRY_STEPS bool
entry_delete_steps (Entry        *entry,
                    EngineThread *thread,
                    Probe        *teller,
                    int64_t      *value) {
  uint64_t word = entry_peek (entry);

  while (entry_word_has_value (word) || MUTANT (DELETE_SWAPS)) {
    bool has_value = entry_word_has_value (word);

    if (entry_change (entry, teller, &word, entry_word_with_nil (word),
                      EVENT_ENTRY_DELETED,
                      SYNC_LABEL ("CAS entry.p to nil"))) {
      if (has_value)
        *value = entry_word_value (word);
      return has_value;
    }
    if (entry_word_has_value (word))
      word = entry_back_off (entry, thread, word);
  }
  return false;
}
