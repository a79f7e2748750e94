/* SPDX-License-Identifier: GPL-3.0-or-later */

/* rows-go.h — the benchmarks of Go's sync/map_bench_test.go
 *
 * Private to rows.h. Names, set-up and operations as there.
 */
#pragma once

#include "tests/bench/maps/bench.h"

static void
fill_and_prime (Worker  *worker,
                uint64_t hits) {
  PEER_OPEN (worker);
  uint64_t value;

  for (uint64_t i = 0; i < hits; i++)
    peer_load_or_store (lane, i, i, &value);
  for (uint64_t i = 0; i < 2 * hits; i++)
    if (peer_load (lane, i % hits, &value))
      worker->sum += value;
  PEER_CLOSE ();
}

static void prepare_1023 (Worker *worker) { fill_and_prime (worker, 1023); }
static void prepare_128 (Worker *worker) { fill_and_prime (worker, 128); }
static void prepare_1 (Worker *worker) { fill_and_prime (worker, 1); }

static void
prepare_key_0 (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value;

  peer_load_or_store (lane, 0, 0, &value);
  PEER_CLOSE ();
}

/* The loop of every row; its body is one operation with the number i. */
#define EACH_OP(worker, i)                                                    \
  for (uint64_t i = (worker)->first, end_ = i + (worker)->n; i < end_; i++)

static void
run_load_1024 (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value, sum = 0;

  EACH_OP (worker, i)
    if (peer_load (lane, i % 1024, &value))
      sum += value;
  worker->sum += sum;
  PEER_CLOSE ();
}

static void
run_load_or_store_balanced (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value;

  EACH_OP (worker, i) {
    uint64_t j = i % 256;

    if (j < 128) {
      if (!peer_load_or_store (lane, j, j, &value))
        abort ();
    } else if (peer_load_or_store (lane, i, i, &value)) {
      abort ();
    }
  }
  PEER_CLOSE ();
}

static void
run_load_or_store_unique (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value;

  EACH_OP (worker, i)
    peer_load_or_store (lane, i, i, &value);
  PEER_CLOSE ();
}

static void
run_load_or_store_collision (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value, sum = 0;

  EACH_OP (worker, i) {
    peer_load_or_store (lane, 0, 0, &value);
    sum += value;
  }
  worker->sum += sum;
  PEER_CLOSE ();
}

static void
run_load_and_delete_balanced (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value;

  EACH_OP (worker, i) {
    uint64_t j = i % 256;

    peer_load_and_delete (lane, j < 128 ? j : i, &value);
  }
  PEER_CLOSE ();
}

static void
run_load_and_delete_unique (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value;

  EACH_OP (worker, i)
    peer_load_and_delete (lane, i, &value);
  PEER_CLOSE ();
}

static void
run_load_and_delete_collision (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value;

  EACH_OP (worker, i)
    if (peer_load_and_delete (lane, 0, &value))
      peer_store (lane, 0, 0);
  PEER_CLOSE ();
}

static void
run_delete_collision (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value;

  EACH_OP (worker, i)
    peer_load_and_delete (lane, 0, &value);
  PEER_CLOSE ();
}

static void
run_adversarial_alloc (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value, stores = 0, loads = 0;

  EACH_OP (worker, i) {
    peer_load (lane, i, &value);
    if (++loads > stores) {
      peer_load_or_store (lane, i, stores, &value);
      loads = 0;
      stores++;
    }
  }
  PEER_CLOSE ();
}

#ifdef PEER_HAS_RANGE

static void
prepare_1024_stores (Worker *worker) {
  PEER_OPEN (worker);
  for (uint64_t i = 0; i < 1024; i++)
    peer_store (lane, i, i);
  PEER_CLOSE ();
}

static bool
visit_sum (int64_t key,
           int64_t value,
           void   *data) {
  *(uint64_t *)data += (uint64_t)value;
  return true;
}

static bool
visit_first (int64_t key,
             int64_t value,
             void   *data) {
  *(uint64_t *)data = (uint64_t)key;
  return false;
}

