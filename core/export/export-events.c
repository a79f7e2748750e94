/* SPDX-License-Identifier: GPL-3.0-or-later */

/* export-events.c — every event, and the stream of changes
 *
 * CSV         index,at_ns,thread,kind,op,key,res,ver,aux8,aux16,a,b[,text]
 *             op and key are empty where an event has none; the other fields are
 *             those of the event as event.h tells them, a and b as signed
 *             numbers.
 * JSON        the same names, one object a line; op and key are left out where
 *             there is none. Numbers are whole and may need 64 bits.
 * Changes     {"index","at_ns","thread","change","key","value","version"}: in
 *             the order in which they happened to each key. The version is the
 *             entry's, or the map's for tables without entries; entry versions
 *             wrap at 2^17. "clear" and "promote" concern no key.
 */
#include "core/export/export-private.h"

#include "core/model/narrator.h"
#include "core/workload/scenario.h"

/* Facts of an event that only its kind tells how to find. */
typedef struct {
  const char *op;      /* NULL: none */
  gboolean    has_key;
  gint64      key;
} EventFacts;

static EventFacts
facts_of (ExportJob   *job,
          const Event *event) {
  EventFacts facts = { NULL };

  if (event->kind == EVENT_OP_BEGAN || event->kind == EVENT_OP_ENDED
      || event->kind == EVENT_OPS_COUNTED)
    facts.op = op_kind_name (event->aux8);
  if (event->kind == EVENT_OP_BEGAN) {
    facts.has_key = event->aux8 != OP_RANGE && event->aux8 != OP_CLEAR
                    && event->aux8 != OP_LEN;
    facts.key = (gint64)event->a;
    export_lane (job, event->thread)->key = facts.key;
  } else if (event->kind == EVENT_OP_ENDED) {
    facts.has_key = event->aux8 != OP_RANGE && event->aux8 != OP_CLEAR
                    && event->aux8 != OP_LEN;
    facts.key = export_lane (job, event->thread)->key;
  } else if (event->kind == EVENT_SLOT_WRITTEN
             || event->kind == EVENT_SLOT_UPDATED
             || event->kind == EVENT_RANGE_YIELDED
             || event->kind == EVENT_SNAPSHOT_GAVE) {
    facts.has_key = TRUE;
    facts.key = (gint64)event->a;
  }
  return facts;
}

static gboolean
matches (ExportJob   *job,
         const Event *event) {
  return job->query == NULL || query_walk_matches (job->query, event, job->state);
}

static void
narrate (ExportJob   *job,
         const Event *event,
         guint64      index) {
  g_clear_pointer (&job->sentence, g_free);
  if (job->options->narrates)
    job->sentence
        = narrator_event (event, job->state, job->key_text, NARRATION_PLAIN);
}

/* CSV ---------------------------------------------------------------------- */

static void
begin_csv (ExportJob *job) {
  g_string_append (job->text,
                   "index,at_ns,thread,kind,op,key,res,ver,aux8,aux16,a,b");
  g_string_append (job->text, job->options->narrates ? ",text\r\n" : "\r\n");
}

/* A field in quotes, which are doubled inside. */
static void
put_csv_text (GString    *line,
              const char *text) {
  g_string_append_c (line, '"');
  for (; *text != '\0'; text++) {
    if (*text == '"')
      g_string_append_c (line, '"');
    g_string_append_c (line, *text);
  }
  g_string_append_c (line, '"');
}

static void
put_csv (ExportJob   *job,
         const Event *event,
         guint64      index) {
  EventFacts facts = facts_of (job, event);

  if (!matches (job, event))
    return;
  g_string_append_printf (job->text, "%" G_GUINT64_FORMAT ",%" G_GINT64_FORMAT
                                     ",%s,%s,%s,",
                          index, event->at_ns,
                          export_thread_name (event->thread),
                          event_kind_name (event->kind),
                          facts.op != NULL ? facts.op : "");
  if (facts.has_key) {
    g_autofree char *key = scenario_key_text (job->key_text, facts.key);

    put_csv_text (job->text, key);
  }
  g_string_append_printf (job->text,
                          ",%u,%u,%u,%u,%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT,
                          event->res, event->ver, event->aux8, event->aux16,
                          (gint64)event->a, (gint64)event->b);
  if (job->sentence != NULL) {
    g_string_append_c (job->text, ',');
    put_csv_text (job->text, job->sentence);
  }
  g_string_append (job->text, "\r\n");
}

const ExportWay export_events_csv = {
  .begin = begin_csv,
  .event = narrate,
  .after = put_csv,
};

/* JSON lines --------------------------------------------------------------- */

static void
put_head (ExportJob   *job,
          const Event *event,
          guint64      index) {
  g_string_append_printf (job->text,
                          "{\"index\":%" G_GUINT64_FORMAT
                          ",\"at_ns\":%" G_GINT64_FORMAT ",\"thread\":\"%s\"",
                          index, event->at_ns, export_thread_name (event->thread));
}

