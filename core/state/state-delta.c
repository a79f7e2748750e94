/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-delta.c — what a state differs in from one before it, as bytes
 *
 * Idea        Some hundred thousand events of a map of a million slots change a
 *             few words each of some of its records. What they changed takes a
 *             tenth of the bytes of a whole state, and is put in while the state
 *             before is unpacked, record after record, in the caches still: a
 *             fold of the same events would wait for memory at each, and would
 *             have to unpack them first.
 *
 * Writing     Both states share the chunks that no event touched, so those are
 *             passed over. The records of the others are compared word by word,
 *             as they lie in memory: whatever an event did, it is seen.
 *
 * Format      front    sizes: of the head, numbers of sections, all and changed
 *                      the head, as in state-frames.c, with no runs
 *                      the sections, one more at the end: rank of the vector,
 *                      first record, where its bytes are
 *             changed  sections of records in leaves that the base has, in the
 *                      order of the runs of frames; one for each stretch that is
 *                      at most a run
 *             added    those in leaves that it has not, and all marks
 *
 *             A section is a list of groups of records: how many were skipped
 *             since the last one (1 byte, 255: in 4 more), a mask of its words
 *             that changed (4 or 5 bytes), those words. When many did, as those of
 *             a bucket that was evacuated, all are told: to copy a record is less
 *             than to put its words one by one.
 *
 * Trust       These bytes were written by this process, in the order of this
 *             machine. That no more is written to than there is, is checked.
 */
#include "core/state/state-delta.h"

#include "core/state/state-delta-private.h"
#include "core/state/state-frames-private.h"

#include <string.h>

#define WORD_BYTES 4u
#define SKIP_LONG 255u
/* An update of a slot changes two, some updates of a bucket a few. */
#define WORDS_AT_ONCE 4u
/* More than this share of them is many: the bytes never double. */
#define MANY_SHARE 2u
/* What may be read beyond the last section: a mask in 8 bytes, words at once. */
#define PADDING 32u

/* Records told together: their words fit a mask. */
typedef struct _GroupType {
  guint8 bits; /* of the number of records */
  guint8 n_words;
  guint8 mask_bytes;
} GroupType;

#define GROUP(record, bits)                                                  \
  { bits, (sizeof (record) << (bits)) / WORD_BYTES,                          \
    ((sizeof (record) << (bits)) / WORD_BYTES + 7) / 8 }
static const GroupType group_types[PACK_N_KINDS] = {
  [PACK_BUCKETS] = GROUP (BucketRecord, 0),
  [PACK_OLD_BUCKETS] = GROUP (BucketRecord, 0),
  [PACK_ENTRIES] = GROUP (EntryRecord, 2),
  [PACK_VERSIONS] = GROUP (VersionRecord, 2),
  [PACK_MARKS] = GROUP (IterMarks, 5),
  [PACK_OLD_MARKS] = GROUP (IterMarks, 5),
};
G_STATIC_ASSERT (sizeof (BucketRecord) / WORD_BYTES < 64
                 && 4 * sizeof (VersionRecord) / WORD_BYTES < 64);

static inline guint64
all_words (const GroupType *type) {
  return (G_GUINT64_CONSTANT (1) << type->n_words) - 1;
}

typedef struct {
  guint64 rank; /* of the vector, as that of a run */
  guint32 first;
  guint32 at;   /* in what follows the front */
} Section;

typedef struct {
  guint32 head_size;
  guint32 n_sections;
  guint32 n_changed;
  guint32 unused;
} FrontHead;

static PackKind
rank_kind (guint64 rank) {
  return (PackKind)(rank & 0xffff);
}

/* Writing ------------------------------------------------------------------ */

void
state_delta_init (StateDelta *self) {
  self->bytes = g_byte_array_new ();
  self->changed = g_byte_array_new ();
  self->added = g_byte_array_new ();
  self->sections = g_array_new (FALSE, FALSE, sizeof (Section));
  self->added_sections = g_array_new (FALSE, FALSE, sizeof (Section));
}

void
state_delta_clear (StateDelta *self) {
  g_clear_pointer (&self->bytes, g_byte_array_unref);
  g_clear_pointer (&self->changed, g_byte_array_unref);
  g_clear_pointer (&self->added, g_byte_array_unref);
  g_clear_pointer (&self->sections, g_array_unref);
  g_clear_pointer (&self->added_sections, g_array_unref);
}

