/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-timeline-recent.c — which results of seeks are kept
 *
 * A fold goes over a table of many leaves again and again: two of its states that are
 * a round apart share nothing but nodes. Half of one round is as far as playing for
 * half a second gets.
 */
#include "core/state/fold.h"
#include "core/state/map-state-private.h"
#include "core/state/timeline-private.h"

#define TABLE_B 18
#define LEAF_SLOTS ((1u << BUCKET_LEAF_BITS) * 8u)
#define N_LEAVES ((8u << TABLE_B) / LEAF_SLOTS)

typedef struct {
  Fold      *fold;
  guint32    n_leaves; /* of the table that are written to */
  guint32    next;     /* of these */
  guint32    version;
  Keyframes  kept;
  GPtrArray *dropped;
} Fixture;

static void
apply (Fixture *self,
       Event    event) {
  event.ver = ++self->version;
  fold_apply (self->fold, &event);
}

static void
write_slots (Fixture *self,
             guint    n) {
  while (n-- > 0) {
    gboolean is_new = self->version < self->n_leaves + 2;

    apply (self, (Event){ .kind = is_new ? EVENT_SLOT_WRITTEN : EVENT_SLOT_UPDATED,
                          .res = self->next * LEAF_SLOTS,
                          .aux8 = 7,
                          .a = self->next });
    self->next = (self->next + 1) % self->n_leaves;
  }
}

static void
fixture_init (Fixture *self,
              guint    n_leaves) {
  *self = (Fixture){ .fold = fold_new (), .n_leaves = n_leaves };
  self->dropped = g_ptr_array_new_with_free_func ((GDestroyNotify)map_state_unref);
  keyframes_init (&self->kept);
  keyframes_end_early (&self->kept, self->dropped);
  apply (self, (Event){ .kind = EVENT_TABLE_CREATED, .aux8 = TABLE_B });
  apply (self, (Event){ .kind = EVENT_TABLE_NAMED });
  write_slots (self, n_leaves);
  g_assert_cmpstr (fold_first_fault (self->fold), ==, NULL);
}

static void
fixture_clear (Fixture *self) {
  g_assert_cmpstr (fold_first_fault (self->fold), ==, NULL);
  keyframes_clear (&self->kept);
  g_ptr_array_unref (self->dropped);
  fold_free (self->fold);
}

/* From a packed state; or from another result. */
static void
begin_far (Fixture *self,
           gboolean is_from_packed) {
  keyframes_begin_trail (&self->kept);
  if (is_from_packed)
    keyframes_begin_family (&self->kept);
}

/* Returns its position. */
static guint64
add (Fixture   *self,
     RecentKind kind) {
  keyframes_add_recent (&self->kept, fold_ref_state (self->fold), kind,
                        self->dropped);
  g_ptr_array_set_size (self->dropped, 0);
  return fold_n_events (self->fold);
}

static gboolean
is_kept (const Fixture *self,
         guint64        position) {
  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++)
    if (self->kept.recent[i].state != NULL
        && self->kept.recent[i].position == position)
      return TRUE;
  return FALSE;
}

static guint
count_kept (const Fixture *self) {
  guint n = 0;

  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++)
    n += self->kept.recent[i].state != NULL;
  return n;
}

/* Each is near to the one before, so no far seek drops it. */
static void
test_near_results_are_few (void) {
  Fixture fixture;

  fixture_init (&fixture, N_LEAVES / 2);
  begin_far (&fixture, TRUE);
  g_assert_cmpuint (map_state_bytes (fold_peek_state (fixture.fold)), >,
                    19u << 20);
  for (guint i = 0; i < 8; i++) {
    guint64 position = add (&fixture, RECENT_RESULT);

    g_assert_true (is_kept (&fixture, position));
    g_assert_cmpuint (count_kept (&fixture), <=, 2);
    write_slots (&fixture, fixture.n_leaves);
  }
  fixture_clear (&fixture);
}

/* What all that are kept hold, each chunk once. */
static gsize
held_bytes (const Fixture *self) {
  const MapState *last = NULL;
  gsize bytes = 0;
  guint64 from = 0;

  for (;;) {
    const RecentState *next = NULL;

    for (guint i = 0; i < KEYFRAMES_N_RECENT; i++) {
      const RecentState *recent = &self->kept.recent[i];

      if (recent->state != NULL && recent->position >= from
          && (next == NULL || recent->position < next->position))
        next = recent;
    }
    if (next == NULL)
      return bytes;
    bytes += map_state_bytes_beside (next->state, last);
    last = next->state;
    from = next->position + 1;
  }
}

/* Each starts from the one before and leaves crumbs, which go with the next: then the
 * result is all that holds its leaves. */
static void
add_far_results (Fixture *fixture,
                 gsize    most_bytes) {
  begin_far (fixture, TRUE);
  for (guint i = 0; i < 10; i++) {
    guint64 position;

    if (i > 0)
      begin_far (fixture, FALSE);
    write_slots (fixture, fixture->n_leaves);
    add (fixture, RECENT_CRUMB);
    g_assert_cmpuint (held_bytes (fixture), <=, most_bytes);
    write_slots (fixture, 8);
    position = add (fixture, RECENT_RESULT);
    g_assert_true (is_kept (fixture, position));
    g_assert_cmpuint (held_bytes (fixture), <=, most_bytes);
  }
}

