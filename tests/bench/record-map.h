/* SPDX-License-Identifier: GPL-3.0-or-later */

/* record-map.h — a long recording, by real workers on a real map
 *
 * What the workers do is the program's; record_map_fill_and_change() is for those
 * that have no wish of their own.
 */
#pragma once

#include "core/base/prng.h"
#include "core/engine/engine.h"
#include "core/record/recorder.h"

#include <pthread.h>

#define RECORD_MAP_MOST_WORKERS 8

typedef struct _RecordMapWorker RecordMapWorker;

typedef struct {
  const EngineClass *klass;
  guint64            n_events;    /* to be recorded */
  guint64            n_keys;
  guint              n_workers;   /* on a map for one thread: one */
  guint              span_period; /* one of so many operations is a span; 0: none */
  uint64_t         (*now_ns) (void); /* NULL: nothing is timed */
  void             (*work) (RecordMapWorker *worker, EngineThread *thread);
} RecordMap;

struct _RecordMapWorker {
  RecordMap  wanted;
  MapEngine *map;
  TraceLog  *log;
  Probe      probe;
  guint      index;
};

/* Keys of its own part first, then stores, deletes and loads at random. */
static inline void
record_map_fill_and_change (RecordMapWorker *worker,
                            EngineThread    *thread) {
  const RecordMap *wanted = &worker->wanted;
  const EngineClass *klass = wanted->klass;
  gint64 found;
  Prng prng;

  prng_init (&prng, prng_split (5, worker->index));
  for (guint64 key = worker->index; key < wanted->n_keys;
       key += wanted->n_workers)
    klass->store (worker->map, thread, (gint64)key, (gint64)key * 3);
  for (guint64 i = 0;
       i % 256 != 0 || tracelog_get_length (worker->log) < wanted->n_events; i++) {
    gint64 key = (gint64)prng_below (&prng, wanted->n_keys);
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
record_map_work_cb (void *data) {
  RecordMapWorker *worker = data;
  EngineThread thread;

  probe_current = &worker->probe;
  g_assert_true (engine_enter_thread (worker->map, &thread,
                                      (uint16_t)worker->index));
  worker->wanted.work (worker, &thread);
  engine_leave_thread (&thread);
  probe_flush (&worker->probe);
  probe_current = NULL;
  return NULL;
}

/* Records into @log, which is empty, until it has its events. */
static void
record_map (TraceLog  *log,
            RecordMap  wanted) {
  EngineConfig config = { .seed = 7, .now_ns = wanted.now_ns };
  g_autoptr (Recorder) recorder = recorder_new (log);
  RecordMapWorker workers[RECORD_MAP_MOST_WORKERS] = { 0 };
  pthread_t threads[RECORD_MAP_MOST_WORKERS];
  Probe main_probe;
  MapEngine *map;

  g_assert_cmpuint (wanted.n_workers, <=, RECORD_MAP_MOST_WORKERS);
  if (!wanted.klass->is_thread_safe)
    wanted.n_workers = 1;
  probe_init (&main_probe, 1024);
  recorder_add (recorder, &main_probe, EVENT_THREAD_MAIN);
  for (guint i = 0; i < wanted.n_workers; i++) {
    probe_init (&workers[i].probe, recorder_ring_units (wanted.n_workers + 1));
    recorder_add (recorder, &workers[i].probe, (guint16)i);
  }
  recorder_start (recorder);
  probe_current = &main_probe;
  map = engine_new (wanted.klass, &config);
  probe_flush (&main_probe);
  probe_current = NULL;
  for (guint i = 0; i < wanted.n_workers; i++) {
    workers[i].wanted = wanted;
    workers[i].map = map;
    workers[i].log = log;
    workers[i].index = i;
    if (wanted.span_period > 0)
      probe_set_span_period (&workers[i].probe, wanted.span_period);
    pthread_create (&threads[i], NULL, record_map_work_cb, &workers[i]);
  }
  for (guint i = 0; i < wanted.n_workers; i++)
    pthread_join (threads[i], NULL);
  recorder_finish (recorder);
  for (guint i = 0; i < wanted.n_workers; i++)
    probe_clear (&workers[i].probe);
  probe_clear (&main_probe);
  engine_free (map);
}
