/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-chunks.c — sparse vectors whose copies share what did not change
 *
 * Idea        A vector is a tree of fixed shape: leaves of 2^leaf_bits elements
 *             under nodes of 64 children. A copy takes a reference on the root
 *             and nothing else. Who edits walks down from the root and replaces
 *             each chunk on the way that somebody else also holds.
 *
 * Layout      The tree is as high as the greatest index edited so far asks for;
 *             it grows at the top, where the old root becomes child 0. What was
 *             never edited has no chunk: an index from a damaged file costs one
 *             path, not an array of that length.
 *
 * Invariants  C1  a chunk with more than one reference is never written
 *             C2  a chunk reached only through chunks with one reference each
 *                 belongs to one vector alone
 *             C3  a node of height h has children of height h - 1; leaves are 0
 *
 * Threads     Reference counts are atomic. An editor that finds a count of 1
 *             is the only holder (C2), so nobody can take a second reference
 *             meanwhile: that would need a reference to take it from.
 */
#include "core/state/state-chunks.h"

#include <string.h>

#define NODE_BITS 6u
#define NODE_CHILDREN (1u << NODE_BITS)

struct _Chunk {
  gint    ref_count;
  guint32 height; /* 0: a leaf, followed by its elements */
};

typedef struct {
  Chunk  head;
  Chunk *children[NODE_CHILDREN];
} ChunkNode;

static void
chunk_unref (Chunk *chunk) {
  if (chunk == NULL || !g_atomic_int_dec_and_test (&chunk->ref_count))
    return;
  if (chunk->height > 0) {
    ChunkNode *node = (ChunkNode *)(gpointer)chunk;

    for (guint i = 0; i < NODE_CHILDREN; i++)
      chunk_unref (node->children[i]);
  }
  g_free (chunk);
}

static inline gsize
chunk_size (const ChunkVec *vec,
            guint           height) {
  if (height > 0)
    return sizeof (ChunkNode);
  return sizeof (Chunk) + ((gsize)vec->elem_size << vec->leaf_bits);
}

static inline guint
child_index (guint32 leaf,
             guint   height) {
  return (guint)((guint64)leaf >> (NODE_BITS * (height - 1)))
         & (NODE_CHILDREN - 1);
}

void
chunk_vec_init (ChunkVec *vec,
                gsize     elem_size,
                guint     leaf_bits) {
  memset (vec, 0, sizeof *vec);
  vec->elem_size = (guint32)elem_size;
  vec->leaf_bits = (guint8)leaf_bits;
}

void
chunk_vec_clear (ChunkVec *vec) {
  chunk_unref (vec->root);
  vec->root = NULL;
  vec->bytes = 0;
  vec->height = 0;
}

void
chunk_vec_share (ChunkVec       *copy,
                 const ChunkVec *vec) {
  *copy = *vec;
  if (copy->root != NULL)
    g_atomic_int_inc (&copy->root->ref_count);
}

const void *
chunk_vec_get (const ChunkVec *vec,
               guint32         index) {
  guint32 leaf = index >> vec->leaf_bits;
  const Chunk *chunk = vec->root;

  if ((guint64)leaf >> (NODE_BITS * vec->height) != 0)
    return NULL;
  for (guint height = vec->height; height > 0 && chunk != NULL; height--)
    chunk = ((const ChunkNode *)(gconstpointer)chunk)
                ->children[child_index (leaf, height)];
  if (chunk == NULL)
    return NULL;
  return (const guint8 *)(chunk + 1)
         + (gsize)(index & ((1u << vec->leaf_bits) - 1)) * vec->elem_size;
}

/* The least leaf of @chunk at or after @leaf; G_MAXUINT64: none. @base is the
 * first leaf of @chunk. */
