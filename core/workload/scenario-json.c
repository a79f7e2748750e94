/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scenario-json.c — a scenario as its canonical JSON
 *
 * Every member that matters is written, in one order, with defaults left out
 * where leaving out means the same; what is written loads back as equal. A
 * recording keeps this text, so that a run can be repeated from its file.
 */
#include "core/workload/scenario.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static void
put_text (JsonBuilder *builder,
          const char  *member,
          const char  *text) {
  if (text == NULL)
    return;
  json_builder_set_member_name (builder, member);
  json_builder_add_string_value (builder, text);
}

/* json-glib 1.6 writes 1e-05 as "1e-05.0", which nothing can read: such a number
 * is written as its neighbour, 1.0000000000000001e-05. */
static double
as_written (double value) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_dtostr (text, sizeof text, value);
  return strchr (text, 'e') != NULL && strchr (text, '.') == NULL
             ? nextafter (value, INFINITY)
             : value;
}

static void
put_number (JsonBuilder *builder,
            const char  *member,
            double       value) {
  json_builder_set_member_name (builder, member);
  if (value == floor (value) && fabs (value) <= (double)SCENARIO_MAX_WHOLE)
    json_builder_add_int_value (builder, (gint64)value);
  else
    json_builder_add_double_value (builder, as_written (value));
}

static void
put_boolean (JsonBuilder *builder,
             const char  *member,
             gboolean     value) {
  json_builder_set_member_name (builder, member);
  json_builder_add_boolean_value (builder, value);
}

static void
put_mix (JsonBuilder        *builder,
         const OperationMix *mix) {
  OperationMix shares = *mix;

  json_builder_set_member_name (builder, "mix");
  json_builder_begin_object (builder);
  for (guint i = 0; i < OPERATION_MIX_N; i++)
    if (*operation_mix_share (&shares, i) > 0)
      put_number (builder, operation_mix_name (i),
                  *operation_mix_share (&shares, i));
  json_builder_end_object (builder);
}

static void
put_group (JsonBuilder       *builder,
           const ThreadGroup *group) {
  json_builder_begin_object (builder);
  put_text (builder, "role", group->role);
  put_number (builder, "count", group->count);
  put_number (builder, "target", group->target);
  if (group->rangepause >= 0)
    put_number (builder, "rangepause", group->rangepause);
  put_text (builder, "requestdistribution",
            key_distribution_name (group->keys.distribution));
  put_number (builder, "zipfianconstant", group->keys.zipfianconstant);
  put_number (builder, "hotspotdatafraction", group->keys.hotspotdatafraction);
  put_number (builder, "hotspotopnfraction", group->keys.hotspotopnfraction);
  put_mix (builder, &group->mix);
  json_builder_end_object (builder);
}

static void
put_script (JsonBuilder *builder,
            GArray      *script) {
  json_builder_set_member_name (builder, "script");
  json_builder_begin_array (builder);
  for (guint i = 0; i < script->len; i++) {
    const ScriptedOp *op = &g_array_index (script, ScriptedOp, i);

    json_builder_begin_object (builder);
    put_text (builder, "op", op_kind_name (op->op));
    put_number (builder, "key", (double)op->key);
    put_number (builder, "value", (double)op->value);
    put_number (builder, "repeat", op->repeat);
    put_number (builder, "step", (double)op->step);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
put_phase (JsonBuilder         *builder,
           const ScenarioPhase *phase) {
  json_builder_begin_object (builder);
  put_text (builder, "name", phase->name);
  put_number (builder, "duration", phase->duration);
  put_number (builder, "operationcount", (double)phase->operationcount);
  if (phase->script->len > 0)
    put_script (builder, phase->script);
  json_builder_set_member_name (builder, "threads");
  json_builder_begin_array (builder);
  for (guint i = 0; i < phase->threads->len; i++)
    put_group (builder, g_ptr_array_index (phase->threads, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

char *
scenario_to_json (const Scenario *self) {
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (builder);
  put_text (builder, "title", self->title);
  put_text (builder, "summary", self->summary);
  put_text (builder, "watch-for", self->watch_for);
  put_text (builder, "learn", self->learn);
  put_text (builder, "simplified", self->simplified);
  put_text (builder, "engine", self->engine);
  put_text (builder, "hash", hash_kind_name (self->hash));
  put_number (builder, "hint", (double)self->hint);
  if (self->shards != 0)
    put_number (builder, "shards", self->shards);
  put_number (builder, "seed", (double)self->seed);
  put_number (builder, "recordcount", (double)self->recordcount);
  put_boolean (builder, "preload", self->preload);
  put_boolean (builder, "preload-promoted", self->preload_promoted);
  put_text (builder, "key-text", self->key_text);
  if (self->telling != TELLING_COUNTS)
    put_text (builder, "telling", operation_telling_name (self->telling));
  if (self->drops)
    put_text (builder, "overflow", "drop");
  if (!self->stops_on_misuse)
    put_text (builder, "onmisuse", "count");
  json_builder_set_member_name (builder, "phases");
  json_builder_begin_array (builder);
  for (guint i = 0; i < self->phases->len; i++)
    put_phase (builder, g_ptr_array_index (self->phases, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, TRUE);
}
