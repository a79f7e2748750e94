/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-pack.h — runs of a vector's records as columns of bytes, and back
 *
 * Told in state-pack.c. For state-frames.c alone. Threads: any; different runs
 * of one vector may be unpacked at once.
 */
#pragma once

#include "core/state/state-chunks.h"

G_BEGIN_DECLS

typedef enum {
  PACK_BUCKETS, /* of a table */
  PACK_OLD_BUCKETS,
  PACK_ENTRIES,
  PACK_VERSIONS,
  PACK_MARKS,   /* of an iteration */
  PACK_OLD_MARKS,
  PACK_N_KINDS
} PackKind;

/* What links between buckets are checked against. */
typedef struct {
  guint32 n_main;
  guint32 n_buckets;
} PackLimits;

/* At most so many records in a run; it begins with a leaf. */
guint    state_pack_max_records (PackKind          kind);
/* Bytes that @n records may take. */
gsize    state_pack_max_bytes   (PackKind          kind,
                                 guint             n);
/* Writes the records [@first, @first + @n) of @vec, whose leaves are all there;
 * returns the bytes written. */
gsize    state_pack             (PackKind          kind,
                                 const ChunkVec   *vec,
                                 guint32           first,
                                 guint             n,
                                 guint8           *bytes);
/* Changes a leaf that was unpacked, its first record being @first. FALSE: it cannot
 * be changed so. */
typedef gboolean (*StateChange) (gpointer         data,
                                 guint32          first,
                                 guint8          *records);
/* Fills them again, whose leaves are all there, each changed by @change (nullable).
 * The bytes read; 0: they do not make records, or not any that a fold could have
 * left. */
gsize    state_unpack           (PackKind          kind,
                                 ChunkVec         *vec,
                                 const PackLimits *limits,
                                 guint32           first,
                                 guint             n,
                                 const guint8     *bytes,
                                 gsize             size,
                                 StateChange       change,
                                 gpointer          data);

G_END_DECLS
