/* SPDX-License-Identifier: GPL-3.0-or-later */

/* narrator.c — what an event means, in a sentence for a person
 *
 * One function a topic, one case a kind, each with both registers side by side;
 * operations have a file of their own, narrator-ops.c, and so have read and dirty
 * (narrator-syncmap.c) and misuse.
 * Figures come from the event or the state before it; where that state is not
 * given, or does not know the thing, the sentence leaves the figure out.
 */
#include "core/model/narrator-private.h"

#include "core/workload/scenario.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>

char *
narrator_thread (guint thread) {
  if (thread == EVENT_THREAD_MAIN)
    return g_strdup (C_ ("thread", "main"));
  return g_strdup_printf ("W%u", thread + 1);
}

char *
narrator_landmark (EventKind kind,
                   guint64   number,
                   gboolean  flag) {
  unsigned long n = (unsigned long)number;

  switch (kind) {
  case EVENT_DIRTY_PROMOTED:
    return g_strdup_printf (_ ("promotion %lu"), n);
  case EVENT_DIRTY_COPIED:
    return g_strdup_printf (_ ("copy %lu"), n);
  case EVENT_GROWTH_STARTED:
    return g_strdup (flag ? _ ("growth =") : _ ("growth ×2"));
  case EVENT_GROWTH_ENDED:
    return g_strdup (_ ("growth over"));
  case EVENT_TABLE_CLEARED:
  case EVENT_READ_PUBLISHED:
    return g_strdup (_ ("clear"));
  case EVENT_RANGE_BEGAN:
    return g_strdup_printf (_ ("range of %lu"), n);
  case EVENT_RANGE_ENDED:
    return g_strdup_printf (_ ("range saw %lu"), n);
  case EVENT_PHASE_BEGAN:
    return g_strdup_printf (_ ("phase %lu"), n + 1);
  case EVENT_MISUSE_DETECTED:
    return g_strdup (_ ("misuse"));
  case EVENT_DROPPED:
    return g_strdup (_ ("events lost"));
  case EVENT_SNAPSHOT_BEGAN:
    return g_strdup (_ ("snapshot"));
  case EVENT_SNAPSHOT_ENDED:
    return g_strdup (_ ("snapshot ended"));
  case EVENT_WRITE_BARRIER:
    return g_strdup (_ ("barrier"));
  case EVENT_NONE:
  case EVENT_THREAD_STARTED:
  case EVENT_THREAD_ENDED:
  case EVENT_OP_BEGAN:
  case EVENT_OP_ENDED:
  case EVENT_OPS_COUNTED:
  case EVENT_TABLE_CREATED:
  case EVENT_TABLE_ALLOCATED:
  case EVENT_TABLE_FREED:
  case EVENT_TABLE_RESEEDED:
  case EVENT_TABLE_FLAGS_CHANGED:
  case EVENT_SLOT_WRITTEN:
  case EVENT_SLOT_UPDATED:
  case EVENT_SLOT_CLEARED:
  case EVENT_OVERFLOW_LINKED:
  case EVENT_BUCKET_EVACUATED:
  case EVENT_CHAIN_WIPED:
  case EVENT_EVACUATION_ADVANCED:
  case EVENT_OVERFLOW_COUNTED:
  case EVENT_BUCKET_COPIED:
  case EVENT_DIRTY_DROPPED:
  case EVENT_ENTRY_STORED:
  case EVENT_ENTRY_DELETED:
  case EVENT_ENTRY_EXPUNGED:
  case EVENT_ENTRY_UNEXPUNGED:
  case EVENT_TABLE_NAMED:
  case EVENT_DIRTY_CREATED:
  case EVENT_READ_AMENDED:
  case EVENT_MISS_COUNTED:
  case EVENT_MISSES_RESET:
  case EVENT_LOCK_WAITED:
  case EVENT_LOCK_ACQUIRED:
  case EVENT_LOCK_RELEASED:
  case EVENT_LOCK_READ_ACQUIRED:
  case EVENT_LOCK_READ_RELEASED:
  case EVENT_VERSION_WRITTEN:
  case EVENT_VERSION_STAMPED:
  case EVENT_VERSION_RETIRED:
  case EVENT_RANGE_WALKED:
  case EVENT_RANGE_YIELDED:
  case EVENT_SNAPSHOT_GAVE:
  case EVENT_OP_TOLD:
  case EVENT_TIME:
  case EVENT_N_KINDS:
    break;
  }
  return g_strdup (event_kind_name (kind));
}

