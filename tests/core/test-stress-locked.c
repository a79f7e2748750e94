/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-stress-locked.c — a thread stands still with a lock in its hand
 *
 * In each of the engines' hooks, all of which are called with the lock held, and
 * in a mutexmap's Range. Who needs the lock waits and is seen to wait, in the
 * log, while the lock is held; who finds its key in read, or in another shard,
 * does all it has to do meanwhile. Then the holder goes on and all else happens.
 */

#include "parking.h"

#include "core/base/alloc.h"
#include "core/engine/shardmap.h"
#include "core/record/recorder.h"
#include "core/state/fold.h"

#include <glib.h>
#include <string.h>

#define N_KEYS 400     /* preloaded, value key * 10 */
#define N_NEW 100      /* of the holder, in each of two lots */
#define HOLDER 0
#define FIRST_WRITER 1 /* these need the lock */
#define N_WRITERS 3
#define FIRST_READER (FIRST_WRITER + N_WRITERS)
#define N_READERS 2
#define N_THREADS (FIRST_READER + N_READERS)
#define N_LOOPS 20     /* of a reader, over all keys */

typedef enum {
  IN_GROW,
  IN_EVACUATE,
  IN_PROMOTE,
  IN_COPY,
  IN_RANGE,
} Place;

typedef struct {
  const EngineClass *klass;
  Place              place;
} Case;

typedef struct _Scene Scene;

typedef struct {
  Scene    *scene;
  Probe     probe;
  pthread_t id;
  uint16_t  index;
} Actor;

struct _Scene {
  const Case  *test;
  MapEngine   *map;
  EngineHooks  hooks;
  Parking      parking;
  Actor        actors[N_THREADS];
  TraceLog    *log;
  Recorder    *recorder;
  Fold        *fold;
  Probe        main_probe;
  EngineThread thread;
  size_t       held;
};

/* The one thread that stops, and where: hooks are called by whoever works. */
static _Thread_local Scene *stops_in;

static void
broken_cb (const char *text,
           void       *data) {
  g_error ("%s", text);
}

static void
stop_in (Place place) {
  if (stops_in == NULL || stops_in->test->place != place)
    return;
  probe_flush (probe_current);
  parking_stop (&stops_in->parking);
}

static void
grow_cb (void    *data,
         unsigned table_id,
         unsigned B,
         bool     is_same_size) {
  stop_in (IN_GROW);
}

static void
evacuate_cb (void    *data,
             unsigned table_id,
             uint64_t old_bucket,
             unsigned n_buckets) {
  stop_in (IN_EVACUATE);
}

static void
promote_cb (void    *data,
            unsigned table_id,
            uint64_t n_keys,
            uint64_t n_misses,
            uint64_t cost_ns) {
  stop_in (IN_PROMOTE);
}

static void
copy_cb (void    *data,
         unsigned table_id,
         uint64_t n_copied,
         uint64_t n_expunged,
         uint64_t cost_ns) {
  stop_in (IN_COPY);
}

static bool
range_cb (int64_t key,
          int64_t value,
          void   *data) {
  stop_in (IN_RANGE);
  return true;
}

/* The actors --------------------------------------------------------------- */

/* Stores new keys: copies, grows, evacuates; then a Range, which promotes. */
static void
act_holder (Actor        *self,
            EngineThread *thread) {
  MapEngine *map = self->scene->map;

  stops_in = self->scene;
  for (int64_t lot = 0; lot < 2; lot++) {
    for (int64_t i = 0; i < N_NEW; i++)
      g_assert_true (
        map->klass->store (map, thread, N_KEYS + lot * N_NEW + i, i));
    g_assert_true (map->klass->range (map, thread, range_cb, NULL));
  }
  stops_in = NULL;
}

static void
act_reader (Actor        *self,
            EngineThread *thread) {
  MapEngine *map = self->scene->map;

  for (int loop = 0; loop < N_LOOPS; loop++)
    for (int64_t key = 0; key < N_KEYS; key++) {
      int64_t value;

      g_assert_true (map->klass->load (map, thread, key, &value));
      g_assert_cmpint (value, ==, key * 10);
    }
}

static void *
act (void *data) {
  Actor *self = data;
  MapEngine *map = self->scene->map;
  EngineThread thread;

  probe_current = &self->probe;
  g_assert_true (engine_enter_thread (map, &thread, self->index));
  probe_event (EVENT_THREAD_STARTED, self->index, 0, 0, 0);
  if (self->index == HOLDER)
    act_holder (self, &thread);
  else if (self->index < FIRST_READER)
    g_assert_true (map->klass->store (map, &thread, 10000 + self->index, 1));
  else
    act_reader (self, &thread);
  g_assert_cmpint (thread.error, ==, ENGINE_ERROR_NONE);
  engine_leave_thread (&thread);
  probe_event (EVENT_THREAD_ENDED, 0, 0, 0, 0);
  probe_flush (&self->probe);
  probe_current = NULL;
  return NULL;
}

