/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-key-life.c — all that happened to the chosen key, newest last
 *
 * The last events before the cursor, in every structure that the key was in; each
 * is a button that takes the cursor there. Above them a button fetches a page of
 * earlier ones, until the key's first event heads the list.
 *
 * Pages       are looked up in a task, at most every LIFE_US while the cursor
 *             moves; the newest request wins and cancels the one before. A page
 *             of the end replaces what is shown, one of earlier events is put
 *             before it. Going to an event that is shown keeps the list as it is,
 *             so that one can go along it.
 */
#include "widgets/tophash-key-life.h"

#include "core/model/narrator.h"
#include "core/model/task-owner.h"
#include "widgets/session-link.h"
#include "widgets/tophash-draw.h"

#define LIFE_US 250000
#define FIRST_PAGE 7u
/* Each row costs a state, to tell what the event met. */
#define NEXT_PAGE 20u

struct _TophashKeyLife {
  GtkWidget parent_instance;

  /* Template */
  GtkBox    *root;
  GtkWidget *earlier_button;
  GtkLabel  *busy;
  GtkWidget *none;
  GtkBox    *rows;

  /* Owned */
  TophashSession *session;
  GCancellable   *job; /* NULL: nothing is looked up */

  gulong   changed_id;
  guint    ask_id;    /* timeout of a postponed look-up */
  gint64   asked_us;  /* when the last one was asked for */
  gint64   key;       /* whose life is shown */
  guint64  from;      /* where earlier ones are looked for; 0: there are none */
  guint    n_rows;
  guint64  going_to;  /* after an event that is shown; G_MAXUINT64: nowhere */
};

G_DEFINE_FINAL_TYPE (TophashKeyLife, tophash_key_life, GTK_TYPE_WIDGET)

/* Looking up --------------------------------------------------------------- */

typedef struct {
  Timeline  *timeline;
  char      *key_format;
  gint64     key;
  guint64    before;    /* events before this position … */
  guint      max;       /* … at most so many */
  gboolean   is_first;  /* a page of the end */
  guint64    next;      /* the result: where earlier ones are */
  GArray    *indices;   /* of guint64 */
  GPtrArray *sentences; /* of char*, one for each */
} Page;

static void
page_free (gpointer data) {
  Page *page = data;

  timeline_unref (page->timeline);
  g_free (page->key_format);
  g_array_unref (page->indices);
  g_ptr_array_unref (page->sentences);
  g_free (page);
}

static void
look_up (GTask        *task,
         gpointer      source,
         gpointer      data,
         GCancellable *cancellable) {
  Page *page = data;
  TraceLog *log = timeline_get_log (page->timeline);

  page->next = timeline_get_key_page (page->timeline, page->key, page->before,
                                      page->max, cancellable, page->indices);
  for (guint i = 0; i < page->indices->len; i++) {
    guint64 index = g_array_index (page->indices, guint64, i);
    g_autoptr (MapState) before = NULL;
    Event event = { 0 };

    if (g_cancellable_is_cancelled (cancellable))
      break;
    before = timeline_seek (page->timeline, index, cancellable);
    if (before == NULL || !tracelog_get_event (log, index, &event))
      g_ptr_array_add (page->sentences, g_strdup (""));
    else
      g_ptr_array_add (page->sentences,
                       narrator_event (&event, before, page->key_format,
                                       NARRATION_PLAIN));
  }
  g_task_return_boolean (task, TRUE);
}

/* Rows --------------------------------------------------------------------- */

/* Without rows. Those of a first page are only hidden and shown again with other
 * words: to make them, and to find their styles, takes 4 ms. */
static void
clear (TophashKeyLife *self) {
  GtkWidget *child = gtk_widget_get_first_child (GTK_WIDGET (self->rows));

  for (guint n = 0; child != NULL; n++) {
    GtkWidget *next = gtk_widget_get_next_sibling (child);

    if (n < FIRST_PAGE)
      gtk_widget_set_visible (child, FALSE);
    else
      gtk_box_remove (self->rows, child);
    child = next;
  }
  gtk_widget_set_visible (self->none, FALSE);
  self->n_rows = 0;
  self->from = 0;
}

static void
clicked_cb (GtkButton      *button,
            TophashKeyLife *self) {
  guint64 *index = g_object_get_data (G_OBJECT (button), "index");

  self->going_to = *index + 1;
  tophash_session_seek (self->session, self->going_to);
}

/* In a grid: a box, which asks how wide its child is when it is so high, has a text
 * broken into lines of ten widths to find out, 2 ms a row. */