/* Finding things ----------------------------------------------------------- */

char *
narrator_key (const Telling *telling,
              gint64         key) {
  return scenario_key_text (telling->key_text, key);
}

/* The newest table with the event's id; NULL: not known. */
static const StateTable *
table_of (const Telling *telling,
          guint16        id) {
  if (telling->before == NULL)
    return NULL;
  for (guint i = map_state_n_tables (telling->before); i > 0; i--)
    if (map_state_table (telling->before, i - 1)->id == id)
      return map_state_table (telling->before, i - 1);
  return NULL;
}

static const char *
role_name (const StateTable *table) {
  switch (table != NULL ? table->role : TABLE_ROLE_NONE) {
  case TABLE_ROLE_READ:
    return "read";
  case TABLE_ROLE_DIRTY:
    return "dirty";
  case TABLE_ROLE_SUPERSEDED:
    return _ ("an old read");
  case TABLE_ROLE_SHARD:
    return _ ("a shard");
  case TABLE_ROLE_NONE:
  case TABLE_ROLE_ONLY:
    break;
  }
  return _ ("the table");
}

/* The key of the slot that the event addresses, in words; NULL: not known. */
static char *
key_in_slot (const Telling *telling) {
  const StateTable *table = table_of (telling, telling->event->aux16);
  const StateBucket *bucket;

  if (table == NULL || table->buckets == NULL)
    return NULL;
  bucket = state_array_bucket (table->buckets, telling->event->res / BUCKET_SLOTS);
  return narrator_key (telling, bucket->keys[telling->event->res % BUCKET_SLOTS]);
}

/* The key of the event's entry, in words. */
static char *
key_of_entry (const Telling *telling) {
  StateEntry entry = { 0 };

  if (telling->before != NULL)
    entry = map_state_entry (telling->before, telling->event->res);
  if (entry.is_known)
    return narrator_key (telling, entry.key);
  return g_strdup_printf (_ ("entry %u"), telling->event->res);
}

/* The run ------------------------------------------------------------------ */

static char *
tell_run (const Telling *telling) {
  const Event *event = telling->event;
  gboolean has_read = telling->before != NULL
                      && map_state_has_read_and_dirty (telling->before);

  if (event->kind == EVENT_THREAD_STARTED)
    return g_strdup_printf (_ ("%s starts."), telling->who);
  if (event->kind == EVENT_THREAD_ENDED)
    return g_strdup_printf (_ ("%s ends."), telling->who);
  if (event->kind == EVENT_PHASE_BEGAN)
    return g_strdup_printf (_ ("Phase %u begins."), event->res + 1);
  if (event->kind == EVENT_DROPPED && event->res == 0)
    return g_strdup_printf (_ ("Here some of what %s told is missing."),
                            telling->who);
  if (event->kind == EVENT_DROPPED)
    return g_strdup_printf (
        g_dngettext (GETTEXT_PACKAGE,
                     "%s told %u event that there was no room for: from here on "
                     "the map shown is a guess.",
                     "%s told %u events that there was no room for: from here on "
                     "the map shown is a guess.",
                     event->res),
        telling->who, event->res);
  if (telling->is_expert && !has_read)
    return g_strdup_printf (_ ("%s: %u × %s counted, %u ok"), telling->who,
                            event->res, narrator_go_name (event->aux8),
                            event->ver);
  if (telling->is_expert)
    return g_strdup_printf (_ ("%s: %u × %s counted, %u ok, %" PRIu64
                               " in read"),
                            telling->who, event->res,
                            narrator_go_name (event->aux8),
                            event->ver, event->a);
  if (!has_read)
    return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%s did %s %u time.",
                                         "%s did %s %u times.", event->res),
                            telling->who, narrator_go_name (event->aux8),
                            event->res);
  return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
                                       "%s did %s %u time; %" PRIu64
                                       " found its key in read.",
                                       "%s did %s %u times; %" PRIu64
                                       " of them found their key in read.",
                                       event->res),
                          telling->who, narrator_go_name (event->aux8),
                          event->res,
                          event->a);
}

