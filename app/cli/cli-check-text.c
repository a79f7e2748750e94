/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-check-text.c — a judgement on one screen
 *
 * A violation is told as its shortest bad prefix: from when the key was last
 * known for sure, the order that goes furthest, then what does not fit behind it
 * and why. Each operation is drawn as the interval in which it took effect.
 *
 *    1  w0  ├────┤                  Store 101
 *    2  w1     ├────────────┤       Load → 101
 *    ✗  w2                  ├────┤  Load → nothing: it found nothing, but …
 */
#include "app/cli/cli-check.h"
#include "app/cli/cli.h"

#include "core/workload/scenario.h"

#include <glib/gi18n.h>
#include <inttypes.h>

#define BAR_CELLS 32
/* Of an order, the last ones; of what does not fit, the first. */
#define MAX_SHOWN 12

static const char *
verdict_text (LinearVerdict verdict) {
  switch (verdict) {
  case LINEAR_OK:
    return _("right: an order explains every result");
  case LINEAR_VIOLATED:
    return _("WRONG: no correct map gives these results");
  case LINEAR_UNKNOWN:
    return _("unknown: too much at once to say of every key");
  }
  g_return_val_if_reached (NULL);
}

/* (transfer full): "12.345678 ms" */
static char *
time_text (gint64 at_ns) {
  return g_strdup_printf (_("%.6f ms"), (double)at_ns / 1e6);
}

static char *
thread_text (guint16 thread) {
  return thread == EVENT_THREAD_MAIN ? g_strdup (_("main"))
                                     : g_strdup_printf ("w%u", thread);
}

/* Intervals ---------------------------------------------------------------- */

/* The time that the bars stand for. */
typedef struct {
  gint64 from_ns;
  gint64 to_ns;
} Window;

static gint
cell_of (const Window *window,
         gint64        at_ns) {
  double span_ns = (double)MAX (window->to_ns - window->from_ns, 1);
  double share = (double)(at_ns - window->from_ns) / span_ns;

  return (gint)CLAMP (share * (BAR_CELLS - 1), 0, BAR_CELLS - 1);
}

