/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-go-sync.c — what Go asks of sync.Map, asked of every engine
 *
 * Idea        The tests of Go 1.23's sync/map_test.go, and the one of
 *             runtime/map_test.go that needs threads, in our own words, for every
 *             engine that may be shared, under a good, an all-equal and a top-bits
 *             hash. Each path ends in Go's name, the engine and the hash; the list
 *             with what covers the rest is in tests/core/README.md.
 *
 * Reference   Go compares with a map under a lock and with one that is copied at
 *             each write: maps without a secret. Here that is mutexmap under the
 *             good hash, and for mutexmap itself rwmap.
 */
#include "core/base/alloc.h"
#include "core/engine/engine.h"

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>

typedef struct {
  const EngineClass *klass;
  HashKind           hash;
} Case;

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
fixture_init (Fixture    *f,
              const Case *test) {
  EngineConfig config = {
    .hash.kind = test->hash,
    .seed = 11,
    .is_shared = true, /* gomap alone looks at it */
  };

  f->klass = test->klass;
  f->map = engine_new (test->klass, &config);
  g_assert_nonnull (f->map);
  g_assert_true (engine_enter_thread (f->map, &f->thread, 0));
}

static void
fixture_clear (Fixture *f) {
  g_assert_cmpint (f->thread.error, ==, ENGINE_ERROR_NONE);
  engine_leave_thread (&f->thread);
  f->klass->check (f->map, broken_cb, NULL);
  engine_free (f->map);
}

/* Lists of calls ----------------------------------------------------------- */

/* What one call answers: whether, and with which value. */
typedef struct {
  gboolean is_ok;
  int64_t  value;
} Answer;

typedef struct {
  guint   op;
  int64_t key;
  int64_t value;
  int64_t old;
} Call;

/* A key of up to three letters, as a number; values from few, so that comparing
 * succeeds now and then. */
static Call
draw_call (Prng *prng) {
  static const guint n_keys[] = { 1, 26, 26 * 26, 26 * 26 * 26 };
  guint length = (guint)prng_below (prng, 4);

  return (Call){
    .op = (guint)prng_below (prng, 9),
    .key = (int64_t)(length * 100000 + prng_below (prng, n_keys[length])),
    .value = (int64_t)prng_below (prng, 4),
    .old = (int64_t)prng_below (prng, 4),
  };
}

static Answer
do_call (Fixture    *f,
         const Call *call) {
  Answer answer = { 0 };

  switch (call->op) {
  case 0:
    answer.is_ok = CALL (f, load, call->key, &answer.value);
    break;
  case 1:
    answer.is_ok = CALL (f, store, call->key, call->value);
    break;
  case 2:
    answer.is_ok = CALL (f, load_or_store, call->key, call->value,
                         &answer.value);
    break;
  case 3:
    answer.is_ok = CALL (f, load_and_delete, call->key, &answer.value);
    break;
  case 4:
    answer.is_ok = CALL (f, delete_key, call->key);
    break;
  case 5:
    answer.is_ok = CALL (f, swap, call->key, call->value, &answer.value);
    break;
  case 6: /* Go's list deletes after a success, to have more failures */
    answer.is_ok = CALL (f, compare_and_swap, call->key, call->old, call->value);
    if (answer.is_ok)
      CALL (f, delete_key, call->key);
    break;
  case 7:
    answer.is_ok = CALL (f, compare_and_delete, call->key, call->old);
    break;
  default:
    answer.is_ok = call->value == 0 && CALL (f, clear);
    break;
  }
  return answer;
}

static bool
same_in_other_cb (int64_t key,
                  int64_t value,
                  void   *data) {
  int64_t found;

  g_assert_true (CALL ((Fixture *)data, load, key, &found));
  g_assert_cmpint (found, ==, value);
  return true;
}

