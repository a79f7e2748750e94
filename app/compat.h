/* SPDX-License-Identifier: GPL-3.0-or-later */

/* compat.h — the few calls whose modern form is newer than our floor
 *
 * One function each; the new form is used where the library has it. Main thread.
 */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* @file is NULL when the choice was cancelled; (transfer none). */
typedef void (*CompatFileChosen) (GFile    *file,
                                  gpointer  data);

/* @filters: pairs of name and globs (joined by “;”), NULL-terminated; where to save,
 * one glob each, “*” and a suffix. @folder (nullable): to begin in. */
void compat_file_open (GtkWindow          *parent,
                       const char         *title,
                       const char *const  *filters,
                       CompatFileChosen    chosen,
                       gpointer            data);
void compat_file_save (GtkWindow          *parent,
                       const char         *title,
                       GFile              *folder,
                       const char         *initial_name,
                       const char *const  *filters,
                       CompatFileChosen    chosen,
                       gpointer            data);
void compat_about     (GtkWindow          *parent);

/* (transfer full): @name with the suffix of what was @chosen, where it has none, or
 * only the first one's, which was suggested. */
char *compat_complete_name (const char         *name,
                            const char *const  *suffixes,
                            guint               chosen);

G_END_DECLS
