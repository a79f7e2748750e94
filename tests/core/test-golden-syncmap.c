/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-golden-syncmap.c — syncmap against runs of Go 1.23's sync.Map
 *
 * Each trace in tests/golden gives operations, what they returned, and what the
 * map's memory held: sizes, misses, each key's entry in read and dirty, or a
 * digest of those (the format is in tests/golden/README.md). All is compared,
 * under three hashes: no fact of sync.Map depends on the hash. The invariants are
 * checked wherever a header stands.
 */

#include "core/engine/syncmap-private.h"
#include "core/engine/syncmap.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <string.h>

typedef struct {
  const char  *name;
  guint        n_line;
  SyncMap     *map;
  EngineThread thread;
  JsonArray   *line;
  guint        n_operations;
} Replay;

/* Reading lines ------------------------------------------------------------ */

static gint64
number (Replay *replay,
        guint   i) {
  return json_array_get_int_element (replay->line, i);
}

static gboolean
is_null (Replay *replay,
         guint   i) {
  return json_array_get_null_element (replay->line, i);
}

static void
expect (Replay     *replay,
        const char *what,
        gint64      wanted,
        gint64      found) {
  if (wanted != found)
    g_error ("%s, line %u: %s: wanted %" G_GINT64_FORMAT
             ", found %" G_GINT64_FORMAT,
             replay->name, replay->n_line, what, wanted, found);
}

/* Field @i is a value, or null for none. */
static void
expect_value (Replay  *replay,
              guint    i,
              gboolean is_found,
              gint64   found) {
  expect (replay, "is there", !is_null (replay, i), is_found);
  if (is_found)
    expect (replay, "value", number (replay, i), found);
}

/* Operations --------------------------------------------------------------- */

static void
do_load (Replay *replay) {
  int64_t value = 0;
  bool is_found = syncmap_class.load (&replay->map->engine, &replay->thread,
                                      number (replay, 1), &value);

  expect_value (replay, 2, is_found, value);
}

static void
do_store (Replay *replay) {
  g_assert_true (syncmap_class.store (&replay->map->engine, &replay->thread,
                                      number (replay, 1), number (replay, 2)));
}

static void
do_load_or_store (Replay *replay) {
  int64_t actual = 0;
  bool is_loaded = syncmap_class.load_or_store (
      &replay->map->engine, &replay->thread, number (replay, 1),
      number (replay, 2), &actual);

  expect (replay, "actual", number (replay, 3), actual);
  expect (replay, "loaded", number (replay, 4), is_loaded);
}

static void
do_load_and_delete (Replay *replay) {
  int64_t value = 0;
  bool is_found = syncmap_class.load_and_delete (
      &replay->map->engine, &replay->thread, number (replay, 1), &value);

  expect_value (replay, 2, is_found, value);
}

static void
do_delete (Replay *replay) {
  syncmap_class.delete_key (&replay->map->engine, &replay->thread,
                            number (replay, 1));
}

static void
do_swap (Replay *replay) {
  int64_t previous = 0;
  bool is_found
      = syncmap_class.swap (&replay->map->engine, &replay->thread,
                            number (replay, 1), number (replay, 2), &previous);

  expect_value (replay, 3, is_found, previous);
}

static void
do_compare_and_swap (Replay *replay) {
  bool is_swapped = syncmap_class.compare_and_swap (
      &replay->map->engine, &replay->thread, number (replay, 1),
      number (replay, 2), number (replay, 3));

  expect (replay, "swapped", number (replay, 4), is_swapped);
}

static void
do_compare_and_delete (Replay *replay) {
  bool is_deleted = syncmap_class.compare_and_delete (
      &replay->map->engine, &replay->thread, number (replay, 1),
      number (replay, 2));

  expect (replay, "deleted", number (replay, 3), is_deleted);
}

typedef struct {
  Replay  *replay;
  gint64   n;
  guint64  sum_of_keys;
  guint64  sum_of_values;
  gint64   first_value;
} Visits;

static bool
add_cb (int64_t key,
        int64_t value,
        void   *data) {
  Visits *visits = data;

  visits->n++;
  visits->sum_of_keys += (guint64)key;
  visits->sum_of_values += (guint64)value;
  return true;
}

static bool
stop_cb (int64_t key,
         int64_t value,
         void   *data) {
  add_cb (key, value, data);
  return false;
}

static bool
delete_cb (int64_t key,
           int64_t value,
           void   *data) {
  Visits *visits = data;

  syncmap_class.delete_key (&visits->replay->map->engine,
                            &visits->replay->thread, key);
  return add_cb (key, value, data);
}

static void
range (Replay     *replay,
       Visits     *visits,
       EngineVisit visit) {
  *visits = (Visits){ .replay = replay };
  syncmap_class.range (&replay->map->engine, &replay->thread, visit, visits);
}

static void
do_range (Replay *replay) {
  Visits visits;

  range (replay, &visits, add_cb);
  expect (replay, "visits", number (replay, 1), visits.n);
  expect (replay, "sum of keys", number (replay, 2), (gint64)visits.sum_of_keys);
  expect (replay, "sum of values", number (replay, 3),
          (gint64)visits.sum_of_values);
}

