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
 *             wrap at 2^17. "clear" (an empty read too) and "promote" concern
 *             no key. A sharded map is cleared shard by shard, while others write
 *             to it: its keys are told as deletes, one by one.
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

/* Of an operation that began before the span asked for, or in a gap, nobody knows
 * the key when it ends. */
static void
end_op (ExportLane  *lane,
        const Event *event,
        EventFacts  *facts) {
  if (!export_op_has_key (event->aux8))
    return;
  facts->has_key = lane->op.at_ns >= 0 && lane->op_kind == event->aux8;
  facts->key = lane->key;
  lane->op.at_ns = -1;
}

static EventFacts
facts_of (ExportJob   *job,
          const Event *event) {
  ExportLane *lane = export_lane (job, event->thread);
  EventFacts facts = { NULL };

  if (event->kind == EVENT_OP_BEGAN || event->kind == EVENT_OP_ENDED
      || event->kind == EVENT_OPS_COUNTED || event->kind == EVENT_OP_TOLD)
    facts.op = op_kind_name (event->aux8);
  if (event->kind == EVENT_OP_BEGAN) {
    facts.has_key = export_op_has_key (event->aux8);
    facts.key = (gint64)event->a;
    if (facts.has_key) {
      lane->op_kind = event->aux8;
      lane->key = facts.key;
      lane->op.at_ns = event->at_ns;
    }
  } else if (event->kind == EVENT_OP_ENDED) {
    end_op (lane, event, &facts);
  } else if (event->kind == EVENT_OP_TOLD) {
    facts.has_key = export_op_has_key (event->aux8);
    facts.key = event_told_key (event);
  } else if (event->kind == EVENT_SLOT_WRITTEN
             || event->kind == EVENT_SLOT_UPDATED
             || event->kind == EVENT_RANGE_YIELDED
             || event->kind == EVENT_SNAPSHOT_GAVE) {
    facts.has_key = TRUE;
    facts.key = (gint64)event->a;
  } else if (event->kind == EVENT_DROPPED) {
    /* What ends behind the gap may have begun in it. */
    lane->op.at_ns = -1;
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
    export_put_key (job, job->text, facts.key);
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
            gint64       value,
            guint32      version) {
  put_head (job, event, index);
  g_string_append_printf (job->text, ",\"change\":\"%s\"", change);
  if (has_key) {
    g_string_append (job->text, ",\"key\":");
    export_put_key (job, job->text, key);
  }
  if (has_value)
    g_string_append_printf (job->text, ",\"value\":%" G_GINT64_FORMAT, value);
  g_string_append_printf (job->text, ",\"version\":%u}\n", version);
}

/* Whether a slot of read or dirty refers to entry @id under @key. */
static gboolean
is_reached (const MapState *state,
            guint32         id,
            gint64          key) {
  static const TableRole roles[] = { TABLE_ROLE_READ, TABLE_ROLE_DIRTY };
  StateSlot slot;

  for (guint i = 0; i < G_N_ELEMENTS (roles); i++) {
    const StateTable *table = map_state_table_for (state, roles[i]);
    const StateArray *array;

    if (table == NULL || !map_state_find_key (state, table, key, &slot))
      continue;
    array = slot.in_old ? table->oldbuckets : table->buckets;
    if (state_array_bucket (array, slot.bucket)->elems[slot.slot] == id)
      return TRUE;
  }
  return FALSE;
}

static gboolean
has_versions (const MapState *state) {
  const StateTable *table = map_state_table_for (state, TABLE_ROLE_READ);

  return table != NULL && (table->flags_table & TABLE_HOLDS_VERSIONS) != 0;
}

/* Of an entry, which the state knows the key of. Where entries have versions, the
 * newest one says what the key holds now, and when an entry is nil in the end its
 * key was absent before. A new key's entry gets its value before it gets a slot:
 * that store is told with the slot. */
static void
put_entry_change (ExportJob   *job,
                  const Event *event,
                  guint64      index,
                  EventKind    kind,
                  guint32      id) {
  StateEntry entry = map_state_entry (job->state, id);
  const char *change = kind == EVENT_ENTRY_STORED     ? "store"
                       : kind == EVENT_ENTRY_DELETED  ? "delete"
                       : kind == EVENT_ENTRY_EXPUNGED ? "expunge"
                                                      : "unexpunge";
  gboolean has_value = kind == EVENT_ENTRY_STORED;
  guint64 link = entry.newest;
  StateVersion version;

  if (!entry.is_known || !is_reached (job->state, id, entry.key)) {
    if (kind == EVENT_ENTRY_STORED)
      g_hash_table_add (job->unplaced, GUINT_TO_POINTER (id));
    return;
  }
  g_hash_table_remove (job->unplaced, GUINT_TO_POINTER (id));
  if (kind == EVENT_ENTRY_DELETED && has_versions (job->state))
    return;

  if (has_value && map_state_next_version (job->state, &link, &version)) {
    has_value = !version.is_deleted;
    entry.value = version.value;
    change = has_value ? "store" : "delete";
  }
  put_change (job, event, index, change, TRUE, entry.key, has_value, entry.value,
              entry.version);
}

static const StateTable *
table_of (const ExportJob *job,
          const Event     *event) {
  for (guint i = map_state_n_tables (job->state); i-- > 0;)
    if (map_state_table (job->state, i)->id == event->aux16)
      return map_state_table (job->state, i);
  return NULL;
}

static gboolean
holds_values (const StateTable *table) {
  return table != NULL && (table->flags_table & TABLE_HOLDS_ENTRIES) == 0;
}

static void
note_keys (ExportJob        *job,
           const StateArray *array) {
  guint n = array != NULL ? state_array_n_buckets (array) : 0;

  for (guint i = 0; i < n; i++) {
    const StateBucket *slots = state_array_bucket (array, i);

    for (guint slot = 0; slot < BUCKET_SLOTS; slot++)
      if (slots->tophash[slot] >= TOPHASH_MIN)
        g_array_append_val (job->cleared_keys, slots->keys[slot]);
  }
}

/* A "clear", or of a shard what it had. */
static void
put_clear (ExportJob   *job,
           const Event *event,
           guint64      index) {
  const StateTable *table = table_of (job, event);

  if (table == NULL || table->role != TABLE_ROLE_SHARD)
    put_change (job, event, index, "clear", FALSE, 0, FALSE, 0, event->ver);
  for (guint i = 0; i < job->cleared_keys->len; i++)
    put_change (job, event, index, "delete", TRUE,
                g_array_index (job->cleared_keys, gint64, i), FALSE, 0,
                event->ver);
}

/* Notes the key of the slot that the fold is about to empty: of the one table, or
 * of dirty, where a key that read lacks is deleted by taking its slot. What its
 * entry does after that, nobody can reach. */
static void
before_change (ExportJob   *job,
               const Event *event,
               guint64      index) {
  const StateTable *table = NULL;
  const StateBucket *slots;
  guint bucket = event->res / BUCKET_SLOTS;
  guint slot = event->res % BUCKET_SLOTS;

  job->has_cleared_key = FALSE;
  g_array_set_size (job->cleared_keys, 0);
  if (event->kind == EVENT_SLOT_CLEARED || event->kind == EVENT_TABLE_CLEARED)
    table = table_of (job, event);
  if (table != NULL && event->kind == EVENT_TABLE_CLEARED
      && table->role == TABLE_ROLE_SHARD) {
    note_keys (job, table->buckets);
    note_keys (job, table->oldbuckets);
  }
  if (event->kind != EVENT_SLOT_CLEARED || table == NULL || table->buckets == NULL
      || bucket >= state_array_n_buckets (table->buckets))
    return;
  slots = state_array_bucket (table->buckets, bucket);
  job->cleared_key = slots->keys[slot];
  job->cleared_ver = event->ver;
  job->has_cleared_key = TRUE;
  if (!holds_values (table)) {
    StateEntry entry = map_state_entry (job->state, (guint32)slots->elems[slot]);

    job->cleared_ver = entry.version;
    job->has_cleared_key = entry.state == ENTRY_VALUE;
  }
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
    put_entry_change (job, event, index, kind, event->res);
  else if (kind == EVENT_SLOT_WRITTEN
           && g_hash_table_contains (job->unplaced,
                                     GUINT_TO_POINTER ((guint32)event->b))
           && !holds_values (table_of (job, event)))
    put_entry_change (job, event, index, EVENT_ENTRY_STORED, (guint32)event->b);
  else if ((kind == EVENT_SLOT_WRITTEN || kind == EVENT_SLOT_UPDATED)
           && holds_values (table_of (job, event)))
    put_change (job, event, index,
                kind == EVENT_SLOT_WRITTEN ? "insert" : "update", TRUE,
                (gint64)event->a, TRUE, (gint64)event->b, event->ver);
  else if (kind == EVENT_SLOT_CLEARED && job->has_cleared_key)
    put_change (job, event, index, "delete", TRUE, job->cleared_key, FALSE, 0,
                job->cleared_ver);
  else if (kind == EVENT_READ_PUBLISHED
           || (kind == EVENT_TABLE_CLEARED
               && holds_values (table_of (job, event))))
    put_clear (job, event, index);
  else if (kind == EVENT_DIRTY_PROMOTED)
    put_change (job, event, index, "promote", FALSE, 0, FALSE, 0, event->ver);
}

const ExportWay export_changes = {
  .needs_state = TRUE,
  .event = before_change,
  .after = after_change,
};
