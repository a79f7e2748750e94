/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-store.c — a file of chunks, read where one asks
 *
 * Idea        A recording may be larger than memory, so it stays in its file
 *             and a block is read when somebody asks for it, by offset. Offsets
 *             come from an index, which anybody may have written: what stands
 *             there has to prove itself, by its header's checksum, by what was
 *             wanted there, by the payload's checksum.
 *
 *             The file is read, not mapped: a mapped file that another program
 *             cuts would end this one.
 *
 * Safety      Before memory is taken for a payload its size is held against
 *             what its type can need and against the file's own size.
 */
#include "core/record/trace-store-private.h"

#include "core/record/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct _TraceStore {
  gint            ref_count;
  int             fd;    /* -1: the bytes */
  GBytes         *bytes;
  char           *name;
  guint8          kinds[128];
  BlockLimits     limits;
  gboolean        has_our_kinds;
};

static TraceStore *
store_new (int         fd,
           GBytes     *bytes,
           const char *name) {
  TraceStore *self = g_new0 (TraceStore, 1);

  self->ref_count = 1;
  self->fd = fd;
  self->bytes = bytes;
  self->name = g_strdup (name);
  self->has_our_kinds = TRUE;
  return self;
}

TraceStore *
trace_store_new_for_fd (int         fd,
                        const char *name) {
  return store_new (fd, NULL, name);
}

TraceStore *
trace_store_new_for_bytes (GBytes     *bytes,
                           const char *name) {
  return store_new (-1, g_bytes_ref (bytes), name);
}