static void
put_json (ExportJob   *job,
          const Event *event,
          guint64      index) {
  EventFacts facts = facts_of (job, event);

  if (!matches (job, event))
    return;
  put_head (job, event, index);
  g_string_append_printf (job->text, ",\"kind\":\"%s\"",
                          event_kind_name (event->kind));
  if (facts.op != NULL)
    g_string_append_printf (job->text, ",\"op\":\"%s\"", facts.op);
  if (facts.has_key) {
    g_string_append (job->text, ",\"key\":");
    export_put_key (job, facts.key);
  }
  g_string_append_printf (job->text,
                          ",\"res\":%u,\"ver\":%u,\"aux8\":%u,\"aux16\":%u"
                          ",\"a\":%" G_GINT64_FORMAT ",\"b\":%" G_GINT64_FORMAT,
                          event->res, event->ver, event->aux8, event->aux16,
                          (gint64)event->a, (gint64)event->b);
  if (job->sentence != NULL) {
    g_string_append (job->text, ",\"text\":");
    export_put_string (job->text, job->sentence);
  }
  g_string_append (job->text, "}\n");
}

const ExportWay export_events_json = {
  .event = narrate,
  .after = put_json,
};

/* Changes ------------------------------------------------------------------ */

static void
put_change (ExportJob   *job,
            const Event *event,
            guint64      index,
            const char  *change,
            gboolean     has_key,
            gint64       key,
            gboolean     has_value,
            gint64       value) {
  put_head (job, event, index);
  g_string_append_printf (job->text, ",\"change\":\"%s\"", change);
  if (has_key) {
    g_string_append (job->text, ",\"key\":");
    export_put_key (job, key);
  }
  if (has_value)
    g_string_append_printf (job->text, ",\"value\":%" G_GINT64_FORMAT, value);
  g_string_append_printf (job->text, ",\"version\":%u}\n", event->ver);
}

/* Of an entry, which the state knows the key of. Where entries have versions, the
 * newest one says what the key holds now. */
static void
put_entry_change (ExportJob   *job,
                  const Event *event,
                  guint64      index) {
  StateEntry entry = map_state_entry (job->state, event->res);
  const char *change = event->kind == EVENT_ENTRY_STORED     ? "store"
                       : event->kind == EVENT_ENTRY_DELETED  ? "delete"
                       : event->kind == EVENT_ENTRY_EXPUNGED ? "expunge"
                                                             : "unexpunge";
  gboolean has_value = event->kind == EVENT_ENTRY_STORED;
  guint64 link = entry.newest;
  StateVersion version;

  if (has_value && map_state_next_version (job->state, &link, &version)) {
    has_value = !version.is_deleted;
    entry.value = version.value;
    change = has_value ? "store" : "delete";
  }
  put_change (job, event, index, change, entry.is_known, entry.key, has_value,
              entry.value);
}

/* NULL: the event's table is unknown, or holds entries, which tell themselves. */
static const StateTable *
table_of_values (const ExportJob *job,
                 const Event     *event) {
  for (guint i = map_state_n_tables (job->state); i-- > 0;) {
    const StateTable *table = map_state_table (job->state, i);

    if (table->id == event->aux16)
      return (table->flags_table & TABLE_HOLDS_ENTRIES) != 0 ? NULL : table;
  }
  return NULL;
}

/* Notes the key of the slot that the fold is about to empty. */
static void
before_change (ExportJob   *job,
               const Event *event,
               guint64      index) {
  const StateTable *table;
  guint bucket = event->res / BUCKET_SLOTS;

  job->has_cleared_key = FALSE;
  if (event->kind != EVENT_SLOT_CLEARED)
    return;
  table = table_of_values (job, event);
  if (table == NULL || table->buckets == NULL
      || bucket >= state_array_n_buckets (table->buckets))
    return;
  job->has_cleared_key = TRUE;
  job->cleared_key = state_array_bucket (table->buckets, bucket)
                         ->keys[event->res % BUCKET_SLOTS];
}

static void
after_change (ExportJob   *job,
              const Event *event,
              guint64      index) {
  EventKind kind = (EventKind)event->kind;

  if (!matches (job, event))
    return;
  if (kind == EVENT_ENTRY_STORED || kind == EVENT_ENTRY_DELETED
      || kind == EVENT_ENTRY_EXPUNGED || kind == EVENT_ENTRY_UNEXPUNGED)
    put_entry_change (job, event, index);
  else if ((kind == EVENT_SLOT_WRITTEN || kind == EVENT_SLOT_UPDATED)
           && table_of_values (job, event) != NULL)
    put_change (job, event, index,
                kind == EVENT_SLOT_WRITTEN ? "insert" : "update", TRUE,
                (gint64)event->a, TRUE, (gint64)event->b);
  else if (kind == EVENT_SLOT_CLEARED && job->has_cleared_key)
    put_change (job, event, index, "delete", TRUE, job->cleared_key, FALSE, 0);
  else if (kind == EVENT_TABLE_CLEARED)
    put_change (job, event, index, "clear", FALSE, 0, FALSE, 0);
  else if (kind == EVENT_DIRTY_PROMOTED)
    put_change (job, event, index, "promote", FALSE, 0, FALSE, 0);
}

const ExportWay export_changes = {
  .needs_state = TRUE,
  .event = before_change,
  .after = after_change,
};
