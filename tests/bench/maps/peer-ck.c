/* SPDX-License-Identifier: GPL-3.0-or-later */

/* peer-ck.c — ConcurrencyKit's ck_ht in epochs, as a peer of rows.h
 *
 * One writer at a time, under a mutex; readers take no lock, inside ck_epoch.
 * Swaps and compares are look-ups and stores under that mutex. Keys 0 and ~0 mean
 * empty and deleted to the table, so 1 is added to every key. An array that a
 * growth replaced is freed after an epoch.
 */
#include <ck_epoch.h>
#include <ck_ht.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define FIRST_CAPACITY 64

typedef struct {
  ck_ht_t         table;
  ck_epoch_t      epoch;
  pthread_mutex_t writers;
} Peer;

typedef struct {
  Peer             *peer;
  ck_epoch_record_t record;
} PeerThread;

#define PEER_NAME "ck_ht"
#define PEER_HAS_RANGE
#define PEER_HAS_SWAP
#define PEER_HAS_COMPARE

/* Before each array, for its free after the epoch. */
typedef union {
  ck_epoch_entry_t entry;
  max_align_t      align[2];
} Header;

static _Thread_local ck_epoch_record_t *current_record;

static void
free_array (ck_epoch_entry_t *entry) {
  free (entry);
}

static void *
ht_malloc (size_t size) {
  Header *header = malloc (sizeof *header + size);

  return header != NULL ? header + 1 : NULL;
}

static void
ht_free (void  *memory,
         size_t size,
         bool   is_deferred) {
  Header *header = (Header *)memory - 1;

  if (is_deferred && current_record != NULL)
    ck_epoch_call (current_record, &header->entry, free_array);
  else
    free (header);
}

static struct ck_malloc allocator = { .malloc = ht_malloc, .free = ht_free };

static void
mix (struct ck_ht_hash *hash,
     const void        *key,
     size_t             length,
     uint64_t           seed) {
  uint64_t value = *(const uint64_t *)key * 0x9e3779b97f4a7c15u;

  hash->value = value ^ (value >> 32);
}

static Peer *
peer_new (unsigned n_threads,
          uint64_t n_keys) {
  Peer *peer = calloc (1, sizeof *peer);

  if (peer == NULL)
    return NULL;
  ck_epoch_init (&peer->epoch);
  pthread_mutex_init (&peer->writers, NULL);
  if (!ck_ht_init (&peer->table, CK_HT_MODE_DIRECT, mix, &allocator,
                   FIRST_CAPACITY, 1))
    return NULL;
  return peer;
}

static void
peer_free (Peer *peer) {
  /* The records of the threads end with the process, and the table too. */
  (void)peer;
}

static void
peer_enter (Peer       *peer,
            PeerThread *thread,
            unsigned    index) {
  thread->peer = peer;
  ck_epoch_register (&peer->epoch, &thread->record, NULL);
  current_record = &thread->record;
}

static void
peer_leave (PeerThread *thread) {
  ck_epoch_barrier (&thread->record);
  ck_epoch_unregister (&thread->record);
}

static inline bool
find (PeerThread *thread,
      uint64_t    key,
      uint64_t   *value) {
  ck_ht_hash_t hash;
  ck_ht_entry_t entry;

  ck_ht_hash_direct (&hash, &thread->peer->table, key + 1);
  ck_ht_entry_key_set_direct (&entry, key + 1);
  if (!ck_ht_get_spmc (&thread->peer->table, hash, &entry))
    return false;
  *value = ck_ht_entry_value_direct (&entry);
  return true;
}

/* The writers' mutex is held. */
static inline void
set (PeerThread *thread,
     uint64_t    key,
     uint64_t    value) {
  ck_ht_hash_t hash;
  ck_ht_entry_t entry;

  ck_ht_hash_direct (&hash, &thread->peer->table, key + 1);
  ck_ht_entry_set_direct (&entry, hash, key + 1, value);
  if (!ck_ht_set_spmc (&thread->peer->table, hash, &entry))
    abort ();
}

