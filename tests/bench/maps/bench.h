/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench.h — a benchmark's workers, and what they are asked to do
 *
 * Private to rows.h, which tells what Peer and PeerThread are.
 */
#pragma once

#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#ifdef __cplusplus
#include <atomic>
#define _Atomic(Type) std::atomic<Type>
using std::atomic_fetch_add;
using std::atomic_load_explicit;
using std::atomic_store;
using std::memory_order_relaxed;
#else
#include <stdatomic.h>
#endif
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BENCH_MAX_THREADS 16
/* Workers write to their own state at each operation: they keep off the lines of
 * each other, and off the pairs of lines that some processors fetch together. */
#define BENCH_APART_BYTES 128

/* What a row's calls are made with: lane, a variable of the row's own function. */
#ifndef PEER_HAS_LANES
typedef PeerThread PeerLane;
#define PEER_OPEN(worker) PeerLane *const lane = &(worker)->thread
#define PEER_CLOSE() ((void)0)
#endif

typedef struct _Bench Bench;

typedef struct {
  Bench     *bench;
  PeerThread thread;
  unsigned   index;
  uint64_t   first;   /* i begins here */
  uint64_t   n;       /* operations to do */
  uint64_t   n_done;  /* what the time is divided by */
  int64_t    began_ns;
  int64_t    ended_ns;
  uint64_t   sum;     /* of what was read: nothing is optimised away */
  uint64_t   random;
} __attribute__ ((aligned (BENCH_APART_BYTES))) Worker;

typedef struct {
  const char *name;
  uint64_t    n_ops;  /* in all, unless the command line says otherwise */
  uint64_t    n_keys; /* at the most at once, about */
  void      (*prepare) (Worker *worker); /* nullable; by worker 0, untimed */
  void      (*run)     (Worker *worker);
} Row;

struct _Bench {
  Peer             *peer;
  const Row        *row;
  unsigned          n_threads;
  uint64_t          n_ops;
  pthread_barrier_t start;
  _Atomic (bool)    is_over;     /* f: the ranges are done */
  _Atomic (uint64_t) n_writes;   /* f */
  uint32_t         *latency_ns;  /* rows of single operations; else NULL */
  size_t            n_latencies;
  uint64_t         *keys;        /* c: drawn before the time begins */
  double            bytes_per_key;
};

static inline int64_t
bench_now_ns (void) {
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* splitmix64 */
static inline uint64_t
bench_random (Worker *worker) {
  uint64_t z = worker->random += 0x9e3779b97f4a7c15u;

  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
