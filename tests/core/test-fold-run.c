/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-fold-run.c — each kind of event of the run, against what it must leave
 *
 * Threads, operations, locks, iterations, snapshots, drops; what tells of tables
 * and entries is in test-fold.c.
 */
#include "core/base/prng.h"
#include "core/state/fold.h"
#include "tests/core/fold-tell.h"

static void
tell_by (Fold     *fold,
         guint16   thread,
         EventKind kind,
         guint32   res,
         guint32   ver,
         guint8    aux8,
         guint16   aux16,
         guint64   a) {
  Event event = make (kind, res, ver, aux8, aux16, a, 0);

  event.thread = thread;
  fold_apply (fold, &event);
}

static void
test_threads_locks_and_operations (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;
  const StateThread *second;

  tell_by (fold, EVENT_THREAD_MAIN, EVENT_PHASE_BEGAN, 2, 0, 0, 0, 0);
  tell_by (fold, EVENT_THREAD_MAIN, EVENT_OPS_COUNTED, 50, 40, OP_STORE, 0, 30);
  tell_by (fold, 1, EVENT_THREAD_STARTED, 1, 0, 0, 0, 0);
  tell_by (fold, 0, EVENT_THREAD_STARTED, 0, 0, 0, 0, 0);
  tell_by (fold, 0, EVENT_LOCK_ACQUIRED, 6, 1, 0, 0, 0);
  tell_by (fold, 1, EVENT_OP_BEGAN, 0, 0, OP_LOAD, 0, 54);
  tell_by (fold, 1, EVENT_LOCK_WAITED, 6, 0, 0, 0, 0);
  state = fold_ref_state (fold);
  g_assert_cmpint (map_state_phase (state), ==, 2);
  g_assert_cmpuint (map_state_n_threads (state), ==, 3);
  second = map_state_thread (state, 1);
  g_assert_cmpuint (second->thread, ==, 1);
  g_assert_cmpuint (second->role, ==, 1);
  g_assert_true (second->in_op && second->is_running);
  g_assert_cmpint (second->key, ==, 54);
  g_assert_cmpint (second->waits_for, ==, 6);
  g_assert_cmpuint (map_state_thread (state, 2)->thread, ==, EVENT_THREAD_MAIN);
  g_assert_cmpint (map_state_lock (state, 0)->owner, ==, 0);
  g_assert_cmpuint (map_state_lock (state, 0)->waiters, ==, 2);
  g_clear_pointer (&state, map_state_unref);

  tell_by (fold, 0, EVENT_LOCK_RELEASED, 6, 2, 0, 0, 0);
  tell_by (fold, 1, EVENT_LOCK_ACQUIRED, 6, 3, 0, 0, 0);
  tell_by (fold, 1, EVENT_OP_ENDED, 0, 0, OP_LOAD, OP_PATH_OK | OP_PATH_IN_READ,
           9);
  tell_by (fold, 1, EVENT_THREAD_ENDED, 0, 0, 0, 0, 0);
  tell_by (fold, 1, EVENT_MISUSE_DETECTED, 0, 0, MISUSE_CONCURRENT_WRITES, 0, 0);
  state = fold_ref_state (fold);
  g_assert_cmpint (map_state_lock (state, 0)->owner, ==, 1);
  g_assert_cmpuint (map_state_lock (state, 0)->n_acquired, ==, 2);
  g_assert_cmpint (map_state_counters (state)->lock_wait_ns, ==, 2);
  g_assert_cmpint (map_state_counters (state)->lock_hold_ns, ==, 3);
  g_assert_cmpuint (map_state_counters (state)->n_misuses, ==, 1);
  g_assert_cmpuint (map_state_counters (state)->n_ops[OP_STORE], ==, 50);
  g_assert_cmpuint (map_state_counters (state)->n_ok[OP_STORE], ==, 40);
  g_assert_cmpuint (map_state_counters (state)->n_in_read, ==, 31);
  g_assert_cmpint (map_state_thread (state, 1)->value, ==, 9);
  g_assert_false (map_state_thread (state, 1)->is_running);
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
}

