/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-stress.c — many threads, each of which knows its own keys exactly
 *
 * All threads work on one map, but each key belongs to one of them, which alone
 * writes it. So whatever the others do, a thread knows what each operation on
 * its keys must answer, what a Range or a snapshot must give of them, and what a
 * view that it opened long ago must still show. The map around these keys is
 * everybody's: its growth, its promotions, its dead.
 *
 * The same once more with allocations failing at any time, in any thread: an
 * operation says so and has done nothing, or has done all.
 */

#include "core/base/alloc.h"
#include "core/engine/snapshot.h"
#include "core/engine/viewmap.h"

#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#define N_WORKERS 6
#define N_OWN 24
#define N_VIEWS 3
#define ANY_KEYS (N_OWN * N_WORKERS)

typedef struct {
  const char *name;
  guint       n_operations; /* of each worker */
  guint       whole_percent; /* Ranges, snapshots, views among them */
  guint       delete_percent;
  guint       fail_period;  /* one in so many breaks an allocation; 0: none */
} Mix;

typedef struct {
  const EngineClass *klass;
  HashKind           hash;
  const Mix         *mix;
} Case;

typedef struct {
  gboolean is_there[N_OWN];
  int64_t  value[N_OWN];
} Model;

typedef struct {
  MapView *view;
  Model    then; /* the owner's keys when it was opened */
} OpenView;

typedef struct {
  const Case        *test;
  MapEngine         *map;
  pthread_barrier_t *start;
  pthread_t          id;
  EngineThread       thread;
  Prng               prng;
  Model              model;
  OpenView           views[N_VIEWS];
  gint64             n_values; /* written by it: each value is new */
  guint              n_failed;
  guint16            index;
} Worker;

#define CALL(worker, operation, ...)                                          \
  ((worker)->map->klass->operation ((worker)->map, &(worker)->thread          \
                                    __VA_OPT__ (, ) __VA_ARGS__))

static void
broken_cb (const char *text,
           void       *data) {
  g_error ("%s", text);
}

static bool
is_viewmap (const Worker *self) {
  return strcmp (self->map->klass->name, "viewmap") == 0;
}

/* The values of syncmap's snapshots are live. */
static bool
is_frozen (const Worker *self) {
  return strcmp (self->map->klass->name, "syncmap") != 0;
}

static int64_t
key_of (const Worker *self,
        guint         own) {
  return (int64_t)own * N_WORKERS + self->index;
}

/* Whether the last operation had no memory; then it has done nothing. */
static bool
has_failed (Worker *self) {
  if (self->thread.error == ENGINE_ERROR_NONE)
    return false;
  g_assert_cmpint (self->thread.error, ==, ENGINE_ERROR_NO_MEMORY);
  g_assert_cmpuint (self->test->mix->fail_period, >, 0);
  self->thread.error = ENGINE_ERROR_NONE;
  self->n_failed++;
  return true;
}

/* Single keys -------------------------------------------------------------- */

static int64_t
new_value (Worker *self) {
  return ++self->n_values * N_WORKERS + self->index;
}

static void
read_any (Worker *self) {
  int64_t key = (int64_t)prng_below (&self->prng, ANY_KEYS);
  int64_t value;

  /* A value tells whose it is. */
  if (CALL (self, load, key, &value))
    g_assert_cmpint (value % N_WORKERS, ==, key % N_WORKERS);
  has_failed (self);
}

static void
remove_own (Worker *self,
            guint   own) {
  Model *model = &self->model;
  int64_t key = key_of (self, own);
  int64_t old = model->value[own] + (int64_t)prng_below (&self->prng, 2);
  bool was_there = model->is_there[own];
  bool wanted = was_there;
  int64_t found = 0;
  bool is_ok;

  switch (prng_below (&self->prng, 3)) {
  case 0:
    is_ok = CALL (self, delete_key, key);
    break;
  case 1:
    is_ok = CALL (self, load_and_delete, key, &found);
    g_assert_true (!is_ok || found == model->value[own]);
    break;
  default:
    is_ok = CALL (self, compare_and_delete, key, old);
    wanted = was_there && old == model->value[own];
    break;
  }
  if (has_failed (self))
    return;
  g_assert_cmpint (is_ok, ==, wanted);
  if (is_ok)
    model->is_there[own] = FALSE;
}

