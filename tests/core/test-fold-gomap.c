/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-fold-gomap.c — what the fold rebuilds is what the table holds
 *
 * One thread works on a bucket table and reads its own ring: the events come in
 * their order, without a recorder. After every few operations the folded state,
 * as text, must be the table's own text: each header field, each slot, in both
 * arrays, in every stage of a growth.
 */

#include "core/engine/gomap.h"
#include "core/probe/probe.h"
#include "core/state/fold.h"

#include <glib.h>

typedef struct {
  GoMap    map;
  GoDomain domain;
  Prng     prng;
  Hash     hash;
  Probe    probe;
  Fold    *fold;
} Fixture;

static void
fixture_init (Fixture *fixture,
              HashKind kind,
              unsigned flags,
              uint64_t hint) {
  *fixture = (Fixture){ .hash = { .kind = kind }, .fold = fold_new () };
  prng_init (&fixture->prng, 3);
  g_assert_true (probe_init (&fixture->probe, 1 << 20));
  probe_current = &fixture->probe;

  GoMapConfig config = {
    .hash = &fixture->hash,
    .domain = &fixture->domain,
    .prng = &fixture->prng,
    .flags = flags,
    .id = 7,
  };

  g_assert_true (gomap_init (&fixture->map, &config, hint, 0));
  probe_event (EVENT_TABLE_NAMED, 0, ++fixture->domain.version, 0, 7);
}

static void
fixture_clear (Fixture *fixture) {
  probe_current = NULL;
  gomap_finish (&fixture->map);
  fold_free (fixture->fold);
  probe_clear (&fixture->probe);
}

/* Applies @n units of the ring; a payload is never alone at their start. */
static void
apply_units (Fold           *fold,
             const RingUnit *units,
             size_t          n) {
  for (size_t i = 0; i < n; i++) {
    const RingEvent *told = &units[i].event;
    Event event = {
      .res = told->res,
      .ver = told->ver,
      .kind = told->kind & (uint8_t)~EVENT_HAS_PAYLOAD,
      .aux8 = told->aux8,
      .aux16 = told->aux16,
    };

    if ((told->kind & EVENT_HAS_PAYLOAD) != 0) {
      g_assert_cmpuint (i + 1, <, n);
      event.a = units[++i].payload.a;
      event.b = units[i].payload.b;
    }
    if (event.kind != EVENT_TIME)
      fold_apply (fold, &event);
  }
}

/* Folds what was told since the last time. */
static void
fold_told (Fixture *fixture) {
  Ring *ring = &fixture->probe.ring;
  const RingUnit *first;
  size_t n_second;

  probe_flush (&fixture->probe);

  size_t n = ring_peek (ring, &first, &n_second);
  g_autofree RingUnit *units = g_new (RingUnit, n + n_second + 1);

  memcpy (units, first, n * sizeof *units);
  memcpy (units + n, ring->units, n_second * sizeof *units);
  ring_take (ring, n + n_second);
  apply_units (fixture->fold, units, n + n_second);
  g_assert_cmpstr (fold_first_fault (fixture->fold), ==, NULL);
}

static void
dump_elem_cb (DumpSink *sink,
              unsigned  slot,
              int64_t   key,
              uint64_t  elem) {
  dump_value (sink, slot, key, (int64_t)elem);
}

static void
assert_same (Fixture *fixture) {
  DumpSink wanted, found;

  fold_told (fixture);

  MapState *state = fold_ref_state (fixture->fold);

  dump_init (&wanted);
  dump_init (&found);
  gomap_dump (&fixture->map, "table", &wanted, dump_elem_cb);
  map_state_dump (state, &found);
  g_assert_cmpstr (found.text, ==, wanted.text);
  dump_clear (&wanted);
  dump_clear (&found);
  map_state_unref (state);
}

