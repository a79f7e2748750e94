/* SPDX-License-Identifier: GPL-3.0-or-later */

/* long-turns.h — who kept the main loop, when a turn of it was long
 *
 * A turn goes from poll's return to the next poll. Its time is taken by the wall
 * and in processor time of the main thread; what takes long by the wall alone
 * waited, for a lock or for the processor. Main thread only.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A turn that lasts longer than this is looked at. */
#define LONG_TURN_US 8000

/* Begins; poll of the default context is timed from here on. @name: of what the
 * hand did last, changed by long_turns_name(). */
void    long_turns_begin (void);
void    long_turns_end   (void);
void    long_turns_name  (const char *name);
/* (transfer none): of gint64, microseconds; each turn so far. */
GArray *long_turns_worked (void);
GArray *long_turns_waited (void);
/* The same in processor time as the scheduler charges it, waiting included (spent.c). */
GArray *long_turns_charged (void);
/* The processor time that looking at long turns has taken so far, which is none of the
 * turns'. */
gint64  long_turns_looking_us (void);
/* The processor time less what the machine held it up and slowed it down for, as far
 * as that can be proved (long-turns.c). */
GArray *long_turns_own    (void);
/* The long turns that worked longest, and where they were found; to standard
 * error. Sorts them. */
void    long_turns_print (void);

G_END_DECLS
