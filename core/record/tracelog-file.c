/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-file.c — the format's numbers: headers of files and chunks
 *
 * The format is told in FORMAT.md, beside this file.
 */
#include "core/record/tracelog-file-private.h"

#include "core/record/crc32c.h"

#include <string.h>

G_DEFINE_QUARK (tophash-tracelog-file-error, tracelog_file_error)

void
bytes_put (guint8 *bytes,
           guint   size,
           guint64 value) {
  for (guint i = 0; i < size; i++)
    bytes[i] = (guint8)(value >> (8 * i));
}

guint64
bytes_get (const guint8 *bytes,
           guint         size) {
  guint64 value = 0;

  for (guint i = 0; i < size; i++)
    value |= (guint64)bytes[i] << (8 * i);
  return value;
}

static void
put_uuid (guint8 uuid[16]) {
  for (guint i = 0; i < 16; i += 4)
    bytes_put (uuid + i, 4, g_random_int ());
  uuid[6] = (uuid[6] & 0x0f) | 0x40;
  uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

void
file_header_write (guint8 header[FILE_HEADER_SIZE],
                   guint  minor,
                   guint  features,
                   gint64 created_at_us) {
  memset (header, 0, FILE_HEADER_SIZE);
  memcpy (header, FILE_MAGIC, FILE_MAGIC_SIZE);
  bytes_put (header + 8, 2, FILE_MAJOR);
  bytes_put (header + 10, 2, minor);
  bytes_put (header + 12, 4, FILE_ENDIAN_MARK);
  put_uuid (header + FILE_UUID_AT);
  bytes_put (header + 32, 8, (guint64)created_at_us);
  bytes_put (header + 40, 4, TRACE_BLOCK_EVENTS);
  bytes_put (header + 44, 4, features);
  bytes_put (header + 60, 4, crc32c (0, header, 60));
}

void
chunk_write (guint8       header[CHUNK_HEADER_SIZE],
             const Chunk *chunk) {
  memset (header, 0, CHUNK_HEADER_SIZE);
  bytes_put (header, 4, CHUNK_MAGIC);
  bytes_put (header + 4, 2, chunk->type);
  header[6] = chunk->codec;
  header[7] = chunk->flags;
  bytes_put (header + 8, 4, chunk->stored_size);
  bytes_put (header + 12, 4, chunk->raw_size);
  bytes_put (header + 16, 4, chunk->n_events);
  bytes_put (header + 24, 8, chunk->first);
  bytes_put (header + 32, 8, (guint64)chunk->t0_ns);
  bytes_put (header + 40, 8, (guint64)chunk->t1_ns);
  bytes_put (header + 52, 4, chunk->payload_crc);
  bytes_put (header + 60, 4, crc32c (0, header, 60));
}

gboolean
chunk_read (Chunk        *chunk,
            const guint8  header[CHUNK_HEADER_SIZE]) {
  *chunk = (Chunk){
    .type = (guint)bytes_get (header + 4, 2),
    .codec = header[6],
    .flags = header[7],
    .stored_size = (guint32)bytes_get (header + 8, 4),
    .raw_size = (guint32)bytes_get (header + 12, 4),
    .n_events = (guint32)bytes_get (header + 16, 4),
    .first = bytes_get (header + 24, 8),
    .t0_ns = (gint64)bytes_get (header + 32, 8),
    .t1_ns = (gint64)bytes_get (header + 40, 8),
    .payload_crc = (guint32)bytes_get (header + 52, 4),
  };
  return bytes_get (header, 4) == CHUNK_MAGIC
         && bytes_get (header + 60, 4) == crc32c (0, header, 60);
}

char *
file_display_name (GFile *file) {
  g_autofree char *name = g_file_get_basename (file);

  return name != NULL ? g_filename_display_name (name)
                      : g_file_get_parse_name (file);
}
