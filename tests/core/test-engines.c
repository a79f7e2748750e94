/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-engines.c — what every thread-safe engine must do, whatever it is made of
 *
 * One suite for all of them, under three hashes: random operations against a
 * naive map with all invariants checked after each, memory that runs out at the
 * n-th allocation for every n, threads whose additions must add up, and what a Range
 * tells. How each engine goes about it is checked in tests of its own.
 */

#include "core/base/alloc.h"
#include "core/engine/engine.h"
#include "core/probe/probe.h"

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define N_KEYS 48
/* Of each engine and hash; TOPHASH_RANDOM_OPS says otherwise. A sanitizer makes
 * each several times as long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define N_RANDOM 100000
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define N_RANDOM 100000
#endif
#endif
#ifndef N_RANDOM
#define N_RANDOM 1000000
#endif
/* Checking costs as much as there are keys: mostly a few, now and then many. */
#define N_FEW_KEYS 12
#define ROUND_OPS 8000
#define MANY_KEYS_OPS 1000

typedef struct {
  const EngineClass *klass;
  MapEngine         *map;
  EngineThread       thread;
  guint              n_failed; /* operations without memory */
  guint              n_keys;   /* that are drawn from */
} Fixture;

/* What a test is given. */
typedef struct {
  const EngineClass *klass;
  HashKind           hash;
  uint32_t           shards;
} Case;

#define CALL(fixture, operation, ...)                                         \
  ((fixture)->klass->operation ((fixture)->map, &(fixture)->thread            \
                                __VA_OPT__ (, ) __VA_ARGS__))

static void
broken_cb (const char *text,
           void       *data) {
  g_error ("%s", text);
}

static MapEngine *
new_map (const Case *test) {
  EngineConfig config
      = { .hash.kind = test->hash, .seed = 7, .shards = test->shards };

  return engine_new (test->klass, &config);
}

static void
fixture_init (Fixture    *f,
              const Case *test) {
  *f = (Fixture){ .klass = test->klass, .n_keys = N_KEYS };
  f->map = new_map (test);
  g_assert_nonnull (f->map);
  g_assert_true (engine_enter_thread (f->map, &f->thread, 0));
}

static void
fixture_clear (Fixture *f) {
  engine_leave_thread (&f->thread);
  f->klass->check (f->map, broken_cb, NULL);
  engine_free (f->map);
}

/* Against a naive map ------------------------------------------------------ */

typedef struct {
  bool    is_there[N_KEYS];
  int64_t value[N_KEYS];
} Model;

static bool
take_off_cb (int64_t key,
             int64_t value,
             void   *data) {
  Model *rest = data;

  g_assert_true (key >= 0 && key < N_KEYS && rest->is_there[key]);
  g_assert_cmpint (rest->value[key], ==, value);
  rest->is_there[key] = false;
  return true;
}

static uint64_t
count_model (const Model *model) {
  uint64_t n = 0;

  for (int key = 0; key < N_KEYS; key++)
    n += model->is_there[key];
  return n;
}

static void
compare_contents (Fixture     *f,
                  const Model *model) {
  Model rest = *model;

  if (CALL (f, range, take_off_cb, &rest))
    g_assert_cmpuint (count_model (&rest), ==, 0);
  else
    g_assert_cmpint (f->thread.error, ==, ENGINE_ERROR_NO_MEMORY);
}