static void
test_matches (gconstpointer data) {
  const Case *test = data;
  gboolean is_mutexmap = strcmp (test->klass->name, "mutexmap") == 0;
  Case plain = { engine_class_find (is_mutexmap ? "rwmap" : "mutexmap"),
                 HASH_GOOD };
  Prng prng;

  prng_init (&prng, 3);
  for (guint list = 0; list < 100; list++) {
    Fixture f, reference;

    fixture_init (&f, test);
    fixture_init (&reference, &plain);
    for (guint64 n = prng_below (&prng, 200); n > 0; n--) {
      Call call = draw_call (&prng);
      Answer answer = do_call (&f, &call);
      Answer wanted = do_call (&reference, &call);

      g_assert_cmpint (answer.is_ok, ==, wanted.is_ok);
      g_assert_cmpint (answer.value, ==, wanted.value);
    }
    g_assert_cmpuint (CALL (&f, len), ==, CALL (&reference, len));
    g_assert_true (CALL (&f, range, same_in_other_cb, &reference));
    fixture_clear (&reference);
    fixture_clear (&f);
  }
}

/* One thread --------------------------------------------------------------- */

/* TestIssue40999: ever-new keys, stored and deleted, are not kept. */
static void
test_issue_40999 (gconstpointer data) {
  EngineStats early, late;
  Fixture f;

  fixture_init (&f, data);
  CALL (&f, store, -1, 0);
  for (int64_t key = 0; key < 12000; key++) {
    CALL (&f, store, key, key);
    CALL (&f, delete_key, key);
    if (key == 2000)
      engine_get_stats (f.map, &early);
  }
  engine_get_stats (f.map, &late);
  g_assert_cmpuint (late.bytes, <=, 2 * early.bytes);
  g_assert_cmpuint (CALL (&f, len), ==, 1);
  fixture_clear (&f);
}

static bool
inner_cb (int64_t key,
          int64_t value,
          void   *data) {
  Fixture *f = data;
  int64_t found;

  g_assert_true (CALL (f, load, key, &found));
  g_assert_cmpint (found, ==, value);
  g_assert_false (CALL (f, load_or_store, 42, 1, &found));
  g_assert_true (CALL (f, load, 42, &found));
  g_assert_cmpint (found, ==, 1);
  g_assert_true (CALL (f, store, 42, 2));
  g_assert_true (CALL (f, load_and_delete, 42, &found));
  g_assert_cmpint (found, ==, 2);
  return true;
}

static bool
outer_cb (int64_t key,
          int64_t value,
          void   *data) {
  Fixture *f = data;

  CALL (f, range, inner_cb, f);
  g_assert_true (CALL (f, delete_key, key));
  return true;
}

static void
test_range_nested_call (gconstpointer data) {
  Fixture f;

  fixture_init (&f, data);
  for (int64_t key = 0; key < 3; key++)
    CALL (&f, store, key, 10 + key);
  CALL (&f, range, outer_cb, &f);
  g_assert_cmpuint (CALL (&f, len), ==, 0);
  fixture_clear (&f);
}

static void
test_compare_absent (gconstpointer data) {
  Fixture f;

  fixture_init (&f, data);
  g_assert_false (CALL (&f, compare_and_swap, 1, 0, 42));
  g_assert_false (CALL (&f, compare_and_delete, 1, 0));
  CALL (&f, store, 1, 7);
  CALL (&f, delete_key, 1);
  g_assert_false (CALL (&f, compare_and_swap, 1, 0, 42));
  g_assert_false (CALL (&f, compare_and_swap, 1, 7, 42));
  g_assert_cmpuint (CALL (&f, len), ==, 0);
  fixture_clear (&f);
}

static bool
count_cb (int64_t key,
          int64_t value,
          void   *data) {
  ++*(guint *)data;
  return true;
}

