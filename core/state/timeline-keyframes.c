/* SPDX-License-Identifier: GPL-3.0-or-later */

/* timeline-keyframes.c — states kept along the way
 *
 * Idea        To get anywhere one folds on from the nearest state before it. A
 *             state of a million slots is rewritten all over between any two
 *             places worth keeping, so nothing is gained by sharing its chunks:
 *             each key-frame is the whole state, packed (state-frames.c). Two
 *             threads restore such a state in the time of some hundred thousand
 *             folds, and that is how far apart frames of it need to stand.
 *
 * Changes     Between two of them stand changed ones: how the state then differs
 *             from the key-frame before (state-delta.c), a tenth of its bytes. Its
 *             restoring takes little longer, and hardly anything is left to fold.
 *             Leaves that the key-frame had not are put in by one thread only, so
 *             while a table grows the states are whole ones.
 *
 * Spacing     Packing a large state takes as long as folding a million events.
 *             The pass that the views wait for therefore leaves few frames: each
 *             is added when the events since the last one have paid for it, at
 *             FIRST_BYTES_PER_EVENT. When the log is finished and folded, a second
 *             pass puts more between them (gaps), at BYTES_PER_EVENT or as many as
 *             there is room for, and the changed ones. If the room is used up before
 *             the end is known, every second frame goes and the spacing doubles.
 *
 * Place       The first KEYFRAMES_MEMORY_BYTES stay in memory. What comes then goes to
 *             a file (cache-file.h). Where there is no room for it, frames are fewer.
 *             While a state is restored its bytes are mapped: copied to memory of
 *             ours first, they took a sixth to a quarter of the time. No longer than
 *             that: mapped pages count as ours.
 *
 * Loss        A file that cannot be read any more has failed: its states are passed
 *             over from then on, and no more are put there. What is in memory and in
 *             the recording is left, the first of all, which is empty, at the least.
 *
 * Handed in   A recording may bring frames of its own, every few million events:
 *             a seek can start from them before the log is folded so far.
 */
#include "core/state/timeline-private.h"

#include "core/record/trace-keyframe.h"
#include "core/state/chunk-pool.h"
#include "core/state/map-state-private.h"
#include "core/state/state-delta.h"
#include "core/state/state-frames.h"

#include <string.h>

#define FIRST_SPACING 2048u
/* Measured: restoring a byte of a frame costs about as much as folding 1/150th of
 * an event from the log, and a key-frame as many bytes as the changed ones that
 * follow it: so the fold is the least part of a seek, and what is kept takes 200
 * bytes an event. */
#define BYTES_PER_EVENT 128u
#define CHANGED_PER_FRAME 12u
/* Where there is room for few key-frames only, of long logs: three milliseconds of
 * folds on a large state that was just restored. */
#define MOST_APART 90112u
/* A changed one takes at most this share of its key-frame. */
#define CHANGED_SHARE 2u
/* And of that, what the key-frame had no leaves for: a fifth of the time of its
 * restoring. */
#define ADDED_SHARE 32u
#define ADDED_BYTES 16384u
/* The first pass: packing and storing a byte takes 1 to 3 ns, and may cost a few
 * ns an event. */
#define FIRST_BYTES_PER_EVENT 6u
/* More than this is not kept to pack the next one, a million events later. */
#define SCRATCH_BYTES (4u << 20)

static gsize memory_bytes = KEYFRAMES_MEMORY_BYTES;

void
keyframes_set_memory (gsize bytes) {
  memory_bytes = bytes;
}

/* Frames of one state. Immutable; freed when nobody reads it any more. */
struct _PackedState {
  gint            ref_count;
  guint8         *bytes;  /* NULL: in the file */
  PackedState    *base;   /* NULL: these are frames; else what it differs in */
  gsize           front_size; /* of that */
  GPtrArray      *handed; /* of GBytes: those of a recording */
  TraceLog       *log;    /* that brings them, and was not asked for them yet */
  CacheFile      *file;
  guint64         at;     /* in the file, or position in the log */
  gsize           size;
  guint           n_spans;
  StateSpan      *spans;
  gint            is_lost; /* atomic: it could not be restored */
};

