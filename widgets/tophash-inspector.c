/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-inspector.c — the chosen slot in words, what all of it cost, notes
 *
 * Three pages: the selection, the statistics of the whole map, and what people
 * noted. Choosing something on the stage brings its page up.
 *
 * Selection, above: the selected slot, what it holds, the bits that put it there and
 * the state of its entry. Middle: its key's life (tophash-key-life.c). Below: the event
 * just shown, in plain words and, smaller, in an expert's.
 *
 * While the cursor moves by itself the words follow every UPDATE_US; where it
 * rests they are exact at once.
 */
#include "widgets/tophash-inspector.h"

#include "core/base/hash.h"
#include "core/model/narrator.h"
#include "widgets/page-names.h"
#include "widgets/session-link.h"
#include "widgets/strip-words.h"
#include "widgets/tophash-draw.h"
#include "widgets/tophash-along.h"
#include "widgets/tophash-histograms.h"
#include "widgets/tophash-key-life.h"
#include "widgets/tophash-notes.h"
#include "widgets/tophash-slot-figure.h"
#include "widgets/tophash-statistics.h"

#include <glib/gi18n.h>
#include <string.h>
#include <inttypes.h>

#define UPDATE_US 100000 /* words change no faster than they can be read */
#define SWITCHER_PX 240  /* the inspector's width without the margins */

struct _TophashInspector {
  GtkWidget parent_instance;

  /* Template */
  GtkWidget         *root;
  GtkStackSwitcher  *switcher;
  GtkStack          *pages;
  TophashStatistics *statistics;
  TophashHistograms *histograms;
  GtkWidget         *no_statistics;
  TophashNotes      *notes;
  GtkLabel          *title;
  GtkLabel          *pill;
  GtkLabel          *place;
  TophashSlotFigure *figure;
  TophashKeyLife    *life;
  GtkBox            *along_selection;
  GtkBox            *along_now;
  GtkLabel          *now;
  GtkLabel          *expert;

  /* Owned */
  TophashSession *session;

  TophashAlong *along[ALONG_N_KINDS]; /* in the two boxes */

  gulong  changed_id;
  guint   update_id;    /* timeout of a postponed update */
  guint   names_id;     /* idle that looks whether the pages' names fit */
  double  text_scale;   /* for which they were looked at; 0: not yet */
  gint64  updated_at_us;
};

G_DEFINE_FINAL_TYPE (TophashInspector, tophash_inspector, GTK_TYPE_WIDGET)

static const char *
role_text (const StateTable *table) {
  switch (table->role) {
  case TABLE_ROLE_ONLY:
    return _ ("buckets");
  case TABLE_ROLE_READ:
    return _ ("read");
  case TABLE_ROLE_DIRTY:
    return _ ("dirty");
  case TABLE_ROLE_SUPERSEDED:
    return _ ("superseded read");
  case TABLE_ROLE_SHARD:
    return _ ("shard");
  case TABLE_ROLE_NONE:
    break;
  }
  return _ ("table");
}

static void
set_pill (TophashInspector *self,
          const char       *text,
          const char       *css_class) {
  static const char *const classes[]
      = { "is-value", "is-nil", "is-expunged", "is-empty" };

  for (guint i = 0; i < G_N_ELEMENTS (classes); i++)
    gtk_widget_remove_css_class (GTK_WIDGET (self->pill), classes[i]);
  gtk_widget_set_visible (GTK_WIDGET (self->pill), text != NULL);
  if (text != NULL) {
    gtk_label_set_text (self->pill, text);
    gtk_widget_add_css_class (GTK_WIDGET (self->pill), css_class);
  }
}

static void
show_nothing (TophashInspector *self) {
  gtk_label_set_text (self->title, _ ("Nothing selected"));
  gtk_label_set_text (self->place,
                      _ ("Click a slot to see what it holds and why it is "
                         "there."));
  set_pill (self, NULL, NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->figure), FALSE);
}

static const char *
empty_slot_text (guint8 tophash) {
  switch (tophash) {
  case TOPHASH_EMPTY_REST:
    return _ ("emptyRest: this slot and all after it in the chain are empty");
  case TOPHASH_EMPTY_ONE:
    return _ ("emptyOne: a key was deleted here");
  case TOPHASH_EVACUATED_X:
    return _ ("evacuatedX: the key moved to the bucket of the same index");
  case TOPHASH_EVACUATED_Y:
    return _ ("evacuatedY: the key moved to the upper half");
  default:
    return _ ("evacuatedEmpty: empty when its bucket was evacuated");
  }
}

