/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-step-load.c — a stepped scenario from its JSON
 *
 * Format      {
 *               "engine": "syncmap",
 *               "hash": "good",              names as in scenarios; may be absent
 *               "seed": 1,                   may be absent
 *               "mutant": 0,                 may be absent; core/base/mutant.h
 *               "promoted": true,            a Range after the preload, or absent
 *               "preload": [[0, 10], [1, 11]],            key, value; or absent
 *               "workers": [
 *                 [{"op": "store", "key": 0, "value": 20}, {"op": "range"}],
 *                 [{"op": "compare-and-swap", "key": 0, "old": 10, "value": 30}]
 *               ]
 *             }
 *             A member that is not known is an error: a slip of the pen must not
 *             change what is tried.
 */
#include "app/cli/cli-step.h"
#include "core/engine/engine.h"
#include "core/workload/scenario.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <string.h>

typedef struct {
  StepScenario *scenario;
  GError      **error;
} Loader;

G_GNUC_PRINTF (2, 3) static gboolean
wrong (Loader     *self,
       const char *format,
       ...) {
  va_list args;

  va_start (args, format);
  g_clear_error (self->error);
  if (self->error != NULL)
    *self->error = g_error_new_valist (SCENARIO_ERROR, SCENARIO_ERROR_INVALID,
                                       format, args);
  va_end (args);
  return FALSE;
}

static gboolean
knows_members (Loader            *self,
               JsonObject        *object,
               const char        *place,
               const char *const *known) {
  g_autoptr (GList) members = json_object_get_members (object);

  for (GList *at = members; at != NULL; at = at->next)
    if (!g_strv_contains (known, at->data))
      return wrong (self, _("%s: there is no member “%s”"), place,
                    (const char *)at->data);
  return TRUE;
}

/* An absent member leaves *value as it is. */
static gboolean
read_number (Loader     *self,
             JsonObject *object,
             const char *place,
             const char *member,
             gint64      least,
             gint64      most,
             gint64     *value) {
  JsonNode *node = json_object_get_member (object, member);

  if (node == NULL)
    return TRUE;
  if (json_node_get_value_type (node) != G_TYPE_INT64
      || json_node_get_int (node) < least || json_node_get_int (node) > most)
    return wrong (self,
                  _("%s.%s: wanted a whole number from %" PRId64
                    " to %" PRId64),
                  place, member, least, most);
  *value = json_node_get_int (node);
  return TRUE;
}

static gboolean
read_text (Loader      *self,
           JsonObject  *object,
           const char  *place,
           const char  *member,
           const char **text) {
  JsonNode *node = json_object_get_member (object, member);

  if (node != NULL && json_node_get_value_type (node) != G_TYPE_STRING)
    return wrong (self, _("%s.%s: wanted a text"), place, member);
  *text = node != NULL ? json_node_get_string (node) : NULL;
  return TRUE;
}

static gboolean
read_op (Loader     *self,
         JsonNode   *node,
         const char *place,
         StepOp     *op) {
  static const char *const known[] = { "op", "key", "value", "old", NULL };
  const char *name = NULL;
  JsonObject *object;

  if (!JSON_NODE_HOLDS_OBJECT (node))
    return wrong (self, _("%s: wanted an operation"), place);
  object = json_node_get_object (node);
  if (!knows_members (self, object, place, known)
      || !read_text (self, object, place, "op", &name)
      || !read_number (self, object, place, "key", G_MININT64 + 1,
                       G_MAXINT64 - 1, &op->key)
      || !read_number (self, object, place, "value", ENGINE_VALUE_MIN,
                       ENGINE_VALUE_MAX, &op->value)
      || !read_number (self, object, place, "old", ENGINE_VALUE_MIN,
                       ENGINE_VALUE_MAX, &op->old))
    return FALSE;
  for (guint i = 0; i < OP_N_KINDS; i++)
    if (g_strcmp0 (name, op_kind_name (i)) == 0) {
      op->op = (OpKind)i;
      return TRUE;
    }
  return wrong (self, _("%s.op: there is no operation “%s”"), place,
                name != NULL ? name : "");
}

