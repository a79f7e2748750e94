/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-gomap.c — the bucket table against a naive model
 *
 * The model is an array of values; after each random operation the table must
 * agree with it and with its own invariants. What Go's own tests ask is in
 * test-go-map.c.
 */

#include "core/base/alloc.h"
#include "core/engine/gomap-find-private.h"
#include "core/engine/gomap-private.h"
#include "core/engine/gomap-walk-private.h"

#include <glib.h>

#define MODEL_KEYS 400

typedef struct {
  GoMap    map;
  GoDomain domain;
  Prng     prng;
  Hash     hash;
} Table;

static gboolean
table_try_init (Table   *table,
                HashKind kind,
                unsigned flags,
                uint64_t hint) {
  *table = (Table){ .hash = { .kind = kind } };
  prng_init (&table->prng, 42);

  GoMapConfig config = {
    .hash = &table->hash,
    .domain = &table->domain,
    .prng = &table->prng,
    .flags = flags,
  };

  return gomap_init (&table->map, &config, hint, 0);
}

static void
table_init (Table   *table,
            HashKind kind,
            uint64_t hint) {
  g_assert_true (table_try_init (table, kind, 0, hint));
}

static void
put (GoMap  *map,
     int64_t key,
     int64_t value) {
  g_assert_cmpint (gomap_assign (map, key, (uint64_t)value, false, NULL, NULL),
                   <=, GOMAP_INSERTED);
}

static void
report_cb (const char *text,
           void       *data) {
  (void)data;
  g_test_message ("%s", text);
}

static void
assert_sound (const GoMap *map) {
  g_assert_cmpuint (gomap_check (map, report_cb, NULL), ==, 0);
}

static void
begin_marked (GoIter *iter,
              Table  *table) {
  gomap_iter_begin (iter, &table->map, prng_next (&table->prng),
                    GOMAP_ITER_MARKS, 1, table->domain.version);
}

/* Every key that stays is seen once, whatever grows meanwhile: Go's
 * TestIterGrowWithGC, from all sizes around the growths. */
static void
test_iter_sees_each_once (void) {
  for (int n = 1; n < 120; n++) {
    Table table;
    GoIter iter;
    uint8_t seen[120] = { 0 };
    int next = n;

    table_init (&table, HASH_GOOD, 0);
    for (int key = 0; key < n; key++)
      put (&table.map, key, key);
    begin_marked (&iter, &table);
    while (gomap_iter_next (&iter)) {
      if (iter.key < n)
        g_assert_cmpuint (seen[iter.key]++, ==, 0);
      for (int i = 0; i < 20 && next < 900; i++, next++)
        put (&table.map, next, next);
    }
    for (int key = 0; key < n; key++)
      g_assert_cmpuint (seen[key], ==, 1);
    gomap_finish (&table.map);
  }
}

/* An array that an iterator walks outlives growths and a clear. */
static void
test_iter_outlives_its_array (void) {
  Table table;
  GoIter iters[8];

  table_init (&table, HASH_GOOD, 0);
  for (int key = 0; key < 60; key++)
    put (&table.map, key, key);
  for (unsigned i = 0; i < G_N_ELEMENTS (iters); i++) {
    begin_marked (&iters[i], &table);
    for (unsigned step = 0; step < i + 1; step++)
      gomap_iter_next (&iters[i]);
    for (int key = 0; key < 90; key++)
      put (&table.map, (int)i * 1000 + key, key);
  }
  gomap_clear (&table.map);
  put (&table.map, 1, 1);
  for (unsigned i = 0; i < G_N_ELEMENTS (iters); i++) {
    unsigned n = 0;

    while (n < 3 && gomap_iter_next (&iters[i]))
      n++;
    g_assert_cmpuint (n, <=, 1);
    gomap_iter_end (&iters[i]);
    gomap_iter_end (&iters[i]);
  }
  assert_sound (&table.map);
  gomap_finish (&table.map);
}

