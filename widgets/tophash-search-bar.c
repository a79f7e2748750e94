/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-search-bar.c — asking a recording where something was so
 *
 * A query is asked as it is typed. While it cannot be read yet, the former one
 * stays and a quiet line says what is still wanted; Enter makes that line a
 * complaint. Enter, and the arrows, go from hit to hit. Escape ends the search
 * and takes its ticks away.
 *
 * The language is told in event-query.h; the button beside the entry shows it by
 * examples, each of which can be pressed. Whoever types one of their sentences
 * instead, or its beginning, or just an operation's name, or half a word of the
 * language, is offered the query that it stands for: a press, or Enter, takes it.
 */
#include "widgets/tophash-search-bar.h"

#include "widgets/session-link.h"
#include "widgets/tophash-draw.h"

#include <glib/gi18n.h>

/* At least, of the entry; beside it stands what was found, where there is room as
 * wide as its longest usual words, so that no button moves while it counts. */
#define WIDE_CHARS 6
#define NARROW_CHARS 4
#define FOUND_CHARS 10
#define FOUND_MOST_CHARS 20 /* "12 345 so far · 43 %" */
#define NARROW_EXAMPLE_CHARS 18
#define WORD_JOINER "\xe2\x81\xa0"
#define LEAST_MEANING_CHARS 4 /* typed, before a sentence is guessed */

struct _TophashSearchBar {
  GtkWidget parent_instance;

  /* Template */
  GtkSearchBar   *bar;
  GtkSearchEntry *entry;
  GtkLabel       *found;
  GtkWidget      *previous_button;
  GtkWidget      *next_button;
  GtkLabel       *problem;
  GtkButton      *offer;
  GtkMenuButton  *help_button;
  GtkBox         *examples;
  GtkLabel       *words;

  /* Owned */
  TophashSession *session;

  char       *offered;      /* a query; NULL: none is offered */
  GtkWidget  *focus_before; /* weak: who had it when the bar was opened */
  gulong      changed_id;
  gboolean    is_narrow;
};

G_DEFINE_FINAL_TYPE (TophashSearchBar, tophash_search_bar, GTK_TYPE_WIDGET)

enum {
  PROP_0,
  PROP_OPEN,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static TimelineSearch *
get_search (TophashSearchBar *self) {
  return self->session == NULL ? NULL
                               : tophash_session_get_search (self->session);
}

/* "3 of 480", "480 places", "17 so far · 43 %" */
static char *
describe_hits (TophashSearchBar *self,
               TimelineSearch   *search) {
  guint64 n = timeline_search_get_n (search);
  guint64 position = tophash_session_get_position (self->session);
  guint64 at = timeline_search_count_to (search, position);
  guint64 length
      = tracelog_get_length (tophash_session_get_log (self->session));
  double part = length == 0 ? 1
                            : (double)timeline_search_get_progress (search)
                                  / (double)length;
  gboolean is_complete = timeline_search_is_complete (search);
  g_autofree char *count = tophash_draw_format_count (n);
  g_autofree char *rank = tophash_draw_format_count (at);
  SearchHit hit;

  /* A search that keeps up with a run has no end to wait for. */
  if (!is_complete && part < 0.99)
    return g_strdup_printf (_ ("%s so far · %.0f %%"), count, 100 * part);
  if (n == 0)
    return g_strdup (is_complete ? _ ("nothing found") : _ ("nothing so far"));
  if (at > 0 && timeline_search_get (search, at - 1, &hit)
      && hit.position == position)
    return g_strdup_printf (_ ("%s of %s"), rank, count);
  return g_strdup_printf (ngettext ("%s place", "%s places", n), count);
}

/* Where the focus is, what became of the question is heard. */
static void
describe (TophashSearchBar *self,
          const char       *text) {
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->entry),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, -1);
}

static void
update (TophashSearchBar *self) {
  TimelineSearch *search = get_search (self);
  g_autofree char *text = search == NULL ? g_strdup ("")
                                         : describe_hits (self, search);
  gboolean has_hits = search != NULL && timeline_search_get_n (search) > 0;

  if (g_strcmp0 (gtk_label_get_text (self->found), text) != 0) {
    gtk_label_set_text (self->found, text);
    /* Not each part of a search that goes on. */
    if (search != NULL && timeline_search_is_complete (search))
      describe (self, text);
  }
  gtk_widget_set_visible (GTK_WIDGET (self->found), !self->is_narrow || *text != '\0');
  gtk_widget_set_sensitive (self->previous_button, has_hits);
  gtk_widget_set_sensitive (self->next_button, has_hits);
}