/* The slot as it is selected; the bucket may be gone in another state. */
static const StateBucket *
selected_bucket (const MapState         *state,
                 const TophashSelection *selection,
                 const StateTable      **table) {
  const StateArray *array;

  *table = map_state_find_table (state, selection->table,
                                 selection->table_created_ver);
  if (*table == NULL)
    return NULL;
  array = selection->in_old ? (*table)->oldbuckets : (*table)->buckets;
  if (array == NULL || selection->bucket >= state_array_n_buckets (array))
    return NULL;
  return state_array_bucket (array, selection->bucket);
}

static void
show_value (TophashInspector  *self,
            const MapState    *state,
            const StateTable  *table,
            const StateBucket *bucket,
            guint              slot,
            int               *entry_state) {
  g_autofree char *text = NULL;

  *entry_state = -1;
  if (table->flags_table & TABLE_HOLDS_ENTRIES) {
    StateEntry entry = map_state_entry (state, (guint32)bucket->elems[slot]);

    *entry_state = (int)entry.state;
    if (entry.state == ENTRY_VALUE)
      text = g_strdup_printf (_ ("value %" PRId64), entry.value);
    set_pill (self,
              entry.state == ENTRY_VALUE ? text
              : entry.state == ENTRY_NIL ? _ ("nil")
                                         : _ ("expunged"),
              entry.state == ENTRY_VALUE ? "is-value"
              : entry.state == ENTRY_NIL ? "is-nil"
                                         : "is-expunged");
  } else {
    text = g_strdup_printf (_ ("value %" PRId64),
                            (gint64)bucket->elems[slot]);
    set_pill (self, text, "is-value");
  }
}

/* A lock, a view or a shard. */
static void
show_item (TophashInspector       *self,
           const MapState         *state,
           const TophashSelection *selection) {
  g_autofree char *title = item_title_new (state, selection);
  g_autofree char *words = item_words_new (state, selection);

  gtk_label_set_text (self->title, title);
  gtk_label_set_text (self->place,
                      words != NULL
                        ? words
                        : _ ("Nothing is known of it at this instant."));
  set_pill (self, NULL, NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->figure), FALSE);
}

/* Where it is and, of an entry that has versions, all of them. */
static void
show_place (TophashInspector *self,
            const MapState   *state,
            const StateTable *table,
            guint32           entry,
            const char       *place) {
  g_autofree char *chain = table->flags_table & TABLE_HOLDS_VERSIONS
                               ? chain_words_new (state, entry)
                               : NULL;
  g_autofree char *words = g_strjoin ("\n", place, chain, NULL);

  gtk_label_set_text (self->place, words);
}

static void
show_slot (TophashInspector       *self,
           const MapState         *state,
           const TophashSelection *selection) {
  const StateTable *table;
  const StateBucket *bucket = selected_bucket (state, selection, &table);
  g_autofree char *place = NULL;
  g_autofree char *key = NULL;
  int entry_state;
  int old_B;

  if (bucket == NULL) {
    if (selection->has_key)
      key = tophash_session_key_text (self->session, selection->key);
    gtk_label_set_text (self->title, key != NULL ? key : _ ("Not there"));
    gtk_label_set_text (
        self->place,
        key != NULL ? _ ("This key is not in the map at this instant.")
                    : _ ("The selected slot does not exist at this instant."));
    set_pill (self, NULL, NULL);
    gtk_widget_set_visible (GTK_WIDGET (self->figure), FALSE);
    return;
  }
  place = g_strdup_printf (
      _ ("%s · bucket %u · slot %u"),
      selection->in_old ? _ ("oldbuckets") : role_text (table),
      selection->bucket, selection->slot);
  if (bucket->tophash[selection->slot] < TOPHASH_MIN) {
    g_autofree char *words
        = g_strdup_printf ("%s\n%s", place,
                           empty_slot_text (bucket->tophash[selection->slot]));

    gtk_label_set_text (self->title, _ ("Empty slot"));
    gtk_label_set_text (self->place, words);
    set_pill (self, NULL, NULL);
    gtk_widget_set_visible (GTK_WIDGET (self->figure), FALSE);
    return;
  }
  key = tophash_session_key_text (self->session, bucket->keys[selection->slot]);
  gtk_label_set_text (self->title, key);
  show_place (self, state, table, (guint32)bucket->elems[selection->slot], place);
  show_value (self, state, table, bucket, selection->slot, &entry_state);
  old_B = table->oldbuckets == NULL ? -1
          : table->flags & GOMAP_FLAG_SAME_SIZE_GROW ? table->B
                                                     : table->B - 1;
  if (table->hash_kind >= 0 && table->hash_kind < HASH_FUNCTION) {
    Hash hash = { .kind = (HashKind)table->hash_kind };

    tophash_slot_figure_set (self->figure,
                             hash_key (&hash, bucket->keys[selection->slot],
                                       table->hash0),
                             table->B, old_B, entry_state);
    gtk_widget_set_visible (GTK_WIDGET (self->figure), TRUE);
  }
}

