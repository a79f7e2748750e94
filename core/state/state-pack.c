/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-pack.c — runs of a vector's records as columns of bytes, and back
 *
 * Idea        A record of a vector is wide for what it says: a key of 8 bytes
 *             mostly counts to a million. A run of records is written column by
 *             column, each column as differences from its least value, in the
 *             fewest bytes that the greatest difference needs. A million slots
 *             so take 10 MB instead of 20, and back they go nearly as fast as
 *             memory is copied, which no compression in general does.
 *
 * Format      For each column of the kind, in the order of its table below:
 *
 *             bytes        what
 *             1            w: 0, 1, 2, 4 or 8
 *             8            base, the least value of the column, signed
 *             n·k·w        value less base, of n records, k values each
 *
 *             All little-endian. A column has a least width, so that what is read
 *             makes at most 20 times as many bytes in memory.
 *
 * Trust       Links between buckets are checked as a fold leaves them: onwards to
 *             greater indices, back to lesser ones. Flags and states are in
 *             bounds. Keys, values and hashes may be anything.
 */
#include "core/state/state-pack-private.h"

#include "core/state/map-state-private.h"

#include <string.h>

#define COLUMN_HEAD 9u

typedef struct {
  guint8 offset;
  guint8 size;      /* of a value: 4 or 8 bytes */
  guint8 n;         /* values in a record: 1, or 8 of 8 bytes */
  guint8 min_width;
} Column;

typedef struct {
  guint  leaf_bits;
  guint  record_size;
  guint  max_records;
  guint  n_columns;
  Column columns[PACK_MAX_COLUMNS];
} PackType;

#define BUCKET(field) offsetof (BucketRecord, field)
static const PackType bucket_type = {
  BUCKET_LEAF_BITS, sizeof (BucketRecord), 1536, 6,
  { { BUCKET (shown.tophash), 8, 1, 8 }, { BUCKET (shown.overflow), 4, 1, 0 },
    { BUCKET (shown.touched), 4, 1, 0 }, { BUCKET (shown.keys), 8, 8, 0 },
    { BUCKET (shown.elems), 8, 8, 0 },
    { BUCKET (previous), 8, 1, 0 } /* and what is unused */ },
};
#define ENTRY(field) offsetof (EntryRecord, field)
static const PackType entry_type = {
  ENTRY_LEAF_BITS, sizeof (EntryRecord), 6144, 6,
  { { ENTRY (value), 8, 1, 2 }, { ENTRY (key), 8, 1, 0 },
    { ENTRY (version), 4, 1, 0 }, { ENTRY (epoch), 4, 1, 0 },
    { ENTRY (expunged_in), 4, 1, 0 }, { ENTRY (state), 4, 1, 0 } },
};
#define VERSION(field) offsetof (VersionRecord, field)
static const PackType version_type = {
  ENTRY_LEAF_BITS, sizeof (VersionRecord), 4096, 6,
  { { VERSION (stamp), 8, 1, 4 }, { VERSION (value), 8, 1, 0 },
    { VERSION (key), 8, 1, 0 }, { VERSION (generation), 8, 1, 0 } /* and older */,
    { VERSION (older_generation), 4, 1, 0 }, { VERSION (is_deleted), 4, 1, 0 } },
};
static const PackType marks_type = {
  MARKS_LEAF_BITS, sizeof (IterMarks), 16384, 1, { { 0, 4, 1, 1 } },
};

/* A column more or less and some byte of a record would not be kept. */
G_STATIC_ASSERT (sizeof (BucketRecord) == 8 + 4 + 4 + 64 + 64 + 8);
G_STATIC_ASSERT (sizeof (EntryRecord) == 8 + 8 + 4 + 4 + 4 + 4);
G_STATIC_ASSERT (sizeof (VersionRecord) == 8 + 8 + 8 + 8 + 4 + 4);
G_STATIC_ASSERT (sizeof (IterMarks) == 4);
G_STATIC_ASSERT (sizeof (BucketRecord) << BUCKET_LEAF_BITS <= PACK_MAX_LEAF
                 && sizeof (EntryRecord) << ENTRY_LEAF_BITS <= PACK_MAX_LEAF);

