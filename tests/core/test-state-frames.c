/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-state-frames.c — states as bytes: back they are the same, and fold on */
#include "each-engine.h"
#include "record-run.h"

#include "core/base/prng.h"
#include "core/state/fold.h"
#include "core/state/map-state-private.h"

static void
assert_same_state (const MapState *a,
                   const MapState *b) {
  DumpSink sink_a, sink_b;

  dump_init (&sink_a);
  dump_init (&sink_b);
  map_state_dump (a, &sink_a);
  map_state_dump (b, &sink_b);
  g_assert_cmpstr (sink_a.text, ==, sink_b.text);
  dump_clear (&sink_a);
  dump_clear (&sink_b);
  g_assert_cmpmem (map_state_counters (a), sizeof (StateCounters),
                   map_state_counters (b), sizeof (StateCounters));
  g_assert_cmpuint (map_state_n_events (a), ==, map_state_n_events (b));
  g_assert_cmpint (map_state_at_ns (a), ==, map_state_at_ns (b));
  g_assert_cmpuint (map_state_n_live (a), ==, map_state_n_live (b));
  g_assert_cmpuint (map_state_n_nil (a), ==, map_state_n_nil (b));
  g_assert_cmpuint (map_state_n_expunged (a), ==, map_state_n_expunged (b));
}

static RecordedRun
record_a_run (const EngineClass *klass,
              guint              n_keys,
              guint              n_operations) {
  RecordRun run = { .klass = klass,
                    .hash = HASH_GOOD,
                    .seed = 5,
                    .n_workers = klass->is_thread_safe ? 3 : 1,
                    .n_operations = n_operations,
                    .n_keys = n_keys,
                    .span_period = 3,
                    .tells_yields = TRUE,
                    .holds = klass->snapshot != NULL };

  return record_run (&run);
}

/* At places all over a run: there and back, and then on to the next place. */
static void
test_comes_back_and_folds_on (gconstpointer data) {
  RecordedRun recorded = record_a_run (data, 700, 1500);
  guint64 length = tracelog_get_length (recorded.log);
  g_autoptr (Fold) plain = fold_new ();
  g_autoptr (Fold) restored = NULL;

  for (guint i = 0; i <= 12; i++) {
    g_autoptr (MapState) state = NULL;
    g_autoptr (MapState) back = NULL;
    g_autoptr (GPtrArray) frames = NULL;
    g_autoptr (GError) error = NULL;

    fold_to (plain, recorded.log, length * i / 12);
    state = fold_ref_state (plain);
    if (restored != NULL) {
      g_autoptr (MapState) other = NULL;

      fold_to (restored, recorded.log, length * i / 12);
      other = fold_ref_state (restored);
      assert_same_state (other, state);
    }
    frames = map_state_serialise (state);
    back = map_state_deserialise (frames, &error);
    g_assert_no_error (error);
    assert_same_state (back, state);
    assert_same_frames (frames, back);
    g_clear_pointer (&restored, fold_free);
    restored = fold_new_from_state (back);
  }
  g_assert_cmpuint (fold_n_faults (restored), ==, 0);
  recorded_run_clear (&recorded);
}

static Event
slot_written (guint32 i,
              guint64 key) {
  return (Event){ .kind = EVENT_SLOT_WRITTEN, .at_ns = i, .ver = i + 3,
                  .res = i, .aux8 = (guint8)(5 + i % 200), .a = key,
                  .b = key * 5 };
}

/* A table of many frames, with values of every width and sign, and holes. */
static void
test_large_tables_take_many_frames (void) {
  g_autoptr (Fold) fold = fold_new ();
  Event made = { .kind = EVENT_TABLE_CREATED, .aux8 = 15, .ver = 1 };
  Event named = { .kind = EVENT_TABLE_NAMED, .ver = 2 };
  g_autoptr (MapState) state = NULL;
  g_autoptr (MapState) back = NULL;
  g_autoptr (GPtrArray) frames = NULL;

  fold_apply (fold, &made);
  fold_apply (fold, &named);
  for (guint32 i = 0; i < 8u << 15; i++) {
    guint64 key = (guint64)i << (i >> 13);
    Event event = slot_written (i, i % 3 == 0 ? 0 - key : key);

    if (i % 65536 < 60000)
      fold_apply (fold, &event);
  }
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
  state = fold_ref_state (fold);
  frames = map_state_serialise (state);
  g_assert_cmpuint (frames->len, >, 8);
  back = map_state_deserialise (frames, NULL);
  assert_same_state (back, state);
  assert_same_frames (frames, back);
}

/* Whatever is changed in them: refused, or a state that can be read and folded
 * on. */
static void
test_damaged_frames_do_no_harm (gconstpointer data) {
  RecordedRun recorded = record_a_run (data, 60, 300);
  guint64 length = tracelog_get_length (recorded.log);
  g_autoptr (Fold) plain = fold_new ();
  g_autoptr (MapState) state = NULL;
  g_autoptr (GPtrArray) frames = NULL;
  guint n_refused = 0;
  Prng prng;

  prng_init (&prng, 9);
  fold_to (plain, recorded.log, length / 2);
  state = fold_ref_state (plain);
  frames = map_state_serialise (state);
  for (guint i = 0; i < 2000; i++) {
    guint place = (guint)prng_below (&prng, frames->len);
    g_autoptr (GBytes) whole = g_bytes_ref (frames->pdata[place]);
    gsize size = g_bytes_get_size (whole);
    g_autofree guint8 *copy = g_memdup2 (g_bytes_get_data (whole, NULL), size);
    g_autoptr (MapState) back = NULL;

    for (guint64 n = prng_below (&prng, 4); n < 4; n++)
      copy[prng_below (&prng, size)] = (guint8)prng_next (&prng);
    if (prng_below (&prng, 8) == 0)
      size = prng_below (&prng, size);
    g_bytes_unref (frames->pdata[place]);
    frames->pdata[place] = g_bytes_new (copy, size);
    back = map_state_deserialise (frames, NULL);
    if (back != NULL) {
      g_autoptr (Fold) fold = fold_new_from_state (back);

      for (guint64 at = length / 2; at < length; at++) {
        Event event;

        tracelog_get_event (recorded.log, at, &event);
        fold_apply (fold, &event);
      }
    }
    n_refused += back == NULL;
    g_bytes_unref (frames->pdata[place]);
    frames->pdata[place] = g_steal_pointer (&whole);
  }
  g_assert_cmpuint (n_refused, >, 200);
  recorded_run_clear (&recorded);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  add_for_each_engine ("/core/state-frames/", "-comes-back-and-folds-on",
                       test_comes_back_and_folds_on);
  add_for_each_engine ("/core/state-frames/damaged-frames-of-", "-do-no-harm",
                       test_damaged_frames_do_no_harm);
  g_test_add_func ("/core/state-frames/large-tables-take-many-frames",
                   test_large_tables_take_many_frames);
  return g_test_run ();
}