static void
write_own (Worker *self,
           guint   own) {
  Model *model = &self->model;
  int64_t key = key_of (self, own);
  int64_t value = new_value (self);
  int64_t old = model->value[own] + (int64_t)prng_below (&self->prng, 2);
  bool was_there = model->is_there[own];
  int64_t was = model->value[own];
  int64_t found = value;
  bool is_ok;

  switch (prng_below (&self->prng, 5)) {
  case 0 ... 1:
    is_ok = CALL (self, store, key, value);
    if (has_failed (self))
      return;
    g_assert_true (is_ok);
    break;
  case 2:
    is_ok = CALL (self, load_or_store, key, value, &found);
    if (has_failed (self))
      return;
    g_assert_cmpint (is_ok, ==, was_there);
    g_assert_cmpint (found, ==, was_there ? was : value);
    value = found;
    break;
  case 3:
    is_ok = CALL (self, swap, key, value, &found);
    if (has_failed (self))
      return;
    g_assert_true (is_ok == was_there && (!is_ok || found == was));
    break;
  default:
    is_ok = CALL (self, compare_and_swap, key, old, value);
    if (has_failed (self))
      return;
    g_assert_cmpint (is_ok, ==, was_there && old == was);
    if (!is_ok)
      return;
    break;
  }
  model->is_there[own] = TRUE;
  model->value[own] = value;
}

static void
read_own (Worker *self,
          guint   own) {
  int64_t value = 0;
  bool is_there = CALL (self, load, key_of (self, own), &value);

  if (has_failed (self))
    return;
  g_assert_cmpint (is_there, ==, self->model.is_there[own]);
  g_assert_true (!is_there || value == self->model.value[own]);
}

static void
touch_a_key (Worker *self) {
  guint own = (guint)prng_below (&self->prng, N_OWN);
  guint choice = (guint)prng_below (&self->prng, 100);
  guint delete_percent = self->test->mix->delete_percent;

  if (choice < delete_percent)
    remove_own (self, own);
  else if (choice < delete_percent + 30)
    write_own (self, own);
  else if (choice < delete_percent + 50)
    read_own (self, own);
  else
    read_any (self);
}

/* All keys ----------------------------------------------------------------- */

/* Own keys given so far, and what must have been given of them in the end. */
typedef struct {
  Worker  *worker;
  gboolean is_given[N_OWN];
  guint    n_calls;
  gboolean is_nested; /* the callback changes own keys */
} Walk;

static bool
is_own (const Worker *self,
        int64_t       key) {
  return key % N_WORKERS == self->index;
}

static bool
walk_cb (int64_t key,
         int64_t value,
         void   *data) {
  Walk *walk = data;
  Worker *self = walk->worker;
  guint own = (guint)(key / N_WORKERS);

  g_assert_true (key >= 0 && key < ANY_KEYS);
  g_assert_cmpint (value % N_WORKERS, ==, key % N_WORKERS);
  if (is_own (self, key)) {
    g_assert_false (walk->is_given[own]);
    walk->is_given[own] = TRUE;
    /* Values are read when their turn comes, and only we change them. */
    g_assert_true (self->model.is_there[own]);
    g_assert_cmpint (self->model.value[own], ==, value);
  }
  if (walk->is_nested && walk->n_calls++ < 4)
    touch_a_key (self);
  return true;
}

static void
range_over (Worker *self,
            bool    is_nested);

static bool
nesting_walk_cb (int64_t key,
                 int64_t value,
                 void   *data) {
  Walk *walk = data;

  if (walk->n_calls == 2)
    range_over (walk->worker, false);
  return walk_cb (key, value, data);
}

