/* SPDX-License-Identifier: GPL-3.0-or-later */

/* painting-thread.h — work that a picture takes, beside the main thread
 *
 * Two threads, made when they are first wanted: one works for pictures that a hand
 * waits for, the other for the rest. Each does its work in the order in which it was
 * given. Both end with the process.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef void (*PaintingCall) (gpointer data);

/**
 * painting_thread_do:
 * @is_prompt: a hand waits for it
 * @work: called in the painting thread
 * @done: called by the default main context afterwards, before a frame that is due
 * @data: for both; what was written to it before is seen by @work, what @work wrote
 *   by @done
 *
 * Threads: any. Where no thread is to be had, the caller does @work itself.
 */
void painting_thread_do (gboolean     is_prompt,
                         PaintingCall work,
                         PaintingCall done,
                         gpointer     data);

G_END_DECLS
