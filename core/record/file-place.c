/* SPDX-License-Identifier: GPL-3.0-or-later */

/* file-place.c — where a file goes, how it gets there, and why it could not
 *
 * What is written beside a file has no name where the file system can do so (O_TMPFILE
 * of Linux), so that nothing is left of it when the program is killed. It gets its
 * name at once when nothing stands there; else one beside it for a moment, since only
 * a rename replaces. Elsewhere it has such a name from the beginning.
 *
 * Parts       A writer that is killed leaves its part, where that has a name. The next
 *             one in the folder removes it. A part is another writer's if it is called
 *             as ours are (PART_END, which nobody else gives a file), and dead if its
 *             lock can be had: a writer has it from before anyone can know of the part
 *             until it has its name, and the system takes it back from the killed. Who
 *             made a part and finds it gone when it has the lock begins another one.
 *             Where files cannot be locked nothing is removed. It is flock()'s lock:
 *             that of fcntl() tells readers that a recording grows.
 */
#include "core/record/file-place.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixoutputstream.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_LINKS 40 /* as the system follows */
/* Bytes of a name that go into its part's; most file systems take 255 in all. */
#define NAME_KEPT 128u
#define PART_END ".tophash.part"
#define PART_DIGITS 8 /* before it */

/* Links -------------------------------------------------------------------- */

/* (transfer full): one link further; NULL: @file is none. */
static GFile *
next_of (GFile *file) {
  g_autoptr (GFileInfo) info = g_file_query_info (
      file,
      G_FILE_ATTRIBUTE_STANDARD_IS_SYMLINK
      "," G_FILE_ATTRIBUTE_STANDARD_SYMLINK_TARGET,
      G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, NULL, NULL);
  g_autoptr (GFile) folder = g_file_get_parent (file);
  const char *target;

  if (info == NULL || folder == NULL || !g_file_info_get_is_symlink (info))
    return NULL;
  target = g_file_info_get_symlink_target (info);
  return target == NULL ? NULL : g_file_resolve_relative_path (folder, target);
}

GFile *
file_behind_links (GFile *file) {
  g_autoptr (GFile) at = g_object_ref (file);

  for (guint i = 0; i < MOST_LINKS; i++) {
    GFile *next = next_of (at);

    if (next == NULL)
      return g_steal_pointer (&at);
    g_object_unref (at);
    at = next;
  }
  return g_object_ref (file);
}

/* Writing ------------------------------------------------------------------ */

/* What there is no room for is left out, up to the beginning of a character. */
static GFile *
beside (GFile      *file,
        const char *end) {
  g_autoptr (GFile) folder = g_file_get_parent (file);
  g_autofree char *name = g_file_get_basename (file);
  g_autofree char *beside = NULL;

  if (strlen (name) > NAME_KEPT) {
    gsize n = NAME_KEPT;

    while (n > 0 && ((guchar)name[n] & 0xC0) == 0x80)
      n--;
    name[n] = '\0';
  }
  beside = g_strdup_printf (".%s.%0*x%s", name, PART_DIGITS, g_random_int (), end);

  return folder != NULL ? g_file_get_child (folder, beside)
                        : g_object_ref (file);
}

GFile *
file_beside (GFile *file) {
  return beside (file, ".part");
}

gboolean
file_may_replace (GFile   *target,
                  GError **error) {
  switch (g_file_query_file_type (target, G_FILE_QUERY_INFO_NONE, NULL)) {
  case G_FILE_TYPE_UNKNOWN: /* as a rule there is nothing */
  case G_FILE_TYPE_REGULAR:
    return TRUE;
  case G_FILE_TYPE_DIRECTORY:
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY,
                         _("a folder has this name"));
    return FALSE;
  case G_FILE_TYPE_SYMBOLIC_LINK:
  case G_FILE_TYPE_SPECIAL:
  case G_FILE_TYPE_SHORTCUT:
  case G_FILE_TYPE_MOUNTABLE:
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                         _("what has this name is no file"));
    return FALSE;
  }
  g_return_val_if_reached (FALSE);
}

static GError *
system_error (int number) {
  return g_error_new_literal (G_IO_ERROR, (gint)g_io_error_from_errno (number),
                              g_strerror (number));
}

/* Asks the system to bring the file's bytes to the disk before it is renamed over
 * another one. FALSE: they are lost; there are files that cannot be asked for. */
