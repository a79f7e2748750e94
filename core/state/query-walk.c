/* SPDX-License-Identifier: GPL-3.0-or-later */

/* query-walk.c — a query held against one event after another
 *
 * Idea        Most events are passed over by their kind alone: one bit. The rest
 *             go down a small tree. A condition on the state is looked at again
 *             only after an event of a kind that can change it, and matches when
 *             it was not so before.
 *
 * Memory      Of each thread, when the operation under way truly began; which
 *             tables hold entries, whose slots tell no value. The key of an
 *             entry, of a cleared slot, of an operation that ended stands in the
 *             state: the fold keeps it there.
 *
 * Absent      What an event or a state has not fails every test: an event without
 *             a key has none that differs from k17 either.
 */
#include "core/state/event-query-private.h"
#include "core/state/map-state-private.h"

#include <string.h>

typedef struct {
  gboolean in_op;
  gint64   began_ns;
} ThreadOp;

struct _QueryWalk {
  EventQuery  *query;
  gboolean     has_begun;
  gboolean     held; /* the condition on the state, after the last event */
  GArray      *ops;  /* of ThreadOp: the main thread's, then by index */
  guint8      *holds_entries; /* a bit per table id; NULL: not asked */
  OverflowWalk overflow;
};

/* What one event is judged by. */
typedef struct {
  QueryWalk      *walk;
  const Event    *event;
  const MapState *after;
  gboolean        has_overflow;
  guint64         overflow;
} Look;

QueryWalk *
query_walk_new (EventQuery *query) {
  QueryWalk *walk = g_new0 (QueryWalk, 1);

  walk->query = event_query_ref (query);
  walk->ops = g_array_new (FALSE, TRUE, sizeof (ThreadOp));
  overflow_walk_init (&walk->overflow);
  if (query_asks (query, FACT_VALUE))
    walk->holds_entries = g_new0 (guint8, (G_MAXUINT16 + 1) / 8);
  return walk;
}

void
query_walk_free (QueryWalk *walk) {
  if (walk == NULL)
    return;
  event_query_unref (walk->query);
  g_array_unref (walk->ops);
  g_free (walk->holds_entries);
  overflow_walk_clear (&walk->overflow);
  g_free (walk);
}

static ThreadOp *
find_op (QueryWalk   *walk,
         const Event *event) {
  guint place = event->thread == EVENT_THREAD_MAIN ? 0 : event->thread + 1u;

  if (place >= walk->ops->len)
    g_array_set_size (walk->ops, place + 1);
  return &g_array_index (walk->ops, ThreadOp, place);
}

void
query_walk_begin (QueryWalk      *walk,
                  const MapState *state) {
  Event event = { .kind = EVENT_NONE };

  for (guint i = 0; i < state->n_threads; i++) {
    const StateThread *thread = &state->threads[i].shown;

    event.thread = thread->thread;
    *find_op (walk, &event) = (ThreadOp){ thread->in_op, thread->op_began_ns };
  }
  for (guint i = 0; walk->holds_entries != NULL && i < state->n_tables; i++)
    if (state->tables[i].flags_table & TABLE_HOLDS_ENTRIES)
      walk->holds_entries[state->tables[i].id / 8] |=
          (guint8)(1u << state->tables[i].id % 8);
  walk->has_begun = FALSE;
  walk->held = FALSE;
  query_walk_matches (walk, &event, state);
}

/* Facts of the event ------------------------------------------------------- */

static gboolean
op_has_key (guint op) {
  return op < OP_RANGE;
}

static const StateThread *
find_thread (const MapState *state,
             guint16         thread) {
  for (guint i = 0; i < state->n_threads; i++)
    if (state->threads[i].shown.thread == thread)
      return &state->threads[i].shown;
  return NULL;
}

/* The fold leaves a cleared slot's key where it was. */
static gboolean
cleared_key (const Event    *event,
             const MapState *after,
             gint64         *key) {
  for (guint i = after->n_tables; i > 0; i--) {
    const StateTable *table = &after->tables[i - 1];

    if (table->id != event->aux16)
      continue;
    if (table->buckets == NULL
        || event->res / BUCKET_SLOTS >= table->buckets->n_buckets)
      return FALSE;
    *key = state_array_bucket (table->buckets, event->res / BUCKET_SLOTS)
               ->keys[event->res % BUCKET_SLOTS];
    return TRUE;
  }
  return FALSE;
}

