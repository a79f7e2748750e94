/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-geometry.c — L1 to L3 of tophash-geometry.c, at many sizes */
#include "tests/widgets/scenes.h"
#include "widgets/tophash-geometry.h"

#include <math.h>

static StageLayout *
lay_out (MapState *state,
         double    width,
         int       zoom) {
  StageOptions options = { .width = width, .zoom = zoom, .text_scale = 1 };

  return stage_layout_new (state, &options);
}

static void
check_slot (const StageLayout *layout,
            const StageCard   *card,
            const StageBucket *place,
            guint              slot) {
  StageRect rect;
  StageHit hit;

  g_assert_true (stage_card_slot (card, place->bucket, slot, &rect));
  g_assert_cmpfloat (rect.x, ==, floor (rect.x));
  g_assert_cmpfloat (rect.y, ==, floor (rect.y));
  g_assert_cmpfloat (rect.x, >=, card->body.x);
  g_assert_cmpfloat (rect.y, >=, card->body.y);
  g_assert_cmpfloat (rect.x + rect.width, <=, card->body.x + card->body.width);
  g_assert_cmpfloat (rect.y + rect.height, <=, card->body.y + card->body.height);
  g_assert_true (stage_layout_hit (layout, rect.x + rect.width / 2,
                                   rect.y + rect.height / 2, &hit));
  g_assert_true (hit.card == card);
  g_assert_cmpuint (hit.bucket, ==, place->bucket);
  g_assert_cmpuint (hit.chain, ==, place->chain);
  g_assert_cmpuint (hit.slot, ==, slot);
}

/* Every bucket that its chain leads to has its place. */
static void
check_chains (const StageCard *card) {
  guint n_main = state_array_n_main (card->array);
  guint n_reached = 0;

  for (guint chain = 0; chain < n_main; chain++) {
    guint32 index = chain;

    do {
      StageRect rect;

      g_assert_true (stage_card_slot (card, index, 0, &rect));
      n_reached++;
      index = state_array_bucket (card->array, index)->overflow;
    } while (index != 0);
  }
  g_assert_cmpuint (card->buckets->len, ==, n_reached);
}

static void
check_layout (const StageLayout *layout) {
  for (guint i = 0; i < layout->cards->len; i++) {
    const StageCard *card = stage_layout_card (layout, i);

    g_assert_cmpfloat (card->frame.x + card->frame.width, <=, layout->width);
    g_assert_cmpfloat (card->frame.y + card->frame.height, <=, layout->height);
    if (card->buckets != NULL)
      check_chains (card);
    for (guint j = 0; card->buckets != NULL && j < card->buckets->len; j++) {
      const StageBucket *place = &g_array_index (card->buckets, StageBucket, j);

      for (guint slot = 0; slot < place->n_shown; slot++)
        check_slot (layout, card, place, slot);
    }
  }
}

static void
check_sizes (MapState *state) {
  static const double widths[] = { 320, 420, 600, 733, 764, 1100, 1900 };

  for (guint i = 0; i < G_N_ELEMENTS (widths); i++)
    for (int zoom = -STAGE_N_ZOOMS; zoom <= STAGE_N_ZOOMS; zoom++) {
      g_autoptr (StageLayout) layout = lay_out (state, widths[i], zoom);

      check_layout (layout);
    }
}

static void
test_slots_apart (void) {
  g_autoptr (MapState) syncmap = scene_syncmap ();
  g_autoptr (MapState) promoted = scene_promoted ();
  g_autoptr (MapState) growing = scene_growing ();
  Scene scene = { 0 };
  g_autoptr (MapState) many = NULL;

  scene_fill (&scene, 6, 600);
  many = scene_take (&scene);
  check_sizes (syncmap);
  check_sizes (promoted);
  check_sizes (growing);
  check_sizes (many);
}

static void
test_pairs (void) {
  g_autoptr (MapState) state = scene_syncmap ();
  g_autoptr (StageLayout) wide = lay_out (state, 764, 0);
  g_autoptr (StageLayout) narrow = lay_out (state, 420, 0);
  const StageCard *read = stage_layout_find_card (wide, CARD_READ);
  const StageCard *dirty = stage_layout_find_card (wide, CARD_DIRTY);

  g_assert_cmpfloat (read->frame.y, ==, dirty->frame.y);
  g_assert_cmpfloat (read->frame.height, ==, dirty->frame.height);
  g_assert_cmpfloat (read->frame.x + read->frame.width, <, dirty->frame.x);
  read = stage_layout_find_card (narrow, CARD_READ);
  dirty = stage_layout_find_card (narrow, CARD_DIRTY);
  g_assert_cmpfloat (read->frame.x, ==, dirty->frame.x);
  g_assert_cmpfloat (read->frame.y + read->frame.height, <, dirty->frame.y);
}

