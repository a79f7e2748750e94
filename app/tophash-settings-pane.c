/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-settings-pane.c — the scenario's story and its settings
 *
 * Each control edits a copy of the session's scenario and hands it back; the
 * pane then shows what the session holds. Nothing is kept here but the scenario
 * as it was chosen, for Reset.
 *
 * While a run is live, pace, mix and the number of workers that take part reach
 * the workers at once (besides the next run); the rest is for the next run.
 *
 * Roles       A scenario has groups of threads that are the same in all phases;
 *             the Role row picks the group that Keys, Operations and Pace are
 *             about. A change is made in every phase.
 * Recording   How operations at full speed are told, and whether workers wait or
 *             events are dropped where the recorder cannot keep up: what each
 *             choice means stands below it. Both are for the next run.
 * Showing     Another scenario's texts take 10 ms to be broken into lines, measured
 *             and drawn. So where it can be seen the pane shows one part of it a
 *             frame; an edit in between waits for none: all of it is shown first.
 * Pace        A logarithmic scale from 1 to MAX_PACE operations a second and
 *             worker; its end is full speed (0 in the scenario).
 */
#include "app/tophash-settings-pane.h"

#include "app/combo-words.h"
#include "app/telling-words.h"
#include "app/tophash-honesty-card.h"
#include "app/tophash-tab-stops.h"
#include "app/wheel-passes.h"
#include "core/engine/engine.h"
#include "widgets/tophash-draw.h"
#include "widgets/tophash-workload-figure.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>

#define MAX_PACE 20000.0
#define FULL_PACE 98.0 /* from here on the scale means full speed */

struct _TophashSettingsPane {
  GtkWidget parent_instance;

  /* Template */
  GtkWidget             *scroller;
  GtkWidget             *lower;
  GtkLabel              *watch_for;
  GtkExpander           *more;
  GtkLabel              *learn;
  AdwComboRow           *engine_row;
  AdwComboRow           *hash_row;
  AdwComboRow           *role_row;
  GtkSpinButton         *workers_spin;
  AdwComboRow           *keys_row;
  GtkWidget             *skew_row;
  GtkSpinButton         *skew_spin;
  TophashWorkloadFigure *keys_figure;
  TophashWorkloadFigure *mix_figure;
  GtkLabel              *mix_text;
  AdwExpanderRow        *mix_row;
  GtkLabel              *pace_text;
  GtkScale              *pace_scale;
  GtkSpinButton         *seed_spin;
  AdwComboRow           *telling_row;
  GtkLabel              *telling_text;
  GtkSwitch             *drops_switch;
  TophashHonestyCard    *honesty;
  GtkWidget             *reset_button;

  /* Owned */
  TophashSession *session;
  Scenario       *chosen; /* as it was chosen, before any edit */

  GtkRange *mix_scales[OPERATION_MIX_N];
  guint     role;
  guint     show_id;    /* 0: all is shown */
  guint     n_shown;    /* parts */
  gboolean  is_showing; /* controls follow the scenario: not an edit */
  gboolean  is_editing; /* the scenario follows a control: not a choice */
};

G_DEFINE_FINAL_TYPE (TophashSettingsPane, tophash_settings_pane, GTK_TYPE_WIDGET)

static double
pace_of_scale (double value) {
  return value >= FULL_PACE ? 0 : pow (MAX_PACE, value / FULL_PACE);
}

static double
scale_of_pace (double pace) {
  return pace <= 0 ? 100
                   : CLAMP (FULL_PACE * log (MAX (pace, 1)) / log (MAX_PACE), 0,
                            FULL_PACE - 1);
}

static ThreadGroup *
get_group (const Scenario *scenario,
           guint           phase,
           guint           role) {
  ScenarioPhase *in = g_ptr_array_index (scenario->phases, phase);

  return role < in->threads->len ? g_ptr_array_index (in->threads, role) : NULL;
}

static double
mix_total (const ThreadGroup *group) {
  OperationMix mix = group->mix;
  double total = 0;

  for (guint i = 0; i < OPERATION_MIX_N; i++)
    total += *operation_mix_share (&mix, i);
  return total;
}