/* One of the two lists of sections. */
typedef struct {
  GByteArray *bytes;
  GArray     *sections;
  guint64     rank; /* of the section under way; G_MAXUINT64: none */
  guint32     stretch;
  guint32     next; /* record after the last group */
} List;

typedef struct {
  List    changed;
  List    added;
  guint64 rank;
  gsize   most;
} Differ;

/* Begins the bytes of the group at @index. */
static void
put_skip (List    *list,
          guint64  rank,
          guint32  index) {
  PackKind kind = rank_kind (rank);
  guint32 stretch = index / state_pack_max_records (kind);
  guint32 skip;
  guint8 byte;

  if (list->rank != rank || list->stretch != stretch) {
    Section section = { rank, index, list->bytes->len };

    g_array_append_val (list->sections, section);
    list->rank = rank;
    list->stretch = stretch;
    list->next = index;
  }
  skip = (index - list->next) >> group_types[kind].bits;
  byte = (guint8)MIN (skip, SKIP_LONG);
  g_byte_array_append (list->bytes, &byte, 1);
  if (byte == SKIP_LONG)
    g_byte_array_append (list->bytes, (const guint8 *)&skip, sizeof skip);
  list->next = index + (1u << group_types[kind].bits);
}

/* The group at @index, whose words are those of @mask. */
static void
put_group (List         *list,
           guint64       rank,
           guint32       index,
           guint64       mask,
           const guint8 *words) {
  const GroupType *type = &group_types[rank_kind (rank)];
  guint8 bytes[sizeof mask + 64 * WORD_BYTES];
  guint n = type->mask_bytes;
  guint64 stored;

  if ((guint)__builtin_popcountll (mask) * MANY_SHARE > type->n_words)
    mask = all_words (type);
  stored = GUINT64_TO_LE (mask);
  put_skip (list, rank, index);
  memcpy (bytes, &stored, sizeof stored);
  for (; mask != 0; mask &= mask - 1, n += WORD_BYTES)
    memcpy (bytes + n, words + (guint)__builtin_ctzll (mask) * WORD_BYTES,
            WORD_BYTES);
  g_byte_array_append (list->bytes, bytes, n);
}

/* Which words differ; @before may be NULL: zeros. */
static guint64
compare_words (const guint8 *before,
               const guint8 *after,
               guint         n_words) {
  static const guint8 zeros[64 * WORD_BYTES];
  guint64 mask = 0;

  if (before == NULL)
    before = zeros;
  if (memcmp (before, after, (gsize)n_words * WORD_BYTES) == 0)
    return 0;
  for (guint i = 0; i < n_words; i++) {
    guint32 a, b;

    memcpy (&a, before + i * WORD_BYTES, WORD_BYTES);
    memcpy (&b, after + i * WORD_BYTES, WORD_BYTES);
    mask |= (guint64)(a != b) << i;
  }
  return mask;
}

static gboolean
differ_leaf (guint32       first,
             guint         n,
             gconstpointer before,
             gconstpointer after,
             gpointer      data) {
  Differ *differ = data;
  const GroupType *type = &group_types[rank_kind (differ->rank)];
  gsize size = (gsize)type->n_words * WORD_BYTES;
  List *list = before != NULL ? &differ->changed : &differ->added;
  const guint8 *old = before, *new = after;

  for (guint i = 0; i < n; i += 1u << type->bits, new += size) {
    guint64 mask = compare_words (old, new, type->n_words);

    /* A new leaf is told, if only of zeros. */
    if (mask != 0 || (before == NULL && i == 0))
      put_group (list, differ->rank, first + i, mask, new);
    if (old != NULL)
      old += size;
  }
  return (gsize)differ->changed.bytes->len + differ->added.bytes->len
         <= differ->most;
}

static gboolean
differ_vec (Differ         *differ,
            PackKind        kind,
            guint           owner,
            const ChunkVec *before,
            const ChunkVec *after) {
  differ->rank = state_frames_rank (kind, owner);
  return chunk_vec_compare (before, after, differ_leaf, differ);
}

static gboolean
arrays_fit (const StateArray *before,
            const StateArray *after) {
  return before == NULL || after == NULL ? before == after
                                         : before->n_main == after->n_main;
}

