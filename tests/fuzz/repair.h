/* SPDX-License-Identifier: GPL-3.0-or-later */

/* repair.h — changed .tophash files whose checksums are right all the same
 *
 * Nobody who changes bytes at random gets behind the checksums; an attacker does.
 */
#pragma once

#include "core/record/crc32c.h"
#include "core/record/tracelog-file-private.h"

/* Puts the right checksums over a header and the chunks that can be walked. */
static void
repair_checksums (uint8_t *data,
                  size_t   size) {
  size_t at = FILE_HEADER_SIZE;

  if (size < FILE_HEADER_SIZE)
    return;
  bytes_put (data + 60, 4, crc32c (0, data, 60));
  while (size - at >= CHUNK_HEADER_SIZE) {
    uint8_t *header = data + at;
    guint32 stored_size = (guint32)bytes_get (header + 8, 4);
    size_t left = size - at - CHUNK_HEADER_SIZE;

    if (stored_size <= left)
      bytes_put (header + 52, 4,
                 crc32c (0, header + CHUNK_HEADER_SIZE, stored_size));
    bytes_put (header, 4, CHUNK_MAGIC);
    bytes_put (header + 60, 4, crc32c (0, header, 60));
    if (((size_t)stored_size + CHUNK_ALIGN - 1) / CHUNK_ALIGN
        > left / CHUNK_ALIGN)
      return;
    at += CHUNK_HEADER_SIZE
          + (((size_t)stored_size + CHUNK_ALIGN - 1) & ~(size_t)(CHUNK_ALIGN - 1));
  }
}