static void
test_no_allocations (gconstpointer data) {
  guint n_seen = 0;
  gsize held;
  Fixture f;

  fixture_init (&f, data);
  held = alloc_bytes_held ();
  alloc_fail_after (0);
  g_assert_true (CALL (&f, range, count_cb, &n_seen));
  g_assert_true (CALL (&f, clear));
  alloc_fail_after (-1);
  g_assert_cmpuint (alloc_bytes_held (), ==, held);
  g_assert_cmpuint (n_seen, ==, 0);
  fixture_clear (&f);
}

/* Several threads ---------------------------------------------------------- */

enum { N_WORKERS = 8, N_RANGE_KEYS = 1024, N_PASSES = 16, N_GROW_STEPS = 60 };

typedef struct _Crew Crew;

typedef struct {
  Crew     *crew;
  Fixture   f; /* the crew's map, this thread's record */
  guint     index;
  pthread_t thread;
} Worker;

struct _Crew {
  Worker            workers[N_WORKERS];
  Fixture          *f;
  pthread_barrier_t step; /* the workers and the main thread */
  int64_t           n_keys;
  _Atomic (bool)    is_over;
};

static void
crew_start (Crew    *crew,
            Fixture *f,
            guint    n,
            void  *(*work) (void *worker)) {
  crew->f = f;
  pthread_barrier_init (&crew->step, NULL, n + 1);
  for (guint i = 0; i < n; i++) {
    Worker *worker = &crew->workers[i];

    *worker = (Worker){ .crew = crew, .index = i, .f = *f };
    g_assert_true (engine_enter_thread (f->map, &worker->f.thread,
                                        (uint16_t)(i + 1)));
    g_assert_cmpint (pthread_create (&worker->thread, NULL, work, worker), ==, 0);
  }
}

static void
crew_join (Crew *crew,
           guint n) {
  for (guint i = 0; i < n; i++) {
    Worker *worker = &crew->workers[i];

    pthread_join (worker->thread, NULL);
    g_assert_cmpint (worker->f.thread.error, ==, ENGINE_ERROR_NONE);
    engine_leave_thread (&worker->f.thread);
  }
  pthread_barrier_destroy (&crew->step);
}

static void *
multiply (void *data) {
  Worker *worker = data;
  Prng prng;
  int64_t value;

  prng_init (&prng, worker->index);
  for (int64_t round = 1; !atomic_load (&worker->crew->is_over); round++)
    for (int64_t key = 1; key < N_RANGE_KEYS; key++) {
      if (prng_below (&prng, N_RANGE_KEYS) == 0)
        CALL (&worker->f, store, key, key * (round % 1000));
      else
        g_assert_true (CALL (&worker->f, load, key, &value));
    }
  return NULL;
}

static bool
divide_cb (int64_t key,
           int64_t value,
           void   *data) {
  bool *seen = data;

  g_assert_cmpint (key == 0 ? value : value % key, ==, 0);
  g_assert_false (seen[key]);
  seen[key] = true;
  return true;
}

static void
test_concurrent_range (gconstpointer data) {
  Crew crew = { 0 };
  Fixture f;

  fixture_init (&f, data);
  for (int64_t key = 0; key < N_RANGE_KEYS; key++)
    CALL (&f, store, key, key);
  crew_start (&crew, &f, 2, multiply);
  for (guint pass = 0; pass < N_PASSES; pass++) {
    bool seen[N_RANGE_KEYS] = { false };

    g_assert_true (CALL (&f, range, divide_cb, seen));
    for (guint key = 0; key < N_RANGE_KEYS; key++)
      g_assert_true (seen[key]);
  }
  atomic_store (&crew.is_over, true);
  crew_join (&crew, 2);
  fixture_clear (&f);
}

static void *
store_load_clear (void *data) {
  Worker *worker = data;
  int64_t value;

  pthread_barrier_wait (&worker->crew->step);
  for (int64_t i = 0; i < 300; i++) {
    if (worker->index % 3 == 0)
      CALL (&worker->f, store, i, i);
    else if (worker->index % 3 == 1)
      CALL (&worker->f, load, i, &value);
    else if (i % 10 == 0)
      CALL (&worker->f, clear);
  }
  return NULL;
}