/* A table frozen inside a growth: found and walked without a write. */
static void
test_reads_frozen_growth (void) {
  Table table;
  GoIter iter;
  unsigned n = 0;
  int count = 0;

  table_init (&table, HASH_GOOD, 0);
  while (count < 1000 || table.map.oldbuckets == NULL)
    put (&table.map, count++, 7);

  uint8_t flags = table.map.flags;

  for (int key = 0; key < count; key++)
    g_assert_cmpuint (gomap_find (&table.map, key), !=, GOMAP_ABSENT);
  g_assert_cmpuint (gomap_find (&table.map, count), ==, GOMAP_ABSENT);
  gomap_iter_begin (&iter, &table.map, 12345, 0, 1, table.domain.version);
  while (gomap_iter_next (&iter))
    n++;
  g_assert_cmpuint (n, ==, (unsigned)count);
  g_assert_cmpuint (table.map.flags, ==, flags);
  gomap_finish (&table.map);
}

/* Chains of several buckets: every slot, in main and in overflow buckets, gives
 * back what was put there, and each bucket has its lines to itself. */
static void
test_bucket_keeps_elements (void) {
  const int64_t values[] = {
    0, 1, -1, ENGINE_VALUE_MAX, ENGINE_VALUE_MIN, 0xffffffff, 0x100000000,
  };
  Table table;

  table_init (&table, HASH_TOP_BITS, 0);
  for (int key = 0; key < 100; key++)
    put (&table.map, key, values[(guint)key % G_N_ELEMENTS (values)]);
  for (int key = 0; key < 100; key++) {
    uint64_t elem = gomap_find (&table.map, key);

    g_assert_cmpuint (elem, <=, GOMAP_ELEM_MASK);
    g_assert_cmpint (gomap_elem_value (elem), ==,
                     values[(guint)key % G_N_ELEMENTS (values)]);
  }
  put (&table.map, 7, (int64_t)GOMAP_ELEM_MASK);
  g_assert_cmpuint (gomap_find (&table.map, 7), ==, GOMAP_ELEM_MASK);

  for (uint32_t i = 0; i < goarray_n_buckets (table.map.buckets); i++)
    g_assert_cmpuint (
      (uintptr_t)goarray_bucket (table.map.buckets, i) % 64, ==, 0);
  gomap_finish (&table.map);
}

/* The batches of a walk, one behind the other, are what an iterator gives from
 * the same random number. */
static void
assert_walk (GoMap   *map,
             uint64_t random,
             unsigned n_wanted,
             unsigned (*take) (GoWalk *, unsigned, GoBatch *)) {
  GoBatch batch;
  GoWalk walk;
  GoIter iter;
  unsigned n;

  gomap_iter_begin (&iter, map, random, 0, 1, 0);
  gomap_walk_begin (&walk, map, random);
  do {
    n = take (&walk, n_wanted, &batch);
    g_assert_cmpuint (n, <, n_wanted + BUCKET_SLOTS);
    for (unsigned i = 0; i < n; i++) {
      g_assert_true (gomap_iter_next (&iter));
      g_assert_cmpint (batch.keys[i], ==, iter.key);
      g_assert_cmpuint (batch.elems[i], ==, iter.elem);
    }
  } while (n >= n_wanted);
  g_assert_false (gomap_iter_next (&iter));
}

static void
test_walks_as_iterator (gconstpointer kind) {
  Table table;
  Prng prng;

  prng_init (&prng, 5);
  for (unsigned n_keys = 0; n_keys < 1500; n_keys = 2 * n_keys + 1) {
    table_init (&table, GPOINTER_TO_UINT (kind), 0);
    for (unsigned i = 0; i < n_keys; i++)
      put (&table.map, i, i % 2 == 0 ? (int64_t)GOMAP_ELEM_MASK - i : i);
    for (unsigned i = 0; i < n_keys / 3; i++)
      gomap_delete (&table.map, (int64_t)prng_below (&prng, n_keys), NULL, NULL);
    while (!gomap_is_settled (&table.map))
      put (&table.map, n_keys + prng_next (&prng) % 64, 1);
    for (unsigned turn = 0; turn < 24; turn++) {
      uint64_t random = prng_next (&prng);
      unsigned n_wanted = 1 + turn % 3 * (GOMAP_BATCH / 2 - 1);

      assert_walk (&table.map, random, n_wanted, gomap_walk_take);
      assert_walk (&table.map, random, n_wanted, gomap_walk_take_portably);
    }
    gomap_finish (&table.map);
  }
}

typedef struct {
  gboolean is_there[MODEL_KEYS];
  int64_t  value[MODEL_KEYS];
  int64_t  count;
} Model;

