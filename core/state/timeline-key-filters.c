/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-key-filters.c — the filters of the keys of each block, kept
 *
 * Idea        A block's filter is made up in full size and then halved as long as a
 *             fifth of its bits at most is set. A hundred million events still have
 *             a hundred megabytes of them, and only a walk over the life of a key
 *             reads them, the newest first, each once or twice. So those of the
 *             first blocks stay in memory, and the others go to a file
 *             (cache-file.h), from which a dozen and more are read together. Without
 *             a file all stay in memory.
 *
 * Threads     The follower seals and writes. What is sealed is immutable; the place
 *             of the file is set before the first filter in it is shown.
 */
#include "core/state/key-filter-private.h"
#include "core/state/timeline-private.h"

#include <string.h>

static gsize memory_bytes = KEY_MEMORY_BYTES;

void
sums_set_key_memory (gsize bytes) {
  memory_bytes = bytes;
}

/* FALSE: there is none, or it cannot be written any more. */
static gboolean
write_to_file (Sums          *self,
               KeyFilter     *filter,
               const guint64 *words,
               gsize          size) {
  if (self->has_no_filter_file)
    return FALSE;
  if (self->filter_file == NULL)
    self->filter_file = cache_file_new (1);
  filter->is_in_file = self->filter_file != NULL
                       && cache_file_append (self->filter_file, words, size,
                                             &filter->at);
  self->has_no_filter_file = !filter->is_in_file;
  return filter->is_in_file;
}

static void
keep_words (Sums      *self,
            KeyFilter *filter) {
  guint64 words[KEY_FILTER_WORDS];
  gsize size = ((gsize)filter->n_direct + filter->n_indirect) * sizeof *words;

  memcpy (words, self->direct, filter->n_direct * sizeof *words);
  memcpy (words + filter->n_direct, self->indirect,
          filter->n_indirect * sizeof *words);
  if (self->filter_bytes + size > memory_bytes
      && write_to_file (self, filter, words, size))
    return;
  filter->words = g_memdup2 (words, MAX (size, 1));
  self->filter_bytes += size;
}

static void
seal_keys (Sums *self) {
  guint n_direct = key_filter_shrink (self->direct, KEY_DIRECT_WORDS);
  guint n_indirect = key_filter_shrink (self->indirect, KEY_INDIRECT_WORDS);
  KeyFilter *filter = pile_make (&self->filters, self->front.n_filters++);

  if (filter != NULL) {
    filter->n_direct = (guint16)n_direct;
    filter->n_indirect = (guint16)n_indirect;
    filter->n_ranges = (guint16)self->n_ranges;
    filter->ranges = g_memdup2 (self->ranges, self->n_ranges * sizeof (KeyRange));
    keep_words (self, filter);
  }
  self->n_ranges = 0;
  memset (self->direct, 0, sizeof self->direct);
  memset (self->indirect, 0, sizeof self->indirect);
  for (guint i = 0; i < self->n_active; i++)
    if (self->lanes[self->active[i]].has_key)
      key_filter_add (self->indirect, KEY_INDIRECT_WORDS, KEY_INDIRECT_BITS,
                      self->lanes[self->active[i]].key);
}

void
sums_seal_keys (Sums *self) {
  if (self->front.n % TRACE_BLOCK_EVENTS == 0)
    seal_keys (self);
}

void
sums_close_keys (Sums *self) {
  if (self->front.n % TRACE_BLOCK_EVENTS != 0)
    seal_keys (self);
}

void
sums_clear_keys (Sums *self) {
  for (guint64 i = 0; i < self->front.n_filters; i++) {
    const KeyFilter *filter = pile_get (&self->filters, i);

    if (filter == NULL)
      continue;
    if (!filter->is_in_file)
      g_free (filter->words);
    g_free (filter->ranges);
  }
  pile_clear (&self->filters);
  g_clear_pointer (&self->filter_file, cache_file_unref);
}

/* With as many as there is room for of the filters before it. */
static gboolean
read_window (const Sums *self,
             KeyWindow  *window,
             guint64     at,
             guint       n_words) {
  guint64 end = at + n_words * sizeof *window->words;

  window->n_words = (guint)MIN (KEY_WINDOW_WORDS, end / sizeof *window->words);
  window->at = end - window->n_words * sizeof *window->words;
  if (cache_file_read (self->filter_file, window->at,
                       window->n_words * sizeof *window->words, window->words))
    return TRUE;
  window->n_words = 0;
  return FALSE;
}

const guint64 *
sums_peek_key_words (const Sums      *self,
                     const KeyFilter *filter,
                     KeyWindow       *window) {
  guint n_words = (guint)filter->n_direct + filter->n_indirect;
  gsize size = sizeof *window->words;

  if (!filter->is_in_file)
    return filter->words;
  if ((filter->at < window->at
       || filter->at + n_words * size > window->at + window->n_words * size)
      && !read_window (self, window, filter->at, n_words))
    return NULL;
  return window->words + (filter->at - window->at) / size;
}

gsize
sums_key_bytes (const Sums *self) {
  gsize bytes = pile_bytes (&self->filters) + self->filter_bytes;

  for (guint64 i = 0; i < self->front.n_filters; i++) {
    const KeyFilter *filter = pile_get (&self->filters, i);

    if (filter != NULL)
      bytes += filter->n_ranges * sizeof (KeyRange);
  }
  return bytes;
}
