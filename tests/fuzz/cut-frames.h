/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cut-frames.h — bytes as the frames of a state
 *
 * Each frame stands after its length in 4 bytes, cut where the bytes end.
 */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <string.h>

static GPtrArray *
cut_frames (const uint8_t *data,
            size_t         size) {
  GPtrArray *frames
      = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);

  while (size >= 4) {
    guint32 length;

    memcpy (&length, data, 4);
    length = (guint32)MIN (GUINT32_FROM_LE (length), size - 4);
    g_ptr_array_add (frames, g_bytes_new (data + 4, length));
    data += 4 + length;
    size -= 4 + length;
  }
  return frames;
}
