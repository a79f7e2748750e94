/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-window-tell.c — what the window says in passing, and what must be read
 *
 * A toast goes by itself. A warning is a sentence that says what failed, where and
 * why: it wraps instead of being cut, stays until it is dismissed or what it was
 * about is tried again, and may carry a button for what can be done about it.
 *
 * There is one of each at most: new words take the place of the old ones in it.
 * libadwaita 1.2 was seen to crash when one warning after another had put the
 * former back into its queue, and when one was dismissed before it had slid in.
 */
#include "app/tophash-window-private.h"

/* Around a warning's text: margins, its ways out, its button. */
#define WARNING_FRAME_PX 120
#define WARNING_BUTTON_PX 48
#define YOUNG_US (G_USEC_PER_SEC)
#define WARNING_LEAST_CHARS 12
#define WARNING_MOST_CHARS 60

static void
dismissed_cb (AdwToast  *toast,
              AdwToast **last) {
  if (*last == toast)
    g_clear_weak_pointer (last);
}

/* At @last stands the toast as long as it is shown or waits to be. */
static void
add_toast (TophashWindow  *self,
           AdwToast       *toast,
           AdwToast      **last) {
  if (*last != NULL)
    g_signal_handlers_disconnect_by_data (*last, last);
  g_set_weak_pointer (last, toast);
  g_signal_connect (toast, "dismissed", G_CALLBACK (dismissed_cb), last);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

void
tophash_window_toast (TophashWindow *self,
                      const char    *text) {
  g_autofree char *escaped = g_markup_escape_text (text, -1);

  if (self->toast != NULL)
    adw_toast_set_title (self->toast, escaped);
  else
    add_toast (self, adw_toast_new (escaped), &self->toast);
}

/* How wide a warning's text may be: an overlay of toasts gives it the height of its
 * natural width, and cuts what needs more. */
static int
warning_chars (TophashWindow *self,
               const char    *label) {
  g_autoptr (PangoLayout) layout
      = gtk_widget_create_pango_layout (GTK_WIDGET (self),
                                        label == NULL ? "" : label);
  PangoFontMetrics *metrics = pango_context_get_metrics (
      gtk_widget_get_pango_context (GTK_WIDGET (self)), NULL, NULL);
  int char_px = MAX (1, PANGO_PIXELS (
                            pango_font_metrics_get_approximate_char_width (metrics)));
  int button_px;
  int room_px;

  pango_font_metrics_unref (metrics);
  pango_layout_get_pixel_size (layout, &button_px, NULL);
  room_px = gtk_widget_get_width (GTK_WIDGET (self)) - WARNING_FRAME_PX
            - (button_px > 0 ? button_px + WARNING_BUTTON_PX : 0);
  return CLAMP (room_px / char_px, WARNING_LEAST_CHARS, WARNING_MOST_CHARS);
}

void
tophash_window_warn (TophashWindow *self,
                     const char    *text) {
  tophash_window_warn_with (self, text, NULL, NULL);
}

/* In this order: of a toast that is shown, each step is looked at. */
static void
set_button (AdwToast   *toast,
            const char *label,
            const char *action) {
  g_autofree char *name = NULL;
  g_autoptr (GVariant) target = NULL;

  adw_toast_set_button_label (toast, label);
  adw_toast_set_action_name (toast, NULL);
  if (action == NULL || !g_action_parse_detailed_name (action, &name, &target, NULL))
    return;
  adw_toast_set_action_target_value (toast, target);
  adw_toast_set_action_name (toast, name);
}

void
tophash_window_warn_with (TophashWindow *self,
                          const char    *text,
                          const char    *label,
                          const char    *action) {
  AdwToast *toast = self->warning != NULL ? self->warning : adw_toast_new ("");
  GtkWidget *title = gtk_label_new (text);

  gtk_label_set_wrap (GTK_LABEL (title), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (title), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_label_set_max_width_chars (GTK_LABEL (title), warning_chars (self, label));
  adw_toast_set_custom_title (toast, title);
  set_button (toast, label, action);
  if (toast == self->warning)
    return;
  adw_toast_set_timeout (toast, 0);
  adw_toast_set_priority (toast, ADW_TOAST_PRIORITY_HIGH);
  self->warned_at_us = g_get_monotonic_time ();
  add_toast (self, toast, &self->warning);
}

void
tophash_window_forget_warning (TophashWindow *self) {
  AdwToast *toast = self->warning;

  if (toast == NULL || g_get_monotonic_time () - self->warned_at_us < YOUNG_US)
    return;
  g_clear_weak_pointer (&self->warning);
  adw_toast_dismiss (toast);
}

static void
let_go (AdwToast **last) {
  if (*last != NULL)
    g_signal_handlers_disconnect_by_data (*last, last);
  g_clear_weak_pointer (last);
}

void
tophash_window_drop_toasts (TophashWindow *self) {
  let_go (&self->toast);
  let_go (&self->warning);
}