/* (transfer full) (nullable): what asks for the operation called @name. */
static char *
query_of_op (const char *name) {
  for (guint kind = 0; kind < OP_N_KINDS; kind++)
    if (g_strcmp0 (op_kind_name (kind), name) == 0)
      return g_strdup_printf ("op = %s", name);
  return NULL;
}

/* (transfer full): the query of the operation that is named, or of the example whose
 * sentence begins with @text, however it is spelt, or @text with its last word whole;
 * NULL: none. */
static char *
query_meant (TophashSearchBar *self,
             const char       *text) {
  g_autofree char *trimmed = g_strstrip (g_strdup (text));
  g_autofree char *typed = g_utf8_casefold (trimmed, -1);
  char *query = query_of_op (typed);

  if (query != NULL || g_utf8_strlen (typed, -1) < LEAST_MEANING_CHARS)
    return query;
  for (const EventQueryExample *example = event_query_examples ();
       example->query != NULL; example++) {
    g_autofree char *meaning = g_utf8_casefold (_ (example->meaning), -1);
    g_autofree char *source = g_utf8_casefold (example->meaning, -1);

    if (g_str_has_prefix (meaning, typed) || g_str_has_prefix (source, typed))
      return g_strdup (example->query);
  }
  return event_query_complete (text,
                               tophash_session_get_key_format (self->session));
}

/* @query (transfer full): NULL: nothing is offered. */
static void
offer (TophashSearchBar *self,
       char             *query) {
  g_autofree char *words = NULL;

  g_free (self->offered);
  self->offered = query;
  gtk_widget_set_visible (GTK_WIDGET (self->offer), query != NULL);
  if (query == NULL)
    return;
  words = g_strdup_printf (_ ("Find: %s"), query);
  gtk_button_set_label (self->offer, words);
}

/* @problem: NULL: none. */
static void
tell_problem (TophashSearchBar *self,
              const char       *problem,
              gboolean          is_complaint) {
  gtk_widget_set_visible (GTK_WIDGET (self->problem), problem != NULL);
  gtk_label_set_text (self->problem, problem != NULL ? problem : "");
  describe (self, problem != NULL ? problem : "");
  if (problem != NULL && is_complaint) {
    gtk_widget_add_css_class (GTK_WIDGET (self->entry), "error");
    gtk_widget_add_css_class (GTK_WIDGET (self->problem), "error");
  } else {
    gtk_widget_remove_css_class (GTK_WIDGET (self->entry), "error");
    gtk_widget_remove_css_class (GTK_WIDGET (self->problem), "error");
  }
  gtk_accessible_update_state (GTK_ACCESSIBLE (self->entry),
                               GTK_ACCESSIBLE_STATE_INVALID,
                               problem != NULL && is_complaint
                                   ? GTK_ACCESSIBLE_INVALID_TRUE
                                   : GTK_ACCESSIBLE_INVALID_FALSE,
                               -1);
}

/* Asks for what stands in the entry. FALSE: it cannot be read. */
static gboolean
ask (TophashSearchBar *self,
     gboolean          is_complaint) {
  g_autoptr (GError) error = NULL;
  g_autofree char *problem = NULL;
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->entry));
  gboolean is_read;

  if (self->session == NULL)
    return FALSE;
  is_read = tophash_session_search (self->session, text, &error);
  /* A newcomer asks in plain words: where the language stands helps them more
   * than where they went wrong. */
  offer (self, is_read ? NULL : query_meant (self, text));
  if (!is_read && self->offered == NULL)
    problem = g_strdup_printf (_ ("%s. Examples stand under the question mark."),
                               error->message);
  tell_problem (self, problem, is_complaint);
  update (self);
  return is_read;
}

/* Round the end: from the last hit to the first, and back. */
static gboolean
wrap (TophashSearchBar *self,
      TimelineSearch   *search,
      gboolean          forward) {
  guint64 n = timeline_search_get_n (search);
  SearchHit hit;

  if (n == 0 || !timeline_search_get (search, forward ? 0 : n - 1, &hit))
    return FALSE;
  tophash_session_seek (self->session, hit.position);
  return TRUE;
}