static void
test_concurrent_clear (gconstpointer data) {
  Crew crew = { 0 };
  guint n_seen = 0;
  Fixture f;

  fixture_init (&f, data);
  crew_start (&crew, &f, N_WORKERS, store_load_clear);
  pthread_barrier_wait (&crew.step);
  crew_join (&crew, N_WORKERS);
  g_assert_true (CALL (&f, clear));
  g_assert_true (CALL (&f, range, count_cb, &n_seen));
  g_assert_cmpuint (n_seen, ==, 0);
  g_assert_cmpuint (CALL (&f, len), ==, 0);
  fixture_clear (&f);
}

/* Two barriers a step: the main thread inserts between the second and the next
 * first, alone. */
static void *
read_after_growth (void *data) {
  Worker *worker = data;
  Crew *crew = worker->crew;

  for (;;) {
    pthread_barrier_wait (&crew->step);
    if (atomic_load (&crew->is_over))
      return NULL;
    if (worker->index % 2 == 0) {
      guint n_seen = 0;

      g_assert_true (CALL (&worker->f, range, count_cb, &n_seen));
      g_assert_cmpuint (n_seen, ==, crew->n_keys);
    } else {
      int64_t value;

      for (int64_t key = 0; key < crew->n_keys; key++) {
        g_assert_true (CALL (&worker->f, load, key, &value));
        g_assert_cmpint (value, ==, key * 10);
      }
    }
    pthread_barrier_wait (&crew->step);
  }
}

static void
test_reads_after_growth (gconstpointer data) {
  Crew crew = { 0 };
  Fixture f;

  fixture_init (&f, data);
  crew_start (&crew, &f, N_WORKERS, read_after_growth);
  for (; crew.n_keys < N_GROW_STEPS;) {
    CALL (&f, store, crew.n_keys, crew.n_keys * 10);
    crew.n_keys++;
    pthread_barrier_wait (&crew.step);
    pthread_barrier_wait (&crew.step);
  }
  atomic_store (&crew.is_over, true);
  pthread_barrier_wait (&crew.step);
  crew_join (&crew, N_WORKERS);
  fixture_clear (&f);
}

/* Suite -------------------------------------------------------------------- */

static void
add (const EngineClass *klass,
     const char        *name,
     GTestDataFunc      function) {
  static const HashKind hashes[] = { HASH_GOOD, HASH_ALL_EQUAL, HASH_TOP_BITS };

  for (gsize h = 0; h < G_N_ELEMENTS (hashes); h++) {
    Case test = { klass, hashes[h] };
    g_autofree char *path
        = g_strdup_printf ("/core/go/sync/%s/%s/%s", name, klass->name,
                           hash_kind_name (test.hash));

    g_test_add_data_func_full (path, g_memdup2 (&test, sizeof test), function,
                               g_free);
  }
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  for (const EngineClass *const *klass = engine_classes (); *klass != NULL;
       klass++) {
    add (*klass, "MapMatchesRWMutex", test_matches);
    add (*klass, "Issue40999", test_issue_40999);
    if (strcmp ((*klass)->name, "mutexmap") != 0) /* engine.h, EngineVisit */
      add (*klass, "MapRangeNestedCall", test_range_nested_call);
    add (*klass, "CompareAndSwap_NonExistingKey", test_compare_absent);
    add (*klass, "MapRangeNoAllocations", test_no_allocations);
    add (*klass, "ConcurrentReadsAfterGrowth", test_reads_after_growth);
    if (!(*klass)->is_thread_safe)
      continue;
    add (*klass, "ConcurrentRange", test_concurrent_range);
    add (*klass, "ConcurrentClear", test_concurrent_clear);
  }
  return g_test_run ();
}
