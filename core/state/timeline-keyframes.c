/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-keyframes.c — states kept along the way
 *
 * Idea        A state kept costs what the fold copies afterwards because of it.
 *             Frames begin close together; when their cost passes the budget,
 *             every second one goes and the distance doubles. A log of any
 *             length so keeps between half of and all the frames that the
 *             budget buys, evenly spread.
 *
 * Cost        Two neighbours merged cost at most the sum of both, and at most
 *             one whole state: the lesser is taken. It is a bound from above, so
 *             the budget holds.
 *
 * Recent      A few results of seeks are kept beside the frames, the least
 *             recently used replaced: stepping backwards starts from them.
 */
#include "core/state/timeline-private.h"

#include <string.h>

#define FIRST_SPACING 2048
/* Free choice: a quarter of the memory of an open recording (NUMBERS T4). */
#define BUDGET_BYTES ((gsize)96 << 20)

void
keyframes_init (Keyframes *self) {
  memset (self, 0, sizeof *self);
  self->frames = g_array_new (FALSE, FALSE, sizeof (Keyframe));
  self->spacing = FIRST_SPACING;
}

void
keyframes_clear (Keyframes *self) {
  for (guint i = 0; i < self->frames->len; i++)
    map_state_unref (g_array_index (self->frames, Keyframe, i).state);
  g_clear_pointer (&self->frames, g_array_unref);
  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++)
    g_clear_pointer (&self->recent[i].state, map_state_unref);
}

guint64
keyframes_next (Keyframes *self,
                guint64    position) {
  return (position / self->spacing + 1) * self->spacing;
}

/* Drops the frames that the doubled spacing does not meet. */
static void
thin_out (Keyframes *self,
          gsize      state_bytes) {
  guint n_kept = 0;
  gsize carried = 0;

  self->spacing *= 2;
  self->bytes = 0;
  for (guint i = 0; i < self->frames->len; i++) {
    Keyframe frame = g_array_index (self->frames, Keyframe, i);

    carried += frame.bytes;
    if (frame.position % self->spacing != 0) {
      map_state_unref (frame.state);
      continue;
    }
    frame.bytes = MIN (carried, state_bytes);
    carried = 0;
    self->bytes += frame.bytes;
    g_array_index (self->frames, Keyframe, n_kept++) = frame;
  }
  g_array_set_size (self->frames, n_kept);
}

void
keyframes_add (Keyframes *self,
               MapState  *state,
               gsize      bytes,
               gsize      state_bytes) {
  Keyframe frame = { .position = map_state_n_events (state),
                     .bytes = bytes,
                     .state = state };

  g_array_append_val (self->frames, frame);
  self->bytes += bytes;
  while (self->bytes > BUDGET_BYTES && self->frames->len > 2)
    thin_out (self, state_bytes);
}

void
keyframes_add_recent (Keyframes *self,
                      MapState  *state) {
  guint place = 0;

  for (guint i = 1; i < KEYFRAMES_N_RECENT; i++)
    if (self->used[i] < self->used[place])
      place = i;
  g_clear_pointer (&self->recent[place].state, map_state_unref);
  self->recent[place].position = map_state_n_events (state);
  self->recent[place].state = state;
  self->used[place] = ++self->clock;
}

MapState *
keyframes_find (Keyframes *self,
                guint64    position) {
  MapState *best = NULL;
  guint low = 0;
  guint high = self->frames->len;

  while (low < high) {
    guint middle = (low + high) / 2;

    if (g_array_index (self->frames, Keyframe, middle).position <= position)
      low = middle + 1;
    else
      high = middle;
  }
  if (low > 0)
    best = g_array_index (self->frames, Keyframe, low - 1).state;
  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++)
    if (self->recent[i].state != NULL && self->recent[i].position <= position
        && (best == NULL || self->recent[i].position > map_state_n_events (best))) {
      best = self->recent[i].state;
      self->used[i] = ++self->clock;
    }
  return best;
}
