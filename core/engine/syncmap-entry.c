/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-entry.c — the steps of an entry's word, told
 *
 * The loops are those of syncmap-entry-private.h.
 */
#include "core/engine/syncmap-entry-private.h"

__attribute__ ((cold, noinline)) uint64_t
entry_back_off (const Entry  *entry,
                EngineThread *thread,
                uint64_t      word) {
  engine_count_retry (thread);
  return sync_word_back_off (&entry->word, word);
}

void
entry_begin (Entry   *entry,
             int64_t  value) {
  uint64_t word = entry_word_with_value (entry_peek (entry), value);

  sync_word_store (&entry->word, word, SYNC_LABEL ("fill new entry"));
  if (__builtin_expect (probe_current != NULL, 0))
    entry_tell (entry, probe_current, EVENT_ENTRY_STORED, word);
}

bool
entry_try_swap (Entry        *entry,
                EngineThread *thread,
                int64_t       value,
                bool         *has_previous,
                int64_t      *previous) {
  return entry_swap_steps (entry, thread, probe_current, value, has_previous, previous);
}

EntryOutcome
entry_try_load_or_store (Entry        *entry,
                         EngineThread *thread,
                         int64_t       value,
                         int64_t      *actual) {
  return entry_load_or_store_steps (entry, thread, probe_current, value, actual);
}

bool
entry_try_compare_and_swap (Entry        *entry,
                            EngineThread *thread,
                            int64_t       old,
                            int64_t       value) {
  return entry_compare_and_swap_steps (entry, thread, probe_current, old, value);
}

bool
entry_try_compare_and_delete (Entry        *entry,
                              EngineThread *thread,
                              int64_t       old) {
  return entry_compare_and_delete_steps (entry, thread, probe_current, old);
}

bool
entry_delete (Entry        *entry,
              EngineThread *thread,
              int64_t      *value) {
  return entry_delete_steps (entry, thread, probe_current, value);
}

bool
entry_try_expunge_locked (Entry *entry) {
  uint64_t word = entry_peek (entry);

  if (MUTANT (EXPUNGE_STORES) && entry_word_is_nil (word)) {
    word = entry_word_with_expunged (word);
    sync_word_store (&entry->word, word, SYNC_LABEL ("store expunged"));
  }
  while (entry_word_is_nil (word))
    if (entry_change (entry, probe_current, &word, entry_word_with_expunged (word),
                      EVENT_ENTRY_EXPUNGED,
                      SYNC_LABEL ("CAS entry.p from nil to expunged")))
      return true;
  return entry_word_is_expunged (word);
}

bool
entry_unexpunge_locked (Entry *entry) {
  uint64_t word = entry_peek (entry);

  while (entry_word_is_expunged (word))
    if (entry_change (entry, probe_current, &word, entry_word_with_nil (word),
                      EVENT_ENTRY_UNEXPUNGED,
                      SYNC_LABEL ("CAS entry.p from expunged to nil")))
      return true;
  return false;
}
