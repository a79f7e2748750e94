/* SPDX-License-Identifier: GPL-3.0-or-later */

/* gomap-snapshot.c — snapshots of the engines that lock their tables
 *
 * Idea        The simplest that is right: copy all pairs while the lock is held,
 *             and give them out later. Taking it costs the writers one walk of
 *             the table, keeping it costs sixteen bytes a pair, and nothing that
 *             happens to the map afterwards can be seen in it. With many shards
 *             each is copied under its own lock, one after another: pairs of one
 *             shard stood together, those of two shards perhaps never.
 *
 * Layout      One piece a shard that has keys, in the order of the shards.
 *
 * Events      Each copy is an iteration: RANGE_BEGAN, RANGE_WALKED by bucket,
 *             RANGE_ENDED, inside the lock.
 *
 * Threads     The copy is the owner's; bytes never changes once it is made.
 */
#include "core/base/alloc.h"
#include "core/engine/gomap-engine.h"
#include "core/engine/snapshot-private.h"
#include "core/probe/probe.h"

typedef struct {
  int64_t key;
  int64_t value;
} Pair;

typedef struct _Piece Piece;
struct _Piece {
  Piece *next;
  size_t n_pairs;
  Pair   pairs[];
};

typedef struct {
  EngineSnapshot base;
  Piece         *pieces;
  Piece         *current; /* NULL: the end */
  size_t         given;   /* pairs of current */
  size_t         bytes;
} TableSnapshot;

static size_t
piece_bytes (size_t n_pairs) {
  return sizeof (Piece) + n_pairs * sizeof (Pair);
}

static void
free_snapshot (TableSnapshot *self) {
  Piece *next;

  for (Piece *piece = self->pieces; piece != NULL; piece = next) {
    next = piece->next;
    alloc_free (piece, piece_bytes (piece->n_pairs));
  }
  alloc_free (self, sizeof *self);
}

/* Lock held. */
static void
copy_pairs (Piece        *piece,
            GoShard      *shard,
            EngineThread *thread,
            uint32_t      id) {
  GoMap *table = &shard->table;
  size_t n = 0;
  GoIter iter;

  gomap_iter_begin (&iter, table, prng_next (&thread->prng), GOMAP_ITER_TELLS,
                    id, shard->domain.version);
  probe_event_more (EVENT_RANGE_BEGAN, (uint32_t)iter.start_bucket, id,
                    iter.offset, table->config.id, (uint64_t)table->count,
                    shard->domain.version);
  while (gomap_iter_next (&iter))
    piece->pairs[n++] = (Pair){ iter.key, gomap_elem_value (iter.elem) };
  gomap_iter_end (&iter);
  probe_restamp ();
  probe_event (EVENT_RANGE_ENDED, (uint32_t)n, id, 0, table->config.id);
}

/* Copies the shard into a piece behind @last; false: no memory. */
static bool
copy_shard (TableSnapshot *self,
            GoMapEngine   *engine,
            GoShard       *shard,
            EngineThread  *thread,
            Piece       ***last) {
  size_t n_pairs;
  Piece *piece = NULL;

  engine->locking->lock (shard, thread, true);
  self->base.version += shard->domain.version;
  n_pairs = (size_t)shard->table.count;
  if (n_pairs > 0) {
    piece = alloc_zeroed (piece_bytes (n_pairs));
    if (piece != NULL) {
      piece->n_pairs = n_pairs;
      copy_pairs (piece, shard, thread, self->base.id);
    }
  }
  engine->locking->unlock (shard, thread, true);
  if (piece == NULL)
    return n_pairs == 0;
  **last = piece;
  *last = &piece->next;
  self->base.n_keys += n_pairs;
  self->bytes += piece_bytes (n_pairs);
  return true;
}

static EngineSnapshot *
begin (MapEngine    *map,
       EngineThread *thread) {
  GoMapEngine *engine = (GoMapEngine *)map;
  TableSnapshot *self = alloc_zeroed (sizeof *self);
  Piece **last;

  if (self == NULL)
    return NULL;
  self->bytes = sizeof *self;
  self->base.id = gomap_number_iterator (&engine->n_iterators);
  last = &self->pieces;
  for (uint32_t i = 0; i < engine->n_shards; i++)
    if (!copy_shard (self, engine, &engine->shards[i], thread, &last)) {
      free_snapshot (self);
      return NULL;
    }
  self->current = self->pieces;
  return &self->base;
}

static bool
next (EngineSnapshot *base) {
  TableSnapshot *self = (TableSnapshot *)base;
  const Pair *pair;

  if (self->current == NULL)
    return false;
  pair = &self->current->pairs[self->given++];
  base->key = pair->key;
  base->value = pair->value;
  if (self->given == self->current->n_pairs) {
    self->current = self->current->next;
    self->given = 0;
  }
  return true;
}

static void
end (EngineSnapshot *base) {
  free_snapshot ((TableSnapshot *)base);
}

static void
get_cost (EngineSnapshot *base,
          SnapshotInfo   *info) {
  info->bytes_held = ((TableSnapshot *)base)->bytes;
}

const struct _SnapshotClass gomap_snapshot_class = {
  "Keys and values as they stood together at one instant: a copy, made while the "
  "lock was held.",
  begin, next, end, get_cost,
};

const struct _SnapshotClass gomap_shards_snapshot_class = {
  "Keys and values of each shard as they stood together at one instant, another "
  "instant for each shard: a copy, made shard by shard.",
  begin, next, end, get_cost,
};