static gboolean
read_worker (Loader   *self,
             JsonNode *node,
             guint     worker) {
  StepScenario *scenario = self->scenario;
  JsonArray *array;

  if (!JSON_NODE_HOLDS_ARRAY (node)
      || json_array_get_length (json_node_get_array (node)) > STEP_MAX_OPS)
    return wrong (self, _("workers[%u]: wanted at most %d operations"), worker,
                  STEP_MAX_OPS);
  array = json_node_get_array (node);
  scenario->n_ops[worker] = json_array_get_length (array);
  for (guint i = 0; i < scenario->n_ops[worker]; i++) {
    g_autofree char *place = g_strdup_printf ("workers[%u][%u]", worker, i);

    if (!read_op (self, json_array_get_element (array, i), place,
                  &scenario->ops[worker][i]))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_workers (Loader     *self,
              JsonObject *root) {
  JsonNode *node = json_object_get_member (root, "workers");
  JsonArray *array;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node)
      || json_array_get_length (json_node_get_array (node)) < 1
      || json_array_get_length (json_node_get_array (node)) > STEP_MAX_WORKERS)
    return wrong (self, _("workers: wanted 1–%d workers"), STEP_MAX_WORKERS);
  array = json_node_get_array (node);
  self->scenario->n_workers = json_array_get_length (array);
  for (guint i = 0; i < self->scenario->n_workers; i++)
    if (!read_worker (self, json_array_get_element (array, i), i))
      return FALSE;
  return TRUE;
}

static gboolean
is_pair (JsonNode *node) {
  JsonArray *pair;

  if (!JSON_NODE_HOLDS_ARRAY (node))
    return FALSE;
  pair = json_node_get_array (node);
  if (json_array_get_length (pair) != 2)
    return FALSE;
  for (guint i = 0; i < 2; i++)
    if (json_node_get_value_type (json_array_get_element (pair, i))
        != G_TYPE_INT64)
      return FALSE;
  return TRUE;
}

static gboolean
read_preload (Loader     *self,
              JsonObject *root) {
  JsonNode *node = json_object_get_member (root, "preload");
  StepScenario *scenario = self->scenario;
  JsonArray *array;

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node)
      || json_array_get_length (json_node_get_array (node)) > STEP_MAX_KEYS)
    return wrong (self, _("preload: wanted at most %d pairs"), STEP_MAX_KEYS);
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *element = json_array_get_element (array, i);
    JsonArray *pair;

    if (!is_pair (element))
      return wrong (self, _("preload[%u]: wanted [key, value]"), i);
    pair = json_node_get_array (element);
    scenario->preload[scenario->n_preload++]
        = (StepPair){ json_array_get_int_element (pair, 0),
                      json_array_get_int_element (pair, 1) };
  }
  return TRUE;
}

static gboolean
read_engine (Loader     *self,
             JsonObject *root) {
  StepScenario *scenario = self->scenario;
  const char *engine = NULL, *hash = NULL;

  if (!read_text (self, root, "scenario", "engine", &engine)
      || !read_text (self, root, "scenario", "hash", &hash))
    return FALSE;
  for (guint i = 0; scenario->engine == NULL && step_engine_name (i) != NULL; i++)
    if (g_strcmp0 (engine, step_engine_name (i)) == 0)
      scenario->engine = step_engine_name (i);
  if (scenario->engine == NULL)
    return wrong (self, _("engine: there is no “%s”"),
                  engine != NULL ? engine : "");
  if (hash == NULL)
    return TRUE;
  for (guint i = 0; i < HASH_FUNCTION; i++)
    if (strcmp (hash, hash_kind_name ((HashKind)i)) == 0) {
      scenario->hash.kind = (HashKind)i;
      return TRUE;
    }
  return wrong (self, _("hash: there is no “%s”"), hash);
}

static gboolean
read_scenario (Loader     *self,
               JsonObject *root) {
  static const char *const known[] = { "engine", "hash", "seed", "mutant",
                                       "promoted", "preload", "workers", NULL };
  JsonNode *promoted = json_object_get_member (root, "promoted");
  gint64 seed = 1, mutant = 0;

  if (!knows_members (self, root, "scenario", known)
      || !read_engine (self, root)
      || !read_number (self, root, "scenario", "seed", 0, G_MAXINT64, &seed)
      || !read_number (self, root, "scenario", "mutant", 0, G_MAXUINT16,
                       &mutant))
    return FALSE;
  if (promoted != NULL
      && json_node_get_value_type (promoted) != G_TYPE_BOOLEAN)
    return wrong (self, _("promoted: wanted true or false"));
  self->scenario->seed = (guint64)seed;
  self->scenario->mutant = (guint)mutant;
  self->scenario->is_promoted
      = promoted != NULL && json_node_get_boolean (promoted);
  return read_preload (self, root) && read_workers (self, root);
}

gboolean
cli_step_load (const char   *path,
               StepScenario *scenario,
               GError      **error) {
  g_autoptr (JsonParser) parser = json_parser_new ();
  Loader loader = { scenario, error };
  JsonNode *root;

  memset (scenario, 0, sizeof *scenario);
  if (!json_parser_load_from_file (parser, path, error))
    return FALSE;
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    return wrong (&loader, _("%s: wanted an object"), path);
  if (!read_scenario (&loader, json_node_get_object (root))) {
    g_prefix_error (error, "%s: ", path);
    return FALSE;
  }
  return TRUE;
}
