/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-promote.c — misses, promotion, the dirty copy, and who dies of it
 *
 * Promotion   Every look into dirty is a miss. When there were as many as dirty
 *             has keys, dirty becomes read: a pointer moves, nothing is copied.
 *             The bill comes later: the next new key finds no dirty table and
 *             copies all of read's live entries into a new one.
 *
 * The copy    asks each entry of read to come along. One that is nil is expunged
 *             by CAS instead, so that a later store knows that dirty lacks it.
 *             When the new table has as many buckets as read's, and read's is
 *             not growing, it takes read's seed: then every key's bucket is the
 *             same, and the live slots are packed chain by chain without a hash;
 *             of a large one, with a survey (syncmap-survey.c) in place of most
 *             questions.
 *             Otherwise each key is assigned anew, under a seed of its own.
 *
 * The dead    An entry may be used again when no table that a thread can find
 *             refers to it. Two lists, both guarded by mu, say which those are:
 *               expunged  what the copy of the present dirty table left out. At
 *                         promotion the old read table, the only one to refer
 *                         to them, is superseded. Those still expunged then are
 *                         dead; those brought back since are in dirty. mu is
 *                         held and only its holder brings back, so the look at
 *                         the word cannot be wrong. (To look later would be: by
 *                         then the entry may have been expunged anew, out of a
 *                         newer read table that still refers to it.)
 *               orphans   entries that LoadAndDelete took straight out of dirty,
 *                         the only table they were in. Other threads may hold
 *                         one from their own look under mu, so they wait for
 *                         the next table to be superseded. Each such delete is
 *                         a miss, so there are never more than dirty has keys;
 *                         and CLEAR_ORPHANS, when Clears have left them.
 *             Both ride on the superseded table, and are freed with it: one
 *             grace period for all. Clear supersedes a table with everything in
 *             it; the entries of dirty that read lacks become orphans first.
 *
 * Failure     When there is no memory in the middle of a copy, what it expunged
 *             is brought back to nil and the half-filled table is freed: dirty
 *             is nil again, as DIRTY_DROPPED says.
 *
 * Price       A copy of n entries was paid for: the promotion that made it
 *             needful came after n looks into dirty, each under the lock, or with
 *             a Range, which looks at all n itself. Reads of a settled map pay
 *             nothing.
 *
 * Invariants  S1 … S10 of syncmap.c, and with mu free:
 *             P1  dirty is nil from a promotion to the next new key
 *             P2  the list expunged has every entry that the copy of the present
 *                 dirty left out, those brought back since included
 *             P3  an entry on orphans is in neither read nor dirty
 *             P4  an entry is handed out again only after a table was freed that
 *                 was superseded when the entry left the last of both, or later
 *
 * Source      Go 1.23 sync/map.go: missLocked, dirtyLocked, tryExpungeLocked.
 */
#include "core/base/mutant.h"
#include "core/engine/engine-costs.h"
#include "core/engine/syncmap-private.h"

/* Promotion ---------------------------------------------------------------- */

/* Moves the entries that are still expunged to the orphans and forgets the
 * others, which dirty holds. */
static void
collect_expunged_locked (SyncMap *self) {
  uint32_t next;

  for (uint32_t link = self->expunged; link != 0; link = next) {
    Entry *entry = syncmap_entry_at (self, link - 1);

    next = entry->link;
    entry->link = 0;
    if (entry_word_is_expunged (entry_peek (entry))
        || MUTANT (EXPUNGED_NOT_CHECKED))
      syncmap_orphan_locked (self, entry);
  }
  self->expunged = 0;
}

