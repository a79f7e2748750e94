/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-pack-wide.c — leaves from columns, several records at once
 *
 * Idea        A restored state is tens of megabytes that nobody reads soon, made of
 *             half as many. Where registers hold four words (AVX2), eight buckets
 *             or four entries are widened, put together and checked at once, in
 *             a leaf on the stack. From there it goes to memory past the caches:
 *             to write a line in the ordinary way it has to be read first, and it
 *             would drive out what the rest of the seek needs.
 *
 * Machine     Which way is taken is asked of the processor. The portable way is in
 *             state-pack.c; both leave the same bytes.
 *
 * Measured    A state of a million slots, one thread, at best: portably 2.6 ms, so
 *             1.6.
 */
#include "core/state/state-pack-private.h"

#include "core/state/map-state-private.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define WIDE __attribute__ ((target ("avx2")))
#define WIDE_INLINE WIDE static inline __attribute__ ((always_inline))

/* Columns as state-pack.c has them. */
enum { COLUMN_TOPHASH, COLUMN_OVERFLOW, COLUMN_TOUCHED, COLUMN_KEYS, COLUMN_ELEMS,
       COLUMN_PREVIOUS };
enum { COLUMN_VALUE, COLUMN_KEY, COLUMN_VERSION, COLUMN_EPOCH, COLUMN_EXPUNGED_IN,
       COLUMN_STATE };
G_STATIC_ASSERT (BUCKET_LEAF_BITS == 3 && ENTRY_LEAF_BITS == 5);

gboolean
state_pack_is_wide (PackKind            kind,
                    const PackedColumn *columns) {
  if (!__builtin_cpu_supports ("avx2"))
    return FALSE;
  /* Of values of four bytes none was written in more. */
  switch (kind) {
  case PACK_BUCKETS:
  case PACK_OLD_BUCKETS:
    return columns[COLUMN_OVERFLOW].width <= 4 && columns[COLUMN_TOUCHED].width <= 4;
  case PACK_ENTRIES:
    for (guint i = COLUMN_VERSION; i <= COLUMN_STATE; i++)
      if (columns[i].width > 4)
        return FALSE;
    return TRUE;
  case PACK_VERSIONS:
  case PACK_MARKS:
  case PACK_OLD_MARKS:
  case PACK_N_KINDS: break;
  }
  return FALSE;
}

/* Four values of eight bytes, of which @width are at @bytes. */
WIDE_INLINE __m256i
widen_long (const guint8 *bytes,
            guint         width) {
  guint32 small;

  switch (width) {
  case 1:
    memcpy (&small, bytes, 4);
    return _mm256_cvtepu8_epi64 (_mm_cvtsi32_si128 ((int)small));
  case 2: return _mm256_cvtepu16_epi64 (_mm_loadl_epi64 ((gconstpointer)bytes));
  case 4: return _mm256_cvtepu32_epi64 (_mm_loadu_si128 ((gconstpointer)bytes));
  case 8: return _mm256_loadu_si256 ((gconstpointer)bytes);
  }
  return _mm256_setzero_si256 ();
}

WIDE_INLINE __m256i
take_long (PackedColumn *column) {
  __m256i values = widen_long (column->bytes, column->width);

  column->bytes += 4 * column->width;
  return _mm256_add_epi64 (values, _mm256_set1_epi64x ((gint64)column->base));
}

/* Eight values of four bytes. */
WIDE_INLINE __m256i
widen_short (const guint8 *bytes,
             guint         width) {
  switch (width) {
  case 1: return _mm256_cvtepu8_epi32 (_mm_loadl_epi64 ((gconstpointer)bytes));
  case 2: return _mm256_cvtepu16_epi32 (_mm_loadu_si128 ((gconstpointer)bytes));
  case 4: return _mm256_loadu_si256 ((gconstpointer)bytes);
  }
  return _mm256_setzero_si256 ();
}

WIDE_INLINE __m256i
take_short (PackedColumn *column) {
  __m256i values = widen_short (column->bytes, column->width);

  column->bytes += 8 * column->width;
  return _mm256_add_epi32 (values, _mm256_set1_epi32 ((int)(guint32)column->base));
}

/* Buckets ------------------------------------------------------------------ */

#define RECORD(leaf, i) ((leaf) + (gsize)(i) * sizeof (BucketRecord))
#define AT(leaf, i, field)                                                    \
  ((gpointer)(RECORD (leaf, i) + offsetof (BucketRecord, field)))

