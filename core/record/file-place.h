/* SPDX-License-Identifier: GPL-3.0-or-later */

/* file-place.h — where a file goes, and why it could not go there */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* (transfer full): what the link @file leads to in the end, be it there or not yet;
 * @file itself when it is no link. What is replaced by name must be this, or the
 * link is lost and what it led to stays as it was. */
GFile      *file_behind_links     (GFile        *file);
/* (transfer full): a name beside @file that nobody uses, for what will be renamed to
 * it; no longer than a name may be. */
GFile      *file_beside           (GFile        *file);
/* FALSE: what stands at @target is no file, such as a folder, a pipe or a device,
 * and a rename would put a file in its place. */
gboolean    file_may_replace      (GFile        *target,
                                   GError      **error);

/* A file on its way to its name. */
typedef struct {
  char *path;
  char *name; /* NULL: it has none */
} FilePart;

/* A descriptor of a new file, open for reading and writing, that will stand at @path;
 * -1 and @error, and there is nothing to clear. */
int         file_part_open        (FilePart      *self,
                                   const char    *path,
                                   GError       **error);
/* Gives it the name, also when another file has it. */
gboolean    file_part_give_name   (FilePart      *self,
                                   int            fd,
                                   GError       **error);
/* Without a name nothing is left of it. */
void        file_part_clear       (FilePart      *self);
/* For tests: as where every file has a name. */
void        file_set_unnamed      (gboolean       may_be);

/* FALSE: @error is set. */
typedef gboolean (*FileWriter)    (GOutputStream *out,
                                   gpointer       data,
                                   GError       **error);
/* Writes a file beside @file, or beside what a link @file leads to, and gives it the
 * name when it is whole: what goes wrong before, killing included, loses nothing that
 * stood there and leaves nothing under the name, nor, where the file system can do
 * so, beside it; what is left there is removed by the next one in that folder. The
 * error is file_fail_save()'s. */
gboolean    file_write_whole      (GFile        *file,
                                   FileWriter    write,
                                   gpointer      data,
                                   GCancellable *cancellable,
                                   GError      **error);
/* Says which file could not be saved, by its whole place, and plainly why; takes
 * @failure. */
void        file_fail_save        (GFile         *file,
                                   GError        *failure,
                                   GError       **error);
/* Translated, of what follows “could not be saved: ”. The system's words tell of a
 * part's name, which nobody knows. Borrowed from @error at most. */
const char *file_plain_reason     (const GError *error);
/* The same of “cannot be opened: ”. */
const char *file_plain_open_reason (const GError *error);

G_END_DECLS
