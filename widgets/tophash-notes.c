/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-notes.c — bookmarks, markers and the text about a recording
 *
 * A bookmark is a row: where it is, which is a button that goes there, and its
 * name, an entry. Names are taken when the focus leaves the entry or Enter is
 * pressed; what was removed comes back by Undo, which is offered where rows are.
 *
 * Rows are made anew when bookmarks come or go; when only names changed, which
 * happens while one types, the rows stay and so does the focus.
 */
#include "widgets/tophash-notes.h"

#include "widgets/session-link.h"
#include "widgets/paint-finds.h"

#include <glib/gi18n.h>

/* Typing rests for so long before the text is taken. */
#define TEXT_REST_MS 600

struct _TophashNotes {
  GtkWidget parent_instance;

  /* Template */
  GtkWidget     *root;
  GtkBox        *rows;
  GtkLabel      *no_rows;
  GtkWidget     *undo_button;
  GtkLabel      *marker_a;
  GtkLabel      *marker_b;
  GtkLabel      *difference;
  GtkWidget     *text_view;
  GtkTextBuffer *text;

  /* Owned */
  TophashSession *session;

  gulong   changed_id;
  guint    text_id;     /* timeout: the text is to be taken */
  gboolean is_filling;  /* what changes comes from the session */
};

G_DEFINE_FINAL_TYPE (TophashNotes, tophash_notes, GTK_TYPE_WIDGET)

#define ID_KEY "bookmark-id"

static guint64
id_of (gpointer widget) {
  guint64 *id = g_object_get_data (G_OBJECT (widget), ID_KEY);

  return id != NULL ? *id : 0;
}

static void
set_id (gpointer widget,
        guint64  id) {
  g_object_set_data_full (G_OBJECT (widget), ID_KEY,
                          g_memdup2 (&id, sizeof id), g_free);
}

static const TraceBookmark *
find (TophashNotes *self,
      guint64       id) {
  const TraceNotes *notes = tophash_session_get_notes (self->session);

  for (guint i = 0; notes != NULL && i < notes->bookmarks->len; i++) {
    const TraceBookmark *bookmark = notes->bookmarks->pdata[i];

    if (bookmark->id == id)
      return bookmark;
  }
  return NULL;
}

/* Rows --------------------------------------------------------------------- */

static void
go_cb (GtkWidget    *button,
       TophashNotes *self) {
  const TraceBookmark *bookmark = find (self, id_of (button));

  if (bookmark != NULL)
    tophash_session_seek (self->session, bookmark->position);
}

static void
remove_cb (GtkWidget    *button,
           TophashNotes *self) {
  tophash_session_remove_bookmark (self->session, id_of (button));
}

static void
take_name (GtkWidget    *entry,
           TophashNotes *self) {
  const TraceBookmark *bookmark;

  if (self->is_filling || self->session == NULL)
    return;
  bookmark = find (self, id_of (entry));
  if (bookmark != NULL)
    tophash_session_edit_bookmark (self->session, bookmark->id,
                                   gtk_editable_get_text (GTK_EDITABLE (entry)),
                                   bookmark->note);
}

/* Enter is the end of naming: plain keys belong to time again. */
static void
name_done_cb (GtkWidget    *entry,
              TophashNotes *self) {
  take_name (entry, self);
  gtk_root_set_focus (gtk_widget_get_root (entry), NULL);
}

static void
name_left_cb (GtkEventControllerFocus *controller,
              TophashNotes            *self) {
  GtkWidget *entry
      = gtk_event_controller_get_widget (GTK_EVENT_CONTROLLER (controller));

  take_name (entry, self);
  /* A name longer than its entry is seen from its beginning. */
  gtk_editable_set_position (GTK_EDITABLE (entry), 0);
}

