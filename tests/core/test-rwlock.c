/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-rwlock.c — who may hold the shared lock, and who goes first
 *
 * Threads meet at what the lock itself shows (a claim turns readers away), never
 * at sleeps. The hammer is Go's TestRWMutex (sync/rwmutex_test.go), told again.
 */
#include "core/base/sync.h"

#include <glib.h>
#include <pthread.h>
#include <sched.h>

#define L SYNC_LABEL ("test")

typedef struct {
  SyncRwLock       lock;
  _Atomic (int)    n_done;
  _Atomic (int)    writer_came_as;
  _Atomic (int)    reader_came_as;
  _Atomic (int)    n_readers; /* inside, by their own count */
  _Atomic (int)    n_writers;
  guint            n_rounds;
} World;

/* Until a writer waits or holds. */
static void
await_claim (World *world) {
  while ((sync_word_load (&world->lock.state, L) & SYNC_RWLOCK_CLAIMED) == 0)
    sched_yield ();
}

static void *
write_once (void *data) {
  World *world = data;

  sync_rwlock_lock (&world->lock, L);
  world->writer_came_as = ++world->n_done;
  sync_rwlock_unlock (&world->lock, L);
  return NULL;
}

static void *
read_once (void *data) {
  World *world = data;

  sync_rwlock_read_lock (&world->lock, L);
  world->reader_came_as = ++world->n_done;
  sync_rwlock_read_unlock (&world->lock, L);
  return NULL;
}

static void
test_readers_share (void) {
  World world = { 0 };

  sync_rwlock_init (&world.lock);
  sync_rwlock_read_lock (&world.lock, L);
  g_assert_true (sync_rwlock_arrive (&world.lock, L));
  g_assert_false (sync_rwlock_try_lock (&world.lock, L));
  sync_rwlock_read_unlock (&world.lock, L);
  sync_rwlock_read_unlock (&world.lock, L);
  g_assert_true (sync_rwlock_try_lock (&world.lock, L));
  g_assert_cmpuint (sync_rwlock_n_reads (&world.lock), ==, 2);
  g_assert_false (sync_rwlock_arrive (&world.lock, L));
  sync_rwlock_unlock (&world.lock, L);
  sync_rwlock_await_turn (&world.lock);
  sync_rwlock_read_unlock (&world.lock, L);
  sync_rwlock_lock (&world.lock, L);
  sync_rwlock_unlock (&world.lock, L);
  sync_rwlock_clear (&world.lock);
}

static void
test_waiting_writer_turns_readers_away (void) {
  World world = { 0 };
  pthread_t writer, reader;

  sync_rwlock_init (&world.lock);
  sync_rwlock_read_lock (&world.lock, L);
  pthread_create (&writer, NULL, write_once, &world);
  await_claim (&world);
  /* This one comes after the claim: behind the writer, though only readers are
   * inside now. */
  pthread_create (&reader, NULL, read_once, &world);
  g_assert_cmpint (world.n_done, ==, 0);
  sync_rwlock_read_unlock (&world.lock, L);
  pthread_join (writer, NULL);
  pthread_join (reader, NULL);
  g_assert_cmpint (world.writer_came_as, ==, 1);
  g_assert_cmpint (world.reader_came_as, ==, 2);
  sync_rwlock_clear (&world.lock);
}

static void
test_waiting_reader_goes_before_next_writer (void) {
  World world = { 0 };
  pthread_t writer, reader;

  sync_rwlock_init (&world.lock);
  sync_rwlock_lock (&world.lock, L);
  pthread_create (&reader, NULL, read_once, &world);
  /* The reader has come when it is counted in the word. */
  while ((sync_word_load (&world.lock.state, L) & (SYNC_RWLOCK_CLAIMED - 1)) == 0)
    sched_yield ();
  pthread_create (&writer, NULL, write_once, &world);
  g_assert_cmpint (world.n_done, ==, 0);
  sync_rwlock_unlock (&world.lock, L);
  pthread_join (reader, NULL);
  pthread_join (writer, NULL);
  g_assert_cmpint (world.reader_came_as, ==, 1);
  g_assert_cmpint (world.writer_came_as, ==, 2);
  sync_rwlock_clear (&world.lock);
}

static void *
hammer_reading (void *data) {
  World *world = data;

  for (guint i = 0; i < world->n_rounds; i++) {
    sync_rwlock_read_lock (&world->lock, L);
    world->n_readers++;
    g_assert_cmpint (world->n_writers, ==, 0);
    world->n_readers--;
    sync_rwlock_read_unlock (&world->lock, L);
  }
  return NULL;
}

static void *
hammer_writing (void *data) {
  World *world = data;

  for (guint i = 0; i < world->n_rounds; i++) {
    sync_rwlock_lock (&world->lock, L);
    g_assert_cmpint (++world->n_writers, ==, 1);
    g_assert_cmpint (world->n_readers, ==, 0);
    world->n_writers--;
    sync_rwlock_unlock (&world->lock, L);
  }
  return NULL;
}

static void
test_holds_under_the_hammer (gconstpointer n_readers) {
  enum { N_WRITERS = 2, MAX_READERS = 5 };
  guint n = GPOINTER_TO_UINT (n_readers);
  World world = { .n_rounds = 3000 };
  pthread_t threads[N_WRITERS + MAX_READERS];

  sync_rwlock_init (&world.lock);
  for (guint i = 0; i < N_WRITERS + n; i++)
    pthread_create (&threads[i], NULL,
                    i < N_WRITERS ? hammer_writing : hammer_reading, &world);
  for (guint i = 0; i < N_WRITERS + n; i++)
    pthread_join (threads[i], NULL);
  sync_rwlock_lock (&world.lock, L);
  g_assert_cmpuint (sync_rwlock_n_reads (&world.lock), ==, n * world.n_rounds);
  sync_rwlock_unlock (&world.lock, L);
  sync_rwlock_clear (&world.lock);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/rwlock/readers-share", test_readers_share);
  g_test_add_func ("/core/rwlock/waiting-writer-turns-readers-away",
                   test_waiting_writer_turns_readers_away);
  g_test_add_func ("/core/rwlock/waiting-reader-goes-before-next-writer",
                   test_waiting_reader_goes_before_next_writer);
  g_test_add_data_func ("/core/rwlock/holds-under-the-hammer/1",
                        GUINT_TO_POINTER (1), test_holds_under_the_hammer);
  g_test_add_data_func ("/core/rwlock/holds-under-the-hammer/5",
                        GUINT_TO_POINTER (5), test_holds_under_the_hammer);
  return g_test_run ();
}
