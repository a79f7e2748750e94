/* SPDX-License-Identifier: GPL-3.0-or-later */

/* narrator-misuse.c — which of Go's checks found a misuse, and whom
 *
 * Go sets the flag hashWriting when a write begins and clears it when it ends.
 * Three checks look at it: a beginning operation (it must be clear, or somebody
 * else writes), an ending write (it must still be set, or another write ended
 * meanwhile) and a step of an iteration (it must be clear). A sentence says the
 * check, the operation that made it and, where it is known, who was writing.
 */
#include "core/model/narrator-private.h"

#include "core/workload/scenario.h"

#include <glib/gi18n-lib.h>

/* "Store(k17)", "Range()". */
static char *
call_of (const StateMisuse *misuse,
         const char        *key_text) {
  g_autofree char *key = NULL;

  if (misuse->op == OP_RANGE || misuse->op == OP_CLEAR || misuse->op == OP_LEN)
    return g_strdup_printf ("%s()", narrator_go_name (misuse->op));
  key = scenario_key_text (key_text, misuse->key);
  return g_strdup_printf ("%s(%s)", narrator_go_name (misuse->op), key);
}

static char *
say_expert (const StateMisuse *misuse,
            const char        *call,
            const char        *who,
            const char        *writer) {
  switch (misuse->place) {
  case MISUSE_AT_ENTRY:
    return writer != NULL
             ? g_strdup_printf (_ ("%s: hashWriting set at entry to %s, by %s"),
                                who, call, writer)
             : g_strdup_printf (_ ("%s: hashWriting set at entry to %s"), who,
                                call);
  case MISUSE_AT_EXIT:
    return writer != NULL
             ? g_strdup_printf (_ ("%s: hashWriting clear at exit from %s, %s "
                                   "wrote"), who, call, writer)
             : g_strdup_printf (_ ("%s: hashWriting clear at exit from %s"), who,
                                call);
  case MISUSE_AT_STEP:
    break;
  }
  return writer != NULL
           ? g_strdup_printf (_ ("%s: hashWriting set at a step of its "
                                 "iteration, by %s"), who, writer)
           : g_strdup_printf (_ ("%s: hashWriting set at a step of its "
                                 "iteration"), who);
}

static char *
say_plain (const StateMisuse *misuse,
           const char        *call,
           const char        *who,
           const char        *writer) {
  const char *other = writer != NULL ? writer : _ ("another thread");

  switch (misuse->place) {
  case MISUSE_AT_ENTRY:
    return g_strdup_printf (_ ("%s began %s while %s was writing."), who, call,
                            other);
  case MISUSE_AT_EXIT:
    return g_strdup_printf (_ ("%s ended %s and found that %s had been writing, "
                               "too."), who, call, other);
  case MISUSE_AT_STEP:
    break;
  }
  return g_strdup_printf (_ ("%s took a step of its iteration while %s was "
                             "writing."), who, other);
}

char *
narrator_misuse (const StateMisuse *misuse,
                 const char        *key_text,
                 NarrationRegister  wording) {
  g_autofree char *call = call_of (misuse, key_text);
  g_autofree char *who = narrator_thread (misuse->thread);
  g_autofree char *writer
    = misuse->writer < 0 ? NULL : narrator_thread ((guint)misuse->writer);

  return wording == NARRATION_EXPERT ? say_expert (misuse, call, who, writer)
                                     : say_plain (misuse, call, who, writer);
}

/* What the event says; the operation, where it says none, is the one that its
 * thread was in. */
static void
read_event (const Telling *telling,
            StateMisuse   *misuse) {
  const Event *event = telling->event;
  const MapState *before = telling->before;

  *misuse = (StateMisuse){
    .at = 1,
    .at_ns = event->at_ns,
    .thread = event->thread,
    .kind = (MisuseKind)event->aux8,
    .place = (MisusePlace)event->res,
    .op = event->aux8 == MISUSE_ITERATION_AND_WRITE ? OP_RANGE
          : event->res == MISUSE_AT_EXIT            ? OP_STORE
                                                    : OP_LOAD,
    .key = (gint64)event->a,
    .writer = (int)event->b - 1,
  };
  if (event->ver != 0 && event->ver <= OP_N_KINDS)
    misuse->op = (OpKind)(event->ver - 1);
  for (guint i = 0;
       event->ver == 0 && before != NULL && i < map_state_n_threads (before); i++)
    if (map_state_thread (before, i)->thread == event->thread
        && map_state_thread (before, i)->in_op)
      misuse->op = map_state_thread (before, i)->op;
}

char *
narrator_tell_misuse (const Telling *telling) {
  const char *text = misuse_kind_text (telling->event->aux8);
  StateMisuse misuse;
  g_autofree char *words = NULL;

  read_event (telling, &misuse);
  words = narrator_misuse (&misuse, telling->key_text,
                           telling->is_expert ? NARRATION_EXPERT
                                              : NARRATION_PLAIN);
  if (text == NULL)
    return g_steal_pointer (&words);
  return telling->is_expert
           ? g_strdup_printf ("%s: fatal error: %s", words, text)
           : g_strdup_printf (_ ("%s Go would stop here with “fatal error: %s”."),
                              words, text);
}
