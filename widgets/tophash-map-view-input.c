/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-map-view-input.c — pointer and keys on the stage
 *
 * Keys        plain arrows, Home and End belong to time (the window takes them
 *             first); with Shift they move the selection, through slots and the
 *             items of strips. Escape clears it, Return makes a first one, or
 *             brings a selected shard's card into sight; plus, minus and 0 with
 *             Control zoom, as does Control and scroll.
 * Pointer     what it stands on is hovered and has a tooltip, a press selects
 *             it, a press beside every slot selects nothing.
 */
#include "widgets/tophash-map-view-private.h"

#include "widgets/paint-stage.h"

#include <math.h>

static void
choose_slot (TophashSelection *selection,
             const StateTable *table,
             gboolean          in_old,
             guint32           index,
             guint             slot) {
  const StateArray *array = in_old ? table->oldbuckets : table->buckets;
  const StateBucket *bucket = state_array_bucket (array, index);

  selection->kind = SELECTION_SLOT;
  selection->table = table->id;
  selection->table_created_ver = table->created_ver;
  selection->in_old = in_old;
  selection->bucket = index;
  selection->slot = slot;
  selection->has_key = bucket->tophash[slot] >= TOPHASH_MIN;
  selection->key = selection->has_key ? bucket->keys[slot] : 0;
}

/* A chain stands for the slot of its key. */
static void
choose_item (TophashMapView   *self,
             const StageHit   *hit,
             TophashSelection *selection) {
  const MapState *state = self->layout->state;

  switch (hit->card->kind) {
  case CARD_LOCK:
    if (hit->card->lock < 0)
      return;
    selection->kind = SELECTION_LOCK;
    selection->item = map_state_lock (state, (guint)hit->card->lock)->id;
    break;
  case CARD_VIEWS:
    selection->kind = SELECTION_VIEW;
    selection->item = map_state_snapshot (state, hit->item)->id;
    break;
  case CARD_SHARDS:
    selection->kind = SELECTION_SHARD;
    selection->item = hit->item;
    break;
  case CARD_CHAINS: {
    const StageChain *chain
      = &g_array_index (self->layout->chains, StageChain, hit->item);

    choose_slot (selection, chain->table, chain->in_old, chain->bucket,
                 chain->slot);
    break;
  }
  case CARD_BUCKETS:
  case CARD_OLDBUCKETS:
  case CARD_READ:
  case CARD_DIRTY:
  case CARD_GHOST:
  case CARD_RANGE:
    break;
  }
}

static void
select_hit (TophashMapView *self,
            const StageHit *hit) {
  TophashSelection selection = { SELECTION_NONE };

  self->is_in_chains = hit->card != NULL && hit->has_item
                       && hit->card->kind == CARD_CHAINS;
  if (hit->card != NULL && hit->has_item)
    choose_item (self, hit, &selection);
  else if (hit->card != NULL && hit->has_slot)
    choose_slot (&selection, hit->card->table, hit->card->in_old, hit->bucket,
                 hit->slot);
  tophash_session_select (self->session, &selection);
}

/* Where the selection stands on the stage; an empty hit: nowhere. */
static void
find_selection (TophashMapView *self,
                StageHit       *hit) {
  const TophashSelection *selection
    = tophash_session_get_selection (self->session);
  StageRect rect;

  *hit = (StageHit) { 0 };
  if (selection == NULL || selection->kind == SELECTION_NONE)
    return;
  if (selection->kind != SELECTION_SLOT || self->is_in_chains) {
    hit->card = paint_find_item (self->layout, selection, &hit->item);
    hit->has_item = hit->card != NULL;
  }
  if (selection->kind != SELECTION_SLOT || hit->has_item)
    return;
  hit->card = stage_layout_find_table (self->layout, selection->table,
                                       selection->table_created_ver,
                                       selection->in_old);
  if (hit->card == NULL)
    return;
  hit->bucket = hit->chain = selection->bucket;
  hit->slot = selection->slot;
  hit->has_slot = stage_card_slot (hit->card, hit->bucket, hit->slot, &rect);
}

