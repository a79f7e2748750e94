/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-notes.c — what people add to a recording, and its JSON
 *
 * Format      One object:
 *
 *               { "bookmarks": [ { "id": 1, "position": 1204, "at_ns": 4183021,
 *                                  "title": "first promotion", "note": "" }, … ],
 *                 "next-id": 2, "text": "…", "view": { … } }
 *
 *             Members that are not known are passed over; view is kept as it is.
 *             All but id, position and at_ns may be left out.
 *
 * Bounds      As in trace-notes.h, held when reading too: a file cannot make the
 *             notes larger than people could. Brackets nest at most MAX_DEPTH
 *             deep: the JSON parser is recursive.
 */
#include "core/record/trace-notes.h"

#include "core/record/tracelog-private.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <string.h>

#define MAX_DEPTH 64

static void
bookmark_free (gpointer data) {
  TraceBookmark *bookmark = data;

  g_free (bookmark->title);
  g_free (bookmark->note);
  g_free (bookmark);
}

TraceNotes *
trace_notes_new (void) {
  TraceNotes *notes = g_new0 (TraceNotes, 1);

  notes->bookmarks = g_ptr_array_new_with_free_func (bookmark_free);
  notes->next_id = 1;
  notes->text = g_strdup ("");
  notes->view = g_strdup ("");
  return notes;
}

void
trace_notes_free (TraceNotes *notes) {
  if (notes == NULL)
    return;
  g_ptr_array_unref (notes->bookmarks);
  g_free (notes->text);
  g_free (notes->view);
  g_free (notes);
}

/* (transfer full): @text as valid UTF-8, cut at a character when too long. */
static char *
bounded (const char *text) {
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);
  const char *end = valid + TRACE_NOTES_MAX_TEXT;

  if (strlen (valid) <= TRACE_NOTES_MAX_TEXT)
    return g_steal_pointer (&valid);
  if ((*end & 0xc0) == 0x80)
    end = g_utf8_find_prev_char (valid, end);
  return g_strndup (valid, (gsize)(end - valid));
}

/* Puts a bookmark in its place: by position, then by id. */
static void
insert_bookmark (TraceNotes    *notes,
                 TraceBookmark *bookmark) {
  guint at = notes->bookmarks->len;

  while (at > 0) {
    const TraceBookmark *before = notes->bookmarks->pdata[at - 1];

    if (before->position < bookmark->position
        || (before->position == bookmark->position && before->id < bookmark->id))
      break;
    at--;
  }
  g_ptr_array_insert (notes->bookmarks, (int)at, bookmark);
}

static TraceBookmark *
bookmark_new (guint64     id,
              guint64     position,
              gint64      at_ns,
              const char *title,
              const char *note) {
  TraceBookmark *bookmark = g_new0 (TraceBookmark, 1);

  bookmark->id = id;
  bookmark->position = position;
  bookmark->at_ns = at_ns;
  bookmark->title = bounded (title);
  bookmark->note = bounded (note);
  return bookmark;
}

TraceNotes *
trace_notes_copy (const TraceNotes *notes) {
  TraceNotes *copy = trace_notes_new ();

  for (guint i = 0; i < notes->bookmarks->len; i++) {
    const TraceBookmark *one = notes->bookmarks->pdata[i];

    g_ptr_array_add (copy->bookmarks,
                     bookmark_new (one->id, one->position, one->at_ns, one->title,
                                   one->note));
  }
  copy->next_id = notes->next_id;
  g_free (copy->text);
  copy->text = bounded (notes->text);
  g_free (copy->view);
  copy->view = bounded (notes->view);
  return copy;
}

