/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-syncmap-lane.c — a lane is the map's class, only faster
 *
 * Twins       Two maps of one seed get the same operations, one through its class,
 *             the other through a lane that is opened and closed at random. All
 *             that can be told apart must be equal: what the operations return,
 *             the statistics, the memory as a dump, and every event but for its
 *             time, so that spans and counts come when they are due.
 * Threads     Several threads with lanes count up values by compare-and-swap, and
 *             no step is lost; what the probes tell adds up to the statistics.
 * Sections    A lane that stays open does not keep memory from being freed.
 */

#include "core/base/alloc.h"
#include "core/engine/syncmap-lane-inline.h"
#include "core/probe/probe.h"

#include <glib.h>
#include <string.h>

#define RING_UNITS (1u << 19)

static void
broken_cb (const char *text,
           void       *data) {
  g_error ("%s", text);
}

typedef struct {
  MapEngine   *map;
  EngineThread thread;
  Probe       *probe; /* NULL: not recorded */
  Probe        own;
} Twin;

static void
twin_init (Twin    *twin,
           HashKind hash,
           gint     span_period, /* < 0: not recorded */
           gboolean tells_brief) {
  EngineConfig config = { .hash.kind = hash, .seed = 7 };

  memset (twin, 0, sizeof *twin);
  if (span_period >= 0) {
    g_assert_true (probe_init (&twin->own, RING_UNITS));
    probe_set_span_period (&twin->own, (uint32_t)span_period);
    twin->own.tells_brief = tells_brief;
    twin->probe = &twin->own;
  }
  probe_current = twin->probe;
  twin->map = engine_new (engine_class_find ("syncmap"), &config);
  g_assert_nonnull (twin->map);
  g_assert_true (engine_enter_thread (twin->map, &twin->thread, 0));
}

static void
twin_clear (Twin *twin) {
  probe_current = NULL;
  g_assert_cmpuint (twin->map->klass->check (twin->map, broken_cb, NULL), ==, 0);
  engine_leave_thread (&twin->thread);
  engine_free (twin->map);
  if (twin->probe != NULL)
    probe_clear (twin->probe);
}

/* What one operation gave. */
typedef struct {
  bool        is_ok;
  int64_t     found;
  EngineError error;
} Given;

typedef struct {
  OpKind  op;
  int64_t key;
  int64_t value;
  int64_t old;
} Order;

/* Keys of a Range and their values, in their order. */
static bool
sum_cb (int64_t key,
        int64_t value,
        void   *data) {
  int64_t *sum = data;

  *sum = (int64_t)((uint64_t)*sum * 31 + (uint64_t)key * 7 + (uint64_t)value);
  return true;
}

static Given
do_by_class (Twin  *twin,
             Order  order) {
  MapEngine *map = twin->map;
  const EngineClass *klass = map->klass;
  EngineThread *thread = &twin->thread;
  Given given = { 0 };

  probe_current = twin->probe;
  switch (order.op) {
  case OP_LOAD:
    given.is_ok = klass->load (map, thread, order.key, &given.found);
    break;
  case OP_STORE:
    given.is_ok = klass->store (map, thread, order.key, order.value);
    break;
  case OP_LOAD_OR_STORE:
    given.is_ok = klass->load_or_store (map, thread, order.key, order.value,
                                        &given.found);
    break;
  case OP_LOAD_AND_DELETE:
    given.is_ok = klass->load_and_delete (map, thread, order.key, &given.found);
    break;
  case OP_DELETE:
    given.is_ok = klass->delete_key (map, thread, order.key);
    break;
  case OP_SWAP:
    given.is_ok = klass->swap (map, thread, order.key, order.value,
                               &given.found);
    break;
  case OP_COMPARE_AND_SWAP:
    given.is_ok = klass->compare_and_swap (map, thread, order.key, order.old,
                                           order.value);
    break;
  case OP_COMPARE_AND_DELETE:
    given.is_ok = klass->compare_and_delete (map, thread, order.key, order.old);
    break;
  case OP_RANGE:
    given.is_ok = klass->range (map, thread, sum_cb, &given.found);
    break;
  case OP_CLEAR:
    given.is_ok = klass->clear (map, thread);
    break;
  case OP_LEN:
  case OP_N_KINDS:
    g_assert_not_reached ();
  }
  given.error = thread->error;
  thread->error = ENGINE_ERROR_NONE;
  return given;
}

