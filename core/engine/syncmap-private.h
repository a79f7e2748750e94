/* SPDX-License-Identifier: GPL-3.0-or-later */

/* syncmap-private.h — what the files of syncmap and its tests share
 *
 * The design is told in syncmap.c; who may touch a field, beside it here.
 */
#pragma once

#include "core/engine/engine-costs.h"
#include "core/engine/engine.h"
#include "core/engine/gomap-find-private.h"
#include "core/engine/gomap.h"
#include "core/engine/syncmap-entry.h"
#include "core/probe/probe.h"

#define SYNCMAP_LOCK 0u /* id of mu, and of the domain it guards */
#define SYNCMAP_N_TABLE_IDS 65536u

/* Slab 0 holds SYNCMAP_SLAB_ENTRIES entries, slab k as many as all before it; so
 * slabs, and their huge pages, begin at round ids. Ids below 2^31 fit. */
#define SYNCMAP_SLAB_ENTRIES 64u
#define SYNCMAP_N_SLABS 26

/* Freed tables in the pool's list at the most, and in mu's. Free choice: two
 * batches of the reclaimer; 50 KiB. */
#define SYNCMAP_POOL_TABLES 128u

/* One table: dirty, then read, then superseded, always the same object. */
typedef struct _SyncTable SyncTable;

struct _SyncTable {
  GoMap    map;
  uint32_t published_ver; /* domain version at which it became read */
  /* Once superseded: what is freed with it. */
  uint32_t dead;      /* list of entries that no other table refers to */
  uint32_t n_dead;
  bool     owns_all;  /* Clear: the entries in its slots are dead too */
  size_t   retired_bytes; /* its own and its dead's */
  SyncTable *next;    /* in the pool */
  GoHome   home;
};

/* Where freed entries, tables and table ids come back. A leaf: nothing is called while
 * its mutex is held. */
typedef struct {
  SyncMutex mutex;
  SyncWord  returned;   /* list of entries; changed under mutex */
  uint64_t  n_returned; /* since the map was made */
  uint64_t  bytes_returned; /* with the tables that they rode on */
  SyncTable *tables;    /* list: their arrays are gone, but for the home */
  uint32_t  n_tables;
  uint32_t  next_id_word;
  uint64_t  used_table_ids[SYNCMAP_N_TABLE_IDS / 64]; /* or set aside */
} SyncPool;

typedef struct {
  MapEngine engine; /* first; nothing in it changes after creation */
  Entry    *slabs[SYNCMAP_N_SLABS]; /* set under mu, before their first id */

  /* The published table; bit 0 of the address is amended. */
  _Alignas (64) SyncPtr read;
  /* Where keys of a large dirty lie, for who will look there: a hint, left under
   * mu (syncmap_leave_hint_locked()). */
  struct {
    SyncCount seed;
    SyncCount block;     /* the address of the main buckets; 0: no hint */
    SyncCount mask;
    SyncCount old_block; /* while dirty grows; 0: it does not */
    SyncCount old_mask;
  } hint;

  /* Everything below is guarded by mu. */
  _Alignas (64) SyncMutex mu;
  SyncPlain  misses;
  SyncTable *dirty; /* NULL = nil */
  GoDomain   domain;
  uint32_t   free_entries; /* list: may be handed out */
  SyncTable *free_tables;  /* likewise */
  uint32_t   n_free_tables;
  uint32_t   id_word;      /* in used_table_ids: where free_ids are from */
  uint64_t   free_ids;     /* set aside, and not handed out yet */
  uint32_t   expunged; /* list: what the present dirty table's copy expunged,
                        * those brought back since included */
  uint32_t   orphans;  /* list: deleted straight out of dirty since the last
                        * table was superseded */
  uint32_t   n_orphans;
  uint32_t   n_entries;    /* ids handed out so far */
  Entry     *fresh;        /* of the next id, … */
  Entry     *fresh_end;    /* … unless that is another slab's */
  uint64_t   n_sent;       /* entries retired since the map was made */
  uint64_t   bytes_sent;   /* and bytes, those entries included */
  Prng       prng;         /* table seeds */
  unsigned   table_flags;  /* beside those of every entry table; constant */
  EngineStats stats;       /* without growths of the tables in use, bytes */

  SyncWord  next_iterator;
  SyncPool  pool;
} SyncMap;

