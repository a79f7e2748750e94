/* SPDX-License-Identifier: GPL-3.0-or-later */

/* test-golden-gomap.c — the bucket table against runs of real Go maps
 *
 * Each trace in tests/golden gives operations, their results, and what the map's
 * memory held: header, slots, or a digest of the slots (the format is in
 * tests/golden/README.md). Every record is compared. Dumps are compared as text:
 * the table is written as the trace writes it.
 *
 * Hashes come from the trace: its k lines fill a table that the map's hash
 * function reads. They may stand just after the iterator operation that needs
 * them, so an operation is carried out when the first line after it that is not
 * a k line comes.
 */

#include "core/engine/gomap-find-private.h"
#include "core/engine/gomap.h"

#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FIELDS 7

/* One line, taken apart in place. */
typedef struct {
  const char *tag;
  const char *rest; /* after the tag and its comma; whole, for dumps */
  unsigned    n;
  gboolean    is_null[MAX_FIELDS];
  gint64      value[MAX_FIELDS];
  const char *text[MAX_FIELDS];
} Line;

typedef struct {
  const char *name;
  guint       n_line;
  GHashTable *hashes; /* key to hash, both as pointers */
  Hash        hash;
  GoDomain    domain;
  Prng        prng;
  GoMap       map;
  GPtrArray  *iters; /* GoIter, by their number in the trace */
  GString    *text;
  GByteArray *bytes;
  guint       n_operations;
} Replay;

/* A line is an array of a tag, then numbers, nulls or texts; dumps hold nested
 * values, which stay in rest. */
static void
parse_line (char *start,
            Line *line) {
  char *at = strchr (start + 2, '"');

  g_assert_true (g_str_has_prefix (start, "[\"") && at != NULL);
  *at++ = '\0';
  *line = (Line){ .tag = start + 2, .rest = *at == ',' ? at + 1 : at };
  if (strcmp (line->tag, "D") == 0)
    return;
  while (*at == ',') {
    g_assert_cmpuint (line->n, <, MAX_FIELDS);

    unsigned i = line->n++;

    at++;
    if (*at == '"') {
      line->text[i] = at + 1;
      at = strchr (at + 1, '"');
      *at++ = '\0';
    } else if (*at == 'n') {
      line->is_null[i] = TRUE;
      at += strlen ("null");
    } else {
      line->value[i] = g_ascii_strtoll (at, &at, 10);
    }
  }
  g_assert_cmpint (*at, ==, ']');
}

static uint64_t
look_up_hash (int64_t  key,
              uint64_t seed,
              void    *data) {
  Replay *replay = data;
  gpointer hash = NULL;

  if (!g_hash_table_lookup_extended (replay->hashes, (gpointer)(gintptr)key, NULL,
                                     &hash))
    g_error ("%s, line %u: no hash for key %" G_GINT64_FORMAT, replay->name,
             replay->n_line, key);
  return (uint64_t)(guintptr)hash;
}

static void
fail (Replay     *replay,
      const char *what,
      const char *wanted,
      const char *found) {
  g_error ("%s, line %u: %s\n  wanted: %s\n  found:  %s", replay->name,
           replay->n_line, what, wanted, found);
}

static void
expect_number (Replay     *replay,
               const char *what,
               gint64      wanted,
               gint64      found) {
  if (wanted == found)
    return;

  g_autofree char *wanted_text = g_strdup_printf ("%" G_GINT64_FORMAT, wanted);
  g_autofree char *found_text = g_strdup_printf ("%" G_GINT64_FORMAT, found);

  fail (replay, what, wanted_text, found_text);
}

/* A pair or a value that may be null. */
static void
expect_found (Replay     *replay,
              const Line *line,
              unsigned    field,
              gboolean    is_found,
              gint64      found) {
  expect_number (replay, "is there", !line->is_null[field], is_found);
  if (is_found)
    expect_number (replay, "value", line->value[field], found);
}

static void
step_iterator (Replay     *replay,
               const Line *line,
               unsigned    field) {
  GoIter *iter = g_ptr_array_index (replay->iters, line->value[0]);
  gboolean is_found = gomap_iter_next (iter);

  expect_found (replay, line, field, is_found, iter->key);
  expect_found (replay, line, field + 1, is_found, gomap_elem_value (iter->elem));
}

