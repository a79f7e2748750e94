/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-misuse-banner.c — here a Go program would have ended
 *
 * Go detects some misuses of its map and ends the process with a fatal error.
 * Ours keeps its memory whole and goes on, so the misuse is told above the
 * stage: Go's own text, which check found it, who did it to whom. It follows
 * the timeline: before the misuse it is not there.
 *
 * Which       The newest misuse at the cursor. A run that counts misuses can
 *             have thousands a second: while the cursor moves by itself the
 *             words change every UPDATE_US at most.
 * Dismissal   Holds until the cursor is before every misuse, or the recording
 *             is another.
 * Floor       AdwBanner is of libadwaita 1.3 and has no second line.
 */
#include "widgets/tophash-misuse-banner.h"

#include "core/model/narrator.h"
#include "widgets/session-link.h"
#include "widgets/tophash-draw.h"

#include <glib/gi18n.h>

#define UPDATE_US 250000

struct _TophashMisuseBanner {
  GtkWidget parent_instance;

  /* Template */
  GtkWidget *revealer;
  GtkLabel  *title;
  GtkLabel  *detail;
  GtkWidget *show_button;

  /* Owned */
  TophashSession *session;

  gulong   changed_id;
  guint64  told_at;       /* StateMisuse.at of what is told; 0: nothing */
  gint64   updated_at_us;
  gboolean is_dismissed;
};

G_DEFINE_FINAL_TYPE (TophashMisuseBanner, tophash_misuse_banner, GTK_TYPE_WIDGET)

static char *
detail_new (TophashMisuseBanner *self,
            const MapState      *state,
            const StateMisuse   *misuse) {
  guint64 n = map_state_counters (state)->n_misuses;
  g_autofree char *words
    = narrator_misuse (misuse, tophash_session_get_key_format (self->session),
                       NARRATION_PLAIN);
  g_autofree char *count = tophash_draw_format_count (n);
  g_autofree char *sum = NULL;

  if (n > 1)
    sum = g_strdup_printf (
      g_dngettext (GETTEXT_PACKAGE, "%s misuse so far.", "%s misuses so far.", n),
      count);
  return g_strjoin (" ", words,
                    _ ("Go’s process would end here; this one did not, and its "
                       "memory is whole."),
                    sum, NULL);
}

static void
tell (TophashMisuseBanner *self,
      const MapState      *state,
      const StateMisuse   *misuse) {
  const char *text = misuse_kind_text (misuse->kind);
  /* Go's words: they are not translated. */
  g_autofree char *title
    = g_strdup_printf ("fatal error: %s", text == NULL ? "?" : text);
  g_autofree char *detail = detail_new (self, state, misuse);

  self->told_at = misuse->at;
  self->updated_at_us = g_get_monotonic_time ();
  gtk_label_set_text (self->title, title);
  gtk_label_set_text (self->detail, detail);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self),
                                  GTK_ACCESSIBLE_PROPERTY_LABEL, title,
                                  GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, detail,
                                  -1);
}

static void
reveal (TophashMisuseBanner *self,
        gboolean             is_shown) {
  if (is_shown)
    gtk_widget_set_visible (GTK_WIDGET (self), TRUE);
  gtk_revealer_set_reveal_child (GTK_REVEALER (self->revealer), is_shown);
}

static void
update (TophashMisuseBanner *self) {
  const MapState *state = self->session == NULL
                            ? NULL
                            : tophash_session_get_state (self->session);
  const StateMisuse *misuse = state == NULL ? NULL : map_state_misuse (state);

  if (misuse == NULL || misuse->at == 0) {
    self->told_at = 0;
    self->is_dismissed = FALSE;
    reveal (self, FALSE);
    return;
  }
  if (self->is_dismissed)
    return;
  if (misuse->at != self->told_at
      && (self->told_at == 0 || !tophash_session_needs_ticks (self->session)
          || g_get_monotonic_time () - self->updated_at_us >= UPDATE_US))
    tell (self, state, misuse);
  reveal (self, TRUE);
}

/* A hidden one leaves no gap in the box above the stage. */
static void
child_revealed_cb (TophashMisuseBanner *self) {
  GtkRevealer *revealer = GTK_REVEALER (self->revealer);

  if (!gtk_revealer_get_child_revealed (revealer)
      && !gtk_revealer_get_reveal_child (revealer))
    gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}

static void
show_clicked_cb (TophashMisuseBanner *self) {
  if (self->session != NULL && self->told_at > 0)
    tophash_session_seek (self->session, self->told_at);
}

static void
close_clicked_cb (TophashMisuseBanner *self) {
  self->is_dismissed = TRUE;
  reveal (self, FALSE);
}

static void
changed_cb (TophashSession       *session,
            TophashSessionChange  what,
            TophashMisuseBanner  *self) {
  if (what & SESSION_CHANGE_LOG)
    self->is_dismissed = FALSE;
  if (what
      & (SESSION_CHANGE_CURSOR | SESSION_CHANGE_LOG | SESSION_CHANGE_PLAY
         | SESSION_CHANGE_RUN))
    update (self);
}

static void
tophash_misuse_banner_dispose (GObject *object) {
  TophashMisuseBanner *self = TOPHASH_MISUSE_BANNER (object);

  if (self->session != NULL)
    g_clear_signal_handler (&self->changed_id, self->session);
  g_clear_object (&self->session);
  g_clear_pointer (&self->revealer, gtk_widget_unparent);
  G_OBJECT_CLASS (tophash_misuse_banner_parent_class)->dispose (object);
}

static void
tophash_misuse_banner_class_init (TophashMisuseBannerClass *klass) {
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tophash_misuse_banner_dispose;
  gtk_widget_class_set_template_from_resource (
    widget_class, "/io/github/tophash/Tophash/ui/tophash-misuse-banner.ui");
  gtk_widget_class_bind_template_child (widget_class, TophashMisuseBanner,
                                        revealer);
  gtk_widget_class_bind_template_child (widget_class, TophashMisuseBanner, title);
  gtk_widget_class_bind_template_child (widget_class, TophashMisuseBanner, detail);
  gtk_widget_class_bind_template_child (widget_class, TophashMisuseBanner,
                                        show_button);
  gtk_widget_class_bind_template_callback (widget_class, child_revealed_cb);
  gtk_widget_class_bind_template_callback (widget_class, show_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, close_clicked_cb);
  gtk_widget_class_set_css_name (widget_class, "misusebanner");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_ALERT);
}

static void
tophash_misuse_banner_init (TophashMisuseBanner *self) {
  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}

GtkWidget *
tophash_misuse_banner_new (void) {
  return g_object_new (TOPHASH_TYPE_MISUSE_BANNER, NULL);
}

void
tophash_misuse_banner_set_session (TophashMisuseBanner *self,
                                   TophashSession      *session) {
  g_return_if_fail (TOPHASH_IS_MISUSE_BANNER (self));

  if (!session_link (&self->session, &self->changed_id, session,
                     G_CALLBACK (changed_cb), self))
    return;
  update (self);
}

gboolean
tophash_misuse_banner_is_shown (TophashMisuseBanner *self) {
  g_return_val_if_fail (TOPHASH_IS_MISUSE_BANNER (self), FALSE);

  return gtk_revealer_get_reveal_child (GTK_REVEALER (self->revealer));
}
