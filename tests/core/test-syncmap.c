/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-syncmap.c — syncmap against a naive map, and what it does in its tables
 *
 * Random lists of operations give what a hash table under no lock gives, with all
 * invariants checked after each, under three hashes and with memory that runs
 * out. Beside these stand those of Go's tests of sync.Map that need a look into
 * the tables (the others are in test-go-sync.c), and the worked trace whose
 * figures the ledger gives.
 */

#include "core/base/alloc.h"
#include "core/engine/syncmap-private.h"

#include <glib.h>
#include <string.h>

typedef struct {
  SyncMap           *map;
  const EngineClass *klass;
  EngineThread       thread;
} Fixture;

static void
broken_cb (const char *text,
           void       *data) {
  g_error ("%s", text);
}

static void
fixture_init (Fixture  *fixture,
              HashKind  hash) {
  EngineConfig config = { .hash.kind = hash, .seed = 7 };

  fixture->klass = engine_class_find ("syncmap");
  g_assert_nonnull (fixture->klass);
  fixture->map = (SyncMap *)engine_new (fixture->klass, &config);
  g_assert_nonnull (fixture->map);
  g_assert_true (engine_enter_thread (&fixture->map->engine, &fixture->thread, 0));
}

static void
fixture_clear (Fixture *fixture) {
  fixture->klass->check (&fixture->map->engine, broken_cb, NULL);
  engine_leave_thread (&fixture->thread);
  engine_free (&fixture->map->engine);
}

#define CALL(fixture, operation, ...)                                         \
  ((fixture)->klass->operation (&(fixture)->map->engine, &(fixture)->thread   \
                                __VA_OPT__ (, ) __VA_ARGS__))

static void
expect_header (Fixture  *fixture,
               gint64    n_read,
               gboolean  amended,
               gint64    n_dirty, /* -1: nil */
               guint64   misses) {
  SyncRead read = syncmap_read (fixture->map);
  SyncTable *dirty = fixture->map->dirty;

  g_assert_cmpint (read.table->map.count, ==, n_read);
  g_assert_cmpint (read.amended, ==, amended);
  g_assert_cmpint (dirty == NULL ? -1 : dirty->map.count, ==, n_dirty);
  g_assert_cmpuint (
      sync_plain_read (&fixture->map->misses, SYNC_LABEL ("test")), ==, misses);
  fixture->klass->check (&fixture->map->engine, broken_cb, NULL);
}

static bool
stop_cb (int64_t key,
         int64_t value,
         void   *data) {
  return false;
}

/* Worked traces ------------------------------------------------------------ */

static void
test_follows_the_worked_trace (void) {
  Fixture f;
  int64_t value;

  fixture_init (&f, HASH_GOOD);
  for (int64_t key = 0; key < 10; key++)
    CALL (&f, store, key, key);
  expect_header (&f, 0, TRUE, 10, 0);
  for (int i = 0; i < 9; i++)
    g_assert_true (CALL (&f, load, 3, &value));
  expect_header (&f, 0, TRUE, 10, 9);
  g_assert_true (CALL (&f, load, 3, &value));
  expect_header (&f, 10, FALSE, -1, 0);
  CALL (&f, store, 4, 40);
  g_assert_false (CALL (&f, load, 99, &value));
  g_assert_true (CALL (&f, delete_key, 0));
  g_assert_true (CALL (&f, delete_key, 1));
  expect_header (&f, 10, FALSE, -1, 0);
  CALL (&f, store, 10, 10);
  expect_header (&f, 10, TRUE, 9, 0);
  CALL (&f, store, 0, 5);
  expect_header (&f, 10, TRUE, 10, 0);
  g_assert_false (CALL (&f, load, 99, &value));
  expect_header (&f, 10, TRUE, 10, 1);
  g_assert_false (CALL (&f, delete_key, 99));
  expect_header (&f, 10, TRUE, 10, 2);
  g_assert_true (CALL (&f, load_or_store, 10, 0, &value));
  expect_header (&f, 10, TRUE, 10, 3);
  CALL (&f, store, 10, 11);
  expect_header (&f, 10, TRUE, 10, 3);
  g_assert_false (CALL (&f, range, stop_cb, NULL));
  expect_header (&f, 10, FALSE, -1, 0);
  g_assert_false (CALL (&f, load, 1, &value));
  g_assert_cmpuint (CALL (&f, len), ==, 10);
  fixture_clear (&f);
}