static void
free_iterator (gpointer iter) {
  gomap_iter_end (iter);
  g_free (iter);
}

static void
begin_iterator (Replay     *replay,
                const Line *line) {
  GoIter *iter = g_new0 (GoIter, 1);
  uint64_t random = (uint64_t)line->value[1]
                    | (uint64_t)line->value[2] << replay->map.B;

  g_assert_cmpint (line->value[0], ==, replay->iters->len);
  g_ptr_array_add (replay->iters, iter);
  gomap_iter_begin (iter, &replay->map, random, GOMAP_ITER_MARKS, 1,
                    replay->domain.version);
  expect_number (replay, "begun on an empty map", line->is_null[1],
                 iter->is_done);
  step_iterator (replay, line, 3);
}

static void
do_operation (Replay     *replay,
              const Line *line) {
  GoMap *map = &replay->map;
  gint64 key = line->value[0];
  const char *tag = line->tag;

  replay->n_operations++;
  if (strcmp (tag, "a") == 0) {
    g_assert_cmpint (gomap_assign (map, key, (uint64_t)line->value[1], false,
                                   NULL, NULL), <=, GOMAP_INSERTED);
  } else if (strcmp (tag, "d") == 0) {
    expect_number (replay, "deleted", line->value[1],
                   gomap_delete (map, key, NULL, NULL));
  } else if (strcmp (tag, "l") == 0) {
    uint64_t elem = gomap_find (map, key);

    expect_found (replay, line, 1, elem != GOMAP_ABSENT,
                  elem == GOMAP_ABSENT ? 0 : gomap_elem_value (elem));
  } else if (strcmp (tag, "c") == 0) {
    g_assert_true (gomap_clear (map));
  } else if (strcmp (tag, "ib") == 0) {
    begin_iterator (replay, line);
  } else if (strcmp (tag, "in") == 0) {
    step_iterator (replay, line, 1);
  } else {
    fail (replay, "operation", "a, d, l, c, ib, in", tag);
  }
}

static void
expect_header (Replay     *replay,
               const Line *line) {
  const GoMap *map = &replay->map;

  expect_number (replay, "count", line->value[0], map->count);
  expect_number (replay, "flags", line->value[1], map->flags);
  expect_number (replay, "B", line->value[2], map->B);
  /* From B = 16 on it is counted at random. */
  if (map->B < 16
      || goarray_n_buckets (map->buckets) == goarray_n_main (map->buckets))
    expect_number (replay, "noverflow", line->value[3], map->noverflow);
  expect_number (replay, "nevacuate", line->value[4], (gint64)map->nevacuate);
  expect_number (replay, "growing", line->value[5], map->oldbuckets != NULL);
  expect_number (replay, "sameSize", line->value[6],
                 (map->flags & GOMAP_FLAG_SAME_SIZE_GROW) != 0);
}

/* Numbers dominate the text of a dump: g_string_append_printf() is too slow. */
static void
append_number (GString *text,
               gint64   number) {
  char digits[24];
  char *at = digits + sizeof digits;
  guint64 left = number < 0 ? -(guint64)number : (guint64)number;

  do
    *--at = (char)('0' + left % 10);
  while ((left /= 10) != 0);
  if (number < 0)
    *--at = '-';
  g_string_append_len (text, at, digits + sizeof digits - at);
}

static void
append_bucket (GString        *text,
               const GoBucket *bucket) {
  const char *separator = "";

  g_string_append (text, ",[\"");
  for (unsigned slot = 0; slot < BUCKET_SLOTS; slot++) {
    g_string_append_c (text, "0123456789abcdef"[bucket->tophash[slot] >> 4]);
    g_string_append_c (text, "0123456789abcdef"[bucket->tophash[slot] & 15]);
  }
  g_string_append (text, "\",[");
  for (unsigned slot = 0; slot < BUCKET_SLOTS; slot++)
    if (bucket->tophash[slot] >= TOPHASH_MIN) {
      g_string_append (text, separator);
      append_number (text, bucket->keys[slot]);
      g_string_append_c (text, ',');
      append_number (text, gomap_elem_value (gobucket_elem (bucket, slot)));
      separator = ",";
    }
  g_string_append (text, "]]");
}

