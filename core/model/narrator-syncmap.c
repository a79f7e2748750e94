/* SPDX-License-Identifier: GPL-3.0-or-later */

/* narrator-syncmap.c — what happens to read and dirty, the two tables of a sync.Map */
#include "core/model/narrator-private.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>

static guint64
count_of (const Telling *telling,
          TableRole      role) {
  const StateTable *table = telling->before != NULL
                                ? map_state_table_for (telling->before, role)
                                : NULL;

  return table != NULL ? table->count : 0;
}

char *
narrator_copy (const Telling *telling) {
  const Event *event = telling->event;
  guint n_copied = (guint)__builtin_popcount (event->aux8); /* of a bucket */

  if (event->kind == EVENT_DIRTY_CREATED)
    return telling->is_expert
               ? g_strdup_printf (_ ("%s: dirtyLocked, %u entries of read to walk"),
                                  telling->who, event->res)
               : g_strdup_printf (
                     g_dngettext (GETTEXT_PACKAGE,
                                  "A new key needs a dirty map: %s copies read, all "
                                  "%u entry, under the lock.",
                                  "A new key needs a dirty map: %s copies read, all "
                                  "%u entries, under the lock.",
                                  event->res),
                     telling->who, event->res);
  if (event->kind == EVENT_BUCKET_COPIED)
    return g_strdup_printf (
        g_dngettext (GETTEXT_PACKAGE,
                     "%s copies %u entry of bucket %u of read to dirty.",
                     "%s copies %u entries of bucket %u of read to dirty.", n_copied),
        telling->who, n_copied, event->res);
  if (event->kind == EVENT_DIRTY_DROPPED)
    return g_strdup (_ ("The copy found no memory: dirty is nil again and the map "
                        "is as it was."));
  if (telling->is_expert)
    return g_strdup_printf (_ ("dirty copied: %u entries, %" PRIu64
                               " expunged"), event->res, event->a);
  return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE,
                                       "The copy is done: %u entry now stands in read "
                                       "and in dirty; deleted and left out: %" PRIu64
                                       ".",
                                       "The copy is done: %u entries now stand in read "
                                       "and in dirty; deleted and left out: %" PRIu64
                                       ".",
                                       event->res),
                          event->res, event->a);
}

char *
narrator_read_and_dirty (const Telling *telling) {
  const Event *event = telling->event;
  guint64 n_read = count_of (telling, TABLE_ROLE_READ);
  guint64 n_dirty = count_of (telling, TABLE_ROLE_DIRTY);
  gboolean is_first = telling->before == NULL
                      || map_state_table_for (telling->before, TABLE_ROLE_READ)
                             == NULL;

  if (event->kind == EVENT_READ_PUBLISHED && is_first)
    return g_strdup (_ ("The map begins with an empty read."));
  if (event->kind == EVENT_READ_PUBLISHED)
    return g_strdup_printf (_ ("%s clears the map: an empty read takes the place "
                               "of one with %" PRIu64 " keys."),
                            telling->who, n_read);
  if (event->kind == EVENT_READ_AMENDED)
    return telling->is_expert
               ? g_strdup (_ ("read: amended = true"))
               : g_strdup (_ ("read is marked amended: dirty will hold keys that "
                              "read lacks."));
  if (telling->before == NULL && event->kind == EVENT_MISS_COUNTED)
    return g_strdup_printf (telling->is_expert
                                ? _ ("%s: misses %u")
                                : _ ("%s had to look in dirty: miss %u."),
                            telling->who, event->res);
  if (telling->before == NULL && event->kind == EVENT_DIRTY_PROMOTED)
    return g_strdup_printf (_ ("%s promotes dirty: it becomes read. Only a pointer "
                               "moves; nothing is copied."), telling->who);
  if (event->kind == EVENT_MISS_COUNTED)
    return telling->is_expert
               ? g_strdup_printf (_ ("%s: misses %u of len(dirty) %"
                                     PRIu64), telling->who, event->res,
                                  n_dirty)
               : g_strdup_printf (_ ("%s had to look in dirty: miss %u; at %"
                                     PRIu64 " dirty is promoted."),
                                  telling->who, event->res, n_dirty);
  if (event->kind == EVENT_MISSES_RESET)
    return g_strdup (_ ("misses is 0 again."));
  return telling->is_expert
             ? g_strdup_printf (_ ("%s: read = dirty (%" PRIu64
                                   " entries), dirty = nil, misses %u to 0, by %s"),
                                telling->who, n_dirty, event->res,
                                narrator_go_name (event->aux8))
             : g_strdup_printf (_ ("%s promotes dirty: it becomes read with its %"
                                   PRIu64 " keys. Only a pointer moves; "
                                   "nothing is copied."), telling->who, n_dirty);
}