static void
assert_same (const GoMap *map,
             const Model *model) {
  assert_sound (map);
  g_assert_cmpint (map->count, ==, model->count);
  for (int key = 0; key < MODEL_KEYS; key++) {
    uint64_t elem = gomap_find (map, key);

    g_assert_cmpint (elem != GOMAP_ABSENT, ==, model->is_there[key]);
    if (elem != GOMAP_ABSENT)
      g_assert_cmpint (gomap_elem_value (elem), ==, model->value[key]);
  }
}

static void
model_put (Model  *model,
           int     key,
           int64_t value) {
  model->count += !model->is_there[key];
  model->is_there[key] = TRUE;
  model->value[key] = value;
}

static void
model_remove (Model *model,
              int    key) {
  model->count -= model->is_there[key];
  model->is_there[key] = FALSE;
}

/* One random operation on both; keys below @n_keys. */
static void
random_operation (GoMap *map,
                  Model *model,
                  Prng  *prng,
                  int    n_keys,
                  int    put_share) {
  int key = (int)prng_below (prng, (uint64_t)n_keys);
  int64_t value = (int64_t)prng_below (prng, 1000);
  unsigned choice = (unsigned)prng_below (prng, 1000);
  uint64_t old = 0;

  if (choice == 0) {
    g_assert_true (gomap_clear (map));
    for (int i = 0; i < MODEL_KEYS; i++)
      model_remove (model, i);
  } else if (choice < (unsigned)put_share) {
    bool keep = choice % 4 == 0;
    GoMapOutcome outcome
        = gomap_assign (map, key, (uint64_t)value, keep, &old, NULL);

    g_assert_cmpint (outcome, ==,
                     model->is_there[key] ? GOMAP_FOUND : GOMAP_INSERTED);
    if (outcome == GOMAP_FOUND)
      g_assert_cmpint ((int64_t)old, ==, model->value[key]);
    if (outcome == GOMAP_INSERTED || !keep)
      model_put (model, key, value);
  } else {
    bool is_deleted = gomap_delete (map, key, &old, NULL);

    g_assert_cmpint (is_deleted, ==, model->is_there[key]);
    if (is_deleted)
      g_assert_cmpint ((int64_t)old, ==, model->value[key]);
    model_remove (model, key);
  }
}

static void
test_agrees_with_model (gconstpointer data) {
  HashKind kind = (HashKind)GPOINTER_TO_UINT (data);
  int n_keys = kind == HASH_GOOD || kind == HASH_IDENTITY ? MODEL_KEYS : 60;

  for (unsigned round = 0; round < 20; round++) {
    Table table;
    Model model = { 0 };
    Prng prng;

    prng_init (&prng, round + 1);
    g_assert_true (table_try_init (&table, kind,
                                   round % 2 == 0 ? 0 : TABLE_WIPES_OLD, 0));
    for (unsigned i = 0; i < 1500; i++) {
      random_operation (&table.map, &model, &prng, n_keys,
                        i / 300 % 2 == 0 ? 700 : 400);
      assert_sound (&table.map);
      if (i % 10 == 0)
        assert_same (&table.map, &model);
    }
    gomap_finish (&table.map);
  }
}

static void
test_no_memory_changes_nothing (gconstpointer data) {
  HashKind kind = (HashKind)GPOINTER_TO_UINT (data);
  gsize held = alloc_bytes_held ();
  gboolean is_met = TRUE;

  for (int nth = 0; is_met; nth++) {
    Table table;
    Model model = { 0 };

    is_met = FALSE;
    alloc_fail_after (nth);
    if (!table_try_init (&table, kind, 0, 20)) {
      is_met = TRUE;
      continue;
    }
    for (int key = 0; key < 300; key++) {
      if (gomap_assign (&table.map, key, (uint64_t)key, false, NULL, NULL)
          == GOMAP_INSERTED) {
        model_put (&model, key, key);
      } else {
        is_met = TRUE;
        assert_same (&table.map, &model);
        put (&table.map, key, key);
        model_put (&model, key, key);
        assert_same (&table.map, &model);
      }
      if (key % 3 == 0) {
        g_assert_true (gomap_delete (&table.map, key / 2, NULL, NULL)
                       == model.is_there[key / 2]);
        model_remove (&model, key / 2);
      }
    }
    assert_same (&table.map, &model);
    alloc_fail_after (-1);
    gomap_finish (&table.map);
    g_assert_cmpuint (alloc_bytes_held (), ==, held);
  }
}