/* The last phase in which the role does something stands for the others. */
static ThreadGroup *
shown_group (TophashSettingsPane *self,
             const Scenario      *scenario) {
  ThreadGroup *group = NULL;

  for (guint i = scenario->phases->len; i > 0; i--) {
    group = get_group (scenario, i - 1, self->role);
    if (group != NULL && mix_total (group) > 0)
      return group;
  }
  return group != NULL ? group : get_group (scenario, 0, 0);
}

/* Runs @edit on the chosen role's group in every phase of a copy. */
static void
edit_groups (TophashSettingsPane *self,
             void               (*edit) (ThreadGroup *group, gpointer data),
             gpointer             data) {
  g_autoptr (Scenario) copy = NULL;

  if (self->is_showing || tophash_session_get_scenario (self->session) == NULL)
    return;
  copy = scenario_copy (tophash_session_get_scenario (self->session));
  for (guint i = 0; i < copy->phases->len; i++) {
    ThreadGroup *group = get_group (copy, i, self->role);

    if (group != NULL)
      edit (group, data);
  }
  self->is_editing = TRUE;
  tophash_session_set_scenario (self->session, copy);
  self->is_editing = FALSE;
}

static void
edit_count (ThreadGroup *group,
            gpointer     data) {
  group->count = *(guint *)data;
}

static void
edit_distribution (ThreadGroup *group,
                   gpointer     data) {
  group->keys.distribution = *(KeyDistribution *)data;
}

static void
edit_skew (ThreadGroup *group,
           gpointer     data) {
  group->keys.zipfianconstant = *(double *)data;
}

static void
edit_mix (ThreadGroup *group,
          gpointer     data) {
  group->mix = *(OperationMix *)data;
}

static void
edit_pace (ThreadGroup *group,
           gpointer     data) {
  group->target = *(double *)data;
}

static void
workers_changed_cb (TophashSettingsPane *self) {
  guint count = (guint)gtk_spin_button_get_value_as_int (self->workers_spin);
  Runner *runner;

  edit_groups (self, edit_count, &count);
  runner = tophash_session_get_runner (self->session);
  if (!self->is_showing && runner != NULL)
    runner_set_active (runner, self->role, count);
}

static void
keys_changed_cb (TophashSettingsPane *self) {
  KeyDistribution distribution
      = (KeyDistribution)adw_combo_row_get_selected (self->keys_row);

  edit_groups (self, edit_distribution, &distribution);
}

static void
skew_changed_cb (TophashSettingsPane *self) {
  double skew = gtk_spin_button_get_value (self->skew_spin);

  edit_groups (self, edit_skew, &skew);
}

static void
mix_changed_cb (TophashSettingsPane *self) {
  OperationMix mix = { 0 };
  double total = 0;
  Runner *runner;

  if (self->is_showing)
    return;
  for (guint i = 0; i < OPERATION_MIX_N; i++) {
    *operation_mix_share (&mix, i) = gtk_range_get_value (self->mix_scales[i]);
    total += gtk_range_get_value (self->mix_scales[i]);
  }
  if (total <= 0)
    return;
  edit_groups (self, edit_mix, &mix);
  runner = tophash_session_get_runner (self->session);
  if (runner != NULL)
    runner_set_mix (runner, self->role, &mix);
}

static void
pace_changed_cb (TophashSettingsPane *self) {
  double pace = pace_of_scale (gtk_range_get_value (GTK_RANGE (self->pace_scale)));
  Runner *runner;

  if (self->is_showing)
    return;
  if (pace >= 10)
    pace = round (pace);
  edit_groups (self, edit_pace, &pace);
  runner = tophash_session_get_runner (self->session);
  if (runner != NULL)
    runner_set_target (runner, self->role, pace);
}

static void
finish_showing (TophashSettingsPane *self);

static void
edit_scenario (TophashSettingsPane *self,
               void               (*edit) (Scenario *scenario, gpointer data),
               gpointer             data) {
  g_autoptr (Scenario) copy = NULL;

  if (self->is_showing || tophash_session_get_scenario (self->session) == NULL)
    return;
  finish_showing (self);
  copy = scenario_copy (tophash_session_get_scenario (self->session));
  edit (copy, data);
  self->is_editing = TRUE;
  tophash_session_set_scenario (self->session, copy);
  self->is_editing = FALSE;
}

