/* SPDX-License-Identifier: GPL-3.0-or-later */

/* shardmap.c — many small maps, each behind its own lock
 *
 * Idea        Threads that want different keys should not wait for each other. The
 *             keys are dealt out to N shards, each a built-in map behind an
 *             RWMutex (rwmap.c); an operation on a key locks its shard only. N is
 *             64, or 1 to 1024 as EngineConfig.shards says.
 *
 * The deal    A shard is chosen by the map's hash of the key, mixed once more and
 *             scaled to N by one multiplication, so N need not be a power of two.
 *             Mixed, because a table takes the bucket from the low bits and the
 *             tophash from the top byte: were the shard those same bits, all keys
 *             of a shard would share them. The seed of the deal is drawn once; a
 *             table's seed changes when it is cleared. With a bad hash all keys
 *             fall into one shard, and the map is an rwmap again.
 *
 * The whole   No lock covers all shards. Range, Clear and len go from shard to
 *             shard: two keys of different shards may be seen as they never stood
 *             together. len is exact when nobody else is inside.
 *
 * Invariants  H1  a key lies in the shard that its hash says
 *             and W1 …, G1 … of every shard.
 *
 * Events      Domain, lock and table of shard i have the id i. TABLE_NAMED tells
 *             each shard with its index. A Range tells one iteration a shard.
 *
 * Threads     See rwmap.c, once per shard. Never two locks at a time.
 *
 * Source      The common Go idiom (as in orcaman/concurrent-map, whose shards are
 *             chosen by FNV-1a modulo 32); the deal is Tophash's own.
 */

#include "core/engine/shardmap.h"

#include "core/engine/engine-private.h"
#include "core/engine/gomap-engine.h"
#include "core/engine/snapshot-private.h"

static MapEngine *
create (const EngineClass  *klass,
        const EngineConfig *config) {
  uint32_t n_shards = config->shards;

  if (n_shards == 0)
    n_shards = ENGINE_SHARDS_DEFAULT;
  if (n_shards > ENGINE_SHARDS_MAX)
    n_shards = ENGINE_SHARDS_MAX;
  return (MapEngine *)gomap_engine_new (klass, config, &rwmap_locking, n_shards);
}

uint32_t
shardmap_n_shards (MapEngine *map) {
  return ((GoMapEngine *)map)->n_shards;
}

void
shardmap_get_shard_stats (MapEngine  *map,
                          uint32_t    shard,
                          ShardStats *stats) {
  GoMapEngine *self = (GoMapEngine *)map;
  GoShard *looked_at = &self->shards[shard];

  self->locking->lock_hidden (looked_at);
  *stats = (ShardStats){
    .count = (uint64_t)looked_at->table.count,
    .B = looked_at->table.B,
    .bytes = gomap_bytes (&looked_at->table),
    .n_read_locks = sync_rwlock_n_reads (&looked_at->rwlock),
    .n_hits = sync_word_load (&looked_at->n_hits, SYNC_LABEL ("read a counter")),
    .n_lock_waits
    = sync_word_load (&looked_at->n_lock_waits, SYNC_LABEL ("read a counter")),
  };
  self->locking->unlock_hidden (looked_at);
}

const EngineClass shardmap_class = {
  .name = "shardmap",
  .title = "sharded Go map ≤ 1.23 + RWMutex",
  .is_thread_safe = true,
  .has_shards = true,
  .snapshot = &gomap_shards_snapshot_class,
  .create = create,
  .range = rwmap_range,
  GOMAP_ENGINE_OPERATIONS,
};
