/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tracelog-places.c — where the parts of a file stand
 *
 * Told by the file's tables, END and INDEX, or by a walk over all headers when
 * the tables are missing or wrong: tracelog-open.c has the idea and the safety.
 * Either way the result is the same: the places of the blocks and keyframes, the
 * latest HONESTY and NOTES.
 */
#include "core/record/tracelog-open-private.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>

/* Headers walked between two looks at the cancellable. */
#define WALK_SLICE 256u

gboolean
opener_stop (Opener *self,
             char   *problem) {
  g_free (self->problem);
  self->problem = problem;
  return problem == NULL;
}

guint64
opener_length (const Opener *self) {
  if (self->places->len == 0)
    return 0;
  return (guint64)(self->places->len - 1) * TRACE_BLOCK_EVENTS + self->n_last;
}

/* (transfer full): the checked payload of a chunk that must be plain. */
static guint8 *
read_plain (Opener      *self,
            guint64      offset,
            const Chunk *chunk,
            guint32      max_size) {
  guint8 *payload = NULL;

  if (chunk->codec != TRACE_CODEC_PLAIN)
    opener_stop (self, g_strdup (_("a part is packed in an unknown way")));
  else
    opener_stop (self, trace_store_read_payload (self->store, offset, chunk, max_size,
                                          &payload));
  return payload;
}

/* Parts -------------------------------------------------------------------- */

static gboolean
read_info (Opener      *self,
           guint64      offset,
           const Chunk *chunk) {
  g_autofree guint8 *json = NULL;
  g_autoptr (GError) error = NULL;

  if (self->info != NULL)
    return opener_stop (self, g_strdup (_("the facts of the run are there twice")));
  json = read_plain (self, offset, chunk, INFO_MAX_SIZE);
  if (json == NULL)
    return FALSE;
  self->info = trace_info_from_json ((const char *)json, chunk->stored_size,
                                     self->kinds, &error);
  if (self->info == NULL)
    return opener_stop (self, g_strdup (error->message));
  trace_store_set_limits (self->store, self->kinds, self->info->n_threads);
  return TRUE;
}

/* The block whose header stands at @offset comes next, or in place of the last
 * one, which was not full. */
static gboolean
take_block (Opener      *self,
            guint64      offset,
            const Chunk *chunk) {
  gboolean is_longer = self->places->len > 0
                       && self->n_last < TRACE_BLOCK_EVENTS
                       && chunk->n_events >= self->n_last;
  guint64 wanted = self->places->len == 0
                       ? 0
                       : (self->places->len - (is_longer ? 1u : 0u))
                             * (guint64)TRACE_BLOCK_EVENTS;
  BlockPlace place = { offset, chunk->t0_ns };

  if (chunk->first != wanted
      || (self->n_last < TRACE_BLOCK_EVENTS && self->places->len > 0
          && !is_longer))
    return opener_stop (self, g_strdup_printf (_("wanted event %" PRIu64
                                          ", found event %" PRIu64),
                                        opener_length (self), chunk->first));
  if (chunk->n_events < 1 || chunk->n_events > TRACE_BLOCK_EVENTS)
    return opener_stop (self, g_strdup_printf (_("wanted 1 to %u events, found %u"),
                                        TRACE_BLOCK_EVENTS, chunk->n_events));
  if (is_longer)
    self->last_ns
        = g_array_index (self->places, BlockPlace, self->places->len - 1).t0_ns;
  if (chunk->t0_ns < self->last_ns || chunk->t1_ns < chunk->t0_ns)
    return opener_stop (self, g_strdup_printf (
        _("wanted a time from %" PRId64 " ns on, found %" PRId64 " ns"),
        self->last_ns, MIN (chunk->t0_ns, chunk->t1_ns)));
  if (is_longer)
    g_array_set_size (self->places, self->places->len - 1);
  g_array_append_val (self->places, place);
  self->n_last = chunk->n_events;
  self->last_ns = chunk->t1_ns;
  self->has_honesty = FALSE;
  return TRUE;
}

/* What stands behind the bytes that are always there. */
static gboolean
read_more_honesty (Opener       *self,
                   const guint8 *payload,
                   guint32       size) {
  g_clear_pointer (&self->waits, g_array_unref);
  if (size < HONESTY_SIZE)
    return TRUE;
  self->honesty.blind_ns = (double)bytes_get (payload + 48, 8) / 1000;
  self->honesty.recorded_ns = (double)bytes_get (payload + 56, 8) / 1000;
  if (size == HONESTY_SIZE)
    return TRUE;
  self->waits = trace_waits_read (payload + HONESTY_SIZE, size - HONESTY_SIZE,
                                  self->info->n_threads);
  if (self->waits != NULL)
    return TRUE;
  return opener_stop (self,
                      g_strdup (_("the account of waits cannot be right")));
}