static void
edit_engine (Scenario *scenario,
             gpointer  data) {
  g_free (scenario->engine);
  scenario->engine = g_strdup (data);
}

static void
engine_changed_cb (TophashSettingsPane *self) {
  guint selected = adw_combo_row_get_selected (self->engine_row);

  if (selected != GTK_INVALID_LIST_POSITION)
    edit_scenario (self, edit_engine,
                   (gpointer)engine_classes ()[selected]->name);
}

static void
edit_hash (Scenario *scenario,
           gpointer  data) {
  scenario->hash = *(HashKind *)data;
}

static void
hash_changed_cb (TophashSettingsPane *self) {
  HashKind hash = (HashKind)adw_combo_row_get_selected (self->hash_row);

  edit_scenario (self, edit_hash, &hash);
}

static void
edit_seed (Scenario *scenario,
           gpointer  data) {
  scenario->seed = *(guint64 *)data;
}

static void
seed_changed_cb (TophashSettingsPane *self) {
  guint64 seed = (guint64)gtk_spin_button_get_value (self->seed_spin);

  edit_scenario (self, edit_seed, &seed);
}

static void
seed_clicked_cb (TophashSettingsPane *self) {
  gtk_spin_button_set_value (self->seed_spin, g_random_int_range (1, 1000000));
}

static void
edit_telling (Scenario *scenario,
              gpointer  data) {
  scenario->telling = *(OperationTelling *)data;
}

static void
telling_changed_cb (TophashSettingsPane *self) {
  OperationTelling telling
      = (OperationTelling)adw_combo_row_get_selected (self->telling_row);

  edit_scenario (self, edit_telling, &telling);
}

static void
edit_drops (Scenario *scenario,
            gpointer  data) {
  scenario->drops = *(gboolean *)data;
}

static void
drops_changed_cb (TophashSettingsPane *self) {
  gboolean drops = gtk_switch_get_active (self->drops_switch);

  edit_scenario (self, edit_drops, &drops);
}

static void
role_changed_cb (TophashSettingsPane *self);

static void
reset_clicked_cb (TophashSettingsPane *self) {
  if (self->chosen != NULL)
    tophash_session_set_scenario (self->session, self->chosen);
}

static void
show_roles (TophashSettingsPane *self,
            const Scenario      *scenario) {
  ScenarioPhase *phase
      = g_ptr_array_index (scenario->phases, scenario->phases->len - 1);
  g_autoptr (GtkStringList) names = gtk_string_list_new (NULL);

  for (guint i = 0; i < phase->threads->len; i++) {
    ThreadGroup *group = g_ptr_array_index (phase->threads, i);

    gtk_string_list_append (names, scenario_translate (group->role));
  }
  if (self->role >= phase->threads->len)
    self->role = 0;
  gtk_widget_set_visible (GTK_WIDGET (self->role_row), phase->threads->len > 1);
  /* Another list is a dozen new widgets, even where nobody sees it. */
  if (phase->threads->len < 2)
    return;
  adw_combo_row_set_model (self->role_row, G_LIST_MODEL (names));
  adw_combo_row_set_selected (self->role_row, self->role);
}

static void
show_group (TophashSettingsPane *self,
            const Scenario      *scenario) {
  ThreadGroup *group = shown_group (self, scenario);
  g_autofree char *mix_text = tophash_workload_mix_text (&group->mix);
  g_autofree char *pace_text = NULL;
  double total = mix_total (group);

  gtk_spin_button_set_value (self->workers_spin, group->count);
  adw_combo_row_set_selected (self->keys_row, group->keys.distribution);
  gtk_widget_set_visible (self->skew_row,
                          group->keys.distribution == KEYS_ZIPFIAN);
  gtk_spin_button_set_value (self->skew_spin, group->keys.zipfianconstant);
  tophash_workload_figure_set_keys (self->keys_figure, &group->keys,
                                    scenario->recordcount);
  tophash_workload_figure_set_mix (self->mix_figure, &group->mix);
  gtk_label_set_text (self->mix_text, mix_text);
  if (!self->is_editing)
    for (guint i = 0; i < OPERATION_MIX_N; i++)
      gtk_range_set_value (self->mix_scales[i],
                           total <= 0 ? 0
                                      : 100 * *operation_mix_share (&group->mix, i)
                                            / total);
  if (group->target <= 0) {
    pace_text = g_strdup (_ ("full speed"));
  } else {
    g_autofree char *count
        = group->target < 10 ? g_strdup_printf ("%.2g", group->target)
                             : tophash_draw_format_count ((guint64)group->target);

    pace_text = g_strdup_printf (_ ("%s ops/s"), count);
  }
  gtk_label_set_text (self->pace_text, pace_text);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->pace_scale),
                                  GTK_ACCESSIBLE_PROPERTY_VALUE_TEXT, pace_text,
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, pace_text, -1);
  if (!self->is_editing)
    gtk_range_set_value (GTK_RANGE (self->pace_scale),
                         scale_of_pace (group->target));
}

