/* SPDX-License-Identifier: GPL-3.0-or-later */

/* file-place.c — where a file goes, and why it could not go there */
#include "core/record/file-place.h"

#include <glib/gi18n-lib.h>

#define MOST_LINKS 40 /* as the system follows */

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

void
file_give_up (GOutputStream *out,
              GFile         *file,
              gboolean       is_new) {
  g_autoptr (GCancellable) drop = g_cancellable_new ();

  g_cancellable_cancel (drop);
  g_output_stream_close (out, drop, NULL);
  if (is_new)
    g_file_delete (file, NULL, NULL);
}

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
