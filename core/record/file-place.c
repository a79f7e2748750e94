/* SPDX-License-Identifier: GPL-3.0-or-later */

/* file-place.c — where a file goes, how it gets there, and why it could not */
#include "core/record/file-place.h"

#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <unistd.h>

#define MOST_LINKS 40 /* as the system follows */
/* Bytes of a name that go into its part's; most file systems take 255 in all. */
#define NAME_KEPT 128u

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
GFile *
file_beside (GFile *file) {
  g_autoptr (GFile) folder = g_file_get_parent (file);
  g_autofree char *name = g_file_get_basename (file);
  g_autofree char *beside = NULL;

  if (strlen (name) > NAME_KEPT) {
    gsize n = NAME_KEPT;

    while (n > 0 && ((guchar)name[n] & 0xC0) == 0x80)
      n--;
    name[n] = '\0';
  }
  beside = g_strdup_printf (".%s.%08x.part", name, g_random_int ());

  return folder != NULL ? g_file_get_child (folder, beside)
                        : g_object_ref (file);
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

/* Asks the system to bring the file's bytes to the disk before it is renamed
 * over another one; where there is no path, the file system keeps the order. */
static void
sync_file (GFile *file) {
  const char *path = g_file_peek_path (file);
  int fd = path != NULL ? open (path, O_RDONLY | O_CLOEXEC) : -1;

  if (fd >= 0) {
    fsync (fd);
    close (fd);
  }
}

/* Who may read what stood there may read what stands there next, and nobody else. */
static void
keep_mode (GFile *part,
           GFile *file) {
  g_autoptr (GFileInfo) info = g_file_query_info (
      file, G_FILE_ATTRIBUTE_UNIX_MODE, G_FILE_QUERY_INFO_NONE, NULL, NULL);

  /* A file system without modes has none to keep. */
  if (info != NULL && g_file_info_has_attribute (info, G_FILE_ATTRIBUTE_UNIX_MODE))
    g_file_set_attribute_uint32 (
        part, G_FILE_ATTRIBUTE_UNIX_MODE,
        g_file_info_get_attribute_uint32 (info, G_FILE_ATTRIBUTE_UNIX_MODE) & 0777,
        G_FILE_QUERY_INFO_NONE, NULL, NULL);
}

static gboolean
write_part (GFile        *part,
            GFile        *target,
            FileWriter    write,
            gpointer      data,
            GCancellable *cancellable,
            GError      **error) {
  g_autoptr (GFileOutputStream) out
      = g_file_create (part, G_FILE_CREATE_NONE, cancellable, error);

  if (out == NULL)
    return FALSE;
  keep_mode (part, target);
  if (!write (G_OUTPUT_STREAM (out), data, error)) {
    g_output_stream_close (G_OUTPUT_STREAM (out), NULL, NULL);
    return FALSE;
  }
  if (!g_output_stream_close (G_OUTPUT_STREAM (out), cancellable, error))
    return FALSE;
  sync_file (part);
  return TRUE;
}

gboolean
file_write_whole (GFile        *file,
                  FileWriter    write,
                  gpointer      data,
                  GCancellable *cancellable,
                  GError      **error) {
  g_autoptr (GFile) target = file_behind_links (file);
  g_autoptr (GFile) part = file_beside (target);
  GError *failure = NULL;

  if (!file_may_replace (target, &failure)) {
    file_fail_save (file, failure, error);
    return FALSE;
  }
  if (write_part (part, target, write, data, cancellable, &failure)
      && g_file_move (part, target,
                      G_FILE_COPY_OVERWRITE | G_FILE_COPY_NO_FALLBACK_FOR_MOVE,
                      cancellable, NULL, NULL, &failure))
    return TRUE;
  /* Not with the cancellable: what was cancelled is tidied up all the same. */
  g_file_delete (part, NULL, NULL);
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