static void
append_array (GString       *text,
              const GoArray *array) {
  static const uint8_t zeros[BUCKET_SLOTS];
  const char *separator = "";

  if (array == NULL) {
    g_string_append (text, "null");
    return;
  }
  g_string_append (text, "{\"n\":");
  append_number (text, (gint64)goarray_n_main (array));
  g_string_append (text, ",\"b\":[");
  for (uint32_t main = 0; main < goarray_n_main (array); main++) {
    const GoBucket *bucket = goarray_bucket (array, main);

    if (bucket->overflow == 0
        && memcmp (bucket->tophash, zeros, sizeof zeros) == 0)
      continue;
    g_string_append (text, separator);
    separator = ",";
    g_string_append_c (text, '[');
    append_number (text, main);
    append_bucket (text, bucket);
    while (bucket->overflow != 0) {
      bucket = goarray_bucket (array, bucket->overflow);
      append_bucket (text, bucket);
    }
    g_string_append_c (text, ']');
  }
  g_string_append (text, "]}");
}

/* line->rest: "why",buckets,oldbuckets] */
static void
expect_dump (Replay     *replay,
             const Line *line) {
  const char *wanted = strchr (line->rest, ',') + 1;

  g_string_truncate (replay->text, 0);
  append_array (replay->text, replay->map.buckets);
  g_string_append_c (replay->text, ',');
  append_array (replay->text, replay->map.oldbuckets);
  g_string_append_c (replay->text, ']');
  if (strcmp (wanted, replay->text->str) != 0)
    fail (replay, "dump", wanted, replay->text->str);
}

static void
add_word (GByteArray *bytes,
          uint64_t    word) {
  word = GUINT64_TO_LE (word);
  g_byte_array_append (bytes, (const guint8 *)&word, sizeof word);
}

static void
add_array (GByteArray    *bytes,
           const GoArray *array) {
  uint64_t n_main = array == NULL ? 0 : goarray_n_main (array);

  add_word (bytes, n_main);
  for (uint32_t main = 0; main < n_main; main++) {
    uint32_t index = main;

    do {
      const GoBucket *bucket = goarray_bucket (array, index);

      g_byte_array_append (bytes, (const guint8 *)"\1", 1);
      g_byte_array_append (bytes, bucket->tophash, BUCKET_SLOTS);
      for (unsigned slot = 0; slot < BUCKET_SLOTS; slot++)
        if (bucket->tophash[slot] >= TOPHASH_MIN) {
          add_word (bytes, (uint64_t)bucket->keys[slot]);
          add_word (bytes,
                    (uint64_t)gomap_elem_value (gobucket_elem (bucket, slot)));
        }
      index = bucket->overflow;
    } while (index != 0);
    g_byte_array_append (bytes, (const guint8 *)"\0", 1);
  }
}

static void
expect_digest (Replay     *replay,
               const Line *line) {
  g_byte_array_set_size (replay->bytes, 0);
  add_array (replay->bytes, replay->map.buckets);
  add_array (replay->bytes, replay->map.oldbuckets);

  g_autofree char *digest = g_compute_checksum_for_data (
      G_CHECKSUM_SHA256, replay->bytes->data, replay->bytes->len);

  if (strncmp (line->text[0], digest, 16) != 0)
    fail (replay, "digest", line->text[0], digest);
}

/* Whether the head, a JSON object, has @member. */
static gboolean
head_has (const char *head,
          const char *member) {
  return strstr (head, member) != NULL;
}

static gint64
head_number (const char *head,
             const char *member) {
  const char *at = strstr (head, member);

  g_assert_nonnull (at);
  return g_ascii_strtoll (at + strlen (member), NULL, 10);
}

static void
begin_replay (Replay     *replay,
              const char *head) {
  gint64 hint = head_number (head, "\"hint\":");

  replay->hash = (Hash){ HASH_FUNCTION, look_up_hash, replay };
  prng_init (&replay->prng, 1);

  GoMapConfig config = {
    .hash = &replay->hash,
    .domain = &replay->domain,
    .prng = &replay->prng,
    .flags = head_has (head, "\"elem\":\"ptr\"") ? TABLE_WIPES_OLD : 0,
  };

  g_assert_true (head_has (head, "\"format\":\"tophash-golden-1\""));
  g_assert_true (head_has (head, "\"kind\":\"gomap\""));
  g_assert_true (gomap_init (&replay->map, &config, (uint64_t)hint, 0));
}

