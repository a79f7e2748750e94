/* SPDX-License-Identifier: GPL-3.0-or-later */

/* viewmap-check.c — the invariants V1 … V5 of viewmap.c, and its memory as text
 *
 * The tables are checked and written as syncmap's; an entry's line is followed by
 * its chain, newest version first.
 */
#include "core/engine/viewmap-private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

typedef struct {
  ViewMap     *self;
  EngineReport report;
  void        *data;
  size_t       n_broken;
  uint64_t     n_in_chains;
  uint64_t     n_kept;
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

static uint64_t
get (const SyncWord *word) {
  return sync_word_load (word, SYNC_LABEL ("load for a check"));
}

static bool
is_live (const SyncMap *map,
         uint64_t       word) {
  return entry_word_has_value (word)
         && !viewmap_version_at ((const ViewMap *)map,
                                 (uint32_t)entry_word_value (word))->is_deleted;
}

static void
check_chain (Check  *check,
             int64_t key,
             Entry  *entry) {
  ViewMap *self = check->self;
  uint64_t word = entry_peek (entry), newer = get (&self->clock);
  uint64_t link = entry_word_has_value (word)
                      ? (uint64_t)entry_word_value (word) + 1 : 0;

  for (unsigned n = 0; link != 0; n++) {
    const Version *version;

    if (link > self->n_versions || n > self->n_versions) {
      broken (check, "V2: key %" PRId64 ": %s", key,
              n > self->n_versions ? "the chain has no end" : "no such version");
      return;
    }
    version = viewmap_version_at (self, (uint32_t)link - 1);
    if (get (&version->stamp) == 0 || get (&version->stamp) > newer)
      broken (check, "V1: key %" PRId64 ": stamp %" PRIu64 " before %" PRIu64, key,
              get (&version->stamp), newer);
    if (self->oldest_view == NULL && (n > 0 || version->is_deleted))
      broken (check, "V3: key %" PRId64 ": no view, and a version is kept", key);
    newer = get (&version->stamp);
    link = get (&version->older);
    check->n_in_chains++;
    check->n_kept += n > 0 || version->is_deleted;
  }
}

/* Every entry of read and dirty once. */
static void
check_chains (Check *check) {
  SyncTable *read = syncmap_read (&check->self->sync).table;
  SyncTable *dirty = check->self->sync.dirty;
  GoIter iter;

  gomap_iter_begin (&iter, &read->map, 0, 0, 0, 0);
  while (gomap_iter_next (&iter))
    check_chain (check, iter.key, syncmap_entry_of (iter.elem));
  if (dirty == NULL)
    return;
  gomap_iter_begin (&iter, &dirty->map, 0, 0, 0, 0);
  while (gomap_iter_next (&iter))
    if (syncmap_find (read, iter.key) == NULL)
      check_chain (check, iter.key, syncmap_entry_of (iter.elem));
}

size_t
viewmap_check (MapEngine   *map,
               EngineReport report,
               void        *data) {
  ViewMap *self = (ViewMap *)map;
  Check check = { .self = self, .report = report, .data = data };
  uint64_t oldest = self->oldest_view != NULL ? self->oldest_view->version
                                              : VIEWMAP_NO_VIEW;

  check.n_broken = syncmap_check (map, report, data);
  check_chains (&check);
  sync_mutex_lock (&self->versions_mutex, SYNC_LABEL ("lock versions"));
  if (check.n_in_chains + self->n_free > self->n_versions)
    broken (&check, "V2: %" PRIu64 " versions in chains, %" PRIu32 " free of %"
                    PRIu32, check.n_in_chains, self->n_free, self->n_versions);
  sync_mutex_unlock (&self->versions_mutex, SYNC_LABEL ("unlock versions"));
  if (check.n_kept != get (&self->n_kept))
    broken (&check, "V4: %" PRIu64 " versions are kept, %" PRIu64 " counted",
            check.n_kept, get (&self->n_kept));
  if (get (&self->oldest) != oldest)
    broken (&check, "V5: the oldest view is of %" PRIu64 ", not %" PRIu64, oldest,
            get (&self->oldest));
  return check.n_broken;
}

/* An entry whose newest version says deleted leads to no key; that version is one
 * of the kept. */
void
viewmap_get_memory (MapEngine    *map,
                    EngineMemory *memory) {
  ViewMap *self = (ViewMap *)map;

  syncmap_get_memory_with (map, memory, is_live);
  memory->entries += memory->n_live * sizeof (Version);
  memory->versions = get (&self->n_kept) * sizeof (Version);
}

static void
dump_elem (DumpSink *sink,
           unsigned  slot,
           int64_t   key,
           uint64_t  elem) {
  const Entry *entry = syncmap_entry_of (elem);
  uint64_t word = entry_peek (entry);
  uint64_t link;

  syncmap_dump_elem (sink, slot, key, elem);
  link = entry_word_has_value (word) ? (uint64_t)entry_word_value (word) + 1 : 0;
  while (link != 0) {
    const Version *version
        = viewmap_version_at (sink->context, (uint32_t)link - 1);

    dump_version (sink, version->id, get (&version->stamp), version->is_deleted,
                  version->value);
    link = get (&version->older);
  }
}

void
viewmap_dump (MapEngine *map,
              DumpSink  *sink) {
  sink->context = map;
  syncmap_dump_with (map, sink, dump_elem);
}
