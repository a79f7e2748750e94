/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-reclaim.c — memory lives as long as a reader may hold it, not longer
 *
 * Each test runs both ways, asymmetric (where the kernel offers it) and
 * symmetric: the test data says which. One test thread may own several records
 * of the reclaimer, so that most of it needs no real threads.
 */
#include "core/base/reclaim-private.h"

#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/base/prng.h"
#include "core/base/sync.h"

#include <glib.h>
#include <stdlib.h>

/* More polls than a batch that was kept waits for its next try. */
#define MANY_POLLS 1000

typedef struct {
  Reclaim       *reclaim;
  ReclaimThread *reader;
  ReclaimThread *writer;
} Fixture;

static unsigned n_freed;

static void
count_cb (void *memory,
          void *data) {
  free (memory);
  n_freed += GPOINTER_TO_UINT (data);
}

static void
retire (ReclaimThread *thread,
        unsigned       n) {
  for (unsigned i = 0; i < n; i++)
    reclaim_retire (thread, g_malloc (32), 32, count_cb, GUINT_TO_POINTER (1));
}

static void
poll_often (ReclaimThread *thread) {
  for (unsigned i = 0; i < MANY_POLLS; i++)
    reclaim_poll (thread);
}

static ReclaimStats
stats_of (Reclaim *reclaim) {
  ReclaimStats stats;

  reclaim_get_stats (reclaim, &stats);
  return stats;
}

static void
set_up (Fixture      *fixture,
        gconstpointer may_be_asymmetric) {
  n_freed = 0;
  fixture->reclaim
      = reclaim_new_kind (1 << 20, GPOINTER_TO_INT (may_be_asymmetric));
  g_assert_nonnull (fixture->reclaim);
  fixture->reader = reclaim_register (fixture->reclaim, 7);
  fixture->writer = reclaim_register (fixture->reclaim, 8);
}

static void
tear_down (Fixture      *fixture,
           gconstpointer may_be_asymmetric) {
  if (fixture->reader != NULL)
    reclaim_unregister (fixture->reader);
  if (fixture->writer != NULL)
    reclaim_unregister (fixture->writer);
  reclaim_free (fixture->reclaim);
}

static void
test_a_section_keeps_what_it_saw (Fixture      *fixture,
                                  gconstpointer may_be_asymmetric) {
  reclaim_enter (fixture->reader);
  reclaim_enter (fixture->reader);
  retire (fixture->writer, RECLAIM_BATCH_ITEMS);
  poll_often (fixture->writer);
  g_assert_cmpuint (n_freed, ==, 0);
  g_assert_cmpuint (stats_of (fixture->reclaim).n_held, ==,
                    RECLAIM_BATCH_ITEMS);
  g_assert_cmpuint (stats_of (fixture->reclaim).bytes_held, ==,
                    RECLAIM_BATCH_ITEMS * 32);
  g_assert_cmpint (stats_of (fixture->reclaim).oldest_holder, ==, 7);

  reclaim_leave (fixture->reader); /* still inside the outer section */
  poll_often (fixture->writer);
  g_assert_cmpuint (n_freed, ==, 0);

  reclaim_leave (fixture->reader);
  poll_often (fixture->writer);
  g_assert_cmpuint (n_freed, ==, RECLAIM_BATCH_ITEMS);
  g_assert_cmpuint (stats_of (fixture->reclaim).n_held, ==, 0);
  g_assert_cmpuint (stats_of (fixture->reclaim).bytes_held, ==, 0);
  g_assert_cmpuint (stats_of (fixture->reclaim).n_freed, ==,
                    RECLAIM_BATCH_ITEMS);
  g_assert_cmpint (stats_of (fixture->reclaim).oldest_holder, ==, -1);
}

static void
test_later_sections_keep_nothing (Fixture      *fixture,
                                  gconstpointer may_be_asymmetric) {
  retire (fixture->writer, RECLAIM_BATCH_ITEMS);
  reclaim_enter (fixture->reader);
  poll_often (fixture->writer);
  g_assert_cmpuint (n_freed, ==, RECLAIM_BATCH_ITEMS);

  /* A batch sealed after entering is kept, whatever came before. */
  retire (fixture->writer, RECLAIM_BATCH_ITEMS);
  poll_often (fixture->writer);
  g_assert_cmpuint (n_freed, ==, RECLAIM_BATCH_ITEMS);
  reclaim_leave (fixture->reader);
}