/* Whether they have the same tables, with the same arrays of buckets. */
static gboolean
tables_fit (const MapState *base,
            const MapState *state) {
  if (base->n_tables != state->n_tables || state->n_iters > G_MAXUINT16)
    return FALSE;
  for (guint i = 0; i < state->n_tables; i++) {
    const StateTable *before = &base->tables[i], *after = &state->tables[i];

    if (before->id != after->id || before->created_ver != after->created_ver
        || !arrays_fit (before->buckets, after->buckets)
        || !arrays_fit (before->oldbuckets, after->oldbuckets))
      return FALSE;
  }
  return TRUE;
}

/* All vectors, in the order of runs. Iterations come and go: of their marks all
 * are told. */
static gboolean
differ_all (Differ         *differ,
            const MapState *base,
            const MapState *state) {
  gboolean fits = TRUE;

  for (guint i = 0; fits && i < state->n_tables; i++) {
    const StateTable *before = &base->tables[i], *after = &state->tables[i];

    if (after->buckets != NULL)
      fits = differ_vec (differ, PACK_BUCKETS, i, &before->buckets->buckets,
                         &after->buckets->buckets);
    if (fits && after->oldbuckets != NULL)
      fits = differ_vec (differ, PACK_OLD_BUCKETS, i,
                         &before->oldbuckets->buckets,
                         &after->oldbuckets->buckets);
  }
  fits = fits
         && differ_vec (differ, PACK_ENTRIES, 0, &base->entries, &state->entries)
         && differ_vec (differ, PACK_VERSIONS, 0, &base->versions,
                        &state->versions);
  for (guint i = 0; fits && i < state->n_iters; i++)
    fits = differ_vec (differ, PACK_MARKS, i, NULL, &state->iters[i].marks[0])
           && differ_vec (differ, PACK_OLD_MARKS, i, NULL,
                          &state->iters[i].marks[1]);
  return fits;
}

static void
put_front (StateDelta     *self,
           const MapState *state) {
  FrontHead front = { .n_sections = self->sections->len
                                    + self->added_sections->len,
                      .n_changed = self->sections->len };
  Section end = { G_MAXUINT64, 0, self->changed->len + self->added->len };

  g_byte_array_set_size (self->bytes, sizeof front);
  state_frames_write_head (self->bytes, state);
  front.head_size = self->bytes->len - (guint)sizeof front;
  memcpy (self->bytes->data, &front, sizeof front);
  for (guint i = 0; i < self->added_sections->len; i++)
    g_array_index (self->added_sections, Section, i).at += self->changed->len;
  g_array_append_vals (self->sections, self->added_sections->data,
                       self->added_sections->len);
  g_array_append_val (self->sections, end);
  g_byte_array_append (self->bytes, (const guint8 *)self->sections->data,
                       self->sections->len * (guint)sizeof end);
}

gboolean
state_delta_write (StateDelta     *self,
                   const MapState *base,
                   const MapState *state,
                   gsize           most) {
  Differ differ = { .changed = { self->changed, self->sections, G_MAXUINT64, 0, 0 },
                    .added = { self->added, self->added_sections, G_MAXUINT64,
                               0, 0 },
                    .most = MIN (most, G_MAXINT32) };
  const guint8 padding[PADDING] = { 0 };

  g_byte_array_set_size (self->changed, 0);
  g_byte_array_set_size (self->added, 0);
  g_array_set_size (self->sections, 0);
  g_array_set_size (self->added_sections, 0);
  self->has_other_tables = !tables_fit (base, state);
  if (self->has_other_tables || !differ_all (&differ, base, state))
    return FALSE;
  put_front (self, state);
  self->front_size = self->bytes->len;
  g_byte_array_append (self->bytes, self->changed->data, self->changed->len);
  g_byte_array_append (self->bytes, self->added->data, self->added->len);
  g_byte_array_append (self->bytes, padding, PADDING);
  return TRUE;
}

/* Reading ------------------------------------------------------------------ */

struct _OpenDelta {
  StateDeltaSource source;
  guint8          *front;
  const guint8    *head;
  FrontHead        sizes;
  Section         *sections;
  gboolean         is_wide; /* see state-delta-wide.c */
};

