/* SPDX-License-Identifier: GPL-3.0-or-later */

/* map-guard.h — mapped bytes of a file that may fail to be read
 *
 * Bytes of a file that are read by mapping it cannot say that reading failed: the
 * disk has an error, or somebody has cut the file, and the thread that looks at them
 * is sent SIGBUS, which ends the process. Between map_guard_enter() and
 * map_guard_leave() the thread finds zeros there instead and goes on, and the guard
 * says so. What was made of the bytes is to be thrown away then.
 *
 * The reader must bear any bytes whatever, as one of damaged files does, and must not
 * take a byte that it has checked from there again.
 *
 * Threads: any. SIGBUS from elsewhere does what it did before.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Bytes from @start on, which were mapped for reading alone; -1: there are too many
 * already, so they must not be looked at. */
int  map_guard_enter    (const void *start,
                         size_t      size);
/* Whether all that was looked at so far is the file's. */
bool map_guard_is_whole (int         place);
/* The same in the end, when nobody looks any more and nothing is unmapped yet. */
bool map_guard_leave    (int         place);
