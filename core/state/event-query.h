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
 *
 *             Facts of the event itself: kind (names of event.h), thread, key,
 *             value, bucket, slot, table, op (load, store …), path words (hit,
 *             missed, locked, waited …), ns (how long an operation took).
 *             Facts of the state it leaves: misses, len(read), len(dirty),
 *             live, deleted, expunged, B, buckets, overflow (the longest chain's
 *             overflow buckets), load, growing, evacuated, amended, waiting,
 *             readers, holds, ranges, views, held (bytes), phase.
 *             A lone word is a kind, a path word or a state fact that is not 0.
 *
 *               promotion                        kind=dirty-promoted
 *               misses = len(dirty) - 1          one look short of a promotion
 *               overflow >= 2                    a bucket with two overflows
 *               key=k17 and thread=2 and op=store
 *               op=load ns > 1000
 *
 * Matches     A query of facts of events matches each such event. One that asks
 *             of the state only matches where it becomes true, not each event
 *             while it stays so.
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
/* Whether it asks of the state; else events alone decide, and blocks without
 * such kinds can be passed over. */
gboolean    event_query_asks_state (const EventQuery *self);
/* Kinds that can match, bit per EventKind; all bits when any can. */
guint64     event_query_kinds      (const EventQuery *self);

/* What a query remembers from event to event: begins of operations under way,
 * whether the condition held. One for each pass over a log, in order. */
typedef struct _QueryWalk QueryWalk;
QueryWalk  *query_walk_new     (EventQuery     *query);
void        query_walk_free    (QueryWalk      *walk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (QueryWalk, query_walk_free)
/* @after: the state with @event folded; may be NULL when the query does not ask
 * for it. TRUE: it matches here. */
gboolean    query_walk_matches (QueryWalk      *walk,
                                const Event    *event,
                                const MapState *after);

/* For completion in a search entry: NULL-terminated, static. */
const char *const *event_query_words (void);

G_END_DECLS