/* Narrow: the one that the switch names, and not the other. */
static void
test_shown (void) {
  g_autoptr (MapState) state = scene_syncmap ();
  StageOptions options = { .width = 420, .text_scale = 1 };

  for (int i = 0; i < 2; i++) {
    g_autoptr (StageLayout) layout = NULL;

    options.shown = i == 0 ? STAGE_READ : STAGE_DIRTY;
    layout = stage_layout_new (state, &options);
    check_layout (layout);
    g_assert_true ((stage_layout_find_card (layout, CARD_READ) != NULL)
                   == (i == 0));
    g_assert_true ((stage_layout_find_card (layout, CARD_DIRTY) != NULL)
                   == (i == 1));
  }
}

static void
test_ghosts (void) {
  g_autoptr (MapState) state = scene_promoted ();
  g_autoptr (StageLayout) layout = lay_out (state, 764, 0);
  const StageCard *ghost = stage_layout_find_card (layout, CARD_GHOST);

  g_assert_nonnull (ghost);
  g_assert_cmpint (ghost->table->role, ==, TABLE_ROLE_SUPERSEDED);
  g_assert_null (stage_layout_find_card (layout, CARD_DIRTY)->table);
}

static void
check_items (const StageLayout *layout) {
  for (guint i = 0; i < layout->cards->len; i++) {
    const StageCard *card = stage_layout_card (layout, i);

    for (guint item = 0; item < card->n_items; item++) {
      StageRect rect;
      StageHit hit;

      g_assert_true (stage_card_item (card, item, &rect));
      g_assert_cmpfloat (rect.x, ==, floor (rect.x));
      g_assert_cmpfloat (rect.y, ==, floor (rect.y));
      g_assert_cmpfloat (rect.x, >=, card->frame.x);
      g_assert_cmpfloat (rect.x + rect.width, <=,
                         card->frame.x + card->frame.width);
      g_assert_cmpfloat (rect.y + rect.height, <=,
                         card->frame.y + card->frame.height);
      g_assert_true (stage_layout_hit (layout, rect.x + rect.width / 2,
                                       rect.y + rect.height / 2, &hit));
      g_assert_true (hit.card == card && hit.has_item && !hit.has_slot);
      g_assert_cmpuint (hit.item, ==, item);
    }
    g_assert_false (stage_card_item (card, card->n_items, &(StageRect) { 0 }));
  }
}

/* Items stay in their cards at any width, and no card covers another. */
static void
test_strips (void) {
  static const double widths[] = { 320, 420, 600, 764, 1100, 1900 };
  MapState *states[] = { scene_lock_queue (), scene_views (), scene_shards (1),
                         scene_shards (64), scene_shards (1024) };

  for (guint i = 0; i < G_N_ELEMENTS (states); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (widths); j++)
      for (int fit = 0; fit <= 720; fit += 360) {
        StageOptions options = { .width = widths[j], .fit_height = fit,
                                 .text_scale = 1 };
        g_autoptr (StageLayout) layout = stage_layout_new (states[i], &options);

        check_layout (layout);
        check_items (layout);
        for (guint a = 0; a < layout->cards->len; a++)
          for (guint b = 0; b < a; b++) {
            const StageRect *one = &stage_layout_card (layout, a)->frame;
            const StageRect *other = &stage_layout_card (layout, b)->frame;

            g_assert_true (one->x + one->width <= other->x
                           || other->x + other->width <= one->x
                           || one->y + one->height <= other->y
                           || other->y + other->height <= one->y);
          }
      }
    map_state_unref (states[i]);
  }
}