void
tophash_search_bar_step (TophashSearchBar *self,
                         gboolean          forward) {
  TimelineSearch *search;

  g_return_if_fail (TOPHASH_IS_SEARCH_BAR (self));

  search = get_search (self);
  if (search == NULL)
    return;
  if (!tophash_session_step_hit (self->session, forward)
      && !wrap (self, search, forward))
    gtk_widget_error_bell (GTK_WIDGET (self));
  update (self);
}

static void
search_changed_cb (TophashSearchBar *self) {
  ask (self, FALSE);
}

static void
take_query (TophashSearchBar *self,
            const char       *query) {
  gtk_editable_set_text (GTK_EDITABLE (self->entry), query);
  gtk_editable_set_position (GTK_EDITABLE (self->entry), -1);
  ask (self, TRUE);
  gtk_widget_grab_focus (GTK_WIDGET (self->entry));
}

static void
offer_cb (TophashSearchBar *self) {
  g_autofree char *query = g_strdup (self->offered);

  if (query != NULL)
    take_query (self, query);
}

static void
activate_cb (TophashSearchBar *self) {
  TimelineSearch *search = get_search (self);
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->entry));

  /* A search under way for just this is not begun anew. */
  if (search != NULL && self->offered == NULL
      && !gtk_widget_get_visible (GTK_WIDGET (self->problem)) && *text != '\0') {
    tophash_search_bar_step (self, TRUE);
    return;
  }
  if (ask (self, TRUE))
    tophash_search_bar_step (self, TRUE);
  else
    offer_cb (self);
}

static void
previous_cb (TophashSearchBar *self) {
  tophash_search_bar_step (self, FALSE);
}

static void
next_cb (TophashSearchBar *self) {
  tophash_search_bar_step (self, TRUE);
}

/* (nullable) */
static GtkWidget *
get_focus (TophashSearchBar *self) {
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));

  return root != NULL ? gtk_root_get_focus (root) : NULL;
}

/* What had the focus before has it again: left alone, GTK would give it to whatever
 * stands beside the bar, and the next space would press that. */
static void
close_bar (TophashSearchBar *self) {
  GtkWidget *focus = get_focus (self);
  gboolean is_inside
    = focus != NULL && gtk_widget_is_ancestor (focus, GTK_WIDGET (self));

  gtk_search_bar_set_search_mode (self->bar, FALSE);
  if (is_inside && self->focus_before != NULL
      && gtk_widget_get_mapped (self->focus_before))
    gtk_widget_grab_focus (self->focus_before);
  g_clear_weak_pointer (&self->focus_before);
}

static void
close_cb (TophashSearchBar *self) {
  close_bar (self);
}

static void
mode_changed_cb (TophashSearchBar *self) {
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_OPEN]);
  if (self->session != NULL && !gtk_search_bar_get_search_mode (self->bar)) {
    tophash_session_search (self->session, NULL, NULL);
    tell_problem (self, NULL, FALSE);
    offer (self, NULL);
  }
}

static void
example_cb (GtkButton        *button,
            TophashSearchBar *self) {
  const char *query = g_object_get_data (G_OBJECT (button), "query");

  gtk_menu_button_popdown (self->help_button);
  take_query (self, query);
}

static void
let_wrap (GtkLabel *label) {
  gtk_label_set_xalign (label, 0);
  gtk_label_set_wrap (label, TRUE);
  gtk_label_set_wrap_mode (label, PANGO_WRAP_WORD_CHAR);
}

static GtkWidget *
example_new (TophashSearchBar        *self,
             const EventQueryExample *example) {
  GtkWidget *button = gtk_button_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *query = gtk_label_new (example->query);
  GtkWidget *meaning = gtk_label_new (_ (example->meaning));

  let_wrap (GTK_LABEL (query));
  let_wrap (GTK_LABEL (meaning));
  gtk_widget_add_css_class (query, "monospace");
  gtk_widget_add_css_class (query, "example-query");
  gtk_widget_add_css_class (meaning, "caption");
  gtk_widget_add_css_class (meaning, "dim-label");
  gtk_box_append (GTK_BOX (box), query);
  gtk_box_append (GTK_BOX (box), meaning);
  gtk_button_set_child (GTK_BUTTON (button), box);
  gtk_widget_add_css_class (button, "flat");
  gtk_accessible_update_property (GTK_ACCESSIBLE (button),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ (example->meaning),
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  example->query, -1);
  g_object_set_data (G_OBJECT (button), "query", (gpointer)example->query);
  g_signal_connect (button, "clicked", G_CALLBACK (example_cb), self);
  return button;
}