/* The operations whose key is given; what they answer is what @model says. */
static void
do_to_key (Fixture *f,
           Model   *model,
           Prng    *prng,
           int64_t  key) {
  int64_t value = (int64_t)prng_below (prng, 4) - 2;
  int64_t old = (int64_t)prng_below (prng, 4) - 2;
  bool was_there = model->is_there[key];
  int64_t was = model->value[key];
  bool has_old = was_there && was == old;
  int64_t found = -99;
  bool is_ok;

  switch (prng_below (prng, 16)) {
  case 0 ... 4:
    is_ok = CALL (f, load, key, &found);
    g_assert_true (is_ok == was_there && (!is_ok || found == was));
    return;
  case 5 ... 7:
    is_ok = CALL (f, store, key, value);
    g_assert_true (is_ok == (f->thread.error == ENGINE_ERROR_NONE));
    model->is_there[key] = true;
    model->value[key] = value;
    return;
  case 8 ... 9:
    is_ok = CALL (f, load_or_store, key, value, &found);
    if (f->thread.error != ENGINE_ERROR_NONE)
      return;
    g_assert_cmpint (is_ok, ==, was_there);
    g_assert_cmpint (found, ==, was_there ? was : value);
    model->is_there[key] = true;
    model->value[key] = found;
    return;
  case 10 ... 11:
    is_ok = CALL (f, load_and_delete, key, &found);
    if (f->thread.error != ENGINE_ERROR_NONE)
      return;
    g_assert_true (is_ok == was_there && (!is_ok || found == was));
    model->is_there[key] = false;
    return;
  case 12:
    is_ok = CALL (f, delete_key, key);
    if (f->thread.error != ENGINE_ERROR_NONE)
      return;
    g_assert_cmpint (is_ok, ==, was_there);
    model->is_there[key] = false;
    return;
  case 13:
    is_ok = CALL (f, swap, key, value, &found);
    if (f->thread.error != ENGINE_ERROR_NONE)
      return;
    g_assert_true (is_ok == was_there && (!is_ok || found == was));
    model->is_there[key] = true;
    model->value[key] = value;
    return;
  case 14:
    is_ok = CALL (f, compare_and_swap, key, old, value);
    if (f->thread.error != ENGINE_ERROR_NONE)
      return;
    g_assert_cmpint (is_ok, ==, has_old);
    if (is_ok)
      model->value[key] = value;
    return;
  default:
    is_ok = CALL (f, compare_and_delete, key, old);
    if (f->thread.error != ENGINE_ERROR_NONE)
      return;
    g_assert_cmpint (is_ok, ==, has_old);
    model->is_there[key] = was_there && !is_ok;
    return;
  }
}

/* One random operation on both. Without memory it has done nothing. */
static void
step (Fixture *f,
      Model   *model,
      Prng    *prng,
      bool     may_fail) {
  Model before = *model;
  uint64_t choice = prng_below (prng, 512);

  if (choice < 500)
    do_to_key (f, model, prng, (int64_t)prng_below (prng, f->n_keys));
  else if (choice < 504 && CALL (f, clear))
    memset (model, 0, sizeof *model);
  else if (choice >= 508)
    g_assert_cmpuint (CALL (f, len), ==, count_model (model));
  else if (choice >= 504)
    compare_contents (f, model);

  if (f->thread.error != ENGINE_ERROR_NONE) {
    g_assert_true (may_fail);
    g_assert_cmpint (f->thread.error, ==, ENGINE_ERROR_NO_MEMORY);
    f->thread.error = ENGINE_ERROR_NONE;
    f->n_failed++;
    *model = before;
  }
  f->klass->check (f->map, broken_cb, NULL);
}

static guint64
n_random_ops (void) {
  const char *wanted = g_getenv ("TOPHASH_RANDOM_OPS");

  return wanted != NULL ? g_ascii_strtoull (wanted, NULL, 10) : N_RANDOM;
}

static void
test_matches_a_naive_map (gconstpointer data) {
  const Case *test = data;
  Model model = { 0 };
  Prng prng = { 101 };
  guint64 n = n_random_ops ();
  Fixture f;

  fixture_init (&f, test);
  for (guint64 i = 0; i < n; i++) {
    if (i % ROUND_OPS == MANY_KEYS_OPS) {
      compare_contents (&f, &model);
      g_assert_true (CALL (&f, clear));
      memset (&model, 0, sizeof model);
    }
    f.n_keys = i % ROUND_OPS < MANY_KEYS_OPS ? N_KEYS : N_FEW_KEYS;
    step (&f, &model, &prng, false);
  }
  compare_contents (&f, &model);
  fixture_clear (&f);
}

/* Memory ------------------------------------------------------------------- */

static void
test_is_made_or_not (gconstpointer data) {
  const Case *test = data;
  size_t held = alloc_bytes_held ();

  for (int64_t n = 0;; n++) {
    MapEngine *map;

    alloc_fail_after (n);
    map = new_map (test);
    alloc_fail_after (-1);
    engine_free (map);
    g_assert_cmpuint (alloc_bytes_held (), ==, held);
    if (map != NULL)
      return;
  }
}

