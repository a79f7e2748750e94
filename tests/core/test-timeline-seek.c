/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-timeline-seek.c — far seeks, by many at once, against a plain fold
 *
 * A table of sixty thousand slots is written to at random, so that states are
 * large enough for key-frames, help and crumbs. What the state is at some places
 * is told by a plain fold once; then several threads go to these places, while the
 * follower still folds, when it has folded, and when all states that help are
 * there; some call each other off, and they read what they get while others read
 * the same.
 *
 * Of a larger table one steps back, faster than states are left for that: now and then
 * a step leaves one itself.
 */
#include "core/base/prng.h"
#include "core/state/fold.h"
#include "core/state/state-frames.h"
#include "core/state/timeline-private.h"
#include "tests/core/unnamed-file.h"

#include <pthread.h>

#define TABLE_B 13
#define N_EVENTS 120000u
/* Of the larger one, whose states are not restored at once. */
#define LARGE_B 16
#define N_LARGE_EVENTS 400000u
#define N_STEPS 3000u
#define N_STEPS_TOLD 6u
/* Those that need not wait for any thread. */
#define N_STEPS_AT_ONCE 8u
#define N_PLACES 24u
#define N_SEEKERS 3u
#define N_SEEKS 24u

static TraceLog *
record_writes (guint   table_b,
               guint32 n_events) {
  guint32 n_slots = 8u << table_b;
  g_autofree guint8 *is_full = g_new0 (guint8, n_slots);
  g_autoptr (TraceInfo) info = trace_info_new ();
  TraceLog *log = tracelog_new (info, 0);
  Event made = { .kind = EVENT_TABLE_CREATED, .aux8 = (guint8)table_b,
                 .ver = 1 };
  Event named = { .kind = EVENT_TABLE_NAMED, .ver = 2 };
  Prng prng;

  prng_init (&prng, 9);
  tracelog_append (log, &made);
  tracelog_append (log, &named);
  for (guint32 i = 2; i < n_events; i++) {
    guint32 slot = (guint32)prng_below (&prng, n_slots);
    Event event = { .kind = EVENT_SLOT_WRITTEN, .at_ns = i, .ver = i + 1,
                    .res = slot, .aux8 = (guint8)(5 + slot % 200), .a = slot,
                    .b = prng_next (&prng) };

    if (is_full[slot])
      event.kind = prng_below (&prng, 8) == 0 ? EVENT_SLOT_CLEARED
                                              : EVENT_SLOT_UPDATED;
    is_full[slot] = event.kind != EVENT_SLOT_CLEARED;
    tracelog_append (log, &event);
  }
  tracelog_finish (log, FALSE);
  return log;
}

/* Of all that a state says. */
static char *
sum_of (const MapState *state) {
  g_autoptr (GPtrArray) frames = map_state_serialise (state);
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_MD5);

  for (guint i = 0; i < frames->len; i++) {
    gsize size;
    const guchar *bytes = g_bytes_get_data (frames->pdata[i], &size);

    g_checksum_update (sum, bytes, (gssize)size);
  }
  return g_strdup (g_checksum_get_string (sum));
}

typedef struct {
  guint64 position;
  char   *sum;
} Place;

/* What the sums at the positions of @places, ascending, are. */
static void
fold_plainly (TraceLog *log,
              Place    *places,
              guint     n_places) {
  g_autoptr (Fold) fold = fold_new ();

  for (guint i = 0; i < n_places; i++) {
    g_autoptr (MapState) state = NULL;

    while (fold_n_events (fold) < places[i].position) {
      guint64 position = fold_n_events (fold);
      g_autoptr (TraceBlock) block = tracelog_ref_block (log, position);
      guint64 end = MIN (places[i].position, block->first + block->n_events);

      for (; position < end; position++)
        fold_apply (fold, &block->events[position - block->first]);
    }
    state = fold_ref_state (fold);
    places[i].sum = sum_of (state);
  }
  g_assert_cmpuint (fold_n_faults (fold), ==, 0);
}

/* The newest of the seeks that may be called off. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GCancellable *newest;

static GCancellable *
call_off_the_others (void) {
  GCancellable *cancellable = g_cancellable_new ();

  pthread_mutex_lock (&lock);
  g_cancellable_cancel (newest);
  g_set_object (&newest, cancellable);
  pthread_mutex_unlock (&lock);
  return cancellable;
}

typedef struct {
  Timeline    *timeline;
  const Place *places;
  guint        index;
} Seeker;

static void *
seek_about (void *data) {
  const Seeker *seeker = data;
  Prng prng;

  prng_init (&prng, prng_split (12, seeker->index));
  for (guint i = 0; i < N_SEEKS; i++) {
    const Place *place = &seeker->places[prng_below (&prng, N_PLACES)];
    g_autoptr (GCancellable) cancellable
        = i % 3 == 0 ? call_off_the_others () : NULL;
    guint64 back = i % 4 == 3 ? prng_below (&prng, 3000) : 0, n_folded;
    g_autoptr (MapState) state = NULL;
    g_autofree char *sum = NULL;

    /* A step from where a seek just left crumbs, or leaves them now. */
    if (back > 0)
      map_state_unref (timeline_seek (seeker->timeline, place->position - back,
                                      NULL));
    n_folded = timeline_get_length (seeker->timeline);
    state = timeline_seek (seeker->timeline, place->position, cancellable);
    g_assert_cmpuint (map_state_n_events (state), <=, place->position);
    if (cancellable == NULL)
      g_assert_cmpuint (map_state_n_events (state), >=,
                        MIN (n_folded, place->position));
    if (map_state_n_events (state) < place->position)
      continue;
    sum = sum_of (state);
    g_assert_cmpstr (sum, ==, place->sum);
  }
  return NULL;
}

