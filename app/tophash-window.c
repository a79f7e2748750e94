/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window.c — template, panes, binding the session
 *
 * The window owns the session and hands it to the views; from then on it only
 * listens: titles, buttons and the position label follow the session's signal.
 *
 * Frames      A tick callback drives the session while it plays or follows a
 *             run, and is removed as soon as it does neither: a paused window
 *             wakes for nothing.
 */
#include "app/tophash-window-job-private.h"

#include "app/frame-memory.h"
#include "widgets/drop-words.h"
#include "widgets/tophash-draw.h"

#include <glib/gi18n.h>

#define POSITION_US 50000
#define DEFAULT_SPEED 20.0 /* events per second */

G_DEFINE_FINAL_TYPE (TophashWindow, tophash_window, ADW_TYPE_APPLICATION_WINDOW)

void
tophash_window_update_title (TophashWindow *self) {
  const Scenario *scenario = tophash_session_get_scenario (self->session);
  TraceLog *log = tophash_session_get_log (self->session);
  const TraceInfo *info = log == NULL ? NULL : tracelog_get_info (log);
  const EngineClass *klass
      = scenario == NULL ? NULL : engine_class_find (scenario->engine);
  const char *title = info != NULL && info->scenario_title != NULL
                          ? scenario_translate (info->scenario_title)
                      : scenario != NULL ? scenario_translate (scenario->title)
                                         : _ ("Tophash");
  const char *engine = info != NULL      ? info->engine_title
                       : klass != NULL   ? klass->title
                                         : "";
  guint n_threads = info != NULL       ? info->n_threads
                    : scenario != NULL ? scenario_get_n_threads (scenario)
                                       : 0;
  g_autofree char *name
      = self->home == NULL ? NULL : tophash_window_name_of (self->home);
  gboolean is_growing = tophash_window_is_growing (self);
  const char *mode;
  g_autofree char *workers = NULL;
  g_autofree char *ended = NULL;
  g_autofree char *lacks = tophash_window_dup_lacks (self);
  g_autofree char *facts = NULL;
  g_autofree char *subtitle = NULL;

  if (log == NULL)
    mode = _ ("not run yet");
  else if (tophash_session_is_following (self->session))
    mode = !is_growing && name != NULL ? name : _ ("live");
  else if (tophash_session_is_playing (self->session))
    mode = _ ("playing");
  else if (is_growing)
    mode = _ ("paused while the run goes on");
  else if (self->ended_by_misuse)
    mode = name == NULL ? _ ("recorded, ended by misuse")
                        : (ended = g_strjoin (" · ", name, _ ("ended by misuse"), NULL));
  else
    mode = name != NULL ? name : _ ("recorded");
  workers = g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE, "%u worker", "%u workers", n_threads),
      n_threads);
  /* A file that another process records keeps its name beside what it does. */
  facts = g_strjoin (" · ", workers, is_growing && name != NULL ? name : mode,
                     is_growing && name != NULL ? mode : lacks,
                     is_growing && name != NULL ? lacks : NULL, NULL);
  subtitle = engine == NULL ? g_strdup (facts)
                            : g_strjoin (" · ", engine, facts, NULL);
  adw_window_title_set_title (self->title, title);
  adw_window_title_set_subtitle (self->title, subtitle);
  gtk_label_set_text (self->narrow_title, subtitle);
}

/* A scenario can ask, as Go does, that the first misuse ends the run. The last
 * state of a finished recording says whether there was one. */
static gboolean
was_ended_by_misuse (TophashWindow *self) {
  TraceLog *log = tophash_session_get_log (self->session);
  Timeline *timeline = tophash_session_get_timeline (self->session);
  const char *json;
  g_autoptr (Scenario) scenario = NULL;
  g_autoptr (MapState) last = NULL;

  json = tracelog_get_info (log)->scenario_json;
  if (json != NULL)
    scenario = scenario_new_from_json (json, -1, "recording", NULL);
  if (scenario == NULL || !scenario->stops_on_misuse)
    return FALSE;
  last = timeline_ref_head (timeline);
  return map_state_misuse (last)->at != 0;
}