/* A fixed story; the n-th allocation fails, until there is no n-th. */
static void
test_stands_every_failure (gconstpointer data) {
  const Case *test = data;
  size_t held = alloc_bytes_held ();
  bool has_failed = true;

  for (int64_t n = 0; has_failed; n++) {
    Model model = { 0 };
    Prng prng = { 23 };
    Fixture f;

    fixture_init (&f, test);
    alloc_fail_after (n);
    f.n_failed = 0;
    for (int i = 0; i < 400; i++)
      step (&f, &model, &prng, true);
    alloc_fail_after (-1);
    has_failed = f.n_failed > 0;
    compare_contents (&f, &model);
    fixture_clear (&f);
    g_assert_cmpuint (alloc_bytes_held (), ==, held);
  }
}

static void
test_stays_whole_without_memory (gconstpointer data) {
  const Case *test = data;
  size_t held = alloc_bytes_held ();
  Prng prng = { 5 };

  for (int list = 0; list < 40; list++) {
    Model model = { 0 };
    Fixture f;

    fixture_init (&f, test);
    for (int i = 0; i < 300; i++) {
      alloc_fail_after ((int64_t)prng_below (&prng, 4));
      step (&f, &model, &prng, true);
      alloc_fail_after (-1);
    }
    compare_contents (&f, &model);
    fixture_clear (&f);
    g_assert_cmpuint (alloc_bytes_held (), ==, held);
  }
}

/* Threads ------------------------------------------------------------------ */

#define N_WORKERS 4
#define N_OPERATIONS 6000
#define PER_KEY 100000

typedef struct {
  MapEngine         *map;
  pthread_barrier_t *start;
  uint16_t           index;
  int64_t            added[N_KEYS]; /* by this thread, less what it took out */
} Worker;

static bool
of_its_key_cb (int64_t key,
               int64_t value,
               void   *data) {
  uint64_t *seen = data;

  g_assert_false (*seen & (uint64_t)1 << key);
  *seen |= (uint64_t)1 << key;
  g_assert_cmpint (value / PER_KEY, ==, key);
  return true;
}

/* Adds 1 as lock-free code would: compare-and-swap until it holds. */
static void
add_one (Worker       *worker,
         EngineThread *thread,
         int64_t       key) {
  const EngineClass *klass = worker->map->klass;
  int64_t old;

  do {
    if (!klass->load_or_store (worker->map, thread, key, key * PER_KEY + 1,
                               &old))
      break;
  } while (!klass->compare_and_swap (worker->map, thread, key, old, old + 1));
  worker->added[key]++;
}

static void *
work (void *data) {
  Worker *worker = data;
  MapEngine *map = worker->map;
  const EngineClass *klass = map->klass;
  EngineThread thread;
  Prng prng;

  prng_init (&prng, worker->index + 100u);
  g_assert_true (engine_enter_thread (map, &thread, worker->index));
  pthread_barrier_wait (worker->start);
  for (unsigned i = 0; i < N_OPERATIONS; i++) {
    int64_t key = (int64_t)prng_below (&prng, N_KEYS);
    uint64_t choice = prng_below (&prng, 100), seen = 0;
    int64_t value;

    if (choice < 50) {
      add_one (worker, &thread, key);
    } else if (choice < 70) {
      if (klass->load_and_delete (map, &thread, key, &value))
        worker->added[key] -= value - key * PER_KEY;
    } else if (choice < 98) {
      if (klass->load (map, &thread, key, &value))
        g_assert_cmpint (value / PER_KEY, ==, key);
    } else if (choice < 99) {
      g_assert_cmpuint (klass->len (map, &thread), <=, N_KEYS);
    } else {
      g_assert_true (klass->range (map, &thread, of_its_key_cb, &seen));
    }
  }
  g_assert_cmpint (thread.error, ==, ENGINE_ERROR_NONE);
  engine_leave_thread (&thread);
  return NULL;
}

static void
test_threads_add_up (gconstpointer data) {
  const Case *test = data;
  g_autofree Worker *workers = g_new0 (Worker, N_WORKERS);
  pthread_t threads[N_WORKERS];
  pthread_barrier_t start;
  Fixture f;

  fixture_init (&f, test);
  pthread_barrier_init (&start, NULL, N_WORKERS);
  for (unsigned i = 0; i < N_WORKERS; i++) {
    workers[i].map = f.map;
    workers[i].start = &start;
    workers[i].index = (uint16_t)(i + 1);
    g_assert_cmpint (pthread_create (&threads[i], NULL, work, &workers[i]), ==,
                     0);
  }
  for (unsigned i = 0; i < N_WORKERS; i++)
    pthread_join (threads[i], NULL);
  for (int64_t key = 0; key < N_KEYS; key++) {
    int64_t wanted = 0, found = key * PER_KEY;

    for (unsigned i = 0; i < N_WORKERS; i++)
      wanted += workers[i].added[key];
    CALL (&f, load, key, &found);
    g_assert_cmpint (found - key * PER_KEY, ==, wanted);
  }
  pthread_barrier_destroy (&start);
  fixture_clear (&f);
}

