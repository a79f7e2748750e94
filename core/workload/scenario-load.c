/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scenario-load.c — from JSON to a scenario that can be run
 *
 * What data/scenarios/scenario.schema.json says is enforced here, and beyond it
 * what a schema cannot say (thread groups alike in every phase, keys to draw
 * from). The first thing wrong ends it: an error names the file, the place in
 * the document, what was wanted and what was found.
 *
 * Reader      Getters take a place and a member's name and give the value, or a
 *             default once an error is set, so that reading is one straight
 *             story; the error is looked at in the end.
 *
 * Hostile     json-glib recurses: documents with more than MAX_BRACKETS
 *             opening brackets, strings included, or above MAX_LENGTH bytes are
 *             refused unread. All numbers have bounds, so that sums and
 *             products further on cannot overflow.
 */
#include "core/workload/scenario-private.h"

#include <glib/gi18n-lib.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#define MAX_LENGTH (1024 * 1024)
#define MAX_BRACKETS 4096
#define MAX_KEY ((double)SCENARIO_MAX_WHOLE)

/* A place in the document, linked to what it lies in. */
typedef struct _Place Place;
struct _Place {
  const Place *above;  /* NULL at the top */
  const char  *member; /* NULL: an element */
  guint        index;
};

typedef struct {
  const char *name;
  GError     *error; /* the first one */
} Reader;

static void
append_place (GString     *text,
              const Place *place) {
  if (place == NULL)
    return;
  append_place (text, place->above);
  if (place->member == NULL)
    g_string_append_printf (text, "[%u]", place->index);
  else
    g_string_append_printf (text, "%s%s", text->len > 0 ? "." : "",
                            place->member);
}

static void
refuse (Reader      *reader,
        const Place *place,
        const char  *wanted,
        const char  *found) {
  g_autoptr (GString) where = g_string_new (NULL);

  if (reader->error != NULL)
    return;
  append_place (where, place);
  g_set_error (&reader->error, SCENARIO_ERROR, SCENARIO_ERROR_INVALID,
               _("%s.json: %s%swanted %s, found %s"), reader->name, where->str,
               where->len > 0 ? ": " : "", wanted, found);
}

/* (transfer full): a node in a few words. */
static char *
describe (JsonNode *node) {
  if (node == NULL)
    return g_strdup (_("nothing"));
  switch (json_node_get_node_type (node)) {
  case JSON_NODE_OBJECT:
    return g_strdup (_("an object"));
  case JSON_NODE_ARRAY:
    return g_strdup (_("a list"));
  case JSON_NODE_NULL:
    return g_strdup ("null");
  case JSON_NODE_VALUE:
    break;
  }
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return g_strdup_printf ("“%.80s”", json_node_get_string (node));
  if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return g_strdup (json_node_get_boolean (node) ? "true" : "false");
  return g_strdup_printf ("%.15g", json_node_get_double (node));
}

static void
refuse_node (Reader      *reader,
             const Place *place,
             const char  *wanted,
             JsonNode    *node) {
  g_autofree char *found = describe (node);

  /* A long text may have been cut in the middle of a character. */
  if (!g_utf8_validate (found, -1, NULL)) {
    char *valid = g_utf8_make_valid (found, -1);

    g_free (found);
    found = valid;
  }
  refuse (reader, place, wanted, found);
}

static gboolean
is_number (JsonNode *node) {
  GType type;

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node))
    return FALSE;
  type = json_node_get_value_type (node);
  return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE;
}

static double
get_number (Reader      *reader,
            JsonObject  *object,
            const Place *above,
            const char  *member,
            double       least,
            double       most,
            gboolean     is_whole,
            double       otherwise) {
  Place place = { above, member, 0 };
  JsonNode *node = json_object_get_member (object, member);
  g_autofree char *wanted = NULL;
  double value;

  if (node == NULL)
    return otherwise;
  value = is_number (node) ? json_node_get_double (node) : NAN;
  if (value >= least && value <= most
      && (!is_whole || value == floor (value)))
    return value;
  wanted = is_whole ? g_strdup_printf (_("%.15g to %.15g"), least, most)
                    : g_strdup_printf (_("a number from %.15g to %.15g"), least,
                                       most);
  refuse_node (reader, &place, wanted, node);
  return otherwise;
}

static gboolean
get_boolean (Reader      *reader,
             JsonObject  *object,
             const Place *above,
             const char  *member,
             gboolean     otherwise) {
  Place place = { above, member, 0 };
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL)
    return otherwise;
  if (JSON_NODE_HOLDS_VALUE (node)
      && json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return json_node_get_boolean (node);
  refuse_node (reader, &place, _("true or false"), node);
  return otherwise;
}

