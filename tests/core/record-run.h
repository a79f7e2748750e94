/* SPDX-License-Identifier: GPL-3.0-or-later */

/* record-run.h — a small recorded run of an engine, for tests of what follows
 *
 * Workers meet at a barrier, do operations drawn from a seed, and end. The map
 * is kept, so that its memory can be compared with what the log tells; and so,
 * if asked for, are snapshots and views, open from then on.
 */
#pragma once

#include "core/engine/snapshot.h"
#include "core/engine/viewmap.h"
#include "core/record/recorder.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#define RECORD_RUN_MAX_WORKERS 8
#define RECORD_RUN_HELD 3

typedef struct {
  const EngineClass *klass;
  HashKind           hash;
  guint64            seed;
  guint              n_workers;
  guint              n_operations; /* of each worker */
  guint              n_keys;
  guint              span_period;  /* 1: every operation is a span */
  gboolean           is_fine;
  gboolean           tells_yields;
  gboolean           tells_brief;
  gboolean           holds; /* snapshots and views, begun and ended on the way */
  /* Now and then instead of one operation; NULL: never. */
  void             (*run_some) (MapEngine *map, EngineThread *thread, Prng *prng,
                                guint n_keys);
  uint64_t         (*now_ns) (void); /* NULL: nothing is timed */
  gboolean           is_shared;    /* of EngineConfig: misuse is no failure */
} RecordRun;

typedef struct {
  const RecordRun   *run;
  MapEngine         *map;
  pthread_barrier_t *start;
  Probe              probe;
  EngineThread       thread;
  EngineSnapshot    *snapshots[RECORD_RUN_HELD];
  MapView           *views[RECORD_RUN_HELD];
  guint              index;
  guint64            n_misuses[3][3];
} RecordWorker;

typedef struct {
  MapEngine    *map;
  TraceLog     *log;
  guint64       n_ungated;
  guint64       n_misuses[3][3]; /* by MisuseKind and MisusePlace */
  guint         n_holders; /* workers that have ended, but not left the map */
  RecordWorker *workers;
} RecordedRun;

static bool
record_visit_cb (int64_t key,
                 int64_t value,
                 void   *data) {
  guint *n_left = data;

  /* Others get their turn in the middle of the walk, also on one core. */
  if (*n_left % 8 == 0)
    sched_yield ();
  return (*n_left)-- > 0;
}

static void
record_operation (RecordWorker *worker,
                  EngineThread *thread,
                  Prng         *prng) {
  const EngineClass *klass = worker->map->klass;
  MapEngine *map = worker->map;
  int64_t key = (int64_t)prng_below (prng, worker->run->n_keys);
  int64_t value = (int64_t)prng_below (prng, 1000) - 500;
  int64_t found;
  guint n_left = (guint)prng_below (prng, 2 * worker->run->n_keys);
  guint64 choice = prng_below (prng, 1000);

  if (choice < 350)
    klass->load (map, thread, key, &found);
  else if (choice < 550)
    klass->store (map, thread, key, value);
  else if (choice < 630)
    klass->load_or_store (map, thread, key, value, &found);
  else if (choice < 740)
    klass->delete_key (map, thread, key);
  else if (choice < 820)
    klass->load_and_delete (map, thread, key, &found);
  else if (choice < 880)
    klass->swap (map, thread, key, value, &found);
  else if (choice < 930)
    klass->compare_and_swap (map, thread, key, value, value + 1);
  else if (choice < 970)
    klass->compare_and_delete (map, thread, key, value);
  else if (choice < 994)
    klass->range (map, thread, record_visit_cb, &n_left);
  else if (choice < 996)
    klass->clear (map, thread);
  else
    klass->len (map, thread);
}

static void
record_misuse (RecordWorker *worker,
               EngineThread *thread) {
  if (thread->error != ENGINE_ERROR_MISUSE)
    return;
  worker->n_misuses[thread->misuse][thread->misuse_place]++;
  thread->error = ENGINE_ERROR_NONE;
}

static void
record_let_go (RecordWorker *worker,
               guint         slot) {
  if (worker->snapshots[slot] != NULL)
    engine_snapshot_end (worker->snapshots[slot]);
  worker->snapshots[slot] = NULL;
  if (worker->views[slot] != NULL)
    viewmap_close_view (worker->views[slot], &worker->thread);
  worker->views[slot] = NULL;
}

