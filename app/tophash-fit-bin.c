/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-fit-bin.c — says when its child no longer fits the window
 *
 * A window cannot become smaller than its contents, and contents do not drop
 * their buttons before it does. The bin breaks the circle: it claims to need
 * MIN_WIDTH at most, and when its child wants more than there is it takes the
 * next level, on which the owner of "level" shows less. What a level wanted is
 * kept, so that it is left again as soon as there is room for the one before.
 * Nothing is decided by a number of pixels: large text and long words count.
 *
 * Nor can all stand one above the other in a window of few lines: it is low then,
 * which is told with the level. What the window is about must not be what gives way
 * there: it may claim a third of the height, as long as the rest still fits.
 *
 * The level changes between two frames, never while sizes are handed out; for
 * one frame the child may reach beyond the window's edge, where it is cut.
 *
 * Invariants  F1  level < FIT_N_LEVELS
 *             F2  the child never has less than its minimum
 *             F3  claim is not 0 only while the owner has been told so and the
 *                 child's minimum has it within
 */
#include "app/tophash-fit-bin.h"

#define MIN_WIDTH 360
#define LOW_LINES 28
#define CLAIM_PART 3 /* of the height */

struct _TophashFitBin {
  GtkWidget parent_instance;

  /* Owned */
  GtkWidget *child;

  /* Borrowed, from within child */
  GtkWidget *text; /* NULL: lines are counted in the bin's own letters */

  FitLevel level;
  FitLevel wanted;
  int      needs[FIT_N_LEVELS]; /* px, as last measured on that level */
  int      line_height; /* px; 0: not known */
  gboolean is_low;
  gboolean wants_low;
  gboolean is_held;
  int      claim; /* px */
  int      wanted_claim;
  int      refused_height; /* px, where a claim was too much; 0: nowhere */
  int      refused_need;   /* px, of all without it; 0: not measured yet */
  guint    change_id;
};

enum {
  PROP_CHILD = 1,
  PROP_LEVEL,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (TophashFitBin, tophash_fit_bin, GTK_TYPE_WIDGET)

static gboolean
wants_change (TophashFitBin *self) {
  return self->level != self->wanted || self->is_low != self->wants_low
         || self->claim != self->wanted_claim;
}

static gboolean
change_cb (gpointer data) {
  TophashFitBin *self = data;

  self->change_id = 0;
  if (wants_change (self) && !self->is_held) {
    self->level = self->wanted;
    self->is_low = self->wants_low;
    self->claim = self->wanted_claim;
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_LEVEL]);
    gtk_widget_queue_resize (GTK_WIDGET (self));
  }
  return G_SOURCE_REMOVE;
}

static void
choose_level (TophashFitBin *self,
              int            width,
              int            need) {
  FitLevel wanted = self->level;

  self->needs[self->level] = need;
  if (need > width && self->level + 1 < FIT_N_LEVELS)
    wanted = self->level + 1;
  else if (self->level > 0 && self->needs[self->level - 1] <= width)
    wanted = self->level - 1;
  self->wanted = wanted;
}

/* In lines of text: larger letters leave less room as well. */
static void
choose_low (TophashFitBin *self,
            int            height) {
  if (self->line_height == 0) {
    g_autoptr (PangoLayout) layout
        = gtk_widget_create_pango_layout (self->text != NULL ? self->text
                                                             : GTK_WIDGET (self),
                                          "X");

    pango_layout_get_pixel_size (layout, NULL, &self->line_height);
  }
  self->wants_low = height < LOW_LINES * self->line_height;
}

/* Whether the rest fits beside a claim is known when it was made, and then not tried
 * again until there is more room or less to be shown. */
static void
choose_claim (TophashFitBin *self,
              int            height,
              int            need) {
  if (self->claim > 0 && need > height) {
    self->refused_height = height;
    self->refused_need = 0;
  } else if (self->claim == 0 && self->refused_height > 0) {
    if (self->refused_need == 0)
      self->refused_need = need;
    if (height > self->refused_height || need < self->refused_need)
      self->refused_height = 0;
  }
  self->wanted_claim = self->wants_low && self->refused_height == 0
                         ? height / CLAIM_PART
                         : 0;
}

static void
tophash_fit_bin_measure (GtkWidget      *widget,
                         GtkOrientation  orientation,
                         int             for_size,
                         int            *minimum,
                         int            *natural,
                         int            *minimum_baseline,
                         int            *natural_baseline) {
  TophashFitBin *self = TOPHASH_FIT_BIN (widget);
  int need = 0;

  *minimum = *natural = 0;
  if (self->child == NULL)
    return;
  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    gtk_widget_measure (self->child, orientation, -1, minimum, natural, NULL,
                        NULL);
    *minimum = MIN (*minimum, MIN_WIDTH);
    return;
  }
  gtk_widget_measure (self->child, GTK_ORIENTATION_HORIZONTAL, -1, &need, NULL,
                      NULL, NULL);
  gtk_widget_measure (self->child, orientation,
                      for_size < 0 ? -1 : MAX (for_size, need), minimum, natural,
                      NULL, NULL);
}

