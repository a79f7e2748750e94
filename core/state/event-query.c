/* SPDX-License-Identifier: GPL-3.0-or-later */

/* event-query.c — a question about a recording
 *
 * Words       What a name asks, and which kinds of event have it, or can change
 *             it, is one table. From it follows which kinds can match at all and
 *             when a condition on the state needs to be looked at again.
 *
 * Branches    The branches of the outermost "or" are sorted: those that ask of
 *             the state alone are one condition, that matches where it becomes
 *             true; the others match each event for which they hold.
 *
 * Text        The canonical text has one space around each sign and only the
 *             parentheses that it needs.
 */
#include "core/state/event-query-private.h"

#include <string.h>

#define K(NAME) QUERY_KIND_BIT (EVENT_##NAME)

#define OPS_KINDS                                                             \
  (K (OP_BEGAN) | K (OP_ENDED) | K (OP_TOLD) | K (OPS_COUNTED))
#define SLOT_KINDS (K (SLOT_WRITTEN) | K (SLOT_UPDATED) | K (SLOT_CLEARED))
#define ENTRY_KINDS                                                           \
  (K (ENTRY_STORED) | K (ENTRY_DELETED) | K (ENTRY_EXPUNGED)                  \
   | K (ENTRY_UNEXPUNGED))
#define YIELD_KINDS (K (RANGE_YIELDED) | K (SNAPSHOT_GAVE))
#define BUCKET_KINDS                                                          \
  (SLOT_KINDS | K (OVERFLOW_LINKED) | K (BUCKET_EVACUATED) | K (CHAIN_WIPED)  \
   | K (BUCKET_COPIED) | K (RANGE_WALKED))
#define ROLE_KINDS                                                            \
  (K (TABLE_NAMED) | K (READ_PUBLISHED) | K (DIRTY_CREATED)                   \
   | K (DIRTY_COPIED) | K (DIRTY_DROPPED) | K (READ_AMENDED)                  \
   | K (DIRTY_PROMOTED))
#define TABLE_KINDS                                                           \
  (K (TABLE_CREATED) | K (TABLE_ALLOCATED) | K (TABLE_FREED)                  \
   | K (TABLE_CLEARED) | K (TABLE_RESEEDED) | K (TABLE_FLAGS_CHANGED)         \
   | SLOT_KINDS | K (OVERFLOW_LINKED) | K (GROWTH_STARTED)                    \
   | K (BUCKET_EVACUATED) | K (CHAIN_WIPED) | K (EVACUATION_ADVANCED)         \
   | K (GROWTH_ENDED) | K (OVERFLOW_COUNTED) | K (BUCKET_COPIED)              \
   | ROLE_KINDS)
#define VERSION_KINDS                                                         \
  (K (VERSION_WRITTEN) | K (VERSION_STAMPED) | K (VERSION_RETIRED))
#define LOCK_KINDS                                                            \
  (K (LOCK_WAITED) | K (LOCK_ACQUIRED) | K (LOCK_RELEASED)                    \
   | K (LOCK_READ_ACQUIRED) | K (LOCK_READ_RELEASED))
#define RANGE_KINDS                                                           \
  (K (RANGE_BEGAN) | K (RANGE_WALKED) | K (RANGE_ENDED) | K (RANGE_YIELDED))
#define VIEW_KINDS                                                            \
  (K (SNAPSHOT_BEGAN) | K (SNAPSHOT_ENDED) | K (SNAPSHOT_GAVE))