static gboolean
key_of (const Look *look,
        gint64     *key) {
  const Event *event = look->event;
  const StateThread *thread;
  StateEntry entry;

  *key = (gint64)event->a;
  switch ((EventKind)event->kind) {
  case EVENT_OP_BEGAN:
    return op_has_key (event->aux8);
  case EVENT_OP_TOLD:
    *key = event_told_key (event);
    return op_has_key (event->aux8);
  case EVENT_SLOT_WRITTEN:
  case EVENT_SLOT_UPDATED:
  case EVENT_RANGE_YIELDED:
  case EVENT_SNAPSHOT_GAVE:
    return TRUE;
  case EVENT_MISUSE_DETECTED:
    return event->ver > 0 && op_has_key (event->ver - 1);
  case EVENT_VERSION_WRITTEN:
    *key = (gint64)event->b;
    return TRUE;
  case EVENT_OP_ENDED:
    if (look->after == NULL || !op_has_key (event->aux8))
      return FALSE;
    thread = find_thread (look->after, event->thread);
    *key = thread != NULL ? thread->key : 0;
    return thread != NULL && thread->op_began_ns >= 0;
  case EVENT_SLOT_CLEARED:
    return look->after != NULL && cleared_key (event, look->after, key);
  case EVENT_ENTRY_STORED:
  case EVENT_ENTRY_DELETED:
  case EVENT_ENTRY_EXPUNGED:
  case EVENT_ENTRY_UNEXPUNGED:
    if (look->after == NULL)
      return FALSE;
    entry = map_state_entry (look->after, event->res);
    *key = entry.key;
    return entry.is_known;
  case EVENT_NONE:
  case EVENT_THREAD_STARTED:
  case EVENT_THREAD_ENDED:
  case EVENT_PHASE_BEGAN:
  case EVENT_OPS_COUNTED:
  case EVENT_DROPPED:
  case EVENT_TABLE_CREATED:
  case EVENT_TABLE_ALLOCATED:
  case EVENT_TABLE_FREED:
  case EVENT_TABLE_CLEARED:
  case EVENT_TABLE_RESEEDED:
  case EVENT_TABLE_FLAGS_CHANGED:
  case EVENT_OVERFLOW_LINKED:
  case EVENT_GROWTH_STARTED:
  case EVENT_BUCKET_EVACUATED:
  case EVENT_CHAIN_WIPED:
  case EVENT_EVACUATION_ADVANCED:
  case EVENT_GROWTH_ENDED:
  case EVENT_OVERFLOW_COUNTED:
  case EVENT_BUCKET_COPIED:
  case EVENT_TABLE_NAMED:
  case EVENT_READ_PUBLISHED:
  case EVENT_DIRTY_CREATED:
  case EVENT_DIRTY_COPIED:
  case EVENT_DIRTY_DROPPED:
  case EVENT_READ_AMENDED:
  case EVENT_MISS_COUNTED:
  case EVENT_DIRTY_PROMOTED:
  case EVENT_MISSES_RESET:
  case EVENT_LOCK_WAITED:
  case EVENT_LOCK_ACQUIRED:
  case EVENT_LOCK_RELEASED:
  case EVENT_LOCK_READ_ACQUIRED:
  case EVENT_LOCK_READ_RELEASED:
  case EVENT_RANGE_BEGAN:
  case EVENT_RANGE_WALKED:
  case EVENT_RANGE_ENDED:
  case EVENT_SNAPSHOT_BEGAN:
  case EVENT_SNAPSHOT_ENDED:
  case EVENT_VERSION_STAMPED:
  case EVENT_VERSION_RETIRED:
  case EVENT_WRITE_BARRIER:
  case EVENT_TIME:
  case EVENT_N_KINDS:
    break;
  }
  return FALSE;
}

static gboolean
value_of (const Look *look,
          gint64     *value) {
  const Event *event = look->event;
  const guint8 *holds_entries = look->walk->holds_entries;

  if (event->kind == EVENT_OP_ENDED || event->kind == EVENT_VERSION_WRITTEN
      || event->kind == EVENT_ENTRY_STORED) {
    *value = (gint64)event->a;
    return event->kind != EVENT_ENTRY_STORED || look->after == NULL
           || !look->after->has_versions;
  }
  *value = (gint64)event->b;
  if (event->kind == EVENT_SLOT_WRITTEN || event->kind == EVENT_SLOT_UPDATED)
    return (holds_entries[event->aux16 / 8] >> event->aux16 % 8 & 1) == 0;
  return event->kind == EVENT_OP_BEGAN || event->kind == EVENT_RANGE_YIELDED
         || event->kind == EVENT_SNAPSHOT_GAVE;
}

