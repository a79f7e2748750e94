/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-pair-box.c — two widgets in a line, or in two where a line is too short
 *
 * In a line, the second stands at its end and has what it asks for; the first has
 * the rest. Where that is less than the first asks for, the second goes below.
 */
#include "app/tophash-pair-box.h"

#define GAP_PX 8
#define LINE_GAP_PX 4

struct _TophashPairBox {
  GtkWidget parent_instance;
};

G_DEFINE_FINAL_TYPE (TophashPairBox, tophash_pair_box, GTK_TYPE_WIDGET)

/* What both ask for in @orientation. FALSE: there are not two. */
static gboolean
measure_both (GtkWidget      *widget,
              GtkOrientation  orientation,
              int             minimum[2],
              int             natural[2]) {
  GtkWidget *first = gtk_widget_get_first_child (widget);
  GtkWidget *second = gtk_widget_get_last_child (widget);

  if (first == second)
    return FALSE;
  gtk_widget_measure (first, orientation, -1, &minimum[0], &natural[0], NULL, NULL);
  gtk_widget_measure (second, orientation, -1, &minimum[1], &natural[1], NULL, NULL);
  return TRUE;
}

static gboolean
is_one_line (GtkWidget *widget,
             int        width) {
  int minimum[2], natural[2];

  return measure_both (widget, GTK_ORIENTATION_HORIZONTAL, minimum, natural)
         && natural[0] + GAP_PX + natural[1] <= width;
}

static GtkSizeRequestMode
tophash_pair_box_get_request_mode (GtkWidget *widget) {
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
tophash_pair_box_measure (GtkWidget      *widget,
                          GtkOrientation  orientation,
                          int             for_size,
                          int            *minimum,
                          int            *natural,
                          int            *minimum_baseline,
                          int            *natural_baseline) {
  int least[2], most[2];

  *minimum = *natural = 0;
  if (!measure_both (widget, orientation, least, most))
    return;
  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *minimum = MAX (least[0], least[1]);
    *natural = most[0] + GAP_PX + most[1];
  } else if (for_size < 0 || is_one_line (widget, for_size)) {
    *minimum = *natural = MAX (most[0], most[1]);
  } else {
    *minimum = *natural = most[0] + LINE_GAP_PX + most[1];
  }
}

static void
place (GtkWidget *child,
       int        x,
       int        y,
       int        width,
       int        height) {
  gtk_widget_size_allocate (child, &(GtkAllocation){ x, y, width, height }, -1);
}

static void
tophash_pair_box_size_allocate (GtkWidget *widget,
                                int        width,
                                int        height,
                                int        baseline) {
  GtkWidget *first = gtk_widget_get_first_child (widget);
  GtkWidget *second = gtk_widget_get_last_child (widget);
  gboolean is_mirrored = gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL;
  int least[2], most[2], own;

  if (!measure_both (widget, GTK_ORIENTATION_HORIZONTAL, least, most))
    return;
  own = MIN (most[1], width);
  if (is_one_line (widget, width)) {
    int rest = width - GAP_PX - own;

    place (first, is_mirrored ? own + GAP_PX : 0, 0, rest, height);
    place (second, is_mirrored ? 0 : width - own, 0, own, height);
    return;
  }
  if (!measure_both (widget, GTK_ORIENTATION_VERTICAL, least, most))
    return;
  place (first, 0, 0, width, most[0]);
  place (second, is_mirrored ? 0 : width - own, most[0] + LINE_GAP_PX, own,
         MAX (most[1], height - most[0] - LINE_GAP_PX));
}

static void
tophash_pair_box_dispose (GObject *object) {
  tophash_pair_box_drop (TOPHASH_PAIR_BOX (object));
  G_OBJECT_CLASS (tophash_pair_box_parent_class)->dispose (object);
}

static void
tophash_pair_box_class_init (TophashPairBoxClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tophash_pair_box_dispose;
  widget_class->get_request_mode = tophash_pair_box_get_request_mode;
  widget_class->measure = tophash_pair_box_measure;
  widget_class->size_allocate = tophash_pair_box_size_allocate;
  gtk_widget_class_set_css_name (widget_class, "pairbox");
}

static void
tophash_pair_box_init (TophashPairBox *self) {
}

void
tophash_pair_box_take (TophashPairBox *self,
                       GtkWidget      *first,
                       GtkWidget      *second) {
  g_return_if_fail (TOPHASH_IS_PAIR_BOX (self));

  tophash_pair_box_drop (self);
  gtk_widget_set_parent (first, GTK_WIDGET (self));
  gtk_widget_set_parent (second, GTK_WIDGET (self));
}

void
tophash_pair_box_drop (TophashPairBox *self) {
  GtkWidget *child;

  g_return_if_fail (TOPHASH_IS_PAIR_BOX (self));

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self))) != NULL)
    gtk_widget_unparent (child);
}