static GtkAdjustment *
get_adjustment (TophashMapView *self) {
  return self->viewport != NULL
           ? gtk_scrollable_get_vadjustment (GTK_SCROLLABLE (self->viewport))
           : NULL;
}

/* The card of a shard, for its item. */
static const StageCard *
find_shard_card (TophashMapView *self,
                 guint           shard) {
  const StateTable *table = map_state_shard (self->layout->state, shard);

  return table != NULL
           ? stage_layout_find_table (self->layout, table->id,
                                      table->created_ver, FALSE) : NULL;
}

static void
scroll_to (TophashMapView *self,
           const StageHit *hit) {
  GtkAdjustment *adjustment = get_adjustment (self);
  int top = tophash_map_view_get_top (self);
  double scale = tophash_map_view_get_scale (self);
  double from, to;
  StageRect rect;

  if (adjustment == NULL)
    return;
  if (hit->has_item ? !stage_card_item (hit->card, hit->item, &rect)
                    : !stage_card_slot (hit->card, hit->bucket, hit->slot, &rect))
    return;
  from = rect.y * scale + top;
  to = (rect.y + rect.height) * scale + top;
  /* What the first page holds is seen on the first page. */
  if (to + 24 <= gtk_adjustment_get_page_size (adjustment))
    gtk_adjustment_set_value (adjustment, 0);
  else
    gtk_adjustment_clamp_page (adjustment, from - 24, to + 24);
}

/* The shard that a click chose, under the strip or below it. */
static void
show_shard (TophashMapView *self,
            guint           shard) {
  const StageCard *card = find_shard_card (self, shard);
  GtkAdjustment *adjustment = get_adjustment (self);
  int top = tophash_map_view_get_top (self);
  double scale = tophash_map_view_get_scale (self);

  if (card != NULL && adjustment != NULL)
    gtk_adjustment_clamp_page (
      adjustment, card->frame.y * scale + top - 12,
      (card->frame.y + card->frame.height) * scale + top + 12);
}

static gboolean
step_selection (TophashMapView *self,
                StageStep       step) {
  StageHit from;
  StageHit to;

  if (tophash_map_view_get_layout (self) == NULL)
    return FALSE;
  find_selection (self, &from);
  if (!stage_layout_step (self->layout, &from, step, &to))
    return FALSE;
  scroll_to (self, &to);
  select_hit (self, &to);
  return TRUE;
}

static gboolean
zoom_key (TophashMapView *self,
          guint           keyval) {
  if (keyval == GDK_KEY_plus || keyval == GDK_KEY_equal
      || keyval == GDK_KEY_KP_Add)
    tophash_map_view_zoom (self, 1);
  else if (keyval == GDK_KEY_minus || keyval == GDK_KEY_KP_Subtract)
    tophash_map_view_zoom (self, -1);
  else if (keyval == GDK_KEY_0 || keyval == GDK_KEY_KP_0)
    tophash_map_view_zoom (self, 0);
  else
    return FALSE;
  return TRUE;
}

