/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-viewmap.c — views stay as they were, and what they cost is given back
 *
 * What every engine must do is in test-engines.c, snapshots in test-snapshot.c.
 */

#include "core/base/alloc.h"
#include "core/engine/viewmap-private.h"

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define N_KEYS 24

typedef struct {
  const EngineClass *klass;
  MapEngine         *map;
  EngineThread       thread;
} Fixture;

#define CALL(fixture, operation, ...)                                         \
  ((fixture)->klass->operation ((fixture)->map, &(fixture)->thread            \
                                __VA_OPT__ (, ) __VA_ARGS__))

static void
broken_cb (const char *text,
           void       *data) {
  g_error ("%s", text);
}

static void
fixture_init (Fixture *f) {
  EngineConfig config = { .seed = 9 };

  f->klass = engine_class_find ("viewmap");
  f->map = engine_new (f->klass, &config);
  g_assert_nonnull (f->map);
  g_assert_true (engine_enter_thread (f->map, &f->thread, 0));
}

static void
fixture_clear (Fixture *f) {
  f->klass->check (f->map, broken_cb, NULL);
  engine_leave_thread (&f->thread);
  engine_free (f->map);
}

static void
expect (Fixture *f,
        MapView *view,
        int64_t  key,
        int64_t  wanted) { /* -1: absent */
  int64_t found = -1;
  bool is_there = view != NULL
                      ? viewmap_load_in_view (view, &f->thread, key, &found)
                      : CALL (f, load, key, &found);

  g_assert_cmpint (is_there, ==, wanted != -1);
  g_assert_cmpint (found, ==, wanted);
}

static void
test_two_views_side_by_side (void) {
  Fixture f;
  MapView *first, *second;

  fixture_init (&f);
  CALL (&f, store, 1, 10);
  CALL (&f, store, 2, 20);
  first = viewmap_open_view (f.map, &f.thread);
  CALL (&f, store, 1, 11);
  CALL (&f, delete_key, 2);
  CALL (&f, store, 3, 30);
  second = viewmap_open_view (f.map, &f.thread);
  g_assert_cmpuint (viewmap_view_version (second), >,
                    viewmap_view_version (first));
  CALL (&f, store, 1, 12);
  CALL (&f, store, 2, 22);
  g_assert_true (CALL (&f, clear));
  f.klass->check (f.map, broken_cb, NULL);

  expect (&f, first, 1, 10);
  expect (&f, first, 2, 20);
  expect (&f, first, 3, -1);
  expect (&f, second, 1, 11);
  expect (&f, second, 2, -1);
  expect (&f, second, 3, 30);
  expect (&f, NULL, 1, -1);
  g_assert_cmpuint (CALL (&f, len), ==, 0);
  viewmap_close_view (first, &f.thread);
  f.klass->check (f.map, broken_cb, NULL);
  expect (&f, second, 1, 11);
  expect (&f, second, 3, 30);
  viewmap_close_view (second, &f.thread);
  /* Nothing is kept: V3 and V4 of the check. */
  g_assert_cmpuint (viewmap_n_kept (f.map), ==, 0);
  fixture_clear (&f);
}

static void
test_keeps_what_views_need (void) {
  Fixture f;
  MapView *view;

  fixture_init (&f);
  for (int64_t i = 0; i < 1000; i++)
    CALL (&f, store, 1, i);
  g_assert_cmpuint (viewmap_n_kept (f.map), ==, 0);
  view = viewmap_open_view (f.map, &f.thread);
  for (int64_t i = 0; i < 1000; i++)
    CALL (&f, store, 1, i);
  /* Versions between the view and the newest are kept: one view, no more. */
  g_assert_cmpuint (viewmap_n_kept (f.map), >=, 1);
  expect (&f, view, 1, 999);
  CALL (&f, delete_key, 1);
  expect (&f, view, 1, 999);
  viewmap_close_view (view, &f.thread);
  g_assert_cmpuint (viewmap_n_kept (f.map), ==, 0);
  fixture_clear (&f);
}