static void
start (Scene *scene,
       guint  first,
       guint  n) {
  for (guint i = first; i < first + n; i++)
    g_assert_cmpint (
      pthread_create (&scene->actors[i].id, NULL, act, &scene->actors[i]), ==, 0);
}

static void
join (Scene *scene,
      guint  first,
      guint  n) {
  for (guint i = first; i < first + n; i++)
    pthread_join (scene->actors[i].id, NULL);
}

/* The scene ---------------------------------------------------------------- */

static void
scene_record (Scene *self) {
  g_autoptr (TraceInfo) info = trace_info_new ();

  info->n_threads = N_THREADS;
  self->log = tracelog_new (info, 0);
  self->fold = fold_new ();
  self->recorder = recorder_new (self->log);
  g_assert_true (probe_init (&self->main_probe, 1024));
  recorder_add (self->recorder, &self->main_probe, EVENT_THREAD_MAIN);
  for (guint i = 0; i < N_THREADS; i++) {
    g_assert_true (probe_init (&self->actors[i].probe,
                               recorder_ring_units (N_THREADS + 1)));
    recorder_add (self->recorder, &self->actors[i].probe, (guint16)i);
  }
  recorder_start (self->recorder);
}

/* All keys in read, where there is one. */
static void
scene_init (Scene      *self,
            const Case *test,
            uint32_t    n_shards) {
  EngineConfig config = { .seed = 5, .shards = n_shards };

  *self = (Scene){ .test = test, .parking = PARKING_INIT,
                   .held = alloc_bytes_held () };
  self->hooks = (EngineHooks){ grow_cb, evacuate_cb, promote_cb, copy_cb, NULL };
  config.hooks = &self->hooks;
  scene_record (self);
  probe_current = &self->main_probe;
  self->map = engine_new (test->klass, &config);
  g_assert_nonnull (self->map);
  g_assert_true (
    engine_enter_thread (self->map, &self->thread, EVENT_THREAD_MAIN));
  for (int64_t key = 0; key < N_KEYS; key++)
    g_assert_true (test->klass->store (self->map, &self->thread, key, key * 10));
  g_assert_true (test->klass->range (self->map, &self->thread, range_cb, NULL));
  probe_flush (&self->main_probe);
  probe_current = NULL;
  for (guint i = 0; i < N_THREADS; i++) {
    self->actors[i].scene = self;
    self->actors[i].index = (uint16_t)i;
  }
}

/* What is in the log is in the state. */
static const MapState *
catch_up (Scene *self) {
  guint64 length = tracelog_get_length (self->log);

  while (fold_n_events (self->fold) < length) {
    g_autoptr (TraceBlock) block
        = tracelog_ref_block (self->log, fold_n_events (self->fold));

    for (guint64 i = fold_n_events (self->fold) - block->first;
         i < block->n_events; i++)
      fold_apply (self->fold, &block->events[i]);
  }
  return fold_peek_state (self->fold);
}

static void
scene_clear (Scene *self) {
  const EngineClass *klass = self->test->klass;
  const MapState *state;

  g_assert_cmpuint (klass->len (self->map, &self->thread), ==,
                    N_KEYS + 2 * N_NEW + N_WRITERS);
  engine_leave_thread (&self->thread);
  g_assert_cmpuint (recorder_finish (self->recorder), ==, 0);
  state = catch_up (self);
  if (fold_n_faults (self->fold) > 0)
    g_error ("%s", fold_first_fault (self->fold));
  g_assert_cmpuint (map_state_n_live (state), ==,
                    N_KEYS + 2 * N_NEW + N_WRITERS);
  klass->check (self->map, broken_cb, NULL);
  engine_free (self->map);
  recorder_free (self->recorder);
  for (guint i = 0; i < N_THREADS; i++)
    probe_clear (&self->actors[i].probe);
  probe_clear (&self->main_probe);
  fold_free (self->fold);
  tracelog_unref (self->log);
  g_assert_cmpuint (alloc_bytes_held (), ==, self->held);
}

/* Lets time pass until the log tells of @n threads that wait for the lock; a
 * thread that is blocked can give no sign of its own. */
static const StateLock *
await_queue (Scene *self,
             guint  n) {
  const StateLock *lock;

  for (;;) {
    lock = map_state_lock (catch_up (self), 0);
    if (lock != NULL && lock->n_queue >= n)
      return lock;
    g_thread_yield ();
  }
}

