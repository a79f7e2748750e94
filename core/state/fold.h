/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fold.h — events into state
 *
 * A Fold is the one mutable map state: it applies events in the log's order
 * and hands out immutable MapStates that share its unchanged chunks. It never
 * trusts an event: an index out of bounds (a damaged or hostile recording) is
 * counted as a fault, said in words, and otherwise ignored.
 *
 * Threads: one at a time.
 */
#pragma once

#include "core/state/map-state.h"

G_BEGIN_DECLS

typedef struct _Fold Fold;

Fold     *fold_new            (void);
/* Continues from @state (nullable: from nothing). */
Fold     *fold_new_from_state (const MapState *state);
void      fold_free           (Fold           *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Fold, fold_free)

void      fold_apply          (Fold           *self,
                               const Event    *event);
/* As so many fold_apply(), faster. */
void      fold_apply_many     (Fold           *self,
                               const Event    *events,
                               guint           n_events);
/* The same; @visit is called before each event, with the state that it meets. It
 * takes no state of the fold: what is about to be written is looked up ahead. */
typedef void (*FoldVisit)     (const Event    *event,
                               const MapState *before,
                               gpointer        data);
void      fold_visit_many     (Fold           *self,
                               const Event    *events,
                               guint           n_events,
                               FoldVisit       visit,
                               gpointer        data);
guint64   fold_n_events       (Fold           *self);
/* (transfer full). Taking it again without an event between is free. */
MapState *fold_ref_state      (Fold           *self);
/* (transfer none): the fold's own state; it changes with the next event. */
const MapState *fold_peek_state (Fold     *self);

/* Events that did not fit the state they met, and the first of them in words
 * (NULL: none). */
guint64     fold_n_faults     (Fold           *self);
const char *fold_first_fault  (Fold           *self);
/* Bytes that this fold copied because a state it gave out shared them: what
 * keeping those states costs. */
gsize       fold_bytes_copied (Fold           *self);

G_END_DECLS
