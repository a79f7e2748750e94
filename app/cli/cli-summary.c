/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-summary.c — a recording in a screen of text, or as JSON
 *
 * Everything comes from the log: what the counters of the last state say, the
 * tables as they stood, and what recording cost.
 */
#include "app/cli/cli.h"

#include "core/model/narrator.h"
#include "core/workload/scenario.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <json-glib/json-glib.h>

static const char *
role_name (TableRole role) {
  switch (role) {
  case TABLE_ROLE_NONE:
    return "unused";
  case TABLE_ROLE_ONLY:
    return "table";
  case TABLE_ROLE_READ:
    return "read";
  case TABLE_ROLE_DIRTY:
    return "dirty";
  case TABLE_ROLE_SUPERSEDED:
    return "superseded";
  case TABLE_ROLE_SHARD:
    return "shard";
  }
  return NULL;
}

/* Counters by the name they have in JSON. */
typedef struct {
  const char *name;
  guint64     value;
} Fact;

static guint
collect_facts (const StateCounters *c,
               Fact                *facts) {
  const Fact all[] = {
    { "promotions", c->n_promotions },
    { "copies", c->n_copies },
    { "copied-entries", c->n_copied },
    { "expunged", c->n_expunged },
    { "misses", c->n_misses },
    { "growths", c->n_growths },
    { "same-size-growths", c->n_same_size },
    { "evacuated-buckets", c->n_evacuated },
    { "ranges", c->n_ranges },
    { "lock-waits", c->n_lock_waits },
    { "cas-retries", c->n_cas_retries },
    { "clears", c->n_cleared },
    { "misuses", c->n_misuses },
  };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    facts[i] = all[i];
  return G_N_ELEMENTS (all);
}
#define MAX_FACTS 16

static void
print_tables (const MapState *state) {
  for (guint i = 0; i < map_state_n_tables (state); i++) {
    const StateTable *table = map_state_table (state, i);

    g_print ("  %-10s B=%u count=%" G_GUINT64_FORMAT " noverflow=%u flags=%u",
             role_name (table->role), table->B, table->count, table->noverflow,
             table->flags);
    if (table->oldbuckets != NULL)
      g_print (_(" growing, nevacuate=%" PRIu64),
               table->nevacuate);
    g_print ("\n");
  }
  if (map_state_has_read_and_dirty (state))
    g_print ("  amended=%s misses=%" G_GUINT64_FORMAT "\n",
             map_state_is_amended (state) ? "true" : "false",
             map_state_misses (state));
}

void
cli_print_dropped (guint64 n_dropped) {
  if (n_dropped > 0)
    g_print (_("Events were dropped: from the first loss on, the map and its "
               "counters are a guess\n"));
}

static void
print_honesty (const TraceHonesty *honesty,
               const CliRunFacts  *extra) {
  g_print (_("Recording: %" PRIu64 " events in %.3f s, %" PRIu64
             " bytes, %" PRIu64 " dropped, %" PRIu64
             " waits (%.3f ms)%s\n"),
           honesty->n_events, (double)honesty->duration_ns / 1e9, honesty->bytes,
           honesty->n_dropped, honesty->n_stalls,
           (double)honesty->stalled_ns / 1e6,
           honesty->was_limited ? _(", ended at its limit")
           : honesty->is_complete ? ""
                                  : _(", not complete"));
  cli_print_dropped (honesty->n_dropped);
  if (honesty->blind_ns > 0)
    g_print (_("An operation took %.1f ns without recording, %.1f ns with it\n"),
             honesty->blind_ns, honesty->recorded_ns);
  if (extra != NULL)
    g_print (_("Failed operations: %" PRIu64
               ", events out of order: %" PRIu64 "\n"),
             extra->n_errors, extra->n_ungated);
}

void
cli_print_waits (TraceLog *log) {
  g_autoptr (GArray) waits = tracelog_dup_waits (log);

  for (guint i = 0; waits != NULL && i < waits->len; i++) {
    const TraceWait *wait = &g_array_index (waits, TraceWait, i);
    g_autofree char *worker = narrator_thread (wait->thread);

    g_print (_("  %-5s waited %" PRIu64 " times for the recorder, %.3f ms\n"),
             worker, wait->n_stalls, (double)wait->stalled_ns / 1e6);
  }
}

/* The first of its kind; FALSE: there is none. */
static gboolean
find_first (TraceLog *log,
            EventKind kind,
            Event    *found) {
  guint64 n = tracelog_get_length (log), at = 0;

  while (at < n) {
    g_autoptr (TraceBlock) block = tracelog_ref_block (log, at);

    if (block == NULL)
      return FALSE;
    for (guint i = 0; i < block->n_events; i++)
      if (block->events[i].kind == kind) {
        *found = block->events[i];
        return TRUE;
      }
    at += block->n_events;
  }
  return FALSE;
}

