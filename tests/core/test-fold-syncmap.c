/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-fold-syncmap.c — the state folded from syncmap's events is its memory
 *
 * One thread does random operations, now and then without memory; after each the
 * events in its ring are folded, and the folded state and the engine's memory,
 * both written as text, must be the same to the byte.
 */

#include "core/base/alloc.h"
#include "core/engine/engine.h"
#include "core/probe/dump.h"
#include "core/probe/probe.h"
#include "core/state/fold.h"

#include <glib.h>
#include <string.h>

#define RING_UNITS (1u << 16)

typedef struct {
  const EngineClass *klass;
  MapEngine         *map;
  EngineThread       thread;
  Probe              probe;
  Fold              *fold;
  gint64             n_events;
} Run;

static void
fold_event (Run            *run,
            const RingUnit *unit) {
  gboolean has_payload = (unit->event.kind & EVENT_HAS_PAYLOAD) != 0;
  Event whole
      = event_from_ring (&unit->event, has_payload ? &unit[1].payload : NULL);

  whole.at_ns = ++run->n_events;
  if (whole.kind != EVENT_TIME)
    fold_apply (run->fold, &whole);
  if (fold_n_faults (run->fold) > 0)
    g_error ("%s", fold_first_fault (run->fold));
}

/* The ring may end between an event and its payload: units are lined up first. */
static void
fold_ring (Run *run) {
  g_autofree RingUnit *units = NULL;
  const RingUnit *first;
  size_t n_first, n_second;

  probe_flush (&run->probe);
  n_first = ring_peek (&run->probe.ring, &first, &n_second);
  units = g_new (RingUnit, n_first + n_second + 1);
  memcpy (units, first, n_first * sizeof *units);
  memcpy (units + n_first, run->probe.ring.units, n_second * sizeof *units);
  for (size_t i = 0; i < n_first + n_second; i++) {
    fold_event (run, &units[i]);
    i += (units[i].event.kind & EVENT_HAS_PAYLOAD) != 0;
  }
  ring_take (&run->probe.ring, n_first + n_second);
}

static void
compare_memory (Run *run) {
  g_autoptr (MapState) state = NULL;
  DumpSink wanted, found;

  fold_ring (run);
  state = fold_ref_state (run->fold);
  dump_init (&wanted);
  dump_init (&found);
  run->klass->dump (run->map, &wanted);
  map_state_dump (state, &found);
  g_assert_cmpstr (found.text, ==, wanted.text);
  dump_clear (&wanted);
  dump_clear (&found);
}

static bool
delete_some_cb (int64_t key,
                int64_t value,
                void   *data) {
  Run *run = data;

  if (key % 3 == 0)
    run->klass->delete_key (run->map, &run->thread, key);
  return key % 17 != 0;
}

static void
do_something (Run     *run,
              Prng    *prng,
              uint64_t n_keys) {
  const EngineClass *klass = run->klass;
  MapEngine *map = run->map;
  EngineThread *thread = &run->thread;
  int64_t key = (int64_t)prng_below (prng, n_keys);
  int64_t value = (int64_t)prng_below (prng, 5) - 2;
  int64_t found;

  switch (prng_below (prng, 64)) {
  case 0 ... 11:
    klass->load (map, thread, key, &found);
    break;
  case 12 ... 27:
    klass->store (map, thread, key, value);
    break;
  case 28 ... 35:
    klass->load_or_store (map, thread, key, value, &found);
    break;
  case 36 ... 43:
    klass->load_and_delete (map, thread, key, &found);
    break;
  case 44 ... 49:
    klass->delete_key (map, thread, key);
    break;
  case 50 ... 53:
    klass->swap (map, thread, key, value, &found);
    break;
  case 54 ... 57:
    klass->compare_and_swap (map, thread, key, 1, value);
    break;
  case 58 ... 60:
    klass->compare_and_delete (map, thread, key, 1);
    break;
  case 61:
    if (prng_below (prng, 8) == 0)
      klass->clear (map, thread);
    break;
  default:
    klass->range (map, thread, delete_some_cb, run);
    break;
  }
  thread->error = ENGINE_ERROR_NONE;
}

static void
run_init (Run         *run,
          const char  *engine,
          HashKind     hash,
          uint64_t     seed) {
  EngineConfig config = { .hash.kind = hash, .seed = seed };

  *run = (Run){ .klass = engine_class_find (engine), .fold = fold_new () };
  g_assert_nonnull (run->klass);
  g_assert_true (probe_init (&run->probe, RING_UNITS));
  probe_set_span_period (&run->probe, 1);
  probe_current = &run->probe;
  run->map = engine_new (run->klass, &config);
  g_assert_nonnull (run->map);
  g_assert_true (engine_enter_thread (run->map, &run->thread, 0));
}

static void
run_clear (Run *run) {
  engine_leave_thread (&run->thread);
  compare_memory (run);
  probe_current = NULL;
  engine_free (run->map);
  probe_clear (&run->probe);
  fold_free (run->fold);
}

static void
test_fold_is_memory (gconstpointer hash) {
  Prng prng = { 31 };

  for (uint64_t list = 0; list < 24; list++) {
    uint64_t n_keys = list % 3 == 0 ? 8 : list % 3 == 1 ? 60 : 300;
    Run run;

    run_init (&run, "syncmap", (HashKind)GPOINTER_TO_UINT (hash), list);
    for (int i = 0; i < 600; i++) {
      do_something (&run, &prng, n_keys);
      compare_memory (&run);
    }
    run_clear (&run);
  }
}

static void
test_fold_is_memory_without_memory (void) {
  Prng prng = { 37 };

  for (uint64_t list = 0; list < 40; list++) {
    Run run;

    run_init (&run, "syncmap", HASH_GOOD, list);
    for (int i = 0; i < 300; i++) {
      alloc_fail_after ((int64_t)prng_below (&prng, 5));
      do_something (&run, &prng, 10 + list);
      alloc_fail_after (-1);
      compare_memory (&run);
    }
    run_clear (&run);
  }
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/core/fold/syncmap/is-memory/good",
                        GUINT_TO_POINTER (HASH_GOOD), test_fold_is_memory);
  g_test_add_data_func ("/core/fold/syncmap/is-memory/all-equal",
                        GUINT_TO_POINTER (HASH_ALL_EQUAL), test_fold_is_memory);
  g_test_add_data_func ("/core/fold/syncmap/is-memory/top-bits",
                        GUINT_TO_POINTER (HASH_TOP_BITS), test_fold_is_memory);
  g_test_add_func ("/core/fold/syncmap/is-memory/without-memory",
                   test_fold_is_memory_without_memory);
  return g_test_run ();
}