static void
test_copies_the_live_only (void) {
  Fixture f;
  int64_t value;

  fixture_init (&f, HASH_GOOD);
  for (int64_t key = 0; key < 100; key++)
    CALL (&f, store, key, key);
  CALL (&f, range, stop_cb, NULL);
  for (int64_t key = 0; key < 90; key++)
    g_assert_true (CALL (&f, load_and_delete, key, &value) && value == key);
  CALL (&f, store, 100, 1);
  expect_header (&f, 100, TRUE, 11, 0);
  for (int i = 1; i <= 10; i++) {
    g_assert_true (CALL (&f, load, 100, &value));
    expect_header (&f, 100, TRUE, 11, (guint64)i);
  }
  g_assert_true (CALL (&f, load, 100, &value));
  expect_header (&f, 11, FALSE, -1, 0);
  fixture_clear (&f);
}

static void
test_keeps_dirty_over_clear (void) {
  Fixture f;
  EngineStats stats;

  fixture_init (&f, HASH_GOOD);
  CALL (&f, store, 1, 1);
  g_assert_true (CALL (&f, clear));
  expect_header (&f, 0, FALSE, 0, 0);
  CALL (&f, store, 2, 2);
  expect_header (&f, 0, TRUE, 1, 0);
  f.klass->get_stats (&f.map->engine, &stats);
  g_assert_cmpuint (stats.n_copies, ==, 1);
  fixture_clear (&f);
}

/* Against a naive map ------------------------------------------------------ */

#define N_KEYS 24 /* small, so that operations meet */

typedef struct {
  bool    is_there[N_KEYS];
  int64_t value[N_KEYS];
} Model;

static bool
compare_cb (int64_t key,
            int64_t value,
            void   *data) {
  Model *rest = data;

  g_assert_true (key >= 0 && key < N_KEYS && rest->is_there[key]);
  g_assert_cmpint (rest->value[key], ==, value);
  rest->is_there[key] = false;
  return true;
}

static void
compare_contents (Fixture     *f,
                  const Model *model) {
  Model rest = *model;

  g_assert_true (CALL (f, range, compare_cb, &rest));
  for (int key = 0; key < N_KEYS; key++)
    g_assert_false (rest.is_there[key]);
}

/* One random operation on both. With @may_fail an operation may find no memory:
 * then it has done nothing. */
