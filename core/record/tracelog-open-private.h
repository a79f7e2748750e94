/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-open-private.h — a file being opened: what was found where
 *
 * tracelog-open.c opens files, reads their headers and makes logs; where the
 * parts of a file stand is found by tracelog-places.c.
 */
#pragma once

#include "core/record/tracelog-private.h"

G_BEGIN_DECLS

/* What a walk knew behind an END: it may have to go back there. */
typedef struct {
  guint64      offset; /* 0: there was none */
  guint        n_places;
  BlockPlace   last;   /* of them: a short one may have come anew since */
  guint        n_last;
  gint64       last_ns;
  guint        n_keyframes;
  TraceHonesty honesty;
} WalkMark;

typedef struct {
  TraceStore      *store;
  guint64          size; /* of the file when it was opened */
  TraceLogProgress progress;
  gpointer         data;
  GCancellable    *cancellable;
  gboolean         may_grow; /* being recorded, it is not an error */

  guint            minor;  /* of the file's version */
  guint8           uuid[16];
  TraceInfo       *info;   /* NULL until INFO was read */
  guint8           kinds[128];
  GArray          *places; /* of BlockPlace: all blocks */
  guint            n_last; /* events in the last of them */
  gint64           last_ns;
  TraceHonesty     honesty;
  gboolean         has_honesty; /* of the events so far */
  GArray          *waits; /* of TraceWait; NULL: not told by worker */
  GArray          *keyframes;   /* of KeyframePlace */
  guint64          index_at;    /* the latest ones; 0: none */
  guint64          honesty_at;
  guint64          notes_at;

  guint64          walk_from; /* behind INFO; 0: it was not read */
  WalkMark         mark;
  guint64          offset;   /* how far the walk came */
  guint64          chunk_at; /* where the chunk under way begins */
  gboolean         is_ended; /* END is the last chunk */
  char            *problem;  /* else why the walk ended; owned */
  gboolean         is_newer;    /* there is what only a newer version knows */
  gboolean         needs_newer; /* and the walk ended there */
} Opener;

/* Ends the walk: @problem is a translated phrase, (transfer full); NULL: goes
 * on. Returns whether it does. */
gboolean opener_stop        (Opener   *self,
                             char     *problem);
void     opener_clear       (Opener   *self);
/* INFO behind the file's header; FALSE: the walk will say why. */
gboolean opener_read_info   (Opener   *self);
/* Everything by the tables of an END that is the last thing in the file; FALSE:
 * there is none, or they cannot be right. INFO was read. */
gboolean opener_read_tables (Opener   *self);
/* All headers, but INFO's if it was read. FALSE: cancelled. */
gboolean opener_walk        (Opener   *self,
                             GError  **error);
/* Forgets what was found behind the last END; there was one. */
void     opener_return_to_mark (Opener *self);
/* The headers from the mark on, in what the file is now; @to_end: back to the last
 * END. */
void     opener_walk_on     (Opener   *self,
                             gboolean  to_end);
/* Events in the blocks that were found. */
guint64  opener_length      (const Opener *self);

/* Takes over what @opener has: the log of its places can go on. */
TraceGrowth *trace_growth_new (Opener *opener);

G_END_DECLS
