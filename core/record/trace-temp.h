/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-temp.h — a file without a name, on a disk where there is one */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A descriptor open for reading and writing; -1 and @error. What is written is
 * gone when it is closed, however the program ends. @folder (nullable): set to
 * where it stands, (transfer full). */
int     trace_temp_open       (char   **folder,
                               GError **error);
/* Bytes free in the file system of @fd; G_MAXUINT64: not known. */
guint64 trace_temp_free_bytes (int      fd);

G_END_DECLS