/* Tables ------------------------------------------------------------------- */

static char *
tell_table (const Telling *telling) {
  const Event *event = telling->event;
  const StateTable *table = table_of (telling, event->aux16);
  const char *name = role_name (table);
  guint n_buckets = event->aux8 < 31 ? 1u << event->aux8 : 0;
  guint64 n_keys = table != NULL ? table->count : 0;

  if (event->kind == EVENT_TABLE_CREATED)
    return telling->is_expert
               ? g_strdup_printf (_ ("%s makes table %u: B = %u"), telling->who,
                                  event->aux16, event->aux8)
               : g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
                                               "%s makes an empty table of %u bucket.",
                                               "%s makes an empty table of %u buckets.",
                                               n_buckets),
                                  telling->who, n_buckets);
  if (event->kind == EVENT_TABLE_ALLOCATED)
    return g_strdup_printf (_ ("%s gives %s its first bucket: there was none "
                               "before the first key."), telling->who, name);
  if (event->kind == EVENT_TABLE_FREED)
    return telling->is_expert
               ? g_strdup_printf (_ ("%s frees table %u (made at version %u)"),
                                  telling->who, event->aux16, event->res)
               : g_strdup_printf (_ ("%s frees a table that no reader holds any "
                                     "more."), telling->who);
  if (event->kind == EVENT_TABLE_CLEARED)
    return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
                                         "%s clears %s of its %" PRIu64
                                         " key; the buckets stay.",
                                         "%s clears %s of its %" PRIu64
                                         " keys; the buckets stay.",
                                         (gulong)n_keys),
                            telling->who, name, n_keys);
  if (event->kind == EVENT_TABLE_RESEEDED)
    return g_strdup_printf (_ ("The last key left %s: it takes a new hash seed."),
                            name);
  if (event->kind == EVENT_TABLE_NAMED)
    return g_strdup_printf (_ ("Table %u is the map."), event->aux16);
  if (event->kind == EVENT_OVERFLOW_COUNTED)
    return g_strdup_printf (_ ("%s estimates %u overflow buckets: from 2^16 "
                               "buckets on they are counted at random."), name,
                            event->res);
  if (telling->is_expert)
    return g_strdup_printf (_ ("%s: flags 0x%x"), name, event->aux8);
  return g_strdup_printf (_ ("%s notes that an iteration walks it."), name);
}