static GtkWidget *
row_new (TophashNotes        *self,
         const TraceBookmark *bookmark) {
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 4);
  GtkWidget *go = gtk_button_new ();
  GtkWidget *name = gtk_entry_new ();
  GtkWidget *remove = gtk_button_new_from_icon_name ("user-trash-symbolic");
  GtkEventController *focus = gtk_event_controller_focus_new ();
  g_autofree char *time = tophash_draw_format_time (bookmark->at_ns);
  g_autofree char *place = tophash_draw_format_count (bookmark->position);
  g_autofree char *tip = g_strdup_printf (_ ("Go to event %s"), place);

  set_id (row, bookmark->id);
  set_id (go, bookmark->id);
  set_id (name, bookmark->id);
  set_id (remove, bookmark->id);
  gtk_button_set_label (GTK_BUTTON (go), time);
  gtk_widget_set_tooltip_text (go, tip);
  gtk_widget_set_size_request (go, 76, -1);
  gtk_widget_add_css_class (go, "flat");
  gtk_widget_add_css_class (go, "life-row");
  gtk_widget_add_css_class (go, "numeric");
  gtk_editable_set_text (GTK_EDITABLE (name), bookmark->title);
  gtk_editable_set_width_chars (GTK_EDITABLE (name), 6);
  gtk_widget_set_tooltip_text (name, bookmark->title);
  gtk_entry_set_placeholder_text (GTK_ENTRY (name), _ ("Name"));
  gtk_widget_set_hexpand (name, TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (name),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Name of the Bookmark"), -1);
  gtk_widget_set_tooltip_text (remove, _ ("Remove"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (remove),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Remove the Bookmark"), -1);
  gtk_widget_add_css_class (remove, "flat");
  g_signal_connect (go, "clicked", G_CALLBACK (go_cb), self);
  g_signal_connect (name, "activate", G_CALLBACK (name_done_cb), self);
  g_signal_connect (focus, "leave", G_CALLBACK (name_left_cb), self);
  g_signal_connect (remove, "clicked", G_CALLBACK (remove_cb), self);
  gtk_widget_add_controller (name, focus);
  gtk_box_append (GTK_BOX (row), go);
  gtk_box_append (GTK_BOX (row), name);
  gtk_box_append (GTK_BOX (row), remove);
  return row;
}

/* Whether the rows stand for the bookmarks, one by one. */
static gboolean
rows_match (TophashNotes     *self,
            const TraceNotes *notes) {
  GtkWidget *row = gtk_widget_get_first_child (GTK_WIDGET (self->rows));

  for (guint i = 0; i < notes->bookmarks->len; i++) {
    const TraceBookmark *bookmark = notes->bookmarks->pdata[i];

    if (row == NULL || id_of (row) != bookmark->id)
      return FALSE;
    row = gtk_widget_get_next_sibling (row);
  }
  return row == NULL;
}

static GtkWidget *
entry_of (GtkWidget *row) {
  return gtk_widget_get_next_sibling (gtk_widget_get_first_child (row));
}

static void
fill_names (TophashNotes     *self,
            const TraceNotes *notes) {
  GtkWidget *row = gtk_widget_get_first_child (GTK_WIDGET (self->rows));

  for (guint i = 0; i < notes->bookmarks->len; i++) {
    const TraceBookmark *bookmark = notes->bookmarks->pdata[i];
    GtkEditable *entry = GTK_EDITABLE (entry_of (row));

    if (g_strcmp0 (gtk_editable_get_text (entry), bookmark->title) != 0)
      gtk_editable_set_text (entry, bookmark->title);
    gtk_widget_set_tooltip_text (GTK_WIDGET (entry), bookmark->title);
    row = gtk_widget_get_next_sibling (row);
  }
}

static void
fill_rows (TophashNotes     *self,
           const TraceNotes *notes) {
  GtkWidget *child;

  if (notes != NULL && rows_match (self, notes)) {
    fill_names (self, notes);
  } else {
    while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->rows))) != NULL)
      gtk_box_remove (self->rows, child);
    for (guint i = 0; notes != NULL && i < notes->bookmarks->len; i++)
      gtk_box_append (self->rows, row_new (self, notes->bookmarks->pdata[i]));
  }
  gtk_widget_set_visible (GTK_WIDGET (self->no_rows),
                          notes == NULL || notes->bookmarks->len == 0);
}

void
tophash_notes_edit (TophashNotes *self,
                    guint64       id) {
  g_return_if_fail (TOPHASH_IS_NOTES (self));

  for (GtkWidget *row = gtk_widget_get_first_child (GTK_WIDGET (self->rows));
       row != NULL; row = gtk_widget_get_next_sibling (row))
    if (id_of (row) == id)
      gtk_widget_grab_focus (entry_of (row));
}

/* The text ----------------------------------------------------------------- */

static void
take_text (TophashNotes *self) {
  GtkTextIter start, end;
  g_autofree char *text = NULL;

  g_clear_handle_id (&self->text_id, g_source_remove);
  if (self->session == NULL)
    return;
  gtk_text_buffer_get_bounds (self->text, &start, &end);
  text = gtk_text_buffer_get_text (self->text, &start, &end, FALSE);
  tophash_session_set_text (self->session, text);
}

static gboolean
text_rests_cb (gpointer data) {
  TophashNotes *self = data;

  self->text_id = 0;
  take_text (self);
  return G_SOURCE_REMOVE;
}

static void
text_changed_cb (TophashNotes *self) {
  if (self->is_filling)
    return;
  g_clear_handle_id (&self->text_id, g_source_remove);
  self->text_id = g_timeout_add (TEXT_REST_MS, text_rests_cb, self);
}