TraceStore *
trace_store_ref (TraceStore *self) {
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
trace_store_unref (TraceStore *self) {
  if (self == NULL || !g_atomic_int_dec_and_test (&self->ref_count))
    return;
  if (self->fd >= 0)
    close (self->fd);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_free (self->name);
  g_free (self);
}

void
trace_store_set_limits (TraceStore   *self,
                        const guint8 *kinds,
                        guint         n_threads) {
  memcpy (self->kinds, kinds, sizeof self->kinds);
  self->limits = (BlockLimits){ self->kinds, n_threads };
  self->has_our_kinds = TRUE;
  for (guint kind = 0; kind < G_N_ELEMENTS (self->kinds); kind++)
    self->has_our_kinds
        &= kinds[kind] == kind || kinds[kind] == EVENT_NONE;
}

const BlockLimits *
trace_store_get_limits (TraceStore *self) {
  return &self->limits;
}

gboolean
trace_store_has_our_kinds (TraceStore *self) {
  return self->has_our_kinds;
}

const char *
trace_store_get_name (TraceStore *self) {
  return self->name;
}

/* Bytes -------------------------------------------------------------------- */

guint64
trace_store_get_size (TraceStore *self) {
  struct stat facts;

  if (self->fd < 0)
    return g_bytes_get_size (self->bytes);
  return fstat (self->fd, &facts) == 0 ? (guint64)facts.st_size : 0;
}

gboolean
trace_store_is_locked (TraceStore *self) {
#ifdef F_OFD_GETLK
  struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

  return self->fd >= 0 && fcntl (self->fd, F_OFD_GETLK, &lock) == 0
         && lock.l_type != F_UNLCK;
#else
  return FALSE;
#endif
}

gsize
trace_store_read (TraceStore  *self,
                  guint64      offset,
                  gpointer     bytes,
                  gsize        size,
                  const char **failure) {
  gsize n_read = 0;

  *failure = NULL;
  if (self->fd < 0) {
    gsize there = g_bytes_get_size (self->bytes);

    n_read = offset < there ? MIN (size, there - offset) : 0;
    if (n_read > 0)
      memcpy (bytes,
              (const guint8 *)g_bytes_get_data (self->bytes, NULL) + offset,
              n_read);
    return n_read;
  }
  while (n_read < size) {
    ssize_t n = pread (self->fd, (guint8 *)bytes + n_read, size - n_read,
                       (off_t)(offset + n_read));

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      *failure = g_strerror (errno);
    if (n <= 0)
      break;
    n_read += (gsize)n;
  }
  return n_read;
}

/* Chunks ------------------------------------------------------------------- */

guint64
chunk_room (const Chunk *chunk) {
  return CHUNK_HEADER_SIZE
         + (((guint64)chunk->stored_size + CHUNK_ALIGN - 1)
            & ~(guint64)(CHUNK_ALIGN - 1));
}

void
packed_block_from_chunk (PackedBlock *block,
                         const Chunk *chunk) {
  *block = (PackedBlock){
    .first = chunk->first,
    .t0_ns = chunk->t0_ns,
    .t1_ns = chunk->t1_ns,
    .n_events = chunk->n_events,
    .raw_size = chunk->raw_size,
    .stored_size = chunk->stored_size,
    .codec = (TraceCodec)chunk->codec,
  };
}

/* Reads exactly @size bytes. */
static char *
read_all (TraceStore *self,
          guint64     offset,
          gpointer    bytes,
          gsize       size) {
  const char *failure;
  gsize n_read = trace_store_read (self, offset, bytes, size, &failure);

  if (n_read == size)
    return NULL;
  if (failure != NULL)
    return g_strdup_printf (_("it cannot be read: %s"), failure);
  return g_strdup_printf (_("wanted %zu bytes, found %zu"), size, n_read);
}

char *
trace_store_read_header (TraceStore *self,
                         guint64     offset,
                         Chunk      *chunk) {
  guint64 size = trace_store_get_size (self);
  guint8 header[CHUNK_HEADER_SIZE];
  char *problem = read_all (self, offset, header, sizeof header);

  if (problem != NULL)
    return problem;
  if (!chunk_read (chunk, header))
    return g_strdup (_("the head of a part is damaged"));
  /* offset lies below size: the header was read. */
  if (chunk_room (chunk) > size - offset)
    return g_strdup_printf (_("wanted a part of %" PRIu64
                              " bytes, found %" PRIu64),
                            chunk_room (chunk), size - offset);
  return NULL;
}

char *
trace_store_read_payload (TraceStore  *self,
                          guint64      offset,
                          const Chunk *chunk,
                          guint32      max_size,
                          guint8     **payload) {
  gsize room = (gsize)(chunk_room (chunk) - CHUNK_HEADER_SIZE);
  g_autofree guint8 *bytes = NULL;
  char *problem;
  guint32 crc;

  *payload = NULL;
  if (chunk->stored_size > max_size)
    return g_strdup (_("a part is larger than its kind can be"));
  bytes = g_malloc (room + 1);
  problem = read_all (self, offset + CHUNK_HEADER_SIZE, bytes, room);
  if (problem != NULL)
    return problem;
  crc = crc32c (0, bytes, chunk->stored_size);
  if (crc != chunk->payload_crc)
    return g_strdup_printf (_("wanted checksum %08x, found %08x"),
                            chunk->payload_crc, crc);
  for (gsize i = chunk->stored_size; i < room; i++)
    if (bytes[i] != 0)
      return g_strdup (_("wanted zero bytes behind a part"));
  bytes[chunk->stored_size] = 0;
  *payload = g_steal_pointer (&bytes);
  return NULL;
}

/* Whether a block's header is the one that was asked for. */
static char *
check_block (const PackedBlock *wanted,
             const PackedBlock *found) {
  if (found->first != wanted->first)
    return g_strdup_printf (_("wanted event %" PRIu64 ", found event %" PRIu64),
                            wanted->first, found->first);
  if (found->n_events != wanted->n_events)
    return g_strdup_printf (_("wanted %u events, found %u"), wanted->n_events,
                            found->n_events);
  if (found->t0_ns != wanted->t0_ns || found->t1_ns < found->t0_ns
      || found->t1_ns > wanted->t1_ns)
    return g_strdup_printf (_("wanted times from %" PRId64 " to %" PRId64
                              " ns, found %" PRId64 " to %" PRId64 " ns"),
                            wanted->t0_ns, wanted->t1_ns, found->t0_ns,
                            found->t1_ns);
  return NULL;
}

char *
trace_store_read_block (TraceStore        *self,
                        guint64            offset,
                        const PackedBlock *wanted,
                        PackedBlock       *block) {
  char *problem;
  Chunk chunk;

  block->data = NULL;
  problem = trace_store_read_header (self, offset, &chunk);
  if (problem != NULL)
    return problem;
  if (chunk.type != CHUNK_EVENTS)
    return g_strdup_printf (_("wanted a block of events, found a part of type "
                              "%u"), chunk.type);
  packed_block_from_chunk (block, &chunk);
  problem = check_block (wanted, block);
  if (problem != NULL)
    return problem;
  return trace_store_read_payload (self, offset, &chunk,
                                   TRACE_RAW_MAX (TRACE_BLOCK_EVENTS),
                                   &block->data);
}
