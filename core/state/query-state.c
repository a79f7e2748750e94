/* SPDX-License-Identifier: GPL-3.0-or-later */

/* query-state.c — what a query can ask of a state
 *
 * Cost        O(tables) or O(locks), whatever the map holds. How long the longest
 *             chain is cannot be read off a header: it is kept while events go
 *             by. Buckets are linked one after another and stay linked until
 *             their array is replaced, so each is looked at once: it lies one
 *             deeper than the one that links to it. A new array has none.
 *
 * Tables      Those that the map leads to: read and dirty, the only one, shards.
 *             One that a promotion has superseded counts no more, although a
 *             reader may still hold it.
 */
#include "core/state/event-query-private.h"
#include "core/state/map-state-private.h"

typedef struct {
  guint16 id;
  guint32 created_ver;
  guint32 n_seen; /* buckets, main ones included */
  guint32 longest;
  GArray *depths; /* of guint32: of each overflow bucket seen */
} TableChains;

static gboolean
is_present (const StateTable *table) {
  return table->role == TABLE_ROLE_ONLY || table->role == TABLE_ROLE_READ
         || table->role == TABLE_ROLE_DIRTY || table->role == TABLE_ROLE_SHARD;
}

/* Chains ------------------------------------------------------------------- */

static void
clear_chains (gpointer data) {
  g_array_unref (((TableChains *)data)->depths);
}

void
overflow_walk_init (OverflowWalk *self) {
  self->tables = g_array_new (FALSE, TRUE, sizeof (TableChains));
  g_array_set_clear_func (self->tables, clear_chains);
}

void
overflow_walk_clear (OverflowWalk *self) {
  g_array_unref (self->tables);
}

static TableChains *
find_chains (OverflowWalk     *self,
             const StateTable *table) {
  TableChains chains = { .id = table->id, .created_ver = table->created_ver };

  for (guint i = self->tables->len; i > 0; i--) {
    TableChains *known = &g_array_index (self->tables, TableChains, i - 1);

    if (known->id == table->id && known->created_ver == table->created_ver)
      return known;
  }
  chains.depths = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_array_append_val (self->tables, chains);
  return &g_array_index (self->tables, TableChains, self->tables->len - 1);
}

/* Looks at the buckets that were linked since the last time. */
static TableChains *
follow_chains (OverflowWalk     *self,
               const StateTable *table) {
  TableChains *chains = find_chains (self, table);
  const StateArray *array = table->buckets;
  guint32 n_main = array != NULL ? array->n_main : 0;
  guint32 n_buckets = array != NULL ? array->n_buckets : 0;

  if (n_buckets == n_main || n_buckets < chains->n_seen
      || chains->n_seen < n_main) {
    g_array_set_size (chains->depths, 0);
    chains->longest = 0;
    chains->n_seen = n_main;
  }
  for (; chains->n_seen < n_buckets; chains->n_seen++) {
    guint32 previous = state_array_record (array, chains->n_seen)->previous;
    guint32 depth = 1;

    if (previous >= n_main && previous < chains->n_seen)
      depth += g_array_index (chains->depths, guint32, previous - n_main);
    g_array_append_val (chains->depths, depth);
    chains->longest = MAX (chains->longest, depth);
  }
  return chains;
}

/* Forgets tables that are gone. */
static void
prune_chains (OverflowWalk   *self,
              const MapState *state) {
  guint n = self->tables->len;

  if (n <= 2 * state->n_tables + 8)
    return;
  for (guint i = n; i > 0; i--) {
    const TableChains *chains = &g_array_index (self->tables, TableChains, i - 1);

    if (map_state_find_table (state, chains->id, chains->created_ver) == NULL)
      g_array_remove_index_fast (self->tables, i - 1);
  }
}

void
overflow_walk_note (OverflowWalk   *self,
                    const Event    *event,
                    const MapState *after) {
  for (guint i = after->n_tables; i > 0; i--)
    if (after->tables[i - 1].id == event->aux16) {
      follow_chains (self, &after->tables[i - 1]);
      break;
    }
  prune_chains (self, after);
}

guint64
overflow_walk_get (OverflowWalk   *self,
                   const MapState *state) {
  guint32 longest = 0;

  for (guint i = 0; i < state->n_tables; i++)
    if (is_present (&state->tables[i]))
      longest = MAX (longest, follow_chains (self, &state->tables[i])->longest);
  return longest;
}

/* Facts -------------------------------------------------------------------- */

/* What several tables come to. */
typedef struct {
  guint   n;
  guint64 count;
  guint64 n_main;
  guint64 n_buckets;
  guint   n_growing;
  guint64 n_evacuated;
  guint64 n_old;
  guint   B;
} TablesSum;

static void
add_table (TablesSum        *sum,
           const StateTable *table) {
  sum->n++;
  sum->count += table->count;
  sum->B = MAX (sum->B, table->B);
  if (table->buckets != NULL) {
    sum->n_main += table->buckets->n_main;
    sum->n_buckets += table->buckets->n_buckets;
  }
  if (table->oldbuckets != NULL) {
    sum->n_growing++;
    sum->n_buckets += table->oldbuckets->n_buckets;
    sum->n_evacuated += table->n_evacuated;
    sum->n_old += table->oldbuckets->n_main;
  }
}

