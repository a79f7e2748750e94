/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-mutexmap.c — the engines that are one bucket table
 *
 * `gomap` and `mutexmap` share their operations: one thread checks what each
 * operation answers, in both; then threads hammer `mutexmap` and every key's
 * story must add up.
 */

#include "core/base/alloc.h"
#include "core/engine/engine.h"
#include "core/probe/dump.h"
#include "core/probe/probe.h"

#include <glib.h>

#define N_THREADS 4
#define N_KEYS 64
#define N_OPERATIONS 6000

static const EngineConfig test_config = { .hash = { .kind = HASH_GOOD }, .seed = 5 };

static void
report_cb (const char *text,
           void       *data) {
  (void)data;
  g_test_message ("%s", text);
}

static bool
sum_cb (int64_t key,
        int64_t value,
        void   *data) {
  *(int64_t *)data += key * 1000 + value;
  return true;
}

static bool
stop_cb (int64_t key,
         int64_t value,
         void   *data) {
  (void)key, (void)value;
  ++*(int *)data;
  return false;
}

static void
test_operations_answer (gconstpointer name) {
  const EngineClass *klass = engine_class_find (name);
  MapEngine *map = engine_new (klass, &test_config);
  EngineThread thread;
  int64_t value = 0;
  int64_t sum = 0;
  int n_calls = 0;

  g_assert_nonnull (map);
  g_assert_true (engine_enter_thread (map, &thread, 0));
  g_assert_false (klass->load (map, &thread, 1, &value));
  g_assert_true (klass->store (map, &thread, 1, 10));
  g_assert_true (klass->load (map, &thread, 1, &value));
  g_assert_cmpint (value, ==, 10);
  g_assert_true (klass->load_or_store (map, &thread, 1, 11, &value));
  g_assert_cmpint (value, ==, 10);
  g_assert_false (klass->load_or_store (map, &thread, 2, 20, &value));
  g_assert_cmpint (value, ==, 20);
  g_assert_true (klass->swap (map, &thread, 2, 21, &value));
  g_assert_cmpint (value, ==, 20);
  g_assert_false (klass->swap (map, &thread, 3, -30, &value));
  g_assert_false (klass->compare_and_swap (map, &thread, 1, 9, 12));
  g_assert_true (klass->compare_and_swap (map, &thread, 1, 10, 12));
  g_assert_false (klass->compare_and_swap (map, &thread, 4, 0, 1));
  g_assert_cmpuint (klass->len (map, &thread), ==, 3);
  g_assert_true (klass->range (map, &thread, sum_cb, &sum));
  g_assert_cmpint (sum, ==, 6000 + 12 + 21 - 30);
  g_assert_false (klass->range (map, &thread, stop_cb, &n_calls));
  g_assert_cmpint (n_calls, ==, 1);
  g_assert_false (klass->compare_and_delete (map, &thread, 1, 10));
  g_assert_true (klass->compare_and_delete (map, &thread, 1, 12));
  g_assert_true (klass->load_and_delete (map, &thread, 2, &value));
  g_assert_cmpint (value, ==, 21);
  g_assert_false (klass->delete_key (map, &thread, 2));
  g_assert_true (klass->delete_key (map, &thread, 3));
  g_assert_true (klass->store (map, &thread, 5, ENGINE_VALUE_MIN));
  g_assert_true (klass->clear (map, &thread));
  g_assert_cmpuint (klass->len (map, &thread), ==, 0);
  g_assert_cmpuint (klass->check (map, report_cb, NULL), ==, 0);
  g_assert_cmpint (thread.error, ==, ENGINE_ERROR_NONE);
  engine_leave_thread (&thread);
  engine_free (map);
}

static void
test_no_memory_is_an_error (gconstpointer name) {
  const EngineClass *klass = engine_class_find (name);
  gsize held = alloc_bytes_held ();
  EngineThread thread;
  int64_t value = 0;

  alloc_fail_after (0);
  g_assert_null (engine_new (klass, &test_config));
  alloc_fail_after (-1);

  MapEngine *map = engine_new (klass, &test_config);

  g_assert_true (engine_enter_thread (map, &thread, 0));
  alloc_fail_after (0);
  g_assert_false (klass->store (map, &thread, 1, 1));
  g_assert_cmpint (thread.error, ==, ENGINE_ERROR_NO_MEMORY);
  g_assert_cmpstr (engine_error_text (&thread), ==, "out of memory");
  alloc_fail_after (-1);
  g_assert_false (klass->load (map, &thread, 1, &value));
  engine_leave_thread (&thread);
  engine_free (map);
  g_assert_cmpuint (alloc_bytes_held (), ==, held);
}

