/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-scenario.c — scenarios from JSON and back */
#include "core/workload/scenario.h"

#include <string.h>

/* A whole small document with one %s to put something wrong into. */
#define HEAD "{\"title\":\"t\",\"summary\":\"s\",\"watch-for\":\"w\",\"learn\":\"l\","
#define GROUP "{\"role\":\"r\",\"mix\":{\"load\":1}}"
#define PHASE "{\"name\":\"p\",\"duration\":1,\"threads\":[" GROUP "]}"
#define TAIL "\"phases\":[" PHASE "]}"

static void
test_shipped (void) {
  const char *const *names = scenario_builtin_names ();

  for (guint i = 0; names[i] != NULL; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (Scenario) scenario = scenario_new_builtin (names[i], &error);
    g_autoptr (Scenario) again = NULL;
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;

    g_assert_no_error (error);
    g_assert_cmpstr (scenario->name, ==, names[i]);
    g_assert_cmpuint (scenario_get_n_threads (scenario), >=, 1);
    g_assert_nonnull (scenario->simplified);
    first = scenario_to_json (scenario);
    again = scenario_new_from_json (first, -1, names[i], &error);
    g_assert_no_error (error);
    second = scenario_to_json (again);
    g_assert_cmpstr (first, ==, second);
  }
  g_assert_null (scenario_new_builtin ("no-such", NULL));
}

static void
test_copy (void) {
  g_autoptr (Scenario) scenario = scenario_new_builtin ("first-promotion", NULL);
  g_autoptr (Scenario) copy = scenario_copy (scenario);
  g_autofree char *first = scenario_to_json (scenario);
  g_autofree char *second = scenario_to_json (copy);
  ScenarioPhase *phase = g_ptr_array_index (copy->phases, 0);

  g_assert_cmpstr (first, ==, second);
  g_array_set_size (phase->script, 0);
  g_ptr_array_set_size (copy->phases, 1);
  g_free (second);
  second = scenario_to_json (scenario);
  g_assert_cmpstr (first, ==, second);
}

/* Numbers that a JSON writer likes to give in the short form 1e-05. */
static void
test_tiny_numbers (void) {
  static const double tiny[] = { 1e-5, 5e-5, 1e-8, 1.25e-7, 3e-300 };

  for (guint i = 0; i < G_N_ELEMENTS (tiny); i++) {
    g_autoptr (Scenario) scenario = scenario_new_builtin ("first-promotion", NULL);
    g_autoptr (Scenario) again = NULL;
    g_autoptr (GError) error = NULL;
    g_autofree char *json = NULL;
    ScenarioPhase *phase = g_ptr_array_index (scenario->phases, 0);
    ThreadGroup *group = g_ptr_array_index (phase->threads, 0);
    double found;

    group->mix.clear = tiny[i];
    json = scenario_to_json (scenario);
    again = scenario_new_from_json (json, -1, "x", &error);
    g_assert_no_error (error);
    phase = g_ptr_array_index (again->phases, 0);
    group = g_ptr_array_index (phase->threads, 0);
    found = group->mix.clear;
    g_assert_cmpfloat_with_epsilon (found / tiny[i], 1, 1e-9);
  }
}

