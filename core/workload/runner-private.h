/* SPDX-License-Identifier: GPL-3.0-or-later */

/* runner-private.h — what the coordinator and the workers share
 *
 * The protocol between them is told in runner.c.
 */
#pragma once

#include "core/probe/probe.h"
#include "core/record/recorder.h"
#include "core/workload/keydist.h"
#include "core/workload/runner.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct {
  Runner      *runner;
  guint        index;
  guint        group;
  guint        rank;        /* among the group's workers */
  pthread_t    thread;
  Probe        probe;
  EngineThread engine;
  Prng         prng;
  guint64      n_written;   /* values made so far */
  gboolean     is_finished; /* runner->lock: done with the phase */
  gboolean     is_idle;     /* runner->lock: nothing to do in the phase */
  _Atomic (guint64) n_operations; /* written by the worker; relaxed: a count */
  _Atomic (guint64) n_errors;     /* likewise */

  /* The worker's copy of its orders, as of runner->change == seen. */
  guint        seen;
  gboolean     is_over;     /* the phase or the run */
  gboolean     is_active;
  double       target;
  double       weights[OPERATION_MIX_N]; /* running sums */
  gint64       last_ns;     /* when the last operation was due */
  guint64      n_in_window; /* operations since window_ns */
  gint64       window_ns;
  gint64       range_due_ns; /* from then on a Range tells its walk */
} Worker;

/* What the window may have changed in a group. */
typedef struct {
  gboolean     has_target;
  gboolean     has_mix;
  guint        n_active;    /* by rank */
  double       target;
  OperationMix mix;
} GroupOrders;

struct _Runner {
  Scenario   *scenario;
  RunnerDone  done;
  gpointer    data;
  MapEngine  *map;
  TraceLog   *log;
  Recorder   *recorder;     /* NULL before the start */
  Probe       main_probe;
  EngineThread main_engine;
  Worker    **workers;
  guint       n_workers;
  pthread_t   coordinator;
  gboolean    is_started;
  gboolean    is_blind;     /* no thread has a probe */
  gboolean    is_joined;
  guint64     n_ungated;
  _Atomic (gboolean) is_running; /* release after the log is finished */
  _Atomic (guint64)  n_main_errors;
  _Atomic (gint64)   fresh; /* the next key nobody used */

  pthread_mutex_t lock;     /* guards all below, and writes to change */
  pthread_cond_t  wake;     /* CLOCK_MONOTONIC */
  _Atomic (guint) change;   /* counts changes; release, acquire in workers */
  guint       n_begun;      /* phases begun */
  gboolean    script_done;  /* of the phase under way */
  gboolean    phase_over;
  gboolean    is_stopping;
  GroupOrders *groups;
};

/* Whom the calling thread tells from now on: @probe, or nobody. */
static inline void
runner_listen (const Runner *self,
               Probe        *probe) {
  probe_current = self->is_blind ? NULL : probe;
}

/* pthread start routine; @data: its Worker. */
void *runner_worker_main (void   *data);

/* Tells everyone that something changed; runner->lock is held. */
void  runner_announce_locked (Runner *self);

/* Waits with runner->lock held, until woken or @deadline_ns (G_MAXINT64: none);
 * FALSE: the deadline has passed. */
gboolean runner_wait_locked  (Runner *self,
                              gint64  deadline_ns);