static void
step (Fixture *f,
      Model   *model,
      Prng    *prng,
      bool     may_fail) {
  int64_t key = (int64_t)prng_below (prng, N_KEYS);
  int64_t value = (int64_t)prng_below (prng, 4) - 2;
  int64_t old = (int64_t)prng_below (prng, 4) - 2;
  bool was_there = model->is_there[key];
  int64_t was = model->value[key];
  bool has_old = was_there && was == old;
  int64_t found = -99;
  Model before = *model;
  bool is_ok;

  switch (prng_below (prng, 32)) {
  case 0 ... 7:
    is_ok = CALL (f, load, key, &found);
    g_assert_true (is_ok == was_there && (!is_ok || found == was));
    break;
  case 8 ... 12:
    if (CALL (f, store, key, value)) {
      model->is_there[key] = true;
      model->value[key] = value;
    }
    break;
  case 13 ... 16:
    is_ok = CALL (f, load_or_store, key, value, &found);
    g_assert_cmpint (is_ok, ==, was_there);
    if (f->thread.error == ENGINE_ERROR_NONE) {
      g_assert_cmpint (found, ==, was_there ? was : value);
      model->is_there[key] = true;
      model->value[key] = found;
    }
    break;
  case 17 ... 19:
    is_ok = CALL (f, load_and_delete, key, &found);
    g_assert_true (is_ok == was_there && (!is_ok || found == was));
    model->is_there[key] = false;
    break;
  case 20 ... 22:
    g_assert_cmpint (CALL (f, delete_key, key), ==, was_there);
    model->is_there[key] = false;
    break;
  case 23 ... 24:
    is_ok = CALL (f, swap, key, value, &found);
    if (f->thread.error == ENGINE_ERROR_NONE) {
      g_assert_true (is_ok == was_there && (!is_ok || found == was));
      model->is_there[key] = true;
      model->value[key] = value;
    }
    break;
  case 25 ... 26:
    is_ok = CALL (f, compare_and_swap, key, old, value);
    g_assert_cmpint (is_ok, ==, has_old);
    if (is_ok)
      model->value[key] = value;
    break;
  case 27 ... 28:
    is_ok = CALL (f, compare_and_delete, key, old);
    g_assert_cmpint (is_ok, ==, has_old);
    model->is_there[key] = was_there && !is_ok;
    break;
  case 29:
    if (prng_below (prng, 4) == 0 && CALL (f, clear))
      memset (model, 0, sizeof *model);
    break;
  default:
    if (prng_below (prng, 4) == 0)
      compare_contents (f, model);
    break;
  }

  if (f->thread.error != ENGINE_ERROR_NONE) {
    g_assert_true (may_fail);
    g_assert_cmpint (f->thread.error, ==, ENGINE_ERROR_NO_MEMORY);
    f->thread.error = ENGINE_ERROR_NONE;
    *model = before;
  }
  f->klass->check (&f->map->engine, broken_cb, NULL);
}

static void
test_matches_a_naive_map (gconstpointer hash) {
  Prng prng = { 101 };

  for (int list = 0; list < 100; list++) {
    Fixture f;
    Model model = { 0 };
    guint64 n_live = 0;

    fixture_init (&f, (HashKind)GPOINTER_TO_UINT (hash));
    for (int i = 0; i < 200; i++)
      step (&f, &model, &prng, false);
    for (int key = 0; key < N_KEYS; key++)
      n_live += model.is_there[key];
    g_assert_cmpuint (CALL (&f, len), ==, n_live);
    compare_contents (&f, &model);
    fixture_clear (&f);
  }
}