/* The eight words of @field of each record; @width is known to the compiler. */
#define PUT_SLOTS(field, width)                                               \
  for (guint i = 0; i < 8; i++, bytes += 8 * (width)) {                       \
    _mm256_storeu_si256 (AT (leaf, i, field),                                 \
                         _mm256_add_epi64 (widen_long (bytes, width), base)); \
    _mm256_storeu_si256 ((__m256i *)AT (leaf, i, field) + 1,                  \
                         _mm256_add_epi64 (                                   \
                           widen_long (bytes + 4 * (width), width), base));   \
  }
#define PUT_COLUMN(column, field)                                             \
  do {                                                                        \
    __m256i base = _mm256_set1_epi64x ((gint64)(column)->base);               \
    const guint8 *bytes = (column)->bytes;                                    \
                                                                              \
    switch ((column)->width) {                                                \
    case 0: PUT_SLOTS (field, 0) break;                                       \
    case 1: PUT_SLOTS (field, 1) break;                                       \
    case 2: PUT_SLOTS (field, 2) break;                                       \
    case 4: PUT_SLOTS (field, 4) break;                                       \
    case 8: PUT_SLOTS (field, 8) break;                                       \
    }                                                                         \
    (column)->bytes = bytes;                                                  \
  } while (0)

/* As buckets_fit() has it: onwards to greater indices that are overflow buckets'.
 * All are less than 2^31, so a greater word fails as a negative one. */
WIDE_INLINE __m256i
links_fit (__m256i           next,
           __m256i           index,
           const PackLimits *limits) {
  __m256i onwards = _mm256_cmpgt_epi32 (next, index);
  __m256i beyond = _mm256_cmpgt_epi32 (
    next, _mm256_set1_epi32 ((int)limits->n_main - 1));
  __m256i within = _mm256_cmpgt_epi32 (
    _mm256_set1_epi32 ((int)limits->n_buckets), next);

  return _mm256_or_si256 (
    _mm256_cmpeq_epi32 (next, _mm256_setzero_si256 ()),
    _mm256_and_si256 (onwards, _mm256_and_si256 (beyond, within)));
}

/* Back to lesser indices, from overflow buckets alone; what is unused is zero.
 * @index: of four records. */
WIDE_INLINE __m256i
backlinks_fit (__m256i           previous,
               __m256i           index,
               const PackLimits *limits) {
  __m256i beyond = _mm256_cmpgt_epi64 (
    index, _mm256_set1_epi64x ((gint64)limits->n_main - 1));
  __m256i limit = _mm256_blendv_epi8 (_mm256_set1_epi64x (1), index, beyond);

  return _mm256_and_si256 (
    _mm256_cmpgt_epi64 (limit, previous),
    _mm256_cmpgt_epi64 (previous, _mm256_set1_epi64x (-1)));
}

/* The first 16 bytes of four records: @tophash and the two words of each. */
WIDE_INLINE void
put_fronts (guint8  *leaf,
            guint    i,
            __m256i  tophash,
            __m256i  words) {
  __m256i even = _mm256_unpacklo_epi64 (tophash, words);
  __m256i odd = _mm256_unpackhi_epi64 (tophash, words);

  _mm_storeu_si128 (AT (leaf, i, shown), _mm256_castsi256_si128 (even));
  _mm_storeu_si128 (AT (leaf, i + 1, shown), _mm256_castsi256_si128 (odd));
  _mm_storeu_si128 (AT (leaf, i + 2, shown), _mm256_extracti128_si256 (even, 1));
  _mm_storeu_si128 (AT (leaf, i + 3, shown), _mm256_extracti128_si256 (odd, 1));
}

/* The last 8 bytes of four. */
WIDE_INLINE void
put_backs (guint8  *leaf,
           guint    i,
           __m256i  previous) {
  guint64 words[4];

  _mm256_storeu_si256 ((gpointer)words, previous);
  for (guint k = 0; k < 4; k++)
    memcpy (AT (leaf, i + k, previous), &words[k], 8);
}
G_STATIC_ASSERT (offsetof (BucketRecord, shown.tophash) == 0
                 && offsetof (BucketRecord, shown.overflow) == 8
                 && offsetof (BucketRecord, shown.touched) == 12
                 && offsetof (BucketRecord, previous) == 144
                 && offsetof (BucketRecord, unused) == 148);

