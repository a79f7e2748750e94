/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-helper.c — work for a second thread: begun, done, or dismissed before */
#include "core/state/helper.h"

#include <stdatomic.h>

#define ROUNDS 30000u

static void
add_one (gpointer data) {
  atomic_fetch_add ((_Atomic (guint) *)data, 1);
}

/* Dismissed at once, a call is in every state there is: waiting, just taken up,
 * at work, over. What was begun has ended by then, and nothing touches the data
 * any more. */
static void
test_calls_can_be_dismissed_at_any_time (void) {
  guint n_done = 0;

  for (guint i = 0; i < ROUNDS; i++) {
    _Atomic (guint) n = 0;
    Helper *helper = helper_call (add_one, &n);

    g_assert_nonnull (helper);
    for (guint spin = i * 37 % 20000; spin > 0; spin--)
      atomic_load (&n);
    helper_dismiss (helper);
    g_assert_cmpuint (atomic_load (&n), <=, 1);
    n_done += atomic_load (&n);
  }
  g_test_message ("%u of %u were begun", n_done, ROUNDS);
}

static void
count_down (gpointer data) {
  _Atomic (guint) *left = data;

  atomic_fetch_sub (left, 1);
}

static void
test_what_can_wait_is_done_in_turn (void) {
  static _Atomic (guint) left = 1000;

  for (guint i = 0; i < 1000; i++)
    g_assert_true (helper_later (count_down, &left));
  while (atomic_load (&left) > 0)
    g_thread_yield ();
}

/* What is to be tidied up, in order. */
typedef struct {
  _Atomic (guint) *n_done;
  guint            number;
} Tidied;

static void
tidy_next (gpointer data) {
  const Tidied *tidied = data;

  g_assert_cmpuint (atomic_load (tidied->n_done), ==, tidied->number);
  atomic_fetch_add (tidied->n_done, 1);
}

static void
test_tidying_waits_while_anyone_hurries (void) {
  static _Atomic (guint) n_done, left = 1;
  static Tidied all[101];

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    all[i] = (Tidied){ &n_done, i };
  helper_hold ();
  helper_hold ();
  for (guint i = 0; i < 100; i++)
    g_assert_true (helper_tidy (tidy_next, &all[i]));
  helper_release ();
  /* What is done in turn passes by the few that wait: the last ones. */
  g_assert_true (helper_later (count_down, &left));
  while (atomic_load (&left) > 0)
    g_thread_yield ();
  g_assert_cmpuint (atomic_load (&n_done), >=, 90);
  g_assert_cmpuint (atomic_load (&n_done), <, 100);
  helper_release ();
  while (atomic_load (&n_done) < 100)
    g_thread_yield ();
  g_assert_true (helper_tidy (tidy_next, &all[100]));
  while (atomic_load (&n_done) < 101)
    g_thread_yield ();
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/state/calls-can-be-dismissed-at-any-time",
                   test_calls_can_be_dismissed_at_any_time);
  g_test_add_func ("/core/state/what-can-wait-is-done-in-turn",
                   test_what_can_wait_is_done_in_turn);
  g_test_add_func ("/core/state/tidying-waits-while-anyone-hurries",
                   test_tidying_waits_while_anyone_hurries);
  return g_test_run ();
}
