/* SPDX-License-Identifier: GPL-3.0-or-later */

/* peer-cuckoo.cc — libcuckoo's cuckoohash_map, as a peer of rows.h */
#include <libcuckoo/cuckoohash_map.hh>

#include <atomic>
#include <cstdint>

struct Mix {
  size_t operator() (uint64_t key) const {
    key *= 0x9e3779b97f4a7c15u;
    return key ^ (key >> 32);
  }
};

struct Peer {
  libcuckoo::cuckoohash_map<uint64_t, uint64_t, Mix> map;
};

struct PeerThread {
  Peer *peer;
};

#define PEER_NAME "libcuckoo"
#define PEER_HAS_RANGE
#define PEER_HAS_SWAP
#define PEER_HAS_COMPARE
#define PEER_HAS_CLEAR

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
  return thread->peer->map.find (key, *value);
}

static inline void
peer_store (PeerThread *thread,
            uint64_t    key,
            uint64_t    value) {
  thread->peer->map.insert_or_assign (key, value);
}

static inline bool
peer_load_or_store (PeerThread *thread,
                    uint64_t    key,
                    uint64_t    value,
                    uint64_t   *actual) {
  *actual = value;
  return !thread->peer->map.uprase_fn (
    key, [&] (uint64_t &found) { *actual = found; return false; }, value);
}

static inline bool
peer_load_and_delete (PeerThread *thread,
                      uint64_t    key,
                      uint64_t   *value) {
  return thread->peer->map.erase_fn (
    key, [&] (uint64_t &found) { *value = found; return true; });
}

static inline bool
peer_swap (PeerThread *thread,
           uint64_t    key,
           uint64_t    value,
           uint64_t   *previous) {
  return !thread->peer->map.upsert (
    key, [&] (uint64_t &found) { *previous = found; found = value; }, value);
}

static inline bool
peer_compare_and_swap (PeerThread *thread,
                       uint64_t    key,
                       uint64_t    old,
                       uint64_t    value) {
  bool is_equal = false;

  thread->peer->map.update_fn (key, [&] (uint64_t &found) {
    is_equal = found == old;
    if (is_equal)
      found = value;
  });
  return is_equal;
}

static inline bool
peer_compare_and_delete (PeerThread *thread,
                         uint64_t    key,
                         uint64_t    old) {
  bool is_equal = false;

  thread->peer->map.erase_fn (
    key, [&] (uint64_t &found) { return is_equal = found == old; });
  return is_equal;
}

/* Its iteration locks the whole table. */
static inline void
peer_range (PeerThread *thread,
            bool      (*visit) (int64_t key, int64_t value, void *data),
            void       *data) {
  auto locked = thread->peer->map.lock_table ();

  for (const auto &pair : locked)
    if (!visit ((int64_t)pair.first, (int64_t)pair.second, data))
      break;
}

static inline void
peer_clear (PeerThread *thread) {
  thread->peer->map.clear ();
}

#include "tests/bench/maps/rows.h"

int
main (int    argc,
      char **argv) {
  return bench_main (argc, argv);
}
