/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-syncmap-stress.c — syncmap with several threads inside
 *
 * What must hold however the threads meet: a key's value is one that was stored
 * under this key, Range gives no key twice and misses none that stays, the
 * invariants hold when all have left, no memory is left behind, and the events
 * carry every version of the lock's domain and of each entry exactly once. Run
 * under the thread and address sanitizers it also looks for races and for tables
 * or entries that are freed under a reader.
 */

#include "core/base/alloc.h"
#include "core/engine/syncmap-private.h"
#include "core/probe/probe.h"

#include <glib.h>

#define N_WORKERS 4
#define N_KEYS 16
#define N_OPERATIONS 20000
#define RING_UNITS 4096
#define PER_KEY 1000 /* a value of key k lies in [k * PER_KEY, … + PER_KEY) */

static void
broken_cb (const char *text,
           void       *data) {
  g_error ("%s", text);
}

static MapEngine *
new_map (void) {
  EngineConfig config = { .hash.kind = HASH_GOOD, .seed = 11 };
  MapEngine *map = engine_new (engine_class_find ("syncmap"), &config);

  g_assert_nonnull (map);
  return map;
}

/* All that a thread does is recorded in its ring. */
typedef struct {
  MapEngine         *map;
  Probe             *probe; /* NULL: not recorded */
  pthread_barrier_t *start;
  pthread_barrier_t *end; /* the parked reader's */
  uint16_t           index;
  guint              n_operations;
} Worker;

/* Any mixture of operations ------------------------------------------------ */

static void
expect_of_key (int64_t key,
               int64_t value) {
  g_assert_cmpint (value / PER_KEY, ==, key);
}

typedef struct {
  guint32       seen; /* a bit a key */
  EngineThread *thread;
  Prng         *prng;
} Walk;

static bool
walk_cb (int64_t key,
         int64_t value,
         void   *data) {
  Walk *walk = data;
  guint32 bit = 1u << key;

  g_assert_false (walk->seen & bit);
  walk->seen |= bit;
  expect_of_key (key, value);
  if (prng_below (walk->prng, 8) == 0)
    walk->thread->map->klass->delete_key (walk->thread->map, walk->thread, key);
  return prng_below (walk->prng, 32) != 0;
}

static void
do_something (EngineThread *thread,
              Prng         *prng) {
  MapEngine *map = thread->map;
  const EngineClass *klass = map->klass;
  int64_t key = (int64_t)prng_below (prng, N_KEYS);
  int64_t value = key * PER_KEY + (int64_t)prng_below (prng, 3);
  int64_t old = key * PER_KEY + (int64_t)prng_below (prng, 3);
  int64_t found = value;

  switch (prng_below (prng, 64)) {
  case 0 ... 15:
    klass->load (map, thread, key, &found);
    break;
  case 16 ... 25:
    klass->store (map, thread, key, value);
    break;
  case 26 ... 33:
    klass->load_or_store (map, thread, key, value, &found);
    break;
  case 34 ... 40:
    klass->load_and_delete (map, thread, key, &found);
    break;
  case 41 ... 46:
    klass->delete_key (map, thread, key);
    break;
  case 47 ... 51:
    klass->swap (map, thread, key, value, &found);
    break;
  case 52 ... 55:
    klass->compare_and_swap (map, thread, key, old, value);
    break;
  case 56 ... 59:
    klass->compare_and_delete (map, thread, key, old);
    break;
  case 60:
    g_assert_cmpuint (klass->len (map, thread), <=, N_KEYS);
    break;
  case 61:
    if (prng_below (prng, 4) == 0)
      klass->clear (map, thread);
    break;
  default: {
    Walk walk = { 0, thread, prng };

    klass->range (map, thread, walk_cb, &walk);
    break;
  }
  }
  expect_of_key (key, found);
  g_assert_cmpint (thread->error, ==, ENGINE_ERROR_NONE);
}