gboolean
trace_notes_equal (const TraceNotes *one,
                   const TraceNotes *other) {
  if (one->bookmarks->len != other->bookmarks->len
      || g_strcmp0 (one->text, other->text) != 0
      || g_strcmp0 (one->view, other->view) != 0)
    return FALSE;
  for (guint i = 0; i < one->bookmarks->len; i++) {
    const TraceBookmark *a = one->bookmarks->pdata[i];
    const TraceBookmark *b = other->bookmarks->pdata[i];

    if (a->id != b->id || a->position != b->position || a->at_ns != b->at_ns
        || g_strcmp0 (a->title, b->title) != 0
        || g_strcmp0 (a->note, b->note) != 0)
      return FALSE;
  }
  return TRUE;
}

TraceBookmark *
trace_notes_add (TraceNotes *notes,
                 guint64     position,
                 gint64      at_ns,
                 const char *title,
                 const char *note) {
  TraceBookmark *bookmark;

  if (notes->bookmarks->len >= TRACE_NOTES_MAX_BOOKMARKS
      || notes->next_id >= G_MAXINT64)
    return NULL;
  bookmark = bookmark_new (notes->next_id++, position, at_ns, title, note);
  insert_bookmark (notes, bookmark);
  return bookmark;
}

TraceBookmark *
trace_notes_find (TraceNotes *notes,
                  guint64     id) {
  for (guint i = 0; i < notes->bookmarks->len; i++) {
    TraceBookmark *bookmark = notes->bookmarks->pdata[i];

    if (bookmark->id == id)
      return bookmark;
  }
  return NULL;
}

gboolean
trace_notes_remove (TraceNotes *notes,
                    guint64     id) {
  TraceBookmark *bookmark = trace_notes_find (notes, id);

  return bookmark != NULL && g_ptr_array_remove (notes->bookmarks, bookmark);
}

/* JSON --------------------------------------------------------------------- */

static void
put_int (JsonBuilder *builder,
         const char  *name,
         gint64       value) {
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

static void
put_text (JsonBuilder *builder,
          const char  *name,
          const char  *value) {
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

char *
trace_notes_to_json (const TraceNotes *notes) {
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (JsonNode) view = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "bookmarks");
  json_builder_begin_array (builder);
  for (guint i = 0; i < notes->bookmarks->len; i++) {
    const TraceBookmark *bookmark = notes->bookmarks->pdata[i];

    json_builder_begin_object (builder);
    put_int (builder, "id", (gint64)bookmark->id);
    put_int (builder, "position", (gint64)bookmark->position);
    put_int (builder, "at_ns", bookmark->at_ns);
    put_text (builder, "title", bookmark->title);
    put_text (builder, "note", bookmark->note);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  put_int (builder, "next-id", (gint64)notes->next_id);
  put_text (builder, "text", notes->text);
  /* Inside of the notes it nests one deeper. */
  view = *notes->view != '\0'
                 && trace_json_is_shallow (notes->view, strlen (notes->view),
                                           MAX_DEPTH - 1)
             ? json_from_string (notes->view, NULL) : NULL;
  if (view != NULL) {
    json_builder_set_member_name (builder, "view");
    json_builder_add_value (builder, g_steal_pointer (&view));
  }
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

/* A whole number that is not negative. */
static gboolean
get_whole (JsonObject *object,
           const char *place,
           const char *name,
           gint64     *value,
           GError    **error) {
  JsonNode *node = json_object_get_member (object, name);

  if (node != NULL && json_node_get_value_type (node) == G_TYPE_INT64
      && json_node_get_int (node) >= 0) {
    *value = json_node_get_int (node);
    return TRUE;
  }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               _("notes: %s.%s: wanted a whole number from 0 on"), place, name);
  return FALSE;
}

/* (transfer none): "" when it is left out; NULL: it is no text. */
static const char *
get_text (JsonObject *object,
          const char *place,
          const char *name,
          GError    **error) {
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL)
    return "";
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_get_string (node);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               _("notes: %s.%s: wanted a text"), place, name);
  return NULL;
}

