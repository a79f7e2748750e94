/* SPDX-License-Identifier: GPL-3.0-or-later */

/* viewmap.h — read views frozen at a version, over the live map
 *
 * Beside the operations of every engine and its snapshots, a viewmap lets any
 * number of views be opened and looked into for single keys. A view shows each
 * key as it was when the view was opened, whatever is done to the map since.
 *
 * Threads: a view may be used by any entered thread, one at a time. It keeps old
 * values from being freed as long as it is open, and nothing else.
 */
#pragma once

#include "core/engine/engine.h"

typedef struct _MapView MapView;

/* @map: of the class "viewmap". NULL: no memory, thread->error says so. */
MapView *viewmap_open_view     (MapEngine     *map,
                                EngineThread  *thread);
/* false: the key was absent then. */
bool     viewmap_load_in_view  (MapView       *view,
                                EngineThread  *thread,
                                int64_t        key,
                                int64_t       *value);
/* The version it shows: values written at this version or before. */
uint64_t viewmap_view_version  (const MapView *view);
void     viewmap_close_view    (MapView       *view,
                                EngineThread  *thread);

/* Later writes are of a later version. Opening a view does this by itself.
 * Returns the version they will have. */
uint64_t viewmap_write_barrier (MapEngine     *map,
                                EngineThread  *thread);

/* Values that are not the newest of their key, and deleted keys that a view can
 * still see: what open views cost. */
uint64_t viewmap_n_kept        (MapEngine     *map);