static void *
work (void *data) {
  Worker *worker = data;
  EngineThread thread;
  Prng prng = { prng_split (3, worker->index) };

  probe_current = worker->probe;
  g_assert_true (engine_enter_thread (worker->map, &thread, worker->index));
  pthread_barrier_wait (worker->start);
  for (guint i = 0; i < worker->n_operations; i++)
    do_something (&thread, &prng);
  probe_flush (probe_current);
  engine_leave_thread (&thread);
  probe_flush (probe_current);
  probe_current = NULL;
  return NULL;
}

/* A reader that stops in the middle of its walk --------------------------- */

static bool
park_cb (int64_t key,
         int64_t value,
         void   *data) {
  Worker *worker = data;

  probe_flush (probe_current);
  if (worker->start != NULL)
    pthread_barrier_wait (worker->start);
  if (worker->end != NULL)
    pthread_barrier_wait (worker->end);
  worker->start = worker->end = NULL;
  expect_of_key (key, value);
  return true;
}

static void *
park (void *data) {
  Worker *worker = data;
  EngineThread thread;

  probe_current = worker->probe;
  g_assert_true (engine_enter_thread (worker->map, &thread, worker->index));
  for (int64_t key = 0; key < N_KEYS; key++)
    worker->map->klass->store (worker->map, &thread, key, key * PER_KEY);
  worker->map->klass->range (worker->map, &thread, park_cb, worker);
  engine_leave_thread (&thread);
  probe_flush (probe_current);
  probe_current = NULL;
  return NULL;
}

/* The events --------------------------------------------------------------- */

#define N_PROBES (N_WORKERS + 2)

typedef struct {
  Probe       probes[N_PROBES];
  GArray     *domain;  /* versions told, as they came */
  GHashTable *entries; /* entry id to a GArray of versions */
  _Atomic (bool) is_over;
} Collector;

static void
collect_event (Collector       *collector,
               const RingEvent *event) {
  EventKind kind = (EventKind)(event->kind & ~EVENT_HAS_PAYLOAD);

  if (kind == EVENT_TIME)
    return;
  if (event_kind_gate (kind) == GATE_DOMAIN) {
    g_array_append_val (collector->domain, event->ver);
  } else if (event_kind_gate (kind) == GATE_ENTRY) {
    gpointer id = GUINT_TO_POINTER (event->res);
    GArray *versions = g_hash_table_lookup (collector->entries, id);
    guint32 version;

    if (versions == NULL) {
      versions = g_array_new (FALSE, FALSE, sizeof (guint32));
      g_hash_table_insert (collector->entries, id, versions);
    }
    version = event->ver & ENTRY_VERSION_MASK;
    g_array_append_val (versions, version);
  }
}

static size_t
drain (Collector *collector,
       Ring      *ring) {
  const RingUnit *first;
  size_t n_second;
  size_t n_first = ring_peek (ring, &first, &n_second);
  size_t n = n_first + n_second;

  for (size_t i = 0; i < n; i++) {
    const RingEvent *event
        = i < n_first ? &first[i].event : &ring->units[i - n_first].event;

    collect_event (collector, event);
    if (event->kind & EVENT_HAS_PAYLOAD)
      i++;
  }
  ring_take (ring, n);
  return n;
}

static void *
collect (void *data) {
  Collector *collector = data;
  bool is_over;
  size_t n;

  do {
    n = 0;
    /* Before the last look: what was published earlier is then seen. */
    is_over = atomic_load (&collector->is_over);
    for (int i = 0; i < N_PROBES; i++)
      n += drain (collector, &collector->probes[i].ring);
    if (n == 0)
      sched_yield ();
  } while (n > 0 || !is_over);
  return NULL;
}

static int
compare_versions_cb (gconstpointer a,
                     gconstpointer b) {
  guint32 one = *(const guint32 *)a, other = *(const guint32 *)b;

  return (one > other) - (one < other);
}

/* 1, 2, 3 … without a gap. */
static void
expect_whole (GArray *versions) {
  g_array_sort (versions, compare_versions_cb);
  for (guint i = 0; i < versions->len; i++)
    g_assert_cmpuint (g_array_index (versions, guint32, i), ==, i + 1);
}