static void
tophash_fit_bin_size_allocate (GtkWidget *widget,
                               int        width,
                               int        height,
                               int        baseline) {
  TophashFitBin *self = TOPHASH_FIT_BIN (widget);
  int need, need_height;

  if (self->child == NULL)
    return;
  gtk_widget_measure (self->child, GTK_ORIENTATION_HORIZONTAL, -1, &need, NULL,
                      NULL, NULL);
  choose_level (self, width, need);
  width = MAX (width, need);
  gtk_widget_measure (self->child, GTK_ORIENTATION_VERTICAL, width, &need_height,
                      NULL, NULL, NULL);
  choose_low (self, height);
  choose_claim (self, height, need_height);
  if (wants_change (self) && !self->is_held && self->change_id == 0)
    self->change_id
        = g_idle_add_full (G_PRIORITY_HIGH_IDLE, change_cb, self, NULL);
  gtk_widget_allocate (self->child, width, MAX (height, need_height), baseline,
                       NULL);
}

/* Other letters need other room: what was measured before says nothing. */
static void
forget_letters (TophashFitBin *self) {
  for (guint i = 0; i < self->level; i++)
    self->needs[i] = 0;
  self->line_height = 0;
}

static void
tophash_fit_bin_css_changed (GtkWidget         *widget,
                             GtkCssStyleChange *change) {
  GTK_WIDGET_CLASS (tophash_fit_bin_parent_class)->css_changed (widget, change);
  forget_letters (TOPHASH_FIT_BIN (widget));
}

static void
tophash_fit_bin_get_property (GObject    *object,
                              guint       id,
                              GValue     *value,
                              GParamSpec *pspec) {
  TophashFitBin *self = TOPHASH_FIT_BIN (object);

  if (id == PROP_CHILD)
    g_value_set_object (value, self->child);
  else if (id == PROP_LEVEL)
    g_value_set_uint (value, self->level);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
tophash_fit_bin_set_property (GObject      *object,
                              guint         id,
                              const GValue *value,
                              GParamSpec   *pspec) {
  TophashFitBin *self = TOPHASH_FIT_BIN (object);

  if (id != PROP_CHILD) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    return;
  }
  self->text = NULL;
  g_clear_pointer (&self->child, gtk_widget_unparent);
  self->child = g_value_get_object (value);
  if (self->child != NULL)
    gtk_widget_set_parent (self->child, GTK_WIDGET (self));
}

static void
tophash_fit_bin_dispose (GObject *object) {
  TophashFitBin *self = TOPHASH_FIT_BIN (object);

  g_clear_handle_id (&self->change_id, g_source_remove);
  self->text = NULL;
  g_clear_pointer (&self->child, gtk_widget_unparent);
  G_OBJECT_CLASS (tophash_fit_bin_parent_class)->dispose (object);
}

static void
tophash_fit_bin_class_init (TophashFitBinClass *klass) {
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = tophash_fit_bin_dispose;
  object_class->get_property = tophash_fit_bin_get_property;
  object_class->set_property = tophash_fit_bin_set_property;
  gtk_widget_class_set_css_name (widget_class, "fitbin");
  widget_class->measure = tophash_fit_bin_measure;
  widget_class->size_allocate = tophash_fit_bin_size_allocate;
  widget_class->css_changed = tophash_fit_bin_css_changed;
  props[PROP_CHILD]
      = g_param_spec_object ("child", NULL, NULL, GTK_TYPE_WIDGET,
                             G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  props[PROP_LEVEL]
      = g_param_spec_uint ("level", NULL, NULL, 0, FIT_N_LEVELS - 1, 0,
                           G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
tophash_fit_bin_init (TophashFitBin *self) {
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN);
}

FitLevel
tophash_fit_bin_get_level (TophashFitBin *self) {
  g_return_val_if_fail (TOPHASH_IS_FIT_BIN (self), FIT_WIDE);

  return self->level;
}

void
tophash_fit_bin_count_lines_of (TophashFitBin *self,
                                GtkWidget     *widget) {
  g_return_if_fail (TOPHASH_IS_FIT_BIN (self));
  g_return_if_fail (gtk_widget_is_ancestor (widget, GTK_WIDGET (self)));

  self->text = widget;
  forget_letters (self);
}

void
tophash_fit_bin_hold (TophashFitBin *self,
                      gboolean       is_held) {
  g_return_if_fail (TOPHASH_IS_FIT_BIN (self));

  self->is_held = is_held;
  if (!is_held)
    gtk_widget_queue_allocate (GTK_WIDGET (self));
}

gboolean
tophash_fit_bin_is_low (TophashFitBin *self) {
  g_return_val_if_fail (TOPHASH_IS_FIT_BIN (self), FALSE);

  return self->is_low;
}

int
tophash_fit_bin_get_claim (TophashFitBin *self) {
  g_return_val_if_fail (TOPHASH_IS_FIT_BIN (self), 0);

  return self->claim;
}
