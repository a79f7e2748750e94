/* SPDX-License-Identifier: GPL-3.0-or-later */

/* mutant.h — bugs on purpose, for the tests of the tests
 *
 * A search that finds nothing proves nothing unless it would have found
 * something. So the engines, and the lock below them, carry some bugs that people
 * have really made in such maps, each behind MUTANT(): constant false, and thus no
 * code at all, in the free build; a number that a test sets in the stepped build.
 * Each must be found: those of the maps by tests/core/test-step-engines.c, of the
 * lock by test-step-rwlock.c, of views by test-step-views.c.
 */
#pragma once

typedef enum {
  MUTANT_NONE,
  /* Load takes the lock and looks in dirty, but not again in read. */
  MUTANT_LOAD_LOOKS_ONCE,
  /* Store makes an expunged entry nil and forgets to put it into dirty. */
  MUTANT_STORE_FORGETS_DIRTY,
  /* Delete makes any entry nil, an expunged one too. */
  MUTANT_DELETE_SWAPS,
  /* The copy stores expunged over a nil that may be gone. */
  MUTANT_EXPUNGE_STORES,
  /* Dirty becomes read and stays dirty. */
  MUTANT_PROMOTE_KEEPS_DIRTY,
  /* A new key in dirty, and read does not say that it is amended. */
  MUTANT_AMENDED_MISSING,
  /* Load looks in dirty without the lock. */
  MUTANT_DIRTY_UNLOCKED,
  /* The superseded table is freed without asking who reads it. */
  MUTANT_FREED_AT_ONCE,
  /* An entry deleted out of dirty is handed out again at once. */
  MUTANT_ENTRY_REUSED_AT_ONCE,
  /* Entries brought back since they were expunged die as if they had not. */
  MUTANT_EXPUNGED_NOT_CHECKED,
  /* The copy leaves nil entries out without expunging them. */
  MUTANT_COPY_DROPS_NIL,
  /* Clear empties read alone. */
  MUTANT_CLEAR_KEEPS_DIRTY,
  /* A growth moves every key to the lower half. */
  MUTANT_GROWTH_IGNORES_HALF,
  /* A growth skips a chain. */
  MUTANT_GROWTH_SKIPS,
  /* A Range in a growth takes the keys of the other half too. */
  MUTANT_RANGE_TAKES_BOTH_HALVES,
  /* A Range in a growth looks in the new chain though the old has not moved. */
  MUTANT_RANGE_LOOKS_AHEAD,
  /* Compare-and-swap lets the lock go between looking and assigning. */
  MUTANT_LETS_GO_BETWEEN,
  /* The deal takes a table's seed, which changes when it is cleared. */
  MUTANT_DEAL_CHANGES,
  /* A reader gets in though a writer has claimed the lock. */
  MUTANT_READER_BARGES_IN,
  /* A writer does not wait for the readers inside. */
  MUTANT_WRITER_BARGES_IN,
  /* A writer looks for readers, then claims, in two steps. */
  MUTANT_WRITER_LOOKS_FIRST,
  /* A writer lets all readers in but one. */
  MUTANT_READER_FORGOTTEN,
  /* A writer forgets that readers may leave before it has counted them. */
  MUTANT_LEAVERS_FORGOTTEN,
  /* A view takes a key's newest value, whatever its stamp. */
  MUTANT_VIEW_SEES_NEWEST,
  /* Opening a view does not move the clock. */
  MUTANT_VIEW_WITHOUT_BARRIER,
  /* The clock moves before the view is entered as the oldest. */
  MUTANT_VIEW_ENTERED_LATE,
  /* The closer of the oldest view leaves the old versions to the writers. */
  MUTANT_VIEW_NOT_SWEPT,
  /* A version is stamped before it is in its chain. */
  MUTANT_STAMPED_BEFORE_SEEN,
  /* A reader acts on a value that it has not stamped. */
  MUTANT_SEEN_BEFORE_STAMPED,
  /* Trimming cuts behind the newest, not behind what all views can see. */
  MUTANT_TRIM_CUTS_TOO_MUCH,
  /* An entry becomes nil though a view can see before the deletion. */
  MUTANT_TRIM_HIDES_THE_PAST,
  /* A version that was cut off is handed out again at once. */
  MUTANT_VERSION_REUSED_AT_ONCE,
  /* A batch is freed while sections of its own epoch are open. */
  MUTANT_EPOCH_FREED_EARLY,
  /* Sealing a batch leaves the epoch as it is. */
  MUTANT_EPOCH_NOT_MOVED,
  /* Leaving an inner section ends the outer one. */
  MUTANT_INNER_LEAVE_ENDS,
  /* Sections are looked at without the barrier that brings them to light. */
  MUTANT_NOT_COVERED,
  /* A look takes an empty slot for a reader that has moved on. */
  MUTANT_EMPTY_SLOT_TRUSTED,
  /* Sections are looked at before orphans are adopted. */
  MUTANT_LOOKED_BEFORE_ADOPTED,
  /* Orphans are adopted as batches that nobody can hold. */
  MUTANT_ORPHANS_FREED,
  MUTANT_N
} Mutant;

#ifdef TOPHASH_STEP
extern _Thread_local unsigned step_mutant;
#define MUTANT(name) (step_mutant == MUTANT_##name)
#elif defined(TOPHASH_MUTANTS)
extern unsigned mutant_on; /* of the test that includes what it mutates */
#define MUTANT(name) (mutant_on == MUTANT_##name)
#else
#define MUTANT(name) 0
#endif