static Given
do_by_lane (SyncLane *lane,
            Order     order) {
  Given given = { 0 };

  switch (order.op) {
  case OP_LOAD:
    given.is_ok = syncmap_lane_load (lane, order.key, &given.found);
    break;
  case OP_STORE:
    given.is_ok = syncmap_lane_store (lane, order.key, order.value);
    break;
  case OP_LOAD_OR_STORE:
    given.is_ok = syncmap_lane_load_or_store (lane, order.key, order.value,
                                              &given.found);
    break;
  case OP_LOAD_AND_DELETE:
    given.is_ok = syncmap_lane_load_and_delete (lane, order.key, &given.found);
    break;
  case OP_DELETE:
    given.is_ok = syncmap_lane_delete (lane, order.key);
    break;
  case OP_SWAP:
    given.is_ok = syncmap_lane_swap (lane, order.key, order.value, &given.found);
    break;
  case OP_COMPARE_AND_SWAP:
    given.is_ok = syncmap_lane_compare_and_swap (lane, order.key, order.old,
                                                 order.value);
    break;
  case OP_COMPARE_AND_DELETE:
    given.is_ok = syncmap_lane_compare_and_delete (lane, order.key, order.old);
    break;
  case OP_RANGE:
    given.is_ok = syncmap_lane_range (lane, sum_cb, &given.found);
    break;
  case OP_CLEAR:
    given.is_ok = syncmap_lane_clear (lane);
    break;
  case OP_LEN:
  case OP_N_KINDS:
    g_assert_not_reached ();
  }
  given.error = lane->thread->error;
  lane->thread->error = ENGINE_ERROR_NONE;
  return given;
}

/* Twins --------------------------------------------------------------------- */

static gboolean
is_time (const RingUnit *unit) {
  return unit->event.kind == (EVENT_TIME | EVENT_HAS_PAYLOAD);
}

/* The next event of a run of units that does not tell the time; NULL: none. */
static const RingUnit *
next_event (const RingUnit **unit,
            const RingUnit  *end) {
  const RingUnit *event = *unit;

  while (event < end && is_time (event))
    event += 2;
  if (event >= end)
    return NULL;
  *unit = event + (event->event.kind & EVENT_HAS_PAYLOAD ? 2 : 1);
  return event;
}

static void
expect_same_events (Twin *a,
                    Twin *b) {
  const RingUnit *unit_a, *unit_b, *end_a, *end_b, *event_a, *event_b;
  size_t n_a, n_b, rest_a, rest_b;

  probe_flush (a->probe);
  probe_flush (b->probe);
  n_a = ring_peek (&a->probe->ring, &unit_a, &rest_a);
  n_b = ring_peek (&b->probe->ring, &unit_b, &rest_b);
  g_assert_cmpuint (rest_a, ==, 0);
  g_assert_cmpuint (rest_b, ==, 0);
  end_a = unit_a + n_a;
  end_b = unit_b + n_b;
  do {
    event_a = next_event (&unit_a, end_a);
    event_b = next_event (&unit_b, end_b);
    g_assert_cmpint (event_a == NULL, ==, event_b == NULL);
    if (event_a == NULL)
      break;
    g_assert_cmpuint (event_a->event.kind, ==, event_b->event.kind);
    g_assert_cmpuint (event_a->event.res, ==, event_b->event.res);
    g_assert_cmpuint (event_a->event.ver, ==, event_b->event.ver);
    g_assert_cmpuint (event_a->event.aux8, ==, event_b->event.aux8);
    g_assert_cmpuint (event_a->event.aux16, ==, event_b->event.aux16);
    if (event_a->event.kind & EVENT_HAS_PAYLOAD) {
      g_assert_cmphex (event_a[1].payload.a, ==, event_b[1].payload.a);
      g_assert_cmphex (event_a[1].payload.b, ==, event_b[1].payload.b);
    }
  } while (event_a != NULL);
}

static void
expect_same_stats (Twin *a,
                   Twin *b) {
  EngineStats stats_a, stats_b;

  memset (&stats_a, 0, sizeof stats_a);
  memset (&stats_b, 0, sizeof stats_b);
  engine_get_stats (a->map, &stats_a);
  engine_get_stats (b->map, &stats_b);
  g_assert_cmpmem (&stats_a, sizeof stats_a, &stats_b, sizeof stats_b);
}

