/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-landmarks.c — the structural events, for marks on the timeline
 *
 * At full speed a map promotes thousands of times a second. The list is bounded:
 * when it is full, every second landmark of the most common kind goes; a rare
 * one stays for good.
 *
 * Threads     The follower adds behind what is shown, and shows more after each slice:
 *             a few words under the timeline's lock. Who reads takes a reference there
 *             and looks at as many as were shown, without: they never change. Where the
 *             list becomes longer than its memory, or thinner, another one takes its
 *             place, and the former goes with its last reader.
 */
#include "core/state/timeline-private.h"

#include <string.h>

#define MAX_LANDMARKS (1u << 17)
#define FIRST_LANDMARKS 256u

struct _LandmarkStore {
  gint     ref_count;
  guint    n_room;
  Landmark marks[];
};

static LandmarkStore *
store_new (guint n_room) {
  LandmarkStore *store
      = g_malloc (sizeof *store + n_room * sizeof *store->marks);

  store->ref_count = 1;
  store->n_room = n_room;
  return store;
}

static LandmarkStore *
store_ref (LandmarkStore *store) {
  g_atomic_int_inc (&store->ref_count);
  return store;
}

static void
store_unref (LandmarkStore *store) {
  if (g_atomic_int_dec_and_test (&store->ref_count))
    g_free (store);
}

void
landmarks_init (Landmarks *self) {
  memset (self, 0, sizeof *self);
  self->own.store = store_new (FIRST_LANDMARKS);
  self->shown.store = store_ref (self->own.store);
}

void
landmarks_clear (Landmarks *self) {
  g_clear_pointer (&self->own.store, store_unref);
  g_clear_pointer (&self->shown.store, store_unref);
}

static void
take_store (LandmarkList  *list,
            LandmarkStore *store) {
  store_unref (list->store);
  list->store = store;
}

static void
grow (LandmarkList *list) {
  LandmarkStore *store = store_new (2 * list->store->n_room);

  memcpy (store->marks, list->store->marks, list->n * sizeof *store->marks);
  take_store (list, store);
}

static void
thin_out (LandmarkList *list) {
  LandmarkStore *store = store_new (list->store->n_room);
  guint64 n_kept_of[EVENT_N_KINDS] = { 0 };
  EventKind common = EVENT_NONE;
  gboolean is_odd = FALSE;
  guint n = 0;

  for (guint i = 0; i < list->n; i++)
    n_kept_of[list->store->marks[i].kind]++;
  for (guint kind = 0; kind < EVENT_N_KINDS; kind++)
    if (n_kept_of[kind] > n_kept_of[common])
      common = (EventKind)kind;
  for (guint i = 0; i < list->n; i++) {
    const Landmark *mark = &list->store->marks[i];

    if (mark->kind == common && (is_odd = !is_odd))
      continue;
    store->marks[n++] = *mark;
  }
  take_store (list, store);
  list->n = n;
  list->is_thinned = TRUE;
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
  LandmarkList *list = &self->own;
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
  list->n_of_kind[event->kind]++;
  if (list->n == list->store->n_room)
    grow (list);
  list->store->marks[list->n++] = mark;
  if (list->n >= MAX_LANDMARKS)
    thin_out (list);
}

void
landmarks_show (Landmarks *self,
                Timeline  *timeline) {
  LandmarkStore *former = NULL;

  timeline_lock (timeline);
  if (self->shown.store != self->own.store) {
    former = self->shown.store;
    self->shown.store = store_ref (self->own.store);
  }
  self->shown.n = self->own.n;
  self->shown.is_thinned = self->own.is_thinned;
  memcpy (self->shown.n_of_kind, self->own.n_of_kind,
          sizeof self->shown.n_of_kind);
  timeline_unlock (timeline);
  g_clear_pointer (&former, store_unref);
}

/* What is shown now; the caller gives its reference back. */
static LandmarkList
ref_shown_locked (Timeline *timeline) {
  LandmarkList list = timeline->landmarks.shown;

  store_ref (list.store);
  return list;
}

/* The first landmark at or after a time. */
static guint
find_time (const LandmarkList *list,
           gint64              at_ns) {
  guint low = 0;
  guint high = list->n;

  while (low < high) {
    guint middle = (low + high) / 2;

    if (list->store->marks[middle].at_ns < at_ns)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void
timeline_get_landmarks (Timeline *self,
                        gint64    from_ns,
                        gint64    to_ns,
                        gint64    apart_ns,
                        guint     max,
                        GArray   *landmarks) {
  LandmarkList list;
  Landmark *last = NULL;
  guint n = 0;

  timeline_lock (self);
  list = ref_shown_locked (self);
  timeline_unlock (self);
  for (guint i = find_time (&list, from_ns); i < list.n; i++) {
    const Landmark *mark = &list.store->marks[i];

    if (mark->at_ns >= to_ns)
      break;
    if (last != NULL && mark->at_ns - last->at_ns < apart_ns) {
      if (list.n_of_kind[mark->kind] < list.n_of_kind[last->kind])
        *last = *mark;
      continue;
    }
    if (n++ == max)
      break;
    g_array_append_vals (landmarks, mark, 1);
    last = &g_array_index (landmarks, Landmark, landmarks->len - 1);
  }
  store_unref (list.store);
}

/* The first landmark at or after an index. */
static guint
find_index (const LandmarkList *list,
            guint64             index) {
  guint low = 0;
  guint high = list->n;

  while (low < high) {
    guint middle = (low + high) / 2;

    if (list->store->marks[middle].index < index)
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
  gboolean is_complete, is_known;
  LandmarkList list;
  guint64 length;
  guint at;

  timeline_lock (self);
  list = ref_shown_locked (self);
  is_complete = self->is_complete;
  length = self->length;
  timeline_unlock (self);
  at = find_index (&list, from);
  if (!forward)
    at--; /* wraps to what is not there */
  *position = at < list.n ? list.store->marks[at].index + 1 : G_MAXUINT64;
  is_known = forward ? at < list.n || is_complete : from <= length;
  is_known &= !list.is_thinned;
  store_unref (list.store);
  return is_known;
}
