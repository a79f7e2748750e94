/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-run.h — one row, once: threads, time, a line of JSON
 *
 * Private to rows.h, whose table it reads.
 */
#pragma once

#ifndef PEER_LACKS
#define PEER_LACKS(row) false
#endif
/* Called before a thread waits for the others. */
#ifndef PEER_BEFORE_WAIT
#define PEER_BEFORE_WAIT(thread) ((void)(thread))
#endif
/* Prints what else there is to say of a row, each behind a comma. */
#ifndef PEER_PRINT
#define PEER_PRINT(peer) ((void)(peer))
#endif

static void *
work (void *data) {
  Worker *worker = (Worker *)data;
  Bench *bench = worker->bench;

  peer_enter (bench->peer, &worker->thread, worker->index);
  if (worker->index == 0 && bench->row->prepare != NULL)
    bench->row->prepare (worker);
  PEER_BEFORE_WAIT (&worker->thread);
  pthread_barrier_wait (&bench->start);
  worker->n_done = bench->row->run == run_memory ? 1 : worker->n;
#ifdef PEER_HAS_RANGE
  if (bench->row->run == run_f)
    worker->n_done = 0;
#endif
  worker->began_ns = bench_now_ns ();
  bench->row->run (worker);
  if (worker->began_ns != 0)
    worker->ended_ns = bench_now_ns ();
  PEER_BEFORE_WAIT (&worker->thread);
  /* Leaving may give memory back, which is no operation: all are done first. */
  pthread_barrier_wait (&bench->start);
  peer_leave (&worker->thread);
  return NULL;
}

static int
compare_latency (const void *a,
                 const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

  return (x > y) - (x < y);
}

static void
print_latencies (const Bench *bench) {
  size_t n = bench->n_latencies;

  qsort (bench->latency_ns, n, sizeof *bench->latency_ns, compare_latency);
  printf (", \"p50\": %u, \"p99\": %u, \"p99.9\": %u, \"max\": %u",
          bench->latency_ns[n / 2], bench->latency_ns[n * 99 / 100],
          bench->latency_ns[n * 999 / 1000], bench->latency_ns[n - 1]);
}

static void
print_result (const Bench  *bench,
              const Worker *workers) {
  int64_t began_ns = INT64_MAX, ended_ns = 0;
  uint64_t n_done = 0, sum = 0;

  for (unsigned i = 0; i < bench->n_threads; i++) {
    const Worker *worker = &workers[i];

    n_done += worker->n_done;
    sum += worker->sum;
    /* f: only the walker is timed. */
    if (worker->n_done == 0)
      continue;
    began_ns = worker->began_ns < began_ns ? worker->began_ns : began_ns;
    ended_ns = worker->ended_ns > ended_ns ? worker->ended_ns : ended_ns;
  }
  printf ("{\"peer\": \"%s\", \"row\": \"%s\", \"threads\": %u, \"ops\": %llu, "
          "\"ns_per_op\": %.3f, \"sum\": %llu",
          PEER_NAME, bench->row->name, bench->n_threads,
          (unsigned long long)n_done,
          (double)(ended_ns - began_ns) / (double)(n_done > 0 ? n_done : 1),
          (unsigned long long)sum);
  if (bench->latency_ns != NULL)
    print_latencies (bench);
  if (bench->bytes_per_key != 0)
    printf (", \"bytes_per_key\": %.1f", bench->bytes_per_key);
  if (bench->n_writes != 0)
    printf (", \"writes_per_s\": %.0f",
            (double)bench->n_writes * 1e9 / (double)(ended_ns - began_ns));
  PEER_PRINT (bench->peer);
  printf ("}\n");
}

static int
run_row (Bench *bench) {
  Worker *workers = (Worker *)aligned_alloc (
    BENCH_APART_BYTES, bench->n_threads * sizeof *workers);
  pthread_t threads[BENCH_MAX_THREADS];

  bench->peer = peer_new (bench->n_threads, bench->row->n_keys);
  if (bench->peer == NULL || workers == NULL) {
    fprintf (stderr, "%s: no memory for the map\n", PEER_NAME);
    return 1;
  }
  if (has_latencies (bench->row)) {
    bench->n_latencies = bench->n_ops;
    bench->latency_ns
        = (uint32_t *)calloc (bench->n_ops, sizeof *bench->latency_ns);
    if (bench->latency_ns == NULL)
      return 1;
    memset (bench->latency_ns, 1, bench->n_ops * sizeof *bench->latency_ns);
  }
  pthread_barrier_init (&bench->start, NULL, bench->n_threads);
  for (unsigned i = 0; i < bench->n_threads; i++) {
    workers[i] = (Worker){ .bench = bench, .index = i,
                           .first = i * bench->n_ops,
                           .n = bench->n_ops / bench->n_threads,
                           .random = i * 0x632be59bd9b4e019u + 1 };
    if (pthread_create (&threads[i], NULL, work, &workers[i]) != 0) {
      fprintf (stderr, "%s: cannot start thread %u\n", PEER_NAME, i);
      exit (1);
    }
  }
  for (unsigned i = 0; i < bench->n_threads; i++)
    pthread_join (threads[i], NULL);
  print_result (bench, workers);
  pthread_barrier_destroy (&bench->start);
  peer_free (bench->peer);
  free (bench->latency_ns);
  free (bench->keys);
  free (workers);
  return 0;
}

static int
list_rows (void) {
  for (size_t i = 0; i < sizeof bench_rows / sizeof *bench_rows; i++)
    if (!PEER_LACKS (bench_rows[i].name))
      printf ("%s %s\n", bench_rows[i].name,
              is_single (&bench_rows[i]) ? "single" : "any");
  return 0;
}

/* PROGRAM --list | PROGRAM ROW THREADS [OPS] */
static int
bench_main (int    argc,
            char **argv) {
  Bench bench = {};

  bench.n_threads = 1;
  if (argc == 2 && strcmp (argv[1], "--list") == 0)
    return list_rows ();
  for (size_t i = 0; argc >= 2 && i < sizeof bench_rows / sizeof *bench_rows; i++)
    if (strcmp (bench_rows[i].name, argv[1]) == 0)
      bench.row = &bench_rows[i];
  if (bench.row == NULL) {
    fprintf (stderr, "usage: %s --list | ROW [THREADS [OPERATIONS]]\n", argv[0]);
    return 2;
  }
  if (argc >= 3 && !is_single (bench.row))
    bench.n_threads = (unsigned)strtoul (argv[2], NULL, 10);
  bench.n_ops = argc >= 4 ? strtoull (argv[3], NULL, 10) : bench.row->n_ops;
  if (bench.n_threads < 1 || bench.n_threads > BENCH_MAX_THREADS
      || bench.n_ops < bench.n_threads) {
    fprintf (stderr, "%s: wanted 1 to %u threads and an operation for each\n",
             argv[0], BENCH_MAX_THREADS);
    return 2;
  }
  return run_row (&bench);
}