static void
test_dumps_its_memory (gconstpointer name) {
  const EngineClass *klass = engine_class_find (name);
  MapEngine *map = engine_new (klass, &test_config);
  EngineThread thread;
  DumpSink sink;

  g_assert_true (engine_enter_thread (map, &thread, 0));
  g_assert_true (klass->store (map, &thread, 7, -8));
  dump_init (&sink);
  klass->dump (map, &sink);
  g_assert_true (g_str_has_prefix (sink.text, "table table B=0 count=1 flags=0 "
                                              "noverflow=0 nevacuate=0 seed="));
  g_assert_nonnull (strstr (sink.text, "\nbuckets 1\nbucket 0 #0 "));
  g_assert_true (g_str_has_suffix (sink.text, "oldbuckets nil\n"));
  g_assert_false (sink.failed);
  dump_clear (&sink);
  engine_leave_thread (&thread);
  engine_free (map);
}

/* A hash function that reads the map while it is written. */
typedef struct {
  MapEngine   *map;
  EngineThread reader;
  gboolean     is_armed;
} Intruder;

static uint64_t
intrude (int64_t  key,
         uint64_t seed,
         void    *data) {
  Intruder *intruder = data;
  int64_t value;

  if (intruder->is_armed && key == 0) {
    intruder->is_armed = FALSE;
    intruder->map->klass->load (intruder->map, &intruder->reader, 3, &value);
  }
  return hash_good (key, seed);
}

static void
test_read_beside_write_is_misuse (void) {
  Intruder intruder = { 0 };
  EngineConfig config = { .hash = { HASH_FUNCTION, intrude, &intruder } };
  MapEngine *map = engine_new (engine_class_find ("gomap"), &config);
  EngineThread writer;

  intruder.map = map;
  g_assert_true (engine_enter_thread (map, &writer, 0));
  g_assert_true (engine_enter_thread (map, &intruder.reader, 1));
  for (int key = 0; key < 8; key++)
    g_assert_true (map->klass->store (map, &writer, key, key));
  intruder.is_armed = TRUE;
  g_assert_true (map->klass->store (map, &writer, 8, 8));
  g_assert_false (intruder.is_armed);
  g_assert_cmpint (writer.error, ==, ENGINE_ERROR_NONE);
  g_assert_cmpint (intruder.reader.error, ==, ENGINE_ERROR_MISUSE);
  g_assert_cmpstr (engine_error_text (&intruder.reader), ==,
                   "concurrent map read and map write");
  engine_leave_thread (&intruder.reader);
  engine_leave_thread (&writer);
  engine_free (map);
}

typedef struct {
  MapEngine         *map;
  pthread_barrier_t *barrier;
  uint16_t           index;
  Probe              probe;
  int64_t            added[N_KEYS]; /* by this thread, less what it took out */
} Worker;

/* Adds 1 to @key as lock-free code would: compare-and-swap until it holds. */
static void
add_one (Worker       *worker,
         EngineThread *thread,
         int64_t       key) {
  const EngineClass *klass = worker->map->klass;
  int64_t old;

  for (;;) {
    if (!klass->load_or_store (worker->map, thread, key, 1, &old))
      break;
    if (klass->compare_and_swap (worker->map, thread, key, old, old + 1))
      break;
  }
  worker->added[key]++;
}

static gpointer
work (gpointer data) {
  Worker *worker = data;
  const EngineClass *klass = worker->map->klass;
  EngineThread thread;
  Prng prng;
  int64_t value;

  prng_init (&prng, worker->index + 100u);
  probe_current = &worker->probe;
  g_assert_true (engine_enter_thread (worker->map, &thread, worker->index));
  pthread_barrier_wait (worker->barrier);
  for (unsigned i = 0; i < N_OPERATIONS; i++) {
    int64_t key = (int64_t)prng_below (&prng, N_KEYS);
    uint64_t choice = prng_below (&prng, 100);

    if (choice < 60) {
      add_one (worker, &thread, key);
    } else if (choice < 80) {
      if (klass->load_and_delete (worker->map, &thread, key, &value))
        worker->added[key] -= value;
    } else if (choice < 99) {
      klass->load (worker->map, &thread, key, &value);
    } else {
      value = 0;
      g_assert_true (klass->range (worker->map, &thread, sum_cb, &value));
    }
  }
  g_assert_cmpint (thread.error, ==, ENGINE_ERROR_NONE);
  engine_leave_thread (&thread);
  probe_flush (&worker->probe);
  probe_current = NULL;
  return NULL;
}