/* read as one load sees it. */
typedef struct {
  SyncTable *table;
  bool       amended;
} SyncRead;

/* What an operation's first look found. */
typedef struct {
  const SyncTable *table;
  Entry           *entry; /* NULL: absent */
} SyncLook;

/* One operation under way. The two that begin as 0 are not side by side: compilers
 * would clear them with two stores that are not theirs in width, and the next load
 * of either would wait for both to arrive. */
typedef struct {
  SyncMap      *self;
  EngineThread *thread;
  SyncTable    *superseded; /* to be retired at the end */
  OpKind        op;
  unsigned      path;       /* OP_PATH_* */
} SyncCall;

static inline SyncRead
syncmap_read (const SyncMap *self) {
  /* Pairs with syncmap_publish(): the table's slots are visible with it. */
  uintptr_t bits
      = (uintptr_t)sync_ptr_load (&self->read, SYNC_LABEL ("load read"));

  return (SyncRead){ (SyncTable *)(bits & ~(uintptr_t)1), bits & 1 };
}

/* mu held. Sequentially consistent, after all writes to the table; pairs with
 * syncmap_read(). */
static inline void
syncmap_publish (SyncMap   *self,
                 SyncTable *table,
                 bool       amended) {
  sync_ptr_store (&self->read, (void *)((uintptr_t)table | amended),
                  SYNC_LABEL ("store read"));
}

static inline Entry *
syncmap_entry_of (uint64_t elem) {
  return (Entry *)(uintptr_t)elem;
}

static inline uint64_t
syncmap_elem_of (const Entry *entry) {
  return (uint64_t)(uintptr_t)entry;
}

/* NULL: absent. A table that others write to (dirty) only with mu held. */
static inline Entry *
syncmap_find (const SyncTable *table,
              int64_t          key) {
  uint64_t elem;

  sync_read_point (table, SYNC_LABEL ("look in the table"));
  elem = gomap_find (&table->map, key);
  return elem != GOMAP_ABSENT ? syncmap_entry_of (elem) : NULL;
}

/* The second look, in what read is now. A table that this section has looked in
 * is the same all along (S9), and says what it said. */
static inline Entry *
syncmap_find_again (const SyncTable *table,
                    SyncLook         first,
                    int64_t          key) {
  if (table != first.table)
    return syncmap_find (table, key);
  sync_read_point (table, SYNC_LABEL ("look in the table"));
  return first.entry;
}

/* mu held. */
static inline Entry *
syncmap_find_dirty_locked (const SyncMap *self,
                           int64_t        key) {
  sync_read_point (&self->dirty, SYNC_LABEL ("load dirty"));
  if (self->dirty == NULL)
    return NULL;
  return syncmap_find (self->dirty, key);
}

/* The same for who may have to insert the key: *@hash is what for. */
static inline Entry *
syncmap_seek_dirty_locked (const SyncMap *self,
                           int64_t        key,
                           uint64_t      *hash) {
  const SyncTable *dirty = self->dirty;
  uint64_t elem;

  *hash = 0;
  sync_read_point (&self->dirty, SYNC_LABEL ("load dirty"));
  if (dirty == NULL)
    return NULL;
  sync_read_point (dirty, SYNC_LABEL ("look in the table"));
  *hash = gomap_hash (&dirty->map, key);
  elem = gomap_find_hashed (&dirty->map, key, *hash);
  return elem != GOMAP_ABSENT ? syncmap_entry_of (elem) : NULL;
}

/* Asks for the buckets that @key has in a dirty table too large for the caches.
 * What an operation that is about to take mu will wait for most is then on its way
 * while it takes it, and a miss of the old chain overlaps one of the new. The
 * address may be stale: nothing is read from it. */
