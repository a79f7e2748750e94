/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-check.c — the invariants S1 … S8 of syncmap.c, counters, bytes, text
 *
 * The check walks both tables and all lists and marks each entry it meets in a
 * bit set by id: met twice breaks S7, never met nor retired breaks S8. Bits and
 * texts are the check's own; it allocates with malloc, so that a test which
 * makes the engine's allocations fail does not make the checker fail.
 */
#include "core/engine/syncmap-private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
  SyncMap     *self;
  EngineReport report;
  void        *data;
  size_t       n_broken;
  uint64_t    *met; /* a bit an entry id; NULL without memory: S7, S8 unchecked */
  uint64_t     n_met;
} Check;

__attribute__ ((format (printf, 2, 3))) static void
broken (Check      *check,
        const char *format,
        ...) {
  char text[200];
  va_list args;

  check->n_broken++;
  if (check->report == NULL)
    return;
  va_start (args, format);
  vsnprintf (text, sizeof text, format, args);
  va_end (args);
  check->report (text, check->data);
}

/* Entries ------------------------------------------------------------------ */

static void
meet (Check       *check,
      const Entry *entry,
      const char  *place) {
  uint64_t bit = (uint64_t)1 << entry->id % 64;

  if (entry->id >= check->self->n_entries
      || syncmap_entry_at (check->self, entry->id) != entry) {
    broken (check, "S7: %s: entry %" PRIu32 " is not of this map", place,
            entry->id);
    return;
  }
  if (check->met == NULL)
    return;
  if (check->met[entry->id / 64] & bit)
    broken (check, "S7: %s: entry %" PRIu32 " is met a second time", place,
            entry->id);
  else
    check->n_met++;
  check->met[entry->id / 64] |= bit;
}

static void
meet_list (Check      *check,
           uint32_t    link,
           const char *place) {
  for (uint32_t n = 0; link != 0; n++) {
    Entry *entry = syncmap_entry_at (check->self, link - 1);

    if (n > check->self->n_entries) {
      broken (check, "S7: %s: the list has no end", place);
      return;
    }
    meet (check, entry, place);
    link = entry->link;
  }
}

static void
check_entry_of_read (Check   *check,
                     int64_t  key,
                     Entry   *entry) {
  SyncMap *self = check->self;
  Entry *other = self->dirty != NULL ? syncmap_find (self->dirty, key) : NULL;
  bool is_expunged = entry_word_is_expunged (entry_peek (entry));

  meet (check, entry, "read");
  if (is_expunged && self->dirty == NULL)
    broken (check, "S3: key %" PRId64 " is expunged, dirty is nil", key);
  if (is_expunged && other != NULL)
    broken (check, "S3: key %" PRId64 " is expunged, dirty has it", key);
  if (!is_expunged && self->dirty != NULL && other != entry)
    broken (check, "S2: key %" PRId64 " of read is %s in dirty", key,
            other == NULL ? "missing" : "another entry");
}

static void
check_entry_of_dirty (Check   *check,
                      int64_t  key,
                      Entry   *entry) {
  Entry *other = syncmap_find (syncmap_read (check->self).table, key);

  if (entry_word_is_expunged (entry_peek (entry)))
    broken (check, "S4: key %" PRId64 " is in dirty, expunged", key);
  if (other == NULL)
    meet (check, entry, "dirty");
  else if (other != entry)
    broken (check, "S2: key %" PRId64 " of dirty is another entry in read", key);
}

static void
check_table (Check     *check,
             SyncTable *table,
             void     (*check_entry) (Check *, int64_t, Entry *)) {
  GoIter iter;

  check->n_broken += gomap_check (&table->map, check->report, check->data);
  gomap_iter_begin (&iter, &table->map, 0, 0, 0, 0);
  while (gomap_iter_next (&iter))
    check_entry (check, iter.key, syncmap_entry_of (iter.elem));
}

/* Headers and lists -------------------------------------------------------- */

