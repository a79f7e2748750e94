/* SPDX-License-Identifier: GPL-3.0-or-later */

/* snapshot.c — the part of a snapshot that is the same in every engine
 *
 * State       goes from open to one of the others, once, by compare-and-swap:
 *             whoever cancels meets the owner who finds the end. The owner looks
 *             at it before each step.
 *
 * Events      SNAPSHOT_BEGAN and SNAPSHOT_ENDED, by the owner; in between, where
 *             iterations are told in full, SNAPSHOT_GAVE for each pair. What the
 *             engine walks it tells itself.
 */
#include "core/engine/snapshot.h"

#include "core/engine/snapshot-private.h"
#include "core/probe/probe.h"

static SnapshotState
get_state (const EngineSnapshot *self) {
  return (SnapshotState)sync_word_load (&self->state,
                                        SYNC_LABEL ("load snapshot.state"));
}

static void
leave_open (EngineSnapshot *self,
            SnapshotState   state) {
  uint64_t expected = SNAPSHOT_OPEN;

  sync_word_cas (&self->state, &expected, state,
                 SYNC_LABEL ("CAS snapshot.state from open"));
}

const char *
engine_snapshot_guarantee (const EngineClass *klass) {
  return klass->snapshot != NULL ? klass->snapshot->guarantee : NULL;
}

EngineSnapshot *
engine_snapshot_begin (MapEngine    *map,
                       EngineThread *thread) {
  const struct _SnapshotClass *klass = map->klass->snapshot;
  EngineSnapshot *self;

  if (klass == NULL)
    return NULL;
  probe_restamp ();
  self = klass->begin (map, thread);
  if (self == NULL) {
    thread->error = ENGINE_ERROR_NO_MEMORY;
    return NULL;
  }
  self->map = map;
  self->thread = thread;
  probe_event_more (EVENT_SNAPSHOT_BEGAN, 0, self->id, 0, 0, self->version,
                    self->n_keys);
  return self;
}

bool
engine_snapshot_next (EngineSnapshot *self) {
  if (get_state (self) != SNAPSHOT_OPEN)
    return false;
  probe_restamp ();
  if (self->map->klass->snapshot->next (self)) {
    sync_word_count (&self->n_given, 1, SYNC_LABEL ("count a given pair"));
    probe_snapshot_give (self->id, self->key, self->value);
    return true;
  }
  leave_open (self, SNAPSHOT_WHOLE);
  return false;
}

int64_t
engine_snapshot_key (const EngineSnapshot *self) {
  return self->key;
}

int64_t
engine_snapshot_value (const EngineSnapshot *self) {
  return self->value;
}

void
engine_snapshot_cancel (EngineSnapshot *self) {
  leave_open (self, SNAPSHOT_CANCELLED);
}

void
engine_snapshot_get_info (EngineSnapshot *self,
                          SnapshotInfo   *info) {
  *info = (SnapshotInfo){
    .id = self->id,
    .state = get_state (self),
    .version = self->version,
    .n_keys = self->n_keys,
    .n_given = sync_word_load (&self->n_given, SYNC_LABEL ("read a counter")),
    .n_skipped
    = sync_word_load (&self->n_skipped, SYNC_LABEL ("read a counter")),
  };
  self->map->klass->snapshot->get_cost (self, info);
}

void
engine_snapshot_end (EngineSnapshot *self) {
  MapEngine *map = self->map;
  uint32_t n_given
      = (uint32_t)sync_word_load (&self->n_given, SYNC_LABEL ("read a counter"));
  uint32_t id = self->id;
  SnapshotState state;

  leave_open (self, SNAPSHOT_LEFT);
  state = get_state (self);
  probe_restamp ();
  map->klass->snapshot->end (self);
  probe_event (EVENT_SNAPSHOT_ENDED, n_given, id, (uint8_t)state, 0);
}