static void
test_a_section_may_retire (Fixture      *fixture,
                           gconstpointer may_be_asymmetric) {
  reclaim_enter (fixture->writer);
  retire (fixture->writer, 3 * RECLAIM_BATCH_ITEMS + 1);
  g_assert_cmpuint (n_freed, ==, 0);
  reclaim_leave (fixture->writer);
  poll_often (fixture->writer);
  g_assert_cmpuint (n_freed, ==, 3 * RECLAIM_BATCH_ITEMS);
  g_assert_cmpuint (stats_of (fixture->reclaim).n_held, ==, 1);
}

static void
retire_more_cb (void *memory,
                void *data) {
  free (memory);
  n_freed++;
  retire (data, RECLAIM_BATCH_ITEMS);
  reclaim_poll (data);
}

static void
test_freeing_may_retire (Fixture      *fixture,
                         gconstpointer may_be_asymmetric) {
  for (unsigned i = 0; i < RECLAIM_BATCH_ITEMS; i++)
    reclaim_retire (fixture->writer, g_malloc (1), 1, retire_more_cb,
                    fixture->writer);
  poll_often (fixture->writer);
  g_assert_cmpuint (n_freed, ==,
                    RECLAIM_BATCH_ITEMS + RECLAIM_BATCH_ITEMS * RECLAIM_BATCH_ITEMS);
}

static void
test_large_items_do_not_wait_for_a_batch (Fixture      *fixture,
                                          gconstpointer may_be_asymmetric) {
  reclaim_retire (fixture->writer, g_malloc (1), 1 << 20, count_cb,
                  GUINT_TO_POINTER (1));
  reclaim_poll (fixture->writer);
  g_assert_cmpuint (n_freed, ==, 1);
}

static void
test_unregistering_hands_over (Fixture      *fixture,
                               gconstpointer may_be_asymmetric) {
  ReclaimThread *third = reclaim_register (fixture->reclaim, 9);

  reclaim_enter (fixture->reader);
  retire (third, RECLAIM_BATCH_ITEMS + 5);
  reclaim_unregister (third);
  poll_often (fixture->writer);
  g_assert_cmpuint (n_freed, ==, 0);
  g_assert_cmpuint (stats_of (fixture->reclaim).n_held, ==,
                    RECLAIM_BATCH_ITEMS + 5);
  reclaim_leave (fixture->reader);
  poll_often (fixture->writer);
  g_assert_cmpuint (n_freed, ==, RECLAIM_BATCH_ITEMS + 5);
  g_assert_cmpuint (stats_of (fixture->reclaim).n_held, ==, 0);

  /* A record is used again. */
  g_assert_true (reclaim_register (fixture->reclaim, 10) == third);
  reclaim_unregister (third);
}

static void
test_the_last_one_frees_everything (Fixture      *fixture,
                                    gconstpointer may_be_asymmetric) {
  reclaim_enter (fixture->reader);
  retire (fixture->writer, 100);
  reclaim_unregister (fixture->writer);
  fixture->writer = NULL;
  g_assert_cmpuint (n_freed, ==, 0);
  reclaim_leave (fixture->reader);
  reclaim_unregister (fixture->reader);
  fixture->reader = NULL;
  g_assert_cmpuint (n_freed, ==, 100);
}

static void
test_the_limit_slows_and_lets_go (Fixture      *fixture,
                                  gconstpointer may_be_asymmetric) {
  Reclaim *reclaim
      = reclaim_new_kind (4096, GPOINTER_TO_INT (may_be_asymmetric));
  ReclaimThread *reader = reclaim_register (reclaim, 3);
  ReclaimThread *writer = reclaim_register (reclaim, 4);
  int64_t start_ns;

  reclaim_enter (reader);
  retire (writer, 4096 / 32);
  start_ns = clock_now_ns ();
  reclaim_poll (writer);
  g_assert_cmpuint (stats_of (reclaim).n_waits, ==, 0); /* at the limit */
  g_assert_cmpint (clock_now_ns () - start_ns, <, RECLAIM_WAIT_NS);

  retire (writer, RECLAIM_BATCH_ITEMS);
  start_ns = clock_now_ns ();
  reclaim_poll (writer);
  g_assert_cmpint (clock_now_ns () - start_ns, >=, RECLAIM_WAIT_NS);
  g_assert_cmpuint (stats_of (reclaim).n_waits, ==, 1);
  g_assert_cmpint (stats_of (reclaim).oldest_holder, ==, 3);
  /* Once for what was sealed, not once a poll. */
  poll_often (writer);
  g_assert_cmpuint (stats_of (reclaim).n_waits, ==, 1);
  g_assert_cmpuint (n_freed, ==, 0);

  reclaim_leave (reader);
  poll_often (writer);
  g_assert_cmpuint (n_freed, ==, 4096 / 32 + RECLAIM_BATCH_ITEMS);
  reclaim_unregister (reader);
  reclaim_unregister (writer);
  reclaim_free (reclaim);
}