/* (transfer full): open at a side where it is longer than the window. */
static char *
bar_text (const Window    *window,
          const JudgeItem *item) {
  g_autoptr (GString) text = g_string_new (NULL);
  gint first = cell_of (window, item->began_ns);
  gint last = cell_of (window, item->ended_ns);

  for (gint cell = 0; cell < BAR_CELLS; cell++) {
    if (cell < first || cell > last)
      g_string_append_c (text, ' ');
    else if (item->ended_ns < window->from_ns)
      g_string_append (text, "◂"); /* long over */
    else if (first == last)
      g_string_append (text, "│");
    else if (cell == first && item->began_ns >= window->from_ns)
      g_string_append (text, "├");
    else if (cell == last && item->ended_ns <= window->to_ns)
      g_string_append (text, "┤");
    else
      g_string_append (text, "─");
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
print_item (const Window    *window,
            const JudgeItem *item,
            const char      *mark,
            const char      *reason) {
  g_autofree char *thread = thread_text (item->thread);
  g_autofree char *bar = bar_text (window, item);
  g_autofree char *text = judge_item_text (item);

  g_print ("  %5s  %-4s  %s  %s", mark, thread, bar, text);
  if (reason != NULL)
    g_print (": %s", reason);
  g_print ("  [#%" PRIu64 "]\n", item->index);
}

/* Violations --------------------------------------------------------------- */

gssize *
cli_check_places (const JudgeCase *found) {
  gssize *places = g_new (gssize, found->n_items + 1);

  for (gsize i = 0; i < found->n_items; i++)
    places[i] = -1;
  for (gsize i = 0; i < found->n_order; i++)
    places[found->order[i]] = (gssize)i;
  return places;
}

/* What is shown of the order and behind it, up to the failed one's end. */
static Window
find_window (const JudgeCase *found,
             gsize            first_shown) {
  const JudgeItem *failed = &found->items[found->failed];
  Window window = { failed->began_ns, failed->ended_ns };

  for (gsize i = first_shown; i < found->n_order; i++)
    window.from_ns
        = MIN (window.from_ns, found->items[found->order[i]].began_ns);
  if (failed->ended_ns == HISTORY_NEVER)
    window.to_ns = found->items[found->n_items - 1].began_ns + 1;
  return window;
}

/* What was under way then and is not in the order, the failed one first. */
static void
print_misfits (const JudgeCase *found,
               const Window    *window) {
  g_autofree gssize *places = cli_check_places (found);
  guint n_shown = 0;

  for (gsize n = 0; n <= found->n_items; n++) {
    gsize i = n == 0 ? found->failed : n - 1;
    const JudgeItem *item = &found->items[i];
    g_autofree char *reason = n == 0 ? judge_case_reason (found)
                                     : judge_item_reason (item, found->after);

    if (places[i] >= 0 || (n > 0 && i == found->failed))
      continue;
    if (n_shown++ < MAX_SHOWN)
      print_item (window, item, i == found->failed ? "✗" : "·", reason);
  }
  if (n_shown > MAX_SHOWN)
    g_print (_("  … and %u more under way\n"), n_shown - MAX_SHOWN);
}

static void
print_prefix (const JudgeCase *found) {
  gsize first = found->n_order > MAX_SHOWN ? found->n_order - MAX_SHOWN : 0;
  Window window = find_window (found, first);
  g_autofree char *from = time_text (window.from_ns);
  g_autofree char *to = time_text (window.to_ns);
  g_autofree char *before = judge_state_text (found->before);
  g_autofree char *after = judge_state_text (found->after);

  g_print (_("  From %s to %s. Before: %s\n"), from, to, before);
  if (found->has_writer)
    print_item (&window, &found->writer, "0", NULL);
  if (first > 0)
    g_print (_("  … %" PRIu64 " more first\n"), (guint64)first);
  for (gsize i = first; i < found->n_order; i++) {
    g_autofree char *mark = g_strdup_printf ("%" PRIu64, (guint64)i + 1);

    print_item (&window, &found->items[found->order[i]], mark, NULL);
  }
  g_print (_("  Then: %s\n"), after);
  print_misfits (found, &window);
}

static void
print_twice (const JudgeCase *found) {
  const JudgeItem *range = &found->items[found->failed];
  g_autofree char *from = time_text (range->began_ns);
  g_autofree char *to = time_text (range->ended_ns);
  g_autofree char *thread = thread_text (range->thread);

  g_print (_("  The Range of %s from %s to %s [#%" PRIu64 "]\n"), thread, from,
           range->ended_ns == HISTORY_NEVER ? _("the end") : to, range->index);
}

static void
print_violation (TraceLog        *log,
                 const JudgeCase *found) {
  g_autofree char *key = cli_check_key_text (log, found->key);
  g_autofree char *text = judge_case_text (found);

  g_print (_("\nKey %s: %s\n"), key, text);
  if (found->rule == JUDGE_RULE_TWICE)
    print_twice (found);
  else
    print_prefix (found);
}

/* The whole ---------------------------------------------------------------- */

char *
cli_check_key_text (TraceLog *log,
                    gint64    key) {
  const char *json = tracelog_get_info (log)->scenario_json;
  g_autoptr (Scenario) scenario
      = json != NULL ? scenario_new_from_json (json, -1, "recording", NULL)
                     : NULL;

  return scenario_key_text (scenario != NULL ? scenario->key_text : NULL, key);
}

static void
print_counts (const JudgeReport *report) {
  g_print (_("Judged: %" PRIu64 " operations on %" PRIu64 " keys; %" PRIu64
             " Ranges, which gave %" PRIu64 " pairs; %" PRIu64 " Clears\n"),
           report->n_operations, report->n_keys, report->n_ranges,
           report->n_pairs, report->n_clears);
  if (report->n_untold > 0)
    g_print (_("Not judged: %" PRIu64 " loads that were counted, not told\n"),
             report->n_untold);
  if (report->n_left_out > 0)
    g_print (_("Not judged: %" PRIu64 " that count all keys or failed\n"),
             report->n_left_out);
  if (!report->begins_empty)
    g_print (_("What the map held at first is not known.\n"));
  if (report->n_passes > 1)
    g_print (_("Read in %u passes\n"), report->n_passes);
}

void
cli_check_print_report (TraceLog          *log,
                        const JudgeReport *report,
                        gboolean           as_json) {
  if (as_json) {
    cli_check_print_report_json (log, report);
    return;
  }
  cli_print_title (log);
  print_counts (report);
  g_print (_("Verdict: %s\n"), verdict_text (report->verdict));
  if (report->n_unknown > 0) {
    g_autofree char *key = cli_check_key_text (log, report->unknown_key);

    g_print (_("No saying: %" PRIu64 " keys, the first: %s\n"),
             report->n_unknown, key);
  }
  if (report->n_violations > 0)
    g_print (_("Violations: %" PRIu64 ", shown: %u\n"), report->n_violations,
             report->violations->len);
  for (guint i = 0; i < report->violations->len; i++)
    print_violation (log, g_ptr_array_index (report->violations, i));
}

/* One line an operation, in the order in which they took effect. */
static void
print_order (const JudgeCase *found) {
  LinearState state = found->before;

  for (gsize i = 0; i < found->n_order; i++) {
    const JudgeItem *item = &found->items[found->order[i]];
    g_autofree char *thread = thread_text (item->thread);
    g_autofree char *text = judge_item_text (item);
    g_autofree char *after = NULL;
    g_autofree char *ended
        = item->ended_ns == HISTORY_NEVER
              ? g_strdup ("–")
              : g_strdup_printf ("%.6f", (double)item->ended_ns / 1e6);

    linear_apply (&item->op, &state);
    after = judge_state_text (state);
    g_print ("  %6" PRIu64 "  %-4s  %14.6f  %14s  %-36s  %s\n",
             (guint64)i + 1, thread, (double)item->began_ns / 1e6, ended, text,
             after);
  }
}

void
cli_check_print_key (TraceLog        *log,
                     const JudgeCase *found,
                     gboolean         as_json) {
  g_autofree char *key = NULL;
  g_autofree char *text = NULL;

  if (as_json) {
    cli_check_print_key_json (log, found);
    return;
  }
  if (found->verdict == LINEAR_VIOLATED) {
    print_violation (log, found);
    return;
  }
  key = cli_check_key_text (log, found->key);
  text = judge_case_text (found);
  g_print (_("Key %s: %s\n"), key, text);
  if (found->n_order > 0)
    g_print (_("  place, thread, began and ended in ms, operation, what the key "
               "holds then\n"));
  print_order (found);
}