PackedState *
packed_state_ref (PackedState *self) {
  g_atomic_int_inc (&self->ref_count);
  return self;
}

void
packed_state_unref (PackedState *self) {
  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  if (self->file != NULL)
    cache_file_drop (self->file, self->at, self->size);
  g_clear_pointer (&self->file, cache_file_unref);
  g_clear_pointer (&self->base, packed_state_unref);
  g_clear_pointer (&self->log, tracelog_unref);
  g_clear_pointer (&self->handed, g_ptr_array_unref);
  g_free (self->bytes);
  g_free (self->spans);
  g_free (self);
}

gsize
packed_state_size (const PackedState *self) {
  return self->size + (self->base != NULL ? self->base->size : 0);
}

/* Whether it is known that it cannot be restored. */
static gboolean
is_lost (PackedState *self) {
  return g_atomic_int_get (&self->is_lost)
         || (self->file != NULL && cache_file_has_failed (self->file))
         || (self->base != NULL && is_lost (self->base));
}

void
packed_state_lose (PackedState *self) {
  g_atomic_int_set (&self->is_lost, TRUE);
}

/* A packed state that is being read. */
typedef struct {
  const PackedState *packed;
  const guint8      *bytes; /* all of its own; NULL: to be read piece by piece */
  CacheMapping       mapping;
} Reading;

static void
reading_begin (Reading           *self,
               const PackedState *packed) {
  *self = (Reading){ .packed = packed, .bytes = packed->bytes };
  if (packed->file != NULL
      && cache_file_map (packed->file, packed->at, packed->size, &self->mapping))
    self->bytes = self->mapping.bytes;
}

/* FALSE: some of the bytes were not what was written. */
static gboolean
reading_end (Reading *self) {
  return self->mapping.bytes == NULL
         || cache_file_unmap (self->packed->file, &self->mapping);
}

static const guint8 *
read_own (const Reading *reading,
          gsize          at,
          gsize          size,
          guint8        *scratch) {
  const PackedState *self = reading->packed;

  if (reading->mapping.bytes != NULL
      && !cache_mapping_is_whole (&reading->mapping))
    return NULL;
  if (reading->bytes != NULL)
    return reading->bytes + at;
  return cache_file_read (self->file, self->at + at, size, scratch) ? scratch
                                                                    : NULL;
}

static const guint8 *
read_recorded (const PackedState *self,
               guint              index,
               guint8            *scratch,
               gsize             *size) {
  g_autoptr (GBytes) bytes = tracelog_read_frame (self->log, self->at, index);

  if (bytes == NULL || g_bytes_get_size (bytes) > STATE_FRAME_MAX)
    return NULL;
  *size = g_bytes_get_size (bytes);
  memcpy (scratch, g_bytes_get_data (bytes, NULL), *size);
  return scratch;
}

static const guint8 *
read_frame (gpointer data,
            guint    index,
            guint8  *scratch,
            gsize   *size) {
  const Reading *reading = data;
  const PackedState *self = reading->packed;
  const StateSpan *span = &self->spans[index];

  if (self->log != NULL)
    return read_recorded (self, index, scratch, size);
  *size = span->size;
  if (self->handed != NULL)
    return g_bytes_get_data (self->handed->pdata[index], NULL);
  return read_own (reading, span->at, span->size, scratch);
}

static const guint8 *
read_delta (gpointer data,
            gsize    at,
            gsize    size,
            guint8  *scratch) {
  return read_own (data, at, size, scratch);
}

