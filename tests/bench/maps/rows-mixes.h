/* SPDX-License-Identifier: GPL-3.0-or-later */

/* rows-mixes.h — mixes of common programs, and operations timed one by one
 *
 * Private to rows.h.
 */
#pragma once

#include "tests/bench/maps/bench.h"

/* Mixes -------------------------------------------------------------------- */

#define KEYS_64K 65536u
#define KEYS_1M 1000000u
/* 6.5 keys for each of 2^18 buckets: a Go table that is as full as one gets. */
#define KEYS_FULL 1703936u

static void
preload (Worker  *worker,
         uint64_t n) {
  PEER_OPEN (worker);
  uint64_t value;

  for (uint64_t i = 0; i < n; i++)
    peer_store (lane, i, i);
  /* Whatever a map puts off until it is read, is done. */
  for (unsigned round = 0; round < 2; round++)
    for (uint64_t i = 0; i < n; i++)
      if (peer_load (lane, i, &value))
        worker->sum += value;
  PEER_CLOSE ();
}

static void prepare_64k (Worker *worker) { preload (worker, KEYS_64K); }
static void prepare_1m (Worker *worker) { preload (worker, KEYS_1M); }

/* One store in @store_period, the others loads, uniform over @n_keys. */
static void
load_store_mix (Worker  *worker,
                uint64_t n_keys,
                unsigned store_period) {
  PEER_OPEN (worker);
  uint64_t value, sum = 0;

  EACH_OP (worker, i) {
    uint64_t random = bench_random (worker);
    uint64_t key = ((random >> 32) * n_keys) >> 32;

    if ((uint32_t)random % store_period == 0)
      peer_store (lane, key, i);
    else if (peer_load (lane, key, &value))
      sum += value;
  }
  worker->sum += sum;
  PEER_CLOSE ();
}

static void
run_a (Worker *worker) {
  load_store_mix (worker, KEYS_64K, 100);
}

static void
run_b (Worker *worker) {
  load_store_mix (worker, KEYS_1M, 10);
}

/* Zipfian ranks by rejection-free inversion of the continuous law: exact enough
 * for a popularity curve, the same for every peer. The ranks are spread over the
 * keys, so that popular ones are no neighbours. */
static void
prepare_c (Worker *worker) {
  Bench *bench = worker->bench;
  const double s = 0.99, n = KEYS_1M;
  const double top = pow (n + 1, 1 - s) - 1;

  prepare_1m (worker);
  bench->keys = (uint64_t *)malloc (KEYS_1M * sizeof *bench->keys);
  if (bench->keys == NULL)
    abort ();
  for (uint64_t i = 0; i < KEYS_1M; i++) {
    double u = (double)(bench_random (worker) >> 11) * 0x1p-53;
    uint64_t rank = (uint64_t)(pow (u * top + 1, 1 / (1 - s)) - 1);

    bench->keys[i] = rank * 2654435761u % KEYS_1M;
  }
}

static void
run_c (Worker *worker) {
  PEER_OPEN (worker);
  const uint64_t *keys = worker->bench->keys;
  uint64_t value, sum = 0;

  EACH_OP (worker, i) {
    uint64_t key = keys[i % KEYS_1M];

    if ((uint32_t)bench_random (worker) % 10 == 0)
      peer_store (lane, key, i);
    else if (peer_load (lane, key, &value))
      sum += value;
  }
  worker->sum += sum;
  PEER_CLOSE ();
}

static void
run_d1 (Worker *worker) {
  PEER_OPEN (worker);
  EACH_OP (worker, i)
    peer_store (lane, i, i);
  PEER_CLOSE ();
}

/* An operation is the pair. */
static void
run_d2 (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value;

  EACH_OP (worker, i) {
    peer_store (lane, i, i);
    if (peer_load (lane, i, &value))
      worker->sum += value;
  }
  PEER_CLOSE ();
}

static void
run_g (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value;

  EACH_OP (worker, i) {
    uint64_t random = bench_random (worker);
    uint64_t key = (random >> 32) % (2 * KEYS_64K);

    if (random & 1)
      peer_store (lane, key, i);
    else
      peer_load_and_delete (lane, key, &value);
  }
  PEER_CLOSE ();
}

#ifdef PEER_HAS_RANGE

static bool
visit_count (int64_t key,
             int64_t value,
             void   *data) {
  ++*(uint64_t *)data;
  return true;
}

