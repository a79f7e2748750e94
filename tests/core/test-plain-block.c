/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-plain-block.c — memory of unpacked blocks goes from thread to thread, and back
 *
 * The sanitizers keep freed memory on purpose and are not asked.
 */
#include "core/record/tracelog-private.h"

#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KEEPS_FREED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KEEPS_FREED 1
#endif
#endif
#ifndef KEEPS_FREED
#define KEEPS_FREED 0
#endif

/* More than are ever kept, and fewer. */
#define N_MANY 100u
#define N_KEPT_MOST 40u
#define N_FEW 8u

static gboolean
is_mapped (PlainBlock *block) {
  guchar is_in[1];

  return mincore (block, 4096, is_in) == 0;
}

static guint
count_mapped (PlainBlock **blocks,
              guint        n) {
  guint n_mapped = 0;

  for (guint i = 0; i < n; i++)
    n_mapped += is_mapped (blocks[i]);
  return n_mapped;
}

static void
take (PlainBlock **blocks,
      guint        n) {
  for (guint i = 0; i < n; i++) {
    blocks[i] = plain_block_new ();
    blocks[i]->events[TRACE_BLOCK_EVENTS - 1].at_ns = i;
  }
}

static void
give (PlainBlock **blocks,
      guint        n) {
  for (guint i = 0; i < n; i++)
    plain_block_unref (blocks[i]);
}

static void
test_few_are_kept (void) {
  PlainBlock *blocks[N_MANY], *last = plain_block_new ();

  take (blocks, N_MANY);
  g_assert_cmpuint (count_mapped (blocks, N_MANY), ==, N_MANY);
  give (blocks, N_MANY);
  g_assert_cmpuint (count_mapped (blocks, N_MANY), >, 0);
  g_assert_cmpuint (count_mapped (blocks, N_MANY), <=, N_KEPT_MOST);
  plain_block_unref (last);
  g_assert_cmpuint (count_mapped (blocks, N_MANY), ==, 0);
  g_assert_false (is_mapped (last));
}

static gpointer
take_and_give (gpointer data) {
  take (data, N_FEW);
  give (data, N_FEW);
  return NULL;
}

/* Whatever thread freed it. */
static void
test_freed_ones_are_taken_again (void) {
  PlainBlock *first[N_FEW], *blocks[N_FEW], *last = plain_block_new ();

  take_and_give (first);
  for (guint i = 0; i < 4; i++) {
    g_thread_join (g_thread_new ("takes", take_and_give, blocks));
    for (guint k = 0; k < N_FEW; k++) {
      gboolean was_there = FALSE;

      for (guint j = 0; j < N_FEW; j++)
        was_there |= blocks[k] == first[j];
      g_assert_true (was_there);
    }
  }
  plain_block_unref (last);
}

static gpointer
take_often (gpointer data) {
  PlainBlock *blocks[N_FEW];

  for (guint i = 0; i < 500; i++) {
    take (blocks, N_FEW);
    for (guint k = 0; k < N_FEW; k++)
      g_assert_cmpint (blocks[k]->events[TRACE_BLOCK_EVENTS - 1].at_ns, ==, k);
    give (blocks, N_FEW);
  }
  return NULL;
}

/* Nobody has one that another thread has. */
static void
test_many_threads (void) {
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("takes", take_often, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  if (!KEEPS_FREED) {
    g_test_add_func ("/core/plain-block/few-are-kept", test_few_are_kept);
    g_test_add_func ("/core/plain-block/freed-ones-are-taken-again",
                     test_freed_ones_are_taken_again);
  }
  g_test_add_func ("/core/plain-block/many-threads", test_many_threads);
  return g_test_run ();
}