MapState *
packed_state_restore (PackedState *self,
                      gboolean     has_help) {
  PackedState *frames = self->base != NULL ? self->base : self;
  Reading whole, changed;
  StateDeltaSource delta = { read_delta, &changed, self->front_size, self->size,
                             FALSE };
  gboolean is_whole = TRUE;
  MapState *state;

  reading_begin (&whole, frames);
  if (frames == self) {
    state = map_state_restore (read_frame, &whole, frames->n_spans, frames->size,
                               has_help, NULL);
  } else {
    reading_begin (&changed, self);
    state = map_state_restore_changed (read_frame, &whole, frames->n_spans,
                                       frames->size, &delta, has_help);
    is_whole = reading_end (&changed);
  }
  is_whole = reading_end (&whole) && is_whole;
  if (!is_whole)
    g_clear_pointer (&state, map_state_unref);
  return state;
}

GPtrArray *
packed_state_dup_frames (PackedState *self) {
  g_autoptr (GPtrArray) frames
      = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_autofree guint8 *scratch = NULL;
  Reading reading = { .packed = self, .bytes = self->bytes };

  if (self->base != NULL) {
    g_autoptr (MapState) state = packed_state_restore (self, FALSE);

    return state != NULL ? map_state_serialise (state) : NULL;
  }
  scratch = g_malloc (STATE_FRAME_MAX);
  for (guint i = 0; i < self->n_spans; i++) {
    gsize size;
    const guint8 *bytes = read_frame (&reading, i, scratch, &size);

    if (bytes == NULL)
      return NULL;
    g_ptr_array_add (frames, g_bytes_new (bytes, size));
  }
  return g_steal_pointer (&frames);
}

static PackedState *
packed_state_new_changed (const StateDelta *delta,
                          PackedState      *base) {
  PackedState *self = g_new0 (PackedState, 1);

  self->ref_count = 1;
  self->size = delta->bytes->len;
  self->front_size = delta->front_size;
  self->base = packed_state_ref (base);
  return self;
}

static PackedState *
packed_state_new (const StateFrames *frames) {
  PackedState *self = g_new0 (PackedState, 1);

  self->ref_count = 1;
  self->size = frames->n_bytes;
  self->n_spans = frames->spans->len;
  self->spans = g_memdup2 (frames->spans->data,
                           frames->spans->len * sizeof (StateSpan));
  return self;
}

/* The file -------------------------------------------------------------- */

/* Room for frames in a file, in bytes; 0: it cannot be used. */
static guint64
open_file (Keyframes *self) {
  if (self->file == NULL && !self->has_no_file) {
    self->file = cache_file_new (CACHE_FILE_BLOCK);
    self->has_no_file = self->file == NULL;
    if (self->file != NULL)
      self->file_limit = cache_file_get_limit (self->file);
  }
  return self->file != NULL ? self->file_limit : 0;
}

/* Writes @bytes to the end of the file; FALSE: there is no room. */
static gboolean
write_to_file (Keyframes    *self,
               PackedState  *packed,
               const guint8 *bytes) {
  if (open_file (self) < self->file_used + packed->size)
    return FALSE;
  if (!cache_file_append (self->file, bytes, packed->size, &packed->at)) {
    self->file_limit = self->file_used;
    return FALSE;
  }
  packed->file = cache_file_ref (self->file);
  return TRUE;
}

/* Frames ------------------------------------------------------------------- */

void
keyframes_init (Keyframes *self) {
  memset (self, 0, sizeof *self);
  self->frames = g_array_new (FALSE, FALSE, sizeof (Keyframe));
  self->handed = g_array_new (FALSE, FALSE, sizeof (Keyframe));
  self->spacing = FIRST_SPACING;
  self->most_recent = KEYFRAMES_EARLY_BYTES;
  state_frames_init (&self->scratch);
  state_delta_init (&self->delta);
}

static void
clear_frames (GArray **frames) {
  for (guint i = 0; i < (*frames)->len; i++)
    packed_state_unref (g_array_index (*frames, Keyframe, i).packed);
  g_clear_pointer (frames, g_array_unref);
}