static void
expect_same_memory (Twin *a,
                    Twin *b) {
  DumpSink sink_a, sink_b;

  dump_init (&sink_a);
  dump_init (&sink_b);
  a->map->klass->dump (a->map, &sink_a);
  b->map->klass->dump (b->map, &sink_b);
  g_assert_cmpstr (sink_a.text, ==, sink_b.text);
  dump_clear (&sink_a);
  dump_clear (&sink_b);
}

/* Stretches that a table survives, and others in which it changes all the time:
 * @newness is how many of a thousand orders may bring a key or clear the map. */
static Order
draw_order (Prng *prng,
            guint n_keys,
            guint newness) {
  static const OpKind plain[] = { OP_LOAD, OP_LOAD, OP_LOAD_AND_DELETE,
                                  OP_DELETE, OP_COMPARE_AND_SWAP,
                                  OP_COMPARE_AND_DELETE };
  static const OpKind any[] = { OP_STORE, OP_STORE, OP_LOAD_OR_STORE, OP_SWAP };
  Order order = { .key = (int64_t)prng_below (prng, n_keys),
                  .value = (int64_t)prng_below (prng, 4),
                  .old = (int64_t)prng_below (prng, 4) };
  guint kind = (guint)prng_below (prng, 1000);

  if (kind < newness / 16)
    order.op = prng_below (prng, 4) == 0 ? OP_CLEAR : OP_RANGE;
  else if (kind < newness)
    order.op = any[prng_below (prng, G_N_ELEMENTS (any))];
  else if (kind % 3 == 0) {
    order.op = any[prng_below (prng, G_N_ELEMENTS (any))];
    order.key = (int64_t)prng_below (prng, MAX (n_keys / 2, 1));
  } else
    order.op = plain[prng_below (prng, G_N_ELEMENTS (plain))];
  return order;
}

static void
run_twins (HashKind hash,
           gint     span_period,
           gboolean tells_brief,
           guint    n_orders,
           gboolean fails,
           guint64  seed) {
  static const guint newnesses[] = { 0, 2, 50, 400 };
  g_autofree Twin *by_class = g_new (Twin, 1);
  g_autofree Twin *by_lane = g_new (Twin, 1);
  SyncLane lane;
  Prng prng;
  guint n_keys, newness = 400;

  prng_init (&prng, seed);
  n_keys = 1 + (guint)prng_below (&prng, hash == HASH_GOOD ? 200 : 20);
  twin_init (by_class, hash, span_period, tells_brief);
  twin_init (by_lane, hash, span_period, tells_brief);
  syncmap_lane_open (&lane, by_lane->map, &by_lane->thread);
  for (guint i = 0; i < n_orders; i++) {
    Order order;
    Given a, b;
    gint64 countdown = -1;

    if (i % 512 == 0)
      newness = newnesses[prng_below (&prng, G_N_ELEMENTS (newnesses))];
    order = draw_order (&prng, n_keys, newness);
    if (fails && prng_below (&prng, 4) == 0)
      countdown = (gint64)prng_below (&prng, 3);
    alloc_fail_after (countdown);
    a = do_by_class (by_class, order);
    probe_current = by_lane->probe;
    alloc_fail_after (countdown);
    b = do_by_lane (&lane, order);
    alloc_fail_after (-1);
    g_assert_cmpint (a.is_ok, ==, b.is_ok);
    g_assert_cmpint (a.error, ==, b.error);
    if (a.error == ENGINE_ERROR_NONE)
      g_assert_cmpint (a.found, ==, b.found);
    if (prng_below (&prng, 700) != 0)
      continue;
    syncmap_lane_close (&lane);
    if (by_lane->probe != NULL && prng_below (&prng, 2) == 0) {
      probe_flush (by_class->probe);
      probe_flush (by_lane->probe);
    }
    expect_same_stats (by_class, by_lane);
    syncmap_lane_open (&lane, by_lane->map, &by_lane->thread);
  }
  syncmap_lane_close (&lane);
  expect_same_stats (by_class, by_lane);
  expect_same_memory (by_class, by_lane);
  if (by_lane->probe != NULL)
    expect_same_events (by_class, by_lane);
  twin_clear (by_class);
  twin_clear (by_lane);
}