static void
test_values (void) {
  static const char json[]
      = HEAD "\"engine\":\"syncmap\",\"recordcount\":9,\"seed\":9007199254740991,"
             "\"hash\":\"all-equal\",\"key-text\":\"user%04d\",\"phases\":[{"
             "\"name\":\"p\",\"operationcount\":5,\"script\":[{\"op\":\"swap\","
             "\"key\":-3,\"value\":8,\"repeat\":2,\"step\":-1}],\"threads\":["
             "{\"role\":\"a\",\"count\":2,\"target\":0.5,\"mix\":{\"insert\":2.5}},"
             "{\"role\":\"b\",\"rangepause\":7,\"mix\":{\"range\":1},"
             "\"requestdistribution\":\"zipfian\",\"zipfianconstant\":1.2}]}]}";
  g_autoptr (GError) error = NULL;
  g_autoptr (Scenario) scenario = scenario_new_from_json (json, -1, "x", &error);
  const ScenarioPhase *phase;
  const ThreadGroup *group;
  const ScriptedOp *op;

  g_assert_no_error (error);
  g_assert_cmpuint (scenario->seed, ==, 9007199254740991);
  g_assert_cmpint (scenario->hash, ==, HASH_ALL_EQUAL);
  g_assert_cmpuint (scenario_get_n_threads (scenario), ==, 3);
  g_assert_cmpuint (scenario_get_group (scenario, 1), ==, 0);
  g_assert_cmpuint (scenario_get_group (scenario, 2), ==, 1);
  phase = g_ptr_array_index (scenario->phases, 0);
  g_assert_cmpuint (phase->operationcount, ==, 5);
  op = &g_array_index (phase->script, ScriptedOp, 0);
  g_assert_cmpint (op->op, ==, OP_SWAP);
  g_assert_cmpint (op->key, ==, -3);
  g_assert_cmpint (op->step, ==, -1);
  group = g_ptr_array_index (phase->threads, 0);
  g_assert_cmpfloat (group->target, ==, 0.5);
  g_assert_cmpfloat (group->mix.insert, ==, 2.5);
  g_assert_cmpfloat (group->rangepause, <, 0);
  group = g_ptr_array_index (phase->threads, 1);
  g_assert_cmpfloat (group->rangepause, ==, 7);
  g_assert_cmpint (group->keys.distribution, ==, KEYS_ZIPFIAN);
  g_assert_cmpfloat (group->keys.zipfianconstant, ==, 1.2);
}