static void
show_story (TophashSettingsPane *self,
            const Scenario      *scenario) {
  g_autoptr (GString) learn = g_string_new (NULL);

  gtk_label_set_text (self->watch_for, scenario->watch_for != NULL
                                           ? scenario_translate (scenario->watch_for)
                                           : scenario_translate (scenario->summary));
  if (scenario->learn != NULL)
    g_string_append (learn, scenario_translate (scenario->learn));
  if (scenario->simplified != NULL)
    g_string_append_printf (learn, "%s%s %s", learn->len > 0 ? "\n\n" : "",
                            _ ("Simplified:"),
                            scenario_translate (scenario->simplified));
  gtk_label_set_text (self->learn, learn->str);
  gtk_widget_set_visible (GTK_WIDGET (self->more), learn->len > 0);
}

static void
show_recording (TophashSettingsPane *self,
                const Scenario      *scenario) {
  adw_combo_row_set_selected (self->telling_row, scenario->telling);
  gtk_label_set_text (self->telling_text, telling_meaning (scenario->telling));
  gtk_switch_set_active (self->drops_switch, scenario->drops);
}

static void
show_map (TophashSettingsPane *self,
          const Scenario      *scenario) {
  const EngineClass *const *classes = engine_classes ();

  for (guint i = 0; classes[i] != NULL; i++)
    if (g_strcmp0 (classes[i]->name, scenario->engine) == 0)
      adw_combo_row_set_selected (self->engine_row, i);
  adw_combo_row_set_selected (self->hash_row, scenario->hash);
  gtk_spin_button_set_value (self->seed_spin,
                             scenario->seed == 0 ? 1 : (double)scenario->seed);
}

static void (*const parts[]) (TophashSettingsPane *self,
                              const Scenario      *scenario)
    = { show_story, show_map, show_roles, show_group, show_recording };

static void
show_part (TophashSettingsPane *self) {
  const Scenario *scenario = tophash_session_get_scenario (self->session);
  guint n = self->n_shown++;

  if (scenario == NULL || (self->is_editing && parts[n] == show_roles))
    return;
  self->is_showing = TRUE;
  parts[n](self, scenario);
  self->is_showing = FALSE;
}

static gboolean
show_part_cb (GtkWidget     *widget,
              GdkFrameClock *clock,
              gpointer       data) {
  TophashSettingsPane *self = TOPHASH_SETTINGS_PANE (widget);

  show_part (self);
  if (self->n_shown < G_N_ELEMENTS (parts))
    return G_SOURCE_CONTINUE;
  self->show_id = 0;
  return G_SOURCE_REMOVE;
}

static void
finish_showing (TophashSettingsPane *self) {
  if (self->show_id == 0)
    return;
  gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->show_id);
  self->show_id = 0;
  while (self->n_shown < G_N_ELEMENTS (parts))
    show_part (self);
}

static void
show_scenario (TophashSettingsPane *self) {
  gboolean is_seen = gtk_widget_get_mapped (GTK_WIDGET (self));

  self->n_shown = 0;
  if (self->show_id == 0)
    self->show_id = gtk_widget_add_tick_callback (GTK_WIDGET (self), show_part_cb,
                                                  NULL, NULL);
  if (!is_seen || self->is_editing)
    finish_showing (self);
}

static void
role_changed_cb (TophashSettingsPane *self) {
  if (self->is_showing)
    return;
  self->role = adw_combo_row_get_selected (self->role_row);
  show_scenario (self);
}