/* Once for each recording: it takes the scenario to be read. */
static void
update_end (TophashWindow *self) {
  TraceLog *log = tophash_session_get_log (self->session);
  gboolean has_end
      = log != NULL && tracelog_is_finished (log)
        && timeline_is_complete (tophash_session_get_timeline (self->session));
  gboolean ended_by_misuse;

  if (has_end && self->knows_end)
    return;
  self->knows_end = has_end;
  ended_by_misuse = has_end && was_ended_by_misuse (self);
  if (self->ended_by_misuse == ended_by_misuse)
    return;
  self->ended_by_misuse = ended_by_misuse;
  tophash_window_update_title (self);
}

void
tophash_window_update_run_button (TophashWindow *self) {
  gboolean is_running = tophash_session_is_running (self->session);
  gboolean is_short = tophash_fit_bin_get_level (self->fit) > FIT_WIDE;

  /* A tooltip set anew asks the display server where the pointer is, and waits. */
  if (self->has_run_button && self->run_button_stops == is_running
      && self->run_button_is_short == is_short)
    return;
  self->has_run_button = TRUE;
  self->run_button_stops = is_running;
  self->run_button_is_short = is_short;
  adw_button_content_set_icon_name (self->run_content,
                                    is_running ? "media-playback-stop-symbolic"
                                               : "media-playback-start-symbolic");
  adw_button_content_set_label (
      self->run_content, is_short     ? ""
                         : is_running ? _ ("Stop")
                                      : _ ("Run"));
  /* Its word is its name, as long as it has one. */
  if (is_short)
    gtk_accessible_update_property (GTK_ACCESSIBLE (self->run_button),
                                    GTK_ACCESSIBLE_PROPERTY_LABEL,
                                    is_running ? _ ("Stop") : _ ("Run"), -1);
  else
    gtk_accessible_reset_property (GTK_ACCESSIBLE (self->run_button),
                                   GTK_ACCESSIBLE_PROPERTY_LABEL);
  gtk_widget_set_tooltip_text (self->run_button,
                               is_running ? _ ("Stop the Workers (Ctrl+R)")
                                          : _ ("Run the Scenario (Ctrl+R)"));
  if (is_running)
    gtk_widget_remove_css_class (self->run_button, "suggested-action");
  else
    gtk_widget_add_css_class (self->run_button, "suggested-action");
}

static void
update_position (TophashWindow *self) {
  TraceLog *log = tophash_session_get_log (self->session);
  const MapState *state = tophash_session_get_state (self->session);
  g_autofree char *position = NULL;
  g_autofree char *length = NULL;
  g_autofree char *at = NULL;
  g_autofree char *all = NULL;
  g_autofree char *no_word = NULL;
  g_autofree char *no_length = NULL;

  if (log == NULL)
    return;
  position = tophash_draw_format_count (
      tophash_session_get_position (self->session));
  length = tophash_draw_format_count (tracelog_get_length (log));
  at = tophash_draw_format_time (state == NULL ? 0 : map_state_at_ns (state));
  all = g_strdup_printf (_ ("event %s of %s · %s"), position, length, at);
  no_word = g_strdup_printf ("%s / %s · %s", position, length, at);
  no_length = g_strdup_printf ("%s · %s", position, at);
  tophash_room_label_set_wordings (
      self->position,
      tophash_session_is_empty (self->session)
          ? (const char *[]){ _ ("no events"), NULL }
          : (const char *[]){ all, no_word, no_length, position, NULL });
  self->position_at_us = g_get_monotonic_time ();
}

static void
update_play (TophashWindow *self) {
  gboolean is_moving = tophash_session_is_playing (self->session)
                       || tophash_session_is_following (self->session);

  const char *icon = is_moving ? "media-playback-pause-symbolic"
                               : "media-playback-start-symbolic";

  /* Set anew, even the same is looked up, measured and drawn again. */
  if (g_strcmp0 (gtk_button_get_icon_name (self->play_button), icon) != 0) {
    gtk_button_set_icon_name (self->play_button, icon);
    gtk_accessible_update_property (GTK_ACCESSIBLE (self->play_button),
                                    GTK_ACCESSIBLE_PROPERTY_LABEL,
                                    is_moving ? _ ("Pause") : _ ("Play"), -1);
  }
  gtk_widget_set_visible (self->follow_button,
                          tophash_window_is_growing (self)
                              && !tophash_session_is_following (self->session));
}

