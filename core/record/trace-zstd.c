/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-zstd.c — codec 2: one zstd frame of declared size
 *
 * While recording, blocks are packed with LZ4, which is fastest; on saving they
 * are packed anew, which takes longer and less room: full ones as trace-apart.c
 * says, plane by plane, short ones and the frames of states as one frame each.
 * Level 1: measured, higher ones save one per cent for a quarter more time.
 *
 * Safety      A frame is unpacked at once into a buffer of the declared size:
 *             no window is allocated, whatever the frame's header asks for.
 *
 * Threads     each has contexts of its own, freed when it ends.
 */
#include "core/record/trace-zstd-private.h"

#include <zstd.h>

#define LEVEL 1
/* Bytes that do not repeat are left as they are. */
#define LEVEL_REPEATS -5

static void
free_unpacker (gpointer data) {
  ZSTD_freeDCtx (data);
}

static void
free_packer (gpointer data) {
  ZSTD_freeCCtx (data);
}

static GPrivate unpacker = G_PRIVATE_INIT (free_unpacker);
static GPrivate packer = G_PRIVATE_INIT (free_packer);

static ZSTD_DCtx *
get_unpacker (void) {
  ZSTD_DCtx *context = g_private_get (&unpacker);

  if (context == NULL) {
    context = ZSTD_createDCtx ();
    g_private_set (&unpacker, context);
  }
  return context;
}

static ZSTD_CCtx *
get_packer (void) {
  ZSTD_CCtx *context = g_private_get (&packer);

  if (context == NULL) {
    context = ZSTD_createCCtx ();
    g_private_set (&packer, context);
  }
  return context;
}

gboolean
trace_zstd_unpack (const guint8 *packed,
                   guint32       stored_size,
                   guint8       *raw,
                   guint32       raw_size) {
  ZSTD_DCtx *context = get_unpacker ();

  /* One frame, all of it, of the size that is declared twice. */
  return context != NULL
         && ZSTD_getFrameContentSize (packed, stored_size) == raw_size
         && ZSTD_findFrameCompressedSize (packed, stored_size) == stored_size
         && ZSTD_decompressDCtx (context, raw, raw_size, packed, stored_size)
                == raw_size;
}

static guint
pack (guint8       *packed,
      guint         room,
      const guint8 *raw,
      guint         raw_size,
      int           level) {
  ZSTD_CCtx *context = get_packer ();
  gsize size;

  if (context == NULL)
    return 0;
  size = ZSTD_compressCCtx (context, packed, room, raw, raw_size, level);
  return ZSTD_isError (size) ? 0 : (guint)size;
}

guint
trace_zstd_pack (guint8       *packed,
                 guint         room,
                 const guint8 *raw,
                 guint         raw_size) {
  return pack (packed, room, raw, raw_size, LEVEL);
}

guint
trace_zstd_pack_repeats (guint8       *packed,
                         guint         room,
                         const guint8 *raw,
                         guint         raw_size) {
  return pack (packed, room, raw, raw_size, LEVEL_REPEATS);
}

void
trace_zstd_repack (PackedBlock  *block,
                   const guint8 *raw) {
  g_autofree guint8 *packed = g_malloc (block->stored_size);
  guint size = trace_zstd_pack (packed, block->stored_size, raw, block->raw_size);

  if (size == 0)
    return;
  g_free (block->data);
  block->data = g_memdup2 (packed, size);
  block->stored_size = size;
  block->codec = TRACE_CODEC_ZSTD;
}
