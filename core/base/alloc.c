/* SPDX-License-Identifier: GPL-3.0-or-later */

/* alloc.c — memory by three sizes
 *
 * Idea        Small records come from calloc(). From a cache line on, memory
 *             starts on a cache line, so that neighbours written by different
 *             threads can be kept apart: a line more is asked for, and where the
 *             allocator's own block begins stands before the line. aligned_alloc()
 *             would cut blocks to size and mend them again each time, past the
 *             lists that malloc() keeps per thread. From LARGE_BYTES on it is mapped by
 *             itself: zero pages cost nothing until touched, the kernel is
 *             asked for huge pages (a large table is walked at random, and the
 *             page walk is then most of a miss), and freeing gives it back at
 *             once. The size decides, so alloc_free() needs no header.
 *
 * Threads     field        written by  order    read by
 *             countdown    anyone      relaxed  alloc_zeroed(); a test's knob
 *             bytes_held   anyone      relaxed  anyone; a statistic only
 */
#include "core/base/alloc.h"

#include "core/base/sanitized.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LINE_BYTES ((size_t)64)
#define LARGE_BYTES ((size_t)1 << 20) /* as alloc.h promises */
#define HUGE_BYTES ((size_t)1 << 21)  /* a huge page on x86-64 and arm64 */

/* Under the address sanitizer the exact block is asked for, so that it sees a step
 * past either end. */
#define WATCHES_ENDS HAS_ASAN

static _Atomic (int64_t) countdown = -1;
static _Atomic (size_t) bytes_held;

/* Whether this allocation is the one that a test wants to fail. */
static bool
is_due_to_fail (void) {
  if (__builtin_expect (
        atomic_load_explicit (&countdown, memory_order_relaxed) < 0, 1))
    return false;
  return atomic_fetch_sub_explicit (&countdown, 1, memory_order_relaxed) == 0;
}

/* Maps @size_bytes, on a huge page boundary when it can hold a huge page: the
 * mapping is made longer by one and its ends are given back. */
static void *
map_large (size_t size_bytes) {
  size_t slack = size_bytes >= HUGE_BYTES ? HUGE_BYTES : 0;
  size_t pages = (size_bytes + 4095) & ~(size_t)4095;
  size_t before, after;
  char *start;

  if (size_bytes > SIZE_MAX / 2)
    return NULL;
  start = mmap (NULL, pages + slack, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED)
    return NULL;

  if (slack != 0) {
    before = -(uintptr_t)start & (HUGE_BYTES - 1);
    after = slack - before;
    if (before != 0)
      munmap (start, before);
    if (after != 0)
      munmap (start + before + pages, after);
    start += before;
  }
#ifdef MADV_HUGEPAGE
  /* Advice: a kernel without huge pages says no, and nothing is lost. */
  madvise (start, size_bytes, MADV_HUGEPAGE);
#endif
  return start;
}

/* Memory that starts on a line; NULL when there is none. */
static void *
take_lines (size_t size_bytes) {
  size_t lines = (size_bytes + LINE_BYTES - 1) & ~(LINE_BYTES - 1);
  char *block, *start;

  if (WATCHES_ENDS)
    return aligned_alloc (LINE_BYTES, lines);
  block = malloc (size_bytes + LINE_BYTES);
  if (block == NULL)
    return NULL;
  /* malloc() aligns to two words, so there is room for one before the line. */
  start = block + LINE_BYTES - ((uintptr_t)block & (LINE_BYTES - 1));
  memcpy (start - sizeof block, &block, sizeof block);
  return start;
}

static void
give_lines (void *start) {
  char *block = start;

  if (!WATCHES_ENDS)
    memcpy (&block, block - sizeof block, sizeof block);
  free (block);
}

void *
alloc_zeroed (size_t size_bytes) {
  void *memory;

  if (is_due_to_fail ())
    return NULL;

  if (size_bytes >= LARGE_BYTES) {
    memory = map_large (size_bytes);
  } else if (size_bytes >= LINE_BYTES) {
    memory = take_lines (size_bytes);
    if (memory != NULL)
      memset (memory, 0, size_bytes);
  } else {
    memory = calloc (1, size_bytes);
  }
  if (memory != NULL)
    atomic_fetch_add_explicit (&bytes_held, size_bytes, memory_order_relaxed);
  return memory;
}

void
alloc_free (void  *memory,
            size_t size_bytes) {
  if (memory == NULL)
    return;
  atomic_fetch_sub_explicit (&bytes_held, size_bytes, memory_order_relaxed);
  if (size_bytes >= LARGE_BYTES)
    munmap (memory, size_bytes);
  else if (size_bytes >= LINE_BYTES)
    give_lines (memory);
  else
    free (memory);
}

void
alloc_fail_after (int64_t n) {
  atomic_store_explicit (&countdown, n, memory_order_relaxed);
}

size_t
alloc_bytes_held (void) {
  return atomic_load_explicit (&bytes_held, memory_order_relaxed);
}