static gboolean
read_honesty (Opener      *self,
              guint64      offset,
              const Chunk *chunk) {
  g_autofree guint8 *payload
      = read_plain (self, offset, chunk, HONESTY_MAX_SIZE);
  guint64 flags;

  if (payload == NULL)
    return FALSE;
  if (chunk->stored_size < HONESTY_SIZE_1_1)
    return opener_stop (self,
                 g_strdup (_("the account of the recording is too short")));
  if (bytes_get (payload, 8) != opener_length (self))
    return opener_stop (self, g_strdup_printf (_("wanted %" PRIu64
                                          " events, found %" PRIu64),
                                        bytes_get (payload, 8),
                                        opener_length (self)));
  flags = bytes_get (payload + 40, 4);
  self->honesty = (TraceHonesty){
    .n_dropped = bytes_get (payload + 8, 8),
    .n_stalls = bytes_get (payload + 16, 8),
    .stalled_ns = (gint64)(bytes_get (payload + 24, 8) & G_MAXINT64),
    .is_complete = (flags & HONESTY_IS_COMPLETE) != 0,
    .was_limited = (flags & HONESTY_WAS_LIMITED) != 0,
    .lacks_raises = (flags & HONESTY_LACKS_RAISES) != 0,
  };
  if (!read_more_honesty (self, payload, chunk->stored_size))
    return FALSE;
  self->has_honesty = TRUE;
  return TRUE;
}

/* Tables ------------------------------------------------------------------- */

/* Reads the header of a chunk that a table names; FALSE: it is another. */
static gboolean
find_chunk (Opener   *self,
            guint64   offset,
            ChunkType type,
            Chunk    *chunk) {
  g_autofree char *problem = NULL;

  if (offset % CHUNK_ALIGN != 0 || offset < FILE_HEADER_SIZE
      || offset > self->size)
    return FALSE;
  problem = trace_store_read_header (self->store, offset, chunk);
  return problem == NULL && chunk->type == type;
}

/* One INDEX: blocks from chunk->first on, the last known of which may come
 * anew. */
static gboolean
read_index (Opener      *self,
            guint64      offset,
            const Chunk *chunk) {
  g_autofree guint8 *entries = read_plain (self, offset, chunk, G_MAXUINT32);
  guint64 number = chunk->first / TRACE_BLOCK_EVENTS;
  guint n = chunk->stored_size / INDEX_ENTRY_SIZE;

  if (entries == NULL || chunk->stored_size % INDEX_ENTRY_SIZE != 0
      || number > self->places->len || number + 1 < self->places->len)
    return FALSE;
  g_array_set_size (self->places, (guint)number);
  for (guint i = 0; i < n; i++) {
    const guint8 *entry = entries + i * INDEX_ENTRY_SIZE;
    BlockPlace place = { bytes_get (entry, 8),
                         (gint64)bytes_get (entry + 16, 8) };
    const BlockPlace *before
        = self->places->len == 0
              ? NULL
              : &g_array_index (self->places, BlockPlace, self->places->len - 1);

    if (bytes_get (entry + 8, 8) != (number + i) * TRACE_BLOCK_EVENTS
        || place.offset % CHUNK_ALIGN != 0 || place.offset >= offset
        || place.offset < FILE_HEADER_SIZE || place.t0_ns < 0
        || (before != NULL && (place.offset <= before->offset
                               || place.t0_ns < before->t0_ns)))
      return FALSE;
    g_array_append_val (self->places, place);
  }
  return TRUE;
}

typedef struct {
  guint64 offset;
  Chunk   chunk;
} FoundChunk;

/* The INDEX at @offset and all those before it that it needs. */
static gboolean
read_indices (Opener *self,
              guint64 offset) {
  g_autoptr (GArray) chain = g_array_new (FALSE, FALSE, sizeof (FoundChunk));
  guint64 before = self->size;

  for (;;) {
    FoundChunk found = { .offset = offset };

    /* They do not overlap: reading them costs no more than the file is long. */
    if (!find_chunk (self, offset, CHUNK_INDEX, &found.chunk)
        || offset >= before || chunk_room (&found.chunk) > before - offset)
      return FALSE;
    g_array_append_val (chain, found);
    if (found.chunk.t0_ns == 0)
      break;
    before = offset;
    offset = (guint64)found.chunk.t0_ns;
  }
  for (guint i = chain->len; i > 0; i--) {
    const FoundChunk *found = &g_array_index (chain, FoundChunk, i - 1);

    if (!read_index (self, found->offset, &found->chunk))
      return FALSE;
  }
  return TRUE;
}