static void
update_pages (TophashWindow *self) {
  gboolean has_log = tophash_session_get_log (self->session) != NULL;
  const Scenario *scenario = tophash_session_get_scenario (self->session);

  gtk_stack_set_visible_child_name (self->stack, has_log ? "map" : "empty");
  tophash_window_fit_stats (self);
  if (has_log && !gtk_widget_get_visible (self->timeline_card))
    tophash_window_appear (self);
  gtk_widget_set_visible (self->timeline_card, has_log);
  if (scenario != NULL && !has_log) {
    adw_status_page_set_title (self->empty_page,
                               scenario_translate (scenario->title));
    adw_status_page_set_description (self->empty_page,
                                     scenario_translate (scenario->summary));
  }
}

static void
follow_scenario (TophashWindow *self) {
  const Scenario *scenario = tophash_session_get_scenario (self->session);
  const char *const *names = scenario_builtin_names ();

  guint chosen = GTK_INVALID_LIST_POSITION;

  for (guint i = 0; scenario != NULL && names[i] != NULL; i++)
    if (g_strcmp0 (names[i], scenario->name) == 0)
      chosen = i;
  /* A recording tells its title alone; one of a scenario that is not in the list
   * must not stand under another's name. */
  for (guint i = 0; scenario != NULL && chosen == GTK_INVALID_LIST_POSITION
                    && i < self->titles->len; i++)
    if (g_strcmp0 (g_ptr_array_index (self->titles, i), scenario->title) == 0)
      chosen = i;
  self->is_choosing = TRUE;
  if (scenario != NULL)
    gtk_drop_down_set_selected (self->scenario_drop, chosen);
  self->is_choosing = FALSE;
}

/* What another process records in a file that is open has come to its end. */
static void
update_growth (TophashWindow *self) {
  if (!self->was_growing || tophash_window_is_growing (self))
    return;
  self->was_growing = FALSE;
  self->home_length
      = tracelog_get_length (tophash_session_get_log (self->session));
  tophash_window_tell_grown (self);
  tophash_window_update_title (self);
  tophash_window_update_actions (self);
  update_play (self);
}

/* Of a cursor that moves by itself, as often as it can be read: what comes sooner
 * is told by a later frame, the last one when nothing moves any more. */
static void
tell_position (TophashWindow *self) {
  self->position_is_late
      = tophash_session_needs_ticks (self->session)
        && g_get_monotonic_time () - self->position_at_us <= POSITION_US;
  if (self->position_is_late)
    return;
  update_position (self);
  tophash_window_update_caption (self);
  tophash_window_tell_recording (self);
  update_growth (self);
}

static gboolean
tick_cb (GtkWidget     *widget,
         GdkFrameClock *clock,
         gpointer       data) {
  TophashWindow *self = TOPHASH_WINDOW (widget);

  tophash_session_tick (self->session, gdk_frame_clock_get_frame_time (clock));
  if (self->position_is_late)
    tell_position (self);
  if (tophash_session_needs_ticks (self->session))
    return G_SOURCE_CONTINUE;
  self->tick_id = 0;
  update_end (self);
  if (self->position_is_late)
    tell_position (self);
  update_growth (self);
  return G_SOURCE_REMOVE;
}

static void
ensure_ticks (TophashWindow *self) {
  if (self->tick_id == 0 && tophash_session_needs_ticks (self->session))
    self->tick_id
        = gtk_widget_add_tick_callback (GTK_WIDGET (self), tick_cb, NULL, NULL);
}

