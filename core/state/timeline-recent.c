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
 *             bounded therefore. What goes first is of the oldest far seek, then what
 *             was least recently used; crumbs share with one another, so only all of
 *             them give anything back. Until the log is folded there are few other
 *             starts: then what goes first is what saves the fewest folds.
 *
 * Measure     What a state holds is what it does not share with the one before it, by
 *             position, when it was put away. When that one goes it is measured once
 *             more: of a result whose crumbs go, all that they shared stays. So each
 *             chunk that any of them holds is counted once or more.
 */
#include "core/state/timeline-private.h"

#include "core/state/map-state-private.h"

#include <string.h>

/* A free choice: back and forth. */
#define N_STEPS 6u

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

static gboolean
is_kept (const Keyframes *self,
         const MapState  *state) {
  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++)
    if (self->recent[i].state == state)
      return TRUE;
  return FALSE;
}

/* The latest one before @end; NULL: none. */
static const MapState *
find_before (const Keyframes *self,
             guint64          end) {
  const RecentState *best = NULL;

  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++) {
    const RecentState *recent = &self->recent[i];

    if (recent->state != NULL && recent->position < end
        && (best == NULL || recent->position > best->position))
      best = recent;
  }
  return best != NULL ? best->state : NULL;
}

/* Of those that are kept; those of which the one before has gone are measured. */
static gsize
all_bytes (Keyframes *self) {
  gsize bytes = 0;

  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++) {
    RecentState *recent = &self->recent[i];

    if (recent->state == NULL)
      continue;
    if (recent->beside != NULL && !is_kept (self, recent->beside)) {
      recent->beside = find_before (self, recent->position);
      recent->bytes = map_state_bytes_beside (recent->state, recent->beside);
    }
    bytes += recent->bytes;
  }
  return bytes;
}

/* What is saved by starting from @one: about the events from the start before it, times
 * those for which it is the start. */
static double
worth_of (const Keyframes   *self,
          const RecentState *one) {
  guint64 before, after;

  keyframes_find_around (self, one->position, &before, &after);
  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++) {
    const RecentState *recent = &self->recent[i];

    if (recent->state != NULL && recent->position < one->position)
      before = MAX (before, recent->position);
    else if (recent->state != NULL && recent->position > one->position)
      after = MIN (after, recent->position);
  }
  return (double)(one->position - before) * (double)(after - one->position);
}

/* Whether @one has to go before @other. */
static gboolean
goes_before (const Keyframes   *self,
             const RecentState *one,
             const RecentState *other) {
  if (self->most_recent > KEYFRAMES_RECENT_BYTES)
    return worth_of (self, one) < worth_of (self, other);
  return one->family < other->family
         || (one->family == other->family && one->used < other->used);
}

/* What has to go first; NULL: all there is is around the last far seek, and @kind has
 * no right to its place. */
static RecentState *
find_first_to_go (Keyframes *self,
                  RecentKind kind) {
  RecentState *first = NULL;

  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++) {
    RecentState *recent = &self->recent[i];

    if (recent->state != NULL
        && (kind == RECENT_RESULT || recent->trail != self->trail)
        && (first == NULL || goes_before (self, recent, first)))
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
  guint trail = first->trail;
  guint64 used = first->used;

  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++) {
    RecentState *recent = &self->recent[i];

    if (recent->state == NULL || recent->trail != trail || recent->kind != kind
        || (kind != RECENT_CRUMB && recent->used != used))
      continue;
    g_ptr_array_add (dropped, recent->state);
    memset (recent, 0, sizeof *recent);
  }
}

/* Makes room for @added, if it has a state, and measures it. */
static void
drop_beyond (Keyframes   *self,
             RecentState *added,
             GPtrArray   *dropped) {
  RecentState *first;

  for (;;) {
    if (added->state != NULL
        && (added->beside == NULL || !is_kept (self, added->beside))) {
      added->beside = find_before (self, added->position + 1);
      added->bytes = map_state_bytes_beside (added->state, added->beside);
    }
    if (all_bytes (self) + added->bytes <= self->most_recent
        || (first = find_first_to_go (self, added->kind)) == NULL)
      return;
    drop_alike (self, first, dropped);
  }
}

void
keyframes_add_recent (Keyframes *self,
                      MapState  *state,
                      RecentKind kind,
                      GPtrArray *dropped) {
  RecentState added = { .position = map_state_n_events (state),
                        .state = state,
                        .family = self->family,
                        .trail = self->trail,
                        .kind = kind,
                        .used = ++self->clock };
  RecentState *place;

  if (map_state_bytes (state) > KEYFRAMES_LARGE_BYTES) {
    keyframes_note_state (self, state);
    keyframes_drop_far (self, dropped);
  }
  drop_beyond (self, &added, dropped);
  place = find_place (self, kind);
  if (place->state != NULL)
    g_ptr_array_add (dropped, place->state);
  *place = added;
}

void
keyframes_end_early (Keyframes *self,
                     GPtrArray *dropped) {
  RecentState none = { .kind = RECENT_CRUMB };

  self->most_recent = KEYFRAMES_RECENT_BYTES;
  drop_beyond (self, &none, dropped);
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
