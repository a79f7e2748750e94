/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-memory.c — memory whose addresses repeat and whose death is remembered
 *
 * Idea        Two replays of one schedule must agree to the byte, and the search
 *             compares accesses by address. So memory comes from one arena, from
 *             low to high, and a new run begins at its start again. Nothing that
 *             was freed is handed out a second time within a run: an access to
 *             it is an access to freed memory, not to somebody's new block.
 *
 * Layout      ARENA_BYTES, and a state byte for every GRANULE_BYTES of it. Only
 *             what a run has used is wiped for the next.
 *
 *             states   [ L L L F F L L D L . . . ]
 *             arena    [ block | block | block   | never taken ]
 */
#include "core/step/step-memory.h"

#include <string.h>
#include <sys/mman.h>

#define ARENA_BYTES ((size_t)1 << 30) /* of addresses; pages when touched */
#define GRANULE_BYTES ((size_t)8) /* of what has a state of its own */
#define BLOCK_BYTES ((size_t)16)  /* small blocks start a multiple */
#define LINE_BYTES ((size_t)64)        /* larger blocks start a line: alloc.h */

typedef struct {
  char   *arena;
  char   *states;
  size_t  used_bytes;
  size_t  held_bytes;
} Arena;

static _Thread_local Arena arena;

static char *
map_zeroed (size_t size_bytes) {
  void *memory = mmap (NULL, size_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  return memory == MAP_FAILED ? NULL : memory;
}

static bool
open_arena (void) {
  if (arena.arena == NULL)
    arena.arena = map_zeroed (ARENA_BYTES);
  if (arena.states == NULL)
    arena.states = map_zeroed (ARENA_BYTES / GRANULE_BYTES);
  return arena.arena != NULL && arena.states != NULL;
}

static size_t
granules (size_t size_bytes) {
  return (size_bytes + GRANULE_BYTES - 1) / GRANULE_BYTES;
}

static bool
is_inside (const void *where) {
  return arena.arena != NULL && (const char *)where >= arena.arena
         && (const char *)where < arena.arena + ARENA_BYTES;
}

void
step_memory_reset (void) {
  if (arena.states != NULL)
    memset (arena.states, STEP_MEMORY_ELSEWHERE, granules (arena.used_bytes));
  arena.used_bytes = 0;
  arena.held_bytes = 0;
}

void *
step_memory_take (size_t size_bytes) {
  size_t align = size_bytes >= LINE_BYTES ? LINE_BYTES : BLOCK_BYTES;
  size_t start = (arena.used_bytes + align - 1) & ~(align - 1);

  if (!open_arena () || size_bytes > ARENA_BYTES - start)
    return NULL;
  arena.used_bytes = start + size_bytes;
  arena.held_bytes += size_bytes;
  memset (arena.arena + start, 0, size_bytes);
  step_memory_mark (arena.arena + start, size_bytes, STEP_MEMORY_LIVE);
  return arena.arena + start;
}

void
step_memory_give (void  *memory,
                  size_t size_bytes) {
  arena.held_bytes -= size_bytes;
  step_memory_mark (memory, size_bytes, STEP_MEMORY_FREED);
  memset (memory, STEP_MEMORY_POISON, size_bytes);
}

void
step_memory_mark (const void *memory,
                  size_t      size_bytes,
                  StepMemory  state) {
  size_t first = (size_t)((const char *)memory - arena.arena) / GRANULE_BYTES;

  memset (arena.states + first, (int)state, granules (size_bytes));
}

StepMemory
step_memory_look (const void *where) {
  if (!is_inside (where))
    return STEP_MEMORY_ELSEWHERE;
  return (StepMemory)arena
      .states[(size_t)((const char *)where - arena.arena) / GRANULE_BYTES];
}

uint64_t
step_memory_offset (const void *where) {
  return is_inside (where) ? (uint64_t)((const char *)where - arena.arena) : 0;
}

size_t
step_memory_held (void) {
  return arena.held_bytes;
}