/* How long what ended with the event took. */
static gboolean
ns_of (const Look *look,
       gint64     *ns) {
  const Event *event = look->event;

  if (event->kind == EVENT_OP_ENDED) {
    const ThreadOp *op = find_op (look->walk, event);

    *ns = MAX (0, event->at_ns - (gint64)event->ver - op->began_ns);
    return op->in_op;
  }
  *ns = (gint64)(event->kind == EVENT_LOCK_RELEASED
                         || event->kind == EVENT_LOCK_READ_RELEASED
                         || event->kind == EVENT_LOCK_READ_ACQUIRED
                     ? event->a
                     : event->b);
  return *ns != 0;
}

static gboolean
event_fact (const Look *look,
            QueryFact   fact,
            Figure     *figure) {
  const Event *event = look->event;

  if (event->kind >= EVENT_N_KINDS
      || !(query_facts[fact].kinds & QUERY_KIND_BIT (event->kind)))
    return FALSE;
  switch (fact) {
  case FACT_KIND: figure->whole = event->kind; return TRUE;
  case FACT_THREAD: figure->whole = event->thread; return TRUE;
  case FACT_KEY: return key_of (look, &figure->whole);
  case FACT_VALUE: return value_of (look, &figure->whole);
  case FACT_BUCKET:
    figure->whole = event->res & ~RANGE_OLD_BUCKET;
    if (event->kind == EVENT_SLOT_WRITTEN || event->kind == EVENT_SLOT_UPDATED
        || event->kind == EVENT_SLOT_CLEARED)
      figure->whole = event->res / BUCKET_SLOTS;
    return TRUE;
  case FACT_SLOT: figure->whole = event->res % BUCKET_SLOTS; return TRUE;
  case FACT_TABLE: figure->whole = event->aux16; return TRUE;
  case FACT_LOCK: figure->whole = event->res; return TRUE;
  case FACT_OP: figure->whole = event->aux8; return TRUE;
  case FACT_NS: return ns_of (look, &figure->whole);
  case FACT_MISSES:
  case FACT_LEN:
  case FACT_LIVE:
  case FACT_DELETED:
  case FACT_EXPUNGED:
  case FACT_B:
  case FACT_BUCKETS:
  case FACT_OVERFLOW:
  case FACT_LOAD:
  case FACT_GROWING:
  case FACT_EVACUATED:
  case FACT_AMENDED:
  case FACT_WAITING:
  case FACT_READERS:
  case FACT_HOLDS:
  case FACT_RANGES:
  case FACT_VIEWS:
  case FACT_HELD:
  case FACT_PHASE:
  case FACT_N:
    break;
  }
  return FALSE;
}

/* The tree ----------------------------------------------------------------- */

static double
real_of (const Figure *figure) {
  return figure->is_real ? figure->real : (double)figure->whole;
}

/* Sums end at the ends of their range. */
static void
add_figures (const QueryNode *node,
             const Figure    *a,
             const Figure    *b,
             Figure          *sum) {
  gboolean is_add = node->kind == NODE_ADD;

  if (a->is_real || b->is_real) {
    sum->is_real = TRUE;
    sum->real = real_of (a) + (is_add ? real_of (b) : -real_of (b));
  } else if (is_add ? __builtin_add_overflow (a->whole, b->whole, &sum->whole)
                    : __builtin_sub_overflow (a->whole, b->whole, &sum->whole)) {
    sum->whole = a->whole < 0 ? G_MININT64 : G_MAXINT64;
  }
}

