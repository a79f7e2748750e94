/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-temp.c — a file without a name, on a disk where there is one
 *
 * For what is too large for memory: a file system that lives in memory is taken
 * only if there is no other. Tried in turn: the user's cache, $TMPDIR,
 * /var/tmp, /tmp. Nothing stays behind: it never has a name, or, where the file system
 * knows no files without one, loses it at once.
 */
#include "core/record/trace-temp.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <sys/statvfs.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

static gboolean
is_in_memory (int fd) {
#ifdef __linux__
  struct statfs facts;

  return fstatfs (fd, &facts) == 0
         && (facts.f_type == TMPFS_MAGIC || facts.f_type == RAMFS_MAGIC);
#else
  return FALSE;
#endif
}

static int
open_in (const char *folder) {
  g_autofree char *path = g_build_filename (folder, "tophash-XXXXXX", NULL);
  int fd = -1;

#ifdef O_TMPFILE
  fd = open (folder, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0)
    return fd;
#endif
  fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0)
    g_unlink (path);
  return fd;
}

int
trace_temp_open (char   **folder,
                 GError **error) {
  g_autofree char *cache
      = g_build_filename (g_get_user_cache_dir (), "tophash", NULL);
  const char *folders[] = { cache, g_getenv ("TMPDIR"), "/var/tmp",
                            g_get_tmp_dir () };
  const char *place = NULL;
  int found = -1, problem = 0;

  g_mkdir_with_parents (cache, 0700);
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++) {
    int fd = folders[i] != NULL ? open_in (folders[i]) : -1;
    gboolean is_on_disk = fd >= 0 && !is_in_memory (fd);

    if (fd < 0) {
      problem = errno;
    } else if (found >= 0 && !is_on_disk) {
      close (fd);
    } else {
      if (found >= 0)
        close (found);
      found = fd;
      place = folders[i];
    }
    if (is_on_disk)
      break;
  }
  if (found < 0)
    g_set_error (error, G_IO_ERROR, (gint)g_io_error_from_errno (problem),
                 _("no place for a temporary file: %s"), g_strerror (problem));
  else if (folder != NULL)
    *folder = g_strdup (place);
  return found;
}

guint64
trace_temp_free_bytes (int fd) {
  struct statvfs facts;

  if (fstatvfs (fd, &facts) != 0)
    return G_MAXUINT64;
  return (guint64)facts.f_bavail * (guint64)facts.f_frsize;
}
