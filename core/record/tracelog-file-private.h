/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-file-private.h — the format's numbers, for writer, reader and tests */
#pragma once

#include "core/record/trace-block-private.h"
#include "core/record/tracelog-file.h"

G_BEGIN_DECLS

#define FILE_MAJOR 1
#define FILE_MINOR 6
#define FILE_MINOR_RAISES 1 /* from it on OP_BEGAN and OP_ENDED tell the raise */
#define FILE_MAGIC "\x89TPH\r\n\x1a\n"
#define FILE_MAGIC_SIZE 8
#define FILE_ENDIAN_MARK 0x01020304u
#define FILE_HEADER_SIZE 64
#define FILE_UUID_AT 16
#define FILE_FEATURE_ZSTD 1u /* blocks of codec 2 */
#define FILE_FEATURE_APART 2u /* blocks of codec 3 */
/* Those that this program knows. */
#define FILE_FEATURES (FILE_FEATURE_ZSTD | FILE_FEATURE_APART)

#define CHUNK_MAGIC 0x4b4e43abu /* bytes AB 43 4E 4B */
#define CHUNK_HEADER_SIZE 64
#define CHUNK_ALIGN 8u
#define CHUNK_MUST_KNOW 1 /* flag: who does not know the type stops here */

#define INFO_MAX_SIZE (4u << 20)
#define HONESTY_SIZE_1_1 48
#define HONESTY_SIZE 64
#define HONESTY_MAX_SIZE 4096
#define HONESTY_WAITS_HEAD 8
#define HONESTY_WAIT_SIZE 24
/* So that readers of 1.3 take the chunk. */
#define HONESTY_MAX_WAITS                                                \
  ((HONESTY_MAX_SIZE - HONESTY_SIZE - HONESTY_WAITS_HEAD) / HONESTY_WAIT_SIZE)
#define HONESTY_IS_COMPLETE 1u
#define HONESTY_WAS_LIMITED 2u
#define HONESTY_LACKS_RAISES 4u
#define INDEX_ENTRY_SIZE 24
#define PLACE_SIZE 24
/* Free choice: a state every 8 M events of a day at full speed. */
#define MAX_KEYFRAMES 65536u
#define END_MAX_SIZE ((MAX_KEYFRAMES + 16) * PLACE_SIZE + 8)
#define NOTES_MAX_SIZE (256u << 20)

typedef enum {
  CHUNK_INFO = 1,
  CHUNK_EVENTS = 2,
  CHUNK_HONESTY = 3,
  CHUNK_INDEX = 4,
  CHUNK_END = 5,
  CHUNK_KEYFRAME = 6,
  CHUNK_NOTES = 7,
} ChunkType;

/* Where a KEYFRAME stands in a file. */
typedef struct {
  guint64 offset;
  guint64 position; /* the state after so many events */
} KeyframePlace;

/* A chunk's header; fields as in the table in FORMAT.md. */
typedef struct {
  guint   type; /* ChunkType, or one of a newer version */
  guint8  codec;
  guint8  flags;
  guint32 stored_size;
  guint32 raw_size;
  guint32 n_events;
  guint64 first;
  gint64  t0_ns;
  gint64  t1_ns;
  guint32 payload_crc;
} Chunk;

void     file_header_write (guint8       header[FILE_HEADER_SIZE],
                            guint        minor,
                            guint        features,
                            gint64       created_at_us);
void     chunk_write       (guint8       header[CHUNK_HEADER_SIZE],
                            const Chunk *chunk);
/* FALSE when magic or checksum are wrong. */
gboolean chunk_read        (Chunk        *chunk,
                            const guint8  header[CHUNK_HEADER_SIZE]);

/* Little-endian numbers at any address. */
void     bytes_put (guint8       *bytes,
                    guint         size,
                    guint64       value);
guint64  bytes_get (const guint8 *bytes,
                    guint         size);

/* (transfer full): a file's name for messages. */
char    *file_display_name (GFile *file);

G_END_DECLS
