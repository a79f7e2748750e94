/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-base.c — hashes, random numbers, memory, clock, mutex, rank */
#include "core/base/alloc.h"
#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/base/prng.h"
#include "core/base/rank.h"
#include "core/base/sync.h"

#include <glib.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

static void
test_good_hash_mixes (void) {
  const Hash hash = { .kind = HASH_GOOD };
  Prng prng;
  unsigned flips[64] = { 0 };
  enum { N_TRIES = 4096 };

  prng_init (&prng, 1);
  for (unsigned i = 0; i < N_TRIES; i++) {
    uint64_t seed = prng_next (&prng);
    int64_t key = (int64_t)prng_next (&prng);
    uint64_t other = (uint64_t)key ^ (1ull << (i % 64));
    uint64_t changed
        = hash_key (&hash, key, seed) ^ hash_key (&hash, (int64_t)other, seed);

    for (unsigned bit = 0; bit < 64; bit++)
      flips[bit] += (unsigned)(changed >> bit) & 1;
  }
  /* Half of the tries, give or take six standard deviations. */
  for (unsigned bit = 0; bit < 64; bit++) {
    g_assert_cmpuint (flips[bit], >, N_TRIES / 2 - 200);
    g_assert_cmpuint (flips[bit], <, N_TRIES / 2 + 200);
  }
}

static void
test_good_hash_spreads_small_keys (void) {
  const Hash hash = { .kind = HASH_GOOD };
  unsigned buckets[64] = { 0 }, tophashes[256] = { 0 };

  for (int64_t key = 0; key < 6400; key++) {
    uint64_t h = hash_key (&hash, key, 0);

    buckets[h & 63]++;
    tophashes[h >> 56]++;
  }
  for (unsigned i = 0; i < 64; i++)
    g_assert_cmpuint (buckets[i], <, 200);
  for (unsigned i = 0; i < 256; i++)
    g_assert_cmpuint (tophashes[i], <, 75);
}

static uint64_t
sum_hash (int64_t  key,
          uint64_t seed,
          void    *data) {
  return (uint64_t)key + seed + *(uint64_t *)data;
}

static void
test_teaching_hashes_break_one_thing_each (void) {
  const Hash identity = { .kind = HASH_IDENTITY };
  const Hash all_equal = { .kind = HASH_ALL_EQUAL };
  const Hash top_bits = { .kind = HASH_TOP_BITS };
  uint64_t extra = 1000;
  const Hash function = { HASH_FUNCTION, sum_hash, &extra };
  bool seen[256] = { false };

  g_assert_cmphex (hash_key (&identity, 77, 5), ==, 77);
  g_assert_cmphex (hash_key (&identity, -1, 5), ==, UINT64_MAX);
  g_assert_cmphex (hash_key (&all_equal, 1, 5), ==, hash_key (&all_equal, -9, 6));
  g_assert_cmphex (hash_key (&function, 20, 3), ==, 1023);
  for (int64_t key = 0; key < 251; key++) {
    uint64_t h = hash_key (&top_bits, key, 5);

    g_assert_cmphex (h << 8, ==, 0);
    g_assert_cmpuint (h >> 56, >=, 5);
    g_assert_false (seen[h >> 56]);
    seen[h >> 56] = true;
  }
}

static void
test_hash_names_are_stable (void) {
  g_assert_cmpstr (hash_kind_name (HASH_GOOD), ==, "good");
  g_assert_cmpstr (hash_kind_name (HASH_IDENTITY), ==, "identity");
  g_assert_cmpstr (hash_kind_name (HASH_ALL_EQUAL), ==, "all-equal");
  g_assert_cmpstr (hash_kind_name (HASH_TOP_BITS), ==, "top-bits");
  g_assert_null (hash_kind_name (HASH_FUNCTION));
}

static void
test_prng_repeats (void) {
  Prng prng;
  double sum = 0;

  /* The first three outputs of SplitMix64 from 1234567, as published. */
  prng_init (&prng, 1234567);
  g_assert_cmpuint (prng_next (&prng), ==, 6457827717110365317u);
  g_assert_cmpuint (prng_next (&prng), ==, 3203168211198807973u);
  g_assert_cmpuint (prng_next (&prng), ==, 9817491932198370423u);

  for (int i = 0; i < 10000; i++) {
    double unit = prng_unit (&prng);

    g_assert_true (unit >= 0 && unit < 1);
    sum += unit;
    g_assert_cmpuint (prng_below (&prng, 7), <, 7);
  }
  g_assert_cmpfloat_with_epsilon (sum / 10000, 0.5, 0.02);
  g_assert_cmpuint (prng_split (1, 0), !=, prng_split (1, 1));
  g_assert_cmpuint (prng_split (1, 1), ==, prng_split (1, 1));
}

