/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-snapshot.c — what each engine promises of its snapshots
 *
 * Two kinds: engines whose snapshots are frozen, keys and values, and syncmap,
 * whose keys are fixed and whose values are live. Each test runs for all.
 */

#include "core/base/alloc.h"
#include "core/engine/snapshot.h"

#include <glib.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define N_KEYS 100

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

static gboolean
is_frozen (const EngineClass *klass) {
  return strcmp (klass->name, "syncmap") != 0;
}

/* Keys 0 … N_KEYS - 1 with value key * 10. */
static void
fixture_init (Fixture           *f,
              const EngineClass *klass) {
  EngineConfig config = { .seed = 3, .shards = 7 };

  *f = (Fixture){ .klass = klass, .map = engine_new (klass, &config) };
  g_assert_nonnull (f->map);
  g_assert_true (engine_enter_thread (f->map, &f->thread, 0));
  for (int64_t key = 0; key < N_KEYS; key++)
    g_assert_true (CALL (f, store, key, key * 10));
}

static void
fixture_clear (Fixture *f) {
  engine_leave_thread (&f->thread);
  f->klass->check (f->map, broken_cb, NULL);
  engine_free (f->map);
}

static SnapshotInfo
info_of (EngineSnapshot *snapshot) {
  SnapshotInfo info;

  engine_snapshot_get_info (snapshot, &info);
  return info;
}

/* Takes what is left of @snapshot off: a bit a key that came. */
static guint
walk_rest (EngineSnapshot *snapshot,
           gboolean       *has_come) {
  guint n = 0;

  while (engine_snapshot_next (snapshot)) {
    int64_t key = engine_snapshot_key (snapshot);

    g_assert_true (key >= 0 && key < N_KEYS);
    g_assert_false (has_come[key]);
    g_assert_cmpint (engine_snapshot_value (snapshot), ==, key * 10);
    has_come[key] = TRUE;
    n++;
  }
  return n;
}

static void
test_gives_every_pair (gconstpointer klass) {
  gboolean has_come[N_KEYS] = { FALSE };
  Fixture f;
  EngineSnapshot *snapshot;
  SnapshotInfo info;

  fixture_init (&f, klass);
  g_assert_nonnull (engine_snapshot_guarantee (klass));
  snapshot = engine_snapshot_begin (f.map, &f.thread);
  info = info_of (snapshot);
  g_assert_cmpint (info.state, ==, SNAPSHOT_OPEN);
  g_assert_cmpuint (info.n_keys, ==, N_KEYS);
  g_assert_cmpuint (info.n_given, ==, 0);
  g_assert_cmpuint (info.bytes_held, >, 0);
  g_assert_true (engine_snapshot_next (snapshot));
  has_come[engine_snapshot_key (snapshot)] = TRUE;
  g_assert_cmpuint (info_of (snapshot).n_given, ==, 1);
  g_assert_cmpuint (walk_rest (snapshot, has_come), ==, N_KEYS - 1);
  g_assert_false (engine_snapshot_next (snapshot));
  info = info_of (snapshot);
  g_assert_cmpint (info.state, ==, SNAPSHOT_WHOLE);
  g_assert_cmpuint (info.n_given, ==, N_KEYS);
  engine_snapshot_cancel (snapshot);
  g_assert_cmpint (info_of (snapshot).state, ==, SNAPSHOT_WHOLE);
  engine_snapshot_end (snapshot);
  fixture_clear (&f);
}

static void
test_of_an_empty_map (gconstpointer klass) {
  Fixture f;
  EngineSnapshot *snapshot;

  fixture_init (&f, klass);
  g_assert_true (CALL (&f, clear));
  snapshot = engine_snapshot_begin (f.map, &f.thread);
  g_assert_false (engine_snapshot_next (snapshot));
  /* A viewmap's keys stay in the tables for a while, deleted. */
  g_assert_cmpuint (info_of (snapshot).n_keys, ==, info_of (snapshot).n_skipped);
  engine_snapshot_end (snapshot);
  fixture_clear (&f);
}

