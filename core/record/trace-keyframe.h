/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-keyframe.h — full states that stand beside the events, as bytes
 *
 * Who folds events may leave the state after some of them with the log, so that
 * a seek need not begin at the first event. What is in it is the folder's own;
 * the log packs, keeps and writes it, and proves that it comes back as it was.
 * A state comes in frames, which can be read and unpacked side by side.
 *
 * Ownership: copies. Threads: all of it from any thread.
 */
#pragma once

#include "core/record/tracelog.h"

G_BEGIN_DECLS

#define TRACE_FRAME_MAX (256u << 10)
#define TRACE_KEYFRAME_MAX_FRAMES 4096u /* 1 GiB of state */
/* Events between two states in a file: who folds from one to the next takes a tenth
 * of a second at the most. */
#define TRACE_KEYFRAME_EVENTS (4u << 20)

typedef struct {
  guint64 position; /* the state after so many events */
  gint64  at_ns;
  guint32 version;  /* of what is in the frames; the folder's */
  guint   n_frames;
} TraceKeyframe;

/* @facts: n_frames is not read. @frames: of GBytes, each of 1 to TRACE_FRAME_MAX
 * bytes. FALSE: too many or too large ones, or there is one at that position. */
gboolean tracelog_put_keyframe  (TraceLog            *log,
                                 const TraceKeyframe *facts,
                                 GPtrArray           *frames);
/* Lets go of those that were put into a finished log and stand in no file that it is
 * read from: what a save needed them for is over. */
void     tracelog_drop_keyframes (TraceLog            *log);
/* The latest one at or before @position; FALSE: there is none. */
gboolean tracelog_find_keyframe (TraceLog            *log,
                                 guint64              position,
                                 TraceKeyframe       *found);
/* (transfer full): frame @frame of the one at exactly @position; NULL: it is
 * damaged, or there is none. */
GBytes  *tracelog_read_frame    (TraceLog            *log,
                                 guint64              position,
                                 guint                frame);

G_END_DECLS