static const char *
place_text (guint place) {
  switch ((MisusePlace)place) {
  case MISUSE_AT_ENTRY:
    return _("at the beginning");
  case MISUSE_AT_EXIT:
    return _("at the end");
  case MISUSE_AT_STEP:
    return _("at a step");
  }
  return "?";
}

/* How often Go would have stopped the program, and the first time. */
static void
print_misuse (TraceLog *log,
              guint64   n_misuses) {
  g_autofree char *thread = NULL;
  const char *op, *text;
  Event first;

  if (n_misuses == 0 || !find_first (log, EVENT_MISUSE_DETECTED, &first))
    return;
  thread = narrator_thread (first.thread);
  op = first.ver > 0 ? op_kind_name (first.ver - 1) : NULL;
  text = misuse_kind_text (first.aux8);
  g_print (_("Misuse: %" PRIu64 "\n"), n_misuses);
  g_print (_("  first after %.3f s: %s, %s of %s: “fatal error: %s”\n"),
           (double)first.at_ns / 1e9, thread, place_text (first.res),
           op != NULL ? op : "?", text != NULL ? text : "?");
  if (first.b != 0) {
    g_autofree char *writer = narrator_thread ((guint)(first.b - 1));

    g_print (_("  %s was writing\n"), writer);
  }
}

/* A recording need not say it. */
static const char *
or_unknown (const char *text) {
  return text != NULL && *text != '\0' ? text : "?";
}

void
cli_print_title (TraceLog *log) {
  const TraceInfo *info = tracelog_get_info (log);

  g_print (_("%s (%s) on %s\n"),
           or_unknown (scenario_translate (info->scenario_title)),
           or_unknown (info->scenario_name), or_unknown (info->engine_title));
}

static void
print_text (TraceLog          *log,
            const MapState    *state,
            const CliRunFacts *extra) {
  const TraceInfo *info = tracelog_get_info (log);
  const StateCounters *counters = map_state_counters (state);
  Fact facts[MAX_FACTS] = { 0 };
  guint n_facts = collect_facts (counters, facts);
  TraceHonesty honesty;

  tracelog_get_honesty (log, &honesty);
  cli_print_title (log);
  g_print (_("Seed %" PRIu64 ", %u threads, %s, Tophash %s\n"),
           info->seed, info->n_threads, or_unknown (info->machine),
           or_unknown (info->version));
  g_print (_("Operations:\n"));
  for (guint op = 0; op < OP_N_KINDS; op++)
    if (counters->n_ops[op] > 0)
      g_print (_("  %-20s %12" PRIu64 "  %12" PRIu64
                 " found, replaced or deleted something\n"),
               op_kind_name (op), counters->n_ops[op], counters->n_ok[op]);
  g_print (_("What happened inside:\n"));
  for (guint i = 0; i < n_facts; i++)
    if (facts[i].value > 0)
      g_print ("  %-20s %12" G_GUINT64_FORMAT "\n", facts[i].name,
               facts[i].value);
  print_misuse (log, counters->n_misuses);
  g_print (_("At the end:\n"));
  print_tables (state);
  cli_print_costs (state);
  print_honesty (&honesty, extra);
  cli_print_waits (log);
}

static void
put_whole (JsonBuilder *builder,
           const char  *name,
           guint64      value) {
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64)value);
}

static void
put_number (JsonBuilder *builder,
            const char  *name,
            double       value) {
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, value);
}

static void
put_text (JsonBuilder *builder,
          const char  *name,
          const char  *text) {
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, text);
}

static void
put_operations (JsonBuilder         *builder,
                const StateCounters *counters) {
  json_builder_set_member_name (builder, "operations");
  json_builder_begin_object (builder);
  for (guint op = 0; op < OP_N_KINDS; op++)
    if (counters->n_ops[op] > 0) {
      json_builder_set_member_name (builder, op_kind_name (op));
      json_builder_begin_object (builder);
      put_whole (builder, "n", counters->n_ops[op]);
      put_whole (builder, "ok", counters->n_ok[op]);
      json_builder_end_object (builder);
    }
  json_builder_end_object (builder);
}