void
keyframes_clear (Keyframes *self) {
  clear_frames (&self->frames);
  clear_frames (&self->handed);
  for (guint i = 0; i < KEYFRAMES_N_RECENT; i++)
    g_clear_pointer (&self->recent[i].state, map_state_unref);
  state_frames_clear (&self->scratch);
  state_delta_clear (&self->delta);
  g_clear_pointer (&self->file, cache_file_unref);
}

void
keyframes_settle (Keyframes *self) {
  state_frames_clear (&self->scratch);
  state_delta_clear (&self->delta);
}

void
keyframes_drop_scratch (Keyframes *self) {
  if (self->scratch.n_bytes <= SCRATCH_BYTES)
    return;
  state_frames_clear (&self->scratch);
  state_frames_init (&self->scratch);
}

static gboolean
is_growing (const MapState *state) {
  for (guint i = 0; i < state->n_tables; i++)
    if (state->tables[i].oldbuckets != NULL)
      return TRUE;
  return FALSE;
}

void
keyframes_note_state (Keyframes      *self,
                      const MapState *state) {
  gsize bytes = map_state_bytes (state);

  if (bytes <= KEYFRAMES_LARGE_BYTES)
    return;
  self->most_bytes = MAX (self->most_bytes, bytes);
  if (bytes <= self->lasting_bytes || is_growing (state))
    return;
  self->lasting_bytes = bytes;
  chunk_pool_keep (KEYFRAMES_READY_STATES (bytes));
}

guint64
keyframes_room_left (const Keyframes *self) {
  guint64 room = memory_bytes
                 + (self->has_no_file     ? 0
                    : self->file != NULL ? self->file_limit
                                         : cache_file_most_bytes ());
  guint64 used = self->memory_used + self->file_used;

  return room > used ? room - used : 0;
}

guint64
keyframes_next (const Keyframes *self) {
  const Keyframe *last;

  if (self->frames->len == 0)
    return 0;
  last = &g_array_index (self->frames, Keyframe, self->frames->len - 1);
  return last->position
         + MAX (self->spacing, last->packed->size / FIRST_BYTES_PER_EVENT);
}

/* How many times the bytes of a frame it takes with the changed ones, going by
 * those so far. */
static double
times_with_changed (const Keyframes *self) {
  return self->whole_used < self->changed_used
             ? 1 + (double)self->changed_used / (double)self->whole_used
             : 2;
}

/* The share of the events behind the frame @i that its gap has decides how many
 * of the frames that there is room for go into it. */
gboolean
keyframes_find_gap (const Keyframes *self,
                    guint64          length,
                    guint64         *from,
                    guint64         *step,
                    guint           *n_changed,
                    guint64         *end) {
  for (guint i = 0; i < self->frames->len; i++) {
    const Keyframe *frame = &g_array_index (self->frames, Keyframe, i);
    gboolean is_last = i + 1 == self->frames->len;
    guint64 next = is_last ? length : frame[1].position, n, n_room;
    gsize size = is_last ? frame->packed->size
                         : MAX (frame->packed->size, frame[1].packed->size);

    if (frame->position < *from || next <= frame->position)
      continue;
    n = (next - frame->position) / MAX (self->spacing, size / BYTES_PER_EVENT);
    n_room = (guint64)((double)keyframes_room_left (self)
                       / ((double)size * times_with_changed (self))
                       * (double)(next - frame->position)
                       / (double)(length - frame->position));
    n = MIN (n, n_room + 1);
    n = MAX (n, 1);
    *step = (next - frame->position + n - 1) / n;
    *n_changed = (guint)CLAMP (*step / self->spacing, 1, CHANGED_PER_FRAME);
    *n_changed = MAX (*n_changed, (guint)(*step / MOST_APART));
    if (n * *n_changed < 2)
      continue;
    *from = frame->position;
    *end = next;
    return TRUE;
  }
  return FALSE;
}

