/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-map-view-private.h — what the stage and its input share
 *
 * tophash-map-view.c lays out; tophash-map-view-paint.c paints, itself or by the
 * painting thread; tophash-map-view-input.c turns pointer and keys into what is
 * hovered and selected; tophash-map-view-words.c says it.
 */
#pragma once

#include "widgets/cached-picture.h"
#include "widgets/paint-context.h"
#include "widgets/tophash-map-view.h"

G_BEGIN_DECLS

#define MAP_VIEW_MARGIN 2

struct _TophashMapView {
  GtkWidget parent_instance;

  /* Owned */
  TophashSession *session;
  TophashDraw    *draw;     /* NULL until needed, and after a font change */
  StageLayout    *layout;   /* NULL: to be made */
  StageLayout    *asked;    /* of another width; NULL: none */
  StageLayout    *previous; /* NULL: no transition */
  CachedPicture   picture;
  PaintCache     *cache;    /* counted, for the painting thread alone */
  char           *key_format;
  GtkWidget      *tables;   /* the switch read | dirty; child */

  /* Borrowed */
  GtkToggleButton *dirty;    /* of the switch */
  GtkWidget       *viewport; /* while mapped; NULL without one */

  gulong          changed_id;
  guint           tick_id;
  guint           refit_id;
  gint64          began_us; /* of the transition; 0: at the next frame */
  gint64          ended_us; /* of the last one */
  double          progress;
  int             fit_height;
  int             layout_width;
  int             asked_width;
  StageHit        hover;
  double          hover_x, hover_y;
  gboolean        is_hovered;
  gboolean        is_dear;      /* the stage, when it was last shown */
  gboolean        is_in_chains; /* the selected key was met there, not in a slot */
};

/* For the width the widget has; NULL without a state. */
StageLayout *tophash_map_view_get_layout (TophashMapView *self);
/* Where the layout's origin is in the widget. */
int          tophash_map_view_get_top    (TophashMapView *self);
/* Pixels of one of the layout's. */
double       tophash_map_view_get_scale  (TophashMapView *self);
/* The present layout, hover, selection and focus are to be seen. */
void         tophash_map_view_redraw     (TophashMapView *self);
/* TRUE: glides would be seen to stutter. */
gboolean     tophash_map_view_is_late    (TophashMapView *self);
void         tophash_map_view_add_picture   (TophashMapView *self);
void         tophash_map_view_clear_picture (TophashMapView *self);
/* After a change of fonts. */
void         tophash_map_view_drop_draw  (TophashMapView *self);
void         tophash_map_view_snapshot   (GtkWidget      *widget,
                                          GtkSnapshot    *snapshot);
/* What the layout has at @x, @y of the widget. */
void         tophash_map_view_hit        (TophashMapView *self,
                                          double          x,
                                          double          y,
                                          StageHit       *hit);
void         tophash_map_view_add_input  (TophashMapView *self);
void         tophash_map_view_update_accessible (TophashMapView *self);

G_END_DECLS
