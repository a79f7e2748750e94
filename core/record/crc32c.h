/* SPDX-License-Identifier: GPL-3.0-or-later */

/* crc32c.h — the checksum of chunks in files */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* CRC-32C of @size bytes after bytes of checksum @crc; 0 to begin. */
guint32 crc32c           (guint32       crc,
                          gconstpointer data,
                          gsize         size);

/* The same as processors without an instruction for it reckon it. */
guint32 crc32c_by_tables (guint32       crc,
                          gconstpointer data,
                          gsize         size);

G_END_DECLS
