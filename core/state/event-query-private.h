/* SPDX-License-Identifier: GPL-3.0-or-later */

/* event-query-private.h — a query as a small tree, and what its words ask */
#pragma once

#include "core/state/event-query.h"

G_BEGIN_DECLS

/* What a name stands for. Those of the event first, then those of the state. */
typedef enum {
  FACT_KIND,
  FACT_THREAD,
  FACT_KEY,
  FACT_VALUE,
  FACT_BUCKET,
  FACT_SLOT,
  FACT_TABLE,
  FACT_LOCK,
  FACT_OP,
  FACT_NS,

  FACT_MISSES,
  FACT_LEN, /* of a table */
  FACT_LIVE,
  FACT_DELETED,
  FACT_EXPUNGED,
  FACT_B,
  FACT_BUCKETS,
  FACT_OVERFLOW,
  FACT_LOAD,
  FACT_GROWING,
  FACT_EVACUATED,
  FACT_AMENDED,
  FACT_WAITING,
  FACT_READERS,
  FACT_HOLDS,
  FACT_RANGES,
  FACT_VIEWS,
  FACT_HELD,
  FACT_PHASE,
  FACT_N
} QueryFact;
#define FACT_FIRST_OF_STATE FACT_MISSES

#define QUERY_ALL_KINDS G_MAXUINT64
#define QUERY_KIND_BIT(kind) ((guint64)1 << (kind))

typedef struct {
  const char *name;
  guint64     kinds; /* of an event: those that have it; of the state: those
                      * that can change it */
} FactInfo;

extern const FactInfo query_facts[FACT_N];

/* Other words for a kind, and those for a path. */
typedef struct {
  const char *name;
  guint       number;
} QueryWord;

extern const QueryWord query_kind_words[]; /* ended by a NULL name */
extern const QueryWord query_path_words[]; /* numbers are OpPath bits */
extern const QueryWord query_role_words[]; /* numbers are TableRole */

typedef enum {
  NODE_OR,
  NODE_AND,
  NODE_NOT,      /* of left */
  NODE_COMPARE,  /* left with right */
  NODE_KIND,     /* the kind's bit is in bits */
  NODE_PATH,     /* an operation ended, with the path bit in bits */
  NODE_HOLDS,    /* a fact of the state that is not 0 */
  /* values */
  NODE_NUMBER,
  NODE_FACT,
  NODE_ADD,
  NODE_SUBTRACT,
} NodeKind;

typedef enum {
  IS_EQUAL,
  IS_NOT_EQUAL,
  IS_LESS,
  IS_AT_MOST,
  IS_MORE,
  IS_AT_LEAST,
} Relation;

/* A whole number as long as it can be one: keys are not rounded. */
typedef struct {
  gboolean is_real;
  gint64   whole;
  double   real;
} Figure;

typedef struct _QueryNode QueryNode;
struct _QueryNode {
  NodeKind   kind;
  Relation   relation;
  QueryFact  fact;
  gboolean   is_key;   /* a number that was typed as a key */
  int        role;     /* TableRole of len(); -1: the table whose id is table */
  guint16    table;
  guint64    bits;
  Figure     figure;
  QueryNode *left;
  QueryNode *right;
};

QueryNode *query_node_new   (NodeKind   kind,
                             QueryNode *left,
                             QueryNode *right);
void       query_node_free  (QueryNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (QueryNode, query_node_free)

/* How keys are written: before, digits, after. */
typedef struct {
  char *before;
  char *after;
  int   width;
} KeyText;

struct _EventQuery {
  gint       ref_count;
  char      *text;
  QueryNode *root;
  QueryNode *state;    /* the branches that ask of the state alone; NULL: none */
  QueryNode *events;   /* the others */
  guint64    facts;    /* bit per QueryFact that is asked */
  guint64    kinds;    /* that can match */
  guint64    of_events; /* those for which events can hold */
  guint64    told;     /* kinds that a walk wants to see to remember them */
  guint64    wakes;    /* kinds after which state may hold anew */
};

static inline gboolean
query_asks (const EventQuery *self,
            QueryFact         fact) {
  return (self->facts >> fact & 1) != 0;
}

/* event-query-text.c: text to tree and back. @key (nullable). */
QueryNode *query_parse (const char     *text,
                        const KeyText  *key,
                        GError        **error);
char      *query_print (const QueryNode *root,
                        const KeyText   *key);
/* FALSE: @text is longer than what is read. */
gboolean   query_check_length (const char  *text,
                               GError     **error);

/* query-state.c: the longest chain's overflow buckets, kept from event to event. */
typedef struct {
  GArray *tables;
} OverflowWalk;

/* FALSE: @state has no such thing. */
gboolean query_state_fact (const QueryNode *node,
                           const MapState  *state,
                           guint64          overflow,
                           Figure          *figure);

void     overflow_walk_init  (OverflowWalk   *self);
void     overflow_walk_clear (OverflowWalk   *self);
/* Takes in what @event linked. */
void     overflow_walk_note  (OverflowWalk   *self,
                              const Event    *event,
                              const MapState *after);
guint64  overflow_walk_get   (OverflowWalk   *self,
                              const MapState *state);

G_END_DECLS