static GtkWidget *
row_new (TophashKeyLife *self) {
  GtkWidget *row = gtk_button_new ();
  GtkWidget *grid = gtk_grid_new ();
  GtkWidget *text = gtk_label_new (NULL);
  GtkWidget *link = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (text), 0);
  gtk_label_set_wrap (GTK_LABEL (text), TRUE);
  gtk_widget_set_hexpand (text, TRUE);
  gtk_widget_add_css_class (text, "caption");
  gtk_widget_add_css_class (link, "caption");
  gtk_widget_add_css_class (link, "accent");
  gtk_widget_add_css_class (link, "numeric");
  gtk_widget_set_valign (link, GTK_ALIGN_START);
  gtk_grid_set_column_spacing (GTK_GRID (grid), 8);
  gtk_grid_attach (GTK_GRID (grid), text, 0, 0, 1, 1);
  gtk_grid_attach (GTK_GRID (grid), link, 1, 0, 1, 1);
  gtk_button_set_child (GTK_BUTTON (row), grid);
  gtk_widget_add_css_class (row, "flat");
  gtk_widget_add_css_class (row, "life-row");
  gtk_widget_set_focus_on_click (row, FALSE);
  g_object_set_data (G_OBJECT (row), "text", text);
  g_object_set_data (G_OBJECT (row), "link", link);
  g_signal_connect (row, "clicked", G_CALLBACK (clicked_cb), self);
  return row;
}

static void
row_tell (GtkWidget  *row,
          const char *sentence,
          guint64     index) {
  g_autofree char *count = tophash_draw_format_count (index + 1);
  g_autofree char *number = g_strdup_printf ("#%s", count);

  gtk_label_set_text (g_object_get_data (G_OBJECT (row), "text"), sentence);
  gtk_label_set_text (g_object_get_data (G_OBJECT (row), "link"), number);
  g_object_set_data_full (G_OBJECT (row), "index",
                          g_memdup2 (&index, sizeof index), g_free);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL, sentence, -1);
  gtk_widget_set_visible (row, TRUE);
}

static void
set_busy (TophashKeyLife *self,
          gboolean        is_busy) {
  gtk_widget_set_visible (GTK_WIDGET (self->busy), is_busy);
  gtk_widget_set_visible (self->earlier_button, !is_busy && self->from > 0);
}

static void
show_page (TophashKeyLife *self,
           const Page     *page) {
  GtkWidget *hidden = NULL;

  if (page->is_first) {
    clear (self);
    hidden = gtk_widget_get_last_child (GTK_WIDGET (self->rows));
  }
  /* Each before the one that was put before it. */
  for (guint i = page->sentences->len; i-- > 0;) {
    GtkWidget *row = hidden != NULL ? hidden : row_new (self);

    if (hidden != NULL)
      hidden = gtk_widget_get_prev_sibling (hidden);
    else
      gtk_box_prepend (self->rows, row);
    row_tell (row, page->sentences->pdata[i],
              g_array_index (page->indices, guint64, i));
  }
  self->n_rows += page->sentences->len;
  self->from = page->next;
  set_busy (self, FALSE);
  /* Of a key that has none yet, that is its life. */
  gtk_widget_set_visible (self->none, self->n_rows == 0 && self->from == 0);
  gtk_widget_set_visible (GTK_WIDGET (self->root), TRUE);
}

static void
looked_up_cb (GObject      *source,
              GAsyncResult *result,
              gpointer      data) {
  TophashKeyLife *self = TOPHASH_KEY_LIFE (source);
  GCancellable *job = g_task_get_cancellable (G_TASK (result));

  /* Another one took its place, or the session is gone. */
  if (self->job != job || g_cancellable_is_cancelled (job))
    return;
  g_clear_object (&self->job);
  show_page (self, g_task_get_task_data (G_TASK (result)));
}

static void
cancel (TophashKeyLife *self) {
  if (self->job != NULL)
    g_cancellable_cancel (self->job);
  g_clear_object (&self->job);
}

static void
ask_for (TophashKeyLife *self,
         guint64         before,
         gboolean        is_first) {
  g_autoptr (GTask) task = NULL;
  Page *page = g_new0 (Page, 1);

  cancel (self);
  page->timeline = timeline_ref (tophash_session_get_timeline (self->session));
  page->key_format = g_strdup (tophash_session_get_key_format (self->session));
  page->key = self->key;
  page->before = before;
  page->max = is_first ? FIRST_PAGE : NEXT_PAGE;
  page->is_first = is_first;
  page->indices = g_array_new (FALSE, FALSE, sizeof (guint64));
  page->sentences = g_ptr_array_new_with_free_func (g_free);
  self->job = g_cancellable_new ();
  task = g_task_new (self, self->job, looked_up_cb, NULL);
  task_keep_owner (task, self);
  g_task_set_task_data (task, page, page_free);
  g_task_run_in_thread (task, look_up);
}

/* Following ---------------------------------------------------------------- */