/* Stores, deletes, new keys, promotions and a Clear come between. */
static void
test_is_held_across_changes (gconstpointer klass) {
  gboolean has_come[N_KEYS] = { FALSE };
  Fixture f;
  EngineSnapshot *snapshot;
  guint n_given;

  fixture_init (&f, klass);
  snapshot = engine_snapshot_begin (f.map, &f.thread);
  for (int round = 0; round < 3; round++) {
    int64_t found;

    for (int64_t key = N_KEYS; key < 4 * N_KEYS; key++)
      g_assert_true (CALL (&f, store, key, -1));
    for (int64_t key = 0; key < N_KEYS; key += 2)
      CALL (&f, delete_key, key);
    if (is_frozen (klass))
      for (int64_t key = 1; key < N_KEYS; key += 2)
        g_assert_true (CALL (&f, store, key, -2));
    for (int i = 0; i < 5 * N_KEYS; i++)
      CALL (&f, load, 9999, &found);
    g_assert_true (CALL (&f, clear));
    f.klass->check (f.map, broken_cb, NULL);
    for (int64_t key = 0; key < N_KEYS; key += 2)
      g_assert_true (CALL (&f, store, key, key * 10));
  }

  n_given = walk_rest (snapshot, has_come);
  if (is_frozen (klass)) {
    g_assert_cmpuint (n_given, ==, N_KEYS);
  } else {
    /* The entries under the walk were deleted before the first Clear; the odd
     * ones were not touched. */
    g_assert_cmpuint (n_given, ==, N_KEYS / 2);
    g_assert_cmpuint (info_of (snapshot).n_skipped, ==, N_KEYS / 2);
    g_assert_cmpuint (info_of (snapshot).n_entries_held, >=, N_KEYS);
  }
  engine_snapshot_end (snapshot);
  g_assert_cmpuint (CALL (&f, len), ==, N_KEYS / 2);
  fixture_clear (&f);
}

/* Several at once, each of its own time, ended in any order. */
static void
test_several_at_once (gconstpointer klass) {
  enum { N = 6 };
  static const int order[N] = { 3, 0, 5, 1, 4, 2 };
  EngineSnapshot *snapshots[N];
  Fixture f;

  fixture_init (&f, klass);
  for (int i = 0; i < N; i++) {
    snapshots[i] = engine_snapshot_begin (f.map, &f.thread);
    if (i > 0)
      g_assert_cmpuint (info_of (snapshots[i]).id, !=,
                        info_of (snapshots[i - 1]).id);
    for (int64_t key = 10 * i; key < 10 * i + 10; key++)
      g_assert_true (CALL (&f, delete_key, key));
    g_assert_true (CALL (&f, store, 1000 + i, 1));
  }
  for (int i = 0; i < N; i++) {
    EngineSnapshot *snapshot = snapshots[order[i]];
    guint n = 0, n_new = 0;

    while (engine_snapshot_next (snapshot)) {
      n++;
      n_new += engine_snapshot_key (snapshot) >= 1000;
    }
    g_assert_cmpuint (n_new, ==, (guint)order[i]);
    g_assert_cmpuint (n - n_new, ==,
                      N_KEYS - 10u * (is_frozen (klass) ? (guint)order[i] : N));
    engine_snapshot_end (snapshot);
    f.klass->check (f.map, broken_cb, NULL);
  }
  fixture_clear (&f);
}

static void
test_is_cancelled (gconstpointer klass) {
  size_t held;
  Fixture f;
  EngineSnapshot *snapshot;

  fixture_init (&f, klass);
  /* The first one may promote. */
  engine_snapshot_end (engine_snapshot_begin (f.map, &f.thread));
  held = alloc_bytes_held ();
  snapshot = engine_snapshot_begin (f.map, &f.thread);
  g_assert_true (engine_snapshot_next (snapshot));
  engine_snapshot_cancel (snapshot);
  g_assert_false (engine_snapshot_next (snapshot));
  g_assert_cmpint (info_of (snapshot).state, ==, SNAPSHOT_CANCELLED);
  engine_snapshot_end (snapshot);
  snapshot = engine_snapshot_begin (f.map, &f.thread);
  engine_snapshot_end (snapshot);
  g_assert_cmpuint (alloc_bytes_held (), <=, held);
  fixture_clear (&f);
}

