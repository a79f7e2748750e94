/* SPDX-License-Identifier: GPL-3.0-or-later */

/* event-query-text.c — a query's text to its tree, and back
 *
 * Reading     By descent, one function for each rule of event-query.h and one
 *             token ahead. Conditions inside each other are counted, so that no
 *             text exhausts the stack.
 *
 * Tokens      A name may hold dashes (dirty-promoted), and a dash may subtract
 *             (misses-live): the longest known word wins. A key as it is written
 *             (k17) is a number that remembers its form.
 *
 * Names       What may stand after "kind =" is a kind, after "op =" an operation;
 *             elsewhere "load" is how full the map is. Each is found in its own
 *             list.
 */
#include "core/state/event-query-private.h"

#include <glib/gi18n.h>
#include <string.h>

/* Conditions inside each other, and a text that nobody types. */
#define MAX_DEPTH 64u
#define MAX_BYTES 4096u

typedef enum {
  TOKEN_END,
  TOKEN_NUMBER,
  TOKEN_NAME,
  TOKEN_RELATION,
  TOKEN_PLUS,
  TOKEN_MINUS,
  TOKEN_OPEN,
  TOKEN_CLOSE,
  TOKEN_OTHER,
} TokenKind;

typedef struct {
  TokenKind   kind;
  const char *at;
  gsize       length;
  Figure      figure;
  gboolean    is_key;
  Relation    relation;
} Token;

typedef struct {
  const char    *text;
  const KeyText *key;
  Token          token; /* the one ahead */
  guint          depth;
  GError        *error; /* the first */
} Reader;

static QueryNode *read_or (Reader *reader);

GQuark
event_query_error_quark (void) {
  return g_quark_from_static_string ("event-query-error");
}

QueryNode *
query_node_new (NodeKind   kind,
                QueryNode *left,
                QueryNode *right) {
  QueryNode *node = g_new0 (QueryNode, 1);

  node->kind = kind;
  node->left = left;
  node->right = right;
  return node;
}

void
query_node_free (QueryNode *node) {
  if (node == NULL)
    return;
  query_node_free (node->left);
  query_node_free (node->right);
  g_free (node);
}

/* Errors ------------------------------------------------------------------- */

static guint
column_of (const Reader *reader,
           const char   *at) {
  return (guint)g_utf8_pointer_to_offset (reader->text, at) + 1;
}

/* Keeps the first error: @wanted at the token ahead. Returns NULL. */
static QueryNode *
refuse (Reader     *reader,
        const char *wanted) {
  const Token *token = &reader->token;
  g_autofree char *found = NULL;

  if (reader->error != NULL)
    return NULL;
  found = token->kind == TOKEN_END
              ? g_strdup (_("the end"))
              : g_strdup_printf ("“%.*s”", (int)token->length, token->at);
  reader->error = g_error_new (EVENT_QUERY_ERROR, 0,
                               _("column %u: wanted %s, found %s"),
                               column_of (reader, token->at), wanted, found);
  return NULL;
}

static QueryNode *
refuse_depth (Reader *reader) {
  return refuse (reader, _("fewer conditions inside each other"));
}

/* Tokens ------------------------------------------------------------------- */

static gboolean
is_name_start (char c) {
  return g_ascii_isalpha (c) || c == '_';
}

static gboolean
is_name_part (char c) {
  return g_ascii_isalnum (c) || c == '_';
}

static gboolean
is_same (const char *word,
         const char *at,
         gsize       length) {
  return strlen (word) == length && g_ascii_strncasecmp (word, at, length) == 0;
}

static gboolean
find_word (const QueryWord *words,
           const char      *at,
           gsize            length,
           guint           *number) {
  for (; words->name != NULL; words++)
    if (is_same (words->name, at, length)) {
      *number = words->number;
      return TRUE;
    }
  return FALSE;
}

static gboolean
find_kind (const char *at,
           gsize       length,
           guint      *kind) {
  for (*kind = 1; *kind < EVENT_TIME; (*kind)++)
    if (is_same (event_kind_name (*kind), at, length))
      return TRUE;
  return find_word (query_kind_words, at, length, kind);
}

