/* SPDX-License-Identifier: GPL-3.0-or-later */

/* peer-tbb.cc — oneTBB's concurrent_hash_map, as a peer of rows.h
 *
 * Its iteration is not safe beside writers, so it has none of the rows that walk.
 */
#include <tbb/concurrent_hash_map.h>

#include <atomic>
#include <cstdint>

struct Mix {
  static size_t hash (uint64_t key) {
    key *= 0x9e3779b97f4a7c15u;
    return key ^ (key >> 32);
  }
  static bool equal (uint64_t a, uint64_t b) { return a == b; }
};

typedef tbb::concurrent_hash_map<uint64_t, uint64_t, Mix> Table;

struct Peer {
  Table map;
};

struct PeerThread {
  Peer *peer;
};

#define PEER_NAME "tbb"
#define PEER_HAS_SWAP
#define PEER_HAS_COMPARE

static Peer *
peer_new (unsigned n_threads,
          uint64_t n_keys) {
  return new Peer;
}

static void
peer_free (Peer *peer) {
  delete peer;
}

static void
peer_enter (Peer       *peer,
            PeerThread *thread,
            unsigned    index) {
  thread->peer = peer;
}

static void
peer_leave (PeerThread *thread) {
}

static inline bool
peer_load (PeerThread *thread,
           uint64_t    key,
           uint64_t   *value) {
  Table::const_accessor found;

  if (!thread->peer->map.find (found, key))
    return false;
  *value = found->second;
  return true;
}

static inline bool
peer_swap (PeerThread *thread,
           uint64_t    key,
           uint64_t    value,
           uint64_t   *previous) {
  Table::accessor found;
  bool is_new = thread->peer->map.insert (found, key);

  *previous = is_new ? 0 : found->second;
  found->second = value;
  return !is_new;
}

static inline void
peer_store (PeerThread *thread,
            uint64_t    key,
            uint64_t    value) {
  uint64_t previous;

  peer_swap (thread, key, value, &previous);
}

static inline bool
peer_load_or_store (PeerThread *thread,
                    uint64_t    key,
                    uint64_t    value,
                    uint64_t   *actual) {
  Table::const_accessor found;
  bool is_new = thread->peer->map.insert (found, Table::value_type (key, value));

  *actual = found->second;
  return !is_new;
}

static inline bool
peer_load_and_delete (PeerThread *thread,
                      uint64_t    key,
                      uint64_t   *value) {
  Table::accessor found;

  if (!thread->peer->map.find (found, key))
    return false;
  *value = found->second;
  return thread->peer->map.erase (found);
}

static inline bool
peer_compare_and_swap (PeerThread *thread,
                       uint64_t    key,
                       uint64_t    old,
                       uint64_t    value) {
  Table::accessor found;

  if (!thread->peer->map.find (found, key) || found->second != old)
    return false;
  found->second = value;
  return true;
}

static inline bool
peer_compare_and_delete (PeerThread *thread,
                         uint64_t    key,
                         uint64_t    old) {
  Table::accessor found;

  if (!thread->peer->map.find (found, key) || found->second != old)
    return false;
  return thread->peer->map.erase (found);
}

#include "tests/bench/maps/rows.h"

int
main (int    argc,
      char **argv) {
  return bench_main (argc, argv);
}
