/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-histograms.c — how long operations took, how long chains are
 *
 * Latencies   of the operations told one by one between markers A and B, or, when
 *             these are not both set, in what the timeline shows. Exact; looked up
 *             in a task, the newest request wins, and no more often than every
 *             ASK_MS while the view moves.
 * Chains      of the buckets as they stand at the cursor: read, else the one
 *             table, else all shards together; made where the cursor rests and at
 *             most every CHAINS_US while it moves, from at most MAX_BUCKETS.
 *
 * Nothing is asked while nobody sees it.
 */
#include "widgets/tophash-histograms.h"

#include "core/model/task-owner.h"
#include "core/state/timeline-histogram.h"
#include "widgets/cached-picture.h"
#include "widgets/drop-words.h"
#include "widgets/paint-bars.h"
#include "widgets/session-link.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>

#define ASK_MS 120
#define CHAINS_US 300000
#define MAX_BUCKETS 65536u

/* Operations that can be chosen; OP_N_KINDS: all. */
static const guint choices[] = { OP_N_KINDS,
                                 OP_LOAD,
                                 OP_STORE,
                                 OP_LOAD_OR_STORE,
                                 OP_LOAD_AND_DELETE,
                                 OP_DELETE,
                                 OP_SWAP,
                                 OP_COMPARE_AND_SWAP,
                                 OP_COMPARE_AND_DELETE,
                                 OP_RANGE,
                                 OP_CLEAR };

struct _TophashHistograms {
  GtkWidget parent_instance;

  /* Template */
  GtkWidget      *root;
  GtkLabel       *span;
  GtkDropDown    *op_drop;
  GtkDrawingArea *latency_area;
  GtkLabel       *latency_text;
  GtkLabel       *chain_title;
  GtkDrawingArea *chain_area;
  GtkLabel       *chain_text;

  /* Owned */
  TophashSession *session;
  GCancellable   *asking; /* NULL: nothing is looked up */
  TophashDraw    *draw;

  Bars     latencies;
  Bars     chains;
  gulong   changed_id;
  guint    ask_id; /* timeout of the next request */
  gint64   chains_at_us;
};

G_DEFINE_FINAL_TYPE (TophashHistograms, tophash_histograms, GTK_TYPE_WIDGET)

/* Latencies ---------------------------------------------------------------- */

typedef struct {
  Timeline        *timeline;
  gint64           from_ns;
  gint64           to_ns;
  guint64          from; /* positions, when markers say them */
  guint64          to;
  gboolean         has_positions;
  guint            op;
  LatencyHistogram histogram;
} Request;

static void
request_free (gpointer data) {
  Request *request = data;

  timeline_unref (request->timeline);
  g_free (request);
}

/* The time that the share @q of them did not exceed, an upper end; and in bars. */
static double
quantile_bin (const LatencyHistogram *histogram,
              double                  q) {
  double wanted = q * (double)histogram->n_told;
  double sum = 0;

  for (guint i = 0; i < STATE_HISTOGRAM_N; i++) {
    sum += (double)histogram->counts[i];
    if (histogram->counts[i] > 0 && sum >= wanted)
      return i + 1;
  }
  return 0;
}

/* "≤ 1.02 µs" */
static char *
upper_end (double bin) {
  g_autofree char *time = tophash_draw_format_time ((gint64)ldexp (1, (int)bin));
  g_autofree char *whole = tophash_draw_keep_together (time);

  return g_strconcat ("≤\u00a0", whole, NULL);
}

static char *
describe_latencies (const LatencyHistogram *histogram) {
  g_autofree char *n_told = tophash_draw_format_count (histogram->n_told);
  g_autofree char *n_counted = tophash_draw_format_count (histogram->n_counted);
  g_autofree char *told = tophash_draw_keep_together (n_told);
  g_autofree char *counted = tophash_draw_keep_together (n_counted);
  g_autofree char *half = upper_end (quantile_bin (histogram, 0.5));
  g_autofree char *most = upper_end (quantile_bin (histogram, 0.99));
  g_autofree char *longest = upper_end (quantile_bin (histogram, 1));
  g_autofree char *last = g_strdup_printf (_ ("longest %s"), longest);
  g_autofree char *last_whole = tophash_draw_keep_together (last);
  g_autofree char *figures = NULL;

  if (histogram->n_told == 0)
    return histogram->n_counted == 0
               ? g_strdup (_ ("No operation ended here."))
               : g_strdup_printf (_ ("%s operations, all counted and none told "
                                     "one by one."), counted);
  figures = g_strdup_printf (_ ("half %s · 99 of 100 %s · %s"), half, most,
                             last_whole);
  if (histogram->n_counted == 0)
    return g_strdup_printf (ngettext ("%s\nof %s operation", "%s\nof %s operations",
                                      MIN (histogram->n_told, G_MAXLONG)),
                            figures, told);
  return g_strdup_printf (
      _ ("%s\nof %s operations told one by one; %s more were counted"), figures,
      told, counted);
}