/* Retires with the next allocation failing. */
static void
retire_without_memory (ReclaimThread *thread,
                       void          *memory) {
  alloc_fail_after (0);
  reclaim_retire (thread, memory, 32, count_cb, GUINT_TO_POINTER (1));
  alloc_fail_after (-1);
}

static void
test_no_memory_for_the_note (Fixture      *fixture,
                             gconstpointer may_be_asymmetric) {
  void *last = g_malloc (32);

  /* Inside a section: the emergency list, and past it the item is given up. */
  reclaim_enter (fixture->writer);
  for (unsigned i = 0; i < RECLAIM_BATCH_ITEMS; i++)
    retire_without_memory (fixture->writer, g_malloc (32));
  retire_without_memory (fixture->writer, last);
  g_assert_cmpuint (stats_of (fixture->reclaim).n_held, ==,
                    RECLAIM_BATCH_ITEMS + 1);

  /* Outside: waits for readers instead. */
  reclaim_leave (fixture->writer);
  retire_without_memory (fixture->writer, g_malloc (32));
  g_assert_cmpuint (n_freed, ==, 1);
  g_assert_cmpuint (stats_of (fixture->reclaim).n_waits, ==, 1);

  poll_often (fixture->writer);
  g_assert_cmpuint (n_freed, ==, RECLAIM_BATCH_ITEMS + 1);
  g_assert_cmpuint (stats_of (fixture->reclaim).n_held, ==, 1);
  g_free (last);

  /* The emergency list serves again. The record keeps a spare batch: use it. */
  reclaim_enter (fixture->writer);
  retire (fixture->writer, RECLAIM_BATCH_ITEMS);
  for (unsigned i = 0; i < RECLAIM_BATCH_ITEMS; i++)
    retire_without_memory (fixture->writer, g_malloc (32));
  reclaim_leave (fixture->writer);
  poll_often (fixture->writer);
  g_assert_cmpuint (n_freed, ==, 3 * RECLAIM_BATCH_ITEMS + 1);
}

/* One failure, however the next go, costs nothing: there is memory for a note
 * once in a whole batch. */
static void
test_memory_comes_back_in_time (Fixture      *fixture,
                                gconstpointer may_be_asymmetric) {
  reclaim_enter (fixture->writer);
  for (unsigned i = 0; i < RECLAIM_BATCH_ITEMS; i++)
    if (i == RECLAIM_BATCH_ITEMS / 2)
      retire (fixture->writer, 1);
    else
      retire_without_memory (fixture->writer, g_malloc (32));
  for (unsigned i = 0; i < RECLAIM_BATCH_ITEMS; i++)
    retire_without_memory (fixture->writer, g_malloc (32));
  reclaim_leave (fixture->writer);
  poll_often (fixture->writer);
  g_assert_cmpuint (n_freed, ==, 2 * RECLAIM_BATCH_ITEMS);
  g_assert_cmpuint (stats_of (fixture->reclaim).n_held, ==, 0);
}

static void
test_new_fails_cleanly (Fixture      *fixture,
                        gconstpointer may_be_asymmetric) {
  size_t held = alloc_bytes_held ();

  alloc_fail_after (0);
  g_assert_null (reclaim_new (1));
  alloc_fail_after (0);
  g_assert_null (reclaim_register (fixture->reclaim, 1));
  g_assert_cmpuint (alloc_bytes_held (), ==, held);
}

/* Stress: writers replace nodes, readers look at them ---------------------- */

enum { N_CELLS = 8, N_READERS = 2, N_WRITERS = 2, N_WRITES = 40000 };
#define ALIVE 0x600d600d600d600dull
#define DEAD 0xdeaddeaddeaddeadull

typedef struct {
  uint64_t state; /* plain: it changes only when nobody may look */
  uint64_t cell;
} Node;

typedef struct {
  Reclaim  *reclaim;
  SyncPtr   cells[N_CELLS];
  SyncMutex locks[N_CELLS];
  SyncWord  n_dead;
  SyncWord  n_writers;
  SyncWord  next_index;
} Stress;

static void
kill_cb (void *memory,
         void *data) {
  Stress *stress = data;
  Node *node = memory;

  g_assert_cmphex (node->state, ==, ALIVE);
  node->state = DEAD;
  alloc_free (node, sizeof *node);
  sync_word_add (&stress->n_dead, 1, SYNC_LABEL ("count"));
}

