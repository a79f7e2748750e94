/* SPDX-License-Identifier: GPL-3.0-or-later */

/* runner.h — a scenario under way: a real map, real threads, a recording
 *
 * The runner makes the map, a probe per worker, the recorder and the log, does
 * the preload, runs the phases and joins everything. It is driven from one
 * thread (the main one) and never blocks it, except runner_join().
 */
#pragma once

#include "core/record/tracelog.h"
#include "core/workload/scenario.h"

G_BEGIN_DECLS

typedef struct _Runner Runner;

/* Called once, in a thread of the runner, after the log is finished. */
typedef void (*RunnerDone) (Runner  *self,
                            gpointer data);

/* @scenario: copied. Errors: SCENARIO_ERROR_INVALID when there is no such engine,
 * G_IO_ERROR when there is no memory or no thread. */
Runner   *runner_new        (const Scenario *scenario,
                             RunnerDone      done,
                             gpointer        data,
                             GError        **error);
/* Stops and joins if need be. */
void      runner_free       (Runner         *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Runner, runner_free)

/* Before the start: nobody listens. The log stays empty; the operations are
 * counted all the same. */
void      runner_set_blind  (Runner         *self);
gboolean  runner_start      (Runner         *self,
                             GError        **error);
/* Asks the workers to end after their present operation. Returns at once. */
void      runner_stop       (Runner         *self);
/* Waits for the end. */
void      runner_join       (Runner         *self);
gboolean  runner_is_running (Runner         *self);

/* (transfer none): valid from runner_new() on. */
TraceLog *runner_get_log    (Runner         *self);

/* Changes that take effect within one operation, while running. @group is the
 * place of the thread group; G_MAXUINT = all. */
void      runner_set_target (Runner             *self,
                             guint               group,
                             double              target);
void      runner_set_mix    (Runner             *self,
                             guint               group,
                             const OperationMix *mix);
/* How many of the group's workers take part, 0 to their number; the others pause
 * between operations (their lanes stay). */
void      runner_set_active (Runner             *self,
                             guint               group,
                             guint               n_threads);

/* After the end, for tests: the map is kept until runner_free(). */
MapEngine *runner_get_map   (Runner         *self);
/* Operations done, and those that found no memory, summed over the workers; any
 * time. Misuses are in the log. */
guint64   runner_get_n_operations (Runner   *self);
guint64   runner_get_n_errors     (Runner   *self);
/* Events that never met their gate; after the end. */
guint64   runner_get_n_ungated    (Runner   *self);

G_END_DECLS
