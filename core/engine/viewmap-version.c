/* SPDX-License-Identifier: GPL-3.0-or-later */

/* viewmap-version.c — the values that a key had, and when they may go
 *
 * Pool        Versions lie in slabs, each twice the size of the one before, and
 *             are found by id. A version that was cut off is retired; when no
 *             section can hold it any more it goes on the free list. Its
 *             generation says how often it was taken: events name both, so that
 *             a late fact about a former life is known as such.
 *
 * Stamping    A version enters its chain without a stamp and is given one by
 *             whoever meets it first, its writer or any reader: the present
 *             version of the clock, by one CAS from 0. So a version that is in a
 *             chain before a view begins may be stamped with that view's version
 *             or an older one, and one that comes later never: see viewmap.c.
 *
 * Trimming    Behind the first version of a chain that the oldest view can see,
 *             nothing can be seen by anyone. bound() is a version that no view,
 *             open or to come, is older than: it reads the clock first, then the
 *             oldest view. A view is entered as the oldest before it moves the
 *             clock; so who finds the clock moved finds the view too.
 *             The tail is taken by swapping older to 0, link by link: whoever
 *             gets a number out of a swap owns that version, though several
 *             threads trim one chain.
 *
 * Deleted     A newest version that says deleted, and that every view can see,
 *             is as good as nothing: the entry becomes nil, as after a delete in
 *             sync.Map, and its version is retired with all behind it.
 *
 * Invariants  C1  a stamp changes once, from 0, and is never ahead of the clock
 *             C2  versions join a chain at its front and leave it from behind
 *             C3  who reads the past stamps each version that it meets before it
 *                 goes on to the older one
 *             C4  a version that was cut off is retired once, by whose swap took
 *                 its number
 *             C5  bound() is at most the version of every view, open or to come;
 *                 so the first version of a chain that is no newer than it is
 *                 the last one that anybody can ask for
 *
 * Threads     stamp and older are words, changed by CAS. value, is_deleted and
 *             generation are written before the CAS that puts the version in
 *             front, and read after a load that found it. The free list and the
 *             making of slabs are versions_mutex's.
 *
 * Source      Versioned CAS, as in viewmap.c; the trimming is Tophash's own.
 */
#include "core/base/alloc.h"
#include "core/base/mutant.h"
#include "core/engine/viewmap-private.h"

/* Pool --------------------------------------------------------------------- */

static unsigned
slab_of (uint32_t id) {
  return 31u - (unsigned)__builtin_clz (id / VIEWMAP_SLAB_VERSIONS + 1);
}

static uint32_t
slab_first (unsigned slab) {
  return ((1u << slab) - 1) * VIEWMAP_SLAB_VERSIONS;
}

static size_t
slab_bytes (unsigned slab) {
  return ((size_t)VIEWMAP_SLAB_VERSIONS << slab) * sizeof (Version);
}

Version *
viewmap_version_at (const ViewMap *self,
                    uint32_t       id) {
  unsigned slab = slab_of (id);

  return &self->slabs[slab][id - slab_first (slab)];
}

static Version *
take_locked (ViewMap *self) {
  uint32_t id = self->n_versions;
  unsigned slab = slab_of (id);
  Version *version;

  if (self->free_versions != 0) {
    version = viewmap_version_at (self, self->free_versions - 1);
    self->free_versions = version->link;
    self->n_free--;
  } else {
    if (slab >= VIEWMAP_N_SLABS)
      return NULL;
    if (self->slabs[slab] == NULL)
      self->slabs[slab] = alloc_zeroed (slab_bytes (slab));
    if (self->slabs[slab] == NULL)
      return NULL;
    self->n_versions++;
    version = viewmap_version_at (self, id);
    version->id = id;
  }
  sync_reuse (version, sizeof *version);
  version->generation++;
  version->link = 0;
  return version;
}

static void
give_locked (ViewMap *self,
             Version *version) {
  version->link = self->free_versions;
  self->free_versions = version->id + 1;
  self->n_free++;
  sync_disuse (version, sizeof *version);
}

Version *
viewmap_take (ViewMap *self) {
  Version *version;

  sync_mutex_lock (&self->versions_mutex, SYNC_LABEL ("lock versions"));
  version = take_locked (self);
  sync_mutex_unlock (&self->versions_mutex, SYNC_LABEL ("unlock versions"));
  return version;
}

void
viewmap_give (ViewMap *self,
              Version *version) {
  sync_mutex_lock (&self->versions_mutex, SYNC_LABEL ("lock versions"));
  give_locked (self, version);
  sync_mutex_unlock (&self->versions_mutex, SYNC_LABEL ("unlock versions"));
}