static void
take_line (Replay *replay,
           char   *start,
           Line   *pending) {
  Line line;

  parse_line (start, &line);
  if (strcmp (line.tag, "k") == 0) {
    uint64_t hash = g_ascii_strtoull (line.text[1], NULL, 16);

    g_hash_table_insert (replay->hashes, (gpointer)(gintptr)line.value[0],
                         (gpointer)(guintptr)hash);
    return;
  }
  if (pending->tag != NULL)
    do_operation (replay, pending);
  pending->tag = NULL;

  if (strcmp (line.tag, "s") == 0)
    g_hash_table_remove_all (replay->hashes);
  else if (strcmp (line.tag, "h") == 0)
    expect_header (replay, &line);
  else if (strcmp (line.tag, "D") == 0)
    expect_dump (replay, &line);
  else if (strcmp (line.tag, "g") == 0)
    expect_digest (replay, &line);
  else
    *pending = line;
}

/* The whole trace, NUL-terminated. */
static GBytes *
read_trace (const char *path) {
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFileInputStream) packed = g_file_read (file, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GZlibDecompressor) gunzip
      = g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP);
  g_autoptr (GInputStream) input = g_converter_input_stream_new (
      G_INPUT_STREAM (packed), G_CONVERTER (gunzip));
  g_autoptr (GOutputStream) output = g_memory_output_stream_new_resizable ();

  g_output_stream_splice (output, input, G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE,
                          NULL, &error);
  g_assert_no_error (error);
  g_output_stream_write_all (output, "", 1, NULL, NULL, &error);
  g_assert_no_error (error);
  g_output_stream_close (output, NULL, &error);
  g_assert_no_error (error);
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (output));
}

static void
report_cb (const char *text,
           void       *data) {
  g_test_message ("%s: %s", ((Replay *)data)->name, text);
}

static void
test_replays_trace (gconstpointer path) {
  g_autoptr (GBytes) trace = read_trace (path);
  g_autofree char *name = g_path_get_basename (path);
  gsize size;
  char *at = g_bytes_unref_to_data (g_steal_pointer (&trace), &size);
  char *text = at;
  Line pending = { 0 };
  Replay *replay = g_new0 (Replay, 1);

  replay->name = name;
  replay->hashes = g_hash_table_new (NULL, NULL);
  replay->iters = g_ptr_array_new_with_free_func (free_iterator);
  replay->text = g_string_new (NULL);
  replay->bytes = g_byte_array_new ();

  for (char *end; (end = strchr (at, '\n')) != NULL; at = end + 1) {
    *end = '\0';
    if (++replay->n_line == 1)
      begin_replay (replay, at);
    else
      take_line (replay, at, &pending);
  }
  g_assert_null (pending.tag);
  expect_number (replay, "operations", head_number (text, "\"ops\":"),
                 replay->n_operations);
  g_assert_cmpuint (gomap_check (&replay->map, report_cb, replay), ==, 0);

  g_ptr_array_unref (replay->iters);
  gomap_finish (&replay->map);
  g_hash_table_unref (replay->hashes);
  g_string_free (replay->text, TRUE);
  g_byte_array_unref (replay->bytes);
  g_free (replay);
  g_free (text);
}

int
main (int    argc,
      char **argv) {
  g_test_init (&argc, &argv, NULL);

  g_autofree char *folder
      = g_test_build_filename (G_TEST_DIST, "golden", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  const char *file;

  g_assert_nonnull (dir);
  while ((file = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (file, "gomap-")
        && g_str_has_suffix (file, ".jsonl.gz")) {
      char *path = g_build_filename (folder, file, NULL);
      g_autofree char *stem = g_strndup (file, strcspn (file, "."));
      g_autofree char *test_path
          = g_strconcat ("/core/gomap/golden/", stem, NULL);

      g_ptr_array_add (paths, path);
      g_test_add_data_func (test_path, path, test_replays_trace);
    }
  g_assert_cmpuint (paths->len, ==, 54);
  return g_test_run ();
}