static Node *
node_new (uint64_t cell) {
  Node *node = alloc_zeroed (sizeof *node);

  g_assert_nonnull (node);
  node->state = ALIVE;
  node->cell = cell;
  return node;
}

static void
look (Stress        *stress,
      ReclaimThread *thread,
      uint64_t       cell) {
  const Node *node;

  reclaim_enter (thread);
  node = sync_ptr_load (&stress->cells[cell], SYNC_LABEL ("load cell"));
  for (unsigned i = 0; i < 4; i++) {
    g_assert_cmphex (node->state, ==, ALIVE);
    g_assert_cmpuint (node->cell, ==, cell);
  }
  reclaim_leave (thread);
  reclaim_poll (thread);
}

static void
replace (Stress        *stress,
         ReclaimThread *thread,
         uint64_t       cell) {
  Node *node = node_new (cell), *old;

  reclaim_enter (thread);
  sync_mutex_lock (&stress->locks[cell], SYNC_LABEL ("lock cell"));
  old = sync_ptr_load (&stress->cells[cell], SYNC_LABEL ("load cell"));
  sync_ptr_store (&stress->cells[cell], node, SYNC_LABEL ("store cell"));
  sync_mutex_unlock (&stress->locks[cell], SYNC_LABEL ("unlock cell"));
  reclaim_retire (thread, old, sizeof *old, kill_cb, stress);
  g_assert_cmphex (old->state, ==, ALIVE); /* we are inside ourselves */
  reclaim_leave (thread);
  reclaim_poll (thread);
}

static void *
read_cb (void *data) {
  Stress *stress = data;
  uint64_t index = sync_word_add (&stress->next_index, 1, SYNC_LABEL ("index"));
  ReclaimThread *thread = reclaim_register (stress->reclaim, (int32_t)index);
  Prng prng;

  prng_init (&prng, index);
  while (sync_word_load (&stress->n_writers, SYNC_LABEL ("writers")) != 0)
    look (stress, thread, prng_below (&prng, N_CELLS));
  reclaim_unregister (thread);
  return NULL;
}

static void *
write_cb (void *data) {
  Stress *stress = data;
  uint64_t index = sync_word_add (&stress->next_index, 1, SYNC_LABEL ("index"));
  ReclaimThread *thread = reclaim_register (stress->reclaim, (int32_t)index);
  Prng prng;

  prng_init (&prng, index);
  for (unsigned i = 0; i < N_WRITES; i++) {
    replace (stress, thread, prng_below (&prng, N_CELLS));
    if (i % 1024 == 1023) { /* records change hands under load */
      reclaim_unregister (thread);
      thread = reclaim_register (stress->reclaim, (int32_t)index);
    }
  }
  reclaim_unregister (thread);
  sync_word_add (&stress->n_writers, (uint64_t)-1, SYNC_LABEL ("done"));
  return NULL;
}

