/* SPDX-License-Identifier: GPL-3.0-or-later */

/* unnamed-file.h — cutting a file that has no name, as somebody else could */
#pragma once

#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The descriptor of the last opened file of this process that has no name. */
static inline int
unnamed_file_find (void) {
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;
  int found = -1;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL) {
    int fd = atoi (name);
    struct stat facts;

    if (fstat (fd, &facts) == 0 && S_ISREG (facts.st_mode) && facts.st_nlink == 0)
      found = MAX (found, fd);
  }
  g_assert_cmpint (found, >=, 0);
  return found;
}

/* Opened once more, as by another process. */
static inline int
unnamed_file_open (void) {
  g_autofree char *path
      = g_strdup_printf ("/proc/self/fd/%d", unnamed_file_find ());
  int fd = open (path, O_RDWR | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static inline void
unnamed_file_cut (off_t size) {
  int fd = unnamed_file_open ();

  g_assert_cmpint (ftruncate (fd, size), ==, 0);
  close (fd);
}