/* Stats and hooks ---------------------------------------------------------- */

typedef struct {
  guint n_grown;
  guint n_same_size;
  guint n_evacuated;
  guint n_promoted;
  guint n_copied;
  guint n_expunged;
} Hooked;

static void
grow_cb (void    *data,
         unsigned table_id,
         unsigned B,
         bool     is_same_size) {
  Hooked *hooked = data;

  g_assert_cmpuint (B, <=, 20);
  if (is_same_size)
    hooked->n_same_size++;
  else
    hooked->n_grown++;
}

static void
evacuate_cb (void    *data,
             unsigned table_id,
             uint64_t old_bucket,
             unsigned n_buckets) {
  g_assert_cmpuint (n_buckets, >, 0);
  ((Hooked *)data)->n_evacuated++;
}

static void
promote_cb (void    *data,
            unsigned table_id,
            uint64_t n_keys,
            uint64_t n_misses,
            uint64_t cost_ns) {
  ((Hooked *)data)->n_promoted++;
}

static void
copy_cb (void    *data,
         unsigned table_id,
         uint64_t n_copied,
         uint64_t n_expunged,
         uint64_t cost_ns) {
  ((Hooked *)data)->n_copied += (guint)n_copied;
  ((Hooked *)data)->n_expunged += (guint)n_expunged;
}

/* What hooks are told is what is counted; every operation is counted once. */
static void
test_counts_and_hooks_agree (gconstpointer data) {
  const Case *test = data;
  const EngineClass *klass = test->klass;
  Hooked hooked = { 0 };
  EngineHooks hooks = { grow_cb, evacuate_cb, promote_cb, copy_cb, &hooked };
  EngineConfig config = { .seed = 2, .shards = 5, .hooks = &hooks };
  MapEngine *map = engine_new (klass, &config);
  EngineThread first, second;
  EngineStats stats;
  int64_t value;

  g_assert_true (engine_enter_thread (map, &first, 0));
  g_assert_true (engine_enter_thread (map, &second, 1));
  for (int64_t key = 0; key < 2000; key++)
    klass->store (map, &first, key, key);
  for (int64_t key = 1000; key < 4000; key++)
    klass->load (map, &second, key, &value);
  engine_get_stats (map, &stats);
  g_assert_cmpuint (stats.n_ops[OP_LOAD], ==, 3000);
  engine_leave_thread (&second);
  for (int64_t key = 0; key < 500; key++)
    klass->delete_key (map, &first, key);
  klass->store (map, &first, 5000, 1);
  engine_get_stats (map, &stats);
  g_assert_cmpuint (stats.n_ops[OP_STORE], ==, 2001);
  g_assert_cmpuint (stats.n_ops[OP_LOAD], ==, 3000);
  g_assert_cmpuint (stats.n_ok[OP_LOAD], ==, 1000);
  g_assert_cmpuint (stats.n_ops[OP_DELETE], ==, 500);
  g_assert_cmpuint (stats.n_ok[OP_DELETE], ==, 500);
  g_assert_cmpuint (stats.n_growths, ==, hooked.n_grown);
  g_assert_cmpuint (stats.n_same_size_growths, ==, hooked.n_same_size);
  g_assert_cmpuint (stats.n_evacuated, ==, hooked.n_evacuated);
  g_assert_cmpuint (stats.n_promotions, ==, hooked.n_promoted);
  g_assert_cmpuint (stats.n_copied_entries, ==, hooked.n_copied);
  g_assert_cmpuint (stats.n_expunged, ==, hooked.n_expunged);
  g_assert_cmpuint (hooked.n_grown, >, 0);
  if (klass->has_read_and_dirty)
    g_assert_cmpuint (hooked.n_promoted, >, 0);
  engine_leave_thread (&first);
  engine_free (map);
}

/* Ranges told and not told ------------------------------------------------- */

typedef struct {
  guint64 n_began, n_walked, n_ended; /* events */
  guint64 n_seen, n_visited;          /* keys, by each bucket and in all */
  guint   n_unnamed;                  /* of the events, with ver 0 */
} RangeTold;

