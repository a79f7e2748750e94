/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-state-delta.c — states told by what they differ in: back they are the same */
#include "each-engine.h"
#include "record-run.h"

#include "core/base/prng.h"
#include "core/state/fold.h"
#include "core/state/map-state-private.h"
#include "core/state/state-delta.h"

#define N_PLACES 24
#define N_AFTER 12

/* A base in frames and a delta, as they are read. */
typedef struct {
  GPtrArray  *frames;
  StateDelta  delta;
} Packed;

static void
packed_init (Packed         *self,
             const MapState *base) {
  self->frames = map_state_serialise (base);
  state_delta_init (&self->delta);
}

static void
packed_clear (Packed *self) {
  g_ptr_array_unref (self->frames);
  state_delta_clear (&self->delta);
}

static const guint8 *
read_frame (gpointer data,
            guint    index,
            guint8  *scratch,
            gsize   *size) {
  const Packed *packed = data;

  return g_bytes_get_data (packed->frames->pdata[index], size);
}

/* Into memory of exactly the size: sanitizers see who reads beyond. */
static const guint8 *
read_delta (gpointer data,
            gsize    at,
            gsize    size,
            guint8  *scratch) {
  const Packed *packed = data;

  g_assert_cmpuint (at + size, <=, packed->delta.bytes->len);
  memcpy (scratch, packed->delta.bytes->data + at, size);
  return scratch;
}

static MapState *
restore_by (Packed  *packed,
            gboolean is_read_plainly) {
  StateDeltaSource source = { read_delta, packed, packed->delta.front_size,
                              packed->delta.bytes->len, is_read_plainly };
  gsize n_bytes = 0;

  for (guint i = 0; i < packed->frames->len; i++)
    n_bytes += g_bytes_get_size (packed->frames->pdata[i]);
  return map_state_restore_changed (read_frame, packed, packed->frames->len,
                                    n_bytes, &source, TRUE);
}

static MapState *
restore (Packed *packed) {
  return restore_by (packed, FALSE);
}

static void
assert_same (const MapState *a,
             const MapState *b) {
  g_autoptr (GPtrArray) frames = map_state_serialise (a);

  assert_same_frames (frames, b);
}

/* Keys enough for buckets in several frames. */
static void
store_many (MapEngine    *map,
            EngineThread *thread,
            Prng         *prng,
            guint         n_keys) {
  for (guint i = 0; i < 3000; i++)
    map->klass->store (map, thread, (int64_t)prng_below (prng, n_keys), i);
}

static RecordedRun
record_a_run (const EngineClass *klass,
              guint              n_keys,
              guint              n_operations) {
  RecordRun run = { .klass = klass,
                    .hash = HASH_GOOD,
                    .seed = 11,
                    .n_workers = klass->is_thread_safe ? 3 : 1,
                    .n_operations = n_operations,
                    .n_keys = n_keys,
                    .span_period = 3,
                    .tells_yields = TRUE,
                    .holds = klass->snapshot != NULL,
                    .run_some = n_operations < 100 ? store_many : NULL };

  return record_run (&run);
}

/* From the place @from some later ones, @step events apart, are told; how many
 * could be, itself left out. */
static guint
check_from (TraceLog *log,
            guint     from,
            guint64   step) {
  guint64 length = tracelog_get_length (log);
  g_autoptr (Fold) plain = fold_new ();
  g_autoptr (MapState) base = NULL;
  guint n_told = 0;
  Packed packed;

  fold_to (plain, log, length * from / N_PLACES);
  base = fold_ref_state (plain);
  packed_init (&packed, base);
  for (guint i = 0; i <= N_AFTER; i++) {
    guint64 at = MIN (length, length * from / N_PLACES + i * step);
    g_autoptr (MapState) state = NULL;
    g_autoptr (MapState) back = NULL;
    g_autoptr (MapState) plainly = NULL;
    g_autoptr (MapState) end = NULL;
    g_autoptr (Fold) on = NULL;

    fold_to (plain, log, at);
    state = fold_ref_state (plain);
    if (!state_delta_write (&packed.delta, base, state, G_MAXINT32))
      continue;
    n_told += i > 0;
    back = restore (&packed);
    g_assert_nonnull (back);
    assert_same (back, state);
    plainly = restore_by (&packed, TRUE);
    g_assert_nonnull (plainly);
    assert_same (plainly, state);
    on = fold_new_from_state (back);
    fold_to (on, log, MIN (length, at + 200));
    end = fold_ref_state (on);
    g_assert_cmpuint (fold_n_faults (on), ==, 0);
  }
  packed_clear (&packed);
  return n_told;
}

static void
test_comes_back_and_folds_on (gconstpointer data) {
  RecordedRun recorded = record_a_run (data, 700, 1500);
  guint n_told = 0;

  for (guint from = 0; from <= N_PLACES; from += 4)
    n_told += check_from (recorded.log, from, 20);
  /* When tables change is up to the workers, if there are several. */
  if (!((const EngineClass *)data)->is_thread_safe)
    g_assert_cmpuint (n_told, >, N_AFTER);
  recorded_run_clear (&recorded);
}

