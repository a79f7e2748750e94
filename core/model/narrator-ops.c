/* SPDX-License-Identifier: GPL-3.0-or-later */

/* narrator-ops.c — what it means that an operation begins or ends
 *
 * A beginning says the call and, where the map has read and dirty, how things
 * stand for its key; an end says how it came out and which way it went. Plain
 * words tell whether the lock was needed, expert ones name every part of the
 * path that the engine reported.
 */
#include "core/model/narrator-private.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>

const char *
narrator_go_name (guint op) {
  static const char *const names[OP_N_KINDS] = {
    [OP_LOAD] = "Load",
    [OP_STORE] = "Store",
    [OP_LOAD_OR_STORE] = "LoadOrStore",
    [OP_LOAD_AND_DELETE] = "LoadAndDelete",
    [OP_DELETE] = "Delete",
    [OP_SWAP] = "Swap",
    [OP_COMPARE_AND_SWAP] = "CompareAndSwap",
    [OP_COMPARE_AND_DELETE] = "CompareAndDelete",
    [OP_RANGE] = "Range",
    [OP_CLEAR] = "Clear",
    [OP_LEN] = "len",
  };

  return op < OP_N_KINDS ? names[op] : "?";
}

/* "Load(k54)", "Store(k54, 7)", "Range()". */
static char *
call_text (const Telling *telling,
           guint          op,
           gint64         key,
           gint64         value,
           gboolean       has_value) {
  g_autofree char *name = NULL;

  if (op == OP_RANGE || op == OP_CLEAR || op == OP_LEN)
    return g_strdup_printf ("%s()", narrator_go_name (op));
  name = narrator_key (telling, key);
  if (has_value
      && (op == OP_STORE || op == OP_LOAD_OR_STORE || op == OP_SWAP
          || op == OP_COMPARE_AND_SWAP))
    return g_strdup_printf ("%s(%s, %" G_GINT64_FORMAT ")",
                            narrator_go_name (op), name, value);
  return g_strdup_printf ("%s(%s)", narrator_go_name (op), name);
}

/* Where the key of a beginning operation stands, when the map has read and
 * dirty; NULL: nothing to say. */
static const char *
outlook (const Telling *telling) {
  const Event *event = telling->event;
  const StateTable *read;
  StateSlot slot;

  if (telling->before == NULL || !map_state_has_read_and_dirty (telling->before)
      || event->aux8 == OP_RANGE || event->aux8 == OP_CLEAR
      || event->aux8 == OP_LEN)
    return NULL;
  read = map_state_table_for (telling->before, TABLE_ROLE_READ);
  if (read == NULL)
    return NULL;
  if (map_state_find_key (telling->before, read, (gint64)event->a, &slot))
    return telling->is_expert ? _ ("in read") : _ ("it is in read");
  if (map_state_is_amended (telling->before))
    return telling->is_expert ? _ ("read lacks it, amended")
                              : _ ("not in read, but dirty holds more keys");
  return telling->is_expert ? _ ("read lacks it, not amended")
                            : _ ("not in read, and dirty knows no more");
}

char *
narrator_op_began (const Telling *telling) {
  const Event *event = telling->event;
  g_autofree char *call = call_text (telling, event->aux8, (gint64)event->a,
                                     (gint64)event->b, TRUE);
  const char *where = outlook (telling);

  if (where != NULL && telling->is_expert)
    return g_strdup_printf ("%s %s: %s", telling->who, call, where);
  if (where != NULL)
    return g_strdup_printf (_ ("%s begins %s: %s."), telling->who, call, where);
  return telling->is_expert
             ? g_strdup_printf ("%s %s", telling->who, call)
             : g_strdup_printf (_ ("%s begins %s."), telling->who, call);
}

static void
append_path (GString *text,
             guint    path) {
  static const struct {
    guint       bit;
    const char *words;
  } parts[] = {
    { OP_PATH_IN_VIEW, N_ ("asked a view") },
    { OP_PATH_IN_READ, N_ ("found in read") },
    { OP_PATH_AMENDED, N_ ("read amended") },
    { OP_PATH_WAITED, N_ ("waited for the lock") },
    { OP_PATH_LOCKED, N_ ("locked") },
    { OP_PATH_IN_DIRTY, N_ ("found in dirty") },
    { OP_PATH_MISSED, N_ ("counted a miss") },
    { OP_PATH_PROMOTED, N_ ("promoted dirty") },
    { OP_PATH_COPIED, N_ ("copied read to dirty") },
    { OP_PATH_NEW_KEY, N_ ("new key") },
    { OP_PATH_GREW, N_ ("started a growth") },
    { OP_PATH_MOVED, N_ ("moved buckets") },
  };
  /* Translators: stands before the first fact of how an operation went. */
  const char *separator = C_ ("path", ": ");

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (path & parts[i].bit) {
      g_string_append (text, separator);
      g_string_append (text, _ (parts[i].words));
      /* Translators: stands between two facts of how an operation went. */
      separator = C_ ("path", ", ");
    }
}

