/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-actions.c — win.* actions and keys
 *
 * Keys        Plain keys (space, arrows, Home, End, PgUp, PgDn, full stop)
 *             belong to time wherever the focus is, except in something that
 *             edits text or a value, in lists and menus, and space or Enter on
 *             a focused button. Shift+arrows belong to the map.
 */
#include "app/tophash-window-private.h"

#include "widgets/tophash-draw.h"

#include <glib/gi18n.h>

static const double speeds[] = { 1, 5, 20, 100, 1000, 10000, 100000, 0 };

guint
tophash_window_n_speeds (void) {
  return G_N_ELEMENTS (speeds);
}

double
tophash_window_speed (guint index) {
  return speeds[MIN (index, G_N_ELEMENTS (speeds) - 1)];
}

char *
tophash_window_speed_text (guint index) {
  double speed = tophash_window_speed (index);
  g_autofree char *count = tophash_draw_format_count ((guint64)speed);

  if (speed == 0)
    return g_strdup (_ ("as recorded"));
  if (speed == 1)
    return g_strdup (_ ("1 event/s"));
  return g_strdup_printf (_ ("%s events/s"), count);
}

void
tophash_window_run (TophashWindow *self) {
  g_autoptr (GError) error = NULL;

  if (tophash_window_may_leave (self, AFTER_SAVE_RUN, NULL)
      && !tophash_session_run (self->session, &error))
    tophash_window_warn (self, error->message);
}

static void
run_action (GtkWidget  *widget,
            const char *name,
            GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);

  if (tophash_session_is_running (self->session))
    tophash_session_stop (self->session);
  else
    tophash_window_run (self);
}

static void
play_pause_action (GtkWidget  *widget,
                   const char *name,
                   GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);

  if (tophash_session_is_playing (self->session)
      || tophash_session_is_following (self->session))
    tophash_session_pause (self->session);
  else
    tophash_session_play (self->session);
}

static void
step_action (GtkWidget  *widget,
             const char *name,
             GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);

  tophash_session_step (self->session,
                        g_str_equal (name, "win.step-back") ? -1 : 1);
}

static void
landmark_action (GtkWidget  *widget,
                 const char *name,
                 GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);
  gboolean forward = g_str_equal (name, "win.next-landmark");

  if (tophash_session_step_kind (self->session, forward, event_kinds_structural ()))
    return;
  /* In what is still being read there may be one. */
  if (tophash_session_needs_reading (self->session))
    tophash_window_toast (self, _ ("No landmark is known there yet"));
  else
    tophash_window_toast (self, forward ? _ ("No later landmark")
                                        : _ ("No earlier landmark"));
}

static void
start_action (GtkWidget  *widget,
              const char *name,
              GVariant   *parameter) {
  tophash_session_seek (TOPHASH_WINDOW (widget)->session, 0);
}

static void
end_action (GtkWidget  *widget,
            const char *name,
            GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);

  if (tophash_session_is_running (self->session))
    tophash_session_follow (self->session);
  else if (tophash_session_get_log (self->session) != NULL)
    tophash_session_seek (
        self->session,
        tracelog_get_length (tophash_session_get_log (self->session)));
}

static void
follow_action (GtkWidget  *widget,
               const char *name,
               GVariant   *parameter) {
  tophash_session_follow (TOPHASH_WINDOW (widget)->session);
}

static void
speed_action (GtkWidget  *widget,
              const char *name,
              GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);
  int by = g_str_equal (name, "win.faster") ? 1 : -1;
  int index = (int)gtk_drop_down_get_selected (self->speed_drop) + by;

  gtk_drop_down_set_selected (
      self->speed_drop,
      (guint)CLAMP (index, 0, (int)tophash_window_n_speeds () - 1));
}

static void
zoom_action (GtkWidget  *widget,
             const char *name,
             GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);

  if (g_str_equal (name, "win.zoom-in"))
    tophash_map_view_zoom (self->map_view, 1);
  else if (g_str_equal (name, "win.zoom-out"))
    tophash_map_view_zoom (self->map_view, -1);
  else
    tophash_map_view_zoom (self->map_view, 0);
}

/* The menu takes no focus away: space plays on after Zoom In. (Closed from a submenu,
 * GTK would leave it on an entry that nobody sees, and no key arrives anywhere.) */
