/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-notes.h — what people add to a recording: bookmarks, notes, the view
 *
 * Notes stand beside the events and never change them. A log carries one set,
 * as a whole: who edits takes a copy and sets it.
 *
 * Ownership: copies all the way. Threads: a TraceNotes belongs to one thread;
 * tracelog_dup_notes() and tracelog_set_notes() may be called from any.
 */
#pragma once

#include "core/record/tracelog.h"

G_BEGIN_DECLS

/* Bounds of the file, held by trace_notes_add() and friends. */
#define TRACE_NOTES_MAX_BOOKMARKS 10000u
#define TRACE_NOTES_MAX_TEXT 65536u /* bytes of a title, a note, the view */

typedef struct {
  guint64 id;       /* never used twice in a recording; from 1 */
  guint64 position; /* after so many events, as in timeline.h */
  gint64  at_ns;    /* of that position, for lists without a seek */
  char   *title;    /* may be empty, never NULL */
  char   *note;     /* likewise */
} TraceBookmark;

typedef struct {
  GPtrArray *bookmarks; /* of TraceBookmark, by position, then by id */
  guint64    next_id;
  char      *text;      /* about the whole recording; may be empty */
  char      *view;      /* how the window showed it: one JSON object of the
                         * window's own, or empty; unknown members are kept */
} TraceNotes;

TraceNotes *trace_notes_new   (void);
TraceNotes *trace_notes_copy  (const TraceNotes *notes);
void        trace_notes_free  (TraceNotes       *notes);
gboolean    trace_notes_equal (const TraceNotes *one,
                               const TraceNotes *other);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TraceNotes, trace_notes_free)

/* (transfer none): the new one; NULL when there are as many as fit. Texts that
 * are too long are cut at a character. */
TraceBookmark *trace_notes_add    (TraceNotes *notes,
                                   guint64     position,
                                   gint64      at_ns,
                                   const char *title,
                                   const char *note);
/* (transfer none): NULL: no such id. */
TraceBookmark *trace_notes_find   (TraceNotes *notes,
                                   guint64     id);
gboolean       trace_notes_remove (TraceNotes *notes,
                                   guint64     id);

/* JSON as it stands in a file, and back. Errors name the member, what was
 * wanted and what was found. */
char       *trace_notes_to_json   (const TraceNotes *notes);
TraceNotes *trace_notes_from_json (const char       *json,
                                   gsize             length,
                                   GError          **error);

/* (transfer full): the log's notes, never NULL. */
TraceNotes *tracelog_dup_notes (TraceLog         *log);
/* @notes: copied. */
void        tracelog_set_notes (TraceLog         *log,
                                const TraceNotes *notes);

G_END_DECLS