static void
test_does_as_the_class (void) {
  static const HashKind hashes[] = { HASH_GOOD, HASH_GOOD, HASH_ALL_EQUAL,
                                     HASH_TOP_BITS };

  for (guint i = 0; i < 40; i++)
    run_twins (hashes[i % G_N_ELEMENTS (hashes)], -1, FALSE, 8000, FALSE,
               i);
}

static void
test_tells_as_the_class (void) {
  static const gint periods[] = { 0, 1, 2, 3, 7, 255, 256, 257, 300, 1024 };

  for (guint i = 0; i < 8 * G_N_ELEMENTS (periods); i++)
    run_twins (HASH_GOOD, periods[i % G_N_ELEMENTS (periods)], i % 2 == 0, 9000,
               FALSE, i / 2);
}

static void
test_fails_as_the_class (void) {
  for (guint i = 0; i < 20; i++)
    run_twins (HASH_GOOD, i % 2 == 0 ? -1 : 5, i % 4 == 3, 3000, TRUE, i);
}

/* Sections ------------------------------------------------------------------ */

/* Supersedes tables until batches of them have been sealed. */
static void
retire_some (Twin         *twin,
             EngineThread *other) {
  const EngineClass *klass = twin->map->klass;
  int64_t value;

  for (guint i = 0; i < 400; i++) {
    klass->store (twin->map, other, 1, 1);
    /* A miss, which promotes. */
    klass->load (twin->map, other, 1, &value);
    klass->clear (twin->map, other);
  }
  klass->store (twin->map, other, 1, 1);
}

static guint64
n_freed (Twin *twin) {
  ReclaimStats stats;

  reclaim_get_stats (twin->map->reclaim, &stats);
  return stats.n_freed;
}

static void
test_lets_memory_go (void) {
  g_autofree Twin *twin = g_new (Twin, 1);
  EngineThread other;
  SyncLane lane;
  int64_t value;
  guint64 n_before;

  twin_init (twin, HASH_GOOD, -1, FALSE);
  g_assert_true (engine_enter_thread (twin->map, &other, 1));
  syncmap_lane_open (&lane, twin->map, &twin->thread);
  /* While no turn comes, all that was retired since stays. */
  retire_some (twin, &other);
  g_assert_cmpuint (n_freed (twin), ==, 0);
  for (guint round = 0; round < 4; round++) {
    n_before = n_freed (twin);
    for (guint i = 0; i <= LANE_OPS; i++)
      syncmap_lane_load (&lane, 1, &value);
    /* Never closed; and yet what was retired before the turn can go. */
    retire_some (twin, &other);
    g_assert_cmpuint (n_freed (twin), >, n_before);
  }
  syncmap_lane_close (&lane);
  engine_leave_thread (&other);
  twin_clear (twin);
}

static bool
load_again_cb (int64_t key,
               int64_t value,
               void   *data) {
  int64_t found = -1;

  g_assert_true (syncmap_lane_load (data, key, &found));
  g_assert_cmpint (found, ==, value);
  return true;
}

static void
test_range_may_use_the_lane (void) {
  g_autofree Twin *twin = g_new (Twin, 1);
  EngineStats stats;
  SyncLane lane;

  twin_init (twin, HASH_GOOD, 3, FALSE);
  syncmap_lane_open (&lane, twin->map, &twin->thread);
  for (gint64 key = 0; key < 600; key++)
    g_assert_true (syncmap_lane_store (&lane, key, key));
  g_assert_true (syncmap_lane_range (&lane, load_again_cb, &lane));
  syncmap_lane_close (&lane);
  g_assert_false (reclaim_is_inside (twin->thread.reclaim));
  engine_get_stats (twin->map, &stats);
  g_assert_cmpuint (stats.n_ok[OP_LOAD], ==, 600);
  twin_clear (twin);
}