static char *
tell_slot (const Telling *telling) {
  const Event *event = telling->event;
  const StateTable *table = table_of (telling, event->aux16);
  const char *name = role_name (table);
  guint bucket = event->res / BUCKET_SLOTS;
  guint slot = event->res % BUCKET_SLOTS;
  g_autofree char *key = event->kind == EVENT_SLOT_CLEARED
                             ? key_in_slot (telling)
                             : narrator_key (telling, (gint64)event->a);

  if (event->kind == EVENT_OVERFLOW_LINKED)
    return g_strdup_printf (_ ("Bucket %u of %s is full: %s hangs an overflow "
                               "bucket behind it."), event->res, name,
                            telling->who);
  if (key == NULL)
    key = g_strdup (_ ("a key"));
  if (event->kind == EVENT_SLOT_WRITTEN)
    return telling->is_expert
               ? g_strdup_printf (_ ("%s: %s into %s, bucket %u slot %u, tophash "
                                     "%u; count %" PRIu64),
                                  telling->who, key, name, bucket, slot,
                                  event->aux8,
                                  table != NULL ? table->count + 1 : 1)
               : g_strdup_printf (_ ("%s puts the new key %s into bucket %u of "
                                     "%s."), telling->who, key, bucket, name);
  if (event->kind == EVENT_SLOT_UPDATED)
    return g_strdup_printf (_ ("%s overwrites %s in bucket %u of %s."),
                            telling->who, key, bucket, name);
  return telling->is_expert
             ? g_strdup_printf (_ ("%s: %s out of %s, bucket %u slot %u: emptyOne, "
                                   "or emptyRest if nothing follows"),
                                telling->who, key, name, bucket, slot)
             : g_strdup_printf (_ ("%s takes %s out of bucket %u of %s."),
                                telling->who, key, bucket, name);
}

static char *
tell_growth (const Telling *telling) {
  const Event *event = telling->event;
  const StateTable *table = table_of (telling, event->aux16);
  const char *name = role_name (table);
  guint n_old = table != NULL && table->oldbuckets != NULL
                    ? state_array_n_main (table->oldbuckets) : 0;
  guint n_y = (guint)__builtin_popcount (event->aux8);

  if (event->kind == EVENT_GROWTH_STARTED && event->res != 0)
    return g_strdup_printf (_ ("%s has too many overflow buckets: it will be "
                               "packed into a new array of the same size."), name);
  if (event->kind == EVENT_GROWTH_STARTED)
    return telling->is_expert
               ? g_strdup_printf (_ ("%s: growth to B = %u at count %"
                                     PRIu64 "; nothing moves yet"), name,
                                  event->aux8, table != NULL ? table->count : 0)
               : g_strdup_printf (_ ("%s is too full with %" PRIu64
                                     " keys: an array twice as large stands beside "
                                     "the old one, still empty."), name,
                                  table != NULL ? table->count : 0);
  if (event->kind == EVENT_BUCKET_EVACUATED && telling->is_expert)
    return g_strdup_printf (_ ("%s: old bucket %u evacuated, %u of its slots to "
                               "y"), name, event->res, n_y);
  if (event->kind == EVENT_BUCKET_EVACUATED)
    return g_strdup_printf (_ ("%s moves old bucket %u of %s: one more hash bit "
                               "sends each key to the low or the high half."),
                            telling->who, event->res, name);
  if (event->kind == EVENT_CHAIN_WIPED)
    return g_strdup_printf (_ ("Old chain %u of %s is wiped: no iteration needs "
                               "it."), event->res, name);
  if (event->kind == EVENT_EVACUATION_ADVANCED)
    return n_old > 0
               ? g_strdup_printf (
                     g_dngettext (GETTEXT_PACKAGE,
                                  "%s: the first %u of %u old buckets is moved.",
                                  "%s: the first %u of %u old buckets are all moved.",
                                  event->res),
                     name, event->res, n_old)
               : g_strdup_printf (
                     g_dngettext (GETTEXT_PACKAGE,
                                  "%s: the first %u old bucket is moved.",
                                  "%s: the first %u old buckets are all moved.",
                                  event->res),
                     name, event->res);
  return g_strdup_printf (_ ("The growth of %s is over: the old array is let go."),
                          name);
}

/* Entries ------------------------------------------------------------------ */