static void
menu_toggled_cb (TophashWindow *self) {
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));
  GtkWidget *menu = GTK_WIDGET (gtk_menu_button_get_popover (self->menu_button));

  if (gtk_widget_get_visible (menu)) {
    if (focus != NULL && !gtk_widget_is_ancestor (focus, menu))
      g_set_weak_pointer (&self->focus_before_menu, focus);
    return;
  }
  /* Unless what was chosen has taken it, as Find has. */
  if (focus == NULL
      || gtk_widget_is_ancestor (focus, GTK_WIDGET (self->menu_button))) {
    if (self->focus_before_menu == NULL
        || !gtk_widget_get_mapped (self->focus_before_menu)
        || !gtk_widget_grab_focus (self->focus_before_menu))
      gtk_widget_grab_focus (GTK_WIDGET (self->map_view));
  }
  g_clear_weak_pointer (&self->focus_before_menu);
}

void
tophash_window_watch_menu (TophashWindow *self) {
  g_signal_connect_swapped (gtk_menu_button_get_popover (self->menu_button),
                            "notify::visible", G_CALLBACK (menu_toggled_cb), self);
}

static void
lecture_action (GtkWidget  *widget,
                const char *name,
                GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);

  tophash_window_set_lecture (self, !self->is_lecture);
}

static void
pane_action (GtkWidget  *widget,
             const char *name,
             GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);
  AdwFlap *flap = g_str_equal (name, "win.toggle-pane") ? self->pane_flap
                                                        : self->inspector_flap;

  adw_flap_set_reveal_flap (flap, !adw_flap_get_reveal_flap (flap));
}

/* Brings the page up; once more, and the selection's is back. */
static void
page_action (GtkWidget  *widget,
             const char *name,
             GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);
  InspectorPage page = g_str_equal (name, "win.notes") ? INSPECTOR_NOTES
                                                       : INSPECTOR_STATISTICS;
  gboolean is_seen = adw_flap_get_reveal_flap (self->inspector_flap)
                     && tophash_inspector_get_page (self->inspector) == page;

  tophash_inspector_show_page (self->inspector,
                               is_seen ? INSPECTOR_SELECTION : page);
  adw_flap_set_reveal_flap (self->inspector_flap, TRUE);
}

static void
search_action (GtkWidget  *widget,
               const char *name,
               GVariant   *parameter) {
  tophash_search_bar_open (TOPHASH_WINDOW (widget)->search_bar, TRUE);
}

static void
hit_action (GtkWidget  *widget,
            const char *name,
            GVariant   *parameter) {
  tophash_search_bar_step (TOPHASH_WINDOW (widget)->search_bar,
                           g_str_equal (name, "win.next-hit"));
}

static void
place_action (GtkWidget  *widget,
              const char *name,
              GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);

  if (g_str_equal (name, "win.go-back"))
    tophash_session_go_back (self->session);
  else
    tophash_session_go_forward (self->session);
}

/* The new bookmark waits for its name. */
static void
bookmark_action (GtkWidget  *widget,
                 const char *name,
                 GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);
  guint64 id;

  tophash_inspector_take_notes (self->inspector);
  id = tophash_session_add_bookmark (self->session, "", "");
  if (id == 0) {
    tophash_window_toast (self, _ ("There are too many bookmarks"));
    return;
  }
  adw_flap_set_reveal_flap (self->inspector_flap, TRUE);
  tophash_inspector_name_bookmark (self->inspector, id);
}

static void
step_bookmark_action (GtkWidget  *widget,
                      const char *name,
                      GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);
  gboolean forward = g_str_equal (name, "win.next-bookmark");

  if (!tophash_session_step_bookmark (self->session, forward))
    tophash_window_toast (self, forward ? _ ("No later bookmark")
                                        : _ ("No earlier bookmark"));
}

static void
undo_action (GtkWidget  *widget,
             const char *name,
             GVariant   *parameter) {
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (widget));

  /* Where one types, it is the typing that is undone. */
  if (focus != NULL && gtk_widget_activate_action (focus, "text.undo", NULL))
    return;
  if (!tophash_session_undo_notes (TOPHASH_WINDOW (widget)->session))
    tophash_window_toast (TOPHASH_WINDOW (widget), _ ("Nothing to undo"));
}

static void
marker_action (GtkWidget  *widget,
               const char *name,
               GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);

  if (g_str_equal (name, "win.clear-markers"))
    tophash_session_clear_markers (self->session);
  else
    tophash_session_set_marker (self->session,
                                g_str_equal (name, "win.marker-a") ? 0 : 1);
}