static void
test_begins_or_not (gconstpointer klass) {
  size_t held;
  Fixture f;
  EngineSnapshot *snapshot = NULL;

  fixture_init (&f, klass);
  engine_snapshot_end (engine_snapshot_begin (f.map, &f.thread));
  held = alloc_bytes_held ();
  for (int64_t n = 0; snapshot == NULL; n++) {
    alloc_fail_after (n);
    snapshot = engine_snapshot_begin (f.map, &f.thread);
    alloc_fail_after (-1);
    if (snapshot != NULL)
      break;
    g_assert_cmpint (f.thread.error, ==, ENGINE_ERROR_NO_MEMORY);
    f.thread.error = ENGINE_ERROR_NONE;
    g_assert_cmpuint (alloc_bytes_held (), ==, held);
  }
  engine_snapshot_end (snapshot);
  fixture_clear (&f);
}

/* Threads ------------------------------------------------------------------ */

/* A writer moves a token: of the keys 2k and 2k + 1 the first is stored, then
 * the second with the same value, then both again with the next. A frozen view
 * of one instant sees the first equal to the second, or one ahead. */
typedef struct {
  MapEngine     *map;
  _Atomic (bool) is_over;
} Moving;

static void *
move (void *data) {
  Moving *moving = data;
  const EngineClass *klass = moving->map->klass;
  EngineThread thread;

  g_assert_true (engine_enter_thread (moving->map, &thread, 1));
  for (int64_t value = 1; !atomic_load (&moving->is_over); value++)
    for (int64_t pair = 0; pair < 8; pair++) {
      klass->store (moving->map, &thread, pair * 2, value);
      klass->store (moving->map, &thread, pair * 2 + 1, value);
      if (value % 16 == 0)
        klass->store (moving->map, &thread, 1000 + value * 8 + pair, 0);
      if (value % 16 == 8)
        klass->delete_key (moving->map, &thread, 1000 + (value - 8) * 8 + pair);
    }
  engine_leave_thread (&thread);
  return NULL;
}

static void
test_shows_one_instant (gconstpointer klass) {
  EngineConfig config = { .seed = 3 };
  Moving moving = { .map = engine_new (klass, &config) };
  EngineThread thread;
  pthread_t mover;

  g_assert_true (engine_enter_thread (moving.map, &thread, 0));
  for (int64_t key = 0; key < 16; key++)
    moving.map->klass->store (moving.map, &thread, key, 0);
  pthread_create (&mover, NULL, move, &moving);
  for (int i = 0; i < 600; i++) {
    EngineSnapshot *snapshot = engine_snapshot_begin (moving.map, &thread);
    int64_t values[16];
    guint n = 0;

    while (engine_snapshot_next (snapshot))
      if (engine_snapshot_key (snapshot) < 16) {
        values[engine_snapshot_key (snapshot)] = engine_snapshot_value (snapshot);
        n++;
      }
    engine_snapshot_end (snapshot);
    g_assert_cmpuint (n, ==, 16);
    for (int pair = 0; pair < 8; pair++) {
      int64_t lead = values[pair * 2] - values[pair * 2 + 1];

      g_assert_true (lead == 0 || lead == 1);
      /* All pairs are at the same round, or the earlier ones one ahead. */
      lead = values[0] - values[pair * 2];
      g_assert_true (lead == 0 || lead == 1);
    }
  }
  atomic_store (&moving.is_over, true);
  pthread_join (mover, NULL);
  engine_leave_thread (&thread);
  moving.map->klass->check (moving.map, broken_cb, NULL);
  engine_free (moving.map);
}

static void
add (const EngineClass *klass,
     const char        *what,
     GTestDataFunc      function) {
  g_autofree char *path
      = g_strdup_printf ("/core/snapshot/%s/%s", klass->name, what);

  g_test_add_data_func (path, klass, function);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  for (const EngineClass *const *klass = engine_classes (); *klass != NULL;
       klass++) {
    if (!(*klass)->is_thread_safe) {
      g_assert_null (engine_snapshot_guarantee (*klass));
      continue;
    }
    add (*klass, "gives-every-pair", test_gives_every_pair);
    add (*klass, "of-an-empty-map", test_of_an_empty_map);
    add (*klass, "is-held-across-changes", test_is_held_across_changes);
    add (*klass, "several-at-once", test_several_at_once);
    add (*klass, "is-cancelled", test_is_cancelled);
    add (*klass, "begins-or-not", test_begins_or_not);
    if (is_frozen (*klass) && strcmp ((*klass)->name, "shardmap") != 0)
      add (*klass, "shows-one-instant", test_shows_one_instant);
  }
  return g_test_run ();
}
