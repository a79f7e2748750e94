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
/* FALSE: they cannot be read; then the file has failed. */
gboolean   cache_file_read   (CacheFile       *self,
                              guint64          at,
                              gsize            size,
                              gpointer         to);
/* Whether something could not be read: the disk has an error, or somebody has cut the
 * file. Nothing else is to be read then, and nothing can be put. Any thread. */
gboolean   cache_file_has_failed (CacheFile   *self);

typedef struct {
  gconstpointer bytes;
  gsize         size;
  int           guard;
} CacheMapping;

/* The same as reading without a copy, until cache_file_unmap(), before which the file
 * may be closed; FALSE: there can be no mapping, as where pages are larger than a
 * block. What cannot be read is found to be zeros (core/base/map-guard.h). */
gboolean   cache_file_map    (const CacheFile *self,
                              guint64          at,
                              gsize            size,
                              CacheMapping    *mapping);
/* FALSE: some of what was looked at is not what was put. */
gboolean   cache_mapping_is_whole (const CacheMapping *self);
/* Soon: thousands of pages are let go of, and nobody is to wait for that. FALSE: as
 * cache_mapping_is_whole(), and the file has failed. */
gboolean   cache_file_unmap  (CacheFile       *self,
                              CacheMapping    *mapping);
/* Gives back the room of what was appended as one; where no holes can be made it
 * stays. */
void       cache_file_drop   (const CacheFile *self,
                              guint64          at,
                              gsize            size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CacheFile, cache_file_unref)

G_END_DECLS
