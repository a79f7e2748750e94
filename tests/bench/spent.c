/* SPDX-License-Identifier: GPL-3.0-or-later */

/* spent.c — see spent.h
 *
 * Work        The thread's own clock tells waiting as work where it waits for a core
 *             behind one that is in the kernel and cannot be put aside there. The
 *             scheduler does not set its clock between asking for the core and
 *             getting it (rq_clock_skip_update()); if that takes until after a tick,
 *             the clock stands at the tick, and whoever comes in is charged from
 *             there. A trace of switches shows it: a thread that was let in for
 *             0.13 ms three times, after waits of 2.5 to 5 ms, was charged 6 ms more than
 *             it had. Performance events have a clock that is set at the switch itself;
 *             but what the machine owns to have stolen is in that one. So the lesser
 *             of both is the work, and what the first has more is time without a core.
 *             Where the kernel lends no event there is the first alone.
 *
 * Source      Documentation/scheduler/sched-stats.rst of Linux: the second number of
 *             a thread's schedstat is the time that it waited for a core, in ns.
 *             The eighth of a core's line of /proc/stat is what was stolen (proc(5)).
 *             kernel/sched/core.c, wakeup_preempt(); perf_event_open(2),
 *             PERF_COUNT_SW_TASK_CLOCK.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/bench/spent.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static gint64
clock_ns (clockid_t clock) {
  struct timespec now;

  clock_gettime (clock, &now);
  return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Between switches in and out, of the thread that calls it first: one thread is looked
 * at in a program. -1: not known. */
static gint64
switched_in_ns (void) {
  static int file = -2;
  guint64 ns;

  if (file == -2) {
    struct perf_event_attr wanted = { .type = PERF_TYPE_SOFTWARE,
                                      .size = sizeof wanted,
                                      .config = PERF_COUNT_SW_TASK_CLOCK };

    file = (int)syscall (SYS_perf_event_open, &wanted, 0, -1, -1,
                         PERF_FLAG_FD_CLOEXEC);
  }
  if (file < 0 || read (file, &ns, sizeof ns) != sizeof ns)
    return -1;
  return (gint64)ns;
}

WorkClock
work_clock_now (void) {
  return (WorkClock){ .charged_ns = clock_ns (CLOCK_THREAD_CPUTIME_ID),
                      .switched_in_ns = switched_in_ns () };
}

gint64
work_clock_between_ns (const WorkClock *from,
                       const WorkClock *to) {
  gint64 charged_ns = to->charged_ns - from->charged_ns;

  return to->switched_in_ns < 0
             ? charged_ns
             : MIN (charged_ns, to->switched_in_ns - from->switched_in_ns);
}

/* Of the same thread. */
static gint64
ready_us (void) {
  static int file = -1;
  char text[64] = { 0 };
  long long worked_ns, ready_ns;

  if (file < 0)
    file = open ("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
  if (file < 0 || pread (file, text, sizeof text - 1, 0) <= 0
      || sscanf (text, "%lld %lld", &worked_ns, &ready_ns) != 2)
    return 0;
  return ready_ns / 1000;
}

Spent
spent_now (void) {
  struct rusage usage = { 0 };

  getrusage (RUSAGE_THREAD, &usage);
  return (Spent){ .wall_us = clock_ns (CLOCK_MONOTONIC) / 1000,
                  .clock = work_clock_now (),
                  .ready_us = ready_us (),
                  .n_faults = usage.ru_minflt + usage.ru_majflt,
                  .n_sleeps = usage.ru_nvcsw,
                  .n_pushed = usage.ru_nivcsw };
}

Spent
spent_since (const Spent *then) {
  Spent now = spent_now ();
  gint64 worked_ns = work_clock_between_ns (&then->clock, &now.clock);
  gint64 waited_ns = now.clock.charged_ns - then->clock.charged_ns - worked_ns;

  return (Spent){ .wall_us = now.wall_us - then->wall_us,
                  .worked_us = worked_ns / 1000,
                  .charged_us = worked_ns / 1000 + waited_ns / 1000,
                  .ready_us = now.ready_us - then->ready_us + waited_ns / 1000,
                  .n_faults = now.n_faults - then->n_faults,
                  .n_sleeps = now.n_sleeps - then->n_sleeps,
                  .n_pushed = now.n_pushed - then->n_pushed };
}

void
spent_print (const Spent *spent) {
  g_printerr ("%.1f ms: %.1f worked (%.1f charged), %.1f without a core, %.1f asleep (%d times), "
              "pushed away %d times, %d faults\n",
              (double)spent->wall_us / 1000, (double)spent->worked_us / 1000,
              (double)spent->charged_us / 1000, (double)spent->ready_us / 1000,
              (double)(spent->wall_us - spent->worked_us - spent->ready_us) / 1000,
              (int)spent->n_sleeps, (int)spent->n_pushed, (int)spent->n_faults);
}

gint64
spent_stolen_us (void) {
  static int file = -1;
  char text[256] = { 0 };
  long long stolen;

  if (file < 0)
    file = open ("/proc/stat", O_RDONLY | O_CLOEXEC);
  if (file < 0 || pread (file, text, sizeof text - 1, 0) <= 0
      || sscanf (text, "cpu %*d %*d %*d %*d %*d %*d %*d %lld", &stolen) != 1)
    return 0;
  return stolen * 1000000 / sysconf (_SC_CLK_TCK);
}