static void
put_tables (JsonBuilder    *builder,
            const MapState *state) {
  json_builder_set_member_name (builder, "tables");
  json_builder_begin_array (builder);
  for (guint i = 0; i < map_state_n_tables (state); i++) {
    const StateTable *table = map_state_table (state, i);

    json_builder_begin_object (builder);
    put_text (builder, "role", role_name (table->role));
    put_whole (builder, "B", table->B);
    put_whole (builder, "count", table->count);
    put_whole (builder, "noverflow", table->noverflow);
    put_whole (builder, "flags", table->flags);
    put_whole (builder, "nevacuate", table->nevacuate);
    json_builder_set_member_name (builder, "growing");
    json_builder_add_boolean_value (builder, table->oldbuckets != NULL);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

void
cli_put_waits (JsonBuilder *builder,
               TraceLog    *log) {
  g_autoptr (GArray) waits = tracelog_dup_waits (log);

  if (waits == NULL)
    return;
  json_builder_set_member_name (builder, "waits-by-worker");
  json_builder_begin_array (builder);
  for (guint i = 0; i < waits->len; i++) {
    const TraceWait *wait = &g_array_index (waits, TraceWait, i);

    json_builder_begin_object (builder);
    put_whole (builder, "thread", wait->thread);
    put_whole (builder, "waits", wait->n_stalls);
    put_whole (builder, "waited-ns", (guint64)wait->stalled_ns);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
put_honesty (JsonBuilder       *builder,
             TraceLog          *log,
             const CliRunFacts *extra) {
  TraceHonesty honesty;

  tracelog_get_honesty (log, &honesty);
  json_builder_set_member_name (builder, "recording");
  json_builder_begin_object (builder);
  put_whole (builder, "events", honesty.n_events);
  put_whole (builder, "duration-ns", (guint64)honesty.duration_ns);
  put_whole (builder, "bytes", honesty.bytes);
  put_whole (builder, "dropped", honesty.n_dropped);
  put_whole (builder, "waits", honesty.n_stalls);
  put_whole (builder, "waited-ns", (guint64)honesty.stalled_ns);
  cli_put_waits (builder, log);
  if (honesty.blind_ns > 0) {
    put_number (builder, "blind-ns-per-operation", honesty.blind_ns);
    put_number (builder, "recorded-ns-per-operation", honesty.recorded_ns);
  }
  json_builder_set_member_name (builder, "complete");
  json_builder_add_boolean_value (builder, honesty.is_complete);
  json_builder_set_member_name (builder, "limited");
  json_builder_add_boolean_value (builder, honesty.was_limited);
  if (extra != NULL) {
    put_whole (builder, "failed-operations", extra->n_errors);
    put_whole (builder, "out-of-order", extra->n_ungated);
  }
  json_builder_end_object (builder);
}

static void
put_first_misuse (JsonBuilder *builder,
                  TraceLog    *log) {
  static const char *const places[] = { "entry", "exit", "step" };
  const char *text;
  Event first;

  if (!find_first (log, EVENT_MISUSE_DETECTED, &first))
    return;
  json_builder_set_member_name (builder, "first-misuse");
  json_builder_begin_object (builder);
  text = misuse_kind_text (first.aux8);
  put_text (builder, "text", text != NULL ? text : "?");
  put_whole (builder, "at-ns", (guint64)first.at_ns);
  put_whole (builder, "thread", first.thread);
  if (first.res < G_N_ELEMENTS (places))
    put_text (builder, "place", places[first.res]);
  if (first.ver > 0 && op_kind_name (first.ver - 1) != NULL)
    put_text (builder, "operation", op_kind_name (first.ver - 1));
  put_whole (builder, "key", first.a);
  if (first.b != 0)
    put_whole (builder, "writer", first.b - 1);
  json_builder_end_object (builder);
}

static void
print_json (TraceLog          *log,
            const MapState    *state,
            const CliRunFacts *extra) {
  const TraceInfo *info = tracelog_get_info (log);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  Fact facts[MAX_FACTS] = { 0 };
  guint n_facts = collect_facts (map_state_counters (state), facts);

  json_builder_begin_object (builder);
  put_text (builder, "scenario", info->scenario_name);
  put_text (builder, "title", info->scenario_title);
  put_text (builder, "engine", info->engine);
  put_text (builder, "engine-title", info->engine_title);
  put_whole (builder, "seed", info->seed);
  put_whole (builder, "threads", info->n_threads);
  put_text (builder, "machine", info->machine);
  put_text (builder, "version", info->version);
  put_operations (builder, map_state_counters (state));
  for (guint i = 0; i < n_facts; i++)
    put_whole (builder, facts[i].name, facts[i].value);
  if (map_state_counters (state)->n_misuses > 0)
    put_first_misuse (builder, log);
  put_tables (builder, state);
  json_builder_set_member_name (builder, "amended");
  json_builder_add_boolean_value (builder, map_state_is_amended (state));
  put_whole (builder, "misses-now", map_state_misses (state));
  cli_put_costs (builder, state);
  put_honesty (builder, log, extra);
  json_builder_end_object (builder);
  cli_print_json (builder);
}

void
cli_print_summary (TraceLog          *log,
                   const MapState    *state,
                   const CliRunFacts *extra,
                   gboolean           as_json) {
  if (as_json)
    print_json (log, state, extra);
  else
    print_text (log, state, extra);
}