static void
drop_frame (Keyframes *self,
            Keyframe  *frame,
            GPtrArray *dropped) {
  if (frame->packed->file != NULL)
    self->file_used -= frame->packed->size;
  else
    self->memory_used -= frame->packed->size;
  g_ptr_array_add (dropped, frame->packed);
}

/* Every second frame goes to @dropped, to be let go of without the lock; the first
 * stays. */
static void
thin_out_locked (Keyframes *self,
                 GPtrArray *dropped) {
  guint n_kept = 0;

  self->spacing *= 2;
  for (guint i = 0; i < self->frames->len; i++) {
    Keyframe *frame = &g_array_index (self->frames, Keyframe, i);

    if (i % 2 == 0)
      g_array_index (self->frames, Keyframe, n_kept++) = *frame;
    else
      drop_frame (self, frame, dropped);
  }
  g_array_set_size (self->frames, n_kept);
}

/* Puts the bytes somewhere; FALSE: nowhere. The lock is not held: only the
 * follower comes here. */
static gboolean
place_frame (Keyframes    *self,
             PackedState  *packed,
             const guint8 *bytes) {
  if (self->memory_used + packed->size <= memory_bytes) {
    packed->bytes = g_memdup2 (bytes, packed->size);
    return TRUE;
  }
  return write_to_file (self, packed, bytes);
}

static void
insert_frame (GArray         *frames,
              const Keyframe *frame) {
  guint place = frames->len;

  while (place > 0 && g_array_index (frames, Keyframe, place - 1).position
                          > frame->position)
    place--;
  g_array_insert_vals (frames, place, frame, 1);
}

/* Takes over @frame, which was placed, of @state. */
static void
add_frame (Keyframes      *self,
           const Keyframe *frame,
           const MapState *state) {
  insert_frame (self->frames, frame);
  keyframes_note_state (self, state);
  if (frame->packed->file != NULL)
    self->file_used += frame->packed->size;
  else
    self->memory_used += frame->packed->size;
}

gboolean
keyframes_add (Keyframes       *self,
               const MapState  *state,
               gboolean         is_between,
               pthread_mutex_t *lock) {
  Keyframe frame = { .position = map_state_n_events (state) };
  const guint8 *bytes;
  gboolean is_placed;

  state_frames_write (&self->scratch, state);
  bytes = self->scratch.bytes;
  frame.packed = packed_state_new (&self->scratch);
  is_placed = place_frame (self, frame.packed, bytes);
  /* Where no hand waits for the pass. */
  if (is_between)
    keyframes_drop_scratch (self);
  /* Plain: only the follower, which is here, changes the frames. */
  while (!is_placed && !is_between && self->frames->len > 1) {
    g_autoptr (GPtrArray) dropped
        = g_ptr_array_new_full (self->frames->len,
                                (GDestroyNotify)packed_state_unref);

    pthread_mutex_lock (lock);
    thin_out_locked (self, dropped);
    pthread_mutex_unlock (lock);
    g_ptr_array_set_size (dropped, 0);
    is_placed = place_frame (self, frame.packed, bytes);
  }
  pthread_mutex_lock (lock);
  if (is_placed) {
    add_frame (self, &frame, state);
    self->whole_used += is_between ? frame.packed->size : 0;
  } else {
    packed_state_unref (frame.packed);
    self->spacing *= 2;
  }
  pthread_mutex_unlock (lock);
  return is_placed;
}