OpenDelta *
open_delta_new (const StateDeltaSource *source) {
  g_autoptr (OpenDelta) self = g_new0 (OpenDelta, 1);
  const guint8 *front;
  gsize at = sizeof self->sizes, table;

  self->source = *source;
  self->is_wide = !source->is_read_plainly && state_delta_is_wide ();
  self->front = g_malloc (source->front_size);
  front = source->read (source->data, 0, source->front_size, self->front);
  if (front == NULL || source->front_size < at)
    return NULL;
  memcpy (&self->sizes, front, at);
  table = ((gsize)self->sizes.n_sections + 1) * sizeof (Section);
  if (source->front_size - at != self->sizes.head_size + table
      || self->sizes.n_changed > self->sizes.n_sections)
    return NULL;
  self->head = front + at;
  self->sections = g_memdup2 (front + at + self->sizes.head_size, table);
  for (guint i = 0; i < self->sizes.n_sections; i++)
    if (self->sections[i].at > self->sections[i + 1].at
        || rank_kind (self->sections[i].rank) >= PACK_N_KINDS)
      return NULL;
  if (self->sections[self->sizes.n_sections].at
      > source->size - source->front_size - PADDING)
    return NULL;
  return g_steal_pointer (&self);
}

void
open_delta_free (OpenDelta *self) {
  if (self == NULL)
    return;
  g_free (self->front);
  g_free (self->sections);
  g_free (self);
}

const guint8 *
open_delta_head (const OpenDelta *self,
                 gsize           *size) {
  *size = self->sizes.head_size;
  return self->head;
}

/* The first section of records at or after @first, and of those the stretch of
 * @first: a section never holds those of two. */
