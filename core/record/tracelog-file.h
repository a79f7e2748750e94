/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-file.h — logs as .tophash files
 *
 * The format, with its tables of offsets, is told in FORMAT.md.
 *
 * Errors: TRACELOG_FILE_ERROR; every message names the file, the offset, what
 * was wanted and what was found. Threads: all functions block on I/O; call them
 * from a worker.
 */
#pragma once

#include "core/record/tracelog.h"

G_BEGIN_DECLS

#define TRACELOG_FILE_ERROR (tracelog_file_error_quark ())
GQuark tracelog_file_error_quark (void);

typedef enum {
  TRACELOG_FILE_ERROR_NOT_A_RECORDING,
  TRACELOG_FILE_ERROR_NEWER,   /* a newer major version */
  TRACELOG_FILE_ERROR_CORRUPT, /* nothing of it can be used */
  TRACELOG_FILE_ERROR_EMPTY,
} TraceLogFileError;

/* @fraction: 0 to 1. Called in the calling thread. */
typedef void (*TraceLogProgress) (double   fraction,
                                  gpointer data);

/* Writes a finished or running log up to its present length. The file appears
 * under its name only when it is whole (written beside it, then renamed): a
 * failure loses nothing that stood there. */
gboolean  tracelog_save (TraceLog         *self,
                         GFile            *file,
                         TraceLogProgress  progress,
                         gpointer          data,
                         GCancellable     *cancellable,
                         GError          **error);

/* Puts the log's notes, and what recording costs, into a file that it was opened from
 * or saved to: a few KiB are appended, and a failure loses nothing that stood there.
 * Errors: also G_IO_ERROR_NOT_SUPPORTED: another file, an older or newer one, or not
 * a whole one; tracelog_save() then. */
gboolean  tracelog_save_notes (TraceLog *self,
                               GFile    *file,
                               GError  **error);

/* Opens a file as far as it is whole. Its blocks stay there and are read when
 * they are asked for, so the file must stay too; replaced or removed it stays
 * readable, cut or overwritten the log ends there (tracelog_dup_damage()). A
 * file without a path is copied to a temporary one first. @warning (nullable): set to
 * a sentence naming the place when the file is cut or damaged and less than all of it
 * was opened, else to NULL. */
TraceLog *tracelog_open (GFile            *file,
                         TraceLogProgress  progress,
                         gpointer          data,
                         GCancellable     *cancellable,
                         char            **warning,
                         GError          **error);

/* Whether there was a warning because the file is cut or damaged, and not because
 * another process is recording it. */
gboolean  tracelog_lacks_parts (TraceLog         *self);

/* (transfer full): the sentence on a file of a newer minor version, or with parts that
 * this version passed over: what only a newer one knows is not in a log, and in no
 * file that tracelog_save() makes of it. NULL: it is no such file. */
char     *tracelog_dup_newer    (TraceLog         *self);

/* The same, but a file that another process is recording gives a log that is not
 * finished, and may have no events yet: it grows by tracelog_refresh() or
 * tracelog_follow(). */
TraceLog *tracelog_open_growing (GFile            *file,
                                 TraceLogProgress  progress,
                                 gpointer          data,
                                 GCancellable     *cancellable,
                                 char            **warning,
                                 GError          **error);

/* Takes what was written to the file since it was opened or refreshed; finishes
 * the log when nobody records into it any more. One caller at a time, from any
 * thread. FALSE: there will be no more. */
gboolean  tracelog_refresh      (TraceLog         *self);

/* A thread refreshes the log, a few times a second, until it is finished or its
 * last reference goes. Instead of tracelog_refresh(). */
void      tracelog_follow       (TraceLog         *self);

/* The same from memory, for fuzzing and tests; @name stands in messages. */
TraceLog *tracelog_open_bytes (GBytes     *bytes,
                               const char *name,
                               char      **warning,
                               GError    **error);

G_END_DECLS
