/* SPDX-License-Identifier: GPL-3.0-or-later */

/* history.c — what the threads of a run called and what they got
 *
 * Idea        Operations come in the order in which they ended, on any key. A
 *             judge wants them key by key, each key's by the time at which they
 *             began. There may be ten million, so they stay in the one array
 *             that they were added to and are put in their places there.
 *
 * Layout      ops     [ k1 k1 k1 | k4 | k7 k7 | … ]     64 bytes each
 *             keys    [ k1: 0, k4: 3, k6: 4, k7: 4 … ]  where each key's begin;
 *                     k6 is named by a Range alone and has none
 *             pairs   those of all Ranges, one after the other
 *
 * Sorting     The order is found on 32-bit places, by radix over the bytes of
 *             key - smallest key that are not all zero; keys of a run are small
 *             numbers, so that is three passes rather than eight. It is stable:
 *             what begins a little later mostly ends a little later too, and few
 *             keys are left whose operations want sorting by time. Then each
 *             operation moves once, along the cycles of the permutation. Beside
 *             the operations that takes 8 bytes for each of them.
 *
 * Invariants  Y1  keys ascend and are distinct
 *             Y2  ops between two keys' first are all of the former's, by
 *                 began_ns, then index
 *             Y3  every key of a pair is in keys
 *             Y4  clears and ranges are by began_ns, then index
 *
 * Threads     One builds it; sealed, it is only read.
 */
#include "core/check/history-private.h"

#define DIGIT_BITS 8
#define N_DIGITS (1u << DIGIT_BITS)

_Static_assert (sizeof (HistoryOp) == 64, "ten millions in 640 MB");

G_DEFINE_QUARK (history-error-quark, history_error)

/* Building ----------------------------------------------------------------- */

History *
history_new (gboolean begins_empty) {
  History *self = g_new0 (History, 1);

  self->ops = g_array_new (FALSE, FALSE, sizeof (HistoryOp));
  self->clears = g_array_new (FALSE, FALSE, sizeof (HistoryOp));
  self->ranges = g_array_new (FALSE, FALSE, sizeof (HistoryRange));
  self->pairs = g_array_new (FALSE, FALSE, sizeof (HistoryPair));
  self->keys = g_array_new (FALSE, FALSE, sizeof (HistoryKey));
  self->begins_empty = begins_empty;
  return self;
}

void
history_free (History *self) {
  if (self == NULL)
    return;
  g_array_unref (self->ops);
  g_array_unref (self->clears);
  g_array_unref (self->ranges);
  g_array_unref (self->pairs);
  g_array_unref (self->keys);
  g_free (self);
}

void
history_add (History         *self,
             const HistoryOp *op) {
  g_return_if_fail (!self->is_sealed);
  g_return_if_fail (op->op < OP_N_KINDS && op->op != OP_RANGE
                    && op->op != OP_LEN);

  g_array_append_vals (op->op == OP_CLEAR ? self->clears : self->ops, op, 1);
}

void
history_add_range (History           *self,
                   const HistoryOp   *call,
                   gboolean           is_whole,
                   const HistoryPair *pairs,
                   gsize              n_pairs) {
  HistoryRange range = { *call, is_whole, n_pairs, NULL };

  g_return_if_fail (!self->is_sealed && call->op == OP_RANGE);
  g_return_if_fail (n_pairs <= G_MAXUINT - self->pairs->len);

  if (n_pairs > 0)
    g_array_append_vals (self->pairs, pairs, (guint)n_pairs);
  g_array_append_val (self->ranges, range);
}

/* Sorting ------------------------------------------------------------------ */

static HistoryOp *
op_at (const History *self,
       gsize          place) {
  return &g_array_index (self->ops, HistoryOp, place);
}

static gint
compare_begins (gconstpointer a,
                gconstpointer b) {
  const HistoryOp *x = a, *y = b;

  if (x->began_ns != y->began_ns)
    return x->began_ns < y->began_ns ? -1 : 1;
  return (x->index > y->index) - (x->index < y->index);
}

/* A range begins with its call. */
G_STATIC_ASSERT (G_STRUCT_OFFSET (HistoryRange, call) == 0);

static void
sort_ranges (History *self) {
  gsize first = 0;

  for (guint i = 0; i < self->ranges->len; i++) {
    HistoryRange *range = &g_array_index (self->ranges, HistoryRange, i);

    if (range->n_pairs > 0)
      range->pairs = &g_array_index (self->pairs, HistoryPair, first);
    first += range->n_pairs;
  }
  g_array_sort (self->ranges, compare_begins);
}

/* The smallest key; *span: how far the largest is from it. */
static guint64
find_span (const History *self,
           guint64       *span) {
  gint64 smallest = op_at (self, 0)->key, largest = smallest;

  for (guint i = 1; i < self->ops->len; i++) {
    gint64 key = op_at (self, i)->key;

    smallest = MIN (smallest, key);
    largest = MAX (largest, key);
  }
  *span = (guint64)largest - (guint64)smallest;
  return (guint64)smallest;
}

/* One pass: @from by the digit at @shift, into @to. */
static void
sort_by_digit (const History *self,
               guint64        smallest,
               guint          shift,
               const guint32 *from,
               guint32       *to) {
  gsize counts[N_DIGITS] = { 0 };
  gsize first = 0;

#define DIGIT(place)                                                          \
  ((((guint64)op_at (self, place)->key - smallest) >> shift) % N_DIGITS)
  for (guint i = 0; i < self->ops->len; i++)
    counts[DIGIT (i)]++;
  for (guint digit = 0; digit < N_DIGITS; digit++) {
    gsize n = counts[digit];

    counts[digit] = first;
    first += n;
  }
  for (guint i = 0; i < self->ops->len; i++)
    to[counts[DIGIT (from[i])]++] = from[i];
#undef DIGIT
}