/* Bars from the first to the last bin that has any, eight of them or more. */
static void
fill_latencies (TophashHistograms      *self,
                const LatencyHistogram *histogram) {
  g_autofree char *text = describe_latencies (histogram);
  guint first = 0, last = STATE_HISTOGRAM_N - 1;

  bars_clear (&self->latencies);
  while (first < last && histogram->counts[first] == 0)
    first++;
  while (last > first && histogram->counts[last] == 0)
    last--;
  if (histogram->n_told > 0) {
    last = MAX (last, MIN (first + 7, STATE_HISTOGRAM_N - 1));
    self->latencies.n = last - first + 1;
    for (guint i = first; i <= last; i++) {
      self->latencies.values[i - first] = histogram->counts[i];
      if ((i - first) % 3 == 0)
        self->latencies.labels[i - first]
            = tophash_draw_format_time ((gint64)1 << i);
    }
    self->latencies.ticks[0] = quantile_bin (histogram, 0.5) - first;
    self->latencies.ticks[1] = quantile_bin (histogram, 0.99) - first;
  }
  gtk_label_set_text (self->latency_text, text);
  gtk_widget_set_visible (GTK_WIDGET (self->latency_area),
                          histogram->n_told > 0);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->latency_area),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, -1);
  gtk_widget_queue_draw (GTK_WIDGET (self->latency_area));
}

static void
ask_thread (GTask        *task,
            gpointer      source,
            gpointer      data,
            GCancellable *cancellable) {
  Request *request = data;

  if (!request->has_positions) {
    TraceLog *log = timeline_get_log (request->timeline);

    request->from = tracelog_index_at (log, request->from_ns - 1);
    request->to = tracelog_index_at (log, request->to_ns);
  }
  g_task_return_boolean (
      task, timeline_get_latencies (request->timeline, request->from, request->to,
                                    request->op, -1, cancellable,
                                    &request->histogram));
}

static void
asked_cb (GObject      *source,
          GAsyncResult *result,
          gpointer      data) {
  TophashHistograms *self = TOPHASH_HISTOGRAMS (source);
  Request *request = g_task_get_task_data (G_TASK (result));
  gboolean is_good = g_task_propagate_boolean (G_TASK (result), NULL);

  if (self->asking != g_task_get_cancellable (G_TASK (result)))
    return;
  g_clear_object (&self->asking);
  if (is_good)
    fill_latencies (self, &request->histogram);
}

static void
name_span (TophashHistograms *self,
           gboolean           is_marked) {
  gtk_label_set_text (self->span, is_marked ? _ ("from A to B")
                                            : _ ("in what the timeline shows"));
}

static void
ask (TophashHistograms *self) {
  Timeline *timeline = self->session != NULL
                           ? tophash_session_get_timeline (self->session)
                           : NULL;
  guint chosen = gtk_drop_down_get_selected (self->op_drop);
  g_autoptr (GTask) task = NULL;
  SessionMarker a, b;
  Request *request;

  if (self->asking != NULL)
    g_cancellable_cancel (self->asking);
  g_clear_object (&self->asking);
  if (timeline == NULL)
    return;
  request = g_new0 (Request, 1);
  request->timeline = timeline_ref (timeline);
  request->op = choices[MIN (chosen, G_N_ELEMENTS (choices) - 1)];
  tophash_session_get_range (self->session, &request->from_ns, &request->to_ns);
  request->has_positions = tophash_session_get_marker (self->session, 0, &a)
                           && tophash_session_get_marker (self->session, 1, &b);
  if (request->has_positions) {
    request->from = MIN (a.position, b.position);
    request->to = MAX (a.position, b.position);
  }
  name_span (self, request->has_positions);
  self->asking = g_cancellable_new ();
  task = g_task_new (self, self->asking, asked_cb, NULL);
  task_keep_owner (task, self);
  g_task_set_task_data (task, request, request_free);
  g_task_run_in_thread (task, ask_thread);
}

