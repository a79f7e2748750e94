/* SPDX-License-Identifier: GPL-3.0-or-later */

/* strip-words.c — what the strips show, said
 *
 * Every figure is one that the fold keeps: how often a lock was taken alone and
 * shared says how much a shard is written and read, for every operation on it
 * takes its lock once (a Range and a snapshot, too).
 */
#include "widgets/strip-words.h"

#include "widgets/paint-slot.h"

#include <glib/gi18n.h>

char *
worker_words_new (int thread) {
  return thread == EVENT_THREAD_MAIN ? g_strdup (_("main"))
                                     : g_strdup_printf ("W%d", thread + 1);
}

const StateLock *
shard_lock (const MapState *state,
            guint           shard) {
  guint n = map_state_n_locks (state);

  /* Most often they came in order. */
  if (shard < n && map_state_lock (state, shard)->id == shard)
    return map_state_lock (state, shard);
  for (guint i = 0; i < n; i++)
    if (map_state_lock (state, i)->id == shard)
      return map_state_lock (state, i);
  return NULL;
}

LockWait
lock_wait_of (const StateLock *lock,
              guint            thread) {
  if (lock->claimed_by == (int)thread)
    return LOCK_WAIT_DRAIN;
  return thread < 64 && (lock->read_waiters >> thread & 1) ? LOCK_WAIT_READ
                                                           : LOCK_WAIT_ALONE;
}

char *
lock_words_new (const MapState  *state,
                const StateLock *lock) {
  g_autofree char *held
    = tophash_draw_format_time (map_state_at_ns (state) - lock->since_ns);
  g_autofree char *owner = worker_words_new (lock->owner);
  g_autofree char *next = worker_words_new (lock->claimed_by);
  /* Equal stamps say nothing of how long. */
  gboolean is_timed = map_state_at_ns (state) > lock->since_ns;

  if (lock->owner >= 0 && !is_timed)
    return g_strdup_printf (_("%s has it alone"), owner);
  if (lock->owner >= 0)
    return g_strdup_printf (_("%s has it alone, for %s now"), owner, held);
  if (lock->claimed_by >= 0 && lock->n_readers > 0)
    return g_strdup_printf (
      ngettext ("%s goes in when %u reader has left; no new reader before it",
                "%s goes in when %u readers have left; no new reader before it",
                lock->n_readers),
      next, lock->n_readers);
  if (lock->n_readers > 0 && !is_timed)
    return g_strdup_printf (ngettext ("%u reader inside", "%u readers share it",
                                      lock->n_readers),
                            lock->n_readers);
  if (lock->n_readers > 0)
    return g_strdup_printf (ngettext ("%u reader inside, for %s now",
                                      "%u readers share it, for %s now",
                                      lock->n_readers),
                            lock->n_readers, held);
  return g_strdup (_("free"));
}

static char *
say_held (const StateLock *lock) {
  g_autofree char *time = tophash_draw_format_time ((gint64)lock->last_hold_ns);

  /* Translators: behind "taken 12 times, waited for 3" */
  return lock->last_hold_ns == 0 ? g_strdup ("")
                                 : g_strdup_printf (_(", last held %s"), time);
}

char *
lock_counts_new (const StateLock *lock) {
  g_autofree char *held = say_held (lock);
  g_autofree char *alone = tophash_draw_format_count (lock->n_acquired);
  g_autofree char *shared = tophash_draw_format_count (lock->n_read_acquired);
  g_autofree char *waited = tophash_draw_format_count (lock->n_waited);

  if (lock->n_read_acquired > 0)
    return g_strdup_printf (_("taken alone %s times, shared %s, waited for %s%s"),
                            alone, shared, waited, held);
  return g_strdup_printf (_("taken %s times, waited for %s%s"), alone, waited,
                          held);
}