static const PackType *
find_type (PackKind kind) {
  switch (kind) {
  case PACK_BUCKETS:
  case PACK_OLD_BUCKETS: return &bucket_type;
  case PACK_ENTRIES: return &entry_type;
  case PACK_VERSIONS: return &version_type;
  case PACK_MARKS:
  case PACK_OLD_MARKS: return &marks_type;
  case PACK_N_KINDS: break;
  }
  g_assert_not_reached ();
}

guint
state_pack_max_records (PackKind kind) {
  return find_type (kind)->max_records;
}

gsize
state_pack_max_bytes (PackKind kind,
                      guint    n) {
  const PackType *type = find_type (kind);

  return type->n_columns * COLUMN_HEAD + (gsize)n * type->record_size;
}

/* Packing ------------------------------------------------------------------ */

static inline gint64
get_value (const guint8 *place,
           guint         size) {
  guint32 small;
  gint64 value;

  if (size == 8) {
    memcpy (&value, place, 8);
    return GINT64_FROM_LE (value);
  }
  memcpy (&small, place, 4);
  return GUINT32_FROM_LE (small);
}

/* The least and the greatest value of a column in @n records. */
static void
find_range (const Column *column,
            guint         stride,
            const guint8 *records,
            guint         n,
            gint64       *least,
            gint64       *greatest) {
  for (guint i = 0; i < n; i++, records += stride)
    for (guint k = 0; k < column->n; k++) {
      gint64 value = get_value (records + column->offset + k * column->size,
                                column->size);

      *least = MIN (*least, value);
      *greatest = MAX (*greatest, value);
    }
}

static guint
find_width (const Column *column,
            guint64       range) {
  guint width = range == 0 ? 0 : range <= 0xff ? 1 : range <= 0xffff ? 2
                : range <= 0xffffffff ? 4 : 8;

  return MAX (width, column->min_width);
}

static guint8 *
write_values (const Column *column,
              guint         stride,
              const guint8 *records,
              guint         n,
              guint         width,
              gint64        base,
              guint8       *bytes) {
  for (guint i = 0; i < n; i++, records += stride)
    for (guint k = 0; k < column->n; k++, bytes += width) {
      guint64 value = GUINT64_TO_LE (
        (guint64)get_value (records + column->offset + k * column->size,
                            column->size) - (guint64)base);

      memcpy (bytes, &value, 8);
    }
  return bytes;
}

gsize
state_pack (PackKind        kind,
            const ChunkVec *vec,
            guint32         first,
            guint           n,
            guint8         *bytes) {
  const PackType *type = find_type (kind);
  guint per_leaf = 1u << type->leaf_bits;
  guint8 *at = bytes;

  for (guint c = 0; c < type->n_columns; c++) {
    const Column *column = &type->columns[c];
    gint64 least = G_MAXINT64, greatest = G_MININT64, stored;
    guint width;

    for (guint i = 0; i < n; i += per_leaf)
      find_range (column, type->record_size, chunk_vec_get (vec, first + i),
                  MIN (per_leaf, n - i), &least, &greatest);
    width = find_width (column, (guint64)greatest - (guint64)least);
    *at = (guint8)width;
    stored = GINT64_TO_LE (least);
    memcpy (at + 1, &stored, 8);
    at += COLUMN_HEAD;
    for (guint i = 0; i < n && width > 0; i += per_leaf)
      at = write_values (column, type->record_size,
                         chunk_vec_get (vec, first + i), MIN (per_leaf, n - i),
                         width, least, at);
  }
  return (gsize)(at - bytes);
}

/* Unpacking ---------------------------------------------------------------- */

