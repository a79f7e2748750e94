/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-session-search.c — one search at a time, and the hits around the cursor
 *
 * A new search replaces the former one at once; whatever that was still looking
 * for is given up. While one is under way the session asks for ticks, and tells
 * at most once a frame that there is more.
 */
#include "core/model/tophash-session-private.h"

guint
session_drop_search (TophashSession *self) {
  if (self->search == NULL)
    return 0;
  g_clear_pointer (&self->search, timeline_search_unref);
  self->known_hits = 0;
  self->search_done = FALSE;
  return SESSION_CHANGE_SEARCH;
}

guint
session_look_at_search (TophashSession *self) {
  gboolean is_complete;
  guint64 n_hits;

  if (self->search == NULL || self->search_done)
    return 0;
  /* Complete first: the hits counted after it are all. */
  is_complete = timeline_search_is_complete (self->search);
  n_hits = timeline_search_get_n (self->search);
  if (n_hits == self->known_hits && !is_complete)
    return 0;
  self->known_hits = n_hits;
  self->search_done = is_complete;
  return SESSION_CHANGE_SEARCH;
}

gboolean
tophash_session_search (TophashSession *self,
                        const char     *text,
                        GError        **error) {
  g_autoptr (EventQuery) query = NULL;
  guint what;

  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  if (text != NULL && *text != '\0') {
    query = event_query_new (text, self->key_format, error);
    if (query == NULL)
      return FALSE;
  }
  what = session_drop_search (self);
  if (query != NULL && self->timeline != NULL) {
    self->search = timeline_search_new (self->timeline, query);
    what |= SESSION_CHANGE_SEARCH;
  }
  session_changed (self, what);
  return TRUE;
}

TimelineSearch *
tophash_session_get_search (TophashSession *self) {
  g_return_val_if_fail (TOPHASH_IS_SESSION (self), NULL);
  return self->search;
}

gboolean
tophash_session_step_hit (TophashSession *self,
                          gboolean        forward) {
  guint64 n_before;
  SearchHit hit;

  g_return_val_if_fail (TOPHASH_IS_SESSION (self), FALSE);
  if (self->search == NULL || (!forward && self->position == 0))
    return FALSE;
  n_before = timeline_search_count_to (self->search,
                                       forward ? self->position
                                               : self->position - 1);
  if (!forward && n_before == 0)
    return FALSE;
  if (!timeline_search_get (self->search, forward ? n_before : n_before - 1,
                            &hit))
    return FALSE;
  tophash_session_seek (self, hit.position);
  return TRUE;
}