/* With @is_nested the callback uses the map, and ranges over it once more. */
static void
range_over (Worker *self,
            bool    is_nested) {
  Walk walk = { .worker = self, .is_nested = is_nested };
  bool is_whole = CALL (self, range, is_nested ? nesting_walk_cb : walk_cb, &walk);

  if (has_failed (self))
    return;
  g_assert_true (is_whole);
  if (!is_nested)
    for (guint own = 0; own < N_OWN; own++)
      g_assert_cmpint (walk.is_given[own], ==, self->model.is_there[own]);
}

/* While it is open, own keys change. */
static void
walk_a_snapshot (Worker *self) {
  Model then = self->model;
  gboolean is_given[N_OWN] = { FALSE };
  EngineSnapshot *snapshot = engine_snapshot_begin (self->map, &self->thread);
  guint n = 0;

  if (snapshot == NULL) {
    g_assert_true (has_failed (self));
    return;
  }
  while (engine_snapshot_next (snapshot)) {
    int64_t key = engine_snapshot_key (snapshot);
    int64_t value = engine_snapshot_value (snapshot);
    guint own = (guint)(key / N_WORKERS);
    const Model *known = is_frozen (self) ? &then : &self->model;

    g_assert_true (key >= 0 && key < ANY_KEYS);
    g_assert_cmpint (value % N_WORKERS, ==, key % N_WORKERS);
    if (is_own (self, key)) {
      g_assert_false (is_given[own]);
      is_given[own] = TRUE;
      g_assert_true (known->is_there[own]);
      g_assert_cmpint (known->value[own], ==, value);
    }
    if (n++ % 16 == 3)
      touch_a_key (self);
  }
  if (is_frozen (self))
    for (guint own = 0; own < N_OWN; own++)
      g_assert_cmpint (is_given[own], ==, then.is_there[own]);
  engine_snapshot_end (snapshot);
}

static void
look_into_view (Worker         *self,
                const OpenView *open) {
  for (guint own = 0; own < N_OWN; own++) {
    int64_t value = 0;
    bool is_there = viewmap_load_in_view (open->view, &self->thread,
                                          key_of (self, own), &value);

    if (has_failed (self))
      continue;
    g_assert_cmpint (is_there, ==, open->then.is_there[own]);
    g_assert_true (!is_there || value == open->then.value[own]);
  }
}

/* Opens one, or looks into it, or closes it. */
static void
use_a_view (Worker *self) {
  OpenView *open = &self->views[prng_below (&self->prng, N_VIEWS)];

  if (open->view == NULL) {
    open->then = self->model;
    open->view = viewmap_open_view (self->map, &self->thread);
    g_assert_true (open->view != NULL || has_failed (self));
    return;
  }
  look_into_view (self, open);
  if (prng_below (&self->prng, 3) == 0) {
    viewmap_close_view (open->view, &self->thread);
    open->view = NULL;
  }
}

static void
touch_all_keys (Worker *self) {
  bool may_nest = strcmp (self->map->klass->name, "mutexmap") != 0;

  switch (prng_below (&self->prng, 5)) {
  case 0:
    range_over (self, false);
    break;
  case 1:
    range_over (self, may_nest);
    break;
  case 2:
    walk_a_snapshot (self);
    break;
  case 3:
    g_assert_cmpuint (CALL (self, len), <=, ANY_KEYS);
    break;
  default:
    if (is_viewmap (self))
      use_a_view (self);
    break;
  }
}

/* Workers ------------------------------------------------------------------ */

static void *
work (void *data) {
  Worker *self = data;
  const Mix *mix = self->test->mix;

  pthread_barrier_wait (self->start);
  for (guint i = 0; i < mix->n_operations; i++) {
    if (mix->fail_period > 0 && prng_below (&self->prng, mix->fail_period) == 0)
      alloc_fail_after ((int64_t)prng_below (&self->prng, 3));
    if (prng_below (&self->prng, 100) < mix->whole_percent)
      touch_all_keys (self);
    else
      touch_a_key (self);
    /* More threads than cores: let another one in. */
    if (prng_below (&self->prng, 32) == 0)
      sched_yield ();
  }
  for (guint i = 0; i < N_VIEWS; i++)
    if (self->views[i].view != NULL) {
      look_into_view (self, &self->views[i]);
      viewmap_close_view (self->views[i].view, &self->thread);
    }
  engine_leave_thread (&self->thread);
  return NULL;
}