static void
write_beside_range (Worker   *worker,
                    PeerLane *lane) {
  uint64_t random = bench_random (worker), value;
  uint64_t key = (random >> 32) % KEYS_64K;

  if ((uint32_t)random % 10 < 8)
    peer_store (lane, key, key);
  else if ((uint32_t)random % 10 == 8)
    peer_store (lane, worker->first + KEYS_64K + worker->n_done++, 0);
  else
    peer_load_and_delete (lane, key, &value);
}

/* Worker 0 walks, timed per entry; the others write meanwhile. Alone it writes a
 * thousand times before each walk, untimed. */
static void
run_f (Worker *worker) {
  PEER_OPEN (worker);
  Bench *bench = worker->bench;
  int64_t walked_ns = 0, began_ns;

  if (worker->index != 0) {
    uint64_t n_writes = 0;

    for (; !atomic_load_explicit (&bench->is_over, memory_order_relaxed);
         n_writes++)
      write_beside_range (worker, lane);
    atomic_fetch_add (&bench->n_writes, n_writes); /* once a worker */
    worker->n_done = 0;
    PEER_CLOSE ();
    return;
  }
  uint64_t n_visited = 0;

  EACH_OP (worker, i) {
    for (unsigned j = 0; bench->n_threads == 1 && j < 1000; j++)
      write_beside_range (worker, lane);
    began_ns = bench_now_ns ();
    peer_range (lane, visit_count, &n_visited);
    walked_ns += bench_now_ns () - began_ns;
  }
  atomic_store (&bench->is_over, true);
  worker->n_done = n_visited;
  worker->began_ns = 0;
  worker->ended_ns = walked_ns;
  PEER_CLOSE ();
}

#endif

#ifdef PEER_HAS_SNAPSHOT

/* Pairs taken one by one, at the caller's pace. */
static void
run_snapshot (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t n_given = 0;

  EACH_OP (worker, i)
    n_given += peer_snapshot (lane, &worker->sum);
  worker->n_done = n_given;
  PEER_CLOSE ();
}

#endif

/* Single operations --------------------------------------------------------- */

/* Each insert of a growing map, timed: what a growth costs whom. */
static void
run_grow_latency (Worker *worker) {
  PEER_OPEN (worker);
  Bench *bench = worker->bench;

  EACH_OP (worker, i) {
    int64_t began_ns = bench_now_ns ();

    peer_store (lane, i, i);
    bench->latency_ns[i] = (uint32_t)(bench_now_ns () - began_ns);
  }
  PEER_CLOSE ();
}

/* A million keys, all of them read; then new ones: the first pays for whatever
 * the map put off. */
static void
run_worst_store (Worker *worker) {
  PEER_OPEN (worker);
  Bench *bench = worker->bench;

  EACH_OP (worker, i) {
    int64_t began_ns = bench_now_ns ();

    peer_store (lane, KEYS_1M + i, i);
    bench->latency_ns[i] = (uint32_t)(bench_now_ns () - began_ns);
  }
  PEER_CLOSE ();
}

static void
prepare_half (Worker *worker) {
  preload (worker, worker->n / 2);
  PEER_OPEN (worker);
  peer_store (lane, worker->n, 0);
  PEER_CLOSE ();
}

/* Half as many keys as there are loads, all of them read, and a new one. Each
 * load that does not find its key among those read counts against them; the last
 * ones pay for whatever the map does then. Twice in all, so that the first is
 * seen whatever a map counts. */
static void
run_worst_load (Worker *worker) {
  PEER_OPEN (worker);
  Bench *bench = worker->bench;
  uint64_t value;

  EACH_OP (worker, i) {
    int64_t began_ns = bench_now_ns ();

    peer_load (lane, worker->n, &value);
    bench->latency_ns[i] = (uint32_t)(bench_now_ns () - began_ns);
  }
  PEER_CLOSE ();
}

static size_t
resident_bytes (void) {
  size_t total = 0, resident = 0;
  FILE *file = fopen ("/proc/self/statm", "r");

  if (file == NULL || fscanf (file, "%zu %zu", &total, &resident) != 2)
    resident = 0;
  if (file != NULL)
    fclose (file);
  return resident * (size_t)sysconf (_SC_PAGESIZE);
}

/* What the process grew by, over the keys. */
static void
run_memory (Worker *worker) {
  size_t before;

  malloc_trim (0);
  before = resident_bytes ();
  preload (worker, worker->n);
  malloc_trim (0);
  worker->bench->bytes_per_key
      = ((double)resident_bytes () - (double)before) / (double)worker->n;
}