/* (transfer full): never NULL when needed. */
static char *
get_text (Reader      *reader,
          JsonObject  *object,
          const Place *above,
          const char  *member,
          gboolean     is_needed) {
  Place place = { above, member, 0 };
  JsonNode *node = json_object_get_member (object, member);
  const char *text;

  if (node == NULL && !is_needed)
    return NULL;
  if (node != NULL && JSON_NODE_HOLDS_VALUE (node)
      && json_node_get_value_type (node) == G_TYPE_STRING) {
    text = json_node_get_string (node);
    if (*text != '\0' && g_utf8_validate (text, -1, NULL))
      return g_strdup (text);
  }
  refuse_node (reader, &place, _("a text"), node);
  return g_strdup ("");
}

/* The place of a text among @n names; 0 when it is missing and not needed. */
static guint
get_choice (Reader      *reader,
            JsonObject  *object,
            const Place *above,
            const char  *member,
            gboolean     is_needed,
            const char *(*name_of) (guint),
            guint        n) {
  Place place = { above, member, 0 };
  g_autofree char *text = get_text (reader, object, above, member, is_needed);
  g_autoptr (GString) names = g_string_new (NULL);
  g_autofree char *wanted = NULL;

  if (text == NULL)
    return 0;
  for (guint i = 0; i < n; i++) {
    if (strcmp (text, name_of (i)) == 0)
      return i;
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", name_of (i));
  }
  wanted = g_strdup_printf (_("one of %s"), names->str);
  refuse_node (reader, &place, wanted,
               json_object_get_member (object, member));
  return 0;
}

/* Borrowed; NULL when missing (and not needed) or refused. */
static JsonArray *
get_list (Reader      *reader,
          JsonObject  *object,
          const Place *place,
          gboolean     is_needed,
          guint        most) {
  JsonNode *node = json_object_get_member (object, place->member);
  g_autofree char *wanted = NULL;
  guint length;

  if (node == NULL && !is_needed)
    return NULL;
  if (node != NULL && JSON_NODE_HOLDS_ARRAY (node)) {
    length = json_array_get_length (json_node_get_array (node));
    if (length <= most && (length > 0 || !is_needed))
      return json_node_get_array (node);
    wanted = g_strdup_printf (_("%d to %u elements"), is_needed ? 1 : 0, most);
    refuse (reader, place, wanted,
            length == 0 ? _("none") : _("more than that"));
    return NULL;
  }
  refuse_node (reader, place, _("a list"), node);
  return NULL;
}

static JsonObject *
get_element (Reader      *reader,
             JsonArray   *list,
             const Place *place) {
  JsonNode *node = json_array_get_element (list, place->index);

  if (JSON_NODE_HOLDS_OBJECT (node))
    return json_node_get_object (node);
  refuse_node (reader, place, _("an object"), node);
  return NULL;
}

/* Refuses members that mean nothing: a misspelt one would be ignored. */
static void
check_members (Reader            *reader,
               JsonObject        *object,
               const Place       *above,
               const char *const *known) {
  g_autoptr (GList) members = json_object_get_members (object);
  g_autofree char *all = g_strjoinv (", ", (char **)known);

  for (GList *at = members; at != NULL; at = at->next) {
    Place place = { above, at->data, 0 };
    g_autofree char *wanted = NULL;

    if (g_strv_contains (known, at->data))
      continue;
    wanted = g_strdup_printf (_("one of %s"), all);
    refuse (reader, &place, wanted, _("a member of another name"));
  }
}

static const char *
name_of_distribution (guint index) {
  return key_distribution_name ((KeyDistribution)index);
}

static const char *
name_of_hash (guint index) {
  return hash_kind_name ((HashKind)index);
}

static const char *
name_of_telling (guint index) {
  return operation_telling_name ((OperationTelling)index);
}

/* What to do when a ring is full. */
static const char *
name_of_overflow (guint index) {
  return index == 0 ? "wait" : "drop";
}

/* What to do on misuse. */
static const char *
name_of_misuse (guint index) {
  return index == 0 ? "stop" : "count";
}

static const char *
name_of_engine (guint index) {
  return engine_classes ()[index]->name;
}

static const char *
name_of_op (guint index) {
  return op_kind_name (index);
}