/* One thread looks at everybody's keys when all have left. */
static void
expect_all (MapEngine    *map,
            EngineThread *thread,
            Worker       *workers) {
  guint64 n_live = 0;

  for (guint i = 0; i < N_WORKERS; i++)
    for (guint own = 0; own < N_OWN; own++) {
      int64_t value = 0;
      bool is_there
          = map->klass->load (map, thread, key_of (&workers[i], own), &value);

      g_assert_cmpint (is_there, ==, workers[i].model.is_there[own]);
      g_assert_true (!is_there || value == workers[i].model.value[own]);
      n_live += is_there;
    }
  g_assert_cmpuint (map->klass->len (map, thread), ==, n_live);
}

static void
test_owners_are_exact (gconstpointer data) {
  const Case *test = data;
  EngineConfig config = { .hash.kind = test->hash, .seed = 17, .shards = 3 };
  size_t held = alloc_bytes_held ();
  MapEngine *map = engine_new (test->klass, &config);
  g_autofree Worker *workers = g_new0 (Worker, N_WORKERS);
  EngineThread thread;
  EngineStats stats;
  pthread_barrier_t start;
  guint n_failed = 0;

  g_assert_true (engine_enter_thread (map, &thread, EVENT_THREAD_MAIN));
  pthread_barrier_init (&start, NULL, N_WORKERS);
  for (guint16 i = 0; i < N_WORKERS; i++) {
    workers[i].test = test;
    workers[i].map = map;
    workers[i].start = &start;
    workers[i].index = i;
    prng_init (&workers[i].prng, prng_split (29, i));
    g_assert_true (engine_enter_thread (map, &workers[i].thread, i));
  }
  for (guint i = 0; i < N_WORKERS; i++)
    g_assert_cmpint (
      pthread_create (&workers[i].id, NULL, work, &workers[i]), ==, 0);
  for (guint i = 0; i < N_WORKERS; i++) {
    pthread_join (workers[i].id, NULL);
    n_failed += workers[i].n_failed;
  }
  alloc_fail_after (-1);
  if (test->mix->fail_period > 0)
    g_test_message ("%u operations had no memory", n_failed);

  expect_all (map, &thread, workers);
  engine_leave_thread (&thread);
  engine_get_stats (map, &stats);
  g_assert_cmpuint (stats.bytes_held, ==, 0);
  test->klass->check (map, broken_cb, NULL);
  engine_free (map);
  pthread_barrier_destroy (&start);
  g_assert_cmpuint (alloc_bytes_held (), ==, held);
}

/* Suite -------------------------------------------------------------------- */

static const Mix mixes[] = {
  { "balanced", 4000, 2, 12, 0 },
  { "delete-heavy", 4000, 1, 35, 0 },
  { "range-heavy", 1500, 15, 12, 0 },
  { "without-memory", 4000, 2, 20, 6 },
};

int
main (int    argc,
      char **argv) {
  static const HashKind hashes[]
      = { HASH_GOOD, HASH_IDENTITY, HASH_ALL_EQUAL, HASH_TOP_BITS };

  g_test_init (&argc, &argv, NULL);
  for (const EngineClass *const *klass = engine_classes (); *klass != NULL;
       klass++)
    for (gsize m = 0; m < G_N_ELEMENTS (mixes) && (*klass)->is_thread_safe; m++)
      for (gsize h = 0; h < G_N_ELEMENTS (hashes); h++) {
        Case test = { *klass, hashes[h], &mixes[m] };
        g_autofree char *path
            = g_strdup_printf ("/core/stress/%s/%s/%s", (*klass)->name,
                               mixes[m].name, hash_kind_name (hashes[h]));

        g_test_add_data_func_full (path, g_memdup2 (&test, sizeof test),
                                   test_owners_are_exact, g_free);
      }
  return g_test_run ();
}
