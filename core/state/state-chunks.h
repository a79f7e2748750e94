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
/* Makes @copy a copy of @vec; O(1). @copy is not cleared first. */
void        chunk_vec_share (ChunkVec       *copy,
                             const ChunkVec *vec);
/* NULL: never edited, all zero. Valid until the next edit. */
const void *chunk_vec_get   (const ChunkVec *vec,
                             guint32         index);
/* The least index at or after @index that has a chunk behind it; G_MAXUINT32:
 * none. What lies between is zero. */
guint32     chunk_vec_next  (const ChunkVec *vec,
                             guint32         index);
/* The element for writing; NULL when @budget is spent. The pointer stays valid
 * until the vector is shared or cleared. */
void       *chunk_vec_edit  (ChunkVec       *vec,
                             guint32         index,
                             ChunkBudget    *budget);

G_END_DECLS