static void
test_far_results_are_few (void) {
  Fixture fixture;

  fixture_init (&fixture, N_LEAVES / 2);
  add_far_results (&fixture, KEYFRAMES_RECENT_BYTES);
  g_assert_cmpuint (count_kept (&fixture), >, 2);
  fixture_clear (&fixture);
}

/* As long as there are few key-frames, more. */
static void
test_early_results_are_more (void) {
  Fixture fixture;

  fixture_init (&fixture, N_LEAVES / 2);
  fixture.kept.most_recent = KEYFRAMES_EARLY_BYTES;
  add_far_results (&fixture, KEYFRAMES_EARLY_BYTES);
  g_assert_cmpuint (held_bytes (&fixture), >, KEYFRAMES_RECENT_BYTES);
  keyframes_end_early (&fixture.kept, fixture.dropped);
  g_assert_cmpuint (held_bytes (&fixture), <=, KEYFRAMES_RECENT_BYTES);
  g_assert_cmpuint (count_kept (&fixture), >, 1);
  fixture_clear (&fixture);
}

/* Small ones are kept as before. */
static void
test_small_results_are_many (void) {
  Fixture fixture;

  fixture_init (&fixture, 64);
  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++) {
    begin_far (&fixture, TRUE);
    add (&fixture, RECENT_RESULT);
    write_slots (&fixture, fixture.n_leaves);
  }
  g_assert_cmpuint (count_kept (&fixture), ==, KEYFRAMES_N_RECENT);
  fixture_clear (&fixture);
}

/* A result and its crumbs stay together, however large, and nothing else does: not
 * what a far seek left before them, nor they when a near one has gone on. */
static void
test_crumbs_stay_with_their_result (void) {
  Fixture fixture;
  guint64 former, crumbs[3], result;

  fixture_init (&fixture, N_LEAVES);
  begin_far (&fixture, TRUE);
  former = add (&fixture, RECENT_RESULT);
  write_slots (&fixture, N_LEAVES);
  for (guint i = 0; i < G_N_ELEMENTS (crumbs); i++) {
    crumbs[i] = fold_n_events (fixture.fold);
    write_slots (&fixture, 1024);
  }
  begin_far (&fixture, TRUE);
  result = add (&fixture, RECENT_RESULT);
  g_assert_true (is_kept (&fixture, result));
  /* Folded once more by another fold, of the same events. */
  {
    Fixture other;

    fixture_init (&other, N_LEAVES);
    write_slots (&other, N_LEAVES);
    for (guint i = 0; i < G_N_ELEMENTS (crumbs); i++) {
      MapState *crumb = fold_ref_state (other.fold);

      g_assert_cmpuint (map_state_n_events (crumb), ==, crumbs[i]);
      keyframes_add_recent (&fixture.kept, crumb, RECENT_CRUMB, fixture.dropped);
      write_slots (&other, 1024);
    }
    fixture_clear (&other);
  }
  g_assert_true (is_kept (&fixture, result));
  g_assert_false (is_kept (&fixture, former));
  for (guint i = 0; i < G_N_ELEMENTS (crumbs); i++)
    g_assert_true (is_kept (&fixture, crumbs[i]));

  write_slots (&fixture, N_LEAVES);
  former = result;
  result = add (&fixture, RECENT_RESULT);
  g_assert_true (is_kept (&fixture, result));
  g_assert_false (is_kept (&fixture, former));
  for (guint i = 0; i < G_N_ELEMENTS (crumbs); i++)
    g_assert_false (is_kept (&fixture, crumbs[i]));
  fixture_clear (&fixture);
}

/* Steps copy a leaf each. */
static void
test_steps_leave_their_start (void) {
  Fixture fixture;
  guint64 start;

  fixture_init (&fixture, N_LEAVES);
  begin_far (&fixture, TRUE);
  start = add (&fixture, RECENT_RESULT);
  for (guint i = 0; i < 12; i++) {
    write_slots (&fixture, 1);
    g_assert_true (is_kept (&fixture, add (&fixture, RECENT_STEP)));
    g_assert_true (is_kept (&fixture, start));
  }
  g_assert_cmpuint (count_kept (&fixture), >, 2);
  fixture_clear (&fixture);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/timeline-recent/near-results-are-few",
                   test_near_results_are_few);
  g_test_add_func ("/core/timeline-recent/far-results-are-few",
                   test_far_results_are_few);
  g_test_add_func ("/core/timeline-recent/early-results-are-more",
                   test_early_results_are_more);
  g_test_add_func ("/core/timeline-recent/small-results-are-many",
                   test_small_results_are_many);
  g_test_add_func ("/core/timeline-recent/crumbs-stay-with-their-result",
                   test_crumbs_stay_with_their_result);
  g_test_add_func ("/core/timeline-recent/steps-leave-their-start",
                   test_steps_leave_their_start);
  return g_test_run ();
}
