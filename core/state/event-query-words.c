/* SPDX-License-Identifier: GPL-3.0-or-later */

/* event-query-words.c — the words of queries, for whoever has yet to learn them */
#include "core/state/event-query-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#define LEAST_TYPED 3 /* letters of a word, before it is guessed */

/* Queries are not translated: they are the language itself. */
static const EventQueryExample examples[] = {
  { "dirty-promoted", N_("every promotion") },
  { "misses = len(dirty) - 1", N_("one look short of a promotion") },
  { "overflow >= 2", N_("a bucket with 2 overflows") },
  { "growing and op = store", N_("stores while the table grows") },
  { "op = load missed", N_("loads that counted a miss") },
  { "waited", N_("operations that waited for a lock") },
  { "ns > 10000", N_("operations that took more than 10 µs") },
  { "thread = 2 and kind = entry-deleted", N_("what the second worker deleted") },
  { NULL, NULL },
};

const EventQueryExample *
event_query_examples (void) {
  return examples;
}

static void
add_words (GPtrArray       *all,
           const QueryWord *words) {
  for (; words->name != NULL; words++)
    g_ptr_array_add (all, (gpointer)words->name);
}

static int
compare_words (gconstpointer a,
               gconstpointer b) {
  return g_ascii_strcasecmp (*(const char *const *)a, *(const char *const *)b);
}

const char *const *
event_query_words (void) {
  static const char *const *words;

  if (g_once_init_enter (&words)) {
    GPtrArray *all = g_ptr_array_new ();
    const char *const joins[] = { "and", "not", "or" };
    guint n = 1;

    for (guint i = 0; i < G_N_ELEMENTS (joins); i++)
      g_ptr_array_add (all, (gpointer)joins[i]);
    for (guint i = 0; i < FACT_N; i++)
      g_ptr_array_add (all, (gpointer)query_facts[i].name);
    for (guint i = 1; i < EVENT_TIME; i++)
      g_ptr_array_add (all, (gpointer)event_kind_name (i));
    for (guint i = 0; i < OP_N_KINDS; i++)
      g_ptr_array_add (all, (gpointer)op_kind_name (i));
    add_words (all, query_kind_words);
    add_words (all, query_path_words);
    add_words (all, query_role_words);
    g_ptr_array_sort (all, compare_words);
    for (guint i = 1; i < all->len; i++)
      if (strcmp (all->pdata[i], all->pdata[n - 1]) != 0)
        all->pdata[n++] = all->pdata[i];
    g_ptr_array_set_size (all, (int)n);
    g_ptr_array_add (all, NULL);
    g_once_init_leave (&words, (const char *const *)g_ptr_array_free (all, FALSE));
  }
  return words;
}

static gboolean
is_word_part (char c) {
  return g_ascii_isalnum (c) || c == '-';
}

char *
event_query_complete (const char *text,
                      const char *key_text) {
  g_autofree char *typed = g_strchomp (g_strdup (text));
  const char *const *words = event_query_words ();
  gsize from = strlen (typed);
  gsize length;

  while (from > 0 && is_word_part (typed[from - 1]))
    from--;
  length = strlen (typed + from);
  if (length < LEAST_TYPED)
    return NULL;
  for (; *words != NULL; words++)
    if (strlen (*words) > length
        && g_ascii_strncasecmp (*words, typed + from, length) == 0) {
      g_autofree char *whole
          = g_strdup_printf ("%.*s%s", (int)from, typed, *words);
      g_autoptr (EventQuery) query = event_query_new (whole, key_text, NULL);

      if (query != NULL)
        return g_steal_pointer (&whole);
    }
  return NULL;
}
