/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-go-map.c — what Go asks of its built-in map, asked of the bucket table
 *
 * Idea        The tests of Go 1.23's runtime/map_test.go that mean something for
 *             integer keys, in our own words, under a good, an all-equal and a
 *             top-bits hash: one chain for all keys, with one tophash or many.
 *             Each path ends in Go's name. tests/core/README.md has the list, and
 *             says why the others do not apply.
 *
 * Hashes      Go asks under its own hash alone. What it asks of bucket counts
 *             counts keys, not chains, and so holds under any.
 */
#include "core/engine/gomap-find-private.h"
#include "core/engine/gomap-private.h"

#include <glib.h>

enum { MAX_KEYS = 1000 };

typedef struct {
  GoMap    map;
  GoDomain domain;
  Prng     prng;
  Hash     hash;
} Table;

static void
table_init (Table        *table,
            gconstpointer hash,
            guint64       hint) {
  *table = (Table){ .hash = { .kind = (HashKind)GPOINTER_TO_UINT (hash) } };
  prng_init (&table->prng, 7);

  GoMapConfig config = {
    .hash = &table->hash,
    .domain = &table->domain,
    .prng = &table->prng,
  };

  g_assert_true (gomap_init (&table->map, &config, hint, 0));
}

static void
put (Table  *table,
     int64_t key,
     int64_t value) {
  g_assert_cmpint (gomap_assign (&table->map, key, (uint64_t)value, false, NULL,
                                 NULL),
                   <=, GOMAP_INSERTED);
}

static void
put_range (Table  *table,
           int64_t from,
           int64_t to) {
  for (int64_t key = from; key < to; key++)
    put (table, key, key);
}

static void
take (Table  *table,
      int64_t key) {
  g_assert_true (gomap_delete (&table->map, key, NULL, NULL));
}

/* As m[key]: 0 when there is none. */
static int64_t
get (const Table *table,
     int64_t      key) {
  uint64_t elem = gomap_find (&table->map, key);

  return elem == GOMAP_ABSENT ? 0 : gomap_elem_value (elem);
}

static void
begin (GoIter *iter,
       Table  *table) {
  gomap_iter_begin (iter, &table->map, prng_next (&table->prng),
                    GOMAP_ITER_MARKS, 1, table->domain.version);
}

static void
broken_cb (const char *text,
           void       *data) {
  g_error ("%s", text);
}

static void
finish (Table *table) {
  gomap_check (&table->map, broken_cb, NULL);
  gomap_finish (&table->map);
}

/* Writing ------------------------------------------------------------------ */

static void
test_operator_assignment (gconstpointer hash) {
  Table table;

  table_init (&table, hash, 0);
  for (int64_t round = 1; round <= 3; round++)
    for (int64_t key = 0; key < 500; key++)
      put (&table, key, get (&table, key) + round);
  for (int64_t key = 0; key < 500; key++)
    g_assert_cmpint (get (&table, key), ==, 6);
  finish (&table);
}

static void
test_single_bucket (gconstpointer hash) {
  for (int64_t n = 0; n <= BUCKET_SLOTS; n++) {
    Table table;

    table_init (&table, hash, 0);
    for (int64_t key = 1; key <= n; key++)
      put (&table, key, 10 * key);
    for (int64_t key = 1; key <= n; key++)
      g_assert_cmpint (get (&table, key), ==, 10 * key);
    g_assert_cmpuint (gomap_find (&table.map, n + 1), ==, GOMAP_ABSENT);
    g_assert_cmpuint (table.map.B, ==, 0);
    finish (&table);
  }
}

/* The new key gets the slot of the one that was deleted, and not its value. */
static void
test_increment_after_delete (gconstpointer hash) {
  static const int64_t bulk[] = { 0, 1, 7, 8, 200 };

  for (gsize i = 0; i < G_N_ELEMENTS (bulk); i++) {
    Table table;

    table_init (&table, hash, 0);
    put_range (&table, 1000, 1000 + bulk[i]);
    for (int64_t key = 1; key < 50; key++) {
      put (&table, key, 99);
      take (&table, key);
      put (&table, -key, get (&table, -key) + 1);
      g_assert_cmpint (get (&table, -key), ==, 1);
      take (&table, -key);
    }
    g_assert_cmpint (table.map.count, ==, bulk[i]);
    finish (&table);
  }
}

static void
test_defer_delete_slow (gconstpointer hash) {
  Table table;

  table_init (&table, hash, 0);
  put_range (&table, 0, 200);
  for (int64_t key = 199; key >= 0; key--)
    take (&table, key);
  g_assert_cmpint (table.map.count, ==, 0);
  finish (&table);
}

static void
test_ignore_bogus_hint (gconstpointer hash) {
  static const guint64 hints[] = { UINT64_MAX, (guint64)1 << 62 };

  for (gsize i = 0; i < G_N_ELEMENTS (hints); i++) {
    Table table;

    table_init (&table, hash, hints[i]);
    g_assert_cmpuint (table.map.B, ==, 0);
    put (&table, 1, 2);
    g_assert_cmpint (get (&table, 1), ==, 2);
    finish (&table);
  }
}

