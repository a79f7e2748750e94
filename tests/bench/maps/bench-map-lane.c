/* SPDX-License-Identifier: GPL-3.0-or-later */

/* bench-map-lane.c — the rows of rows.h, compiled in through a syncmap's lane */
#include "tests/bench/maps/bench-map.h"

#include "core/engine/snapshot.h"
#include "core/engine/syncmap-lane-inline.h"

#define PEER_HAS_RANGE
#define PEER_HAS_SWAP
#define PEER_HAS_COMPARE
#define PEER_HAS_CLEAR
#define PEER_HAS_SNAPSHOT
#define PEER_HAS_LANES

typedef SyncLane PeerLane;

/* The lane is a variable of the row's function: it lives in registers. */
#define PEER_OPEN(worker)                                                     \
  PeerLane lane_, *const lane = &lane_;                                       \
                                                                              \
  syncmap_lane_open (lane, (worker)->thread.map, &(worker)->thread.engine)
#define PEER_CLOSE() syncmap_lane_close (lane)

static inline bool
peer_load (PeerLane *lane,
           uint64_t    key,
           uint64_t   *value) {
  return syncmap_lane_load (lane, (int64_t)key, (int64_t *)value);
}

static inline void
peer_store (PeerLane *lane,
            uint64_t    key,
            uint64_t    value) {
  syncmap_lane_store (lane, (int64_t)key, (int64_t)value);
}

static inline bool
peer_load_or_store (PeerLane *lane,
                    uint64_t    key,
                    uint64_t    value,
                    uint64_t   *actual) {
  return syncmap_lane_load_or_store (lane, (int64_t)key, (int64_t)value,
                                     (int64_t *)actual);
}

static inline bool
peer_load_and_delete (PeerLane *lane,
                      uint64_t    key,
                      uint64_t   *value) {
  return syncmap_lane_load_and_delete (lane, (int64_t)key,
                                       (int64_t *)value);
}

static inline bool
peer_swap (PeerLane *lane,
           uint64_t    key,
           uint64_t    value,
           uint64_t   *previous) {
  return syncmap_lane_swap (lane, (int64_t)key, (int64_t)value,
                            (int64_t *)previous);
}

static inline bool
peer_compare_and_swap (PeerLane *lane,
                       uint64_t    key,
                       uint64_t    old,
                       uint64_t    value) {
  return syncmap_lane_compare_and_swap (lane, (int64_t)key, (int64_t)old,
                                        (int64_t)value);
}

static inline bool
peer_compare_and_delete (PeerLane *lane,
                         uint64_t    key,
                         uint64_t    old) {
  return syncmap_lane_compare_and_delete (lane, (int64_t)key,
                                          (int64_t)old);
}

static inline void
peer_range (PeerLane *lane,
            EngineVisit visit,
            void       *data) {
  syncmap_lane_range (lane, visit, data);
}

static inline void
peer_clear (PeerLane *lane) {
  syncmap_lane_clear (lane);
}

static uint64_t
peer_snapshot (PeerLane *lane,
               uint64_t *sum) {
  EngineSnapshot *snapshot;
  uint64_t n_given = 0;

  /* Its owner may take its time. */
  syncmap_lane_close (lane);
  snapshot = engine_snapshot_begin (lane->map, lane->thread);
  for (; snapshot != NULL && engine_snapshot_next (snapshot); n_given++)
    *sum += (uint64_t)engine_snapshot_value (snapshot);
  if (snapshot != NULL)
    engine_snapshot_end (snapshot);
  syncmap_lane_open (lane, lane->map, lane->thread);
  return n_given;
}

#include "tests/bench/maps/rows.h"

int
bench_by_lane (int    argc,
               char **argv) {
  return bench_main (argc, argv);
}
