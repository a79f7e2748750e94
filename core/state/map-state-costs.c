/* SPDX-License-Identifier: GPL-3.0-or-later */

/* map-state-costs.c — what the map's bytes are for, and how long things took
 *
 * Bytes       are those of the engine's own records, whose sizes event.h gives:
 *             buckets that are linked into a table, entries that a table leads
 *             to, versions in a chain. What an engine keeps in reserve, and what
 *             waits for its last reader, is no part of the map and of no event.
 *             An entry's newest version, if it is live, counts with it; all
 *             other versions in chains are those that views may ask for.
 *
 * Durations   are the engine's measurements, as its events carry them; a
 *             recording made without a clock has none. A histogram's quantile is
 *             the upper bound of the place where it falls: never too small.
 */
#include "core/base/histogram.h"
#include "core/state/map-state-private.h"

_Static_assert (STATE_HISTOGRAM_N == HISTOGRAM_N, "one scale for all");

static gsize
array_bytes (const StateArray *array) {
  return array != NULL ? (gsize)array->n_buckets * BUCKET_BYTES : 0;
}

void
map_state_get_memory (const MapState *self,
                      StateMemory    *memory) {
  gsize entry_bytes = ENTRY_BYTES + (self->has_versions ? VERSION_BYTES : 0);

  *memory = (StateMemory){
    .n_live = map_state_n_live (self),
    .n_deleted = self->n_nil + self->n_expunged,
  };
  for (guint i = 0; i < self->n_tables; i++) {
    const StateTable *table = &self->tables[i];
    gsize bytes = array_bytes (table->buckets) + array_bytes (table->oldbuckets);

    switch (table->role) {
    case TABLE_ROLE_ONLY:
    case TABLE_ROLE_SHARD:
    case TABLE_ROLE_READ:
      memory->read += bytes;
      break;
    case TABLE_ROLE_DIRTY:
      memory->dirty += bytes;
      break;
    case TABLE_ROLE_NONE:
    case TABLE_ROLE_SUPERSEDED:
      break;
    }
  }
  if (!self->has_read_and_dirty)
    return;
  memory->entries = memory->n_live * entry_bytes;
  memory->deleted = memory->n_deleted * ENTRY_BYTES;
  /* Between an entry's change and its key's place in a table, one too few. */
  if (self->n_in_chains > memory->n_live)
    memory->versions = (self->n_in_chains - memory->n_live) * VERSION_BYTES;
}

guint64
state_histogram_total (const StateHistogram *histogram) {
  guint64 total = 0;

  for (guint i = 0; i < STATE_HISTOGRAM_N; i++)
    total += histogram->counts[i];
  return total;
}

guint64
state_histogram_quantile (const StateHistogram *histogram,
                          double                q) {
  guint64 total = state_histogram_total (histogram);
  guint64 seen = 0;

  if (total == 0)
    return 0;
  for (guint i = 0; i < STATE_HISTOGRAM_N; i++) {
    seen += histogram->counts[i];
    if (seen > 0 && (double)seen >= q * (double)total)
      return G_GUINT64_CONSTANT (1) << (i + 1);
  }
  return G_GUINT64_CONSTANT (1) << STATE_HISTOGRAM_N;
}