/* The lock of a map of shards is the selected one's, else the one waited for. */
static void
test_shard_lock (void) {
  g_autoptr (MapState) state = scene_shards (64);
  StageOptions options = { .width = 764, .text_scale = 1 };

  for (guint i = 0; i < 2; i++) {
    g_autoptr (StageLayout) layout = NULL;
    const StageCard *card;

    options.shard = i == 0 ? 0 : 18;
    layout = stage_layout_new (state, &options);
    card = stage_layout_find_card (layout, CARD_LOCK);
    g_assert_cmpint (card->lock, >=, 0);
    g_assert_cmpuint (map_state_lock (state, (guint)card->lock)->id, ==,
                      i == 0 ? 5 : 17);
  }
}

/* Home is the first item of all, and arrows lead from it into the slots. */
static void
test_steps_to_items (void) {
  g_autoptr (MapState) state = scene_shards (64);
  g_autoptr (StageLayout) layout = lay_out (state, 764, 0);
  StageHit at = { 0 };

  g_assert_true (stage_layout_step (layout, &at, STAGE_FIRST, &at));
  g_assert_true (at.has_item && at.card->kind == CARD_SHARDS && at.item == 0);
  g_assert_true (stage_layout_step (layout, &at, STAGE_RIGHT, &at));
  g_assert_cmpuint (at.item, ==, 1);
  g_assert_true (stage_layout_step (layout, &at, STAGE_DOWN, &at));
  g_assert_true (at.has_item && at.card->kind == CARD_LOCK);
  g_assert_true (stage_layout_step (layout, &at, STAGE_RIGHT, &at));
  g_assert_true (at.has_slot);
  g_assert_true (stage_layout_step (layout, &at, STAGE_UP, &at));
  g_assert_true (at.has_item && at.card->kind == CARD_LOCK);
}

/* Views see in each chain the newest version that is not newer than they. */
static void
test_chains (void) {
  g_autoptr (MapState) state = scene_views ();
  StageOptions options = { .width = 764, .text_scale = 1, .has_key = TRUE,
                           .key = 4 };
  g_autoptr (StageLayout) layout = stage_layout_new (state, &options);
  const StageCard *card = stage_layout_find_card (layout, CARD_CHAINS);
  guint n_kept[13] = { 0 };

  g_assert_nonnull (card);
  g_assert_cmpuint (card->n_items, ==, 5);
  g_assert_cmpint (g_array_index (layout->chains, StageChain, 0).key, ==, 4);
  for (guint i = 0; i < layout->chains->len; i++)
    n_kept[g_array_index (layout->chains, StageChain, i).key]++;
  g_assert_true (n_kept[3] == 1 && n_kept[5] == 1 && n_kept[7] == 1
                 && n_kept[9] == 1);
}

/* Right from the first slot meets every slot once, left comes back. */
static void
test_steps (void) {
  g_autoptr (MapState) state = scene_syncmap ();
  g_autoptr (StageLayout) layout = lay_out (state, 764, 0);
  StageHit from = { 0 };
  StageHit at;
  StageHit last;
  guint n_shown = 0;
  guint n = 1;

  for (guint i = 0; i < layout->cards->len; i++) {
    const StageCard *card = stage_layout_card (layout, i);

    for (guint j = 0; card->buckets != NULL && j < card->buckets->len; j++)
      n_shown += g_array_index (card->buckets, StageBucket, j).n_shown;
  }
  g_assert_true (stage_layout_step (layout, &from, STAGE_RIGHT, &at));
  while (stage_layout_step (layout, &at, STAGE_RIGHT, &at))
    n++;
  g_assert_cmpuint (n, ==, n_shown);
  g_assert_true (stage_layout_step (layout, &from, STAGE_LAST, &last));
  g_assert_true (at.bucket == last.bucket && at.slot == last.slot);
  while (stage_layout_step (layout, &at, STAGE_LEFT, &at) && at.has_slot)
    n--;
  g_assert_cmpuint (n, ==, 1);
  g_assert_true (at.has_item && at.card->kind == CARD_LOCK);
  g_assert_true (stage_layout_step (layout, &from, STAGE_RIGHT, &at));
  g_assert_true (stage_layout_step (layout, &at, STAGE_DOWN, &at));
  g_assert_cmpuint (at.bucket, ==, 1);
  g_assert_true (stage_layout_step (layout, &at, STAGE_UP, &at));
  g_assert_cmpuint (at.bucket, ==, 0);
}