static void
test_barrier_moves_the_clock (void) {
  Fixture f;
  uint64_t version;
  MapView *view;

  fixture_init (&f);
  version = viewmap_write_barrier (f.map, &f.thread);
  g_assert_cmpuint (viewmap_write_barrier (f.map, &f.thread), ==, version + 1);
  view = viewmap_open_view (f.map, &f.thread);
  g_assert_cmpuint (viewmap_view_version (view), ==, version + 1);
  g_assert_cmpuint (viewmap_write_barrier (f.map, &f.thread), ==, version + 3);
  viewmap_close_view (view, &f.thread);
  fixture_clear (&f);
}

/* Against copies of a naive map --------------------------------------------- */

typedef struct {
  bool    is_there[N_KEYS];
  int64_t value[N_KEYS];
} Model;

static void
compare_view (Fixture     *f,
              MapView     *view,
              const Model *model) {
  for (int64_t key = 0; key < N_KEYS; key++)
    expect (f, view, key, model->is_there[key] ? model->value[key] : -1);
}

static void
change (Fixture *f,
        Model   *model,
        Prng    *prng) {
  int64_t key = (int64_t)prng_below (prng, N_KEYS);
  int64_t value = (int64_t)prng_below (prng, 1000);
  uint64_t choice = prng_below (prng, 64);
  int64_t found;

  if (choice < 28) {
    g_assert_true (CALL (f, store, key, value));
    model->is_there[key] = true;
    model->value[key] = value;
  } else if (choice < 48) {
    g_assert_cmpint (CALL (f, delete_key, key), ==, model->is_there[key]);
    model->is_there[key] = false;
  } else if (choice < 63) {
    CALL (f, load, key + 1000, &found);
  } else {
    g_assert_true (CALL (f, clear));
    memset (model, 0, sizeof *model);
  }
}

static void
test_views_match_copies (void) {
  enum { N_VIEWS = 5, N_STEPS = 20000 };
  MapView *views[N_VIEWS] = { NULL };
  Model models[N_VIEWS], model = { 0 };
  Prng prng = { 77 };
  Fixture f;

  fixture_init (&f);
  for (int i = 0; i < N_STEPS; i++) {
    uint64_t at = prng_below (&prng, N_VIEWS * 12);

    change (&f, &model, &prng);
    if (at < N_VIEWS && views[at] == NULL) {
      views[at] = viewmap_open_view (f.map, &f.thread);
      models[at] = model;
    } else if (at < N_VIEWS) {
      compare_view (&f, views[at], &models[at]);
      viewmap_close_view (views[at], &f.thread);
      views[at] = NULL;
    } else if (at < 2 * N_VIEWS && views[at - N_VIEWS] != NULL) {
      compare_view (&f, views[at - N_VIEWS], &models[at - N_VIEWS]);
    }
    f.klass->check (f.map, broken_cb, NULL);
  }
  for (int i = 0; i < N_VIEWS; i++)
    if (views[i] != NULL)
      viewmap_close_view (views[i], &f.thread);
  g_assert_cmpuint (viewmap_n_kept (f.map), ==, 0);
  fixture_clear (&f);
}

static void
test_opens_or_not (void) {
  Fixture f;

  fixture_init (&f);
  alloc_fail_after (0);
  g_assert_null (viewmap_open_view (f.map, &f.thread));
  alloc_fail_after (-1);
  g_assert_cmpint (f.thread.error, ==, ENGINE_ERROR_NO_MEMORY);
  f.thread.error = ENGINE_ERROR_NONE;
  fixture_clear (&f);
}

/* Threads ------------------------------------------------------------------ */

#define N_WRITERS 2
#define N_READERS 2
#define N_ROUNDS 300

typedef struct {
  MapEngine       *map;
  _Atomic (int)    n_readers;
} World;

typedef struct {
  World   *world;
  uint16_t index;
} Worker;

/* Moves one from a key to its neighbour, the receiver first: the sum of a view
 * is the start's, or one more for each writer. */
