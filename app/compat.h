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

/* @filters: pairs of name and glob, NULL-terminated. */
void compat_file_open (GtkWindow          *parent,
                       const char         *title,
                       const char *const  *filters,
                       CompatFileChosen    chosen,
                       gpointer            data);
void compat_file_save (GtkWindow          *parent,
                       const char         *title,
                       const char         *initial_name,
                       const char *const  *filters,
                       CompatFileChosen    chosen,
                       gpointer            data);
void compat_about     (GtkWindow          *parent);

G_END_DECLS