/* The lock comes first: a store that brings an expunged key back finds it in
 * read and takes the lock all the same. */
static char *
tell_lock_need (const char *told,
                guint       path) {
  if (path & OP_PATH_LOCKED)
    return g_strdup_printf (_ ("%s. It needed the lock."), told);
  if (path & OP_PATH_IN_READ)
    return g_strdup_printf (
        _ ("%s. The key was in read, so no lock was needed."), told);
  return g_strdup_printf (_ ("%s."), told);
}

/* How an operation other than a load came out. */
static const char *
outcome_of (unsigned op,
            unsigned path) {
  gboolean is_ok = (path & OP_PATH_OK) != 0;

  if (path & OP_PATH_NEW_KEY)
    return _ ("a new key");
  if (op == OP_STORE || op == OP_SWAP)
    return is_ok ? _ ("another value stood there") : _ ("stored");
  if (op == OP_LOAD_OR_STORE)
    return is_ok ? _ ("loaded what stood there") : _ ("stored");
  if (op == OP_RANGE)
    return is_ok ? _ ("went to the end") : _ ("stopped early");
  return is_ok ? _ ("done") : _ ("nothing to do");
}

static const StateThread *
thread_of (const Telling *telling) {
  for (guint i = 0;
       telling->before != NULL && i < map_state_n_threads (telling->before); i++)
    if (map_state_thread (telling->before, i)->thread == telling->event->thread)
      return map_state_thread (telling->before, i);
  return NULL;
}

char *
narrator_op_ended (const Telling *telling) {
  const Event *event = telling->event;
  const StateThread *thread = thread_of (telling);
  gboolean is_ok = (event->aux16 & OP_PATH_OK) != 0;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *call = NULL;

  /* Of one that began in a gap, or before the state, nobody knows the key. */
  if (thread != NULL && thread->in_op && thread->op == event->aux8)
    call = call_text (telling, event->aux8, thread->key, 0, FALSE);
  else
    call = g_strdup (narrator_go_name (event->aux8));
  if (event->aux16 & OP_PATH_ERROR)
    g_string_append_printf (text, _ ("%s cannot carry out %s"), telling->who,
                            call);
  else if (event->aux8 == OP_LOAD && is_ok)
    g_string_append_printf (text, _ ("%s ends %s with %" PRId64),
                            telling->who, call, (gint64)event->a);
  else if (event->aux8 == OP_LOAD)
    g_string_append_printf (text, _ ("%s ends %s: not there"), telling->who, call);
  else
    g_string_append_printf (text, _ ("%s ends %s: %s"), telling->who, call,
                            outcome_of (event->aux8, event->aux16));
  if (!telling->is_expert)
    return tell_lock_need (text->str, event->aux16);
  append_path (text, event->aux16);
  return g_strdup (text->str);
}

/* In brief: the call and how it came out, without the value. */
char *
narrator_op_told (const Telling *telling) {
  const Event *event = telling->event;
  gboolean is_ok = (event->aux16 & OP_PATH_OK) != 0;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *call = call_text (telling, event->aux8,
                                     event_told_key (event), 0, FALSE);

  if (event->aux16 & OP_PATH_ERROR)
    g_string_append_printf (text, _ ("%s cannot carry out %s"), telling->who,
                            call);
  else if (event->aux8 == OP_LOAD)
    g_string_append_printf (text, _ ("%s did %s: %s"), telling->who, call,
                            is_ok ? _ ("found") : _ ("not there"));
  else
    g_string_append_printf (text, _ ("%s did %s: %s"), telling->who, call,
                            outcome_of (event->aux8, event->aux16));
  if (!telling->is_expert)
    return tell_lock_need (text->str, event->aux16);
  append_path (text, event->aux16);
  return g_strdup (text->str);
}