static void
test_readers_share_a_lock (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;
  const StateLock *lock;

  tell_by (fold, 0, EVENT_LOCK_READ_ACQUIRED, 6, 0, 0, 0, 0);
  tell_by (fold, 1, EVENT_LOCK_READ_ACQUIRED, 6, 0, 0, 0, 0);
  tell_by (fold, 2, EVENT_LOCK_WAITED, 6, 0, LOCK_WAIT_ALONE, 0, 0);
  tell_by (fold, 2, EVENT_LOCK_WAITED, 6, 0, LOCK_WAIT_DRAIN, 0, 0);
  tell_by (fold, 3, EVENT_LOCK_WAITED, 6, 0, LOCK_WAIT_READ, 0, 0);
  state = fold_ref_state (fold);
  lock = map_state_lock (state, 0);
  g_assert_cmpint (lock->owner, ==, -1);
  g_assert_cmpuint (lock->n_readers, ==, 2);
  g_assert_cmpuint (lock->readers, ==, 3);
  g_assert_cmpint (lock->claimed_by, ==, 2);
  g_assert_cmpuint (lock->waiters, ==, 12);
  g_assert_cmpuint (lock->read_waiters, ==, 8);
  g_assert_cmpuint (lock->n_waited, ==, 2);
  g_assert_cmpuint (lock->n_queue, ==, 2);
  g_assert_cmpuint (lock->queue[0], ==, 2);
  g_assert_cmpuint (lock->queue[1], ==, 3);
  g_clear_pointer (&state, map_state_unref);

  tell_by (fold, 0, EVENT_LOCK_READ_RELEASED, 6, 0, 0, 0, 0);
  tell_by (fold, 1, EVENT_LOCK_READ_RELEASED, 6, 0, 0, 0, 0);
  tell_by (fold, 2, EVENT_LOCK_ACQUIRED, 6, 1, 0, 0, 2);
  state = fold_ref_state (fold);
  lock = map_state_lock (state, 0);
  g_assert_cmpint (lock->owner, ==, 2);
  g_assert_cmpint (lock->claimed_by, ==, -1);
  g_assert_cmpuint (lock->n_readers, ==, 0);
  g_assert_cmpuint (lock->n_read_acquired, ==, 2);
  g_assert_cmpuint (lock->n_queue, ==, 1);
  g_assert_cmpuint (lock->queue[0], ==, 3);
  /* One hold by readers, from the first in to the last out. */
  g_assert_cmpint (map_state_counters (state)->lock_hold_ns, ==, 6);
  g_clear_pointer (&state, map_state_unref);

  tell_by (fold, 2, EVENT_LOCK_RELEASED, 6, 2, 0, 0, 0);
  tell_by (fold, 3, EVENT_LOCK_READ_ACQUIRED, 6, 0, 0, 0, 0);
  state = fold_ref_state (fold);
  g_assert_cmpuint (map_state_lock (state, 0)->readers, ==, 8);
  g_assert_cmpuint (map_state_lock (state, 0)->waiters, ==, 0);
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
  /* A writer beside a reader, readers that are not there. */
  tell_by (fold, 2, EVENT_LOCK_ACQUIRED, 6, 3, 0, 0, 2);
  g_assert_cmpuint (fold_n_faults (fold), ==, 1);
  tell_by (fold, 3, EVENT_LOCK_READ_RELEASED, 6, 0, 0, 0, 0);
  tell_by (fold, 3, EVENT_LOCK_READ_RELEASED, 6, 0, 0, 0, 0);
  g_assert_cmpuint (fold_n_faults (fold), ==, 2);
}