const FactInfo query_facts[FACT_N] = {
  [FACT_KIND] = { "kind", QUERY_ALL_KINDS },
  [FACT_THREAD] = { "thread", QUERY_ALL_KINDS },
  [FACT_KEY] = { "key", K (OP_BEGAN) | K (OP_ENDED) | K (OP_TOLD) | SLOT_KINDS
                            | ENTRY_KINDS | YIELD_KINDS | K (VERSION_WRITTEN)
                            | K (MISUSE_DETECTED) },
  [FACT_VALUE] = { "value", K (OP_BEGAN) | K (OP_ENDED) | SLOT_KINDS
                                | K (ENTRY_STORED) | YIELD_KINDS
                                | K (VERSION_WRITTEN) },
  [FACT_BUCKET] = { "bucket", BUCKET_KINDS },
  [FACT_SLOT] = { "slot", SLOT_KINDS },
  [FACT_TABLE] = { "table", TABLE_KINDS | K (RANGE_BEGAN) | K (RANGE_WALKED)
                                | K (MISUSE_DETECTED) },
  [FACT_LOCK] = { "lock", LOCK_KINDS },
  [FACT_OP] = { "op", OPS_KINDS },
  [FACT_NS] = { "ns", K (OP_ENDED) | K (LOCK_ACQUIRED) | K (LOCK_RELEASED)
                          | K (LOCK_READ_ACQUIRED) | K (LOCK_READ_RELEASED)
                          | K (DIRTY_COPIED) | K (DIRTY_PROMOTED) },

  [FACT_MISSES] = { "misses", K (MISS_COUNTED) | K (MISSES_RESET)
                                  | K (DIRTY_PROMOTED) },
  [FACT_LEN] = { "len", TABLE_KINDS },
  [FACT_LIVE] = { "live", TABLE_KINDS | ENTRY_KINDS },
  [FACT_DELETED] = { "deleted", TABLE_KINDS | ENTRY_KINDS },
  [FACT_EXPUNGED] = { "expunged", TABLE_KINDS | ENTRY_KINDS },
  [FACT_B] = { "B", TABLE_KINDS },
  [FACT_BUCKETS] = { "buckets", TABLE_KINDS },
  [FACT_OVERFLOW] = { "overflow", TABLE_KINDS },
  [FACT_LOAD] = { "load", TABLE_KINDS },
  [FACT_GROWING] = { "growing", TABLE_KINDS },
  [FACT_EVACUATED] = { "evacuated", TABLE_KINDS },
  [FACT_AMENDED] = { "amended", ROLE_KINDS },
  [FACT_WAITING] = { "waiting", LOCK_KINDS },
  [FACT_READERS] = { "readers", LOCK_KINDS },
  [FACT_HOLDS] = { "holds", LOCK_KINDS },
  [FACT_RANGES] = { "ranges", RANGE_KINDS | VIEW_KINDS | K (THREAD_ENDED) },
  [FACT_VIEWS] = { "views", VIEW_KINDS | K (THREAD_ENDED) },
  [FACT_HELD] = { "held", TABLE_KINDS | ENTRY_KINDS | VERSION_KINDS },
  [FACT_PHASE] = { "phase", K (PHASE_BEGAN) },
};

const QueryWord query_kind_words[] = {
  { "promotion", EVENT_DIRTY_PROMOTED }, { "copy", EVENT_DIRTY_COPIED },
  { "growth", EVENT_GROWTH_STARTED },    { "evacuation", EVENT_BUCKET_EVACUATED },
  { "misuse", EVENT_MISUSE_DETECTED },   { NULL, 0 },
};

const QueryWord query_path_words[] = {
  { "ok", OP_PATH_OK },
  { "hit", OP_PATH_IN_READ },
  { "not-in-read", OP_PATH_AMENDED },
  { "locked", OP_PATH_LOCKED },
  { "in-dirty", OP_PATH_IN_DIRTY },
  { "missed", OP_PATH_MISSED },
  { "promoted", OP_PATH_PROMOTED },
  { "copied", OP_PATH_COPIED },
  { "new-key", OP_PATH_NEW_KEY },
  { "grew", OP_PATH_GREW },
  { "moved", OP_PATH_MOVED },
  { "waited", OP_PATH_WAITED },
  { "failed", OP_PATH_ERROR },
  { "in-view", OP_PATH_IN_VIEW },
  { NULL, 0 },
};

const QueryWord query_role_words[] = {
  { "read", TABLE_ROLE_READ },
  { "dirty", TABLE_ROLE_DIRTY },
  { "map", TABLE_ROLE_ONLY },
  { NULL, 0 },
};

/* Text --------------------------------------------------------------------- */

static const char *
word_of (const QueryWord *words,
         guint            number) {
  while (words->name != NULL && words->number != number)
    words++;
  return words->name;
}

/* As many digits as say something, one at least. */
static void
print_real (GString *text,
            double   real) {
  char digits[40];

  g_ascii_formatd (digits, sizeof digits, "%.9f", real);
  g_string_append (text, digits);
  while (g_str_has_suffix (text->str, "0") && !g_str_has_suffix (text->str, ".0"))
    g_string_truncate (text, text->len - 1);
}

static void
print_figure (GString         *text,
              const QueryNode *node,
              const KeyText   *key) {
  if (node->is_key && key != NULL)
    g_string_append_printf (text, "%s%0*" G_GINT64_FORMAT "%s", key->before,
                            key->width, node->figure.whole, key->after);
  else if (!node->figure.is_real)
    g_string_append_printf (text, "%" G_GINT64_FORMAT, node->figure.whole);
  else
    print_real (text, node->figure.real);
}

