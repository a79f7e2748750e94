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
 * Owning      An editor keeps an index of the leaves that it has walked to: they
 *             are its own until the vector is shared, so the next edit needs one
 *             load. Sharing drops the index; a few edits later there is another.
 *
 * Invariants  C1  a chunk with more than one reference is never written
 *             C2  a chunk reached only through chunks with one reference each
 *                 belongs to one vector alone
 *             C3  a node of height h has children of height h - 1; leaves are 0
 *             C4  a leaf in the index is reached through chunks with one
 *                 reference each; a vector with an index has one user
 *
 * Threads     Reference counts are atomic. An editor that finds a count of 1
 *             is the only holder (C2), so nobody can take a second reference
 *             meanwhile: that would need a reference to take it from.
 */
#include "core/state/state-chunks.h"

#include "core/state/chunk-pool.h"
#include "core/state/helper.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define NODE_BITS 6u
#define NODE_CHILDREN (1u << NODE_BITS)

/* Free choices: an index of up to 1 MiB, and not for a few edits. */
#define OWNED_MAX (1u << 17)
#define WALKS_BEFORE_INDEX 64

struct _Chunk {
  gint    ref_count;
  guint16 height; /* 0: a leaf, followed by its elements */
  guint16 size;   /* bytes, of a leaf */
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

    /* Their counts, each in memory of its own, are waited for together. */
    for (guint i = 0; i < NODE_CHILDREN; i++)
      __builtin_prefetch (node->children[i], 1);
    for (guint i = 0; i < NODE_CHILDREN; i++)
      chunk_unref (node->children[i]);
  }
  chunk_pool_give (chunk, chunk->height > 0 ? sizeof (ChunkNode) : chunk->size);
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
  chunk_vec_disown (vec);
  chunk_unref (vec->root);
  vec->root = NULL;
  vec->bytes = 0;
  vec->height = 0;
}

void
chunk_vec_disown (const ChunkVec *vec) {
  ChunkVec *editors = (ChunkVec *)vec;

  /* Without an index it may be anybody's: then nothing is written (C4). */
  if (vec->owned == NULL)
    return;
  g_clear_pointer (&editors->owned, g_free);
  editors->n_owned = 0;
  editors->n_walks = 0;
}

void
chunk_vec_share (ChunkVec       *copy,
                 const ChunkVec *vec) {
  chunk_vec_disown (vec);
  *copy = *vec;
  copy->n_walks = 0;
  if (copy->root != NULL)
    g_atomic_int_inc (&copy->root->ref_count);
}