static void
changed_cb (TophashSession       *session,
            TophashSessionChange  what,
            TophashSettingsPane  *self) {
  if (what & SESSION_CHANGE_SCENARIO) {
    if (!self->is_editing) {
      g_clear_pointer (&self->chosen, scenario_free);
      if (tophash_session_get_scenario (session) != NULL)
        self->chosen = scenario_copy (tophash_session_get_scenario (session));
      gtk_widget_set_sensitive (self->reset_button, FALSE);
    }
    show_scenario (self);
  }
}

static void
add_mix_scales (TophashSettingsPane *self) {
  for (guint i = 0; i < OPERATION_MIX_N; i++) {
    GtkWidget *row = adw_action_row_new ();
    GtkWidget *scale
        = gtk_scale_new_with_range (GTK_ORIENTATION_HORIZONTAL, 0, 100, 1);

    adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row),
                                   operation_mix_name (i));
    gtk_widget_set_size_request (scale, 110, -1);
    gtk_widget_set_valign (scale, GTK_ALIGN_CENTER);
    gtk_accessible_update_property (GTK_ACCESSIBLE (scale),
                                    GTK_ACCESSIBLE_PROPERTY_LABEL,
                                    operation_mix_name (i), -1);
    adw_action_row_add_suffix (ADW_ACTION_ROW (row), scale);
    adw_expander_row_add_row (self->mix_row, row);
    self->mix_scales[i] = GTK_RANGE (scale);
    g_signal_connect_swapped (scale, "value-changed",
                              G_CALLBACK (mix_changed_cb), self);
  }
}

static void
fill_choices (TophashSettingsPane *self) {
  const EngineClass *const *classes = engine_classes ();
  g_autoptr (GtkStringList) engines = gtk_string_list_new (NULL);
  g_autoptr (GtkStringList) hashes = gtk_string_list_new (NULL);
  g_autoptr (GtkStringList) keys = gtk_string_list_new (NULL);
  g_autoptr (GtkStringList) tellings = gtk_string_list_new (NULL);

  for (guint i = 0; classes[i] != NULL; i++)
    gtk_string_list_append (engines, classes[i]->name);
  for (guint i = 0; i < HASH_FUNCTION; i++)
    gtk_string_list_append (hashes, hash_kind_name ((HashKind)i));
  for (guint i = KEYS_UNIFORM; i <= KEYS_HOTSPOT; i++)
    gtk_string_list_append (keys, key_distribution_name ((KeyDistribution)i));
  adw_combo_row_set_model (self->engine_row, G_LIST_MODEL (engines));
  adw_combo_row_set_model (self->hash_row, G_LIST_MODEL (hashes));
  adw_combo_row_set_model (self->keys_row, G_LIST_MODEL (keys));
  for (guint i = 0; i < TELLING_N_KINDS; i++)
    gtk_string_list_append (tellings, telling_title ((OperationTelling)i));
  adw_combo_row_set_model (self->telling_row, G_LIST_MODEL (tellings));
}

static void
tophash_settings_pane_dispose (GObject *object) {
  TophashSettingsPane *self = TOPHASH_SETTINGS_PANE (object);

  if (self->show_id != 0)
    gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->show_id);
  self->show_id = 0;
  if (self->session != NULL)
    g_signal_handlers_disconnect_by_data (self->session, self);
  g_clear_object (&self->session);
  g_clear_pointer (&self->chosen, scenario_free);
  g_clear_pointer (&self->scroller, gtk_widget_unparent);
  G_OBJECT_CLASS (tophash_settings_pane_parent_class)->dispose (object);
}

static gboolean
tophash_settings_pane_focus (GtkWidget        *widget,
                             GtkDirectionType  direction) {
  if (direction == GTK_DIR_TAB_FORWARD || direction == GTK_DIR_TAB_BACKWARD)
    return tophash_tab_stops_move (widget, direction);
  return GTK_WIDGET_CLASS (tophash_settings_pane_parent_class)
      ->focus (widget, direction);
}

#define BIND(name)                                                            \
  gtk_widget_class_bind_template_child (widget_class, TophashSettingsPane, name)