static gboolean
ask_cb (gpointer data) {
  TophashHistograms *self = data;

  self->ask_id = 0;
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    ask (self);
  return G_SOURCE_REMOVE;
}

static void
ask_soon (TophashHistograms *self) {
  if (self->ask_id == 0 && gtk_widget_get_mapped (GTK_WIDGET (self)))
    self->ask_id = g_timeout_add (ASK_MS, ask_cb, self);
}

/* Chains ------------------------------------------------------------------- */

static void
add_chains (ChainHistogram       *sum,
            const ChainHistogram *part) {
  double probes = sum->mean_probes * (double)sum->n_keys
                  + part->mean_probes * (double)part->n_keys;

  for (guint i = 0; i < CHAIN_HISTOGRAM_N; i++)
    sum->chains[i] += part->chains[i];
  sum->n_chains += part->n_chains;
  sum->n_keys += part->n_keys;
  sum->mean_probes = sum->n_keys > 0 ? probes / (double)sum->n_keys : 0;
}

/* FALSE: there is no table, or it is too large to be walked here. */
static gboolean
read_chains (const MapState *state,
             ChainHistogram *sum) {
  static const TableRole roles[] = { TABLE_ROLE_READ, TABLE_ROLE_ONLY };
  guint64 n_buckets = 0;

  *sum = (ChainHistogram){ .n_chains = 0 };
  for (guint i = 0; i < map_state_n_tables (state); i++) {
    const StateTable *table = map_state_table (state, i);
    ChainHistogram part;
    gboolean is_wanted = table->role == TABLE_ROLE_SHARD;

    for (guint r = 0; r < G_N_ELEMENTS (roles); r++)
      is_wanted |= table == map_state_table_for (state, roles[r]);
    if (!is_wanted || table->buckets == NULL)
      continue;
    n_buckets += state_array_n_buckets (table->buckets);
    if (n_buckets > MAX_BUCKETS)
      return FALSE;
    state_table_get_chains (table, &part);
    add_chains (sum, &part);
  }
  return sum->n_chains > 0;
}

static void
fill_chains (TophashHistograms *self) {
  const MapState *state = self->session != NULL
                              ? tophash_session_get_state (self->session)
                              : NULL;
  g_autofree char *text = NULL;
  g_autofree char *keys = NULL;
  g_autofree char *chains = NULL;
  ChainHistogram sum;
  guint last = 1;
  gboolean has_chains;

  self->chains_at_us = g_get_monotonic_time ();
  has_chains = state != NULL && read_chains (state, &sum);
  gtk_widget_set_visible (GTK_WIDGET (self->chain_title), has_chains);
  gtk_widget_set_visible (GTK_WIDGET (self->chain_area), has_chains);
  gtk_widget_set_visible (GTK_WIDGET (self->chain_text), has_chains);
  if (!has_chains)
    return;
  bars_clear (&self->chains);
  for (guint i = 1; i < CHAIN_HISTOGRAM_N; i++)
    if (sum.chains[i] > 0)
      last = i;
  self->chains.n = MAX (last, 4);
  for (guint i = 0; i < self->chains.n; i++) {
    self->chains.values[i] = sum.chains[i + 1];
    self->chains.labels[i] = g_strdup_printf ("%u", i + 1);
  }
  keys = tophash_draw_format_count (sum.n_keys);
  chains = tophash_draw_format_count (sum.n_chains);
  text = g_strdup_printf (_ ("%s keys in %s chains; a key is found after %.2f "
                             "buckets"),
                          keys, chains, sum.mean_probes);
  gtk_label_set_text (self->chain_text, text);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->chain_area),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, -1);
  gtk_widget_queue_draw (GTK_WIDGET (self->chain_area));
}

/* The object --------------------------------------------------------------- */

static void
draw_cb (GtkDrawingArea *area,
         cairo_t        *cr,
         int             width,
         int             height,
         gpointer        data) {
  TophashHistograms *self = data;
  const Bars *bars
      = area == self->latency_area ? &self->latencies : &self->chains;

  if (self->draw == NULL)
    self->draw = tophash_draw_new (
        gtk_widget_get_pango_context (GTK_WIDGET (area)), 1.0);
  paint_bars (cr, bars, cached_picture_get_palette (), self->draw, width, height);
}

static void
follow (TophashHistograms *self) {
  ask_soon (self);
  fill_chains (self);
}