static void
test_stress (Fixture      *fixture,
             gconstpointer may_be_asymmetric) {
  Stress stress = { 0 };
  pthread_t threads[N_READERS + N_WRITERS];
  size_t held = alloc_bytes_held ();

  /* A limit low enough to be met; batches that are looked at before a barrier. */
  stress.reclaim = reclaim_new_kind (sizeof (Node) * 512,
                                     GPOINTER_TO_INT (may_be_asymmetric));
  for (unsigned i = 0; i < N_CELLS; i++) {
    sync_mutex_init (&stress.locks[i]);
    sync_ptr_store (&stress.cells[i], node_new (i), SYNC_LABEL ("store cell"));
  }
  sync_word_store (&stress.n_writers, N_WRITERS, SYNC_LABEL ("writers"));
  for (unsigned i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_cmpint (pthread_create (&threads[i], NULL,
                                     i < N_READERS ? read_cb : write_cb, &stress),
                     ==, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (threads); i++)
    pthread_join (threads[i], NULL);
  g_assert_cmpuint (stats_of (stress.reclaim).oldest_holder, ==, -1);
  reclaim_free (stress.reclaim);

  g_assert_cmpuint (sync_word_load (&stress.n_dead, SYNC_LABEL ("dead")), ==,
                    N_WRITERS * N_WRITES);
  for (unsigned i = 0; i < N_CELLS; i++) {
    alloc_free (sync_ptr_load (&stress.cells[i], SYNC_LABEL ("load")),
                sizeof (Node));
    sync_mutex_clear (&stress.locks[i]);
  }
  g_assert_cmpuint (alloc_bytes_held (), ==, held);
}

/* The narrow window: a reader's store of its slot is still on its way while it
 * loads the pointer already. Batches of one item, and nodes that are never
 * given back, so that a reader that was overlooked finds a dead one. Both sides
 * write the same cache lines, behind which the reader's store has to queue. */
enum { N_DUELS = 20000, N_DUEL_NODES = 4, N_QUEUES = 32 };

typedef struct {
  Reclaim *reclaim;
  SyncWord is_over;
  SyncPtr  cell;
  SyncWord states[N_DUEL_NODES];
  struct {
    _Alignas (64) SyncWord word;
  } queue[N_QUEUES];
  uint64_t n_violations; /* the reader's */
} Duel;

static void
mark_dead_cb (void *memory,
              void *data) {
  sync_word_store (memory, DEAD, SYNC_LABEL ("mark dead"));
}

static void
fill_queue (Duel *duel) {
  for (unsigned i = 0; i < N_QUEUES; i++)
    sync_word_store (&duel->queue[i].word, i, SYNC_LABEL ("fill queue"));
}

static void *
duel_reader_cb (void *data) {
  Duel *duel = data;
  ReclaimThread *thread = reclaim_register (duel->reclaim, 1);

  while (sync_word_load (&duel->is_over, SYNC_LABEL ("over")) == 0) {
    const SyncWord *state;

    fill_queue (duel);
    reclaim_enter (thread);
    state = sync_ptr_load (&duel->cell, SYNC_LABEL ("load cell"));
    for (unsigned i = 0; i < 1000; i++)
      duel->n_violations
          += sync_word_load (state, SYNC_LABEL ("load state")) != ALIVE;
    reclaim_leave (thread);
  }
  reclaim_unregister (thread);
  return NULL;
}

static void
test_no_reader_is_overlooked (Fixture      *fixture,
                              gconstpointer may_be_asymmetric) {
  Duel *duel = alloc_zeroed (sizeof *duel);
  ReclaimThread *thread;
  pthread_t reader;
  SyncWord *old = NULL;

  g_assert_nonnull (duel);
  duel->reclaim = reclaim_new_kind (0, GPOINTER_TO_INT (may_be_asymmetric));
  thread = reclaim_register (duel->reclaim, 0);
  for (unsigned i = 0; i < N_DUELS; i++) {
    SyncWord *state = &duel->states[i % N_DUEL_NODES];

    sync_word_store (state, ALIVE, SYNC_LABEL ("make alive"));
    fill_queue (duel);
    sync_ptr_store (&duel->cell, state, SYNC_LABEL ("store cell"));
    if (old == NULL)
      g_assert_cmpint (pthread_create (&reader, NULL, duel_reader_cb, duel), ==,
                       0);
    else
      reclaim_retire (thread, old, sizeof *old, mark_dead_cb, NULL);
    reclaim_poll (thread);
    old = state;
    /* A node lives again only when it was freed: the poll of a reader that was
     * taken off its core may give up, not this test. */
    while (stats_of (duel->reclaim).n_held != 0)
      reclaim_poll (thread);
  }
  sync_word_store (&duel->is_over, 1, SYNC_LABEL ("over"));
  pthread_join (reader, NULL);
  g_assert_cmpuint (duel->n_violations, ==, 0);
  reclaim_unregister (thread);
  reclaim_free (duel->reclaim);
  alloc_free (duel, sizeof *duel);
}

static void
add (const char *name,
     void      (*function) (Fixture *fixture, gconstpointer data)) {
  static const char *const ways[] = { "symmetric", "asymmetric" };

  for (int way = 0; way < 2; way++) {
    char *path = g_strdup_printf ("/core/reclaim/%s/%s", ways[way], name);

    g_test_add (path, Fixture, GINT_TO_POINTER (way), set_up, function,
                tear_down);
    g_free (path);
  }
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  add ("a-section-keeps-what-it-saw", test_a_section_keeps_what_it_saw);
  add ("later-sections-keep-nothing", test_later_sections_keep_nothing);
  add ("a-section-may-retire", test_a_section_may_retire);
  add ("freeing-may-retire", test_freeing_may_retire);
  add ("large-items-do-not-wait-for-a-batch",
       test_large_items_do_not_wait_for_a_batch);
  add ("unregistering-hands-over", test_unregistering_hands_over);
  add ("the-last-one-frees-everything", test_the_last_one_frees_everything);
  add ("the-limit-slows-and-lets-go", test_the_limit_slows_and_lets_go);
  add ("no-memory-for-the-note", test_no_memory_for_the_note);
  add ("memory-comes-back-in-time", test_memory_comes_back_in_time);
  add ("new-fails-cleanly", test_new_fails_cleanly);
  add ("stress", test_stress);
  add ("no-reader-is-overlooked", test_no_reader_is_overlooked);
  return g_test_run ();
}
