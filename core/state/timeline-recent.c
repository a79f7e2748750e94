/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-recent.c — results of seeks, kept beside the key-frames
 *
 * Idea        A few results are kept, the least recently used replaced: steps
 *             start from them. Far seeks share nothing, so of large states those
 *             around the last are kept, and the result of the one before. Of the
 *             results of steps there are a few only: what they start from, further
 *             and further away, must not go for them.
 *
 * Room        Playing and near seeks leave results that share little, too: a change
 *             copies the leaf that it falls into, so that some ten thousand events
 *             copy a state of a million slots all over. What all of them take is
 *             bounded therefore, going by the events between. What goes first is of
 *             the oldest far seek, then what was least recently used; crumbs share
 *             with one another, so only all of them give anything back.
 */
#include "core/state/timeline-private.h"

#include "core/state/map-state-private.h"

#include <string.h>

/* A free choice: back and forth. */
#define N_STEPS 6u
/* A free choice: an eighth of the memory of an open recording (NUMBERS T4), which is
 * two states of 100,000 buckets. The result and the crumbs of the last far seek are
 * kept even if they are larger. */
#define MOST_BYTES ((gsize)48 << 20)
/* A leaf, and its share of the nodes above. */
#define COPIED_BYTES 1536u

void
keyframes_begin_family (Keyframes *self) {
  self->family++;
}

void
keyframes_begin_trail (Keyframes *self) {
  self->trail++;
}

static gboolean
is_step (const RecentState *recent) {
  return recent->state != NULL && recent->kind == RECENT_STEP;
}

/* Where the next one goes: to a free place, or the least recently used one; a step,
 * when there are enough, to that of a step. */
static RecentState *
find_place (Keyframes *self,
            RecentKind kind) {
  RecentState *place = NULL;
  guint n_steps = 0;

  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++)
    n_steps += is_step (&self->recent[i]);
  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++) {
    RecentState *recent = &self->recent[i];

    if (kind == RECENT_STEP && n_steps >= N_STEPS && !is_step (recent))
      continue;
    /* Of a free place that is 0. */
    if (place == NULL || recent->used < place->used)
      place = recent;
  }
  return place;
}

/* Of large states the results of the last two far seeks stay, and what was made
 * around the last. */
void
keyframes_drop_far (Keyframes *self,
                    GPtrArray *dropped) {
  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++) {
    RecentState *recent = &self->recent[i];

    if (recent->state == NULL
        || (recent->kind == RECENT_RESULT ? recent->family + 1 >= self->family
                                          : recent->trail == self->trail))
      continue;
    g_ptr_array_add (dropped, recent->state);
    memset (recent, 0, sizeof *recent);
  }
}

/* About what @state does not share with the others. A far seek begins a family, and
 * its crumbs begin with another one. */
static gsize
own_bytes (Keyframes      *self,
           const MapState *state) {
  guint64 position = map_state_n_events (state), before = G_MAXUINT64;

  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++) {
    const RecentState *recent = &self->recent[i];

    if (recent->state != NULL && recent->family == self->family
        && recent->position <= position)
      before = MIN (before, position - recent->position);
  }
  return MIN (map_state_bytes (state),
              MIN (before, G_MAXUINT32) * (guint64)COPIED_BYTES);
}

/* What has to go first; NULL: all there is is around the last far seek, and
 * @kind has no right to its place. */
static RecentState *
find_first_to_go (Keyframes *self,
                  RecentKind kind) {
  RecentState *first = NULL;

  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++) {
    RecentState *recent = &self->recent[i];

    if (recent->state == NULL
        || (kind != RECENT_RESULT && recent->family == self->family))
      continue;
    if (first == NULL || recent->family < first->family
        || (recent->family == first->family && recent->used < first->used))
      first = recent;
  }
  return first;
}

/* @first, and when that is a crumb the others beside it. */
static void
drop_alike (Keyframes         *self,
            const RecentState *first,
            GPtrArray         *dropped) {
  RecentKind kind = first->kind;
  guint family = first->family;
  guint64 used = first->used;

  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++) {
    RecentState *recent = &self->recent[i];

    if (recent->state == NULL || recent->family != family || recent->kind != kind
        || (kind != RECENT_CRUMB && recent->used != used))
      continue;
    g_ptr_array_add (dropped, recent->state);
    memset (recent, 0, sizeof *recent);
  }
}

/* Makes room for @bytes more. */
static void
drop_beyond (Keyframes *self,
             gsize      bytes,
             RecentKind kind,
             GPtrArray *dropped) {
  RecentState *first;
  gsize all;

  for (;;) {
    all = bytes;
    for (guint i = 0; i < KEYFRAMES_N_RECENT; i++)
      all += self->recent[i].bytes;
    if (all <= MOST_BYTES || (first = find_first_to_go (self, kind)) == NULL)
      return;
    drop_alike (self, first, dropped);
  }
}

void
keyframes_add_recent (Keyframes *self,
                      MapState  *state,
                      RecentKind kind,
                      GPtrArray *dropped) {
  gsize bytes = map_state_bytes (state);
  RecentState *place;

  if (bytes > KEYFRAMES_LARGE_BYTES) {
    keyframes_note_state (self, state);
    keyframes_drop_far (self, dropped);
  }
  bytes = own_bytes (self, state);
  drop_beyond (self, bytes, kind, dropped);
  place = find_place (self, kind);
  if (place->state != NULL)
    g_ptr_array_add (dropped, place->state);
  *place = (RecentState){ .position = map_state_n_events (state),
                          .state = state,
                          .bytes = bytes,
                          .family = self->family,
                          .trail = self->trail,
                          .kind = kind,
                          .used = ++self->clock };
}

guint
keyframes_count_recent (const Keyframes *self,
                        guint64          first,
                        guint64          last) {
  guint n = 0;

  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++)
    n += self->recent[i].state != NULL && self->recent[i].position >= first
         && self->recent[i].position <= last;
  return n;
}

MapState *
keyframes_find_recent (Keyframes *self,
                       guint64    position) {
  RecentState *best = NULL;

  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++)
    if (self->recent[i].state != NULL && self->recent[i].position <= position
        && (best == NULL || self->recent[i].position > best->position))
      best = &self->recent[i];
  if (best == NULL)
    return NULL;
  best->used = ++self->clock;
  return best->state;
}
