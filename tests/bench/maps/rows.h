/* SPDX-License-Identifier: GPL-3.0-or-later */

/* rows.h — the benchmarks that every map runs, whoever made it
 *
 * A program includes this once, after it has said what its map is:
 *
 *   PEER_NAME                      "syncmap"
 *   Peer, PeerThread               the map; what a thread needs to use it
 *   peer_new (n_threads, n_keys), peer_free; n_keys: for maps that must know
 *                                  their size beforehand
 *   peer_enter (peer, thread, index), peer_leave (thread)
 *   PEER_HAS_LANES                 PeerLane, which the calls take in the place of a
 *                                  PeerThread; PEER_OPEN (worker), a declaration
 *                                  of `PeerLane *lane`, and PEER_CLOSE (), around
 *                                  the calls of each function
 *   peer_load, peer_store, peer_load_or_store, peer_load_and_delete
 *   PEER_HAS_RANGE                 peer_range (thread, visit, data)
 *   PEER_HAS_SWAP                  peer_swap
 *   PEER_HAS_COMPARE               peer_compare_and_swap, peer_compare_and_delete
 *   PEER_HAS_CLEAR                 peer_clear
 *   PEER_HAS_SNAPSHOT              peer_snapshot
 *   PEER_LACKS (name)              rows left out for other reasons; may be missing
 *
 * so that the calls are inlined as a program's own would be; then its main() is
 * bench_main(). One process does one row once: nothing of an earlier row warms
 * or disturbs it. `bench.py` runs them in turns and compares.
 *
 * Rows        The upper ones are those of Go's sync/map_bench_test.go: name, set-up
 *             and operations as there. Worker w counts i from w * N, so workers
 *             use ranges of their own. a, b, c, d1, d2, f, g are mixes of common
 *             programs, told at each.
 *
 * Time        From the first worker's first operation to the last one's last;
 *             ns per operation is that over the operations of all, as Go counts
 *             it: a map that scales halves it from one thread to two.
 */
#pragma once

#include "tests/bench/maps/rows-go.h"
#include "tests/bench/maps/rows-mixes.h"

#define M 1000000u

static const Row bench_rows[] = {
  { "LoadMostlyHits", 5 * M, 1024, prepare_1023, run_load_1024 },
  { "LoadMostlyMisses", 5 * M, 1, prepare_1, run_load_1024 },
  { "LoadOrStoreBalanced", M, M / 2, prepare_128, run_load_or_store_balanced },
  { "LoadOrStoreUnique", M, M, NULL, run_load_or_store_unique },
  { "LoadOrStoreCollision", 5 * M, 1, prepare_key_0, run_load_or_store_collision },
  { "LoadAndDeleteBalanced", M, 128, prepare_128, run_load_and_delete_balanced },
  { "LoadAndDeleteUnique", 5 * M, 1, NULL, run_load_and_delete_unique },
  { "LoadAndDeleteCollision", 2 * M, 1, prepare_key_0,
    run_load_and_delete_collision },
#ifdef PEER_HAS_RANGE
  { "Range", 20000, 1024, prepare_1024_stores, run_range },
#endif
  { "AdversarialAlloc", M, 2048, NULL, run_adversarial_alloc },
#ifdef PEER_HAS_RANGE
  { "AdversarialDelete", M, 2048, prepare_1024_stores, run_adversarial_delete },
#endif
  { "DeleteCollision", 5 * M, 1, prepare_key_0, run_delete_collision },
#ifdef PEER_HAS_SWAP
  { "SwapCollision", 5 * M, 1, prepare_key_0, run_swap_collision },
  { "SwapMostlyHits", 5 * M, 1024, prepare_1023, run_swap_mostly_hits },
  { "SwapMostlyMisses", M, 2, prepare_1, run_swap_mostly_misses },
#endif
#ifdef PEER_HAS_COMPARE
  { "CompareAndSwapCollision", 5 * M, 1, prepare_key_0,
    run_compare_and_swap_collision },
  { "CompareAndSwapNoExistingKey", 5 * M, 1, NULL,
    run_compare_and_swap_no_existing_key },
  { "CompareAndSwapValueNotEqual", 5 * M, 1, prepare_key_0,
    run_compare_and_swap_value_not_equal },
  { "CompareAndSwapMostlyHits", 5 * M, 1024, prepare_1023,
    run_compare_and_swap_mostly_hits },
  { "CompareAndSwapMostlyMisses", 5 * M, 1, prepare_1,
    run_compare_and_swap_mostly_misses },
  { "CompareAndDeleteCollision", 5 * M, 1, prepare_key_0,
    run_compare_and_delete_collision },
  { "CompareAndDeleteMostlyHits", 5 * M, 1024, prepare_1023,
    run_compare_and_delete_mostly_hits },
  { "CompareAndDeleteMostlyMisses", 5 * M, 1, prepare_1,
    run_compare_and_delete_mostly_misses },
#endif
#ifdef PEER_HAS_CLEAR
  { "Clear", M, 256, NULL, run_clear },
#endif
  { "a", 2 * M, KEYS_64K, prepare_64k, run_a },
  { "b", 2 * M, KEYS_1M, prepare_1m, run_b },
  { "c", 2 * M, KEYS_1M, prepare_c, run_c },
  { "d1", M, M, NULL, run_d1 },
  { "d2", M, M, NULL, run_d2 },
  { "g", M, KEYS_64K, NULL, run_g },
#ifdef PEER_HAS_RANGE
  { "f", 200, 2 * KEYS_64K, prepare_64k, run_f },
#endif
  { "GrowLatency", M, M, NULL, run_grow_latency },
  { "WorstStore", 1000, KEYS_1M, prepare_1m, run_worst_store },
  { "WorstLoad", 2 * M, KEYS_1M, prepare_half, run_worst_load },
  { "WorstLoad1k", 2000, 1000, prepare_half, run_worst_load },
  { "Memory", KEYS_FULL, KEYS_FULL, NULL, run_memory },
#ifdef PEER_HAS_SNAPSHOT
  { "Snapshot", 200, KEYS_64K, prepare_64k, run_snapshot },
#endif
};

/* Whose operations are timed one by one. */
static bool
has_latencies (const Row *row) {
  return row->run == run_grow_latency || row->run == run_worst_store
         || row->run == run_worst_load;
}

/* Which rows one thread alone does. */
static bool
is_single (const Row *row) {
  return has_latencies (row) || row->run == run_memory;
}

#include "tests/bench/maps/bench-run.h"