static void
file_action (GtkWidget  *widget,
             const char *name,
             GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);

  if (g_str_equal (name, "win.open"))
    tophash_window_choose_open (self);
  else if (g_str_equal (name, "win.save"))
    tophash_window_save (self);
  else if (g_str_equal (name, "win.save-as"))
    tophash_window_choose_save (self);
  else
    tophash_window_choose_picture (self);
}

static void
export_action (GtkWidget  *widget,
               const char *name,
               GVariant   *parameter) {
  ExportFormat format = export_format_find (g_variant_get_string (parameter, NULL));

  if (format < EXPORT_N_FORMATS)
    tophash_window_choose_export (TOPHASH_WINDOW (widget), format);
}

static void
cancel_action (GtkWidget  *widget,
               const char *name,
               GVariant   *parameter) {
  TophashWindow *self = TOPHASH_WINDOW (widget);

  if (self->job != NULL)
    g_cancellable_cancel (self->job);
  else
    tophash_window_stop_waiting (self);
}

/* Of what a jump changes; the others are left in peace. */
void
tophash_window_update_places (TophashWindow *self) {
  GtkWidget *widget = GTK_WIDGET (self);

  gtk_widget_action_set_enabled (widget, "win.go-back",
                                 tophash_session_can_go_back (self->session));
  gtk_widget_action_set_enabled (widget, "win.go-forward",
                                 tophash_session_can_go_forward (self->session));
}

void
tophash_window_update_actions (TophashWindow *self) {
  static const char *const with_log[]
      = { "win.export-picture", "win.zoom-in",       "win.zoom-out",
          "win.zoom-fit",      "win.search",         "win.next-hit",
          "win.previous-hit",  "win.add-bookmark",   "win.next-bookmark",
          "win.previous-bookmark", "win.marker-a",   "win.marker-b",
          "win.clear-markers", "win.undo" };
  static const char *const with_events[]
      = { "win.play-pause",    "win.step-back",      "win.step-forward",
          "win.start",         "win.end",            "win.previous-landmark",
          "win.next-landmark", "win.next-of",        "win.previous-of" };
  GtkWidget *widget = GTK_WIDGET (self);
  gboolean has_log = tophash_session_get_log (self->session) != NULL;
  gboolean has_events = has_log && !tophash_session_is_empty (self->session);

  for (guint i = 0; i < G_N_ELEMENTS (with_log); i++)
    gtk_widget_action_set_enabled (widget, with_log[i], has_log);
  for (guint i = 0; i < G_N_ELEMENTS (with_events); i++)
    gtk_widget_action_set_enabled (widget, with_events[i], has_events);
  tophash_window_update_places (self);
  gtk_widget_action_set_enabled (
      widget, "win.run", tophash_session_get_scenario (self->session) != NULL);
  gtk_widget_action_set_enabled (widget, "win.follow",
                                 tophash_window_is_growing (self));
  gtk_widget_action_set_enabled (widget, "win.open", self->job == NULL);
  gtk_widget_action_set_enabled (widget, "win.export",
                                 has_log && self->job == NULL);
  gtk_widget_action_set_enabled (widget, "win.save",
                                 has_log && self->job == NULL);
  gtk_widget_action_set_enabled (widget, "win.save-as",
                                 has_log && self->job == NULL);
  gtk_widget_action_set_enabled (widget, "win.cancel",
                                 self->job != NULL || self->is_waiting);
}

/* Whether the focused widget has a better use for plain keys. */
static gboolean
focus_wants_keys (TophashWindow *self) {
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));

  for (; focus != NULL && focus != GTK_WIDGET (self);
       focus = gtk_widget_get_parent (focus))
    if (GTK_IS_EDITABLE (focus) || GTK_IS_TEXT (focus)
        || GTK_IS_TEXT_VIEW (focus) || GTK_IS_RANGE (focus)
        || GTK_IS_LIST_BASE (focus) || GTK_IS_LIST_BOX (focus)
        || GTK_IS_POPOVER (focus) || GTK_IS_DROP_DOWN (focus)
        || GTK_IS_EXPANDER (focus))
      return TRUE;
  return FALSE;
}

static gboolean
focus_is_button (TophashWindow *self) {
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));

  return GTK_IS_BUTTON (focus) || GTK_IS_MENU_BUTTON (focus);
}

