/* SPDX-License-Identifier: GPL-3.0-or-later */

/* give-back.h — memory that was freed, for others
 *
 * Threads: those that no other goes before (rank.h). One that is stopped meanwhile has
 * all the others wait in malloc().
 */
#pragma once

/* Whole pages of freed memory that malloc() keeps for later go back to the system.
 * For who has freed much, and is about to rest.
 * Cost: milliseconds when there are hundreds of megabytes; others' malloc() may have
 * to wait for as long. */
void give_memory_back (void);