static void
check_headers (Check *check) {
  SyncMap *self = check->self;
  SyncRead read = syncmap_read (self);
  uint64_t misses = sync_plain_read (&self->misses, SYNC_LABEL ("read misses"));
  uint64_t n_dirty = self->dirty != NULL ? (uint64_t)self->dirty->map.count : 0;

  if (read.amended && self->dirty == NULL)
    broken (check, "S1: read is amended, dirty is nil");
  if (n_dirty > 0 && misses >= n_dirty)
    broken (check, "S5: %" PRIu64 " misses, dirty has %" PRIu64 " keys", misses,
            n_dirty);
  if (!read.amended && misses != 0)
    broken (check, "S5: %" PRIu64 " misses, read is not amended", misses);
  if (!read.amended && self->dirty != NULL
      && (n_dirty > 0 || read.table->map.count > 0))
    broken (check, "S6: not amended, dirty is not nil, and there are keys");
  if (self->dirty == read.table)
    broken (check, "S6: read and dirty are one table");
}

/* The entries that the copy expunged are in read's slots: not met again. */
static void
check_expunged_list (Check *check) {
  SyncMap *self = check->self;
  uint64_t n_listed = 0, n_expunged = 0;
  GoIter iter;

  for (uint32_t link = self->expunged; link != 0 && n_listed <= self->n_entries;
       n_listed++) {
    Entry *entry = syncmap_entry_at (self, link - 1);

    n_expunged += entry_word_is_expunged (entry_peek (entry));
    link = entry->link;
  }
  gomap_iter_begin (&iter, &syncmap_read (self).table->map, 0, 0, 0, 0);
  while (gomap_iter_next (&iter))
    n_expunged
        -= entry_word_is_expunged (entry_peek (syncmap_entry_of (iter.elem)));
  if (n_expunged != 0)
    broken (check, "S8: the list of the expunged does not match read");
  if (self->dirty == NULL && self->expunged != 0)
    broken (check, "S3: entries are listed as expunged, dirty is nil");
}

static void
check_account (Check *check) {
  SyncMap *self = check->self;
  uint64_t n_retired;

  meet_list (check, self->free_entries, "free entries");
  meet_list (check, self->orphans, "orphans");
  sync_mutex_lock (&self->pool.mutex, SYNC_LABEL ("lock pool"));
  meet_list (check,
             (uint32_t)sync_word_load (&self->pool.returned,
                                       SYNC_LABEL ("look for returned")),
             "returned entries");
  n_retired = self->n_sent - self->pool.n_returned;
  sync_mutex_unlock (&self->pool.mutex, SYNC_LABEL ("unlock pool"));
  if (check->met != NULL && check->n_met + n_retired != self->n_entries)
    broken (check,
            "S8: %" PRIu32 " entries handed out, %" PRIu64 " found, %" PRIu64
            " retired",
            self->n_entries, check->n_met, n_retired);
}

size_t
syncmap_check (MapEngine   *map,
               EngineReport report,
               void        *data) {
  SyncMap *self = (SyncMap *)map;
  Check check = { .self = self, .report = report, .data = data };

  check.met = calloc (self->n_entries / 64 + 1, sizeof *check.met);
  check_headers (&check);
  check_table (&check, syncmap_read (self).table, check_entry_of_read);
  if (self->dirty != NULL)
    check_table (&check, self->dirty, check_entry_of_dirty);
  check_expunged_list (&check);
  check_account (&check);
  free (check.met);
  return check.n_broken;
}

/* Counters ----------------------------------------------------------------- */

static void
add_table (EngineStats     *stats,
           const SyncTable *table) {
  stats->n_growths += table->map.n_growths;
  stats->n_same_size_growths += table->map.n_same_size_growths;
  stats->n_evacuated += table->map.n_evacuated;
  stats->bytes += sizeof *table + gomap_bytes (&table->map);
}

/* Superseded tables that are not freed yet. Their dead lie in the slabs, which
 * are counted whole. */