/* A snapshot or a view is begun, walked on or looked into, or ended. */
static void
record_hold (RecordWorker *worker,
             Prng         *prng) {
  gboolean has_views = strcmp (worker->run->klass->name, "viewmap") == 0;
  guint slot = (guint)prng_below (prng, RECORD_RUN_HELD);
  EngineSnapshot *snapshot = worker->snapshots[slot];
  int64_t found;

  if (snapshot == NULL && worker->views[slot] == NULL) {
    if (has_views && prng_below (prng, 2) == 0)
      worker->views[slot] = viewmap_open_view (worker->map, &worker->thread);
    else
      worker->snapshots[slot]
          = engine_snapshot_begin (worker->map, &worker->thread);
  } else if (prng_below (prng, 4) == 0) {
    record_let_go (worker, slot);
  } else if (snapshot != NULL) {
    for (guint i = 0; i < 5; i++)
      engine_snapshot_next (snapshot);
  } else {
    viewmap_load_in_view (worker->views[slot], &worker->thread,
                          (int64_t)prng_below (prng, worker->run->n_keys),
                          &found);
  }
}

static void *
record_work_cb (void *data) {
  RecordWorker *worker = data;
  Prng prng;

  prng_init (&prng, prng_split (worker->run->seed, worker->index + 1));
  probe_current = &worker->probe;
  g_assert_true (engine_enter_thread (worker->map, &worker->thread,
                                      (uint16_t)worker->index));
  probe_event (EVENT_THREAD_STARTED, worker->index, 0, 0, 0);
  pthread_barrier_wait (worker->start);
  for (guint i = 0; i < worker->run->n_operations; i++) {
    if (worker->run->holds && prng_below (&prng, 16) == 0)
      record_hold (worker, &prng);
    else if (worker->run->run_some != NULL && prng_below (&prng, 4) == 0)
      worker->run->run_some (worker->map, &worker->thread, &prng,
                             worker->run->n_keys);
    else
      record_operation (worker, &worker->thread, &prng);
    if (worker->run->is_shared)
      record_misuse (worker, &worker->thread);
  }
  g_assert_cmpint (worker->thread.error, ==, ENGINE_ERROR_NONE);
  if (!worker->run->holds)
    engine_leave_thread (&worker->thread);
  probe_event (EVENT_THREAD_ENDED, 0, 0, 0, 0);
  probe_flush (&worker->probe);
  probe_current = NULL;
  return NULL;
}

static RecordedRun
record_run (const RecordRun *run) {
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (Recorder) recorder = NULL;
  EngineConfig config = { .hash = { .kind = run->hash },
                          .seed = run->seed,
                          .now_ns = run->now_ns,
                          .is_shared = run->is_shared };
  RecordedRun result = { 0 };
  RecordWorker *workers = g_new0 (RecordWorker, run->n_workers);
  pthread_t threads[RECORD_RUN_MAX_WORKERS];
  pthread_barrier_t start;
  Probe main_probe;

  info->n_threads = run->n_workers;
  result.log = tracelog_new (info, 0);
  recorder = recorder_new (result.log);
  g_assert_true (probe_init (&main_probe, 1024));
  recorder_add (recorder, &main_probe, EVENT_THREAD_MAIN);
  pthread_barrier_init (&start, NULL, run->n_workers);
  for (guint i = 0; i < run->n_workers; i++) {
    g_assert_true (probe_init (&workers[i].probe,
                               recorder_ring_units (run->n_workers + 1)));
    workers[i].probe.span_period = run->span_period;
    workers[i].probe.span_countdown = run->span_period;
    workers[i].probe.is_fine = run->is_fine;
    workers[i].probe.tells_yields = run->tells_yields;
    workers[i].probe.tells_brief = run->tells_brief;
    recorder_add (recorder, &workers[i].probe, (guint16)i);
  }
  recorder_start (recorder);
  probe_current = &main_probe;
  result.map = engine_new (run->klass, &config);
  g_assert_nonnull (result.map);
  probe_flush (&main_probe);
  probe_current = NULL;

  for (guint i = 0; i < run->n_workers; i++) {
    workers[i].run = run;
    workers[i].map = result.map;
    workers[i].start = &start;
    workers[i].index = i;
    g_assert_cmpint (pthread_create (&threads[i], NULL, record_work_cb,
                                     &workers[i]), ==, 0);
  }
  for (guint i = 0; i < run->n_workers; i++)
    pthread_join (threads[i], NULL);
  result.n_ungated = recorder_finish (recorder);
  for (guint i = 0; i < run->n_workers; i++) {
    probe_clear (&workers[i].probe);
    for (guint cell = 0; cell < 9; cell++)
      result.n_misuses[cell / 3][cell % 3]
          += workers[i].n_misuses[cell / 3][cell % 3];
  }
  probe_clear (&main_probe);
  pthread_barrier_destroy (&start);
  result.n_holders = run->holds ? run->n_workers : 0;
  result.workers = workers;
  return result;
}

static void
recorded_run_clear (RecordedRun *run) {
  for (guint i = 0; i < run->n_holders; i++) {
    for (guint slot = 0; slot < RECORD_RUN_HELD; slot++)
      record_let_go (&run->workers[i], slot);
    engine_leave_thread (&run->workers[i].thread);
  }
  g_free (run->workers);
  engine_free (run->map);
  tracelog_unref (run->log);
}