static void
changed_cb (TophashSession       *session,
            TophashSessionChange  what,
            TophashWindow        *self) {
  if (what & SESSION_CHANGE_LOG) {
    self->knows_end = FALSE;
    g_clear_object (&self->home);
    tophash_window_tell_anew (self);
  }
  if (what & SESSION_CHANGE_SCENARIO)
    follow_scenario (self);
  if ((what & SESSION_CHANGE_RUN) && tophash_session_is_unsaved (session))
    tophash_window_tell_limit (self);
  if (what & (SESSION_CHANGE_LOG | SESSION_CHANGE_SCENARIO))
    update_pages (self);
  if (what
      & (SESSION_CHANGE_LOG | SESSION_CHANGE_PLAY | SESSION_CHANGE_RUN
         | SESSION_CHANGE_SCENARIO)) {
    update_end (self);
    tophash_window_update_title (self);
    update_play (self);
    tophash_window_update_run_button (self);
    tophash_window_update_actions (self);
  }
  if (what & SESSION_CHANGE_PLACES)
    tophash_window_update_places (self);
  if (what & (SESSION_CHANGE_CURSOR | SESSION_CHANGE_LENGTH | SESSION_CHANGE_LOG))
    tell_position (self);
  ensure_ticks (self);
  if (what & SESSION_CHANGE_RUN)
    tophash_window_save_soon (self);
}

static void
scenario_chosen_cb (TophashWindow *self) {
  guint selected = gtk_drop_down_get_selected (self->scenario_drop);

  if (self->is_choosing || selected == GTK_INVALID_LIST_POSITION)
    return;
  tophash_window_set_scenario (self, scenario_builtin_names ()[selected], FALSE);
  gtk_widget_grab_focus (GTK_WIDGET (self->map_view));
}

static void
speed_chosen_cb (TophashWindow *self) {
  guint selected = gtk_drop_down_get_selected (self->speed_drop);

  if (selected != GTK_INVALID_LIST_POSITION)
    tophash_session_set_speed (self->session, tophash_window_speed (selected));
  gtk_widget_grab_focus (GTK_WIDGET (self->map_view));
}

static void
select_speed (TophashWindow *self,
              double         speed) {
  for (guint i = 0; i < tophash_window_n_speeds (); i++)
    if (tophash_window_speed (i) == speed)
      gtk_drop_down_set_selected (self->speed_drop, i);
}

static void
fill_drops (TophashWindow *self) {
  const char *const *names = scenario_builtin_names ();
  g_autoptr (GtkStringList) titles = gtk_string_list_new (NULL);
  g_autoptr (GtkStringList) speeds = gtk_string_list_new (NULL);

  self->titles = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; names[i] != NULL; i++) {
    g_autoptr (Scenario) scenario = scenario_new_builtin (names[i], NULL);

    g_ptr_array_add (self->titles,
                     g_strdup (scenario == NULL ? NULL : scenario->title));
    gtk_string_list_append (titles, scenario == NULL
                                        ? names[i]
                                        : scenario_translate (scenario->title));
  }
  for (guint i = 0; i < tophash_window_n_speeds (); i++) {
    g_autofree char *text = tophash_window_speed_text (i);

    gtk_string_list_append (speeds, text);
  }
  self->is_choosing = TRUE;
  gtk_drop_down_set_model (self->scenario_drop, G_LIST_MODEL (titles));
  gtk_drop_down_set_model (self->speed_drop, G_LIST_MODEL (speeds));
  self->is_choosing = FALSE;
}

/* g_settings_new() would end the process when the schema is missing. */
static GSettings *
open_settings (void) {
  GSettingsSchemaSource *source = g_settings_schema_source_get_default ();
  g_autoptr (GSettingsSchema) schema
      = source == NULL ? NULL
                       : g_settings_schema_source_lookup (source, APP_ID, TRUE);

  return schema == NULL ? NULL : g_settings_new (APP_ID);
}

static gboolean
key_pressed_cb (GtkEventControllerKey *controller,
                guint                  keyval,
                guint                  keycode,
                GdkModifierType        modifiers,
                TophashWindow         *self) {
  return tophash_window_key (self, keyval, modifiers);
}

static gboolean
tophash_window_close_request (GtkWindow *window) {
  return !tophash_window_may_close (TOPHASH_WINDOW (window))
         || GTK_WINDOW_CLASS (tophash_window_parent_class)->close_request (window);
}

