/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scenes.h — states to paint, folded from events made by hand
 *
 * Keys are placed where their hash puts them, so that look-ups in the state and
 * the split of a growth are those of a real map. Every scene must fold without
 * a fault.
 */
#pragma once

#include "core/base/hash.h"
#include "core/state/fold.h"

#define SCENE_SEED 42u

typedef struct {
  Fold   *fold;
  gint64  at_ns;
  guint32 ver;
  guint   used[3][1024]; /* slots taken per table id and main bucket */
  guint   B[3];
  guint32 next_overflow[3];
  guint32 tail[3][1024]; /* last bucket of a chain */
} Scene;

static inline void
scene_tell (Scene    *scene,
            EventKind kind,
            Event     event) {
  scene->at_ns += 1300;
  event.kind = (uint8_t)kind;
  event.at_ns = scene->at_ns;
  if (event_kind_gate (kind) == GATE_DOMAIN)
    event.ver = ++scene->ver;
  fold_apply (scene->fold, &event);
}

static inline void
scene_create (Scene  *scene,
              guint16 table,
              guint   B,
              guint32 flags) {
  scene_tell (scene, EVENT_TABLE_CREATED,
              (Event) { .aux16 = table, .aux8 = (uint8_t)B, .res = flags,
                        .a = SCENE_SEED, .b = (uint64_t)HASH_GOOD << 32 });
  scene->B[table] = B;
  scene->next_overflow[table] = 1u << B;
  for (guint32 i = 0; i < 1u << B && i < 1024; i++) {
    scene->tail[table][i] = i;
    scene->used[table][i] = 0;
  }
}

static inline guint8
scene_tophash (gint64 key) {
  guint8 top = (guint8)(hash_good (key, SCENE_SEED) >> 56);

  return top < TOPHASH_MIN ? (guint8)(top + TOPHASH_MIN) : top;
}

/* A new key at the end of its chain. */
static inline void
scene_write (Scene  *scene,
             guint16 table,
             gint64  key,
             guint64 elem) {
  guint32 chain
    = (guint32)hash_good (key, SCENE_SEED) & ((1u << scene->B[table]) - 1);
  guint n = scene->used[table][chain]++;

  if (n > 0 && n % BUCKET_SLOTS == 0) {
    scene_tell (scene, EVENT_OVERFLOW_LINKED,
                (Event) { .aux16 = table, .res = scene->tail[table][chain] });
    scene->tail[table][chain] = scene->next_overflow[table]++;
  }
  scene_tell (scene, EVENT_SLOT_WRITTEN,
              (Event) { .aux16 = table, .aux8 = scene_tophash (key),
                        .res = scene->tail[table][chain] * BUCKET_SLOTS
                               + n % BUCKET_SLOTS,
                        .a = (uint64_t)key, .b = elem });
}

static inline void
scene_store_new (Scene  *scene,
                 guint16 table,
                 gint64  key) {
  scene_tell (scene, EVENT_ENTRY_STORED,
              (Event) { .res = (uint32_t)key, .ver = 1, .a = (uint64_t)key * 7 });
  scene_write (scene, table, key, (guint64)key);
}

static inline void
scene_entry (Scene    *scene,
             EventKind kind,
             guint32   entry,
             guint32   ver) {
  scene_tell (scene, kind, (Event) { .res = entry, .ver = ver });
}

static inline MapState *
scene_take (Scene *scene) {
  MapState *state;

  g_assert_cmpstr (fold_first_fault (scene->fold), ==, NULL);
  state = fold_ref_state (scene->fold);
  g_clear_pointer (&scene->fold, fold_free);
  return state;
}

/* Up to the moment after the first promotion. */
static inline void
scene_first_promotion (Scene *scene) {
  scene->fold = fold_new ();
  scene_create (scene, 0, 0, TABLE_HOLDS_ENTRIES);
  scene_tell (scene, EVENT_READ_PUBLISHED, (Event) { .aux16 = 0 });
  scene_create (scene, 1, 2, TABLE_HOLDS_ENTRIES);
  scene_tell (scene, EVENT_DIRTY_CREATED, (Event) { .aux16 = 1 });
  scene_tell (scene, EVENT_READ_AMENDED, (Event) { 0 });
  for (gint64 key = 1; key <= 22; key++)
    scene_store_new (scene, 1, key);
  scene_tell (scene, EVENT_DIRTY_PROMOTED, (Event) { .aux16 = 1, .res = 22 });
  scene_tell (scene, EVENT_TABLE_FREED, (Event) { .aux16 = 0, .res = 1 });
}

