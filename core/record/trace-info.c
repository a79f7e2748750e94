/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-info.c — facts about a run that are not events, also as JSON
 *
 * The members are told in FORMAT.md, under INFO.
 *
 * Safety      Depth and size are checked before the JSON parser, which is
 *             recursive, sees a byte.
 */
#include "core/record/tracelog-private.h"

#include "core/record/tracelog-file.h"

#include <errno.h>
#include <json-glib/json-glib.h>
#include <string.h>

#define MAX_THREADS 4096
#define MAX_PHASES 4096
#define MAX_DEPTH 8
#define N_KIND_NUMBERS 128

TraceInfo *
trace_info_new (void) {
  TraceInfo *info = g_new0 (TraceInfo, 1);

  info->thread_roles = g_new0 (char *, 1);
  info->phase_names = g_new0 (char *, 1);
  return info;
}

static char **
copy_texts (char **texts) {
  return texts != NULL ? g_strdupv (texts) : g_new0 (char *, 1);
}

TraceInfo *
trace_info_copy (const TraceInfo *info) {
  TraceInfo *copy = g_memdup2 (info, sizeof *info);

  copy->engine = g_strdup (info->engine);
  copy->engine_title = g_strdup (info->engine_title);
  copy->scenario_name = g_strdup (info->scenario_name);
  copy->scenario_title = g_strdup (info->scenario_title);
  copy->scenario_json = g_strdup (info->scenario_json);
  copy->thread_roles = copy_texts (info->thread_roles);
  copy->phase_names = copy_texts (info->phase_names);
  copy->machine = g_strdup (info->machine);
  copy->version = g_strdup (info->version);
  return copy;
}

void
trace_info_free (TraceInfo *info) {
  if (info == NULL)
    return;
  g_free (info->engine);
  g_free (info->engine_title);
  g_free (info->scenario_name);
  g_free (info->scenario_title);
  g_free (info->scenario_json);
  g_strfreev (info->thread_roles);
  g_strfreev (info->phase_names);
  g_free (info->machine);
  g_free (info->version);
  g_free (info);
}

/* Writing ------------------------------------------------------------------ */

static void
add_text (JsonBuilder *builder,
          const char  *name,
          const char  *text) {
  json_builder_set_member_name (builder, name);
  if (text != NULL)
    json_builder_add_string_value (builder, text);
  else
    json_builder_add_null_value (builder);
}

static void
add_texts (JsonBuilder *builder,
           const char  *name,
           char       **texts) {
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    json_builder_add_string_value (builder, texts[i]);
  json_builder_end_array (builder);
}

static void
add_kinds (JsonBuilder *builder) {
  json_builder_set_member_name (builder, "kinds");
  json_builder_begin_array (builder);
  json_builder_add_string_value (builder, "none");
  for (guint kind = 1; kind < EVENT_TIME; kind++)
    json_builder_add_string_value (builder, event_kind_name (kind));
  json_builder_end_array (builder);
}

char *
trace_info_to_json (const TraceInfo *info) {
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *seed = g_strdup_printf ("0x%016" G_GINT64_MODIFIER "x",
                                           info->seed);

  json_builder_begin_object (builder);
  add_text (builder, "engine", info->engine);
  add_text (builder, "engine_title", info->engine_title);
  add_text (builder, "scenario_name", info->scenario_name);
  add_text (builder, "scenario_title", info->scenario_title);
  add_text (builder, "scenario", info->scenario_json);
  add_text (builder, "seed", seed);
  json_builder_set_member_name (builder, "started_at_us");
  json_builder_add_int_value (builder, info->started_at_us);
  json_builder_set_member_name (builder, "n_threads");
  json_builder_add_int_value (builder, info->n_threads);
  add_texts (builder, "thread_roles", info->thread_roles);
  add_texts (builder, "phase_names", info->phase_names);
  add_text (builder, "machine", info->machine);
  add_text (builder, "version", info->version);
  add_kinds (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

/* Reading ------------------------------------------------------------------ */

static gboolean
wrong (GError    **error,
       const char *place,
       const char *wanted) {
  g_set_error (error, TRACELOG_FILE_ERROR, TRACELOG_FILE_ERROR_CORRUPT,
               "%s: wanted %s", place, wanted);
  return FALSE;
}

gboolean
trace_json_is_shallow (const char *json,
                       gsize       length,
                       int         max_depth) {
  gboolean in_text = FALSE;
  int depth = 0;

  for (gsize i = 0; i < length; i++) {
    if (in_text) {
      if (json[i] == '\\')
        i++;
      else if (json[i] == '"')
        in_text = FALSE;
    } else if (json[i] == '"') {
      in_text = TRUE;
    } else if (json[i] == '{' || json[i] == '[') {
      if (++depth > max_depth)
        return FALSE;
    } else if (json[i] == '}' || json[i] == ']') {
      depth--;
    }
  }
  return TRUE;
}

static gboolean
is_text (JsonNode *node) {
  return node != NULL && JSON_NODE_HOLDS_VALUE (node)
         && json_node_get_value_type (node) == G_TYPE_STRING;
}

static gboolean
read_text (JsonObject *object,
           const char *name,
           char      **text,
           GError    **error) {
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!is_text (node))
    return wrong (error, name, "a text");
  *text = json_node_dup_string (node);
  return TRUE;
}

static gboolean
read_integer (JsonObject *object,
              const char *name,
              gint64      max,
              gint64     *value,
              GError    **error) {
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_VALUE (node)
      || json_node_get_value_type (node) != G_TYPE_INT64)
    return wrong (error, name, "an integer");
  *value = json_node_get_int (node);
  if (*value < 0 || *value > max)
    return wrong (error, name, "an integer in its bounds");
  return TRUE;
}