static void
tophash_settings_pane_class_init (TophashSettingsPaneClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tophash_settings_pane_dispose;
  widget_class->focus = tophash_settings_pane_focus;
  g_type_ensure (TOPHASH_TYPE_HONESTY_CARD);
  g_type_ensure (TOPHASH_TYPE_WORKLOAD_FIGURE);
  gtk_widget_class_set_template_from_resource (
      widget_class, "/io/github/tophash/Tophash/ui/tophash-settings-pane.ui");
  BIND (scroller);
  BIND (lower);
  BIND (watch_for);
  BIND (more);
  BIND (learn);
  BIND (engine_row);
  BIND (hash_row);
  BIND (role_row);
  BIND (workers_spin);
  BIND (keys_row);
  BIND (skew_row);
  BIND (skew_spin);
  BIND (keys_figure);
  BIND (mix_figure);
  BIND (mix_text);
  BIND (mix_row);
  BIND (pace_text);
  BIND (pace_scale);
  BIND (seed_spin);
  BIND (telling_row);
  BIND (telling_text);
  BIND (drops_switch);
  BIND (honesty);
  BIND (reset_button);
  gtk_widget_class_bind_template_child_full (widget_class, "seed_button", FALSE, 0);
  gtk_widget_class_set_css_name (widget_class, "settingspane");
}

#undef BIND

static void
tophash_settings_pane_init (TophashSettingsPane *self) {
  GObject *seed_button;
  GtkLabel *reset_label;

  gtk_widget_init_template (GTK_WIDGET (self));
  fill_choices (self);
  combo_words_follow (self->engine_row);
  combo_words_follow (self->hash_row);
  combo_words_follow (self->role_row);
  combo_words_follow (self->keys_row);
  combo_words_follow (self->telling_row);
  add_mix_scales (self);
  wheel_passes (GTK_WIDGET (self));
  reset_label = GTK_LABEL (gtk_button_get_child (GTK_BUTTON (self->reset_button)));
  gtk_label_set_wrap (reset_label, TRUE);
  gtk_label_set_justify (reset_label, GTK_JUSTIFY_CENTER);
  seed_button = gtk_widget_get_template_child (
      GTK_WIDGET (self), TOPHASH_TYPE_SETTINGS_PANE, "seed_button");
  g_signal_connect_swapped (self->engine_row, "notify::selected",
                            G_CALLBACK (engine_changed_cb), self);
  g_signal_connect_swapped (self->hash_row, "notify::selected",
                            G_CALLBACK (hash_changed_cb), self);
  g_signal_connect_swapped (self->role_row, "notify::selected",
                            G_CALLBACK (role_changed_cb), self);
  g_signal_connect_swapped (self->workers_spin, "value-changed",
                            G_CALLBACK (workers_changed_cb), self);
  g_signal_connect_swapped (self->keys_row, "notify::selected",
                            G_CALLBACK (keys_changed_cb), self);
  g_signal_connect_swapped (self->skew_spin, "value-changed",
                            G_CALLBACK (skew_changed_cb), self);
  g_signal_connect_swapped (self->pace_scale, "value-changed",
                            G_CALLBACK (pace_changed_cb), self);
  g_signal_connect_swapped (self->seed_spin, "value-changed",
                            G_CALLBACK (seed_changed_cb), self);
  g_signal_connect_swapped (seed_button, "clicked",
                            G_CALLBACK (seed_clicked_cb), self);
  g_signal_connect_swapped (self->telling_row, "notify::selected",
                            G_CALLBACK (telling_changed_cb), self);
  g_signal_connect_swapped (self->drops_switch, "notify::active",
                            G_CALLBACK (drops_changed_cb), self);
  g_signal_connect_swapped (self->reset_button, "clicked",
                            G_CALLBACK (reset_clicked_cb), self);
}

void
tophash_settings_pane_set_session (TophashSettingsPane *self,
                                   TophashSession      *session) {
  g_return_if_fail (TOPHASH_IS_SETTINGS_PANE (self) && self->session == NULL);

  self->session = g_object_ref (session);
  g_signal_connect (session, "changed", G_CALLBACK (changed_cb), self);
  tophash_honesty_card_set_session (self->honesty, session);
  changed_cb (session, SESSION_CHANGE_SCENARIO | SESSION_CHANGE_LOG, self);
}

GtkWidget *
tophash_settings_pane_get_lower (TophashSettingsPane *self) {
  g_return_val_if_fail (TOPHASH_IS_SETTINGS_PANE (self), NULL);

  return self->lower;
}
