/* SPDX-License-Identifier: GPL-3.0-or-later */

/* merge-gate.c — who may go next
 *
 * Idea        Each domain (what a lock guards) and each entry (a word changed by
 *             CAS) counts its changes in the same atomic step that makes them.
 *             An event carries the count after its change, so it may follow
 *             exactly one event: the one with the count before. The gate holds
 *             the present count of every domain and entry and compares; event.h
 *             (Order) has the rule of each kind.
 *
 * Domain      An event names its table; the table's EVENT_TABLE_CREATED named
 *             the domain. Locks name the domain themselves. Kinds that are about
 *             a whole map rather than a table may leave the table out: when it
 *             is unknown, they belong to the domain whose map was named last.
 *             Domains begin at 0: the first event of each has version 1.
 *
 * Readers     of a lock change nothing and take no version. A writer's
 *             LOCK_ACQUIRED tells how many read sections had ended by then; the
 *             gate counts them as they pass. Readers look at the domain, so the
 *             writer before them has passed.
 *
 * Entries     An entry begins at 0 too and keeps counting when its memory is
 *             used again. The first event seen of an entry is taken as it is,
 *             which allows a recording to begin in the middle of a run;
 *             merge_gate_is_late() lets the recorder give an earlier one time to
 *             turn up. One that turns up after that is overdue: nothing it could
 *             wait for will come, so it is let through, or its thread would wait
 *             for ever; it leaves the version alone.
 *
 * Dropping    A run may be allowed to drop events. Once it has, an event may wait
 *             for one that is gone, so from then on none waits: they pass in the
 *             order of their times, which is right but for neighbours.
 *
 * Layout      domains by id:      a hash table, the last used one beside it
 *             domain by table id: an array of pointers to those domains
 *             versions by entry:  an array grown by doubling; ENTRY_SEEN marks
 *                                 the known ones
 *
 * Wrap        Entry versions are modulo 2^17. All rings together hold fewer than
 *             half of that (recorder_ring_units()), so two unmerged events of an
 *             entry never look alike. Domain versions are 32 bits and compared
 *             by signed difference.
 *
 * Threads     The recorder's alone.
 */
#include "core/record/merge-gate-private.h"

#include <string.h>

#define N_TABLES 65536
#define ENTRY_SEEN (1u << 31)
#define FIRST_ENTRIES 1024

typedef struct {
  guint32 version;
  guint32 n_reads; /* LOCK_READ_RELEASED passed */
} Domain;

struct _MergeGate {
  GHashTable *domains;  /* id to Domain *, owned */
  guint32     last_id;  /* the domain asked for last … */
  Domain     *last;     /* … itself; NULL: none yet */
  Domain     *named;    /* of the map named last */
  Domain    **by_table; /* N_TABLES, into domains */
  gboolean    is_relaxed;
  guint32    *entries;
  gsize       n_entries;
};

MergeGate *
merge_gate_new (void) {
  MergeGate *gate = g_new0 (MergeGate, 1);

  gate->domains = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  gate->by_table = g_new0 (Domain *, N_TABLES);
  gate->n_entries = FIRST_ENTRIES;
  gate->entries = g_new0 (guint32, gate->n_entries);
  return gate;
}

void
merge_gate_free (MergeGate *gate) {
  g_hash_table_unref (gate->domains);
  g_free (gate->by_table);
  g_free (gate->entries);
  g_free (gate);
}

/* Domain @id, made at version 0 when it is new. */
static Domain *
find_domain (MergeGate *gate,
             guint32    id) {
  if (gate->last == NULL || gate->last_id != id) {
    gate->last_id = id;
    gate->last = g_hash_table_lookup (gate->domains, GUINT_TO_POINTER (id));
    if (gate->last == NULL) {
      gate->last = g_new0 (Domain, 1);
      g_hash_table_insert (gate->domains, GUINT_TO_POINTER (id), gate->last);
    }
  }
  return gate->last;
}

/* The event's domain; NULL when its table is not known yet. */
static inline Domain *
domain_of (MergeGate   *gate,
           const Event *event) {
  switch (event->kind) {
  case EVENT_TABLE_CREATED:
    return find_domain (gate, (guint32)event->b);
  case EVENT_LOCK_ACQUIRED:
  case EVENT_LOCK_RELEASED:
  case EVENT_LOCK_READ_ACQUIRED:
  case EVENT_LOCK_READ_RELEASED:
    return find_domain (gate, event->res);
  case EVENT_READ_AMENDED:
  case EVENT_MISS_COUNTED:
  case EVENT_MISSES_RESET:
    if (gate->by_table[event->aux16] == NULL)
      return gate->named;
    break;
  }
  return gate->by_table[event->aux16];
}

/* How many changes of the entry the event is ahead of the next one. */
static guint32
lead_of (const Event *event,
         guint32      seen) {
  return (event->ver - seen - 1) & ENTRY_VERSION_MASK;
}

static guint32
entry_version (const MergeGate *gate,
               guint32          entry) {
  return entry < gate->n_entries ? gate->entries[entry] : 0;
}

/* Whether a change of @domain, or a thread that takes its lock, is next. */
static inline gboolean
is_next (const Domain *domain,
         const Event  *event) {
  return domain != NULL && event->ver == domain->version + 1
         && (event->kind != EVENT_LOCK_ACQUIRED
             || (guint32)event->a == domain->n_reads);
}