static guint
find_section (const OpenDelta *self,
              guint64          rank,
              guint64          first) {
  guint low = 0, high = self->sizes.n_changed;

  while (low < high) {
    guint middle = (low + high) / 2;
    const Section *section = &self->sections[middle];

    if (section->rank < rank
        || (section->rank == rank && section->first < first))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Likewise, or the one before, in which they may lie too. */
static guint
find_section_of (const OpenDelta *self,
                 guint64          rank,
                 guint64          first) {
  guint i = find_section (self, rank, first);

  return i > 0 && self->sections[i - 1].rank == rank ? i - 1 : i;
}

static gboolean
get_bytes (const OpenDelta *self,
           DeltaPart       *part,
           guint            section,
           guint            end) {
  if (end < section)
    return FALSE;
  part->from = self->sections[section].at;
  part->end = self->sections[end].at;
  if (part->scratch->len < part->end - part->from + PADDING)
    g_byte_array_set_size (part->scratch,
                           (guint)(part->end - part->from + PADDING));
  part->bytes = self->source.read (self->source.data,
                                   self->source.front_size + part->from,
                                   part->end - part->from + PADDING,
                                   part->scratch->data);
  return part->bytes != NULL;
}

gboolean
open_delta_get (const OpenDelta *self,
                DeltaPart       *part,
                guint64          rank,
                guint32          first,
                guint64          last_rank,
                guint64          end) {
  return get_bytes (self, part, find_section_of (self, rank, first),
                    find_section (self, last_rank, end));
}

/* Puts up to WORDS_AT_ONCE words where @mask says; what comes after those read. How
 * many there are is anybody's guess, a wrong one costs more than to write some to
 * nowhere. */
static inline const guint8 *
put_words (guint8       *words,
           guint64      *mask,
           const guint8 *at) {
  guint8 nowhere[WORD_BYTES];

  for (guint i = 0; i < WORDS_AT_ONCE; i++) {
    guint64 is_one = *mask != 0;
    guint place = (guint)__builtin_ctzll (*mask | G_GUINT64_CONSTANT (1) << 63);

    memcpy (is_one ? words + place * WORD_BYTES : nowhere, at, WORD_BYTES);
    at += is_one * WORD_BYTES;
    *mask &= *mask - is_one;
  }
  return at;
}

/* Goes on to the next section that has anything; FALSE: there is none. */
static gboolean
next_section (DeltaCursor *cursor) {
  while (cursor->at == cursor->until && cursor->section < cursor->end) {
    const Section *section = &cursor->delta->sections[cursor->section++];

    if (section[0].at < cursor->part->from || section[1].at > cursor->part->end)
      break;
    cursor->at = cursor->part->bytes + (section[0].at - cursor->part->from);
    cursor->until = cursor->part->bytes + (section[1].at - cursor->part->from);
    cursor->index = section->first;
    /* A group lies in one leaf. */
    cursor->is_bad |= (section->first & ((1u << cursor->type->bits) - 1)) != 0;
  }
  if (cursor->at < cursor->until)
    return TRUE;
  cursor->is_bad |= cursor->at > cursor->until || cursor->section < cursor->end;
  cursor->index = G_MAXUINT64;
  return FALSE;
}

/* Reads on to where the next group is. */
static inline void
find_group (DeltaCursor *cursor) {
  guint32 skip;

  if (G_UNLIKELY (cursor->at >= cursor->until) && !next_section (cursor))
    return;
  skip = *cursor->at++;
  if (G_UNLIKELY (skip == SKIP_LONG)) {
    memcpy (&skip, cursor->at, sizeof skip);
    cursor->at += sizeof skip;
  }
  cursor->index += (guint64)skip << cursor->type->bits;
}

static void
cursor_begin (DeltaCursor     *cursor,
              const OpenDelta *delta,
              const DeltaPart *part,
              guint            section,
              guint            end) {
  *cursor = (DeltaCursor){ .delta = delta, .part = part, .section = section,
                           .end = end };
  if (section < end)
    cursor->type = &group_types[rank_kind (delta->sections[section].rank)];
  find_group (cursor);
}

/* Puts the group at the cursor to @words; NULL: nowhere. */
static inline void
take_group (DeltaCursor *cursor,
            guint8      *words) {
  const GroupType *type = cursor->type;
  const guint8 *at = cursor->at;
  guint64 mask;

  memcpy (&mask, at, sizeof mask);
  mask = GUINT64_FROM_LE (mask) & all_words (type);
  at += type->mask_bytes;
  if (G_UNLIKELY (words == NULL)) {
    at += (guint)__builtin_popcountll (mask) * WORD_BYTES;
  } else if (G_UNLIKELY (mask == all_words (type))) {
    gsize size = (gsize)type->n_words * WORD_BYTES;

    cursor->is_bad |= cursor->until < at + size;
    if (!cursor->is_bad)
      memcpy (words, at, size);
    at += size;
  } else if (cursor->delta->is_wide) {
    at = state_delta_put_wide (words, type->n_words, mask, at, cursor->until);
    cursor->is_bad |= at == NULL;
    if (cursor->is_bad)
      return;
  } else {
    while (mask != 0 && at < cursor->until)
      at = put_words (words, &mask, at);
  }
  cursor->at = at;
  cursor->index += 1u << type->bits;
  find_group (cursor);
}

void
delta_cursor_begin (DeltaCursor     *cursor,
                    const OpenDelta *delta,
                    const DeltaPart *part,
                    guint64          rank,
                    guint32          first) {
  guint section = find_section_of (delta, rank, first), end = section;

  while (end < delta->sizes.n_changed && delta->sections[end].rank == rank
         && delta->sections[end].at < part->end)
    end++;
  cursor_begin (cursor, delta, part, section, end);
}

gboolean
delta_cursor_change (DeltaCursor *cursor,
                     guint8      *records,
                     guint32      first,
                     guint        n) {
  const GroupType *type = cursor->type;

  while (cursor->index < (guint64)first + n && !cursor->is_bad) {
    guint place = (guint)(cursor->index - first) >> type->bits;

    take_group (cursor, cursor->index < first
                            ? NULL
                            : records + place * type->n_words * WORD_BYTES);
  }
  return !cursor->is_bad;
}

/* The groups of @section, whose leaves may have to be made. */
static gboolean
add_section (const OpenDelta *self,
             guint            section,
             const DeltaPart *part,
             ChunkVec        *vec,
             guint64          end,
             ChunkBudget     *budget) {
  DeltaCursor cursor;

  cursor_begin (&cursor, self, part, section, section + 1);
  while (cursor.index < end && !cursor.is_bad) {
    guint8 *words = chunk_vec_edit (vec, (guint32)cursor.index, budget);

    if (words == NULL)
      return FALSE;
    take_group (&cursor, words);
  }
  return !cursor.is_bad;
}

gboolean
open_delta_add (const OpenDelta *self,
                MapState        *state) {
  ChunkBudget budget = { .limit = FOLD_MAX_BYTES };
  g_autoptr (GByteArray) scratch = g_byte_array_new ();
  DeltaPart part = { .scratch = scratch };

  if (self->sizes.n_changed == self->sizes.n_sections)
    return TRUE;
  if (!get_bytes (self, &part, self->sizes.n_changed, self->sizes.n_sections))
    return FALSE;
  for (guint i = self->sizes.n_changed; i < self->sizes.n_sections; i++) {
    guint64 rank = self->sections[i].rank;
    PackLimits limits;
    ChunkVec *vec = state_frames_find_vec (state, rank_kind (rank),
                                           rank >> 16 & 0xffff, &limits);

    if (vec == NULL
        || !add_section (self, i, &part, vec, limits.n_buckets, &budget))
      return FALSE;
  }
  return TRUE;
}