static inline void
scene_copy (Scene *scene) {
  static const guint32 expunged[] = { 7, 20 };
  const MapState *state;

  for (guint i = 0; i < G_N_ELEMENTS (expunged); i++) {
    scene_entry (scene, EVENT_ENTRY_DELETED, expunged[i], 2);
    scene_entry (scene, EVENT_ENTRY_EXPUNGED, expunged[i], 3);
  }
  scene_create (scene, 2, 2, TABLE_HOLDS_ENTRIES);
  scene_tell (scene, EVENT_DIRTY_CREATED, (Event) { .aux16 = 2, .res = 22 });
  state = fold_ref_state (scene->fold);
  for (guint32 i = 0; i < 4; i++) {
    const StateTable *read = map_state_table_for (state, TABLE_ROLE_READ);
    const StateBucket *bucket = state_array_bucket (read->buckets, i);
    guint8 kept = 0;

    for (guint slot = 0; slot < BUCKET_SLOTS; slot++)
      if (bucket->tophash[slot] >= TOPHASH_MIN && bucket->keys[slot] != 7
          && bucket->keys[slot] != 20) {
        kept |= (guint8)(1u << slot);
        scene->used[2][i]++;
      }
    scene_tell (scene, EVENT_BUCKET_COPIED,
                (Event) { .aux16 = 2, .res = i, .aux8 = kept, .a = i, .b = 1 });
  }
  map_state_unref (state);
  scene_tell (scene, EVENT_DIRTY_COPIED, (Event) { .aux16 = 2, .res = 20, .a = 2 });
  scene_tell (scene, EVENT_READ_AMENDED, (Event) { 0 });
}

static inline void
scene_range (Scene *scene) {
  const MapState *state = fold_ref_state (scene->fold);
  const StateTable *read = map_state_table_for (state, TABLE_ROLE_READ);

  scene_tell (scene, EVENT_RANGE_BEGAN,
              (Event) { .ver = 7, .aux16 = read->id, .thread = 3, .a = read->count });
  for (guint32 i = 0; i < 2; i++) {
    const StateBucket *bucket = state_array_bucket (read->buckets, i);
    guint64 nil = 0;
    guint64 expunged = 0;
    guint8 seen = 0;

    for (guint slot = 0; slot < BUCKET_SLOTS - 3 * i; slot++) {
      if (bucket->tophash[slot] < TOPHASH_MIN)
        continue;
      switch (map_state_entry (state, (guint32)bucket->elems[slot]).state) {
      case ENTRY_VALUE:
        seen |= (guint8)(1u << slot);
        break;
      case ENTRY_NIL:
        nil |= 1u << slot;
        break;
      case ENTRY_EXPUNGED:
        expunged |= 1u << slot;
        break;
      }
    }
    scene_tell (scene, EVENT_RANGE_WALKED,
                (Event) { .ver = 7, .aux16 = read->id, .thread = 3, .res = i,
                          .aux8 = seen, .a = nil | expunged << 8 });
  }
  map_state_unref (state);
}

/* Shared, nil and expunged entries, keys that only dirty has, a held lock and
 * a Range on its way through read. */
static inline MapState *
scene_syncmap (void) {
  Scene scene = { 0 };

  scene_first_promotion (&scene);
  scene_copy (&scene);
  scene_entry (&scene, EVENT_ENTRY_DELETED, 5, 2);
  scene_entry (&scene, EVENT_ENTRY_DELETED, 14, 2);
  scene_range (&scene);
  scene_tell (&scene, EVENT_LOCK_ACQUIRED, (Event) { .thread = 1 });
  for (gint64 key = 50; key < 60; key++)
    scene_store_new (&scene, 2, key);
  scene_tell (&scene, EVENT_MISS_COUNTED, (Event) { .res = 9 });
  scene_tell (&scene, EVENT_LOCK_WAITED, (Event) { .thread = 2 });
  scene.at_ns += 30000;
  return scene_take (&scene);
}

