/* SPDX-License-Identifier: GPL-3.0-or-later */

/* viewmap-view.c — views: opening, looking, closing; snapshots of viewmap
 *
 * Opening     takes the clock's version and moves the clock on: all writes that
 *             are stamped from now on are later. In this order: the view is
 *             entered as the oldest (if there is none) before the clock moves,
 *             which is what bound() in viewmap-version.c relies on.
 *
 * Closing     the oldest view lets old versions go. They hang behind keys that
 *             may not be written for a long time, so the closing thread walks the
 *             map once and trims, unless nothing is kept. A writer counts what it
 *             leaves behind before it reads the oldest view; so either it sees
 *             the view closed and trims itself, or the closer sees its count.
 *
 * Snapshots   are a view and a walk over the read table, as syncmap's. Each key of
 *             the view's time is in that table: a key leaves the tables only when
 *             its entry is nil, and an entry becomes nil only when no view can
 *             see a value in it. The walk keeps a section open, a mere view only
 *             during its look-ups.
 *
 * Invariants  With views_mutex free:
 *             O1  the list of views is in the order of their opening, and their
 *                 versions rise strictly, as each opening moves the clock
 *             O2  oldest is the version of the first, or VIEWMAP_NO_VIEW
 *             O3  the clock is ahead of every view's version
 *
 * Threads     The list, oldest and the clock change with views_mutex held. Others
 *             read oldest, the clock and n_kept by sequentially consistent loads:
 *             the orders above are the same for all threads.
 */
#include "core/base/alloc.h"
#include "core/base/mutant.h"
#include "core/engine/snapshot-private.h"
#include "core/engine/viewmap-private.h"

/* By addition: a read-modify-write, in one order with n_kept and the clock. */
static void
set_oldest_locked (ViewMap *self) {
  uint64_t wanted = self->oldest_view != NULL ? self->oldest_view->version
                                              : VIEWMAP_NO_VIEW;
  uint64_t present
      = sync_word_load (&self->oldest, SYNC_LABEL ("load the oldest view"));

  sync_word_add (&self->oldest, wanted - present,
                 SYNC_LABEL ("change the oldest view"));
}

/* Who holds it may wait for a recorder that waits for what we told. */
void
viewmap_lock_views (ViewMap *self) {
  if (sync_mutex_trylock (&self->views_mutex, SYNC_LABEL ("try to lock views")))
    return;
  probe_flush (probe_current);
  sync_mutex_lock (&self->views_mutex, SYNC_LABEL ("lock views"));
}

uint64_t
viewmap_next_version_locked (ViewMap *self) {
  uint64_t now
      = 1 + sync_word_add (&self->clock, 1, SYNC_LABEL ("move the clock"));

  probe_event_more (EVENT_WRITE_BARRIER, 0, 0, 0, 0, now, 0);
  return now;
}

void
viewmap_begin_view (ViewMap *self,
                    MapView *view) {
  view->map = &self->sync.engine;
  viewmap_lock_views (self);
  view->version = sync_word_load (&self->clock, SYNC_LABEL ("load the clock"));
  view->id = ++self->n_views_opened;
  view->older = self->newest_view;
  view->newer = NULL;
  if (view->older != NULL)
    view->older->newer = view;
  else
    self->oldest_view = view;
  self->newest_view = view;
  if (!MUTANT (VIEW_ENTERED_LATE))
    set_oldest_locked (self);
  if (!MUTANT (VIEW_WITHOUT_BARRIER))
    viewmap_next_version_locked (self);
  if (MUTANT (VIEW_ENTERED_LATE))
    set_oldest_locked (self);
  sync_mutex_unlock (&self->views_mutex, SYNC_LABEL ("unlock views"));
}

/* Trims every chain; inside a section. */
static void
sweep (ViewMap      *self,
       EngineThread *thread) {
  SyncCall call = { .self = &self->sync, .thread = thread, .op = OP_RANGE };
  SyncTable *table = syncmap_whole_table (&call);
  GoIter iter;

  gomap_iter_begin (&iter, &table->map, 0, 0, 0, 0);
  while (gomap_iter_next (&iter)) {
    Entry *entry = syncmap_entry_of (iter.elem);
    uint64_t word = entry_peek (entry);

    if (entry_word_has_value (word)) {
      Version *newest
          = viewmap_version_at (self, (uint32_t)entry_word_value (word));

      viewmap_stamp (self, newest);
      viewmap_trim (self, thread, entry, newest);
    }
  }
  if (call.superseded != NULL)
    syncmap_retire (&self->sync, thread->reclaim, call.superseded);
}

void
viewmap_end_view (ViewMap      *self,
                  EngineThread *thread,
                  MapView      *view) {
  bool was_oldest;

  viewmap_lock_views (self);
  was_oldest = self->oldest_view == view;
  if (view->older != NULL)
    view->older->newer = view->newer;
  else
    self->oldest_view = view->newer;
  if (view->newer != NULL)
    view->newer->older = view->older;
  else
    self->newest_view = view->older;
  if (was_oldest)
    set_oldest_locked (self);
  sync_mutex_unlock (&self->views_mutex, SYNC_LABEL ("unlock views"));
  if (was_oldest && !MUTANT (VIEW_NOT_SWEPT)
      && sync_word_load (&self->n_kept, SYNC_LABEL ("load what is kept")) != 0)
    sweep (self, thread);
}