static inline void
syncmap_fetch_dirty (const SyncMap *self,
                     int64_t        key) {
  uint64_t block = sync_count_get (&self->hint.block);
  uint64_t old_block, hash;

  if (block == 0)
    return;
  hash = hash_key (&self->engine.config.hash, key,
                   sync_count_get (&self->hint.seed));
  gobucket_fetch (block, hash & sync_count_get (&self->hint.mask));
  old_block = sync_count_get (&self->hint.old_block);
  if (__builtin_expect (old_block != 0, 0)) {
    uint64_t mask = sync_count_get (&self->hint.mask);
    uint64_t old_mask = sync_count_get (&self->hint.old_mask);

    gobucket_fetch (old_block, hash & old_mask);
    /* Where the other half of the old chain's keys goes, if it has to move. */
    gobucket_fetch (block, (hash & mask) ^ (mask - old_mask));
  }
}

static inline uint32_t
syncmap_next_version_locked (SyncMap *self) {
  return ++self->domain.version;
}

/* syncmap.c: the frame of an operation ------------------------------------- */

/* The rest of the end of an operation that took the lock. */
void syncmap_clean_up (SyncMap      *self,
                       EngineThread *thread,
                       SyncTable    *superseded);

/* Opens the reclaim section and tells the beginning. This and syncmap_end() are
 * in line, and slow ways get a copy of the call: on the fast way, where its
 * address is never taken, it lives in registers. */
static inline void
syncmap_begin (SyncCall     *call,
               MapEngine    *map,
               EngineThread *thread,
               OpKind        op,
               int64_t       key,
               int64_t       value) {
  *call = (SyncCall){ .self = (SyncMap *)map, .thread = thread, .op = op };
  probe_op_begin (op, (uint64_t)key, (uint64_t)value);
  reclaim_enter (thread->reclaim);
}

/* The copy for a slow way, and what it may have changed. Field by field: copied as
 * a whole, two fields are loaded at once, and wait for both stores to arrive. */
static inline SyncCall
syncmap_go_slow (const SyncCall *call) {
  return (SyncCall){ .self = call->self,
                     .thread = call->thread,
                     .op = call->op,
                     .path = call->path,
                     .superseded = call->superseded };
}

static inline void
syncmap_come_back (SyncCall       *call,
                   const SyncCall *slow) {
  call->path = slow->path;
  call->superseded = slow->superseded;
}

/* Closes it, retires what was superseded, tells the end; returns @is_ok. */
static inline bool
syncmap_end (const SyncCall *call,
             bool            is_ok,
             int64_t         value,
             int64_t         old) {
  reclaim_leave (call->thread->reclaim);
  if (__builtin_expect (call->path & OP_PATH_LOCKED, 0))
    syncmap_clean_up (call->self, call->thread, call->superseded);
  engine_count_op (call->thread, call->op,
                   call->path | (is_ok ? OP_PATH_OK : 0));
  probe_op_end (call->op, call->path | (is_ok ? OP_PATH_OK : 0),
                (uint64_t)value, (uint64_t)old);
  return is_ok;
}

/* For engines that embed a SyncMap. init: zeroed, but for table_flags; false: no
 * memory, and finish must follow all the same. */
bool syncmap_init   (SyncMap            *self,
                     const EngineClass  *klass,
                     const EngineConfig *config);
void syncmap_finish (SyncMap            *self);
/* Go's Load up to the entry; NULL: absent. */
Entry *syncmap_find_entry (SyncCall *call,
                           int64_t   key);

/* mu held. After the arrays of dirty may have changed. */
void syncmap_leave_hint_locked (SyncMap *self);

/* The slow ways, inside a section: what is left to do when @first, a look in what
 * was read then, has not decided the operation. Each takes mu. */

/* NULL: absent. With @is_delete the key leaves dirty. */
Entry       *syncmap_find_slowly             (SyncCall *call,
                                              SyncLook  first,
                                              int64_t   key,
                                              bool      is_delete);