static void
changed_cb (TophashSession       *session,
            TophashSessionChange  what,
            TophashHistograms    *self) {
  if (!gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  if (what
      & (SESSION_CHANGE_LOG | SESSION_CHANGE_RANGE | SESSION_CHANGE_MARKERS
         | SESSION_CHANGE_LENGTH))
    ask_soon (self);
  if ((what & (SESSION_CHANGE_LOG | SESSION_CHANGE_CURSOR | SESSION_CHANGE_PLAY))
      && (!(tophash_session_is_playing (session)
            || tophash_session_is_following (session))
          || g_get_monotonic_time () - self->chains_at_us > CHAINS_US))
    fill_chains (self);
}

static void
tophash_histograms_map (GtkWidget *widget) {
  GTK_WIDGET_CLASS (tophash_histograms_parent_class)->map (widget);
  follow (TOPHASH_HISTOGRAMS (widget));
}

/* Another font: text is measured anew. */
static void
tophash_histograms_css_changed (GtkWidget         *widget,
                                GtkCssStyleChange *change) {
  TophashHistograms *self = TOPHASH_HISTOGRAMS (widget);

  GTK_WIDGET_CLASS (tophash_histograms_parent_class)->css_changed (widget, change);
  g_clear_pointer (&self->draw, tophash_draw_free);
}

static void
tophash_histograms_dispose (GObject *object) {
  TophashHistograms *self = TOPHASH_HISTOGRAMS (object);

  g_clear_handle_id (&self->ask_id, g_source_remove);
  if (self->asking != NULL)
    g_cancellable_cancel (self->asking);
  g_clear_object (&self->asking);
  if (self->session != NULL)
    g_clear_signal_handler (&self->changed_id, self->session);
  g_clear_object (&self->session);
  g_clear_pointer (&self->root, gtk_widget_unparent);
  g_clear_pointer (&self->draw, tophash_draw_free);
  G_OBJECT_CLASS (tophash_histograms_parent_class)->dispose (object);
}

static void
tophash_histograms_finalize (GObject *object) {
  bars_clear (&TOPHASH_HISTOGRAMS (object)->latencies);
  bars_clear (&TOPHASH_HISTOGRAMS (object)->chains);
  G_OBJECT_CLASS (tophash_histograms_parent_class)->finalize (object);
}

#define BIND(name)                                                            \
  gtk_widget_class_bind_template_child (widget_class, TophashHistograms, name)

static void
tophash_histograms_class_init (TophashHistogramsClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tophash_histograms_dispose;
  G_OBJECT_CLASS (klass)->finalize = tophash_histograms_finalize;
  widget_class->map = tophash_histograms_map;
  widget_class->css_changed = tophash_histograms_css_changed;
  gtk_widget_class_set_template_from_resource (
      widget_class, "/io/github/tophash/Tophash/ui/tophash-histograms.ui");
  BIND (root);
  BIND (span);
  BIND (op_drop);
  BIND (latency_area);
  BIND (latency_text);
  BIND (chain_title);
  BIND (chain_area);
  BIND (chain_text);
  gtk_widget_class_bind_template_callback (widget_class, ask_soon);
  gtk_widget_class_set_css_name (widget_class, "histograms");
}

#undef BIND

static void
tophash_histograms_init (TophashHistograms *self) {
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);

  gtk_widget_init_template (GTK_WIDGET (self));
  for (guint i = 0; i < G_N_ELEMENTS (choices); i++)
    gtk_string_list_append (names, choices[i] == OP_N_KINDS
                                       ? _ ("all operations")
                                       : op_kind_name (choices[i]));
  gtk_drop_down_set_model (self->op_drop, G_LIST_MODEL (names));
  drop_words_follow (self->op_drop, _ ("Operations"));
  gtk_drawing_area_set_draw_func (self->latency_area, draw_cb, self, NULL);
  gtk_drawing_area_set_draw_func (self->chain_area, draw_cb, self, NULL);
  bars_clear (&self->latencies);
  bars_clear (&self->chains);
  name_span (self, FALSE);
}

GtkWidget *
tophash_histograms_new (void) {
  return g_object_new (TOPHASH_TYPE_HISTOGRAMS, NULL);
}

void
tophash_histograms_set_session (TophashHistograms *self,
                                TophashSession    *session) {
  g_return_if_fail (TOPHASH_IS_HISTOGRAMS (self));

  if (!session_link (&self->session, &self->changed_id, session,
                     G_CALLBACK (changed_cb), self))
    return;
  follow (self);
}