static void
test_others_queue (gconstpointer data) {
  const Case *test = data;
  gboolean reads_freely = test->klass->has_read_and_dirty;
  guint n_waiting = N_WRITERS + (reads_freely ? 0 : N_READERS);
  const StateLock *lock;
  Scene scene;

  scene_init (&scene, test, 1);
  start (&scene, HOLDER, 1);
  parking_await (&scene.parking);
  start (&scene, FIRST_WRITER, N_WRITERS + N_READERS);
  if (reads_freely)
    join (&scene, FIRST_READER, N_READERS);

  lock = await_queue (&scene, n_waiting);
  g_assert_cmpint (lock->owner, ==, HOLDER);
  g_assert_cmpuint (lock->n_queue, ==, n_waiting);
  g_assert_cmphex (lock->waiters, ==,
                   (((guint64)1 << n_waiting) - 1) << FIRST_WRITER);
  parking_open (&scene.parking);
  join (&scene, HOLDER, FIRST_READER);
  if (!reads_freely)
    join (&scene, FIRST_READER, N_READERS);
  scene_clear (&scene);
}

/* Which of two shards each preloaded key is dealt to, as a map like the scene's
 * shows by what it counts. */
static void
find_shards (const EngineClass *klass,
             guint8            *shard_of) {
  EngineConfig config = { .seed = 5, .shards = 2 };
  MapEngine *map = engine_new (klass, &config);
  EngineThread thread;
  guint64 n_second = 0;

  g_assert_true (engine_enter_thread (map, &thread, 0));
  for (int64_t key = 0; key < N_KEYS; key++) {
    ShardStats stats;

    g_assert_true (klass->store (map, &thread, key, 0));
    shardmap_get_shard_stats (map, 1, &stats);
    shard_of[key] = stats.count > n_second;
    n_second = stats.count;
  }
  g_assert_cmpuint (n_second, >, 0);
  g_assert_cmpuint (n_second, <, N_KEYS);
  engine_leave_thread (&thread);
  engine_free (map);
}

static void
test_other_shards_go_on (gconstpointer data) {
  const Case *test = data;
  guint8 shard_of[N_KEYS];
  const MapState *state;
  guint locked;
  Scene scene;

  find_shards (test->klass, shard_of);
  scene_init (&scene, test, 2);
  start (&scene, HOLDER, 1);
  parking_await (&scene.parking);
  do
    state = catch_up (&scene);
  while (map_state_n_locks (state) < 2
         || (map_state_lock (state, 0)->owner != HOLDER
             && map_state_lock (state, 1)->owner != HOLDER));
  locked = map_state_lock (state, 0)->owner == HOLDER ? 0 : 1;
  probe_current = &scene.main_probe;
  for (int64_t key = 0; key < N_KEYS; key++) {
    int64_t value;

    if (shard_of[key] == locked)
      continue;
    g_assert_true (
      test->klass->load (scene.map, &scene.thread, key, &value));
    g_assert_true (
      test->klass->store (scene.map, &scene.thread, key, value));
  }
  probe_flush (&scene.main_probe);
  probe_current = NULL;
  start (&scene, FIRST_READER, N_READERS);
  while (map_state_lock (catch_up (&scene), locked)->n_queue < N_READERS)
    g_thread_yield ();

  parking_open (&scene.parking);
  join (&scene, HOLDER, 1);
  join (&scene, FIRST_READER, N_READERS);
  start (&scene, FIRST_WRITER, N_WRITERS);
  join (&scene, FIRST_WRITER, N_WRITERS);
  scene_clear (&scene);
}

/* Suite -------------------------------------------------------------------- */

static void
add (const EngineClass *klass,
     const char        *what,
     Place              place,
     GTestDataFunc      function) {
  g_autofree char *path
      = g_strdup_printf ("/core/stress-locked/%s/%s", klass->name, what);
  Case test = { klass, place };

  g_test_add_data_func_full (path, g_memdup2 (&test, sizeof test), function,
                             g_free);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  for (const EngineClass *const *klass = engine_classes (); *klass != NULL;
       klass++) {
    if (!(*klass)->is_thread_safe)
      continue;
    add (*klass, "in-grow", IN_GROW, test_others_queue);
    add (*klass, "in-evacuate", IN_EVACUATE, test_others_queue);
    if ((*klass)->has_read_and_dirty) {
      add (*klass, "in-promote", IN_PROMOTE, test_others_queue);
      add (*klass, "in-copy", IN_COPY, test_others_queue);
    }
    if (strcmp ((*klass)->name, "mutexmap") == 0)
      add (*klass, "in-range", IN_RANGE, test_others_queue);
    if (strcmp ((*klass)->name, "shardmap") == 0)
      add (*klass, "other-shards-go-on", IN_GROW, test_other_shards_go_on);
  }
  return g_test_run ();
}