static bool
keep_cb (uint64_t elem,
         void    *data) {
  (*(unsigned *)data)++;
  return elem % 3 != 0;
}

static void
test_copies_packed (gconstpointer data) {
  HashKind kind = (HashKind)GPOINTER_TO_UINT (data);
  Table source, copy;
  unsigned n_asked = 0;

  table_init (&source, kind, 200);
  for (int key = 0; key < 200; key++)
    put (&source.map, key, key);
  for (int key = 0; source.map.oldbuckets != NULL; key++)
    put (&source.map, key, key);

  copy = source;
  g_assert_true (gomap_init (&copy.map, &source.map.config, 200,
                             source.map.hash0));
  g_assert_cmpuint (copy.map.B, ==, source.map.B);
  g_assert_true (gomap_copy_packed (&copy.map, &source.map, NULL, keep_cb,
                                    &n_asked));
  assert_sound (&copy.map);
  g_assert_cmpuint (n_asked, ==, 200);
  for (int key = 0; key < 200; key++) {
    uint64_t elem = gomap_find (&copy.map, key);

    g_assert_true ((elem != GOMAP_ABSENT) == (key % 3 != 0));
    if (elem != GOMAP_ABSENT)
      g_assert_cmpuint (elem, ==, (uint64_t)key);
  }
  gomap_finish (&copy.map);
  gomap_finish (&source.map);
}

/* A hash function that uses the map it hashes for: the one way to meet a write
 * that is under way without a second thread. */
typedef struct {
  Table       *table;
  GoIter      *iter;
  gboolean     is_armed;
  GoMapOutcome outcome;
  gboolean     is_stepped;
} Intruder;

static uint64_t
intrude (int64_t  key,
         uint64_t seed,
         void    *data) {
  Intruder *intruder = data;

  if (intruder->is_armed
      && (intruder->table->map.flags & GOMAP_FLAG_HASH_WRITING) != 0) {
    intruder->is_armed = FALSE;
    intruder->outcome
        = gomap_assign (&intruder->table->map, -1, 1, false, NULL, NULL);
    intruder->is_stepped = gomap_iter_next (intruder->iter);
  }
  return hash_good (key, seed);
}

static void
test_detects_misuse (void) {
  Table table;
  GoIter iter;
  Intruder intruder = { .table = &table, .iter = &iter };

  table_init (&table, HASH_FUNCTION, 0);
  table.hash = (Hash){ HASH_FUNCTION, intrude, &intruder };
  for (int key = 0; key < 8; key++)
    put (&table.map, key, key);
  begin_marked (&iter, &table);
  g_assert_true (gomap_iter_next (&iter));

  intruder.outcome = GOMAP_FOUND;
  intruder.is_stepped = TRUE;
  intruder.is_armed = TRUE;
  put (&table.map, 8, 8); /* grows and evacuates: hashes inside the write */
  g_assert_cmpint (intruder.outcome, ==, GOMAP_MISUSED);
  g_assert_false (intruder.is_stepped);
  g_assert_true (iter.is_misused);
  g_assert_true (table.map.is_misused);
  g_assert_cmpint (table.map.misuse, ==, MISUSE_CONCURRENT_WRITES);
  g_assert_cmpint (table.map.count, ==, 9);
  assert_sound (&table.map);
  gomap_finish (&table.map);
}

/* Reads what @probe told: versions without a gap; returns how many slots were
 * told as visited. */
static unsigned
read_told (Probe    *probe,
           uint32_t *version) {
  const RingUnit *first;
  size_t n_second;
  unsigned n_visited = 0;

  probe_flush (probe);

  size_t n = ring_peek (&probe->ring, &first, &n_second);

  g_assert_cmpuint (n_second, ==, 0);
  for (size_t i = 0; i < n; i++) {
    RingEvent event = first[i].event;
    unsigned kind = event.kind & ~EVENT_HAS_PAYLOAD;

    i += (event.kind & EVENT_HAS_PAYLOAD) != 0;
    if (kind == EVENT_TIME)
      continue;
    if (event_kind_gate ((EventKind)kind) == GATE_DOMAIN)
      g_assert_cmpuint (event.ver, ==, ++*version);
    if (kind == EVENT_RANGE_WALKED)
      n_visited += (unsigned)__builtin_popcount (event.aux8);
  }
  return n_visited;
}