static RangeTold
take_told (Probe *probe) {
  RangeTold told = { 0 };
  const RingUnit *first;
  size_t n_second, n;

  probe_flush (probe);
  n = ring_peek (&probe->ring, &first, &n_second);
  g_assert_cmpuint (n_second, ==, 0);
  for (size_t i = 0; i < n; i++) {
    RingEvent event = first[i].event;
    unsigned kind = event.kind & ~EVENT_HAS_PAYLOAD;

    i += (event.kind & EVENT_HAS_PAYLOAD) != 0;
    told.n_began += kind == EVENT_RANGE_BEGAN;
    told.n_walked += kind == EVENT_RANGE_WALKED;
    told.n_ended += kind == EVENT_RANGE_ENDED;
    if (kind == EVENT_RANGE_WALKED)
      told.n_seen += (guint)__builtin_popcount (event.aux8);
    if (kind == EVENT_RANGE_ENDED)
      told.n_visited += event.res;
    told.n_unnamed += event.ver == 0
                      && (kind == EVENT_RANGE_BEGAN || kind == EVENT_RANGE_WALKED
                          || kind == EVENT_RANGE_ENDED);
  }
  ring_take (&probe->ring, n);
  return told;
}

static bool
count_cb (int64_t  key,
          int64_t  value,
          void    *data) {
  (void)key;
  (void)value;
  return ++*(guint *)data != 500;
}

/* A Range that is no span tells its two ends alone; one that is, or any where
 * iterations are told in full, names itself and tells each bucket. The keys are
 * the same. */
static void
test_ranges_tell_when_asked (gconstpointer data) {
  Fixture f;
  Probe probe;

  fixture_init (&f, data);
  for (int64_t key = 0; key < 400; key++)
    CALL (&f, store, key, key);
  g_assert_true (probe_init (&probe, 1 << 14));
  probe_current = &probe;
  for (guint i = 0; i < 4; i++) {
    guint n = 0;
    RangeTold told;

    probe_set_span_period (&probe, i == 1);
    probe.is_fine = i == 2;
    probe.tells_yields = i == 3;
    g_assert_true (CALL (&f, range, count_cb, &n));
    told = take_told (&probe);
    g_assert_cmpuint (n, ==, 400);
    g_assert_cmpuint (told.n_visited, ==, 400);
    g_assert_cmpuint (told.n_began, >, 0);
    g_assert_cmpuint (told.n_began, ==, told.n_ended);
    g_assert_cmpuint (told.n_seen, ==, i == 0 ? 0 : 400);
    g_assert_cmpuint (told.n_walked > 0, ==, i != 0);
    g_assert_cmpuint (told.n_unnamed, ==, i == 0 ? 2 * told.n_began : 0);
  }
  probe_current = NULL;
  probe_clear (&probe);
  fixture_clear (&f);
}

/* Suite -------------------------------------------------------------------- */

static void
add (const Case   *test,
     const char   *what,
     GTestDataFunc function) {
  g_autofree char *path
      = g_strdup_printf ("/core/engines/%s/%s/%s", test->klass->name, what,
                         hash_kind_name (test->hash));

  g_test_add_data_func_full (path, g_memdup2 (test, sizeof *test), function,
                             g_free);
}

int
main (int    argc,
      char **argv) {
  static const HashKind hashes[] = { HASH_GOOD, HASH_ALL_EQUAL, HASH_TOP_BITS };

  g_test_init (&argc, &argv, NULL);
  for (const EngineClass *const *klass = engine_classes (); *klass != NULL;
       klass++) {
    for (gsize i = 0; i < G_N_ELEMENTS (hashes); i++) {
      Case test = { *klass, hashes[i], 5 };

      add (&test, "matches-a-naive-map", test_matches_a_naive_map);
      add (&test, "stands-every-failure", test_stands_every_failure);
    }
    Case test = { *klass, HASH_GOOD, 0 };

    add (&test, "is-made-or-not", test_is_made_or_not);
    add (&test, "stays-whole-without-memory", test_stays_whole_without_memory);
    add (&test, "counts-and-hooks-agree", test_counts_and_hooks_agree);
    add (&test, "ranges-tell-when-asked", test_ranges_tell_when_asked);
    test.shards = 5;
    if ((*klass)->is_thread_safe)
      add (&test, "threads-add-up", test_threads_add_up);
  }
  return g_test_run ();
}