static void
tophash_window_dispose (GObject *object) {
  TophashWindow *self = TOPHASH_WINDOW (object);

  if (self->tick_id != 0)
    gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->tick_id);
  self->tick_id = 0;
  if (self->appear_id != 0)
    gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->appear_id);
  self->appear_id = 0;
  g_clear_handle_id (&self->progress_id, g_source_remove);
  g_clear_handle_id (&self->wait_id, g_source_remove);
  if (self->job != NULL)
    g_cancellable_cancel (self->job);
  g_clear_object (&self->job);
  g_clear_object (&self->home);
  g_clear_object (&self->next_file);
  g_clear_weak_pointer (&self->focus_before_menu);
  if (self->session != NULL) {
    g_signal_handlers_disconnect_by_data (self->session, self);
    tophash_session_stop (self->session);
  }
  g_clear_object (&self->settings_store);
  g_clear_object (&self->session);
  g_clear_pointer (&self->titles, g_ptr_array_unref);
  G_OBJECT_CLASS (tophash_window_parent_class)->dispose (object);
}

#define BIND(name)                                                            \
  gtk_widget_class_bind_template_child (widget_class, TophashWindow, name)

static void
bind_template (GtkWidgetClass *widget_class) {
  gtk_widget_class_set_template_from_resource (
      widget_class, "/io/github/tophash/Tophash/ui/tophash-window.ui");
  BIND (fit);
  BIND (over);
  BIND (header_revealer);
  BIND (header);
  BIND (title);
  BIND (narrow_title);
  BIND (pane_button);
  BIND (inspector_button);
  BIND (search_button);
  BIND (lecture_button);
  BIND (menu_button);
  BIND (search_bar);
  BIND (run_content);
  BIND (run_button);
  BIND (scenario_drop);
  BIND (busy);
  BIND (busy_label);
  BIND (busy_bar);
  BIND (busy_cancel);
  BIND (main_box);
  BIND (stage_box);
  BIND (pane_flap);
  BIND (inspector_flap);
  BIND (settings);
  BIND (inspector);
  BIND (misuse);
  BIND (stack);
  BIND (empty_page);
  BIND (map_view);
  BIND (caption);
  BIND (stats);
  BIND (timeline_card);
  BIND (timeline);
  BIND (transport);
  BIND (narrow_transport);
  BIND (transport_buttons);
  BIND (transport_end);
  BIND (position);
  BIND (play_button);
  BIND (follow_button);
  BIND (speed_drop);
}

#undef BIND

static void
tophash_window_class_init (TophashWindowClass *klass) {
  G_OBJECT_CLASS (klass)->dispose = tophash_window_dispose;
  GTK_WINDOW_CLASS (klass)->close_request = tophash_window_close_request;
  g_type_ensure (TOPHASH_TYPE_FIT_BIN);
  g_type_ensure (TOPHASH_TYPE_SETTINGS_PANE);
  g_type_ensure (TOPHASH_TYPE_INSPECTOR);
  g_type_ensure (TOPHASH_TYPE_MAP_VIEW);
  g_type_ensure (TOPHASH_TYPE_MISUSE_BANNER);
  g_type_ensure (TOPHASH_TYPE_PAIR_BOX);
  g_type_ensure (TOPHASH_TYPE_ROOM_LABEL);
  g_type_ensure (TOPHASH_TYPE_SEARCH_BAR);
  g_type_ensure (TOPHASH_TYPE_STAT_STRIP);
  g_type_ensure (TOPHASH_TYPE_STILL_BIN);
  g_type_ensure (TOPHASH_TYPE_TIMELINE_VIEW);
  bind_template (GTK_WIDGET_CLASS (klass));
  tophash_window_add_actions (klass);
}

