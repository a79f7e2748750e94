/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cli-costs.c — what a run cost: times as they were measured, and bytes
 *
 * Quantiles are upper bounds, at most twice the true ones: histograms know a
 * duration to a factor of two.
 */
#include "app/cli/cli.h"

#include <glib/gi18n.h>
#include <inttypes.h>

static char *
format_ns (guint64 ns) {
  if (ns < 10000)
    return g_strdup_printf (_("%" PRIu64 " ns"), ns);
  if (ns < 10000000)
    return g_strdup_printf (_("%.1f µs"), (double)ns / 1e3);
  return g_strdup_printf (_("%.1f ms"), (double)ns / 1e6);
}

static void
print_sum (const char *name,
           guint64     n,
           guint64     sum_ns,
           guint64     last_ns) {
  g_autofree char *sum = format_ns (sum_ns);
  g_autofree char *mean = format_ns (n > 0 ? sum_ns / n : 0);
  g_autofree char *last = format_ns (last_ns);

  if (sum_ns > 0)
    g_print (_("  %-20s %12" PRIu64 "  %s in all, %s on average, the last %s\n"),
             name, n, sum, mean, last);
}

static void
print_histogram (const char           *name,
                 const StateHistogram *histogram) {
  guint64 n = state_histogram_total (histogram);
  g_autofree char *half = format_ns (state_histogram_quantile (histogram, 0.5));
  g_autofree char *most = format_ns (state_histogram_quantile (histogram, 0.99));

  if (n > 0)
    g_print (_("  %-20s %12" PRIu64 "  half below %s, 99 %% below %s\n"), name, n,
             half, most);
}

static void
print_memory (const MapState *state) {
  StateMemory memory;
  double n;

  map_state_get_memory (state, &memory);
  n = (double)memory.n_live;
  if (memory.n_live == 0)
    return;
  g_print (_("Bytes per live key: %.1f\n"),
           (double)(memory.read + memory.dirty + memory.entries + memory.deleted
                    + memory.versions) / n);
  if (!map_state_has_read_and_dirty (state))
    return;
  g_print (_("  read %.1f, dirty %.1f, entries %.1f, of %" PRIu64
             " deleted keys %.1f, older versions %.1f\n"),
           (double)memory.read / n, (double)memory.dirty / n,
           (double)memory.entries / n, memory.n_deleted,
           (double)memory.deleted / n, (double)memory.versions / n);
}

void
cli_print_costs (const MapState *state) {
  const StateCounters *counters = map_state_counters (state);

  if (counters->promotion_ns > 0 || counters->copy_ns > 0
      || state_histogram_total (&counters->lock_waits) > 0
      || state_histogram_total (&counters->lock_holds) > 0)
    g_print (_("What it took:\n"));
  print_sum ("promotions", counters->n_promotions, counters->promotion_ns,
             counters->last_promotion_ns);
  print_sum ("copies", counters->n_copies, counters->copy_ns,
             counters->last_copy_ns);
  print_histogram ("lock-waits", &counters->lock_waits);
  print_histogram ("timed-lock-holds", &counters->lock_holds);
  print_memory (state);
}

static void
put_whole (JsonBuilder *builder,
           const char  *name,
           guint64      value) {
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, (gint64)value);
}

static void
put_histogram (JsonBuilder          *builder,
               const char           *name,
               const StateHistogram *histogram) {
  json_builder_set_member_name (builder, name);
  json_builder_begin_object (builder);
  put_whole (builder, "n", state_histogram_total (histogram));
  put_whole (builder, "p50-ns", state_histogram_quantile (histogram, 0.5));
  put_whole (builder, "p99-ns", state_histogram_quantile (histogram, 0.99));
  json_builder_set_member_name (builder, "counts");
  json_builder_begin_array (builder);
  for (guint i = 0; i < STATE_HISTOGRAM_N; i++)
    json_builder_add_int_value (builder, histogram->counts[i]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

void
cli_put_costs (JsonBuilder    *builder,
               const MapState *state) {
  const StateCounters *counters = map_state_counters (state);
  StateMemory memory;

  json_builder_set_member_name (builder, "costs");
  json_builder_begin_object (builder);
  put_whole (builder, "promotion-ns", counters->promotion_ns);
  put_whole (builder, "last-promotion-ns", counters->last_promotion_ns);
  put_whole (builder, "copy-ns", counters->copy_ns);
  put_whole (builder, "last-copy-ns", counters->last_copy_ns);
  put_histogram (builder, "lock-waits", &counters->lock_waits);
  put_histogram (builder, "timed-lock-holds", &counters->lock_holds);
  json_builder_end_object (builder);

  map_state_get_memory (state, &memory);
  json_builder_set_member_name (builder, "memory");
  json_builder_begin_object (builder);
  put_whole (builder, "live-keys", memory.n_live);
  put_whole (builder, "deleted-keys", memory.n_deleted);
  put_whole (builder, "read-bytes", memory.read);
  put_whole (builder, "dirty-bytes", memory.dirty);
  put_whole (builder, "entry-bytes", memory.entries);
  put_whole (builder, "deleted-bytes", memory.deleted);
  put_whole (builder, "version-bytes", memory.versions);
  json_builder_end_object (builder);
}