gboolean
opener_read_info (Opener *self) {
  Chunk info;

  self->offset = self->chunk_at = FILE_HEADER_SIZE;
  if (!find_chunk (self, self->offset, CHUNK_INFO, &info)
      || !read_info (self, self->offset, &info))
    return FALSE;
  self->walk_from = self->offset + chunk_room (&info);
  return TRUE;
}

/* The first and the last place hold what they must; how many events the last
 * block has stands in its header alone. */
static gboolean
prove_ends (Opener *self) {
  const BlockPlace *places = (const BlockPlace *)(void *)self->places->data;
  guint last = self->places->len - 1;
  Chunk chunk;

  if (self->places->len == 0)
    return TRUE;
  if (!find_chunk (self, places[0].offset, CHUNK_EVENTS, &chunk)
      || chunk.first != 0 || chunk.t0_ns != places[0].t0_ns
      || !find_chunk (self, places[last].offset, CHUNK_EVENTS, &chunk)
      || chunk.first != last * (guint64)TRACE_BLOCK_EVENTS
      || chunk.t0_ns != places[last].t0_ns || chunk.n_events < 1
      || chunk.n_events > TRACE_BLOCK_EVENTS)
    return FALSE;
  self->n_last = chunk.n_events;
  self->last_ns = chunk.t1_ns;
  return TRUE;
}

/* Takes one place that END names. FALSE: a newer version says that its chunk must
 * be known, which the walk finds in its place. */
static gboolean
read_place (Opener       *self,
            const guint8 *place) {
  guint64 type = bytes_get (place, 4);
  KeyframePlace keyframe = { bytes_get (place + 8, 8),
                             bytes_get (place + 16, 8) };

  if (type == CHUNK_INDEX)
    self->index_at = keyframe.offset;
  else if (type == CHUNK_HONESTY)
    self->honesty_at = keyframe.offset;
  else if (type == CHUNK_NOTES)
    self->notes_at = keyframe.offset;
  else if (type == CHUNK_KEYFRAME)
    g_array_append_val (self->keyframes, keyframe);
  else
    return FALSE;
  return TRUE;
}

/* Everything so far is whole: @offset is behind an END. */
static void
set_mark (Opener *self,
          guint64 offset) {
  self->mark = (WalkMark){
    .offset = offset,
    .n_places = self->places->len,
    .n_last = self->n_last,
    .last_ns = self->last_ns,
    .n_keyframes = self->keyframes->len,
    .honesty = self->honesty,
  };
  if (self->places->len > 0)
    self->mark.last
        = g_array_index (self->places, BlockPlace, self->places->len - 1);
}

void
opener_return_to_mark (Opener *self) {
  g_array_set_size (self->places, self->mark.n_places);
  if (self->mark.n_places > 0)
    g_array_index (self->places, BlockPlace, self->mark.n_places - 1)
        = self->mark.last;
  g_array_set_size (self->keyframes, self->mark.n_keyframes);
  self->n_last = self->mark.n_last;
  self->last_ns = self->mark.last_ns;
  self->honesty = self->mark.honesty;
  self->has_honesty = TRUE;
  self->is_ended = TRUE;
  self->offset = self->chunk_at = self->mark.offset;
  g_clear_pointer (&self->problem, g_free);
}

gboolean
opener_read_tables (Opener *self) {
  g_autofree guint8 *contents = NULL;
  guint8 own[8];
  guint64 end_at;
  const char *failure;
  Chunk end, honesty;

  if (self->size < FILE_HEADER_SIZE + CHUNK_HEADER_SIZE + sizeof own
      || trace_store_read (self->store, self->size - sizeof own, own,
                           sizeof own, &failure) < sizeof own)
    return FALSE;
  end_at = bytes_get (own, 8);
  if (!find_chunk (self, end_at, CHUNK_END, &end)
      || chunk_room (&end) != self->size - end_at
      || end.stored_size % PLACE_SIZE != sizeof own)
    return FALSE;
  contents = read_plain (self, end_at, &end, END_MAX_SIZE);
  if (contents == NULL)
    return FALSE;
  for (guint at = 0; at + PLACE_SIZE <= end.stored_size; at += PLACE_SIZE)
    if (!read_place (self, contents + at))
      return FALSE;
  if (!read_indices (self, self->index_at) || !prove_ends (self) || opener_length (self) != end.first
      || !find_chunk (self, self->honesty_at, CHUNK_HONESTY, &honesty)
      || !read_honesty (self, self->honesty_at, &honesty))
    return FALSE;
  self->is_ended = TRUE;
  set_mark (self, self->size);
  return TRUE;
}

/* Walking ------------------------------------------------------------------ */

