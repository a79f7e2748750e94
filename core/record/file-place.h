/* SPDX-License-Identifier: GPL-3.0-or-later */

/* file-place.h — where a file goes, and why it could not go there */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* (transfer full): what the link @file leads to in the end, be it there or not yet;
 * @file itself when it is no link. What is replaced by name must be this, or the
 * link is lost and what it led to stays as it was. */
GFile      *file_behind_links     (GFile        *file);
/* Closes @out, of g_file_replace() on @file, so that what stood there stays as it
 * was; @is_new: nothing stood there, and nothing will. Closed in the common way,
 * also by g_file_replace_contents(), a piece would take its place. */
void        file_give_up          (GOutputStream *out,
                                   GFile         *file,
                                   gboolean       is_new);
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