static size_t
held_table_bytes (SyncMap *self) {
  size_t bytes;

  sync_mutex_lock (&self->pool.mutex, SYNC_LABEL ("lock pool"));
  bytes = self->bytes_sent - self->pool.bytes_returned
          - (self->n_sent - self->pool.n_returned) * sizeof (Entry);
  sync_mutex_unlock (&self->pool.mutex, SYNC_LABEL ("unlock pool"));
  return bytes;
}

/* Any thread, at any time: mu keeps read from being superseded meanwhile. It is
 * not an operation, so nothing is told. */
void
syncmap_get_stats (MapEngine   *map,
                   EngineStats *stats) {
  SyncMap *self = (SyncMap *)map;
  ReclaimStats held;

  reclaim_get_stats (self->engine.reclaim, &held);
  sync_mutex_lock (&self->mu, SYNC_LABEL ("lock mu"));
  *stats = self->stats;
  add_table (stats, syncmap_read (self).table);
  if (self->dirty != NULL)
    add_table (stats, self->dirty);
  stats->bytes += sizeof *self + syncmap_pool_bytes_locked (self)
                  + held_table_bytes (self);
  sync_mutex_unlock (&self->mu, SYNC_LABEL ("unlock mu"));
  stats->bytes_held = held.bytes_held;
}

/* Bytes -------------------------------------------------------------------- */

static bool
has_value (const SyncMap *self,
           uint64_t       word) {
  (void)self;
  return entry_word_has_value (word);
}

void
syncmap_get_memory (MapEngine    *map,
                    EngineMemory *memory) {
  syncmap_get_memory_with (map, memory, has_value);
}

/* Every entry of read and dirty once. */
void
syncmap_get_memory_with (MapEngine    *map,
                         EngineMemory *memory,
                         bool        (*is_live) (const SyncMap *self,
                                                 uint64_t word)) {
  SyncMap *self = (SyncMap *)map;
  SyncTable *read = syncmap_read (self).table;
  SyncTable *tables[] = { read, self->dirty };

  *memory = (EngineMemory){ .read = gomap_linked_bytes (&read->map) };
  if (self->dirty != NULL)
    memory->dirty = gomap_linked_bytes (&self->dirty->map);
  for (unsigned i = 0; i < 2 && tables[i] != NULL; i++) {
    GoIter iter;

    gomap_iter_begin (&iter, &tables[i]->map, 0, 0, 0, 0);
    while (gomap_iter_next (&iter)) {
      if (i == 1 && syncmap_find (read, iter.key) != NULL)
        continue;
      if (is_live (self, entry_peek (syncmap_entry_of (iter.elem))))
        memory->n_live++;
      else
        memory->n_deleted++;
    }
  }
  memory->entries = memory->n_live * sizeof (Entry);
  memory->deleted = memory->n_deleted * sizeof (Entry);
}

/* Text --------------------------------------------------------------------- */

void
syncmap_dump_elem (DumpSink *sink,
                   unsigned  slot,
                   int64_t   key,
                   uint64_t  elem) {
  const Entry *entry = syncmap_entry_of (elem);
  uint64_t word = entry_peek (entry);

  if (entry_word_has_value (word))
    dump_entry (sink, slot, key, entry->id, 'V', entry_word_version (word),
                entry_word_value (word));
  else
    dump_entry (sink, slot, key, entry->id,
                entry_word_is_expunged (word) ? 'X' : 'N',
                entry_word_version (word), 0);
}

void
syncmap_dump (MapEngine *map,
              DumpSink  *sink) {
  syncmap_dump_with (map, sink, syncmap_dump_elem);
}

void
syncmap_dump_with (MapEngine *map,
                   DumpSink  *sink,
                   void     (*dump_elem) (DumpSink *sink, unsigned slot,
                                          int64_t key, uint64_t elem)) {
  SyncMap *self = (SyncMap *)map;
  SyncRead read = syncmap_read (self);

  dump_map (sink, read.amended,
            sync_plain_read (&self->misses, SYNC_LABEL ("read misses")));
  gomap_dump (&read.table->map, "read", sink, dump_elem);
  if (self->dirty != NULL)
    gomap_dump (&self->dirty->map, "dirty", sink, dump_elem);
  else
    dump_nil (sink, "dirty");
}