ChangedFit
keyframes_add_changed (Keyframes       *self,
                       const MapState  *state,
                       const MapState  *base,
                       PackedState     *packed,
                       pthread_mutex_t *lock) {
  Keyframe frame = { .position = map_state_n_events (state) };

  gboolean fits = state_delta_write (&self->delta, base, state,
                                     packed->size / CHANGED_SHARE);

  if (self->delta.has_other_tables
      || self->delta.added->len > packed->size / ADDED_SHARE + ADDED_BYTES)
    return CHANGED_GREW;
  if (!fits)
    return CHANGED_TOO_MUCH;
  frame.packed = packed_state_new_changed (&self->delta, packed);
  if (!place_frame (self, frame.packed, self->delta.bytes->data)) {
    packed_state_unref (frame.packed);
    return CHANGED_NO_ROOM;
  }
  pthread_mutex_lock (lock);
  add_frame (self, &frame, state);
  self->changed_used += frame.packed->size;
  pthread_mutex_unlock (lock);
  return CHANGED_FITS;
}

void
keyframes_hand_in (Keyframes *self,
                   guint64    position,
                   GPtrArray *frames) {
  Keyframe frame = { .position = position };

  frame.packed = g_new0 (PackedState, 1);
  frame.packed->ref_count = 1;
  frame.packed->handed = g_ptr_array_ref (frames);
  frame.packed->n_spans = frames->len;
  frame.packed->spans = g_new0 (StateSpan, frames->len);
  for (guint i = 0; i < frames->len; i++) {
    gsize size = g_bytes_get_size (frames->pdata[i]);

    frame.packed->spans[i].size = (guint32)MIN (size, G_MAXUINT32);
    frame.packed->size += size;
  }
  insert_frame (self->handed, &frame);
}

void
keyframes_take_recorded (Keyframes *self,
                         TraceLog  *log) {
  guint64 position = tracelog_get_length (log);
  TraceKeyframe found;

  while (tracelog_find_keyframe (log, position, &found) && found.position > 0) {
    Keyframe frame = { .position = found.position };

    position = found.position - 1;
    if (found.version != STATE_FRAMES_VERSION)
      continue;
    frame.packed = g_new0 (PackedState, 1);
    frame.packed->ref_count = 1;
    frame.packed->log = tracelog_ref (log);
    frame.packed->at = found.position;
    frame.packed->n_spans = found.n_frames;
    /* The most it can be: what it is will be known when it is unpacked. */
    frame.packed->size = (gsize)found.n_frames * STATE_FRAME_MAX;
    insert_frame (self->handed, &frame);
  }
}

/* How many of @frames are at or before @position. */
static guint
count_frames (GArray  *frames,
              guint64  position) {
  guint low = 0, high = frames->len;

  while (low < high) {
    guint middle = (low + high) / 2;

    if (g_array_index (frames, Keyframe, middle).position <= position)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* The latest of @frames at or before @position that is not lost; NULL: none. */
static const Keyframe *
find_frame (GArray  *frames,
            guint64  position) {
  guint n = count_frames (frames, position);

  while (n > 0 && is_lost (g_array_index (frames, Keyframe, n - 1).packed))
    n--;
  return n > 0 ? &g_array_index (frames, Keyframe, n - 1) : NULL;
}

PackedState *
keyframes_ref_packed (Keyframes *self,
                      guint64    n_events,
                      guint64   *position) {
  const Keyframe *best = find_frame (self->frames, n_events);
  const Keyframe *handed = find_frame (self->handed, n_events);

  if (handed != NULL && (best == NULL || handed->position > best->position))
    best = handed;
  if (best == NULL)
    return NULL;
  g_atomic_int_inc (&best->packed->ref_count);
  *position = best->position;
  return best->packed;
}

void
keyframes_find_around (const Keyframes *self,
                       guint64          position,
                       guint64         *before,
                       guint64         *after) {
  GArray *all[] = { self->frames, self->handed };

  *before = 0;
  *after = G_MAXUINT64;
  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    guint n = count_frames (all[i], position);

    if (n > 0)
      *before = MAX (*before, g_array_index (all[i], Keyframe, n - 1).position);
    if (n < all[i]->len)
      *after = MIN (*after, g_array_index (all[i], Keyframe, n).position);
  }
}