static char *
tell_entry (const Telling *telling) {
  const Event *event = telling->event;
  g_autofree char *key = key_of_entry (telling);

  if (event->kind == EVENT_ENTRY_STORED)
    return telling->is_expert
               ? g_strdup_printf (_ ("%s: entry of %s = %" PRId64
                                     " by CAS, version %u"), telling->who, key,
                                  (gint64)event->a, event->ver)
               : g_strdup_printf (_ ("%s sets %s to %" PRId64 "."),
                                  telling->who, key, (gint64)event->a);
  if (event->kind == EVENT_ENTRY_DELETED)
    return telling->is_expert
               ? g_strdup_printf (_ ("%s: entry of %s to nil, version %u"),
                                  telling->who, key, event->ver)
               : g_strdup_printf (_ ("%s deletes %s: its entry becomes nil, the "
                                     "key stays."), telling->who, key);
  if (event->kind == EVENT_ENTRY_EXPUNGED)
    return telling->is_expert
               ? g_strdup_printf (_ ("%s: entry of %s nil to expunged, left out "
                                     "of dirty"), telling->who, key)
               : g_strdup_printf (_ ("%s is deleted, so the copy leaves it out "
                                     "and marks it expunged."), key);
  return telling->is_expert
             ? g_strdup_printf (_ ("%s: entry of %s expunged to nil, then into "
                                   "dirty"), telling->who, key)
             : g_strdup_printf (_ ("%s brings %s back: no longer expunged, it goes "
                                   "into dirty as well."), telling->who, key);
}

/* Locks, iterations ---------------------------------------------------- */

static char *
tell_lock (const Telling *telling) {
  const Event *event = telling->event;
  const StateLock *lock = NULL;
  g_autofree char *owner = NULL;
  double held_ns = 0;

  for (guint i = 0;
       telling->before != NULL && i < map_state_n_locks (telling->before); i++)
    if (map_state_lock (telling->before, i)->id == event->res)
      lock = map_state_lock (telling->before, i);
  if (event->kind == EVENT_LOCK_READ_ACQUIRED)
    return g_strdup_printf (_ ("%s shares the lock, to read."), telling->who);
  if (event->kind == EVENT_LOCK_READ_RELEASED)
    return g_strdup_printf (_ ("%s gives its share of the lock back."),
                            telling->who);
  if (event->kind == EVENT_LOCK_WAITED && event->aux8 == LOCK_WAIT_DRAIN)
    return g_strdup_printf (_ ("%s is next and waits for the readers to leave; "
                               "new ones wait behind it."),
                            telling->who);
  if (event->kind == EVENT_LOCK_WAITED && lock != NULL && lock->owner >= 0) {
    owner = narrator_thread ((guint)lock->owner);
    return telling->is_expert
               ? g_strdup_printf (_ ("%s: mu held by %s, waits"), telling->who,
                                  owner)
               : g_strdup_printf (_ ("%s finds the lock taken by %s and waits."),
                                  telling->who, owner);
  }
  if (event->kind == EVENT_LOCK_WAITED)
    return g_strdup_printf (_ ("%s finds the lock taken and waits."),
                            telling->who);
  if (event->kind == EVENT_LOCK_ACQUIRED)
    return telling->is_expert ? g_strdup_printf (_ ("%s: mu locked"), telling->who)
                              : g_strdup_printf (_ ("%s takes the lock."),
                                                 telling->who);
  /* As measured; stamps of one operation may be equal and then say nothing. */
  if (event->a > 0)
    held_ns = (double)event->a;
  else if (lock != NULL && lock->owner >= 0)
    held_ns = (double)(event->at_ns - lock->since_ns);
  if (held_ns > 0)
    return g_strdup_printf (telling->is_expert
                                ? _ ("%s: mu unlocked after %.1f µs")
                                : _ ("%s releases the lock after %.1f µs."),
                            telling->who, held_ns / 1000);
  return g_strdup_printf (_ ("%s releases the lock."), telling->who);
}

static char *
tell_snapshot_gave (const Telling *telling) {
  const Event *event = telling->event;
  g_autofree char *key = narrator_key (telling, (gint64)event->a);

  return g_strdup_printf (_ ("%s is given %s = %ld by its snapshot."),
                          telling->who, key, (long)event->b);
}