/* The same, one promotion later; the Range still holds the old read. */
static inline MapState *
scene_promoted (void) {
  Scene scene = { 0 };

  scene_first_promotion (&scene);
  scene_copy (&scene);
  scene_entry (&scene, EVENT_ENTRY_DELETED, 5, 2);
  scene_entry (&scene, EVENT_ENTRY_DELETED, 14, 2);
  scene_range (&scene);
  for (gint64 key = 50; key < 60; key++)
    scene_store_new (&scene, 2, key);
  scene_tell (&scene, EVENT_DIRTY_PROMOTED, (Event) { .aux16 = 2, .res = 30 });
  return scene_take (&scene);
}

/* A gomap of @n_keys in 2^@B buckets. */
static inline void
scene_fill (Scene *scene,
            guint  B,
            gint64 n_keys) {
  scene->fold = fold_new ();
  scene_create (scene, 1, B, 0);
  scene_tell (scene, EVENT_TABLE_NAMED, (Event) { .aux16 = 1 });
  for (gint64 key = 1; key <= n_keys; key++)
    scene_write (scene, 1, key, (guint64)key * 3);
}

static inline guint8
scene_up_mask (const StateBucket *bucket,
               guint32            n_old) {
  guint8 mask = 0;

  for (guint slot = 0; slot < BUCKET_SLOTS; slot++)
    if (bucket->tophash[slot] >= TOPHASH_MIN
        && (hash_good (bucket->keys[slot], SCENE_SEED) & n_old))
      mask |= (guint8)(1u << slot);
  return mask;
}

/* Two of four chains moved, the lock held by a worker that has a waiter. */
static inline MapState *
scene_growing (void) {
  static const guint32 moved[] = { 0, 2 };
  Scene scene = { 0 };
  const MapState *before;

  scene_fill (&scene, 2, 27);
  scene_tell (&scene, EVENT_LOCK_ACQUIRED, (Event) { .thread = 0 });
  before = fold_ref_state (scene.fold);
  scene_tell (&scene, EVENT_GROWTH_STARTED, (Event) { .aux16 = 1, .aux8 = 3 });
  for (guint i = 0; i < G_N_ELEMENTS (moved); i++) {
    const StateArray *old = map_state_table (before, 0)->buckets;
    guint32 index = moved[i];

    do {
      const StateBucket *bucket = state_array_bucket (old, index);

      scene_tell (&scene, EVENT_BUCKET_EVACUATED,
                  (Event) { .aux16 = 1, .res = index, .a = moved[i],
                            .aux8 = scene_up_mask (bucket, 4) });
      index = bucket->overflow;
    } while (index != 0);
  }
  map_state_unref (before);
  scene_tell (&scene, EVENT_EVACUATION_ADVANCED, (Event) { .aux16 = 1, .res = 1 });
  scene_tell (&scene, EVENT_LOCK_WAITED, (Event) { .thread = 1 });
  return scene_take (&scene);
}

/* A lock that readers share: W1 and W4 are inside, W2 has its turn and waits for
 * them, W3 would read and W5 write. */
static inline MapState *
scene_lock_queue (void) {
  static const struct {
    guint16  thread;
    LockWait what;
  } waits[] = { { 1, LOCK_WAIT_ALONE }, { 2, LOCK_WAIT_READ },
                { 4, LOCK_WAIT_ALONE }, { 1, LOCK_WAIT_DRAIN } };
  Scene scene = { 0 };

  scene_fill (&scene, 2, 20);
  scene_tell (&scene, EVENT_LOCK_READ_ACQUIRED, (Event) { .thread = 0 });
  scene_tell (&scene, EVENT_LOCK_READ_ACQUIRED, (Event) { .thread = 3 });
  for (guint i = 0; i < G_N_ELEMENTS (waits); i++)
    scene_tell (&scene, EVENT_LOCK_WAITED,
                (Event) { .thread = waits[i].thread,
                          .aux8 = (uint8_t)waits[i].what });
  return scene_take (&scene);
}