static void
changed_cb (TophashSession       *session,
            TophashSessionChange  what,
            TophashSearchBar     *self) {
  if (!gtk_search_bar_get_search_mode (self->bar))
    return;
  /* Another recording is asked the same. */
  if (what & SESSION_CHANGE_LOG)
    ask (self, FALSE);
  else if (what & (SESSION_CHANGE_SEARCH | SESSION_CHANGE_CURSOR))
    update (self);
}

static void
tophash_search_bar_get_property (GObject    *object,
                                 guint       property,
                                 GValue     *value,
                                 GParamSpec *pspec) {
  if (property == PROP_OPEN)
    g_value_set_boolean (value,
                         tophash_search_bar_is_open (TOPHASH_SEARCH_BAR (object)));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, pspec);
}

static void
tophash_search_bar_set_property (GObject      *object,
                                 guint         property,
                                 const GValue *value,
                                 GParamSpec   *pspec) {
  if (property == PROP_OPEN)
    tophash_search_bar_open (TOPHASH_SEARCH_BAR (object),
                             g_value_get_boolean (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property, pspec);
}

static void
tophash_search_bar_dispose (GObject *object) {
  TophashSearchBar *self = TOPHASH_SEARCH_BAR (object);

  if (self->session != NULL)
    g_clear_signal_handler (&self->changed_id, self->session);
  g_clear_object (&self->session);
  g_clear_weak_pointer (&self->focus_before);
  g_clear_pointer (&self->offered, g_free);
  if (self->bar != NULL) {
    g_signal_handlers_disconnect_by_data (self->bar, self);
    gtk_widget_unparent (GTK_WIDGET (self->bar));
    self->bar = NULL;
  }
  G_OBJECT_CLASS (tophash_search_bar_parent_class)->dispose (object);
}

static void
tophash_search_bar_class_init (TophashSearchBarClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tophash_search_bar_dispose;
  G_OBJECT_CLASS (klass)->get_property = tophash_search_bar_get_property;
  G_OBJECT_CLASS (klass)->set_property = tophash_search_bar_set_property;
  properties[PROP_OPEN] = g_param_spec_boolean (
      "open", NULL, NULL, FALSE,
      G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (G_OBJECT_CLASS (klass), N_PROPERTIES,
                                     properties);
  gtk_widget_class_set_template_from_resource (
      widget_class, "/io/github/tophash/Tophash/ui/tophash-search-bar.ui");
  gtk_widget_class_bind_template_child (widget_class, TophashSearchBar, bar);
  gtk_widget_class_bind_template_child (widget_class, TophashSearchBar, entry);
  gtk_widget_class_bind_template_child (widget_class, TophashSearchBar, found);
  gtk_widget_class_bind_template_child (widget_class, TophashSearchBar,
                                        previous_button);
  gtk_widget_class_bind_template_child (widget_class, TophashSearchBar,
                                        next_button);
  gtk_widget_class_bind_template_child (widget_class, TophashSearchBar, problem);
  gtk_widget_class_bind_template_child (widget_class, TophashSearchBar, offer);
  gtk_widget_class_bind_template_child (widget_class, TophashSearchBar,
                                        help_button);
  gtk_widget_class_bind_template_child (widget_class, TophashSearchBar, examples);
  gtk_widget_class_bind_template_child (widget_class, TophashSearchBar, words);
  gtk_widget_class_bind_template_callback (widget_class, search_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, activate_cb);
  gtk_widget_class_bind_template_callback (widget_class, previous_cb);
  gtk_widget_class_bind_template_callback (widget_class, offer_cb);
  gtk_widget_class_bind_template_callback (widget_class, next_cb);
  gtk_widget_class_bind_template_callback (widget_class, mode_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, close_cb);
  gtk_widget_class_set_css_name (widget_class, "tophashsearchbar");
}

/* A bar that slides in has no entry on screen until its first frame, and what is
 * typed by then is lost: Ctrl+F and on at once. So it is there at once, by a slide
 * that takes no time; without any a closed bar would keep its room. */
static void
stop_sliding (GtkSearchBar *bar) {
  GtkWidget *revealer = gtk_widget_get_first_child (GTK_WIDGET (bar));

  if (GTK_IS_REVEALER (revealer))
    gtk_revealer_set_transition_duration (GTK_REVEALER (revealer), 0);
}

/* (transfer full): no line of it ends within a word. */
static char *
list_words (void) {
  g_autofree char *words = g_strjoinv ("  ", (char **)event_query_words ());
  g_auto (GStrv) parts = g_strsplit (words, "-", -1);

  return g_strjoinv ("-" WORD_JOINER, parts);
}

static void
tophash_search_bar_init (TophashSearchBar *self) {
  g_autofree char *words = list_words ();

  gtk_widget_init_template (GTK_WIDGET (self));
  stop_sliding (self->bar);
  tophash_search_bar_set_narrow (self, FALSE);
  gtk_search_bar_connect_entry (self->bar, GTK_EDITABLE (self->entry));
  for (const EventQueryExample *example = event_query_examples ();
       example->query != NULL; example++)
    gtk_box_append (self->examples, example_new (self, example));
  gtk_label_set_text (self->words, words);
  update (self);
}

GtkWidget *
tophash_search_bar_new (void) {
  return g_object_new (TOPHASH_TYPE_SEARCH_BAR, NULL);
}

void
tophash_search_bar_set_session (TophashSearchBar *self,
                                TophashSession   *session) {
  g_return_if_fail (TOPHASH_IS_SEARCH_BAR (self));

  if (!session_link (&self->session, &self->changed_id, session,
                     G_CALLBACK (changed_cb), self))
    return;
  update (self);
}

void
tophash_search_bar_open (TophashSearchBar *self,
                         gboolean          is_open) {
  GtkWidget *focus;

  g_return_if_fail (TOPHASH_IS_SEARCH_BAR (self));

  if (!is_open) {
    if (gtk_search_bar_get_search_mode (self->bar))
      close_bar (self);
    return;
  }
  focus = get_focus (self);
  if (focus != NULL && !gtk_widget_is_ancestor (focus, GTK_WIDGET (self)))
    g_set_weak_pointer (&self->focus_before, focus);
  gtk_search_bar_set_search_mode (self->bar, TRUE);
  gtk_widget_grab_focus (GTK_WIDGET (self->entry));
  gtk_editable_select_region (GTK_EDITABLE (self->entry), 0, -1);
}

gboolean
tophash_search_bar_is_open (TophashSearchBar *self) {
  g_return_val_if_fail (TOPHASH_IS_SEARCH_BAR (self), FALSE);

  return gtk_search_bar_get_search_mode (self->bar);
}

/* What was found stands in the entry's line, or in one of its own below it. */
static void
place_found (TophashSearchBar *self) {
  GtkWidget *found = GTK_WIDGET (self->found);
  GtkWidget *line = gtk_widget_get_parent (GTK_WIDGET (self->entry));
  GtkWidget *lines = gtk_widget_get_parent (line);
  GtkWidget *wanted = self->is_narrow ? lines : line;
  GtkWidget *parent = gtk_widget_get_parent (found);

  if (parent == wanted)
    return;
  g_object_ref (found);
  gtk_box_remove (GTK_BOX (parent), found);
  gtk_box_insert_child_after (GTK_BOX (wanted), found,
                              self->is_narrow
                                ? line
                                : gtk_widget_get_parent (self->next_button));
  g_object_unref (found);
}

void
tophash_search_bar_set_narrow (TophashSearchBar *self,
                               gboolean          is_narrow) {
  g_return_if_fail (TOPHASH_IS_SEARCH_BAR (self));

  gtk_editable_set_width_chars (GTK_EDITABLE (self->entry),
                                is_narrow ? NARROW_CHARS : WIDE_CHARS);
  gtk_label_set_width_chars (self->found, is_narrow ? -1 : FOUND_CHARS);
  gtk_label_set_max_width_chars (self->found, is_narrow ? -1 : FOUND_MOST_CHARS);
  self->is_narrow = is_narrow;
  place_found (self);
  update (self);
  for (GtkWidget *example = gtk_widget_get_first_child (GTK_WIDGET (self->examples));
       example != NULL; example = gtk_widget_get_next_sibling (example)) {
    GtkWidget *box = gtk_button_get_child (GTK_BUTTON (example));

    for (GtkWidget *label = gtk_widget_get_first_child (box); label != NULL;
         label = gtk_widget_get_next_sibling (label))
      gtk_label_set_max_width_chars (GTK_LABEL (label),
                                     is_narrow ? NARROW_EXAMPLE_CHARS : -1);
  }
}