static void
test_serves_other_classes (void) {
  for (const EngineClass *const *klass = engine_classes (); *klass != NULL;
       klass++) {
    EngineConfig config = { .hash.kind = HASH_GOOD, .seed = 3 };
    MapEngine *map = engine_new (*klass, &config);
    EngineThread thread;
    SyncLane lane;
    int64_t value = 0;

    g_assert_true (engine_enter_thread (map, &thread, 0));
    syncmap_lane_open (&lane, map, &thread);
    for (gint64 key = 0; key < 1000; key++)
      g_assert_true (syncmap_lane_store (&lane, key, key));
    for (gint64 key = 0; key < 1000; key++) {
      g_assert_true (syncmap_lane_load (&lane, key, &value));
      g_assert_cmpint (value, ==, key);
    }
    syncmap_lane_close (&lane);
    engine_leave_thread (&thread);
    engine_free (map);
  }
}

/* Threads ------------------------------------------------------------------- */

#define N_WORKERS 4
#define N_COUNTERS 5
#define N_STEPS 4000

typedef struct {
  MapEngine         *map;
  Probe              probe;
  pthread_barrier_t *start;
  uint16_t           index;
  gint64             steps[N_COUNTERS];
} Worker;

/* Adds one to a counter, by load and compare-and-swap, as often as it takes. */
static void
step_counter (SyncLane *lane,
              Worker   *worker,
              int64_t   counter) {
  for (;;) {
    int64_t present = 0;

    syncmap_lane_load_or_store (lane, counter, 0, &present);
    if (syncmap_lane_compare_and_swap (lane, counter, present, present + 1))
      break;
  }
  worker->steps[counter]++;
}

/* New keys and deleted ones keep tables and entries coming and going. */
static void
stir (SyncLane *lane,
      Worker   *worker,
      guint     i) {
  int64_t key = 100 + worker->index * 64 + i % 64, value = -1;

  if (i % 128 < 64)
    syncmap_lane_store (lane, key, key);
  else if (syncmap_lane_load_and_delete (lane, key, &value))
    g_assert_cmpint (value, ==, key);
  if (syncmap_lane_load (lane, 100 + (i * 7) % (64 * N_WORKERS), &value))
    g_assert_cmpint (value, ==, 100 + (i * 7) % (64 * N_WORKERS));
}

static gpointer
work (gpointer data) {
  Worker *worker = data;
  EngineThread thread;
  SyncLane lane;

  probe_current = &worker->probe;
  g_assert_true (engine_enter_thread (worker->map, &thread, worker->index));
  pthread_barrier_wait (worker->start);
  syncmap_lane_open (&lane, worker->map, &thread);
  for (guint i = 0; i < N_STEPS; i++) {
    step_counter (&lane, worker, i % N_COUNTERS);
    if (i % 3 == 0)
      stir (&lane, worker, i);
    g_assert_cmpint (thread.error, ==, ENGINE_ERROR_NONE);
  }
  syncmap_lane_close (&lane);
  engine_leave_thread (&thread);
  probe_flush (probe_current);
  probe_current = NULL;
  return NULL;
}

/* Their span period, and whether the other operations are told in brief. */
typedef struct {
  guint    span_period;
  gboolean tells_brief;
} Telling;

/* Adds up what a probe told of the operations and throws the rest away. */
static void
add_told (Probe       *probe,
          EngineStats *sum) {
  const RingUnit *unit, *end;
  size_t n_second, n = ring_peek (&probe->ring, &unit, &n_second);

  g_assert_cmpuint (n_second, ==, 0);
  end = unit + n;
  for (const RingUnit *event; (event = next_event (&unit, end)) != NULL;) {
    const RingEvent *told = &event->event;
    const RingPayload *payload = &event[1].payload;
    unsigned kind = told->kind & ~EVENT_HAS_PAYLOAD;

    if (kind == EVENT_OP_TOLD) {
      sum->n_ops[told->aux8]++;
      sum->n_ok[told->aux8] += (told->aux16 & OP_PATH_OK) != 0;
      sum->n_in_read += (told->aux16 & OP_PATH_IN_READ) != 0;
      sum->n_cas_retries += told->kind != kind ? payload->a : 0;
    } else if (told->kind == (EVENT_OPS_COUNTED | EVENT_HAS_PAYLOAD)) {
      sum->n_ops[told->aux8] += told->res;
      sum->n_ok[told->aux8] += told->ver;
      sum->n_in_read += payload->a;
      sum->n_cas_retries += payload->b;
    } else if (told->kind == (EVENT_OP_ENDED | EVENT_HAS_PAYLOAD)) {
      sum->n_ops[told->aux8]++;
      sum->n_ok[told->aux8] += (told->aux16 & OP_PATH_OK) != 0;
      sum->n_in_read += (told->aux16 & OP_PATH_IN_READ) != 0;
      sum->n_cas_retries += told->res;
    }
  }
  ring_take (&probe->ring, n);
}