static void
print_value (GString         *text,
             const QueryNode *node,
             const KeyText   *key) {
  if (node->kind == NODE_NUMBER) {
    print_figure (text, node, key);
  } else if (node->kind == NODE_FACT) {
    g_string_append (text, query_facts[node->fact].name);
    if (node->fact == FACT_LEN && node->role < 0)
      g_string_append_printf (text, "(%u)", node->table);
    else if (node->fact == FACT_LEN)
      g_string_append_printf (text, "(%s)",
                              word_of (query_role_words, (guint)node->role));
  } else {
    print_value (text, node->left, key);
    g_string_append (text, node->kind == NODE_ADD ? " + " : " - ");
    print_value (text, node->right, key);
  }
}

static void
print_comparison (GString         *text,
                  const QueryNode *node,
                  const KeyText   *key) {
  static const char *const signs[] = { "=", "!=", "<", "<=", ">", ">=" };
  const QueryNode *left = node->left;
  gboolean is_op = left->kind == NODE_FACT && left->fact == FACT_OP;
  gboolean is_thread = left->kind == NODE_FACT && left->fact == FACT_THREAD;
  gint64 number = node->right->figure.whole;

  print_value (text, left, key);
  g_string_append_printf (text, " %s ", signs[node->relation]);
  if (is_op)
    g_string_append (text, op_kind_name ((guint)number));
  else if (is_thread && node->right->kind == NODE_NUMBER
           && number == EVENT_THREAD_MAIN)
    g_string_append (text, "main");
  else
    print_value (text, node->right, key);
}

static void print_condition (GString         *text,
                             const QueryNode *node,
                             const KeyText   *key,
                             guint            around);

/* @around: 0 alone or under "or", 1 under "and", 2 under "not". */
static void
print_joined (GString         *text,
              const QueryNode *node,
              const KeyText   *key,
              guint            around) {
  guint own = node->kind == NODE_AND;

  if (around > own)
    g_string_append_c (text, '(');
  print_condition (text, node->left, key, own);
  g_string_append (text, own != 0 ? " and " : " or ");
  /* Reading leans to the left: what leans to the right was in parentheses. */
  print_condition (text, node->right, key,
                   node->right->kind == node->kind ? 2 : own);
  if (around > own)
    g_string_append_c (text, ')');
}

static void
print_kind (GString         *text,
            const QueryNode *node) {
  gboolean is_not = (node->bits & (node->bits - 1)) != 0;
  guint64 bit = is_not ? ~node->bits : node->bits;

  g_string_append_printf (text, "kind %s %s", is_not ? "!=" : "=",
                          event_kind_name ((guint)g_bit_nth_lsf ((gulong)bit, -1)));
}

static void
print_condition (GString         *text,
                 const QueryNode *node,
                 const KeyText   *key,
                 guint            around) {
  switch (node->kind) {
  case NODE_OR:
  case NODE_AND:
    print_joined (text, node, key, around);
    return;
  case NODE_NOT:
    g_string_append (text, "not ");
    print_condition (text, node->left, key, 2);
    return;
  case NODE_COMPARE:
    print_comparison (text, node, key);
    return;
  case NODE_KIND:
    print_kind (text, node);
    return;
  case NODE_PATH:
    g_string_append (text, word_of (query_path_words, (guint)node->bits));
    return;
  case NODE_HOLDS:
    print_value (text, node->left, key);
    return;
  case NODE_NUMBER:
  case NODE_FACT:
  case NODE_ADD:
  case NODE_SUBTRACT:
    return;
  }
}

/* What it asks ------------------------------------------------------------- */

/* Bit per QueryFact. */
static guint64
facts_of (const QueryNode *node) {
  guint64 facts = 0;

  if (node == NULL)
    return 0;
  if (node->kind == NODE_FACT)
    facts = (guint64)1 << node->fact;
  else if (node->kind == NODE_KIND)
    facts = (guint64)1 << FACT_KIND;
  else if (node->kind == NODE_PATH)
    facts = (guint64)1 << FACT_OP;
  return facts | facts_of (node->left) | facts_of (node->right);
}

#define STATE_FACTS (~(((guint64)1 << FACT_FIRST_OF_STATE) - 1))