void
syncmap_supersede_locked (SyncCall  *call,
                          SyncTable *table,
                          bool       owns_all) {
  SyncMap *self = call->self;
  uint64_t n_dead;

  /* With owns_all the expunged are in the table's own slots. */
  if (owns_all)
    self->expunged = 0;
  else
    collect_expunged_locked (self);

  table->owns_all = owns_all;
  table->dead = self->orphans;
  table->n_dead = self->n_orphans;
  n_dead = self->n_orphans + (owns_all ? (uint64_t)table->map.count : 0);
  table->retired_bytes = sizeof *table + gomap_bytes (&table->map)
                         + n_dead * sizeof (Entry);
  self->n_sent += n_dead;
  self->bytes_sent += table->retired_bytes;
  self->orphans = 0;
  self->n_orphans = 0;
  self->stats.n_growths += table->map.n_growths;
  self->stats.n_same_size_growths += table->map.n_same_size_growths;
  self->stats.n_evacuated += table->map.n_evacuated;
  call->superseded = table;
}

void
syncmap_promote_locked (SyncCall *call) {
  SyncMap *self = call->self;
  SyncTable *old = syncmap_read (self).table;
  SyncTable *dirty = self->dirty;
  uint64_t misses = sync_plain_read (&self->misses, SYNC_LABEL ("read misses"));
  uint64_t began_ns = engine_now_ns (call->thread);
  uint64_t cost_ns;

  dirty->published_ver = syncmap_next_version_locked (self);
  syncmap_publish (self, dirty, false);
  sync_write_point (&self->dirty, SYNC_LABEL ("set dirty to nil"));
  if (!MUTANT (PROMOTE_KEEPS_DIRTY))
    self->dirty = NULL;
  sync_plain_write (&self->misses, 0, SYNC_LABEL ("set misses to 0"));
  syncmap_supersede_locked (call, old, false);
  cost_ns = engine_elapsed_ns (call->thread, began_ns);

  /* Told at its end, for its cost; whoever looked into the new read meanwhile
   * says that it was the one of published_ver, and is merged behind this. */
  probe_event_when (EVENT_DIRTY_PROMOTED, (uint32_t)misses,
                    dirty->published_ver, (uint8_t)call->op,
                    dirty->map.config.id, 0, cost_ns);
  self->stats.n_promotions++;
  self->stats.promotion_ns += cost_ns;
  if (self->engine.config.hooks != NULL
      && self->engine.config.hooks->promote != NULL)
    self->engine.config.hooks->promote (self->engine.config.hooks->data,
                                        dirty->map.config.id,
                                        (uint64_t)dirty->map.count, misses,
                                        cost_ns);
  call->path |= OP_PATH_PROMOTED;
}

void
syncmap_miss_locked (SyncCall *call) {
  SyncMap *self = call->self;
  uint64_t misses
      = sync_plain_read (&self->misses, SYNC_LABEL ("read misses")) + 1;

  sync_plain_write (&self->misses, misses, SYNC_LABEL ("count the miss"));
  call->path |= OP_PATH_MISSED;
  probe_event (EVENT_MISS_COUNTED, (uint32_t)misses,
               syncmap_next_version_locked (self), 0,
               self->dirty->map.config.id);
  if (misses >= (uint64_t)self->dirty->map.count)
    syncmap_promote_locked (call);
}

/* The dirty copy ----------------------------------------------------------- */

typedef struct {
  SyncMap *self;
  uint64_t n_expunged;
} Copy;

/* Whether the element goes along; expunges it if not. */
static bool
keep_elem (uint64_t elem,
           void    *data) {
  Copy *copy = data;
  Entry *entry = syncmap_entry_of (elem);

  if (MUTANT (COPY_DROPS_NIL))
    return !entry_word_is_nil (entry_peek (entry));
  if (!entry_try_expunge_locked (entry))
    return true;
  entry->link = copy->self->expunged;
  copy->self->expunged = entry->id + 1;
  copy->n_expunged++;
  return false;
}

static bool
copy_one_by_one (SyncTable *dirty,
                 SyncTable *read,
                 Copy      *copy) {
  GoIter iter;

  gomap_iter_begin (&iter, &read->map, 0, 0, 0, 0);
  while (gomap_iter_next (&iter))
    if (keep_elem (iter.elem, copy)
        && gomap_assign (&dirty->map, iter.key, iter.elem, false, NULL, NULL)
               != GOMAP_INSERTED)
      return false;
  return true;
}