static void
test_heat_map (void) {
  Scene scene = { 0 };
  g_autoptr (MapState) state = NULL;
  g_autoptr (StageLayout) layout = NULL;
  const StageCard *card;
  StageHit hit;

  scene_fill (&scene, 14, 0);
  state = scene_take (&scene);
  layout = lay_out (state, 764, 0);
  card = stage_layout_find_card (layout, CARD_BUCKETS);
  g_assert_null (card->buckets);
  g_assert_cmpuint (card->n_columns * card->n_rows * card->n_per_cell, >=,
                    1u << 14);
  g_assert_cmpfloat (card->n_columns * card->cell_px, <=, card->body.width);
  g_assert_cmpfloat ((card->n_columns + 1) * card->cell_px, >, card->body.width);
  g_assert_true (stage_layout_hit (layout, card->body.x + 1.5 * card->cell_px,
                                   card->body.y + 0.5, &hit));
  g_assert_cmpuint (hit.bucket, ==, card->n_per_cell);
}

/* Whatever the number of buckets, a large stage is not left empty below them. */
static void
test_fills (void) {
  static const StageOptions large = { .width = 1330, .fit_height = 630, .text_scale = 1 };
  static const StageOptions small = { .width = 690, .fit_height = 360, .text_scale = 1 };

  for (guint B = 8; B <= 14; B++) {
    Scene scene = { 0 };
    g_autoptr (MapState) state = NULL;
    g_autoptr (StageLayout) wide = NULL;
    g_autoptr (StageLayout) narrow = NULL;

    scene_fill (&scene, (guint8)B, 0);
    state = scene_take (&scene);
    wide = stage_layout_new (state, &large);
    narrow = stage_layout_new (state, &small);
    g_assert_cmpfloat (wide->height, >, 0.7 * large.fit_height);
    g_assert_cmpfloat (wide->height, <=, large.fit_height);
    g_assert_cmpfloat (narrow->height, >, 0.7 * small.fit_height);
    g_assert_cmpfloat (narrow->height, <=, small.fit_height);
    check_layout (wide);
    check_layout (narrow);
  }
}

/* What is seen of a stage costs no more than all of it, what is beside it nothing;
 * letters cost more than slots alone. */
static void
test_cost (void) {
  g_autoptr (MapState) state = scene_growing ();
  g_autoptr (StageLayout) near = lay_out (state, 900, 9);
  g_autoptr (StageLayout) far = lay_out (state, 900, -9);
  guint all = stage_layout_cost (near, 0, near->height);

  g_assert_cmpuint (all, >, stage_layout_cost (far, 0, far->height));
  g_assert_cmpuint (all, ==, stage_layout_cost (near, -500, near->height + 500));
  for (double y = 0; y < near->height; y += 50) {
    guint part = stage_layout_cost (near, y, y + 200);

    g_assert_cmpuint (part, <=, all);
    g_assert_cmpuint (part, <=, stage_layout_cost (near, y - 50, y + 250));
  }
  g_assert_cmpuint (stage_layout_cost (near, near->height + 1,
                                       near->height + 200), ==, 0);
}

static void
test_empty (void) {
  g_autoptr (Fold) fold = fold_new ();
  g_autoptr (MapState) state = fold_ref_state (fold);
  g_autoptr (StageLayout) layout = lay_out (state, 764, 0);
  StageHit at;

  check_layout (layout);
  g_assert_false (stage_layout_hit (layout, 100, 100, &at));
  g_assert_false (stage_layout_step (layout, &at, STAGE_FIRST, &at));
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/widgets/geometry/slots-apart", test_slots_apart);
  g_test_add_func ("/widgets/geometry/pairs", test_pairs);
  g_test_add_func ("/widgets/geometry/shown", test_shown);
  g_test_add_func ("/widgets/geometry/ghosts", test_ghosts);
  g_test_add_func ("/widgets/geometry/steps", test_steps);
  g_test_add_func ("/widgets/geometry/strips", test_strips);
  g_test_add_func ("/widgets/geometry/shard-lock", test_shard_lock);
  g_test_add_func ("/widgets/geometry/steps-to-items", test_steps_to_items);
  g_test_add_func ("/widgets/geometry/chains", test_chains);
  g_test_add_func ("/widgets/geometry/heat-map", test_heat_map);
  g_test_add_func ("/widgets/geometry/fills", test_fills);
  g_test_add_func ("/widgets/geometry/cost", test_cost);
  g_test_add_func ("/widgets/geometry/empty", test_empty);
  return g_test_run ();
}