/* Kinds for which a condition can hold, or a value be there. */
static guint64
kinds_of (const QueryNode *node) {
  switch (node->kind) {
  case NODE_OR:
    return kinds_of (node->left) | kinds_of (node->right);
  case NODE_AND:
  case NODE_COMPARE:
  case NODE_ADD:
  case NODE_SUBTRACT:
    return kinds_of (node->left) & kinds_of (node->right);
  case NODE_KIND:
    return node->bits;
  case NODE_PATH:
    return K (OP_ENDED) | K (OP_TOLD);
  case NODE_FACT:
    return node->fact < FACT_FIRST_OF_STATE ? query_facts[node->fact].kinds
                                            : QUERY_ALL_KINDS;
  case NODE_NOT:
  case NODE_HOLDS:
  case NODE_NUMBER:
    break;
  }
  return QUERY_ALL_KINDS;
}

static QueryNode *
copy_tree (const QueryNode *node) {
  QueryNode *copy;

  if (node == NULL)
    return NULL;
  copy = g_memdup2 (node, sizeof *node);
  copy->left = copy_tree (node->left);
  copy->right = copy_tree (node->right);
  return copy;
}

static void
sort_branches (EventQuery      *self,
               const QueryNode *node) {
  QueryNode **branch;
  guint64 facts;

  if (node->kind == NODE_OR) {
    sort_branches (self, node->left);
    sort_branches (self, node->right);
    return;
  }
  facts = facts_of (node);
  branch = facts != 0 && (facts & ~STATE_FACTS) == 0 ? &self->state
                                                      : &self->events;
  *branch = *branch == NULL
                ? copy_tree (node)
                : query_node_new (NODE_OR, *branch, copy_tree (node));
}

static void
note_kinds (EventQuery *self) {
  guint64 of_state = facts_of (self->state);

  for (guint i = FACT_FIRST_OF_STATE; i < FACT_N; i++)
    if (of_state >> i & 1)
      self->wakes |= query_facts[i].kinds;
  if (query_asks (self, FACT_OVERFLOW))
    self->told |= query_facts[FACT_OVERFLOW].kinds;
  if (query_asks (self, FACT_NS))
    self->told |= K (OP_BEGAN) | K (OP_ENDED) | K (DROPPED);
  if (query_asks (self, FACT_VALUE))
    self->told |= K (TABLE_CREATED);
  self->of_events = self->events != NULL ? kinds_of (self->events) : 0;
  self->kinds = self->state != NULL ? QUERY_ALL_KINDS : self->of_events;
}

/* Life --------------------------------------------------------------------- */

static gboolean
split_key_text (const char *key_text,
                KeyText    *key) {
  const char *percent = key_text != NULL ? strchr (key_text, '%') : NULL;
  const char *end = percent;

  if (percent == NULL)
    return FALSE;
  do
    end++;
  while (g_ascii_isdigit (*end));
  if (*end != 'd')
    return FALSE;
  key->width = (int)CLAMP (g_ascii_strtoll (percent + 1, NULL, 10), 0, 20);
  key->before = g_strndup (key_text, (gsize)(percent - key_text));
  key->after = g_strdup (end + 1);
  return TRUE;
}

EventQuery *
event_query_new (const char *text,
                 const char *key_text,
                 GError    **error) {
  KeyText key = { NULL, NULL, 0 };
  const KeyText *written = split_key_text (key_text, &key) ? &key : NULL;
  QueryNode *root = query_parse (text, written, error);
  EventQuery *self = NULL;

  if (root != NULL) {
    self = g_new0 (EventQuery, 1);
    self->ref_count = 1;
    self->root = root;
    self->facts = facts_of (root);
    self->text = query_print (root, written);
    sort_branches (self, root);
    note_kinds (self);
    /* Written out it may be longer, and it has to be read again. */
    if (!query_check_length (self->text, error))
      g_clear_pointer (&self, event_query_unref);
  }
  g_free (key.before);
  g_free (key.after);
  return self;
}

char *
query_print (const QueryNode *root,
             const KeyText   *key) {
  GString *text = g_string_new (NULL);

  print_condition (text, root, key, 0);
  return g_string_free (text, FALSE);
}

EventQuery *
event_query_ref (EventQuery *self) {
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
event_query_unref (EventQuery *self) {
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  query_node_free (self->root);
  query_node_free (self->state);
  query_node_free (self->events);
  g_free (self->text);
  g_free (self);
}

const char *
event_query_get_text (const EventQuery *self) {
  return self->text;
}

gboolean
event_query_asks_state (const EventQuery *self) {
  return (self->facts & STATE_FACTS) != 0 || query_asks (self, FACT_KEY);
}

guint64
event_query_kinds (const EventQuery *self) {
  return self->kinds;
}

guint64
event_query_kinds_told (const EventQuery *self) {
  return self->of_events | self->told | self->wakes;
}
