/* SPDX-License-Identifier: GPL-3.0-or-later */

/* chunk-pool.h — memory for chunks of states, in huge pages
 *
 * For state-chunks.c alone. Threads: any.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Sizes are few: those of nodes and of the leaves of each kind of vector. */
#define CHUNK_POOL_CLASSES 8
#define CHUNK_POOL_MIN 512u /* bytes */
/* A line of the cache ends with the first 8 bytes of a chunk. */
#define CHUNK_POOL_LINE 64u
#define CHUNK_POOL_BEFORE (CHUNK_POOL_LINE - 8u)

/* Not cleared. @size: CHUNK_POOL_MIN to 2 KiB. */
gpointer chunk_pool_take (gsize    size);
void     chunk_pool_give (gpointer chunk,
                          gsize    size);
/* @n chunks at once. */
void     chunk_pool_take_many (gsize     size,
                               guint     n,
                               gpointer *chunks);
/* Whether the CHUNK_POOL_BEFORE bytes before a chunk of @size are nobody's: whoever
 * writes its first 8 may write to the whole line. */
gboolean chunk_pool_has_line (gsize size);
/* From now on up to @bytes of what was given stay ready for chunks to come; a few dozen
 * megabytes always may. */
void     chunk_pool_keep (gsize bytes);
/* Gives what lies ready for chunks to come back to the system, but for
 * @keep_bytes. */
void     chunk_pool_trim (gsize keep_bytes);
/* Sees to it that chunks of @bytes can be taken without waiting for the kernel, as
 * far as empty slabs are kept at all. */
void     chunk_pool_prepare (gsize bytes);
gboolean chunk_pool_has_ready (gsize bytes);

G_END_DECLS