/* What the cursor stands after: the last event of the position. */
static void
show_now (TophashInspector *self) {
  guint64 position = tophash_session_get_position (self->session);
  TraceLog *log = tophash_session_get_log (self->session);
  const char *format = tophash_session_get_key_format (self->session);
  Event event;

  gtk_widget_set_visible (GTK_WIDGET (self->histograms), log != NULL);
  gtk_widget_set_visible (self->no_statistics, log == NULL);
  if (log == NULL || position == 0) {
    gtk_label_set_text (
        self->now, log == NULL ? _ ("Run the scenario to see it work.")
                   : tophash_session_is_empty (self->session)
                       ? _ ("Nothing happened: the recording has no events.")
                       : _ ("The beginning: nothing happened yet."));
    gtk_label_set_text (self->expert, "");
    return;
  }
  /* What is there stays until the other event is. */
  if (tophash_session_get_event (self->session, &event)) {
    const MapState *before = tophash_session_get_before (self->session);
    g_autofree char *plain
        = narrator_event (&event, before, format, NARRATION_PLAIN);
    g_autofree char *expert
        = narrator_event (&event, before, format, NARRATION_EXPERT);

    gtk_label_set_text (self->now, plain);
    /* Some events leave nothing to say to experts alone. */
    gtk_label_set_text (self->expert, strcmp (plain, expert) != 0 ? expert : "");
  }
}

static void
update (TophashInspector *self) {
  const MapState *state = tophash_session_get_state (self->session);
  const TophashSelection *selection
      = tophash_session_get_selection (self->session);

  self->updated_at_us = g_get_monotonic_time ();
  if (state == NULL || selection->kind == SELECTION_NONE)
    show_nothing (self);
  else if (selection->kind == SELECTION_SLOT)
    show_slot (self, state, selection);
  else
    show_item (self, state, selection);
  show_now (self);
  for (guint i = 0; i < ALONG_N_KINDS; i++)
    tophash_along_tell (self->along[i], self->session);
}

static gboolean
update_cb (gpointer data) {
  TophashInspector *self = data;

  self->update_id = 0;
  if (self->session != NULL)
    update (self);
  return G_SOURCE_REMOVE;
}

/* At once where the cursor rests, else when the last words had their time. */
static void
update_soon (TophashInspector *self) {
  gint64 due_us = self->updated_at_us + UPDATE_US - g_get_monotonic_time ();

  if (!tophash_session_needs_ticks (self->session) || due_us <= 0) {
    g_clear_handle_id (&self->update_id, g_source_remove);
    update (self);
  } else if (self->update_id == 0) {
    self->update_id = g_timeout_add ((guint)(due_us / 1000 + 1), update_cb, self);
  }
}

static void
changed_cb (TophashSession       *session,
            TophashSessionChange  what,
            TophashInspector     *self) {
  if (!(what
        & (SESSION_CHANGE_CURSOR | SESSION_CHANGE_SELECTION
           | SESSION_CHANGE_LOG)))
    return;
  if ((what & SESSION_CHANGE_SELECTION)
      && tophash_session_get_selection (session)->kind != SELECTION_NONE)
    tophash_inspector_show_page (self, INSPECTOR_SELECTION);
  if (what & (SESSION_CHANGE_SELECTION | SESSION_CHANGE_LOG))
    update (self);
  else
    update_soon (self);
}

static gboolean
fit_names_cb (gpointer data) {
  TophashInspector *self = data;

  self->names_id = 0;
  page_names_fit (self->switcher, SWITCHER_PX);
  return G_SOURCE_REMOVE;
}

/* Before the frame that shows the new letters, but not while styles are handed
 * down. */
static void
tophash_inspector_css_changed (GtkWidget         *widget,
                               GtkCssStyleChange *change) {
  TophashInspector *self = TOPHASH_INSPECTOR (widget);
  double text_scale;

  GTK_WIDGET_CLASS (tophash_inspector_parent_class)->css_changed (widget, change);
  text_scale = tophash_draw_text_scale (gtk_widget_get_pango_context (widget));
  if (text_scale == self->text_scale)
    return;
  self->text_scale = text_scale;
  if (self->names_id == 0)
    self->names_id
        = g_idle_add_full (G_PRIORITY_HIGH_IDLE, fit_names_cb, self, NULL);
}