static void
leave (EngineThread *thread) {
  reclaim_leave (thread->reclaim);
  if (!reclaim_is_inside (thread->reclaim))
    reclaim_poll (thread->reclaim);
}

MapView *
viewmap_open_view (MapEngine    *map,
                   EngineThread *thread) {
  MapView *view = alloc_zeroed (sizeof *view);

  if (view == NULL) {
    thread->error = ENGINE_ERROR_NO_MEMORY;
    return NULL;
  }
  probe_restamp ();
  viewmap_begin_view ((ViewMap *)map, view);
  probe_event_more (EVENT_SNAPSHOT_BEGAN, 0, view->id, 0, 0, view->version, 0);
  return view;
}

bool
viewmap_load_in_view (MapView      *view,
                      EngineThread *thread,
                      int64_t       key,
                      int64_t      *value) {
  ViewMap *self = (ViewMap *)view->map;
  Version *seen = NULL;
  SyncCall call;
  Entry *entry;
  uint64_t word;
  bool is_there;
  int64_t found = 0;

  syncmap_begin (&call, view->map, thread, OP_LOAD, key, 0);
  call.path |= OP_PATH_IN_VIEW;
  entry = syncmap_find_entry (&call, key);
  word = entry != NULL ? entry_peek (entry) : 0;
  if (entry_word_has_value (word))
    seen = viewmap_find_at (
        self, viewmap_version_at (self, (uint32_t)entry_word_value (word)),
        view->version);
  is_there = seen != NULL && !seen->is_deleted;
  if (is_there)
    *value = found = seen->value;
  return syncmap_end (&call, is_there, found, 0);
}

uint64_t
viewmap_view_version (const MapView *view) {
  return view->version;
}

void
viewmap_close_view (MapView      *view,
                    EngineThread *thread) {
  probe_restamp ();
  reclaim_enter (thread->reclaim);
  viewmap_end_view ((ViewMap *)view->map, thread, view);
  probe_event (EVENT_SNAPSHOT_ENDED, 0, view->id, SNAPSHOT_LEFT, 0);
  leave (thread);
  alloc_free (view, sizeof *view);
}

uint64_t
viewmap_write_barrier (MapEngine    *map,
                       EngineThread *thread) {
  ViewMap *self = (ViewMap *)map;
  uint64_t version;

  (void)thread;
  probe_restamp ();
  viewmap_lock_views (self);
  version = viewmap_next_version_locked (self);
  sync_mutex_unlock (&self->views_mutex, SYNC_LABEL ("unlock views"));
  return version;
}

uint64_t
viewmap_n_kept (MapEngine *map) {
  return sync_word_load (&((ViewMap *)map)->n_kept,
                         SYNC_LABEL ("load what is kept"));
}

/* Snapshots ---------------------------------------------------------------- */

typedef struct {
  EngineSnapshot base;
  MapView        view;
  GoIter         iter;
} ViewWalk;

static EngineSnapshot *
begin (MapEngine    *map,
       EngineThread *thread) {
  SyncCall call = { .self = (SyncMap *)map, .thread = thread, .op = OP_RANGE };
  ViewWalk *self = alloc_zeroed (sizeof *self);
  SyncTable *table;

  if (self == NULL)
    return NULL;
  reclaim_enter (thread->reclaim);
  viewmap_begin_view ((ViewMap *)map, &self->view);
  table = syncmap_whole_table (&call);
  if (call.superseded != NULL)
    syncmap_retire (call.self, thread->reclaim, call.superseded);
  self->base.id = self->view.id;
  self->base.version = self->view.version;
  self->base.n_keys = (uint64_t)table->map.count;
  gomap_iter_begin (&self->iter, &table->map, prng_next (&thread->prng), 0, 0, 0);
  return &self->base;
}

static bool
next (EngineSnapshot *base) {
  ViewWalk *self = (ViewWalk *)base;
  ViewMap *map = (ViewMap *)base->map;

  while (gomap_iter_next (&self->iter)) {
    uint64_t word = entry_peek (syncmap_entry_of (self->iter.elem));
    Version *seen = NULL;

    if (entry_word_has_value (word))
      seen = viewmap_find_at (
          map, viewmap_version_at (map, (uint32_t)entry_word_value (word)),
          self->view.version);
    if (seen != NULL && !seen->is_deleted) {
      base->key = self->iter.key;
      base->value = seen->value;
      return true;
    }
    snapshot_skip (base);
  }
  return false;
}

static void
end (EngineSnapshot *base) {
  ViewWalk *self = (ViewWalk *)base;

  viewmap_end_view ((ViewMap *)base->map, base->thread, &self->view);
  leave (base->thread);
  alloc_free (self, sizeof *self);
}

/* Kept for it, and for the other views. */
static void
get_cost (EngineSnapshot *base,
          SnapshotInfo   *info) {
  info->n_entries_held = viewmap_n_kept (base->map);
  info->bytes_held = sizeof (ViewWalk) + info->n_entries_held * sizeof (Version);
}

const struct _SnapshotClass viewmap_snapshot_class = {
  "Keys and values as they stood together at one instant: a view of a version; "
  "nothing is copied, what is replaced meanwhile is kept.",
  begin, next, end, get_cost,
};
