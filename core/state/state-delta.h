/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-delta.h — what a state differs in from one before it, as bytes
 *
 * Told in state-delta.c. For timeline-keyframes.c and state-frames-read.c alone;
 * never in a file that outlives the process. Threads: any; bytes written are
 * immutable, and so is an open delta.
 */
#pragma once

#include "core/state/state-frames.h"
#include "core/state/state-pack.h"

G_BEGIN_DECLS

/* Room to write in. */
typedef struct {
  GByteArray *bytes;      /* the whole, once written */
  gsize       front_size; /* of those, what is read first */
  GByteArray *changed;
  GByteArray *added;
  GArray     *sections;
  GArray     *added_sections;
  gboolean    has_other_tables; /* that is why nothing was written */
} StateDelta;

void       state_delta_init      (StateDelta     *self);
void       state_delta_clear     (StateDelta     *self);
/* Replaces what there is by how @state differs from @base; FALSE: by more than
 * @most bytes, or in its tables (has_other_tables). */
gboolean   state_delta_write     (StateDelta     *self,
                                  const MapState *base,
                                  const MapState *state,
                                  gsize           most);

/* Reads @size bytes at @at into @scratch, or returns where they are; NULL: they
 * cannot be had. Several threads may ask at once. */
typedef const guint8 *(*StateDeltaRead) (gpointer  data,
                                         gsize     at,
                                         gsize     size,
                                         guint8   *scratch);

typedef struct {
  StateDeltaRead read;
  gpointer       data;
  gsize          front_size;
  gsize          size; /* all */
  gboolean       is_read_plainly; /* whatever the processor can: for tests */
} StateDeltaSource;

/* As map_state_restore(): the state of the frames, changed by @delta, which was
 * written against it. NULL: the bytes of either are damaged. */
MapState  *map_state_restore_changed (StateFrameRead          read,
                                      gpointer                data,
                                      guint                   n_frames,
                                      gsize                   n_bytes,
                                      const StateDeltaSource *delta,
                                      gboolean                has_help);

/* For state-frames-read.c ---------------------------------------------------- */

typedef struct _OpenDelta OpenDelta;

/* NULL: it is damaged. */
OpenDelta    *open_delta_new   (const StateDeltaSource *source);
void          open_delta_free  (OpenDelta       *self);
const guint8 *open_delta_head  (const OpenDelta *self,
                                gsize           *size);

/* Some of its bytes, for the runs of a frame. */
typedef struct {
  GByteArray   *scratch;
  const guint8 *bytes;
  gsize         from;
  gsize         end;
} DeltaPart;

/* Gets what concerns the records from that at @first of the vector at @rank to
 * before @end of that at @last_rank. */
gboolean      open_delta_get   (const OpenDelta *self,
                                DeltaPart       *part,
                                guint64          rank,
                                guint32          first,
                                guint64          last_rank,
                                guint64          end);
/* Walks the groups of a vector in order. */
typedef struct {
  const OpenDelta *delta;
  const DeltaPart *part;
  const struct _GroupType *type;
  guint            section; /* the next one */
  guint            end;
  const guint8    *at;      /* of the group at hand, behind what is skipped */
  const guint8    *until;
  guint64          index;   /* of its first record; G_MAXUINT64: there is none */
  gboolean         is_bad;
} DeltaCursor;

/* Stands before the record @first of the vector at @rank, within what @part has. */
void          delta_cursor_begin (DeltaCursor     *cursor,
                                  const OpenDelta *delta,
                                  const DeltaPart *part,
                                  guint64          rank,
                                  guint32          first);
/* Changes the records of the leaf [@first, @first + @n). FALSE: the bytes are
 * damaged. */
gboolean      delta_cursor_change (DeltaCursor    *cursor,
                                   guint8         *records,
                                   guint32         first,
                                   guint           n);
/* Then, when all is merged: what @state has in leaves that its base had not. */
gboolean      open_delta_add   (const OpenDelta *self,
                                MapState        *state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (OpenDelta, open_delta_free)

G_END_DECLS