WIDE static gboolean
unpack_buckets (PackedColumn     *columns,
                const PackLimits *limits,
                guint32           first,
                guint8           *leaf) {
  __m256i index = _mm256_add_epi32 (_mm256_set1_epi32 ((int)first),
                                    _mm256_setr_epi32 (0, 1, 2, 3, 4, 5, 6, 7));
  __m256i overflow = take_short (&columns[COLUMN_OVERFLOW]);
  __m256i touched = take_short (&columns[COLUMN_TOUCHED]);
  __m256i fits = links_fit (overflow, index, limits);
  __m256i low = _mm256_unpacklo_epi32 (overflow, touched);
  __m256i high = _mm256_unpackhi_epi32 (overflow, touched);

  put_fronts (leaf, 0, take_long (&columns[COLUMN_TOPHASH]),
              _mm256_permute2x128_si256 (low, high, 0x20));
  put_fronts (leaf, 4, take_long (&columns[COLUMN_TOPHASH]),
              _mm256_permute2x128_si256 (low, high, 0x31));
  PUT_COLUMN (&columns[COLUMN_KEYS], shown.keys);
  PUT_COLUMN (&columns[COLUMN_ELEMS], shown.elems);
  for (guint i = 0; i < 8; i += 4) {
    __m256i previous = take_long (&columns[COLUMN_PREVIOUS]);
    __m128i four = i == 0 ? _mm256_castsi256_si128 (index)
                          : _mm256_extracti128_si256 (index, 1);

    fits = _mm256_and_si256 (
      fits, backlinks_fit (previous, _mm256_cvtepu32_epi64 (four), limits));
    put_backs (leaf, i, previous);
  }
  return _mm256_movemask_epi8 (fits) == -1;
}

/* Entries ------------------------------------------------------------------ */

#define LEAF_ENTRIES (1u << ENTRY_LEAF_BITS)

/* Columns of a leaf, widened: which width it is, is asked once a leaf, and each
 * loop is of one that the compiler knows. */
typedef struct {
  guint64 value[LEAF_ENTRIES] __attribute__ ((aligned (32)));
  guint64 key[LEAF_ENTRIES];
  guint32 version[LEAF_ENTRIES];
  guint32 epoch[LEAF_ENTRIES];
  guint32 expunged_in[LEAF_ENTRIES];
  guint32 state[LEAF_ENTRIES];
} EntryColumns;

#define WIDEN_LONGS(width)                                                    \
  for (guint i = 0; i < LEAF_ENTRIES; i += 4)                                 \
    _mm256_store_si256 ((__m256i *)(gpointer)(values + i),                    \
                        _mm256_add_epi64 (widen_long (bytes + i * (width),    \
                                                      width), base));
WIDE_INLINE void
widen_longs (PackedColumn *column,
             guint64      *values) {
  __m256i base = _mm256_set1_epi64x ((gint64)column->base);
  const guint8 *bytes = column->bytes;

  switch (column->width) {
  case 0: WIDEN_LONGS (0) break;
  case 1: WIDEN_LONGS (1) break;
  case 2: WIDEN_LONGS (2) break;
  case 4: WIDEN_LONGS (4) break;
  case 8: WIDEN_LONGS (8) break;
  }
  column->bytes += LEAF_ENTRIES * column->width;
}

#define WIDEN_SHORTS(width)                                                   \
  for (guint i = 0; i < LEAF_ENTRIES; i += 8)                                 \
    _mm256_store_si256 ((__m256i *)(gpointer)(values + i),                    \
                        _mm256_add_epi32 (widen_short (bytes + i * (width),   \
                                                       width), base));
WIDE_INLINE void
widen_shorts (PackedColumn *column,
              guint32      *values) {
  __m256i base = _mm256_set1_epi32 ((int)(guint32)column->base);
  const guint8 *bytes = column->bytes;

  switch (column->width) {
  case 0: WIDEN_SHORTS (0) break;
  case 1: WIDEN_SHORTS (1) break;
  case 2: WIDEN_SHORTS (2) break;
  case 4: WIDEN_SHORTS (4) break;
  }
  column->bytes += LEAF_ENTRIES * column->width;
}

G_STATIC_ASSERT (offsetof (EntryRecord, value) == 0
                 && offsetof (EntryRecord, key) == 8
                 && offsetof (EntryRecord, version) == 16
                 && offsetof (EntryRecord, epoch) == 20
                 && offsetof (EntryRecord, expunged_in) == 24
                 && offsetof (EntryRecord, state) == 28
                 && offsetof (EntryRecord, is_known) == 29
                 && offsetof (EntryRecord, is_deleted) == 30
                 && offsetof (EntryRecord, unused) == 31);

/* The four entries at @i to @records; bytes of the result are 0 where they do not
 * fit. */