static void
fill_text (TophashNotes     *self,
           const TraceNotes *notes) {
  GtkTextIter start, end;
  g_autofree char *shown = NULL;
  const char *text = notes != NULL && notes->text != NULL ? notes->text : "";

  gtk_text_buffer_get_bounds (self->text, &start, &end);
  shown = gtk_text_buffer_get_text (self->text, &start, &end, FALSE);
  if (g_strcmp0 (shown, text) != 0)
    gtk_text_buffer_set_text (self->text, text, -1);
}

/* All ---------------------------------------------------------------------- */

void
tophash_notes_take (TophashNotes *self) {
  GtkWidget *row, *next;

  g_return_if_fail (TOPHASH_IS_NOTES (self));

  /* Names alone change: the rows stay while we go along them. */
  for (row = gtk_widget_get_first_child (GTK_WIDGET (self->rows)); row != NULL;
       row = next) {
    next = gtk_widget_get_next_sibling (row);
    take_name (entry_of (row), self);
  }
  if (self->text_id != 0)
    take_text (self);
}

static void
fill_marker (TophashNotes *self,
             guint         which,
             GtkLabel     *label) {
  SessionMarker marker;
  g_autofree char *time = NULL;

  if (self->session != NULL
      && tophash_session_get_marker (self->session, which, &marker))
    time = tophash_draw_format_time (marker.at_ns);
  gtk_label_set_text (label, time != NULL ? time : _ ("not set"));
}

static void
fill_markers (TophashNotes *self) {
  g_autofree char *text
      = self->session != NULL ? describe_difference (self->session) : NULL;

  fill_marker (self, 0, self->marker_a);
  fill_marker (self, 1, self->marker_b);
  gtk_label_set_text (self->difference, text != NULL ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (self->difference), text != NULL);
}

static void
fill (TophashNotes *self) {
  const TraceNotes *notes = self->session == NULL
                                ? NULL
                                : tophash_session_get_notes (self->session);

  /* What is written where there is no recording would be nowhere. */
  gtk_widget_set_sensitive (self->text_view, notes != NULL);
  self->is_filling = TRUE;
  fill_rows (self, notes);
  if (self->text_id == 0)
    fill_text (self, notes);
  self->is_filling = FALSE;
}

static void
changed_cb (TophashSession       *session,
            TophashSessionChange  what,
            TophashNotes         *self) {
  if (what & SESSION_CHANGE_LOG)
    g_clear_handle_id (&self->text_id, g_source_remove);
  if (what & (SESSION_CHANGE_LOG | SESSION_CHANGE_NOTES))
    fill (self);
  if (what & (SESSION_CHANGE_LOG | SESSION_CHANGE_MARKERS))
    fill_markers (self);
}

static void
tophash_notes_dispose (GObject *object) {
  TophashNotes *self = TOPHASH_NOTES (object);

  if (self->text_id != 0)
    take_text (self);
  if (self->session != NULL)
    g_clear_signal_handler (&self->changed_id, self->session);
  g_clear_object (&self->session);
  g_clear_pointer (&self->root, gtk_widget_unparent);
  G_OBJECT_CLASS (tophash_notes_parent_class)->dispose (object);
}

#define BIND(name)                                                            \
  gtk_widget_class_bind_template_child (widget_class, TophashNotes, name)

static void
tophash_notes_class_init (TophashNotesClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tophash_notes_dispose;
  gtk_widget_class_set_template_from_resource (
      widget_class, "/io/github/tophash/Tophash/ui/tophash-notes.ui");
  BIND (root);
  BIND (rows);
  BIND (no_rows);
  BIND (undo_button);
  BIND (marker_a);
  BIND (marker_b);
  BIND (difference);
  BIND (text_view);
  BIND (text);
  gtk_widget_class_bind_template_callback (widget_class, text_changed_cb);
  gtk_widget_class_set_css_name (widget_class, "notes");
}

#undef BIND

static void
tophash_notes_init (TophashNotes *self) {
  gtk_widget_init_template (GTK_WIDGET (self));
  fill (self);
  fill_markers (self);
}

GtkWidget *
tophash_notes_new (void) {
  return g_object_new (TOPHASH_TYPE_NOTES, NULL);
}

void
tophash_notes_set_session (TophashNotes   *self,
                           TophashSession *session) {
  g_return_if_fail (TOPHASH_IS_NOTES (self));

  /* What was typed is of the session that is left. */
  if (self->session != session && self->text_id != 0)
    take_text (self);
  if (!session_link (&self->session, &self->changed_id, session,
                     G_CALLBACK (changed_cb), self))
    return;
  fill (self);
  fill_markers (self);
}