/* Which pair comes first is random: any present one will do. */
static void
do_range_first (Replay *replay) {
  Visits visits;
  Entry *entry;
  int64_t value = 0;

  range (replay, &visits, stop_cb);
  expect (replay, "visits", !is_null (replay, 1), visits.n);
  if (visits.n == 0)
    return;
  entry = syncmap_find (syncmap_read (replay->map).table,
                        (gint64)visits.sum_of_keys);
  g_assert_true (entry != NULL && entry_load (entry, &value));
  expect (replay, "value", value, (gint64)visits.sum_of_values);
}

static void
do_range_delete (Replay *replay) {
  Visits visits;

  range (replay, &visits, delete_cb);
  expect (replay, "visits", number (replay, 1), visits.n);
}

static void
do_clear (Replay *replay) {
  g_assert_true (
      syncmap_class.clear (&replay->map->engine, &replay->thread));
}

/* Memory ------------------------------------------------------------------- */

static void
broken_cb (const char *text,
           void       *data) {
  Replay *replay = data;

  g_error ("%s, line %u: %s", replay->name, replay->n_line, text);
}

static void
compare_header (Replay *replay) {
  SyncRead read = syncmap_read (replay->map);
  SyncTable *dirty = replay->map->dirty;

  expect (replay, "len(read)", number (replay, 1), read.table->map.count);
  expect (replay, "amended", number (replay, 2), read.amended);
  expect (replay, "dirty is nil", is_null (replay, 3), dirty == NULL);
  if (dirty != NULL)
    expect (replay, "len(dirty)", number (replay, 3), dirty->map.count);
  expect (replay, "misses", number (replay, 4),
          (gint64)sync_plain_read (&replay->map->misses, SYNC_LABEL ("test")));
  if (replay->n_line % 16 == 0 || replay->n_operations < 1000)
    syncmap_class.check (&replay->map->engine, broken_cb, replay);
}

typedef struct {
  int64_t key;
  char   *text;
} Item;

static int
compare_items_cb (gconstpointer a,
                  gconstpointer b) {
  const Item *one = a, *other = b;

  return (one->key > other->key) - (one->key < other->key);
}

static void
clear_item_cb (gpointer item) {
  g_free (((Item *)item)->text);
}

static void
append_state (GString     *text,
              const Entry *entry) {
  uint64_t word = entry_peek (entry);

  if (entry_word_has_value (word))
    g_string_append_printf (text, " V%" G_GINT64_FORMAT,
                            entry_word_value (word));
  else
    g_string_append (text, entry_word_is_expunged (word) ? " X" : " N");
}

static void
add_item (GArray      *items,
          int64_t      key,
          const Entry *in_read,
          const Entry *in_dirty) {
  GString *text = g_string_new (NULL);
  Item item = { .key = key };

  g_string_append_printf (text, "%" G_GINT64_FORMAT, key);
  if (in_read != NULL)
    append_state (text, in_read);
  else
    g_string_append (text, " -");
  if (in_dirty == NULL)
    g_string_append (text, " -");
  else if (in_dirty == in_read)
    g_string_append (text, " =");
  else
    append_state (text, in_dirty);
  item.text = g_string_free (text, FALSE);
  g_array_append_val (items, item);
}

/* One text per key found in read or dirty, sorted by key. */
static GArray *
list_keys (SyncMap *map) {
  GArray *items = g_array_new (FALSE, FALSE, sizeof (Item));
  SyncTable *read = syncmap_read (map).table;
  GoIter iter;

  g_array_set_clear_func (items, clear_item_cb);
  gomap_iter_begin (&iter, &read->map, 0, 0, 0, 0);
  while (gomap_iter_next (&iter))
    add_item (items, iter.key, syncmap_entry_of (iter.elem),
              syncmap_find_dirty_locked (map, iter.key));
  if (map->dirty != NULL) {
    gomap_iter_begin (&iter, &map->dirty->map, 0, 0, 0, 0);
    while (gomap_iter_next (&iter))
      if (syncmap_find (read, iter.key) == NULL)
        add_item (items, iter.key, NULL, syncmap_entry_of (iter.elem));
  }
  g_array_sort (items, compare_items_cb);
  return items;
}

static void
compare_dump (Replay *replay) {
  g_autoptr (GArray) items = list_keys (replay->map);
  JsonArray *wanted = json_array_get_array_element (replay->line, 2);

  expect (replay, "keys", json_array_get_length (wanted), items->len);
  for (guint i = 0; i < items->len; i++)
    g_assert_cmpstr (g_array_index (items, Item, i).text, ==,
                     json_array_get_string_element (wanted, i));
}