static void
test_stays_whole_without_memory (void) {
  size_t held = alloc_bytes_held ();
  Prng prng = { 5 };
  EngineConfig config = { .seed = 1 };

  for (int64_t n = 0;; n++) {
    MapEngine *map;

    alloc_fail_after (n);
    map = engine_new (engine_class_find ("syncmap"), &config);
    alloc_fail_after (-1);
    if (map == NULL)
      g_assert_cmpuint (alloc_bytes_held (), ==, held);
    engine_free (map);
    if (map != NULL)
      break;
  }

  for (int list = 0; list < 200; list++) {
    Fixture f;
    Model model = { 0 };

    fixture_init (&f, list % 2 ? HASH_GOOD : HASH_ALL_EQUAL);
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

/* A copy that finds no memory half-way brings back what it expunged. */
static void
test_undoes_a_copy_without_memory (void) {
  int64_t n = 0;
  bool is_stored = false;

  for (; !is_stored; n++) {
    Fixture f;
    int64_t value;

    fixture_init (&f, HASH_GOOD);
    /* More deleted than left: the new table is smaller and cannot be packed. */
    for (int64_t key = 0; key < 200; key++)
      CALL (&f, store, key, key);
    for (int64_t key = 60; key < 200; key++)
      CALL (&f, delete_key, key);
    CALL (&f, range, stop_cb, NULL);
    for (int64_t key = 0; key < 20; key++)
      CALL (&f, delete_key, key);
    alloc_fail_after (n);
    is_stored = CALL (&f, store, 1000, 1);
    alloc_fail_after (-1);
    f.thread.error = ENGINE_ERROR_NONE;
    f.klass->check (&f.map->engine, broken_cb, NULL);
    g_assert_cmpuint (CALL (&f, len), ==, is_stored ? 41 : 40);
    g_assert_cmpint (CALL (&f, load, 1000, &value), ==, is_stored);
    CALL (&f, store, 5, 5);
    g_assert_true (CALL (&f, load, 5, &value));
    fixture_clear (&f);
  }
  g_assert_cmpint (n, >, 3);
}

/* The pool ----------------------------------------------------------------- */

/* Makes a table superseded @n times. */
static void
supersede (Fixture *fixture,
           int      n) {
  for (int64_t key = 0; key < n; key++) {
    g_assert_true (CALL (fixture, store, key % 4, key));
    g_assert_true (CALL (fixture, delete_key, key % 4));
  }
}

static bool
supersede_cb (int64_t key,
              int64_t value,
              void   *data) {
  supersede (data, 3 * SYNCMAP_POOL_TABLES);
  return false;
}

/* Once warm, a map whose keys come and go takes no memory. */
static void
test_reuses_freed_tables (void) {
  Fixture f;
  size_t held;

  fixture_init (&f, HASH_GOOD);
  supersede (&f, 1000);
  held = alloc_bytes_held ();
  alloc_fail_after (0);
  supersede (&f, 1000);
  alloc_fail_after (-1);
  g_assert_cmpuint (alloc_bytes_held (), ==, held);
  fixture_clear (&f);
}

/* A thousand tables freed at once: so many are kept, and counted, as may be. */
static void
test_keeps_so_many_tables (void) {
  size_t held = alloc_bytes_held ();
  Fixture f;
  EngineStats before, after;
  ReclaimStats retired;

  fixture_init (&f, HASH_GOOD);
  CALL (&f, store, 100, 1);
  CALL (&f, range, supersede_cb, &f);
  engine_get_stats (&f.map->engine, &before);
  supersede (&f, 1000);
  engine_get_stats (&f.map->engine, &after);
  reclaim_get_stats (f.map->engine.reclaim, &retired);
  g_assert_cmpuint (before.n_promotions, >=, 3 * SYNCMAP_POOL_TABLES);
  g_assert_cmpuint (retired.n_held, <, SYNCMAP_POOL_TABLES);
  g_assert_cmpuint (f.map->n_free_tables, >, 0);
  g_assert_cmpuint (f.map->n_free_tables, <=, SYNCMAP_POOL_TABLES);
  g_assert_cmpuint (f.map->pool.n_tables, <=, SYNCMAP_POOL_TABLES);
  g_assert_cmpuint (syncmap_pool_bytes_locked (f.map), >=,
                    (f.map->n_free_tables + f.map->pool.n_tables)
                        * sizeof (SyncTable));
  g_assert_cmpuint (after.bytes, <=,
                    sizeof *f.map
                        + 3 * SYNCMAP_POOL_TABLES * sizeof (SyncTable)
                        + 4 * f.map->n_entries * sizeof (Entry) + 4096);
  fixture_clear (&f);
  g_assert_cmpuint (alloc_bytes_held (), ==, held);
}

/* A Clear that leaves an empty read in place: its entries come back all the same,
 * and what is there after it is not what was there before. */
static void
test_clears_into_the_same_table (void) {
  Fixture f;
  const SyncTable *read;
  int64_t value;

  fixture_init (&f, HASH_GOOD);
  read = syncmap_read (f.map).table;
  CALL (&f, store, 1, 10);
  g_assert_true (CALL (&f, clear));
  g_assert_true (syncmap_read (f.map).table == read);
  expect_header (&f, 0, FALSE, 0, 0);
  g_assert_false (CALL (&f, load, 1, &value));
  for (int64_t i = 0; i < 10000; i++) {
    g_assert_true (CALL (&f, store, i % 7, i));
    g_assert_true (CALL (&f, clear));
    g_assert_false (CALL (&f, load, i % 7, &value));
  }
  /* CLEAR_ORPHANS wait for a table, and a batch of tables for the reclaimer. */
  g_assert_cmpuint (f.map->n_entries, <, 2000);
  g_assert_cmpuint (CALL (&f, len), ==, 0);
  fixture_clear (&f);
}

/* Go's tests --------------------------------------------------------------- */

/* TestIssue40999: ever-new keys, stored and deleted, must not be kept. */
static void
test_reclaims_deleted_keys (void) {
  Fixture f;

  fixture_init (&f, HASH_GOOD);
  CALL (&f, store, -1, 0);
  for (int64_t key = 0; key < 20000; key++) {
    CALL (&f, store, key, key);
    CALL (&f, delete_key, key);
  }
  g_assert_cmpuint (f.map->n_entries, <, 2000);
  g_assert_cmpuint (CALL (&f, len), ==, 1);
  fixture_clear (&f);
}

/* TestMapRangeNoAllocations, TestMapClearNoAllocations; and what is our own: a
 * store on a key that is there. */
static void
test_allocates_nothing (void) {
  Fixture f;
  size_t held;

  fixture_init (&f, HASH_GOOD);
  held = alloc_bytes_held ();
  alloc_fail_after (0);
  g_assert_true (CALL (&f, range, stop_cb, NULL));
  g_assert_true (CALL (&f, clear));
  alloc_fail_after (-1);
  g_assert_cmpuint (alloc_bytes_held (), ==, held);

  CALL (&f, store, 1, 1);
  CALL (&f, range, stop_cb, NULL);
  held = alloc_bytes_held ();
  alloc_fail_after (0);
  for (int64_t value = -5; value < 5; value++)
    g_assert_true (CALL (&f, store, 1, value));
  alloc_fail_after (-1);
  g_assert_cmpuint (alloc_bytes_held (), ==, held);
  fixture_clear (&f);
}

/* Values keep their sign and all their bits. */
static void
test_holds_extreme_values (void) {
  const int64_t values[]
      = { ENGINE_VALUE_MIN, -1, 0, 1, ENGINE_VALUE_MAX };
  Fixture f;
  int64_t value;

  fixture_init (&f, HASH_GOOD);
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++) {
    CALL (&f, store, INT64_MIN, values[i]);
    g_assert_true (CALL (&f, load, INT64_MIN, &value));
    g_assert_cmpint (value, ==, values[i]);
    g_assert_true (CALL (&f, compare_and_delete, INT64_MIN, values[i]));
  }
  fixture_clear (&f);
}

/* The version goes round and on, whatever the entry goes through. */
static void
test_counts_every_change_of_an_entry (void) {
  Fixture f;
  Entry *entry;
  uint32_t version;
  int64_t value;

  fixture_init (&f, HASH_GOOD);
  CALL (&f, store, 2, 1);
  CALL (&f, range, stop_cb, NULL);
  entry = syncmap_find (syncmap_read (f.map).table, 2);
  version = entry_word_version (entry_peek (entry));
  for (uint32_t i = 1; i <= 2 * ENTRY_VERSION_MASK; i++) {
    if (i % 2)
      CALL (&f, delete_key, 2);
    else
      CALL (&f, load_or_store, 2, i % 1000, &value);
    g_assert_cmpuint (entry_word_version (entry_peek (entry)), ==,
                      (version + i) & ENTRY_VERSION_MASK);
  }
  fixture_clear (&f);
}

/* The checker sees what it is there to see --------------------------------- */

static void
expect_text_cb (const char *text,
                void       *data) {
  const char **prefix = data;

  g_assert_true (g_str_has_prefix (text, *prefix));
}

static void
expect_broken (Fixture    *f,
               const char *prefix) {
  g_assert_cmpuint (
      f->klass->check (&f->map->engine, expect_text_cb, &prefix), >, 0);
}

static void
test_check_sees_what_is_broken (void) {
  Fixture f;
  SyncTable *dirty;
  Entry *entry;
  uint32_t list;

  fixture_init (&f, HASH_GOOD);
  for (int64_t key = 0; key < 5; key++)
    CALL (&f, store, key, key);
  sync_plain_write (&f.map->misses, 5, SYNC_LABEL ("test"));
  expect_broken (&f, "S5");
  sync_plain_write (&f.map->misses, 0, SYNC_LABEL ("test"));

  entry = syncmap_find (f.map->dirty, 1);
  CALL (&f, range, stop_cb, NULL);
  CALL (&f, delete_key, 1);
  g_assert_true (entry_try_expunge_locked (entry));
  expect_broken (&f, "S");
  g_assert_true (entry_unexpunge_locked (entry));

  syncmap_publish (f.map, syncmap_read (f.map).table, true);
  expect_broken (&f, "S1");
  syncmap_publish (f.map, syncmap_read (f.map).table, false);

  CALL (&f, store, 9, 9);
  dirty = f.map->dirty;
  g_assert_true (gomap_delete (&dirty->map, 2, NULL, NULL));
  expect_broken (&f, "S2");
  entry = syncmap_find (syncmap_read (f.map).table, 2);
  g_assert_cmpint (gomap_assign (&dirty->map, 2, syncmap_elem_of (entry), false,
                                 NULL, NULL),
                   ==, GOMAP_INSERTED);

  list = f.map->free_entries;
  f.map->free_entries = entry->id + 1;
  expect_broken (&f, "S7");
  f.map->free_entries = list;
  f.map->n_sent++;
  expect_broken (&f, "S8");
  f.map->n_sent--;
  fixture_clear (&f);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/syncmap/follows-the-worked-trace",
                   test_follows_the_worked_trace);
  g_test_add_func ("/core/syncmap/copies-the-live-only",
                   test_copies_the_live_only);
  g_test_add_func ("/core/syncmap/keeps-dirty-over-clear",
                   test_keeps_dirty_over_clear);
  g_test_add_data_func ("/core/syncmap/matches-a-naive-map/good",
                        GUINT_TO_POINTER (HASH_GOOD), test_matches_a_naive_map);
  g_test_add_data_func ("/core/syncmap/matches-a-naive-map/all-equal",
                        GUINT_TO_POINTER (HASH_ALL_EQUAL),
                        test_matches_a_naive_map);
  g_test_add_data_func ("/core/syncmap/matches-a-naive-map/top-bits",
                        GUINT_TO_POINTER (HASH_TOP_BITS),
                        test_matches_a_naive_map);
  g_test_add_func ("/core/syncmap/stays-whole-without-memory",
                   test_stays_whole_without_memory);
  g_test_add_func ("/core/syncmap/undoes-a-copy-without-memory",
                   test_undoes_a_copy_without_memory);
  g_test_add_func ("/core/syncmap/reuses-freed-tables",
                   test_reuses_freed_tables);
  g_test_add_func ("/core/syncmap/keeps-so-many-tables",
                   test_keeps_so_many_tables);
  g_test_add_func ("/core/syncmap/clears-into-the-same-table",
                   test_clears_into_the_same_table);
  g_test_add_func ("/core/syncmap/reclaims-deleted-keys",
                   test_reclaims_deleted_keys);
  g_test_add_func ("/core/syncmap/allocates-nothing", test_allocates_nothing);
  g_test_add_func ("/core/syncmap/holds-extreme-values",
                   test_holds_extreme_values);
  g_test_add_func ("/core/syncmap/counts-every-change-of-an-entry",
                   test_counts_every_change_of_an_entry);
  g_test_add_func ("/core/syncmap/check-sees-what-is-broken",
                   test_check_sees_what_is_broken);
  return g_test_run ();
}