gboolean
merge_gate_admits (MergeGate   *gate,
                   const Event *event) {
  const Domain *domain;
  guint32 seen;

  switch (event_kind_gate ((EventKind)event->kind)) {
  case GATE_NONE:
    return TRUE;
  case GATE_DOMAIN:
    return is_next (domain_of (gate, event), event);
  case GATE_ENTRY:
    seen = entry_version (gate, event->res);
    return !(seen & ENTRY_SEEN) || lead_of (event, seen) == 0
           || merge_gate_is_overdue (gate, event);
  case GATE_OBSERVES:
    domain = domain_of (gate, event);
    return domain != NULL && (gint32)(domain->version - (guint32)event->b) >= 0;
  }
  g_assert_not_reached ();
}

gboolean
merge_gate_is_overdue (MergeGate   *gate,
                       const Event *event) {
  guint32 seen;

  if (event_kind_gate ((EventKind)event->kind) != GATE_ENTRY)
    return FALSE;
  seen = entry_version (gate, event->res);
  return (seen & ENTRY_SEEN) && lead_of (event, seen) > ENTRY_VERSION_MASK / 2;
}

gboolean
merge_gate_is_late (MergeGate   *gate,
                    const Event *event) {
  return event_kind_gate ((EventKind)event->kind) == GATE_ENTRY
         && (event->ver & ENTRY_VERSION_MASK) != 1
         && !(entry_version (gate, event->res) & ENTRY_SEEN);
}

static void
pass_entry (MergeGate   *gate,
            const Event *event) {
  if (merge_gate_is_overdue (gate, event))
    return;
  if (event->res >= gate->n_entries) {
    gsize n = gate->n_entries;

    while (event->res >= n)
      n *= 2;
    gate->entries = g_renew (guint32, gate->entries, n);
    memset (gate->entries + gate->n_entries, 0,
            (n - gate->n_entries) * sizeof *gate->entries);
    gate->n_entries = n;
  }
  gate->entries[event->res] = (event->ver & ENTRY_VERSION_MASK) | ENTRY_SEEN;
}

static inline void
pass_domain (MergeGate   *gate,
             const Event *event,
             Domain      *domain) {
  if (domain == NULL)
    return;
  domain->version = event->ver;
  if (event->kind == EVENT_TABLE_CREATED)
    gate->by_table[event->aux16] = domain;
  else if (event->kind == EVENT_READ_PUBLISHED
           || event->kind == EVENT_TABLE_NAMED)
    gate->named = domain;
}

void
merge_gate_pass (MergeGate   *gate,
                 const Event *event) {
  switch (event_kind_gate ((EventKind)event->kind)) {
  case GATE_DOMAIN:
    pass_domain (gate, event, domain_of (gate, event));
    break;
  case GATE_ENTRY:
    pass_entry (gate, event);
    break;
  case GATE_NONE:
    if (event->kind == EVENT_LOCK_READ_RELEASED)
      domain_of (gate, event)->n_reads++;
    break;
  case GATE_OBSERVES:
    break;
  }
}

gboolean
merge_gate_try_known (MergeGate *gate,
                      guint32    entry,
                      guint32    ver) {
  guint32 next = (ver & ENTRY_VERSION_MASK) | ENTRY_SEEN;
  guint32 before = ((ver - 1) & ENTRY_VERSION_MASK) | ENTRY_SEEN;

  if (G_UNLIKELY (entry >= gate->n_entries || gate->entries[entry] != before
                  || gate->is_relaxed))
    return FALSE;
  gate->entries[entry] = next;
  return TRUE;
}

void
merge_gate_relax (MergeGate *gate) {
  gate->is_relaxed = TRUE;
}

/* Nobody can say what is missing: only what is older changes no version. */
static void
pass_relaxed (MergeGate   *gate,
              const Event *event) {
  Domain *domain;

  if (event_kind_gate ((EventKind)event->kind) == GATE_DOMAIN) {
    domain = domain_of (gate, event);
    if (domain != NULL && (gint32)(event->ver - domain->version) <= 0)
      return;
  }
  merge_gate_pass (gate, event);
}

gboolean
merge_gate_try (MergeGate   *gate,
                const Event *event,
                gboolean     waits_for_none,
                guint64     *n_overdue) {
  EventGate kind = event_kind_gate ((EventKind)event->kind);

  if (G_UNLIKELY (gate->is_relaxed)) {
    pass_relaxed (gate, event);
    return TRUE;
  }
  if (kind == GATE_DOMAIN) {
    Domain *domain = domain_of (gate, event);

    if (!is_next (domain, event))
      return FALSE;
    pass_domain (gate, event, domain);
    return TRUE;
  }
  if (kind == GATE_ENTRY
      && merge_gate_try_known (gate, event->res, event->ver))
    return TRUE;
  if (!merge_gate_admits (gate, event)
      || (!waits_for_none && merge_gate_is_late (gate, event)))
    return FALSE;
  *n_overdue += (guint64)merge_gate_is_overdue (gate, event);
  merge_gate_pass (gate, event);
  return TRUE;
}