/* false: no memory. */
bool         syncmap_swap_slowly             (SyncCall *call,
                                              SyncLook  first,
                                              int64_t   key,
                                              int64_t   value,
                                              bool     *has_previous,
                                              int64_t  *previous);
/* ENTRY_GAVE_UP: no memory. */
EntryOutcome syncmap_load_or_store_slowly    (SyncCall *call,
                                              SyncLook  first,
                                              int64_t   key,
                                              int64_t   value,
                                              int64_t  *actual);
bool         syncmap_compare_and_swap_slowly (SyncCall *call,
                                              SyncLook  first,
                                              int64_t   key,
                                              int64_t   old,
                                              int64_t   value);

/* Taking and giving back mu with all there may be to do besides. */
void syncmap_lock_slowly (SyncCall *call,
                          bool      is_taken);
void syncmap_unlock_told (SyncCall *call);

/* In line is what is left when nobody listens and mu is free. */
static inline void
syncmap_lock (SyncCall *call) {
  SyncMap *self = call->self;
  bool may_try = call->superseded == NULL && probe_current == NULL;

  call->path |= OP_PATH_LOCKED;
  if (__builtin_expect (!may_try
                          || !sync_mutex_trylock (&self->mu,
                                                  SYNC_LABEL ("try to lock mu")),
                        0)) {
    syncmap_lock_slowly (call, may_try);
    return;
  }
  engine_begin_hold (call->thread);
  syncmap_next_version_locked (self);
}

static inline void
syncmap_unlock (SyncCall *call) {
  SyncMap *self = call->self;

  if (__builtin_expect (probe_current != NULL, 0)) {
    syncmap_unlock_told (call);
    return;
  }
  engine_end_hold (call->thread);
  syncmap_next_version_locked (self);
  sync_mutex_unlock (&self->mu, SYNC_LABEL ("unlock mu"));
}

/* No memory: the operation ends without effect. */
void syncmap_fail   (SyncCall    *call);

/* syncmap-store.c ---------------------------------------------------------- */

bool syncmap_store            (MapEngine *map, EngineThread *thread,
                               int64_t key, int64_t value);
bool syncmap_load_or_store    (MapEngine *map, EngineThread *thread,
                               int64_t key, int64_t value, int64_t *actual);
/* Inside a call; ENTRY_GAVE_UP: no memory. */
EntryOutcome syncmap_load_or_store_entry (SyncCall *call, int64_t key,
                                          int64_t value, int64_t *actual);
bool syncmap_swap             (MapEngine *map, EngineThread *thread,
                               int64_t key, int64_t value, int64_t *previous);
bool syncmap_compare_and_swap (MapEngine *map, EngineThread *thread,
                               int64_t key, int64_t old, int64_t value);

/* syncmap-range.c ---------------------------------------------------------- */

bool     syncmap_range (MapEngine *map, EngineThread *thread,
                        EngineVisit visit, void *data);
bool     syncmap_clear (MapEngine *map, EngineThread *thread);
uint64_t syncmap_len   (MapEngine *map, EngineThread *thread);
/* Inside a section: a table that holds every key, and stays as it is. */
SyncTable *syncmap_whole_table (SyncCall *call);

/* syncmap-promote.c; mu held ----------------------------------------------- */

/* Counts a miss and promotes when it was the last that was missing. */
void syncmap_miss_locked      (SyncCall *call);
/* dirty becomes read. */
void syncmap_promote_locked   (SyncCall *call);
/* Makes dirty hold what read holds, unless there is a dirty table, and marks
 * read as amended. false: no memory, nothing changed. */
bool syncmap_amend_locked     (SyncCall *call);
/* @table is not read any more; with it go the entries that only it held. */
void syncmap_supersede_locked (SyncCall  *call,
                               SyncTable *table,
                               bool       owns_all);
