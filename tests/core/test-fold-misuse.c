/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-fold-misuse.c — what the fold keeps of a detected misuse */
#include "core/state/fold.h"

static void
begin_store (Fold   *fold,
             guint16 thread,
             gint64  key) {
  Event event = { .a = (guint64)key,
                  .thread = thread,
                  .kind = EVENT_OP_BEGAN,
                  .aux8 = OP_STORE };

  fold_apply (fold, &event);
}

static void
tell_misuse (Fold       *fold,
             guint16     thread,
             MisuseKind  kind,
             MisusePlace place,
             guint       op,
             gint64      key,
             guint64     writer) {
  Event event = {
    .at_ns = 70 + thread,
    .a = (guint64)key,
    .b = writer,
    .res = place,
    .ver = op,
    .thread = thread,
    .kind = EVENT_MISUSE_DETECTED,
    .aux8 = (guint8)kind,
  };

  fold_apply (fold, &event);
}

static void
test_keeps_the_newest_misuse (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (Fold) later = NULL;
  g_autoptr (MapState) before = fold_ref_state (fold);
  g_autoptr (MapState) first = NULL;
  g_autoptr (MapState) second = NULL;
  const StateMisuse *misuse = map_state_misuse (before);

  g_assert_cmpuint (misuse->at, ==, 0);
  begin_store (fold, 2, 17);
  tell_misuse (fold, 2, MISUSE_CONCURRENT_WRITES, MISUSE_AT_EXIT, 0, 17, 0);
  first = fold_ref_state (fold);
  misuse = map_state_misuse (first);
  g_assert_cmpuint (misuse->at, ==, 2);
  g_assert_cmpint (misuse->at_ns, ==, 72);
  g_assert_cmpuint (misuse->thread, ==, 2);
  g_assert_cmpint (misuse->kind, ==, MISUSE_CONCURRENT_WRITES);
  g_assert_cmpint (misuse->place, ==, MISUSE_AT_EXIT);
  g_assert_cmpint (misuse->op, ==, OP_STORE);
  g_assert_cmpint (misuse->key, ==, 17);
  g_assert_cmpint (misuse->writer, ==, -1);

  later = fold_new_from_state (first);
  tell_misuse (later, 0, MISUSE_ITERATION_AND_WRITE, MISUSE_AT_STEP,
               OP_RANGE + 1, 0, 3);
  second = fold_ref_state (later);
  misuse = map_state_misuse (second);
  g_assert_cmpuint (misuse->at, ==, 3);
  g_assert_cmpuint (misuse->thread, ==, 0);
  g_assert_cmpint (misuse->kind, ==, MISUSE_ITERATION_AND_WRITE);
  g_assert_cmpint (misuse->place, ==, MISUSE_AT_STEP);
  g_assert_cmpint (misuse->op, ==, OP_RANGE);
  g_assert_cmpint (misuse->writer, ==, 2);
  g_assert_cmpuint (map_state_counters (second)->n_misuses, ==, 2);

  /* What fits no misuse is a fault and changes nothing. */
  tell_misuse (later, 0, MISUSE_ITERATION_AND_WRITE + 1, MISUSE_AT_STEP, 0, 0, 0);
  g_assert_cmpuint (fold_n_faults (later), ==, 1);
  g_assert_cmpuint (map_state_counters (fold_peek_state (later))->n_misuses, ==,
                    2);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/fold/keeps-the-newest-misuse",
                   test_keeps_the_newest_misuse);
  return g_test_run ();
}