static char *
tell_versions (const Telling *telling) {
  const Event *event = telling->event;

  if (event->kind == EVENT_SNAPSHOT_GAVE)
    return tell_snapshot_gave (telling);
  if (event->kind == EVENT_WRITE_BARRIER)
    return g_strdup_printf (_ ("%s ends a version: writes are of version %lu now."),
                            telling->who, (unsigned long)event->a);
  if (event->kind == EVENT_VERSION_WRITTEN)
    return g_strdup_printf (event->aux8 != 0
                                ? _ ("%s makes version %u: the key is deleted.")
                                : _ ("%s makes version %u of a value."),
                            telling->who, event->res);
  if (event->kind == EVENT_VERSION_STAMPED)
    return g_strdup_printf (_ ("%s stamps version %u with %lu."), telling->who,
                            event->res, (unsigned long)event->a);
  if (event->kind == EVENT_VERSION_RETIRED)
    return g_strdup_printf (_ ("%s lets version %u go: no view needs it."),
                            telling->who, event->res);
  if (event->kind == EVENT_SNAPSHOT_BEGAN)
    return g_strdup_printf (_ ("%s opens a snapshot of version %lu."),
                            telling->who, (unsigned long)event->a);
  return g_strdup_printf (_ ("%s ends its snapshot after %u pairs."),
                          telling->who, event->res);
}

static char *
tell_range (const Telling *telling) {
  const Event *event = telling->event;
  const char *name = role_name (table_of (telling, event->aux16));
  guint n_seen = (guint)__builtin_popcount (event->aux8);
  guint n_nil = (guint)__builtin_popcountll (event->a & 0xff);
  guint n_expunged = (guint)__builtin_popcountll (event->a >> 8 & 0xff);
  g_autofree char *key = NULL;

  if (event->kind == EVENT_RANGE_BEGAN && event->ver == 0)
    return g_strdup_printf (
        g_dngettext (GETTEXT_PACKAGE,
                     "%s begins to walk %s, which holds %" PRIu64
                     " key; at this pace the walk is not told.",
                     "%s begins to walk %s, which holds %" PRIu64
                     " keys; at this pace the walk is not told.",
                     (gulong)event->a),
        telling->who, name, event->a);
  if (event->kind == EVENT_RANGE_BEGAN)
    return telling->is_expert
               ? g_strdup_printf (_ ("%s: iteration %u over %s, %" PRIu64
                                     " keys, from bucket %u, slot offset %u"),
                                  telling->who, event->ver, name, event->a,
                                  event->res, event->aux8)
               : g_strdup_printf (
                     g_dngettext (GETTEXT_PACKAGE,
                                  "%s begins to walk %s, which holds %" PRIu64
                                  " key, at a random bucket: %u.",
                                  "%s begins to walk %s, which holds %" PRIu64
                                  " keys, at a random bucket: %u.",
                                  (gulong)event->a),
                     telling->who, name, event->a, event->res);
  if (event->kind == EVENT_RANGE_ENDED)
    return g_strdup_printf (
        event->aux8 != 0
            ? g_dngettext (GETTEXT_PACKAGE, "%s stops walking after %u key.",
                           "%s stops walking after %u keys.", event->res)
            : g_dngettext (GETTEXT_PACKAGE,
                           "%s has walked to the end and seen %u key.",
                           "%s has walked to the end and seen %u keys.", event->res),
        telling->who, event->res);
  if (event->kind == EVENT_RANGE_YIELDED) {
    key = narrator_key (telling, (gint64)event->a);
    return g_strdup_printf (_ ("%s is given %s = %ld by its Range."),
                            telling->who, key, (long)event->b);
  }
  if (n_nil + n_expunged > 0)
    return g_strdup_printf (_ ("%s walks bucket %u of %s: %u seen, %u deleted and "
                               "%u expunged passed over."), telling->who,
                            event->res & ~RANGE_OLD_BUCKET, name, n_seen, n_nil,
                            n_expunged);
  return g_strdup_printf (_ ("%s walks bucket %u of %s: %u seen."), telling->who,
                          event->res & ~RANGE_OLD_BUCKET, name, n_seen);
}