static void
read_mix (Reader       *reader,
          JsonObject   *group,
          const Place  *above,
          OperationMix *mix) {
  Place place = { above, "mix", 0 };
  JsonNode *node = json_object_get_member (group, "mix");
  const char *known[OPERATION_MIX_N + 1] = { NULL };

  if (node == NULL)
    return;
  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    refuse_node (reader, &place, _("an object"), node);
    return;
  }
  for (guint i = 0; i < OPERATION_MIX_N; i++) {
    known[i] = operation_mix_name (i);
    *operation_mix_share (mix, i)
        = get_number (reader, json_node_get_object (node), &place, known[i],
                      0, 1e6, FALSE, 0);
  }
  check_members (reader, json_node_get_object (node), &place, known);
}

static void
read_keys (Reader      *reader,
           JsonObject  *group,
           const Place *above,
           KeyChoice   *keys) {
  keys->distribution = (KeyDistribution)get_choice (
      reader, group, above, "requestdistribution", FALSE, name_of_distribution,
      KEYS_HOTSPOT + 1);
  keys->zipfianconstant = get_number (reader, group, above, "zipfianconstant",
                                      0.01, 10, FALSE, keys->zipfianconstant);
  keys->hotspotdatafraction
      = get_number (reader, group, above, "hotspotdatafraction", 0, 1, FALSE,
                    keys->hotspotdatafraction);
  keys->hotspotopnfraction
      = get_number (reader, group, above, "hotspotopnfraction", 0, 1, FALSE,
                    keys->hotspotopnfraction);
}

static void
read_group (Reader        *reader,
            JsonObject    *object,
            const Place   *place,
            ScenarioPhase *phase) {
  static const char *const known[] = {
    "role", "count", "target", "rangepause", "mix", "requestdistribution",
    "zipfianconstant", "hotspotdatafraction", "hotspotopnfraction", NULL
  };
  g_autofree char *role = get_text (reader, object, place, "role", TRUE);
  ThreadGroup *group = thread_group_new (role);

  g_ptr_array_add (phase->threads, group);
  group->count = (guint)get_number (reader, object, place, "count", 1,
                                    SCENARIO_MAX_THREADS, TRUE, 1);
  group->target = get_number (reader, object, place, "target", 0, 1e6, FALSE, 0);
  group->rangepause = get_number (reader, object, place, "rangepause", 0, 1000,
                                  FALSE, -1);
  read_mix (reader, object, place, &group->mix);
  read_keys (reader, object, place, &group->keys);
  check_members (reader, object, place, known);
}

static void
read_scripted (Reader        *reader,
               JsonObject    *object,
               const Place   *place,
               ScenarioPhase *phase) {
  static const char *const known[] = { "op", "key", "value", "repeat", "step",
                                       NULL };
  ScriptedOp op = { 0 };

  op.op = (OpKind)get_choice (reader, object, place, "op", TRUE, name_of_op,
                              OP_N_KINDS);
  op.key = (gint64)get_number (reader, object, place, "key", -MAX_KEY, MAX_KEY,
                               TRUE, 0);
  op.value = (gint64)get_number (reader, object, place, "value",
                                 (double)ENGINE_VALUE_MIN,
                                 (double)ENGINE_VALUE_MAX, TRUE, 0);
  op.repeat = (guint)get_number (reader, object, place, "repeat", 1, 1000000,
                                 TRUE, 1);
  op.step = (gint64)get_number (reader, object, place, "step", -1e9, 1e9, TRUE,
                                1);
  check_members (reader, object, place, known);
  g_array_append_val (phase->script, op);
}

static void
read_phase (Reader      *reader,
            JsonObject  *object,
            const Place *place,
            Scenario    *self) {
  static const char *const known[] = { "name", "duration", "operationcount",
                                       "script", "threads", NULL };
  g_autofree char *name = get_text (reader, object, place, "name", TRUE);
  ScenarioPhase *phase = scenario_phase_new (name);
  Place list_place = { place, "threads", 0 };
  Place element = { &list_place, NULL, 0 };
  JsonArray *list;

  g_ptr_array_add (self->phases, phase);
  phase->duration = get_number (reader, object, place, "duration", 0, 86400,
                                FALSE, 0);
  phase->operationcount
      = (guint64)get_number (reader, object, place, "operationcount", 0,
                             (double)SCENARIO_MAX_WHOLE, TRUE, 0);
  list = get_list (reader, object, &list_place, TRUE, SCENARIO_MAX_THREADS);
  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++) {
    JsonObject *group;

    element.index = i;
    group = get_element (reader, list, &element);
    if (group != NULL)
      read_group (reader, group, &element, phase);
  }
  list_place.member = "script";
  list = get_list (reader, object, &list_place, FALSE, SCENARIO_MAX_SCRIPT);
  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++) {
    JsonObject *op;

    element.index = i;
    op = get_element (reader, list, &element);
    if (op != NULL)
      read_scripted (reader, op, &element, phase);
  }
  check_members (reader, object, place, known);
}

