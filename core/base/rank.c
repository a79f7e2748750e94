/* SPDX-License-Identifier: GPL-3.0-or-later */

/* rank.c — see rank.h */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "core/base/rank.h"

#ifdef __linux__

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Longer than any that was not asked for; free choice below the kernel's 100 ms. */
#define SLICE_NS 20000000
/* About the usual one. */
#define AWAITED_SLICE_NS 3000000
/* A thirtieth of the window's share, and 12 times a thread's of a run (weights of 36,
 * 1024 and 3). */
#define AWAITED_NICENESS 15

/* struct sched_attr as Linux 3.14 had it; not every C library has one. */
typedef struct {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t  niceness;
  uint32_t priority;
  uint64_t slice_ns; /* sched_runtime */
  uint64_t deadline_ns;
  uint64_t period_ns;
} Attributes;

_Static_assert (sizeof (Attributes) == 48, "the kernel's first version");

void
rank_step_back (int niceness) {
  Attributes attributes = { 0 };

  if (syscall (SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0)
    return;
  attributes.size = sizeof attributes;
  if (attributes.niceness < niceness)
    attributes.niceness = niceness;
  attributes.slice_ns = SLICE_NS;
  /* Refused in some sandboxes: then all is as it was. */
  (void)!syscall (SYS_sched_setattr, 0, &attributes, 0);
}

/* Relaxed: said before the threads that ask are made; nothing else hangs on it. */
static atomic_bool is_window_first;

void
rank_put_window_first (void) {
  atomic_store_explicit (&is_window_first, true, memory_order_relaxed);
}

void
rank_go_behind_window (bool is_awaited) {
  Attributes attributes = { 0 };

  if (!atomic_load_explicit (&is_window_first, memory_order_relaxed)
      || syscall (SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0)
    return;
  attributes.size = sizeof attributes;
  if (!is_awaited)
    attributes.policy = SCHED_IDLE;
  else if (attributes.niceness < AWAITED_NICENESS)
    attributes.niceness = AWAITED_NICENESS;
  attributes.slice_ns = is_awaited ? AWAITED_SLICE_NS : SLICE_NS;
  (void)!syscall (SYS_sched_setattr, 0, &attributes, 0);
}

#else

void
rank_step_back (int niceness) {
  (void)niceness;
}

void
rank_put_window_first (void) {
}

void
rank_go_behind_window (bool is_awaited) {
  (void)is_awaited;
}

#endif
