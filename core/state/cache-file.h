/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cache-file.h — what a timeline can do without in memory, in a file without a name
 *
 * In the user's cache folder; gone with the process, however that ends. Its pages
 * are the kernel's, which takes them back when it needs them: what is read again
 * soon comes from memory nevertheless.
 *
 * Threads: one appends; any read, and drop, what they were told of since (under a
 * lock). Counted by atomics.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _CacheFile CacheFile;

/* What is to be dropped alone begins where a block of the file system may begin. */
#define CACHE_FILE_BLOCK 4096u

/* (transfer full): empty; NULL: there can be none. @align: a power of two; what is
 * appended begins at a multiple of it. */
CacheFile *cache_file_new    (guint      align);
CacheFile *cache_file_ref    (CacheFile *self);
void       cache_file_unref  (CacheFile *self);
/* The most that a file may take on this machine: read back from the disk itself,
 * what was put there would come too late. */
guint64    cache_file_most_bytes (void);
/* The most that this one may take, as its disk is filled; the caller sees to it. */
guint64    cache_file_get_limit  (const CacheFile *self);
/* Puts @bytes at the end; FALSE: they could not be written, nor can others. */
gboolean   cache_file_append (CacheFile       *self,
                              gconstpointer    bytes,
                              gsize            size,
                              guint64         *at);
/* FALSE: they cannot be read. */
gboolean   cache_file_read   (const CacheFile *self,
                              guint64          at,
                              gsize            size,
                              gpointer         to);
/* The same without a copy, until cache_file_unmap(), before which the file may be
 * gone; NULL: there can be no mapping, as where pages are larger than a block. A disk
 * that fails under it ends the process: for what was put there a moment ago, as a
 * rule in memory still. */
gconstpointer cache_file_map     (const CacheFile *self,
                                  guint64          at,
                                  gsize            size);
/* Soon: thousands of pages are let go of, and nobody is to wait for that. */
void       cache_file_unmap  (gconstpointer    bytes,
                              gsize            size);
/* Gives back the room of what was appended as one; where no holes can be made it
 * stays. */
void       cache_file_drop   (const CacheFile *self,
                              guint64          at,
                              gsize            size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CacheFile, cache_file_unref)

G_END_DECLS
