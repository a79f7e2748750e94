/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-landmarks.c — the structural events, for marks on the timeline
 *
 * At full speed a map promotes thousands of times a second. The list is bounded:
 * when it is full, every second landmark of the most common kind goes; a rare
 * one stays for good.
 */
#include "core/state/timeline-private.h"

#include <string.h>

#define MAX_LANDMARKS (1u << 17)

void
landmarks_init (Landmarks *self) {
  memset (self, 0, sizeof *self);
  self->marks = g_array_new (FALSE, TRUE, sizeof (Landmark));
}

void
landmarks_clear (Landmarks *self) {
  g_clear_pointer (&self->marks, g_array_unref);
}

static void
thin_out (Landmarks *self) {
  guint64 n_kept_of[EVENT_N_KINDS] = { 0 };
  EventKind common = EVENT_NONE;
  gboolean is_odd = FALSE;
  guint n = 0;

  for (guint i = 0; i < self->marks->len; i++)
    n_kept_of[g_array_index (self->marks, Landmark, i).kind]++;
  for (guint kind = 0; kind < EVENT_N_KINDS; kind++)
    if (n_kept_of[kind] > n_kept_of[common])
      common = (EventKind)kind;
  for (guint i = 0; i < self->marks->len; i++) {
    Landmark mark = g_array_index (self->marks, Landmark, i);

    if (mark.kind == common && (is_odd = !is_odd))
      continue;
    g_array_index (self->marks, Landmark, n++) = mark;
  }
  g_array_set_size (self->marks, n);
  self->is_thinned = TRUE;
}

/* The figure that names the landmark; see Landmark. */
static guint64
number_of (const Event    *event,
           const MapState *before) {
  if (event->kind == EVENT_DIRTY_PROMOTED)
    return map_state_counters (before)->n_promotions + 1;
  if (event->kind == EVENT_GROWTH_STARTED || event->kind == EVENT_MISUSE_DETECTED)
    return event->aux8;
  if (event->kind == EVENT_RANGE_BEGAN)
    return event->a;
  return event->res;
}

void
landmarks_add (Landmarks      *self,
               guint64         index,
               const Event    *event,
               const MapState *before) {
  Landmark mark = { .index = index,
                    .at_ns = event->at_ns,
                    .kind = (EventKind)event->kind,
                    .thread = event->thread };

  /* A map's first read is no landmark; one that follows a Clear is. */
  if (event->kind == EVENT_READ_PUBLISHED && !map_state_has_read_and_dirty (before))
    return;
  /* Nor is a copy of nothing: the first key of an empty map. */
  if (event->kind == EVENT_DIRTY_COPIED && event->res == 0 && event->a == 0)
    return;
  mark.number = number_of (event, before);
  mark.flag = event->kind == EVENT_GROWTH_STARTED && event->res != 0;
  self->n_of_kind[event->kind]++;
  g_array_append_val (self->marks, mark);
  if (self->marks->len >= MAX_LANDMARKS)
    thin_out (self);
}

/* The first landmark at or after a time. */
static guint
find_time (Landmarks *self,
           gint64     at_ns) {
  guint low = 0;
  guint high = self->marks->len;

  while (low < high) {
    guint middle = (low + high) / 2;

    if (g_array_index (self->marks, Landmark, middle).at_ns < at_ns)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void
landmarks_get (Landmarks *self,
               gint64     from_ns,
               gint64     to_ns,
               gint64     apart_ns,
               guint      max,
               GArray    *landmarks) {
  Landmark *last = NULL;
  guint n = 0;

  for (guint i = find_time (self, from_ns); i < self->marks->len; i++) {
    const Landmark *mark = &g_array_index (self->marks, Landmark, i);

    if (mark->at_ns >= to_ns)
      break;
    if (last != NULL && mark->at_ns - last->at_ns < apart_ns) {
      if (self->n_of_kind[mark->kind] < self->n_of_kind[last->kind])
        *last = *mark;
      continue;
    }
    if (n++ == max)
      break;
    g_array_append_vals (landmarks, mark, 1);
    last = &g_array_index (landmarks, Landmark, landmarks->len - 1);
  }
}

void
timeline_get_landmarks (Timeline *self,
                        gint64    from_ns,
                        gint64    to_ns,
                        gint64    apart_ns,
                        guint     max,
                        GArray   *landmarks) {
  timeline_lock (self);
  landmarks_get (&self->landmarks, from_ns, to_ns, apart_ns, max, landmarks);
  timeline_unlock (self);
}

/* The first landmark at or after an index. */
static guint
find_index (Landmarks *self,
            guint64    index) {
  guint low = 0;
  guint high = self->marks->len;

  while (low < high) {
    guint middle = (low + high) / 2;

    if (g_array_index (self->marks, Landmark, middle).index < index)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

gboolean
timeline_find_landmark (Timeline *self,
                        guint64   from,
                        gboolean  forward,
                        guint64  *position) {
  GArray *marks = self->landmarks.marks;
  gboolean is_known;
  guint at;

  timeline_lock (self);
  at = find_index (&self->landmarks, from);
  if (!forward)
    at--; /* wraps to what is not there */
  *position = at < marks->len ? g_array_index (marks, Landmark, at).index + 1
                              : G_MAXUINT64;
  is_known = forward ? at < marks->len || self->is_complete
                     : from <= self->length;
  is_known &= !self->landmarks.is_thinned;
  timeline_unlock (self);
  return is_known;
}