static gboolean
figure_of (Look            *look,
           const QueryNode *node,
           Figure          *figure) {
  Figure a = { 0 };
  Figure b = { 0 };

  if (node->kind == NODE_NUMBER) {
    *figure = node->figure;
    return TRUE;
  }
  if (node->kind == NODE_FACT && node->fact < FACT_FIRST_OF_STATE)
    return event_fact (look, node->fact, figure);
  if (node->kind == NODE_FACT) {
    if (look->after == NULL)
      return FALSE;
    if (node->fact == FACT_OVERFLOW && !look->has_overflow) {
      look->overflow = overflow_walk_get (&look->walk->overflow, look->after);
      look->has_overflow = TRUE;
    }
    return query_state_fact (node, look->after, look->overflow, figure);
  }
  if (!figure_of (look, node->left, &a) || !figure_of (look, node->right, &b))
    return FALSE;
  add_figures (node, &a, &b, figure);
  return TRUE;
}

static gboolean
compare (Look            *look,
         const QueryNode *node) {
  Figure a = { 0 };
  Figure b = { 0 };
  int order;

  if (!figure_of (look, node->left, &a) || !figure_of (look, node->right, &b))
    return FALSE;
  if (a.is_real || b.is_real)
    order = (real_of (&a) > real_of (&b)) - (real_of (&a) < real_of (&b));
  else
    order = (a.whole > b.whole) - (a.whole < b.whole);
  switch (node->relation) {
  case IS_EQUAL: return order == 0;
  case IS_NOT_EQUAL: return order != 0;
  case IS_LESS: return order < 0;
  case IS_AT_MOST: return order <= 0;
  case IS_MORE: return order > 0;
  case IS_AT_LEAST: return order >= 0;
  }
  return FALSE;
}

static gboolean
holds (Look            *look,
       const QueryNode *node) {
  const Event *event = look->event;
  Figure figure = { 0 };

  switch (node->kind) {
  case NODE_OR: return holds (look, node->left) || holds (look, node->right);
  case NODE_AND: return holds (look, node->left) && holds (look, node->right);
  case NODE_NOT: return !holds (look, node->left);
  case NODE_COMPARE: return compare (look, node);
  case NODE_KIND: return (node->bits >> (event->kind & 63) & 1) != 0;
  case NODE_PATH:
    return (event->kind == EVENT_OP_ENDED || event->kind == EVENT_OP_TOLD)
           && (event->aux16 & node->bits) != 0;
  case NODE_HOLDS:
    return figure_of (look, node->left, &figure) && real_of (&figure) != 0;
  case NODE_NUMBER:
  case NODE_FACT:
  case NODE_ADD:
  case NODE_SUBTRACT: break;
  }
  return FALSE;
}

void
query_walk_note (QueryWalk   *walk,
                 const Event *event) {
  if (event->kind == EVENT_OP_BEGAN)
    *find_op (walk, event)
        = (ThreadOp){ TRUE, event->at_ns - (gint64)event->res };
  else if (event->kind == EVENT_DROPPED)
    find_op (walk, event)->in_op = FALSE;
}

static void
remember (QueryWalk      *walk,
          const Event    *event,
          const MapState *after) {
  if (walk->holds_entries != NULL && event->kind == EVENT_TABLE_CREATED) {
    guint8 bit = (guint8)(1u << event->aux16 % 8);

    walk->holds_entries[event->aux16 / 8] &= (guint8)~bit;
    if (event->res & TABLE_HOLDS_ENTRIES)
      walk->holds_entries[event->aux16 / 8] |= bit;
  }
  if (after != NULL && query_asks (walk->query, FACT_OVERFLOW)
      && (query_facts[FACT_OVERFLOW].kinds >> event->kind & 1))
    overflow_walk_note (&walk->overflow, event, after);
  query_walk_note (walk, event);
}

gboolean
query_walk_matches (QueryWalk      *walk,
                    const Event    *event,
                    const MapState *after) {
  const EventQuery *query = walk->query;
  Look look = { .walk = walk, .event = event, .after = after };
  guint64 bit;
  gboolean matches = FALSE;

  if (event->kind >= EVENT_N_KINDS)
    return FALSE;
  bit = QUERY_KIND_BIT (event->kind);
  if (query->told & bit)
    remember (walk, event, after);
  if (query->events != NULL && (query->of_events & bit))
    matches = holds (&look, query->events);
  if (query->state != NULL && ((query->wakes & bit) || !walk->has_begun)) {
    gboolean now = holds (&look, query->state);

    matches = matches || (now && !walk->held);
    walk->held = now;
  }
  walk->has_begun = TRUE;
  if (event->kind == EVENT_OP_ENDED && (query->told & bit))
    find_op (walk, event)->in_op = FALSE;
  return matches;
}
