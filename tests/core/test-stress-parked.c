/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-stress-parked.c — a thread stands still in the worst place
 *
 * Inside a Range's callback, with a snapshot or a view open: the others change
 * the map far past what may be held for a reader. They must come to their end
 * meanwhile, what is held and by whom must be told, and all of it must be freed
 * when the reader has gone. With a lock held: who needs the lock waits and is
 * seen to wait, who finds its key in read does not.
 */

#include "parking.h"

#include "core/base/alloc.h"
#include "core/engine/snapshot.h"
#include "core/engine/viewmap.h"

#include <glib.h>
#include <string.h>

#define N_WRITERS 4
#define N_KEYS 400        /* preloaded, value key * 10 */
#define N_ROUNDS 12       /* of each writer */
#define FIRST_OWN 100000  /* writer w's own keys begin at FIRST_OWN * (w + 1) */
#define PARKED_INDEX 7

/* Far less than what the writers supersede. */
#define LIMIT_BYTES ((size_t)64 << 10)

typedef struct {
  MapEngine      *map;
  EngineThread    thread; /* the test's own */
  Parking         parking;
  size_t          held;   /* by the process, before */
} Fixture;

static void
broken_cb (const char *text,
           void       *data) {
  g_error ("%s", text);
}

static void
fixture_init (Fixture           *f,
              const EngineClass *klass,
              const EngineHooks *hooks) {
  EngineConfig config = { .seed = 5, .shards = 3, .hooks = hooks };

  *f = (Fixture){ .parking = PARKING_INIT, .held = alloc_bytes_held () };
  f->map = engine_new (klass, &config);
  g_assert_nonnull (f->map);
  /* Nobody has entered yet. */
  if (f->map->reclaim != NULL) {
    reclaim_free (f->map->reclaim);
    f->map->reclaim = reclaim_new (LIMIT_BYTES);
    g_assert_nonnull (f->map->reclaim);
  }
  g_assert_true (engine_enter_thread (f->map, &f->thread, 0));
  for (int64_t key = 0; key < N_KEYS; key++)
    g_assert_true (klass->store (f->map, &f->thread, key, key * 10));
}

/* Whoever leaves last drains: nothing may be held then. */
static void
fixture_clear (Fixture *f) {
  const EngineClass *klass = f->map->klass;
  EngineStats stats;

  engine_leave_thread (&f->thread);
  engine_get_stats (f->map, &stats);
  g_assert_cmpuint (stats.bytes_held, ==, 0);
  klass->check (f->map, broken_cb, NULL);
  engine_free (f->map);
  g_assert_cmpuint (alloc_bytes_held (), ==, f->held);
}

static ReclaimStats
held_of (MapEngine *map) {
  ReclaimStats stats = { .oldest_holder = -1 };

  if (map->reclaim != NULL)
    reclaim_get_stats (map->reclaim, &stats);
  return stats;
}

/* Writers ------------------------------------------------------------------ */

typedef struct {
  MapEngine *map;
  pthread_t  id;
  uint16_t   index;
  int64_t    n_own; /* keys it leaves behind */
} Writer;

static bool
stop_at_once_cb (int64_t key,
                 int64_t value,
                 void   *data) {
  return false;
}

/* Replaces tables, values and keys; each round promotes. */
static void *
write_on (void *data) {
  Writer *self = data;
  MapEngine *map = self->map;
  const EngineClass *klass = map->klass;
  EngineThread thread;

  g_assert_true (engine_enter_thread (map, &thread, self->index));
  for (int64_t round = 0; round < N_ROUNDS; round++) {
    int64_t own = FIRST_OWN * (self->index + 1) + round;

    g_assert_true (klass->store (map, &thread, own, round));
    for (int64_t key = self->index; key < N_KEYS; key += N_WRITERS)
      g_assert_true (klass->store (map, &thread, key, -1 - round));
    g_assert_false (klass->range (map, &thread, stop_at_once_cb, NULL));
    if (round % 2 == 1)
      g_assert_true (klass->delete_key (map, &thread, own));
  }
  self->n_own = N_ROUNDS / 2;
  g_assert_cmpint (thread.error, ==, ENGINE_ERROR_NONE);
  engine_leave_thread (&thread);
  return NULL;
}

static void
start_writers (Fixture *f,
               Writer  *writers) {
  for (uint16_t i = 0; i < N_WRITERS; i++) {
    writers[i] = (Writer){ .map = f->map, .index = i };
    g_assert_cmpint (
      pthread_create (&writers[i].id, NULL, write_on, &writers[i]), ==, 0);
  }
}

