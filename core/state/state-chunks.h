/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-chunks.h — sparse vectors whose copies share what did not change
 *
 * Layout and argument are told in state-chunks.c. One vector is edited by one
 * thread; copies of it (chunk_vec_share) may be read and cleared by any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _Chunk Chunk;

typedef struct {
  Chunk  *root;      /* NULL: every element is zero */
  gsize   bytes;     /* allocated by this vector since it was empty */
  guint32 elem_size;
  guint8  leaf_bits; /* elements per leaf, as a power of two */
  guint8  height;    /* levels of nodes above the leaves */
  guint16 n_walks;   /* edits that walked; the index is made after a few */
  guint32 n_owned;   /* places in owned */
  guint8 **owned;    /* by leaf: its elements, known to be ours alone, or NULL */
} ChunkVec;

/* What editing cost, and how much it may. */
typedef struct {
  gsize bytes_made;   /* chunks that did not exist before */
  gsize bytes_copied; /* chunks copied because a copy shared them */
  gsize limit;        /* of bytes_made */
} ChunkBudget;

void        chunk_vec_init  (ChunkVec       *vec,
                             gsize           elem_size,
                             guint           leaf_bits);
/* Drops everything; the vector is empty and usable. */
void        chunk_vec_clear (ChunkVec       *vec);
/* Makes @copy a copy of @vec; O(1). @copy is not cleared first. An editor's
 * vector forgets what it owns, as chunk_vec_disown() does. */
void        chunk_vec_share (ChunkVec       *copy,
                             const ChunkVec *vec);
/* Somebody else is about to hold the vector itself. Its editor only. */
void        chunk_vec_disown (const ChunkVec *vec);
/* The least index at or after @index that has a chunk behind it; G_MAXUINT32:
 * none. What lies between is zero. */
guint32     chunk_vec_next  (const ChunkVec *vec,
                             guint32         index);
/* Calls @visit for each leaf that @after does not share with @before, which may be
 * NULL: its first index, how many elements, and where they are; @before: NULL, it
 * has none. FALSE: it said so, or @before has a leaf that @after has not. */
typedef gboolean (*ChunkVisit)  (guint32         first,
                                 guint           n,
                                 gconstpointer   before,
                                 gconstpointer   after,
                                 gpointer        data);
gboolean    chunk_vec_compare   (const ChunkVec *before,
                                 const ChunkVec *after,
                                 ChunkVisit      visit,
                                 gpointer        data);
/* Bytes of the chunks of @vec that @other, which may be NULL, does not share at their
 * places. Leaves themselves are not looked at. */
gsize       chunk_vec_bytes_beside (const ChunkVec *vec,
                                    const ChunkVec *other);
/* The three steps to fill an empty vector with runs of elements, each step for all
 * runs before the next. A run begins with a leaf; runs do not overlap.
 * First: how far the vector reaches. */
void        chunk_vec_reach   (ChunkVec    *vec,
                               guint32      first,
                               guint32      n);
/* Then room for the leaves of [@first, @first + @n); FALSE: @budget is spent. */
gboolean    chunk_vec_reserve (ChunkVec    *vec,
                               guint32      first,
                               guint32      n,
                               ChunkBudget *budget);
/* Last the leaves, which the caller then writes, all of them. Several threads may
 * do so for different runs. A vector of which some are missing can be cleared. */
void        chunk_vec_fill    (ChunkVec    *vec,
                               guint32      first,
                               guint32      n);

/* Elements [0, @n) of an empty vector will be edited soon, one after another: has
 * memory for them made ready meanwhile, by another thread. */
void        chunk_vec_expect  (const ChunkVec *vec,
                               guint32         n);

/* For the two below. */
const void *chunk_vec_walk      (const ChunkVec *vec,
                                 guint32         index);
void       *chunk_vec_walk_edit (ChunkVec       *vec,
                                 guint32         index,
                                 ChunkBudget    *budget);

/* The element when it is one that the vector owns, else NULL. */
static inline guint8 *
chunk_vec_own (const ChunkVec *vec,
               guint32         index) {
  guint32 leaf = index >> vec->leaf_bits;

  if (leaf >= vec->n_owned || vec->owned[leaf] == NULL)
    return NULL;
  return vec->owned[leaf]
         + (gsize)(index & ((1u << vec->leaf_bits) - 1)) * vec->elem_size;
}

/* NULL: never edited, all zero. Valid until the next edit. */
static inline const void *
chunk_vec_get (const ChunkVec *vec,
               guint32         index) {
  const guint8 *own = chunk_vec_own (vec, index);

  return own != NULL ? own : chunk_vec_walk (vec, index);
}

/* The element for writing; NULL when @budget is spent. The pointer stays valid
 * until the vector is shared or cleared. */
static inline void *
chunk_vec_edit (ChunkVec    *vec,
                guint32      index,
                ChunkBudget *budget) {
  guint8 *own = chunk_vec_own (vec, index);

  return G_LIKELY (own != NULL) ? own : chunk_vec_walk_edit (vec, index, budget);
}

G_END_DECLS
