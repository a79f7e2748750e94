/* SPDX-License-Identifier: GPL-3.0-or-later */

/* map-state-dump.c — a folded state as the text that engines write of theirs
 *
 * The form is core/probe/dump.h; the order of its parts is the engines': the
 * line of the map (maps with read and dirty), then each table, shards by index:
 * header, buckets, oldbuckets, chain by chain.
 */
#include "core/state/map-state-private.h"

static gboolean
bucket_is_blank (const StateBucket *bucket) {
  guint8 any = 0;

  for (guint slot = 0; slot < BUCKET_SLOTS; slot++)
    any |= bucket->tophash[slot];
  return any == 0 && bucket->overflow == 0;
}

static void
dump_slot (const MapState    *self,
           const StateTable  *table,
           const StateBucket *bucket,
           guint              slot,
           DumpSink          *sink) {
  static const char letters[] = { 'V', 'N', 'X' };
  guint64 elem = bucket->elems[slot];

  if (table->flags_table & TABLE_HOLDS_ENTRIES) {
    StateEntry entry = map_state_entry (self, (guint32)elem);
    guint64 link = entry.newest;
    StateVersion version;

    if ((guint32)link != 0) {
      /* As the engine has it: a value, which is the number of a version. */
      entry.state = ENTRY_VALUE;
      entry.value = (gint64)(guint32)link - 1;
    }
    dump_entry (sink, slot, bucket->keys[slot], (guint32)elem,
                letters[entry.state], entry.version, entry.value);
    while (map_state_next_version (self, &link, &version))
      dump_version (sink, version.id, version.stamp, version.is_deleted,
                    version.value);
  } else {
    dump_value (sink, slot, bucket->keys[slot], (gint64)elem);
  }
}

static void
dump_state_array (const MapState   *self,
                  const StateTable *table,
                  const StateArray *array,
                  const char       *name,
                  DumpSink         *sink) {
  dump_array (sink, name, array != NULL ? array->n_main : 0);
  if (array == NULL)
    return;
  /* Chunks that no event touched hold blank buckets. */
  for (guint32 chain = chunk_vec_next (&array->buckets, 0);
       chain < array->n_main;
       chain = chunk_vec_next (&array->buckets, chain + 1)) {
    guint32 index = chain;

    do {
      const StateBucket *bucket = state_array_bucket (array, index);

      if (!bucket_is_blank (bucket)) {
        dump_bucket (sink, chain, index, bucket->tophash);
        for (guint slot = 0; slot < BUCKET_SLOTS; slot++)
          if (bucket->tophash[slot] >= TOPHASH_MIN)
            dump_slot (self, table, bucket, slot, sink);
      }
      index = bucket->overflow;
    } while (index != 0);
  }
}

static void
dump_state_table (const MapState   *self,
                  const StateTable *table,
                  const char       *name,
                  DumpSink         *sink) {
  if (table == NULL) {
    dump_nil (sink, name);
    return;
  }
  dump_table (sink, name, table->B, table->count,
              table->flags & ~GOMAP_FLAG_HASH_WRITING, table->noverflow,
              table->nevacuate, table->hash0);
  dump_state_array (self, table, table->buckets, "buckets", sink);
  dump_state_array (self, table, table->oldbuckets, "oldbuckets", sink);
}

static void
dump_role (const MapState *self,
           TableRole       role,
           const char     *name,
           DumpSink       *sink) {
  dump_state_table (self, map_state_table_for (self, role), name, sink);
}

static void
dump_shards (const MapState *self,
             guint           n_shards,
             DumpSink       *sink) {
  for (guint i = 0; i < n_shards; i++) {
    g_autofree char *name = g_strdup_printf ("shard %u", i);

    dump_state_table (self, map_state_shard (self, i), name, sink);
  }
}

void
map_state_dump (const MapState *self,
                DumpSink       *sink) {
  guint n_shards = map_state_n_shards (self);

  if (n_shards > 0) {
    dump_shards (self, n_shards, sink);
  } else if (self->has_read_and_dirty) {
    dump_map (sink, self->is_amended != FALSE, self->misses);
    dump_role (self, TABLE_ROLE_READ, "read", sink);
    dump_role (self, TABLE_ROLE_DIRTY, "dirty", sink);
  } else {
    dump_role (self, TABLE_ROLE_ONLY, "table", sink);
  }
}