static gboolean
find_op (const char *at,
         gsize       length,
         guint      *op) {
  for (*op = 0; *op < OP_N_KINDS; (*op)++)
    if (is_same (op_kind_name (*op), at, length))
      return TRUE;
  return FALSE;
}

static gboolean
find_fact (const char *at,
           gsize       length,
           QueryFact  *fact) {
  for (guint i = 0; i < FACT_N; i++)
    if (is_same (query_facts[i].name, at, length)) {
      *fact = (QueryFact)i;
      return TRUE;
    }
  return FALSE;
}

static gboolean
is_known (const char *at,
          gsize       length) {
  QueryFact fact;
  guint number;

  return find_fact (at, length, &fact) || find_kind (at, length, &number)
         || find_op (at, length, &number)
         || find_word (query_path_words, at, length, &number)
         || find_word (query_role_words, at, length, &number);
}

/* The longest name that is known, else the longest. */
static gsize
name_length (const char *at) {
  gsize length = 0;
  gsize known = 0;

  while (TRUE) {
    while (is_name_part (at[length]))
      length++;
    if (is_known (at, length))
      known = length;
    if (at[length] != '-' || !is_name_start (at[length + 1]))
      break;
    length++;
  }
  return known > 0 ? known : length;
}

/* A key as it is written: "k17". */
static gboolean
take_key (Reader *reader,
          Token  *token) {
  const KeyText *key = reader->key;
  gsize before, after;
  char *end;

  if (key == NULL || *key->before == '\0')
    return FALSE;
  before = strlen (key->before);
  after = strlen (key->after);
  if (strncmp (token->at, key->before, before) != 0)
    return FALSE;
  end = (char *)token->at + before;
  if (!g_ascii_isdigit (*end) && !(*end == '-' && g_ascii_isdigit (end[1])))
    return FALSE;
  token->figure.whole = g_ascii_strtoll (end, &end, 10);
  if (strncmp (end, key->after, after) != 0
      || (after == 0 && is_name_part (*end)))
    return FALSE;
  token->kind = TOKEN_NUMBER;
  token->is_key = TRUE;
  token->length = (gsize)(end - token->at) + after;
  return TRUE;
}

static void
take_number (Token *token) {
  char *end;

  token->kind = TOKEN_NUMBER;
  token->figure.whole = g_ascii_strtoll (token->at, &end, 10);
  if (*end == '.' && g_ascii_isdigit (end[1])) {
    token->figure.real = g_ascii_strtod (token->at, &end);
    /* Larger than any figure of a map: the largest whole one, as without '.'. */
    token->figure.is_real = token->figure.real < (double)G_MAXINT64;
  }
  token->length = (gsize)(end - token->at);
}

