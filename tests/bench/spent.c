/* SPDX-License-Identifier: GPL-3.0-or-later */

/* spent.c — see spent.h
 *
 * Source      Documentation/scheduler/sched-stats.rst of Linux: the second number of
 *             a thread's schedstat is the time that it waited for a core, in ns.
 *             The eighth of a core's line of /proc/stat is what was stolen (proc(5)).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "tests/bench/spent.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static gint64
clock_us (clockid_t clock) {
  struct timespec now;

  clock_gettime (clock, &now);
  return (gint64)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Of the thread that calls it first: one thread is looked at in a program. */
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
  return (Spent){ .wall_us = clock_us (CLOCK_MONOTONIC),
                  .worked_us = clock_us (CLOCK_THREAD_CPUTIME_ID),
                  .ready_us = ready_us (),
                  .n_faults = usage.ru_minflt + usage.ru_majflt,
                  .n_sleeps = usage.ru_nvcsw,
                  .n_pushed = usage.ru_nivcsw };
}

Spent
spent_since (const Spent *then) {
  Spent now = spent_now ();

  return (Spent){ .wall_us = now.wall_us - then->wall_us,
                  .worked_us = now.worked_us - then->worked_us,
                  .ready_us = now.ready_us - then->ready_us,
                  .n_faults = now.n_faults - then->n_faults,
                  .n_sleeps = now.n_sleeps - then->n_sleeps,
                  .n_pushed = now.n_pushed - then->n_pushed };
}

void
spent_print (const Spent *spent) {
  g_printerr ("%.1f ms: %.1f worked, %.1f without a core, %.1f asleep (%d times), "
              "pushed away %d times, %d faults\n",
              (double)spent->wall_us / 1000, (double)spent->worked_us / 1000,
              (double)spent->ready_us / 1000,
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
