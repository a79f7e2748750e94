/* SPDX-License-Identifier: GPL-3.0-or-later */

/* spent.h — what a thread's time went to
 *
 * By the wall a thread works, waits for a core that others have, or waits for
 * something else: a lock, a page, an answer. Of the calling thread alone.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Processor time of the thread, by two clocks (spent.c). */
typedef struct {
  gint64 charged_ns;     /* as the scheduler charges it */
  gint64 switched_in_ns; /* as it was let in and out; -1: not known */
} WorkClock;

WorkClock work_clock_now        (void);
/* As far as both agree. */
gint64    work_clock_between_ns (const WorkClock *from,
                                 const WorkClock *to);

typedef struct {
  gint64 wall_us;
  WorkClock clock;   /* of an instant only */
  gint64 worked_us;  /* processor time; of a difference only */
  gint64 charged_us; /* what the scheduler's clock says of it; likewise */
  gint64 ready_us;   /* ready to run, without a core; 0 where the kernel tells none */
  gint64 n_faults;   /* pages first touched, or looked for */
  gint64 n_sleeps;   /* times that it gave the core away by itself */
  gint64 n_pushed;   /* times that it was taken away */
} Spent;

/* Since some instant in the past. */
Spent  spent_now       (void);
Spent  spent_since     (const Spent *then);
/* A line, to standard error. */
void   spent_print     (const Spent *spent);
/* What the machine that this one runs in has kept from its cores so far, as far as
 * it tells; in steps of 10 ms. */
gint64 spent_stolen_us (void);

G_END_DECLS