static const char *
action_of_key (guint keyval) {
  switch (keyval) {
  case GDK_KEY_space:
  case GDK_KEY_period:
    return "win.play-pause";
  case GDK_KEY_Left:
  case GDK_KEY_KP_Left:
    return "win.step-back";
  case GDK_KEY_Right:
  case GDK_KEY_KP_Right:
    return "win.step-forward";
  case GDK_KEY_Page_Up:
    return "win.previous-landmark";
  case GDK_KEY_Page_Down:
    return "win.next-landmark";
  case GDK_KEY_Home:
    return "win.start";
  case GDK_KEY_End:
    return "win.end";
  case GDK_KEY_bracketleft:
    return "win.slower";
  case GDK_KEY_bracketright:
    return "win.faster";
  default:
    return NULL;
  }
}

/* Escape leaves one thing at a time, the topmost first. FALSE: there is none. */
static gboolean
leave_something (TophashWindow *self) {
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));
  gboolean is_writing = focus_wants_keys (self);

  if (tophash_window_stop_waiting (self))
    return TRUE;
  /* What the card over the map has a button for. Who leaves a text does not mean
   * the save that goes on beside it. */
  if (self->job != NULL && gtk_revealer_get_reveal_child (self->busy) && !is_writing) {
    g_cancellable_cancel (self->job);
    return TRUE;
  }
  if (self->is_lecture) {
    tophash_window_set_lecture (self, FALSE);
    return TRUE;
  }
  /* Out of a name or a text: plain keys belong to time again. */
  if (is_writing && gtk_widget_is_ancestor (focus, GTK_WIDGET (self->inspector))) {
    gtk_widget_grab_focus (GTK_WIDGET (self->map_view));
    return TRUE;
  }
  return !is_writing && tophash_window_dismiss (self);
}

gboolean
tophash_window_key (TophashWindow   *self,
                    guint            keyval,
                    GdkModifierType  modifiers) {
  const char *action = action_of_key (keyval);

  modifiers &= gtk_accelerator_get_default_mod_mask ();
  if (keyval == GDK_KEY_Escape && modifiers == 0 && leave_something (self))
    return GDK_EVENT_STOP;
  if (!focus_wants_keys (self)
      && tophash_window_key_along (self, keyval, modifiers))
    return GDK_EVENT_STOP;
  if (action == NULL || modifiers != 0 || focus_wants_keys (self)
      || (keyval == GDK_KEY_space && focus_is_button (self)))
    return GDK_EVENT_PROPAGATE;
  gtk_widget_activate_action (GTK_WIDGET (self), action, NULL);
  return GDK_EVENT_STOP;
}

void
tophash_window_add_actions (TophashWindowClass *klass) {
  static const struct {
    const char                  *name;
    GtkWidgetActionActivateFunc  run;
  } actions[] = {
    { "win.run", run_action },
    { "win.play-pause", play_pause_action },
    { "win.step-back", step_action },
    { "win.step-forward", step_action },
    { "win.previous-landmark", landmark_action },
    { "win.next-landmark", landmark_action },
    { "win.start", start_action },
    { "win.end", end_action },
    { "win.follow", follow_action },
    { "win.faster", speed_action },
    { "win.slower", speed_action },
    { "win.zoom-in", zoom_action },
    { "win.zoom-out", zoom_action },
    { "win.zoom-fit", zoom_action },
    { "win.lecture", lecture_action },
    { "win.toggle-pane", pane_action },
    { "win.toggle-inspector", pane_action },
    { "win.statistics", page_action },
    { "win.notes", page_action },
    { "win.search", search_action },
    { "win.next-hit", hit_action },
    { "win.previous-hit", hit_action },
    { "win.go-back", place_action },
    { "win.go-forward", place_action },
    { "win.add-bookmark", bookmark_action },
    { "win.next-bookmark", step_bookmark_action },
    { "win.previous-bookmark", step_bookmark_action },
    { "win.undo", undo_action },
    { "win.marker-a", marker_action },
    { "win.marker-b", marker_action },
    { "win.clear-markers", marker_action },
    { "win.open", file_action },
    { "win.save", file_action },
    { "win.save-as", file_action },
    { "win.export-picture", file_action },
    { "win.cancel", cancel_action },
  };

  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), actions[i].name,
                                     NULL, actions[i].run);
  gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), "win.export", "s",
                                   export_action);
  gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), "win.next-of", "s",
                                   tophash_window_along_action);
  gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), "win.previous-of", "s",
                                   tophash_window_along_action);
}
