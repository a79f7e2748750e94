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
 * Source      Documentation/scheduler/sched-eevdf.rst of Linux; sched_setattr(2).
 */
#pragma once

/* The calling thread alone, for the rest of its life, and those that it makes.
 * @niceness: 0 to 19, as nice(2) has it. Elsewhere than on Linux: nothing. */
void rank_step_back (int niceness);
