/* SPDX-License-Identifier: GPL-3.0-or-later */

/* scenario.c — what a scenario is made of
 *
 * The struct itself: making, copying and freeing it, the names its JSON uses,
 * and the scenarios that come with the program. Reading JSON is
 * scenario-load.c, writing it scenario-json.c.
 *
 * Shipped     data/scenarios/NAME.json, compiled in as a GResource. The list
 *             below gives their order, from the first lesson to the last; a
 *             test loads every one of them.
 */
#include "core/workload/scenario-private.h"

#include "core/workload/scenario-resources.h"

#include <glib/gi18n-lib.h>
#include <stddef.h>
#include <string.h>

#define RESOURCE_PREFIX "/io/github/tophash/Tophash/scenarios/"

static const char *const builtin_names[] = {
  "first-promotion",
  "scrape-tax",
  "ghost-keys",
  "growth",
  "order-churn",
  "read-mostly",
  "one-lock",
  "writer-at-the-door",
  "hot-shard",
  "open-view",
  "full-speed",
  "two-writers",
  "reader-and-writer",
  "iteration-and-write",
  NULL,
};

static const struct {
  const char *name;
  gsize       offset;
} mix_members[OPERATION_MIX_N] = {
  { "load", offsetof (OperationMix, load) },
  { "store", offsetof (OperationMix, store) },
  { "insert", offsetof (OperationMix, insert) },
  { "load-or-store", offsetof (OperationMix, load_or_store) },
  { "load-and-delete", offsetof (OperationMix, load_and_delete) },
  { "delete", offsetof (OperationMix, delete_key) },
  { "swap", offsetof (OperationMix, swap) },
  { "compare-and-swap", offsetof (OperationMix, compare_and_swap) },
  { "compare-and-delete", offsetof (OperationMix, compare_and_delete) },
  { "range", offsetof (OperationMix, range) },
  { "clear", offsetof (OperationMix, clear) },
  { "snapshot", offsetof (OperationMix, snapshot) },
};

G_DEFINE_QUARK (tophash-scenario-error-quark, scenario_error)

double *
operation_mix_share (OperationMix *mix,
                     guint         index) {
  g_return_val_if_fail (index < OPERATION_MIX_N, NULL);
  return (double *)(void *)((char *)mix + mix_members[index].offset);
}

const char *
operation_mix_name (guint index) {
  return index < OPERATION_MIX_N ? mix_members[index].name : NULL;
}

const char *
key_distribution_name (KeyDistribution distribution) {
  switch (distribution) {
  case KEYS_UNIFORM:
    return "uniform";
  case KEYS_SEQUENTIAL:
    return "sequential";
  case KEYS_ZIPFIAN:
    return "zipfian";
  case KEYS_HOTSPOT:
    return "hotspot";
  }
  return NULL;
}

const char *
operation_telling_name (OperationTelling telling) {
  switch (telling) {
  case TELLING_COUNTS:
    return "counts";
  case TELLING_BRIEF:
    return "brief";
  case TELLING_WHOLE:
    return "whole";
  case TELLING_N_KINDS:
    break;
  }
  return NULL;
}

static void
thread_group_free (gpointer data) {
  ThreadGroup *group = data;

  g_free (group->role);
  g_free (group);
}

ThreadGroup *
thread_group_new (const char *role) {
  ThreadGroup *group = g_new0 (ThreadGroup, 1);

  group->role = g_strdup (role);
  group->count = 1;
  group->keys.distribution = KEYS_UNIFORM;
  group->keys.zipfianconstant = 0.99;
  group->keys.hotspotdatafraction = 0.2;
  group->keys.hotspotopnfraction = 0.8;
  group->rangepause = -1;
  return group;
}

static void
phase_free (gpointer data) {
  ScenarioPhase *phase = data;

  g_free (phase->name);
  g_ptr_array_unref (phase->threads);
  g_array_unref (phase->script);
  g_free (phase);
}

ScenarioPhase *
scenario_phase_new (const char *name) {
  ScenarioPhase *phase = g_new0 (ScenarioPhase, 1);

  phase->name = g_strdup (name);
  phase->threads = g_ptr_array_new_with_free_func (thread_group_free);
  phase->script = g_array_new (FALSE, TRUE, sizeof (ScriptedOp));
  return phase;
}

static gpointer
copy_group (gconstpointer source,
            gpointer      data) {
  ThreadGroup *copy = g_memdup2 (source, sizeof *copy);

  copy->role = g_strdup (copy->role);
  return copy;
}

static gpointer
copy_phase (gconstpointer source,
            gpointer      data) {
  ScenarioPhase *copy = g_memdup2 (source, sizeof *copy);

  copy->name = g_strdup (copy->name);
  copy->threads = g_ptr_array_copy (copy->threads, copy_group, NULL);
  g_ptr_array_set_free_func (copy->threads, thread_group_free);
  copy->script = g_array_copy (copy->script);
  return copy;
}