static gboolean
sync_bytes (int      fd,
            GError **error) {
  if (fsync (fd) == 0
      || (errno != EIO && errno != ENOSPC && errno != EDQUOT))
    return TRUE;
  g_propagate_error (error, system_error (errno));
  return FALSE;
}

/* Parts -------------------------------------------------------------------- */

static gboolean has_unnamed = TRUE;

void
file_set_unnamed (gboolean may_be) {
  has_unnamed = may_be;
}

/* (transfer full): what the system calls the open file. */
static char *
path_of_fd (int fd) {
  return g_strdup_printf ("/proc/self/fd/%d", fd);
}

static int
open_unnamed (const char *path) {
#ifdef O_TMPFILE
  g_autofree char *folder = g_path_get_dirname (path);
  int fd = has_unnamed ? open (folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666) : -1;
  g_autofree char *link = path_of_fd (fd);

  /* It will be named by that. */
  if (fd < 0 || access (link, F_OK) == 0)
    return fd;
  close (fd);
#endif
  return -1;
}

/* (transfer full) */
static char *
path_beside (const char *path) {
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFile) part = beside (file, PART_END);

  return g_file_get_path (part);
}

static gboolean
is_part (const char *name) {
  gsize digits_at = strlen (name) - strlen (PART_END) - PART_DIGITS;

  if (name[0] != '.' || !g_str_has_suffix (name, PART_END)
      || strlen (name) < 2 + PART_DIGITS + strlen (PART_END)
      || name[digits_at - 1] != '.')
    return FALSE;
  for (gsize i = 0; i < PART_DIGITS; i++)
    if (!g_ascii_isxdigit (name[digits_at + i]))
      return FALSE;
  return TRUE;
}

/* Whether @path is the name of the open file. */
static gboolean
is_called (int         fd,
           const char *path) {
  struct stat own, there;

  return fstat (fd, &own) == 0 && lstat (path, &there) == 0
         && own.st_dev == there.st_dev && own.st_ino == there.st_ino;
}

