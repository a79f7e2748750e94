/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-cli-check.c — tophash-cli check, on recordings that are right and wrong
 *
 * Right ones are recorded by the program itself. No engine gives a wrong one, so
 * those are told to a log by hand.
 */
#include "test-cli.h"

#include "core/record/tracelog-file.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

static const char scenario[]
    = "{\"title\": \"Check\", \"summary\": \"s\", \"watch-for\": \"w\","
      " \"learn\": \"l\", \"simplified\": \"s\", \"engine\": \"%s\","
      " \"recordcount\": 12, \"history\": %s, \"key-text\": \"k%%d\","
      " \"phases\": [{\"name\": \"p\", \"operationcount\": 2000, \"threads\":"
      " [{\"role\": \"w\", \"count\": 4, \"mix\": {\"load\": 4, \"store\": 3,"
      " \"delete\": 1, \"swap\": 1, \"compare-and-swap\": 1, \"range\": 0.1,"
      " \"clear\": 0.02}}]}]}";

/* (transfer full): the file */
static char *
record (const char *engine,
        const char *is_history) {
  g_autofree char *json = g_build_filename (test_folder (), "check.json", NULL);
  g_autofree char *text = NULL;
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  char *file = g_build_filename (test_folder (), "check.tophash", NULL);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  text = g_strdup_printf (scenario, engine, is_history);
#pragma GCC diagnostic pop
  g_assert_true (g_file_set_contents (json, text, -1, NULL));
  g_assert_cmpint (run_cli (&out, &err, "run", json, "--record", file, NULL), ==,
                   0);
  g_remove (json);
  return file;
}

/* (transfer full): what is printed; the exit code must be @wanted. */
static JsonNode *
check_json (const char *file,
            const char *option,
            int         wanted) {
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  g_autoptr (GError) error = NULL;
  JsonNode *root;

  g_assert_cmpint (run_cli (&out, &err, "check", file, "--json", option, NULL),
                   ==, wanted);
  g_assert_cmpstr (err, ==, "");
  root = json_from_string (out, &error);
  g_assert_no_error (error);
  return root;
}

static void
test_right (void) {
  static const char *const engines[] = { "syncmap", "mutexmap", "rwmap",
                                         "shardmap", "viewmap" };

  for (guint i = 0; i < G_N_ELEMENTS (engines); i++) {
    g_autofree char *file = record (engines[i], "true");
    g_autoptr (JsonNode) report = check_json (file, NULL, 0);
    g_autoptr (JsonNode) passes = check_json (file, "--max-memory=1", 0);
    g_autoptr (JsonNode) key = check_json (file, "--key=3", 0);
    JsonObject *all = json_node_get_object (report);
    JsonObject *one = json_node_get_object (key);

    g_assert_cmpstr (json_object_get_string_member (all, "verdict"), ==,
                     "right");
    g_assert_cmpint (json_object_get_int_member (all, "operations"), >, 7000);
    g_assert_cmpint (json_object_get_int_member (all, "ranges"), >, 0);
    g_assert_cmpint (json_object_get_int_member (all, "keys"), ==, 12);
    g_assert_cmpint (
        json_object_get_int_member (json_node_get_object (passes), "operations"),
        ==, json_object_get_int_member (all, "operations"));
    g_assert_cmpstr (json_object_get_string_member (one, "key-text"), ==, "k3");
    g_assert_cmpuint (
        json_array_get_length (json_object_get_array_member (one, "order")), ==,
        json_array_get_length (json_object_get_array_member (one, "items")));
    g_remove (file);
  }
}

static void
test_refuses (void) {
  g_autofree char *file = record ("syncmap", "false");
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  g_autofree char *bytes = NULL;
  gsize length;

  /* Writes were counted: the remedy is named. */
  g_assert_cmpint (run_cli (&out, &err, "check", file, NULL), ==, 2);
  g_assert_cmpstr (out, ==, "");
  g_assert_nonnull (strstr (err, "\"telling\": \"whole\""));
  g_remove (file);
  g_free (file);
  g_clear_pointer (&out, g_free);
  g_clear_pointer (&err, g_free);

  /* A file that was cut lacks operations whose effects others have seen. */
  file = record ("syncmap", "true");
  g_assert_true (g_file_get_contents (file, &bytes, &length, NULL));
  g_assert_true (g_file_set_contents (file, bytes, (gssize)length / 2, NULL));
  g_assert_cmpint (run_cli (&out, &err, "check", file, NULL), ==, 2);
  g_assert_cmpstr (out, ==, "");
  g_assert_nonnull (strstr (err, "lacks events"));
  g_remove (file);
}

