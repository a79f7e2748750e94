/* SPDX-License-Identifier: GPL-3.0-or-later */

/* event-query.h — a question about a recording, as one types it
 *
 * Language    A query is a condition; words are case-insensitive:
 *
 *               query   = and { "or" and }
 *               and     = term { ["and"] term }
 *               term    = ["not"] ( "(" query ")" | test )
 *               test    = value ("=" | "!=" | "<" | "<=" | ">" | ">=") value
 *                       | word
 *               value   = product { ("+" | "-") product }
 *               product = number | name | "len" "(" table ")" | key text
 *               table   = "read" | "dirty" | "map" | number
 *
 *             Facts of the event itself: kind (names of event.h; promotion,
 *             copy, growth, evacuation and misuse are short for theirs), thread
 *             (by index, or main), key, value, bucket, slot (0 to 7), table (its
 *             id), lock, op (load, store …), ns (how long what it ends took: an
 *             operation, a wait, a hold, a copy, a promotion), and path words of
 *             operations that ended: ok, hit, not-in-read, locked, in-dirty,
 *             missed, promoted, copied, new-key, grew, moved, waited, failed,
 *             in-view.
 *             Facts of the state it leaves: misses, len(read), len(dirty),
 *             len(map) (the one table, or all shards), live, deleted, expunged,
 *             B, buckets, overflow (the longest chain's overflow buckets), load
 *             (keys per bucket), growing (tables that are), evacuated (share, 0
 *             to 1), amended, waiting (threads), readers, holds (locks that are
 *             held), ranges, views, held (bytes), phase.
 *             A lone word is a kind, a path word or a state fact that is not 0.
 *             What an event or a state does not have fails every test of it.
 *
 *               promotion                        kind=dirty-promoted
 *               misses = len(dirty) - 1          one look short of a promotion
 *               overflow >= 2                    a bucket with two overflows
 *               key=k17 and thread=2 and op=store
 *               op=load ns > 1000
 *               growing op=store
 *
 * Matches     Of the branches of the outermost "or", those that ask of the state
 *             alone match together where they become true, not at each event
 *             while they stay so. The others match each event for which they
 *             hold: "growing op=store" matches each store during a growth.
 *
 * Errors      EVENT_QUERY_ERROR: a sentence naming the column, what was wanted
 *             and what was found.
 * Threads     An EventQuery is immutable: any thread.
 */
#pragma once

#include "core/state/map-state.h"

G_BEGIN_DECLS

#define EVENT_QUERY_ERROR (event_query_error_quark ())
GQuark event_query_error_quark (void);

typedef struct _EventQuery EventQuery;

/* @key_text: how keys are written, "k%d"; NULL: as numbers. */
EventQuery *event_query_new   (const char  *text,
                               const char  *key_text,
                               GError     **error);
EventQuery *event_query_ref   (EventQuery  *self);
void        event_query_unref (EventQuery  *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EventQuery, event_query_unref)

/* Canonical text: what event_query_new() reads back as equal. */
const char *event_query_get_text   (const EventQuery *self);
/* Whether the state is needed to tell, as it is for the keys of entries too; else
 * events alone decide, and blocks without such kinds can be passed over. */
gboolean    event_query_asks_state (const EventQuery *self);
/* Kinds that can match, bit per EventKind; all bits when any can. */
guint64     event_query_kinds      (const EventQuery *self);
/* The kinds that a walk has to be shown, once it was shown its first event: it
 * remembers some, and the others cannot match. */
guint64     event_query_kinds_told (const EventQuery *self);

/* What a query remembers from event to event: begins of operations under way,
 * whether the condition held. One for each pass over a log, in order. */
typedef struct _QueryWalk QueryWalk;
QueryWalk  *query_walk_new     (EventQuery     *query);
void        query_walk_free    (QueryWalk      *walk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (QueryWalk, query_walk_free)
/* A pass that does not begin at the log's start: @state is where it begins. A
 * condition that holds there is not one that becomes true. */
void        query_walk_begin   (QueryWalk      *walk,
                                const MapState *state);
/* After that: an event before it. Of an operation that is under way there it tells when
 * that truly began; a state has the time that the merge gave it. */
void        query_walk_note    (QueryWalk      *walk,
                                const Event    *event);
/* @after: the state with @event folded; may be NULL when the query does not ask
 * for it. TRUE: it matches here. */
gboolean    query_walk_matches (QueryWalk      *walk,
                                const Event    *event,
                                const MapState *after);

/* All words of the language, in order: NULL-terminated, static. */
const char *const *event_query_words (void);

/* (transfer full): @text with its last word, of which three letters or more stand
 * there, completed to the first one with which it can be read; NULL: there is none. */
char *event_query_complete (const char *text,
                            const char *key_text);

/* What is asked most, with its meaning, which is to be translated. */
typedef struct {
  const char *query;
  const char *meaning;
} EventQueryExample;

/* Ended by a NULL query; static. */
const EventQueryExample *event_query_examples (void);

G_END_DECLS