static void
test_iterations_leave_marks (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;
  const StateIter *iter;
  IterMarks marks;

  tell (fold, EVENT_TABLE_CREATED, 0, 1, 2, 3, 99, 0);
  tell_by (fold, 1, EVENT_RANGE_BEGAN, 2, 40, 5, 3, 12);
  tell_by (fold, 1, EVENT_RANGE_WALKED, 2, 40, 0x0f, 3, 0x10 | 0x20 << 8);
  tell_by (fold, 1, EVENT_RANGE_WALKED, 1 | RANGE_OLD_BUCKET, 40, 0x01, 3,
           0x02 << 16);
  state = fold_ref_state (fold);
  iter = map_state_iter (state, 0);
  g_assert_true (iter->is_open);
  g_assert_cmpuint (iter->table_created_ver, ==, 1);
  g_assert_cmpuint (iter->start_bucket, ==, 2);
  g_assert_cmpuint (iter->n_seen, ==, 5);
  g_assert_cmpuint (iter->n_skipped_nil, ==, 1);
  g_assert_cmpuint (iter->n_skipped_expunged, ==, 1);
  marks = map_state_iter_marks (state, iter, 2);
  g_assert_cmpuint (marks.seen, ==, 0x0f);
  g_assert_cmpuint (marks.skipped_nil, ==, 0x10);
  marks = map_state_iter_marks (state, iter, 1 | RANGE_OLD_BUCKET);
  g_assert_cmpuint (marks.other_half, ==, 2);
  g_assert_cmpuint (map_state_iter_marks (state, iter, 1).seen, ==, 0);
  g_clear_pointer (&state, map_state_unref);

  tell_by (fold, 1, EVENT_RANGE_YIELDED, 0, 40, 0, 0, 7);
  tell_by (fold, 1, EVENT_RANGE_ENDED, 5, 40, 1, 0, 0);
  tell_by (fold, 1, EVENT_RANGE_BEGAN, 0, 41, 0, 3, 12);
  state = fold_ref_state (fold);
  g_assert_cmpuint (map_state_n_iters (state), ==, 2);
  g_assert_cmpuint (map_state_iter (state, 0)->n_yielded, ==, 1);
  g_assert_cmpint (map_state_iter (state, 0)->yielded_key, ==, 7);
  g_assert_true (map_state_iter (state, 0)->was_stopped);
  g_clear_pointer (&state, map_state_unref);
  tell_by (fold, 1, EVENT_RANGE_ENDED, 0, 41, 0, 0, 0);
  state = fold_ref_state (fold);
  g_assert_cmpuint (map_state_n_iters (state), ==, 1);
  g_assert_cmpuint (map_state_iter (state, 0)->id, ==, 41);
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
}

/* Nor do they put out what is shown of one whose walk is. */
static void
test_untold_iterations_are_counted (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;

  tell (fold, EVENT_TABLE_CREATED, 0, 1, 2, 3, 99, 0);
  tell_by (fold, 1, EVENT_RANGE_BEGAN, 2, 40, 5, 3, 12);
  tell_by (fold, 1, EVENT_RANGE_BEGAN, 1, 0, 5, 3, 12);
  tell_by (fold, 1, EVENT_RANGE_ENDED, 12, 0, 0, 0, 0);
  tell_by (fold, 1, EVENT_RANGE_ENDED, 12, 40, 0, 0, 0);
  tell_by (fold, 1, EVENT_RANGE_BEGAN, 1, 0, 5, 3, 12);
  tell_by (fold, 1, EVENT_RANGE_ENDED, 12, 0, 0, 0, 0);
  state = fold_ref_state (fold);
  g_assert_cmpuint (map_state_counters (state)->n_ranges, ==, 3);
  g_assert_cmpuint (map_state_n_iters (state), ==, 1);
  g_assert_cmpuint (map_state_iter (state, 0)->id, ==, 40);
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
}

static void
test_snapshots_open_and_end (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;

  tell_by (fold, 1, EVENT_SNAPSHOT_BEGAN, 0, 7, 0, 0, 40);
  tell_by (fold, 2, EVENT_SNAPSHOT_BEGAN, 0, 8, 0, 0, 41);
  tell_by (fold, 1, EVENT_SNAPSHOT_GAVE, 0, 7, 0, 0, 12);
  tell_by (fold, 1, EVENT_SNAPSHOT_GAVE, 0, 7, 0, 0, 13);
  state = fold_ref_state (fold);
  g_assert_cmpuint (map_state_snapshot (state, 0)->n_given, ==, 2);
  g_assert_cmpint (map_state_snapshot (state, 0)->given_key, ==, 13);
  g_assert_cmpuint (map_state_snapshot (state, 1)->n_given, ==, 0);
  tell_by (fold, 1, EVENT_SNAPSHOT_ENDED, 3, 7, 1, 0, 0);
  g_assert_cmpuint (map_state_n_snapshots (state), ==, 2);
  g_assert_cmpuint (map_state_snapshot (state, 0)->version, ==, 40);
  g_clear_pointer (&state, map_state_unref);
  state = fold_ref_state (fold);
  g_assert_cmpuint (map_state_n_snapshots (state), ==, 1);
  g_assert_cmpuint (map_state_snapshot (state, 0)->id, ==, 8);
  g_assert_cmpuint (map_state_snapshot (state, 0)->thread, ==, 2);
  g_assert_cmpuint (map_state_counters (state)->n_snapshots, ==, 2);
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
  tell_by (fold, 1, EVENT_SNAPSHOT_ENDED, 3, 7, 1, 0, 0);
  g_assert_cmpuint (fold_n_faults (fold), ==, 1);
  /* Nor of another thread's. */
  tell_by (fold, 1, EVENT_SNAPSHOT_GAVE, 0, 8, 0, 0, 14);
  g_assert_cmpuint (fold_n_faults (fold), ==, 2);
}