static void *
write_on (void *data) {
  Worker *worker = data;
  MapEngine *map = worker->world->map;
  const EngineClass *klass = map->klass;
  EngineThread thread;
  Prng prng;
  int64_t from = worker->index, to = worker->index + N_WRITERS;
  int64_t a, b, ignored;

  prng_init (&prng, worker->index);
  g_assert_true (engine_enter_thread (map, &thread, worker->index));
  while (atomic_load (&worker->world->n_readers) > 0) {
    g_assert_true (klass->load (map, &thread, from, &a));
    g_assert_true (klass->load (map, &thread, to, &b));
    g_assert_true (klass->store (map, &thread, to, b + 1));
    if (prng_below (&prng, 8) == 0) {
      /* A key that comes and goes makes the tables move. */
      int64_t key = 1000 + (int64_t)prng_below (&prng, 200);

      if (!klass->load_and_delete (map, &thread, key, &ignored))
        klass->store (map, &thread, key, 0);
    }
    g_assert_true (klass->store (map, &thread, from, a - 1));
    if (prng_below (&prng, 4) == 0) {
      int64_t other = from;

      from = to;
      to = other;
    }
  }
  engine_leave_thread (&thread);
  return NULL;
}

static int64_t
sum_of (MapView      *view,
        EngineThread *thread) {
  int64_t sum = 0;

  for (int64_t key = 0; key < 2 * N_WRITERS; key++) {
    int64_t value;

    g_assert_true (viewmap_load_in_view (view, thread, key, &value));
    sum += value;
  }
  return sum;
}

static void *
view_on (void *data) {
  Worker *worker = data;
  MapEngine *map = worker->world->map;
  EngineThread thread;

  g_assert_true (engine_enter_thread (map, &thread, worker->index));
  for (int i = 0; i < N_ROUNDS; i++) {
    MapView *view = viewmap_open_view (map, &thread);
    MapView *later = i % 2 ? viewmap_open_view (map, &thread) : NULL;
    int64_t sum = sum_of (view, &thread);

    g_assert_true (sum >= 0 && sum <= N_WRITERS);
    for (int again = 0; again < 5; again++)
      g_assert_cmpint (sum_of (view, &thread), ==, sum);
    viewmap_close_view (view, &thread);
    if (later != NULL) {
      sum = sum_of (later, &thread);
      g_assert_true (sum >= 0 && sum <= N_WRITERS);
      viewmap_close_view (later, &thread);
    }
  }
  atomic_fetch_sub (&worker->world->n_readers, 1);
  engine_leave_thread (&thread);
  return NULL;
}

static void
test_views_of_a_moving_map (void) {
  enum { N = N_WRITERS + N_READERS };
  World world = { .n_readers = N_READERS };
  Worker workers[N];
  pthread_t threads[N];
  Fixture f;

  fixture_init (&f);
  world.map = f.map;
  for (int64_t key = 0; key < 2 * N_WRITERS; key++)
    CALL (&f, store, key, 0);
  for (uint16_t i = 0; i < N; i++) {
    workers[i] = (Worker){ &world, i };
    pthread_create (&threads[i], NULL, i < N_WRITERS ? write_on : view_on,
                    &workers[i]);
  }
  for (int i = 0; i < N; i++)
    pthread_join (threads[i], NULL);
  g_assert_cmpuint (viewmap_n_kept (f.map), ==, 0);
  fixture_clear (&f);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/viewmap/two-views-side-by-side",
                   test_two_views_side_by_side);
  g_test_add_func ("/core/viewmap/keeps-what-views-need",
                   test_keeps_what_views_need);
  g_test_add_func ("/core/viewmap/barrier-moves-the-clock",
                   test_barrier_moves_the_clock);
  g_test_add_func ("/core/viewmap/views-match-copies", test_views_match_copies);
  g_test_add_func ("/core/viewmap/opens-or-not", test_opens_or_not);
  g_test_add_func ("/core/viewmap/views-of-a-moving-map",
                   test_views_of_a_moving_map);
  return g_test_run ();
}