static inline bool
take_out (PeerThread *thread,
          uint64_t    key) {
  ck_ht_hash_t hash;
  ck_ht_entry_t entry;

  ck_ht_hash_direct (&hash, &thread->peer->table, key + 1);
  ck_ht_entry_key_set_direct (&entry, key + 1);
  return ck_ht_remove_spmc (&thread->peer->table, hash, &entry);
}

static inline void
lock (PeerThread *thread) {
  pthread_mutex_lock (&thread->peer->writers);
}

static inline void
unlock (PeerThread *thread) {
  pthread_mutex_unlock (&thread->peer->writers);
}

static inline bool
peer_load (PeerThread *thread,
           uint64_t    key,
           uint64_t   *value) {
  bool is_found;

  ck_epoch_begin (&thread->record, NULL);
  is_found = find (thread, key, value);
  ck_epoch_end (&thread->record, NULL);
  return is_found;
}

static inline void
peer_store (PeerThread *thread,
            uint64_t    key,
            uint64_t    value) {
  lock (thread);
  set (thread, key, value);
  unlock (thread);
}

static inline bool
peer_load_or_store (PeerThread *thread,
                    uint64_t    key,
                    uint64_t    value,
                    uint64_t   *actual) {
  bool is_found;

  if (peer_load (thread, key, actual))
    return true;
  lock (thread);
  is_found = find (thread, key, actual);
  if (!is_found) {
    set (thread, key, value);
    *actual = value;
  }
  unlock (thread);
  return is_found;
}

static inline bool
peer_load_and_delete (PeerThread *thread,
                      uint64_t    key,
                      uint64_t   *value) {
  bool is_found;

  if (!peer_load (thread, key, value))
    return false;
  lock (thread);
  is_found = find (thread, key, value) && take_out (thread, key);
  unlock (thread);
  return is_found;
}

static inline bool
peer_swap (PeerThread *thread,
           uint64_t    key,
           uint64_t    value,
           uint64_t   *previous) {
  bool is_found;

  lock (thread);
  is_found = find (thread, key, previous);
  set (thread, key, value);
  unlock (thread);
  return is_found;
}

static inline bool
peer_compare_and_swap (PeerThread *thread,
                       uint64_t    key,
                       uint64_t    old,
                       uint64_t    value) {
  uint64_t found;
  bool is_equal;

  if (!peer_load (thread, key, &found) || found != old)
    return false;
  lock (thread);
  is_equal = find (thread, key, &found) && found == old;
  if (is_equal)
    set (thread, key, value);
  unlock (thread);
  return is_equal;
}

static inline bool
peer_compare_and_delete (PeerThread *thread,
                         uint64_t    key,
                         uint64_t    old) {
  uint64_t found;
  bool is_equal;

  if (!peer_load (thread, key, &found) || found != old)
    return false;
  lock (thread);
  is_equal = find (thread, key, &found) && found == old && take_out (thread, key);
  unlock (thread);
  return is_equal;
}

static inline void
peer_range (PeerThread *thread,
            bool      (*visit) (int64_t key, int64_t value, void *data),
            void       *data) {
  ck_ht_iterator_t iterator = CK_HT_ITERATOR_INITIALIZER;
  ck_ht_entry_t *entry;

  ck_epoch_begin (&thread->record, NULL);
  while (ck_ht_next (&thread->peer->table, &iterator, &entry))
    if (!visit ((int64_t)ck_ht_entry_key_direct (entry) - 1,
                (int64_t)ck_ht_entry_value_direct (entry), data))
      break;
  ck_epoch_end (&thread->record, NULL);
}

#include "tests/bench/maps/rows.h"

int
main (int    argc,
      char **argv) {
  return bench_main (argc, argv);
}