static void
collector_init (Collector *collector) {
  collector->domain = g_array_new (FALSE, FALSE, sizeof (guint32));
  collector->entries = g_hash_table_new_full (
      NULL, NULL, NULL, (GDestroyNotify)g_array_unref);
  for (int i = 0; i < N_PROBES; i++)
    g_assert_true (probe_init (&collector->probes[i], RING_UNITS));
  atomic_store (&collector->is_over, false);
}

static void
collector_clear (Collector *collector) {
  GHashTableIter iter;
  gpointer versions;

  expect_whole (collector->domain);
  g_assert_cmpuint (collector->domain->len, >, N_OPERATIONS);
  g_hash_table_iter_init (&iter, collector->entries);
  while (g_hash_table_iter_next (&iter, NULL, &versions))
    expect_whole (versions);
  g_array_unref (collector->domain);
  g_hash_table_unref (collector->entries);
  for (int i = 0; i < N_PROBES; i++)
    probe_clear (&collector->probes[i]);
}

/* Tests -------------------------------------------------------------------- */

/* With @is_parked a reader keeps all that is retired from being freed until the
 * workers are done; without, it is freed and used again while they work. */
static void
run_workers (MapEngine *map,
             Collector *collector,
             gboolean   is_parked) {
  pthread_t threads[N_WORKERS], reader;
  Worker workers[N_WORKERS + 1];
  pthread_barrier_t start, end;

  pthread_barrier_init (&start, NULL, N_WORKERS + is_parked);
  pthread_barrier_init (&end, NULL, 2);
  for (int i = 0; i <= N_WORKERS; i++)
    workers[i] = (Worker){
      .map = map,
      .probe = collector != NULL ? &collector->probes[i] : NULL,
      .start = &start,
      .end = i == N_WORKERS ? &end : NULL,
      .index = (uint16_t)i,
      .n_operations = N_OPERATIONS,
    };
  if (is_parked)
    pthread_create (&reader, NULL, park, &workers[N_WORKERS]);
  for (int i = 0; i < N_WORKERS; i++)
    pthread_create (&threads[i], NULL, work, &workers[i]);
  for (int i = 0; i < N_WORKERS; i++)
    pthread_join (threads[i], NULL);
  /* The reader is still in the middle of its first table. */
  map->klass->check (map, broken_cb, NULL);
  if (is_parked) {
    pthread_barrier_wait (&end);
    pthread_join (reader, NULL);
    map->klass->check (map, broken_cb, NULL);
  }
  pthread_barrier_destroy (&start);
  pthread_barrier_destroy (&end);
}

static void
test_stays_whole (gconstpointer is_parked) {
  size_t held = alloc_bytes_held ();
  MapEngine *map = new_map ();

  run_workers (map, NULL, GPOINTER_TO_INT (is_parked));
  engine_free (map);
  g_assert_cmpuint (alloc_bytes_held (), ==, held);
}

static void
test_tells_every_version_once (gconstpointer is_parked) {
  static Collector collector;
  pthread_t thread;
  MapEngine *map;

  collector_init (&collector);
  pthread_create (&thread, NULL, collect, &collector);
  probe_current = &collector.probes[N_PROBES - 1];
  map = new_map ();
  probe_flush (probe_current);
  probe_current = NULL;
  run_workers (map, &collector, GPOINTER_TO_INT (is_parked));
  atomic_store (&collector.is_over, true);
  pthread_join (thread, NULL);
  collector_clear (&collector);
  engine_free (map);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/core/syncmap/stress/stays-whole",
                        GINT_TO_POINTER (FALSE), test_stays_whole);
  g_test_add_data_func (
      "/core/syncmap/stress/stays-whole/beside-a-parked-reader",
      GINT_TO_POINTER (TRUE), test_stays_whole);
  g_test_add_data_func ("/core/syncmap/stress/tells-every-version-once",
                        GINT_TO_POINTER (FALSE), test_tells_every_version_once);
  g_test_add_data_func (
      "/core/syncmap/stress/tells-every-version-once/beside-a-parked-reader",
      GINT_TO_POINTER (TRUE), test_tells_every_version_once);
  return g_test_run ();
}