char *
lock_life_new (const MapState  *state,
               const StateLock *lock) {
  g_autofree char *first = lock_words_new (state, lock);
  g_autofree char *counts = lock_counts_new (lock);
  GString *words = g_string_new (first);

  for (guint i = 0; i < lock->n_queue; i++) {
    g_autofree char *who = worker_words_new (lock->queue[i]);

    g_string_append_c (words, '\n');
    switch (lock_wait_of (lock, lock->queue[i])) {
    case LOCK_WAIT_ALONE:
      g_string_append_printf (words, _("%s waits to have it alone"), who);
      break;
    case LOCK_WAIT_READ:
      g_string_append_printf (words, _("%s waits to read"), who);
      break;
    case LOCK_WAIT_DRAIN:
      g_string_append_printf (words,
                              _("%s is next and waits for the readers to leave"),
                              who);
      break;
    }
  }
  g_string_append_c (words, '\n');
  g_string_append (words, counts);
  return g_string_free (words, FALSE);
}

/* How far it has come, where that is told. */
static char *
say_keys (const StateSnapshot *view) {
  g_autofree char *n = tophash_draw_format_count (view->n_keys);
  g_autofree char *given = tophash_draw_format_count (view->n_given);

  /* Translators: pairs given so far, keys in all */
  if (view->n_given > 0 && view->n_keys > 0)
    return g_strdup_printf (ngettext (" · %s of %s key", " · %s of %s keys",
                                      view->n_keys), given, n);
  return view->n_keys > 0
           ? g_strdup_printf (ngettext (" · %s key", " · %s keys", view->n_keys), n)
           : g_strdup ("");
}

char *
view_rest_new (const MapState      *state,
               const StateSnapshot *view) {
  g_autofree char *who = worker_words_new (view->thread);
  g_autofree char *keys = say_keys (view);
  g_autofree char *open
    = tophash_draw_format_time (map_state_at_ns (state) - view->began_ns);

  return g_strdup_printf ("%s%s · %s", who, keys, open);
}

char *
view_words_new (const MapState      *state,
                const StateSnapshot *view) {
  g_autofree char *who = worker_words_new (view->thread);
  g_autofree char *version = tophash_draw_format_count (view->version);
  g_autofree char *open
    = tophash_draw_format_time (map_state_at_ns (state) - view->began_ns);
  g_autofree char *keys = say_keys (view);

  /* Translators: number, version, worker, " · 120 keys" or nothing, time */
  if (map_state_clock (state) > 0)
    return g_strdup_printf (_("view %u · version %s · %s%s · open for %s"),
                            view->id, version, who, keys, open);
  return g_strdup_printf (_("snapshot %u · version %s · %s%s · open for %s"),
                          view->id, version, who, keys, open);
}

static guint64
n_uses (const StateLock *lock) {
  return lock->n_acquired + lock->n_read_acquired;
}

char *
shard_words_new (const MapState *state,
                 guint           shard) {
  const StateTable *table = map_state_shard (state, shard);
  const StateLock *lock = shard_lock (state, shard);
  guint n_main = table != NULL && table->buckets != NULL
                   ? state_array_n_main (table->buckets) : 0;
  g_autofree char *keys
    = tophash_draw_format_count (table != NULL ? table->count : 0);
  GString *words = g_string_new (NULL);
  guint64 all = 0;

  if (n_main > 0)
    g_string_append_printf (words,
                            ngettext ("shard %u: %s key, load %.1f of %g",
                                      "shard %u: %s keys, load %.1f of %g",
                                      table->count),
                            shard, keys, (double)table->count / n_main,
                            state_table_load_limit (table));
  else
    g_string_append_printf (words, _("shard %u: no key was ever stored"), shard);
  for (guint i = 0; i < map_state_n_locks (state); i++)
    all += n_uses (map_state_lock (state, i));
  if (lock != NULL && all > 0) {
    g_autofree char *life = lock_life_new (state, lock);

    g_string_append_printf (words, _("\n%.1f %% of all locking"),
                            100.0 * (double)n_uses (lock) / (double)all);
    g_string_append_printf (words, "\n%s", life);
  }
  return g_string_free (words, FALSE);
}

gboolean
view_sees (const StateSnapshot *view,
           const StateVersion  *version,
           const StateVersion  *newer) {
  return version->stamp != 0 && version->stamp <= view->version
         && (newer == NULL || newer->stamp == 0 || newer->stamp > view->version);
}

