/* SPDX-License-Identifier: GPL-3.0-or-later */

/* step-memory.h — memory whose addresses repeat and whose death is remembered
 *
 * Threads: each OS thread has an arena of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  STEP_MEMORY_ELSEWHERE, /* not of the arena, or never taken */
  STEP_MEMORY_LIVE,
  STEP_MEMORY_FREED,
  STEP_MEMORY_DISUSED,   /* in its pool; may be taken out again */
} StepMemory;

/* Forgets everything taken so far: the same takes give the same addresses. */
void       step_memory_reset (void);
/* Zero-filled; NULL when the arena is full. */
void      *step_memory_take  (size_t      size_bytes);
/* Marks it freed, for good, and fills it with STEP_MEMORY_POISON. */
void       step_memory_give  (void       *memory,
                              size_t      size_bytes);
/* Marks a part of a block; its bytes stay. */
void       step_memory_mark  (const void *memory,
                              size_t      size_bytes,
                              StepMemory  state);
StepMemory step_memory_look  (const void *where);
/* From the arena's start: the same in every process; 0: not of the arena. */
uint64_t   step_memory_offset (const void *where);
/* Bytes taken and not given back. */
size_t     step_memory_held  (void);

#define STEP_MEMORY_POISON 0xdb