const void *
chunk_vec_walk (const ChunkVec *vec,
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

typedef struct {
  guint      leaf_bits;
  ChunkVisit visit;
  gpointer   data;
} Comparison;

/* @after may be the higher one: a root grows with its old self as child 0. */
static gboolean
compare_chunks (const Comparison *comparison,
                const Chunk      *before,
                const Chunk      *after,
                guint32           leaf) {
  const ChunkNode *node = (const ChunkNode *)(gconstpointer)after;
  const ChunkNode *old = (const ChunkNode *)(gconstpointer)before;

  if (before == after)
    return TRUE;
  if (after == NULL || (before != NULL && before->height > after->height))
    return FALSE;
  if (after->height == 0)
    return comparison->visit (leaf << comparison->leaf_bits,
                              1u << comparison->leaf_bits,
                              before != NULL ? before + 1 : NULL, after + 1,
                              comparison->data);
  for (guint i = 0; i < NODE_CHILDREN; i++) {
    const Chunk *child = i == 0 ? before : NULL;

    if (before != NULL && before->height == after->height)
      child = old->children[i];
    if (!compare_chunks (comparison, child, node->children[i],
                         leaf + (i << (NODE_BITS * (after->height - 1u)))))
      return FALSE;
  }
  return TRUE;
}

gboolean
chunk_vec_compare (const ChunkVec *before,
                   const ChunkVec *after,
                   ChunkVisit      visit,
                   gpointer        data) {
  Comparison comparison = { after->leaf_bits, visit, data };

  return compare_chunks (&comparison, before != NULL ? before->root : NULL,
                         after->root, 0);
}

/* @height: of @chunk. @other may be the higher or the lower one. */
static gsize
count_beside (const ChunkVec *vec,
              const Chunk    *chunk,
              guint           height,
              const Chunk    *other,
              guint           other_height) {
  const ChunkNode *node = (const ChunkNode *)(gconstpointer)chunk;
  gsize bytes;

  for (; other != NULL && other_height > height; other_height--)
    other = ((const ChunkNode *)(gconstpointer)other)->children[0];
  if (chunk == NULL || chunk == other)
    return 0;
  bytes = chunk_size (vec, height);
  for (guint i = 0; height > 0 && i < NODE_CHILDREN; i++) {
    const Chunk *child = i == 0 ? other : NULL;

    if (other != NULL && other_height == height)
      child = ((const ChunkNode *)(gconstpointer)other)->children[i];
    bytes += count_beside (vec, node->children[i], height - 1, child,
                           MIN (other_height, height - 1));
  }
  return bytes;
}

gsize
chunk_vec_bytes_beside (const ChunkVec *vec,
                        const ChunkVec *other) {
  return count_beside (vec, vec->root, vec->height,
                       other != NULL ? other->root : NULL,
                       other != NULL ? other->height : 0);
}

static Chunk *
chunk_make (ChunkVec    *vec,
            guint        height,
            ChunkBudget *budget) {
  gsize size = chunk_size (vec, height);
  Chunk *chunk;

  if (budget->bytes_made + size > budget->limit)
    return NULL;
  chunk = chunk_pool_take (size);
  memset (chunk, 0, size);
  chunk->ref_count = 1;
  chunk->height = (guint16)height;
  chunk->size = (guint16)size;
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
  Chunk *copy = chunk_pool_take (size);

  copy->ref_count = 1;
  copy->height = chunk->height;
  copy->size = chunk->size;
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

/* Makes the index reach leaf @leaf; FALSE: it is not to. It takes no more than
 * the chunks do: indices from a damaged file may lie far apart. */
static gboolean
reach_index (ChunkVec *vec,
             guint32   leaf) {
  guint32 n = MAX (vec->n_owned, 64);

  if (leaf < vec->n_owned)
    return TRUE;
  if (leaf >= OWNED_MAX)
    return FALSE;
  while (n <= leaf)
    n *= 2;
  if (n * sizeof *vec->owned > vec->bytes)
    return FALSE;
  vec->owned = g_renew (guint8 *, vec->owned, n);
  memset (vec->owned + vec->n_owned, 0,
          (n - vec->n_owned) * sizeof *vec->owned);
  vec->n_owned = n;
  return TRUE;
}

/* The place for leaf @leaf, all nodes above it made and ours; NULL: @budget. */
static Chunk **
walk_to_leaf (ChunkVec    *vec,
              guint32      leaf,
              ChunkBudget *budget) {
  Chunk **link = &vec->root;

  if (G_UNLIKELY ((guint64)leaf >> (NODE_BITS * vec->height) != 0)
      && !raise_root (vec, leaf, budget))
    return NULL;
  for (guint height = vec->height; height > 0; height--) {
    if (*link == NULL) {
      *link = chunk_make (vec, height, budget);
      if (*link == NULL)
        return NULL;
    } else if (g_atomic_int_get (&(*link)->ref_count) != 1) {
      *link = chunk_copy (vec, *link, budget);
    }
    link = &((ChunkNode *)(gpointer)*link)->children[child_index (leaf, height)];
  }
  return link;
}

void *
chunk_vec_walk_edit (ChunkVec    *vec,
                     guint32      index,
                     ChunkBudget *budget) {
  guint32 leaf = index >> vec->leaf_bits;
  Chunk **link = walk_to_leaf (vec, leaf, budget);

  if (link == NULL)
    return NULL;
  if (*link == NULL)
    *link = chunk_make (vec, 0, budget);
  else if (g_atomic_int_get (&(*link)->ref_count) != 1)
    *link = chunk_copy (vec, *link, budget);
  if (*link == NULL)
    return NULL;
  if (vec->n_walks < WALKS_BEFORE_INDEX)
    vec->n_walks++;
  else if (reach_index (vec, leaf))
    vec->owned[leaf] = (guint8 *)(*link + 1);
  return (guint8 *)(*link + 1)
         + (gsize)(index & ((1u << vec->leaf_bits) - 1)) * vec->elem_size;
}

/* Expecting ---------------------------------------------------------------- */

/* What takes no time to speak of, and what chunk_pool_prepare() adds by itself at the
 * least; free choice. */
#define EXPECTED_MIN ((gsize)8 << 20)

static void
prepare_cb (gpointer data) {
  chunk_pool_prepare (GPOINTER_TO_SIZE (data));
}

void
chunk_vec_expect (const ChunkVec *vec,
                  guint32         n) {
  gsize bytes = ((gsize)n >> vec->leaf_bits) * chunk_size (vec, 0);

  if (bytes >= EXPECTED_MIN)
    helper_later (prepare_cb, GSIZE_TO_POINTER (bytes - EXPECTED_MIN));
}

/* Filling ------------------------------------------------------------------ */

/* The leaf behind those of the elements [@first, @first + @n). */
static guint32
leaf_after (const ChunkVec *vec,
            guint32         first,
            guint32         n) {
  return (guint32)(((guint64)first + n + (1u << vec->leaf_bits) - 1)
                   >> vec->leaf_bits);
}

void
chunk_vec_reach (ChunkVec *vec,
                 guint32   first,
                 guint32   n) {
  guint32 last = leaf_after (vec, first, n) - 1;

  while ((guint64)last >> (NODE_BITS * vec->height) != 0)
    vec->height++;
}

gboolean
chunk_vec_reserve (ChunkVec    *vec,
                   guint32      first,
                   guint32      n,
                   ChunkBudget *budget) {
  guint32 leaf = first >> vec->leaf_bits;
  guint32 end = leaf_after (vec, first, n);

  while (leaf < end) {
    guint n_here = MIN (end - leaf, NODE_CHILDREN - leaf % NODE_CHILDREN);
    gsize size = n_here * chunk_size (vec, 0);

    if (budget->bytes_made + size > budget->limit
        || walk_to_leaf (vec, leaf, budget) == NULL)
      return FALSE;
    budget->bytes_made += size;
    vec->bytes += size;
    leaf += n_here;
  }
  reach_index (vec, end - 1);
  return TRUE;
}

/* The head of a leaf in memory that is in no cache. It stands in a line of its own,
 * which would have to be read to be written to in the ordinary way: with what it costs
 * to write it back later that is a tenth of what filling a leaf takes. */
static inline void
put_head (Chunk   *chunk,
          gsize    size,
          gboolean has_line) {
  Chunk head = { .ref_count = 1, .size = (guint16)size };

#ifdef __SSE2__
  if (has_line) {
    __m128i *line = (__m128i *)(gpointer)((guint8 *)chunk - CHUNK_POOL_BEFORE);
    gint64 word;

    G_STATIC_ASSERT (sizeof head == sizeof word);
    memcpy (&word, &head, sizeof word);
    for (guint i = 0; i < 3; i++)
      _mm_stream_si128 (line + i, _mm_setzero_si128 ());
    _mm_stream_si128 (line + 3, _mm_set_epi64x (word, 0));
    return;
  }
#endif
  *chunk = head;
}

/* After the last of them: whoever is told by this thread sees them. */
static inline void
end_heads (void) {
#ifdef __SSE2__
  _mm_sfence ();
#endif
}

/* The leaves [@leaf, @leaf + @n) of one node of height 1, or the root. */
static void
fill_node (ChunkVec *vec,
           guint32   leaf,
           guint     n) {
  ChunkBudget none = { .limit = 0 };
  Chunk **links = walk_to_leaf (vec, leaf, &none);
  gsize size = chunk_size (vec, 0);
  gboolean has_line = chunk_pool_has_line (size);
  gpointer chunks[NODE_CHILDREN];

  chunk_pool_take_many (size, n, chunks);
  for (guint i = 0; i < n; i++) {
    links[i] = chunks[i];
    put_head (links[i], size, has_line);
    if (leaf + i < vec->n_owned)
      vec->owned[leaf + i] = (guint8 *)(links[i] + 1);
  }
}

void
chunk_vec_fill (ChunkVec *vec,
                guint32   first,
                guint32   n) {
  guint32 leaf = first >> vec->leaf_bits;
  guint32 end = leaf_after (vec, first, n);
  guint n_beyond = (0u - (first + n)) & ((1u << vec->leaf_bits) - 1);

  while (leaf < end) {
    guint n_here = MIN (end - leaf, NODE_CHILDREN - leaf % NODE_CHILDREN);

    fill_node (vec, leaf, n_here);
    leaf += n_here;
  }
  end_heads ();
  if (n_beyond != 0) {
    guint8 *last = (guint8 *)chunk_vec_get (vec, first + n - 1);

    memset (last + vec->elem_size, 0, (gsize)n_beyond * vec->elem_size);
  }
}