static void
random_operation (Fixture *fixture,
                  Prng    *prng,
                  uint64_t n_keys,
                  uint64_t put_share) {
  int64_t key = (int64_t)prng_below (prng, n_keys);
  uint64_t choice = prng_below (prng, 1000);
  GoIter iter;

  if (choice < put_share) {
    g_assert_cmpint (gomap_assign (&fixture->map, key, prng_below (prng, 99),
                                   choice % 8 == 0, NULL, NULL),
                     <=, GOMAP_INSERTED);
  } else if (choice < 997) {
    gomap_delete (&fixture->map, key, NULL, NULL);
  } else if (choice < 999) {
    gomap_iter_begin (&iter, &fixture->map, prng_next (prng),
                      GOMAP_ITER_MARKS | GOMAP_ITER_TELLS, (uint32_t)choice,
                      fixture->domain.version);
    probe_event_more (EVENT_RANGE_BEGAN, (uint32_t)iter.start_bucket, iter.id,
                      iter.offset, 7, (uint64_t)fixture->map.count,
                      fixture->domain.version);
    for (unsigned steps = 0; steps < 20 && gomap_iter_next (&iter); steps++)
      gomap_delete (&fixture->map, iter.key, NULL, NULL);
    gomap_iter_flush (&iter);
    gomap_iter_end (&iter);
    probe_event (EVENT_RANGE_ENDED, (uint32_t)iter.n_visited, iter.id, 0, 7);
  } else {
    g_assert_true (gomap_clear (&fixture->map));
  }
}

static void
test_equals_table (gconstpointer data) {
  HashKind kind = (HashKind)GPOINTER_TO_UINT (data);
  uint64_t n_keys = kind == HASH_GOOD || kind == HASH_IDENTITY ? 300 : 70;

  for (unsigned round = 0; round < 6; round++) {
    Fixture fixture;
    Prng prng;

    prng_init (&prng, round);
    fixture_init (&fixture, kind, round % 2 == 0 ? 0 : TABLE_WIPES_OLD,
                  round / 2 * 20);
    assert_same (&fixture);
    for (unsigned i = 0; i < 1200; i++) {
      random_operation (&fixture, &prng, n_keys, i / 200 % 2 == 0 ? 800 : 350);
      assert_same (&fixture);
    }
    fixture_clear (&fixture);
  }
}

/* From B = 16 on noverflow is counted at random, and told. */
static void
test_equals_large_table (void) {
  Fixture fixture;

  fixture_init (&fixture, HASH_GOOD, 0, 250000);
  g_assert_cmpuint (fixture.map.B, ==, 16);
  for (int64_t key = 0; key < 450000; key++) {
    g_assert_cmpint (gomap_assign (&fixture.map, key, 1, false, NULL, NULL), ==,
                     GOMAP_INSERTED);
    if (key % 100000 == 0)
      fold_told (&fixture);
    if (key % 225000 == 0 || fixture.map.nevacuate == 9000)
      assert_same (&fixture);
  }
  g_assert_cmpuint (fixture.map.B, ==, 17);
  assert_same (&fixture);
  fixture_clear (&fixture);
}

static bool
keep_cb (uint64_t elem,
         void    *data) {
  (void)data;
  return elem % 3 != 0;
}

static void
test_equals_packed_copy (gconstpointer data) {
  Fixture fixture;
  GoMap source;
  GoMapConfig config;

  fixture_init (&fixture, (HashKind)GPOINTER_TO_UINT (data), 0, 500);
  for (int64_t key = 0; key < 500; key++)
    gomap_assign (&fixture.map, key, (uint64_t)key, false, NULL, NULL);
  for (int64_t key = 0; fixture.map.oldbuckets != NULL; key++)
    gomap_assign (&fixture.map, key, (uint64_t)key, false, NULL, NULL);
  assert_same (&fixture);

  source = fixture.map;
  config = source.config;
  config.id = 8;
  g_assert_true (gomap_init (&fixture.map, &config, 500, source.hash0));
  probe_event (EVENT_TABLE_NAMED, 0, ++fixture.domain.version, 0, 8);
  assert_same (&fixture);
  g_assert_true (gomap_copy_packed (&fixture.map, &source, NULL, keep_cb, NULL));
  assert_same (&fixture);
  g_assert_cmpint (fixture.map.count, ==, 333);
  gomap_finish (&source);
  fixture_clear (&fixture);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  for (unsigned kind = 0; kind < HASH_FUNCTION; kind++) {
    g_autofree char *path = g_strconcat ("/core/state/fold/equals-table/",
                                         hash_kind_name ((HashKind)kind), NULL);

    g_test_add_data_func (path, GUINT_TO_POINTER (kind), test_equals_table);
  }
  g_test_add_func ("/core/state/fold/equals-large-table",
                   test_equals_large_table);
  g_test_add_data_func ("/core/state/fold/equals-packed-copy/good",
                        GUINT_TO_POINTER (HASH_GOOD), test_equals_packed_copy);
  g_test_add_data_func ("/core/state/fold/equals-packed-copy/all-equal",
                        GUINT_TO_POINTER (HASH_ALL_EQUAL),
                        test_equals_packed_copy);
  return g_test_run ();
}