static void
bind_panes (TophashWindow *self) {
  g_object_bind_property (self->pane_flap, "reveal-flap", self->pane_button,
                          "active",
                          G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
  g_object_bind_property (self->inspector_flap, "reveal-flap",
                          self->inspector_button, "active",
                          G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
  g_object_bind_property (self->search_bar, "open", self->search_button, "active",
                          G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
}

static void
tophash_window_init (TophashWindow *self) {
  GtkEventController *keys = gtk_event_controller_key_new ();

  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_window_set_icon_name (GTK_WINDOW (self), APP_ID);
  self->session = tophash_session_new ();
  fill_drops (self);
  g_signal_connect (self->session, "changed", G_CALLBACK (changed_cb), self);
  tophash_settings_pane_set_session (self->settings, self->session);
  tophash_inspector_set_session (self->inspector, self->session);
  tophash_map_view_set_session (self->map_view, self->session);
  tophash_misuse_banner_set_session (self->misuse, self->session);
  tophash_search_bar_set_session (self->search_bar, self->session);
  tophash_stat_strip_set_session (self->stats, self->session);
  tophash_timeline_view_set_session (self->timeline, self->session);
  bind_panes (self);
  tophash_window_watch_menu (self);
  tophash_window_make_notices (self);
  self->asks_from_ns = TOPHASH_WINDOW_ASKS_FROM_NS;
  tophash_window_fit_flap (self->pane_flap);
  tophash_window_fit_flap (self->inspector_flap);
  tophash_window_watch_panes (self);
  tophash_window_let_shrink (self->scenario_drop, 6);
  tophash_window_let_shrink (self->speed_drop, 7);
  drop_words_follow (self->scenario_drop, _ ("Scenario"));
  drop_words_follow (self->speed_drop, _ ("Playing Speed"));
  /* With its mnemonic the button's name is its label's, read without the mark. */
  gtk_accessible_reset_property (GTK_ACCESSIBLE (self->busy_cancel),
                                 GTK_ACCESSIBLE_PROPERTY_LABEL);
  g_signal_connect_swapped (self->fit, "notify::level",
                            G_CALLBACK (tophash_window_fit), self);
  tophash_window_fit (self);
  tophash_window_take_drops (self);

  g_signal_connect_swapped (self->scenario_drop, "notify::selected",
                            G_CALLBACK (scenario_chosen_cb), self);
  g_signal_connect_swapped (self->speed_drop, "notify::selected",
                            G_CALLBACK (speed_chosen_cb), self);
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (key_pressed_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);

  self->settings_store = open_settings ();
  select_speed (self, self->settings_store == NULL
                          ? DEFAULT_SPEED
                          : g_settings_get_double (self->settings_store,
                                                   "events-per-second"));
  if (self->settings_store != NULL) {
    gtk_window_set_default_size (
        GTK_WINDOW (self),
        g_settings_get_int (self->settings_store, "window-width"),
        g_settings_get_int (self->settings_store, "window-height"));
    if (g_settings_get_boolean (self->settings_store, "window-maximized"))
      gtk_window_maximize (GTK_WINDOW (self));
  }
  tophash_window_update_actions (self);
  tophash_window_appear (self);
  frame_memory_keep (GTK_WINDOW (self));
  g_signal_connect (self, "map", G_CALLBACK (tophash_window_warm), NULL);
  /* Plain keys belong to time; a button that has the focus would take them. */
  gtk_window_set_focus (GTK_WINDOW (self), GTK_WIDGET (self->map_view));
}

TophashWindow *
tophash_window_new (AdwApplication *application) {
  return g_object_new (TOPHASH_TYPE_WINDOW, "application", application, NULL);
}

const char *
tophash_window_get_last_scenario (TophashWindow *self) {
  const char *const *names = scenario_builtin_names ();
  g_autofree char *last = NULL;

  g_return_val_if_fail (TOPHASH_IS_WINDOW (self), NULL);

  if (self->settings_store != NULL)
    last = g_settings_get_string (self->settings_store, "last-scenario");
  for (guint i = 0; last != NULL && names[i] != NULL; i++)
    if (g_str_equal (names[i], last))
      return names[i];
  return names[0];
}

TophashSession *
tophash_window_get_session (TophashWindow *self) {
  g_return_val_if_fail (TOPHASH_IS_WINDOW (self), NULL);

  return self->session;
}

void
tophash_window_set_scenario (TophashWindow *self,
                             const char    *name,
                             gboolean       run) {
  g_autoptr (GError) error = NULL;
  g_autoptr (Scenario) scenario = NULL;

  g_return_if_fail (TOPHASH_IS_WINDOW (self));

  if (g_strv_contains (scenario_builtin_names (), name)) {
    scenario = scenario_new_builtin (name, &error);
  } else {
    g_autoptr (GFile) file = g_file_new_for_commandline_arg (name);

    scenario = scenario_new_from_file (file, &error);
  }
  if (scenario == NULL) {
    tophash_window_warn (self, error->message);
    return;
  }
  tophash_session_set_scenario (self->session, scenario);
  if (run && !tophash_session_run (self->session, &error))
    tophash_window_warn (self, error->message);
}
