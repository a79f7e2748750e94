/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-syncmap-survey.c — a large dirty copy asks few entries and does what one
 * that asks all does
 *
 * First the packing alone, with doubts and without, over a table with holes and
 * chains. Then a syncmap that is large enough for a survey: what was deleted is
 * expunged, nothing else is, and memory may run out at any place.
 */

#include "core/base/alloc.h"
#include "core/engine/gomap-private.h"
#include "core/engine/syncmap-private.h"

#include <glib.h>

/* Packing ------------------------------------------------------------------ */

#define N_PACKED 3000

typedef struct {
  GoMap    map;
  GoDomain domain;
  Prng     prng;
  Hash     hash;
} Table;

static uint64_t
elem_of (int64_t key) {
  return (uint64_t)key * 16;
}

static bool
is_kept (int64_t key) {
  return key % 97 != 0 && key < N_PACKED * 3 / 4;
}

static bool
keep_cb (uint64_t elem,
         void    *data) {
  ++*(unsigned *)data;
  return is_kept ((int64_t)(elem / 16));
}

static void
broken_cb (const char *text,
           void       *data) {
  g_error ("%s", text);
}

static void
source_init (Table   *table,
             HashKind kind) {
  *table = (Table){ .hash = { .kind = kind } };
  prng_init (&table->prng, 42);

  GoMapConfig config = {
    .hash = &table->hash,
    .domain = &table->domain,
    .prng = &table->prng,
  };

  g_assert_true (gomap_init (&table->map, &config, N_PACKED, 0));
  for (int64_t key = 0; key < N_PACKED; key++)
    g_assert_cmpint (gomap_assign (&table->map, key, elem_of (key), false, NULL,
                                   NULL), ==, GOMAP_INSERTED);
  /* Holes, of both kinds. */
  for (int64_t key = 5; key < N_PACKED; key += 11)
    g_assert_true (gomap_delete (&table->map, key, NULL, NULL));
  g_assert_null (table->map.oldbuckets);
}

static void
copy_from (GoMap          *copy,
           const GoMap    *source,
           const GoDoubts *doubts,
           unsigned       *n_asked) {
  g_assert_true (gomap_init (copy, &source->config, N_PACKED, source->hash0));
  g_assert_cmpuint (copy->B, ==, source->B);
  g_assert_true (gomap_copy_packed (copy, source, doubts, keep_cb, n_asked));
  g_assert_cmpuint (gomap_check (copy, broken_cb, NULL), ==, 0);
}

static void
assert_same (const GoMap *a,
             const GoMap *b) {
  g_assert_cmpint (a->count, ==, b->count);
  g_assert_cmpuint (a->noverflow, ==, b->noverflow);
  g_assert_cmpuint (a->buckets->n_buckets, ==, b->buckets->n_buckets);
  for (uint64_t index = 0; index < a->buckets->n_buckets; index++) {
    const GoBucket *x = goarray_at (a->buckets, index);
    const GoBucket *y = goarray_at (b->buckets, index);

    g_assert_cmpmem (x->tophash, BUCKET_SLOTS, y->tophash, BUCKET_SLOTS);
    g_assert_cmpuint (x->overflow, ==, y->overflow);
    for (unsigned live = tophash_live (x->tophash); live != 0; live &= live - 1) {
      unsigned slot = (unsigned)__builtin_ctz (live);

      g_assert_cmpint (x->keys[slot], ==, y->keys[slot]);
      g_assert_cmpuint (gobucket_elem (x, slot), ==, gobucket_elem (y, slot));
    }
  }
}

/* With @n_words of them: the fewer, the more share a bit. */
static void
check_packing (HashKind kind,
               uint32_t n_words) {
  g_autofree uint64_t *words = g_new0 (uint64_t, n_words);
  GoDoubts doubts = { words, n_words - 1 };
  unsigned n_all = 0, n_asked = 0;
  Table source;
  GoMap asking, surveyed;

  source_init (&source, kind);
  for (int64_t key = 0; key < N_PACKED; key++)
    if (!is_kept (key))
      godoubts_add (&doubts, elem_of (key));
  copy_from (&asking, &source.map, NULL, &n_all);
  copy_from (&surveyed, &source.map, &doubts, &n_asked);
  assert_same (&asking, &surveyed);
  g_assert_cmpuint (n_all, ==, source.map.count);
  g_assert_cmpuint (n_asked, >=, n_all - (unsigned)asking.count);
  if (n_words * 64 >= N_PACKED)
    g_assert_cmpuint (n_asked, ==, n_all - (unsigned)asking.count);
  gomap_finish (&surveyed);
  gomap_finish (&asking);
  gomap_finish (&source.map);
}

static void
test_packs_alike (void) {
  for (uint32_t n_words = 1; n_words <= 64; n_words *= 2) {
    check_packing (HASH_GOOD, n_words);
    check_packing (HASH_TOP_BITS, n_words);
  }
  check_packing (HASH_ALL_EQUAL, 64);
}