/* Marks in @told every domain version that @probe's thread told. */
static void
collect_versions (Probe  *probe,
                  guint8 *told,
                  guint   n_versions) {
  const RingUnit *first;
  size_t n_second;
  size_t n = ring_peek (&probe->ring, &first, &n_second);

  g_assert_cmpuint (n_second, ==, 0);
  for (size_t i = 0; i < n; i++) {
    RingEvent event = first[i].event;
    unsigned kind = event.kind & ~EVENT_HAS_PAYLOAD;

    i += (event.kind & EVENT_HAS_PAYLOAD) != 0;
    if (kind == EVENT_TIME || event_kind_gate ((EventKind)kind) != GATE_DOMAIN)
      continue;
    g_assert_cmpuint (event.ver, <, n_versions);
    g_assert_cmpuint (told[event.ver]++, ==, 0);
  }
}

static void
test_threads_add_up (void) {
  enum { N_VERSIONS = N_THREADS * N_OPERATIONS * 20 };
  MapEngine *map = engine_new (engine_class_find ("mutexmap"), &test_config);
  Worker *workers = g_new0 (Worker, N_THREADS);
  GThread *threads[N_THREADS];
  g_autofree guint8 *told = g_malloc0 (N_VERSIONS);
  pthread_barrier_t barrier;
  EngineThread thread;
  EngineStats stats;
  guint last;

  pthread_barrier_init (&barrier, NULL, N_THREADS);
  for (unsigned i = 0; i < N_THREADS; i++) {
    workers[i].map = map;
    workers[i].barrier = &barrier;
    workers[i].index = (uint16_t)i;
    g_assert_true (probe_init (&workers[i].probe, 1 << 19));
    threads[i] = g_thread_new ("worker", work, &workers[i]);
  }
  for (unsigned i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);

  g_assert_true (engine_enter_thread (map, &thread, EVENT_THREAD_MAIN));
  for (int64_t key = 0; key < N_KEYS; key++) {
    int64_t wanted = 0;
    int64_t found = 0;

    for (unsigned i = 0; i < N_THREADS; i++)
      wanted += workers[i].added[key];
    map->klass->load (map, &thread, key, &found);
    g_assert_cmpint (found, ==, wanted);
  }
  engine_leave_thread (&thread);
  g_assert_cmpuint (map->klass->check (map, report_cb, NULL), ==, 0);
  map->klass->get_stats (map, &stats);
  g_assert_cmpuint (stats.n_growths, >, 0);

  /* Creation was told by nobody: TABLE_CREATED and TABLE_NAMED are missing.
   * From there on the workers' versions leave no gap. */
  for (unsigned i = 0; i < N_THREADS; i++)
    collect_versions (&workers[i].probe, told, N_VERSIONS);
  for (last = 3; told[last] == 1; last++)
    ;
  for (guint i = last; i < N_VERSIONS; i++)
    g_assert_cmpuint (told[i], ==, 0);
  g_assert_cmpuint (last, >, N_THREADS * N_OPERATIONS * 2);

  for (unsigned i = 0; i < N_THREADS; i++)
    probe_clear (&workers[i].probe);
  pthread_barrier_destroy (&barrier);
  g_free (workers);
  engine_free (map);
}

static void
test_registry_finds (void) {
  const EngineClass *const *classes = engine_classes ();

  for (; *classes != NULL; classes++)
    g_assert_true (engine_class_find ((*classes)->name) == *classes);
  g_assert_null (engine_class_find ("no such map"));
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/engine/registry-finds", test_registry_finds);
  g_test_add_data_func ("/core/gomap/operations-answer", "gomap",
                        test_operations_answer);
  g_test_add_data_func ("/core/mutexmap/operations-answer", "mutexmap",
                        test_operations_answer);
  g_test_add_data_func ("/core/gomap/no-memory-is-an-error", "gomap",
                        test_no_memory_is_an_error);
  g_test_add_data_func ("/core/mutexmap/no-memory-is-an-error", "mutexmap",
                        test_no_memory_is_an_error);
  g_test_add_data_func ("/core/gomap/dumps-its-memory", "gomap",
                        test_dumps_its_memory);
  g_test_add_data_func ("/core/mutexmap/dumps-its-memory", "mutexmap",
                        test_dumps_its_memory);
  g_test_add_func ("/core/gomap/read-beside-write-is-misuse",
                   test_read_beside_write_is_misuse);
  g_test_add_func ("/core/mutexmap/threads-add-up", test_threads_add_up);
  return g_test_run ();
}