/* Values of one width and size; the compiler makes vectors of it. */
#define READ_VALUES(in_bits, out_bits, per_record)                           \
  for (guint i = 0; i < n; i++, out += stride)                               \
    for (guint k = 0; k < per_record; k++, in += in_bits / 8) {              \
      guint##in_bits raw;                                                    \
      guint##out_bits value;                                                 \
                                                                             \
      memcpy (&raw, in, in_bits / 8);                                        \
      value = (guint##out_bits)(GUINT##in_bits##_FROM_LE (raw) + base);      \
      value = GUINT##out_bits##_TO_LE (value);                               \
      memcpy (out + k * (out_bits / 8), &value, out_bits / 8);               \
    }
#define GUINT8_FROM_LE(value) (value)
#define READ_BY_SIZE(in_bits)                                                \
  if (column->n == 8) {                                                      \
    READ_VALUES (in_bits, 64, 8)                                             \
  } else if (column->size == 8) {                                            \
    READ_VALUES (in_bits, 64, 1)                                             \
  } else {                                                                   \
    READ_VALUES (in_bits, 32, 1)                                             \
  }

/* One value for all, of a size that the compiler knows. */
#define REPEAT_VALUE(out_bits, per_record)                                   \
  for (guint i = 0; i < n; i++, out += stride)                               \
    for (guint k = 0; k < per_record; k++)                                   \
      memcpy (out + k * (out_bits / 8), &value, out_bits / 8);

static void
repeat_value (const Column *column,
              guint         stride,
              guint8       *out,
              guint         n,
              guint64       base) {
  guint64 value = GUINT64_TO_LE (base);

  if (column->n == 8) {
    REPEAT_VALUE (64, 8)
  } else if (column->size == 8) {
    REPEAT_VALUE (64, 1)
  } else {
    REPEAT_VALUE (32, 1)
  }
}

static void
read_values (const Column *column,
             PackedColumn *packed,
             guint         stride,
             guint8       *records,
             guint         n) {
  guint8 *out = records + column->offset;
  const guint8 *in = packed->bytes;
  guint64 base = packed->base;

  switch (packed->width) {
  case 0: repeat_value (column, stride, out, n, base); break;
  case 1: READ_BY_SIZE (8) break;
  case 2: READ_BY_SIZE (16) break;
  case 4: READ_BY_SIZE (32) break;
  case 8: READ_BY_SIZE (64) break;
  }
  packed->bytes = in;
}

static gboolean
buckets_fit (const BucketRecord *records,
             const PackLimits   *limits,
             guint32             index,
             guint               n) {
  for (guint i = 0; i < n; i++, index++) {
    guint32 next = records[i].shown.overflow;

    if (next != 0 && (next <= index || next < limits->n_main
                      || next >= limits->n_buckets))
      return FALSE;
    if (records[i].unused != 0
        || (index >= limits->n_main ? records[i].previous >= index
                                    : records[i].previous != 0))
      return FALSE;
  }
  return TRUE;
}

static gboolean
entries_fit (const EntryRecord *records,
             guint              n) {
  for (guint i = 0; i < n; i++)
    if (records[i].state > ENTRY_EXPUNGED || records[i].is_known > 1
        || records[i].is_deleted > 1 || records[i].unused != 0)
      return FALSE;
  return TRUE;
}

static gboolean
versions_fit (const VersionRecord *records,
              guint                n) {
  for (guint i = 0; i < n; i++)
    if (records[i].is_deleted > 1 || records[i].is_retired > 1
        || records[i].is_in_chain > 1 || records[i].unused != 0)
      return FALSE;
  return TRUE;
}

static gboolean
records_fit (PackKind          kind,
             const PackLimits *limits,
             gconstpointer     records,
             guint32           first,
             guint             n) {
  switch (kind) {
  case PACK_BUCKETS:
  case PACK_OLD_BUCKETS: return buckets_fit (records, limits, first, n);
  case PACK_ENTRIES: return entries_fit (records, n);
  case PACK_VERSIONS: return versions_fit (records, n);
  case PACK_MARKS:
  case PACK_OLD_MARKS:
  case PACK_N_KINDS: break;
  }
  return TRUE;
}

/* Where the columns lie; the bytes they take, 0: they do not fit @size. */
static gsize
find_columns (const PackType *type,
              guint           n,
              const guint8   *bytes,
              gsize           size,
              PackedColumn   *columns) {
  gsize at = 0;

  for (guint c = 0; c < type->n_columns; c++) {
    guint width;

    if (size - at < COLUMN_HEAD)
      return 0;
    width = bytes[at];
    if (width > 8 || (width & (width - 1)) != 0
        || width < type->columns[c].min_width)
      return 0;
    columns[c].width = width;
    columns[c].base = (guint64)get_value (bytes + at + 1, 8);
    at += COLUMN_HEAD;
    columns[c].bytes = bytes + at;
    if ((size - at) < (gsize)n * type->columns[c].n * width)
      return 0;
    at += (gsize)n * type->columns[c].n * width;
  }
  return at;
}

/* Has memory for @size bytes at @records brought near, which are written soon. */
static inline void
fetch_leaf (const guint8 *records,
            gsize         size) {
  for (gsize at = 0; at < size; at += 64)
    __builtin_prefetch (records + at, 1);
}

/* All of a run but what differs from leaf to leaf. */
typedef struct {
  const PackType   *type;
  PackKind          kind;
  const PackLimits *limits;
  StateChange       change; /* NULL: none */
  gpointer          data;
  PackedColumn      columns[PACK_MAX_COLUMNS];
} Unpack;

static gboolean
unpack_leaf (Unpack  *unpack,
             guint32  first,
             guint    n,
             guint8  *records) {
  const PackType *type = unpack->type;

  for (guint c = 0; c < type->n_columns; c++)
    read_values (&type->columns[c], &unpack->columns[c], type->record_size,
                 records, n);
  return records_fit (unpack->kind, unpack->limits, records, first, n)
         && (unpack->change == NULL
             || unpack->change (unpack->data, first, records));
}

static gboolean
unpack_leaf_wide (Unpack  *unpack,
                  guint32  first,
                  guint8  *records) {
  guint8 leaf[PACK_MAX_LEAF] __attribute__ ((aligned (PACK_LEAF_ALIGN)));

  if (!state_unpack_wide (unpack->kind, unpack->columns, unpack->limits, first,
                          leaf)
      || (unpack->change != NULL && !unpack->change (unpack->data, first, leaf)))
    return FALSE;
  state_pack_store_wide (records, leaf, (gsize)unpack->type->record_size
                                            << unpack->type->leaf_bits);
  return TRUE;
}

gsize
state_unpack (PackKind          kind,
              ChunkVec         *vec,
              const PackLimits *limits,
              guint32           first,
              guint             n,
              const guint8     *bytes,
              gsize             size,
              StateChange       change,
              gpointer          data) {
  Unpack unpack = { .type = find_type (kind), .kind = kind, .limits = limits,
                    .change = change, .data = data };
  guint per_leaf = 1u << unpack.type->leaf_bits;
  gsize length = find_columns (unpack.type, n, bytes, size, unpack.columns);
  gboolean is_wide = length > 0 && state_pack_is_wide (kind, unpack.columns);

  for (guint i = 0; i < n && length > 0; i += per_leaf) {
    guint n_here = MIN (per_leaf, n - i);
    guint8 *records = (guint8 *)chunk_vec_get (vec, first + i);

    if (is_wide && n_here == per_leaf) {
      if (!unpack_leaf_wide (&unpack, first + i, records))
        return 0;
      continue;
    }
    if (i + per_leaf < n)
      fetch_leaf (chunk_vec_get (vec, first + i + per_leaf),
                  (gsize)per_leaf * unpack.type->record_size);
    if (!unpack_leaf (&unpack, first + i, n_here, records))
      return 0;
  }
  if (is_wide)
    state_pack_end_wide ();
  return length;
}