/* (transfer full): the places of the operations, by key. */
static guint32 *
order_by_key (const History *self) {
  guint n = self->ops->len;
  guint32 *order = g_new (guint32, n);
  guint32 *other = g_new (guint32, n);
  guint64 span, smallest = find_span (self, &span);

  for (guint i = 0; i < n; i++)
    order[i] = i;
  for (guint shift = 0; shift < 64 && span >> shift != 0; shift += DIGIT_BITS) {
    guint32 *sorted = other;

    sort_by_digit (self, smallest, shift, order, sorted);
    other = order;
    order = sorted;
  }
  g_free (other);
  return order;
}

/* Operation order[i] goes to place i. @order is used up. */
static void
move_to_places (History *self,
                guint32 *order) {
  for (guint start = 0; start < self->ops->len; start++) {
    HistoryOp lifted = *op_at (self, start);
    guint32 place = start;

    if (order[start] == start)
      continue;
    while (order[place] != start) {
      guint32 source = order[place];

      *op_at (self, place) = *op_at (self, source);
      order[place] = place;
      place = source;
    }
    *op_at (self, place) = lifted;
    order[place] = place;
  }
}

static void
sort_key (HistoryOp *ops,
          gsize      n_ops) {
  for (gsize i = 1; i < n_ops; i++)
    if (compare_begins (&ops[i - 1], &ops[i]) > 0) {
      qsort (ops, n_ops, sizeof *ops, compare_begins);
      return;
    }
}

/* The keys of the operations, which are in their order by then. */
static void
collect_keys (History *self) {
  for (guint i = 0; i < self->ops->len;) {
    HistoryKey key = { op_at (self, i)->key, i };

    while (i < self->ops->len && op_at (self, i)->key == key.key)
      i++;
    sort_key (op_at (self, key.first), i - key.first);
    g_array_append_val (self->keys, key);
  }
}

/* How many keys are below @key. */
static gsize
count_below (const History *self,
             gint64         key) {
  gsize low = 0, high = self->keys->len;

  while (low < high) {
    gsize middle = low + (high - low) / 2;

    if (g_array_index (self->keys, HistoryKey, middle).key < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static gint
compare_keys (gconstpointer a,
              gconstpointer b) {
  const HistoryKey *x = a, *y = b;

  return (x->key > y->key) - (x->key < y->key);
}

/* Adds the keys that Ranges alone name. */
static void
collect_pair_keys (History *self) {
  g_autoptr (GHashTable) strange
      = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer each;

  for (guint i = 0; i < self->pairs->len; i++) {
    gint64 key = g_array_index (self->pairs, HistoryPair, i).key;
    gsize place = count_below (self, key);

    if ((place == self->keys->len
         || g_array_index (self->keys, HistoryKey, place).key != key)
        && !g_hash_table_contains (strange, &key))
      g_hash_table_add (strange, g_memdup2 (&key, sizeof key));
  }
  if (g_hash_table_size (strange) == 0)
    return;
  g_hash_table_iter_init (&iter, strange);
  while (g_hash_table_iter_next (&iter, &each, NULL)) {
    HistoryKey key = { *(gint64 *)each, G_MAXSIZE };

    g_array_append_val (self->keys, key);
  }
  g_array_sort (self->keys, compare_keys);
  /* They have none: where the next one's begin. */
  for (gsize i = self->keys->len, first = self->ops->len; i-- > 0;) {
    HistoryKey *key = &g_array_index (self->keys, HistoryKey, i);

    key->first = first = MIN (key->first, first);
  }
}

void
history_seal (History *self) {
  g_return_if_fail (!self->is_sealed);

  if (self->ops->len > 0) {
    g_autofree guint32 *order = order_by_key (self);

    move_to_places (self, order);
  }
  collect_keys (self);
  collect_pair_keys (self);
  g_array_sort (self->clears, compare_begins);
  sort_ranges (self);
  self->is_sealed = TRUE;
}

/* Reading ------------------------------------------------------------------ */

gsize
history_n_keys (const History *self) {
  g_return_val_if_fail (self->is_sealed, 0);
  return self->keys->len;
}

gint64
history_key (const History *self,
             gsize          index) {
  g_return_val_if_fail (index < self->keys->len, 0);
  return g_array_index (self->keys, HistoryKey, index).key;
}

const HistoryOp *
history_ops (const History *self,
             gsize          index,
             gsize         *n_ops) {
  gsize first, end;

  g_return_val_if_fail (index < self->keys->len, NULL);
  first = g_array_index (self->keys, HistoryKey, index).first;
  end = index + 1 < self->keys->len
            ? g_array_index (self->keys, HistoryKey, index + 1).first
            : self->ops->len;
  *n_ops = end - first;
  return end > first ? op_at (self, first) : NULL;
}

const HistoryOp *
history_clears (const History *self,
                gsize         *n_clears) {
  g_return_val_if_fail (self->is_sealed, NULL);
  *n_clears = self->clears->len;
  return (const HistoryOp *)(gpointer)self->clears->data;
}

const HistoryRange *
history_ranges (const History *self,
                gsize         *n_ranges) {
  g_return_val_if_fail (self->is_sealed, NULL);
  *n_ranges = self->ranges->len;
  return (const HistoryRange *)(gpointer)self->ranges->data;
}

guint64
history_n_left_out (const History *self) {
  return self->n_left_out;
}

guint64
history_n_untold (const History *self) {
  return self->n_untold;
}

gboolean
history_begins_empty (const History *self) {
  return self->begins_empty;
}
