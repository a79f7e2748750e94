/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-entry.c — the steps of an entry's word
 *
 * Each function is one of Go's loops around CompareAndSwap: look, decide, try,
 * and look again when somebody else was faster. A failed CAS hands back what it
 * found, so no loop loads twice. The machine is told in syncmap-entry.h.
 *
 * Source      Go 1.23 sync/map.go: the methods of entry.
 */
#include "core/engine/syncmap-entry.h"

#include "core/base/mutant.h"
#include "core/engine/engine-costs.h"

/* A try is about to be made: the second and all after it are retries. */
static inline void
count_try (EngineThread *thread,
           bool         *is_retry) {
  if (__builtin_expect (*is_retry, 0))
    engine_count_retry (thread);
  *is_retry = true;
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
  bool is_retry = false;

  do {
    if (entry_word_is_expunged (word))
      return false;
    count_try (thread, &is_retry);
  } while (!entry_change (entry, &word, entry_word_with_value (word, value),
                          EVENT_ENTRY_STORED,
                          SYNC_LABEL ("CAS entry.p to the new value")));

  *has_previous = entry_word_has_value (word);
  *previous = *has_previous ? entry_word_value (word) : 0;
  return true;
}

EntryOutcome
entry_try_load_or_store (Entry        *entry,
                         EngineThread *thread,
                         int64_t       value,
                         int64_t      *actual) {
  uint64_t word = entry_peek (entry);
  bool is_retry = false;

  do {
    if (entry_word_has_value (word)) {
      *actual = entry_word_value (word);
      return ENTRY_LOADED;
    }
    if (entry_word_is_expunged (word))
      return ENTRY_GAVE_UP;
    count_try (thread, &is_retry);
  } while (!entry_change (entry, &word, entry_word_with_value (word, value),
                          EVENT_ENTRY_STORED,
                          SYNC_LABEL ("CAS entry.p from nil to the value")));

  *actual = value;
  return ENTRY_STORED;
}

bool
entry_try_compare_and_swap (Entry        *entry,
                            EngineThread *thread,
                            int64_t       old,
                            int64_t       value) {
  uint64_t word = entry_peek (entry);
  bool is_retry = false;

  do {
    if (!entry_word_has_value (word) || entry_word_value (word) != old)
      return false;
    count_try (thread, &is_retry);
  } while (!entry_change (entry, &word, entry_word_with_value (word, value),
                          EVENT_ENTRY_STORED,
                          SYNC_LABEL ("CAS entry.p from old to new")));
  return true;
}

bool
entry_try_compare_and_delete (Entry        *entry,
                              EngineThread *thread,
                              int64_t       old) {
  uint64_t word = entry_peek (entry);
  bool is_retry = false;

  do {
    if (!entry_word_has_value (word) || entry_word_value (word) != old)
      return false;
    count_try (thread, &is_retry);
  } while (!entry_change (entry, &word, entry_word_with_nil (word),
                          EVENT_ENTRY_DELETED,
                          SYNC_LABEL ("CAS entry.p from old to nil")));
  return true;
}

bool
entry_delete (Entry        *entry,
              EngineThread *thread,
              int64_t      *value) {
  uint64_t word = entry_peek (entry);
  bool is_retry = false;

  do {
    if (!entry_word_has_value (word) && !MUTANT (DELETE_SWAPS))
      return false;
    count_try (thread, &is_retry);
  } while (!entry_change (entry, &word, entry_word_with_nil (word),
                          EVENT_ENTRY_DELETED,
                          SYNC_LABEL ("CAS entry.p to nil")));
  if (MUTANT (DELETE_SWAPS) && !entry_word_has_value (word))
    return false;
  *value = entry_word_value (word);
  return true;
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
