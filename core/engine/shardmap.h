/* SPDX-License-Identifier: GPL-3.0-or-later */

/* shardmap.h — what only the sharded map can tell */
#pragma once

#include "core/engine/engine.h"

typedef struct {
  uint64_t count;        /* keys; divided by 2^B buckets, the load */
  unsigned B;
  size_t   bytes;
  uint64_t n_hits;       /* look-ups that found their key */
  uint32_t n_read_locks; /* modulo 2^32 */
  uint64_t n_lock_waits;
} ShardStats;

/* @map: of the class "shardmap". Any thread. */
uint32_t shardmap_n_shards        (MapEngine  *map);
/* @shard: below shardmap_n_shards(). Locks it for the look. */
void     shardmap_get_shard_stats (MapEngine  *map,
                                   uint32_t    shard,
                                   ShardStats *stats);
