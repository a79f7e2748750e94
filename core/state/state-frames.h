/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-frames.h — a map state as bytes, and back
 *
 * A state is written as an array of independent frames of a bounded size, so
 * that they can be stored, checked and compressed one by one and read by several
 * threads. Format and argument are told in state-frames.c.
 *
 * Threads: any; a state is immutable, and so are frames.
 */
#pragma once

#include "core/record/tracelog.h"
#include "core/state/map-state.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* Of the format; a recording says it beside its frames. */
#define STATE_FRAMES_VERSION 2u
/* A frame is never longer. */
#define STATE_FRAME_MAX (256u << 10)

/* Where a frame lies. */
typedef struct {
  guint64 at;
  guint32 size;
} StateSpan;

/* Frames in one piece of memory: a mapping, which takes what was written only. */
typedef struct {
  guint8 *bytes;
  gsize   n_bytes;
  gsize   room;
  GArray *spans; /* of StateSpan, frame by frame */
} StateFrames;

void       state_frames_init     (StateFrames    *self);
void       state_frames_clear    (StateFrames    *self);
/* Replaces what there is by the frames of @state. */
void       state_frames_write    (StateFrames    *self,
                                  const MapState *state);

/* Gives the frame @index: sets @size and returns its bytes, which stay until the
 * next call from the same thread; NULL: they cannot be had. It may use @scratch,
 * STATE_FRAME_MAX bytes. Several threads may ask at once. */
typedef const guint8 *(*StateFrameRead) (gpointer  data,
                                         guint     index,
                                         guint8   *scratch,
                                         gsize    *size);

/* (transfer full): the state that was written, told by @read in @n_frames frames
 * of @n_bytes together. Whatever they are: else NULL with an error of
 * G_IO_ERROR_INVALID_DATA, and never more memory than 32 times theirs and a bit.
 * @has_help: another thread may read too. The state may be edited by who holds
 * it alone; map_state_disown() before it is shown to anybody else. */
MapState  *map_state_restore     (StateFrameRead  read,
                                  gpointer        data,
                                  guint           n_frames,
                                  gsize           n_bytes,
                                  gboolean        has_help,
                                  GError        **error);

/* The same with GBytes: an array of them, one for each frame. */
GPtrArray *map_state_serialise   (const MapState *state);
MapState  *map_state_deserialise (GPtrArray      *frames,
                                  GError        **error);
/* Puts @state beside the events of @log that it came from, for its file; FALSE:
 * it is too large, or there is one already. */
gboolean   map_state_keep        (const MapState *state,
                                  TraceLog       *log);

G_END_DECLS