/* The largest payload that a chunk of a known type has; 0: not limited. */
static guint32
max_payload (guint type) {
  switch (type) {
  case CHUNK_INFO:
    return INFO_MAX_SIZE;
  case CHUNK_EVENTS:
    return TRACE_RAW_MAX (TRACE_BLOCK_EVENTS);
  case CHUNK_HONESTY:
    return HONESTY_MAX_SIZE;
  case CHUNK_END:
    return END_MAX_SIZE;
  default: /* of a newer version, or bounded by the file alone */
    return 0;
  }
}

static gboolean
read_end (Opener      *self,
          const Chunk *chunk) {
  g_autofree guint8 *contents
      = read_plain (self, self->chunk_at, chunk, END_MAX_SIZE);

  if (contents == NULL)
    return FALSE;
  if (chunk->first != opener_length (self))
    return opener_stop (self, g_strdup (_("events are missing before its end")));
  self->is_ended = self->chunk_at + chunk_room (chunk) == self->size;
  set_mark (self, self->chunk_at + chunk_room (chunk));
  return TRUE;
}

static gboolean
read_chunk_of_type (Opener      *self,
                    const Chunk *chunk) {
  KeyframePlace keyframe = { self->chunk_at, chunk->first };

  if (chunk->type == CHUNK_INFO)
    return read_info (self, self->chunk_at, chunk);
  if (chunk->type == CHUNK_EVENTS)
    return take_block (self, self->chunk_at, chunk);
  if (chunk->type == CHUNK_HONESTY)
    return read_honesty (self, self->chunk_at, chunk);
  if (chunk->type == CHUNK_END)
    return read_end (self, chunk);
  if (chunk->type == CHUNK_NOTES)
    self->notes_at = self->chunk_at;
  else if (chunk->type == CHUNK_KEYFRAME) {
    if (self->keyframes->len < MAX_KEYFRAMES)
      g_array_append_val (self->keyframes, keyframe);
  } else if (chunk->type != CHUNK_INDEX) {
    self->is_newer = TRUE;
    self->needs_newer = (chunk->flags & CHUNK_MUST_KNOW) != 0;
    if (self->needs_newer)
      return opener_stop (self,
                 g_strdup (_("what follows needs a newer version of Tophash")));
  }
  return TRUE;
}

/* One chunk; FALSE ends the walk. */
static gboolean
walk_chunk (Opener *self) {
  guint64 left = self->size - self->offset;
  guint8 header[CHUNK_HEADER_SIZE];
  const char *failure;
  Chunk chunk;

  self->chunk_at = self->offset;
  if (left == 0)
    return FALSE;
  self->is_ended = FALSE;
  if (trace_store_read (self->store, self->offset, header, sizeof header,
                        &failure) < sizeof header) {
    self->offset = self->size;
    return failure == NULL
               ? FALSE
               : opener_stop (self, g_strdup_printf (_("it cannot be read: %s"),
                                              failure));
  }
  if (!chunk_read (&chunk, header))
    return opener_stop (self, g_strdup (_("the head of a part is damaged")));
  if (max_payload (chunk.type) != 0
      && chunk.stored_size > max_payload (chunk.type))
    return opener_stop (self,
                 g_strdup (_("a part is larger than its kind can be")));
  if (chunk_room (&chunk) > left) {
    self->offset = self->size;
    return FALSE;
  }
  if (self->info == NULL && chunk.type != CHUNK_INFO)
    return opener_stop (self, g_strdup (
        _("it does not begin with the facts of the run")));
  if (!read_chunk_of_type (self, &chunk))
    return FALSE;
  self->offset += chunk_room (&chunk);
  return TRUE;
}

gboolean
opener_walk (Opener  *self,
             GError **error) {
  g_array_set_size (self->places, 0);
  g_array_set_size (self->keyframes, 0);
  self->n_last = 0;
  self->last_ns = 0;
  self->notes_at = 0;
  self->has_honesty = FALSE;
  self->is_ended = FALSE;
  self->mark = (WalkMark){ .offset = 0 };
  if (self->walk_from != 0)
    self->offset = self->walk_from;
  g_clear_pointer (&self->problem, g_free);
  for (guint n = 0; walk_chunk (self); n++) {
    if (n % WALK_SLICE != 0)
      continue;
    if (self->progress != NULL)
      self->progress ((double)self->offset / (double)self->size, self->data);
    if (g_cancellable_set_error_if_cancelled (self->cancellable, error))
      return FALSE;
  }
  return TRUE;
}

void
opener_walk_on (Opener  *self,
                gboolean to_end) {
  self->size = trace_store_get_size (self->store);
  opener_return_to_mark (self);
  /* Cut behind the mark, or before it: then nothing is found there. */
  while (self->size > self->offset && walk_chunk (self))
    continue;
  if (to_end)
    opener_return_to_mark (self);
}