static void
test_buckets (gconstpointer hash) {
  static const struct {
    int64_t n;
    guint64 n_buckets;
  } wanted[] = {
    { 8, 1 }, { 9, 2 }, { 12, 2 }, { 14, 4 },
    { 24, 4 }, { 27, 8 }, { 48, 8 }, { 53, 16 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++)
    for (gboolean is_hinted = FALSE; is_hinted <= TRUE; is_hinted++) {
      Table table;

      table_init (&table, hash, is_hinted ? (guint64)wanted[i].n : 0);
      if (is_hinted && wanted[i].n > BUCKET_SLOTS)
        g_assert_cmpuint (goarray_n_main (table.map.buckets), ==,
                          wanted[i].n_buckets);
      put_range (&table, 0, wanted[i].n);
      g_assert_cmpuint (goarray_n_main (table.map.buckets), ==,
                        wanted[i].n_buckets);
      finish (&table);
    }
}

static void
test_load_factor (void) {
  for (guint B = 0; B < 20; B++) {
    guint64 limit = B == 0 ? BUCKET_SLOTS : 13 * ((guint64)1 << B) / 2;

    g_assert_false (gomap_is_over_load (limit, B));
    g_assert_true (gomap_is_over_load (limit + 1, B));
  }
}

/* In each chain first live slots and emptyOne, then emptyRest alone, and what
 * stands before that is live. */
static void
assert_trimmed (const GoMap *map) {
  for (guint64 main = 0; main < goarray_n_main (map->buckets); main++) {
    const GoBucket *bucket = goarray_at (map->buckets, main);
    guint8 last = TOPHASH_MIN;

    for (; bucket != NULL; bucket = goarray_next (map->buckets, bucket))
      for (guint slot = 0; slot < BUCKET_SLOTS; slot++) {
        guint8 tophash = bucket->tophash[slot];

        if (last == TOPHASH_EMPTY_REST || tophash == TOPHASH_EMPTY_REST)
          g_assert_cmpuint (tophash, ==, TOPHASH_EMPTY_REST);
        if (tophash == TOPHASH_EMPTY_REST)
          g_assert_cmpuint (last, !=, TOPHASH_EMPTY_ONE);
        last = tophash;
      }
  }
}

static void
test_tombstones (gconstpointer hash) {
  int64_t n = GPOINTER_TO_UINT (hash) == HASH_GOOD ? 10000 : 1000;
  Table table;

  table_init (&table, hash, 0);
  put_range (&table, 0, n);
  assert_trimmed (&table.map);
  for (int64_t key = 0; key < n; key += 2)
    take (&table, key);
  assert_trimmed (&table.map);
  put_range (&table, n, 3 * n / 2);
  assert_trimmed (&table.map);
  for (int64_t key = 0; key < 3 * n / 2; key++)
    gomap_delete (&table.map, key, NULL, NULL);
  assert_trimmed (&table.map);
  g_assert_cmpint (table.map.count, ==, 0);
  finish (&table);
}

/* Iterating ---------------------------------------------------------------- */

static void
test_iter_grow_and_delete (gconstpointer hash) {
  Table table;
  GoIter iter;

  table_init (&table, hash, 0);
  put_range (&table, 0, 100);
  begin (&iter, &table);
  g_assert_true (gomap_iter_next (&iter));
  put_range (&table, 100, MAX_KEYS);
  for (int64_t key = 1; key < MAX_KEYS; key += 2)
    take (&table, key);
  while (gomap_iter_next (&iter))
    g_assert_cmpint (iter.key % 2, ==, 0);
  finish (&table);
}

/* TestIterGrowWithGC; and what TestGrowWithNegativeZero asks besides: a key that
 * was written again in the growth comes with its new value. */
static void
test_iter_grow (gconstpointer hash) {
  for (int64_t n = 1; n < 60; n += 3) {
    guint8 seen[60] = { 0 };
    Table table;
    GoIter iter;

    table_init (&table, hash, 0);
    put_range (&table, 0, n);
    begin (&iter, &table);
    g_assert_true (gomap_iter_next (&iter));
    seen[iter.key]++;
    put_range (&table, 100, 900);
    for (int64_t key = 0; key < n; key++)
      put (&table, key, key + 5000);
    while (gomap_iter_next (&iter)) {
      if (iter.key >= n)
        continue;
      g_assert_cmpint (gomap_elem_value (iter.elem), ==, iter.key + 5000);
      seen[iter.key]++;
    }
    for (int64_t key = 0; key < n; key++)
      g_assert_cmpuint (seen[key], ==, 1);
    finish (&table);
  }
}

/* TestMapNanGrowIterator, with keys that can be found again: an iteration begun
 * inside a growth, which deletes bring to its end half-way. */
static void
test_iter_inside_growth (gconstpointer hash) {
  for (guint n_before = 0; n_before < 104; n_before += 13) {
    guint8 seen[MAX_KEYS] = { 0 };
    int64_t n = 0;
    Table table;
    GoIter iter;

    table_init (&table, hash, 0);
    while (n < 105 || table.map.oldbuckets == NULL)
      put (&table, n, n), n++;
    g_assert_cmpint (n, <, MAX_KEYS);
    begin (&iter, &table);
    for (guint i = 0; i < n_before; i++) {
      g_assert_true (gomap_iter_next (&iter));
      seen[iter.key]++;
    }
    for (int64_t key = -1; table.map.oldbuckets != NULL; key--)
      g_assert_false (gomap_delete (&table.map, key, NULL, NULL));
    while (gomap_iter_next (&iter))
      seen[iter.key]++;
    for (int64_t key = 0; key < n; key++)
      g_assert_cmpuint (seen[key], ==, 1);
    finish (&table);
  }
}

/* The keys in the order of one walk; returns how many. */
static gsize
walk (Table   *table,
      int64_t *order) {
  GoIter iter;
  gsize n = 0;

  begin (&iter, table);
  while (gomap_iter_next (&iter))
    order[n++] = iter.key;
  g_assert_cmpuint (n, ==, table->map.count);
  return n;
}

static void
assert_order_varies (Table *table,
                     guint  max_tries) {
  int64_t first[MAX_KEYS], order[MAX_KEYS];
  gsize n = walk (table, first);
  gboolean is_other = FALSE;

  for (guint tries = 0; tries < max_tries && !is_other; tries++) {
    walk (table, order);
    is_other = memcmp (first, order, n * sizeof *first) != 0;
  }
  g_assert_true (is_other);
}

static void
test_iter_order (gconstpointer hash) {
  static const int64_t sizes[] = { 3, 7, 9, 15 };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    Table table;

    table_init (&table, hash, 0);
    put_range (&table, 0, sizes[i]);
    assert_order_varies (&table, 100);
    finish (&table);
  }
}