static void
test_alloc_zeroes_and_aligns (void) {
  const size_t sizes[]
      = { 1, 24, 63, 64, 100, 4096, 1 << 20, (1 << 20) + 1, 5 << 20 };
  size_t held = alloc_bytes_held ();

  for (unsigned i = 0; i < G_N_ELEMENTS (sizes); i++) {
    char *memory = alloc_zeroed (sizes[i]);

    g_assert_nonnull (memory);
    g_assert_cmpuint (alloc_bytes_held (), ==, held + sizes[i]);
    g_assert_cmpuint ((uintptr_t)memory % (sizes[i] >= 64 ? 64 : 16), ==, 0);
    for (size_t at = 0; at < sizes[i]; at++)
      g_assert_cmpint (memory[at], ==, 0);
    memset (memory, 0xff, sizes[i]);
    alloc_free (memory, sizes[i]);
  }
  alloc_free (NULL, 10);
  g_assert_cmpuint (alloc_bytes_held (), ==, held);
  g_assert_null (alloc_zeroed (SIZE_MAX - 100));
  g_assert_cmpuint (alloc_bytes_held (), ==, held);
}

static void
test_alloc_fails_when_told (void) {
  void *first, *third;

  alloc_fail_after (1);
  first = alloc_zeroed (8);
  g_assert_nonnull (first);
  g_assert_null (alloc_zeroed (8));
  third = alloc_zeroed (8);
  g_assert_nonnull (third);
  alloc_free (first, 8);
  alloc_free (third, 8);

  alloc_fail_after (0);
  g_assert_null (alloc_zeroed (1 << 21));
  alloc_fail_after (0);
  alloc_fail_after (-1);
  first = alloc_zeroed (8);
  g_assert_nonnull (first);
  alloc_free (first, 8);
}

static void
test_clock_agrees_with_itself (void) {
  double per_ns = clock_stamps_per_ns ();
  int64_t start_ns = clock_now_ns ();
  uint64_t start = clock_stamp ();
  int64_t elapsed_ns;
  double by_stamps;

  while ((elapsed_ns = clock_now_ns () - start_ns) < 5000000)
    ;
  by_stamps = (double)(clock_stamp () - start) / per_ns;
  g_assert_cmpfloat (per_ns, >, 0);
  g_assert_cmpfloat (per_ns, ==, clock_stamps_per_ns ());
  /* Wide: the two clocks are read one after the other on a busy machine. */
  g_assert_cmpfloat (by_stamps, >, (double)elapsed_ns * 0.9);
}

typedef struct {
  SyncMutex mutex;
  SyncPlain guarded;
  SyncWord  atomic;
} Shared;

enum { N_TURNS = 20000 };

static void *
count_cb (void *data) {
  Shared *shared = data;

  for (int i = 0; i < N_TURNS; i++) {
    if (i % 2 != 0 || !sync_mutex_trylock (&shared->mutex, SYNC_LABEL ("try")))
      sync_mutex_lock (&shared->mutex, SYNC_LABEL ("lock"));
    sync_plain_write (&shared->guarded,
                      sync_plain_read (&shared->guarded, SYNC_LABEL ("read")) + 1,
                      SYNC_LABEL ("write"));
    sync_mutex_unlock (&shared->mutex, SYNC_LABEL ("unlock"));
    sync_word_add (&shared->atomic, 1, SYNC_LABEL ("add"));
  }
  return NULL;
}