/* Returns when all have done all that they had to do. */
static void
join_writers (Writer *writers) {
  for (guint i = 0; i < N_WRITERS; i++)
    pthread_join (writers[i].id, NULL);
}

/* What the map holds when the writers are done, whoever looked on. */
static void
expect_written (Fixture *f) {
  const EngineClass *klass = f->map->klass;

  g_assert_cmpuint (klass->len (f->map, &f->thread), ==,
                    N_KEYS + N_WRITERS * N_ROUNDS / 2);
  for (int64_t key = 0; key < N_KEYS; key++) {
    int64_t value;

    g_assert_true (klass->load (f->map, &f->thread, key, &value));
    g_assert_cmpint (value, ==, -N_ROUNDS);
  }
  for (int64_t index = 0; index < N_WRITERS; index++)
    for (int64_t round = 0; round < N_ROUNDS; round++) {
      int64_t value = -1;
      gboolean is_there = klass->load (f->map, &f->thread,
                                       FIRST_OWN * (index + 1) + round, &value);

      g_assert_cmpint (is_there, ==, round % 2 == 0);
      g_assert_true (!is_there || value == round);
    }
}

/* Parked readers ----------------------------------------------------------- */

typedef struct {
  Fixture        *fixture;
  EngineThread    thread;
  EngineSnapshot *snapshot; /* that it stands in; NULL in a Range */
  guint           n_given;
  gboolean        is_frozen;
} Reader;

static bool
park_cb (int64_t key,
         int64_t value,
         void   *data) {
  Reader *self = data;

  if (self->n_given++ == 0)
    parking_stop (&self->fixture->parking);
  return true;
}

static void *
park_in_range (void *data) {
  Reader *self = data;
  MapEngine *map = self->fixture->map;

  g_assert_true (engine_enter_thread (map, &self->thread, PARKED_INDEX));
  g_assert_true (map->klass->range (map, &self->thread, park_cb, self));
  engine_leave_thread (&self->thread);
  return NULL;
}

static void *
park_in_snapshot (void *data) {
  Reader *self = data;
  MapEngine *map = self->fixture->map;
  EngineSnapshot *snapshot;

  g_assert_true (engine_enter_thread (map, &self->thread, PARKED_INDEX));
  snapshot = engine_snapshot_begin (map, &self->thread);
  g_assert_nonnull (snapshot);
  self->snapshot = snapshot;
  while (engine_snapshot_next (snapshot)) {
    int64_t key = engine_snapshot_key (snapshot);

    g_assert_true (key >= 0 && key < N_KEYS);
    if (self->is_frozen)
      g_assert_cmpint (engine_snapshot_value (snapshot), ==, key * 10);
    if (self->n_given++ == 0)
      parking_stop (&self->fixture->parking);
  }
  engine_snapshot_end (snapshot);
  engine_leave_thread (&self->thread);
  return NULL;
}

/* What is told of a reader that stands while the writers have written. */
static void
expect_held_by (Fixture *f,
                Reader  *reader) {
  ReclaimStats held = held_of (f->map);
  EngineStats stats;
  SnapshotInfo info;

  engine_get_stats (f->map, &stats);
  if (f->map->reclaim != NULL) {
    g_test_message ("%zu bytes held in %zu items, the limit being %zu; %"
                    G_GUINT64_FORMAT " waits", held.bytes_held, held.n_held,
                    LIMIT_BYTES, held.n_waits);
    g_assert_cmpuint (held.bytes_held, >, 4 * LIMIT_BYTES);
    g_assert_cmpuint (held.n_waits, >, 0);
    g_assert_cmpint (held.oldest_holder, ==, PARKED_INDEX);
    g_assert_cmpuint (stats.bytes_held, ==, held.bytes_held);
    g_assert_cmpuint (stats.bytes, >, stats.bytes_held);
  }
  if (reader->snapshot != NULL) {
    engine_snapshot_get_info (reader->snapshot, &info);
    g_assert_cmpint (info.state, ==, SNAPSHOT_OPEN);
    g_assert_cmpuint (info.n_keys, ==, N_KEYS);
    g_assert_cmpuint (info.bytes_held, >, N_KEYS);
  }
}