/* TestMapSparseIterOrder, and 1.24's TestMapIterDuplicate: what is left comes,
 * each once. */
static void
test_sparse_iter_order (gconstpointer hash) {
  gboolean seen[20] = { FALSE };
  int64_t order[MAX_KEYS];
  Table table;

  table_init (&table, hash, 0);
  put_range (&table, 0, MAX_KEYS);
  for (int64_t key = 20; key < MAX_KEYS; key++)
    take (&table, key);
  g_assert_cmpuint (walk (&table, order), ==, 20);
  for (guint i = 0; i < 20; i++) {
    g_assert_cmpint (order[i], <, 20);
    g_assert_false (seen[order[i]]);
    seen[order[i]] = TRUE;
  }
  assert_order_varies (&table, 800);
  finish (&table);
}

/* 1.24's TestMapIterDeleteReplace. */
static void
test_iter_delete_replace (gconstpointer hash) {
  for (int64_t size = 0; size < 700; size = size * 5 / 4 + 1) {
    Table table;
    GoIter iter;

    table_init (&table, hash, 0);
    put_range (&table, 0, size);
    begin (&iter, &table);
    while (gomap_iter_next (&iter)) {
      take (&table, iter.key);
      put (&table, iter.key, -1);
    }
    for (int64_t key = 0; key < size; key++)
      g_assert_cmpint (get (&table, key), ==, -1);
    g_assert_cmpint (table.map.count, ==, size);
    finish (&table);
  }
}

/* Suite -------------------------------------------------------------------- */

int
main (int    argc,
      char **argv) {
  static const HashKind hashes[] = { HASH_GOOD, HASH_ALL_EQUAL, HASH_TOP_BITS };
  static const struct {
    const char   *name;
    GTestDataFunc function;
  } tests[] = {
    { "MapOperatorAssignment", test_operator_assignment },
    { "SingleBucketMap", test_single_bucket },
    { "IncrementAfterDelete", test_increment_after_delete },
    { "DeferDeleteSlow", test_defer_delete_slow },
    { "IgnoreBogusMapHint", test_ignore_bogus_hint },
    { "MapBuckets", test_buckets },
    { "MapTombstones", test_tombstones },
    { "IterGrowAndDelete", test_iter_grow_and_delete },
    { "IterGrowWithGC", test_iter_grow },
    { "MapNanGrowIterator", test_iter_inside_growth },
    { "MapIterOrder", test_iter_order },
    { "MapSparseIterOrder", test_sparse_iter_order },
    { "MapIterDeleteReplace", test_iter_delete_replace },
  };

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/go/map/LoadFactor", test_load_factor);
  for (gsize t = 0; t < G_N_ELEMENTS (tests); t++)
    for (gsize h = 0; h < G_N_ELEMENTS (hashes); h++) {
      g_autofree char *path
          = g_strdup_printf ("/core/go/map/%s/%s", tests[t].name,
                             hash_kind_name (hashes[h]));

      g_test_add_data_func (path, GUINT_TO_POINTER (hashes[h]),
                            tests[t].function);
    }
  return g_test_run ();
}