/* @stage: 0 while it is folded, 1 then, 2 when it has settled. */
static void
seek_by_many (TraceLog    *log,
              const Place *places,
              guint        stage) {
  g_autoptr (Timeline) timeline = timeline_new (log);
  Seeker seekers[N_SEEKERS];
  pthread_t threads[N_SEEKERS];

  if (stage == 1)
    timeline_wait (timeline);
  else if (stage == 2)
    timeline_wait_settled (timeline);
  for (guint i = 0; i < N_SEEKERS; i++) {
    seekers[i] = (Seeker){ timeline, places, i + stage * N_SEEKERS };
    g_assert_cmpint (pthread_create (&threads[i], NULL, seek_about, &seekers[i]),
                     ==, 0);
  }
  for (guint i = 0; i < N_SEEKERS; i++)
    pthread_join (threads[i], NULL);
  g_assert_cmpuint (timeline_get_n_faults (timeline, NULL), ==, 0);
}

/* Not at ends of blocks, and the last one at the log's. */
static void
tell_places (TraceLog *log,
             Place    *places) {
  for (guint i = 0; i < N_PLACES; i++)
    places[i].position = (guint64)N_EVENTS * (i + 1) / N_PLACES - (i + 1) % N_PLACES;
  fold_plainly (log, places, N_PLACES);
}

static void
test_many_seek_and_read (void) {
  g_autoptr (TraceLog) log = record_writes (TABLE_B, N_EVENTS);
  Place places[N_PLACES];

  tell_places (log, places);
  for (guint stage = 0; stage < 3; stage++)
    seek_by_many (log, places, stage);
  for (guint i = 0; i < N_PLACES; i++)
    g_free (places[i].sum);
  g_clear_object (&newest);
}

/* From the end of @places; how many steps would not have been near. */
static guint
step_back (Timeline    *timeline,
           const Place *places) {
  guint64 end = places[N_STEPS_TOLD - 1].position;
  guint n_far = 0, told = N_STEPS_TOLD;

  for (guint64 at = end; at >= places[0].position; at--) {
    g_autoptr (MapState) state = NULL;
    g_autofree char *sum = NULL;

    if (at < end && !timeline_is_near (timeline, at)) {
      g_assert_cmpuint (end - at, >, N_STEPS_AT_ONCE);
      n_far++;
    }
    state = timeline_seek (timeline, at, NULL);
    g_assert_cmpuint (map_state_n_events (state), ==, at);
    if (at > places[told - 1].position)
      continue;
    sum = sum_of (state);
    g_assert_cmpstr (sum, ==, places[--told].sum);
  }
  g_assert_cmpuint (told, ==, 0);
  return n_far;
}

static void
test_steps_back (void) {
  g_autoptr (TraceLog) log = record_writes (LARGE_B, N_LARGE_EVENTS);
  g_autoptr (Timeline) timeline = timeline_new (log);
  Place places[N_STEPS_TOLD];

  for (guint i = 0; i < N_STEPS_TOLD; i++)
    places[i].position = N_LARGE_EVENTS - 30000u
                         + (guint64)N_STEPS * i / (N_STEPS_TOLD - 1);
  fold_plainly (log, places, N_STEPS_TOLD);
  timeline_wait (timeline);
  /* However late the thread comes that leaves states for steps. */
  g_assert_cmpuint (step_back (timeline, places), <=, 1 + N_STEPS / 50);
  for (guint i = 0; i < N_STEPS_TOLD; i++)
    g_free (places[i].sum);
}

static void
assert_places (Timeline    *timeline,
               const Place *places) {
  for (guint i = 0; i < N_PLACES; i++) {
    g_autoptr (MapState) state
        = timeline_seek (timeline, places[i].position, NULL);
    g_autofree char *sum = sum_of (state);

    g_assert_cmpstr (sum, ==, places[i].sum);
  }
}

/* A disk that fails, or somebody who cuts what a timeline has put there, costs time
 * and nothing else: before it has settled, or while it is looked at. */
static void
test_kept_states_are_lost (void) {
  g_autoptr (TraceLog) log = record_writes (TABLE_B, N_EVENTS);
  Place places[N_PLACES];

  tell_places (log, places);
  keyframes_set_memory (4096); /* of the first, which is empty */
  for (guint stage = 0; stage < 3; stage++) {
    g_autoptr (Timeline) timeline = timeline_new (log);

    timeline_wait (timeline);
    if (stage > 0)
      timeline_wait_settled (timeline);
    if (stage > 1)
      assert_places (timeline, places);
    unnamed_file_cut (0);
    assert_places (timeline, places);
    assert_places (timeline, places);
    timeline_wait_settled (timeline);
    assert_places (timeline, places);
    g_assert_cmpuint (timeline_get_n_faults (timeline, NULL), ==, 0);
  }
  keyframes_set_memory (KEYFRAMES_MEMORY_BYTES);
  for (guint i = 0; i < N_PLACES; i++)
    g_free (places[i].sum);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/timeline-seek/many-seek-and-read",
                   test_many_seek_and_read);
  g_test_add_func ("/core/timeline-seek/steps-back", test_steps_back);
  g_test_add_func ("/core/timeline-seek/kept-states-are-lost",
                   test_kept_states_are_lost);
  return g_test_run ();
}
