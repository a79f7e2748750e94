/* SPDX-License-Identifier: GPL-3.0-or-later */

/* tophash-geometry.h — where everything on the stage stands
 *
 * Arithmetic only: a StageLayout says for one MapState and one width which
 * cards there are and where each bucket and slot lies, in whole pixels, and
 * answers what lies at a point. It keeps a reference to its state, is counted itself
 * and never changes once it is made: any thread may read and release it.
 */
#pragma once

#include "core/state/map-state.h"

G_BEGIN_DECLS

typedef struct {
  double x, y, width, height;
} StageRect;

static inline gboolean
stage_rect_contains (const StageRect *rect,
                     double           x,
                     double           y) {
  return x >= rect->x && x < rect->x + rect->width
         && y >= rect->y && y < rect->y + rect->height;
}

typedef enum {
  STAGE_GOMAP,   /* one table, with or without a lock */
  STAGE_SYNCMAP, /* read and dirty */
  STAGE_SHARDS,  /* several tables, each with its lock */
} StageKind;

typedef enum {
  CARD_BUCKETS,
  CARD_OLDBUCKETS,
  CARD_READ,
  CARD_DIRTY,
  CARD_GHOST, /* a superseded table that an open Range still walks */
  CARD_RANGE,
  /* Strips: they have items in place of slots. */
  CARD_LOCK,   /* a lock, who is inside and who waits; one item */
  CARD_VIEWS,  /* open snapshots and views; one item each, oldest first */
  CARD_SHARDS, /* every shard at a glance; one item each */
  CARD_CHAINS, /* entries that have older versions; one item each: a row */
} StageCardKind;

/* Side of a slot in pixels; 0 is the heat map. */
#define STAGE_SLOT_FAR 0
#define STAGE_SLOT_SMALL 4
#define STAGE_SLOT_DENSE 6 /* up to here side by side with next to no gap */
#define STAGE_SLOT_MIDDLE 12
#define STAGE_SLOT_NEAR 32
/* From this side on, a slot carries its key; from the next, tophash too. */
#define STAGE_SLOT_KEY 24
#define STAGE_SLOT_HEX 32
#define STAGE_N_ZOOMS 10
/* A card of a strip that is this high has a line of words below its chips. */
#define STAGE_STRIP_ROOMY 64
/* CARD_VIEWS: what stands before the chips, one of them, and behind them. */
#define STAGE_VIEWS_HEAD 106
#define STAGE_VIEW_CHIP 70
#define STAGE_VIEWS_MORE 36
/* Less wide, an item of CARD_SHARDS is a cell of a heat map; else bars. */
#define STAGE_SHARD_BARS 8
/* A shard's card that is less wide has room for a word, not for sentences. */
#define STAGE_SHARD_ROOMY 260

/* One bucket's place; those of a card are ordered by y. */
typedef struct {
  guint32 bucket; /* index in the array, overflow included */
  guint32 chain;  /* its main bucket */
  gint32  x, y;   /* of its first slot */
  guint8  n_shown;   /* slots drawn; overflow buckets end with their last key */
  guint8  is_indexed; /* the first of its chain: its number is written */
  guint8  is_wrapped; /* overflow that began a new line */
} StageBucket;

typedef struct {
  StageCardKind     kind;
  StageRect         frame;
  StageRect         body;    /* buckets, between head and foot */
  const StateTable *table;   /* NULL: the pointer is nil */
  const StateArray *array;   /* NULL: nothing allocated */
  const StateIter  *iter;    /* CARD_RANGE, CARD_GHOST */
  gboolean          in_old;
  int               slot_px;
  int               gap_px;
  int               index_px; /* room for the number before the first slot */
  gboolean          is_low;   /* its facts stand beside its title */
  GArray           *buckets; /* of StageBucket; NULL in a heat map */
  /* Heat map: cells row by row, each of n_per_cell main buckets. */
  guint             cell_px;
  guint             n_columns;
  guint             n_rows;
  guint             n_per_cell;
  /* Strips: items in rows of n_columns from the body's corner. */
  guint             n_items;
  int               item_width, item_height, item_gap;
  int               lock;   /* CARD_LOCK: place of the lock; -1: none */
} StageCard;

