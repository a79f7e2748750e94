/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cache-file.c — what a timeline can do without in memory, in a file without a name
 *
 * The room of what is dropped is given back as a hole, which is made of whole blocks
 * of the file system.
 */
#include "core/state/cache-file.h"

#include "core/record/trace-temp.h"
#include "core/state/helper.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Free choices: what a cache may take of a disk, and of the memory that the kernel
 * keeps it in. */
#define MOST_BYTES ((guint64)5 << 30)
#define DISK_SHARE 8u
#define MEMORY_SHARE 5u

struct _CacheFile {
  gint    ref_count;
  int     fd;
  guint   align;
  guint64 limit;
  guint64 end; /* the one who appends alone */
};

CacheFile *
cache_file_new (guint align) {
  struct statvfs disk;
  CacheFile *self;
  int fd = trace_temp_open (NULL, NULL);

  if (fd < 0)
    return NULL;
  if (fstatvfs (fd, &disk) != 0) {
    close (fd);
    return NULL;
  }
  self = g_new0 (CacheFile, 1);
  self->ref_count = 1;
  self->fd = fd;
  self->align = align;
  self->limit = MIN (cache_file_most_bytes (),
                     (guint64)disk.f_bavail * disk.f_frsize / DISK_SHARE);
  return self;
}

CacheFile *
cache_file_ref (CacheFile *self) {
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
cache_file_unref (CacheFile *self) {
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  close (self->fd);
  g_free (self);
}

guint64
cache_file_most_bytes (void) {
  long n_pages = sysconf (_SC_PHYS_PAGES), page_size = sysconf (_SC_PAGESIZE);

  if (n_pages <= 0 || page_size <= 0)
    return MOST_BYTES / 2;
  return MIN (MOST_BYTES, (guint64)n_pages * (guint64)page_size / MEMORY_SHARE);
}

guint64
cache_file_get_limit (const CacheFile *self) {
  return self->limit;
}

gboolean
cache_file_append (CacheFile     *self,
                   gconstpointer  bytes,
                   gsize          size,
                   guint64       *at) {
  gsize done = 0;

  while (done < size) {
    gssize n = pwrite (self->fd, (const guint8 *)bytes + done, size - done,
                       (off_t)(self->end + done));

    if (n <= 0)
      return FALSE;
    done += (gsize)n;
  }
  *at = self->end;
  self->end = (self->end + size + self->align - 1) & ~(guint64)(self->align - 1);
  return TRUE;
}

gboolean
cache_file_read (const CacheFile *self,
                 guint64          at,
                 gsize            size,
                 gpointer         to) {
  gsize done = 0;

  while (done < size) {
    gssize n = pread (self->fd, (guint8 *)to + done, size - done,
                      (off_t)(at + done));

    if (n <= 0)
      return FALSE;
    done += (gsize)n;
  }
  return TRUE;
}

gconstpointer
cache_file_map (const CacheFile *self,
                guint64          at,
                gsize            size) {
  gpointer start = mmap (NULL, size, PROT_READ, MAP_SHARED, self->fd, (off_t)at);

  return start != MAP_FAILED ? start : NULL;
}

typedef struct {
  gpointer start;
  gsize    size;
} Mapping;

static void
unmap_cb (gpointer data) {
  Mapping *mapping = data;

  munmap (mapping->start, mapping->size);
  g_free (mapping);
}

void
cache_file_unmap (gconstpointer bytes,
                  gsize         size) {
  Mapping *mapping = g_new (Mapping, 1);

  *mapping = (Mapping){ (gpointer)bytes, size };
  if (!helper_later (unmap_cb, mapping))
    unmap_cb (mapping);
}

void
cache_file_drop (const CacheFile *self,
                 guint64          at,
                 gsize            size) {
  (void)!fallocate (self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    (off_t)at, (off_t)size);
}
