/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-check-json.c — a judgement for programs
 *
 * Values and keys are whole numbers; times are nanoseconds since the log's
 * start, null where something never ended. "order" lists places in "items".
 */
#include "app/cli/cli-check.h"

#include "app/cli/cli.h"

#include <json-glib/json-glib.h>

static void
put_whole (JsonBuilder *builder,
           const char  *name,
           guint64      value) {
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64)value);
}

/* Takes @text. */
static void
put_text (JsonBuilder *builder,
          const char  *name,
          char        *text) {
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, text);
  g_free (text);
}

static void
put_flag (JsonBuilder *builder,
          const char  *name,
          gboolean     value) {
  json_builder_set_member_name (builder, name);
  json_builder_add_boolean_value (builder, value);
}

const char *
cli_check_verdict_name (LinearVerdict verdict) {
  switch (verdict) {
  case LINEAR_OK:
    return "right";
  case LINEAR_VIOLATED:
    return "violated";
  case LINEAR_UNKNOWN:
    return "unknown";
  }
  g_return_val_if_reached (NULL);
}

static const char *
source_name (JudgeSource source) {
  switch (source) {
  case JUDGE_OPERATION:
    return "operation";
  case JUDGE_CLEAR:
    return "clear";
  case JUDGE_RANGE_GAVE:
    return "range-gave";
  case JUDGE_RANGE_LACKED:
    return "range-lacked";
  }
  g_return_val_if_reached (NULL);
}

/* A value, or null when the key is absent; nothing when it is not known. */
static void
put_state (JsonBuilder *builder,
           const char  *name,
           LinearState  state) {
  if (state.presence == LINEAR_ANY)
    return;
  json_builder_set_member_name (builder, name);
  if (state.presence == LINEAR_ABSENT)
    json_builder_add_null_value (builder);
  else
    json_builder_add_int_value (builder, (gint64)state.value);
}

static void
put_item (JsonBuilder     *builder,
          const JudgeItem *item,
          char            *reason) {
  json_builder_begin_object (builder);
  put_whole (builder, "event", item->index);
  put_whole (builder, "thread", item->thread);
  put_whole (builder, "began-ns", (guint64)item->began_ns);
  json_builder_set_member_name (builder, "ended-ns");
  if (item->ended_ns == HISTORY_NEVER)
    json_builder_add_null_value (builder);
  else
    json_builder_add_int_value (builder, item->ended_ns);
  put_text (builder, "source", g_strdup (source_name (item->source)));
  if (item->source == JUDGE_OPERATION)
    put_text (builder, "operation", g_strdup (op_kind_name (item->op.kind)));
  put_text (builder, "text", judge_item_text (item));
  if (reason != NULL)
    put_text (builder, "reason", reason);
  json_builder_end_object (builder);
}

/* (transfer full): why it is not in the order; NULL: it is, or could be. */
static char *
find_reason (const JudgeCase *found,
             gsize            i,
             gssize           place) {
  if (found->verdict != LINEAR_VIOLATED || found->rule != JUDGE_RULE_ORDER
      || place >= 0)
    return NULL;
  return i == found->failed ? judge_case_reason (found)
                            : judge_item_reason (&found->items[i], found->after);
}

static void
put_case (JsonBuilder     *builder,
          TraceLog        *log,
          const JudgeCase *found) {
  gboolean is_bad = found->verdict == LINEAR_VIOLATED;
  g_autofree gssize *places = cli_check_places (found);

  json_builder_begin_object (builder);
  put_whole (builder, "key", (guint64)found->key);
  put_text (builder, "key-text", cli_check_key_text (log, found->key));
  put_text (builder, "verdict",
            g_strdup (cli_check_verdict_name (found->verdict)));
  if (is_bad)
    put_text (builder, "rule",
              g_strdup (found->rule == JUDGE_RULE_TWICE ? "twice" : "order"));
  put_text (builder, "text", judge_case_text (found));
  put_state (builder, "before", found->before);
  if (found->has_writer) {
    json_builder_set_member_name (builder, "writer");
    put_item (builder, &found->writer, NULL);
  }
  put_state (builder, "after", found->after);
  json_builder_set_member_name (builder, "items");
  json_builder_begin_array (builder);
  for (gsize i = 0; i < found->n_items; i++)
    put_item (builder, &found->items[i],
              find_reason (found, i, places[i]));
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "order");
  json_builder_begin_array (builder);
  for (gsize i = 0; i < found->n_order; i++)
    json_builder_add_int_value (builder, found->order[i]);
  json_builder_end_array (builder);
  if (is_bad)
    put_whole (builder, "failed", found->failed);
  json_builder_end_object (builder);
}

void
cli_check_print_report_json (TraceLog          *log,
                             const JudgeReport *report) {
  const TraceInfo *info = tracelog_get_info (log);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  put_text (builder, "scenario", g_strdup (info->scenario_name));
  put_text (builder, "engine", g_strdup (info->engine));
  put_text (builder, "verdict",
            g_strdup (cli_check_verdict_name (report->verdict)));
  put_whole (builder, "operations", report->n_operations);
  put_whole (builder, "keys", report->n_keys);
  put_whole (builder, "ranges", report->n_ranges);
  put_whole (builder, "pairs", report->n_pairs);
  put_whole (builder, "clears", report->n_clears);
  put_whole (builder, "loads-not-told", report->n_untold);
  put_whole (builder, "left-out", report->n_left_out);
  put_flag (builder, "begins-empty", report->begins_empty);
  put_whole (builder, "passes", report->n_passes);
  put_whole (builder, "unknown-keys", report->n_unknown);
  put_whole (builder, "n-violations", report->n_violations);
  json_builder_set_member_name (builder, "violations");
  json_builder_begin_array (builder);
  for (guint i = 0; i < report->violations->len; i++)
    put_case (builder, log, g_ptr_array_index (report->violations, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  cli_print_json (builder);
}

void
cli_check_print_key_json (TraceLog        *log,
                          const JudgeCase *found) {
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  put_case (builder, log, found);
  cli_print_json (builder);
}