static guint64
next_leaf (const Chunk *chunk,
           guint64      base,
           guint64      leaf) {
  guint64 span;

  if (chunk->height == 0)
    return MAX (base, leaf);
  span = G_GUINT64_CONSTANT (1) << (NODE_BITS * (chunk->height - 1));
  for (guint i = 0; i < NODE_CHILDREN; i++, base += span) {
    const Chunk *child = ((const ChunkNode *)(gconstpointer)chunk)->children[i];
    guint64 found;

    if (child == NULL || base + span <= leaf)
      continue;
    found = next_leaf (child, base, leaf);
    if (found != G_MAXUINT64)
      return found;
  }
  return G_MAXUINT64;
}

guint32
chunk_vec_next (const ChunkVec *vec,
                guint32         index) {
  guint64 leaf = index >> vec->leaf_bits;
  guint64 found;

  if (vec->root == NULL || leaf >> (NODE_BITS * vec->height) != 0)
    return G_MAXUINT32;
  found = next_leaf (vec->root, 0, leaf);
  if (found == G_MAXUINT64)
    return G_MAXUINT32;
  return found == leaf ? index : (guint32)(found << vec->leaf_bits);
}

static Chunk *
chunk_make (ChunkVec    *vec,
            guint        height,
            ChunkBudget *budget) {
  gsize size = chunk_size (vec, height);
  Chunk *chunk;

  if (budget->bytes_made + size > budget->limit)
    return NULL;
  chunk = g_malloc0 (size);
  chunk->ref_count = 1;
  chunk->height = height;
  budget->bytes_made += size;
  vec->bytes += size;
  return chunk;
}

/* A copy of its own, in exchange for a reference on @chunk (C1). */
static Chunk *
chunk_copy (const ChunkVec *vec,
            Chunk          *chunk,
            ChunkBudget    *budget) {
  gsize size = chunk_size (vec, chunk->height);
  Chunk *copy = g_malloc (size);

  copy->ref_count = 1;
  copy->height = chunk->height;
  memcpy (copy + 1, chunk + 1, size - sizeof (Chunk));
  if (copy->height > 0) {
    ChunkNode *node = (ChunkNode *)(gpointer)copy;

    for (guint i = 0; i < NODE_CHILDREN; i++)
      if (node->children[i] != NULL)
        g_atomic_int_inc (&node->children[i]->ref_count);
  }
  budget->bytes_copied += size;
  chunk_unref (chunk);
  return copy;
}

/* Grows the tree at the top until it reaches leaf @leaf. */
static gboolean
raise_root (ChunkVec    *vec,
            guint32      leaf,
            ChunkBudget *budget) {
  while ((guint64)leaf >> (NODE_BITS * vec->height) != 0) {
    if (vec->root != NULL) {
      Chunk *root = chunk_make (vec, vec->height + 1u, budget);

      if (root == NULL)
        return FALSE;
      ((ChunkNode *)(gpointer)root)->children[0] = vec->root;
      vec->root = root;
    }
    vec->height++;
  }
  return TRUE;
}

void *
chunk_vec_edit (ChunkVec    *vec,
                guint32      index,
                ChunkBudget *budget) {
  guint32 leaf = index >> vec->leaf_bits;
  Chunk **link = &vec->root;

  if (G_UNLIKELY ((guint64)leaf >> (NODE_BITS * vec->height) != 0)
      && !raise_root (vec, leaf, budget))
    return NULL;
  for (guint height = vec->height;; height--) {
    if (*link == NULL) {
      *link = chunk_make (vec, height, budget);
      if (*link == NULL)
        return NULL;
    } else if (g_atomic_int_get (&(*link)->ref_count) != 1) {
      *link = chunk_copy (vec, *link, budget);
    }
    if (height == 0)
      break;
    link = &((ChunkNode *)(gpointer)*link)->children[child_index (leaf, height)];
  }
  return (guint8 *)(*link + 1)
         + (gsize)(index & ((1u << vec->leaf_bits) - 1)) * vec->elem_size;
}