static void
test_packs_whole_without_doubts (void) {
  const GoDoubts none = { NULL, 0 };
  unsigned n_asked = 0;
  Table source;
  GoMap copy;

  source_init (&source, HASH_GOOD);
  copy_from (&copy, &source.map, &none, &n_asked);
  g_assert_cmpuint (n_asked, ==, 0);
  g_assert_cmpint (copy.count, ==, source.map.count);
  for (int64_t key = 0; key < N_PACKED; key++)
    g_assert_cmpuint (gomap_find (&copy, key), ==,
                      gomap_find (&source.map, key));
  gomap_finish (&copy);
  gomap_finish (&source.map);
}

/* Syncmap ------------------------------------------------------------------ */

#define N_KEYS 40000

typedef struct {
  MapEngine         *map;
  const EngineClass *klass;
  EngineThread       thread;
} Fixture;

#define CALL(fixture, operation, ...)                                         \
  ((fixture)->klass->operation ((fixture)->map, &(fixture)->thread            \
                                __VA_OPT__ (, ) __VA_ARGS__))

static bool
stop_cb (int64_t key,
         int64_t value,
         void   *data) {
  return false;
}

/* N_KEYS keys, all in read, every @period-th deleted; 0: none. */
static void
fixture_init (Fixture *fixture,
              int64_t  period) {
  EngineConfig config = { .hash.kind = HASH_GOOD, .seed = 7 };

  fixture->klass = engine_class_find ("syncmap");
  g_assert_nonnull (fixture->klass);
  fixture->map = engine_new (fixture->klass, &config);
  g_assert_nonnull (fixture->map);
  g_assert_true (engine_enter_thread (fixture->map, &fixture->thread, 0));
  for (int64_t key = 0; key < N_KEYS; key++)
    g_assert_true (CALL (fixture, store, key, key));
  CALL (fixture, range, stop_cb, NULL);
  for (int64_t key = 0; period > 0 && key < N_KEYS; key += period)
    g_assert_true (CALL (fixture, delete_key, key));
}

static void
fixture_clear (Fixture *fixture) {
  fixture->klass->check (fixture->map, broken_cb, NULL);
  engine_leave_thread (&fixture->thread);
  engine_free (fixture->map);
}

static void
expect_expunged (Fixture *fixture,
                 guint64  n) {
  EngineStats stats;

  fixture->klass->get_stats (fixture->map, &stats);
  g_assert_cmpuint (stats.n_expunged, ==, n);
  fixture->klass->check (fixture->map, broken_cb, NULL);
}

static void
expect_keys (Fixture *fixture,
             int64_t  period) {
  int64_t value;

  for (int64_t key = 0; key < N_KEYS; key++) {
    bool is_there = CALL (fixture, load, key, &value);

    g_assert_true (is_there == (period == 0 || key % period != 0));
    g_assert_true (!is_there || value == key);
  }
}

static void
test_expunges_what_is_nil (gconstpointer data) {
  int64_t period = GPOINTER_TO_INT (data);
  guint64 n_nil = period > 0 ? (N_KEYS + period - 1) / period : 0;
  Fixture f;

  fixture_init (&f, period);
  g_assert_true (CALL (&f, store, N_KEYS, 1));
  expect_expunged (&f, n_nil);
  expect_keys (&f, period);
  /* One comes back; those of dirty become read, and the dead are used anew. */
  g_assert_true (CALL (&f, store, 0, 0));
  g_assert_true (CALL (&f, delete_key, 0));
  CALL (&f, range, stop_cb, NULL);
  g_assert_true (CALL (&f, store, N_KEYS + 1, 1));
  expect_expunged (&f, n_nil + 1);
  for (int64_t key = 0; key < N_KEYS; key += period > 0 ? period : N_KEYS)
    g_assert_true (CALL (&f, store, key, key));
  CALL (&f, range, stop_cb, NULL);
  expect_keys (&f, 0);
  fixture_clear (&f);
}

static void
test_stays_whole_without_memory (void) {
  gboolean is_stored = FALSE;
  Fixture f;

  for (int64_t n = 0; !is_stored; n++) {
    gsize held = alloc_bytes_held ();

    fixture_init (&f, 7);
    alloc_fail_after (n);
    is_stored = CALL (&f, store, N_KEYS, 1);
    alloc_fail_after (-1);
    expect_keys (&f, 7);
    fixture_clear (&f);
    g_assert_cmpuint (alloc_bytes_held (), ==, held);
    g_assert_cmpint (n, <, 1000);
  }
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/syncmap-survey/packs-alike", test_packs_alike);
  g_test_add_func ("/core/syncmap-survey/packs-whole-without-doubts",
                   test_packs_whole_without_doubts);
  g_test_add_data_func ("/core/syncmap-survey/expunges-what-is-nil/none",
                        GINT_TO_POINTER (0), test_expunges_what_is_nil);
  g_test_add_data_func ("/core/syncmap-survey/expunges-what-is-nil/some",
                        GINT_TO_POINTER (7), test_expunges_what_is_nil);
  g_test_add_data_func ("/core/syncmap-survey/expunges-what-is-nil/all",
                        GINT_TO_POINTER (1), test_expunges_what_is_nil);
  g_test_add_func ("/core/syncmap-survey/stays-whole-without-memory",
                   test_stays_whole_without_memory);
  return g_test_run ();
}