/* Wrong ones --------------------------------------------------------------- */

static void
tell (TraceLog *log,
      guint16   thread,
      EventKind kind,
      OpKind    op,
      gint64    at_us,
      guint64   a,
      guint64   b,
      guint16   path) {
  const Event event = { .at_ns = at_us * 1000, .a = a, .b = b, .thread = thread,
                        .aux16 = path, .kind = kind, .aux8 = op };

  tracelog_append (log, &event);
}

/* (transfer full): a Store, then a Load that does not see it, and a Range that
 * gives a key twice. */
static char *
tell_wrong (void) {
  char *path = g_build_filename (test_folder (), "wrong.tophash", NULL);
  g_autoptr (TraceInfo) info = trace_info_new ();
  g_autoptr (TraceLog) log = NULL;
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) error = NULL;

  info->engine = g_strdup ("syncmap");
  info->engine_title = g_strdup ("sync.Map");
  info->scenario_name = g_strdup ("wrong");
  info->scenario_title = g_strdup ("Wrong");
  info->n_threads = 2;
  log = tracelog_new (info, 0);
  tell (log, EVENT_THREAD_MAIN, EVENT_TABLE_CREATED, 0, 1, 0, 0, 0);
  tell (log, 0, EVENT_OP_BEGAN, OP_STORE, 10, 7, 101, 0);
  tell (log, 0, EVENT_OP_ENDED, OP_STORE, 20, 101, 0, 0);
  tell (log, 1, EVENT_OP_BEGAN, OP_LOAD, 30, 7, 0, 0);
  tell (log, 0, EVENT_OP_BEGAN, OP_STORE, 31, 7, 102, 0);
  tell (log, 1, EVENT_OP_ENDED, OP_LOAD, 40, 0, 0, 0);
  tell (log, 0, EVENT_OP_ENDED, OP_STORE, 50, 102, 0, OP_PATH_OK);
  tell (log, 1, EVENT_OP_BEGAN, OP_RANGE, 60, 0, 0, 0);
  tell (log, 1, EVENT_RANGE_YIELDED, 0, 61, 7, 102, 0);
  tell (log, 1, EVENT_RANGE_YIELDED, 0, 62, 7, 102, 0);
  tell (log, 1, EVENT_OP_ENDED, OP_RANGE, 70, 2, 0, OP_PATH_OK);
  tracelog_finish (log, FALSE);
  g_assert_true (tracelog_save (log, file, NULL, NULL, NULL, &error));
  g_assert_no_error (error);
  return path;
}

static void
test_wrong (void) {
  g_autofree char *file = tell_wrong ();
  g_autofree char *out = NULL;
  g_autofree char *key_out = NULL;
  g_autofree char *err = NULL;
  g_autofree char *key_err = NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *report, *violation;

  g_assert_cmpint (run_cli (&out, &err, "check", file, NULL), ==, 1);
  g_test_message ("%s", out);
  g_assert_cmpstr (err, ==, "");
  g_assert_nonnull (strstr (out, "Verdict: WRONG"));
  g_assert_nonnull (strstr (out, "Key 7: no order explains Load → nothing: it "
                                 "found nothing, but the key went through 101, "
                                 "102"));
  g_assert_nonnull (strstr (out, "one Range gave the key twice: 102, then 102"));
  g_assert_nonnull (strstr (out, "├"));

  root = check_json (file, NULL, 1);
  report = json_node_get_object (root);
  g_assert_cmpint (json_object_get_int_member (report, "n-violations"), ==, 2);
  violation = json_array_get_object_element (
      json_object_get_array_member (report, "violations"), 0);
  g_assert_cmpstr (json_object_get_string_member (violation, "rule"), ==,
                   "order");
  g_assert_cmpint (json_object_get_int_member (violation, "before"), ==, 101);
  g_assert_cmpint (json_object_get_int_member (
                       json_object_get_object_member (violation, "writer"),
                       "event"),
                   ==, 1);
  g_assert_cmpint (json_object_get_int_member (violation, "after"), ==, 102);

  g_assert_cmpint (run_cli (&key_out, &key_err, "check", file, "--key=8", NULL),
                   ==, 2);
  g_assert_nonnull (strstr (key_err, "nothing of key 8"));
  g_remove (file);
}

void
add_check_tests (void) {
  g_test_add_func ("/app/cli/check/finds-runs-right", test_right);
  g_test_add_func ("/app/cli/check/refuses-what-cannot-be-judged", test_refuses);
  g_test_add_func ("/app/cli/check/says-what-is-wrong", test_wrong);
}