/* The table that gets the new keys: dirty, if there is one; all shards. */
static void
sum_written (const MapState *state,
             TablesSum      *sum) {
  const StateTable *dirty = map_state_table_for (state, TABLE_ROLE_DIRTY);

  if (dirty != NULL) {
    add_table (sum, dirty);
    return;
  }
  for (guint i = 0; i < state->n_tables; i++)
    if (is_present (&state->tables[i]))
      add_table (sum, &state->tables[i]);
}

static void
sum_present (const MapState *state,
             TablesSum      *sum) {
  for (guint i = 0; i < state->n_tables; i++)
    if (is_present (&state->tables[i]))
      add_table (sum, &state->tables[i]);
}

/* FALSE: there is no such table. */
static gboolean
len_of (const QueryNode *node,
        const MapState  *state,
        gint64          *len) {
  gboolean found = FALSE;

  *len = 0;
  for (guint i = 0; i < state->n_tables; i++) {
    const StateTable *table = &state->tables[i];
    gboolean is_it = node->role < 0 ? table->id == node->table
                                    : (int)table->role == node->role;

    if (node->role == TABLE_ROLE_ONLY && table->role == TABLE_ROLE_SHARD)
      is_it = TRUE;
    if (!is_it)
      continue;
    /* Of two with one id, the newer one. */
    *len = (gint64)table->count + (node->role == TABLE_ROLE_ONLY ? *len : 0);
    found = TRUE;
  }
  return found;
}

static gboolean
tables_fact (QueryFact       fact,
             const MapState *state,
             Figure         *figure) {
  TablesSum sum = { 0 };

  if (fact == FACT_BUCKETS || fact == FACT_GROWING)
    sum_present (state, &sum);
  else
    sum_written (state, &sum);
  if (fact == FACT_BUCKETS) {
    figure->whole = (gint64)sum.n_buckets;
  } else if (fact == FACT_GROWING) {
    figure->whole = sum.n_growing;
  } else if (fact == FACT_B) {
    figure->whole = sum.B;
  } else if (fact == FACT_LOAD) {
    figure->is_real = TRUE;
    figure->real = (double)sum.count / (double)MAX (1, sum.n_main);
    return sum.n_main > 0;
  } else {
    figure->is_real = TRUE;
    figure->real = (double)sum.n_evacuated / (double)MAX (1, sum.n_old);
    return sum.n_old > 0;
  }
  return sum.n > 0;
}

static gint64
held_bytes (const MapState *state) {
  StateMemory memory;

  map_state_get_memory (state, &memory);
  return (gint64)(memory.read + memory.dirty + memory.entries + memory.deleted
                  + memory.versions);
}

static gint64
run_fact (QueryFact       fact,
          const MapState *state) {
  gint64 n = 0;

  if (fact == FACT_WAITING)
    for (guint i = 0; i < state->n_threads; i++)
      n += state->threads[i].shown.waits_for >= 0;
  else if (fact == FACT_READERS)
    for (guint i = 0; i < state->n_locks; i++)
      n += state->locks[i].n_readers;
  else if (fact == FACT_HOLDS)
    for (guint i = 0; i < state->n_locks; i++)
      n += state->locks[i].owner != -1;
  else
    for (guint i = 0; i < state->n_iters; i++)
      n += state->iters[i].shown.is_open;
  return n;
}

/* FALSE: there is no such thing in @state. */
gboolean
query_state_fact (const QueryNode *node,
                  const MapState  *state,
                  guint64          overflow,
                  Figure          *figure) {
  switch (node->fact) {
  case FACT_MISSES: figure->whole = (gint64)map_state_misses (state); break;
  case FACT_LEN: return len_of (node, state, &figure->whole);
  case FACT_LIVE: figure->whole = (gint64)map_state_n_live (state); break;
  case FACT_DELETED: figure->whole = (gint64)map_state_n_nil (state); break;
  case FACT_EXPUNGED: figure->whole = (gint64)map_state_n_expunged (state); break;
  case FACT_OVERFLOW: figure->whole = (gint64)overflow; break;
  case FACT_B:
  case FACT_BUCKETS:
  case FACT_LOAD:
  case FACT_GROWING:
  case FACT_EVACUATED: return tables_fact (node->fact, state, figure);
  case FACT_AMENDED: figure->whole = map_state_is_amended (state); break;
  case FACT_WAITING:
  case FACT_READERS:
  case FACT_HOLDS:
  case FACT_RANGES: figure->whole = run_fact (node->fact, state); break;
  case FACT_VIEWS: figure->whole = map_state_n_snapshots (state); break;
  case FACT_HELD: figure->whole = held_bytes (state); break;
  case FACT_PHASE: figure->whole = state->phase; return state->phase >= 0;
  case FACT_KIND:
  case FACT_THREAD:
  case FACT_KEY:
  case FACT_VALUE:
  case FACT_BUCKET:
  case FACT_SLOT:
  case FACT_TABLE:
  case FACT_LOCK:
  case FACT_OP:
  case FACT_NS:
  case FACT_N: return FALSE;
  }
  return TRUE;
}