/* @entry was deleted straight out of dirty. */
static inline void
syncmap_orphan_locked (SyncMap *self,
                       Entry   *entry) {
  entry->link = self->orphans;
  self->orphans = entry->id + 1;
  self->n_orphans++;
}

/* syncmap-pool.c ----------------------------------------------------------- */

/* Slab 0 has the ids below SYNCMAP_SLAB_ENTRIES, each other those of one length in
 * bits. */
static inline unsigned
syncmap_slab_of (uint32_t id) {
  return (unsigned)(__builtin_clz (SYNCMAP_SLAB_ENTRIES) + 1
                    - __builtin_clz (id | (SYNCMAP_SLAB_ENTRIES - 1)));
}

static inline uint32_t
syncmap_slab_first (unsigned slab) {
  return (SYNCMAP_SLAB_ENTRIES / 2 << slab) & ~(SYNCMAP_SLAB_ENTRIES - 1);
}

static inline Entry *
syncmap_entry_at (const SyncMap *self,
                  uint32_t       id) {
  unsigned slab = syncmap_slab_of (id);

  return &self->slabs[slab][id - syncmap_slab_first (slab)];
}

/* mu held, and no entry lies ready. One that came back, or a new one. */
Entry *syncmap_get_entry_locked  (SyncMap *self);

/* mu held. A dead entry, or a new one; NULL: no memory. */
static inline Entry *
syncmap_take_entry_locked (SyncMap *self) {
  Entry *entry;

  if (self->free_entries == 0)
    return syncmap_get_entry_locked (self);
  entry = syncmap_entry_at (self, self->free_entries - 1);
  self->free_entries = entry->link;
  entry->link = 0;
  sync_reuse (entry, sizeof *entry);
  return entry;
}

/* mu held. Back, unseen by any other thread. */
void   syncmap_give_entry_locked (SyncMap *self,
                                  Entry   *entry);
/* mu held. An empty table, told; @seed as gomap_init(). NULL: no memory. */
SyncTable *syncmap_table_new_locked (SyncMap   *self,
                                     uint64_t   hint,
                                     uint64_t   seed);
/* Frees a table that nobody can reach, and tells it. */
void   syncmap_table_free        (SyncMap   *self,
                                  SyncTable *table);
/* Hands a superseded table to the reclaimer. mu not held. */
void   syncmap_retire            (SyncMap       *self,
                                  ReclaimThread *thread,
                                  SyncTable     *table);
void   syncmap_pool_clear        (SyncMap *self);
/* mu held. Of the slabs, and of the tables that lie ready. */
size_t syncmap_pool_bytes_locked (SyncMap       *self);

/* syncmap-survey.c; mu held ------------------------------------------------ */

typedef struct {
  GoDoubts doubts;
  size_t   size_bytes; /* of its words */
} SyncSurvey;

/* Which entries a copy of @n of them has to ask; NULL: all. */
const GoDoubts *syncmap_survey_locked (const SyncMap *self,
                                       SyncSurvey    *survey,
                                       uint64_t       n);
void            syncmap_survey_end    (SyncSurvey    *survey);

/* syncmap-check.c ---------------------------------------------------------- */

size_t syncmap_check     (MapEngine *map, EngineReport report, void *data);
void   syncmap_get_stats (MapEngine *map, EngineStats *stats);
void   syncmap_get_memory (MapEngine *map, EngineMemory *memory);
/* With another way to tell whether an entry's word says that its key is there. */
void   syncmap_get_memory_with (MapEngine *map, EngineMemory *memory,
                                bool (*is_live) (const SyncMap *self,
                                                 uint64_t word));
void   syncmap_dump      (MapEngine *map, DumpSink *sink);
/* With another way to write a live slot. */
void   syncmap_dump_with (MapEngine *map, DumpSink *sink,
                          void (*dump_elem) (DumpSink *sink, unsigned slot,
                                             int64_t key, uint64_t elem));
void   syncmap_dump_elem (DumpSink *sink, unsigned slot, int64_t key,
                          uint64_t elem);
