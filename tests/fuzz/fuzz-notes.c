/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fuzz-notes.c — hostile notes
 *
 * What is taken comes back the same after it was written.
 */
#include "core/record/trace-notes.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data,
                        size_t         size) {
  g_autoptr (GError) error = NULL;
  g_autoptr (TraceNotes) notes
      = trace_notes_from_json ((const char *)data, size, &error);
  g_autoptr (TraceNotes) again = NULL;
  g_autofree char *json = NULL;

  g_assert ((notes == NULL) == (error != NULL));
  if (notes == NULL)
    return 0;
  g_assert (notes->bookmarks->len <= TRACE_NOTES_MAX_BOOKMARKS);
  for (guint i = 0; i < notes->bookmarks->len; i++) {
    const TraceBookmark *bookmark = g_ptr_array_index (notes->bookmarks, i);

    g_assert (bookmark->id > 0 && bookmark->id < notes->next_id);
    g_assert (bookmark->at_ns >= 0);
  }
  json = trace_notes_to_json (notes);
  again = trace_notes_from_json (json, strlen (json), &error);
  g_assert_no_error (error);
  g_assert (trace_notes_equal (notes, again));
  return 0;
}
