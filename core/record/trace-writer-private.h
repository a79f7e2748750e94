/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-writer-private.h — chunks to a stream, with the tables that find them
 *
 * Chunks are gathered and handed to the stream in large pieces; nothing is
 * certain to be written before trace_writer_flush(). Ownership and threads: the
 * caller's.
 */
#pragma once

#include "core/record/trace-keyframe.h"
#include "core/record/trace-notes.h"
#include "core/record/tracelog-file-private.h"

G_BEGIN_DECLS

typedef struct {
  GOutputStream *out;
  GCancellable  *cancellable; /* or NULL */
  GByteArray    *buffer;      /* what the stream has not got yet */
  guint64        offset;      /* of the next chunk */
  GByteArray    *index;       /* an entry for each block, INDEX_ENTRY_SIZE */
  guint          n_indexed;   /* blocks that an INDEX has told */
  guint64        index_at;    /* the latest INDEX; 0: none, as below */
  guint64        honesty_at;
  guint64        notes_at;
  GArray        *keyframes;   /* of KeyframePlace */
} TraceWriter;

/* @offset: of the stream's first byte in the file. */
void     trace_writer_init        (TraceWriter        *self,
                                   GOutputStream      *out,
                                   guint64             offset,
                                   GCancellable       *cancellable);
void     trace_writer_clear       (TraceWriter        *self);

/* The file's header and INFO. */
gboolean trace_writer_put_head    (TraceWriter        *self,
                                   const TraceInfo    *info,
                                   guint               features,
                                   guint8              uuid[16],
                                   GError            **error);
/* A block with the index of the latest one takes its place: it is longer. */
gboolean trace_writer_put_block   (TraceWriter        *self,
                                   const PackedBlock  *block,
                                   GError            **error);
/* @waits (nullable): by worker, of TraceWait. @length: events in the file. */
gboolean trace_writer_put_honesty (TraceWriter        *self,
                                   const TraceHonesty *honesty,
                                   const GArray       *waits,
                                   guint64             length,
                                   GError            **error);
gboolean trace_writer_put_notes   (TraceWriter        *self,
                                   const TraceNotes   *notes,
                                   guint64             length,
                                   GError            **error);
/* @payload: as tracelog_dup_keyframe() gives it. */
gboolean trace_writer_put_keyframe (TraceWriter         *self,
                                    const TraceKeyframe *facts,
                                    GBytes              *payload,
                                    GError             **error);
/* INDEX of the blocks since the latest one, or of all, then END. */
gboolean trace_writer_put_end     (TraceWriter        *self,
                                   gboolean            is_whole,
                                   guint64             length,
                                   GError            **error);
/* After a failure: forgets what was put from @offset on. The stream is to go on
 * there. */
void     trace_writer_rewind      (TraceWriter        *self,
                                   guint64             offset);
gboolean trace_writer_flush       (TraceWriter        *self,
                                   GError            **error);

G_END_DECLS