WIDE_INLINE __m128i
join_four (const EntryColumns *columns,
           guint               i,
           guint8             *records) {
#define FOUR_LONG(field) _mm256_load_si256 ((gconstpointer)(columns->field + i))
#define FOUR_SHORT(field) _mm_load_si128 ((gconstpointer)(columns->field + i))
  __m256i value = FOUR_LONG (value), key = FOUR_LONG (key);
  __m128i version = FOUR_SHORT (version), epoch = FOUR_SHORT (epoch);
  __m128i expunged_in = FOUR_SHORT (expunged_in), state = FOUR_SHORT (state);
  __m128i most = _mm_set1_epi32 (ENTRY_EXPUNGED | 1 << 8 | 1 << 16);
  __m256i even = _mm256_unpacklo_epi64 (value, key);
  __m256i odd = _mm256_unpackhi_epi64 (value, key);
  __m128i a = _mm_unpacklo_epi32 (version, epoch);
  __m128i b = _mm_unpackhi_epi32 (version, epoch);
  __m128i c = _mm_unpacklo_epi32 (expunged_in, state);
  __m128i d = _mm_unpackhi_epi32 (expunged_in, state);
  __m128i *place = (__m128i *)(gpointer)records;

  _mm_store_si128 (place, _mm256_castsi256_si128 (even));
  _mm_store_si128 (place + 1, _mm_unpacklo_epi64 (a, c));
  _mm_store_si128 (place + 2, _mm256_castsi256_si128 (odd));
  _mm_store_si128 (place + 3, _mm_unpackhi_epi64 (a, c));
  _mm_store_si128 (place + 4, _mm256_extracti128_si256 (even, 1));
  _mm_store_si128 (place + 5, _mm_unpacklo_epi64 (b, d));
  _mm_store_si128 (place + 6, _mm256_extracti128_si256 (odd, 1));
  _mm_store_si128 (place + 7, _mm_unpackhi_epi64 (b, d));
  return _mm_cmpeq_epi8 (_mm_max_epu8 (state, most), most);
#undef FOUR_LONG
#undef FOUR_SHORT
}

WIDE static gboolean
unpack_entries (PackedColumn *columns,
                guint8       *leaf) {
  __m128i fits = _mm_set1_epi8 (-1);
  EntryColumns all;

  widen_longs (&columns[COLUMN_VALUE], all.value);
  widen_longs (&columns[COLUMN_KEY], all.key);
  widen_shorts (&columns[COLUMN_VERSION], all.version);
  widen_shorts (&columns[COLUMN_EPOCH], all.epoch);
  widen_shorts (&columns[COLUMN_EXPUNGED_IN], all.expunged_in);
  widen_shorts (&columns[COLUMN_STATE], all.state);
  for (guint i = 0; i < LEAF_ENTRIES; i += 4)
    fits = _mm_and_si128 (fits, join_four (&all, i, leaf + i * sizeof (EntryRecord)));
  return _mm_movemask_epi8 (fits) == 0xffff;
}

/* -------------------------------------------------------------------------- */

gboolean
state_unpack_wide (PackKind          kind,
                   PackedColumn     *columns,
                   const PackLimits *limits,
                   guint32           first,
                   guint8           *leaf) {
  return kind == PACK_ENTRIES ? unpack_entries (columns, leaf)
                              : unpack_buckets (columns, limits, first, leaf);
}

/* A line at once. */
__attribute__ ((target ("avx512f"))) static void
store_lines (guint8       *place,
             const guint8 *leaf,
             gsize         size) {
  for (gsize at = 0; at < size; at += sizeof (__m512i))
    _mm512_stream_si512 ((__m512i *)(gpointer)(place + at),
                         _mm512_load_si512 ((const __m512i *)(gconstpointer)
                                            (leaf + at)));
}

WIDE void
state_pack_store_wide (guint8       *place,
                       const guint8 *leaf,
                       gsize         size) {
  if (((guintptr)place | size) % sizeof (__m256i) != 0) {
    memcpy (place, leaf, size);
    return;
  }
  if (((guintptr)place | size) % sizeof (__m512i) == 0
      && __builtin_cpu_supports ("avx512f")) {
    store_lines (place, leaf, size);
    return;
  }
  for (gsize at = 0; at < size; at += sizeof (__m256i))
    _mm256_stream_si256 ((__m256i *)(gpointer)(place + at),
                         _mm256_load_si256 ((const __m256i *)(gconstpointer)
                                            (leaf + at)));
}

void
state_pack_end_wide (void) {
  _mm_sfence ();
}

#else

gboolean
state_pack_is_wide (PackKind            kind,
                    const PackedColumn *columns) {
  return FALSE;
}

gboolean
state_unpack_wide (PackKind          kind,
                   PackedColumn     *columns,
                   const PackLimits *limits,
                   guint32           first,
                   guint8           *leaf) {
  g_assert_not_reached ();
}

void
state_pack_store_wide (guint8       *place,
                       const guint8 *leaf,
                       gsize         size) {
  g_assert_not_reached ();
}

void
state_pack_end_wide (void) {
}

#endif
