/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-fit.c — what the window shows where there is little room
 *
 *   wide     all of it; panes stand beside the map as long as they fit
 *   tight    panes lie over the map; what the menu has as well leaves the
 *            header, the run button loses its word
 *   narrow   the title goes below the header, where it has a line of its own;
 *            so do the position and the speed, above the buttons: one each
 *            where one is too short for both
 *   low      few lines, whatever the width, as with large letters: lanes and
 *            counters are lower, and the map has a third of the height in any case;
 *            the timeline scrolls. Where it is narrow as well, the counters leave
 *            the map their lines
 *
 * Nothing is lost: what leaves the header is in the menu and has its key, and the
 * counters are among the inspector's statistics.
 *
 * A pane slides where it lies over the map. Beside it, the map would be laid out
 * and the whole window drawn anew in each frame of the slide, 12 ms without a
 * graphics card; there it comes and goes at once, as the header does.
 */
#include "app/tophash-window-private.h"

#define STAGE_WIDTH 520 /* beside a pane; less is better covered by it */
#define TITLE_WIDTH 170
#define SCENARIO_WIDTH 132 /* in a header of 360 pixels that is all there is */
#define CARD_MARGIN 2 /* of each card: the map has room for rings there */
#define SLIDE_STIFFNESS 500.0 /* libadwaita's own */
#define AT_ONCE_STIFFNESS 1e6 /* over within a frame */

/* Gives position and speed a line of their own, or takes it from them. */
static void
place_position (TophashWindow *self,
                gboolean       is_above) {
  GtkWidget *position = GTK_WIDGET (self->position);
  GtkWidget *speed = GTK_WIDGET (self->speed_drop);

  if (is_above == gtk_widget_get_visible (GTK_WIDGET (self->narrow_transport)))
    return;
  g_object_ref (position);
  g_object_ref (speed);
  if (is_above) {
    gtk_center_box_set_start_widget (self->transport, NULL);
    gtk_box_remove (self->transport_end, speed);
    tophash_pair_box_take (self->narrow_transport, position, speed);
  } else {
    tophash_pair_box_drop (self->narrow_transport);
    gtk_center_box_set_start_widget (self->transport, position);
    gtk_box_append (self->transport_end, speed);
  }
  gtk_widget_set_visible (GTK_WIDGET (self->narrow_transport), is_above);
  g_object_unref (position);
  g_object_unref (speed);
}

void
tophash_window_fit_stats (TophashWindow *self) {
  gboolean has_room = tophash_fit_bin_get_level (self->fit) != FIT_NARROW
                      || !tophash_fit_bin_is_low (self->fit);

  gtk_widget_set_visible (
      GTK_WIDGET (self->stats),
      has_room && tophash_session_get_log (self->session) != NULL);
}

static void
fit_height (TophashWindow *self) {
  gboolean is_low = tophash_fit_bin_is_low (self->fit);
  int claim = tophash_fit_bin_get_claim (self->fit);

  gtk_widget_set_size_request (GTK_WIDGET (self->stack), -1,
                               claim > 0 ? claim : -1);
  tophash_stat_strip_set_low (self->stats, is_low);
  tophash_timeline_view_set_low (self->timeline, is_low);
  tophash_window_fit_stats (self);
}

static void
fit_header (TophashWindow *self,
            FitLevel       level) {
  gboolean is_narrow = level == FIT_NARROW;

  gtk_widget_set_visible (self->lecture_button, level == FIT_WIDE);
  gtk_widget_set_visible (GTK_WIDGET (self->search_button), !is_narrow);
  gtk_widget_set_visible (GTK_WIDGET (self->title), !is_narrow);
  gtk_widget_set_visible (GTK_WIDGET (self->narrow_title),
                          is_narrow && !self->is_lecture);
  gtk_widget_set_size_request (GTK_WIDGET (self->title), TITLE_WIDTH, -1);
  /* Without a title the bar leaves its start half of the width, unless that asks
   * for more. */
  gtk_widget_set_size_request (GTK_WIDGET (self->scenario_drop),
                               is_narrow ? SCENARIO_WIDTH : -1, -1);
  /* Strictly in the middle it would need the wider side's room twice. */
  adw_header_bar_set_centering_policy (self->header,
                                       level == FIT_WIDE
                                           ? ADW_CENTERING_POLICY_STRICT
                                           : ADW_CENTERING_POLICY_LOOSE);
  adw_header_bar_set_decoration_layout (self->header,
                                        level == FIT_WIDE ? NULL : ":close");
}