static void
run_range (Worker *worker) {
  PEER_OPEN (worker);
  EACH_OP (worker, i)
    peer_range (lane, visit_sum, &worker->sum);
  PEER_CLOSE ();
}

static void
run_adversarial_delete (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value, key;

  EACH_OP (worker, i) {
    peer_load (lane, i, &value);
    if (i % 1024 != 0)
      continue;
    key = UINT64_MAX;
    peer_range (lane, visit_first, &key);
    if (key != UINT64_MAX)
      peer_load_and_delete (lane, key, &value);
    peer_store (lane, i, i);
  }
  PEER_CLOSE ();
}

#endif

#ifdef PEER_HAS_SWAP

static void
run_swap_collision (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value;

  EACH_OP (worker, i)
    peer_swap (lane, 0, 0, &value);
  PEER_CLOSE ();
}

static void
swap_mostly (Worker  *worker,
             uint64_t hits) {
  PEER_OPEN (worker);
  uint64_t value;

  EACH_OP (worker, i) {
    uint64_t r = i % 1024;

    if (r < hits) {
      peer_swap (lane, r, r, &value);
    } else {
      peer_swap (lane, i, i, &value);
      peer_load_and_delete (lane, i, &value);
    }
  }
  PEER_CLOSE ();
}

static void run_swap_mostly_hits (Worker *worker) { swap_mostly (worker, 1023); }
static void run_swap_mostly_misses (Worker *worker) { swap_mostly (worker, 1); }

#endif

#ifdef PEER_HAS_COMPARE

static void
run_compare_and_swap_collision (Worker *worker) {
  PEER_OPEN (worker);
  EACH_OP (worker, i)
    if (peer_compare_and_swap (lane, 0, 0, 42))
      peer_compare_and_swap (lane, 0, 42, 0);
  PEER_CLOSE ();
}

static void
run_compare_and_swap_no_existing_key (Worker *worker) {
  PEER_OPEN (worker);
  uint64_t value;

  EACH_OP (worker, i)
    if (peer_compare_and_swap (lane, i, 0, 0))
      peer_load_and_delete (lane, i, &value);
  PEER_CLOSE ();
}

static void
run_compare_and_swap_value_not_equal (Worker *worker) {
  PEER_OPEN (worker);
  EACH_OP (worker, i)
    peer_compare_and_swap (lane, 0, 1, 2);
  PEER_CLOSE ();
}

static void
compare_and_swap_mostly (Worker  *worker,
                         uint64_t hits) {
  PEER_OPEN (worker);
  EACH_OP (worker, i) {
    uint64_t r = i % 1024, v = r < hits ? r : i;

    peer_compare_and_swap (lane, v, v, v);
  }
  PEER_CLOSE ();
}

static void
run_compare_and_swap_mostly_hits (Worker *worker) {
  compare_and_swap_mostly (worker, 1023);
}

static void
run_compare_and_swap_mostly_misses (Worker *worker) {
  compare_and_swap_mostly (worker, 1);
}

static void
run_compare_and_delete_collision (Worker *worker) {
  PEER_OPEN (worker);
  EACH_OP (worker, i)
    if (peer_compare_and_delete (lane, 0, 0))
      peer_store (lane, 0, 0);
  PEER_CLOSE ();
}

static void
compare_and_delete_mostly (Worker  *worker,
                           uint64_t hits) {
  PEER_OPEN (worker);
  EACH_OP (worker, i) {
    uint64_t r = i % 1024, v = r < hits ? r : i;

    if (peer_compare_and_delete (lane, v, v))
      peer_store (lane, v, v);
  }
  PEER_CLOSE ();
}

static void
run_compare_and_delete_mostly_hits (Worker *worker) {
  compare_and_delete_mostly (worker, 1023);
}

static void
run_compare_and_delete_mostly_misses (Worker *worker) {
  compare_and_delete_mostly (worker, 1);
}

#endif

#ifdef PEER_HAS_CLEAR

static void
run_clear (Worker *worker) {
  PEER_OPEN (worker);
  EACH_OP (worker, i) {
    peer_clear (lane);
    peer_store (lane, i % 256, i % 256);
  }
  PEER_CLOSE ();
}

#endif
