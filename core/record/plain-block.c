/* SPDX-License-Identifier: GPL-3.0-or-later */

/* plain-block.c — memory for unpacked blocks
 *
 * Idea        A block of plain events is 160 KiB, and several threads take and free
 *             thousands a second: who folds, who unpacks ahead, searches, views. From
 *             malloc() each thread would have them in an arena of its own, and keep
 *             there what it once took at the most: sixty megabytes in a dozen arenas
 *             where no more than a few dozen blocks were in use at a time. So they
 *             are mappings of their own, and what one thread frees the next one has.
 *
 * Spare       A few are kept when they are freed, the last freed first in turn, whose
 *             lines are still in the cache: a fresh mapping is cleared page by page.
 *             They go with the last block there is, so with the last log.
 *
 * Threads     One lock, held for a few words, never while the kernel is asked.
 *             Sanitizers see plain allocations.
 */
#include "core/base/sanitized.h"
#include "core/record/tracelog-private.h"

#include <sys/mman.h>

/* Free choice: as many as a log keeps unpacked. */
#define MAX_SPARE 32u

#define IS_PLAIN (HAS_ASAN || HAS_TSAN)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards all below */
static PlainBlock *spare[MAX_SPARE];
static guint n_spare;
static guint n_taken;

/* A spare one; NULL: there is none. */
static PlainBlock *
take_spare (void) {
  PlainBlock *block = NULL;

  pthread_mutex_lock (&lock);
  n_taken++;
  if (n_spare > 0)
    block = spare[--n_spare];
  pthread_mutex_unlock (&lock);
  return block;
}

PlainBlock *
plain_block_new (void) {
  PlainBlock *block = IS_PLAIN ? g_new (PlainBlock, 1) : take_spare ();

  if (block == NULL) {
    block = mmap (NULL, sizeof *block, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
      g_error ("no memory for a block of events");
  }
  atomic_init (&block->ref_count, 1);
  return block;
}

static void
free_block (PlainBlock *block) {
  PlainBlock *gone[MAX_SPARE + 1];
  guint n_gone = 0;

  if (IS_PLAIN) {
    g_free (block);
    return;
  }
  pthread_mutex_lock (&lock);
  if (n_spare < MAX_SPARE)
    spare[n_spare++] = block;
  else
    gone[n_gone++] = block;
  if (--n_taken == 0)
    while (n_spare > 0)
      gone[n_gone++] = spare[--n_spare];
  pthread_mutex_unlock (&lock);
  for (guint i = 0; i < n_gone; i++)
    munmap (gone[i], sizeof *gone[i]);
}

PlainBlock *
plain_block_ref (PlainBlock *block) {
  /* Relaxed: who refs already holds a reference, or the lock. */
  atomic_fetch_add_explicit (&block->ref_count, 1, memory_order_relaxed);
  return block;
}

void
plain_block_unref (PlainBlock *block) {
  /* Acquire and release: all reading ends before the block is freed, or written
   * again (plain_block_is_unshared()). */
  if (block != NULL
      && atomic_fetch_sub_explicit (&block->ref_count, 1, memory_order_acq_rel)
             == 1)
    free_block (block);
}

gboolean
plain_block_is_unshared (PlainBlock *block) {
  /* Acquire: pairs with the release of the last reader's unref. */
  return atomic_load_explicit (&block->ref_count, memory_order_acquire) == 1;
}