static gboolean
read_texts (JsonObject *object,
            const char *name,
            guint       max,
            char     ***texts,
            GError    **error) {
  JsonNode *node = json_object_get_member (object, name);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  JsonArray *array;

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node))
    return wrong (error, name, "a list of texts");
  array = json_node_get_array (node);
  if (json_array_get_length (array) > max)
    return wrong (error, name, "a shorter list");
  for (guint i = 0; i < json_array_get_length (array); i++) {
    if (!is_text (json_array_get_element (array, i)))
      return wrong (error, name, "a list of texts");
    g_strv_builder_add (builder, json_array_get_string_element (array, i));
  }
  g_strfreev (*texts);
  *texts = g_strv_builder_end (builder);
  return TRUE;
}

static guint8
kind_by_name (const char *name) {
  for (guint kind = 1; kind < EVENT_TIME; kind++)
    if (strcmp (event_kind_name (kind), name) == 0)
      return (guint8)kind;
  return EVENT_NONE;
}

static gboolean
read_kinds (JsonObject *object,
            guint8     *kinds,
            GError    **error) {
  g_auto (GStrv) names = NULL;

  memset (kinds, EVENT_NONE, N_KIND_NUMBERS);
  if (!read_texts (object, "kinds", N_KIND_NUMBERS, &names, error))
    return FALSE;
  if (names == NULL)
    return wrong (error, "kinds", "a list of texts");
  for (guint i = 1; names[0] != NULL && names[i] != NULL; i++)
    kinds[i] = kind_by_name (names[i]);
  return TRUE;
}

static gboolean
read_seed (JsonObject *object,
           guint64    *seed,
           GError    **error) {
  g_autofree char *text = NULL;
  char *end;

  if (!read_text (object, "seed", &text, error) || text == NULL)
    return *error == NULL;
  errno = 0;
  *seed = g_ascii_strtoull (text, &end, 0);
  if (errno != 0 || end == text || *end != '\0')
    return wrong (error, "seed", "a number in a text");
  return TRUE;
}

/* @error must not be NULL. */
static gboolean
read_members (JsonObject *object,
              TraceInfo  *info,
              guint8     *kinds,
              GError    **error) {
  gint64 n_threads = 0;

  if (!read_text (object, "engine", &info->engine, error)
      || !read_text (object, "engine_title", &info->engine_title, error)
      || !read_text (object, "scenario_name", &info->scenario_name, error)
      || !read_text (object, "scenario_title", &info->scenario_title, error)
      || !read_text (object, "scenario", &info->scenario_json, error)
      || !read_text (object, "machine", &info->machine, error)
      || !read_text (object, "version", &info->version, error)
      || !read_seed (object, &info->seed, error)
      || !read_integer (object, "started_at_us", G_MAXINT64,
                        &info->started_at_us, error)
      || !read_integer (object, "n_threads", MAX_THREADS, &n_threads, error)
      || !read_texts (object, "thread_roles", MAX_THREADS, &info->thread_roles,
                      error)
      || !read_texts (object, "phase_names", MAX_PHASES, &info->phase_names,
                      error)
      || !read_kinds (object, kinds, error))
    return FALSE;
  info->n_threads = (guint)n_threads;
  /* Whoever shows a thread asks for its role; none given is allowed. */
  if (info->thread_roles[0] != NULL
      && g_strv_length (info->thread_roles) != info->n_threads)
    return wrong (error, "thread_roles", "as many as n_threads");
  return TRUE;
}

TraceInfo *
trace_info_from_json (const char *json,
                      gsize       length,
                      guint8     *kinds,
                      GError    **error) {
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (GError) problem = NULL;
  JsonNode *root;

  if (!g_utf8_validate (json, (gssize)length, NULL)
      || !trace_json_is_shallow (json, length, MAX_DEPTH)) {
    wrong (error, "facts of the run", "JSON of little depth, in UTF-8");
    return NULL;
  }
  if (!json_parser_load_from_data (parser, json, (gssize)length, &problem)) {
    wrong (error, "facts of the run", problem->message);
    return NULL;
  }
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root)) {
    wrong (error, "facts of the run", "a JSON object");
    return NULL;
  }
  if (!read_members (json_node_get_object (root), info, kinds, &problem)) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return NULL;
  }
  return g_steal_pointer (&info);
}