static void
read_phases (Reader     *reader,
             JsonObject *root,
             Scenario   *self) {
  Place list_place = { NULL, "phases", 0 };
  JsonArray *list = get_list (reader, root, &list_place, TRUE,
                              SCENARIO_MAX_PHASES);

  for (guint i = 0; list != NULL && i < json_array_get_length (list); i++) {
    Place place = { &list_place, NULL, i };
    JsonObject *object = get_element (reader, list, &place);

    if (object != NULL)
      read_phase (reader, object, &place, self);
  }
}

/* Whether @mix draws from the keys below recordcount. */
static gboolean
draws_keys (const ThreadGroup *group) {
  const OperationMix *mix = &group->mix;

  return group->keys.distribution != KEYS_SEQUENTIAL
         && mix->load + mix->store + mix->load_or_store + mix->load_and_delete
                    + mix->delete_key + mix->swap + mix->compare_and_swap
                    + mix->compare_and_delete
                > 0;
}

/* The same workers in every phase: groups alike by place, role and count. */
static void
check_groups (Reader        *reader,
              const Scenario *self,
              guint           p) {
  const ScenarioPhase *first = g_ptr_array_index (self->phases, 0);
  const ScenarioPhase *phase = g_ptr_array_index (self->phases, p);
  Place phases = { NULL, "phases", 0 };
  Place here = { &phases, NULL, p };
  Place threads = { &here, "threads", 0 };
  guint n_threads = 0;

  if (phase->threads->len != first->threads->len) {
    g_autofree char *wanted = g_strdup_printf (_("%u groups as in phases[0]"),
                                               first->threads->len);
    g_autofree char *found = g_strdup_printf ("%u", phase->threads->len);

    refuse (reader, &threads, wanted, found);
    return;
  }
  for (guint i = 0; i < phase->threads->len; i++) {
    const ThreadGroup *group = g_ptr_array_index (phase->threads, i);
    const ThreadGroup *model = g_ptr_array_index (first->threads, i);
    Place place = { &threads, NULL, i };
    g_autofree char *wanted = g_strdup_printf (
        _("%u of role “%s” as in phases[0]"), model->count, model->role);
    g_autofree char *found = g_strdup_printf (_("%u of role “%s”"), group->count,
                                              group->role);

    n_threads += group->count;
    if (group->count != model->count || strcmp (group->role, model->role) != 0)
      refuse (reader, &place, wanted, found);
    if (self->recordcount == 0 && draws_keys (group))
      refuse (reader, &(Place){ NULL, "recordcount", 0 },
              _("1 or more, since a mix draws from these keys"), "0");
  }
  if (n_threads > SCENARIO_MAX_THREADS) {
    g_autofree char *found = g_strdup_printf ("%u", n_threads);

    refuse (reader, &threads, _("at most 64 threads in all"), found);
  }
}

static void
check_whole (Reader         *reader,
             const Scenario *self) {
  if (!scenario_key_text_is_valid (self->key_text)) {
    g_autofree char *found = g_strdup_printf ("“%s”", self->key_text);

    refuse (reader, &(Place){ NULL, "key-text", 0 },
            _("a text with one %d (or %04d) and no other %"), found);
  }
  for (guint p = 0; reader->error == NULL && p < self->phases->len; p++) {
    const ScenarioPhase *phase = g_ptr_array_index (self->phases, p);
    Place phases = { NULL, "phases", 0 };
    Place place = { &phases, NULL, p };

    check_groups (reader, self, p);
    if (phase->duration <= 0 && phase->operationcount == 0
        && phase->script->len == 0)
      refuse (reader, &place, _("a duration, an operationcount or a script"),
              _("none of them"));
  }
}