static void
test_operations_in_brief_are_counted (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;
  const StateThread *thread;

  /* Key -5 in the two halves of OP_TOLD. */
  tell_by (fold, 2, EVENT_OP_TOLD, 0xfffffffb, 0xffffffff, OP_LOAD,
           OP_PATH_OK | OP_PATH_IN_READ, 0);
  tell_by (fold, 2, EVENT_OP_TOLD, 7, 0, OP_SWAP, OP_PATH_LOCKED, 3);
  state = fold_ref_state (fold);
  thread = map_state_thread (state, 0);
  g_assert_false (thread->in_op);
  g_assert_cmpint (thread->op, ==, OP_SWAP);
  g_assert_cmpint (thread->key, ==, 7);
  g_assert_cmpuint (thread->path, ==, OP_PATH_LOCKED);
  g_assert_cmpuint (thread->n_ops, ==, 2);
  g_assert_cmpuint (map_state_counters (state)->n_ops[OP_LOAD], ==, 1);
  g_assert_cmpuint (map_state_counters (state)->n_ok[OP_LOAD], ==, 1);
  g_assert_cmpuint (map_state_counters (state)->n_in_read, ==, 1);
  g_assert_cmpuint (map_state_counters (state)->n_ok[OP_SWAP], ==, 0);
  g_assert_cmpuint (map_state_counters (state)->n_cas_retries, ==, 3);
  g_clear_pointer (&state, map_state_unref);

  /* Inside a Range that is a span the thread stays in the Range. */
  tell_by (fold, 2, EVENT_OP_BEGAN, 0, 0, OP_RANGE, 0, 0);
  tell_by (fold, 2, EVENT_OP_TOLD, 9, 0, OP_LOAD, OP_PATH_OK, 0);
  state = fold_ref_state (fold);
  thread = map_state_thread (state, 0);
  g_assert_true (thread->in_op);
  g_assert_cmpint (thread->op, ==, OP_RANGE);
  g_assert_cmpuint (thread->n_ops, ==, 3);
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
  tell_by (fold, 2, EVENT_OP_TOLD, 9, 0, OP_N_KINDS, OP_PATH_OK, 0);
  g_assert_cmpuint (fold_n_faults (fold), ==, 1);
}

/* From a drop on what does not fit is no fault. */
static void
test_drops (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = NULL;

  tell_by (fold, 2, EVENT_DROPPED, 12, 0, 0, 0, 0);
  tell (fold, EVENT_SLOT_WRITTEN, 70000, 1, 0, 9, 1, 2);
  tell (fold, EVENT_LOCK_RELEASED, 3, 9, 0, 0, 0, 0);
  tell_by (fold, 2, EVENT_DROPPED, 3, 0, 0, 0, 0);
  state = fold_ref_state (fold);
  g_assert_cmpuint (map_state_counters (state)->n_dropped, ==, 15);
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
}

/* What ends behind a gap may have begun in it, of another key. */
static void
test_a_gap_parts_an_end_from_its_begin (void) {
  g_autoptr (Fold) fold = fold_new ();
  const StateThread *thread;

  tell_by (fold, 2, EVENT_OP_BEGAN, 0, 0, OP_LOAD, 0, 7);
  tell_by (fold, 2, EVENT_DROPPED, 12, 0, 0, 0, 0);
  thread = map_state_thread (fold_peek_state (fold), 0);
  g_assert_false (thread->in_op);
  tell_by (fold, 2, EVENT_OP_ENDED, 0, 0, OP_LOAD, OP_PATH_OK, 9);
  g_assert_cmpint (thread->op_began_ns, ==, -1);
  g_assert_cmpint (thread->value, ==, 9);
  tell_by (fold, 2, EVENT_OP_BEGAN, 0, 0, OP_LOAD, 0, 7);
  g_assert_cmpint (thread->op_began_ns, >=, 0);
  tell_by (fold, 2, EVENT_OP_ENDED, 0, 0, OP_STORE, OP_PATH_OK, 9);
  g_assert_cmpint (thread->op_began_ns, ==, -1);
}