static void
test_telling (void) {
  static const char head[] = HEAD "\"engine\":\"gomap\",\"recordcount\":1,";
  static const struct {
    const char      *members;
    OperationTelling telling;
    gboolean         stops_on_misuse;
    gboolean         drops;
  } cases[] = {
    { "", TELLING_COUNTS, TRUE },
    { "\"history\":true,\"onmisuse\":\"stop\",", TELLING_WHOLE, TRUE },
    { "\"onmisuse\":\"count\",", TELLING_COUNTS, FALSE },
    { "\"telling\":\"counts\",\"history\":false,", TELLING_COUNTS, TRUE },
    { "\"telling\":\"brief\",", TELLING_BRIEF, TRUE, FALSE },
    { "\"overflow\":\"wait\",", TELLING_COUNTS, TRUE, FALSE },
    { "\"overflow\":\"drop\",", TELLING_COUNTS, TRUE, TRUE },
    { "\"telling\":\"whole\",", TELLING_WHOLE, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *json = g_strconcat (head, cases[i].members, TAIL, NULL);
    g_autoptr (GError) error = NULL;
    g_autoptr (Scenario) scenario = scenario_new_from_json (json, -1, "x", &error);
    g_autoptr (Scenario) again = NULL;
    g_autofree char *told = NULL;

    g_assert_no_error (error);
    g_assert_cmpint (scenario->telling, ==, cases[i].telling);
    g_assert_cmpint (scenario->drops, ==, cases[i].drops);
    g_assert_cmpint (scenario->stops_on_misuse, ==, cases[i].stops_on_misuse);
    told = scenario_to_json (scenario);
    again = scenario_new_from_json (told, -1, "x", &error);
    g_assert_no_error (error);
    g_assert_cmpint (again->telling, ==, cases[i].telling);
    g_assert_cmpint (again->drops, ==, cases[i].drops);
    g_assert_cmpint (again->stops_on_misuse, ==, cases[i].stops_on_misuse);
  }
}

static const struct {
  const char *json;
  const char *message;
} malformed[] = {
  { "[]", "bad.json: wanted an object, found a list" },
  { "7", "bad.json: wanted an object, found 7" },
  { "{}", "bad.json: title: wanted a text, found nothing" },
  { "{\"title\":4}", "bad.json: title: wanted a text, found 4" },
  { HEAD "\"engine\":\"syncmap\",\"sede\":1," TAIL,
    "bad.json: sede: wanted one of $schema, title, summary, watch-for, learn, "
    "simplified, engine, hash, hint, shards, seed, recordcount, preload, "
    "preload-promoted, key-text, telling, history, overflow, onmisuse, phases, found a member of another name" },
  { HEAD "\"engine\":\"syncmap\",\"hash\":\"md5\"," TAIL,
    "bad.json: hash: wanted one of good, identity, all-equal, top-bits, found "
    "“md5”" },
  { HEAD "\"engine\":\"syncmap\",\"recordcount\":-1," TAIL,
    "bad.json: recordcount: wanted 0 to 16777216, found -1" },
  { HEAD "\"engine\":\"syncmap\",\"recordcount\":1.5," TAIL,
    "bad.json: recordcount: wanted 0 to 16777216, found 1.5" },
  { HEAD "\"engine\":\"syncmap\"," TAIL,
    "bad.json: recordcount: wanted 1 or more, since a mix draws from these "
    "keys, found 0" },
  { HEAD "\"engine\":\"syncmap\",\"preload\":1," TAIL,
    "bad.json: preload: wanted true or false, found 1" },
  { HEAD "\"engine\":\"syncmap\",\"history\":\"yes\"," TAIL,
    "bad.json: history: wanted true or false, found “yes”" },
  { HEAD "\"engine\":\"syncmap\",\"telling\":\"all\"," TAIL,
    "bad.json: telling: wanted one of counts, brief, whole, found “all”" },
  { HEAD "\"engine\":\"syncmap\",\"overflow\":true," TAIL,
    "bad.json: overflow: wanted a text, found true" },
  { HEAD "\"engine\":\"syncmap\",\"onmisuse\":\"crash\"," TAIL,
    "bad.json: onmisuse: wanted one of stop, count, found “crash”" },
  { HEAD "\"engine\":\"syncmap\",\"recordcount\":1,\"key-text\":\"%s%d\"," TAIL,
    "bad.json: key-text: wanted a text with one %d (or %04d) and no other %, "
    "found “%s%d”" },
  { HEAD "\"engine\":\"syncmap\",\"phases\":[]}",
    "bad.json: phases: wanted 1 to 64 elements, found none" },
  { HEAD "\"engine\":\"syncmap\",\"phases\":[3]}",
    "bad.json: phases[0]: wanted an object, found 3" },
  { HEAD "\"engine\":\"syncmap\",\"recordcount\":1,\"phases\":[" PHASE
         ",{\"name\":\"q\",\"duration\":1,\"threads\":[{\"role\":\"r\","
         "\"count\":0}]}]}",
    "bad.json: phases[1].threads[0].count: wanted 1 to 64, found 0" },
  { HEAD "\"engine\":\"syncmap\",\"recordcount\":1,\"phases\":[" PHASE
         ",{\"name\":\"q\",\"duration\":1,\"threads\":[{\"role\":\"r\","
         "\"count\":2}]}]}",
    "bad.json: phases[1].threads[0]: wanted 1 of role “r” as in phases[0], "
    "found 2 of role “r”" },
  { HEAD "\"engine\":\"syncmap\",\"recordcount\":1,\"phases\":[" PHASE
         ",{\"name\":\"q\",\"duration\":1,\"threads\":[" GROUP "," GROUP "]}]}",
    "bad.json: phases[1].threads: wanted 1 groups as in phases[0], found 2" },
  { HEAD "\"engine\":\"syncmap\",\"phases\":[{\"name\":\"p\",\"threads\":["
         "{\"role\":\"r\"}]}]}",
    "bad.json: phases[0]: wanted a duration, an operationcount or a script, "
    "found none of them" },
  { HEAD "\"engine\":\"syncmap\",\"phases\":[{\"name\":\"p\",\"duration\":1,"
         "\"threads\":[{\"role\":\"r\",\"mix\":{\"lod\":1}}]}]}",
    "bad.json: phases[0].threads[0].mix.lod: wanted one of load, store, insert, "
    "load-or-store, load-and-delete, delete, swap, compare-and-swap, "
    "compare-and-delete, range, clear, snapshot, found a member of another name" },
  { HEAD "\"engine\":\"syncmap\",\"phases\":[{\"name\":\"p\",\"duration\":1,"
         "\"threads\":[{\"role\":\"r\",\"target\":\"fast\"}]}]}",
    "bad.json: phases[0].threads[0].target: wanted a number from 0 to 1000000, "
    "found “fast”" },
  { HEAD "\"engine\":\"syncmap\",\"phases\":[{\"name\":\"p\",\"duration\":1,"
         "\"script\":[{\"op\":\"put\"}],\"threads\":[{\"role\":\"r\"}]}]}",
    "bad.json: phases[0].script[0].op: wanted one of load, store, load-or-store,"
    " load-and-delete, delete, swap, compare-and-swap, compare-and-delete, "
    "range, clear, len, found “put”" },
  { HEAD "\"engine\":\"syncmap\",\"phases\":[{\"name\":\"p\",\"duration\":1,"
         "\"threads\":[{\"role\":\"r\",\"count\":64},{\"role\":\"s\"}]}]}",
    "bad.json: phases[0].threads: wanted at most 64 threads in all, found 65" },
};

static void
test_malformed (void) {
  for (guint i = 0; i < G_N_ELEMENTS (malformed); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (
        scenario_new_from_json (malformed[i].json, -1, "bad", &error));
    g_assert_error (error, SCENARIO_ERROR, SCENARIO_ERROR_INVALID);
    g_assert_cmpstr (error->message, ==, malformed[i].message);
  }
}

static void
test_no_json (void) {
  static const char *const texts[] = { "", "{", "{\"a\":}", "\xff\xfe", "nope" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (scenario_new_from_json (texts[i], -1, "bad", &error));
    g_assert_nonnull (error);
    g_assert_true (g_str_has_prefix (error->message, "bad.json: wanted "));
    g_test_message ("%s", error->message);
  }
}

static void
test_deep_nesting (void) {
  g_autofree char *text = g_malloc (100001);
  g_autoptr (GError) error = NULL;

  memset (text, '[', 100000);
  text[100000] = '\0';
  g_assert_null (scenario_new_from_json (text, -1, "bad", &error));
  g_assert_cmpstr (error->message, ==,
                   "bad.json: wanted at most 4096 brackets, found more");
}

static void
test_key_text (void) {
  g_autofree char *plain = scenario_key_text ("k%d", 17);
  g_autofree char *padded = scenario_key_text ("user%04d!", 17);
  g_autofree char *none = scenario_key_text (NULL, -5);

  g_assert_cmpstr (plain, ==, "k17");
  g_assert_cmpstr (padded, ==, "user0017!");
  g_assert_cmpstr (none, ==, "-5");
  g_assert_false (scenario_key_text_is_valid ("k"));
  g_assert_false (scenario_key_text_is_valid ("%n%d"));
  g_assert_false (scenario_key_text_is_valid ("%"));
  g_assert_false (scenario_key_text_is_valid ("%d%d"));
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/core/scenario/shipped-ones-round-trip", test_shipped);
  g_test_add_func ("/core/scenario/copies-share-nothing", test_copy);
  g_test_add_func ("/core/scenario/reads-every-value", test_values);
  g_test_add_func ("/core/scenario/judged-and-stopped", test_telling);
  g_test_add_func ("/core/scenario/names-what-is-wrong", test_malformed);
  g_test_add_func ("/core/scenario/writes-tiny-numbers", test_tiny_numbers);
  g_test_add_func ("/core/scenario/refuses-what-is-no-json", test_no_json);
  g_test_add_func ("/core/scenario/refuses-deep-nesting", test_deep_nesting);
  g_test_add_func ("/core/scenario/writes-keys", test_key_text);
  return g_test_run ();
}