static void
tophash_inspector_dispose (GObject *object) {
  TophashInspector *self = TOPHASH_INSPECTOR (object);

  tophash_inspector_set_session (self, NULL);
  g_clear_handle_id (&self->update_id, g_source_remove);
  g_clear_handle_id (&self->names_id, g_source_remove);
  g_clear_pointer (&self->root, gtk_widget_unparent);
  G_OBJECT_CLASS (tophash_inspector_parent_class)->dispose (object);
}

static void
tophash_inspector_class_init (TophashInspectorClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tophash_inspector_dispose;
  widget_class->css_changed = tophash_inspector_css_changed;
  g_type_ensure (TOPHASH_TYPE_HISTOGRAMS);
  g_type_ensure (TOPHASH_TYPE_KEY_LIFE);
  g_type_ensure (TOPHASH_TYPE_NOTES);
  g_type_ensure (TOPHASH_TYPE_SLOT_FIGURE);
  g_type_ensure (TOPHASH_TYPE_STATISTICS);
  gtk_widget_class_set_template_from_resource (
      widget_class, "/io/github/tophash/Tophash/ui/tophash-inspector.ui");
  gtk_widget_class_bind_template_child (widget_class, TophashInspector, root);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector, switcher);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector, pages);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector,
                                        statistics);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector,
                                        histograms);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector,
                                        no_statistics);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector, notes);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector, title);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector, pill);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector, place);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector, figure);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector, life);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector,
                                        along_selection);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector, along_now);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector, now);
  gtk_widget_class_bind_template_child (widget_class, TophashInspector, expert);
  gtk_widget_class_set_css_name (widget_class, "inspector");
}

static void
tophash_inspector_init (TophashInspector *self) {
  gtk_widget_init_template (GTK_WIDGET (self));
  page_names_fit (self->switcher, SWITCHER_PX);
  for (guint i = 0; i < ALONG_N_KINDS; i++) {
    GtkWidget *row = tophash_along_new ((SessionAlong)i);

    self->along[i] = TOPHASH_ALONG (row);
    gtk_box_append (i == ALONG_KEY || i == ALONG_BUCKET ? self->along_selection
                                                        : self->along_now,
                    row);
  }
  show_nothing (self);
}

GtkWidget *
tophash_inspector_new (void) {
  return g_object_new (TOPHASH_TYPE_INSPECTOR, NULL);
}

void
tophash_inspector_set_session (TophashInspector *self,
                               TophashSession   *session) {
  g_return_if_fail (TOPHASH_IS_INSPECTOR (self));

  if (!session_link (&self->session, &self->changed_id, session,
                     G_CALLBACK (changed_cb), self))
    return;
  tophash_statistics_set_session (self->statistics, session);
  tophash_histograms_set_session (self->histograms, session);
  tophash_key_life_set_session (self->life, session);
  tophash_notes_set_session (self->notes, session);
  if (session != NULL)
    update (self);
}

static const char *const page_names[] = { "selection", "statistics", "notes" };

void
tophash_inspector_show_page (TophashInspector *self,
                             InspectorPage     page) {
  g_return_if_fail (TOPHASH_IS_INSPECTOR (self));
  g_return_if_fail (page < G_N_ELEMENTS (page_names));

  gtk_stack_set_visible_child_name (self->pages, page_names[page]);
}

InspectorPage
tophash_inspector_get_page (TophashInspector *self) {
  const char *name;
  guint page = 0;

  g_return_val_if_fail (TOPHASH_IS_INSPECTOR (self), INSPECTOR_SELECTION);

  name = gtk_stack_get_visible_child_name (self->pages);
  while (page < G_N_ELEMENTS (page_names) && g_strcmp0 (page_names[page], name) != 0)
    page++;
  return page < G_N_ELEMENTS (page_names) ? (InspectorPage)page
                                          : INSPECTOR_SELECTION;
}

void
tophash_inspector_take_notes (TophashInspector *self) {
  g_return_if_fail (TOPHASH_IS_INSPECTOR (self));

  tophash_notes_take (self->notes);
}

void
tophash_inspector_name_bookmark (TophashInspector *self,
                                 guint64           id) {
  g_return_if_fail (TOPHASH_IS_INSPECTOR (self));

  tophash_inspector_show_page (self, INSPECTOR_NOTES);
  tophash_notes_edit (self->notes, id);
}
