/* SPDX-License-Identifier: GPL-3.0-or-later */

/* frame-memory.c — the memory that frames are drawn in, kept at hand
 *
 * Where no graphics card draws, each frame is drawn into memory of its own and given
 * back: as large as what has changed, and as much again for what is drawn together. That
 * comes from the end of the heap, which malloc() gives back to the kernel from twice as
 * much on: each frame would have its pages cleared one by one. (In 22 s of going about
 * in a large recording, 17,000 to 18,000 of them; 2,100 to 2,700 when the heap keeps
 * room for HEAP_FRAMES.)
 *
 * Then it is copied into memory that is shared with the X server. Cairo takes that from a pool, and gives the pool back as soon as
 * nothing in it is in use, which is after most frames. The next one that draws all of
 * the window finds memory then that nobody touched before: page by page the kernel
 * has to look for it and to clear it, for a window of 1280 by 800 pixels 3 of the 8 ms
 * that a turn of the main loop may take.
 *
 * So a picture as large as the window is made in such memory before there is
 * a frame, and given up again: what it touched comes first when more is wanted. A few
 * pixels in the same pool, kept as long as the window is there, keep the pool.
 *
 * Nothing depends on it: elsewhere it does nothing, and with another cairo little.
 */
#include "app/frame-memory.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef GDK_WINDOWING_X11
#include <cairo-xlib.h>
#include <gdk/x11/gdkx.h>

/* Pixels in a row, more than the least that cairo takes from a pool. */
#define KEPT_WIDTH 64
#define KEPT_KEY "tophash-frame-memory"

/* At the end of the heap, that are not given back: one that is drawn, what is drawn
 * together in it, and other things' room. */
#define HEAP_FRAMES 3
#define BYTES_A_PIXEL 4

typedef struct {
  cairo_surface_t *kept;
  gsize            n_pixels; /* that a frame has, so far */
} FrameMemory;

static void
frame_memory_free (gpointer data) {
  FrameMemory *self = data;

  g_clear_pointer (&self->kept, cairo_surface_destroy);
  g_free (self);
}

/* The pixels are taken before the picture is given back: the pool is never empty. */
static void
touch (FrameMemory *self,
       GdkSurface  *surface,
       int          width,
       int          height) {
  Display *display = GDK_SURFACE_XDISPLAY (surface);
  cairo_surface_t *screen = cairo_xlib_surface_create (
    display, GDK_SURFACE_XID (surface),
    DefaultVisual (display, DefaultScreen (display)), width, height);
  cairo_surface_t *whole
    = cairo_surface_create_similar_image (screen, CAIRO_FORMAT_RGB24, width, height);

  g_clear_pointer (&self->kept, cairo_surface_destroy);
  self->kept = cairo_surface_create_similar_image (screen, CAIRO_FORMAT_RGB24,
                                                   KEPT_WIDTH, 1);
  cairo_surface_destroy (whole);
  cairo_surface_destroy (screen);
}

/* Frames come from the heap, and not as mappings of their own. */
static void
keep_in_heap (gsize n_pixels) {
#ifdef __GLIBC__
  gsize frame = MIN (n_pixels * BYTES_A_PIXEL, G_MAXINT / (2 * HEAP_FRAMES));

  mallopt (M_MMAP_THRESHOLD, (int)(frame + frame / 16));
  mallopt (M_TRIM_THRESHOLD, (int)(HEAP_FRAMES * frame));
#endif
}

/* The next frame of a window that has grown would touch as much itself. */
static void
layout_cb (GdkSurface  *surface,
           int          width,
           int          height,
           FrameMemory *self) {
  int scale = gdk_surface_get_scale_factor (surface);
  gsize n_pixels = (gsize)width * (gsize)height * (gsize)scale * (gsize)scale;

  if (n_pixels <= self->n_pixels)
    return;
  self->n_pixels = n_pixels;
  keep_in_heap (n_pixels);
  touch (self, surface, width * scale, height * scale);
}

static void
realize_cb (GtkWindow *window) {
  GtkNative *native = GTK_NATIVE (window);
  GdkSurface *surface = gtk_native_get_surface (native);
  FrameMemory *self;
  int width, height;

  if (!GDK_IS_X11_SURFACE (surface)
      || !GSK_IS_CAIRO_RENDERER (gtk_native_get_renderer (native)))
    return;
  self = g_new0 (FrameMemory, 1);
  g_object_set_data_full (G_OBJECT (surface), KEPT_KEY, self, frame_memory_free);
  g_signal_connect (surface, "layout", G_CALLBACK (layout_cb), self);
  gtk_window_get_default_size (window, &width, &height);
  if (width > 0 && height > 0)
    layout_cb (surface, width, height, self);
}

void
frame_memory_keep (GtkWindow *window) {
  g_signal_connect_after (window, "realize", G_CALLBACK (realize_cb), NULL);
}
#else
void
frame_memory_keep (GtkWindow *window) {
}
#endif
