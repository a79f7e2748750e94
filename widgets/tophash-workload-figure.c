/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-workload-figure.c — what the workers will do, before they do it
 *
 * One widget, two pictures: the operation mix as a bar of shares, or the key
 * distribution as columns whose heights are the law's own probabilities,
 * computed here from the same constants the workers use.
 */
#include "widgets/tophash-workload-figure.h"

#include "widgets/tophash-draw.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <math.h>

#define MIX_HEIGHT 14
#define KEYS_HEIGHT 34
#define N_COLUMNS 32u

struct _TophashWorkloadFigure {
  GtkWidget parent_instance;

  gboolean     is_keys;
  OperationMix mix;
  double       columns[N_COLUMNS]; /* 0 to 1 */
};

G_DEFINE_FINAL_TYPE (TophashWorkloadFigure, tophash_workload_figure, GTK_TYPE_WIDGET)

/* In the order of OperationMix. */
static const PaletteRole mix_roles[OPERATION_MIX_N] = {
  ROLE_OP_LOAD,  ROLE_OP_STORE,  ROLE_OP_STORE, ROLE_OP_STORE,
  ROLE_OP_DELETE, ROLE_OP_DELETE, ROLE_OP_STORE, ROLE_OP_STORE,
  ROLE_OP_DELETE, ROLE_OP_RANGE,  ROLE_OP_DELETE, ROLE_OP_RANGE,
};

static double
mix_total (OperationMix *mix) {
  double total = 0;

  for (guint i = 0; i < OPERATION_MIX_N; i++)
    total += *operation_mix_share (mix, i);
  return total;
}

static void
paint_mix (TophashWorkloadFigure *self,
           cairo_t               *cr,
           const TophashPalette  *palette,
           double                 width,
           double                 height) {
  double total = mix_total (&self->mix);
  double x = 0;

  tophash_palette_set_source (palette, cr, ROLE_QUIET);
  tophash_draw_rounded (cr, 0, 0, width, height, 4);
  cairo_fill (cr);
  for (guint i = 0; i < OPERATION_MIX_N && total > 0; i++) {
    double part = width * *operation_mix_share (&self->mix, i) / total;

    if (part <= 0)
      continue;
    tophash_palette_set_source (palette, cr, mix_roles[i]);
    tophash_draw_rounded (cr, x, 0, MAX (1, part - 2), height, MIN (3, part / 2));
    cairo_fill (cr);
    x += part;
  }
}

static void
paint_keys (TophashWorkloadFigure *self,
            cairo_t               *cr,
            const TophashPalette  *palette,
            double                 width,
            double                 height) {
  double step = width / N_COLUMNS;

  tophash_palette_set_source (palette, cr, ROLE_OP_STORE);
  for (guint i = 0; i < N_COLUMNS; i++) {
    double column = MAX (1, height * self->columns[i]);

    cairo_rectangle (cr, i * step, height - column, MAX (1, step - 1.5), column);
  }
  cairo_fill (cr);
}

static void
tophash_workload_figure_snapshot (GtkWidget   *widget,
                                  GtkSnapshot *snapshot) {
  TophashWorkloadFigure *self = TOPHASH_WORKLOAD_FIGURE (widget);
  AdwStyleManager *manager = adw_style_manager_get_default ();
  const TophashPalette *palette
      = tophash_palette_get (adw_style_manager_get_dark (manager),
                             adw_style_manager_get_high_contrast (manager));
  int width = gtk_widget_get_width (widget);
  int height = gtk_widget_get_height (widget);
  cairo_t *cr = gtk_snapshot_append_cairo (
      snapshot, &GRAPHENE_RECT_INIT (0, 0, (float)width, (float)height));

  if (self->is_keys)
    paint_keys (self, cr, palette, width, height);
  else
    paint_mix (self, cr, palette, width, height);
  cairo_destroy (cr);
}

static void
tophash_workload_figure_measure (GtkWidget      *widget,
                                 GtkOrientation  orientation,
                                 int             for_size,
                                 int            *minimum,
                                 int            *natural,
                                 int            *minimum_baseline,
                                 int            *natural_baseline) {
  TophashWorkloadFigure *self = TOPHASH_WORKLOAD_FIGURE (widget);

  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    *minimum = *natural = 120;
  else
    *minimum = *natural = self->is_keys ? KEYS_HEIGHT : MIX_HEIGHT;
}

static void
tophash_workload_figure_class_init (TophashWorkloadFigureClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  widget_class->snapshot = tophash_workload_figure_snapshot;
  widget_class->measure = tophash_workload_figure_measure;
  gtk_widget_class_set_css_name (widget_class, "workloadfigure");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
tophash_workload_figure_init (TophashWorkloadFigure *self) {
  gtk_widget_set_hexpand (GTK_WIDGET (self), TRUE);
}

void
tophash_workload_figure_set_mix (TophashWorkloadFigure *self,
                                 const OperationMix    *mix) {
  g_autofree char *text = tophash_workload_mix_text (mix);

  g_return_if_fail (TOPHASH_IS_WORKLOAD_FIGURE (self));
  self->is_keys = FALSE;
  self->mix = *mix;
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
  gtk_widget_queue_resize (GTK_WIDGET (self));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

void
tophash_workload_figure_set_keys (TophashWorkloadFigure *self,
                                  const KeyChoice       *keys,
                                  guint64                n_keys) {
  double most = 1e-12;

  g_return_if_fail (TOPHASH_IS_WORKLOAD_FIGURE (self));
  self->is_keys = TRUE;
  for (guint i = 0; i < N_COLUMNS; i++) {
    double rank = 1 + (double)MAX (n_keys, 1) * i / N_COLUMNS;

    switch (keys->distribution) {
    case KEYS_UNIFORM:
      self->columns[i] = 0.5;
      break;
    case KEYS_SEQUENTIAL:
      self->columns[i] = (i + 1.0) / N_COLUMNS;
      break;
    case KEYS_ZIPFIAN:
      self->columns[i] = pow (rank, -keys->zipfianconstant);
      break;
    case KEYS_HOTSPOT: {
      double hot = MAX (keys->hotspotdatafraction, 1e-6);
      gboolean is_hot = (double)i / N_COLUMNS < hot;

      self->columns[i]
          = is_hot ? keys->hotspotopnfraction / hot
                   : (1 - keys->hotspotopnfraction) / MAX (1 - hot, 1e-6);
      break;
    }
    }
    most = MAX (most, self->columns[i]);
  }
  if (keys->distribution != KEYS_UNIFORM)
    for (guint i = 0; i < N_COLUMNS; i++)
      self->columns[i] /= most;
  gtk_accessible_update_property (
      GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
      key_distribution_name (keys->distribution), -1);
  gtk_widget_queue_resize (GTK_WIDGET (self));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

char *
tophash_workload_mix_text (const OperationMix *mix) {
  OperationMix copy = *mix;
  double total = mix_total (&copy);
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < OPERATION_MIX_N && total > 0; i++) {
    double share = *operation_mix_share (&copy, i);

    if (share <= 0)
      continue;
    g_string_append_printf (text, "%s%s\u00a0%.3g", text->len > 0 ? " · " : "",
                            operation_mix_name (i), 100 * share / total);
  }
  if (text->len == 0)
    g_string_append (text, _ ("no operations"));
  return g_string_free (text, FALSE);
}
