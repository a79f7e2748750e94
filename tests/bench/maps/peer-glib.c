/* SPDX-License-Identifier: GPL-3.0-or-later */

/* peer-glib.c — GLib's GHashTable behind a GRWLock, as a peer of rows.h */
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
  GRWLock     lock;
  GHashTable *table; /* key to value, both in the pointers */
} Peer;

typedef struct {
  Peer *peer;
} PeerThread;

#define PEER_NAME "glib"
#define PEER_HAS_RANGE
#define PEER_HAS_SWAP
#define PEER_HAS_COMPARE
#define PEER_HAS_CLEAR

static Peer *
peer_new (unsigned n_threads,
          uint64_t n_keys) {
  Peer *peer = g_new0 (Peer, 1);

  g_rw_lock_init (&peer->lock);
  peer->table = g_hash_table_new (g_direct_hash, g_direct_equal);
  return peer;
}

static void
peer_free (Peer *peer) {
  g_hash_table_unref (peer->table);
  g_rw_lock_clear (&peer->lock);
  g_free (peer);
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

/* With the lock held. */
static inline bool
look_up (PeerThread *thread,
         uint64_t    key,
         uint64_t   *value) {
  gpointer found;

  if (!g_hash_table_lookup_extended (thread->peer->table, (gpointer)key, NULL,
                                     &found))
    return false;
  *value = (uint64_t)found;
  return true;
}

static inline void
insert (PeerThread *thread,
        uint64_t    key,
        uint64_t    value) {
  g_hash_table_insert (thread->peer->table, (gpointer)key, (gpointer)value);
}

static inline bool
peer_load (PeerThread *thread,
           uint64_t    key,
           uint64_t   *value) {
  bool is_found;

  g_rw_lock_reader_lock (&thread->peer->lock);
  is_found = look_up (thread, key, value);
  g_rw_lock_reader_unlock (&thread->peer->lock);
  return is_found;
}

static inline void
peer_store (PeerThread *thread,
            uint64_t    key,
            uint64_t    value) {
  g_rw_lock_writer_lock (&thread->peer->lock);
  insert (thread, key, value);
  g_rw_lock_writer_unlock (&thread->peer->lock);
}

static inline bool
peer_load_or_store (PeerThread *thread,
                    uint64_t    key,
                    uint64_t    value,
                    uint64_t   *actual) {
  bool is_found;

  g_rw_lock_writer_lock (&thread->peer->lock);
  is_found = look_up (thread, key, actual);
  if (!is_found) {
    insert (thread, key, value);
    *actual = value;
  }
  g_rw_lock_writer_unlock (&thread->peer->lock);
  return is_found;
}

static inline bool
peer_load_and_delete (PeerThread *thread,
                      uint64_t    key,
                      uint64_t   *value) {
  bool is_found;

  g_rw_lock_writer_lock (&thread->peer->lock);
  is_found = look_up (thread, key, value);
  if (is_found)
    g_hash_table_remove (thread->peer->table, (gpointer)key);
  g_rw_lock_writer_unlock (&thread->peer->lock);
  return is_found;
}

static inline bool
peer_swap (PeerThread *thread,
           uint64_t    key,
           uint64_t    value,
           uint64_t   *previous) {
  bool is_found;

  g_rw_lock_writer_lock (&thread->peer->lock);
  is_found = look_up (thread, key, previous);
  insert (thread, key, value);
  g_rw_lock_writer_unlock (&thread->peer->lock);
  return is_found;
}

static inline bool
peer_compare_and_swap (PeerThread *thread,
                       uint64_t    key,
                       uint64_t    old,
                       uint64_t    value) {
  uint64_t found;
  bool is_equal;

  g_rw_lock_writer_lock (&thread->peer->lock);
  is_equal = look_up (thread, key, &found) && found == old;
  if (is_equal)
    insert (thread, key, value);
  g_rw_lock_writer_unlock (&thread->peer->lock);
  return is_equal;
}

static inline bool
peer_compare_and_delete (PeerThread *thread,
                         uint64_t    key,
                         uint64_t    old) {
  uint64_t found;
  bool is_equal;

  g_rw_lock_writer_lock (&thread->peer->lock);
  is_equal = look_up (thread, key, &found) && found == old;
  if (is_equal)
    g_hash_table_remove (thread->peer->table, (gpointer)key);
  g_rw_lock_writer_unlock (&thread->peer->lock);
  return is_equal;
}

/* Under the read lock: the callbacks of the rows do not use the map. */
static inline void
peer_range (PeerThread *thread,
            bool      (*visit) (int64_t key, int64_t value, void *data),
            void       *data) {
  GHashTableIter iter;
  gpointer key, value;

  g_rw_lock_reader_lock (&thread->peer->lock);
  g_hash_table_iter_init (&iter, thread->peer->table);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (!visit ((int64_t)key, (int64_t)value, data))
      break;
  g_rw_lock_reader_unlock (&thread->peer->lock);
}

static inline void
peer_clear (PeerThread *thread) {
  g_rw_lock_writer_lock (&thread->peer->lock);
  g_hash_table_remove_all (thread->peer->table);
  g_rw_lock_writer_unlock (&thread->peer->lock);
}

#include "tests/bench/maps/rows.h"

int
main (int    argc,
      char **argv) {
  return bench_main (argc, argv);
}
