/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-fold-misfits.c — what a damaged or hostile recording does to the fold
 *
 * An event that does not fit the state it meets is a counted fault, said in
 * words, and nothing more; random events never do harm.
 */
#include "core/base/prng.h"
#include "core/state/fold.h"
#include "tests/core/fold-tell.h"

static void
test_misfits_are_faults (void) {
  g_autoptr (Fold) fold = fold_new ();

  tell (fold, EVENT_SLOT_WRITTEN, 0, 0, 10, 9, 0, 0);
  g_assert_cmpstr (fold_first_fault (fold), ==,
                   "event 0 (slot-written): there is no table 9");
  tell (fold, EVENT_TABLE_CREATED, 0, 1, 29, 3, 0, 0);
  tell (fold, EVENT_TABLE_CREATED, 0, 1, 28, 3, 0, 0);
  tell (fold, EVENT_SLOT_WRITTEN, 0x7fffffff, 0, 10, 3, 0, 0);
  tell (fold, EVENT_SLOT_WRITTEN, 0xffffffff, 0, 10, 3, 0, 0);
  tell (fold, EVENT_SLOT_CLEARED, 0, 0, 0, 3, 0, 0);
  tell (fold, EVENT_GROWTH_STARTED, 0, 0, 29, 3, 0, 0);
  tell (fold, EVENT_LOCK_ACQUIRED, 1u << 20, 0, 0, 0, 0, 0);
  tell (fold, EVENT_RANGE_ENDED, 0, 3, 0, 0, 0, 0);
  tell (fold, (EventKind)200, 0, 0, 0, 0, 0, 0);
  g_assert_cmpuint (fold_n_faults (fold), ==, 8);
  g_assert_cmpuint (fold_n_events (fold), ==, 10);
}

static Event
random_event (Prng *prng) {
  static const guint32 odd[] = { 0, 1, 7, 8, 255, 4096, 1u << 20, G_MAXUINT32 };
  Event event = make ((EventKind)prng_below (prng, EVENT_N_KINDS + 2), 0, 0, 0, 0,
                      0, 0);

  event.res = prng_below (prng, 8) == 0 ? odd[prng_below (prng, 8)]
                                        : (guint32)prng_below (prng, 64);
  event.ver = (guint32)prng_below (prng, 4);
  event.aux8 = prng_below (prng, 4) == 0 ? (guint8)prng_next (prng)
                                         : (guint8)prng_below (prng, 6);
  event.aux16 = (guint16)prng_below (prng, 4);
  event.a = prng_below (prng, 16) == 0 ? prng_next (prng) : prng_below (prng, 16);
  event.b = prng_below (prng, 16) == 0 ? prng_next (prng) : prng_below (prng, 4);
  event.thread = prng_below (prng, 50) == 0 ? (guint16)prng_next (prng)
                                            : (guint16)prng_below (prng, 3);
  return event;
}

/* Whatever comes in, the fold stands, and states of it can be read. */
static void
test_garbage_does_no_harm (void) {
  for (guint64 seed = 1; seed <= 40; seed++) {
    g_autoptr (Fold) fold = fold_new ();
    Prng prng;

    prng_init (&prng, seed);
    for (guint i = 0; i < 4000; i++) {
      Event event = random_event (&prng);

      fold_apply (fold, &event);
      if (i % 500 == 499) {
        g_autoptr (MapState) state = fold_ref_state (fold);
        StateSlot slot;

        for (guint t = 0; t < map_state_n_tables (state); t++)
          map_state_find_key (state, map_state_table (state, t), 3, &slot);
        if (prng_below (&prng, 4) == 0) {
          fold_free (fold);
          fold = fold_new_from_state (state);
        }
      }
    }
    g_assert_cmpuint (fold_n_events (fold), ==, 4000);
  }
}

/* Each slot overwritten with another key than it has, and twice as much. */
static void
overwrite_all (Fold    *fold,
               guint    n,
               gboolean at_once) {
  g_autofree Event *events = g_new (Event, n);

  for (guint i = 0; i < n; i++)
    events[i] = make (EVENT_SLOT_UPDATED, i, 0, 0, 3, i + 1000, i * 2);
  if (at_once)
    fold_apply_many (fold, events, n);
  for (guint i = 0; i < n && !at_once; i++)
    fold_apply (fold, &events[i]);
}

static void
check_all (Fold  *fold,
           guint  n,
           gint64 key_of_first) {
  const StateArray *buckets
      = map_state_table (fold_peek_state (fold), 0)->buckets;

  for (guint i = 0; i < n; i++) {
    const StateBucket *bucket = state_array_bucket (buckets, i / BUCKET_SLOTS);

    g_assert_cmpint (bucket->keys[i % BUCKET_SLOTS], ==, key_of_first + i);
    g_assert_cmpuint (bucket->elems[i % BUCKET_SLOTS], ==, i * 2);
  }
}

/* Its write may be among what is missing. */
static void
test_overwrites_bring_keys_after_gaps (void) {
  for (guint at_once = 0; at_once < 2; at_once++) {
    g_autoptr (Fold) fold = fold_new ();
    guint n = 400;

    tell (fold, EVENT_TABLE_CREATED, 0, 1, 6, 3, 99, 0);
    tell (fold, EVENT_TABLE_NAMED, 0, 2, 0, 3, 0, 0);
    for (guint i = 0; i < n; i++)
      tell (fold, EVENT_SLOT_WRITTEN, i, 0, 9, 3, i, i);
    overwrite_all (fold, n, at_once);
    check_all (fold, n, 0);
    tell (fold, EVENT_DROPPED, 1, 0, 0, 0, 0, 0);
    overwrite_all (fold, n, at_once);
    check_all (fold, n, 1000);
    g_assert_cmpuint (fold_n_faults (fold), ==, 0);
  }
}

/* A move finds a key where there can be none but behind a gap: both stay. */
static void
test_moves_pass_over_keys_after_gaps (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;
  const StateBucket *bucket;

  tell (fold, EVENT_TABLE_CREATED, 0, 1, 1, 3, 99, 0);
  tell (fold, EVENT_TABLE_NAMED, 0, 2, 0, 3, 0, 0);
  for (guint i = 0; i < 3; i++)
    tell (fold, EVENT_SLOT_WRITTEN, i, 0, 9, 3, i, i);
  tell (fold, EVENT_DROPPED, 1, 0, 0, 0, 0, 0);
  tell (fold, EVENT_GROWTH_STARTED, 0, 0, 2, 3, 0, 0);
  tell (fold, EVENT_SLOT_WRITTEN, 1, 0, 9, 3, 77, 77);
  tell (fold, EVENT_BUCKET_EVACUATED, 0, 0, 0, 3, 0, 0);
  state = fold_ref_state (fold);
  bucket = state_array_bucket (map_state_table (state, 0)->buckets, 0);
  g_assert_cmpint (bucket->keys[0], ==, 0);
  g_assert_cmpint (bucket->keys[1], ==, 77);
  g_assert_cmpint (bucket->keys[2], ==, 1);
  g_assert_cmpint (bucket->keys[3], ==, 2);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/fold/misfits-are-faults", test_misfits_are_faults);
  g_test_add_func ("/core/fold/garbage-does-no-harm", test_garbage_does_no_harm);
  g_test_add_func ("/core/fold/overwrites-bring-keys-after-gaps",
                   test_overwrites_bring_keys_after_gaps);
  g_test_add_func ("/core/fold/moves-pass-over-keys-after-gaps",
                   test_moves_pass_over_keys_after_gaps);
  return g_test_run ();
}
