/* SPDX-License-Identifier: GPL-3.0-or-later */

/* mutant.h — bugs on purpose, for the tests of the tests
 *
 * A search that finds nothing proves nothing unless it would have found
 * something. So the engines carry some bugs that people have really made in such
 * maps, each behind MUTANT(): constant false, and thus no code at all, in the
 * free build; a number that a test sets in the stepped build. Each must be found
 * (tests/core/test-step-engines.c).
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
  MUTANT_N
} Mutant;

#ifdef TOPHASH_STEP
extern _Thread_local unsigned step_mutant;
#define MUTANT(name) (step_mutant == MUTANT_##name)
#else
#define MUTANT(name) 0
#endif