/* Frames of several runs, buckets and overflow buckets that come new. */
static void
test_large_states_are_told (gconstpointer data) {
  RecordedRun recorded = record_a_run (data, 1 << 20, 40);
  guint n_told = 0;

  for (guint from = 3; from < N_PLACES; from += 5)
    n_told += check_from (recorded.log, from, 150);
  if (!((const EngineClass *)data)->is_thread_safe)
    g_assert_cmpuint (n_told, >, 0);
  recorded_run_clear (&recorded);
}

/* A few events on, from the place where @fold stands; how many were told: a table
 * may begin to grow meanwhile. */
static guint
check_on (TraceLog *log,
          Fold     *fold) {
  g_autoptr (MapState) base = fold_ref_state (fold);
  g_autoptr (MapState) state = NULL;
  g_autoptr (MapState) back = NULL;
  Packed packed;

  packed_init (&packed, base);
  fold_to (fold, log, fold_n_events (fold) + 4);
  state = fold_ref_state (fold);
  if (state_delta_write (&packed.delta, base, state, G_MAXINT32)) {
    back = restore (&packed);
    g_assert_nonnull (back);
    assert_same (back, state);
  }
  packed_clear (&packed);
  return back != NULL;
}

/* An overflow bucket, and a key in it, behind the last record of its leaf, far from
 * all else that changes: the stretch that it is in has no other section. */
static void
test_a_new_bucket_alone_is_told (void) {
  RecordedRun recorded = record_a_run (engine_class_find ("gomap"), 1 << 20, 60);
  guint64 length = tracelog_get_length (recorded.log);
  g_autoptr (Fold) fold = fold_new ();
  guint n_linked = 0, n_told = 0;

  for (guint64 at = 0; at + 4 < length; at++) {
    Event event;

    g_assert_true (tracelog_get_event (recorded.log, at, &event));
    if (event.kind != EVENT_OVERFLOW_LINKED || n_linked++ % 128 != 0
        || at < fold_n_events (fold))
      continue;
    fold_to (fold, recorded.log, at);
    n_told += check_on (recorded.log, fold);
  }
  g_assert_cmpuint (n_told, >, 8);
  recorded_run_clear (&recorded);
}

static void
test_too_much_is_not_told (void) {
  RecordedRun recorded = record_a_run (engine_class_find ("gomap"), 700, 1500);
  guint64 length = tracelog_get_length (recorded.log);
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) base = NULL;
  g_autoptr (MapState) state = NULL;
  StateDelta delta;

  state_delta_init (&delta);
  fold_to (fold, recorded.log, length - 500);
  base = fold_ref_state (fold);
  fold_to (fold, recorded.log, length);
  state = fold_ref_state (fold);
  g_assert_true (state_delta_write (&delta, base, state, G_MAXINT32));
  g_assert_false (state_delta_write (&delta, base, state, 10));
  g_assert_true (state_delta_write (&delta, base, state, G_MAXINT32));
  state_delta_clear (&delta);
  recorded_run_clear (&recorded);
}

/* Whatever the bytes are, nobody reads or writes elsewhere. */
static void
test_damaged_deltas_do_no_harm (gconstpointer data) {
  RecordedRun recorded = record_a_run (data, 500, 900);
  guint64 length = tracelog_get_length (recorded.log);
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) base = NULL;
  g_autoptr (MapState) state = NULL;
  Packed packed;
  Prng prng;

  prng_init (&prng, 8);
  fold_to (fold, recorded.log, length - length / 50);
  base = fold_ref_state (fold);
  packed_init (&packed, base);
  fold_to (fold, recorded.log, length);
  state = fold_ref_state (fold);
  if (state_delta_write (&packed.delta, base, state, G_MAXINT32))
    for (guint i = 0; i < 3000; i++) {
      guint place = (guint)prng_below (&prng, i % 2 == 0
                                                  ? packed.delta.front_size
                                                  : packed.delta.bytes->len);
      guint8 *byte = &packed.delta.bytes->data[place], whole = *byte;
      g_autoptr (MapState) back = NULL;

      *byte = (guint8)prng_below (&prng, 256);
      back = restore (&packed);
      *byte = whole;
    }
  packed_clear (&packed);
  recorded_run_clear (&recorded);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  add_for_each_engine ("/core/state-delta/", "-comes-back-and-folds-on",
                       test_comes_back_and_folds_on);
  add_for_each_engine ("/core/state-delta/large-states-of-", "-are-told",
                       test_large_states_are_told);
  add_for_each_engine ("/core/state-delta/damaged-deltas-of-", "-do-no-harm",
                       test_damaged_deltas_do_no_harm);
  g_test_add_func ("/core/state-delta/a-new-bucket-alone-is-told",
                   test_a_new_bucket_alone_is_told);
  g_test_add_func ("/core/state-delta/too-much-is-not-told",
                   test_too_much_is_not_told);
  return g_test_run ();
}
