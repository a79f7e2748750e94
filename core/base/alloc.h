/* SPDX-License-Identifier: GPL-3.0-or-later */

/* alloc.h — the one door through which engines take and give back memory
 *
 * Threads: all functions may be called from any thread. The failure countdown
 * is per process and meant for tests that run one operation at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * alloc_zeroed:
 * @size_bytes: more than 0
 *
 * Takes zero-filled memory aligned for any type (64 bytes from 64 bytes up,
 * so that records can own their cache lines; huge pages from 1 MiB up).
 *
 * Errors:  NULL when there is no memory, or when a test asked for a failure.
 * Returns: (transfer full): memory for alloc_free() with the same size
 */
void *alloc_zeroed (size_t size_bytes);

/* Gives back what alloc_zeroed() gave; NULL is allowed. */
void  alloc_free   (void  *memory,
                    size_t size_bytes);

/* The n-th allocation from now fails (0 = the next one); negative: none does. */
void  alloc_fail_after (int64_t n);

/* Bytes taken and not yet given back by the whole process; a statistic. */
size_t alloc_bytes_held (void);
