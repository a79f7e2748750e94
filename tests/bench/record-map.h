/* SPDX-License-Identifier: GPL-3.0-or-later */

/* record-map.h — a long recording, by real workers on a real map
 *
 * It is filled, then stored to, deleted from and loaded from at random until the
 * log has its events.
 */
#pragma once

#include "core/base/prng.h"
#include "core/engine/engine.h"
#include "core/record/recorder.h"

#include <pthread.h>

#define N_WORKERS 2

typedef struct {
  MapEngine *map;
  TraceLog  *log;
  guint64    n_events; /* to be recorded */
  guint64    n_keys;
  Probe      probe;
  guint      index;
  guint      n_workers;
} Worker;

/* Keys of its own part first, then at random. */
static void
work (Worker       *worker,
      EngineThread *thread) {
  const EngineClass *klass = worker->map->klass;
  gint64 found;
  Prng prng;

  prng_init (&prng, prng_split (5, worker->index));
  for (guint64 key = worker->index; key < worker->n_keys; key += worker->n_workers)
    klass->store (worker->map, thread, (gint64)key, (gint64)key * 3);
  for (guint64 i = 0; i % 256 != 0
                      || tracelog_get_length (worker->log) < worker->n_events;
       i++) {
    gint64 key = (gint64)prng_below (&prng, worker->n_keys);
    guint64 choice = prng_below (&prng, 100);

    if (choice < 80)
      klass->store (worker->map, thread, key, (gint64)i);
    else if (choice < 90)
      klass->delete_key (worker->map, thread, key);
    else
      klass->load (worker->map, thread, key, &found);
  }
}

static void *
work_cb (void *data) {
  Worker *worker = data;
  EngineThread thread;

  probe_current = &worker->probe;
  g_assert_true (engine_enter_thread (worker->map, &thread,
                                      (uint16_t)worker->index));
  work (worker, &thread);
  engine_leave_thread (&thread);
  probe_flush (&worker->probe);
  probe_current = NULL;
  return NULL;
}

/* Records into @log, which is empty, until it has @n_events. */
static void
record_map (TraceLog          *log,
            const EngineClass *klass,
            guint64            n_events,
            guint64            n_keys) {
  EngineConfig config = { .seed = 7 };
  g_autoptr (Recorder) recorder = recorder_new (log);
  guint n_workers = klass->is_thread_safe ? N_WORKERS : 1;
  Worker workers[N_WORKERS] = { 0 };
  pthread_t threads[N_WORKERS];
  Probe main_probe;
  MapEngine *map;

  probe_init (&main_probe, 1024);
  recorder_add (recorder, &main_probe, EVENT_THREAD_MAIN);
  for (guint i = 0; i < n_workers; i++) {
    probe_init (&workers[i].probe, recorder_ring_units (n_workers + 1));
    recorder_add (recorder, &workers[i].probe, (guint16)i);
  }
  recorder_start (recorder);
  probe_current = &main_probe;
  map = engine_new (klass, &config);
  probe_flush (&main_probe);
  probe_current = NULL;
  for (guint i = 0; i < n_workers; i++) {
    workers[i].map = map;
    workers[i].log = log;
    workers[i].n_events = n_events;
    workers[i].n_keys = n_keys;
    workers[i].index = i;
    workers[i].n_workers = n_workers;
    pthread_create (&threads[i], NULL, work_cb, &workers[i]);
  }
  for (guint i = 0; i < n_workers; i++)
    pthread_join (threads[i], NULL);
  recorder_finish (recorder);
  for (guint i = 0; i < n_workers; i++)
    probe_clear (&workers[i].probe);
  probe_clear (&main_probe);
  engine_free (map);
}
