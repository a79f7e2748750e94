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

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/fold/misfits-are-faults", test_misfits_are_faults);
  g_test_add_func ("/core/fold/garbage-does-no-harm", test_garbage_does_no_harm);
  return g_test_run ();
}
