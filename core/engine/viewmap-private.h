/* SPDX-License-Identifier: GPL-3.0-or-later */

/* viewmap-private.h — what the files of viewmap and its tests share
 *
 * The design is told in viewmap.c.
 */
#pragma once

#include "core/engine/syncmap-private.h"
#include "core/engine/viewmap.h"

#define VIEWMAP_SLAB_VERSIONS 64u
#define VIEWMAP_N_SLABS 26

/* One value that a key had, or that it had none. */
typedef struct {
  SyncWord stamp;      /* 0 = not yet stamped */
  SyncWord older;      /* id + 1 of the version before; 0 = none, or cut off */
  int64_t  value;
  uint32_t id;         /* never changes */
  uint32_t generation; /* how often it was taken */
  uint32_t link;       /* id + 1 of the next in the free list */
  bool     is_deleted; /* the key was deleted: value means nothing */
} Version;
_Static_assert (sizeof (Version) == VERSION_BYTES, "as event.h says");

struct _MapView {
  MapEngine *map;
  uint64_t   version;
  uint32_t   id;
  MapView   *newer; /* guarded by views_mutex */
  MapView   *older;
};

#define VIEWMAP_NO_VIEW UINT64_MAX

typedef struct {
  SyncMap  sync; /* first: the tables, whose values are version ids */

  /* The version of writes to come; grows under views_mutex alone. */
  _Alignas (64) SyncWord clock;
  SyncWord oldest; /* version of the oldest open view, or VIEWMAP_NO_VIEW */
  SyncWord n_kept; /* versions that are not the newest of their key, and newest
                    * ones that say deleted */

  _Alignas (64) SyncMutex views_mutex;
  MapView  *oldest_view; /* guarded by views_mutex, as the next two */
  MapView  *newest_view;
  uint32_t  n_views_opened;

  SyncMutex versions_mutex; /* a leaf */
  uint32_t  free_versions;  /* list; guarded by versions_mutex, as n_… */
  uint32_t  n_versions;     /* ids handed out so far */
  uint32_t  n_free;
  Version  *slabs[VIEWMAP_N_SLABS]; /* set under it before their first id */
} ViewMap;

/* viewmap-version.c -------------------------------------------------------- */

/* An entry whose word has a value holds a version id. */
Version *viewmap_version_at  (const ViewMap *self,
                              uint32_t       id);
/* NULL: no memory. Not told yet. */
Version *viewmap_take        (ViewMap       *self);
/* Back, unseen by any other thread. */
void     viewmap_give        (ViewMap       *self,
                              Version       *version);
/* Takes @n versions, linked; false: no memory, none taken. */
bool     viewmap_take_many   (ViewMap       *self,
                              uint64_t       n,
                              uint32_t      *list);
Version *viewmap_take_listed (ViewMap       *self,
                              uint32_t      *list);
void     viewmap_give_listed (ViewMap       *self,
                              uint32_t       list);
/* Gives it the present version, unless another thread has. */
uint64_t viewmap_stamp       (ViewMap       *self,
                              Version       *version);
/* The version that a view of @at sees in the chain of @newest; NULL: none. */
Version *viewmap_find_at     (ViewMap       *self,
                              Version       *newest,
                              uint64_t       at);
/* Cuts off and retires what no view, open or to come, can see behind @newest,
 * the stamped version that @entry held a moment ago; and that one too when it
 * says deleted. Inside a section. */
void     viewmap_trim        (ViewMap       *self,
                              EngineThread  *thread,
                              Entry         *entry,
                              Version       *newest);
void     viewmap_free_slabs  (ViewMap       *self);
size_t   viewmap_pool_bytes  (const ViewMap *self);

/* viewmap-view.c ----------------------------------------------------------- */

/* Links @view in as the newest, and ends the present version. Tells nothing. */
void viewmap_begin_view (ViewMap      *self,
                         MapView      *view);
/* Takes it out; sweeps when it was the oldest. Inside a section. */
void viewmap_end_view   (ViewMap      *self,
                         EngineThread *thread,
                         MapView      *view);
/* Locks views_mutex; what was told is shown before this blocks. */
void viewmap_lock_views (ViewMap      *self);
/* views_mutex held. */
uint64_t viewmap_next_version_locked (ViewMap *self);

/* viewmap-check.c ---------------------------------------------------------- */

size_t viewmap_check      (MapEngine *map, EngineReport report, void *data);
void   viewmap_get_memory (MapEngine *map, EngineMemory *memory);
void   viewmap_dump       (MapEngine *map, DumpSink *sink);