/* The writers come to their end while the reader stands. */
static void
write_past_parked (gconstpointer klass,
                   void       *(*park) (void *reader)) {
  Writer writers[N_WRITERS];
  Fixture f;
  Reader reader = { .fixture = &f };
  pthread_t id;

  fixture_init (&f, klass, NULL);
  reader.is_frozen = strcmp (f.map->klass->name, "syncmap") != 0;
  g_assert_cmpint (pthread_create (&id, NULL, park, &reader), ==, 0);
  parking_await (&f.parking);
  start_writers (&f, writers);
  join_writers (writers);
  expect_held_by (&f, &reader);
  expect_written (&f);

  parking_open (&f.parking);
  pthread_join (id, NULL);
  /* A shardmap's Range asks each shard for its keys when it comes to it. */
  g_assert_cmpuint (reader.n_given, >=, N_KEYS);
  g_assert_cmpuint (reader.n_given, <=,
                    N_KEYS + (strcmp (f.map->klass->name, "shardmap") == 0
                                  ? N_WRITERS * N_ROUNDS : 0));
  g_assert_cmpint (held_of (f.map).oldest_holder, ==, -1);
  fixture_clear (&f);
}

static void
test_parked_in_a_range (gconstpointer klass) {
  write_past_parked (klass, park_in_range);
}

static void
test_parked_in_a_snapshot (gconstpointer klass) {
  write_past_parked (klass, park_in_snapshot);
}

/* A view holds what it can see, and no section: what it cannot see is freed. */
static void *
park_with_views (void *data) {
  Reader *self = data;
  MapEngine *map = self->fixture->map;
  MapView *views[3];

  g_assert_true (engine_enter_thread (map, &self->thread, PARKED_INDEX));
  for (guint i = 0; i < G_N_ELEMENTS (views); i++) {
    views[i] = viewmap_open_view (map, &self->thread);
    g_assert_nonnull (views[i]);
  }
  parking_stop (&self->fixture->parking);
  for (guint i = 0; i < G_N_ELEMENTS (views); i++) {
    guint n_other = 0;

    for (int64_t key = 0; key < N_KEYS; key++) {
      int64_t value;

      g_assert_true (
        viewmap_load_in_view (views[i], &self->thread, key, &value));
      g_assert_cmpint (value, ==, key * 10);
    }
    for (int64_t own = FIRST_OWN; own < FIRST_OWN + N_ROUNDS; own++) {
      int64_t value;

      n_other += viewmap_load_in_view (views[i], &self->thread, own, &value);
    }
    g_assert_cmpuint (n_other, ==, 0);
  }
  for (guint i = 0; i < G_N_ELEMENTS (views); i++)
    viewmap_close_view (views[(i + 1) % G_N_ELEMENTS (views)], &self->thread);
  g_assert_cmpuint (viewmap_n_kept (map), ==, 0);
  engine_leave_thread (&self->thread);
  return NULL;
}

static void
test_parked_with_views (gconstpointer klass) {
  Writer writers[N_WRITERS];
  Fixture f;
  Reader reader = { .fixture = &f };
  ReclaimStats held;
  pthread_t id;

  fixture_init (&f, klass, NULL);
  g_assert_cmpint (pthread_create (&id, NULL, park_with_views, &reader), ==, 0);
  parking_await (&f.parking);
  start_writers (&f, writers);
  join_writers (writers);
  held = held_of (f.map);
  g_test_message ("%zu bytes held, %" G_GUINT64_FORMAT " items freed, %"
                  G_GUINT64_FORMAT " versions kept", held.bytes_held,
                  held.n_freed, viewmap_n_kept (f.map));
  g_assert_cmpint (held.oldest_holder, ==, -1);
  g_assert_cmpuint (held.n_freed, >, 0);
  /* Each value that was replaced, and of each own key that was deleted its
   * value and that it was deleted: chains are cut behind what the oldest view
   * sees, not before. */
  g_assert_cmpuint (viewmap_n_kept (f.map), >=, N_KEYS);
  g_assert_cmpuint (viewmap_n_kept (f.map), <=,
                    (N_KEYS + N_WRITERS) * N_ROUNDS);
  expect_written (&f);
  parking_open (&f.parking);
  pthread_join (id, NULL);
  fixture_clear (&f);
}

/* Suite -------------------------------------------------------------------- */

static void
add (const EngineClass *klass,
     const char        *what,
     GTestDataFunc      function) {
  g_autofree char *path
      = g_strdup_printf ("/core/stress-parked/%s/%s", klass->name, what);

  g_test_add_data_func (path, klass, function);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  for (const EngineClass *const *klass = engine_classes (); *klass != NULL;
       klass++) {
    if (!(*klass)->is_thread_safe)
      continue;
    /* mutexmap's callback holds the lock: test-stress-locked. */
    if (strcmp ((*klass)->name, "mutexmap") != 0)
      add (*klass, "in-a-range", test_parked_in_a_range);
    add (*klass, "in-a-snapshot", test_parked_in_a_snapshot);
    if (strcmp ((*klass)->name, "viewmap") == 0)
      add (*klass, "with-views-open", test_parked_with_views);
  }
  return g_test_run ();
}