/* Asks for the end of the life of what is chosen. */
static void
ask (TophashKeyLife *self) {
  const TophashSelection *selection
      = tophash_session_get_selection (self->session);

  g_clear_handle_id (&self->ask_id, g_source_remove);
  if (selection->kind != SELECTION_SLOT || !selection->has_key
      || tophash_session_get_timeline (self->session) == NULL) {
    cancel (self);
    clear (self);
    gtk_widget_set_visible (GTK_WIDGET (self->root), FALSE);
    return;
  }
  if (self->key != selection->key)
    clear (self);
  self->going_to = G_MAXUINT64;
  self->key = selection->key;
  self->asked_us = g_get_monotonic_time ();
  ask_for (self, tophash_session_get_position (self->session), TRUE);
}

static gboolean
ask_cb (gpointer data) {
  TophashKeyLife *self = data;

  self->ask_id = 0;
  if (self->session != NULL)
    ask (self);
  return G_SOURCE_REMOVE;
}

static void
ask_soon (TophashKeyLife *self) {
  gint64 due_us = self->asked_us + LIFE_US - g_get_monotonic_time ();

  if (self->ask_id != 0)
    return;
  if (due_us <= 0)
    ask (self);
  else
    self->ask_id = g_timeout_add ((guint)(due_us / 1000 + 1), ask_cb, self);
}

static void
changed_cb (TophashSession       *session,
            TophashSessionChange  what,
            TophashKeyLife       *self) {
  const TophashSelection *selection = tophash_session_get_selection (session);
  gboolean is_same = selection->kind == SELECTION_SLOT && selection->has_key
                     && selection->key == self->key && self->n_rows > 0;
  gboolean is_going
      = is_same && self->going_to == tophash_session_get_position (session);

  if (!is_going)
    self->going_to = G_MAXUINT64;
  if ((what & SESSION_CHANGE_LOG)
      || ((what & SESSION_CHANGE_SELECTION) && !is_same))
    ask (self);
  else if ((what & (SESSION_CHANGE_SELECTION | SESSION_CHANGE_CURSOR))
           && !is_going)
    ask_soon (self);
}

void
tophash_key_life_show_earlier (TophashKeyLife *self) {
  g_return_if_fail (TOPHASH_IS_KEY_LIFE (self));

  if (self->session == NULL || self->from == 0)
    return;
  g_clear_handle_id (&self->ask_id, g_source_remove);
  ask_for (self, self->from, FALSE);
  set_busy (self, TRUE);
}

static void
earlier_cb (TophashKeyLife *self) {
  tophash_key_life_show_earlier (self);
}

guint
tophash_key_life_get_n_rows (TophashKeyLife *self) {
  g_return_val_if_fail (TOPHASH_IS_KEY_LIFE (self), 0);

  return self->n_rows;
}

gboolean
tophash_key_life_is_whole (TophashKeyLife *self) {
  g_return_val_if_fail (TOPHASH_IS_KEY_LIFE (self), FALSE);

  return self->n_rows > 0 && self->from == 0 && self->job == NULL;
}

/* The object --------------------------------------------------------------- */

static void
tophash_key_life_dispose (GObject *object) {
  TophashKeyLife *self = TOPHASH_KEY_LIFE (object);

  g_clear_handle_id (&self->ask_id, g_source_remove);
  cancel (self);
  if (self->session != NULL)
    g_clear_signal_handler (&self->changed_id, self->session);
  g_clear_object (&self->session);
  if (self->root != NULL) {
    gtk_widget_unparent (GTK_WIDGET (self->root));
    self->root = NULL;
  }
  G_OBJECT_CLASS (tophash_key_life_parent_class)->dispose (object);
}

static void
tophash_key_life_class_init (TophashKeyLifeClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tophash_key_life_dispose;
  gtk_widget_class_set_template_from_resource (
      widget_class, "/io/github/tophash/Tophash/ui/tophash-key-life.ui");
  gtk_widget_class_bind_template_child (widget_class, TophashKeyLife, root);
  gtk_widget_class_bind_template_child (widget_class, TophashKeyLife,
                                        earlier_button);
  gtk_widget_class_bind_template_child (widget_class, TophashKeyLife, busy);
  gtk_widget_class_bind_template_child (widget_class, TophashKeyLife, none);
  gtk_widget_class_bind_template_child (widget_class, TophashKeyLife, rows);
  gtk_widget_class_bind_template_callback (widget_class, earlier_cb);
  gtk_widget_class_set_css_name (widget_class, "keylife");
}

static void
tophash_key_life_init (TophashKeyLife *self) {
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
tophash_key_life_new (void) {
  return g_object_new (TOPHASH_TYPE_KEY_LIFE, NULL);
}

void
tophash_key_life_set_session (TophashKeyLife *self,
                              TophashSession *session) {
  g_return_if_fail (TOPHASH_IS_KEY_LIFE (self));

  if (!session_link (&self->session, &self->changed_id, session,
                     G_CALLBACK (changed_cb), self))
    return;
  cancel (self);
  if (session != NULL)
    ask (self);
}
