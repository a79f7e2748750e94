/* SPDX-License-Identifier: GPL-3.0-or-later */

/* rank.h — threads that work behind those that somebody waits for
 *
 * At full speed more threads want a processor than there are. The window's thread
 * wakes several times a frame and works little; whoever wakes waits, though, until
 * the thread that runs has had its slice (3 ms on two processors), and so does the
 * display server, which is no thread of ours. Niceness alone says how much of the
 * processor each has, not who waits for whom.
 *
 * So a thread that works long steps back: it is nicer, and asks for longer slices.
 * Linux 6.12 and newer let a thread that wakes, and has not had its share, go before
 * one of longer slices at once; older kernels ignore the wish. Where nothing else
 * wants the processor, nothing is lost by it.
 *
 * Where a window is shown, what a run is made of (workers, the recorder, what writes
 * and what folds) works behind it altogether: SCHED_IDLE, whose threads go on only
 * where no other thread of their group wants the processor, and are stopped at once
 * when one wakes, on every kernel. The threads that paint are nicer alone: they share
 * locks with the window's thread (of fonts, of memory), and one that was stopped with
 * such a lock, and then waited for its turn among those that work long, let the window
 * stand still for 100 to 300 ms. A window takes a quarter of one core at most, and
 * without waiting for it a run is as fast as before. What it costs: beside another
 * program that takes all processors, in the same group, a run hardly moves. (A desktop
 * that starts each program in a group of its own shares between groups as before.)
 * Without a window, at the command line, nothing is different.
 *
 * Source      Documentation/scheduler/sched-eevdf.rst of Linux; sched_setattr(2),
 *             sched(7).
 */
#pragma once

#include <stdbool.h>

/* The calling thread alone, for the rest of its life, and those that it makes.
 * @niceness: 0 to 19, as nice(2) has it. Elsewhere than on Linux: nothing. */
void rank_step_back (int niceness);

/* Says once, before there are threads of a run, that somebody looks at a window. */
void rank_put_window_first (void);
/* The calling thread alone, for the rest of its life, and those that it makes: goes
 * behind the window, if there is one. @is_awaited: before the others that do, and no
 * longer stopped than the window needs. */
void rank_go_behind_window (bool is_awaited);
