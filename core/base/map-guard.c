/* SPDX-License-Identifier: GPL-3.0-or-later */

/* map-guard.c — mapped bytes of a file that may fail to be read
 *
 * Idea        The handler of SIGBUS is given the address. If it lies in a range that
 *             was entered, a page of zeros is mapped over the one that cannot be had,
 *             the range is marked, and the thread reads on. A signal for anything
 *             else goes to whoever handled it before, or ends the process.
 *
 * Why         Reading into memory of ours needs no handler and is what this program
 *             does everywhere else. Of kept states, which are the most of a seek, it
 *             took a sixth to a quarter of the time more.
 *
 * Ranges      A fixed table, since a handler can take no lock and no memory. A place
 *             may be left and entered while another thread's handler walks over it:
 *             then it may mark a range too many, which is read once more for nothing.
 *             Its own it finds whole: that was entered before the thread looked, and
 *             is left after.
 *
 * Threads     field      written by              order    read by
 *             start      entering, under lock    release  handler, acquire
 *             end        entering, before start  relaxed  handler
 *             is_broken  handler                 relaxed  who reads the bytes; the
 *                        thread itself, or one that joins it before it asks
 */
#include "core/base/map-guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Free choice: two for each thread that restores a state, of which there are a few. */
#define N_RANGES 64

static struct {
  _Atomic (uintptr_t) start; /* 0: free */
  _Atomic (uintptr_t) end;
  atomic_bool         is_broken;
} ranges[N_RANGES];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_installed; /* under lock */
static struct sigaction before;
static uintptr_t page_size;

/* Whether @address is in a range; those are marked. */
static bool
mark (uintptr_t address) {
  bool is_ours = false;

  for (int i = 0; i < N_RANGES; i++) {
    uintptr_t start
        = atomic_load_explicit (&ranges[i].start, memory_order_acquire);
    uintptr_t end = atomic_load_explicit (&ranges[i].end, memory_order_relaxed);

    if (start == 0 || address < start || address >= end)
      continue;
    atomic_store_explicit (&ranges[i].is_broken, true, memory_order_relaxed);
    is_ours = true;
  }
  return is_ours;
}

static void
pass_on (int        number,
         siginfo_t *info,
         void      *context) {
  if (before.sa_flags & SA_SIGINFO) {
    before.sa_sigaction (number, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler (number);
  } else {
    /* The same happens again on return, and now ends the process where it happened;
     * but what somebody sent does not. */
    sigaction (number, &before, NULL);
    if (info->si_code <= 0)
      raise (number);
  }
}

static void
handle_cb (int        number,
           siginfo_t *info,
           void      *context) {
  uintptr_t address = (uintptr_t)info->si_addr;
  int error = errno;

  /* Not what somebody sent. mmap() is a system call and nothing else. */
  if (info->si_code <= 0 || !mark (address)
      || mmap ((void *)(address & ~(page_size - 1)), page_size, PROT_READ,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
    pass_on (number, info, context);
  errno = error;
}

static bool
install_locked (void) {
  struct sigaction action = { .sa_sigaction = handle_cb,
                              .sa_flags = SA_SIGINFO | SA_ONSTACK };

  if (is_installed)
    return true;
  page_size = (uintptr_t)sysconf (_SC_PAGESIZE);
  sigemptyset (&action.sa_mask);
  is_installed = sigaction (SIGBUS, NULL, &before) == 0
                 && sigaction (SIGBUS, &action, NULL) == 0;
  return is_installed;
}

int
map_guard_enter (const void *start,
                 size_t      size) {
  int place = -1;

  pthread_mutex_lock (&lock);
  for (int i = 0; place < 0 && i < N_RANGES && install_locked (); i++)
    /* Relaxed: the lock orders those who enter and leave. */
    if (atomic_load_explicit (&ranges[i].start, memory_order_relaxed) == 0)
      place = i;
  if (place >= 0) {
    atomic_store_explicit (&ranges[place].end, (uintptr_t)start + size,
                           memory_order_relaxed);
    atomic_store_explicit (&ranges[place].is_broken, false,
                           memory_order_relaxed);
    /* Release: pairs with the acquire in mark(). */
    atomic_store_explicit (&ranges[place].start, (uintptr_t)start,
                           memory_order_release);
  }
  pthread_mutex_unlock (&lock);
  return place;
}

bool
map_guard_is_whole (int place) {
  /* Relaxed: a thread's own handler ran before it came here. */
  return !atomic_load_explicit (&ranges[place].is_broken, memory_order_relaxed);
}

bool
map_guard_leave (int place) {
  bool is_whole;

  pthread_mutex_lock (&lock);
  is_whole = map_guard_is_whole (place);
  atomic_store_explicit (&ranges[place].start, 0, memory_order_relaxed);
  pthread_mutex_unlock (&lock);
  return is_whole;
}