/* Go's makemap: the least B at which @hint keys are no overload. */
static unsigned
B_for_hint (uint64_t hint) {
  unsigned B = 0;

  while (hint > BUCKET_SLOTS && hint > ((uint64_t)13 << B) / 2)
    B++;
  return B;
}

static bool
can_pack (const GoMap *read) {
  return read->count > 0 && read->oldbuckets == NULL
         && B_for_hint ((uint64_t)read->count) == read->B;
}

static void
undo_copy_locked (SyncMap *self) {
  SyncTable *dirty = self->dirty;
  uint32_t next;

  for (uint32_t link = self->expunged; link != 0; link = next) {
    Entry *entry = syncmap_entry_at (self, link - 1);

    next = entry->link;
    entry->link = 0;
    entry_unexpunge_locked (entry);
  }
  self->expunged = 0;
  self->dirty = NULL;
  probe_event (EVENT_DIRTY_DROPPED, 0, syncmap_next_version_locked (self), 0,
               dirty->map.config.id);
  syncmap_table_free (self, dirty);
}

static bool
copy_packed (SyncTable *dirty,
             SyncTable *read,
             Copy      *copy) {
  SyncSurvey survey;
  bool is_done = gomap_copy_packed (
    &dirty->map, &read->map,
    syncmap_survey_locked (copy->self, &survey, (uint64_t)read->map.count),
    keep_elem, copy);

  syncmap_survey_end (&survey);
  return is_done;
}

/* Go's dirtyLocked. */
static bool
copy_read_locked (SyncCall *call) {
  SyncMap *self = call->self;
  SyncTable *read = syncmap_read (self).table;
  bool is_packed = can_pack (&read->map);
  SyncTable *dirty
      = syncmap_table_new_locked (self, (uint64_t)read->map.count,
                                  is_packed ? read->map.hash0 : 0);
  uint64_t began_ns = engine_now_ns (call->thread);
  Copy copy = { self, 0 };
  uint64_t cost_ns;
  bool is_done;

  if (dirty == NULL)
    return false;
  sync_write_point (&self->dirty, SYNC_LABEL ("store dirty"));
  self->dirty = dirty;
  probe_event (EVENT_DIRTY_CREATED, (uint32_t)read->map.count,
               syncmap_next_version_locked (self), 0, dirty->map.config.id);

  sync_read_point (read, SYNC_LABEL ("copy read to dirty"));
  /* A seed of 0 is drawn anew by gomap_init(): then there is nothing to pack. */
  if (read->map.count == 0)
    is_done = true;
  else if (is_packed && dirty->map.hash0 == read->map.hash0)
    is_done = copy_packed (dirty, read, &copy);
  else
    is_done = copy_one_by_one (dirty, read, &copy);
  if (!is_done) {
    undo_copy_locked (self);
    return false;
  }

  cost_ns = engine_elapsed_ns (call->thread, began_ns);
  probe_event_more (EVENT_DIRTY_COPIED, (uint32_t)dirty->map.count,
                    syncmap_next_version_locked (self), 0, dirty->map.config.id,
                    copy.n_expunged, cost_ns);
  call->path |= OP_PATH_COPIED;
  self->stats.n_copies++;
  self->stats.n_copied_entries += (uint64_t)dirty->map.count;
  self->stats.n_expunged += copy.n_expunged;
  self->stats.copy_ns += cost_ns;
  if (self->engine.config.hooks != NULL
      && self->engine.config.hooks->copy != NULL)
    self->engine.config.hooks->copy (self->engine.config.hooks->data,
                                     dirty->map.config.id,
                                     (uint64_t)dirty->map.count,
                                     copy.n_expunged, cost_ns);
  return true;
}

bool
syncmap_amend_locked (SyncCall *call) {
  SyncMap *self = call->self;

  if (self->dirty == NULL && !copy_read_locked (call))
    return false;
  syncmap_publish (self, syncmap_read (self).table, !MUTANT (AMENDED_MISSING));
  probe_event (EVENT_READ_AMENDED, 0, syncmap_next_version_locked (self), 0,
               syncmap_read (self).table->map.config.id);
  return true;
}