Scenario *
scenario_new_empty (const char *name) {
  Scenario *self = g_new0 (Scenario, 1);

  self->name = g_strdup (name);
  self->hash = HASH_GOOD;
  self->stops_on_misuse = TRUE;
  self->phases = g_ptr_array_new_with_free_func (phase_free);
  return self;
}

Scenario *
scenario_copy (const Scenario *self) {
  Scenario *copy;

  g_return_val_if_fail (self != NULL, NULL);
  copy = g_memdup2 (self, sizeof *copy);
  copy->name = g_strdup (self->name);
  copy->title = g_strdup (self->title);
  copy->summary = g_strdup (self->summary);
  copy->watch_for = g_strdup (self->watch_for);
  copy->learn = g_strdup (self->learn);
  copy->simplified = g_strdup (self->simplified);
  copy->engine = g_strdup (self->engine);
  copy->key_text = g_strdup (self->key_text);
  copy->phases = g_ptr_array_copy (self->phases, copy_phase, NULL);
  g_ptr_array_set_free_func (copy->phases, phase_free);
  return copy;
}

void
scenario_free (Scenario *self) {
  if (self == NULL)
    return;
  g_free (self->name);
  g_free (self->title);
  g_free (self->summary);
  g_free (self->watch_for);
  g_free (self->learn);
  g_free (self->simplified);
  g_free (self->engine);
  g_free (self->key_text);
  g_ptr_array_unref (self->phases);
  g_free (self);
}

const char *const *
scenario_builtin_names (void) {
  return builtin_names;
}

Scenario *
scenario_new_builtin (const char *name,
                      GError    **error) {
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *path = NULL;
  gconstpointer text;
  gsize length;

  if (!g_strv_contains (builtin_names, name))
    return NULL;
  path = g_strconcat (RESOURCE_PREFIX, name, ".json", NULL);
  bytes = g_resource_lookup_data (tophash_scenarios_get_resource (), path,
                                  G_RESOURCE_LOOKUP_FLAGS_NONE, error);
  if (bytes == NULL)
    return NULL;
  text = g_bytes_get_data (bytes, &length);
  return scenario_new_from_json (text, (gssize)length, name, error);
}

Scenario *
scenario_new_from_file (GFile   *file,
                        GError **error) {
  g_autofree char *base = g_file_get_basename (file);
  g_autofree char *text = NULL;
  gsize length;

  if (!g_file_load_contents (file, NULL, &text, &length, NULL, error))
    return NULL;
  if (base != NULL && g_str_has_suffix (base, ".json"))
    base[strlen (base) - strlen (".json")] = '\0';
  return scenario_new_from_json (text, (gssize)length,
                                 base != NULL ? base : "scenario", error);
}

guint
scenario_get_n_threads (const Scenario *self) {
  const ScenarioPhase *phase = g_ptr_array_index (self->phases, 0);
  guint n_threads = 0;

  for (guint i = 0; i < phase->threads->len; i++) {
    const ThreadGroup *group = g_ptr_array_index (phase->threads, i);

    n_threads += group->count;
  }
  return n_threads;
}

guint
scenario_get_group (const Scenario *self,
                    guint           worker) {
  const ScenarioPhase *phase = g_ptr_array_index (self->phases, 0);

  for (guint i = 0; i < phase->threads->len; i++) {
    const ThreadGroup *group = g_ptr_array_index (phase->threads, i);

    if (worker < group->count)
      return i;
    worker -= group->count;
  }
  g_return_val_if_reached (0);
}

/* Where the conversion stands: @percent at its %, @after behind its d, @width
 * what %04d asks for. */
static gboolean
find_conversion (const char  *text,
                 const char **percent,
                 const char **after,
                 int         *width) {
  const char *at = strchr (text, '%');

  *percent = at;
  *width = 0;
  if (at == NULL)
    return FALSE;
  at++;
  if (at[0] == '0' && g_ascii_isdigit (at[1]) && at[1] != '0') {
    *width = at[1] - '0';
    at += 2;
  }
  *after = at + 1;
  return *at == 'd' && strchr (at, '%') == NULL;
}

gboolean
scenario_key_text_is_valid (const char *key_text) {
  const char *percent, *after;
  int width;

  return find_conversion (key_text, &percent, &after, &width);
}

char *
scenario_key_text (const char *key_text,
                   gint64      key) {
  const char *percent, *after;
  int width;

  if (key_text == NULL || !find_conversion (key_text, &percent, &after, &width))
    return g_strdup_printf ("%" G_GINT64_FORMAT, key);
  return g_strdup_printf ("%.*s%0*" G_GINT64_FORMAT "%s",
                          (int)(percent - key_text), key_text, width, key,
                          after);
}

/* The empty text is the head of a catalogue, which nobody wants to read. */
const char *
scenario_translate (const char *text) {
  return text == NULL || *text == '\0' ? text
                                       : g_dgettext (GETTEXT_PACKAGE, text);
}