char *
narrator_event (const Event      *event,
                const MapState   *before,
                const char       *key_text,
                NarrationRegister wording) {
  g_autofree char *who = narrator_thread (event->thread);
  Telling telling = { .event = event,
                      .before = before,
                      .key_text = key_text,
                      .is_expert = wording == NARRATION_EXPERT,
                      .who = who };

  switch ((EventKind)event->kind) {
  case EVENT_THREAD_STARTED:
  case EVENT_THREAD_ENDED:
  case EVENT_PHASE_BEGAN:
  case EVENT_OPS_COUNTED:
  case EVENT_DROPPED:
    return tell_run (&telling);
  case EVENT_OP_BEGAN:
    return narrator_op_began (&telling);
  case EVENT_OP_ENDED:
    return narrator_op_ended (&telling);
  case EVENT_OP_TOLD:
    return narrator_op_told (&telling);
  case EVENT_TABLE_CREATED:
  case EVENT_TABLE_ALLOCATED:
  case EVENT_TABLE_FREED:
  case EVENT_TABLE_CLEARED:
  case EVENT_TABLE_RESEEDED:
  case EVENT_TABLE_FLAGS_CHANGED:
  case EVENT_TABLE_NAMED:
  case EVENT_OVERFLOW_COUNTED:
    return tell_table (&telling);
  case EVENT_SLOT_WRITTEN:
  case EVENT_SLOT_UPDATED:
  case EVENT_SLOT_CLEARED:
  case EVENT_OVERFLOW_LINKED:
    return tell_slot (&telling);
  case EVENT_GROWTH_STARTED:
  case EVENT_BUCKET_EVACUATED:
  case EVENT_CHAIN_WIPED:
  case EVENT_EVACUATION_ADVANCED:
  case EVENT_GROWTH_ENDED:
    return tell_growth (&telling);
  case EVENT_ENTRY_STORED:
  case EVENT_ENTRY_DELETED:
  case EVENT_ENTRY_EXPUNGED:
  case EVENT_ENTRY_UNEXPUNGED:
    return tell_entry (&telling);
  case EVENT_DIRTY_CREATED:
  case EVENT_DIRTY_COPIED:
  case EVENT_DIRTY_DROPPED:
  case EVENT_BUCKET_COPIED:
    return narrator_copy (&telling);
  case EVENT_READ_PUBLISHED:
  case EVENT_READ_AMENDED:
  case EVENT_MISS_COUNTED:
  case EVENT_DIRTY_PROMOTED:
  case EVENT_MISSES_RESET:
    return narrator_read_and_dirty (&telling);
  case EVENT_LOCK_WAITED:
  case EVENT_LOCK_ACQUIRED:
  case EVENT_LOCK_RELEASED:
  case EVENT_LOCK_READ_ACQUIRED:
  case EVENT_LOCK_READ_RELEASED:
    return tell_lock (&telling);
  case EVENT_RANGE_BEGAN:
  case EVENT_RANGE_WALKED:
  case EVENT_RANGE_ENDED:
  case EVENT_RANGE_YIELDED:
    return tell_range (&telling);
  case EVENT_SNAPSHOT_BEGAN:
  case EVENT_SNAPSHOT_ENDED:
  case EVENT_SNAPSHOT_GAVE:
  case EVENT_WRITE_BARRIER:
  case EVENT_VERSION_WRITTEN:
  case EVENT_VERSION_STAMPED:
  case EVENT_VERSION_RETIRED:
    return tell_versions (&telling);
  case EVENT_MISUSE_DETECTED:
    return narrator_tell_misuse (&telling);
  case EVENT_NONE:
  case EVENT_TIME:
  case EVENT_N_KINDS:
    break;
  }
  return g_strdup (_ ("An event of an unknown kind."));
}