static Scenario *
read_root (Reader     *reader,
           JsonObject *root) {
  static const char *const known[] = {
    "$schema", "title", "summary", "watch-for", "learn", "simplified", "engine",
    "hash", "hint", "shards", "seed", "recordcount", "preload", "preload-promoted",
    "key-text", "telling", "history", "overflow", "onmisuse",
    "phases", NULL
  };
  Scenario *self = scenario_new_empty (reader->name);
  guint n_engines = 0;
  guint engine;

  while (engine_classes ()[n_engines] != NULL)
    n_engines++;
  self->title = get_text (reader, root, NULL, "title", TRUE);
  self->summary = get_text (reader, root, NULL, "summary", TRUE);
  self->watch_for = get_text (reader, root, NULL, "watch-for", TRUE);
  self->learn = get_text (reader, root, NULL, "learn", TRUE);
  self->simplified = get_text (reader, root, NULL, "simplified", FALSE);
  engine = get_choice (reader, root, NULL, "engine", TRUE, name_of_engine,
                       n_engines);
  if (engine < n_engines)
    self->engine = g_strdup (name_of_engine (engine));
  self->hash = (HashKind)get_choice (reader, root, NULL, "hash", FALSE,
                                     name_of_hash, HASH_FUNCTION);
  self->hint = (guint64)get_number (reader, root, NULL, "hint", 0,
                                    SCENARIO_MAX_RECORDS, TRUE, 0);
  self->shards = (guint)get_number (reader, root, NULL, "shards", 0,
                                    ENGINE_SHARDS_MAX, TRUE, 0);
  self->seed = (guint64)get_number (reader, root, NULL, "seed", 0,
                                    (double)SCENARIO_MAX_WHOLE, TRUE, 0);
  self->recordcount
      = (guint64)get_number (reader, root, NULL, "recordcount", 0,
                             SCENARIO_MAX_RECORDS, TRUE, 0);
  self->preload = get_boolean (reader, root, NULL, "preload", FALSE);
  self->preload_promoted = get_boolean (reader, root, NULL, "preload-promoted",
                                        FALSE);
  self->key_text = get_text (reader, root, NULL, "key-text", FALSE);
  if (self->key_text == NULL)
    self->key_text = g_strdup ("k%d");
  self->telling = (OperationTelling)get_choice (
      reader, root, NULL, "telling", FALSE, name_of_telling, TELLING_N_KINDS);
  /* The older word for it. */
  if (get_boolean (reader, root, NULL, "history", FALSE))
    self->telling = TELLING_WHOLE;
  self->drops = get_choice (reader, root, NULL, "overflow", FALSE,
                            name_of_overflow, 2) == 1;
  self->stops_on_misuse = get_choice (reader, root, NULL, "onmisuse", FALSE,
                                      name_of_misuse, 2) == 0;
  read_phases (reader, root, self);
  check_members (reader, root, NULL, known);
  if (reader->error == NULL)
    check_whole (reader, self);
  return self;
}

/* Refuses what json-glib should not even see. */
static gboolean
check_text (Reader     *reader,
            const char *json,
            gsize       length) {
  guint n_brackets = 0;

  if (length > MAX_LENGTH) {
    refuse (reader, NULL, _("at most 1 MiB"), _("more"));
    return FALSE;
  }
  for (gsize i = 0; i < length; i++)
    n_brackets += json[i] == '[' || json[i] == '{';
  if (n_brackets > MAX_BRACKETS)
    refuse (reader, NULL, _("at most 4096 brackets"), _("more"));
  else if (!g_utf8_validate (json, (gssize)length, NULL))
    g_set_error (&reader->error, SCENARIO_ERROR, SCENARIO_ERROR_PARSE,
                 _("%s.json: wanted JSON in UTF-8, found other bytes"),
                 reader->name);
  return reader->error == NULL;
}

Scenario *
scenario_new_from_json (const char *json,
                        gssize      length,
                        const char *name,
                        GError    **error) {
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (Scenario) self = NULL;
  g_autoptr (GError) parse_error = NULL;
  Reader reader = { name, NULL };
  gsize size = length < 0 ? strlen (json) : (gsize)length;
  JsonNode *root;

  if (!check_text (&reader, json, size)) {
    g_propagate_error (error, reader.error);
    return NULL;
  }
  if (!json_parser_load_from_data (parser, json, (gssize)size, &parse_error)) {
    const char *text = parse_error->message;

    if (g_str_has_prefix (text, "<data>:"))
      text += strlen ("<data>:");
    g_set_error (error, SCENARIO_ERROR, SCENARIO_ERROR_PARSE,
                 _("%s.json: wanted JSON, found %s"), name, text);
    return NULL;
  }
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    refuse_node (&reader, NULL, _("an object"), root);
  else
    self = read_root (&reader, json_node_get_object (root));
  if (reader.error != NULL) {
    g_propagate_error (error, reader.error);
    return NULL;
  }
  return g_steal_pointer (&self);
}
