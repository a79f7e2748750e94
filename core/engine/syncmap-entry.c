/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-entry.c — the steps of an entry's word
 *
 * Each function is one of Go's loops around CompareAndSwap: look, decide, try,
 * and decide again by what was found when somebody else was faster. Where that
 * says to try once more, the thread first leaves the entry alone for a moment,
 * which Go does not (sync_word_back_off()). The machine: syncmap-entry.h.
 *
 * Source      Go 1.23 sync/map.go: the methods of entry.
 */
#include "core/engine/syncmap-entry.h"

#include "core/base/mutant.h"
#include "core/engine/engine-costs.h"

/* Somebody else was faster, and @word, which the CAS found, can be changed all
 * the same. */
__attribute__ ((cold, noinline)) static uint64_t
back_off (const Entry  *entry,
          EngineThread *thread,
          uint64_t      word) {
  engine_count_retry (thread);
  return sync_word_back_off (&entry->word, word);
}

static inline bool
word_is (uint64_t word,
         int64_t  value) {
  return entry_word_has_value (word) && entry_word_value (word) == value;
}

void
entry_begin (Entry   *entry,
             int64_t  value) {
  uint64_t word = entry_word_with_value (entry_peek (entry), value);

  sync_word_store (&entry->word, word, SYNC_LABEL ("fill new entry"));
  entry_tell (entry, EVENT_ENTRY_STORED, word);
}

bool
entry_try_swap (Entry        *entry,
                EngineThread *thread,
                int64_t       value,
                bool         *has_previous,
                int64_t      *previous) {
  uint64_t word = entry_peek (entry);

  while (!entry_word_is_expunged (word)) {
    if (entry_change (entry, &word, entry_word_with_value (word, value),
                      EVENT_ENTRY_STORED,
                      SYNC_LABEL ("CAS entry.p to the new value"))) {
      *has_previous = entry_word_has_value (word);
      *previous = *has_previous ? entry_word_value (word) : 0;
      return true;
    }
    if (!entry_word_is_expunged (word))
      word = back_off (entry, thread, word);
  }
  return false;
}

EntryOutcome
entry_try_load_or_store (Entry        *entry,
                         EngineThread *thread,
                         int64_t       value,
                         int64_t      *actual) {
  uint64_t word = entry_peek (entry);

  while (entry_word_is_nil (word)) {
    if (entry_change (entry, &word, entry_word_with_value (word, value),
                      EVENT_ENTRY_STORED,
                      SYNC_LABEL ("CAS entry.p from nil to the value"))) {
      *actual = value;
      return ENTRY_STORED;
    }
    if (entry_word_is_nil (word))
      word = back_off (entry, thread, word);
  }
  if (entry_word_is_expunged (word))
    return ENTRY_GAVE_UP;
  *actual = entry_word_value (word);
  return ENTRY_LOADED;
}

bool
entry_try_compare_and_swap (Entry        *entry,
                            EngineThread *thread,
                            int64_t       old,
                            int64_t       value) {
  uint64_t word = entry_peek (entry);

  while (word_is (word, old)) {
    if (entry_change (entry, &word, entry_word_with_value (word, value),
                      EVENT_ENTRY_STORED,
                      SYNC_LABEL ("CAS entry.p from old to new")))
      return true;
    if (word_is (word, old))
      word = back_off (entry, thread, word);
  }
  return false;
}

bool
entry_try_compare_and_delete (Entry        *entry,
                              EngineThread *thread,
                              int64_t       old) {
  uint64_t word = entry_peek (entry);

  while (word_is (word, old)) {
    if (entry_change (entry, &word, entry_word_with_nil (word),
                      EVENT_ENTRY_DELETED,
                      SYNC_LABEL ("CAS entry.p from old to nil")))
      return true;
    if (word_is (word, old))
      word = back_off (entry, thread, word);
  }
  return false;
}

bool
entry_delete (Entry        *entry,
              EngineThread *thread,
              int64_t      *value) {
  uint64_t word = entry_peek (entry);

  while (entry_word_has_value (word) || MUTANT (DELETE_SWAPS)) {
    bool has_value = entry_word_has_value (word);

    if (entry_change (entry, &word, entry_word_with_nil (word),
                      EVENT_ENTRY_DELETED, SYNC_LABEL ("CAS entry.p to nil"))) {
      if (has_value)
        *value = entry_word_value (word);
      return has_value;
    }
    if (entry_word_has_value (word))
      word = back_off (entry, thread, word);
  }
  return false;
}

bool
entry_try_expunge_locked (Entry *entry) {
  uint64_t word = entry_peek (entry);

  if (MUTANT (EXPUNGE_STORES) && entry_word_is_nil (word)) {
    word = entry_word_with_expunged (word);
    sync_word_store (&entry->word, word, SYNC_LABEL ("store expunged"));
  }
  while (entry_word_is_nil (word))
    if (entry_change (entry, &word, entry_word_with_expunged (word),
                      EVENT_ENTRY_EXPUNGED,
                      SYNC_LABEL ("CAS entry.p from nil to expunged")))
      return true;
  return entry_word_is_expunged (word);
}

bool
entry_unexpunge_locked (Entry *entry) {
  uint64_t word = entry_peek (entry);

  while (entry_word_is_expunged (word))
    if (entry_change (entry, &word, entry_word_with_nil (word),
                      EVENT_ENTRY_UNEXPUNGED,
                      SYNC_LABEL ("CAS entry.p from expunged to nil")))
      return true;
  return false;
}