static void
test_tells_every_version (gconstpointer data) {
  Probe probe;
  Table table;
  Model model = { 0 };
  Prng prng;
  GoIter iter;
  uint32_t version = 0;

  g_assert_true (probe_init (&probe, 1 << 18));
  probe.is_fine = GPOINTER_TO_UINT (data) != 0;
  probe_current = &probe;
  prng_init (&prng, 9);
  table_init (&table, HASH_GOOD, 0);
  for (unsigned i = 0; i < 5000; i++)
    random_operation (&table.map, &model, &prng, MODEL_KEYS, 800);
  gomap_iter_begin (&iter, &table.map, 77, GOMAP_ITER_MARKS | GOMAP_ITER_TELLS,
                    1, table.domain.version);
  while (gomap_iter_next (&iter))
    if (iter.key % 5 == 0)
      gomap_iter_skip (&iter, false);
  probe_current = NULL;
  g_assert_cmpuint (read_told (&probe, &version), ==, iter.n_visited);
  g_assert_cmpuint (version, ==, table.domain.version);
  gomap_finish (&table.map);
  probe_clear (&probe);
}

/* Adds @test once per hash. */
static void
add_under_hashes (const char   *path,
                  GTestDataFunc test) {
  for (unsigned kind = 0; kind < HASH_FUNCTION; kind++) {
    g_autofree char *full
        = g_strconcat (path, "/", hash_kind_name ((HashKind)kind), NULL);

    g_test_add_data_func (full, GUINT_TO_POINTER (kind), test);
  }
}

/* Against the comparison of all eight, for every top byte, in each slot. */
static void
test_guesses_the_first_equal (void) {
  Prng prng;

  prng_init (&prng, 21);
  for (unsigned i = 0; i < 256 * 64; i++) {
    uint64_t hash = (uint64_t)(i % 256) << 56 | prng_next (&prng) >> 8;
    GoBucket bucket = { .overflow = i % 3 == 0 ? (uint32_t)prng_next (&prng) : 0 };
    unsigned same, slot;

    for (slot = 0; slot < BUCKET_SLOTS; slot++)
      bucket.tophash[slot] = prng_below (&prng, 4) == 0
                                 ? tophash_of (hash)
                                 : (uint8_t)prng_next (&prng);
    same = tophash_match (bucket.tophash, tophash_of (hash));
    slot = gobucket_guess (&bucket, hash);
    if (same == 0)
      g_assert_cmpuint (slot, >=, BUCKET_SLOTS);
    else
      g_assert_cmpuint (slot, ==, (unsigned)__builtin_ctz (same));
  }
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/gomap/iter/sees-each-once", test_iter_sees_each_once);
  g_test_add_func ("/core/gomap/iter/outlives-its-array",
                   test_iter_outlives_its_array);
  g_test_add_func ("/core/gomap/reads-frozen-growth", test_reads_frozen_growth);
  g_test_add_data_func ("/core/gomap/walks-as-iterator/good",
                        GUINT_TO_POINTER (HASH_GOOD), test_walks_as_iterator);
  g_test_add_data_func ("/core/gomap/walks-as-iterator/top-bits",
                        GUINT_TO_POINTER (HASH_TOP_BITS),
                        test_walks_as_iterator);
  g_test_add_func ("/core/gomap/bucket/guesses-the-first-equal",
                   test_guesses_the_first_equal);
  g_test_add_func ("/core/gomap/bucket/keeps-elements",
                   test_bucket_keeps_elements);
  add_under_hashes ("/core/gomap/agrees-with-model", test_agrees_with_model);
  add_under_hashes ("/core/gomap/no-memory-changes-nothing",
                    test_no_memory_changes_nothing);
  g_test_add_data_func ("/core/gomap/copies-packed/good",
                        GUINT_TO_POINTER (HASH_GOOD), test_copies_packed);
  g_test_add_data_func ("/core/gomap/copies-packed/all-equal",
                        GUINT_TO_POINTER (HASH_ALL_EQUAL), test_copies_packed);
  g_test_add_func ("/core/gomap/detects-misuse", test_detects_misuse);
  g_test_add_data_func ("/core/gomap/tells-every-version",
                        GUINT_TO_POINTER (0), test_tells_every_version);
  g_test_add_data_func ("/core/gomap/tells-every-version/slot-by-slot",
                        GUINT_TO_POINTER (1), test_tells_every_version);
  return g_test_run ();
}