static void
compare_digest (Replay *replay) {
  g_autoptr (GArray) items = list_keys (replay->map);
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *found = NULL;

  for (guint i = 0; i < items->len; i++) {
    g_checksum_update (sum, (const guchar *)g_array_index (items, Item, i).text,
                       -1);
    g_checksum_update (sum, (const guchar *)"\n", 1);
  }
  found = g_strndup (g_checksum_get_string (sum), 16);
  if (strcmp (found, json_array_get_string_element (replay->line, 1)) != 0)
    g_error ("%s, line %u: digest is %s", replay->name, replay->n_line, found);
}

/* Replay ------------------------------------------------------------------- */

static const struct {
  const char *tag;
  void      (*function) (Replay *replay);
  gboolean    is_operation;
} line_kinds[] = {
  { "h", compare_header, FALSE },
  { "D", compare_dump, FALSE },
  { "g", compare_digest, FALSE },
  { "Load", do_load, TRUE },
  { "Store", do_store, TRUE },
  { "LoadOrStore", do_load_or_store, TRUE },
  { "LoadAndDelete", do_load_and_delete, TRUE },
  { "Delete", do_delete, TRUE },
  { "Swap", do_swap, TRUE },
  { "CompareAndSwap", do_compare_and_swap, TRUE },
  { "CompareAndDelete", do_compare_and_delete, TRUE },
  { "Range", do_range, TRUE },
  { "RangeFirst", do_range_first, TRUE },
  { "RangeDelete", do_range_delete, TRUE },
  { "Clear", do_clear, TRUE },
};

static void
replay_line (Replay *replay) {
  const char *tag = json_array_get_string_element (replay->line, 0);

  for (gsize i = 0; i < G_N_ELEMENTS (line_kinds); i++) {
    if (strcmp (tag, line_kinds[i].tag) == 0) {
      replay->n_operations += line_kinds[i].is_operation;
      line_kinds[i].function (replay);
      return;
    }
  }
  g_error ("%s, line %u: unknown line %s", replay->name, replay->n_line, tag);
}

static GDataInputStream *
open_trace (const char *name) {
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "golden", name,
                                                 NULL);
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) packed
      = G_INPUT_STREAM (g_file_read (file, NULL, &error));
  g_autoptr (GConverter) unpack
      = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr (GInputStream) plain = NULL;

  g_assert_no_error (error);
  plain = g_converter_input_stream_new (packed, unpack);
  return g_data_input_stream_new (plain);
}

static void
replay_trace (const char *name,
              HashKind    hash) {
  g_autoptr (GDataInputStream) stream = open_trace (name);
  g_autoptr (JsonParser) parser = json_parser_new ();
  EngineConfig config = { .hash.kind = hash, .seed = 23 };
  Replay replay = { .name = name };
  gint64 n_wanted = 0;
  char *text;

  replay.map = (SyncMap *)engine_new (&syncmap_class, &config);
  g_assert_nonnull (replay.map);
  g_assert_true (engine_enter_thread (&replay.map->engine, &replay.thread, 0));
  while ((text = g_data_input_stream_read_line (stream, NULL, NULL, NULL))) {
    g_autoptr (GError) error = NULL;

    replay.n_line++;
    json_parser_load_from_data (parser, text, -1, &error);
    g_assert_no_error (error);
    if (replay.n_line == 1) {
      n_wanted = json_object_get_int_member (
          json_node_get_object (json_parser_get_root (parser)), "ops");
    } else {
      replay.line = json_node_get_array (json_parser_get_root (parser));
      replay_line (&replay);
    }
    g_free (text);
  }
  expect (&replay, "operations", n_wanted, replay.n_operations);

  engine_leave_thread (&replay.thread);
  engine_free (&replay.map->engine);
}

static void
test_replays_trace (gconstpointer name) {
  static const HashKind hashes[] = { HASH_GOOD, HASH_TOP_BITS, HASH_IDENTITY };
  guint number_of_trace
      = (guint)g_ascii_strtoull ((const char *)name + strlen ("syncmap-"), NULL,
                                 10);

  /* The large ones under one hash: a chain of ten thousand takes its time. */
  for (gsize i = 0; i < G_N_ELEMENTS (hashes); i++)
    if (i == 0 || number_of_trace <= 16)
      replay_trace (name, hashes[i]);
}

int
main (int    argc,
      char **argv) {
  static char names[64][64];
  g_autofree char *folder = NULL;
  g_autoptr (GDir) dir = NULL;
  const char *name;
  gsize n = 0;

  g_test_init (&argc, &argv, NULL);
  folder = g_test_build_filename (G_TEST_DIST, "golden", NULL);
  dir = g_dir_open (folder, 0, NULL);
  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = NULL;

    if (!g_str_has_prefix (name, "syncmap-"))
      continue;
    g_assert_cmpuint (n, <, G_N_ELEMENTS (names));
    g_strlcpy (names[n], name, sizeof names[n]);
    path = g_strdup_printf ("/core/syncmap/golden/%.*s",
                            (int)strcspn (name, "."), name);
    g_test_add_data_func (path, names[n], test_replays_trace);
    n++;
  }
  g_assert_cmpuint (n, ==, 31);
  return g_test_run ();
}