/* Of @n shards every one has been used; few are hot, some held, one waited for. */
static inline MapState *
scene_shards (guint n) {
  Scene scene = { 0 };

  scene.fold = fold_new ();
  for (guint i = 0; i < n; i++) {
    guint16 id = (guint16)(i + 1);

    scene_tell (&scene, EVENT_TABLE_CREATED,
                (Event) { .aux16 = id, .aux8 = 1, .a = SCENE_SEED, .b = i });
    scene_tell (&scene, EVENT_TABLE_NAMED,
                (Event) { .aux16 = id, .aux8 = 1, .res = i });
    for (guint key = 0; key < (i * 7) % 12; key++)
      scene_tell (&scene, EVENT_SLOT_WRITTEN,
                  (Event) { .aux16 = id, .aux8 = 77, .res = key,
                            .a = i * 100 + key, .b = key });
    for (guint use = 0; use < 3 + i % 4 + (i % 29 == 5 ? 40 : 0); use++) {
      gboolean is_read = use % 3 != 0;

      if (use % 9 == 8)
        scene_tell (&scene, EVENT_LOCK_WAITED,
                    (Event) { .res = i, .thread = 2 });
      scene_tell (&scene,
                  is_read ? EVENT_LOCK_READ_ACQUIRED : EVENT_LOCK_ACQUIRED,
                  (Event) { .res = i, .thread = 2 });
      scene_tell (&scene,
                  is_read ? EVENT_LOCK_READ_RELEASED : EVENT_LOCK_RELEASED,
                  (Event) { .res = i, .thread = 2 });
    }
  }
  scene_tell (&scene, EVENT_LOCK_READ_ACQUIRED, (Event) { .res = 2, .thread = 2 });
  scene_tell (&scene, EVENT_LOCK_ACQUIRED, (Event) { .res = 5, .thread = 0 });
  scene_tell (&scene, EVENT_LOCK_WAITED,
              (Event) { .res = 5, .thread = 1, .aux8 = LOCK_WAIT_READ });
  return scene_take (&scene);
}

static inline void
scene_version (Scene   *scene,
               guint32  version,
               gint64   key,
               gint64   value,
               guint64  stamp) {
  static guint32 entry_ver[64];

  if (version == (guint32)key)
    entry_ver[key] = 0;
  scene_tell (scene, EVENT_VERSION_WRITTEN,
              (Event) { .res = version, .ver = 1, .aux8 = value < 0,
                        .a = (uint64_t)MAX (value, 0), .b = (uint64_t)key });
  scene_tell (scene, EVENT_ENTRY_STORED,
              (Event) { .res = (uint32_t)key, .ver = ++entry_ver[key],
                        .a = version });
  scene_tell (scene, EVENT_VERSION_STAMPED,
              (Event) { .res = version, .ver = 1, .a = stamp });
}

/* Versioned entries: two views are open, one from before the writes, one from
 * between them, of which @n_given pairs were told. */
static inline MapState *
scene_views_given (gint64 n_given) {
  Scene scene = { 0 };

  scene.fold = fold_new ();
  scene_create (&scene, 0, 1, TABLE_HOLDS_ENTRIES | TABLE_HOLDS_VERSIONS);
  scene_tell (&scene, EVENT_READ_PUBLISHED, (Event) { .aux16 = 0 });
  for (gint64 key = 1; key <= 12; key++) {
    scene_version (&scene, (guint32)key, key, key * 7, 1);
    scene_write (&scene, 0, key, (guint64)key);
  }
  scene_tell (&scene, EVENT_SNAPSHOT_BEGAN,
              (Event) { .thread = 2, .ver = 1, .a = 1, .b = 12 });
  scene_tell (&scene, EVENT_WRITE_BARRIER, (Event) { .a = 2 });
  scene_version (&scene, 20, 3, 301, 2);
  scene_version (&scene, 21, 7, -1, 2);
  scene_version (&scene, 22, 5, 501, 2);
  scene_tell (&scene, EVENT_SNAPSHOT_BEGAN,
              (Event) { .thread = 1, .ver = 2, .a = 2, .b = 12 });
  scene_tell (&scene, EVENT_WRITE_BARRIER, (Event) { .a = 3 });
  scene_version (&scene, 23, 3, 302, 3);
  scene_version (&scene, 24, 9, 901, 3);
  scene_tell (&scene, EVENT_LOCK_ACQUIRED, (Event) { .thread = 1 });
  for (gint64 key = 1; key <= n_given; key++)
    scene_tell (&scene, EVENT_SNAPSHOT_GAVE,
                (Event) { .thread = 1, .ver = 2, .a = (uint64_t)key, .b = 1 });
  return scene_take (&scene);
}

static inline MapState *
scene_views (void) {
  return scene_views_given (0);
}