static gboolean
key_pressed_cb (TophashMapView *self,
                guint           keyval,
                guint           keycode,
                GdkModifierType state) {
  static const struct {
    guint     keyval;
    StageStep step;
  } keys[] = {
    { GDK_KEY_Left, STAGE_LEFT }, { GDK_KEY_Right, STAGE_RIGHT },
    { GDK_KEY_Up, STAGE_UP },     { GDK_KEY_Down, STAGE_DOWN },
    { GDK_KEY_Home, STAGE_FIRST }, { GDK_KEY_End, STAGE_LAST },
    { GDK_KEY_KP_Left, STAGE_LEFT }, { GDK_KEY_KP_Right, STAGE_RIGHT },
    { GDK_KEY_KP_Up, STAGE_UP },     { GDK_KEY_KP_Down, STAGE_DOWN },
  };
  StageHit hit;

  if (self->session == NULL || tophash_map_view_get_layout (self) == NULL)
    return GDK_EVENT_PROPAGATE;
  if (state & GDK_CONTROL_MASK)
    return zoom_key (self, keyval);
  if (state & (GDK_ALT_MASK | GDK_SUPER_MASK))
    return GDK_EVENT_PROPAGATE;
  for (guint i = 0; (state & GDK_SHIFT_MASK) && i < G_N_ELEMENTS (keys); i++)
    if (keys[i].keyval == keyval)
      return step_selection (self, keys[i].step);
  find_selection (self, &hit);
  if (keyval == GDK_KEY_Escape && (hit.has_slot || hit.has_item))
    select_hit (self, &(StageHit) { 0 });
  else if (keyval != GDK_KEY_Return && keyval != GDK_KEY_KP_Enter)
    return GDK_EVENT_PROPAGATE;
  else if (hit.has_item && hit.card->kind == CARD_SHARDS)
    show_shard (self, hit.item);
  else if (!hit.has_slot && !hit.has_item)
    return step_selection (self, STAGE_RIGHT);
  else
    return GDK_EVENT_PROPAGATE;
  return GDK_EVENT_STOP;
}

static void
pressed_cb (TophashMapView *self,
            int             n_press,
            double          x,
            double          y) {
  StageHit hit;
  gboolean is_shard;

  gtk_widget_grab_focus (GTK_WIDGET (self));
  if (tophash_map_view_get_layout (self) == NULL)
    return;
  tophash_map_view_hit (self, x, y, &hit);
  is_shard = hit.has_item && hit.card->kind == CARD_SHARDS;
  select_hit (self, &hit); /* may drop the layout, and the card with it */
  if (is_shard && tophash_map_view_get_layout (self) != NULL)
    show_shard (self, hit.item);
}

static void
motion_cb (TophashMapView *self,
           double          x,
           double          y) {
  StageHit hit = { 0 };

  self->is_hovered = TRUE;
  self->hover_x = x;
  self->hover_y = y;
  if (tophash_map_view_get_layout (self) != NULL)
    tophash_map_view_hit (self, x, y, &hit);
  if (hit.card == self->hover.card && hit.has_slot == self->hover.has_slot
      && hit.bucket == self->hover.bucket && hit.slot == self->hover.slot
      && hit.has_item == self->hover.has_item && hit.item == self->hover.item)
    return;
  self->hover = hit;
  tophash_map_view_redraw (self);
  gtk_widget_trigger_tooltip_query (GTK_WIDGET (self));
}

static void
leave_cb (TophashMapView *self) {
  self->is_hovered = FALSE;
  self->hover = (StageHit) { 0 };
  tophash_map_view_redraw (self);
}

static gboolean
scroll_cb (TophashMapView     *self,
           double              dx,
           double              dy,
           GtkEventController *controller) {
  GdkModifierType state
    = gtk_event_controller_get_current_event_state (controller);

  if ((state & GDK_CONTROL_MASK) == 0 || dy == 0)
    return GDK_EVENT_PROPAGATE;
  tophash_map_view_zoom (self, dy < 0 ? 1 : -1);
  return GDK_EVENT_STOP;
}

void
tophash_map_view_add_input (TophashMapView *self) {
  GtkEventController *keys = gtk_event_controller_key_new ();
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *scroll
    = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_VERTICAL
                                       | GTK_EVENT_CONTROLLER_SCROLL_DISCRETE);
  GtkGesture *click = gtk_gesture_click_new ();

  g_signal_connect_swapped (keys, "key-pressed", G_CALLBACK (key_pressed_cb),
                            self);
  g_signal_connect_swapped (motion, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect_swapped (motion, "leave", G_CALLBACK (leave_cb), self);
  g_signal_connect_swapped (scroll, "scroll", G_CALLBACK (scroll_cb), self);
  g_signal_connect_swapped (click, "pressed", G_CALLBACK (pressed_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
  gtk_widget_add_controller (GTK_WIDGET (self), scroll);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
}