/* Removes a part whose writer is no more. */
static void
sweep_part (const char *path) {
  int fd = open (path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat facts;

  if (fd < 0)
    return;
  if (fstat (fd, &facts) == 0 && S_ISREG (facts.st_mode)
      && facts.st_uid == geteuid () && flock (fd, LOCK_EX | LOCK_NB) == 0
      && is_called (fd, path) && g_unlink (path) == 0)
    g_debug ("removed “%s”, which nobody writes any more", path);
  close (fd);
}

static void
sweep_beside (const char *path) {
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (is_part (name)) {
      g_autofree char *part = g_build_filename (folder, name, NULL);

      sweep_part (part);
    }
}

/* A new file of the name beside @path that is put into @name; -1: errno. */
static int
open_named (const char *path,
            char      **name) {
  for (;;) {
    g_autofree char *part = path_beside (path);
    int fd = open (part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0 && errno == EEXIST)
      continue;
    if (fd < 0)
      return -1;
    /* Not to be had, and yet nobody has it: there are no locks here. */
    if (flock (fd, LOCK_EX | LOCK_NB) != 0 && errno != EWOULDBLOCK) {
      *name = g_steal_pointer (&part);
      return fd;
    }
    /* Somebody sweeps in this very moment, and took it for a dead one. */
    if (flock (fd, LOCK_EX) == 0 && is_called (fd, part)) {
      *name = g_steal_pointer (&part);
      return fd;
    }
    close (fd);
  }
}

/* Who may read what stood there may read what stands there next, and nobody else. */
static void
keep_mode_of (const char *path,
              int         fd) {
  struct stat facts;

  /* A file system without modes has none to keep. */
  if (stat (path, &facts) == 0)
    (void)!fchmod (fd, facts.st_mode & 0777);
}

int
file_part_open (FilePart   *self,
                const char *path,
                GError    **error) {
  int fd;

  sweep_beside (path);
  fd = open_unnamed (path);
  *self = (FilePart){ .path = g_strdup (path) };
  /* It has a name for a moment when it replaces a file. */
  if (fd >= 0)
    flock (fd, LOCK_EX | LOCK_NB);
  else
    fd = open_named (path, &self->name);
  if (fd < 0) {
    g_propagate_error (error, system_error (errno));
    file_part_clear (self);
  }
  return fd;
}

gboolean
file_part_give_name (FilePart *self,
                     int       fd,
                     GError  **error) {
  if (self->name == NULL) {
    g_autofree char *link = path_of_fd (fd);
    g_autofree char *name = path_beside (self->path);

    if (linkat (AT_FDCWD, link, AT_FDCWD, self->path, AT_SYMLINK_FOLLOW) == 0)
      return TRUE;
    if (errno != EEXIST
        || linkat (AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW) != 0) {
      g_propagate_error (error, system_error (errno));
      return FALSE;
    }
    self->name = g_steal_pointer (&name);
  }
  if (rename (self->name, self->path) != 0) {
    g_propagate_error (error, system_error (errno));
    return FALSE;
  }
  g_clear_pointer (&self->name, g_free);
  return TRUE;
}

void
file_part_clear (FilePart *self) {
  if (self->name != NULL)
    g_unlink (self->name);
  g_clear_pointer (&self->name, g_free);
  g_clear_pointer (&self->path, g_free);
}

static gboolean
write_bytes (FileWriter    write,
             gpointer      data,
             int           fd,
             GCancellable *cancellable,
             GError      **error) {
  g_autoptr (GOutputStream) out = g_unix_output_stream_new (fd, FALSE);

  return write (out, data, error)
         && g_output_stream_close (out, cancellable, error)
         && sync_bytes (fd, error);
}

static gboolean
write_by_path (const char   *path,
               FileWriter    write,
               gpointer      data,
               GCancellable *cancellable,
               GError      **error) {
  FilePart part;
  int fd = file_part_open (&part, path, error);
  gboolean is_written;

  if (fd < 0)
    return FALSE;
  keep_mode_of (path, fd);
  is_written = write_bytes (write, data, fd, cancellable, error)
               && file_part_give_name (&part, fd, error);
  close (fd);
  file_part_clear (&part);
  return is_written;
}

/* Where there is no path the file system sees to order and rights. */
static gboolean
write_by_gio (GFile        *target,
              FileWriter    write,
              gpointer      data,
              GCancellable *cancellable,
              GError      **error) {
  g_autoptr (GFile) part = file_beside (target);
  g_autoptr (GFileOutputStream) out
      = g_file_create (part, G_FILE_CREATE_NONE, cancellable, error);
  gboolean is_written;

  if (out == NULL)
    return FALSE;
  is_written = write (G_OUTPUT_STREAM (out), data, error);
  if (!is_written)
    g_output_stream_close (G_OUTPUT_STREAM (out), NULL, NULL);
  if (is_written
      && g_output_stream_close (G_OUTPUT_STREAM (out), cancellable, error)
      && g_file_move (part, target,
                      G_FILE_COPY_OVERWRITE | G_FILE_COPY_NO_FALLBACK_FOR_MOVE,
                      cancellable, NULL, NULL, error))
    return TRUE;
  /* Not with the cancellable: what was cancelled is tidied up all the same. */
  g_file_delete (part, NULL, NULL);
  return FALSE;
}

gboolean
file_write_whole (GFile        *file,
                  FileWriter    write,
                  gpointer      data,
                  GCancellable *cancellable,
                  GError      **error) {
  g_autoptr (GFile) target = file_behind_links (file);
  const char *path = g_file_is_native (target) ? g_file_peek_path (target) : NULL;
  GError *failure = NULL;

  if (file_may_replace (target, &failure)
      && !g_cancellable_set_error_if_cancelled (cancellable, &failure)
      && (path != NULL
              ? write_by_path (path, write, data, cancellable, &failure)
              : write_by_gio (target, write, data, cancellable, &failure)))
    return TRUE;
  file_fail_save (file, failure, error);
  return FALSE;
}

/* Telling ------------------------------------------------------------------ */

const char *
file_plain_reason (const GError *error) {
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE))
    return _("there is no room left on the disk");
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    return _("writing there is not permitted");
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_READ_ONLY))
    return _("its folder can only be read");
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return _("its folder does not exist");
  return error->message;
}

void
file_fail_save (GFile   *file,
                GError  *failure,
                GError **error) {
  g_autofree char *place = g_file_get_parse_name (file);

  g_set_error (error, failure->domain, failure->code,
               _("“%s” could not be saved: %s"), place, file_plain_reason (failure));
  g_error_free (failure);
}

const char *
file_plain_open_reason (const GError *error) {
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return _("there is no such file");
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    return _("reading it is not permitted");
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY))
    return _("it is a folder");
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE))
    return _("there is no room on the disk for a copy of it");
  return error->message;
}
