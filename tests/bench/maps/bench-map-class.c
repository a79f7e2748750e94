/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-map-class.c — the rows of rows.h, called through the engine's class */
#include "tests/bench/maps/bench-map.h"

#include "core/engine/snapshot.h"

#include <string.h>

#define PEER_HAS_RANGE
#define PEER_HAS_SWAP
#define PEER_HAS_COMPARE
#define PEER_HAS_CLEAR
#define PEER_HAS_SNAPSHOT
#define PEER_LACKS(row)                                                       \
  (bench_class->snapshot == NULL && strcmp (row, "Snapshot") == 0)

#define MAP(thread) (thread)->map, &(thread)->engine

static inline bool
peer_load (PeerThread *thread,
           uint64_t    key,
           uint64_t   *value) {
  return bench_class->load (MAP (thread), (int64_t)key, (int64_t *)value);
}

static inline void
peer_store (PeerThread *thread,
            uint64_t    key,
            uint64_t    value) {
  bench_class->store (MAP (thread), (int64_t)key, (int64_t)value);
}

static inline bool
peer_load_or_store (PeerThread *thread,
                    uint64_t    key,
                    uint64_t    value,
                    uint64_t   *actual) {
  return bench_class->load_or_store (MAP (thread), (int64_t)key, (int64_t)value,
                                     (int64_t *)actual);
}

static inline bool
peer_load_and_delete (PeerThread *thread,
                      uint64_t    key,
                      uint64_t   *value) {
  return bench_class->load_and_delete (MAP (thread), (int64_t)key,
                                       (int64_t *)value);
}

static inline bool
peer_swap (PeerThread *thread,
           uint64_t    key,
           uint64_t    value,
           uint64_t   *previous) {
  return bench_class->swap (MAP (thread), (int64_t)key, (int64_t)value,
                            (int64_t *)previous);
}

static inline bool
peer_compare_and_swap (PeerThread *thread,
                       uint64_t    key,
                       uint64_t    old,
                       uint64_t    value) {
  return bench_class->compare_and_swap (MAP (thread), (int64_t)key, (int64_t)old,
                                        (int64_t)value);
}

static inline bool
peer_compare_and_delete (PeerThread *thread,
                         uint64_t    key,
                         uint64_t    old) {
  return bench_class->compare_and_delete (MAP (thread), (int64_t)key,
                                          (int64_t)old);
}

static inline void
peer_range (PeerThread *thread,
            EngineVisit visit,
            void       *data) {
  bench_class->range (MAP (thread), visit, data);
}

static inline void
peer_clear (PeerThread *thread) {
  bench_class->clear (MAP (thread));
}

static uint64_t
peer_snapshot (PeerThread *thread,
               uint64_t   *sum) {
  EngineSnapshot *snapshot = engine_snapshot_begin (MAP (thread));
  uint64_t n_given = 0;

  if (snapshot == NULL)
    return 0;
  for (; engine_snapshot_next (snapshot); n_given++)
    *sum += (uint64_t)engine_snapshot_value (snapshot);
  engine_snapshot_end (snapshot);
  return n_given;
}

#include "tests/bench/maps/rows.h"

int
bench_by_class (int    argc,
                char **argv) {
  return bench_main (argc, argv);
}