bool
viewmap_take_many (ViewMap  *self,
                   uint64_t  n,
                   uint32_t *list) {
  *list = 0;
  for (uint64_t i = 0; i < n; i++) {
    Version *version = viewmap_take (self);

    if (version == NULL) {
      viewmap_give_listed (self, *list);
      return false;
    }
    version->link = *list;
    *list = version->id + 1;
  }
  return true;
}

Version *
viewmap_take_listed (ViewMap  *self,
                     uint32_t *list) {
  Version *version = viewmap_version_at (self, *list - 1);

  *list = version->link;
  version->link = 0;
  return version;
}

void
viewmap_give_listed (ViewMap *self,
                     uint32_t list) {
  while (list != 0)
    viewmap_give (self, viewmap_take_listed (self, &list));
}

void
viewmap_free_slabs (ViewMap *self) {
  for (unsigned slab = 0; slab < VIEWMAP_N_SLABS; slab++)
    if (self->slabs[slab] != NULL)
      alloc_free (self->slabs[slab], slab_bytes (slab));
}

size_t
viewmap_pool_bytes (const ViewMap *self) {
  size_t bytes = 0;

  for (unsigned slab = 0; slab < VIEWMAP_N_SLABS; slab++)
    if (self->slabs[slab] != NULL)
      bytes += slab_bytes (slab);
  return bytes;
}

/* Stamping and looking ----------------------------------------------------- */

uint64_t
viewmap_stamp (ViewMap *self,
               Version *version) {
  uint64_t stamp
      = sync_word_load (&version->stamp, SYNC_LABEL ("load version.stamp"));
  uint64_t now;

  if (stamp != 0)
    return stamp;
  now = sync_word_load (&self->clock, SYNC_LABEL ("load the clock"));
  if (!sync_word_cas (&version->stamp, &stamp, now,
                      SYNC_LABEL ("CAS version.stamp from none")))
    return stamp;
  probe_event_more (EVENT_VERSION_STAMPED, version->id, version->generation, 0,
                    0, now, 0);
  return now;
}

static Version *
older_than (const ViewMap *self,
            const Version *version) {
  uint64_t link
      = sync_word_load (&version->older, SYNC_LABEL ("load version.older"));

  return link != 0 ? viewmap_version_at (self, (uint32_t)link - 1) : NULL;
}

Version *
viewmap_find_at (ViewMap *self,
                 Version *newest,
                 uint64_t at) {
  while (newest != NULL && viewmap_stamp (self, newest) > at
         && !MUTANT (VIEW_SEES_NEWEST))
    newest = older_than (self, newest);
  return newest;
}

/* Trimming ----------------------------------------------------------------- */

static uint64_t
bound (const ViewMap *self) {
  uint64_t clock = sync_word_load (&self->clock, SYNC_LABEL ("load the clock"));
  uint64_t oldest
      = sync_word_load (&self->oldest, SYNC_LABEL ("load the oldest view"));

  return oldest < clock ? oldest : clock;
}

static void
free_version_cb (void *memory,
                 void *data) {
  viewmap_give (data, memory);
}

static void
retire (ViewMap       *self,
        ReclaimThread *reclaim,
        Version       *version) {
  sync_word_count (&self->n_kept, (uint64_t)-1, SYNC_LABEL ("one kept fewer"));
  probe_event (EVENT_VERSION_RETIRED, version->id, version->generation, 0, 0);
  if (MUTANT (VERSION_REUSED_AT_ONCE))
    viewmap_give (self, version);
  else
    reclaim_retire (reclaim, version, sizeof *version, free_version_cb, self);
}

/* What was behind @version is ours, or others'. */
static uint64_t
cut (Version *version) {
  uint64_t link
      = sync_word_load (&version->older, SYNC_LABEL ("load version.older"));

  while (link != 0
         && !sync_word_cas (&version->older, &link, 0,
                            SYNC_LABEL ("CAS version.older to none")))
    continue;
  return link;
}

static void
retire_behind (ViewMap       *self,
               ReclaimThread *reclaim,
               Version       *version) {
  uint64_t link = cut (version);

  while (link != 0) {
    Version *cut_off = viewmap_version_at (self, (uint32_t)link - 1);

    link = cut (cut_off);
    retire (self, reclaim, cut_off);
  }
}

void
viewmap_trim (ViewMap      *self,
              EngineThread *thread,
              Entry        *entry,
              Version      *newest) {
  uint64_t seen_by_all = bound (self);
  Version *last = viewmap_find_at (self, newest, seen_by_all);

  if (last == NULL)
    return;
  retire_behind (self, thread->reclaim,
                 MUTANT (TRIM_CUTS_TOO_MUCH) ? newest : last);
  if ((last == newest || MUTANT (TRIM_HIDES_THE_PAST)) && newest->is_deleted
      && entry_try_compare_and_delete (entry, thread, newest->id))
    retire (self, thread->reclaim, newest);
}