static gboolean
read_bookmark (TraceNotes *notes,
               JsonNode   *node,
               guint       index,
               GError    **error) {
  g_autofree char *place = g_strdup_printf ("bookmarks[%u]", index);
  gint64 id, position, at_ns;
  const char *title, *note;
  JsonObject *object;

  if (!JSON_NODE_HOLDS_OBJECT (node)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 _("notes: %s: wanted an object"), place);
    return FALSE;
  }
  object = json_node_get_object (node);
  if (!get_whole (object, place, "id", &id, error)
      || !get_whole (object, place, "position", &position, error)
      || !get_whole (object, place, "at_ns", &at_ns, error)
      || (title = get_text (object, place, "title", error)) == NULL
      || (note = get_text (object, place, "note", error)) == NULL)
    return FALSE;
  if (id == 0 || id == G_MAXINT64
      || trace_notes_find (notes, (guint64)id) != NULL) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 _("notes: %s.id: wanted a number that no other bookmark has, "
                   "found %" PRId64),
                 place, id);
    return FALSE;
  }
  insert_bookmark (notes, bookmark_new ((guint64)id, (guint64)position, at_ns,
                                        title, note));
  notes->next_id = MAX (notes->next_id, (guint64)id + 1);
  return TRUE;
}

static gboolean
read_bookmarks (TraceNotes *notes,
                JsonObject *object,
                GError    **error) {
  JsonNode *node = json_object_get_member (object, "bookmarks");
  JsonArray *array;

  if (node == NULL)
    return TRUE;
  if (!JSON_NODE_HOLDS_ARRAY (node)
      || json_array_get_length (json_node_get_array (node))
             > TRACE_NOTES_MAX_BOOKMARKS) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 _("notes: bookmarks: wanted a list of at most %u"),
                 TRACE_NOTES_MAX_BOOKMARKS);
    return FALSE;
  }
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++)
    if (!read_bookmark (notes, json_array_get_element (array, i), i, error))
      return FALSE;
  return TRUE;
}

static gboolean
read_notes (TraceNotes *notes,
            JsonObject *object,
            GError    **error) {
  JsonNode *view = json_object_get_member (object, "view");
  gint64 next_id = 0;
  const char *text;

  if (!read_bookmarks (notes, object, error)
      || (text = get_text (object, "notes", "text", error)) == NULL
      || (json_object_has_member (object, "next-id")
          && !get_whole (object, "notes", "next-id", &next_id, error)))
    return FALSE;
  notes->next_id = MAX (notes->next_id, (guint64)next_id);
  g_free (notes->text);
  notes->text = bounded (text);
  if (view != NULL && JSON_NODE_HOLDS_OBJECT (view)) {
    g_autofree char *json = json_to_string (view, FALSE);
    g_autoptr (JsonNode) again = json_from_string (json, NULL);

    /* Cut JSON would be none, nor is a number beyond all: it is told as "inf.0". */
    if (again != NULL && strlen (json) <= TRACE_NOTES_MAX_TEXT) {
      g_free (notes->view);
      notes->view = g_steal_pointer (&json);
    }
  }
  return TRUE;
}

TraceNotes *
trace_notes_from_json (const char *json,
                       gsize       length,
                       GError    **error) {
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (TraceNotes) notes = trace_notes_new ();

  if (!g_utf8_validate_len (json, length, NULL)) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                         _("notes: wanted UTF-8"));
    return NULL;
  }
  if (!trace_json_is_shallow (json, length, MAX_DEPTH)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 _("notes: wanted brackets at most %d deep"), MAX_DEPTH);
    return NULL;
  }
  if (!json_parser_load_from_data (parser, json, (gssize)length, error)) {
    g_prefix_error (error, _("notes: "));
    return NULL;
  }
  if (json_parser_get_root (parser) == NULL
      || !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser))) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                         _("notes: wanted an object"));
    return NULL;
  }
  if (!read_notes (notes, json_node_get_object (json_parser_get_root (parser)),
                   error))
    return NULL;
  return g_steal_pointer (&notes);
}