/* An entry whose older versions are kept. */
typedef struct {
  const StateTable *table;
  guint32           bucket;
  guint             slot;
  gint64            key;
  guint32           entry;
  gboolean          in_old;
} StageChain;

/* Of a pair of tables. */
typedef enum {
  STAGE_BOTH,
  STAGE_READ,
  STAGE_DIRTY,
} StageShown;

typedef struct {
  double width;
  double fit_height; /* prefer sizes that fit; 0: any height */
  int    zoom;       /* steps nearer (+) or farther (-) than by itself */
  double text_scale; /* of captions; 1 normally */
  StageShown shown;
  guint  shard;      /* the selected one + 1, whose lock is shown; 0: none */
  gboolean has_key;  /* a slot with a key is selected: its chain comes first */
  gint64 key;
} StageOptions;

typedef struct {
  int             ref_count;
  const MapState *state; /* owned reference */
  StageKind       kind;
  double          width, height;
  double          top;        /* of the tables: below the strips */
  double          min_width;  /* below which a card would not hold its slots */
  int             fit_index;  /* into the sizes: the one that fits */
  int             zoom_index; /* likewise: the one taken, after clamping */
  GArray         *cards;      /* of StageCard */
  GArray         *chains;     /* of StageChain: items of CARD_CHAINS */
  guint           n_more_chains; /* for which there was no room */
  double          chains_height; /* with the gap; no say in the size of slots */
  StageOptions    options;
} StageLayout;

/* Room for the name of CARD_VIEWS, which grows with the text. */
static inline int
stage_views_head (const StageLayout *self) {
  return (int)(STAGE_VIEWS_HEAD * MAX (1, self->options.text_scale));
}

StageLayout *stage_layout_new       (const MapState     *state,
                                     const StageOptions *options);
StageLayout *stage_layout_ref       (StageLayout        *self);
void         stage_layout_unref     (StageLayout        *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StageLayout, stage_layout_unref)

static inline const StageCard *
stage_layout_card (const StageLayout *self,
                   guint              index) {
  return &g_array_index (self->cards, StageCard, index);
}

/* The first of @kind; NULL: none. */
const StageCard *stage_layout_find_card (const StageLayout *self,
                                         StageCardKind      kind);
/* The card that shows this array; NULL: none. */
const StageCard *stage_layout_find_table (const StageLayout *self,
                                          guint16            id,
                                          guint32            created_ver,
                                          gboolean           in_old);

/* A place on the stage. */
typedef struct {
  const StageCard *card; /* NULL: outside of every card */
  gboolean         has_slot;
  guint32          chain;
  guint32          bucket;
  guint            slot;
  gboolean         has_item; /* of a strip */
  guint            item;
} StageHit;

/* TRUE when a slot or an item lies there; gaps belong to nobody. In a heat map the slot
 * is 0 of the first bucket of the cell. */
gboolean stage_layout_hit  (const StageLayout *self,
                            double             x,
                            double             y,
                            StageHit          *hit);
/* FALSE: that slot is not drawn. */
gboolean stage_card_slot   (const StageCard   *card,
                            guint32            bucket,
                            guint              slot,
                            StageRect         *rect);
/* FALSE: there is no such item. */
gboolean stage_card_item   (const StageCard   *card,
                            guint              item,
                            StageRect         *rect);
/* Whether a view may see another value of it than its newest. */
gboolean stage_state_has_past (const MapState *state,
                               guint32         entry);
/* The place of the first bucket of @card that ends below @y. */
guint    stage_card_first_below (const StageCard *card,
                                 double           y);

/* How much there is to paint between two heights: in slots with letters. Other
 * marks count for as many as take as long. */
guint    stage_layout_cost (const StageLayout *self,
                            double             top,
                            double             bottom);

typedef enum {
  STAGE_LEFT,
  STAGE_RIGHT,
  STAGE_UP,
  STAGE_DOWN,
  STAGE_FIRST,
  STAGE_LAST,
} StageStep;

/* From one slot or item to its neighbour, into the next card at an edge; from
 * nowhere to the first slot. STAGE_FIRST and STAGE_LAST are the ends of the whole
 * stage, strips included. FALSE: there is none. */
gboolean stage_layout_step (const StageLayout *self,
                            const StageHit    *from,
                            StageStep          step,
                            StageHit          *to);

G_END_DECLS