/* About a few locks and threads, or some that cannot be; seldom measured. */
static Event
any_lock_event (Prng *prng) {
  static const EventKind kinds[] = {
    EVENT_LOCK_ACQUIRED,      EVENT_LOCK_ACQUIRED, EVENT_LOCK_ACQUIRED,
    EVENT_LOCK_RELEASED,      EVENT_LOCK_RELEASED, EVENT_LOCK_RELEASED,
    EVENT_LOCK_READ_ACQUIRED, EVENT_LOCK_READ_RELEASED, EVENT_LOCK_WAITED,
    EVENT_MISS_COUNTED,       EVENT_OP_BEGAN, EVENT_OP_ENDED,
    EVENT_TABLE_CLEARED,
  };
  static const guint16 threads[]
      = { 0, 1, 2, 70, 1023, 1024, 3000, EVENT_THREAD_MAIN };
  Event event = make (kinds[prng_below (prng, G_N_ELEMENTS (kinds))], 0, 0, 0, 1,
                      0, 0);

  event.at_ns += (gint64)prng_below (prng, 3);
  now_ns = event.at_ns;
  event.thread = threads[prng_below (prng, prng_below (prng, 50) == 0
                                               ? G_N_ELEMENTS (threads) : 3)];
  event.res = (guint32)prng_below (prng, 4);
  if (prng_below (prng, 100) == 0)
    event.res = (guint32)prng_below (prng, 5000);
  event.aux8 = (guint8)prng_below (prng, 3);
  if (prng_below (prng, 10) == 0)
    event.a = prng_below (prng, 2000);
  if (prng_below (prng, 10) == 0)
    event.b = prng_below (prng, 2000);
  return event;
}

/* Locks and misses among them, which fold-many.c has its own way for. */
static void
test_a_run_is_as_its_events (void) {
  for (guint seed = 0; seed < 40; seed++) {
    g_autoptr (Fold) single = fold_new ();
    g_autoptr (Fold) many = fold_new ();
    Event events[300];
    Prng prng;

    prng_init (&prng, seed);
    for (guint run = 0; run < 20; run++) {
      guint n = 1 + (guint)prng_below (&prng, G_N_ELEMENTS (events));

      for (guint i = 0; i < n; i++)
        events[i] = any_lock_event (&prng);
      if (run == 0) {
        events[0] = make (EVENT_TABLE_CREATED, 0, 1, 5, 1, 5, 0);
        if (n > 1)
          events[1] = make (EVENT_TABLE_NAMED, 0, 1, 1, 1, 0, 0);
      }
      for (guint i = 0; i < n; i++)
        fold_apply (single, &events[i]);
      fold_apply_many (many, events, n);
      assert_equal (single, many);
    }
  }
}

static void
test_every_kind_of_the_run_was_told (void) {
  for (guint kind = EVENT_NONE + 1; kind < EVENT_TIME; kind++)
    if (kind_is_of_run (kind) && !told_kinds[kind])
      g_error ("%s was not told", event_kind_name (kind));
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/fold/threads-locks-and-operations",
                   test_threads_locks_and_operations);
  g_test_add_func ("/core/fold/readers-share-a-lock", test_readers_share_a_lock);
  g_test_add_func ("/core/fold/iterations-leave-marks",
                   test_iterations_leave_marks);
  g_test_add_func ("/core/fold/untold-iterations-are-counted",
                   test_untold_iterations_are_counted);
  g_test_add_func ("/core/fold/snapshots-open-and-end",
                   test_snapshots_open_and_end);
  g_test_add_func ("/core/fold/operations-in-brief-are-counted",
                   test_operations_in_brief_are_counted);
  g_test_add_func ("/core/fold/drops", test_drops);
  g_test_add_func ("/core/fold/a-gap-parts-an-end-from-its-begin",
                   test_a_gap_parts_an_end_from_its_begin);
  g_test_add_func ("/core/fold/a-run-of-locks-is-as-its-events",
                   test_a_run_is_as_its_events);
  g_test_add_func ("/core/fold/every-kind-of-the-run-was-told",
                   test_every_kind_of_the_run_was_told);
  return g_test_run ();
}
