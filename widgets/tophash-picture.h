/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-picture.h — the stage as a file, without a display */
#pragma once

#include "core/record/tracelog.h"
#include "core/state/map-state.h"

G_BEGIN_DECLS

/* Writes the stage at @state with a line that says what it is. The suffix of
 * @path chooses the format: .png, .svg or .pdf. @info is nullable.
 *
 * Errors: G_FILE_ERROR or G_IO_ERROR, naming the path; an unknown suffix or a
 *         size that is not 1 to 16384 is G_IO_ERROR_INVALID_ARGUMENT. */
gboolean paint_stage_to_file   (const MapState  *state,
                                const TraceInfo *info,
                                const char      *path,
                                int              width,
                                int              height,
                                gboolean         dark,
                                GError         **error);

G_END_DECLS
