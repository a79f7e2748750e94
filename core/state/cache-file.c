/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cache-file.c — what a timeline can do without in memory, in a file without a name
 *
 * The room of what is dropped is given back as a hole, which is made of whole blocks
 * of the file system.
 */
#include "core/state/cache-file.h"

#include "core/base/map-guard.h"
#include "core/record/trace-temp.h"
#include "core/state/helper.h"

#include <errno.h>
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
  gint    has_failed; /* atomic */
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

  if (cache_file_has_failed (self))
    return FALSE;
  while (done < size) {
    gssize n = pwrite (self->fd, (const guint8 *)bytes + done, size - done,
                       (off_t)(self->end + done));

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    done += (gsize)n;
  }
  *at = self->end;
  self->end = (self->end + size + self->align - 1) & ~(guint64)(self->align - 1);
  return TRUE;
}

gboolean
cache_file_has_failed (CacheFile *self) {
  return g_atomic_int_get (&self->has_failed);
}

/* What cannot be read now will not be read the next time. */
static gboolean
fail (CacheFile *self) {
  if (g_atomic_int_compare_and_exchange (&self->has_failed, FALSE, TRUE))
    g_debug ("a temporary file cannot be read any more");
  return FALSE;
}

gboolean
cache_file_read (CacheFile *self,
                 guint64    at,
                 gsize      size,
                 gpointer   to) {
  gsize done = 0;

  while (done < size) {
    gssize n = pread (self->fd, (guint8 *)to + done, size - done,
                      (off_t)(at + done));

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return fail (self);
    done += (gsize)n;
  }
  return TRUE;
}

gboolean
cache_file_map (const CacheFile *self,
                guint64          at,
                gsize            size,
                CacheMapping    *mapping) {
  gpointer start = mmap (NULL, size, PROT_READ, MAP_SHARED, self->fd, (off_t)at);

  *mapping = (CacheMapping){ NULL, size, -1 };
  if (start == MAP_FAILED)
    return FALSE;
  mapping->guard = map_guard_enter (start, size);
  if (mapping->guard >= 0)
    mapping->bytes = start;
  else
    munmap (start, size);
  return mapping->bytes != NULL;
}

gboolean
cache_mapping_is_whole (const CacheMapping *self) {
  return map_guard_is_whole (self->guard);
}

static void
unmap_cb (gpointer data) {
  CacheMapping *mapping = data;

  munmap ((gpointer)mapping->bytes, mapping->size);
  g_free (mapping);
}

gboolean
cache_file_unmap (CacheFile    *self,
                  CacheMapping *mapping) {
  gboolean is_whole = map_guard_leave (mapping->guard);
  CacheMapping *job = g_memdup2 (mapping, sizeof *mapping);

  mapping->bytes = NULL;
  if (!helper_tidy (unmap_cb, job))
    unmap_cb (job);
  return is_whole || fail (self);
}

void
cache_file_drop (const CacheFile *self,
                 guint64          at,
                 gsize            size) {
  (void)!fallocate (self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    (off_t)at, (off_t)size);
}
