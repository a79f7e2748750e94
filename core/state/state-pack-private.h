/* SPDX-License-Identifier: GPL-3.0-or-later */

/* state-pack-private.h — the columns of a run, for those who read them */
#pragma once

#include "core/state/state-pack.h"

G_BEGIN_DECLS

#define PACK_MAX_COLUMNS 6
#define PACK_MAX_LEAF 1280u /* bytes of a leaf's elements */
/* Where one is put together: a word of 32 bytes written across the end of a page takes
 * as long as a tenth of the leaf (measured, 130 ns), and whether a stack has one there
 * is chance. */
#define PACK_LEAF_ALIGN 2048
G_STATIC_ASSERT (PACK_MAX_LEAF <= PACK_LEAF_ALIGN);

/* A column that is being read. */
typedef struct {
  const guint8 *bytes; /* of the next value */
  guint64       base;
  guint         width;
} PackedColumn;

/* state-pack-wide.c. Whether this processor can go the wide way, and it can be
 * gone with such columns. */
gboolean state_pack_is_wide      (PackKind            kind,
                                  const PackedColumn *columns);
/* The next leaf, whose records are all told, to @leaf, aligned as PACK_LEAF_ALIGN
 * says. FALSE: a fold could not have left it. */
gboolean state_unpack_wide       (PackKind            kind,
                                  PackedColumn       *columns,
                                  const PackLimits   *limits,
                                  guint32             first,
                                  guint8             *leaf);
/* Puts a leaf of @size bytes where it belongs. */
void     state_pack_store_wide   (guint8             *place,
                                  const guint8       *leaf,
                                  gsize               size);
/* After the last of them: whoever is told by this thread sees them. */
void     state_pack_end_wide     (void);

G_END_DECLS
