/* SPDX-License-Identifier: GPL-3.0-or-later */

/* trace-store-private.h — a file of chunks, read where one asks
 *
 * A store is a descriptor or bytes in memory, and what blocks in it may hold.
 * Nothing is kept: each call reads anew, so what was good a moment ago may have
 * been cut since, and is told as damage then.
 *
 * Ownership: reference-counted. Threads: any, at the same time.
 */
#pragma once

#include "core/record/tracelog-file-private.h"

G_BEGIN_DECLS

typedef struct _TraceStore TraceStore;

/* @fd: the store's from now on. @name: stands in messages. */
TraceStore *trace_store_new_for_fd    (int         fd,
                                       const char *name);
TraceStore *trace_store_new_for_bytes (GBytes     *bytes,
                                       const char *name);
TraceStore *trace_store_ref           (TraceStore *self);
void        trace_store_unref         (TraceStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TraceStore, trace_store_unref)

/* Before the store is shared: @kinds (128) as from trace_info_from_json(). */
void        trace_store_set_limits    (TraceStore   *self,
                                       const guint8 *kinds,
                                       guint         n_threads);
const BlockLimits *trace_store_get_limits (TraceStore *self);
/* Whether kind numbers of the store are this program's. */
gboolean    trace_store_has_our_kinds (TraceStore   *self);
const char *trace_store_get_name      (TraceStore   *self);

/* Bytes there are now. */
guint64     trace_store_get_size      (TraceStore   *self);
/* Whether somebody else holds the file for writing: it is being recorded. */
gboolean    trace_store_is_locked     (TraceStore   *self);
/* How many of @size bytes were there; less than asked: the end, or *failure
 * (owned by the C library; NULL: the end) says why. */
gsize       trace_store_read          (TraceStore   *self,
                                       guint64       offset,
                                       gpointer      bytes,
                                       gsize         size,
                                       const char  **failure);

/* (transfer full): NULL, or a translated phrase for what is wrong at @offset.
 * The header: that it is one and that its chunk ends within the file. */
char       *trace_store_read_header   (TraceStore   *self,
                                       guint64       offset,
                                       Chunk        *chunk);
/* Payload and padding behind a header that was read; checked against the
 * header's checksum. *payload: (transfer full), with a NUL byte behind it. */
char       *trace_store_read_payload  (TraceStore   *self,
                                       guint64       offset,
                                       const Chunk  *chunk,
                                       guint32       max_size,
                                       guint8      **payload);
/* A whole block of events. @wanted: index of its first event, how many, the time
 * of its first event, and the latest its last one may have. *block: its data is
 * newly allocated, or NULL. */
char       *trace_store_read_block    (TraceStore        *self,
                                       guint64            offset,
                                       const PackedBlock *wanted,
                                       PackedBlock       *block);

/* What a header of a block tells; its data is NULL. */
void        packed_block_from_chunk   (PackedBlock  *block,
                                       const Chunk  *chunk);
/* The room that a chunk takes, header and padding included. */
guint64     chunk_room                (const Chunk  *chunk);

G_END_DECLS
