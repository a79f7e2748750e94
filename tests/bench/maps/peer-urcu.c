/* SPDX-License-Identifier: GPL-3.0-or-later */

/* peer-urcu.c — liburcu's cds_lfht with qsbr sections, as a peer of rows.h
 *
 * The table is given a bucket for each key at once: grown from few buckets it
 * falls far behind the inserts (its own worker does the growing). A value
 * lies in its node and is replaced in place; a deleted node is freed after a
 * grace period.
 */
#define URCU_INLINE_SMALL_FUNCTIONS
#include <urcu-qsbr.h>

#include <urcu/rculfhash.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define MIN_BUCKETS 64ul
/* Operations between two quiescent states of a thread. */
#define QUIESCENT_PERIOD 64u

typedef struct {
  struct cds_lfht *table;
} Peer;

typedef struct {
  Peer    *peer;
  unsigned n_ops;
} PeerThread;

typedef struct {
  struct cds_lfht_node node;
  struct rcu_head      head;
  uint64_t             key;
  _Atomic (uint64_t)   value;
} Node;

#define PEER_NAME "cds_lfht"
#define PEER_HAS_RANGE
#define PEER_HAS_SWAP
#define PEER_HAS_COMPARE

static inline unsigned long
mix (uint64_t key) {
  key *= 0x9e3779b97f4a7c15u;
  return key ^ (key >> 32);
}

static Peer *
peer_new (unsigned n_threads,
          uint64_t n_keys) {
  Peer *peer = calloc (1, sizeof *peer);
  unsigned long n_buckets = MIN_BUCKETS;

  if (peer == NULL)
    return NULL;
  while (n_buckets < n_keys)
    n_buckets *= 2;
  rcu_register_thread ();
  peer->table = cds_lfht_new (n_buckets, n_buckets, 0, CDS_LFHT_ACCOUNTING,
                              NULL);
  rcu_thread_offline ();
  return peer->table != NULL ? peer : NULL;
}

static void
peer_free (Peer *peer) {
  /* The nodes end with the process. */
  rcu_thread_online ();
  rcu_unregister_thread ();
  free (peer);
}

static void
peer_enter (Peer       *peer,
            PeerThread *thread,
            unsigned    index) {
  thread->peer = peer;
  rcu_register_thread ();
}

static void
peer_leave (PeerThread *thread) {
  rcu_unregister_thread ();
}

static inline void
end_op (PeerThread *thread) {
  if (++thread->n_ops % QUIESCENT_PERIOD == 0)
    rcu_quiescent_state ();
}

static int
matches (struct cds_lfht_node *node,
         const void           *key) {
  return caa_container_of (node, Node, node)->key == *(const uint64_t *)key;
}

static inline Node *
find (PeerThread *thread,
      uint64_t    key) {
  struct cds_lfht_iter iter;
  struct cds_lfht_node *node;

  cds_lfht_lookup (thread->peer->table, mix (key), matches, &key, &iter);
  node = cds_lfht_iter_get_node (&iter);
  return node != NULL ? caa_container_of (node, Node, node) : NULL;
}

static void
free_node (struct rcu_head *head) {
  free (caa_container_of (head, Node, head));
}

static Node *
make_node (uint64_t key,
           uint64_t value) {
  Node *node = malloc (sizeof *node);

  if (node == NULL)
    abort ();
  cds_lfht_node_init (&node->node);
  node->key = key;
  atomic_init (&node->value, value);
  return node;
}

/* The node with @key, which is a new one with @value when *is_new. */
static inline Node *
find_or_add (PeerThread *thread,
             uint64_t    key,
             uint64_t    value,
             bool       *is_new) {
  Node *found = find (thread, key), *made;
  struct cds_lfht_node *node;

  *is_new = false;
  if (found != NULL)
    return found;
  made = make_node (key, value);
  node = cds_lfht_add_unique (thread->peer->table, mix (key), matches, &key,
                              &made->node);
  *is_new = node == &made->node;
  if (!*is_new)
    free (made);
  return caa_container_of (node, Node, node);
}

static inline bool
unlink_node (PeerThread *thread,
             Node       *node) {
  if (cds_lfht_del (thread->peer->table, &node->node) != 0)
    return false;
  call_rcu (&node->head, free_node);
  return true;
}

static inline bool
peer_load (PeerThread *thread,
           uint64_t    key,
           uint64_t   *value) {
  Node *node = find (thread, key);

  if (node != NULL)
    *value = atomic_load (&node->value);
  end_op (thread);
  return node != NULL;
}

static inline bool
peer_swap (PeerThread *thread,
           uint64_t    key,
           uint64_t    value,
           uint64_t   *previous) {
  bool is_new;
  Node *node = find_or_add (thread, key, value, &is_new);

  if (!is_new)
    *previous = atomic_exchange (&node->value, value);
  end_op (thread);
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
  bool is_new;
  Node *node = find_or_add (thread, key, value, &is_new);

  *actual = atomic_load (&node->value);
  end_op (thread);
  return !is_new;
}

static inline bool
peer_load_and_delete (PeerThread *thread,
                      uint64_t    key,
                      uint64_t   *value) {
  Node *node = find (thread, key);
  bool is_deleted = false;

  if (node != NULL) {
    *value = atomic_load (&node->value);
    is_deleted = unlink_node (thread, node);
  }
  end_op (thread);
  return is_deleted;
}

static inline bool
peer_compare_and_swap (PeerThread *thread,
                       uint64_t    key,
                       uint64_t    old,
                       uint64_t    value) {
  Node *node = find (thread, key);
  bool is_swapped
      = node != NULL && atomic_compare_exchange_strong (&node->value, &old, value);

  end_op (thread);
  return is_swapped;
}

static inline bool
peer_compare_and_delete (PeerThread *thread,
                         uint64_t    key,
                         uint64_t    old) {
  Node *node = find (thread, key);
  bool is_deleted = node != NULL && atomic_load (&node->value) == old
                    && unlink_node (thread, node);

  end_op (thread);
  return is_deleted;
}

static inline void
peer_range (PeerThread *thread,
            bool      (*visit) (int64_t key, int64_t value, void *data),
            void       *data) {
  struct cds_lfht_iter iter;
  Node *node;

  cds_lfht_for_each_entry (thread->peer->table, &iter, node, node)
    if (!visit ((int64_t)node->key, (int64_t)atomic_load (&node->value), data))
      break;
  end_op (thread);
}

#include "tests/bench/maps/rows.h"

int
main (int    argc,
      char **argv) {
  return bench_main (argc, argv);
}