static void
append_viewers (GString            *words,
                const MapState     *state,
                const StateVersion *version,
                const StateVersion *newer) {
  gboolean is_first = TRUE;

  for (guint i = 0; i < map_state_n_snapshots (state); i++) {
    const StateSnapshot *view = map_state_snapshot (state, i);

    if (!view_sees (view, version, newer))
      continue;
    g_string_append_printf (words, is_first ? _(" · view %u") : ", %u", view->id);
    is_first = FALSE;
  }
}

char *
chain_words_new (const MapState *state,
                 guint32         entry) {
  guint64 link = map_state_entry (state, entry).newest;
  StateVersion version;
  StateVersion newer;
  GString *words = g_string_new (NULL);

  for (guint n = 0; map_state_next_version (state, &link, &version); n++) {
    g_autofree char *stamp = tophash_draw_format_count (version.stamp);
    char value[24];

    g_snprintf (value, sizeof value, "%" G_GINT64_FORMAT, version.value);
    if (n > 0)
      g_string_append_c (words, '\n');
    if (version.stamp == 0)
      g_string_append_printf (words, version.is_deleted
                                       ? _("deleted, no version yet")
                                       : _("%s, no version yet"), value);
    else if (version.is_deleted)
      g_string_append_printf (words, _("deleted in version %s"), stamp);
    else
      g_string_append_printf (words, _("%s from version %s on"), value, stamp);
    append_viewers (words, state, &version, n > 0 ? &newer : NULL);
    newer = version;
  }
  return g_string_free (words, words->len == 0);
}

static char *
say_chain (const StageLayout *layout,
           const StageHit    *hit,
           const char        *key_format) {
  const StageChain *chain
    = &g_array_index (layout->chains, StageChain, hit->item);
  g_autofree char *words = chain_words_new (layout->state, chain->entry);
  char key[64];

  paint_format_key (key_format, chain->key, key, sizeof key);
  return g_strdup_printf ("%s\n%s", key, words != NULL ? words : _("nil"));
}

char *
strip_words_new (const StageLayout *layout,
                 const StageHit    *hit,
                 const char        *key_format) {
  const MapState *state = layout->state;

  if (hit->card == NULL || !hit->has_item || hit->item >= hit->card->n_items)
    return NULL;
  switch (hit->card->kind) {
  case CARD_LOCK:
    return hit->card->lock >= 0
             ? lock_life_new (state, map_state_lock (state,
                                                     (guint)hit->card->lock))
             : g_strdup (_("no worker waits for a shard now"));
  case CARD_VIEWS:
    return view_words_new (state, map_state_snapshot (state, hit->item));
  case CARD_SHARDS:
    return shard_words_new (state, hit->item);
  case CARD_CHAINS:
    return say_chain (layout, hit, key_format);
  case CARD_BUCKETS:
  case CARD_OLDBUCKETS:
  case CARD_READ:
  case CARD_DIRTY:
  case CARD_GHOST:
  case CARD_RANGE:
    break;
  }
  return NULL;
}

char *
item_title_new (const MapState         *state,
                const TophashSelection *selection) {
  switch (selection->kind) {
  case SELECTION_LOCK:
    return map_state_n_shards (state) == 0
             ? g_strdup ("mu")
             : g_strdup_printf (_("mu of shard %u"), selection->item);
  case SELECTION_VIEW:
    return g_strdup_printf (map_state_clock (state) > 0 ? _("view %u")
                                                        : _("snapshot %u"),
                            selection->item);
  case SELECTION_SHARD:
    return g_strdup_printf (_("shard %u"), selection->item);
  case SELECTION_NONE:
  case SELECTION_SLOT:
    break;
  }
  return g_strdup ("");
}

char *
item_words_new (const MapState         *state,
                const TophashSelection *selection) {
  switch (selection->kind) {
  case SELECTION_LOCK:
    return shard_lock (state, selection->item) != NULL
             ? lock_life_new (state, shard_lock (state, selection->item)) : NULL;
  case SELECTION_VIEW:
    for (guint i = 0; i < map_state_n_snapshots (state); i++)
      if (map_state_snapshot (state, i)->id == selection->item)
        return view_words_new (state, map_state_snapshot (state, i));
    return g_strdup (_("closed"));
  case SELECTION_SHARD:
    return shard_words_new (state, selection->item);
  case SELECTION_NONE:
  case SELECTION_SLOT:
    break;
  }
  return NULL;
}