static void
take_relation (Token *token) {
  static const struct {
    const char *sign;
    Relation    relation;
  } relations[] = {
    { "!=", IS_NOT_EQUAL }, { "<=", IS_AT_MOST }, { ">=", IS_AT_LEAST },
    { "==", IS_EQUAL },     { "≠", IS_NOT_EQUAL }, { "≤", IS_AT_MOST },
    { "≥", IS_AT_LEAST },   { "=", IS_EQUAL },    { "<", IS_LESS },
    { ">", IS_MORE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (relations); i++)
    if (g_str_has_prefix (token->at, relations[i].sign)) {
      token->kind = TOKEN_RELATION;
      token->relation = relations[i].relation;
      token->length = strlen (relations[i].sign);
      return;
    }
}

static void
advance (Reader *reader) {
  const char *at = reader->token.at + reader->token.length;
  Token *token = &reader->token;

  while (g_ascii_isspace (*at))
    at++;
  *token = (Token){ .kind = TOKEN_OTHER, .at = at };
  if (*at == '\0') {
    token->kind = TOKEN_END;
    return;
  }
  if (take_key (reader, token))
    return;
  if (g_ascii_isdigit (*at)) {
    take_number (token);
    return;
  }
  if (is_name_start (*at)) {
    token->kind = TOKEN_NAME;
    token->length = name_length (at);
    return;
  }
  take_relation (token);
  if (token->kind == TOKEN_RELATION)
    return;
  token->length = (gsize)(g_utf8_next_char (at) - at);
  if (*at == '+')
    token->kind = TOKEN_PLUS;
  else if (*at == '-' || g_str_has_prefix (at, "−"))
    token->kind = TOKEN_MINUS;
  else if (*at == '(')
    token->kind = TOKEN_OPEN;
  else if (*at == ')')
    token->kind = TOKEN_CLOSE;
}

static gboolean
is_word (const Reader *reader,
         const char   *word) {
  return reader->token.kind == TOKEN_NAME
         && is_same (word, reader->token.at, reader->token.length);
}

static gboolean
take_word (Reader     *reader,
           const char *word) {
  if (!is_word (reader, word))
    return FALSE;
  advance (reader);
  return TRUE;
}

/* Values ------------------------------------------------------------------- */

static QueryNode *
read_number (Reader  *reader,
             gboolean is_negative) {
  QueryNode *node = query_node_new (NODE_NUMBER, NULL, NULL);

  node->figure = reader->token.figure;
  node->is_key = reader->token.is_key;
  if (is_negative) {
    node->figure.whole = node->figure.whole == G_MININT64
                             ? G_MAXINT64
                             : -node->figure.whole;
    node->figure.real = -node->figure.real;
  }
  advance (reader);
  return node;
}

/* After "len": ( read ), ( dirty ), ( 3 ). */
static QueryNode *
read_len (Reader *reader) {
  g_autoptr (QueryNode) node = query_node_new (NODE_FACT, NULL, NULL);
  const Token *token = &reader->token;
  guint role;

  node->fact = FACT_LEN;
  if (token->kind != TOKEN_OPEN)
    return refuse (reader, _("“(” after len"));
  advance (reader);
  if (token->kind == TOKEN_NAME
      && find_word (query_role_words, token->at, token->length, &role)) {
    node->role = (int)role;
  } else if (token->kind == TOKEN_NUMBER && !token->figure.is_real
             && token->figure.whole >= 0 && token->figure.whole <= G_MAXUINT16) {
    node->role = -1;
    node->table = (guint16)token->figure.whole;
  } else {
    return refuse (reader, _("read, dirty, map or a table’s number"));
  }
  advance (reader);
  if (token->kind != TOKEN_CLOSE)
    return refuse (reader, _("“)”"));
  advance (reader);
  return g_steal_pointer (&node);
}

static QueryNode *
read_product (Reader *reader) {
  Token *token = &reader->token;
  QueryNode *node;
  QueryFact fact;

  if (token->kind == TOKEN_NUMBER)
    return read_number (reader, FALSE);
  if (token->kind == TOKEN_MINUS) {
    advance (reader);
    if (token->kind == TOKEN_NUMBER && !token->is_key)
      return read_number (reader, TRUE);
  }
  if (take_word (reader, "len"))
    return read_len (reader);
  if (token->kind == TOKEN_NAME
      && find_fact (token->at, token->length, &fact)) {
    node = query_node_new (NODE_FACT, NULL, NULL);
    node->fact = fact;
    advance (reader);
    return node;
  }
  if (token->kind == TOKEN_NAME)
    return refuse (reader, _("a word of the language"));
  return refuse (reader, _("a number or a word"));
}

/* Kinds and operations have names and no order. */
static gboolean
has_names (const QueryNode *node) {
  return node->kind == NODE_FACT
         && (node->fact == FACT_KIND || node->fact == FACT_OP);
}

static QueryNode *
read_value (Reader *reader) {
  g_autoptr (QueryNode) node = read_product (reader);
  const Token *token = &reader->token;

  for (guint n = 0; node != NULL && (token->kind == TOKEN_PLUS
                                     || token->kind == TOKEN_MINUS); n++) {
    NodeKind kind = token->kind == TOKEN_PLUS ? NODE_ADD : NODE_SUBTRACT;
    QueryNode *right;

    if (n >= MAX_DEPTH)
      return refuse_depth (reader);
    advance (reader);
    right = read_product (reader);
    if (right == NULL)
      return NULL;
    if (has_names (node) || has_names (right)) {
      query_node_free (right);
      return refuse (reader, _("numbers to add"));
    }
    node = query_node_new (kind, g_steal_pointer (&node), right);
  }
  return g_steal_pointer (&node);
}

/* Tests -------------------------------------------------------------------- */

/* After "kind =": the name of one. */
static QueryNode *
read_kind_name (Reader  *reader,
                Relation relation) {
  const Token *token = &reader->token;
  QueryNode *node;
  guint kind;

  if (token->kind != TOKEN_NAME
      || !find_kind (token->at, token->length, &kind))
    return refuse (reader, _("the name of a kind"));
  node = query_node_new (NODE_KIND, NULL, NULL);
  node->bits = QUERY_KIND_BIT (kind);
  if (relation == IS_NOT_EQUAL)
    node->bits = ~node->bits;
  advance (reader);
  return node;
}

/* After "op =", in place of a number. */
static QueryNode *
read_op_name (Reader *reader) {
  const Token *token = &reader->token;
  QueryNode *node;
  guint op;

  if (token->kind != TOKEN_NAME || !find_op (token->at, token->length, &op))
    return refuse (reader, _("the name of an operation"));
  node = query_node_new (NODE_NUMBER, NULL, NULL);
  node->figure.whole = op;
  advance (reader);
  return node;
}

/* After "thread =": the main one has a name. */
static QueryNode *
read_thread (Reader *reader) {
  QueryNode *node;

  if (!take_word (reader, "main"))
    return read_value (reader);
  node = query_node_new (NODE_NUMBER, NULL, NULL);
  node->figure.whole = EVENT_THREAD_MAIN;
  return node;
}

static QueryNode *
read_right (Reader          *reader,
            const QueryNode *left) {
  QueryNode *right;

  if (left->kind == NODE_FACT && left->fact == FACT_OP)
    return read_op_name (reader);
  if (left->kind == NODE_FACT && left->fact == FACT_THREAD)
    return read_thread (reader);
  right = read_value (reader);
  if (right != NULL && has_names (right)) {
    query_node_free (right);
    return refuse (reader, _("kinds and operations on the left"));
  }
  return right;
}

static QueryNode *
read_comparison (Reader    *reader,
                 QueryNode *left_taken) {
  g_autoptr (QueryNode) left = left_taken;
  Relation relation = reader->token.relation;
  QueryNode *right;
  QueryNode *node;

  if (has_names (left) && relation != IS_EQUAL && relation != IS_NOT_EQUAL)
    return refuse (reader, _("= or !=, as kinds and operations have no order"));
  advance (reader);
  if (left->kind == NODE_FACT && left->fact == FACT_KIND)
    return read_kind_name (reader, relation);
  right = read_right (reader, left);
  if (right == NULL)
    return NULL;
  node = query_node_new (NODE_COMPARE, g_steal_pointer (&left), right);
  node->relation = relation;
  return node;
}

/* A word by itself that is a kind or a path; NULL: it is neither. */
static QueryNode *
read_lone_word (Reader *reader) {
  const Token *token = &reader->token;
  QueryNode *node = NULL;
  QueryFact fact;
  guint number;

  if (token->kind != TOKEN_NAME || find_fact (token->at, token->length, &fact))
    return NULL;
  if (find_kind (token->at, token->length, &number)) {
    node = query_node_new (NODE_KIND, NULL, NULL);
    node->bits = QUERY_KIND_BIT (number);
  } else if (find_word (query_path_words, token->at, token->length, &number)) {
    node = query_node_new (NODE_PATH, NULL, NULL);
    node->bits = number;
  } else {
    return NULL;
  }
  advance (reader);
  return node;
}

static QueryNode *
read_test (Reader *reader) {
  QueryNode *value = read_lone_word (reader);

  if (value != NULL)
    return value;
  value = read_value (reader);
  if (value == NULL)
    return NULL;
  if (reader->token.kind == TOKEN_RELATION)
    return read_comparison (reader, value);
  if (value->kind == NODE_FACT && value->fact >= FACT_FIRST_OF_STATE)
    return query_node_new (NODE_HOLDS, value, NULL);
  query_node_free (value);
  return refuse (reader, _("something to compare with"));
}

/* Conditions --------------------------------------------------------------- */

/* Of what is already a "not" the rest alone: one meaning, one text. */
static QueryNode *
negate (QueryNode *node) {
  QueryNode *inner = node->left;

  if (node->kind != NODE_NOT)
    return query_node_new (NODE_NOT, node, NULL);
  node->left = NULL;
  query_node_free (node);
  return inner;
}

static QueryNode *
read_term (Reader *reader) {
  gboolean is_not = FALSE;
  QueryNode *node;

  while (take_word (reader, "not"))
    is_not = !is_not;
  if (reader->token.kind != TOKEN_OPEN) {
    node = read_test (reader);
  } else {
    advance (reader);
    node = read_or (reader);
    if (node != NULL && reader->token.kind != TOKEN_CLOSE) {
      query_node_free (node);
      return refuse (reader, _("“)”"));
    }
    if (node != NULL)
      advance (reader);
  }
  return node != NULL && is_not ? negate (node) : node;
}

static gboolean
ends_and (const Reader *reader) {
  return reader->token.kind == TOKEN_END || reader->token.kind == TOKEN_CLOSE
         || is_word (reader, "or");
}

/* A chain of terms leans to the left, so its length is a depth too. */
static QueryNode *
join (Reader    *reader,
      NodeKind   kind,
      QueryNode *left,
      QueryNode *right,
      guint      n) {
  if (right == NULL || n >= MAX_DEPTH) {
    query_node_free (left);
    query_node_free (right);
    return right == NULL ? NULL
                         : refuse_depth (reader);
  }
  return query_node_new (kind, left, right);
}

static QueryNode *
read_and (Reader *reader) {
  QueryNode *node = read_term (reader);

  for (guint n = 0; node != NULL && !ends_and (reader); n++) {
    take_word (reader, "and");
    node = join (reader, NODE_AND, node, read_term (reader), n);
  }
  return node;
}

static QueryNode *
read_or (Reader *reader) {
  QueryNode *node;

  if (++reader->depth > MAX_DEPTH)
    return refuse_depth (reader);
  node = read_and (reader);
  for (guint n = 0; node != NULL && take_word (reader, "or"); n++)
    node = join (reader, NODE_OR, node, read_and (reader), n);
  reader->depth--;
  return node;
}

gboolean
query_check_length (const char *text,
                    GError    **error) {
  if (strlen (text) <= MAX_BYTES)
    return TRUE;
  g_set_error (error, EVENT_QUERY_ERROR, 0,
               _("a query has at most %u bytes of UTF-8"), MAX_BYTES);
  return FALSE;
}

QueryNode *
query_parse (const char    *text,
             const KeyText *key,
             GError       **error) {
  Reader reader = { .text = text, .key = key, .token = { .at = text } };
  g_autoptr (QueryNode) root = NULL;

  if (!query_check_length (text, error))
    return NULL;
  if (!g_utf8_validate (text, -1, NULL)) {
    g_set_error (error, EVENT_QUERY_ERROR, 0,
                 _("a query has at most %u bytes of UTF-8"), MAX_BYTES);
    return NULL;
  }
  advance (&reader);
  root = read_or (&reader);
  if (reader.error == NULL && reader.token.kind != TOKEN_END)
    refuse (&reader, _("“and”, “or” or the end"));
  if (reader.error == NULL)
    return g_steal_pointer (&root);
  g_propagate_error (error, reader.error);
  return NULL;
}