static void
folded_cb (AdwFlap *flap) {
  g_autoptr (AdwSpringParams) params
      = adw_spring_params_new (1, 0.5, adw_flap_get_folded (flap)
                                           ? SLIDE_STIFFNESS
                                           : AT_ONCE_STIFFNESS);

  adw_flap_set_reveal_params (flap, params);
}

void
tophash_window_fit_flap (AdwFlap *flap) {
  g_signal_connect (flap, "notify::folded", G_CALLBACK (folded_cb), NULL);
  folded_cb (flap);
}

void
tophash_window_fit (TophashWindow *self) {
  FitLevel level = tophash_fit_bin_get_level (self->fit);
  gboolean is_narrow = level == FIT_NARROW;
  AdwFlapFoldPolicy policy = level == FIT_WIDE ? ADW_FLAP_FOLD_POLICY_AUTO
                                               : ADW_FLAP_FOLD_POLICY_ALWAYS;
  int margin = is_narrow ? 8 : 14;
  int outer = margin - CARD_MARGIN;

  fit_header (self, level);
  adw_flap_set_fold_policy (self->pane_flap, policy);
  adw_flap_set_fold_policy (self->inspector_flap, policy);
  gtk_widget_set_size_request (self->stage_box,
                               level == FIT_WIDE ? STAGE_WIDTH : -1, -1);
  gtk_widget_set_margin_start (self->main_box, outer);
  gtk_widget_set_margin_end (self->main_box, outer);
  gtk_widget_set_margin_start (GTK_WIDGET (self->transport), margin);
  gtk_widget_set_margin_end (GTK_WIDGET (self->transport), margin);
  gtk_widget_set_margin_start (GTK_WIDGET (self->narrow_transport), margin);
  gtk_widget_set_margin_end (GTK_WIDGET (self->narrow_transport), margin);
  gtk_box_set_spacing (self->transport_buttons, is_narrow ? 4 : 8);
  place_position (self, is_narrow);
  fit_height (self);
  tophash_search_bar_set_narrow (self->search_bar, is_narrow);
  tophash_notice_set_narrow (self->toast, is_narrow);
  tophash_notice_set_narrow (self->warning, is_narrow);
  tophash_window_update_run_button (self);
}

static void
setup_cb (GtkSignalListItemFactory *factory,
          GtkListItem              *item,
          gpointer                  data) {
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_label_set_width_chars (GTK_LABEL (label), GPOINTER_TO_INT (data));
  gtk_list_item_set_child (item, label);
}

static void
bind_cb (GtkSignalListItemFactory *factory,
         GtkListItem              *item,
         gpointer                  data) {
  GtkStringObject *string = gtk_list_item_get_item (item);

  gtk_label_set_text (GTK_LABEL (gtk_list_item_get_child (item)),
                      gtk_string_object_get_string (string));
}

void
tophash_window_let_shrink (GtkDropDown *drop,
                           int          width_chars) {
  g_autoptr (GtkListItemFactory) button = gtk_signal_list_item_factory_new ();

  g_signal_connect (button, "setup", G_CALLBACK (setup_cb),
                    GINT_TO_POINTER (width_chars));
  g_signal_connect (button, "bind", G_CALLBACK (bind_cb), NULL);
  /* The list keeps its own, with a tick at what is chosen. */
  gtk_drop_down_set_list_factory (drop, gtk_drop_down_get_factory (drop));
  gtk_drop_down_set_factory (drop, button);
}