static void
expect_told (const EngineStats *told,
             const EngineStats *stats) {
  for (guint op = 0; op < OP_N_KINDS; op++) {
    g_assert_cmpuint (told->n_ops[op], ==, stats->n_ops[op]);
    g_assert_cmpuint (told->n_ok[op], ==, stats->n_ok[op]);
  }
  g_assert_cmpuint (told->n_in_read, ==, stats->n_in_read);
  g_assert_cmpuint (told->n_cas_retries, ==, stats->n_cas_retries);
}

static void
run_workers (gconstpointer data) {
  const Telling *telling = data;
  EngineConfig config = { .hash.kind = HASH_GOOD, .seed = 11 };
  MapEngine *map = engine_new (engine_class_find ("syncmap"), &config);
  g_autofree Worker *workers = g_new0 (Worker, N_WORKERS);
  gint64 steps[N_COUNTERS] = { 0 };
  EngineStats told, stats;
  pthread_barrier_t start;
  GThread *threads[N_WORKERS];
  EngineThread thread;

  memset (&told, 0, sizeof told);
  pthread_barrier_init (&start, NULL, N_WORKERS);
  for (guint i = 0; i < N_WORKERS; i++) {
    workers[i].map = map;
    workers[i].start = &start;
    workers[i].index = (uint16_t)i;
    g_assert_true (probe_init (&workers[i].probe, RING_UNITS));
    probe_set_span_period (&workers[i].probe, telling->span_period);
    workers[i].probe.tells_brief = telling->tells_brief;
  }
  for (guint i = 0; i < N_WORKERS; i++)
    threads[i] = g_thread_new ("worker", work, &workers[i]);
  for (guint i = 0; i < N_WORKERS; i++) {
    g_thread_join (threads[i]);
    add_told (&workers[i].probe, &told);
    probe_clear (&workers[i].probe);
    for (guint counter = 0; counter < N_COUNTERS; counter++)
      steps[counter] += workers[i].steps[counter];
  }
  engine_get_stats (map, &stats);
  expect_told (&told, &stats);
  g_assert_cmpuint (map->klass->check (map, broken_cb, NULL), ==, 0);
  g_assert_true (engine_enter_thread (map, &thread, 0));
  for (guint counter = 0; counter < N_COUNTERS; counter++) {
    int64_t value = -1;

    g_assert_true (map->klass->load (map, &thread, counter, &value));
    g_assert_cmpint (value, ==, steps[counter]);
  }
  engine_leave_thread (&thread);
  engine_free (map);
  pthread_barrier_destroy (&start);
}

int
main (int    argc,
      char **argv) {
  static const Telling counted, told = { 9, FALSE }, brief = { 0, TRUE },
                                told_and_brief = { 9, TRUE };

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/syncmap-lane/does-as-the-class",
                   test_does_as_the_class);
  g_test_add_func ("/core/syncmap-lane/tells-as-the-class",
                   test_tells_as_the_class);
  g_test_add_func ("/core/syncmap-lane/fails-as-the-class",
                   test_fails_as_the_class);
  g_test_add_func ("/core/syncmap-lane/lets-memory-go", test_lets_memory_go);
  g_test_add_func ("/core/syncmap-lane/range-may-use-the-lane",
                   test_range_may_use_the_lane);
  g_test_add_func ("/core/syncmap-lane/serves-other-classes",
                   test_serves_other_classes);
  g_test_add_data_func ("/core/syncmap-lane/threads-counted",
                        &counted, run_workers);
  g_test_add_data_func ("/core/syncmap-lane/threads-told",
                        &told, run_workers);
  g_test_add_data_func ("/core/syncmap-lane/threads-told-in-brief",
                        &brief, run_workers);
  g_test_add_data_func ("/core/syncmap-lane/threads-told-both-ways",
                        &told_and_brief, run_workers);
  return g_test_run ();
}