static void
test_mutex_excludes (void) {
  Shared shared = { 0 };
  pthread_t threads[3];

  sync_mutex_init (&shared.mutex);
  for (unsigned i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_cmpint (pthread_create (&threads[i], NULL, count_cb, &shared), ==, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (threads); i++)
    pthread_join (threads[i], NULL);
  g_assert_cmpuint (sync_plain_read (&shared.guarded, SYNC_LABEL ("read")), ==,
                    3 * N_TURNS);
  g_assert_cmpuint (sync_word_load (&shared.atomic, SYNC_LABEL ("load")), ==,
                    3 * N_TURNS);
  g_assert_true (sync_mutex_trylock (&shared.mutex, SYNC_LABEL ("try")));
  sync_mutex_unlock (&shared.mutex, SYNC_LABEL ("unlock"));
  sync_mutex_clear (&shared.mutex);
}

/* Two mutexes side by side, whose sleepers share a dormitory. */
typedef struct {
  SyncMutex mutexes[2];
  uint64_t  guarded[2];
} Neighbours;

enum { N_SLEEPS = 200, N_SLEEPERS = 6 };

static void *
sleep_for_both_cb (void *data) {
  Neighbours *neighbours = data;

  for (int i = 0; i < N_SLEEPS; i++) {
    SyncMutex *mutex = &neighbours->mutexes[i % 2];

    sync_mutex_await (mutex, SYNC_LABEL ("lock"));
    neighbours->guarded[i % 2]++;
    /* The others have the processor meanwhile, and find the mutex held. */
    sched_yield ();
    sync_mutex_unlock (mutex, SYNC_LABEL ("unlock"));
  }
  return NULL;
}

static void
test_mutex_wakes_sleepers (void) {
  Neighbours neighbours = { 0 };
  pthread_t threads[N_SLEEPERS];

  for (unsigned i = 0; i < 2; i++)
    sync_mutex_init (&neighbours.mutexes[i]);
  for (unsigned i = 0; i < N_SLEEPERS; i++)
    g_assert_cmpint (
        pthread_create (&threads[i], NULL, sleep_for_both_cb, &neighbours), ==, 0);
  for (unsigned i = 0; i < N_SLEEPERS; i++)
    pthread_join (threads[i], NULL);
  for (unsigned i = 0; i < 2; i++) {
    g_assert_cmpuint (neighbours.guarded[i], ==, N_SLEEPERS * N_SLEEPS / 2);
    g_assert_true (
        sync_mutex_trylock (&neighbours.mutexes[i], SYNC_LABEL ("try")));
    sync_mutex_unlock (&neighbours.mutexes[i], SYNC_LABEL ("unlock"));
    sync_mutex_clear (&neighbours.mutexes[i]);
  }
}

static void *
go_behind_cb (void *data) {
  int *policy = data;

  rank_go_behind_window (false);
  *policy = sched_getscheduler (0);
  return NULL;
}

static int
policy_behind_window (void) {
  pthread_t thread;
  int policy = -1;

  g_assert_cmpint (pthread_create (&thread, NULL, go_behind_cb, &policy), ==, 0);
  pthread_join (thread, NULL);
  return policy;
}

/* The last test: there is a window from then on. */
static void
test_goes_behind_a_window_alone (void) {
#ifdef __linux__
  int own = sched_getscheduler (0);

  g_assert_cmpint (policy_behind_window (), ==, own);
  rank_put_window_first ();
  g_assert_cmpint (policy_behind_window (), ==, SCHED_IDLE);
  g_assert_cmpint (sched_getscheduler (0), ==, own);
#else
  g_test_skip ("Linux alone");
#endif
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/base/hash/good-mixes", test_good_hash_mixes);
  g_test_add_func ("/core/base/hash/good-spreads-small-keys",
                   test_good_hash_spreads_small_keys);
  g_test_add_func ("/core/base/hash/teaching-ones-break-one-thing-each",
                   test_teaching_hashes_break_one_thing_each);
  g_test_add_func ("/core/base/hash/names-are-stable",
                   test_hash_names_are_stable);
  g_test_add_func ("/core/base/prng/repeats", test_prng_repeats);
  g_test_add_func ("/core/base/alloc/zeroes-and-aligns",
                   test_alloc_zeroes_and_aligns);
  g_test_add_func ("/core/base/alloc/fails-when-told",
                   test_alloc_fails_when_told);
  g_test_add_func ("/core/base/clock/agrees-with-itself",
                   test_clock_agrees_with_itself);
  g_test_add_func ("/core/base/sync/mutex-excludes", test_mutex_excludes);
  g_test_add_func ("/core/base/sync/mutex-wakes-sleepers",
                   test_mutex_wakes_sleepers);
  g_test_add_func ("/core/base/rank/goes-behind-a-window-alone",
                   test_goes_behind_a_window_alone);
  return g_test_run ();
}
